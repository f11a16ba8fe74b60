-- run: runs, their stages and their steps.
--
-- Every table about a run has run_id as the first column of its primary key, so that
-- the rows of one run can later be placed on one machine.  No index of run, stage_run
-- or step_run contains status, neither as a column nor in its predicate: an update of
-- status then stays on its page (HOT).
--
-- run has no foreign key to principal or orchestration_version.  With one, every new
-- run would lock the same few rows FOR KEY SHARE, and concurrent starts would queue on
-- their multixacts.  Principals cannot be deleted, and versions only while no run
-- has them (src/definition/definition_hold.c).  The guard checks the references when they
-- are set, verify() checks them afterwards.

CREATE SEQUENCE orchestration.run_name_seq;
COMMENT ON SEQUENCE orchestration.run_name_seq IS
    'Numbers of run names (FlowOrchestrationInstance.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run_name_seq', '');

CREATE TABLE orchestration.run (
    id                     uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id               uuid        NOT NULL
        DEFAULT '00000000-0000-7000-8000-000000000001',
    orchestration_id       uuid,
    version_id             uuid,
    created_at             timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by             uuid,
    name                   text        NOT NULL
        DEFAULT 'OR-' || replace(format('%8s', nextval('orchestration.run_name_seq')), ' ', '0'),
    orchestration_name     text,
    orchestration_label    text,
    triggering_record_type text,
    triggering_record_id   text,
    idempotency_key        text,
    interview_id           uuid,
    status                 orchestration.run_status NOT NULL,
    error_recoverable      boolean,
    modified_at            timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by            uuid,
    ended_at               timestamptz,
    current_stage          text,
    variables              jsonb,
    error                  jsonb,
    modified_minute integer GENERATED ALWAYS AS (orchestration_internal.minute_of(modified_at)) STORED,
    idempotency_digest     bytea,
    is_approval            boolean     NOT NULL DEFAULT false,
    CONSTRAINT run_pkey PRIMARY KEY (id),
    CONSTRAINT run_name_key UNIQUE (name),
    CONSTRAINT run_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT run_current_stage_check CHECK (length(current_stage) <= 100),
    CONSTRAINT run_triggering_record_check
        CHECK (triggering_record_id IS NULL OR triggering_record_type IS NOT NULL),
    CONSTRAINT run_ended_check
        CHECK ((status IN ('Completed', 'Canceled', 'Error')) = (ended_at IS NOT NULL)),
    CONSTRAINT run_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a run', created_at)
               AND orchestration_internal.time_in_range('modified_at of a run', modified_at)
               AND orchestration_internal.time_in_range('ended_at of a run', ended_at))
) WITH (fillfactor = 50);
CREATE INDEX run_modified_minute_idx ON orchestration.run (modified_minute);
CREATE INDEX run_owner_idx ON orchestration.run (owner_id);
CREATE INDEX run_orchestration_idx ON orchestration.run (orchestration_id);
CREATE INDEX run_created_idx ON orchestration.run (created_at);
-- for SOQL, whose queries have the id alone
CREATE INDEX run_triggering_record_idx
    ON orchestration.run (triggering_record_id, triggering_record_type)
    WHERE triggering_record_id IS NOT NULL;
-- COLLATE: without regard to case, as SOQL compares
CREATE INDEX run_orchestration_name_idx
    ON orchestration.run (orchestration_name COLLATE orchestration.case_insensitive, created_at);
CREATE INDEX run_name_idx ON orchestration.run (name COLLATE orchestration.case_insensitive);
CREATE UNIQUE INDEX run_idempotency_key_idx
    ON orchestration.run (orchestration_name, idempotency_key, created_by)
    NULLS NOT DISTINCT
    WHERE idempotency_key IS NOT NULL;
COMMENT ON TABLE orchestration.run IS
    'Orchestration runs: FlowOrchestrationInstance (contract/fields.csv)';
