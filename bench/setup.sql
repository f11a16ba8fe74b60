-- setup.sql: the data of the benchmark, in a fresh database with the extension.
--
-- "hand" is the floor: copies of the extension's tables, with the same columns, checks, defaults,
-- indexes, foreign keys and storage parameters but without its triggers, and one PL/pgSQL function
-- that writes the same rows as the extension for the same run.  It checks no status, reads no
-- definition, and a failing action would lose the whole run.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

-- ------------------------------------------------------------ the action

CREATE FUNCTION public.nothing(inputs jsonb) RETURNS jsonb
    LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT orchestration.register_action('nothing', 'function', 'public.nothing(jsonb)');
SELECT orchestration.register_action('remote', 'worker');
SELECT orchestration.register_action('form', 'screen');

-- ------------------------------------------------------- the definitions

CREATE FUNCTION public.bench_definition(
    action_name text, action_type text, stages int, steps int)
    RETURNS xml LANGUAGE sql AS $$
SELECT format(
'<Flow xmlns="http://soap.sforce.com/2006/04/metadata">
<apiVersion>62.0</apiVersion>
<label>Bench</label>
<processType>Orchestrator</processType>
<start><connector><targetReference>Stage_1</targetReference></connector></start>
%s
</Flow>',
(SELECT string_agg(format(
'<orchestratedStages><name>Stage_%1$s</name><label>Stage %1$s</label>%2$s%3$s</orchestratedStages>',
    g,
    CASE WHEN g < stages THEN format(
        '<connector><targetReference>Stage_%s</targetReference></connector>', g + 1) ELSE '' END
    || '<exitConditionLogic>and</exitConditionLogic>',
    (SELECT string_agg(format(
'<stageSteps><name>Step_%1$s_%2$s</name><actionName>%3$s</actionName><actionType>%4$s</actionType>'
'%5$s<entryConditionLogic>and</entryConditionLogic><label>Step %1$s.%2$s</label>'
'<requiresAsyncProcessing>false</requiresAsyncProcessing></stageSteps>',
        g, s, action_name, action_type,
        CASE action_type WHEN 'stepInteractive' THEN
            '<assignees><assignee><stringValue>bench</stringValue></assignee>'
            '<assigneeType>User</assigneeType></assignees>' ELSE '' END), '' ORDER BY s)
     FROM generate_series(1, steps) s)), E'\n' ORDER BY g)
 FROM generate_series(1, stages) g))::xml
$$;

INSERT INTO orchestration.principal (kind, name, username) VALUES ('User', 'Bench', 'bench');

SELECT orchestration.deploy_orchestration(
           public.bench_definition(d.action, d.type, d.stages, d.steps), d.name),
       orchestration.activate_orchestration(d.name)
FROM (VALUES ('Background', 'nothing', 'stepBackground', 3, 2),
             ('Worker', 'remote', 'stepBackground', 3, 2),
             ('People', 'form', 'stepInteractive', 1, 1))
     AS d (name, action, type, stages, steps);

-- ------------------------------------------------------------- the floor

-- Copies of the tables of runs in a schema of their own, without triggers.
CREATE PROCEDURE public.bench_clone(target name) LANGUAGE plpgsql AS $$
DECLARE
    t regclass;
    c record;
BEGIN
    EXECUTE format('CREATE SCHEMA %I', target);
    EXECUTE format('CREATE SEQUENCE %I.run_name_seq', target);
    EXECUTE format('CREATE SEQUENCE %I.run_log_number_seq CACHE 32', target);
    FOREACH t IN ARRAY ARRAY['orchestration.run', 'orchestration.stage_run',
        'orchestration.step_run', 'orchestration.run_log']::regclass[]
    LOOP
        EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL) %s', target,
            (SELECT relname FROM pg_class WHERE oid = t), t,
            (SELECT 'WITH (' || array_to_string(reloptions, ', ') || ')'
               FROM pg_class WHERE oid = t AND reloptions IS NOT NULL));
        FOR c IN SELECT conname, pg_get_constraintdef(oid) AS def
                   FROM pg_constraint WHERE conrelid = t AND contype = 'f'
        LOOP
            EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s',
                replace(t::text, 'orchestration.', target || '.'), c.conname,
                replace(c.def, 'REFERENCES orchestration.', 'REFERENCES ' || target || '.'));
        END LOOP;
    END LOOP;
    EXECUTE format($q$ALTER TABLE %1$I.run ALTER name SET DEFAULT
                   'OR-' || lpad(nextval('%1$I.run_name_seq')::text, 8, '0')$q$, target);
    EXECUTE format('ALTER TABLE %1$I.run_log ALTER number SET DEFAULT '
                   'nextval(''%1$I.run_log_number_seq'')', target);
