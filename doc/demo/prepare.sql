-- prepare.sql: plays any orchestration: finds answers and values that lead it on.
--
-- orchestration_setup_script() makes what the orchestration refers to (play.sh).  This file
-- reads orchestration_references() and the documents.

SET client_min_messages = warning;

-- whom a reference gives, as an assignee
SELECT orchestration.create_user('somebody@example.com', 'Somebody', current_user);
SELECT orchestration.create_group('somebody@example.com');
SELECT orchestration.create_queue('somebody@example.com');

-- the table of a record type, and its column for a field
CREATE FUNCTION demo.relation(record_type text) RETURNS regclass STABLE LANGUAGE sql AS $$
    SELECT orchestration_internal.record_type_table($1)
$$;
CREATE FUNCTION demo.col(target regclass, field text) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT a.attname FROM pg_attribute a
     WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
       AND (lower(a.attname) = lower(field)
            OR a.attname = lower(regexp_replace(regexp_replace(field, '([A-Z])([A-Z][a-z])', '\1_\2', 'g'), '([a-z0-9])([A-Z])', '\1_\2', 'g')))
     LIMIT 1
$$;
CREATE FUNCTION demo.columns(target regclass, fields jsonb) RETURNS jsonb STABLE LANGUAGE sql AS $$
    SELECT COALESCE(jsonb_object_agg(demo.col(target, key), value), '{}') FROM jsonb_each(fields) WHERE demo.col(target, key) IS NOT NULL
$$;

-- variant: what was answered before led nowhere, so now something else
CREATE TABLE demo.setting (orchestration text, record_type text, variant integer NOT NULL DEFAULT 0);
INSERT INTO demo.setting VALUES (:'orchestration');

CREATE FUNCTION demo.document(orch text) RETURNS jsonb STABLE LANGUAGE sql AS $$
    SELECT v.document FROM orchestration.orchestration_version v
      JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
     WHERE d.name = orch ORDER BY v.version DESC LIMIT 1
$$;

-- every requirement and filter: what it looks at, and the value it wants there
CREATE VIEW demo.requirement AS
    SELECT d.name AS orchestration, r->>'leftValueReference' AS reference, r->>'field' AS field,
           r->>'operator' AS operator,
           COALESCE(r->'rightValue', r->'value') AS value
      FROM orchestration.orchestration_definition d,
           LATERAL demo.document(d.name) doc,
           LATERAL jsonb_path_query(doc, '$.** ? (exists (@.operator))') r
     WHERE jsonb_typeof(r) = 'object' AND r ? 'operator'
    UNION ALL
    -- and the comparisons in formulas
    SELECT d.name, m[1], NULL, 'EqualTo',
           CASE WHEN m[3] IS NOT NULL THEN jsonb_build_object('stringValue', m[3])
                ELSE jsonb_build_object('numberValue', m[4]::numeric) END
      FROM orchestration.orchestration_definition d,
           LATERAL demo.document(d.name) doc,
           LATERAL jsonb_array_elements(COALESCE(doc->'formulas', '[]')) f,
           LATERAL regexp_matches(f->>'expression',
               '\{!([A-Za-z_.$]+)\}\s*(==?|,|>=?)\s*(?:["'']([^"'']*)["'']|([0-9.]+))', 'g') m;

