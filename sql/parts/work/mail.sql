-- mail: what a mailer calls (src/work/mail.c).  No role is granted EXECUTE; the role of a
-- mailer needs it on next_messages(), message_sent() and message_failed(), and nothing else.

CREATE TYPE orchestration.due_message AS (
    id uuid,
    kind orchestration.message_kind,
    created_at timestamptz,
    recipient text,
    usernames text[],
    names text[],
    run_id uuid,
    work_item_id uuid,
    subject text,
    body text,
    is_html boolean,
    attempts integer);
COMMENT ON TYPE orchestration.due_message IS
    'A message to be sent, of next_messages()';

CREATE FUNCTION orchestration.next_messages(
    max_messages integer DEFAULT 100)
    RETURNS SETOF orchestration.due_message
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_next_messages';
COMMENT ON FUNCTION orchestration.next_messages(integer) IS
    'Returns up to max_messages messages that are due, the oldest first, and locks them until the transaction ends; usernames and names are those of the recipient, or of the active users in the recipient group or queue';

CREATE FUNCTION orchestration.message_sent(message_ids uuid[])
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_message_sent';
COMMENT ON FUNCTION orchestration.message_sent(uuid[]) IS
    'Removes messages that were sent; returns their number';

CREATE FUNCTION orchestration.message_failed(
    message_id uuid,
    error text,
    retry_after interval DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_message_failed';
COMMENT ON FUNCTION orchestration.message_failed(uuid, text, interval) IS
    'Keeps a message that could not be sent for another attempt after retry_after (null: a minute, doubled by each attempt up to a day); returns false if there is no such message';

CREATE FUNCTION orchestration.listen_for_messages()
    RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_listen_for_messages';
COMMENT ON FUNCTION orchestration.listen_for_messages() IS
    'Notifies the session, without a payload, when messages are written; returns the names of the channels';

CREATE FUNCTION orchestration.remind_assignees(
    older_than interval,
    max_reminders integer DEFAULT 3)
    RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_remind_assignees';
COMMENT ON FUNCTION orchestration.remind_assignees(interval, integer) IS
    'Writes reminders of the open work items whose last assignment or reminder is at least older_than ago, at most max_reminders after each assignment; returns the number of work items';
