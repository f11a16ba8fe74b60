-- view: the documented objects as views.  A view has the API name in snake_case and
-- exactly the columns of contract/fields.csv in their order.  Values that grow with
-- time are computed when the view is read.  Feed, History, OwnerSharingRule and Share
-- objects: call/associated_object.sql.

CREATE VIEW orchestration.flow_orchestration_instance
    WITH (security_invoker = true) AS
SELECT r.id,
       false AS is_deleted,
       COALESCE(r.created_by, '00000000-0000-7000-8000-000000000001') AS created_by_id,
       r.created_at AS created_date,
       COALESCE(r.modified_by, '00000000-0000-7000-8000-000000000001') AS last_modified_by_id,
       r.modified_at AS last_modified_date,
       r.modified_at AS system_modstamp,
       r.current_stage,
       floor(extract(epoch FROM COALESCE(r.ended_at, statement_timestamp()) - r.created_at))::bigint AS duration,
       r.interview_id,
       (SELECT max(x.referenced_at) FROM orchestration.record_view x
         WHERE x.run_id = r.id AND x.record_id = r.id) AS last_referenced_date,
       (SELECT max(x.viewed_at) FROM orchestration.record_view x
         WHERE x.run_id = r.id AND x.record_id = r.id) AS last_viewed_date,
       r.name,
       r.orchestration_name AS orchestration_developer_name,
       r.orchestration_label,
       r.owner_id,
       r.status,
       r.triggering_record_id
  FROM orchestration.run r;
COMMENT ON VIEW orchestration.flow_orchestration_instance IS
    'FlowOrchestrationInstance: one row per run';

CREATE VIEW orchestration.flow_orchestration_stage_instance
    WITH (security_invoker = true) AS
SELECT s.id,
       false AS is_deleted,
       COALESCE(s.created_by, '00000000-0000-7000-8000-000000000001') AS created_by_id,
       s.created_at AS created_date,
       COALESCE(s.modified_by, '00000000-0000-7000-8000-000000000001') AS last_modified_by_id,
       s.modified_at AS last_modified_date,
       s.modified_at AS system_modstamp,
       s.label,
       s.name,
       s.run_id AS orchestration_instance_id,
       s.owner_id,
       s.position,
       s.status
  FROM orchestration.stage_run s;
COMMENT ON VIEW orchestration.flow_orchestration_stage_instance IS
    'FlowOrchestrationStageInstance: one row per stage that a run has reached';

CREATE VIEW orchestration.flow_orchestration_step_instance
    WITH (security_invoker = true) AS
SELECT s.id,
       false AS is_deleted,
       COALESCE(s.created_by, '00000000-0000-7000-8000-000000000001') AS created_by_id,
       s.created_at AS created_date,
       COALESCE(s.modified_by, '00000000-0000-7000-8000-000000000001') AS last_modified_by_id,
       s.modified_at AS last_modified_date,
       s.modified_at AS system_modstamp,
       s.description,
       s.label,
       s.name,
       s.run_id AS orchestration_instance_id,
       s.owner_id,
       s.stage_run_id AS stage_instance_id,
       s.status,
       s.step_type
  FROM orchestration.step_run s;
COMMENT ON VIEW orchestration.flow_orchestration_step_instance IS
    'FlowOrchestrationStepInstance: one row per step of a stage that a run has reached';

CREATE VIEW orchestration.flow_orchestration_work_item
    WITH (security_invoker = true) AS
