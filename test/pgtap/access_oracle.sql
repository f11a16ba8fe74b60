-- access_oracle: random sharing configurations.  The records that each user sees and may
-- change, against an oracle in plain SQL over the tables that uses no function of the extension.
--
-- Each configuration is a few random changes away from the one before.  Seed and
-- number: -v seed=0.42 -v configurations=2000.

\set QUIET 1
\if :{?seed}
\else
    \set seed 0.42
\endif
\if :{?configurations}
\else
    \set configurations 2000
\endif
BEGIN;
SET search_path = public, pg_catalog;
SET LOCAL jit = off;
SELECT plan(9);
SELECT setseed(:seed);

CREATE ROLE regress_oracle_gateway;
CREATE ROLE regress_oracle_mapped;
GRANT SET ON PARAMETER orchestration.user_id TO regress_oracle_gateway;
INSERT INTO orchestration.principal (kind, username, name, role_name)
SELECT 'User', 'oracle-u' || i, 'U' || i, CASE WHEN i = 1 THEN 'regress_oracle_mapped' END FROM generate_series(1, 7) i;
INSERT INTO orchestration.principal (kind, developer_name, name)
SELECT kind::orchestration.principal_kind, 'oracle_' || lower(kind) || i, kind || i FROM (VALUES ('Group', 6), ('Queue', 2)) k (kind, n), generate_series(1, n) i;
INSERT INTO orchestration.orchestration_definition (name) VALUES ('Oracle_A'), ('Oracle_B');
CREATE TEMP TABLE u AS SELECT id, row_number() OVER (ORDER BY name) AS n FROM orchestration.principal WHERE username LIKE 'oracle-u%';
CREATE TEMP TABLE g AS SELECT id, kind, row_number() OVER (ORDER BY kind, name) AS n FROM orchestration.principal WHERE developer_name LIKE 'oracle\__%';
CREATE TEMP TABLE o AS SELECT id, row_number() OVER (ORDER BY name) AS n FROM orchestration.orchestration_definition WHERE name LIKE 'Oracle%';
INSERT INTO orchestration.run (name, status, orchestration_id) SELECT 'oracle-' || i, 'InProgress', (SELECT id FROM o WHERE n = i % 3) FROM generate_series(1, 6) i;
INSERT INTO orchestration.stage_run (run_id, name, label, position, status) SELECT id, 'S', 'S', 1, 'InProgress' FROM orchestration.run WHERE name LIKE 'oracle-%';
INSERT INTO orchestration.step_run (run_id, stage_run_id, name, label, step_type, status) SELECT s.run_id, s.id, 'I', 'I', 'InteractiveStep', 'InProgress' FROM orchestration.stage_run s JOIN orchestration.run r ON r.id = s.run_id AND r.name LIKE 'oracle-%';
INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id) SELECT t.run_id, t.id, 'Assigned', (SELECT id FROM u WHERE n = 1) FROM orchestration.step_run t JOIN orchestration.run r ON r.id = t.run_id AND r.name LIKE 'oracle-%';
INSERT INTO orchestration.run_log (run_id, kind) SELECT id, 'StartInstance' FROM orchestration.run WHERE name LIKE 'oracle-%';

CREATE TEMP VIEW rec AS
SELECT 'FlowOrchestrationInstance' AS object, id, id AS run_id, owner_id, orchestration_id, NULL::uuid AS assignee_id FROM orchestration.run WHERE name LIKE 'oracle-%'
UNION ALL SELECT 'FlowOrchestrationStageInstance', s.id, s.run_id, s.owner_id, s.orchestration_id, NULL FROM orchestration.stage_run s JOIN orchestration.run r ON r.id = s.run_id WHERE r.name LIKE 'oracle-%'
UNION ALL SELECT 'FlowOrchestrationStepInstance', s.id, s.run_id, s.owner_id, s.orchestration_id, NULL FROM orchestration.step_run s JOIN orchestration.run r ON r.id = s.run_id WHERE r.name LIKE 'oracle-%'
UNION ALL SELECT 'FlowOrchestrationWorkItem', s.id, s.run_id, s.owner_id, s.orchestration_id, s.assignee_id FROM orchestration.work_item s JOIN orchestration.run r ON r.id = s.run_id WHERE r.name LIKE 'oracle-%';

