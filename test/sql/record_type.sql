-- record_type: the identity of record types: names that follow their table, swaps, dropped
-- tables and columns, children (src/record/record_name.c, record_follow.c, record_command.c,
-- src/definition/definition_fields.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET client_min_messages = notice;
CREATE FUNCTION public.ident_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Ident_Echo', 'function', 'ident_echo(jsonb)'), orchestration.register_action('Ident_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE ROLE regress_ident_owner;
CREATE ROLE regress_ident_other;
CREATE SCHEMA ident AUTHORIZATION regress_ident_owner;
CREATE SCHEMA ident_two AUTHORIZATION regress_ident_owner;
CREATE FUNCTION pg_temp.at() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s: %s.%s (%s) %s', name, schema_name, table_name, array_to_string(key_columns, ','), COALESCE(orchestration_internal.record_type_table(name)::text, 'lost')), ', ' ORDER BY name)
      FROM orchestration.record_type $$;
-- where the triggers are
CREATE FUNCTION pg_temp.marked() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(t.name || ' ' || t.n, ', ' ORDER BY t.name COLLATE "C") FROM (
        SELECT tgrelid::regclass::text AS name, count(*) AS n FROM pg_trigger
         WHERE tgfoid IN ('orchestration_internal.record_change'::regproc, 'orchestration_internal.record_changes'::regproc) GROUP BY 1) t $$;
CREATE FUNCTION pg_temp.runs() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s %s %s', r.triggering_record_type, r.triggering_record_id, r.status), ', ' ORDER BY r.triggering_record_id COLLATE "C", r.id) FROM orchestration.run r $$;

SET ROLE regress_ident_owner;
CREATE TABLE ident.thing (id integer PRIMARY KEY, state text, done boolean NOT NULL DEFAULT false, note text);
CREATE TEMP TABLE ident_temp (id integer PRIMARY KEY);
CREATE UNLOGGED TABLE ident.unlogged (id integer PRIMARY KEY);
RESET ROLE;
SELECT orchestration.register_record_type('Temp', 'ident_temp');
SELECT orchestration.register_record_type('Unlogged', 'ident.unlogged');
SELECT orchestration.unregister_record_type('Unlogged');
SELECT orchestration.register_record_type('Thing', 'ident.thing');
-- waits for the record: the stage completes when it is done
SELECT pg_temp.orchestration('Ident', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
        pg_temp.stage('S', NULL, pg_temp.step('Hand', 'I', 'Ident_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}'))
        || '{"exitConditionLogic": "and", "exitConditions": [{"leftValueReference": "$Record.done", "operator": "EqualTo", "rightValue": {"booleanValue": true}}]}')),
    '{"object": "Thing", "recordTriggerType": "CreateAndUpdate", "triggerType": "RecordAfterSave", "doesRequireRecordChangedToMeetCriteria": true, "filterLogic": "and",
      "filters": [{"field": "state", "operator": "EqualTo", "value": {"stringValue": "New"}}]}');
INSERT INTO ident.thing SELECT n, 'New' FROM generate_series(1, 9) n;
SELECT pg_temp.at(), pg_temp.marked();

--
-- Renamed by the owner: table, schema, key column; each session follows
--
SET ROLE regress_ident_owner;
ALTER TABLE ident.thing RENAME TO object;
ALTER TABLE ident.object RENAME COLUMN id TO number;
INSERT INTO ident.object VALUES (10, 'New');
UPDATE ident.object SET done = true WHERE number = 1;
RESET ROLE;
SELECT pg_temp.at(), pg_temp.runs();
SET ROLE regress_ident_owner;
ALTER TABLE ident.object SET SCHEMA ident_two;
RESET ROLE;
SELECT pg_temp.at(), orchestration.record_exists('Thing', '2');
ALTER SCHEMA ident_two RENAME TO ident_three;
SELECT pg_temp.at(), orchestration.record_exists('Thing', '2');
-- ALTER INDEX renames tables, too
ALTER INDEX ident_three.object RENAME TO thing;
SELECT pg_temp.at(), orchestration.record_exists('Thing', '2');
BEGIN;
ALTER TABLE ident_three.thing RENAME TO other;
SAVEPOINT a;
ALTER TABLE ident_three.other RENAME TO another;
SELECT pg_temp.at();
ROLLBACK TO a;
SELECT pg_temp.at(), orchestration.record_exists('Thing', '2');
ROLLBACK;
SELECT pg_temp.at(), orchestration.record_exists('Thing', '2');
ALTER TABLE ident_three.thing SET SCHEMA ident;
ALTER TABLE ident.thing RENAME number TO id;
ALTER SCHEMA ident_three RENAME TO ident_two;
-- a table of the same name elsewhere, and other objects, concern nobody
CREATE TABLE ident_two.thing (id integer PRIMARY KEY);
ALTER TABLE ident_two.thing RENAME TO thing_two;
ALTER TABLE ident_two.thing_two RENAME TO thing;
ALTER TABLE ident_two.thing RENAME id TO id2;
DROP TABLE ident_two.thing;
SELECT pg_temp.at();
SELECT * FROM orchestration.verify();

