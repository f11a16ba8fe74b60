-- query(), query_more() and explain_soql(): results, pages, what is kept.  The language:
-- query_syntax.sql and test/model/soql.py.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET TimeZone = 'UTC';
-- ids and times of this run of the test
CREATE FUNCTION pg_temp.masked(result json) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(result::text, '[0-9a-f]{8}-[0-9a-f-]{27}', 'ID', 'g'), '01g[0-9a-f]{32}', '01gLOCATOR', 'g')
$$;
SELECT orchestration.create_user('ann@query.example', 'Ann', 'query_ann') AS ann, orchestration.create_user('ben@query.example', 'Ben', 'query_ben') AS ben \gset
CREATE ROLE query_ann;
CREATE ROLE query_ben;
INSERT INTO orchestration.run (name, status, orchestration_name, owner_id, created_at)
SELECT 'Q' || to_char(i, 'FM000'), 'InProgress', CASE i % 2 WHEN 0 THEN 'Even' ELSE 'odd' END, CASE i WHEN 100 THEN :'ben'::uuid ELSE :'ann' END, '2026-01-01 00:00:00.123999Z'::timestamptz + i * interval '1 hour'
  FROM generate_series(1, 450) i;
INSERT INTO orchestration.stage_run (run_id, name, label, position, status)
SELECT id, 'S', 'Stage of ' || name, 1, 'InProgress' FROM orchestration.run WHERE name IN ('Q001', 'Q002');
SELECT orchestration.share_record(id, :'ann', 'Read') IS NOT NULL FROM orchestration.run WHERE name = 'Q100';
SELECT orchestration.share_record(s.id, :'ann', 'Read') IS NOT NULL FROM orchestration.stage_run s JOIN orchestration.run r ON r.id = s.run_id WHERE r.name IN ('Q001', 'Q002');

