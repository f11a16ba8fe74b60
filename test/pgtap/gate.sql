-- gate: users' functions, called while the engine holds writes that it has not made yet.
--
-- A function is a background step, or decides an entry, exit or completion condition.  In each
-- place each function runs twice: with one call for each result, and with one call for all
-- results, which collects its writes.  Both must end alike: statuses, variables, outputs, log, and
-- the state that the function read.  That state must be current: its own step is in progress,
-- and every step before it has ended.

\ir leases.sql.inc

CREATE TABLE seen (run uuid, number serial, what text);
CREATE FUNCTION state_of(run uuid) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', r.status, r.variables - '$Outcomes',
        (SELECT string_agg(s.name || ' ' || s.status, ', ' ORDER BY s.position) FROM orchestration.stage_run s WHERE s.run_id = r.id),
        (SELECT string_agg(t.name || ' ' || t.status || COALESCE(' ' || t.outputs::text, ''), ', ' ORDER BY t.id) FROM orchestration.step_run t WHERE t.run_id = r.id),
        (SELECT string_agg(w.status::text, ', ' ORDER BY w.id) FROM orchestration.work_item w WHERE w.run_id = r.id))
      FROM orchestration.run r WHERE r.id = run
$$;
-- the answer of every function: whether the worker's step is Completed
CREATE FUNCTION answer(run uuid) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('out', 1, 'isOrchestrationConditionMet',
        EXISTS (SELECT FROM orchestration.step_run t WHERE t.run_id = run AND t.name = 'W' AND t.status = 'Completed'))
$$;
CREATE TABLE code (name text, body text);
INSERT INTO code VALUES
    ('nothing', $$NULL$$),
    ('event', $$PERFORM orchestration.reevaluate_run(this)$$),
    ('event_others', $$PERFORM orchestration.reevaluate_run(r.id) FROM orchestration.run r WHERE r.status = 'InProgress' AND r.id <> this ORDER BY r.id$$),
    ('start', $$PERFORM orchestration.start_orchestration('Gate_Other')$$),
    ('finish_others', $$PERFORM orchestration.complete_work_item(w.id, '{"done": true}') FROM orchestration.work_item w JOIN orchestration.run r ON r.id = w.run_id
                         WHERE w.status = 'Assigned' AND r.orchestration_name = 'Gate_Other' AND r.status = 'InProgress'$$),
    ('cancel', $$IF done THEN PERFORM orchestration.cancel_run(this); END IF$$),
    ('suspend', $$IF done THEN PERFORM orchestration.suspend_run(this); END IF$$),
    ('suspend_by_update', $$IF done THEN UPDATE orchestration.run SET status = 'Suspended' WHERE id = this; END IF$$),
    ('delete_others', $$PERFORM orchestration.cancel_run(r.id) FROM orchestration.run r WHERE r.orchestration_name = 'Gate_Other' AND r.status = 'InProgress';
                        DELETE FROM orchestration.run r WHERE r.orchestration_name = 'Gate_Other'$$),
    ('delete_others_undone', $$BEGIN PERFORM orchestration.cancel_run(r.id) FROM orchestration.run r WHERE r.orchestration_name = 'Gate_Other' AND r.status = 'InProgress';
                        DELETE FROM orchestration.run r WHERE r.orchestration_name = 'Gate_Other'; RAISE EXCEPTION 'no'; EXCEPTION WHEN raise_exception THEN NULL; END$$),
    ('cancel_and_delete', $$IF done THEN PERFORM orchestration.cancel_run(this); DELETE FROM orchestration.run r WHERE r.id = this; END IF$$),
    ('cancel_undo_delete', $$IF done THEN PERFORM orchestration.cancel_run(this); BEGIN DELETE FROM orchestration.run r WHERE r.id = this; RAISE EXCEPTION 'no'; EXCEPTION WHEN raise_exception THEN NULL; END; END IF$$),
    ('variables', $$UPDATE orchestration.run SET variables = variables || '{"v": 7}' WHERE id = this$$),
    ('dry_run', $$PERFORM orchestration.dry_run('Gate_Other')$$),
    ('fails', $$IF done THEN RAISE EXCEPTION 'no'; END IF$$),
    ('fails_after_event', $$PERFORM orchestration.reevaluate_run(this); IF done THEN RAISE EXCEPTION 'no'; END IF$$),
    ('fails_after_start', $$PERFORM orchestration.start_orchestration('Gate_Other'); IF done THEN RAISE EXCEPTION 'no'; END IF$$),
    ('fails_after_finish', $$PERFORM orchestration.complete_work_item(w.id) FROM orchestration.work_item w JOIN orchestration.run r ON r.id = w.run_id
                              WHERE w.status = 'Assigned' AND r.orchestration_name = 'Gate_Other'; IF done THEN RAISE EXCEPTION 'no'; END IF$$),
    ('fails_inside', $$BEGIN PERFORM orchestration.reevaluate_run(this); RAISE EXCEPTION 'no'; EXCEPTION WHEN raise_exception THEN NULL; END$$);
