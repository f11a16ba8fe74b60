-- neighbour: every (parent status, child status), generated from the contract.
--
-- The child is inserted below the parent: the pairs of the csv are stored, all others are
-- refused with OR002.  Parents are set up with the guard switched off.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;

CREATE TEMP TABLE csv_neighbour (parent text, parent_status text, child text, child_status text, note text);
\copy csv_neighbour FROM 'test/contract/neighbours.csv' CSV HEADER
CREATE TEMP TABLE csv_picklist (object text, field text, position integer, value text, meaning text);
\copy csv_picklist FROM 'test/contract/picklists.csv' CSV HEADER

CREATE TEMP VIEW level_status AS
SELECT l.level, p.value AS status
  FROM (VALUES ('run', 'FlowOrchestrationInstance'), ('stage', 'FlowOrchestrationStageInstance'),
               ('step', 'FlowOrchestrationStepInstance'), ('work_item', 'FlowOrchestrationWorkItem'),
               ('approval_submission', 'ApprovalSubmission'), ('approval_work_item', 'ApprovalWorkItem')) l(level, object)
  JOIN csv_picklist p ON p.object = l.object AND p.field = 'Status';

CREATE TEMP VIEW pair AS
SELECT x.parent, p.status AS parent_status, x.child, c.status AS child_status,
       n.child IS NOT NULL AS legal, n.note
  FROM (VALUES ('run', 'stage'), ('stage', 'step'), ('step', 'work_item'),
               ('run', 'approval_submission'), ('approval_submission', 'approval_work_item')) x(parent, child)
  JOIN level_status p ON p.level = x.parent
  JOIN level_status c ON c.level = x.child
  LEFT JOIN csv_neighbour n ON n.parent = x.parent AND n.child = x.child AND n.parent_status = p.status AND n.child_status = c.status;

CREATE FUNCTION pg_temp.try_insert(lvl text, parent_s text, child_s text, run_s text, step_t text DEFAULT 'InteractiveStep') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r uuid := orchestration.new_id();
    g uuid := orchestration.new_id();
    s uuid := orchestration.new_id();
    b uuid := orchestration.new_id();
    w uuid := orchestration.new_id();
    system uuid := '00000000-0000-7000-8000-000000000001';
BEGIN
    SET LOCAL session_replication_role = replica;
    INSERT INTO orchestration.run (id, is_approval, status, ended_at)
    VALUES (r, lvl LIKE 'approval%', CASE WHEN lvl IN ('stage', 'approval_submission') THEN parent_s ELSE run_s END::orchestration.run_status,
            CASE WHEN CASE WHEN lvl IN ('stage', 'approval_submission') THEN parent_s ELSE run_s END IN ('Completed', 'Canceled', 'Error') THEN now() END);
    IF lvl = 'approval_work_item' THEN
        INSERT INTO orchestration.step_run (run_id, id, stage_run_id, step_type, name, label, status) VALUES (r, s, g, 'InteractiveStep', 'S', 'S', 'InProgress');
        INSERT INTO orchestration.work_item (run_id, id, step_run_id, status, owner_id, assignee_id, is_approval) VALUES (r, w, s, 'Assigned', system, system, true);
        INSERT INTO orchestration.submission (run_id, id, owner_id, submitted_by, status) VALUES (r, b, system, system, parent_s::orchestration.approval_submission_status);
    END IF;
    IF lvl <> 'stage' THEN
        INSERT INTO orchestration.stage_run (run_id, id, name, label, position, status)
        VALUES (r, g, 'G', 'G', 1, CASE WHEN lvl = 'step' THEN parent_s ELSE 'InProgress' END::orchestration.stage_status);
    END IF;
    IF lvl = 'work_item' THEN
        INSERT INTO orchestration.step_run (run_id, id, stage_run_id, step_type, name, label, status)
        VALUES (r, s, g, step_t::orchestration.step_type, 'S', 'S', parent_s::orchestration.step_status);
    END IF;
    SET LOCAL session_replication_role = origin;
    CASE lvl
        WHEN 'stage' THEN
            INSERT INTO orchestration.stage_run (run_id, name, label, position, status)
            VALUES (r, 'G', 'G', 1, child_s::orchestration.stage_status);
        WHEN 'step' THEN
            INSERT INTO orchestration.step_run (run_id, stage_run_id, step_type, name, label, status)
            VALUES (r, g, 'BackgroundStep', 'S', 'S', child_s::orchestration.step_status);
        WHEN 'work_item' THEN
            INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id, completed_at)
            VALUES (r, s, child_s::orchestration.work_item_status, '00000000-0000-7000-8000-000000000001',
                    CASE WHEN child_s = 'Completed' THEN now() END);
        WHEN 'approval_submission' THEN
            INSERT INTO orchestration.submission (run_id, owner_id, submitted_by, status) VALUES (r, system, system, child_s::orchestration.approval_submission_status);
        WHEN 'approval_work_item' THEN
            INSERT INTO orchestration.submission_item (run_id, owner_id, submission_id, work_item_id, assigned_to, status, reviewed_at)
            VALUES (r, system, b, w, system, child_s::orchestration.approval_work_item_status, CASE WHEN child_s IN ('Approved', 'Rejected') THEN now() END);
    END CASE;
    RETURN '00000';
