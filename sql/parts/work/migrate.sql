-- migrate: runs go on in another version (src/work/migrate.c).

CREATE FUNCTION orchestration.migrate_run(run_id uuid, version integer DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_migrate_run';
COMMENT ON FUNCTION orchestration.migrate_run(uuid, integer) IS
    'Moves a run that is open, or in a recoverable Error, to another version of its orchestration, by default the active one; returns false if it has that version';

CREATE TYPE orchestration.migrated_run AS (
    run_id uuid,
    run_name text,
    version integer,
    migrated boolean,
    problems text[],
    notes text[]);
COMMENT ON TYPE orchestration.migrated_run IS
    'A run that changes its version, of migrate_runs()';

CREATE FUNCTION orchestration.migrate_runs(
    orchestration text,
    from_version integer DEFAULT NULL,
    to_version integer DEFAULT NULL,
    dry_run boolean DEFAULT true,
    max_runs integer DEFAULT 1000)
    RETURNS SETOF orchestration.migrated_run
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'orchestration_migrate_runs';
COMMENT ON FUNCTION orchestration.migrate_runs(text, integer, integer, boolean, integer) IS
    'Moves open runs of a version, by default of all others, to to_version, by default the active one; returns a row for each with the version that it has then and why it does not fit; dry_run: moves none';
