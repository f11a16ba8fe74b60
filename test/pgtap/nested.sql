-- nested: collected writes belong to their statement and subtransaction.  When an inner one is
-- rolled back, the writes of the outer one stay.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;
SELECT no_plan();

\ir runs.sql.inc

-- functions of actions that change other runs
CREATE FUNCTION act_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
    PERFORM orchestration.complete_work_item(id) FROM orchestration.work_item WHERE status = 'Assigned';
    RAISE EXCEPTION 'no'; END $$;
CREATE FUNCTION act_dry(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM orchestration.dry_run('Other'); RETURN '{}'; END $$;
CREATE FUNCTION act_update(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
    BEGIN UPDATE orchestration.work_item SET status = 'Completed' WHERE status = 'Assigned'; RAISE EXCEPTION 'no'; EXCEPTION WHEN raise_exception THEN NULL; END;
    RETURN '{}'; END $$;
CREATE FUNCTION act_delete(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
    PERFORM orchestration.cancel_run(id) FROM orchestration.run WHERE orchestration_name = 'Other' AND status = 'InProgress';
    DELETE FROM orchestration.run WHERE orchestration_name = 'Other'; RETURN '{}'; END $$;
CREATE FUNCTION act_undelete(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
    PERFORM orchestration.cancel_run(id) FROM orchestration.run WHERE orchestration_name = 'Other' AND status = 'InProgress';
    BEGIN DELETE FROM orchestration.run WHERE orchestration_name = 'Other'; PERFORM orchestration.dry_run('Other'); RAISE EXCEPTION 'no'; EXCEPTION WHEN raise_exception THEN NULL; END;
    RETURN '{}'; END $$;
SELECT orchestration.create_user('ann@example.com', 'Ann'), orchestration.register_action('Screen', 'screen'),
       orchestration.register_action('Fails', 'function', 'act_fails(jsonb)'), orchestration.register_action('Dry', 'function', 'act_dry(jsonb)'),
       orchestration.register_action('Update', 'function', 'act_update(jsonb)'), orchestration.register_action('Delete', 'function', 'act_delete(jsonb)'),
       orchestration.register_action('Undelete', 'function', 'act_undelete(jsonb)') \g /dev/null
SELECT pg_temp.deploy('Other', pg_temp.step('I', 'I', 'Screen')) \g /dev/null
SELECT pg_temp.deploy('Do_' || a, pg_temp.step('B', 'B', a)) FROM unnest('{Fails,Dry,Update,Delete,Undelete}'::text[]) a \g /dev/null

SELECT orchestration.start_orchestration('Other') \g /dev/null
SELECT orchestration.start_orchestration('Do_Fails') \g /dev/null
SELECT is(pg_temp.kinds(pg_temp.last('Do_Fails')), 'StartInstance StartStage StartStep FailStep FailStage FailInstance', 'an action that completes the item of another run and fails loses no entry of the log');
SELECT is((SELECT string_agg(object || ' ' || new_value, ', ' ORDER BY id) FROM orchestration.field_change WHERE run_id = pg_temp.last('Do_Fails') AND field = 'Status'),
    'FlowOrchestrationStepInstance Error, FlowOrchestrationStageInstance Error, FlowOrchestrationInstance Error', 'nor a row of the history');
SELECT is(pg_temp.state(pg_temp.last('Other')), 'InProgress InProgress InProgress Assigned', 'and the other run is unchanged');
SELECT orchestration.start_orchestration('Do_' || a) FROM unnest('{Dry,Update}'::text[]) a \g /dev/null
SELECT is(pg_temp.kinds(pg_temp.last('Do_' || a)), 'StartInstance StartStage StartStep EndStep EndStage EndInstance', a || ' inside an action') FROM unnest('{Dry,Update}'::text[]) a;
SELECT orchestration.start_orchestration('Do_Undelete') \g /dev/null
SELECT is(pg_temp.kinds(pg_temp.last('Other')), 'StartInstance StartStage StartStep StartWorkItem CancelInstance DiscontinueStage DiscontinueStep EndWorkItem', 'a run whose deletion is rolled back keeps its collected log entries');
SELECT is((SELECT count(*) FROM orchestration.field_change WHERE run_id = pg_temp.last('Other') AND field = 'Status')::integer, 3, 'and its history');
SELECT orchestration.start_orchestration('Other') \g /dev/null
SELECT orchestration.start_orchestration('Do_Delete') \g /dev/null
SELECT is((SELECT count(*) FROM orchestration.run_log l WHERE NOT EXISTS (SELECT FROM orchestration.run r WHERE r.id = l.run_id)) +
          (SELECT count(*) FROM orchestration.field_change l WHERE NOT EXISTS (SELECT FROM orchestration.run r WHERE r.id = l.run_id)), 0::bigint, 'no row is written for a deleted run');
SELECT is(pg_temp.kinds(pg_temp.last('Do_Delete')), 'StartInstance StartStage StartStep EndStep EndStage EndInstance', 'the run that deleted it has its log');
SELECT is(pg_temp.well(), '', 'verify() finds nothing');

-- ------------------------------------------------------------- triggers with blocks
CREATE TABLE refused (x integer CHECK (x < 0));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF pg_trigger_depth() = 1 THEN
        BEGIN UPDATE orchestration.run SET interview_id = interview_id WHERE id = NEW.id; INSERT INTO public.refused VALUES (1); EXCEPTION WHEN check_violation THEN NULL; END;
    END IF; RETURN NULL; END $$;
SELECT orchestration.start_orchestration('Other') \g /dev/null
CREATE TRIGGER aa AFTER UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER zz AFTER UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION touch();
UPDATE orchestration.run SET status = 'Canceled' WHERE id = pg_temp.last('Other');
SELECT is(pg_temp.state(pg_temp.last('Other')), 'Canceled Discontinued Discontinued Completed', 'a block rolled back in a trigger loses no verdict and no consequence');
DROP TRIGGER aa ON orchestration.run;
DROP TRIGGER zz ON orchestration.run;

-- the engine reads a run at the end of the statement that changes it, not in between
SELECT orchestration.start_orchestration('Other') \g /dev/null
CREATE FUNCTION publish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM orchestration.reevaluate_run(NEW.run_id); RETURN NULL; END $$;
CREATE TRIGGER zz AFTER UPDATE ON orchestration.step_run FOR EACH ROW EXECUTE FUNCTION publish();
UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = pg_temp.last('Other');
SELECT is(pg_temp.state(pg_temp.last('Other')), 'Completed Completed Completed Completed', 'an event published in a trigger waits for the verdict');
DROP TRIGGER zz ON orchestration.step_run;

-- the engine reads a row again that a trigger changes while the engine moves the run
CREATE FUNCTION cancel_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE orchestration.run SET status = 'Canceled' WHERE id = NEW.run_id AND status = 'InProgress'; RETURN NULL; END $$;
CREATE FUNCTION pg_temp.canceled_by(t text, e text, orch text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text; BEGIN
    EXECUTE format('CREATE TRIGGER zz AFTER %s ON orchestration.%I FOR EACH ROW EXECUTE FUNCTION public.cancel_it()', e, t);
    PERFORM orchestration.start_orchestration(orch);
    EXECUTE format('DROP TRIGGER zz ON orchestration.%I', t);
    RETURN (SELECT concat_ws(' ', r.status, s.status) FROM orchestration.run r JOIN orchestration.stage_run s ON s.run_id = r.id WHERE r.id = pg_temp.last(orch));
END $$;
SELECT is(pg_temp.canceled_by(t, e, n), CASE WHEN e = 'UPDATE' AND n = 'Do_Fails' THEN 'Canceled Error' ELSE 'Canceled Discontinued' END, format('canceled by a trigger on %s of %s: %s', e, t, n))
  FROM (VALUES ('stage_run', 'INSERT', 'Other'), ('step_run', 'INSERT', 'Other'), ('work_item', 'INSERT', 'Other'), ('stage_run', 'INSERT', 'Do_Dry'), ('step_run', 'INSERT', 'Do_Dry'),
               ('step_run', 'UPDATE', 'Do_Dry')) x (t, e, n);
SELECT is(pg_temp.well(), '', 'verify() finds nothing');
-- ------------------------------------------------ a trigger that claims steps during a claim
SELECT orchestration.register_action('Work', 'worker', topic => 'nested') \g /dev/null
SELECT pg_temp.deploy('Work_' || i, pg_temp.step('W', 'A', 'Work')) FROM generate_series(1, 20) i \g /dev/null
SELECT orchestration.start_orchestration('Work_' || i) FROM generate_series(1, 20) i \g /dev/null
CREATE FUNCTION claims() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF pg_trigger_depth() = 1 THEN
        PERFORM count(*) FROM orchestration.claim_steps('inner', '{nested}', 1);
        PERFORM count(*) FROM orchestration.claim_steps('inner', (SELECT array_agg('topic ' || random()) FROM generate_series(1, 1200)), 1);
        PERFORM count(*) FROM orchestration.claim_steps('inner', '{nested}', 1);
        PERFORM count(*) FROM orchestration.claim_steps('inner', (SELECT array_agg('topic ' || random()) FROM generate_series(1, 300)), 1);
    END IF; RETURN NULL; END $$;
CREATE TRIGGER claims AFTER UPDATE ON orchestration.step_queue FOR EACH STATEMENT EXECUTE FUNCTION claims();
SELECT count(*) AS claimed FROM orchestration.claim_steps('outer', '{nested}', 100) \gset
DROP TRIGGER claims ON orchestration.step_queue;
SELECT is((SELECT count(*) FROM orchestration.step_queue WHERE worker = 'outer'), :claimed::bigint, 'a claim returns the steps that it claimed, whatever a trigger claims meanwhile');
SELECT is((SELECT count(*) FROM orchestration.step_queue WHERE topic = 'nested' AND lease_id IS NOT NULL) + (SELECT count(*) FROM orchestration.claim_steps('later', '{nested}', 100)), 20::bigint, 'and the other steps can be claimed');
SELECT is(pg_temp.well(), '', 'verify() finds nothing');
-- -------------------------------------------------------------- many rows at once
SELECT pg_temp.deploy('Three', pg_temp.step('A', 'I', 'Screen'), pg_temp.step('B', 'I', 'Screen'), pg_temp.step('C', 'I', 'Screen')) \g /dev/null
SELECT count(orchestration.start_orchestration('Three')) FROM generate_series(1, 3500) \g /dev/null
SAVEPOINT many;
UPDATE orchestration.step_run t SET status = 'Completed' FROM orchestration.run r WHERE r.id = t.run_id AND r.orchestration_name = 'Three';
SELECT is((SELECT count(*) FROM orchestration.run WHERE orchestration_name = 'Three' AND status = 'Completed'), 3500::bigint, 'one statement completes all steps of 3,500 runs');
ROLLBACK TO many;
UPDATE orchestration.step_run t SET status = CASE t.name WHEN 'A' THEN 'Error' ELSE 'Completed' END::orchestration.step_status
  FROM orchestration.run r WHERE r.id = t.run_id AND r.orchestration_name = 'Three';
SELECT is((SELECT count(*) FROM orchestration.run r JOIN orchestration.stage_run s ON s.run_id = r.id WHERE orchestration_name = 'Three' AND r.status = 'Error' AND s.status = 'Error'), 3500::bigint, 'some of them fail: each result is judged with the state before it');
SELECT is(pg_temp.well(), '', 'verify() finds nothing');
ROLLBACK TO many;
UPDATE orchestration.work_item w SET status = 'Completed' FROM orchestration.run r WHERE r.id = w.run_id AND r.orchestration_name = 'Three';
SELECT is((SELECT count(*) FROM orchestration.run WHERE orchestration_name = 'Three' AND status = 'Completed'), 3500::bigint, 'and their work items follow');
ROLLBACK TO many;

-- ------------------------------------------------------------------------ loading
CREATE TABLE other_table (id integer);
CREATE FUNCTION insert_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO orchestration.run (status, orchestration_name, owner_id) VALUES ('InProgress', 'By hand', '11111111-1111-1111-1111-111111111111'); RETURN NULL; END $$;
CREATE TRIGGER t AFTER INSERT ON other_table FOR EACH ROW EXECUTE FUNCTION insert_run();
CREATE FUNCTION pg_temp.is_refused(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'done'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
SAVEPOINT copy;
\set ON_ERROR_STOP 0
COPY other_table FROM PROGRAM 'echo 1';
\set refused :SQLSTATE
ROLLBACK TO copy;
COPY (INSERT INTO orchestration.run (status, orchestration_name, owner_id) VALUES ('InProgress', 'By hand', '11111111-1111-1111-1111-111111111111') RETURNING id) TO '/dev/null';
\set refused_too :SQLSTATE
ROLLBACK TO copy;
COPY orchestration.run (status, orchestration_name, owner_id) FROM PROGRAM 'printf "InProgress\tBy hand\t11111111-1111-1111-1111-111111111111\n"';
SELECT count(*) AS loaded FROM orchestration.run WHERE orchestration_name = 'By hand' \gset
SET LOCAL search_path = orchestration, public;
COPY run (status, orchestration_name, owner_id) FROM PROGRAM 'printf "InProgress\tBy hand\t11111111-1111-1111-1111-111111111111\n"';
SET LOCAL search_path = public, pg_catalog;
SELECT count(*) AS loaded_twice FROM orchestration.run WHERE orchestration_name = 'By hand' \gset
ROLLBACK TO copy;
\set ON_ERROR_STOP 1
SELECT is(:'refused'::text, 'OR103', 'writes of a trigger during COPY of another table are checked');
SELECT is(:'refused_too'::text, 'OR103', 'writes of COPY (INSERT) TO are checked');
SELECT is(:loaded, 1, 'COPY into the table itself loads rows whose parents may come later');
SELECT is(:loaded_twice, 2, 'also when the table is named without its schema');

SELECT * FROM finish();
ROLLBACK;
