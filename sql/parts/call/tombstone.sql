-- tombstone: what was deleted, for get_deleted(), and the calls that delete old runs and
-- records (src/call/tombstone.c).
--
-- Deleting a run deletes all rows that belong to it.  The tombstones of the whole run
-- are written when its row is deleted, before the cascades.  A tombstone keeps what
-- access to its record depended on, so that get_deleted() lists it for the users who
-- could see the record.

CREATE TABLE orchestration.tombstone (
    id               uuid        NOT NULL,
    object           text        NOT NULL,
    deleted_at       timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    deleted_by       uuid,
    run_id           uuid,
    shared_object    orchestration.shared_object,
    owner_id         uuid,
    orchestration_id uuid,
    assignee_id      uuid,
    shared_with      uuid[],
    CONSTRAINT tombstone_pkey PRIMARY KEY (id),
    CONSTRAINT tombstone_times_check
        CHECK (orchestration.time_in_range('deleted_at of a tombstone', deleted_at))
);
CREATE INDEX tombstone_deleted_idx ON orchestration.tombstone (object, deleted_at);
CREATE INDEX tombstone_expiry_idx ON orchestration.tombstone USING brin (deleted_at);
COMMENT ON TABLE orchestration.tombstone IS
    'Records that were deleted, for get_deleted(); kept for orchestration.deleted_retention days';
COMMENT ON COLUMN orchestration.tombstone.shared_object IS
    'The object whose sharing decided who saw it: its own, or that of the record that it hung on; null: a sharing rule';
COMMENT ON COLUMN orchestration.tombstone.shared_with IS
    'To whom manual shares showed it';
SELECT pg_catalog.pg_extension_config_dump('orchestration.tombstone', '');

CREATE TABLE orchestration.tombstone_horizon (
    object       text        NOT NULL,
    purged_until timestamptz NOT NULL,
    CONSTRAINT tombstone_horizon_pkey PRIMARY KEY (object),
    CONSTRAINT tombstone_horizon_times_check
        CHECK (orchestration.time_in_range('purged_until of a horizon', purged_until))
);
COMMENT ON TABLE orchestration.tombstone_horizon IS
    'Until when tombstones of an object have been removed: the EarliestDateAvailable of get_deleted()';
SELECT pg_catalog.pg_extension_config_dump('orchestration.tombstone_horizon', '');

CREATE FUNCTION orchestration.write_tombstone() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_write_tombstone';
COMMENT ON FUNCTION orchestration.write_tombstone() IS
    'Trigger: writes the tombstones of a run and all that hangs on it, or of one record';

-- Triggers of one kind fire in the order of their names: this one before the
-- cascades, whose names begin with "RI_".
CREATE TRIGGER "A_run_write_tombstone" AFTER DELETE ON orchestration.run
    FOR EACH ROW EXECUTE FUNCTION orchestration.write_tombstone();
CREATE TRIGGER feed_item_write_tombstone AFTER DELETE ON orchestration.feed_item
    FOR EACH ROW EXECUTE FUNCTION orchestration.write_tombstone();
CREATE TRIGGER field_change_write_tombstone AFTER DELETE ON orchestration.field_change
    FOR EACH ROW EXECUTE FUNCTION orchestration.write_tombstone();
CREATE TRIGGER run_log_write_tombstone AFTER DELETE ON orchestration.run_log
    FOR EACH ROW EXECUTE FUNCTION orchestration.write_tombstone();
CREATE TRIGGER owner_sharing_rule_write_tombstone AFTER DELETE ON orchestration.owner_sharing_rule
    FOR EACH ROW EXECUTE FUNCTION orchestration.write_tombstone();
CREATE TRIGGER tombstone_guard_truncate BEFORE TRUNCATE ON orchestration.tombstone
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration.guard_keep();

CREATE FUNCTION orchestration.purge_runs(
    older_than interval,
    max_runs integer DEFAULT 1000)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_purge_runs';
COMMENT ON FUNCTION orchestration.purge_runs(interval, integer) IS
    'Deletes up to max_runs runs that ended, and were last changed, longer ago than that, with all that hangs on them; returns how many';

CREATE FUNCTION orchestration.remove_expired(
    max_rows integer DEFAULT 10000,
    OUT removed_from text,
    OUT removed bigint)
    RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_remove_expired';
COMMENT ON FUNCTION orchestration.remove_expired(integer) IS
    'Removes tombstones older than orchestration.deleted_retention and history older than orchestration.history_retention, up to max_rows of each; returns how many';
