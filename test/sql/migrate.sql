-- Migration of runs to other versions.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET client_min_messages = notice;
CREATE FUNCTION public.migrate_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'it fails'; END$$;
CREATE FUNCTION public.migrate_works(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT jsonb_build_object(''got'', $1)';
SELECT orchestration.register_action('m_screen', 'screen'), orchestration.register_action('m_work', 'worker', topic => 'm_one'), orchestration.register_action('m_other', 'worker', topic => 'm_two'),
       orchestration.register_action('m_fails', 'function', 'public.migrate_fails(jsonb)'), orchestration.register_action('m_works', 'function', 'public.migrate_works(jsonb)');
SELECT pg_temp.person('ann@example.com', 'Ann');
-- the next version of M; notes and problems
CREATE FUNCTION pg_temp.version(VARIADIC stages jsonb[]) RETURNS integer LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'M', 'label', 'M', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S1"}}'::jsonb,
        'orchestratedStages', to_jsonb(stages))) $$;
CREATE FUNCTION pg_temp.with_parts(parts jsonb, VARIADIC stages jsonb[]) RETURNS integer LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'M', 'label', 'M', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S1"}}'::jsonb,
        'orchestratedStages', to_jsonb(stages)) || parts) $$;
CREATE FUNCTION pg_temp.started(version integer, inputs jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.activate_orchestration('M', version);
    PERFORM orchestration.start_orchestration('M', inputs => inputs);
    RETURN pg_temp.state();
END $$;
CREATE FUNCTION pg_temp.why(version integer) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT unnest(COALESCE(problems, '{fits}') || COALESCE(notes, '{}')) FROM orchestration.migrate_runs('M', NULL, version) WHERE run_id = pg_temp.run() $$;
CREATE FUNCTION pg_temp.queue() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', q.step_name, q.topic, q.action, q.inputs, CASE WHEN q.lease_id IS NOT NULL THEN 'leased' END), ', ' ORDER BY q.step_run_id)
      FROM orchestration.step_queue q WHERE q.run_id = pg_temp.run() $$;
CREATE FUNCTION pg_temp.claimed(worker_topic text, limited integer DEFAULT 10) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'message', 'no')) FROM orchestration.claim_steps('w', ARRAY[worker_topic], limited) $$;

--
-- A fix reaches a run that failed: it is resumed in the new version
--
SELECT pg_temp.version(pg_temp.stage('S1', 'S2', pg_temp.step('A', 'B', 'm_fails'), pg_temp.step('P', 'I', 'm_screen')), pg_temp.stage('S2', NULL, pg_temp.step('Q', 'I', 'm_screen'))) AS broken \gset
SELECT pg_temp.version(pg_temp.stage('S1', 'S3', pg_temp.step('A', 'B', 'm_works'), pg_temp.step('P', 'I', 'm_screen')), pg_temp.stage('S3', NULL, pg_temp.step('R', 'I', 'm_screen'))) AS fixed \gset
SELECT pg_temp.started(:broken);
SELECT run_name, version, migrated, problems, notes FROM orchestration.migrate_runs('M', to_version => :fixed);
SELECT orchestration.migrate_run(pg_temp.run(), :fixed);
SELECT orchestration.migrate_run(pg_temp.run(), :fixed);
SELECT pg_temp.state();
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();
SELECT orchestration.complete_work_item(pg_temp.item('P'));
SELECT orchestration.complete_work_item(pg_temp.item('R'));
SELECT pg_temp.state();
-- the log has the versions of its time
SELECT kind, orchestration_version, actor = current_user AS me, comments FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() AND kind::text LIKE '%Instance' ORDER BY name;
SELECT from_version, to_version, migrated_by IS NULL FROM orchestration.run_migration WHERE run_id = pg_temp.run();
-- the version that no run has any more can be deleted; the log keeps its number
SELECT orchestration.deactivate_orchestration('M');
SELECT orchestration.delete_orchestration_version('M', :broken);
SELECT DISTINCT orchestration_version FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() ORDER BY 1;
-- what has ended is not migrated
SELECT pg_temp.version(pg_temp.stage('S1', NULL)) AS next \gset
SELECT orchestration.activate_orchestration('M', :next);
SELECT orchestration.migrate_run(pg_temp.run(), :next);
SELECT count(*) FROM orchestration.migrate_runs('M');
SELECT pg_temp.started(:fixed);
SELECT orchestration.cancel_run(pg_temp.run());
SELECT orchestration.migrate_run(pg_temp.run(), :next);

