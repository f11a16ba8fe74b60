-- Work items: assigning, finishing, reassigning, failing.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Echo', 'function', 'echo(jsonb)'), orchestration.register_action('Screen', 'screen');
CREATE ROLE regress_orch_bob;
SELECT pg_temp.person('ann@example.com', 'Ann'), pg_temp.person('bob@example.com', 'Bob', 'regress_orch_bob');
SELECT orchestration.create_group('Staff', 'The staff') IS NOT NULL, orchestration.create_queue('Desk') IS NOT NULL;
SELECT orchestration.add_group_member(g.id, u.id) FROM orchestration.principal g, orchestration.principal u WHERE g.developer_name = 'Staff' AND u.name = 'Bob';
CREATE FUNCTION pg_temp.person(text) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT id FROM orchestration.principal WHERE $1 IN (name, username, developer_name)
$$;

--
-- Assignees: user, group, queue, a reference that names any of them
--
SELECT pg_temp.orchestration('Assign', 'S', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('who', 'String', '{"stringValue": "Desk"}')),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('U', 'I', 'Screen', '{}', '{"text": {"stringValue": "what the screen gets"}}') || '{"description": "for Ann"}', pg_temp.step('G', 'I', 'Screen', '{}', '{}', 'Staff', 'Group'), pg_temp.step('Q', 'I', 'Screen', '{}', '{}', 'Desk', 'Queue'),
        pg_temp.step('R', 'I', 'Screen', '{}', '{}', '{!who}', 'Resource'), pg_temp.step('V', 'I', 'Screen', '{}', '{}', '{!who}', 'Queue')))));
SELECT orchestration.start_orchestration('Assign') IS NOT NULL;
SELECT w.name, w.status, t.name, p.kind, p.name, w.label, w.description, w.screen_flow, w.screen_flow_inputs, w.elapsed_time_since_asgnt_in_sec >= 0, w.elapsed_time_since_creation_in_sec >= 0
  FROM orchestration.flow_orchestration_work_item w JOIN orchestration.principal p ON p.id = w.assignee_id
  JOIN orchestration.step_run t ON t.id = w.step_instance_id ORDER BY w.name;
SELECT DISTINCT kind, assignee, assignee_type FROM orchestration.flow_orchestration_log WHERE assignee IS NOT NULL ORDER BY assignee_type;

--
-- Finished: once, by which user; a second call with the same key is no error
--
SELECT orchestration.complete_work_item(pg_temp.item('U'), '{"Comments": "looks good", "n": 1}', 'key');
SELECT orchestration.complete_work_item(pg_temp.item('U'), '{"n": 1.0, "Comments": "looks good"}', 'key');
SELECT outputs FROM orchestration.step_run WHERE name = 'U';
SELECT w.status, w.completed_by = session_user, w.completed_at IS NOT NULL, v.elapsed_time_since_asgnt_in_sec, v.elapsed_time_since_creation_in_sec
  FROM orchestration.work_item w JOIN orchestration.flow_orchestration_work_item v ON v.id = w.id WHERE w.id = pg_temp.item('U');
\set VERBOSITY terse
SELECT orchestration.complete_work_item(pg_temp.item('U'), '{"n": 2}');
SELECT orchestration.complete_work_item(pg_temp.item('U'), '{"n": 2}', 'other');
SELECT orchestration.complete_work_item(pg_temp.item('U'), '{"n": 2}', 'key');
SELECT orchestration.fail_work_item(pg_temp.item('U'), 'too late');
SELECT orchestration.reassign_work_item(pg_temp.item('U'), pg_temp.person('Bob'));
SELECT orchestration.complete_work_item(pg_temp.item('G'), '[]');
SELECT orchestration.complete_work_item(pg_temp.item('G'), '"text"');
SELECT orchestration.complete_work_item(pg_temp.item('G'), NULL, '');
SELECT orchestration.complete_work_item(NULL);
SELECT pg_temp.try('SELECT orchestration.complete_work_item(orchestration.new_id())'), pg_temp.try('SELECT orchestration.fail_work_item(orchestration.new_id(), ''x'')');
\set VERBOSITY default
SELECT kind, step_name, actor = session_user AS by_us, comments FROM orchestration.flow_orchestration_log WHERE kind IN ('EndWorkItem', 'EndStep') ORDER BY name;
-- a role mapped to a user acts as that user
GRANT USAGE ON SCHEMA orchestration TO regress_orch_bob;
GRANT EXECUTE ON FUNCTION orchestration.complete_work_item(uuid, jsonb, text), orchestration.reassign_work_item(uuid, uuid, text) TO regress_orch_bob;
SELECT pg_temp.item('G') AS item \gset
SET ROLE regress_orch_bob;
SELECT orchestration.complete_work_item(:'item');
RESET ROLE;
SELECT w.completed_by, p.name FROM orchestration.work_item w JOIN orchestration.principal p ON p.id = w.modified_by WHERE w.id = :'item';
SELECT kind, actor FROM orchestration.flow_orchestration_log WHERE step_name = 'G' ORDER BY name;

