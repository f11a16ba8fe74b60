-- approval: what an approval leaves behind: submissions, their work items, what was done
-- with them, and who may answer for whom.
--
-- A run of an ApprovalWorkflow has one submission; each work item of an approval step has
-- an approval work item.  The engine and the guard write these rows (src/guard/approval.c);
-- no user can.  The owner and orchestration of a submission are repeated in its work items
-- and details, which are shared with it: a submission keeps both.

CREATE SEQUENCE orchestration.submission_name_seq;
COMMENT ON SEQUENCE orchestration.submission_name_seq IS
    'Numbers of approval submission names (ApprovalSubmission.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.submission_name_seq', '');
CREATE SEQUENCE orchestration.submission_item_name_seq;
COMMENT ON SEQUENCE orchestration.submission_item_name_seq IS
    'Numbers of approval work item names (ApprovalWorkItem.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.submission_item_name_seq', '');
CREATE SEQUENCE orchestration.submission_detail_name_seq;
COMMENT ON SEQUENCE orchestration.submission_detail_name_seq IS
    'Numbers of approval submission detail names (ApprovalSubmissionDetail.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.submission_detail_name_seq', '');

CREATE TABLE orchestration.submission (
    run_id              uuid        NOT NULL,
    id                  uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id            uuid        NOT NULL,
    orchestration_id    uuid,
    created_at          timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by          uuid,
    name                text        NOT NULL
        DEFAULT 'AS-' || replace(format('%9s', nextval('orchestration.submission_name_seq')), ' ', '0'),
    submitted_by        uuid        NOT NULL,
    comments            text,
    sends_email         boolean     NOT NULL DEFAULT true,
    related_record_type text,
    related_record_id   text,
    status              orchestration.approval_submission_status NOT NULL,
    modified_at         timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by         uuid,
    modified_minute integer GENERATED ALWAYS AS (orchestration_internal.minute_of(modified_at)) STORED,
    CONSTRAINT submission_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT submission_run_key UNIQUE (run_id),
    CONSTRAINT submission_name_key UNIQUE (name),
    CONSTRAINT submission_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT submission_submitter_fkey FOREIGN KEY (submitted_by)
        REFERENCES orchestration.principal (id),
    CONSTRAINT submission_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT submission_comments_check CHECK (length(comments) <= 32000),
    CONSTRAINT submission_related_record_check
        CHECK (related_record_id IS NULL OR related_record_type IS NOT NULL),
    CONSTRAINT submission_times_check
        CHECK (orchestration_internal.time_in_range('created_at of an approval submission', created_at)
               AND orchestration_internal.time_in_range('modified_at of an approval submission', modified_at))
) WITH (fillfactor = 85);
CREATE INDEX submission_id_idx ON orchestration.submission (id);
CREATE INDEX submission_modified_minute_idx
    ON orchestration.submission (modified_minute);
CREATE INDEX submission_owner_idx ON orchestration.submission (owner_id);
CREATE INDEX submission_orchestration_idx
    ON orchestration.submission (orchestration_id);
CREATE INDEX submission_submitter_idx
    ON orchestration.submission (submitted_by);
CREATE INDEX submission_created_idx ON orchestration.submission (created_at);
-- for SOQL, whose queries have the id alone
CREATE INDEX submission_related_record_idx
    ON orchestration.submission (related_record_id, related_record_type)
    WHERE related_record_id IS NOT NULL;
CREATE INDEX submission_name_idx
    ON orchestration.submission (name COLLATE orchestration.case_insensitive);
COMMENT ON TABLE orchestration.submission IS
    'Records that were submitted for approval, one row per run of an ApprovalWorkflow: ApprovalSubmission (contract/fields.csv)';
COMMENT ON COLUMN orchestration.submission.owner_id IS
    'The submitter';
COMMENT ON COLUMN orchestration.submission.submitted_by IS
    'The input submitter, if it names a user; else who started the run; else the automated process user';
COMMENT ON COLUMN orchestration.submission.sends_email IS
    'Whether messages of assignments are written (SendNoApproverEmails of the definition)';
COMMENT ON COLUMN orchestration.submission.modified_minute IS
    'modified_at in whole minutes, for get_updated(): an index on modified_at itself would prevent HOT updates';
SELECT pg_catalog.pg_extension_config_dump('orchestration.submission', '');

