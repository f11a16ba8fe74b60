-- report: pages of HTML about a run and about an orchestration (src/work/report.c).
--
-- They read as their caller, with one snapshot: STABLE.

CREATE FUNCTION orchestration.run_report(run_id uuid)
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'orchestration_run_report';
COMMENT ON FUNCTION orchestration.run_report(uuid) IS
    'Returns a page of HTML, complete in itself, about a run: diagram, timeline, people, errors, log and feed, as far as the caller sees them';

CREATE FUNCTION orchestration.run_report(run text)
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'orchestration_run_report';
COMMENT ON FUNCTION orchestration.run_report(text) IS
    'run_report() of a run by its name or id';

CREATE FUNCTION orchestration.orchestration_report(orchestration text, since interval DEFAULT '30 days')
    RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'orchestration_orchestration_report';
COMMENT ON FUNCTION orchestration.orchestration_report(text, interval) IS
    'Returns a page of HTML, complete in itself, about the runs of an orchestration that the caller sees: throughput, durations by stage, where runs wait, failures, overdue work items, versions';
