-- attack: a test for each known way around sharing, and some more.  The numbers, such as B3.5,
-- are those of the list of security facts that the project started with.
--
-- Mallory is an active user without records and without shares.  The victim owns one run with
-- a secret in its label.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET LOCAL jit = off;
SELECT no_plan();

CREATE ROLE regress_mallory LOGIN;
CREATE ROLE regress_victim;
CREATE ROLE regress_gateway;
CREATE ROLE regress_third;
CREATE ROLE regress_plain;
GRANT SET ON PARAMETER orchestration.user_id TO regress_gateway;
SELECT orchestration.create_user('attack-mallory', 'Mallory', 'regress_mallory') AS mallory, orchestration.create_user('attack-victim', 'Victim', 'regress_victim') AS victim,
       orchestration.create_user('attack-third', 'Third', 'regress_third') AS third, orchestration.create_user('attack-gone', 'Gone') AS gone, orchestration.create_group('Attack_Group') AS grp \gset
SELECT orchestration.update_user(:'gone', is_active => false) \g /dev/null
INSERT INTO orchestration.run (name, owner_id, status, orchestration_label) VALUES ('victim-run', :'victim', 'InProgress', 'secret') RETURNING id AS run \gset
INSERT INTO orchestration.stage_run (run_id, name, label, position, status, owner_id) VALUES (:'run', 'S', 'secret', 1, 'InProgress', :'victim') RETURNING id AS stage \gset
INSERT INTO orchestration.step_run (run_id, stage_run_id, name, label, step_type, status, owner_id) VALUES (:'run', :'stage', 'I', 'secret', 'InteractiveStep', 'InProgress', :'victim') RETURNING id AS step \gset
INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id, owner_id, label) VALUES (:'run', :'step', 'Assigned', :'victim', :'victim', 'secret') RETURNING id AS item \gset
INSERT INTO orchestration.run_log (run_id, kind, comments) VALUES (:'run', 'StartInstance', 'secret');
INSERT INTO orchestration.run (name, status, orchestration_label) SELECT 'filler-' || i, 'InProgress', repeat('x', 300) FROM generate_series(1, 3000) i;
ANALYZE orchestration.run;
CREATE TEMP TABLE id AS SELECT :'run'::uuid AS run, :'stage'::uuid AS stage, :'step'::uuid AS step, :'item'::uuid AS item, :'mallory'::uuid AS mallory, :'victim'::uuid AS victim, :'third'::uuid AS third,
       '00000000-0000-7000-8000-0000000000ff'::uuid AS nothing;
GRANT SELECT ON id TO PUBLIC;
CREATE SCHEMA mallory AUTHORIZATION regress_mallory;
GRANT regress_mallory TO CURRENT_USER;

