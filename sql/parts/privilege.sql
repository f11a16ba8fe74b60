-- privilege: what PUBLIC may do.
--
-- Only the owner has privileges, except those granted here.  PUBLIC gets what row
-- security restricts row by row, and the calls that check the rights of their caller:
-- a role that acts as no active user sees no row and can make no such call.  Column
-- privileges follow the flags Update and Create of the reference (contract/fields.csv).
-- PUBLIC gets nothing for administration or for workers.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA orchestration, orchestration_internal FROM PUBLIC;

GRANT USAGE ON SCHEMA orchestration, orchestration_internal TO PUBLIC;

-- Functions of the policies: the role that reads a table executes them.
GRANT EXECUTE ON FUNCTION
    orchestration.acting_user_id(),
    orchestration.acting_principal_ids(),
    orchestration_internal.reviewed_principal_ids(),
    orchestration_internal.reviewed_submission_ids(),
    orchestration_internal.is_user(),
    orchestration_internal.sees_sharing(),
    orchestration_internal.manages_definitions(),
    orchestration_internal.owner_visible(orchestration.shared_object, uuid),
    orchestration_internal.record_shared(orchestration.shared_object, uuid),
    orchestration_internal.orchestration_visible(orchestration.shared_object, uuid),
    orchestration_internal.assignee_visible(uuid),
    orchestration_internal.approval_visible(boolean, uuid),
    orchestration_internal.submission_reviewed(uuid),
    orchestration_internal.record_visible(orchestration.shared_object, uuid),
    orchestration_internal.guard_judges(orchestration.shared_object, uuid),
    orchestration_internal.visible_owner_ids(orchestration.shared_object),
    orchestration_internal.shared_record_ids(orchestration.shared_object),
    orchestration_internal.visible_orchestration_ids(orchestration.shared_object),
    orchestration_internal.unestimated(uuid[]),
    orchestration_internal.rule_shares(orchestration.shared_object, uuid)
    TO PUBLIC;

-- Calls and views that run as their caller, under row security, and what they call.
GRANT EXECUTE ON FUNCTION
    orchestration.run_tree(uuid),
    orchestration.run_tree(text),
    orchestration.run_timeline(uuid),
    orchestration.run_timeline(text),
    orchestration_internal.resume_window(),
    orchestration_internal.resumable_until(boolean, boolean, timestamptz),
    orchestration_internal.one_line(text, integer),
    orchestration_internal.error_text(jsonb, integer),
    orchestration_internal.duration_text(interval),
    orchestration_internal.lasted(timestamptz, timestamptz),
    orchestration_internal.step_person(uuid, uuid)
    TO PUBLIC;

-- Function of the overviews, which the role that reads them executes.
GRANT EXECUTE ON FUNCTION
    orchestration_internal.check_reader(text, orchestration.shared_object)
    TO PUBLIC;

-- Counts, without what runs contain.
GRANT EXECUTE ON FUNCTION
    orchestration.engine_stats(),
    orchestration.engine_runs(),
    orchestration.engine_queue()
    TO pg_monitor;

-- A trigger function: creating or attaching a partition of a registered table needs
-- EXECUTE on it.  On other tables it does nothing.
GRANT EXECUTE ON FUNCTION orchestration_internal.record_change() TO PUBLIC;

