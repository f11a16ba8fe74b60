-- Versions: identical documents, deletion, numbers, who activated and deleted what.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET client_min_messages = notice;
SELECT orchestration.register_action('version_screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE ROLE regress_version_admin;
CREATE ROLE regress_version_user;
SELECT orchestration.create_user('version-admin@example.com', 'Admin', 'regress_version_admin') AS admin, orchestration.create_user('version-user@example.com', 'User', 'regress_version_user') AS "user" \gset
SELECT orchestration.update_user(:'admin', manage_definitions => true) \g /dev/null
GRANT USAGE ON SCHEMA orchestration TO regress_version_admin;
CREATE FUNCTION pg_temp.document(label text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('label', label, 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('A', 'I', 'version_screen')))) $$;
CREATE FUNCTION pg_temp.versions() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s %s%s', d.name, v.version, CASE WHEN d.active_version = v.version THEN ' active' END), ', ' ORDER BY d.name, v.version)
      FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id WHERE d.name LIKE 'Version%' $$;

--
-- The same document is no new version
--
SELECT orchestration.deploy_orchestration(pg_temp.document('one'), 'Version_A');
SELECT orchestration.deploy_orchestration(pg_temp.document('two'), 'Version_A');
SELECT orchestration.deploy_orchestration(pg_temp.document('one'), 'Version_A');
-- JSON is compared by value: spaces and the order of members do not count
SELECT orchestration.deploy_orchestration(replace(pg_temp.document('one')::text, ':', ' :  ')::jsonb, 'Version_A');
-- of another orchestration it is one
SELECT orchestration.deploy_orchestration(pg_temp.document('one'), 'Version_B');
-- XML is compared as text; the same definition in JSON is another document
SELECT $$<Flow xmlns="http://soap.sforce.com/2006/04/metadata"><label>X</label><processType>Orchestrator</processType></Flow>$$ AS xml \gset
SELECT orchestration.deploy_orchestration(:'xml'::xml, 'Version_X');
SELECT orchestration.deploy_orchestration(:'xml'::xml, 'Version_X');
SELECT orchestration.deploy_orchestration(replace(:'xml', '<label>', ' <label>')::xml, 'Version_X');
SELECT orchestration.deploy_orchestration(document, 'Version_X') FROM orchestration.orchestration_version WHERE label = 'X' AND version = 1;
SELECT orchestration.deploy_orchestration(document, 'Version_X') FROM orchestration.orchestration_version WHERE label = 'X' AND version = 1;
SELECT pg_temp.versions();
-- a document with errors is refused, whatever is stored
SELECT orchestration.deploy_orchestration('{"label": "one"}'::jsonb, 'Version_A');

--
-- Deletion
--
SELECT orchestration.activate_orchestration('Version_A', 1);
SELECT orchestration.start_orchestration('Version_A') AS open \gset
SELECT orchestration.start_orchestration('Version_A') AS canceled \gset
SELECT orchestration.cancel_run(:'canceled');
SELECT orchestration.delete_orchestration_version('Version_A', 1);
SELECT orchestration.activate_orchestration('Version_A', 2);
-- runs hold their version, also after they have ended
SELECT orchestration.delete_orchestration_version('Version_A', 1);
SELECT orchestration.complete_work_item(pg_temp.item('A', :'open'));
SELECT orchestration.delete_orchestration_version('Version_A', 1);
DELETE FROM orchestration.run WHERE id = :'open';
SELECT orchestration.delete_orchestration_version('Version_A', 1);
DELETE FROM orchestration.run WHERE id = :'canceled';
-- so does an imported one, with its orchestration or loaded without it
INSERT INTO orchestration.run (version_id, status, ended_at) SELECT id, 'Completed', now() FROM orchestration.orchestration_version WHERE label = 'one' AND version = 1 ORDER BY id LIMIT 1;
SELECT orchestration.delete_orchestration_version('Version_A', 1);
BEGIN;
ALTER TABLE orchestration.run DISABLE TRIGGER USER;
UPDATE orchestration.run SET orchestration_id = NULL;
SELECT orchestration.delete_orchestration_version('Version_A', 1);
ROLLBACK;
DELETE FROM orchestration.run;
SELECT orchestration.delete_orchestration_version('Version_A', 1);
SELECT pg_temp.versions();
-- names and versions that do not exist
SELECT orchestration.delete_orchestration_version('Version_A', 1);
SELECT orchestration.delete_orchestration_version('Version_Z', 1);
SELECT orchestration.delete_orchestration_version(NULL, 1);
SELECT orchestration.delete_orchestration_version('Version_A', NULL);
SELECT orchestration.delete_orchestration('Version_Z');
SELECT orchestration.delete_orchestration(NULL);

