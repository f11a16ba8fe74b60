-- save: the documented calls create, update, upsert and delete (src/call/save.c).  They
-- write as the caller.

CREATE FUNCTION orchestration.create(
    records jsonb,
    all_or_none boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_create';
COMMENT ON FUNCTION orchestration.create(jsonb, boolean) IS
    'create: creates up to 200 manual shares or owner sharing rules; returns one SaveResult per record';

CREATE FUNCTION orchestration.update(
    records jsonb,
    all_or_none boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_update';
COMMENT ON FUNCTION orchestration.update(jsonb, boolean) IS
    'update: updates up to 200 records; returns one SaveResult per record';

CREATE FUNCTION orchestration.upsert(
    external_id_field text,
    records jsonb,
    all_or_none boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_upsert';
COMMENT ON FUNCTION orchestration.upsert(text, jsonb, boolean) IS
    'upsert: updates the records that the external id field identifies and creates the others; returns one UpsertResult per record';

CREATE FUNCTION orchestration.delete(
    ids text[],
    all_or_none boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_delete';
COMMENT ON FUNCTION orchestration.delete(text[], boolean) IS
    'delete: deletes up to 200 feed items, manual shares or owner sharing rules; returns one DeleteResult per id';
