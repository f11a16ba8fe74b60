-- approval: the life of submissions: how they start, what is a decision, how they end, recall,
-- what they leave behind.  contract/transitions.csv and neighbours.csv decide.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
ALTER SEQUENCE orchestration.submission_name_seq RESTART;
ALTER SEQUENCE orchestration.submission_item_name_seq RESTART;
ALTER SEQUENCE orchestration.submission_detail_name_seq RESTART;
CREATE TABLE public.approval_record (id integer PRIMARY KEY, status text, note text);
SELECT orchestration.register_record_type('Approval_Record', 'approval_record');
CREATE TABLE public.approval_trace (note text);
CREATE FUNCTION public.approval_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.approval_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'out of stock'; END $$;
-- an action that calls what its input says, and tells what that raised
CREATE FUNCTION public.approval_calls(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    EXECUTE format('SELECT orchestration.%s', replace(input->>'call', '$run', quote_literal(input->>'run'))) INTO told;
    INSERT INTO public.approval_trace VALUES (format('%s: %s', input->>'call', told));
    RETURN jsonb_build_object('told', told);
EXCEPTION WHEN OTHERS THEN
    RETURN jsonb_build_object('told', regexp_replace(SQLSTATE || ': ' || SQLERRM, '[0-9a-f-]{36}', '<id>', 'g'));
END $$;
SELECT orchestration.register_action('Ap_' || initcap(f), 'function', ('approval_' || f || '(jsonb)')::regprocedure) FROM unnest('{echo,fails,calls}'::text[]) f;
SELECT orchestration.register_action('Ap_Screen', 'screen'), orchestration.register_action('Ap_Work', 'worker');
CREATE ROLE regress_approval_sue;
CREATE ROLE regress_approval_ann;
CREATE ROLE regress_approval_bob;
CREATE ROLE regress_approval_adm;
CREATE ROLE regress_approval_out;
SELECT pg_temp.person(n || '@approval.example', initcap(n), 'regress_approval_' || n) FROM unnest('{sue,ann,bob,adm,out}'::text[]) n;
SELECT orchestration.update_user(id, approval_admin => true, view_all_data => true) FROM orchestration.principal WHERE username = 'adm@approval.example';
SELECT orchestration.create_queue('Ap_Desk') IS NOT NULL, orchestration.create_group('Ap_Staff') IS NOT NULL;
SELECT orchestration.add_group_member(g.id, u.id) FROM orchestration.principal g, orchestration.principal u
 WHERE g.developer_name IN ('Ap_Desk', 'Ap_Staff') AND u.username IN ('ann@approval.example', 'bob@approval.example');
GRANT USAGE ON SCHEMA orchestration TO regress_approval_sue, regress_approval_ann, regress_approval_bob, regress_approval_adm, regress_approval_out;
GRANT SELECT, INSERT, UPDATE ON public.approval_record TO regress_approval_sue;
CREATE FUNCTION pg_temp.who(text) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT id FROM orchestration.principal WHERE $1 || '@approval.example' = username OR $1 = developer_name $$;

-- an approval step; an approval with the inputs of the platform
CREATE FUNCTION pg_temp.ap(name text, after text[] DEFAULT '{}', assignee text DEFAULT 'ann', type text DEFAULT 'User', inputs jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT pg_temp.step(name, 'I', 'Ap_Screen', after, inputs, CASE type WHEN 'User' THEN assignee || '@approval.example' ELSE assignee END, CASE type WHEN 'Resource' THEN 'User' ELSE type END)
        || '{"actionType": "stepApproval", "stepSubtype": "ApprovalStep"}' || jsonb_build_object('label', 'Approval ' || name) $$;
CREATE FUNCTION pg_temp.approval(name text, start text, parts jsonb, recall text DEFAULT NULL, trigger jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name, 'processType', 'ApprovalWorkflow', 'runInMode', 'SystemModeWithoutSharing',
        'start', trigger || jsonb_build_object('connector', jsonb_build_object('targetReference', start))
            || CASE WHEN recall IS NULL THEN '{}' ELSE jsonb_build_object('scheduledPaths', jsonb_build_array(jsonb_build_object('pathType', 'ApprovalRecall', 'connector', jsonb_build_object('targetReference', recall)))) END,
        'variables', jsonb_build_array(pg_temp.variable('recordId', 'String'), pg_temp.variable('submitter', 'String'), pg_temp.variable('submissionComments', 'String'), pg_temp.variable('firstApprover', 'String'))) || parts);
    PERFORM orchestration.activate_orchestration(name);
END $$;
CREATE FUNCTION pg_temp.stages(VARIADIC stages jsonb[]) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('orchestratedStages', to_jsonb(stages)) $$;

-- a statement of a user; {run}, {submission}, {item STEP}, {approval STEP}: ids of the last run
CREATE FUNCTION pg_temp.as(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    token text;
    found uuid;
    told text;
BEGIN
    FOR token IN SELECT DISTINCT m[1] FROM regexp_matches(statement, '\{(run|submission|(?:item|approval) \w+)\}', 'g') m LOOP
        SELECT CASE split_part(token, ' ', 1)
               WHEN 'run' THEN pg_temp.run()
               WHEN 'submission' THEN (SELECT s.id FROM orchestration.submission s WHERE s.run_id = pg_temp.run())
               WHEN 'item' THEN pg_temp.item(split_part(token, ' ', 2))
               ELSE (SELECT a.id FROM orchestration.submission_item a WHERE a.work_item_id = pg_temp.item(split_part(token, ' ', 2))) END INTO found;
        statement := replace(statement, '{' || token || '}', quote_literal(found));
    END LOOP;
    PERFORM set_config('role', CASE who WHEN 'us' THEN 'none' ELSE 'regress_approval_' || who END, true);
    IF statement ~ '^SELECT' THEN
        EXECUTE statement INTO told;
    ELSE
        EXECUTE statement;
        told := 'done';
    END IF;
    PERFORM set_config('role', 'none', true);
    RETURN pg_temp.masked(told);
EXCEPTION WHEN OTHERS THEN
    RETURN pg_temp.masked(SQLSTATE || ': ' || SQLERRM);
END $$;
CREATE FUNCTION pg_temp.review(who text, step text, decision text, comments text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as(who, format('SELECT orchestration.review_approval({item %s}, %L, %L)', step, decision, comments)) $$;
-- run, submission and items in one line; the details in another
CREATE FUNCTION pg_temp.told(run uuid DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', 'run ' || r.status, 'submission ' || s.status,
        (SELECT string_agg(concat_ws(' ', t.name, a.status, 'by ' || p.name, CASE WHEN a.reviewed_at IS NOT NULL AND a.reviewed_by IS NULL THEN 'by no user' END, '"' || a.comments || '"'), ', ' ORDER BY a.id)
           FROM orchestration.submission_item a JOIN orchestration.work_item w ON w.run_id = a.run_id AND w.id = a.work_item_id
           JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id LEFT JOIN orchestration.principal p ON p.id = a.reviewed_by WHERE a.run_id = r.id))
      FROM orchestration.run r LEFT JOIN orchestration.submission s ON s.run_id = r.id WHERE r.id = COALESCE(run, pg_temp.run()) $$;
CREATE FUNCTION pg_temp.details(run uuid DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT pg_temp.masked(concat_ws(' ', d.action, 'as', d.performer_role, 'via', d.channel, 'by ' || COALESCE(p.name, 'no user'), 'of ' || t.name, '"' || d.comments || '"', '(' || d.context || ')'))
      FROM orchestration.submission_detail d LEFT JOIN orchestration.principal p ON p.id = d.performed_by
      LEFT JOIN orchestration.submission_item a ON a.run_id = d.run_id AND a.id = d.submission_item_id
      LEFT JOIN orchestration.work_item w ON w.run_id = a.run_id AND w.id = a.work_item_id LEFT JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id
     WHERE d.run_id = COALESCE(run, pg_temp.run()) ORDER BY d.id $$;
CREATE FUNCTION pg_temp.start(name text, inputs jsonb DEFAULT '{}', who text DEFAULT 'us') RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as(who, format('SELECT orchestration.start_orchestration(%L, inputs => %L) IS NOT NULL', name, inputs)) $$;
CREATE FUNCTION pg_temp.outputs(step text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT t.outputs FROM orchestration.step_run t WHERE t.run_id = pg_temp.run() AND t.name = step ORDER BY t.id DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.condition(reference text, operator text, value jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('leftValueReference', reference, 'operator', operator, 'rightValue', value)) $$;

--
-- Submitted: by a call with inputs
--
SELECT pg_temp.approval('Ap_One', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'))));
INSERT INTO public.approval_record VALUES (1, 'New');
SELECT pg_temp.start('Ap_One', '{"recordId": "1", "submitter": "SUE@approval.example", "submissionComments": "please"}');
SELECT s.name, s.status, p.name, o.name, s.comments, s.does_send_approval_email, s.related_record_object_name, s.related_record_id, s.flow_orchestration_instance_id = pg_temp.run()
  FROM orchestration.approval_submission s JOIN orchestration.principal p ON p.id = s.submitted_by_id JOIN orchestration.principal o ON o.id = s.owner_id;
SELECT a.name, a.status, p.name, a.approval_condition_name, a.related_record_object_name, a.related_record_id, a.comments, a.reviewed_by_id, a.reviewed_date, a.flow_orchestration_work_item_id = pg_temp.item('A'), a.approval_submission_id = s.id
  FROM orchestration.approval_work_item a JOIN orchestration.approval_submission s ON s.id = a.approval_submission_id JOIN orchestration.principal p ON p.id = a.assigned_to_id;
SELECT pg_temp.told();
SELECT pg_temp.review('ann', 'A', 'Approve', 'fine');
SELECT pg_temp.told();
SELECT name, action_name, action_performer_role, action_channel_name, action_context, comments, approval_submission_id = (SELECT id FROM orchestration.submission), approval_work_item_id = (SELECT id FROM orchestration.submission_item) FROM orchestration.approval_submission_detail;
-- the submitter: by id, by a name that is none, by none; who starts the run; a record that does not exist; comments that are too long
SELECT pg_temp.start('Ap_One', jsonb_build_object('submitter', pg_temp.who('sue')));
SELECT p.name, p.username FROM orchestration.submission s JOIN orchestration.principal p ON p.id = s.submitted_by WHERE s.run_id = pg_temp.run();
SELECT pg_temp.start('Ap_One', '{"submitter": "nobody"}', 'bob');
-- made by whom the run was made, submitted or not by the same
SELECT s.name, c.name, b.name, c.id = r.created_by_id FROM orchestration.approval_submission s JOIN orchestration.flow_orchestration_instance r ON r.id = s.flow_orchestration_instance_id JOIN orchestration.principal c ON c.id = s.created_by_id JOIN orchestration.principal b ON b.id = s.submitted_by_id ORDER BY s.id;
SELECT p.name FROM orchestration.submission s JOIN orchestration.principal p ON p.id = s.submitted_by WHERE s.run_id = pg_temp.run();
SELECT pg_temp.start('Ap_One', '{"submitter": "Ap_Desk", "recordId": "99"}');
SELECT p.username, s.related_record_id FROM orchestration.submission s JOIN orchestration.principal p ON p.id = s.submitted_by WHERE s.run_id = pg_temp.run();
SELECT pg_temp.start('Ap_One', '{"submissionComments": ""}', 'sue');
SELECT p.name, s.comments IS NULL OR s.comments = '' FROM orchestration.submission s JOIN orchestration.principal p ON p.id = s.submitted_by WHERE s.run_id = pg_temp.run();
SELECT pg_temp.start('Ap_One', jsonb_build_object('submissionComments', repeat('ö', 32001)));
SELECT length(comments) FROM orchestration.submission WHERE run_id = pg_temp.run();
-- the same key: one submission
SELECT orchestration.start_orchestration('Ap_One', idempotency_key => 'ap') = orchestration.start_orchestration('Ap_One', idempotency_key => 'ap'), (SELECT count(*) FROM orchestration.submission);
-- an Orchestrator has no submission, also with an approval step, which needs no decision
SELECT pg_temp.orchestration('Ap_None', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'))));
SELECT orchestration.start_orchestration('Ap_None') IS NOT NULL;
SELECT pg_temp.told();
SELECT pg_temp.review('ann', 'A', 'Approve');
SELECT pg_temp.as('ann', 'SELECT orchestration.complete_work_item({item A}, ''{"approvalDecision": "Maybe"}'')'), pg_temp.state();

--
-- Submitted by changes of records: INSERT, UPDATE, COPY; several at once
--
SELECT pg_temp.approval('Ap_Record', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A')), pg_temp.stage('Back', NULL)), 'Back',
    '{"object": "Approval_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "CreateAndUpdate", "filterLogic": "and", "filters": [{"field": "Status", "operator": "EqualTo", "value": {"stringValue": "Submitted"}}]}');
SELECT pg_temp.as('sue', $$INSERT INTO public.approval_record VALUES (2, 'Submitted'), (3, 'New')$$);
SELECT pg_temp.as('sue', $$UPDATE public.approval_record SET status = 'Submitted' WHERE id IN (1, 3)$$);
COPY public.approval_record (id, status) FROM stdin;
4	Submitted
5	New
6	Submitted
\.
SELECT s.name, s.related_record_object_name, s.related_record_id, s.status, p.name, r.triggering_record_id = s.related_record_id, count(a.id), max(a.related_record_id)
  FROM orchestration.approval_submission s JOIN orchestration.run r ON r.id = s.flow_orchestration_instance_id JOIN orchestration.principal p ON p.id = s.submitted_by_id
  LEFT JOIN orchestration.approval_work_item a ON a.approval_submission_id = s.id WHERE r.orchestration_name = 'Ap_Record' GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 3;
SELECT s.related_record_id, pg_temp.as(CASE s.related_record_id WHEN '2' THEN 'sue' ELSE 'adm' END, format('SELECT orchestration.recall_run(%L)', s.id)) FROM orchestration.submission s JOIN orchestration.run r ON r.id = s.run_id WHERE r.orchestration_name = 'Ap_Record' ORDER BY 1;
SELECT s.related_record_id, s.status, d.performer_role FROM orchestration.submission s JOIN orchestration.submission_detail d ON d.run_id = s.run_id AND d.action = 'Recall' ORDER BY 1;

--
-- What is a decision
--
SELECT pg_temp.start('Ap_One', '{"submitter": "sue@approval.example"}');
-- nothing of this is taken in
SELECT d, pg_temp.review('ann', 'A', d) FROM unnest(ARRAY[NULL, '', ' ', 'Maybe', 'approved', 'rejected', 'Approve ', 'yes', 'true', '1', 'Approved', 'Genehmigen', 'Reassign']) WITH ORDINALITY x (d, n) ORDER BY n;
SELECT o, pg_temp.as('ann', format('SELECT orchestration.complete_work_item({item A}, %L)', o)) FROM unnest(ARRAY[NULL, '{}', '{"approvalDecision": null}', '{"approvalDecision": ""}', '{"approvalDecision": 1}', '{"approvalDecision": true}', '{"approvalDecision": ["Approve"]}', '{"approvalDecision": {"a": "Approve"}}', '{"approvalDecision": "Maybe"}',
    '{"approvalDecision": "approved"}', '{"approvaldecision": "Maybe"}', '{"selectedAction": "Maybe"}', '{"selectedAction": 0}', '{"decision": "Approve"}', '{"approvalComments": "fine"}', '{"approvalDecision": "Maybe", "selectedAction": "Approve"}', '{"approvalDecision": "Approve", "approvalComments": 5}', '{"approvalDecision": "Approve", "specifiedComments": ["x"]}',
    '["Approve"]', '"Approve"']) WITH ORDINALITY x (o, n) ORDER BY n;
-- two names that say different things
SELECT pg_temp.as('ann', $$SELECT orchestration.complete_work_item({item A}, '{"approvalDecision": "Approve", "selectedAction": "Reject"}')$$);
SELECT pg_temp.as('us', $$UPDATE orchestration.work_item SET status = 'Completed' WHERE id = {item A}$$),
       pg_temp.as('us', $$UPDATE orchestration.flow_orchestration_work_item SET status = 'Completed' WHERE id = {item A}$$),
       pg_temp.as('us', $$SELECT orchestration.update(jsonb_build_array(jsonb_build_object('attributes', '{"type": "FlowOrchestrationWorkItem"}'::jsonb, 'Id', {item A}, 'Status', 'Completed')))->0->'errors'->0->>'statusCode'$$);
SELECT pg_temp.review('ann', 'A', 'Approve', repeat('x', 32001)), pg_temp.as('ann', format('SELECT orchestration.complete_work_item({item A}, %L)', jsonb_build_object('approvalDecision', 'Approve', 'approvalComments', repeat('x', 32001))));
-- another one, nobody, an item that is none
SELECT pg_temp.review('out', 'A', 'Approve'), pg_temp.review('bob', 'A', 'Approve'), pg_temp.review('sue', 'A', 'Approve');
SELECT pg_temp.as('ann', 'SELECT orchestration.review_approval(NULL, ''Approve'')'), pg_temp.as('ann', 'SELECT orchestration.review_approval(gen_random_uuid(), ''Approve'')'), pg_temp.as('ann', 'SELECT orchestration.review_approval({run}, ''Approve'')');
SELECT pg_temp.told();
SELECT pg_temp.details();
-- by every way: the decision is stored in its canonical form under every name, the comments everywhere
CREATE FUNCTION pg_temp.way(statement text, who text DEFAULT 'ann') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.start('Ap_One', '{"submitter": "sue@approval.example"}');
    RETURN NEXT pg_temp.as(who, 'SELECT orchestration.' || statement);
    RETURN NEXT concat_ws(' | ', pg_temp.told(), pg_temp.outputs('A'), (SELECT string_agg(d, ', ') FROM pg_temp.details() d));
    RETURN NEXT (SELECT string_agg(concat_ws(' ', l.kind, '"' || l.comments || '"'), ', ' ORDER BY l.number) FROM orchestration.run_log l WHERE l.run_id = pg_temp.run() AND l.kind IN ('EndWorkItem', 'EndStep'));
END $$;
SELECT pg_temp.way($$review_approval({item A}, 'Approve', 'fine')$$);
SELECT pg_temp.way($$review_approval({approval A}, 'REJECT', 'no money')$$);
SELECT pg_temp.way($$review_approval({approval A}, 'aPPROVE', NULL, 'Email')$$);
SELECT pg_temp.way($$review_approval({item A}, 'reject', '', 'Slack')$$);
SELECT pg_temp.way($$complete_work_item({item A}, '{"approvalDecision": "Approve", "approvalComments": "fine"}')$$);
SELECT pg_temp.way($$complete_work_item({item A}, '{"approvalDecision": "reject"}')$$);
SELECT pg_temp.way($$complete_work_item({item A}, '{"selectedAction": "APPROVE", "specifiedComments": "fine", "more": {"a": [1]}}', 'key')$$);
SELECT pg_temp.way($$complete_work_item({item A}, '{"approvalDecision": null, "selectedAction": "Reject", "approvalComments": null, "specifiedComments": "no"}')$$);
SELECT pg_temp.way($$complete_work_item({item A}, '{"approvalDecision": "Approve", "selectedAction": "approve", "approvalComments": "one", "specifiedComments": "two"}')$$);
SELECT pg_temp.way($$review_approval({item A}, 'Approve', 'for Ann')$$, 'us');
SELECT pg_temp.way($$complete_work_item({item A}, '{"approvalDecision": "Approve"}')$$, 'us');
SELECT pg_temp.way($$override_approval({item A}, 'Reject', 'Ann is away')$$, 'adm');
SELECT pg_temp.way($$override_approval({approval A}, 'Approve', NULL, 'ApprovalRecord')$$, 'adm');
SELECT pg_temp.way($$override_approval({item A}, 'Approve')$$), pg_temp.way($$override_approval({item A}, 'Maybe')$$, 'adm'), pg_temp.way($$override_approval({item A}, NULL)$$, 'adm');
-- once; the same request again
SELECT pg_temp.way($$complete_work_item({item A}, '{"approvalDecision": "Approve"}', 'key')$$);
SELECT pg_temp.review('ann', 'A', 'Approve'), pg_temp.review('ann', 'A', 'Reject'), pg_temp.as('adm', $$SELECT orchestration.override_approval({item A}, 'Reject')$$),
       pg_temp.as('ann', $$SELECT orchestration.complete_work_item({item A}, '{"approvalDecision": "Approve"}', 'key')$$), pg_temp.as('ann', $$SELECT orchestration.complete_work_item({item A}, '{"approvalDecision": "Reject"}', 'key')$$), pg_temp.as('ann', $$SELECT orchestration.complete_work_item({item A}, '{"approvalDecision": "Reject"}')$$);
SELECT pg_temp.told();
-- items of a group and a queue: the first answer wins; claimed, released, reassigned with a comment
SELECT pg_temp.approval('Ap_Many', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('G', '{}', 'Ap_Staff', 'Group'), pg_temp.ap('Q', '{}', 'Ap_Desk', 'Queue'))));
SELECT pg_temp.start('Ap_Many', '{"submitter": "sue@approval.example"}');
SELECT pg_temp.review('sue', 'G', 'Approve'), pg_temp.review('bob', 'G', 'Approve', 'I am of the staff'), pg_temp.review('ann', 'G', 'Reject');
SELECT pg_temp.as('ann', 'SELECT orchestration.claim_work_item({item Q})'), pg_temp.review('bob', 'Q', 'Approve'), pg_temp.as('ann', 'SELECT orchestration.release_work_item({item Q})');
SELECT pg_temp.as('adm', format('SELECT orchestration.reassign_work_item({item Q}, %L, %L)', pg_temp.who('out'), 'Out is in'));
SELECT pg_temp.as('us', format('UPDATE orchestration.work_item SET assignee_id = %L WHERE id = {item Q}', pg_temp.who('sue'))),
       pg_temp.as('us', format($$SELECT orchestration.update(jsonb_build_array(jsonb_build_object('attributes', '{"type": "FlowOrchestrationWorkItem"}'::jsonb, 'Id', {item Q}, 'AssigneeId', %L)))->0->>'success'$$, pg_temp.who('bob')));
SELECT p.name FROM orchestration.submission_item a JOIN orchestration.principal p ON p.id = a.assigned_to WHERE a.work_item_id = pg_temp.item('Q');
SELECT pg_temp.review('out', 'Q', 'Approve'), pg_temp.review('bob', 'Q', 'Reject', 'too late');
SELECT pg_temp.told();
SELECT pg_temp.details();
SELECT kind, step_name, comments FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() AND (comments IS NOT NULL OR kind = 'ReassignWorkItem') ORDER BY name;

--
-- The final status: rejected if an item was, when the run has ended; approved otherwise
--
SELECT pg_temp.approval('Ap_Two', 'S', pg_temp.stages(pg_temp.stage('S', 'T', pg_temp.ap('A'), pg_temp.ap('B', '{}', 'bob')), pg_temp.stage('T', NULL, pg_temp.ap('C'))));
CREATE FUNCTION pg_temp.decide(a text, b text, c text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    PERFORM pg_temp.start('Ap_Two', '{"submitter": "sue@approval.example"}');
    told := concat_ws(', ', pg_temp.review('ann', 'A', a), pg_temp.review('bob', 'B', b), pg_temp.review('ann', 'C', c));
    RETURN told || ' | ' || pg_temp.told();
END $$;
SELECT a, b, c, pg_temp.decide(a, b, c) FROM unnest('{Approve,Reject}'::text[]) a, unnest('{Approve,Reject}'::text[]) b, unnest('{Approve,Reject}'::text[]) c ORDER BY 1, 2, 3;
-- a rejection does not stop the run; its submission goes on InProgress and Suspended with it
SELECT pg_temp.start('Ap_Two', '{"submitter": "sue@approval.example"}');
SELECT pg_temp.review('ann', 'A', 'Reject'), pg_temp.told();
SELECT pg_temp.as('us', $$SELECT orchestration.suspend_run({run})$$), pg_temp.told();
-- answered while it is suspended
SELECT pg_temp.review('bob', 'B', 'Approve', 'meanwhile'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.as('us', $$SELECT orchestration.resume_run({run})$$), pg_temp.told(), pg_temp.state();
SELECT pg_temp.review('ann', 'C', 'Approve'), pg_temp.told();
SELECT status FROM orchestration.submission WHERE run_id = pg_temp.run();
-- without an approval step; with an interactive step, which needs no decision and has no approval work item
SELECT pg_temp.approval('Ap_Zero', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.step('B', 'B', 'Ap_Echo'))));
SELECT pg_temp.start('Ap_Zero'), pg_temp.told();
SELECT pg_temp.approval('Ap_Person', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.step('P', 'I', 'Ap_Screen', '{}', '{}', 'ann@approval.example'))));
SELECT pg_temp.start('Ap_Person'), pg_temp.told();
SELECT pg_temp.as('ann', $$SELECT orchestration.complete_work_item({item P}, '{"approvalDecision": "Maybe"}')$$), pg_temp.told();
-- a fault path that skips the approval steps
SELECT pg_temp.approval('Ap_Fault', 'S', pg_temp.stages(
    pg_temp.stage('S', 'T', pg_temp.ap('A'), pg_temp.step('F', 'B', 'Ap_Fails')) || '{"faultConnector": {"targetReference": "Repair"}}',
    pg_temp.stage('T', NULL, pg_temp.ap('C')), pg_temp.stage('Repair', NULL, pg_temp.step('B', 'B', 'Ap_Echo'))));
SELECT pg_temp.start('Ap_Fault'), pg_temp.told(), pg_temp.state();
-- rejected before the fault
SELECT pg_temp.approval('Ap_Late_fault', 'S', pg_temp.stages(
    pg_temp.stage('S', 'T', pg_temp.ap('A'), pg_temp.ap('B', '{}', 'bob'), pg_temp.step('F', 'B', 'Ap_Fails', '{A}')) || '{"faultConnector": {"targetReference": "Repair"}}',
    pg_temp.stage('T', NULL, pg_temp.ap('C')), pg_temp.stage('Repair', NULL, pg_temp.step('E', 'B', 'Ap_Echo'))));
SELECT pg_temp.start('Ap_Late_fault'), pg_temp.review('ann', 'A', 'Reject'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.start('Ap_Late_fault'), pg_temp.review('ann', 'A', 'Approve'), pg_temp.told();
-- no fault path: Errored; not resumed unless the setting is on
SELECT pg_temp.approval('Ap_Error', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'), pg_temp.ap('B', '{}', 'bob'), pg_temp.step('F', 'B', 'Ap_Fails', '{A}'))));
SELECT pg_temp.start('Ap_Error'), pg_temp.review('ann', 'A', 'Reject'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.as('us', 'SELECT orchestration.resume_run({run})'), pg_temp.as('us', $$UPDATE orchestration.run SET status = 'InProgress' WHERE id = {run}$$),
       (SELECT count(*) FROM orchestration.retry_failed_runs('Ap_Error') WHERE error IS NULL);
SELECT pg_temp.told();
SET orchestration.resume_approvals = on;
SELECT pg_temp.as('us', $$SELECT orchestration.resume_run({run})$$), pg_temp.told(), pg_temp.state();
CREATE OR REPLACE FUNCTION public.approval_fails(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT pg_temp.as('us', $$SELECT orchestration.resume_run({run})$$), pg_temp.told(), pg_temp.state();
SELECT pg_temp.review('bob', 'B', 'Approve'), pg_temp.told();
RESET orchestration.resume_approvals;
CREATE OR REPLACE FUNCTION public.approval_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'out of stock'; END $$;
-- the screen fails
SELECT pg_temp.start('Ap_One', '{"submitter": "sue@approval.example"}'), pg_temp.as('ann', $$SELECT orchestration.fail_work_item({item A}, 'the screen broke')$$), pg_temp.told(), pg_temp.state();
SELECT pg_temp.review('ann', 'A', 'Approve'), pg_temp.told(), pg_temp.state();
-- failed by a plain write, canceled by a plain write and by calls, with comments and without
SELECT pg_temp.start('Ap_Two'), pg_temp.review('ann', 'A', 'Approve'), pg_temp.as('us', $$UPDATE orchestration.run SET status = 'Error' WHERE id = {run}$$), pg_temp.told();
SELECT pg_temp.start('Ap_Two'), pg_temp.review('ann', 'A', 'Reject'), pg_temp.as('us', $$SELECT orchestration.cancel_run({run}, 'not needed')$$), pg_temp.told();
SELECT pg_temp.details();
SELECT pg_temp.as('us', $$SELECT orchestration.cancel_run({run}, 'again')$$), pg_temp.told();
SELECT pg_temp.start('Ap_Two'), pg_temp.as('us', $$SELECT orchestration.suspend_run({run})$$), pg_temp.as('us', $$SELECT orchestration.cancel_run({run})$$), pg_temp.told();
SELECT pg_temp.start('Ap_Two'), pg_temp.as('us', $$UPDATE orchestration.flow_orchestration_instance SET status = 'Canceled' WHERE id = {run}$$), pg_temp.told();
SELECT pg_temp.details();
SELECT pg_temp.review('bob', 'B', 'Approve');
-- an approval administrator cancels, and no other user does
SELECT pg_temp.start('Ap_Two', '{"submitter": "sue@approval.example"}'), pg_temp.as('sue', 'SELECT orchestration.cancel_run({run})'), pg_temp.as('ann', 'SELECT orchestration.cancel_run({run})'), pg_temp.as('adm', 'SELECT orchestration.cancel_run({run}, ''by Adm'')'), pg_temp.told();
SELECT pg_temp.details();
SELECT kind, comments FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() AND kind::text LIKE 'Cancel%';
-- an item that is no longer needed; one whose step ends by its own condition, one by a plain write
SELECT pg_temp.approval('Ap_First', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'), pg_temp.ap('B', '{}', 'bob'))
    || jsonb_build_object('exitConditions', jsonb_build_array(pg_temp.condition('A.Status', 'EqualTo', '{"stringValue": "Completed"}')))));
SELECT pg_temp.start('Ap_First'), pg_temp.review('ann', 'A', 'Approve'), pg_temp.told();
SELECT pg_temp.approval('Ap_Own_end', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'), pg_temp.ap('B', '{}', 'bob')
    || jsonb_build_object('exitConditions', jsonb_build_array(pg_temp.condition('A.Outputs.approvalDecision', 'EqualTo', '{"stringValue": "Reject"}'))))));
SELECT pg_temp.start('Ap_Own_end'), pg_temp.review('ann', 'A', 'reject'), pg_temp.told();
SELECT pg_temp.start('Ap_Two'), pg_temp.as('us', $$UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = {run} AND name = 'A'$$), pg_temp.told();
SELECT pg_temp.as('us', $$UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = {run} AND name = 'B'$$), pg_temp.told();
SELECT pg_temp.start('Ap_Two'), pg_temp.as('us', $$UPDATE orchestration.stage_run SET status = 'Completed' WHERE run_id = {run} AND name = 'S'$$), pg_temp.told();
-- an assignee that does not exist
SELECT pg_temp.approval('Ap_Nobody', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'), pg_temp.ap('N', '{A}', '{!firstApprover}', 'Resource'))));
SELECT pg_temp.start('Ap_Nobody', '{"firstApprover": "nobody"}'), pg_temp.review('ann', 'A', 'Approve'), pg_temp.told();
-- decisions read the outputs, in any case of the letters in which they came
SELECT pg_temp.approval('Ap_Route', 'S', pg_temp.stages(pg_temp.stage('S', 'Which', pg_temp.ap('A')), pg_temp.stage('Yes', NULL), pg_temp.stage('No', NULL, pg_temp.step('Why', 'B', 'Ap_Echo', '{}',
        '{"decision": {"elementReference": "A.Outputs.approvalDecision"}, "action": {"elementReference": "A.Outputs.selectedAction"}, "why": {"elementReference": "A.Outputs.approvalComments"}, "said": {"elementReference": "A.Outputs.specifiedComments"}}')), pg_temp.stage('Neither', NULL))
    || jsonb_build_object('decisions', jsonb_build_array(jsonb_build_object('name', 'Which', 'label', 'Which', 'defaultConnector', '{"targetReference": "Neither"}'::jsonb, 'rules', jsonb_build_array(
        jsonb_build_object('name', 'Approved', 'label', 'x', 'conditionLogic', 'and', 'connector', '{"targetReference": "Yes"}'::jsonb, 'conditions', jsonb_build_array(pg_temp.condition('A.Outputs.approvalDecision', 'EqualTo', '{"stringValue": "Approve"}'))),
        jsonb_build_object('name', 'Rejected', 'label', 'x', 'conditionLogic', 'and', 'connector', '{"targetReference": "No"}'::jsonb, 'conditions', jsonb_build_array(pg_temp.condition('A.Outputs.selectedAction', 'EqualTo', '{"stringValue": "Reject"}'))))))));
SELECT pg_temp.start('Ap_Route'), pg_temp.as('ann', $$SELECT orchestration.complete_work_item({item A}, '{"APPROVALDECISION": "aPPROVE"}')$$), pg_temp.told(), pg_temp.state(), pg_temp.outputs('A');
SELECT pg_temp.start('Ap_Route'), pg_temp.as('ann', $$SELECT orchestration.complete_work_item({item A}, '{"SelectedAction": "REJECT", "SPECIFIEDCOMMENTS": "no"}')$$), pg_temp.told(), pg_temp.state(), pg_temp.outputs('Why');

--
-- Recall: by the submitter or an approval administrator, InProgress or Suspended
--
SELECT pg_temp.approval('Ap_Recall', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'), pg_temp.ap('B', '{}', 'bob')),
    pg_temp.stage('Back', NULL, pg_temp.step('Note', 'B', 'Ap_Echo', '{}', '{"stage": {"elementReference": "S.Status"}, "step": {"elementReference": "B.Status"}}'))), 'Back');
CREATE FUNCTION pg_temp.log(run uuid DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', l.kind, COALESCE(l.step_name, l.stage_name), '"' || l.comments || '"') FROM orchestration.flow_orchestration_log l WHERE l.orchestration_instance_id = COALESCE(run, pg_temp.run()) ORDER BY l.name $$;
SELECT pg_temp.start('Ap_Recall', '{"submitter": "sue@approval.example"}'), pg_temp.review('ann', 'A', 'Approve', 'fine');
-- neither assignees nor others
SELECT pg_temp.as('ann', 'SELECT orchestration.recall_run({run})'), pg_temp.as('bob', 'SELECT orchestration.recall_run({submission})'), pg_temp.as('out', 'SELECT orchestration.recall_run({run})');
SELECT pg_temp.as('sue', 'SELECT orchestration.recall_run(NULL)'), pg_temp.as('sue', 'SELECT orchestration.recall_run(gen_random_uuid())'), pg_temp.as('sue', format('SELECT orchestration.recall_run({run}, %L)', repeat('x', 32001)));
SELECT pg_temp.told();
SELECT pg_temp.as('sue', 'SELECT orchestration.recall_run({submission}, ''changed my mind'')'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.outputs('Note');
SELECT pg_temp.log();
SELECT pg_temp.details();
-- twice, after the end, of a run that is no approval
SELECT pg_temp.as('sue', 'SELECT orchestration.recall_run({submission})'), pg_temp.as('adm', 'SELECT orchestration.recall_run({run})'), pg_temp.as('us', 'SELECT orchestration.recall_run({run})');
SELECT pg_temp.as('us', 'SELECT orchestration.cancel_run({run})'), pg_temp.as('us', 'SELECT orchestration.resume_run({run})'), pg_temp.told();
SELECT pg_temp.start('Ap_Zero', '{"submitter": "sue@approval.example"}'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.told();
SELECT pg_temp.start('Ap_None'), pg_temp.as('us', 'SELECT orchestration.recall_run({run})'), pg_temp.told();
SELECT pg_temp.start('Ap_Error', '{"submitter": "sue@approval.example"}'), pg_temp.review('ann', 'A', 'Approve'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.told();
-- Suspended; the pending answer is kept
SELECT pg_temp.start('Ap_Recall', '{"submitter": "sue@approval.example"}'), pg_temp.as('us', $$SELECT orchestration.suspend_run({run})$$), pg_temp.review('ann', 'A', 'Reject', 'meanwhile');
SELECT pg_temp.as('sue', 'SELECT orchestration.recall_run({run}, ''from Suspended'')'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.log();
-- without a recall path: Canceled at once; Suspended, too
SELECT pg_temp.start('Ap_Two', '{"submitter": "sue@approval.example"}'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run}, ''no longer'')'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.log();
SELECT pg_temp.details();
SELECT pg_temp.start('Ap_Two', '{"submitter": "sue@approval.example"}'), pg_temp.as('us', $$SELECT orchestration.suspend_run({run})$$), pg_temp.as('adm', 'SELECT orchestration.recall_run({run})'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.details();
-- by an UPDATE there is no recall; nobody writes the tables
SELECT pg_temp.start('Ap_Two', '{"submitter": "sue@approval.example"}');
SELECT pg_temp.as(w, s) FROM unnest('{sue,us}'::text[]) w, unnest(ARRAY[$$UPDATE orchestration.submission SET status = 'Recalled' WHERE id = {submission}$$, $$UPDATE orchestration.submission SET comments = 'x' WHERE id = {submission}$$, $$UPDATE orchestration.approval_submission SET status = 'Approved' WHERE id = {submission}$$,
    $$UPDATE orchestration.submission_item SET status = 'Approved', reviewed_at = now() WHERE id = {approval A}$$, $$UPDATE orchestration.submission_item SET comments = 'x' WHERE id = {approval A}$$, $$DELETE FROM orchestration.submission WHERE id = {submission}$$, $$DELETE FROM orchestration.submission_item WHERE id = {approval A}$$,
    $$UPDATE orchestration.submission_detail SET comments = 'x'$$, $$DELETE FROM orchestration.submission_detail$$,
    $$INSERT INTO orchestration.submission (run_id, owner_id, submitted_by, status) SELECT {run}, owner_id, submitted_by, 'InProgress' FROM orchestration.submission WHERE id = {submission}$$, $$TRUNCATE orchestration.submission CASCADE$$]) WITH ORDINALITY x (s, n) ORDER BY w DESC, n;
SELECT pg_temp.told();
-- a recall path with an approval step of its own: it may be answered, suspended, canceled; the run ends Canceled, the submission stays Recalled
SELECT pg_temp.approval('Ap_Ask_back', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'), pg_temp.step('W', 'A', 'Ap_Work')), pg_temp.stage('Back', 'Last', pg_temp.ap('R', '{}', 'bob'), pg_temp.ap('Q', '{}', 'ann')), pg_temp.stage('Last', NULL, pg_temp.step('E', 'B', 'Ap_Echo'))), 'Back');
SELECT pg_temp.start('Ap_Ask_back', '{"submitter": "sue@approval.example"}'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run}, ''ask back'')'), pg_temp.told(), pg_temp.state();
SELECT count(*) FROM orchestration.verify();
SELECT pg_temp.as('sue', 'SELECT orchestration.recall_run({run}, ''again'')'), pg_temp.review('ann', 'A', 'Approve'), pg_temp.review('bob', 'R', 'Maybe');
SELECT pg_temp.as('us', $$SELECT orchestration.suspend_run({run})$$), pg_temp.told(), pg_temp.as('sue', 'SELECT orchestration.recall_run({run}, ''again'')'), pg_temp.as('us', $$SELECT orchestration.resume_run({run})$$), pg_temp.told();
SELECT pg_temp.review('bob', 'R', 'Reject', 'keep it'), pg_temp.told();
SELECT pg_temp.review('ann', 'Q', 'Approve'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.start('Ap_Ask_back', '{"submitter": "sue@approval.example"}'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.review('bob', 'R', 'Approve'), pg_temp.as('us', $$SELECT orchestration.cancel_run({run}, 'enough')$$), pg_temp.told(), pg_temp.state();
SELECT pg_temp.details();
-- an item of the recall path that is no longer needed
SELECT pg_temp.start('Ap_Ask_back', '{"submitter": "sue@approval.example"}'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'),
       pg_temp.as('us', $$UPDATE orchestration.stage_run SET status = 'Completed' WHERE run_id = {run} AND name = 'Back'$$), pg_temp.told(), pg_temp.state();
-- an item of the recall path of a run that fails
SELECT pg_temp.start('Ap_Ask_back', '{"submitter": "sue@approval.example"}'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'),
       pg_temp.as('us', $$UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = {run} AND name = 'Q'$$), pg_temp.told(), pg_temp.state();
SET orchestration.resume_approvals = on;
SELECT pg_temp.as('us', $$SELECT orchestration.resume_run({run})$$), pg_temp.told(), pg_temp.state();
RESET orchestration.resume_approvals;
SELECT pg_temp.review('bob', 'R', 'Approve'), pg_temp.review('ann', 'Q', 'Approve'), pg_temp.told();
SELECT count(*) FROM orchestration.verify();
-- a recall path with a step that fails: the submission stays Recalled
SELECT pg_temp.approval('Ap_Fail_back', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A')), pg_temp.stage('Back', NULL, pg_temp.ap('R', '{}', 'bob'), pg_temp.step('F', 'B', 'Ap_Fails'))), 'Back');
SELECT pg_temp.start('Ap_Fail_back', '{"submitter": "sue@approval.example"}'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.told();
-- recalled after a stage that was completed and between stages that have failed
SELECT pg_temp.approval('Ap_Later', 'S', pg_temp.stages(pg_temp.stage('S', 'T', pg_temp.ap('A')) || '{"faultConnector": {"targetReference": "T"}}', pg_temp.stage('T', NULL, pg_temp.ap('C')), pg_temp.stage('Back', NULL)), 'Back');
SELECT pg_temp.start('Ap_Later', '{"submitter": "sue@approval.example"}'), pg_temp.review('ann', 'A', 'Reject'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.start('Ap_Later', '{"submitter": "sue@approval.example"}'), pg_temp.as('us', $$UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = {run} AND name = 'A'$$), pg_temp.told(),
       pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.told(), pg_temp.state();
-- what a recalled step of a worker brings is too late
SELECT pg_temp.start('Ap_Ask_back', '{"submitter": "sue@approval.example"}');
SELECT step_id, lease_id FROM orchestration.claim_steps('w', '{Ap_Work}') WHERE run_id = pg_temp.run() \gset
SELECT pg_temp.as('sue', 'SELECT orchestration.recall_run({run})');
SELECT accepted, reason FROM orchestration.complete_steps(jsonb_build_array(jsonb_build_object('step_id', :'step_id', 'lease_id', :'lease_id', 'outputs', '{}'::jsonb)));
SELECT pg_temp.state();
-- from inside an action of the run itself: review, override, recall, cancel, suspend
SELECT pg_temp.approval('Ap_Inside', 'S', pg_temp.stages(pg_temp.stage('S', 'T', pg_temp.ap('A'), pg_temp.step('C', 'B', 'Ap_Calls', '{A}', '{"run": {"elementReference": "$Orchestration.Instance"}, "call": {"elementReference": "submissionComments"}}'), pg_temp.ap('B', '{}', 'bob')),
    pg_temp.stage('T', NULL, pg_temp.ap('D')), pg_temp.stage('Back', NULL, pg_temp.ap('R', '{}', 'bob'))), 'Back');
CREATE FUNCTION pg_temp.inside(call text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.start('Ap_Inside', jsonb_build_object('submitter', 'sue@approval.example', 'submissionComments', call));
    RETURN NEXT pg_temp.as('us', $x$SELECT orchestration.review_approval({item A}, 'Approve')$x$) || ': ' || COALESCE(pg_temp.outputs('C')->>'told', 'nothing');
    RETURN NEXT pg_temp.told();
    RETURN NEXT pg_temp.state();
    RETURN NEXT (SELECT count(*) FROM orchestration.verify());
END $$;
SELECT pg_temp.inside($$recall_run($run, 'inside')$$);
SELECT pg_temp.inside($$cancel_run($run, 'inside')$$);
SELECT pg_temp.inside($$suspend_run($run)$$);
SELECT pg_temp.inside($$review_approval((SELECT a.id FROM orchestration.submission_item a WHERE a.run_id = $run AND a.status = 'Assigned' LIMIT 1), 'Reject', 'inside')$$);
SELECT pg_temp.inside($$review_approval((SELECT a.id FROM orchestration.submission_item a WHERE a.run_id = $run AND a.status = 'Approved' LIMIT 1), 'Reject', 'inside')$$);
SELECT note FROM public.approval_trace;
-- an action deletes the run that called it: there is no status to return
CREATE FUNCTION public.approval_gone(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.cancel_run((input->>'run')::uuid);
    DELETE FROM orchestration.run WHERE id = (input->>'run')::uuid;
    RETURN input;
END $$;
SELECT orchestration.register_action('Ap_Gone', 'function', 'approval_gone(jsonb)');
SELECT pg_temp.approval('Ap_Vanish', 'S', pg_temp.stages(pg_temp.stage('S', NULL, pg_temp.ap('A'), pg_temp.step('C', 'B', 'Ap_Gone', '{A}', '{"run": {"elementReference": "$Orchestration.Instance"}}')),
    pg_temp.stage('Back', NULL, pg_temp.step('D', 'B', 'Ap_Gone', '{}', '{"run": {"elementReference": "$Orchestration.Instance"}}'))), 'Back');
CREATE FUNCTION pg_temp.vanish(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    run uuid;
    answer text;
BEGIN
    PERFORM pg_temp.start('Ap_Vanish', '{"submitter": "sue@approval.example"}');
    run := pg_temp.run();
    answer := pg_temp.as('us', call);
    RETURN format('%s, %s runs, %s left', COALESCE(answer, 'null'), (SELECT count(*) FROM orchestration.run r WHERE r.id = run), (SELECT count(*) FROM orchestration.verify()));
END $$;
SELECT c, pg_temp.vanish(c) FROM unnest(ARRAY[$$SELECT orchestration.review_approval({item A}, 'Approve')$$, $$SELECT orchestration.override_approval({approval A}, 'Approve')$$,
    $$SELECT orchestration.complete_work_item({item A}, '{"approvalDecision": "Approve"}')$$, $$SELECT orchestration.recall_run({run})$$, $$SELECT orchestration.recall_run({submission})$$]) c;
-- a user's trigger suspends the run on its way to the next stage: no stage is open
CREATE FUNCTION public.approval_halt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.suspend_run(NEW.run_id);
    RETURN NULL;
END $$;
CREATE TRIGGER approval_halt AFTER UPDATE ON orchestration.stage_run FOR EACH ROW WHEN (NEW.status = 'Completed' AND NEW.name = 'S') EXECUTE FUNCTION public.approval_halt();
SELECT pg_temp.approval('Ap_Halt', 'S', pg_temp.stages(pg_temp.stage('S', 'T', pg_temp.ap('A')), pg_temp.stage('T', NULL, pg_temp.ap('C')), pg_temp.stage('Back', NULL, pg_temp.ap('R', '{}', 'bob'))), 'Back');
SELECT pg_temp.start('Ap_Halt', '{"submitter": "sue@approval.example"}'), pg_temp.review('ann', 'A', 'Approve'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.told(), pg_temp.state();
SELECT pg_temp.review('bob', 'R', 'Approve'), pg_temp.told(), pg_temp.state();
SELECT invariant, object, detail FROM orchestration.verify();
DROP TRIGGER approval_halt ON orchestration.stage_run;
DROP FUNCTION public.approval_halt();
-- in one transaction with the review that it follows, and undone
BEGIN;
SELECT pg_temp.start('Ap_Recall', '{"submitter": "sue@approval.example"}');
SAVEPOINT s;
SELECT pg_temp.review('ann', 'A', 'Reject'), pg_temp.as('sue', 'SELECT orchestration.recall_run({run})'), pg_temp.told();
ROLLBACK TO s;
SELECT pg_temp.told(), pg_temp.review('ann', 'A', 'Approve'), pg_temp.review('bob', 'B', 'Approve');
COMMIT;
SELECT pg_temp.told();
SELECT pg_temp.details();

--
-- What is left: names, history, who sees what
--
SELECT DISTINCT regexp_replace(name, '\d{9}$', 'n') FROM (SELECT name FROM orchestration.submission UNION ALL SELECT name FROM orchestration.submission_item UNION ALL SELECT name FROM orchestration.submission_detail) x ORDER BY 1;
SELECT pg_temp.start('Ap_Two', '{"submitter": "sue@approval.example"}'), pg_temp.as('us', $$SELECT orchestration.suspend_run({run})$$), pg_temp.as('us', $$SELECT orchestration.resume_run({run})$$), pg_temp.review('ann', 'A', 'Approve', 'fine'),
       pg_temp.as('us', format('SELECT orchestration.reassign_work_item({item B}, %L, ''over to Out'')', pg_temp.who('out'))), pg_temp.review('out', 'B', 'Reject'), pg_temp.review('ann', 'C', 'Approve');
SELECT h.field, h.old_value, h.new_value, p.name FROM orchestration.approval_submission_history h JOIN orchestration.principal p ON p.id = h.created_by_id JOIN orchestration.submission s ON s.id = h.approval_submission_id WHERE s.run_id = pg_temp.run() ORDER BY h.id;
SELECT a.condition_name, h.field, pg_temp.masked(h.old_value), pg_temp.masked(h.new_value), p.name FROM orchestration.approval_work_item_history h JOIN orchestration.principal p ON p.id = h.created_by_id JOIN orchestration.submission_item a ON a.id = h.approval_work_item_id WHERE a.run_id = pg_temp.run() ORDER BY a.condition_name, h.id;
SELECT pg_temp.log();
-- the submitter and each reviewer see the submission with all its rows; others none
SELECT w, pg_temp.as(w, format($$SELECT format('%%s submissions, %%s items, %%s details', (SELECT count(*) FROM orchestration.approval_submission WHERE id = {submission}), (SELECT count(*) FROM orchestration.approval_work_item WHERE approval_submission_id = {submission}), (SELECT count(*) FROM orchestration.approval_submission_detail WHERE approval_submission_id = {submission}))$$))
  FROM unnest('{sue,ann,out,adm,bob}'::text[]) WITH ORDINALITY x (w, n) ORDER BY n;

--
-- Deleted with their runs; tombstones
--
SELECT orchestration.start_orchestration('Ap_Two') AS open \gset
SELECT pg_temp.try('DELETE FROM orchestration.run'), (SELECT count(*) > 0 FROM orchestration.submission);
SELECT invariant, object, detail FROM orchestration.verify();
SELECT orchestration.cancel_run(:'open');
DELETE FROM orchestration.tombstone;
DELETE FROM orchestration.run WHERE id = :'open';
SELECT object, count(*), count(run_id) FROM orchestration.tombstone WHERE object::text LIKE 'Approval%' GROUP BY 1 ORDER BY 1;
SELECT (SELECT count(*) FROM orchestration.submission) AS submissions, (SELECT count(*) FROM orchestration.submission_item) AS items, (SELECT count(*) FROM orchestration.submission_detail) AS details \gset
DELETE FROM orchestration.tombstone;
SELECT pg_temp.clean_up();
SELECT count(*) FROM orchestration.submission UNION ALL SELECT count(*) FROM orchestration.submission_item UNION ALL SELECT count(*) FROM orchestration.submission_detail UNION ALL SELECT count(*) FROM orchestration.field_change WHERE object::text LIKE 'Approval%';
SELECT object, count(*) - CASE object::text WHEN 'ApprovalSubmission' THEN :submissions WHEN 'ApprovalWorkItem' THEN :items ELSE :details END FROM orchestration.tombstone WHERE object::text IN ('ApprovalSubmission', 'ApprovalWorkItem') GROUP BY 1 ORDER BY 1;
-- in getDeleted
SELECT jsonb_array_length(orchestration.get_deleted(o, now() - interval '1 hour', now() + interval '1 hour')->'deletedRecords') > 0 FROM unnest('{ApprovalSubmission,ApprovalWorkItem,ApprovalSubmissionDetail}'::text[]) o;
SELECT invariant, object, detail FROM orchestration.verify();
SELECT count(orchestration.deactivate_orchestration(name)) > 10 FROM orchestration.orchestration_definition WHERE name LIKE 'Ap\_%';
SELECT orchestration.unregister_record_type('Approval_Record');
SELECT orchestration.unregister_action(a) FROM unnest('{Ap_Echo,Ap_Fails,Ap_Calls,Ap_Gone,Ap_Screen,Ap_Work}'::text[]) a;
DROP TABLE public.approval_record, public.approval_trace;
DROP FUNCTION public.approval_echo(jsonb), public.approval_fails(jsonb), public.approval_calls(jsonb), public.approval_gone(jsonb);
-- other files find users by name
UPDATE orchestration.principal SET role_name = NULL, name = username WHERE username LIKE '%@approval.example';
DROP OWNED BY regress_approval_sue, regress_approval_ann, regress_approval_bob, regress_approval_adm, regress_approval_out;
DROP ROLE regress_approval_sue, regress_approval_ann, regress_approval_bob, regress_approval_adm, regress_approval_out;
