-- prepare.sql: makes what any orchestration refers to, so that it can be played:
-- tables for its records, actions that do nothing much, people; and finds answers
-- and values that lead it on.
--
-- Reads orchestration_references() and the documents.  play.sh calls prepare() for
-- the orchestration and for the evaluation flows that it asks.

SET client_min_messages = warning;

CREATE FUNCTION public.say_yes(jsonb) RETURNS jsonb LANGUAGE sql
    AS $$ SELECT '{"isOrchestrationConditionMet": true}'::jsonb $$;

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

CREATE FUNCTION demo.field_type(field text) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT CASE WHEN bool_or(value ? 'numberValue') THEN 'numeric'
                WHEN bool_or(value ? 'booleanValue' AND operator NOT IN ('IsNull', 'IsChanged', 'IsBlank', 'IsEmpty')) THEN 'boolean'
                ELSE 'text' END
      FROM demo.requirement r
     WHERE r.field = $1 OR split_part(r.reference, '.', 2) = $1
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
    SELECT '{"selectedAction": "Approve", "specifiedComments": "Looks good"}'
        || demo.outputs(step, (SELECT count(*) FROM orchestration.step_run s WHERE s.run_id = run AND s.name = step) - 1)
$$;

CREATE PROCEDURE demo.prepare(orch text) LANGUAGE plpgsql AS $$
DECLARE
    doc jsonb := demo.document(orch);
    ref record;
    parts text[];
    owner_table text;
    col text;
