-- contract: views, types and privileges against the contract and the house rules.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;

CREATE TEMP TABLE csv_field (object text, field text, col text, type text, length text, properties text, since text, relationship_name text, refers_to text, note text);
\copy csv_field FROM 'test/contract/fields.csv' CSV HEADER
CREATE TEMP TABLE csv_picklist (object text, field text, position integer, value text, meaning text);
\copy csv_picklist FROM 'test/contract/picklists.csv' CSV HEADER

-- the objects that have views so far
CREATE TEMP TABLE object_view (object text, view text);
INSERT INTO object_view VALUES
    ('FlowOrchestrationInstance', 'flow_orchestration_instance'),
    ('FlowOrchestrationStageInstance', 'flow_orchestration_stage_instance'),
    ('FlowOrchestrationStepInstance', 'flow_orchestration_step_instance'),
    ('FlowOrchestrationWorkItem', 'flow_orchestration_work_item'),
    ('FlowOrchestrationLog', 'flow_orchestration_log'),
    ('FlowOrchestrationInstanceShare', 'flow_orchestration_instance_share'),
    ('FlowOrchestrationStageInstanceShare', 'flow_orchestration_stage_instance_share'),
    ('FlowOrchestrationStepInstanceShare', 'flow_orchestration_step_instance_share'),
    ('FlowOrchestrationInstanceOwnerSharingRule', 'flow_orchestration_instance_owner_sharing_rule'),
    ('FlowOrchestrationStageInstanceOwnerSharingRule', 'flow_orchestration_stage_instance_owner_sharing_rule'),
    ('FlowOrchestrationStepInstanceOwnerSharingRule', 'flow_orchestration_step_instance_owner_sharing_rule'),
    ('ApprovalSubmission', 'approval_submission'), ('ApprovalWorkItem', 'approval_work_item'),
    ('ApprovalSubmissionDetail', 'approval_submission_detail'), ('ApprovalSubmissionShare', 'approval_submission_share'),
    ('User', 'user'), ('Group', 'group'), ('GroupMember', 'group_member'), ('Name', 'name'),
    ('FlowOrchestration', 'flow_orchestration'), ('FlowOrchestrationVersion', 'flow_orchestration_version');
CREATE TEMP TABLE field_type (object text, field text, enum text);
INSERT INTO field_type VALUES
    ('FlowOrchestrationInstance', 'Status', 'run_status'), ('FlowOrchestrationStageInstance', 'Status', 'stage_status'),
    ('FlowOrchestrationStepInstance', 'Status', 'step_status'), ('FlowOrchestrationStepInstance', 'StepType', 'step_type'),
    ('FlowOrchestrationWorkItem', 'Status', 'work_item_status'), ('FlowOrchestrationLog', 'AssigneeType', 'assignee_type'),
    ('FlowOrchestrationLog', 'Kind', 'log_kind'),
    ('FlowOrchestrationInstanceShare', 'AccessLevel', 'access_level'), ('FlowOrchestrationStageInstanceShare', 'AccessLevel', 'access_level'),
    ('FlowOrchestrationStepInstanceShare', 'AccessLevel', 'access_level'), ('Name', 'Type', 'principal_kind'), ('FlowOrchestrationInstanceShare', 'RowCause', 'row_cause'),
    ('FlowOrchestrationStageInstanceShare', 'RowCause', 'row_cause'), ('FlowOrchestrationStepInstanceShare', 'RowCause', 'row_cause'),
    ('ApprovalSubmission', 'Status', 'approval_submission_status'), ('ApprovalWorkItem', 'Status', 'approval_work_item_status'),
    ('ApprovalSubmissionDetail', 'ActionName', 'approval_action'), ('ApprovalSubmissionDetail', 'ActionPerformerRole', 'approval_performer_role'),
    ('ApprovalSubmissionDetail', 'ActionChannelName', 'approval_channel'),
    ('ApprovalSubmissionShare', 'AccessLevel', 'access_level'), ('ApprovalSubmissionShare', 'RowCause', 'row_cause');
-- the SQL type of each type of the contract; picklists of users, groups and definitions are text
CREATE TEMP TABLE sql_type (type text, sql text[]);
INSERT INTO sql_type VALUES
    ('id', '{uuid}'), ('reference', '{uuid,text}'), ('boolean', '{boolean}'), ('dateTime', '{timestamp with time zone}'),
    ('string', '{text}'), ('textarea', '{text,jsonb}'), ('long', '{bigint}'), ('int', '{integer}'), ('picklist', '{USER-DEFINED}');

CREATE TEMP VIEW member AS
SELECT classid, objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
 WHERE d.deptype = 'e' AND e.extname = 'orchestration';

