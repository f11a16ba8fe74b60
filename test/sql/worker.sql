-- worker: retries, leases, fairness, the fused call (src/work/queue.c,
-- src/work/queue_claim.c); the background worker itself is in test/t/008_worker.pl.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SELECT orchestration.register_action('Try', 'worker', topic => 'worker_try');
SELECT orchestration.register_action('Other', 'worker', topic => 'worker_other');
SELECT pg_temp.orchestration('Tries', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('T', 'A', 'Try', '{}', '{"n": {"numberValue": 1}}')))));
CREATE TEMP TABLE claim AS SELECT * FROM orchestration.claim_steps('none', '{none}');
CREATE FUNCTION pg_temp.claim(topics text[], max_steps integer DEFAULT 1, lease interval DEFAULT '1 hour') RETURNS SETOF text LANGUAGE sql AS $$
    WITH c AS (INSERT INTO claim SELECT * FROM orchestration.claim_steps('w', topics, max_steps, lease) RETURNING *)
    SELECT format('%s %s, attempt %s', c.action, c.step_name, c.attempt) FROM c ORDER BY c.step_name COLLATE "C"
$$;
-- the last claim that returned a step
CREATE FUNCTION pg_temp.result(more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('step_id', c.step_id, 'lease_id', c.lease_id) || more) FROM claim c ORDER BY c.lease_id DESC LIMIT 1
$$;
CREATE VIEW pg_temp.attempts AS
    SELECT attempt, worker, outcome, error->>'message' AS message FROM orchestration.step_attempt WHERE run_id = pg_temp.run() ORDER BY attempt;
CREATE FUNCTION pg_temp.due_now() RETURNS void LANGUAGE sql AS $$ UPDATE orchestration.step_queue SET available_at = clock_timestamp() - interval '1 second' $$;
CREATE FUNCTION pg_temp.delay() RETURNS text LANGUAGE sql AS $$ SELECT round(extract(epoch FROM available_at - clock_timestamp()))::text FROM orchestration.step_queue $$;

--
-- Retries: after growing delays, then the step fails; exactly one outcome for each attempt
--
SELECT orchestration.set_retry_policy('Try', 4, '10 seconds', 3, '60 seconds', 0);
SELECT orchestration.start_orchestration('Tries') IS NOT NULL;
SELECT pg_temp.claim('{worker_try}');
SELECT accepted, reason FROM orchestration.fail_steps(pg_temp.result('{"message": "first"}'));
SELECT pg_temp.delay();
-- the same result again is accepted and has no effect; a success comes too late
SELECT accepted, reason FROM orchestration.fail_steps(pg_temp.result('{"message": "first"}'));
SELECT accepted, reason FROM orchestration.complete_steps(pg_temp.result());
SELECT pg_temp.claim('{worker_try}');
SELECT pg_temp.due_now();
SELECT pg_temp.claim('{worker_try}');
SELECT accepted, reason FROM orchestration.fail_steps(pg_temp.result('{"message": "second", "detail": "more"}'));
SELECT pg_temp.delay();
SELECT pg_temp.due_now();
SELECT pg_temp.claim('{worker_try}');
SELECT accepted, reason FROM orchestration.fail_steps(pg_temp.result('{"message": "third"}'));
SELECT pg_temp.delay();
SELECT pg_temp.due_now();
SELECT pg_temp.claim('{worker_try}');
SELECT accepted, reason FROM orchestration.fail_steps(pg_temp.result('{"message": "fourth"}'));
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT * FROM pg_temp.attempts;
-- a resumed step starts its attempts anew; "retry": false fails at once
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.claim('{worker_try}');
SELECT accepted, reason FROM orchestration.fail_steps(pg_temp.result('{"message": "never", "retry": false}'));
SELECT pg_temp.state();
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.claim('{worker_try}');
SELECT accepted, reason FROM orchestration.complete_steps(pg_temp.result('{"outputs": {"done": true}}'));
SELECT pg_temp.state();
-- jitter stays within its bounds
SELECT orchestration.set_retry_policy('Try', 1000, '100 seconds', 1, '100 seconds', 0.5);
SELECT orchestration.start_orchestration('Tries') IS NOT NULL;
CREATE FUNCTION pg_temp.fail_again() RETURNS double precision LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.due_now();
    PERFORM pg_temp.claim('{worker_try}');
    PERFORM orchestration.fail_steps(pg_temp.result('{"message": "again"}'));
    RETURN (SELECT extract(epoch FROM available_at - clock_timestamp()) FROM orchestration.step_queue);
