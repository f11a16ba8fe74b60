-- contract_calls: every row of objects.csv, fields.csv and picklists.csv, and every
-- property and call in it, against the database.  A property with a behaviour is tested by
-- its behaviour (as an ordinary role mapped to a user), another property by
-- describe_sobjects().  Each check records the row that it tested; the last checks fail for
-- rows without a test, and print the coverage.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;

CREATE TEMP TABLE csv_object (object text, calls text, since numeric);
\copy csv_object FROM 'test/contract/objects.csv' CSV HEADER
CREATE TEMP TABLE csv_field (object text, field text, col text, type text, length text, properties text, since numeric, relationship_name text, refers_to text, note text);
\copy csv_field FROM 'test/contract/fields.csv' CSV HEADER
CREATE TEMP TABLE csv_picklist (object text, field text, position integer, value text, meaning text);
\copy csv_picklist FROM 'test/contract/picklists.csv' CSV HEADER
CREATE TEMP TABLE csv_target (name text);
\copy csv_target FROM 'test/contract/triggering-record-targets.txt'
ALTER TABLE csv_field ADD n serial, ADD view text, ADD flags text[];
UPDATE csv_field SET flags = string_to_array(properties, ', '),
       length = CASE WHEN type IN ('id', 'reference') THEN '36' ELSE length END,    -- ids are uuids
       view = lower(regexp_replace(object, '(?<=[a-z0-9])(?=[A-Z])', '_', 'g'));

CREATE TEMP TABLE covered (kind text, object text, field text, item text);
CREATE FUNCTION pg_temp.covers(kind text, object text, field text, item text, line text) RETURNS text LANGUAGE sql AS $$
    INSERT INTO covered VALUES ($1, $2, $3, $4);
    SELECT $5;
$$;
-- the result of a statement, rolled back
CREATE FUNCTION pg_temp.try(sql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE sql;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN OTHERS THEN
        RETURN CASE WHEN SQLSTATE = 'ZZ000' THEN 'ok' ELSE SQLSTATE END;
    END;
END
$$;
-- the answer of a call on one record, rolled back: success, or the status code
CREATE FUNCTION pg_temp.answer(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    BEGIN
        EXECUTE 'SELECT ' || call INTO result;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN COALESCE(result->0->'errors'->0->>'statusCode', CASE WHEN (result->0->>'success')::boolean THEN 'success' END);
    WHEN OTHERS THEN
        RETURN substring(SQLERRM FROM '^[A-Z_]+');
    END;
END
$$;
CREATE FUNCTION pg_temp.record(object text, id text, field text, value jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT quote_literal(jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('attributes', jsonb_build_object('type', $1), 'Id', $2))
                                           || CASE WHEN $3 IS NULL THEN '{}' ELSE jsonb_build_object($3, $4) END)) || '::jsonb'
$$;

SELECT no_plan();

-- --------------------------------------------------------- records to test with
CREATE ROLE contract_role;
GRANT contract_role TO CURRENT_USER;
SELECT format('GRANT ALL ON ALL TABLES IN SCHEMA %1$I TO contract_role; GRANT ALL ON ALL SEQUENCES IN SCHEMA %1$I TO contract_role', nspname)
  FROM pg_namespace WHERE oid = pg_my_temp_schema() \gexec
SELECT orchestration.create_user('contract@example.com', 'Con Tract', 'contract_role') AS me,
       orchestration.create_user('contract.other@example.com') AS other,
       orchestration.create_group('Contract_Group') AS grp \gset
SELECT orchestration.add_group_member(:'grp', :'other') \g /dev/null
SELECT orchestration.update_user(:'me', modify_all_data => true, view_all_data => true, reassign_work_items => true, manage_runs => true) \g /dev/null
CREATE TABLE contract_record (id integer PRIMARY KEY);
INSERT INTO contract_record VALUES (1), (2);
GRANT SELECT ON contract_record TO contract_role;
SELECT orchestration.register_record_type('Contract_Record', 'contract_record'), orchestration.register_action('Contract_Screen', 'screen'),
       orchestration.register_action('Contract_Work', 'worker') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "Contract", "label": "Contract", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}, "object": "Contract_Record", "triggerType": "RecordAfterSave", "recordTriggerType": "Update"},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "I", "label": "I", "description": "what to do", "actionType": "stepInteractive", "actionName": "Contract_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "contract@example.com"}}],
     "inputParameters": [{"name": "ActionInput__RecordId", "value": {"elementReference": "$Record.Id"}}]},
    {"name": "W", "label": "W", "actionType": "stepBackground", "requiresAsyncProcessing": true, "actionName": "Contract_Work", "entryConditionLogic": "and"}]}]}'::jsonb) \g /dev/null
