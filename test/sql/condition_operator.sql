-- condition_operator: each operator of the format, by name; the types of both sides, known when the
-- definition is deployed; WasVisited and HasError on each kind of element.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.operator_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.operator_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
SELECT orchestration.register_action('Op_Echo', 'function', 'operator_echo(jsonb)');
SELECT orchestration.register_action('Op_Fails', 'function', 'operator_fails(jsonb)');
SELECT orchestration.register_action('Op_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE FUNCTION pg_temp.condition(reference text, operator text, value jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('leftValueReference', reference, 'operator', operator, 'rightValue', value)) $$;
-- a decision with one outcome
CREATE FUNCTION pg_temp.decision(name text, next text, otherwise text, VARIADIC conditions jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('name', name, 'label', name,
        'defaultConnector', CASE WHEN otherwise IS NOT NULL THEN jsonb_build_object('targetReference', otherwise) END,
        'rules', jsonb_build_array(jsonb_build_object('name', name || '_holds', 'label', name, 'conditionLogic', 'and', 'conditions', conditions,
            'connector', CASE WHEN next IS NOT NULL THEN jsonb_build_object('targetReference', next) END)))) $$;
CREATE FUNCTION pg_temp.problems(parts jsonb) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT severity || ' ' || place || ': ' || message FROM orchestration.validate_orchestration(jsonb_build_object('label', 'x', 'processType', 'Orchestrator') || parts)
     WHERE severity <> 'ACTIVATION ERROR' OR message !~ 'there is no stage|is not registered' $$;

--
-- The operators of conditions (FlowComparisonOperator) and of filters: what is accepted, what is refused
--
SELECT op, COALESCE((SELECT string_agg(p, '; ') FROM pg_temp.problems(jsonb_build_object(
           'start', '{"connector": {"targetReference": "D"}}'::jsonb, 'variables', jsonb_build_array(pg_temp.variable('s', 'String'), pg_temp.variable('l', 'String', NULL, true)),
           'decisions', jsonb_build_array(pg_temp.decision('D', NULL, NULL, pg_temp.condition(l, op, r))))) p), 'accepted')
  FROM (VALUES ('None', 's', '{"stringValue": "a"}'::jsonb), ('EqualTo', 's', '{"stringValue": "a"}'), ('NotEqualTo', 's', '{"stringValue": "a"}'), ('GreaterThan', 's', '{"stringValue": "a"}'),
               ('LessThan', 's', '{"stringValue": "a"}'), ('GreaterThanOrEqualTo', 's', '{"stringValue": "a"}'), ('LessThanOrEqualTo', 's', '{"stringValue": "a"}'), ('StartsWith', 's', '{"stringValue": "a"}'),
               ('EndsWith', 's', '{"stringValue": "a"}'), ('Contains', 's', '{"stringValue": "a"}'), ('IsNull', 's', '{"booleanValue": true}'), ('IsChanged', '$Record.A', '{"booleanValue": true}'),
               ('WasSet', 's', '{"booleanValue": true}'), ('WasSelected', 's', '{"booleanValue": true}'), ('WasVisited', 'D', '{"booleanValue": true}'), ('In', 's', '{"elementReference": "l"}'),
               ('NotIn', 's', '{"elementReference": "l"}'), ('IsBlank', 's', '{"booleanValue": true}'), ('IsEmpty', 'l', '{"booleanValue": true}'), ('HasError', 'D', '{"booleanValue": true}')) o (op, l, r);
SELECT op, COALESCE((SELECT string_agg(p, '; ') FROM pg_temp.problems(jsonb_build_object('constants', '[{"name": "C", "dataType": "String", "value": {"stringValue": "a"}}]'::jsonb,
           'start', jsonb_build_object('object', 'X', 'triggerType', 'RecordAfterSave', 'recordTriggerType', 'Update', 'filterLogic', 'and', 'filters', jsonb_build_array(jsonb_build_object('field', 'A', 'operator', op,
               'value', CASE WHEN op ~ '^(Is|Was|Has)' THEN '{"booleanValue": true}'::jsonb ELSE '{"stringValue": "a"}' END))))) p), 'accepted')
  FROM unnest('{EqualTo,NotEqualTo,GreaterThan,GreaterThanOrEqualTo,LessThan,LessThanOrEqualTo,StartsWith,EndsWith,Contains,IsNull,IsChanged,In,NotIn,None,WasVisited,HasError,WasSelected}'::text[]) op;

--
-- Types of both sides that are known when the definition is deployed: w: accepted with a warning,
-- -: an error
--
CREATE TEMP TABLE kind (n serial, name text, dataType text, collection boolean DEFAULT false);
INSERT INTO kind (name, dataType) VALUES ('text', 'String'), ('number', 'Number'), ('boolean', 'Boolean'), ('day', 'Date'), ('moment', 'DateTime'), ('time', 'Time'), ('record', 'SObject');
INSERT INTO kind (name, dataType, collection) VALUES ('collection', 'String', true);
CREATE TEMP TABLE verdict AS
SELECT o.m, o.op, l.n AS ln, l.name AS lhs, r.n AS rn, r.name AS rhs, COALESCE((SELECT max(CASE WHEN severity = 'ERROR' THEN 'x' ELSE 'w' END)
           FROM orchestration.validate_orchestration(jsonb_build_object('label', 'x', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "D"}}'::jsonb,
               'variables', (SELECT jsonb_agg(pg_temp.variable(s || k.name, k.dataType, NULL, k.collection)) FROM kind k, unnest('{l_,r_}'::text[]) s),
               'decisions', jsonb_build_array(pg_temp.decision('D', NULL, NULL, pg_temp.condition('l_' || l.name, op, jsonb_build_object('elementReference', 'r_' || r.name))))))
          WHERE place LIKE '%conditions%'), 't') AS verdict
  FROM unnest('{EqualTo,NotEqualTo,GreaterThan,LessThan,GreaterThanOrEqualTo,LessThanOrEqualTo,StartsWith,EndsWith,Contains,In,NotIn}'::text[]) WITH ORDINALITY o (op, m), kind l, kind r;
