-- record_chain: a change by a run's own steps does not start the same orchestration again,
-- chains of runs have an end, and an error of the server is no failure of a run
-- (src/engine/chain.c, src/base/frame.c, src/engine/engine_state.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.chain_a (id integer PRIMARY KEY, n integer NOT NULL DEFAULT 0, note text);
CREATE TABLE public.chain_b (id integer PRIMARY KEY, n integer NOT NULL DEFAULT 0, note text);
SELECT orchestration.register_record_type('Chain_A', 'chain_a'), orchestration.register_record_type('Chain_B', 'chain_b');
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT orchestration.register_action('Chain_Screen', 'screen');
-- an action that executes the statement in its input
CREATE FUNCTION public.chain_do(inputs jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE replace(replace(inputs->>'do', '$id', coalesce(inputs->>'id', 'NULL')), '$n', coalesce(inputs->>'n', 'NULL'));
    RETURN '{}';
END$$;
SELECT orchestration.register_action('Chain_Do', 'function', 'chain_do(jsonb)');
CREATE FUNCTION pg_temp.does(name text, type text, statement text, kind text DEFAULT 'B', starts text DEFAULT 'CreateAndUpdate', more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.orchestration(name, 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
        pg_temp.stage('S', NULL, pg_temp.step('Do', kind, 'Chain_Do', '{}', jsonb_build_object('do', jsonb_build_object('stringValue', statement))
            || CASE WHEN type IS NULL THEN '{}' ELSE '{"id": {"elementReference": "$Record.Id"}, "n": {"elementReference": "$Record.N"}}'::jsonb END) || more))),
        CASE WHEN type IS NULL THEN '{}' ELSE jsonb_build_object('object', type, 'triggerType', 'RecordAfterSave', 'recordTriggerType', starts) END) $$;
CREATE FUNCTION pg_temp.runs() RETURNS TABLE (runs text) LANGUAGE sql AS $$
    SELECT concat_ws(' ', r.orchestration_name, r.triggering_record_id, r.status, r.error->>'sqlstate', count(*)) FROM orchestration.run r
     GROUP BY r.orchestration_name, r.triggering_record_id, r.status, r.error->>'sqlstate' ORDER BY 1 $$;
CREATE FUNCTION pg_temp.reset() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.deactivate_orchestration(d.name) FROM orchestration.orchestration_definition d WHERE d.active_version IS NOT NULL;
    PERFORM pg_temp.clean_up();
    TRUNCATE public.chain_a, public.chain_b;
END$$;
--
-- A run does not start itself
--
SELECT pg_temp.does('Own', 'Chain_A', 'UPDATE chain_a SET n = n + 1 WHERE id = $id');
INSERT INTO public.chain_a VALUES (1), (2);
SELECT * FROM pg_temp.runs();
UPDATE public.chain_a SET note = 'by the user';
SELECT * FROM pg_temp.runs();
TABLE public.chain_a ORDER BY id;
-- nor through another orchestration, a call, another key, a record inserted again, or a caught error
SELECT pg_temp.reset(), pg_temp.does('Ping', 'Chain_A', 'UPDATE chain_b SET n = n + 1 WHERE id = $id'), pg_temp.does('Pong', 'Chain_B', 'UPDATE chain_a SET n = n + 1 WHERE id = $id');
INSERT INTO public.chain_b VALUES (1);
INSERT INTO public.chain_a VALUES (1);
SELECT * FROM pg_temp.runs();
SELECT pg_temp.reset(), pg_temp.does('Key', 'Chain_A', 'UPDATE chain_a SET id = id + 1 WHERE id = $id');
INSERT INTO public.chain_a VALUES (1);
SELECT * FROM pg_temp.runs();
SELECT pg_temp.reset(), pg_temp.does('Again', 'Chain_A', 'WITH d AS (DELETE FROM chain_a WHERE id = $id RETURNING *) INSERT INTO chain_b SELECT * FROM d; INSERT INTO chain_a SELECT * FROM chain_b; DELETE FROM chain_b');
INSERT INTO public.chain_a VALUES (1);
SELECT * FROM pg_temp.runs();
SELECT pg_temp.reset(), pg_temp.does('Undone', 'Chain_A', 'DO $do$ BEGIN UPDATE chain_a SET id = id + 1 WHERE id = $id; RAISE ''undo''; EXCEPTION WHEN raise_exception THEN UPDATE chain_a SET n = n + 1 WHERE id = $id; END $do$');
INSERT INTO public.chain_a VALUES (1), (3);
SELECT * FROM pg_temp.runs();
SELECT pg_temp.reset(), pg_temp.does('Called', 'Chain_A', 'UPDATE chain_a SET n = n + 1 WHERE id = $id');
ALTER TABLE public.chain_a DISABLE TRIGGER USER;
INSERT INTO public.chain_a VALUES (1);
ALTER TABLE public.chain_a ENABLE TRIGGER USER;
SELECT orchestration.start_orchestration('Called', '1') IS NOT NULL;
SELECT * FROM pg_temp.runs();
-- the run itself reacts to its own change
SELECT pg_temp.reset();
SELECT pg_temp.orchestration('Sees', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'T', pg_temp.step('Do', 'B', 'Chain_Do', '{}', '{"do": {"stringValue": "UPDATE chain_a SET n = 5 WHERE id = $id"}, "id": {"elementReference": "$Record.Id"}}'),
        pg_temp.step('Person', 'I', 'Chain_Screen')) || '{"exitConditions": [{"leftValueReference": "$Record.N", "operator": "EqualTo", "rightValue": {"numberValue": 5}}]}',
    pg_temp.stage('T', NULL))), '{"object": "Chain_A", "triggerType": "RecordAfterSave", "recordTriggerType": "CreateAndUpdate"}');
