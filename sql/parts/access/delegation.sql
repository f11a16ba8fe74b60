-- delegation: calls that say who may answer approvals for whom (src/access/delegation.c);
-- the table is in sql/parts/record/approval.sql.

CREATE FUNCTION orchestration.set_delegated_approver(user_id uuid, delegate_id uuid)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_delegated_approver';
COMMENT ON FUNCTION orchestration.set_delegated_approver(uuid, uuid) IS
    'Makes a user, or the members of a group or queue, the delegate who may answer a user''s approvals; null: none';

CREATE FUNCTION orchestration.create_approval_delegation(
    delegated_from uuid,
    delegated_to uuid,
    end_date timestamptz DEFAULT NULL,
    comments text DEFAULT NULL)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_create_approval_delegation';
COMMENT ON FUNCTION orchestration.create_approval_delegation(uuid, uuid, timestamptz, text) IS
    'Lets a user, or the members of a group or queue, answer a user''s approvals until end_date; a second call with both changes the rest; returns the id of the delegation';

CREATE FUNCTION orchestration.delete_approval_delegation(delegation_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_delete_approval_delegation';
COMMENT ON FUNCTION orchestration.delete_approval_delegation(uuid) IS
    'Ends a delegation; returns false if there is none';

CREATE FUNCTION orchestration.set_manager(user_id uuid, manager_id uuid)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_manager';
COMMENT ON FUNCTION orchestration.set_manager(uuid, uuid) IS
    'Puts a user under another, who may answer the user''s approvals if orchestration.managers_review is on; null: none';
