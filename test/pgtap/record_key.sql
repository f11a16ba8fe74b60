-- record_key: records whose key has any type, and any settings of the session.
--
-- Generated: {type of key} x {alone, second of two columns} x {settings of the session} x {the
-- record is inserted and starts a run, updated and wakes it, named by calls in other spellings,
-- read as $Record, gets another key, is deleted}.  Settings change between any two operations.
-- The id is the same text under all settings, and lookups never dangle (verify()).

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = error;
SELECT no_plan();

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS ltree WITH SCHEMA public;
CREATE TYPE public.rk_enum AS ENUM ('b', 'a', 'a b');
CREATE DOMAIN public.rk_day AS date CHECK (VALUE > '1900-01-01');
CREATE DOMAIN public.rk_code AS public.citext;
CREATE TYPE public.rk_pair AS (n integer, day date);

SELECT orchestration.register_action('RK_Screen', 'screen'), orchestration.create_user('rk@example.com') \g /dev/null

CREATE TEMP TABLE key_type (n integer GENERATED ALWAYS AS IDENTITY, type text, v1 text, id1 text, v2 text, id2 text, spellings text[]);
-- v1, v2: as SQL; spellings: other texts of v1
INSERT INTO key_type (type, v1, id1, v2, id2, spellings) VALUES
    ('smallint', '7', '7', '-8', '-8', '{007," 7 ",+7}'),
    ('integer', '7', '7', '8', '8', '{007," 7 "}'),
    ('bigint', '9007199254740993', '9007199254740993', '8', '8', '{09007199254740993}'),
    ('numeric', '1.0', '1.0', '2.50', '2.50', '{1,1.00,1e0,10e-1}'),
    ('numeric', '''NaN''', 'NaN', '''-Infinity''', '-Infinity', '{nan," NaN"}'),
    ('numeric(6,2)', '1', '1.00', '2', '2.00', '{1,1.0,001}'),
    ('real', '0.1', '0.1', '''-Infinity''', '-Infinity', '{0.10,1e-1}'),
    ('float8', '0.1::float8 + 0.2::float8', '0.30000000000000004', '1e300', '1e+300', '{0.300000000000000040,3.0000000000000004e-1}'),
    ('float8', '0', '0', '''NaN''', 'NaN', '{-0,0.0,0e5}'),
    ('text', '$q$a"b\c,(d) e'' $q$', '$q$a"b\c,(d) e'' $q$', '''(7,8)''', '(7,8)', '{}'),
    ('text', '''{"a":1}''', '{"a":1}', '''ü''', 'ü', '{}'),
    ('varchar(10)', '''a b''', 'a b', '''c''', 'c', '{}'),
    ('char(5)', '''ab''', 'ab', '''c d''', 'c d', '{"ab   "}'),
    ('name', '''ab''', 'ab', '''c''', 'c', '{}'),
    ('"char"', '''a''', 'a', '''b''', 'b', '{}'),
    ('boolean', 'true', 't', 'false', 'f', '{true,yes,1,on,TRUE}'),
    ('uuid', '''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11''', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '''00000000-0000-0000-0000-000000000000''', '00000000-0000-0000-0000-000000000000',
        '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,a0eebc999c0b4ef8bb6d6bb9bd380a11,"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"}'),
    -- other spellings are read by the fixed settings, month before day
    ('date', '''2026-01-02''', '2026-01-02', '''infinity''', 'infinity', '{20260102,"January 2, 2026",01/02/2026,2026.002}'),
    ('date', '''0044-03-15 BC''', '0044-03-15 BC', '''-infinity''', '-infinity', '{"03/15/0044 BC"}'),
    ('date', '''5874897-12-31''', '5874897-12-31', '''epoch''', '1970-01-01', '{}'),
    ('timestamp', '''2026-01-02 03:04:05.5''', '2026-01-02 03:04:05.5', '''-infinity''', '-infinity', '{2026-01-02T03:04:05.500,"2026-01-02 03:04:05.5+07"}'),
    ('timestamp', '''0044-03-15 12:00 BC''', '0044-03-15 12:00:00 BC', '''2026-01-02''', '2026-01-02 00:00:00', '{}'),
    ('timestamptz', '''2026-01-02 03:04:05+00''', '2026-01-02 03:04:05+00', '''infinity''', 'infinity', '{2026-01-02T03:04:05Z,"2026-01-02 05:04:05+02","2026-01-02 03:04:05","2026-01-01 22:04:05 America/New_York"}'),
    ('timestamptz', '''0044-03-15 12:00:00+00 BC''', '0044-03-15 12:00:00+00 BC', '''2026-07-01 00:00+02''', '2026-06-30 22:00:00+00', '{}'),
    ('time', '''03:04:05.06''', '03:04:05.06', '''24:00''', '24:00:00', '{"3:04:05.060 AM"}'),
    ('timetz', '''03:04:05+02''', '03:04:05+02', '''03:04:05-07''', '03:04:05-07', '{030405+0200}'),
    ('interval', '''1 day 02:00''', '1 day 02:00:00', '''-1 mon''', '-1 mons', '{"26 hours",P1DT2H,"1 02:00"}'),
    ('bytea', '''\x00ff5c''', '\x00ff5c', '''\x''', '\x', '{"\\000\\377\\\\","\\x00 FF 5C"}'),
    ('inet', '''10.0.0.1''', '10.0.0.1', '''::1''', '::1', '{10.0.0.1/32}'),
    ('cidr', '''10.0.0.0/8''', '10.0.0.0/8', '''10.1.0.0/16''', '10.1.0.0/16', '{10/8}'),
    ('macaddr', '''08:00:2b:01:02:03''', '08:00:2b:01:02:03', '''08:00:2b:01:02:04''', '08:00:2b:01:02:04', '{08002b010203,08-00-2B-01-02-03}'),
    ('money', '''1234.5''', '$1,234.50', '''-1''', '-$1.00', '{1234.50,"1,234.5"}'),
    ('bit(4)', 'B''0101''', '0101', 'B''1111''', '1111', '{x5}'),
    ('varbit', 'B''01''', '01', 'B''''', '', '{}'),
    ('oid', '7', '7', '4294967295', '4294967295', '{007}'),
    ('jsonb', '''{"b": 1.0, "a": [1]}''', '{"a": [1], "b": 1.0}', '''null''', 'null', '{"{\"a\":[1.00],\"b\":1}"}'),
    ('pg_lsn', '''0/A''', '0/A', '''1/0''', '1/0', '{0/000A}'),
    ('regclass', '''public.rk_a''', 'public.rk_a', '''orchestration.run''', 'orchestration.run', '{public.rk_a}'),
    ('regtype', '''public.rk_enum''', 'public.rk_enum', '''integer''', 'integer', '{public.rk_enum}'),
    ('int4range', '''[1,5)''', '[1,5)', '''empty''', 'empty', '{"[1,4]","(0,5)"}'),
    ('tstzrange', '''[2026-01-02 00:00+00,2026-01-03 00:00+00)''', '["2026-01-02 00:00:00+00","2026-01-03 00:00:00+00")', '''(,)''', '(,)', '{"[2026-01-02 02:00+02,2026-01-03)"}'),
    ('integer[]', '''{1,2}''', '{1,2}', '''{}''', '{}', '{"{01, 2}"}'),
    ('date[]', '''{2026-01-02}''', '{2026-01-02}', '''{infinity}''', '{infinity}', '{"{01/02/2026}"}'),
    ('public.rk_enum', '''a''', 'a', '''a b''', 'a b', '{}'),
    ('public.rk_day', '''2026-01-02''', '2026-01-02', '''2027-01-02''', '2027-01-02', '{20260102}'),
    ('public.citext', '''Ab''', 'Ab', '''C''', 'C', '{ab,AB,aB}'),
    ('public.rk_code', '''Ab''', 'Ab', '''C''', 'C', '{ab,AB}'),
    ('public.ltree', '''a.b''', 'a.b', '''c''', 'c', '{}'),
    ('public.rk_pair', '(1, ''2026-01-02'')', '(1,2026-01-02)', '(2, ''infinity'')', '(2,infinity)', '{"(01,01/02/2026)"}'),
    ('public.rk_enum[]', '''{a}''', '{a}', '''{a,b}''', '{a,b}', '{"{ a }"}');
-- dollar quotes above stand for themselves in ids
UPDATE key_type SET id1 = $q$a"b\c,(d) e' $q$ WHERE id1 LIKE '$q$%';

CREATE TABLE public.rk_a ();
CREATE TEMP TABLE session (n integer, name text, value text);
INSERT INTO session
SELECT s.n, e.key, e.value
  FROM (VALUES (0, '{"datestyle": "ISO, MDY", "timezone": "UTC", "intervalstyle": "postgres", "bytea_output": "hex", "extra_float_digits": "1", "search_path": "public, pg_catalog"}'::jsonb),
               (1, '{"datestyle": "SQL, DMY", "timezone": "America/New_York", "intervalstyle": "sql_standard", "bytea_output": "escape", "extra_float_digits": "-15", "search_path": "pg_catalog, public"}'),
               (2, '{"datestyle": "German, YMD", "timezone": "Asia/Kathmandu", "intervalstyle": "iso_8601", "bytea_output": "escape", "extra_float_digits": "0", "search_path": "pg_catalog"}'),
               (3, '{"datestyle": "Postgres, DMY", "timezone": "-13:45", "intervalstyle": "postgres_verbose", "bytea_output": "hex", "extra_float_digits": "3", "search_path": "orchestration, public"}')) s (n, settings),
       jsonb_each_text(s.settings) e;
CREATE FUNCTION pg_temp.session(n integer) RETURNS void LANGUAGE sql AS $$
    SELECT count(set_config(s.name, s.value, false)) FROM pg_temp.session s WHERE s.n = session.n % 4 $$;

-- the id of a key with 7 before this part: as the text of a row, with types whose text is plain
CREATE FUNCTION pg_temp.part(id text, composite boolean) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN composite THEN ROW(7, id)::text ELSE id END $$;

-- executes a statement; returns its error
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- the lookups of runs and items, each once
CREATE FUNCTION pg_temp.lookups(type text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', count(*), string_agg(DISTINCT COALESCE(r.triggering_record_id, '-'), ' & '),
                     string_agg(DISTINCT COALESCE(w.related_record_id, '-'), ' & '))
      FROM orchestration.run r JOIN orchestration.step_run t ON t.run_id = r.id AND t.name = 'Person'
      JOIN orchestration.work_item w ON w.run_id = r.id AND w.step_run_id = t.id
     WHERE r.orchestration_name = lookups.type $$;

-- one record of a type, from INSERT to DELETE; the settings are those of session, then others
CREATE FUNCTION pg_temp.play(k pg_temp.key_type, composite boolean, session integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    type_name text := format('RK_%s_%s', k.n, CASE WHEN composite THEN 'Two' ELSE 'One' END);
    id1 text := pg_temp.part(k.id1, composite);
    id2 text := pg_temp.part(k.id2, composite);
    tab text := lower('public.' || type_name);
    spelling text;
    found text;
    wrong text[] := '{}';
    read text;
BEGIN
    PERFORM pg_temp.session(session);
    EXECUTE format('INSERT INTO %s (tenant, k) VALUES (7, %s)', tab, k.v1);
    IF pg_temp.lookups(type_name) IS DISTINCT FROM concat_ws(' | ', 1, id1, id1) THEN
        wrong := wrong || ('inserted: ' || pg_temp.lookups(type_name));
    END IF;
    -- what the run reads does not depend on the session
    SELECT w.screen_flow_inputs::text INTO read FROM orchestration.work_item w JOIN orchestration.run r ON r.id = w.run_id WHERE r.orchestration_name = type_name AND w.label = 'P';
    IF read <> COALESCE((SELECT t.inputs FROM pg_temp.read_inputs t WHERE t.name = type_name), read) THEN
        wrong := wrong || ('$Record: ' || read);
    END IF;
    INSERT INTO pg_temp.read_inputs VALUES (type_name, read) ON CONFLICT DO NOTHING;

    PERFORM pg_temp.session(session + 1);
    EXECUTE format('UPDATE %s SET note = ''go''', tab);
    IF NOT EXISTS (SELECT FROM orchestration.step_run t JOIN orchestration.run r ON r.id = t.run_id WHERE r.orchestration_name = type_name AND t.name = 'Go' AND t.status = 'InProgress') THEN
        wrong := wrong || 'not woken'::text;
    END IF;
    EXECUTE format('SELECT orchestration.record_key(%L, t), orchestration.record_key(%1$L, ROW(%s)) FROM %s t', type_name,
                   CASE WHEN composite THEN 'tenant, k' ELSE 'k' END, tab) INTO spelling, found;
    IF spelling IS DISTINCT FROM id1 OR found IS DISTINCT FROM id1 THEN
        wrong := wrong || format('record_id() of the row: %s, of its values: %s', spelling, found);
    END IF;
    FOREACH spelling IN ARRAY k.spellings || k.id1 LOOP
        spelling := pg_temp.part(spelling, composite);
        PERFORM pg_temp.session(session + 2);
        IF orchestration.record_exists(type_name, spelling) IS NOT TRUE THEN
            wrong := wrong || ('does not exist: ' || spelling);
        END IF;
        PERFORM pg_temp.session(session);
        found := orchestration.record_key(type_name, spelling);
        IF found IS DISTINCT FROM id1 THEN
            wrong := wrong || format('record_id(%s): %s', spelling, found);
        END IF;
        PERFORM pg_temp.session(session + 3);
        found := pg_temp.try(format('SELECT orchestration.start_orchestration(%L, %L)', type_name, spelling));
        IF found IS NOT NULL THEN
            wrong := wrong || format('start %s: %s', spelling, found);
        END IF;
        -- a plain write, with the type and without it (another type may have a record of this id)
        found := pg_temp.try(format('UPDATE orchestration.run SET triggering_record_id = NULL, triggering_record_type = NULL WHERE orchestration_name = %L', type_name));
        found := pg_temp.try(format('UPDATE orchestration.run SET triggering_record_id = %L, triggering_record_type = %L WHERE orchestration_name = %2$L', spelling, type_name));
        IF found IS NOT NULL THEN
            wrong := wrong || format('written %s: %s', spelling, found);
        END IF;
    END LOOP;
    found := concat_ws(' | ', cardinality(k.spellings) + 2, id1, id1);
    IF pg_temp.lookups(type_name) IS DISTINCT FROM found THEN
        wrong := wrong || ('started: ' || pg_temp.lookups(type_name));
    END IF;
    PERFORM pg_temp.session(session + 2);
    EXECUTE format('UPDATE %s SET k = %s', tab, k.v2);
    found := concat_ws(' | ', cardinality(k.spellings) + 2, id2, id2);
    IF pg_temp.lookups(type_name) IS DISTINCT FROM found THEN
        wrong := wrong || ('another key: ' || pg_temp.lookups(type_name));
    END IF;
    IF session = 1 THEN
        SELECT string_agg(format('%s %s %s', v.invariant, v.object, v.detail), ', ') INTO found FROM orchestration.verify() v;
        IF found IS NOT NULL THEN
            wrong := wrong || ('verify(): ' || found);
        END IF;
    END IF;
    PERFORM pg_temp.session(session + 3);
    EXECUTE format('DELETE FROM %s', tab);
    found := concat_ws(' | ', cardinality(k.spellings) + 2, '-', '-');
    IF pg_temp.lookups(type_name) IS DISTINCT FROM found THEN
        wrong := wrong || ('deleted: ' || pg_temp.lookups(type_name));
    END IF;
    PERFORM pg_temp.session(0);
    UPDATE orchestration.run SET status = 'Canceled' WHERE orchestration_name = type_name;
    DELETE FROM orchestration.run WHERE orchestration_name = type_name;
    RETURN array_to_string(wrong, '; ');
