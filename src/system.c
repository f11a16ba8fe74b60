/*-------------------------------------------------------------------------
 *
 * system.c
 *	  System context and kept plans: how the extension runs SQL of its own.
 *
 * The switch to the owner follows ri_triggers.c (SECURITY_LOCAL_USERID_CHANGE
 * and SECURITY_NOFORCE_RLS): row security hides nothing from the rules, and
 * nothing of the caller's settings reaches them.  search_path is pinned as a
 * function's SET clause would, but only when it is not pinned already: engine
 * calls nest in triggers that nest in engine calls.
 *
 * Plans are kept for the session.  The plan cache rebuilds them when the tables
 * change; since search_path is always the same, it never has to because of that.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/system.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "planning.h"
#include "system.h"

#define SYSTEM_SEARCH_PATH "pg_catalog, pg_temp"

/*
 * Act as the owner of the extension with search_path pinned.
 */
void
orch_system_enter(SystemContext *saved)
{
	GetUserIdAndSecContext(&saved->user_id, &saved->sec_context);
	SetUserIdAndSecContext(orch_catalog_owner(),
						   saved->sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	saved->guc_level = 0;
	if (strcmp(namespace_search_path, SYSTEM_SEARCH_PATH) != 0)
	{
		saved->guc_level = NewGUCNestLevel();
		(void) set_config_option("search_path", SYSTEM_SEARCH_PATH,
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
}

/*
 * Be again who the caller was.
 */
void
orch_system_leave(const SystemContext *saved)
{
	if (saved->guc_level != 0)
		AtEOXact_GUC(true, saved->guc_level);
	SetUserIdAndSecContext(saved->user_id, saved->sec_context);
}

/*
 * Prepare a plan at its first use, and let it be planned again when it became
 * invalid.  A plan stays for the session, whatever the tables grow to meanwhile; it
 * is generic, and made without statistics (planning.c).
 */
static SPIPlanPtr
ready_plan(StaticPlan *plan)
{
	int			i;

	if (plan->plan == NULL)
	{
		SPIPlanPtr	prepared;

		/* enum types of ours are written as such in the query, not by OID */
		for (i = 0; i < plan->nargs; i++)
			Assert(OidIsValid(plan->argtypes[i]));
		prepared = SPI_prepare_cursor(plan->query, plan->nargs, plan->argtypes,
									  CURSOR_OPT_GENERIC_PLAN);
		if (prepared == NULL)
			elog(ERROR, "SPI_prepare_cursor failed for \"%s\": %s", plan->query,
				 SPI_result_code_string(SPI_result));
		if (SPI_keepplan(prepared) != 0)
			elog(ERROR, "SPI_keepplan failed");
		plan->plan = prepared;
	}
	orch_planning_prepare(plan->plan, false);
	return plan->plan;
}

void
orch_plan_prepare(StaticPlan *plan)
{
	(void) ready_plan(plan);
}

/*
 * Execute a kept plan; returns SPI's result code, never a failure.
 */
int
orch_plan_execute(StaticPlan *plan, Datum *values, const char *nulls,
				  bool read_only, long limit)
{
	int			result;

	result = SPI_execute_plan(ready_plan(plan), values, nulls, read_only, limit);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed for \"%s\": %s", plan->query,
			 SPI_result_code_string(result));
	return result;
}

/*
 * The same with the latest snapshot, so that a check sees what committed while
 * it waited for a lock also in REPEATABLE READ; see ri_PerformCheck().
 */
int
orch_plan_execute_latest(StaticPlan *plan, Datum *values, const char *nulls,
						 long limit)
{
	int			result;
	SPIPlanPtr	ready = ready_plan(plan);
	Snapshot	crosscheck = InvalidSnapshot;

	if (!IsolationUsesXactSnapshot())
		result = SPI_execute_plan(ready, values, nulls, false, limit);
	else
	{
		CommandCounterIncrement();
		crosscheck = GetTransactionSnapshot();
		result = SPI_execute_snapshot(ready, values, nulls,
									  GetLatestSnapshot(), crosscheck,
									  false, true, limit);
	}
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed for \"%s\": %s", plan->query,
			 SPI_result_code_string(result));
	return result;
}
