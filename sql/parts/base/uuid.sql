-- uuid: ids of records (src/base/uuid.c).

CREATE FUNCTION orchestration.new_id() RETURNS pg_catalog.uuid
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_new_id';
COMMENT ON FUNCTION orchestration.new_id() IS
    'Returns a new record id: a uuid of version 7; ids ascend with time';
