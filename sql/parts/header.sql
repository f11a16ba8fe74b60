-- header: begin of the install script, which the Makefile assembles from sql/parts/.
\echo Use "CREATE EXTENSION orchestration" to load this file. \quit

-- Without IF NOT EXISTS: if another role has created the schema before, the
-- installation fails and does not adopt it.
CREATE SCHEMA orchestration;
COMMENT ON SCHEMA orchestration IS
    'Orchestration runs: records, definitions and the engine that moves them';

SET LOCAL search_path = pg_catalog, pg_temp;
