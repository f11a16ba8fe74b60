-- The fields of errors: each SQLSTATE of the extension that a statement can raise, with the
-- schema, table, column and constraint that it concerns, and a message that names records.
-- OR303, OR304, OR305 and OR308 are errors of runs and leases, which no statement raises.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
-- nothing of this stays
BEGIN;
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE raised (n integer GENERATED ALWAYS AS IDENTITY, state text, "table" text, "column" text, "constraint" text, message text);
-- executes a statement that must fail, and keeps the fields of its error
CREATE FUNCTION pg_temp.raises(statement text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    e raised;
    s text;
BEGIN
    BEGIN
        EXECUTE statement;
        EXECUTE 'SET CONSTRAINTS ALL IMMEDIATE';
        RAISE 'nothing was raised';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS e.state = RETURNED_SQLSTATE, s = SCHEMA_NAME, e."table" = TABLE_NAME, e."column" = COLUMN_NAME, e."constraint" = CONSTRAINT_NAME, e.message = MESSAGE_TEXT;
    END;
    INSERT INTO raised (state, "table", "column", "constraint", message)
    VALUES (e.state, concat_ws('.', nullif(s, ''), nullif(e."table", '')), e."column", e."constraint", e.message);
END
$$;
CREATE TABLE public.field_record (id integer PRIMARY KEY, note text);
ALTER SEQUENCE orchestration.submission_name_seq RESTART;
SELECT orchestration.register_record_type('Field_Record', 'field_record');
SELECT orchestration.register_action('Field_Screen', 'screen');
CREATE ROLE regress_field_ann;
CREATE ROLE regress_field_out;
SELECT pg_temp.person('ann.field@example.com', 'Ann', 'regress_field_ann'), pg_temp.person('out.field@example.com', 'Out', 'regress_field_out');
SELECT id AS ann FROM orchestration.principal WHERE username = 'ann.field@example.com' \gset
SELECT orchestration.create_group('Fields') AS "group", orchestration.create_queue('Fields queue') AS queue \gset
SELECT orchestration.add_group_member(:'group', :'ann') \g /dev/null
CREATE FUNCTION pg_temp.waits(name text, step text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.orchestration(name, 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step(step, 'I', 'Field_Screen', '{}', '{}', 'ann.field@example.com'))))) $$;
SELECT pg_temp.waits('Field_Waits', 'I');
SELECT orchestration.start_orchestration('Field_Waits', idempotency_key => 'key') AS run \gset
SELECT id AS item FROM orchestration.work_item WHERE run_id = :'run' \gset
SELECT orchestration.start_orchestration('Field_Waits') AS done \gset
SELECT orchestration.complete_work_item(id, NULL, 'key') FROM orchestration.work_item WHERE run_id = :'done';
SELECT id AS done_item FROM orchestration.work_item WHERE run_id = :'done' \gset
INSERT INTO orchestration.run (name, status, error_recoverable, ended_at) VALUES ('Failed', 'Error', false, now()), ('Old', 'Error', true, now() - interval '1 year');
SELECT pg_temp.waits('Field_Waits', 'J');
SELECT pg_temp.waits('Field_Off', 'I'), orchestration.deactivate_orchestration('Field_Off');
-- an approval that locks its record
SELECT pg_temp.orchestration('Field_Asks', 'S', jsonb_build_object('processType', 'ApprovalWorkflow',
    'variables', (SELECT jsonb_agg(pg_temp.variable(v, 'String')) FROM unnest('{recordId,submitter,submissionComments,firstApprover}'::text[]) v),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Q', 'I', 'Field_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "recordId"}}', 'ann.field@example.com')
        || '{"actionType": "stepApproval", "shouldLock": true}'))));
INSERT INTO field_record VALUES (1), (2);
GRANT SELECT, UPDATE ON field_record TO regress_field_out;
SELECT orchestration.start_orchestration('Field_Asks', inputs => '{"recordId": "1"}') AS asks \gset
SELECT id AS ask FROM orchestration.work_item WHERE run_id = :'asks' \gset

