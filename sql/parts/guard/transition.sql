-- transition: the status machine that the guard enforces, as rows
-- (src/guard/transition.c).

CREATE TYPE orchestration.status_transition AS (
    level text,
    from_status text,
    to_status text,
    made_by text,
    condition text,
    log_kind text);
COMMENT ON TYPE orchestration.status_transition IS
    'A legal change of status, of legal_transitions()';

CREATE FUNCTION orchestration.legal_transitions()
    RETURNS SETOF orchestration.status_transition
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_legal_transitions';
COMMENT ON FUNCTION orchestration.legal_transitions() IS
    'Returns the status machine in force: one row per legal change of status (contract/transitions.csv)';

CREATE TYPE orchestration.status_neighbour AS (
    parent text,
    parent_status text,
    child text,
    child_status text);
COMMENT ON TYPE orchestration.status_neighbour IS
    'A status that a child may have beside its parent, of legal_neighbours()';

CREATE FUNCTION orchestration.legal_neighbours()
    RETURNS SETOF orchestration.status_neighbour
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_legal_neighbours';
COMMENT ON FUNCTION orchestration.legal_neighbours() IS
    'Returns the legal pairs of parent status and child status, one row per pair (contract/neighbours.csv)';