SELECT no_plan();

SELECT is((SELECT string_agg(column_name::text COLLATE "default", ', ' ORDER BY ordinal_position) FROM information_schema.columns
            WHERE table_schema = 'orchestration' AND table_name = v.view),
          (SELECT string_agg(col, ', ' ORDER BY n) FROM (SELECT *, row_number() OVER () AS n FROM csv_field) f WHERE f.object = v.object),
          format('%s has the columns of %s in their order', v.view, v.object))
  FROM object_view v;
SELECT ok(c.data_type = ANY (t.sql) OR (f.type = 'picklist' AND v.object IN ('User', 'Group', 'FlowOrchestration', 'FlowOrchestrationVersion') AND c.data_type = 'text'),
          format('%s.%s is a %s', v.view, f.col, f.type))
  FROM csv_field f JOIN object_view v USING (object) JOIN sql_type t USING (type)
  LEFT JOIN information_schema.columns c ON c.table_schema = 'orchestration' AND c.table_name = v.view AND c.column_name = f.col
 ORDER BY v.view, c.ordinal_position;
SELECT is(c.udt_name::text, t.enum, format('%s.%s has the type %s', v.view, f.col, t.enum))
  FROM field_type t JOIN csv_field f USING (object, field) JOIN object_view v USING (object)
  JOIN information_schema.columns c ON c.table_schema = 'orchestration' AND c.table_name = v.view AND c.column_name = f.col;
SELECT is((SELECT string_agg(e.enumlabel::text COLLATE "default", ', ' ORDER BY e.enumsortorder) FROM pg_enum e
            WHERE e.enumtypid = ('orchestration.' || t.enum)::regtype),
          (SELECT string_agg(p.value, ', ' ORDER BY p.position) FROM csv_picklist p WHERE p.object = t.object AND p.field = t.field),
          format('%s has the labels of %s.%s in their order', t.enum, t.object, t.field))
  FROM field_type t;
SELECT ok('security_invoker=true' = ANY (c.reloptions), format('%s is security_invoker', c.relname))
  FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid WHERE c.relkind = 'v';

-- house rules, over the catalog
-- column privileges follow the fields' properties; those on the log are granted to no role
SELECT is(has_column_privilege('public', 'orchestration.' || quote_ident(v.view), f.col, 'SELECT'), true, format('PUBLIC may read %s.%s', v.view, f.col))
  FROM csv_field f JOIN object_view v USING (object);
SELECT is(has_column_privilege('public', 'orchestration.' || quote_ident(v.view), f.col, 'UPDATE'), 'Update' = ANY (string_to_array(f.properties, ', ')),
          format('PUBLIC may update %s.%s as the contract says', v.view, f.col))
  FROM csv_field f JOIN object_view v USING (object) WHERE f.object <> 'FlowOrchestrationLog';
SELECT is(has_column_privilege('public', 'orchestration.' || quote_ident(v.view), f.col, 'INSERT'), 'Create' = ANY (string_to_array(f.properties, ', ')),
          format('PUBLIC may insert %s.%s as the contract says', v.view, f.col))
  FROM csv_field f JOIN object_view v USING (object);
SELECT is_empty($$SELECT c.relname FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid,
                         unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) p
                   WHERE c.relkind IN ('r', 'v') AND has_table_privilege('public', c.oid, p)$$,
                'PUBLIC has no TRUNCATE, REFERENCES or TRIGGER on any table');
SELECT is_empty($$SELECT c.relname FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
                   WHERE CASE WHEN c.relkind = 'S' THEN has_sequence_privilege('public', c.oid, 'USAGE, SELECT, UPDATE') END$$, 'no sequence is granted');
SELECT ok(NOT has_schema_privilege('public', 'orchestration', 'CREATE'), 'PUBLIC may not create objects in the schema');
SELECT is_empty($$SELECT c.relname FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
                   WHERE c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)$$, 'row security is enabled and forced on every table');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
                    JOIN pg_language l ON l.oid = p.prolang
                   WHERE l.lanname <> 'c' AND NOT COALESCE('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
                     -- a body that was parsed when the function was created looks up no name
                     AND (p.prosecdef OR p.prosqlbody IS NULL)$$,
                'functions in other languages than C set search_path, unless they run as their caller and their names are resolved');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
                   WHERE p.proleakproof OR (p.prosecdef AND has_function_privilege('public', p.oid, 'EXECUTE'))$$,
                'no function is LEAKPROOF, and PUBLIC may execute no SECURITY DEFINER function');