--
-- An online rebuild swaps names in one transaction: the record type keeps the name
--
CREATE FUNCTION pg_temp.rebuild(key text DEFAULT 'integer') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE ident.thing_new (note text, done boolean NOT NULL DEFAULT false, id %s PRIMARY KEY, state text, more text)', key);
    EXECUTE format('INSERT INTO ident.thing_new SELECT note, done, id::%s, state FROM ident.thing', key);
END
$$;
SET ROLE regress_ident_owner;
SELECT pg_temp.rebuild();
BEGIN;
ALTER TABLE ident.thing RENAME TO thing_old;
ALTER TABLE ident.thing_new RENAME TO thing;
COMMIT;
INSERT INTO ident.thing VALUES ('a note', false, 11, 'New');
INSERT INTO ident.thing_old VALUES (12, 'New');
UPDATE ident.thing SET done = true WHERE id = 2;
UPDATE ident.thing_old SET done = true WHERE id = 3;
DELETE FROM ident.thing_old WHERE id = 3;
RESET ROLE;
SELECT pg_temp.at(), pg_temp.marked(), pg_temp.runs();
SELECT * FROM orchestration.verify();
-- back again, through a third name
SET ROLE regress_ident_owner;
BEGIN;
ALTER TABLE ident.thing RENAME TO thing_tmp;
ALTER TABLE ident.thing_old RENAME TO thing;
ALTER TABLE ident.thing_tmp RENAME TO thing_old;
COMMIT;
RESET ROLE;
SELECT pg_temp.at(), pg_temp.marked();
-- a swap that is rolled back
BEGIN;
ALTER TABLE ident.thing RENAME TO thing_tmp;
SAVEPOINT a;
ALTER TABLE ident.thing_old RENAME TO thing;
SELECT pg_temp.at();
ROLLBACK TO a;
SELECT pg_temp.at();
ROLLBACK;
SELECT pg_temp.at(), pg_temp.marked();
-- in two transactions it follows the table, and can be moved
ALTER TABLE ident.thing RENAME TO thing_tmp;
ALTER TABLE ident.thing_old RENAME TO thing;
SELECT pg_temp.at(), pg_temp.marked();
SELECT orchestration.register_record_type('Thing', 'ident.thing');
SELECT pg_temp.at(), pg_temp.marked();
DROP TABLE ident.thing_tmp;
-- a table that cannot take its place
SET ROLE regress_ident_owner;
SELECT pg_temp.rebuild('bigint');
RESET ROLE;
BEGIN;
SET ROLE regress_ident_owner;
ALTER TABLE ident.thing RENAME TO thing_old;
ALTER TABLE ident.thing_new RENAME TO thing;
RESET ROLE;
SELECT pg_temp.at(), pg_temp.marked();
SELECT orchestration.register_record_type('Thing', 'ident.thing');
ROLLBACK;
DROP TABLE ident.thing_new;
-- the copy was made without its key; a view; the table of somebody else
CREATE TABLE ident.thing_new AS TABLE ident.thing;
CREATE VIEW ident.thing_view AS TABLE ident.thing;
BEGIN;
SET ROLE regress_ident_owner;
ALTER TABLE ident.thing RENAME TO thing_old;
RESET ROLE;
ALTER TABLE ident.thing_new RENAME TO thing;
SELECT pg_temp.at();
ROLLBACK;
RESET ROLE;
BEGIN;
ALTER TABLE ident.thing RENAME TO thing_old;
ALTER VIEW ident.thing_view RENAME TO thing;
SELECT pg_temp.at();
ROLLBACK;
DROP VIEW ident.thing_view;
DROP TABLE ident.thing_new;
-- schemas swapped
CREATE TABLE ident_two.thing (LIKE ident.thing INCLUDING ALL);
BEGIN;
ALTER SCHEMA ident RENAME TO ident_old;
ALTER SCHEMA ident_two RENAME TO ident;
SELECT pg_temp.at(), pg_temp.marked();
ROLLBACK;
-- two registered tables exchange their names: each keeps its own records
SELECT orchestration.register_record_type('Thing_Two', 'ident_two.thing');
BEGIN;
ALTER TABLE ident_two.thing RENAME TO thing_two;
ALTER TABLE ident_two.thing_two SET SCHEMA ident;
ALTER TABLE ident.thing RENAME TO thing_tmp;
ALTER TABLE ident.thing_two RENAME TO thing;
ALTER TABLE ident.thing_tmp RENAME TO thing_two;
SELECT pg_temp.at(), pg_temp.marked();
ROLLBACK;
SELECT orchestration.register_record_type('Thing', 'ident_two.thing');
SELECT orchestration.unregister_record_type('Thing_Two');
-- dropped and renamed in one transaction: by a user who may register record types
BEGIN;
SET ROLE regress_ident_owner;
SELECT pg_temp.rebuild();
DROP TABLE ident.thing;
ALTER TABLE ident.thing_new RENAME TO thing;
RESET ROLE;
SELECT pg_temp.at(), pg_temp.marked();
ROLLBACK;
GRANT USAGE ON SCHEMA orchestration TO regress_ident_owner;
GRANT EXECUTE ON FUNCTION orchestration.register_record_type(text, regclass, name) TO regress_ident_owner;
SET ROLE regress_ident_owner;
BEGIN;
SELECT pg_temp.rebuild();
DROP TABLE ident.thing;
ALTER TABLE ident.thing_new RENAME TO thing;
COMMIT;
RESET ROLE;
SELECT pg_temp.at(), pg_temp.marked(), pg_temp.runs();
SELECT * FROM orchestration.verify();
-- registered again, for another table: by the owner of both
CREATE TABLE ident_two.mine (id integer PRIMARY KEY);
ALTER TABLE ident_two.mine OWNER TO regress_ident_other;
GRANT USAGE ON SCHEMA ident_two TO regress_ident_other;
GRANT EXECUTE ON FUNCTION orchestration.register_record_type(text, regclass, name) TO regress_ident_other;
SET ROLE regress_ident_other;
SELECT orchestration.register_record_type('Thing', 'ident_two.mine');
RESET ROLE;
SELECT orchestration.register_record_type('Thing', 'ident_two.thing');
UPDATE ident_two.thing SET done = true;
INSERT INTO ident_two.thing (id, state) SELECT id, state FROM ident.thing;
UPDATE ident_two.thing SET done = true WHERE id = 4;
SELECT pg_temp.at(), pg_temp.marked(), pg_temp.runs();
SELECT orchestration.register_record_type('Thing', 'ident.thing');
SELECT pg_temp.clean_up();

