-- What callers pass: documents as text, keys of any type, results of workers, idempotency keys,
-- results of actions; failed runs that are tried again.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT orchestration.register_action('Call_Screen', 'screen'), orchestration.register_action('Call_Work', 'worker');
CREATE FUNCTION public.call_act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN input->>'result' = 'SQL null' THEN NULL ELSE (input->>'result')::jsonb END;
END $$;
SELECT orchestration.register_action('Call_Act', 'function', 'call_act(jsonb)');

--
-- Every function of the extension is found with parameters whose types the driver leaves to the
-- server, with any number of arguments
--
CREATE FUNCTION pg_temp.prepared(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    types text;
BEGIN
    EXECUTE 'PREPARE call AS SELECT ' || call;
    SELECT string_agg(t::text, ', ') INTO types FROM pg_catalog.pg_prepared_statements s, unnest(s.parameter_types) t WHERE s.name = 'call';
    DEALLOCATE call;
    RETURN types;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
WITH ours AS (
    SELECT DISTINCT p.pronamespace::regnamespace AS schema, p.proname, n FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'orchestration', generate_series(1, p.pronargs) n
     WHERE n >= p.pronargs - p.pronargdefaults AND p.prorettype <> ALL ('{trigger,event_trigger,internal}'::regtype[])),
  called AS (
    SELECT proname, n, pg_temp.prepared(format('%s.%I(%s)', schema, proname, (SELECT string_agg('$' || i, ', ') FROM generate_series(1, n) i))) AS types FROM ours)
SELECT count(*) > 100 AS many, string_agg(format('%s(%s): %s', proname, n, types), E'\n') FILTER (WHERE types !~ '^[a-z]') FROM called;
-- those that take several types: the type of the first, or of the second argument decides
SELECT t, pg_temp.prepared(format('orchestration.deploy_orchestration($1::%s)', t)), pg_temp.prepared(format('orchestration.validate_orchestration($1::%s)', t)),
       pg_temp.prepared(format('orchestration.deploy_orchestration($1::%s, $2, $3)', t)), pg_temp.prepared(format('orchestration.deploy_orchestration($1::%s, activate => $2)', t))
  FROM unnest('{text,varchar,char(3),name,json,jsonb,xml,bytea,integer}'::text[]) t;
SELECT t, pg_temp.prepared(format('orchestration.start_orchestration($1, $2::%s)', t)), pg_temp.prepared(format('orchestration.start_orchestration($1, record_key => $2::%s, inputs => $3)', t)),
       pg_temp.prepared(format('orchestration.dry_run($1, $2::%s)', t)), pg_temp.prepared(format('orchestration.record_exists($1, $2::%s)', t))
  FROM unnest('{text,varchar,name,integer,bigint,uuid,date,bytea,json,"integer[]",record}'::text[]) t;
SELECT call, pg_temp.prepared(call) FROM unnest(ARRAY[$$orchestration.start_orchestration($1, NULL)$$, $$orchestration.start_orchestration($1, 'x')$$,
    $$orchestration.start_orchestration($1, inputs => $2)$$, $$orchestration.start_orchestration(orchestration => $1, idempotency_key => $2, record_key => NULL)$$,
    $$orchestration.start_orchestration(orchestration => $1, idempotency_key => $2, record_key => 5)$$, $$orchestration.dry_run($1, outputs => $2)$$]) call;

--
-- Documents as text
--
\set VERBOSITY default
CREATE FUNCTION pg_temp.document(name text, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT (jsonb_build_object('fullName', name, 'label', name, 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('W', 'A', 'Call_Work')))) || more)::text
$$;
CREATE FUNCTION pg_temp.flow(before text DEFAULT '', label text DEFAULT 'Flow') RETURNS text LANGUAGE sql AS $$
    SELECT before || format('<Flow xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Call_Xml</fullName><label>%s</label><processType>Orchestrator</processType>
<start><connector><targetReference>S</targetReference></connector></start>
<orchestratedStages><name>S</name><label>S</label><stageSteps><name>W</name><label>W</label><actionName>Call_Work</actionName><actionType>stepBackground</actionType><nope/></stageSteps></orchestratedStages></Flow>', label)
$$;
SELECT orchestration.deploy_orchestration(pg_temp.document('Call_Text')), orchestration.deploy_orchestration(pg_temp.document('Call_Text', '{"label": "2"}')::json),
       orchestration.deploy_orchestration(pg_temp.document('Call_Text', '{"label": "3"}')::jsonb), orchestration.deploy_orchestration(pg_temp.flow(), 'Call_Other'),
       orchestration.deploy_orchestration(pg_temp.flow()::xml, orchestration => 'Call_Another');
-- white space, a byte order mark and a declared encoding; the lines of the text
SET client_min_messages = error;
SELECT replace(replace(before, E'\n', '\n'), U&'\FEFF', '<mark>'), (SELECT string_agg(format('%s at line %s', v.severity, v.line), ', ') FROM orchestration.validate_orchestration(pg_temp.flow(before)) v),
       orchestration.deploy_orchestration(pg_temp.flow(before, label), 'Call_Before_' || n) AS version
  FROM unnest(ARRAY['', E'\n\n', U&'\FEFF', U&'\FEFF' || E'\n <?xml version="1.0"?>\n', '<?xml version="1.0" encoding="ISO-8859-1"?>', E'\n\n<?xml version="1.0" encoding="UTF-16"?>',
                    E'\n<!-- a comment -->\n', E' \t<?xml version=''1.0'' standalone="yes"?>\n']) WITH ORDINALITY b(before, n), LATERAL (SELECT U&'\00DCber \2603 ' || n AS label) w ORDER BY n;
SELECT count(*), bool_and(v.label ~ (U&'^\00DCber \2603 ' || right(d.name, 1))), bool_and(v.source_xml::text ~ '^\s*<') FROM orchestration.orchestration_version v
  JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id WHERE d.name ~ '^Call_Before';
SELECT count(*) FROM orchestration.validate_orchestration(U&'\FEFF' || E' \n ' || pg_temp.document('Call_Text'));
-- neither; not well-formed; null
SELECT pg_temp.try(format('SELECT count(*) FROM orchestration.%s(%L)', f, d)) FROM unnest(ARRAY['', ' ', '[]', '"text"', '5', 'null', '/tmp/a.flow-meta.xml', U&'\FEFF', '\x7b7d', '<', '{', '{"label": ', '<Flow>', '{"a": "\u0000"}', repeat(' ', 10) || U&'\2603']) d,
    unnest('{deploy_orchestration,validate_orchestration}'::text[]) f;
SELECT orchestration.validate_orchestration('{"label": "L",
 "start": {"connector"]}}');
