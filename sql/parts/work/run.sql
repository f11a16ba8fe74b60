-- run: calls on runs (src/work/run.c).

CREATE FUNCTION orchestration.start_orchestration(
    name text,
    record_id text DEFAULT NULL,
    inputs jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL,
    owner_id uuid DEFAULT NULL)
    RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_start_orchestration';
COMMENT ON FUNCTION orchestration.start_orchestration(text, text, jsonb, text, uuid) IS
    'Starts a run of the active version and moves it as far as it goes; returns its id, or that of the run started before with the same idempotency key';

CREATE FUNCTION orchestration.suspend_run(run_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_suspend_run';
COMMENT ON FUNCTION orchestration.suspend_run(uuid) IS
    'Suspends a run; false: it was Suspended already';

CREATE FUNCTION orchestration.resume_run(run_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_resume_run';
COMMENT ON FUNCTION orchestration.resume_run(uuid) IS
    'Resumes a run that is Suspended or failed recoverably; false: it was InProgress already';

CREATE FUNCTION orchestration.cancel_run(run_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_cancel_run';
COMMENT ON FUNCTION orchestration.cancel_run(uuid) IS
    'Cancels a run; false: it was Canceled already';

CREATE FUNCTION orchestration.publish_event(run_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_publish_event';
COMMENT ON FUNCTION orchestration.publish_event(uuid) IS
    'Lets the engine look at the conditions of a run again; false: the run is not InProgress';

CREATE FUNCTION orchestration.recall_run(run_id uuid, comments text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_recall_run';
COMMENT ON FUNCTION orchestration.recall_run(uuid, text) IS
    'Recalls an approval: the run goes on along its recall path; false: it has none, or no open stage';

CREATE FUNCTION orchestration.version_problem(version_id uuid)
    RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_version_problem';
COMMENT ON FUNCTION orchestration.version_problem(uuid) IS
    'Why runs of a version cannot be moved, null when they can; for stuck_runs()';
