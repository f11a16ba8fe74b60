-- call: the documented calls on records (src/call/retrieve.c, src/call/save.c,
-- src/call/replicate.c, src/call/change_owner.c).  They read and write as the caller.

CREATE FUNCTION orchestration.retrieve(
    fields text[],
    object text,
    ids text[])
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_retrieve';
COMMENT ON FUNCTION orchestration.retrieve(text[], text, text[]) IS
    'retrieve: up to 2,000 records by their ids, in the order of the ids, null for those that are not there';

CREATE FUNCTION orchestration.create(
    records jsonb,
    all_or_none boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_create';
COMMENT ON FUNCTION orchestration.create(jsonb, boolean) IS
    'create: up to 200 manual shares or owner sharing rules; returns a SaveResult for each';

CREATE FUNCTION orchestration.update(
    records jsonb,
    all_or_none boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_update';
COMMENT ON FUNCTION orchestration.update(jsonb, boolean) IS
    'update: up to 200 records; returns a SaveResult for each';

CREATE FUNCTION orchestration.upsert(
    external_id_field text,
    records jsonb,
    all_or_none boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_upsert';
COMMENT ON FUNCTION orchestration.upsert(text, jsonb, boolean) IS
    'upsert: updates the records that the field names, creates the others; returns an UpsertResult for each';

CREATE FUNCTION orchestration.delete(
    ids text[],
    all_or_none boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_delete';
COMMENT ON FUNCTION orchestration.delete(text[], boolean) IS
    'delete: up to 200 feed items, manual shares or owner sharing rules; returns a DeleteResult for each';

CREATE FUNCTION orchestration.get_updated(
    object text,
    start_date timestamptz,
    end_date timestamptz)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_get_updated';
COMMENT ON FUNCTION orchestration.get_updated(text, timestamptz, timestamptz) IS
    'getUpdated: ids of the records created or changed in a window, and how far it is complete';

CREATE FUNCTION orchestration.get_deleted(
    object text,
    start_date timestamptz,
    end_date timestamptz)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_get_deleted';
COMMENT ON FUNCTION orchestration.get_deleted(text, timestamptz, timestamptz) IS
    'getDeleted: ids of the records deleted in a window, and how far it is complete';

CREATE FUNCTION orchestration.change_owner(record_id uuid, owner_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_change_owner';
COMMENT ON FUNCTION orchestration.change_owner(uuid, uuid) IS
    'Gives a stage, step or work item to another user, also when the caller then no longer sees it; false: it was his already';
