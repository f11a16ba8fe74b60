-- replicate: the documented calls getUpdated and getDeleted (src/call/replicate.c).
-- They read as the caller.

CREATE FUNCTION orchestration.get_updated(
    object text,
    start_date timestamptz,
    end_date timestamptz)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_get_updated';
COMMENT ON FUNCTION orchestration.get_updated(text, timestamptz, timestamptz) IS
    'getUpdated: returns the ids of records created or changed in a window, and the time up to which the answer is complete';

CREATE FUNCTION orchestration.get_deleted(
    object text,
    start_date timestamptz,
    end_date timestamptz)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_get_deleted';
COMMENT ON FUNCTION orchestration.get_deleted(text, timestamptz, timestamptz) IS
    'getDeleted: returns the ids of records deleted in a window, and the time up to which the answer is complete';
