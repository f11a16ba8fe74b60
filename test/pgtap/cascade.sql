-- cascade: contract/lifecycle.md, "Cascades", row by row, each caused by the call and, where
-- the owner can write one, by a plain UPDATE.
--
-- One stage, Work, holds a step of every kind in every state: Done (Completed),
-- Item (interactive, InProgress, a work item Assigned), Other (the same), Queued
-- (asynchronous, InProgress), Later (NotStarted).  A stage Before is Completed.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;
SELECT no_plan();

CREATE TABLE control (fail boolean);
INSERT INTO control VALUES (false);
CREATE FUNCTION act(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT fail FROM public.control) THEN RAISE EXCEPTION 'told to fail' USING ERRCODE = 'P0042', HINT = 'do not'; END IF;
    RETURN '{"x": 1}';
END
$$;
SELECT orchestration.register_action('Act', 'function', 'act(jsonb)'),
       orchestration.register_action('Work', 'worker'), orchestration.register_action('Screen', 'screen'),
       orchestration.create_user('ann@example.com', 'Ann') \g /dev/null

CREATE FUNCTION pg_temp.step(name text, kind text, after text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', name, 'label', name, 'entryConditionLogic', 'and',
        'actionName', CASE kind WHEN 'I' THEN 'Screen' WHEN 'W' THEN 'Work' ELSE 'Act' END,
        'actionType', CASE kind WHEN 'I' THEN 'stepInteractive' ELSE 'stepBackground' END)
      || CASE WHEN kind = 'I' THEN '{"assignees": [{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}]}'::jsonb ELSE '{}' END
      || CASE WHEN after IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('entryConditions', jsonb_build_array(jsonb_build_object(
             'leftValueReference', after || '.Status', 'operator', 'EqualTo', 'rightValue', '{"stringValue": "Completed"}'::jsonb))) END
$$;
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Cascade', 'label', 'Cascade', 'processType', 'Orchestrator',
    'start', '{"connector": {"targetReference": "Before"}}'::jsonb,
    'variables', '[{"name": "broken", "dataType": "SObject", "isInput": true, "isCollection": false, "isOutput": false}]'::jsonb,
    'decisions', '[{"name": "Check", "label": "Check", "defaultConnector": {"targetReference": "Work"}, "rules": [{"name": "Never", "label": "Never",
        "conditionLogic": "and", "conditions": [{"leftValueReference": "broken.x", "operator": "GreaterThan", "rightValue": {"numberValue": 1}}]}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(
        jsonb_build_object('name', 'Before', 'label', 'Before', 'exitConditionLogic', 'and', 'connector', '{"targetReference": "Check"}'::jsonb,
            'stageSteps', jsonb_build_array(pg_temp.step('First', 'B'))),
        jsonb_build_object('name', 'Work', 'label', 'Work', 'exitConditionLogic', 'and', 'connector', '{"targetReference": "After"}'::jsonb,
            'stageSteps', jsonb_build_array(pg_temp.step('Done', 'B'), pg_temp.step('Item', 'I'), pg_temp.step('Other', 'I'),
                                            pg_temp.step('Queued', 'W'), pg_temp.step('Later', 'B', 'Item'))),
        jsonb_build_object('name', 'After', 'label', 'After', 'exitConditionLogic', 'and', 'stageSteps', jsonb_build_array(pg_temp.step('Last', 'I')))))) \g /dev/null
SELECT orchestration.activate_orchestration('Cascade') \g /dev/null

CREATE TEMP TABLE r (id uuid);
CREATE FUNCTION pg_temp.new_run() RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.control SET fail = false;
    UPDATE orchestration.principal SET is_active = true WHERE username = 'ann@example.com';
    DELETE FROM r;
    -- no step of an earlier run is left to claim
    UPDATE orchestration.run SET status = 'Canceled' WHERE status IN ('InProgress', 'Suspended');
    INSERT INTO r SELECT orchestration.start_orchestration('Cascade');
    RETURN (SELECT id FROM r);
