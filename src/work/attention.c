/*-------------------------------------------------------------------------
 *
 * attention.c
 *	  needs_attention(): what somebody has to look at.
 *
 * The items are found by one query in system context, attention_items() in
 * sql/parts/work/attention.sql: it reads tables that users do not see.  Here the caller gets
 * those that are about a run which the caller sees, and those that are about no run with the
 * permission Manage Flow.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/attention.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

#include "access/access.h"
#include "access/access_check.h"
#include "base/argument.h"
#include "base/compat.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "record/principal.h"

/* column of attention_item */
#define COL_RUN_ID		4

static StaticPlan plan_items = {
	"SELECT * FROM orchestration_internal.attention_items($1)", 1, {INTERVALOID}
};

PG_FUNCTION_INFO_V1(orchestration_needs_attention);

/*
 * orchestration.needs_attention(unclaimed interval)
 *		returns setof orchestration.attention_item
 *
 * Returns what somebody has to look at, worst first.  A step that waits longer than unclaimed
 * to be claimed counts, and so does a lease that lasts longer.
 * Raises: 22004 for null, 22008 or 22023 for an interval out of range, 42501 for a role that
 * acts as no active user.
 * Source: ours.
 */
Datum
orchestration_needs_attention(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	Oid			role = GetUserId();
	AccessSet  *set;
	bool		sees_all;
	bool		manages;
	bool		seen = false;
	pg_uuid_t	last;
	Datum		unclaimed;
	uint64		i;

	orch_require_arguments(fcinfo, 0, 1, "unclaimed");
	orch_limit_interval(PG_GETARG_INTERVAL_P(0), "unclaimed");
	set = orch_access_require_user(role);
	sees_all = orch_access_is_unlimited(set);
	manages = sees_all || (set->permissions & PERMISSION_MANAGE_DEFINITIONS) != 0;
	InitMaterializedSRF(fcinfo, 0);
	memset(&last, 0, sizeof(last));

	orch_system_connect(&saved);
	unclaimed = PG_GETARG_DATUM(0);
	orch_plan_execute(&plan_items, &unclaimed, NULL, true, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	item = SPI_tuptable->vals[i];
		pg_uuid_t  *run_id;
		bool		isnull;
		Datum		value = SPI_getbinval(item, SPI_tuptable->tupdesc, COL_RUN_ID, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
		{
			if (manages)
				tuplestore_puttuple(rsinfo->setResult, item);
			continue;
		}
		run_id = DatumGetUUIDP(value);
		if (!sees_all && !orch_uuid_equal(run_id, &last))
		{
			seen = orch_access_sees(role, OBJECT_RUN, run_id);
			last = *run_id;
		}
		if (sees_all || seen)
			tuplestore_puttuple(rsinfo->setResult, item);
	}
	orch_system_finish(&saved);
	return (Datum) 0;
}