EXCEPTION WHEN OTHERS THEN
    SET LOCAL session_replication_role = origin;
    RETURN SQLSTATE;
END
$$;

SELECT plan((SELECT count(*)::integer FROM pair) + 20);
SELECT is((SELECT count(*)::integer FROM pair), 144, 'the matrix has every pair of the picklists');
SELECT is(pg_temp.try_insert(child, parent_status, child_status,
                             CASE WHEN note LIKE 'only while the run is in Error%' THEN 'Error' ELSE 'InProgress' END),
          CASE WHEN legal THEN '00000' ELSE 'OR002' END,
          format('%s %s beside %s %s is %s', child, child_status, parent, parent_status,
                 CASE WHEN legal THEN 'stored' ELSE 'refused' END))
  FROM pair ORDER BY parent, parent_status, child_status;
SELECT is(pg_temp.try_insert('step', 'InProgress', 'Discontinued', 'InProgress'), 'OR002',
          'a Discontinued step below a stage InProgress only while the run is in Error');

SELECT is(pg_temp.try_insert('work_item', 'InProgress', w, 'InProgress', t), 'OR002', format('a work item %s beside a %s is refused', w, t))
  FROM unnest('{BackgroundStep,AynchronousBackgroundStep}'::text[]) t, unnest('{Assigned,Completed}'::text[]) w;

