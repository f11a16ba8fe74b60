-- failure: the errors of runs, stages, steps and attempts as rows (src/trail/failure.c has
-- what the log says about them).

CREATE FUNCTION orchestration_internal.resume_window() RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
    -- of days: the value is a number of days, also before the library is loaded
    RETURN pg_catalog.make_interval(days => COALESCE(
        pg_catalog.current_setting('orchestration.resume_window', true), '14')::integer);
COMMENT ON FUNCTION orchestration_internal.resume_window() IS
    'How long after its error a run can be resumed: orchestration.resume_window';

CREATE FUNCTION orchestration_internal.resumes_approvals() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN COALESCE(pg_catalog.current_setting('orchestration.resume_approvals', true), 'off')::boolean;
COMMENT ON FUNCTION orchestration_internal.resumes_approvals() IS
    'Whether failed approvals can be resumed: orchestration.resume_approvals';

CREATE FUNCTION orchestration_internal.one_line(texts text, max_chars integer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN pg_catalog.regexp_replace(pg_catalog."left"(texts, max_chars), '[[:cntrl:]]+', ' ', 'g');
COMMENT ON FUNCTION orchestration_internal.one_line(text, integer) IS
    'A text, cut to so many characters and with each run of control characters made a space';

CREATE FUNCTION orchestration_internal.error_text(error jsonb, max_chars integer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN error->>'message' IS NOT NULL THEN
        pg_catalog.concat_ws(': ', orchestration_internal.one_line(error->>'sqlstate', 5),
                             orchestration_internal.one_line(error->>'message', max_chars)) END;
COMMENT ON FUNCTION orchestration_internal.error_text(jsonb, integer) IS
    'SQLSTATE and message of a stored error, in one line';

-- An error that failed a step failed its stage, too, unless the stage has a fault path the
-- run as well: they store the same error.  It is one row, that of the step.  A reader who
-- does not see the step has the row of the stage or of the run.
-- The inner queries have no WHERE: only so does the planner merge them in the order of their
-- indexes on the time, and ORDER BY error_at DESC LIMIT reads the newest errors alone.
CREATE VIEW orchestration.run_errors
    WITH (security_invoker = true) AS
SELECT e.run_id,
       r.name AS run_name,
       r.orchestration_name AS orchestration,
       r.status AS run_status,
       CASE e.level WHEN 'attempt' THEN 'step' ELSE e.level END AS level,
       e.id,
       s.name AS stage,
       t.name AS step,
       COALESCE(e.error->>'element', t.name, s.name) AS element,
       COALESCE(e.error->>'message',
                CASE e.outcome WHEN 'LeaseLost' THEN 'the worker lost its lease'
                               WHEN 'TimedOut' THEN 'the attempt took too long' END) AS message,
       e.error->>'sqlstate' AS sqlstate,
       e.error->>'detail' AS detail,
       e.error->>'hint' AS hint,
       e.error->>'context' AS context,
       e.error_at,
       e.attempt,
       e.level = 'attempt' AS is_retried,
       CASE WHEN r.status = 'Error' AND r.error_recoverable
                 AND r.error - 'element' = e.error - 'element'
                 AND (NOT r.is_approval OR orchestration_internal.resumes_approvals())
            THEN r.failed_at + orchestration_internal.resume_window() END AS recoverable_until,
       r.error AS run_error,
       s.error AS stage_error,
       t.error AS step_error
  FROM (SELECT 'run' AS level, f.id AS run_id, f.id, NULL::uuid AS stage_run_id, NULL::uuid AS step_run_id,
               f.error, f.failed_at AS error_at, NULL::integer AS attempt,
               NULL::orchestration.attempt_outcome AS outcome
          FROM orchestration.run f
        UNION ALL
        SELECT 'stage', f.run_id, f.id, f.id, NULL, f.error, f.failed_at, NULL, NULL
          FROM orchestration.stage_run f
        UNION ALL
        SELECT 'step', f.run_id, f.id, f.stage_run_id, f.id, f.error, f.failed_at, f.attempt, NULL
          FROM orchestration.step_run f
        UNION ALL
        SELECT 'attempt', f.run_id, f.step_run_id, NULL, f.step_run_id, f.error, f.ended_at, f.attempt, f.outcome
          FROM orchestration.step_attempt f) e
  JOIN orchestration.run r ON r.id = e.run_id
  LEFT JOIN orchestration.step_run t ON t.run_id = e.run_id AND t.id = e.step_run_id
  LEFT JOIN orchestration.stage_run s
         ON s.run_id = e.run_id AND s.id = COALESCE(e.stage_run_id, t.stage_run_id)
 WHERE e.error_at IS NOT NULL AND (e.error IS NOT NULL OR e.level IN ('run', 'attempt'))
   AND CASE e.level
           WHEN 'run' THEN NOT EXISTS (SELECT FROM orchestration.stage_run o
                                        WHERE o.run_id = e.run_id AND o.status = 'Error'
                                          AND o.error = e.error)
                       AND NOT EXISTS (SELECT FROM orchestration.step_run o
                                        WHERE o.run_id = e.run_id AND o.status = 'Error'
                                          AND o.error - 'element' = e.error - 'element')
           WHEN 'stage' THEN NOT EXISTS (SELECT FROM orchestration.step_run o
                                          WHERE o.run_id = e.run_id AND o.stage_run_id = e.id
                                            AND o.status = 'Error'
                                            AND o.error - 'element' = e.error - 'element')
           -- the latest attempt of a step that is tried again
           WHEN 'attempt' THEN t.status = 'InProgress'
                       AND NOT EXISTS (SELECT FROM orchestration.step_attempt o
                                        WHERE o.run_id = e.run_id AND o.step_run_id = e.step_run_id
                                          AND o.ended_at > e.error_at)
           ELSE true END;
COMMENT ON VIEW orchestration.run_errors IS
    'Errors that failed runs, stages or steps, and those after which a step is being tried again: one row per error that the reader sees, where it arose';
COMMENT ON COLUMN orchestration.run_errors.level IS
    'Where the error arose: run, stage or step';
COMMENT ON COLUMN orchestration.run_errors.id IS
    'Id of the run, stage or step';
COMMENT ON COLUMN orchestration.run_errors.element IS
    'API name of the element that failed: of the step or stage, or of a decision, assignment or variable';
COMMENT ON COLUMN orchestration.run_errors.is_retried IS
    'True: an attempt failed, and the step is being tried again';
COMMENT ON COLUMN orchestration.run_errors.recoverable_until IS
    'Until when resume_run() can resume the run that this error failed; null: it cannot, or the run did not fail by this error';
COMMENT ON COLUMN orchestration.run_errors.run_error IS
    'run.error as it is stored';
COMMENT ON COLUMN orchestration.run_errors.stage_error IS
    'stage_run.error as it is stored';
COMMENT ON COLUMN orchestration.run_errors.step_error IS
    'step_run.error as it is stored';
