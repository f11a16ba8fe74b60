-- run_tree: one run to read and one run to draw.  Both calls run as the caller: they show
-- the records that row security shows.

CREATE TYPE orchestration.run_tree_line AS (
    depth     integer,
    kind      text,
    id        uuid,
    label     text,
    step_type text,
    status    text,
    duration  interval,
    person    text,
    error     text,
    line      text);
COMMENT ON TYPE orchestration.run_tree_line IS
    'The run, a stage or a step of run_tree(); line is the whole row as a text';

CREATE TYPE orchestration.run_event AS (
    kind       text,
    id         uuid,
    stage      text,
    step       text,
    label      text,
    status     text,
    started_at timestamptz,
    ended_at   timestamptz,
    duration   interval,
    who        text,
    error      text);
COMMENT ON TYPE orchestration.run_event IS
    'A run, stage, step, attempt or work item with its time, of run_timeline(); ended_at is null while it is open';

CREATE FUNCTION orchestration_internal.duration_text(duration interval) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN duration < '10 seconds' THEN pg_catalog.round(extract(epoch FROM duration) * 1000) || ' ms'
                WHEN duration < '2 minutes' THEN pg_catalog.round(extract(epoch FROM duration)) || ' s'
                WHEN duration < '2 hours' THEN pg_catalog.round(extract(epoch FROM duration) / 60) || ' min'
                WHEN duration < '2 days' THEN pg_catalog.round(extract(epoch FROM duration) / 3600) || ' h'
                ELSE pg_catalog.round(extract(epoch FROM duration) / 86400) || ' d' END;
COMMENT ON FUNCTION orchestration_internal.duration_text(interval) IS
    'A duration in the largest unit that has a few digits';

CREATE FUNCTION orchestration_internal.lasted(started_at timestamptz, ended_at timestamptz) RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE
    -- the clock may have been set back
    RETURN CASE WHEN pg_catalog.isfinite(started_at) AND pg_catalog.isfinite(COALESCE(ended_at, '1970-01-01'))
                THEN GREATEST(COALESCE(ended_at, pg_catalog.statement_timestamp()) - started_at, '0') END;
COMMENT ON FUNCTION orchestration_internal.lasted(timestamptz, timestamptz) IS
    'How long something lasted, or lasts so far';

-- Who completed the work items of a step, or for whom they wait.
CREATE FUNCTION orchestration_internal.step_person(run_id uuid, step_run_id uuid) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
    SELECT pg_catalog.string_agg(orchestration_internal.one_line(
               CASE WHEN w.status = 'Assigned' THEN 'for ' || p.name ELSE COALESCE(u.name, w.completed_by) END, 255),
               ', ' ORDER BY w.id)
      FROM orchestration.work_item w
      LEFT JOIN orchestration.principal p ON p.id = w.assignee_id
      LEFT JOIN orchestration.principal u
             ON pg_catalog.lower(u.username COLLATE "C") = pg_catalog.lower(w.completed_by COLLATE "C")
     WHERE w.run_id = step_person.run_id AND w.step_run_id = step_person.step_run_id
       AND (w.completed_by IS NOT NULL OR w.status = 'Assigned')
       -- the item of a unanimous approval, which nobody answers
       AND NOT EXISTS (SELECT FROM orchestration.work_item c
                        WHERE c.run_id = w.run_id AND c.parent_id = w.id);
    END;
COMMENT ON FUNCTION orchestration_internal.step_person(uuid, uuid) IS
    'Who completed the work items of a step, or for whom they wait';

CREATE FUNCTION orchestration.run_tree(run_id uuid)
    RETURNS SETOF orchestration.run_tree_line
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
    WITH entry AS (
        SELECT 0 AS depth, 'run' AS kind, r.id, NULL::integer AS position, NULL::uuid AS step_id,
               orchestration_internal.one_line(COALESCE(r.orchestration_label, r.orchestration_name), 255) AS label,
               orchestration_internal.one_line(pg_catalog.concat_ws('  ', r.name,
                   COALESCE(r.orchestration_label, r.orchestration_name)), 512) AS head,
               NULL AS step_type, r.status::text AS status,
               orchestration_internal.lasted(r.created_at, r.ended_at) AS duration, NULL AS person,
               -- where the error arose has it
               CASE WHEN r.status = 'Error'
                     AND NOT EXISTS (SELECT FROM orchestration.stage_run o
                                      WHERE o.run_id = r.id AND o.status = 'Error' AND o.error = r.error)
                    THEN r.error END AS error
          FROM orchestration.run r
         WHERE r.id = run_tree.run_id
        UNION ALL
        SELECT 1, 'stage', s.id, s.position, NULL,
               orchestration_internal.one_line(s.label, 255),
               pg_catalog.format('  %s. %s', s.position, orchestration_internal.one_line(s.label, 255)),
               NULL, s.status::text, orchestration_internal.lasted(s.created_at, s.ended_at), NULL,
               CASE WHEN s.status = 'Error'
                     AND NOT EXISTS (SELECT FROM orchestration.step_run o
                                      WHERE o.run_id = s.run_id AND o.stage_run_id = s.id
                                        AND o.status = 'Error' AND o.error IS NOT NULL)
                    THEN s.error END
          FROM orchestration.stage_run s
         WHERE s.run_id = run_tree.run_id
        UNION ALL
        SELECT 2, 'step', t.id, s.position, t.id,
               orchestration_internal.one_line(t.label, 255),
               '       ' || orchestration_internal.one_line(t.label, 255),
               CASE t.step_type WHEN 'InteractiveStep' THEN 'interactive'
                                WHEN 'BackgroundStep' THEN 'background'
                                ELSE 'asynchronous' END,
               t.status::text, orchestration_internal.lasted(t.started_at, t.ended_at),
               orchestration_internal.step_person(t.run_id, t.id),
               CASE WHEN t.status = 'Error' THEN t.error END
          FROM orchestration.step_run t
          LEFT JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
         WHERE t.run_id = run_tree.run_id),
    wide AS (
        SELECT e.*, GREATEST(pg_catalog.max(pg_catalog.length(e.head)) OVER () + 2, 42) AS width
          FROM entry e)
    SELECT w.depth, w.kind, w.id, w.label, w.step_type, w.status, w.duration, w.person,
           orchestration_internal.error_text(w.error, 1333),
           pg_catalog.rtrim(pg_catalog.rpad(w.head, w.width)
               || pg_catalog.rpad(COALESCE(w.step_type, ''), 14)
               || pg_catalog.rpad(w.status, 12)
               || pg_catalog.lpad(COALESCE(orchestration_internal.duration_text(w.duration), ''), 8)
               || COALESCE('  ' || w.person, '')
               || COALESCE('  ' || orchestration_internal.error_text(w.error, 200), ''))
      FROM wide w
     ORDER BY w.depth > 0, w.position NULLS LAST, w.step_id NULLS FIRST;
    END;
