-- Unanimous approvals: an item a member under a parent; the last approval or the first rejection ends the step.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SELECT orchestration.register_action('Screen', 'screen');
ALTER SEQUENCE orchestration.submission_item_name_seq RESTART;
CREATE ROLE regress_orch_member;
GRANT USAGE ON SCHEMA orchestration TO regress_orch_member;
GRANT EXECUTE ON FUNCTION orchestration.review_approval(uuid, text, text, orchestration.approval_channel), orchestration.complete_work_item(uuid, jsonb, text), orchestration.claim_work_item(uuid),
    orchestration.release_work_item(uuid), orchestration.my_work_items, orchestration.fail_work_item(uuid, text), orchestration.set_due_date(uuid, timestamptz) TO regress_orch_member;
DO $$
BEGIN
    FOR i IN 1 .. 4 LOOP
        EXECUTE format('CREATE ROLE regress_orch_m%s IN ROLE regress_orch_member', i);
        PERFORM pg_temp.person(format('m%s@example.com', i), 'M' || i, format('regress_orch_m%s', i)::name);
        PERFORM orchestration.create_group('Of' || i, 'Group of ' || i);
    END LOOP;
    PERFORM pg_temp.person('gone@example.com', 'Gone'), pg_temp.person('later@example.com', 'Later'),
        orchestration.create_group('Outer'), orchestration.create_group('Empty'), orchestration.create_queue('Counter');
    UPDATE orchestration.principal SET is_active = false WHERE username = 'gone@example.com';
END
$$;
CREATE FUNCTION pg_temp.who(text) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT id FROM orchestration.principal WHERE $1 IN (username, developer_name, name)
$$;
-- M1 to M<i> are in group Of<i>; Outer contains M4, Of2 and Gone; M3 and Of2 work at the counter
SELECT count(orchestration.add_group_member(pg_temp.who(g), pg_temp.who(m)))
  FROM (SELECT 'Of' || i AS g, 'M' || j AS m FROM generate_series(1, 4) i, generate_series(1, i) j
        UNION ALL VALUES ('Outer', 'M4'), ('Outer', 'Of2'), ('Outer', 'Gone'), ('Counter', 'M3'), ('Counter', 'Of2'), ('Empty', 'Gone')) x;

-- an approval step that requires the approval of all: assignees are 'Kind name'
CREATE FUNCTION pg_temp.unanimous(name text, VARIADIC assignees text[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT pg_temp.step(name, 'I', 'Screen') || jsonb_build_object('actionType', 'stepApproval', 'requiresMultiMemberApproval', 'true',
        'assignees', (SELECT jsonb_agg(jsonb_build_object('assigneeType', split_part(a, ' ', 1), 'assignee',
                                           jsonb_build_object('stringValue', split_part(a, ' ', 2)))) FROM unnest(assignees) a))
$$;
CREATE FUNCTION pg_temp.workflow(name text, parts jsonb, scheduled jsonb DEFAULT '[]') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name, 'processType', 'ApprovalWorkflow',
        'start', jsonb_build_object('connector', jsonb_build_object('targetReference', 'S'), 'scheduledPaths', scheduled)) || parts);
    PERFORM orchestration.activate_orchestration(name);
