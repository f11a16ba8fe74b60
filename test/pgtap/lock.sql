-- lock: only owners and superusers get a lock on a table or view of the extension that would
-- make other sessions wait.
--
-- LOCK TABLE asks for privileges of the table: SELECT is enough for ACCESS SHARE, which readers
-- take anyway; UPDATE, DELETE, TRUNCATE or MAINTAIN on the whole table for every mode; INSERT for
-- ROW EXCLUSIVE.  So none of them is granted; column privileges are, because they allow no
-- lock.  Generated over the catalog: each table and
-- view x each mode x each role.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SELECT no_plan();

CREATE ROLE regress_lock_nobody;
CREATE ROLE regress_lock_idle;
CREATE ROLE regress_lock_owner;
CREATE ROLE regress_lock_boss;
CREATE ROLE regress_lock_gateway;
CREATE ROLE regress_lock_writer;
CREATE ROLE regress_lock_deleter;
GRANT SET ON PARAMETER orchestration.user_id TO regress_lock_gateway;
GRANT pg_write_all_data TO regress_lock_writer;
SELECT orchestration.create_user('lock-idle', 'Idle', 'regress_lock_idle') AS idle, orchestration.create_user('lock-owner', 'Owner', 'regress_lock_owner') AS owner,
       orchestration.create_user('lock-boss', 'Boss', 'regress_lock_boss') AS boss, orchestration.create_user('lock-deleter', 'Deleter', 'regress_lock_deleter') AS deleter,
       orchestration.create_group('Lock_Group') AS grp \gset
SELECT orchestration.update_user(:'boss', modify_all_data => true, view_all_data => true, manage_definitions => true, manage_runs => true, reassign_work_items => true) \g /dev/null
INSERT INTO orchestration.run (name, owner_id, status) VALUES ('lock-run', :'owner', 'InProgress') RETURNING id AS run \gset
INSERT INTO orchestration.stage_run (run_id, name, label, position, status, owner_id) VALUES (:'run', 'S', 'S', 1, 'InProgress', :'owner') RETURNING id AS stage \gset
INSERT INTO orchestration.step_run (run_id, stage_run_id, name, label, step_type, status, owner_id) VALUES (:'run', :'stage', 'I', 'I', 'InteractiveStep', 'InProgress', :'owner') RETURNING id AS step \gset
INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id, owner_id) VALUES (:'run', :'step', 'Assigned', :'owner', :'owner');
SET ROLE regress_lock_owner;
SELECT orchestration.post_to_feed(:'run', 'mine') AS post, orchestration.share_record(:'run', :'deleter') AS share \gset
SELECT orchestration.post_to_feed(:'stage', 'of the stage') AS stage_post \gset
SET ROLE regress_lock_deleter;
SELECT orchestration.post_to_feed(:'run', 'of the deleter') AS deleters \gset
RESET ROLE;

CREATE FUNCTION public.lock_as(role_name name, relation regclass, mode text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role_name);
    EXECUTE format('LOCK TABLE %s IN %s MODE NOWAIT', relation, mode);
    RAISE EXCEPTION USING ERRCODE = '2F000', MESSAGE = 'locked';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN '2F000' THEN 'locked' WHEN '42501' THEN 'refused' ELSE SQLSTATE || ' ' || SQLERRM END;
END $$;
CREATE TEMP TABLE mode AS SELECT mode, n FROM unnest(ARRAY['ACCESS SHARE', 'ROW SHARE', 'ROW EXCLUSIVE', 'SHARE UPDATE EXCLUSIVE', 'SHARE', 'SHARE ROW EXCLUSIVE', 'EXCLUSIVE', 'ACCESS EXCLUSIVE']) WITH ORDINALITY x (mode, n);
CREATE TEMP TABLE relation AS SELECT c.oid::regclass AS name, c.relkind FROM pg_class c WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
CREATE TEMP TABLE tried AS
SELECT role_name, r.name, r.relkind, m.mode, public.lock_as(role_name, r.name, m.mode) AS result
  FROM unnest('{regress_lock_nobody,regress_lock_idle,regress_lock_owner,regress_lock_boss,regress_lock_gateway}'::name[]) role_name, relation r, mode m;

SELECT ok((SELECT count(*) FROM relation WHERE relkind = 'r') > 25 AND (SELECT count(*) FROM relation WHERE relkind = 'v') > 20, 'there are tables and views');
SELECT is((SELECT count(*) FROM tried), 5 * 8 * (SELECT count(*) FROM relation), 'each lock was tried on each');
SELECT is_empty(format('SELECT name, result FROM tried WHERE role_name = %L AND mode = %L AND result <> ALL (CASE mode WHEN ''ACCESS SHARE'' THEN ''{locked,refused}'' ELSE ''{refused}'' END::text[])', role_name, mode),
                format('%s: %s on no table and no view', role_name, mode))
  FROM unnest('{regress_lock_nobody,regress_lock_idle,regress_lock_owner,regress_lock_boss,regress_lock_gateway}'::name[]) role_name, mode ORDER BY role_name, n;
