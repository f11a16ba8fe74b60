-- definition: deploying, checking and activating orchestrations.

CREATE FUNCTION orchestration.refuse_change() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_refuse_change';
COMMENT ON FUNCTION orchestration.refuse_change() IS
    'Trigger function: refuses what it is called for (OR005)';

CREATE TRIGGER orchestration_version_immutable
    BEFORE UPDATE OR DELETE ON orchestration.orchestration_version
    FOR EACH ROW EXECUTE FUNCTION orchestration.refuse_change();
COMMENT ON TRIGGER orchestration_version_immutable
    ON orchestration.orchestration_version IS
    'Versions never change: runs keep theirs';

CREATE TRIGGER orchestration_version_truncate
    BEFORE TRUNCATE ON orchestration.orchestration_version
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.refuse_change();
COMMENT ON TRIGGER orchestration_version_truncate
    ON orchestration.orchestration_version IS
    'Versions cannot be removed: runs keep theirs';

CREATE TRIGGER orchestration_definition_immutable
    BEFORE DELETE OR UPDATE OF id, name
    ON orchestration.orchestration_definition
    FOR EACH ROW EXECUTE FUNCTION orchestration.refuse_change();
COMMENT ON TRIGGER orchestration_definition_immutable
    ON orchestration.orchestration_definition IS
    'Orchestrations cannot be removed or renamed: runs and their versions refer to them';

CREATE TRIGGER orchestration_definition_truncate
    BEFORE TRUNCATE ON orchestration.orchestration_definition
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.refuse_change();
COMMENT ON TRIGGER orchestration_definition_truncate
    ON orchestration.orchestration_definition IS
    'Orchestrations cannot be removed: runs and their versions refer to them';

CREATE FUNCTION orchestration.deploy_orchestration(document pg_catalog.xml, name pg_catalog.text DEFAULT NULL)
    RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_deploy_orchestration_xml';
COMMENT ON FUNCTION orchestration.deploy_orchestration(pg_catalog.xml, pg_catalog.text) IS
    'Stores a new version of an orchestration from flow metadata in XML and returns its number; does not activate it';

CREATE FUNCTION orchestration.deploy_orchestration(document pg_catalog.jsonb, name pg_catalog.text DEFAULT NULL)
    RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_deploy_orchestration_jsonb';
COMMENT ON FUNCTION orchestration.deploy_orchestration(pg_catalog.jsonb, pg_catalog.text) IS
    'Stores a new version of an orchestration from flow metadata in JSON and returns its number; does not activate it';

CREATE FUNCTION orchestration.validate_orchestration(document pg_catalog.xml)
    RETURNS TABLE (severity pg_catalog.text, place pg_catalog.text,
                   line pg_catalog.int4, message pg_catalog.text)
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_validate_orchestration_xml';
COMMENT ON FUNCTION orchestration.validate_orchestration(pg_catalog.xml) IS
    'What deploy_orchestration() would say of a definition; stores nothing';

CREATE FUNCTION orchestration.validate_orchestration(document pg_catalog.jsonb)
    RETURNS TABLE (severity pg_catalog.text, place pg_catalog.text,
                   line pg_catalog.int4, message pg_catalog.text)
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_validate_orchestration_jsonb';
COMMENT ON FUNCTION orchestration.validate_orchestration(pg_catalog.jsonb) IS
    'What deploy_orchestration() would say of a definition; stores nothing';

CREATE FUNCTION orchestration.activate_orchestration(name pg_catalog.text, version pg_catalog.int4 DEFAULT NULL)
    RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_activate_orchestration';
COMMENT ON FUNCTION orchestration.activate_orchestration(pg_catalog.text, pg_catalog.int4) IS
    'Makes a version, by default the newest, the one that new runs get; refuses while something it needs is missing';

CREATE FUNCTION orchestration.deactivate_orchestration(name pg_catalog.text)
    RETURNS pg_catalog.void
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_deactivate_orchestration';
COMMENT ON FUNCTION orchestration.deactivate_orchestration(pg_catalog.text) IS
    'Stops an orchestration from starting new runs; those there are go on';

CREATE FUNCTION orchestration.orchestration_references(orchestration pg_catalog.text, version pg_catalog.int4 DEFAULT NULL)
    RETURNS TABLE (kind pg_catalog.text, name pg_catalog.text,
                   detail pg_catalog.text, used_by pg_catalog.text,
                   resolved pg_catalog.bool)
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_orchestration_references';
COMMENT ON FUNCTION orchestration.orchestration_references(pg_catalog.text, pg_catalog.int4) IS
    'What a version, by default the newest, needs from outside, and whether it is there';

CREATE FUNCTION orchestration.evaluate_conditions(conditions pg_catalog.jsonb, "values" pg_catalog.jsonb)
    RETURNS pg_catalog.bool
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_evaluate_conditions';
COMMENT ON FUNCTION orchestration.evaluate_conditions(pg_catalog.jsonb, pg_catalog.jsonb) IS
    'Tries requirements out: do the conditions hold when references have these values?';

CREATE FUNCTION orchestration.set_global(name pg_catalog.text, value pg_catalog.jsonb)
    RETURNS pg_catalog.void
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_global';
COMMENT ON FUNCTION orchestration.set_global(pg_catalog.text, pg_catalog.jsonb) IS
    'What definitions read under a global name such as $Organization: an object with its fields; null forgets it';

CREATE FUNCTION orchestration.evaluate_formula(formula pg_catalog.text, "values" pg_catalog.jsonb)
    RETURNS pg_catalog.jsonb
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_evaluate_formula';
COMMENT ON FUNCTION orchestration.evaluate_formula(pg_catalog.text, pg_catalog.jsonb) IS
    'Tries a formula out: what is its value when references have these?';

CREATE FUNCTION orchestration.completes_by_condition(version_id pg_catalog.uuid, element pg_catalog.text)
    RETURNS pg_catalog.bool
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_completes_by_condition';
COMMENT ON FUNCTION orchestration.completes_by_condition(pg_catalog.uuid, pg_catalog.text) IS
    'Whether a stage or step of a version has a condition of completion of its own; for verify()';