SELECT orchestration.deploy_orchestration(E'\n<Flow>\n<label>&nope;</label></Flow>');
SELECT orchestration.deploy_orchestration('Call_Text.flow-meta.xml');
\set VERBOSITY terse
SELECT orchestration.deploy_orchestration(NULL);
SELECT orchestration.deploy_orchestration('{}', activate => NULL);
\set VERBOSITY default
-- members that occur twice in an object, at any depth, under one spelling or another
SELECT * FROM orchestration.validate_orchestration('{"fullName": "Call_Twice", "label": "L", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
 "l\u0061bel": "M",
 "orchestratedStages": [{"name": "S", "label": "S"},
   {"name": "T", "label": "S", "stageSteps": [{"name": "W", "label": "W", "name": "V",
     "actionName": "Call_Work", "actionType": "stepBackground"}]}],
 "orchestratedStages": [{"name": "S", "label": "S", "x": [[{"a": 1, "a": 2}]]}]}') WHERE message ~ 'more than once';
SELECT orchestration.deploy_orchestration('{"fullName": "Call_Twice", "label": "L", "label": "M", "processType": "Orchestrator"}');
SELECT orchestration.deploy_orchestration('{"fullName": "Call_Twice", "label": "L", "label": "M", "processType": "Orchestrator"}'::json);
SELECT count(*) FROM orchestration.validate_orchestration('{"fullName": "Call_Twice", "label": "L", "label": "M", "processType": "Orchestrator"}'::jsonb) WHERE message ~ 'more than once';
-- many members, of one object
SELECT count(*) FROM orchestration.validate_orchestration('{"label": "L", ' || (SELECT string_agg(format('"x%s": [{"y": 1}]', i % 9999), ', ') FROM generate_series(1, 10000) i) || '}') WHERE message ~ 'more than once';

