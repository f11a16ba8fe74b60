-- Messages: what is written for whom, and what a mailer gets.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
ALTER SEQUENCE orchestration.submission_name_seq RESTART;
ALTER SEQUENCE orchestration.submission_item_name_seq RESTART;
CREATE FUNCTION public.message_fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'the secret is %', 42; END $$;
SELECT orchestration.register_action('Screen', 'screen'), orchestration.register_action('Fails', 'function', 'message_fails(jsonb)');
CREATE ROLE regress_message_ann;
CREATE ROLE regress_message_sam;
SELECT pg_temp.person('ann@message.example', 'Ann M', 'regress_message_ann'), pg_temp.person('bob@message.example', 'Bob M'), pg_temp.person('sam@message.example', 'Sam M', 'regress_message_sam'),
    pg_temp.person('dee@message.example', 'Dee M'), pg_temp.person('def@message.example', 'Definer M'), pg_temp.person('gone@message.example', 'Gone M');
CREATE FUNCTION pg_temp.person(text) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT id FROM orchestration.principal WHERE $1 IN (name, username, developer_name)
$$;
UPDATE orchestration.principal SET is_active = false WHERE name = 'Gone M';
SELECT orchestration.create_group('Message_Inner') IS NOT NULL, orchestration.create_group('Message_Outer') IS NOT NULL, orchestration.create_queue('Message_Credit', 'Credit desk') IS NOT NULL;
SELECT orchestration.add_group_member(pg_temp.person('Message_Inner'), pg_temp.person('Bob M')), orchestration.add_group_member(pg_temp.person('Message_Inner'), pg_temp.person('Gone M')),
    orchestration.add_group_member(pg_temp.person('Message_Outer'), pg_temp.person('Message_Inner')), orchestration.add_group_member(pg_temp.person('Message_Outer'), pg_temp.person('Bob M')),
    orchestration.add_group_member(pg_temp.person('Message_Credit'), pg_temp.person('Message_Outer')), orchestration.add_group_member(pg_temp.person('Message_Credit'), pg_temp.person('Ann M'));
CREATE TABLE public.message_invoice (id integer PRIMARY KEY, amount numeric, customer text);
INSERT INTO public.message_invoice VALUES (7, 100, E'<b>"Evil"</b> & Sons\nBcc: all@message.example');
GRANT SELECT ON public.message_invoice TO PUBLIC;
SELECT orchestration.register_record_type('Invoice__c', 'message_invoice');

-- an approval of two stages; parts: what comes into its document
CREATE FUNCTION pg_temp.approve(name text, assignee text, assignee_type text, step jsonb DEFAULT '{}', inputs jsonb DEFAULT '{}', parts jsonb DEFAULT '{}', last jsonb DEFAULT NULL)
    RETURNS void LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name || ' process', 'processType', 'ApprovalWorkflow', 'apiVersion', 65,
        'start', jsonb_build_object('connector', jsonb_build_object('targetReference', 'S')),
        'variables', jsonb_build_array(pg_temp.variable('recordId', 'String'), pg_temp.variable('submitter', 'String'), pg_temp.variable('submissionComments', 'String'), pg_temp.variable('firstApprover', 'String'),
            pg_temp.variable('invoice', 'SObject') || '{"objectType": "Invoice__c"}'),
        'orchestratedStages', jsonb_build_array(pg_temp.stage('S', CASE WHEN last IS NULL THEN NULL ELSE 'L' END,
            pg_temp.step('Manager', 'I', 'Screen', '{}', inputs || '{"ActionInput__RecordId": {"elementReference": "recordId"}}', assignee, assignee_type)
                || '{"label": "Manager approval", "actionType": "stepApproval", "stepSubtype": "ApprovalStep"}' || step))
            || CASE WHEN last IS NULL THEN '[]' ELSE jsonb_build_array(pg_temp.stage('L', NULL, last)) END) || parts, NULL, true)
$$;
CREATE FUNCTION pg_temp.start(name text) RETURNS boolean LANGUAGE sql AS $$
    SELECT orchestration.start_orchestration(name, inputs => '{"recordId": "7", "submitter": "sam@message.example", "invoice": "7"}') IS NOT NULL
