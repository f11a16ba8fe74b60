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
    reviewer_ids     uuid[],
    CONSTRAINT tombstone_pkey PRIMARY KEY (id),
    CONSTRAINT tombstone_times_check
        CHECK (orchestration_internal.time_in_range('deleted_at of a tombstone', deleted_at))
);
CREATE INDEX tombstone_deleted_idx ON orchestration.tombstone (object, deleted_at);
CREATE INDEX tombstone_expiry_idx ON orchestration.tombstone USING brin (deleted_at);
COMMENT ON TABLE orchestration.tombstone IS
    'Deleted records, for get_deleted(); kept for orchestration.deleted_retention days';
COMMENT ON COLUMN orchestration.tombstone.shared_object IS
    'Object whose sharing decided who saw the record: its own, or that of the record to which it belonged; null: a sharing rule';
COMMENT ON COLUMN orchestration.tombstone.shared_with IS
    'Principals with whom manual shares shared the record';
COMMENT ON COLUMN orchestration.tombstone.reviewer_ids IS
    'Of an approval: the assignee of the work item, or the assignees of all work items of the submission; these, and users who may answer for them, saw the record';
SELECT pg_catalog.pg_extension_config_dump('orchestration.tombstone', '');

CREATE TABLE orchestration.tombstone_horizon (
    object       text        NOT NULL,
    purged_until timestamptz NOT NULL,
    CONSTRAINT tombstone_horizon_pkey PRIMARY KEY (object),
    CONSTRAINT tombstone_horizon_times_check
        CHECK (orchestration_internal.time_in_range('purged_until of a horizon', purged_until))
);
COMMENT ON TABLE orchestration.tombstone_horizon IS
    'Time up to which tombstones of an object have been removed: EarliestDateAvailable of get_deleted()';
SELECT pg_catalog.pg_extension_config_dump('orchestration.tombstone_horizon', '');

CREATE FUNCTION orchestration_internal.write_tombstone() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_write_tombstone';
COMMENT ON FUNCTION orchestration_internal.write_tombstone() IS
    'Trigger: writes the tombstones of a run and of all rows that belong to it, or of one record';

-- Triggers of one kind fire in the order of their names.  "A_" makes this one fire
-- before the cascades of foreign keys, whose names begin with "RI_".
CREATE TRIGGER "A_run_write_tombstone" AFTER DELETE ON orchestration.run
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.write_tombstone();
CREATE TRIGGER feed_item_write_tombstone AFTER DELETE ON orchestration.feed_item
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.write_tombstone();
CREATE TRIGGER field_change_write_tombstone AFTER DELETE ON orchestration.field_change
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.write_tombstone();
CREATE TRIGGER run_log_write_tombstone AFTER DELETE ON orchestration.run_log
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.write_tombstone();
CREATE TRIGGER owner_sharing_rule_write_tombstone AFTER DELETE ON orchestration.owner_sharing_rule
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.write_tombstone();
CREATE TRIGGER tombstone_guard_truncate BEFORE TRUNCATE ON orchestration.tombstone
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();

CREATE FUNCTION orchestration.purge_runs(
    older_than interval,
    max_runs integer DEFAULT 1000)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_purge_runs';
COMMENT ON FUNCTION orchestration.purge_runs(interval, integer) IS
    'Deletes up to max_runs runs that ended, and were last changed, more than older_than ago, with all rows that belong to them; returns the number of runs';

CREATE TYPE orchestration.removed_rows AS (
    removed_from text,
    removed bigint);
COMMENT ON TYPE orchestration.removed_rows IS
    'How many expired rows were removed from a table, of remove_expired()';

CREATE FUNCTION orchestration.remove_expired(
    max_rows integer DEFAULT 10000)
    RETURNS SETOF orchestration.removed_rows
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_remove_expired';
COMMENT ON FUNCTION orchestration.remove_expired(integer) IS
    'Removes up to max_rows tombstones older than orchestration.deleted_retention, up to max_rows history rows older than orchestration.history_retention, up to max_rows locators of query() older than two days, and up to max_rows messages older than orchestration.message_retention; returns one row for each of the four with the number removed';
