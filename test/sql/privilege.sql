-- Rights of roles without grants, and the role whose rights each kind of code uses.
SET client_min_messages = warning;
ALTER SEQUENCE orchestration.run_name_seq RESTART;
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
SELECT orchestration.create_user('app@example.com', 'Application', 'regress_orch_app') AS app \gset
SELECT orchestration.update_user(:'app', manage_definitions => true, modify_all_data => true) AS updated;
GRANT EXECUTE ON FUNCTION orchestration.register_action TO regress_orch_dev;
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

-- a call works without any privilege on tables: the engine runs in system context
SET ROLE regress_orch_app;
SELECT orchestration.start_orchestration('Traced') IS NOT NULL AS started;
SELECT current_user, count(*) FROM orchestration.run;
RESET ROLE;
SELECT * FROM dev.trace;
SELECT name, status FROM orchestration.flow_orchestration_instance;
SELECT kind, actor FROM orchestration.flow_orchestration_log ORDER BY name;

-- no setting of the caller reaches the engine: not the caller's operators, functions or tables
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

-- a BEFORE trigger that fires after the guard's cannot undo the verdict
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

-- keys and parents cannot change, and rows cannot be deleted
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

-- a role that may call every function and use no table: functions in system context work,
-- functions in SQL (users and groups, verify) use the caller's rights
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA orchestration TO regress_orch_app;
CREATE TABLE public.thing (id integer PRIMARY KEY);
INSERT INTO thing VALUES (1);
SELECT orchestration.register_record_type('Thing', 'thing');
SELECT orchestration.register_action('Screen', 'screen'), orchestration.register_action('Work', 'worker');
SELECT orchestration.create_user('pam@example.com', 'Pam') IS NOT NULL AS created;
SELECT orchestration.deploy_orchestration('{"fullName": "Person", "label": "Person", "processType": "Orchestrator",
  "start": {"connector": {"targetReference": "S"}, "object": "Thing", "recordTriggerType": "Create", "triggerType": "RecordAfterSave"},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "P", "label": "P", "actionType": "stepInteractive", "actionName": "Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "pam@example.com"}}]},
    {"name": "W", "label": "W", "actionType": "stepBackground", "actionName": "Work", "entryConditionLogic": "and"}]}]}'::jsonb);
SELECT orchestration.activate_orchestration('Person');
-- a new session, with hostile objects in front of everything from the start
\c -
SET client_min_messages = warning;
CREATE SCHEMA evil AUTHORIZATION regress_orch_app;
SET ROLE regress_orch_app;
SET search_path = evil, pg_temp, orchestration, pg_catalog;
CREATE FUNCTION evil.bad() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil as %', current_user; END $$;
DO $$
DECLARE
    t text;
    f text;
BEGIN
    -- equality, order and concatenation of every type the engine uses
    FOREACH t IN ARRAY '{uuid,text,integer,bigint,timestamptz,jsonb,boolean,name,interval}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION evil.op(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN PERFORM evil.bad(); RETURN true; END''', t);
        EXECUTE format('CREATE OPERATOR evil.= (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = evil.op)', t);
        EXECUTE format('CREATE OPERATOR evil.<> (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = evil.op)', t);
        EXECUTE format('CREATE OPERATOR evil.<= (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = evil.op)', t);
        EXECUTE format('CREATE OPERATOR evil.+ (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = evil.op)', t);
    END LOOP;
    -- functions that the engine's statements call
    FOREACH f IN ARRAY '{now,clock_timestamp,statement_timestamp,new_id}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION evil.%I() RETURNS timestamptz LANGUAGE plpgsql AS ''BEGIN PERFORM evil.bad(); RETURN NULL; END''', f);
    END LOOP;
    -- tables of the same names, in the schema and temporary
    FOREACH t IN ARRAY '{run,stage_run,step_run,run_record,work_item,run_log,step_queue,action,principal,record_type,orchestration_definition,orchestration_version}'::text[] LOOP
        EXECUTE format('CREATE TABLE evil.%I (id uuid)', t);
        EXECUTE format('CREATE TEMP TABLE %I (id uuid)', t);
    END LOOP;
