-- variable: with what variables begin, and what refreshes them (src/definition/definition_default.c,
-- src/engine/engine_variable.c, src/engine/engine_record.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET datestyle = 'ISO';
SET timezone = 'UTC';
CREATE TABLE public.default_record (id integer PRIMARY KEY, amount numeric, note text, day date, at timestamptz, hour time, yes boolean);
SELECT orchestration.register_record_type('Default_Record', 'default_record');
CREATE FUNCTION public.default_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('Default_Echo', 'function', 'default_echo(jsonb)');
SELECT orchestration.register_action('Default_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE FUNCTION pg_temp.reference(text) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('elementReference', $1) $$;

-- Every kind of default for every data type, in runs that are started by a call and by a trigger.
CREATE FUNCTION pg_temp.play(reference text, type text, how text, read boolean DEFAULT true) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    failed text;
BEGIN
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Begins', 'label', 'Begins', 'processType', 'Orchestrator',
        'start', jsonb_build_object('connector', '{"targetReference": "S"}'::jsonb) || CASE how WHEN 'trigger' THEN
            '{"object": "Default_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "CreateAndUpdate"}'::jsonb ELSE '{}' END,
        'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('E', 'B', 'Default_Echo', '{}', CASE WHEN read THEN '{"v": {"elementReference": "V"}}'::jsonb ELSE '{}' END),
                                                              pg_temp.step('Last', 'I', 'Default_Screen'))),
        'constants', '[{"name": "Five", "dataType": "Number", "value": {"numberValue": 5}}, {"name": "None", "dataType": "String"}, {"name": "Again", "dataType": "Number", "value": {"elementReference": "Five"}},
                       {"name": "Who", "dataType": "String", "value": {"elementReference": "$User.Username"}}]'::jsonb,
        'formulas', '[{"name": "Twice", "dataType": "Number", "expression": "{!Six} * 2"}, {"name": "Broken", "dataType": "Number", "expression": "{!Six} / ({!Six} - {!Six})"}, {"name": "Later", "dataType": "String", "expression": "{!E.Outputs.x} & \"!\""}]'::jsonb,
        'textTemplates', '[{"name": "Letter", "text": "Six is {!Six} and {!$Label.Nothing}."}]'::jsonb,
        'decisions', '[{"name": "D", "label": "D", "rules": [{"name": "Outcome", "label": "O", "conditionLogic": "and", "conditions": [{"leftValueReference": "Six", "operator": "EqualTo", "rightValue": {"numberValue": 6}}]}]}]'::jsonb,
        'variables', jsonb_build_array(
            jsonb_strip_nulls(jsonb_build_object('name', 'V', 'dataType', split_part(type, '[', 1), 'isCollection', type LIKE '%[]', 'value', pg_temp.reference(reference),
                               'objectType', CASE WHEN type LIKE 'SObject%' THEN 'Default_Record' END)),
            -- after V, which may read them
            pg_temp.variable('Six', 'Number', pg_temp.reference('Half_dozen')) || '{"isInput": false}', pg_temp.variable('Half_dozen', 'Number', '{"numberValue": 6}') || '{"isInput": false}',
            pg_temp.variable('Round', 'Number', pg_temp.reference('And_round')), pg_temp.variable('And_round', 'Number', pg_temp.reference('Round')))));
    PERFORM orchestration.activate_orchestration('Begins');
    BEGIN
        IF how = 'trigger' THEN
            UPDATE public.default_record SET note = 'two' WHERE id = 1;
        ELSE
            PERFORM orchestration.start_orchestration('Begins', '1');
        END IF;
    EXCEPTION WHEN OTHERS THEN
        failed := 'FAILS THE START: ' || SQLERRM;
    END;
    SELECT CASE WHEN failed IS NOT NULL THEN failed WHEN r.status = 'Error' THEN 'Error ' || (r.error->>'element') || ': ' || (r.error->>'message')
                ELSE COALESCE(r.variables->>'V', 'null') || CASE WHEN read AND t.outputs->'v' IS DISTINCT FROM COALESCE(r.variables->'V', 'null') THEN ' AND NOT ' || (t.outputs->>'v') ELSE '' END END
      INTO result FROM orchestration.run r LEFT JOIN orchestration.step_run t ON t.run_id = r.id AND t.name = 'E' ORDER BY r.id DESC LIMIT 1;
    RAISE EXCEPTION USING ERRCODE = 'YYYYY', MESSAGE = result;
