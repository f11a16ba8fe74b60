-- edge: values at the limits of their types.
--
-- Generated: every function with each argument at each limit of its type and valid other
-- arguments; every column of a time, interval or number of every table.  A call is refused with a
-- clear error, or it succeeds, and then everything that reads or ends runs works afterwards
-- (pg_temp.aftermath()).  So the test also finds a value that is accepted and makes another
-- call fail later.
--
-- Then one by one: former faults.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = error;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET statement_timeout = '5min';        -- a claim that never ended was among the faults
SELECT no_plan();

CREATE TEMP VIEW ours AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'orchestration' WHERE d.deptype = 'e';

-- a run with a waiting work item, a claimed step, and a step that was tried before; an
-- ended run; their child records
SELECT orchestration.register_action('Screen', 'screen'), orchestration.register_action('Work', 'worker'),
       orchestration.create_user('ann@example.com') AS ann, orchestration.create_group('Some') AS some \gset
SELECT orchestration.set_retry_policy('Work', 5, '0') \g /dev/null
SELECT orchestration.deploy_orchestration(format('{"fullName": %s, "label": "Edge", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "I", "label": "I", "actionType": "stepInteractive", "actionName": "Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}]},
    {"name": "W", "label": "W", "actionType": "stepBackground", "actionName": "Work", "entryConditionLogic": "and"}]}]}', n)::jsonb),
       orchestration.activate_orchestration(n::jsonb #>> '{}')
  FROM unnest('{"\"Edge\"", "\"Other\""}'::text[]) n \g /dev/null
SELECT orchestration.start_orchestration('Other') AS ended \gset
SELECT orchestration.cancel_run(:'ended') \g /dev/null
SELECT orchestration.start_orchestration('Edge', NULL, NULL, 'a key') AS run \gset
SELECT id AS item FROM orchestration.work_item WHERE run_id = :'run' \gset
SELECT orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'message', 'again')))
  FROM orchestration.claim_steps('w', '{Work}') \g /dev/null
SELECT step_id AS step, lease_id AS lease FROM orchestration.claim_steps('w', '{Work}') \gset
SELECT orchestration.add_group_member(:'some', :'ann'), orchestration.share_record(:'run', :'some'),
       orchestration.create_orchestration_sharing_rule('Edge', :'some'), orchestration.set_global('$Edge', '{"n": 1}'),
       orchestration.set_due_date(:'item', now()) \g /dev/null
SELECT orchestration.post_to_feed(:'run', 'A post') AS feed_item \gset
SELECT orchestration.comment_on_feed_item(:'feed_item', 'A comment') AS comment, orchestration.like_feed_item(:'feed_item'), orchestration.view_record(:'run') \gset
CREATE TABLE public.edge_record (id integer PRIMARY KEY, n numeric, t timestamptz);
SELECT orchestration.register_record_type('EdgeRecord', 'public.edge_record') \g /dev/null

-- ------------------------------------------------------- calls that must still work

CREATE FUNCTION pg_temp.aftermath() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    what text;
    wrong text;
BEGIN
    FOR what IN
        SELECT format('SELECT count(v::text) FROM orchestration.%I v', c.relname)
          FROM pg_class c JOIN ours o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid WHERE c.relkind = 'v'
        UNION ALL VALUES ('SELECT count(s::text) FROM orchestration.needs_attention() s'),
            ('SELECT count(s::text) FROM orchestration.engine_stats() s'),
            ('SELECT count(i::text) FROM orchestration.my_work_items() i'),
            ('SELECT orchestration.get_updated(''FlowOrchestrationInstance'', now() - interval ''1 hour'', now())'),
            ('SELECT count(orchestration.retrieve(''{Id,CreatedDate}'', ''FlowOrchestrationLog'', ARRAY[l.id::text])) FROM orchestration.flow_orchestration_log l'),
            ('SELECT count(orchestration.start_orchestration(n)) FROM unnest(''{Edge,Other}''::text[]) n'),
            ('SELECT count(f::text) FROM orchestration.fail_steps((SELECT jsonb_agg(jsonb_build_object(''step_id'', step_id, ''lease_id'', lease_id, ''message'', ''m'')) FROM orchestration.claim_steps(''w'', ''{Work}'', 100))) f'),
            ('SELECT count(c::text) FROM orchestration.claim_steps(''w'', ''{Work}'', 100) c'),
            ('UPDATE orchestration.run SET status = ''Canceled'' WHERE status IN (''InProgress'', ''Suspended'')'),
            ('SELECT count(v::text) FROM orchestration.flow_orchestration_instance v'),
            ('SELECT orchestration.purge_runs(''0'')')
    LOOP
        BEGIN
            EXECUTE what;
        EXCEPTION WHEN OTHERS THEN
            -- the call may have deactivated the orchestration
            IF SQLSTATE NOT IN ('OR203', '22004') THEN
                RETURN format('later: %s %s, by %s', SQLSTATE, SQLERRM, what);
            END IF;
        END;
    END LOOP;
    SELECT string_agg(format('later: verify() %s %s', v.invariant, v.detail), '; ') INTO wrong FROM orchestration.verify() v;
    IF wrong IS NULL THEN
        DELETE FROM orchestration.run;
        SELECT string_agg(format('later: verify() %s %s', v.invariant, v.detail), '; ') INTO wrong FROM orchestration.verify() v;
    END IF;
    RETURN wrong;
