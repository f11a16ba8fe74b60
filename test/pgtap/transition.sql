-- transition: every (from, to) of runs, stages, steps and work items, generated from the
-- contract; for those of approvals see approval_transition.sql.
--
-- A legal change is made below parents that satisfy its condition, and must be stored; every
-- other change must be refused with OR001.  Rows are set up with the guard switched off
-- (session_replication_role), so that each change is tested alone; the change itself is a plain
-- UPDATE by the owner with the guard on.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;

CREATE TEMP TABLE csv_transition (level text, from_status text, to_status text, made_by text, condition text, log_kind text);
\copy csv_transition FROM 'test/contract/transitions.csv' CSV HEADER
CREATE TEMP TABLE csv_picklist (object text, field text, position integer, value text, meaning text);
\copy csv_picklist FROM 'test/contract/picklists.csv' CSV HEADER

CREATE TEMP VIEW level_status AS
SELECT l.level, p.value AS status
  FROM (VALUES ('run', 'FlowOrchestrationInstance'), ('stage', 'FlowOrchestrationStageInstance'),
               ('step', 'FlowOrchestrationStepInstance'), ('work_item', 'FlowOrchestrationWorkItem')) l(level, object)
  JOIN csv_picklist p ON p.object = l.object AND p.field = 'Status';

-- every pair; a row without an entry in the csv is illegal
CREATE TEMP VIEW pair AS
SELECT f.level, f.status AS from_status, t.status AS to_status, c.level IS NOT NULL AS legal, c.log_kind
  FROM level_status f
  JOIN level_status t USING (level)
  LEFT JOIN csv_transition c
    ON c.level = f.level AND c.from_status = f.status AND c.to_status = t.status
 WHERE f.status <> t.status;

-- the parents below which a legal change may be made, by its condition
CREATE TEMP TABLE beside (level text, from_status text, to_status text, run_status text, stage_status text);
INSERT INTO beside VALUES
    ('stage', 'InProgress', 'Suspended', 'Suspended', NULL),
    ('stage', 'InProgress', 'Discontinued', 'Canceled', NULL),
    ('stage', 'Suspended', 'Discontinued', 'Canceled', NULL),
    ('stage', 'Completed', 'Discontinued', 'Error', NULL),
    ('step', 'InProgress', 'Discontinued', 'InProgress', 'Completed'),
    ('step', 'Completed', 'Discontinued', 'InProgress', 'Completed');

CREATE TEMP TABLE result (level text, from_status text, to_status text, sqlstate text, stored text, logged bigint);

