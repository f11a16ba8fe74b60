-- evaluation: conditions of stages and steps in full, evaluation flows, fault
-- paths, recall, text templates, formulas, assignments of collections.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.evaluation_record (id integer PRIMARY KEY, status text, amount numeric, note text);
SELECT orchestration.register_record_type('Evaluation_Record', 'evaluation_record');
CREATE TABLE public.evaluation_trace (note text);
CREATE FUNCTION public.evaluation_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.evaluation_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'out of stock'; END $$;
SELECT orchestration.register_action('Eval_Echo', 'function', 'evaluation_echo(jsonb)');
SELECT orchestration.register_action('Eval_Fails', 'function', 'evaluation_fails(jsonb)');
SELECT orchestration.register_action('Eval_Work', 'worker');
SELECT orchestration.register_action('Eval_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE FUNCTION pg_temp.condition(reference text, operator text, value jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('leftValueReference', reference, 'operator', operator, 'rightValue', value)) $$;
CREATE FUNCTION pg_temp.finish(step text, outputs jsonb DEFAULT NULL) RETURNS boolean LANGUAGE sql AS $$
    SELECT orchestration.complete_work_item(w.id, $2) FROM orchestration.work_item w
      JOIN orchestration.step_run s ON s.run_id = w.run_id AND s.id = w.step_run_id
     WHERE s.name = step AND w.status = 'Assigned' AND w.run_id = pg_temp.run() $$;
CREATE FUNCTION pg_temp.items() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(s.name || ' ' || w.status, ', ' ORDER BY w.id) FROM orchestration.work_item w
      JOIN orchestration.step_run s ON s.run_id = w.run_id AND s.id = w.step_run_id WHERE w.run_id = pg_temp.run() $$;

--
-- A stage that completes by requirements: its steps in progress are discontinued
--
SELECT pg_temp.orchestration('By_requirement', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'T', pg_temp.step('Ask', 'I', 'Eval_Screen'), pg_temp.step('Other', 'I', 'Eval_Screen'), pg_temp.step('Work', 'A', 'Eval_Work'),
                  pg_temp.step('Never', 'B', 'Eval_Echo', '{Other}'))
        || jsonb_build_object('exitConditionLogic', '1 OR (2 AND 3)', 'exitConditions', jsonb_build_array(
               pg_temp.condition('Ask.Outputs.answer', 'EqualTo', '{"stringValue": "yes"}'),
               pg_temp.condition('Ask.Status', 'EqualTo', '{"stringValue": "Completed"}'),
               pg_temp.condition('Other.Status', 'EqualTo', '{"stringValue": "Completed"}'))),
    pg_temp.stage('T', NULL))));
SELECT orchestration.start_orchestration('By_requirement') IS NOT NULL;
SELECT pg_temp.finish('Ask', '{"answer": "no"}');
SELECT pg_temp.state();
SELECT pg_temp.finish('Other');
SELECT pg_temp.state();
SELECT orchestration.start_orchestration('By_requirement') IS NOT NULL;
SELECT pg_temp.finish('Ask', '{"answer": "yes"}');
SELECT pg_temp.state();
SELECT pg_temp.items();
SELECT count(*) FROM orchestration.step_queue WHERE run_id = pg_temp.run();

--
-- Steps that start by requirements, also on results of other stages
--
SELECT pg_temp.orchestration('Entry', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'T', pg_temp.step('First', 'B', 'Eval_Echo', '{}', '{"level": {"numberValue": 2}}')),
    pg_temp.stage('T', NULL,
        pg_temp.step('Low', 'I', 'Eval_Screen') || jsonb_build_object('entryConditions', jsonb_build_array(pg_temp.condition('First.Outputs.level', 'GreaterThanOrEqualTo', '{"numberValue": 1}'))),
        pg_temp.step('High', 'I', 'Eval_Screen') || jsonb_build_object('entryConditionLogic', 'or', 'entryConditions', jsonb_build_array(
            pg_temp.condition('First.Outputs.level', 'GreaterThan', '{"numberValue": 5}'), pg_temp.condition('Low.Outputs.up', 'EqualTo', '{"booleanValue": true}'))),
        pg_temp.step('Last', 'B', 'Eval_Echo') || jsonb_build_object('entryConditions', jsonb_build_array(
            pg_temp.condition('High.Status', 'NotEqualTo', '{"stringValue": "NotStarted"}'), pg_temp.condition('First.Status', 'WasVisited', '{"booleanValue": true}')))))));
SELECT orchestration.start_orchestration('Entry') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.finish('Low', '{"up": true}');
SELECT pg_temp.state();
SELECT pg_temp.finish('High');
SELECT pg_temp.state();

--
-- Interactive steps that complete by a condition, with and without their assignee
--
SELECT pg_temp.orchestration('Completion', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('Own', 'I', 'Eval_Screen') || jsonb_build_object('exitConditions', jsonb_build_array(pg_temp.condition('Own.Outputs.sum', 'GreaterThan', '{"numberValue": 10}'))),
    pg_temp.step('Waits', 'I', 'Eval_Screen') || jsonb_build_object('exitConditions', jsonb_build_array(pg_temp.condition('Free.Status', 'EqualTo', '{"stringValue": "Completed"}'))),
    pg_temp.step('Free', 'I', 'Eval_Screen')))));
