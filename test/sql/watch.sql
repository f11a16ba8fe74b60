-- watch: dry runs, overview, stuck runs, counters, diagrams (src/work/dry_run.c,
-- src/work/diagram.c, sql/parts/work/watch.sql).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.watch_trace (note text);
CREATE FUNCTION public.watch_write(i jsonb) RETURNS jsonb LANGUAGE sql AS $$ INSERT INTO public.watch_trace VALUES (i::text) RETURNING '{"written": 1}'::jsonb $$;
CREATE FUNCTION public.watch_fail(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
SELECT orchestration.register_action('Watch_Write', 'function', 'watch_write(jsonb)');
SELECT orchestration.register_action('Watch_Fail', 'function', 'watch_fail(jsonb)');
SELECT orchestration.register_action('Watch_Work', 'worker'), orchestration.register_action('Watch_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT orchestration.create_queue('Watch_Queue') IS NOT NULL;
SELECT pg_temp.orchestration('Watched', 'First', jsonb_build_object(
    'variables', jsonb_build_array(pg_temp.variable('amount', 'Number')),
    'decisions', '[{"name": "Large", "label": "Large", "defaultConnector": {"targetReference": "Last"}, "rules": [{"name": "Yes", "label": "Is <large> & \"more\"", "conditionLogic": "and", "connector": {"targetReference": "Check"},
        "conditions": [{"leftValueReference": "Ask.Outputs.amount", "operator": "GreaterThan", "rightValue": {"numberValue": 10}}]}]}]'::jsonb,
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('First', 'Large', pg_temp.step('Write', 'B', 'Watch_Write', '{}', '{"n": {"elementReference": "amount"}}'), pg_temp.step('Ask', 'I', 'Watch_Screen')),
        pg_temp.stage('Check', 'First', pg_temp.step('Work', 'A', 'Watch_Work'), pg_temp.step('Later', 'A', 'Watch_Write', '{Work}')) || '{"faultConnector": {"targetReference": "Last"}}',
        pg_temp.stage('Last', NULL))));

--
-- dry runs: the steps that would run; no record changes
--
SELECT number, event, stage, step, detail FROM orchestration.dry_run('Watched', inputs => '{"amount": 5}', outputs => '{"Ask": {"amount": 1}}');
SELECT count(*) FROM public.watch_trace;
SELECT count(*) FROM orchestration.run;
-- a loop: the same answer each time, up to the limit; a worker's outputs; a queued function is called
SELECT count(*), count(*) FILTER (WHERE event = 'StartWorkItem') FROM orchestration.dry_run('Watched', outputs => '{"Ask": {"amount": 11}, "Work": {"x": 1}}', max_steps => 10);
SELECT event, step, detail FROM orchestration.dry_run('Watched', outputs => '{"Ask": {"amount": 11}}', max_steps => 3) WHERE step IN ('Work', 'Later');
-- a version that is not active, one that fails
SELECT orchestration.deploy_orchestration('{"fullName": "Watched", "label": "Two", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}}, "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "F", "label": "F", "actionName": "Watch_Fail", "actionType": "stepBackground"}]}]}'::jsonb);
SELECT event, stage, step, detail->>'message' FROM orchestration.dry_run('Watched');
SELECT event FROM orchestration.dry_run('Watched', version => 1, max_steps => 0);
SELECT * FROM orchestration.dry_run('Watched', version => 9);
SELECT * FROM orchestration.dry_run('Nothing');
SELECT * FROM orchestration.dry_run(NULL);
SELECT * FROM orchestration.dry_run('Watched', outputs => '[]');
SELECT * FROM orchestration.dry_run('Watched', version => 1, outputs => '{"Ask": 1}');
SELECT * FROM orchestration.dry_run('Watched', version => 1, inputs => '{"amount": "x"}');
SELECT * FROM orchestration.dry_run('Watched', record_key => 'nothing');
SELECT count(*) FROM orchestration.run;
-- inside a transaction that goes on, fails, and goes on
BEGIN;
SELECT orchestration.start_orchestration('Watched') IS NOT NULL;
SELECT count(*) > 0 FROM orchestration.dry_run('Watched');
SELECT pg_temp.state();
COMMIT;

