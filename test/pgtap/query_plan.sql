-- query_plan: a query reads no more rows than it returns, plus what the user sees.
--
-- One user sees the 60 oldest of 20,000 runs (a third as owner, a third by a rule, a third by
-- shares), and as many of 20,000 stages, steps and work items.  The queries are generated from
-- orchestration.sobject_field: each field that can be a condition, an order, a group, or have a
-- least value.  No times are measured: the server counts the rows.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;

CREATE ROLE plan_few;
CREATE ROLE plan_web;
GRANT plan_few, plan_web TO CURRENT_USER;
GRANT SET ON PARAMETER orchestration.user_id TO plan_web;
SELECT orchestration.create_user('plan-few', 'Few', 'plan_few') AS few, orchestration.create_user('plan-all', 'All') AS all,
       orchestration.create_user('plan-half', 'Half') AS half, orchestration.create_user('plan-none', 'None') AS none,
       orchestration.create_user('plan-ruled', 'Ruled') AS ruled, orchestration.create_user('plan-other', 'Other') AS other,
       orchestration.create_group('Plan_Ruled') AS ruled_group, orchestration.create_group('Plan_Half') AS half_group \gset
SELECT orchestration.update_user(:'all', view_all_data => true), orchestration.add_group_member(:'ruled_group', :'ruled') \g /dev/null
INSERT INTO orchestration.principal (kind, username, name) SELECT 'User', 'plan-owner-' || i, 'Owner ' || i FROM generate_series(0, 199) i;
CREATE TEMP TABLE owner AS SELECT id, substr(username, 12)::integer AS n FROM orchestration.principal WHERE username LIKE 'plan-owner-%';
INSERT INTO orchestration.membership (group_id, member_id) SELECT :'half_group', id FROM owner WHERE n < 100;
SELECT orchestration.create_owner_sharing_rule(o, :'ruled_group', :'few'), orchestration.create_owner_sharing_rule(o, :'half_group', :'half')
  FROM unnest(enum_range(NULL::orchestration.shared_object)) o WHERE o <> 'ApprovalWorkItem' \g /dev/null

-- as the engine would have written them; run number i is i seconds old
SET LOCAL session_replication_role = replica;
CREATE TEMP TABLE made AS
SELECT i, CASE WHEN i > 19980 THEN :'few' WHEN i > 19960 THEN :'ruled' WHEN i > 19940 THEN :'other'::uuid ELSE o.id END AS owner_id, now() - i * interval '1 second' AS at,
       orchestration.new_id() AS run, orchestration.new_id() AS stage, orchestration.new_id() AS step, orchestration.new_id() AS item
  FROM generate_series(1, 20000) i JOIN owner o ON o.n = i % 200;
INSERT INTO orchestration.run (id, owner_id, status, orchestration_name, orchestration_label, current_stage, triggering_record_type, triggering_record_id, created_at)
SELECT run, owner_id, CASE i % 3 WHEN 0 THEN 'InProgress' ELSE 'Suspended' END::orchestration.run_status, 'Plan_' || i % 40, 'Plan', 'Stage', 'Case', 'plan-' || i, at FROM made;
INSERT INTO orchestration.stage_run (run_id, id, owner_id, name, label, position, status, created_at) SELECT run, stage, owner_id, 'Stage', 'Stage', 1, 'InProgress', at FROM made;
INSERT INTO orchestration.step_run (run_id, id, stage_run_id, owner_id, step_type, name, label, status, created_at)
SELECT run, step, stage, owner_id, 'InteractiveStep', 'Step', 'Approval', 'InProgress', at FROM made;
INSERT INTO orchestration.work_item (run_id, id, step_run_id, owner_id, assignee_id, label, related_record_type, related_record_id, status, created_at)
SELECT run, item, step, owner_id, owner_id, 'Approval', 'Case', 'plan-' || i, 'Assigned', at FROM made;
INSERT INTO orchestration.run_log (run_id, logged_at, kind) SELECT run, at, 'StartInstance' FROM made;
INSERT INTO orchestration.field_change (run_id, record_id, object, changed_at, field) SELECT run, run, 'FlowOrchestrationInstance', at, 'Status' FROM made;
INSERT INTO orchestration.feed_item (run_id, record_id, object, type, created_at, body) SELECT run, run, 'FlowOrchestrationInstance', 'TextPost', at, 'A post' FROM made;
INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
SELECT run, o, CASE o WHEN 'FlowOrchestrationInstance' THEN run WHEN 'FlowOrchestrationStageInstance' THEN stage WHEN 'FlowOrchestrationStepInstance' THEN step ELSE item END, :'few', 'Read'
  FROM made, unnest(enum_range(NULL::orchestration.shared_object)) o WHERE o < 'ApprovalSubmission' AND i > 19940 AND i <= 19960;
