-- setup_script: orchestration_setup_script() proposes what is missing, with types from the
-- document; after it the orchestration activates and nothing is missing.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE SCHEMA app;
CREATE FUNCTION pg_temp.condition(reference text, operator text, value jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('leftValueReference', reference, 'operator', operator, 'rightValue', value)) $$;
CREATE FUNCTION pg_temp.travel() RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('label', 'Travel', 'fullName', 'Travel', 'processType', 'Orchestrator',
        'start', jsonb_build_object('object', 'Travel_Request__c', 'triggerType', 'RecordAfterSave', 'recordTriggerType', 'CreateAndUpdate',
            'connector', '{"targetReference": "Check"}'::jsonb, 'filterLogic', 'and',
            'filters', '[{"field": "Status__c", "operator": "EqualTo", "value": {"stringValue": "Submitted"}},
                         {"field": "Amount__c", "operator": "GreaterThan", "value": {"numberValue": 10}},
                         {"field": "Begins_On__c", "operator": "LessThan", "value": {"dateValue": "2030-01-01"}},
                         {"field": "Is_Abroad__c", "operator": "EqualTo", "value": {"booleanValue": true}},
                         {"field": "Note__c", "operator": "IsNull", "value": {"booleanValue": false}}]'::jsonb),
        'formulas', '[{"name": "Each", "dataType": "Number", "scale": 2, "expression": "{!$Record.Total__c} / {!$Record.Days__c}"},
                      {"name": "Late", "dataType": "Boolean", "expression": "AND({!$Record.Approved_At__c} > {!$Flow.CurrentDateTime}, CONTAINS({!$Record.Reason__c}, \"late\"))"}]'::jsonb,
        'textTemplates', '[{"name": "Mail", "text": "Dear {!$Record.Traveler__r.Name} of {!$Organization.Name}, {!$Label.Greeting}"}]'::jsonb,
        'orchestratedStages', jsonb_build_array(
            pg_temp.stage('Check', 'Decide',
                pg_temp.step('Budget', 'B', 'Check_Budget', '{}', '{"amount": {"elementReference": "$Record.Amount__c"}}'),
                pg_temp.step('Book', 'A', 'Booking.reserve-seat'),
                pg_temp.step('Review', 'I', 'Review_Travel', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}', '{!$Record.Traveler__r.Manager.Username}'),
                pg_temp.step('Second', 'I', 'Review_Travel', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}', 'zoe@example.com'),
                pg_temp.step('Desk', 'I', 'Review_Travel', '{}', '{"ActionInput__RecordId": {"elementReference": "$Record.Id"}}', 'Travel_Desk', 'Queue'))
                || '{"exitActionName": "Is_Checked", "exitActionType": "evaluationFlow"}',
            pg_temp.stage('Done', NULL, pg_temp.step('Tell', 'B', 'Send_Mail', '{}', '{"text": {"elementReference": "Mail"}}'))),
        'decisions', jsonb_build_array(jsonb_build_object('name', 'Decide', 'label', 'Decide', 'rules', jsonb_build_array(jsonb_build_object(
            'name', 'Good', 'label', 'Good', 'conditionLogic', 'and', 'connector', '{"targetReference": "Done"}'::jsonb, 'conditions', jsonb_build_array(
                pg_temp.condition('Budget.Outputs.left', 'GreaterThan', '{"numberValue": 100}'),
                pg_temp.condition('Budget.Outputs.isOpen', 'EqualTo', '{"booleanValue": true}'),
                pg_temp.condition('Budget.Outputs.account.Code', 'EqualTo', '{"stringValue": "A\\b''c"}'),
                pg_temp.condition('Budget.Outputs.account.Opened', 'LessThan', '{"dateValue": "2031-01-01"}'),
                pg_temp.condition('Review.Outputs.decision', 'EqualTo', '{"stringValue": "Approve"}'),
                pg_temp.condition('$Record.Owner:User.Name', 'NotEqualTo', '{"stringValue": "Nobody"}'),
                pg_temp.condition('Late', 'EqualTo', '{"booleanValue": false}'),
                pg_temp.condition('Each', 'LessThan', '{"numberValue": 1000}')))))))
