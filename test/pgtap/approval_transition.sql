-- approval_transition: every (from, to) of submissions and approval work items, generated from
-- the contract.
--
-- No user changes these statuses: a plain UPDATE is refused with OR005, whatever the pair.
-- They follow the run, the work item or a call.  For each pair the row is set to the first
-- status with the guard switched off; then the run, the work item or a call makes the
-- change that leads to the second one.  A legal pair must be stored; another is refused
-- with OR001, or leaves the row as it is where the extension does not write it (a recalled
-- submission, a work item that is not Assigned).

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = error;
SET LOCAL orchestration.resume_approvals = on;

CREATE TEMP TABLE csv_transition (level text, from_status text, to_status text, made_by text, condition text, log_kind text);
\copy csv_transition FROM 'test/contract/transitions.csv' CSV HEADER
CREATE TEMP TABLE csv_picklist (object text, field text, position integer, value text, meaning text);
\copy csv_picklist FROM 'test/contract/picklists.csv' CSV HEADER

CREATE TEMP VIEW pair AS
SELECT l.level, f.value AS from_status, t.value AS to_status, c.level IS NOT NULL AS legal
  FROM (VALUES ('approval_submission', 'ApprovalSubmission'), ('approval_work_item', 'ApprovalWorkItem')) l(level, object)
  JOIN csv_picklist f ON f.object = l.object AND f.field = 'Status'
  JOIN csv_picklist t ON t.object = l.object AND t.field = 'Status'
  LEFT JOIN csv_transition c ON c.level = l.level AND c.from_status = f.value AND c.to_status = t.value
 WHERE f.value <> t.value;

SELECT orchestration.create_user('transit@example.com', 'Transit') AS me, orchestration.create_user('transit.other@example.com', 'Other') AS other \gset
SELECT set_config('transit.other', :'other', true), orchestration.register_action('Transit_Screen', 'screen') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "Transit", "label": "Transit", "processType": "ApprovalWorkflow", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "A", "label": "A", "actionType": "stepApproval", "actionName": "Transit_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "transit@example.com"}}]}]}]}'::jsonb),
       orchestration.activate_orchestration('Transit') \g /dev/null

CREATE TEMP TABLE result (level text, from_status text, to_status text, direct text, sqlstate text, stored text, damage bigint);

CREATE FUNCTION pg_temp.try_change(lvl text, from_s text, to_s text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r uuid := orchestration.start_orchestration('Transit');
    w uuid;
    direct text := '00000';
    state text := '00000';
    stored text;
BEGIN
    SELECT id INTO w FROM orchestration.work_item WHERE run_id = r;
    -- the run is where a legal change begins
    IF lvl = 'approval_submission' AND (from_s = 'Suspended' OR (to_s = 'InProgress' AND from_s <> 'Errored')) AND to_s NOT IN ('Approved', 'Rejected', 'Errored', 'Suspended') THEN
        PERFORM orchestration.suspend_run(r);
    ELSIF lvl = 'approval_submission' AND from_s = 'Errored' AND to_s = 'InProgress' THEN
        PERFORM orchestration.fail_work_item(w, 'broke');
    END IF;
    SET LOCAL session_replication_role = replica;
    IF lvl = 'approval_submission' THEN
        UPDATE orchestration.submission SET status = from_s::orchestration.approval_submission_status WHERE run_id = r;
    ELSE
        UPDATE orchestration.submission_item SET status = from_s::orchestration.approval_work_item_status,
               reviewed_at = CASE WHEN from_s IN ('Approved', 'Rejected') THEN now() END WHERE run_id = r;
    END IF;
    SET LOCAL session_replication_role = origin;

    BEGIN
        IF lvl = 'approval_submission' THEN
            UPDATE orchestration.submission SET status = to_s::orchestration.approval_submission_status WHERE run_id = r;
        ELSE
            UPDATE orchestration.submission_item SET status = to_s::orchestration.approval_work_item_status,
                   reviewed_at = CASE WHEN to_s IN ('Approved', 'Rejected') THEN now() END WHERE run_id = r;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        direct := SQLSTATE;
    END;
    BEGIN
        IF to_s IN ('Approved', 'Rejected') THEN
            PERFORM orchestration.review_approval(w, CASE to_s WHEN 'Approved' THEN 'Approve' ELSE 'Reject' END);
        ELSIF to_s = 'Recalled' THEN
            PERFORM orchestration.recall_run(r);
        ELSIF to_s = 'Canceled' THEN
            UPDATE orchestration.run SET status = 'Canceled' WHERE id = r;
        ELSIF lvl = 'approval_submission' THEN
            UPDATE orchestration.run SET status = CASE to_s WHEN 'Errored' THEN 'Error' ELSE to_s END::orchestration.run_status WHERE id = r;
        ELSIF to_s = 'Assigned' THEN
            PERFORM orchestration.reassign_work_item(w, current_setting('transit.other')::uuid);
        ELSIF to_s = 'Errored' THEN
            UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = r;
        ELSIF to_s = 'Withdrawn' THEN
            UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = r;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        state := SQLSTATE;
    END;
    IF lvl = 'approval_submission' THEN
        SELECT s.status::text INTO stored FROM orchestration.submission s WHERE s.run_id = r;
    ELSE
        SELECT a.status::text INTO stored FROM orchestration.submission_item a WHERE a.run_id = r;
    END IF;
    INSERT INTO result SELECT lvl, from_s, to_s, direct, state, stored, count(*) FROM orchestration.verify() v WHERE v.run_id = r;
    -- the next pair has a database without damage
    SET LOCAL session_replication_role = replica;
    UPDATE orchestration.run SET status = 'Canceled', ended_at = now() WHERE id = r;
    SET LOCAL session_replication_role = origin;
    DELETE FROM orchestration.run WHERE id = r;
    -- the run was canceled without triggers
    PERFORM orchestration.rebuild_open_runs();
END
$$;
SELECT count(pg_temp.try_change(level, from_status, to_status)) > 0 FROM pair \g /dev/null

SELECT plan(3 * (SELECT count(*)::integer FROM pair) + 3);
SELECT is((SELECT count(*)::integer FROM pair), 84, 'the matrix has every pair of the picklists');
SELECT is(direct, 'OR005', format('%s %s -> %s by UPDATE is refused', level, from_status, to_status))
  FROM pair JOIN result USING (level, from_status, to_status) ORDER BY level, from_status, to_status;
SELECT is(sqlstate || ' ' || stored,
          CASE WHEN legal THEN '00000 ' || to_status
               WHEN level = 'approval_submission' AND from_status <> 'Recalled' THEN 'OR001 ' || from_status
               ELSE '00000 ' || from_status END,
          format('%s %s -> %s is %s', level, from_status, to_status, CASE WHEN legal THEN 'made' ELSE 'not made' END))
  FROM pair JOIN result USING (level, from_status, to_status) ORDER BY level, from_status, to_status;
SELECT is(CASE WHEN legal THEN damage ELSE 0 END, 0::bigint, format('%s %s -> %s leaves no damage', level, from_status, to_status))
  FROM pair JOIN result USING (level, from_status, to_status) ORDER BY level, from_status, to_status;
SELECT is_empty($$SELECT level, from_status, to_status FROM csv_transition c WHERE level LIKE 'approval%' AND from_status <> '(new)' AND from_status <> to_status
                   AND NOT EXISTS (SELECT FROM result r WHERE (r.level, r.from_status, r.stored) = (c.level, c.from_status, c.to_status))$$,
                'each legal change is reached');
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify() finds nothing');
SELECT * FROM finish();
ROLLBACK;