SELECT orchestration.start_orchestration('Completion') IS NOT NULL;
SELECT pg_temp.finish('Own', '{"sum": 11}');
SELECT pg_temp.state();
SELECT pg_temp.finish('Free');
SELECT pg_temp.state();
SELECT pg_temp.items();
-- the assignee finished but the condition does not hold: the step waits on; a suspended run keeps the outcome
SELECT orchestration.start_orchestration('Completion') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run());
SELECT pg_temp.finish('Waits', '{"kept": 1}');
SELECT pg_temp.finish('Own', '{"sum": 3}');
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();
SELECT name, outputs, pending FROM orchestration.step_run WHERE run_id = pg_temp.run() ORDER BY id;
SELECT * FROM orchestration.verify();

--
-- Evaluation actions: a function, an evaluation flow
--
CREATE FUNCTION public.evaluation_decide(input jsonb) RETURNS jsonb LANGUAGE sql AS $$
    INSERT INTO public.evaluation_trace VALUES (input->>'what');
    SELECT CASE input->>'what' WHEN 'null' THEN NULL WHEN 'none' THEN '{}' WHEN 'text' THEN '{"isOrchestrationConditionMet": "true"}'
           ELSE jsonb_build_object('isOrchestrationConditionMet', input->>'what' = 'yes') END $$;
SELECT orchestration.register_action('Eval_Decide', 'function', 'evaluation_decide(jsonb)');
SELECT pg_temp.orchestration('By_function', 'S', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('what', 'String')),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL)
        || '{"exitActionName": "Eval_Decide", "exitActionType": "evaluationFlow", "exitActionInputParameters": [{"name": "what", "value": {"elementReference": "what"}}]}')));
SELECT orchestration.start_orchestration('By_function', inputs => jsonb_build_object('what', what)) IS NOT NULL, pg_temp.state()
  FROM unnest(ARRAY['yes', 'no', 'null', 'none']) what;
