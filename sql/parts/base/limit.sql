-- limit: which times and intervals a row may hold (src/base/limit.c).
--
-- Calls check their arguments themselves; the tables' CHECK constraints use these
-- functions for rows that are written directly or loaded.  An infinite time breaks
-- views that subtract it and gives a log entry no id.  An interval that cannot be
-- added to a time makes the claims of other sessions fail.

CREATE FUNCTION orchestration.time_in_range(name text, value timestamptz)
    RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_time_in_range';
COMMENT ON FUNCTION orchestration.time_in_range(text, timestamptz) IS
    'For constraints: true, or an error for a time before 1970, after 9999 or infinite';

CREATE FUNCTION orchestration.interval_in_range(name text, value interval)
    RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_interval_in_range';
COMMENT ON FUNCTION orchestration.interval_in_range(text, interval) IS
    'For constraints: true, or an error for an interval of more than 100 years or with a negative part';
