-- attack_owner: attacks by owners of actions, tables and types in a session.
--
-- The suite multiplies three lists: the places where the extension runs code of other owners,
-- statements that would leave something behind in the session or borrow its identity, and ways
-- to write that code (PL/pgSQL, PL/pgSQL that catches its errors, SQL).  After each call the
-- session must be as before, all code must have run as its owner, and an action that tried an
-- attack must have failed its step.  Single attacks that fit no list follow.
--
-- Effects at commit matter here, so the file rolls back nothing and has a database of its own.
-- test/t/010_attack_worker.pl does the same in the background worker.

\set QUIET 1
\set home :DBNAME
SET client_min_messages = error;
DROP DATABASE IF EXISTS attack_owner;
DROP ROLE IF EXISTS regress_owner, regress_caller, regress_other;
CREATE DATABASE attack_owner;
\connect attack_owner
SET client_min_messages = error;
CREATE EXTENSION orchestration;
CREATE EXTENSION pgtap;
SELECT no_plan();

CREATE ROLE regress_owner;
CREATE ROLE regress_caller;
CREATE ROLE regress_other;
GRANT CREATE ON DATABASE attack_owner TO regress_owner;
GRANT EXECUTE ON FUNCTION orchestration.run_queued_steps, orchestration.verify TO regress_caller;
SELECT orchestration.create_user('caller', 'Caller', 'regress_caller') AS caller, orchestration.create_user('owner', 'Owner', 'regress_owner') AS owner \gset
CREATE SCHEMA ow AUTHORIZATION regress_owner;
CREATE TABLE public.id AS SELECT :'caller'::uuid AS caller, :'owner'::uuid AS owner;

-- ------------------------------------------------------------ the owner's code
SET ROLE regress_owner;
GRANT USAGE ON SCHEMA ow TO PUBLIC;
CREATE TABLE ow.loot (who text, session name, super text, runs bigint, place text);
GRANT ALL ON ow.loot TO PUBLIC;
-- Checks the current user, and takes what it can if that is not the owner.  Code of a table
-- runs read-only, so advisory locks report: 777 the code ran, 666 it ran as another role.
CREATE FUNCTION ow.see() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    stack text;
    mine boolean := current_user = 'regress_owner';
