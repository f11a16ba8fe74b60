-- overview: what monitoring reads, for a user, a monitoring role and nobody.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
CREATE ROLE overview_ann;
CREATE ROLE overview_all;
CREATE ROLE overview_monitor IN ROLE pg_monitor;
CREATE ROLE overview_nobody;
SELECT pg_temp.person('ann@example.com', 'Ann', 'ann');
SELECT pg_temp.person('overview-ann', 'Overview Ann', 'overview_ann'), pg_temp.person('overview-all', 'Overview All', 'overview_all');
SELECT orchestration.update_user(id, view_all_data => true) FROM orchestration.principal WHERE username = 'overview-all';
SELECT orchestration.register_action('Overview_Screen', 'screen'), orchestration.register_action('Overview_Work', 'worker');
SELECT orchestration.set_retry_policy('Overview_Work', 3, '1 hour');
SELECT pg_temp.orchestration('Overview', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Ask', 'I', 'Overview_Screen'), pg_temp.step('Work', 'A', 'Overview_Work')))));
SELECT pg_temp.orchestration('Overview_Second', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Work', 'A', 'Overview_Work')))));
SELECT count(orchestration.start_orchestration('Overview')) FROM generate_series(1, 5);
SELECT count(orchestration.start_orchestration('Overview_Second')) FROM generate_series(1, 2);
SELECT orchestration.start_orchestration('Overview', NULL::text, NULL, NULL, id) IS NOT NULL FROM orchestration.principal WHERE username = 'overview-ann';
-- one of each status; one that a user owns
SELECT orchestration.suspend_run(pg_temp.run('OR-00000001')), orchestration.cancel_run(pg_temp.run('OR-00000002')), orchestration.fail_work_item(pg_temp.item('Ask', pg_temp.run('OR-00000003')), 'no') IS NOT NULL AS failed;
INSERT INTO orchestration.run (name, status) VALUES ('Overview-imported', 'InProgress');
-- a leased step, a failed attempt
SELECT count(*) FROM orchestration.claim_steps('w', '{Overview_Work}', 2);
SELECT f.accepted FROM (SELECT q.step_run_id, q.lease_id FROM orchestration.step_queue q WHERE q.lease_id IS NOT NULL ORDER BY q.orchestration_id LIMIT 1) q,
    LATERAL (SELECT accepted FROM orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', q.step_run_id, 'lease_id', q.lease_id, 'message', 'no')))) f;
\set runs 'SELECT orchestration, in_progress, suspended, failed, recoverable, oldest_open IS NOT NULL AS open FROM orchestration.run_overview WHERE orchestration LIKE \'Overview%\' OR orchestration IS NULL ORDER BY 1'
\set outcomes 'SELECT orchestration, completed, canceled, failed, mean_duration FROM orchestration.run_outcomes ORDER BY 1'
\set queue 'SELECT topic, orchestration, depth, ready + delayed AS waits, in_flight, held, retrying, failures, lost FROM orchestration.queue_overview ORDER BY 1, 2'
\set list 'SELECT name, orchestration, status, current_stage FROM orchestration.open_runs'
SET client_min_messages = notice;

--
-- the owner: everything
--
:runs;
:outcomes;
:queue;
:list;

--
-- users: what they see, and a notice that it is not everything
--
SET ROLE overview_ann;
:runs;
:outcomes;
:queue;
:list;
SELECT count(*) FROM generate_series(1, 3) i, LATERAL (SELECT i, count(*) FROM orchestration.run_overview o WHERE o.in_progress >= 0 AND i > 0) x;
SELECT pg_temp.try('SELECT count(*) FROM orchestration.engine_stats()');
SELECT pg_temp.try('SELECT inputs FROM orchestration.step_queue');
SELECT count(*) FROM orchestration_internal.open_run;
SET ROLE overview_all;
:runs;
:outcomes;
:queue;
:list;

--
-- a role that acts as no active user: an error, not zero
--
SET ROLE overview_nobody;
:runs;
:outcomes;
:queue;
:list;
SELECT pg_temp.try('SELECT count(*) FROM orchestration.engine_' || f || '()') FROM unnest('{stats,runs,queue}'::text[]) f;
RESET ROLE;
UPDATE orchestration.principal SET is_active = false WHERE username = 'overview-ann';
SET ROLE overview_ann;
:runs;
RESET ROLE;
-- every view that shows records of runs and is not in the documented model asks
SELECT c.relname, pg_get_viewdef(c.oid) LIKE '%check_reader(''' || c.relname || '''%' FROM pg_class c
 WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind = 'v' AND c.relname ~ '^(run|open|queue|needs)_' ORDER BY 1;

--
-- a member of pg_monitor: counts of everything, no contents
--
SET ROLE overview_monitor;
:list;
SELECT * FROM orchestration.engine_stats() WHERE name <> 'oldest_ready_seconds' AND kind = 'gauge' ORDER BY 1;
SELECT kind, count(*) > 0 FROM orchestration.engine_stats() WHERE kind <> 'counter' GROUP BY 1;
SELECT orchestration, in_progress, suspended, failed, recoverable FROM orchestration.engine_runs() WHERE orchestration LIKE 'Overview%' OR orchestration IS NULL;
SELECT topic, orchestration, depth, in_flight, held, failures, lost FROM orchestration.engine_queue();
SELECT pg_temp.try('SELECT count(*) FROM orchestration.verify()'), pg_temp.try('SELECT orchestration.rebuild_open_runs()');
SELECT count(*) FROM orchestration.run;
RESET ROLE;
-- a user id that a session sets does not change what is counted
SET client_min_messages = warning;
SET orchestration.user_id = '00000000-0000-4000-8000-000000000009';
SELECT count(*) FROM orchestration.engine_runs() WHERE orchestration LIKE 'Overview%';
SET ROLE overview_nobody;
:runs;
RESET ROLE;
RESET orchestration.user_id;

--
-- newest first from the index; ended runs are not read
--
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Sort|Scan|Join|Loop' THEN
            RETURN NEXT line;
        END IF;
    END LOOP;
END $$;
SELECT pg_temp.plan('SELECT * FROM orchestration.open_runs LIMIT 10');
SELECT pg_temp.plan('SELECT id, name FROM orchestration.run ORDER BY created_at DESC LIMIT 10');
SELECT pg_temp.plan('SELECT id, name FROM orchestration.work_item ORDER BY created_at DESC LIMIT 10');
SELECT pg_temp.clean_up();
SELECT * FROM orchestration.verify();
DROP ROLE overview_monitor, overview_nobody;
UPDATE orchestration.principal SET role_name = NULL WHERE username LIKE 'overview-%';
DROP ROLE overview_ann, overview_all;