SELECT w.id,
       false AS is_deleted,
       COALESCE(w.created_by, '00000000-0000-7000-8000-000000000001') AS created_by_id,
       w.created_at AS created_date,
       COALESCE(w.modified_by, '00000000-0000-7000-8000-000000000001') AS last_modified_by_id,
       w.modified_at AS last_modified_date,
       w.modified_at AS system_modstamp,
       w.assignee_id,
       w.description,
       CASE WHEN w.status <> 'Completed' THEN
           floor(extract(epoch FROM statement_timestamp() - w.assigned_at))::bigint
       END AS elapsed_time_since_asgnt_in_sec,
       CASE WHEN w.status <> 'Completed' THEN
           floor(extract(epoch FROM statement_timestamp() - w.created_at))::bigint
       END AS elapsed_time_since_creation_in_sec,
       w.label,
       (SELECT max(x.referenced_at) FROM orchestration.record_view x
         WHERE x.run_id = w.run_id AND x.record_id = w.id) AS last_referenced_date,
       (SELECT max(x.viewed_at) FROM orchestration.record_view x
         WHERE x.run_id = w.run_id AND x.record_id = w.id) AS last_viewed_date,
       w.name,
       w.owner_id,
       w.parent_id AS parent_work_item_id,
       w.related_record_id,
       w.screen_flow,
       w.screen_flow_inputs,
       w.status,
       w.step_run_id AS step_instance_id
  FROM orchestration.work_item w;
COMMENT ON VIEW orchestration.flow_orchestration_work_item IS
    'FlowOrchestrationWorkItem: one row per work item of a user, group or queue';

CREATE VIEW orchestration.flow_orchestration_log
    WITH (security_invoker = true) AS
SELECT (lpad(to_hex(floor(extract(epoch FROM l.logged_at) * 1000)::bigint), 12, '0')
        || '70008' || lpad(to_hex(l.number), 15, '0'))::uuid AS id,
       false AS is_deleted,
       '00000000-0000-7000-8000-000000000001'::uuid AS created_by_id,
       l.logged_at AS created_date,
       '00000000-0000-7000-8000-000000000001'::uuid AS last_modified_by_id,
       l.logged_at AS last_modified_date,
       l.logged_at AS system_modstamp,
       COALESCE(l.actor, 'autoproc') AS actor,
       p.name AS assignee,
       CASE WHEN p.kind IS NOT NULL
            THEN p.kind::text::orchestration.assignee_type
       END AS assignee_type,
       l.comments,
       l.context,
       l.duration::bigint AS duration,
       l.kind,
       'OL-' || replace(format('%8s', l.number), ' ', '0') AS name,
       l.run_id AS orchestration_instance_id,
       r.orchestration_name,
       -- the version that the run had at that time
       COALESCE((SELECT m.from_version FROM orchestration.run_migration m
                  WHERE m.run_id = l.run_id AND m.migrated_at > l.logged_at
                  ORDER BY m.migrated_at LIMIT 1), v.version) AS orchestration_version,
       s.name AS stage_name,
       t.name AS step_name,
       l.logged_at AS "timestamp"
  FROM orchestration.run_log l
  JOIN orchestration.run r ON r.id = l.run_id
  LEFT JOIN orchestration.orchestration_version v ON v.id = r.version_id
  LEFT JOIN orchestration.step_run t ON t.run_id = l.run_id AND t.id = l.step_run_id
  LEFT JOIN orchestration.stage_run s
         ON s.run_id = l.run_id AND s.id = COALESCE(l.stage_run_id, t.stage_run_id)
  LEFT JOIN orchestration.principal p ON p.id = l.assignee_id;
COMMENT ON VIEW orchestration.flow_orchestration_log IS
    'FlowOrchestrationLog: one row per milestone of a run; Id is a uuid of version 7 made from time and number';

-- approvals

CREATE VIEW orchestration.approval_submission
    WITH (security_invoker = true) AS
SELECT s.id,
       false AS is_deleted,
       COALESCE(s.created_by, '00000000-0000-7000-8000-000000000001') AS created_by_id,
       s.created_at AS created_date,
       COALESCE(s.modified_by, '00000000-0000-7000-8000-000000000001') AS last_modified_by_id,
       s.modified_at AS last_modified_date,
       s.modified_at AS system_modstamp,
       s.comments,
       s.sends_email AS does_send_approval_email,
       s.run_id AS flow_orchestration_instance_id,
       (SELECT max(x.referenced_at) FROM orchestration.record_view x
         WHERE x.run_id = s.run_id AND x.record_id = s.id) AS last_referenced_date,
       (SELECT max(x.viewed_at) FROM orchestration.record_view x
         WHERE x.run_id = s.run_id AND x.record_id = s.id) AS last_viewed_date,
       s.name,
       s.owner_id,
       s.related_record_id,
       s.related_record_type AS related_record_object_name,
       s.status,
       s.submitted_by AS submitted_by_id
  FROM orchestration.submission s;