SELECT orchestration_name, status FROM orchestration.run WHERE orchestration_name = 'By_function' ORDER BY id;
SELECT orchestration.start_orchestration('By_function', inputs => '{"what": "text"}') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
TRUNCATE public.evaluation_trace;
-- the flow: lookups, assignments, a decision
SELECT orchestration.deploy_orchestration('{"fullName": "Any_Large", "label": "Any large", "processType": "EvaluationFlow",
    "start": {"connector": {"targetReference": "Get"}},
    "variables": [{"name": "status", "dataType": "String", "isInput": true}, {"name": "least", "dataType": "Number", "isInput": true},
                  {"name": "n", "dataType": "Number"}, {"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}],
    "recordLookups": [{"name": "Get", "object": "Evaluation_Record", "filterLogic": "and", "connector": {"targetReference": "Count"},
        "filters": [{"field": "status", "operator": "EqualTo", "value": {"elementReference": "status"}}, {"field": "Amount", "operator": "GreaterThanOrEqualTo", "value": {"elementReference": "least"}}]},
        {"name": "First", "object": "Evaluation_Record", "getFirstRecordOnly": true, "sortField": "Amount", "sortOrder": "Desc", "connector": {"targetReference": "Enough"}}],
    "assignments": [{"name": "Count", "assignmentItems": [{"assignToReference": "n", "operator": "AssignCount", "value": {"elementReference": "Get"}}], "connector": {"targetReference": "First"}},
        {"name": "Yes", "assignmentItems": [{"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": {"booleanValue": true}}]}],
    "decisions": [{"name": "Enough", "rules": [{"name": "Is", "label": "Is", "conditionLogic": "and", "connector": {"targetReference": "Yes"},
        "conditions": [{"leftValueReference": "n", "operator": "GreaterThan", "rightValue": {"numberValue": 1}},
                       {"leftValueReference": "First.Note", "operator": "EqualTo", "rightValue": {"stringValue": "largest"}}]}]}]}'::jsonb);
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'By_flow', 'label', 'By flow', 'processType', 'Orchestrator',
    'start', '{"connector": {"targetReference": "S"}}'::jsonb, 'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('Go', 'B', 'Eval_Echo') || '{"entryActionName": "Any_Large", "entryActionType": "evaluationFlow", "entryActionInputParameters": [{"name": "status", "value": {"stringValue": "Open"}}, {"name": "least", "value": {"numberValue": 10}}]}'))));
SELECT orchestration.activate_orchestration('By_flow');
SELECT * FROM orchestration.orchestration_references('By_flow');
SELECT orchestration.activate_orchestration('Any_Large');
SELECT kind, name, detail, used_by, resolved FROM orchestration.orchestration_references('Any_Large');
SELECT orchestration.activate_orchestration('By_flow');
SELECT orchestration.start_orchestration('Any_Large');
INSERT INTO public.evaluation_record VALUES (1, 'Open', 20), (2, 'Closed', 30), (3, 'Open', 5);
SELECT orchestration.start_orchestration('By_flow') IS NOT NULL;
SELECT pg_temp.state();
INSERT INTO public.evaluation_record VALUES (4, 'Open', 40, 'largest');
SELECT orchestration.reevaluate_run(pg_temp.run());
SELECT pg_temp.state();
SELECT orchestration.reevaluate_run(pg_temp.run());
-- errors in a flow are errors of the stage, and can be tried again
SELECT orchestration.deploy_orchestration('{"fullName": "Wrong_Input", "label": "x", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "exitActionName": "Any_Large", "exitActionInputParameters": [{"name": "least", "value": {"stringValue": "ten"}}]}]}'::jsonb);
SELECT orchestration.activate_orchestration('Wrong_Input');
SELECT orchestration.start_orchestration('Wrong_Input') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();
-- a flow with a circle; a document that is no flow; no flow of that name
SELECT orchestration.deploy_orchestration('{"fullName": "Circle", "label": "x", "processType": "EvaluationFlow", "start": {"connector": {"targetReference": "A"}},
    "variables": [{"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}],
    "assignments": [{"name": "A", "assignmentItems": [], "connector": {"targetReference": "D"}}],
    "decisions": [{"name": "D", "defaultConnector": {"targetReference": "A"}}]}'::jsonb);
SELECT orchestration.activate_orchestration('Circle');
SELECT orchestration.deploy_orchestration('{"fullName": "Asks", "label": "x", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "exitActionName": "Circle"}]}'::jsonb);
SELECT orchestration.activate_orchestration('Asks');
SELECT orchestration.start_orchestration('Asks') IS NOT NULL;
SELECT pg_temp.failure();
SELECT orchestration.deploy_orchestration('{"fullName": "Asks", "label": "x", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "exitActionName": "By_flow"}]}'::jsonb);
SELECT orchestration.activate_orchestration('Asks');
SELECT orchestration.deactivate_orchestration('Circle');
SELECT orchestration.start_orchestration('Asks') IS NOT NULL;
SELECT pg_temp.failure();
SELECT severity, place, message FROM orchestration.validate_orchestration('{"label": "x", "processType": "EvaluationFlow", "orchestratedStages": [{"name": "S", "label": "S"}],
    "start": {"object": "X", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}, "recordLookups": [{"name": "L", "object": "X", "limit": 0, "sortField": "a", "sortOrder": "Up", "outputReference": "nobody"}]}'::jsonb);

--
-- Fault paths
--
SELECT pg_temp.orchestration('Fault', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'Good', pg_temp.step('Person', 'I', 'Eval_Screen'), pg_temp.step('Fails', 'B', 'Eval_Fails', '{Person}'), pg_temp.step('Next', 'B', 'Eval_Echo', '{Fails}'), pg_temp.step('Work', 'A', 'Eval_Work'))
        || '{"faultConnector": {"targetReference": "Repair"}}',
    pg_temp.stage('Good', NULL),
    pg_temp.stage('Repair', NULL, pg_temp.step('Fix', 'I', 'Eval_Screen', '{}', '{"why": {"elementReference": "$Flow.FaultMessage"}, "stage": {"elementReference": "S.Status"}, "step": {"elementReference": "Fails.Status"}}')))));
SELECT orchestration.start_orchestration('Fault') IS NOT NULL;
SELECT pg_temp.finish('Person');
SELECT pg_temp.state();
SELECT screen_flow_inputs FROM orchestration.work_item WHERE run_id = pg_temp.run() AND status = 'Assigned';
SELECT error->>'message' FROM orchestration.stage_run WHERE run_id = pg_temp.run() AND name = 'S';
SELECT * FROM orchestration.verify();
SELECT pg_temp.finish('Fix');
SELECT pg_temp.state();
-- by hand, and from a worker
SELECT orchestration.start_orchestration('Fault') IS NOT NULL;
SELECT accepted FROM orchestration.claim_steps('w', '{Eval_Work}', 10) c, orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', c.step_id, 'lease_id', c.lease_id, 'message', 'no'))) WHERE c.run_id = pg_temp.run();
SELECT pg_temp.state();
SELECT orchestration.start_orchestration('Fault') IS NOT NULL;
UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = pg_temp.run() AND name = 'Person';
SELECT pg_temp.state();
SELECT orchestration.start_orchestration('Fault') IS NOT NULL;
UPDATE orchestration.stage_run SET status = 'Error' WHERE run_id = pg_temp.run() AND name = 'S';
SELECT pg_temp.state();
SELECT * FROM orchestration.verify();
-- a condition that cannot be computed and an assignee that names no user also take the fault path
SELECT pg_temp.orchestration('Fault_broken', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', NULL, pg_temp.step('E', 'B', 'Eval_Echo', '{}', '{"text": {"stringValue": "x"}}'))
        || jsonb_build_object('faultConnector', '{"targetReference": "Repair"}'::jsonb, 'exitConditions', jsonb_build_array(pg_temp.condition('E.Outputs.text', 'In', '{"elementReference": "E.Outputs.text"}'))),
    pg_temp.stage('Repair', NULL, pg_temp.step('Nobody', 'I', 'Eval_Screen', '{}', '{}', '{!E.Outputs.none}')) || '{"faultConnector": {"targetReference": "Last"}}',
    pg_temp.stage('Last', NULL, pg_temp.step('Say', 'B', 'Eval_Echo', '{}', '{"why": {"elementReference": "$Flow.FaultMessage"}}')))));
SELECT orchestration.start_orchestration('Fault_broken') IS NOT NULL;
SELECT pg_temp.state();
SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'Say';
SELECT * FROM orchestration.verify();