-- a run that goes on beside a stage that is Discontinued was recalled: an import brings the
-- submission after the stage, so verify() looks, not the guard
CREATE FUNCTION pg_temp.recalled(submission text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r uuid := orchestration.new_id();
    found text;
BEGIN
    INSERT INTO orchestration.run (id, status, is_approval) VALUES (r, 'InProgress', submission IS NOT NULL);
    INSERT INTO orchestration.stage_run (run_id, name, label, position, status) VALUES (r, 'G', 'G', 1, 'Discontinued');
    IF submission IS NOT NULL THEN
        INSERT INTO orchestration.submission (run_id, owner_id, submitted_by, status)
        VALUES (r, '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', submission::orchestration.approval_submission_status);
    END IF;
    SELECT string_agg(v.invariant, ', ') INTO found FROM orchestration.verify() v WHERE v.run_id = r;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = COALESCE(found, 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.recalled(NULL), 'recalled run', 'a stage Discontinued in a run InProgress that is no approval');
SELECT is(pg_temp.recalled('InProgress'), 'recalled run', 'nor in one that was not recalled');
SELECT is(pg_temp.recalled('Recalled'), 'nothing', 'only in one that was');
-- and no UPDATE makes it so
INSERT INTO orchestration.run (id, name, status) VALUES ('00000000-0000-7000-8000-00000000cafe', 'going on', 'InProgress');
INSERT INTO orchestration.stage_run (run_id, name, label, position, status) VALUES ('00000000-0000-7000-8000-00000000cafe', 'G', 'G', 1, 'InProgress');
SELECT throws_ok($$UPDATE orchestration.stage_run SET status = 'Discontinued' WHERE run_id = '00000000-0000-7000-8000-00000000cafe'$$, 'OR002', NULL, 'a user cannot discontinue a stage of a run that goes on');

-- an approval work item and a submission without a parent, and a second submission
SELECT throws_ok($$INSERT INTO orchestration.submission (run_id, owner_id, submitted_by, status)
                   VALUES (orchestration.new_id(), '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'InProgress')$$, '23503');
INSERT INTO orchestration.submission (run_id, owner_id, submitted_by, status) VALUES ('00000000-0000-7000-8000-00000000cafe', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'InProgress');
SELECT throws_ok($$INSERT INTO orchestration.submission (run_id, owner_id, submitted_by, status)
                   VALUES ('00000000-0000-7000-8000-00000000cafe', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'InProgress')$$, '23505');
SELECT throws_ok($$INSERT INTO orchestration.submission_item (run_id, owner_id, submission_id, work_item_id, assigned_to, status)
                   SELECT run_id, owner_id, id, orchestration.new_id(), owner_id, 'Assigned' FROM orchestration.submission$$, '23503');
SELECT is(pg_temp.try_insert('approval_work_item', 'InProgress', 'Assigned', 'Canceled') || ' ' || pg_temp.try_insert('approval_work_item', 'Canceled', 'Assigned', 'InProgress'),
          '00000 OR002', 'the status of the submission decides, not that of the run');

-- at most one open stage, whatever the statement
INSERT INTO orchestration.run (name, status) VALUES ('open', 'InProgress');
INSERT INTO orchestration.stage_run (run_id, name, label, position, status) SELECT id, 'A', 'A', 1, 'InProgress' FROM orchestration.run WHERE name = 'open';
SELECT throws_ok($$INSERT INTO orchestration.stage_run (run_id, name, label, position, status) SELECT id, 'B', 'B', 2, 'InProgress' FROM orchestration.run WHERE name = 'open'$$,
                 'OR003', NULL, 'a second open stage is refused');
SELECT lives_ok($$INSERT INTO orchestration.stage_run (run_id, name, label, position, status) SELECT id, 'B', 'B', 2, 'Completed' FROM orchestration.run WHERE name = 'open'$$,
                'a second stage that is not open is stored');
INSERT INTO orchestration.run (name, status) VALUES ('two', 'InProgress');
SELECT throws_ok($$INSERT INTO orchestration.stage_run (run_id, name, label, position, status) SELECT id, 'S' || n, 'S', n, 'InProgress' FROM orchestration.run, generate_series(1, 2) n WHERE name = 'two'$$,
                 'OR003', NULL, 'two open stages in one statement are refused');
SELECT throws_ok($$INSERT INTO orchestration.stage_run (run_id, name, label, position, status) SELECT id, 'A', 'A', 1, 'Completed' FROM orchestration.run WHERE name = 'open'$$,
                 '23505', NULL, 'two stages at one position are refused');

-- a child without a parent is refused, like a child of a parent with the wrong status
SELECT throws_ok($$INSERT INTO orchestration.stage_run (run_id, name, label, position, status)
                   VALUES (orchestration.new_id(), 'G', 'G', 1, 'InProgress')$$, '23503');
SELECT isnt_empty($$SELECT FROM orchestration.run$$, 'legal rows were stored');
SELECT * FROM finish();
ROLLBACK;
