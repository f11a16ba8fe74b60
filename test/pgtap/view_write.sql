-- view_write: a view that can be written does what it says.  For every view that PostgreSQL
-- lets a role write, every column, INSERT, UPDATE and DELETE: the statement is refused, or
-- what RETURNING shows is what a SELECT reads afterwards, with the value that was given.
-- As a superuser, whom column privileges do not bind, and as a user with all permissions
-- and all privileges on the views.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;
SELECT no_plan();

CREATE TEMP TABLE csv_field (object text, field text, col text, type text, length text, properties text, since numeric, relationship_name text, refers_to text, note text);
\copy csv_field FROM 'test/contract/fields.csv' CSV HEADER

-- --------------------------------------------------------- rows to write
CREATE ROLE regress_view_writer;
GRANT regress_view_writer TO CURRENT_USER;
SELECT orchestration.create_user('view.writer@example.com', 'View Writer', 'regress_view_writer') AS me, orchestration.create_user('view.other@example.com', 'View Other') AS other,
       orchestration.create_group('View_Group', 'View Group') AS grp, orchestration.create_group('View_Second', 'View Second') AS second \gset
SELECT orchestration.update_user(:'me', view_all_data => true, modify_all_data => true, manage_runs => true, manage_definitions => true, reassign_work_items => true),
       orchestration.add_group_member(:'grp', :'other') \g /dev/null
