-- The inbox: whose items it shows, claiming and releasing, due dates, pages, inputs and
-- outputs of screens, and a notification without content.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SELECT orchestration.register_action('Form', 'screen');
CREATE ROLE regress_orch_ida;
CREATE ROLE regress_orch_jim;
CREATE ROLE regress_orch_kim;
SELECT pg_temp.person('ann@example.com', 'Ann'), pg_temp.person('ida@example.com', 'Ida', 'regress_orch_ida'), pg_temp.person('jim@example.com', 'Jim', 'regress_orch_jim'), pg_temp.person('kim@example.com', 'Kim', 'regress_orch_kim');
SELECT orchestration.create_queue('InboxDesk') IS NOT NULL, orchestration.create_group('InboxStaff', 'Staff') IS NOT NULL;
SELECT orchestration.add_group_member(g.id, u.id) FROM orchestration.principal g, orchestration.principal u
 WHERE (g.developer_name, u.name) IN (('InboxDesk', 'Ida'), ('InboxDesk', 'Jim'), ('InboxStaff', 'Ida'));
GRANT USAGE ON SCHEMA orchestration TO regress_orch_ida, regress_orch_jim, regress_orch_kim;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA orchestration TO regress_orch_ida, regress_orch_jim, regress_orch_kim;

--
-- Inputs and outputs of a screen, and the due dates of its items
--
\set VERBOSITY terse
SELECT orchestration.set_action_contract('Form', '[]');
SELECT orchestration.set_action_contract('Form', '{"a": "Text"}');
SELECT orchestration.set_action_contract('Form', outputs => '{"a": {"dataType": 1}}');
SELECT orchestration.set_action_contract('Form', outputs => '{"a": {"dataType": "String", "isCollection": true}}');
SELECT orchestration.set_action_contract('Form', due => '-1 day');
SELECT orchestration.set_action_contract('Form', due => '0');
SELECT orchestration.set_action_contract('Nothing');
SELECT orchestration.set_action_contract(NULL);
SELECT orchestration.set_action_contract('Form', '{"a": {"isRequired": true}}');
SELECT orchestration.set_action_contract('Form', '{"subject": "String", "amount": {"dataType": "Number", "isRequired": true}}', '{"decision": {"dataType": "String", "isRequired": true}, "on": "Date", "notes": "Collection"}', '2 days');
\set VERBOSITY default
-- activation checks a definition against the screen
SELECT pg_temp.try($$SELECT pg_temp.orchestration('Wrong', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('A', 'I', 'Form')))))$$);
SELECT pg_temp.try($$SELECT pg_temp.orchestration('Wrong', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('A', 'I', 'Form', '{}', '{"amount": {"numberValue": 1}, "other": {"numberValue": 1}}')))))$$);
SELECT pg_temp.try($$SELECT pg_temp.orchestration('Wrong', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('A', 'I', 'Form', '{}', '{"amount": {"stringValue": "1"}}')))))$$);

-- each type: of an input, of an output, and an output that is read and not given
SELECT orchestration.register_action('Typed_form', 'screen'), orchestration.set_action_contract('Typed_form', t, t || '{"n": {"dataType": "Number", "isRequired": true}}') FROM (SELECT '{"s": "String", "n": "Number", "b": "Boolean", "d": "Date", "t": "DateTime", "r": "Record", "c": "Collection", "a": "Any"}'::jsonb AS t) x;
CREATE FUNCTION pg_temp.typed(name text, inputs jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    PERFORM pg_temp.orchestration(name, 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('F', 'I', 'Typed_form', '{}', inputs)))));
    RETURN 'activated';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || detail;
