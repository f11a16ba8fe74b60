-- open_run: the runs that are not at their end (src/guard/open_run.c).
--
-- The key begins with created_at: its index gives the newest open runs first, and a run
-- keeps its created_at.  An update of the status changes no index.

CREATE TABLE orchestration_internal.open_run (
    created_at       timestamptz NOT NULL,
    run_id           uuid        NOT NULL,
    orchestration_id uuid,
    status           orchestration.run_status NOT NULL,
    CONSTRAINT open_run_pkey PRIMARY KEY (created_at, run_id),
    CONSTRAINT open_run_times_check
        CHECK (orchestration_internal.time_in_range('created_at of an open run', created_at))
) WITH (fillfactor = 90, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE orchestration_internal.open_run IS
    'One row for each run that is not Completed or Canceled, so that looking at open runs reads no ended ones; the triggers of run maintain it';
-- no rows are dumped: the restored runs insert them.  The table is in the list of the
-- extension all the same, because publications are made from that list.
SELECT pg_catalog.pg_extension_config_dump('orchestration_internal.open_run', 'WHERE false');

CREATE FUNCTION orchestration_internal.open_run_delete() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'orchestration_open_run_delete';
COMMENT ON FUNCTION orchestration_internal.open_run_delete() IS
    'Trigger: a deleted run is not open';

CREATE TRIGGER run_open_run_delete AFTER DELETE ON orchestration.run
    FOR EACH ROW WHEN (OLD.status NOT IN ('Completed', 'Canceled'))
    EXECUTE FUNCTION orchestration_internal.open_run_delete();

-- The lock keeps runs from changing meanwhile.
CREATE FUNCTION orchestration.rebuild_open_runs()
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
AS $$
DECLARE
    deleted  bigint;
    inserted bigint;
BEGIN
    LOCK TABLE orchestration.run IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM orchestration_internal.open_run o
     WHERE NOT EXISTS (SELECT FROM orchestration.run r
                        WHERE r.id = o.run_id AND r.created_at = o.created_at AND r.status = o.status
                          AND r.orchestration_id IS NOT DISTINCT FROM o.orchestration_id
                          AND r.status NOT IN ('Completed', 'Canceled'));
    GET DIAGNOSTICS deleted = ROW_COUNT;
    INSERT INTO orchestration_internal.open_run (created_at, run_id, orchestration_id, status)
    SELECT r.created_at, r.id, r.orchestration_id, r.status
      FROM orchestration.run r
     WHERE r.status NOT IN ('Completed', 'Canceled')
       AND NOT EXISTS (SELECT FROM orchestration_internal.open_run o
                        WHERE o.created_at = r.created_at AND o.run_id = r.id);
    GET DIAGNOSTICS inserted = ROW_COUNT;
    RETURN deleted + inserted;
END
$$;
COMMENT ON FUNCTION orchestration.rebuild_open_runs() IS
    'Makes open_run agree with the runs, and returns how many of its rows were wrong or missing; for runs that were written while the triggers of run did not fire, as with session_replication_role = replica';