--
-- Fields that are gone: never silently null
--
INSERT INTO ident.thing (id, state) VALUES (20, 'New');
SET ROLE regress_ident_owner;
ALTER TABLE ident.thing RENAME done TO is_done;
UPDATE ident.thing SET note = 'changed' WHERE id = 20;
RESET ROLE;
SELECT pg_temp.state(), pg_temp.failure();
SELECT record_type, orchestration, version, element, field FROM orchestration.record_type_problems();
SELECT invariant, object, detail FROM orchestration.verify();
ALTER TABLE ident.thing RENAME is_done TO done;
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state();
SELECT count(*) FROM orchestration.record_type_problems();
-- a start that reads it: the statement of the application succeeds, with one warning
ALTER TABLE ident.thing DROP state;
SET ROLE regress_ident_owner;
INSERT INTO ident.thing (id) SELECT generate_series(21, 24);
UPDATE ident.thing SET note = 'again';
RESET ROLE;
SELECT pg_temp.runs();
SELECT why FROM orchestration.stuck_runs();
ALTER TABLE ident.thing ADD state text;
INSERT INTO ident.thing (id, state) VALUES (25, 'New');
SELECT pg_temp.runs();
-- another type; a column that no orchestration reads; one of a type that is dropped
ALTER TABLE ident.thing ALTER state TYPE varchar(20), ALTER note TYPE varchar(20);
ALTER TABLE ident.thing DROP note, DROP more;
CREATE DOMAIN ident.status AS text;
ALTER TABLE ident.thing ALTER state TYPE ident.status;
DROP DOMAIN ident.status CASCADE;
ALTER TABLE ident.thing ADD state text;
-- the key column is dropped
ALTER TABLE ident.thing ADD other integer UNIQUE;
UPDATE ident.thing SET other = id;
ALTER TABLE ident.thing ALTER other SET NOT NULL, DROP id;
INSERT INTO ident.thing (other, state) VALUES (30, 'New'), (31, 'New');
SELECT orchestration.record_exists('Thing', '25');
SELECT * FROM orchestration.verify();
SELECT orchestration.start_orchestration('Ident', '25');
SELECT orchestration.register_record_type('Thing', 'ident.thing', 'other');
SELECT orchestration.record_exists('Thing', '25');
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up(), orchestration.deactivate_orchestration('Ident');
-- between stages: a resumed run goes the way again, with the variables of its beginning
SELECT pg_temp.orchestration('Ident_Way', 'Add', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('n', 'Number', '{"numberValue": 0}')),
    'assignments', '[{"name": "Add", "label": "Add", "assignmentItems": [{"assignToReference": "n", "operator": "Add", "value": {"numberValue": 1}}], "connector": {"targetReference": "Which"}}]'::jsonb,
    'decisions', '[{"name": "Which", "label": "Which", "defaultConnector": {"targetReference": "A"}, "rules": [{"name": "Yes", "label": "Yes", "conditionLogic": "and", "connector": {"targetReference": "B"},
        "conditions": [{"leftValueReference": "$Record.state", "operator": "EqualTo", "rightValue": {"stringValue": "B"}}]}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('A', 'Add', pg_temp.step('Echo', 'B', 'Ident_Echo', '{}', '{"n": {"elementReference": "n"}}')),
        pg_temp.stage('B', NULL, pg_temp.step('Last', 'B', 'Ident_Echo', '{}', '{"n": {"elementReference": "n"}}')))),
    '{"object": "Thing", "recordTriggerType": "Create", "triggerType": "RecordAfterSave"}');
