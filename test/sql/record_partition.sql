-- record_partition: records that are removed without a row trigger: TRUNCATE, DETACH and
-- DROP of registered tables and their partitions (src/record/record_partition.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SELECT orchestration.register_action('Part_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann', 'regress_part_ann');
SELECT pg_temp.person('max@example.com', 'Max', 'regress_part_max');
SELECT orchestration.update_user(id, modify_all_data => true) FROM orchestration."user" WHERE username = 'max@example.com';
CREATE ROLE regress_part_ann;
CREATE ROLE regress_part_max;
CREATE ROLE regress_part_owner;
CREATE SCHEMA part AUTHORIZATION regress_part_owner;
CREATE FUNCTION pg_temp.waits(name text, type text, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.orchestration(name, 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('Person', 'I', 'Part_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}') || '{"actionType": "stepApproval"}' || more))),
        jsonb_build_object('object', type, 'triggerType', 'RecordAfterSave', 'recordTriggerType', 'Create')) $$;
-- runs and work items with their record, and those whose record was removed
CREATE FUNCTION pg_temp.lookups() RETURNS TABLE (records text, without bigint, items bigint) LANGUAGE sql AS $$
    SELECT string_agg(r.triggering_record_type || ' ' || r.triggering_record_id, ', ' ORDER BY r.triggering_record_type, r.triggering_record_id::int),
           count(*) FILTER (WHERE r.triggering_record_id IS NULL), count(w.related_record_id)
      FROM orchestration.run r JOIN orchestration.work_item w ON w.run_id = r.id $$;