-- the oracle: 0 none, 1 Read, 2 Edit, 3 All, for every active user and record
CREATE FUNCTION pg_temp.oracle(OUT user_id uuid, OUT object text, OUT record_id uuid, OUT level integer) RETURNS SETOF record LANGUAGE sql AS $$
    WITH RECURSIVE inside (g, m) AS (
        SELECT group_id, member_id FROM orchestration.membership
        UNION
        SELECT i.g, x.member_id FROM inside i JOIN orchestration.membership x ON x.group_id = i.m),
    covers (p, u) AS (SELECT id, id FROM u UNION SELECT g, m FROM inside)
    SELECT p.id, r.object, r.id, GREATEST(
        CASE WHEN p.modify_all_data THEN 3 WHEN p.view_all_data THEN 1 ELSE 0 END,
        CASE WHEN p.id = r.owner_id THEN 3 ELSE 0 END,
        (SELECT CASE d.sharing_model WHEN 'Read' THEN 1 WHEN 'ReadWrite' THEN 2 END FROM orchestration.default_access d WHERE d.object::text = r.object),
        (SELECT max(CASE s.access_level WHEN 'Read' THEN 1 ELSE 2 END) FROM orchestration.owner_sharing_rule s
          WHERE s.object::text = r.object AND (s.user_or_group_id, p.id) IN (SELECT c.p, c.u FROM covers c)
            AND (s.orchestration_id = r.orchestration_id OR (s.group_id, r.owner_id) IN (SELECT i.g, i.m FROM inside i))),
        (SELECT max(CASE g.access_level WHEN 'Read' THEN 1 ELSE 2 END) FROM orchestration.share_grant g
          WHERE g.record_id = r.id AND (g.user_or_group_id, p.id) IN (SELECT c.p, c.u FROM covers c)),
        CASE WHEN (r.assignee_id, p.id) IN (SELECT c.p, c.u FROM covers c) THEN 1 END)
      FROM orchestration.principal p CROSS JOIN rec r
     WHERE p.id IN (SELECT id FROM u) AND p.is_active
$$;

CREATE TEMP TABLE seen (user_id uuid, object text, record_id uuid, level integer);
CREATE TEMP TABLE difference (configuration integer, user_id uuid, object text, record_id uuid, expected integer, got integer);
CREATE TEMP TABLE other_difference (configuration integer, what text);
CREATE TEMP TABLE total (configurations integer DEFAULT 0, cells bigint DEFAULT 0, visible bigint DEFAULT 0, moves bigint DEFAULT 0);
INSERT INTO total DEFAULT VALUES;
CREATE TEMP TABLE rec_id AS SELECT id FROM rec;
GRANT ALL ON seen, other_difference, rec_id TO PUBLIC;

CREATE FUNCTION pg_temp.any_user() RETURNS uuid LANGUAGE sql VOLATILE AS $$ SELECT id FROM u ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION pg_temp.any_group() RETURNS uuid LANGUAGE sql VOLATILE AS $$ SELECT id FROM g ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION pg_temp.any_principal() RETURNS uuid LANGUAGE sql VOLATILE AS $$ SELECT id FROM (SELECT id FROM u UNION ALL SELECT id FROM g) x ORDER BY random() LIMIT 1 $$;

CREATE FUNCTION pg_temp.change() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    dice integer := floor(random() * 14);
    r record;
    a uuid := pg_temp.any_group();
    b uuid;
    object orchestration.shared_object := (enum_range(NULL::orchestration.shared_object))[1 + floor(random() * 4)];
    level orchestration.access_level := CASE WHEN random() < 0.5 THEN 'Read' ELSE 'Edit' END;