END
$$;
-- the whole run in one line: run, current stage | stages | steps | work items | queue
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
    SELECT format('%s %s | %s | %s | %s | %s', x.status, COALESCE(x.current_stage, '-'),
        (SELECT string_agg(s.name || ' ' || s.status, ', ' ORDER BY s.position) FROM orchestration.stage_run s WHERE s.run_id = x.id),
        (SELECT string_agg(t.name || ' ' || t.status, ', ' ORDER BY t.id) FROM orchestration.step_run t WHERE t.run_id = x.id AND t.name <> 'First'),
        (SELECT string_agg(w.status::text, ', ' ORDER BY w.id) FROM orchestration.work_item w WHERE w.run_id = x.id),
        COALESCE((SELECT string_agg(CASE WHEN q.available_at = 'infinity' THEN 'kept for its worker' WHEN q.lease_id IS NULL THEN 'ready' ELSE 'leased' END, ', ')
                    FROM orchestration.step_queue q WHERE q.run_id = x.id), '-'))
      FROM orchestration.run x JOIN r USING (id)
$$;
CREATE FUNCTION pg_temp.item(step text) RETURNS uuid LANGUAGE sql AS $$
    SELECT w.id FROM orchestration.work_item w JOIN r ON r.id = w.run_id
      JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id
     WHERE t.name = step ORDER BY w.id DESC LIMIT 1
$$;
CREATE FUNCTION pg_temp.logged() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(kind::text, ', ' ORDER BY number) FROM orchestration.run_log l JOIN r ON r.id = l.run_id
     WHERE number > COALESCE((SELECT max(number) FROM orchestration.run_log l2 JOIN r r2 ON r2.id = l2.run_id WHERE l2.kind = 'StartWorkItem'), 0)
$$;

SELECT pg_temp.new_run() \g /dev/null
SELECT is(pg_temp.state(), 'InProgress Work | Before Completed, Work InProgress | Done Completed, Item InProgress, Other InProgress, Queued InProgress, Later NotStarted | Assigned, Assigned | ready', 'the initial state');

-- user suspends the run
SELECT orchestration.suspend_run(id) FROM r \g /dev/null
SELECT is(pg_temp.state(), 'Suspended Work | Before Completed, Work Suspended | Done Completed, Item InProgress, Other InProgress, Queued InProgress, Later NotStarted | Assigned, Assigned | ready', 'suspend_run(): the stage is Suspended, steps and work items go on');
SELECT is(pg_temp.logged(), 'SuspendInstance, SuspendStage', 'and logged');
SELECT orchestration.complete_work_item(pg_temp.item('Item'), '{"y": 2}') \g /dev/null
SELECT is(pg_temp.state(), 'Suspended Work | Before Completed, Work Suspended | Done Completed, Item InProgress, Other InProgress, Queued InProgress, Later NotStarted | Completed, Assigned | ready', 'results that arrive meanwhile are kept, no step starts');
SELECT is((SELECT pending FROM orchestration.step_run t JOIN r ON r.id = t.run_id WHERE name = 'Item'), '{"outcome": "Completed", "outputs": {"y": 2}}', 'the results are pending');
SELECT throws_ok($$UPDATE orchestration.step_run SET status = 'Completed' WHERE name = 'Item' AND run_id = (SELECT id FROM r)$$, 'OR002', NULL, 'a step cannot be Completed by hand meanwhile');

-- user resumes the suspended run
SELECT orchestration.resume_run(id) FROM r \g /dev/null
SELECT is(pg_temp.state(), 'InProgress Work | Before Completed, Work InProgress | Done Completed, Item Completed, Other InProgress, Queued InProgress, Later Completed | Completed, Assigned | ready', 'resume_run(): pending outputs are applied, then conditions are evaluated again');
SELECT is((SELECT outputs FROM orchestration.step_run t JOIN r ON r.id = t.run_id WHERE name = 'Item'), '{"y": 2}', 'the step has the outputs');