ALTER TABLE ident.thing RENAME state TO was;
INSERT INTO ident.thing (other, was) VALUES (40, 'B');
SELECT pg_temp.state(), pg_temp.failure();
ALTER TABLE ident.thing RENAME was TO state;
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state(), (SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run());
-- a value of a step
CREATE TABLE ident.nothing (id integer PRIMARY KEY, name text);
ALTER TABLE ident.thing ADD nothing_id integer REFERENCES ident.nothing;
SELECT pg_temp.orchestration('Ident_Way', 'A', jsonb_build_object('orchestratedStages', jsonb_build_array(
        pg_temp.stage('A', NULL, pg_temp.step('Echo', 'B', 'Ident_Echo', '{}', '{"state": {"elementReference": "$Record.state"}, "deep": {"elementReference": "$Record.Nothing__r.name"}}')))),
    '{"object": "Thing", "recordTriggerType": "Create", "triggerType": "RecordAfterSave"}');
ALTER TABLE ident.thing DROP nothing_id;
INSERT INTO ident.thing (other, state) VALUES (41, 'B');
SELECT pg_temp.state(), pg_temp.failure();
SELECT element, field FROM orchestration.record_type_problems();
ALTER TABLE ident.thing ADD nothing jsonb;
SELECT orchestration.resume_run(pg_temp.run());
SELECT pg_temp.state(), (SELECT outputs FROM orchestration.step_run WHERE run_id = pg_temp.run());
SELECT orchestration.deactivate_orchestration('Ident_Way'), pg_temp.clean_up();