--
-- activate: as the document's status says, or as the call says if it says nothing
--
SET client_min_messages = notice;
SELECT orchestration.deploy_orchestration(pg_temp.document('Call_Status'), activate => true);
SELECT orchestration.deploy_orchestration(pg_temp.document('Call_Status', '{"status": "Active", "label": "2"}'), activate => true);
SELECT orchestration.deploy_orchestration(pg_temp.document('Call_Status', '{"status": "Active", "label": "3"}'));
SELECT orchestration.deploy_orchestration(pg_temp.document('Call_Status', jsonb_build_object('status', s, 'label', s)), activate => true) FROM unnest('{Draft,Obsolete,InvalidDraft,UnderReview,active}'::text[]) s;
SELECT orchestration.deploy_orchestration(pg_temp.document('Call_Status', '{"status": "Draft", "label": "9"}'));
SELECT active_version FROM orchestration.orchestration_definition WHERE name = 'Call_Status';
SELECT orchestration.deploy_orchestration(replace(pg_temp.flow(), '<start>', '<status> Active </status><start>')::xml, 'Call_Status', true);
SELECT active_version FROM orchestration.orchestration_definition WHERE name = 'Call_Status';
-- it cannot be activated: nothing is stored
SELECT orchestration.deploy_orchestration(replace(pg_temp.document('Call_Unready', '{"status": "Active"}'), 'Call_Work', 'Call_Nothing'), activate => true);
SELECT count(*) FROM orchestration.orchestration_definition WHERE name = 'Call_Unready';
SET client_min_messages = warning;
SELECT orchestration.activate_orchestration('Call_Text');

