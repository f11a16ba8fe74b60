-- describe: the documented calls describeSObjects and describeGlobal
-- (src/call/describe.c).

CREATE FUNCTION orchestration.describe_sobjects(
    objects text[],
    api_version numeric DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_describe_sobjects';
COMMENT ON FUNCTION orchestration.describe_sobjects(text[], numeric) IS
    'describeSObjects: describes up to 100 objects as the caller can use them; api_version: null: the newest';

CREATE FUNCTION orchestration.describe_global(api_version numeric DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_describe_global';
COMMENT ON FUNCTION orchestration.describe_global(numeric) IS
    'describeGlobal: lists the objects that the caller can read, without their fields; api_version: null: the newest';