EXCEPTION
    WHEN SQLSTATE 'YYYYY' THEN
        RETURN regexp_replace(replace(regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>'), to_char(now(), 'YYYY-MM-DD'), '<today>'),
                              'the default of variable "V", .*, is not of its data type|record (".*") of type "Default_Record" does not exist', '\1');
    WHEN SQLSTATE 'OR201' THEN
        RETURN 'not deployed';
    WHEN SQLSTATE 'OR204' THEN
        RETURN 'not activated';
END
$$;
SET client_min_messages = error;
INSERT INTO public.default_record VALUES (1, 10.50, 'one', '2026-02-03', '2026-02-03 04:05:06+00', '07:08', true);
CREATE TEMP TABLE kind (n integer GENERATED ALWAYS AS IDENTITY, reference text);
INSERT INTO kind (reference) VALUES ('$Record.Amount'), ('$Record.Note'), ('$Record.Day'), ('$Record.At'), ('$Record.Hour'), ('$Record.Yes'), ('$Record.Nothing'), ('$Record'), ('$Record.Id'), ('$Record__Prior.Note'), ('$Record__Prior'),
    ('E.Outputs.x'), ('E.Status'), ('S.Status'), ('Outcome'), ('V'), ('Round'), ('Six'), ('Half_dozen'), ('Twice'), ('Broken'), ('Later'), ('Letter'), ('Five'), ('None'), ('Again'), ('Who'),
    ('$User.Username'), ('$User.Nothing.At.All'), ('$Flow.CurrentDate'), ('$Flow.FaultMessage'), ('$Flow.InterviewGuid'), ('$Orchestration.Instance'), ('$Flow.CurrentRecord'),
    ('$Organization.Name'), ('$Setup.X__c.Field__c'), ('$GlobalConstant.EmptyString'), ('$GlobalConstant.True'), ('$System.OriginDateTime'), ('$GlobalConstant.Nothing'), ('Nowhere');
CREATE TEMP TABLE type (n integer GENERATED ALWAYS AS IDENTITY, type text);
INSERT INTO type (type) VALUES ('String'), ('Number'), ('Boolean'), ('Date'), ('DateTime'), ('Time'), ('SObject'), ('String[]');
CREATE TEMP TABLE played AS SELECT k.n, k.reference, t.n AS m, t.type, h.how, h.read, pg_temp.play(k.reference, t.type, h.how, h.read) AS result
  FROM kind k, type t, (VALUES ('call', true), ('trigger', true), ('trigger', false)) h (how, read) WHERE h.read OR t.type IN ('String', 'Boolean', 'SObject');
SELECT reference, string_agg(type || ' ' || result, '; ' ORDER BY m) FROM played WHERE how = 'call' AND read GROUP BY n, reference ORDER BY n;
-- by a trigger the same, but for what the change tells
SELECT c.reference, c.type, t.result FROM played c JOIN played t ON (t.n, t.m, t.how, t.read) = (c.n, c.m, 'trigger', true)
 WHERE c.how = 'call' AND c.read AND replace(t.result, 'two', 'one') <> c.result ORDER BY c.n, c.m;
-- no default fails the start, and what nothing reads fails nothing
SELECT count(*), count(*) FILTER (WHERE result ~ 'Error V') FROM played;
SELECT reference, type, how, read, result FROM played WHERE result ~ 'FAILS' OR (result ~ 'Error' AND NOT read) ORDER BY n, m;
SET client_min_messages = warning;
-- the warnings
SELECT place, message FROM orchestration.validate_orchestration('{"label": "W", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "E", "label": "E", "actionType": "stepBackground", "actionName": "Default_Echo", "entryConditionLogic": "and"}]}],
    "formulas": [{"name": "F", "dataType": "Number", "expression": "{!Three} + 1"}],
    "constants": [{"name": "C", "dataType": "Number", "value": {"elementReference": "C"}}, {"name": "C1", "dataType": "Number", "value": {"elementReference": "C2"}}, {"name": "C2", "dataType": "Number", "value": {"elementReference": "C3"}}, {"name": "C3", "dataType": "Number", "value": {"elementReference": "C1"}}],
    "variables": [{"name": "Self", "dataType": "Number", "value": {"elementReference": "Self"}}, {"name": "Out", "dataType": "Number", "value": {"elementReference": "E.Outputs.x"}},
        {"name": "One", "dataType": "Number", "value": {"elementReference": "Two"}}, {"name": "Two", "dataType": "Number", "value": {"elementReference": "Three"}}, {"name": "Three", "dataType": "Number", "value": {"elementReference": "F"}}]}'::jsonb);
-- a long chain of defaults, the last first, and of constants
SELECT pg_temp.orchestration('Chain', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Last', 'I', 'Default_Screen'))),
    'variables', (SELECT jsonb_agg(jsonb_build_object('name', 'V' || n, 'dataType', 'Number', 'value', CASE WHEN n < 3000 THEN pg_temp.reference('V' || n + 1) ELSE pg_temp.reference('C1') END) ORDER BY n) FROM generate_series(1, 3000) n),
    'constants', (SELECT jsonb_agg(jsonb_build_object('name', 'C' || n, 'dataType', 'Number', 'value', CASE WHEN n < 3000 THEN pg_temp.reference('C' || n + 1) ELSE '{"numberValue": 7}' END) ORDER BY n) FROM generate_series(1, 3000) n)));
