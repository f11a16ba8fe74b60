"""world.py: the records that the tests of SOQL query, and who sees them.

The records are written into the storage tables, not made by the engine, so that every field has
interesting values: names that differ in case only, wildcards, nulls, times of four years.  Sam
sees 300 of 900 runs by all means of sharing together; Vic has View All Data; Nil sees nothing; a
superuser sees all.

see() decides who sees what.  It reads principals, memberships, defaults, rules and shares and
applies reference.md, 6 ("Access to a record" of doc/sharing.md) in Python.  It calls no function of
the extension, because it judges them.  What it finds stands in oracle.seen; the views of the
schema oracle are the storage tables, limited to what the person in oracle.person sees.

SPDX-License-Identifier: PostgreSQL
"""
import psycopg

RUN, STAGE, STEP, ITEM = ("FlowOrchestration" + x for x in ("Instance", "StageInstance", "StepInstance", "WorkItem"))
LOG = "FlowOrchestrationLog"
SUBMISSION, DECISION, DETAIL = "ApprovalSubmission", "ApprovalWorkItem", "ApprovalSubmissionDetail"
SHORT = {"@Run": RUN, "@Stage": STAGE, "@Step": STEP, "@Item": ITEM, "@Log": LOG, "@Submission": SUBMISSION, "@Decision": DECISION, "@Detail": DETAIL}
TABLES = {RUN: "run", STAGE: "stage_run", STEP: "step_run", ITEM: "work_item", SUBMISSION: "submission"}
PEOPLE = ["sam", "vic", "nil", "super"]
AUTOPROC = "00000000-0000-7000-8000-000000000001"

