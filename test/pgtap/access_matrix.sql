-- access_matrix: every cause of access x level x object x operation, against the operations
-- that the level, the permission and the assignment allow.
--
-- Each case has a user of its own, and records that this user sees by this cause alone.  Each
-- cell is tried as that user and rolled back.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET LOCAL jit = off;
SELECT plan(6);
CREATE ROLE regress_matrix;
GRANT SET ON PARAMETER orchestration.user_id TO regress_matrix;

-- cause, how the user is reached, level; and permissions
CREATE TEMP TABLE cases AS
SELECT cause || COALESCE(' to ' || target, '') || COALESCE(' ' || level, '') || COALESCE(', ' || permission, '') AS name, cause, target, level, permission,
       row_number() OVER () AS n, NULL::uuid AS user_id, NULL::uuid AS owner_id, NULL::uuid AS run, NULL::uuid AS stage, NULL::uuid AS step, NULL::uuid AS item, NULL::uuid AS source, NULL::uuid AS grantee, NULL::uuid AS orchestration
  FROM (SELECT c.cause, t.target, l.level, NULL AS permission
          FROM unnest('{rule,orchestration rule,manual}'::text[]) c (cause), unnest('{user,group,nested group,queue}'::text[]) t (target), unnest('{Read,Edit}'::text[]) l (level)
        UNION ALL SELECT 'assignee', t, NULL, NULL FROM unnest('{user,group,nested group,queue}'::text[]) t
        UNION ALL SELECT c, NULL, NULL, p FROM unnest('{none,owner}'::text[]) c, unnest('{NULL,view_all_data,modify_all_data,manage_runs,reassign_work_items,manage_definitions}'::text[]) p
        UNION ALL SELECT 'manual', 'user', l, p FROM unnest('{Read,Edit}'::text[]) l, unnest('{manage_runs,reassign_work_items}'::text[]) p
        UNION ALL SELECT 'inactive ' || c, 'user', 'Edit', NULL FROM unnest('{rule,manual,owner,assignee}'::text[]) c) x;
