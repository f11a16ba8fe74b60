-- transition: the status machine that the guard enforces, as rows
-- (src/guard/transition.c).

CREATE FUNCTION orchestration.legal_transitions(
    OUT level text, OUT from_status text, OUT to_status text,
    OUT made_by text, OUT condition text, OUT log_kind text)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_legal_transitions';
COMMENT ON FUNCTION orchestration.legal_transitions() IS
    'Returns the status machine in force: one row per legal change of status (contract/transitions.csv)';

CREATE FUNCTION orchestration.legal_neighbours(
    OUT parent text, OUT parent_status text, OUT child text,
    OUT child_status text)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_legal_neighbours';
COMMENT ON FUNCTION orchestration.legal_neighbours() IS
    'Returns the legal pairs of parent status and child status, one row per pair (contract/neighbours.csv)';
