-- approval.sql: plays an approval that run.sh has played already, again and again, in the demo's
-- database: everyone approves, everyone rejects, recalled at the first question, suspended and
-- resumed around each answer, answered by an approval administrator and by delegates.  Raises an
-- error when run, submission or items end in another status than they should.

SET client_min_messages = warning;

-- the next question of the run is answered; false: there is none
CREATE FUNCTION demo.decide(run uuid, way text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    item record;
    assignee uuid;
    suspended boolean := way = 'suspend';
    actor uuid;
BEGIN
    SELECT w.id, w.is_approval, s.name, w.assignee_id INTO item
      FROM orchestration.work_item w
      JOIN orchestration.step_run s ON s.run_id = w.run_id AND s.id = w.step_run_id
     WHERE w.run_id = run AND w.status = 'Assigned' AND NOT w.is_parent ORDER BY w.id LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- a user who may answer: the assignee or a member
    SELECT p.id INTO assignee FROM orchestration.principal p
     WHERE p.kind = 'User' AND (p.id = item.assignee_id
           OR p.id IN (SELECT m.member_id FROM orchestration.membership m WHERE m.group_id = item.assignee_id)) LIMIT 1;
    IF NOT FOUND THEN
        SELECT id INTO assignee FROM orchestration.principal WHERE username = 'flow.member@example.com';
        PERFORM orchestration.add_group_member(item.assignee_id, assignee);
    END IF;
    UPDATE orchestration.principal SET role_name = NULL WHERE role_name IS NOT NULL;
    IF NOT item.is_approval THEN
        UPDATE orchestration.principal SET role_name = session_user WHERE id = assignee;
        PERFORM orchestration.complete_work_item(item.id, demo.answer(item.name, run));
        RETURN true;
    END IF;
    IF suspended THEN
        PERFORM orchestration.suspend_run(run);
    END IF;
    -- the user for whom the session's role acts
    actor := CASE way WHEN 'override' THEN (SELECT id FROM orchestration.principal WHERE username = 'flow.admin@example.com')
                      WHEN 'delegate' THEN (SELECT id FROM orchestration.principal WHERE username = 'flow.delegate@example.com')
                      ELSE assignee END;
    IF way = 'delegate' THEN
        PERFORM orchestration.set_delegated_approver(assignee, actor);
    END IF;
    UPDATE orchestration.principal SET role_name = 'regress_flow_reviewer' WHERE id = actor;
    PERFORM set_config('role', 'regress_flow_reviewer', true);
    IF way = 'override' THEN
        PERFORM orchestration.override_approval(item.id, 'Approve', 'by ' || way);
    ELSE
        PERFORM orchestration.review_approval(item.id, CASE way WHEN 'reject' THEN 'Reject' ELSE 'Approve' END, 'by ' || way);
    END IF;
    PERFORM set_config('role', 'none', true);
    IF NOT EXISTS (SELECT FROM orchestration.submission_item a JOIN orchestration.submission_detail d ON d.run_id = a.run_id AND d.submission_item_id = a.id
                    WHERE a.work_item_id = item.id AND a.reviewed_by = actor AND a.comments = 'by ' || way
                      AND a.status::text = CASE way WHEN 'reject' THEN 'Rejected' ELSE 'Approved' END
                      AND d.performer_role::text = CASE way WHEN 'override' THEN 'Admin' WHEN 'delegate' THEN 'Delegate' ELSE 'Assignee' END) THEN
        RAISE EXCEPTION '%: the review of step % is not recorded', way, item.name;
    END IF;
    IF suspended THEN
        PERFORM orchestration.resume_run(run);
    END IF;
    RETURN true;
END
$$;

CREATE PROCEDURE demo.play_approval(way text) LANGUAGE plpgsql AS $$
DECLARE
    run uuid;
    claim record;
    recalled boolean := false;
    -- of the items that were open at the recall
    open_items uuid[] := '{}';
    wanted text;
    got text;
BEGIN
    PERFORM orchestration.cancel_run(r.id) FROM orchestration.run r WHERE r.status IN ('InProgress', 'Suspended');
    DELETE FROM orchestration.run;
    DELETE FROM demo.tried;
    CALL demo.start();
    SELECT id INTO STRICT run FROM orchestration.run ORDER BY id DESC LIMIT 1;
    FOR turn IN 1..200 LOOP
        EXIT WHEN EXISTS (SELECT FROM orchestration.run r WHERE r.id = run AND r.status NOT IN ('InProgress', 'Suspended'));
        IF way = 'recall' AND NOT recalled AND EXISTS (SELECT FROM orchestration.submission_item a WHERE a.run_id = run AND a.status = 'Assigned') THEN
            SELECT array_agg(id) INTO open_items FROM orchestration.submission_item WHERE run_id = run AND status = 'Assigned';
            UPDATE orchestration.principal SET role_name = NULL WHERE role_name IS NOT NULL;
            PERFORM orchestration.recall_run(run, 'by recall');
            recalled := true;
            CONTINUE;
        END IF;
        CONTINUE WHEN demo.decide(run, way);
        SELECT * INTO claim FROM orchestration.claim_steps('flow worker', ARRAY(SELECT topic FROM orchestration.action WHERE topic IS NOT NULL), 1) LIMIT 1;
        IF FOUND THEN
            PERFORM orchestration.complete_steps(jsonb_build_array(jsonb_build_object('step_id', claim.step_id, 'lease_id', claim.lease_id,
                'outputs', demo.answer(claim.step_name, claim.run_id))));
            CONTINUE;
        END IF;
        CONTINUE WHEN orchestration.run_queued_steps(100) > 0;
        EXIT WHEN NOT demo.unstick(run);
    END LOOP;
    -- a rejected approval may wait for what its document never lets come; it stays InProgress
    wanted := CASE WHEN recalled THEN 'Canceled Recalled'
                   WHEN EXISTS (SELECT FROM orchestration.submission_item a WHERE a.run_id = run AND a.status = 'Rejected') THEN 'Completed Rejected'
                   ELSE 'Completed Approved' END;
    SELECT r.status || ' ' || s.status INTO got FROM orchestration.run r JOIN orchestration.submission s ON s.run_id = r.id WHERE r.id = run;
    IF got = 'InProgress InProgress' AND way = 'reject' THEN
        RAISE NOTICE '%: it waits', way;
    ELSIF got IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION '%: run and submission are %, not %', way, got, wanted;
    ELSIF EXISTS (SELECT FROM orchestration.submission_item a WHERE a.id = ANY (open_items) AND a.status <> 'Recalled') THEN
        RAISE EXCEPTION '%: an open item was not Recalled', way;
    ELSIF way = 'reject' AND NOT wanted LIKE '%Rejected' AND EXISTS (SELECT FROM orchestration.submission_item a WHERE a.run_id = run) THEN
        RAISE EXCEPTION '%: nothing was rejected', way;
    ELSIF EXISTS (SELECT FROM orchestration.verify()) THEN
        RAISE EXCEPTION '%: %', way, (SELECT string_agg(v.invariant, ', ') FROM orchestration.verify() v);
    END IF;
    RAISE NOTICE '%: % items, %', way, (SELECT count(*) FROM orchestration.submission_item a WHERE a.run_id = run), got;
END
$$;

SELECT orchestration.create_user('flow.admin@example.com', 'Flow Admin') IS NOT NULL, orchestration.create_user('flow.delegate@example.com', 'Flow Delegate') IS NOT NULL,
       orchestration.create_user('flow.member@example.com', 'Flow Member') IS NOT NULL;
SELECT orchestration.update_user(id, approval_admin => true, view_all_data => true) FROM orchestration.principal WHERE username = 'flow.admin@example.com';
GRANT USAGE ON SCHEMA orchestration TO regress_flow_reviewer;
SET client_min_messages = notice;
CALL demo.play_approval('approve');
CALL demo.play_approval('reject');
CALL demo.play_approval('recall');
CALL demo.play_approval('suspend');
CALL demo.play_approval('override');
CALL demo.play_approval('delegate');
