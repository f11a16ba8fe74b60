-- History: tracked fields, the user and the role behind a change, bulk changes, refused
-- writes, tracking on and off, retention; and changes that the feed shows.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
DELETE FROM orchestration.tombstone;
CREATE ROLE regress_orch_tracker;
CREATE ROLE regress_orch_gateway;
SELECT pg_temp.person('tracker@example.com', 'Tracker', 'regress_orch_tracker'), pg_temp.person('ann@example.com', 'Ann');
SELECT orchestration.register_action('Screen', 'screen');
SELECT pg_temp.orchestration('Tracked', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Screen')))));
CREATE FUNCTION pg_temp.history() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', replace(c.object::text, 'FlowOrchestration', ''), c.field, COALESCE(c.old_value, '-') || ' -> ' || COALESCE(c.new_value, '-'),
                     'by ' || COALESCE(p.name, 'the engine'), 'for ' || i.name, 'via ' || CASE WHEN c.via_role NOT LIKE 'regress%' THEN 'superuser' ELSE c.via_role END)
      FROM orchestration.field_change c LEFT JOIN orchestration.principal p ON p.id = c.changed_by LEFT JOIN orchestration.principal i ON i.id = c.initiated_by ORDER BY c.id $$;
-- a user starts a run and suspends it by SQL: the user changed the run, the engine changed the stage for the user
SET ROLE regress_orch_tracker;
SELECT orchestration.start_orchestration('Tracked', owner_id => orchestration.acting_user_id()) IS NOT NULL;
UPDATE orchestration.flow_orchestration_instance SET status = 'Suspended', interview_id = '00000000-0000-7000-8000-000000000002';
RESET ROLE;
SELECT pg_temp.history();
-- a gateway acts for the user
SELECT format('GRANT SET ON PARAMETER orchestration.user_id TO regress_orch_gateway') \gexec
SELECT set_config('regress.tracker', id::text, false) IS NOT NULL FROM orchestration.principal WHERE username = 'tracker@example.com';
SET ROLE regress_orch_gateway;
BEGIN;
SELECT set_config('orchestration.user_id', current_setting('regress.tracker'), true) IS NOT NULL;
SELECT orchestration.resume_run(id) FROM orchestration.flow_orchestration_instance;
COMMIT;
RESET ROLE;
SELECT pg_temp.history() OFFSET 3;
-- no row without a change, and none for a change that was rolled back
UPDATE orchestration.run SET status = status, interview_id = interview_id;
BEGIN;
SAVEPOINT s;
UPDATE orchestration.run SET interview_id = NULL;
ROLLBACK TO s;
UPDATE orchestration.run SET interview_id = '00000000-0000-7000-8000-000000000003';
COMMIT;
SELECT count(*) FROM orchestration.field_change;
SELECT pg_temp.history() OFFSET 5;
-- the documented views
SELECT data_type, field, old_value, new_value, is_deleted, pg_temp.state(flow_orchestration_instance_id) IS NOT NULL FROM orchestration.flow_orchestration_instance_history ORDER BY id;
SELECT count(*), count(*) FILTER (WHERE s.id IS NOT NULL) FROM orchestration.flow_orchestration_stage_instance_history h LEFT JOIN orchestration.stage_run s ON s.id = h.flow_orchestration_stage_instance_id;
-- only a superuser writes history; users who do not see the record do not see its history
SET ROLE regress_orch_tracker;
SELECT count(*) FROM orchestration.flow_orchestration_instance_history;
SELECT count(*) FROM orchestration.flow_orchestration_stage_instance_history;
SELECT pg_temp.try('UPDATE orchestration.field_change SET new_value = ''x''');
SELECT pg_temp.try('DELETE FROM orchestration.flow_orchestration_instance_history');
SELECT pg_temp.try('INSERT INTO orchestration.flow_orchestration_instance_history (field) VALUES (''Status'')');
SELECT pg_temp.try('SELECT orchestration.set_history_tracking(''FlowOrchestrationInstance'', ''{}'')');
RESET ROLE;
CREATE ROLE regress_orch_owner_like;
GRANT USAGE ON SCHEMA orchestration TO regress_orch_owner_like;
GRANT SELECT, UPDATE, DELETE ON orchestration.field_change TO regress_orch_owner_like;
ALTER ROLE regress_orch_owner_like BYPASSRLS;
SET ROLE regress_orch_owner_like;
SELECT pg_temp.try('UPDATE orchestration.field_change SET new_value = ''x''');
SELECT pg_temp.try('DELETE FROM orchestration.field_change');
RESET ROLE;
REVOKE ALL ON orchestration.field_change FROM regress_orch_owner_like; REVOKE ALL ON SCHEMA orchestration FROM regress_orch_owner_like; DROP ROLE regress_orch_owner_like;
SELECT pg_temp.try('TRUNCATE orchestration.field_change');
-- tracked fields: those of the contract, at most 20, no autonumber; tracking off
SELECT pg_temp.try('SELECT orchestration.set_history_tracking(''FlowOrchestrationInstance'', ''{Name}'')');
SELECT pg_temp.try('SELECT orchestration.set_history_tracking(''FlowOrchestrationStepInstance'', ''{Status,Duration}'')');
SELECT pg_temp.try('SELECT orchestration.set_history_tracking(''FlowOrchestrationStepInstance'', ARRAY[NULL])');
SELECT pg_temp.try('SELECT orchestration.set_history_tracking(''FlowOrchestrationWorkItem'', ''{Status}'')');
SELECT pg_temp.try('SELECT orchestration.set_history_tracking(''FlowOrchestrationInstance'', array_fill(''Status''::text, ''{21}''))');
SELECT pg_temp.try('SELECT orchestration.set_history_tracking(NULL, ''{}'')');
DELETE FROM orchestration.field_change;
SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', '{}'), orchestration.set_history_tracking('FlowOrchestrationStageInstance', '{Label,Status}'),
       orchestration.set_history_tracking('FlowOrchestrationStepInstance', '{Description}');
