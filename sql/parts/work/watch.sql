-- watch: what runs would do, what they do and which of them are stuck
-- (src/work/dry_run.c, src/work/diagram.c).

CREATE TYPE orchestration.dry_run_event AS (
    number integer,
    event text,
    stage text,
    step text,
    detail jsonb);
COMMENT ON TYPE orchestration.dry_run_event IS
    'An event of a dry run, of dry_run()';

CREATE FUNCTION orchestration.dry_run(
    orchestration text,
    record_key text DEFAULT NULL,
    inputs jsonb DEFAULT NULL,
    outputs jsonb DEFAULT NULL,
    version integer DEFAULT NULL,
    max_steps integer DEFAULT 1000)
    RETURNS SETOF orchestration.dry_run_event
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_dry_run';
COMMENT ON FUNCTION orchestration.dry_run(text, text, jsonb, jsonb, integer, integer) IS
    'Plays a run, ends waiting steps with the given outputs ({"step": {...}}), rolls everything back and returns what happened';

-- without a default: dry_run('X') must name one function
CREATE FUNCTION orchestration.dry_run(
    orchestration text,
    record_key "any",
    inputs jsonb DEFAULT NULL,
    outputs jsonb DEFAULT NULL,
    version integer DEFAULT NULL,
    max_steps integer DEFAULT 1000)
    RETURNS SETOF orchestration.dry_run_event
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_dry_run';
COMMENT ON FUNCTION orchestration.dry_run(text, "any", jsonb, jsonb, integer, integer) IS
    'dry_run() about a record whose id is of any type';

CREATE FUNCTION orchestration.run_diagram(run_id uuid, format text DEFAULT 'mermaid')
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_run_diagram';
COMMENT ON FUNCTION orchestration.run_diagram(uuid, text) IS
    'Returns a diagram of a run with its statuses, or of an orchestration version: mermaid, dot or svg';

CREATE TYPE orchestration.record_type_gap AS (
    record_type text,
    orchestration text,
    version integer,
    element text,
    field text,
    problem text);
COMMENT ON TYPE orchestration.record_type_gap IS
    'What an active definition misses in the table of a record type, of record_type_problems()';

CREATE FUNCTION orchestration.record_type_problems()
    RETURNS SETOF orchestration.record_type_gap
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
    SELECT t.name, NULL, NULL::integer, NULL, NULL, orchestration_internal.record_type_problem(t.name)
      FROM (SELECT r.name FROM orchestration.record_type r
            UNION
            -- active, and no longer registered
            SELECT v.record_type_name
              FROM orchestration.orchestration_definition d
              JOIN orchestration.orchestration_version v
                ON v.orchestration_id = d.id AND v.version = d.active_version
             WHERE v.record_type_name IS NOT NULL) t
     WHERE orchestration_internal.record_type_problem(t.name) IS NOT NULL
    UNION ALL
    SELECT f.record_type, d.name, v.version, f.element, f.field,
           pg_catalog.format('%s of orchestration %s, version %s, reads field %s, which record type %s does not have',
                             f.element, d.name, v.version, f.field, f.record_type)
      FROM orchestration.orchestration_version v
      JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
      CROSS JOIN LATERAL orchestration_internal.version_missing_fields(v.id) f
     WHERE v.version = d.active_version
        OR v.id IN (SELECT r.version_id FROM orchestration.run r WHERE r.status = 'InProgress')
    ORDER BY 1, 2 NULLS FIRST, 3, 4, 5;
    END;
COMMENT ON FUNCTION orchestration.record_type_problems() IS
    'Returns record types that cannot be used, and fields that active orchestrations and runs in progress read and that no table has';