COMMENT ON FUNCTION orchestration.run_tree(uuid) IS
    'Returns a run, its stages and their steps, in order, with status, duration, people and errors: SELECT line FROM run_tree(...) reads best';

CREATE FUNCTION orchestration.run_timeline(run_id uuid)
    RETURNS SETOF orchestration.run_event
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
    SELECT e.kind, e.id, e.stage, e.step, orchestration_internal.one_line(e.label, 255), e.status,
           e.started_at, e.ended_at, orchestration_internal.lasted(e.started_at, e.ended_at),
           orchestration_internal.one_line(e.who, 255),
           orchestration_internal.error_text(e.error, 1333)
      FROM (SELECT 0 AS rank, 'run' AS kind, r.id, NULL AS stage, NULL AS step,
                   COALESCE(r.orchestration_label, r.orchestration_name) AS label, r.status::text AS status,
                   r.created_at AS started_at, r.ended_at, u.name AS who,
                   CASE WHEN r.status = 'Error' THEN r.error END AS error
              FROM orchestration.run r
              LEFT JOIN orchestration.principal u ON u.id = r.created_by
             WHERE r.id = run_timeline.run_id
            UNION ALL
            SELECT 1, 'stage', s.id, s.name, NULL, s.label, s.status::text, s.created_at, s.ended_at, NULL,
                   CASE WHEN s.status = 'Error' THEN s.error END
              FROM orchestration.stage_run s
             WHERE s.run_id = run_timeline.run_id
            UNION ALL
            SELECT 2, 'step', t.id, s.name, t.name, t.label, t.status::text, t.started_at, t.ended_at,
                   orchestration_internal.step_person(t.run_id, t.id),
                   CASE WHEN t.status = 'Error' THEN t.error END
              FROM orchestration.step_run t
              LEFT JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
             WHERE t.run_id = run_timeline.run_id AND t.started_at IS NOT NULL
            UNION ALL
            SELECT 3, 'attempt', t.id, s.name, t.name, pg_catalog.format('attempt %s', a.attempt),
                   a.outcome::text, a.claimed_at, a.ended_at, a.worker, a.error
              FROM orchestration.step_attempt a
              JOIN orchestration.step_run t ON t.run_id = a.run_id AND t.id = a.step_run_id
              LEFT JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
             WHERE a.run_id = run_timeline.run_id
            UNION ALL
            SELECT 4, 'work_item', w.id, s.name, t.name, COALESCE(w.label, w.name), w.status::text,
                   -- created by the stamp of its transaction, which is before the step began
                   CASE WHEN w.completed_at < t.started_at THEN w.created_at
                        ELSE GREATEST(w.created_at, t.started_at) END, w.completed_at,
                   CASE WHEN w.status = 'Assigned' THEN p.name ELSE COALESCE(u.name, w.completed_by) END, NULL
              FROM orchestration.work_item w
              LEFT JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id
              LEFT JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
              LEFT JOIN orchestration.principal p ON p.id = w.assignee_id
              LEFT JOIN orchestration.principal u
                     ON pg_catalog.lower(u.username COLLATE "C") = pg_catalog.lower(w.completed_by COLLATE "C")
             WHERE w.run_id = run_timeline.run_id) e
     ORDER BY e.started_at, e.rank, e.ended_at, e.id;
    END;
COMMENT ON FUNCTION orchestration.run_timeline(uuid) IS
    'Returns a row for each event of a run (the run, its stages, steps, failed attempts and work items) with start, end, duration, status and who, in the order of their starts';

-- by name, or by an id as a text
CREATE FUNCTION orchestration.run_tree(run text)
    RETURNS SETOF orchestration.run_tree_line
    LANGUAGE sql STABLE PARALLEL UNSAFE
    BEGIN ATOMIC
    SELECT l.* FROM orchestration.run_tree(orchestration.run_id(run_tree.run)) l;
    END;
COMMENT ON FUNCTION orchestration.run_tree(text) IS
    'run_tree() of a run by its name or id';

CREATE FUNCTION orchestration.run_timeline(run text)
    RETURNS SETOF orchestration.run_event
    LANGUAGE sql STABLE PARALLEL UNSAFE
    BEGIN ATOMIC
    SELECT e.* FROM orchestration.run_timeline(orchestration.run_id(run_timeline.run)) e;
    END;
COMMENT ON FUNCTION orchestration.run_timeline(text) IS
    'run_timeline() of a run by its name or id';
