-- retrieve: the documented call retrieve (src/call/retrieve.c).  It reads as the caller.

CREATE FUNCTION orchestration.retrieve(
    fields text[],
    object text,
    ids text[])
    RETURNS json
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_retrieve';
COMMENT ON FUNCTION orchestration.retrieve(text[], text, text[]) IS
    'retrieve: returns up to 2,000 records by their ids, in the order of the ids; null for an id without a record that the caller sees';