--
-- What does not fit
--
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('P', 'I', 'm_screen'), pg_temp.step('W', 'A', 'm_work'), pg_temp.step('N', 'B', 'm_works', '{P}'))) AS v \gset
SELECT pg_temp.started(:v);
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('W', 'A', 'm_work'))) AS gone \gset
SELECT pg_temp.why(:gone);
SELECT pg_temp.version(pg_temp.stage('S1', 'S2', pg_temp.step('W', 'A', 'm_work'), pg_temp.step('N', 'B', 'm_works')), pg_temp.stage('S2', NULL, pg_temp.step('P', 'I', 'm_screen'))) AS moved \gset
SELECT pg_temp.why(:moved);
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('P', 'A', 'm_work'), pg_temp.step('W', 'I', 'm_screen'))) AS kinds \gset
SELECT pg_temp.why(:kinds);
SELECT pg_temp.version(pg_temp.stage('S1', 'S9'), pg_temp.stage('S9', NULL)) - 0 AS empty \gset
SELECT pg_temp.why(:empty);
SELECT orchestration.deploy_orchestration('{"fullName": "M", "label": "M", "processType": "Orchestrator", "start": {"connector": {"targetReference": "Other"}}, "orchestratedStages": [{"name": "Other", "label": "O"}]}'::jsonb) AS stages \gset
SELECT pg_temp.why(:stages);
SELECT orchestration.migrate_run(pg_temp.run(), :gone);
SELECT pg_temp.state();
-- a version that could not be activated
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('P', 'I', 'm_nothing'), pg_temp.step('W', 'A', 'm_work'))) AS unregistered \gset
SELECT orchestration.migrate_run(pg_temp.run(), :unregistered);
SELECT * FROM orchestration.migrate_runs('M', NULL, :unregistered);
SELECT orchestration.migrate_run(pg_temp.run(), 999);
SELECT orchestration.migrate_runs('M', NULL, 999);
SELECT orchestration.migrate_runs('M', 999);
SELECT orchestration.migrate_runs('M_Nothing');
SELECT orchestration.migrate_runs('M', max_runs => 0);
SELECT orchestration.migrate_runs(NULL);
SELECT orchestration.migrate_run(NULL);
SELECT orchestration.migrate_run('00000000-0000-0000-0000-000000000000');

--
-- Steps: NotStarted ones may change or vanish, others are added
--
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('P', 'I', 'm_screen'), pg_temp.step('W', 'A', 'm_work'), pg_temp.step('N', 'I', 'm_screen', '{W}') || '{"label": "Now a person"}', pg_temp.step('X', 'B', 'm_works', '{P,W}'), pg_temp.step('Y', 'B', 'm_works'))) AS more \gset
SELECT pg_temp.why(:more);
SELECT orchestration.migrate_run(pg_temp.run(), :more);
SELECT pg_temp.state();
SELECT name, step_type, label FROM orchestration.step_run WHERE run_id = pg_temp.run() ORDER BY id;
-- there and back: the added steps that are done do not matter any more
SELECT orchestration.migrate_run(pg_temp.run(), :v);
SELECT orchestration.complete_work_item(pg_temp.item('P'));
SELECT pg_temp.state();
SELECT accepted FROM orchestration.complete_steps(pg_temp.claimed('m_one'));
SELECT pg_temp.state();
SELECT * FROM orchestration.verify();
SELECT substr(orchestration.run_diagram(pg_temp.run()), 1, 13);

