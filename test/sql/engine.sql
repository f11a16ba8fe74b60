-- The path of a run: decisions, assignments, loops, values that steps read, and the
-- errors on the way.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.trace (note text);
CREATE FUNCTION public.echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION public.nothing(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
CREATE FUNCTION public.scalar(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT ''{"y": 42}''::jsonb';
CREATE FUNCTION public.fails(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.trace VALUES ('written by what fails');
    RAISE EXCEPTION 'out of stock' USING ERRCODE = 'P0042', DETAIL = 'none left', HINT = 'buy some';
END
$$;
CREATE FUNCTION public.writes(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.trace VALUES (input->>'note');
    RETURN input;
END
$$;
SELECT orchestration.register_action(initcap(f), 'function', (f || '(jsonb)')::regprocedure) FROM unnest('{echo,nothing,scalar,fails,writes}'::text[]) f;
SELECT orchestration.register_action('Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');

--
-- Decisions: the first rule that holds, else the default; assignments; outputs
--
SELECT pg_temp.orchestration('Route', 'Count', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('amount', 'Number'), pg_temp.variable('text', 'String', '{"stringValue": "amount "}'), pg_temp.variable('level', 'String')),
    'assignments', '[{"name": "Count", "label": "Count", "connector": {"targetReference": "Level"}, "assignmentItems": [
        {"assignToReference": "amount", "operator": "Add", "value": {"numberValue": 1}},
        {"assignToReference": "amount", "operator": "Subtract", "value": {"numberValue": 0.5}},
        {"assignToReference": "text", "operator": "Add", "value": {"stringValue": "counted"}}]}]'::jsonb,
    'decisions', '[{"name": "Level", "label": "Level", "defaultConnector": {"targetReference": "Low"}, "rules": [
        {"name": "Is_high", "label": "High", "conditionLogic": "and", "connector": {"targetReference": "High"},
         "conditions": [{"leftValueReference": "amount", "operator": "GreaterThan", "rightValue": {"numberValue": 100}}]},
        {"name": "Is_over_ten", "label": "Over ten", "conditionLogic": "1 AND NOT 2", "connector": {"targetReference": "Middle"},
         "conditions": [{"leftValueReference": "amount", "operator": "GreaterThan", "rightValue": {"numberValue": 10}},
                        {"leftValueReference": "text", "operator": "StartsWith", "rightValue": {"stringValue": "no"}}]}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('High', 'Low', pg_temp.step('Tell', 'B', 'Echo', '{}', '{"high": {"elementReference": "amount"}, "rule": {"elementReference": "Is_high"}}')),
        pg_temp.stage('Middle', 'Low', pg_temp.step('Tell_middle', 'B', 'Echo', '{}', '{"middle": {"elementReference": "amount"}}')),
        pg_temp.stage('Low', NULL, pg_temp.step('End', 'B', 'Echo', '{}',
            '{"text": {"elementReference": "text"}, "told": {"elementReference": "Tell.Outputs.high"}, "rule": {"elementReference": "Tell.Outputs.rule"}, "status": {"elementReference": "High.Status"}}')))));
SELECT orchestration.start_orchestration('Route', inputs => '{"amount": 1000}') IS NOT NULL;
SELECT pg_temp.state();
SELECT name, outputs FROM orchestration.step_run WHERE run_id = pg_temp.run() ORDER BY id;
SELECT orchestration.start_orchestration('Route', inputs => '{"amount": 50}') IS NOT NULL;
SELECT pg_temp.state();
SELECT name, outputs FROM orchestration.step_run WHERE run_id = pg_temp.run() ORDER BY id;
SELECT orchestration.start_orchestration('Route', inputs => '{"amount": 50, "text": "no "}') IS NOT NULL;
SELECT pg_temp.state();
SELECT orchestration.start_orchestration('Route') IS NOT NULL;
SELECT pg_temp.state();
SELECT variables FROM orchestration.run WHERE id = pg_temp.run();

--
-- A loop with a bound, and one without
--
SELECT pg_temp.orchestration('Loop', 'Again', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('times', 'Number', '{"numberValue": 0}'), pg_temp.variable('most', 'Number', '{"numberValue": 3}')),
    'assignments', '[{"name": "Count", "label": "Count", "connector": {"targetReference": "Enough"}, "assignmentItems": [
        {"assignToReference": "times", "operator": "Add", "value": {"numberValue": 1}}]}]'::jsonb,
    'decisions', '[{"name": "Enough", "label": "Enough", "defaultConnector": {"targetReference": "Again", "isGoTo": true}, "rules": [
        {"name": "Is_enough", "label": "Is enough", "conditionLogic": "and",
         "conditions": [{"leftValueReference": "times", "operator": "GreaterThanOrEqualTo", "rightValue": {"elementReference": "most"}}]}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('Again', 'Count', pg_temp.step('Turn', 'B', 'Echo', '{}', '{"times": {"elementReference": "times"}, "last": {"elementReference": "Turn.Outputs.times"}}')))));