BEGIN
    IF mine AND current_setting('row_security') = 'on' THEN
        mine := (SELECT count(*) FROM orchestration.run WHERE name = 'secret') = 0;
    END IF;
    IF mine THEN
        PERFORM pg_catalog.pg_advisory_xact_lock(777);
        RETURN true;
    END IF;
    PERFORM pg_catalog.pg_advisory_xact_lock(666);
    GET DIAGNOSTICS stack = PG_CONTEXT;
    BEGIN
        INSERT INTO ow.loot SELECT current_user, session_user, current_setting('is_superuser'), (SELECT count(*) FROM orchestration.run), stack;
        ALTER ROLE regress_owner SUPERUSER;
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    RETURN true;
END $$;
-- the attack; each case puts its statement here
CREATE FUNCTION ow.attack() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION ow.act(j jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN '{"isOrchestrationConditionMet": true}'; END $$;
CREATE FUNCTION ow.safe(j jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
CREATE FUNCTION ow.deferred() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.see(); RETURN NULL; END $$;
CREATE FUNCTION ow.seen(i integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM ow.see(); RETURN i; END $$;
CREATE FUNCTION ow.tried(i integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM ow.attack(); RETURN i; END $$;
CREATE PROCEDURE ow.commits() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
CREATE TABLE ow.plain (i integer);
CREATE TABLE ow.trigger (i integer);
CREATE CONSTRAINT TRIGGER d AFTER INSERT ON ow.trigger DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ow.deferred();
CREATE TABLE ow.parent (i integer PRIMARY KEY);
CREATE TABLE ow.child (i integer REFERENCES ow.parent DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE ow.once (i integer UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO ow.once VALUES (1);
-- the expression of a deferred exclusion constraint is evaluated again at commit
CREATE TABLE ow.excluded (i integer, EXCLUDE USING btree ((ow.seen(i)) WITH =) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO ow.excluded VALUES (1);
CREATE TABLE ow.checked (i bigint CHECK (pg_catalog.pg_try_advisory_lock(i)));
CREATE OPERATOR ow.@@@ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = pg_catalog.pg_try_advisory_lock);
CREATE FUNCTION ow.definer() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM pg_catalog.pg_advisory_unlock_all(); END $$;
CREATE FUNCTION ow.as_postgres() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN ow.see(); END $$;

-- tables and types: all code that can run when the extension reads a record
CREATE FUNCTION ow.checks(t text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN true; END $$;
CREATE DOMAIN ow.domain AS text CHECK (ow.checks(VALUE));
CREATE TYPE ow.enum AS ENUM ('a', 'b');
CREATE FUNCTION ow.enum_json(ow.enum) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN '"a"'; END $$;
CREATE FUNCTION ow.enum_jsonb(ow.enum) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN '"a"'; END $$;
CREATE FUNCTION ow.text_enum(text) RETURNS ow.enum LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN 'a'; END $$;
CREATE FUNCTION ow.equal(ow.enum, ow.enum) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN true; END $$;
CREATE CAST (ow.enum AS json) WITH FUNCTION ow.enum_json(ow.enum);
CREATE CAST (ow.enum AS jsonb) WITH FUNCTION ow.enum_jsonb(ow.enum);
CREATE CAST (text AS ow.enum) WITH FUNCTION ow.text_enum(text);
CREATE OPERATOR ow.= (LEFTARG = ow.enum, RIGHTARG = ow.enum, FUNCTION = ow.equal);
CREATE TYPE ow.composite AS (v ow.domain);
CREATE TABLE ow.by_domain (id ow.domain PRIMARY KEY);
CREATE TABLE ow.by_composite (id ow.composite PRIMARY KEY);
CREATE TABLE ow.by_enum (id ow.enum PRIMARY KEY);
CREATE TABLE ow.target (id integer PRIMARY KEY, x ow.enum DEFAULT 'a');
CREATE TABLE ow.record (id integer PRIMARY KEY, n integer DEFAULT 0, x ow.enum DEFAULT 'a', rel_id integer DEFAULT 1 REFERENCES ow.target);
CREATE TABLE ow.column (id integer PRIMARY KEY, d ow.domain DEFAULT 'd', c ow.composite);
CREATE TABLE ow.policy (id text PRIMARY KEY);
CREATE TABLE ow.planned (id text PRIMARY KEY, n integer);
INSERT INTO ow.by_domain VALUES ('k1');
INSERT INTO ow.by_composite VALUES (ROW('k1'));
INSERT INTO ow.by_enum VALUES ('a');
INSERT INTO ow.target VALUES (1);
INSERT INTO ow.record (id) VALUES (1);
INSERT INTO ow.column (id) VALUES (1);
INSERT INTO ow.policy VALUES ('p1');
INSERT INTO ow.planned VALUES ('q1', 1);
ALTER TABLE ow.policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE ow.planned ENABLE ROW LEVEL SECURITY;
-- The policy has no function, but the planner evaluates constants in statistics, indexes and
-- check constraints of children.
CREATE POLICY p ON ow.planned USING (true);
CREATE STATISTICS ow.statistics ON n, (ow.tried(1)) FROM ow.planned;
CREATE INDEX ON ow.planned ((ow.tried(2) + n));
CREATE INDEX ON ow.planned (n) WHERE ow.tried(3) = 3 OR n > 0;
CREATE TABLE ow.planned_child (CHECK (ow.tried(4) = 4 OR n > 0)) INHERITS (ow.planned);
GRANT SELECT, INSERT, UPDATE ON ow.record, ow.by_domain, ow.by_enum, ow.by_composite, ow.column, ow.policy, ow.planned TO PUBLIC;
RESET ROLE;

-- --------------------------------------------------------------- definitions
SELECT orchestration.register_action('Evil', 'function', 'ow.act(jsonb)'), orchestration.register_action('Safe', 'function', 'ow.safe(jsonb)'), orchestration.register_action('Form', 'screen') \g /dev/null
SELECT orchestration.register_record_type('By_Domain', 'ow.by_domain'), orchestration.register_record_type('By_Composite', 'ow.by_composite'), orchestration.register_record_type('By_Enum', 'ow.by_enum'),
       orchestration.register_record_type('Record', 'ow.record'), orchestration.register_record_type('Column', 'ow.column'), orchestration.register_record_type('Policy', 'ow.policy'), orchestration.register_record_type('Planned', 'ow.planned') \g /dev/null
CREATE FUNCTION public.define(name text, stage jsonb, step jsonb, start jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name, 'processType', 'Orchestrator',
        'start', start || '{"connector": {"targetReference": "S"}}'::jsonb,
        'orchestratedStages', jsonb_build_array('{"name": "S", "label": "S"}'::jsonb || stage || jsonb_build_object('stageSteps', jsonb_build_array(
            '{"name": "B", "label": "B", "actionType": "stepBackground", "actionName": "Safe"}'::jsonb || step)))));
    PERFORM orchestration.activate_orchestration(name);
END $$;
CREATE FUNCTION public.input(name text, reference text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('inputParameters', jsonb_build_array(jsonb_build_object('name', name, 'value', jsonb_build_object('elementReference', reference)))) $$;
SELECT orchestration.deploy_orchestration('{"fullName": "Lookup", "label": "Lookup", "processType": "EvaluationFlow", "start": {"connector": {"targetReference": "Get"}},
    "variables": [{"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}],
    "recordLookups": [{"name": "Get", "label": "Get", "object": "Column", "getFirstRecordOnly": true, "storeOutputAutomatically": true, "filterLogic": "and",
        "filters": [{"field": "D", "operator": "EqualTo", "value": {"stringValue": "d"}}], "connector": {"targetReference": "Get2"}},
        {"name": "Get2", "label": "Get2", "object": "Record", "getFirstRecordOnly": true, "storeOutputAutomatically": true, "filterLogic": "and",
        "filters": [{"field": "X", "operator": "EqualTo", "value": {"stringValue": "a"}}], "connector": {"targetReference": "Yes"}}],
    "assignments": [{"name": "Yes", "label": "Yes", "assignmentItems": [{"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": {"booleanValue": true}}]}]}'::jsonb) \g /dev/null
SELECT orchestration.activate_orchestration('Lookup') \g /dev/null
SELECT public.define('Sync', '{}', '{"actionName": "Evil"}'),
       public.define('Entry', '{}', '{"entryActionName": "Evil", "entryActionType": "evaluationFlow"}'),
       public.define('Exit', '{"exitActionName": "Evil", "exitActionType": "evaluationFlow"}', '{}'),
       public.define('Queued', '{}', '{"actionName": "Evil", "requiresAsyncProcessing": true}'),
       public.define('Plain', '{}', '{}'),
       public.define('Get_Records', '{}', '{"entryActionName": "Lookup", "entryActionType": "evaluationFlow"}'),
       public.define('Fetch', '{}', public.input('x', '$Record.x'), '{"object": "Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Update", "filterLogic": "and", "filters": [{"field": "n", "operator": "EqualTo", "value": {"numberValue": -1}}]}'),
       public.define('Follow', '{}', public.input('x', '$Record.Rel.x'), '{"object": "Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Update", "filterLogic": "and", "filters": [{"field": "n", "operator": "EqualTo", "value": {"numberValue": -1}}]}'),
       public.define('On_Create', '{}', public.input('x', '$Record.x'), '{"object": "Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}'),
       public.define('On_Update', '{}', public.input('x', '$Record.x'), '{"object": "Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Update", "filterLogic": "and", "filters": [{"field": "n", "operator": "GreaterThan", "value": {"numberValue": 0}}]}'),
       public.define('Item', '{}', '{"actionType": "stepInteractive", "actionName": "Form", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "caller"}}]}' || public.input('ActionInput__RecordId', '$Record.Id'),
           '{"object": "Column", "triggerType": "RecordAfterSave", "recordTriggerType": "Update"}') \g /dev/null
INSERT INTO orchestration.run (name, owner_id, status) SELECT 'secret', caller, 'InProgress' FROM public.id;

-- ------------------------------------------------------------------- harness
-- the session has an object of each kind; an attack may change none of them
CREATE TEMP TABLE noted (state jsonb, run uuid);
CREATE TEMP TABLE mine AS SELECT i FROM generate_series(1, 3) i;
PREPARE mine AS SELECT 1;
LISTEN mine;
DECLARE mine SCROLL CURSOR WITH HOLD FOR SELECT 'secret ' || i AS secret FROM generate_series(1, 3) i;
MOVE NEXT IN mine;
SELECT pg_advisory_lock(42) \g /dev/null
CREATE FUNCTION public.state() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    c pg_catalog.refcursor := 'mine';
    at text;
BEGIN
    BEGIN
        FETCH RELATIVE 0 FROM c INTO at;
    EXCEPTION WHEN OTHERS THEN
        at := SQLERRM;
    END;
    RETURN (SELECT pg_catalog.jsonb_object_agg('setting ' || name, setting || ' ' || source) FROM pg_catalog.pg_settings WHERE name NOT LIKE 'transaction_%')
        || pg_catalog.jsonb_build_object('users', pg_catalog.concat_ws(' ', current_user, session_user, pg_catalog.current_setting('role')),
            'custom setting', COALESCE(pg_catalog.current_setting('evil.custom', true), ''),
            'prepared', (SELECT pg_catalog.jsonb_agg(p.name ORDER BY p.name) FROM pg_catalog.pg_prepared_statements p),
            'cursors', (SELECT pg_catalog.jsonb_agg(p.name ORDER BY p.name) FROM pg_catalog.pg_cursors p WHERE p.name !~ '^<'),
            'cursor at', at,
            'listening', (SELECT pg_catalog.jsonb_agg(l ORDER BY l) FROM pg_catalog.pg_listening_channels() l),
            'advisory', (SELECT pg_catalog.jsonb_agg(objid::text || mode ORDER BY objid, mode) FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() AND objid NOT IN (666, 777)),
            'temporary', (SELECT pg_catalog.jsonb_agg(pg_catalog.pg_describe_object(classid, objid, 0) ORDER BY 1) FROM (SELECT DISTINCT classid, objid FROM pg_catalog.pg_depend
                WHERE refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid = pg_catalog.pg_my_temp_schema()) d));
END $$;
CREATE TABLE public.outcome (result text, ran boolean, wrong boolean);
GRANT ALL ON public.outcome TO PUBLIC;
-- makes the call; returns how it ended and whether the owner's code ran
CREATE FUNCTION public.called(call text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    result text := 'done';
    detail text;
    hint text;
BEGIN
    BEGIN
        EXECUTE call;
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        result := concat_ws(' | ', SQLSTATE, SQLERRM, detail, hint);
    END;
    INSERT INTO public.outcome SELECT result, bool_or(objid = 777), bool_or(objid = 666)
      FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid IN (666, 777);
END $$;
CREATE FUNCTION public.prepare_case(statement text, manner text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION ow.attack() RETURNS void LANGUAGE %s AS %L', CASE manner WHEN 'SQL' THEN 'sql' ELSE 'plpgsql' END,
        CASE manner WHEN 'SQL' THEN format('SELECT ow.see(); %s; SELECT ow.see();', statement)
             WHEN 'plain' THEN format('BEGIN PERFORM ow.see(); EXECUTE %L; PERFORM ow.see(); END', statement)
             ELSE format('BEGIN PERFORM ow.see(); BEGIN EXECUTE %L; EXCEPTION WHEN OTHERS THEN NULL; END; PERFORM ow.see(); END', statement) END);
    DELETE FROM public.outcome;
    DELETE FROM ow.loot;
    DELETE FROM noted;
    INSERT INTO noted SELECT public.state(), (SELECT max(id::text)::uuid FROM orchestration.run);
END $$;
CREATE FUNCTION public.note_after() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO pg_temp.noted VALUES (public.state()); END $$;
-- the end of the run, objects left behind, rights gained
CREATE FUNCTION public.verdict(kind text, way_out boolean, must_run boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o public.outcome;
    r record;
    told text;
    before jsonb := (SELECT state FROM noted WHERE run IS NOT NULL);
    after jsonb := (SELECT state FROM noted WHERE run IS NULL);
BEGIN
    SELECT * INTO o FROM public.outcome;
    SELECT status, error::text AS error, (SELECT string_agg(t.error::text, ' ') FROM orchestration.step_run t WHERE t.run_id = run.id) AS step_error INTO r
      FROM orchestration.run WHERE id > (SELECT run FROM noted WHERE run IS NOT NULL) ORDER BY id DESC LIMIT 1;
    told := concat_ws(' ', r.error, r.step_error);
    RETURN concat_ws('; ',
        CASE WHEN NOT FOUND THEN COALESCE(o.result, 'the commit failed') ELSE r.status::text END,
        CASE WHEN way_out AND r.status = 'Error' AND (told NOT LIKE '%Evil%' OR told NOT LIKE '%background worker%') THEN 'no way out named: ' || told END,
        CASE WHEN o.wrong THEN 'ran as another' END,
        CASE WHEN must_run AND o.ran IS NOT TRUE THEN 'did not run at all: ' || o.result END,
        (SELECT 'loot: ' || string_agg(DISTINCT concat_ws(' ', who, session, super, place), ', ') FROM ow.loot),
        (SELECT 'a superuser' FROM pg_roles WHERE rolname = 'regress_owner' AND rolsuper),
        (SELECT 'left: ' || string_agg(concat_ws(' ', COALESCE(b.key, a.key), b.value, '->', a.value), ', ' ORDER BY 1) FROM jsonb_each(before) b FULL JOIN jsonb_each(after) a ON b.key = a.key WHERE b.value IS DISTINCT FROM a.value));
END $$;
CREATE FUNCTION public.clean() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    CREATE OR REPLACE FUNCTION ow.attack() RETURNS void LANGUAGE sql AS '';
    ALTER ROLE regress_owner NOSUPERUSER;
    FOR name IN SELECT c.name FROM pg_cursors c WHERE c.name IN ('atk', 'mine') LOOP EXECUTE format('CLOSE %I', name); END LOOP;
    EXECUTE $x$DECLARE mine SCROLL CURSOR WITH HOLD FOR SELECT 'secret ' || i AS secret FROM generate_series(1, 3) i$x$;
    EXECUTE 'MOVE NEXT IN mine';
    FOR name IN SELECT p.name FROM pg_prepared_statements p WHERE p.name <> 'mine' LOOP EXECUTE format('DEALLOCATE %I', name); END LOOP;
    IF NOT EXISTS (SELECT FROM pg_prepared_statements p WHERE p.name = 'mine') THEN PREPARE mine AS SELECT 1; END IF;
    UNLISTEN *;
    LISTEN mine;
    PERFORM pg_advisory_unlock_all();
    PERFORM pg_advisory_lock(42);
    FOR name IN SELECT CASE WHEN d.classid = 'pg_class'::regclass THEN format('DROP %s pg_temp.%I CASCADE', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.relname)
                            WHEN d.classid = 'pg_type'::regclass THEN format('DROP TYPE IF EXISTS pg_temp.%I CASCADE', t.typname)
                            WHEN d.classid = 'pg_proc'::regclass THEN format('DROP ROUTINE IF EXISTS %s CASCADE', d.objid::regprocedure) END
                  FROM pg_depend d LEFT JOIN pg_class c ON c.oid = d.objid LEFT JOIN pg_type t ON t.oid = d.objid
                 WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = pg_my_temp_schema() AND (c.relname LIKE 'atk%' OR t.typname LIKE 'atk%' OR d.classid = 'pg_proc'::regclass AND d.objid::regproc::text LIKE '%atk') LOOP
        EXECUTE name;
    END LOOP;
END $$;

-- ---------------------------------------------------------------- the lists
-- kind: T refused because its effect outlives the call (the error names the way out); L the
-- same, at once or when the function returns; R refused for another reason; U allowed, and rolled
-- back or harmless
CREATE TABLE public.statement (number serial, kind "char", statement text);
INSERT INTO public.statement (kind, statement) VALUES
    ('U', 'SELECT 1'),
    ('T', 'CREATE TEMP TABLE atk (i integer)'), ('T', 'CREATE TEMP TABLE atk AS SELECT 1 AS i'), ('T', 'CREATE TABLE pg_temp.atk (i integer)'),
    ('T', 'CREATE TEMP TABLE atk (i integer) ON COMMIT DROP'), ('T', 'CREATE TEMP SEQUENCE atk'), ('T', 'CREATE TEMP VIEW atk AS SELECT 1 AS i'),
    ('L', 'CREATE FUNCTION pg_temp.atk() RETURNS integer LANGUAGE sql AS ''SELECT 1'''), ('L', 'CREATE PROCEDURE pg_temp.atk() LANGUAGE sql AS '''''),
    ('L', 'CREATE TYPE pg_temp.atk AS ENUM (''a'')'), ('T', 'CREATE TYPE pg_temp.atk AS (i integer)'), ('L', 'CREATE TYPE pg_temp.atk AS RANGE (subtype = integer)'),
    ('L', 'CREATE DOMAIN pg_temp.atk AS integer CHECK (ow.see())'), ('L', 'CREATE AGGREGATE pg_temp.atk(integer) (SFUNC = int4pl, STYPE = integer)'),
    ('T', 'DECLARE atk CURSOR WITH HOLD FOR SELECT ow.see()'),
    ('T', 'PREPARE atk AS SELECT ow.see()'), ('T', 'DEALLOCATE mine'), ('T', 'DEALLOCATE ALL'),
    ('T', 'LISTEN atk'), ('T', 'UNLISTEN mine'), ('T', 'UNLISTEN *'),
    ('T', 'DISCARD PLANS'), ('T', 'DISCARD SEQUENCES'), ('R', 'DISCARD ALL'),
    ('T', 'CLOSE mine'), ('T', 'CLOSE ALL'),
    ('R', 'DO $x$ DECLARE c refcursor := ''mine''; BEGIN CLOSE c; END $x$'),
    ('R', 'FETCH NEXT FROM mine'), ('R', 'MOVE ALL IN mine'),
    ('R', 'DO $x$ DECLARE c refcursor := ''mine''; t text; BEGIN FETCH c INTO t; INSERT INTO ow.loot VALUES (t); END $x$'),
    ('R', 'INSERT INTO ow.loot SELECT left(cursor_to_xml(''mine'', 3, true, false, '''')::text, 60)'),
    ('T', 'INSERT INTO ow.trigger VALUES (1)'), ('T', 'INSERT INTO ow.child VALUES (1)'), ('T', 'INSERT INTO ow.once VALUES (1)'), ('T', 'INSERT INTO ow.excluded VALUES (1)'),
    ('T', 'WITH w AS (INSERT INTO ow.trigger VALUES (1) RETURNING i) SELECT i FROM w'),
    ('R', 'SET ROLE regress_owner'), ('R', 'SET ROLE NONE'), ('R', 'RESET ROLE'), ('R', 'SET LOCAL ROLE regress_owner'), ('R', 'SET SESSION AUTHORIZATION regress_owner'),
    ('R', 'SET LOCAL SESSION AUTHORIZATION DEFAULT'), ('R', 'SET SESSION AUTHORIZATION DEFAULT'), ('R', 'RESET SESSION AUTHORIZATION'),
    ('R', 'SELECT set_config(''role'', ''none'', false)'), ('R', 'SELECT set_config(''session_authorization'', ''postgres'', true)'),
    ('U', 'UPDATE pg_settings SET setting = ''none'' WHERE name IN (''role'', ''session_authorization'')'),
    ('R', 'DO $x$ BEGIN EXECUTE ''CREATE OR REPLACE FUNCTION ow.as_postgres() RETURNS boolean LANGUAGE plpgsql SET role = postgres AS $y$ BEGIN RETURN ow.see(); END $y$''; PERFORM ow.as_postgres(); END $x$'),
    ('R', 'SET CONSTRAINTS ALL IMMEDIATE'), ('R', 'SET CONSTRAINTS ALL DEFERRED'), ('R', 'SET CONSTRAINTS ow.d IMMEDIATE'),
    ('R', 'SELECT pg_advisory_lock(1)'), ('R', 'SELECT pg_advisory_lock_shared(1)'), ('R', 'SELECT pg_advisory_lock(1, 1)'), ('R', 'SELECT pg_try_advisory_lock(1)'), ('R', 'SELECT pg_try_advisory_lock_shared(1, 1)'),
    ('R', 'SELECT pg_advisory_unlock(42)'), ('R', 'SELECT pg_advisory_unlock_shared(42)'), ('R', 'SELECT pg_advisory_unlock_all()'), ('R', 'SELECT ow.definer()'),
    ('R', 'SELECT 1 OPERATOR(ow.@@@) 1'), ('R', 'INSERT INTO ow.checked VALUES (1)'), ('R', 'SELECT query_to_xml(''SELECT pg_advisory_unlock_all()'', true, false, '''')'), ('R', 'SELECT * FROM pg_try_advisory_lock(1)'),
    ('R', 'DO $x$ BEGIN COMMIT; END $x$'), ('R', 'DO $x$ BEGIN ROLLBACK; END $x$'), ('R', 'CALL ow.commits()'), ('R', 'SAVEPOINT a'),
    ('R', 'ALTER ROLE regress_owner SUPERUSER'), ('R', 'ALTER ROLE postgres SET search_path = ow'), ('R', 'ALTER SYSTEM SET work_mem = ''1MB'''), ('R', 'CREATE EVENT TRIGGER atk ON ddl_command_end EXECUTE FUNCTION ow.deferred()'),
    ('R', 'GRANT regress_other TO regress_owner'), ('R', 'ALTER FUNCTION ow.act(jsonb) OWNER TO regress_other'), ('R', 'SET session_replication_role = replica'), ('R', 'SET orchestration.user_id = ''''' ),
    ('R', 'SELECT pg_terminate_backend(pg_backend_pid())'), ('R', 'COPY ow.plain TO PROGRAM ''true'''), ('R', 'LOAD ''/tmp/atk'''),
    ('R', 'CREATE TABLE orchestration.atk (i integer)'), ('R', 'SELECT * FROM orchestration.step_queue'), ('R', 'LOCK TABLE orchestration.run IN ACCESS EXCLUSIVE MODE'),
    ('U', 'SET search_path = ow'), ('U', 'SET LOCAL search_path = ow'), ('U', 'SELECT set_config(''search_path'', ''ow'', false)'), ('U', 'RESET search_path'),
    ('U', 'SET statement_timeout = ''1h'''), ('U', 'SET lock_timeout = ''1h'''), ('U', 'SET idle_in_transaction_session_timeout = ''1h'''), ('U', 'SET default_transaction_read_only = on'),
    ('U', 'SET default_transaction_isolation = serializable'), ('U', 'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY'), ('U', 'SET row_security = off'), ('U', 'SET client_encoding = LATIN1'),
    ('U', 'SET TIME ZONE ''Asia/Tokyo'''), ('U', 'SET DateStyle = SQL'), ('U', 'SET IntervalStyle = iso_8601'), ('U', 'SET standard_conforming_strings = off'), ('U', 'SET application_name = evil'),
    ('U', 'SET client_min_messages = warning'), ('U', 'SET work_mem = ''64kB'''), ('U', 'SET enable_indexscan = off'), ('U', 'SET plan_cache_mode = force_custom_plan'), ('U', 'SET jit = off'),
    ('U', 'SET evil.custom = evil'), ('U', 'SELECT set_config(''evil.custom'', ''evil'', false)'), ('U', 'RESET ALL'), ('U', 'UPDATE pg_settings SET setting = ''ow'' WHERE name = ''search_path'''),
    ('U', 'SET transaction_read_only = on'), ('U', 'SET TRANSACTION READ ONLY'), ('U', 'SET default_table_access_method = heap'), ('U', 'SET synchronous_commit = off'), ('U', 'SET extra_float_digits = -15'),
    ('U', 'DECLARE atk CURSOR FOR SELECT ow.see()'), ('U', 'DO $x$ DECLARE c refcursor := ''atk''; BEGIN OPEN c FOR SELECT ow.see(); END $x$'),
    ('U', 'DO $x$ DECLARE c refcursor := ''atk''; BEGIN BEGIN OPEN c FOR SELECT ow.see(); EXCEPTION WHEN division_by_zero THEN NULL; END; END $x$'),
    ('U', 'SELECT lo_open(lo_create(0), 393216)'), ('U', 'NOTIFY atk, ''x'''), ('U', 'SELECT pg_advisory_xact_lock(5)'), ('U', 'LOCK TABLE ow.plain IN ACCESS EXCLUSIVE MODE'), ('U', 'ALTER ROLE regress_owner SET search_path = ow'),
    ('U', 'INSERT INTO ow.plain VALUES (1)'), ('U', 'CREATE TABLE ow.atk (i integer); DROP TABLE ow.atk'), ('U', 'SELECT setval(pg_get_serial_sequence(''ow.plain'', ''i''), 1)'), ('U', 'EXECUTE mine');
CREATE TABLE public.place (number serial, place text, kind text, caller name, call text, must_run boolean DEFAULT false);
INSERT INTO public.place (place, kind, caller, call) VALUES
    ('background step', 'action', 'postgres', $$SELECT orchestration.start_orchestration('Sync')$$),
    ('entry condition', 'condition', 'postgres', $$SELECT orchestration.start_orchestration('Entry')$$),
    ('exit condition', 'condition', 'regress_caller', $$SELECT orchestration.start_orchestration('Exit')$$),
    ('run_queued_steps()', 'action', 'postgres', $$SELECT orchestration.start_orchestration('Queued'); SELECT orchestration.run_queued_steps()$$),
    ('dry_run()', 'dry', 'postgres', $$SELECT count(*) FROM orchestration.dry_run('Sync')$$),
    ('a key, asked of all tables', 'table', 'postgres', $$SELECT orchestration.start_orchestration('Plain', 'k1')$$),
    ('a composite key', 'table', 'regress_caller', $$SELECT orchestration.start_orchestration('Plain', '(k1)')$$),
    ('a key and a row policy', 'table', 'regress_caller', $$SELECT orchestration.start_orchestration('Plain', 'p1')$$),
    ('record_exists()', 'table', 'postgres', $$SELECT orchestration.record_exists('By_Domain', 'k1'), orchestration.record_exists('By_Composite', '(k1)'), orchestration.record_exists('By_Enum', 'a')$$),
    ('$Record', 'table', 'postgres', $$SELECT orchestration.start_orchestration('Fetch', '1')$$),
    ('$Record.Rel.x', 'table', 'postgres', $$SELECT orchestration.start_orchestration('Follow', '1')$$),
    ('Get Records', 'table', 'postgres', $$SELECT orchestration.start_orchestration('Get_Records')$$),
    ('a work item''s record', 'table', 'postgres', $$SELECT orchestration.start_orchestration('Item', '1')$$),
    ('INSERT', 'table', 'postgres', $$INSERT INTO ow.record (id) SELECT max(id) + 1 FROM ow.record$$),
    ('UPDATE', 'table', 'regress_caller', $$UPDATE ow.record SET n = n + 1 WHERE id = 1$$),
    ('COPY', 'table', 'postgres', $$COPY ow.record (id) FROM PROGRAM 'date +%N'$$),
    ('verify()', 'table', 'postgres', $$SELECT count(*) FROM orchestration.verify()$$),
    ('a key and the planner', 'table', 'regress_caller', $$SELECT orchestration.start_orchestration('Plain', 'q1')$$);
UPDATE public.place SET must_run = true WHERE place IN ('$Record', '$Record.Rel.x', 'Get Records', 'INSERT', 'UPDATE', 'COPY');

-- a policy runs the owner's code, too
SET ROLE regress_owner;
CREATE POLICY p ON ow.policy USING (ow.checks(id));
RESET ROLE;

-- -------------------------------------------------------------- the product
SET check_function_bodies = off;
\set ON_ERROR_STOP 0
SELECT format('SELECT public.prepare_case(%L, %L)', s.statement, m.manner),
       format('SET SESSION AUTHORIZATION %I', p.caller),
       format('SELECT public.called(%L)', p.call),
       'RESET SESSION AUTHORIZATION',
       'SELECT public.note_after()',
       'RESET ALL',
       'SET client_min_messages = error; SET check_function_bodies = off',
       format('SELECT is(%s, %L, %L)',
           CASE WHEN p.kind = 'table' THEN format($$regexp_replace(public.verdict(%L, false, %L), '^[^;]*(; )?', '')$$, s.kind, p.must_run)
                WHEN s.kind = 'L' AND m.manner = 'swallowed' THEN format($$regexp_replace(public.verdict(%L, %L, false), '^Completed$', 'Error')$$, s.kind, p.kind = 'action')
                ELSE format('public.verdict(%L, %L, false)', s.kind, s.kind IN ('T', 'L') AND p.kind = 'action') END,
           CASE WHEN p.kind = 'table' THEN '' WHEN p.kind = 'dry' THEN 'done' WHEN s.kind = 'U' OR m.manner = 'swallowed' AND s.kind <> 'L' THEN 'Completed' ELSE 'Error' END,
           p.place || ', ' || m.manner || ': ' || s.statement),
       'SELECT public.clean()'
  FROM public.place p CROSS JOIN public.statement s CROSS JOIN (VALUES (1, 'plain'), (2, 'swallowed'), (3, 'SQL')) m (number, manner)
 WHERE (p.place = 'background step' OR p.kind IN ('action', 'condition') AND m.manner <> 'SQL' OR m.manner = 'swallowed')
   -- one check serves all places: not every statement at every place
   AND (p.place IN ('background step', 'entry condition', 'run_queued_steps()') OR s.kind IN ('T', 'L') AND (p.kind <> 'table' OR (s.number + p.number) % 3 = 0)
        OR s.number = 1 OR (s.number + p.number) % 6 = 0)
   AND NOT (m.manner = 'SQL' AND s.statement ~ '^(SAVEPOINT|DO|CALL|LOAD|SELECT setval)')
 ORDER BY p.number, m.number, s.number \gexec

-- ------------------------------------------------------- policies of a table
-- the policy, and whether the record may count as readable
CREATE TABLE public.policy (number serial, readable boolean, policy text);
INSERT INTO public.policy (readable, policy) VALUES
    (true, 'true'), (true, 'id = ''p1'''), (true, 'length(id) > 0'), (true, 'ow.defined(id)'),
    (false, 'ow.checks(id)'), (false, 'ow.checks(id) IS NOT NULL AND true'), (false, '(SELECT ow.checks(id))'), (false, 'EXISTS (SELECT FROM ow.view)'),
    (false, 'id::ow.domain IS NOT NULL'), (false, 'ARRAY[id]::ow.domain[] IS NOT NULL'), (false, 'ROW(id)::ow.composite IS NOT NULL'), (false, 'id::ow.enum IS NOT NULL'),
    (false, 'x OPERATOR(ow.=) x'), (false, 'to_jsonb(x) IS NOT NULL'), (false, 'to_json(x) IS NOT NULL'), (false, 'row_to_json(policy) IS NOT NULL'), (false, 'jsonb_build_object(''x'', x) IS NOT NULL'),
    (false, '(SELECT jsonb_agg(y) FROM unnest(ARRAY[x]) y) IS NOT NULL'), (false, 'array_to_json(ARRAY[x]) IS NOT NULL'),
    (false, 'jsonb_populate_record(NULL::ow.composite, ''{"v": "x"}'') IS NOT NULL'), (false, 'EXISTS (SELECT FROM jsonb_to_record(''{"v": "x"}'') r(v ow.domain))'),
    (false, 'query_to_xml(''SELECT ow.checks(''''x'''')'', true, false, '''') IS NOT NULL'), (false, 'table_to_xml(''ow.view'', true, false, '''') IS NOT NULL'), (false, 'schema_to_xml(''empty'', true, false, '''') IS NOT NULL'),
    (false, 'EXISTS (SELECT FROM ts_stat(''SELECT ow.vector()''))'), (false, 'ts_rewrite(''a''::tsquery, ''SELECT ow.query(), ow.query()'') IS NOT NULL'),
    (false, 'EXISTS (SELECT FROM ow.other)'), (false, 'ow.tried(1) = 1'), (false, '(SELECT ow.aggregated(1)) = 1');
INSERT INTO public.policy (readable, policy) SELECT false, 'pg_input_is_valid(id, ''ow.domain'')' WHERE current_setting('server_version_num')::integer >= 160000;
SET ROLE regress_owner;
ALTER TABLE ow.policy ADD x ow.enum DEFAULT 'a';
CREATE FUNCTION ow.defined(t text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN ow.see(); END $$;
CREATE VIEW ow.view AS SELECT ow.checks('x') AS x;
CREATE SCHEMA empty;
GRANT USAGE ON SCHEMA empty TO PUBLIC;
CREATE VIEW empty.view AS SELECT ow.checks('x') AS x;
GRANT SELECT ON empty.view TO PUBLIC;
CREATE FUNCTION ow.vector() RETURNS tsvector LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN 'a'; END $$;
CREATE FUNCTION ow.query() RETURNS tsquery LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN 'a'; END $$;
CREATE FUNCTION ow.adds(integer, integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM ow.attack(); RETURN 1; END $$;
CREATE AGGREGATE ow.aggregated(integer) (SFUNC = ow.adds, STYPE = integer, INITCOND = '0');
CREATE TABLE ow.other (i integer);
INSERT INTO ow.other VALUES (1);
GRANT SELECT ON ow.other, ow.view TO PUBLIC;
ALTER TABLE ow.other ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON ow.other USING (ow.checks('x'));
RESET ROLE;
SELECT format('ALTER POLICY p ON ow.policy USING (%s)', p.policy),
       'SELECT public.prepare_case(''SELECT 1'', ''plain'')',
       'SET SESSION AUTHORIZATION regress_caller',
       $$SELECT public.called('SELECT orchestration.start_orchestration(''Plain'', ''p1'')')$$,
       'RESET SESSION AUTHORIZATION',
       'SELECT public.note_after()',
       format('SELECT is(left(public.verdict(''U'', false, false), 51), %L, %L)', CASE WHEN p.readable THEN 'Completed' ELSE 'OR101 | no registered record type has a record "p1"' END, 'policy: ' || p.policy),
       'SELECT public.clean()'
  FROM public.policy p ORDER BY number \gexec

-- ---------------------------------------------- code of a table only reads
SET ROLE regress_owner;
SELECT orchestration.start_orchestration('Plain') AS owned \gset
RESET ROLE;
UPDATE orchestration.run SET owner_id = (SELECT owner FROM public.id) WHERE id = :'owned';
CREATE TABLE public.write (number serial, statement text);
INSERT INTO public.write (statement) VALUES
    ('SELECT orchestration.start_orchestration(''Plain'')'), (format('SELECT orchestration.suspend_run(%L)', :'owned')), (format('DELETE FROM orchestration.run WHERE id = %L', :'owned')),
    (format('UPDATE orchestration.run SET name = ''taken'' WHERE id = %L', :'owned')), (format('SELECT orchestration.post_to_feed(%L, ''x'')', :'owned')), ('SELECT orchestration.reevaluate_run(''x'', ''y'')'),
    ('INSERT INTO ow.plain VALUES (1)'), ('SET transaction_read_only = off'), ('UPDATE ow.target SET id = id'), ('CREATE TABLE ow.made (i integer)'), ('ALTER ROLE regress_owner SET search_path = ow');
DELETE FROM ow.plain;
SELECT 'SELECT public.prepare_case(' || quote_literal(w.statement) || ', ''swallowed'')',
       'SET SESSION AUTHORIZATION regress_caller',
       format('SELECT public.called(%L)', c.call),
       'RESET SESSION AUTHORIZATION',
       'SELECT public.note_after()',
       format('SELECT is(concat_ws(''; '', regexp_replace(public.verdict(''U'', false, false), ''^[^;]*(; )?'', ''''), (SELECT count(*) FROM ow.plain), (SELECT count(*) FROM orchestration.run WHERE name = ''taken'' OR owner_id = (SELECT owner FROM public.id) AND id <> %L),
           (SELECT count(*) FROM orchestration.feed_item WHERE body = ''x''), to_regclass(''ow.made'')), ''; 0; 0; 0'', %L)', :'owned', 'behind a table: ' || w.statement || ', by ' || c.call),
       'SELECT public.clean()'
  FROM public.write w, (VALUES ('SELECT orchestration.start_orchestration(''Fetch'', ''1'')'), ('UPDATE ow.record SET n = n + 1 WHERE id = 1')) c (call) ORDER BY w.number, c.call \gexec

-- ------------------------------------------------ results of a function
SELECT format('CREATE OR REPLACE FUNCTION ow.act(j jsonb) RETURNS jsonb LANGUAGE plpgsql AS %L', format('BEGIN %s; END', v.body)),
       'SELECT public.prepare_case(''SELECT 1'', ''plain'')',
       'SET SESSION AUTHORIZATION regress_caller',
       $$SELECT public.called('SELECT orchestration.start_orchestration(''Sync'')')$$,
       'RESET SESSION AUTHORIZATION',
       'SELECT public.note_after()',
       format('SELECT matches(public.verdict(''U'', false, false), %L, %L)', v.expected, 'a function: ' || left(v.body, 60)),
       'SELECT public.clean()'
  FROM (VALUES
    (1, 'RETURN NULL', '^Completed$'), (2, 'RETURN ''[1]''', '^(Completed|Error)$'), (3, 'RETURN ''"x"''', '^(Completed|Error)$'), (4, 'RETURN ''null''', '^(Completed|Error)$'),
    (5, 'RETURN jsonb_build_object(''x'', repeat(''x'', 20000000))', '^(Completed|Error)$'), (6, 'RETURN (repeat(''{"a":'', 5000) || 1 || repeat(''}'', 5000))::jsonb', '^(Completed|Error)$'),
    (7, 'RETURN (SELECT jsonb_object_agg(i, i) FROM generate_series(1, 100000) i)', '^(Completed|Error)$'),
    (8, 'EXECUTE ''CREATE OR REPLACE FUNCTION ow.act(j jsonb) RETURNS jsonb LANGUAGE sql AS $x$ SELECT ow.see()::text::jsonb $x$''; PERFORM ow.see(); RETURN ''{}''', '^Completed$'),
    (9, 'EXECUTE ''ALTER FUNCTION ow.act(jsonb) SET search_path = ow''; RETURN ''{}''', '^Completed$'),
    (10, 'EXECUTE ''ALTER FUNCTION ow.act(jsonb) SECURITY DEFINER''; RETURN ow.act(''{}'')', '^(Error$|54001)'),
    (11, 'RETURN ow.act(j)', '^(Error$|54001)'),
    (12, 'RAISE ''x'' USING ERRCODE = ''P0004''', '^Error$'), (13, 'RAISE ''x'' USING ERRCODE = ''XX000''', '^Error$'), (14, 'RAISE ''x'' USING ERRCODE = ''OR101''', '^Error$'), (15, 'RAISE ''x'' USING ERRCODE = ''42501'', MESSAGE = ''security-restricted operation''', '^Error$'),
    (16, 'RAISE ''x'' USING ERRCODE = ''57014''', '^(Error$|57014)'), (17, 'RAISE ''x'' USING ERRCODE = ''40001''', '^(Error$|40001)'), (18, 'RAISE ''x'' USING ERRCODE = ''53200''', '^(Error$|53200)'), (19, 'RAISE ''x'' USING ERRCODE = ''54001''', '^(Error$|54001)'),
    (20, 'BEGIN BEGIN RAISE ''x''; EXCEPTION WHEN OTHERS THEN RAISE ''y''; END; EXCEPTION WHEN OTHERS THEN BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN PERFORM ow.see(); END; END; RETURN ''{}''', '^Completed$'),
    (21, 'EXECUTE ''DROP FUNCTION ow.act(jsonb)''; RETURN ''{}''', '^Completed$')) v (number, body, expected) ORDER BY number \gexec

-- a function that forges the error of a cancel does not stop other queued functions
SET ROLE regress_owner;
CREATE OR REPLACE FUNCTION ow.act(j jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'x' USING ERRCODE = j->>'state'; END $$;
RESET ROLE;
SELECT public.define('Forged_' || e, '{}', jsonb_build_object('actionName', 'Evil', 'requiresAsyncProcessing', true, 'inputParameters', jsonb_build_array(jsonb_build_object('name', 'state', 'value', jsonb_build_object('stringValue', e))))) FROM unnest('{57014,40001,53200}'::text[]) e \g /dev/null
SELECT public.define('Honest', '{}', '{"actionName": "Safe", "requiresAsyncProcessing": true}') \g /dev/null
DELETE FROM orchestration.run WHERE orchestration_name IN ('Queued', 'Honest') AND status = 'InProgress';
SELECT orchestration.start_orchestration('Forged_57014'), orchestration.start_orchestration('Forged_40001'), orchestration.start_orchestration('Forged_53200'), orchestration.start_orchestration('Honest') AS honest \gset
SELECT public.called('SELECT orchestration.run_queued_steps()') FROM generate_series(1, 2) \g /dev/null
SELECT is((SELECT status::text FROM orchestration.run WHERE id = :'honest'), 'Completed', 'run_queued_steps(): other functions go on beside one that raises 57014, 40001, 53200');

-- --------------------------------------------------- attacks by the caller
-- a temporary table of the caller does not replace a table of the owner
CREATE SCHEMA ca AUTHORIZATION regress_caller;
SET ROLE regress_owner;
CREATE TABLE ow.audit (t text);
CREATE OR REPLACE FUNCTION ow.safe(j jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES ('x'); RETURN '{}'; END $$;
RESET ROLE;
SET search_path = ow, public;
SELECT orchestration.register_action('Note', 'function', 'ow.safe(jsonb)') \g /dev/null
RESET search_path;
SELECT public.define('Note', '{}', '{"actionName": "Note"}') \g /dev/null
SET SESSION AUTHORIZATION regress_caller;
CREATE TABLE ca.loot (who name);
GRANT USAGE ON SCHEMA ca TO PUBLIC;
GRANT ALL ON ca.loot TO PUBLIC;
CREATE FUNCTION ca.steal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ca.loot VALUES (current_user); RETURN NEW; END $$;
CREATE TEMP TABLE audit (t text);
GRANT ALL ON audit TO PUBLIC;
CREATE TRIGGER s BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION ca.steal();
SELECT orchestration.start_orchestration('Note') \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM ow.audit), 1::bigint, 'a temporary table of the caller: the function writes to its own table');
SELECT is((SELECT string_agg(who, ' ') FROM ca.loot), NULL, 'and the trigger on the temporary table does not run as the owner');
-- triggers that the caller deferred run as the caller, at the caller's commit
SET SESSION AUTHORIZATION regress_caller;
CREATE TABLE ca.later (i integer);
CREATE CONSTRAINT TRIGGER d AFTER INSERT ON ca.later DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ca.steal();
RESET SESSION AUTHORIZATION;
SET ROLE regress_owner;
CREATE OR REPLACE FUNCTION ow.act(j jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN BEGIN SET CONSTRAINTS ALL IMMEDIATE; EXCEPTION WHEN OTHERS THEN NULL; END; RETURN '{}'; END $$;
RESET ROLE;
SET SESSION AUTHORIZATION regress_caller;
BEGIN;
INSERT INTO ca.later VALUES (1);
SELECT orchestration.start_orchestration('Sync') \g /dev/null
SELECT count(*) AS early FROM ca.loot \gset
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT is(:early, 0, 'deferred triggers of the caller do not fire in a function');
SELECT is((SELECT string_agg(who, ' ') FROM ca.loot), 'regress_caller', 'deferred triggers fire at commit, as the caller');

-- -------------------------------------------------------------------- in all
\set ON_ERROR_STOP 1
SELECT is((SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname LIKE 'regress%' AND (rolsuper OR rolcreaterole OR rolbypassrls OR pg_has_role(rolname, 'regress_other', 'MEMBER') AND rolname <> 'regress_other')), NULL, 'no role gained a right');
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify()');
SELECT * FROM finish();
CLOSE ALL;
\connect :home
SET client_min_messages = error;
DROP DATABASE attack_owner;
DROP ROLE regress_owner, regress_caller, regress_other;
