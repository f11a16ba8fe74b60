-- definition: orchestrations and their versions: deploying, checking and activating
-- them (src/definition/).

CREATE TABLE orchestration.orchestration_definition (
    id             uuid        NOT NULL DEFAULT orchestration.new_id(),
    name           text        NOT NULL,
    active_version integer,
    created_at     timestamptz NOT NULL DEFAULT now(),
    modified_at    timestamptz NOT NULL DEFAULT now(),
    last_deleted_version integer NOT NULL DEFAULT 0,
    CONSTRAINT orchestration_definition_pkey PRIMARY KEY (id),
    CONSTRAINT orchestration_definition_name_key UNIQUE (name),
    CONSTRAINT orchestration_definition_name_check
        CHECK (name ~ '^[A-Za-z][A-Za-z0-9_]*$' AND length(name) <= 80),
    CONSTRAINT orchestration_definition_times_check
        CHECK (orchestration_internal.time_in_range('created_at of an orchestration', created_at)
               AND orchestration_internal.time_in_range('modified_at of an orchestration', modified_at))
);
COMMENT ON TABLE orchestration.orchestration_definition IS
    'Orchestrations by API name (reference: FlowOrchestration)';
COMMENT ON COLUMN orchestration.orchestration_definition.active_version IS
    'Version that new runs get; null: none. There is no foreign key: with the one in the other direction it would be a cycle that pg_restore cannot load';
COMMENT ON COLUMN orchestration.orchestration_definition.last_deleted_version IS
    'Highest number of a version that was deleted, 0: none; numbers are not given again';
SELECT pg_catalog.pg_extension_config_dump('orchestration.orchestration_definition', '');

CREATE TABLE orchestration.orchestration_version (
    id                  uuid        NOT NULL DEFAULT orchestration.new_id(),
    orchestration_id    uuid        NOT NULL,
    version             integer     NOT NULL,
    label               text        NOT NULL,
    process_type        text        NOT NULL,
    record_type_name    text,
    record_trigger_type text,
    source_xml          xml,
    document            jsonb       NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    created_by          uuid,
    CONSTRAINT orchestration_version_pkey PRIMARY KEY (id),
    CONSTRAINT orchestration_version_version_key
        UNIQUE (orchestration_id, version),
    CONSTRAINT orchestration_version_orchestration_fkey
        FOREIGN KEY (orchestration_id)
        REFERENCES orchestration.orchestration_definition (id),
    CONSTRAINT orchestration_version_version_check CHECK (version > 0),
    CONSTRAINT orchestration_version_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a version', created_at))
);
COMMENT ON TABLE orchestration.orchestration_version IS
    'Immutable versions of orchestrations, with their source (reference: FlowOrchestrationVersion)';
COMMENT ON COLUMN orchestration.orchestration_version.source_xml IS
    'Document as it was deployed, if it was XML';
COMMENT ON COLUMN orchestration.orchestration_version.document IS
    'Definition in the JSON notation: as deployed, or converted from the XML';
COMMENT ON COLUMN orchestration.orchestration_version.record_type_name IS
    'start.object: the record type whose changes start runs; null: only calls start runs';
COMMENT ON COLUMN orchestration.orchestration_version.record_trigger_type IS
    'start.recordTriggerType: Create, Update or CreateAndUpdate';
SELECT pg_catalog.pg_extension_config_dump('orchestration.orchestration_version', '');

CREATE TABLE orchestration.global_value (
    name        text        NOT NULL,
    value       jsonb       NOT NULL,
    modified_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT global_value_pkey PRIMARY KEY (name),
    CONSTRAINT global_value_name_check CHECK (name ~ '^[$][A-Za-z][A-Za-z0-9_]*$'),
    CONSTRAINT global_value_value_check CHECK (jsonb_typeof(value) = 'object'),
    CONSTRAINT global_value_times_check
        CHECK (orchestration_internal.time_in_range('modified_at of a global value', modified_at))
);
COMMENT ON TABLE orchestration.global_value IS
    'Values that definitions read as $Organization.Name, $Label.Greeting and the like; see set_global()';
COMMENT ON COLUMN orchestration.global_value.value IS
    'Fields of the global: {"Name": "Acme"}';
SELECT pg_catalog.pg_extension_config_dump('orchestration.global_value', '');

CREATE TRIGGER orchestration_version_immutable
    BEFORE UPDATE OR DELETE ON orchestration.orchestration_version
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.refuse_change();
COMMENT ON TRIGGER orchestration_version_immutable
    ON orchestration.orchestration_version IS
    'Versions cannot be changed, because runs keep theirs; delete_orchestration_version() deletes versions without runs';

