-- work_item: calls on work items, for the screens of users (src/work/work_item.c).

CREATE FUNCTION orchestration.complete_work_item(
    work_item_id uuid,
    outputs jsonb DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_complete_work_item';
COMMENT ON FUNCTION orchestration.complete_work_item(uuid, jsonb, text) IS
    'Finishes a work item and moves its run; false: the same call finished it before';

CREATE FUNCTION orchestration.reassign_work_item(
    work_item_id uuid,
    assignee_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_reassign_work_item';
COMMENT ON FUNCTION orchestration.reassign_work_item(uuid, uuid) IS
    'Gives a work item to another user, group or queue; false: it was his already';

CREATE FUNCTION orchestration.fail_work_item(
    work_item_id uuid,
    message text)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_fail_work_item';
COMMENT ON FUNCTION orchestration.fail_work_item(uuid, text) IS
    'Says that the screen of a work item failed: its run goes to Error, recoverable; false: it was in Error already';

CREATE FUNCTION orchestration.listen_for_work()
    RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_listen_for_work';
COMMENT ON FUNCTION orchestration.listen_for_work() IS
    'Notifies the session, without saying of what, when a work item becomes the caller''s or that of a group or queue of his';

CREATE FUNCTION orchestration.claim_work_item(work_item_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_claim_work_item';
COMMENT ON FUNCTION orchestration.claim_work_item(uuid) IS
    'Takes a work item of a group or queue of the caller''s for himself; false: it was his already';

CREATE FUNCTION orchestration.release_work_item(work_item_id uuid)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_release_work_item';
COMMENT ON FUNCTION orchestration.release_work_item(uuid) IS
    'Gives a claimed work item back to the group or queue it was taken from; false: it was not claimed';

CREATE FUNCTION orchestration.set_due_date(work_item_id uuid, due_at timestamptz)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_due_date';
COMMENT ON FUNCTION orchestration.set_due_date(uuid, timestamptz) IS
    'Says when a work item should be done, null: any time; false: that was so already';
