-- replica: what a logical replica needs (src/base/catalog.c, src/work/replica.c).
--
-- Sessions keep rows of these tables in memory.  An apply worker fires no trigger that is
-- not ENABLE ALWAYS, and no statement trigger for rows at all, so the triggers that make
-- sessions forget are ALWAYS and for each row: else a right that is revoked on the
-- publisher goes on in the subscriber's open sessions.  ALTER TABLE ... ENABLE TRIGGER ALL,
-- as pg_dump --disable-triggers ends with, makes them ORIGIN; record_command() makes
-- them ALWAYS again.

CREATE TRIGGER principal_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.principal
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER principal_invalidate_truncate
    AFTER TRUNCATE ON orchestration.principal
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.principal
    ENABLE ALWAYS TRIGGER principal_invalidate_cache,
    ENABLE ALWAYS TRIGGER principal_invalidate_truncate;

CREATE TRIGGER membership_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.membership
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER membership_invalidate_truncate
    AFTER TRUNCATE ON orchestration.membership
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.membership
    ENABLE ALWAYS TRIGGER membership_invalidate_cache,
    ENABLE ALWAYS TRIGGER membership_invalidate_truncate;

CREATE TRIGGER default_access_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.default_access
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER default_access_invalidate_truncate
    AFTER TRUNCATE ON orchestration.default_access
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.default_access
    ENABLE ALWAYS TRIGGER default_access_invalidate_cache,
    ENABLE ALWAYS TRIGGER default_access_invalidate_truncate;

CREATE TRIGGER owner_sharing_rule_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.owner_sharing_rule
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER owner_sharing_rule_invalidate_truncate
    AFTER TRUNCATE ON orchestration.owner_sharing_rule
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.owner_sharing_rule
    ENABLE ALWAYS TRIGGER owner_sharing_rule_invalidate_cache,
    ENABLE ALWAYS TRIGGER owner_sharing_rule_invalidate_truncate;

CREATE TRIGGER share_grant_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.share_grant
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER share_grant_invalidate_truncate
    AFTER TRUNCATE ON orchestration.share_grant
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.share_grant
    ENABLE ALWAYS TRIGGER share_grant_invalidate_cache,
    ENABLE ALWAYS TRIGGER share_grant_invalidate_truncate;

CREATE TRIGGER record_type_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.record_type
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER record_type_invalidate_truncate
    AFTER TRUNCATE ON orchestration.record_type
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.record_type
    ENABLE ALWAYS TRIGGER record_type_invalidate_cache,
    ENABLE ALWAYS TRIGGER record_type_invalidate_truncate;

CREATE TRIGGER action_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.action
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER action_invalidate_truncate
    AFTER TRUNCATE ON orchestration.action
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.action
    ENABLE ALWAYS TRIGGER action_invalidate_cache,
    ENABLE ALWAYS TRIGGER action_invalidate_truncate;

CREATE TRIGGER orchestration_definition_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.orchestration_definition
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER orchestration_definition_invalidate_truncate
    AFTER TRUNCATE ON orchestration.orchestration_definition
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.orchestration_definition
    ENABLE ALWAYS TRIGGER orchestration_definition_invalidate_cache,
    ENABLE ALWAYS TRIGGER orchestration_definition_invalidate_truncate;

CREATE TRIGGER orchestration_version_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.orchestration_version
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER orchestration_version_invalidate_truncate
    AFTER TRUNCATE ON orchestration.orchestration_version
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.orchestration_version
    ENABLE ALWAYS TRIGGER orchestration_version_invalidate_cache,
    ENABLE ALWAYS TRIGGER orchestration_version_invalidate_truncate;

CREATE TRIGGER field_tracking_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.field_tracking
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER field_tracking_invalidate_truncate
    AFTER TRUNCATE ON orchestration.field_tracking
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.field_tracking
    ENABLE ALWAYS TRIGGER field_tracking_invalidate_cache,
    ENABLE ALWAYS TRIGGER field_tracking_invalidate_truncate;

CREATE TRIGGER sobject_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.sobject
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER sobject_invalidate_truncate
    AFTER TRUNCATE ON orchestration.sobject
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.sobject
    ENABLE ALWAYS TRIGGER sobject_invalidate_cache,
    ENABLE ALWAYS TRIGGER sobject_invalidate_truncate;

CREATE TRIGGER sobject_field_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.sobject_field
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER sobject_field_invalidate_truncate
    AFTER TRUNCATE ON orchestration.sobject_field
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.sobject_field
    ENABLE ALWAYS TRIGGER sobject_field_invalidate_cache,
    ENABLE ALWAYS TRIGGER sobject_field_invalidate_truncate;

CREATE TRIGGER sobject_picklist_value_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.sobject_picklist_value
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER sobject_picklist_value_invalidate_truncate
    AFTER TRUNCATE ON orchestration.sobject_picklist_value
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.sobject_picklist_value
    ENABLE ALWAYS TRIGGER sobject_picklist_value_invalidate_cache,
    ENABLE ALWAYS TRIGGER sobject_picklist_value_invalidate_truncate;

CREATE TRIGGER sobject_child_relationship_invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE ON orchestration.sobject_child_relationship
    FOR EACH ROW EXECUTE FUNCTION orchestration.invalidate_cache();
CREATE TRIGGER sobject_child_relationship_invalidate_truncate
    AFTER TRUNCATE ON orchestration.sobject_child_relationship
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();
ALTER TABLE orchestration.sobject_child_relationship
    ENABLE ALWAYS TRIGGER sobject_child_relationship_invalidate_cache,
    ENABLE ALWAYS TRIGGER sobject_child_relationship_invalidate_truncate;

CREATE FUNCTION orchestration.advance_sequences(OUT sequence text, OUT last_value bigint)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_advance_sequences';
COMMENT ON FUNCTION orchestration.advance_sequences() IS
    'Sets the sequences past the numbers that the tables hold, for a logical replica that becomes the primary: their values do not replicate; returns where each is';
