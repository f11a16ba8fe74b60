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
        CHECK (orchestration.time_in_range('created_at of an action', created_at)
               AND orchestration.time_in_range('modified_at of an action', modified_at)),
    CONSTRAINT action_intervals_check
        CHECK (orchestration.interval_in_range('retry_delay', retry_delay)
               AND orchestration.interval_in_range('retry_max_delay', retry_max_delay)
               AND orchestration.interval_in_range('timeout', timeout)
               AND orchestration.interval_in_range('due', due))
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

CREATE FUNCTION orchestration.register_action(
    name text,
    kind orchestration.action_kind,
    function regprocedure DEFAULT NULL,
    topic text DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_register_action';
COMMENT ON FUNCTION orchestration.register_action(text, orchestration.action_kind, regprocedure, text) IS
    'Says what an action name of definitions stands for: a function (jsonb) returns jsonb, workers that claim its topic (by default its name), or people''s screens';

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
    'How often a queued step of an action is tried, after which delays, and how long one attempt may take';

CREATE FUNCTION orchestration.describe_action(
    action text,
    inputs jsonb DEFAULT NULL,
    outputs jsonb DEFAULT NULL,
    due interval DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_describe_action';
COMMENT ON FUNCTION orchestration.describe_action(text, jsonb, jsonb, interval) IS
    'What an action takes and gives, {"name": "Number", "other": {"dataType": "String", "isRequired": true}}: definitions and outputs are held against it; and when work items of a screen are due';

CREATE FUNCTION orchestration.allow_run_as_user(
    action text,
    allowed boolean DEFAULT true)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_allow_run_as_user';
COMMENT ON FUNCTION orchestration.allow_run_as_user(text, boolean) IS
    'Whether steps with runAsUser may call an action, which can then act as any user; registering it anew for something else ends it';

CREATE FUNCTION orchestration.unregister_action(name text)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_unregister_action';
COMMENT ON FUNCTION orchestration.unregister_action(text) IS
    'Forgets an action';