BEGIN
    -- record types: a column for each field, a table for each relationship
    FOR ref IN SELECT DISTINCT name FROM orchestration.orchestration_references(orch) WHERE kind = 'record type' LOOP
        IF to_regclass(format('public.%I', ref.name)) IS NULL THEN
            EXECUTE format('CREATE TABLE public.%I (id uuid PRIMARY KEY DEFAULT orchestration.new_id())', ref.name);
            PERFORM orchestration.register_record_type(ref.name, to_regclass(format('public.%I', ref.name)));
        END IF;
    END LOOP;
    FOR ref IN SELECT DISTINCT name, detail FROM orchestration.orchestration_references(orch)
                WHERE kind = 'record field' AND lower(name) <> 'id' AND detail IS NOT NULL ORDER BY name LOOP
        parts := string_to_array(ref.name, '.');
        owner_table := ref.detail;
        FOR i IN 1 .. cardinality(parts) - 1 LOOP
            -- a relationship: a table of its own, and a foreign key to it
            col := regexp_replace(split_part(parts[i], ':', 1), '__r$', '');
            IF to_regclass(format('public.%I', owner_table || '_' || col)) IS NULL THEN
                EXECUTE format('CREATE TABLE public.%I (id uuid PRIMARY KEY DEFAULT orchestration.new_id())', owner_table || '_' || col);
                EXECUTE format('ALTER TABLE public.%I ADD COLUMN %I uuid REFERENCES public.%I', owner_table, col || 'Id', owner_table || '_' || col);
            END IF;
            owner_table := owner_table || '_' || col;
        END LOOP;
        IF lower(parts[cardinality(parts)]) <> 'id' THEN
            EXECUTE format('ALTER TABLE public.%I ADD COLUMN IF NOT EXISTS %I %s', owner_table,
                           parts[cardinality(parts)], demo.field_type(parts[cardinality(parts)]));
        END IF;
    END LOOP;
    -- what evaluation flows read of the records that they look up
    FOR ref IN SELECT l->>'object' AS object, split_part(r.reference, '.', 2) AS field
                 FROM jsonb_array_elements(COALESCE(doc->'recordLookups', '[]')) l
                 JOIN demo.requirement r ON r.orchestration = orch AND split_part(r.reference, '.', 1) = l->>'name'
                WHERE r.reference LIKE '%.%' LOOP
        EXECUTE format('ALTER TABLE public.%I ADD COLUMN IF NOT EXISTS %I %s', ref.object, ref.field, demo.field_type(ref.field));
    END LOOP;

    -- actions
    FOR ref IN SELECT name, min(detail) AS detail, bool_or(detail LIKE 'worker%') AS asynchronous
                 FROM orchestration.orchestration_references(orch) WHERE kind = 'action' AND NOT resolved GROUP BY name LOOP
        IF ref.detail = 'screen' THEN
            PERFORM orchestration.register_action(ref.name, 'screen');
        ELSIF ref.detail = 'evaluation' THEN
            PERFORM orchestration.register_action(ref.name, 'function', 'public.say_yes(jsonb)');
        ELSIF ref.asynchronous THEN
            PERFORM orchestration.register_action(ref.name, 'worker');
        ELSE
            -- it returns what is looked at afterwards
            EXECUTE format('CREATE FUNCTION public.%I(jsonb) RETURNS jsonb LANGUAGE sql AS %L', 'do ' || ref.name,
                format('SELECT %L::jsonb', (SELECT COALESCE(jsonb_object_agg(k, v), '{}') || '{"done": true}'
                    FROM jsonb_path_query(doc, '$.**.stageSteps[*]') step,
                         jsonb_each(demo.outputs(step->>'name', 0)) o (k, v)
                   WHERE step->>'actionName' = ref.name)));
            PERFORM orchestration.register_action(ref.name, 'function', format('public.%I(jsonb)', 'do ' || ref.name)::regprocedure);
        END IF;
    END LOOP;

    -- the role that plays the file lets its actions act as the users that the file names
    FOR ref IN SELECT DISTINCT name FROM orchestration.orchestration_references(orch) WHERE kind = 'runAsUser' AND NOT resolved LOOP
        PERFORM orchestration.allow_run_as_user(ref.name);
    END LOOP;

    -- people: literal assignees by their name; whom a reference gives is "somebody"
    FOR ref IN SELECT DISTINCT name, detail FROM orchestration.orchestration_references(orch)
                WHERE kind = 'assignee' AND resolved = false LOOP
        CASE ref.detail
            WHEN 'User' THEN PERFORM orchestration.create_user(ref.name, split_part(ref.name, '@', 1));
            WHEN 'Group' THEN PERFORM orchestration.create_group(ref.name);
            WHEN 'Queue' THEN PERFORM orchestration.create_queue(ref.name);
            ELSE PERFORM orchestration.create_group(ref.name);
        END CASE;
    END LOOP;
    IF NOT EXISTS (SELECT FROM orchestration.principal WHERE username = 'somebody@example.com') THEN
        PERFORM orchestration.create_user('somebody@example.com', 'Somebody', current_user);
        PERFORM orchestration.create_group('somebody@example.com');
        PERFORM orchestration.create_queue('somebody@example.com');
    END IF;

    -- global variables
    PERFORM orchestration.set_global(g.name, g.value) FROM (
        SELECT split_part(name, '.', 1) AS name, jsonb_object_agg(split_part(name, '.', 2), 'example') AS value
          FROM orchestration.orchestration_references(orch) WHERE kind = 'global' GROUP BY 1) g;
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
            EXECUTE format('INSERT INTO public.%1$I SELECT (jsonb_populate_record(NULL::public.%1$I, $1)).*', try.object)
              USING try.fields || jsonb_build_object('id', orchestration.new_id());
            PERFORM orchestration.publish_event(run);
            RETURN true;
        END IF;
    END LOOP;
    IF target.id IS NULL THEN
        RETURN false;
    END IF;
    -- fields of the record: what requirements want there, and texts that evaluation flows are given
    FOR try IN SELECT DISTINCT r.field, r.wanted FROM (
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
                JOIN pg_attribute a ON a.attrelid = to_regclass(format('public.%I', target.type)) AND a.attname = r.field
               ORDER BY 1, 2 LOOP
        IF EXISTS (SELECT FROM demo.tried WHERE what = run || (SELECT count(*)::text FROM orchestration.stage_run s WHERE s.run_id = run) || try::text) THEN
            CONTINUE;
        END IF;
        INSERT INTO demo.tried VALUES (run || (SELECT count(*)::text FROM orchestration.stage_run s WHERE s.run_id = run) || try::text);
        EXECUTE format('UPDATE public.%I SET %I = $1::%s WHERE id::text = $2', target.type, try.field, demo.field_type(try.field))
          USING try.wanted #>> '{}', target.id;
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
    rec jsonb;
    satisfied jsonb;
BEGIN
    UPDATE demo.setting SET record_type = target;
    IF target IS NULL THEN
        PERFORM orchestration.start_orchestration(orch, NULL, demo.inputs());
        RETURN;
    END IF;
    -- its key is that of a user, where the record itself is an assignee
    rec := demo.related(to_regclass(format('public.%I', target)))
        || jsonb_build_object('id', (SELECT id FROM orchestration.principal WHERE username = 'somebody@example.com'))
        || COALESCE((SELECT jsonb_object_agg(substr(name, 9), 'somebody@example.com')
                       FROM orchestration.orchestration_references(orch)
                      WHERE kind = 'assignee' AND name LIKE '$Record.%' AND name NOT LIKE '$Record.%.%'
                        AND lower(name) <> '$record.id'), '{}');
    EXECUTE format('DELETE FROM public.%I', target);
    satisfied := COALESCE((SELECT jsonb_object_agg(f->>'field', demo.wanted(f->>'operator', f->'value'))
                             FROM jsonb_array_elements(COALESCE(doc->'start'->'filters', '[]')) f), '{}');
    EXECUTE format('INSERT INTO public.%1$I SELECT (jsonb_populate_record(NULL::public.%1$I, $1)).*', target) USING rec;
    IF NOT EXISTS (SELECT FROM orchestration.run WHERE status <> 'Canceled') THEN
        EXECUTE format('UPDATE public.%I SET id = id%s WHERE id::text = $1', target,
                       (SELECT string_agg(format(', %I = %L', key, value), '') FROM jsonb_each_text(satisfied)))
          USING rec->>'id';
    END IF;
    -- triggered by creation only: create one that satisfies the filters
    IF NOT EXISTS (SELECT FROM orchestration.run WHERE status <> 'Canceled') THEN
        EXECUTE format('DELETE FROM public.%I', target);
        EXECUTE format('INSERT INTO public.%1$I SELECT (jsonb_populate_record(NULL::public.%1$I, $1)).*', target)
          USING rec || satisfied;
    END IF;
END
$$;