-- the answer of a statement: state, message, detail, hint; ids replaced
CREATE FUNCTION public.said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; n bigint;
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN regexp_replace(concat_ws(' | ', SQLSTATE, SQLERRM, d, h), '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
CREATE FUNCTION public.explained(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement; END $$;
CREATE FUNCTION public.state(statement text) RETURNS text LANGUAGE sql AS $$ SELECT split_part(public.said(statement), ' | ', 1) $$;

-- ------------------------------------------------------------ reading
SET ROLE regress_mallory;
SELECT is((SELECT count(*) FROM orchestration.run), 0::bigint, 'run: nothing');
SELECT is((SELECT count(*) FROM orchestration.stage_run), 0::bigint, 'stage_run: nothing');
SELECT is((SELECT count(*) FROM orchestration.step_run), 0::bigint, 'step_run: nothing');
SELECT is((SELECT count(*) FROM orchestration.work_item), 0::bigint, 'work_item: nothing');
SELECT is((SELECT count(*) FROM orchestration.run_log), 0::bigint, 'run_log: nothing');
SELECT is((SELECT count(*) FROM orchestration.share_grant), 0::bigint, 'share_grant: nothing');
SELECT is(said('SELECT * FROM orchestration.' || v), '0 rows', v || ': nothing')
  FROM unnest('{flow_orchestration_instance,flow_orchestration_stage_instance,flow_orchestration_step_instance,flow_orchestration_work_item,flow_orchestration_log,flow_orchestration_instance_share,flow_orchestration_stage_instance_share,flow_orchestration_step_instance_share,flow_orchestration_instance_owner_sharing_rule}'::text[]) v;
SELECT is(state('TABLE orchestration.' || t), '42501', t || ': no privilege') FROM unnest('{step_queue,action,record_type}'::text[]) t;
SELECT is(state('SELECT role_name FROM orchestration.principal'), '42501', 'no user reads which role belongs to which user');
SELECT is(state('SELECT variables, idempotency_key FROM orchestration.run'), '42501', 'nor undocumented columns');
SELECT is(state('SELECT document FROM orchestration.orchestration_version'), '42501', 'nor sources of definitions');

-- B3.5: mallory's functions and operators, however cheap, see only allowed rows
CREATE FUNCTION mallory.tell(anyelement) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'saw %', $1; END $$;
CREATE FUNCTION mallory.tell2(text, text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'saw %', $1; END $$;
CREATE OPERATOR mallory.<<< (LEFTARG = text, RIGHTARG = text, FUNCTION = mallory.tell2, RESTRICT = eqsel);
SELECT is(said('SELECT 1 FROM orchestration.run WHERE mallory.tell(orchestration_label)'), '0 rows', 'B3.5: a cheap function');
SELECT is(said('SELECT 1 FROM orchestration.run WHERE orchestration_label OPERATOR(mallory.<<<) ''x'''), '0 rows', 'B3.5: an operator');
SELECT is(said('SELECT 1 FROM orchestration.flow_orchestration_instance r WHERE mallory.tell(to_jsonb(r)::text)'), '0 rows', 'B3.5: to_jsonb(row)');
SELECT is(said('SELECT 1 FROM orchestration.run WHERE CAST(orchestration_label AS integer) = 1'), '0 rows', 'B3.5: a cast whose error shows the value');
SELECT is(said('SELECT 1 FROM orchestration.run WHERE 1 / (CASE WHEN orchestration_label = ''secret'' THEN 0 ELSE 1 END) = 1'), '0 rows', 'B3.5: a division by zero');
SELECT is(said('SELECT 1 FROM orchestration.run a JOIN orchestration.run b ON mallory.tell(a.name) AND mallory.tell(b.name)'), '0 rows', 'B3.5: in a join');
SELECT is(said('SELECT max(name), count(*) FILTER (WHERE mallory.tell(name)) FROM orchestration.run'), '1 rows', 'B3.5: in an aggregate');
SELECT is(said('WITH x AS MATERIALIZED (SELECT * FROM orchestration.flow_orchestration_instance) SELECT 1 FROM x WHERE mallory.tell(name)'), '0 rows', 'B3.5: in a CTE');
SELECT is(said('SELECT l.* FROM (VALUES (1)) v CROSS JOIN LATERAL (SELECT name FROM orchestration.run WHERE mallory.tell(name) OFFSET 0) l'), '0 rows', 'B3.5: in a LATERAL');
SELECT is(said('SELECT row_number() OVER (ORDER BY mallory.tell(name)) FROM orchestration.run'), '0 rows', 'B3.5: in a window');
SELECT is(said('SELECT kind FROM orchestration.run_log WHERE mallory.tell(comments)'), '0 rows', 'B3.5: the log');
SELECT is(said('SELECT 1 FROM orchestration.work_item WHERE mallory.tell(label)'), '0 rows', 'B3.5: work items');
-- mallory's view on a view of the extension reads as mallory, also for other callers; the extension's views are security_invoker
CREATE VIEW mallory.v AS SELECT * FROM orchestration.flow_orchestration_instance;
SELECT is(said('SELECT * FROM mallory.v'), '0 rows', 'B3.5: a view of mallory''s');
CREATE FUNCTION mallory.f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM orchestration.run';
RESET ROLE;
GRANT USAGE ON SCHEMA mallory TO PUBLIC;
SET ROLE regress_victim;
SELECT is(mallory.f(), 0::bigint, 'a SECURITY DEFINER function of mallory''s acts as mallory, not as its caller');
RESET ROLE;
CREATE FUNCTION public.of_victim() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM orchestration.run';
ALTER FUNCTION public.of_victim() OWNER TO regress_victim;
SET ROLE regress_mallory;
SELECT is(public.of_victim(), 1::bigint, 'a SECURITY DEFINER function of the victim''s acts as the victim: its author shares everything the function returns');
\set ON_ERROR_STOP off
SAVEPOINT copy;
COPY orchestration.run TO STDOUT;
ROLLBACK TO copy;
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42501', 'B3.10: COPY TO needs the privilege on all columns');
COPY orchestration.stage_run TO STDOUT;
SELECT is(:'ROW_COUNT'::text, '0', 'B3.10: with the privilege it copies only visible rows');
SAVEPOINT copy;
COPY orchestration.stage_run FROM STDIN;
\.
ROLLBACK TO copy;
SELECT is(:'LAST_ERROR_SQLSTATE'::text, '42501', 'B3.10: COPY FROM');
\set ON_ERROR_STOP on
SET row_security = off;
SELECT is(state('SELECT count(*) FROM orchestration.run'), '42501', 'B3.10: row_security = off raises an error');
RESET row_security;
SELECT is((SELECT count(*) FROM pg_stats WHERE schemaname = 'orchestration' AND tablename = 'run'), 0::bigint, 'B3.4: pg_stats is hidden');
SELECT is(state('SELECT * FROM pg_statistic'), '42501', 'B3.4: pg_statistic too');
SELECT is((SELECT count(*) FROM pg_stats_ext WHERE schemaname = 'orchestration'), 0::bigint, 'B3.4: and pg_stats_ext');
-- B3.4: facts that PostgreSQL itself does not hide.  If one of these changes, change doc/sharing.md.
SELECT ok((SELECT reltuples FROM pg_class WHERE oid = 'orchestration.run'::regclass)   >= 3000, 'not hidden: pg_class.reltuples');
SELECT ok(pg_relation_size('orchestration.run') > 0, 'not hidden: sizes');
SET enable_bitmapscan = off; SET enable_indexscan = off;
SELECT ok(EXISTS (SELECT FROM public.explained('SELECT name FROM orchestration.run') l WHERE l ~ 'Rows Removed by Filter: 300[0-9]$'), 'not hidden: EXPLAIN ANALYZE counts what the policy removed');
RESET enable_bitmapscan; RESET enable_indexscan;
SELECT ok(NOT (SELECT rolreplication FROM pg_roles WHERE rolname = current_user), 'logical decoding, which reads everything, needs REPLICATION');

-- ------------------------------------------------------------ writing
SELECT is(said('UPDATE orchestration.run SET status = ''Canceled'''), '0 rows', 'an UPDATE of all rows finds none');
SELECT is(said('UPDATE orchestration.run SET status = ''Completed'' WHERE id = ''' || run || ''''), '0 rows', 'an illegal UPDATE finds none, too, and raises no other error') FROM id;
SELECT is(said('UPDATE orchestration.flow_orchestration_instance SET triggering_record_id = ''x'''), '0 rows', 'through the view');
SELECT is(said('UPDATE orchestration.work_item SET assignee_id = owner_id RETURNING label'), '0 rows', 'RETURNING returns nothing');
SELECT is(said('SELECT 1 FROM orchestration.run FOR UPDATE'), '0 rows', 'nothing to lock');
SELECT is(state('DELETE FROM orchestration.run'), '42501', 'DELETE');
SELECT is(state('INSERT INTO orchestration.run (status) VALUES (''InProgress'')'), '42501', 'INSERT');
SELECT is(state(format('INSERT INTO orchestration.stage_run (run_id, name, label, position, status) VALUES (%L, ''x'', ''x'', 2, ''InProgress'')', run)), '42501', 'B3.1: a child of a hidden parent') FROM id;
SELECT is(state('INSERT INTO orchestration.run (status) VALUES (''InProgress'') ON CONFLICT DO NOTHING'), '42501', 'B3.3: ON CONFLICT');
SELECT is(state('UPDATE orchestration.run SET owner_id = (SELECT mallory FROM id)'), '42501', 'the owner of a run');
SELECT is(state('UPDATE orchestration.principal SET view_all_data = true'), '42501', 'mallory''s own permissions');
SELECT is(state('INSERT INTO orchestration.share_grant SELECT'), '42501', 'shares, except through the view');
SELECT is(state(x), '42501', 'B3.11: ' || x) FROM unnest(ARRAY[
    'TRUNCATE orchestration.run_log', 'SET session_replication_role = replica', 'ALTER TABLE orchestration.run DISABLE TRIGGER ALL',
    'ALTER TABLE orchestration.run DISABLE ROW LEVEL SECURITY', 'ALTER TABLE orchestration.run NO FORCE ROW LEVEL SECURITY', 'DROP POLICY run_select ON orchestration.run',
    'CREATE POLICY p ON orchestration.run USING (true)', 'ALTER FUNCTION orchestration_internal.owner_visible(orchestration.shared_object, uuid) COST 1',
    'CREATE TRIGGER t BEFORE UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE RULE r AS ON UPDATE TO orchestration.run DO ALSO NOTHING', 'CREATE INDEX ON orchestration.run (name)', 'CREATE TABLE mallory.child () INHERITS (orchestration.run)',
    'CREATE STATISTICS mallory.s ON name, status FROM orchestration.run', 'LOCK TABLE orchestration.run IN ACCESS EXCLUSIVE MODE', 'CREATE FUNCTION orchestration_internal.owner_visible(text, uuid) RETURNS boolean LANGUAGE sql AS ''SELECT true''',
    'CREATE TABLE orchestration.t ()', 'DROP EXTENSION orchestration', 'ALTER EXTENSION orchestration UPDATE', 'VACUUM FULL orchestration.run', 'CREATE PUBLICATION p FOR TABLE orchestration.run']) x
 WHERE x NOT LIKE 'VACUUM%';
SELECT is(state('CREATE TABLE mallory.probe (id uuid REFERENCES orchestration.run)'), '42501', 'B3.1: a foreign key of mallory''s that would show which ids exist');

-- ------------------------------------------------ existence, by calls
-- a hidden id and an id that does not exist are refused alike: state, message, detail, hint
SELECT is(said(format(c.call, c.id)), said(format(c.call, c.nothing)), 'B3.1: ' || c.call)
  FROM (SELECT x.call, CASE WHEN x.call ~ 'item' THEN item ELSE run END AS id, nothing FROM id, unnest(ARRAY[
    'SELECT orchestration.suspend_run(%L)', 'SELECT orchestration.resume_run(%L)', 'SELECT orchestration.cancel_run(%L)',
    'SELECT orchestration.complete_work_item(%L)', 'SELECT orchestration.complete_work_item(%L, ''[]'')', 'SELECT orchestration.fail_work_item(%L, ''x'')',
    'SELECT orchestration.reassign_work_item(%L, (SELECT mallory FROM id))', 'SELECT orchestration.reassign_work_item(%L, (SELECT nothing FROM id))',
    'SELECT orchestration.share_record(%L, (SELECT mallory FROM id))', 'SELECT orchestration.share_record(%L, (SELECT nothing FROM id))', 'SELECT orchestration.share_record(%L, (SELECT mallory FROM id), ''All'')',
    'SELECT orchestration.unshare_record(%L, (SELECT mallory FROM id))', 'SELECT * FROM orchestration.explain_access(%L, (SELECT mallory FROM id))',
    'SELECT * FROM orchestration.user_record_access(ARRAY[%L::uuid])', 'SELECT * FROM orchestration_internal.rule_shares(''FlowOrchestrationInstance'', %L)',
    'SELECT 1 WHERE orchestration_internal.record_visible(''FlowOrchestrationInstance'', %L)', 'SELECT 1 WHERE orchestration_internal.record_shared(''FlowOrchestrationInstance'', %L)',
    'INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level) VALUES (%L, (SELECT mallory FROM id), ''Read'')',
    'UPDATE orchestration.run SET status = ''Suspended'' WHERE id = %L', 'DELETE FROM orchestration.flow_orchestration_instance_share WHERE parent_id = %L']) x (call)) c;
SELECT is(split_part(said(format('SELECT orchestration.suspend_run(%L)', run)), ' | ', 1), 'OR101', 'the message says "does not exist"') FROM id;

-- B3.3: idempotency keys of other users reveal nothing; B3.1: nor do unreadable records
RESET ROLE;
CREATE TABLE public.hidden (id integer PRIMARY KEY, v text);
INSERT INTO public.hidden VALUES (1, 'secret');
CREATE TABLE public.filtered (id text PRIMARY KEY);
INSERT INTO public.filtered VALUES ('f1');
ALTER TABLE public.filtered ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON public.filtered TO PUBLIC;
SELECT orchestration.register_record_type('Attack_Hidden', 'public.hidden'), orchestration.register_record_type('Attack_Filtered', 'public.filtered') \g /dev/null
SELECT orchestration.register_action('Attack_Screen', 'screen') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "Attack", "label": "A", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [{"name": "T", "label": "T", "actionType": "stepInteractive", "actionName": "Attack_Screen", "entryConditionLogic": "and",
    "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "attack-victim"}}]}]}]}'::jsonb), orchestration.activate_orchestration('Attack') \g /dev/null
SET ROLE regress_victim;
SELECT orchestration.start_orchestration('Attack', idempotency_key => 'the key', owner_id => orchestration.acting_user_id()) AS first \gset
SELECT is(orchestration.start_orchestration('Attack', idempotency_key => 'the key'), :'first'::uuid, 'the same user with the same key gets the same run');
SET ROLE regress_mallory;
SELECT isnt(orchestration.start_orchestration('Attack', idempotency_key => 'the key'), :'first'::uuid, 'B3.3: another user with that key gets another run');
SELECT is(replace(said('SELECT orchestration.start_orchestration(''Attack'', ''1'')'), '"1"', 'key'), replace(said('SELECT orchestration.start_orchestration(''Attack'', ''2'')'), '"2"', 'key'), 'B3.1: a record in a table that mallory cannot read');
SELECT is(replace(said('SELECT orchestration.start_orchestration(''Attack'', ''f1'')'), '"f1"', 'key'), replace(said('SELECT orchestration.start_orchestration(''Attack'', ''f2'')'), '"f2"', 'key'), 'B3.1: a record that row security hides');
SELECT is(state(format('SELECT orchestration.start_orchestration(''Attack'', owner_id => %L)', victim)), '42501', 'a run for another user') FROM id;
RESET ROLE;
INSERT INTO orchestration.run (name, owner_id, status) VALUES ('mallory-run', :'mallory', 'InProgress');
SET ROLE regress_mallory;
SELECT is(replace(said('UPDATE orchestration.run SET triggering_record_id = ''1'' WHERE name = ''mallory-run'''), '"1"', 'key'), replace(said('UPDATE orchestration.run SET triggering_record_id = ''2'' WHERE name = ''mallory-run'''), '"2"', 'key'), 'B3.1: named by an update');
SELECT is(replace(said('UPDATE orchestration.run SET triggering_record_type = ''Attack_Hidden'', triggering_record_id = ''1'' WHERE name = ''mallory-run'''), '"1"', 'key'),
          replace(said('UPDATE orchestration.run SET triggering_record_type = ''Attack_Hidden'', triggering_record_id = ''2'' WHERE name = ''mallory-run'''), '"2"', 'key'), 'B3.1: with its type');
SELECT is(state('UPDATE orchestration.run SET interview_id = id WHERE name = ''mallory-run'' RETURNING name'), '1 rows', 'mallory can change own runs');
RESET ROLE;
SELECT is((SELECT count(*) FROM orchestration.run WHERE triggering_record_id IS NOT NULL), 0::bigint, 'no refused value was stored');

-- A caller with Manage Flow: start_orchestration() and dry_run() of a definition that shows
-- the record's values, by a named type and by key alone, refuse a hidden record like one that
-- does not exist.  A hidden record does not take precedence over the caller's own.
CREATE TABLE public.attack_own (id integer PRIMARY KEY, v text);
INSERT INTO public.attack_own VALUES (1, 'mine'), (3, 'mine');
GRANT SELECT ON public.attack_own TO regress_mallory;
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Attack_' || t, 'label', 'A', 'processType', 'Orchestrator',
         'start', jsonb_build_object('object', t, 'triggerType', 'RecordAfterSave', 'recordTriggerType', 'Update', 'connector', '{"targetReference": "A"}'::jsonb)) || '{
  "variables": [{"name": "v", "dataType": "SObject"}],
  "assignments": [{"name": "A", "label": "A", "assignmentItems": [{"assignToReference": "v", "operator": "Assign", "value": {"elementReference": "$Record"}}], "connector": {"targetReference": "S"}}],
  "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionType": "stepInteractive", "actionName": "Attack_Screen",
    "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "attack-mallory"}}]}]}]}'::jsonb), orchestration.activate_orchestration('Attack_' || t)
  FROM unnest('{Attack_Hidden,Attack_Filtered}'::text[]) t \g /dev/null
SELECT orchestration.update_user(:'mallory', manage_definitions => true) \g /dev/null
SET ROLE regress_mallory;
SELECT is(replace(said(format(c.call, o.name, o.there)), '"' || o.there || '"', 'key'), replace(said(format(c.call, o.name, o.missing)), '"' || o.missing || '"', 'key'), format('B3.1: hidden as missing: ' || c.call, o.name, o.there))
  FROM (VALUES ('Attack', '1', '22'), ('Attack', 'f1', 'f2'), ('Attack_Attack_Hidden', '1', '22'), ('Attack_Attack_Filtered', 'f1', 'f2')) o (name, there, missing),
       unnest(ARRAY['SELECT orchestration.start_orchestration(%L, %L)', 'SELECT * FROM orchestration.dry_run(%L, %L)']) c (call);
SELECT is(state('SELECT * FROM orchestration.dry_run(''Attack_Attack_Hidden'', ''1'')'), 'OR101', 'B3.1: dry_run() answers that the record does not exist');
SELECT is(replace(said('SELECT * FROM orchestration.dry_run(''Attack'', ''1'')'), '"1"', 'key'), replace(said('SELECT orchestration.start_orchestration(''Attack'', ''1'')'), '"1"', 'key'), 'B3.1: both answer the same');
RESET ROLE;
SELECT orchestration.register_record_type('Attack_Own', 'public.attack_own') \g /dev/null
SET ROLE regress_mallory;
SELECT is(state(format(c, k)) ~ ' rows$', true, format('B3.1: a record of one''s own, whether one of the key is hidden or not: ' || c, k))
  FROM unnest(ARRAY['SELECT orchestration.start_orchestration(''Attack'', %L)', 'SELECT * FROM orchestration.dry_run(''Attack'', %L)']) c, unnest('{1,3}'::text[]) k;
RESET ROLE;
SELECT is((SELECT string_agg(DISTINCT triggering_record_type, ' ') FROM orchestration.run), 'Attack_Own', 'the run is about the caller''s own record');

-- A work item about another record, whose key the caller gives, needs a record that the
-- starter of the run can read.
SELECT orchestration.deploy_orchestration('{"fullName": "Attack_About", "label": "A", "processType": "Orchestrator", "variables": [{"name": "k", "dataType": "String", "isInput": true}],
  "start": {"connector": {"targetReference": "S"}}, "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionType": "stepInteractive", "actionName": "Attack_Screen",
    "inputParameters": [{"name": "ActionInput__RecordId", "value": {"elementReference": "k"}}], "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "attack-mallory"}}]}]}]}'::jsonb), orchestration.activate_orchestration('Attack_About') \g /dev/null
SET ROLE regress_mallory;
SELECT orchestration.start_orchestration('Attack_About', inputs => jsonb_build_object('k', k)) FROM unnest('{1,3,f1,f2,22}'::text[]) k \g /dev/null
RESET ROLE;
SELECT is((SELECT string_agg(coalesce(w.related_record_type || ' ' || w.related_record_id, '-'), ', ' ORDER BY w.id) FROM orchestration.work_item w JOIN orchestration.run r ON r.id = w.run_id WHERE r.orchestration_name = 'Attack_About'),
    'Attack_Own 1, Attack_Own 3, -, -, -', 'B3.1: a work item is about a record that its starter can read');
SELECT orchestration.start_orchestration('Attack_About', inputs => '{"k": "f1"}') \g /dev/null
SELECT is((SELECT w.related_record_type FROM orchestration.work_item w JOIN orchestration.run r ON r.id = w.run_id WHERE r.orchestration_name = 'Attack_About' ORDER BY w.id DESC LIMIT 1), 'Attack_Filtered', 'an administrator''s work item is about any record');
DELETE FROM public.attack_own;
SELECT orchestration.update_user(:'mallory', manage_definitions => false), orchestration.unregister_record_type('Attack_Own') \g /dev/null

-- ------------------------------------------------------------ identity
SET ROLE regress_mallory;
SELECT is(state(x), '42501', 'B3.7: ' || x) FROM unnest(ARRAY[
    format('SET orchestration.user_id = %L', (SELECT victim FROM id)), format('SET LOCAL orchestration.user_id = %L', (SELECT victim FROM id)),
    format('SELECT set_config(''orchestration.user_id'', %L, false)', (SELECT victim FROM id)), format('ALTER ROLE regress_mallory SET orchestration.user_id = %L', (SELECT victim FROM id)),
    format('ALTER DATABASE %I SET orchestration.user_id = %L', current_database(), (SELECT victim FROM id)),
    'GRANT SET ON PARAMETER orchestration.user_id TO regress_mallory', 'SET SESSION AUTHORIZATION regress_victim', 'SET ROLE regress_victim',
    'SET orchestration.user_id = ''''', 'UPDATE pg_settings SET setting = ''x'' WHERE name = ''orchestration.user_id''', 'CREATE USER MAPPING FOR regress_mallory SERVER x']) x WHERE x NOT LIKE 'CREATE USER%' AND x NOT LIKE 'SET SESSION AUTH%' AND x NOT LIKE 'SET ROLE%';
CREATE FUNCTION mallory.as_victim() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('orchestration.user_id', (SELECT victim::text FROM id), true); RETURN (SELECT count(*) FROM orchestration.run); END $$;
SELECT is(state('SELECT mallory.as_victim()'), '42501', 'B3.7: in a function');
SELECT is(state('ALTER FUNCTION mallory.f() SET orchestration.user_id = ''00000000-0000-7000-8000-000000000001'''), '42501', 'B3.7: a function''s SET clause');
SAVEPOINT a;
SELECT is(state('SET orchestration.user_id = ''00000000-0000-7000-8000-000000000001'''), '42501', 'B3.7: in a subtransaction');
ROLLBACK TO a;
SELECT is(state('RESET orchestration.user_id'), '42501', 'B3.7: RESET');
RESET ALL;
SET LOCAL search_path = public, pg_catalog;
SELECT is(orchestration.acting_user_id(), (SELECT mallory FROM id), 'B3.7: RESET ALL does not change the user');
-- the gateway: one user after another, and no user in between
SET ROLE regress_gateway;
SELECT is((SELECT count(*) FROM orchestration.run), 0::bigint, 'a gateway that names no user has no user');
SELECT is(said('SELECT orchestration.start_orchestration(''Attack'')'), '42501 | role "regress_gateway" acts as no active user |  | Create or activate a user with this role as role_name.', 'and it starts no run');
SAVEPOINT b;
SELECT set_config('orchestration.user_id', :'victim', true) \g /dev/null
SELECT is((SELECT count(*) FROM orchestration.run WHERE name = 'victim-run'), 1::bigint, 'with the setting it acts as the victim');
ROLLBACK TO b;
SELECT is((SELECT count(*) FROM orchestration.run), 0::bigint, 'and this ends with the savepoint');
SELECT is(state(format('SELECT set_config(''orchestration.user_id'', %L, true)', v)), '22023', 'no user id: ' || v) FROM unnest('{x,0,"{","00000000-0000-7000-8000-00000000000","00000000-0000-7000-8000-0000000000010"," "}'::text[]) v;
SELECT set_config('orchestration.user_id', upper(:'victim'), true) \g /dev/null
SELECT is(orchestration.acting_user_id(), :'victim'::uuid, 'upper case is the same id');
SELECT set_config('orchestration.user_id', '{' || :'victim' || '}', true) \g /dev/null
SELECT is(orchestration.acting_user_id(), :'victim'::uuid, 'braces too');
SELECT set_config('orchestration.user_id', :'gone', true) \g /dev/null
SELECT is((SELECT count(*) FROM orchestration.run), 0::bigint, 'an inactive user sees no records');
SELECT set_config('orchestration.user_id', :'grp', true) \g /dev/null
SELECT is((SELECT count(*) FROM orchestration.run), 0::bigint, 'the id of a group names no user');
SELECT set_config('orchestration.user_id', '00000000-0000-7000-8000-0000000000ff', true) \g /dev/null
SELECT is((SELECT count(*) FROM orchestration.run), 0::bigint, 'nor does an unknown id');
RESET ROLE;
SELECT set_config('orchestration.user_id', '00000000-0000-7000-8000-0000000000ff', true) \g /dev/null
SET ROLE regress_victim;
SELECT is((SELECT count(*) FROM orchestration.run), 0::bigint, 'an invalid value does not fall back to the role''s own user');
RESET ROLE;
SELECT set_config('orchestration.user_id', '', true) \g /dev/null

-- B3.8: cached plans, across users
PREPARE seen AS SELECT count(*) FROM orchestration.run WHERE orchestration_label = 'secret';
CREATE FUNCTION public.seen() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM orchestration.run WHERE orchestration_label = 'secret'); END $$;
SELECT orchestration.update_user(:'third', view_all_data => true) \g /dev/null
SET plan_cache_mode = force_generic_plan;
SET ROLE regress_third;
SELECT results_eq('EXECUTE seen', 'SELECT 1::bigint', 'B3.8: a user who sees all records');
SELECT is(public.seen(), 1::bigint, 'B3.8: in PL/pgSQL');
SET ROLE regress_mallory;
SELECT results_eq('EXECUTE seen', 'SELECT 0::bigint', 'B3.8: then a user who sees none');
SELECT is(public.seen(), 0::bigint, 'B3.8: in PL/pgSQL');
SET ROLE regress_gateway;
SELECT set_config('orchestration.user_id', :'third', true) \g /dev/null
SELECT results_eq('EXECUTE seen', 'SELECT 1::bigint', 'B3.8: by the setting');
SELECT set_config('orchestration.user_id', :'mallory', true) \g /dev/null
SELECT results_eq('EXECUTE seen', 'SELECT 0::bigint', 'B3.8: and another user');
SELECT is(public.seen(), 0::bigint, 'B3.8: in PL/pgSQL');
RESET ROLE;
SELECT set_config('orchestration.user_id', '', true) \g /dev/null
SET ROLE regress_third;
SELECT results_eq('EXECUTE seen', 'SELECT 1::bigint', 'B3.8: and again a user who sees all records');
DECLARE c CURSOR FOR SELECT name FROM orchestration.run WHERE orchestration_label = 'secret';
SET ROLE regress_mallory;
SELECT is(said('FETCH c'), '1 rows', 'a cursor keeps the user that opened it (present behaviour)');
RESET ROLE;
SELECT orchestration.update_user(:'third', view_all_data => false) \g /dev/null
SET ROLE regress_third;
SELECT results_eq('EXECUTE seen', 'SELECT 0::bigint', 'B3.8: a revoked permission');
RESET plan_cache_mode;

-- B3.14, B3.15: the policies call no function of mallory's in search_path or pg_temp
SET ROLE regress_mallory;
CREATE FUNCTION mallory.owner_visible(orchestration.shared_object, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION mallory.eq(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR mallory.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = mallory.eq);
CREATE TEMP TABLE principal (id uuid);
CREATE TEMP TABLE membership (group_id uuid);
SET LOCAL search_path = mallory, pg_temp, pg_catalog, public;
SELECT public.is((SELECT pg_catalog.count(*) FROM orchestration.run WHERE orchestration_label OPERATOR(pg_catalog.=) 'secret'), 0::bigint, 'B3.15: search_path');
RESET search_path;
SET LOCAL search_path = public, pg_catalog;
RESET ROLE;

-- B3.6: under row security conditions that may leak cannot use an index.  They need none: the
-- policy finds the rows.
SET ROLE regress_victim;
SELECT ok(NOT EXISTS (SELECT FROM public.explained('SELECT name FROM orchestration.run WHERE status = ''InProgress''') l WHERE l ~ 'Seq Scan'), 'B3.6: by status, without a scan of the table');
RESET ROLE;

-- catalog
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind IN ('r', 'p')
                   AND NOT (c.relrowsecurity AND c.relforcerowsecurity)$$, 'row security is forced on every table');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind = 'v'
                   AND NOT COALESCE('security_invoker=true' = ANY (c.reloptions), false)$$, 'B3.5: every view is security_invoker');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace IN ('orchestration'::regnamespace, 'orchestration_internal'::regnamespace) AND p.prosecdef
                   AND NOT COALESCE('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)$$, 'B3.15: SECURITY DEFINER with a pinned search_path that ends in pg_temp');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace IN ('orchestration'::regnamespace, 'orchestration_internal'::regnamespace)
                   AND (p.prosecdef OR p.prorettype = 'trigger'::regtype) AND has_function_privilege('public', p.oid, 'EXECUTE')
                   AND p.oid <> 'orchestration_internal.record_change()'::regprocedure$$, 'B3.19: PUBLIC may execute none of them, and no trigger function except the one that owners of partitions need');
SELECT ok(NOT has_schema_privilege('public', 'orchestration', 'CREATE'), 'B3.16: no role may create objects in the schema');
SELECT is_empty($$SELECT polname FROM pg_policy WHERE polrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'orchestration'::regnamespace) AND polcmd IN ('a', 'd', '*')$$, 'no policy allows INSERT or DELETE');
SELECT is_empty($$SELECT polrelid::regclass, polname FROM pg_policy WHERE polrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'orchestration'::regnamespace)
                   AND pg_get_expr(polqual, polrelid) ~ 'SELECT'$$, 'no policy has a sub-select');
-- ------------------------------------------ the documented calls, feeds, history
RESET ROLE;
UPDATE orchestration.run SET status = 'Suspended' WHERE name = 'victim-run';
SELECT orchestration.post_to_feed(:'run', 'secret') AS post \gset
SELECT orchestration.comment_on_feed_item(:'post', 'secret') AS comment, orchestration.like_feed_item(:'post') AS liked, orchestration.view_record(:'run') AS viewed \gset
INSERT INTO orchestration.feed_tracked_change (run_id, feed_item_id, number, record_id, object, field, new_value) VALUES (:'run', :'post', 1, :'run', 'FlowOrchestrationInstance', 'Status', 'secret');
INSERT INTO orchestration.run (name, owner_id, status, ended_at) VALUES ('victim-gone', :'victim', 'Completed', now()) RETURNING id AS gone_run \gset
DELETE FROM orchestration.run WHERE name = 'victim-gone';
ALTER TABLE id ADD post uuid, ADD comment uuid, ADD gone_run uuid;
UPDATE id SET post = :'post', comment = :'comment', gone_run = :'gone_run';
SET ROLE regress_mallory;
SELECT is(said('SELECT run_id FROM orchestration.' || t || ' WHERE run_id = (SELECT run FROM id)'), '0 rows', t || ': nothing of the victim''s') FROM unnest('{field_change,feed_item,feed_comment,feed_like,feed_tracked_change,record_view}'::text[]) t;
SELECT is(said('SELECT id FROM orchestration.tombstone'), '0 rows', 'tombstone: nothing');
SELECT is(said('SELECT * FROM orchestration.flow_orchestration_instance_history WHERE flow_orchestration_instance_id = (SELECT run FROM id)'), '0 rows', 'history: no row of the victim''s');
SELECT is(said('SELECT * FROM orchestration.' || v), '0 rows', v || ': nothing')
  FROM unnest('{flow_orchestration_stage_instance_history,flow_orchestration_instance_feed,flow_orchestration_step_instance_feed}'::text[]) v;
SELECT is(state('SELECT ' || c), '42501', 'no user reads ' || c) FROM unnest('{owner_id FROM orchestration.tombstone,shared_with FROM orchestration.tombstone,user_id FROM orchestration.record_view}'::text[]) c;
-- each call answers for the victim's record as for one that does not exist
CREATE FUNCTION mallory.same(call text, a uuid, b uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE x text; y text;
BEGIN
    EXECUTE format('SELECT (%s)::text', format(call, a)) INTO x;
    EXECUTE format('SELECT (%s)::text', format(call, b)) INTO y;
    RETURN CASE WHEN replace(x, a::text, '') = replace(y, b::text, '') THEN 'the same' ELSE x || ' and ' || y END;
END $$;
SELECT is(mallory.same(c, i.run, i.nothing), 'the same', c) FROM id i, unnest(ARRAY[
    $$orchestration.retrieve('{Id}', 'FlowOrchestrationInstance', ARRAY['%1$s'])$$,
    $$orchestration.update('[{"attributes": {"type": "FlowOrchestrationInstance"}, "Id": "%1$s", "Status": "InProgress"}]')$$,
    $$orchestration.update('[{"attributes": {"type": "FlowOrchestrationInstance"}, "Id": "%1$s"}]')$$,
    $$orchestration.update('[{"attributes": {"type": "FlowOrchestrationInstanceShare"}, "Id": "%1$s", "AccessLevel": "Edit"}]')$$,
    $$orchestration.create('[{"attributes": {"type": "FlowOrchestrationInstanceShare"}, "ParentId": "%1$s", "UserOrGroupId": "00000000-0000-7000-8000-000000000001", "AccessLevel": "Read"}]') #- '{0,errors,0,extendedErrorDetails}'$$,
    $$orchestration.delete(ARRAY['%1$s'])$$,
    $$public.said($x$SELECT orchestration.post_to_feed('%1$s', 'x')$x$)$$,
    $$public.said($x$SELECT orchestration.view_record('%1$s')$x$)$$,
    $$public.said($x$SELECT orchestration.change_owner('%1$s', orchestration.acting_user_id())$x$)$$]) c;
SELECT is(mallory.same(c, i.post, i.nothing), 'the same', c || ' of a post') FROM id i, unnest(ARRAY[
    $$orchestration.delete(ARRAY['%1$s'])$$, $$orchestration.retrieve('{Id}', 'FlowOrchestrationInstanceFeed', ARRAY['%1$s'])$$,
    $$public.said($x$SELECT orchestration.comment_on_feed_item('%1$s', 'x')$x$)$$, $$public.said($x$SELECT orchestration.like_feed_item('%1$s')$x$)$$,
    $$public.said($x$DELETE FROM orchestration.feed_item WHERE id = '%1$s'$x$)$$]) c;
SELECT is(mallory.same($$public.said($x$SELECT orchestration.delete_feed_comment('%1$s')$x$)$$, i.comment, i.nothing), 'the same', 'delete_feed_comment()') FROM id i;
SELECT is(mallory.same($$orchestration.update('[{"attributes": {"type": "FlowOrchestrationInstance"}, "Id": "%1$s", "Status": "InProgress"}]')$$, i.gone_run, i.nothing), 'the same', 'get_deleted() does not report the victim''s records') FROM id i;
SELECT ok(NOT orchestration.get_updated('FlowOrchestrationInstance', now() - interval '1 day', now() + interval '2 minutes')->'ids' ? run::text, 'get_updated() does not report the victim''s run') FROM id;
SELECT is(jsonb_array_length(orchestration.get_updated(o, now() - interval '1 day', now() + interval '2 minutes')->'ids'), 0, 'get_updated() of ' || o)
  FROM unnest('{FlowOrchestrationStageInstance,FlowOrchestrationLog,FlowOrchestrationInstanceFeed,FlowOrchestrationInstanceOwnerSharingRule}'::text[]) o;
SELECT is(jsonb_array_length(orchestration.get_deleted(o, now() - interval '1 day', now() + interval '2 minutes')->'deletedRecords'), 0, 'get_deleted() of ' || o) FROM unnest('{FlowOrchestrationInstance,FlowOrchestrationLog}'::text[]) o;
-- Every function with a uuid argument that mallory may call, from the catalog: the id of a
-- hidden run, stage, step, work item, post or comment is answered like an unknown id.
CREATE FUNCTION mallory.answer(call text, id uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; answer text;
BEGIN
    EXECUTE format('SELECT jsonb_agg(to_jsonb(f))::text FROM ' || call || ' f', id) INTO answer;
    RETURN replace(COALESCE(answer, 'null'), id::text, '<id>');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN replace(concat_ws(' | ', SQLSTATE, SQLERRM, d, h), id::text, '<id>');
END $$;
CREATE TEMP TABLE call AS
SELECT format('%s.%I(%s)', p.pronamespace::regnamespace, p.proname, string_agg(format('%I => ', p.proargnames[a.n]) || CASE
           WHEN a.n = (SELECT min(m) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u (o, m) WHERE o IN ('uuid'::regtype, 'uuid[]'::regtype))
               THEN CASE a.type WHEN 'uuid'::regtype THEN '%1$L::uuid' ELSE 'ARRAY[%1$L::uuid]' END
           WHEN a.type = 'uuid'::regtype THEN 'orchestration.acting_user_id()'
           WHEN a.type = 'text'::regtype THEN quote_literal('x') WHEN a.type = 'timestamptz'::regtype THEN 'NULL'
           WHEN t.typtype = 'e' THEN quote_literal((SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder LIMIT 1))
           ELSE 'NULL' END, ', ' ORDER BY a.n)) AS call
  FROM pg_proc p, unnest(p.proargtypes::oid[]) WITH ORDINALITY a (type, n), pg_type t
 WHERE p.pronamespace IN ('orchestration'::regnamespace, 'orchestration_internal'::regnamespace) AND has_function_privilege('public', p.oid, 'EXECUTE') AND t.oid = a.type
   AND (a.n <= p.pronargs - p.pronargdefaults OR a.type IN ('uuid'::regtype, 'uuid[]'::regtype))
   AND ('uuid'::regtype = ANY (p.proargtypes::oid[]) OR 'uuid[]'::regtype = ANY (p.proargtypes::oid[]))
 GROUP BY p.oid, p.proname;
SELECT ok((SELECT count(*) FROM call) > 30, 'calls with a uuid');
SELECT is(mallory.answer(c.call, x), mallory.answer(c.call, i.nothing), 'hidden as missing: ' || format(c.call, what))
  FROM call c, id i, LATERAL (VALUES ('run', i.run), ('stage', i.stage), ('step', i.step), ('item', i.item), ('post', i.post), ('comment', i.comment)) v (what, x)
 WHERE c.call !~ 'unestimated';
-- mallory's operators and tables, first in search_path, are not used
CREATE TABLE mallory.share_grant AS SELECT 1 AS id;
SET search_path = mallory, pg_catalog, public;
SELECT is(orchestration.retrieve('{Id}', 'FlowOrchestrationInstance', ARRAY[run::text])->>0, NULL, 'retrieve() and an operator = of mallory''s') FROM id;
SELECT is(orchestration.delete(ARRAY[run::text])->0->'errors'->0->>'statusCode', 'INVALID_CROSS_REFERENCE_KEY', 'delete() and an operator = of mallory''s') FROM id;
SET search_path = public, pg_catalog;
SELECT is(state('SELECT orchestration.' || c), '42501', c || ' is not his')
  FROM unnest(ARRAY[$$purge_runs('0')$$, 'remove_expired()', 'next_messages()', $$message_sent('{}')$$, $$message_failed('00000000-0000-0000-0000-000000000000', 'x')$$, $$remind_assignees('0')$$, 'listen_for_messages(1)', $$set_layout('FlowOrchestrationInstance', NULL)$$, $$set_history_tracking('FlowOrchestrationInstance', '{}')$$, $$set_feed_tracking('FlowOrchestrationInstance', '{}')$$, 'system_modstamp()']) c;
-- B3.11: triggers are not the only guard of UPDATE.  A role that may set
-- session_replication_role changes no refused column, with Read, with Edit or as the owner.
RESET ROLE;
CREATE ROLE regress_replica;
SELECT orchestration.create_user('attack-replica', 'Replica', 'regress_replica') AS replica \gset
GRANT SET ON PARAMETER session_replication_role TO regress_replica;
SELECT orchestration.share_record(r, :'replica', l) FROM id, unnest(ARRAY[run, stage, step, item]) r, (VALUES ('Read'::orchestration.access_level)) v (l) \g /dev/null
SELECT status AS victim_status FROM orchestration.run WHERE name = 'victim-run' \gset
CREATE TEMP TABLE change AS SELECT * FROM (VALUES ('run', $$UPDATE orchestration.run SET status = 'Suspended' WHERE name = 'victim-run'$$), ('run', $$UPDATE orchestration.run SET interview_id = id WHERE name = 'victim-run'$$),
    ('run', $$UPDATE orchestration.flow_orchestration_instance SET status = 'Canceled' WHERE name = 'victim-run'$$), ('stage', $$UPDATE orchestration.stage_run SET owner_id = orchestration.acting_user_id() WHERE label = 'secret'$$),
    ('step', $$UPDATE orchestration.flow_orchestration_step_instance SET owner_id = orchestration.acting_user_id() WHERE label = 'secret'$$), ('work item', $$UPDATE orchestration.work_item SET assignee_id = orchestration.acting_user_id() WHERE label = 'secret'$$),
    ('work item', $$UPDATE orchestration.work_item SET owner_id = orchestration.acting_user_id() WHERE label = 'secret'$$)) v (object, statement);
GRANT SELECT ON change TO PUBLIC;
SET ROLE regress_replica;
SELECT matches(said(statement), '^42501 . user "Replica" may not .*' || object || '( "\w+" of run)? [\w-]+ . It needs', 'B3.11: the guard: ' || statement) FROM change;
SET session_replication_role = replica;
SELECT matches(said(statement), '^42501 . user "Replica" may not change ' || object || '( "\w+" of run)? [\w-]+ while session_replication_role is replica . The triggers that check rights and statuses do not fire then\. . Set session_replication_role to origin\.$',
          'B3.11: replica, with Read: ' || statement) FROM change;
SELECT is(orchestration.update(jsonb_build_array(jsonb_build_object('attributes', '{"type": "FlowOrchestrationInstance"}'::jsonb, 'Id', run, 'Status', 'Suspended')))->0->>'success', 'false', 'B3.11: update() too') FROM id;
SET session_replication_role = local;
SELECT matches(said(statement), '^42501 . user "Replica" may not .*' || object || '( "\w+" of run)? [\w-]+ . It needs', 'B3.11: local: ' || statement) FROM change;
SET session_replication_role = origin;
RESET ROLE;
SELECT orchestration.share_record(r, :'replica', 'Edit') FROM id, unnest(ARRAY[run, stage, step, item]) r \g /dev/null
SET ROLE regress_replica;
SET session_replication_role = replica;
SELECT is(state(statement), '42501', 'B3.11: replica, with Edit: ' || statement) FROM change;
SET session_replication_role = origin;
RESET ROLE;
SELECT orchestration.unshare_record(r, :'replica') FROM id, unnest(ARRAY[run, stage, step, item]) r \g /dev/null
SELECT is((SELECT status::text FROM orchestration.run WHERE name = 'victim-run'), :'victim_status', 'B3.11: no row was changed');

-- a user who sees the run, but did not write the posts in its feed
RESET ROLE;
SELECT orchestration.share_record(:'run', :'third') \g /dev/null
GRANT regress_third TO CURRENT_USER;
SELECT orchestration.update_user(:'third', role_name => 'regress_third') \g /dev/null
SET ROLE regress_third;
SELECT is((SELECT count(*) FROM orchestration.feed_item), 1::bigint, 'a user who may read the run reads its feed');
SELECT is(state(format('DELETE FROM orchestration.feed_item WHERE id = %L', post)), '42501', 'but deletes no post of another user, in the table') FROM id;
SELECT is(state(format('DELETE FROM orchestration.flow_orchestration_instance_feed WHERE id = %L', post)), '42501', 'nor in the view') FROM id;
SELECT is(orchestration.delete(ARRAY[post::text])->0->'errors'->0->>'statusCode', 'INSUFFICIENT_ACCESS_OR_READONLY', 'nor by the call') FROM id;
SELECT is(state('UPDATE orchestration.field_change SET new_value = NULL'), '42501', 'no user writes history');
SELECT is(state('DELETE FROM orchestration.record_view'), '42501', 'nor dates of viewed records');
SELECT is((SELECT count(*) FROM orchestration.flow_orchestration_stage_instance_history), 0::bigint, 'the history of its stages follows the stages');
RESET ROLE;

SELECT is_empty('SELECT * FROM orchestration.verify() WHERE invariant NOT LIKE ''log%''', 'verify()');
SELECT * FROM finish();
ROLLBACK;
