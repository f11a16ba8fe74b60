-- formula: formulas, tried without a run (src/evaluate/formula.c).

CREATE FUNCTION orchestration.evaluate_formula(formula pg_catalog.text, "values" pg_catalog.jsonb)
    RETURNS pg_catalog.jsonb
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'orchestration_evaluate_formula';
COMMENT ON FUNCTION orchestration.evaluate_formula(pg_catalog.text, pg_catalog.jsonb) IS
    'Evaluates a formula with the given values of its references and returns the result';
