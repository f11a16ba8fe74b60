-- header: begin of the install script, which the Makefile assembles from sql/parts/.
\echo Use "CREATE EXTENSION orchestration" to load this file. \quit

-- Without IF NOT EXISTS: if another role has created a schema before, the installation
-- fails and does not adopt it.  orchestration has the tables and what users call: \df
-- orchestration.* is the manual.  Functions that only the extension calls (of triggers,
-- policies and the planner), and what it keeps for them, are in orchestration_internal.
CREATE SCHEMA orchestration;
COMMENT ON SCHEMA orchestration IS
    'Orchestration runs: records, definitions and the engine that moves them';
CREATE SCHEMA orchestration_internal;
COMMENT ON SCHEMA orchestration_internal IS
    'Functions that only the extension orchestration calls: of triggers, policies and the planner';

SET LOCAL search_path = pg_catalog, pg_temp;