-- Calls that check the rights of the caller themselves.
GRANT EXECUTE ON FUNCTION
    orchestration.start_orchestration(text, text, jsonb, text, uuid),
    orchestration.start_orchestration(text, "any", jsonb, text, uuid),
    orchestration.run_id(text),
    orchestration.suspend_run(uuid),
    orchestration.suspend_run(text),
    orchestration.resume_run(uuid),
    orchestration.resume_run(text),
    orchestration.retry_failed_runs(text, timestamptz, integer),
    orchestration.cancel_run(uuid, text),
    orchestration.cancel_run(text, text),
    orchestration.reevaluate_run(uuid),
    orchestration.reevaluate_run(text),
    orchestration.recall_run(uuid, text),
    orchestration.recall_run(text, text),
    orchestration.migrate_run(uuid, integer),
    orchestration.migrate_run(text, integer),
    orchestration.migrate_runs(text, integer, integer, boolean, integer),
    orchestration.complete_work_item(uuid, jsonb, text),
    orchestration.complete_work_item(text, jsonb, text),
    orchestration.fail_work_item(uuid, text),
    orchestration.fail_work_item(text, text),
    orchestration.reassign_work_item(uuid, uuid, text),
    orchestration.reassign_work_item(text, uuid, text),
    orchestration.review_approval(uuid, text, text, orchestration.approval_channel),
    orchestration.review_approval(text, text, text, orchestration.approval_channel),
    orchestration.override_approval(uuid, text, text, orchestration.approval_channel),
    orchestration.override_approval(text, text, text, orchestration.approval_channel),
    orchestration.set_delegated_approver(uuid, uuid),
    orchestration.create_approval_delegation(uuid, uuid, timestamptz, text),
    orchestration.delete_approval_delegation(uuid),
    orchestration.listen_for_work(integer),
    orchestration.claim_work_item(uuid),
    orchestration.claim_work_item(text),
    orchestration.release_work_item(uuid),
    orchestration.release_work_item(text),
    orchestration.set_due_date(uuid, timestamptz),
    orchestration.set_due_date(text, timestamptz),
    orchestration.unlock_record(text, text),
    orchestration.my_work_items(integer, timestamptz, uuid, text, timestamptz),
    orchestration.run_diagram(uuid, text),
    orchestration.orchestration_diagram(text, integer, text),
    orchestration.needs_attention(interval),
    orchestration.run_report(uuid),
    orchestration.run_report(text),
    orchestration.orchestration_report(text, interval),
    orchestration.run_diagram(text, text),
    orchestration.dry_run(text, text, jsonb, jsonb, integer, integer),
    orchestration.dry_run(text, "any", jsonb, jsonb, integer, integer),
    orchestration.share_record(uuid, uuid, orchestration.access_level),
    orchestration.unshare_record(uuid, uuid),
    orchestration.set_default_access(orchestration.shared_object, orchestration.sharing_model),
    orchestration.create_owner_sharing_rule(orchestration.shared_object, uuid, uuid, orchestration.access_level, text, text, text),
    orchestration.create_orchestration_sharing_rule(text, uuid, orchestration.access_level, orchestration.shared_object[]),
    orchestration.delete_sharing_rule(uuid),
    orchestration.explain_access(uuid, uuid),
    orchestration.user_record_access(uuid[], uuid),
    orchestration.deploy_orchestration(xml, text, boolean),
    orchestration.deploy_orchestration(jsonb, text, boolean),
    orchestration.deploy_orchestration(text, text, boolean),
    orchestration.deploy_orchestration(json, text, boolean),
    orchestration.validate_orchestration(xml),
    orchestration.validate_orchestration(jsonb),
    orchestration.validate_orchestration(text),
    orchestration.validate_orchestration(json),
    orchestration.activate_orchestration(text, integer),
    orchestration.deactivate_orchestration(text),
    orchestration.delete_orchestration_version(text, integer),
    orchestration.delete_orchestration(text),
    orchestration.orchestration_references(text, integer),
    orchestration.orchestration_setup_script(text, integer, name),
    orchestration.set_global(text, jsonb),
    orchestration.describe_sobjects(text[], numeric),
    orchestration.describe_global(numeric),
    orchestration.describe_layout(text, text, text[]),
    orchestration.retrieve(text[], text, text[]),
    orchestration.query(text, numeric, integer, boolean),
    orchestration.query_more(text),
    orchestration.explain_soql(text, numeric),
    orchestration.create(jsonb, boolean),
    orchestration.update(jsonb, boolean),
    orchestration.upsert(text, jsonb, boolean),
    orchestration.delete(text[], boolean),
    orchestration.get_updated(text, timestamptz, timestamptz),
    orchestration.get_deleted(text, timestamptz, timestamptz),
    orchestration.change_owner(uuid, uuid),
    orchestration.post_to_feed(uuid, text, text, text, orchestration.feed_visibility, boolean),
    orchestration.comment_on_feed_item(uuid, text),
    orchestration.delete_feed_comment(uuid),
    orchestration.like_feed_item(uuid),
    orchestration.unlike_feed_item(uuid),
    orchestration.view_record(uuid),
    orchestration.reference_record(uuid)
    TO PUBLIC;

