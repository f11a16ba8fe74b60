-- access: which user a session acts as, and the functions of the policies
-- (src/access/access_policy.c, src/access/access_support.c, src/access/access_check.c).
-- The role that reads a table executes them; each tells a caller about that caller
-- only, so privilege.sql grants them to PUBLIC.

CREATE FUNCTION orchestration.acting_user_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_acting_user_id';
COMMENT ON FUNCTION orchestration.acting_user_id() IS
    'Returns the active user that the session acts as: the one in orchestration.user_id, or the one whose role_name is the current role; null: none';

CREATE FUNCTION orchestration_internal.is_user() RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_is_user';
COMMENT ON FUNCTION orchestration_internal.is_user() IS
    'Policy: the session acts as an active user';

CREATE FUNCTION orchestration_internal.sees_sharing() RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_sees_sharing';
COMMENT ON FUNCTION orchestration_internal.sees_sharing() IS
    'Policy: the user of the session has View All Data or Modify All Data';

CREATE FUNCTION orchestration_internal.manages_definitions() RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_manages_definitions';
COMMENT ON FUNCTION orchestration_internal.manages_definitions() IS
    'Policy: the user of the session has Manage Flow';

CREATE FUNCTION orchestration_internal.owner_visible_support(internal) RETURNS internal
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'orchestration_owner_visible_support';
COMMENT ON FUNCTION orchestration_internal.owner_visible_support(internal) IS
    'Planner support of owner_visible()';

CREATE FUNCTION orchestration_internal.record_shared_support(internal) RETURNS internal
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'orchestration_record_shared_support';
COMMENT ON FUNCTION orchestration_internal.record_shared_support(internal) IS
    'Planner support of record_shared()';

CREATE FUNCTION orchestration_internal.orchestration_visible_support(internal) RETURNS internal
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'orchestration_orchestration_visible_support';
COMMENT ON FUNCTION orchestration_internal.orchestration_visible_support(internal) IS
    'Planner support of orchestration_visible()';

CREATE FUNCTION orchestration_internal.assignee_visible_support(internal) RETURNS internal
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'orchestration_assignee_visible_support';
COMMENT ON FUNCTION orchestration_internal.assignee_visible_support(internal) IS
    'Planner support of assignee_visible()';

CREATE FUNCTION orchestration_internal.approval_visible_support(internal) RETURNS internal
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'orchestration_approval_visible_support';
COMMENT ON FUNCTION orchestration_internal.approval_visible_support(internal) IS
    'Planner support of approval_visible()';

CREATE FUNCTION orchestration_internal.submission_reviewed_support(internal) RETURNS internal
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'orchestration_submission_reviewed_support';
COMMENT ON FUNCTION orchestration_internal.submission_reviewed_support(internal) IS
    'Planner support of submission_reviewed()';

CREATE FUNCTION orchestration_internal.record_visible_support(internal) RETURNS internal
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'orchestration_record_visible_support';
COMMENT ON FUNCTION orchestration_internal.record_visible_support(internal) IS
    'Planner support of record_visible()';

CREATE FUNCTION orchestration_internal.owner_visible(
    object orchestration.shared_object,
    owner_id uuid)
    RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1
    SUPPORT orchestration_internal.owner_visible_support
    AS 'MODULE_PATHNAME', 'orchestration_owner_visible';
COMMENT ON FUNCTION orchestration_internal.owner_visible(orchestration.shared_object, uuid) IS
    'Policy: the caller sees the records of this object with this owner; true for every owner if the caller sees all records';

CREATE FUNCTION orchestration_internal.record_shared(
    object orchestration.shared_object,
    record_id uuid)
    RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1
    SUPPORT orchestration_internal.record_shared_support
    AS 'MODULE_PATHNAME', 'orchestration_record_shared';
COMMENT ON FUNCTION orchestration_internal.record_shared(orchestration.shared_object, uuid) IS
    'Policy: a manual share gives the caller access to the record';

CREATE FUNCTION orchestration_internal.orchestration_visible(
    object orchestration.shared_object,
    orchestration_id uuid)
    RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1
    SUPPORT orchestration_internal.orchestration_visible_support
    AS 'MODULE_PATHNAME', 'orchestration_orchestration_visible';
COMMENT ON FUNCTION orchestration_internal.orchestration_visible(orchestration.shared_object, uuid) IS
    'Policy: a sharing rule gives the caller access to the records of this object from this orchestration';

