-- Asynchronous steps: claimed, finished and failed by workers; leases; functions
-- that run_queued_steps() carries out.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.trace (note text);
CREATE FUNCTION public.writes(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.trace VALUES (input->>'note');
    IF input->>'note' = 'fail' THEN RAISE EXCEPTION 'told to fail'; END IF;
    RETURN input;
END
$$;
SELECT orchestration.register_action('Ship', 'worker'), orchestration.register_action('Pack', 'worker', topic => 'warehouse'), orchestration.register_action('Writes', 'function', 'writes(jsonb)');
SELECT pg_temp.orchestration('Work', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('Pack', 'A', 'Pack', '{}', '{"what": {"stringValue": "books"}}'), pg_temp.step('Ship', 'B', 'Ship', '{Pack}', '{"packed": {"elementReference": "Pack.Outputs.weight"}}')))));
-- the worker's record of its last claim
CREATE TEMP TABLE claim AS SELECT * FROM orchestration.claim_steps('none', '{none}');
CREATE FUNCTION pg_temp.claim(topics text[], max_steps integer DEFAULT 1, lease interval DEFAULT '1 hour') RETURNS SETOF text LANGUAGE sql AS $$
    WITH c AS (INSERT INTO claim SELECT * FROM orchestration.claim_steps('w', topics, max_steps, lease) RETURNING *)
    SELECT format('%s %s %s %s, attempt %s', c.topic, c.action, c.step_name, c.inputs, c.attempt) FROM c ORDER BY c.step_name COLLATE "C"
$$;
CREATE FUNCTION pg_temp.result(claimed claim, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('step_id', claimed.step_id, 'lease_id', claimed.lease_id) || more
$$;
CREATE VIEW pg_temp.queued AS
SELECT t.name, q.topic, q.attempt, q.worker, CASE WHEN q.available_at = 'infinity' THEN 'frozen' WHEN q.lease_id IS NULL THEN 'ready' WHEN q.leased_until > clock_timestamp() THEN 'leased' ELSE 'lease ended' END AS state
  FROM orchestration.step_queue q JOIN orchestration.step_run t ON t.run_id = q.run_id AND t.id = q.step_run_id ORDER BY t.id;

--
-- One complete run
--
SELECT orchestration.start_orchestration('Work') IS NOT NULL;
SELECT pg_temp.state();
SELECT name, step_type FROM orchestration.step_run ORDER BY id;
SELECT pg_temp.claim('{Ship,nothing}');
SELECT pg_temp.claim('{warehouse}');
SELECT pg_temp.claim('{warehouse}');
SELECT * FROM pg_temp.queued;
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c, '{"outputs": {"weight": 3}}')));
SELECT pg_temp.state();
-- the same result again; another result with the same lease
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c, '{"outputs": {"weight": 3}}')));
SELECT accepted, reason FROM claim c, orchestration.fail_steps(jsonb_build_array(pg_temp.result(c, '{"message": "no"}')));
SELECT outputs FROM orchestration.step_run WHERE name = 'Pack';
TRUNCATE claim;
SELECT pg_temp.claim('{Ship,warehouse}', 10);
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c)));
SELECT pg_temp.state();
SELECT count(*) FROM orchestration.step_queue;

--
-- A lease ends: another worker gets the step, the first worker is refused
--
TRUNCATE claim;
SELECT orchestration.start_orchestration('Work') IS NOT NULL;
SELECT pg_temp.claim('{warehouse}', 1, '1 microsecond');
SELECT pg_sleep(0.01);
SELECT * FROM pg_temp.queued;
SELECT pg_temp.claim('{warehouse}');
SELECT c.attempt, accepted, reason FROM claim c, LATERAL orchestration.complete_steps(jsonb_build_array(pg_temp.result(c))) ORDER BY c.attempt;
SELECT c.attempt, accepted, reason FROM claim c, LATERAL orchestration.complete_steps(jsonb_build_array(pg_temp.result(c))) ORDER BY c.attempt;
-- no other worker got the step: the late result counts
TRUNCATE claim;
SELECT pg_temp.claim('{Ship}', 1, '1 microsecond');
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c)));
SELECT pg_temp.state();