-- Functions that return constants or depend on their arguments only.
GRANT EXECUTE ON FUNCTION
    orchestration.legal_transitions(),
    orchestration.legal_neighbours(),
    orchestration_internal.minute_of(timestamptz),
    orchestration_internal.time_in_range(text, timestamptz),
    orchestration_internal.interval_in_range(text, interval)
    TO PUBLIC;
-- The result does not depend on the caller: the time at which the oldest open
-- transaction began to write.
GRANT EXECUTE ON FUNCTION orchestration.latest_date_covered() TO PUBLIC;
-- It depends on the row that the caller gives and on the names of key columns.
GRANT EXECUTE ON FUNCTION orchestration.record_key(text, record) TO PUBLIC;

-- The views, and the columns of the tables that they read: the views are
-- security_invoker, so that the policies apply to the reader.

GRANT SELECT ON
    orchestration.flow_orchestration_instance,
    orchestration.flow_orchestration_stage_instance,
    orchestration.flow_orchestration_step_instance,
    orchestration.flow_orchestration_work_item,
    orchestration.flow_orchestration_log,
    orchestration.approval_submission,
    orchestration.approval_work_item,
    orchestration.approval_submission_detail,
    orchestration.approval_submission_share,
    orchestration.approval_submission_history,
    orchestration.approval_work_item_history,
    orchestration.submission,
    orchestration.submission_item,
    orchestration.submission_detail,
    orchestration.approval_delegation,
    orchestration.flow_orchestration_instance_share,
    orchestration.flow_orchestration_stage_instance_share,
    orchestration.flow_orchestration_step_instance_share,
    orchestration.flow_orchestration_instance_owner_sharing_rule,
    orchestration.flow_orchestration_stage_instance_owner_sharing_rule,
    orchestration.flow_orchestration_step_instance_owner_sharing_rule,
    orchestration."user",
    orchestration."group",
    orchestration.group_member,
    orchestration.users,
    orchestration.groups,
    orchestration.group_members,
    orchestration.name,
    orchestration.flow_orchestration,
    orchestration.flow_orchestration_version,
    orchestration.default_access,
    orchestration.flow_orchestration_instance_history,
    orchestration.flow_orchestration_stage_instance_history,
    orchestration.flow_orchestration_step_instance_history,
    orchestration.flow_orchestration_instance_feed,
    orchestration.flow_orchestration_stage_instance_feed,
    orchestration.flow_orchestration_step_instance_feed,
    orchestration.field_change,
    orchestration.feed_item,
    orchestration.feed_comment,
    orchestration.feed_like,
    orchestration.feed_tracked_change,
    orchestration.field_tracking,
    orchestration.tombstone_horizon,
    orchestration.run_overview,
    orchestration.run_errors,
    orchestration.open_runs,
    orchestration.run_outcomes,
    orchestration.queue_overview,
    orchestration_internal.open_run,
    orchestration.sobject,
    orchestration.sobject_field,
    orchestration.sobject_picklist_value,
    orchestration.sobject_child_relationship,
    orchestration.sobject_layout
    TO PUBLIC;
-- Without the columns that say with whom a record was shared and who viewed it.
GRANT SELECT (id, object, deleted_at) ON orchestration.tombstone TO PUBLIC;
GRANT SELECT (run_id, record_id, object, viewed_at, referenced_at)
    ON orchestration.record_view TO PUBLIC;