--
-- Keys of any type
--
CREATE DOMAIN public.call_number AS integer;
CREATE TYPE public.call_color AS ENUM ('red', 'green');
CREATE FUNCTION pg_temp.try_key(type text, literal text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    table_name text := 'call_' || regexp_replace(type, '\W', '_', 'g');
    setting text;
    answers text[] := '{}';
    is_there boolean;
    run uuid;
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS public.%I (id %s PRIMARY KEY)', table_name, type);
    EXECUTE format('INSERT INTO public.%I VALUES (%L)', table_name, literal);
    PERFORM orchestration.register_record_type('Call_Key', format('public.%I', table_name)::regclass);
    FOREACH setting IN ARRAY ARRAY['ISO, MDY', 'SQL, DMY', 'German', 'Postgres, MDY'] LOOP
        PERFORM set_config('DateStyle', setting, true), set_config('TimeZone', CASE WHEN setting ~ 'ISO' THEN 'UTC' ELSE 'Asia/Tokyo' END, true),
            set_config('bytea_output', CASE WHEN setting ~ 'ISO' THEN 'hex' ELSE 'escape' END, true), set_config('IntervalStyle', CASE WHEN setting ~ 'ISO' THEN 'iso_8601' ELSE 'sql_standard' END, true),
            set_config('extra_float_digits', CASE WHEN setting ~ 'ISO' THEN '1' ELSE '-3' END, true);
        EXECUTE format('SELECT orchestration.record_exists(''Call_Key'', id) FROM public.%I', table_name) INTO is_there;
        EXECUTE format('SELECT orchestration.start_orchestration(''Call_Text'', record_key => id) FROM public.%I', table_name) INTO run;
        SELECT answers || format('%s %s', is_there, r.triggering_record_id) INTO answers FROM orchestration.run r WHERE r.id = run AND r.triggering_record_type = 'Call_Key';
        EXECUTE format('SELECT array_agg(DISTINCT d.event) @> ''{StartInstance}'' FROM public.%I t, orchestration.dry_run(''Call_Text'', t.id) d', table_name) INTO is_there;
        answers := answers || COALESCE(is_there, false)::text;
    END LOOP;
    PERFORM orchestration.unregister_record_type('Call_Key');
    RETURN (SELECT string_agg(DISTINCT a, ', ') FROM unnest(answers) a);
END $$;
SELECT k.type, pg_temp.try_key(k.type, k.literal) FROM (VALUES ('smallint', '5'), ('integer', '-5'), ('bigint', '9007199254740993'), ('numeric', '1.50'), ('double precision', '0.1'), ('uuid', '11111111-2222-3333-4444-555555555555'),
    ('text', ' a "key" '), ('varchar(9)', 'key'), ('name', 'key'), ('boolean', 'true'), ('date', '2026-02-01'), ('timestamp', '2026-02-01 03:04:05.6'), ('timestamptz', '2026-02-01 03:04:05.6+09'),
    ('bytea', '\x00ff5c'), ('inet', '10.0.0.1/8'), ('public.call_number', '7'), ('public.call_color', 'green'), ('integer[]', '{1,2}'), ('interval', '-1 day +02:03:04')) k (type, literal);
CREATE TABLE public.call_demand (id integer PRIMARY KEY);
INSERT INTO public.call_demand SELECT generate_series(1, 9);
SELECT orchestration.register_record_type('Call_Demand', 'public.call_demand');
SELECT orchestration.record_exists('Call_Demand', 5), orchestration.record_exists('Call_Demand', '5'), orchestration.record_exists('Call_Demand', 5::bigint), orchestration.record_exists('Call_Demand', 10),
       orchestration.record_exists('Call_Demand', NULL::integer), orchestration.record_exists('Call_Demand', 'five'), orchestration.record_exists('Call_Demand', '2026-01-01'::date);
SELECT triggering_record_id FROM orchestration.run WHERE id IN (SELECT orchestration.start_orchestration('Call_Text', k) FROM unnest('{1,NULL,2}'::integer[]) k) ORDER BY 1;
SELECT pg_temp.try($$SELECT orchestration.start_orchestration('Call_Text', 10)$$), pg_temp.try($$SELECT orchestration.start_orchestration('Call_Text', 1.5)$$);
SELECT pg_temp.clean_up();

--
-- An idempotency key belongs to one request
--
SELECT pg_temp.orchestration('Call_Once', 'S', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('v', 'Number'), pg_temp.variable('w', 'String'), pg_temp.variable('l', 'Number', NULL, true)),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('W', 'A', 'Call_Work')))));
CREATE TEMP TABLE request (n integer, record_id integer, inputs jsonb);
INSERT INTO request VALUES (1, NULL, NULL), (2, NULL, '{}'), (3, 1, NULL), (4, 2, NULL), (5, NULL, '{"v": 1}'), (6, NULL, '{"v": 1.0}'), (7, NULL, '{"v": null}'), (8, NULL, '{"v": 2}'), (9, NULL, '{"v": 1, "w": "1"}'),
    (10, NULL, '{"l": [1, 2]}'), (11, NULL, '{"l": [2, 1]}'), (12, NULL, '{"l": [1, 2.00]}'), (13, NULL, '{"l": []}'), (14, 1, '{"v": 1}'), (15, NULL, '{"w": "1", "v": 1e0}'), (16, NULL, '{"w": ""}'), (17, NULL, '{"w": "N1:1"}');
-- each is the same as those equal to it, and refused beside all others
SELECT f.n AS first, string_agg(s.n::text, ' ' ORDER BY s.n) FILTER (WHERE a.answer = 'true') AS same, string_agg(s.n::text, ' ' ORDER BY s.n) FILTER (WHERE a.answer ~ '^OR309: idempotency key "k\d+" was used for orchestration "Call_Once" with another record or other inputs$') AS others,
       string_agg(a.answer, ', ') FILTER (WHERE a.answer !~ '^OR309|^true$')
  FROM request f, LATERAL (SELECT orchestration.start_orchestration('Call_Once', f.record_id, f.inputs, 'k' || f.n) AS run OFFSET 0) r, request s,
       LATERAL (SELECT pg_temp.try(format('SELECT orchestration.start_orchestration(''Call_Once'', %L, %L, ''k%s'') = %L', s.record_id, s.inputs, f.n, r.run)) AS answer OFFSET 0) a
 GROUP BY f.n ORDER BY f.n;
