-- queue_setup.sql: the data of bench/queue.sh, in a fresh database with the
-- extension.
--
-- "floor" is a typical hand-written solution: run, stage, step and ready tables, a claim with
-- SKIP LOCKED, a completion that opens the next stage.  It makes the same row changes for the same
-- runs (3 stages x 2 asynchronous steps), set-based, but has no log, history, retries, lost leases,
-- sharing or definitions; ids are numbers.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT orchestration.register_action('bench', 'worker');
SELECT orchestration.deploy_orchestration(jsonb_build_object('label', 'Bench', 'processType', 'Orchestrator',
           'start', '{"connector": {"targetReference": "S1"}}'::jsonb,
           'orchestratedStages', jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', 'S' || g, 'label', 'Stage ' || g,
               'connector', CASE WHEN g < 3 THEN jsonb_build_object('targetReference', 'S' || g + 1) END,
               'stageSteps', (SELECT jsonb_agg(jsonb_build_object('name', 'T' || g || t, 'label', 'Step ' || t, 'actionName', 'bench',
                   'actionType', 'stepBackground', 'requiresAsyncProcessing', true,
                   'inputParameters', jsonb_build_array(jsonb_build_object('name', 'n', 'value', jsonb_build_object('numberValue', t)))))
                   FROM generate_series(1, 2) t))))), 'Bench')
  FROM generate_series(1, 3) g;
SELECT orchestration.activate_orchestration('Bench');

