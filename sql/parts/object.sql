-- object: the storage tables, their constraints, indexes and comments.
--
-- Everything about a run carries run_id and has it first in its primary key,
-- so that one run's rows can later be placed together on one machine.  Status
-- columns are in no index and no index predicate of run, stage_run and
-- step_run: an update of a status then stays on its page (HOT).
--
-- There is deliberately no foreign key to principal or orchestration_version:
-- every new run would take a key share lock on the same few rows, and
-- concurrent starts would queue on their multixacts.  Rows of both tables
-- cannot be deleted, the guard checks them when set, verify() afterwards.

-- ------------------------------------------------------------- principals

CREATE TABLE orchestration.principal (
    id             uuid        NOT NULL DEFAULT orchestration.new_id(),
    kind           orchestration.principal_kind NOT NULL,
    name           text        NOT NULL,
    username       text,
    developer_name text,
    role_name      name,
    is_active      boolean     NOT NULL DEFAULT true,
    view_all_data         boolean NOT NULL DEFAULT false,
    modify_all_data       boolean NOT NULL DEFAULT false,
    manage_runs           boolean NOT NULL DEFAULT false,
    manage_definitions    boolean NOT NULL DEFAULT false,
    reassign_work_items   boolean NOT NULL DEFAULT false,
    created_at     timestamptz NOT NULL DEFAULT now(),
    modified_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT principal_pkey PRIMARY KEY (id),
    CONSTRAINT principal_username_key UNIQUE (username),
    CONSTRAINT principal_developer_name_key UNIQUE (kind, developer_name),
    CONSTRAINT principal_role_name_key UNIQUE (role_name),
    CONSTRAINT principal_name_check
        CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT principal_username_check
        CHECK ((kind = 'User') = (username IS NOT NULL)
               AND username <> '' AND length(username) <= 80),
    CONSTRAINT principal_developer_name_check
        CHECK ((kind <> 'User') = (developer_name IS NOT NULL)
               AND developer_name <> '' AND length(developer_name) <= 80),
    CONSTRAINT principal_role_name_check
        CHECK (role_name IS NULL OR kind = 'User'),
    CONSTRAINT principal_permission_check
        CHECK (kind = 'User'
               OR NOT (view_all_data OR modify_all_data OR manage_runs
                       OR manage_definitions OR reassign_work_items))
);
COMMENT ON TABLE orchestration.principal IS
    'Users, regular groups and queues (reference: User, Group): owners, assignees and actors';
COMMENT ON COLUMN orchestration.principal.username IS
    'How definitions name a user as assignee; unique';
COMMENT ON COLUMN orchestration.principal.developer_name IS
    'How definitions name a group or a queue as assignee; unique per kind';
COMMENT ON COLUMN orchestration.principal.role_name IS
    'The database role that acts as this user; null: none does';
COMMENT ON COLUMN orchestration.principal.is_active IS
    'A user who is not has no access and is assigned nothing';
COMMENT ON COLUMN orchestration.principal.view_all_data IS
    'Permission View All Data: Read on every record';
COMMENT ON COLUMN orchestration.principal.modify_all_data IS
    'Permission Modify All Data: All on every record, and manages sharing';
COMMENT ON COLUMN orchestration.principal.manage_runs IS
    'Permission Manage Orchestration Runs: suspends, resumes and cancels the runs that he sees';
COMMENT ON COLUMN orchestration.principal.manage_definitions IS
    'Permission Manage Flow: deploys and activates orchestrations';
COMMENT ON COLUMN orchestration.principal.reassign_work_items IS
    'Permission Reassign Orchestration Work Items: reassigns the work items that he sees';

-- The automated process user, seeded; src/record/principal.h has the same id.
INSERT INTO orchestration.principal (id, kind, name, username)
VALUES ('00000000-0000-7000-8000-000000000001', 'User',
        'Automated Process', 'autoproc');

SELECT pg_catalog.pg_extension_config_dump('orchestration.principal',
    $$WHERE id <> '00000000-0000-7000-8000-000000000001'$$);