CREATE TEMP TABLE operation (name text PRIMARY KEY, object text, statement text, needs text);
INSERT INTO operation VALUES
    ('view', 'run', 'SELECT 1 FROM orchestration.flow_orchestration_instance WHERE id = %1$L', 'Read'), ('table', 'run', 'SELECT 1 FROM orchestration.run WHERE id = %1$L', 'Read'),
    ('log', 'run', 'SELECT 1 FROM orchestration.flow_orchestration_log WHERE orchestration_instance_id = %1$L', 'Read'), ('shares', 'run', 'SELECT 1 FROM orchestration.flow_orchestration_instance_share WHERE parent_id = %1$L', 'Read'),
    ('FOR UPDATE', 'run', 'SELECT 1 FROM orchestration.run WHERE id = %1$L FOR UPDATE', 'Read'),
    ('status', 'run', 'UPDATE orchestration.run SET status = ''Suspended'' WHERE id = %1$L', 'move'), ('status by view', 'run', 'UPDATE orchestration.flow_orchestration_instance SET status = ''Canceled'' WHERE id = %1$L', 'move'),
    ('field', 'run', 'UPDATE orchestration.flow_orchestration_instance SET interview_id = id WHERE id = %1$L', 'Edit'), ('field and status', 'run', 'UPDATE orchestration.run SET interview_id = id, status = ''Suspended'' WHERE id = %1$L', 'Edit'),
    ('suspend_run', 'run', 'SELECT orchestration.suspend_run(%1$L)', 'move'), ('resume_run', 'run', 'SELECT orchestration.resume_run(%1$L)', 'move'), ('cancel_run', 'run', 'SELECT orchestration.cancel_run(%1$L)', 'move'),
    ('share_record run', 'run', 'SELECT orchestration.share_record(%1$L, %2$L)', 'All'), ('share through the view', 'run', 'INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level) VALUES (%1$L, %2$L, ''Edit'')', 'All'),
    ('unshare_record', 'run', 'SELECT orchestration.unshare_record(%1$L, %2$L)', 'All'), ('explain_access', 'run', 'SELECT count(*) FROM orchestration.explain_access(%1$L, %2$L)', 'All'),
    ('stage view', 'stage', 'SELECT 1 FROM orchestration.flow_orchestration_stage_instance WHERE id = %1$L', 'Read'), ('stage table', 'stage', 'SELECT 1 FROM orchestration.stage_run WHERE id = %1$L', 'Read'),
    ('stage shares', 'stage', 'SELECT 1 FROM orchestration.flow_orchestration_stage_instance_share WHERE parent_id = %1$L', 'Read'), ('stage owner', 'stage', 'UPDATE orchestration.stage_run SET owner_id = %2$L', 'All'),
    ('share_record stage', 'stage', 'SELECT orchestration.share_record(%1$L, %2$L)', 'All'), ('share stage through the view', 'stage', 'INSERT INTO orchestration.flow_orchestration_stage_instance_share (parent_id, user_or_group_id, access_level) VALUES (%1$L, %2$L, ''Read'')', 'All'),
    ('step view', 'step', 'SELECT 1 FROM orchestration.flow_orchestration_step_instance WHERE id = %1$L', 'Read'), ('step table', 'step', 'SELECT 1 FROM orchestration.step_run WHERE id = %1$L', 'Read'),
    ('step shares', 'step', 'SELECT 1 FROM orchestration.flow_orchestration_step_instance_share WHERE parent_id = %1$L', 'Read'), ('step owner', 'step', 'UPDATE orchestration.flow_orchestration_step_instance SET owner_id = %2$L', 'All'),
    ('share_record step', 'step', 'SELECT orchestration.share_record(%1$L, %2$L)', 'All'), ('explain_access step', 'step', 'SELECT count(*) FROM orchestration.explain_access(%1$L, %2$L)', 'All'),
    ('item view', 'item', 'SELECT 1 FROM orchestration.flow_orchestration_work_item WHERE id = %1$L', 'Read'), ('item table', 'item', 'SELECT 1 FROM orchestration.work_item WHERE id = %1$L', 'Read'),
    ('item owner', 'item', 'UPDATE orchestration.work_item SET owner_id = %2$L', 'All'), ('item assignee', 'item', 'UPDATE orchestration.flow_orchestration_work_item SET assignee_id = %4$L', 'reassign'),
    ('reassign_work_item', 'item', 'SELECT orchestration.reassign_work_item(%1$L, %4$L)', 'reassign'), ('complete_work_item', 'item', 'SELECT orchestration.complete_work_item(%1$L)', 'work'), ('fail_work_item', 'item', 'SELECT orchestration.fail_work_item(%1$L, ''x'')', 'work'),
    ('share_record item', 'item', 'SELECT orchestration.share_record(%1$L, %2$L)', 'All'),
    ('create_owner_sharing_rule', '', 'SELECT orchestration.create_owner_sharing_rule(''FlowOrchestrationStepInstance'', %3$L, %2$L)', 'modify_all_data'), ('delete_sharing_rule', '', 'SELECT orchestration.delete_sharing_rule(%2$L)', 'modify_all_data'),
    ('set_default_access', '', 'SELECT orchestration.set_default_access(''FlowOrchestrationInstance'', ''Private'')', 'modify_all_data'), ('rules', '', 'SELECT 1 FROM orchestration.flow_orchestration_instance_owner_sharing_rule LIMIT 1', 'see sharing'),
    ('deploy_orchestration', '', 'SELECT orchestration.deploy_orchestration(''{}''::jsonb)', 'manage_definitions'), ('activate_orchestration', '', 'SELECT orchestration.activate_orchestration(''Nothing'')', 'manage_definitions');

DO $$
DECLARE
    c record; object text; target uuid; inner_group uuid; stranger uuid; orchestration uuid;
