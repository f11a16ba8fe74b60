-- principal: users, groups, queues and who belongs to them (src/record/principal.c,
-- src/access/membership.c).
--
-- The calls run with the rights of their owner; who may call them is a matter of
-- GRANT EXECUTE, and nobody may by default.

CREATE FUNCTION orchestration.guard_keep() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_keep';
COMMENT ON FUNCTION orchestration.guard_keep() IS
    'Trigger: rows of the table cannot be deleted, the table cannot be truncated';

CREATE TRIGGER principal_keep BEFORE DELETE ON orchestration.principal
    FOR EACH ROW EXECUTE FUNCTION orchestration.guard_keep();
CREATE TRIGGER principal_keep_truncate BEFORE TRUNCATE ON orchestration.principal
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.guard_keep();

CREATE FUNCTION orchestration.guard_membership() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_membership';
COMMENT ON FUNCTION orchestration.guard_membership() IS
    'Trigger: who can belong to what; no group belongs to itself by way of others';

CREATE TRIGGER membership_guard_fill
    BEFORE INSERT OR UPDATE ON orchestration.membership
    FOR EACH ROW EXECUTE FUNCTION orchestration.guard_membership();
CREATE TRIGGER membership_guard_cycle
    AFTER INSERT ON orchestration.membership
    FOR EACH ROW EXECUTE FUNCTION orchestration.guard_membership();

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
    'Creates a user; role_name: the database role that acts as him';

CREATE FUNCTION orchestration.update_user(
    user_id uuid,
    name text DEFAULT NULL,
    role_name name DEFAULT NULL,
    is_active boolean DEFAULT NULL,
    view_all_data boolean DEFAULT NULL,
    modify_all_data boolean DEFAULT NULL,
    manage_runs boolean DEFAULT NULL,
    manage_definitions boolean DEFAULT NULL,
    reassign_work_items boolean DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_update_user';
COMMENT ON FUNCTION orchestration.update_user(uuid, text, name, boolean, boolean, boolean, boolean, boolean, boolean) IS
    'Changes a user''s name, role (empty: none), activity and permissions; null leaves as it is; false: there is no such user';

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
    'Creates a regular group';

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
    'Creates a queue';

CREATE FUNCTION orchestration.add_group_member(group_id uuid, member_id uuid)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_add_group_member';
COMMENT ON FUNCTION orchestration.add_group_member(uuid, uuid) IS
    'Makes a user or group a member of a group or queue';

CREATE FUNCTION orchestration.remove_group_member(group_id uuid, member_id uuid)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_remove_group_member';
COMMENT ON FUNCTION orchestration.remove_group_member(uuid, uuid) IS
    'Ends a membership';