SELECT orchestration.start_orchestration('Chain') IS NOT NULL;
SELECT count(*), min(value::text), max(value::text) FROM orchestration.run, jsonb_each(variables) WHERE id = pg_temp.run();

-- An input wins over the default, also null; its default is not evaluated
SELECT pg_temp.orchestration('Wins', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('E', 'B', 'Default_Echo', '{}', '{"a": {"elementReference": "A"}, "b": {"elementReference": "B"}}'))),
    'formulas', '[{"name": "Bad", "dataType": "Number", "expression": "1 / {!Zero}"}, {"name": "Plus", "dataType": "Number", "expression": "{!A} + 1"}]'::jsonb,
    'variables', jsonb_build_array(pg_temp.variable('A', 'Number', pg_temp.reference('Bad')), pg_temp.variable('B', 'Number', pg_temp.reference('Plus')), pg_temp.variable('Zero', 'Number', '{"numberValue": 0}'))));
SELECT orchestration.start_orchestration('Wins', inputs => '{"A": 5}') IS NOT NULL;
SELECT status, variables FROM orchestration.run WHERE id = pg_temp.run();
SELECT orchestration.start_orchestration('Wins', inputs => '{"A": null, "B": 1}') IS NOT NULL;
SELECT status, variables FROM orchestration.run WHERE id = pg_temp.run();
SELECT orchestration.start_orchestration('Wins') IS NOT NULL;
SELECT pg_temp.state(), variables FROM orchestration.run WHERE id = pg_temp.run();
SELECT pg_temp.failure();
SELECT regexp_replace(pg_temp.try(format('SELECT orchestration.resume_run(%L)', pg_temp.run())), 'OR-\d+', '<name>');
-- a formula in a filter of the start reads variables, too
SELECT pg_temp.orchestration('Filters', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Last', 'I', 'Default_Screen'))),
    'formulas', '[{"name": "Enough", "dataType": "Number", "expression": "{!Limit} * 2"}]'::jsonb,
    'variables', jsonb_build_array(pg_temp.variable('Limit', 'Number', pg_temp.reference('Ten')), pg_temp.variable('Ten', 'Number', '{"numberValue": 10}'))),
    '{"object": "Default_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Create", "filterLogic": "and", "filters": [{"field": "Amount", "operator": "GreaterThan", "value": {"elementReference": "Enough"}}]}');
INSERT INTO public.default_record (id, amount) VALUES (2, 19), (3, 21);
SELECT triggering_record_id FROM orchestration.run WHERE orchestration_name = 'Filters';
SELECT orchestration.deactivate_orchestration('Filters');

