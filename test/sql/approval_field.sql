-- approval_field: owners of work items, actors of the log, errors of MuleSoft steps, and what
-- activation says of approvals (src/guard/guard_fill.c, src/guard/guard.c, src/engine/engine_step.c,
-- src/definition/definition_activation.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
-- nothing of this stays
BEGIN;
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
CREATE FUNCTION public.field_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.field_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
SELECT orchestration.register_action('Field_Echo', 'function', 'field_echo(jsonb)'), orchestration.register_action('Field_Fails', 'function', 'field_fails(jsonb)'),
       orchestration.register_action('Field_Work', 'worker'), orchestration.register_action('Field_Screen', 'screen');
SELECT orchestration.allow_run_as_user('Field_Echo'), orchestration.allow_run_as_user('Field_Fails'), orchestration.allow_run_as_user('Field_Work');
CREATE ROLE regress_field_ann;
CREATE ROLE regress_field_boss;
SELECT pg_temp.person('ann.field@example.com', 'Ann', 'regress_field_ann'), pg_temp.person('bob.field@example.com', 'Bob'), pg_temp.person('boss.field@example.com', 'Boss', 'regress_field_boss');
SELECT orchestration.update_user(id, reassign_work_items => true) FROM orchestration.principal WHERE username = 'boss.field@example.com';
SELECT orchestration.add_group_member(orchestration.create_queue('Field_Desk', 'Desk'), id) FROM orchestration.principal WHERE username = 'ann.field@example.com';
CREATE FUNCTION pg_temp.who(name text) RETURNS uuid STABLE LANGUAGE sql AS $$ SELECT id FROM orchestration.principal WHERE COALESCE(username, developer_name) = $1 $$;
CREATE FUNCTION pg_temp.held() RETURNS text LANGUAGE sql AS $$
    SELECT format('assigned to %s, owned by %s, %s shares', COALESCE(a.username, a.developer_name), o.username, (SELECT count(*) FROM orchestration.share_grant g WHERE g.record_id = w.id))
      FROM orchestration.work_item w JOIN orchestration.principal a ON a.id = w.assignee_id JOIN orchestration.principal o ON o.id = w.owner_id WHERE w.run_id = pg_temp.run() $$;
CREATE FUNCTION pg_temp.as_role(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    result := pg_temp.try(statement);
    RESET ROLE;
    RETURN result;
END
$$;

--
-- The owner of a work item: its assignee if that is a user, else the automated process user
--
SELECT pg_temp.orchestration('Owned', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Q', 'I', 'Field_Screen', '{}', '{}', '{!Who}', 'Resource'))),
    'variables', jsonb_build_array(pg_temp.variable('Who', 'String'))));
SELECT orchestration.start_orchestration('Owned', inputs => '{"Who": "ann.field@example.com"}') IS NOT NULL;
SELECT pg_temp.held();
SELECT orchestration.start_orchestration('Owned', inputs => '{"Who": "Field_Desk"}') IS NOT NULL;
SELECT pg_temp.held();
SELECT pg_temp.item('Q') AS item \gset
SELECT pg_temp.as_role('regress_field_ann', format('SELECT orchestration.claim_work_item(%L)', :'item')), pg_temp.held();
SELECT pg_temp.as_role('regress_field_ann', format('SELECT orchestration.release_work_item(%L)', :'item')), pg_temp.held();
SELECT orchestration.reassign_work_item(:'item', pg_temp.who('bob.field@example.com')), pg_temp.held();
SELECT orchestration.update(jsonb_build_array(jsonb_build_object('attributes', '{"type": "FlowOrchestrationWorkItem"}'::jsonb, 'Id', :'item', 'AssigneeId', pg_temp.who('Field_Desk')))) IS NOT NULL;
SELECT pg_temp.held();
-- one that may reassign changes the owner so, and not otherwise
SELECT orchestration.share_record(:'item', pg_temp.who('boss.field@example.com'), 'Edit') IS NOT NULL, pg_temp.held();
SELECT pg_temp.as_role('regress_field_boss', format('UPDATE orchestration.work_item SET owner_id = %L WHERE id = %L', pg_temp.who('boss.field@example.com'), :'item'));
SELECT pg_temp.as_role('regress_field_boss', format('UPDATE orchestration.work_item SET assignee_id = %L, owner_id = %L WHERE id = %L', pg_temp.who('bob.field@example.com'), pg_temp.who('boss.field@example.com'), :'item'));
SELECT pg_temp.as_role('regress_field_boss', format('UPDATE orchestration.work_item SET assignee_id = %L WHERE id = %L', pg_temp.who('boss.field@example.com'), :'item')), pg_temp.held();
-- an owner set by hand stays until the next assignee, also if a statement sets both
SELECT orchestration.change_owner(:'item', pg_temp.who('ann.field@example.com')) IS NOT NULL, pg_temp.held();
UPDATE orchestration.work_item SET due_at = '2030-01-01' WHERE id = :'item';
SELECT pg_temp.held();
UPDATE orchestration.work_item SET assignee_id = pg_temp.who('bob.field@example.com') WHERE id = :'item';
SELECT pg_temp.held();
UPDATE orchestration.work_item SET assignee_id = pg_temp.who('ann.field@example.com'), owner_id = pg_temp.who('boss.field@example.com') WHERE id = :'item';
SELECT pg_temp.held();
-- a statement that reassigns a claimed item ends the claim; the next one begins anew
CREATE FUNCTION pg_temp.claimed() RETURNS text LANGUAGE sql AS $$ SELECT format('claimed from %s', COALESCE(p.developer_name, 'nobody')) FROM orchestration.work_item w LEFT JOIN orchestration.principal p ON p.id = w.claimed_from WHERE w.run_id = pg_temp.run() $$;
SELECT orchestration.add_group_member(orchestration.create_group('Field_Staff'), pg_temp.who('ann.field@example.com'));
SELECT n, pg_temp.try(format('UPDATE orchestration.work_item SET assignee_id = %L WHERE id = %L AND %L <> ''''', pg_temp.who('Field_Desk'), :'item', s)), pg_temp.as_role('regress_field_ann', format('SELECT orchestration.claim_work_item(%L)', :'item')), pg_temp.claimed(),
       pg_temp.try(replace(s, '$1', format('%L WHERE id = %L', pg_temp.who(n), :'item'))), pg_temp.held(), pg_temp.claimed(), pg_temp.as_role('regress_field_ann', format('SELECT orchestration.release_work_item(%L)', :'item'))
  FROM unnest('{bob.field@example.com,ann.field@example.com,Field_Desk,Field_Staff}'::text[]) WITH ORDINALITY x (n, i), unnest(ARRAY['UPDATE orchestration.work_item SET assignee_id = $1', 'UPDATE orchestration.work_item SET due_at = now(), assignee_id = $1']) s ORDER BY i, s;
-- comments have one length in all calls
SELECT f, pg_temp.try(format(c, repeat('ö', 32001))) FROM (VALUES ('cancel', format('SELECT orchestration.cancel_run(%L, %%L)', pg_temp.run())),
    ('reassign', format('SELECT orchestration.reassign_work_item(%L, %L, %%L)', :'item', pg_temp.who('bob.field@example.com'))),
    ('delegate', format('SELECT orchestration.create_approval_delegation(%L, %L, NULL, %%L)', pg_temp.who('ann.field@example.com'), pg_temp.who('bob.field@example.com')))) x (f, c);
SELECT orchestration.update_user(pg_temp.who('bob.field@example.com'), is_active => false);
SELECT pg_temp.try(format('UPDATE orchestration.work_item SET assignee_id = %L WHERE id = %L', pg_temp.who('bob.field@example.com'), :'item'));
SELECT orchestration.update_user(pg_temp.who('bob.field@example.com'), is_active => true);

--
-- Actors: usernames; of background steps the user as whom the step ran
--
SELECT pg_temp.orchestration('Acts', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('Plain', 'B', 'Field_Echo'),
        pg_temp.step('As_Ann', 'B', 'Field_Echo') || '{"runAsUser": true, "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "ann.field@example.com"}}]}',
        pg_temp.step('Later', 'A', 'Field_Work') || '{"runAsUser": true, "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "ann.field@example.com"}}]}',
        pg_temp.step('Q', 'I', 'Field_Screen', '{}', '{}', 'ann.field@example.com'),
        pg_temp.step('Bad', 'B', 'Field_Fails', '{Q}') || '{"runAsUser": true, "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "bob.field@example.com"}}]}'))));
CREATE FUNCTION pg_temp.actors() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(kind || COALESCE(' ' || step_name, '') || ': ' || actor, ', ' ORDER BY name) FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() $$;
CREATE FUNCTION pg_temp.work() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(r.accepted::text, ' ') FROM orchestration.claim_steps('w', '{Field_Work}') c, LATERAL orchestration.complete_steps(jsonb_build_array(jsonb_build_object('step_id', c.step_id, 'lease_id', c.lease_id))) r $$;
SELECT pg_temp.as_role('regress_field_ann', $$SELECT orchestration.start_orchestration('Acts') IS NOT NULL$$);
SELECT pg_temp.work();
SELECT pg_temp.as_role('regress_field_ann', format('SELECT orchestration.complete_work_item(%L)', pg_temp.item('Q')));
SELECT pg_temp.state();
SELECT pg_temp.actors();
SELECT completed_by FROM orchestration.work_item WHERE run_id = pg_temp.run();
-- of an outcome that waited for a suspended run
SELECT orchestration.start_orchestration('Acts') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run()), pg_temp.work(), orchestration.resume_run(pg_temp.run());
SELECT regexp_replace(pg_temp.actors(), '.*(EndStep Later[^,]*).*', '\1');

--
-- A MuleSoft step whose action failed: not recoverable, but along a fault path
--
CREATE FUNCTION pg_temp.mule(fault jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.orchestration('Mule' || md5(fault::text), 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
        pg_temp.stage('S', NULL, pg_temp.step('M', 'A', 'Field_Work') || '{"actionType": "stepMuleSoft"}') || fault, pg_temp.stage('T', NULL, pg_temp.step('E', 'B', 'Field_Echo')))));
    SELECT orchestration.start_orchestration('Mule' || md5(fault::text))::text;
    SELECT string_agg(r.accepted::text, ' ') FROM orchestration.claim_steps('w', '{Field_Work}') c, LATERAL orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', c.step_id, 'lease_id', c.lease_id, 'message', 'gone', 'final', true))) r;
    SELECT pg_temp.state() $$;
SELECT pg_temp.mule('{}');
SELECT pg_temp.failure();
SELECT regexp_replace(pg_temp.try(format('SELECT orchestration.resume_run(%L)', pg_temp.run())), 'OR-\d+', '<name>');
SELECT pg_temp.mule('{"faultConnector": {"targetReference": "T"}}');

--
-- What activation says of approvals
--
CREATE FUNCTION pg_temp.said(document jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT COALESCE(string_agg(severity || ' ' || COALESCE(place, '') || ': ' || message, E'\n'), 'nothing') FROM orchestration.validate_orchestration(
        '{"label": "A", "processType": "ApprovalWorkflow", "start": {"connector": {"targetReference": "S"}}}'::jsonb || jsonb_build_object('orchestratedStages', jsonb_build_array(
            pg_temp.stage('S', NULL, pg_temp.step('Q', 'I', 'Field_Screen', '{}', '{}', 'ann.field@example.com') || '{"actionType": "stepApproval"}'))) || document) $$;
CREATE FUNCTION pg_temp.inputs(VARIADIC names text[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('variables', (SELECT jsonb_agg(pg_temp.variable(name, 'String') ORDER BY name) FROM unnest(names) name)) $$;
SELECT pg_temp.said('{}');
SELECT pg_temp.said('{"apiVersion": 59}' || pg_temp.inputs('recordId', 'submitter', 'submissionComments'));
SELECT pg_temp.said('{"apiVersion": 60}' || pg_temp.inputs('recordId', 'submitter', 'submissionComments'));
SELECT pg_temp.said('{"apiVersion": 66, "runInMode": "SystemModeWithoutSharing"}' || pg_temp.inputs('recordId', 'submitter', 'submissionComments'));
SELECT pg_temp.said('{"apiVersion": 67, "runInMode": "SystemModeWithoutSharing"}' || pg_temp.inputs('recordId', 'submitter', 'submissionComments'));
SELECT pg_temp.said('{"apiVersion": 67, "runInMode": "DefaultMode"}' || pg_temp.inputs('recordId', 'submitter', 'submissionComments', 'firstApprover'));
SELECT pg_temp.said(jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('recordId', 'Number'), pg_temp.variable('submitter', 'String') || '{"isInput": false}', pg_temp.variable('submissionComments', 'String', NULL, true))));
SELECT pg_temp.said(pg_temp.inputs('recordId', 'submitter', 'submissionComments') || jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Q', 'I', 'Field_Screen', '{}', '{}', 'ann.field@example.com')))));
SELECT pg_temp.said('{"processType": "Orchestrator"}');
SELECT * FROM orchestration.verify();
ROLLBACK;
\set ON_ERROR_ROLLBACK off
