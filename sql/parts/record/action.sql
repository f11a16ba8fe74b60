-- action: what steps call (src/record/action.c).

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
        CHECK ((kind = 'worker') = (topic IS NOT NULL) AND topic <> ''),
    CONSTRAINT action_times_check
        CHECK (orchestration_internal.time_in_range('created_at of an action', created_at)
               AND orchestration_internal.time_in_range('modified_at of an action', modified_at)),
    CONSTRAINT action_intervals_check
        CHECK (orchestration_internal.interval_in_range('retry_delay', retry_delay)
               AND orchestration_internal.interval_in_range('retry_max_delay', retry_max_delay)
               AND orchestration_internal.interval_in_range('timeout', timeout)
               AND orchestration_internal.interval_in_range('due', due))
);
COMMENT ON TABLE orchestration.action IS
    'Actions that steps call, by the name that definitions use; see register_action()';
COMMENT ON COLUMN orchestration.action.function_name IS
    'Schema-qualified function (jsonb) returns jsonb; stored as text so that pg_upgrade can carry it';
COMMENT ON COLUMN orchestration.action.search_path IS
    'search_path at registration; the function runs with it and with the rights of its owner';
COMMENT ON COLUMN orchestration.action.topic IS
    'Worker actions: the topic under which claim_steps() finds their steps';
COMMENT ON COLUMN orchestration.action.run_as_user IS
    'Whether steps with runAsUser may call the action; see allow_run_as_user()';
COMMENT ON COLUMN orchestration.action.run_as_owner IS
    'Function actions: the owner of the function when run_as_user was set; the permission ends if the function gets another owner';
COMMENT ON COLUMN orchestration.action.max_attempts IS
    'Queued steps: the number of failed attempts after which the step fails; see set_retry_policy()';
COMMENT ON COLUMN orchestration.action.retry_delay IS
    'Time between the first failure and the second attempt';
COMMENT ON COLUMN orchestration.action.retry_backoff IS
    'Factor by which each further failure multiplies that time';
COMMENT ON COLUMN orchestration.action.retry_max_delay IS
    'Upper limit of that time, before jitter';
COMMENT ON COLUMN orchestration.action.retry_jitter IS
    'Random change of that time, up or down, as a fraction of it: 0 to 1';
COMMENT ON COLUMN orchestration.action.inputs IS
    'Inputs that the action takes: {"name": {"dataType": "Number", "isRequired": true}}; null: any';
COMMENT ON COLUMN orchestration.action.outputs IS
    'Outputs that the action returns, described as inputs are; null: any';
COMMENT ON COLUMN orchestration.action.due IS
    'Screens: time from the assignment of a work item until it is due';
COMMENT ON COLUMN orchestration.action.timeout IS
    'Queued steps: maximum duration of one attempt; extending its lease does not extend it; null: no limit';
SELECT pg_catalog.pg_extension_config_dump('orchestration.action', '');

CREATE FUNCTION orchestration.register_action(
    action text,
    kind orchestration.action_kind,
    function regprocedure DEFAULT NULL,
    topic text DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_register_action';
COMMENT ON FUNCTION orchestration.register_action(text, orchestration.action_kind, regprocedure, text) IS
    'Registers the action that definitions call by a name: a function (jsonb) returns jsonb, workers that claim its topic (by default its name), or screens of users; replaces an action of that name';

CREATE FUNCTION orchestration.set_retry_policy(
    action text,
    max_attempts integer DEFAULT 1,
    delay interval DEFAULT '1 second',
    backoff double precision DEFAULT 2,
    max_delay interval DEFAULT '1 hour',
    jitter double precision DEFAULT 0.1,
    timeout interval DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_retry_policy';
COMMENT ON FUNCTION orchestration.set_retry_policy(text, integer, interval, double precision, interval, double precision, interval) IS
    'Sets the maximum number of attempts of queued steps of an action, the delays between them, and the maximum duration of one attempt';

CREATE FUNCTION orchestration.set_action_contract(
    action text,
    inputs jsonb DEFAULT NULL,
    outputs jsonb DEFAULT NULL,
    due interval DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_set_action_contract';
COMMENT ON FUNCTION orchestration.set_action_contract(text, jsonb, jsonb, interval) IS
    'Describes the inputs and outputs of an action, {"name": "Number", "other": {"dataType": "String", "isRequired": true}}: activation checks definitions against it, completion checks outputs of work items; due: time until work items of a screen are due';

CREATE FUNCTION orchestration.allow_run_as_user(
    action text,
    allowed boolean DEFAULT true)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_allow_run_as_user';
COMMENT ON FUNCTION orchestration.allow_run_as_user(text, boolean) IS
    'Sets whether steps with runAsUser may call an action, which can then act as any user; registering the action for something else ends the permission';

CREATE FUNCTION orchestration.unregister_action(action text)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_unregister_action';
COMMENT ON FUNCTION orchestration.unregister_action(text) IS
    'Removes an action; steps that call it then fail';
