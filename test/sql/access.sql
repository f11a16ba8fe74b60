-- The policies in plans: the plan for roles that see few, many or all rows.  The rows are
-- the same whichever plan the planner chooses.
SET client_min_messages = warning;
CREATE ROLE regress_orch_few;
CREATE ROLE regress_orch_half;
CREATE ROLE regress_orch_all;
CREATE ROLE regress_orch_none;
CREATE ROLE regress_orch_web;
GRANT SET ON PARAMETER orchestration.user_id TO regress_orch_web;
SELECT orchestration.create_user('access-few', 'Few', 'regress_orch_few') AS few, orchestration.create_user('access-half', 'Half', 'regress_orch_half') AS half,
       orchestration.create_user('access-all', 'All', 'regress_orch_all') AS all, orchestration.create_group('A_Some') AS some, orchestration.create_group('A_Many') AS many \gset
SELECT orchestration.update_user(:'all', view_all_data => true);
INSERT INTO orchestration.principal (kind, username, name) SELECT 'User', 'access-' || i, 'Owner ' || i FROM generate_series(1, 400) i;
INSERT INTO orchestration.membership (group_id, member_id)
SELECT CASE WHEN n <= 2 THEN :'some'::uuid ELSE :'many' END, id FROM (SELECT id, substr(username, 8)::integer AS n FROM orchestration.principal WHERE username ~ '^access-\d') x WHERE n <= 202;
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', :'some', :'few') IS NOT NULL AS few, orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', :'many', :'half') IS NOT NULL AS half;
-- 8,000 runs, 20 an owner; 5 of owner 400's are shared with Few
INSERT INTO orchestration.run (name, owner_id, status, orchestration_label)
SELECT format('A-%s-%s', n, i), id, 'InProgress', repeat('x', 200)
  FROM (SELECT id, substr(username, 8)::integer AS n FROM orchestration.principal WHERE username ~ '^access-\d') x, generate_series(1, 20) i ORDER BY i, n;
SELECT count(orchestration.share_record(id, :'few')) FROM orchestration.run WHERE name IN ('A-400-1', 'A-400-2', 'A-400-3', 'A-400-4', 'A-400-5');
ANALYZE orchestration.run;
-- the planner's estimate and the actual number of rows
CREATE FUNCTION public.rows_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json; n bigint;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    EXECUTE format('SELECT count(*) FROM (%s) x', query) INTO n;
    RETURN format('%s rows, estimate %s', n, CASE WHEN (plan->0->'Plan'->>'Plan Rows')::numeric BETWEEN n * 0.5 AND n * 2 + 5 THEN 'good' ELSE plan->0->'Plan'->>'Plan Rows' END);
