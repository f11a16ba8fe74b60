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
    -- available_at is infinity while the run is in Error; a lease that ends when it begins
    -- would be given again and again by one claim
    CONSTRAINT step_queue_times_check
        CHECK (orchestration.time_in_range('available_at of a queued step', NULLIF(available_at, 'infinity'))
               AND orchestration.time_in_range('leased_until of a queued step', leased_until)
               AND orchestration.time_in_range('claimed_at of a queued step', claimed_at)
               AND orchestration.interval_in_range('timeout', timeout) AND timeout > '0')
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX step_queue_available_idx
    ON orchestration.step_queue (topic, orchestration_id, available_at);
COMMENT ON TABLE orchestration.step_queue IS
    'Asynchronous steps that wait for a worker or are leased to one: narrow and hot, apart from step_run';
COMMENT ON COLUMN orchestration.step_queue.available_at IS
    'From when on it may be claimed; infinity while its run is in Error.  Not changed by claims: they would cost the row its HOT';
COMMENT ON COLUMN orchestration.step_queue.orchestration_id IS
    'That of its run: claims take from all orchestrations in turn';
COMMENT ON COLUMN orchestration.step_queue.leased_until IS
    'When the lease ends and it can be claimed again; null: nobody holds it';
COMMENT ON COLUMN orchestration.step_queue.failures IS
    'Attempts that failed: at the max_attempts of its action the step fails';
COMMENT ON COLUMN orchestration.step_queue.lost IS
    'Attempts whose lease ended without a word: beyond orchestration.max_lost_leases the step fails';
COMMENT ON COLUMN orchestration.step_queue.timeout IS
    'How long one attempt may take: that of its action when it was queued';
COMMENT ON COLUMN orchestration.step_queue.run_as IS
    'The user as whom the action runs (runAsUser)';
COMMENT ON COLUMN orchestration.step_queue.lease_id IS
    'The claim that holds it: complete_steps() and fail_steps() must name it';
COMMENT ON COLUMN orchestration.step_queue.attempt IS
    'How often it was claimed';
COMMENT ON COLUMN orchestration.step_queue.topic IS
    'What workers ask for; empty: a function in the database, see run_queued_functions()';
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
        CHECK (orchestration.time_in_range('claimed_at of an attempt', claimed_at)
               AND orchestration.time_in_range('ended_at of an attempt', ended_at))
);
COMMENT ON TABLE orchestration.step_attempt IS
    'Attempts of queued steps that did not end them: what failed and is tried again, what was lost.  The attempt that ends a step is recorded by the step itself, so that each has exactly one outcome';
COMMENT ON COLUMN orchestration.step_attempt.error IS
    'message, sqlstate, detail, hint, context';
SELECT pg_catalog.pg_extension_config_dump('orchestration.step_attempt', '');