--
-- Conditions are evaluated again: a stage may complete at once
--
SELECT pg_temp.started(:v);
SELECT pg_temp.version(pg_temp.stage('S1', 'S2', pg_temp.step('P', 'I', 'm_screen'), pg_temp.step('W', 'A', 'm_work'))
    || '{"exitConditions": [{"leftValueReference": "P.Status", "operator": "EqualTo", "rightValue": {"stringValue": "InProgress"}}]}', pg_temp.stage('S2', NULL, pg_temp.step('Q', 'I', 'm_screen'))) AS leaves \gset
SELECT orchestration.migrate_run(pg_temp.run(), :leaves);
SELECT pg_temp.state(), pg_temp.queue();
-- but not while the run is Suspended
SELECT pg_temp.started(:v);
SELECT orchestration.suspend_run(pg_temp.run());
SELECT orchestration.migrate_run(pg_temp.run(), :leaves);
SELECT pg_temp.state();
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();

--
-- Queued steps get the new action and inputs; a lease goes on
--
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('W', 'A', 'm_work', inputs => '{"n": {"numberValue": 1}}'))) AS one \gset
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('W', 'A', 'm_other', inputs => '{"n": {"numberValue": 2}}'))) AS two \gset
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('W', 'A', 'm_works', inputs => '{"n": {"numberValue": 3}}'))) AS in_database \gset
SELECT pg_temp.started(:one);
SELECT pg_temp.queue();
SELECT orchestration.migrate_run(pg_temp.run(), :two);
SELECT pg_temp.queue();
SELECT pg_temp.claimed('m_one') IS NULL;
SELECT pg_temp.claimed('m_two') AS lease \gset
SELECT orchestration.migrate_run(pg_temp.run(), :one);
SELECT pg_temp.queue();
SELECT reason, accepted FROM orchestration.fail_steps(:'lease');
SELECT pg_temp.queue();
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.queue();
SELECT pg_temp.claimed('m_one') AS lease \gset
SELECT orchestration.migrate_run(pg_temp.run(), :two);
SELECT accepted FROM orchestration.complete_steps((:'lease'::jsonb #- '{0,message}'));
SELECT pg_temp.state();
SELECT pg_temp.started(:one);
SELECT orchestration.migrate_run(pg_temp.run(), :in_database);
SELECT orchestration.run_queued_steps(10);
SELECT pg_temp.state();
SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run();
-- a result that arrived while the run was Suspended is taken in by the new version
SELECT pg_temp.started(:one);
SELECT pg_temp.claimed('m_one') AS lease \gset
SELECT orchestration.suspend_run(pg_temp.run());
SELECT accepted FROM orchestration.complete_steps((:'lease'::jsonb #- '{0,message}'));
SELECT orchestration.migrate_run(pg_temp.run(), :two), orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();
-- a failed step of a function becomes one of workers
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('W', 'B', 'm_fails'))) AS fails \gset
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('W', 'B', 'm_work'))) AS by_worker \gset
SELECT pg_temp.started(:fails);
SELECT orchestration.migrate_run(pg_temp.run(), :by_worker), orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state(), pg_temp.queue();

--
-- Variables
--
SELECT pg_temp.with_parts(jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('keep', 'String'), pg_temp.variable('drop', 'Number'), pg_temp.variable('nothing', 'String', '{"stringValue": "was"}'),
    pg_temp.variable('text', 'String'), pg_temp.variable('list', 'String', NULL, true))), pg_temp.stage('S1', NULL, pg_temp.step('P', 'I', 'm_screen'))) AS before \gset
SELECT pg_temp.with_parts(jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('keep', 'String', '{"stringValue": "default"}'), pg_temp.variable('nothing', 'String', '{"stringValue": "default"}'),
    pg_temp.variable('text', 'Date'), pg_temp.variable('list', 'Number', NULL, true), pg_temp.variable('new', 'Number', '{"numberValue": 7}'))), pg_temp.stage('S1', NULL, pg_temp.step('P', 'I', 'm_screen'))) AS after \gset
