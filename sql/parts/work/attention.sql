-- attention: what failed and what needs a look (src/work/attention.c).

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
       CASE WHEN r.error - 'element' = e.error - 'element'
            THEN orchestration_internal.resumable_until(r.error_recoverable, r.is_approval, r.failed_at)
       END AS recoverable_until,
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
 WHERE orchestration_internal.check_reader('run_errors')
   AND e.error_at IS NOT NULL AND (e.error IS NOT NULL OR e.level IN ('run', 'attempt'))
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

CREATE TYPE orchestration.attention_item AS (
    kind              text,
    severity          text,
    id                uuid,
    run_id            uuid,
    run_name          text,
    orchestration     text,
    stage             text,
    step              text,
    since             timestamptz,
    recoverable_until timestamptz,
    detail            text,
    hint              text);
COMMENT ON TYPE orchestration.attention_item IS
    'Something to look at, of needs_attention(): severity is critical, error or warning; id is that of the run, step, work item or message; hint says what to do';

-- What all users together would see.  Open runs are read once; failed ones by their index.
CREATE FUNCTION orchestration_internal.attention_items(unclaimed interval)
    RETURNS SETOF orchestration.attention_item
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off SET jit = off
    BEGIN ATOMIC
    WITH open_run AS MATERIALIZED (
        SELECT r.id, r.name, r.orchestration_name, r.version_id, r.current_stage, r.modified_at,
               r.triggering_record_type
          FROM orchestration.run r
         -- not a join: it would read the ended runs, too
         WHERE r.id = ANY (ARRAY(SELECT o.run_id FROM orchestration_internal.open_run o
                                  WHERE o.status = 'InProgress'))),
    used_version AS MATERIALIZED (
        SELECT u.id, orchestration_internal.version_problem(u.id) AS problem
          FROM (SELECT DISTINCT o.version_id AS id FROM open_run o WHERE o.version_id IS NOT NULL) u),
    gap AS MATERIALIZED (
        SELECT g.* FROM orchestration.record_type_problems() g),
    open_stage AS MATERIALIZED (
        SELECT r.id AS run_id, r.name AS run_name, r.orchestration_name, r.version_id,
               s.id, s.name, s.modified_at
          FROM open_run r
          JOIN used_version v ON v.id = r.version_id AND v.problem IS NULL
          JOIN orchestration.stage_run s ON s.run_id = r.id AND s.status = 'InProgress'
         WHERE NOT EXISTS (SELECT FROM orchestration.step_run o
                            WHERE o.run_id = s.run_id AND o.stage_run_id = s.id AND o.status = 'InProgress')),
    queued AS MATERIALIZED (
        SELECT r.name AS run_name, r.orchestration_name, s.name AS stage, t.name AS step, q.*
          FROM orchestration.step_queue q
          JOIN open_run r ON r.id = q.run_id
          JOIN orchestration.step_run t ON t.run_id = q.run_id AND t.id = q.step_run_id
          JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id),
    -- functions wait too long; a table of one row
    waiting AS MATERIALIZED (
        SELECT count(*) AS functions, min(q.available_at) AS since
          FROM queued q
         WHERE q.topic = '' AND GREATEST(q.available_at, q.leased_until) < pg_catalog.statement_timestamp()
             - CASE WHEN orchestration_internal.interval_in_range('unclaimed', unclaimed) THEN unclaimed END),
    item AS (
        SELECT 'worker' AS kind, 'critical' AS severity, NULL::uuid AS id, NULL::uuid AS run_id,
               NULL AS run_name, NULL AS orchestration, NULL AS stage, NULL AS step, w.since,
               NULL::timestamptz AS recoverable_until,
               CASE WHEN a.pids IS NULL THEN pg_catalog.format('functions that wait: %s; the background worker of this database does not run', w.functions)
                    ELSE pg_catalog.format('functions that wait: %s; the background worker (process %s) does not carry them out', w.functions, a.pids) END AS detail,
               CASE WHEN a.pids IS NULL THEN 'Call start_background_worker(), or run_queued_steps() from a scheduler.'
                    ELSE 'See the server log; stop_background_worker() and start_background_worker() replace it.' END AS hint
          FROM waiting w
          CROSS JOIN (SELECT pg_catalog.string_agg(b.pid::text, ', ') AS pids
                        FROM pg_catalog.pg_stat_get_activity(NULL) b
                        JOIN pg_catalog.pg_database d ON d.oid = b.datid AND d.datname = pg_catalog.current_database()
                       WHERE b.backend_type = 'orchestration worker') a
         WHERE w.functions > 0
        UNION ALL
        SELECT 'unmovable_run', 'critical', r.id, r.id, r.name, r.orchestration_name, r.current_stage, NULL,
               r.modified_at, NULL, pg_catalog.format('it cannot be moved: %s', v.problem),
               'Restore the version, or cancel the run.'
          FROM open_run r
          JOIN used_version v ON v.id = r.version_id AND v.problem IS NOT NULL
        UNION ALL
        SELECT 'failed_run', 'error', r.id, r.id, r.name, r.orchestration_name, r.current_stage,
               r.error->>'element', r.failed_at, c.until,
               COALESCE(orchestration_internal.error_text(r.error, 1333), 'it failed without an error'),
               CASE WHEN c.until IS NOT NULL THEN 'Mend the cause, then call resume_run() or retry_failed_runs().'
                    WHEN r.is_approval THEN 'Submit the record again.'
                    ELSE 'It cannot be resumed: start the orchestration again.' END
          FROM orchestration.run r
          CROSS JOIN LATERAL (SELECT CASE WHEN u.until > pg_catalog.now() THEN u.until END AS until
                                FROM (SELECT orchestration_internal.resumable_until(r.error_recoverable, r.is_approval,
                                                                                    r.failed_at) AS until) u) c
         -- later nobody can do anything about it
         WHERE r.failed_at > pg_catalog.now() - GREATEST(orchestration_internal.resume_window(), '1 day')
        UNION ALL
        SELECT 'stuck_run', 'error', s.run_id, s.run_id, s.run_name, s.orchestration_name, s.name, t.name,
               s.modified_at, NULL,
               'no step of the stage is under way, and the entry condition of this one does not hold',
               'Migrate the run to a version that is mended, or cancel it.'
          FROM open_stage s
          JOIN orchestration.step_run t ON t.run_id = s.run_id AND t.stage_run_id = s.id AND t.status = 'NotStarted'
         WHERE NOT orchestration_internal.waits_for_record(s.version_id, s.name)
        UNION ALL
        SELECT 'stuck_run', 'error', s.run_id, s.run_id, s.run_name, s.orchestration_name, s.name, NULL,
               s.modified_at, NULL, 'all steps have ended, and the condition of completion does not hold',
               'Migrate the run to a version that is mended, or cancel it.'
          FROM open_stage s
         WHERE NOT EXISTS (SELECT FROM orchestration.step_run o
                            WHERE o.run_id = s.run_id AND o.stage_run_id = s.id AND o.status = 'NotStarted')
           AND NOT orchestration_internal.waits_for_record(s.version_id, s.name)
        UNION ALL
        SELECT 'blocked_run', 'error', r.id, r.id, r.name, r.orchestration_name, r.current_stage, NULL,
               r.modified_at, NULL, g.problem, 'Give the table what is missing, or register the record type again.'
          FROM gap g
          JOIN open_run r ON true
          LEFT JOIN orchestration.orchestration_version v ON v.id = r.version_id
          LEFT JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
         WHERE CASE WHEN g.orchestration IS NULL THEN r.triggering_record_type = g.record_type
                    ELSE d.name = g.orchestration AND v.version = g.version END
        UNION ALL
        SELECT 'definition', 'error', NULL, NULL, NULL, g.orchestration, NULL, NULL, NULL, NULL, g.problem,
               'Give the table what is missing, register the record type again, or deploy another version.'
          FROM gap g
        UNION ALL
        SELECT 'definition', 'error', NULL, NULL, NULL, d.name, NULL, NULL, NULL, NULL,
               pg_catalog.format('%s calls action %s, which is not registered', f.used_by, f.name),
               'Register the action, or deploy another version.'
          FROM orchestration.orchestration_definition d
          CROSS JOIN LATERAL orchestration.orchestration_references(d.name, d.active_version) f
         WHERE d.active_version IS NOT NULL AND f.kind = 'action' AND NOT f.resolved
        UNION ALL
        -- no active user can do the work
        SELECT 'unassigned_work_item', 'error', w.id, w.run_id, r.name, r.orchestration_name, s.name, t.name,
               w.assigned_at, NULL,
               CASE WHEN p.kind = 'User' THEN pg_catalog.format('its assignee %s is inactive', p.name)
                    ELSE pg_catalog.format('%s %s has no active member', p.kind, p.name) END,
               CASE WHEN p.kind = 'User' THEN 'Reassign the work item, or activate the user.'
                    ELSE 'Reassign the work item, or add a member.' END
          FROM orchestration.work_item w
          JOIN open_run r ON r.id = w.run_id
          JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id
          JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
          JOIN orchestration.principal p ON p.id = w.assignee_id
         WHERE w.status = 'Assigned' AND NOT w.is_parent
           AND CASE WHEN p.kind = 'User' THEN NOT p.is_active
                    -- groups and queues with an active member, found once
                    ELSE p.id NOT IN (
                        WITH RECURSIVE active (id) AS (
                            SELECT m.group_id FROM orchestration.membership m
                              JOIN orchestration.principal u ON u.id = m.member_id
                             WHERE u.kind = 'User' AND u.is_active
                            UNION
                            SELECT m.group_id FROM active JOIN orchestration.membership m ON m.member_id = active.id)
                        SELECT active.id FROM active) END
        UNION ALL
        SELECT 'unclaimed_step', 'error', q.step_run_id, q.run_id, q.run_name, q.orchestration_name, q.stage, q.step,
               q.available_at, NULL,
               CASE WHEN q.topic = '' THEN 'the function waits: no background worker carries it out, nor run_queued_steps()'
                    ELSE pg_catalog.format('no worker claims topic "%s"', q.topic) END,
               CASE WHEN q.topic = '' THEN 'Start the background worker.'
                    ELSE 'Start a worker for the topic.' END
          FROM queued q
         WHERE GREATEST(q.available_at, q.leased_until) < pg_catalog.statement_timestamp()
             - CASE WHEN orchestration_internal.interval_in_range('unclaimed', unclaimed) THEN unclaimed END
        UNION ALL
        -- the holder of the lease is gone, or the lease lasts too long
        SELECT 'held_lease', 'warning', q.step_run_id, q.run_id, q.run_name, q.orchestration_name, q.stage, q.step,
               q.claimed_at, NULL,
               pg_catalog.format('%s has a lease on it until %s', q.worker, q.leased_until),
               'If the worker is gone, the step is claimed again when the lease ends.'
          FROM queued q
         WHERE q.leased_until > pg_catalog.statement_timestamp()
           AND (q.topic = '' OR q.leased_until > pg_catalog.statement_timestamp()
                + CASE WHEN orchestration_internal.interval_in_range('unclaimed', unclaimed) THEN unclaimed END)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) a
                            WHERE q.topic = '' AND q.worker = 'background worker ' || a.pid
                              AND a.backend_type = 'orchestration worker' AND a.backend_start <= q.claimed_at)
        UNION ALL
        -- the function is tried repeatedly and neither ends nor fails
        SELECT 'undone_step', 'error', q.step_run_id, q.run_id, q.run_name, q.orchestration_name, q.stage, q.step,
               q.available_at, NULL,
               pg_catalog.format('%s attempts were undone', q.attempt - q.failures - q.lost), 'See the server log.'
          FROM queued q
         WHERE q.topic = '' AND q.attempt - q.failures - q.lost > 10
        UNION ALL
        SELECT 'overdue_work_item', 'warning', w.id, w.run_id, r.name, r.orchestration_name, s.name, t.name,
               w.due_at, NULL, pg_catalog.format('%s of %s is overdue', w.name, p.name),
               'Remind the assignee, or reassign the work item.'
          FROM orchestration.work_item w
          JOIN open_run r ON r.id = w.run_id
          JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id
          JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
          JOIN orchestration.principal p ON p.id = w.assignee_id
         WHERE w.status = 'Assigned' AND NOT w.is_parent AND w.due_at < pg_catalog.statement_timestamp()
        UNION ALL
        -- the pauses between attempts have grown to hours
        SELECT 'failed_message', 'warning', m.id, m.run_id, r.name, r.orchestration_name, NULL, NULL,
               m.created_at, NULL,
               pg_catalog.format('a message to %s failed %s times: %s', p.name, m.attempts,
                                 COALESCE(orchestration_internal.one_line(m.last_error, 1000), 'no reason given')),
               'Mend the mailer or the address, or drop the message with message_sent().'
          FROM orchestration.message m
          JOIN orchestration.run r ON r.id = m.run_id
          JOIN orchestration.principal p ON p.id = m.recipient_id
         WHERE m.attempts >= 8)
    SELECT i.kind, i.severity, i.id, i.run_id, i.run_name, i.orchestration, i.stage, i.step, i.since,
           i.recoverable_until, orchestration_internal.one_line(i.detail, 1333), i.hint
      FROM item i
     ORDER BY pg_catalog.array_position('{critical,error,warning}', i.severity),
              i.since NULLS FIRST, i.kind, i.id, i.step, i.detail;
    END;
COMMENT ON FUNCTION orchestration_internal.attention_items(interval) IS
    'What needs_attention() shows a caller who sees everything';

CREATE FUNCTION orchestration.needs_attention(unclaimed interval DEFAULT '1 hour')
    RETURNS SETOF orchestration.attention_item
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_needs_attention';
COMMENT ON FUNCTION orchestration.needs_attention(interval) IS
    'Returns what needs a look, worst first: failed runs, runs that nothing will move, steps without a worker, work without an active assignee or overdue, definitions that lack something, workers that do not answer; of the runs that the caller sees. unclaimed: how long a step may wait to be claimed, and how long a lease may still last';
