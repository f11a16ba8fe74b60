-- failure: what the log and run_errors say about errors (src/trail/failure.c,
-- sql/parts/trail/failure.sql).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.failure_raise(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    IF i->>'say' LIKE 'long %' THEN RAISE EXCEPTION '%', repeat(substr(i->>'say', 6), 100000); END IF;
    IF i->>'say' IS NULL THEN RETURN '{}'; END IF;
    RAISE EXCEPTION USING MESSAGE = i->>'say', DETAIL = 'a detail', HINT = 'a hint', ERRCODE = 'P0042';
END $$;
SELECT orchestration.register_action('Failure_Raise', 'function', 'failure_raise(jsonb)');
SELECT orchestration.register_action('Failure_Work', 'worker'), orchestration.register_action('Failure_Screen', 'screen');
SELECT orchestration.set_retry_policy('Failure_Work', 3);
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT pg_temp.orchestration('Fails', 'First', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('say', 'String')),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('First', NULL, pg_temp.step('Raise', 'B', 'Failure_Raise', '{}', '{"say": {"elementReference": "say"}}')))));
SELECT pg_temp.orchestration('Handles', 'First', jsonb_build_object(
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('First', NULL, pg_temp.step('Raise', 'B', 'Failure_Raise', '{}', '{"say": {"stringValue": "handled"}}')) || '{"faultConnector": {"targetReference": "Second"}}',
        pg_temp.stage('Second', NULL, pg_temp.step('Ask', 'I', 'Failure_Screen')))));
SELECT pg_temp.orchestration('Decides', 'Which', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('text', 'String')),
    'formulas', '[{"name": "Wrong", "dataType": "Number", "expression": "1 / VALUE({!text})"}]'::jsonb,
    'decisions', '[{"name": "Which", "label": "Which", "rules": [{"name": "Yes", "label": "Yes", "conditionLogic": "and", "connector": {"targetReference": "S"}, "conditions": [{"leftValueReference": "Wrong", "operator": "GreaterThan", "rightValue": {"numberValue": 1}}]}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Raise', 'B', 'Failure_Raise')))));
