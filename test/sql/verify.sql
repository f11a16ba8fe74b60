-- verify(): only a superuser who switches the triggers off can damage records.  verify()
-- reports each kind of damage by the invariant that it violates.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Echo', 'function', 'echo(jsonb)'), orchestration.register_action('Screen', 'screen'), orchestration.register_action('Work', 'worker');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE TABLE public.thing (id integer PRIMARY KEY);
INSERT INTO thing VALUES (1), (2);
SELECT orchestration.register_record_type('Thing', 'thing');
SELECT pg_temp.orchestration('Waits', 'Before', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('Before', 'S', pg_temp.step('B', 'B', 'Echo')),
    pg_temp.stage('S', NULL, pg_temp.step('Done', 'B', 'Echo'), pg_temp.step('I', 'I', 'Screen'), pg_temp.step('W', 'A', 'Work'), pg_temp.step('Later', 'B', 'Echo', '{I}')))));
SELECT orchestration.start_orchestration('Waits', '1') IS NOT NULL;
SELECT pg_temp.run() AS waits \gset
SELECT orchestration.suspend_run(orchestration.start_orchestration('Waits')), orchestration.cancel_run(orchestration.start_orchestration('Waits'));
SELECT orchestration.start_orchestration('Waits') IS NOT NULL;
SELECT orchestration.fail_work_item(pg_temp.item('I'), 'broke');
SELECT pg_temp.orchestration('Short', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('B', 'B', 'Echo')))));
SELECT orchestration.start_orchestration('Short') IS NOT NULL;
SELECT status FROM orchestration.run ORDER BY id;
SELECT * FROM orchestration.verify();

