-- queue: asynchronous steps that are ready or leased, and their failed attempts.

CREATE TABLE orchestration.step_queue (
    run_id       uuid        NOT NULL,
    step_run_id  uuid        NOT NULL,
    orchestration_id uuid    NOT NULL,
    available_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_id     uuid,
    leased_until timestamptz,
    claimed_at   timestamptz,
    attempt      integer     NOT NULL DEFAULT 0,
    failures     integer     NOT NULL DEFAULT 0,
    lost         integer     NOT NULL DEFAULT 0,
    timeout      interval,
    run_as       uuid,
    worker       text,
    topic        text        NOT NULL,
    step_name    text        NOT NULL,
    action       text        NOT NULL,
    inputs       jsonb       NOT NULL,
    CONSTRAINT step_queue_pkey PRIMARY KEY (run_id, step_run_id),
    CONSTRAINT step_queue_step_run_fkey FOREIGN KEY (run_id, step_run_id)
        REFERENCES orchestration.step_run (run_id, id) ON DELETE CASCADE,
    -- available_at is infinity while the run is in Error; one claim would give a lease
    -- of zero length again and again
    CONSTRAINT step_queue_times_check
        CHECK (orchestration_internal.time_in_range('available_at of a queued step', NULLIF(available_at, 'infinity'))
               AND orchestration_internal.time_in_range('leased_until of a queued step', leased_until)
               AND orchestration_internal.time_in_range('claimed_at of a queued step', claimed_at)
               AND orchestration_internal.interval_in_range('timeout', timeout) AND timeout > '0')
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX step_queue_available_idx
    ON orchestration.step_queue (topic, orchestration_id, available_at);
COMMENT ON TABLE orchestration.step_queue IS
    'Asynchronous steps that are ready or leased to a worker; separate from step_run to keep frequently updated rows small';
COMMENT ON COLUMN orchestration.step_queue.available_at IS
    'Time from which the step can be claimed; infinity while its run is in Error. Claims do not change it, so that their updates stay HOT';
COMMENT ON COLUMN orchestration.step_queue.orchestration_id IS
    'Orchestration of the run; claims take steps from all orchestrations in turn';
COMMENT ON COLUMN orchestration.step_queue.leased_until IS
    'Time at which the lease ends and the step can be claimed again; null: the step is not leased';
COMMENT ON COLUMN orchestration.step_queue.failures IS
    'Number of failed attempts; at the max_attempts of its action the step fails';
COMMENT ON COLUMN orchestration.step_queue.lost IS
    'Number of attempts whose lease ended without a report; above orchestration.max_lost_leases the step fails';
COMMENT ON COLUMN orchestration.step_queue.timeout IS
    'Maximum duration of one attempt, copied from the action when the step was queued; null: no limit';
COMMENT ON COLUMN orchestration.step_queue.run_as IS
    'User as whom the action runs (runAsUser); null: none';
COMMENT ON COLUMN orchestration.step_queue.lease_id IS
    'Lease of the current attempt; complete_steps() and fail_steps() must name it';
COMMENT ON COLUMN orchestration.step_queue.attempt IS
    'Number of times that the step was claimed';
COMMENT ON COLUMN orchestration.step_queue.topic IS
    'Topic under which workers claim the step; empty: a function in the database, see run_queued_steps()';
SELECT pg_catalog.pg_extension_config_dump('orchestration.step_queue', '');

CREATE TABLE orchestration.step_attempt (
    run_id      uuid        NOT NULL,
    step_run_id uuid        NOT NULL,
    lease_id    uuid        NOT NULL,
    attempt     integer     NOT NULL,
    worker      text        NOT NULL,
    outcome     orchestration.attempt_outcome NOT NULL,
    claimed_at  timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    error       jsonb,
    CONSTRAINT step_attempt_pkey PRIMARY KEY (run_id, step_run_id, lease_id),
    CONSTRAINT step_attempt_step_run_fkey FOREIGN KEY (run_id, step_run_id)
        REFERENCES orchestration.step_run (run_id, id) ON DELETE CASCADE,
    CONSTRAINT step_attempt_times_check
        CHECK (orchestration_internal.time_in_range('claimed_at of an attempt', claimed_at)
               AND orchestration_internal.time_in_range('ended_at of an attempt', ended_at))
);
COMMENT ON TABLE orchestration.step_attempt IS
    'Attempts of queued steps that did not end their step: failed attempts that are retried, and lost ones. The step itself records the attempt that ends it, so that each attempt has exactly one outcome';
COMMENT ON COLUMN orchestration.step_attempt.error IS
    'Error of the attempt: message, sqlstate, detail, hint, context';
SELECT pg_catalog.pg_extension_config_dump('orchestration.step_attempt', '');
