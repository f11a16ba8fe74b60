-- Tombstones, purge_runs(): the records deleted, their order, and the records left.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT orchestration.register_action('Screen', 'screen');
SELECT pg_temp.orchestration('Purged', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Screen')))));
DELETE FROM orchestration.tombstone;
SELECT orchestration.start_orchestration('Purged') AS run \gset
SELECT orchestration.post_to_feed(:'run', 'a post') AS post \gset
SELECT orchestration.comment_on_feed_item(:'post', 'a comment') IS NOT NULL, orchestration.like_feed_item(:'post'), orchestration.view_record(:'run'), orchestration.share_record(:'run', id) IS NOT NULL FROM orchestration.principal WHERE username = 'ann@example.com';
-- an open run stays, whatever its age
UPDATE orchestration.run SET created_at = created_at - interval '1 year' WHERE id = :'run';
SELECT orchestration.purge_runs('0');
SELECT pg_temp.try('DELETE FROM orchestration.run');
SELECT orchestration.cancel_run(:'run');
SELECT orchestration.purge_runs('1 day'), orchestration.purge_runs('0'), orchestration.purge_runs('0');
-- all records of the run were deleted, and each has a tombstone
SELECT t.object, count(*), count(t.run_id), count(t.shared_object), count(t.shared_with), count(DISTINCT deleted_at) FROM orchestration.tombstone t GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM orchestration.feed_comment UNION ALL SELECT count(*) FROM orchestration.feed_like UNION ALL SELECT count(*) FROM orchestration.record_view UNION ALL SELECT count(*) FROM orchestration.field_change UNION ALL SELECT count(*) FROM orchestration.share_grant;
-- an approval: who saw the submission sees that it was deleted: the submitter, the assignees, and who has a share
CREATE FUNCTION pg_temp.people(role_name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    who text;
BEGIN
    FOREACH who IN ARRAY '{ann,tina,tom,tara,ted}'::text[] LOOP
        IF role_name IS NULL THEN
            PERFORM pg_temp.person(who || '@example.com', initcap(who));
            EXECUTE format('DROP ROLE regress_orch_%s', who);
        ELSE
            EXECUTE format('CREATE ROLE regress_orch_%s', who);
            PERFORM pg_temp.person(who || '@example.com', initcap(who), role_name || who);
        END IF;
    END LOOP;
END
$$;
SELECT pg_temp.people('regress_orch_');
SELECT pg_temp.approval('Purged_approval', 'Screen', 'One', 'Two');
SELECT orchestration.start_orchestration('Purged_approval', inputs => '{"submitter": "tina@example.com", "submissionComments": "please"}') AS run \gset
SELECT orchestration.review_approval(pg_temp.item('One'), 'Approve', 'fine');
SELECT orchestration.reassign_work_item(pg_temp.item('Two'), id, 'to tom') FROM orchestration.principal WHERE username = 'tom@example.com';
SELECT orchestration.suspend_run(:'run'), orchestration.resume_run(:'run'), orchestration.review_approval(pg_temp.item('Two'), 'Reject', 'no');
SELECT pg_temp.submission();
SELECT orchestration.share_record(s.id, p.id) IS NOT NULL FROM orchestration.submission s, orchestration.principal p WHERE p.username = 'tara@example.com';
CREATE VIEW public.approval_record AS
    SELECT 'ApprovalSubmission' AS object, id FROM orchestration.approval_submission UNION ALL SELECT 'ApprovalWorkItem', id FROM orchestration.approval_work_item
    UNION ALL SELECT 'ApprovalSubmissionDetail', id FROM orchestration.approval_submission_detail UNION ALL SELECT 'ApprovalSubmissionHistory', id FROM orchestration.approval_submission_history
    UNION ALL SELECT 'ApprovalWorkItemHistory', id FROM orchestration.approval_work_item_history;
ALTER VIEW public.approval_record SET (security_invoker = true);
GRANT SELECT ON public.approval_record TO PUBLIC;
CREATE TEMP TABLE seen AS SELECT 'nobody' AS who, * FROM public.approval_record WHERE false;
CREATE TEMP TABLE seen_deleted AS SELECT * FROM seen;
GRANT ALL ON seen, seen_deleted TO PUBLIC;
CREATE FUNCTION pg_temp.look() RETURNS void LANGUAGE sql AS $$
    INSERT INTO seen SELECT current_user, * FROM public.approval_record
$$;
CREATE FUNCTION pg_temp.look_deleted() RETURNS void LANGUAGE sql AS $$
    INSERT INTO seen_deleted SELECT current_user, o.name, (r->>'id')::uuid FROM orchestration.sobject o,
           jsonb_array_elements(orchestration.get_deleted(o.name, now() - interval '1 hour', now() + interval '2 minutes')->'deletedRecords') r
     WHERE o.name LIKE 'Approval%' AND 'getDeleted' = ANY (o.calls)
$$;
SET ROLE regress_orch_ann; SELECT pg_temp.look();
SET ROLE regress_orch_tina; SELECT pg_temp.look();
SET ROLE regress_orch_tom; SELECT pg_temp.look();
SET ROLE regress_orch_tara; SELECT pg_temp.look();
SET ROLE regress_orch_ted; SELECT pg_temp.look();
RESET ROLE; SELECT pg_temp.look();
DELETE FROM orchestration.tombstone;
SELECT orchestration.purge_runs('0');
SET ROLE regress_orch_ann; SELECT pg_temp.look_deleted();
SET ROLE regress_orch_tina; SELECT pg_temp.look_deleted();
SET ROLE regress_orch_tom; SELECT pg_temp.look_deleted();
SET ROLE regress_orch_tara; SELECT pg_temp.look_deleted();
SET ROLE regress_orch_ted; SELECT pg_temp.look_deleted();
RESET ROLE; SELECT pg_temp.look_deleted();
SELECT s.who, s.object, count(*) FROM seen s WHERE s.who LIKE 'regress%' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM (TABLE seen EXCEPT TABLE seen_deleted) x UNION ALL SELECT * FROM (TABLE seen_deleted EXCEPT TABLE seen) y;
SELECT count(*) FROM orchestration.submission UNION ALL SELECT count(*) FROM orchestration.submission_item UNION ALL SELECT count(*) FROM orchestration.submission_detail;
-- who sees work items only, by the default access, does not see the approvals, nor that they were deleted: neither those of a run nor history alone
SELECT orchestration.set_default_access('FlowOrchestrationWorkItem', 'Read');
SELECT orchestration.start_orchestration('Purged_approval', inputs => '{"submitter": "tina@example.com"}') AS run \gset
SELECT orchestration.review_approval(pg_temp.item('One'), 'Approve'), orchestration.review_approval(pg_temp.item('Two'), 'Reject');
TRUNCATE seen, seen_deleted;
SET ROLE regress_orch_ted; SELECT pg_temp.look(), count(*) FROM orchestration.flow_orchestration_work_item; RESET ROLE;
DELETE FROM orchestration.tombstone;
DELETE FROM orchestration.field_change WHERE id = (SELECT max(id::text)::uuid FROM orchestration.field_change WHERE object = 'ApprovalWorkItem');
SELECT orchestration.purge_runs('0');
SET ROLE regress_orch_ted; SELECT pg_temp.look_deleted();
SELECT object, count(*) FROM orchestration.tombstone WHERE object ~ '^Approval|WorkItem$' GROUP BY 1 ORDER BY 1;
RESET ROLE;
SELECT who, object, count(*) FROM (TABLE seen UNION ALL TABLE seen_deleted) x GROUP BY 1, 2 ORDER BY 1, 2;
SELECT object, count(*) > 0, count(assignee_id), bool_and(reviewer_ids IS NOT NULL) FROM orchestration.tombstone WHERE object LIKE 'Approval%' GROUP BY 1 ORDER BY 1;
SELECT orchestration.set_default_access('FlowOrchestrationWorkItem', 'Private');
DROP VIEW public.approval_record;
SELECT pg_temp.people(NULL);
-- in batches
INSERT INTO orchestration.run (name, status, ended_at) SELECT 'T-' || n, 'Completed', now() - interval '2 days' FROM generate_series(1, 25) n;
SELECT orchestration.purge_runs('1 day', 10), count(*) FROM orchestration.run WHERE name LIKE 'T-%';
UPDATE orchestration.run SET interview_id = NULL WHERE name LIKE 'T-%';
-- (the trigger stamps an UPDATE: they were changed just now)
SELECT orchestration.purge_runs('1 day', 10);
SELECT orchestration.purge_runs('0', 10), orchestration.purge_runs('0', 10), orchestration.purge_runs('0', 10);
-- records deleted alone
INSERT INTO orchestration.run (name, status) VALUES ('T-alone', 'InProgress');
UPDATE orchestration.run SET status = 'Suspended' WHERE name = 'T-alone';
SELECT orchestration.post_to_feed(id, 'x') IS NOT NULL FROM orchestration.run WHERE name = 'T-alone';
SELECT orchestration.create_group('T_Group') AS grp \gset
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationStepInstance', :'grp', id) IS NOT NULL FROM orchestration.principal WHERE username = 'ann@example.com';
DELETE FROM orchestration.tombstone;
DELETE FROM orchestration.feed_item;
DELETE FROM orchestration.run_log;
DELETE FROM orchestration.field_change;
DELETE FROM orchestration.flow_orchestration_step_instance_owner_sharing_rule;
SELECT object, count(*), count(run_id), string_agg(DISTINCT shared_object::text, ' ') FROM orchestration.tombstone GROUP BY 1 ORDER BY 1;
-- the tombstone of a log entry has the id that the view showed
UPDATE orchestration.run SET status = 'InProgress' WHERE name = 'T-alone';
CREATE TEMP TABLE shown AS SELECT id FROM orchestration.flow_orchestration_log;
UPDATE orchestration.run SET status = 'Canceled' WHERE name = 'T-alone';
DELETE FROM orchestration.run WHERE name = 'T-alone';
SELECT count(*), count(t.id) FROM shown s LEFT JOIN orchestration.tombstone t ON t.id = s.id AND t.object = 'FlowOrchestrationLog';
-- TRUNCATE cannot avoid tombstones
SELECT pg_temp.try(format('TRUNCATE orchestration.%I CASCADE', t)) FROM unnest('{run,stage_run,step_run,work_item,run_log,field_change,feed_item,feed_comment,feed_like,owner_sharing_rule,tombstone}'::text[]) t;
SELECT pg_temp.try('SELECT orchestration.purge_runs(NULL)'), pg_temp.try('SELECT orchestration.purge_runs(''-1 day'')'), pg_temp.try('SELECT orchestration.purge_runs(''1 day'', 0)');
CREATE ROLE regress_orch_nobody;
SET ROLE regress_orch_nobody;
SELECT pg_temp.try('SELECT orchestration.purge_runs(''0'')'), pg_temp.try('SELECT * FROM orchestration.remove_expired()');
RESET ROLE;
DROP ROLE regress_orch_nobody;
-- verify() reports a tombstone of a record that exists
INSERT INTO orchestration.run (id, name, status) VALUES ('00000000-0000-7000-8000-00000000abcd', 'T-there', 'InProgress');
INSERT INTO orchestration.tombstone (id, object, run_id) VALUES ('00000000-0000-7000-8000-00000000abcd', 'FlowOrchestrationInstance', '00000000-0000-7000-8000-00000000abcd');
SELECT invariant, object FROM orchestration.verify();
DELETE FROM orchestration.tombstone;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
