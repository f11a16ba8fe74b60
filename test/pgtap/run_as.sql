-- run_as: a step with runAsUser makes its action act as a user.  An administrator must allow
-- that for the action, by allow_run_as_user().
--
-- Dev has Manage Flow and owns a function; Chief sees everything.  Without the permission no
-- definition of Dev's makes the function act as Chief: not when activated, not in a dry run, not
-- from a version activated before, not from the queue.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SELECT no_plan();

CREATE ROLE regress_dev;
CREATE ROLE regress_chief;
CREATE ROLE regress_other;
CREATE SCHEMA dev AUTHORIZATION regress_dev;
CREATE SCHEMA other AUTHORIZATION regress_other;
GRANT USAGE ON SCHEMA dev, other TO PUBLIC;
SELECT orchestration.create_user('run-as-dev', 'Dev', 'regress_dev') AS dev, orchestration.create_user('run-as-chief', 'Chief', 'regress_chief') AS chief \gset
SELECT orchestration.update_user(:'dev', manage_definitions => true), orchestration.update_user(:'chief', modify_all_data => true) \g /dev/null
INSERT INTO orchestration.run (name, status, owner_id) VALUES ('chief-run', 'InProgress', :'chief');
SET ROLE regress_dev;
CREATE FUNCTION dev.who(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('who', (SELECT name FROM orchestration."user" WHERE id = orchestration.acting_user_id()), 'runs', (SELECT count(*) FROM orchestration.run WHERE name = 'chief-run')) $$;
CREATE FUNCTION dev.who2(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT dev.who($1) $$;
GRANT EXECUTE ON FUNCTION dev.who(jsonb), dev.who2(jsonb) TO PUBLIC;
RESET ROLE;

CREATE FUNCTION public.said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; r text;
BEGIN
    EXECUTE statement INTO r;
    RETURN COALESCE(r, 'done');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, NULLIF(d, ''));
END $$;
CREATE FUNCTION public.definition(name text, asynchronous boolean) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('fullName', name, 'label', name, 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb, 'orchestratedStages',
        jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'stageSteps', jsonb_build_array(jsonb_build_object('name', 'T', 'label', 'T', 'actionType', 'stepBackground', 'actionName', name,
            'requiresAsyncProcessing', asynchronous, 'runAsUser', true, 'assignees', '[{"assigneeType": "User", "assignee": {"stringValue": "run-as-chief"}}]'::jsonb))))) $$;
