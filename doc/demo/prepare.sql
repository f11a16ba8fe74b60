-- prepare.sql: makes what any orchestration refers to, so that it can be played:
-- tables for its records, actions that do nothing much, people.
--
-- Reads orchestration_references() of :orchestration and its document.

SET client_min_messages = warning;

CREATE FUNCTION public.do_nothing(jsonb) RETURNS jsonb LANGUAGE sql
    AS $$ SELECT '{"done": true}'::jsonb $$;

CREATE TABLE demo.setting (orchestration text, record_type text);
INSERT INTO demo.setting VALUES (:'orchestration');

DO $do$
DECLARE
    orch text := (SELECT orchestration FROM demo.setting);
    doc jsonb := (SELECT v.document FROM orchestration.orchestration_version v
                    JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
                   WHERE d.name = orch ORDER BY v.version DESC LIMIT 1);
    ref record;
    filter jsonb;
    parts text[];
    owner_table text;
    target text;
    col text;
BEGIN
    -- the record type: a column for each field, a table for each relationship
    SELECT name INTO target FROM orchestration.orchestration_references(orch) WHERE kind = 'record type';
    UPDATE demo.setting SET record_type = target;
    IF target IS NOT NULL THEN
        EXECUTE format('CREATE TABLE public.%I (id uuid PRIMARY KEY DEFAULT orchestration.new_id())', target);
        FOR filter IN SELECT jsonb_array_elements(COALESCE(doc->'start'->'filters', '[]')) LOOP
            EXECUTE format('ALTER TABLE public.%I ADD COLUMN IF NOT EXISTS %I %s', target, filter->>'field',
                CASE WHEN filter->'value' ? 'booleanValue' AND filter->>'operator' NOT IN ('IsNull', 'IsChanged') THEN 'boolean'
                     WHEN filter->'value' ? 'numberValue' THEN 'numeric' ELSE 'text' END);
        END LOOP;
        FOR ref IN SELECT DISTINCT name FROM orchestration.orchestration_references(orch)
                    WHERE kind = 'record field' AND lower(name) <> 'id' ORDER BY name LOOP
            parts := string_to_array(ref.name, '.');
            owner_table := target;
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
                EXECUTE format('ALTER TABLE public.%I ADD COLUMN IF NOT EXISTS %I text', owner_table, parts[cardinality(parts)]);
            END IF;
        END LOOP;
        PERFORM orchestration.register_record_type(target, to_regclass(format('public.%I', target)));
    END IF;

    -- actions
    FOR ref IN SELECT name, min(detail) AS detail, bool_or(detail LIKE 'worker%') AS asynchronous
                 FROM orchestration.orchestration_references(orch) WHERE kind = 'action' GROUP BY name LOOP
        IF ref.detail = 'screen' THEN
            PERFORM orchestration.register_action(ref.name, 'screen');
        ELSIF ref.asynchronous THEN
            PERFORM orchestration.register_action(ref.name, 'worker');
        ELSE
            PERFORM orchestration.register_action(ref.name, 'function', 'public.do_nothing(jsonb)');
        END IF;
    END LOOP;

    -- people: literal assignees by their name; whom a reference gives is "somebody"
    FOR ref IN SELECT DISTINCT name, detail FROM orchestration.orchestration_references(orch)
                WHERE kind = 'assignee' AND resolved IS NOT NULL LOOP
        CASE ref.detail
            WHEN 'User' THEN PERFORM orchestration.create_user(ref.name, split_part(ref.name, '@', 1));
            WHEN 'Group' THEN PERFORM orchestration.create_group(ref.name);
            ELSE PERFORM orchestration.create_queue(ref.name);
        END CASE;
    END LOOP;
    PERFORM orchestration.create_user('somebody@example.com', 'Somebody', current_user);
END
$do$;

-- inputs: the name of somebody for texts, something of its type for the rest
CREATE FUNCTION demo.inputs() RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(name, CASE detail
               WHEN 'String' THEN '"somebody@example.com"'::jsonb
               WHEN 'Number' THEN '3' WHEN 'Currency' THEN '3'
               WHEN 'Boolean' THEN 'true'
               WHEN 'Date' THEN '"2027-01-31"' WHEN 'DateTime' THEN '"2027-01-31T12:00:00Z"'
               WHEN 'Time' THEN '"12:00:00"'
               ELSE '{"Name": "example"}' END)
      FROM demo.setting s, orchestration.orchestration_references(s.orchestration)
     WHERE kind = 'input'
$$;

-- start: a record that first does not, then does satisfy the filters; or by call
CREATE PROCEDURE demo.start() LANGUAGE plpgsql AS $$
DECLARE
    orch text := (SELECT orchestration FROM demo.setting);
    target text := (SELECT record_type FROM demo.setting);
    doc jsonb := (SELECT v.document FROM orchestration.orchestration_version v
                    JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
                   WHERE d.name = orch ORDER BY v.version DESC LIMIT 1);
    filter jsonb;
    wanted text;
    other uuid;
    rec uuid;
    sets text := '';
    col record;
BEGIN
    IF target IS NULL THEN
        PERFORM orchestration.start_orchestration(orch, NULL, demo.inputs());
        RETURN;
    END IF;
    FOR filter IN SELECT jsonb_array_elements(COALESCE(doc->'start'->'filters', '[]')) LOOP
        wanted := COALESCE(filter->'value'->>'stringValue', filter->'value'->>'booleanValue', filter->'value'->>'numberValue');
        wanted := CASE filter->>'operator'
            WHEN 'IsNull' THEN CASE WHEN wanted = 'true' THEN NULL ELSE 'something' END
            WHEN 'IsChanged' THEN 'changed'
            WHEN 'NotEqualTo' THEN CASE wanted WHEN 'true' THEN 'false' WHEN 'false' THEN 'true' ELSE wanted || '1' END
            WHEN 'GreaterThan' THEN (wanted::numeric + 1)::text
            WHEN 'LessThan' THEN (wanted::numeric - 1)::text
            ELSE wanted END;
        sets := sets || format(', %I = %L', filter->>'field', wanted);
    END LOOP;
    EXECUTE format('INSERT INTO public.%I DEFAULT VALUES RETURNING id', target) INTO rec;
    IF (SELECT count(*) FROM orchestration.run) = 0 THEN
        -- what relationships lead to, and plain fields
        FOR col IN SELECT a.attname, c.confrelid::regclass AS related
                     FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                    WHERE c.contype = 'f' AND c.conrelid = to_regclass(format('public.%I', target)) LOOP
            EXECUTE format('INSERT INTO %s DEFAULT VALUES RETURNING id', col.related) INTO other;
            EXECUTE (SELECT format('UPDATE %s SET %s', col.related,
                                   string_agg(format('%I = %L', attname, 'somebody@example.com'), ', '))
                       FROM pg_attribute WHERE attrelid = col.related AND attnum > 0 AND atttypid = 'text'::regtype
                     HAVING count(*) > 0);
            sets := sets || format(', %I = %L', col.attname, other);
        END LOOP;
        EXECUTE format('UPDATE public.%I SET id = id%s WHERE id = %L', target, sets, rec);
    END IF;
    -- triggered by creation only: create one that satisfies the filters
    IF (SELECT count(*) FROM orchestration.run) = 0 THEN
        EXECUTE format('INSERT INTO public.%I SELECT (jsonb_populate_record(t, jsonb_build_object(''id'', orchestration.new_id()))).* FROM public.%I t WHERE id = %L',
                       target, target, rec);
    END IF;
END
$$;
