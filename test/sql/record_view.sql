-- view_record(), reference_record(): the dates of each viewer, and fields that stay the same.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
CREATE ROLE regress_orch_viewer;
CREATE ROLE regress_orch_stranger;
SELECT pg_temp.person('viewer@example.com', 'Viewer', 'regress_orch_viewer'), pg_temp.person('stranger@example.com', 'Stranger', 'regress_orch_stranger'), pg_temp.person('ann@example.com', 'Ann');
SELECT orchestration.register_action('Screen', 'screen');
SELECT pg_temp.orchestration('Viewed', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Screen', assignee => 'viewer@example.com')))));
SELECT orchestration.start_orchestration('Viewed') AS run \gset
SELECT pg_temp.item('I') AS item \gset
SELECT stage_run_id AS stage FROM orchestration.step_run \gset
SELECT orchestration.share_record(:'run', id) IS NOT NULL FROM orchestration.principal WHERE username = 'viewer@example.com';
SELECT set_config('regress.stamp', system_modstamp::text || last_modified_by_id, false) IS NOT NULL FROM orchestration.flow_orchestration_instance;
CREATE FUNCTION pg_temp.dates() RETURNS text LANGUAGE sql AS $$
    SELECT format('run viewed %s referenced %s, item viewed %s referenced %s', r.last_viewed_date IS NOT NULL, r.last_referenced_date IS NOT NULL, w.last_viewed_date IS NOT NULL, w.last_referenced_date IS NOT NULL)
      FROM orchestration.flow_orchestration_instance r, orchestration.flow_orchestration_work_item w $$;
SELECT pg_temp.dates();
-- Read is enough; a record that belongs to the run is a reference to the run
SET ROLE regress_orch_viewer;
SELECT orchestration.reference_record(:'item');
SELECT pg_temp.dates();
SELECT orchestration.view_record(:'item');
SELECT pg_temp.dates();
SELECT orchestration.view_record(:'run');
SELECT pg_temp.dates();
SELECT pg_temp.try(format('SELECT orchestration.view_record(%L)', :'stage'));
SET ROLE regress_orch_stranger;
SELECT pg_temp.try(format('SELECT orchestration.view_record(%L)', :'run')), pg_temp.try('SELECT orchestration.reference_record(orchestration.acting_user_id())'), pg_temp.try('SELECT orchestration.view_record(NULL)');
SELECT count(*) FROM orchestration.record_view;
RESET ROLE;
-- users who see the record do not see its other viewers
SET ROLE regress_orch_viewer;
SELECT count(*), pg_temp.try('SELECT user_id FROM orchestration.record_view') FROM orchestration.record_view;
RESET ROLE;
SELECT current_setting('regress.stamp') = system_modstamp::text || last_modified_by_id FROM orchestration.flow_orchestration_instance;
SELECT count(*) FROM orchestration.field_change WHERE field LIKE 'Last%';
-- the latest of all viewers; it never goes back
SELECT last_viewed_date AS before FROM orchestration.flow_orchestration_instance \gset
SELECT orchestration.view_record(:'run'), orchestration.view_record(:'stage');
SELECT last_viewed_date > :'before', last_referenced_date >= last_viewed_date FROM orchestration.flow_orchestration_instance;
SELECT p.name, v.object, v.viewed_at IS NOT NULL FROM orchestration.record_view v JOIN orchestration.principal p ON p.id = v.user_id ORDER BY 1, 2;
-- twice in one transaction; rolled back
BEGIN;
SELECT last_viewed_date AS before FROM orchestration.flow_orchestration_instance \gset
SELECT orchestration.view_record(:'run'), orchestration.view_record(:'run');
ROLLBACK;
SELECT last_viewed_date = :'before' FROM orchestration.flow_orchestration_instance;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT count(*) FROM orchestration.record_view;
SELECT orchestration.update_user(id, role_name => '') FROM orchestration.principal WHERE role_name IN ('regress_orch_viewer', 'regress_orch_stranger');
DROP ROLE regress_orch_viewer; DROP ROLE regress_orch_stranger;
