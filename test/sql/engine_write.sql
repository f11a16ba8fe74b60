-- A call that moves many runs writes sets of rows.  The rows equal those of one call for each
-- run (src/engine/engine_write.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.batch_trace (note text);
CREATE FUNCTION public.batch_act(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.batch_trace VALUES (i->>'n');
    -- a user's function sees everything that was written before it
    RETURN jsonb_build_object('seen', (SELECT string_agg(name || ' ' || status, ', ' ORDER BY id) FROM orchestration.step_run WHERE run_id = (i->>'run')::uuid));
END$$;
SELECT orchestration.register_action('Batch_Act', 'function', 'batch_act(jsonb)'), orchestration.register_action('Batch_Work', 'worker'), orchestration.register_action('Batch_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
-- two workers' steps, then another; a decision on an output; then a work item, or a function
SELECT pg_temp.orchestration('Batch', 'S1', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('kind', 'String'), pg_temp.variable('count', 'Number', '{"numberValue": 0}')),
    'assignments', '[{"name": "Count", "label": "Count", "connector": {"targetReference": "Kind"}, "assignmentItems": [{"assignToReference": "count", "operator": "Add", "value": {"elementReference": "A.Outputs.n"}}]}]'::jsonb,
    'decisions', '[{"name": "Kind", "label": "Kind", "defaultConnector": {"targetReference": "S3"}, "rules": [{"name": "People", "label": "People", "conditionLogic": "and", "connector": {"targetReference": "S2"},
        "conditions": [{"leftValueReference": "kind", "operator": "EqualTo", "rightValue": {"stringValue": "people"}}, {"leftValueReference": "S1.Status", "operator": "EqualTo", "rightValue": {"stringValue": "Completed"}}]}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('S1', 'Count', pg_temp.step('A', 'A', 'Batch_Work', '{}', '{"kind": {"elementReference": "kind"}}'), pg_temp.step('B', 'A', 'Batch_Work'), pg_temp.step('C', 'A', 'Batch_Work', '{A,B}', '{"n": {"elementReference": "A.Outputs.n"}}')),
        pg_temp.stage('S2', 'S4', pg_temp.step('Ask', 'I', 'Batch_Screen', '{}', '{"n": {"elementReference": "count"}}')),
        pg_temp.stage('S3', 'S4', pg_temp.step('Act', 'B', 'Batch_Act', '{}', '{"n": {"elementReference": "count"}, "run": {"elementReference": "$Orchestration.Instance"}}')),
        pg_temp.stage('S4', NULL, pg_temp.step('Last', 'A', 'Batch_Work', '{}', '{"a": {"elementReference": "A.Outputs.n"}, "status": {"elementReference": "S1.Status"}}')))));
-- both ways: all results in one call, and one call for each
CREATE FUNCTION pg_temp.finish(together boolean, failing text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    results jsonb;
    answer text;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id) ||
               CASE WHEN step_name = failing THEN '{"message": "no", "retry": false}'::jsonb ELSE jsonb_build_object('outputs', jsonb_build_object('n', 7)) END ORDER BY run_id, step_name)
      INTO results FROM orchestration.claim_steps('w', '{Batch_Work}', 100);
    IF together THEN
        SELECT string_agg(DISTINCT accepted || COALESCE(' ' || reason, ''), ', ') INTO answer FROM orchestration.complete_and_claim(results, 'w', '{nothing}');
    ELSE
        SELECT string_agg(DISTINCT x.accepted || COALESCE(' ' || x.reason, ''), ', ') INTO answer
          FROM jsonb_array_elements(results) r, LATERAL orchestration.complete_and_claim(jsonb_build_array(r), 'w', '{nothing}') x;
    END IF;
    RETURN jsonb_array_length(results) || ' ' || answer;
