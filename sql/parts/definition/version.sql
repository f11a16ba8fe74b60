-- version: deletion of versions and orchestrations, and the log of what became of them
-- (src/definition/definition_version.c).

CREATE TABLE orchestration.definition_log (
    id                 uuid        NOT NULL DEFAULT orchestration.new_id(),
    orchestration_id   uuid        NOT NULL,
    orchestration_name text        NOT NULL,
    version            integer,
    event              text        NOT NULL,
    logged_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id            uuid,
    role_name          text        NOT NULL,
    CONSTRAINT definition_log_pkey PRIMARY KEY (id),
    CONSTRAINT definition_log_event_check
        CHECK (event IN ('Activated', 'Deactivated', 'Deleted')),
    CONSTRAINT definition_log_times_check
        CHECK (orchestration_internal.time_in_range('logged_at of an entry', logged_at))
);
CREATE INDEX definition_log_orchestration_idx
    ON orchestration.definition_log (orchestration_id, logged_at);
COMMENT ON TABLE orchestration.definition_log IS
    'Who activated, deactivated and deleted versions of orchestrations, and when; users with Manage Flow see it';
COMMENT ON COLUMN orchestration.definition_log.orchestration_id IS
    'Orchestration, which may be deleted: there is no foreign key';
COMMENT ON COLUMN orchestration.definition_log.version IS
    'Version; null: the orchestration was deleted with all its versions';
COMMENT ON COLUMN orchestration.definition_log.user_id IS
    'User whom the session acted as; null: none, see role_name';
COMMENT ON COLUMN orchestration.definition_log.role_name IS
    'Role that was logged in (session_user)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.definition_log', '');

CREATE TRIGGER definition_log_immutable
    BEFORE UPDATE OR DELETE ON orchestration.definition_log
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.refuse_change('It records what happened.');
COMMENT ON TRIGGER definition_log_immutable ON orchestration.definition_log IS
    'What happened cannot be changed';
CREATE TRIGGER definition_log_truncate
    BEFORE TRUNCATE ON orchestration.definition_log
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.refuse_change('It records what happened.');
COMMENT ON TRIGGER definition_log_truncate ON orchestration.definition_log IS
    'What happened cannot be removed';

CREATE FUNCTION orchestration_internal.log_activation() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_log_activation';
COMMENT ON FUNCTION orchestration_internal.log_activation() IS
    'Trigger: records who changed the active version';

CREATE TRIGGER orchestration_definition_log_activation
    AFTER UPDATE OF active_version ON orchestration.orchestration_definition
    FOR EACH ROW WHEN (OLD.active_version IS DISTINCT FROM NEW.active_version)
    EXECUTE FUNCTION orchestration_internal.log_activation();
COMMENT ON TRIGGER orchestration_definition_log_activation
    ON orchestration.orchestration_definition IS
    'Records in definition_log who activated and deactivated versions';

CREATE FUNCTION orchestration.delete_orchestration_version(orchestration pg_catalog.text, version pg_catalog.int4)
    RETURNS pg_catalog.void
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_delete_orchestration_version';
COMMENT ON FUNCTION orchestration.delete_orchestration_version(pg_catalog.text, pg_catalog.int4) IS
    'Deletes a version that is not active and has no runs; its number is not given again';

CREATE FUNCTION orchestration.delete_orchestration(orchestration pg_catalog.text)
    RETURNS pg_catalog.void
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_delete_orchestration';
COMMENT ON FUNCTION orchestration.delete_orchestration(pg_catalog.text) IS
    'Deletes an orchestration that is not active and has neither runs nor sharing rules, with all its versions';
