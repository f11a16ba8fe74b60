-- Record types, lookups to records, and orchestrations that records start.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Echo', 'function', 'echo(jsonb)'), orchestration.register_action('Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE TABLE public.team (team_id integer PRIMARY KEY, lead text);
CREATE TABLE public.incident (number text PRIMARY KEY, status text, priority integer, team_id integer REFERENCES team, details jsonb);
INSERT INTO team VALUES (1, 'ann@example.com');

--
-- Registering
--
CREATE TABLE public.two_keys (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE public.no_key (a integer, b integer UNIQUE, c integer NOT NULL UNIQUE, d integer NOT NULL);
SELECT orchestration.register_record_type('Incident', 'incident');
SELECT orchestration.register_record_type('Incident', 'incident');
SELECT orchestration.register_record_type('Other', 'incident');
SELECT orchestration.register_record_type('Incident', 'team');
SELECT orchestration.register_record_type('Two_keys', 'two_keys');
SELECT orchestration.register_record_type('Two_keys', 'two_keys', NULL);
SELECT orchestration.register_record_type('Two_keys', 'two_keys', ARRAY['a', 'b']);
SELECT orchestration.register_record_type('Two_keys', 'two_keys', ARRAY['b', 'a']);
SELECT orchestration.register_record_type('Two_keys', 'two_keys', 'a');
SELECT orchestration.register_record_type('No_key', 'no_key');
SELECT orchestration.register_record_type('No_key', 'no_key', 'a');
SELECT orchestration.register_record_type('No_key', 'no_key', 'b');
SELECT orchestration.register_record_type('No_key', 'no_key', 'd');
SELECT orchestration.register_record_type('No_key', 'no_key', 'missing');
SELECT orchestration.register_record_type('No_key', 'no_key', 'ctid');
SELECT orchestration.register_record_type('No_key', 'no_key', ARRAY['c', 'd']);
SELECT orchestration.register_record_type('No_key', 'no_key', ARRAY['c', 'c']);
SELECT orchestration.register_record_type('No_key', 'no_key', ARRAY['c', NULL]);
SELECT orchestration.register_record_type('No_key', 'no_key', '{c}');
SELECT orchestration.register_record_type('No_key', 'no_key', array_fill('c'::name, ARRAY[33]));
SELECT orchestration.register_record_type('No_key', 'no_key', key_columns => '{}');
SELECT orchestration.register_record_type('No_key', 'no_key', 'c');
SELECT pg_temp.try($$SELECT orchestration.register_record_type('9', 'team')$$) ~ 'record_type_name_check|22023';
SELECT orchestration.register_record_type('Run', 'orchestration.run');
SELECT orchestration.register_record_type('View', 'orchestration.flow_orchestration_log');
SELECT orchestration.register_record_type('Gone', 4294967295);
SELECT name, schema_name, table_name, key_columns, orchestration_internal.record_type_table(name) FROM orchestration.record_type ORDER BY name COLLATE "C";
SELECT tgname FROM pg_trigger WHERE tgrelid = 'incident'::regclass AND NOT tgisinternal ORDER BY tgname;
SELECT orchestration.unregister_record_type('No_key');
SELECT orchestration.unregister_record_type('No_key');
SELECT orchestration.unregister_record_type('Two_keys');
DROP TABLE two_keys, no_key;

--
-- Started by records: on create, on update, with a filter, only when the filter begins to hold
--
SELECT pg_temp.orchestration('On_create', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('E', 'B', 'Echo', '{}', '{"record": {"elementReference": "$Record"}, "lead": {"elementReference": "$Record.Team.lead"}, "deep": {"elementReference": "$Record.details.a.b"}}')))),
    '{"object": "Incident", "recordTriggerType": "Create", "triggerType": "RecordAfterSave"}');
SELECT pg_temp.orchestration('On_urgent', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('Handle', 'I', 'Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}', '{!$Record.Team.lead}')))),
    '{"object": "Incident", "recordTriggerType": "CreateAndUpdate", "triggerType": "RecordAfterSave", "doesRequireRecordChangedToMeetCriteria": true, "filterLogic": "1 AND (2 OR 3)",
      "filters": [{"field": "priority", "operator": "LessThanOrEqualTo", "value": {"numberValue": 2}}, {"field": "status", "operator": "EqualTo", "value": {"stringValue": "Open"}},
                  {"field": "status", "operator": "IsNull", "value": {"booleanValue": true}}]}');
