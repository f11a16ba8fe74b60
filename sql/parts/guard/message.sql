-- message: triggers that write messages of what happens (src/guard/message.c).

CREATE FUNCTION orchestration_internal.write_message() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_write_message';
COMMENT ON FUNCTION orchestration_internal.write_message() IS
    'Trigger: writes the messages of what happened to a run, a work item or an approval';

-- after the triggers that refuse what is illegal: triggers fire in the order of their names
CREATE TRIGGER run_guard_row_message AFTER UPDATE ON orchestration.run
    FOR EACH ROW WHEN (NEW.status = 'Error' AND OLD.status <> 'Error')
    EXECUTE FUNCTION orchestration_internal.write_message();
CREATE TRIGGER work_item_guard_row_message_new AFTER INSERT ON orchestration.work_item
    FOR EACH ROW WHEN (NOT NEW.is_approval AND NOT NEW.is_parent)
    EXECUTE FUNCTION orchestration_internal.write_message();
CREATE TRIGGER work_item_guard_row_message AFTER UPDATE ON orchestration.work_item
    FOR EACH ROW WHEN (NOT NEW.is_approval AND OLD.assignee_id <> NEW.assignee_id)
    EXECUTE FUNCTION orchestration_internal.write_message();
CREATE TRIGGER submission_guard_row_message AFTER UPDATE ON orchestration.submission
    FOR EACH ROW WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION orchestration_internal.write_message();
CREATE TRIGGER submission_item_guard_row_message_new AFTER INSERT ON orchestration.submission_item
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.write_message();
CREATE TRIGGER submission_item_guard_row_message AFTER UPDATE ON orchestration.submission_item
    FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.assigned_to <> NEW.assigned_to)
    EXECUTE FUNCTION orchestration_internal.write_message();