--
-- Failed by the worker, resumed
--
TRUNCATE claim;
SELECT orchestration.start_orchestration('Work') IS NOT NULL;
SELECT pg_temp.claim('{warehouse}');
SELECT accepted, reason FROM claim c, orchestration.fail_steps(jsonb_build_array(pg_temp.result(c, '{"message": "no box", "detail": "all boxes are gone"}')));
SELECT pg_temp.state();
SELECT pg_temp.failure(), error->>'detail' FROM orchestration.run WHERE id = pg_temp.run();
SELECT accepted, reason FROM claim c, orchestration.fail_steps(jsonb_build_array(pg_temp.result(c, '{"message": "no box"}')));
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c)));
SELECT orchestration.resume_run(pg_temp.run());
SELECT * FROM pg_temp.queued;
-- a result of an attempt before the resume
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c)));
SELECT accepted, reason FROM claim c, orchestration.fail_steps(jsonb_build_array(pg_temp.result(c, '{"message": "no box"}')));
TRUNCATE claim;
SELECT pg_temp.claim('{{warehouse}}');

--
-- The run stops while a worker has its step
--
-- suspended: the outcome waits
SELECT orchestration.suspend_run(pg_temp.run());
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c, '{"outputs": {"weight": 4}}')));
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c, '{"outputs": {"weight": 4}}')));
SELECT accepted, reason FROM claim c, orchestration.fail_steps(jsonb_build_array(pg_temp.result(c, '{"message": "no"}')));
SELECT pg_temp.state(), count(*) FROM pg_temp.queued;
SELECT orchestration.resume_run(pg_temp.run());
SELECT * FROM pg_temp.queued;
-- canceled: refused
TRUNCATE claim;
SELECT pg_temp.claim('{Ship}');
SELECT orchestration.cancel_run(pg_temp.run());
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c)));
-- the stage was completed by hand: refused
TRUNCATE claim;
SELECT orchestration.start_orchestration('Work') IS NOT NULL;
SELECT pg_temp.claim('{warehouse}');
UPDATE orchestration.stage_run SET status = 'Completed' WHERE run_id = pg_temp.run();
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c)));
-- the run was deleted
DELETE FROM orchestration.run WHERE id = pg_temp.run();
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c)));
-- the run failed meanwhile: a result, and a failure too, is kept and applied at the resume
SELECT pg_temp.orchestration('Two', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('A', 'A', 'Ship'), pg_temp.step('B', 'A', 'Ship'), pg_temp.step('C', 'A', 'Ship'), pg_temp.step('D', 'A', 'Pack')))));
TRUNCATE claim;
SELECT orchestration.start_orchestration('Two') IS NOT NULL;
SELECT pg_temp.claim('{Ship}', 3);
SELECT accepted, reason FROM claim c, orchestration.fail_steps(jsonb_build_array(pg_temp.result(c, '{"message": "A failed"}'))) WHERE c.step_name = 'A';
SELECT pg_temp.state();
SELECT * FROM pg_temp.queued;
SELECT count(*) FROM orchestration.claim_steps('w', '{Ship,warehouse}', 10);
SELECT accepted, reason FROM claim c, orchestration.complete_steps(jsonb_build_array(pg_temp.result(c, '{"outputs": {"b": 1}}'))) WHERE c.step_name = 'B';
SELECT accepted, reason FROM claim c, orchestration.fail_steps(jsonb_build_array(pg_temp.result(c, '{"message": "C failed"}'))) WHERE c.step_name = 'C';
SELECT name, pending->>'outcome', pending->'outputs', pending->'error'->>'message' FROM orchestration.step_run WHERE run_id = pg_temp.run() ORDER BY id;
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();
SELECT * FROM pg_temp.queued;

--
-- Several results at once: of several runs, in any order, some of them refused
--
SELECT orchestration.cancel_run(pg_temp.run());
TRUNCATE claim;
SELECT count(orchestration.start_orchestration('Two')) FROM generate_series(1, 2);
SELECT count(*) FROM pg_temp.claim('{Ship,warehouse}', 10);
SELECT r.accepted, r.reason, count(*) FROM orchestration.complete_steps((SELECT jsonb_agg(pg_temp.result(c) ORDER BY c.lease_id DESC) || jsonb_build_array(jsonb_build_object('step_id', orchestration.new_id(), 'lease_id', orchestration.new_id()))
    || jsonb_agg(pg_temp.result(c)) FILTER (WHERE c.step_name = 'A') FROM claim c)) r GROUP BY 1, 2 ORDER BY 1, 2;
