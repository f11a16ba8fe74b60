-- log: the milestones of runs (src/trail/log.c).

CREATE SEQUENCE orchestration.run_log_number_seq CACHE 32;
COMMENT ON SEQUENCE orchestration.run_log_number_seq IS
    'Numbers of log entries (FlowOrchestrationLog.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run_log_number_seq', '');

CREATE TABLE orchestration.run_log (
    run_id       uuid        NOT NULL,
    number       bigint      NOT NULL
        DEFAULT nextval('orchestration.run_log_number_seq'),
    logged_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind         orchestration.log_kind NOT NULL,
    duration     integer,
    stage_run_id uuid,
    step_run_id  uuid,
    work_item_id uuid,
    assignee_id  uuid,
    actor        text,
    comments     text,
    context      text,
    CONSTRAINT run_log_pkey PRIMARY KEY (run_id, number),
    CONSTRAINT run_log_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT run_log_duration_check CHECK (duration >= 0),
    CONSTRAINT run_log_actor_check CHECK (length(actor) <= 255),
    CONSTRAINT run_log_comments_check CHECK (length(comments) <= 1333),
    CONSTRAINT run_log_context_check CHECK (length(context) <= 80),
    CONSTRAINT run_log_times_check
        CHECK (orchestration_internal.time_in_range('logged_at of a log entry', logged_at)),
    -- the id of an entry ends in the number as 15 hexadecimal digits
    CONSTRAINT run_log_number_check
        CHECK (number >= 0 AND number < 1152921504606846976)
);
CREATE INDEX run_log_logged_idx ON orchestration.run_log USING brin (logged_at);
COMMENT ON TABLE orchestration.run_log IS
    'Milestones of runs: FlowOrchestrationLog (contract/fields.csv)';
COMMENT ON COLUMN orchestration.run_log.number IS
    'Order of the entries of a run; the view computes Name from it, and Id from it and logged_at';
COMMENT ON COLUMN orchestration.run_log.duration IS
    'Whole seconds that the ended run, stage, step or work item lasted; null if the entry is not about an end';
COMMENT ON COLUMN orchestration.run_log.actor IS
    'User who caused the entry, by name, or the role if it acts as no user; null: the automated process user';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run_log', '');

CREATE TABLE orchestration.run_migration (
    run_id       uuid        NOT NULL,
    migrated_at  timestamptz NOT NULL,
    from_version integer,
    to_version   integer     NOT NULL,
    migrated_by  uuid,
    CONSTRAINT run_migration_pkey PRIMARY KEY (run_id, migrated_at),
    CONSTRAINT run_migration_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT run_migration_times_check
        CHECK (orchestration_internal.time_in_range('migrated_at of a migration', migrated_at))
);
COMMENT ON TABLE orchestration.run_migration IS
    'Migrations of runs to other versions; FlowOrchestrationLog takes from it the version that a run had at the time of an entry';
COMMENT ON COLUMN orchestration.run_migration.migrated_at IS
    'Time of the log entry of kind MigrateInstance';
COMMENT ON COLUMN orchestration.run_migration.from_version IS
    'Number of the version that the run had; that version may be deleted. Null: it no longer existed';
COMMENT ON COLUMN orchestration.run_migration.migrated_by IS
    'User who migrated the run; null: a role that acts as no user';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run_migration', '');