FIXTURE = r"""
SET TimeZone = 'UTC';
SET client_min_messages = warning;
SELECT orchestration.register_action('Screen', 'screen');
CREATE FUNCTION public.document(label text) RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('label', $1, 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb, 'orchestratedStages', '[
  {"name": "S", "label": "S", "stageSteps": [{"name": "P", "label": "P", "actionName": "Screen", "actionType": "stepInteractive",
     "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "autoproc"}}]}]}]'::jsonb) $$;
SELECT orchestration.deploy_orchestration(public.document(name), name)
  FROM unnest('{Alpha,Alpha,Beta,Gamma}'::text[]) name;
SELECT orchestration.activate_orchestration(name) FROM unnest('{Alpha,Beta}'::text[]) name;

SELECT orchestration.create_user(name || '@example.com', initcap(name), 'soql_' || name)
  FROM unnest('{sam,vic,nil}'::text[]) name;
SELECT orchestration.create_user('pat@example.com', 'Pat O''Brien'), orchestration.create_user('old@example.com', 'Old'), orchestration.create_user('deb@example.com', 'Deb');
SELECT orchestration.create_group(name) FROM unnest('{Team,Desk,Readers,Inner,Elsewhere}'::text[]) name;
SELECT orchestration.create_queue('Line');
UPDATE orchestration.principal SET view_all_data = true WHERE username = 'vic@example.com';
UPDATE orchestration.principal SET is_active = false WHERE username = 'old@example.com';
CREATE FUNCTION public.who(name text) RETURNS uuid LANGUAGE sql STABLE AS
    'SELECT id FROM orchestration.principal WHERE lower(principal.name) = lower($1) OR username = $1 || ''@example.com''';
SELECT orchestration.add_group_member(public.who(a), public.who(b))
  FROM (VALUES ('Desk', 'Team'), ('Team', 'pat'), ('Readers', 'Inner'), ('Inner', 'sam'), ('Line', 'sam'),
               ('Elsewhere', 'pat'), ('Elsewhere', 'deb')) m (a, b);
-- Sam answers for Deb, and for her groups; no longer for Pat
UPDATE orchestration.principal SET delegated_approver_id = public.who('Inner') WHERE username = 'deb@example.com';
INSERT INTO orchestration.approval_delegation (delegated_from, delegated_to, end_date) VALUES (public.who('pat'), public.who('sam'), now() - interval '1 day');

SET session_replication_role = replica;
CREATE FUNCTION public.at(n integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT CASE WHEN n <= 700 THEN '2023-01-01 00:30:00.000900+00'::timestamptz + n * interval '1 day 18:07:00.000037'
            WHEN n <= 860 THEN date_trunc('hour', now()) - (n - 700) * interval '11:13:00.123456'
            ELSE date_trunc('hour', now()) + (n - 860) * interval '2 days 05:00:00.999999' END $$;
CREATE FUNCTION public.pick(n integer, VARIADIC words text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT words[1 + n % cardinality(words)]';
INSERT INTO orchestration.run (owner_id, orchestration_id, version_id, created_at, created_by, name, orchestration_name,
        orchestration_label, triggering_record_type, triggering_record_id, interview_id, status, modified_at, modified_by,
        ended_at, current_stage)
SELECT public.who(CASE WHEN n <= 60 THEN 'sam' WHEN n <= 200 THEN 'pat' WHEN n <= 230 THEN 'vic' ELSE 'Automated Process' END),
       d.id, v.id, public.at(n), CASE n % 3 WHEN 0 THEN public.who('pat') WHEN 1 THEN public.who('sam') END, format('OR-%s', lpad(n::text, 8, '0')),
       public.pick(n, 'Alpha', 'alpha', 'ALPHA Two', 'Beta_One', 'Beta%Two', 'O''Brien\x', 'Éclair', 'éclair', NULL, 'x_y', 'xzy', E'two\nlines', 'a"b'),
       public.pick(n, 'One', 'two', NULL, 'THREE', '100%', 'straße'),
       CASE WHEN n % 4 < 3 THEN 'Thing' END,
       CASE n % 4 WHEN 0 THEN public.who('pat')::text WHEN 1 THEN 'A-' || n WHEN 2 THEN 'a-' || n END,
       CASE WHEN n % 7 = 0 THEN '00000000-0000-7000-8000-0000000000f7'::uuid END,
       s.status, public.at(n) + n % 50 * interval '1 hour', CASE WHEN n % 2 = 0 THEN public.who('vic') END,
       CASE WHEN s.status IN ('Completed', 'Canceled', 'Error') THEN public.at(n) + n * interval '1 minute' END,
       public.pick(n, 'Review', NULL, 'review', 'Approve', 'Ship it')
  FROM generate_series(1, 900) n
  CROSS JOIN LATERAL (SELECT public.pick(n, 'Canceled', 'Completed', 'Error', 'InProgress', 'Suspended')::orchestration.run_status AS status) s
  JOIN orchestration.orchestration_definition d ON d.name = CASE WHEN n BETWEEN 301 AND 340 THEN 'Beta' ELSE 'Alpha' END
  JOIN orchestration.orchestration_version v ON v.orchestration_id = d.id AND v.version = 1;
CREATE TABLE public.number AS SELECT id, right(name, 8)::integer AS n FROM orchestration.run;
INSERT INTO orchestration.stage_run (run_id, owner_id, orchestration_id, created_at, name, label, position, status, modified_at, ended_at)
SELECT r.id, CASE WHEN n % 5 = 0 THEN public.who('sam') ELSE r.owner_id END, r.orchestration_id, r.created_at + p * interval '1 minute',
       public.pick(n + p, 'Review', 'review', 'Approve', 'Ship it'), public.pick(n + p, 'Review it', 'Approve_it', '50% off'), p,
       public.pick(n + p, 'Completed', 'Discontinued', 'Error', 'InProgress', 'Suspended')::orchestration.stage_status,
       r.modified_at, NULL
  FROM orchestration.run r JOIN public.number USING (id) CROSS JOIN generate_series(1, 2) p WHERE n % 3 = 0 OR p = 1 AND n % 3 = 1;
INSERT INTO orchestration.step_run (run_id, owner_id, orchestration_id, stage_run_id, created_at, step_type, name, label, description, status, modified_at)
SELECT s.run_id, s.owner_id, s.orchestration_id, s.id, s.created_at + p * interval '1 second',
       public.pick(n + p, 'InteractiveStep', 'BackgroundStep', 'AynchronousBackgroundStep')::orchestration.step_type,
       public.pick(n + p, 'Sign', 'sign', 'Count'), public.pick(n + p, 'Sign', 'Count'), public.pick(n + p, NULL, 'a long tale', 'A Long Tale', ''),
       public.pick(n + 3 * p, 'Completed', 'Discontinued', 'Error', 'InProgress', 'NotStarted')::orchestration.step_status, s.modified_at
  FROM orchestration.stage_run s JOIN public.number x ON x.id = s.run_id CROSS JOIN generate_series(1, 2) p WHERE n % 2 = 0 OR p = 1;
INSERT INTO orchestration.work_item (run_id, owner_id, orchestration_id, assignee_id, step_run_id, created_at, name, label, description, screen_flow,
        screen_flow_inputs, related_record_type, related_record_id, status, assigned_at, modified_at, completed_at, is_approval)
SELECT s.run_id, s.owner_id, s.orchestration_id,
       public.who(public.pick(n, 'sam', 'pat', 'Line', 'Team', 'Automated Process', 'vic', 'Elsewhere')), s.id, s.created_at,
       format('WI-%s', lpad((row_number() OVER (ORDER BY s.id))::text, 8, '0')), public.pick(n, 'Approval', 'approval', NULL, 'Other'),
       public.pick(n, NULL, 'Please', 'PLEASE'), public.pick(n, 'Screen', NULL),
       CASE n % 3 WHEN 0 THEN '{"a": 1}'::jsonb WHEN 1 THEN '[]' END, CASE WHEN n % 2 = 0 THEN 'Thing' END,
       CASE WHEN n % 2 = 0 THEN 'A-' || n END, w.status, s.created_at, s.modified_at,
       CASE WHEN w.status = 'Completed' THEN s.modified_at END, n % 2 = 0
  FROM orchestration.step_run s JOIN public.number x ON x.id = s.run_id
  CROSS JOIN LATERAL (SELECT public.pick(n, 'Assigned', 'Completed', 'Completed')::orchestration.work_item_status AS status) w
 WHERE s.step_type = 'InteractiveStep';
-- items of unanimous approvals have a parent
INSERT INTO orchestration.work_item (run_id, owner_id, orchestration_id, assignee_id, step_run_id, created_at, name, label, status, assigned_at, modified_at, completed_at, is_parent)
SELECT w.run_id, w.owner_id, w.orchestration_id, public.who(public.pick(n / 8, 'Line', 'Team', 'Elsewhere')), w.step_run_id, w.created_at, 'PARENT-' || w.name, w.label, w.status, w.assigned_at, w.modified_at, w.completed_at, true
  FROM orchestration.work_item w JOIN public.number x ON x.id = w.run_id WHERE n % 8 = 0;
UPDATE orchestration.work_item w SET parent_id = p.id FROM orchestration.work_item p WHERE p.run_id = w.run_id AND p.name = 'PARENT-' || w.name;
INSERT INTO orchestration.run_log (run_id, logged_at, kind, duration, stage_run_id, assignee_id, actor, comments, context)
SELECT r.id, r.created_at + p * interval '1 second', public.pick(n + p, 'StartInstance', 'StartStage', 'EndStage', 'SuspendInstance')::orchestration.log_kind,
       CASE WHEN n % 3 > 0 THEN n END, CASE WHEN p = 2 THEN (SELECT s.id FROM orchestration.stage_run s WHERE s.run_id = r.id AND s.position = 1) END,
       CASE n % 3 WHEN 0 THEN public.who('pat') WHEN 1 THEN public.who('Line') END, public.pick(n, 'Pat O''Brien', NULL),
       public.pick(n, NULL, 'Well done', 'well DONE'), public.pick(n, NULL, 'ctx')
  FROM orchestration.run r JOIN public.number USING (id) CROSS JOIN generate_series(1, 2) p WHERE n % 2 = 0 OR p = 1;
-- approvals: every second run was submitted, and its work items ask for decisions
UPDATE orchestration.run r SET is_approval = true FROM public.number x WHERE x.id = r.id AND n % 2 = 0;
INSERT INTO orchestration.submission (run_id, owner_id, orchestration_id, created_at, created_by, name, submitted_by, comments, sends_email,
        related_record_type, related_record_id, status, modified_at, modified_by)
SELECT r.id, public.who(public.pick(n / 2, 'Automated Process', 'sam', 'pat', 'vic', 'Automated Process', 'Automated Process', 'Automated Process')), r.orchestration_id, r.created_at,
       CASE WHEN n % 4 = 0 THEN public.who('pat') END, format('AS-%s', lpad(n::text, 9, '0')),
       public.who(public.pick(n / 2, 'sam', 'pat', 'vic')), public.pick(n / 2, 'Please', NULL, 'please do', ''), n % 6 = 0,
       CASE WHEN n % 8 < 6 THEN 'Thing' END, CASE n % 8 WHEN 0 THEN public.who('pat')::text WHEN 2 THEN 'A-' || n WHEN 4 THEN 'a-' || n END,
       public.pick(n / 2, 'Approved', 'Canceled', 'Errored', 'InProgress', 'Recalled', 'Rejected', 'Suspended')::orchestration.approval_submission_status,
       r.modified_at, CASE WHEN n % 4 = 2 THEN public.who('vic') END
  FROM orchestration.run r JOIN public.number USING (id) WHERE n % 2 = 0;
INSERT INTO orchestration.submission_item (run_id, owner_id, orchestration_id, submission_id, work_item_id, created_at, name, assigned_to, condition_name,
        related_record_type, related_record_id, status, reviewed_by, reviewed_at, comments, modified_at, modified_by)
SELECT w.run_id, s.owner_id, s.orchestration_id, s.id, w.id, w.created_at, format('AWI-%s', lpad((row_number() OVER (ORDER BY w.id))::text, 9, '0')),
       public.who(public.pick(n / 2, 'pat', 'pat', 'vic', 'pat', 'Elsewhere', 'Line', 'sam', 'vic', 'pat', 'Automated Process', 'Team', 'deb')), w.label, s.related_record_type, s.related_record_id, a.status,
       CASE WHEN reviewed AND n % 3 > 0 THEN public.who(public.pick(n, 'sam', 'pat', 'vic')) END, CASE WHEN reviewed THEN w.modified_at END,
       CASE WHEN reviewed THEN public.pick(n / 2, 'Fine', NULL, 'FINE', 'No') END, w.modified_at, CASE WHEN reviewed THEN public.who('pat') END
  FROM orchestration.work_item w JOIN orchestration.submission s ON s.run_id = w.run_id AND w.is_approval JOIN public.number x ON x.id = w.run_id
  CROSS JOIN LATERAL (SELECT public.pick(n / 2 + length(COALESCE(w.label, '')), 'Approved', 'Assigned', 'Canceled', 'Errored', 'Recalled', 'Rejected', 'Withdrawn', 'Approved')::orchestration.approval_work_item_status AS status) a
  CROSS JOIN LATERAL (SELECT a.status IN ('Approved', 'Rejected') AS reviewed) y;
INSERT INTO orchestration.submission_detail (run_id, owner_id, orchestration_id, submission_id, submission_item_id, created_at, name, action, performed_by,
        performer_role, channel, context, comments)
SELECT s.run_id, s.owner_id, s.orchestration_id, s.id, (SELECT a.id FROM orchestration.submission_item a WHERE a.run_id = s.run_id ORDER BY a.id LIMIT 1),
       s.created_at + p * interval '1 hour', format('ASD-%s', lpad((2 * n + p)::text, 9, '0')),
       public.pick(n / 2 + p, 'Cancel', 'Override', 'Reassign', 'Recall', 'Review')::orchestration.approval_action, CASE WHEN n % 3 > 0 THEN public.who(public.pick(n, 'pat', 'sam')) END,
       public.pick(n / 2 + p, 'Admin', 'Assignee', 'Delegate', 'Submitter', 'System')::orchestration.approval_performer_role,
       public.pick(n / 2, 'ApprovalRecord', 'Email', 'InvocableAction', 'ScreenFlow', 'Slack', 'System')::orchestration.approval_channel,
       public.pick(n / 2, NULL, 'Reassigned from User Id - 1'), public.pick(n / 2 + p, NULL, 'Too late', 'TOO LATE')
  FROM orchestration.submission s JOIN public.number x ON x.id = s.run_id CROSS JOIN generate_series(1, 2) p WHERE n % 4 = 0 OR p = 1;
INSERT INTO orchestration.field_change (run_id, record_id, object, field, old_value, new_value, changed_by)
SELECT r.id, r.id, 'FlowOrchestrationInstance'::orchestration.shared_object, public.pick(n, 'Status', 'OwnerId', 'CurrentStage'), public.pick(n, NULL, 'InProgress'), public.pick(n, 'Suspended', 'x'), public.who('pat')
  FROM orchestration.run r JOIN public.number USING (id) WHERE n % 5 = 0
UNION ALL SELECT s.run_id, s.id, 'FlowOrchestrationStageInstance'::orchestration.shared_object, public.pick(n, 'Status', 'OwnerId'), 'a', 'b', NULL
  FROM orchestration.stage_run s JOIN public.number x ON x.id = s.run_id WHERE n % 10 = 0
UNION ALL SELECT s.run_id, s.id, 'FlowOrchestrationStepInstance'::orchestration.shared_object, public.pick(n, 'Status', 'OwnerId'), 'a', 'b', NULL
  FROM orchestration.step_run s JOIN public.number x ON x.id = s.run_id WHERE n % 10 = 0
UNION ALL SELECT s.run_id, s.id, 'ApprovalSubmission'::orchestration.shared_object, public.pick(n / 2, 'Status', 'OwnerId'), 'InProgress', 'Approved', public.who('pat')
  FROM orchestration.submission s JOIN public.number x ON x.id = s.run_id WHERE n % 3 = 0
UNION ALL SELECT s.run_id, s.id, 'ApprovalWorkItem'::orchestration.shared_object, public.pick(n / 2, 'Status', 'AssignedToId'), 'Assigned', 'Rejected', NULL
  FROM orchestration.submission_item s JOIN public.number x ON x.id = s.run_id WHERE n % 3 = 0;
INSERT INTO orchestration.feed_item (run_id, record_id, object, type, body, link_url, title, created_by, created_at)
SELECT r.id, r.id, 'FlowOrchestrationInstance'::orchestration.shared_object, t.type::orchestration.feed_item_type, 'Post ' || n, CASE WHEN t.type = 'LinkPost' THEN 'https://example.com/' || n END,
       public.pick(n, NULL, 'Title'), public.who('pat'), r.created_at
  FROM orchestration.run r JOIN public.number USING (id) CROSS JOIN LATERAL (SELECT public.pick(n, 'TextPost', 'LinkPost') AS type) t WHERE n % 6 = 0
UNION ALL SELECT s.run_id, s.id, 'FlowOrchestrationStageInstance'::orchestration.shared_object, 'TextPost'::orchestration.feed_item_type, 'On a stage', NULL, NULL, NULL, s.created_at
  FROM orchestration.stage_run s JOIN public.number x ON x.id = s.run_id WHERE n % 12 = 0
UNION ALL SELECT s.run_id, s.id, 'FlowOrchestrationStepInstance'::orchestration.shared_object, 'TextPost'::orchestration.feed_item_type, 'On a step', NULL, NULL, NULL, s.created_at
  FROM orchestration.step_run s JOIN public.number x ON x.id = s.run_id WHERE n % 12 = 0;
INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level, modified_at)
SELECT r.id, 'FlowOrchestrationInstance'::orchestration.shared_object, r.id, public.who(CASE WHEN n <= 420 THEN 'sam' WHEN n <= 430 THEN 'Inner' WHEN n <= 440 THEN 'Readers' ELSE 'Elsewhere' END),
       (CASE WHEN n % 2 = 0 THEN 'Read' ELSE 'Edit' END)::orchestration.access_level, r.created_at
  FROM orchestration.run r JOIN public.number USING (id) WHERE n BETWEEN 381 AND 470
UNION ALL SELECT s.run_id, 'FlowOrchestrationStageInstance'::orchestration.shared_object, s.id, public.who('Line'), 'Read', s.created_at
  FROM orchestration.stage_run s JOIN public.number x ON x.id = s.run_id WHERE n BETWEEN 500 AND 520
UNION ALL SELECT s.run_id, 'FlowOrchestrationStepInstance'::orchestration.shared_object, s.id, public.who('Inner'), 'Edit', s.created_at
  FROM orchestration.step_run s JOIN public.number x ON x.id = s.run_id WHERE n BETWEEN 500 AND 520
UNION ALL SELECT w.run_id, 'FlowOrchestrationWorkItem'::orchestration.shared_object, w.id, public.who('sam'), 'Read', w.created_at
  FROM orchestration.work_item w JOIN public.number x ON x.id = w.run_id WHERE n BETWEEN 500 AND 520
UNION ALL SELECT s.run_id, 'ApprovalSubmission'::orchestration.shared_object, s.id, public.who(public.pick(n / 2, 'sam', 'Inner', 'Line', 'Elsewhere')), 'Read', s.created_at
  FROM orchestration.submission s JOIN public.number x ON x.id = s.run_id WHERE n BETWEEN 520 AND 580;
INSERT INTO orchestration.record_view (run_id, record_id, object, user_id, viewed_at, referenced_at)
SELECT r.id, r.id, 'FlowOrchestrationInstance'::orchestration.shared_object, public.who(public.pick(n, 'sam', 'pat')), CASE WHEN n % 3 = 0 THEN r.created_at + interval '1 day' END, r.created_at + interval '2 days'
  FROM orchestration.run r JOIN public.number USING (id) WHERE n % 4 = 0
UNION ALL SELECT s.run_id, s.id, 'ApprovalSubmission', public.who('sam'), s.created_at + interval '1 day', s.created_at + interval '2 days'
  FROM orchestration.submission s JOIN public.number x ON x.id = s.run_id WHERE n % 4 = 0
UNION ALL SELECT s.run_id, s.id, 'ApprovalWorkItem', public.who('pat'), CASE WHEN n % 8 = 0 THEN s.created_at + interval '1 day' END, s.created_at + interval '2 days'
  FROM orchestration.submission_item s JOIN public.number x ON x.id = s.run_id WHERE n % 4 = 0;
RESET session_replication_role;

-- pat, who is in Team and so in Desk: 140 runs; Beta: 40 runs; with 60 own and 60 shared ones 300
SELECT orchestration.create_owner_sharing_rule(object, public.who('Desk'), public.who('Readers'), 'Read', 'Desk for readers', 'Desk_' || object)
  FROM unnest('{FlowOrchestrationInstance,FlowOrchestrationStageInstance,FlowOrchestrationStepInstance}'::orchestration.shared_object[]) object;
SELECT orchestration.create_owner_sharing_rule('ApprovalSubmission', public.who('Desk'), public.who('Readers'), 'Read', 'Submissions of the desk', 'Desk_Submissions');
SELECT orchestration.create_orchestration_sharing_rule('Beta', public.who('sam'), 'Edit');
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', public.who('Readers'), public.who('Elsewhere'), 'Edit', 'Not for Sam');

-- deleted runs: Sam owned 10 of 30
INSERT INTO orchestration.run (name, status, ended_at, owner_id)
SELECT 'GONE-' || n, 'Canceled', now(), public.who(CASE WHEN n <= 10 THEN 'sam' ELSE 'Automated Process' END) FROM generate_series(1, 30) n;
CREATE TABLE public.gone AS SELECT id, name, owner_id FROM orchestration.run WHERE name LIKE 'GONE-%';
DELETE FROM orchestration.run WHERE name LIKE 'GONE-%';

CREATE SCHEMA oracle;
CREATE TABLE oracle.seen (person text, object text, id uuid, PRIMARY KEY (person, object, id));
CREATE FUNCTION oracle.person() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_setting(''oracle.person'')';
CREATE FUNCTION oracle.sees(object text, id uuid) RETURNS boolean LANGUAGE sql STABLE AS
    'SELECT EXISTS (SELECT FROM oracle.seen s WHERE s.person = oracle.person() AND s.object = $1 AND s.id = $2)';
-- text, as users compare and sort it
CREATE FUNCTION oracle.low(text) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT lower($1 COLLATE "en-x-icu")';
CREATE FUNCTION oracle.label(anyenum) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT regexp_replace($1::text, ''([a-z])([A-Z])'', ''\1 \2'', ''g'')';
CREATE FUNCTION oracle.auto(id uuid) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    'SELECT COALESCE($1, ''00000000-0000-7000-8000-000000000001'')';
CREATE VIEW oracle.run AS SELECT r.* FROM orchestration.run r WHERE r.id IN (SELECT id FROM oracle.seen WHERE person = oracle.person() AND object = 'FlowOrchestrationInstance');
CREATE VIEW oracle.stage AS SELECT r.* FROM orchestration.stage_run r WHERE r.id IN (SELECT id FROM oracle.seen WHERE person = oracle.person() AND object = 'FlowOrchestrationStageInstance');
CREATE VIEW oracle.step AS SELECT r.* FROM orchestration.step_run r WHERE r.id IN (SELECT id FROM oracle.seen WHERE person = oracle.person() AND object = 'FlowOrchestrationStepInstance');
CREATE VIEW oracle.item AS SELECT r.* FROM orchestration.work_item r WHERE r.id IN (SELECT id FROM oracle.seen WHERE person = oracle.person() AND object = 'FlowOrchestrationWorkItem');
CREATE VIEW oracle.submission AS SELECT r.* FROM orchestration.submission r WHERE r.id IN (SELECT id FROM oracle.seen WHERE person = oracle.person() AND object = 'ApprovalSubmission');
CREATE VIEW oracle.decision AS SELECT r.* FROM orchestration.submission_item r WHERE r.id IN (SELECT id FROM oracle.seen WHERE person = oracle.person() AND object = 'ApprovalWorkItem');
CREATE VIEW oracle.detail AS SELECT r.* FROM orchestration.submission_detail r WHERE r.id IN (SELECT id FROM oracle.seen WHERE person = oracle.person() AND object = 'ApprovalSubmissionDetail');
CREATE VIEW oracle.log AS SELECT l.*,
       (lpad(to_hex(floor(extract(epoch FROM l.logged_at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(l.number), 15, '0'))::uuid AS id
  FROM orchestration.run_log l WHERE l.run_id IN (SELECT id FROM oracle.run);
CREATE VIEW oracle.person_or_group AS SELECT * FROM orchestration.principal;
CREATE VIEW oracle.member AS SELECT * FROM orchestration.membership;
CREATE VIEW oracle.change AS SELECT * FROM orchestration.field_change c WHERE oracle.sees(c.object::text, c.record_id);
CREATE VIEW oracle.feed AS SELECT * FROM orchestration.feed_item c WHERE oracle.sees(c.object::text, c.record_id);
CREATE VIEW oracle.manual AS SELECT * FROM orchestration.share_grant c WHERE oracle.sees(c.object::text, c.record_id);
CREATE VIEW oracle.gone AS SELECT * FROM public.gone
 WHERE oracle.person() IN ('vic', 'super') OR oracle.person() = 'sam' AND owner_id = public.who('sam');
ANALYZE;
"""


