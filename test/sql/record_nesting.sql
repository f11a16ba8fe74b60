-- record_nesting: statements that change registered tables inside one another, by
-- triggers of users and actions; rows that are deleted or changed before their statement
-- ends; rows without a key (src/work/record_change.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SELECT orchestration.register_action('Nest_Work', 'worker');
SELECT orchestration.register_action('Nest_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
-- starts by inserted or changed records of a type, without the changes of a trigger
CREATE FUNCTION pg_temp.triggered(name text, type text, parts jsonb, kind text DEFAULT 'CreateAndUpdate', filters jsonb DEFAULT '[]') RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.orchestration(name, 'S', parts, jsonb_build_object('object', type, 'triggerType', 'RecordAfterSave', 'recordTriggerType', kind, 'filterLogic', 'and', 'filters', filters)) $$;
\set untouched '[{"field": "touched", "operator": "EqualTo", "value": {"numberValue": 0}}]'
CREATE TABLE public.nest_a (id integer PRIMARY KEY, touched integer NOT NULL DEFAULT 0, note text);
CREATE TABLE public.nest_b (id integer PRIMARY KEY, touched integer NOT NULL DEFAULT 0, note text);
SELECT orchestration.register_record_type('Nest_A', 'nest_a'), orchestration.register_record_type('Nest_B', 'nest_b');
SELECT pg_temp.triggered('On_' || t, 'Nest_' || t, jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('W', 'A', 'Nest_Work')))), 'CreateAndUpdate', :'untouched')
  FROM (VALUES ('A'), ('B')) x (t);
SELECT pg_temp.orchestration('By_call', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('W', 'A', 'Nest_Work')))));
--
-- The matrix: the same runs start, whatever a user's trigger does
--
-- the bodies of the trigger change the rows of the statement and another registered table
CREATE FUNCTION public.nest_change() RETURNS void LANGUAGE sql AS $$
    UPDATE public.nest_a SET touched = touched + 1 WHERE id IN (SELECT max(id) FROM public.nest_a);
    INSERT INTO public.nest_b VALUES ((SELECT 1 + coalesce(max(id), 900) FROM public.nest_b), 1);
    UPDATE public.nest_b SET touched = touched + 1 WHERE id > 900;
$$;
CREATE FUNCTION public.nest_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() > 1 THEN
        RETURN NULL;
    END IF;
    CASE TG_ARGV[0]
    WHEN 'plain' THEN
        PERFORM public.nest_change();
    WHEN 'fails' THEN
        BEGIN
            PERFORM public.nest_change();
            RAISE 'undo';
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    WHEN 'succeeds' THEN
        BEGIN
            PERFORM public.nest_change();
        EXCEPTION WHEN raise_exception THEN NULL;
        END;
    WHEN 'deep' THEN
        BEGIN
            BEGIN
                PERFORM public.nest_change();
            EXCEPTION WHEN raise_exception THEN NULL;
            END;
            RAISE 'undo';
        EXCEPTION WHEN raise_exception THEN
            PERFORM public.nest_change();
        END;
    WHEN 'call' THEN
        PERFORM orchestration.cancel_run(orchestration.start_orchestration('By_call'));
        PERFORM count(orchestration.reevaluate_run(id)) FROM orchestration.run WHERE status = 'InProgress';
    END CASE;
    RETURN NULL;
END$$;
-- the runs that a command starts and the lookups that it clears
CREATE FUNCTION pg_temp.outcome(command text, nested boolean) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orchestration.run SET status = 'Canceled' WHERE status = 'InProgress';
    DELETE FROM orchestration.run;
    TRUNCATE public.nest_a, public.nest_b;
    ALTER TABLE public.nest_a DISABLE TRIGGER USER;
    INSERT INTO public.nest_a VALUES (11, 1), (12, 1), (13, 1), (14, 0), (15, 0);
    ALTER TABLE public.nest_a ENABLE TRIGGER USER;
    PERFORM orchestration.start_orchestration('On_A', id::text) FROM public.nest_a WHERE id >= 14 ORDER BY id;
    IF nested THEN
        BEGIN
            EXECUTE command;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
    ELSE
        EXECUTE command;
    END IF;
    RETURN (SELECT string_agg(concat_ws(' ', r.orchestration_name, r.triggering_record_id, r.status, t.status), ', ' ORDER BY r.orchestration_name, r.triggering_record_id, r.id)
              FROM orchestration.run r JOIN orchestration.step_run t ON t.run_id = r.id WHERE r.orchestration_name <> 'By_call');