$$;
CREATE FUNCTION pg_temp.sent() RETURNS bigint LANGUAGE sql AS 'SELECT orchestration.message_sent(ARRAY(SELECT id FROM orchestration.message))';
CREATE FUNCTION pg_temp.open_item() RETURNS uuid LANGUAGE sql AS $$
    SELECT w.id FROM orchestration.work_item w JOIN orchestration.run r ON r.id = w.run_id WHERE w.status = 'Assigned' AND r.status IN ('InProgress', 'Suspended') AND r.orchestration_name LIKE 'Message\_%'
$$;
CREATE FUNCTION pg_temp.item_of(name text) RETURNS uuid LANGUAGE sql AS 'SELECT id FROM orchestration.work_item w WHERE w.status = ''Assigned'' AND w.assignee_id = pg_temp.person($1)';
CREATE VIEW pg_temp.written AS SELECT m.kind, p.name, m.subject FROM orchestration.message m JOIN orchestration.principal p ON p.id = m.recipient_id ORDER BY m.created_at, m.kind, p.name;

--
-- Assigned: the user and the delegates; the whole text
--
-- what other files left
SELECT count(orchestration.cancel_run(id)) >= 0 FROM orchestration.run WHERE is_approval AND status IN ('InProgress', 'Suspended');
DELETE FROM orchestration.message;
UPDATE orchestration.principal SET delegated_approver_id = pg_temp.person('Dee M') WHERE name = 'Ann M';
INSERT INTO orchestration.approval_delegation (delegated_from, delegated_to, end_date) VALUES
    (pg_temp.person('Ann M'), pg_temp.person('Message_Outer'), NULL), (pg_temp.person('Ann M'), pg_temp.person('Bob M'), now() - interval '1 hour'), (pg_temp.person('Ann M'), pg_temp.person('Definer M'), now() + interval '1 hour');
SELECT pg_temp.approve('Message_Two', 'ann@message.example', 'User', last => pg_temp.step('Desk', 'I', 'Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "recordId"}}', 'Message_Credit', 'Queue')
    || '{"label": "Desk approval", "actionType": "stepApproval", "stepSubtype": "ApprovalStep"}');
SELECT pg_temp.start('Message_Two');
SELECT recipient, usernames, names, subject, is_html, attempts, body FROM orchestration.next_messages() ORDER BY recipient;
SELECT pg_temp.sent();
-- reviewed; the queue is asked: its members, also in groups of groups, once, if they are active
GRANT USAGE ON SCHEMA orchestration TO regress_message_ann;
SELECT pg_temp.open_item() AS item \gset
SET ROLE regress_message_ann;
SELECT orchestration.review_approval(:'item', 'approve', 'Fine with me');
RESET ROLE;
SELECT kind, recipient, usernames, work_item_id IS NOT NULL, subject, body FROM orchestration.next_messages();
-- who claims an item knows of it
SELECT pg_temp.sent();
SELECT pg_temp.open_item() AS item \gset
SET ROLE regress_message_ann;
SELECT orchestration.claim_work_item(:'item');
RESET ROLE;
TABLE pg_temp.written;
SELECT orchestration.reassign_work_item(:'item', pg_temp.person('Bob M'), 'your turn');
TABLE pg_temp.written;
SELECT pg_temp.sent();
-- the last decision: of the step, and of the submission
SELECT orchestration.review_approval(:'item', 'Reject', NULL);
SELECT kind, recipient, work_item_id IS NOT NULL, subject, body FROM orchestration.next_messages();
SELECT pg_temp.sent();

--
-- Recalled, canceled, failed: the submitter, and who was asked
--
SELECT pg_temp.approve('Message_One', 'bob@message.example', 'User');
SELECT pg_temp.start('Message_One'), pg_temp.sent();
SELECT orchestration.recall_run((SELECT run_id FROM orchestration.work_item WHERE id = pg_temp.open_item()), 'a mistake');
SELECT kind, recipient, work_item_id IS NOT NULL, subject, body FROM orchestration.next_messages();
SELECT pg_temp.sent();
SELECT pg_temp.start('Message_One'), pg_temp.sent();
SELECT orchestration.cancel_run((SELECT run_id FROM orchestration.work_item WHERE id = pg_temp.open_item()), 'no');
SELECT kind, recipient, work_item_id IS NOT NULL, subject, body FROM orchestration.next_messages();
SELECT pg_temp.sent();
-- the step of a function fails beside: no text of the error, which may say anything
CREATE ROLE regress_message_def;
UPDATE orchestration.principal SET role_name = 'regress_message_def', manage_definitions = true WHERE name = 'Definer M';
GRANT USAGE ON SCHEMA orchestration TO regress_message_def;
SET ROLE regress_message_def;
SELECT pg_temp.approve('Message_Broken', 'bob@message.example', 'User', last => pg_temp.step('Fails', 'B', 'Fails'));
RESET ROLE;
SELECT pg_temp.start('Message_Broken'), pg_temp.sent();
SELECT orchestration.review_approval(pg_temp.open_item(), 'Approve');
SELECT kind, recipient, work_item_id IS NOT NULL, subject, body FROM orchestration.next_messages() WHERE kind = 'Failed' ORDER BY recipient;
SELECT pg_temp.sent();
-- a work item whose screen fails
SELECT pg_temp.start('Message_One'), pg_temp.sent();
SELECT orchestration.fail_work_item(pg_temp.open_item(), 'broken screen');
TABLE pg_temp.written;
SELECT pg_temp.sent();