GRANT SELECT (id, owner_id, orchestration_id, version_id, created_at, created_by,
              name, orchestration_name, orchestration_label,
              triggering_record_type, triggering_record_id, interview_id,
              status, error_recoverable, modified_at, modified_by, ended_at,
              current_stage, error, modified_minute, failed_at, is_approval)
    ON orchestration.run TO PUBLIC;
GRANT SELECT ON orchestration.stage_run TO PUBLIC;
GRANT SELECT (run_id, id, owner_id, orchestration_id, stage_run_id, created_at,
              created_by, step_type, name, label, description, status, attempt,
              modified_at, modified_by, started_at, ended_at, error, modified_minute, failed_at)
    ON orchestration.step_run TO PUBLIC;
GRANT SELECT (run_id, id, owner_id, orchestration_id, assignee_id, step_run_id,
              created_at, created_by, name, label, description, screen_flow,
              screen_flow_inputs, related_record_type, related_record_id,
              status, assigned_at, modified_at, modified_by, completed_at,
              completed_by, modified_minute, due_at, claimed_from, parent_id)
    ON orchestration.work_item TO PUBLIC;
GRANT SELECT ON orchestration.run_log TO PUBLIC;
GRANT SELECT ON orchestration.run_migration TO PUBLIC;
GRANT SELECT ON orchestration.definition_log TO PUBLIC;
GRANT SELECT ON orchestration.step_attempt TO PUBLIC;
-- without what a worker gets and needs
GRANT SELECT (run_id, step_run_id, orchestration_id, available_at, leased_until,
              claimed_at, attempt, failures, lost, topic, step_name, action)
    ON orchestration.step_queue TO PUBLIC;
GRANT SELECT ON orchestration.share_grant TO PUBLIC;
GRANT SELECT ON orchestration.owner_sharing_rule TO PUBLIC;
GRANT SELECT (id, kind, name, username, developer_name, is_active, created_at,
              modified_at)
    ON orchestration.principal TO PUBLIC;
GRANT SELECT ON orchestration.membership TO PUBLIC;
GRANT SELECT (id, name, active_version, created_at, modified_at)
    ON orchestration.orchestration_definition TO PUBLIC;
GRANT SELECT (id, orchestration_id, version, label, process_type,
              record_type_name, record_trigger_type, created_at, created_by)
    ON orchestration.orchestration_version TO PUBLIC;

-- Columns that the reference flags Update.
GRANT UPDATE (interview_id, status, triggering_record_id)
    ON orchestration.flow_orchestration_instance TO PUBLIC;
GRANT UPDATE (interview_id, status, triggering_record_type, triggering_record_id)
    ON orchestration.run TO PUBLIC;
GRANT UPDATE (owner_id) ON
    orchestration.flow_orchestration_stage_instance,
    orchestration.flow_orchestration_step_instance,
    orchestration.stage_run,
    orchestration.step_run
    TO PUBLIC;
GRANT UPDATE (assignee_id, owner_id) ON
    orchestration.flow_orchestration_work_item,
    orchestration.work_item
    TO PUBLIC;

-- Shares and rules: Create and Update, through the views only.  PUBLIC has no DELETE:
-- there is no column privilege for it, and DELETE on a table or view allows LOCK TABLE
-- in every mode, which blocks every reader.  delete() deletes them; the views have
-- triggers for roles to which an administrator grants DELETE.
GRANT INSERT (access_level, parent_id, row_cause, user_or_group_id),
      UPDATE (access_level) ON
    orchestration.flow_orchestration_instance_share,
    orchestration.flow_orchestration_stage_instance_share,
    orchestration.flow_orchestration_step_instance_share,
    orchestration.approval_submission_share
    TO PUBLIC;
GRANT INSERT (access_level, description, developer_name, group_id, name,
              user_or_group_id),
      UPDATE (access_level, description, developer_name, name) ON
    orchestration.flow_orchestration_instance_owner_sharing_rule,
    orchestration.flow_orchestration_stage_instance_owner_sharing_rule,
    orchestration.flow_orchestration_step_instance_owner_sharing_rule
    TO PUBLIC;
