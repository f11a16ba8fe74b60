-- message: what is to be told to whom, until a mailer has told it.
--
-- A trigger writes messages in the transaction of what they tell (src/guard/message.c); a
-- mailer takes them with next_messages() (src/work/mail.c).  A message has one recipient, who
-- may be a group or queue: its members are those at the time of sending.

CREATE TABLE orchestration.message (
    id           uuid        NOT NULL DEFAULT orchestration.new_id(),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind         orchestration.message_kind NOT NULL,
    recipient_id uuid        NOT NULL,
    run_id       uuid        NOT NULL,
    work_item_id uuid,
    subject      text        NOT NULL,
    body         text        NOT NULL,
    is_html      boolean     NOT NULL DEFAULT false,
    available_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts     integer     NOT NULL DEFAULT 0,
    last_error   text,
    CONSTRAINT message_pkey PRIMARY KEY (id),
    CONSTRAINT message_recipient_fkey FOREIGN KEY (recipient_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT message_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT message_work_item_fkey FOREIGN KEY (run_id, work_item_id)
        REFERENCES orchestration.work_item (run_id, id) ON DELETE CASCADE,
    CONSTRAINT message_subject_check
        CHECK (length(subject) <= 255 AND subject !~ '[[:cntrl:]]'),
    CONSTRAINT message_body_check CHECK (length(body) <= 32000),
    CONSTRAINT message_attempts_check CHECK (attempts >= 0),
    CONSTRAINT message_last_error_check CHECK (length(last_error) <= 1000),
    CONSTRAINT message_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a message', created_at)
               AND orchestration_internal.time_in_range('available_at of a message', available_at))
);
CREATE INDEX message_available_idx ON orchestration.message (available_at, id);
CREATE INDEX message_recipient_idx ON orchestration.message (recipient_id);
CREATE INDEX message_created_idx ON orchestration.message (created_at);
CREATE INDEX message_run_idx ON orchestration.message (run_id, work_item_id);
COMMENT ON TABLE orchestration.message IS
    'Messages that no mailer has sent yet, one row per thing that happened and recipient; kept for orchestration.message_retention days';
COMMENT ON COLUMN orchestration.message.recipient_id IS
    'A user, or a group or queue: next_messages() lists its members';
COMMENT ON COLUMN orchestration.message.work_item_id IS
    'Work item that the message is about; null: the whole run';
COMMENT ON COLUMN orchestration.message.available_at IS
    'Time from which a mailer gets the message';
COMMENT ON COLUMN orchestration.message.attempts IS
    'How often message_failed() was called for it';
SELECT pg_catalog.pg_extension_config_dump('orchestration.message', '');

CREATE TABLE orchestration.step_message (
    run_id      uuid    NOT NULL,
    step_run_id uuid    NOT NULL,
    subject     text,
    body        text,
    is_html     boolean NOT NULL DEFAULT false,
    CONSTRAINT step_message_pkey PRIMARY KEY (run_id, step_run_id),
    CONSTRAINT step_message_step_run_fkey FOREIGN KEY (run_id, step_run_id)
        REFERENCES orchestration.step_run (run_id, id) ON DELETE CASCADE,
    CONSTRAINT step_message_subject_check
        CHECK (length(subject) <= 255 AND subject !~ '[[:cntrl:]]'),
    CONSTRAINT step_message_body_check CHECK (length(body) <= 32000)
);
COMMENT ON TABLE orchestration.step_message IS
    'Subject and body that the definition of a step gives to its messages (ActionInput__CustomEmailSubject, ActionInput__CustomEmailBody), evaluated when the step began; null: the default';
SELECT pg_catalog.pg_extension_config_dump('orchestration.step_message', '');

CREATE TABLE orchestration.reminder (
    run_id       uuid        NOT NULL,
    work_item_id uuid        NOT NULL,
    reminded_at  timestamptz NOT NULL,
    reminders    integer     NOT NULL,
    CONSTRAINT reminder_pkey PRIMARY KEY (run_id, work_item_id),
    CONSTRAINT reminder_work_item_fkey FOREIGN KEY (run_id, work_item_id)
        REFERENCES orchestration.work_item (run_id, id) ON DELETE CASCADE,
    CONSTRAINT reminder_reminders_check CHECK (reminders > 0),
    CONSTRAINT reminder_times_check
        CHECK (orchestration_internal.time_in_range('reminded_at of a reminder', reminded_at))
);
COMMENT ON TABLE orchestration.reminder IS
    'Work items whose assignees remind_assignees() reminded';
COMMENT ON COLUMN orchestration.reminder.reminders IS
    'Reminders since the work item was last assigned';
SELECT pg_catalog.pg_extension_config_dump('orchestration.reminder', '');