-- the step of the newest run of an orchestration: status, and its outputs or error
CREATE FUNCTION public.outcome(name text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT concat_ws(' | ', t.status, t.outputs, t.error->>'sqlstate', t.error->>'message', t.error->>'hint')
      FROM orchestration.step_run t JOIN orchestration.run r ON r.id = t.run_id WHERE r.orchestration_name = $1 ORDER BY r.id DESC LIMIT 1 $$;

SELECT orchestration.register_action(a, 'function', 'dev.who(jsonb)') FROM unnest('{Sync,Async}'::text[]) a \g /dev/null
SELECT orchestration.register_action('Work', 'worker'), orchestration.register_action('Look', 'screen') \g /dev/null
SET ROLE regress_dev;
SELECT orchestration.deploy_orchestration(public.definition(d, d <> 'Sync')) FROM unnest('{Sync,Async,Work}'::text[]) d \g /dev/null

-- ---- not allowed
SELECT is(said(format('SELECT orchestration.activate_orchestration(%L)', d)),
          format('OR204 | version 1 of orchestration "%1$s" cannot be activated | orchestratedStages[0].stageSteps[0] "T".runAsUser: action "%1$s" may not run as a user; an administrator allows it with orchestration.allow_run_as_user(''%1$s'')', d), 'activation is refused: ' || d)
  FROM unnest('{Sync,Async,Work}'::text[]) d;
SELECT is((SELECT string_agg(format('%s by %s: %s', name, used_by, resolved), ', ') FROM orchestration.orchestration_references('Sync') WHERE kind = 'runAsUser'), 'Sync by T: f', 'orchestration_references() lists it');
SELECT is((SELECT detail->>'message' FROM orchestration.dry_run(d) WHERE event = 'FailStep'), format('action "%s" may not run as a user', d), 'a dry run fails: ' || d) FROM unnest('{Sync,Async}'::text[]) d;
SELECT is((SELECT count(*) FROM orchestration.dry_run(d) WHERE detail::text LIKE '%Chief%'), 0::bigint, 'and shows nothing: ' || d) FROM unnest('{Sync,Async,Work}'::text[]) d;
SELECT is(said('SELECT orchestration.allow_run_as_user(''Sync'')'), '42501 | permission denied for function allow_run_as_user', 'Manage Flow does not allow it');
SELECT is(said('UPDATE orchestration.action SET run_as_user = true'), '42501 | permission denied for table action', 'nor can the permission be written to the table');

-- ---- allowed
RESET ROLE;
SELECT is(said('SELECT orchestration.allow_run_as_user(NULL)'), '22004 | action and allowed must not be null', 'null');
SELECT is(said('SELECT orchestration.allow_run_as_user(''Sync'', NULL)'), '22004 | action and allowed must not be null', 'null');
SELECT is(said('SELECT orchestration.allow_run_as_user(''Nothing'')'), 'OR205 | action "Nothing" is not registered', 'an unknown action');
SELECT is(said('SELECT orchestration.allow_run_as_user(''Look'')'), '22023 | action "Look" is a screen: its assignees act, nothing runs as them', 'a screen');
SELECT orchestration.allow_run_as_user(a) FROM unnest('{Sync,Async,Work}'::text[]) a \g /dev/null
SET ROLE regress_dev;
SELECT is(said(format('SELECT orchestration.activate_orchestration(%L)', d)), '1', 'it can be activated: ' || d) FROM unnest('{Sync,Async,Work}'::text[]) d;
SELECT orchestration.start_orchestration(d) FROM unnest('{Sync,Async,Work}'::text[]) d \g /dev/null
SELECT is(outcome('Sync'), 'Completed | {"who": "Chief", "runs": 1}', 'the function acts as the user');
RESET ROLE;
SELECT orchestration.run_queued_steps() \g /dev/null
SELECT is(outcome('Async'), 'Completed | {"who": "Chief", "runs": 1}', 'also from the queue');
SELECT is((SELECT run_as FROM orchestration.claim_steps('w', '{Work}', 1, '1 minute')), :'chief'::uuid, 'a worker gets the user with the step');

-- ---- no longer allowed: a version activated before fails, in the call and in the queue
SET ROLE regress_dev;
SELECT orchestration.start_orchestration('Async') \g /dev/null
RESET ROLE;
CREATE FUNCTION public.fails(why text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE d text; message text := 'action "%s" may not run as a user'; hint text := ' | An administrator allows it with orchestration.allow_run_as_user(); then resume the run.';
BEGIN
    PERFORM orchestration.run_queued_steps();
    RETURN NEXT is(outcome('Async'), 'Error | 42501 | ' || format(message, 'Async') || hint, why || ': what was in the queue fails');
    FOREACH d IN ARRAY '{Sync,Async,Work}'::text[] LOOP
        SET LOCAL ROLE regress_dev;
        PERFORM orchestration.start_orchestration(d);
        RESET ROLE;
        RETURN NEXT matches(outcome(d), 'Error . 42501 . ' || format(message, d), why || ': ' || d || ' fails');
        RETURN NEXT is((SELECT r.status::text || ' ' || r.error_recoverable FROM orchestration.run r WHERE r.orchestration_name = d ORDER BY id DESC LIMIT 1), 'Error true', why || ': the run can be resumed');
    END LOOP;
END $$;
SELECT orchestration.allow_run_as_user(a, false) FROM unnest('{Sync,Async,Work}'::text[]) a \g /dev/null
SELECT public.fails('no longer allowed');
SELECT is((SELECT count(*) FROM orchestration.claim_steps('w', '{Work}', 10, '1 minute')), 0::bigint, 'nor does a worker get such a step');
SELECT orchestration.allow_run_as_user('Sync') \g /dev/null
SELECT orchestration.resume_run(id) FROM orchestration.run WHERE orchestration_name = 'Sync' AND status = 'Error' \g /dev/null
SELECT is(outcome('Sync'), 'Completed | {"who": "Chief", "runs": 1}', 'allowed again, the run goes on');

-- ---- registered again: the same registration keeps the permission, another one ends it
CREATE TEMP TABLE registration (n integer, how text, call text, kept boolean);
INSERT INTO registration VALUES
    (1, 'the same', 'SELECT orchestration.register_action(''Sync'', ''function'', ''dev.who(jsonb)'')', true),
    (2, 'another function', 'SELECT orchestration.register_action(''Sync'', ''function'', ''dev.who2(jsonb)'')', false),
    (3, 'another search_path', 'SELECT set_config(''search_path'', ''dev, public, pg_catalog'', true), orchestration.register_action(''Sync'', ''function'', ''dev.who(jsonb)'')', false),
    (4, 'another kind', 'SELECT orchestration.register_action(''Sync'', ''worker'')', false),
    (5, 'unregistered between', 'SELECT orchestration.unregister_action(''Sync''), orchestration.register_action(''Sync'', ''function'', ''dev.who(jsonb)'')', false),
    (6, 'a retry policy', 'SELECT orchestration.set_retry_policy(''Sync'')', true),
    (7, 'a description', 'SELECT orchestration.set_action_contract(''Sync'')', true);
CREATE FUNCTION public.kept(call text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE result boolean;
BEGIN
    PERFORM set_config('search_path', 'public, pg_catalog', true);
    PERFORM orchestration.register_action('Sync', 'function', 'dev.who(jsonb)');
    PERFORM orchestration.allow_run_as_user('Sync');
    EXECUTE call;
    SELECT run_as_user INTO result FROM orchestration.action WHERE name = 'Sync';
    PERFORM set_config('search_path', 'public, pg_catalog', true);
    RETURN result;
END $$;
SELECT is(public.kept(call), kept, 'registered anew: ' || how) FROM registration ORDER BY n;
SELECT orchestration.register_action('Work', 'worker'), orchestration.allow_run_as_user('Work') \g /dev/null
SELECT orchestration.register_action('Work', 'worker', topic => 'elsewhere') \g /dev/null
SELECT is((SELECT run_as_user FROM orchestration.action WHERE name = 'Work'), false, 'registered again with another topic');

-- ---- the function gets another owner, or another function takes its name
SELECT orchestration.register_action('Sync', 'function', 'dev.who(jsonb)'), orchestration.allow_run_as_user('Sync') \g /dev/null
ALTER FUNCTION dev.who(jsonb) OWNER TO regress_other;
SET ROLE regress_dev;
SELECT orchestration.start_orchestration('Sync') \g /dev/null
SELECT matches(outcome('Sync'), 'Error . 42501 . action "Sync" may not run as a user: since that was allowed its function has come to belong to role "regress_other"', 'a function with another owner is not allowed');
SELECT matches(said('SELECT orchestration.activate_orchestration(''Sync'')'), 'OR204 .* belong to role "regress_other"; an administrator allows it', 'nor can it be activated');
RESET ROLE;
DROP FUNCTION dev.who2(jsonb);
DROP FUNCTION dev.who(jsonb);
SELECT is(said('SELECT orchestration.allow_run_as_user(''Sync'')'), '42883 | function dev.who(jsonb) of action "Sync" does not exist', 'a function that was dropped');
SET ROLE regress_dev;
CREATE FUNCTION dev.who(jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"who": "again"}'::jsonb $$;
SELECT orchestration.start_orchestration('Sync') \g /dev/null
SELECT is(outcome('Sync'), 'Completed | {"who": "again"}', 'another function of the allowed owner is allowed');
RESET ROLE;

SELECT is_empty('SELECT * FROM orchestration.verify() WHERE invariant NOT LIKE ''log%''', 'verify()');
SELECT * FROM finish();
ROLLBACK;