COMMENT ON VIEW orchestration.approval_submission IS
    'ApprovalSubmission: one row per record that was submitted for approval';

CREATE VIEW orchestration.approval_work_item
    WITH (security_invoker = true) AS
SELECT a.id,
       false AS is_deleted,
       COALESCE(a.created_by, '00000000-0000-7000-8000-000000000001') AS created_by_id,
       a.created_at AS created_date,
       COALESCE(a.modified_by, '00000000-0000-7000-8000-000000000001') AS last_modified_by_id,
       a.modified_at AS last_modified_date,
       a.modified_at AS system_modstamp,
       a.condition_name AS approval_condition_name,
       a.submission_id AS approval_submission_id,
       a.assigned_to AS assigned_to_id,
       a.comments,
       a.work_item_id AS flow_orchestration_work_item_id,
       (SELECT max(x.referenced_at) FROM orchestration.record_view x
         WHERE x.run_id = a.run_id AND x.record_id = a.id) AS last_referenced_date,
       (SELECT max(x.viewed_at) FROM orchestration.record_view x
         WHERE x.run_id = a.run_id AND x.record_id = a.id) AS last_viewed_date,
       a.name,
       a.related_record_id,
       a.related_record_type AS related_record_object_name,
       a.reviewed_by AS reviewed_by_id,
       a.reviewed_at AS reviewed_date,
       a.status
  FROM orchestration.submission_item a;
COMMENT ON VIEW orchestration.approval_work_item IS
    'ApprovalWorkItem: one row per decision that a submission asks for';

CREATE VIEW orchestration.approval_submission_detail
    WITH (security_invoker = true) AS
SELECT d.id,
       false AS is_deleted,
       COALESCE(d.performed_by, '00000000-0000-7000-8000-000000000001') AS created_by_id,
       d.created_at AS created_date,
       COALESCE(d.performed_by, '00000000-0000-7000-8000-000000000001') AS last_modified_by_id,
       d.created_at AS last_modified_date,
       d.created_at AS system_modstamp,
       d.channel AS action_channel_name,
       d.context AS action_context,
       d.action AS action_name,
       d.performed_by AS action_performed_by_id,
       d.performer_role AS action_performer_role,
       d.submission_id AS approval_submission_id,
       d.submission_item_id AS approval_work_item_id,
       d.comments,
       d.name
  FROM orchestration.submission_detail d;
COMMENT ON VIEW orchestration.approval_submission_detail IS
    'ApprovalSubmissionDetail: one row per review, override, reassignment, recall or cancellation';

-- Who sees users, groups and definitions: the policies of their tables.

CREATE VIEW orchestration."user"
    WITH (security_invoker = true) AS
SELECT p.id,
       false AS is_deleted,
       p.created_at AS created_date,
       p.modified_at AS last_modified_date,
       p.modified_at AS system_modstamp,
       p.is_active,
       p.name,
       p.username,
       CASE p.id WHEN '00000000-0000-7000-8000-000000000001' THEN 'AutomatedProcess'
                 ELSE 'Standard' END AS user_type
  FROM orchestration.principal p
 WHERE p.kind = 'User';
COMMENT ON VIEW orchestration."user" IS
    'User: people, and the automated process user';

CREATE VIEW orchestration."group"
    WITH (security_invoker = true) AS
SELECT p.id,
       p.created_at AS created_date,
       p.modified_at AS last_modified_date,
       p.modified_at AS system_modstamp,
       p.developer_name,
       false AS does_include_bosses,
       p.name,
       NULL::uuid AS related_id,
       CASE p.kind WHEN 'Queue' THEN 'Queue' ELSE 'Regular' END AS type
  FROM orchestration.principal p
 WHERE p.kind <> 'User';
