-- record_change: triggers on registered tables, and the event triggers that keep their
-- partitions covered (src/work/record_change.c, src/record/record_partition.c).

CREATE FUNCTION orchestration.record_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_record_change';
COMMENT ON FUNCTION orchestration.record_change() IS
    'Trigger of registered tables: clears lookups to deleted rows, starts the orchestrations that a change triggers, and moves the runs that wait for it';

CREATE FUNCTION orchestration.record_command() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_record_command';
COMMENT ON FUNCTION orchestration.record_command() IS
    'Event trigger: adds the triggers to new partitions of registered tables, and clears lookups to rows of detached and dropped tables';

CREATE EVENT TRIGGER orchestration_record_command ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA')
    EXECUTE FUNCTION orchestration.record_command();
COMMENT ON EVENT TRIGGER orchestration_record_command IS
    'Calls record_command() when partitions of registered tables are created, attached or detached';

CREATE EVENT TRIGGER orchestration_record_drop ON sql_drop
    WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP EXTENSION')
    EXECUTE FUNCTION orchestration.record_command();
COMMENT ON EVENT TRIGGER orchestration_record_drop IS
    'Calls record_command() when registered tables or their partitions are dropped';