--
-- Unanimous: the members, not the item above theirs
--
SELECT pg_temp.approve('Message_All', 'Message_Credit', 'Queue', '{"requiresMultiMemberApproval": "true"}');
SELECT pg_temp.start('Message_All');
TABLE pg_temp.written;
SELECT pg_temp.sent(), orchestration.remind_assignees('0', 9);
TABLE pg_temp.written;
SELECT pg_temp.sent();
SELECT orchestration.review_approval(w.id, 'Reject') FROM orchestration.work_item w WHERE w.id = pg_temp.item_of('Ann M');
TABLE pg_temp.written;
SELECT pg_temp.sent();

--
-- Texts of the definition: references, text templates, HTML; blank ones are none
--
SELECT pg_temp.approve('Message_Custom', 'bob@message.example', 'User', '{}', '{"ActionInput__CustomEmailSubject": {"elementReference": "subject"}, "ActionInput__CustomEmailBody": {"elementReference": "rich"}}',
    '{"textTemplates": [{"name": "subject", "text": "Invoice of {!invoice.customer}", "isViewedAsPlainText": true},
        {"name": "rich", "text": "<p>{!invoice.customer} {!bold}</p>", "isViewedAsPlainText": false}, {"name": "bold", "text": "<b>{!invoice.amount}</b>"}]}');
SELECT pg_temp.start('Message_Custom');
SELECT recipient, subject, is_html, body FROM orchestration.next_messages();
SELECT screen_flow_inputs FROM orchestration.work_item WHERE id = pg_temp.open_item();
SELECT pg_temp.sent();
SELECT orchestration.reassign_work_item(pg_temp.open_item(), pg_temp.person('Dee M'));
SELECT recipient, subject, is_html FROM orchestration.next_messages();
SELECT pg_temp.sent(), orchestration.review_approval(pg_temp.open_item(), 'Approve'), pg_temp.sent();
SELECT pg_temp.approve('Message_Plain', 'bob@message.example', 'User', '{}', '{"ActionInput__CustomEmailSubject": {"stringValue": "   "}, "ActionInput__CustomEmailBody": {"elementReference": "plain"}}',
    '{"textTemplates": [{"name": "plain", "text": "<p>{!invoice.customer}</p>", "isViewedAsPlainText": true}]}');
SELECT pg_temp.start('Message_Plain');
SELECT recipient, subject, is_html, body FROM orchestration.next_messages();
SELECT pg_temp.sent(), orchestration.review_approval(pg_temp.open_item(), 'Approve'), pg_temp.sent();
-- a control character that is none in ASCII: NEL
SELECT pg_temp.approve('Message_Nel', 'bob@message.example', 'User', '{}', jsonb_build_object('ActionInput__CustomEmailSubject', jsonb_build_object('stringValue', 'Next' || U&'\0085' || 'line')));
SELECT pg_temp.start('Message_Nel');
SELECT subject FROM pg_temp.written WHERE subject LIKE 'Next%';
SELECT orchestration.recall_run(r.id) FROM orchestration.run r WHERE r.orchestration_name = 'Message_Nel';
SELECT pg_temp.sent() > 0;
-- longer than a message may be
SELECT pg_temp.approve('Message_Long', 'bob@message.example', 'User', '{}', jsonb_build_object('ActionInput__CustomEmailSubject', jsonb_build_object('stringValue', repeat('é', 300)), 'ActionInput__CustomEmailBody', jsonb_build_object('stringValue', repeat('é', 40000))));
SELECT pg_temp.start('Message_Long');
SELECT length(subject), length(body) FROM orchestration.next_messages();
SELECT pg_temp.sent(), orchestration.review_approval(pg_temp.open_item(), 'Approve'), pg_temp.sent();

