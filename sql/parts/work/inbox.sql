-- inbox: the open work items of the caller (src/work/inbox.c).

CREATE TYPE orchestration.inbox_item AS (
    id uuid,
    name text,
    label text,
    description text,
    assigned_at timestamptz,
    due_at timestamptz,
    is_overdue boolean,
    assignee_id uuid,
    assignee text,
    assignee_kind orchestration.principal_kind,
    orchestration text,
    run_id uuid,
    screen_flow text,
    screen_flow_inputs jsonb,
    record_type text,
    record_key text);
COMMENT ON TYPE orchestration.inbox_item IS
    'A work item that the caller may work on, of my_work_items()';

CREATE FUNCTION orchestration.my_work_items(
    max_items integer DEFAULT 50,
    after_assigned_at timestamptz DEFAULT NULL,
    after_id uuid DEFAULT NULL,
    orchestration text DEFAULT NULL,
    due_before timestamptz DEFAULT NULL)
    RETURNS SETOF orchestration.inbox_item
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_my_work_items';
COMMENT ON FUNCTION orchestration.my_work_items(integer, timestamptz, uuid, text, timestamptz) IS
    'Returns the open work items of the caller and of the caller''s groups and queues, and the approvals that the caller may answer as a delegate, oldest first; for the next page, pass assigned_at and id of the last row';