SELECT op, lhs, string_agg(translate(verdict, 'xt', '-+'), ' ' ORDER BY rn) FROM verdict GROUP BY m, op, ln, lhs ORDER BY m, ln;
-- a comparison is allowed both ways or neither
SELECT count(*) FROM verdict a JOIN verdict b ON a.lhs = b.rhs AND a.rhs = b.lhs AND a.op = b.op
 WHERE a.op ~ 'Equal|Than' AND a.verdict <> b.verdict;
-- what is allowed never fails in a run, and has the same result with the sides changed: one decision for each
CREATE TEMP TABLE asked AS SELECT row_number() OVER (ORDER BY m, ln, rn) AS i, v.* FROM verdict v WHERE verdict <> 'x';
SELECT count(*) FROM asked;
SELECT pg_temp.orchestration('Types', 'D1', jsonb_build_object(
    'variables', (SELECT jsonb_agg(pg_temp.variable(s || k.name, k.dataType, NULL, k.collection)) FROM kind k, unnest('{l_,r_}'::text[]) s),
    'decisions', (SELECT jsonb_agg(pg_temp.decision('D' || i, 'D' || i + 1, 'D' || i + 1, pg_temp.condition('l_' || lhs, op, jsonb_build_object('elementReference', 'r_' || rhs)))) FROM asked)
        || jsonb_build_array(pg_temp.decision('D' || (SELECT max(i) + 1 FROM asked), 'S', 'S', pg_temp.condition('l_text', 'IsNull', '{"booleanValue": true}'))),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL))));
CREATE FUNCTION pg_temp.result(inputs jsonb) RETURNS TABLE (op text, lhs text, rhs text, holds boolean) LANGUAGE plpgsql AS $$
DECLARE
    run_id uuid := orchestration.start_orchestration('Types', inputs => inputs);