SELECT count(pg_temp.raises(s)) FROM (VALUES
    (format($$UPDATE orchestration.run SET status = 'InProgress' WHERE id = %L$$, :'done')),
    (format($$UPDATE orchestration.step_run SET status = 'NotStarted' WHERE run_id = %L$$, :'done')),
    (format($$UPDATE orchestration.work_item SET assignee_id = %L WHERE id = %L$$, :'queue', :'done_item')),
    (format($$UPDATE orchestration.run SET status = 'Completed' WHERE id = %L$$, :'run')),
    (format($$UPDATE orchestration.stage_run SET status = 'Suspended' WHERE run_id = %L$$, :'run')),
    (format($$UPDATE orchestration.step_run SET status = 'Discontinued' WHERE run_id = %L$$, :'run')),
    (format($$INSERT INTO orchestration.work_item (run_id, orchestration_id, step_run_id, assignee_id, status, completed_at, label) SELECT run_id, orchestration_id, step_run_id, assignee_id, 'Assigned', NULL, label FROM orchestration.work_item WHERE id = %L$$, :'done_item')),
    (format($$INSERT INTO orchestration.stage_run (run_id, orchestration_id, name, label, position, status) SELECT run_id, orchestration_id, 'Two', 'Two', position + 1, 'InProgress' FROM orchestration.stage_run WHERE run_id = %L$$, :'run')),
    (format($$INSERT INTO orchestration.stage_run (run_id, orchestration_id, name, label, position, status, ended_at) SELECT run_id, orchestration_id, 'Two', 'Two', position, 'Completed', now() FROM orchestration.stage_run WHERE run_id = %L$$, :'run')),
    ($$SELECT orchestration.resume_run('Failed')$$),
    ($$SELECT orchestration.resume_run('Old')$$),
    (format($$UPDATE orchestration.run SET version_id = NULL WHERE id = %L$$, :'run')),
    (format($$UPDATE orchestration.step_run SET run_id = %L WHERE run_id = %L$$, :'done', :'run')),
    (format($$UPDATE orchestration.stage_run SET modified_at = now() - interval '1 day' WHERE run_id = %L$$, :'run')),
    (format($$DELETE FROM orchestration.run WHERE id = %L$$, :'run')),
    (format($$DELETE FROM orchestration.stage_run WHERE run_id = %L$$, :'run')),
    (format($$UPDATE orchestration.submission SET status = 'Approved' WHERE run_id = %L$$, :'asks')),
    ($$DELETE FROM orchestration.submission_item$$),
    ($$DELETE FROM orchestration.principal$$),
    ($$UPDATE orchestration.orchestration_version SET label = 'x'$$),
    ($$UPDATE orchestration.membership SET group_id = orchestration.new_id()$$),
    (format($$SELECT orchestration.add_group_member(%1$L, %1$L)$$, :'group')),
    (format($$SELECT orchestration.set_manager(%1$L, %1$L)$$, :'ann')),
    (format($$SELECT orchestration.set_delegated_approver(%1$L, %1$L)$$, :'ann')),
    ($$SET LOCAL ROLE regress_field_out; UPDATE public.field_record SET note = 'x' WHERE id = 1$$),
    ($$SELECT orchestration.suspend_run(orchestration.new_id())$$),
    ($$SELECT orchestration.suspend_run('OR-99999999')$$),
    ($$SELECT orchestration.run_id(orchestration.new_id()::text)$$),
    ($$SELECT orchestration.complete_work_item('WI-99999999')$$),
    ($$SELECT orchestration.review_approval(orchestration.new_id(), 'Approve')$$),
    ($$SELECT orchestration.run_diagram(orchestration.new_id())$$),
    ($$SELECT orchestration.activate_orchestration('Field_Waits', 77)$$),
    ($$SELECT orchestration.migrate_run('OR-00000001', 77)$$),
    ($$SELECT orchestration.start_orchestration('Field_Waits', 'nowhere')$$),
    (format($$UPDATE orchestration.run SET triggering_record_type = 'Field_Record', triggering_record_id = '77' WHERE id = %L$$, :'run')),
    ($$SELECT orchestration.comment_on_feed_item(orchestration.new_id(), 'x')$$),
    ($$SELECT orchestration.unlock_record('Nothing', '1')$$),
    ($$SELECT orchestration.unregister_record_type('Nothing')$$),
    ($$UPDATE orchestration.run SET triggering_record_type = 'Nothing', triggering_record_id = '1' WHERE name = 'OR-00000001'$$),
    (format($$SELECT orchestration.start_orchestration('Field_Waits', owner_id => %L)$$, :'group')),
    (format($$SELECT orchestration.add_group_member(%L, orchestration.new_id())$$, :'group')),
    (format($$SELECT orchestration.reassign_work_item(%L, orchestration.new_id())$$, :'item')),
    (format($$UPDATE orchestration.run SET owner_id = %L WHERE id = %L$$, :'group', :'run')),
    (format($$SELECT orchestration.change_owner(id, %L) FROM orchestration.stage_run WHERE run_id = %L$$, :'queue', :'run')),
    ($$SELECT orchestration.deploy_orchestration('{"fullName": "Field_Bad", "label": "Bad", "processType": "Orchestrator", "start": {"connector": {"targetReference": "Nowhere"}}}'::jsonb)$$),
    ($$SELECT orchestration.start_orchestration('Nothing')$$),
    ($$SELECT orchestration.start_orchestration('Field_Off')$$),
    ($$SELECT orchestration.unregister_action('Field_Screen'); SELECT orchestration.activate_orchestration('Field_Off')$$),
    ($$SELECT orchestration.unregister_action('Nothing')$$),
    ($$SELECT orchestration.set_retry_policy('Nothing', 3)$$),
    ($$SELECT orchestration.migrate_run('OR-00000001')$$),
    ($$SELECT orchestration.evaluate_formula('VALUE("abc")', '{}')$$),
    (format($$SELECT orchestration.complete_work_item(%L)$$, :'done_item')),
    ($$SELECT orchestration.start_orchestration('Field_Waits', inputs => '{"x": 1}')$$),
    (format($$SELECT orchestration.review_approval(%L, 'Maybe')$$, :'ask')),
    ($$SELECT orchestration.start_orchestration('Field_Waits', record_key => '2', idempotency_key => 'key')$$),
    (format($$SELECT orchestration.complete_work_item(%L, '{"x": 1}', 'key')$$, :'done_item')),
    ($$SELECT orchestration.describe_sobjects('{Nothing}')$$),
    ($$SELECT orchestration.retrieve('{Nothing}', 'FlowOrchestrationInstance', '{}')$$),
    (format($$SELECT orchestration.change_owner(%L, %L)$$, :'run', :'ann')),
    ($$SELECT orchestration.describe_sobjects(array_fill('User'::text, '{101}'))$$),
    ($$SELECT orchestration.get_updated('FlowOrchestrationInstance', now(), now() - interval '1 day')$$),
    ($$SELECT orchestration.query('SELECT')$$),
    ($$SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate LIKE ''x''')$$),
    ($$SELECT orchestration.query_more('nothing')$$),
    (format($$SET LOCAL ROLE regress_field_out; SELECT orchestration.suspend_run(%L)$$, :'run')),
    ($$SET LOCAL ROLE regress_field_out; SELECT orchestration.suspend_run('OR-00000001')$$),
    (format($$SET LOCAL ROLE regress_field_ann; SELECT orchestration.suspend_run(%L)$$, :'run')),
    (format($$SET LOCAL ROLE regress_field_ann; SELECT orchestration.reassign_work_item(%L, %L)$$, :'item', :'queue'))
) x (s);
\pset null '-'
SELECT state, nullif("table", ''), nullif("column", ''), nullif("constraint", ''), pg_temp.masked(split_part(message, E'\n', 1)) FROM raised ORDER BY n;
-- an id where there is no name: only of what does not exist, or what the caller does not see
SELECT state, count(*) FROM raised WHERE pg_temp.masked(message) <> message GROUP BY state ORDER BY state;
SELECT string_agg(DISTINCT state, ' ' ORDER BY state) FROM raised WHERE state LIKE 'OR%';
ROLLBACK;
