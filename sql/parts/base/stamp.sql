-- stamp: SystemModstamp, and how far the past is complete (src/base/stamp.c).

CREATE FUNCTION orchestration.system_modstamp() RETURNS pg_catalog.timestamptz
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_system_modstamp';
COMMENT ON FUNCTION orchestration.system_modstamp() IS
    'SystemModstamp of what the transaction writes';

CREATE FUNCTION orchestration.latest_date_covered() RETURNS pg_catalog.timestamptz
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'orchestration_latest_date_covered';
COMMENT ON FUNCTION orchestration.latest_date_covered() IS
    'Everything with an earlier SystemModstamp is visible to statements from now on: where the next poll may begin';

CREATE FUNCTION orchestration.minute_of(moment pg_catalog.timestamptz)
    RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_minute_of';
COMMENT ON FUNCTION orchestration.minute_of(timestamptz) IS
    'Minutes since 2000-01-01 00:00 UTC, by which get_updated() finds changed records';