SELECT orchestration.activate_orchestration('Contract') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "Contract_Approval", "label": "Contract approval", "processType": "ApprovalWorkflow", "start": {"connector": {"targetReference": "S"}},
  "variables": [{"name": "recordId", "dataType": "String", "isInput": true}, {"name": "submitter", "dataType": "String", "isInput": true}, {"name": "submissionComments", "dataType": "String", "isInput": true}, {"name": "firstApprover", "dataType": "String", "isInput": true}],
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "A", "label": "A", "actionType": "stepApproval", "actionName": "Contract_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "contract@example.com"}}]},
    {"name": "B", "label": "B", "actionType": "stepApproval", "actionName": "Contract_Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "contract@example.com"}}]}]}]}'::jsonb) \g /dev/null
SELECT orchestration.activate_orchestration('Contract_Approval') \g /dev/null
SELECT orchestration.set_feed_tracking('FlowOrchestrationStageInstance', '{Status}') \g /dev/null
SET ROLE contract_role;
SELECT orchestration.start_orchestration('Contract', '1') AS run \gset
UPDATE orchestration.flow_orchestration_instance SET interview_id = orchestration.acting_user_id() WHERE id = :'run';
SELECT orchestration.suspend_run(:'run'), orchestration.resume_run(:'run') \g /dev/null
SELECT orchestration.post_to_feed(x.id, 'a text'), orchestration.post_to_feed(x.id, NULL, 'https://example.com', 'a link')
  FROM (SELECT id FROM orchestration.flow_orchestration_instance UNION ALL SELECT id FROM orchestration.flow_orchestration_stage_instance
        UNION ALL SELECT id FROM orchestration.flow_orchestration_step_instance) x \g /dev/null
UPDATE orchestration.flow_orchestration_step_instance SET owner_id = :'other';
UPDATE orchestration.flow_orchestration_stage_instance SET owner_id = :'other';
SELECT orchestration.view_record(:'run') \g /dev/null
SELECT orchestration.start_orchestration('Contract_Approval', inputs => '{"recordId": "1", "submitter": "contract@example.com", "submissionComments": "please"}') AS approval \gset
SELECT orchestration.suspend_run(:'approval'), orchestration.resume_run(:'approval') \g /dev/null
SELECT orchestration.view_record(id) FROM orchestration.approval_submission \g /dev/null
SELECT orchestration.view_record(id) FROM orchestration.approval_work_item \g /dev/null
SELECT orchestration.review_approval(id, 'Approve', 'fine') FROM orchestration.approval_work_item WHERE approval_condition_name = 'A' \g /dev/null
SELECT orchestration.reassign_work_item(flow_orchestration_work_item_id, :'other') FROM orchestration.approval_work_item WHERE approval_condition_name = 'B' \g /dev/null
SELECT orchestration.recall_run(:'approval', 'changed my mind') \g /dev/null
SELECT orchestration.view_record(id) FROM orchestration.flow_orchestration_work_item \g /dev/null
RESET ROLE;
SELECT set_config('contract.other', :'other', true), set_config('contract.group', :'grp', true), set_config('contract.run', :'run', true) \g /dev/null
SET ROLE contract_role;
-- shares and rules, by the call that creates them
CREATE FUNCTION pg_temp.new_share(object text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    parent uuid;
BEGIN
    EXECUTE format('SELECT id FROM orchestration.%I ORDER BY id LIMIT 1', lower(regexp_replace(replace(object, 'Share', ''), '(?<=[a-z0-9])(?=[A-Z])', '_', 'g'))) INTO parent;
    RETURN jsonb_build_object('attributes', jsonb_build_object('type', object), 'ParentId', parent,
                              'UserOrGroupId', current_setting('contract.group'), 'AccessLevel', 'Read');
END
$$;
CREATE FUNCTION pg_temp.new_rule(object text, name text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('attributes', jsonb_build_object('type', object), 'Name', name, 'DeveloperName', replace(name, ' ', '_'), 'AccessLevel', 'Read',
                              'GroupId', current_setting('contract.group'), 'UserOrGroupId', current_setting('contract.other'));
$$;
CREATE TEMP TABLE made AS
SELECT o.object, orchestration.create(jsonb_build_array(CASE WHEN o.object LIKE '%Share' THEN pg_temp.new_share(o.object) ELSE pg_temp.new_rule(o.object, 'Contract rule') END)) AS result
  FROM csv_object o WHERE o.calls LIKE 'create%';
SELECT ok((result->0->>'success')::boolean, format('create() made a %s: %s', object, result->0->'errors')) FROM made;
UPDATE orchestration.flow_orchestration_instance SET status = 'Canceled' WHERE id = :'run';
SELECT orchestration.start_orchestration('Contract', '2') AS run \gset

-- one record of each object
CREATE TEMP TABLE sample (object text PRIMARY KEY, id text);
CREATE FUNCTION pg_temp.sample_of(object text, view text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    id text;
BEGIN
    IF object LIKE '%Share' THEN
        EXECUTE format('SELECT id FROM orchestration.%I WHERE row_cause = ''Manual'' LIMIT 1', view) INTO id;
    ELSIF object = 'FlowOrchestrationInstance' THEN
        EXECUTE format('SELECT id FROM orchestration.%I WHERE status = ''InProgress'' LIMIT 1', view) INTO id;
    ELSIF object = 'FlowOrchestrationWorkItem' THEN
        EXECUTE format('SELECT id FROM orchestration.%I WHERE status = ''Assigned'' LIMIT 1', view) INTO id;
    ELSIF object = 'Name' THEN
        EXECUTE format('SELECT id FROM orchestration.%I WHERE type = ''User'' LIMIT 1', view) INTO id;
    ELSIF object LIKE '%Feed' THEN
        EXECUTE format('SELECT id FROM orchestration.%I WHERE type = ''TextPost'' LIMIT 1', view) INTO id;
    ELSE
        EXECUTE format('SELECT id FROM orchestration.%I LIMIT 1', view) INTO id;
    END IF;
    RETURN id;
END
$$;
INSERT INTO sample SELECT DISTINCT object, pg_temp.sample_of(object, view) FROM csv_field;
SELECT ok(id IS NOT NULL, format('there is a %s to look at', object)) FROM sample ORDER BY object;
-- a legal new value for each writable field
CREATE TEMP TABLE new_value AS
SELECT f.object, f.field, CASE WHEN f.field = 'OwnerId' THEN current_setting('contract.other')
                               WHEN f.field = 'AssigneeId' THEN current_setting('contract.group')
                               WHEN f.field = 'Status' THEN 'Suspended'
                               WHEN f.field = 'TriggeringRecordId' THEN '1'
                               WHEN f.field = 'InterviewId' THEN current_setting('contract.other')
                               WHEN f.field = 'AccessLevel' THEN 'Edit'
                               WHEN f.field = 'DeveloperName' THEN 'Another_Name'
                               ELSE 'Another' END AS value
  FROM csv_field f WHERE 'Update' = ANY (f.flags);

-- ------------------------------------------------------------------- objects
CREATE TEMP TABLE described AS
SELECT o.object, orchestration.describe_sobjects(ARRAY[o.object])->0 AS d FROM csv_object o;
CREATE TEMP TABLE described_field AS
SELECT d.object, f.value->>'name' AS field, f.ordinality AS n, f.value AS d
  FROM described d, jsonb_array_elements(d.d->'fields') WITH ORDINALITY f;

SELECT pg_temp.covers('object', o.object, NULL, 'since',
       is(pg_temp.answer(format('orchestration.describe_sobjects(ARRAY[%L], %s)', o.object, o.since - 0.1)), 'INVALID_TYPE',
          format('%s is not there before version %s', o.object, o.since))
       || E'\n' || ok(d.d->>'name' = o.object AND d.d->'keyPrefix' = 'null', format('%s is described', o.object)))
  FROM csv_object o JOIN described d USING (object);
-- each call, offered or not.  Reading the view stands for query(), and tells nothing of
-- Name, whose view serves the paths of other objects.  delete() takes ids without objects:
-- it looks for the objects that have records of their own, not for users and definitions.
CREATE TEMP TABLE call (name text, flag text, sql text);
INSERT INTO call VALUES
    ('describeSObjects', NULL, $$orchestration.describe_sobjects(ARRAY[%1$L])$$),
    ('describeLayout', 'layoutable', $$orchestration.describe_layout(%1$L)$$),
    ('getUpdated', 'replicateable', $$orchestration.get_updated(%1$L, now() - interval '1 hour', now())$$),
    ('getDeleted', 'replicateable', $$orchestration.get_deleted(%1$L, now() - interval '1 hour', now())$$),
    ('retrieve', 'retrieveable', $$orchestration.retrieve('{Id}', %1$L, ARRAY[%2$L])$$),
    ('query', 'queryable', $$to_jsonb(count(*)) FROM orchestration.%3$I$$),
    ('update', 'updateable', $$orchestration.update(%4$s)$$),
    ('delete', 'deletable', $$orchestration.delete(ARRAY[%2$L])$$),
    ('create', 'createable', $$orchestration.create(%5$s)$$),
    ('upsert', 'createable', $$orchestration.upsert('Id', %4$s)$$);
SELECT pg_temp.covers('object', o.object, NULL, c.name,
       ok(CASE WHEN c.name = ANY (string_to_array(o.calls, ' ')) THEN a.answer IS NULL OR a.answer = 'success'
               WHEN c.name = 'delete' AND o.object IN ('User', 'Group', 'GroupMember', 'Name', 'FlowOrchestration', 'FlowOrchestrationVersion')
               THEN a.answer IN ('INVALID_TYPE_FOR_OPERATION', 'INVALID_CROSS_REFERENCE_KEY')
               WHEN c.name = 'query' AND o.object = 'Name' THEN true
               ELSE a.answer = 'INVALID_TYPE_FOR_OPERATION' END,
          format('%s: %s %s: %s', o.object, c.name, CASE WHEN c.name = ANY (string_to_array(o.calls, ' ')) THEN 'works' ELSE 'is refused' END, a.answer)))
  FROM csv_object o CROSS JOIN call c JOIN sample s USING (object)
  JOIN (SELECT DISTINCT object, view FROM csv_field) v USING (object)
 CROSS JOIN LATERAL (SELECT pg_temp.answer(format(c.sql, o.object, s.id, v.view, pg_temp.record(o.object, s.id, NULL, NULL),
           CASE WHEN o.object LIKE '%Share' THEN quote_literal(jsonb_build_array(pg_temp.new_share(o.object)))
                WHEN o.object LIKE '%Rule' THEN quote_literal(jsonb_build_array(pg_temp.new_rule(o.object, 'Another rule')))
                ELSE pg_temp.record(o.object, NULL, NULL, NULL) END)) AS answer) a;
SELECT pg_temp.covers('object', o.object, NULL, c.flag,
       is((d.d->>c.flag)::boolean, c.name = ANY (string_to_array(o.calls, ' ')), format('%s: %s is described', o.object, c.flag)))
  FROM csv_object o JOIN described d USING (object) CROSS JOIN call c WHERE c.flag IS NOT NULL AND c.name <> 'upsert';

-- -------------------------------------------------------------------- fields
SELECT is((SELECT array_agg(field ORDER BY n) FROM csv_field f WHERE f.object = o.object),
          (SELECT array_agg(field ORDER BY n) FROM described_field d WHERE d.object = o.object), format('%s has its fields in their order', o.object))
  FROM csv_object o;
-- catalog, csv and information_schema agree
SELECT pg_temp.covers('field', f.object, f.field, 'column',
       ok(m.column_name = f.col AND c.column_name IS NOT NULL, format('%s.%s is column %s', f.object, f.field, f.col)))
  FROM csv_field f LEFT JOIN orchestration.sobject_field m ON m.object = f.object AND m.name = f.field
  LEFT JOIN information_schema.columns c ON c.table_schema = 'orchestration' AND c.table_name = f.view AND c.column_name = f.col;
SELECT pg_temp.covers('field', f.object, f.field, 'comment',
       is(col_description(('orchestration.' || quote_ident(f.view))::regclass, a.attnum),
          f.field || ': ' || f.type || CASE WHEN f.length IS NULL THEN '' ELSE '(' || f.length || ')' END || '; ' || f.properties || COALESCE('. ' || f.note, ''),
          format('the comment on %s.%s says what it is', f.view, f.col)))
  FROM csv_field f JOIN pg_attribute a ON a.attrelid = ('orchestration.' || quote_ident(f.view))::regclass AND a.attname = f.col;
SELECT pg_temp.covers('field', f.object, f.field, 'type',
       ok(d.d->>'type' = CASE f.type WHEN 'dateTime' THEN 'datetime' ELSE f.type END AND (d.d->>'length')::integer = COALESCE(NULLIF(f.length, '')::integer, 0)
          AND d.d->>'soapType' = CASE f.type WHEN 'id' THEN 'tns:ID' WHEN 'reference' THEN 'tns:ID' WHEN 'boolean' THEN 'xsd:boolean' WHEN 'dateTime' THEN 'xsd:dateTime'
                                             WHEN 'int' THEN 'xsd:int' WHEN 'long' THEN 'xsd:long' WHEN 'anyType' THEN 'xsd:anyType' ELSE 'xsd:string' END,
          format('%s.%s is %s(%s)', f.object, f.field, f.type, f.length)))
  FROM csv_field f LEFT JOIN described_field d USING (object, field);
SELECT pg_temp.covers('field', f.object, f.field, 'since',
       ok(NOT EXISTS (SELECT FROM jsonb_array_elements(orchestration.describe_sobjects(ARRAY[f.object], v.since - 0.1)->0->'fields') x WHERE x->>'name' = f.field)
          AND EXISTS (SELECT FROM jsonb_array_elements(orchestration.describe_sobjects(ARRAY[f.object], v.since)->0->'fields') x WHERE x->>'name' = f.field),
          format('%s.%s came with version %s', f.object, f.field, v.since)))
  FROM csv_field f JOIN csv_object o USING (object) CROSS JOIN LATERAL (SELECT GREATEST(f.since, o.since) AS since) v
 WHERE v.since > o.since;
SELECT pg_temp.covers('field', f.object, f.field, 'refers_to',
       ok(d.d->>'relationshipName' IS NOT DISTINCT FROM f.relationship_name
          AND (SELECT COALESCE(array_agg(x ORDER BY x COLLATE "C"), '{}') FROM jsonb_array_elements_text(d.d->'referenceTo') x WHERE x <> 'Contract_Record')
            = CASE WHEN f.refers_to = '(triggering-record-targets.txt)' THEN (SELECT array_agg(name ORDER BY name COLLATE "C") FROM csv_target)
                   ELSE ARRAY(SELECT x FROM regexp_split_to_table(f.refers_to, ', ') x ORDER BY x COLLATE "C") END,
          format('%s.%s refers to %s by %s', f.object, f.field, f.refers_to, f.relationship_name)))
  FROM csv_field f LEFT JOIN described_field d USING (object, field) WHERE f.refers_to IS NOT NULL OR f.relationship_name IS NOT NULL;
SELECT ok(EXISTS (SELECT FROM described_field d WHERE d.d->'referenceTo' ? 'Contract_Record'), 'a registered record type is a target of the polymorphic lookups');
-- describe_sobjects() agrees with every property
SELECT pg_temp.covers('field', f.object, f.field, p.property,
       is((d.d->>p.flag)::boolean, p.property = ANY (f.flags), format('%s.%s: %s is described', f.object, f.field, p.flag)))
  FROM csv_field f CROSS JOIN (VALUES ('Autonumber', 'autonumber'), ('Create', 'createable'), ('Defaulted on create', 'defaultedOnCreate'), ('Filter', 'filterable'),
       ('Group', 'groupable'), ('idLookup', 'idLookup'), ('Nillable', 'nillable'), ('Restricted picklist', 'restrictedPicklist'), ('Sort', 'sortable'),
       ('Update', 'updateable')) p(property, flag) LEFT JOIN described_field d USING (object, field);
SELECT is_empty($$SELECT DISTINCT x FROM csv_field f, unnest(f.flags) x WHERE x NOT IN ('Autonumber', 'Create', 'Defaulted on create', 'Filter', 'Group', 'idLookup', 'Nillable', 'Restricted picklist', 'Sort', 'Update')$$,
                'there is no other property');
-- retrieve() returns every field; of Name, which has no retrieve(), the view does
CREATE FUNCTION pg_temp.given(object text, field text, id text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    row jsonb;
BEGIN
    IF object <> 'Name' THEN
        RETURN orchestration.retrieve(ARRAY[field], object, ARRAY[id])::jsonb->0;
    END IF;
    SELECT jsonb_build_object(field, to_jsonb(n)->lower(regexp_replace(field, '(?<=[a-z0-9])(?=[A-Z])', '_', 'g'))) INTO row
      FROM orchestration.name n WHERE n.id::text = $3;
    RETURN row;
END
$$;
SELECT pg_temp.covers('field', f.object, f.field, 'retrieve',
       ok(pg_temp.given(f.object, f.field, s.id) ? f.field, format('%s.%s is retrieved', f.object, f.field)))
  FROM csv_field f JOIN sample s USING (object);
-- in the order in which they are asked for, after attributes with type and url
SELECT is((SELECT array_agg(k ORDER BY n) FROM json_object_keys(r.record) WITH ORDINALITY k(k, n)), 'attributes'::text || r.names, format('%s: the fields come in the order of retrieve()', r.object))
       || E'\n' || is(r.record->>'attributes', format('{"type":"%s","url":"/services/data/v67.0/sobjects/%1$s/%s"}', r.object, s.id), format('%s has a url', r.object))
  FROM sample s JOIN (SELECT f.object, array_agg(f.field ORDER BY f.n DESC) AS names FROM csv_field f WHERE f.object <> 'Name' GROUP BY 1) f USING (object)
 CROSS JOIN LATERAL (SELECT f.object, f.names, orchestration.retrieve(f.names, f.object, ARRAY[s.id])->0 AS record) r;
-- each dateTime of each record has milliseconds, truncated, in UTC
CREATE FUNCTION pg_temp.other_times(object text, field text, view text, col text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM orchestration.%1$I x, json_array_elements(orchestration.retrieve(ARRAY[%2$L], %3$L, ARRAY[x.id::text])) r
                     WHERE r->>%2$L IS DISTINCT FROM to_char(date_trunc(''milliseconds'', x.%4$I) AT TIME ZONE ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.MS"+0000"'')
                        OR (r->>%2$L)::timestamptz IS DISTINCT FROM date_trunc(''milliseconds'', x.%4$I)', view, field, object, col) INTO n;
    RETURN n;
END
$$;
SELECT is(pg_temp.other_times(f.object, f.field, f.view, f.col), 0::bigint, format('%s.%s is written as 2013-05-08T21:20:00.000+0000', f.object, f.field))
  FROM csv_field f WHERE f.type = 'dateTime' AND f.object <> 'Name';
SELECT is_empty($$SELECT object, field FROM csv_field WHERE type NOT IN ('id', 'picklist', 'reference', 'string', 'textarea') AND flags && '{Create,Update}'$$,
                'no dateTime, number or boolean can be written: the calls take strings');
-- Update: plain SQL (a computed column, 0A000, a generated one, 428C9, and a view that joins, 55000, are refused before privileges are looked at), and update() where the object has it
SELECT pg_temp.covers('field', f.object, f.field, 'Update by SQL',
       ok(CASE WHEN 'Update' = ANY (f.flags) THEN a.answer = 'ok' ELSE a.answer IN ('42501', '0A000', '55000', '428C9') END, format('%s.%s: UPDATE: %s', f.object, f.field, a.answer)))
  FROM csv_field f CROSS JOIN LATERAL (SELECT pg_temp.try(format('UPDATE orchestration.%I SET %I = %I WHERE false', f.view, f.col, f.col)) AS answer) a;
SELECT pg_temp.covers('field', f.object, f.field, 'Update by call',
       is(pg_temp.answer(format('orchestration.update(%s)', pg_temp.record(f.object, s.id, f.field, to_jsonb(COALESCE(v.value, 'x'))))),
          CASE WHEN NOT 'update' = ANY (string_to_array(o.calls, ' ')) THEN 'INVALID_TYPE_FOR_OPERATION'
               WHEN 'Update' = ANY (f.flags) THEN 'success'
               WHEN f.field = 'Id' THEN 'MALFORMED_ID' ELSE 'INVALID_FIELD_FOR_INSERT_UPDATE' END, format('%s.%s: update()', f.object, f.field)))
  FROM csv_field f JOIN csv_object o USING (object) JOIN sample s USING (object) LEFT JOIN new_value v USING (object, field)
 WHERE f.field <> 'Id' OR 'update' = ANY (string_to_array(o.calls, ' '));
-- Create
SELECT pg_temp.covers('field', f.object, f.field, 'Create by SQL',
       ok(CASE WHEN 'Create' = ANY (f.flags) THEN a.answer = 'ok' ELSE a.answer IN ('42501', '0A000', '55000', '428C9') END, format('%s.%s: INSERT: %s', f.object, f.field, a.answer)))
  FROM csv_field f CROSS JOIN LATERAL (SELECT pg_temp.try(format('INSERT INTO orchestration.%I (%I) SELECT %I FROM orchestration.%I WHERE false', f.view, f.col, f.col, f.view)) AS answer) a;
SELECT pg_temp.covers('field', f.object, f.field, 'Create by call',
       is(pg_temp.answer(format('orchestration.create(%L)', jsonb_build_array(
              CASE WHEN f.object LIKE '%Share' THEN pg_temp.new_share(f.object) ELSE pg_temp.new_rule(f.object, 'Made') END
              || CASE WHEN 'Create' = ANY (f.flags) THEN '{}' ELSE jsonb_build_object(f.field, 'x') END))),
          CASE WHEN 'Create' = ANY (f.flags) THEN 'success' WHEN f.field = 'Id' THEN 'MALFORMED_ID' ELSE 'INVALID_FIELD_FOR_INSERT_UPDATE' END,
          format('%s.%s: create()', f.object, f.field)))
  FROM csv_field f JOIN csv_object o USING (object) WHERE o.calls LIKE 'create%';
-- every field that cannot be written, all at once, as retrieve() returned them
CREATE TEMP TABLE unwritable AS
SELECT o.name AS object, c.call, array_agg(f.name ORDER BY f.name COLLATE "C") AS names
  FROM orchestration.sobject o JOIN orchestration.sobject_field f ON f.object = o.name
 CROSS JOIN (VALUES ('update', 'Update'), ('create', 'Create')) c(call, property)
 WHERE c.call = ANY (o.calls) AND f.name <> 'Id' AND NOT c.property = ANY (f.properties) GROUP BY 1, 2;
SELECT is((SELECT count(*) FROM unwritable), (SELECT count(*) FROM csv_object o, unnest(string_to_array(o.calls, ' ')) x WHERE x IN ('create', 'update')), 'every object with create() or update() has such fields');
SELECT is(e.errors, jsonb_build_array(jsonb_build_object('statusCode', 'INVALID_FIELD_FOR_INSERT_UPDATE', 'fields', to_jsonb(u.names), 'named', true)), format('%s: %s() names all fields that cannot be written', u.object, u.call))
  FROM unwritable u JOIN sample s USING (object)
 CROSS JOIN LATERAL (SELECT CASE WHEN u.call = 'update' THEN jsonb_build_object('Id', s.id) WHEN u.object LIKE '%Share' THEN pg_temp.new_share(u.object) ELSE pg_temp.new_rule(u.object, 'Made') END
                            || (orchestration.retrieve(u.names, u.object, ARRAY[s.id])->0)::jsonb AS record) r
 CROSS JOIN LATERAL (SELECT jsonb_agg(jsonb_build_object('statusCode', e->>'statusCode', 'fields', (SELECT jsonb_agg(x ORDER BY x COLLATE "C") FROM jsonb_array_elements_text(e->'fields') x),
                                                         'named', (SELECT array_agg(x ORDER BY x COLLATE "C") FROM regexp_split_to_table(substring(e->>'message' FROM '^Unable to create/update fields: (.*?)[.] Please check'), ', ') x) = u.names)) AS errors
                       FROM jsonb_array_elements(CASE u.call WHEN 'update' THEN orchestration.update(jsonb_build_array(r.record)) ELSE orchestration.create(jsonb_build_array(r.record)) END->0->'errors') e) e;
-- not Nillable: null is refused if the field can be written, and no record has one
SELECT pg_temp.covers('field', f.object, f.field, 'null by call',
       is(pg_temp.answer(format('orchestration.update(%s)', pg_temp.record(f.object, s.id, f.field, 'null'))),
          CASE WHEN 'Nillable' = ANY (f.flags) THEN 'success' WHEN 'Restricted picklist' = ANY (f.flags) THEN 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST'
               WHEN f.field = 'OwnerId' THEN 'INVALID_EMPTY_KEY_OWNER' ELSE 'REQUIRED_FIELD_MISSING' END, format('%s.%s: update() to null', f.object, f.field)))
  FROM csv_field f JOIN csv_object o USING (object) JOIN sample s USING (object)
 WHERE 'Update' = ANY (f.flags) AND 'update' = ANY (string_to_array(o.calls, ' '));
CREATE FUNCTION pg_temp.nulls(view text, col text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM orchestration.%I WHERE %I IS NULL', view, col) INTO n;
    RETURN n;
END
$$;
SELECT pg_temp.covers('field', f.object, f.field, 'no null', is(pg_temp.nulls(f.view, f.col), 0::bigint, format('no %s has a null %s', f.object, f.field)))
  FROM csv_field f WHERE NOT 'Nillable' = ANY (f.flags);
-- Restricted picklist
SELECT pg_temp.covers('field', f.object, f.field, 'restricted',
       ok(CASE WHEN 'Update' = ANY (f.flags) AND 'update' = ANY (string_to_array(o.calls, ' '))
               THEN pg_temp.answer(format('orchestration.update(%s)', pg_temp.record(f.object, s.id, f.field, '"Nonsense"'))) = 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST'
               ELSE pg_temp.try(format('SELECT NULLIF(%I, ''Nonsense'') FROM orchestration.%I', f.col, f.view)) = CASE WHEN (SELECT atttypid FROM pg_attribute a WHERE a.attrelid = ('orchestration.' || quote_ident(f.view))::regclass AND a.attname = f.col) = 'text'::regtype THEN 'ok' ELSE '22P02' END END,
          format('%s.%s takes no other value', f.object, f.field)))
  FROM csv_field f JOIN csv_object o USING (object) JOIN sample s USING (object) WHERE 'Restricted picklist' = ANY (f.flags);
-- Autonumber, Defaulted on create: filled when no value is given
SELECT pg_temp.covers('field', f.object, f.field, 'autonumber',
       matches(orchestration.retrieve(ARRAY[f.field], f.object, ARRAY[s.id])->0->>f.field, '^O[RL]-[0-9]{8}$|^WI-[0-9]{8}$|^A(S|WI|SD)-[0-9]{9}$', format('%s.%s numbers itself', f.object, f.field)))
  FROM csv_field f JOIN sample s USING (object) WHERE 'Autonumber' = ANY (f.flags);
SELECT pg_temp.covers('field', f.object, f.field, 'defaulted',
       isnt(pg_temp.given(f.object, f.field, s.id)->>f.field, NULL, format('%s.%s is filled', f.object, f.field)))
  FROM csv_field f JOIN sample s USING (object) WHERE 'Defaulted on create' = ANY (f.flags);
-- idLookup: upsert() accepts the field if the object has upsert(), and no other field
SELECT pg_temp.covers('field', f.object, f.field, 'idLookup by call',
       is(pg_temp.answer(format('orchestration.upsert(%L, %s)', f.field, CASE WHEN f.field = 'Id' THEN pg_temp.record(f.object, s.id, 'AccessLevel', '"Edit"')
                                  ELSE pg_temp.record(f.object, NULL, f.field, (orchestration.retrieve(ARRAY[f.field], f.object, ARRAY[s.id])->0->f.field)::jsonb) END)),
          CASE WHEN f.field = 'Id' OR 'idLookup' = ANY (f.flags) THEN 'success' ELSE 'INVALID_FIELD' END, format('%s.%s: upsert()', f.object, f.field)))
  FROM csv_field f JOIN csv_object o USING (object) JOIN sample s USING (object) WHERE o.calls LIKE '%upsert%';
-- length
SELECT pg_temp.covers('field', f.object, f.field, 'length',
       is(pg_temp.answer(format('orchestration.update(%s)', pg_temp.record(f.object, s.id, f.field, to_jsonb(repeat('x', f.length::integer + 1))))), 'STRING_TOO_LONG',
          format('%s.%s takes no more than %s characters', f.object, f.field, f.length)))
  FROM csv_field f JOIN csv_object o USING (object) JOIN sample s USING (object)
 WHERE 'Update' = ANY (f.flags) AND f.type IN ('string', 'textarea') AND 'update' = ANY (string_to_array(o.calls, ' '));

-- ----------------------------------------------------------------- picklists
SELECT pg_temp.covers('picklist', p.object, p.field, p.value,
       ok(d.d->'picklistValues'->(p.position - 1)->>'value' = p.value AND (d.d->'picklistValues'->(p.position - 1)->>'active')::boolean,
          format('%s.%s has %s as number %s', p.object, p.field, p.value, p.position)))
  FROM csv_picklist p LEFT JOIN described_field d USING (object, field);
SELECT is(jsonb_array_length(d.d->'picklistValues'), (SELECT count(*)::integer FROM csv_picklist p WHERE p.object = d.object AND p.field = d.field),
          format('%s.%s has no other value', d.object, d.field))
  FROM described_field d WHERE d.d->>'type' = 'picklist' AND EXISTS (SELECT FROM csv_picklist p WHERE p.object = d.object AND p.field = d.field);
-- each is a value of the column
SELECT pg_temp.covers('picklist', p.object, p.field, p.value,
       is(pg_temp.try(format('SELECT NULLIF(%I, %L) FROM orchestration.%I', f.col, p.value, f.view)), 'ok', format('%s.%s can be %s', p.object, p.field, p.value)))
  FROM csv_picklist p JOIN csv_field f USING (object, field);
-- a writable field accepts the value, or refuses it for a reason of its own
SELECT pg_temp.covers('picklist', p.object, p.field, p.value,
       is(pg_temp.answer(format('orchestration.update(%s)', pg_temp.record(p.object, s.id, p.field, to_jsonb(p.value)))),
          CASE WHEN p.value = 'All' THEN 'INVALID_ACCESS_LEVEL' WHEN p.value = 'Completed' THEN 'STATE_TRANSITION_NOT_ALLOWED' ELSE 'success' END,
          format('update() of %s.%s to %s', p.object, p.field, p.value)))
  FROM csv_picklist p JOIN csv_field f USING (object, field) JOIN csv_object o USING (object) JOIN sample s USING (object)
 WHERE 'Update' = ANY (f.flags) AND 'update' = ANY (string_to_array(o.calls, ' '));

-- ------------------------------------------------------------------ coverage
RESET ROLE;
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify() finds nothing');
SELECT is_empty($$SELECT object FROM csv_object o WHERE NOT EXISTS (SELECT FROM covered c WHERE c.kind = 'object' AND c.object = o.object)
                  UNION ALL SELECT o.object || ' ' || x FROM csv_object o, unnest(string_to_array(o.calls, ' ')) x
                   WHERE NOT EXISTS (SELECT FROM covered c WHERE c.kind = 'object' AND c.object = o.object AND c.item = x)$$, 'every row of objects.csv, and every call in it, was checked');
SELECT is_empty($$SELECT f.object, f.field FROM csv_field f
                   WHERE NOT f.flags <@ ARRAY(SELECT item FROM covered c WHERE c.kind = 'field' AND c.object = f.object AND c.field = f.field)
                      OR NOT ARRAY['type', 'column', 'comment', 'retrieve', 'Update by SQL', 'Create by SQL'] <@ ARRAY(SELECT item FROM covered c WHERE c.kind = 'field' AND c.object = f.object AND c.field = f.field)$$,
                'every row of fields.csv, and every property in it, was checked');
SELECT is_empty($$SELECT object, field, value FROM csv_picklist p WHERE NOT EXISTS (SELECT FROM covered c WHERE c.kind = 'picklist' AND c.object = p.object AND c.field = p.field AND c.item = p.value)$$,
                'every row of picklists.csv was checked');
SELECT diag(format('coverage: %s of %s rows of objects.csv, %s of %s of fields.csv, %s of %s of picklists.csv; %s checks',
    (SELECT count(DISTINCT object) FROM covered WHERE kind = 'object'), (SELECT count(*) FROM csv_object),
    (SELECT count(*) FROM csv_field f WHERE EXISTS (SELECT FROM covered c WHERE c.kind = 'field' AND c.object = f.object AND c.field = f.field)), (SELECT count(*) FROM csv_field),
    (SELECT count(*) FROM csv_picklist p WHERE EXISTS (SELECT FROM covered c WHERE c.kind = 'picklist' AND c.object = p.object AND c.field = p.field AND c.item = p.value)), (SELECT count(*) FROM csv_picklist),
    (SELECT count(*) FROM covered)));
SELECT * FROM finish();
ROLLBACK;