END$$;
-- all rows of a run, by names and in the order of the log
CREATE FUNCTION pg_temp.written(run_id uuid) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT pg_temp.state($1) || ' | ' || (SELECT r.variables::text FROM orchestration.run r WHERE r.id = $1)
    UNION ALL (SELECT concat_ws(' ', l.kind, s.name, t.name, l.actor, (l.logged_at >= r.created_at)::text) FROM orchestration.run_log l JOIN orchestration.run r ON r.id = l.run_id
                 LEFT JOIN orchestration.stage_run s ON s.run_id = l.run_id AND s.id = l.stage_run_id LEFT JOIN orchestration.step_run t ON t.run_id = l.run_id AND t.id = l.step_run_id
                WHERE l.run_id = $1 ORDER BY l.number)
    UNION ALL (SELECT concat_ws(' ', t.name, t.step_type, t.attempt, t.outputs, t.started_at IS NOT NULL, t.ended_at IS NOT NULL, t.lease_id IS NOT NULL, t.owner_id = r.owner_id, t.orchestration_id = r.orchestration_id, t.modified_minute = orchestration_internal.minute_of(t.modified_at))
                 FROM orchestration.step_run t JOIN orchestration.run r ON r.id = t.run_id WHERE t.run_id = $1 ORDER BY t.id)
    UNION ALL (SELECT concat_ws(' ', s.name, s.label, s.position, s.ended_at IS NOT NULL, s.created_at = s.modified_at, s.modified_minute = orchestration_internal.minute_of(s.modified_at)) FROM orchestration.stage_run s WHERE s.run_id = $1 ORDER BY s.position)
    UNION ALL (SELECT concat_ws(' ', 'queued', step_name, topic, action, inputs, attempt, failures, lost, lease_id, worker) FROM orchestration.step_queue x WHERE x.run_id = $1 ORDER BY step_name)
    UNION ALL (SELECT concat_ws(' ', 'item', label, status, screen_flow_inputs, assigned_at IS NOT NULL) FROM orchestration.work_item x WHERE x.run_id = $1)
    UNION ALL (SELECT concat_ws(' ', 'history', object, field, old_value, new_value) FROM orchestration.field_change x WHERE x.run_id = $1 ORDER BY changed_at, object, field, new_value)
