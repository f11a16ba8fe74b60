-- Activation: what a definition needs from the database, with line and place.
\pset format unaligned
\pset tuples_only on

-- nothing of this stays
BEGIN;
\set ON_ERROR_ROLLBACK on
CREATE SCHEMA activation;
SET LOCAL search_path = activation, public;
CREATE TYPE mood AS ENUM ('New', 'Approved', 'Rejected');
CREATE TYPE size AS (width integer, height integer);
CREATE DOMAIN short AS varchar(3);
-- its values look as this function says, which runs in a run only
CREATE TYPE told AS ENUM ('A', 'B');
CREATE FUNCTION tell(told) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'told'; RETURN '"told"'; END $$;
CREATE CAST (told AS json) WITH FUNCTION tell(told);

CREATE FUNCTION pg_temp.rows(document jsonb)
    RETURNS TABLE (severity text, line integer, place text, message text)
    LANGUAGE sql AS $$ SELECT v.severity, v.line, v.place, v.message FROM orchestration.validate_orchestration(document) v $$;
CREATE FUNCTION pg_temp.filtered(object text, filters jsonb, trigger_type text DEFAULT 'CreateAndUpdate', logic text DEFAULT 'and') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('label', 'T', 'processType', 'Orchestrator', 'orchestratedStages', '[{"name": "S", "label": "S"}]'::jsonb,
        'start', jsonb_build_object('connector', '{"targetReference": "S"}'::jsonb, 'object', object, 'triggerType', 'RecordAfterSave',
            'recordTriggerType', trigger_type, 'filterLogic', logic, 'filters', filters))
$$;
CREATE FUNCTION pg_temp.filter(field text, operator text, value jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('field', field, 'operator', operator, 'value', value))
$$;

--
-- Every type of column with every operator and every kind of literal
--
CREATE TABLE kind (n integer GENERATED ALWAYS AS IDENTITY, type text, samples text[], shown jsonb[] DEFAULT '{NULL}');
INSERT INTO kind (type, samples) VALUES
    ('boolean', '{true,false}'), ('smallint', '{5,-1}'), ('integer', '{5,0}'), ('numeric', '{5,1.5,100000}'),
    ('numeric(5,2)', '{5,1.5,-999.99}'), ('double precision', '{5,1.5}'), ('text', '{x,5,true,2026-01-31,ABCDEF,""}'),
    ('varchar(3)', '{x,5,ABC}'), ('char(3)', '{x,ABC}'), ('short', '{x,5}'), ('mood', '{New,Approved}'),
    ('uuid', '{018f2b6e-0000-7000-8000-000000000001}'), ('date', '{2026-01-31,1999-12-31}'), ('timestamp', '{2026-01-31T12:00:00}'),
    ('timestamptz', '{2026-01-31T12:00:00Z}'), ('time', '{12:00:00}'), ('bytea', '{x}'), ('int4range', '{"[1,3)"}'),
    ('text[]', '{"{x,5}","{}"}'), ('size', '{"(1,2)"}'), ('jsonb', '{}'), ('told', '{}');
DO $$
DECLARE
    k record;
    sample text;
    value jsonb;
BEGIN
    FOR k IN SELECT * FROM kind LOOP
        EXECUTE format('CREATE TABLE kind_%s (id integer PRIMARY KEY, c %s)', k.n, k.type);
        PERFORM orchestration.register_record_type('Kind_' || k.n, ('kind_' || k.n)::regclass);
        FOREACH sample IN ARRAY k.samples LOOP
            EXECUTE format('SELECT to_jsonb(x)->''c'' FROM (SELECT %L::%s AS c) x', sample, k.type) INTO value;
            UPDATE kind SET shown = shown || value WHERE n = k.n;
        END LOOP;
    END LOOP;