CREATE TRIGGER orchestration_version_truncate
    BEFORE TRUNCATE ON orchestration.orchestration_version
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.refuse_change();
COMMENT ON TRIGGER orchestration_version_truncate
    ON orchestration.orchestration_version IS
    'Versions cannot be removed, because runs keep theirs';

CREATE TRIGGER orchestration_definition_immutable
    BEFORE DELETE OR UPDATE OF id, name
    ON orchestration.orchestration_definition
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.refuse_change();
COMMENT ON TRIGGER orchestration_definition_immutable
    ON orchestration.orchestration_definition IS
    'Orchestrations cannot be renamed, because runs and versions refer to them; delete_orchestration() deletes one without runs';

CREATE TRIGGER orchestration_definition_truncate
    BEFORE TRUNCATE ON orchestration.orchestration_definition
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.refuse_change();
COMMENT ON TRIGGER orchestration_definition_truncate
    ON orchestration.orchestration_definition IS
    'Orchestrations cannot be removed, because runs and versions refer to them';

CREATE FUNCTION orchestration.deploy_orchestration(
    document pg_catalog.xml,
    orchestration pg_catalog.text DEFAULT NULL,
    activate pg_catalog.bool DEFAULT false)
    RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_deploy_orchestration_xml';
COMMENT ON FUNCTION orchestration.deploy_orchestration(pg_catalog.xml, pg_catalog.text, pg_catalog.bool) IS
    'Stores a new version of an orchestration from flow metadata in XML and returns its number, or that of the version with the same document; activate: also activates it, unless the document has another status than Active';

CREATE FUNCTION orchestration.deploy_orchestration(
    document pg_catalog.jsonb,
    orchestration pg_catalog.text DEFAULT NULL,
    activate pg_catalog.bool DEFAULT false)
    RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_deploy_orchestration_jsonb';
COMMENT ON FUNCTION orchestration.deploy_orchestration(pg_catalog.jsonb, pg_catalog.text, pg_catalog.bool) IS
    'Stores a new version of an orchestration from flow metadata in JSON and returns its number, or that of the version with the same document; activate: also activates it, unless the document has another status than Active';

-- Literals and parameters of unknown type resolve to text, the preferred type of strings;
-- without it every driver's call would be ambiguous.
CREATE FUNCTION orchestration.deploy_orchestration(
    document pg_catalog.text,
    orchestration pg_catalog.text DEFAULT NULL,
    activate pg_catalog.bool DEFAULT false)
    RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_deploy_orchestration_text';
