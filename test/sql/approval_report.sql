-- approval_report: queries over approvals as components, Apex classes, scripts and reports of
-- real orgs have them, with their results; and what of them is refused.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET TimeZone = 'UTC';

-- four quotes: one is approved, one rejected, one recalled, one waits for Legal
SELECT pg_temp.person('rep.' || name || '@example.com', initcap(name), ('report_' || name)::name) FROM unnest('{sue,leo,abe}'::text[]) name;
CREATE ROLE report_sue; CREATE ROLE report_leo; CREATE ROLE report_abe;
SELECT orchestration.update_user(p.id, approval_admin => true, view_all_data => true, reassign_work_items => true) FROM orchestration.principal p WHERE username = 'rep.abe@example.com';
SELECT id AS legal FROM orchestration.create_queue('Report_Legal') id \gset
SELECT orchestration.add_group_member(:'legal', p.id) FROM orchestration.principal p WHERE username = 'rep.abe@example.com';
CREATE TABLE public.report_quote (id text PRIMARY KEY, amount numeric);
GRANT SELECT ON public.report_quote TO PUBLIC;
INSERT INTO public.report_quote SELECT 'Q-' || n, 100 * n FROM generate_series(1, 4) n;
SELECT orchestration.register_record_type('Report_Quote', 'public.report_quote');
SELECT orchestration.register_action('Report_Review', 'screen');
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Report_Quote_Approval', 'label', 'Quote Approval', 'processType', 'ApprovalWorkflow',
    'runInMode', 'SystemModeWithoutSharing', 'start', '{"connector": {"targetReference": "Manager"}}'::jsonb,
    'variables', (SELECT jsonb_agg(pg_temp.variable(name, 'String')) FROM unnest('{recordId,submitter,submissionComments,firstApprover}'::text[]) name),
    'orchestratedStages', '[
      {"name": "Manager", "label": "Manager", "connector": {"targetReference": "Legal"}, "stageSteps": [
        {"name": "Manager_Review", "label": "Manager approval", "actionType": "stepApproval", "stepSubtype": "ApprovalStep", "actionName": "Report_Review",
         "assignees": [{"assigneeType": "User", "assignee": {"elementReference": "firstApprover"}}]}]},
      {"name": "Legal", "label": "Legal", "stageSteps": [
        {"name": "Legal_Review", "label": "Legal approval", "actionType": "stepApproval", "stepSubtype": "ApprovalStep", "actionName": "Report_Review",
         "assignees": [{"assigneeType": "Queue", "assignee": {"stringValue": "Report_Legal"}}]}]}]'::jsonb), activate => true);
CREATE FUNCTION pg_temp.submit(quote text) RETURNS uuid LANGUAGE sql AS $$
    SELECT orchestration.start_orchestration('Report_Quote_Approval', inputs => jsonb_build_object('recordId', quote,
        'submitter', 'rep.sue@example.com', 'submissionComments', 'Please look at ' || quote, 'firstApprover', 'rep.leo@example.com'))
$$;
-- the open item of a quote
CREATE FUNCTION pg_temp.open_item(quote text) RETURNS uuid LANGUAGE sql AS $$
    SELECT id FROM orchestration.approval_work_item WHERE related_record_id = quote AND status = 'Assigned'
$$;
SET ROLE report_sue;
SELECT pg_temp.submit('Q-1') IS NOT NULL, pg_temp.submit('Q-2') IS NOT NULL, pg_temp.submit('Q-3') IS NOT NULL, pg_temp.submit('Q-4') IS NOT NULL;
SET ROLE report_leo;
SELECT orchestration.review_approval(pg_temp.open_item('Q-1'), 'Approve', 'Good margin');
SELECT orchestration.review_approval(pg_temp.open_item('Q-2'), 'Reject', 'No margin');
SELECT orchestration.review_approval(pg_temp.open_item('Q-4'), 'Approve');
SET ROLE report_abe;
SELECT orchestration.review_approval(pg_temp.open_item('Q-1'), 'Approve', channel => 'Slack');
SELECT orchestration.review_approval(pg_temp.open_item('Q-2'), 'Approve', channel => 'Email');
SET ROLE report_sue;
SELECT orchestration.recall_run(flow_orchestration_instance_id, 'Wrong price') FROM orchestration.approval_submission WHERE related_record_id = 'Q-3';
SET ROLE report_abe;