SELECT pg_temp.started(:before, '{"keep": "kept", "drop": 1, "nothing": null, "text": "2026-02-29", "list": ["a"]}');
SELECT pg_temp.why(:after);
SELECT orchestration.migrate_run(pg_temp.run(), :after);
SELECT variables FROM orchestration.run WHERE id = pg_temp.run();
SELECT pg_temp.started(:before, '{"keep": "kept", "drop": 1, "nothing": null, "text": "2028-02-29"}');
SELECT pg_temp.why(:after);
SELECT orchestration.migrate_run(pg_temp.run(), :after);
SELECT variables FROM orchestration.run WHERE id = pg_temp.run();
SELECT orchestration.migrate_run(pg_temp.run(), :before);
SELECT variables FROM orchestration.run WHERE id = pg_temp.run();

--
-- Runs that cannot be resumed
--
SELECT pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('P', 'I', 'm_screen', assignee => 'nobody'))) AS nobody \gset
UPDATE orchestration.orchestration_definition SET active_version = :nobody WHERE name = 'M';
SELECT orchestration.start_orchestration('M') AS run \gset
SELECT pg_temp.state();
UPDATE orchestration.run SET error_recoverable = false WHERE id = pg_temp.run();
SELECT pg_temp.why(:v);
SELECT pg_temp.started(:fails);
BEGIN;
ALTER TABLE orchestration.run DISABLE TRIGGER USER;
UPDATE orchestration.run SET ended_at = now() - interval '15 days' WHERE id = pg_temp.run();
SELECT pg_temp.why(:by_worker);
ROLLBACK;
-- an imported run has no version
INSERT INTO orchestration.run (status) VALUES ('InProgress');
SELECT orchestration.migrate_run(pg_temp.run());

--
-- Many runs
--
SELECT pg_temp.clean_up();
SELECT pg_temp.started(:v) FROM generate_series(1, 3) \g /dev/null
SELECT pg_temp.started(:one) FROM generate_series(1, 2) \g /dev/null
SELECT orchestration.cancel_run(id) FROM (SELECT id FROM orchestration.run ORDER BY id LIMIT 1) r \g /dev/null
-- a dry run changes nothing, also in a read-only transaction
BEGIN READ ONLY;
SELECT version, migrated, problems FROM orchestration.migrate_runs('M', NULL, :more);
COMMIT;
SELECT version, migrated, problems FROM orchestration.migrate_runs('M', :v, :more, false, 1);
SELECT version, migrated, problems FROM orchestration.migrate_runs('M', :v, :more, false, 1);
SELECT version, migrated, problems FROM orchestration.migrate_runs('M', :v, :more, false, 1);
-- one that does not fit, and one whose trigger fails, stop no other
SELECT pg_temp.started(:v) FROM generate_series(1, 3) \g /dev/null
CREATE FUNCTION public.migrate_no() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = (SELECT id FROM orchestration.run ORDER BY id DESC OFFSET 1 LIMIT 1) THEN
        RAISE EXCEPTION 'not this one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no BEFORE UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION public.migrate_no();
SELECT version, migrated, problems FROM orchestration.migrate_runs('M', NULL, :more, false, NULL);
DROP TRIGGER no ON orchestration.run;
SELECT v.version = :more AS more, count(*) FROM orchestration.run r JOIN orchestration.orchestration_version v ON v.id = r.version_id GROUP BY 1 ORDER BY 1;

--
-- Nothing else changes the version of a run
--
UPDATE orchestration.run SET version_id = (SELECT id FROM orchestration.orchestration_version WHERE label = 'M' AND version = :one) WHERE id = pg_temp.run();
-- not even a trigger in the statement of the migration
CREATE OR REPLACE FUNCTION public.migrate_no() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version_id <> OLD.version_id THEN
        NEW.version_id := (SELECT id FROM orchestration.orchestration_version v WHERE v.label = 'M' ORDER BY version LIMIT 1);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no BEFORE UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION public.migrate_no();