def connect(person=None):
    """A session that acts as the person; without one the superuser's own, for the expected results."""
    session = psycopg.connect(autocommit=True)
    session.execute("SET TimeZone = 'UTC'")
    session.execute("SET client_min_messages = warning")
    if person not in (None, "super"):
        session.execute("SET ROLE soql_" + person)
    return session


def build():
    """The records and what people see; returns the superuser's session."""
    admin = connect()
    for person in PEOPLE[:3]:
        admin.execute("DO $$BEGIN IF to_regrole('soql_%s') IS NULL THEN CREATE ROLE soql_%s; END IF; END$$" % (person, person))
    admin.execute(FIXTURE)
    see(admin)
    admin.execute("SET search_path = oracle, public")
    return admin


def drop_roles(admin):
    for person in PEOPLE[:3]:
        admin.execute("DROP OWNED BY soql_%s" % person)
        admin.execute("DROP ROLE soql_%s" % person)


def see(admin):
    """Who sees which records: fills oracle.seen."""
    people = {p[0]: p for p in admin.execute(
        "SELECT id, role_name, is_active, view_all_data OR modify_all_data FROM orchestration.principal WHERE kind = 'User'")}
    above = {}
    for group, member in admin.execute("SELECT group_id, member_id FROM orchestration.membership"):
        above.setdefault(member, set()).add(group)

    def groups_of(member):
        """The member, and all groups and queues that it belongs to, directly or through others."""
        found, open_ones = {member}, [member]
        while open_ones:
            for group in above.get(open_ones.pop(), ()):
                if group not in found:
                    found.add(group)
                    open_ones.append(group)
        return found

    defaults = dict(admin.execute("SELECT object, sharing_model FROM orchestration.default_access").fetchall())
    rules = admin.execute("SELECT object, user_or_group_id, group_id, orchestration_id FROM orchestration.owner_sharing_rule").fetchall()
    shares = {}
    for record, grantee in admin.execute("SELECT record_id, user_or_group_id FROM orchestration.share_grant"):
        shares.setdefault(record, set()).add(grantee)
    groups = {p: groups_of(p) for p in people}
    delegates = {}                  # user -> who may answer the user's approvals
    for delegator, delegate in admin.execute("SELECT id, delegated_approver_id FROM orchestration.principal WHERE delegated_approver_id IS NOT NULL"
                                             " UNION ALL SELECT delegated_from, delegated_to FROM orchestration.approval_delegation WHERE end_date IS NULL OR end_date > now()"):
        delegates.setdefault(delegator, set()).add(delegate)
    asked, parts = {}, {}           # who was asked to decide about a submission; what is shared with it
    for submission, record, reviewer in admin.execute("SELECT submission_id, id, assigned_to FROM orchestration.submission_item"):
        asked.setdefault(submission, set()).add(reviewer)
        parts.setdefault(submission, []).append((DECISION, record))
    for submission, record in admin.execute("SELECT submission_id, id FROM orchestration.submission_detail"):
        parts.setdefault(submission, []).append((DETAIL, record))
    rows = []
    for person in PEOPLE:
        user = next((p for p in people.values() if p[1] == "soql_" + person), None)
        for name, table in TABLES.items():
            all_of_them = person == "super" or user[3] or (defaults.get(name, "Private") != "Private" and user[2])
            mine = set() if person == "super" else groups[user[0]]
            answers = mine.union(*(groups[d] for d in delegates if delegates[d] & mine))
            worker_columns = "assignee_id, is_approval" if name == ITEM else "NULL::uuid, false"
            for record, owner, orchestration, worker, is_approval in admin.execute(
                    "SELECT id, owner_id, orchestration_id, %s FROM orchestration.%s" % (worker_columns, table)).fetchall():
                by_rule = any(rule[0] == name and rule[1] in mine and
                              (rule[2] in groups.get(owner, ()) if rule[2] else rule[3] == orchestration) for rule in rules)
                if all_of_them or (user[2] and (owner == user[0] or by_rule or shares.get(record, set()) & mine or worker in mine or is_approval and worker in answers or asked.get(record, set()) & answers)):
                    rows.append((person, name, record))
                    rows += [(person, part, other) for part, other in parts.get(record, ())]
    admin.execute("TRUNCATE oracle.seen")
    with admin.cursor().copy("COPY oracle.seen FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    admin.execute("ANALYZE oracle.seen")