SELECT pg_temp.orchestration('Retries', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Work', 'A', 'Failure_Work')))));
CREATE FUNCTION pg_temp.log(name text DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', kind, stage_name, step_name, comments, context) FROM orchestration.flow_orchestration_log
     WHERE orchestration_instance_id = pg_temp.run($1) AND kind::text LIKE 'Fail%' ORDER BY flow_orchestration_log.name
$$;
CREATE FUNCTION pg_temp.errors() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', run_name, run_status, level, stage, step, element, message, sqlstate, detail, hint, is_retried::text,
                     CASE WHEN recoverable_until > now() + '13 days' THEN 'recoverable' END)
      FROM orchestration.run_errors ORDER BY error_at DESC
$$;

--
-- a step, a stage with a fault path, a decision
--
SELECT orchestration.start_orchestration('Fails', inputs => '{"say": "it broke"}') IS NOT NULL;
SELECT * FROM pg_temp.log();
SELECT orchestration.start_orchestration('Handles') IS NOT NULL;
SELECT * FROM pg_temp.log();
SELECT orchestration.start_orchestration('Decides', inputs => '{"text": "0"}') IS NOT NULL;
SELECT * FROM pg_temp.log();
SELECT * FROM pg_temp.errors();
-- stored as it is
SELECT run_error = stage_error, run_error - 'element' = step_error, step_error->>'context' LIKE 'PL/pgSQL%' FROM orchestration.run_errors WHERE run_name = 'OR-00000001';
-- what a user asks who has failed runs
SELECT run_name, stage, step, message FROM orchestration.run_errors WHERE run_status = 'Error' ORDER BY error_at DESC;

--
-- an attempt that is tried again: until the step has ended
--
SELECT orchestration.start_orchestration('Retries') IS NOT NULL;
SELECT step_id, lease_id FROM orchestration.claim_steps('worker', '{Failure_Work}', 1, '1 minute') \gset
SELECT accepted FROM orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', :'step_id', 'lease_id', :'lease_id', 'message', 'not yet', 'delay', '0')));
SELECT * FROM pg_temp.errors() e WHERE e LIKE '%Retries%' OR e LIKE '%not yet%';
SELECT * FROM pg_temp.log();
UPDATE orchestration.step_queue SET available_at = now();
SELECT step_id, lease_id FROM orchestration.claim_steps('worker', '{Failure_Work}', 1, '1 minute') \gset
SELECT accepted FROM orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', :'step_id', 'lease_id', :'lease_id', 'message', 'never', 'retry', false)));
SELECT * FROM pg_temp.errors() e WHERE e LIKE '%Work%';
SELECT * FROM pg_temp.log();
-- resumed: no error is left
SELECT orchestration.resume_run(pg_temp.run());
SELECT count(*) FROM orchestration.run_errors WHERE run_id = pg_temp.run() AND NOT is_retried;

--
-- hostile text: one line, bounded, whole characters
--
SELECT orchestration.start_orchestration('Fails', inputs => jsonb_build_object('say', E'one\ntwo\r\tthree\u0001\u009b31mred\u0007 four')) IS NOT NULL;
SELECT * FROM pg_temp.log();
SELECT message = E'one\ntwo\r\tthree\u0001\u009b31mred\u0007 four' FROM orchestration.run_errors WHERE run_id = pg_temp.run();
SELECT orchestration.start_orchestration('Fails', inputs => jsonb_build_object('say', 'long ä')) IS NOT NULL;
SELECT kind, length(comments), left(comments, 10), comments ~ '[[:cntrl:]]', length(context) FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() AND comments IS NOT NULL;
SELECT length(run_error->>'message'), length(step_error->>'message') FROM orchestration.run_errors WHERE run_id = pg_temp.run();
SELECT orchestration.start_orchestration('Fails', inputs => jsonb_build_object('say', E'long \u0085\n')) IS NOT NULL;
SELECT * FROM pg_temp.log();
-- errors that the owner of the tables wrote: no object, no texts, none at all
UPDATE orchestration.run SET status = 'Canceled' WHERE status IN ('InProgress', 'Suspended');
SELECT orchestration.start_orchestration('Handles') IS NOT NULL;
SELECT pg_temp.try(format('UPDATE orchestration.run SET status = %L, error = %L WHERE id = %L', 'Error', e, pg_temp.run())) FROM (VALUES ('[1, "x"]'::jsonb)) v (e);
SELECT * FROM pg_temp.log();
SELECT level, message, element FROM orchestration.run_errors WHERE run_id = pg_temp.run();
SELECT orchestration.start_orchestration('Handles') IS NOT NULL;
UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = pg_temp.run() AND status = 'InProgress';
SELECT * FROM pg_temp.log();

--
-- who sees what: the owner of the run its error, a role that sees the run but not its steps the
-- same, others nothing
--
CREATE ROLE failure_owner;
CREATE ROLE failure_other;
CREATE ROLE failure_nobody;
SELECT pg_temp.person('failure_owner@example.com', 'Owner', 'failure_owner'), pg_temp.person('failure_other@example.com', 'Other', 'failure_other');
SELECT orchestration.start_orchestration('Fails', inputs => '{"say": "mine"}', owner_id => (SELECT id FROM orchestration."user" WHERE username = 'failure_owner@example.com')) IS NOT NULL;
SET ROLE failure_owner;
SELECT run_name IS NOT NULL, level, stage, step, element, message, recoverable_until IS NOT NULL FROM orchestration.run_errors;
SET ROLE failure_other;
SELECT count(*) FROM orchestration.run_errors;
SET ROLE failure_nobody;
SELECT count(*) FROM orchestration.run_errors;
RESET ROLE;

--
-- the newest first by index
--
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT btrim(p) FROM pg_temp.plan('SELECT run_name FROM orchestration.run_errors ORDER BY error_at DESC LIMIT 20') p WHERE p ~ 'Limit|Sort|Append|failed_idx|ended_idx';
ROLLBACK;
SELECT count(*) FROM orchestration.run WHERE failed_at IS DISTINCT FROM CASE WHEN status = 'Error' THEN ended_at END;
SELECT count(*) FROM orchestration.stage_run WHERE failed_at IS DISTINCT FROM CASE WHEN status = 'Error' THEN ended_at END;
SELECT count(*) FROM orchestration.step_run WHERE failed_at IS DISTINCT FROM CASE WHEN status = 'Error' THEN ended_at END;
--
-- until when a run can be resumed: one rule for all that say it, and for resume_run()
--
SELECT orchestration.start_orchestration('Fails', inputs => '{"say": "once more"}') AS run \gset
CREATE FUNCTION pg_temp.resumable(run uuid) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', (SELECT recoverable > 0 FROM orchestration.run_overview WHERE orchestration = 'Fails'),
        (SELECT recoverable_until IS NOT NULL FROM orchestration.needs_attention() WHERE kind = 'failed_run' AND run_id = $1),
        (SELECT recoverable_until > now() FROM orchestration.run_errors WHERE run_id = $1),
        substring(orchestration.run_report($1) FROM 'The run (cannot|can|could) be resumed'),
        substring(orchestration.orchestration_report('Fails') FROM 'id="failures".*?<td class="num">\d+</td><td class="num">(\d+)</td>') > '0') $$;
CREATE FUNCTION pg_temp.resumes(run uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.resume_run($1);
    RETURN 'resumed';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT pg_temp.resumable(:'run');
SET orchestration.resume_window = 0;
SELECT pg_temp.resumable(:'run'), pg_temp.resumes(:'run');
RESET orchestration.resume_window;
SELECT pg_temp.resumable(:'run'), pg_temp.resumes(:'run');
-- not by error; an approval only by setting; days of 24 hours, although one of these has 23
SELECT orchestration_internal.resumable_until(false, false, now()), orchestration_internal.resumable_until(true, true, now()), orchestration_internal.resumable_until(true, false, NULL);
SET orchestration.resume_approvals = on;
SET TimeZone = 'Europe/Copenhagen';
SELECT orchestration_internal.resumable_until(true, true, '2026-03-20 12:00+00') AT TIME ZONE 'UTC';
RESET TimeZone;
RESET orchestration.resume_approvals;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
UPDATE orchestration.principal SET role_name = NULL WHERE role_name LIKE 'failure%';
DROP ROLE failure_owner, failure_other, failure_nobody;