END
$$;
CREATE FUNCTION pg_temp.stages(VARIADIC stages jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('orchestratedStages', to_jsonb(stages))
$$;
-- the work items of the newest run, or of a step of it
CREATE FUNCTION pg_temp.items(step text DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', w.name, CASE WHEN w.is_parent THEN 'parent' WHEN w.parent_id IS NOT NULL THEN 'of ' || o.name END,
                     'for', p.name, w.status, a.status)
      FROM orchestration.work_item w
      JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id
      JOIN orchestration.principal p ON p.id = w.assignee_id
      LEFT JOIN orchestration.work_item o ON o.run_id = w.run_id AND o.id = w.parent_id
      LEFT JOIN orchestration.submission_item a ON a.run_id = w.run_id AND a.work_item_id = w.id
     WHERE w.run_id = pg_temp.run() AND t.name = COALESCE(step, t.name) ORDER BY w.name
$$;
-- the newest item of a user or group; NULL: the newest parent
CREATE FUNCTION pg_temp.item_of(assignee text) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT w.id FROM orchestration.work_item w
     WHERE w.run_id = pg_temp.run() AND CASE WHEN assignee IS NULL THEN w.is_parent ELSE NOT w.is_parent AND w.assignee_id = pg_temp.who(assignee) END
     ORDER BY w.id DESC LIMIT 1
$$;
-- a user answers the own item, by either call: 'Approved' and so on, the status of the run, or the error
CREATE FUNCTION pg_temp.answer(username text, decision text, comments text DEFAULT NULL, complete boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    item uuid := pg_temp.item_of(username);
    result text;
BEGIN
    PERFORM set_config('role', 'regress_orch_' || lower(username), true);
    IF complete THEN
        result := orchestration.complete_work_item(item, jsonb_build_object('approvalDecision', decision, 'approvalComments', comments));
    ELSE
        result := orchestration.review_approval(item, decision, comments);
    END IF;
    PERFORM set_config('role', 'none', true);
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN pg_temp.masked(SQLSTATE || ': ' || SQLERRM);
END
$$;

--
-- Documents: the element is a text, or a boolean; only an approval of an ApprovalWorkflow reads it
--
CREATE FUNCTION pg_temp.check(process text, step jsonb) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', p.severity, p.place || ':', p.message)
      FROM orchestration.validate_orchestration(jsonb_build_object('label', 'x', 'processType', process,
             'start', '{"connector": {"targetReference": "S"}}'::jsonb) || pg_temp.stages(pg_temp.stage('S', NULL, step))) p
$$;
SELECT v, m FROM unnest('{"\"true\"","true","\"false\"","\" true \"","\"\"","null","\"yes\"","\"TRUE\"","1","{}"}'::text[]) WITH ORDINALITY v(v, n)
  LEFT JOIN LATERAL pg_temp.check('ApprovalWorkflow', pg_temp.unanimous('A', 'User m1@example.com') || jsonb_build_object('requiresMultiMemberApproval', v::jsonb)) m ON true ORDER BY n;
SELECT pg_temp.check('ApprovalWorkflow', pg_temp.unanimous('A', 'User m1@example.com', 'Group Of2', 'Queue Counter'));
SELECT pg_temp.check('ApprovalWorkflow', pg_temp.unanimous('A', 'User m1@example.com', 'Group Of2') || '{"requiresMultiMemberApproval": "false"}');
SELECT pg_temp.check('ApprovalWorkflow', pg_temp.unanimous('A', 'User m1@example.com') || '{"actionType": "stepInteractive"}');
SELECT pg_temp.check('Orchestrator', pg_temp.unanimous('A', 'User m1@example.com'));
SELECT pg_temp.check('ApprovalWorkflow', pg_temp.unanimous('A', 'User m1@example.com', 'Nobody x', 'Group y'));
SELECT pg_temp.try($$SELECT pg_temp.workflow('Unanimous_Gone', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.unanimous('A', 'Group Of2', 'User gone@example.com', 'Queue Nowhere'))))$$);
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Refer', 'label', 'x', 'processType', 'ApprovalWorkflow')
    || pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.unanimous('A', 'User m1@example.com', 'Group Of2', 'Queue Nowhere'))));
SELECT kind, name, detail, used_by, resolved FROM orchestration.orchestration_references('Refer') WHERE kind = 'assignee';

--
-- Members: of groups in groups, too, each once, only active ones; a user alone; several assignees
--
SELECT pg_temp.workflow('Members', pg_temp.stages(pg_temp.stage('S', NULL,
    pg_temp.unanimous('G', 'Group Outer'), pg_temp.unanimous('Q', 'Queue Counter'), pg_temp.unanimous('U', 'User M2@EXAMPLE.com'),
    pg_temp.unanimous('V', 'User m4@example.com', 'Queue Counter', 'Group Of2', 'User m1@example.com', 'Group Empty'))));
