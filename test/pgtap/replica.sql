-- replica: writes to a table that sessions cache invalidate the caches, whichever process writes,
-- and the sequences can be set past the rows.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;
SELECT plan(22);

-- ---- the caches.  Each table is in one of two lists; add each new table to one of them.
CREATE TEMP TABLE kept (name text PRIMARY KEY, by_whom text NOT NULL);
INSERT INTO kept VALUES
    ('principal', 'access.c, principal.c'), ('membership', 'access.c'), ('default_access', 'access.c'), ('approval_delegation', 'access.c'),
    ('owner_sharing_rule', 'access.c'), ('share_grant', 'access.c'), ('record_type', 'record.c, describe.c'),
    ('action', 'action.c'), ('orchestration_definition', 'definition.c'), ('orchestration_version', 'definition.c'),
    ('field_tracking', 'history.c'), ('sobject', 'sobject.c'), ('sobject_field', 'sobject.c'),
    ('sobject_picklist_value', 'sobject.c'), ('sobject_child_relationship', 'sobject.c');
CREATE TEMP TABLE read_each_time (name text PRIMARY KEY);
INSERT INTO read_each_time VALUES
    ('run'), ('stage_run'), ('step_run'), ('work_item'), ('run_record'), ('step_queue'), ('step_attempt'), ('run_log'), ('run_migration'), ('definition_log'),
    ('field_change'), ('feed_item'), ('feed_comment'), ('feed_like'), ('feed_tracked_change'), ('record_view'),
    ('submission'), ('submission_item'), ('submission_detail'), ('message'), ('step_message'), ('reminder'), ('tombstone'), ('tombstone_horizon'), ('global_value'), ('sobject_layout'),
    ('query_locator'), ('query_locator_page'),    -- unlogged: not replicated
    ('secret');    -- cached, but not replicated; see README, "Replicas"

SELECT set_eq(
    $$SELECT relname::text FROM pg_class WHERE relnamespace = 'orchestration'::regnamespace AND relkind IN ('r', 'p')$$,
    $$SELECT name FROM kept UNION ALL SELECT name FROM read_each_time$$,
    'every table is in the list of cached or of other tables');

CREATE TEMP VIEW dropper AS
SELECT c.relname::text AS name, g.tgenabled AS enabled, g.tgname, g.tgqual,
       g.tgtype & 1 = 1 AS each_row, g.tgtype & 66 = 0 AS after, (g.tgtype & 4 > 0) AS on_insert,
       (g.tgtype & 8 > 0) AS on_delete, (g.tgtype & 16 > 0) AS on_update, (g.tgtype & 32 > 0) AS on_truncate,
       g.tgattr::text AS columns
  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
 WHERE g.tgfoid = 'orchestration_internal.invalidate_cache()'::regprocedure;