BEGIN
    INSERT INTO orchestration.principal (kind, username, name) VALUES ('User', 'matrix-stranger', 'Stranger') RETURNING id INTO stranger;
    FOR c IN SELECT * FROM cases ORDER BY n LOOP
        INSERT INTO orchestration.principal (kind, username, name, view_all_data, modify_all_data, manage_runs, reassign_work_items, manage_definitions)
        SELECT 'User', 'matrix-' || c.n, c.name, p = 'view_all_data', p = 'modify_all_data', p = 'manage_runs', p = 'reassign_work_items', p = 'manage_definitions' FROM COALESCE(c.permission, '') p RETURNING id INTO c.user_id;
        INSERT INTO orchestration.principal (kind, username, name) VALUES ('User', 'matrix-owner-' || c.n, 'Owner ' || c.n) RETURNING id INTO c.owner_id;
        IF c.cause ~ 'owner' THEN c.owner_id := c.user_id; END IF;
        INSERT INTO orchestration.principal (kind, developer_name, name) VALUES ('Group', 'Matrix_S' || c.n, 'Source ' || c.n) RETURNING id INTO c.source;
        INSERT INTO orchestration.membership (group_id, member_id) VALUES (c.source, c.owner_id);
        -- the user, and the group that gets the access
        c.grantee := c.user_id;
        IF c.target <> 'user' THEN
            INSERT INTO orchestration.principal (kind, developer_name, name) VALUES (CASE c.target WHEN 'queue' THEN 'Queue' ELSE 'Group' END::orchestration.principal_kind, 'Matrix_T' || c.n, 'Target ' || c.n) RETURNING id INTO c.grantee;
            IF c.target = 'nested group' THEN
                INSERT INTO orchestration.principal (kind, developer_name, name) VALUES ('Group', 'Matrix_N' || c.n, 'Nested ' || c.n) RETURNING id INTO inner_group;
                INSERT INTO orchestration.membership (group_id, member_id) VALUES (c.grantee, inner_group), (inner_group, c.user_id);
            ELSE
                INSERT INTO orchestration.membership (group_id, member_id) VALUES (c.grantee, c.user_id);
            END IF;
        END IF;
        -- the records
        INSERT INTO orchestration.orchestration_definition (name) VALUES ('Matrix_' || c.n) RETURNING id INTO c.orchestration;
        INSERT INTO orchestration.run (owner_id, orchestration_id, status) VALUES (c.owner_id, c.orchestration, 'InProgress') RETURNING id INTO c.run;
        INSERT INTO orchestration.stage_run (run_id, owner_id, name, label, position, status) VALUES (c.run, c.owner_id, 'S', 'S', 1, 'InProgress') RETURNING id INTO c.stage;
        INSERT INTO orchestration.step_run (run_id, stage_run_id, owner_id, name, label, step_type, status) VALUES (c.run, c.stage, c.owner_id, 'I', 'I', 'InteractiveStep', 'InProgress') RETURNING id INTO c.step;
        INSERT INTO orchestration.work_item (run_id, step_run_id, owner_id, status, assignee_id) VALUES (c.run, c.step, c.owner_id, 'Assigned', CASE WHEN c.cause ~ 'assignee' THEN c.grantee ELSE stranger END) RETURNING id INTO c.item;
        INSERT INTO orchestration.run_log (run_id, kind) VALUES (c.run, 'StartInstance');
        -- the cause
        IF c.cause ~ 'rule' THEN
            INSERT INTO orchestration.owner_sharing_rule (object, access_level, user_or_group_id, group_id, orchestration_id, name)
            SELECT o, c.level::orchestration.access_level, c.grantee, CASE WHEN c.cause !~ 'orchestration' THEN c.source END, CASE WHEN c.cause ~ 'orchestration' THEN c.orchestration END, 'r'
              FROM unnest(enum_range(NULL::orchestration.shared_object)) o;
        ELSIF c.cause ~ 'manual' THEN
            INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
            SELECT c.run, o.object, o.id, c.grantee, c.level::orchestration.access_level
              FROM (VALUES ('FlowOrchestrationInstance'::orchestration.shared_object, c.run), ('FlowOrchestrationStageInstance', c.stage), ('FlowOrchestrationStepInstance', c.step), ('FlowOrchestrationWorkItem', c.item)) o (object, id);
        END IF;
        IF c.cause ~ 'inactive' THEN
            UPDATE orchestration.principal SET is_active = false WHERE id = c.user_id;
        END IF;
        UPDATE cases SET user_id = c.user_id, owner_id = c.owner_id, run = c.run, stage = c.stage, step = c.step, item = c.item, source = c.source WHERE n = c.n;
    END LOOP;
END $$;

-- the expected result: hidden, refused or allowed
CREATE FUNCTION pg_temp.expected(c cases, o operation) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    level integer := CASE WHEN c.cause ~ 'inactive' THEN 0
        ELSE GREATEST(CASE WHEN c.permission = 'modify_all_data' THEN 3 WHEN c.permission = 'view_all_data' THEN 1 ELSE 0 END,
                      CASE WHEN c.cause = 'owner' THEN 3 WHEN c.cause = 'assignee' AND o.object = 'item' THEN 1 ELSE 0 END,
                      CASE c.level WHEN 'Read' THEN 1 WHEN 'Edit' THEN 2 ELSE 0 END) END;
    may boolean;
