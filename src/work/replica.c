/*-------------------------------------------------------------------------
 *
 * replica.c
 *	  advance_sequences(): prepares a logical replica to become the primary.
 *
 * Logical replication copies rows but not the values of sequences.  On the new primary the
 * sequences would give numbers that rows have already: names of runs and work items would
 * collide, and new log entries would be sorted before older ones.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/replica.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

#include "base/catalog.h"
#include "base/system.h"

/* In the order in which rows of a run are written. */
static const OrchRelation numbered[] = {
	RELATION_RUN, RELATION_SUBMISSION, RELATION_WORK_ITEM, RELATION_SUBMISSION_ITEM,
	RELATION_SUBMISSION_DETAIL, RELATION_RUN_LOG
};

/*
 * A sequence that is ahead of the rows stays there, so that no number is given twice.  Users
 * can name imported runs as they like: only names of the usual form are numbers.
 */
static StaticPlan plan_advance = {
	"SELECT h.sequence, CASE WHEN h.held > h.last_value OR h.held = h.last_value AND NOT h.is_called"
	"    THEN pg_catalog.setval(('orchestration.' || h.sequence)::pg_catalog.regclass, h.held)"
	"    ELSE h.last_value END"
	" FROM (SELECT 'run_log_number_seq' AS sequence, s.last_value, s.is_called,"
	"         (SELECT pg_catalog.max(l.number) FROM orchestration.run_log l) AS held"
	"    FROM orchestration.run_log_number_seq s"
	"  UNION ALL"
	"  SELECT 'run_name_seq', s.last_value, s.is_called,"
	"         (SELECT pg_catalog.max(pg_catalog.substr(r.name, 4)::pg_catalog.int8) FROM orchestration.run r"
	"           WHERE r.name ~ '^OR-([0-9]{8}|[1-9][0-9]{8,11})$')"
	"    FROM orchestration.run_name_seq s"
	"  UNION ALL"
	"  SELECT 'work_item_name_seq', s.last_value, s.is_called,"
	"         (SELECT pg_catalog.max(pg_catalog.substr(w.name, 4)::pg_catalog.int8) FROM orchestration.work_item w"
	"           WHERE w.name ~ '^WI-([0-9]{8}|[1-9][0-9]{8,11})$')"
	"    FROM orchestration.work_item_name_seq s"
	"  UNION ALL"
	"  SELECT 'submission_name_seq', s.last_value, s.is_called,"
	"         (SELECT pg_catalog.max(pg_catalog.substr(x.name, 4)::pg_catalog.int8)"
	"            FROM orchestration.submission x"
	"           WHERE x.name ~ '^AS-([0-9]{9}|[1-9][0-9]{9,11})$')"
	"    FROM orchestration.submission_name_seq s"
	"  UNION ALL"
	"  SELECT 'submission_item_name_seq', s.last_value, s.is_called,"
	"         (SELECT pg_catalog.max(pg_catalog.substr(x.name, 5)::pg_catalog.int8)"
	"            FROM orchestration.submission_item x"
	"           WHERE x.name ~ '^AWI-([0-9]{9}|[1-9][0-9]{9,11})$')"
	"    FROM orchestration.submission_item_name_seq s"
	"  UNION ALL"
	"  SELECT 'submission_detail_name_seq', s.last_value, s.is_called,"
	"         (SELECT pg_catalog.max(pg_catalog.substr(x.name, 5)::pg_catalog.int8)"
	"            FROM orchestration.submission_detail x"
	"           WHERE x.name ~ '^ASD-([0-9]{9}|[1-9][0-9]{9,11})$')"
	"    FROM orchestration.submission_detail_name_seq s) h ORDER BY h.sequence",
	0
};

PG_FUNCTION_INFO_V1(orchestration_advance_sequences);

/*
 * orchestration.advance_sequences(OUT sequence text, OUT last_value bigint) returns
 * setof record
 *
 * Sets each sequence to the greatest number that a row has, unless it is there or ahead.
 * Returns the name and last value of each.  Waits for transactions that write to runs, work
 * items, approvals or the log, and blocks such transactions until the end of its own.
 * Raises: none of its own.
 * Source: ours.
 */
Datum
orchestration_advance_sequences(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	uint64		i;

	InitMaterializedSRF(fcinfo, 0);
	orch_system_connect(&saved);
	for (i = 0; i < lengthof(numbered); i++)
		LockRelationOid(orch_catalog_relation(numbered[i]), ShareRowExclusiveLock);
	/* the latest snapshot shows rows that were committed while the call waited */
	orch_plan_execute_latest(&plan_advance, NULL, NULL, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		Datum		values[2];
		bool		nulls[2];
		int			j;

		for (j = 0; j < 2; j++)
			values[j] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, j + 1,
									  &nulls[j]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	orch_system_finish(&saved);
	return (Datum) 0;
}