SELECT orchestration.start_orchestration('Members') IS NOT NULL;
SELECT step, pg_temp.items(step) FROM unnest('{G,Q,U,V}'::text[]) step;
SELECT DISTINCT w.owner_id = u.id AS owner, w.label, w.screen_flow, w.is_approval, w.is_parent FROM orchestration.work_item w
  JOIN orchestration.principal u ON u.username = 'autoproc' WHERE w.run_id = pg_temp.run() ORDER BY 4;
-- a member has the own items alone in the inbox
SET ROLE regress_orch_m3;
SELECT name, assignee FROM orchestration.my_work_items();
SELECT count(*) FROM orchestration.work_item WHERE parent_id IS NOT NULL;
RESET ROLE;
SELECT r->'Name', r->'ParentWorkItem'->'Name', r->'Assignee'->'Name'
  FROM json_array_elements(orchestration.query('SELECT Name, ParentWorkItem.Name, Assignee.Name FROM FlowOrchestrationWorkItem WHERE ParentWorkItemId <> NULL ORDER BY Name LIMIT 2')->'records') r;
SELECT * FROM orchestration.verify();

--
-- The parent is nobody's work, and no member's item can be given away
--
-- the whole error, without ids
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN QUERY SELECT pg_temp.masked(x) FROM unnest(ARRAY[SQLERRM, detail, hint]) x;
END
$$;
SELECT pg_temp.refusal($$SELECT orchestration.complete_work_item(pg_temp.item_of(NULL), '{"approvalDecision": "Approve"}')$$);
SELECT pg_temp.refusal($$SELECT orchestration.reassign_work_item(pg_temp.item_of('M4'), pg_temp.who('M3'))$$);
\set VERBOSITY terse
SELECT c, pg_temp.try(format('SELECT orchestration.' || c, pg_temp.item_of(NULL), pg_temp.who('M3'))) FROM unnest(ARRAY['review_approval(%L, ''Reject'')',
    'override_approval(%L, ''Approve'')', 'claim_work_item(%L)', 'release_work_item(%L)', 'reassign_work_item(%L, %L)', 'fail_work_item(%L, ''x'')', 'set_due_date(%L, now())']) c;
SELECT c, pg_temp.try(format('SELECT orchestration.' || c, pg_temp.item_of('M4'), pg_temp.who('M3'))) FROM unnest(ARRAY['claim_work_item(%L)', 'release_work_item(%L)']) c;
SELECT x, c, pg_temp.try(format('UPDATE orchestration.' || c, pg_temp.item_of(x), pg_temp.who('M3'))) FROM (VALUES (NULL), ('M4')) v(x), unnest(ARRAY[
    'work_item SET status = ''Completed'' WHERE id = %L', 'work_item SET assignee_id = %2$L WHERE id = %1$L', 'flow_orchestration_work_item SET assignee_id = %2$L WHERE id = %1$L',
    'work_item SET parent_id = id WHERE id = %L AND NOT is_parent', 'work_item SET is_parent = false WHERE id = %L AND is_parent']) c;
SELECT jsonb_path_query_array(r, '$.errors[*].statusCode') FROM jsonb_array_elements(orchestration.update(jsonb_build_array(jsonb_build_object('attributes', '{"type": "FlowOrchestrationWorkItem"}'::jsonb,
    'Id', pg_temp.item_of('M4'), 'AssigneeId', pg_temp.who('M3'))))) r;
SELECT pg_temp.answer('M1', 'Maybe'), pg_temp.answer('M1', NULL, complete => true);
SELECT pg_temp.masked(pg_temp.try(format('SELECT set_config(''role'', ''regress_orch_m3'', true), orchestration.review_approval(%L, ''Approve'')', pg_temp.item_of('M4'))));
RESET ROLE;
SELECT count(*) FROM pg_temp.items() i WHERE i LIKE '%Assigned%';