SELECT orchestration.start_orchestration('Loop') IS NOT NULL;
SELECT pg_temp.state();
SELECT s.position, t.outputs FROM orchestration.stage_run s JOIN orchestration.step_run t ON t.run_id = s.run_id AND t.stage_run_id = s.id WHERE s.run_id = pg_temp.run() ORDER BY 1;
SELECT orchestration.start_orchestration('Loop', inputs => '{"most": 1e9}') IS NOT NULL;
SELECT r.status, count(s.id), max(s.position) FROM orchestration.run r JOIN orchestration.stage_run s ON s.run_id = r.id WHERE r.id = pg_temp.run() GROUP BY 1;
SELECT r.status, s.status, count(*) FROM orchestration.run r JOIN orchestration.stage_run s ON s.run_id = r.id WHERE r.id = pg_temp.run() GROUP BY 1, 2 ORDER BY 1, 2;
SELECT pg_temp.failure(), error->>'detail', error->>'hint' FROM orchestration.run WHERE id = pg_temp.run();
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SET orchestration.max_elements = 10;
SELECT orchestration.start_orchestration('Loop', inputs => '{"most": 100}') IS NOT NULL;
SELECT pg_temp.failure();
RESET orchestration.max_elements;
SELECT pg_temp.clean_up();

--
-- Order of steps; a stage without steps; outputs that are not there
--
SELECT pg_temp.orchestration('Order', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'Empty', pg_temp.step('Third', 'B', 'Writes', '{First,Second}', '{"note": {"stringValue": "third"}}'), pg_temp.step('Second', 'B', 'Writes', '{First}', '{"note": {"stringValue": "second"}}'),
                              pg_temp.step('First', 'B', 'Writes', '{}', '{"note": {"stringValue": "first"}}')),
    pg_temp.stage('Empty', 'T'),
    pg_temp.stage('T', NULL, pg_temp.step('N', 'B', 'Nothing'), pg_temp.step('C', 'B', 'Scalar', '{N}'),
                  pg_temp.step('R', 'B', 'Echo', '{C}', '{"n": {"elementReference": "N.Outputs.x"}, "c": {"elementReference": "C.Outputs.x"}}')))));
SELECT orchestration.start_orchestration('Order') IS NOT NULL;
SELECT pg_temp.state();
SELECT * FROM trace;
SELECT name, outputs FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name IN ('N', 'C', 'R') ORDER BY name COLLATE "C";
SELECT kind, stage_name, step_name FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() ORDER BY name;
TRUNCATE trace;

--
-- A failing action loses only its own writes; after a repair the run is resumed
--
SELECT pg_temp.orchestration('Fail', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', NULL, pg_temp.step('Before', 'B', 'Writes', '{}', '{"note": {"stringValue": "before"}}'), pg_temp.step('Person', 'I', 'Screen'), pg_temp.step('Bad', 'B', 'Fails', '{Before}'),
                  pg_temp.step('After', 'B', 'Writes', '{Bad}', '{"note": {"stringValue": "after"}}')))));