CREATE FUNCTION orchestration.stuck_runs(unclaimed interval DEFAULT '1 hour')
    RETURNS TABLE (run_id uuid, run_name text, orchestration text, stage text, step text,
                   since timestamptz, why text)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off SET jit = off
    BEGIN ATOMIC
    -- no step is in progress, and no remaining step can start
    SELECT r.id, r.name, r.orchestration_name, s.name, t.name, s.modified_at,
           'no step of the stage is under way, and the entry condition of this one does not hold'
      FROM orchestration.run r
      JOIN orchestration.stage_run s ON s.run_id = r.id AND s.status = 'InProgress'
      JOIN orchestration.step_run t ON t.run_id = r.id AND t.stage_run_id = s.id AND t.status = 'NotStarted'
     WHERE r.status = 'InProgress' AND r.version_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM orchestration.step_run o
                        WHERE o.run_id = r.id AND o.stage_run_id = s.id AND o.status = 'InProgress')
       AND CASE WHEN orchestration_internal.version_problem(r.version_id) IS NULL
                THEN NOT orchestration_internal.waits_for_record(r.version_id, s.name) END
    UNION ALL
    SELECT r.id, r.name, r.orchestration_name, s.name, NULL, s.modified_at,
           'all steps have ended, and the condition of completion does not hold'
      FROM orchestration.run r
      JOIN orchestration.stage_run s ON s.run_id = r.id AND s.status = 'InProgress'
     WHERE r.status = 'InProgress' AND r.version_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM orchestration.step_run o
                        WHERE o.run_id = r.id AND o.stage_run_id = s.id
                          AND o.status IN ('InProgress', 'NotStarted'))
       AND CASE WHEN orchestration_internal.version_problem(r.version_id) IS NULL
                THEN NOT orchestration_internal.waits_for_record(r.version_id, s.name) END
    UNION ALL
    -- no active user can do the work
    SELECT r.id, r.name, r.orchestration_name, s.name, t.name, w.assigned_at,
           CASE WHEN p.kind = 'User' THEN pg_catalog.format('its assignee %s is inactive', p.name)
                ELSE pg_catalog.format('%s %s has no active member', p.kind, p.name) END
      FROM orchestration.work_item w
      JOIN orchestration.run r ON r.id = w.run_id AND r.status = 'InProgress'
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
    -- no worker claims the step
    SELECT r.id, r.name, r.orchestration_name, s.name, t.name, q.available_at,
           CASE WHEN q.topic = '' THEN 'the function waits: no background worker carries it out, nor run_queued_steps()'
                ELSE pg_catalog.format('no worker claims topic "%s"', q.topic) END
      FROM orchestration.step_queue q
      JOIN orchestration.run r ON r.id = q.run_id AND r.status = 'InProgress'
      JOIN orchestration.step_run t ON t.run_id = q.run_id AND t.id = q.step_run_id
      JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
     WHERE GREATEST(q.available_at, q.leased_until) < pg_catalog.statement_timestamp()
           - CASE WHEN orchestration_internal.interval_in_range('unclaimed', unclaimed) THEN unclaimed END
    UNION ALL
    -- the engine cannot move it
    SELECT r.id, r.name, r.orchestration_name, r.current_stage, NULL, r.modified_at,
           pg_catalog.format('it cannot be moved: %s', orchestration_internal.version_problem(r.version_id))
      FROM orchestration.run r
     WHERE r.status = 'InProgress' AND orchestration_internal.version_problem(r.version_id) IS NOT NULL
    UNION ALL
    -- what it is about has lost its table, or a field that it may read
    SELECT r.id, r.name, r.orchestration_name, r.current_stage, NULL, r.modified_at, p.problem
      FROM orchestration.record_type_problems() p
      JOIN orchestration.run r ON r.status = 'InProgress'
      LEFT JOIN orchestration.orchestration_version v ON v.id = r.version_id
      LEFT JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
     WHERE CASE WHEN p.orchestration IS NULL THEN r.triggering_record_type = p.record_type
                ELSE d.name = p.orchestration AND v.version = p.version END
    UNION ALL
    -- the holder of the lease is gone, or the lease lasts too long
    SELECT r.id, r.name, r.orchestration_name, s.name, t.name, q.claimed_at,
           pg_catalog.format('%s has a lease on it until %s', q.worker, q.leased_until)
      FROM orchestration.step_queue q
      JOIN orchestration.run r ON r.id = q.run_id AND r.status = 'InProgress'
      JOIN orchestration.step_run t ON t.run_id = q.run_id AND t.id = q.step_run_id
      JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
     WHERE q.leased_until > pg_catalog.statement_timestamp()
       AND (q.topic = '' OR q.leased_until > pg_catalog.statement_timestamp()
            + CASE WHEN orchestration_internal.interval_in_range('unclaimed', unclaimed) THEN unclaimed END)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) a
                        WHERE q.topic = '' AND q.worker = 'background worker ' || a.pid
                          AND a.backend_type = 'orchestration worker' AND a.backend_start <= q.claimed_at)
    UNION ALL
    -- the function is tried repeatedly and neither ends nor fails
    SELECT r.id, r.name, r.orchestration_name, s.name, t.name, q.available_at,
           pg_catalog.format('%s attempts were undone: see the server log', q.attempt - q.failures - q.lost)
      FROM orchestration.step_queue q
      JOIN orchestration.run r ON r.id = q.run_id AND r.status = 'InProgress'
      JOIN orchestration.step_run t ON t.run_id = q.run_id AND t.id = q.step_run_id
      JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
     WHERE q.topic = '' AND q.attempt - q.failures - q.lost > 10
    ORDER BY 6, 1;
    END;
COMMENT ON FUNCTION orchestration.stuck_runs(interval) IS
    'Returns runs in progress that nothing will move, and the reason; unclaimed: how long a step may wait to be claimed, and how long a lease may still last';