UPDATE orchestration.run SET status = 'Suspended';
UPDATE orchestration.stage_run SET label = 'Another';
-- a value of more than 255 characters: the row says only that the field changed
UPDATE orchestration.step_run SET description = repeat('x', 255);
UPDATE orchestration.step_run SET description = repeat('y', 256);
UPDATE orchestration.step_run SET description = description;
SELECT replace(c, repeat('x', 255), '255 x') FROM pg_temp.history() c;
DELETE FROM orchestration.field_tracking;
UPDATE orchestration.run SET status = 'InProgress';
SELECT pg_temp.history() OFFSET 5;
-- many changes at once
DELETE FROM orchestration.field_change;
INSERT INTO orchestration.run (name, status) SELECT 'H-' || n, 'InProgress' FROM generate_series(1, 2500) n;
UPDATE orchestration.run SET status = 'Suspended' WHERE name LIKE 'H-%';
SELECT field, old_value, new_value, count(*), count(DISTINCT record_id), count(DISTINCT id) FROM orchestration.field_change GROUP BY 1, 2, 3;
-- the feed shows changes of the fields set for it: one item for a record and transaction
SELECT pg_temp.try('SELECT orchestration.set_feed_tracking(''FlowOrchestrationInstance'', ''{Nonsense}'')');
SELECT orchestration.set_feed_tracking('FlowOrchestrationInstance', '{Status,CurrentStage,InterviewId}');
BEGIN;
SELECT orchestration.start_orchestration('Tracked') IS NOT NULL;
SELECT pg_temp.run() AS run \gset
UPDATE orchestration.run SET interview_id = '00000000-0000-7000-8000-000000000004' WHERE id = :'run';
COMMIT;
SELECT orchestration.cancel_run(:'run');
SELECT f.type, (SELECT string_agg(format('%s: %s -> %s', t.field, t.old_value, t.new_value), ', ' ORDER BY t.number) FROM orchestration.feed_tracked_change t WHERE t.feed_item_id = f.id)
  FROM orchestration.flow_orchestration_instance_feed f WHERE f.parent_id = :'run' ORDER BY f.id;
DELETE FROM orchestration.field_tracking;
-- retention
UPDATE orchestration.field_change SET changed_at = changed_at - interval '3 years' WHERE record_id IN (SELECT id FROM orchestration.run WHERE name IN ('H-1', 'H-2', 'H-3'));
SELECT * FROM orchestration.remove_expired(2);
SELECT * FROM orchestration.remove_expired();
SELECT count(*) FROM orchestration.tombstone WHERE object = 'FlowOrchestrationInstanceHistory';
SELECT pg_temp.try('SELECT orchestration.remove_expired(0)');
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT count(*) FROM orchestration.field_change;
SELECT orchestration.update_user(id, role_name => '') FROM orchestration.principal WHERE username = 'tracker@example.com';
REVOKE SET ON PARAMETER orchestration.user_id FROM regress_orch_gateway;
DROP ROLE regress_orch_tracker; DROP ROLE regress_orch_gateway;
