-- stopped: users' triggers that end, suspend or fail the run that is being written, in each
-- table, before and after the row.  Either the statement is refused, or verify() finds nothing.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;
SELECT no_plan();

\ir runs.sql.inc

CREATE FUNCTION act_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE FUNCTION act_does(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
SELECT orchestration.create_user('ann@example.com', 'Ann'), orchestration.register_action('Screen', 'screen'),
       orchestration.register_action('Fails', 'function', 'act_fails(jsonb)'), orchestration.register_action('Does', 'function', 'act_does(jsonb)') \g /dev/null
SELECT pg_temp.deploy('Fails', pg_temp.step('B', 'B', 'Fails')) \g /dev/null
SELECT pg_temp.deploy('Does', pg_temp.step('B', 'B', 'Does')) \g /dev/null
SELECT pg_temp.deploy('Item', pg_temp.step('B', 'I', 'Screen'), pg_temp.step('C', 'I', 'Screen')) \g /dev/null
SELECT pg_temp.deploy('Queued', pg_temp.step('B', 'A', 'Does'), pg_temp.step('C', 'I', 'Screen')) \g /dev/null
CREATE FUNCTION stop_it() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE the_run uuid := CASE TG_TABLE_NAME WHEN 'run' THEN (to_jsonb(NEW) ->> 'id')::uuid ELSE (to_jsonb(NEW) ->> 'run_id')::uuid END;
BEGIN
    IF current_setting('test.stopped', true) IS DISTINCT FROM 'no' THEN RETURN NEW; END IF;
    IF current_setting('test.when', true) <> coalesce(to_jsonb(NEW) ->> 'status', '') THEN RETURN NEW; END IF;
    PERFORM set_config('test.stopped', 'yes', true);
    CASE current_setting('test.how')
        WHEN 'cancel_run' THEN PERFORM orchestration.cancel_run(the_run);
        WHEN 'suspend_run' THEN PERFORM orchestration.suspend_run(the_run);
        WHEN 'Error' THEN UPDATE orchestration.run SET status = 'Error' WHERE id = the_run;
        WHEN 'stage Error' THEN UPDATE orchestration.stage_run SET status = 'Error' WHERE run_id = the_run;
        WHEN 'step Error' THEN UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = the_run AND status = 'InProgress';
        WHEN 'step Completed' THEN UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = the_run AND status = 'InProgress';
        WHEN 'DELETE' THEN DELETE FROM orchestration.run WHERE id = the_run;
    END CASE;
    RETURN NEW;
END $$;
CREATE FUNCTION pg_temp.stopped(t text, timing text, status text, how text, orch text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text; a_run uuid; BEGIN
    PERFORM set_config('test.how', how, true), set_config('test.when', status, true), set_config('test.stopped', 'off', true);
    EXECUTE format('CREATE TRIGGER zz %s INSERT OR UPDATE ON orchestration.%I FOR EACH ROW EXECUTE FUNCTION public.stop_it()', timing, t);
    BEGIN
        IF what = 'start' THEN PERFORM set_config('test.stopped', 'no', true); END IF;
        a_run := orchestration.start_orchestration(orch);
        PERFORM set_config('test.stopped', 'no', true);
        CASE what
            WHEN 'start' THEN NULL;
            WHEN 'complete' THEN PERFORM orchestration.complete_work_item(id) FROM orchestration.work_item w WHERE run_id = a_run AND w.status = 'Assigned' LIMIT 1;
            WHEN 'fail by UPDATE' THEN UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = a_run AND name = 'B';
            WHEN 'run' THEN PERFORM orchestration.run_queued_steps(10);
            WHEN 'cancel' THEN PERFORM orchestration.cancel_run(a_run);
            WHEN 'suspend' THEN PERFORM orchestration.suspend_run(a_run);
        END CASE;
        answer := '';
        IF current_setting('test.stopped') = 'yes' THEN answer := 'stopped, '; END IF;
        answer := answer || coalesce(nullif(pg_temp.well(), ''), 'well');
        RAISE EXCEPTION USING ERRCODE = 'ZZZZZ', MESSAGE = answer;
    EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN answer := SQLERRM; WHEN OTHERS THEN answer := CASE WHEN SQLSTATE IN ('OR001', 'OR002', 'OR005', 'OR101', '27000') THEN 'refused' ELSE SQLSTATE || ' ' || SQLERRM END;
    END;
    PERFORM set_config('test.stopped', 'off', true);
    EXECUTE format('DROP TRIGGER zz ON orchestration.%I', t);
    RETURN answer;
END $$;
-- a warning names runs that are skipped
SET LOCAL client_min_messages = error;
SELECT t, timing, status, how, orch, what, pg_temp.stopped(t, timing, status, how, orch, what) AS answer INTO TEMP answers
  FROM (VALUES ('run', '{InProgress,Error,Completed,Canceled,Suspended}'::text[]), ('stage_run', '{InProgress,Error,Completed,Discontinued,Suspended}'), ('step_run', '{NotStarted,InProgress,Error,Completed,Discontinued}'), ('work_item', '{Assigned,Completed}')) a (t, ss), unnest(ss) status,
       unnest('{AFTER,BEFORE}'::text[]) timing,
       unnest('{cancel_run,suspend_run,Error,stage Error,step Error,step Completed,DELETE}'::text[]) how,
       (VALUES ('Fails', 'start'), ('Item', 'start'), ('Item', 'complete'), ('Item', 'fail by UPDATE'), ('Does', 'start'), ('Queued', 'run'), ('Item', 'cancel'), ('Item', 'suspend')) b (orch, what);
SELECT ok(answer IN ('well', 'stopped, well', 'refused'), concat_ws(' ', t, timing, status, how, orch, what, '-', answer)) FROM answers;
SELECT cmp_ok((SELECT count(*) FROM answers WHERE answer = 'stopped, well' AND t = x.t), '>=', 10::bigint, 'runs were stopped by triggers on ' || x.t) FROM unnest('{run,stage_run,step_run,work_item}'::text[]) x (t);
SELECT * FROM finish();
ROLLBACK;