END
$$;
CALL public.bench_clone('hand');

CREATE FUNCTION hand.start_run(version uuid) RETURNS uuid
    LANGUAGE plpgsql AS $$
DECLARE
    r        uuid := orchestration.new_id();
    stage    uuid;
    step     uuid[];
    stages   uuid[];
    steps    uuid[];
    out      jsonb;
BEGIN
    INSERT INTO hand.run (id, status, version_id, orchestration_name,
                          orchestration_label, created_at)
    VALUES (r, 'InProgress', version, 'Background', 'Bench', statement_timestamp());
    FOR g IN 1 .. 3 LOOP
        stage := orchestration.new_id();
        step := ARRAY[orchestration.new_id(), orchestration.new_id()];
        stages := stages || stage;
        steps := steps || step;
        INSERT INTO hand.stage_run (run_id, id, name, label, position, status)
        VALUES (r, stage, 'Stage_' || g, 'Stage ' || g, g, 'InProgress');
        INSERT INTO hand.step_run (run_id, id, stage_run_id, name, label,
                                   step_type, status, attempt, started_at)
        VALUES (r, step[1], stage, 'Step_' || g || '_1', 'Step ' || g || '.1',
                'BackgroundStep', 'InProgress', 1, clock_timestamp()),
               (r, step[2], stage, 'Step_' || g || '_2', 'Step ' || g || '.2',
                'BackgroundStep', 'InProgress', 1, clock_timestamp());
        FOR s IN 1 .. 2 LOOP
            out := public.nothing('{}');
            UPDATE hand.step_run
               SET status = 'Completed', outputs = out, modified_at = now(),
                   ended_at = clock_timestamp()
             WHERE run_id = r AND id = step[s];
        END LOOP;
        UPDATE hand.stage_run
           SET status = 'Completed', modified_at = now(), ended_at = clock_timestamp()
         WHERE run_id = r AND id = stage;
    END LOOP;
    UPDATE hand.run
       SET status = 'Completed', modified_at = now(), ended_at = clock_timestamp()
     WHERE id = r;
    INSERT INTO hand.run_log (run_id, kind, duration, stage_run_id, step_run_id)
    VALUES (r, 'StartInstance', NULL, NULL, NULL),
           (r, 'StartStage', NULL, stages[1], NULL),
           (r, 'StartStep', NULL, NULL, steps[1]),
           (r, 'StartStep', NULL, NULL, steps[2]),
           (r, 'EndStep', 0, NULL, steps[1]),
           (r, 'EndStep', 0, NULL, steps[2]),
           (r, 'EndStage', 0, stages[1], NULL),
           (r, 'StartStage', NULL, stages[2], NULL),
           (r, 'StartStep', NULL, NULL, steps[3]),
           (r, 'StartStep', NULL, NULL, steps[4]),
           (r, 'EndStep', 0, NULL, steps[3]),
           (r, 'EndStep', 0, NULL, steps[4]),
           (r, 'EndStage', 0, stages[2], NULL),
           (r, 'StartStage', NULL, stages[3], NULL),
           (r, 'StartStep', NULL, NULL, steps[5]),
           (r, 'StartStep', NULL, NULL, steps[6]),
           (r, 'EndStep', 0, NULL, steps[5]),
           (r, 'EndStep', 0, NULL, steps[6]),
           (r, 'EndStage', 0, stages[3], NULL),
           (r, 'EndInstance', 0, NULL, NULL);
    RETURN r;
END
$$;
