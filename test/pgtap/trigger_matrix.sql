-- trigger_matrix: users' triggers on the extension's tables do not change the extension's
-- results.
--
-- {table} x {BEFORE, AFTER} x {ROW, STATEMENT} x {body of the trigger} is installed in turn, and
-- the same scenario is played with it: runs start, steps of a worker and of users end with
-- outputs, a second stage reads the outputs, a run is canceled, one fails, one is suspended and
-- resumed.  Each scenario is played with one call for each run, with calls for many runs, by plain
-- UPDATE, and started by COPY of another table.  Log, outputs, history, statuses and variables
-- must equal those of the scenario without the trigger, and verify() must find nothing.

\ir leases.sql.inc
SELECT orchestration.set_feed_tracking('FlowOrchestrationInstance', '{Status}') \g /dev/null
CREATE FUNCTION give(i jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('given', i->'take') $$;
SELECT orchestration.register_action('Give', 'function', 'give(jsonb)') \g /dev/null
CREATE TABLE item (id int PRIMARY KEY, n int);
SELECT orchestration.register_record_type('Item', 'item') \g /dev/null

-- Main: a worker's step, then a screen; the second stage passes both outputs on
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name, 'processType', 'Orchestrator',
    'start', start || '{"connector": {"targetReference": "S1"}}',
    'variables', '[{"name": "v", "dataType": "String", "isInput": true}]'::jsonb,
    'assignments', '[{"name": "Set", "label": "Set", "connector": {"targetReference": "S2"}, "assignmentItems": [{"assignToReference": "v", "operator": "Assign", "value": {"elementReference": "W.Outputs.w"}}]}]'::jsonb,
    'orchestratedStages', '[
      {"name": "S1", "label": "S1", "connector": {"targetReference": "Set"}, "stageSteps": [
        {"name": "W", "label": "W", "actionType": "stepBackground", "actionName": "Work", "requiresAsyncProcessing": true},
        {"name": "I", "label": "I", "actionType": "stepInteractive", "actionName": "Screen", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}],
         "entryConditions": [{"leftValueReference": "W.Status", "operator": "EqualTo", "rightValue": {"stringValue": "Completed"}}]}]},
      {"name": "S2", "label": "S2", "stageSteps": [
        {"name": "B", "label": "B", "actionType": "stepBackground", "actionName": "Give", "inputParameters": [{"name": "take", "value": {"elementReference": "I.Outputs.answer"}}]},
        {"name": "C", "label": "C", "actionType": "stepBackground", "actionName": "Give", "inputParameters": [{"name": "take", "value": {"elementReference": "v"}}],
         "entryConditions": [{"leftValueReference": "B.Status", "operator": "EqualTo", "rightValue": {"stringValue": "Completed"}}]}]}]'::jsonb)),
    orchestration.activate_orchestration(name)
  FROM (VALUES ('Matrix_Main', '{}'::jsonb), ('Matrix_Item', '{"object": "Item", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}')) x(name, start) \g /dev/null
-- the orchestration that nested calls start
SELECT orchestration.deploy_orchestration('{"fullName": "Matrix_Other", "label": "O", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "X", "label": "X", "actionType": "stepBackground", "actionName": "Give"}]}]}'::jsonb),
    orchestration.activate_orchestration('Matrix_Other') \g /dev/null

-- the triggers do nothing when they fire themselves
CREATE TABLE audit (what text, CHECK (what <> 'refused'));
CREATE FUNCTION pg_temp.make(form text, body text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION matrix_%s() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_catalog AS $b$
        BEGIN
            IF current_setting('matrix.busy', true) = 'yes' THEN
                RETURN COALESCE(NEW, OLD);
            END IF;
            PERFORM set_config('matrix.busy', 'yes', true);
            %s;
            PERFORM set_config('matrix.busy', 'no', true);
            RETURN COALESCE(NEW, OLD);
        END $b$ $f$, form, body);