-- the key of a record in any form; the record may be gone by then
SELECT orchestration.start_orchestration('Call_Once', 3, idempotency_key => 'gone') = orchestration.start_orchestration('Call_Once', '3', idempotency_key => 'gone');
DELETE FROM public.call_demand WHERE id = 3;
SELECT orchestration.start_orchestration('Call_Once', 3::bigint, '{}', 'gone') IS NOT NULL, pg_temp.try($$SELECT orchestration.start_orchestration('Call_Once', 3)$$);
-- the values of a run change, and its record, but not what was asked for
UPDATE orchestration.run SET triggering_record_id = '4' WHERE idempotency_key = 'k3';
SELECT count(orchestration.start_orchestration('Call_Once', 1, idempotency_key => 'k3'));
-- a run from before the digests were kept
UPDATE orchestration.run SET idempotency_digest = NULL WHERE idempotency_key = 'k3';
SELECT count(orchestration.start_orchestration('Call_Once', 5, '{"v": 5}', idempotency_key => 'k3'));
SELECT pg_temp.clean_up();

--
-- Results of workers: each member, in every type, is judged alone
--
CREATE TEMP TABLE lease (n integer, step_id uuid, lease_id uuid);
CREATE FUNCTION pg_temp.claimed(amount integer) RETURNS void LANGUAGE sql AS $$
    TRUNCATE lease;
    SELECT count(orchestration.start_orchestration('Call_Text')) FROM generate_series(1, amount);
    INSERT INTO lease SELECT row_number() OVER (), c.step_id, c.lease_id FROM orchestration.claim_steps('w', '{Call_Work}', amount) c
