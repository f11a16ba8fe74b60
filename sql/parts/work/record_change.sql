-- record_change: triggers on registered tables, and the event triggers that keep them
-- complete (src/work/record_change.c, src/record/record_command.c).

CREATE FUNCTION orchestration_internal.record_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_record_change';
COMMENT ON FUNCTION orchestration_internal.record_change() IS
    'Trigger of registered tables: clears lookups to deleted rows, starts the orchestrations that a change triggers, and moves the runs that wait for it';

CREATE FUNCTION orchestration_internal.record_changes() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_record_change';
COMMENT ON FUNCTION orchestration_internal.record_changes() IS
    'The same for the statement.  Its trigger marks a registered table: its argument is the record type, and PUBLIC may not execute it';

CREATE FUNCTION orchestration_internal.record_command() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_record_command';
COMMENT ON FUNCTION orchestration_internal.record_command() IS
    'Event trigger: keeps the triggers of registered tables complete, lets record types follow renamed and swapped tables, and warns of what orchestrations read and is gone';

CREATE EVENT TRIGGER orchestration_record_command ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE SCHEMA', 'ALTER SCHEMA', 'ALTER INDEX',
                 'ALTER EXTENSION')
    EXECUTE FUNCTION orchestration_internal.record_command();
COMMENT ON EVENT TRIGGER orchestration_record_command IS
    'Calls record_command() when tables are renamed, altered, or become partitions or children';

CREATE EVENT TRIGGER orchestration_record_drop ON sql_drop
    WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP DOMAIN',
                 'DROP EXTENSION', 'ALTER TABLE', 'ALTER EXTENSION')
    EXECUTE FUNCTION orchestration_internal.record_command();
COMMENT ON EVENT TRIGGER orchestration_record_drop IS
    'Calls record_command() when registered tables, their partitions or columns are dropped';