-- from the catalog, so that privileges of later versions are included
SELECT is_empty($$SELECT c.oid::regclass, x.privilege_type FROM pg_class c, aclexplode(c.relacl) x
                   WHERE c.relnamespace = 'orchestration'::regnamespace AND x.grantee <> c.relowner AND x.privilege_type <> 'SELECT'$$,
                'on whole tables and views only SELECT is granted');

-- the calls delete records that the user may delete
SET ROLE regress_lock_owner;
SELECT is(orchestration.delete(ARRAY[:'post'])->0->>'success', 'true', 'delete() of an own feed item');
SELECT is(orchestration.delete(ARRAY[:'stage_post'])->0->>'success', 'true', 'delete() of a feed item on a stage');
SELECT is(orchestration.delete(ARRAY[:'deleters'])->0->'errors'->0->>'statusCode', 'INSUFFICIENT_ACCESS_OR_READONLY', 'delete() of another user''s is refused');
SELECT is((SELECT count(*)::integer FROM orchestration.feed_item WHERE id = :'deleters'), 1, 'and it still exists');
SELECT is(orchestration.delete(ARRAY[:'share'])->0->>'success', 'true', 'delete() of a share');
SELECT is(orchestration.delete(ARRAY[:'share'])->0->'errors'->0->>'statusCode', 'INVALID_CROSS_REFERENCE_KEY', 'once');
SET ROLE regress_lock_boss;
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', :'grp', :'deleter') AS rule \gset
SELECT is(orchestration.delete(ARRAY[:'rule'])->0->>'success', 'true', 'delete() of a rule');
SELECT is(orchestration.delete(ARRAY[:'rule'])->0->'errors'->0->>'statusCode', 'ENTITY_IS_DELETED', 'once');
RESET ROLE;
SELECT is_empty(format('SELECT FROM orchestration.feed_item WHERE id IN (%L, %L) UNION ALL SELECT FROM orchestration.share_grant WHERE id = %L UNION ALL SELECT FROM orchestration.owner_sharing_rule WHERE id = %L', :'post', :'stage_post', :'share', :'rule'), 'they are deleted');

-- an administrator may grant DELETE on a view: the trigger decides as the call does, and no table
-- can be locked; the view itself can be locked, so grant it only to trusted roles
GRANT DELETE ON orchestration.flow_orchestration_instance_feed, orchestration.flow_orchestration_instance_share TO regress_lock_deleter;
SET ROLE regress_lock_owner;
SELECT orchestration.post_to_feed(:'run', 'again mine') AS post, orchestration.share_record(:'run', :'deleter') AS share \gset
SET ROLE regress_lock_deleter;
SELECT throws_ok(format('DELETE FROM orchestration.flow_orchestration_instance_feed WHERE id = %L', :'post'), '42501', format('user "Deleter" may not delete feed item %s', :'post'), 'a granted DELETE on the view of a feed: not another user''s items');
SELECT lives_ok(format('DELETE FROM orchestration.flow_orchestration_instance_feed WHERE id = %L', :'deleters'), 'own items');
SELECT throws_ok(format('DELETE FROM orchestration.feed_item WHERE id = %L', :'deleters'), '42501', NULL, 'the table remains closed');
RESET ROLE;
SELECT is_empty(format('SELECT FROM orchestration.feed_item WHERE id = %L', :'deleters'), 'it is deleted');
SELECT is_empty($$SELECT r.name, m.mode FROM relation r, mode m WHERE m.mode <> 'ACCESS SHARE' AND public.lock_as('regress_lock_deleter', r.name, m.mode) <> 'refused'
                     AND r.name NOT IN ('orchestration.flow_orchestration_instance_feed'::regclass, 'orchestration.flow_orchestration_instance_share'::regclass)$$,
                'and the grant allows no other lock');

-- pg_write_all_data does not bypass row security
CREATE FUNCTION public.written(role_name name, statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role_name);
    EXECUTE statement;
    GET DIAGNOSTICS n = ROW_COUNT;
    RESET ROLE;
    RETURN n;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN 0;
END $$;
SELECT is_empty($$SELECT r.name FROM relation r WHERE r.relkind = 'r' AND public.written('regress_lock_writer', format('DELETE FROM %s', r.name)) > 0$$, 'pg_write_all_data deletes nothing');
SELECT is_empty($$SELECT r.name FROM relation r, LATERAL (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = r.name AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' LIMIT 1) a
                   WHERE r.relkind = 'r' AND public.written('regress_lock_writer', format('UPDATE %s SET %2$I = %2$I', r.name, a.attname)) > 0$$, 'and updates nothing');
SELECT is_empty($$SELECT r.name FROM relation r WHERE r.relkind = 'r' AND public.written('regress_lock_writer', format('INSERT INTO %s DEFAULT VALUES', r.name)) > 0$$, 'nor inserts anything');
-- a right that PostgreSQL itself gives.  If it changes, change doc/sharing.md.
SELECT is(public.lock_as('regress_lock_writer', 'orchestration.feed_item', 'ACCESS EXCLUSIVE'), 'locked', 'pg_write_all_data locks every table');
SELECT is_empty('SELECT * FROM orchestration.verify() WHERE invariant NOT LIKE ''log%''', 'verify()');
SELECT * FROM finish();
ROLLBACK;