END
$$;
SELECT pg_temp.make('plain', $$INSERT INTO audit VALUES (TG_OP)$$);
SELECT pg_temp.make('block', $$BEGIN INSERT INTO audit VALUES (TG_OP); EXCEPTION WHEN check_violation THEN NULL; END$$);
SELECT pg_temp.make('block_that_fails', $$BEGIN INSERT INTO audit VALUES ('refused'); EXCEPTION WHEN check_violation THEN NULL; END$$);
SELECT pg_temp.make('call', $$PERFORM orchestration.start_orchestration('Matrix_Other')$$);
SELECT pg_temp.make('call_in_block', $$BEGIN PERFORM orchestration.start_orchestration('Matrix_Other'); EXCEPTION WHEN check_violation THEN NULL; END$$);
SELECT pg_temp.make('call_undone', $$BEGIN PERFORM orchestration.start_orchestration('Matrix_Other'); INSERT INTO audit VALUES ('refused'); EXCEPTION WHEN check_violation THEN NULL; END$$);
SELECT pg_temp.make('update_undone', $$BEGIN UPDATE orchestration.run SET interview_id = id WHERE orchestration_name LIKE 'Matrix%'; INSERT INTO audit VALUES ('refused'); EXCEPTION WHEN check_violation THEN NULL; END$$);
SELECT pg_temp.make('cancel_undone', $$BEGIN UPDATE orchestration.run SET status = 'Canceled' WHERE status IN ('InProgress', 'Suspended') AND orchestration_name LIKE 'Matrix%'; INSERT INTO audit VALUES ('refused'); EXCEPTION WHEN check_violation THEN NULL; END$$);