COMMENT ON COLUMN orchestration.run.modified_minute IS
    'modified_at in whole minutes, for get_updated(): an index on modified_at itself would prevent HOT updates';
COMMENT ON COLUMN orchestration.run.version_id IS
    'Orchestration version of the run, which only migrate_run() and migrate_runs() change; null: the run was imported without a version, and the engine does not move it';
COMMENT ON COLUMN orchestration.run.orchestration_id IS
    'Orchestration of the version, for sharing rules that name an orchestration; the stages, steps and work items of the run have the same';
COMMENT ON COLUMN orchestration.run.created_by IS
    'User who started the run; null: the automated process user';
COMMENT ON COLUMN orchestration.run.modified_by IS
    'User who last changed the run; null: the automated process user';
COMMENT ON COLUMN orchestration.run.ended_at IS
    'Time at which the run became Completed, Canceled or Error; Duration stops there';
COMMENT ON COLUMN orchestration.run.idempotency_key IS
    'A repeated start_orchestration() by the same user with the same key returns this run; keys of different users are independent, so that a key reveals no other user''s run';
COMMENT ON COLUMN orchestration.run.is_approval IS
    'The run is of an ApprovalWorkflow and has a submission (approval_submission)';
COMMENT ON COLUMN orchestration.run.idempotency_digest IS
    'SHA-256 of the record and the inputs with which the idempotency key was used: the same key with others is refused';
COMMENT ON COLUMN orchestration.run.error IS
    'Error of a run in status Error: message, sqlstate, detail, hint, context, element';
COMMENT ON COLUMN orchestration.run.error_recoverable IS
    'Runs in status Error: whether resume_run() can resume the run, for orchestration.resume_window days';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run', '');

CREATE TABLE orchestration.stage_run (
    run_id      uuid        NOT NULL,
    id          uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id    uuid        NOT NULL
        DEFAULT '00000000-0000-7000-8000-000000000001',
    orchestration_id uuid,
    created_at  timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by  uuid,
    name        text        NOT NULL,
    label       text        NOT NULL,
    position    integer     NOT NULL,
    status      orchestration.stage_status NOT NULL,
    modified_at timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by uuid,
    ended_at    timestamptz,
    error       jsonb,
    modified_minute integer GENERATED ALWAYS AS (orchestration_internal.minute_of(modified_at)) STORED,
    CONSTRAINT stage_run_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT stage_run_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT stage_run_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT stage_run_label_check CHECK (length(label) <= 80),
    CONSTRAINT stage_run_position_check CHECK (position > 0),
    CONSTRAINT stage_run_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a stage', created_at)
               AND orchestration_internal.time_in_range('modified_at of a stage', modified_at)
               AND orchestration_internal.time_in_range('ended_at of a stage', ended_at))
) WITH (fillfactor = 50);
CREATE INDEX stage_run_id_idx ON orchestration.stage_run (id);
CREATE INDEX stage_run_modified_minute_idx ON orchestration.stage_run (modified_minute);
CREATE INDEX stage_run_owner_idx ON orchestration.stage_run (owner_id);
CREATE INDEX stage_run_orchestration_idx ON orchestration.stage_run (orchestration_id);
COMMENT ON TABLE orchestration.stage_run IS
    'Stages of runs: FlowOrchestrationStageInstance (contract/fields.csv)';
COMMENT ON COLUMN orchestration.stage_run.modified_minute IS
    'modified_at in whole minutes, for get_updated(): an index on modified_at itself would prevent HOT updates';
COMMENT ON COLUMN orchestration.stage_run.position IS
    'Order in which the run reached its stages, from 1';
COMMENT ON COLUMN orchestration.stage_run.error IS
    'Error of a stage in status Error: message, sqlstate, detail, hint, context, element';
SELECT pg_catalog.pg_extension_config_dump('orchestration.stage_run', '');