-- Globals: blank when they are not set, and all of them listed
SET client_min_messages = error;
SELECT pg_temp.orchestration('Globals', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('E', 'B', 'Default_Echo', '{}',
        '{"a": {"elementReference": "$Label.Greeting"}, "b": {"elementReference": "$Setup.X__c.Field__c"}, "c": {"elementReference": "$CustomMetadata.T__mdt.R.Field__c"}, "d": {"elementReference": "Letter"}, "e": {"elementReference": "V"}, "f": {"elementReference": "$GlobalConstant.EmptyString"},
          "g": {"elementReference": "$Permission.May"}, "h": {"elementReference": "$System.OriginDateTime"}, "i": {"elementReference": "F"}}'), pg_temp.step('Last', 'I', 'Default_Screen'))),
    'formulas', '[{"name": "F", "dataType": "String", "expression": "{!$Organization.Name} & \"/\" & {!$Profile.Name} & {!$GlobalConstant.EmptyString}"}]'::jsonb,
    'textTemplates', '[{"name": "Letter", "text": "<{!$UserRole.Name}{!$Api.Session_ID}{!$Client.FormFactor}>"}]'::jsonb,
    'variables', jsonb_build_array(pg_temp.variable('V', 'String', pg_temp.reference('$Organization.Country')))),
    '{"object": "Default_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Update", "filterFormula": "OR(ISBLANK({!$Label.Never}), {!$Setup.Y__c.On__c})"}');
SET client_min_messages = warning;
UPDATE public.default_record SET note = 'x' WHERE id = 1;
SELECT t.status, t.outputs FROM orchestration.step_run t WHERE run_id = pg_temp.run() AND name = 'E';
SELECT count(*) FROM (SELECT orchestration.set_global(g, v::jsonb) FROM (VALUES ('$Label', '{"Greeting": "Hello"}'), ('$Setup', '{"X__c": {"Field__c": 1}, "Y__c": {"Other__c": 1}}'), ('$CustomMetadata', '{"T__mdt": {"R": {"Field__c": "deep"}}}'), ('$Organization', '{"Name": "Acme", "Country": "NL"}')) g (g, v)) s;
UPDATE public.default_record SET note = 'y' WHERE id = 1;
SELECT t.status, t.outputs FROM orchestration.step_run t WHERE run_id = pg_temp.run() AND name = 'E';
SELECT name, used_by, resolved FROM orchestration.orchestration_references('Globals') WHERE kind = 'global' ORDER BY 1, 2;
SELECT pg_temp.try($$SELECT orchestration.set_global('$GlobalConstant', '{"True": false}')$$);
SELECT count(*) FROM (SELECT orchestration.set_global(g, NULL) FROM unnest('{$Label,$Setup,$CustomMetadata,$Organization}'::text[]) g) s;
SELECT orchestration.deactivate_orchestration('Globals');
SELECT pg_temp.clean_up();

-- Usernames in any case, and an assignee that is mended
SELECT pg_temp.try($$SELECT orchestration.create_user('ANN@example.COM')$$);
SELECT pg_temp.person('Bea@Example.com', 'Bea');
SELECT pg_temp.orchestration('Case', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Lit', 'I', 'Default_Screen', assignee => 'BEA@EXAMPLE.COM'),
        pg_temp.step('Ref', 'I', 'Default_Screen', assignee => '{!$Record.Note}'))))
    , '{"object": "Default_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Update"}');
SELECT kind, name, resolved FROM orchestration.orchestration_references('Case') WHERE kind = 'assignee' ORDER BY 2;
-- empty, blank, unknown, inactive: the statement of the application succeeds, the run can be resumed
UPDATE public.default_record SET note = n FROM (VALUES (1, 'bEa@eXample.com'), (2, NULL), (3, 'nobody@example.com')) v (i, n) WHERE id = i;
INSERT INTO public.default_record (id, note) VALUES (4, 'x'), (5, 'x');
UPDATE public.default_record SET note = ' ' WHERE id = 4;
UPDATE orchestration.principal SET is_active = false WHERE username = 'Bea@Example.com';
SELECT pg_temp.try($$SELECT orchestration.activate_orchestration('Case')$$);
SELECT pg_temp.orchestration('Case', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Lit', 'I', 'Default_Screen'),
        pg_temp.step('Ref', 'I', 'Default_Screen', assignee => '{!$Record.Note}'))))
    , '{"object": "Default_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Update"}');