-- the invariants that a statement violates while triggers are off; the statement is rolled back
CREATE FUNCTION pg_temp.broken(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    run uuid := current_setting('test.run');
BEGIN
    SET LOCAL session_replication_role = replica;
    EXECUTE replace(statement, '$1', quote_literal(run));
    SET LOCAL session_replication_role = origin;
    SELECT string_agg(DISTINCT format('%s (%s)', invariant, object), ', ') INTO result FROM orchestration.verify();
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = COALESCE(result, 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN SQLERRM;
END
$$;
SELECT set_config('test.run', :'waits', false) IS NOT NULL;

-- statuses of records that belong together
SELECT pg_temp.broken($$UPDATE orchestration.stage_run SET status = 'Suspended' WHERE run_id = $1 AND name = 'S'$$);
SELECT pg_temp.broken($$UPDATE orchestration.stage_run SET status = 'Discontinued' WHERE run_id = $1 AND name = 'Before'$$);
SELECT pg_temp.broken($$UPDATE orchestration.stage_run SET status = 'InProgress' WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.stage_run SET status = 'Completed' WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET status = 'Suspended' WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET status = 'Completed', ended_at = now() WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET status = 'Canceled', ended_at = now() WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = $1 AND name = 'Later'$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET status = 'Discontinued' WHERE run_id = $1 AND name = 'Later'$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = $1 AND name = 'I'$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET status = 'NotStarted' WHERE run_id = $1 AND name = 'I'$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET step_type = 'BackgroundStep' WHERE run_id = $1 AND name = 'I'$$);
-- a run that no call can move
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET status = 'InProgress' WHERE run_id = $1 AND name = 'Later'$$);
SELECT pg_temp.broken($$UPDATE orchestration.work_item SET status = 'Completed', completed_at = now() WHERE run_id = $1$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.work_item WHERE run_id = $1$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.step_queue WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = $1 AND name = 'W'$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = $1; UPDATE orchestration.work_item SET status = 'Completed', completed_at = now() WHERE run_id = $1; DELETE FROM orchestration.step_queue WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET pending = '{"outcome": "Completed"}' WHERE run_id = $1 AND name = 'W'$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.stage_run WHERE run_id = $1 AND name = 'S'$$);
SELECT pg_temp.broken($$UPDATE orchestration.stage_run SET position = 1 WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.stage_run SET position = 7 WHERE run_id = $1 AND name = 'S'$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET current_stage = 'Before' WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET current_stage = NULL WHERE status = 'Suspended'$$);
-- the log
SELECT pg_temp.broken($$DELETE FROM orchestration.run_log WHERE kind = 'SuspendInstance'$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.run_log WHERE kind = 'FailInstance'$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.run_log WHERE kind = 'CancelInstance'$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.run_log WHERE kind = 'EndInstance'$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.run_log WHERE run_id = $1 AND kind = 'StartInstance'$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.run_log WHERE run_id = $1 AND kind = 'StartStep'$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.run_log WHERE run_id = $1 AND kind = 'StartStage'$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.run_log WHERE run_id = $1 AND kind = 'EndStage'$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.run_log (run_id, kind) VALUES ($1, 'EndInstance')$$);
-- references without a foreign key
SELECT pg_temp.broken($$UPDATE orchestration.run SET version_id = orchestration.new_id() WHERE id = $1$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.orchestration_version$$);
SELECT pg_temp.broken($$UPDATE orchestration.orchestration_definition SET active_version = 9 WHERE name = 'Short'$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET owner_id = orchestration.new_id() WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.stage_run SET owner_id = orchestration.new_id() WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET owner_id = orchestration.new_id() WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.work_item SET owner_id = orchestration.new_id() WHERE run_id = $1$$);
SELECT pg_temp.broken($$DELETE FROM public.thing$$);
SELECT pg_temp.broken($$UPDATE public.thing SET id = id + 10$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET triggering_record_id = '3' WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET triggering_record_id = 'no number' WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET triggering_record_type = 'Nothing' WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.work_item SET related_record_type = 'Thing', related_record_id = '3' WHERE run_id = $1$$);
-- rows without parents, which foreign keys would refuse
SELECT pg_temp.broken($$DELETE FROM orchestration.run WHERE id = $1$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.step_run WHERE run_id = $1 AND name = 'I'$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.step_message (run_id, step_run_id) VALUES ($1, $1)$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.reminder (run_id, work_item_id, reminded_at, reminders) VALUES ($1, $1, now(), 1)$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.message (kind, recipient_id, run_id, work_item_id, subject, body) SELECT 'Assigned', id, $1, work, '', '' FROM orchestration.principal, unnest(ARRAY[NULL, $1]::uuid[]) work WHERE name = 'Ann'$$);
-- rows that belong to records
SELECT orchestration.post_to_feed(:'waits', 'a post') AS post \gset
SELECT orchestration.comment_on_feed_item(:'post', 'a comment') IS NOT NULL, orchestration.like_feed_item(:'post'), orchestration.view_record(:'waits');
SELECT pg_temp.broken($$UPDATE orchestration.feed_item SET record_id = orchestration.new_id()$$);
SELECT pg_temp.broken($$UPDATE orchestration.feed_item SET like_count = 7$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.feed_comment$$);
SELECT pg_temp.broken($$UPDATE orchestration.feed_like SET record_id = orchestration.new_id()$$);
SELECT pg_temp.broken($$UPDATE orchestration.field_change SET record_id = orchestration.new_id() WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.record_view SET object = 'FlowOrchestrationWorkItem'$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.tombstone (id, object, run_id) VALUES ($1, 'FlowOrchestrationInstance', $1)$$);
-- sharing
SELECT pg_temp.broken($$UPDATE orchestration.run SET orchestration_id = orchestration.new_id() WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.step_run SET orchestration_id = NULL WHERE run_id = $1$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
    SELECT id, 'FlowOrchestrationStageInstance', id, owner_id, 'Read' FROM orchestration.run WHERE id = $1$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
    SELECT id, 'FlowOrchestrationInstance', id, orchestration.new_id(), 'Read' FROM orchestration.run WHERE id = $1$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.owner_sharing_rule (object, access_level, user_or_group_id, group_id, name)
    SELECT 'FlowOrchestrationInstance', 'Read', id, id, 'r' FROM orchestration.principal WHERE name = 'Ann'$$);
SELECT pg_temp.broken($$INSERT INTO orchestration.membership (group_id, member_id, member_kind)
    SELECT id, '00000000-0000-7000-8000-000000000001', 'User' FROM orchestration.principal WHERE name = 'Ann'$$);
SELECT pg_temp.broken($$WITH a AS (INSERT INTO orchestration.principal (kind, name, developer_name) VALUES ('Group', 'a', 'a'), ('Group', 'b', 'b') RETURNING id)
    INSERT INTO orchestration.membership (group_id, member_id, member_kind) SELECT x.id, y.id, 'Group' FROM a x JOIN a y ON x.id <> y.id$$);
-- approvals
SELECT pg_temp.approval('Approved', 'Screen', 'One', 'Two', 'Three');
SELECT orchestration.start_orchestration('Approved') IS NOT NULL;
SELECT pg_temp.run() AS approved \gset
SELECT orchestration.review_approval(pg_temp.item('One'), 'Reject', 'no');
SELECT orchestration.share_record(s.id, p.id) IS NOT NULL, orchestration.view_record(s.id) FROM orchestration.submission s, orchestration.principal p WHERE s.run_id = :'approved' AND p.username = 'ann@example.com';
SELECT * FROM orchestration.verify();
SELECT set_config('test.run', :'approved', false) IS NOT NULL;
CREATE FUNCTION pg_temp.set_item(step text, status orchestration.approval_work_item_status) RETURNS text LANGUAGE sql AS $$
    SELECT format('UPDATE orchestration.submission_item SET status = %L, reviewed_at = CASE WHEN %L IN (''Approved'', ''Rejected'') THEN now() END,
                          comments = NULL, reviewed_by = NULL WHERE run_id = $1 AND condition_name LIKE %L', status, status, step)
$$;
SELECT s, pg_temp.broken(format('UPDATE orchestration.submission SET status = %L WHERE run_id = $1', s)) FROM unnest(enum_range(NULL::orchestration.approval_submission_status)) s;
SELECT s, pg_temp.broken(pg_temp.set_item('Two', s)), pg_temp.broken(pg_temp.set_item('One', s)) FROM unnest(enum_range(NULL::orchestration.approval_work_item_status)) s;
SELECT pg_temp.broken($$UPDATE orchestration.stage_run SET status = 'Discontinued' WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET is_approval = false WHERE id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.run SET is_approval = true WHERE status = 'Suspended'$$);
SELECT pg_temp.broken($$UPDATE orchestration.work_item SET is_approval = false WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.work_item SET is_approval = true$$);
SELECT pg_temp.broken($$UPDATE orchestration.submission_item SET assigned_to = owner_id WHERE run_id = $1$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.submission WHERE run_id = $1$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.submission_item WHERE run_id = $1$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.work_item WHERE run_id = $1$$);
SELECT pg_temp.broken($$DELETE FROM orchestration.run WHERE id = $1$$);
SELECT t, pg_temp.broken(format('UPDATE orchestration.%I SET owner_id = orchestration.new_id() WHERE run_id = $1', t)) FROM unnest('{submission,submission_item,submission_detail}'::text[]) t;
SELECT t, pg_temp.broken(format('UPDATE orchestration.%I SET orchestration_id = NULL WHERE run_id = $1', t)) FROM unnest('{submission,submission_item,submission_detail}'::text[]) t;
SELECT pg_temp.broken($$UPDATE orchestration.share_grant SET record_id = orchestration.new_id() WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.record_view SET record_id = orchestration.new_id() WHERE run_id = $1$$);
SELECT pg_temp.broken($$UPDATE orchestration.field_change SET record_id = orchestration.new_id() WHERE run_id = $1$$);
SELECT t, pg_temp.broken(format('INSERT INTO orchestration.tombstone (id, object, run_id) SELECT id, ''x'', run_id FROM orchestration.%I WHERE run_id = $1 LIMIT 1', t)) FROM unnest('{submission,submission_item,submission_detail}'::text[]) t;
-- an ended one
SELECT orchestration.review_approval(pg_temp.item('Two'), 'Approve'), orchestration.review_approval(pg_temp.item('Three'), 'Approve');
SELECT pg_temp.submission();
SELECT s, pg_temp.broken(format('UPDATE orchestration.submission SET status = %L WHERE run_id = $1', s)) FROM unnest(enum_range(NULL::orchestration.approval_submission_status)) s;
SELECT s, pg_temp.broken(pg_temp.set_item('%', s)) FROM unnest(enum_range(NULL::orchestration.approval_work_item_status)) s;
SELECT set_config('test.run', :'waits', false) IS NOT NULL;
-- states that are no damage
SELECT pg_temp.broken($$UPDATE orchestration.run SET owner_id = p.id FROM orchestration.principal p WHERE p.name = 'Ann'$$);
SELECT pg_temp.broken($$SELECT 1$$);
-- a run imported without a version: only statuses of records that belong together are checked
INSERT INTO orchestration.run (name, status) VALUES ('imported', 'InProgress');
INSERT INTO orchestration.stage_run (run_id, name, label, position, status) SELECT id, 'S', 'S', 4, 'Completed' FROM orchestration.run WHERE name = 'imported';
SELECT * FROM orchestration.verify();

SELECT pg_temp.clean_up();
SELECT orchestration.unregister_record_type('Thing');
DROP TABLE thing;
SELECT orchestration.unregister_action('Echo'), orchestration.unregister_action('Screen'), orchestration.unregister_action('Work');
DROP FUNCTION public.echo(jsonb);