SELECT is_empty($$SELECT c.relname FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid, pg_extension e
                   WHERE e.extname = 'orchestration' AND c.relkind IN ('r', 'S') AND NOT c.oid = ANY (e.extconfig)
                     AND c.relname NOT IN ('sobject', 'sobject_field', 'sobject_picklist_value', 'sobject_child_relationship')
                     AND c.relname <> 'secret' AND c.relpersistence <> 'u'$$,
                'every table and sequence is dumped, except those with rows of the contract only, unlogged ones, and the secret, of which each database has its own');
SELECT is_empty($$SELECT classid::regclass, objid FROM member m
                   WHERE NOT EXISTS (SELECT FROM pg_identify_object(m.classid, m.objid, 0) i
                                      WHERE i.schema IN ('orchestration', 'orchestration_internal')
                                         OR (i.type = 'schema' AND i.name IN ('orchestration', 'orchestration_internal'))
                                         OR (i.type = 'event trigger' AND i.name LIKE 'orchestration%'))$$,
                'every object is in one of the two schemas, except event triggers, which have none');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
                   WHERE p.pronamespace = 'orchestration'::regnamespace
                     AND (p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
                          OR 'internal'::regtype = ANY (p.proargtypes::oid[])
                          OR EXISTS (SELECT FROM pg_depend d JOIN pg_policy y ON d.classid = 'pg_policy'::regclass AND d.objid = y.oid
                                      WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
                                        AND p.proname NOT IN ('acting_user_id', 'acting_principal_ids')))$$,
                'the schema of users has no function of triggers, policies or the planner');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
                   WHERE p.proargmodes && '{o,b,t}'::"char"[] AND p.pronamespace = 'orchestration'::regnamespace$$,
                'calls that return rows have named types');
SELECT is_empty($$SELECT p.oid::regprocedure, a FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid, unnest(p.proargnames) a
                   WHERE p.pronamespace = 'orchestration'::regnamespace AND (a IS NULL OR a IN ('', 'id', 'ids', 'orchestration_name', 'action_name', 'object_name'))
                     AND p.proname NOT IN ('retrieve', 'delete')$$,
                'parameters have the one name of what they take');
SELECT is_empty($$SELECT p.oid::regprocedure, p.prorettype::regtype FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
                   WHERE p.pronamespace = 'orchestration'::regnamespace
                     AND CASE WHEN p.proname IN ('set_due_date') THEN p.prorettype <> 'boolean'::regtype
                              WHEN p.proname ~ '^(set|register|unregister|allow)_' THEN p.prorettype <> 'void'::regtype
                              WHEN p.proname ~ '^create_' THEN p.prorettype <> 'uuid'::regtype
                              WHEN p.proname ~ '^(suspend|resume|cancel|recall|reevaluate|migrate)_run$|^deactivate_orchestration$|_group_member$|^(claim|release|complete|fail|reassign)_work_item$|^(un)?like_|^unshare_'
                                   THEN p.prorettype <> 'boolean'::regtype END$$,
                'calls of a kind return the same: settings nothing, creators an id, changes of a state whether they changed it');
SELECT is_empty($$SELECT conrelid::regclass, conname FROM pg_constraint c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.conrelid
                   WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid
                         AND (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1] @> c.conkey)
                     AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])$$,
                'every foreign key has an index on its own columns');
SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                   WHERE c.relnamespace = 'orchestration'::regnamespace AND i.indisprimary
                     AND c.relname IN ('stage_run', 'step_run', 'work_item', 'run_record', 'step_queue', 'run_log', 'submission', 'submission_item', 'submission_detail')
                     AND (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = i.indkey[0]) <> 'run_id'$$,
                'run_id comes first in the primary keys below run');
-- statuses stay HOT: no index of these tables has one
SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'status'
                   WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relname IN ('run', 'stage_run', 'step_run', 'submission', 'submission_item')
                     AND (a.attnum = ANY (i.indkey::int2[]) OR pg_get_expr(i.indpred, i.indrelid) LIKE '%status%')$$,
                'no index contains a status');
-- ids
SELECT matches(orchestration.new_id()::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 'ids are uuids of version 7');
SELECT is((SELECT count(DISTINCT id)::integer FROM (SELECT orchestration.new_id() AS id FROM generate_series(1, 10000)) x), 10000, 'and unique');
SELECT ok((SELECT bool_and(id > before) FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before
             FROM (SELECT n, orchestration.new_id() AS id FROM generate_series(1, 10000) n) y) x WHERE before IS NOT NULL), 'and increase');
SELECT is((SELECT name FROM orchestration.principal WHERE id = '00000000-0000-7000-8000-000000000001'), 'Automated Process',
          'the automated process user is seeded');
SELECT * FROM finish();
ROLLBACK;