UPDATE public.default_record SET note = 'bea@example.com' WHERE id = 5;
SELECT triggering_record_id, pg_temp.state(id), pg_temp.failure(id) FROM orchestration.run ORDER BY triggering_record_id;
SELECT orchestration.deactivate_orchestration('Case');
UPDATE orchestration.principal SET is_active = true WHERE username = 'Bea@Example.com';
UPDATE public.default_record SET note = 'BEA@example.com' WHERE id IN (2, 3, 4);
SELECT triggering_record_id, orchestration.resume_run(id) FROM orchestration.run WHERE status = 'Error' ORDER BY 1;
SELECT triggering_record_id, pg_temp.state(id), (SELECT string_agg(w.label || ' ' || p.username || ' ' || w.status, ', ' ORDER BY w.id) FROM orchestration.work_item w JOIN orchestration.principal p ON p.id = w.assignee_id WHERE w.run_id = r.id) FROM orchestration.run r ORDER BY triggering_record_id;
SELECT * FROM orchestration.verify();
-- an assignee that is a constant without a value is named at activation
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Case', 'label', 'Case', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
    'constants', '[{"name": "Nobody", "dataType": "String", "value": {}}]'::jsonb, 'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Default_Screen', assignee => '{!Nobody}'))))) > 0;
\set VERBOSITY default
SELECT orchestration.activate_orchestration('Case');
\set VERBOSITY terse
SELECT pg_temp.clean_up();

