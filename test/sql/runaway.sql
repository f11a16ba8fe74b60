-- runaway: the cost of a document.  Whatever its shape, checking and running it takes time
-- and memory in proportion to its size, ends in an error that names the place, and can be
-- canceled.  No document here reaches the server's own limit of the stack.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
\t on
SET client_min_messages = warning;
-- for each statement; work that doubled with each element would take years
SET statement_timeout = '20s';
SET max_stack_depth = '100kB';

CREATE FUNCTION public.runaway_action(inputs jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT inputs $$;
SELECT orchestration.register_action('Runaway', 'function', 'public.runaway_action(jsonb)');
-- a definition with a stage and a step; more gives it further elements
CREATE FUNCTION pg_temp.flow(name text, more jsonb DEFAULT '{}', step jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('fullName', name, 'label', name, 'processType', 'Orchestrator',
        'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'stageSteps', jsonb_build_array(
            '{"name": "B", "label": "B", "actionType": "stepBackground", "actionName": "Runaway"}'::jsonb || step)))) || more
$$;
-- n + 1 formulas; % in expr stands for the formula before; reverse: the last comes first
CREATE FUNCTION pg_temp.chain(n int, expr text, leaf text, type text, reverse boolean DEFAULT false) RETURNS jsonb LANGUAGE sql AS $$
    SELECT ('{"formulas": [' || string_agg('{"name": "F' || i || '", "dataType": "' || type || '", "expression": ' ||
               to_json(CASE WHEN i = 0 THEN leaf ELSE replace(expr, '%', '{!F' || i - 1 || '}') END) || '}', ',' ORDER BY CASE WHEN reverse THEN -i ELSE i END) || ']}')::jsonb
      FROM generate_series(0, n) i
