-- guard: triggers that judge every write to a run, stage, step or work item
-- (src/guard/guard.c).
--
-- stage_run and step_run have no BEFORE UPDATE trigger: with one, every update would
-- first lock the row, which costs a WAL record of its own.

CREATE FUNCTION orchestration_internal.guard_fill() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_fill';
COMMENT ON FUNCTION orchestration_internal.guard_fill() IS
    'Trigger: sets the columns that follow from a change';

CREATE FUNCTION orchestration_internal.guard_row() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_row';
COMMENT ON FUNCTION orchestration_internal.guard_row() IS
    'Trigger: judges a change of status';

CREATE FUNCTION orchestration_internal.guard_statement() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_statement';
COMMENT ON FUNCTION orchestration_internal.guard_statement() IS
    'Trigger: judges rows together with their parents, then carries out the consequences';

CREATE FUNCTION orchestration_internal.guard_delete() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_delete';
COMMENT ON FUNCTION orchestration_internal.guard_delete() IS
    'Trigger: only ended runs can be deleted; other rows are deleted only with their run';

CREATE TRIGGER run_guard_fill BEFORE INSERT OR UPDATE ON orchestration.run
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_fill();
CREATE TRIGGER run_guard_row AFTER INSERT OR UPDATE ON orchestration.run
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_row();
CREATE TRIGGER run_guard_statement AFTER INSERT OR UPDATE ON orchestration.run
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_statement();
CREATE TRIGGER run_guard_delete BEFORE DELETE ON orchestration.run
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_delete();
CREATE TRIGGER run_guard_truncate BEFORE TRUNCATE ON orchestration.run
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER stage_run_guard_fill BEFORE INSERT ON orchestration.stage_run
    FOR EACH ROW WHEN (NEW.orchestration_id IS NULL)
    EXECUTE FUNCTION orchestration_internal.guard_fill();
CREATE TRIGGER stage_run_guard_row AFTER INSERT OR UPDATE ON orchestration.stage_run
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_row();
CREATE TRIGGER stage_run_guard_statement AFTER INSERT OR UPDATE ON orchestration.stage_run
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_statement();
CREATE TRIGGER stage_run_guard_delete BEFORE DELETE ON orchestration.stage_run
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_delete();
CREATE TRIGGER stage_run_guard_truncate BEFORE TRUNCATE ON orchestration.stage_run
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER step_run_guard_fill BEFORE INSERT ON orchestration.step_run
    FOR EACH ROW WHEN (NEW.orchestration_id IS NULL)
    EXECUTE FUNCTION orchestration_internal.guard_fill();
CREATE TRIGGER step_run_guard_row AFTER INSERT OR UPDATE ON orchestration.step_run
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_row();
CREATE TRIGGER step_run_guard_statement AFTER INSERT OR UPDATE ON orchestration.step_run
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_statement();
CREATE TRIGGER step_run_guard_delete BEFORE DELETE ON orchestration.step_run
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_delete();
CREATE TRIGGER step_run_guard_truncate BEFORE TRUNCATE ON orchestration.step_run
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER work_item_guard_fill BEFORE INSERT OR UPDATE ON orchestration.work_item
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_fill();
CREATE TRIGGER work_item_guard_row AFTER INSERT OR UPDATE ON orchestration.work_item
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_row();
CREATE TRIGGER work_item_guard_statement AFTER INSERT OR UPDATE ON orchestration.work_item
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_statement();
CREATE TRIGGER work_item_guard_delete BEFORE DELETE ON orchestration.work_item
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_delete();
CREATE TRIGGER work_item_guard_truncate BEFORE TRUNCATE ON orchestration.work_item
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER run_log_guard_truncate BEFORE TRUNCATE ON orchestration.run_log
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER share_grant_guard_truncate BEFORE TRUNCATE ON orchestration.share_grant
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER step_queue_guard_truncate BEFORE TRUNCATE ON orchestration.step_queue
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