INSERT INTO public.chain_a VALUES (1);
SELECT pg_temp.state();
-- an asynchronous function; for the worker see test/t/008_worker.pl
SELECT pg_temp.reset(), pg_temp.does('Queued', 'Chain_A', 'UPDATE chain_a SET n = n + 1 WHERE id = $id', 'A');
INSERT INTO public.chain_a VALUES (1), (2);
SELECT orchestration.run_queued_steps(), orchestration.run_queued_steps();
SELECT * FROM pg_temp.runs();
TABLE public.chain_a ORDER BY id;
--
-- A chain over other records or orchestrations
--
SELECT pg_temp.reset(), pg_temp.does('Next', 'Chain_A', 'UPDATE chain_a SET n = n + 1 WHERE id = $id + 1');
ALTER TABLE public.chain_a DISABLE TRIGGER USER;
INSERT INTO public.chain_a SELECT generate_series(1, 30);
ALTER TABLE public.chain_a ENABLE TRIGGER USER;
UPDATE public.chain_a SET note = 'sixteen' WHERE id = 15;
SELECT count(*), min(triggering_record_id), max(triggering_record_id) FROM orchestration.run;
SELECT pg_temp.clean_up();
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.fails(statement text) RETURNS TABLE (state text, message text, detail text, hint text, runs bigint) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RAISE 'it did not fail';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    runs := (SELECT count(*) FROM orchestration.run);
    RETURN NEXT;