CREATE TABLE orchestration.submission_item (
    run_id              uuid        NOT NULL,
    id                  uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id            uuid        NOT NULL,
    orchestration_id    uuid,
    submission_id       uuid        NOT NULL,
    work_item_id        uuid        NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by          uuid,
    name                text        NOT NULL
        DEFAULT 'AWI-' || replace(format('%9s', nextval('orchestration.submission_item_name_seq')), ' ', '0'),
    assigned_to         uuid        NOT NULL,
    condition_name      text,
    related_record_type text,
    related_record_id   text,
    status              orchestration.approval_work_item_status NOT NULL,
    reviewed_by         uuid,
    reviewed_at         timestamptz,
    comments            text,
    modified_at         timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by         uuid,
    modified_minute integer GENERATED ALWAYS AS (orchestration_internal.minute_of(modified_at)) STORED,
    CONSTRAINT submission_item_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT submission_item_work_item_key UNIQUE (run_id, work_item_id),
    CONSTRAINT submission_item_name_key UNIQUE (name),
    CONSTRAINT submission_item_submission_fkey FOREIGN KEY (run_id, submission_id)
        REFERENCES orchestration.submission (run_id, id) ON DELETE CASCADE,
    CONSTRAINT submission_item_work_item_fkey FOREIGN KEY (run_id, work_item_id)
        REFERENCES orchestration.work_item (run_id, id) ON DELETE CASCADE,
    CONSTRAINT submission_item_assigned_to_fkey FOREIGN KEY (assigned_to)
        REFERENCES orchestration.principal (id),
    CONSTRAINT submission_item_reviewed_by_fkey FOREIGN KEY (reviewed_by)
        REFERENCES orchestration.principal (id),
    CONSTRAINT submission_item_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT submission_item_comments_check CHECK (length(comments) <= 32000),
    CONSTRAINT submission_item_condition_name_check CHECK (length(condition_name) <= 255),
    CONSTRAINT submission_item_related_record_check
        CHECK (related_record_id IS NULL OR related_record_type IS NOT NULL),
    CONSTRAINT submission_item_reviewed_check
        CHECK ((status IN ('Approved', 'Rejected')) = (reviewed_at IS NOT NULL)
               AND (reviewed_at IS NOT NULL OR (reviewed_by IS NULL AND comments IS NULL))),
    CONSTRAINT submission_item_times_check
        CHECK (orchestration_internal.time_in_range('created_at of an approval work item', created_at)
               AND orchestration_internal.time_in_range('reviewed_at of an approval work item', reviewed_at)
               AND orchestration_internal.time_in_range('modified_at of an approval work item', modified_at))
) WITH (fillfactor = 85);
CREATE INDEX submission_item_id_idx ON orchestration.submission_item (id);
CREATE INDEX submission_item_modified_minute_idx
    ON orchestration.submission_item (modified_minute);
CREATE INDEX submission_item_owner_idx ON orchestration.submission_item (owner_id);
CREATE INDEX submission_item_orchestration_idx
    ON orchestration.submission_item (orchestration_id);
CREATE INDEX submission_item_submission_idx
    ON orchestration.submission_item (submission_id);
CREATE INDEX submission_item_work_item_idx
    ON orchestration.submission_item (work_item_id);
CREATE INDEX submission_item_assigned_to_idx
    ON orchestration.submission_item (assigned_to);
CREATE INDEX submission_item_reviewed_by_idx
    ON orchestration.submission_item (reviewed_by) WHERE reviewed_by IS NOT NULL;
CREATE INDEX submission_item_created_idx ON orchestration.submission_item (created_at);
CREATE INDEX submission_item_related_record_idx
    ON orchestration.submission_item (related_record_id, related_record_type)
    WHERE related_record_id IS NOT NULL;
CREATE INDEX submission_item_name_idx
    ON orchestration.submission_item (name COLLATE orchestration.case_insensitive);
COMMENT ON TABLE orchestration.submission_item IS
    'Decisions that a submission asks for, one row per work item of an approval step: ApprovalWorkItem (contract/fields.csv)';
COMMENT ON COLUMN orchestration.submission_item.owner_id IS
    'Owner of the submission, with which the row is shared';
COMMENT ON COLUMN orchestration.submission_item.reviewed_by IS
    'User who decided, also for the assignee; null: a role that acts as no user did';
COMMENT ON COLUMN orchestration.submission_item.modified_minute IS
    'modified_at in whole minutes, for get_updated(): an index on modified_at itself would prevent HOT updates';
SELECT pg_catalog.pg_extension_config_dump('orchestration.submission_item', '');