SELECT orchestration.cancel_run(pg_temp.run());
SELECT orchestration.start_orchestration('Watched') IS NOT NULL;

--
-- stuck runs
--
SELECT * FROM orchestration.needs_attention() WHERE kind <> 'definition';
SELECT pg_temp.orchestration('Stuck', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('One', 'B', 'Watch_Write'), pg_temp.step('Never', 'B', 'Watch_Write') || '{"entryConditions": [{"leftValueReference": "One.Outputs.written", "operator": "EqualTo", "rightValue": {"numberValue": 2}}]}'))));
SELECT orchestration.start_orchestration('Stuck') IS NOT NULL;
SELECT pg_temp.orchestration('Stuck_exit', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('One', 'B', 'Watch_Write'))
    || '{"exitConditions": [{"leftValueReference": "One.Outputs.written", "operator": "EqualTo", "rightValue": {"numberValue": 2}}]}')));
SELECT orchestration.start_orchestration('Stuck_exit') IS NOT NULL;
SELECT pg_temp.orchestration('Stuck_queue', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('Ask', 'I', 'Watch_Screen', '{}', '{}', 'Watch_Queue', 'Queue'), pg_temp.step('Work', 'A', 'Watch_Work'), pg_temp.step('Function', 'A', 'Watch_Write')))));
SELECT orchestration.start_orchestration('Stuck_queue') IS NOT NULL;
SELECT orchestration, stage, step, detail FROM orchestration.needs_attention() WHERE kind <> 'definition' ORDER BY 1, 3;
SELECT orchestration, stage, step, detail FROM orchestration.needs_attention('0') WHERE kind <> 'definition' ORDER BY 1, 3;
UPDATE orchestration.principal SET is_active = false WHERE username = 'ann@example.com';
SELECT orchestration, stage, step, detail FROM orchestration.needs_attention() WHERE orchestration = 'Watched';
UPDATE orchestration.principal SET is_active = true WHERE username = 'ann@example.com';

--
-- diagrams
--
SELECT orchestration.run_diagram(v.id) FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id WHERE d.name = 'Watched' AND version = 1;
SELECT regexp_replace(orchestration.run_diagram(r.id, 'dot'), 'run OR-\d+', 'run OR-N', 'g') FROM orchestration.run r WHERE orchestration_name = 'Watched' AND status = 'InProgress';
-- the colours are looked at in a browser
CREATE FUNCTION pg_temp.drawing(svg text) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(regexp_replace(svg, '<style>.*</style>', '<style/>'), 'run OR-\d+', 'run OR-N', 'g') $$;
SELECT pg_temp.drawing(orchestration.run_diagram(r.id, 'svg')) FROM orchestration.run r WHERE orchestration_name = 'Watched' AND status = 'InProgress';
-- the XML is well-formed
SELECT (xpath('count(//*[local-name() = "rect"])', orchestration.run_diagram(r.id, 'svg')::xml))[1] FROM orchestration.run r WHERE orchestration_name = 'Watched' AND status = 'InProgress';
SELECT pg_temp.try('SELECT orchestration.run_diagram(orchestration.new_id())');
SELECT orchestration.run_diagram(NULL);
SELECT orchestration.run_diagram(pg_temp.run(), 'png');
-- an evaluation flow with a lookup, labels of several lines, an element without a way to it
SELECT orchestration.deploy_orchestration('{"fullName": "Watch_Flow", "label": "Watch flow", "processType": "EvaluationFlow", "start": {"connector": {"targetReference": "Find"}},
    "variables": [{"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": true}],
    "recordLookups": [{"name": "Find", "label": "Find", "object": "Nowhere", "connector": {"targetReference": "Is_it"}}],
    "decisions": [{"name": "Is_it", "label": "Is\nit <&>?", "defaultConnectorLabel": "No", "rules": [{"name": "Yes", "label": "Yes \"indeed\"", "conditionLogic": "and", "conditions": [{"leftValueReference": "Find", "operator": "IsNull", "rightValue": {"booleanValue": false}}], "connector": {"targetReference": "Say"}}]}],
    "assignments": [{"name": "Say", "label": "Say", "assignmentItems": [{"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": {"booleanValue": true}}]}]}'::jsonb);