SELECT pg_temp.orchestration('On_update', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('U', 'B', 'Echo')))),
    '{"object": "Incident", "recordTriggerType": "Update", "triggerType": "RecordAfterSave", "filterLogic": "and",
      "filters": [{"field": "priority", "operator": "IsChanged", "value": {"booleanValue": true}}]}');
CREATE FUNCTION pg_temp.started() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    SELECT string_agg(orchestration_name || ' for ' || triggering_record_type || ' ' || triggering_record_id, ', ' ORDER BY orchestration_name COLLATE "C", triggering_record_id)
      INTO result FROM orchestration.run WHERE created_by IS NULL;
    UPDATE orchestration.run SET status = 'Canceled' WHERE status = 'InProgress';
    DELETE FROM orchestration.run;
    RETURN COALESCE(result, 'none');
END
$$;
INSERT INTO incident VALUES ('I1', 'New', 1, 1, '{"a": {"b": 7}}');
SELECT outputs FROM orchestration.step_run;
SELECT pg_temp.started();
UPDATE incident SET status = 'Open';
SELECT w.label, p.name, w.related_record_id FROM orchestration.flow_orchestration_work_item w JOIN orchestration.principal p ON p.id = w.assignee_id;
SELECT pg_temp.started();
-- the filter held before
UPDATE incident SET status = NULL;
SELECT pg_temp.started();
UPDATE incident SET status = 'Closed', priority = 1;
SELECT pg_temp.started();
UPDATE incident SET status = 'Open', priority = 2;
SELECT pg_temp.started();
INSERT INTO incident SELECT 'J' || n, CASE WHEN n < 3 THEN 'Open' ELSE 'Closed' END, n, 1 FROM generate_series(1, 4) n;
SELECT pg_temp.started();
UPDATE incident SET priority = priority;
SELECT pg_temp.started();
-- a definition that is not active starts nothing; a new version takes over
SELECT orchestration.deactivate_orchestration('On_create');
INSERT INTO incident VALUES ('I2', 'New', 9, NULL);
SELECT pg_temp.started();
-- an assignee that is empty: the record is written all the same, the run is in Error
INSERT INTO incident VALUES ('I3', 'Open', 1, NULL);
SELECT pg_temp.state();
SELECT pg_temp.failure();
SELECT pg_temp.started();
-- a start is undone with the write that caused it
BEGIN;
INSERT INTO incident VALUES ('I4', 'Open', 1, 1);
SELECT count(*) FROM orchestration.run;
ROLLBACK;
SELECT count(*) FROM orchestration.run;
-- conditions read the current record, not the record at the start
BEGIN;
INSERT INTO incident VALUES ('I5', 'Open', 1, 1);
UPDATE incident SET number = 'I6' WHERE number = 'I5';
SELECT triggering_record_id FROM orchestration.flow_orchestration_instance;
SELECT related_record_id FROM orchestration.flow_orchestration_work_item;
COMMIT;
SELECT pg_temp.started();