COMMENT ON VIEW orchestration."group" IS
    'Group: regular groups and queues';

CREATE VIEW orchestration.group_member
    WITH (security_invoker = true) AS
SELECT m.id,
       m.created_at AS created_date,
       m.created_at AS system_modstamp,
       m.group_id,
       m.member_id AS user_or_group_id
  FROM orchestration.membership m;
COMMENT ON VIEW orchestration.group_member IS
    'GroupMember: one row per direct member of a group or queue';

-- names that need no quotes
CREATE VIEW orchestration.users
    WITH (security_invoker = true) AS SELECT * FROM orchestration."user";
COMMENT ON VIEW orchestration.users IS
    'The view "user" by a name that needs no quotes';

CREATE VIEW orchestration.groups
    WITH (security_invoker = true) AS SELECT * FROM orchestration."group";
COMMENT ON VIEW orchestration.groups IS
    'The view "group" by a name that needs no quotes';

CREATE VIEW orchestration.group_members
    WITH (security_invoker = true) AS SELECT * FROM orchestration.group_member;
COMMENT ON VIEW orchestration.group_members IS
    'The view group_member, named like users and groups';

CREATE VIEW orchestration.name
    WITH (security_invoker = true) AS
SELECT p.id,
       CASE p.kind WHEN 'User' THEN p.is_active END AS is_active,
       p.name,
       p.kind AS type,
       p.username
  FROM orchestration.principal p;
COMMENT ON VIEW orchestration.name IS
    'Name: what fields that refer to users and groups share; no call reads it directly';

CREATE VIEW orchestration.flow_orchestration
    WITH (security_invoker = true) AS
SELECT d.id,
       false AS is_deleted,
       d.created_at AS created_date,
       d.modified_at AS last_modified_date,
       d.modified_at AS system_modstamp,
       CASE WHEN d.active_version IS NOT NULL THEN v.id END AS active_version_id,
       d.name AS api_name,
       v.label AS name,
       v.label AS orchestration_label,
       CASE WHEN v.record_type_name IS NULL THEN 'OrchAutolnch'
            ELSE 'OrchRecTrigAftSave' END AS orchestration_type,
       CASE WHEN d.active_version IS NULL THEN 'Draft' ELSE 'Active' END AS status,
       CASE WHEN v.record_type_name IS NOT NULL THEN 'RecordAfterSave' END AS trigger_type
  FROM orchestration.orchestration_definition d
  JOIN orchestration.orchestration_version v
    ON v.orchestration_id = d.id
   AND v.version = COALESCE(d.active_version,
                            (SELECT max(x.version) FROM orchestration.orchestration_version x
                              WHERE x.orchestration_id = d.id))
 WHERE v.process_type <> 'EvaluationFlow';
COMMENT ON VIEW orchestration.flow_orchestration IS
    'FlowOrchestration: one row per orchestration; evaluation flows are none';

CREATE VIEW orchestration.flow_orchestration_version
    WITH (security_invoker = true) AS
SELECT v.id,
       false AS is_deleted,
       COALESCE(v.created_by, '00000000-0000-7000-8000-000000000001') AS created_by_id,
       v.created_at AS created_date,
       COALESCE(v.created_by, '00000000-0000-7000-8000-000000000001') AS last_modified_by_id,
       v.created_at AS last_modified_date,
       v.created_at AS system_modstamp,
       v.orchestration_id AS flow_orchestration_id,
       v.label AS name,
       CASE WHEN v.record_type_name IS NULL THEN 'OrchAutolnch'
            ELSE 'OrchRecTrigAftSave' END AS orchestration_type,
       CASE d.active_version WHEN v.version THEN 'Active' ELSE 'Draft' END AS status,
       v.record_type_name AS trigger_object_or_event_label,
       v.version AS version_number
  FROM orchestration.orchestration_version v
  JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
 WHERE v.process_type <> 'EvaluationFlow';
COMMENT ON VIEW orchestration.flow_orchestration_version IS
    'FlowOrchestrationVersion: one row per version of an orchestration';