SET ROLE regress_part_owner;
CREATE TABLE part.p (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id);
CREATE TABLE part.p0 PARTITION OF part.p FOR VALUES FROM (0) TO (100);
CREATE TABLE part.p1 PARTITION OF part.p FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id);
CREATE TABLE part.p10 PARTITION OF part.p1 FOR VALUES FROM (100) TO (150);
RESET ROLE;
SELECT orchestration.register_record_type('Part', 'part.p');
-- created, attached, below another, in CREATE SCHEMA, by the owner, after the table was registered
SET ROLE regress_part_owner;
CREATE TABLE part.p2 PARTITION OF part.p FOR VALUES FROM (200) TO (300);
CREATE TABLE part.p11 (note text, id integer NOT NULL);
INSERT INTO part.p11 VALUES ('there before', 170);
ALTER TABLE part.p1 ATTACH PARTITION part.p11 FOR VALUES FROM (150) TO (200);
CREATE TABLE part.p3 (id integer NOT NULL, note text) PARTITION BY RANGE (id);
CREATE TABLE part.p30 PARTITION OF part.p3 FOR VALUES FROM (300) TO (350);
ALTER TABLE part.p ATTACH PARTITION part.p3 FOR VALUES FROM (300) TO (400);
RESET ROLE;
CREATE SCHEMA part_two CREATE TABLE part_two.p4 PARTITION OF part.p FOR VALUES FROM (400) TO (500);
CREATE TABLE part.other (id integer) PARTITION BY RANGE (id);
CREATE TABLE part.other_0 PARTITION OF part.other DEFAULT;
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 > 0 AND tgname LIKE 'orchestration%' AND tgrelid::regclass::text LIKE 'part%' ORDER BY tgrelid::regclass::text;
SELECT pg_temp.waits('Part_Waits', 'Part');
INSERT INTO part.p SELECT n FROM generate_series(1, 401, 50) n WHERE n <> 351;
SELECT orchestration.start_orchestration('Part_Waits', '170') IS NOT NULL;
SELECT * FROM pg_temp.lookups();
-- each kind of partition, alone and with others; rolled back
TRUNCATE part.p0;
SELECT * FROM pg_temp.lookups();
BEGIN;
TRUNCATE part.p11, part.p2;
SELECT * FROM pg_temp.lookups();
ROLLBACK;
SELECT * FROM pg_temp.lookups();
TRUNCATE part.p11;
TRUNCATE part.p1, part_two.p4;
SELECT * FROM pg_temp.lookups();
SELECT * FROM orchestration.verify();
-- a detached partition: its rows are no longer records
BEGIN;
ALTER TABLE part.p DETACH PARTITION part.p3;
SELECT * FROM pg_temp.lookups();
SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'orchestration_record_truncate' AND tgrelid::regclass::text LIKE 'part.p3%';
TRUNCATE part.p3;
SELECT * FROM orchestration.verify();
ROLLBACK;
ALTER TABLE part.p DETACH PARTITION part.p3 CONCURRENTLY;
SELECT * FROM pg_temp.lookups();
SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'orchestration_record_truncate' AND tgrelid::regclass::text LIKE 'part.p3%';
ALTER TABLE part.p ATTACH PARTITION part.p3 FOR VALUES FROM (300) TO (400);
SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'orchestration_record_truncate' AND tgrelid::regclass::text LIKE 'part.p3%' ORDER BY 1;
SELECT * FROM orchestration.verify();
-- dropped, by its owner
SET ROLE regress_part_owner;
DROP TABLE part.p2;
RESET ROLE;
SELECT * FROM pg_temp.lookups();
SELECT * FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('Part_Waits'), pg_temp.clean_up();
--
-- shouldLock: the same rules hold for TRUNCATE as for DELETE
--
TRUNCATE part.p;
SELECT pg_temp.waits('Part_Locks', 'Part', '{"shouldLock": true, "canAssigneeEdit": true}');
INSERT INTO part.p VALUES (1), (101), (301);
UPDATE orchestration.work_item SET status = 'Completed' WHERE related_record_id = '101';
GRANT USAGE ON SCHEMA part TO PUBLIC;
GRANT TRUNCATE, SELECT ON part.p, part.p0, part.p1, part.p10, part.p11 TO PUBLIC;
CREATE FUNCTION pg_temp.truncate(role name, tables text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        EXECUTE format('SET LOCAL ROLE %I', role);
        EXECUTE 'TRUNCATE ' || tables;
        RESET ROLE;
        result := format('done, %s left, %s lookups', (SELECT count(*) FROM part.p), (SELECT count(*) FROM orchestration.run WHERE triggering_record_id IS NOT NULL));
        RAISE 'undo';
    EXCEPTION WHEN OTHERS THEN
        RETURN CASE WHEN SQLERRM = 'undo' THEN result ELSE SQLSTATE || ': ' || SQLERRM END;
    END;
END$$;
SELECT r.role, t.tables, pg_temp.truncate(r.role, t.tables)
  FROM (VALUES ('regress_part_owner'), ('regress_part_ann'), ('regress_part_max'), (current_user)) r (role),
       (VALUES ('part.p'), ('part.p0'), ('part.p1'), ('part.p10'), ('part.p11, part.p0')) t (tables);
-- Ann is no longer the assignee
SELECT orchestration.reassign_work_item(w.id, u.id) FROM orchestration.work_item w, orchestration."user" u WHERE w.status = 'Assigned' AND w.related_record_id = '1' AND u.username = 'max@example.com';
SELECT pg_temp.truncate('regress_part_ann', t) FROM (VALUES ('part.p'), ('part.p0'), ('part.p1')) x (t);
SELECT orchestration.deactivate_orchestration('Part_Locks'), pg_temp.clean_up();
SELECT * FROM orchestration.verify();
--
-- A dropped table leaves its record type and the lookups, however it was dropped
--
CREATE TABLE part.d (id integer PRIMARY KEY);
CREATE TYPE part.row_type AS (id integer);
CREATE TABLE part.e OF part.row_type (PRIMARY KEY (id));
SELECT orchestration.register_record_type('Part_D', 'part.d'), orchestration.register_record_type('Part_E', 'part.e');
SELECT pg_temp.waits('On_D', 'Part_D'), pg_temp.waits('On_E', 'Part_E');
INSERT INTO part.d VALUES (1);
INSERT INTO part.e VALUES (1);
INSERT INTO part.p VALUES (2);
SELECT * FROM pg_temp.lookups();
BEGIN;
DROP TABLE part.d;
DROP TYPE part.row_type CASCADE;
SELECT name FROM orchestration.record_type WHERE name LIKE 'Part%' ORDER BY 1;
SELECT * FROM pg_temp.lookups();
SELECT * FROM orchestration.verify();
ROLLBACK;
-- it stays registered when a table of the same name in another schema, or only its trigger, is dropped
CREATE TABLE part_two.d (id integer);
DROP TABLE part_two.d;
SELECT * FROM pg_temp.lookups();
DROP SCHEMA part CASCADE;
SELECT name FROM orchestration.record_type WHERE name LIKE 'Part%' ORDER BY 1;
SELECT * FROM pg_temp.lookups();
SELECT * FROM orchestration.verify();
SELECT count(orchestration.deactivate_orchestration(n)) FROM (VALUES ('On_D'), ('On_E')) x (n);
SELECT orchestration.unregister_record_type(name) FROM orchestration.record_type WHERE name LIKE 'Part%';
SELECT * FROM pg_temp.lookups();
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
-- a partition that is registered itself, below a table that is not
CREATE TABLE public.part_whole (id integer NOT NULL, note text) PARTITION BY RANGE (id);
CREATE TABLE public.part_some PARTITION OF public.part_whole (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (10);
SELECT orchestration.register_record_type('Part_Some', 'part_some');
SELECT pg_temp.waits('On_Some', 'Part_Some');
INSERT INTO public.part_whole VALUES (1), (2);
SELECT * FROM pg_temp.lookups();
ALTER TABLE public.part_whole DETACH PARTITION public.part_some;
SELECT * FROM pg_temp.lookups();
ALTER TABLE public.part_whole ATTACH PARTITION public.part_some FOR VALUES FROM (0) TO (10);
TRUNCATE public.part_whole;
SELECT * FROM pg_temp.lookups();
SELECT orchestration.unregister_record_type('Part_Some');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgfoid = 'orchestration_internal.record_change'::regproc AND tgrelid::regclass::text LIKE 'part%';
SELECT * FROM orchestration.verify();
SELECT orchestration.deactivate_orchestration('On_Some'), pg_temp.clean_up();
DROP TABLE public.part_whole;
-- any user may use the trigger function in a trigger; it does nothing there
GRANT CREATE, USAGE ON SCHEMA part_two TO regress_part_ann;
SET ROLE regress_part_ann;
CREATE TABLE part_two.mine (id integer PRIMARY KEY);
CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON part_two.mine FOR EACH ROW EXECUTE FUNCTION orchestration_internal.record_change();
CREATE TRIGGER b AFTER INSERT OR TRUNCATE ON part_two.mine EXECUTE FUNCTION orchestration_internal.record_change();
INSERT INTO part_two.mine VALUES (1);
UPDATE part_two.mine SET id = 2;
DELETE FROM part_two.mine;
TRUNCATE part_two.mine;
CREATE TRIGGER c BEFORE INSERT ON part_two.mine FOR EACH ROW EXECUTE FUNCTION orchestration_internal.record_change();
INSERT INTO part_two.mine VALUES (1);
SELECT orchestration_internal.record_change();
DROP TABLE part_two.mine;
RESET ROLE;
REVOKE CREATE, USAGE ON SCHEMA part_two FROM regress_part_ann;
DROP SCHEMA part_two;
SELECT count(orchestration.update_user(id, role_name => NULL)) FROM orchestration."user" WHERE username = 'max@example.com';
DROP ROLE regress_part_owner, regress_part_ann, regress_part_max;
