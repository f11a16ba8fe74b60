-- run_tree: run_tree() and run_timeline() (sql/parts/work/run_tree.sql).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.tree_do(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN IF i->>'say' IS NOT NULL THEN RAISE EXCEPTION '%', repeat(i->>'say', 50000); END IF; RETURN '{}'; END $$;
SELECT orchestration.register_action('Tree_Do', 'function', 'tree_do(jsonb)'), orchestration.register_action('Tree_Screen', 'screen'), orchestration.register_action('Tree_Work', 'worker');
SELECT pg_temp.person('ann@example.com', 'Ann');
SELECT pg_temp.orchestration('Tree', 'One', jsonb_build_object('label', E'A tree\nof <b>labels</b>',
    'variables', jsonb_build_array(pg_temp.variable('say', 'String')),
    'orchestratedStages', jsonb_build_array(
        pg_temp.stage('One', 'Two', pg_temp.step('Do', 'B', 'Tree_Do'), pg_temp.step('Ask', 'I', 'Tree_Screen') || jsonb_build_object('label', E'Ask\t\u009b31m' || repeat('x', 60))),
        pg_temp.stage('Two', NULL, pg_temp.step('Work', 'A', 'Tree_Work'), pg_temp.step('Fail', 'B', 'Tree_Do', '{Work}', '{"say": {"elementReference": "say"}}')))));
-- without durations
CREATE FUNCTION pg_temp.tree(run text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(line, ' +\d+ (ms|s)\M', ' N ms') FROM orchestration.run_tree(run)
$$;
CREATE FUNCTION pg_temp.timeline(run text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', kind, stage, step, label, status, CASE WHEN ended_at IS NULL THEN 'open' END, who, left(error, 30)) FROM orchestration.run_timeline(run)
$$;
SELECT orchestration.start_orchestration('Tree', inputs => jsonb_build_object('say', E'no\n')) IS NOT NULL;
SELECT * FROM pg_temp.tree('OR-00000001');
SELECT * FROM pg_temp.timeline('OR-00000001');
SELECT orchestration.complete_work_item(pg_temp.item('Ask'));
SELECT step_id, lease_id FROM orchestration.claim_steps('worker', '{Tree_Work}', 1, '1 minute') \gset
SELECT accepted FROM orchestration.complete_steps(jsonb_build_array(jsonb_build_object('step_id', :'step_id', 'lease_id', :'lease_id')));
SELECT * FROM pg_temp.tree('OR-00000001');
SELECT * FROM pg_temp.timeline('OR-00000001');
SELECT depth, kind, label, step_type, status, duration IS NULL, person, length(error) FROM orchestration.run_tree(pg_temp.run());
SELECT max(length(line)) < 400, bool_or(line ~ '[[:cntrl:]]'), bool_or(error ~ '[[:cntrl:]]') FROM orchestration.run_tree(pg_temp.run());
-- by id, as uuid and as text; no such run
SELECT count(*) FROM orchestration.run_tree(pg_temp.run());
SELECT count(*) FROM orchestration.run_tree(pg_temp.run()::text);
SELECT count(*) FROM orchestration.run_tree('nothing');
SELECT count(*) FROM orchestration.run_tree(repeat('-', 36));
SELECT count(*) FROM orchestration.run_timeline(NULL::text);
-- each pair of start and end is in order, and the run is first
SELECT bool_and(ended_at >= started_at), bool_and(duration >= '0'), (array_agg(kind))[1] FROM orchestration.run_timeline(pg_temp.run());
-- units
SELECT string_agg(orchestration_internal.duration_text(d::interval), ', ') FROM unnest('{0, 9.9 s, 11 s, 119 s, 5 min, 3 h, 47 h, 3 d, 400 d}'::text[]) d;
-- who sees what: a user who sees the run alone, one who sees nothing
CREATE ROLE tree_owner;
CREATE ROLE tree_other;
SELECT pg_temp.person('tree_owner@example.com', 'Owner', 'tree_owner'), pg_temp.person('tree_other@example.com', 'Other', 'tree_other');
SELECT orchestration.start_orchestration('Tree', owner_id => (SELECT id FROM orchestration."user" WHERE username = 'tree_owner@example.com')) IS NOT NULL;
SET ROLE tree_owner;
SELECT depth, kind, label FROM orchestration.run_tree('OR-00000002');
SELECT kind, label FROM orchestration.run_timeline('OR-00000002');
SELECT count(*) FROM orchestration.run_tree('OR-00000001');
SET ROLE tree_other;
SELECT count(*) FROM orchestration.run_tree('OR-00000002');
SELECT count(*) FROM orchestration.run_timeline('OR-00000002');
RESET ROLE;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
UPDATE orchestration.principal SET role_name = NULL WHERE role_name LIKE 'tree%';
DROP ROLE tree_owner, tree_other;