-- waiting: an interactive step of one user
SELECT orchestration.register_action('form', 'screen');
SELECT orchestration.create_user('bench@example.com', 'Bench');
SELECT orchestration.deploy_orchestration('{"label": "Waits", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionName": "form", "actionType": "stepInteractive",
        "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "bench@example.com"}}]}]}]}'::jsonb, 'Waits'),
    orchestration.activate_orchestration('Waits');

-- records that start runs
CREATE TABLE demand (id bigint PRIMARY KEY, amount numeric);
CREATE TABLE plain_demand (LIKE demand INCLUDING ALL);
SELECT orchestration.register_record_type('Demand', 'demand');
SELECT orchestration.deploy_orchestration(jsonb_set(v.document, '{start}',
           '{"connector": {"targetReference": "S1"}, "object": "Demand", "recordTriggerType": "Create", "triggerType": "RecordAfterSave"}'), 'Bench_Record'),
       orchestration.activate_orchestration('Bench_Record')
  FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id AND d.name = 'Bench';

-- --------------------------------------------------------------- the workers
-- raises an error when all runs have ended, which ends a client of pgbench
CREATE FUNCTION public.rest(floor boolean) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    IF floor AND EXISTS (SELECT FROM floor.run WHERE status = 'InProgress')
       OR NOT floor AND EXISTS (SELECT FROM orchestration.run WHERE status = 'InProgress') THEN
        PERFORM pg_sleep(0.001);
        RETURN 0;
    END IF;
    RAISE 'done';
END$$;

-- ----------------------------------------------------------------- the floor
CREATE SCHEMA floor;
CREATE TYPE floor.status AS ENUM ('InProgress', 'Completed');
CREATE TABLE floor.run (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
    status floor.status NOT NULL, current_stage text, created_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz) WITH (fillfactor = 85);
CREATE TABLE floor.stage (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id bigint NOT NULL REFERENCES floor.run,
    number integer NOT NULL, name text NOT NULL, status floor.status NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz) WITH (fillfactor = 85);
CREATE TABLE floor.step (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id bigint NOT NULL REFERENCES floor.run,
    stage_id bigint NOT NULL REFERENCES floor.stage, name text NOT NULL, status floor.status NOT NULL, inputs jsonb, outputs jsonb,
    created_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz) WITH (fillfactor = 85);
CREATE INDEX ON floor.stage (run_id);
CREATE INDEX ON floor.step (run_id);
CREATE INDEX ON floor.step (stage_id);
CREATE TABLE floor.ready (step_id bigint PRIMARY KEY REFERENCES floor.step, available_at timestamptz NOT NULL, lease_id uuid, worker text) WITH (fillfactor = 70);
CREATE INDEX ON floor.ready (available_at);

CREATE FUNCTION floor.open_stages(runs bigint[], numbers integer[]) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    WITH s AS (INSERT INTO floor.stage (run_id, number, name, status)
               SELECT r, n, 'S' || n, 'InProgress' FROM unnest(runs, numbers) x (r, n) RETURNING id, run_id),
         t AS (INSERT INTO floor.step (run_id, stage_id, name, status, inputs)
               SELECT run_id, id, 'T' || n, 'InProgress', jsonb_build_object('n', n) FROM s, generate_series(1, 2) n RETURNING id)
    INSERT INTO floor.ready (step_id, available_at) SELECT id, clock_timestamp() FROM t;
END$$;
CREATE FUNCTION floor.start(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    runs bigint[];
BEGIN
    WITH r AS (INSERT INTO floor.run (name, status, current_stage) SELECT 'R', 'InProgress', 'S1' FROM generate_series(1, n) RETURNING id)
    SELECT array_agg(id) INTO runs FROM r;
    PERFORM floor.open_stages(runs, array_fill(1, ARRAY[n]));
END$$;
CREATE FUNCTION floor.claim(worker text, n integer) RETURNS TABLE (step_id bigint, lease_id uuid, name text, inputs jsonb) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH c AS (SELECT r.step_id FROM floor.ready r WHERE r.available_at <= clock_timestamp() ORDER BY r.available_at LIMIT n FOR UPDATE SKIP LOCKED),
         u AS (UPDATE floor.ready r SET lease_id = gen_random_uuid(), worker = claim.worker, available_at = clock_timestamp() + interval '5 minutes'
                WHERE r.step_id = ANY (ARRAY(SELECT step_id FROM c)) RETURNING r.step_id, r.lease_id)
    SELECT u.step_id, u.lease_id, (SELECT s.name FROM floor.step s WHERE s.id = u.step_id), (SELECT s.inputs FROM floor.step s WHERE s.id = u.step_id) FROM u;
END$$;
CREATE FUNCTION floor.complete(results jsonb) RETURNS TABLE (step_id bigint, accepted boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ids bigint[] := ARRAY(SELECT (x->>'step_id')::bigint FROM jsonb_array_elements(results) x);
    leases uuid[] := ARRAY(SELECT (x->>'lease_id')::uuid FROM jsonb_array_elements(results) x);
    given jsonb[] := ARRAY(SELECT x->'outputs' FROM jsonb_array_elements(results) x);
    done bigint[];
    runs bigint[];
    stages bigint[];
    numbers integer[];
BEGIN
    SELECT array_agg(DISTINCT run_id), array_agg(DISTINCT stage_id) INTO runs, stages FROM floor.step WHERE id = ANY (ids);
    PERFORM FROM floor.run WHERE id = ANY (runs) ORDER BY id FOR NO KEY UPDATE;
    WITH d AS (DELETE FROM floor.ready r WHERE r.step_id = ANY (ids) AND r.lease_id = leases[array_position(ids, r.step_id)] RETURNING r.step_id)
    SELECT array_agg(step_id) INTO done FROM d;
    UPDATE floor.step s SET status = 'Completed', outputs = given[array_position(ids, s.id)], ended_at = now() WHERE s.id = ANY (done);
    WITH u AS (UPDATE floor.stage g SET status = 'Completed', ended_at = now() WHERE g.id = ANY (stages) AND g.status = 'InProgress'
                 AND NOT EXISTS (SELECT FROM floor.step t WHERE t.stage_id = g.id AND t.status = 'InProgress') RETURNING g.run_id, g.number)
    SELECT array_agg(run_id), array_agg(number) INTO runs, numbers FROM u;
    IF runs IS NOT NULL THEN
        UPDATE floor.run r SET status = 'Completed', current_stage = NULL, ended_at = now()
         WHERE r.id = ANY (runs) AND numbers[array_position(runs, r.id)] = 3;
        UPDATE floor.run r SET current_stage = 'S' || numbers[array_position(runs, r.id)] + 1
         WHERE r.id = ANY (runs) AND numbers[array_position(runs, r.id)] < 3;
        PERFORM floor.open_stages(array_agg(r), array_agg(n + 1)) FROM unnest(runs, numbers) x (r, n) WHERE n < 3;
    END IF;
    RETURN QUERY SELECT i, i = ANY (done) FROM unnest(ids) i;
END$$;
