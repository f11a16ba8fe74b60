-- assignee: a step whose assignee, or user to run as, cannot be resolved: every reason, kind of
-- step and kind of process, with and without a fault path (src/engine/engine_step.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
-- nothing of this stays
BEGIN;
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.assignee_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Assignee_Echo', 'function', 'assignee_echo(jsonb)');
SELECT orchestration.register_action('Assignee_Work', 'worker');
SELECT orchestration.register_action('Assignee_Screen', 'screen');
CREATE ROLE regress_assignee_gone;
SELECT pg_temp.person('ann@example.com', 'Ann'), pg_temp.person('gone@example.com', 'Gone', 'regress_assignee_gone');
SELECT orchestration.update_user((SELECT id FROM orchestration.principal WHERE username = 'gone@example.com'), is_active => false);
GRANT EXECUTE ON FUNCTION public.assignee_echo(jsonb) TO regress_assignee_gone;
SELECT orchestration.allow_run_as_user('Assignee_Echo'), orchestration.allow_run_as_user('Assignee_Work');

-- Plays a step whose assignee is a reference; says what became of run, stage and step, what the
-- log has of it, and, along a fault path, which way a decision on the step's status took.
CREATE FUNCTION pg_temp.play(kind text, process text, assignee text, reference text, fault boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text := 'Assigns_' || kind || CASE WHEN fault THEN '_fault' ELSE '' END || '_' || split_part(reference, '.', 1);
    of_step jsonb := CASE kind
        WHEN 'Approval' THEN pg_temp.step('Q', 'I', 'Assignee_Screen', '{}', '{}', '{!' || reference || '}') || '{"actionType": "stepApproval"}'
        WHEN 'Interactive' THEN pg_temp.step('Q', 'I', 'Assignee_Screen', '{}', '{}', '{!' || reference || '}')
        WHEN 'Background' THEN pg_temp.step('Q', 'B', 'Assignee_Echo') || jsonb_build_object('runAsUser', true)
        ELSE pg_temp.step('Q', 'A', 'Assignee_Work') || jsonb_build_object('runAsUser', true) END;
    result text;
BEGIN
    IF of_step ? 'runAsUser' THEN
        of_step := of_step || jsonb_build_object('assignees', jsonb_build_array(jsonb_build_object('assigneeType', 'User', 'assignee', jsonb_build_object('elementReference', reference))));
    END IF;
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', 'Assigns', 'processType', process,
        'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'orchestratedStages', jsonb_build_array(
            pg_temp.stage('S', NULL, of_step, pg_temp.step('Other', 'I', 'Assignee_Screen'))
                || CASE WHEN fault THEN '{"faultConnector": {"targetReference": "Which"}}'::jsonb ELSE '{}' END,
            pg_temp.stage('Saw', NULL, pg_temp.step('E', 'B', 'Assignee_Echo')), pg_temp.stage('Missed', NULL, pg_temp.step('F', 'B', 'Assignee_Echo'))),
        'decisions', jsonb_build_array(jsonb_build_object('name', 'Which', 'label', 'Which', 'defaultConnector', '{"targetReference": "Missed"}'::jsonb,
            'rules', jsonb_build_array(jsonb_build_object('name', 'Failed', 'label', 'Failed', 'conditionLogic', 'and', 'connector', '{"targetReference": "Saw"}'::jsonb,
                'conditions', jsonb_build_array(jsonb_build_object('leftValueReference', 'Q.Status', 'operator', 'EqualTo', 'rightValue', '{"stringValue": "Error"}'::jsonb)))))),
        'variables', jsonb_build_array(pg_temp.variable('Who', 'String'), '{"name": "Lead", "dataType": "SObject", "objectType": "Assignee_Record", "isInput": true, "isOutput": false, "isCollection": false}'::jsonb),
        'formulas', '[{"name": "Broken", "dataType": "String", "expression": "IF(1 / 0 > 1, \"a\", \"b\")"}]'::jsonb));
    PERFORM orchestration.activate_orchestration(name);
    PERFORM orchestration.start_orchestration(name, inputs => jsonb_build_object('Who', assignee));
    SELECT format('run %s%s, stage %s, steps %s; %s', r.status, CASE r.error_recoverable WHEN true THEN ' (recoverable)' WHEN false THEN ' (not recoverable)' ELSE '' END,
                  (SELECT string_agg(s.name || ' ' || s.status, ', ' ORDER BY s.id) FROM orchestration.stage_run s WHERE s.run_id = r.id),
                  (SELECT string_agg(t.name || ' ' || t.status, ', ' ORDER BY t.id) FROM orchestration.step_run t WHERE t.run_id = r.id AND t.name IN ('Q', 'Other')),
                  (SELECT string_agg(l.kind::text || COALESCE(' ' || l.step_name, ''), ', ' ORDER BY l.name) FROM orchestration.flow_orchestration_log l
                    WHERE l.orchestration_instance_id = r.id AND l.kind::text ~ '^(Fail|Discontinue)'))
      INTO result FROM orchestration.run r WHERE r.id = pg_temp.run();
    RETURN result;
END
$$;
CREATE TABLE public.assignee_record (id integer PRIMARY KEY, owner text);
SELECT orchestration.register_record_type('Assignee_Record', 'assignee_record');
CREATE TEMP TABLE reason (n integer GENERATED ALWAYS AS IDENTITY, assignee text, reference text, reason text);
INSERT INTO reason (assignee, reference, reason) VALUES ('nobody@example.com', 'Who', 'unknown'), (NULL, 'Who', 'null'), (E' \t', 'Who', 'blank'), ('gone@example.com', 'Who', 'inactive'),
    (gen_random_uuid()::text, 'Who', 'id of nobody'), (NULL, 'Broken', 'formula that fails'), (NULL, 'Lead.Owner', 'field of no record'), ('autoproc', 'Who', 'process user');
SET client_min_messages = error;
CREATE TEMP TABLE played AS SELECT r.n, r.reason, k.kind, k.process, f.fault, pg_temp.play(k.kind, k.process, r.assignee, r.reference, f.fault) AS result
  FROM reason r, (VALUES ('Interactive', 'Orchestrator'), ('Approval', 'ApprovalWorkflow'), ('Background', 'Orchestrator'), ('Asynchronous', 'Orchestrator')) k (kind, process), (VALUES (false), (true)) f (fault);
SELECT fault, result, string_agg(kind || ': ' || reason, ', ' ORDER BY kind, n) FROM played GROUP BY fault, result ORDER BY fault, result;
SELECT * FROM orchestration.verify();
ROLLBACK;
\set ON_ERROR_ROLLBACK off
