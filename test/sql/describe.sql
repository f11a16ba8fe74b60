-- describe_sobjects(): shape, versions, limits, fields hidden by privileges.  A session
-- drops its cached answer when the answer is no longer true.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
CREATE ROLE regress_orch_describer;
SELECT pg_temp.person('describer@example.com', 'Describer', 'regress_orch_describer');
SET ROLE regress_orch_describer;

-- shape: the keys of an object, a field, a value, a relationship
SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(orchestration.describe_sobjects('{FlowOrchestrationInstance}')->0) key;
SELECT d - 'fields' - 'childRelationships' FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationInstance}')) d;
SELECT f FROM jsonb_array_elements(orchestration.describe_sobjects('{floworchestrationstageinstance}')->0->'fields') f WHERE f->>'name' = 'OwnerId';
SELECT f->'picklistValues'->0 FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationStepInstance}')->0->'fields') f WHERE f->>'name' = 'StepType';
SELECT c FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationStageInstance}')->0->'childRelationships') c;
SELECT d->>'name', d->>'label', d->>'labelPlural', d->>'associateEntityType', d->>'associateParentEntity'
  FROM jsonb_array_elements(orchestration.describe_sobjects(ARRAY(SELECT name FROM orchestration.sobject ORDER BY position))) d;
-- in the order of the names; one name twice; no name
SELECT d->>'name' FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationLog,FlowOrchestrationInstance,FlowOrchestrationLog}')) d;
SELECT orchestration.describe_sobjects('{}');

-- versions
SELECT v, string_agg(f->>'name', ' ') FROM unnest('{53.0,55,56,62,63.0}'::numeric[]) v, jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationInstance}', v)->0->'fields') f
 WHERE f->>'name' IN ('CurrentStage', 'LastViewedDate', 'OrchestrationLabel', 'OwnerId') GROUP BY v ORDER BY v;
SELECT v, string_agg(c->>'childSObject', ' ') FROM unnest('{53.0,54.0,56.0}'::numeric[]) v, jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationInstance}', v)->0->'childRelationships') c GROUP BY v ORDER BY v;

-- users, groups and definitions: what SOQL finds on the way from other objects
SELECT f->>'name', f->>'type', f->>'relationshipName', f->'referenceTo', f->>'namePointing' FROM jsonb_array_elements(orchestration.describe_sobjects('{GroupMember}')->0->'fields') f;
SELECT f->'picklistValues' FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestration}')->0->'fields') f WHERE f->>'name' = 'Status';
SELECT d->'supportedScopes' FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationWorkItem,User}')) d;
-- the list of the objects, by version
SELECT orchestration.describe_global() - 'sobjects';
SELECT string_agg(o->>'name', ' ') FROM jsonb_array_elements(orchestration.describe_global()->'sobjects') o WHERE (o->>'associateEntityType') IS NULL;
SELECT o FROM jsonb_array_elements(orchestration.describe_global(53.0)->'sobjects') o WHERE o->>'name' = 'FlowOrchestrationInstance';
SELECT v, jsonb_array_length(orchestration.describe_global(v)->'sobjects') FROM unnest('{1.0,20,53,54,62}'::numeric[]) v ORDER BY v;

-- refused
SELECT pg_temp.try('SELECT orchestration.describe_global(0)');
SELECT pg_temp.try('SELECT orchestration.describe_global(''NaN'')');
SELECT pg_temp.try('SELECT orchestration.describe_sobjects(NULL)');
SELECT pg_temp.try('SELECT orchestration.describe_sobjects(ARRAY[NULL])');
SELECT pg_temp.try('SELECT orchestration.describe_sobjects(''{Account}'')');
SELECT pg_temp.try('SELECT orchestration.describe_sobjects(''{FlowOrchestrationLog}'', 53)');
SELECT pg_temp.try('SELECT orchestration.describe_sobjects(''{FlowOrchestrationLog}'', 0)');
SELECT pg_temp.try('SELECT orchestration.describe_sobjects(''{FlowOrchestrationLog}'', ''NaN'')');
SELECT length(pg_temp.try('SELECT orchestration.describe_sobjects(array_fill(''FlowOrchestrationLog''::text, ''{100}''))')) > 100000;
SELECT pg_temp.try('SELECT orchestration.describe_sobjects(array_fill(''FlowOrchestrationLog''::text, ''{101}''))');
RESET ROLE;
CREATE ROLE regress_orch_nobody;
SET ROLE regress_orch_nobody;
SELECT pg_temp.try('SELECT orchestration.describe_sobjects(''{FlowOrchestrationLog}'')');
SELECT pg_temp.try('SELECT orchestration.describe_global()');
RESET ROLE;
DROP ROLE regress_orch_nobody;

-- fields that the caller may not read are left out; fields that the caller may not write are
-- not updateable.  A change takes effect at once, although the session caches its answers.
CREATE FUNCTION pg_temp.field(name text) RETURNS text LANGUAGE sql AS $$
    SELECT COALESCE((SELECT 'updateable ' || (f->>'updateable') FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationInstance}')->0->'fields') f WHERE f->>'name' = $1), 'not there') $$;
SET ROLE regress_orch_describer;
SELECT pg_temp.field('Status'), pg_temp.field('InterviewId');
RESET ROLE;
BEGIN;
REVOKE UPDATE ON orchestration.flow_orchestration_instance FROM PUBLIC;
REVOKE SELECT ON orchestration.flow_orchestration_instance FROM PUBLIC;
GRANT SELECT (id, status) ON orchestration.flow_orchestration_instance TO PUBLIC;
SET ROLE regress_orch_describer;
SELECT pg_temp.field('Status'), pg_temp.field('InterviewId');
ROLLBACK;
SET ROLE regress_orch_describer;
SELECT pg_temp.field('Status'), pg_temp.field('InterviewId');
RESET ROLE;
-- record types are targets of the polymorphic lookups
CREATE TABLE public.described (id integer PRIMARY KEY);
SELECT count(*) FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationInstance}')->0->'fields') f WHERE f->'referenceTo' ? 'Described';
SELECT orchestration.register_record_type('Described', 'described');
SELECT f->>'name' FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationInstance}')->0->'fields') f WHERE f->'referenceTo' ? 'Described';
SELECT orchestration.unregister_record_type('Described');
SELECT count(*) FROM jsonb_array_elements(orchestration.describe_sobjects('{FlowOrchestrationInstance}')->0->'fields') f WHERE f->'referenceTo' ? 'Described';
DROP TABLE described;
SELECT orchestration.update_user(id, role_name => '') FROM orchestration.principal WHERE username = 'describer@example.com';
DROP ROLE regress_orch_describer;