--
-- Approvals: recall; the record is locked meanwhile
--
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Approval', 'label', 'Approval', 'processType', 'ApprovalWorkflow',
    'start', '{"object": "Evaluation_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Update", "filterFormula": "{!$Record.Status} = \"Submitted\" && ISCHANGED({!$Record.Status})",
               "connector": {"targetReference": "S"}, "scheduledPaths": [{"pathType": "ApprovalRecall", "connector": {"targetReference": "Recalled"}}]}'::jsonb,
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('S', 'Decide', pg_temp.step('Approve', 'I', 'Eval_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}, "subject": {"elementReference": "Subject"}}')
            || '{"actionType": "stepApproval", "stepSubtype": "ApprovalStep", "shouldLock": true, "canAssigneeEdit": true}'),
        pg_temp.stage('Approved', NULL), pg_temp.stage('Rejected', NULL),
        pg_temp.stage('Recalled', NULL, pg_temp.step('Note', 'B', 'Eval_Echo', '{}', '{"why": {"elementReference": "$Flow.FaultMessage"}}'))),
    'textTemplates', '[{"name": "Subject", "text": "Please approve {!$Record.Id} of {!Amount_Text}{!$Record.Note}; by {!$Organization.Name}"}]'::jsonb,
    'formulas', '[{"name": "Amount_Text", "dataType": "String", "expression": "TEXT(ROUND({!$Record.Amount}, 1)) & IF({!Large}, \" (large)\", \"\")"}, {"name": "Large", "dataType": "Boolean", "expression": "{!$Record.Amount} > 15"}]'::jsonb,
    'decisions', '[{"name": "Decide", "defaultConnector": {"targetReference": "Rejected"}, "rules": [{"name": "Yes", "label": "Yes", "conditionLogic": "and", "connector": {"targetReference": "Approved"},
        "conditions": [{"leftValueReference": "Approve.Outputs.selectedAction", "operator": "EqualTo", "rightValue": {"stringValue": "Approve"}}]}]}]'::jsonb));
SELECT kind, name, used_by, resolved FROM orchestration.orchestration_references('Approval') WHERE kind = 'global';
SELECT orchestration.set_global('$Organization', '{"Name": "Acme"}');
SELECT orchestration.activate_orchestration('Approval');
SELECT process_type FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id WHERE d.name = 'Approval';
UPDATE public.evaluation_record SET note = 'not yet' WHERE id = 1;
UPDATE public.evaluation_record SET status = 'Submitted', note = NULL WHERE id IN (1, 2);
SELECT orchestration_name, triggering_record_id, status FROM orchestration.run WHERE orchestration_name = 'Approval' ORDER BY id;
SELECT screen_flow_inputs, related_record_id, record_locked FROM orchestration.work_item w WHERE run_id IN (SELECT id FROM orchestration.run WHERE orchestration_name = 'Approval') ORDER BY id;
-- locked for other users, not for the assignee nor for users with Modify All Data
CREATE ROLE regress_evaluation_other;
CREATE ROLE regress_evaluation_ann;
GRANT UPDATE, SELECT, DELETE ON public.evaluation_record TO regress_evaluation_other, regress_evaluation_ann;
UPDATE orchestration.principal SET role_name = 'regress_evaluation_ann' WHERE username = 'ann@example.com';
SET ROLE regress_evaluation_other;
UPDATE public.evaluation_record SET note = 'other' WHERE id = 1;
UPDATE public.evaluation_record SET note = 'other' WHERE id = 3;
DELETE FROM public.evaluation_record WHERE id = 1;
SET ROLE regress_evaluation_ann;
UPDATE public.evaluation_record SET note = 'ann' WHERE id = 1;
RESET ROLE;
UPDATE public.evaluation_record SET amount = 21 WHERE id = 1;
-- approved: unlocked
SELECT orchestration.complete_work_item(w.id, '{"selectedAction": "Approve", "specifiedComments": "fine"}') FROM orchestration.work_item w WHERE w.related_record_id = '1' AND w.status = 'Assigned';
SELECT s.name, s.status FROM orchestration.stage_run s JOIN orchestration.run r ON r.id = s.run_id WHERE r.triggering_record_id = '1' ORDER BY s.id;
SET ROLE regress_evaluation_other;
UPDATE public.evaluation_record SET note = 'other' WHERE id = 1;
RESET ROLE;
SELECT comments FROM orchestration.run_log WHERE comments IS NOT NULL ORDER BY number DESC LIMIT 1;
-- recalled
SELECT orchestration.recall_run(pg_temp.run(), 'changed my mind');
SELECT pg_temp.state();
SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'Note';
SELECT pg_temp.items();
SELECT orchestration.recall_run(pg_temp.run());
SELECT orchestration.start_orchestration('Completion') IS NOT NULL;
SELECT orchestration.recall_run(pg_temp.run());
SELECT orchestration.set_global('$Record', '{}');
SELECT orchestration.set_global('Organization', '{}');
SELECT orchestration.set_global('$Organization', '[]');
SELECT orchestration.set_global('$Organization', NULL);
SELECT * FROM orchestration.verify();

--
-- Assignments of collections, records and dates
--
SELECT pg_temp.orchestration('Collections', 'A', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('c', 'String', NULL, true), pg_temp.variable('o', 'String', NULL, true), pg_temp.variable('n', 'Number'), pg_temp.variable('r', 'SObject'), pg_temp.variable('d', 'Date', '{"stringValue": "2027-01-31"}')),
    'assignments', jsonb_build_array(jsonb_build_object('name', 'A', 'assignmentItems', (SELECT jsonb_agg(jsonb_build_object('assignToReference', split_part(i, ' ', 1), 'operator', split_part(i, ' ', 2),
        'value', CASE WHEN i LIKE '%#%' THEN jsonb_build_object('numberValue', split_part(i, '#', 2)::numeric) WHEN i LIKE '%@%' THEN jsonb_build_object('elementReference', split_part(i, '@', 2))
                 ELSE jsonb_build_object('stringValue', split_part(i, ' ', 3)) END) ORDER BY k)
        FROM unnest(ARRAY['c AddItem b', 'c AddAtStart a', 'c Add c', 'c Add @o', 'c RemoveFirst x', 'c RemoveAll b', 'c RemovePosition #1', 'n AssignCount @c', 'r.Name Assign Acme', 'r.Owner.Id Assign 5', 'r.n Assign @n', 'r.n Add #2', 'd Add #1', 'o RemoveAfterFirst y']) WITH ORDINALITY u (i, k)))),
    'orchestratedStages', '[]'::jsonb) || '{"orchestratedStages": [{"name": "Unreached", "label": "Unreached"}]}');
