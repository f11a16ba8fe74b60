-- layout: the documented call describeLayout, and layouts that administrators store
-- (src/call/layout.c).

CREATE FUNCTION orchestration.describe_layout(
    object text,
    layout_name text DEFAULT NULL,
    record_type_ids text[] DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_describe_layout';
COMMENT ON FUNCTION orchestration.describe_layout(text, text, text[]) IS
    'describeLayout: describes how the records of an object are shown';

CREATE FUNCTION orchestration.set_layout(object text, layout jsonb)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_layout';
COMMENT ON FUNCTION orchestration.set_layout(text, jsonb) IS
    'Stores the layout that describe_layout() returns for an object: {"sections": [{"heading": ..., "columns": 1, "fields": [...]}], "relatedLists": [{"name": ..., "columns": [...]}]}; null restores the layout made from its fields';
