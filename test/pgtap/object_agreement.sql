-- object_agreement: describe_sobjects(), the views and retrieve() agree on the names, types
-- and order of the fields of every object of orchestration.sobject.  Nothing here lists
-- objects or fields: a new object is tested without a change.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;

-- --------------------------------------------- a record of every object
CREATE ROLE agreement_role;
GRANT agreement_role TO CURRENT_USER;
SELECT orchestration.create_user('agreement@example.com', 'Agreement', 'agreement_role') AS me,
       orchestration.create_group('Agreement') AS grp, orchestration.create_queue('Agreement') AS queue \gset
SELECT orchestration.add_group_member(:'grp', :'me'),
       orchestration.update_user(:'me', modify_all_data => true, view_all_data => true, manage_runs => true) \g /dev/null
SELECT orchestration.register_action('Agreement_Screen', 'screen') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "Agreement", "label": "Agreement", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "I", "label": "I", "actionType": "stepInteractive", "actionName": "Agreement_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "agreement@example.com"}}]}]}]}'::jsonb),
       orchestration.activate_orchestration('Agreement') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "Agreement_Approval", "label": "Agreement approval", "processType": "ApprovalWorkflow", "start": {"connector": {"targetReference": "S"}},
  "variables": [{"name": "recordId", "dataType": "String", "isInput": true}, {"name": "submitter", "dataType": "String", "isInput": true}, {"name": "submissionComments", "dataType": "String", "isInput": true}, {"name": "firstApprover", "dataType": "String", "isInput": true}],
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "A", "label": "A", "actionType": "stepApproval", "actionName": "Agreement_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "agreement@example.com"}}]}]}]}'::jsonb),
       orchestration.activate_orchestration('Agreement_Approval') \g /dev/null
SELECT orchestration.set_feed_tracking('FlowOrchestrationStageInstance', '{Status}') \g /dev/null
SET ROLE agreement_role;
SELECT orchestration.start_orchestration('Agreement') AS run \gset
SELECT orchestration.suspend_run(:'run'), orchestration.resume_run(:'run') \g /dev/null
SELECT orchestration.start_orchestration('Agreement_Approval', inputs => '{"submissionComments": "please"}') AS approval \gset
SELECT orchestration.suspend_run(:'approval'), orchestration.resume_run(:'approval') \g /dev/null
SELECT orchestration.review_approval(id, 'Reject', 'no') FROM orchestration.approval_work_item \g /dev/null
SELECT orchestration.share_record(id, :'grp') FROM orchestration.approval_submission \g /dev/null
UPDATE orchestration.flow_orchestration_step_instance SET owner_id = :'me';
UPDATE orchestration.flow_orchestration_stage_instance SET owner_id = :'me';
SELECT orchestration.post_to_feed(x.id, 'a text')
  FROM (SELECT id FROM orchestration.flow_orchestration_instance UNION ALL SELECT id FROM orchestration.flow_orchestration_stage_instance
        UNION ALL SELECT id FROM orchestration.flow_orchestration_step_instance) x \g /dev/null
SELECT orchestration.share_record(x.id, :'grp')
  FROM (SELECT id FROM orchestration.flow_orchestration_instance UNION ALL SELECT id FROM orchestration.flow_orchestration_stage_instance
        UNION ALL SELECT id FROM orchestration.flow_orchestration_step_instance) x \g /dev/null
SELECT orchestration.create_owner_sharing_rule(x, :'grp', :'me', name => 'Agreement ' || x, developer_name => 'Agreement_' || x)
  FROM unnest('{FlowOrchestrationInstance,FlowOrchestrationStageInstance,FlowOrchestrationStepInstance}'::orchestration.shared_object[]) x \g /dev/null
RESET ROLE;

-- ------------------------------------------------------- what each of them says
-- position, name, type, column and SQL type of the fields of an object
CREATE TEMP TABLE described AS
SELECT o.name AS object, o.view_name::text, o.calls, f.ordinality AS n, f.value->>'name' AS field, f.value->>'type' AS type, f.value AS d
  FROM orchestration.sobject o, jsonb_array_elements(orchestration.describe_sobjects(ARRAY[o.name])->0->'fields') WITH ORDINALITY f;