SELECT status, count(*) FROM orchestration.run GROUP BY 1 ORDER BY 1;
SELECT * FROM orchestration.complete_steps('[]');
\set VERBOSITY terse
SELECT * FROM orchestration.complete_steps('{}');
SELECT * FROM orchestration.complete_steps('[1]');
SELECT * FROM orchestration.complete_steps('[{}]');
SELECT * FROM orchestration.complete_steps('[{"step_id": 1}]');
SELECT * FROM orchestration.complete_steps('[{"step_id": "x", "lease_id": "y"}]');
SELECT * FROM orchestration.complete_steps('[{"step_id": "00000000-0000-7000-8000-000000000001", "lease_id": "00000000-0000-7000-8000-000000000001", "outputs": []}]');
SELECT * FROM orchestration.fail_steps('[{"step_id": "00000000-0000-7000-8000-000000000001", "lease_id": "00000000-0000-7000-8000-000000000001"}]');
SELECT * FROM orchestration.fail_steps(NULL);
SELECT * FROM orchestration.claim_steps('', '{Ship}');
SELECT * FROM orchestration.claim_steps('w', '{Ship,NULL}');
SELECT * FROM orchestration.claim_steps('w', '{""}');
SELECT * FROM orchestration.claim_steps('w', '{{Ship},{warehouse}}');
SELECT * FROM orchestration.claim_steps('w', '{}');
SELECT * FROM orchestration.claim_steps('w', '{Ship}', 0);
SELECT * FROM orchestration.claim_steps('w', '{Ship}', 1, '0');
SELECT * FROM orchestration.claim_steps('w', '{Ship}', 1, '1 month -1 day');
SELECT * FROM orchestration.claim_steps('w', NULL);
SELECT orchestration.run_queued_steps(0);
SELECT orchestration.run_queued_steps(NULL);
\set VERBOSITY default

--
-- Queued functions in the database
--
SELECT pg_temp.orchestration('Later', 'S', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('note', 'String')), 'orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', NULL, pg_temp.step('One', 'A', 'Writes', '{}', '{"note": {"elementReference": "note"}}'), pg_temp.step('Two', 'A', 'Writes', '{One}', '{"note": {"stringValue": "two"}}')))));
SELECT orchestration.start_orchestration('Later', inputs => '{"note": "one"}') IS NOT NULL;
SELECT count(*) FROM orchestration.claim_steps('w', '{Writes}');
SELECT orchestration.run_queued_steps(1);
SELECT pg_temp.state();
SELECT orchestration.start_orchestration('Later', inputs => '{"note": "fail"}') IS NOT NULL;
SELECT orchestration.run_queued_steps();
SELECT orchestration.run_queued_steps();
SELECT r.status, error->>'message' FROM orchestration.run r WHERE orchestration_name = 'Later' ORDER BY id;
SELECT * FROM trace;
-- a step of a suspended run goes on; its result is kept as pending
SELECT orchestration.start_orchestration('Later', inputs => '{"note": "suspended"}') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run());
SELECT orchestration.run_queued_steps();
SELECT pg_temp.state();
SELECT orchestration.resume_run(pg_temp.run());
SELECT orchestration.run_queued_steps();
SELECT pg_temp.state();
-- the function does not exist any more
SELECT orchestration.start_orchestration('Later', inputs => '{"note": "x"}') IS NOT NULL;
SELECT orchestration.unregister_action('Writes');
SELECT orchestration.run_queued_steps();
SELECT pg_temp.failure();

-- a row of the queue needs a step
SELECT pg_temp.try($$INSERT INTO orchestration.step_queue (run_id, step_run_id, orchestration_id, step_name, topic, action, inputs) VALUES (orchestration.new_id(), orchestration.new_id(), orchestration.new_id(), 's', 't', 'a', '{}')$$);
SELECT pg_temp.try('TRUNCATE orchestration.step_queue');
SELECT invariant, object, detail FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT count(*) FROM orchestration.step_queue;
SELECT orchestration.unregister_action('Ship'), orchestration.unregister_action('Pack');
DROP FUNCTION public.writes(jsonb);
DROP TABLE public.trace;