-- the same by plain UPDATE
SELECT pg_temp.new_run() \g /dev/null
UPDATE orchestration.run SET status = 'Suspended' WHERE id = (SELECT id FROM r);
SELECT is(pg_temp.state(), 'Suspended Work | Before Completed, Work Suspended | Done Completed, Item InProgress, Other InProgress, Queued InProgress, Later NotStarted | Assigned, Assigned | ready', 'UPDATE to Suspended does the same');
UPDATE orchestration.flow_orchestration_instance SET status = 'InProgress' WHERE id = (SELECT id FROM r);
SELECT is(pg_temp.state(), 'InProgress Work | Before Completed, Work InProgress | Done Completed, Item InProgress, Other InProgress, Queued InProgress, Later NotStarted | Assigned, Assigned | ready', 'UPDATE to InProgress through the view resumes');

-- user cancels the run
SELECT orchestration.cancel_run(id) FROM r \g /dev/null
SELECT is(pg_temp.state(), 'Canceled Work | Before Completed, Work Discontinued | Done Completed, Item Discontinued, Other Discontinued, Queued Discontinued, Later NotStarted | Completed, Completed | -', 'cancel_run()');
SELECT pg_temp.new_run() \g /dev/null
UPDATE orchestration.run SET status = 'Suspended' WHERE id = (SELECT id FROM r);
UPDATE orchestration.run SET status = 'Canceled' WHERE id = (SELECT id FROM r);
SELECT is(pg_temp.state(), 'Canceled Work | Before Completed, Work Discontinued | Done Completed, Item Discontinued, Other Discontinued, Queued Discontinued, Later NotStarted | Completed, Completed | -', 'UPDATE to Canceled, of a Suspended run');
SELECT is(pg_temp.logged(), 'SuspendInstance, SuspendStage, CancelInstance, DiscontinueStage, DiscontinueStep, DiscontinueStep, DiscontinueStep, EndWorkItem, EndWorkItem', 'and logged');

-- stage completes
SELECT pg_temp.new_run() \g /dev/null
UPDATE orchestration.stage_run SET status = 'Completed' WHERE name = 'Work' AND run_id = (SELECT id FROM r);
SELECT is(pg_temp.state(), 'InProgress After | Before Completed, Work Completed, After InProgress | Done Completed, Item Discontinued, Other Discontinued, Queued Discontinued, Later NotStarted, Last InProgress | Completed, Completed, Assigned | -', 'a stage set to Completed: its InProgress steps are Discontinued, the run goes on');
-- run completes
SELECT orchestration.complete_work_item(pg_temp.item('Last')) \g /dev/null
SELECT is(pg_temp.state(), 'Completed - | Before Completed, Work Completed, After Completed | Done Completed, Item Discontinued, Other Discontinued, Queued Discontinued, Later NotStarted, Last Completed | Completed, Completed, Completed | -', 'the run completes; CurrentStage is null, a step that never started stays NotStarted');

-- a step or its action fails, no fault path: by its action, a worker, by hand
SELECT pg_temp.new_run() \g /dev/null
UPDATE control SET fail = true;
SELECT orchestration.complete_work_item(pg_temp.item('Item')) \g /dev/null
SELECT is(pg_temp.state(), 'Error Work | Before Completed, Work Error | Done Completed, Item Completed, Other Discontinued, Queued Discontinued, Later Error | Completed, Completed | -', 'a background action fails');
SELECT is((SELECT error - 'context' FROM orchestration.run JOIN r USING (id)), '{"message": "told to fail", "sqlstate": "P0042", "hint": "do not", "element": "Later"}', 'message, SQLSTATE and hint are kept on the run');
SELECT is((SELECT error_recoverable FROM orchestration.run JOIN r USING (id)), true, 'it is recoverable');
SELECT pg_temp.new_run() \g /dev/null
SELECT orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', c.step_id, 'lease_id', c.lease_id, 'message', 'no stock')))
  FROM orchestration.claim_steps('w', '{Work}', 1) c \g /dev/null
