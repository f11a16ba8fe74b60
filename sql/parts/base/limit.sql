-- limit: which times and intervals a row may hold (src/base/limit.c).
--
-- Calls check their arguments themselves; the tables' CHECK constraints use these
-- functions for rows that are written directly or loaded.  An infinite time breaks
-- views that subtract it and gives a log entry no id.  An interval that cannot be
-- added to a time makes the claims of other sessions fail.

CREATE FUNCTION orchestration_internal.time_in_range(name text, value timestamptz)
    RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_time_in_range';
COMMENT ON FUNCTION orchestration_internal.time_in_range(text, timestamptz) IS
    'For constraints: returns true, or raises an error if the time is infinite, before 1970 or after 9999';

CREATE FUNCTION orchestration_internal.interval_in_range(name text, value interval)
    RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_interval_in_range';
COMMENT ON FUNCTION orchestration_internal.interval_in_range(text, interval) IS
    'For constraints: returns true, or raises an error if the interval exceeds 100 years or has a negative part';