SELECT pg_temp.drawing(orchestration.run_diagram(v.id, format)) FROM unnest('{mermaid,dot,svg}'::text[]) format, orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id WHERE d.name = 'Watch_Flow' ORDER BY format;
-- by name: the active version, else the newest; a version
SELECT orchestration.orchestration_diagram('Watched') = orchestration.run_diagram(v.id), orchestration.orchestration_diagram('Watched', 2, 'dot') LIKE '%version 2%', orchestration.orchestration_diagram('Watch_Flow', format => 'svg') LIKE '<svg%'
  FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id WHERE d.name = 'Watched' AND v.version = d.active_version;
SELECT orchestration.orchestration_diagram('Watched', 9);
SELECT orchestration.orchestration_diagram('Nothing');
SELECT orchestration.orchestration_diagram('Nothing', 1);
SELECT orchestration.orchestration_diagram(NULL);
SELECT orchestration.orchestration_diagram('Watched', format => 'png');
CREATE ROLE regress_orch_watcher;
GRANT USAGE ON SCHEMA orchestration TO regress_orch_watcher;
SELECT pg_temp.person('watcher@example.com', 'Watcher', 'regress_orch_watcher');
SET ROLE regress_orch_watcher;
SELECT orchestration.orchestration_diagram('Watched');
RESET ROLE;
UPDATE orchestration.principal SET role_name = NULL WHERE username = 'watcher@example.com';
DROP OWNED BY regress_orch_watcher;
DROP ROLE regress_orch_watcher;
-- labels that no notation can have; the XML is well-formed; a loop without an end
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Watch_Labels', 'label', E'<&>"\u0001\uffff%%{init}%%`', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
    'orchestratedStages', jsonb_build_array(pg_temp.stage('S', 'S') || jsonb_build_object('label', E'\\l"#<!-- \u202e]]>\t\n%'))));
SELECT orchestration.orchestration_diagram('Watch_Labels', format => f) FROM unnest('{mermaid,dot}'::text[]) f;
SELECT xpath('//*[local-name() = "title"]/text()', orchestration.orchestration_diagram('Watch_Labels', format => 'svg')::xml);
-- stages in each status; a run without a version
SELECT pg_temp.orchestration('Watch_Shades', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', 'T', pg_temp.step('Ask', 'I', 'Watch_Screen')), pg_temp.stage('T', NULL, pg_temp.step('Tell', 'I', 'Watch_Screen')))));
SELECT orchestration.start_orchestration('Watch_Shades') IS NOT NULL;
SELECT orchestration.suspend_run(pg_temp.run());
SELECT regexp_replace(orchestration.run_diagram(pg_temp.run()), 'run OR-\d+', 'run OR-N', 'g');
SELECT orchestration.resume_run(pg_temp.run()), orchestration.complete_work_item(pg_temp.item('Ask')), orchestration.cancel_run(pg_temp.run());
SELECT regexp_replace(orchestration.run_diagram(pg_temp.run()), 'run OR-\d+', 'run OR-N', 'g');
INSERT INTO orchestration.run (name, status, ended_at) VALUES ('Imported', 'Completed', now());
SELECT pg_temp.try(format('SELECT orchestration.run_diagram(%L)', pg_temp.run('Imported')));
SELECT * FROM orchestration.dry_run('Watch_Flow');
SELECT * FROM orchestration.dry_run('Watch_Shades', version => 7);
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
