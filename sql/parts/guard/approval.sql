-- approval: triggers that let submissions follow their runs and approval work items their
-- work items, and that keep both from other writes (src/guard/approval.c).

CREATE FUNCTION orchestration_internal.approval_run() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_approval_run';
COMMENT ON FUNCTION orchestration_internal.approval_run() IS
    'Trigger: lets the submission follow its run';

CREATE FUNCTION orchestration_internal.approval_item() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_approval_item';
COMMENT ON FUNCTION orchestration_internal.approval_item() IS
    'Trigger: makes the approval work item of a work item, and lets it follow';

CREATE FUNCTION orchestration_internal.approval_guard() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_approval_guard';
COMMENT ON FUNCTION orchestration_internal.approval_guard() IS
    'Trigger: judges a write to a submission or an approval work item';

CREATE FUNCTION orchestration_internal.approval_keep() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_approval_keep';
COMMENT ON FUNCTION orchestration_internal.approval_keep() IS
    'Trigger: rows of approvals are deleted only with their run; details are not changed';

-- after run_guard_row and work_item_guard_row, which refuse what is illegal: triggers fire
-- in the order of their names
CREATE TRIGGER run_guard_row_approval AFTER UPDATE ON orchestration.run
    FOR EACH ROW WHEN (NEW.is_approval AND OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION orchestration_internal.approval_run();
CREATE TRIGGER work_item_guard_row_approval_new AFTER INSERT ON orchestration.work_item
    FOR EACH ROW WHEN (NEW.is_approval)
    EXECUTE FUNCTION orchestration_internal.approval_item();
CREATE TRIGGER work_item_guard_row_approval AFTER UPDATE ON orchestration.work_item
    FOR EACH ROW WHEN ((NEW.is_approval OR NEW.is_parent) AND (OLD.status IS DISTINCT FROM NEW.status
                                            OR OLD.assignee_id IS DISTINCT FROM NEW.assignee_id))
    EXECUTE FUNCTION orchestration_internal.approval_item();

CREATE TRIGGER submission_guard_row
    AFTER INSERT OR UPDATE ON orchestration.submission
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.approval_guard();
CREATE TRIGGER submission_guard_delete
    BEFORE DELETE ON orchestration.submission
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.approval_keep();
CREATE TRIGGER submission_guard_truncate
    BEFORE TRUNCATE ON orchestration.submission
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER submission_item_guard_row
    AFTER INSERT OR UPDATE ON orchestration.submission_item
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.approval_guard();
CREATE TRIGGER submission_item_guard_delete
    BEFORE DELETE ON orchestration.submission_item
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.approval_keep();
CREATE TRIGGER submission_item_guard_truncate
    BEFORE TRUNCATE ON orchestration.submission_item
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER submission_detail_guard_keep
    BEFORE UPDATE OR DELETE ON orchestration.submission_detail
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.approval_keep();
CREATE TRIGGER submission_detail_guard_truncate
    BEFORE TRUNCATE ON orchestration.submission_detail
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
