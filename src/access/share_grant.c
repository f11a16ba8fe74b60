/*-------------------------------------------------------------------------
 *
 * share_grant.c
 *	  What a new owner means for the manual shares of a record.
 *
 * Manual shares end when the owner changes, because the former owner gave them.  The
 * guard sees the change, and so this file lies below it; the calls that give and take
 * shares are in call/share.c.  Both take the lock on the record's run, so that no share
 * outlives the owner who gave it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/share_grant.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "access/share_grant.h"
#include "base/lock.h"
#include "base/system.h"

static StaticPlan plan_unshare_all = {
	"DELETE FROM orchestration.share_grant WHERE run_id = $1 AND record_id = $2",
	2, {UUIDOID, UUIDOID}
};

void
orch_share_grant_owner_changed(const pg_uuid_t *run_id, const pg_uuid_t *record_id)
{
	SystemContext saved;
	Datum		values[2];

	orch_system_connect(&saved);
	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(record_id);
	(void) orch_lock_run(run_id, RUN_LOCK_MOVE);
	orch_plan_execute_latest(&plan_unshare_all, values, NULL, 0);
	orch_system_finish(&saved);
}
