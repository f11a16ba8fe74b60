-- run: calls on runs (src/work/run.c, src/work/run_retry.c).

CREATE FUNCTION orchestration.start_orchestration(
    orchestration text,
    record_key text DEFAULT NULL,
    inputs jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL,
    owner_id uuid DEFAULT NULL)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_start_orchestration';
COMMENT ON FUNCTION orchestration.start_orchestration(text, text, jsonb, text, uuid) IS
    'Starts a run of the active version and moves it as far as possible; returns its id, or the id of the run that the same idempotency key started before with the same record and inputs';

-- record_id has no default here: a call without it must name one function.  A literal, NULL
-- and a parameter of unknown type resolve to text, the preferred type of strings.
CREATE FUNCTION orchestration.start_orchestration(
    orchestration text,
    record_key "any",
    inputs jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL,
    owner_id uuid DEFAULT NULL)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_start_orchestration';
COMMENT ON FUNCTION orchestration.start_orchestration(text, "any", jsonb, text, uuid) IS
    'start_orchestration() about a record whose id is of any type';

CREATE FUNCTION orchestration.suspend_run(run_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_suspend_run';
COMMENT ON FUNCTION orchestration.suspend_run(uuid) IS
    'Suspends a run; returns false if it is already Suspended';

CREATE FUNCTION orchestration.resume_run(run_id uuid)
    RETURNS orchestration.run_status
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_resume_run';
COMMENT ON FUNCTION orchestration.resume_run(uuid) IS
    'Resumes a run that is Suspended or in a recoverable Error; returns the status that it has then';

CREATE TYPE orchestration.retried_run AS (
    run_id uuid,
    run_name text,
    status orchestration.run_status,
    error text);
COMMENT ON TYPE orchestration.retried_run IS
    'A failed run that was resumed, of retry_failed_runs()';

CREATE FUNCTION orchestration.retry_failed_runs(
    orchestration text DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    max_runs integer DEFAULT 100)
    RETURNS SETOF orchestration.retried_run
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_retry_failed_runs';
COMMENT ON FUNCTION orchestration.retry_failed_runs(text, timestamptz, integer) IS
    'Resumes runs of an orchestration (null: of all) that failed since a time with a recoverable error, the oldest failures first, each alone; returns one row per run: the status that it has then, and why it is not resumed or failed again';

CREATE FUNCTION orchestration.cancel_run(run_id uuid, comments text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_cancel_run';
COMMENT ON FUNCTION orchestration.cancel_run(uuid, text) IS
    'Cancels a run; the comments go to the log and to the detail of an approval; returns false if it is already Canceled';

CREATE FUNCTION orchestration.reevaluate_run(run_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_reevaluate_run';
COMMENT ON FUNCTION orchestration.reevaluate_run(uuid) IS
    'Makes the engine evaluate the conditions of a run again; returns false if the run is not InProgress';

CREATE FUNCTION orchestration_internal.version_problem(version_id uuid)
    RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_version_problem';
COMMENT ON FUNCTION orchestration_internal.version_problem(uuid) IS
    'Returns why the engine cannot move runs of a version, null if it can; for stuck_runs()';