-- An SObject variable follows its record: by id, by object, by default, by assignment
CREATE FUNCTION pg_temp.condition(reference text, operator text, value jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('leftValueReference', reference, 'operator', operator, 'rightValue', value)) $$;
CREATE FUNCTION pg_temp.follows(version numeric, variables jsonb, stage jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.orchestration('Follows', 'S', jsonb_strip_nulls(jsonb_build_object('apiVersion', version, 'variables', variables, 'orchestratedStages', jsonb_build_array(
        pg_temp.stage('S', 'T', pg_temp.step('I', 'I', 'Default_Screen')) || jsonb_build_object('exitConditions', jsonb_build_array(pg_temp.condition('R.Note', 'EqualTo', '{"stringValue": "go"}'))) || stage,
        pg_temp.stage('T', NULL, pg_temp.step('Say', 'B', 'Default_Echo', '{}', '{"note": {"elementReference": "R.Note"}, "id": {"elementReference": "R.Id"}}'), pg_temp.step('Last', 'I', 'Default_Screen')))))) $$;
CREATE FUNCTION pg_temp.said() RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.state() || ' ' || COALESCE((SELECT outputs::text FROM orchestration.step_run WHERE run_id = pg_temp.run() AND name = 'Say'), '') $$;
UPDATE public.default_record SET note = 'n' || id;
SELECT pg_temp.follows(60, jsonb_build_array(pg_temp.variable('R', 'SObject') || '{"objectType": "Default_Record"}'));
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": 1}') IS NOT NULL;
SELECT variable, position, record_type, record_key FROM orchestration.run_record WHERE run_id = pg_temp.run();
UPDATE public.default_record SET note = 'wait' WHERE id = 1;
SELECT pg_temp.said();
UPDATE public.default_record SET note = 'go' WHERE id = 1;
SELECT pg_temp.said(), variables->'R'->>'note' FROM orchestration.run WHERE id = pg_temp.run();
SELECT * FROM orchestration.needs_attention() WHERE kind <> 'definition';
-- a partial object, which is completed; a key that changes; a record that is deleted
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": {"Id": "2", "note": "mine"}}') IS NOT NULL;
UPDATE public.default_record SET id = 22 WHERE id = 2;
SELECT record_key FROM orchestration.run_record WHERE run_id = pg_temp.run();
UPDATE public.default_record SET note = 'go' WHERE id = 22;
SELECT pg_temp.said();
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": 3}') IS NOT NULL;
DELETE FROM public.default_record WHERE id = 3;
SELECT orchestration.reevaluate_run(pg_temp.run()), pg_temp.said();
SELECT variables FROM orchestration.run WHERE id = pg_temp.run();
-- no such record, no id, no key
SELECT pg_temp.try($$SELECT orchestration.start_orchestration('Follows', inputs => '{"R": 99}')$$);
SELECT pg_temp.try($$SELECT orchestration.start_orchestration('Follows', inputs => '{"R": "x"}')$$);
SELECT pg_temp.try($$SELECT orchestration.start_orchestration('Follows', inputs => '{"R": true}')$$);
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": {"note": "go"}}') IS NOT NULL;
SELECT pg_temp.said(), (SELECT count(*) FROM orchestration.run_record WHERE run_id = pg_temp.run());
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": {"id": 99, "note": "n"}}') IS NOT NULL;
SELECT pg_temp.said(), (SELECT count(*) FROM orchestration.run_record WHERE run_id = pg_temp.run());
-- before 58 the variable keeps its value
SELECT pg_temp.follows(57.0, jsonb_build_array(pg_temp.variable('R', 'SObject') || '{"objectType": "Default_Record"}'));
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": 4}') IS NOT NULL;
UPDATE public.default_record SET note = 'go' WHERE id = 4;
SELECT orchestration.reevaluate_run(pg_temp.run()), pg_temp.said(), variables->'R'->>'note', (SELECT count(*) FROM orchestration.run_record WHERE run_id = pg_temp.run()) FROM orchestration.run WHERE id = pg_temp.run();
-- without an apiVersion it is the newest; a type that is not registered, and no type
UPDATE public.default_record SET note = 'n';
SELECT pg_temp.follows(NULL, jsonb_build_array(pg_temp.variable('R', 'SObject') || '{"objectType": "Default_Record"}'));
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": {"id": 4}}') IS NOT NULL;
UPDATE public.default_record SET note = 'go' WHERE id = 4;
SELECT pg_temp.said();
SELECT pg_temp.follows(60, jsonb_build_array(pg_temp.variable('R', 'SObject') || '{"objectType": "Contact"}'));
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": {"id": 4, "note": "n"}}') IS NOT NULL, pg_temp.try($$SELECT orchestration.start_orchestration('Follows', inputs => '{"R": 4}')$$);
SELECT pg_temp.said();
SELECT pg_temp.follows(60, jsonb_build_array(pg_temp.variable('R', 'SObject')));
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": {"id": 4, "note": "n"}}') IS NOT NULL, pg_temp.try($$SELECT orchestration.start_orchestration('Follows', inputs => '{"R": 4}')$$);
SELECT pg_temp.said();
-- a default: the run's own record, and the record that one of its fields names
UPDATE public.default_record SET note = 'n', amount = 1 WHERE id = 4;
SELECT pg_temp.follows(60, jsonb_build_array(pg_temp.variable('R', 'SObject', pg_temp.reference('$Record')) || '{"objectType": "Default_Record"}'));
SELECT orchestration.start_orchestration('Follows', '4') IS NOT NULL;
UPDATE public.default_record SET note = 'go' WHERE id = 4;
SELECT pg_temp.said();
UPDATE public.default_record SET note = 'n' WHERE id = 1;
SELECT pg_temp.follows(60, jsonb_build_array(pg_temp.variable('R', 'SObject', pg_temp.reference('$Record.Amount')) || '{"objectType": "Default_Record"}'));
SELECT orchestration.start_orchestration('Follows', '4') IS NOT NULL;
UPDATE public.default_record SET note = 'go' WHERE id = 1;
SELECT pg_temp.said();
-- a collection: all of its members, up to 200
SELECT pg_temp.follows(60, jsonb_build_array(pg_temp.variable('R', 'SObject', collection => true) || '{"objectType": "Default_Record"}'),
    jsonb_build_object('exitConditions', jsonb_build_array(pg_temp.condition('R', 'IsEmpty', '{"booleanValue": true}'))));
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": [{"id": 1}, {"id": 4}]}') IS NOT NULL;
UPDATE public.default_record SET note = 'both' WHERE id IN (1, 4);
SELECT jsonb_path_query_array(variables, '$.R[*].note') FROM orchestration.run WHERE id = pg_temp.run();
DELETE FROM public.default_record WHERE id = 1;
SELECT orchestration.reevaluate_run(pg_temp.run()), pg_temp.state();
DELETE FROM public.default_record WHERE id = 4;
SELECT orchestration.reevaluate_run(pg_temp.run()), pg_temp.state();
INSERT INTO public.default_record (id) SELECT generate_series(1001, 1201);
SELECT count(*) FROM (SELECT orchestration.start_orchestration('Follows', inputs => jsonb_build_object('R', (SELECT jsonb_agg(jsonb_build_object('id', n)) FROM generate_series(1001, m) n))) FROM unnest('{1200,1201}'::integer[]) m) s;
SELECT count(*) FROM orchestration.run_record b JOIN orchestration.run r ON r.id = b.run_id WHERE r.orchestration_name = 'Follows' AND b.record_key::integer > 1000 GROUP BY b.run_id;
-- a field that is assigned makes the record the run's own; a record that is assigned is followed
SELECT pg_temp.orchestration('Assigns', 'A', jsonb_build_object('apiVersion', 58, 'variables', jsonb_build_array(pg_temp.variable('R', 'SObject') || '{"objectType": "Default_Record"}', pg_temp.variable('Q', 'SObject') || '{"objectType": "Default_Record"}', pg_temp.variable('N', 'Number'), pg_temp.variable('Txt', 'String'), pg_temp.variable('D', 'Date')),
    'assignments', '[{"name": "A", "label": "A", "connector": {"targetReference": "S"}, "assignmentItems": [{"assignToReference": "R.Note", "operator": "Assign", "value": {"stringValue": "own"}}, {"assignToReference": "Q", "operator": "Assign", "value": {"elementReference": "N"}},
        {"assignToReference": "Txt", "operator": "Assign", "value": {"elementReference": "N"}}, {"assignToReference": "D", "operator": "Assign", "value": {"elementReference": "$Flow.CurrentDateTime"}}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('I', 'I', 'Default_Screen')) || jsonb_build_object('exitConditionLogic', '1 OR 2', 'exitConditions', jsonb_build_array(pg_temp.condition('R.Note', 'EqualTo', '{"stringValue": "go"}'), pg_temp.condition('Q.Note', 'EqualTo', '{"stringValue": "go"}'))))));