SET LOCAL session_replication_role = origin;
ANALYZE;

-- ------------------------------------------------------------ the queries
CREATE TEMP TABLE query (n serial, soql text);
INSERT INTO query (soql)
SELECT DISTINCT soql FROM orchestration.sobject_field f,
    LATERAL (SELECT CASE WHEN f.name = 'Id' THEN CASE f.object WHEN 'FlowOrchestrationInstance' THEN m.run WHEN 'FlowOrchestrationStageInstance' THEN m.stage
                              WHEN 'FlowOrchestrationStepInstance' THEN m.step ELSE m.item END::text
                         WHEN f.name = 'OrchestrationInstanceId' THEN m.run::text WHEN f.name = 'StageInstanceId' THEN m.stage::text WHEN f.name = 'StepInstanceId' THEN m.step::text
                         WHEN f.name IN ('TriggeringRecordId', 'RelatedRecordId') THEN 'plan-20000'
                         WHEN f.type = 'reference' THEN m.owner_id::text
                         WHEN f.type = 'picklist' THEN (SELECT v.value FROM orchestration.sobject_picklist_value v WHERE v.object = f.object AND v.field = f.name ORDER BY v.position DESC LIMIT 1)
                         ELSE 'plan_1' END AS text
               FROM made m WHERE m.i = 20000) v,
    LATERAL (SELECT CASE WHEN f.type IN ('int', 'long') THEN '1' WHEN f.type = 'boolean' THEN 'false' WHEN f.type = 'dateTime' THEN 'LAST_N_DAYS:30' ELSE quote_literal(v.text) END AS value) x,
    LATERAL (VALUES ('Sort', format('SELECT Id FROM %s ORDER BY %s LIMIT 1', f.object, f.name)),
                    ('Sort', format('SELECT Id, Name FROM %s ORDER BY %s DESC LIMIT 10', f.object, f.name)),
                    ('Filter', format('SELECT Id FROM %s WHERE %s = %s', f.object, f.name, x.value)),
                    ('Filter', format('SELECT Id FROM %s WHERE %s = %s LIMIT 1', f.object, f.name, x.value)),
                    ('Filter', format('SELECT Id FROM %s WHERE %s != %s ORDER BY CreatedDate DESC LIMIT 1', f.object, f.name, x.value)),
                    ('Filter', format('SELECT COUNT() FROM %s WHERE %s IN (%s)', f.object, f.name, CASE f.type WHEN 'dateTime' THEN '2026-11-27T00:00:00Z' ELSE x.value END)),
                    ('Group', format('SELECT %s, COUNT(Id) FROM %s GROUP BY %1$s ORDER BY %1$s LIMIT 1', f.name, f.object)),
                    ('Sort', format('SELECT MAX(%s) m FROM %s', f.name, f.object))) q (property, soql)
 WHERE f.object IN ('FlowOrchestrationInstance', 'FlowOrchestrationStageInstance', 'FlowOrchestrationStepInstance', 'FlowOrchestrationWorkItem')
   AND q.property = ANY (f.properties) AND NOT (q.soql LIKE '%MAX%' AND f.type = 'boolean');