CREATE TABLE orchestration.membership (
    group_id    uuid        NOT NULL,
    member_id   uuid        NOT NULL,
    member_kind orchestration.principal_kind NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT membership_pkey PRIMARY KEY (group_id, member_id),
    CONSTRAINT membership_group_fkey FOREIGN KEY (group_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT membership_member_fkey FOREIGN KEY (member_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT membership_self_check CHECK (group_id <> member_id)
);
CREATE INDEX membership_member_idx ON orchestration.membership (member_id);
COMMENT ON TABLE orchestration.membership IS
    'Who belongs to a group or queue (reference: GroupMember)';
COMMENT ON COLUMN orchestration.membership.member_kind IS
    'Kind of the member, filled in: User, or Group for one group in another';
SELECT pg_catalog.pg_extension_config_dump('orchestration.membership', '');

-- ---------------------------------------------------------------- sharing

CREATE TABLE orchestration.default_access (
    object        orchestration.shared_object NOT NULL,
    sharing_model orchestration.sharing_model NOT NULL,
    CONSTRAINT default_access_pkey PRIMARY KEY (object)
);
COMMENT ON TABLE orchestration.default_access IS
    'Default access of an object; one without a row is Private';
SELECT pg_catalog.pg_extension_config_dump('orchestration.default_access', '');

CREATE TABLE orchestration.owner_sharing_rule (
    id               uuid        NOT NULL DEFAULT orchestration.new_id(),
    object           orchestration.shared_object NOT NULL,
    access_level     orchestration.access_level NOT NULL,
    user_or_group_id uuid        NOT NULL,
    group_id         uuid,
    orchestration_id uuid,
    developer_name   text,
    name             text        NOT NULL,
    description      text,
    created_at       timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by       uuid,
    modified_at      timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by      uuid,
    CONSTRAINT owner_sharing_rule_pkey PRIMARY KEY (id),
    CONSTRAINT owner_sharing_rule_source_key UNIQUE NULLS NOT DISTINCT
        (user_or_group_id, object, group_id, orchestration_id),
    CONSTRAINT owner_sharing_rule_developer_name_key
        UNIQUE (object, developer_name),
    CONSTRAINT owner_sharing_rule_source_check
        CHECK (num_nonnulls(group_id, orchestration_id) = 1),
    CONSTRAINT owner_sharing_rule_access_level_check
        CHECK (access_level <> 'All'),
    CONSTRAINT owner_sharing_rule_developer_name_check
        CHECK (developer_name ~ '^[A-Za-z](_?[A-Za-z0-9])*$'
               AND length(developer_name) <= 80),
    CONSTRAINT owner_sharing_rule_name_check
        CHECK (name <> '' AND length(name) <= 80),
    CONSTRAINT owner_sharing_rule_description_check
        CHECK (length(description) <= 1000)
);
CREATE INDEX owner_sharing_rule_group_idx
    ON orchestration.owner_sharing_rule (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX owner_sharing_rule_orchestration_idx
    ON orchestration.owner_sharing_rule (orchestration_id)
    WHERE orchestration_id IS NOT NULL;
COMMENT ON TABLE orchestration.owner_sharing_rule IS
    'Sharing rules: records owned by members of a group, or of runs of an orchestration, are shared with a user, group or queue (reference: OwnerSharingRule)';
COMMENT ON COLUMN orchestration.owner_sharing_rule.group_id IS
    'Source: records whose owner belongs to this group or queue, also by way of a group in it';
COMMENT ON COLUMN orchestration.owner_sharing_rule.orchestration_id IS
    'Source: records of the runs of this orchestration; goes beyond the reference';
COMMENT ON COLUMN orchestration.owner_sharing_rule.user_or_group_id IS
    'Who gets access: a user, or the members of a group or queue';
SELECT pg_catalog.pg_extension_config_dump('orchestration.owner_sharing_rule', '');

-- ----------------------------------------------------------- record types

CREATE TABLE orchestration.record_type (
    name       text        NOT NULL,
    relation   regclass    NOT NULL,
    key_column name        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT record_type_pkey PRIMARY KEY (name),
    CONSTRAINT record_type_relation_key UNIQUE (relation),
    CONSTRAINT record_type_name_check
        CHECK (name ~ '^[A-Za-z][A-Za-z0-9_]*$' AND length(name) <= 80)
);
COMMENT ON TABLE orchestration.record_type IS
    'Tables whose rows a run may be about: the targets of polymorphic lookups; see register_record_type()';
SELECT pg_catalog.pg_extension_config_dump('orchestration.record_type', '');

-- ---------------------------------------------------------------- actions

CREATE TABLE orchestration.action (
    name          text        NOT NULL,
    kind          orchestration.action_kind NOT NULL,
    function_name text,
    search_path   text,
    topic         text,
    max_attempts  integer     NOT NULL DEFAULT 1,
    retry_delay   interval    NOT NULL DEFAULT '1 second',
    retry_backoff double precision NOT NULL DEFAULT 2,
    retry_max_delay interval  NOT NULL DEFAULT '1 hour',
    retry_jitter  double precision NOT NULL DEFAULT 0.1,
    timeout       interval,
    inputs        jsonb,
    outputs       jsonb,
    due           interval,
    created_at    timestamptz NOT NULL DEFAULT now(),
    modified_at   timestamptz NOT NULL DEFAULT now(),
    run_as_user   boolean     NOT NULL DEFAULT false,
    run_as_owner  name,
    CONSTRAINT action_pkey PRIMARY KEY (name),
    CONSTRAINT action_max_attempts_check CHECK (max_attempts > 0),
    CONSTRAINT action_retry_check CHECK (retry_delay >= '0' AND retry_max_delay >= '0'
        AND retry_backoff >= 1 AND retry_backoff <= 100
        AND retry_jitter >= 0 AND retry_jitter <= 1),
    CONSTRAINT action_timeout_check CHECK (timeout > '0'),
    CONSTRAINT action_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT action_function_check
        CHECK ((kind = 'function') = (function_name IS NOT NULL)),
    CONSTRAINT action_topic_check
        CHECK ((kind = 'worker') = (topic IS NOT NULL) AND topic <> '')
);
COMMENT ON TABLE orchestration.action IS
    'What steps call, by the name that definitions use; see register_action()';
COMMENT ON COLUMN orchestration.action.function_name IS
    'Schema-qualified function (jsonb) returns jsonb, as text so that pg_upgrade can carry it';
COMMENT ON COLUMN orchestration.action.search_path IS
    'search_path at registration: the function runs with it, as its owner';
COMMENT ON COLUMN orchestration.action.topic IS
    'Worker actions: what claim_steps() asks for';
COMMENT ON COLUMN orchestration.action.run_as_user IS
    'Whether steps with runAsUser may call it; see allow_run_as_user()';
COMMENT ON COLUMN orchestration.action.run_as_owner IS
    'Function actions: the owner of the function when that was allowed; under another owner it is not';
COMMENT ON COLUMN orchestration.action.max_attempts IS
    'Queued steps: how often it is tried before its step fails; see set_retry_policy()';
COMMENT ON COLUMN orchestration.action.retry_delay IS
    'Time between the first failure and the second attempt';
COMMENT ON COLUMN orchestration.action.retry_backoff IS
    'By how much that time is multiplied with every further failure';
COMMENT ON COLUMN orchestration.action.retry_max_delay IS
    'What it never exceeds, jitter apart';
COMMENT ON COLUMN orchestration.action.retry_jitter IS
    'By which part of itself it is changed at random, up or down';
COMMENT ON COLUMN orchestration.action.inputs IS
    'What it takes: {"name": {"dataType": "Number", "isRequired": true}}; null: anything';
COMMENT ON COLUMN orchestration.action.outputs IS
    'What it gives, likewise; null: anything';
COMMENT ON COLUMN orchestration.action.due IS
    'Screens: how long after it was assigned a work item is due';
COMMENT ON COLUMN orchestration.action.timeout IS
    'Queued steps: how long one attempt may take, however often its lease is extended; null: for ever';
SELECT pg_catalog.pg_extension_config_dump('orchestration.action', '');

-- ---------------------------------------------------------------- secrets

CREATE TABLE orchestration.secret (
    name  text NOT NULL,
    value uuid NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT secret_pkey PRIMARY KEY (name)
);
COMMENT ON TABLE orchestration.secret IS
    'What nobody but the extension knows: names of channels are hashed with it';
INSERT INTO orchestration.secret (name) VALUES ('channel');

-- ---------------------------------------------------------------- globals

CREATE TABLE orchestration.global_value (
    name        text        NOT NULL,
    value       jsonb       NOT NULL,
    modified_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT global_value_pkey PRIMARY KEY (name),
    CONSTRAINT global_value_name_check CHECK (name ~ '^[$][A-Za-z][A-Za-z0-9_]*$'),
    CONSTRAINT global_value_value_check CHECK (jsonb_typeof(value) = 'object')
);
COMMENT ON TABLE orchestration.global_value IS
    'What definitions read as $Organization.Name, $Label.Greeting and the like; see set_global()';
COMMENT ON COLUMN orchestration.global_value.value IS
    'Its fields: {"Name": "Acme"}';
SELECT pg_catalog.pg_extension_config_dump('orchestration.global_value', '');

-- ------------------------------------------------------------ definitions

CREATE TABLE orchestration.orchestration_definition (
    id             uuid        NOT NULL DEFAULT orchestration.new_id(),
    name           text        NOT NULL,
    active_version integer,
    created_at     timestamptz NOT NULL DEFAULT now(),
    modified_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT orchestration_definition_pkey PRIMARY KEY (id),
    CONSTRAINT orchestration_definition_name_key UNIQUE (name),
    CONSTRAINT orchestration_definition_name_check
        CHECK (name ~ '^[A-Za-z][A-Za-z0-9_]*$' AND length(name) <= 80)
);
COMMENT ON TABLE orchestration.orchestration_definition IS
    'Orchestrations by API name (reference: FlowOrchestration)';

CREATE TABLE orchestration.orchestration_version (
    id                  uuid        NOT NULL DEFAULT orchestration.new_id(),
    orchestration_id    uuid        NOT NULL,
    version             integer     NOT NULL,
    label               text        NOT NULL,
    process_type        text        NOT NULL,
    record_type_name    text,
    record_trigger_type text,
    source_xml          xml,
    document            jsonb       NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    created_by          uuid,
    CONSTRAINT orchestration_version_pkey PRIMARY KEY (id),
    CONSTRAINT orchestration_version_version_key
        UNIQUE (orchestration_id, version),
    CONSTRAINT orchestration_version_orchestration_fkey
        FOREIGN KEY (orchestration_id)
        REFERENCES orchestration.orchestration_definition (id),
    CONSTRAINT orchestration_version_version_check CHECK (version > 0)
);
COMMENT ON TABLE orchestration.orchestration_version IS
    'Immutable versions of orchestrations, source included (reference: FlowOrchestrationVersion)';
COMMENT ON COLUMN orchestration.orchestration_version.source_xml IS
    'The document as it was deployed, when it was XML';
COMMENT ON COLUMN orchestration.orchestration_version.document IS
    'The definition in the JSON notation: as deployed, or made from the XML';
COMMENT ON COLUMN orchestration.orchestration_version.record_type_name IS
    'start.object: the record type that triggers it; null: started by call';
COMMENT ON COLUMN orchestration.orchestration_version.record_trigger_type IS
    'start.recordTriggerType: Create, Update or CreateAndUpdate';

COMMENT ON COLUMN orchestration.orchestration_definition.active_version IS
    'The version that new runs get; null: none.  No foreign key: with the one in the other direction it would be a circle that pg_restore cannot load';

SELECT pg_catalog.pg_extension_config_dump('orchestration.orchestration_definition', '');
SELECT pg_catalog.pg_extension_config_dump('orchestration.orchestration_version', '');

-- -------------------------------------------------------------------- run

CREATE SEQUENCE orchestration.run_name_seq;
COMMENT ON SEQUENCE orchestration.run_name_seq IS
    'Numbers of run names (FlowOrchestrationInstance.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run_name_seq', '');

CREATE TABLE orchestration.run (
    id                     uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id               uuid        NOT NULL
        DEFAULT '00000000-0000-7000-8000-000000000001',
    orchestration_id       uuid,
    version_id             uuid,
    created_at             timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by             uuid,
    name                   text        NOT NULL
        DEFAULT 'OR-' || replace(format('%8s', nextval('orchestration.run_name_seq')), ' ', '0'),
    orchestration_name     text,
    orchestration_label    text,
    triggering_record_type text,
    triggering_record_id   text,
    idempotency_key        text,
    interview_id           uuid,
    status                 orchestration.run_status NOT NULL,
    error_recoverable      boolean,
    modified_at            timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by            uuid,
    ended_at               timestamptz,
    current_stage          text,
    variables              jsonb,
    error                  jsonb,
    modified_minute integer GENERATED ALWAYS AS (orchestration.minute_of(modified_at)) STORED,
    CONSTRAINT run_pkey PRIMARY KEY (id),
    CONSTRAINT run_name_key UNIQUE (name),
    CONSTRAINT run_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT run_current_stage_check CHECK (length(current_stage) <= 100),
    CONSTRAINT run_triggering_record_check
        CHECK (triggering_record_id IS NULL OR triggering_record_type IS NOT NULL),
    CONSTRAINT run_ended_check
        CHECK ((status IN ('Completed', 'Canceled', 'Error')) = (ended_at IS NOT NULL))
) WITH (fillfactor = 50);
CREATE INDEX run_modified_minute_idx ON orchestration.run (modified_minute);
CREATE INDEX run_owner_idx ON orchestration.run (owner_id);
CREATE INDEX run_orchestration_idx ON orchestration.run (orchestration_id);
CREATE INDEX run_triggering_record_idx
    ON orchestration.run (triggering_record_type, triggering_record_id)
    WHERE triggering_record_id IS NOT NULL;
CREATE UNIQUE INDEX run_idempotency_key_idx
    ON orchestration.run (orchestration_name, idempotency_key, created_by)
    NULLS NOT DISTINCT
    WHERE idempotency_key IS NOT NULL;
COMMENT ON COLUMN orchestration.run.modified_minute IS
    'Minute of modified_at, for get_updated(): an index on modified_at itself would cost every update its HOT';
COMMENT ON TABLE orchestration.run IS
    'Orchestration runs: FlowOrchestrationInstance (contract/fields.csv)';
COMMENT ON COLUMN orchestration.run.version_id IS
    'The orchestration version that the run keeps; null on runs imported without one, which the engine leaves alone';
COMMENT ON COLUMN orchestration.run.orchestration_id IS
    'The orchestration of its version, for sharing rules that name one; its stages, steps and work items have the same';
COMMENT ON COLUMN orchestration.run.created_by IS
    'Who started it; null: the automated process user';
COMMENT ON COLUMN orchestration.run.modified_by IS
    'Who changed it last; null: the automated process user';
COMMENT ON COLUMN orchestration.run.ended_at IS
    'When it became Completed, Canceled or Error: Duration stops there';
COMMENT ON COLUMN orchestration.run.idempotency_key IS
    'start_orchestration() by the same user with the same key returns this run; other users'' keys are their own, so that a key tells nobody of another''s run';
COMMENT ON COLUMN orchestration.run.error IS
    'Why the run is in Error: message, sqlstate, detail, hint, context, element';
COMMENT ON COLUMN orchestration.run.error_recoverable IS
    'Error only: whether resume_run() may resume it (for 14 days)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run', '');

CREATE TABLE orchestration.stage_run (
    run_id      uuid        NOT NULL,
    id          uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id    uuid        NOT NULL
        DEFAULT '00000000-0000-7000-8000-000000000001',
    orchestration_id uuid,
    created_at  timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by  uuid,
    name        text        NOT NULL,
    label       text        NOT NULL,
    position    integer     NOT NULL,
    status      orchestration.stage_status NOT NULL,
    modified_at timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by uuid,
    ended_at    timestamptz,
    error       jsonb,
    modified_minute integer GENERATED ALWAYS AS (orchestration.minute_of(modified_at)) STORED,
    CONSTRAINT stage_run_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT stage_run_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT stage_run_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT stage_run_label_check CHECK (length(label) <= 80),
    CONSTRAINT stage_run_position_check CHECK (position > 0)
) WITH (fillfactor = 50);
CREATE INDEX stage_run_id_idx ON orchestration.stage_run (id);
CREATE INDEX stage_run_modified_minute_idx ON orchestration.stage_run (modified_minute);
CREATE INDEX stage_run_owner_idx ON orchestration.stage_run (owner_id);
CREATE INDEX stage_run_orchestration_idx ON orchestration.stage_run (orchestration_id);
COMMENT ON COLUMN orchestration.stage_run.modified_minute IS
    'Minute of modified_at, for get_updated(): an index on modified_at itself would cost every update its HOT';
COMMENT ON TABLE orchestration.stage_run IS
    'Stages of runs: FlowOrchestrationStageInstance (contract/fields.csv)';
COMMENT ON COLUMN orchestration.stage_run.position IS
    '1-based order in which the run reached its stages';
COMMENT ON COLUMN orchestration.stage_run.error IS
    'Why the stage is in Error: message, sqlstate, detail, hint, context, element';
SELECT pg_catalog.pg_extension_config_dump('orchestration.stage_run', '');

CREATE TABLE orchestration.step_run (
    run_id       uuid        NOT NULL,
    id           uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id     uuid        NOT NULL
        DEFAULT '00000000-0000-7000-8000-000000000001',
    orchestration_id uuid,
    stage_run_id uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    created_by   uuid,
    step_type    orchestration.step_type NOT NULL,
    name         text        NOT NULL,
    label        text        NOT NULL,
    description  text,
    status       orchestration.step_status NOT NULL,
    attempt      integer     NOT NULL DEFAULT 0,
    modified_at  timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by  uuid,
    started_at   timestamptz,
    ended_at     timestamptz,
    outputs      jsonb,
    pending      jsonb,
    error        jsonb,
    lease_id     uuid,
    modified_minute integer GENERATED ALWAYS AS (orchestration.minute_of(modified_at)) STORED,
    CONSTRAINT step_run_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT step_run_stage_run_fkey FOREIGN KEY (run_id, stage_run_id)
        REFERENCES orchestration.stage_run (run_id, id) ON DELETE CASCADE,
    CONSTRAINT step_run_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT step_run_label_check CHECK (length(label) <= 80),
    CONSTRAINT step_run_description_check CHECK (length(description) <= 32000)
) WITH (fillfactor = 45);
CREATE INDEX step_run_id_idx ON orchestration.step_run (id);
CREATE INDEX step_run_modified_minute_idx ON orchestration.step_run (modified_minute);
CREATE INDEX step_run_owner_idx ON orchestration.step_run (owner_id);
CREATE INDEX step_run_orchestration_idx ON orchestration.step_run (orchestration_id);
COMMENT ON COLUMN orchestration.step_run.modified_minute IS
    'Minute of modified_at, for get_updated(): an index on modified_at itself would cost every update its HOT';
COMMENT ON TABLE orchestration.step_run IS
    'Steps of runs: FlowOrchestrationStepInstance (contract/fields.csv)';
COMMENT ON COLUMN orchestration.step_run.attempt IS
    'How often its action was begun';
COMMENT ON COLUMN orchestration.step_run.outputs IS
    'What its action returned; readable by conditions and inputs once Completed';
COMMENT ON COLUMN orchestration.step_run.pending IS
    'Outcome that arrived while the run could not take it in: {"outcome": "Completed" or "Error", "outputs": ..., "error": ...}';
COMMENT ON COLUMN orchestration.step_run.lease_id IS
    'The claim whose outcome was taken in: the same call again is accepted without doing anything';
COMMENT ON COLUMN orchestration.step_run.error IS
    'Why the step is in Error: message, sqlstate, detail, hint, context';
SELECT pg_catalog.pg_extension_config_dump('orchestration.step_run', '');

-- -------------------------------------------------------------- work items

CREATE SEQUENCE orchestration.work_item_name_seq;
COMMENT ON SEQUENCE orchestration.work_item_name_seq IS
    'Numbers of work item names (FlowOrchestrationWorkItem.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.work_item_name_seq', '');