$$;
SELECT orchestration.deploy_orchestration(pg_temp.travel()) \g /dev/null
SELECT orchestration.orchestration_setup_script('Travel', schema => 'app') AS script \gset
\echo :script
\o /dev/null
:script
\o
SELECT orchestration.activate_orchestration('Travel');
SELECT kind, name FROM orchestration.orchestration_references('Travel') WHERE resolved = false;
SELECT orchestration.orchestration_setup_script('Travel', 1, 'app');
SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
 WHERE a.attrelid = 'app.travel_request'::regclass AND a.attnum > 0 ORDER BY a.attnum;

-- it runs with what the script made
INSERT INTO app.users (username, name) VALUES ('zoe@example.com', 'Zoe') RETURNING id AS zoe \gset
INSERT INTO app.traveler (name, manager_id) VALUES ('Tom', :'zoe') RETURNING id AS tom \gset
INSERT INTO app.travel_request (status__c, amount__c, begins_on__c, is_abroad__c, note__c, total__c, days__c, reason__c, traveler_id, owner_id)
VALUES ('Submitted', 20, '2027-01-01', true, 'short', 100, 2, 'early', :'tom', :'zoe');
SELECT r.status, r.current_stage, string_agg(t.name || ' ' || t.status, ', ' ORDER BY t.name) FROM orchestration.run r
  JOIN orchestration.step_run t ON t.run_id = r.id WHERE r.orchestration_name = 'Travel' GROUP BY 1, 2;

--
-- The script takes what exists: a table of that name in another schema lacks columns, and gets them
--
CREATE SCHEMA sales;
CREATE TABLE sales.deal (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stage_name text);
CREATE TABLE sales.customer (code text PRIMARY KEY);
ALTER TABLE sales.deal ADD customer_id text REFERENCES sales.customer;
SELECT orchestration.deploy_orchestration(jsonb_build_object('label', 'Deals', 'processType', 'Orchestrator',
    'start', '{"object": "Deal", "triggerType": "RecordAfterSave", "recordTriggerType": "Create", "connector": {"targetReference": "Only"},
               "filters": [{"field": "StageName", "operator": "EqualTo", "value": {"stringValue": "Won"}},
                           {"field": "CloseDate", "operator": "LessThan", "value": {"dateTimeValue": "2030-01-01T00:00:00Z"}}]}'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('Only', NULL, pg_temp.step('Go', 'B', 'Deal_Go', '{}',
        '{"a": {"elementReference": "$Record.Customer.Region"}, "b": {"elementReference": "$Record.Customer.Parent.Name"}, "c": {"elementReference": "$Record.Customer.Code"}}'))))) \g /dev/null
SELECT orchestration.orchestration_setup_script('Deals', schema => 'app') AS script \gset
\echo :script
\o /dev/null
:script
\o
SELECT orchestration.activate_orchestration('Deals');

-- a relationship to a table whose key has several columns is left to the reader
CREATE TABLE sales.region (tenant integer, code text, head text, PRIMARY KEY (tenant, code));
SELECT orchestration.register_record_type('Region', 'sales.region');
SELECT orchestration.deploy_orchestration(jsonb_build_object('label', 'Regions', 'processType', 'Orchestrator',
    'start', '{"object": "Deal", "triggerType": "RecordAfterSave", "recordTriggerType": "Create", "connector": {"targetReference": "Only"}}'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('Only', NULL, pg_temp.step('Go', 'B', 'Deal_Go', '{}', '{"a": {"elementReference": "$Record.Region.Head"}}'))))) \g /dev/null
