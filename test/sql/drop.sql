-- DROP EXTENSION, which deletes every run, is refused while runs are open.  In a database of
-- its own, where the extension belongs to a superuser whom initdb did not make.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\set database :DBNAME
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_drop_owner SUPERUSER;
CREATE ROLE regress_drop_other;
CREATE DATABASE regress_drop TEMPLATE template0;
\c regress_drop
SET client_min_messages = warning;
SET SESSION AUTHORIZATION regress_drop_owner;
CREATE EXTENSION orchestration;
RESET SESSION AUTHORIZATION;
\i :helper
\pset format unaligned
\pset tuples_only on
SELECT orchestration.register_action('Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT pg_temp.orchestration('Waits', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Screen')))));

--
-- No run, one, two
--
BEGIN;
DROP EXTENSION orchestration;
SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestration';
ROLLBACK;
SELECT orchestration.start_orchestration('Waits') IS NOT NULL;
DROP EXTENSION orchestration;
\echo :LAST_ERROR_SQLSTATE
SELECT orchestration.start_orchestration('Waits') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run()) IS NOT NULL;
DROP EXTENSION orchestration;
DROP EXTENSION orchestration RESTRICT;
DROP EXTENSION IF EXISTS nothing, orchestration;
DO $$ BEGIN DROP EXTENSION orchestration; END $$;
BEGIN ISOLATION LEVEL SERIALIZABLE;
DROP EXTENSION orchestration;
ROLLBACK;
-- the others are not concerned
DROP EXTENSION IF EXISTS nothing;
DROP EXTENSION nothing;
SELECT count(*) FROM orchestration.run;

--
-- CASCADE
--
BEGIN;
DROP EXTENSION orchestration CASCADE;
SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestration';
SELECT count(*) FROM pg_event_trigger;
ROLLBACK;

--
-- Who may not drop it, does not learn of runs
--
SET ROLE regress_drop_other;
DROP EXTENSION orchestration;
RESET ROLE;

--
-- Other commands
--
DROP SCHEMA orchestration CASCADE;
DROP TABLE orchestration.run CASCADE;
DROP EVENT TRIGGER orchestration_drop_command;
DROP OWNED BY regress_drop_owner;
DROP OWNED BY regress_drop_other, regress_drop_owner;
DROP OWNED BY regress_drop_other;
DROP OWNED BY regress_drop_nobody;
SET ROLE regress_drop_other;
DROP OWNED BY regress_drop_owner;
RESET ROLE;
SELECT count(*) FROM orchestration.run;
BEGIN;
DROP OWNED BY regress_drop_owner CASCADE;
SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestration';
ROLLBACK;

--
-- Where event triggers of the origin do not fire
--
BEGIN;
SET LOCAL session_replication_role = replica;
DROP EXTENSION orchestration;
ROLLBACK;
BEGIN;
ALTER EVENT TRIGGER orchestration_drop_command DISABLE;
DROP EXTENSION orchestration;
ROLLBACK;

--
-- A damaged extension: CASCADE reads none of its tables
--
BEGIN;
ALTER TABLE orchestration.run RENAME TO gone;
SAVEPOINT a;
DROP EXTENSION orchestration;
ROLLBACK TO a;
DROP EXTENSION orchestration CASCADE;
ROLLBACK;
BEGIN;
ALTER TYPE orchestration.run_status RENAME TO gone;
DROP EXTENSION orchestration CASCADE;
ROLLBACK;

--
-- Ended runs are dropped without a question
--
BEGIN;
SELECT orchestration.cancel_run(id) IS NOT NULL FROM orchestration.run;
SELECT DISTINCT status FROM orchestration.run;
DROP EXTENSION orchestration;
ROLLBACK;
SELECT orchestration.cancel_run(id) IS NOT NULL FROM orchestration.run;
SELECT * FROM orchestration.verify();
-- a table outside is PostgreSQL's reason
CREATE TABLE paper (id integer PRIMARY KEY);
SELECT orchestration.register_record_type('Paper', 'paper');
BEGIN;
DROP EXTENSION orchestration;
ROLLBACK;
DROP EXTENSION orchestration CASCADE;
\c :database
DROP DATABASE regress_drop;
DROP ROLE regress_drop_owner, regress_drop_other;