COMMENT ON FUNCTION orchestration.deploy_orchestration(pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
    'Stores a new version of an orchestration from flow metadata in XML or JSON and returns its number, or that of the version with the same document; activate: also activates it, unless the document has another status than Active';

CREATE FUNCTION orchestration.deploy_orchestration(
    document pg_catalog.json,
    orchestration pg_catalog.text DEFAULT NULL,
    activate pg_catalog.bool DEFAULT false)
    RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_deploy_orchestration_text';
COMMENT ON FUNCTION orchestration.deploy_orchestration(pg_catalog.json, pg_catalog.text, pg_catalog.bool) IS
    'Stores a new version of an orchestration from flow metadata in JSON and returns its number, or that of the version with the same document; activate: also activates it, unless the document has another status than Active';

CREATE TYPE orchestration.definition_problem AS (
    severity text,
    place text,
    line int4,
    message text);
COMMENT ON TYPE orchestration.definition_problem IS
    'A problem of a definition, of validate_orchestration()';

CREATE FUNCTION orchestration.validate_orchestration(document pg_catalog.xml)
    RETURNS SETOF orchestration.definition_problem
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_validate_orchestration_xml';
COMMENT ON FUNCTION orchestration.validate_orchestration(pg_catalog.xml) IS
    'Returns the errors and warnings of a definition that deploy_orchestration() and activate_orchestration() would report; stores nothing';

CREATE FUNCTION orchestration.validate_orchestration(document pg_catalog.jsonb)
    RETURNS SETOF orchestration.definition_problem
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_validate_orchestration_jsonb';
COMMENT ON FUNCTION orchestration.validate_orchestration(pg_catalog.jsonb) IS
    'Returns the errors and warnings of a definition that deploy_orchestration() and activate_orchestration() would report; stores nothing';

CREATE FUNCTION orchestration.validate_orchestration(document pg_catalog.text)
    RETURNS SETOF orchestration.definition_problem
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_validate_orchestration_text';
COMMENT ON FUNCTION orchestration.validate_orchestration(pg_catalog.text) IS
    'Returns the errors and warnings of a definition that deploy_orchestration() and activate_orchestration() would report; stores nothing';

CREATE FUNCTION orchestration.validate_orchestration(document pg_catalog.json)
    RETURNS SETOF orchestration.definition_problem
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_validate_orchestration_text';
COMMENT ON FUNCTION orchestration.validate_orchestration(pg_catalog.json) IS
    'Returns the errors and warnings of a definition that deploy_orchestration() and activate_orchestration() would report; stores nothing';

CREATE FUNCTION orchestration.activate_orchestration(orchestration pg_catalog.text, version pg_catalog.int4 DEFAULT NULL)
    RETURNS pg_catalog.int4
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_activate_orchestration';
COMMENT ON FUNCTION orchestration.activate_orchestration(pg_catalog.text, pg_catalog.int4) IS
    'Makes a version, by default the newest, the one that new runs get; fails if something that the version needs is missing';

CREATE FUNCTION orchestration.deactivate_orchestration(orchestration pg_catalog.text)
    RETURNS pg_catalog.void
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_deactivate_orchestration';
COMMENT ON FUNCTION orchestration.deactivate_orchestration(pg_catalog.text) IS
    'Stops an orchestration from starting new runs; existing runs go on';

CREATE TYPE orchestration.definition_reference AS (
    kind text,
    name text,
    detail text,
    used_by text,
    resolved bool);
COMMENT ON TYPE orchestration.definition_reference IS
    'What a definition needs, of orchestration_references()';

CREATE FUNCTION orchestration.orchestration_references(orchestration pg_catalog.text, version pg_catalog.int4 DEFAULT NULL)
    RETURNS SETOF orchestration.definition_reference
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_orchestration_references';
COMMENT ON FUNCTION orchestration.orchestration_references(pg_catalog.text, pg_catalog.int4) IS
    'Returns what a version, by default the newest, refers to outside itself, and whether it exists';

CREATE FUNCTION orchestration.orchestration_setup_script(
    orchestration pg_catalog.text,
    version pg_catalog.int4 DEFAULT NULL,
    schema pg_catalog.name DEFAULT 'public')
    RETURNS pg_catalog.text
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_orchestration_setup_script';
COMMENT ON FUNCTION orchestration.orchestration_setup_script(pg_catalog.text, pg_catalog.int4, pg_catalog.name) IS
    'Returns a script that makes what a version, by default the newest, refers to and the database lacks: tables in a schema, functions, actions, people, global variables; to be read and edited';

CREATE FUNCTION orchestration.evaluate_conditions(conditions pg_catalog.jsonb, "values" pg_catalog.jsonb)
    RETURNS pg_catalog.bool
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_evaluate_conditions';
COMMENT ON FUNCTION orchestration.evaluate_conditions(pg_catalog.jsonb, pg_catalog.jsonb) IS
    'Returns whether conditions hold with the given values of their references';

CREATE FUNCTION orchestration.set_global(name pg_catalog.text, value pg_catalog.jsonb)
    RETURNS pg_catalog.void
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_global';
COMMENT ON FUNCTION orchestration.set_global(pg_catalog.text, pg_catalog.jsonb) IS
    'Sets the value that definitions read under a global name such as $Organization: an object with its fields; null removes it';

CREATE FUNCTION orchestration_internal.completes_by_condition(version_id pg_catalog.uuid, element pg_catalog.text)
    RETURNS pg_catalog.bool
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_completes_by_condition';
COMMENT ON FUNCTION orchestration_internal.completes_by_condition(pg_catalog.uuid, pg_catalog.text) IS
    'Returns whether a stage or step of a version has its own completion condition; for verify()';

CREATE FUNCTION orchestration_internal.waits_for_record(version_id uuid, stage text)
    RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_waits_for_record';
COMMENT ON FUNCTION orchestration_internal.waits_for_record(uuid, text) IS
    'Returns whether conditions of a stage read the record or depend on an evaluation action; for stuck_runs()';

CREATE FUNCTION orchestration_internal.version_missing_fields(
    version_id uuid,
    OUT record_type text,
    OUT element text,
    OUT field text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_version_missing_fields';
COMMENT ON FUNCTION orchestration_internal.version_missing_fields(uuid) IS
    'Returns the fields of record types that a version reads and that their tables do not have';