BEGIN
    IF o.object = '' THEN
        IF o.needs = 'see sharing' THEN
            RETURN CASE WHEN c.cause !~ 'inactive' AND c.permission IN ('view_all_data', 'modify_all_data') THEN 'allowed' ELSE 'hidden' END;
        END IF;
        RETURN CASE WHEN c.cause !~ 'inactive' AND (c.permission = o.needs OR c.permission = 'modify_all_data') THEN 'allowed' ELSE 'refused' END;
    END IF;
    -- calls by a role without an active user are refused
    IF c.cause ~ 'inactive' AND o.statement ~ '^SELECT (orchestration\.|count)' THEN RETURN 'refused'; END IF;
    IF c.cause ~ 'inactive' AND o.statement ~ '^INSERT' THEN RETURN 'refused'; END IF;
    IF level = 0 THEN RETURN 'hidden'; END IF;
    may := CASE o.needs WHEN 'Read' THEN true WHEN 'Edit' THEN level >= 2 WHEN 'All' THEN level = 3
            -- without a WHERE clause: the update reaches every record the user sees; it is refused if the user may not edit one of them
            AND (o.statement !~ '^UPDATE' OR c.permission IS DISTINCT FROM 'view_all_data')
        WHEN 'move' THEN level >= 2 OR COALESCE(c.permission = 'manage_runs', false)
        WHEN 'reassign' THEN COALESCE(c.permission IN ('reassign_work_items', 'modify_all_data'), false)
        WHEN 'work' THEN c.cause = 'assignee' OR COALESCE(c.permission = 'modify_all_data', false) END;
    RETURN CASE WHEN may THEN 'allowed' ELSE 'refused' END;
END $$;

-- the actual result, rolled back
CREATE FUNCTION pg_temp.got(c cases, o operation) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    stranger uuid := (SELECT id FROM orchestration.principal WHERE username = 'matrix-stranger');
BEGIN
    PERFORM set_config('orchestration.user_id', c.user_id::text, true), set_config('role', 'regress_matrix', true);
    EXECUTE format(o.statement, CASE o.object WHEN 'run' THEN c.run WHEN 'stage' THEN c.stage WHEN 'step' THEN c.step ELSE c.item END, stranger, c.source, '00000000-0000-7000-8000-000000000001');
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = n;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'OR101' THEN 'hidden' WHEN '42501' THEN 'refused' WHEN 'ZZ000' THEN CASE SQLERRM WHEN '0' THEN 'hidden' ELSE 'allowed' END
        -- the user has the right; the state of the run, the document or the name refuses the operation
        WHEN 'OR001' THEN 'allowed' WHEN 'OR201' THEN 'allowed' WHEN 'OR202' THEN 'allowed' WHEN '22023' THEN 'allowed' WHEN '55000' THEN 'allowed' ELSE SQLSTATE || ' ' || SQLERRM END;
END $$;

CREATE TEMP TABLE cell AS
SELECT c.name AS case_name, o.name AS operation, o.object, pg_temp.expected(c, o) AS expected, pg_temp.got(c, o) AS got FROM cases c CROSS JOIN operation o;

SELECT is((SELECT count(*) FROM cell), (SELECT count(*) FROM cases) * (SELECT count(*) FROM operation), format('%s cases x %s operations', (SELECT count(*) FROM cases), (SELECT count(*) FROM operation)));
SELECT ok((SELECT count(*) FROM cell) > 1500, 'there are many cells');
SELECT is((SELECT count(DISTINCT expected) FROM cell), 3::bigint, 'some hidden, some refused, some allowed');
SELECT is_empty($$SELECT * FROM cell WHERE expected IS DISTINCT FROM got AND got = 'allowed'$$, 'no operation is allowed that must be refused');
SELECT is_empty($$SELECT * FROM cell WHERE expected IS DISTINCT FROM got$$, 'every cell is as expected');
DELETE FROM orchestration.run_log;
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify()');
SELECT * FROM finish();
ROLLBACK;
