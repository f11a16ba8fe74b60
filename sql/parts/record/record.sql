-- record: record types, the users' tables that runs can be about (src/record/record.c,
-- src/record/record_read.c, src/record/record_name.c).

CREATE TABLE orchestration.record_type (
    name        text        NOT NULL,
    schema_name name        NOT NULL,
    table_name  name        NOT NULL,
    key_columns name[]      NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT record_type_pkey PRIMARY KEY (name),
    CONSTRAINT record_type_table_key UNIQUE (schema_name, table_name),
    CONSTRAINT record_type_name_check
        CHECK (name ~ '^[A-Za-z][A-Za-z0-9_]*$' AND length(name) <= 80),
    CONSTRAINT record_type_key_columns_check
        CHECK (cardinality(key_columns) BETWEEN 1 AND 32 AND array_ndims(key_columns) = 1
               AND array_position(key_columns, NULL) IS NULL),
    CONSTRAINT record_type_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a record type', created_at))
);
COMMENT ON TABLE orchestration.record_type IS
    'Tables whose rows a run may be about: the targets of polymorphic lookups; see register_record_type()';
COMMENT ON COLUMN orchestration.record_type.table_name IS
    'The table by name, so that dumps and replicas carry it; the names follow ALTER TABLE, and record_type_table() says which table it is';
SELECT pg_catalog.pg_extension_config_dump('orchestration.record_type', '');

CREATE FUNCTION orchestration.register_record_type(
    record_type text,
    relation regclass,
    key_column name DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_register_record_type';
COMMENT ON FUNCTION orchestration.register_record_type(text, regclass, name) IS
    'Registers a table so that runs can be about its rows; key_column: the column that identifies a row, by default all columns of the primary key';

CREATE FUNCTION orchestration.register_record_type(
    record_type text,
    relation regclass,
    key_columns name[])
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_register_record_type_by_columns';
COMMENT ON FUNCTION orchestration.register_record_type(text, regclass, name[]) IS
    'Registers a table whose rows are identified by several columns together';

CREATE FUNCTION orchestration.unregister_record_type(record_type text)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_unregister_record_type';
COMMENT ON FUNCTION orchestration.unregister_record_type(text) IS
    'Removes a record type, clears the lookups to its records and drops its triggers';

CREATE FUNCTION orchestration.record_exists(record_type text, record_key text)
    RETURNS boolean
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_record_exists';
COMMENT ON FUNCTION orchestration.record_exists(text, text) IS
    'Returns whether a registered record type has a record with this id; false also if the type is not registered';

CREATE FUNCTION orchestration.record_exists(record_type text, record_key "any")
    RETURNS boolean
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_record_exists';
COMMENT ON FUNCTION orchestration.record_exists(text, "any") IS
    'record_exists() with an id of any type';

CREATE FUNCTION orchestration.record_key(record_type text, record_key text)
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_record_key';
COMMENT ON FUNCTION orchestration.record_key(text, text) IS
    'Returns the id of a record as lookups hold it, for an id that may have another spelling; null if there is no such record';

CREATE FUNCTION orchestration.record_key(record_type text, record record)
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_record_key_of_row';
COMMENT ON FUNCTION orchestration.record_key(text, record) IS
    'Returns the id of a row of a registered table, or of a row of the values of its key columns';

CREATE FUNCTION orchestration_internal.record_type_table(name text)
    RETURNS regclass
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_record_type_table';
COMMENT ON FUNCTION orchestration_internal.record_type_table(text) IS
    'Returns the table of a record type, null if there is none: no table has its name, or the one that has it lacks the triggers';

CREATE FUNCTION orchestration_internal.record_type_problem(name text)
    RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_record_type_problem';
COMMENT ON FUNCTION orchestration_internal.record_type_problem(text) IS
    'Returns why a record type cannot be used, null if it can';