END$$;
SELECT pg_temp.typed('Typed_wrong', (SELECT jsonb_object_agg(k, '{"numberValue": 1}'::jsonb) FROM unnest('{s,n,b,d,t,r,c,a}'::text[]) k));
SELECT pg_temp.typed('Typed_wrong', (SELECT jsonb_object_agg(k, '{"stringValue": "x"}'::jsonb) FROM unnest('{s,n,b,d,t,r,c,a}'::text[]) k));
SELECT pg_temp.typed('Typed_wrong', '{"d": {"stringValue": "2027-01-01"}, "t": {"dateTimeValue": "2027-01-01T00:00:00Z"}, "b": {"stringValue": "true"}, "F": {"elementReference": "F.Outputs.nothing"}}');
SELECT pg_temp.typed('Inbox_Typed', '{"s": {"stringValue": "x"}, "n": {"numberValue": 1}, "b": {"booleanValue": true}, "d": {"dateValue": "2027-01-01"}, "a": {"booleanValue": true}}');
SELECT orchestration.start_orchestration('Inbox_Typed') IS NOT NULL;
SELECT pg_temp.try(format('SELECT orchestration.complete_work_item(%L, %L)', pg_temp.item('F'), o)) FROM unnest(ARRAY['{"n": 1, "s": 1}', '{"n": "1"}', '{"n": 1, "b": "true"}', '{"n": 1, "d": "soon"}', '{"n": 1, "t": 5}', '{"n": 1, "r": [1]}', '{"n": 1, "c": {"x": 1}}', '{"n": 1, "z": 1}', '{"n": null}', '{}']) WITH ORDINALITY x (o, k) ORDER BY k;
SELECT orchestration.complete_work_item(pg_temp.item('F'), '{"n": 1, "s": null, "b": false, "d": "2027-01-01", "t": "2027-01-01T00:00:00Z", "r": {}, "c": [], "a": [{"x": 1}]}');
SELECT pg_temp.state();
SELECT pg_temp.clean_up();
ALTER SEQUENCE orchestration.run_name_seq RESTART;
ALTER SEQUENCE orchestration.work_item_name_seq RESTART;

--
-- The user's items, those of the user's groups and of the user's queues; oldest first
--
SELECT pg_temp.orchestration('Inbox', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('Own', 'I', 'Form', '{}', '{"amount": {"numberValue": 1}, "subject": {"stringValue": "own"}}', 'ida@example.com'),
    pg_temp.step('Staff', 'I', 'Form', '{}', '{"amount": {"numberValue": 2}}', 'InboxStaff', 'Group'),
    pg_temp.step('Desk', 'I', 'Form', '{}', '{"amount": {"numberValue": 3}}', 'InboxDesk', 'Queue')))));
SELECT pg_temp.orchestration('Inbox_Other', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('Own', 'I', 'Form', '{}', '{"amount": {"numberValue": 4}}', 'ida@example.com')))));
SELECT orchestration.start_orchestration('Inbox') IS NOT NULL, orchestration.start_orchestration('Inbox_Other') IS NOT NULL;
SET ROLE regress_orch_ida;
SELECT name, label, due_at - assigned_at, is_overdue, assignee, assignee_kind, orchestration, screen_flow, screen_flow_inputs FROM orchestration.my_work_items();
SELECT name FROM orchestration.my_work_items(orchestration => 'Inbox_Other');
SELECT count(*) FROM orchestration.my_work_items(due_before => now() + interval '1 day');
SELECT count(*) FROM orchestration.my_work_items(due_before => now() + interval '3 days');
-- a page of two, and the next one
SELECT array_agg(name) FROM orchestration.my_work_items(2);
SELECT n.name FROM (SELECT * FROM orchestration.my_work_items(2) ORDER BY assigned_at DESC, id DESC LIMIT 1) p, LATERAL orchestration.my_work_items(2, p.assigned_at, p.id) n;
SELECT pg_temp.try('SELECT orchestration.my_work_items(-1)'), pg_temp.try('SELECT orchestration.my_work_items(NULL)'), pg_temp.try('SELECT orchestration.my_work_items(after_id => orchestration.new_id())');
SET ROLE regress_orch_jim;
SELECT name, label FROM orchestration.my_work_items();
SET ROLE regress_orch_kim;
SELECT name, label FROM orchestration.my_work_items();
RESET ROLE;