SELECT orchestration.start_orchestration('Fail') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT error - 'context' FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'Bad';
SELECT error->>'context' LIKE 'PL/pgSQL function %fails(jsonb) line 4 at RAISE' FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'Bad';
SELECT * FROM trace;
SELECT kind, stage_name, step_name FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() ORDER BY name;
-- it fails again
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();
CREATE OR REPLACE FUNCTION public.fails(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT ''{}''::jsonb';
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();
SELECT name, attempt, error IS NULL AS no_error FROM orchestration.step_run WHERE run_id = pg_temp.run() ORDER BY id;
SELECT * FROM trace;
SELECT error, error_recoverable, ended_at FROM orchestration.run WHERE id = pg_temp.run();
SELECT orchestration.complete_work_item(pg_temp.item('Person'));
SELECT pg_temp.state();
TRUNCATE trace;

--
-- An action that does not exist
--
SELECT orchestration.unregister_action('Fails');
SELECT orchestration.start_orchestration('Fail') IS NOT NULL;
SELECT pg_temp.failure();
SELECT orchestration.register_action('Fails', 'worker');
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.failure();
SELECT orchestration.register_action('Fails', 'function', 'fails(jsonb)');
DROP FUNCTION public.fails(jsonb);
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.failure();
SELECT orchestration.register_action('Fails', 'function', 'echo(jsonb)');
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();
SELECT pg_temp.clean_up();

--
-- A value that cannot be computed is not recoverable: decision, assignment, input
--
SELECT pg_temp.orchestration('Broken', 'Before', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('text', 'String', '{"stringValue": "x"}'), pg_temp.variable('where', 'String'), pg_temp.variable('number', 'Number')),
    'decisions', '[{"name": "Where", "label": "Where", "defaultConnector": {"targetReference": "Compare"}, "rules": [
        {"name": "To_add", "label": "To add", "conditionLogic": "and", "connector": {"targetReference": "Add"},
         "conditions": [{"leftValueReference": "where", "operator": "EqualTo", "rightValue": {"stringValue": "add"}}]}]},
      {"name": "Compare", "label": "Compare", "rules": [
        {"name": "Is_more", "label": "Is more", "conditionLogic": "and",
         "conditions": [{"leftValueReference": "B.Outputs.note", "operator": "GreaterThan", "rightValue": {"booleanValue": true}}]}]}]'::jsonb,
    'assignments', '[{"name": "Add", "label": "Add", "assignmentItems": [{"assignToReference": "number", "operator": "Assign", "value": {"elementReference": "B.Outputs.note"}}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('Before', 'Where', pg_temp.step('B', 'B', 'Writes', '{}', '{"note": {"stringValue": "kept"}}')))));
SELECT orchestration.start_orchestration('Broken') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT orchestration.start_orchestration('Broken', inputs => '{"where": "add"}') IS NOT NULL;
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT * FROM trace;
TRUNCATE trace;

--
-- Actions that change runs
--
CREATE FUNCTION public.on_own_run(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE input->>'call' USING (input->>'run')::uuid;
    RETURN '{"done": true}';
END
$$;
SELECT orchestration.register_action('On_own_run', 'function', 'on_own_run(jsonb)');
SELECT pg_temp.orchestration('Own', 'Count', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('call', 'String'), pg_temp.variable('n', 'Number', '{"numberValue": 0}')),
    'assignments', '[{"name": "Count", "label": "Count", "connector": {"targetReference": "S"}, "assignmentItems": [
        {"assignToReference": "n", "operator": "Add", "value": {"numberValue": 1}}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('S', 'T', pg_temp.step('Person', 'I', 'Screen'), pg_temp.step('First', 'B', 'Echo'),
                      pg_temp.step('Act', 'B', 'On_own_run', '{First}', '{"run": {"elementReference": "$Orchestration.Instance"}, "call": {"elementReference": "call"}}'),
                      pg_temp.step('Next', 'B', 'Echo', '{Act}', '{"n": {"elementReference": "n"}}')),
        pg_temp.stage('T', NULL, pg_temp.step('Last', 'B', 'Echo')))));
