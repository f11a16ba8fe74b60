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

CREATE FUNCTION orchestration.engine_counters(OUT name text, OUT value bigint)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'orchestration_engine_counters';
COMMENT ON FUNCTION orchestration.engine_counters() IS
    'Returns counters over all sessions since the server was started; no rows unless the library is in shared_preload_libraries';