CREATE TABLE orchestration.step_run (
    run_id       uuid        NOT NULL,
    id           uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id     uuid        NOT NULL
        DEFAULT '00000000-0000-7000-8000-000000000001',
    orchestration_id uuid,
    stage_run_id uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by   uuid,
    step_type    orchestration.step_type NOT NULL,
    name         text        NOT NULL,
    label        text        NOT NULL,
    description  text,
    status       orchestration.step_status NOT NULL,
    attempt      integer     NOT NULL DEFAULT 0,
    modified_at  timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by  uuid,
    started_at   timestamptz,
    ended_at     timestamptz,
    outputs      jsonb,
    pending      jsonb,
    error        jsonb,
    lease_id     uuid,
    modified_minute integer GENERATED ALWAYS AS (orchestration_internal.minute_of(modified_at)) STORED,
    CONSTRAINT step_run_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT step_run_stage_run_fkey FOREIGN KEY (run_id, stage_run_id)
        REFERENCES orchestration.stage_run (run_id, id) ON DELETE CASCADE,
    CONSTRAINT step_run_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT step_run_label_check CHECK (length(label) <= 80),
    CONSTRAINT step_run_description_check CHECK (length(description) <= 32000),
    CONSTRAINT step_run_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a step', created_at)
               AND orchestration_internal.time_in_range('modified_at of a step', modified_at)
               AND orchestration_internal.time_in_range('started_at of a step', started_at)
               AND orchestration_internal.time_in_range('ended_at of a step', ended_at))
) WITH (fillfactor = 45);
CREATE INDEX step_run_id_idx ON orchestration.step_run (id);
CREATE INDEX step_run_modified_minute_idx ON orchestration.step_run (modified_minute);
CREATE INDEX step_run_owner_idx ON orchestration.step_run (owner_id);
CREATE INDEX step_run_orchestration_idx ON orchestration.step_run (orchestration_id);
CREATE INDEX step_run_stage_idx ON orchestration.step_run (stage_run_id);
COMMENT ON TABLE orchestration.step_run IS
    'Steps of runs: FlowOrchestrationStepInstance (contract/fields.csv)';
COMMENT ON COLUMN orchestration.step_run.modified_minute IS
    'modified_at in whole minutes, for get_updated(): an index on modified_at itself would prevent HOT updates';
COMMENT ON COLUMN orchestration.step_run.attempt IS
    'Number of times that the action was started';
COMMENT ON COLUMN orchestration.step_run.outputs IS
    'Outputs of the action; conditions and inputs can read them once the step is Completed';
COMMENT ON COLUMN orchestration.step_run.pending IS
    'Outcome that arrived while the run was Suspended or in Error: {"outcome": "Completed" or "Error", "outputs": ..., "error": ...}';
COMMENT ON COLUMN orchestration.step_run.lease_id IS
    'Lease whose result ended the step; the same result again is accepted and changes nothing';
COMMENT ON COLUMN orchestration.step_run.error IS
    'Error of a step in status Error: message, sqlstate, detail, hint, context';
SELECT pg_catalog.pg_extension_config_dump('orchestration.step_run', '');

-- Only the engine writes here, under the lock on the run (src/engine/engine_record.c).
CREATE TABLE orchestration.run_record (
    run_id      uuid    NOT NULL,
    variable    text    NOT NULL,
    position    integer NOT NULL,
    record_type text    NOT NULL,
    record_key  text    NOT NULL,
    CONSTRAINT run_record_pkey PRIMARY KEY (run_id, variable, position),
    CONSTRAINT run_record_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE
);
CREATE INDEX run_record_record_idx ON orchestration.run_record (record_key, record_type);
COMMENT ON TABLE orchestration.run_record IS
    'Records in the SObject variables of runs: the run reads them again when it goes on, and a change of one of them lets its conditions be evaluated';
COMMENT ON COLUMN orchestration.run_record.position IS
    'Number of the record in a collection, from 1; 1 for a variable that is no collection';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run_record', '');