-- a session that has the version in memory starts no run of it
SELECT orchestration.start_orchestration('Version_A') AS run \gset
SELECT v.version FROM orchestration.run r JOIN orchestration.orchestration_version v ON v.id = r.version_id WHERE r.id = :'run';
-- nor imports one
DO $$
DECLARE
    gone uuid;
BEGIN
    PERFORM orchestration.deploy_orchestration(pg_temp.document('three'), 'Version_A');
    SELECT v.id INTO gone FROM orchestration.orchestration_version v WHERE label = 'three';
    INSERT INTO orchestration.run (version_id, status, ended_at) VALUES (gone, 'Completed', now());
    DELETE FROM orchestration.run WHERE version_id = gone;
    PERFORM orchestration.delete_orchestration_version('Version_A', 3);
    INSERT INTO orchestration.run (name, version_id, status, ended_at) VALUES ('late', gone, 'Completed', now());
END $$;

-- a number is not given again, also not that of the newest version
SELECT orchestration.deploy_orchestration(pg_temp.document('three'), 'Version_A');
SELECT orchestration.delete_orchestration_version('Version_A', 3);
SELECT orchestration.deploy_orchestration(pg_temp.document('three'), 'Version_A');
SELECT orchestration.delete_orchestration_version('Version_A', 4);
SELECT orchestration.delete_orchestration_version('Version_A', 4);
SELECT orchestration.deploy_orchestration(pg_temp.document('three'), 'Version_A');
SELECT pg_temp.versions();

-- nothing else deletes or changes them
DELETE FROM orchestration.orchestration_version WHERE label = 'three';
DELETE FROM orchestration.orchestration_definition WHERE name = 'Version_A';
UPDATE orchestration.orchestration_version SET version = 4 WHERE label = 'three';
-- not even a trigger of the owner, while a version is deleted
CREATE FUNCTION public.delete_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM orchestration.orchestration_version WHERE id <> OLD.id;
    RETURN OLD;
END $$;
CREATE TRIGGER aaa BEFORE DELETE ON orchestration.orchestration_version FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION public.delete_another();
SELECT orchestration.delete_orchestration_version('Version_A', 5);
DROP TRIGGER aaa ON orchestration.orchestration_version;
DROP FUNCTION public.delete_another();
-- an error leaves no permission behind
DELETE FROM orchestration.orchestration_version WHERE label = 'three';

--
-- A whole orchestration
--
SELECT orchestration.delete_orchestration('Version_A');
SELECT orchestration.deactivate_orchestration('Version_A');
SELECT orchestration.delete_orchestration('Version_A');
SELECT orchestration.cancel_run(:'run');
DELETE FROM orchestration.run;
SELECT orchestration.create_orchestration_sharing_rule('Version_A', (SELECT id FROM orchestration.principal WHERE username = 'ann@example.com'), 'Read', '{FlowOrchestrationInstance}') AS rule \gset
SELECT orchestration.delete_orchestration('Version_A');
SELECT orchestration.delete_sharing_rule(:'rule');
SELECT orchestration.delete_orchestration('Version_A');
SELECT orchestration.start_orchestration('Version_A');
SELECT pg_temp.versions();
-- the views and query() show what is left
SELECT api_name FROM orchestration.flow_orchestration WHERE api_name LIKE 'Version%' ORDER BY 1;
SELECT orchestration.query($$SELECT COUNT() FROM FlowOrchestrationVersion WHERE FlowOrchestration.ApiName = 'Version_A'$$)->'totalSize';
-- under the same name it begins anew
SELECT orchestration.deploy_orchestration(pg_temp.document('one'), 'Version_A');
-- an evaluation flow has no runs
SELECT orchestration.deploy_orchestration('{"label": "E", "processType": "EvaluationFlow", "start": {"connector": {"targetReference": "Set"}}, "variables": [{"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}],
  "assignments": [{"name": "Set", "label": "Set", "assignmentItems": [{"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": {"booleanValue": true}}]}]}'::jsonb, 'Version_E');
SELECT orchestration.activate_orchestration('Version_E'), orchestration.deactivate_orchestration('Version_E');
SELECT orchestration.delete_orchestration('Version_E');