END$$;
SELECT count(*), min(d) >= 49.9, max(d) <= 150, max(d) - min(d) > 50 FROM (SELECT pg_temp.fail_again() AS d FROM generate_series(1, 50)) x;
SELECT orchestration.cancel_run(pg_temp.run());
-- values that are not policies
SELECT orchestration.set_retry_policy('Nothing');
SELECT orchestration.set_retry_policy('Try', 0);
SELECT orchestration.set_retry_policy('Try', 1, '-1 second');
SELECT orchestration.set_retry_policy('Try', 1, '1 second', 0.5);
SELECT orchestration.set_retry_policy('Try', 1, '1 second', 2, '1 hour', 2);
SELECT orchestration.set_retry_policy('Try', timeout => '0');
SELECT orchestration.set_retry_policy('Try', NULL);

--
-- Leases: extended, lost, late
--
SELECT orchestration.set_retry_policy('Try', 2, timeout => '1 minute');
TRUNCATE claim;
SELECT orchestration.start_orchestration('Tries') IS NOT NULL;
SELECT pg_temp.claim('{worker_try}', 1, '1 hour');
SELECT round(extract(epoch FROM lease_until - clock_timestamp())) FROM claim;
SELECT held, reason, round(extract(epoch FROM lease_until - clock_timestamp())) FROM orchestration.extend_leases(pg_temp.result(), '10 seconds');
SELECT held, reason, round(extract(epoch FROM lease_until - clock_timestamp())) FROM orchestration.extend_leases(pg_temp.result(), '10 minutes');
SELECT held, reason FROM orchestration.extend_leases(jsonb_build_array(jsonb_build_object('step_id', orchestration.new_id(), 'lease_id', orchestration.new_id())));
SELECT held, reason FROM orchestration.extend_leases('[{"step_id": 1}]');
SELECT held, reason FROM orchestration.extend_leases('[]', '0');
-- the attempt took too long and counts as failed
UPDATE orchestration.step_queue SET claimed_at = claimed_at - interval '1 hour', leased_until = leased_until - interval '1 hour';
SELECT pg_temp.claim('{worker_try}');
SELECT held, reason FROM claim c, orchestration.extend_leases(jsonb_build_array(jsonb_build_object('step_id', c.step_id, 'lease_id', c.lease_id))) x ORDER BY c.attempt;
UPDATE orchestration.step_queue SET claimed_at = claimed_at - interval '1 hour', leased_until = leased_until - interval '1 hour';
SELECT pg_temp.claim('{worker_try}');
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT * FROM pg_temp.attempts;
-- a step that kills its workers
SELECT orchestration.set_retry_policy('Try');
TRUNCATE claim;
SELECT orchestration.start_orchestration('Tries') IS NOT NULL;
CREATE FUNCTION pg_temp.lose() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT pg_temp.claim('{worker_try}');
    UPDATE orchestration.step_queue SET leased_until = clock_timestamp() - interval '1 second';
END$$;
SELECT pg_temp.lose() FROM generate_series(1, 7);
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT * FROM pg_temp.attempts;
-- cancellation is visible
SELECT orchestration.start_orchestration('Tries') IS NOT NULL;
SELECT pg_temp.claim('{worker_try}');
SELECT orchestration.cancel_run(pg_temp.run());
SELECT held, reason FROM orchestration.extend_leases(pg_temp.result());
SELECT accepted, reason FROM orchestration.complete_steps(pg_temp.result());

--
-- Fairness: a thousand steps of one orchestration do not starve another
--
SELECT pg_temp.orchestration('Second', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('T', 'A', 'Try')))));
SELECT pg_temp.orchestration('Third', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('T', 'A', 'Other')))));
SELECT count(orchestration.start_orchestration('Tries')) FROM generate_series(1, 1000);
SELECT count(orchestration.start_orchestration('Second')) FROM generate_series(1, 3);
TRUNCATE claim;
SELECT count(*) FROM (SELECT pg_temp.claim('{worker_try}', 10)) c;
SELECT r.orchestration_name, count(*) FROM claim c JOIN orchestration.run r ON r.id = c.run_id GROUP BY 1 ORDER BY 1;
SELECT count(orchestration.start_orchestration('Second')) FROM generate_series(1, 3);
SELECT count(orchestration.start_orchestration('Third')) FROM generate_series(1, 3);
TRUNCATE claim;
-- a claim sees the first step of an orchestration without queued steps within 50 ms
SELECT pg_sleep(0.1);
SELECT count(*) FROM (SELECT pg_temp.claim('{worker_try,worker_other}') FROM generate_series(1, 9)) c;
SELECT r.orchestration_name, count(*) FROM claim c JOIN orchestration.run r ON r.id = c.run_id GROUP BY 1 ORDER BY 1;
TRUNCATE claim;
SELECT count(*) FROM (SELECT pg_temp.claim('{worker_try,worker_other}', 10000)) c;
SELECT count(*), count(DISTINCT step_id) FROM claim;