SELECT set_eq(
    'SELECT name FROM dropper WHERE each_row AND after AND on_insert AND on_update AND on_delete AND tgqual IS NULL AND columns = ''''',
    'SELECT name FROM kept', 'each cached table has a row trigger for INSERT, UPDATE and DELETE, and no other table has one');
SELECT set_eq('SELECT name FROM dropper WHERE NOT each_row AND after AND on_truncate',
    'SELECT name FROM kept', 'and a trigger for TRUNCATE');
SELECT is_empty($$SELECT * FROM dropper WHERE enabled <> 'A'$$, 'these triggers fire always, for an apply worker too');
-- the tables whose OIDs the C code compares with invalidations
SELECT lives_ok('SELECT orchestration.acting_user_id()', 'the C code knows all cached tables');

-- ENABLE TRIGGER ALL, the last command of a restore with --disable-triggers, leaves them so
ALTER TABLE orchestration.principal DISABLE TRIGGER ALL;
SELECT is((SELECT count(*) FROM dropper WHERE enabled <> 'A'), 2::bigint, 'triggers can be disabled');
SELECT results_eq($$SELECT DISTINCT invariant FROM orchestration.verify()$$, $$VALUES ('caches are dropped for replicated rows')$$, 'verify() reports that');
ALTER TABLE orchestration.principal ENABLE TRIGGER ALL;
ALTER TABLE orchestration.action DISABLE TRIGGER USER;
ALTER TABLE orchestration.action ENABLE TRIGGER USER;
ALTER TABLE orchestration.membership DISABLE TRIGGER membership_invalidate_cache;
ALTER TABLE orchestration.membership ENABLE TRIGGER membership_invalidate_cache;
SELECT is_empty($$SELECT * FROM dropper WHERE enabled <> 'A'$$, 'enabled again, the triggers fire always');

-- ---- publications: rows can be updated and deleted on the subscriber
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind = 'r'
    AND (c.relreplident <> 'd' OR NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))$$, 'each table has a replica identity');

-- ---- a registered table whose triggers are missing, after a restore of data alone
CREATE TABLE replica_order (id integer PRIMARY KEY);
SELECT orchestration.register_record_type('ReplicaOrder', 'replica_order');
DROP TRIGGER orchestration_record_change ON replica_order;
SELECT results_eq('SELECT invariant, detail FROM orchestration.verify()', $$VALUES ('triggers of a record type', 'ReplicaOrder public.replica_order')$$, 'verify() finds a table without triggers, whose rows would start no orchestration');
SELECT orchestration.register_record_type('ReplicaOrder', 'replica_order');
SELECT is_empty('SELECT * FROM orchestration.verify()', 'registered again, it has its triggers');

-- ENABLE TRIGGER ALL makes them fire like other triggers, wherever it stands in the command
ALTER TABLE orchestration.principal DISABLE TRIGGER principal_keep, ENABLE TRIGGER ALL;
SELECT is_empty($$SELECT tgname FROM pg_trigger WHERE tgrelid = 'orchestration.principal'::regclass AND tgname LIKE '%invalidate%' AND tgenabled <> 'A'$$, 'triggers that invalidate caches fire always again');

-- ---- advance_sequences()
SELECT ok(NOT has_function_privilege('public', 'orchestration.advance_sequences()', 'EXECUTE'), 'only an administrator may execute it');
INSERT INTO orchestration.run (name, status, ended_at) VALUES
    ('OR-00400000', 'Completed', now()), ('OR-99999999999999999999', 'Completed', now()), ('or-00500000', 'Completed', now()), ('OR-5', 'Completed', now()), ('OR-00500000 ', 'Completed', now());
SELECT results_eq('SELECT * FROM orchestration.advance_sequences() WHERE sequence = ''run_name_seq''', $$VALUES ('run_name_seq', 400000::bigint)$$, 'the sequence is past the greatest name that is a number');
INSERT INTO orchestration.run (status, ended_at) VALUES ('Completed', now());
SELECT is((SELECT count(*) FROM orchestration.run WHERE name = 'OR-00400001'), 1::bigint, 'the next run has the next number');
INSERT INTO orchestration.run_log (run_id, number, kind) SELECT id, 9000000, 'StartInstance' FROM orchestration.run WHERE name = 'OR-00400000';
SELECT setval('orchestration.work_item_name_seq', 700000);
-- rows of approvals, as a subscriber has them
SET session_replication_role = replica;
INSERT INTO orchestration.submission (run_id, owner_id, submitted_by, name, status)
SELECT orchestration.new_id(), id, id, n, 'InProgress' FROM orchestration.principal, unnest('{AS-000800000,AS-99999999,as-000900000,AS-9999999999999}'::text[]) n WHERE id = '00000000-0000-7000-8000-000000000001';
INSERT INTO orchestration.submission_item (run_id, owner_id, submission_id, work_item_id, assigned_to, name, status)
SELECT run_id, owner_id, id, id, owner_id, CASE name WHEN 'AS-000800000' THEN 'AWI-1234567890' ELSE 'AWI-' || id END, 'Assigned' FROM orchestration.submission;
INSERT INTO orchestration.submission_detail (run_id, owner_id, submission_id, action, performer_role, channel, name)
SELECT run_id, owner_id, id, 'Recall', 'System', 'System', CASE name WHEN 'AS-000800000' THEN 'ASD-999999999' ELSE 'ASD-' || id END FROM orchestration.submission;
SET session_replication_role = origin;
SELECT set_eq('SELECT * FROM orchestration.advance_sequences()',
    $$VALUES ('run_name_seq', 400001::bigint), ('run_log_number_seq', 9000000), ('work_item_name_seq', 700000),
             ('submission_name_seq', 800000), ('submission_item_name_seq', 1234567890), ('submission_detail_name_seq', 999999999)$$, 'log entries too; no sequence goes back');
SELECT cmp_ok(nextval('orchestration.run_log_number_seq'), '>', 9000000::bigint, 'the next entry comes after the others');
SELECT cmp_ok(nextval('orchestration.work_item_name_seq'), '=', 700001::bigint, 'and no number is given twice');
INSERT INTO orchestration.run (id, status, is_approval) VALUES ('00000000-0000-7000-8000-00000000feed', 'InProgress', true);
INSERT INTO orchestration.submission (run_id, owner_id, submitted_by, status) VALUES ('00000000-0000-7000-8000-00000000feed', '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', 'InProgress');
SELECT is((SELECT name FROM orchestration.submission WHERE run_id = '00000000-0000-7000-8000-00000000feed'), 'AS-000800001', 'the next submission has the next number');
SELECT set_eq('SELECT sequence FROM orchestration.advance_sequences()',
    $$SELECT relname::text FROM pg_class WHERE relnamespace = 'orchestration'::regnamespace AND relkind = 'S'$$, 'every sequence of the extension is advanced');
-- numbers of more than eight digits
INSERT INTO orchestration.run (name, status, ended_at) VALUES ('OR-123456789', 'Completed', now()), ('OR-023456789', 'Completed', now());
SELECT set_has('SELECT * FROM orchestration.advance_sequences()', $$VALUES ('run_name_seq', 123456789::bigint)$$, 'numbers become longer');
INSERT INTO orchestration.run (status, ended_at) VALUES ('Completed', now());
SELECT is((SELECT count(*) FROM orchestration.run WHERE name = 'OR-123456790'), 1::bigint, 'and so does the next name');
SELECT * FROM finish();
ROLLBACK;
