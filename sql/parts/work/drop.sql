-- drop: DROP EXTENSION is refused while runs are open (src/work/drop.c).

CREATE FUNCTION orchestration_internal.drop_command() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_drop_command';
COMMENT ON FUNCTION orchestration_internal.drop_command() IS
    'Event trigger: refuses to drop the extension without CASCADE while runs are open';

CREATE EVENT TRIGGER orchestration_drop_command ON ddl_command_start
    WHEN TAG IN ('DROP EXTENSION', 'DROP OWNED')
    EXECUTE FUNCTION orchestration_internal.drop_command();
COMMENT ON EVENT TRIGGER orchestration_drop_command IS
    'Calls drop_command() before an extension, or all objects of a role, are dropped';