SELECT orchestration.start_orchestration('Collections', inputs => '{"o": ["x", "y", "z"]}') IS NOT NULL;
SELECT variables FROM orchestration.run WHERE id = pg_temp.run();

-- assignments that fail when they are carried out, and those that find nothing to do
SELECT pg_temp.orchestration('Assign_' || n, 'A', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('c', 'String', NULL, true), pg_temp.variable('r', 'SObject'), pg_temp.variable('n', 'Number'), pg_temp.variable('s', 'String'), pg_temp.variable('d', 'DateTime'), pg_temp.variable('b', 'Boolean'), pg_temp.variable('t', 'Time')),
    'assignments', jsonb_build_array(jsonb_build_object('name', 'A', 'assignmentItems', jsonb_build_array(jsonb_build_object('assignToReference', v[1], 'operator', v[2], 'value', jsonb_build_object('elementReference', v[3]))))),
    'orchestratedStages', '[]'::jsonb) || '{"orchestratedStages": [{"name": "Unreached", "label": "Unreached"}]}')
  FROM (VALUES (1, '{c,RemovePosition,r.text}'::text[]), (2, '{c,RemovePosition,r.large}'), (3, '{c,RemoveBeforeFirst,r.text}'), (4, '{c,RemoveUncommon,r.list}'), (5, '{c,AddAtStart,r.none}'), (6, '{n,Add,r.text}'), (7, '{n,Subtract,r.number}'), (8, '{s,Add,r.text}'), (9, '{s,Add,s}'),
        (10, '{d,Add,r.number}'), (11, '{d,Subtract,r.large}'), (12, '{n,AssignCount,r.text}'), (13, '{b,Assign,r.number}'), (14, '{d,Assign,r.text}'), (15, '{t,Assign,r.text}'), (16, '{r.text.deeper,Assign,n}'), (17, '{r.number,Add,r.text}'), (18, '{c,Assign,r.number}'), (19, '{r,Assign,r.text}'), (20, '{s,Add,r.none}')) x (n, v);
SELECT orchestration.start_orchestration('Assign_' || n, inputs => jsonb_build_object('c', '["a", "b"]'::jsonb, 'n', 1, 's', CASE n WHEN 9 THEN repeat('x', 600000) ELSE 's' END, 'd', '2027-01-01T12:00:00Z', 'r', '{"text": "b", "large": 99999999999999999999, "list": ["b", "c"], "number": 1.6}'::jsonb)) IS NOT NULL
  FROM generate_series(1, 20) n;
SELECT orchestration_name, status, CASE WHEN error IS NULL THEN (SELECT string_agg(key || ' ' || left(value::text, 90), ', ' ORDER BY key) FROM jsonb_each(variables)) ELSE pg_temp.failure(id) END FROM orchestration.run WHERE orchestration_name LIKE 'Assign\_%' ORDER BY split_part(orchestration_name, '_', 2)::integer;

--
-- Decisions on changed values, operators on collections, nested conditions
--
SELECT orchestration.deploy_orchestration('{"fullName": "Changed", "label": "Changed", "processType": "Orchestrator", "start": {"object": "Evaluation_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "CreateAndUpdate", "connector": {"targetReference": "D"}},
    "variables": [{"name": "wanted", "dataType": "String", "isCollection": true}],
    "assignments": [{"name": "Fill", "assignmentItems": [{"assignToReference": "wanted", "operator": "Add", "value": {"stringValue": "Paid"}}], "connector": {"targetReference": "In"}}],
    "decisions": [{"name": "D", "defaultConnector": {"targetReference": "Fill"}, "rules": [{"name": "Became_large", "label": "x", "conditionLogic": "and", "doesRequireRecordChangedToMeetCriteria": true, "connector": {"targetReference": "Large"},
        "conditions": [{"leftValueReference": "$Record.Amount", "operator": "GreaterThan", "rightValue": {"numberValue": 100}}]}]},
        {"name": "In", "defaultConnector": {"targetReference": "Nothing"}, "rules": [{"name": "Is_paid", "label": "x", "conditionLogic": "1 AND 2 AND 3", "connector": {"targetReference": "Paid"},
        "conditions": [{"leftValueReference": "$Record.Status", "operator": "In", "rightValue": {"elementReference": "wanted"}}, {"leftValueReference": "$Record.Status", "operator": "IsChanged", "rightValue": {"booleanValue": true}},
                       {"conditionLogic": "or", "conditions": [{"leftValueReference": "$Record__Prior.Status", "operator": "EqualTo", "rightValue": {"stringValue": "Open"}}, {"leftValueReference": "$Record.Note", "operator": "IsBlank", "rightValue": {"booleanValue": false}}]}]}]}],
    "orchestratedStages": [{"name": "Large", "label": "Large"}, {"name": "Paid", "label": "Paid"}, {"name": "Nothing", "label": "Nothing"}]}'::jsonb);
