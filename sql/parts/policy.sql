-- policy: row security, enabled and forced on every table.
--
-- Each arm of a policy is one C function of the row and of the caller, without a
-- sub-select: a look-up in a scan, "= ANY (ids)" for an index.  No policy for
-- INSERT or DELETE: records come and go by the engine, shares and rules by their
-- calls and views.  Who updates what he sees is judged by the guard, which can
-- say which right is missing; the policy says what he sees, and that nothing is
-- written where the guard does not judge.

ALTER TABLE orchestration.run ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY run_select ON orchestration.run FOR SELECT USING (
    orchestration.owner_visible('FlowOrchestrationInstance', owner_id)
    OR orchestration.record_shared('FlowOrchestrationInstance', id)
    OR orchestration.orchestration_visible('FlowOrchestrationInstance', orchestration_id));
CREATE POLICY run_update ON orchestration.run FOR UPDATE USING (
    orchestration.owner_visible('FlowOrchestrationInstance', owner_id)
    OR orchestration.record_shared('FlowOrchestrationInstance', id)
    OR orchestration.orchestration_visible('FlowOrchestrationInstance', orchestration_id))
    WITH CHECK (orchestration.guard_judges('FlowOrchestrationInstance', id));

ALTER TABLE orchestration.stage_run ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY stage_run_select ON orchestration.stage_run FOR SELECT USING (
    orchestration.owner_visible('FlowOrchestrationStageInstance', owner_id)
    OR orchestration.record_shared('FlowOrchestrationStageInstance', id)
    OR orchestration.orchestration_visible('FlowOrchestrationStageInstance', orchestration_id));
CREATE POLICY stage_run_update ON orchestration.stage_run FOR UPDATE USING (
    orchestration.owner_visible('FlowOrchestrationStageInstance', owner_id)
    OR orchestration.record_shared('FlowOrchestrationStageInstance', id)
    OR orchestration.orchestration_visible('FlowOrchestrationStageInstance', orchestration_id))
    WITH CHECK (orchestration.guard_judges('FlowOrchestrationStageInstance', id));

ALTER TABLE orchestration.step_run ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY step_run_select ON orchestration.step_run FOR SELECT USING (
    orchestration.owner_visible('FlowOrchestrationStepInstance', owner_id)
    OR orchestration.record_shared('FlowOrchestrationStepInstance', id)
    OR orchestration.orchestration_visible('FlowOrchestrationStepInstance', orchestration_id));
CREATE POLICY step_run_update ON orchestration.step_run FOR UPDATE USING (
    orchestration.owner_visible('FlowOrchestrationStepInstance', owner_id)
    OR orchestration.record_shared('FlowOrchestrationStepInstance', id)
    OR orchestration.orchestration_visible('FlowOrchestrationStepInstance', orchestration_id))
    WITH CHECK (orchestration.guard_judges('FlowOrchestrationStepInstance', id));

ALTER TABLE orchestration.work_item ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY work_item_select ON orchestration.work_item FOR SELECT USING (
    orchestration.owner_visible('FlowOrchestrationWorkItem', owner_id)
    OR orchestration.record_shared('FlowOrchestrationWorkItem', id)
    OR orchestration.orchestration_visible('FlowOrchestrationWorkItem', orchestration_id)
    OR orchestration.assignee_visible(assignee_id));
CREATE POLICY work_item_update ON orchestration.work_item FOR UPDATE USING (
    orchestration.owner_visible('FlowOrchestrationWorkItem', owner_id)
    OR orchestration.record_shared('FlowOrchestrationWorkItem', id)
    OR orchestration.orchestration_visible('FlowOrchestrationWorkItem', orchestration_id)
    OR orchestration.assignee_visible(assignee_id))
    WITH CHECK (orchestration.guard_judges('FlowOrchestrationWorkItem', id));

-- what hangs on a record follows it

ALTER TABLE orchestration.run_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY run_log_select ON orchestration.run_log FOR SELECT USING (
    orchestration.record_visible('FlowOrchestrationInstance', run_id));

ALTER TABLE orchestration.share_grant ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY share_grant_select ON orchestration.share_grant FOR SELECT USING (
    orchestration.record_visible(object, record_id));