INSERT INTO query (soql)
SELECT replace(replace(replace(q, '$run', m.run::text), '$step', m.step::text), '$stage', m.stage::text) FROM made m, unnest(ARRAY[
    'SELECT Status, COUNT(Id) FROM FlowOrchestrationInstance GROUP BY Status',
    'SELECT Id, Status, CurrentStage FROM FlowOrchestrationInstance ORDER BY CreatedDate DESC LIMIT 1',
    'SELECT Id, Status, CurrentStage FROM FlowOrchestrationInstance ORDER BY CreatedDate DESC LIMIT 200',
    'SELECT Id FROM FlowOrchestrationStepInstance WHERE OrchestrationInstanceId = ''$run''',
    'SELECT Id, Name, StepInstanceId, Status, Label, Description, AssigneeId, RelatedRecordId FROM FlowOrchestrationWorkItem WHERE StepInstanceId IN (''$step'', ''$run'')',
    'SELECT Id, RelatedRecordId, CreatedDate, LastModifiedDate, LastModifiedById FROM FlowOrchestrationWorkItem WHERE Label = ''Approval'' AND Status = ''Completed'' AND LastModifiedDate = LAST_N_DAYS:30 AND RelatedRecordId != null ORDER BY LastModifiedDate',
    'SELECT COUNT() FROM FlowOrchestrationWorkItem WHERE Status = ''InProgress''',
    'SELECT Id, Name, Status, OrchestrationName, Duration, CurrentStage, TriggeringRecord FROM FlowOrchestrationInstance WHERE TriggeringRecord = ''plan-20000'' ORDER BY CreatedDate DESC LIMIT 1',
    'SELECT Id FROM FlowOrchestrationInstance WHERE Name LIKE ''OR-00%'' ORDER BY Name LIMIT 1',
    'SELECT Id FROM FlowOrchestrationInstance LIMIT 1',
    'SELECT Id, OrchestrationInstance.Name, Owner.Name FROM FlowOrchestrationStepInstance ORDER BY CreatedDate DESC LIMIT 1',
    'SELECT Id, (SELECT Id FROM FlowOrchestrationStepInstances) FROM FlowOrchestrationInstance ORDER BY CreatedDate DESC LIMIT 1',
    'SELECT Id, (SELECT Id FROM FlowOrchestrationStepInstances ORDER BY CreatedDate DESC LIMIT 1) FROM FlowOrchestrationStageInstance ORDER BY CreatedDate DESC LIMIT 1',
    'SELECT Id FROM FlowOrchestrationInstance WHERE Id IN (SELECT OrchestrationInstanceId FROM FlowOrchestrationStepInstance WHERE Status = ''Error'') ORDER BY CreatedDate DESC LIMIT 1',
    'SELECT Id FROM FlowOrchestrationInstance WHERE Id NOT IN (SELECT OrchestrationInstanceId FROM FlowOrchestrationStepInstance) ORDER BY CreatedDate DESC LIMIT 1',
    'SELECT Id FROM FlowOrchestrationLog WHERE OrchestrationInstanceId = ''$run'' ORDER BY Timestamp',
    'SELECT Id FROM FlowOrchestrationLog ORDER BY Timestamp DESC LIMIT 1',
    'SELECT Id FROM FlowOrchestrationInstanceHistory WHERE FlowOrchestrationInstanceId = ''$run''',
    'SELECT Id FROM FlowOrchestrationInstanceFeed WHERE ParentId = ''$run''',
    'SELECT Id FROM FlowOrchestrationInstanceFeed WHERE Id = ''$run''',
    'SELECT Id FROM FlowOrchestrationInstanceShare WHERE ParentId = ''$run''']) q WHERE m.i = 20000;

-- --------------------------------------------------------------- the rows
-- of the extension's tables that the transaction has read: by scans of tables, by indexes
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql VOLATILE AS $$
SELECT sum(pg_stat_get_xact_tuples_returned(c.oid) + greatest(pg_stat_get_xact_tuples_fetched(c.oid),
           (SELECT sum(pg_stat_get_xact_tuples_returned(x.indexrelid)) FROM pg_index x WHERE x.indrelid = c.oid)))::bigint
  FROM pg_class c WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind = 'r'