$$;
CREATE FUNCTION pg_temp.reads(reference text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('entryConditionLogic', 'and', 'entryConditions', jsonb_build_array(jsonb_build_object(
               'leftValueReference', reference, 'operator', 'IsNull', 'rightValue', '{"booleanValue": false}'::jsonb)),
           'inputParameters', jsonb_build_array(jsonb_build_object('name', 'x', 'value', jsonb_build_object('elementReference', reference))))
$$;
-- an array of n elements
CREATE FUNCTION pg_temp.many(element text, n int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT ('[' || repeat(element || ',', n - 1) || element || ']')::jsonb
$$;
-- the number of problems, and the first
CREATE FUNCTION pg_temp.judge(document jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT count(*) || COALESCE(', the first: ' || (array_agg(severity || ' ' || right(place, 60) || ': ' || message))[1], '')
      FROM orchestration.validate_orchestration(document)
$$;
-- the end of a run
CREATE FUNCTION pg_temp.play(document jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    run uuid;
BEGIN
    PERFORM orchestration.deploy_orchestration(document);
    PERFORM orchestration.activate_orchestration(document ->> 'fullName');
    run := orchestration.start_orchestration(document ->> 'fullName');
    RETURN (SELECT concat_ws(' ', r.status, r.error ->> 'sqlstate', r.error ->> 'message', left(s.outputs::text, 60))
              FROM orchestration.run r LEFT JOIN orchestration.step_run s ON s.run_id = r.id WHERE r.id = run);
END
$$;

--
-- Formulas that refer to formulas
--
-- each refers to the one before twice
SELECT pg_temp.play(pg_temp.flow('Doubling', pg_temp.chain(60, 'MIN(%, %)', '1', 'Number'), pg_temp.reads('F60')));
SELECT pg_temp.play(pg_temp.flow('Doubling_late', pg_temp.chain(60, 'IF(% > 0, %, %)', '1', 'Number', true), pg_temp.reads('F60')));
-- the same through text templates, in conditions, in a filter of the start
SELECT pg_temp.play(pg_temp.flow('Templates', jsonb_build_object('textTemplates', (SELECT jsonb_agg(jsonb_build_object('name', 'T' || i,
           'text', CASE WHEN i = 0 THEN '' ELSE replace('%%', '%', '{!T' || i - 1 || '}') END)) FROM generate_series(0, 60) i)), pg_temp.reads('T60')));
SELECT pg_temp.judge(pg_temp.flow('Filter', pg_temp.chain(60, 'AND(%, %)', 'true', 'Boolean') || '{"start": {"connector": {"targetReference": "S"},
    "object": "Thing", "triggerType": "RecordAfterSave", "recordTriggerType": "Create", "filterFormula": "AND({!F60}, {!F60})"}}'));
-- many requirements on one formula, and one formula on many
SELECT pg_temp.play(pg_temp.flow('Wide', jsonb_build_object('formulas', (SELECT jsonb_agg(f) FROM (
           SELECT jsonb_build_object('name', 'A' || i, 'dataType', 'Number', 'expression', '1') FROM generate_series(1, 200) i UNION ALL
           SELECT jsonb_build_object('name', 'B' || i, 'dataType', 'Number', 'expression', (SELECT 'MAX(' || string_agg('{!A' || j || '}', ',') || ')' FROM generate_series(1, 200) j)) FROM generate_series(1, 200) i UNION ALL
           SELECT jsonb_build_object('name', 'C', 'dataType', 'Number', 'expression', (SELECT 'MAX(' || string_agg('{!B' || j || '}', ',') || ')' FROM generate_series(1, 200) j))) x (f))),
       jsonb_build_object('entryConditionLogic', 'and', 'entryConditions', pg_temp.many('{"leftValueReference": "C", "operator": "EqualTo", "rightValue": {"numberValue": 1}}', 1000))));
-- a chain has a limit: the error names the place where it is exceeded, whatever the order
SELECT pg_temp.judge(pg_temp.flow('Deep', pg_temp.chain(200, '%', '1', 'Number'), pg_temp.reads('F200')));
SELECT pg_temp.judge(pg_temp.flow('Deep', pg_temp.chain(201, '%', '1', 'Number'), pg_temp.reads('F201')));
SELECT pg_temp.judge(pg_temp.flow('Deep', pg_temp.chain(201, '%', '1', 'Number', true)));
SELECT pg_temp.judge(pg_temp.flow('Deep', pg_temp.chain(101, '1 + %', '1', 'Number')));
SELECT pg_temp.judge(pg_temp.flow('Deep', pg_temp.chain(100, '1 + %', '1', 'Number') || '{"start": {"connector": {"targetReference": "S"},
    "object": "Thing", "triggerType": "RecordAfterSave", "recordTriggerType": "Create", "filterFormula": "1 = {!F100}"}}'));
SELECT pg_temp.judge(pg_temp.flow('Deep', pg_temp.chain(30000, '% + 1', '1', 'Number'), pg_temp.reads('F30000')));
SELECT pg_temp.judge(pg_temp.flow('Deep', pg_temp.chain(30000, '% + 1', '1', 'Number', true), pg_temp.reads('F30000')));
-- formulas at the limit can be evaluated
SELECT pg_temp.play(pg_temp.flow('Deepest', pg_temp.chain(100, '1 + %', '1', 'Number'), pg_temp.reads('F100')));
-- circles: a short one, one through a text template, a long one
SELECT pg_temp.judge(pg_temp.flow('Circle', '{"formulas": [{"name": "A", "expression": "{!C}"}, {"name": "C", "expression": "MIN({!A}, {!A})"}]}'));
SELECT pg_temp.judge(pg_temp.flow('Circle', '{"formulas": [{"name": "Before", "dataType": "String", "expression": "{!A}"}, {"name": "A", "dataType": "String", "expression": "{!T}"}],
    "textTemplates": [{"name": "T", "text": "{!A}"}]}'));
SELECT pg_temp.judge(pg_temp.flow('Circle', pg_temp.chain(30000, '% + 1', '{!F30000}', 'Number')));

--
-- Texts and collections that double
--
SELECT pg_temp.play(pg_temp.flow('Text_join', pg_temp.chain(40, '% & %', '"ab"', 'String'), pg_temp.reads('F40')));
SELECT pg_temp.play(pg_temp.flow('Text_add', pg_temp.chain(40, '% + %', '"ab"', 'String'), pg_temp.reads('F40')));
SELECT pg_temp.play(pg_temp.flow('Text_replace', pg_temp.chain(7, 'SUBSTITUTE(%, "a", LPAD("a", 999, "a"))', '"a"', 'String'), pg_temp.reads('F7')));
SELECT pg_temp.play(pg_temp.flow('Text_template', jsonb_build_object('textTemplates', (SELECT jsonb_agg(jsonb_build_object('name', 'T' || i,
           'text', CASE WHEN i = 0 THEN 'ab' ELSE replace('%%', '%', '{!T' || i - 1 || '}') END)) FROM generate_series(0, 40) i)), pg_temp.reads('T40')));
CREATE FUNCTION pg_temp.assigned(items jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('start', '{"connector": {"targetReference": "A"}}'::jsonb,
        'variables', '[{"name": "t", "dataType": "String", "value": {"stringValue": "ab"}}, {"name": "c", "dataType": "Number", "isCollection": true},
                       {"name": "n", "dataType": "Number", "value": {"numberValue": 1}}, {"name": "r", "dataType": "SObject"}]'::jsonb,
        'assignments', jsonb_build_array(jsonb_build_object('name', 'A', 'label', 'A', 'connector', '{"targetReference": "S"}'::jsonb, 'assignmentItems', items)))
$$;
SELECT pg_temp.play(pg_temp.flow('Assign_text', pg_temp.assigned(pg_temp.many('{"assignToReference": "t", "operator": "Add", "value": {"elementReference": "t"}}', 40))));
SELECT pg_temp.play(pg_temp.flow('Assign_members', pg_temp.assigned((SELECT jsonb_agg(jsonb_build_object('assignToReference', 'c', 'operator', 'Add', 'value',
           CASE WHEN i = 0 THEN '{"elementReference": "n"}' ELSE '{"elementReference": "c"}' END::jsonb) ORDER BY i) FROM generate_series(0, 40) i))));
-- a formula is evaluated once for each assigned value: it sees the assignment before
SELECT pg_temp.play(pg_temp.flow('Scope', pg_temp.assigned('[{"assignToReference": "n", "operator": "Assign", "value": {"elementReference": "F2"}},
    {"assignToReference": "n", "operator": "Add", "value": {"elementReference": "F2"}}, {"assignToReference": "n", "operator": "Add", "value": {"elementReference": "F2"}}]')
    || '{"formulas": [{"name": "F1", "dataType": "Number", "scale": 0, "expression": "{!n} + 1"}, {"name": "F2", "dataType": "Number", "scale": 0, "expression": "{!F1} * 1"}]}', pg_temp.reads('F2')));

--
-- Nested elements have a limit: at it, past it, far past it
--
CREATE FUNCTION pg_temp.nested(kind text, n int) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE kind
        WHEN 'logic ('     THEN jsonb_build_object('conditionLogic', repeat('(', n) || '1' || repeat(')', n))
        WHEN 'logic not'   THEN jsonb_build_object('conditionLogic', repeat('not ', n) || '1')
        WHEN 'containers'  THEN ('{"conditions": [' || repeat('{"conditionLogic": "and", "conditions": [', n) || '{"leftValueReference": "a", "operator": "IsNull"}' || repeat(']}', n) || ']}')::jsonb
        WHEN 'containers and logic' THEN ('{"conditionLogic": "not(1)", "conditions": [' || repeat('{"conditionLogic": "not(1)", "conditions": [', n) || '{"leftValueReference": "a", "operator": "IsNull"}' || repeat(']}', n) || ']}')::jsonb
        END || CASE WHEN kind LIKE 'logic%' THEN '{"conditions": [{"leftValueReference": "a", "operator": "IsNull"}]}'::jsonb ELSE '{}'::jsonb END
$$;
CREATE FUNCTION pg_temp.holds(conditions jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN orchestration.evaluate_conditions(conditions, '{"a": 1}');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || right(detail, 80);
END
$$;
SELECT kind, n, pg_temp.holds(pg_temp.nested(kind, n))
  FROM (VALUES ('logic (', 100), ('logic (', 101), ('logic (', 499), ('logic not', 100), ('logic not', 101), ('logic not', 249),
               ('containers', 98), ('containers', 100), ('containers', 101), ('containers', 200),
               ('containers and logic', 32), ('containers and logic', 33), ('containers and logic', 90)) v (kind, n);
CREATE FUNCTION pg_temp.value(formula text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN orchestration.evaluate_formula(formula, '{}');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || detail;
END
$$;
SELECT kind, n, pg_temp.value(repeat(before, n) || leaf || repeat(after, n))
  FROM (VALUES ('parentheses', '(', '1', ')'), ('minus', '-', '1', ''), ('not', '!', 'true', ''), ('power', '1^', '1', ''),
               ('functions', 'ABS(', '1', ')'), ('right sides', '1-(', '1', ')'), ('if', 'IF(true,', '1', ',2)')) k (kind, before, leaf, after),
       unnest(ARRAY[50, 100, 101, 480]) n
 ORDER BY kind, n;
-- without nesting there is no limit, however long the text
SELECT pg_temp.value('1' || repeat('+1', 1900)), pg_temp.value('1' || repeat('*2-1', 900)), left(pg_temp.value('"a"' || repeat('&"a"', 900)), 5),
       pg_temp.value('false' || repeat('||1=2', 700) || '||true'), pg_temp.value('true' || repeat('&&true', 600)),
       pg_temp.value('true' || repeat('=true', 700)), pg_temp.value('10-1-2-3'), pg_temp.value('2*3+4>9&&1+1=2||1/0=1'), pg_temp.value('true || 1/0 = 1 || 1/0 = 2'),
       pg_temp.value('MAX(1' || repeat(',1', 1500) || ')');
SELECT pg_temp.holds(jsonb_build_object('conditionLogic', '1' || repeat(' AND 1', 160), 'conditions', '[{"leftValueReference": "a", "operator": "IsNull"}]'::jsonb)),
       pg_temp.holds(jsonb_build_object('conditionLogic', '1 AND 1 OR NOT 1 AND NOT 1', 'conditions', '[{"leftValueReference": "a", "operator": "IsNull"}]'::jsonb));
-- fields in a path, read and written
SELECT pg_temp.judge(pg_temp.flow('Path', '{"variables": [{"name": "r", "dataType": "SObject"}]}', pg_temp.reads('r' || repeat('.x', n)))) FROM unnest(ARRAY[100, 101, 100000]) n;
SELECT pg_temp.play(pg_temp.flow('Path_set', pg_temp.assigned(jsonb_build_array(jsonb_build_object('assignToReference', 'r' || repeat('.x', 100), 'operator', 'Assign', 'value', '{"numberValue": 1}'::jsonb))),
           pg_temp.reads('r' || repeat('.x', 100))));
SELECT pg_temp.judge(pg_temp.flow('Path', pg_temp.assigned(jsonb_build_array(jsonb_build_object('assignToReference', 'r' || repeat('.x', n), 'operator', 'Assign', 'value', '{"numberValue": 1}'::jsonb)))))
  FROM unnest(ARRAY[101, 1000000]) n;
-- elements of a document
SELECT severity, message FROM orchestration.validate_orchestration(('<Flow><label>x</label><processType>Orchestrator</processType>' || repeat('<x>', 100) || repeat('</x>', 100) || '</Flow>')::xml);
SELECT severity, message FROM orchestration.validate_orchestration(('<Flow><label>x</label><processType>Orchestrator</processType>' || repeat('<x>', 101) || repeat('</x>', 101) || '</Flow>')::xml);
SELECT pg_temp.judge(pg_temp.flow('Nested', ('{"decisions": [{"name": "D", "label": "D", "rules": [{"name": "R", "label": "R", "conditionLogic": "and", "conditions": [' ||
           repeat('{"conditionLogic": "and", "conditions": [', n) || '{"leftValueReference": "S.Status", "operator": "IsNull"}' || repeat(']}', n) || ']}]}]}')::jsonb)) FROM unnest(ARRAY[90, 150]) n;

--
-- Many elements: the cost of each does not grow with the number of the others
--
RESET max_stack_depth;
-- steps without a name, in a stage whose name comes last
SELECT count(*), max(length(message)) FROM orchestration.validate_orchestration(('<Flow><label>x</label><orchestratedStages><label>S</label>' ||
    repeat('<stageSteps/>', 20000) || '<name>S</name></orchestratedStages><processType>Orchestrator</processType></Flow>')::xml);
-- a long constant, in many messages
SELECT count(*), max(length(message)) FROM orchestration.validate_orchestration(pg_temp.flow('Long', jsonb_build_object('constants', jsonb_build_array(
           jsonb_build_object('name', 'k', 'dataType', 'String', 'value', jsonb_build_object('stringValue', repeat('x', 1000000))))),
       jsonb_build_object('entryConditionLogic', '(1 OR 2)', 'entryConditions', pg_temp.many('{"leftValueReference": "B.Status", "operator": "EqualTo", "rightValue": {"elementReference": "k"}}', 3000))));
-- a long name, in many messages
SELECT count(*), max(length(message)) FROM orchestration.validate_orchestration(pg_temp.flow('Long', jsonb_build_object('variables', jsonb_build_array(
           jsonb_build_object('name', repeat('x', 100000), 'dataType', 'String')), 'decisions', '[]'::jsonb),
       jsonb_build_object('entryConditionLogic', 'and', 'entryConditions', (SELECT jsonb_agg(jsonb_build_object('leftValueReference', repeat('x', 100000) || '.y', 'operator', 'EqualTo')) FROM generate_series(1, 20)))));
-- inputs and variables
SELECT orchestration.deploy_orchestration(pg_temp.flow('Inputs', (SELECT jsonb_build_object('variables', jsonb_agg(jsonb_build_object('name', 'v' || i, 'dataType', 'Number', 'isInput', true))) FROM generate_series(1, 20000) i)));
SELECT orchestration.activate_orchestration('Inputs');
SELECT orchestration.start_orchestration('Inputs', inputs => (SELECT jsonb_object_agg('v' || i, i) FROM generate_series(1, 20000) i)) IS NOT NULL;
-- stages in a chain, against their order; their diagram
SELECT orchestration.deploy_orchestration(pg_temp.flow('Stages', jsonb_build_object('start', '{"connector": {"targetReference": "S5000"}}'::jsonb, 'orchestratedStages',
    (SELECT jsonb_agg(jsonb_build_object('name', 'S' || i, 'label', 'S' || i, 'stageSteps', '[]'::jsonb) || CASE WHEN i > 1 THEN jsonb_build_object('connector', jsonb_build_object('targetReference', 'S' || i - 1)) ELSE '{}' END ORDER BY i)
       FROM generate_series(1, 5000) i))));
SELECT x.format, length(orchestration.run_diagram(v.id, x.format)) > 100000
  FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id, unnest('{svg,dot,mermaid}'::text[]) x (format)
 WHERE d.name = 'Stages';

--
-- Each check can be canceled soon
--
CREATE TEMP TABLE big (kind text, document jsonb);
ALTER TABLE big ALTER document SET STORAGE EXTERNAL;
INSERT INTO big SELECT 'formulas', pg_temp.flow('Big', pg_temp.chain(30000, '% + 1', '1', 'Number'), pg_temp.reads('F30000'));
INSERT INTO big SELECT 'steps', pg_temp.flow('Big', jsonb_build_object('orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'stageSteps',
    pg_temp.many('{"actionType": "stepBackground"}', 50000)))));
INSERT INTO big SELECT 'conditions', pg_temp.flow('Big', '{}', jsonb_build_object('entryConditionLogic', 'or', 'entryConditions',
    pg_temp.many('{"leftValueReference": "B.Status", "operator": "EqualTo", "rightValue": {"stringValue": "x"}}', 50000)));
INSERT INTO big SELECT 'assignments', pg_temp.flow('Big', pg_temp.assigned(pg_temp.many('{"assignToReference": "n", "operator": "Add", "value": {"elementReference": "n"}}', 50000)));
INSERT INTO big SELECT 'text template', pg_temp.flow('Big', jsonb_build_object('textTemplates', jsonb_build_array(jsonb_build_object('name', 'T', 'text', repeat('{!x}', 200000)))));
INSERT INTO big SELECT 'unknown elements', pg_temp.flow('Big', (SELECT ('{' || string_agg('"unknown' || i || '": 1', ',') || '}')::jsonb FROM generate_series(1, 200000) i));
-- for each: the limit, the call, and whether it ended soon
SELECT $$DO 'BEGIN PERFORM set_config(''runaway.start'', clock_timestamp()::text, false); END'$$,
       $$SET statement_timeout = '10ms'$$,
       format('SELECT count(*) FROM big, orchestration.validate_orchestration(document) WHERE kind = %L', kind),
       $$RESET statement_timeout$$,
       $$SELECT clock_timestamp() - current_setting('runaway.start')::timestamptz < '2 s' AS soon$$
  FROM unnest(ARRAY['formulas', 'steps', 'conditions', 'assignments', 'text template', 'unknown elements']) kind
\gexec

--
-- Activation warns of an orchestration that can start itself
--
CREATE TABLE public.runaway_thing (id int PRIMARY KEY, state text);
SELECT orchestration.register_record_type('Runaway_Thing', 'public.runaway_thing');
SELECT orchestration.register_action('Runaway_screen', 'screen');
CREATE FUNCTION pg_temp.activate(name text, start jsonb, step jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    document jsonb := pg_temp.flow(name, jsonb_build_object('start', '{"connector": {"targetReference": "S"}, "object": "Runaway_Thing",
        "triggerType": "RecordAfterSave", "recordTriggerType": "Update"}'::jsonb || start), step);
BEGIN
    PERFORM orchestration.deploy_orchestration(document), orchestration.activate_orchestration(name), orchestration.deactivate_orchestration(name);
    RETURN (SELECT string_agg(severity || ' ' || place || ': ' || message, '; ') FROM orchestration.validate_orchestration(document));
END
$$;
SELECT pg_temp.activate('Self_update', '{}');
SELECT pg_temp.activate('Self_both', '{"recordTriggerType": "CreateAndUpdate", "filterLogic": "and", "filters": [{"field": "state", "operator": "EqualTo", "value": {"stringValue": "new"}}]}',
    '{"requiresAsyncProcessing": true}');
SELECT pg_temp.activate('Self_formula', '{"filterFormula": "{!$Record.State} = \"new\""}');
-- no warning for these
SELECT pg_temp.activate('Self_create', '{"recordTriggerType": "Create"}');
SELECT pg_temp.activate('Self_required', '{"doesRequireRecordChangedToMeetCriteria": true, "filterLogic": "and", "filters": [{"field": "state", "operator": "EqualTo", "value": {"stringValue": "new"}}]}');
SELECT pg_temp.activate('Self_changed', '{"filterLogic": "and", "filters": [{"field": "state", "operator": "IsChanged", "value": {"booleanValue": true}}]}');
SELECT pg_temp.activate('Self_formula_changed', '{"filterFormula": "ISCHANGED({!$Record.State})"}');
SELECT pg_temp.activate('Self_prior', '{"filterFormula": "{!$Record.State} <> {!$Record__Prior.State}"}');
SELECT pg_temp.activate('Self_people', '{}', '{"actionType": "stepInteractive", "actionName": "Runaway_screen", "assignees": [{"assigneeType": "User", "assignee": {"elementReference": "$Record.State"}}]}');

SELECT * FROM orchestration.verify();
SELECT orchestration.unregister_record_type('Runaway_Thing');
DROP TABLE public.runaway_thing;
DROP FUNCTION public.runaway_action(jsonb);
-- other files give runs the same names
DELETE FROM orchestration.run;
