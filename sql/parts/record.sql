-- record: record types, the tables that runs are about (src/record/record.c, src/work/run.c).

CREATE FUNCTION orchestration.record_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_record_change';
COMMENT ON FUNCTION orchestration.record_change() IS
    'Trigger of registered tables: keeps lookups to their rows true, starts the orchestrations that they trigger';

CREATE FUNCTION orchestration.record_command() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_record_command';
COMMENT ON FUNCTION orchestration.record_command() IS
    'Event trigger: covers new partitions of registered tables, clears lookups to rows of detached and dropped ones';
CREATE EVENT TRIGGER orchestration_record_command ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION orchestration.record_command();
COMMENT ON EVENT TRIGGER orchestration_record_command IS
    'Partitions that are made, attached or detached: of registered tables, see record_command()';
CREATE EVENT TRIGGER orchestration_record_drop ON sql_drop
    WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP EXTENSION')
    EXECUTE FUNCTION orchestration.record_command();
COMMENT ON EVENT TRIGGER orchestration_record_drop IS
    'Tables that are dropped: registered ones and their partitions, see record_command()';

CREATE FUNCTION orchestration.register_record_type(
    name text,
    relation regclass,
    key_column name DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_register_record_type';
COMMENT ON FUNCTION orchestration.register_record_type(text, regclass, name) IS
    'Lets runs be about the rows of a table, known by its primary key or another unique column';

CREATE FUNCTION orchestration.unregister_record_type(name text)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_unregister_record_type';
COMMENT ON FUNCTION orchestration.unregister_record_type(text) IS
    'Forgets a record type: clears the lookups to it and drops its triggers';
