--
-- migrate_record.sql: variables of runs that are migrated: records that are read again, defaults
-- that are computed, and defaults that fail.
--
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE TABLE public.migrate_thing (id integer PRIMARY KEY, note text);
CREATE TABLE public.migrate_other (id integer PRIMARY KEY, note text);
INSERT INTO public.migrate_thing VALUES (1, 'one'), (2, 'two');
INSERT INTO public.migrate_other VALUES (1, 'other');
SELECT orchestration.register_record_type('Migrate_Thing', 'public.migrate_thing'), orchestration.register_record_type('Migrate_Other', 'public.migrate_other') \g /dev/null
SELECT orchestration.register_action('mr_screen', 'screen'), orchestration.register_action('mr_work', 'worker') \g /dev/null
-- A version with variables, and an input of its second step that reads each reference
CREATE FUNCTION pg_temp.version(variables jsonb, VARIADIC reads text[]) RETURNS integer LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('label', 'MR', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'variables', variables, 'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'connector', '{"targetReference": "T"}'::jsonb,
            'stageSteps', jsonb_build_array(jsonb_build_object('name', 'P', 'label', 'P', 'actionName', 'mr_screen', 'actionType', 'stepInteractive',
                'assignees', '[{"assigneeType": "User", "assignee": {"stringValue": "autoproc"}}]'::jsonb))),
            jsonb_build_object('name', 'T', 'label', 'T', 'stageSteps', jsonb_build_array(jsonb_build_object('name', 'Q', 'label', 'Q', 'actionName', 'mr_work', 'actionType', 'stepBackground', 'requiresAsyncProcessing', true,
                'inputParameters', (SELECT jsonb_agg(jsonb_build_object('name', 'i' || n, 'value', jsonb_build_object('elementReference', r))) FROM unnest(reads) WITH ORDINALITY u (r, n))))))), 'MR')
$$;
CREATE FUNCTION pg_temp.variable(name text, kind text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS
    $$SELECT jsonb_build_array(jsonb_build_object('name', name, 'dataType', kind, 'isInput', true) || more)$$;
CREATE FUNCTION pg_temp.inputs() RETURNS jsonb LANGUAGE sql AS $$
    SELECT orchestration.complete_work_item(id) FROM orchestration.work_item WHERE status = 'Assigned';
    SELECT inputs FROM orchestration.step_queue
$$;
CREATE FUNCTION pg_temp.migrated(version integer) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT m.version, m.migrated, m.problems, m.notes FROM orchestration.migrate_runs('MR', NULL, $1, false) m
$$;
CREATE FUNCTION pg_temp.code(run uuid, version integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN orchestration.migrate_run(run, version);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;

\echo -- a record is read again in the other version, too
SELECT pg_temp.version(pg_temp.variable('r', 'SObject', '{"objectType": "Migrate_Thing"}'), 'r.note') AS one \gset
SELECT pg_temp.version(pg_temp.variable('r', 'SObject', '{"objectType": "Migrate_Thing"}') || pg_temp.variable('n', 'String', '{"value": {"elementReference": "r.note"}}'), 'r.note', 'n') AS two \gset
SELECT orchestration.activate_orchestration('MR', :one) \g /dev/null
SELECT orchestration.start_orchestration('MR', inputs => '{"r": "1"}') AS run \gset
SELECT variable, record_type, record_key FROM orchestration.run_record;
SELECT * FROM pg_temp.migrated(:two) AS m (version integer, migrated boolean, problems text[], notes text[]);
SELECT variables FROM orchestration.run;
UPDATE public.migrate_thing SET note = 'changed' WHERE id = 1;
SELECT pg_temp.inputs();
SELECT variable, record_type, record_key FROM orchestration.run_record;
SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress' \g /dev/null
DELETE FROM orchestration.run;

\echo -- a variable that a version lacks has no record when it comes back
SELECT pg_temp.version(pg_temp.variable('n', 'String'), 'n') AS without \gset
SELECT orchestration.start_orchestration('MR', inputs => '{"r": "2"}') AS run \gset
SELECT * FROM pg_temp.migrated(:without) AS m (version integer, migrated boolean, problems text[], notes text[]);
SELECT variables FROM orchestration.run;
SELECT variable, record_type, record_key FROM orchestration.run_record;
SELECT * FROM pg_temp.migrated(:one) AS m (version integer, migrated boolean, problems text[], notes text[]);
SELECT pg_temp.inputs();
SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress' \g /dev/null
DELETE FROM orchestration.run;

\echo -- the record of another type does not fit
SELECT pg_temp.version(pg_temp.variable('r', 'SObject', '{"objectType": "Migrate_Other"}'), 'r.note') AS other \gset
SELECT orchestration.start_orchestration('MR', inputs => '{"r": "2"}') AS run \gset
SELECT * FROM pg_temp.migrated(:other) AS m (version integer, migrated boolean, problems text[], notes text[]);
SELECT pg_temp.code(:'run', :other);
SELECT variable, record_type, record_key FROM orchestration.run_record;

\echo -- defaults: of a record, also for a Suspended run; one that fails and is read; one that fails and is not
SELECT pg_temp.version(pg_temp.variable('r', 'SObject', '{"objectType": "Migrate_Thing"}') || pg_temp.variable('d', 'Number', '{"value": {"elementReference": "r.note"}}'), 'd') AS fails \gset
SELECT pg_temp.version(pg_temp.variable('r', 'SObject', '{"objectType": "Migrate_Thing"}') || pg_temp.variable('d', 'Number', '{"value": {"elementReference": "r.note"}}'), 'r.note') AS unread \gset
SELECT pg_temp.version(pg_temp.variable('r', 'SObject', '{"objectType": "Migrate_Thing"}') || pg_temp.variable('copy', 'SObject', '{"objectType": "Migrate_Thing", "value": {"elementReference": "r"}}'), 'copy.note') AS copy \gset
SELECT orchestration.suspend_run(:'run');
SELECT * FROM pg_temp.migrated(:fails) AS m (version integer, migrated boolean, problems text[], notes text[]);
SELECT pg_temp.code(:'run', :fails);
SELECT * FROM pg_temp.migrated(:unread) AS m (version integer, migrated boolean, problems text[], notes text[]);
SELECT variables FROM orchestration.run;
SELECT * FROM pg_temp.migrated(:copy) AS m (version integer, migrated boolean, problems text[], notes text[]);
SELECT variables FROM orchestration.run;
SELECT variable, record_type, record_key FROM orchestration.run_record ORDER BY 1;
UPDATE public.migrate_thing SET note = 'changed' WHERE id = 2;
SELECT orchestration.resume_run(:'run');
SELECT pg_temp.inputs();
SELECT * FROM orchestration.verify();

SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress' \g /dev/null
DELETE FROM orchestration.run;
SELECT orchestration.deactivate_orchestration('MR'), orchestration.delete_orchestration('MR') \g /dev/null
SELECT orchestration.unregister_action('mr_screen'), orchestration.unregister_action('mr_work'), orchestration.unregister_record_type('Migrate_Thing'), orchestration.unregister_record_type('Migrate_Other') \g /dev/null
DROP TABLE public.migrate_thing, public.migrate_other;