BEGIN
    RETURN QUERY SELECT a.op, a.lhs, a.rhs, COALESCE(r.variables->'$Outcomes' ? ('D' || a.i || '_holds'), false)
      FROM asked a, orchestration.run r WHERE r.id = run_id AND r.status = 'Completed';
END
$$;
CREATE TEMP TABLE input (n serial, v jsonb);
INSERT INTO input (v) VALUES ('{}'),
    ('{"text": "5", "number": 5, "boolean": true, "day": "2026-03-01", "moment": "2026-03-01T00:00:00Z", "time": "10:00:00.000Z", "record": {"a": 1}, "collection": ["5"]}'),
    ('{"text": "True", "number": 2.50, "boolean": false, "day": "2027-03-01", "moment": "2026-03-01T12:00:00+02:00", "time": "10:00", "record": {}, "collection": []}'),
    ('{"text": "2026-03-01", "number": 10, "boolean": true, "day": "2026-03-01", "moment": "2026-03-01 10:00:00Z", "time": "23:00:00", "record": {"a": 1}, "collection": ["5", "2026-03-01"]}');
CREATE TEMP TABLE result AS
SELECT a.n AS a, b.n AS b, r.* FROM input a, input b, LATERAL pg_temp.result(
    (SELECT COALESCE(jsonb_object_agg('l_' || key, value), '{}') FROM jsonb_each(a.v)) || (SELECT COALESCE(jsonb_object_agg('r_' || key, value), '{}') FROM jsonb_each(b.v))) r;
SELECT count(DISTINCT (a, b)) AS runs, count(*) = 16 * (SELECT count(*) FROM asked) AS all_decided,
       count(*) FILTER (WHERE x.op = 'EqualTo' AND x.holds <> (SELECT holds FROM result y WHERE (y.a, y.b, y.lhs, y.rhs, y.op) = (x.b, x.a, x.rhs, x.lhs, 'EqualTo'))) AS equal_one_way,
       count(*) FILTER (WHERE x.op = 'NotEqualTo' AND x.holds = (SELECT holds FROM result y WHERE (y.a, y.b, y.lhs, y.rhs, y.op) = (x.a, x.b, x.lhs, x.rhs, 'EqualTo'))) AS not_equal_otherwise,
       count(*) FILTER (WHERE x.op = 'GreaterThan' AND x.holds <> (SELECT holds FROM result y WHERE (y.a, y.b, y.lhs, y.rhs, y.op) = (x.b, x.a, x.rhs, x.lhs, 'LessThan'))) AS greater_one_way,
       count(*) FILTER (WHERE x.op = 'GreaterThanOrEqualTo' AND x.holds <> (SELECT holds FROM result y WHERE (y.a, y.b, y.lhs, y.rhs, y.op) = (x.b, x.a, x.rhs, x.lhs, 'LessThanOrEqualTo'))) AS greater_or_equal_one_way
  FROM result x;
SELECT a, b, lhs, string_agg(rhs, ' ' ORDER BY rhs) AS equal FROM result WHERE op = 'EqualTo' AND holds AND a > 1 AND b > 1 GROUP BY a, b, lhs ORDER BY a, b, lhs;