--
-- Reassigned
--
SELECT orchestration.reassign_work_item(pg_temp.item('Q'), pg_temp.person('Bob')), orchestration.reassign_work_item(pg_temp.item('Q'), pg_temp.person('Bob'));
SELECT p.name, w.status, w.assigned_at > w.created_at FROM orchestration.work_item w JOIN orchestration.principal p ON p.id = w.assignee_id WHERE w.id = pg_temp.item('Q');
SELECT pg_temp.try($$SELECT orchestration.reassign_work_item(pg_temp.item('Q'), orchestration.new_id())$$);
UPDATE orchestration.principal SET is_active = false WHERE name = 'Ann';
SELECT pg_temp.try($$SELECT orchestration.reassign_work_item(pg_temp.item('Q'), pg_temp.person('Ann'))$$);
UPDATE orchestration.principal SET is_active = true WHERE name = 'Ann';
UPDATE orchestration.work_item SET assignee_id = pg_temp.person('Ann') WHERE id = pg_temp.item('Q');
SELECT kind, assignee FROM orchestration.flow_orchestration_log WHERE step_name = 'Q' ORDER BY name;
-- with the status, in one statement; after it was finished
SELECT pg_temp.try($$UPDATE orchestration.work_item SET assignee_id = pg_temp.person('Bob') WHERE id = pg_temp.item('U')$$);
UPDATE orchestration.work_item SET assignee_id = pg_temp.person('Bob'), status = 'Completed' WHERE id = pg_temp.item('Q');
SELECT pg_temp.state();
-- of a run that is Suspended
SELECT orchestration.suspend_run(pg_temp.run());
SELECT orchestration.reassign_work_item(pg_temp.item('R'), pg_temp.person('Bob'));
SELECT orchestration.complete_work_item(pg_temp.item('R')), orchestration.complete_work_item(pg_temp.item('V'), '{"v": 1}');
SELECT pg_temp.state();
SELECT pg_temp.try($$SELECT orchestration.complete_work_item(pg_temp.item('V'))$$) ~ '^OR302: work item WI-00000005 is Completed already';
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();

--
-- No user, an inactive user, an empty group
--
SELECT pg_temp.orchestration('Who', 'Before', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('who', 'String'), pg_temp.variable('number', 'Number')),
    'orchestratedStages', jsonb_build_array(pg_temp.stage('Before', 'S', pg_temp.step('B', 'B', 'Echo')), pg_temp.stage('S', NULL, pg_temp.step('Other', 'I', 'Screen'), pg_temp.step('W', 'I', 'Screen', '{}', '{}', '{!who}')))));
SELECT orchestration.start_orchestration('Who', inputs => '{"who": "nobody@example.com"}') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT orchestration.start_orchestration('Who', inputs => '{"who": ""}') IS NOT NULL;
SELECT pg_temp.failure();
SELECT orchestration.start_orchestration('Who') IS NOT NULL;
SELECT pg_temp.failure();
-- a reference of another kind
SELECT orchestration.start_orchestration('Who', inputs => '{"who": "Desk"}') IS NOT NULL;
SELECT pg_temp.failure();
-- an inactive user is recoverable; resumed before and after the user is active again
UPDATE orchestration.principal SET is_active = false WHERE name = 'Bob';
SELECT orchestration.start_orchestration('Who', inputs => '{"who": "bob@example.com"}') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();
UPDATE orchestration.principal SET is_active = true WHERE name = 'Bob';
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();
SELECT w.name, t.name, w.status, w.completed_by FROM orchestration.work_item w JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id WHERE w.run_id = pg_temp.run() ORDER BY w.name;

--
-- The screen fails
--
SELECT orchestration.fail_work_item(pg_temp.item('W'), 'the screen broke');
SELECT orchestration.fail_work_item(pg_temp.item('W'), 'again');
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT t.name, w.status FROM orchestration.work_item w JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id WHERE w.run_id = pg_temp.run() ORDER BY w.name;
-- finished while the run is in Error: the outcome is kept
SELECT orchestration.complete_work_item(pg_temp.item('W'), '{"late": true}');
SELECT pending FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'W';
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();
SELECT orchestration.complete_work_item(pg_temp.item('Other'));
SELECT pg_temp.state();
-- of a Suspended run
SELECT orchestration.start_orchestration('Who', inputs => '{"who": "bob@example.com"}') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run());
SELECT pg_temp.try($$SELECT orchestration.fail_work_item(pg_temp.item('W'), 'x')$$), pg_temp.state();

--
-- By plain UPDATE and INSERT
--
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
UPDATE orchestration.work_item SET status = 'Completed' WHERE id = pg_temp.item('W');
SELECT pg_temp.state();
SELECT pg_temp.try($$UPDATE orchestration.work_item SET status = 'Assigned' WHERE id = pg_temp.item('W')$$);
SELECT pg_temp.try($$INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id) SELECT run_id, id, 'Assigned', pg_temp.person('Bob') FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'Other'$$);
SELECT pg_temp.try($$INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id) SELECT run_id, id, 'Assigned', pg_temp.person('Bob') FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'W'$$);
-- only interactive steps have work items
SELECT pg_temp.try($$INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id, completed_at) SELECT run_id, id, 'Completed', pg_temp.person('Bob'), now() FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'B'$$);
SELECT pg_temp.try($$UPDATE orchestration.work_item SET step_run_id = (SELECT id FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'B') WHERE id = pg_temp.item('W')$$);
SELECT pg_temp.try($$UPDATE orchestration.work_item SET owner_id = pg_temp.person('Desk') WHERE id = pg_temp.item('W')$$);
SELECT invariant, object, detail FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT orchestration.unregister_action('Echo'), orchestration.unregister_action('Screen');
DROP FUNCTION public.echo(jsonb);
UPDATE orchestration.principal SET role_name = NULL WHERE name = 'Bob';
DROP OWNED BY regress_orch_bob;
DROP ROLE regress_orch_bob;