--
-- Lookups
--
SELECT orchestration.deactivate_orchestration(name) FROM orchestration.orchestration_definition WHERE name IN ('On_urgent', 'On_update');
SELECT pg_temp.orchestration('Any', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('A2', 'I', 'Screen')))));
SELECT orchestration.start_orchestration('Any', 'I1') IS NOT NULL;
SELECT triggering_record_type, triggering_record_id FROM orchestration.run;
SELECT orchestration.start_orchestration('Any', 'nowhere');
SELECT orchestration.register_record_type('Team', 'team');
SELECT orchestration.start_orchestration('Any', '1') IS NOT NULL;
SELECT triggering_record_type, triggering_record_id FROM orchestration.run WHERE id = pg_temp.run();
-- set by a plain write: the record must exist; a missing type is found by the id
UPDATE orchestration.run SET triggering_record_id = 'nowhere' WHERE id = pg_temp.run();
UPDATE orchestration.run SET triggering_record_id = 'nowhere', triggering_record_type = 'Incident' WHERE id = pg_temp.run();
UPDATE orchestration.run SET triggering_record_id = 'I2', triggering_record_type = 'Nothing' WHERE id = pg_temp.run();
UPDATE orchestration.run SET triggering_record_id = 'I2', triggering_record_type = NULL WHERE id = pg_temp.run();
SELECT triggering_record_type, triggering_record_id FROM orchestration.run WHERE id = pg_temp.run();
UPDATE orchestration.work_item SET related_record_id = 'I2' WHERE run_id = pg_temp.run();
UPDATE orchestration.work_item SET related_record_id = 'nowhere' WHERE run_id = pg_temp.run();
SELECT related_record_type, related_record_id FROM orchestration.work_item WHERE run_id = pg_temp.run();
-- a changed key: lookups follow; a deleted record: lookups are cleared; runs go on
UPDATE incident SET number = 'I2a' WHERE number = 'I2';
SELECT r.triggering_record_id, w.related_record_id FROM orchestration.run r JOIN orchestration.work_item w ON w.run_id = r.id ORDER BY r.id;
DELETE FROM incident WHERE number IN ('I1', 'I2a');
SELECT r.status, r.triggering_record_type, r.triggering_record_id, w.related_record_id FROM orchestration.run r JOIN orchestration.work_item w ON w.run_id = r.id ORDER BY r.id;
SELECT count(*) FROM orchestration.verify();
SELECT orchestration.complete_work_item(pg_temp.item('A2'));
SELECT pg_temp.state();
-- TRUNCATE, of the table itself and by CASCADE
SELECT orchestration.start_orchestration('Any', 'J1') IS NOT NULL, orchestration.start_orchestration('Any', '1') IS NOT NULL;
SELECT triggering_record_type, triggering_record_id FROM orchestration.run WHERE triggering_record_id IS NOT NULL ORDER BY id;
TRUNCATE team CASCADE;
SELECT triggering_record_type, triggering_record_id FROM orchestration.run WHERE triggering_record_id IS NOT NULL ORDER BY id;
SELECT count(*) FROM orchestration.verify();
-- a run goes on when its record's type is unregistered
INSERT INTO team VALUES (2, 'ann@example.com');
INSERT INTO incident VALUES ('K1', 'Open', 1, 2);
SELECT orchestration.start_orchestration('Any', 'K1') IS NOT NULL;
SELECT orchestration.unregister_record_type('Incident');
SELECT triggering_record_id, pg_temp.state() FROM orchestration.run WHERE id = pg_temp.run();
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'incident'::regclass AND NOT tgisinternal;
SELECT orchestration.start_orchestration('Any', 'K1');
SELECT orchestration.record_exists('Incident', 'K1'), orchestration.record_exists('Team', '2'), orchestration.record_exists('Team', '1'), orchestration.record_exists('Team', NULL) IS NULL;
SELECT orchestration.record_exists('Team', 'two');
-- the key column of a type is renamed, and its table is dropped; see record_type.sql
SELECT orchestration.start_orchestration('Any', '2') IS NOT NULL;
ALTER TABLE team RENAME team_id TO id;
SELECT key_columns, orchestration.record_exists('Team', '2') FROM orchestration.record_type WHERE name = 'Team';
UPDATE team SET lead = 'nobody';
DROP TABLE team CASCADE;
SELECT orchestration.record_exists('Team', '2');
SELECT invariant, object, detail FROM orchestration.verify();
SELECT orchestration.start_orchestration('Any', '2');
SELECT r.triggering_record_type, r.triggering_record_id, count(*) FROM orchestration.run r WHERE r.orchestration_name = 'Any' AND r.status = 'InProgress' GROUP BY 1, 2 ORDER BY 1;
SELECT orchestration.unregister_record_type('Team');
SELECT r.triggering_record_type, r.triggering_record_id, count(*) FROM orchestration.run r WHERE r.orchestration_name = 'Any' AND r.status = 'InProgress' GROUP BY 1, 2;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
DROP TABLE incident;
SELECT orchestration.unregister_action('Echo'), orchestration.unregister_action('Screen');
DROP FUNCTION public.echo(jsonb);

--
-- Keys of several columns.  The types of keys: test/pgtap/record_key.sql
--
SELECT orchestration.register_action('Key_Screen', 'screen');
CREATE TABLE public.key_order (tenant_id integer, id integer, note text, PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
CREATE TABLE public.key_order_1 PARTITION OF public.key_order FOR VALUES IN (1);
CREATE TABLE public.key_order_2 (note text, dropped integer, id integer NOT NULL, tenant_id integer NOT NULL);
ALTER TABLE public.key_order_2 DROP COLUMN dropped;
ALTER TABLE public.key_order ATTACH PARTITION public.key_order_2 FOR VALUES IN (2);
CREATE TABLE public.key_line (tenant_id integer, line integer, order_id integer, seen timestamptz, PRIMARY KEY (tenant_id, line),
    FOREIGN KEY (tenant_id, order_id) REFERENCES public.key_order ON UPDATE CASCADE);
SELECT orchestration.register_record_type('Key_Order', 'key_order'), orchestration.register_record_type('Key_Line', 'key_line', ARRAY['tenant_id', 'line']);
SELECT pg_temp.orchestration('Key_On', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('P', 'I', 'Key_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}, "Id": {"elementReference": "$Record.Id"}, "id": {"elementReference": "$Record.id"}, "ID": {"elementReference": "$Record.ID"}}')
            || '{"actionType": "stepApproval", "shouldLock": true}'))),
    '{"object": "Key_Order", "recordTriggerType": "CreateAndUpdate", "triggerType": "RecordAfterSave", "filterLogic": "and", "filters": [{"field": "note", "operator": "EqualTo", "value": {"stringValue": "go"}}]}');