-- what a query returns: without ids, times and what names the record
CREATE FUNCTION pg_temp.soql(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    result json;
BEGIN
    result := orchestration.query(query);
    RETURN NEXT result->>'totalSize';
    RETURN QUERY SELECT regexp_replace(regexp_replace(regexp_replace(r::text, '"attributes":\{[^}]*\},?', '', 'g'),
        '[0-9a-f]{8}-[0-9a-f-]{27}', 'ID', 'g'), '20\d\d-\d\d-\d\dT[0-9:.]+\+0000', 'TIME', 'g')
      FROM json_array_elements(result->'records') r;
EXCEPTION WHEN OTHERS THEN
    RETURN NEXT SQLSTATE || ' ' || (regexp_match(SQLERRM, '[^\n]*$'))[1];
END
$$;
-- 1. the last submission of a record, which a tool recalls
SELECT pg_temp.soql('SELECT Id, Status FROM ApprovalSubmission WHERE RelatedRecordId = ''Q-4'' ORDER BY CreatedDate DESC LIMIT 1');
-- 2. its open item, through the submission
SELECT pg_temp.soql('SELECT Id, Status, AssignedToId, AssignedTo.Name FROM ApprovalWorkItem WHERE ApprovalSubmission.RelatedRecordId = ''Q-4'' AND Status = ''Assigned'' ORDER BY CreatedDate DESC LIMIT 1');
-- 3. everything that is under way
SELECT pg_temp.soql('SELECT RelatedRecordId FROM ApprovalSubmission WHERE Status = ''InProgress'' AND RelatedRecordObjectName = ''Report_Quote''');
-- 4. who sits on these records
SELECT pg_temp.soql('SELECT RelatedRecordId, AssignedToId, Status, CreatedDate FROM ApprovalWorkItem WHERE Status = ''Assigned'' AND RelatedRecordId IN (''Q-1'', ''Q-2'', ''Q-3'', ''Q-4'')');
-- 5. a trigger reads its items
SELECT orchestration.query('SELECT Id FROM ApprovalWorkItem WHERE RelatedRecordId IN (''Q-1'', ''Q-2'')')->'records' AS items \gset
SELECT pg_temp.soql(format('SELECT RelatedRecordId, AssignedTo.Type, ReviewedBy.Name FROM ApprovalWorkItem WHERE Id IN (%s) ORDER BY RelatedRecordId, Name', string_agg(quote_literal(r->>'Id'), ', ')))
  FROM json_array_elements(:'items'::json) r;
-- 6. is it an approval of the right object?
SELECT pg_temp.soql('SELECT RelatedRecordObjectName FROM ApprovalWorkItem WHERE RelatedRecordId = ''Q-2'' ORDER BY Name');
-- 7. the approval trace: a submission with its items and what was done
SELECT pg_temp.soql('SELECT Status, Comments, SubmittedBy.Username,
        (SELECT ApprovalConditionName, Status, AssignedTo.Name, ReviewedBy.Name, ReviewedDate, Comments FROM ApprovalWorkItems ORDER BY CreatedDate, Name),
        (SELECT ActionName, ActionPerformedBy.Name, ActionPerformerRole, ActionChannelName, Comments FROM ApprovalSubmissionDetails ORDER BY CreatedDate, Name)
   FROM ApprovalSubmission WHERE RelatedRecordObjectName = ''Report_Quote'' ORDER BY RelatedRecordId');
-- 8. a dashboard: how many of which status
SELECT pg_temp.soql('SELECT Status, COUNT(Id) n FROM ApprovalSubmission WHERE RelatedRecordObjectName = ''Report_Quote'' GROUP BY Status ORDER BY COUNT(Id) DESC, Status');
-- 9. the load of each approver, and how old its oldest item is
SELECT pg_temp.soql('SELECT AssignedTo.Name, COUNT(Id) total, MIN(CreatedDate) oldest FROM ApprovalWorkItem WHERE RelatedRecordObjectName = ''Report_Quote'' AND CreatedDate = LAST_N_DAYS:30 GROUP BY AssignedTo.Name ORDER BY AssignedTo.Name');
SELECT pg_temp.soql('SELECT COUNT() FROM ApprovalWorkItem WHERE Status = ''Assigned'' AND CreatedDate < N_DAYS_AGO:3 AND RelatedRecordObjectName = ''Report_Quote''');
-- 10. decisions by month, approver and outcome
SELECT pg_temp.soql('SELECT ReviewedBy.Name who, Status, COUNT(Id) n FROM ApprovalWorkItem WHERE (ReviewedDate = LAST_N_MONTHS:1 OR ReviewedDate = THIS_MONTH) AND RelatedRecordObjectName = ''Report_Quote'' GROUP BY ReviewedBy.Name, Status HAVING COUNT(Id) > 0 AND ReviewedBy.Name LIKE ''L%'' ORDER BY Status');
-- 11. recalled or canceled, by whom and why
SELECT pg_temp.soql('SELECT ApprovalSubmission.RelatedRecordId, ActionPerformedBy.Name, Comments FROM ApprovalSubmissionDetail WHERE ActionName IN (''Recall'', ''Cancel'') AND ApprovalSubmission.RelatedRecordObjectName = ''Report_Quote'' ORDER BY CreatedDate DESC');
-- 12. submissions that Legal still has to see; without a rejection
SELECT pg_temp.soql('SELECT RelatedRecordId FROM ApprovalSubmission WHERE Id IN (SELECT ApprovalSubmissionId FROM ApprovalWorkItem WHERE Status = ''Assigned'' AND ApprovalConditionName = ''legal approval'')');
SELECT pg_temp.soql('SELECT RelatedRecordId FROM ApprovalSubmission WHERE RelatedRecordObjectName = ''Report_Quote'' AND Id NOT IN (SELECT ApprovalSubmissionId FROM ApprovalWorkItem WHERE Status = ''Rejected'') ORDER BY RelatedRecordId');
-- 13. from the orchestration: its runs with their submissions, an item with its step
SELECT pg_temp.soql('SELECT Status, CurrentStage, (SELECT Status, RelatedRecordId FROM ApprovalSubmissions) FROM FlowOrchestrationInstance WHERE OrchestrationDeveloperName = ''Report_Quote_Approval'' ORDER BY Name');
SELECT pg_temp.soql('SELECT Status, FlowOrchestrationWorkItem.Status, FlowOrchestrationWorkItem.StepInstance.StageInstance.Name FROM ApprovalWorkItem WHERE RelatedRecordId = ''Q-2'' ORDER BY Name');
-- 14. whom it is assigned to, user or queue
SELECT pg_temp.soql('SELECT TYPEOF AssignedTo WHEN User THEN Username WHEN Group THEN DeveloperName, Type END FROM ApprovalWorkItem WHERE RelatedRecordId = ''Q-1'' ORDER BY Name');
-- 15. the history of the status
SELECT pg_temp.soql('SELECT Field, OldValue, NewValue, CreatedBy.Name FROM ApprovalSubmissionHistory WHERE ApprovalSubmission.RelatedRecordId = ''Q-3'' AND Field = ''Status'' ORDER BY CreatedDate');
-- 16. list views: mine, pending
SET ROLE report_sue;
SELECT pg_temp.soql('SELECT RelatedRecordId, toLabel(Status) FROM ApprovalSubmission USING SCOPE mine ORDER BY RelatedRecordId');
SELECT pg_temp.soql(format('SELECT COUNT() FROM ApprovalSubmission WHERE SubmittedById = ''%s'' AND Status IN (''InProgress'', ''Suspended'')', orchestration.acting_user_id()));
-- the manager sees what Leo was asked about, and no more
SET ROLE report_leo;
SELECT pg_temp.soql('SELECT RelatedRecordId, Status FROM ApprovalSubmission ORDER BY RelatedRecordId');

-- refused: fields of Advanced Approvals, fields of the objects before (ProcessInstance), filters on long texts
SELECT pg_temp.soql('SELECT Id, ApprovalChainName FROM ApprovalWorkItem');
SELECT pg_temp.soql('SELECT Id, IsAutoReviewed, IsEligibleForSmartApproval FROM ApprovalWorkItem');
SELECT pg_temp.soql('SELECT Id, Actor.Name FROM ApprovalWorkItem WHERE TargetObjectId = null');
SELECT pg_temp.soql('SELECT Id FROM ApprovalWorkItem WHERE Comments LIKE ''%margin%''');
-- refused: records of one's own tables are no objects of SOQL, also as parents
SELECT pg_temp.soql('SELECT Id, (SELECT Id FROM ApprovalWorkItems) FROM Report_Quote');
SELECT pg_temp.soql('SELECT Id FROM ApprovalSubmission WHERE RelatedRecordId IN (SELECT Id FROM Report_Quote)');
SELECT pg_temp.soql('SELECT RelatedRecord.Amount FROM ApprovalSubmission');
SELECT pg_temp.soql('SELECT Id, (SELECT Id FROM ProcessSteps) FROM ApprovalSubmission');

RESET ROLE;
SELECT * FROM orchestration.verify();
SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE orchestration_name = 'Report_Quote_Approval' AND status = 'InProgress';
DELETE FROM orchestration.run WHERE orchestration_name = 'Report_Quote_Approval';
SELECT orchestration.deactivate_orchestration('Report_Quote_Approval');
SELECT orchestration.unregister_record_type('Report_Quote');
DROP TABLE public.report_quote;
UPDATE orchestration.principal SET role_name = NULL WHERE role_name LIKE 'report\_%';
DROP OWNED BY report_sue, report_leo, report_abe;
DROP ROLE report_sue, report_leo, report_abe;