$$;
CREATE FUNCTION pg_temp.result(n integer, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('step_id', step_id, 'lease_id', lease_id) || more FROM lease l WHERE l.n = result.n
$$;
CREATE TEMP TABLE bad (n serial, member text, value jsonb);
INSERT INTO bad (member, value)
SELECT m, v::jsonb FROM unnest('{step_id,lease_id,outputs,message,detail,retry}'::text[]) m, unnest(ARRAY['null', '"x"', '""', '5', 'true', '[]', '["x"]', '{}', '"00000000-0000-0000-0000-000000000000"']) v;
-- a valid result first and last; between them members that are no objects, and a result for each
-- bad member
CREATE FUNCTION pg_temp.swept(call text, first jsonb) RETURNS TABLE (member text, accepted text, reasons text) LANGUAGE plpgsql AS $$
DECLARE
    results jsonb;
    last integer := (SELECT count(*) + 2 FROM bad);
BEGIN
    PERFORM pg_temp.claimed(last);
    SELECT jsonb_build_array(pg_temp.result(1, first), NULL, 5, 'x', '[]'::jsonb, '{}'::jsonb) || jsonb_agg(pg_temp.result(b.n + 1, first) || jsonb_build_object(b.member, b.value) ORDER BY b.n)
        || pg_temp.result(last, first) INTO results FROM bad b;
    RETURN QUERY EXECUTE format($q$
        WITH answer AS (SELECT a.number, COALESCE(a.j ->> 'accepted', a.j ->> 'held')::boolean AS taken, a.j ->> 'reason' AS reason
                          FROM (SELECT r.number, to_jsonb(r) AS j FROM (SELECT row_number() OVER () AS number, c.* FROM orchestration.%s c) r) a),
             named AS (SELECT a.*, CASE WHEN a.number = 1 THEN 'the first' WHEN a.number = $2 + 5 THEN 'the last' ELSE COALESCE(b.member, 'no object') END AS m, b.value
                         FROM answer a LEFT JOIN bad b ON b.n = a.number - 6)
        SELECT n.m, string_agg(COALESCE(n.value::text, 'yes'), ' ' ORDER BY n.number) FILTER (WHERE n.taken),
               string_agg(DISTINCT regexp_replace(n.reason, '\d+\]', 'n]'), '; ') FILTER (WHERE n.reason IS NOT NULL) FROM named n GROUP BY n.m ORDER BY min(n.number)$q$, call) USING results, last;
END $$;
SELECT * FROM pg_temp.swept('complete_steps($1)', '{"outputs": {"a": 1}}');
SELECT * FROM pg_temp.swept('fail_steps($1)', '{"message": "no", "retry": false}');
SELECT * FROM pg_temp.swept('complete_and_claim($1, ''w'', ''{none}'')', '{"outputs": {"a": 1}}');
SELECT * FROM pg_temp.swept('complete_and_claim($1, ''w'', ''{none}'')', '{"message": "no", "retry": false}');
SELECT * FROM pg_temp.swept('extend_leases($1)', '{}');
SELECT pg_temp.clean_up();

--
-- A lease takes one result: the same again is accepted, other outputs are not
--
SELECT pg_temp.claimed(5);
SELECT accepted, reason FROM orchestration.complete_steps(jsonb_build_array(pg_temp.result(1, '{"outputs": {"a": 1}}'), pg_temp.result(1, '{"outputs": {"a": 2}}'), pg_temp.result(1, '{"outputs": {"a": 1.0}}'), pg_temp.result(1),
    pg_temp.result(2), pg_temp.result(2, '{"outputs": {}}'), pg_temp.result(2, '{"outputs": null}'), pg_temp.result(2, '{"outputs": {"a": null}}')));
SELECT accepted, reason FROM orchestration.complete_steps(jsonb_build_array(pg_temp.result(1, '{"outputs": {"a": 1}}'), pg_temp.result(1, '{"outputs": {"a": 2}}'), pg_temp.result(1, '{"outputs": {"a": 1, "b": 2}}'), pg_temp.result(1),
    pg_temp.result(2), pg_temp.result(2, '{"outputs": {}}'), pg_temp.result(2, '{"outputs": {"a": null}}')));
SELECT accepted, reason FROM orchestration.complete_and_claim(jsonb_build_array(pg_temp.result(1, '{"outputs": {"a": 2}}'), pg_temp.result(1, '{"message": "no"}')), 'w', '{none}');
SELECT outputs, count(*) FROM orchestration.step_run WHERE status = 'Completed' GROUP BY 1;
-- while the run is suspended, and after the result was applied; a failure is the same whatever its message
SELECT count(orchestration.suspend_run(id)) FROM orchestration.run WHERE status = 'InProgress';
SELECT accepted, reason FROM orchestration.complete_steps(jsonb_build_array(pg_temp.result(3, '{"outputs": {"a": 3}}')));
SELECT accepted, reason FROM orchestration.complete_steps(jsonb_build_array(pg_temp.result(3, '{"outputs": {"a": 3}}'), pg_temp.result(3, '{"outputs": {"a": 4}}'), pg_temp.result(3)));
SELECT accepted, reason FROM orchestration.fail_steps(jsonb_build_array(pg_temp.result(4, '{"message": "no", "retry": false}')));
SELECT orchestration.resume_run(id) FROM orchestration.run WHERE status = 'Suspended' ORDER BY id;
SELECT accepted, reason FROM orchestration.complete_steps(jsonb_build_array(pg_temp.result(3, '{"outputs": {"a": 3}}'), pg_temp.result(3, '{"outputs": {"a": 4}}')));
SELECT accepted, reason FROM orchestration.fail_steps(jsonb_build_array(pg_temp.result(4, '{"message": "no, really"}')));
SELECT pg_temp.clean_up();

--
-- The result of a function is an object, or null for no outputs
--
SELECT pg_temp.orchestration('Call_Result', 'S', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('result', 'String')),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Act', 'B', 'Call_Act', '{}', '{"result": {"elementReference": "result"}}')))));
SELECT pg_temp.orchestration('Call_Queued', 'S', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('result', 'String')),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Act', 'A', 'Call_Act', '{}', '{"result": {"elementReference": "result"}}')))));
SELECT pg_temp.orchestration('Call_Condition', 'S', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('result', 'String')),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL)
        || '{"exitActionName": "Call_Act", "exitActionType": "evaluationFlow", "exitActionInputParameters": [{"name": "result", "value": {"elementReference": "result"}}]}')));