SELECT is(pg_temp.state(), 'Error Work | Before Completed, Work Error | Done Completed, Item Discontinued, Other Discontinued, Queued Error, Later NotStarted | Completed, Completed | -', 'a worker fails its step');
SELECT pg_temp.new_run() \g /dev/null
SELECT count(*) FROM orchestration.claim_steps('w', '{Work}', 1) \g /dev/null
UPDATE orchestration.step_run SET status = 'Error' WHERE name = 'Other' AND run_id = (SELECT id FROM r);
SELECT is(pg_temp.state(), 'Error Work | Before Completed, Work Error | Done Completed, Item Discontinued, Other Error, Queued Discontinued, Later NotStarted | Completed, Completed | kept for its worker', 'a step set to Error by hand; a step that a worker holds waits for its outcome');

-- user resumes a failed run
SELECT orchestration.complete_steps(jsonb_build_array(jsonb_build_object('step_id', q.step_run_id, 'lease_id', q.lease_id, 'outputs', '{"z": 3}'::jsonb)))
  FROM orchestration.step_queue q JOIN r ON r.id = q.run_id \g /dev/null
SELECT is((SELECT pending->'outputs' FROM orchestration.step_run t JOIN r ON r.id = t.run_id WHERE name = 'Queued'), '{"z": 3}', 'the worker''s outcome is kept as pending');
SELECT orchestration.resume_run(id) FROM r \g /dev/null
SELECT is(pg_temp.state(), 'InProgress Work | Before Completed, Work InProgress | Done Completed, Item InProgress, Other InProgress, Queued Completed, Later NotStarted | Completed, Completed, Assigned, Assigned | -', 'resume_run() of a failed run: restarts failed steps, applies pending outcomes, makes new work items, and repeats no Completed step');
SELECT pg_temp.new_run() \g /dev/null
UPDATE orchestration.stage_run SET status = 'Error' WHERE name = 'Work' AND run_id = (SELECT id FROM r);
SELECT is(pg_temp.state(), 'Error Work | Before Completed, Work Error | Done Completed, Item Discontinued, Other Discontinued, Queued Discontinued, Later NotStarted | Completed, Completed | -', 'a stage set to Error by hand');
UPDATE orchestration.run SET status = 'InProgress' WHERE id = (SELECT id FROM r);
SELECT is(pg_temp.state(), 'InProgress Work | Before Completed, Work InProgress | Done Completed, Item InProgress, Other InProgress, Queued InProgress, Later NotStarted | Completed, Completed, Assigned, Assigned | ready', 'UPDATE to InProgress resumes a failed run');

-- an interactive step's screen flow fails
SELECT pg_temp.new_run() \g /dev/null
SELECT orchestration.fail_work_item(pg_temp.item('Item'), 'the screen broke') \g /dev/null
SELECT is(pg_temp.state(), 'Error Work | Before Completed, Work InProgress | Done Completed, Item InProgress, Other Discontinued, Queued Discontinued, Later NotStarted | Assigned, Completed | -', 'a screen fails: the stage and the failed step stay InProgress, the item stays Assigned');
SELECT orchestration.resume_run(id) FROM r \g /dev/null
SELECT is(pg_temp.state(), 'InProgress Work | Before Completed, Work InProgress | Done Completed, Item InProgress, Other InProgress, Queued InProgress, Later NotStarted | Assigned, Completed, Assigned | ready', 'and resumed');

-- the run fails outside a stage: no stage open, the last one completed; or with an open stage
DELETE FROM r;
INSERT INTO r SELECT orchestration.start_orchestration('Cascade', inputs => '{"broken": {"x": {"y": 1}}}');
SELECT is((SELECT format('%s: %s', x.status, string_agg(s.name || ' ' || s.status, ', ')) FROM orchestration.run x JOIN r USING (id)
            JOIN orchestration.stage_run s ON s.run_id = x.id GROUP BY x.status), 'Error: Before Discontinued', 'a broken decision: the last stage completed is Discontinued');