CREATE FUNCTION pg_temp.try_change(lvl text, from_s text, to_s text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    b record;
    r uuid := orchestration.new_id();
    g uuid := orchestration.new_id();
    s uuid := orchestration.new_id();
    w uuid := orchestration.new_id();
    run_status text;
    stage_status text;
    step_status text;
    state text := '00000';
    stored text;
    n bigint;
BEGIN
    SELECT * INTO b FROM beside x WHERE x.level = lvl AND x.from_status = from_s AND x.to_status = to_s;
    run_status := CASE WHEN lvl = 'run' THEN from_s ELSE COALESCE(b.run_status, 'InProgress') END;
    stage_status := CASE WHEN lvl = 'stage' THEN from_s ELSE COALESCE(b.stage_status, 'InProgress') END;
    step_status := CASE WHEN lvl = 'step' THEN from_s ELSE 'InProgress' END;

    SET LOCAL session_replication_role = replica;
    INSERT INTO orchestration.run (id, status, ended_at, error_recoverable)
    VALUES (r, run_status::orchestration.run_status,
            CASE WHEN run_status IN ('Completed', 'Canceled', 'Error') THEN now() END,
            CASE WHEN run_status = 'Error' THEN true END);
    IF lvl <> 'run' THEN
        INSERT INTO orchestration.stage_run (run_id, id, name, label, position, status)
        VALUES (r, g, 'G', 'G', 1, stage_status::orchestration.stage_status);
    END IF;
    IF lvl IN ('step', 'work_item') THEN
        INSERT INTO orchestration.step_run (run_id, id, stage_run_id, step_type, name, label, status)
        VALUES (r, s, g, 'InteractiveStep', 'S', 'S', step_status::orchestration.step_status);
    END IF;
    IF lvl = 'work_item' THEN
        INSERT INTO orchestration.work_item (run_id, id, step_run_id, status, owner_id, assignee_id, completed_at)
        VALUES (r, w, s, from_s::orchestration.work_item_status, '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001',
                CASE WHEN from_s = 'Completed' THEN now() END);
    END IF;
    SET LOCAL session_replication_role = origin;

    BEGIN
        CASE lvl
            WHEN 'run' THEN UPDATE orchestration.run SET status = to_s::orchestration.run_status WHERE id = r;
            WHEN 'stage' THEN UPDATE orchestration.stage_run SET status = to_s::orchestration.stage_status WHERE run_id = r AND id = g;
            WHEN 'step' THEN UPDATE orchestration.step_run SET status = to_s::orchestration.step_status WHERE run_id = r AND id = s;
            WHEN 'work_item' THEN UPDATE orchestration.work_item SET status = to_s::orchestration.work_item_status WHERE run_id = r AND id = w;
        END CASE;
    EXCEPTION WHEN OTHERS THEN
        state := SQLSTATE;
    END;
    CASE lvl
        WHEN 'run' THEN SELECT x.status::text INTO stored FROM orchestration.run x WHERE x.id = r;
        WHEN 'stage' THEN SELECT x.status::text INTO stored FROM orchestration.stage_run x WHERE x.run_id = r AND x.id = g;
        WHEN 'step' THEN SELECT x.status::text INTO stored FROM orchestration.step_run x WHERE x.run_id = r AND x.id = s;
        WHEN 'work_item' THEN SELECT x.status::text INTO stored FROM orchestration.work_item x WHERE x.run_id = r AND x.id = w;
    END CASE;
    SELECT count(*) INTO n FROM orchestration.run_log l
      JOIN csv_transition c ON c.level = lvl AND c.from_status = from_s AND c.to_status = to_s AND c.log_kind = l.kind::text
     WHERE l.run_id = r;
    INSERT INTO result VALUES (lvl, from_s, to_s, state, stored, n);
END
$$;
SELECT count(pg_temp.try_change(level, from_status, to_status)) > 0 FROM pair \g /dev/null

SELECT plan((SELECT count(*)::integer FROM pair)
            + (SELECT count(*)::integer FROM pair WHERE legal AND log_kind IS NOT NULL) + 6);

SELECT cmp_ok((SELECT count(*)::integer FROM pair), '>=', 60, 'the matrix has every pair of the picklists');
SELECT is(sqlstate || ' ' || stored,
          CASE WHEN legal THEN '00000 ' || to_status ELSE 'OR001 ' || from_status END,
          format('%s %s -> %s is %s', level, from_status, to_status, CASE WHEN legal THEN 'made' ELSE 'refused' END))
  FROM pair JOIN result USING (level, from_status, to_status) ORDER BY level, from_status, to_status;
SELECT is(logged, 1::bigint, format('%s %s -> %s is logged once as %s', level, from_status, to_status, log_kind))
  FROM pair JOIN result USING (level, from_status, to_status)
 WHERE legal AND log_kind IS NOT NULL ORDER BY level, from_status, to_status;

-- the statuses that the engine creates, and the whole table: C against the csv, both ways
SELECT set_eq('SELECT level, from_status, to_status, made_by, condition, log_kind FROM orchestration.legal_transitions()',
              $$SELECT level, NULLIF(from_status, '(new)'), to_status, made_by, condition, log_kind FROM csv_transition$$,
              'legal_transitions() is contract/transitions.csv');
SELECT is((SELECT count(*)::integer FROM orchestration.legal_transitions()),
          (SELECT count(*)::integer FROM csv_transition), 'it has as many rows');

CREATE TEMP TABLE csv_neighbour (parent text, parent_status text, child text, child_status text, note text);
\copy csv_neighbour FROM 'test/contract/neighbours.csv' CSV HEADER
SELECT set_eq('SELECT * FROM orchestration.legal_neighbours()',
              'SELECT parent, parent_status, child, child_status FROM csv_neighbour',
              'legal_neighbours() is contract/neighbours.csv');

-- conditions of a pair: a legal pair below the wrong parent is OR002
UPDATE beside SET run_status = 'InProgress', stage_status = 'InProgress';
TRUNCATE result;
SELECT count(pg_temp.try_change(level, from_status, to_status)) > 0 FROM beside \g /dev/null
SELECT results_eq($$SELECT DISTINCT sqlstate FROM result$$, $$VALUES ('OR002')$$,
                  'changes that only follow from a change of the parent are OR002 while the parent goes on');
SELECT is((SELECT count(*)::integer FROM result), 6, 'there are six of them');
SELECT * FROM finish();
ROLLBACK;
