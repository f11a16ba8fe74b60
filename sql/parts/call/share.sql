-- share: calls that manage sharing, and the functions of the views of shares and rules
-- (src/call/share.c, src/call/share_view.c).

CREATE FUNCTION orchestration.share_record(
    record_id uuid,
    user_or_group_id uuid,
    access_level orchestration.access_level DEFAULT 'Read')
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_share_record';
COMMENT ON FUNCTION orchestration.share_record(uuid, uuid, orchestration.access_level) IS
    'Shares a run, stage, step, work item or approval submission with a user, group or queue; returns the id of the manual share';

CREATE FUNCTION orchestration.unshare_record(
    record_id uuid,
    user_or_group_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_unshare_record';
COMMENT ON FUNCTION orchestration.unshare_record(uuid, uuid) IS
    'Removes a manual share; returns false if there is none';

CREATE FUNCTION orchestration.set_default_access(
    object orchestration.shared_object,
    sharing_model orchestration.sharing_model)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_default_access';
COMMENT ON FUNCTION orchestration.set_default_access(orchestration.shared_object, orchestration.sharing_model) IS
    'Sets the access of every active user to all records of an object';

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
    'Shares the records of all runs of an orchestration with a user, group or queue; returns the ids of the rules, one per object';

CREATE FUNCTION orchestration.delete_sharing_rule(rule_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_delete_sharing_rule';
COMMENT ON FUNCTION orchestration.delete_sharing_rule(uuid) IS
    'Deletes a sharing rule and with it the access that it gave; returns false if there is none';

CREATE TYPE orchestration.access_cause AS (
    object orchestration.shared_object,
    cause text,
    access_level orchestration.access_level,
    granted_to uuid,
    source_id uuid,
    detail text);
COMMENT ON TYPE orchestration.access_cause IS
    'An access of a user to a record and its cause, of explain_access()';

CREATE FUNCTION orchestration.explain_access(
    record_id uuid,
    user_id uuid)
    RETURNS SETOF orchestration.access_cause
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_explain_access';
COMMENT ON FUNCTION orchestration.explain_access(uuid, uuid) IS
    'Returns every grant that gives a user access to a record; the caller must have the right to manage sharing of the record';

CREATE TYPE orchestration.record_access AS (
    record_id uuid,
    user_id uuid,
    has_read_access boolean,
    has_edit_access boolean,
    has_delete_access boolean,
    has_transfer_access boolean,
    has_all_access boolean,
    max_access_level text);
COMMENT ON TYPE orchestration.record_access IS
    'The access that a user has to a record, of user_record_access()';

CREATE FUNCTION orchestration.user_record_access(
    record_ids uuid[],
    user_id uuid DEFAULT NULL)
    RETURNS SETOF orchestration.record_access
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_user_record_access';
COMMENT ON FUNCTION orchestration.user_record_access(uuid[], uuid) IS
    'UserRecordAccess: returns what a user, by default the caller, may do with up to 200 records';

CREATE FUNCTION orchestration_internal.rule_shares(
    object orchestration.shared_object,
    record_id uuid,
    OUT user_or_group_id uuid,
    OUT access_level orchestration.access_level,
    OUT modified_by uuid,
    OUT modified_at timestamptz)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE ROWS 10
    AS 'MODULE_PATHNAME', 'orchestration_rule_shares';
COMMENT ON FUNCTION orchestration_internal.rule_shares(orchestration.shared_object, uuid) IS
    'Returns the principals to whom sharing rules give access to a record: the Rule rows of the share views';

CREATE FUNCTION orchestration_internal.share_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_share_change';
COMMENT ON FUNCTION orchestration_internal.share_change() IS
    'Trigger of the share views: writes manual shares';

CREATE FUNCTION orchestration_internal.rule_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_rule_change';
COMMENT ON FUNCTION orchestration_internal.rule_change() IS
    'Trigger of the views of owner sharing rules: writes the rules';