SELECT is((SELECT error->>'sqlstate' || ' ' || (error->>'element') FROM orchestration.run JOIN r USING (id)), 'OR301 Check', 'with the element that failed and its place');
SELECT throws_ok('SELECT orchestration.resume_run(id) FROM r', 'OR004', NULL, 'the error is not recoverable');
SELECT pg_temp.new_run() \g /dev/null
UPDATE orchestration.run SET status = 'Error' WHERE id = (SELECT id FROM r);
SELECT is(pg_temp.state(), 'Error Work | Before Completed, Work Discontinued | Done Completed, Item Discontinued, Other Discontinued, Queued Discontinued, Later NotStarted | Completed, Completed | -', 'a run set to Error by hand: the open stage is Discontinued');

-- recoverable errors: an inactive assignee; 14 days
SELECT pg_temp.new_run() \g /dev/null
UPDATE orchestration.principal SET is_active = false WHERE username = 'ann@example.com';
UPDATE orchestration.stage_run SET status = 'Completed' WHERE name = 'Work' AND run_id = (SELECT id FROM r);
SELECT is((SELECT format('%s %s', status, error_recoverable) FROM orchestration.run JOIN r USING (id)), 'Error t', 'an inactive assignee is a recoverable error');
UPDATE orchestration.run SET ended_at = now() - interval '14 days 1 minute' WHERE id = (SELECT id FROM r);
SELECT throws_ok('SELECT orchestration.resume_run(id) FROM r', 'OR004', NULL, 'for 14 days');
UPDATE orchestration.run SET ended_at = now() - interval '13 days 23 hours' WHERE id = (SELECT id FROM r);
UPDATE orchestration.principal SET is_active = true WHERE username = 'ann@example.com';
SELECT is((SELECT orchestration.resume_run(id) FROM r), true, 'and no longer after 14 days');
SELECT is((SELECT status::text FROM orchestration.run JOIN r USING (id)), 'InProgress', 'the run goes on');

-- duration: grows, stays the same after the end, and counts from the start again after a resume
UPDATE orchestration.run SET created_at = created_at - interval '1 hour' WHERE id = (SELECT id FROM r);
SELECT cmp_ok((SELECT duration FROM orchestration.flow_orchestration_instance JOIN r USING (id)), '>=', 3600::bigint, 'Duration grows from the start');
UPDATE orchestration.run SET status = 'Canceled' WHERE id = (SELECT id FROM r);
UPDATE orchestration.run SET ended_at = created_at + interval '90.7 seconds' WHERE id = (SELECT id FROM r);
SELECT is((SELECT duration FROM orchestration.flow_orchestration_instance JOIN r USING (id)), 90::bigint, 'and stays the same after the end, in whole seconds');

-- an action that changes its own run: steps First, Item (interactive),
-- Own (the action, after First), Next (after Own)
CREATE FUNCTION own(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE input->>'call' USING (input->>'run')::uuid;
    RETURN '{}';
END
$$;
SELECT orchestration.register_action('Own', 'function', 'own(jsonb)') \g /dev/null
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Own', 'label', 'Own', 'processType', 'Orchestrator',
    'start', '{"connector": {"targetReference": "Count"}}'::jsonb,
    'variables', '[{"name": "call", "dataType": "String", "isInput": true, "isCollection": false, "isOutput": false},
                   {"name": "n", "dataType": "Number", "isInput": false, "isCollection": false, "isOutput": false, "value": {"numberValue": 0}}]'::jsonb,
    'assignments', '[{"name": "Count", "label": "Count", "connector": {"targetReference": "S"},
                      "assignmentItems": [{"assignToReference": "n", "operator": "Add", "value": {"numberValue": 1}}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'exitConditionLogic', 'and',
        'stageSteps', jsonb_build_array(pg_temp.step('Begin', 'B'), pg_temp.step('Item', 'I'),
            pg_temp.step('Own', 'B', 'Begin') || '{"actionName": "Own", "inputParameters": [
                {"name": "run", "value": {"elementReference": "$Orchestration.Instance"}}, {"name": "call", "value": {"elementReference": "call"}}]}',
            pg_temp.step('Next', 'B', 'Own')))))) \g /dev/null