-- four runs: completed, canceled, failed, suspended and resumed
CREATE FUNCTION pg_temp.play(way text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    runs uuid[];
BEGIN
    -- without the runs of the last scenario
    PERFORM set_config('matrix.busy', 'yes', true);
    UPDATE orchestration.run SET status = 'Canceled' WHERE status IN ('InProgress', 'Suspended');
    DELETE FROM orchestration.run;
    DELETE FROM item;
    PERFORM set_config('matrix.busy', 'no', true);

    IF way = 'copy' THEN
        EXECUTE $c$COPY item FROM PROGRAM 'printf "1\t1\n2\t1\n3\t1\n4\t1\n"'$c$;
    ELSE
        PERFORM orchestration.start_orchestration('Matrix_Main', inputs => '{"v": "first"}') FROM generate_series(1, 4);
    END IF;
    SELECT array_agg(id ORDER BY id) INTO runs FROM orchestration.run WHERE orchestration_name IN ('Matrix_Main', 'Matrix_Item');
    PERFORM pg_temp.complete(pg_temp.results('{"w": "done"}'), way NOT IN ('one', 'update'));
    IF way = 'update' THEN
        UPDATE orchestration.run SET status = 'Canceled' WHERE id = runs[2];
        UPDATE orchestration.stage_run SET status = 'Error' WHERE run_id = runs[3] AND status = 'InProgress';
        UPDATE orchestration.run SET status = 'Suspended' WHERE id = runs[4];
        UPDATE orchestration.run SET status = 'InProgress' WHERE id = runs[4];
    ELSE
        PERFORM orchestration.cancel_run(runs[2]);
        PERFORM orchestration.fail_work_item(w.id, 'broken') FROM orchestration.work_item w WHERE w.run_id = runs[3] AND w.status = 'Assigned';
        PERFORM orchestration.suspend_run(runs[4]);
        PERFORM orchestration.resume_run(runs[4]);
    END IF;
    PERFORM orchestration.complete_work_item(w.id, '{"answer": "yes", "Comments": "well"}')
       FROM orchestration.work_item w WHERE w.run_id IN (runs[1], runs[4]) AND w.status = 'Assigned';
    RETURN QUERY
        SELECT concat_ws(' / ', array_position(runs, r.id), r.status, r.variables - '$Outcomes', r.error->>'message',
            (SELECT string_agg(s.name || ' ' || s.status, ', ' ORDER BY s.position) FROM orchestration.stage_run s WHERE s.run_id = r.id),
            (SELECT string_agg(t.name || ' ' || t.status || COALESCE(' ' || t.outputs::text, '') || COALESCE(' pending ' || t.pending::text, ''), ', ' ORDER BY t.id)
               FROM orchestration.step_run t WHERE t.run_id = r.id),
            (SELECT string_agg(w.status || COALESCE(' by ' || w.completed_by, ''), ', ' ORDER BY w.id) FROM orchestration.work_item w WHERE w.run_id = r.id),
            (SELECT string_agg(l.kind || COALESCE(' "' || l.comments || '"', '') || COALESCE(' ' || l.actor, ''), ' ' ORDER BY l.number) FROM orchestration.run_log l WHERE l.run_id = r.id),
            (SELECT string_agg(h.field || ' ' || COALESCE(h.old_value, '-') || '>' || COALESCE(h.new_value, '-'), ', ' ORDER BY h.object, h.id) FROM orchestration.field_change h
              WHERE h.run_id = r.id AND h.field = 'Status'),
            (SELECT string_agg(f.type::text, ', ' ORDER BY f.type, f.id) FROM orchestration.feed_item f WHERE f.run_id = r.id))
          FROM orchestration.run r WHERE r.id = ANY (runs) ORDER BY r.id;
    RETURN QUERY SELECT 'verify: ' || v.invariant || ' ' || v.detail FROM orchestration.verify() v;
    -- runs that nested calls started are complete, too
    RETURN QUERY SELECT DISTINCT 'other: ' || concat_ws(' ', r.status,
            (SELECT string_agg(l.kind::text, ' ' ORDER BY l.number) FROM orchestration.run_log l WHERE l.run_id = r.id))
          FROM orchestration.run r WHERE r.orchestration_name = 'Matrix_Other'
           AND (r.status <> 'Completed' OR (SELECT string_agg(l.kind::text, ' ' ORDER BY l.number) FROM orchestration.run_log l WHERE l.run_id = r.id)
                IS DISTINCT FROM 'StartInstance StartStage StartStep EndStep EndStage EndInstance');
END
$$;

CREATE TEMP TABLE expected AS SELECT way, (SELECT array_agg(x) FROM pg_temp.play(way) x) AS lines FROM unnest('{one,batch,update,copy}'::text[]) way;
SELECT ok(bool_and(array_length(lines, 1) = 4 AND lines::text ~ 'given.*yes' AND lines::text ~ 'given.*done' AND lines::text !~ 'verify'), 'the scenario itself is complete') FROM expected;

CREATE FUNCTION pg_temp.cell(tab text, timing text, level text, form text, way text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    e record;
    got text[];
BEGIN
    EXECUTE format('CREATE TRIGGER zz_matrix %s INSERT OR UPDATE OR DELETE ON orchestration.%I FOR EACH %s EXECUTE FUNCTION matrix_%s()', timing, tab, level, form);
    FOR e IN SELECT * FROM expected x WHERE x.way = cell.way LOOP
        -- rolled back, so that the dead rows of one cell do not slow the next
        BEGIN
            got := (SELECT array_agg(x) FROM pg_temp.play(e.way) x);
            RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO0';
        EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
            NULL;
        WHEN OTHERS THEN
            got := ARRAY[SQLSTATE || ' ' || SQLERRM];
        END;
        RETURN NEXT is(got, e.lines, format('%s %s %s %s: %s', timing, level, tab, form, e.way));
    END LOOP;
    EXECUTE format('DROP TRIGGER zz_matrix ON orchestration.%I', tab);
END
$$;
-- every twelfth cell, the same each time; all cells in make test-all
\set long 0
\getenv long ORCH_LONG
SELECT format('SELECT pg_temp.cell(%L, %L, %L, %L, %L)', tab, timing, level, form, way)
  FROM unnest('{run,stage_run,step_run,work_item,step_queue,run_log,field_change,feed_item}'::text[]) tab,
     unnest('{BEFORE,AFTER}'::text[]) timing, unnest('{ROW,STATEMENT}'::text[]) level,
     unnest('{plain,block,block_that_fails,call,call_in_block,call_undone,update_undone,cancel_undone}'::text[]) form,
     unnest('{one,batch,update,copy}'::text[]) way
 WHERE :'long' = '1' OR mod(abs(hashtext(tab || timing || level || form || way)), 12) = 0
\gexec
SELECT finish();
ROLLBACK;
