-- principal: users, groups, queues and their members (src/record/principal.c).
--
-- The calls run with the rights of their owner.  PUBLIC has no EXECUTE on them: an
-- administrator grants it.

CREATE TABLE orchestration.principal (
    id             uuid        NOT NULL DEFAULT orchestration.new_id(),
    kind           orchestration.principal_kind NOT NULL,
    name           text        NOT NULL,
    username       text,
    developer_name text,
    role_name      name,
    is_active      boolean     NOT NULL DEFAULT true,
    view_all_data         boolean NOT NULL DEFAULT false,
    modify_all_data       boolean NOT NULL DEFAULT false,
    manage_runs           boolean NOT NULL DEFAULT false,
    manage_definitions    boolean NOT NULL DEFAULT false,
    reassign_work_items   boolean NOT NULL DEFAULT false,
    created_at     timestamptz NOT NULL DEFAULT now(),
    modified_at    timestamptz NOT NULL DEFAULT now(),
    approval_admin        boolean NOT NULL DEFAULT false,
    delegated_approver_id uuid,
    manager_id            uuid,
    CONSTRAINT principal_pkey PRIMARY KEY (id),
    CONSTRAINT principal_developer_name_key UNIQUE (kind, developer_name),
    CONSTRAINT principal_role_name_key UNIQUE (role_name),
    CONSTRAINT principal_name_check
        CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT principal_username_check
        CHECK ((kind = 'User') = (username IS NOT NULL)
               AND username <> '' AND length(username) <= 80),
    CONSTRAINT principal_developer_name_check
        CHECK ((kind <> 'User') = (developer_name IS NOT NULL)
               AND developer_name <> '' AND length(developer_name) <= 80),
    CONSTRAINT principal_role_name_check
        CHECK (role_name IS NULL OR kind = 'User'),
    CONSTRAINT principal_permission_check
        CHECK (kind = 'User'
               OR NOT (view_all_data OR modify_all_data OR manage_runs
                       OR manage_definitions OR reassign_work_items OR approval_admin)),
    CONSTRAINT principal_delegated_approver_fkey FOREIGN KEY (delegated_approver_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT principal_manager_fkey FOREIGN KEY (manager_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT principal_deputy_check
        CHECK (kind = 'User' OR (delegated_approver_id IS NULL AND manager_id IS NULL)),
    CONSTRAINT principal_self_check
        CHECK (delegated_approver_id <> id AND manager_id <> id),
    CONSTRAINT principal_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a principal', created_at)
               AND orchestration_internal.time_in_range('modified_at of a principal', modified_at))
);
-- in any case of the letters A to Z, as src/record/principal.c looks for them; in this
-- collation a new version of the operating system cannot change the order of the index
CREATE UNIQUE INDEX principal_username_key
    ON orchestration.principal (lower(username COLLATE "C"));
CREATE INDEX principal_delegated_approver_idx
    ON orchestration.principal (delegated_approver_id) WHERE delegated_approver_id IS NOT NULL;
CREATE INDEX principal_manager_idx
    ON orchestration.principal (manager_id) WHERE manager_id IS NOT NULL;
COMMENT ON TABLE orchestration.principal IS
    'Users, regular groups and queues (reference: User, Group): owners, assignees and actors';
COMMENT ON COLUMN orchestration.principal.username IS
    'Name by which definitions assign work to a user, in any case of its letters; unique in that sense';
COMMENT ON COLUMN orchestration.principal.developer_name IS
    'Name by which definitions assign work to a group or a queue; unique per kind';
COMMENT ON COLUMN orchestration.principal.role_name IS
    'Database role that acts as this user; null: no role does';
COMMENT ON COLUMN orchestration.principal.is_active IS
    'An inactive user has no access and cannot be assigned work';
COMMENT ON COLUMN orchestration.principal.view_all_data IS
    'Permission View All Data: Read access to every record';
COMMENT ON COLUMN orchestration.principal.modify_all_data IS
    'Permission Modify All Data: All access to every record; the user can manage sharing';
COMMENT ON COLUMN orchestration.principal.manage_runs IS
    'Permission Manage Orchestration Runs: the user can suspend, resume and cancel the runs that are visible to the user';
COMMENT ON COLUMN orchestration.principal.manage_definitions IS
    'Permission Manage Flow: the user can deploy and activate orchestrations';
COMMENT ON COLUMN orchestration.principal.reassign_work_items IS
    'Permission Reassign Orchestration Work Items: the user can reassign the work items that are visible to the user';
COMMENT ON COLUMN orchestration.principal.approval_admin IS
    'Permission Approval Admin: the user can cancel, reassign, override and recall the approvals that are visible to the user';
COMMENT ON COLUMN orchestration.principal.delegated_approver_id IS
    'Who may answer approvals for the user: a user, or the members of a group or queue';
COMMENT ON COLUMN orchestration.principal.manager_id IS
    'The user above this one; answers this user''s approvals if orchestration.managers_review is on';

-- The automated process user; src/record/principal.h has the same id.
INSERT INTO orchestration.principal (id, kind, name, username)
VALUES ('00000000-0000-7000-8000-000000000001', 'User',
        'Automated Process', 'autoproc');
SELECT pg_catalog.pg_extension_config_dump('orchestration.principal',
    $$WHERE id <> '00000000-0000-7000-8000-000000000001'$$);

CREATE TABLE orchestration.membership (
    group_id    uuid        NOT NULL,
    member_id   uuid        NOT NULL,
    member_kind orchestration.principal_kind NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    id          uuid        NOT NULL GENERATED ALWAYS AS
        (encode(substr(sha256(uuid_send(group_id) || uuid_send(member_id)), 1, 16), 'hex')::uuid) STORED,
    CONSTRAINT membership_pkey PRIMARY KEY (group_id, member_id),
    CONSTRAINT membership_id_key UNIQUE (id),
    CONSTRAINT membership_group_fkey FOREIGN KEY (group_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT membership_member_fkey FOREIGN KEY (member_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT membership_self_check CHECK (group_id <> member_id),
    CONSTRAINT membership_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a membership', created_at))
);
CREATE INDEX membership_member_idx ON orchestration.membership (member_id);
COMMENT ON TABLE orchestration.membership IS
    'Members of groups and queues (reference: GroupMember)';
COMMENT ON COLUMN orchestration.membership.id IS
    'Id of the GroupMember, made from both ids; stored, because an expression in the view would not find an index under row security';
COMMENT ON COLUMN orchestration.membership.member_kind IS
    'Kind of the member: User, or Group for a group in another group; a trigger sets it';
SELECT pg_catalog.pg_extension_config_dump('orchestration.membership', '');

CREATE TRIGGER principal_keep BEFORE DELETE ON orchestration.principal
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER principal_keep_truncate BEFORE TRUNCATE ON orchestration.principal
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();
CREATE TRIGGER principal_immutable
    BEFORE UPDATE OF id, kind ON orchestration.principal
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.refuse_change();

CREATE FUNCTION orchestration.create_user(
    username text,
    name text DEFAULT NULL,
    role_name name DEFAULT NULL)
    RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO orchestration.principal (kind, username, name, role_name)
    VALUES ('User', $1, COALESCE($2, $1), $3)
    RETURNING id
$$;
COMMENT ON FUNCTION orchestration.create_user(text, text, name) IS
    'Creates a user and returns its id; role_name: the database role that acts as this user';

CREATE FUNCTION orchestration.update_user(
    user_id uuid,
    name text DEFAULT NULL,
    role_name name DEFAULT NULL,
    is_active boolean DEFAULT NULL,
    view_all_data boolean DEFAULT NULL,
    modify_all_data boolean DEFAULT NULL,
    manage_runs boolean DEFAULT NULL,
    manage_definitions boolean DEFAULT NULL,
    reassign_work_items boolean DEFAULT NULL,
    approval_admin boolean DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_update_user';
COMMENT ON FUNCTION orchestration.update_user(uuid, text, name, boolean, boolean, boolean, boolean, boolean, boolean, boolean) IS
    'Changes the name, role (empty: none), activity and permissions of a user; null leaves a value as it is; returns false if there is no such user';

CREATE FUNCTION orchestration.create_group(
    developer_name text,
    name text DEFAULT NULL)
    RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO orchestration.principal (kind, developer_name, name)
    VALUES ('Group', $1, COALESCE($2, $1))
    RETURNING id
$$;
COMMENT ON FUNCTION orchestration.create_group(text, text) IS
    'Creates a regular group and returns its id';

CREATE FUNCTION orchestration.create_queue(
    developer_name text,
    name text DEFAULT NULL)
    RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO orchestration.principal (kind, developer_name, name)
    VALUES ('Queue', $1, COALESCE($2, $1))
    RETURNING id
$$;
COMMENT ON FUNCTION orchestration.create_queue(text, text) IS
    'Creates a queue and returns its id';

CREATE FUNCTION orchestration.add_group_member(group_id uuid, member_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_add_group_member';
COMMENT ON FUNCTION orchestration.add_group_member(uuid, uuid) IS
    'Makes a user or group a member of a group or queue; returns false if it is one already';

CREATE FUNCTION orchestration.remove_group_member(group_id uuid, member_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_remove_group_member';
COMMENT ON FUNCTION orchestration.remove_group_member(uuid, uuid) IS
    'Removes a user or group from a group or queue; returns false if it is no member';