--
-- A claimed item belongs to no other member, and can be released
--
SELECT pg_temp.run('OR-00000001') AS run \gset
SELECT pg_temp.item('Own', :'run') AS own, pg_temp.item('Desk', :'run') AS desk \gset
\set VERBOSITY terse
SET ROLE regress_orch_kim;
SELECT pg_temp.try(format('SELECT orchestration.claim_work_item(%L)', :'desk')), pg_temp.try(format('SELECT orchestration.release_work_item(%L)', :'desk')), pg_temp.try(format('SELECT orchestration.set_due_date(%L, now())', :'desk'));
SET ROLE regress_orch_jim;
SELECT orchestration.claim_work_item(:'desk'), orchestration.claim_work_item(:'desk');
SELECT name, label, assignee, assignee_kind FROM orchestration.my_work_items();
SELECT pg_temp.try(format('SELECT orchestration.claim_work_item(%L)', :'own'));
SET ROLE regress_orch_ida;
SELECT name, label FROM orchestration.my_work_items(orchestration => 'Inbox');
SELECT pg_temp.try(format('SELECT orchestration.claim_work_item(%L)', :'desk'));
SELECT orchestration.claim_work_item(:'own'), orchestration.release_work_item(:'own');
SET ROLE regress_orch_jim;
SELECT orchestration.release_work_item(:'desk'), orchestration.release_work_item(:'desk');
SET ROLE regress_orch_ida;
SELECT orchestration.claim_work_item(:'desk');
RESET ROLE;
-- a reassigned item is no longer claimed; the log has an entry for each step
SELECT orchestration.reassign_work_item(:'desk', id) FROM orchestration.principal WHERE name = 'Jim';
SELECT claimed_from FROM orchestration.work_item WHERE id = :'desk';
SELECT orchestration.release_work_item(:'desk');
SELECT kind, assignee, actor FROM orchestration.flow_orchestration_log WHERE step_name = 'Desk' AND kind::text LIKE '%WorkItem' ORDER BY name;
SELECT orchestration.claim_work_item(NULL);
SELECT pg_temp.try('SELECT orchestration.claim_work_item(orchestration.new_id())');
-- a role without a user
CREATE ROLE regress_orch_nobody;
GRANT USAGE ON SCHEMA orchestration TO regress_orch_nobody;
GRANT EXECUTE ON FUNCTION orchestration.claim_work_item, orchestration.my_work_items TO regress_orch_nobody;
SET ROLE regress_orch_nobody;
SELECT pg_temp.try(format('SELECT orchestration.claim_work_item(%L)', :'desk'));
SELECT count(*) FROM orchestration.my_work_items();
RESET ROLE;
\set VERBOSITY default

--
-- Due dates
--
SELECT orchestration.set_due_date(:'own', '2000-01-01'), orchestration.set_due_date(:'own', '2000-01-01');
SET ROLE regress_orch_ida;
SELECT name, is_overdue FROM orchestration.my_work_items(due_before => now());
RESET ROLE;
SELECT orchestration.set_due_date(:'own', NULL);

--
-- Outputs are checked against the screen's outputs
--
\set VERBOSITY terse
SET ROLE regress_orch_ida;
SELECT orchestration.complete_work_item(:'own', '{"on": "2026-01-02"}');
SELECT orchestration.complete_work_item(:'own', '{"decision": 7}');
SELECT orchestration.complete_work_item(:'own', '{"decision": "yes", "on": "soon"}');
SELECT orchestration.complete_work_item(:'own', '{"decision": "yes", "notes": "one"}');
SELECT orchestration.complete_work_item(:'own', '{"decision": "yes", "mood": "good"}');
SELECT orchestration.complete_work_item(:'own', '{"decision": "yes", "on": "2026-01-02", "notes": ["one", "two"]}');
SELECT orchestration.claim_work_item(:'own');
SELECT orchestration.set_due_date(:'own', NULL);
RESET ROLE;
SELECT outputs FROM orchestration.step_run WHERE run_id = :'run' AND name = 'Own';
\set VERBOSITY default

--
-- Notifications carry no content
--
SET ROLE regress_orch_kim;
SELECT count(*) AS channels FROM orchestration.listen_for_work();
SELECT channel ~ '^orchestration_work_[0-9a-f]+$' FROM pg_listening_channels() AS channel;
RESET ROLE;
-- another session assigns items: no notification for items of other users, one for all of a transaction
\setenv PGDATABASE :DBNAME
\setenv DESK :desk
\o | sed -E 's/_work_[0-9a-f]+/_work_<secret>/; s/PID [0-9]+/PID <pid>/'
\! psql -qXAtc "SELECT orchestration.reassign_work_item('$DESK', id) FROM orchestration.principal WHERE name = 'Kim'"
SELECT 'assigned to Kim';
\! psql -qXAtc "SELECT orchestration.reassign_work_item('$DESK', id) FROM orchestration.principal WHERE name = 'Ida'"
SELECT 'assigned to Ida';
\! psql -qXAtc "SELECT count(orchestration.reassign_work_item('$DESK', p.id)) FROM orchestration.principal p, generate_series(1, 3) WHERE p.name IN ('Ida', 'Kim')"
SELECT 'assigned six times';
\o
UNLISTEN *;
SELECT invariant, object, detail FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT orchestration.unregister_action('Form');
UPDATE orchestration.principal SET role_name = NULL WHERE name IN ('Ida', 'Jim', 'Kim');
DROP OWNED BY regress_orch_ida, regress_orch_jim, regress_orch_kim, regress_orch_nobody;
DROP ROLE regress_orch_ida, regress_orch_jim, regress_orch_kim, regress_orch_nobody;
\set ECHO none
