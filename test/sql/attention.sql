-- attention: needs_attention() (src/work/attention.c, sql/parts/work/attention.sql).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION public.attention_do(i jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"done": 1}'::jsonb $$;
CREATE FUNCTION public.attention_fail(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION E'no\nway'; END $$;
SELECT orchestration.register_action('Attention_Do', 'function', 'attention_do(jsonb)'), orchestration.register_action('Attention_Fail', 'function', 'attention_fail(jsonb)');
SELECT orchestration.register_action('Attention_Work', 'worker'), orchestration.register_action('Attention_Screen', 'screen');
SELECT pg_temp.person('ann@example.com', 'Ann');
CREATE ROLE attention_owner;
CREATE ROLE attention_other;
CREATE ROLE attention_manager;
CREATE ROLE attention_nobody;
SELECT pg_temp.person('attention_owner@example.com', 'Owner', 'attention_owner'), pg_temp.person('attention_other@example.com', 'Other', 'attention_other'), pg_temp.person('attention_manager@example.com', 'Manager', 'attention_manager');
UPDATE orchestration.principal SET manage_definitions = true WHERE role_name = 'attention_manager';
SELECT pg_temp.orchestration('Attends', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL,
    pg_temp.step('Ask', 'I', 'Attention_Screen'), pg_temp.step('Work', 'A', 'Attention_Work'), pg_temp.step('Do', 'A', 'Attention_Do')))));
SELECT pg_temp.orchestration('Breaks', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Fail', 'B', 'Attention_Fail')))));
CREATE FUNCTION pg_temp.items(unclaimed interval DEFAULT '1 hour') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', severity, kind, run_name, orchestration, stage, step, CASE WHEN recoverable_until > now() THEN 'recoverable' END, detail, hint)
      FROM orchestration.needs_attention($1) WITH ORDINALITY
     WHERE orchestration IN ('Attends', 'Breaks') OR orchestration IS NULL ORDER BY ordinality
$$;
-- nothing is wrong
SELECT orchestration.start_orchestration('Attends', owner_id => (SELECT id FROM orchestration."user" WHERE username = 'attention_owner@example.com')) IS NOT NULL;
SELECT * FROM pg_temp.items();
-- a failed run, overdue work, steps without a worker
SELECT orchestration.start_orchestration('Breaks') IS NOT NULL;
SELECT orchestration.set_due_date(pg_temp.item('Ask', pg_temp.run('OR-00000001')), now() + '1 second');
UPDATE orchestration.work_item SET due_at = now() - interval '1 hour';
UPDATE orchestration.step_queue SET available_at = now() - interval '2 hours';
SELECT * FROM pg_temp.items();
SELECT * FROM pg_temp.items('3 hours');
-- rows of all kinds have an id and a time where there is one
SELECT kind, id IS NULL, run_id IS NULL, since IS NULL FROM orchestration.needs_attention() WHERE orchestration IN ('Attends', 'Breaks') OR kind = 'worker';
-- an assignee who is inactive; an action that is gone; a message that failed for long
UPDATE orchestration.principal SET is_active = false WHERE username = 'ann@example.com';
DELETE FROM orchestration.action WHERE name = 'Attention_Screen';
INSERT INTO orchestration.message (kind, recipient_id, run_id, subject, body, attempts, last_error)
SELECT 'Assigned', p.id, pg_temp.run('OR-00000001'), 'x', 'x', 8, E'550\nno such mailbox' FROM orchestration.principal p WHERE username = 'ann@example.com';
SELECT * FROM pg_temp.items('3 hours');
-- who sees which
SET ROLE attention_owner;
SELECT kind, run_name FROM orchestration.needs_attention();
SET ROLE attention_other;
SELECT kind, run_name FROM orchestration.needs_attention();
SET ROLE attention_manager;
SELECT kind, run_name, orchestration FROM orchestration.needs_attention();
SET ROLE attention_nobody;
SELECT * FROM orchestration.needs_attention();
SELECT * FROM orchestration_internal.attention_items('0');
RESET ROLE;
SELECT * FROM orchestration.needs_attention(NULL);
SELECT * FROM orchestration.needs_attention('-1 hour');
-- a failure that can be resumed no more, and none is left
UPDATE orchestration.principal SET is_active = true WHERE username = 'ann@example.com';
SELECT orchestration.register_action('Attention_Screen', 'screen');
DELETE FROM orchestration.message;
SELECT orchestration.cancel_run(pg_temp.run('OR-00000001'));
BEGIN;
SET LOCAL orchestration.resume_window = 0;
SELECT * FROM pg_temp.items();
ROLLBACK;
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
UPDATE orchestration.principal SET role_name = NULL, is_active = username NOT LIKE 'attention%' WHERE username LIKE 'attention%';
DROP ROLE attention_owner, attention_other, attention_manager, attention_nobody;
