-- action: what steps call (src/record/action.c), and the cache invalidation that the
-- tables which sessions keep in memory share (src/base/catalog.c).

CREATE FUNCTION orchestration.invalidate_cache() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_invalidate_cache';
COMMENT ON FUNCTION orchestration.invalidate_cache() IS
    'Trigger: sessions forget what they keep of the table';

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
