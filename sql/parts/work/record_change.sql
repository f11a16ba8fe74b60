-- record_change: triggers on registered tables, and the event triggers that keep their
-- partitions covered (src/work/record_change.c, src/record/record_partition.c).

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
