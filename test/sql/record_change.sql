-- record_change: the effects of changed records: starts, and runs that wait for
-- a record (src/work/record_change.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.change_record (id integer PRIMARY KEY, status text, note text);
SELECT orchestration.register_record_type('Change_Record', 'change_record');
CREATE FUNCTION public.change_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Change_Echo', 'function', 'change_echo(jsonb)');
SELECT orchestration.register_action('Change_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE FUNCTION pg_temp.condition(reference text, operator text, value jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('leftValueReference', reference, 'operator', operator, 'rightValue', value)) $$;
-- a run waits first for one status, later for another, and not in between
SELECT pg_temp.orchestration('Waits', 'One', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('One', 'Two') || jsonb_build_object('exitConditions', jsonb_build_array(pg_temp.condition('$Record.Status', 'EqualTo', '{"stringValue": "One"}'))),
    pg_temp.stage('Two', 'Three', pg_temp.step('Person', 'I', 'Change_Screen')),
    pg_temp.stage('Three', NULL, pg_temp.step('Late', 'B', 'Change_Echo', '{}', '{"note": {"elementReference": "$Record.Note"}}')
        || jsonb_build_object('entryConditions', jsonb_build_array(pg_temp.condition('Is_three', 'EqualTo', '{"booleanValue": true}')))))
    , 'formulas', '[{"name": "Is_three", "dataType": "Boolean", "expression": "{!$Record.Status} = \"Three\""}]'::jsonb),
    '{"object": "Change_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}');
INSERT INTO public.change_record VALUES (1), (2), (3);
SELECT triggering_record_id, pg_temp.state(id) FROM orchestration.run ORDER BY triggering_record_id;
-- only runs that wait; all changes of a statement together
UPDATE public.change_record SET status = 'One' WHERE id IN (1, 2);
SELECT triggering_record_id, pg_temp.state(id) FROM orchestration.run ORDER BY triggering_record_id;
UPDATE public.change_record SET status = 'Three' WHERE id = 1;
SELECT orchestration.complete_work_item(w.id) FROM orchestration.work_item w JOIN orchestration.run r ON r.id = w.run_id WHERE r.triggering_record_id IN ('1', '2') AND w.status = 'Assigned';
SELECT triggering_record_id, pg_temp.state(id) FROM orchestration.run ORDER BY triggering_record_id;
UPDATE public.change_record SET status = 'Three', note = 'now' WHERE id = 2;
SELECT triggering_record_id, pg_temp.state(id) FROM orchestration.run ORDER BY triggering_record_id;
SELECT outputs FROM orchestration.step_run t JOIN orchestration.run r ON r.id = t.run_id WHERE r.triggering_record_id = '2' AND t.name = 'Late';
-- a suspended run reacts when it is resumed; a failed statement has no effect
SELECT orchestration.suspend_run(id) FROM orchestration.run WHERE triggering_record_id = '3';
UPDATE public.change_record SET status = 'One' WHERE id = 3;
SELECT pg_temp.state(id) FROM orchestration.run WHERE triggering_record_id = '3';
SELECT orchestration.resume_run(id) FROM orchestration.run WHERE triggering_record_id = '3';
SELECT pg_temp.state(id) FROM orchestration.run WHERE triggering_record_id = '3';
BEGIN;
SAVEPOINT s;
INSERT INTO public.change_record SELECT n, CASE WHEN n = 6 THEN 1 / (n - 6) END FROM generate_series(4, 6) n;
ROLLBACK TO s;
INSERT INTO public.change_record VALUES (7);
COMMIT;
SELECT triggering_record_id FROM orchestration.run ORDER BY id;
-- the key changes with the status
UPDATE public.change_record SET id = 70, status = 'One' WHERE id = 7;
SELECT triggering_record_id, pg_temp.state(id) FROM orchestration.run ORDER BY id DESC LIMIT 1;
-- ON CONFLICT, MERGE, a writing WITH
INSERT INTO public.change_record VALUES (8), (70) ON CONFLICT (id) DO UPDATE SET note = 'again';
WITH w AS (INSERT INTO public.change_record VALUES (9) RETURNING id) INSERT INTO public.change_record SELECT id + 1 FROM w;
MERGE INTO public.change_record c USING (VALUES (9, 'One'), (11, 'One')) v (id, status) ON c.id = v.id
    WHEN MATCHED THEN UPDATE SET status = v.status WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.status);
SELECT triggering_record_id, current_stage FROM orchestration.run WHERE triggering_record_id::int BETWEEN 8 AND 11 ORDER BY triggering_record_id::int;
-- a user's trigger on the same table, in the middle of the statement
CREATE FUNCTION public.change_also() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id < 100 THEN
        INSERT INTO public.change_record VALUES (NEW.id + 100, 'One');
    END IF;
    RETURN NULL;
END$$;
CREATE TRIGGER also AFTER INSERT ON public.change_record FOR EACH ROW EXECUTE FUNCTION public.change_also();
INSERT INTO public.change_record VALUES (20), (21);
SELECT triggering_record_id, current_stage FROM orchestration.run WHERE triggering_record_id::int BETWEEN 20 AND 199 ORDER BY triggering_record_id::int;
DROP TRIGGER also ON public.change_record;
-- many changes: as one, and more than the limit of changes kept in memory
INSERT INTO public.change_record SELECT n FROM generate_series(1001, 1300) n;
SELECT count(*), count(DISTINCT triggering_record_id) FROM orchestration.run WHERE triggering_record_id::int > 1000;
UPDATE public.change_record SET status = 'One' WHERE id > 1000;
SELECT current_stage, count(*) FROM orchestration.run WHERE triggering_record_id::int > 1000 GROUP BY 1;
SELECT orchestration.deactivate_orchestration('Waits');
INSERT INTO public.change_record SELECT n FROM generate_series(20001, 45000) n;
UPDATE public.change_record SET note = 'touched';
SELECT count(*) FROM orchestration.run;
-- the user who starts the run, and its owner
SELECT DISTINCT created_by IS NULL, owner_id FROM orchestration.run;
-- partitions: through the table, and under their own names
CREATE TABLE public.change_parted (id integer PRIMARY KEY, status text) PARTITION BY RANGE (id);
CREATE TABLE public.change_parted_low PARTITION OF public.change_parted FOR VALUES FROM (0) TO (100);
CREATE TABLE public.change_parted_high PARTITION OF public.change_parted FOR VALUES FROM (100) TO (200);
SELECT orchestration.register_record_type('Change_Parted', 'change_parted');
SELECT pg_temp.orchestration('Parted', 'One', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('One', NULL) || jsonb_build_object('exitConditions', jsonb_build_array(pg_temp.condition('$Record.Status', 'EqualTo', '{"stringValue": "One"}'))))),
    '{"object": "Change_Parted", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}');
INSERT INTO public.change_parted VALUES (1), (101);
INSERT INTO public.change_parted_high VALUES (102);
UPDATE public.change_parted_high SET status = 'One' WHERE id = 102;
UPDATE public.change_parted SET status = 'One' WHERE id = 1;
-- a row that moves to another partition is deleted and inserted: another record
UPDATE public.change_parted SET id = 103 WHERE id = 1;
SELECT triggering_record_id, status FROM orchestration.run WHERE orchestration_name = 'Parted' ORDER BY id;
SELECT * FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Parted');
SELECT orchestration.unregister_record_type('Change_Parted');
SELECT orchestration.unregister_record_type('Change_Record');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'public.change_record'::regclass;
DROP TABLE public.change_record, public.change_parted;
SELECT pg_temp.clean_up();