DO $do$
DECLARE
    c code;
BEGIN
    FOR c IN SELECT * FROM code LOOP
        EXECUTE format($f$
            CREATE FUNCTION gate_%1$s(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $b$
            DECLARE
                this uuid := i->>'run';
                done boolean;
            BEGIN
                done := (answer(this)->>'isOrchestrationConditionMet')::boolean;
                INSERT INTO seen (run, what) VALUES (this, state_of(this));
                %2$s;
                RETURN answer(this);
            END $b$ $f$, c.name, c.body);
        PERFORM orchestration.register_action('Gate_' || c.name, 'function', format('gate_%s(jsonb)', c.name)::regprocedure);
    END LOOP;
END
$do$;

CREATE FUNCTION pg_temp.deploy(name text, place text, code text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    input jsonb := '[{"name": "run", "value": {"elementReference": "$Orchestration.Instance"}}]';
    after jsonb := '{"entryConditionLogic": "and", "entryConditions": [{"leftValueReference": "W.Status", "operator": "EqualTo", "rightValue": {"stringValue": "Completed"}}]}';
    w jsonb := '{"name": "W", "label": "W", "actionType": "stepBackground", "actionName": "Work", "requiresAsyncProcessing": true}';
    k jsonb;
    stage jsonb := '{"name": "S1", "label": "S1", "connector": {"targetReference": "Set2"}}';
BEGIN
    k := CASE place
        WHEN 'step' THEN jsonb_build_object('actionType', 'stepBackground', 'actionName', 'Gate_' || code, 'inputParameters', input) || after
        WHEN 'entry' THEN jsonb_build_object('actionType', 'stepBackground', 'actionName', 'Gate_nothing', 'inputParameters', input,
            'entryActionName', 'Gate_' || code, 'entryActionType', 'evaluationFlow', 'entryActionInputParameters', input)
        WHEN 'completion' THEN jsonb_build_object('actionType', 'stepInteractive', 'actionName', 'Screen',
            'assignees', '[{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}]'::jsonb,
            'exitActionName', 'Gate_' || code, 'exitActionType', 'evaluationFlow', 'exitActionInputParameters', input)
        ELSE jsonb_build_object('actionType', 'stepBackground', 'actionName', 'Gate_nothing', 'inputParameters', input) || after
    END || '{"name": "K", "label": "K"}';
    IF place = 'exit' THEN
        stage := stage || jsonb_build_object('exitActionName', 'Gate_' || code, 'exitActionType', 'evaluationFlow', 'exitActionInputParameters', input);
    END IF;
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name, 'processType', 'Orchestrator',
        'start', '{"connector": {"targetReference": "Set"}}'::jsonb,
        'variables', '[{"name": "v", "dataType": "Number", "isInput": true, "value": {"numberValue": 0}}]'::jsonb,
        'assignments', '[{"name": "Set", "label": "Set", "connector": {"targetReference": "S1"}, "assignmentItems": [{"assignToReference": "v", "operator": "Add", "value": {"numberValue": 1}}]},
                         {"name": "Set2", "label": "Set2", "connector": {"targetReference": "S2"}, "assignmentItems": [{"assignToReference": "v", "operator": "Add", "value": {"numberValue": 5}}]}]'::jsonb,
        'orchestratedStages', jsonb_build_array(stage || jsonb_build_object('stageSteps', jsonb_build_array(w, k)),
            jsonb_build_object('name', 'S2', 'label', 'S2', 'stageSteps', jsonb_build_array(jsonb_build_object('name', 'Z', 'label', 'Z',
                'actionType', 'stepInteractive', 'actionName', 'Screen', 'assignees', '[{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}]'::jsonb))))));
    PERFORM orchestration.activate_orchestration(name);