END
$$;
CREATE TABLE literal (l integer GENERATED ALWAYS AS IDENTITY, value jsonb);
INSERT INTO literal (value) VALUES (NULL), ('{"stringValue": "x"}'), ('{"stringValue": "5"}'), ('{"stringValue": "true"}'), ('{"stringValue": "2026-01-31"}'),
    ('{"stringValue": "ABCDEF"}'), ('{"stringValue": "018f2b6e-0000-7000-8000-000000000001"}'), ('{"numberValue": 5}'), ('{"numberValue": 1.5}'),
    ('{"numberValue": 100000}'), ('{"booleanValue": true}'), ('{"dateValue": "2026-01-31"}'), ('{"dateTimeValue": "2026-01-31T12:00:00Z"}'), ('{"timeValue": "12:00:00"}');
CREATE TABLE operator (o integer GENERATED ALWAYS AS IDENTITY, name text);
INSERT INTO operator (name) SELECT unnest('{EqualTo,NotEqualTo,GreaterThan,LessThan,GreaterThanOrEqualTo,LessThanOrEqualTo,StartsWith,EndsWith,Contains,In,NotIn,IsNull,IsChanged,IsBlank,IsEmpty,WasSet}'::text[]);

-- what activation says of a filter: . nothing, w warns, e refuses; d: deployment refuses it
CREATE TABLE verdict AS
    SELECT k.n, o.o, l.l, COALESCE(v.verdict, '.') AS verdict, v.message
      FROM kind k, operator o, literal l,
           LATERAL (SELECT min(CASE v.severity WHEN 'ERROR' THEN 'd' WHEN 'ACTIVATION ERROR' THEN 'e' ELSE 'w' END) AS verdict, string_agg(v.message, '; ') AS message
                      FROM orchestration.validate_orchestration(pg_temp.filtered('Kind_' || k.n, jsonb_build_array(pg_temp.filter('C', o.name, l.value)))) v) v;
-- what a run says, for each value: t holds, f does not, x cannot be evaluated
CREATE FUNCTION pg_temp.evaluate(op text, literal jsonb, value jsonb) RETURNS "char" LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN orchestration.evaluate_conditions(
        jsonb_build_object('conditions', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('leftValueReference', '$Record.C', 'operator', op, 'rightValue', literal)))),
        jsonb_build_object('$Record.C', value, '$Record__Prior.C', NULL)) THEN 't' ELSE 'f' END;
EXCEPTION WHEN sqlstate 'OR301' THEN
    RETURN 'x';
END
$$;
CREATE TABLE outcome AS
    SELECT v.*, s.value, pg_temp.evaluate(o.name, l.value, s.value) AS outcome
      FROM verdict v JOIN kind k USING (n) JOIN operator o USING (o) JOIN literal l USING (l), LATERAL unnest(k.shown) s (value)
     WHERE v.verdict <> 'd';
SELECT count(*), count(DISTINCT verdict) FROM outcome;
-- an accepted filter can be evaluated; a refused one fails for every value, or never holds; a warning tells the truth.
-- A date in a column is a text in a run, which compares with other texts: only activation knows that it is a date.
CREATE VIEW wrong AS
    SELECT k.type, o.name, l.value AS literal, v.verdict, v.message, string_agg(v.outcome, '' ORDER BY v.outcome) AS outcomes
      FROM outcome v JOIN kind k USING (n) JOIN operator o USING (o) JOIN literal l USING (l)
     GROUP BY 1, 2, 3, 4, 5
    HAVING CASE WHEN v.verdict = '.' THEN bool_or(v.outcome = 'x')
                WHEN v.verdict = 'e' THEN bool_or(v.outcome = 't' AND v.value IS NOT NULL)
                     AND NOT (k.type IN ('date', 'timestamp', 'timestamptz', 'time') AND v.message LIKE '%does not apply to them%')
                WHEN v.message LIKE '%always holds%' THEN bool_or(v.outcome <> 't')
                WHEN v.message LIKE '%never holds%' THEN bool_or(v.outcome = 't')
                ELSE v.message NOT LIKE '%compares %' END;