CREATE TEMP TABLE result (n serial, value text);
INSERT INTO result (value) VALUES ('{}'), ('{"isOrchestrationConditionMet": true}'), ('SQL null'), ('null'), ('[]'), ('[{"a": 1}]'), ('5'), ('"text"'), ('""'), ('true'), ('false');
SELECT count(orchestration.start_orchestration(o, inputs => jsonb_build_object('result', r.value))) FROM (SELECT * FROM unnest('{Call_Result,Call_Queued,Call_Condition}'::text[]) o, result ORDER BY o, n) r;
SELECT orchestration.run_queued_steps();
SELECT r.orchestration_name, r.variables ->> 'result', r.status, t.status, t.outputs, CASE r.status WHEN 'Error' THEN pg_temp.failure(r.id) END FROM orchestration.run r LEFT JOIN orchestration.step_run t ON t.run_id = r.id ORDER BY r.id;
SELECT detail ->> 'message' FROM orchestration.dry_run('Call_Result', inputs => '{"result": "[1]"}') WHERE event = 'FailStep';
SELECT detail ->> 'message' FROM orchestration.dry_run('Call_Queued', inputs => '{"result": "[1]"}') WHERE event = 'FailStep';
SELECT pg_temp.clean_up();

--
-- Failed runs are tried again, each alone
--
CREATE TABLE public.call_stock (article text PRIMARY KEY, is_there boolean);
INSERT INTO public.call_stock SELECT 'article ' || i, false FROM generate_series(1, 7) i;
CREATE OR REPLACE FUNCTION public.call_act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.call_stock SET article = article WHERE article = input->>'result' AND is_there;
    IF NOT FOUND THEN RAISE EXCEPTION '% is out of stock', input->>'result'; END IF;
    RETURN NULL;