END $$;
CREATE FUNCTION public.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        line := replace(line, '''FlowOrchestrationInstance''::orchestration.shared_object', 'run');
        line := regexp_replace(line, '^( *(Recheck Cond|Filter): ).*owner_visible.*', '\1the policy');
        RETURN NEXT replace(line, 'orchestration.', '');
    END LOOP;
END $$;
SET max_parallel_workers_per_gather = 0;

-- few rows: an index for each branch of the policy
SET ROLE regress_orch_few;
SELECT plan_of('SELECT name FROM orchestration.run');
SELECT rows_of('SELECT name FROM orchestration.run');
SELECT plan_of('SELECT name FROM orchestration.run WHERE id = ''00000000-0000-7000-8000-00000000000a''');
-- a condition of the query, however cheap, is evaluated only for rows that passed the policy
CREATE FUNCTION pg_temp.tell(name text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS $$
BEGIN
    IF name !~ '^A-(1|2|400)-' THEN RAISE WARNING 'saw %', name; END IF;
    RETURN true;
END $$;
SELECT count(*) FROM orchestration.run WHERE name LIKE 'A-400-%' AND pg_temp.tell(name);
SELECT count(*) FROM orchestration.flow_orchestration_instance WHERE pg_temp.tell(name);
-- many ids but few rows: an array whose members the planner does not know; many rows: no index
SET ROLE regress_orch_half;
SELECT plan_of('SELECT name FROM orchestration.run');
SELECT rows_of('SELECT name FROM orchestration.run');
-- all rows: no policy, unless the statement may wait for rows or the setting names the user
SET ROLE regress_orch_all;
SELECT plan_of('SELECT name FROM orchestration.run');
SELECT rows_of('SELECT name FROM orchestration.run');
SELECT plan_of('SELECT name FROM orchestration.run FOR UPDATE');
SELECT plan_of('UPDATE orchestration.run SET interview_id = NULL WHERE name = ''x''');
SELECT plan_of('SELECT kind FROM orchestration.run_log');
SET ROLE regress_orch_web;
SET orchestration.user_id = :'all';
SELECT plan_of('SELECT name FROM orchestration.run');
SELECT rows_of('SELECT name FROM orchestration.run');
RESET orchestration.user_id;
-- a role without a user
SET ROLE regress_orch_none;
SELECT rows_of('SELECT name FROM orchestration.run');
SELECT orchestration.acting_user_id(), orchestration.acting_principal_ids(), orchestration_internal.visible_owner_ids('FlowOrchestrationInstance');

-- one prepared statement, a generic plan made for a role that sees few rows: right for every role
RESET ROLE;
SET ROLE regress_orch_web;
SET plan_cache_mode = force_generic_plan;
SET orchestration.user_id = :'few';
PREPARE runs AS SELECT count(*) FROM orchestration.run WHERE name LIKE 'A-%';
EXECUTE runs;
SET orchestration.user_id = :'half';
EXECUTE runs;
SET orchestration.user_id = :'all';
EXECUTE runs;
SELECT plan_of('EXECUTE runs');
RESET orchestration.user_id;
EXECUTE runs;
RESET plan_cache_mode;
-- the same with every plan
SET orchestration.user_id = :'few';
SET enable_seqscan = off;
SELECT count(*), md5(string_agg(name, ',' ORDER BY name)) = md5(string_agg(name, ',' ORDER BY name) FILTER (WHERE name ~ '^A-(1|2)-' OR name ~ '^A-400-[1-5]$')) AS right_ones FROM orchestration.run;
RESET enable_seqscan; SET enable_bitmapscan = off; SET enable_indexscan = off;
SELECT count(*), md5(string_agg(name, ',' ORDER BY name)) = md5(string_agg(name, ',' ORDER BY name) FILTER (WHERE name ~ '^A-(1|2)-' OR name ~ '^A-400-[1-5]$')) AS right_ones FROM orchestration.run;
RESET enable_bitmapscan; RESET enable_indexscan;
-- in parallel workers, where each has its own cache
SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET max_parallel_workers_per_gather = 2; SET enable_bitmapscan = off; SET enable_indexscan = off;
SELECT plan_of('SELECT count(*) FROM orchestration.run');
SELECT count(*) FROM orchestration.run;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM orchestration.run;
COMMIT;
RESET ALL;
RESET ROLE;
SET client_min_messages = warning;

-- changes of the transaction itself take effect at once, and end with their savepoint
BEGIN;
SET LOCAL ROLE regress_orch_few;
SELECT count(*) FROM orchestration.run;
SAVEPOINT a;
RESET ROLE;
DELETE FROM orchestration.share_grant WHERE user_or_group_id = :'few';
SET LOCAL ROLE regress_orch_few;
SELECT count(*) FROM orchestration.run;
RESET ROLE;
SELECT orchestration.update_user(:'few', is_active => false);
SET LOCAL ROLE regress_orch_few;
SELECT count(*) FROM orchestration.run;
ROLLBACK TO a;
SELECT count(*) FROM orchestration.run;
COMMIT;
-- the user of a role is found by the role's current name
ALTER ROLE regress_orch_few RENAME TO regress_orch_other;
SET ROLE regress_orch_other;
SELECT count(*) FROM orchestration.run;
RESET ROLE;
ALTER ROLE regress_orch_other RENAME TO regress_orch_few;

DROP FUNCTION pg_temp.tell(text);
UPDATE orchestration.run SET status = 'Canceled' WHERE name LIKE 'A-%';
DELETE FROM orchestration.run WHERE name LIKE 'A-%';
SELECT count(orchestration.delete_sharing_rule(id)) FROM orchestration.owner_sharing_rule WHERE user_or_group_id IN (:'few', :'half');
UPDATE orchestration.principal SET role_name = NULL WHERE role_name LIKE 'regress%';
DROP FUNCTION rows_of(text), plan_of(text);
REVOKE SET ON PARAMETER orchestration.user_id FROM regress_orch_web;
DROP ROLE regress_orch_few, regress_orch_half, regress_orch_all, regress_orch_none, regress_orch_web;