$$;
-- the first execution fills the session's caches
CREATE FUNCTION pg_temp.reads(soql text, again boolean DEFAULT true, OUT returned bigint, OUT read bigint) LANGUAGE plpgsql AS $$
BEGIN
    IF again THEN
        PERFORM orchestration.query(soql);
    END IF;
    read := pg_temp.rows_read();
    returned := json_array_length(orchestration.query(soql) -> 'records');
    read := pg_temp.rows_read() - read;
END
$$;
CREATE FUNCTION pg_temp.too_many(most bigint) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('%s rows for %s: %s', r.read, r.returned, q.soql) FROM query q, pg_temp.reads(q.soql) r
     WHERE r.read > r.returned + most ORDER BY q.n
$$;
GRANT SELECT ON query, made TO PUBLIC;

SELECT plan(14);
SELECT cmp_ok((SELECT count(*) FROM query), '>', 300::bigint, 'queries of every field');
SET ROLE plan_few;
SELECT is((orchestration.query('SELECT COUNT() FROM FlowOrchestrationInstance') ->> 'totalSize')::integer, 60, 'the user sees 60 runs');
-- 60 runs by three indexes, with the same number of a second object, and entries that are found twice
SELECT is_empty('SELECT pg_temp.too_many(360)', 'no query reads more than it returns and 360 rows');
RESET ROLE;

-- one session of a gateway, with the plans that it keeps, for one user after the other.  One row more:
-- the user, who is another than before.
SET ROLE plan_web;
CREATE FUNCTION pg_temp.as_user(user_id uuid, soql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    PERFORM set_config('orchestration.user_id', user_id::text, true);
    SELECT * INTO r FROM pg_temp.reads(soql, false);
    RETURN format('%s for %s', r.read, r.returned);
END
$$;
\set newest '''SELECT Id, Status FROM FlowOrchestrationInstance ORDER BY CreatedDate DESC LIMIT 1'''
SELECT pg_temp.as_user(u, :newest) FROM unnest(ARRAY[:'all', :'few', :'half', :'none']::uuid[]) u \g /dev/null
SELECT is(pg_temp.as_user(:'all', :newest), '2 for 1', 'a user who sees all, newest run: by the index on the time');
SELECT is(pg_temp.as_user(:'few', :newest), '61 for 1', 'then a user who sees 60, in the same session');
SELECT is(pg_temp.as_user(:'none', :newest), '1 for 0', 'then one who sees none');
SELECT is(pg_temp.as_user(:'half', :newest), '2 for 1', 'then one who sees half');
SELECT is(pg_temp.as_user(:'few', :newest), '61 for 1', 'and again the one who sees 60');
SELECT is(pg_temp.as_user(:'all', :newest), '2 for 1', 'and the one who sees all');
RESET ROLE;

-- a column is computed only if it is selected, once for each row
CREATE FUNCTION pg_temp.views_read(soql text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables WHERE relname = 'record_view');
BEGIN
    PERFORM orchestration.query(soql);
    RETURN (SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables WHERE relname = 'record_view') - before;
END
$$;
SELECT is(pg_temp.views_read('SELECT Id, Name, Status FROM FlowOrchestrationInstance ORDER BY CreatedDate LIMIT 10'), 0::bigint, 'LastViewedDate is not computed unless it is selected');
SELECT is(pg_temp.views_read('SELECT Id, LastViewedDate FROM FlowOrchestrationInstance LIMIT 10'), 10::bigint, 'and it is if it is selected');

-- case-insensitive names find their index below row security
SELECT is((SELECT proleakproof FROM pg_proc WHERE oid = 'pg_catalog.texteq(text, text)'::regprocedure), true, 'text = is leakproof');

-- a read-only transaction, as on a standby
SET LOCAL transaction_read_only = on;
SELECT is((orchestration.query('SELECT Id FROM FlowOrchestrationInstance LIMIT 2000') ->> 'done')::boolean, true, 'read-only: a result that fits one page');
SELECT throws_ok('SELECT orchestration.query(''SELECT Id FROM FlowOrchestrationInstance'')', '25006',
                 'the query has more than 2000 records, and a read-only transaction cannot keep further pages', 'read-only: one with several pages is refused');
SELECT * FROM finish();
ROLLBACK;