END$$;
SET orchestration.max_chain_depth = 3;
SELECT * FROM pg_temp.fails('UPDATE public.chain_a SET note = ''too long'' WHERE id = 1');
SELECT count(*) FROM public.chain_a WHERE note IS NOT NULL OR n > 0;
-- the error shows no keys to a caller who may not read the table
CREATE ROLE regress_chain;
GRANT SELECT (id), UPDATE ON public.chain_a TO regress_chain;
SET ROLE regress_chain;
UPDATE public.chain_a SET note = 'too long' WHERE id = 1;
SET orchestration.max_chain_depth = 30;
RESET ROLE;
REVOKE ALL ON public.chain_a FROM regress_chain;
DROP ROLE regress_chain;
-- a user's trigger may catch the error and go on
SELECT pg_temp.reset(), pg_temp.does('Catches', 'Chain_A', 'DO $do$ BEGIN UPDATE chain_a SET n = n + 1 WHERE id = $id + 1; EXCEPTION WHEN SQLSTATE ''OR308'' THEN UPDATE chain_a SET note = SQLSTATE WHERE id = $id; END $do$');
ALTER TABLE public.chain_a DISABLE TRIGGER USER;
INSERT INTO public.chain_a SELECT generate_series(1, 6);
ALTER TABLE public.chain_a ENABLE TRIGGER USER;
UPDATE public.chain_a SET n = 0 WHERE id = 1;
SELECT * FROM pg_temp.runs();
SELECT id, note FROM public.chain_a WHERE note IS NOT NULL;
-- chains by inserted records, by calls, by users' triggers on work items, by completed
-- and canceled items, by runs that wait for a record
SELECT pg_temp.reset(), pg_temp.does('Makes', 'Chain_A', 'INSERT INTO chain_a VALUES ($id + 1)', starts => 'Create');
SELECT state, message, detail, runs FROM pg_temp.fails('INSERT INTO public.chain_a VALUES (1)');
SELECT pg_temp.reset(), pg_temp.does('Calls', NULL, 'SELECT orchestration.start_orchestration(''Calls_too'')'), pg_temp.does('Calls_too', NULL, 'SELECT orchestration.start_orchestration(''Calls'')');
SELECT state, message, detail, runs FROM pg_temp.fails('SELECT orchestration.start_orchestration(''Calls'')');
SELECT pg_temp.reset();
SELECT pg_temp.orchestration('Item', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Person', 'I', 'Chain_Screen')))));
CREATE FUNCTION public.chain_start() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM orchestration.start_orchestration('Item'); RETURN NULL; END $$;
CREATE TRIGGER zz AFTER INSERT ON orchestration.work_item FOR EACH ROW EXECUTE FUNCTION public.chain_start();
SELECT state, message, detail, runs FROM pg_temp.fails('SELECT orchestration.start_orchestration(''Item'')');
DROP TRIGGER zz ON orchestration.work_item;
SELECT pg_temp.reset();
SELECT pg_temp.orchestration('Completes', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'T', pg_temp.step('Person', 'I', 'Chain_Screen')),
    pg_temp.stage('T', NULL, pg_temp.step('Do', 'B', 'Chain_Do', '{}', '{"do": {"stringValue": "SELECT orchestration.complete_work_item((SELECT id FROM orchestration.work_item WHERE status = ''Assigned'' ORDER BY id LIMIT 1))"}}')))));
SELECT count(orchestration.start_orchestration('Completes')) FROM generate_series(1, 5);
SELECT state, message, detail, runs FROM pg_temp.fails('SELECT orchestration.complete_work_item((SELECT id FROM orchestration.work_item WHERE status = ''Assigned'' ORDER BY id LIMIT 1))');
SELECT state, message, detail, runs FROM pg_temp.fails('UPDATE orchestration.work_item SET status = ''Completed'' WHERE id = (SELECT id FROM orchestration.work_item WHERE status = ''Assigned'' ORDER BY id LIMIT 1)');
SELECT status, count(*) FROM orchestration.run GROUP BY 1;
SELECT * FROM orchestration.verify();
SELECT pg_temp.reset();
SELECT pg_temp.orchestration('Waits', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', 'T') || '{"exitConditions": [{"leftValueReference": "$Record.N", "operator": "GreaterThan", "rightValue": {"numberValue": 0}}]}',
    pg_temp.stage('T', NULL, pg_temp.step('Do', 'B', 'Chain_Do', '{}', '{"do": {"stringValue": "UPDATE chain_a SET n = n + 1 WHERE id = $id + 1"}, "id": {"elementReference": "$Record.Id"}}')))),
    '{"object": "Chain_A", "triggerType": "RecordAfterSave", "recordTriggerType": "Create"}');
