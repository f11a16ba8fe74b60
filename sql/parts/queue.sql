-- queue: what workers call (src/queue.c).

CREATE FUNCTION orchestration.claim_steps(
    worker text,
    topics text[],
    max_steps integer DEFAULT 1,
    lease interval DEFAULT '5 minutes',
    OUT run_id uuid,
    OUT step_id uuid,
    OUT lease_id uuid,
    OUT topic text,
    OUT action text,
    OUT step_name text,
    OUT inputs jsonb,
    OUT attempt integer,
    OUT lease_until timestamptz)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_claim_steps';
COMMENT ON FUNCTION orchestration.claim_steps(text, text[], integer, interval) IS
    'Hands ready asynchronous steps of the topics to a worker, for the time of the lease';

CREATE FUNCTION orchestration.complete_steps(
    results jsonb,
    OUT step_id uuid,
    OUT accepted boolean,
    OUT reason text)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_complete_steps';
COMMENT ON FUNCTION orchestration.complete_steps(jsonb) IS
    'Takes in what a worker finished: [{"step_id": ..., "lease_id": ..., "outputs": {...}}, ...]';

CREATE FUNCTION orchestration.fail_steps(
    results jsonb,
    OUT step_id uuid,
    OUT accepted boolean,
    OUT reason text)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_fail_steps';
COMMENT ON FUNCTION orchestration.fail_steps(jsonb) IS
    'Takes in what a worker could not do: [{"step_id": ..., "lease_id": ..., "message": ..., "detail": ...}, ...]';

CREATE FUNCTION orchestration.run_queued_functions(max_steps integer DEFAULT 100)
    RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_run_queued_functions';
COMMENT ON FUNCTION orchestration.run_queued_functions(integer) IS
    'Carries out asynchronous steps whose action is a function in the database; returns how many';
