-- history: which fields are tracked, and their changes (src/trail/history.c).  The
-- History objects are views of them (call/associated_object.sql).

CREATE TABLE orchestration.field_tracking (
    object         orchestration.shared_object NOT NULL,
    history_fields text[],
    feed_fields    text[],
    CONSTRAINT field_tracking_pkey PRIMARY KEY (object),
    CONSTRAINT field_tracking_history_check CHECK (cardinality(history_fields) <= 20),
    CONSTRAINT field_tracking_feed_check CHECK (cardinality(feed_fields) <= 20)
);
COMMENT ON TABLE orchestration.field_tracking IS
    'Tracked fields of an object; an object without a row has the defaults';
COMMENT ON COLUMN orchestration.field_tracking.history_fields IS
    'Fields whose changes the history records; null: Status and OwnerId, and for runs also CurrentStage, TriggeringRecordId and InterviewId';
COMMENT ON COLUMN orchestration.field_tracking.feed_fields IS
    'Fields whose changes the feed shows; null: none';
SELECT pg_catalog.pg_extension_config_dump('orchestration.field_tracking', '');

CREATE TABLE orchestration.field_change (
    run_id       uuid        NOT NULL,
    id           uuid        NOT NULL DEFAULT orchestration.new_id(),
    record_id    uuid        NOT NULL,
    object       orchestration.shared_object NOT NULL,
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by   uuid,
    initiated_by uuid,
    via_role     text,
    field        text        NOT NULL,
    old_value    text,
    new_value    text,
    CONSTRAINT field_change_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT field_change_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT field_change_times_check
        CHECK (orchestration_internal.time_in_range('changed_at of a change', changed_at))
);
CREATE INDEX field_change_record_idx ON orchestration.field_change (record_id)
    WHERE object <> 'FlowOrchestrationInstance';
CREATE INDEX field_change_changed_idx ON orchestration.field_change USING brin (changed_at);
COMMENT ON TABLE orchestration.field_change IS
    'Changes of tracked fields: the History objects (contract/fields.csv)';
COMMENT ON COLUMN orchestration.field_change.changed_by IS
    'User who made the change; null: the automated process user, for every change that the engine makes';
COMMENT ON COLUMN orchestration.field_change.initiated_by IS
    'User whose statement led to the change; null: the role acted as no user';
COMMENT ON COLUMN orchestration.field_change.via_role IS
    'Database role that acted as that user by orchestration.user_id, or that acted as no user';
COMMENT ON COLUMN orchestration.field_change.old_value IS
    'Old value; null also if the old or the new value has more than 255 characters';
SELECT pg_catalog.pg_extension_config_dump('orchestration.field_change', '');

CREATE FUNCTION orchestration_internal.guard_history() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_history';
COMMENT ON FUNCTION orchestration_internal.guard_history() IS
    'Trigger: only a superuser can change history; it is deleted with its run or when it expires';

CREATE TRIGGER field_change_guard_history
    BEFORE UPDATE OR DELETE ON orchestration.field_change
    FOR EACH ROW EXECUTE FUNCTION orchestration_internal.guard_history();
CREATE TRIGGER field_change_guard_truncate BEFORE TRUNCATE ON orchestration.field_change
    FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.guard_keep();

CREATE FUNCTION orchestration.set_history_tracking(
    object orchestration.shared_object,
    fields text[])
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_history_tracking';
COMMENT ON FUNCTION orchestration.set_history_tracking(orchestration.shared_object, text[]) IS
    'Sets which fields of an object the history tracks from now on; an empty array: none';

CREATE FUNCTION orchestration.set_feed_tracking(
    object orchestration.shared_object,
    fields text[])
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_feed_tracking';
COMMENT ON FUNCTION orchestration.set_feed_tracking(orchestration.shared_object, text[]) IS
    'Sets which fields of an object the feed shows from now on when they change; an empty array: none';
