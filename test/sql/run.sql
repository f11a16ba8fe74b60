-- Starting, suspending, resuming, canceling and deleting runs.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Echo', 'function', 'echo(jsonb)'), orchestration.register_action('Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT orchestration.create_group('Readers') IS NOT NULL;
SELECT pg_temp.orchestration('Typed', 'S', jsonb_build_object(
    'variables', jsonb_build_array(
        pg_temp.variable('t', 'String', '{"stringValue": "default"}'), pg_temp.variable('n', 'Number'), pg_temp.variable('b', 'Boolean'),
        pg_temp.variable('d', 'Date'), pg_temp.variable('l', 'String', NULL, true),
        pg_temp.variable('inner', 'String') || '{"isInput": false}'),
    'constants', '[{"name": "Limit", "dataType": "Number", "value": {"numberValue": 3}}]'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('E', 'B', 'Echo', '{}', '{"t": {"elementReference": "t"}, "n": {"elementReference": "n"}, "l": {"elementReference": "l"}, "Limit": {"elementReference": "Limit"}}')))));
SELECT pg_temp.orchestration('Waits', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Screen')))));

--
-- Inputs
--
SELECT orchestration.start_orchestration('Typed') IS NOT NULL;
SELECT pg_temp.state();
SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run();
SELECT orchestration.start_orchestration('Typed', inputs => '{"t": "text", "n": 1.5, "b": true, "d": "2026-01-01", "l": ["a", "b"]}') IS NOT NULL;
SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run();
SELECT orchestration.start_orchestration('Typed', inputs => '{"t": null}') IS NOT NULL;
SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run();
SELECT orchestration.start_orchestration('Typed', inputs => '{"t": 1}');
SELECT orchestration.start_orchestration('Typed', inputs => '{"n": "1"}');
SELECT orchestration.start_orchestration('Typed', inputs => '{"b": "true"}');
SELECT orchestration.start_orchestration('Typed', inputs => '{"l": "a"}');
SELECT orchestration.start_orchestration('Typed', inputs => '{"T": "case matters"}');
SELECT orchestration.start_orchestration('Typed', inputs => '{"inner": "no input"}');
SELECT orchestration.start_orchestration('Typed', inputs => '{"Limit": 4}');
SELECT orchestration.start_orchestration('Typed', inputs => '[]');
SELECT orchestration.start_orchestration('Typed', inputs => '"t"');
SELECT orchestration.start_orchestration('Typed', inputs => 'null');

--
-- Starts that are refused
--
SELECT orchestration.start_orchestration('Nothing');
SELECT orchestration.start_orchestration('typed');
SELECT orchestration.start_orchestration('');
SELECT orchestration.start_orchestration(NULL);
SELECT orchestration.start_orchestration('Typed', record_key => 'nowhere');
SELECT pg_temp.try($$SELECT orchestration.start_orchestration('Typed', owner_id => id) FROM orchestration.principal WHERE developer_name = 'Readers'$$);
SELECT pg_temp.try($$SELECT orchestration.start_orchestration('Typed', owner_id => orchestration.new_id())$$);
SELECT orchestration.deactivate_orchestration('Typed');
SELECT orchestration.start_orchestration('Typed');
SELECT orchestration.activate_orchestration('Typed');
-- a read-only transaction
BEGIN READ ONLY;
SELECT orchestration.start_orchestration('Typed');
ROLLBACK;
-- refused starts leave no rows
SELECT count(*) FROM orchestration.run;

--
-- Owner, and the idempotency key: per orchestration
--
SELECT orchestration.start_orchestration('Typed', owner_id => id, idempotency_key => 'K') IS NOT NULL FROM orchestration.principal WHERE username = 'ann@example.com';
SELECT p.username FROM orchestration.flow_orchestration_instance r JOIN orchestration.principal p ON p.id = r.owner_id WHERE r.id = pg_temp.run();
SELECT orchestration.start_orchestration('Typed', idempotency_key => 'K') = pg_temp.run();
SELECT pg_temp.try($$SELECT orchestration.start_orchestration('Typed', inputs => '{"t": "other inputs"}', idempotency_key => 'K')$$);
SELECT orchestration.start_orchestration('Waits', idempotency_key => 'K') = pg_temp.run('OR-00000004');
SELECT orchestration.start_orchestration('Typed', idempotency_key => 'k') = pg_temp.run('OR-00000004');
SELECT count(*) FROM orchestration.run;
SELECT orchestration.start_orchestration('Typed', idempotency_key => '');
SELECT orchestration.start_orchestration('Typed', idempotency_key => repeat('k', 256));
-- a start that fails does not use up its key
SELECT orchestration.start_orchestration('Typed', inputs => '{"n": "x"}', idempotency_key => 'F');
SELECT orchestration.start_orchestration('Typed', idempotency_key => 'F') IS NOT NULL;
SELECT idempotency_key FROM orchestration.run WHERE id = pg_temp.run();

--
-- Suspend, resume, cancel: again is no error
--
SELECT orchestration.start_orchestration('Waits') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run()), pg_temp.state();
SELECT orchestration.suspend_run(pg_temp.run()), pg_temp.state();
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.state();
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.state();
SELECT orchestration.cancel_run(pg_temp.run()), pg_temp.state();
SELECT orchestration.cancel_run(pg_temp.run()), pg_temp.state();
SELECT orchestration.suspend_run(pg_temp.run());
SELECT orchestration.resume_run(pg_temp.run());
SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE name = 'OR-00000001';
SELECT orchestration.suspend_run(NULL);
SELECT pg_temp.try('SELECT orchestration.suspend_run(orchestration.new_id())'),
       pg_temp.try('SELECT orchestration.resume_run(orchestration.new_id())'), pg_temp.try('SELECT orchestration.cancel_run(orchestration.new_id())');
SELECT kind, actor = session_user AS by_us, comments FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = pg_temp.run() ORDER BY name;

--
-- Many at once: one statement moves them all
--
SELECT count(orchestration.start_orchestration('Waits')) FROM generate_series(1, 20);
UPDATE orchestration.flow_orchestration_instance SET status = 'Suspended' WHERE status = 'InProgress';
SELECT r.status, s.status, count(*) FROM orchestration.run r JOIN orchestration.stage_run s ON s.run_id = r.id GROUP BY 1, 2 ORDER BY 1, 2;
-- one run that cannot follow stops all
SELECT regexp_replace(pg_temp.try($$UPDATE orchestration.run SET status = 'Canceled'$$), 'OR-[0-9]+', 'OR-<n>');
SELECT count(*) FROM orchestration.run WHERE status = 'Suspended';

--
-- Deleting: a run that has ended, as a whole
--
SELECT t, regexp_replace(pg_temp.try('DELETE FROM orchestration.' || t), '"[A-Z]"|WI-[0-9]+', '<name>') FROM unnest('{stage_run,step_run,work_item}'::text[]) t;
SELECT regexp_replace(pg_temp.try($$DELETE FROM orchestration.run WHERE status = 'Suspended'$$), 'OR-[0-9]+', 'OR-<n>');
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT count(*) FROM orchestration.stage_run;
SELECT count(*) FROM orchestration.step_run;
SELECT count(*) FROM orchestration.work_item;
SELECT count(*) FROM orchestration.run_log;
SELECT orchestration.unregister_action('Echo'), orchestration.unregister_action('Screen');
DROP FUNCTION public.echo(jsonb);
