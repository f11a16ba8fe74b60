-- stamp: SystemModstamp, and how far the past is complete (src/base/stamp.c).

CREATE FUNCTION orchestration.system_modstamp() RETURNS pg_catalog.timestamptz
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_system_modstamp';
COMMENT ON FUNCTION orchestration.system_modstamp() IS
    'Returns the SystemModstamp of the current transaction: all rows that it writes get this one';

CREATE FUNCTION orchestration.latest_date_covered() RETURNS pg_catalog.timestamptz
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'orchestration_latest_date_covered';
COMMENT ON FUNCTION orchestration.latest_date_covered() IS
    'Returns the time up to which the past is complete: statements that begin from now on see every record with an earlier SystemModstamp; a polling client can start its next window there';

CREATE FUNCTION orchestration_internal.minute_of(moment pg_catalog.timestamptz)
    RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_minute_of';
COMMENT ON FUNCTION orchestration_internal.minute_of(timestamptz) IS
    'Returns whole minutes since 2000-01-01 00:00 UTC; get_updated() finds changed records by them';