SELECT * FROM wrong ORDER BY type, name, literal;
-- the verdicts, in the order of the literals
SELECT k.type, o.name, string_agg(v.verdict, '' ORDER BY v.l) FROM verdict v JOIN kind k USING (n) JOIN operator o USING (o) GROUP BY k.n, k.type, o.o, o.name ORDER BY k.n, o.o;
-- and why
SELECT k.type, o.name, v.message FROM verdict v JOIN kind k USING (n) JOIN operator o USING (o)
 WHERE v.verdict IN ('e', 'w') AND (o.name = 'EqualTo' OR (k.type = 'mood' AND o.name IN ('StartsWith', 'NotEqualTo'))) ORDER BY k.n, o.o, v.l;

--
-- Fields and relationships, by the rules of a run
--
CREATE TABLE person (id integer PRIMARY KEY, username text, manager_id integer REFERENCES person);
CREATE TABLE account (key uuid PRIMARY KEY, "Name" text, owner integer REFERENCES person (id));
CREATE TABLE thing (thing_no integer PRIMARY KEY, status mood NOT NULL, amount numeric(6,2), note text, due date, made timestamptz, ok boolean,
    "Custom_Field__c" integer, details jsonb, extent size, account__c uuid REFERENCES account, owner_id integer REFERENCES person,
    other_id integer, tags text[], lower_case text, "LOWER_CASE" text);
