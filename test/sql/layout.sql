-- describe_layout() and set_layout(): the layout made from the fields, a stored layout,
-- and layouts that are refused.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
CREATE FUNCTION pg_temp.section(s jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT format('%s (%s columns, %s rows): %s', s->>'heading', s->>'columns', s->>'rows',
        (SELECT string_agg((i->'layoutComponents'->0->>'value') || ' ' || (i->>'uiBehavior') || CASE WHEN (i->>'editableForUpdate')::boolean THEN ' editable' ELSE '' END, ', ' ORDER BY r.n, i.n)
           FROM jsonb_array_elements(s->'layoutRows') WITH ORDINALITY r(r, n), jsonb_array_elements(r.r->'layoutItems') WITH ORDINALITY i(i, n))) $$;
SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(orchestration.describe_layout('FlowOrchestrationInstance')) key;
SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(orchestration.describe_layout('FlowOrchestrationInstance')->'layouts'->0) key;
SELECT pg_temp.section(s) FROM jsonb_array_elements(orchestration.describe_layout('FlowOrchestrationInstance')->'layouts'->0->'detailLayoutSections') s;
SELECT pg_temp.section(s) FROM jsonb_array_elements(orchestration.describe_layout('FlowOrchestrationWorkItem')->'layouts'->0->'editLayoutSections') s;
SELECT r->>'name', r->>'sobject', r->>'field', jsonb_array_length(r->'columns') FROM jsonb_array_elements(orchestration.describe_layout('FlowOrchestrationInstance', NULL, '{012000000000000AAA}')->'layouts'->0->'relatedLists') r;
SELECT m - 'picklistsForRecordType', m->'picklistsForRecordType'->0->>'picklistName' FROM jsonb_array_elements(orchestration.describe_layout('FlowOrchestrationInstance')->'recordTypeMappings') m;
SELECT pg_temp.try('SELECT orchestration.describe_layout(NULL)');
SELECT pg_temp.try('SELECT orchestration.describe_layout(''FlowOrchestrationInstanceFeed'')');
SELECT pg_temp.try('SELECT orchestration.describe_layout(''Account'')');
SELECT pg_temp.try('SELECT orchestration.describe_layout(''FlowOrchestrationInstance'', ''Compact'')');
SELECT pg_temp.try('SELECT orchestration.describe_layout(''FlowOrchestrationInstance'', NULL, ''{012000000000000AAA,x}'')');
-- a layout that an administrator stores
SELECT orchestration.set_layout('FlowOrchestrationInstance', '{"sections": [{"heading": "The run", "columns": 2, "fields": ["Name", "Status", "OwnerId"]}, {"heading": "Empty"}],
  "relatedLists": [{"name": "FlowOrchestrationLogs", "columns": ["Kind", "Timestamp"]}]}');
SELECT pg_temp.section(s) FROM jsonb_array_elements(orchestration.describe_layout('FlowOrchestrationInstance')->'layouts'->0->'detailLayoutSections') s;
SELECT r->>'name', r->'columns' @> '[{"fieldApiName": "Timestamp", "format": "datetime"}]' FROM jsonb_array_elements(orchestration.describe_layout('FlowOrchestrationInstance')->'layouts'->0->'relatedLists') r;
SELECT pg_temp.try(format('SELECT orchestration.set_layout(''FlowOrchestrationInstance'', %L)', x)) FROM unnest(ARRAY[
    '1', '[]', '{}', '{"sections": []}', '{"sections": {}}', '{"sections": [1]}', '{"sections": [{"fields": []}]}', '{"sections": [{"heading": "x", "columns": 3}]}',
    '{"sections": [{"heading": "x", "columns": "1"}]}', '{"sections": [{"heading": "x", "fields": [1]}]}', '{"sections": [{"heading": "x", "fields": ["Nonsense"]}]}',
    '{"sections": [{"heading": "x"}], "relatedLists": [{"name": "Nonsense"}]}', '{"sections": [{"heading": "x"}], "relatedLists": [{"name": "Shares", "columns": ["Kind"]}]}']) x;
SELECT pg_temp.try(format('SELECT orchestration.set_layout(''FlowOrchestrationInstance'', %L)', x)) FROM unnest(ARRAY[
    '{"sections": [{"heading": "x"}], "relatedLists": [1]}', '{"sections": [{"heading": "x"}], "relatedLists": {}}', '{"sections": [{"heading": "x"}], "relatedLists": [{}]}', jsonb_build_object('sections', '[{"heading": "x"}]'::jsonb, 'relatedLists', (SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 500)))::text,
    jsonb_build_object('sections', jsonb_build_array(jsonb_build_object('heading', 'x', 'fields', (SELECT jsonb_agg('Name'::text) FROM generate_series(1, 500)))))::text]) x;
-- a role that may not read a column sees it in no layout
SELECT orchestration.set_layout('FlowOrchestrationInstance', '{"sections": [{"heading": "The run", "columns": 1, "fields": ["Name", "Status"]}], "relatedLists": [{"name": "FlowOrchestrationLogs", "columns": ["Kind", "Actor"]}]}');
CREATE ROLE regress_orch_layout;
SELECT pg_temp.person('layout@example.com', 'Layout', 'regress_orch_layout');
BEGIN;
REVOKE SELECT ON orchestration.flow_orchestration_instance, orchestration.flow_orchestration_log FROM PUBLIC;
GRANT SELECT (id, name) ON orchestration.flow_orchestration_instance TO regress_orch_layout;
GRANT SELECT (id, kind) ON orchestration.flow_orchestration_log TO regress_orch_layout;
SET LOCAL ROLE regress_orch_layout;
SELECT jsonb_path_query_array(l, '$.layouts[0].detailLayoutSections[*].layoutRows[*].layoutItems[*].layoutComponents[*].value'), jsonb_path_query_array(l, '$.layouts[0].relatedLists[*].columns[*].fieldApiName') FROM orchestration.describe_layout('FlowOrchestrationInstance') l;
ROLLBACK;
UPDATE orchestration.principal SET role_name = NULL WHERE role_name = 'regress_orch_layout';
DROP ROLE regress_orch_layout;
SELECT count(*) FROM orchestration.sobject_layout;
SELECT orchestration.set_layout('FlowOrchestrationInstance', NULL);
SELECT count(*) FROM orchestration.sobject_layout;
