-- principal: users, groups, queues and who belongs to them (src/principal.c).

CREATE FUNCTION orchestration.guard_keep() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_keep';
COMMENT ON FUNCTION orchestration.guard_keep() IS
    'Trigger: rows of the table cannot be deleted, the table cannot be truncated';

CREATE TRIGGER principal_keep BEFORE DELETE ON orchestration.principal
    FOR EACH ROW EXECUTE FUNCTION orchestration.guard_keep();
CREATE TRIGGER principal_keep_truncate BEFORE TRUNCATE ON orchestration.principal
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.guard_keep();
CREATE TRIGGER principal_invalidate_cache
    AFTER INSERT OR UPDATE ON orchestration.principal
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.invalidate_cache();

CREATE FUNCTION orchestration.create_user(
    username text,
    name text DEFAULT NULL,
    role_name name DEFAULT NULL)
    RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO orchestration.principal (kind, username, name, role_name)
    VALUES ('User', $1, COALESCE($2, $1), $3)
    RETURNING id
$$;
COMMENT ON FUNCTION orchestration.create_user(text, text, name) IS
    'Creates a user; role_name: the database role that acts as him';

CREATE FUNCTION orchestration.create_group(
    developer_name text,
    name text DEFAULT NULL)
    RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
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
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
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
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO orchestration.group_member (group_id, member_id)
    VALUES ($1, $2)
    ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION orchestration.add_group_member(uuid, uuid) IS
    'Makes a user or group a member of a group or queue';

CREATE FUNCTION orchestration.remove_group_member(group_id uuid, member_id uuid)
    RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM orchestration.group_member g
     WHERE g.group_id = $1 AND g.member_id = $2
$$;
COMMENT ON FUNCTION orchestration.remove_group_member(uuid, uuid) IS
    'Ends a membership';