SELECT orchestration.activate_orchestration('Own') \g /dev/null
CREATE FUNCTION pg_temp.own_run(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM r;
    INSERT INTO r SELECT orchestration.start_orchestration('Own', inputs => jsonb_build_object('call', call));
    RETURN pg_temp.state();
END
$$;
SELECT is(pg_temp.own_run('SELECT orchestration.suspend_run($1)'),
          'Suspended S | S Suspended | Begin Completed, Item InProgress, Own InProgress, Next NotStarted | Assigned | -',
          'an action suspends its own run: its outcome is pending, CurrentStage is set');
SELECT is((SELECT variables->'n' FROM orchestration.run JOIN r USING (id)), '1', 'variables assigned before are kept');
SELECT orchestration.resume_run(id) FROM r \g /dev/null
SELECT is(pg_temp.state(), 'InProgress S | S InProgress | Begin Completed, Item InProgress, Own Completed, Next Completed | Assigned | -', 'and applied at the resume');
SELECT is(pg_temp.own_run('SELECT orchestration.cancel_run($1)'),
          'Canceled S | S Discontinued | Begin Completed, Item Discontinued, Own Discontinued, Next NotStarted | Completed | -', 'it cancels its own run');
SELECT is(pg_temp.own_run('SELECT orchestration.complete_work_item(id) FROM orchestration.work_item WHERE run_id = $1'),
          'Completed - | S Completed | Begin Completed, Item Completed, Own Completed, Next Completed | Completed | -', 'it completes a work item of its own run');
SELECT is(pg_temp.own_run($$UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = $1 AND name = 'Item'$$),
          'Error S | S Error | Begin Completed, Item Error, Own Discontinued, Next NotStarted | Completed | -', 'it sets another step of its own run to Error');
SELECT is(pg_temp.own_run($$SELECT orchestration.fail_work_item(id, 'broken') FROM orchestration.work_item WHERE run_id = $1$$),
          'Error S | S InProgress | Begin Completed, Item InProgress, Own Discontinued, Next NotStarted | Assigned | -', 'it reports that a screen of its own run failed');

-- by hand while a run is in Error
SELECT throws_ok($$UPDATE orchestration.stage_run SET status = 'Discontinued' WHERE run_id = (SELECT id FROM r)$$, 'OR002', NULL,
                 'the stage of a run that failed inside it cannot be Discontinued by hand');
SELECT pg_temp.new_run() \g /dev/null
UPDATE orchestration.stage_run SET status = 'Error' WHERE name = 'Work' AND run_id = (SELECT id FROM r);
SELECT throws_ok($$UPDATE orchestration.step_run SET status = 'Error' WHERE name = 'Item' AND run_id = (SELECT id FROM r)$$, 'OR002', NULL,
                 'nor a Discontinued step be set to Error');

-- results of several runs in one call, in another order than the runs'
UPDATE orchestration.run SET status = 'Canceled' WHERE status IN ('InProgress', 'Suspended');
SELECT orchestration.start_orchestration('Cascade'), orchestration.start_orchestration('Cascade') \g /dev/null
CREATE TEMP TABLE claimed AS SELECT * FROM orchestration.claim_steps('w', '{Work}', 10);
CREATE TEMP TABLE results AS
SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id) ORDER BY run_id DESC) AS list FROM claimed;
SELECT is((SELECT count(*) FROM claimed), 2::bigint, 'two steps of two runs are claimed');
SELECT is((SELECT bool_and(accepted) FROM results, orchestration.complete_steps(list)), true, 'both results are accepted');
SELECT is((SELECT bool_and(accepted) FROM results, orchestration.complete_steps(list)), true, 'the same results again are accepted');
SELECT is((SELECT bool_or(accepted) FROM results, orchestration.complete_steps((SELECT jsonb_agg(jsonb_set(e, '{lease_id}', to_jsonb(orchestration.new_id()))) FROM jsonb_array_elements(list) e))), false,
          'results with another lease are refused');

SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify() finds nothing');
SELECT * FROM finish();
ROLLBACK;
