-- query_setup.sql: :rows runs, and a stage, a step, a work item, a log entry, a change and a post of
-- every fifth.  One user sees the 300 oldest runs: a third as owner, a third by a rule, a third by
-- shares.  One sees half, one sees all.  Run number i is i seconds old.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
INSERT INTO orchestration.principal (kind, username, name) SELECT 'User', 'owner-' || i, 'Owner ' || i FROM generate_series(1, 10000) i;
SELECT orchestration.create_user('few', 'Few', 'bench_few') AS few, orchestration.create_user('half', 'Half', 'bench_half') AS half,
       orchestration.create_user('all', 'All', 'bench_all') AS all, orchestration.create_user('none', 'None', 'bench_none') AS none,
       orchestration.create_user('ruled', 'Ruled') AS ruled, orchestration.create_user('other', 'Other') AS other,
       orchestration.create_group('Ruled_Group') AS ruled_group, orchestration.create_group('Half') AS half_group \gset
SELECT orchestration.update_user(:'all', view_all_data => true) \g /dev/null
CREATE TABLE public.owner AS SELECT id, substr(username, 7)::integer AS n FROM orchestration.principal WHERE username LIKE 'owner-%';
INSERT INTO orchestration.membership (group_id, member_id) SELECT :'ruled_group'::uuid, :'ruled'::uuid UNION ALL SELECT :'half_group', id FROM public.owner WHERE n > 5000;
SELECT orchestration.create_owner_sharing_rule(o::orchestration.shared_object, :'ruled_group', :'few'), orchestration.create_owner_sharing_rule(o::orchestration.shared_object, :'half_group', :'half')
  FROM unnest(ARRAY['FlowOrchestrationInstance', 'FlowOrchestrationStageInstance', 'FlowOrchestrationStepInstance', 'FlowOrchestrationWorkItem']) o \g /dev/null
INSERT INTO orchestration.orchestration_definition (name) VALUES ('Bench_Query') RETURNING id AS orchestration \gset

-- as the engine would have written them, without running it
SET session_replication_role = replica;
CREATE TABLE public.owned AS
SELECT i, CASE WHEN i > :rows - 100 THEN :'few' WHEN i > :rows - 200 THEN :'ruled' WHEN i > :rows - 300 THEN :'other'::uuid ELSE o.id END AS owner_id,
       now() - i * interval '1 second' AS at, overlay(orchestration.new_id()::text PLACING
       lpad(to_hex((extract(epoch FROM now() - i * interval '1 second') * 1000)::bigint), 12, '0') FROM 1 FOR 13) AS dashless
  FROM generate_series(1, :rows) i JOIN public.owner o ON o.n = 1 + i % 10000;
ALTER TABLE public.owned ADD id uuid;
UPDATE public.owned SET id = (left(dashless, 12) || overlay(right(replace(dashless, '-', ''), 20) PLACING '0' FROM 9))::uuid;
INSERT INTO orchestration.run (id, owner_id, orchestration_id, status, ended_at, orchestration_name, orchestration_label, triggering_record_type, triggering_record_id, variables, created_at)
SELECT id, owner_id, :'orchestration', (CASE i % 10 WHEN 0 THEN 'InProgress' ELSE 'Completed' END)::orchestration.run_status, CASE i % 10 WHEN 0 THEN NULL ELSE now() END,
       'Bench_Query_' || i % 100, 'Bench query', 'Case', 'case-' || i, '{"amount": 100, "what": "something"}', at
  FROM public.owned ORDER BY i DESC;
ALTER TABLE public.owned ADD stage uuid, ADD step uuid, ADD item uuid;
DELETE FROM public.owned WHERE i % 5 <> 0 AND i <= :rows - 300;
UPDATE public.owned SET stage = overlay(id::text PLACING '1' FROM 25)::uuid, step = overlay(id::text PLACING '2' FROM 25)::uuid, item = overlay(id::text PLACING '3' FROM 25)::uuid;
INSERT INTO orchestration.stage_run (run_id, id, owner_id, orchestration_id, name, label, position, status, created_at)
SELECT id, stage, owner_id, :'orchestration', 'Stage_1', 'Stage 1', 1, 'Completed', at FROM public.owned ORDER BY i DESC;
INSERT INTO orchestration.step_run (run_id, id, stage_run_id, owner_id, orchestration_id, step_type, name, label, status, created_at)
SELECT id, step, stage, owner_id, :'orchestration', 'InteractiveStep', 'Step_1', 'Approval', 'Completed', at FROM public.owned ORDER BY i DESC;
INSERT INTO orchestration.work_item (run_id, id, step_run_id, owner_id, orchestration_id, assignee_id, label, related_record_type, related_record_id, status, completed_at, created_at)
SELECT id, item, step, owner_id, :'orchestration', owner_id, 'Approval', 'Case', 'case-' || i, (CASE i % 10 WHEN 0 THEN 'Assigned' ELSE 'Completed' END)::orchestration.work_item_status, CASE i % 10 WHEN 0 THEN NULL ELSE now() END, at
  FROM public.owned ORDER BY i DESC;
INSERT INTO orchestration.run_log (run_id, logged_at, kind) SELECT id, at, 'StartInstance' FROM public.owned ORDER BY i DESC;
INSERT INTO orchestration.field_change (run_id, id, record_id, object, changed_at, field, old_value, new_value)
SELECT id, id, id, 'FlowOrchestrationInstance', at, 'Status', 'InProgress', 'Completed' FROM public.owned ORDER BY i DESC;
INSERT INTO orchestration.feed_item (run_id, id, record_id, object, type, created_at, body) SELECT id, id, id, 'FlowOrchestrationInstance', 'TextPost', at, 'A post' FROM public.owned ORDER BY i DESC;
INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
SELECT id, object, CASE object WHEN 'FlowOrchestrationInstance' THEN id WHEN 'FlowOrchestrationStageInstance' THEN stage WHEN 'FlowOrchestrationStepInstance' THEN step ELSE item END, :'few', 'Read'
  FROM public.owned, unnest(enum_range(NULL::orchestration.shared_object)) object WHERE i > :rows - 300 AND i <= :rows - 200;
SET session_replication_role = origin;

-- rows of the extension's tables that the transaction read: by scans of tables, by indexes
CREATE FUNCTION public.rows_read() RETURNS bigint LANGUAGE sql VOLATILE AS $$
SELECT sum(pg_stat_get_xact_tuples_returned(c.oid) + greatest(pg_stat_get_xact_tuples_fetched(c.oid),
           (SELECT sum(pg_stat_get_xact_tuples_returned(x.indexrelid)) FROM pg_index x WHERE x.indrelid = c.oid)))::bigint
  FROM pg_class c WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind = 'r'
$$;
CREATE FUNCTION public.reads(soql text, OUT returned bigint, OUT read bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.query(soql);
    read := public.rows_read();
    returned := orchestration.query(soql) ->> 'totalSize';
    read := public.rows_read() - read;
END
$$;
VACUUM (ANALYZE);
