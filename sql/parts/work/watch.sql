-- watch: what runs would do, what they do and which of them are stuck
-- (src/work/dry_run.c, src/work/diagram.c).

CREATE TYPE orchestration.dry_run_event AS (
    number integer,
    event text,
    stage text,
    step text,
    detail jsonb);
COMMENT ON TYPE orchestration.dry_run_event IS
    'An event of a dry run, of dry_run()';

CREATE FUNCTION orchestration.dry_run(
    orchestration text,
    record_key text DEFAULT NULL,
    inputs jsonb DEFAULT NULL,
    outputs jsonb DEFAULT NULL,
    version integer DEFAULT NULL,
    max_steps integer DEFAULT 1000)
    RETURNS SETOF orchestration.dry_run_event
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_dry_run';
COMMENT ON FUNCTION orchestration.dry_run(text, text, jsonb, jsonb, integer, integer) IS
    'Plays a run, ends waiting steps with the given outputs ({"step": {...}}), rolls everything back and returns what happened';

-- without a default: dry_run('X') must name one function
CREATE FUNCTION orchestration.dry_run(
    orchestration text,
    record_key "any",
    inputs jsonb DEFAULT NULL,
    outputs jsonb DEFAULT NULL,
    version integer DEFAULT NULL,
    max_steps integer DEFAULT 1000)
    RETURNS SETOF orchestration.dry_run_event
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_dry_run';
COMMENT ON FUNCTION orchestration.dry_run(text, "any", jsonb, jsonb, integer, integer) IS
    'dry_run() about a record whose id is of any type';

CREATE FUNCTION orchestration.run_diagram(run_id uuid, format text DEFAULT 'mermaid')
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_run_diagram';
COMMENT ON FUNCTION orchestration.run_diagram(uuid, text) IS
    'Returns a diagram of a run with its statuses, or of an orchestration version: mermaid, dot or svg';

CREATE FUNCTION orchestration.run_diagram(run text, format text DEFAULT 'mermaid')
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_run_diagram';
COMMENT ON FUNCTION orchestration.run_diagram(text, text) IS
    'run_diagram() of a run by its name or id, or of an orchestration version by its id';

CREATE FUNCTION orchestration.orchestration_diagram(
    orchestration text,
    version integer DEFAULT NULL,
    format text DEFAULT 'mermaid')
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_orchestration_diagram';
COMMENT ON FUNCTION orchestration.orchestration_diagram(text, integer, text) IS
    'Returns a diagram of a version of an orchestration, by default of the active version or else the newest: mermaid, dot or svg';

CREATE TYPE orchestration.record_type_gap AS (
    record_type text,
    orchestration text,
    version integer,
    element text,
    field text,
    problem text);
COMMENT ON TYPE orchestration.record_type_gap IS
    'What an active definition misses in the table of a record type, of record_type_problems()';

CREATE FUNCTION orchestration.record_type_problems()
    RETURNS SETOF orchestration.record_type_gap
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
    SELECT t.name, NULL, NULL::integer, NULL, NULL, orchestration_internal.record_type_problem(t.name)
      FROM (SELECT r.name FROM orchestration.record_type r
            UNION
            -- active, and no longer registered
            SELECT v.record_type_name
              FROM orchestration.orchestration_definition d
              JOIN orchestration.orchestration_version v
                ON v.orchestration_id = d.id AND v.version = d.active_version
             WHERE v.record_type_name IS NOT NULL) t
     WHERE orchestration_internal.record_type_problem(t.name) IS NOT NULL
    UNION ALL
    SELECT f.record_type, d.name, v.version, f.element, f.field,
           pg_catalog.format('%s of orchestration %s, version %s, reads field %s, which record type %s does not have',
                             f.element, d.name, v.version, f.field, f.record_type)
      FROM orchestration.orchestration_version v
      JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
      CROSS JOIN LATERAL orchestration_internal.version_missing_fields(v.id) f
     WHERE v.version = d.active_version
        OR v.id IN (SELECT r.version_id FROM orchestration.run r
                    WHERE r.id = ANY (ARRAY(SELECT o.run_id FROM orchestration_internal.open_run o
                                             WHERE o.status = 'InProgress')))
    ORDER BY 1, 2 NULLS FIRST, 3, 4, 5;
    END;
COMMENT ON FUNCTION orchestration.record_type_problems() IS
    'Returns record types that cannot be used, and fields that active orchestrations and runs in progress read and that no table has';