END
$$;

CREATE TEMP TABLE read_inputs (name text PRIMARY KEY, inputs text);
DO $$
DECLARE
    k pg_temp.key_type;
    name text;
    composite boolean;
BEGIN
    FOR k IN SELECT * FROM pg_temp.key_type LOOP
        FOREACH composite IN ARRAY '{false,true}'::boolean[] LOOP
            name := format('RK_%s_%s', k.n, CASE WHEN composite THEN 'Two' ELSE 'One' END);
            -- a text column of the composite tables is compared with the key's own text
            EXECUTE format('CREATE TABLE %s (note text, k %s, tenant integer, PRIMARY KEY (%s))', lower('public.' || name), k.type,
                           CASE WHEN composite THEN 'tenant, k' ELSE 'k' END);
            PERFORM orchestration.register_record_type(name, lower('public.' || name)::regclass);
            PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name, 'processType', 'Orchestrator',
                'start', jsonb_build_object('connector', '{"targetReference": "S"}'::jsonb, 'object', name, 'triggerType', 'RecordAfterSave', 'recordTriggerType', 'Create'),
                'orchestratedStages', '[{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
                    {"name": "Person", "label": "P", "actionType": "stepInteractive", "actionName": "RK_Screen", "entryConditionLogic": "and",
                     "inputParameters": [{"name": "ActionInput__RecordId", "value": {"elementReference": "$Record.Id"}}, {"name": "id", "value": {"elementReference": "$Record.Id"}},
                         {"name": "k", "value": {"elementReference": "$Record.k"}}, {"name": "all", "value": {"elementReference": "$Record"}}],
                     "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "rk@example.com"}}]},
                    {"name": "Go", "label": "G", "actionType": "stepInteractive", "actionName": "RK_Screen", "entryConditionLogic": "and",
                     "entryConditions": [{"leftValueReference": "$Record.note", "operator": "EqualTo", "rightValue": {"stringValue": "go"}}],
                     "inputParameters": [{"name": "ActionInput__RecordId", "value": {"elementReference": "$Record.Id"}}],
                     "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "rk@example.com"}}]}]}]'::jsonb));
            PERFORM orchestration.activate_orchestration(name);
        END LOOP;
    END LOOP;
END
$$;

SELECT is(pg_temp.play(k, c, s), '', format('%s %s%s, settings %s', k.type, k.id1, CASE WHEN c THEN ' behind another column' ELSE '' END, s))
  FROM pg_temp.key_type k, generate_series(0, 3) s, unnest('{false,true}'::boolean[]) c
 WHERE s = 1 OR NOT c ORDER BY k.n, c, s;

-- a relationship to a record, and lookups of it by its key's column and by its id; a JSON array
-- or object is no text of an array or a composite type
CREATE FUNCTION pg_temp.look(k pg_temp.key_type, composite boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    type_name text := format('RK_%s_%s', k.n, CASE WHEN composite THEN 'Two' ELSE 'One' END);
    child_name text := type_name || '_Child';
    tab text := lower('public.' || type_name);
    child text := lower('public.' || child_name);
    wrong text;
BEGIN
    PERFORM pg_temp.session(0);
    -- key_id refers to the record, k has its value in the same spelling
    EXECUTE format('CREATE TABLE %s (id integer PRIMARY KEY, tenant integer, key_id %s, k %2$s, FOREIGN KEY (%s) REFERENCES %s)', child, k.type,
                   CASE WHEN composite THEN 'tenant, key_id' ELSE 'key_id' END, tab);
    PERFORM orchestration.register_record_type(child_name, child::regclass);
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', child_name || '_Find', 'label', 'F', 'processType', 'EvaluationFlow', 'start', '{"connector": {"targetReference": "By_column"}}'::jsonb,
        'variables', '[{"name": "r", "dataType": "SObject", "isInput": true}, {"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}]'::jsonb || jsonb_build_array(jsonb_build_object('objectType', child_name) || '{"name": "child", "dataType": "SObject", "isInput": true}'),
        'recordLookups', jsonb_build_array(jsonb_build_object('object', type_name) || '{"name": "By_column", "label": "L", "getFirstRecordOnly": true, "connector": {"targetReference": "By_id"}, "filters": [{"field": "k", "operator": "EqualTo", "value": {"elementReference": "child.k"}}]}',
            jsonb_build_object('object', type_name) || jsonb_build_object('name', 'By_id', 'label', 'L', 'getFirstRecordOnly', true, 'connector', '{"targetReference": "Is"}'::jsonb, 'filters',
                jsonb_build_array('{"field": "Id", "operator": "EqualTo"}'::jsonb || jsonb_build_object('value', CASE WHEN composite THEN jsonb_build_object('stringValue', pg_temp.part(k.id1, composite)) ELSE '{"elementReference": "child.k"}' END)))),
        'assignments', '[{"name": "Yes", "label": "Y", "assignmentItems": [{"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": {"booleanValue": true}}]}]'::jsonb,
        'decisions', '[{"name": "Is", "label": "I", "rules": [{"name": "Found", "label": "F", "conditionLogic": "and", "connector": {"targetReference": "Yes"}, "conditions": [
            {"leftValueReference": "By_column.note", "operator": "EqualTo", "rightValue": {"stringValue": "here"}}, {"leftValueReference": "By_id.note", "operator": "EqualTo", "rightValue": {"stringValue": "here"}}]}]}]'::jsonb));
    PERFORM orchestration.activate_orchestration(child_name || '_Find');
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', child_name, 'label', 'C', 'processType', 'Orchestrator',
        'start', jsonb_build_object('connector', '{"targetReference": "S"}'::jsonb, 'object', child_name, 'triggerType', 'RecordAfterSave', 'recordTriggerType', 'Create'),
        'orchestratedStages', jsonb_build_array('{"name": "S", "label": "S", "exitConditionLogic": "and"}'::jsonb || jsonb_build_object('stageSteps', jsonb_build_array(
            '{"name": "Related", "label": "R", "actionType": "stepInteractive", "actionName": "RK_Screen", "entryConditionLogic": "and",
              "entryConditions": [{"leftValueReference": "$Record.Key.note", "operator": "EqualTo", "rightValue": {"stringValue": "here"}}],
              "inputParameters": [{"name": "ActionInput__RecordId", "value": {"elementReference": "$Record.Id"}}], "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "rk@example.com"}}]}'::jsonb,
            '{"name": "Found", "label": "F", "actionType": "stepInteractive", "actionName": "RK_Screen", "entryActionType": "evaluationFlow", "entryActionInputParameters": [{"name": "child", "value": {"elementReference": "$Record"}}],
              "inputParameters": [{"name": "ActionInput__RecordId", "value": {"elementReference": "$Record.Id"}}], "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "rk@example.com"}}]}'::jsonb || jsonb_build_object('entryActionName', child_name || '_Find'))))));
    PERFORM orchestration.activate_orchestration(child_name);
    EXECUTE format('INSERT INTO %s (note, tenant, k) VALUES (''here'', 7, %s)', tab, k.v1);
    EXECUTE format('INSERT INTO %s VALUES (1, 7, %s, %s)', child, COALESCE(quote_literal(k.spellings[1]), k.v1), k.v1);
    SELECT string_agg(concat_ws(' ', t.name, t.status, t.error ->> 'message'), ', ') INTO wrong FROM (
        SELECT t.name, t.status, r.error FROM orchestration.run r LEFT JOIN orchestration.step_run t ON t.run_id = r.id WHERE r.orchestration_name = child_name) t
     WHERE t.status IS DISTINCT FROM 'InProgress';
    RETURN wrong;
END
$$;
SELECT is(pg_temp.look(k, c), NULL, format('%s %s%s, looked up', k.type, k.id1, CASE WHEN c THEN ' behind another column' ELSE '' END))
  FROM pg_temp.key_type k, unnest('{false,true}'::boolean[]) c
 WHERE k.type !~ '\[\]$|rk_pair' ORDER BY k.n, c;

-- values that only records have compare as PostgreSQL compares them: each with each, by each
-- operator, one side as a literal of the definition or a variable, the other as to_jsonb()
-- writes it
CREATE TEMP TABLE point (at text, is_date boolean);
INSERT INTO point SELECT d, true FROM unnest('{infinity,-infinity,4713-01-01 BC,0044-03-15 BC,0044-03-16 BC,0005-02-29 BC,0001-12-31 BC,0001-01-01,0044-03-15,1999-12-31,2026-01-02,9999-12-31,10000-01-01,12026-11-27,294276-12-31,294277-01-01,5874897-12-31}'::text[]) d;
INSERT INTO point SELECT t, false FROM unnest('{infinity,-infinity,4713-01-01 00:00:00+00 BC,0044-03-15 12:00:00+00 BC,0044-03-15 00:00:00+00 BC,0001-01-01 00:00:00+00,2026-01-02 00:00:00.000001+00,10000-01-01 00:00:00+00,294276-12-31 23:59:59.999999+00}'::text[]) t;
CREATE TEMP TABLE comparison (operator text, sign text);
INSERT INTO comparison VALUES ('EqualTo', '='), ('NotEqualTo', '<>'), ('LessThan', '<'), ('LessThanOrEqualTo', '<='), ('GreaterThan', '>'), ('GreaterThanOrEqualTo', '>=');
CREATE FUNCTION pg_temp.json(p pg_temp.point) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN RETURN CASE WHEN p.is_date THEN to_jsonb(p.at::date) ELSE to_jsonb(p.at::timestamptz) END; END $$;
CREATE FUNCTION pg_temp.expected(a pg_temp.point, b pg_temp.point, sign text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    result boolean;
BEGIN
    EXECUTE format('SELECT %L::%s %s %L::%s', a.at, CASE WHEN a.is_date THEN 'date' ELSE 'timestamptz' END, sign, b.at, CASE WHEN b.is_date THEN 'date' ELSE 'timestamptz' END) INTO result;
    RETURN result;
END
$$;
CREATE FUNCTION pg_temp.holds(a jsonb, operator text, b jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT orchestration.evaluate_conditions(jsonb_build_object('conditionLogic', 'and', 'conditions', jsonb_build_array(jsonb_build_object('leftValueReference', 'a', 'operator', operator, 'rightValue', b))),
                                             jsonb_build_object('a', a)) $$;
-- literals of a definition have the years 1 to 9999
SELECT is(string_agg(format('%s %s %s', a.at, c.sign, b.at), ', '), NULL, 'dates of any time compare as PostgreSQL compares them')
  FROM pg_temp.point a, pg_temp.point b, pg_temp.comparison c
 WHERE b.at ~ '^[0-9]{4}-[^B]*$'
   AND pg_temp.holds(pg_temp.json(a), c.operator, jsonb_build_object(CASE WHEN b.is_date THEN 'dateValue' ELSE 'dateTimeValue' END, pg_temp.json(b)))
       IS DISTINCT FROM pg_temp.expected(a, b, c.sign);
SELECT is(string_agg(format('%s %s %s', a.at, c.sign, b.at), ', '), NULL, 'so do two values of records')
  FROM pg_temp.point a, pg_temp.point b, pg_temp.comparison c
 WHERE a.is_date = b.is_date
   AND orchestration.evaluate_conditions(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('leftValueReference', 'a', 'operator', c.operator, 'rightValue', '{"elementReference": "b"}'::jsonb))),
                                         jsonb_build_object('a', pg_temp.json(a), 'b', pg_temp.json(b)))
       IS DISTINCT FROM pg_temp.expected(a, b, c.sign);
SELECT is(string_agg(format('%s %s %s', a, c.sign, b), ', '), NULL, 'numbers that JSON lacks compare as PostgreSQL compares them')
  FROM unnest('{NaN,Infinity,-Infinity,0,-1e30,1e30}'::numeric[]) a, unnest('{0,-5,1e30}'::numeric[]) b, pg_temp.comparison c
 WHERE pg_temp.holds(to_jsonb(a), c.operator, jsonb_build_object('numberValue', b)) IS DISTINCT FROM
       CASE c.sign WHEN '=' THEN a = b WHEN '<>' THEN a <> b WHEN '<' THEN a < b WHEN '<=' THEN a <= b WHEN '>' THEN a > b ELSE a >= b END;

SELECT * FROM finish();
ROLLBACK;