--
-- Outputs are those of the last answer, or of the rejection
--
SELECT orchestration.cancel_run(pg_temp.run());
SELECT DISTINCT split_part(i, 'Completed', 2) FROM pg_temp.items() i ORDER BY 1;
SELECT pg_temp.workflow('Unanimous_Two', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.unanimous('A', 'Group Of2')), pg_temp.stage('T', NULL)));
SELECT orchestration.start_orchestration('Unanimous_Two') IS NOT NULL;
SELECT pg_temp.answer('M2', 'approve', 'fine'), pg_temp.state();
SELECT pg_temp.items();
SELECT pg_temp.answer('M2', 'Reject');
SELECT pg_temp.answer('M1', 'APPROVE', 'me too', true), pg_temp.state();
SELECT pg_temp.items();
SELECT jsonb_pretty(outputs) FROM orchestration.step_run WHERE run_id = pg_temp.run();
SELECT orchestration.start_orchestration('Unanimous_Two') IS NOT NULL;
SELECT pg_temp.answer('M1', 'Approve', 'fine'), pg_temp.answer('M2', 'Reject', 'not with me'), pg_temp.state();
SELECT pg_temp.items();
SELECT outputs->'approvalDecision', outputs->'approvalComments' FROM orchestration.step_run WHERE run_id = pg_temp.run();
SELECT l.kind, w.name, COALESCE(l.actor, '-') <> '-' AS by_user, l.comments FROM orchestration.run_log l JOIN orchestration.work_item w ON w.run_id = l.run_id AND w.id = l.work_item_id
 WHERE l.run_id = pg_temp.run() ORDER BY l.number;
SELECT d.action, d.performer_role, p.name FROM orchestration.submission_detail d JOIN orchestration.principal p ON p.id = d.performed_by WHERE d.run_id = pg_temp.run() ORDER BY d.name;

--
-- Nobody: the assignee cannot be resolved
--
SELECT pg_temp.workflow('Nobody', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.unanimous('A', 'Group Empty'))));
SELECT orchestration.start_orchestration('Nobody') IS NOT NULL;
SELECT pg_temp.state(), pg_temp.failure();
SELECT pg_temp.workflow('Nobodies', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.unanimous('A', 'Group Empty', 'Group Empty'))));
SELECT orchestration.start_orchestration('Nobodies') IS NOT NULL;
SELECT pg_temp.failure(), pg_temp.items();
SELECT pg_temp.try('SELECT orchestration.resume_run(pg_temp.run())');

--
-- Members leave, join and become inactive while the step is open
--
SELECT orchestration.start_orchestration('Unanimous_Two') IS NOT NULL;
SELECT orchestration.remove_group_member(pg_temp.who('Of2'), pg_temp.who('M2')), orchestration.add_group_member(pg_temp.who('Of2'), pg_temp.who('Later'));
UPDATE orchestration.principal SET is_active = false WHERE username = 'm1@example.com';
SELECT pg_temp.answer('M2', 'Approve');
SELECT pg_temp.items();
SELECT pg_temp.answer('M1', 'Approve');
SELECT detail FROM orchestration.needs_attention() WHERE run_id = pg_temp.run();
SELECT orchestration.override_approval(pg_temp.item_of('M1'), 'Approve'), pg_temp.state();
UPDATE orchestration.principal SET is_active = true WHERE username = 'm1@example.com';
SELECT orchestration.remove_group_member(pg_temp.who('Of2'), pg_temp.who('Later')), orchestration.add_group_member(pg_temp.who('Of2'), pg_temp.who('M2'));

--
-- The step ends in another way: by its condition, with its stage, by an error
--
SELECT pg_temp.workflow('Ends', pg_temp.stages(pg_temp.stage('S', NULL,
        pg_temp.unanimous('A', 'Group Of3') || '{"exitConditions": [{"leftValueReference": "B.Status", "operator": "EqualTo", "rightValue": {"stringValue": "Completed"}}]}',
        pg_temp.unanimous('B', 'Group Of1'), pg_temp.unanimous('C', 'Group Of2'))
    || '{"exitConditions": [{"leftValueReference": "A.Status", "operator": "EqualTo", "rightValue": {"stringValue": "Completed"}}]}'));