BEGIN
    SELECT * INTO r FROM rec ORDER BY random() LIMIT 1;
    IF dice <= 2 THEN           -- memberships, at most three levels of groups
        IF random() < 0.3 THEN
            SELECT x.id INTO b FROM g x, g y WHERE y.id = a AND x.kind = 'Group' AND x.n > y.n ORDER BY random() LIMIT 1;
        ELSE
            b := pg_temp.any_user();
        END IF;
        DELETE FROM orchestration.membership WHERE group_id = a AND member_id = b;
        IF NOT FOUND AND b IS NOT NULL THEN
            INSERT INTO orchestration.membership (group_id, member_id) VALUES (a, b);
        END IF;
    ELSIF dice <= 5 THEN        -- rules
        IF random() < 0.45 THEN
            DELETE FROM orchestration.owner_sharing_rule WHERE id = (SELECT id FROM orchestration.owner_sharing_rule ORDER BY random() LIMIT 1);
        ELSE
            INSERT INTO orchestration.owner_sharing_rule (object, access_level, user_or_group_id, group_id, orchestration_id, name)
            SELECT object, level, pg_temp.any_principal(), CASE WHEN n > 0 THEN a END, CASE WHEN n = 0 THEN (SELECT id FROM o ORDER BY random() LIMIT 1) END, 'r'
              FROM floor(random() * 3) n
            ON CONFLICT ON CONSTRAINT owner_sharing_rule_source_key DO UPDATE SET access_level = EXCLUDED.access_level;
        END IF;
    ELSIF dice <= 8 THEN        -- manual shares
        IF random() < 0.45 THEN
            DELETE FROM orchestration.share_grant WHERE id = (SELECT id FROM orchestration.share_grant ORDER BY random() LIMIT 1);
        ELSE
            INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
            VALUES (r.run_id, r.object::orchestration.shared_object, r.id, pg_temp.any_principal(), level)
            ON CONFLICT (run_id, record_id, user_or_group_id) DO UPDATE SET access_level = EXCLUDED.access_level;
        END IF;
    ELSIF dice = 9 THEN         -- owners; their manual shares are deleted
        b := CASE WHEN random() < 0.3 THEN '00000000-0000-7000-8000-000000000001' ELSE (SELECT p.id FROM orchestration.principal p JOIN u USING (id) WHERE p.is_active ORDER BY random() LIMIT 1) END;
        EXECUTE format('UPDATE orchestration.%I SET owner_id = COALESCE($1, owner_id) WHERE id = $2', CASE r.object WHEN 'FlowOrchestrationInstance' THEN 'run' WHEN 'FlowOrchestrationStageInstance' THEN 'stage_run' WHEN 'FlowOrchestrationStepInstance' THEN 'step_run' ELSE 'work_item' END) USING b, r.id;
    ELSIF dice = 10 THEN        -- assignees
        UPDATE orchestration.work_item SET assignee_id = (SELECT p.id FROM orchestration.principal p WHERE p.is_active AND p.id IN (SELECT id FROM u UNION ALL SELECT id FROM g) ORDER BY random() LIMIT 1) WHERE id = r.id;
    ELSIF dice = 11 THEN        -- defaults, mostly Private
        INSERT INTO orchestration.default_access VALUES (object, (ARRAY['Private', 'Private', 'Private', 'Read', 'ReadWrite'])[1 + floor(random() * 5)]::orchestration.sharing_model)
        ON CONFLICT ON CONSTRAINT default_access_pkey DO UPDATE SET sharing_model = EXCLUDED.sharing_model;
    ELSIF dice = 12 THEN        -- permissions, mostly none
        UPDATE orchestration.principal SET view_all_data = random() < 0.15, modify_all_data = random() < 0.1, manage_runs = random() < 0.2 WHERE id = pg_temp.any_user();
    ELSE                        -- activity, mostly active
        UPDATE orchestration.principal SET is_active = random() < 0.75 WHERE id = pg_temp.any_user();
    END IF;
END $$;