SET ROLE query_ann;
-- the form of a record
SELECT pg_temp.masked(orchestration.query('SELECT Name, CreatedDate, IsDeleted, CurrentStage, Owner.Name, OwnerId FROM FlowOrchestrationInstance WHERE Name = ''q001'''));
SELECT pg_temp.masked(orchestration.query('SELECT Name, (SELECT Label, OrchestrationInstance.Name FROM FlowOrchestrationStageInstances) FROM FlowOrchestrationInstance WHERE Name IN (''Q002'', ''Q003'') ORDER BY Name DESC'));
SELECT orchestration.query('SELECT OrchestrationDeveloperName, COUNT(Id) n, MIN(Name), MAX(CreatedDate) FROM FlowOrchestrationInstance GROUP BY OrchestrationDeveloperName ORDER BY OrchestrationDeveloperName');
SELECT orchestration.query('SELECT COUNT() FROM FlowOrchestrationInstance');
SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance LIMIT 0');
SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance WHERE Status = ''No Such Label''');

-- pages: as one page, in the same order; totalSize and done of each
CREATE TABLE pg_temp.page (n integer, result json);
INSERT INTO page SELECT 1, orchestration.query('SELECT Name FROM FlowOrchestrationInstance ORDER BY CreatedDate DESC', batch_size => 200);
INSERT INTO page SELECT 2, orchestration.query_more(result->>'nextRecordsUrl') FROM page WHERE n = 1;
INSERT INTO page SELECT 3, orchestration.query_more(regexp_replace(result->>'nextRecordsUrl', '.*/', '')) FROM page WHERE n = 2;
SELECT n, result->>'totalSize' AS total, result->>'done' AS done, json_array_length(result->'records') AS records, result->'records'->0->>'Name' AS first,
       regexp_replace(result->>'nextRecordsUrl', '01g[0-9a-f]{32}', '01gLOCATOR') AS next FROM page ORDER BY n;
SELECT (SELECT json_agg(r->'Name' ORDER BY n, o) FROM page, json_array_elements(result->'records') WITH ORDINALITY x (r, o))::text
     = (SELECT json_agg(r->'Name' ORDER BY o) FROM json_array_elements(orchestration.query('SELECT Name FROM FlowOrchestrationInstance ORDER BY CreatedDate DESC')->'records') WITH ORDINALITY x (r, o))::text AS same;
-- LIMIT that ends within a page; without an order every record comes once
SELECT result->>'totalSize', json_array_length(orchestration.query_more(result->>'nextRecordsUrl')->'records')
  FROM (SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance LIMIT 250', batch_size => 200) AS result) x;
SELECT count(*), count(DISTINCT r->>'Id') FROM (SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance', batch_size => 250) AS result OFFSET 0) x,
       LATERAL (SELECT json_array_elements(result->'records') AS r UNION ALL SELECT json_array_elements(orchestration.query_more(result->>'nextRecordsUrl')->'records')) y;
-- a record that was unshared meanwhile is absent
RESET ROLE;
SELECT orchestration.unshare_record(id, :'ann') FROM orchestration.run WHERE name = 'Q100';
SET ROLE query_ann;
SELECT r->>'totalSize' AS total, json_array_length(r->'records') AS records FROM (SELECT orchestration.query_more(result->>'nextRecordsUrl') AS r FROM page WHERE n = 2) x;
SELECT r->>'totalSize' AS total, json_array_length(r->'records') AS records FROM (SELECT orchestration.query_more(result->>'nextRecordsUrl') AS r FROM page WHERE n = 1) x;
-- locators: of another user, forged, malformed, of a page that is not there
SELECT result->>'nextRecordsUrl' AS url FROM page WHERE n = 1 \gset
SET ROLE query_ben;
SELECT orchestration.query_more(:'url');
SET ROLE query_ann;
SELECT orchestration.query_more('01g00000000000000000000000000000000-200');
SELECT orchestration.query_more('');
SELECT orchestration.query_more(:'url' || '0');
SELECT orchestration.query_more(replace(:'url', '-200', '-201'));
SELECT orchestration.query_more(NULL);
-- two days; ten results a user
RESET ROLE;
UPDATE orchestration.query_locator SET created_at = created_at - interval '2 days';
SET ROLE query_ann;
SELECT orchestration.query_more(:'url');
SELECT count(orchestration.query('SELECT Id FROM FlowOrchestrationInstance LIMIT ' || 200 + i, batch_size => 200)) FROM generate_series(1, 12) i;
RESET ROLE;
SELECT count(*), count(*) FILTER (WHERE created_at < now() - interval '1 day') AS old FROM orchestration.query_locator WHERE user_id = :'ann';
SELECT count(*) FROM orchestration.query_locator_page p WHERE NOT EXISTS (SELECT FROM orchestration.query_locator l WHERE l.id = p.locator_id);

-- batch_size and version
SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance', batch_size => 199);
SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance', batch_size => 2001);
SELECT orchestration.query('SELECT CurrentStage FROM FlowOrchestrationInstance LIMIT 1', 61.0);
SELECT orchestration.query('SELECT COUNT() FROM FlowOrchestrationInstance', 'NaN');
SELECT orchestration.query(NULL);

-- deleted records
SET ROLE query_ann;
SELECT orchestration.query('SELECT COUNT() FROM FlowOrchestrationInstance WHERE IsDeleted = TRUE', include_deleted => true);
RESET ROLE;
UPDATE orchestration.run SET status = 'Completed' WHERE name = 'Q450';
DELETE FROM orchestration.run WHERE name = 'Q450';
SET ROLE query_ann;
SELECT pg_temp.masked(orchestration.query('SELECT Id, Name, IsDeleted FROM FlowOrchestrationInstance WHERE IsDeleted = TRUE', include_deleted => true));
SELECT orchestration.query('SELECT COUNT() FROM FlowOrchestrationInstance WHERE IsDeleted = TRUE');
SET ROLE query_ben;
SELECT orchestration.query('SELECT COUNT() FROM FlowOrchestrationInstance WHERE IsDeleted = TRUE', include_deleted => true);

-- views of records
SET ROLE query_ann;
SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance WHERE IsDeleted = TRUE FOR VIEW', include_deleted => true)->>'totalSize';
SELECT orchestration.query('SELECT Name FROM FlowOrchestrationInstance WHERE Name = ''Q001'' FOR VIEW')->>'totalSize';
SELECT orchestration.query('SELECT Name FROM FlowOrchestrationInstance WHERE Name = ''Q002'' FOR REFERENCE')->>'totalSize';
SELECT r->>'Name', json_typeof(r->'LastViewedDate'), json_typeof(r->'LastReferencedDate')
  FROM json_array_elements(orchestration.query('SELECT Name, LastViewedDate, LastReferencedDate FROM FlowOrchestrationInstance WHERE LastReferencedDate != null ORDER BY Name')->'records') r;

-- queries within a query: the same, and more than the session keeps; metadata that changes meanwhile
RESET ROLE;
CREATE FUNCTION pg_temp.ask() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE orchestration.sobject_field ALTER COLUMN label SET STATISTICS -1;
    PERFORM orchestration.query('SELECT Name FROM FlowOrchestrationInstance LIMIT ' || i) FROM generate_series(1, 100) i;
    PERFORM orchestration.query('SELECT Name, Owner.Name, (SELECT Label FROM FlowOrchestrationStageInstances) FROM FlowOrchestrationInstance ORDER BY Name LIMIT 2 FOR VIEW') WHERE pg_trigger_depth() < 3;
    BEGIN
        PERFORM orchestration.query('SELECT Nope FROM FlowOrchestrationInstance');
    EXCEPTION WHEN SQLSTATE 'OR402' THEN
        NULL;
    END;
    RETURN NEW;
END $$;
CREATE TRIGGER ask AFTER INSERT OR UPDATE ON orchestration.record_view FOR EACH ROW EXECUTE FUNCTION pg_temp.ask();
SELECT json_array_length(orchestration.query('SELECT Name, Owner.Name, (SELECT Label FROM FlowOrchestrationStageInstances) FROM FlowOrchestrationInstance ORDER BY Name LIMIT 2 FOR VIEW')->'records') FROM generate_series(1, 2);
DROP TRIGGER ask ON orchestration.record_view;
-- a query that fails leaves nothing in the session, also within a longer transaction
BEGIN READ ONLY;
DO $$
DECLARE
    before bigint;
BEGIN
    FOR i IN 1..300 LOOP
        IF i = 100 THEN
            SELECT count(*) INTO before FROM pg_backend_memory_contexts WHERE name = 'orchestration query';
        END IF;
        BEGIN
            PERFORM orchestration.query('SELECT Id FROM FlowOrchestrationInstance WHERE Name != ''x' || i || '''', batch_size => 200);
        EXCEPTION WHEN read_only_sql_transaction THEN
            NULL;
        END;
    END LOOP;
    RAISE WARNING 'more queries: %', (SELECT count(*) - before FROM pg_backend_memory_contexts WHERE name = 'orchestration query');
