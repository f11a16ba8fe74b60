-- restore: rows that are loaded past the checks.  COPY and the INSERTs of a dump load them; a
-- dump is recognised by its settings, and only for a role that owns the table.
SET client_min_messages = warning;
CREATE TABLE public.restore_order (id integer PRIMARY KEY, what text);
CREATE TABLE public.restore_order_part (id integer PRIMARY KEY, what text) PARTITION BY RANGE (id);
CREATE TABLE public.restore_order_p1 PARTITION OF public.restore_order_part FOR VALUES FROM (1) TO (100);
SELECT orchestration.register_record_type('RestoreOrder', 'public.restore_order');
SELECT orchestration.register_record_type('RestorePart', 'public.restore_order_part');
SELECT orchestration.register_action('RestoreScreen', 'screen');
SELECT orchestration.deploy_orchestration(format($${"label": "x", "processType": "Orchestrator",
  "start": {"object": "%1$s", "triggerType": "RecordAfterSave", "recordTriggerType": "Create", "connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [
    {"name": "P", "label": "P", "actionName": "RestoreScreen", "actionType": "stepInteractive",
     "assignees": [{"assignee": {"stringValue": "restore@example.com"}, "assigneeType": "User"}]}]}]}$$, t)::jsonb, 'Of_' || t)
  FROM unnest('{RestoreOrder,RestorePart}'::text[]) t;
SELECT orchestration.create_user('restore@example.com', 'Restore', 'restore_user') IS NOT NULL AS made;
SELECT orchestration.activate_orchestration('Of_RestoreOrder'), orchestration.activate_orchestration('Of_RestorePart');
CREATE ROLE restore_user;
CREATE ROLE restore_admin BYPASSRLS;
GRANT INSERT, SELECT ON public.restore_order, public.restore_order_part, public.restore_order_p1 TO restore_user, restore_admin;
GRANT INSERT ON orchestration.run TO restore_user, restore_admin;
GRANT EXECUTE ON FUNCTION orchestration.system_modstamp() TO restore_user, restore_admin;
CREATE FUNCTION public.restore_runs(OUT runs text) LANGUAGE sql AS
  $$SELECT string_agg(orchestration_name || ' ' || triggering_record_id, ', ' ORDER BY triggering_record_id, orchestration_name) FROM orchestration.run WHERE orchestration_name LIKE 'Of_Restore%'$$;
-- as in the head of a dump
CREATE FUNCTION public.restore_begin() RETURNS void LANGUAGE sql AS
  $$SELECT set_config('row_security', 'off', false), set_config('check_function_bodies', 'off', false), set_config('search_path', '', false)$$;
CREATE FUNCTION public.restore_end() RETURNS void LANGUAGE sql AS
  $$SELECT set_config('row_security', 'on', false), set_config('check_function_bodies', 'on', false), set_config('search_path', 'public', false)$$;

-- a user's table: the owner restores, other roles write
SELECT public.restore_begin();
INSERT INTO public.restore_order VALUES (1, 'restored'), (2, 'restored');
INSERT INTO public.restore_order_part VALUES (1, 'restored, by way of the root');
INSERT INTO public.restore_order_p1 VALUES (2, 'restored');
COPY public.restore_order (id, what) FROM stdin;
3	restored
\.
COPY public.restore_order_part (id, what) FROM stdin;
3	restored
\.
SELECT * FROM public.restore_runs();
UPDATE public.restore_order SET what = 'an update is no restore' WHERE id = 1;
SET ROLE restore_user;
INSERT INTO public.restore_order VALUES (11, 'not the owner');
RESET ROLE;
SET ROLE restore_admin;
COPY public.restore_order (id, what) FROM stdin;
12	not the owner
\.
INSERT INTO public.restore_order_p1 VALUES (13, 'not the owner');
RESET ROLE;
-- the settings of a user in a function of the owner
CREATE FUNCTION public.restore_add(i integer) RETURNS integer LANGUAGE sql SECURITY DEFINER AS
  'INSERT INTO public.restore_order VALUES (i, ''by the owner of a function'') RETURNING id';
SET ROLE restore_user;
INSERT INTO public.restore_order SELECT public.restore_add(14) + 100, 'not the owner';
RESET ROLE;
SELECT * FROM public.restore_runs();
-- all settings of a dump, or none
SET search_path = public;
INSERT INTO public.restore_order VALUES (21, 'search_path');
SELECT public.restore_begin();
SET row_security = on;
INSERT INTO public.restore_order VALUES (22, 'row_security');
SET row_security = off;
SET check_function_bodies = on;
INSERT INTO public.restore_order VALUES (23, 'check_function_bodies');
SET check_function_bodies = off;
DO $$BEGIN INSERT INTO public.restore_order VALUES (24, 'no statement of the session'); END$$;
WITH a AS (INSERT INTO public.restore_order VALUES (25, 'two tables')) INSERT INTO public.restore_order_p1 VALUES (25, 'two tables');
SELECT * FROM public.restore_runs();