SELECT orchestration.activate_orchestration('Changed');
SELECT orchestration.deactivate_orchestration('Approval');
INSERT INTO public.evaluation_record VALUES (10, 'Open', 200);
UPDATE public.evaluation_record SET amount = 300 WHERE id = 10;
UPDATE public.evaluation_record SET amount = 1 WHERE id = 10;
UPDATE public.evaluation_record SET amount = 101 WHERE id = 10;
UPDATE public.evaluation_record SET amount = 1, status = 'Paid' WHERE id = 10;
UPDATE public.evaluation_record SET status = 'Paid' WHERE id = 10;
UPDATE public.evaluation_record SET status = 'Other' WHERE id = 10;
UPDATE public.evaluation_record SET status = 'Paid', note = ' ' WHERE id = 10;
UPDATE public.evaluation_record SET status = 'Other' WHERE id = 10;
UPDATE public.evaluation_record SET status = 'Paid', note = 'x' WHERE id = 10;
SELECT string_agg(s.name, ' ' ORDER BY s.id) FROM orchestration.stage_run s JOIN orchestration.run r ON r.id = s.run_id WHERE r.orchestration_name = 'Changed';
SELECT * FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Changed');

--
-- Evaluation flows: lookups by the key, into variables, of nothing; a flow without an end
--
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Find_' || n, 'label', 'Find', 'processType', 'EvaluationFlow', 'start', '{"connector": {"targetReference": "Get"}}'::jsonb,
    'variables', '[{"name": "one", "dataType": "SObject"}, {"name": "many", "dataType": "SObject", "isCollection": true}, {"name": "id", "dataType": "Number", "isInput": true}, {"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}]'::jsonb,
    'recordLookups', jsonb_build_array('{"name": "Get", "label": "Get", "object": "Evaluation_Record", "connector": {"targetReference": "Is"}}'::jsonb || l),
    'assignments', '[{"name": "Yes", "label": "Yes", "assignmentItems": [{"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": {"booleanValue": true}}]}, {"name": "Round", "label": "Round", "assignmentItems": [], "connector": {"targetReference": "Is"}}]'::jsonb,
    'decisions', jsonb_build_array(CASE WHEN n = 6 THEN '{"defaultConnector": {"targetReference": "Round"}}'::jsonb ELSE '{}' END || jsonb_build_object('name', 'Is', 'label', 'Is', 'rules', jsonb_build_array(jsonb_build_object('name', 'Good', 'label', 'Good', 'conditionLogic', 'and', 'connector', '{"targetReference": "Yes"}'::jsonb, 'conditions', jsonb_build_array(c)))))))
  FROM (VALUES (1, '{"getFirstRecordOnly": true, "outputReference": "one", "filters": [{"field": "Id", "operator": "EqualTo", "value": {"elementReference": "id"}}]}'::jsonb, pg_temp.condition('one.Id', 'EqualTo', '{"numberValue": 1}')),
        (2, '{"outputReference": "many", "limit": 2, "sortField": "Amount", "sortOrder": "Asc", "filters": [{"field": "Id", "operator": "GreaterThan", "value": {"numberValue": 0}}]}', pg_temp.condition('many', 'IsEmpty', '{"booleanValue": false}')),
        (3, '{"getFirstRecordOnly": true, "outputReference": "one", "assignNullValuesIfNoRecordsFound": true, "filters": [{"field": "Note", "operator": "EqualTo", "value": {"stringValue": "there is none"}}]}', pg_temp.condition('one', 'WasSet', '{"booleanValue": false}')),
        (4, '{"filterLogic": "or", "filters": [{"field": "Status", "operator": "EqualTo", "value": {"stringValue": "Closed"}}, {"field": "Note", "operator": "IsNull", "value": {"booleanValue": true}}, {"field": "Amount", "operator": "EqualTo"}]}', pg_temp.condition('Get', 'IsEmpty', '{"booleanValue": false}')),
        (5, '{"filters": [{"field": "Note", "operator": "EqualTo"}, {"field": "Amount", "operator": "EqualTo", "value": {"numberValue": 20}}]}', pg_temp.condition('Get', 'IsNull', '{"booleanValue": false}')),
        (6, '{"getFirstRecordOnly": true}', pg_temp.condition('Get.Note', 'EqualTo', '{"stringValue": "never"}')), (7, '{"object": "Nowhere"}', pg_temp.condition('Get', 'IsNull', '{"booleanValue": false}'))) x (n, l, c);
SELECT n, pg_temp.try(format('SELECT orchestration.activate_orchestration(%L)', 'Find_' || n)) FROM generate_series(1, 7) n;
SELECT pg_temp.orchestration('By_find_' || n, 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Go', 'B', 'Eval_Echo')
    || jsonb_build_object('entryActionName', 'Find_' || n, 'entryActionType', 'evaluationFlow', 'entryActionInputParameters', '[{"name": "id", "value": {"numberValue": 1}}]'::jsonb))))) FROM generate_series(1, 6) n;
SELECT orchestration.start_orchestration('By_find_' || n) IS NOT NULL FROM generate_series(1, 6) n;
SELECT orchestration_name, pg_temp.state(id), CASE WHEN error IS NOT NULL THEN pg_temp.failure(id) END FROM orchestration.run WHERE orchestration_name LIKE 'By_find%' ORDER BY 1;