CREATE TABLE orchestration.submission_detail (
    run_id                uuid        NOT NULL,
    id                    uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id              uuid        NOT NULL,
    orchestration_id      uuid,
    submission_id         uuid        NOT NULL,
    submission_item_id uuid,
    created_at            timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    name                  text        NOT NULL
        DEFAULT 'ASD-' || replace(format('%9s', nextval('orchestration.submission_detail_name_seq')), ' ', '0'),
    action                orchestration.approval_action NOT NULL,
    performed_by          uuid,
    performer_role        orchestration.approval_performer_role NOT NULL,
    channel               orchestration.approval_channel NOT NULL,
    context               text,
    comments              text,
    CONSTRAINT submission_detail_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT submission_detail_name_key UNIQUE (name),
    CONSTRAINT submission_detail_submission_fkey FOREIGN KEY (run_id, submission_id)
        REFERENCES orchestration.submission (run_id, id) ON DELETE CASCADE,
    CONSTRAINT submission_detail_work_item_fkey
        FOREIGN KEY (run_id, submission_item_id)
        REFERENCES orchestration.submission_item (run_id, id) ON DELETE CASCADE,
    CONSTRAINT submission_detail_performer_fkey FOREIGN KEY (performed_by)
        REFERENCES orchestration.principal (id),
    CONSTRAINT submission_detail_name_check
        CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT submission_detail_context_check CHECK (length(context) <= 255),
    CONSTRAINT submission_detail_comments_check CHECK (length(comments) <= 32000),
    CONSTRAINT submission_detail_times_check
        CHECK (orchestration_internal.time_in_range('created_at of an approval submission detail', created_at))
);
CREATE INDEX submission_detail_id_idx
    ON orchestration.submission_detail (id);
CREATE INDEX submission_detail_created_idx
    ON orchestration.submission_detail (created_at);
CREATE INDEX submission_detail_owner_idx
    ON orchestration.submission_detail (owner_id);
CREATE INDEX submission_detail_orchestration_idx
    ON orchestration.submission_detail (orchestration_id);
CREATE INDEX submission_detail_submission_idx
    ON orchestration.submission_detail (submission_id);
-- for SOQL, whose queries have the id alone
CREATE INDEX submission_detail_work_item_idx
    ON orchestration.submission_detail (submission_item_id)
    WHERE submission_item_id IS NOT NULL;
CREATE INDEX submission_detail_performer_idx
    ON orchestration.submission_detail (performed_by) WHERE performed_by IS NOT NULL;
CREATE INDEX submission_detail_name_idx
    ON orchestration.submission_detail (name COLLATE orchestration.case_insensitive);
COMMENT ON TABLE orchestration.submission_detail IS
    'What was done with a submission: reviews, overrides, reassignments, recalls, cancellations: ApprovalSubmissionDetail (contract/fields.csv)';
COMMENT ON COLUMN orchestration.submission_detail.comments IS
    'Comments on canceling, recalling and reassigning; those of a review are in the work item';
SELECT pg_catalog.pg_extension_config_dump('orchestration.submission_detail', '');

CREATE TABLE orchestration.approval_delegation (
    id             uuid        NOT NULL DEFAULT orchestration.new_id(),
    delegated_from uuid        NOT NULL,
    delegated_to   uuid        NOT NULL,
    end_date       timestamptz,
    comments       text,
    created_at     timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by     uuid,
    CONSTRAINT approval_delegation_pkey PRIMARY KEY (id),
    CONSTRAINT approval_delegation_key UNIQUE (delegated_from, delegated_to),
    CONSTRAINT approval_delegation_from_fkey FOREIGN KEY (delegated_from)
        REFERENCES orchestration.principal (id),
    CONSTRAINT approval_delegation_to_fkey FOREIGN KEY (delegated_to)
        REFERENCES orchestration.principal (id),
    CONSTRAINT approval_delegation_self_check CHECK (delegated_from <> delegated_to),
    CONSTRAINT approval_delegation_comments_check CHECK (length(comments) <= 32000),
    CONSTRAINT approval_delegation_times_check
        CHECK (orchestration_internal.time_in_range('created_at of an approval delegation', created_at)
               AND orchestration_internal.time_in_range('end_date of an approval delegation', end_date))
);
CREATE INDEX approval_delegation_target_idx ON orchestration.approval_delegation (delegated_to);
COMMENT ON TABLE orchestration.approval_delegation IS
    'Who may answer approvals for a user: a user, or the members of a group or queue';
COMMENT ON COLUMN orchestration.approval_delegation.end_date IS
    'Time at which the delegation ends; null: it is deleted';
SELECT pg_catalog.pg_extension_config_dump('orchestration.approval_delegation', '');