$$;
CREATE FUNCTION pg_temp.play(together boolean, kind text, failing text DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    run uuid;
BEGIN
    PERFORM pg_temp.clean_up();
    DELETE FROM orchestration.field_change;
    DELETE FROM public.batch_trace;
    PERFORM orchestration.start_orchestration('Batch', inputs => jsonb_build_object('kind', kind)) FROM generate_series(1, 3);
    RETURN NEXT pg_temp.finish(together);
    RETURN NEXT pg_temp.finish(together, failing);
    IF (SELECT count(DISTINCT written) FROM (SELECT string_agg(w, E'\n') AS written FROM orchestration.run r, LATERAL pg_temp.written(r.id) w GROUP BY r.id) x) <> 1 THEN
        RETURN NEXT 'the runs differ';
    END IF;
    SELECT id INTO run FROM orchestration.run LIMIT 1;
    RETURN QUERY SELECT pg_temp.written(run);
    RETURN NEXT (SELECT 'trace ' || count(*) FROM public.batch_trace);
    RETURN QUERY SELECT 'verify ' || v.invariant FROM orchestration.verify() v;
END$$;
SELECT pg_temp.play(true, 'people');
SELECT pg_temp.play(true, 'function');
-- one call for each writes the same
SELECT count(*) FROM (SELECT pg_temp.play(true, 'people') EXCEPT ALL SELECT pg_temp.play(false, 'people')) x;
SELECT count(*) FROM (SELECT pg_temp.play(false, 'people') EXCEPT ALL SELECT pg_temp.play(true, 'people')) x;
SELECT count(*) FROM (SELECT pg_temp.play(true, 'function') EXCEPT ALL SELECT pg_temp.play(false, 'function')) x;
SELECT count(*) FROM (SELECT pg_temp.play(true, 'people', 'C') EXCEPT ALL SELECT pg_temp.play(false, 'people', 'C')) x;
SELECT count(*) FROM (SELECT pg_temp.play(false, 'people', 'C') EXCEPT ALL SELECT pg_temp.play(true, 'people', 'C')) x;
SELECT * FROM pg_temp.play(true, 'people', 'C') p WHERE p ~ 'Error';

--
-- A user's trigger fires for each row, and its writes count
--
CREATE TABLE public.batch_seen (name text, what text);
CREATE FUNCTION public.batch_see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.batch_seen VALUES (NEW.name, TG_OP || ' ' || NEW.status); RETURN NULL; END$$;
CREATE TRIGGER batch_see AFTER INSERT OR UPDATE ON orchestration.step_run FOR EACH ROW EXECUTE FUNCTION public.batch_see();
SELECT count(*) FROM (SELECT pg_temp.play(true, 'function') EXCEPT ALL SELECT pg_temp.play(false, 'function')) x;
SELECT name, what, count(*) FROM public.batch_seen GROUP BY 1, 2 ORDER BY 1, 2;
DROP TRIGGER batch_see ON orchestration.step_run;
-- a user's check constraint holds
ALTER TABLE orchestration.step_run ADD CONSTRAINT no_last CHECK (name <> 'Ask');
SELECT pg_temp.try($$SELECT count(*) FROM pg_temp.play(true, 'people')$$);
ALTER TABLE orchestration.step_run DROP CONSTRAINT no_last;
-- a user's trigger may suppress an update of a run that changes nothing, but not one of a step
SELECT pg_temp.clean_up();
SELECT pg_temp.orchestration('Batch_Again', 'One', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('n', 'Number', '{"numberValue": 0}')),
    'assignments', (SELECT jsonb_agg(jsonb_build_object('name', a, 'label', a, 'connector', jsonb_build_object('targetReference', s),
        'assignmentItems', '[{"assignToReference": "n", "operator": "Assign", "value": {"numberValue": 1}}]'::jsonb)) FROM (VALUES ('One', 'S1'), ('Again', 'S2')) x (a, s)),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S1', 'Again', pg_temp.step('A', 'B', 'Batch_Act')), pg_temp.stage('S2', NULL, pg_temp.step('B', 'B', 'Batch_Act'), pg_temp.step('Work', 'A', 'Batch_Work')))));
CREATE TRIGGER unchanged BEFORE UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT pg_temp.state(orchestration.start_orchestration('Batch_Again'));
DROP TRIGGER unchanged ON orchestration.run;
CREATE FUNCTION public.batch_suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END$$;
CREATE TRIGGER suppress BEFORE UPDATE ON orchestration.step_run FOR EACH ROW EXECUTE FUNCTION public.batch_suppress();
SELECT pg_temp.try($$SELECT orchestration.start_orchestration('Batch_Again')$$);
DROP TRIGGER suppress ON orchestration.step_run;
DROP FUNCTION public.batch_suppress();
SELECT orchestration.deactivate_orchestration('Batch_Again');

--
-- The feed gets posts about new stages and steps
--
SELECT orchestration.set_feed_tracking('FlowOrchestrationStageInstance', '{Status}'), orchestration.set_feed_tracking('FlowOrchestrationStepInstance', '{Status}');
SELECT count(*) > 0 FROM pg_temp.play(true, 'function');
SELECT f.object, f.type, count(*) FROM orchestration.feed_item f GROUP BY 1, 2 ORDER BY 1, 2;
SELECT orchestration.set_feed_tracking('FlowOrchestrationStageInstance', '{}'), orchestration.set_feed_tracking('FlowOrchestrationStepInstance', '{}');

--
-- One statement starts many runs, and one statement moves many
--
SELECT pg_temp.clean_up();
CREATE TABLE public.batch_order (id integer PRIMARY KEY, good boolean NOT NULL DEFAULT false);
SELECT orchestration.register_record_type('Batch_Order', 'batch_order');
SELECT pg_temp.orchestration('Batch_Record', 'S1', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S1', 'S2', pg_temp.step('Ask', 'I', 'Batch_Screen', '{}', '{"id": {"elementReference": "$Record.id"}}')) || '{"exitConditions": [{"leftValueReference": "$Record.good", "operator": "EqualTo", "rightValue": {"booleanValue": true}}]}',
    pg_temp.stage('S2', NULL, pg_temp.step('Work', 'A', 'Batch_Work', '{}', '{"id": {"elementReference": "$Record.id"}}')))),
    '{"object": "Batch_Order", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}');
