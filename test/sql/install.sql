-- Every object of the extension, with its owner (the installing superuser: "us")
-- and its grants to others.  Columns: test/pgtap/contract.sql.
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) COLLATE "C" AS object,
       CASE WHEN (SELECT a.rolsuper FROM pg_roles a WHERE a.oid = COALESCE(p.proowner, c.relowner, t.typowner, n.nspowner, v.evtowner, l.collowner)) THEN 'us' ELSE 'somebody else' END AS owner,
       (SELECT string_agg(CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE 'somebody' END || '=' || x.privilege_type, ' ' ORDER BY x.grantee, x.privilege_type)
          FROM aclexplode(COALESCE(p.proacl, c.relacl, n.nspacl)) x
         WHERE x.grantee <> COALESCE(p.proowner, c.relowner, n.nspowner)) AS granted
  FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'orchestration'
  LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
  LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
  LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
  LEFT JOIN pg_namespace n ON d.classid = 'pg_namespace'::regclass AND n.oid = d.objid
  LEFT JOIN pg_event_trigger v ON d.classid = 'pg_event_trigger'::regclass AND v.oid = d.objid
  LEFT JOIN pg_collation l ON d.classid = 'pg_collation'::regclass AND l.oid = d.objid
 WHERE d.deptype = 'e' AND (t.oid IS NULL OR t.typtype = 'e')
 ORDER BY 1;

-- The extension is recorded in pg_catalog, whatever search_path says, and its objects lie in
-- its own schema.  It survives when schema public, or the first of search_path, is dropped.
SELECT n.nspname, e.extrelocatable FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'orchestration';
SET client_min_messages = error;
BEGIN;
DROP SCHEMA public CASCADE;
SELECT extname FROM pg_extension WHERE extname = 'orchestration';
SELECT orchestration.create_user('install@example.com', 'Install') IS NOT NULL AS it_works;
ROLLBACK;
BEGIN;
DROP EXTENSION orchestration CASCADE;
CREATE SCHEMA first;
SET LOCAL search_path = first, public;
CREATE EXTENSION orchestration;
DROP SCHEMA first;
SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'orchestration';
ROLLBACK;
-- it cannot be installed into another schema, nor where a schema of its name exists
BEGIN;
DROP EXTENSION orchestration CASCADE;
SAVEPOINT a;
CREATE EXTENSION orchestration SCHEMA public;
ROLLBACK TO a;
\set SHOW_CONTEXT never
CREATE SCHEMA orchestration;
CREATE EXTENSION orchestration;
ROLLBACK;
RESET client_min_messages;
