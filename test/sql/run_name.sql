-- Calls take names: of runs, of submissions, of work items.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
ALTER SEQUENCE orchestration.submission_name_seq RESTART;
ALTER SEQUENCE orchestration.submission_item_name_seq RESTART;
CREATE ROLE regress_orch_ann;
CREATE ROLE regress_orch_sue;
CREATE ROLE regress_orch_out;
SELECT orchestration.register_action('Screen', 'screen'), pg_temp.person('ann@example.com', 'Ann', 'regress_orch_ann'),
       pg_temp.person('sue@example.com', 'Sue', 'regress_orch_sue'), pg_temp.person('out@example.com', 'Out', 'regress_orch_out');
SELECT pg_temp.orchestration('Waits', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Screen')))));
SELECT pg_temp.approval('Asks', 'Screen', 'A', 'B');
-- as a user: result or error
CREATE FUNCTION pg_temp.as(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE regress_orch_%s', who);
    result := pg_temp.try(statement);
    RESET ROLE;
    RETURN result;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.try(text), pg_temp.masked(text) TO PUBLIC;

--
-- run_id(): a name, or an id as text in any form that uuid takes
--
SELECT orchestration.start_orchestration('Waits') IS NOT NULL;
SELECT r.name, orchestration.run_id(r.name) = r.id, orchestration.run_id(r.id::text) = r.id, orchestration.run_id(upper(r.id::text)) = r.id,
       orchestration.run_id('{' || replace(r.id::text, '-', '') || '}') = r.id
  FROM orchestration.run r;
SELECT provolatile FROM pg_proc WHERE oid = 'orchestration.run_id(text)'::regprocedure;
SELECT orchestration.run_id('OR-00000002');
SELECT orchestration.run_id('or-00000001');
SELECT orchestration.run_id('OR-1');
SELECT orchestration.run_id('00000000-0000-0000-0000-000000000000');
SELECT orchestration.run_id('00000000-0000-0000-0000-00000000000');
SELECT orchestration.run_id('');
SELECT orchestration.run_id(NULL);
SELECT orchestration.run_id(E'\u00e9\n' || repeat('x', 300)) ;
-- an imported run has any name
BEGIN;
INSERT INTO orchestration.run (name, status, ended_at) VALUES ('Anything; "else"', 'Canceled', now());
SELECT orchestration.run_id('Anything; "else"') = id FROM orchestration.run WHERE name LIKE 'Any%';
SELECT orchestration.cancel_run('Anything; "else"');
ROLLBACK;

--
-- Every call on a run, by name, by id, and as a parameter of unknown type
--
SELECT orchestration.suspend_run('OR-00000001'), pg_temp.status(), orchestration.suspend_run('OR-00000001');
SELECT orchestration.reevaluate_run('OR-00000001'), orchestration.resume_run('OR-00000001'), pg_temp.status(), orchestration.resume_run('OR-00000001'), orchestration.reevaluate_run('OR-00000001');
PREPARE suspend AS SELECT orchestration.suspend_run($1);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'suspend';
SELECT id AS run FROM orchestration.run \gset
EXECUTE suspend('OR-00000001');
EXECUTE suspend(:'run');
DEALLOCATE suspend;
SELECT orchestration.resume_run(:'run'), orchestration.suspend_run(:'run'::uuid), orchestration.resume_run(:'run'::varchar), orchestration.suspend_run(run_id => :'run'), orchestration.resume_run(run => 'OR-00000001');
SELECT orchestration.migrate_run('OR-00000001'), split_part(orchestration.run_diagram('OR-00000001'), E'\n', 1), orchestration.run_diagram('OR-00000001', 'dot') = orchestration.run_diagram(:'run'::uuid, 'dot'),
       orchestration.run_diagram((SELECT version_id::text FROM orchestration.run)) <> '';
SELECT orchestration.run_diagram('OR-00000009');

--
-- Work items
--
SELECT orchestration.set_due_date('WI-00000001', '2030-01-01'), orchestration.set_due_date('WI-00000001', '2030-01-01');
SELECT orchestration.create_queue('Names') AS queue \gset
SELECT orchestration.add_group_member(:'queue', id) FROM orchestration.principal WHERE username = 'ann@example.com' \g /dev/null
SELECT orchestration.reassign_work_item('WI-00000001', :'queue');
SELECT pg_temp.as('ann', $$SELECT orchestration.claim_work_item('WI-00000001')$$), pg_temp.as('ann', $$SELECT orchestration.claim_work_item('WI-00000001')$$), pg_temp.as('ann', $$SELECT orchestration.release_work_item('WI-00000001')$$);
SELECT pg_temp.as('ann', $$SELECT orchestration.fail_work_item('WI-00000001', 'broken')$$), pg_temp.status(), orchestration.resume_run('OR-00000001');
SELECT pg_temp.as('ann', $$SELECT orchestration.complete_work_item('WI-00000001', '{}', 'key')$$), pg_temp.as('ann', $$SELECT orchestration.complete_work_item('WI-00000001', '{}', 'key')$$), pg_temp.status();
SELECT pg_temp.as('ann', $$SELECT orchestration.complete_work_item('WI-00000009')$$), pg_temp.as('ann', $$SELECT orchestration.complete_work_item('OR-00000001')$$), pg_temp.as('ann', $$SELECT orchestration.complete_work_item('')$$);

--
-- Approvals: a call on them takes the name of the submission or the approval work item, too
--
SELECT orchestration.start_orchestration('Asks', inputs => '{"submitter": "sue@example.com"}') IS NOT NULL;
SELECT pg_temp.as('ann', $$SELECT orchestration.review_approval('AWI-000000001', 'Approve')$$), pg_temp.submission();
-- the submitter sees the submission, not the run, whose name cancel_run() takes and run_id() does not
SELECT r.name, s.name FROM orchestration.run r JOIN orchestration.submission s ON s.run_id = r.id;
SELECT pg_temp.as('sue', $$SELECT orchestration.run_id('OR-00000002')$$), pg_temp.as('sue', $$SELECT orchestration.suspend_run('OR-00000002')$$),
       pg_temp.as('sue', $$SELECT orchestration.run_id('AS-000000001')$$), pg_temp.as('sue', $$SELECT orchestration.cancel_run('AS-000000001')$$);
SELECT pg_temp.as('sue', $$SELECT orchestration.cancel_run('OR-00000002')$$);
SELECT pg_temp.as('sue', $$SELECT orchestration.override_approval('WI-00000003', 'Approve')$$);
-- for an outsider each name is one that does not exist
SELECT pg_temp.as('out', format('SELECT orchestration.%s(%L%s)', c, n, more))
  FROM (VALUES ('run_id', 'OR-00000002', ''), ('suspend_run', 'OR-00000002', ''), ('resume_run', 'OR-00000002', ''), ('cancel_run', 'OR-00000002', ''),
               ('reevaluate_run', 'OR-00000002', ''), ('recall_run', 'OR-00000002', ''), ('recall_run', 'AS-000000001', ''), ('run_diagram', 'OR-00000002', ''),
               ('complete_work_item', 'WI-00000003', ''), ('claim_work_item', 'WI-00000003', ''), ('release_work_item', 'WI-00000003', ''), ('fail_work_item', 'WI-00000003', ', ''x'''),
               ('set_due_date', 'WI-00000003', ', now()'), ('review_approval', 'WI-00000003', ', ''Approve'''), ('review_approval', 'AWI-000000002', ', ''Approve'''),
               ('override_approval', 'AWI-000000002', ', ''Approve'''), ('suspend_run', 'OR-00000077', ''), ('review_approval', 'AWI-000000077', ', ''Approve''')) x (c, n, more);
SELECT pg_temp.as('out', format('SELECT orchestration.suspend_run(%L)', pg_temp.run())), pg_temp.as('out', 'SELECT orchestration.suspend_run(gen_random_uuid())');
SELECT pg_temp.as('sue', $$SELECT orchestration.recall_run('AS-000000001', 'a mistake')$$), pg_temp.submission(), pg_temp.as('sue', $$SELECT orchestration.recall_run('OR-00000002')$$);
SELECT pg_temp.as('ann', $$SELECT orchestration.review_approval('WI-00000003', 'Approve')$$);

--
-- A role that acts as no user
--
SET ROLE pg_monitor;
SELECT orchestration.run_id('OR-00000001');
SELECT orchestration.suspend_run('OR-00000001');
RESET ROLE;

--
-- A name is found by the index of its constraint, under row security, too: its operator is leakproof
--
SET enable_seqscan = off;
SET ROLE regress_orch_sue;
EXPLAIN (COSTS OFF) SELECT FROM orchestration.run WHERE name = 'OR-00000001';
RESET ROLE;
RESET enable_seqscan;

SELECT orchestration.deactivate_orchestration('Waits'), orchestration.deactivate_orchestration('Waits'), orchestration.deactivate_orchestration('Asks');
SELECT pg_temp.clean_up();
SELECT * FROM orchestration.verify();
-- other files find users by name
UPDATE orchestration.principal SET role_name = NULL WHERE role_name IN ('regress_orch_ann', 'regress_orch_sue', 'regress_orch_out');
DROP ROLE regress_orch_ann, regress_orch_sue, regress_orch_out;