END$$;
CREATE TEMP TABLE command (name text, command text);
INSERT INTO command VALUES
    ('INSERT', 'INSERT INTO public.nest_a VALUES (1), (2), (3)'),
    ('UPDATE', 'UPDATE public.nest_a SET touched = 0 WHERE id < 14'),
    ('UPDATE of keys', 'UPDATE public.nest_a SET id = id + 100, touched = 0 WHERE id > 12'),
    ('DELETE', 'DELETE FROM public.nest_a WHERE id IN (11, 14)'),
    ('COPY', 'COPY public.nest_a (id) FROM PROGRAM ''printf "1\n2\n3\n"'''),
    ('ON CONFLICT', 'INSERT INTO public.nest_a VALUES (1), (11), (2) ON CONFLICT (id) DO UPDATE SET touched = 0'),
    ('MERGE', 'MERGE INTO public.nest_a a USING (VALUES (11), (14), (2)) v (id) ON a.id = v.id WHEN MATCHED AND a.id = 14 THEN DELETE WHEN MATCHED THEN UPDATE SET touched = 0 WHEN NOT MATCHED THEN INSERT VALUES (v.id)'),
    ('CTE', 'WITH a AS (INSERT INTO public.nest_a VALUES (1), (2) RETURNING id), u AS (UPDATE public.nest_a SET touched = 0 WHERE id = 12) INSERT INTO public.nest_b SELECT id FROM a');
CREATE TEMP TABLE outcome AS SELECT c.name, pg_temp.outcome(c.command, false) AS without FROM command c;
SELECT name, without FROM outcome ORDER BY name;
CREATE FUNCTION pg_temp.matrix() RETURNS TABLE (trigger text, command text, outcome text, without text, violations bigint) LANGUAGE plpgsql AS $$
DECLARE
    timing text;
    position text;
    body text;
    nested boolean;
    c record;
BEGIN
    FOREACH timing IN ARRAY '{ROW,STATEMENT}'::text[] LOOP
    FOREACH position IN ARRAY '{aaa,zzz}'::text[] LOOP
    FOREACH body IN ARRAY '{plain,fails,succeeds,deep,call}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER %s AFTER INSERT OR UPDATE OR DELETE ON public.nest_a FOR EACH %s EXECUTE FUNCTION public.nest_trigger(%L)', position, timing, body);
        FOREACH nested IN ARRAY '{f,t}'::boolean[] LOOP
            FOR c IN SELECT * FROM command LOOP
                trigger := concat_ws(' ', timing, position, body, CASE WHEN nested THEN 'in a subtransaction' END);
                command := c.name;
                outcome := pg_temp.outcome(c.command, nested);
                without := (SELECT o.without FROM outcome o WHERE o.name = c.name);
                violations := (SELECT count(*) FROM orchestration.verify());
                RETURN NEXT;
            END LOOP;
        END LOOP;
        EXECUTE format('DROP TRIGGER %s ON public.nest_a', position);
    END LOOP;
    END LOOP;
    END LOOP;
END$$;
SELECT count(*), count(*) FILTER (WHERE outcome = without AND violations = 0) AS as_without INTO TEMP matrix_count FROM pg_temp.matrix();
TABLE matrix_count;
SELECT pg_temp.clean_up();
TRUNCATE public.nest_a, public.nest_b;
SELECT orchestration.deactivate_orchestration(n) FROM (VALUES ('On_A'), ('On_B')) x (n);
--
-- Several registered tables at once: actions and triggers that write each other's tables
--
CREATE TABLE public.nest_c (id integer PRIMARY KEY, touched integer NOT NULL DEFAULT 0, note text);
SELECT orchestration.register_record_type('Nest_C', 'nest_c');
CREATE FUNCTION public.nest_act(inputs jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.nest_a SET note = 'seen';
    UPDATE public.nest_b SET note = 'seen' WHERE id % 7 = 0;
    UPDATE public.nest_c SET note = 'seen' WHERE id % 5 = 0;
    RETURN '{}';
END$$;
SELECT orchestration.register_action('Nest_Act', 'function', 'nest_act(jsonb)');
SELECT pg_temp.triggered('Made_' || t, 'Nest_' || t, jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('B', 'B', 'Nest_Act')))), 'Create')
  FROM (VALUES ('A'), ('B'), ('C')) x (t);
CREATE FUNCTION public.nest_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.nest_b SELECT NEW.id * 1000 + n, 0, repeat('b', 300) FROM generate_series(1, 40) n;
    WITH more AS (INSERT INTO public.nest_c SELECT NEW.id * 1000 + n FROM generate_series(1, 20) n RETURNING id)
    INSERT INTO public.nest_b SELECT id + 100, 0, repeat('c', 300) FROM more;
    RETURN NULL;