INSERT INTO public.chain_a SELECT generate_series(1, 6);
SELECT state, message, detail, runs FROM pg_temp.fails('UPDATE public.chain_a SET n = 1 WHERE id = 1');
UPDATE public.chain_a SET n = 1 WHERE id = 4;
SELECT * FROM pg_temp.runs();
-- a run that calls something on itself counts once
SELECT pg_temp.reset(), pg_temp.does('Itself', 'Chain_A', 'SELECT orchestration.reevaluate_run(id) FROM orchestration.run WHERE triggering_record_id = ''$id''');
INSERT INTO public.chain_a VALUES (1);
SELECT * FROM pg_temp.runs();
-- a queued function: the chain that it begins fails its own run, the others go on
SELECT pg_temp.reset(), pg_temp.does('Begins', 'Chain_B', 'INSERT INTO chain_a VALUES ($id)', 'A'), pg_temp.does('Makes', 'Chain_A', 'INSERT INTO chain_a VALUES ($id + 1)', starts => 'Create');
INSERT INTO public.chain_b VALUES (1);
SELECT pg_temp.does('Harmless', 'Chain_B', 'SELECT 1', 'A');
INSERT INTO public.chain_b VALUES (2);
SELECT orchestration.run_queued_steps(5);
SELECT * FROM pg_temp.runs();
SELECT DISTINCT error->>'message', error->>'detail' FROM orchestration.run WHERE status = 'Error' ORDER BY 1;
-- the answer of dry_run()
SELECT pg_temp.reset(), pg_temp.does('Makes', 'Chain_A', 'INSERT INTO chain_a VALUES ($id + 1)', starts => 'Create');
ALTER TABLE public.chain_a DISABLE TRIGGER USER;
INSERT INTO public.chain_a VALUES (1);
ALTER TABLE public.chain_a ENABLE TRIGGER USER;
SELECT state, message FROM pg_temp.fails('SELECT orchestration.dry_run(''Makes'', ''1'')');
RESET orchestration.max_chain_depth;
--
-- An error of the server fails the statement; an error of the action fails the run
--
SELECT pg_temp.reset();
CREATE FUNCTION public.chain_raise(inputs jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'raised' USING ERRCODE = current_setting('chain.sqlstate');
END$$;
SELECT orchestration.register_action('Chain_Raise', 'function', 'chain_raise(jsonb)');
SELECT pg_temp.orchestration('Raises', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Do', 'B', 'Chain_Raise')))));
SELECT pg_temp.orchestration('Raises_late', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Do', 'A', 'Chain_Raise')))));
CREATE FUNCTION pg_temp.raise(name text, state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    run uuid;
BEGIN
    PERFORM set_config('chain.sqlstate', state, true);
    run := orchestration.start_orchestration(name);
    PERFORM orchestration.run_queued_steps();
    RETURN (SELECT concat_ws(' ', 'run', r.status, r.error->>'sqlstate') FROM orchestration.run r WHERE r.id = run);
EXCEPTION WHEN OTHERS THEN
    RETURN 'statement ' || SQLSTATE;
END$$;
SELECT state, pg_temp.raise('Raises', state), pg_temp.raise('Raises_late', state)
  FROM unnest('{P0001,22012,23505,42501,42P01,0A000,55P03,XX000,OR304,40001,40P01,53000,53100,53200,54000,54001,54023,58000,58030,58P01,XX001,XX002}'::text[]) state;
SELECT * FROM orchestration.verify();
SELECT pg_temp.reset();
SELECT orchestration.unregister_record_type(n) FROM (VALUES ('Chain_A'), ('Chain_B')) x (n);
SELECT orchestration.unregister_action(n) FROM (VALUES ('Chain_Do'), ('Chain_Raise'), ('Chain_Screen')) x (n);
DROP TABLE public.chain_a, public.chain_b;
