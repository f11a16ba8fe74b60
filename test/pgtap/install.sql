-- install: objects that CREATE and DROP EXTENSION leave.  The file runs in its own
-- transaction, which is rolled back.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;
SELECT plan(6);

DROP EXTENSION orchestration CASCADE;
SELECT is((SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestration'), 0::bigint, 'DROP EXTENSION drops the schema');
SELECT is((SELECT count(*) FROM pg_proc WHERE probin LIKE '%orchestration%'), 0::bigint, 'and every function');
SELECT is((SELECT count(*) FROM pg_roles WHERE rolname LIKE '%orchestration%'), 0::bigint, 'no role was created');
CREATE SCHEMA orchestration;
SELECT throws_ok('CREATE EXTENSION orchestration', '42P06', NULL, 'an existing schema of that name stops CREATE EXTENSION');
DROP SCHEMA orchestration;
SELECT lives_ok('CREATE EXTENSION orchestration', 'it can be created again in the same session');
SELECT is_empty('SELECT * FROM orchestration.verify()', 'and works');
SELECT * FROM finish();
ROLLBACK;