-- tables of the extension: a run whose version and owner are loaded later, or never
\set VERBOSITY terse
INSERT INTO orchestration.run (name, status, owner_id) VALUES ('loaded', 'InProgress', '00000000-0000-4000-8000-000000000001');
INSERT INTO orchestration.run (name, status, triggering_record_type, triggering_record_id) VALUES ('loaded too', 'InProgress', 'RestoreOrder', '999');
INSERT INTO orchestration.run (name, status, orchestration_id, version_id) VALUES ('loaded, too', 'InProgress', '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000003');
-- the row is still checked against its neighbours, and an UPDATE is no restore
INSERT INTO orchestration.stage_run (run_id, id, name, label, position, status) SELECT id, '00000000-0000-4000-8000-000000000004', 'S', 'S', 1, 'Suspended' FROM orchestration.run WHERE name = 'loaded';
UPDATE orchestration.run SET status = 'Error' WHERE name = 'loaded';
-- a role that does not own the table is checked, even if it bypasses row security
SET ROLE restore_user;
INSERT INTO orchestration.run (id, name, status, owner_id) VALUES (gen_random_uuid(), 'refused', 'InProgress', '00000000-0000-4000-8000-000000000001');
RESET ROLE;
SET ROLE restore_admin;
INSERT INTO orchestration.run (id, name, status, owner_id) VALUES (gen_random_uuid(), 'refused', 'InProgress', '00000000-0000-4000-8000-000000000001');
INSERT INTO orchestration.run (id, name, status, triggering_record_type, triggering_record_id) VALUES (gen_random_uuid(), 'refused', 'InProgress', 'RestoreOrder', '999');
RESET ROLE;
-- writes by triggers of a restored row are checked, too
CREATE FUNCTION public.restore_trigger() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  INSERT INTO orchestration.run (id, name, status, owner_id) VALUES (gen_random_uuid(), 'refused', 'InProgress', '00000000-0000-4000-8000-000000000001'); RETURN NULL; END$$;
CREATE TRIGGER t AFTER INSERT ON public.restore_order FOR EACH ROW EXECUTE FUNCTION public.restore_trigger();
INSERT INTO public.restore_order VALUES (31, 'restored');
COPY public.restore_order (id, what) FROM stdin;
32	restored
\.
DROP TRIGGER t ON public.restore_order;
-- without the settings of a dump every role is checked
SELECT public.restore_end();
INSERT INTO orchestration.run (id, name, status, owner_id) VALUES (gen_random_uuid(), 'refused', 'InProgress', '00000000-0000-4000-8000-000000000001');
INSERT INTO orchestration.run (id, name, status, triggering_record_type, triggering_record_id) VALUES (gen_random_uuid(), 'refused', 'InProgress', 'RestoreOrder', '999');
SELECT invariant, object, detail FROM orchestration.verify() ORDER BY 1, 2, 3;

SET client_min_messages = error;
SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE orchestration_name LIKE 'Of_Restore%' ORDER BY name;
DELETE FROM orchestration.run WHERE orchestration_name LIKE 'Of_Restore%';
SET session_replication_role = replica;
DELETE FROM orchestration.run_log l USING orchestration.run r WHERE r.id = l.run_id AND r.name LIKE 'loaded%';
DELETE FROM orchestration.field_change c USING orchestration.run r WHERE r.id = c.run_id AND r.name LIKE 'loaded%';
DELETE FROM orchestration.run WHERE name LIKE 'loaded%';
RESET session_replication_role;
SELECT orchestration.rebuild_open_runs();
SELECT orchestration.deactivate_orchestration('Of_RestoreOrder'), orchestration.deactivate_orchestration('Of_RestorePart');
SELECT orchestration.unregister_record_type(n) FROM (VALUES ('RestoreOrder'), ('RestorePart')) x (n);
DROP TABLE public.restore_order, public.restore_order_part;
DROP OWNED BY restore_user, restore_admin;
DROP ROLE restore_user, restore_admin;
DROP FUNCTION public.restore_add, public.restore_runs, public.restore_begin, public.restore_end, public.restore_trigger;
SELECT invariant, object, detail FROM orchestration.verify() ORDER BY 1, 2, 3;
