-- Who may do what without grants, and whose rights are used where.
SET client_min_messages = warning;
CREATE ROLE regress_orch_nobody;
CREATE ROLE regress_orch_app;
CREATE ROLE regress_orch_dev;
CREATE SCHEMA dev AUTHORIZATION regress_orch_dev;

-- nothing without a grant
SET ROLE regress_orch_nobody;
SELECT orchestration.start_orchestration('Any');
SELECT * FROM orchestration.run;
RESET ROLE;

-- an action runs as the owner of its function, with the search_path of its registration
SET ROLE regress_orch_dev;
CREATE TABLE dev.trace (who name, path text);
CREATE FUNCTION dev.trace_it(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trace VALUES (current_user, current_setting('search_path'));
    RETURN '{}';
END
$$;
RESET ROLE;
GRANT USAGE ON SCHEMA orchestration TO regress_orch_dev, regress_orch_app;
GRANT EXECUTE ON FUNCTION orchestration.register_action TO regress_orch_dev;
GRANT EXECUTE ON FUNCTION orchestration.start_orchestration TO regress_orch_app;
SET ROLE regress_orch_dev;
SET search_path = dev, public;
SELECT orchestration.register_action('Trace', 'function', 'trace_it(jsonb)');
RESET search_path;
RESET ROLE;
SELECT orchestration.deploy_orchestration('{"fullName": "Traced", "label": "Traced", "processType": "Orchestrator",
  "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "T", "label": "T", "actionType": "stepBackground", "actionName": "Trace", "entryConditionLogic": "and"}]}]}'::jsonb);
SELECT orchestration.activate_orchestration('Traced');

-- one granted call works without any privilege on tables: the engine runs in system context
SET ROLE regress_orch_app;
SELECT orchestration.start_orchestration('Traced') IS NOT NULL AS started;
SELECT current_user, count(*) FROM orchestration.run;
RESET ROLE;
SELECT * FROM dev.trace;
SELECT name, status FROM orchestration.flow_orchestration_instance;
SELECT kind, actor FROM orchestration.flow_orchestration_log ORDER BY name;

-- nothing of the caller's settings reaches the engine: operators, functions and tables of his
CREATE SCHEMA evil;
GRANT ALL ON SCHEMA evil TO regress_orch_app;
SET ROLE regress_orch_app;
CREATE FUNCTION evil.bad(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil as %', current_user; END $$;
CREATE OPERATOR evil.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = evil.bad);
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil as %', current_user; END $$;
CREATE TEMP TABLE run (id uuid);
CREATE TEMP TABLE action (name text);
SET search_path = evil, pg_temp, orchestration, pg_catalog;
SELECT orchestration.start_orchestration('Traced') IS NOT NULL AS started;
RESET search_path;
RESET ROLE;

-- a BEFORE trigger that runs late cannot undo the verdict
CREATE FUNCTION evil.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status := 'InProgress'; RETURN NEW; END $$;
CREATE TRIGGER zz_late BEFORE UPDATE ON orchestration.stage_run FOR EACH ROW EXECUTE FUNCTION evil.late();
DO $$ BEGIN UPDATE orchestration.stage_run SET label = 'late'; EXCEPTION WHEN OTHERS THEN RAISE WARNING '% %', SQLSTATE, regexp_replace(SQLERRM, '\(.*\)', ''); END $$;
DROP TRIGGER zz_late ON orchestration.stage_run;

-- an error in the middle of an engine call leaves nothing behind in the transaction
CREATE FUNCTION public.start_and_fail() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM orchestration.start_orchestration('Traced');
        RAISE EXCEPTION 'after the start';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
    PERFORM orchestration.start_orchestration('Traced', inputs => '{"nothing": 1}');
    RETURN 'not reached';
EXCEPTION WHEN OTHERS THEN
    PERFORM orchestration.start_orchestration('Traced');
    RETURN SQLERRM;
END
$$;
SELECT public.start_and_fail();
SELECT name, status, (SELECT count(*) FROM orchestration.run_log l WHERE l.run_id = r.id) AS entries
  FROM orchestration.run r ORDER BY created_at, name;
SELECT * FROM orchestration.verify();

-- keys, parents and rows stay
UPDATE orchestration.run SET version_id = NULL WHERE name = 'OR-00000001';
DO $$ BEGIN UPDATE orchestration.stage_run SET status = 'InProgress'; EXCEPTION WHEN OTHERS THEN RAISE WARNING '% %', SQLSTATE, regexp_replace(SQLERRM, '\(.*\)', ''); END $$;
DELETE FROM orchestration.principal;
DELETE FROM orchestration.orchestration_version;
DO $$ BEGIN DELETE FROM orchestration.step_run; EXCEPTION WHEN SQLSTATE 'OR005' THEN RAISE WARNING '% %', SQLSTATE, regexp_replace(SQLERRM, '\(.*\)', ''); END $$;
TRUNCATE orchestration.run CASCADE;

DROP FUNCTION public.start_and_fail();
DROP SCHEMA evil CASCADE;
DROP TABLE pg_temp.run, pg_temp.action;
DELETE FROM orchestration.run;
SELECT orchestration.unregister_action('Trace');
DROP SCHEMA dev CASCADE;
REVOKE ALL ON SCHEMA orchestration FROM regress_orch_dev, regress_orch_app;
REVOKE ALL ON FUNCTION orchestration.register_action, orchestration.start_orchestration FROM regress_orch_dev, regress_orch_app;
DROP ROLE regress_orch_nobody, regress_orch_app, regress_orch_dev;
