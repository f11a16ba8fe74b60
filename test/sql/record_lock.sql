-- record_lock: the locks of approvals (shouldLock): who may change the record, who may lift the
-- locks, and two locks at once (src/work/record_change.c, src/work/unlock.c).
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
-- nothing of this stays
BEGIN;
\set ON_ERROR_ROLLBACK on
\pset format unaligned
\pset tuples_only on
CREATE TABLE public.lock_record (id integer PRIMARY KEY, note text);
SELECT orchestration.register_record_type('Lock_Record', 'lock_record');
SELECT orchestration.register_action('Lock_Screen', 'screen');
CREATE ROLE regress_lock_ann;
CREATE ROLE regress_lock_bob;
CREATE ROLE regress_lock_admin;
CREATE ROLE regress_lock_modify;
CREATE ROLE regress_lock_reader;
CREATE ROLE regress_lock_blind;
CREATE ROLE regress_lock_nobody;
SELECT pg_temp.person('ann.lock@example.com', 'Ann', 'regress_lock_ann'), pg_temp.person('bob.lock@example.com', 'Bob', 'regress_lock_bob'), pg_temp.person('admin.lock@example.com', 'Approval Admin', 'regress_lock_admin'),
       pg_temp.person('modify.lock@example.com', 'Modify All', 'regress_lock_modify'), pg_temp.person('reader.lock@example.com', 'Reader', 'regress_lock_reader'), pg_temp.person('blind.lock@example.com', 'Blind', 'regress_lock_blind');
SELECT orchestration.update_user(id, approval_admin => username ~ 'admin', modify_all_data => username ~ 'modify') FROM orchestration.principal WHERE username ~ '^(admin|modify)\.lock@';
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON public.lock_record TO regress_lock_ann, regress_lock_bob, regress_lock_admin, regress_lock_modify, regress_lock_reader, regress_lock_nobody;
INSERT INTO public.lock_record SELECT i, 'as it was' FROM generate_series(1, 9) i;
-- an approval of record that locks it for an assignee
CREATE FUNCTION pg_temp.lock(record integer, assignee text, can_edit boolean) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    name text := 'Locks_' || can_edit;
BEGIN
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name, 'processType', 'ApprovalWorkflow', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'orchestratedStages', jsonb_build_array(pg_temp.stage('S', NULL, pg_temp.step('Q', 'I', 'Lock_Screen', '{}', '{"ActionInput__RecordId": {"elementReference": "recordId"}}', '{!firstApprover}')
            || jsonb_build_object('actionType', 'stepApproval', 'shouldLock', true, 'canAssigneeEdit', can_edit))),
        'variables', jsonb_build_array(pg_temp.variable('recordId', 'String'), pg_temp.variable('submitter', 'String'), pg_temp.variable('submissionComments', 'String'), pg_temp.variable('firstApprover', 'String'))));
    PERFORM orchestration.activate_orchestration(name);
    RETURN orchestration.start_orchestration(name, inputs => jsonb_build_object('recordId', record::text, 'firstApprover', assignee));
END
$$;
CREATE FUNCTION pg_temp.as_role(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    result := pg_temp.try(statement);
    RESET ROLE;
    RETURN result;
END
$$;
SET client_min_messages = error;

--
-- Who may change a locked record, and who may lift its lock
--
CREATE TEMP TABLE who (n integer GENERATED ALWAYS AS IDENTITY, role text);
INSERT INTO who (role) VALUES ('regress_lock_ann'), ('regress_lock_bob'), ('regress_lock_admin'), ('regress_lock_modify'), ('regress_lock_reader'), ('regress_lock_blind'), ('regress_lock_nobody'), (current_user::text);
CREATE FUNCTION pg_temp.play(role text, can_edit boolean, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        PERFORM pg_temp.lock(1, 'ann.lock@example.com', can_edit);
        result := pg_temp.as_role(role, statement);
        RAISE EXCEPTION USING ERRCODE = 'YYYYY', MESSAGE = result;
    EXCEPTION WHEN SQLSTATE 'YYYYY' THEN
        RETURN SQLERRM;
    END;
END
$$;
SELECT c.can_edit, s.what, string_agg(replace(w.role, 'regress_lock_', '') || ': ' || pg_temp.play(w.role, c.can_edit, s.statement), E'\n    ' ORDER BY w.n)
  FROM who w, (VALUES (false), (true)) c (can_edit),
       (VALUES (1, 'change', $$UPDATE public.lock_record SET note = 'changed' WHERE id = 1$$), (2, 'delete', 'DELETE FROM public.lock_record WHERE id = 1'), (3, 'truncate', 'TRUNCATE public.lock_record'),
               (4, 'unlock', $$SELECT orchestration.unlock_record('Lock_Record', '1')$$), (5, 'see', 'SELECT count(*) FROM public.lock_record WHERE id = 1')) s (n, what, statement)
 GROUP BY c.can_edit, s.n, s.what ORDER BY c.can_edit, s.n;

--
-- Two locks of one record: both hold, and both must be answered, or lifted
--
SELECT pg_temp.lock(2, 'ann.lock@example.com', true) IS NOT NULL, pg_temp.lock(2, 'bob.lock@example.com', false) IS NOT NULL;
SELECT pg_temp.as_role('regress_lock_ann', $$UPDATE public.lock_record SET note = 'changed' WHERE id = 2$$);
SELECT pg_temp.as_role('regress_lock_ann', $$SELECT orchestration.unlock_record('Lock_Record', '2')$$);
SELECT pg_temp.as_role('regress_lock_ann', $$UPDATE public.lock_record SET note = 'changed' WHERE id = 2$$);
SELECT pg_temp.as_role('regress_lock_bob', $$SELECT orchestration.unlock_record('Lock_Record', '2')$$);
SELECT orchestration.complete_work_item(pg_temp.item('Q'), '{"approvalDecision": "Approve"}');
SELECT pg_temp.as_role('regress_lock_ann', $$UPDATE public.lock_record SET note = 'changed' WHERE id = 2$$);
-- lifted together by an administrator; the items stay
SELECT pg_temp.lock(3, 'ann.lock@example.com', true) IS NOT NULL, pg_temp.lock(3, 'bob.lock@example.com', false) IS NOT NULL;
SELECT pg_temp.as_role('regress_lock_admin', $$SELECT orchestration.unlock_record('Lock_Record', '3')$$), pg_temp.as_role('regress_lock_admin', $$SELECT orchestration.unlock_record('Lock_Record', '3')$$);
SELECT pg_temp.as_role('regress_lock_reader', $$UPDATE public.lock_record SET note = 'changed' WHERE id = 3$$);
SELECT string_agg(status || ' ' || record_locked, ', ') FROM orchestration.work_item WHERE related_record_id = '3';
-- what there is not
SELECT pg_temp.try($$SELECT orchestration.unlock_record('Lock_Record', '77')$$), pg_temp.try($$SELECT orchestration.unlock_record('No_Such', '1')$$), pg_temp.try($$SELECT orchestration.unlock_record(NULL, '1')$$);
SELECT * FROM orchestration.verify();
ROLLBACK;
\set ON_ERROR_ROLLBACK off