SELECT pg_temp.orchestration('Key_Line_On', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('L', 'I', 'Key_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}, "note": {"elementReference": "$Record.Order.note"}, "tenant": {"elementReference": "$Record.tenant_id"}}')))),
    '{"object": "Key_Line", "recordTriggerType": "Create", "triggerType": "RecordAfterSave"}');
INSERT INTO public.key_order VALUES (1, 42, 'go'), (2, 42, 'go'), (2, 43, 'stay');
INSERT INTO public.key_line VALUES (1, 1, 42, 'infinity'), (1, 2, NULL, '0044-03-15 12:00+00 BC'), (2, 1, 43, NULL);
CREATE FUNCTION pg_temp.keys() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' ', r.orchestration_name, r.triggering_record_type, r.triggering_record_id, w.related_record_type, w.related_record_id, w.screen_flow_inputs)
      FROM orchestration.run r LEFT JOIN orchestration.work_item w ON w.run_id = r.id ORDER BY r.id $$;
SELECT pg_temp.keys();
-- a record that an approval has locked, of two with the same id
CREATE ROLE regress_key_user;
GRANT SELECT, UPDATE, DELETE ON public.key_order TO regress_key_user;
SET ROLE regress_key_user;
UPDATE public.key_order SET note = 'changed' WHERE id = 43;
UPDATE public.key_order SET note = 'changed' WHERE tenant_id = 2 AND id = 42;
DELETE FROM public.key_order WHERE tenant_id = 2 AND id = 42;
RESET ROLE;
-- the id of a row; any row with the key columns, or their values
SELECT orchestration.record_key('Key_Order', o), orchestration.record_key('Key_Order', ROW(tenant_id, id)), ROW(tenant_id, id)::text FROM public.key_order o ORDER BY 1;
SELECT orchestration.record_key('Key_Order', x) FROM (SELECT id, '007' AS tenant_id FROM public.key_order WHERE id = 43) x;
SELECT orchestration.record_key('Key_Order', ROW(NULL, 1)) IS NULL, orchestration.record_key('Key_Order', NULL::public.key_order) IS NULL, orchestration.record_key(NULL, ROW(1, 2)) IS NULL;
SELECT orchestration.record_key('Key_Order', ROW(1, 2, 3));
SELECT orchestration.record_key('Key_Order', ROW('one', 2));
SELECT orchestration.record_key('Key_Nothing', ROW(1, 2));
SELECT orchestration.record_key('Key_Line', o) FROM public.key_order o;
-- texts that are no id of two columns, and that are
SELECT t, orchestration.record_exists('Key_Order', t), orchestration.record_key('Key_Order', t), pg_temp.try(format('SELECT orchestration.start_orchestration(''Key_On'', %L) IS NOT NULL', t))
  FROM unnest(ARRAY['42', '', '(', '()', '(1)', '(1,', '(1,)', '(,42)', '(1,42', '(1,42))', '(1,42,3)', '(1,"42)', '(1,4\', '(1,forty)', '(1,44)', ' ( 1 , "4""2") ', ' ( 01 ,"4"2) ', '(1,\42)', '["1","42"]']) t;
SELECT orchestration.start_orchestration('Key_On', '42');
-- reads by id of evaluation flows: Id is the record's id, id is the column
SELECT orchestration.deploy_orchestration('{"fullName": "Key_Ask", "label": "K", "processType": "EvaluationFlow", "start": {"connector": {"targetReference": "Get"}},
    "variables": [{"name": "which", "dataType": "String", "isInput": true}, {"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}],
    "recordLookups": [{"name": "Get", "label": "G", "object": "Key_Order", "getFirstRecordOnly": true, "sortField": "Id", "sortOrder": "Desc", "filterLogic": "and", "connector": {"targetReference": "Is"},
        "filters": [{"field": "Id", "operator": "EqualTo", "value": {"elementReference": "which"}}, {"field": "id", "operator": "EqualTo", "value": {"numberValue": 42}}]}],
    "assignments": [{"name": "Yes", "label": "Y", "assignmentItems": [{"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": {"booleanValue": true}}]}],
    "decisions": [{"name": "Is", "label": "I", "rules": [{"name": "Found", "label": "F", "conditionLogic": "and", "connector": {"targetReference": "Yes"},
        "conditions": [{"leftValueReference": "Get", "operator": "IsNull", "rightValue": {"booleanValue": false}}]}]}]}'::jsonb), orchestration.activate_orchestration('Key_Ask');
SELECT pg_temp.orchestration('Key_Asks', 'S', jsonb_build_object('variables', jsonb_build_array(pg_temp.variable('which', 'String')), 'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
        pg_temp.step('Go', 'I', 'Key_Screen') || '{"entryActionName": "Key_Ask", "entryActionType": "evaluationFlow", "entryActionInputParameters": [{"name": "which", "value": {"elementReference": "which"}}]}'))));
SELECT which, (SELECT pg_temp.state(r) FROM orchestration.start_orchestration('Key_Asks', NULL, jsonb_build_object('which', which)) r) FROM unnest(ARRAY['(2,42)', '(2,43)', '42', '(1,4)']) which;
-- another key, in another partition, with all parts changed; TRUNCATE, DETACH
UPDATE public.key_order SET id = 45 WHERE tenant_id = 1;
SELECT triggering_record_id, count(*) FROM orchestration.run WHERE triggering_record_type = 'Key_Order' GROUP BY 1 ORDER BY 1;
UPDATE orchestration.run SET triggering_record_id = '(02, 43)', triggering_record_type = NULL WHERE triggering_record_id = '(2,42)';
SELECT triggering_record_id, count(*) FROM orchestration.run WHERE triggering_record_type = 'Key_Order' GROUP BY 1 ORDER BY 1;
BEGIN;
DELETE FROM public.key_line;
UPDATE public.key_order SET tenant_id = 1 WHERE id = 43;
SELECT triggering_record_id, count(*) FROM orchestration.run WHERE triggering_record_type = 'Key_Order' GROUP BY 1 ORDER BY 1;
ROLLBACK;
BEGIN;
TRUNCATE public.key_order_1 CASCADE;
SELECT triggering_record_id, count(*) FROM orchestration.run WHERE triggering_record_type = 'Key_Order' GROUP BY 1 ORDER BY 1;
ALTER TABLE public.key_order DETACH PARTITION public.key_order_2;
SELECT triggering_record_id, count(*) FROM orchestration.run WHERE triggering_record_type = 'Key_Order' GROUP BY 1 ORDER BY 1;
ROLLBACK;
SELECT * FROM orchestration.verify();
-- a part of the key that is nullable, renamed, of another type, gone
ALTER TABLE public.key_line DROP CONSTRAINT key_line_pkey, ALTER line DROP NOT NULL, ALTER tenant_id DROP NOT NULL;
INSERT INTO public.key_line VALUES (1, NULL), (NULL, 5);
UPDATE public.key_line SET line = 9 WHERE line IS NULL;
UPDATE public.key_line SET tenant_id = NULL WHERE line = 1 AND tenant_id = 2;
DELETE FROM public.key_line WHERE tenant_id IS NULL;
SELECT triggering_record_id FROM orchestration.run WHERE orchestration_name = 'Key_Line_On' ORDER BY 1;
ALTER TABLE public.key_line ALTER line TYPE text USING '0' || line;
SELECT orchestration.record_exists('Key_Line', '(1,1)'), orchestration.record_exists('Key_Line', '(1,01)');
SELECT invariant, object, detail FROM orchestration.verify() ORDER BY detail;
ALTER TABLE public.key_line ALTER line TYPE integer USING line::integer;
ALTER TABLE public.key_line RENAME line TO place;
UPDATE public.key_line SET seen = NULL;
SELECT orchestration.record_exists('Key_Line', '(1,1)');
SELECT orchestration.record_key('Key_Line', ROW(1, 1));
ALTER TABLE public.key_line RENAME place TO line;
SELECT * FROM orchestration.verify();
ALTER TABLE public.key_line DROP line;
DELETE FROM public.key_line;
SELECT orchestration.unregister_record_type('Key_Line'), orchestration.unregister_record_type('Key_Order');
SELECT count(*) FROM orchestration.run WHERE triggering_record_id IS NOT NULL;
SELECT orchestration.deactivate_orchestration('Key_On'), orchestration.deactivate_orchestration('Key_Line_On'), orchestration.deactivate_orchestration('Key_Asks'), orchestration.deactivate_orchestration('Key_Ask'), pg_temp.clean_up();
DROP TABLE public.key_line, public.key_order;
DROP ROLE regress_key_user;
SELECT orchestration.unregister_action('Key_Screen');