CREATE TEMP TABLE sql_type (type text, sql text[], json text[]);
INSERT INTO sql_type VALUES
    ('id', '{uuid}', '{string}'), ('reference', '{uuid,text}', '{string}'), ('boolean', '{boolean}', '{boolean}'),
    ('datetime', '{timestamp with time zone}', '{string}'), ('string', '{text}', '{string}'), ('textarea', '{text,jsonb}', '{string}'),
    ('picklist', '{text,enum}', '{string}'), ('int', '{integer}', '{number}'), ('long', '{bigint}', '{number}'), ('url', '{text}', '{string}'),
    ('anyType', '{text,jsonb}', '{string,number,boolean}');
CREATE TEMP TABLE viewed AS
SELECT o.name AS object, a.attname::text AS col, row_number() OVER (PARTITION BY o.name ORDER BY a.attnum) AS n,
       CASE t.typtype WHEN 'e' THEN 'enum' ELSE format_type(t.oid, NULL) END AS sql, a.atttypid
  FROM orchestration.sobject o JOIN pg_attribute a ON a.attrelid = ('orchestration.' || quote_ident(o.view_name::text))::regclass AND a.attnum > 0
  JOIN pg_type t ON t.oid = a.atttypid;
-- an id of a record of each object, and the record as retrieve() gives it, all fields asked
CREATE FUNCTION pg_temp.some_id(view text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    id text;
BEGIN
    EXECUTE format('SELECT id FROM orchestration.%I ORDER BY id DESC LIMIT 1', view) INTO id;
    RETURN id;
END
$$;
GRANT SELECT ON described TO agreement_role;
SET ROLE agreement_role;
CREATE TEMP TABLE retrieved AS
SELECT o.name AS object, x.id, CASE WHEN 'retrieve' = ANY (o.calls)
       THEN orchestration.retrieve(ARRAY(SELECT d.field FROM described d WHERE d.object = o.name ORDER BY d.n), o.name, ARRAY[x.id])::json->0 END AS record
  FROM orchestration.sobject o CROSS JOIN LATERAL (SELECT pg_temp.some_id(o.view_name::text) AS id) x;
RESET ROLE;
CREATE TEMP TABLE retrieved_field AS
SELECT r.object, j.key AS field, j.ordinality - 1 AS n, j.value FROM retrieved r, json_each(r.record) WITH ORDINALITY j WHERE j.key <> 'attributes';

SELECT no_plan();

SELECT ok(id IS NOT NULL, format('%s: there is a record to look at', object)) FROM retrieved ORDER BY object;
SELECT is((SELECT array_agg(f.column_name::text ORDER BY d.n) FROM described d JOIN orchestration.sobject_field f ON f.object = d.object AND f.name = d.field WHERE d.object = o.name),
          (SELECT array_agg(v.col ORDER BY v.n) FROM viewed v WHERE v.object = o.name), format('%s: the view has the described fields in their order', o.name))
  FROM orchestration.sobject o;
SELECT ok(v.sql = ANY (t.sql), format('%s.%s: described as %s, in the view %s', d.object, d.field, d.type, v.sql))
  FROM described d LEFT JOIN sql_type t USING (type) LEFT JOIN viewed v USING (object, n);
SELECT ok((d.type IN ('id', 'reference')) = (d.d->>'soapType' = 'tns:ID')
          AND (d.type NOT IN ('id', 'reference') OR (d.d->>'length')::integer = 36)
          AND (d.type = 'picklist' OR jsonb_array_length(d.d->'picklistValues') = 0),
          format('%s.%s: soapType, length and picklist fit the type', d.object, d.field))
  FROM described d;
-- values of a picklist are labels of the enum, in their order; the enum may have more, as
-- that of AccessLevel, which rules and shares have in common
SELECT is((SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e
            WHERE e.enumtypid = v.atttypid AND d.d->'picklistValues' @> jsonb_build_array(jsonb_build_object('value', e.enumlabel))),
          (SELECT array_agg(p.value->>'value' ORDER BY p.ordinality) FROM jsonb_array_elements(d.d->'picklistValues') WITH ORDINALITY p),
          format('%s.%s: the picklist has the labels of the type', d.object, d.field))
  FROM described d JOIN viewed v USING (object, n) WHERE v.sql = 'enum';
-- every field of a reference has a relationship, or refers to nothing described
SELECT ok((d.d->>'relationshipName' IS NOT NULL) = (jsonb_array_length(d.d->'referenceTo') > 0)
          AND (d.d->>'relationshipName' IS NULL OR d.d->>'relationshipName' || 'Id' = d.field),
          format('%s.%s: the relationship is named after the field', d.object, d.field))
  FROM described d WHERE d.type = 'reference';
SELECT is((d.d->>'namePointing')::boolean, jsonb_array_length(d.d->'referenceTo') > 1, format('%s.%s: polymorphic if it refers to several objects', d.object, d.field))
  FROM described d;

-- retrieve(): all fields, no others, in the order asked (if its result keeps the order)
SELECT is((SELECT array_agg(r.field ORDER BY r.field COLLATE "C") FROM retrieved_field r WHERE r.object = o.name),
          (SELECT array_agg(d.field ORDER BY d.field COLLATE "C") FROM described d WHERE d.object = o.name), format('%s: retrieve() has the described fields', o.name))
  FROM orchestration.sobject o WHERE 'retrieve' = ANY (o.calls);
SELECT is((SELECT array_agg(r.field ORDER BY r.n) FROM retrieved_field r WHERE r.object = o.name),
          (SELECT array_agg(d.field ORDER BY d.n) FROM described d WHERE d.object = o.name), format('%s: retrieve() has them in their order', o.name))
  FROM orchestration.sobject o
 WHERE 'retrieve' = ANY (o.calls) AND (SELECT p.prorettype FROM pg_proc p WHERE p.oid = 'orchestration.retrieve(text[], text, text[])'::regprocedure) = 'json'::regtype;
SELECT is(r.record->'attributes'->>'type', r.object, format('%s: retrieve() names the object', r.object)) FROM retrieved r WHERE r.record IS NOT NULL;
SELECT ok(json_typeof(r.value) = 'null' AND (d.d->>'nillable')::boolean OR json_typeof(r.value) = ANY (t.json),
          format('%s.%s: retrieve() gives a %s for a %s', r.object, r.field, json_typeof(r.value), d.type))
  FROM retrieved_field r JOIN described d USING (object, field) LEFT JOIN sql_type t USING (type);

SELECT ok(d.d->'picklistValues' @> jsonb_build_array(jsonb_build_object('value', r.value #>> '{}')), format('%s.%s: %s is a value of the picklist', r.object, r.field, r.value))
  FROM retrieved_field r JOIN described d USING (object, field)
 WHERE d.type = 'picklist' AND json_typeof(r.value) <> 'null' AND jsonb_array_length(d.d->'picklistValues') > 0;

-- query(): SELECT of the described fields gives the record of retrieve(), keys in their order;
-- all fields that the contract lets it find, sort and group by
SET ROLE agreement_role;
CREATE TEMP TABLE queried AS
SELECT r.object, orchestration.query(format('SELECT %s FROM %s%s', (SELECT string_agg(d.field, ', ' ORDER BY d.n) FROM described d WHERE d.object = r.object), r.object,
           (SELECT format(' WHERE Id = %L', r.id) FROM described d WHERE d.object = r.object AND d.field = 'Id' AND (d.d->>'filterable')::boolean))) AS result, r.id, r.record
  FROM retrieved r JOIN orchestration.sobject o ON o.name = r.object WHERE 'query' = ANY (o.calls);
RESET ROLE;
SELECT is((SELECT x::text FROM json_array_elements(q.result->'records') x WHERE x->>'Id' = q.id), q.record::text, format('%s: query() gives the record of retrieve()', q.object))
  FROM queried q WHERE NOT EXISTS (SELECT FROM described d WHERE d.object = q.object AND d.type = 'long');
SELECT is((SELECT array_agg(k.key ORDER BY k.ordinality) FROM json_array_elements(q.result->'records') x, json_object_keys(x) WITH ORDINALITY k (key, ordinality) WHERE x->>'Id' = q.id),
          (SELECT array_agg(k.key ORDER BY k.ordinality) FROM json_object_keys(q.record) WITH ORDINALITY k (key, ordinality)), format('%s: with its keys in their order', q.object))
  FROM queried q;

-- describe_global() lists the described objects, with the same flags
CREATE TEMP TABLE listed AS
SELECT x.value->>'name' AS object, x.value AS d FROM jsonb_array_elements(orchestration.describe_global()->'sobjects') x;
SELECT set_eq('SELECT object FROM listed', 'SELECT name FROM orchestration.sobject', 'describe_global() lists every object');
SELECT is(l.d - 'urls', (SELECT jsonb_object_agg(k, o.d->k) FROM jsonb_object_keys(l.d) k WHERE k <> 'urls'), format('%s: both descriptions say the same', l.object))
  FROM listed l CROSS JOIN LATERAL (SELECT orchestration.describe_sobjects(ARRAY[l.object])->0 AS d) o;
SELECT ok(o.d->'urls' @> (l.d->'urls'), format('%s: and have the same urls', l.object))
  FROM listed l CROSS JOIN LATERAL (SELECT orchestration.describe_sobjects(ARRAY[l.object])->0 AS d) o;
SELECT is_empty($$SELECT x->>'name' FROM jsonb_array_elements(orchestration.describe_global(54.0)->'sobjects') x JOIN orchestration.sobject o ON o.name = x->>'name' WHERE o.since > 54.0$$,
                'describe_global() of a version lists no newer object');
SELECT is(orchestration.describe_global(54.0)->'sobjects'->0->'urls'->>'describe', '/services/data/v54.0/sobjects/FlowOrchestrationInstance/describe', 'and its urls name the version');
REVOKE SELECT ON orchestration.flow_orchestration_log FROM PUBLIC;
SET ROLE agreement_role;
SELECT ok(NOT EXISTS (SELECT FROM jsonb_array_elements(orchestration.describe_global()->'sobjects') x WHERE x->>'name' = 'FlowOrchestrationLog'),
          'an object of which the caller can read no field is not listed');
RESET ROLE;

-- only active users see users, groups and definitions, and each of them sees all
CREATE FUNCTION pg_temp.rows_of(view text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM orchestration.%I', view) INTO n;
    RETURN n;
END
$$;
CREATE ROLE agreement_stranger;
CREATE ROLE agreement_plain;
SELECT orchestration.create_user('agreement.plain@example.com', 'Plain', 'agreement_plain') \g /dev/null
GRANT agreement_plain, agreement_stranger TO CURRENT_USER;
CREATE TEMP TABLE shown (view text, n bigint);
INSERT INTO shown SELECT v, pg_temp.rows_of(v) FROM unnest('{user,group,group_member,name,flow_orchestration,flow_orchestration_version}'::text[]) v;
GRANT SELECT ON shown TO agreement_plain, agreement_stranger;
SET ROLE agreement_plain;
CREATE TEMP TABLE by_plain AS SELECT view, n, pg_temp.rows_of(view) AS seen FROM shown;
RESET ROLE;
SET ROLE agreement_stranger;
CREATE TEMP TABLE by_stranger AS SELECT view, pg_temp.rows_of(view) AS seen FROM shown;
RESET ROLE;
SELECT is(seen, n, format('%s: an active user without permissions sees all rows', view)) FROM by_plain;
SELECT is(seen, 0::bigint, format('%s: a role that acts as no user sees none', view)) FROM by_stranger;
SELECT is((SELECT count(*) FROM orchestration.name), (SELECT count(*) FROM orchestration."user") + (SELECT count(*) FROM orchestration."group"), 'Name has users and groups');

SELECT * FROM finish();
ROLLBACK;