END $$;
COMMIT;

-- nobody sees nothing, and may not ask
RESET ROLE;
CREATE ROLE query_nobody;
SET ROLE query_nobody;
SELECT orchestration.query('SELECT COUNT() FROM FlowOrchestrationInstance');
SELECT orchestration.query_more('x');
RESET ROLE;

-- a query that the session keeps: a field of it becomes unreadable, and readable
CREATE ROLE query_reader;
SELECT orchestration.update_user(orchestration.create_user('reader@query.example', 'Reader', 'query_reader'), view_all_data => true);
REVOKE SELECT ON orchestration.flow_orchestration_instance FROM PUBLIC;
GRANT SELECT (id, name, orchestration_label) ON orchestration.flow_orchestration_instance TO query_reader;
SET ROLE query_reader;
SELECT orchestration.query('SELECT Name, OrchestrationLabel FROM FlowOrchestrationInstance ORDER BY Name LIMIT 1')->'records'->0->>'Name';
RESET ROLE;
REVOKE SELECT (orchestration_label) ON orchestration.flow_orchestration_instance FROM query_reader;
SET ROLE query_reader;
SELECT orchestration.query('SELECT Name, OrchestrationLabel FROM FlowOrchestrationInstance ORDER BY Name LIMIT 1');
SELECT orchestration.query('SELECT Name FROM FlowOrchestrationInstance ORDER BY OrchestrationLabel');
SELECT orchestration.query('SELECT FIELDS(STANDARD) FROM FlowOrchestrationInstance ORDER BY Name LIMIT 1')->'records'->0->>'Name';
RESET ROLE;
GRANT SELECT ON orchestration.flow_orchestration_instance TO PUBLIC;
SET ROLE query_reader;
SELECT orchestration.query('SELECT Name, OrchestrationLabel FROM FlowOrchestrationInstance ORDER BY Name LIMIT 1')->'records'->0->>'Name';
RESET ROLE;

-- the SQL, and that of sub-queries
SELECT orchestration.explain_soql('SELECT Name, (SELECT Id FROM FlowOrchestrationStageInstances WHERE Status = ''Error'') FROM FlowOrchestrationInstance WHERE Name != ''x'' ORDER BY CreatedDate DESC LIMIT 5');
-- search_path and operators of the caller change nothing
CREATE SCHEMA query_evil;
CREATE FUNCTION query_evil.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil'; END $$;
CREATE OPERATOR query_evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = query_evil.eq);
CREATE OPERATOR query_evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = query_evil.eq);
CREATE OPERATOR query_evil.~~* (LEFTARG = text, RIGHTARG = text, FUNCTION = query_evil.eq);
SET search_path = query_evil, pg_catalog;
SELECT orchestration.query('SELECT COUNT() FROM FlowOrchestrationInstance WHERE Name != ''Q001'' AND Name NOT IN (''Q002'', ''Q003'') AND (NOT Name LIKE ''Q00_'') AND Owner.Name != null');
RESET search_path;
SELECT * FROM orchestration.verify();
UPDATE orchestration.run SET status = 'Canceled' WHERE name LIKE 'Q%';
DELETE FROM orchestration.run WHERE name LIKE 'Q%';
DROP TABLE page;
DROP SCHEMA query_evil CASCADE;
DROP ROLE query_ann, query_ben, query_nobody;
REVOKE SELECT (id, name) ON orchestration.flow_orchestration_instance FROM query_reader;
DROP ROLE query_reader;