EXCEPTION WHEN OTHERS THEN
    RETURN format('later: %s %s', SQLSTATE, SQLERRM);
END
$$;

-- The result of a statement: 'done', the error, or the later failure; rolled back in any
-- case.
CREATE FUNCTION pg_temp.try(sql text, looks boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    text_of text;
    detail_of text;
    hint_of text;
BEGIN
    BEGIN
        EXECUTE sql;
        SET CONSTRAINTS ALL IMMEDIATE;
        result := 'done';
        IF NOT looks THEN
            result := COALESCE(pg_temp.aftermath(), 'done');
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE = 'ZZ000' THEN
            RETURN result;
        END IF;
        GET STACKED DIAGNOSTICS text_of = MESSAGE_TEXT, detail_of = PG_EXCEPTION_DETAIL, hint_of = PG_EXCEPTION_HINT;
        RETURN left(concat_ws(' | ', SQLSTATE || ' ' || text_of, nullif(detail_of, ''), nullif(hint_of, '')), 500);
    END;
END
$$;
-- A bad answer: an internal error, a later failure, or the message of a function of PostgreSQL
-- that names neither the value nor the rule.
CREATE FUNCTION pg_temp.is_bad(answer text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT answer IS NULL OR answer ~ '^(XX|53|57|58|P0|ZZ)' OR answer ~ '^later'
        OR answer ~ '^\w{5} (smallint|integer|bigint|timestamp|interval|date|day|month|year|value|number|division|cannot (subtract|add|convert))( \w+)*( out of range| overflows numeric format| by zero|)$'
$$;

-- ---------------------------------------------------------------- functions

CREATE TEMP TABLE edge (type regtype, v text);
INSERT INTO edge
SELECT g.type::regtype, g.v FROM (
SELECT 'timestamptz' AS type, quote_literal(v) FROM unnest('{infinity,-infinity,4713-01-01 00:00:00 BC,0001-01-01,1969-12-31 23:59:59,6083-01-24,9999-12-31 23:59:59.999999,10000-01-01,294276-12-31 23:59:59}'::text[]) v
UNION ALL SELECT 'interval', quote_literal(v) FROM unnest('{0,-1 day,178000000 years,-178000000 years,300000 years,1 mon -31 days,-1 year 361 days,2147483647 days,-2147483648 days,2562047788:00:54.775807,0.000001}'::text[]) v
UNION ALL SELECT 'integer', quote_literal(v) FROM unnest('{0,-1,2147483647,-2147483648}'::text[]) v
UNION ALL SELECT 'double precision', quote_literal(v) FROM unnest('{NaN,Infinity,-Infinity,1e308,1e-308,-1,0}'::text[]) v
UNION ALL SELECT 'uuid', quote_literal(v) FROM unnest('{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff,00000000-0000-7000-8000-000000000001}'::text[]) v
UNION ALL SELECT 'numeric', v FROM unnest(ARRAY[$$'NaN'$$, $$'Infinity'$$, '-1', '0', '1e400', '-1e400', '1e-400', '999.96']) v
UNION ALL SELECT 'uuid[]', v FROM unnest(ARRAY[$$'{}'$$, $$'{NULL}'$$, $$'{{00000000-0000-0000-0000-000000000000}}'$$, $$array_fill('ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, '{300}')$$]) v
UNION ALL SELECT 'text', v FROM unnest(ARRAY[$$''$$, $$'not-a-uuid'$$, $$'infinity'$$, $$'NaN'$$, $$'1e400'$$, $$repeat('x', 1000000)$$, $$repeat(U&'\2603', 400000)$$,
    $$(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 3000) i)$$]) v
UNION ALL SELECT 'text[]', v FROM unnest(ARRAY[$$'{}'$$, $$'{NULL}'$$, $$'{""}'$$, $$'{{a},{b}}'$$, $$array_fill('x'::text, '{3000}')$$, $$ARRAY[repeat('x', 1000000)]$$]) v
UNION ALL SELECT 'name', v FROM unnest(ARRAY[$$''$$, $$repeat('x', 63)$$]) v
UNION ALL SELECT 'jsonb', v FROM unnest(ARRAY[$$'1e400'$$, $$'[]'$$, $$'[1e400, -1e400, 1e-400]'$$, $$'{"n": 1e400}'$$, $$'{"n": {"m": 123456789012345678901234567890}}'$$,
    $$jsonb_build_object('n', repeat('x', 1000000))$$, $$to_jsonb(array_fill(1, '{20000}'))$$,
    $$'[{"step_id": "x", "lease_id": "y", "message": "z"}, {"step_id": null}, {"step_id": 1e400}, 5, null, [], {}]'$$,
    $$'[{"type": "FlowOrchestrationInstance", "Id": "not-a-uuid", "Status": "Canceled"}]'$$,
    $$'[{"type": "FlowOrchestrationInstance", "Id": "ffffffff-ffff-ffff-ffff-ffffffffffff", "InterviewId": "x", "ErrorRecoverable": 1e400}]'$$,
    $$'[{"type": 1e400}]'$$,
    format($$'[{"type": "FlowOrchestrationInstance", "Id": "%s", "Status": 1e400}]'$$, :'run'),
    format($$'[{"type": "FlowOrchestrationInstance", "Id": "%s", "InterviewId": 1e400}, {"type": "FlowOrchestrationInstance", "Id": "%1$s", "EndedDate": "infinity", "CreatedDate": "-infinity"}]'$$, :'run'),
    $$'{"fullName": "E", "label": "E", "processType": "Orchestrator", "apiVersion": 1e400, "start": {"object": "X", "triggerOrder": 4294967297, "connector": {"targetReference": "S"}},
        "formulas": [{"name": "F", "dataType": "Number", "scale": 1e400, "expression": "1"}], "variables": [{"name": "V", "dataType": "Number", "scale": -1e400, "value": {"numberValue": 1e400}}],
        "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "W", "label": "W", "actionType": "stepBackground", "actionName": "Work"}]}]}'$$]) v
UNION ALL SELECT 'xml', $$'<Flow xmlns="http://soap.sforce.com/2006/04/metadata"><label>E</label><processType>Orchestrator</processType><apiVersion>1e400</apiVersion><start><triggerOrder>4294967297</triggerOrder></start></Flow>'$$
-- a key of any type: a value with its type
UNION ALL SELECT '"any"', v FROM unnest(ARRAY['NULL::integer', '2147483647', '-9223372036854775807', '1e400', '-1e-400', $$'NaN'::float8$$, $$'infinity'::timestamptz$$, $$'-infinity'::date$$, $$'4713-01-01 BC'::date$$, $$'-178000000 years'::interval$$,
    $$repeat('x', 1000000)::bytea$$, $$'{}'::jsonb$$, $$'[1e400]'::json$$, 'ARRAY[1, NULL]', 'ROW(1, NULL)', 'ROW()', $$''::bpchar$$, $$'a'::"char"$$, $$''::xml$$, $$point(1, 2)$$, 'ARRAY[ROW(1)]', $$int4range(1, 2)$$, 'true', $$'1'::bit$$, $$'pg_class'::regclass$$]) v) AS g (type, v);

CREATE TEMP TABLE sensible (name text, type text, v text);
INSERT INTO sensible VALUES
    ('run_id', 'uuid', quote_literal(:'run')), ('record_id', 'uuid', quote_literal(:'run')), ('work_item_id', 'uuid', quote_literal(:'item')),
    ('user_id', 'uuid', quote_literal(:'ann')), ('assignee_id', 'uuid', quote_literal(:'ann')), ('user_or_group_id', 'uuid', quote_literal(:'some')),
    ('group_id', 'uuid', quote_literal(:'some')), ('member_id', 'uuid', quote_literal(:'ann')), ('owner_id', 'uuid', quote_literal(:'ann')), ('after_id', 'uuid', quote_literal(:'item')),
    ('version_id', 'uuid', '(SELECT version_id FROM orchestration.run LIMIT 1)'), (NULL, 'uuid', quote_literal(:'run')),
    ('name', 'text', '''Edge'''), ('orchestration', 'text', '''Edge'''), ('action', 'text', '''Work'''), ('object', 'text', '''FlowOrchestrationInstance'''),
    ('record_type', 'text', '''EdgeRecord'''), ('record_id', 'text', 'NULL'), ('idempotency_key', 'text', '''k'''), ('format', 'text', '''mermaid'''), ('formula', 'text', '''1'''),
    ('feed_item_id', 'uuid', quote_literal(:'feed_item')), ('comment_id', 'uuid', quote_literal(:'comment')), ('link_url', 'text', 'NULL'), ('external_id_field', 'text', '''Id'''), ('layout_name', 'text', 'NULL'), ('stage', 'text', '''S'''), (NULL, 'text', '''Edge'''),
    ('start_date', 'timestamptz', 'now() - interval ''1 hour'''), (NULL, 'timestamptz', 'now()'), (NULL, 'interval', '''1 minute'''), (NULL, 'integer', '1'),
    (NULL, 'double precision', '1'), (NULL, 'numeric', '62.0'), (NULL, 'boolean', 'true'), (NULL, 'name', 'NULL'), ('relation', 'regclass', '''public.edge_record'''),
    ('kind', 'orchestration.action_kind', '''worker'''), ('function', 'regprocedure', 'NULL'), (NULL, 'xml', '''<Flow/>'''), (NULL, 'json', '''{}'''), ('record_id', '"any"', 'NULL::integer'),
    ('results', 'jsonb', quote_literal(format('[{"step_id": "%s", "lease_id": "%s"}]', :'step', :'lease'))),
    ('leases', 'jsonb', quote_literal(format('[{"step_id": "%s", "lease_id": "%s"}]', :'step', :'lease'))),
    ('conditions', 'jsonb', '''{"conditionLogic": "and", "conditions": []}'''), (NULL, 'jsonb', '''{}'''),
    ('names', 'text[]', '''{FlowOrchestrationInstance}'''), ('ids', 'text[]', quote_literal(format('{%s}', :'run'))), ('fields', 'text[]', '''{Status}'''), ('topics', 'text[]', '''{Work}'''),
    (NULL, 'text[]', '''{}'''), (NULL, 'uuid[]', quote_literal(format('{%s}', :'run'))),
    ('object', 'orchestration.shared_object', '''FlowOrchestrationInstance'''), ('access_level', 'orchestration.access_level', '''Read'''),
    ('sharing_model', 'orchestration.sharing_model', '''Private'''), ('visibility', 'orchestration.feed_visibility', '''AllUsers'''),
    ('objects', 'orchestration.shared_object[]', '''{FlowOrchestrationInstance}''');

CREATE TEMP TABLE tried AS
SELECT format('%s: %s = %s', p.oid::regproc, a.names[a.k], left(e.v, 60)) AS what,
       pg_temp.try(format('SELECT * FROM %s(%s)', p.oid::regproc,
           (SELECT string_agg(format(CASE p.proargtypes[n - 1] WHEN '"any"'::regtype THEN '(%s)' ELSE '(%s)::%s' END, CASE WHEN n = a.k THEN e.v ELSE
                       (SELECT s.v FROM sensible s WHERE s.type::regtype = p.proargtypes[n - 1] AND COALESCE(s.name, a.names[n]) = a.names[n]
                         ORDER BY s.name NULLS LAST LIMIT 1) END, p.proargtypes[n - 1]::regtype), ', ' ORDER BY n)
              FROM generate_series(1, p.pronargs) n)), p.provolatile <> 'v') AS answer
  FROM pg_proc p JOIN ours o ON o.classid = 'pg_proc'::regclass AND o.objid = p.oid
  CROSS JOIN LATERAL (SELECT k, p.proargnames AS names FROM generate_series(1, p.pronargs) k) a
  JOIN edge e ON e.type = p.proargtypes[a.k - 1]
 WHERE p.prorettype <> 'trigger'::regtype AND p.proname !~ '_support$';

SELECT cmp_ok((SELECT count(*)::integer FROM tried), '>', 800, 'many calls were tried');
SELECT is_empty($$SELECT * FROM tried WHERE pg_temp.is_bad(answer) ORDER BY 1$$, 'every call with a value at a limit succeeds, or is refused with a clear error');

-- ------------------------------------------------------------------- tables

CREATE TEMP TABLE written AS
SELECT format('%s.%s = %s', c.relname, a.attname, e.v) AS what,
       pg_temp.try(format('UPDATE orchestration.%I SET %I = %s', c.relname, a.attname, e.v)) AS answer
  FROM pg_class c JOIN ours o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  JOIN edge e ON e.type = a.atttypid OR (e.type = 'integer'::regtype AND a.atttypid = 'bigint'::regtype)
 WHERE c.relkind = 'r' AND e.type IN ('timestamptz'::regtype, 'interval'::regtype, 'double precision'::regtype)
    OR c.relname = 'run_log' AND a.attname IN ('number', 'duration') AND e.type = 'integer'::regtype;
SELECT cmp_ok((SELECT count(*)::integer FROM written), '>', 300, 'many columns were written');
SELECT is_empty($$SELECT * FROM written WHERE pg_temp.is_bad(answer) ORDER BY 1$$, 'no time or interval in a row breaks its readers');
SELECT is_empty($$
    SELECT c.relname, a.attname FROM pg_class c JOIN ours o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attgenerated = ''
     WHERE c.relkind = 'r' AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype, 'interval'::regtype)
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)
                          AND pg_get_constraintdef(k.oid) ~ '_in_range')$$,
    'each time and interval column has a constraint, whether the table has rows or not');

-- the state is as before
SELECT is((SELECT string_agg(status::text, ' ' ORDER BY id) FROM orchestration.run), 'Canceled InProgress', 'the runs are unchanged');
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify() finds nothing');

-- ---------------------------------------------- former faults: windows

SELECT is(jsonb_array_length(orchestration.get_updated('FlowOrchestrationInstance', now() - interval '1 day', e::timestamptz) -> 'ids'), 2,
          'get_updated() until ' || e)
  FROM unnest('{6083-01-25,6500-01-01,9999-12-31,294276-12-31}'::text[]) e;
SELECT is(orchestration.get_updated('FlowOrchestrationStepInstance', s::timestamptz, '294276-12-31') -> 'ids', '[]',
          'get_updated() from ' || s)
  FROM unnest('{3000-01-01,9999-01-01,294276-01-01}'::text[]) s;
SELECT throws_ok($$SELECT orchestration.get_updated('FlowOrchestrationInstance', '4713-01-01 BC', '9999-12-31')$$, 'OR405');
SELECT lives_ok($$SELECT orchestration.get_deleted('FlowOrchestrationInstance', now() - interval '1 day', '294276-12-31')$$, 'get_deleted() until 294276');
SELECT is(orchestration_internal.minute_of(t::timestamptz), m, 'minute_of() ' || t)
  FROM (VALUES ('6083-01-24', 2147483647), ('294276-12-31', 2147483647), ('infinity', 2147483647), ('4713-01-01 BC', -2147483648), ('-infinity', -2147483648),
               ('2000-01-01 00:00:59.999999', 0), ('1999-12-31 23:59:59.999999', -1), ('1999-12-31 23:59:00', -1)) v(t, m);

-- ------------------------------------------------------ formulas and dates

CREATE FUNCTION pg_temp.formula(f text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail_of text;
BEGIN
    RETURN left(orchestration.evaluate_formula(f, '{}') #>> '{}', 60);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail_of = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(': ', SQLSTATE || ' ' || SQLERRM, nullif(detail_of, ''));
END
$$;
SELECT matches(pg_temp.formula(f), '^OR301 date out of range in a formula: Dates range from', f)
  FROM unnest(ARRAY['"2026-01-01" + 213503982335', '"2026-01-01" - 213503982335', '213503982335 + DATE(2026, 1, 1)', 'DATE(2026, 1, 1) + 106751991167301',
      'DATE(2026, 1, 1) - 106751991167301', 'DATE(2026, 1, 1) + 106751991', 'DATE(2026, 1, 1) - 106751992', 'DATE(2026, 1, 1) + 10 ^ 60', 'DATE(2026, 1, 1) - 10 ^ 60',
      'DATE(9999, 12, 31) + 1', 'DATE(1, 1, 1) - 1', 'NOW() + 10 ^ 30', 'ADDMONTHS(DATE(2026, 1, 1), 2147483647)', 'ADDMONTHS(DATE(2026, 1, 1), -2147483647)',
      'ADDMONTHS(DATE(2026, 1, 1), 178956970)', 'ADDMONTHS(DATE(9999, 12, 1), 1)', 'ADDMONTHS(DATE(1, 1, 1), -1)']) f;
SELECT is(pg_temp.formula(f), r, f)
  FROM (VALUES ('DATE(9999, 12, 30) + 1', '9999-12-31'), ('DATE(1, 1, 2) - 1', '0001-01-01'), ('DATE(2026, 1, 1) + 0.5', '2026-01-01'),
               ('DATE(9999, 12, 31) - DATE(1, 1, 1)', '3652058'), ('ADDMONTHS(DATE(1, 1, 1), 119987)', '9999-12-01'),
               ('DATE(9999, 12, 31) - 3652058', '0001-01-01'), ('"9999-12-31T23:59:59.999999Z" - 0', '9999-12-31T23:59:59.999999Z'),
               ('LEFT("abc", 2147483647)', 'abc'), ('RIGHT("abc", 2147483647)', 'abc'), ('MID("abc", 2, 2147483647)', 'bc'), ('MID("abc", 2147483647, 2147483647)', ''),
               ('MID("abc", -2147483647, 2147483647)', 'abc'), ('LEFT("abc", -1)', ''), ('FIND("a", "aaa", 2147483647)', '0'), ('ROUND(1.5, 2147483647)', '1.5'),
               ('ROUND(15, -2147483647)', '0'), ('ISNUMBER("NaN")', 'false'), ('ISNUMBER("Infinity")', 'false'), ('LPAD("a", -1)', '')) v(f, r);
SELECT matches(pg_temp.formula(f), '^(OR301|22003|22012|2201.) .*: (The computation was|Its argument|The text would|The power is)', f)
  FROM unnest(ARRAY['1 / 0', 'MOD(1, 0)', 'LN(0)', 'LN(-1)', 'LOG(0)', 'SQRT(-1)', '10 ^ 1000000', 'EXP(1000000)', '0 ^ -1', '10 ^ 131071 * 10', '10 ^ 131071 * 9 + 10 ^ 131071 * 9',
      '10 ^ 131071 * -9 - 10 ^ 131071 * 9', 'LEFT("abc", 2147483648)', 'ROUND(1, 10 ^ 20)', 'DATE(10 ^ 10, 1, 1)', 'ADDMONTHS(DATE(2026, 1, 1), 10 ^ 10)', 'FIND("a", "b", 10 ^ 400)',
      'LPAD("a", 2147483647)', 'RPAD("a", 10 ^ 10)', 'VALUE("1e400000")', 'VALUE("NaN")']) f;

-- assignments
CREATE FUNCTION pg_temp.assigned(type text, start_value text, operator text, days text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    run_id uuid;
BEGIN
    PERFORM orchestration.deploy_orchestration(format('{"fullName": "Assigns", "label": "A", "processType": "Orchestrator", "start": {"connector": {"targetReference": "A"}},
        "variables": [{"name": "v", "dataType": %s, "value": %s}],
        "assignments": [{"name": "A", "label": "A", "connector": {"targetReference": "S"}, "assignmentItems": [{"assignToReference": %s, "operator": %s, "value": {"numberValue": %s}}]}],
        "orchestratedStages": [{"name": "S", "label": "S"}]}', to_json(type), start_value, to_json('v'::text), to_json(operator), days)::jsonb);
    PERFORM orchestration.activate_orchestration('Assigns');
    run_id := orchestration.start_orchestration('Assigns');
    RETURN (SELECT COALESCE(nullif(concat_ws(' ', error ->> 'sqlstate', error ->> 'message', error ->> 'detail'), ''), status::text) FROM orchestration.run WHERE id = run_id);
END
$$;
SELECT is(pg_temp.assigned('Date', '{"dateValue": "2026-01-01"}', 'Add', '2912442'), 'Completed', 'a date, Add days up to 9999');
SELECT matches(pg_temp.assigned('Date', '{"dateValue": "2026-01-01"}', o, d), '^OR301 .*date out of range', format('a date, %s %s days', o, d))
  FROM unnest('{Add,Subtract}'::text[]) o, unnest('{213503982335,106751991167301,9223372036854775807,-9223372036854775808,1e90,4000000}'::text[]) d;

-- ----------------------------------------------------- numbers of documents

CREATE FUNCTION pg_temp.problems(addition text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.place || ': ' || p.message, '; ')
      FROM orchestration.validate_orchestration(('{"fullName": "N", "label": "N", "processType": "EvaluationFlow", "start": {}}'::jsonb || addition::jsonb)) p
     WHERE p.message ~ 'must be'
$$;
SELECT is((SELECT string_agg(p.place || ': ' || p.message, '; ' ORDER BY p.place) FROM orchestration.validate_orchestration(format('<Flow xmlns="http://soap.sforce.com/2006/04/metadata"><label>N</label><processType>EvaluationFlow</processType><start/>
             <formulas><name>F</name><dataType>Number</dataType><expression>1</expression><scale>%s</scale></formulas><recordLookups><name>L</name><label>L</label><object>EdgeRecord</object><limit>%s</limit></recordLookups></Flow>', v, v)::xml) p
             WHERE p.message ~ 'must be'), r, 'in XML: ' || v)
  FROM (VALUES ('4294967297', 'formulas[0] "F".scale: "scale" must be a whole number from 0 to 18; recordLookups[0] "L".limit: "limit" must be a whole number from 1 to 2147483647'),
               ('5x', 'formulas[0] "F".scale: "scale" must be a number; recordLookups[0] "L".limit: "limit" must be a number'), ('5', NULL), (' 5.0 ', NULL)) x(v, r);
SELECT is(pg_temp.problems(format('{"recordLookups": [{"name": "L", "label": "L", "object": "EdgeRecord", "limit": %s}]}', n)),
          'recordLookups[0] "L".limit: "limit" must be a whole number from 1 to 2147483647', 'limit ' || n)
  FROM unnest('{0,-1,4294967297,2147483648,1e400,1e20,1.5,-4294967295}'::text[]) n;
SELECT is(pg_temp.problems(format('{"formulas": [{"name": "F", "dataType": "Number", "expression": "1", "scale": %s}]}', n)),
          'formulas[0] "F".scale: "scale" must be a whole number from 0 to 18', 'scale ' || n)
  FROM unnest('{19,-1,4294967298,1e400,0.5}'::text[]) n;
SELECT is(pg_temp.problems(format('{"processType": "Orchestrator", "triggerOrder": %s, "start": {"object": "EdgeRecord", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}}', n)),
          'triggerOrder: "triggerOrder" must be a whole number from 1 to 2000', 'triggerOrder ' || n)
  FROM unnest('{0,2001,4294967297,1e400,1.5}'::text[]) n;
SELECT is(pg_temp.problems(format('{"recordLookups": [{"name": "L", "label": "L", "object": "EdgeRecord", "limit": %s}], "formulas": [{"name": "F", "dataType": "Number", "expression": "1", "scale": %s}]}', n, s)),
          NULL, format('limit %s, scale %s', n, s))
  FROM (VALUES ('1', '0'), ('2147483647', '18'), ('5.0', '2.0'), ('1e3', '1e1'), ('null', 'null')) v(n, s);

-- ------------------------------------------------------ times that are written

SELECT matches(pg_temp.try(format('UPDATE orchestration.%s = %L', c, t)), '^22008 .* is out of range: .*Times of records range', c || ' = ' || t)
  FROM unnest('{stage_run SET ended_at,step_run SET ended_at,step_run SET started_at,work_item SET due_at,work_item SET assigned_at,run SET created_at}'::text[]) c,
       unnest('{infinity,-infinity,294276-01-01,10000-01-01,0001-01-01,1969-12-31}'::text[]) t;
SELECT matches(pg_temp.try(format($$INSERT INTO orchestration.run_log (run_id, kind, logged_at, number) VALUES (%L, 'StartInstance', %s, %s)$$, :'run', t, n)), '^(22008|23514) ', format('a log entry of %s, number %s', t, n))
  FROM (VALUES ('''infinity''', '1'), ('now()', '-1'), ('now()', '1152921504606846976'), ('now()', '9223372036854775807'), ('''1969-12-31''', '1')) v(t, n);
SELECT is(pg_temp.try(format($$INSERT INTO orchestration.run_log (run_id, kind, logged_at, number) VALUES (%L, 'StartInstance', %s, %s)$$, :'run', t, n)), 'done', format('a log entry of %s, number %s', t, n))
  FROM (VALUES ('''1970-01-01''', '0'), ('''9999-12-31''', '1152921504606846975'), ('now()', '123456789012')) v(t, n);

-- ended_at in the distant past and in the future: the entry has the current time, and can be read
SAVEPOINT far;
UPDATE orchestration.step_run SET status = 'Completed', ended_at = '9999-12-31' WHERE id = :'step';
SELECT ok(max(logged_at) <= clock_timestamp(), 'no entry of the log is in the future') FROM orchestration.run_log WHERE run_id = :'run';
SELECT is((SELECT duration::bigint FROM orchestration.run_log WHERE step_run_id = :'step' ORDER BY number DESC LIMIT 1), 2147483647::bigint, 'its duration is the longest possible');
SELECT is(pg_temp.aftermath(), NULL, 'the run can be read, ended and deleted');
ROLLBACK TO far;

-- -------------------------------------------------- intervals, by any way in

SELECT matches(pg_temp.try(sql), '^22023 .*', sql) FROM unnest(ARRAY[
    $$SELECT orchestration.set_retry_policy('Work', max_attempts => 3, delay => '300000 years')$$,
    $$SELECT orchestration.set_retry_policy('Work', max_attempts => 3, max_delay => '300000 years')$$,
    $$SELECT orchestration.set_retry_policy('Work', timeout => '300000 years')$$,
    $$SELECT orchestration.set_retry_policy('Work', timeout => '-1 year 361 days')$$,
    $$SELECT orchestration.set_retry_policy('Work', timeout => '178000000 years -2147483647 days')$$,
    $$SELECT orchestration.set_retry_policy('Work', delay => '1 day -23:59')$$,
    $$SELECT orchestration.set_retry_policy('Work', backoff => 'NaN')$$,
    $$SELECT orchestration.set_retry_policy('Work', jitter => 'NaN')$$,
    $$SELECT orchestration.set_retry_policy('Work', jitter => 'Infinity')$$,
    $$SELECT orchestration.set_action_contract('Screen', due => '300000 years')$$,
    $$SELECT orchestration.set_action_contract('Screen', due => '-1 year 361 days')$$,
    $$SELECT orchestration.claim_steps('w', '{Work}', 1, '300000 years')$$,
    $$SELECT orchestration.complete_and_claim('[]', 'w', '{Work}', 1, '300000 years')$$,
    $$SELECT orchestration.extend_leases('[]', '300000 years')$$,
    $$SELECT orchestration.purge_runs('300000 years')$$,
    $$SELECT orchestration.remind_assignees('300000 years')$$,
    $$SELECT orchestration.message_failed(orchestration.new_id(), 'x', '300000 years')$$,
    $$UPDATE orchestration.action SET retry_delay = '300000 years'$$,
    $$UPDATE orchestration.action SET timeout = '300000 years'$$,
    $$UPDATE orchestration.action SET due = '178000000 years'$$,
    $$UPDATE orchestration.step_queue SET timeout = '300000 years'$$]) sql;
SELECT is(pg_temp.try(sql), 'done', sql) FROM unnest(ARRAY[
    $$SELECT orchestration.set_retry_policy('Work', max_attempts => 2147483647, delay => '100 years', backoff => 100, max_delay => '100 years', jitter => 1, timeout => '100 years')$$,
    $$SELECT orchestration.set_action_contract('Screen', due => '100 years')$$,
    $$SELECT orchestration.claim_steps('w', '{Work}', 1, '100 years')$$,
    $$SELECT orchestration.purge_runs('100 years')$$,
    $$SELECT orchestration.remind_assignees('100 years', 2147483647)$$,
    $$SELECT orchestration.message_failed(orchestration.new_id(), 'x', '100 years')$$,
    $$SELECT count(*) FROM orchestration.needs_attention('0')$$]) sql;

SELECT matches(pg_temp.try(format($$UPDATE orchestration.step_queue SET timeout = '%s'$$, t)), '^(22023|23514) ', 'timeout of a queued step ' || t) FROM unnest('{0,-1 s}'::text[]) t;

-- the longest interval, used throughout
SAVEPOINT long;
SELECT orchestration.set_retry_policy('Work', max_attempts => 2147483647, delay => '100 years', backoff => 100, max_delay => '100 years', jitter => 1, timeout => '100 years'),
       orchestration.set_action_contract('Screen', due => '100 years') \g /dev/null
SELECT orchestration.start_orchestration('Edge') AS long_run \gset
SELECT is((SELECT accepted FROM orchestration.fail_steps((SELECT jsonb_build_array(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'message', 'no'))
             FROM orchestration.claim_steps('w', '{Work}', 1, '100 years') WHERE run_id = :'long_run'))), true, 'a step of a policy of 100 years is claimed and tried again');
SELECT is(pg_temp.aftermath(), NULL, 'verify() finds nothing');
ROLLBACK TO long;

-- ------------------------------------------------ results, each for itself

SAVEPOINT results;
SELECT orchestration.start_orchestration('Edge') AS second \gset
SELECT step_id AS second_step, lease_id AS second_lease FROM orchestration.claim_steps('w', '{Work}', 1) \gset
SELECT results_eq(format($$SELECT * FROM orchestration.complete_steps('[{"step_id": "%s", "lease_id": "%s"}, {"step_id": "x", "lease_id": "%2$s"}, {"step_id": "%1$s", "lease_id": "y"}, 7, null,
        {"step_id": "%1$s", "lease_id": "%2$s", "outputs": 5}, {"lease_id": "%2$s"}, {"step_id": "%3$s", "lease_id": "%4$s"}]')$$, :'step', :'lease', :'second_step', :'second_lease'),
    format($$VALUES ('%s'::uuid, true, NULL), (NULL, false, 'step_id of results[1] is not a uuid: "x"'), ('%1$s', false, 'lease_id of results[2] is not a uuid: "y"'),
        (NULL, false, 'results[3] is not an object'), (NULL, false, 'results[4] is not an object'), ('%1$s', false, 'outputs of results[5] is not an object'),
        (NULL, false, 'results[6] has no text "step_id"'), ('%2$s', true, NULL)$$, :'step', :'second_step'),
    'a malformed result alone is refused, the others are accepted');
SELECT is((SELECT string_agg(status::text, ' ') FROM orchestration.step_run WHERE id IN (:'step', :'second_step')), 'Completed Completed', 'both steps are Completed');
ROLLBACK TO results;
SELECT results_eq(format($$SELECT accepted, reason FROM orchestration.fail_steps('[{"step_id": "x"}, {"step_id": "%s", "lease_id": "%s", "message": 5}, {"step_id": "%1$s", "lease_id": "%2$s", "message": "m", "retry": "false"},
        {"step_id": "%1$s", "lease_id": "%2$s"}, {"step_id": "%1$s", "lease_id": "%2$s", "message": "m", "retry": false}]')$$, :'step', :'lease'),
    $$VALUES (false, 'step_id of results[0] is not a uuid: "x"'), (false, 'message of results[1] is not text'), (false, 'retry of results[2] is not true or false'),
        (false, 'results[3] has no text "message"'), (true, NULL)$$, 'the same for failures');
ROLLBACK TO results;
SELECT results_eq(format($$SELECT step_id, accepted, reason FROM orchestration.complete_and_claim('[{"step_id": "x"}, {"step_id": "%s", "lease_id": "%s", "message": 5}, {"step_id": "%1$s", "lease_id": "%2$s"}]', 'w', '{Work}')$$, :'step', :'lease'),
    format($$VALUES (NULL::uuid, false, 'step_id of results[0] is not a uuid: "x"'), ('%s', false, 'message of results[1] is not text'), ('%1$s', true, NULL)$$, :'step'),
    'the same for complete_and_claim(): a failure is not treated as a success');
ROLLBACK TO results;
SELECT results_eq(format($$SELECT step_id, held, reason FROM orchestration.extend_leases('[{"step_id": "x"}, 5, {"step_id": "%s"}, {"step_id": "%1$s", "lease_id": "%s"}]')$$, :'step', :'lease'),
    format($$VALUES (NULL::uuid, false, 'step_id of leases[0] is not a uuid: "x"'), (NULL, false, 'leases[1] is not an object'), ('%s', false, 'leases[2] has no text "lease_id"'), ('%1$s', true, NULL)$$, :'step'),
    'the same for leases');
SELECT throws_ok(format('SELECT orchestration.%s', f), 'OR306') FROM unnest(ARRAY[$$complete_steps('{}')$$, $$fail_steps('5')$$, $$extend_leases('{}')$$, $$complete_steps(to_jsonb(array_fill(1, '{10001}')))$$]) f;

-- --------------------------------------------------------- numbers of names

-- sequences are not rolled back: reset them for the tests that follow
SAVEPOINT names;
SELECT r.last_value AS runs, w.last_value AS items FROM orchestration.run_name_seq r, orchestration.work_item_name_seq w \gset
SELECT setval('orchestration.run_name_seq', 99999999), setval('orchestration.work_item_name_seq', 1234567890123) \g /dev/null
SELECT orchestration.start_orchestration('Edge') AS many \gset
SELECT is((SELECT name FROM orchestration.run WHERE id = :'many'), 'OR-100000000', 'the run after 99,999,999 others has a unique name');
SELECT is((SELECT name FROM orchestration.work_item WHERE run_id = :'many'), 'WI-1234567890124', 'and a work item');
SELECT is(pg_temp.try($$SELECT orchestration.start_orchestration('Edge')$$), 'done', 'and the next');
ROLLBACK TO names;
SELECT setval('orchestration.run_name_seq', :runs), setval('orchestration.work_item_name_seq', :items) \g /dev/null

-- -------------------------------------------------------------- further faults

SELECT throws_ok($$SELECT orchestration.describe_sobjects('{FlowOrchestrationInstance}', 1e400)$$, '22023', 'api_version must be between 1.0 and 999.9');
SELECT is((SELECT string_agg(status::text, ' ' ORDER BY id) FROM orchestration.run WHERE orchestration_name <> 'Assigns'), 'Canceled InProgress', 'the runs are unchanged');
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify() finds nothing');
SELECT diag(format('%s calls, %s refused; %s writes, %s refused', (SELECT count(*) FROM tried), (SELECT count(*) FROM tried WHERE answer <> 'done'),
                   (SELECT count(*) FROM written), (SELECT count(*) FROM written WHERE answer <> 'done')));
SELECT * FROM finish();
ROLLBACK;
