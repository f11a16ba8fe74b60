-- work_item: calls on work items, for the screens of users (src/work/work_item.c).

CREATE FUNCTION orchestration.complete_work_item(
    work_item_id uuid,
    outputs jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_complete_work_item';
COMMENT ON FUNCTION orchestration.complete_work_item(uuid, jsonb, text) IS
    'Completes a work item and moves its run; returns false if the same call already completed it';

CREATE FUNCTION orchestration.reassign_work_item(
    work_item_id uuid,
    assignee_id uuid,
    comments text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_reassign_work_item';
COMMENT ON FUNCTION orchestration.reassign_work_item(uuid, uuid, text) IS
    'Assigns a work item to another user, group or queue; returns false if it is already the assignee';

CREATE FUNCTION orchestration.fail_work_item(
    work_item_id uuid,
    message text)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_fail_work_item';
COMMENT ON FUNCTION orchestration.fail_work_item(uuid, text) IS
    'Reports that the screen of a work item failed: its run goes to Error, recoverable; returns false if the run is already in Error';

CREATE FUNCTION orchestration.listen_for_work()
    RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_listen_for_work';
COMMENT ON FUNCTION orchestration.listen_for_work() IS
    'Notifies the session, without a payload, when the caller or a group or queue of the caller gets a work item; returns the names of the channels';

CREATE FUNCTION orchestration.claim_work_item(work_item_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_claim_work_item';
COMMENT ON FUNCTION orchestration.claim_work_item(uuid) IS
    'Assigns a work item of a group or queue of the caller to the caller; returns false if the caller is already the assignee';

CREATE FUNCTION orchestration.release_work_item(work_item_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_release_work_item';
COMMENT ON FUNCTION orchestration.release_work_item(uuid) IS
    'Returns a claimed work item to the group or queue from which it was claimed; returns false if it was not claimed';

CREATE FUNCTION orchestration.set_due_date(work_item_id uuid, due_at timestamptz)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_due_date';
COMMENT ON FUNCTION orchestration.set_due_date(uuid, timestamptz) IS
    'Sets the time at which a work item is due, null: none; returns false if it is already set so';

CREATE FUNCTION orchestration.unlock_record(record_type text, record_key text)
    RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_unlock_record';
COMMENT ON FUNCTION orchestration.unlock_record(text, text) IS
    'Lifts the locks that approvals hold on a record (shouldLock), as far as the caller may; returns how many it lifted';
