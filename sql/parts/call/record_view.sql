-- record_view: when records were viewed (src/call/record_view.c).
--
-- There is one row per record and viewer: viewers wait neither for each other nor for
-- a session that writes the record, and viewing does not change the record's row.  The
-- documented views show the latest time over all viewers (contract/lifecycle.md,
-- decision 5).

CREATE TABLE orchestration.record_view (
    run_id        uuid NOT NULL,
    record_id     uuid NOT NULL,
    object        orchestration.shared_object NOT NULL,
    user_id       uuid NOT NULL,
    viewed_at     timestamptz,
    referenced_at timestamptz,
    CONSTRAINT record_view_pkey PRIMARY KEY (run_id, record_id, user_id),
    CONSTRAINT record_view_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT record_view_times_check
        CHECK (orchestration_internal.time_in_range('viewed_at of a view of a record', viewed_at)
               AND orchestration_internal.time_in_range('referenced_at of a view of a record', referenced_at))
) WITH (fillfactor = 85);
COMMENT ON TABLE orchestration.record_view IS
    'Last time at which a user viewed a run or work item: LastViewedDate, LastReferencedDate';
COMMENT ON COLUMN orchestration.record_view.viewed_at IS
    'Time at which the user last viewed the record itself: view_record()';
COMMENT ON COLUMN orchestration.record_view.referenced_at IS
    'Time at which the user last viewed the record or a record that belongs to it: reference_record()';
SELECT pg_catalog.pg_extension_config_dump('orchestration.record_view', '');

CREATE FUNCTION orchestration.view_record(record_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_view_record';
COMMENT ON FUNCTION orchestration.view_record(uuid) IS
    'Sets LastViewedDate and LastReferencedDate of a record, and LastReferencedDate of its run; returns false if another session of the same user is doing so';

CREATE FUNCTION orchestration.reference_record(record_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_reference_record';
COMMENT ON FUNCTION orchestration.reference_record(uuid) IS
    'Sets LastReferencedDate of a record and of its run; returns false if another session of the same user is doing so';