INSERT INTO public.batch_order SELECT n FROM generate_series(1, 600) n;
SELECT pg_temp.state(), count(*) FROM orchestration.run;
SELECT count(*), count(DISTINCT screen_flow_inputs) FROM orchestration.work_item;
SELECT count(*), count(DISTINCT name) FROM orchestration.run;
SELECT kind, actor, count(*) FROM orchestration.flow_orchestration_log GROUP BY 1, 2 ORDER BY 1;
UPDATE public.batch_order SET good = id <= 500;
SELECT status, current_stage, count(*) FROM orchestration.run GROUP BY 1, 2 ORDER BY 2;
SELECT count(*), count(DISTINCT inputs), min(inputs::text) FROM orchestration.step_queue;
-- undone with its savepoint, and again
BEGIN;
SAVEPOINT s;
INSERT INTO public.batch_order SELECT n FROM generate_series(2001, 2010) n;
ROLLBACK TO s;
SELECT count(*) FROM orchestration.run;
INSERT INTO public.batch_order SELECT n FROM generate_series(2001, 2010) n;
COMMIT;
SELECT count(*) FROM orchestration.run;
SELECT invariant, object, detail FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Batch_Record');
-- descriptions, timeouts, users as whom actions run: as one call each writes them
SELECT orchestration.set_retry_policy('Batch_Work', 3, timeout => '90 seconds'), orchestration.allow_run_as_user('Batch_Work');
SELECT pg_temp.orchestration('Batch_Full', 'S1', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('who', 'String', '{"stringValue": "ann@example.com"}')),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S1', NULL,
    pg_temp.step('Work', 'A', 'Batch_Work') || '{"description": "what it is", "runAsUser": true, "assignees": [{"assigneeType": "User", "assignee": {"elementReference": "who"}}]}', pg_temp.step('Ask', 'I', 'Batch_Screen') || '{"description": "what is asked"}'))),
    '{"object": "Batch_Order", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}');
CREATE FUNCTION pg_temp.full_rows(runs uuid[]) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT DISTINCT concat_ws(' | ', t.name, t.description, q.timeout, (SELECT p.name FROM orchestration.principal p WHERE p.id = q.run_as), w.description, pg_temp.state(t.run_id))
      FROM orchestration.step_run t LEFT JOIN orchestration.step_queue q ON q.run_id = t.run_id AND q.step_run_id = t.id LEFT JOIN orchestration.work_item w ON w.run_id = t.run_id AND w.step_run_id = t.id WHERE t.run_id = ANY (runs) ORDER BY 1 $$;
SELECT pg_temp.clean_up();
SELECT pg_temp.full_rows(ARRAY[orchestration.start_orchestration('Batch_Full')]);
SELECT pg_temp.clean_up();
INSERT INTO public.batch_order SELECT n FROM generate_series(3001, 3003) n;
SELECT count(*) FROM orchestration.run;
SELECT pg_temp.full_rows(array_agg(id)) FROM orchestration.run;
-- who is no active user
SELECT orchestration.start_orchestration('Batch_Full', inputs => jsonb_build_object('who', who)) IS NOT NULL, who FROM unnest('{nobody@example.com,NULL}'::text[]) who;
SELECT pg_temp.state(id), pg_temp.failure(id) FROM orchestration.run ORDER BY id DESC LIMIT 2;
SELECT invariant, object, detail FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT orchestration.deactivate_orchestration('Batch_Full');
SELECT orchestration.unregister_record_type('Batch_Order');
DROP TABLE public.batch_order, public.batch_seen, public.batch_trace;
DROP FUNCTION public.batch_see();
SELECT orchestration.unregister_action('Batch_Act'), orchestration.unregister_action('Batch_Work'), orchestration.unregister_action('Batch_Screen');
DROP FUNCTION public.batch_act(jsonb);
DELETE FROM orchestration.field_change;
\set ECHO none