CREATE TABLE orchestration.work_item (
    run_id              uuid        NOT NULL,
    id                  uuid        NOT NULL DEFAULT orchestration.new_id(),
    owner_id            uuid        NOT NULL
        DEFAULT '00000000-0000-7000-8000-000000000001',
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
    modified_minute integer GENERATED ALWAYS AS (orchestration.minute_of(modified_at)) STORED,
    due_at              timestamptz,
    claimed_from        uuid,
    record_locked       boolean     NOT NULL DEFAULT false,
    assignee_can_edit   boolean     NOT NULL DEFAULT false,
    CONSTRAINT work_item_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT work_item_name_key UNIQUE (name),
    CONSTRAINT work_item_step_run_fkey FOREIGN KEY (run_id, step_run_id)
        REFERENCES orchestration.step_run (run_id, id) ON DELETE CASCADE,
    CONSTRAINT work_item_assignee_fkey FOREIGN KEY (assignee_id)
        REFERENCES orchestration.principal (id),
    CONSTRAINT work_item_name_check CHECK (name <> '' AND length(name) <= 255),
    CONSTRAINT work_item_label_check CHECK (length(label) <= 80),
    CONSTRAINT work_item_description_check CHECK (length(description) <= 255),
    CONSTRAINT work_item_screen_flow_check CHECK (length(screen_flow) <= 255),
    CONSTRAINT work_item_related_record_check
        CHECK (related_record_id IS NULL OR related_record_type IS NOT NULL),
    CONSTRAINT work_item_completed_check
        CHECK ((status = 'Completed') = (completed_at IS NOT NULL))
) WITH (fillfactor = 85);
CREATE INDEX work_item_id_idx ON orchestration.work_item (id);
CREATE INDEX work_item_modified_minute_idx ON orchestration.work_item (modified_minute);
CREATE INDEX work_item_owner_idx ON orchestration.work_item (owner_id);
CREATE INDEX work_item_orchestration_idx ON orchestration.work_item (orchestration_id);
CREATE INDEX work_item_assignee_idx ON orchestration.work_item (assignee_id);
CREATE INDEX work_item_assigned_idx ON orchestration.work_item (assignee_id, assigned_at, id)
    WHERE status = 'Assigned';