SELECT orchestration.orchestration_setup_script('Regions', schema => 'app');

--
-- Texts of a document do not become SQL
--
CREATE FUNCTION pg_temp.hostile(text text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('label', 'Hostile', 'fullName', 'Hostile', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "Only"}}'::jsonb,
        'orchestratedStages', jsonb_build_array(pg_temp.stage('Only', NULL,
            pg_temp.step('Go', 'B', text, '{}', jsonb_build_object('x', jsonb_build_object('elementReference', '$G.' || replace(text, '.', '')))),
            pg_temp.step('Ask', 'I', 'Ask_' || text, '{Go}', '{"ActionInput__RecordId": {"stringValue": "1"}}', left(text, 80)))
            || jsonb_build_object('exitConditionLogic', 'and', 'exitConditions', jsonb_build_array(
                   pg_temp.condition('Go.Outputs.' || replace(text, '.', ''), 'EqualTo', jsonb_build_object('stringValue', text)),
                   pg_temp.condition('Ask.Outputs.' || replace(text, '.', ''), 'EqualTo', jsonb_build_object('stringValue', text))))))
$$;
CREATE TABLE public.setup_victim ();
\pset format aligned
DO $do$
DECLARE
    hostile text;
    n integer := 0;
    script text;
BEGIN
    FOREACH hostile IN ARRAY ARRAY[
        E'x\nDROP TABLE public.setup_victim;\n--', E'x\r\nDROP TABLE public.setup_victim;', '''; DROP TABLE public.setup_victim; --',
        '$function$; DROP TABLE public.setup_victim; --', '$function$ $$ ''; DROP TABLE public.setup_victim; --', '\''; DROP TABLE public.setup_victim; --',
        '"; DROP TABLE public.setup_victim; --', '*/ DROP TABLE public.setup_victim; /*', ') ; DROP TABLE public.setup_victim; --', repeat('long', 50)] LOOP
        n := n + 1;
        BEGIN
            PERFORM orchestration.deploy_orchestration(pg_temp.hostile(hostile), 'Hostile_' || n);
        EXCEPTION WHEN SQLSTATE 'OR201' THEN
            RAISE WARNING 'document %: refused', n;
            CONTINUE;
        END;
        script := orchestration.orchestration_setup_script('Hostile_' || n, schema => 'app');
        EXECUTE replace(replace(script, 'BEGIN;', ''), 'COMMIT;', '');
        PERFORM orchestration.activate_orchestration('Hostile_' || n);
    END LOOP;
END
$do$;
SELECT count(*) FROM public.setup_victim;
SELECT count(*) FROM orchestration.orchestration_definition WHERE name LIKE 'Hostile%' AND active_version = 1;

--
-- Errors
--
\set VERBOSITY sqlstate
SELECT orchestration.orchestration_setup_script('Nothing');
SELECT orchestration.orchestration_setup_script('Travel', 9);
SELECT orchestration.orchestration_setup_script(NULL);
SELECT orchestration.orchestration_setup_script('Travel', schema => NULL);
CREATE ROLE regress_setup_nobody;
SET ROLE regress_setup_nobody;
SELECT orchestration.orchestration_setup_script('Travel');
RESET ROLE;
DROP ROLE regress_setup_nobody;
SELECT count(*) FROM orchestration.verify();
\set VERBOSITY default
SELECT pg_temp.clean_up();
SELECT orchestration.unregister_record_type(t) FROM unnest('{Travel_Request__c,Deal,Region}'::text[]) t;
SELECT count(orchestration.unregister_action(name)) FROM orchestration.action WHERE function_name LIKE 'app.%' OR name ~ '^(Booking|Review_Travel|Ask_)';
SELECT orchestration.set_global(g, NULL) FROM unnest('{$Organization,$Label}'::text[]) g;
DROP TABLE public.setup_victim;
SET client_min_messages = error;
DROP SCHEMA app, sales CASCADE;