--
-- SendNoApproverEmails: only the submitter gets messages
--
SELECT pg_temp.approve('Message_Silent', 'bob@message.example', 'User', parts => '{"processMetadataValues": [{"name": "SendNoApproverEmails", "value": {"stringValue": "true"}}]}');
SELECT pg_temp.start('Message_Silent');
SELECT does_send_approval_email FROM orchestration.approval_submission ORDER BY name DESC LIMIT 1;
SELECT orchestration.recall_run((SELECT run_id FROM orchestration.work_item WHERE id = pg_temp.open_item()));
TABLE pg_temp.written;
SELECT pg_temp.sent();

--
-- The setting: off, approvals, all
--
SET ROLE regress_message_def;
SELECT pg_temp.orchestration('Message_Work', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', 'L', pg_temp.step('Do', 'I', 'Screen', '{}', '{}', 'ann@message.example')), pg_temp.stage('L', NULL, pg_temp.step('Fails', 'B', 'Fails')))));
RESET ROLE;
SELECT orchestration.start_orchestration('Message_Work') IS NOT NULL, count(*) FROM orchestration.message;
SELECT orchestration.complete_work_item(pg_temp.open_item()), count(*) FROM orchestration.message;
SET orchestration.messages = 'off';
SELECT pg_temp.start('Message_One'), count(*) FROM orchestration.message;
SELECT orchestration.remind_assignees('0');
SELECT orchestration.review_approval(pg_temp.open_item(), 'Approve');
SELECT count(*) FROM orchestration.message;
SET orchestration.messages = 'all';
SELECT orchestration.start_orchestration('Message_Work') IS NOT NULL;
SELECT kind, recipient, subject, body FROM orchestration.next_messages();
SELECT orchestration.set_due_date(pg_temp.open_item(), '2026-01-01 12:00+00'), orchestration.remind_assignees('0') > 0;
SELECT kind, subject, body FROM orchestration.next_messages() WHERE kind = 'Reminded' AND subject LIKE '%assigned: Do';
SELECT orchestration.complete_work_item(pg_temp.open_item());
SELECT kind, recipient, subject, body FROM orchestration.next_messages() WHERE kind = 'Failed';
SELECT pg_temp.sent() > 0;
RESET orchestration.messages;
\set VERBOSITY terse
SET orchestration.messages = 'some';
SET ROLE regress_message_ann;
SET orchestration.messages = 'off';
RESET ROLE;

--
-- Reminders: as often as is said, anew after a reassignment, not while suspended
--
SELECT pg_temp.start('Message_One'), pg_temp.sent();
SELECT orchestration.remind_assignees('1 day'), orchestration.remind_assignees('0', 2), orchestration.remind_assignees('1 hour', 2), orchestration.remind_assignees('0', 2), orchestration.remind_assignees('0', 2);
TABLE pg_temp.written;
SELECT pg_temp.sent(), orchestration.reassign_work_item(pg_temp.open_item(), pg_temp.person('Dee M'));
SELECT orchestration.remind_assignees('0', 1), orchestration.remind_assignees('0', 1);
TABLE pg_temp.written;
SELECT orchestration.suspend_run(run_id) FROM orchestration.work_item WHERE id = pg_temp.open_item();
SELECT orchestration.remind_assignees('0', 9);
SELECT pg_temp.sent();

--
-- What a mailer reports
--
SELECT orchestration.resume_run(run_id) FROM orchestration.work_item WHERE id = pg_temp.open_item();
SELECT orchestration.remind_assignees('0', 9);
SELECT id AS message FROM orchestration.message \gset
SELECT orchestration.message_failed(:'message', repeat('x', 2000)), orchestration.message_failed(orchestration.new_id(), 'x');
SELECT attempts, length(last_error), available_at - now() BETWEEN '59 s' AND '61 s', (SELECT count(*) FROM orchestration.next_messages()) FROM orchestration.message;
SELECT orchestration.message_failed(:'message', NULL, '0'), orchestration.message_failed(:'message', 'again', '0');
SELECT attempts, last_error FROM orchestration.message;
SELECT attempts FROM orchestration.next_messages();
SELECT orchestration.message_failed(:'message', 'again');
SELECT available_at - now() BETWEEN '470 s' AND '490 s' FROM orchestration.message;
UPDATE orchestration.message SET attempts = 100000;
SELECT orchestration.message_failed(:'message', 'again');
SELECT available_at - now() BETWEEN '23 hours 59 min' AND '24 hours 1 min' FROM orchestration.message;
SELECT orchestration.message_failed(:'message', 'x', '-1 s');
SELECT orchestration.message_failed(NULL, 'x');
SELECT orchestration.next_messages(0);
SELECT orchestration.next_messages(NULL);
SELECT orchestration.message_sent(NULL);
SELECT orchestration.message_sent('{}'), orchestration.message_sent(ARRAY[NULL::uuid]);
SELECT orchestration.remind_assignees('-1 day');
SELECT orchestration.remind_assignees('1 day', 0);
SELECT count(channel) FROM orchestration.listen_for_messages(pg_backend_pid());
SELECT * FROM orchestration.listen_for_messages(0);
SELECT count(*) FROM pg_listening_channels();
SELECT orchestration.listen_for_messages(NULL);
UNLISTEN *;
SET ROLE regress_message_ann;
SELECT orchestration.next_messages();
SELECT orchestration.message_sent('{}');
SELECT orchestration.message_failed(orchestration.new_id(), 'x');
SELECT orchestration.remind_assignees('1 day');
SELECT orchestration.listen_for_messages(pg_backend_pid());
SELECT FROM orchestration.message;
RESET ROLE;
-- a mailer's role needs three functions, and no table
CREATE ROLE regress_message_mailer;
GRANT EXECUTE ON FUNCTION orchestration.next_messages, orchestration.message_sent, orchestration.message_failed TO regress_message_mailer;
SET ROLE regress_message_mailer;
SELECT orchestration.message_failed(:'message', NULL, '0');
SELECT kind, usernames FROM orchestration.next_messages();
SELECT orchestration.message_sent(ARRAY[:'message'::uuid]);
RESET ROLE;
\set VERBOSITY default

--
-- Expiry; messages go with their run; hostile triggers and constraints
--
SELECT orchestration.remind_assignees('0', 9);
SELECT * FROM orchestration.remove_expired() WHERE removed_from = 'message';
UPDATE orchestration.message SET created_at = created_at - interval '31 days';
SET orchestration.message_retention = 0;
SELECT * FROM orchestration.remove_expired() WHERE removed_from = 'message';
RESET orchestration.message_retention;
SELECT * FROM orchestration.remove_expired() WHERE removed_from = 'message';
SELECT orchestration.remind_assignees('0', 9), count(*) FROM orchestration.message;
ALTER TABLE orchestration.message ADD CONSTRAINT hostile CHECK (subject !~ 'Approved');
SELECT pg_temp.try('SELECT orchestration.review_approval(pg_temp.open_item(), ''Approve'')');
SELECT a.status, s.status FROM orchestration.submission_item a JOIN orchestration.submission s ON s.run_id = a.run_id WHERE a.work_item_id = pg_temp.open_item();
ALTER TABLE orchestration.message DROP CONSTRAINT hostile;
CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON orchestration.message FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow();
SELECT orchestration.review_approval(pg_temp.open_item(), 'Approve');
DROP TRIGGER swallow ON orchestration.message;
TABLE pg_temp.written;
SELECT * FROM orchestration.verify();
SELECT count(orchestration.cancel_run(id)) FROM orchestration.run WHERE status IN ('InProgress', 'Suspended') AND orchestration_name LIKE 'Message\_%';
SELECT orchestration.purge_runs('0', 10000) > 0;
SELECT count(*) FROM orchestration.message;

SELECT count(orchestration.deactivate_orchestration(name)), count(orchestration.delete_orchestration(name)) FROM orchestration.orchestration_definition WHERE name LIKE 'Message\_%';
SELECT orchestration.unregister_record_type('Invoice__c'), orchestration.unregister_action('Screen'), orchestration.unregister_action('Fails');
DROP TABLE public.message_invoice;
DROP FUNCTION public.message_fails(jsonb);
DELETE FROM orchestration.approval_delegation;
UPDATE orchestration.principal SET delegated_approver_id = NULL, role_name = NULL WHERE name IN ('Ann M', 'Sam M', 'Definer M');
DELETE FROM orchestration.membership WHERE group_id IN (pg_temp.person('Message_Inner'), pg_temp.person('Message_Outer'), pg_temp.person('Message_Credit'));
DROP OWNED BY regress_message_ann, regress_message_sam, regress_message_def, regress_message_mailer;
DROP ROLE regress_message_ann, regress_message_sam, regress_message_def, regress_message_mailer;