END
$$;
CREATE TYPE evil.run_status AS ENUM ('evil');
CREATE TEMP TABLE uuid (id integer);
SELECT orchestration.start_orchestration('Traced') IS NOT NULL AS started;
-- a caller who names a record must be able to read it
SELECT orchestration.start_orchestration('Person', '1', '{}', 'key') AS run_id;
RESET ROLE;
GRANT SELECT (id) ON public.thing TO regress_orch_app;
SET ROLE regress_orch_app;
SELECT orchestration.start_orchestration('Person', '1', '{}', 'key') AS run_id \gset
SELECT orchestration.suspend_run(:'run_id'), orchestration.resume_run(:'run_id');
SELECT action, inputs, attempt FROM orchestration.claim_steps('w', '{Work}');
SELECT accepted, reason FROM orchestration.complete_steps('[{"step_id": "00000000-0000-7000-8000-000000000001", "lease_id": "00000000-0000-7000-8000-000000000001"}]');
SELECT orchestration.run_queued_steps();
SELECT orchestration.record_exists('Thing', '1');
SELECT orchestration.evaluate_conditions('{"conditionLogic": "and", "conditions": [{"leftValueReference": "a", "operator": "EqualTo", "rightValue": {"numberValue": 1}}]}', '{"a": 1}');
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS any FROM orchestration.orchestration_references('Person');
SELECT orchestration.deploy_orchestration('{"fullName": "Mine", "label": "Mine", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [{"name": "T", "label": "T", "actionType": "stepBackground", "actionName": "Trace", "entryConditionLogic": "and"}]}]}'::jsonb);
SELECT orchestration.activate_orchestration('Mine');
SELECT orchestration.register_action('Mine', 'worker');
SELECT orchestration.unregister_action('Mine');
SELECT orchestration.cancel_run(:'run_id');
SELECT count(*) FROM orchestration.verify();
-- a record that the caller does not see
SELECT orchestration.register_record_type('Stolen', 'public.thing');
SELECT orchestration.unregister_record_type('Thing');
SELECT orchestration.register_action('Stolen', 'function', 'dev.trace_it(jsonb)');
UPDATE orchestration.run SET name = 'his';
SELECT count(*) FROM orchestration.step_queue;
SELECT nextval('orchestration.run_name_seq');
RESET ROLE;
RESET search_path;

-- a role that may write a registered table starts its orchestrations, without any other right
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA orchestration FROM regress_orch_app;
GRANT INSERT, DELETE ON public.thing TO regress_orch_app;
SET ROLE regress_orch_app;
INSERT INTO public.thing VALUES (2);
DELETE FROM public.thing WHERE id = 1;
RESET ROLE;
SELECT orchestration_name, status, triggering_record_id FROM orchestration.run ORDER BY id;
SELECT l.actor FROM orchestration.flow_orchestration_log l JOIN orchestration.run r ON r.id = l.orchestration_instance_id
 WHERE l.kind = 'StartInstance' AND r.triggering_record_id = '2';

-- an action has the rights of its owner
SET ROLE regress_orch_dev;
CREATE OR REPLACE FUNCTION dev.trace_it(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orchestration.run SET name = 'his';
    RETURN '{}';
END
$$;
RESET ROLE;
SELECT orchestration.start_orchestration('Traced') IS NOT NULL AS started;
SELECT status, error->>'message' AS message FROM orchestration.run ORDER BY id DESC LIMIT 1;
SET ROLE regress_orch_dev;
CREATE OR REPLACE FUNCTION dev.trace_it(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; RETURN '{}'; END $$;
RESET ROLE;
SELECT orchestration.start_orchestration('Traced') IS NOT NULL AS started;
SELECT status, error->>'message' AS message FROM orchestration.run ORDER BY id DESC LIMIT 1;
SET ROLE regress_orch_dev;
CREATE OR REPLACE FUNCTION dev.trace_it(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN SET SESSION AUTHORIZATION DEFAULT; RETURN '{}'; END $$;
RESET ROLE;
SELECT orchestration.start_orchestration('Traced') IS NOT NULL AS started;
SELECT status, error->>'message' AS message FROM orchestration.run ORDER BY id DESC LIMIT 1;
SELECT current_user = session_user AS still_us;
SELECT * FROM orchestration.verify();

DROP SCHEMA evil CASCADE;
UPDATE orchestration.run SET status = 'Canceled' WHERE status = 'InProgress';
DELETE FROM orchestration.run;
SELECT orchestration.unregister_record_type('Thing');
DROP TABLE public.thing;
SELECT orchestration.unregister_action('Trace'), orchestration.unregister_action('Screen'), orchestration.unregister_action('Work');
DROP SCHEMA dev CASCADE;
DROP OWNED BY regress_orch_dev, regress_orch_app;
DROP ROLE regress_orch_nobody, regress_orch_app, regress_orch_dev;

-- trigger functions that are not called as the triggers they are: each refuses
RESET ROLE;
SET search_path = public;
CREATE TABLE public.wrong_trigger (id uuid, run_id uuid, status text);
CREATE FUNCTION public.wrongly(function regproc, kind text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER wrong %s ON public.wrong_trigger %s EXECUTE FUNCTION %s()', split_part(kind, '/', 1), split_part(kind, '/', 2), function);
    INSERT INTO public.wrong_trigger VALUES (NULL);
    UPDATE public.wrong_trigger SET status = 'x';
    TRUNCATE public.wrong_trigger;
    DROP TRIGGER wrong ON public.wrong_trigger;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END$$;
SELECT kind, wrongly(p.oid::regproc, kind) AS answer, string_agg(p.proname, ' ' ORDER BY p.proname)
  FROM pg_proc p, unnest('{BEFORE TRUNCATE/FOR EACH STATEMENT,BEFORE UPDATE/FOR EACH ROW,AFTER INSERT/FOR EACH STATEMENT}'::text[]) kind
 WHERE p.pronamespace = 'orchestration_internal'::regnamespace AND p.prorettype = 'trigger'::regtype AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
 GROUP BY 1, 2 ORDER BY 1, 2;
DROP FUNCTION public.wrongly(regproc, text);
DROP TABLE public.wrong_trigger;
