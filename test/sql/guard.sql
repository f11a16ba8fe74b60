-- guard: who and when of stages and steps that others write, where the tables have
-- triggers of users (src/guard/guard_fill.c).  With such triggers it is an UPDATE, which
-- they see; without, the rows are changed in place.  Both ways give the same.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_orch_guard;
SELECT orchestration.register_action('Guard_Screen', 'screen'), orchestration.register_action('Guard_Work', 'worker');
SELECT pg_temp.person('ann@example.com', 'Ann'), pg_temp.person('guard@example.com', 'Gus', 'regress_orch_guard');
SELECT orchestration.update_user(id, modify_all_data => true) FROM orchestration.principal WHERE username = 'guard@example.com';
SELECT pg_temp.orchestration('Guard', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'T', pg_temp.step('Ask', 'I', 'Guard_Screen'), pg_temp.step('Ask_too', 'I', 'Guard_Screen'), pg_temp.step('Work', 'A', 'Guard_Work'), pg_temp.step('Then', 'A', 'Guard_Work', '{Ask}')),
    pg_temp.stage('T', NULL, pg_temp.step('Last', 'I', 'Guard_Screen')))));

CREATE TABLE public.guard_seen (n serial, what text);
CREATE FUNCTION public.guard_see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.guard_seen (what) VALUES (concat_ws(' ', TG_TABLE_NAME, NEW.name, OLD.status || '-' || NEW.status, 'by ' || COALESCE((SELECT p.name FROM orchestration.principal p WHERE p.id = NEW.modified_by), 'nobody'),
        CASE WHEN NEW.ended_at IS NOT NULL THEN 'ended' END));
    RETURN NULL;
END$$;
GRANT SELECT, UPDATE ON orchestration.run, orchestration.stage_run, orchestration.step_run TO regress_orch_guard;

-- a step and a stage that the user sets by hand, one at a time and several in one statement
CREATE FUNCTION pg_temp.play() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    run uuid := orchestration.start_orchestration('Guard');
BEGIN
    SET LOCAL ROLE regress_orch_guard;
    UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = run AND name = 'Ask';
    UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = run AND name IN ('Ask_too', 'Work');
    -- both in one statement
    WITH step AS (UPDATE orchestration.step_run SET status = 'Discontinued' WHERE run_id = run AND name = 'Then')
    UPDATE orchestration.stage_run SET status = 'Completed' WHERE run_id = run AND name = 'S';
    RESET ROLE;
    RETURN QUERY SELECT concat_ws(' ', 'step', t.name, t.status, 'by', p.name, (t.modified_at >= t.created_at)::text, t.started_at IS NOT NULL, t.ended_at IS NOT NULL, t.modified_minute = orchestration_internal.minute_of(t.modified_at))
        FROM orchestration.step_run t LEFT JOIN orchestration.principal p ON p.id = t.modified_by WHERE t.run_id = run ORDER BY t.id;
    RETURN QUERY SELECT concat_ws(' ', 'stage', s.name, s.status, 'by', p.name, s.ended_at IS NOT NULL, s.modified_minute = orchestration_internal.minute_of(s.modified_at))
        FROM orchestration.stage_run s LEFT JOIN orchestration.principal p ON p.id = s.modified_by WHERE s.run_id = run ORDER BY s.id;
EXCEPTION WHEN OTHERS THEN
    RETURN NEXT pg_temp.masked(SQLSTATE || ' ' || SQLERRM);
END$$;
CREATE TEMP TABLE alone AS SELECT r, n FROM pg_temp.play() WITH ORDINALITY x (r, n);
CREATE TRIGGER zz_see AFTER UPDATE ON orchestration.step_run FOR EACH ROW EXECUTE FUNCTION public.guard_see();
CREATE TRIGGER zz_see AFTER UPDATE ON orchestration.stage_run FOR EACH ROW EXECUTE FUNCTION public.guard_see();
CREATE TEMP TABLE seen AS SELECT r, n FROM pg_temp.play() WITH ORDINALITY x (r, n);
SELECT r FROM alone ORDER BY n;
SELECT 'differs: ' || r FROM (TABLE alone EXCEPT TABLE seen) x;
SELECT what FROM public.guard_seen ORDER BY n;
SELECT * FROM orchestration.verify();
DROP TRIGGER zz_see ON orchestration.step_run;
DROP TRIGGER zz_see ON orchestration.stage_run;

-- triggers of users on the log and on history: rows one by one, which they see
CREATE TABLE public.guard_log (object text, n integer);
CREATE FUNCTION public.guard_count() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.guard_log VALUES (TG_TABLE_NAME, 1); RETURN NULL; END$$;
CREATE TRIGGER zz_count AFTER INSERT ON orchestration.run_log FOR EACH ROW EXECUTE FUNCTION public.guard_count();
CREATE TRIGGER zz_count AFTER INSERT ON orchestration.field_change FOR EACH ROW EXECUTE FUNCTION public.guard_count();
CREATE TEMP TABLE before AS SELECT (SELECT count(*) FROM orchestration.run_log) AS log, (SELECT count(*) FROM orchestration.field_change) AS history;
SELECT orchestration.start_orchestration('Guard') IS NOT NULL;
SELECT orchestration.complete_work_item(pg_temp.item('Ask'), '{"a": 1}');
SELECT kind, s.name, t.name, actor, l.context IS NOT NULL FROM orchestration.run_log l LEFT JOIN orchestration.stage_run s ON s.run_id = l.run_id AND s.id = l.stage_run_id
  LEFT JOIN orchestration.step_run t ON t.run_id = l.run_id AND t.id = l.step_run_id WHERE l.run_id = pg_temp.run() ORDER BY l.number;
SELECT object, field, old_value, new_value FROM orchestration.field_change WHERE run_id = pg_temp.run() ORDER BY changed_at, object, field, old_value, new_value;
-- the triggers saw each of them
SELECT (SELECT count(*) FROM public.guard_log WHERE object = 'run_log') = (SELECT count(*) FROM orchestration.run_log) - log, (SELECT count(*) FROM public.guard_log WHERE object = 'field_change') = (SELECT count(*) FROM orchestration.field_change) - history FROM before;
SELECT * FROM orchestration.verify();
DROP TRIGGER zz_count ON orchestration.run_log;
DROP TRIGGER zz_count ON orchestration.field_change;
DROP TABLE public.guard_seen, public.guard_log;
DROP FUNCTION public.guard_see(), public.guard_count();
SELECT pg_temp.clean_up();
SELECT orchestration.unregister_action('Guard_Screen'), orchestration.unregister_action('Guard_Work');
UPDATE orchestration.principal SET role_name = NULL WHERE role_name LIKE 'regress%';
DROP OWNED BY regress_orch_guard;
DROP ROLE regress_orch_guard;
