-- work_item: work that a step gives to a user, group or queue.

CREATE SEQUENCE orchestration.work_item_name_seq;
COMMENT ON SEQUENCE orchestration.work_item_name_seq IS
    'Numbers of work item names (FlowOrchestrationWorkItem.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.work_item_name_seq', '');

CREATE TABLE orchestration.work_item (
    run_id              uuid        NOT NULL,
    id                  uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id            uuid        NOT NULL,
    orchestration_id    uuid,
    assignee_id         uuid        NOT NULL,
    step_run_id         uuid        NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by          uuid,
    name                text        NOT NULL
        DEFAULT 'WI-' || replace(format('%8s', nextval('orchestration.work_item_name_seq')), ' ', '0'),
    label               text,
    description         text,
    screen_flow         text,
    screen_flow_inputs  jsonb,
    related_record_type text,
    related_record_id   text,
    status              orchestration.work_item_status NOT NULL,
    assigned_at         timestamptz NOT NULL DEFAULT now(),
    modified_at         timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by         uuid,
    completed_at        timestamptz,
    completed_by        text,
    idempotency_key     text,
    modified_minute integer GENERATED ALWAYS AS (orchestration_internal.minute_of(modified_at)) STORED,
    due_at              timestamptz,
    claimed_from        uuid,
    record_locked       boolean     NOT NULL DEFAULT false,
    assignee_can_edit   boolean     NOT NULL DEFAULT false,
    idempotency_digest  bytea,
    is_approval         boolean     NOT NULL DEFAULT false,
    parent_id           uuid,
    is_parent           boolean     NOT NULL DEFAULT false,
    CONSTRAINT work_item_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT work_item_name_key UNIQUE (name),
    CONSTRAINT work_item_step_run_fkey FOREIGN KEY (run_id, step_run_id)
        REFERENCES orchestration.step_run (run_id, id) ON DELETE CASCADE,
    CONSTRAINT work_item_assignee_fkey FOREIGN KEY (assignee_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT work_item_parent_fkey FOREIGN KEY (run_id, parent_id)
        REFERENCES orchestration.work_item (run_id, id) ON DELETE CASCADE,
    CONSTRAINT work_item_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT work_item_label_check CHECK (length(label) <= 80),
    CONSTRAINT work_item_description_check CHECK (length(description) <= 255),
    CONSTRAINT work_item_screen_flow_check CHECK (length(screen_flow) <= 255),
    CONSTRAINT work_item_related_record_check
        CHECK (related_record_id IS NULL OR related_record_type IS NOT NULL),
    CONSTRAINT work_item_completed_check
        CHECK ((status = 'Completed') = (completed_at IS NOT NULL)),
    -- each member of a unanimous approval decides; nobody decides for all at once
    CONSTRAINT work_item_parent_check
        CHECK (NOT (is_parent AND (is_approval OR parent_id IS NOT NULL))
               AND (parent_id IS NULL OR is_approval)),
    CONSTRAINT work_item_times_check
        CHECK (orchestration_internal.time_in_range('created_at of a work item', created_at)
               AND orchestration_internal.time_in_range('modified_at of a work item', modified_at)
               AND orchestration_internal.time_in_range('assigned_at of a work item', assigned_at)
               AND orchestration_internal.time_in_range('completed_at of a work item', completed_at)
               AND orchestration_internal.time_in_range('due_at of a work item', due_at))
) WITH (fillfactor = 85);
CREATE INDEX work_item_id_idx ON orchestration.work_item (id);
CREATE INDEX work_item_modified_minute_idx ON orchestration.work_item (modified_minute);
CREATE INDEX work_item_owner_idx ON orchestration.work_item (owner_id);
CREATE INDEX work_item_orchestration_idx ON orchestration.work_item (orchestration_id);
CREATE INDEX work_item_assignee_idx ON orchestration.work_item (assignee_id);
CREATE INDEX work_item_assigned_idx ON orchestration.work_item (assignee_id, assigned_at, id)
    WHERE status = 'Assigned';
CREATE UNIQUE INDEX work_item_step_run_idx ON orchestration.work_item (run_id, step_run_id)
    WHERE status = 'Assigned' AND parent_id IS NULL;
CREATE INDEX work_item_parent_idx ON orchestration.work_item (run_id, parent_id)
    WHERE parent_id IS NOT NULL;
CREATE INDEX work_item_record_locked_idx
    ON orchestration.work_item (related_record_type, related_record_id)
    WHERE record_locked AND status = 'Assigned';
-- for SOQL, whose queries have the id alone
CREATE INDEX work_item_related_record_idx
    ON orchestration.work_item (related_record_id, related_record_type)
    WHERE related_record_id IS NOT NULL;
CREATE INDEX work_item_created_idx ON orchestration.work_item (created_at);
CREATE INDEX work_item_step_idx ON orchestration.work_item (step_run_id);
CREATE INDEX work_item_name_idx
    ON orchestration.work_item (name COLLATE orchestration.case_insensitive);
COMMENT ON TABLE orchestration.work_item IS
    'Work for users, groups and queues: FlowOrchestrationWorkItem (contract/fields.csv)';
COMMENT ON COLUMN orchestration.work_item.owner_id IS
    'The assignee if it is a user, else the automated process user; a new assignee brings its own owner';
COMMENT ON COLUMN orchestration.work_item.modified_minute IS
    'modified_at in whole minutes, for get_updated(): an index on modified_at itself would prevent HOT updates';
COMMENT ON COLUMN orchestration.work_item.completed_by IS
    'User who completed the item, by username, or the role if it acts as no user; null: the engine closed it';
COMMENT ON COLUMN orchestration.work_item.due_at IS
    'Time at which the item is due: from set_due_date(), or from the due time of its screen (set_action_contract())';
COMMENT ON COLUMN orchestration.work_item.claimed_from IS
    'Group or queue from which the assignee claimed the item; release_work_item() returns it there';
COMMENT ON COLUMN orchestration.work_item.record_locked IS
    'While the item is Assigned, nobody can change the related record (shouldLock)';
COMMENT ON COLUMN orchestration.work_item.assignee_can_edit IS
    'The assignee can change the record although it is locked (canAssigneeEdit)';
COMMENT ON COLUMN orchestration.work_item.idempotency_key IS
    'Key of the complete_work_item() call that completed the item; the same call again succeeds and changes nothing';
COMMENT ON COLUMN orchestration.work_item.idempotency_digest IS
    'SHA-256 of the outputs with which the idempotency key was used: the same key with others is refused';
COMMENT ON COLUMN orchestration.work_item.is_approval IS
    'The item is of an approval step of an ApprovalWorkflow and has an approval work item (approval_work_item)';
COMMENT ON COLUMN orchestration.work_item.parent_id IS
    'Unanimous approvals: the item of the step; this one is that of a member';
COMMENT ON COLUMN orchestration.work_item.is_parent IS
    'Unanimous approvals: the item of the step, which the items of the members complete';
SELECT pg_catalog.pg_extension_config_dump('orchestration.work_item', '');