SELECT orchestration.start_orchestration('Assigns', inputs => '{"R": 1001, "N": 1002}') IS NOT NULL;
SELECT variable, record_key FROM orchestration.run_record WHERE run_id = pg_temp.run();
UPDATE public.default_record SET note = 'go' WHERE id = 1001;
SELECT pg_temp.state(), variables->'R'->>'Note', variables->>'Txt', length(variables->>'D') FROM orchestration.run WHERE id = pg_temp.run();
UPDATE public.default_record SET note = 'go' WHERE id = 1002;
SELECT pg_temp.state();
-- records that the starter cannot read are not read for the starter's run
CREATE ROLE regress_default_cara;
SELECT pg_temp.person('cara@example.com', 'Cara', 'regress_default_cara');
GRANT USAGE ON SCHEMA orchestration TO regress_default_cara;
GRANT EXECUTE ON FUNCTION orchestration.start_orchestration(text, text, jsonb, text, uuid) TO regress_default_cara;
SELECT pg_temp.follows(60, jsonb_build_array(pg_temp.variable('R', 'SObject') || '{"objectType": "Default_Record"}'));
SET ROLE regress_default_cara;
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": 1003}');
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": {"id": 1003}}') IS NOT NULL;
RESET ROLE;
SELECT variables - 'D', variables->>'D' = current_date::text, (SELECT count(*) FROM orchestration.run_record WHERE run_id = pg_temp.run()) FROM orchestration.run WHERE id = pg_temp.run();
GRANT SELECT ON public.default_record TO regress_default_cara;
SET ROLE regress_default_cara;
SELECT orchestration.start_orchestration('Follows', inputs => '{"R": 1003}') IS NOT NULL;
RESET ROLE;
SELECT variables->'R'->>'id', (SELECT count(*) FROM orchestration.run_record WHERE run_id = pg_temp.run()) FROM orchestration.run WHERE id = pg_temp.run();
REVOKE ALL ON public.default_record FROM regress_default_cara;
REVOKE ALL ON FUNCTION orchestration.start_orchestration(text, text, jsonb, text, uuid) FROM regress_default_cara;
REVOKE USAGE ON SCHEMA orchestration FROM regress_default_cara;
SELECT orchestration.update_user(id, role_name => '') FROM orchestration.principal WHERE username = 'cara@example.com';
DROP ROLE regress_default_cara;
-- an element of a path fails after others: a resumed run goes the way again, with the records and visits of its beginning
CREATE FUNCTION pg_temp.way(start text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.orchestration('Way', start, jsonb_build_object('apiVersion', 60, 'variables', jsonb_build_array(pg_temp.variable('R', 'SObject') || '{"objectType": "Default_Record"}', pg_temp.variable('N', 'Number')),
        'assignments', '[{"name": "Put", "label": "Put", "connector": {"targetReference": "Which"}, "assignmentItems": [{"assignToReference": "R", "operator": "Assign", "value": {"elementReference": "N"}}]}]'::jsonb,
        'decisions', jsonb_build_array(jsonb_build_object('name', 'Seen', 'label', 'Seen', 'defaultConnector', '{"targetReference": "Put"}'::jsonb, 'rules', jsonb_build_array(
                jsonb_build_object('name', 'Again', 'label', 'Again', 'conditionLogic', 'and', 'connector', '{"targetReference": "Visited"}'::jsonb, 'conditions', jsonb_build_array(pg_temp.condition('Put', 'WasVisited', '{"booleanValue": true}'))),
                jsonb_build_object('name', 'Wrong', 'label', 'Wrong', 'conditionLogic', 'and', 'connector', '{"targetReference": "Other"}'::jsonb, 'conditions', jsonb_build_array(pg_temp.condition('R.Note', 'EqualTo', '{"stringValue": "second"}'))))),
            jsonb_build_object('name', 'Which', 'label', 'Which', 'defaultConnector', '{"targetReference": "T"}'::jsonb, 'rules', jsonb_build_array(
                jsonb_build_object('name', 'Yes', 'label', 'Yes', 'conditionLogic', 'and', 'connector', '{"targetReference": "T"}'::jsonb, 'conditions', jsonb_build_array(pg_temp.condition('R.Yes', 'EqualTo', '{"booleanValue": true}')))))),
        'orchestratedStages', jsonb_build_array(pg_temp.stage('S', 'Seen', pg_temp.step('E', 'B', 'Default_Echo')), pg_temp.stage('Visited', NULL, pg_temp.step('V', 'I', 'Default_Screen')),
            pg_temp.stage('Other', NULL, pg_temp.step('O', 'I', 'Default_Screen')), pg_temp.stage('T', NULL, pg_temp.step('Say', 'I', 'Default_Screen', '{}', '{"note": {"elementReference": "R.Note"}}'))))) $$;
CREATE FUNCTION pg_temp.held() RETURNS TABLE (state text, variable text, bound text, visited jsonb) LANGUAGE sql AS $$
    SELECT pg_temp.state(), variables->'R'->>'id', (SELECT string_agg(record_key, ',') FROM orchestration.run_record WHERE run_id = r.id), variables->'$Visited' FROM orchestration.run r WHERE id = pg_temp.run() $$;
UPDATE public.default_record SET note = CASE id WHEN 1005 THEN 'first' ELSE 'second' END WHERE id IN (1005, 1006);
SELECT pg_temp.way('S');
ALTER TABLE public.default_record RENAME yes TO no;
SELECT orchestration.start_orchestration('Way', inputs => '{"R": 1005, "N": 1006}') IS NOT NULL;
SELECT pg_temp.failure();
SELECT * FROM pg_temp.held();
ALTER TABLE public.default_record RENAME no TO yes;
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT * FROM pg_temp.held();
-- the same before the first stage
SELECT pg_temp.way('Seen');
ALTER TABLE public.default_record RENAME yes TO no;
SELECT orchestration.start_orchestration('Way', inputs => '{"R": 1005, "N": 1006}') IS NOT NULL;
SELECT * FROM pg_temp.held();
ALTER TABLE public.default_record RENAME no TO yes;
SELECT orchestration.resume_run(pg_temp.run()), pg_temp.status();
SELECT * FROM pg_temp.held();
-- many runs wait for one record
SELECT count(orchestration.start_orchestration('Follows', inputs => '{"R": 1004}')) FROM generate_series(1, 20);
UPDATE public.default_record SET note = 'go' WHERE id = 1004;
SELECT status, current_stage, count(*) FROM orchestration.run r WHERE EXISTS (SELECT FROM orchestration.run_record WHERE run_id = r.id AND record_key = '1004') GROUP BY 1, 2;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT count(*) FROM orchestration.run_record;
SELECT orchestration.unregister_record_type('Default_Record');
DROP TABLE public.default_record;