--
-- WasVisited and HasError: decisions, outcomes, assignments, stages, steps; a loop; over several
-- transactions
--
SELECT pg_temp.orchestration('Visits', 'Ask', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('way', 'String'), pg_temp.variable('n', 'Number', '{"numberValue": 0}')),
    'decisions', jsonb_build_array(
        pg_temp.decision('Left', 'Turn', 'Right', pg_temp.condition('way', 'EqualTo', '{"stringValue": "left"}')),
        pg_temp.decision('Right', 'Turn', 'Back', pg_temp.condition('way', 'EqualTo', '{"stringValue": "right"}')),
        pg_temp.decision('Again', 'Ask', 'Look', pg_temp.condition('n', 'LessThan', '{"numberValue": 2}'))),
    'assignments', '[{"name": "Turn", "label": "Turn", "assignmentItems": [{"assignToReference": "way", "operator": "Assign", "value": {"elementReference": "Ask_way.Outputs.next"}}, {"assignToReference": "n", "operator": "Add", "value": {"numberValue": 1}}], "connector": {"targetReference": "Again"}},
                     {"name": "Back", "label": "Back", "assignmentItems": [], "connector": {"targetReference": "Look"}}]'::jsonb,
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('Ask', 'Left', pg_temp.step('Ask_way', 'I', 'Op_Screen')),
        pg_temp.stage('Other', NULL, pg_temp.step('Other_step', 'B', 'Op_Echo')),
        (SELECT pg_temp.stage('Look', NULL, VARIADIC array_agg(pg_temp.step(op || '_' || replace(e, '.', '_'), 'B', 'Op_Echo') || jsonb_build_object('entryConditions', jsonb_build_array(pg_temp.condition(e, op, '{"booleanValue": true}'))) ORDER BY op DESC, n)
               || pg_temp.step('Close', 'I', 'Op_Screen'))
           FROM unnest('{Left,Left_holds,Right,Right_holds,Again,Turn,Back,Ask,Ask.Status,Ask_way,Other,Other_step,Look}'::text[]) WITH ORDINALITY e (e, n), unnest('{WasVisited,HasError}'::text[]) op))));
CREATE FUNCTION pg_temp.finish(step text, outputs jsonb DEFAULT NULL) RETURNS boolean LANGUAGE sql AS $$
    SELECT orchestration.complete_work_item(w.id, $2) FROM orchestration.work_item w
      JOIN orchestration.step_run s ON s.run_id = w.run_id AND s.id = w.step_run_id
     WHERE s.name = step AND w.status = 'Assigned' AND w.run_id = pg_temp.run() $$;
SELECT orchestration.start_orchestration('Visits', inputs => '{"way": "right"}') IS NOT NULL;
SELECT variables ? '$Visited' FROM orchestration.run WHERE id = pg_temp.run();
SELECT pg_temp.finish('Ask_way', '{"next": "left"}');
SELECT variables->'$Visited', variables->'$Outcomes' FROM orchestration.run WHERE id = pg_temp.run();
SELECT pg_temp.finish('Ask_way', '{"next": "left"}');
SELECT variables->'$Visited', variables->'$Outcomes' FROM orchestration.run WHERE id = pg_temp.run();
SELECT string_agg(name, ' ' ORDER BY id) FROM orchestration.step_run WHERE run_id = pg_temp.run() AND status = 'Completed';
SELECT orchestration.start_orchestration('Visits', inputs => '{"way": "back"}') IS NOT NULL, pg_temp.finish('Ask_way');
SELECT variables->'$Visited' FROM orchestration.run WHERE id = pg_temp.run();
SELECT string_agg(name, ' ' ORDER BY id) FROM orchestration.step_run WHERE run_id = pg_temp.run() AND status = 'Completed';
-- a run whose definition does not ask keeps none
SELECT pg_temp.orchestration('Unasked', 'Left', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('way', 'String')),
    'decisions', jsonb_build_array(pg_temp.decision('Left', 'S', 'S', pg_temp.condition('way', 'IsNull', '{"booleanValue": true}'))), 'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Wait', 'I', 'Op_Screen')))));