CREATE UNIQUE INDEX work_item_step_run_idx ON orchestration.work_item (run_id, step_run_id)
    WHERE status = 'Assigned';
CREATE INDEX work_item_record_locked_idx
    ON orchestration.work_item (related_record_type, related_record_id)
    WHERE record_locked AND status = 'Assigned';
CREATE INDEX work_item_related_record_idx
    ON orchestration.work_item (related_record_type, related_record_id)
    WHERE related_record_id IS NOT NULL;
COMMENT ON COLUMN orchestration.work_item.modified_minute IS
    'Minute of modified_at, for get_updated(): an index on modified_at itself would cost every update its HOT';
COMMENT ON TABLE orchestration.work_item IS
    'Work for people: FlowOrchestrationWorkItem (contract/fields.csv)';
COMMENT ON COLUMN orchestration.work_item.completed_by IS
    'Who finished it: the name of the user, or of the role where it is nobody''s; null: the engine closed it';
COMMENT ON COLUMN orchestration.work_item.due_at IS
    'When it should be done: set_due_date(), or the time that its screen has (describe_action())';
COMMENT ON COLUMN orchestration.work_item.claimed_from IS
    'The group or queue from which its assignee took it: release_work_item() gives it back';
COMMENT ON COLUMN orchestration.work_item.record_locked IS
    'While it is Assigned nobody changes the related record (shouldLock)';