SELECT orchestration.migrate_run(pg_temp.run(), :v);
-- nor one that keeps the row as it is
CREATE OR REPLACE FUNCTION public.migrate_no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT orchestration.migrate_run(pg_temp.run(), :v);
DROP TRIGGER no ON orchestration.run;
DROP FUNCTION public.migrate_no();
-- an action does not migrate its own run
CREATE OR REPLACE FUNCTION public.migrate_works(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.migrate_run((i->>'run')::uuid, current_setting('regress.other')::integer);
    RETURN '{}';
END $$;
SELECT count(pg_temp.version(pg_temp.stage('S1', NULL, pg_temp.step('P', 'I', 'm_screen'), pg_temp.step('Own', 'B', 'm_works', inputs => format('{"run": {"elementReference": "$Orchestration.Instance"}, "version": {"numberValue": %s}}', n)::jsonb)))) FROM generate_series(1, 2) n;
SELECT max(version) AS other, max(version) - 1 AS own FROM orchestration.orchestration_version WHERE label = 'M' \gset
SELECT set_config('regress.other', :'other', false) \g /dev/null
SELECT pg_temp.started(:own);
SELECT pg_temp.failure();

--
-- Rights: Manage Flow, and for each run the right to move it
--
SELECT pg_temp.clean_up();
CREATE ROLE regress_migrate;
SELECT orchestration.create_user('migrate@example.com', 'Migrator', 'regress_migrate') AS who \gset
GRANT USAGE ON SCHEMA orchestration TO regress_migrate;
SELECT orchestration.activate_orchestration('M', :v);
SELECT orchestration.start_orchestration('M') AS other, orchestration.start_orchestration('M', owner_id => :'who') AS own \gset
SET ROLE regress_migrate;
SELECT orchestration.migrate_run(:'own', :more);
SELECT orchestration.migrate_runs('M', NULL, :more);
RESET ROLE;
SELECT orchestration.update_user(:'who', manage_definitions => true) \g /dev/null
SET ROLE regress_migrate;
-- runs that the caller does not see do not exist
SELECT pg_temp.try(format('SELECT orchestration.migrate_run(%L, %s)', :'other', :more));
SELECT run_id = :'own' AS own, migrated, problems FROM orchestration.migrate_runs('M', NULL, :more);
RESET ROLE;
SELECT orchestration.share_record(:'other', :'who', 'Read') IS NOT NULL;
SET ROLE regress_migrate;
SELECT pg_temp.try(format('SELECT orchestration.migrate_run(%L, %s)', :'other', :more));
SELECT run_id = :'own' AS own, migrated, pg_temp.masked(problems::text) FROM orchestration.migrate_runs('M', NULL, :more, false) ORDER BY 1;
SELECT from_version = :v AS was, to_version = :more AS is, migrated_by = :'who' AS by FROM orchestration.run_migration;
SELECT kind, actor FROM orchestration.flow_orchestration_log WHERE kind = 'MigrateInstance';
SELECT last_modified_by_id = :'who' FROM orchestration.flow_orchestration_instance WHERE id = :'own';
RESET ROLE;
SELECT orchestration.update_user(:'who', manage_runs => true) \g /dev/null
SET ROLE regress_migrate;
SELECT orchestration.migrate_run(:'other', :more);
RESET ROLE;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
REVOKE USAGE ON SCHEMA orchestration FROM regress_migrate;
SELECT orchestration.update_user(:'who', is_active => false) \g /dev/null
UPDATE orchestration.principal SET role_name = NULL WHERE id = :'who';
DROP ROLE regress_migrate;
SELECT orchestration.deactivate_orchestration('M'), orchestration.delete_orchestration('M');
SELECT orchestration.unregister_action(a) FROM unnest('{m_screen,m_work,m_other,m_fails,m_works}'::text[]) a \g /dev/null
DROP FUNCTION public.migrate_fails, public.migrate_works;
