-- failure: what the errors of runs, stages and steps say, and until when they can be mended
-- (src/trail/failure.c has what the log says about them; the view run_errors is in work/attention).

CREATE FUNCTION orchestration_internal.resume_window() RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
    -- in hours, as the guard counts: a day of the calendar may have 23.  The value is a number
    -- of days, also before the library is loaded
    RETURN pg_catalog.make_interval(hours => 24 * COALESCE(
        pg_catalog.current_setting('orchestration.resume_window', true), '14')::integer);
COMMENT ON FUNCTION orchestration_internal.resume_window() IS
    'How long after its error a run can be resumed: orchestration.resume_window';

CREATE FUNCTION orchestration_internal.resumable_until(is_recoverable boolean, is_approval boolean, failed_at timestamptz)
    RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN is_recoverable
                 AND (NOT is_approval OR COALESCE(pg_catalog.current_setting('orchestration.resume_approvals', true), 'off')::boolean)
                 AND orchestration_internal.time_in_range('failed_at', failed_at)
                THEN failed_at + orchestration_internal.resume_window() END;
COMMENT ON FUNCTION orchestration_internal.resumable_until(boolean, boolean, timestamptz) IS
    'Until when resume_run() takes up a run that failed then; null if it never does';

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
