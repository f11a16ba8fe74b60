-- approval: calls on approvals (src/work/approval.c).

CREATE FUNCTION orchestration.review_approval(
    work_item_id uuid,
    decision text,
    comments text DEFAULT NULL,
    channel orchestration.approval_channel DEFAULT NULL)
    RETURNS orchestration.approval_submission_status
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_review_approval';
COMMENT ON FUNCTION orchestration.review_approval(uuid, text, text, orchestration.approval_channel) IS
    'Approves or rejects what a work item of an approval asks for (Approve, Reject); takes the id of the work item or of the approval work item; returns the status that the submission has then';

CREATE FUNCTION orchestration.review_approval(
    work_item text,
    decision text,
    comments text DEFAULT NULL,
    channel orchestration.approval_channel DEFAULT NULL)
    RETURNS orchestration.approval_submission_status
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_review_approval';
COMMENT ON FUNCTION orchestration.review_approval(text, text, text, orchestration.approval_channel) IS
    'review_approval() by the name or id of the work item or of the approval work item';

CREATE FUNCTION orchestration.override_approval(
    work_item_id uuid,
    decision text,
    comments text DEFAULT NULL,
    channel orchestration.approval_channel DEFAULT NULL)
    RETURNS orchestration.approval_submission_status
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_override_approval';
COMMENT ON FUNCTION orchestration.override_approval(uuid, text, text, orchestration.approval_channel) IS
    'review_approval() by an approval administrator instead of the assignee';

CREATE FUNCTION orchestration.override_approval(
    work_item text,
    decision text,
    comments text DEFAULT NULL,
    channel orchestration.approval_channel DEFAULT NULL)
    RETURNS orchestration.approval_submission_status
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_override_approval';
COMMENT ON FUNCTION orchestration.override_approval(text, text, text, orchestration.approval_channel) IS
    'override_approval() by the name or id of the work item or of the approval work item';

CREATE FUNCTION orchestration.recall_run(run_id uuid, comments text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_recall_run';
COMMENT ON FUNCTION orchestration.recall_run(uuid, text) IS
    'Recalls an approval, by the id of its run or submission: the run goes on along its recall path, or is canceled; returns false if it was recalled already';

CREATE FUNCTION orchestration.recall_run(run text, comments text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_recall_run';
COMMENT ON FUNCTION orchestration.recall_run(text, text) IS
    'recall_run() by the name or id of the run or of its submission';