--
-- 50 versions are kept
--
DO $$
BEGIN
    FOR i IN 2..50 LOOP
        PERFORM orchestration.deploy_orchestration(pg_temp.document('many ' || i), 'Version_A');
    END LOOP;
    PERFORM orchestration.activate_orchestration('Version_A', 50);
END $$;
SELECT orchestration.deploy_orchestration(pg_temp.document('many 51'), 'Version_A');
SELECT orchestration.deploy_orchestration(pg_temp.document('many 7'), 'Version_A');
SELECT orchestration.delete_orchestration_version('Version_A', n) FROM generate_series(1, 48) n \g /dev/null
SELECT orchestration.deploy_orchestration(pg_temp.document('many 51'), 'Version_A');
-- all of them with runs
INSERT INTO orchestration.run (version_id, status, ended_at) SELECT v.id, 'Completed', now() FROM orchestration.orchestration_version v WHERE v.label LIKE 'many %';
DO $$
BEGIN
    FOR i IN 52..98 LOOP
        PERFORM orchestration.deploy_orchestration(pg_temp.document('many ' || i), 'Version_A');
    END LOOP;
END $$;
INSERT INTO orchestration.run (version_id, status, ended_at) SELECT v.id, 'Completed', now() FROM orchestration.orchestration_version v WHERE v.label LIKE 'many %' AND v.version > 51;
SELECT orchestration.deploy_orchestration(pg_temp.document('many 99'), 'Version_A');
SELECT orchestration.delete_orchestration('Version_A');
SELECT orchestration.deactivate_orchestration('Version_A');
SELECT regexp_replace(pg_temp.try($$SELECT orchestration.delete_orchestration('Version_A')$$), 'OR-.*', '...');
DELETE FROM orchestration.run;
SELECT orchestration.delete_orchestration('Version_A');

--
-- Rights, and who did it
--
SET ROLE regress_version_user;
SELECT orchestration.delete_orchestration_version('Version_B', 1);
SELECT orchestration.delete_orchestration('Version_B');
SELECT count(*) FROM orchestration.definition_log;
SET ROLE regress_version_admin;
SELECT orchestration.deploy_orchestration(pg_temp.document('two'), 'Version_B');
SELECT orchestration.activate_orchestration('Version_B', 1);
SELECT orchestration.activate_orchestration('Version_B', 1);
SELECT orchestration.activate_orchestration('Version_B', 2);
SELECT orchestration.deactivate_orchestration('Version_B');
RESET ROLE;
-- runs that the caller does not see are counted, not named
SELECT orchestration.activate_orchestration('Version_B', 1);
SELECT orchestration.start_orchestration('Version_B', owner_id => :'user') IS NOT NULL, orchestration.start_orchestration('Version_B', owner_id => :'admin') IS NOT NULL;
SELECT orchestration.deactivate_orchestration('Version_B');
SET ROLE regress_version_admin;
SELECT orchestration.delete_orchestration_version('Version_B', 1);
SELECT orchestration.delete_orchestration_version('Version_B', 2);
SELECT event, version, p.username, l.role_name = session_user AS session_user, logged_at <= clock_timestamp() AND logged_at > now() - interval '1 hour' AS at
  FROM orchestration.definition_log l LEFT JOIN orchestration.principal p ON p.id = l.user_id WHERE orchestration_name = 'Version_B' ORDER BY logged_at, event DESC;
RESET ROLE;
-- a plain UPDATE is recorded, too
UPDATE orchestration.orchestration_definition SET active_version = 1 WHERE name = 'Version_B';
UPDATE orchestration.orchestration_definition SET active_version = NULL WHERE name = 'Version_B';
SELECT event, version FROM orchestration.definition_log WHERE orchestration_name = 'Version_B' ORDER BY logged_at DESC LIMIT 2;
-- and a record stays
UPDATE orchestration.definition_log SET event = 'Activated';
DELETE FROM orchestration.definition_log;
TRUNCATE orchestration.definition_log;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT orchestration.delete_orchestration(name) FROM orchestration.orchestration_definition WHERE name LIKE 'Version%' \g /dev/null
SELECT orchestration.update_user(id, is_active => false) FROM orchestration.principal WHERE username LIKE 'version-%' \g /dev/null
REVOKE USAGE ON SCHEMA orchestration FROM regress_version_admin;
UPDATE orchestration.principal SET role_name = NULL WHERE username LIKE 'version-%';
DROP ROLE regress_version_admin, regress_version_user;