--
-- References to what is no variable: the user that starts, times, the record, globals
--
CREATE ROLE regress_evaluation_val;
SELECT pg_temp.person('val@example.com', 'Val', 'regress_evaluation_val');
SELECT orchestration.update_user(id, modify_all_data => true) FROM orchestration.principal WHERE username = 'val@example.com';
SELECT pg_temp.orchestration('References', 'S', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('l', 'String', NULL, true), pg_temp.variable('r', 'SObject'), pg_temp.variable('day', 'Date')),
    'constants', '[{"name": "Yes", "dataType": "String", "value": {"stringValue": "true"}}, {"name": "Noon", "dataType": "Time", "value": {"timeValue": "12:00:00.000Z"}}]'::jsonb,
    'textTemplates', '[{"name": "Hello", "text": "{! $User.Name }: {!$User.Nothing}{!Noon}!"}]'::jsonb,
    'formulas', '[{"name": "Tomorrow", "dataType": "Date", "expression": "{!day} + 1.5"}, {"name": "Moment", "dataType": "DateTime", "expression": "{!day}"}, {"name": "Third", "dataType": "Number", "scale": 2, "expression": "1 / 3"},
        {"name": "Same", "dataType": "Boolean", "expression": "{!$Flow.CurrentDate} <= {!$Flow.CurrentDateTime}"}, {"name": "No_day", "dataType": "Date", "expression": "{!r.x}"}, {"name": "Nought", "dataType": "Number", "expression": "{!$User.Nothing}"}]'::jsonb,
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('S', 'T', pg_temp.step('E', 'B', 'Eval_Echo', '{}', (SELECT jsonb_object_agg(n, jsonb_build_object('elementReference', r))
            FROM unnest('{$User.Username,$User.Name,$User.Nothing,$User.Id,$Flow.CurrentRecord,r,r.a.b,r.none,l,Yes,Noon,Hello,Tomorrow,Moment,Third,Same,Nought,S.Status,T.Status,E.Status,L.Status}'::text[]) WITH ORDINALITY x (r, n))),
            pg_temp.step('Times', 'B', 'Eval_Echo', '{E}', '{"today": {"elementReference": "$Flow.CurrentDate"}, "start": {"elementReference": "$Flow.InterviewStartTime"}, "now": {"elementReference": "$Flow.CurrentDateTime"}, "guid": {"elementReference": "$Flow.InterviewGuid"}}')),
        pg_temp.stage('T', NULL, pg_temp.step('L', 'I', 'Eval_Screen', '{}', '{"text": {"elementReference": "Hello"}}')))));
SET ROLE regress_evaluation_val;
SELECT orchestration.start_orchestration('References', inputs => '{"l": [], "r": {"a": {"b": [1]}}, "day": "2027-01-01"}') IS NOT NULL;
RESET ROLE;
SELECT key::integer, CASE WHEN key = '4' THEN to_jsonb(value #>> '{}' = (SELECT id::text FROM orchestration.principal WHERE username = 'val@example.com')) ELSE value END
  FROM orchestration.step_run t, jsonb_each(t.outputs) WHERE t.run_id = pg_temp.run() AND t.name = 'E' ORDER BY 1;
SELECT (outputs->>'today')::date = (now() AT TIME ZONE 'UTC')::date, (outputs->>'start')::timestamptz <= (outputs->>'now')::timestamptz, (outputs->>'guid')::uuid IS NOT NULL
  FROM orchestration.step_run t JOIN orchestration.run r ON r.id = t.run_id WHERE t.run_id = pg_temp.run() AND t.name = 'Times';
SELECT pg_temp.state();
SELECT screen_flow_inputs FROM orchestration.work_item WHERE run_id = pg_temp.run();
-- IsEmpty and its like in a run; a constant on the left side
SELECT pg_temp.orchestration('Emptiness', 'D', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('l', 'String', NULL, true), pg_temp.variable('s', 'String'), pg_temp.variable('b', 'Boolean'), pg_temp.variable('r', 'SObject')),
    'constants', '[{"name": "Yes", "dataType": "String", "value": {"stringValue": "true"}}]'::jsonb,
    'decisions', jsonb_build_array(jsonb_build_object('name', 'D', 'label', 'D', 'defaultConnector', '{"targetReference": "Neither"}'::jsonb, 'rules', jsonb_build_array(
        jsonb_build_object('name', 'Empty', 'label', 'x', 'conditionLogic', 'and', 'connector', '{"targetReference": "None_given"}'::jsonb, 'conditions', jsonb_build_array(pg_temp.condition('l', 'IsEmpty', '{"booleanValue": true}'), pg_temp.condition('s', 'IsEmpty'), pg_temp.condition('r', 'WasSet', '{"booleanValue": false}'))),
        jsonb_build_object('name', 'True', 'label', 'x', 'conditionLogic', 'and', 'connector', '{"targetReference": "All_given"}'::jsonb, 'conditions', jsonb_build_array(pg_temp.condition('Yes', 'EqualTo', '{"elementReference": "r.yes"}'), pg_temp.condition('l', 'IsEmpty', '{"booleanValue": false}'), pg_temp.condition('None_given', 'WasVisited', '{"booleanValue": false}'), pg_temp.condition('None_given', 'HasError', '{"booleanValue": false}')))))),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('None_given', NULL), pg_temp.stage('All_given', NULL), pg_temp.stage('Neither', NULL))));
SELECT orchestration.start_orchestration('Emptiness', inputs => i) IS NOT NULL, pg_temp.state()
  FROM unnest(ARRAY['{}', '{"l": [], "s": ""}', '{"l": ["x"], "r": {"yes": true}}', '{"l": ["x"], "r": {"yes": false}}', '{"l": [], "s": "x", "r": {"yes": true}}', '{"r": {"yes": true}, "s": "x"}']::jsonb[]) i;
