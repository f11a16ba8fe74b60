-- overview: what monitoring reads (src/work/overview.c).
--
-- The views are security_invoker: they show what the caller may see, and check_reader()
-- says so when that is not everything.  The functions engine_...() show counts of everything
-- to members of pg_monitor (privilege.sql).  All but run_outcomes read open runs and queued
-- steps only, so that it does not matter how many runs have ended.

CREATE FUNCTION orchestration_internal.check_reader(view text, object orchestration.shared_object DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10
    AS 'MODULE_PATHNAME', 'orchestration_check_reader';
COMMENT ON FUNCTION orchestration_internal.check_reader(text, orchestration.shared_object) IS
    'Condition of the overviews, always true: raises 42501 if the caller acts as no active user, and a notice if the caller does not see all records of the object';

CREATE VIEW orchestration.run_overview
    WITH (security_invoker = true) AS
SELECT d.name AS orchestration,
       d.active_version,
       COALESCE(o.in_progress, 0) AS in_progress,
       COALESCE(o.suspended, 0) AS suspended,
       COALESCE(o.failed, 0) AS failed,
       COALESCE(o.recoverable, 0) AS recoverable,
       o.oldest_open
  FROM (SELECT r.orchestration_id,
               count(*) FILTER (WHERE r.status = 'InProgress') AS in_progress,
               count(*) FILTER (WHERE r.status = 'Suspended') AS suspended,
               count(*) FILTER (WHERE r.status = 'Error') AS failed,
               count(*) FILTER (WHERE r.status = 'Error'
                                AND (SELECT orchestration_internal.resumable_until(
                                                x.error_recoverable, x.is_approval, x.failed_at) > pg_catalog.now()
                                       FROM orchestration.run x WHERE x.id = r.run_id)) AS recoverable,
               min(r.created_at) FILTER (WHERE r.status <> 'Error') AS oldest_open
          FROM orchestration_internal.open_run r
         GROUP BY r.orchestration_id) o
  FULL JOIN orchestration.orchestration_definition d ON d.id = o.orchestration_id
 WHERE orchestration_internal.check_reader('run_overview', 'FlowOrchestrationInstance');
COMMENT ON VIEW orchestration.run_overview IS
    'Runs in progress, suspended and in Error that the reader sees, by orchestration; recoverable: failed runs that resume_run() may resume; oldest_open: start of the oldest run in progress or suspended; a row without an orchestration counts imported runs that name none';

CREATE VIEW orchestration.open_runs
    WITH (security_invoker = true) AS
SELECT r.id,
       r.name,
       r.orchestration_name AS orchestration,
       r.status,
       r.current_stage,
       r.triggering_record_type AS record_type,
       r.triggering_record_id AS record_key,
       o.created_at,
       r.modified_at,
       r.ended_at,
       r.error_recoverable,
       r.owner_id
  FROM orchestration_internal.open_run o
  JOIN orchestration.run r ON r.id = o.run_id
 WHERE orchestration_internal.check_reader('open_runs')
 ORDER BY o.created_at DESC, o.run_id DESC;
COMMENT ON VIEW orchestration.open_runs IS
    'Runs in progress, suspended or in Error that the reader sees, newest first';

CREATE VIEW orchestration.run_outcomes
    WITH (security_invoker = true) AS
SELECT d.name AS orchestration,
       count(*) FILTER (WHERE r.status = 'Completed') AS completed,
       count(*) FILTER (WHERE r.status = 'Canceled') AS canceled,
       count(*) FILTER (WHERE r.status = 'Error') AS failed,
       max(r.ended_at) AS last_ended,
       avg(r.ended_at - r.created_at) FILTER (WHERE r.status = 'Completed') AS mean_duration
  FROM orchestration.run r
  LEFT JOIN orchestration.orchestration_definition d ON d.id = r.orchestration_id
 WHERE r.ended_at IS NOT NULL
   AND orchestration_internal.check_reader('run_outcomes', 'FlowOrchestrationInstance')
 GROUP BY d.id;
COMMENT ON VIEW orchestration.run_outcomes IS
    'Ended runs that the reader sees, by orchestration: how many are Completed, Canceled and in Error, and the mean duration of the Completed ones; reads every run, so it is for reports, not for monitoring';

CREATE VIEW orchestration.queue_overview
    WITH (security_invoker = true) AS
SELECT q.topic,
       d.name AS orchestration,
       count(*) AS depth,
       count(*) FILTER (WHERE q.available_at <= statement_timestamp()
                        AND COALESCE(q.leased_until <= statement_timestamp(), true)) AS ready,
       count(*) FILTER (WHERE q.available_at <= statement_timestamp()
                        AND q.leased_until > statement_timestamp()) AS in_flight,
       count(*) FILTER (WHERE q.available_at > statement_timestamp()
                        AND q.available_at < 'infinity') AS delayed,
       count(*) FILTER (WHERE q.available_at = 'infinity') AS held,
       count(*) FILTER (WHERE q.failures > 0 OR q.lost > 0) AS retrying,
       sum(q.failures)::bigint AS failures,
       sum(q.lost)::bigint AS lost,
       min(q.available_at) FILTER (WHERE q.available_at <= statement_timestamp()
                                   AND COALESCE(q.leased_until <= statement_timestamp(), true)) AS oldest_ready
  FROM orchestration.step_queue q
  JOIN orchestration.orchestration_definition d ON d.id = q.orchestration_id
 WHERE orchestration_internal.check_reader('queue_overview', 'FlowOrchestrationStepInstance')
 GROUP BY q.topic, d.id;
COMMENT ON VIEW orchestration.queue_overview IS
    'Queued steps that the reader sees, by topic (empty: functions in the database) and orchestration: all of them, ready, leased, delayed, held because their run is in Error, tried before; their failed attempts and lost leases, and since when the oldest ready one waits';

CREATE FUNCTION orchestration.engine_runs()
    RETURNS SETOF orchestration.run_overview
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET jit = off
    BEGIN ATOMIC
    SELECT o.* FROM orchestration.run_overview o ORDER BY o.orchestration;
    END;
COMMENT ON FUNCTION orchestration.engine_runs() IS
    'Returns the rows of run_overview for the runs of all users; for members of pg_monitor';

CREATE FUNCTION orchestration.engine_queue()
    RETURNS SETOF orchestration.queue_overview
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET jit = off
    BEGIN ATOMIC
    SELECT q.* FROM orchestration.queue_overview q ORDER BY q.topic, q.orchestration;
    END;
COMMENT ON FUNCTION orchestration.engine_queue() IS
    'Returns the rows of queue_overview for the steps of all users; for members of pg_monitor';

CREATE FUNCTION orchestration.engine_stats()
    RETURNS SETOF orchestration.engine_stat
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET jit = off
    BEGIN ATOMIC
    SELECT g.name, 'gauge', g.value
      FROM (SELECT count(*) FILTER (WHERE o.status = 'InProgress') AS in_progress,
                   count(*) FILTER (WHERE o.status = 'Suspended') AS suspended,
                   count(*) FILTER (WHERE o.status = 'Error') AS in_error
              FROM orchestration_internal.open_run o) r,
           (SELECT count(*) AS open FROM orchestration.work_item w
             WHERE w.status = 'Assigned' AND NOT w.is_parent) w,
           (SELECT count(*) FILTER (WHERE NOT q.is_leased AND q.available_at <= statement_timestamp()) AS ready,
                   count(*) FILTER (WHERE q.is_leased AND q.available_at <= statement_timestamp()) AS leased,
                   count(*) FILTER (WHERE q.available_at > statement_timestamp()
                                    AND q.available_at < 'infinity') AS delayed,
                   COALESCE(extract(epoch FROM statement_timestamp()
                                    - min(q.available_at) FILTER (WHERE NOT q.is_leased
                                                                  AND q.available_at <= statement_timestamp()))::bigint,
                            0) AS oldest
              FROM (SELECT s.available_at,
                           COALESCE(s.leased_until > statement_timestamp(), false) AS is_leased
                      FROM orchestration.step_queue s) q) q,
           LATERAL (VALUES ('runs_in_progress', r.in_progress),
                           ('runs_suspended', r.suspended),
                           ('runs_in_error', r.in_error),
                           ('work_items_open', w.open),
                           ('steps_ready', q.ready),
                           ('steps_leased', q.leased),
                           ('steps_delayed', q.delayed),
                           ('oldest_ready_seconds', q.oldest)) g (name, value)
    UNION ALL
    SELECT c.name, c.kind, c.value FROM orchestration_internal.shared_counters() c;
    END;
COMMENT ON FUNCTION orchestration.engine_stats() IS
    'Returns gauges of this database (runs in progress, ready and leased steps, ...) and, if the library is in shared_preload_libraries, counters of all databases since the server was started; for members of pg_monitor';
