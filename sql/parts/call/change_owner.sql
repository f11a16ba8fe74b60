-- change_owner: a new owner for a record (src/call/change_owner.c).

CREATE FUNCTION orchestration.change_owner(record_id uuid, owner_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_change_owner';
COMMENT ON FUNCTION orchestration.change_owner(uuid, uuid) IS
    'Gives a stage, step or work item to another user, even if the caller then no longer sees it; returns false if that user already owns it';