ALTER TABLE orchestration.step_attempt ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY step_attempt_select ON orchestration.step_attempt FOR SELECT USING (
    orchestration.record_visible('FlowOrchestrationStepInstance', step_run_id));

ALTER TABLE orchestration.field_change ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY field_change_select ON orchestration.field_change FOR SELECT USING (
    orchestration.record_visible(object, record_id));

ALTER TABLE orchestration.feed_item ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY feed_item_select ON orchestration.feed_item FOR SELECT USING (
    orchestration.record_visible(object, record_id));

ALTER TABLE orchestration.feed_comment ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY feed_comment_select ON orchestration.feed_comment FOR SELECT USING (
    orchestration.record_visible(object, record_id));

ALTER TABLE orchestration.feed_like ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY feed_like_select ON orchestration.feed_like FOR SELECT USING (
    orchestration.record_visible(object, record_id));

ALTER TABLE orchestration.feed_tracked_change ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY feed_tracked_change_select ON orchestration.feed_tracked_change FOR SELECT USING (
    orchestration.record_visible(object, record_id));

ALTER TABLE orchestration.record_view ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY record_view_select ON orchestration.record_view FOR SELECT USING (
    orchestration.record_visible(object, record_id));

-- what was deleted: whoever saw it
ALTER TABLE orchestration.tombstone ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tombstone_select ON orchestration.tombstone FOR SELECT USING (
    CASE WHEN shared_object IS NULL THEN orchestration.sees_sharing()
         ELSE orchestration.owner_visible(shared_object, owner_id)
              OR orchestration.orchestration_visible(shared_object, orchestration_id)
              OR (assignee_id IS NOT NULL AND orchestration.assignee_visible(assignee_id))
              OR (shared_with IS NOT NULL
                  AND shared_with && orchestration.acting_principal_ids())
    END);

-- for every active user

ALTER TABLE orchestration.principal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY principal_select ON orchestration.principal FOR SELECT
    USING (orchestration.is_user());

ALTER TABLE orchestration.membership ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY membership_select ON orchestration.membership FOR SELECT
    USING (orchestration.is_user());

ALTER TABLE orchestration.default_access ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY default_access_select ON orchestration.default_access FOR SELECT
    USING (orchestration.is_user());

ALTER TABLE orchestration.orchestration_definition ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY orchestration_definition_select ON orchestration.orchestration_definition FOR SELECT
    USING (orchestration.is_user());

ALTER TABLE orchestration.orchestration_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY orchestration_version_select ON orchestration.orchestration_version FOR SELECT
    USING (orchestration.is_user());

ALTER TABLE orchestration.tombstone_horizon ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tombstone_horizon_select ON orchestration.tombstone_horizon FOR SELECT
    USING (orchestration.is_user());

ALTER TABLE orchestration.field_tracking ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY field_tracking_select ON orchestration.field_tracking FOR SELECT
    USING (orchestration.is_user());

ALTER TABLE orchestration.sobject ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sobject_select ON orchestration.sobject FOR SELECT
    USING (orchestration.is_user());
ALTER TABLE orchestration.sobject_field ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sobject_field_select ON orchestration.sobject_field FOR SELECT
    USING (orchestration.is_user());
ALTER TABLE orchestration.sobject_picklist_value ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sobject_picklist_value_select ON orchestration.sobject_picklist_value FOR SELECT
    USING (orchestration.is_user());
ALTER TABLE orchestration.sobject_child_relationship ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sobject_child_relationship_select ON orchestration.sobject_child_relationship FOR SELECT
    USING (orchestration.is_user());
ALTER TABLE orchestration.sobject_layout ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY sobject_layout_select ON orchestration.sobject_layout FOR SELECT
    USING (orchestration.is_user());

-- for those who see all data

ALTER TABLE orchestration.owner_sharing_rule ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_sharing_rule_select ON orchestration.owner_sharing_rule FOR SELECT
    USING (orchestration.sees_sharing());

-- for nobody: no policy

ALTER TABLE orchestration.step_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE orchestration.global_value ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE orchestration.secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE orchestration.action ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE orchestration.record_type ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