ALTER TABLE thing ADD gone text;
ALTER TABLE thing DROP gone;
SELECT orchestration.register_record_type('Thing', 'thing');
CREATE FUNCTION act(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Act', 'function', 'activation.act(jsonb)'), orchestration.register_action('Form', 'screen');

CREATE FUNCTION pg_temp.step(name text, inputs text, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT format(E'<stageSteps>\n<name>%s</name>\n<label>x</label>\n<actionName>Act</actionName>\n<actionType>stepBackground</actionType>\n%s%s</stageSteps>\n', name,
        (SELECT string_agg(format(E'<inputParameters>\n<name>%s</name>\n<value>\n<elementReference>%s</elementReference>\n</value>\n</inputParameters>\n', n, r), '') FROM unnest(string_to_array(inputs, ' ')) WITH ORDINALITY u (r, n)), more)
$$;
CREATE FUNCTION pg_temp.flow(body text, start text DEFAULT '', label text DEFAULT 'T') RETURNS xml LANGUAGE sql AS $$
    SELECT format(E'<Flow xmlns="http://soap.sforce.com/2006/04/metadata">\n<label>%s</label>\n<processType>Orchestrator</processType>\n%s<start>\n<connector><targetReference>S</targetReference></connector>\n<object>Thing</object>\n<recordTriggerType>Create</recordTriggerType>\n<triggerType>RecordAfterSave</triggerType>\n%s</start>\n</Flow>', label, body, start)::xml
$$;
CREATE FUNCTION pg_temp.stage(steps text, more text DEFAULT '', name text DEFAULT 'S') RETURNS text LANGUAGE sql AS $$
    SELECT format(E'<orchestratedStages>\n<name>%s</name>\n<label>x</label>\n%s%s</orchestratedStages>\n', name, more, steps)
$$;
CREATE FUNCTION pg_temp.condition(element text, lhs text, op text, rhs text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT format(E'<%1$s>\n<%4$s>%2$s</%4$s>\n<operator>%3$s</operator>\n%5$s</%1$s>\n', element, lhs, op, CASE element WHEN 'filters' THEN 'field' ELSE 'leftValueReference' END,
        CASE WHEN rhs <> '' THEN format(E'<%1$s>%2$s</%1$s>\n', CASE element WHEN 'filters' THEN 'value' ELSE 'rightValue' END, rhs) ELSE '' END)
$$;
CREATE FUNCTION pg_temp.decision(name text, rules text, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT format(E'<decisions>\n<name>%s</name>\n<label>x</label>\n%s%s</decisions>\n', name, rules, more)
$$;
CREATE FUNCTION pg_temp.rule(name text, conditions text, logic text DEFAULT 'and', connector text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT format(E'<rules>\n<name>%s</name>\n<label>x</label>\n<conditionLogic>%s</conditionLogic>\n%s%s</rules>\n', name, logic, conditions,
        CASE WHEN connector <> '' THEN format(E'<connector><targetReference>%s</targetReference></connector>\n', connector) ELSE '' END)
$$;
CREATE FUNCTION pg_temp.check(document xml) RETURNS TABLE (severity text, line integer, place text, message text, source text) LANGUAGE sql AS $$
    SELECT v.severity, v.line, v.place, v.message, (string_to_array(document::text, E'\n'))[v.line] FROM orchestration.validate_orchestration(document) v
$$;

-- what activation says of a path in a text, and what a run puts there
CREATE TABLE path (n integer GENERATED ALWAYS AS IDENTITY, path text);
INSERT INTO path (path) SELECT unnest('{Status,STATUS,status,Amount,ThingNo,Thing_No,Id,id,Custom_Field__c,customfield__c,Custom_field__C,Gone,Nothing,Details,Details.a,Details.b.c,Extent.width,Tags,Account__c,Account__r,Account__r.Name,Account.Name,
account__r.name,AccountId,Account__r.Owner.Username,Account__r.owner:User.Username,Owner.Username,Owner:User.Username,OwnerId,Owner.Id,Owner.Manager.Username,Owner.Manager.Manager.Username,Owner.ManagerId,Other.Username,OtherId,
Account__r.Key,Account__r.Id,Owner.Nothing,Nobody.Username,Owner.Nobody.Username,Lower_Case,LowerCase,LOWER_CASE,Status.x,tableoid,ctid}'::text[]);
INSERT INTO person VALUES (1, 'boss', NULL), (2, 'ada', 1);
UPDATE person SET manager_id = 2 WHERE id = 1;
INSERT INTO account VALUES ('018f2b6e-0000-7000-8000-000000000001', 'ACME', 2);
CREATE TABLE flow (document xml);
INSERT INTO flow SELECT pg_temp.flow(pg_temp.stage(pg_temp.step('P', string_agg('T' || n, ' ' ORDER BY n)))
        || string_agg(format(E'<textTemplates>\n<name>T%s</name>\n<text>{!$Record.%s}</text>\n</textTemplates>\n', n, path), '' ORDER BY n), '', 'Paths') FROM path;
SELECT orchestration.deploy_orchestration(document) FROM flow;
SELECT orchestration.activate_orchestration('Paths');
INSERT INTO thing VALUES (7, 'New', 1.5, 'n', '2026-01-31', '2026-01-31', true, 3, '{"a": 1, "b": {"c": 2}}', '(1,2)', '018f2b6e-0000-7000-8000-000000000001', 2, 9, '{a}', 'l', 'L');
SELECT p.path, w.message, s.outputs ->> n::text
  FROM path p LEFT JOIN flow f ON true LEFT JOIN pg_temp.check(f.document) w ON w.place = format('textTemplates[%s] "T%s".text', p.n - 1, p.n), orchestration.step_run s
 WHERE (w.message IS NULL) <> (s.outputs ->> n::text <> '') ORDER BY p.n;
SELECT count(*), count(w.message) FROM path p LEFT JOIN flow f ON true LEFT JOIN pg_temp.check(f.document) w ON w.place = format('textTemplates[%s] "T%s".text', p.n - 1, p.n);
SELECT orchestration.deactivate_orchestration('Paths');
-- where it would be null they are refused
SELECT c.line, c.message FROM pg_temp.check((SELECT pg_temp.flow(pg_temp.stage(pg_temp.step('P', string_agg('$Record.' || path, ' ' ORDER BY n)))) FROM path)) c;

--
-- Mistakes: what is said of them, and where
--
CREATE FUNCTION pg_temp.filters(VARIADIC filters text[]) RETURNS xml LANGUAGE sql AS $$ SELECT pg_temp.flow(pg_temp.stage(''), array_to_string(filters, '')) $$;
SELECT c.* FROM (VALUES
    (1, pg_temp.filters(pg_temp.condition('filters', 'Nothing', 'EqualTo', '<stringValue>x</stringValue>'))),
    (2, pg_temp.filters(pg_temp.condition('filters', 'Amount', 'StartsWith', '<stringValue>1</stringValue>'))),
    (3, pg_temp.filters(pg_temp.condition('filters', 'Ok', 'GreaterThan', '<booleanValue>true</booleanValue>'))),
    (4, pg_temp.filters(pg_temp.condition('filters', 'Note', 'EqualTo', '<stringValue>A</stringValue>'), pg_temp.condition('filters', 'Note', 'EqualTo', '<stringValue>B</stringValue>'))),
    (5, pg_temp.filters(E'<filterLogic>1 OR 2</filterLogic>\n', pg_temp.condition('filters', 'Note', 'EqualTo', '<stringValue>A</stringValue>'), pg_temp.condition('filters', 'Note', 'EqualTo', '<stringValue>B</stringValue>'))),
    (6, pg_temp.filters(E'<filterLogic>1 AND (2 OR 3)</filterLogic>\n', pg_temp.condition('filters', 'Note', 'EqualTo', '<stringValue>A</stringValue>'), pg_temp.condition('filters', 'Note', 'StartsWith', '<stringValue>B</stringValue>'), pg_temp.condition('filters', 'Note', 'IsNull', '<booleanValue>true</booleanValue>'))),
    (7, pg_temp.filters(E'<filterLogic>(2 OR 3) AND 1</filterLogic>\n', pg_temp.condition('filters', 'Note', 'EqualTo', '<stringValue>A</stringValue>'), pg_temp.condition('filters', 'Note', 'StartsWith', '<stringValue>B</stringValue>'), pg_temp.condition('filters', 'Note', 'Contains', '<stringValue>A</stringValue>'))),
    (8, pg_temp.filters(E'<filterLogic>NOT (1 AND 2)</filterLogic>\n', pg_temp.condition('filters', 'Note', 'EqualTo', '<stringValue>A</stringValue>'), pg_temp.condition('filters', 'Note', 'EqualTo', '<stringValue>B</stringValue>'))),
    (9, pg_temp.filters(pg_temp.condition('filters', 'Status', 'EqualTo', '<stringValue>Closed</stringValue>'))),
    (10, pg_temp.filters(E'<filterLogic>or</filterLogic>\n', pg_temp.condition('filters', 'Status', 'EqualTo', '<stringValue>Closed</stringValue>'), pg_temp.condition('filters', 'Status', 'EqualTo', '<stringValue>New</stringValue>'))),
    (11, pg_temp.filters(pg_temp.condition('filters', 'Note', 'IsChanged', '<booleanValue>true</booleanValue>'))),
    (12, pg_temp.filters(pg_temp.condition('filters', 'Status', 'IsNull', '<booleanValue>true</booleanValue>'))),
    (13, pg_temp.filters(pg_temp.condition('filters', 'Amount', 'GreaterThan', '<numberValue>10</numberValue>'), pg_temp.condition('filters', 'Amount', 'LessThan', '<numberValue>5</numberValue>'))),
    (14, pg_temp.filters(pg_temp.condition('filters', 'Due', 'LessThan', '<dateValue>2026-01-01</dateValue>'), pg_temp.condition('filters', 'Due', 'GreaterThanOrEqualTo', '<dateTimeValue>2026-01-01T00:00:00Z</dateTimeValue>'))),
    (15, pg_temp.filters(pg_temp.condition('filters', 'Note', 'EqualTo'), pg_temp.condition('filters', 'Note', 'IsNull', '<booleanValue>false</booleanValue>'))),
    (16, pg_temp.filters(E'<filterFormula>{!$Record.Nothing} = 1</filterFormula>\n')),
    (17, pg_temp.filters(E'<filterFormula>{!$Record.Note} + 1 = 2</filterFormula>\n')),
    (18, pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Record__Prior.Note $User.Username $User.Profile $Label.Welcome $Label.Other')))),
    (19, pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Record.Note', pg_temp.condition('entryConditions', 'P.Status', 'EqualTo', '<stringValue>Exception</stringValue>'))))),
    (20, pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Record.Note', pg_temp.condition('entryConditions', '$Record.Note', 'EqualTo', '<stringValue>A</stringValue>') || pg_temp.condition('entryConditions', '$Record.Note', 'NotEqualTo', '<stringValue>A</stringValue>'))))),
    (21, pg_temp.flow(pg_temp.stage('', pg_temp.condition('exitConditions', '$Record.Amount', 'EqualTo', '<numberValue>100000</numberValue>')))),
    (22, pg_temp.flow(pg_temp.decision('D', pg_temp.rule('R', pg_temp.condition('conditions', '$Record.Status', 'EqualTo', '<stringValue>Closed</stringValue>'))) || pg_temp.stage('', E'<connector><targetReference>D</targetReference></connector>\n'))),
    (23, pg_temp.flow(pg_temp.decision('D', pg_temp.rule('R', pg_temp.condition('conditions', '$Record.Note', 'EqualTo', '<stringValue>A</stringValue>'), 'and', 'E')) || pg_temp.decision('E', '', E'<defaultConnector><targetReference>D</targetReference></defaultConnector>\n')
        || pg_temp.stage('', E'<connector><targetReference>D</targetReference></connector>\n'))),
    (24, pg_temp.flow(pg_temp.decision('D', pg_temp.rule('R', pg_temp.condition('conditions', '$Record.Note', 'EqualTo', '<stringValue>A</stringValue>'), 'and', 'D') || pg_temp.rule('R2', pg_temp.condition('conditions', '$Record.Note', 'EqualTo', '<stringValue>B</stringValue>'), 'and', 'D'))
        || pg_temp.stage('', E'<connector><targetReference>D</targetReference></connector>\n'))),
    (25, pg_temp.flow(pg_temp.decision('D', pg_temp.rule('R', pg_temp.condition('conditions', '$Record.Note', 'EqualTo', '<stringValue>A</stringValue>'), 'and', 'S')) || pg_temp.stage('', E'<connector><targetReference>D</targetReference></connector>\n'))),
    (26, pg_temp.flow(pg_temp.stage('') || pg_temp.stage('', '', 'Island'))),
    (27, pg_temp.flow(pg_temp.stage(replace(pg_temp.step('P', '$Record.Id'), '>Act<', '>Other<')))),
    (28, pg_temp.flow(pg_temp.stage(replace(pg_temp.step('P', '$Record.Id'), 'stepBackground', 'stepInteractive')))),
    (29, pg_temp.flow(pg_temp.stage('', E'<exitActionName>Nobody</exitActionName>\n'))),
    (30, replace(pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Record.Nothing')))::text, '>Thing<', '>Unknown<')::xml),
    (31, replace(pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Record.Id')))::text, '>Create<', '>Update<')::xml)
    ) d (n, document), LATERAL (SELECT d.n, c.* FROM pg_temp.check(d.document) c) c ORDER BY d.n, c.line;
-- a global variable that is set, and one of its fields that is not
SELECT orchestration.set_global('$Label', '{"Welcome": "Hello"}');
SELECT message FROM pg_temp.check(pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Label.Welcome $Label.Other'))));
SELECT orchestration.set_global('$Label', NULL);

-- inputs and outputs against the description of the action
SELECT orchestration.set_action_contract('Act', '{"1": "String", "2": "Number", "3": "Boolean", "4": "Date", "5": "Collection", "6": "Record", "7": "Any"}', '{"Text": "String", "Sum": "Number", "Day": "Date"}');
SELECT r, (SELECT string_agg(message, '; ') FROM pg_temp.check(pg_temp.flow(pg_temp.stage(pg_temp.step('P', array_to_string(array_fill(r, '{7}'), ' '))))))
  FROM unnest('{$Record.Note,$Record.Amount,$Record.Ok,$Record.Due,$Record.Tags,$Record,$Record.Extent,$Record.Details,$Flow.CurrentDate}'::text[]) r;
SELECT message FROM pg_temp.check(pg_temp.flow(pg_temp.decision('D', pg_temp.rule('R', pg_temp.condition('conditions', 'P.Outputs.Sum', 'EqualTo', '<booleanValue>true</booleanValue>') || pg_temp.condition('conditions', 'P.Outputs.Day', 'StartsWith', '<stringValue>2026</stringValue>')
    || pg_temp.condition('conditions', 'P.Outputs.Other', 'EqualTo', '<stringValue>x</stringValue>'))) || pg_temp.stage(pg_temp.step('P', '$Record.Note'), E'<connector><targetReference>D</targetReference></connector>\n')));
SELECT orchestration.set_action_contract('Act');

-- assignments and formulas know the types of columns
SELECT v.place, v.message FROM orchestration.validate_orchestration(pg_temp.filtered('Thing', '[]') || '{
    "variables": [{"name": "s", "dataType": "String"}, {"name": "n", "dataType": "Number"}, {"name": "b", "dataType": "Boolean"}, {"name": "d", "dataType": "Date"}, {"name": "r", "dataType": "SObject"}],
    "assignments": [{"name": "A", "assignmentItems": [
        {"assignToReference": "s", "operator": "Assign", "value": {"elementReference": "$Record.Note"}}, {"assignToReference": "s", "operator": "Assign", "value": {"elementReference": "$Record.Amount"}},
        {"assignToReference": "n", "operator": "Add", "value": {"elementReference": "$Record.Amount"}}, {"assignToReference": "n", "operator": "Assign", "value": {"elementReference": "$Record.Note"}},
        {"assignToReference": "b", "operator": "Assign", "value": {"elementReference": "$Record.Due"}}, {"assignToReference": "d", "operator": "Assign", "value": {"elementReference": "$Record.Due"}},
        {"assignToReference": "r", "operator": "Assign", "value": {"elementReference": "$Record"}}, {"assignToReference": "n", "operator": "Assign", "value": {"elementReference": "$Record.Details"}}]}],
    "formulas": [{"name": "F", "dataType": "Number", "expression": "{!$Record.Amount} * 2"}, {"name": "G", "dataType": "Number", "expression": "LEN({!$Record.Amount})"}, {"name": "H", "dataType": "String", "expression": "LEFT({!$Record.Due}, 4)"},
        {"name": "I", "dataType": "Date", "expression": "{!$Record.Due} + 1"}, {"name": "J", "dataType": "String", "expression": "{!$Record.Account__r.Nothing}"}]}'::jsonb) v WHERE v.severity <> 'WARNING';

-- lookups of evaluation flows: their filters, order, and what is read of their records
SELECT v.severity, v.place, v.message FROM orchestration.validate_orchestration('{"label": "E", "processType": "EvaluationFlow", "start": {"connector": {"targetReference": "L"}},
    "variables": [{"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}],
    "recordLookups": [{"name": "L", "object": "Thing", "getFirstRecordOnly": true, "sortField": "Nowhere", "filters": [{"field": "Nothing", "operator": "EqualTo", "value": {"stringValue": "x"}},
            {"field": "Status", "operator": "EqualTo", "value": {"stringValue": "Closed"}}, {"field": "Amount", "operator": "EqualTo", "value": {"booleanValue": true}}], "connector": {"targetReference": "D"}},
        {"name": "M", "object": "Unknown", "connector": {"targetReference": "M"}}],
    "decisions": [{"name": "D", "rules": [{"name": "R", "label": "R", "conditionLogic": "and", "conditions": [{"leftValueReference": "L.Nothing", "operator": "EqualTo", "rightValue": {"stringValue": "x"}},
        {"leftValueReference": "L.Status", "operator": "EqualTo", "rightValue": {"stringValue": "Closed"}}, {"leftValueReference": "L.Account__r.Name", "operator": "EqualTo", "rightValue": {"numberValue": 1}}]}]}]}'::jsonb) v;
-- its inputs
SELECT orchestration.deploy_orchestration('{"fullName": "Asked", "label": "E", "processType": "EvaluationFlow", "start": {"connector": {"targetReference": "D"}}, "decisions": [{"name": "D"}],
    "variables": [{"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}, {"name": "given", "dataType": "String", "isInput": true}, {"name": "own", "dataType": "String"}]}'::jsonb), orchestration.activate_orchestration('Asked');
SELECT line, place, message FROM pg_temp.check(pg_temp.flow(pg_temp.stage('', E'<exitActionName>Asked</exitActionName>\n<exitActionInputParameters>\n<name>given</name>\n</exitActionInputParameters>\n<exitActionInputParameters>\n<name>own</name>\n</exitActionInputParameters>\n')));

--
-- Activation itself: an error with line and place, warnings by a NOTICE
--
SELECT orchestration.deploy_orchestration(pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Record.Nothing $Label.Welcome')), pg_temp.condition('filters', 'Amount', 'Contains', '<stringValue>1</stringValue>'), 'Wrong'));
SELECT orchestration.activate_orchestration('Wrong');
SELECT orchestration.deploy_orchestration(pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Label.Welcome')) || pg_temp.stage('', '', 'Island'), '', 'Warned'));
SELECT orchestration.activate_orchestration('Warned');
SELECT severity, line, message FROM pg_temp.check(pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Label.Welcome')) || pg_temp.stage('', '', 'Island'), '', 'Warned'));

-- a table of which the type is dropped meanwhile, or a column
ALTER TABLE thing DROP COLUMN note;
SELECT message FROM pg_temp.check(pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Record.Note'))));
DROP TABLE thing;
SELECT message FROM pg_temp.check(pg_temp.flow(pg_temp.stage(pg_temp.step('P', '$Record.Note'))));

-- ten thousand conditions on ten thousand fields
SELECT count(*) FROM orchestration.validate_orchestration(pg_temp.filtered('Kind_7', (SELECT jsonb_agg(pg_temp.filter('C', 'NotEqualTo', jsonb_build_object('stringValue', i))) FROM generate_series(1, 10000) i)));
SELECT count(*) FROM orchestration.validate_orchestration(pg_temp.filtered('Kind_7', (SELECT jsonb_agg(pg_temp.filter('C' || i, 'EqualTo', jsonb_build_object('stringValue', i))) FROM generate_series(1, 10000) i)));
SELECT count(*) FROM orchestration.validate_orchestration(jsonb_build_object('label', 'T', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb, 'orchestratedStages', '[{"name": "S", "label": "S", "connector": {"targetReference": "D1"}}]'::jsonb,
    'decisions', (SELECT jsonb_agg(jsonb_build_object('name', 'D' || i, 'label', 'D', 'defaultConnector', jsonb_build_object('targetReference', 'D' || i % 10000 + 1))) FROM generate_series(1, 10000) i)));

ROLLBACK;
\set ON_ERROR_ROLLBACK off

-- validation reads only
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT severity, place, message FROM orchestration.validate_orchestration('{"label": "T", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}, "object": "Thing", "recordTriggerType": "Update", "triggerType": "RecordAfterSave"},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "P", "label": "P", "actionType": "stepBackground", "actionName": "Act", "inputParameters": [{"name": "i", "value": {"elementReference": "$Label.Welcome"}}]}]}]}'::jsonb);
COMMIT;
SELECT provolatile, proparallel, count(*) FROM pg_proc WHERE pronamespace = 'orchestration'::regnamespace AND proname = 'validate_orchestration' GROUP BY 1, 2;