END$$;
CREATE TRIGGER zz AFTER INSERT ON public.nest_a FOR EACH ROW EXECUTE FUNCTION public.nest_lines();
INSERT INTO public.nest_a VALUES (1), (2), (3);
SELECT orchestration_name, status, count(*), count(DISTINCT triggering_record_id), min(triggering_record_id::int), max(triggering_record_id::int) FROM orchestration.run GROUP BY 1, 2 ORDER BY 1;
DROP TRIGGER zz ON public.nest_a;
WITH a AS (INSERT INTO public.nest_a SELECT n, 0, repeat('a', 200) FROM generate_series(101, 160) n RETURNING id),
     b AS (INSERT INTO public.nest_b SELECT id, 0, repeat('b', 200) FROM a RETURNING id)
INSERT INTO public.nest_c SELECT id FROM b;
SELECT orchestration_name, status, count(*), count(DISTINCT triggering_record_id), min(triggering_record_id::int), max(triggering_record_id::int) FROM orchestration.run WHERE triggering_record_id::int BETWEEN 101 AND 160 GROUP BY 1, 2 ORDER BY 1;
SELECT count(*) FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Made_' || t) FROM (VALUES ('A'), ('B'), ('C')) x (t);
SELECT pg_temp.clean_up();
TRUNCATE public.nest_a, public.nest_b, public.nest_c;
--
-- A trigger changes the row before its run starts: the run sees the current row
--
SELECT pg_temp.triggered('Sees', 'Nest_A', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'T') || '{"exitConditions": [{"leftValueReference": "$Record.Note", "operator": "EqualTo", "rightValue": {"stringValue": "new"}}]}',
    pg_temp.stage('T', NULL, pg_temp.step('Person', 'I', 'Nest_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}')))), 'Create');
CREATE FUNCTION public.nest_also() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN
        EXECUTE replace(TG_ARGV[0], '$1', NEW.id::text);
    END IF;
    RETURN NULL;
END$$;
CREATE FUNCTION pg_temp.with_trigger(statement text, command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER zz AFTER INSERT ON public.nest_a FOR EACH ROW EXECUTE FUNCTION public.nest_also(%L)', statement);
    EXECUTE command;
    DROP TRIGGER zz ON public.nest_a;
    RETURN QUERY SELECT concat_ws(' ', r.triggering_record_id, pg_temp.state(r.id), w.related_record_id) FROM orchestration.run r LEFT JOIN orchestration.work_item w ON w.run_id = r.id ORDER BY r.id;
    RETURN QUERY SELECT v.invariant || ': ' || v.detail FROM orchestration.verify() v;
    PERFORM pg_temp.clean_up();
    TRUNCATE public.nest_a;
END$$;
SELECT pg_temp.with_trigger('UPDATE public.nest_a SET note = ''new'' WHERE id = $1 AND id < 3', 'INSERT INTO public.nest_a VALUES (1), (2), (3)');
-- the row is deleted by a trigger of the row itself, of another row, and of the statement
SELECT pg_temp.with_trigger('DELETE FROM public.nest_a WHERE id = $1 AND id = 2', 'INSERT INTO public.nest_a VALUES (1), (2), (3)');
SELECT pg_temp.with_trigger('DELETE FROM public.nest_a WHERE id = 4 - $1 AND id <> 2', 'INSERT INTO public.nest_a VALUES (1), (2), (3)');
-- the row is deleted and inserted again with the same key: another record, which has a run already
SELECT pg_temp.with_trigger('WITH d AS (DELETE FROM public.nest_a WHERE id = $1 RETURNING id) INSERT INTO public.nest_b SELECT id FROM d; INSERT INTO public.nest_a SELECT id, 0, ''new'' FROM public.nest_b WHERE id = $1', 'INSERT INTO public.nest_a VALUES (1), (2)');
-- the row gets another key, once and twice, and another row gets the old key
SELECT pg_temp.with_trigger('UPDATE public.nest_a SET id = id + 10, note = ''new'' WHERE id = $1 AND id > 1', 'INSERT INTO public.nest_a VALUES (1), (2), (3)');
SELECT pg_temp.with_trigger('UPDATE public.nest_a SET id = id + 10 WHERE id = $1; UPDATE public.nest_a SET id = id + 10 WHERE id = $1 + 10', 'INSERT INTO public.nest_a VALUES (1), (2)');
SELECT pg_temp.with_trigger('UPDATE public.nest_a SET id = 10 WHERE id = 1 AND $1 = 1; UPDATE public.nest_a SET id = 1 WHERE id = 2 AND $1 = 1', 'INSERT INTO public.nest_a VALUES (1), (2)');
-- a change that is rolled back
SELECT pg_temp.with_trigger('DO $do$ BEGIN DELETE FROM public.nest_a WHERE id = $1; RAISE ''undo''; EXCEPTION WHEN raise_exception THEN UPDATE public.nest_a SET note = ''new'' WHERE id = $1; END $do$', 'INSERT INTO public.nest_a VALUES (1), (2)');
TRUNCATE public.nest_b;
SELECT orchestration.deactivate_orchestration('Sees');
-- changed by the runs before it: of the same statement, of records and of runs that wait
CREATE FUNCTION public.nest_delete(inputs jsonb) RETURNS jsonb LANGUAGE sql AS $$
    DELETE FROM public.nest_a WHERE touched = 7 AND id <> (inputs->>'id')::int;
    SELECT '{}'::jsonb;
$$;
SELECT orchestration.register_action('Nest_Delete', 'function', 'nest_delete(jsonb)');
SELECT pg_temp.triggered('Deletes', 'Nest_A', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('B', 'B', 'Nest_Delete', '{}', '{"id": {"elementReference": "$Record.Id"}}')))), 'Create');
INSERT INTO public.nest_a VALUES (1, 7), (2, 7), (3, 8), (4, 7);
SELECT r.triggering_record_id, r.status, a.id FROM orchestration.run r FULL JOIN public.nest_a a ON a.id::text = r.triggering_record_id ORDER BY a.id;
SELECT * FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Deletes'), pg_temp.clean_up();
TRUNCATE public.nest_a;
-- the first run that goes on deletes the record of the next one, and cancels the run after that
CREATE FUNCTION public.nest_away(inputs jsonb) RETURNS jsonb LANGUAGE sql AS $$
    DELETE FROM public.nest_a WHERE id = 2 AND inputs->>'id' = '1';
    UPDATE orchestration.run SET status = 'Canceled' WHERE triggering_record_id = '3' AND inputs->>'id' = '1';
    SELECT '{}'::jsonb;