CREATE FUNCTION orchestration_internal.assignee_visible(assignee_id uuid)
    RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1
    SUPPORT orchestration_internal.assignee_visible_support
    AS 'MODULE_PATHNAME', 'orchestration_assignee_visible';
COMMENT ON FUNCTION orchestration_internal.assignee_visible(uuid) IS
    'Policy: the assignee is the caller, or a group or queue of the caller';

CREATE FUNCTION orchestration_internal.approval_visible(is_approval boolean, assignee_id uuid)
    RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1
    SUPPORT orchestration_internal.approval_visible_support
    AS 'MODULE_PATHNAME', 'orchestration_approval_visible';
COMMENT ON FUNCTION orchestration_internal.approval_visible(boolean, uuid) IS
    'Policy: the caller may answer the approval for its assignee, as a delegate or from above';

CREATE FUNCTION orchestration_internal.submission_reviewed(submission_id uuid)
    RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
    SUPPORT orchestration_internal.submission_reviewed_support
    AS 'MODULE_PATHNAME', 'orchestration_submission_reviewed';
COMMENT ON FUNCTION orchestration_internal.submission_reviewed(uuid) IS
    'Returns whether the caller, or an assignee for whom the caller may answer, was asked to decide about the approval submission: policy of submissions';

CREATE FUNCTION orchestration_internal.record_visible(
    object orchestration.shared_object,
    record_id uuid)
    RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
    SUPPORT orchestration_internal.record_visible_support
    AS 'MODULE_PATHNAME', 'orchestration_record_visible';
COMMENT ON FUNCTION orchestration_internal.record_visible(orchestration.shared_object, uuid) IS
    'Policy of rows that belong to a record: the caller sees the record';

CREATE FUNCTION orchestration_internal.visible_owner_ids(object orchestration.shared_object)
    RETURNS uuid[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_visible_owner_ids';
COMMENT ON FUNCTION orchestration_internal.visible_owner_ids(orchestration.shared_object) IS
    'Returns the owners whose records of the object the caller sees: index condition of owner_visible()';

CREATE FUNCTION orchestration_internal.shared_record_ids(object orchestration.shared_object)
    RETURNS uuid[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_shared_record_ids';
COMMENT ON FUNCTION orchestration_internal.shared_record_ids(orchestration.shared_object) IS
    'Returns the records to which manual shares give the caller access: index condition of record_shared()';

CREATE FUNCTION orchestration_internal.visible_orchestration_ids(object orchestration.shared_object)
    RETURNS uuid[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_visible_orchestration_ids';
COMMENT ON FUNCTION orchestration_internal.visible_orchestration_ids(orchestration.shared_object) IS
    'Returns the orchestrations to whose records sharing rules give the caller access: index condition of orchestration_visible()';

CREATE FUNCTION orchestration.acting_principal_ids()
    RETURNS uuid[]
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_acting_principal_ids';
COMMENT ON FUNCTION orchestration.acting_principal_ids() IS
    'Returns the user that the session acts as and all groups and queues of that user: index condition of assignee_visible()';

CREATE FUNCTION orchestration_internal.reviewed_principal_ids()
    RETURNS uuid[]
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_reviewed_principal_ids';
COMMENT ON FUNCTION orchestration_internal.reviewed_principal_ids() IS
    'Returns the users for whom the caller may answer approvals, and their groups and queues: index condition of approval_visible()';

CREATE FUNCTION orchestration_internal.reviewed_submission_ids()
    RETURNS uuid[]
    LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_reviewed_submission_ids';
COMMENT ON FUNCTION orchestration_internal.reviewed_submission_ids() IS
    'Returns the approval submissions about which the caller, or an assignee for whom the caller may answer, was asked: index condition of submission_reviewed()';

CREATE FUNCTION orchestration_internal.unestimated(ids uuid[])
    RETURNS uuid[]
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_unestimated';
COMMENT ON FUNCTION orchestration_internal.unestimated(uuid[]) IS
    'Returns its argument; the planner cannot look into the array';

CREATE FUNCTION orchestration_internal.guard_judges(
    object orchestration.shared_object,
    record_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'orchestration_guard_judges';
COMMENT ON FUNCTION orchestration_internal.guard_judges(orchestration.shared_object, uuid) IS
    'Policy of updates: returns true, or raises an error if session_replication_role keeps the triggers that check rights from firing';
