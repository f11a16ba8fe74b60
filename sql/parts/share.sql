-- share: calls and views of sharing (src/call/share.c, src/call/share_view.c), and the views
-- of users and groups.

CREATE FUNCTION orchestration.share_record(
    record_id uuid,
    user_or_group_id uuid,
    access_level orchestration.access_level DEFAULT 'Read')
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_share_record';
COMMENT ON FUNCTION orchestration.share_record(uuid, uuid, orchestration.access_level) IS
    'Shares a run, stage, step or work item with a user, group or queue; returns the id of the manual share';

CREATE FUNCTION orchestration.unshare_record(
    record_id uuid,
    user_or_group_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_unshare_record';
COMMENT ON FUNCTION orchestration.unshare_record(uuid, uuid) IS
    'Removes a manual share; false: there was none';

CREATE FUNCTION orchestration.set_default_access(
    object orchestration.shared_object,
    sharing_model orchestration.sharing_model)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_default_access';
COMMENT ON FUNCTION orchestration.set_default_access(orchestration.shared_object, orchestration.sharing_model) IS
    'Sets what every active user has to all records of an object';

CREATE FUNCTION orchestration.create_owner_sharing_rule(
    object orchestration.shared_object,
    group_id uuid,
    user_or_group_id uuid,
    access_level orchestration.access_level DEFAULT 'Read',
    name text DEFAULT NULL,
    developer_name text DEFAULT NULL,
    description text DEFAULT NULL)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_create_owner_sharing_rule';
COMMENT ON FUNCTION orchestration.create_owner_sharing_rule(orchestration.shared_object, uuid, uuid, orchestration.access_level, text, text, text) IS
    'Shares records owned by members of a group or queue with a user, group or queue; returns the id of the rule';

CREATE FUNCTION orchestration.create_orchestration_sharing_rule(
    orchestration text,
    user_or_group_id uuid,
    access_level orchestration.access_level DEFAULT 'Read',
    objects orchestration.shared_object[] DEFAULT
        '{FlowOrchestrationInstance,FlowOrchestrationStageInstance,FlowOrchestrationStepInstance}')
    RETURNS SETOF uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_create_orchestration_sharing_rule';
COMMENT ON FUNCTION orchestration.create_orchestration_sharing_rule(text, uuid, orchestration.access_level, orchestration.shared_object[]) IS
    'Shares the records of all runs of an orchestration with a user, group or queue; returns the ids of the rules, one an object';

CREATE FUNCTION orchestration.delete_sharing_rule(rule_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_delete_sharing_rule';
COMMENT ON FUNCTION orchestration.delete_sharing_rule(uuid) IS
    'Ends a sharing rule and the access that it gave; false: there is none';

CREATE FUNCTION orchestration.explain_access(
    record_id uuid,
    user_id uuid,
    OUT object orchestration.shared_object,
    OUT cause text,
    OUT access_level orchestration.access_level,
    OUT granted_to uuid,
    OUT source_id uuid,
    OUT detail text)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_explain_access';
COMMENT ON FUNCTION orchestration.explain_access(uuid, uuid) IS
    'Every grant that gives a user access to a record, for those who may manage its sharing';

CREATE FUNCTION orchestration.user_record_access(
    record_ids uuid[],
    user_id uuid DEFAULT NULL,
    OUT record_id uuid,
    OUT user_id uuid,
    OUT has_read_access boolean,
    OUT has_edit_access boolean,
    OUT has_delete_access boolean,
    OUT has_transfer_access boolean,
    OUT has_all_access boolean,
    OUT max_access_level text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_user_record_access';

COMMENT ON FUNCTION orchestration.user_record_access(uuid[], uuid) IS
    'UserRecordAccess: what a user, by default the caller, may do with up to 200 records';

CREATE FUNCTION orchestration.rule_shares(
    object orchestration.shared_object,
    record_id uuid,
    OUT user_or_group_id uuid,
    OUT access_level orchestration.access_level,
    OUT modified_by uuid,
    OUT modified_at timestamptz)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE ROWS 10
    AS 'MODULE_PATHNAME', 'orchestration_rule_shares';
COMMENT ON FUNCTION orchestration.rule_shares(orchestration.shared_object, uuid) IS
    'Whom sharing rules give access to a record: the Rule rows of the share views';

CREATE FUNCTION orchestration.share_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_share_change';
COMMENT ON FUNCTION orchestration.share_change() IS
    'Trigger of the share views: writes manual shares';

CREATE FUNCTION orchestration.rule_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_rule_change';
COMMENT ON FUNCTION orchestration.rule_change() IS
    'Trigger of the views of owner sharing rules: writes them';

-- ---------------------------------------------------------- users, groups

CREATE VIEW orchestration."user"
    WITH (security_invoker = true) AS
SELECT p.id,
       false AS is_deleted,
       p.created_at AS created_date,
       p.modified_at AS last_modified_date,
       p.modified_at AS system_modstamp,
       p.is_active,
       p.name,
       p.username
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
       p.name,
       CASE p.kind WHEN 'Queue' THEN 'Queue' ELSE 'Regular' END AS type
  FROM orchestration.principal p
 WHERE p.kind <> 'User';
COMMENT ON VIEW orchestration."group" IS
    'Group: regular groups and queues';

CREATE VIEW orchestration.group_member
    WITH (security_invoker = true) AS
SELECT encode(substr(sha256(uuid_send(m.group_id) || uuid_send(m.member_id)), 1, 16), 'hex')::uuid AS id,
       m.created_at AS created_date,
       m.created_at AS system_modstamp,
       m.group_id,
       m.member_id AS user_or_group_id
  FROM orchestration.membership m;
COMMENT ON VIEW orchestration.group_member IS
    'GroupMember: one row a direct member of a group or queue';

-- ------------------------------------------------------------------ shares
--
-- Id of a computed row: a digest of record, grantee and cause, so that it stays.

CREATE VIEW orchestration.flow_orchestration_instance_share
    WITH (security_invoker = true) AS
SELECT g.id,
       g.access_level,
       g.record_id AS parent_id,
       'Manual'::orchestration.row_cause AS row_cause,
       g.user_or_group_id,
       false AS is_deleted,
       COALESCE(g.modified_by, '00000000-0000-7000-8000-000000000001'::uuid) AS last_modified_by_id,
       g.modified_at AS last_modified_date
  FROM orchestration.share_grant g
 WHERE g.object = 'FlowOrchestrationInstance'
UNION ALL
SELECT encode(substr(sha256(uuid_send(r.id) || uuid_send(r.owner_id) || 'Owner'), 1, 16), 'hex')::uuid,
       'All', r.id, 'Owner', r.owner_id, false, '00000000-0000-7000-8000-000000000001'::uuid, r.created_at
  FROM orchestration.run r
UNION ALL
SELECT encode(substr(sha256(uuid_send(r.id) || uuid_send(s.user_or_group_id) || 'Rule'), 1, 16), 'hex')::uuid,
       s.access_level, r.id, 'Rule', s.user_or_group_id, false,
       COALESCE(s.modified_by, '00000000-0000-7000-8000-000000000001'::uuid), s.modified_at
  FROM orchestration.run r
 CROSS JOIN LATERAL orchestration.rule_shares('FlowOrchestrationInstance', r.id) s;
COMMENT ON VIEW orchestration.flow_orchestration_instance_share IS
    'FlowOrchestrationInstanceShare: one row a grant to a run; Manual rows can be written';
ALTER VIEW orchestration.flow_orchestration_instance_share
    ALTER COLUMN row_cause SET DEFAULT 'Manual';
CREATE TRIGGER flow_orchestration_instance_share_change
    INSTEAD OF INSERT OR UPDATE OR DELETE ON orchestration.flow_orchestration_instance_share
    FOR EACH ROW EXECUTE FUNCTION orchestration.share_change('FlowOrchestrationInstance');

CREATE VIEW orchestration.flow_orchestration_stage_instance_share
    WITH (security_invoker = true) AS
SELECT g.id,
       g.access_level,
       g.record_id AS parent_id,
       'Manual'::orchestration.row_cause AS row_cause,
       g.user_or_group_id,
       false AS is_deleted,
       COALESCE(g.modified_by, '00000000-0000-7000-8000-000000000001'::uuid) AS last_modified_by_id,
       g.modified_at AS last_modified_date
  FROM orchestration.share_grant g
 WHERE g.object = 'FlowOrchestrationStageInstance'
UNION ALL
SELECT encode(substr(sha256(uuid_send(r.id) || uuid_send(r.owner_id) || 'Owner'), 1, 16), 'hex')::uuid,
       'All', r.id, 'Owner', r.owner_id, false, '00000000-0000-7000-8000-000000000001'::uuid, r.created_at
  FROM orchestration.stage_run r
UNION ALL
SELECT encode(substr(sha256(uuid_send(r.id) || uuid_send(s.user_or_group_id) || 'Rule'), 1, 16), 'hex')::uuid,
       s.access_level, r.id, 'Rule', s.user_or_group_id, false,
       COALESCE(s.modified_by, '00000000-0000-7000-8000-000000000001'::uuid), s.modified_at
  FROM orchestration.stage_run r
 CROSS JOIN LATERAL orchestration.rule_shares('FlowOrchestrationStageInstance', r.id) s;
COMMENT ON VIEW orchestration.flow_orchestration_stage_instance_share IS
    'FlowOrchestrationStageInstanceShare: one row a grant to a stage; Manual rows can be written';
ALTER VIEW orchestration.flow_orchestration_stage_instance_share
    ALTER COLUMN row_cause SET DEFAULT 'Manual';
CREATE TRIGGER flow_orchestration_stage_instance_share_change
    INSTEAD OF INSERT OR UPDATE OR DELETE ON orchestration.flow_orchestration_stage_instance_share
    FOR EACH ROW EXECUTE FUNCTION orchestration.share_change('FlowOrchestrationStageInstance');

CREATE VIEW orchestration.flow_orchestration_step_instance_share
    WITH (security_invoker = true) AS
SELECT g.id,
       g.access_level,
       g.record_id AS parent_id,
       'Manual'::orchestration.row_cause AS row_cause,
       g.user_or_group_id,
       false AS is_deleted,
       COALESCE(g.modified_by, '00000000-0000-7000-8000-000000000001'::uuid) AS last_modified_by_id,
       g.modified_at AS last_modified_date
  FROM orchestration.share_grant g
 WHERE g.object = 'FlowOrchestrationStepInstance'
UNION ALL
SELECT encode(substr(sha256(uuid_send(r.id) || uuid_send(r.owner_id) || 'Owner'), 1, 16), 'hex')::uuid,
       'All', r.id, 'Owner', r.owner_id, false, '00000000-0000-7000-8000-000000000001'::uuid, r.created_at
  FROM orchestration.step_run r
UNION ALL
SELECT encode(substr(sha256(uuid_send(r.id) || uuid_send(s.user_or_group_id) || 'Rule'), 1, 16), 'hex')::uuid,
       s.access_level, r.id, 'Rule', s.user_or_group_id, false,
       COALESCE(s.modified_by, '00000000-0000-7000-8000-000000000001'::uuid), s.modified_at
  FROM orchestration.step_run r
 CROSS JOIN LATERAL orchestration.rule_shares('FlowOrchestrationStepInstance', r.id) s;
COMMENT ON VIEW orchestration.flow_orchestration_step_instance_share IS
    'FlowOrchestrationStepInstanceShare: one row a grant to a step; Manual rows can be written';
ALTER VIEW orchestration.flow_orchestration_step_instance_share
    ALTER COLUMN row_cause SET DEFAULT 'Manual';
CREATE TRIGGER flow_orchestration_step_instance_share_change
    INSTEAD OF INSERT OR UPDATE OR DELETE ON orchestration.flow_orchestration_step_instance_share
    FOR EACH ROW EXECUTE FUNCTION orchestration.share_change('FlowOrchestrationStepInstance');

-- ------------------------------------------------------------------- rules

CREATE VIEW orchestration.flow_orchestration_instance_owner_sharing_rule
    WITH (security_invoker = true) AS
SELECT r.id,
       COALESCE(r.created_by, '00000000-0000-7000-8000-000000000001'::uuid) AS created_by_id,
       r.created_at AS created_date,
       COALESCE(r.modified_by, '00000000-0000-7000-8000-000000000001'::uuid) AS last_modified_by_id,
       r.modified_at AS last_modified_date,
       r.modified_at AS system_modstamp,
       r.access_level,
       r.description,
       r.developer_name,
       r.group_id,
       r.name,
       r.user_or_group_id
  FROM orchestration.owner_sharing_rule r
 WHERE r.object = 'FlowOrchestrationInstance' AND r.group_id IS NOT NULL;
COMMENT ON VIEW orchestration.flow_orchestration_instance_owner_sharing_rule IS
    'FlowOrchestrationInstanceOwnerSharingRule: what members of a group own is shared with a user or group';
CREATE TRIGGER flow_orchestration_instance_owner_sharing_rule_change
    INSTEAD OF INSERT OR UPDATE OR DELETE ON orchestration.flow_orchestration_instance_owner_sharing_rule
    FOR EACH ROW EXECUTE FUNCTION orchestration.rule_change('FlowOrchestrationInstance');

CREATE VIEW orchestration.flow_orchestration_stage_instance_owner_sharing_rule
    WITH (security_invoker = true) AS
SELECT r.id,
       COALESCE(r.created_by, '00000000-0000-7000-8000-000000000001'::uuid) AS created_by_id,
       r.created_at AS created_date,
       COALESCE(r.modified_by, '00000000-0000-7000-8000-000000000001'::uuid) AS last_modified_by_id,
       r.modified_at AS last_modified_date,
       r.modified_at AS system_modstamp,
       r.access_level,
       r.description,
       r.developer_name,
       r.group_id,
       r.name,
       r.user_or_group_id
  FROM orchestration.owner_sharing_rule r
 WHERE r.object = 'FlowOrchestrationStageInstance' AND r.group_id IS NOT NULL;
COMMENT ON VIEW orchestration.flow_orchestration_stage_instance_owner_sharing_rule IS
    'FlowOrchestrationStageInstanceOwnerSharingRule: what members of a group own is shared with a user or group';
CREATE TRIGGER flow_orchestration_stage_instance_owner_sharing_rule_change
    INSTEAD OF INSERT OR UPDATE OR DELETE ON orchestration.flow_orchestration_stage_instance_owner_sharing_rule
    FOR EACH ROW EXECUTE FUNCTION orchestration.rule_change('FlowOrchestrationStageInstance');

CREATE VIEW orchestration.flow_orchestration_step_instance_owner_sharing_rule
    WITH (security_invoker = true) AS
SELECT r.id,
       COALESCE(r.created_by, '00000000-0000-7000-8000-000000000001'::uuid) AS created_by_id,
       r.created_at AS created_date,
       COALESCE(r.modified_by, '00000000-0000-7000-8000-000000000001'::uuid) AS last_modified_by_id,
       r.modified_at AS last_modified_date,
       r.modified_at AS system_modstamp,
       r.access_level,
       r.description,
       r.developer_name,
       r.group_id,
       r.name,
       r.user_or_group_id
  FROM orchestration.owner_sharing_rule r
 WHERE r.object = 'FlowOrchestrationStepInstance' AND r.group_id IS NOT NULL;
COMMENT ON VIEW orchestration.flow_orchestration_step_instance_owner_sharing_rule IS
    'FlowOrchestrationStepInstanceOwnerSharingRule: what members of a group own is shared with a user or group';
CREATE TRIGGER flow_orchestration_step_instance_owner_sharing_rule_change
    INSTEAD OF INSERT OR UPDATE OR DELETE ON orchestration.flow_orchestration_step_instance_owner_sharing_rule
    FOR EACH ROW EXECUTE FUNCTION orchestration.rule_change('FlowOrchestrationStepInstance');

CREATE TRIGGER principal_immutable
    BEFORE UPDATE OF id, kind ON orchestration.principal
    FOR EACH ROW EXECUTE FUNCTION orchestration.refuse_change();