--
-- What no event trigger saw: the next use finds out
--
SELECT orchestration.activate_orchestration('Ident');
INSERT INTO ident.thing (other, state) VALUES (50, 'New');
ALTER EVENT TRIGGER orchestration_record_command DISABLE;
ALTER EVENT TRIGGER orchestration_record_drop DISABLE;
ALTER TABLE ident.thing RENAME TO moved;
INSERT INTO ident.moved (other, state) VALUES (51, 'New');
UPDATE ident.moved SET done = true WHERE other = 50;
SELECT pg_temp.at(), pg_temp.runs();
SELECT pg_temp.failure(id) FROM orchestration.run WHERE status = 'Error';
SELECT orchestration.start_orchestration('Ident', '50');
SELECT orchestration.dry_run('Ident', '50');
UPDATE orchestration.run SET triggering_record_id = '51' WHERE triggering_record_id = '50';
SELECT orchestration.record_exists('Thing', '50'), orchestration_internal.record_type_problem('Thing');
SELECT invariant, object, detail FROM orchestration.verify();
SELECT step, why FROM orchestration.stuck_runs();
SELECT orchestration.register_record_type('Thing', 'ident.moved', 'other');
SELECT orchestration.resume_run(id) FROM orchestration.run WHERE status = 'Error';
SELECT pg_temp.at(), pg_temp.marked(), pg_temp.runs();
-- a table that took the name is another one
ALTER TABLE ident.moved RENAME TO thing;
CREATE TABLE ident.moved (other integer PRIMARY KEY, state text);
INSERT INTO ident.moved VALUES (51);
SELECT pg_temp.at(), orchestration.record_exists('Thing', '51'), orchestration_internal.record_type_problem('Thing');
SELECT orchestration.register_record_type('Thing_Two', 'ident.moved');
SELECT orchestration.register_record_type('Thing_Two', 'ident.thing', 'other');
ALTER EVENT TRIGGER orchestration_record_command ENABLE;
ALTER EVENT TRIGGER orchestration_record_drop ENABLE;
DROP TABLE ident.moved;
-- the next rename repairs it
ALTER TABLE ident.thing RENAME TO again;
ALTER TABLE ident.again RENAME TO thing;
SELECT pg_temp.at();
SELECT orchestration.unregister_record_type('Unknown');

--
-- A dropped table leaves the record type; another table cannot take its name
--
SELECT pg_temp.clean_up();
INSERT INTO ident.thing (other, state) VALUES (60, 'New');
GRANT USAGE, CREATE ON SCHEMA ident TO regress_ident_other;
DROP TABLE ident.thing;
SET ROLE regress_ident_other;
CREATE TABLE ident.thing (other integer PRIMARY KEY, state text, done boolean);
CREATE TRIGGER orchestration_record_changes AFTER INSERT ON ident.thing FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.record_change('Thing');
CREATE TRIGGER orchestration_record_change AFTER INSERT OR UPDATE OR DELETE ON ident.thing FOR EACH ROW EXECUTE FUNCTION orchestration_internal.record_change('Thing');
CREATE TRIGGER mark AFTER INSERT ON ident.thing FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.record_changes('Thing');
INSERT INTO ident.thing VALUES (60, 'New', true);
DELETE FROM ident.thing;
INSERT INTO ident.thing VALUES (60, 'New', true);
RESET ROLE;
SELECT pg_temp.at(), pg_temp.runs(), orchestration.record_exists('Thing', '60');
SELECT invariant, object, detail FROM orchestration.verify() WHERE invariant <> 'triggers of a record type';
SELECT why FROM orchestration.stuck_runs();
DROP TABLE ident.thing;
-- what is restored takes its place: a table with the triggers, or one that is registered
CREATE TABLE ident.thing (other integer PRIMARY KEY, state text, done boolean);
INSERT INTO ident.thing VALUES (60, 'New', false);
SELECT orchestration.register_record_type('Thing', 'ident.thing');
SELECT pg_temp.at(), pg_temp.runs();
UPDATE ident.thing SET done = true;
SELECT pg_temp.runs();
SELECT orchestration.deactivate_orchestration('Ident'), pg_temp.clean_up();
DROP TABLE ident.thing;
SELECT orchestration.unregister_record_type('Thing');
SELECT * FROM orchestration.verify();