SELECT orchestration.register_action('View_Screen', 'screen'), orchestration.set_feed_tracking('FlowOrchestrationInstance', '{Status}') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "View", "label": "View", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "I", "label": "I", "actionType": "stepInteractive", "actionName": "View_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "view.writer@example.com"}}]}]}]}'::jsonb),
       orchestration.activate_orchestration('View') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "View_Approval", "label": "View approval", "processType": "ApprovalWorkflow", "start": {"connector": {"targetReference": "S"}},
  "variables": [{"name": "recordId", "dataType": "String", "isInput": true}, {"name": "submitter", "dataType": "String", "isInput": true}, {"name": "submissionComments", "dataType": "String", "isInput": true}, {"name": "firstApprover", "dataType": "String", "isInput": true}],
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "A", "label": "A", "actionType": "stepApproval", "actionName": "View_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "view.writer@example.com"}}]},
    {"name": "B", "label": "B", "actionType": "stepApproval", "actionName": "View_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "view.writer@example.com"}}]}]}]}'::jsonb),
       orchestration.activate_orchestration('View_Approval') \g /dev/null
SET ROLE regress_view_writer;
SELECT orchestration.start_orchestration('View') AS run \gset
SELECT orchestration.start_orchestration('View_Approval') AS approval \gset
SELECT orchestration.suspend_run(:'approval'), orchestration.resume_run(:'approval') \g /dev/null
SELECT orchestration.review_approval(id, 'Approve', 'fine') FROM orchestration.approval_work_item WHERE approval_condition_name = 'A' \g /dev/null
SELECT orchestration.share_record(id, :'other') FROM orchestration.approval_submission \g /dev/null
-- (a new owner ends the shares of the record)
UPDATE orchestration.flow_orchestration_stage_instance SET owner_id = :'me';
UPDATE orchestration.flow_orchestration_step_instance SET owner_id = :'me';
SELECT orchestration.suspend_run(:'run'), orchestration.resume_run(:'run'), orchestration.post_to_feed(x.id, 'a text') AS post, orchestration.share_record(x.id, :'other') AS share
  FROM (SELECT id FROM orchestration.flow_orchestration_instance UNION ALL SELECT id FROM orchestration.flow_orchestration_stage_instance
        UNION ALL SELECT id FROM orchestration.flow_orchestration_step_instance) x \g /dev/null
SELECT orchestration.create_owner_sharing_rule(o, :'grp', :'other', 'Read', 'View rule', 'View_rule') FROM unnest(enum_range(NULL::orchestration.shared_object)) o WHERE o <> 'ApprovalWorkItem' \g /dev/null
RESET ROLE;
SELECT format('GRANT ALL ON orchestration.%I TO regress_view_writer', relname) FROM pg_class WHERE relnamespace = 'orchestration'::regnamespace AND relkind = 'v' \gexec

-- ------------------------------------------------------------- the columns
CREATE TEMP TABLE view_column AS
SELECT c.oid AS view, c.relname AS name, a.attname AS col, format_type(a.atttypid, a.atttypmod) AS type, a.attnum,
       pg_relation_is_updatable(c.oid, true) AS events,
       (SELECT f.properties FROM csv_field f WHERE lower(regexp_replace(f.object, '(?<=[a-z0-9])(?=[A-Z])', '_', 'g')) = c.relname AND f.col = a.attname) AS properties
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind = 'v';
SELECT is((SELECT count(DISTINCT view) FROM view_column WHERE events & 28 <> 0), (SELECT count(DISTINCT view) FROM view_column WHERE events & 28 <> 0 AND col = 'id'), 'every view that can be written has an id');
SELECT ok(count(DISTINCT view) >= 15, 'many views can be written') FROM view_column WHERE events & 4 <> 0;

-- the row of a view that is written: a Manual share; not the user of the session
CREATE FUNCTION pg_temp.row_of(view regclass) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result jsonb;
BEGIN
    EXECUTE format('SELECT to_jsonb(v) FROM %s v ORDER BY to_jsonb(v)->>''row_cause'' = ''Manual'' DESC NULLS LAST, to_jsonb(v)->>''username'' = ''view.other@example.com'' DESC NULLS LAST, v.id LIMIT 1', view) INTO result;
    RETURN result;
END
$$;
-- values of a type, others than one
CREATE FUNCTION pg_temp.others(type text, value jsonb) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT v FROM (
        SELECT e.enumlabel::text AS v FROM pg_enum e WHERE e.enumtypid = type::regtype
        UNION ALL SELECT id::text FROM orchestration.principal WHERE type = 'uuid'
        UNION ALL SELECT id::text FROM orchestration.stage_run WHERE type = 'uuid'
        UNION ALL SELECT orchestration.new_id()::text WHERE type = 'uuid'
        UNION ALL SELECT x FROM unnest('{true,false}'::text[]) x WHERE type = 'boolean'
        UNION ALL SELECT x FROM unnest('{7,8}'::text[]) x WHERE type IN ('integer', 'bigint', 'numeric')
        UNION ALL SELECT x FROM unnest('{Other_1,Another,Queue}'::text[]) x WHERE type = 'text'
        UNION ALL SELECT x FROM unnest('{2020-01-01 00:00:00+00}'::text[]) x WHERE type = 'timestamp with time zone'
        UNION ALL SELECT x FROM unnest(ARRAY['{"other": 1}']) x WHERE type = 'jsonb'
        UNION ALL SELECT NULL) x
     WHERE v IS DISTINCT FROM value #>> '{}';
END
$$;
-- what became of a statement that writes a column; undone.  The column shows the value that
-- was given, RETURNING what is stored.
CREATE FUNCTION pg_temp.outcome(view regclass, statement text, col text, type text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    returned jsonb; stored jsonb; given jsonb; result text; n bigint;
BEGIN
    BEGIN
        EXECUTE statement INTO returned;
        GET DIAGNOSTICS n = ROW_COUNT;
        EXECUTE format('SELECT to_jsonb(v) FROM %s v WHERE v.id = %L', view, returned->>'id') INTO stored;
        EXECUTE format('SELECT to_jsonb(%L::%s)', value, type) INTO given;
        result := CASE WHEN n = 0 THEN 'LIE: no row'
                       WHEN returned IS DISTINCT FROM stored THEN format('LIE: returned %s, stored %s',
                            (SELECT jsonb_object_agg(key, v.value) FROM jsonb_each(returned) v WHERE v.value IS DISTINCT FROM stored->key),
                            (SELECT jsonb_object_agg(key, v.value) FROM jsonb_each(stored) v WHERE v.value IS DISTINCT FROM returned->key))
                       WHEN col IS NOT NULL AND COALESCE(stored->col, 'null') IS DISTINCT FROM COALESCE(given, 'null') THEN format('LIE: gave %s, stored %s', value, stored->col)
                       ELSE 'done' END;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN result;
    WHEN OTHERS THEN
        RETURN 'refused: ' || SQLSTATE || ' ' || SQLERRM;
    END;
END
$$;

-- -------------------------------------------------- UPDATE, INSERT, DELETE
CREATE TEMP TABLE written (role text, event text, name text, col text, value text, outcome text);
-- new rows: the columns that they need
CREATE TEMP TABLE new_row (name text, given jsonb);
INSERT INTO new_row
SELECT name, CASE WHEN name LIKE '%share' THEN jsonb_build_object('parent_id', pg_temp.row_of(view)->'parent_id', 'user_or_group_id', :'grp', 'access_level', 'Read')
                  WHEN name LIKE '%rule' THEN jsonb_build_object('name', 'New rule', 'group_id', :'second', 'user_or_group_id', :'other', 'access_level', 'Read')
                  WHEN name = 'flow_orchestration_instance' THEN '{"name": "New", "status": "InProgress"}'
                  WHEN name IN ('flow_orchestration_stage_instance', 'flow_orchestration_step_instance', 'flow_orchestration_work_item')
                  THEN pg_temp.row_of(view) - '{id,is_deleted,created_by_id,created_date,last_modified_by_id,last_modified_date,system_modstamp,status,elapsed_time_since_asgnt_in_sec,elapsed_time_since_creation_in_sec,last_referenced_date,last_viewed_date}'::text[] || CASE WHEN name LIKE '%item' THEN '{}' ELSE '{"status": "Completed"}'::jsonb END
                  WHEN name = 'user' THEN '{"name": "New", "username": "new@example.com"}'
                  WHEN name = 'group' THEN '{"name": "New", "developer_name": "New"}'
                  WHEN name = 'group_member' THEN jsonb_build_object('group_id', :'second', 'user_or_group_id', :'other')
                  ELSE jsonb_build_object('id', orchestration.new_id()) END
  FROM (SELECT DISTINCT name, view FROM view_column WHERE events & 8 <> 0) x;
CREATE FUNCTION pg_temp.insertion(view regclass, given jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO %s AS v (%s) VALUES (%s) RETURNING to_jsonb(v)', view, string_agg(quote_ident(key), ', '), string_agg(quote_nullable(value), ', ')) FROM jsonb_each_text(given)
$$;
-- what became of the DELETE of a row; undone
CREATE FUNCTION pg_temp.deletion(view regclass, stored jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    returned jsonb; n bigint; result text;
BEGIN
    BEGIN
        EXECUTE format('DELETE FROM %s v WHERE v.id = %L RETURNING to_jsonb(v)', view, stored->>'id') INTO returned;
        EXECUTE format('SELECT count(*) FROM %s v WHERE v.id = %L', view, stored->>'id') INTO n;
        result := CASE WHEN returned IS DISTINCT FROM stored THEN format('LIE: returned %s, stored %s', returned, stored) WHEN n > 0 THEN 'LIE: not deleted' ELSE 'done' END;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN result;
    WHEN OTHERS THEN
        RETURN 'refused: ' || SQLSTATE || ' ' || SQLERRM;
    END;
END
$$;
GRANT ALL ON written, view_column, new_row TO regress_view_writer;
\set update 'INSERT INTO written SELECT CURRENT_USER, ''UPDATE'', c.name, c.col, o.v, pg_temp.outcome(c.view, format(''UPDATE %s v SET %I = %L WHERE v.id = %L RETURNING to_jsonb(v)'', c.view::regclass, c.col, o.v, r.row->>''id''), c.col, c.type, o.v) FROM view_column c CROSS JOIN LATERAL pg_temp.row_of(c.view) r (row) CROSS JOIN LATERAL pg_temp.others(c.type, r.row->c.col) o (v) WHERE c.events & 4 <> 0'
\set delete 'INSERT INTO written SELECT CURRENT_USER, ''DELETE'', c.name, NULL, NULL, pg_temp.deletion(c.view, pg_temp.row_of(c.view)) FROM view_column c WHERE c.attnum = 1 AND c.events & 16 <> 0'
\set insert 'INSERT INTO written SELECT CURRENT_USER, ''INSERT'', c.name, NULL, n.given, pg_temp.outcome(c.view, pg_temp.insertion(c.view, n.given), NULL, ''text'', NULL) FROM new_row n JOIN view_column c USING (name) WHERE c.attnum = 1'
\set insert_column 'INSERT INTO written SELECT CURRENT_USER, ''INSERT'', c.name, c.col, o.v, pg_temp.outcome(c.view, pg_temp.insertion(c.view, n.given || jsonb_build_object(c.col, o.v)), c.col, c.type, o.v) FROM new_row n JOIN view_column c USING (name) CROSS JOIN LATERAL pg_temp.others(c.type, n.given->c.col) o (v) WHERE o.v IS NOT NULL'
:update; :insert; :insert_column; :delete;
SET ROLE regress_view_writer;
:update; :insert; :insert_column; :delete;
RESET ROLE;
SELECT is(string_agg(DISTINCT outcome, '; ') FILTER (WHERE outcome LIKE 'LIE%'), NULL, format('%s: %s of %s %s: refused, or done as it says', role, event, name, COALESCE(col, '')))
  FROM written GROUP BY role, event, name, col ORDER BY role, event, name, col;
-- the views of shares and rules can be written, by both, in all ways
SELECT is(outcome, 'done', format('%s: %s of %s', role, event, name)) FROM written WHERE name ~ '_(share|rule)$' AND col IS NULL ORDER BY role, event, name;
SELECT is(outcome, 'done', format('%s: DELETE of %s', role, name)) FROM written WHERE name ~ '_feed$' AND event = 'DELETE' ORDER BY role, name;
-- what the reference flags Update can be updated (a lookup of records needs a record)
SELECT ok(bool_or(w.outcome = 'done'), format('%s of %s is updated', c.col, c.name)) FROM view_column c LEFT JOIN written w ON w.name = c.name AND w.col = c.col AND w.event = 'UPDATE' AND w.role = 'regress_view_writer'
 WHERE 'Update' = ANY (string_to_array(c.properties, ', ')) AND c.col <> 'triggering_record_id' GROUP BY c.name, c.col ORDER BY c.name, c.col;
-- and no other column of shares and rules
SELECT is_empty($$SELECT w.name, w.col FROM written w JOIN view_column c ON c.name = w.name AND c.col = w.col
    WHERE w.outcome = 'done' AND w.name ~ '_(share|rule)$' AND NOT CASE w.event WHEN 'UPDATE' THEN 'Update' ELSE 'Create' END = ANY (string_to_array(c.properties, ', '))$$, 'no other column of shares and rules is written');

-- ------------------------------------------------------- existing shares and rules
SELECT pg_temp.row_of('orchestration.flow_orchestration_instance_share') AS share, pg_temp.row_of('orchestration.flow_orchestration_instance_owner_sharing_rule') AS rule \gset
CREATE FUNCTION pg_temp.again(view text, stored jsonb, VARIADIC keys text[]) RETURNS text LANGUAGE sql AS $$
    SELECT replace(pg_temp.insertion(('orchestration.' || view)::regclass, jsonb_object_agg(k, CASE k WHEN 'access_level' THEN '"Edit"' ELSE stored->k END)), ' RETURNING', ' ON CONFLICT DO NOTHING RETURNING') FROM unnest(keys) k
$$;
SELECT pg_temp.again('flow_orchestration_instance_share', :'share', 'access_level', 'parent_id', 'user_or_group_id') AS again \gset
SELECT throws_ok(:'again', '23505', NULL, 'a share that exists is not inserted again');
SELECT throws_ok(replace(:'again', ' ON CONFLICT DO NOTHING', ''), '23505', NULL, 'with or without ON CONFLICT, of which PostgreSQL does not tell the trigger');
SELECT throws_ok(pg_temp.again('flow_orchestration_instance_owner_sharing_rule', :'rule', 'access_level', 'group_id', 'user_or_group_id', 'name'), '23505', NULL, 'nor is a rule');
SELECT is(pg_temp.row_of('orchestration.flow_orchestration_instance_share'), :'share'::jsonb, 'the share is as it was');
SELECT is(pg_temp.row_of('orchestration.flow_orchestration_instance_owner_sharing_rule'), :'rule'::jsonb, 'the rule, too');
-- create() of an existing share is an update, as the reference says
SELECT is(r->0->>'id', :'share'::jsonb->>'id', 'create() returns the share that exists') FROM orchestration.create(jsonb_build_array(jsonb_build_object('attributes', '{"type": "FlowOrchestrationInstanceShare"}'::jsonb,
    'ParentId', :'share'::jsonb->'parent_id', 'UserOrGroupId', :'share'::jsonb->'user_or_group_id', 'AccessLevel', 'Edit'))) r;
SELECT is(pg_temp.row_of('orchestration.flow_orchestration_instance_share')->>'access_level', 'Edit', 'and changes its level');
SELECT throws_ok(:'again', '23505', NULL, 'an INSERT after create() is one of SQL again');
-- a row that the statement has changed already
CREATE FUNCTION public.changes_rule(rule uuid) RETURNS boolean LANGUAGE sql AS $$ UPDATE orchestration.owner_sharing_rule SET access_level = 'Edit' WHERE id = $1 RETURNING true $$;
SELECT throws_ok(format('DELETE FROM orchestration.flow_orchestration_instance_owner_sharing_rule WHERE id = %1$L AND changes_rule(id)', :'rule'::jsonb->>'id'), '27000', NULL, 'a row that a function in the statement has changed is not deleted');
SELECT throws_ok('UPDATE orchestration.flow_orchestration_instance_owner_sharing_rule SET name = name || x.n FROM (VALUES (1), (2)) x (n)', '27000', NULL, 'nor updated twice');

-- --------------------------------------------------------- triggers of users
CREATE FUNCTION public.lowers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.access_level := 'Read'; RETURN NEW; END $$;
CREATE FUNCTION public.lowers_after() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('UPDATE %s SET access_level = ''Read'' WHERE id = %L AND access_level <> ''Read''', TG_RELID::regclass, NEW.id); RETURN NULL; END $$;
CREATE FUNCTION public.suppresses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TEMP TABLE attempt AS
SELECT v.name, a.event, a.statement FROM (VALUES ('flow_orchestration_instance_share'), ('flow_orchestration_instance_owner_sharing_rule')) v (name)
  JOIN new_row n USING (name) CROSS JOIN LATERAL (VALUES ('INSERT', pg_temp.insertion(('orchestration.' || name)::regclass, n.given || '{"access_level": "Edit"}')),
    ('UPDATE', format('UPDATE orchestration.%I v SET access_level = ''Edit'' WHERE id = %L RETURNING to_jsonb(v)', name, pg_temp.row_of(('orchestration.' || name)::regclass)->>'id'))) a (event, statement);
CREATE FUNCTION pg_temp.attempts() RETURNS TABLE (name text, event text, outcome text) LANGUAGE sql AS $$
    SELECT a.name, a.event, pg_temp.outcome(('orchestration.' || a.name)::regclass, a.statement, 'access_level', 'text', 'Read') FROM attempt a
$$;
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON orchestration.share_grant FOR EACH ROW EXECUTE FUNCTION lowers();
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON orchestration.owner_sharing_rule FOR EACH ROW EXECUTE FUNCTION lowers();
SELECT is(outcome, 'done', format('RETURNING of %s shows what a BEFORE trigger made of a row of %s', event, name)) FROM pg_temp.attempts();
DROP TRIGGER t ON orchestration.share_grant;
DROP TRIGGER t ON orchestration.owner_sharing_rule;
CREATE TRIGGER t AFTER INSERT OR UPDATE ON orchestration.share_grant FOR EACH ROW EXECUTE FUNCTION lowers_after();
CREATE TRIGGER t AFTER INSERT OR UPDATE ON orchestration.owner_sharing_rule FOR EACH ROW EXECUTE FUNCTION lowers_after();
SELECT is(outcome, 'done', format('RETURNING of %s shows what an AFTER trigger made of a row of %s', event, name)) FROM pg_temp.attempts();
DROP TRIGGER t ON orchestration.share_grant;
DROP TRIGGER t ON orchestration.owner_sharing_rule;
CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON orchestration.share_grant FOR EACH ROW EXECUTE FUNCTION suppresses();
CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON orchestration.owner_sharing_rule FOR EACH ROW EXECUTE FUNCTION suppresses();
SELECT matches(outcome, CASE event WHEN 'INSERT' THEN '^refused: 27000' ELSE '^LIE: no row' END, format('%s of a row of %s that a trigger suppresses reports no row', event, name)) FROM pg_temp.attempts();
SELECT throws_ok(format('SELECT orchestration.share_record(%L, %L, ''Edit'')', :'share'::jsonb->>'parent_id', :'grp'), '27000', NULL, 'share_record() fails');
SELECT throws_ok(format('SELECT orchestration.create_owner_sharing_rule(''FlowOrchestrationInstance'', %L, %L, ''Edit'')', :'second', :'other'), '27000', NULL, 'create_owner_sharing_rule(), too');
DROP TRIGGER t ON orchestration.share_grant;
DROP TRIGGER t ON orchestration.owner_sharing_rule;

-- ------------------------------------------------------------------- MERGE
SELECT current_setting('server_version_num')::int >= 170000 AS has_merge \gset
\if :has_merge
SELECT is(pg_temp.outcome('orchestration.flow_orchestration_instance_share', format('MERGE INTO orchestration.flow_orchestration_instance_share v USING (VALUES (%L::uuid, %L::uuid)) x (p, u)
    ON v.parent_id = x.p AND v.user_or_group_id = x.u AND v.row_cause = ''Manual'' WHEN MATCHED THEN UPDATE SET access_level = ''Read'' WHEN NOT MATCHED THEN INSERT (parent_id, user_or_group_id, access_level) VALUES (x.p, x.u, ''Read'')
    RETURNING to_jsonb(v)', :'share'::jsonb->>'parent_id', g), 'access_level', 'text', 'Read'), 'done', 'MERGE does as it says') FROM unnest(ARRAY[:'grp', :'share'::jsonb->>'user_or_group_id']) g;
\endif

SELECT * FROM finish();
ROLLBACK;