SELECT orchestration.start_orchestration('Ends') IS NOT NULL;
SELECT orchestration.review_approval(w.id, 'Approve') FROM orchestration.work_item w JOIN orchestration.step_run t ON t.id = w.step_run_id
 WHERE w.run_id = pg_temp.run() AND NOT w.is_parent AND t.name IN ('A', 'C') ORDER BY w.name LIMIT 1;
SELECT orchestration.review_approval(w.id, 'Approve') FROM orchestration.work_item w JOIN orchestration.step_run t ON t.id = w.step_run_id
 WHERE w.run_id = pg_temp.run() AND NOT w.is_parent AND t.name = 'B';
SELECT pg_temp.state();
SELECT pg_temp.items();
-- all approve before the condition holds: the step goes on, without items
SELECT orchestration.start_orchestration('Ends') IS NOT NULL;
SELECT orchestration.review_approval(w.id, 'Approve') FROM orchestration.work_item w JOIN orchestration.step_run t ON t.id = w.step_run_id
 WHERE w.run_id = pg_temp.run() AND NOT w.is_parent AND t.name = 'A' ORDER BY w.name;
SELECT pg_temp.state();
SELECT pg_temp.items('A');
SELECT * FROM orchestration.verify();
-- a screen fails: the items wait; a rejection is kept
SELECT orchestration.start_orchestration('Unanimous_Two') IS NOT NULL;
SELECT orchestration.fail_work_item(pg_temp.item_of('M1'), 'broken'), pg_temp.state();
SELECT pg_temp.answer('M2', 'Reject'), pg_temp.state();
SELECT pg_temp.items();
SELECT pending->'outputs'->'approvalDecision' FROM orchestration.step_run WHERE run_id = pg_temp.run();
SET orchestration.resume_approvals = on;
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.state();
SELECT status FROM orchestration.submission WHERE run_id = pg_temp.run();
-- a step that failed begins again: with new items for all
SELECT orchestration.start_orchestration('Unanimous_Two') IS NOT NULL;
SELECT pg_temp.answer('M1', 'Approve');
UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = pg_temp.run();
SELECT pg_temp.state();
SELECT pg_temp.items();
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.state();
SELECT pg_temp.items();
RESET orchestration.resume_approvals;

--
-- Another version, a dry run, a diagram
--
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Unanimous_Two', 'label', 'Unanimous_Two', 'processType', 'ApprovalWorkflow',
    'start', '{"connector": {"targetReference": "S"}}'::jsonb)
    || pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.unanimous('A', 'User m3@example.com') || '{"requiresMultiMemberApproval": "false"}')));
SELECT orchestration.migrate_run(pg_temp.run(), 2);
SELECT pg_temp.items();
SELECT pg_temp.answer('M1', 'Approve'), pg_temp.answer('M2', 'Approve'), pg_temp.state();
SELECT event, step, detail FROM orchestration.dry_run('Unanimous_Two', NULL, outputs => '{"A": {"approvalDecision": "Reject"}}', version => 1) WHERE event LIKE '%Item' OR event LIKE '%Step' OR event = 'Result';
SELECT orchestration.start_orchestration('Members') IS NOT NULL;
SELECT orchestration.run_diagram(pg_temp.run());
SELECT * FROM orchestration.verify();

--
-- The record is locked until all have answered; all members may edit it if assignees may, others not
--
CREATE TABLE public.unanimous_record (id text PRIMARY KEY, n integer DEFAULT 0);
GRANT SELECT, UPDATE ON public.unanimous_record TO regress_orch_member;
INSERT INTO public.unanimous_record VALUES ('locked'), ('editable');
SELECT orchestration.register_record_type('Unanimous_Record', 'public.unanimous_record');
SELECT pg_temp.workflow('Lock', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('recordId', 'String'))) || pg_temp.stages(pg_temp.stage('S', NULL,
    pg_temp.unanimous('A', 'User m1@example.com', 'Group Of2') || jsonb_build_object('shouldLock', true, 'canAssigneeEdit', edits,
        'inputParameters', '[{"name": "ActionInput__RecordId", "value": {"elementReference": "recordId"}}]'::jsonb)))) FROM (VALUES (false)) v(edits);