CREATE FUNCTION pg_temp.own(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.start_orchestration('Own', inputs => jsonb_build_object('call', call));
    RETURN concat_ws(E'\n', pg_temp.state(), CASE WHEN pg_temp.state() LIKE 'Error%' THEN pg_temp.failure() END);
END
$$;
-- cancel it: the step is Discontinued, nothing follows
SELECT pg_temp.own('SELECT orchestration.cancel_run($1)');
-- suspend it: the outcome is kept as pending and applied at the resume; variables are stored
SELECT pg_temp.own('SELECT orchestration.suspend_run($1)');
SELECT pending FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'Act';
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();
SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'Next';
-- suspend and resume it
SELECT pg_temp.own('SELECT orchestration.suspend_run($1), orchestration.resume_run($1)');
-- finish another step of it; fail the screen of that step
SELECT pg_temp.own('SELECT orchestration.complete_work_item(id) FROM orchestration.work_item WHERE run_id = $1');
SELECT pg_temp.own('SELECT orchestration.fail_work_item(id, ''broke'') FROM orchestration.work_item WHERE run_id = $1');
SELECT orchestration.complete_work_item(pg_temp.item('Person'));
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT pg_temp.state();
-- by plain UPDATE: end its stage, its step, another step, the run
SELECT pg_temp.own($$UPDATE orchestration.stage_run SET status = 'Completed' WHERE run_id = $1$$);
SELECT pg_temp.own($$UPDATE orchestration.stage_run SET status = 'Error' WHERE run_id = $1$$);
SELECT pg_temp.own($$UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = $1 AND name = 'Act'$$);
SELECT pg_temp.own($$UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = $1 AND name = 'Act'$$);
SELECT pg_temp.own($$UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = $1 AND name = 'Person'$$);
SELECT pg_temp.own($$UPDATE orchestration.step_run SET status = 'Error' WHERE run_id = $1 AND name = 'Person'$$);
SELECT pg_temp.own($$UPDATE orchestration.run SET status = 'Error' WHERE id = $1$$);
SELECT invariant, object, detail FROM orchestration.verify();
-- a refused write fails the action, and all of its writes are undone
SELECT pg_temp.own($$UPDATE orchestration.run SET status = 'Completed' WHERE id = $1$$);
SELECT pg_temp.own($$DELETE FROM orchestration.run WHERE id = $1$$);
SELECT pg_temp.own($$SELECT orchestration.cancel_run($1) UNION ALL SELECT 1 / 0 > 0$$);
-- start other runs; start runs without end: the statement fails at the extension's limit or the server's
SELECT pg_temp.own($$SELECT orchestration.start_orchestration('Order'), orchestration.start_orchestration('Broken'), $1$$);
SELECT r.orchestration_name, r.status FROM orchestration.run r ORDER BY r.id DESC LIMIT 3;
\set VERBOSITY terse
CREATE FUNCTION public.start_again(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('run', orchestration.start_orchestration('Endless')) $$;
SELECT orchestration.register_action('Start_again', 'function', 'start_again(jsonb)');
SELECT pg_temp.orchestration('Endless', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Again', 'B', 'Start_again')))));
SELECT orchestration.start_orchestration('Endless') IS NOT NULL;
\echo :LAST_ERROR_SQLSTATE
SET max_stack_depth = '500kB';
SET orchestration.max_chain_depth = 1000;
SELECT orchestration.start_orchestration('Endless') IS NOT NULL;
\echo :LAST_ERROR_SQLSTATE
RESET max_stack_depth;
RESET orchestration.max_chain_depth;
\set VERBOSITY default
SELECT count(*) FROM orchestration.run WHERE orchestration_name = 'Endless';

--
-- An action runs in the caller's transaction, but not as the caller
--
SELECT pg_temp.own('COMMIT');
SELECT pg_temp.own('SET ROLE pg_read_all_data');
SELECT pg_temp.own('SET LOCAL search_path = nowhere');
SHOW search_path;

--
-- All or nothing: savepoints around engine calls, and errors that fail the statement, not
-- the run
--
TRUNCATE trace;
SELECT pg_temp.clean_up();
BEGIN;
SELECT orchestration.start_orchestration('Order') IS NOT NULL;
SAVEPOINT s;
SELECT orchestration.start_orchestration('Fail') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run());
ROLLBACK TO s;
SELECT orchestration.start_orchestration('Nothing');
ROLLBACK TO s;
SELECT orchestration.start_orchestration('Fail') IS NOT NULL;
RELEASE s;
COMMIT;
SELECT r.orchestration_name, r.status, count(l.number), count(*) FILTER (WHERE l.kind = 'StartInstance') FROM orchestration.run r JOIN orchestration.run_log l ON l.run_id = r.id GROUP BY 1, 2 ORDER BY 1;
SELECT * FROM trace;
-- an error that is not the action's ends the call, and all of the call is undone
CREATE OR REPLACE FUNCTION public.echo(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN $1; END $$;
SET statement_timeout = '100ms';
\set VERBOSITY terse
SELECT pg_temp.own('SELECT 1');
RESET statement_timeout;
CREATE OR REPLACE FUNCTION public.echo(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE serialization_failure; END $$;
SELECT pg_temp.own('SELECT 1');
\set VERBOSITY default
CREATE OR REPLACE FUNCTION public.echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT pg_temp.own('SELECT 1');
SELECT orchestration_name, status FROM orchestration.run ORDER BY id;

SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT orchestration.unregister_action(name) FROM unnest('{Echo,Nothing,Scalar,Fails,Writes,Screen,On_own_run,Start_again}'::text[]) name;
DROP FUNCTION public.echo(jsonb), public.nothing(jsonb), public.scalar(jsonb), public.writes(jsonb), public.on_own_run(jsonb), public.start_again(jsonb);
DROP TABLE public.trace;
