-- queue: calls of workers (src/work/queue.c, src/work/queue_result.c).

CREATE TYPE orchestration.claimed_step AS (
    run_id uuid,
    step_id uuid,
    lease_id uuid,
    topic text,
    action text,
    step_name text,
    inputs jsonb,
    attempt integer,
    lease_until timestamptz,
    run_as uuid);
COMMENT ON TYPE orchestration.claimed_step IS
    'A step that a worker claimed, of claim_steps()';

CREATE FUNCTION orchestration.claim_steps(
    worker text,
    topics text[],
    max_steps integer DEFAULT 1,
    lease interval DEFAULT '5 minutes')
    RETURNS SETOF orchestration.claimed_step
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_claim_steps';
COMMENT ON FUNCTION orchestration.claim_steps(text, text[], integer, interval) IS
    'Leases up to max_steps ready asynchronous steps of the topics to a worker; after the lease they can be claimed again';

CREATE TYPE orchestration.step_result AS (
    step_id uuid,
    accepted boolean,
    reason text);
COMMENT ON TYPE orchestration.step_result IS
    'Whether the result of a step was accepted, of complete_steps() and fail_steps()';

CREATE FUNCTION orchestration.complete_steps(
    results jsonb)
    RETURNS SETOF orchestration.step_result
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_complete_steps';
COMMENT ON FUNCTION orchestration.complete_steps(jsonb) IS
    'Completes steps with the results of a worker: [{"step_id": ..., "lease_id": ..., "outputs": {...}}, ...]; returns one row per result: whether it was accepted, and why not';

CREATE FUNCTION orchestration.fail_steps(
    results jsonb)
    RETURNS SETOF orchestration.step_result
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_fail_steps';
COMMENT ON FUNCTION orchestration.fail_steps(jsonb) IS
    'Reports failed attempts of a worker: [{"step_id": ..., "lease_id": ..., "message": ..., "detail": ..., "retry": ...}, ...]; returns one row per result: whether it was accepted, and why not';

CREATE FUNCTION orchestration.run_queued_steps(max_steps integer DEFAULT 100)
    RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_run_queued_steps';
COMMENT ON FUNCTION orchestration.run_queued_steps(integer) IS
    'Performs up to max_steps asynchronous steps whose action is a function in the database; returns their number';

CREATE TYPE orchestration.worker_step AS (
    step_id uuid,
    accepted boolean,
    reason text,
    run_id uuid,
    lease_id uuid,
    topic text,
    action text,
    step_name text,
    inputs jsonb,
    attempt integer,
    lease_until timestamptz,
    run_as uuid);
COMMENT ON TYPE orchestration.worker_step IS
    'The result of a step or a claimed step, of complete_and_claim()';

CREATE FUNCTION orchestration.complete_and_claim(
    results jsonb,
    worker text,
    topics text[],
    max_steps integer DEFAULT 1,
    lease interval DEFAULT '5 minutes')
    RETURNS SETOF orchestration.worker_step
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_complete_and_claim';
COMMENT ON FUNCTION orchestration.complete_and_claim(jsonb, text, text[], integer, interval) IS
    'Processes the results of a worker, where a failure has a "message", and leases the next steps to it: rows with accepted answer a result, rows without it are claimed steps';

CREATE TYPE orchestration.extended_lease AS (
    step_id uuid,
    held boolean,
    reason text,
    lease_until timestamptz);
COMMENT ON TYPE orchestration.extended_lease IS
    'Whether a worker still holds a lease, of extend_leases()';

CREATE FUNCTION orchestration.extend_leases(
    leases jsonb,
    lease interval DEFAULT '5 minutes')
    RETURNS SETOF orchestration.extended_lease
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_extend_leases';
COMMENT ON FUNCTION orchestration.extend_leases(jsonb, interval) IS
    'Extends leases of a worker, as its heartbeat: [{"step_id": ..., "lease_id": ...}, ...]; returns one row per lease: whether the worker still holds it, and why not';

CREATE FUNCTION orchestration.listen_for_steps(topics text[])
    RETURNS double precision
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_listen_for_steps';
COMMENT ON FUNCTION orchestration.listen_for_steps(text[]) IS
    'Notifies the session when steps of the topics are queued; returns the maximum number of seconds to wait: 0: claim now; null: no limit';