-- the records that a user sees by row security, and their levels by user_record_access()
CREATE FUNCTION pg_temp.look(who uuid, active boolean, i integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE mapped boolean := active AND who = (SELECT id FROM u WHERE n = 1) AND i % 2 = 0;
BEGIN
    PERFORM set_config('orchestration.user_id', CASE WHEN mapped THEN '' ELSE who::text END, true);
    PERFORM set_config('role', CASE WHEN mapped THEN 'regress_oracle_mapped' ELSE 'regress_oracle_gateway' END, true);
    INSERT INTO seen SELECT who, 'FlowOrchestrationInstance', id FROM orchestration.flow_orchestration_instance;
    INSERT INTO seen SELECT who, 'FlowOrchestrationStageInstance', id FROM orchestration.flow_orchestration_stage_instance;
    INSERT INTO seen SELECT who, 'FlowOrchestrationStepInstance', id FROM orchestration.step_run;
    INSERT INTO seen SELECT who, 'FlowOrchestrationWorkItem', id FROM orchestration.work_item;
    IF active THEN
        UPDATE seen s SET level = position(a.max_access_level IN 'NoneReadEditAll') / 4
          FROM orchestration.user_record_access((SELECT array_agg(id) FROM rec_id)) a
         WHERE s.user_id = who AND s.record_id = a.record_id;
        IF (SELECT count(*) FROM orchestration.user_record_access((SELECT array_agg(id) FROM rec_id))) <> (SELECT count(*) FROM seen WHERE user_id = who) THEN
            INSERT INTO other_difference VALUES (i, 'user_record_access() of a hidden record');
        END IF;
    END IF;
    -- logs and shares follow their records
    IF (SELECT count(DISTINCT run_id) FROM orchestration.run_log) <> (SELECT count(*) FROM orchestration.run)
       OR (SELECT count(DISTINCT orchestration_instance_id) FROM orchestration.flow_orchestration_log) <> (SELECT count(*) FROM orchestration.run) THEN
        INSERT INTO other_difference VALUES (i, 'log');
    END IF;
    IF EXISTS (SELECT FROM orchestration.share_grant g WHERE NOT EXISTS (SELECT FROM seen s WHERE s.user_id = who AND s.record_id = g.record_id)) THEN
        INSERT INTO other_difference VALUES (i, 'manual share of a hidden record');
    END IF;
    IF i % 20 = 0 AND ((SELECT array_agg(DISTINCT parent_id ORDER BY parent_id) FROM orchestration.flow_orchestration_instance_share)
                       IS DISTINCT FROM (SELECT array_agg(id ORDER BY id) FROM orchestration.run)) THEN
        INSERT INTO other_difference VALUES (i, 'shares');
    END IF;
    PERFORM set_config('role', 'none', true);
    PERFORM set_config('orchestration.user_id', '', true);
END $$;

-- one change by the user in each configuration, against the level and the permission
CREATE FUNCTION pg_temp.move(i integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    who record; run record; expected text; got text; n bigint;
BEGIN
    SELECT p.* INTO who FROM orchestration.principal p JOIN u USING (id) ORDER BY random() LIMIT 1;
    SELECT * INTO run FROM orchestration.run WHERE name LIKE 'oracle-%' ORDER BY random() LIMIT 1;
    SELECT CASE WHEN NOT who.is_active OR c.level = 0 THEN '0 rows' WHEN c.level >= 2 OR who.manage_runs OR who.modify_all_data THEN '1 rows' ELSE '42501' END
      INTO expected FROM (SELECT COALESCE((SELECT level FROM pg_temp.oracle() x WHERE x.user_id = who.id AND x.record_id = run.id), 0) AS level) c;
    BEGIN
        PERFORM set_config('orchestration.user_id', who.id::text, true);
        PERFORM set_config('role', 'regress_oracle_gateway', true);
        UPDATE orchestration.flow_orchestration_instance SET status = CASE WHEN run.status = 'InProgress' THEN 'Suspended' ELSE 'InProgress' END::orchestration.run_status WHERE id = run.id;
        GET DIAGNOSTICS n = ROW_COUNT;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = n || ' rows';
    EXCEPTION WHEN OTHERS THEN
        got := CASE SQLSTATE WHEN 'ZZ000' THEN SQLERRM ELSE SQLSTATE END;
    END;
    UPDATE total SET moves = moves + 1;
    IF got IS DISTINCT FROM expected THEN
        INSERT INTO other_difference VALUES (i, format('move: expected %s, got %s', expected, got));
    END IF;
END $$;

ANALYZE u; ANALYZE g; ANALYZE rec_id; ANALYZE orchestration.run; ANALYZE orchestration.stage_run; ANALYZE orchestration.step_run; ANALYZE orchestration.work_item; ANALYZE orchestration.run_log;
SELECT set_config('test.configurations', :'configurations', true) \g /dev/null
DO $$
DECLARE
    i integer;
    who record;
BEGIN
    FOR i IN 1 .. current_setting('test.configurations')::integer LOOP
        PERFORM pg_temp.change() FROM generate_series(1, 1 + floor(random() * 4)::integer);
        TRUNCATE seen;
        FOR who IN SELECT p.id, p.is_active FROM orchestration.principal p JOIN u USING (id) LOOP
            PERFORM pg_temp.look(who.id, who.is_active, i);
        END LOOP;
        INSERT INTO difference
        SELECT i, COALESCE(e.user_id, s.user_id), COALESCE(e.object, s.object), COALESCE(e.record_id, s.record_id), e.level, s.level
          FROM (SELECT * FROM pg_temp.oracle() WHERE level > 0) e FULL JOIN seen s USING (user_id, object, record_id)
         WHERE e.level IS DISTINCT FROM s.level;
        UPDATE total SET configurations = configurations + 1, visible = visible + (SELECT count(*) FROM seen),
                         cells = cells + (SELECT count(*) FROM rec) * (SELECT count(*) FROM u);
        PERFORM pg_temp.move(i);
    END LOOP;
END $$;

SELECT is((SELECT configurations FROM total), :configurations, format('%s configurations, %s cells, %s of them visible, %s moves', configurations, cells, visible, moves)) FROM total;
SELECT ok(visible BETWEEN cells * 0.15 AND cells * 0.85, 'neither nearly all records nor nearly none are visible') FROM total;
SELECT is((SELECT moves FROM total), :configurations::bigint, 'a change in each configuration');
SELECT is_empty('SELECT * FROM difference WHERE expected IS NULL LIMIT 10', 'no record is visible that must be hidden');
SELECT is_empty('SELECT * FROM difference WHERE got IS NULL LIMIT 10', 'every record is visible that must be');
SELECT is_empty('SELECT * FROM difference WHERE expected <> got LIMIT 10', 'the levels are correct');
SELECT is_empty($$SELECT what, count(*) FROM other_difference WHERE what NOT LIKE 'move%' GROUP BY what$$, 'logs and shares follow their records');
SELECT is_empty($$SELECT what, count(*) FROM other_difference WHERE what LIKE 'move%' GROUP BY what$$, 'changes are allowed and refused as the levels say');
-- the log entries were inserted by the test
DELETE FROM orchestration.run_log;
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify()');
SELECT * FROM finish();
ROLLBACK;
