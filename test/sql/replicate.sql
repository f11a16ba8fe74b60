-- get_updated(), get_deleted(), latest_date_covered(): windows and their contents, records
-- hidden by sharing, refused arguments.  For concurrent writers see the isolation
-- specs and test/storm/replication.py.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
CREATE ROLE regress_orch_poller;
CREATE ROLE regress_orch_other;
SELECT pg_temp.person('poller@example.com', 'Poller', 'regress_orch_poller'), pg_temp.person('poll.other@example.com', 'Poll Other', 'regress_orch_other'), pg_temp.person('ann@example.com', 'Ann');
SELECT id AS poller FROM orchestration.principal WHERE username = 'poller@example.com' \gset
SELECT orchestration.register_action('Screen', 'screen');
SELECT pg_temp.orchestration('Polled', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Screen')))));
-- the stamp: one for the transaction, not earlier than its first write nor than a time already reported as covered
BEGIN;
SELECT pg_sleep(0.01) IS NOT NULL;
SELECT orchestration.latest_date_covered() AS covered \gset
SELECT orchestration.start_orchestration('Polled', owner_id => :'poller') AS run \gset
SELECT count(DISTINCT system_modstamp), bool_and(system_modstamp > now()), bool_and(system_modstamp >= :'covered') FROM (SELECT system_modstamp FROM orchestration.flow_orchestration_instance UNION ALL SELECT system_modstamp FROM orchestration.flow_orchestration_step_instance) x;
SELECT bool_and(system_modstamp = orchestration.system_modstamp()) FROM orchestration.flow_orchestration_instance;
-- held back by the transaction itself, also when its first write was rolled back
SELECT orchestration.latest_date_covered() <= orchestration.system_modstamp();
COMMIT;
SELECT orchestration.latest_date_covered() > max(system_modstamp) FROM orchestration.flow_orchestration_instance;
BEGIN;
SAVEPOINT s;
UPDATE orchestration.run SET interview_id = id;
ROLLBACK TO s;
SELECT orchestration.latest_date_covered() <= orchestration.system_modstamp();
ROLLBACK;

-- windows of whole minutes: seconds are cut off both ends, and both ends are included
SELECT set_config('regress.hour', (date_trunc('minute', now()) - interval '1 hour')::text, false) IS NOT NULL;
INSERT INTO orchestration.run (name, status, owner_id, created_at, modified_at) SELECT 'W-' || n, 'InProgress', :'poller', '2026-01-01', current_setting('regress.hour')::timestamptz + n * interval '30 seconds' FROM generate_series(0, 6) n;
CREATE FUNCTION pg_temp.updated(minutes numeric, till numeric, object text DEFAULT 'FlowOrchestrationInstance') RETURNS text LANGUAGE sql AS $$
    SELECT COALESCE((SELECT string_agg(r.name, ' ' ORDER BY r.name) FROM jsonb_array_elements_text(x->'ids') i JOIN orchestration.run r ON r.id = i::uuid WHERE r.name LIKE 'W-%'), 'none')
           || CASE WHEN (x->>'latestDateCovered')::timestamptz = t.hour + till * interval '1 minute' THEN ', covered' ELSE ', otherwise' END
      FROM (SELECT current_setting('regress.hour')::timestamptz AS hour) t,
           orchestration.get_updated(object, t.hour + minutes * interval '1 minute', t.hour + till * interval '1 minute') x $$;
SELECT pg_temp.updated(0, 1), pg_temp.updated(0, 3), pg_temp.updated(1, 2), pg_temp.updated(-5, 0), pg_temp.updated(4, 9);
SELECT pg_temp.updated(0.5, 1.5);
-- no time in the future is covered
SELECT (x->>'latestDateCovered')::timestamptz BETWEEN now() - interval '1 minute' AND clock_timestamp(), jsonb_array_length(x->'ids') > 7 FROM orchestration.get_updated('FlowOrchestrationInstance', now() - interval '1 day', now() + interval '1 day') x;
SELECT pg_temp.masked(x::text) ~ '^{"ids": \["<id>"\], "latestDateCovered": "20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]{3}[+]0000"}$' FROM orchestration.get_updated('FlowOrchestrationStageInstance', now() - interval '1 day', now() + interval '1 minute') x;
-- a client can send the time back as it got it
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German';
SELECT jsonb_array_length(orchestration.get_updated('FlowOrchestrationInstance', (x->>'latestDateCovered')::timestamptz, now() + interval '2 minutes')->'ids') >= 0,
       extract(epoch FROM '2013-05-08T21:20:00.999+0000'::timestamptz), x->>'latestDateCovered' = to_char((x->>'latestDateCovered')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+0000"')
  FROM orchestration.get_updated('FlowOrchestrationInstance', now() - interval '1 day', now() + interval '1 minute') x;
RESET TimeZone; RESET DateStyle;
-- every object that can be replicated; the objects of approvals have one record and more
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT orchestration.register_action('Replicated', 'screen');
SELECT pg_temp.approval('Replicated_approval', 'Replicated', 'One', 'Two');
SELECT orchestration.start_orchestration('Replicated_approval') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run()), orchestration.resume_run(pg_temp.run()), orchestration.review_approval(pg_temp.item('One'), 'Approve');
SELECT o.name, jsonb_array_length(orchestration.get_updated(o.name, now() - interval '1 day', now() + interval '2 minutes')->'ids') FROM orchestration.sobject o WHERE 'getUpdated' = ANY (o.calls) ORDER BY position;
-- found by index
SET enable_seqscan = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT x.id FROM orchestration.run x WHERE x.modified_minute >= 1 AND x.modified_minute < 2;
EXPLAIN (COSTS OFF) SELECT x.id FROM orchestration.submission x WHERE x.modified_minute >= 1 AND x.modified_minute < 2;
EXPLAIN (COSTS OFF) SELECT x.id FROM orchestration.submission_item x WHERE x.modified_minute >= 1 AND x.modified_minute < 2;
EXPLAIN (COSTS OFF) SELECT x.id FROM orchestration.submission_detail x WHERE x.created_at >= now() AND x.created_at < now();
RESET enable_seqscan; RESET enable_bitmapscan;
-- sharing
SET ROLE regress_orch_poller;
SELECT jsonb_array_length(orchestration.get_updated('FlowOrchestrationInstance', now() - interval '1 day', now() + interval '2 minutes')->'ids'), jsonb_array_length(orchestration.get_updated('FlowOrchestrationStageInstance', now() - interval '1 day', now() + interval '2 minutes')->'ids');
SET ROLE regress_orch_other;
SELECT jsonb_array_length(orchestration.get_updated('FlowOrchestrationInstance', now() - interval '1 day', now() + interval '2 minutes')->'ids');
RESET ROLE;
-- refused
CREATE FUNCTION pg_temp.refused(call text, object text, since text, till text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(pg_temp.try(format('SELECT orchestration.%I(%L, %s, %s)', call, object, since, till)), '20[0-9]{2}-[0-9T:.+-]+', '<time>', 'g') $$;
SELECT pg_temp.refused(c, 'FlowOrchestrationInstance', since, till) FROM unnest('{get_updated,get_deleted}'::text[]) c,
       (VALUES ('now()', 'now()'), ('now()', 'now() - interval ''1 hour'''), ('now() - interval ''31 days''', 'now()'), ('''-infinity''', 'now()'), ('now()', '''infinity'''), ('NULL', 'now()')) v(since, till);
SELECT pg_temp.refused('get_deleted', 'FlowOrchestrationInstance', 'timestamptz ''now'' - interval ''61 minutes''', 'timestamptz ''now'' - interval ''1 hour'''),
       pg_temp.refused('get_deleted', 'FlowOrchestrationInstance', 'now() - interval ''16 days''', 'now()');
SELECT pg_temp.refused(c, 'FlowOrchestrationInstanceShare', 'now() - interval ''1 hour''', 'now()'), pg_temp.refused(c, 'Account', 'now() - interval ''1 hour''', 'now()') FROM unnest('{get_updated,get_deleted}'::text[]) c;

-- deleted records, however deleted, and the users who see them
CREATE FUNCTION pg_temp.deleted(object text DEFAULT 'FlowOrchestrationInstance') RETURNS integer LANGUAGE sql AS $$
    SELECT jsonb_array_length(orchestration.get_deleted(object, now() - interval '1 hour', now() + interval '2 minutes')->'deletedRecords') $$;
SELECT set_config('regress.before', pg_temp.deleted()::text, false) IS NOT NULL;
UPDATE orchestration.run SET status = 'Canceled' WHERE name LIKE 'W-%';
DELETE FROM orchestration.run WHERE name = 'W-0';
SELECT orchestration.share_record(r.id, p.id) IS NOT NULL FROM orchestration.run r, orchestration.principal p WHERE r.name = 'W-1' AND p.username = 'poll.other@example.com';
SELECT orchestration.purge_runs('0', 1000);
SELECT pg_temp.deleted() - current_setting('regress.before')::integer;
SET ROLE regress_orch_poller;
SELECT pg_temp.deleted(), pg_temp.deleted('FlowOrchestrationInstanceHistory'), pg_temp.deleted('FlowOrchestrationStageInstance');
SELECT pg_temp.masked(r::text) ~ '^{"id": "<id>", "deletedDate": "20[0-9-]{8}T[0-9:]{8}[.][0-9]{3}[+]0000"}$' FROM jsonb_array_elements(orchestration.get_deleted('FlowOrchestrationInstance', now() - interval '1 hour', now() + interval '2 minutes')->'deletedRecords') r LIMIT 1;
SET ROLE regress_orch_other;
SELECT pg_temp.deleted(), pg_temp.deleted('FlowOrchestrationInstanceHistory'), pg_temp.try('SELECT run_id FROM orchestration.tombstone');
RESET ROLE;
SELECT object, count(*) FROM orchestration.tombstone WHERE run_id IN (SELECT run_id FROM orchestration.tombstone WHERE object = 'FlowOrchestrationInstance' AND owner_id = :'poller') GROUP BY 1 ORDER BY 1;
-- a removed tombstone is no longer reported
UPDATE orchestration.tombstone SET deleted_at = deleted_at - interval '16 days' WHERE id IN (SELECT id FROM orchestration.tombstone WHERE object = 'FlowOrchestrationInstance' ORDER BY deleted_at LIMIT 1);
SELECT removed > 0 FROM orchestration.remove_expired() WHERE removed_from = 'tombstone';
SELECT (orchestration.get_deleted('FlowOrchestrationInstance', now() - interval '1 hour', now())->>'earliestDateAvailable')::timestamptz BETWEEN now() - interval '17 days' AND now() - interval '15 days';
SET orchestration.deleted_retention = 20;
SELECT pg_temp.refused('get_deleted', 'FlowOrchestrationInstance', 'now() - interval ''18 days''', 'now()');
SELECT pg_temp.refused('get_deleted', 'FlowOrchestrationStageInstance', 'now() - interval ''18 days''', 'now()') ~ '^{"deletedRecords"';
RESET orchestration.deleted_retention;
SELECT pg_temp.clean_up();
SELECT * FROM orchestration.verify();
SELECT orchestration.update_user(id, role_name => '') FROM orchestration.principal WHERE role_name IN ('regress_orch_poller', 'regress_orch_other');
DROP ROLE regress_orch_poller; DROP ROLE regress_orch_other;