END
$$;
SELECT orchestration.deploy_orchestration('{"fullName": "Gate_Other", "label": "O", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "I", "label": "I", "actionType": "stepInteractive", "actionName": "Screen",
        "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}]}]}]}'::jsonb), orchestration.activate_orchestration('Gate_Other') \g /dev/null

-- the rows of two runs and of the other runs, as lines without ids
CREATE FUNCTION pg_temp.play(name text, together boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orchestration.run SET status = 'Canceled' WHERE status IN ('InProgress', 'Suspended');
    DELETE FROM orchestration.run;
    DELETE FROM seen;
    PERFORM orchestration.start_orchestration('Gate_Other') FROM generate_series(1, 2);
    PERFORM orchestration.start_orchestration(name) FROM generate_series(1, 2);
    PERFORM pg_temp.complete(pg_temp.results('{"w": 1}'), together);
    SET CONSTRAINTS ALL IMMEDIATE;
    RETURN QUERY
        SELECT 'ORPHAN ' || l.kind FROM orchestration.run_log l WHERE NOT EXISTS (SELECT FROM orchestration.run r WHERE r.id = l.run_id)
        UNION ALL
        SELECT 'ORPHAN ' || h.field FROM orchestration.field_change h WHERE NOT EXISTS (SELECT FROM orchestration.run r WHERE r.id = h.run_id)
        UNION ALL
        SELECT concat_ws(' / ', r.orchestration_name, state_of(r.id), CASE WHEN r.error->>'sqlstate' = 'P0001' THEN r.error->>'message' ELSE 'STRANGE ' || r.error::text END,
            (SELECT string_agg(l.kind::text, ' ' ORDER BY l.number) FROM orchestration.run_log l WHERE l.run_id = r.id),
            (SELECT string_agg(h.object || '.' || h.field || ' ' || COALESCE(h.old_value, '-') || '>' || COALESCE(h.new_value, '-'), ' ' ORDER BY h.id) FROM orchestration.field_change h
              WHERE h.run_id = r.id AND h.field = 'Status'),
            (SELECT string_agg(s.what, ' then ' ORDER BY s.number) FROM seen s WHERE s.run = r.id))
          FROM orchestration.run r ORDER BY 1;
END
$$;

CREATE TEMP TABLE cell AS
    SELECT format('Gate_%s_%s', p, c.name) AS name, p AS place, c.name AS code
      FROM unnest('{step,entry,exit,completion}'::text[]) p, code c;
SELECT pg_temp.deploy(name, place, code) FROM cell \g /dev/null

SELECT is((SELECT array_agg(x) FROM pg_temp.play(name, true) x), (SELECT array_agg(x) FROM pg_temp.play(name, false) x),
          format('%s, %s: results in one call end as results in two calls', place, code)) FROM cell ORDER BY name;

-- no function failed for another reason than its own error
CREATE TEMP TABLE strange AS SELECT name, x FROM cell, pg_temp.play(name, false) x WHERE x ~ 'STRANGE|ORPHAN';
SELECT is_empty('SELECT * FROM strange', 'only functions that raise an error fail, and a deleted run leaves no log or history');

-- a function of a background step sees every step before it ended, and its own in progress
SELECT pg_temp.play('Gate_step_nothing', true) \g /dev/null
SELECT is(array_agg(DISTINCT what), ARRAY['InProgress | {"v": 1} | S1 InProgress | W Completed {"w": 1}, K InProgress'],
          'a function reads the current state, also in a call that collects writes') FROM seen;
-- variables that it wrote count, and variables that the engine had not written yet are not lost
SELECT pg_temp.play('Gate_step_variables', true) \g /dev/null
SELECT is((SELECT array_agg(DISTINCT r.variables) FROM orchestration.run r WHERE r.orchestration_name = 'Gate_step_variables'),
          ARRAY['{"v": 12}'::jsonb], 'the engine uses variables that a function writes');
SELECT pg_temp.play('Gate_step_event', false) \g /dev/null
SELECT is((SELECT array_agg(DISTINCT r.variables) FROM orchestration.run r WHERE r.orchestration_name = 'Gate_step_event'),
          ARRAY['{"v": 6}'::jsonb], 'an engine call of a function on its own run loses nothing');
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify() finds nothing');
SELECT finish();
ROLLBACK;
