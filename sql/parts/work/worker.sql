-- worker: the background worker (src/work/launcher.c, src/work/worker.c).

CREATE FUNCTION orchestration.start_background_worker()
    RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_start_background_worker';
COMMENT ON FUNCTION orchestration.start_background_worker() IS
    'Starts the background worker of this database, which runs queued functions; returns its process id';

CREATE FUNCTION orchestration.stop_background_worker()
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_stop_background_worker';
COMMENT ON FUNCTION orchestration.stop_background_worker() IS
    'Stops the background worker of this database and waits until it has ended; returns false if there was none';

CREATE TYPE orchestration.engine_stat AS (
    name  text,
    kind  text,
    value bigint
);
COMMENT ON TYPE orchestration.engine_stat IS
    'A number about the engine: a counter, which only grows until the server is restarted, or a gauge, which is the number at this time';

CREATE FUNCTION orchestration_internal.shared_counters()
    RETURNS SETOF orchestration.engine_stat
    LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'orchestration_shared_counters';
COMMENT ON FUNCTION orchestration_internal.shared_counters() IS
    'Returns counters over all sessions and databases since the server was started; no rows unless the library is in shared_preload_libraries; for engine_stats()';