--
-- The fused call
--
SELECT count(orchestration.start_orchestration('Third')) FROM generate_series(1, 2);
CREATE TEMP TABLE fused AS SELECT * FROM orchestration.complete_and_claim('[]', 'w', '{worker_other}');
SELECT accepted, reason, topic, action, step_name, inputs, attempt, lease_until > now(), run_as FROM fused;
SELECT c.accepted, c.reason, c.step_name FROM fused f, orchestration.complete_and_claim(jsonb_build_array(
    jsonb_build_object('step_id', f.step_id, 'lease_id', f.lease_id, 'outputs', '{}'::jsonb),
    jsonb_build_object('step_id', f.step_id, 'lease_id', f.run_id, 'message', 'not mine')), 'w', '{worker_other}', 5) c;
SELECT orchestration.complete_and_claim(NULL, 'w', '{worker_other}');
SELECT orchestration.complete_and_claim('[]', '', '{worker_other}');
SELECT orchestration.complete_and_claim('[]', 'w', '{worker_other}', 0);
SELECT orchestration.complete_and_claim('[]', 'w', '{worker_other}', 1, '-1 second');
SELECT orchestration.complete_and_claim('{}', 'w', '{worker_other}');

--
-- Listening: until steps of the topic are claimed
--
-- where transactions can be prepared and the library is not preloaded it is never null
CREATE FUNCTION pg_temp.listen(topics text[]) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN due = '0' THEN 'now' WHEN due > '1 s' THEN 'later' ELSE 'wait' END
      FROM (SELECT COALESCE(max_wait, '1 s') FROM orchestration.listen_for_steps(topics, pg_backend_pid())
             WHERE channel IS NOT NULL LIMIT 1) AS l (due) $$;
SELECT pg_temp.listen('{worker_try,worker_other}');
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = x'4f51'::int AND pid = pg_backend_pid();
SELECT count(*) FROM pg_listening_channels();
\o | sed -E 's/PID [0-9]+/PID <pid>/'
SELECT count(orchestration.start_orchestration('Third')) FROM generate_series(1, 1);
\o
SELECT pg_temp.listen('{worker_try,worker_other}');
SELECT count(*) FROM orchestration.claim_steps('w', '{worker_other}');
-- the session no longer waits, and is not notified of this step
SELECT count(orchestration.start_orchestration('Third')) FROM generate_series(1, 1);
SELECT count(*) FROM orchestration.claim_steps('w', '{worker_other}');
-- in a transaction block the wait begins with the commit: claim once more
BEGIN;
SELECT pg_temp.listen('{worker_new}');
SELECT pg_temp.listen('{worker_new}');
COMMIT;
SELECT pg_temp.listen('{worker_new}');
BEGIN;
SELECT pg_temp.listen('{worker_new}');
ROLLBACK;
SELECT orchestration.listen_for_steps(NULL, 1);
SELECT orchestration.listen_for_steps('{nothing}', NULL);
SELECT orchestration.listen_for_steps('{""}', pg_backend_pid());
SELECT channel ~ '^orchestration_steps_[0-9a-f]+$' AS channel, COALESCE(max_wait, '1 s') AS max_wait
  FROM orchestration.listen_for_steps('{nothing}', pg_backend_pid());
-- the process id is not that of the session: the client came through a pool
SELECT count(*) > 0 FROM pg_listening_channels();
SELECT * FROM orchestration.listen_for_steps('{nothing}', -1);
SELECT count(*) FROM pg_listening_channels();
-- also of what the same transaction began, and only of the extension's channels
LISTEN worker_own;
BEGIN;
SELECT pg_temp.listen('{worker_new}');
SELECT * FROM orchestration.listen_for_steps('{worker_new}', -1);
COMMIT;
SELECT pg_listening_channels();
UNLISTEN *;
SELECT orchestration.set_retry_policy('Other', 2, '10 seconds', jitter => 0);
SELECT pg_temp.clean_up();
SELECT orchestration.start_orchestration('Third') IS NOT NULL;
SELECT f.accepted FROM orchestration.claim_steps('w', '{worker_other}') c, orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', c.step_id, 'lease_id', c.lease_id, 'message', 'no'))) f;
SELECT max_wait BETWEEN '0.5 s' AND '10 s' FROM orchestration.listen_for_steps('{nothing,worker_other}', pg_backend_pid()) LIMIT 1;
SELECT * FROM orchestration.listen_for_steps('{nothing,worker_other}', 0);
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT count(*) FROM orchestration.step_attempt;
