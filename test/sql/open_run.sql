-- open_run: the table of open runs agrees with the runs, in whatever way they are written.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
SELECT pg_temp.person('ann@example.com', 'Ann', 'ann');
SELECT orchestration.register_action('Open_Screen', 'screen');
SELECT pg_temp.orchestration('Open', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Ask', 'I', 'Open_Screen')))));
-- the table by names; what verify() says of it
CREATE FUNCTION pg_temp.open() RETURNS TABLE (name text, status text, problem text) LANGUAGE sql AS $$
    SELECT COALESCE(r.name, 'gone'), o.status::text, NULL FROM orchestration_internal.open_run o LEFT JOIN orchestration.run r ON r.id = o.run_id
    UNION ALL SELECT 'verify', NULL, detail FROM orchestration.verify() WHERE invariant = 'open run is listed' ORDER BY 1, 2, 3
$$;

--
-- calls
--
SELECT count(orchestration.start_orchestration('Open')) FROM generate_series(1, 4);
SELECT orchestration.suspend_run(pg_temp.run('OR-00000001')), orchestration.cancel_run(pg_temp.run('OR-00000002')), orchestration.complete_work_item(pg_temp.item('Ask', pg_temp.run('OR-00000003'))) IS NOT NULL AS completed;
SELECT * FROM pg_temp.open();
SELECT orchestration.resume_run(pg_temp.run('OR-00000001')), orchestration.fail_work_item(pg_temp.item('Ask', pg_temp.run('OR-00000004')), 'no');
SELECT * FROM pg_temp.open();

--
-- statements; aborts and savepoints
--
BEGIN;
UPDATE orchestration.run SET status = 'Canceled' WHERE name = 'OR-00000001';
SELECT * FROM pg_temp.open();
ROLLBACK;
BEGIN;
SAVEPOINT s;
UPDATE orchestration.run SET status = 'Suspended' WHERE name = 'OR-00000001';
SELECT * FROM pg_temp.open();
ROLLBACK TO s;
INSERT INTO orchestration.run (name, status) VALUES ('Open-imported', 'InProgress');
SAVEPOINT t;
INSERT INTO orchestration.run (name, status, ended_at) VALUES ('Open-completed', 'Completed', now()), ('Open-failed', 'Error', now());
RELEASE t;
COMMIT;
SELECT * FROM pg_temp.open();
-- the start of the run, which is a part of the key
UPDATE orchestration.run SET created_at = '2026-01-01' WHERE name = 'Open-failed';
SELECT o.created_at = r.created_at FROM orchestration_internal.open_run o JOIN orchestration.run r ON r.id = o.run_id WHERE r.name = 'Open-failed';
-- a failed run is deleted, purged; others of the same statement were not open
SELECT pg_temp.try('DELETE FROM orchestration.run WHERE name = ''Open-imported''');
DELETE FROM orchestration.run WHERE name IN ('Open-completed', 'Open-failed');
SELECT * FROM pg_temp.open();
UPDATE orchestration.run SET status = 'Canceled' WHERE name = 'Open-imported';
SELECT orchestration.purge_runs('0') > 0 AS purged;
SELECT * FROM pg_temp.open();

--
-- triggers of users write the run again before, while and after it is noted
--
CREATE FUNCTION public.open_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'InProgress' THEN
        UPDATE orchestration.run SET status = 'Canceled' WHERE id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa AFTER INSERT OR UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION public.open_again();
INSERT INTO orchestration.run (name, status) VALUES ('Open-again', 'InProgress');
SELECT orchestration.suspend_run(pg_temp.run('OR-00000001')), orchestration.resume_run(pg_temp.run('OR-00000001'));
SELECT name, status FROM orchestration.run ORDER BY 1;
SELECT * FROM pg_temp.open();
DROP TRIGGER aaa ON orchestration.run;
CREATE OR REPLACE FUNCTION public.open_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        DELETE FROM orchestration.run WHERE id = NEW.id;
    ELSIF NEW.created_at < '2027-01-01' THEN
        UPDATE orchestration.run SET created_at = '2027-01-02' WHERE id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER aaa AFTER INSERT OR UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION public.open_again();
INSERT INTO orchestration.run (name, status, ended_at) VALUES ('Open-deleted', 'Error', now());
DROP TRIGGER aaa ON orchestration.run;
INSERT INTO orchestration.run (name, status) VALUES ('Open-moved', 'InProgress');
CREATE TRIGGER aaa AFTER INSERT OR UPDATE ON orchestration.run FOR EACH ROW EXECUTE FUNCTION public.open_again();
UPDATE orchestration.run SET created_at = '2026-12-31' WHERE name = 'Open-moved';
SELECT o.created_at FROM orchestration_internal.open_run o JOIN orchestration.run r ON r.id = o.run_id WHERE r.name = 'Open-moved';
SELECT * FROM pg_temp.open();
DROP TRIGGER aaa ON orchestration.run;
DROP FUNCTION public.open_again();

--
-- without triggers: verify() finds it, rebuild_open_runs() mends it
--
SELECT orchestration.start_orchestration('Open') IS NOT NULL;
SET session_replication_role = replica;
UPDATE orchestration.run SET status = 'Completed', ended_at = now() WHERE name = 'Open-moved';
INSERT INTO orchestration.run (name, status) VALUES ('Open-replica', 'InProgress');
RESET session_replication_role;
SELECT * FROM pg_temp.open();
SELECT orchestration.rebuild_open_runs();
SELECT orchestration.rebuild_open_runs();
SELECT * FROM pg_temp.open();
-- as at the end of a restore with --disable-triggers
ALTER TABLE orchestration.run DISABLE TRIGGER ALL;
INSERT INTO orchestration.run (name, status) VALUES ('Open-restored', 'Suspended');
ALTER TABLE orchestration.run ENABLE TRIGGER ALL;
SELECT * FROM pg_temp.open();

--
-- no index of run names the status, in its columns or its predicate
--
SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'status'
 WHERE i.indrelid IN ('orchestration.run'::regclass, 'orchestration_internal.open_run'::regclass)
   AND (a.attnum = ANY (i.indkey::smallint[]) OR pg_get_expr(i.indpred, i.indrelid) LIKE '%status%');
SELECT pg_temp.try('SELECT orchestration_internal.open_run_delete()');
SELECT pg_temp.clean_up();
SELECT * FROM pg_temp.open();
SELECT * FROM orchestration.verify();