$$;
SELECT orchestration.register_action('Nest_Away', 'function', 'nest_away(jsonb)');
SELECT pg_temp.triggered('Away', 'Nest_A', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'T') || '{"exitConditions": [{"leftValueReference": "$Record.Note", "operator": "EqualTo", "rightValue": {"stringValue": "go"}}]}',
    pg_temp.stage('T', NULL, pg_temp.step('B', 'B', 'Nest_Away', '{}', '{"id": {"elementReference": "$Record.Id"}}')))), 'Create');
INSERT INTO public.nest_a VALUES (1), (2), (3), (4);
UPDATE public.nest_a SET note = 'go';
SELECT triggering_record_id, pg_temp.state(id) FROM orchestration.run ORDER BY id;
SELECT * FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Away'), pg_temp.clean_up();
TRUNCATE public.nest_a;
-- a step deletes its run's own record, or changes its key: the steps after it know
CREATE FUNCTION public.nest_own(inputs jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM public.nest_a WHERE id = (inputs->>'id')::int AND id % 2 = 0;
    UPDATE public.nest_a SET id = id + 10 WHERE id = (inputs->>'id')::int AND id % 2 = 1;
    BEGIN
        UPDATE public.nest_a SET id = id + 10 WHERE id = (inputs->>'id')::int + 10;
        RAISE 'undo';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    RETURN '{}';
END$$;
SELECT orchestration.register_action('Nest_Own', 'function', 'nest_own(jsonb)');
SELECT pg_temp.triggered('Own', 'Nest_A', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', NULL, pg_temp.step('B', 'B', 'Nest_Own', '{}', '{"id": {"elementReference": "$Record.Id"}}'),
        pg_temp.step('Person', 'I', 'Nest_Screen', '{B}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}')))));
INSERT INTO public.nest_a VALUES (1), (2);
SELECT r.triggering_record_id, pg_temp.state(r.id), w.related_record_id FROM orchestration.run r LEFT JOIN orchestration.work_item w ON w.run_id = r.id ORDER BY r.id;
SELECT * FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Own'), pg_temp.clean_up();
--
-- The refusal of a locked record is not lost in a block that fails
--
TRUNCATE public.nest_a;
SELECT pg_temp.orchestration('Locks', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('Person', 'I', 'Nest_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}') || '{"actionType": "stepApproval", "shouldLock": true}'))),
    '{"object": "Nest_A", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}');