SELECT orchestration.start_orchestration('Lock', inputs => '{"recordId": "locked"}') IS NOT NULL;
SELECT pg_temp.workflow('Lock', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('recordId', 'String'))) || pg_temp.stages(pg_temp.stage('S', NULL,
    pg_temp.unanimous('A', 'User m1@example.com', 'Group Of2') || jsonb_build_object('shouldLock', true, 'canAssigneeEdit', edits,
        'inputParameters', '[{"name": "ActionInput__RecordId", "value": {"elementReference": "recordId"}}]'::jsonb)))) FROM (VALUES (true)) v(edits);
SELECT orchestration.start_orchestration('Lock', inputs => '{"recordId": "editable"}') IS NOT NULL;
CREATE FUNCTION pg_temp.edit(username text, record text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'regress_orch_' || lower(username), true);
    UPDATE public.unanimous_record SET n = n + 1 WHERE id = record;
    PERFORM set_config('role', 'none', true);
    RETURN 'edited';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
SELECT u, r, pg_temp.edit(u, r) FROM unnest('{locked,editable}'::text[]) r, unnest('{M1,M2,M3}'::text[]) u;
-- whom the lock lets edit may lift it: any member, also one that has answered
CREATE FUNCTION pg_temp.lift(username text, record text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', 'regress_orch_' || lower(username), true);
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = orchestration.unlock_record('Unanimous_Record', record) || ' lifted';
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN SQLERRM;
WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
GRANT EXECUTE ON FUNCTION orchestration.unlock_record TO regress_orch_member;
SELECT u, r, pg_temp.lift(u, r) FROM unnest('{locked,editable}'::text[]) r, unnest('{M1,M2,M3}'::text[]) u;
SELECT pg_temp.answer('M2', 'Approve'), pg_temp.edit('M2', 'editable'), pg_temp.edit('M3', 'editable'), pg_temp.lift('M2', 'editable'), pg_temp.lift('M3', 'editable');
SELECT pg_temp.answer('M1', 'Approve'), pg_temp.edit('M3', 'editable'), pg_temp.edit('M3', 'locked');
SELECT * FROM orchestration.verify();

--
-- Every sequence of answers of 1 to 4 members, and what interrupts it
--
-- The rule, told apart from the code: a rejection or the last approval ends the round; what
-- is answered before a cancellation or recall stays; the run's last word decides.
CREATE FUNCTION pg_temp.play(size integer, word text, event text, at integer, OUT expected text, OUT actual text) LANGUAGE plpgsql AS $$
DECLARE
    member text;
    answers text[] := array_fill('Assigned'::text, ARRAY[size]);
    said text[] := '{}';
    heard text[] := '{}';
    run_status text := 'InProgress';
    submission text := 'InProgress';
    over boolean := false;
    n integer;
    run uuid := orchestration.start_orchestration('Play' || size);
BEGIN
    FOR i IN 0 .. size LOOP
        IF i = at AND event <> 'nothing' THEN
            said := said || CASE WHEN run_status = 'InProgress' THEN 'true' ELSE 'false' END;
            BEGIN
                CASE event
                    WHEN 'cancel' THEN PERFORM orchestration.cancel_run(run);
                    WHEN 'recall' THEN PERFORM orchestration.recall_run(run);
                    WHEN 'suspend' THEN PERFORM orchestration.suspend_run(run);
                END CASE;
                heard := heard || 'true'::text;
            EXCEPTION WHEN SQLSTATE 'OR001' THEN
                heard := heard || 'false'::text;
            END;
            IF run_status = 'InProgress' THEN
                run_status := CASE event WHEN 'suspend' THEN 'Suspended' ELSE 'Canceled' END;
                submission := CASE event WHEN 'cancel' THEN 'Canceled' WHEN 'recall' THEN 'Recalled' ELSE 'Suspended' END;
                IF run_status = 'Canceled' THEN
                    over := true;
                    answers := array_replace(answers, 'Assigned', submission);
                END IF;
            END IF;
        END IF;
        CONTINUE WHEN i = size;

        -- not always the first member first
        n := 1 + (i + ascii(word) + at) % size;
        said := said || CASE WHEN over THEN 'OR302' ELSE 'answered' END;
        IF NOT over THEN
            answers[n] := CASE substr(word, i + 1, 1) WHEN 'A' THEN 'Approved' ELSE 'Rejected' END;
            over := answers[n] = 'Rejected' OR NOT 'Assigned' = ANY (answers);
            answers := CASE WHEN over THEN array_replace(answers, 'Assigned', 'Withdrawn') ELSE answers END;
            IF over AND run_status = 'InProgress' THEN
                run_status := 'Completed';
            END IF;
        END IF;
        member := pg_temp.answer('M' || n, CASE substr(word, i + 1, 1) WHEN 'A' THEN 'Approve' ELSE 'Reject' END, complete => i % 2 = 1);
        heard := heard || CASE WHEN member ~ '^OR302' THEN 'OR302' WHEN member ~ '^[A-Z0-9]{5}:' THEN member ELSE 'answered' END;
    END LOOP;
    IF run_status = 'Suspended' THEN
        PERFORM orchestration.resume_run(run);
        run_status := CASE WHEN over THEN 'Completed' ELSE 'InProgress' END;
    END IF;
    IF run_status = 'Completed' THEN
        submission := CASE WHEN 'Rejected' = ANY (answers) THEN 'Rejected' ELSE 'Approved' END;
    END IF;
    expected := concat_ws(' ', said, answers, 'Completed', run_status, submission,
                          CASE WHEN run_status = 'Completed' THEN CASE submission WHEN 'Rejected' THEN 'Reject' ELSE 'Approve' END END);
    SELECT concat_ws(' ', heard, array_agg(a.status::text ORDER BY p.name), min(w.status::text), r.status, s.status,
                     (SELECT t.outputs->>'approvalDecision' FROM orchestration.step_run t WHERE t.run_id = r.id))
      INTO actual
      FROM orchestration.run r
      JOIN orchestration.submission s ON s.run_id = r.id
      JOIN orchestration.work_item w ON w.run_id = r.id AND w.is_parent
      JOIN orchestration.work_item m ON m.run_id = r.id AND m.parent_id = w.id
      JOIN orchestration.submission_item a ON a.run_id = r.id AND a.work_item_id = m.id
      JOIN orchestration.principal p ON p.id = m.assignee_id
     WHERE r.id = run GROUP BY r.id, s.id, s.run_id;
END
$$;
SELECT pg_temp.clean_up();
SELECT pg_temp.workflow('Play' || i, pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.unanimous('A', 'Group Of' || i)))) FROM generate_series(1, 4) i;
CREATE TEMP TABLE played AS
    WITH RECURSIVE word (size, word) AS (
        SELECT size, '' FROM generate_series(1, 4) size
        UNION ALL SELECT size, word || a FROM word, unnest('{A,R}'::text[]) a WHERE length(word) < size)
    SELECT size, word, event, at FROM word, unnest('{nothing,cancel,recall,suspend}'::text[]) event, generate_series(0, size) at
     WHERE length(word) = size AND (event <> 'nothing' OR at = 0) ORDER BY size, word, event, at;
CREATE TEMP TABLE result AS SELECT p.*, f.* FROM played p, pg_temp.play(size, word, event, at) f;
SELECT size, count(*), count(*) FILTER (WHERE expected = actual) AS as_expected, count(DISTINCT actual) FROM result GROUP BY size ORDER BY size;
SELECT * FROM result WHERE expected IS DISTINCT FROM actual LIMIT 10;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
DO $$
BEGIN
    UPDATE orchestration.principal SET role_name = NULL WHERE role_name LIKE 'regress_orch_m_';
    FOR i IN 1 .. 4 LOOP
        EXECUTE format('DROP ROLE regress_orch_m%s', i);
    END LOOP;
END
$$;
SELECT orchestration.unregister_record_type('Unanimous_Record');
DROP TABLE public.unanimous_record;
DROP OWNED BY regress_orch_member;
DROP ROLE regress_orch_member;