SELECT string_agg(s.name, ' ' ORDER BY s.id) FROM orchestration.stage_run s JOIN orchestration.run r ON r.id = s.run_id WHERE r.orchestration_name = 'Emptiness';
SELECT orchestration.start_orchestration('Emptiness', inputs => '{"l": ["x"], "r": {"yes": {"x": 1}}}') IS NOT NULL;
SELECT pg_temp.failure();
-- values that cannot be had, of types that only a run knows: the step fails, or its stage
SELECT orchestration.set_global('$Odd', '{"Text": "x", "Yes": true}');
SELECT pg_temp.orchestration('Unhad_' || n, 'S', jsonb_build_object('formulas', '[{"name": "Bad", "dataType": "Number", "expression": "{!$Odd.Text}"}, {"name": "Bad_day", "dataType": "Date", "expression": "{!$Odd.Text}"}, {"name": "Bad_yes", "dataType": "Boolean", "expression": "{!$Odd.Text}"}, {"name": "Bad_text", "expression": "{!$Odd.Yes}", "dataType": "String"}]'::jsonb,
    'textTemplates', jsonb_build_array('{"name": "Nobody", "text": "nobody@example.com"}'::jsonb, '{"name": "Long", "text": "{!Name}"}'::jsonb, jsonb_build_object('name', 'Name', 'text', repeat('x', 600000) || '{!Half}'), jsonb_build_object('name', 'Half', 'text', repeat('x', 600000))),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, s))))
  FROM (VALUES (1, pg_temp.step('E', 'B', 'Eval_Echo', '{}', '{"x": {"elementReference": "Bad"}}')), (2, pg_temp.step('E', 'A', 'Eval_Work', '{}', '{"x": {"elementReference": "Bad_day"}}')), (3, pg_temp.step('E', 'I', 'Eval_Screen', '{}', '{"x": {"elementReference": "Bad_yes"}}')),
        (4, pg_temp.step('E', 'B', 'Eval_Echo', '{}', '{"x": {"elementReference": "Bad_text"}}')), (5, pg_temp.step('E', 'B', 'Eval_Echo', '{}', '{"x": {"elementReference": "$Nothing.Given"}}')), (6, pg_temp.step('E', 'B', 'Eval_Echo', '{}', '{"x": {"elementReference": "Long"}}')),
        (7, pg_temp.step('E', 'I', 'Eval_Screen', '{}', '{}', '{!$User.Nothing}')), (8, pg_temp.step('E', 'I', 'Eval_Screen', '{}', '{}', '{!Nobody}'))) x (n, s);
SELECT n, orchestration.start_orchestration('Unhad_' || n) IS NOT NULL, pg_temp.state(), pg_temp.failure() FROM generate_series(1, 8) n;
SELECT DISTINCT status, count(*) FROM orchestration.run WHERE orchestration_name LIKE 'Unhad%' GROUP BY 1;
-- a function suspends the run it works for: the step that begins beside it fails later
CREATE FUNCTION public.evaluation_suspend(i jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('suspended', orchestration.suspend_run((i->>'run')::uuid)) $$;
SELECT orchestration.register_action('Eval_Suspend', 'function', 'evaluation_suspend(jsonb)');
SELECT pg_temp.orchestration('Suspends', 'S', jsonb_build_object('textTemplates', '[{"name": "Nobody", "text": "nobody@example.com"}]'::jsonb, 'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('A', 'B', 'Eval_Suspend', '{}', '{"run": {"elementReference": "$Orchestration.Instance"}}'), pg_temp.step('I', 'I', 'Eval_Screen', '{}', '{}', '{!Nobody}')))));
SELECT orchestration.start_orchestration('Suspends') IS NOT NULL;
SELECT pg_temp.state();
SELECT name, pending->>'outcome', pg_temp.masked(pending->'error'->>'message') FROM orchestration.step_run WHERE run_id = pg_temp.run() ORDER BY id;
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();
SELECT pg_temp.failure();
-- an action that is no longer registered for workers
SELECT pg_temp.orchestration('Gone', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('W', 'A', 'Eval_Work')))));
SELECT orchestration.unregister_action('Eval_Work');
SELECT orchestration.start_orchestration('Gone') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
-- a condition that cannot be decided: its function was registered again as a worker
SELECT orchestration.register_action('Eval_Other', 'function', 'evaluation_decide(jsonb)');
SELECT pg_temp.orchestration('Undecided', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL) || '{"exitActionName": "Eval_Other", "exitActionType": "evaluationFlow"}')));
SELECT orchestration.unregister_action('Eval_Other'), orchestration.register_action('Eval_Other', 'worker');
SELECT orchestration.start_orchestration('Undecided') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT * FROM orchestration.verify();
SELECT orchestration.unregister_action(a) FROM unnest('{Eval_Suspend,Eval_Other}'::text[]) a;
DROP FUNCTION public.evaluation_suspend(jsonb);
UPDATE orchestration.principal SET role_name = NULL WHERE role_name = 'regress_evaluation_val';
DROP ROLE regress_evaluation_val;

SELECT orchestration.unregister_record_type('Evaluation_Record');
DROP OWNED BY regress_evaluation_other, regress_evaluation_ann;
DROP ROLE regress_evaluation_other, regress_evaluation_ann;
SELECT pg_temp.clean_up();