--
-- The command of a user succeeds even if the names cannot follow; it costs no rights
--
CREATE TABLE ident.a (id integer PRIMARY KEY);
CREATE TABLE ident.b (id integer PRIMARY KEY);
ALTER TABLE ident.a OWNER TO regress_ident_other;
SELECT orchestration.register_record_type('A', 'ident.a'), orchestration.register_record_type('B', 'ident.b');
DROP TABLE ident.b;
SET ROLE regress_ident_other;
ALTER TABLE ident.a RENAME TO b;
INSERT INTO ident.b VALUES (1);
RESET ROLE;
SELECT pg_temp.at();
SELECT orchestration.unregister_record_type('B');
SELECT orchestration.register_record_type('A', 'ident.b');
SELECT pg_temp.at(), pg_temp.marked();
-- a schema of a user, with names of ours; settings of the session
SET ROLE regress_ident_other;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SET LOCAL search_path = ident, pg_catalog;
SET LOCAL statement_timeout = '1min';
CREATE FUNCTION ident.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'called'; END$$;
CREATE FUNCTION ident.is_less(name, name) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'called'; END$$;
CREATE OPERATOR ident.<> (FUNCTION = ident.is_less, LEFTARG = name, RIGHTARG = name);
CREATE TABLE b_child () INHERITS (b);
ALTER TABLE b RENAME id TO key;
ALTER TABLE b RENAME TO a;
SELECT current_user, current_setting('search_path');
ROLLBACK;
RESET ROLE;
SELECT orchestration.unregister_record_type('A');
DROP TABLE ident.b;

--
-- Rows of children are records
--
CREATE TABLE ident.parent (id integer PRIMARY KEY, state text);
CREATE TABLE ident.child (more text, PRIMARY KEY (id)) INHERITS (ident.parent);
SELECT orchestration.register_record_type('Parent', 'ident.parent');
SELECT pg_temp.orchestration('Ident_Parent', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
        pg_temp.stage('S', NULL, pg_temp.step('Echo', 'B', 'Ident_Echo', '{}', '{"record": {"elementReference": "$Record"}}'),
                                 pg_temp.step('Hand', 'I', 'Ident_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}')))),
    '{"object": "Parent", "recordTriggerType": "CreateAndUpdate", "triggerType": "RecordAfterSave", "filterLogic": "and", "filters": [{"field": "state", "operator": "EqualTo", "value": {"stringValue": "New"}}]}');
CREATE TABLE ident.grandchild (PRIMARY KEY (id)) INHERITS (ident.child);
CREATE TABLE ident.adopted (more text, state text, id integer NOT NULL PRIMARY KEY);
ALTER TABLE ident.adopted INHERIT ident.parent;
CREATE TEMP TABLE ident_temp_child () INHERITS (ident.parent);
SELECT pg_temp.marked();
INSERT INTO ident.child VALUES (1, 'New', 'more');
INSERT INTO ident.grandchild VALUES (2, 'New', 'more');
INSERT INTO ident.adopted VALUES ('more', 'New', 3);
INSERT INTO ident.parent VALUES (4, 'New');
SELECT pg_temp.runs();
SELECT outputs FROM orchestration.step_run WHERE name = 'Echo' ORDER BY id;
UPDATE ident.parent SET state = 'Old';
UPDATE ident.parent SET state = 'New' WHERE id IN (2, 3);
SELECT orchestration.start_orchestration('Ident_Parent', '1') IS NOT NULL, pg_temp.runs();
DELETE FROM ident.parent WHERE id = 1;
UPDATE ident.child SET id = 22 WHERE id = 2;
SELECT pg_temp.runs();
SELECT orchestration.register_record_type('Child', 'ident.child');
ALTER TABLE ident.parent RENAME TO elder;
ALTER TABLE ident.child RENAME TO younger;
SELECT pg_temp.at();
TRUNCATE ONLY ident.elder;
SELECT pg_temp.runs();
ALTER TABLE ident.adopted NO INHERIT ident.elder;
SELECT pg_temp.runs(), pg_temp.marked();
ALTER TABLE ident.elder RENAME state TO status;
DROP TABLE ident.grandchild;
SELECT pg_temp.runs();
SELECT orchestration.deactivate_orchestration('Ident_Parent'), pg_temp.clean_up();
SELECT * FROM orchestration.verify();
SELECT orchestration.unregister_record_type('Parent');
SELECT pg_temp.marked();

SELECT orchestration.unregister_action('Ident_Echo'), orchestration.unregister_action('Ident_Screen');
SET client_min_messages = warning;
DROP SCHEMA ident, ident_two CASCADE;
DROP TABLE ident_temp;
DROP FUNCTION public.ident_echo;
DROP OWNED BY regress_ident_owner, regress_ident_other;
DROP ROLE regress_ident_owner, regress_ident_other;
SELECT * FROM orchestration.verify();