SELECT orchestration.start_orchestration('Unasked') IS NOT NULL;
SELECT variables FROM orchestration.run WHERE id = pg_temp.run();
-- a stage and a step that failed, seen on the fault path
SELECT pg_temp.orchestration('Failed', 'S', jsonb_build_object(
    'decisions', jsonb_build_array(pg_temp.decision('Seen', 'Yes', NULL, pg_temp.condition('S', 'HasError', '{"booleanValue": true}'), pg_temp.condition('Bad', 'HasError', '{"stringValue": "True"}'), pg_temp.condition('Seen', 'HasError', '{"booleanValue": false}'), pg_temp.condition('Seen', 'WasVisited'))),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Bad', 'B', 'Op_Fails')) || '{"faultConnector": {"targetReference": "Seen"}}', pg_temp.stage('Yes', NULL))));
SELECT orchestration.start_orchestration('Failed') IS NOT NULL;
SELECT pg_temp.state();
-- what has no state
SELECT pg_temp.problems(jsonb_build_object('start', '{"connector": {"targetReference": "D"}}'::jsonb, 'variables', jsonb_build_array(pg_temp.variable('s', 'String')), 'constants', '[{"name": "C", "dataType": "String", "value": {"stringValue": "a"}}]'::jsonb,
    'formulas', '[{"name": "F", "dataType": "Number", "expression": "1"}]'::jsonb, 'textTemplates', '[{"name": "T", "text": "x"}]'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Does', 'B', 'Op_Echo'))), 'decisions', jsonb_build_array(pg_temp.decision('D', NULL, NULL, VARIADIC (SELECT array_agg(pg_temp.condition(e, op, '{"booleanValue": true}')) FROM unnest('{s,C,F,T,D.Status,D_holds.x,nobody,$Record,$Flow.CurrentDate,Does.Outputs.x}'::text[]) e, unnest('{WasVisited,HasError}'::text[]) op)))));
-- in an evaluation flow: lookups, too
CREATE TABLE public.operator_record (id integer PRIMARY KEY, a text);
SELECT orchestration.register_record_type('Operator_Record', 'operator_record');
SELECT orchestration.deploy_orchestration('{"fullName": "Visits_Flow", "label": "x", "processType": "EvaluationFlow", "start": {"connector": {"targetReference": "First"}},
    "variables": [{"name": "look", "dataType": "Boolean", "isInput": true}, {"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}],
    "recordLookups": [{"name": "Get", "label": "Get", "object": "Operator_Record", "filterLogic": "and", "filters": [], "getFirstRecordOnly": true, "connector": {"targetReference": "Last"}}],
    "assignments": [{"name": "Yes", "label": "Yes", "assignmentItems": [{"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": {"booleanValue": true}}]}],
    "decisions": [{"name": "First", "label": "x", "defaultConnector": {"targetReference": "Last"}, "rules": [{"name": "Wanted", "label": "x", "conditionLogic": "and", "conditions": [{"leftValueReference": "look", "operator": "EqualTo", "rightValue": {"booleanValue": true}}], "connector": {"targetReference": "Get"}}]},
                  {"name": "Last", "label": "x", "rules": [{"name": "Looked", "label": "x", "conditionLogic": "and", "conditions": [{"leftValueReference": "Get", "operator": "WasVisited", "rightValue": {"booleanValue": true}}, {"leftValueReference": "Get", "operator": "HasError", "rightValue": {"booleanValue": false}}], "connector": {"targetReference": "Yes"}}]}]}'::jsonb) IS NOT NULL, orchestration.activate_orchestration('Visits_Flow') IS NOT NULL;
SELECT pg_temp.orchestration('Flow_' || l, 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Met', 'B', 'Op_Echo')
    || jsonb_build_object('entryActionName', 'Visits_Flow', 'entryActionType', 'evaluationFlow', 'entryActionInputParameters', jsonb_build_array(jsonb_build_object('name', 'look', 'value', jsonb_build_object('booleanValue', l))))))))
  FROM unnest('{true,false}'::boolean[]) l;
SELECT orchestration.start_orchestration('Flow_' || l) IS NOT NULL, pg_temp.state() FROM unnest('{true,false}'::boolean[]) l;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT orchestration.unregister_action(name) FROM unnest('{Op_Echo,Op_Fails,Op_Screen}'::text[]) name;
SELECT orchestration.unregister_record_type(name) FROM orchestration.record_type WHERE name LIKE 'Operator%';
DROP TABLE public.operator_record;
DROP FUNCTION public.operator_echo(jsonb), public.operator_fails(jsonb);