END $$;
SELECT count(orchestration.start_orchestration('Call_Result', inputs => jsonb_build_object('result', 'article ' || i))) FROM generate_series(1, 7) i;
SELECT orchestration.start_orchestration('Call_Queued', inputs => '{"result": "article 1"}') IS NOT NULL, orchestration.run_queued_steps();
SELECT name, status FROM orchestration.run ORDER BY id;
CREATE VIEW pg_temp.failed AS SELECT r.variables ->> 'result' AS article, r.status, r.error ->> 'message' AS error FROM orchestration.run r ORDER BY r.id;
-- the oldest failures first, at most so many; one is mended
UPDATE public.call_stock SET is_there = true WHERE article IN ('article 2', 'article 4');
SELECT r.variables ->> 'result', f.status, f.error, f.run_name = r.name FROM orchestration.retry_failed_runs('Call_Result', max_runs => 3) WITH ORDINALITY f (run_id, run_name, status, error, n) JOIN orchestration.run r ON r.id = f.run_id ORDER BY f.n;
SELECT * FROM pg_temp.failed;
-- those that failed again come last now; since: the time of the failure
SELECT ended_at AS since FROM orchestration.run WHERE orchestration_name = 'Call_Result' AND variables ->> 'result' = 'article 7' \gset
SELECT r.variables ->> 'result', f.status, f.error FROM orchestration.retry_failed_runs('Call_Result', :'since') WITH ORDINALITY f (run_id, run_name, status, error, n) JOIN orchestration.run r ON r.id = f.run_id ORDER BY f.n;
SELECT count(*) FROM orchestration.retry_failed_runs(since => now() + '1 day');
SELECT count(*) FROM orchestration.retry_failed_runs(since => 'infinity');
SELECT count(*), count(DISTINCT f.status) FROM orchestration.retry_failed_runs(since => '-infinity') f;
SELECT orchestration, status, error FROM (SELECT r.orchestration_name AS orchestration, f.status, f.error, f.n FROM orchestration.retry_failed_runs(NULL, NULL, 10000) WITH ORDINALITY f (run_id, run_name, status, error, n) JOIN orchestration.run r ON r.id = f.run_id) f WHERE orchestration = 'Call_Queued';
-- a trigger that refuses one run, and an error that is not recoverable: the others are resumed
CREATE FUNCTION public.call_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
CREATE TRIGGER call_refuse BEFORE UPDATE OF status ON orchestration.run FOR EACH ROW WHEN (OLD.variables ->> 'result' = 'article 3' AND NEW.status = 'InProgress') EXECUTE FUNCTION public.call_refuse();
UPDATE orchestration.run SET error_recoverable = false WHERE variables ->> 'result' = 'article 5';
UPDATE orchestration.run SET ended_at = now() - interval '15 days' WHERE variables ->> 'result' = 'article 6';
UPDATE public.call_stock SET is_there = true;
SELECT r.variables ->> 'result', f.status, f.error FROM orchestration.retry_failed_runs('Call_Result') f JOIN orchestration.run r ON r.id = f.run_id ORDER BY 1;
SELECT * FROM pg_temp.failed;
DROP TRIGGER call_refuse ON orchestration.run;
-- the rights of the caller: runs that the caller does not see are passed over, others are named
CREATE ROLE regress_call_ann;
UPDATE orchestration.principal SET role_name = 'regress_call_ann' WHERE username = 'ann@example.com';
UPDATE orchestration.run SET error_recoverable = true, ended_at = now() WHERE status = 'Error';
SELECT count(*) FROM orchestration.run WHERE status = 'Error';
UPDATE orchestration.run SET owner_id = (SELECT id FROM orchestration.principal WHERE username = 'ann@example.com') WHERE variables ->> 'result' = 'article 5';
SELECT orchestration.share_record(id, (SELECT p.id FROM orchestration.principal p WHERE p.username = 'ann@example.com'), 'Read') IS NOT NULL FROM orchestration.run WHERE variables ->> 'result' = 'article 6';
SET ROLE regress_call_ann;
SELECT pg_temp.masked(f.error), f.status FROM orchestration.retry_failed_runs() f ORDER BY f.status;
SELECT count(*) FROM orchestration.retry_failed_runs('Call_Result', max_runs => 1);
RESET ROLE;
SELECT * FROM pg_temp.failed WHERE article IN ('article 3', 'article 5', 'article 6');
SELECT pg_temp.try($$SELECT orchestration.retry_failed_runs('Nothing')$$), pg_temp.try($$SELECT orchestration.retry_failed_runs(max_runs => 0)$$), pg_temp.try($$SELECT orchestration.retry_failed_runs(max_runs => 10001)$$),
       pg_temp.try($$SELECT orchestration.retry_failed_runs(max_runs => NULL)$$);
CREATE ROLE regress_call_nobody;
SET ROLE regress_call_nobody;
SELECT orchestration.retry_failed_runs();
RESET ROLE;
SELECT * FROM orchestration.verify();

SELECT pg_temp.clean_up();
UPDATE orchestration.principal SET role_name = NULL WHERE role_name = 'regress_call_ann';
DROP ROLE regress_call_ann, regress_call_nobody;
SELECT orchestration.unregister_record_type('Call_Demand');
SELECT orchestration.unregister_action(a) FROM unnest('{Call_Screen,Call_Work,Call_Act}'::text[]) a;
DROP FUNCTION public.call_act(jsonb), public.call_refuse();
DO $$ BEGIN EXECUTE (SELECT 'DROP TABLE ' || string_agg(c.oid::regclass::text, ', ') FROM pg_catalog.pg_class c WHERE c.relname ~ '^call_' AND c.relkind = 'r'); END $$;
DROP TYPE public.call_color;
DROP DOMAIN public.call_number;
