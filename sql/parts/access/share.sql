-- share: default access, sharing rules and manual shares.

CREATE TABLE orchestration.default_access (
    object        orchestration.shared_object NOT NULL,
    sharing_model orchestration.sharing_model NOT NULL,
    CONSTRAINT default_access_pkey PRIMARY KEY (object)
);
COMMENT ON TABLE orchestration.default_access IS
    'Default access to the records of an object; an object without a row is Private';
SELECT pg_catalog.pg_extension_config_dump('orchestration.default_access', '');

CREATE TABLE orchestration.owner_sharing_rule (
    id               uuid        NOT NULL DEFAULT orchestration.new_id(),
    object           orchestration.shared_object NOT NULL,
    access_level     orchestration.access_level NOT NULL,
    user_or_group_id uuid        NOT NULL,
    group_id         uuid,
    orchestration_id uuid,
    developer_name   text,
    name             text        NOT NULL,
    description      text,
    created_at       timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by       uuid,
    modified_at      timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by      uuid,
    CONSTRAINT owner_sharing_rule_pkey PRIMARY KEY (id),
    CONSTRAINT owner_sharing_rule_source_key UNIQUE NULLS NOT DISTINCT
        (user_or_group_id, object, group_id, orchestration_id),
    CONSTRAINT owner_sharing_rule_developer_name_key
        UNIQUE (object, developer_name),
    CONSTRAINT owner_sharing_rule_source_check
        CHECK (num_nonnulls(group_id, orchestration_id) = 1),
    CONSTRAINT owner_sharing_rule_access_level_check
        CHECK (access_level <> 'All'),
    CONSTRAINT owner_sharing_rule_developer_name_check
        CHECK (developer_name ~ '^[A-Za-z](_?[A-Za-z0-9])*$'
               AND length(developer_name) <= 80),
    CONSTRAINT owner_sharing_rule_name_check
        CHECK (name <> '' AND length(name) <= 80),
    CONSTRAINT owner_sharing_rule_description_check
        CHECK (length(description) <= 1000),
    CONSTRAINT owner_sharing_rule_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a sharing rule', created_at)
               AND orchestration_internal.time_in_range('modified_at of a sharing rule', modified_at))
);
CREATE INDEX owner_sharing_rule_group_idx
    ON orchestration.owner_sharing_rule (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX owner_sharing_rule_orchestration_idx
    ON orchestration.owner_sharing_rule (orchestration_id)
    WHERE orchestration_id IS NOT NULL;
COMMENT ON TABLE orchestration.owner_sharing_rule IS
    'Sharing rules: records owned by members of a group, or of runs of an orchestration, are shared with a user, group or queue (reference: OwnerSharingRule)';
COMMENT ON COLUMN orchestration.owner_sharing_rule.group_id IS
    'Source: the rule shares records whose owner belongs to this group or queue, directly or through another group';
COMMENT ON COLUMN orchestration.owner_sharing_rule.orchestration_id IS
    'Source: the rule shares records of runs of this orchestration; an addition to the reference';
COMMENT ON COLUMN orchestration.owner_sharing_rule.user_or_group_id IS
    'Grantee: a user, or the members of a group or queue';
SELECT pg_catalog.pg_extension_config_dump('orchestration.owner_sharing_rule', '');
CREATE TRIGGER owner_sharing_rule_guard_truncate BEFORE TRUNCATE ON orchestration.owner_sharing_rule
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();

CREATE TABLE orchestration.share_grant (
    run_id           uuid        NOT NULL,
    id               uuid        NOT NULL DEFAULT orchestration.new_id(),
    object           orchestration.shared_object NOT NULL,
    record_id        uuid        NOT NULL,
    user_or_group_id uuid        NOT NULL,
    access_level     orchestration.access_level NOT NULL,
    modified_at      timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by      uuid,
    CONSTRAINT share_grant_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT share_grant_record_key
        UNIQUE (run_id, record_id, user_or_group_id),
    CONSTRAINT share_grant_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT share_grant_access_level_check CHECK (access_level <> 'All'),
    CONSTRAINT share_grant_times_check
        CHECK (orchestration_internal.time_in_range('modified_at of a share', modified_at))
);
CREATE INDEX share_grant_user_or_group_idx
    ON orchestration.share_grant (user_or_group_id);
CREATE INDEX share_grant_id_idx ON orchestration.share_grant (id);
CREATE INDEX share_grant_record_idx ON orchestration.share_grant (record_id);
COMMENT ON TABLE orchestration.share_grant IS
    'Manual shares: the Share rows with RowCause Manual; the other rows are computed from owners and rules';
COMMENT ON COLUMN orchestration.share_grant.record_id IS
    'Run, stage, step or work item that is shared; run_id is its run';
SELECT pg_catalog.pg_extension_config_dump('orchestration.share_grant', '');