INSERT INTO public.nest_a VALUES (1);
SELECT record_locked, related_record_id FROM orchestration.work_item;
CREATE ROLE regress_nest;
GRANT ALL ON public.nest_a, public.nest_b TO regress_nest;
CREATE TRIGGER aaa AFTER INSERT OR UPDATE OR DELETE ON public.nest_a FOR EACH ROW EXECUTE FUNCTION public.nest_trigger('fails');
GRANT SELECT, UPDATE ON public.nest_a TO regress_nest;
SET ROLE regress_nest;
UPDATE public.nest_a SET note = 'changed' WHERE id = 1;
UPDATE public.nest_a SET id = 5 WHERE id = 1;
DELETE FROM public.nest_a WHERE id = 1;
RESET ROLE;
DROP TRIGGER aaa ON public.nest_a;
SELECT id, note FROM public.nest_a;
SELECT orchestration.deactivate_orchestration('Locks'), pg_temp.clean_up();
--
-- Rows without a key are no records
--
CREATE TABLE public.nest_k (id text NOT NULL UNIQUE, n integer);
SELECT orchestration.register_record_type('Nest_K', 'nest_k', 'id');
ALTER TABLE public.nest_k ALTER id DROP NOT NULL;
SELECT pg_temp.triggered('Keyed_' || k, 'Nest_K', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('W', 'A', 'Nest_Work')))), k) FROM (VALUES ('Create'), ('Update')) x (k);
INSERT INTO public.nest_k VALUES (NULL, 1), ('a', 1), (NULL, 2);
UPDATE public.nest_k SET n = n + 10 WHERE id IS NULL;
DELETE FROM public.nest_k WHERE n = 12;
SELECT orchestration_name, triggering_record_id, status FROM orchestration.run ORDER BY id;
-- a key changed from null makes the row a record; a key changed to null ends that
UPDATE public.nest_k SET id = 'b' WHERE id IS NULL;
UPDATE public.nest_k SET id = NULL WHERE id = 'a';
UPDATE public.nest_k SET id = 'a' WHERE id IS NULL;
MERGE INTO public.nest_k k USING (VALUES (NULL), ('b')) v (id) ON k.id = v.id WHEN MATCHED THEN UPDATE SET id = NULL WHEN NOT MATCHED THEN INSERT VALUES (v.id, 3);
SELECT orchestration_name, triggering_record_id, status FROM orchestration.run ORDER BY id;
SELECT * FROM orchestration.verify();
-- the key renamed and back, retyped, the table renamed and moved, another row type
SELECT pg_temp.clean_up();
TRUNCATE public.nest_k;
ALTER TABLE public.nest_k RENAME id TO other;
SELECT key_columns FROM orchestration.record_type WHERE name = 'Nest_K';
ALTER TABLE public.nest_k RENAME other TO id;
INSERT INTO public.nest_k VALUES ('1', 1);
ALTER TABLE public.nest_k ALTER id TYPE bigint USING id::bigint;
ALTER TABLE public.nest_k ADD extra text DEFAULT 'more', ALTER n TYPE numeric;
INSERT INTO public.nest_k VALUES (9999999999, 2);
UPDATE public.nest_k SET n = 3;
CREATE SCHEMA nest_schema;
ALTER TABLE public.nest_k SET SCHEMA nest_schema;
ALTER TABLE nest_schema.nest_k RENAME TO moved;
SELECT orchestration.start_orchestration('Keyed_Create', '9999999999') IS NOT NULL;
INSERT INTO nest_schema.moved VALUES (5, 5);
SELECT orchestration_name, triggering_record_id, count(*) FROM orchestration.run GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM orchestration.verify();
ALTER TABLE nest_schema.moved DROP id;
INSERT INTO nest_schema.moved VALUES (6);
SELECT orchestration.unregister_record_type('Nest_K');
DROP SCHEMA nest_schema CASCADE;
-- a key that is computed
CREATE TABLE public.nest_g (n integer, id integer GENERATED ALWAYS AS (n * 2) STORED NOT NULL UNIQUE);
SELECT orchestration.register_record_type('Nest_K', 'nest_g', 'id');
INSERT INTO public.nest_g VALUES (1), (2);
UPDATE public.nest_g SET n = 5 WHERE n = 1;
SELECT orchestration_name, triggering_record_id, count(*) FROM orchestration.run WHERE triggering_record_type = 'Nest_K' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Keyed_' || k), pg_temp.clean_up() FROM (VALUES ('Create'), ('Update')) x (k);
SELECT orchestration.unregister_record_type(n) FROM (VALUES ('Nest_A'), ('Nest_B'), ('Nest_C'), ('Nest_K')) x (n);
DROP TABLE public.nest_a, public.nest_b, public.nest_c, public.nest_g;
DROP ROLE regress_nest;
