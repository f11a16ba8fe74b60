/*-------------------------------------------------------------------------
 *
 * lock.c
 *	  Locks on runs.
 *
 * The lock on the row of a run serializes all changes of the run, its stages, steps and
 * work items.  Every call takes the lock through this file, so that all use the same
 * statements, lock modes and order.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/lock.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "base/catalog.h"
#include "base/compat.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"

#define LOCK_ONE(mode) { \
	"SELECT status, name, id, orchestration_id FROM orchestration.run" \
	" WHERE id = $1 FOR " mode, \
	1, {UUIDOID} \
}

static StaticPlan plan_lock_run[] = {
	[RUN_LOCK_KEEP] = LOCK_ONE("KEY SHARE"),
	[RUN_LOCK_MOVE] = LOCK_ONE("NO KEY UPDATE")
};
static StaticPlan plan_lock_runs = {
	"SELECT status, name, id, orchestration_id FROM orchestration.run"
	" WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
	1, {UUIDARRAYOID}
};

int
orch_lock_run(const pg_uuid_t *run_id, RunLock lock)
{
	Datum		value = UUIDPGetDatum(run_id);

	orch_plan_execute_latest(&plan_lock_run[lock], &value, NULL, 0);
	return (int) SPI_processed;
}

int
orch_lock_runs(const pg_uuid_t *run_ids, int nruns)
{
	Datum		value = PointerGetDatum(orch_uuid_array(run_ids, nruns));

	orch_plan_execute_latest(&plan_lock_runs, &value, NULL, 0);
	return (int) SPI_processed;
}

RunStatus
orch_lock_run_status(int row)
{
	return (RunStatus)
		orch_catalog_label_column(ENUM_RUN_STATUS, SPI_tuptable->vals[row],
								  SPI_tuptable->tupdesc, 1);
}