COMMENT ON COLUMN orchestration.work_item.assignee_can_edit IS
    'But for its assignee (canAssigneeEdit)';
COMMENT ON COLUMN orchestration.work_item.idempotency_key IS
    'Key of the complete_work_item() call that finished it: the same call again succeeds without doing anything';
SELECT pg_catalog.pg_extension_config_dump('orchestration.work_item', '');

-- ------------------------------------------------------------ manual shares

CREATE TABLE orchestration.share_grant (
    run_id           uuid        NOT NULL,
    id               uuid        NOT NULL DEFAULT orchestration.new_id(),
    object           orchestration.shared_object NOT NULL,
    record_id        uuid        NOT NULL,
    user_or_group_id uuid        NOT NULL,
    access_level     orchestration.access_level NOT NULL,
    modified_at      timestamptz NOT NULL DEFAULT orchestration.system_modstamp(),
    modified_by      uuid,
    CONSTRAINT share_grant_pkey PRIMARY KEY (run_id, id),
    CONSTRAINT share_grant_record_key
        UNIQUE (run_id, record_id, user_or_group_id),
    CONSTRAINT share_grant_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT share_grant_access_level_check CHECK (access_level <> 'All')
);
CREATE INDEX share_grant_user_or_group_idx
    ON orchestration.share_grant (user_or_group_id);
