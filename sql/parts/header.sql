-- orchestration: install script, assembled from sql/parts/ by the Makefile
\echo Use "CREATE EXTENSION orchestration" to load this file. \quit

-- A bare CREATE SCHEMA: one made beforehand by somebody else stops the
-- installation instead of being adopted.
CREATE SCHEMA orchestration;
COMMENT ON SCHEMA orchestration IS
    'Orchestration runs: records, definitions and the engine that moves them';

SET LOCAL search_path = pg_catalog, pg_temp;