-- what satisfies one
CREATE FUNCTION demo.wanted(operator text, value jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE
        WHEN operator IN ('IsNull', 'IsBlank', 'IsEmpty') THEN
            CASE WHEN value->>'booleanValue' = 'true' THEN 'null' ELSE '"something"' END::jsonb
        WHEN operator = 'IsChanged' THEN '"changed"'
        WHEN value ? 'numberValue' THEN to_jsonb((value->>'numberValue')::numeric
            + CASE operator WHEN 'GreaterThan' THEN 1 WHEN 'NotEqualTo' THEN 1 WHEN 'LessThan' THEN -1 ELSE 0 END)
        WHEN value ? 'booleanValue' THEN to_jsonb((value->>'booleanValue')::boolean = (operator = 'EqualTo'))
        WHEN operator = 'NotEqualTo' THEN to_jsonb('other than ' || COALESCE(value->>'stringValue', 'null'))
        ELSE COALESCE(value->'stringValue', '"somebody@example.com"') END
$$;

-- what a step answers the nth time (from 0): outputs that satisfy what looks at
-- them; the next time the next value, so that no loop is for ever; and names where
-- assignees are looked for
CREATE FUNCTION demo.outputs(step text, nth bigint) RETURNS jsonb STABLE LANGUAGE sql AS $$
    WITH candidate AS (
        SELECT DISTINCT split_part(r.reference, '.', 3) AS output,
               CASE WHEN r.value ? 'numberValue' AND s.variant % 2 = 1 THEN '0'::jsonb
                    ELSE demo.wanted(r.operator, r.value) END AS wanted,
               COALESCE(r.operator LIKE 'Not%', false) AS negative
          FROM demo.requirement r, demo.setting s
         WHERE r.orchestration = s.orchestration AND r.reference LIKE step || '.Outputs.%'
    ), ranked AS (
        SELECT output, wanted, row_number() OVER (PARTITION BY output
                 ORDER BY wanted::text !~* 'approve', negative,
                          CASE WHEN jsonb_typeof(wanted) = 'number' THEN -(wanted #>> '{}')::numeric END, wanted::text) - 1 AS rank,
               count(*) OVER (PARTITION BY output) AS n
          FROM candidate
    ), name AS (
        SELECT DISTINCT split_part(f.name, '.', 3) AS output,
               CASE WHEN f.name LIKE '%.Outputs.%.%' THEN jsonb_build_object(split_part(f.name, '.', 4), 'somebody@example.com')
                    ELSE '"somebody@example.com"' END AS wanted
          FROM demo.setting s, orchestration.orchestration_references(s.orchestration) f
         WHERE f.kind = 'assignee' AND f.name LIKE step || '.Outputs.%'
    ), given AS (
        -- inputs that take an output are given what they want
        SELECT DISTINCT split_part(i #>> '{value,elementReference}', '.', 3) AS output,
               COALESCE((SELECT demo.wanted(r.operator, r.value) FROM demo.requirement r
                          WHERE r.reference = i->>'name' AND r.value ? 'booleanValue' LIMIT 1),
                        (SELECT 'true'::jsonb FROM orchestration.orchestration_definition d,
                                jsonb_array_elements(demo.document(d.name)->'variables') v
                          WHERE d.name <> s.orchestration AND v->>'name' = i->>'name' AND v->>'dataType' = 'Boolean'
                          LIMIT 1), '"given"') AS wanted
          FROM demo.setting s, jsonb_path_query(demo.document(s.orchestration), '$.**.exitActionInputParameters[*]') i
         WHERE i #>> '{value,elementReference}' LIKE step || '.Outputs.%'
    )
    SELECT CASE WHEN variant % 2 = 0 THEN g.outputs || r.outputs ELSE r.outputs || g.outputs END
        || COALESCE((SELECT jsonb_object_agg(output, wanted) FROM name), '{}')
      FROM demo.setting,
           LATERAL (SELECT COALESCE(jsonb_object_agg(output, wanted), '{}') AS outputs FROM given) g,
           LATERAL (SELECT COALESCE(jsonb_object_agg(output, wanted), '{}') AS outputs
                      FROM ranked WHERE rank = (nth + variant / 2) % n) r
$$;
CREATE OR REPLACE FUNCTION demo.answer(step text, run uuid) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE WHEN doc->>'processType' = 'ApprovalWorkflow'
                -- one decision; what a document compares it with may be a part of it
                THEN '{"specifiedComments": "Looks good"}'::jsonb || (outputs - '{approvalDecision,selectedAction}'::text[])
                     || jsonb_build_object('approvalDecision', CASE WHEN COALESCE(outputs->>'approvalDecision', outputs->>'selectedAction') ~* '^rej'
                                                                   THEN 'Reject' ELSE 'Approve' END)
                ELSE '{"selectedAction": "Approve", "specifiedComments": "Looks good"}'::jsonb || outputs END
      FROM demo.outputs(step, (SELECT count(*) FROM orchestration.step_run s WHERE s.run_id = run AND s.name = step) - 1) outputs,
           demo.document((SELECT orchestration FROM demo.setting)) doc
$$;

-- The functions of the setup script return what leads on, in this play.
CREATE PROCEDURE demo.teach(orch text) LANGUAGE plpgsql AS $$
DECLARE
    act record;
BEGIN
    FOR act IN SELECT a.name, a.function_name, jsonb_object_agg(COALESCE(o.key, 'done'), COALESCE(o.value, 'true')) AS outputs
                 FROM jsonb_path_query(demo.document(orch), '$.**.stageSteps[*]') step
                 JOIN orchestration.action a ON a.name = step->>'actionName' AND a.kind = 'function'
                 LEFT JOIN LATERAL jsonb_each(demo.outputs(step->>'name', 0)) o ON true
                GROUP BY a.name LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION %s(inputs jsonb) RETURNS jsonb LANGUAGE sql AS %L',
                       act.function_name, format('SELECT %L::jsonb', act.outputs));
    END LOOP;
END
$$;

-- A document without what is stale in it: conditions that name nothing or are not
-- finished are removed, and an assignee that does not exist becomes "somebody".
CREATE FUNCTION demo.repaired(node jsonb, names text[], people text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    IF jsonb_typeof(node) = 'array' THEN
        SELECT COALESCE(jsonb_agg(demo.repaired(e, names, people) ORDER BY n), '[]') INTO result
          FROM jsonb_array_elements(node) WITH ORDINALITY u (e, n)
         WHERE NOT (jsonb_typeof(e) = 'object' AND e ? 'operator' AND
                    (e->>'operator' = 'None' OR
                     (e ? 'leftValueReference' AND NOT split_part(e->>'leftValueReference', '.', 1) = ANY (names)
                      AND e->>'leftValueReference' NOT LIKE '$%')));
        RETURN result;
    ELSIF jsonb_typeof(node) <> 'object' THEN
        RETURN node;
    END IF;
    SELECT COALESCE(jsonb_object_agg(k, demo.repaired(v, names, people)), '{}') INTO result FROM jsonb_each(node) u (k, v);
    IF node->>'actionType' IN ('stepInteractive', 'stepApproval', 'createWorkItem')
       AND (NOT node ? 'assignees' OR node #> '{assignees,0,assignee}' IS NULL) THEN
        result := result || '{"assignees": [{"assigneeType": "User", "assignee": {"stringValue": "somebody@example.com"}}]}';
    END IF;
    -- a variable that would be an assignee and that nothing gives a value
    IF node ? 'dataType' AND node->>'dataType' = 'String' AND NOT node ? 'value'
       AND node->>'name' = ANY (people) THEN
        result := result || '{"value": {"stringValue": "somebody@example.com"}}';
    END IF;
    IF node ? 'conditions' AND node ? 'conditionLogic' AND jsonb_array_length(result->'conditions') = 0 THEN
        result := result || '{"conditions": [{"leftValueReference": "$Flow.CurrentDateTime", "operator": "IsNull", "rightValue": {"booleanValue": true}}]}';
    END IF;
    RETURN result;
END
$$;
CREATE FUNCTION demo.repaired(orch text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT demo.repaired(doc, ARRAY(SELECT n #>> '{}' FROM jsonb_path_query(doc, '$.**.name') n),
                         ARRAY(SELECT name FROM orchestration.orchestration_references(orch) WHERE kind = 'assignee' AND resolved IS NULL))
      FROM demo.document(orch) doc
$$;

-- An orchestration whose one stage completes when an evaluation flow says so.
CREATE FUNCTION demo.host(flow text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('label', 'Host', 'fullName', 'Host', 'processType', 'Orchestrator',
        'start', jsonb_build_object('connector', '{"targetReference": "Only"}'::jsonb)
            || CASE WHEN doc @? '$.recordLookups[0].filters[*] ? (@.field == "Id")' THEN jsonb_build_object('triggerType', 'RecordAfterSave',
                   'recordTriggerType', 'Create', 'object', doc #>> '{recordLookups,0,object}') ELSE '{}' END,
        'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'Only', 'label', 'Only',
            'exitActionName', flow, 'exitActionType', 'evaluationFlow',
            'exitActionInputParameters', (
                SELECT COALESCE(jsonb_agg(jsonb_build_object('name', v->>'name', 'value',
                    CASE WHEN v->>'dataType' = 'String' AND doc @? '$.recordLookups[0].filters[*] ? (@.field == "Id")'
                              AND v->>'name' ~* 'id$' THEN '{"elementReference": "$Record.Id"}'
                         WHEN v->>'dataType' = 'String' THEN '{"stringValue": "somebody@example.com"}'
                         WHEN v->>'dataType' = 'Boolean' THEN COALESCE((SELECT r.value FROM demo.requirement r
                              WHERE r.orchestration = flow AND r.reference = v->>'name' AND r.value ? 'booleanValue'
                              LIMIT 1), '{"booleanValue": true}')
                         ELSE '{"numberValue": 1}' END)), '[]')
                  FROM jsonb_array_elements(doc->'variables') v WHERE (v->>'isInput')::boolean))))
      FROM demo.document(flow) doc
$$;

CREATE FUNCTION demo.nested(path text[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE WHEN cardinality(path) = 0 THEN '"somebody@example.com"'
                ELSE jsonb_build_object(path[1], demo.nested(path[2:])) END
$$;

-- inputs: what the first requirement on one wants, else the name of somebody for
-- texts, something of its type for the rest
CREATE FUNCTION demo.inputs() RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(f.name, COALESCE(
               (SELECT demo.wanted(r.operator, r.value) FROM demo.requirement r
                 WHERE r.orchestration = s.orchestration AND r.reference = f.name AND f.detail = 'Boolean' LIMIT 1),
               CASE f.detail
               WHEN 'String' THEN '"somebody@example.com"'::jsonb
               WHEN 'Number' THEN '3' WHEN 'Currency' THEN '3'
               WHEN 'Boolean' THEN 'true'
               WHEN 'Date' THEN '"2027-01-31"' WHEN 'DateTime' THEN '"2027-01-31T12:00:00Z"'
               WHEN 'Time' THEN '"12:00:00"'
               ELSE CASE WHEN f.detail LIKE '%[]' THEN '[]'::jsonb
                         ELSE '{"Name": "example"}' || COALESCE((
                             SELECT jsonb_object_agg(split_part(a.name, '.', 2),
                                        demo.nested((string_to_array(a.name, '.'))[3:]))
                               FROM orchestration.orchestration_references(s.orchestration) a
                              WHERE a.kind = 'assignee' AND a.name LIKE f.name || '.%'), '{}') END END))
      FROM demo.setting s, orchestration.orchestration_references(s.orchestration) f
     WHERE f.kind = 'input'
$$;

-- Nothing waits and the run is not at its end: change the records that it looks
-- at.  False: nothing is left to try.
CREATE TABLE demo.tried (what text PRIMARY KEY);
CREATE OR REPLACE FUNCTION demo.unstick(run uuid) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    target record;
    try record;
BEGIN
    SELECT triggering_record_type AS type, triggering_record_id AS id INTO target
      FROM orchestration.run r WHERE r.id = run;
    -- what lookups look for
    FOR try IN SELECT l->>'object' AS object,
                      jsonb_object_agg(f->>'field', CASE WHEN f->'value' ? 'elementReference' THEN to_jsonb(COALESCE(target.id, 'somebody@example.com'))
                                                         ELSE demo.wanted(f->>'operator', f->'value') END) AS fields
                 FROM orchestration.orchestration_definition d,
                      LATERAL jsonb_array_elements(COALESCE(demo.document(d.name)->'recordLookups', '[]')) l,
                      LATERAL jsonb_array_elements(COALESCE(l->'filters', '[]')) f
                WHERE f->>'field' <> 'Id'
                GROUP BY d.name, l LOOP
        INSERT INTO demo.tried VALUES (try::text) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            EXECUTE format('INSERT INTO %1$s SELECT (jsonb_populate_record(NULL::%1$s, $1)).*', demo.relation(try.object))
              USING demo.columns(demo.relation(try.object), try.fields) || jsonb_build_object('id', orchestration.new_id());
            PERFORM orchestration.reevaluate_run(run);
            RETURN true;
        END IF;
    END LOOP;
    IF target.id IS NULL THEN
        RETURN false;
    END IF;
    -- fields of the record: what requirements want there, and texts that evaluation flows are given
    FOR try IN SELECT DISTINCT demo.col(demo.relation(target.type), r.field) AS field, r.wanted FROM (
                   SELECT substr(reference, 9) AS field, demo.wanted(operator, value) AS wanted
                     FROM demo.requirement WHERE reference LIKE '$Record.%' AND reference NOT LIKE '$Record.%.%'
                   UNION ALL
                   SELECT split_part(r.reference, '.', 2), v.value
                     FROM demo.setting s, LATERAL demo.document(s.orchestration) doc,
                          LATERAL jsonb_path_query(doc, '$.**.exitActionInputParameters.value.stringValue') v (value),
                          demo.requirement r
                    WHERE r.orchestration <> s.orchestration AND r.reference LIKE '%.%'
                   UNION ALL
                   SELECT split_part(r.reference, '.', 2), '"something else"'::jsonb
                     FROM demo.setting s, demo.requirement r
                    WHERE r.orchestration <> s.orchestration AND r.reference LIKE '%.%') r
               WHERE demo.col(demo.relation(target.type), r.field) IS NOT NULL
               ORDER BY 1, 2 LOOP
        IF EXISTS (SELECT FROM demo.tried WHERE what = run || (SELECT count(*)::text FROM orchestration.stage_run s WHERE s.run_id = run) || try::text) THEN
            CONTINUE;
        END IF;
        INSERT INTO demo.tried VALUES (run || (SELECT count(*)::text FROM orchestration.stage_run s WHERE s.run_id = run) || try::text);
        EXECUTE format('UPDATE %1$s SET %2$I = (jsonb_populate_record(NULL::%1$s, $1)).%2$I WHERE id::text = $2',
                       demo.relation(target.type), try.field)
          USING jsonb_build_object(try.field, try.wanted), target.id;
        RETURN true;
    END LOOP;
    RETURN false;
END
$$;

-- what relationships of a new record lead to, as its columns; all texts there are
-- the name of somebody
CREATE FUNCTION demo.related(target regclass) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    result jsonb := '{}';
    col record;
    other uuid;
BEGIN
    FOR col IN SELECT a.attname, c.confrelid::regclass AS related
                 FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                WHERE c.contype = 'f' AND c.conrelid = target AND c.confrelid <> target LOOP
        other := orchestration.new_id();
        EXECUTE format('INSERT INTO %1$s SELECT (jsonb_populate_record(NULL::%1$s, $1)).*', col.related)
          USING demo.related(col.related) || jsonb_build_object('id', other)
             -- everybody is somebody's manager, also of oneself
             || COALESCE((SELECT jsonb_object_agg(a.attname, other) FROM pg_constraint s
                            JOIN pg_attribute a ON a.attrelid = s.conrelid AND a.attnum = s.conkey[1]
                           WHERE s.contype = 'f' AND s.conrelid = col.related AND s.confrelid = col.related), '{}')
             || COALESCE((SELECT jsonb_object_agg(attname, 'somebody@example.com') FROM pg_attribute
                           WHERE attrelid = col.related AND attnum > 0 AND atttypid = 'text'::regtype), '{}');
        result := result || jsonb_build_object(col.attname, other);
    END LOOP;
    RETURN result;
END
$$;

-- It waits for what will never be: cancel it, answer otherwise.
CREATE PROCEDURE demo.start_over() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress';
    UPDATE demo.setting SET variant = variant + 1;
    DELETE FROM demo.tried;
    CALL demo.start();
END
$$;

-- start: a record that first does not, then does satisfy the filters; or by call
CREATE PROCEDURE demo.start() LANGUAGE plpgsql AS $$
DECLARE
    orch text := (SELECT orchestration FROM demo.setting);
    doc jsonb := demo.document(orch);
    target text := doc #>> '{start,object}';
    relation regclass := demo.relation(target);
    rec jsonb;
    satisfied jsonb;
BEGIN
    UPDATE demo.setting SET record_type = target;
    IF target IS NULL THEN
        PERFORM orchestration.start_orchestration(orch, NULL, demo.inputs());
        RETURN;
    END IF;
    -- its key is that of a user, where the record itself is an assignee
    rec := demo.related(relation)
        || jsonb_build_object('id', (SELECT id FROM orchestration.principal WHERE kind = 'User' AND username = 'somebody@example.com'))
        || demo.columns(relation, COALESCE((SELECT jsonb_object_agg(substr(name, 9), 'somebody@example.com')
                       FROM orchestration.orchestration_references(orch)
                      WHERE kind = 'assignee' AND name LIKE '$Record.%' AND name NOT LIKE '$Record.%.%'
                        AND lower(name) <> '$record.id'), '{}'));
    EXECUTE format('DELETE FROM %s', relation);
    satisfied := demo.columns(relation, COALESCE((SELECT jsonb_object_agg(f->>'field', demo.wanted(f->>'operator', f->'value'))
                             FROM jsonb_array_elements(COALESCE(doc->'start'->'filters', '[]')) f), '{}'));
    EXECUTE format('INSERT INTO %1$s SELECT (jsonb_populate_record(NULL::%1$s, $1)).*', relation) USING rec;
    IF NOT EXISTS (SELECT FROM orchestration.run WHERE status <> 'Canceled') THEN
        EXECUTE format('UPDATE %s SET id = id%s WHERE id::text = $1', relation,
                       (SELECT string_agg(format(', %I = %L', key, value), '') FROM jsonb_each_text(satisfied)))
          USING rec->>'id';
    END IF;
    -- triggered by creation only: create one that satisfies the filters
    IF NOT EXISTS (SELECT FROM orchestration.run WHERE status <> 'Canceled') THEN
        EXECUTE format('DELETE FROM %s', relation);
        EXECUTE format('INSERT INTO %1$s SELECT (jsonb_populate_record(NULL::%1$s, $1)).*', relation)
          USING rec || satisfied;
    END IF;
END
$$;