CREATE INDEX share_grant_id_idx ON orchestration.share_grant (id);
CREATE INDEX share_grant_record_idx ON orchestration.share_grant (record_id);
COMMENT ON TABLE orchestration.share_grant IS
    'Manual shares: the rows of Share with RowCause Manual; the others are computed from owners and rules';
COMMENT ON COLUMN orchestration.share_grant.record_id IS
    'The run, stage, step or work item that is shared; run_id is its run';
SELECT pg_catalog.pg_extension_config_dump('orchestration.share_grant', '');

-- ------------------------------------------------------------- ready steps

CREATE TABLE orchestration.step_queue (
    run_id       uuid        NOT NULL,
    step_run_id  uuid        NOT NULL,
    orchestration_id uuid    NOT NULL,
    available_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_id     uuid,
    leased_until timestamptz,
    claimed_at   timestamptz,
    attempt      integer     NOT NULL DEFAULT 0,
    failures     integer     NOT NULL DEFAULT 0,
    lost         integer     NOT NULL DEFAULT 0,
    timeout      interval,
    run_as       uuid,
    worker       text,
    topic        text        NOT NULL,
    step_name    text        NOT NULL,
    action       text        NOT NULL,
    inputs       jsonb       NOT NULL,
    CONSTRAINT step_queue_pkey PRIMARY KEY (run_id, step_run_id),
    CONSTRAINT step_queue_step_run_fkey FOREIGN KEY (run_id, step_run_id)
        REFERENCES orchestration.step_run (run_id, id) ON DELETE CASCADE
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX step_queue_available_idx
    ON orchestration.step_queue (topic, orchestration_id, available_at);
COMMENT ON TABLE orchestration.step_queue IS
    'Asynchronous steps that wait for a worker or are leased to one: narrow and hot, apart from step_run';
COMMENT ON COLUMN orchestration.step_queue.available_at IS
    'From when on it may be claimed; infinity while its run is in Error.  Not changed by claims: they would cost the row its HOT';
COMMENT ON COLUMN orchestration.step_queue.orchestration_id IS
    'That of its run: claims take from all orchestrations in turn';
COMMENT ON COLUMN orchestration.step_queue.leased_until IS
    'When the lease ends and it can be claimed again; null: nobody holds it';
COMMENT ON COLUMN orchestration.step_queue.failures IS
    'Attempts that failed: at the max_attempts of its action the step fails';
COMMENT ON COLUMN orchestration.step_queue.lost IS
    'Attempts whose lease ended without a word: beyond orchestration.max_lost_leases the step fails';
COMMENT ON COLUMN orchestration.step_queue.timeout IS
    'How long one attempt may take: that of its action when it was queued';
COMMENT ON COLUMN orchestration.step_queue.run_as IS
    'The user as whom the action runs (runAsUser)';
COMMENT ON COLUMN orchestration.step_queue.lease_id IS
    'The claim that holds it: complete_steps() and fail_steps() must name it';
COMMENT ON COLUMN orchestration.step_queue.attempt IS
    'How often it was claimed';
COMMENT ON COLUMN orchestration.step_queue.topic IS
    'What workers ask for; empty: a function in the database, see run_queued_functions()';
SELECT pg_catalog.pg_extension_config_dump('orchestration.step_queue', '');

-- --------------------------------------------------------------- attempts

CREATE TABLE orchestration.step_attempt (
    run_id      uuid        NOT NULL,
    step_run_id uuid        NOT NULL,
    lease_id    uuid        NOT NULL,
    attempt     integer     NOT NULL,
    worker      text        NOT NULL,
    outcome     orchestration.attempt_outcome NOT NULL,
    claimed_at  timestamptz NOT NULL,
    ended_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    error       jsonb,
    CONSTRAINT step_attempt_pkey PRIMARY KEY (run_id, step_run_id, lease_id),
    CONSTRAINT step_attempt_step_run_fkey FOREIGN KEY (run_id, step_run_id)
        REFERENCES orchestration.step_run (run_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE orchestration.step_attempt IS
    'Attempts of queued steps that did not end them: what failed and is tried again, what was lost.  The attempt that ends a step is recorded by the step itself, so that each has exactly one outcome';
COMMENT ON COLUMN orchestration.step_attempt.error IS
    'message, sqlstate, detail, hint, context';
SELECT pg_catalog.pg_extension_config_dump('orchestration.step_attempt', '');

-- -------------------------------------------------------------------- log

CREATE SEQUENCE orchestration.run_log_number_seq CACHE 32;
COMMENT ON SEQUENCE orchestration.run_log_number_seq IS
    'Numbers of log entries (FlowOrchestrationLog.Name, an autonumber)';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run_log_number_seq', '');

CREATE TABLE orchestration.run_log (
    run_id       uuid        NOT NULL,
    number       bigint      NOT NULL
        DEFAULT nextval('orchestration.run_log_number_seq'),
    logged_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind         orchestration.log_kind NOT NULL,
    duration     integer,
    stage_run_id uuid,
    step_run_id  uuid,
    work_item_id uuid,
    assignee_id  uuid,
    actor        text,
    comments     text,
    context      text,
    CONSTRAINT run_log_pkey PRIMARY KEY (run_id, number),
    CONSTRAINT run_log_run_fkey FOREIGN KEY (run_id)
        REFERENCES orchestration.run (id) ON DELETE CASCADE,
    CONSTRAINT run_log_duration_check CHECK (duration >= 0),
    CONSTRAINT run_log_actor_check CHECK (length(actor) <= 255),
    CONSTRAINT run_log_comments_check CHECK (length(comments) <= 1333),
    CONSTRAINT run_log_context_check CHECK (length(context) <= 80)
);
CREATE INDEX run_log_logged_idx ON orchestration.run_log USING brin (logged_at);
COMMENT ON TABLE orchestration.run_log IS
    'Milestones of runs: FlowOrchestrationLog (contract/fields.csv)';
COMMENT ON COLUMN orchestration.run_log.number IS
    'Orders the entries of a run; the view makes Name and, with logged_at, Id of it';
COMMENT ON COLUMN orchestration.run_log.duration IS
    'Whole seconds from the start of what ended; null where nothing ended';
COMMENT ON COLUMN orchestration.run_log.actor IS
    'Who did it: the name of the user, or of the role where it is nobody''s; null: the automated process user';
SELECT pg_catalog.pg_extension_config_dump('orchestration.run_log', '');
