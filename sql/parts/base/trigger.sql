-- trigger: trigger functions that tables of several floors share
-- (src/base/catalog.c, src/guard/guard.c, src/definition/definition_deploy.c).

CREATE FUNCTION orchestration_internal.invalidate_cache() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_invalidate_cache';
COMMENT ON FUNCTION orchestration_internal.invalidate_cache() IS
    'Trigger: makes all sessions forget what they keep in memory of the table';

CREATE FUNCTION orchestration_internal.guard_keep() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_guard_keep';
COMMENT ON FUNCTION orchestration_internal.guard_keep() IS
    'Trigger: refuses to delete rows of the table or to truncate it';

CREATE FUNCTION orchestration_internal.refuse_change() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_refuse_change';
COMMENT ON FUNCTION orchestration_internal.refuse_change() IS
    'Trigger: refuses the statement for which it fires (OR005)';
