-- wake.sql: many topics, many assignees, and claims beside entries that cannot be removed.
BEGIN;
SELECT plan(10);

SELECT orchestration.register_action('wake_' || n, 'worker') FROM generate_series(1, 2000) n \g /dev/null
SELECT orchestration.register_action('wake_form', 'screen') \g /dev/null
CREATE FUNCTION pg_temp.deploy(name text, action text, kind text, assignee text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('label', name, 'processType', 'Orchestrator',
               'start', '{"connector": {"targetReference": "S"}}'::jsonb,
               'variables', '[{"name": "who", "dataType": "String", "isInput": true}]'::jsonb,
               'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'stageSteps', jsonb_build_array(
                   jsonb_strip_nulls(jsonb_build_object('name', 'T', 'label', 'T', 'actionName', action, 'actionType', kind,
                       'requiresAsyncProcessing', kind = 'stepBackground',
                       'assignees', CASE WHEN assignee IS NOT NULL THEN jsonb_build_array(jsonb_build_object('assigneeType', 'User',
                           'assignee', jsonb_build_object('elementReference', assignee))) END)))))), name),
           orchestration.activate_orchestration(name) $$;
SELECT pg_temp.deploy('Wake_' || n, 'wake_' || n, 'stepBackground') FROM (VALUES (1), (150), (200), (1500)) v (n) \g /dev/null
SELECT pg_temp.deploy('Wake_Form', 'wake_form', 'stepInteractive', 'who') \g /dev/null
CREATE FUNCTION pg_temp.topics(n integer) RETURNS text[] LANGUAGE sql AS
    $$ SELECT array_agg('wake_' || i ORDER BY i) FROM generate_series(1, n) i $$;
CREATE FUNCTION pg_temp.claimed(n integer, most integer DEFAULT 100) RETURNS SETOF text LANGUAGE sql AS
    $$ SELECT topic FROM orchestration.claim_steps('w', pg_temp.topics(n), most) ORDER BY topic $$;

-- more topics than a session keeps in memory
SELECT orchestration.start_orchestration('Wake_' || n) FROM (VALUES (1), (150), (200)) v (n) \g /dev/null
SELECT is((SELECT max_wait FROM orchestration.listen_for_steps(pg_temp.topics(200), pg_backend_pid()) LIMIT 1), '0', 'steps of 200 topics are ready');
SELECT set_eq($$SELECT * FROM pg_temp.claimed(200)$$, '{wake_1,wake_150,wake_200}'::text[], 'all steps of 200 topics are claimed');
SELECT is_empty($$SELECT * FROM pg_temp.claimed(200)$$, 'once');
SELECT orchestration.start_orchestration('Wake_' || n) FROM (VALUES (1), (1500)) v (n) \g /dev/null
SELECT set_eq($$SELECT * FROM pg_temp.claimed(2000)$$, '{wake_1,wake_1500}'::text[], 'all steps of 2,000 topics are claimed');
SELECT orchestration.start_orchestration('Wake_200') \g /dev/null
SELECT results_eq($$SELECT * FROM pg_temp.claimed(200)$$, '{wake_200}'::text[], 'and of 200 topics again');

-- a session finds at once steps that it queued, and steps that it claimed and rolled back
SELECT orchestration.start_orchestration('Wake_1') \g /dev/null
SAVEPOINT claimed;
SELECT results_eq($$SELECT * FROM pg_temp.claimed(1)$$, '{wake_1}'::text[], 'a step that the session queued');
ROLLBACK TO claimed;
SELECT results_eq($$SELECT * FROM pg_temp.claimed(1)$$, '{wake_1}'::text[], 'the same after a rolled-back claim');

-- a session can wait for the end of a lease
SELECT orchestration.start_orchestration('Wake_1') \g /dev/null
SELECT orchestration.claim_steps('dead', '{wake_1}', 1, '1 hour') \g /dev/null
SELECT is((SELECT max_wait FROM orchestration.listen_for_steps('{wake_1}', pg_backend_pid()) LIMIT 1), '0', 'inside a transaction LISTEN is not in effect: there is nothing to wait for');

-- beside entries that cannot be removed, because this transaction holds them
SELECT orchestration.start_orchestration('Wake_1') FROM generate_series(1, 4000) \g /dev/null
CREATE TEMP TABLE done AS SELECT * FROM orchestration.claim_steps('w', '{wake_1}', 10000);
SELECT is((SELECT count(*) FROM orchestration.complete_steps((SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id)) FROM done)) WHERE accepted), 4000::bigint, '4,000 steps are done');
SELECT orchestration.start_orchestration('Wake_1') FROM generate_series(1, 30) \g /dev/null
SELECT is((SELECT count(*) FROM orchestration.claim_steps('w', '{wake_1}', 100)), 30::bigint, 'all steps are found at once');
SELECT * FROM finish();
ROLLBACK;
