/*-------------------------------------------------------------------------
 *
 * system.c
 *	  System context and kept plans: how the extension runs its own SQL.
 *
 * The switch to the owner follows ri_triggers.c (SECURITY_LOCAL_USERID_CHANGE
 * and SECURITY_NOFORCE_RLS): row security hides no row from the extension's
 * statements, and the caller's settings do not affect them.  search_path is pinned
 * as a function's SET clause would, but only when it is not pinned already, because
 * engine calls nest in triggers that nest in engine calls.
 *
 * Plans are kept for the session.  The plan cache rebuilds them when the tables
 * change.  A change of search_path never makes it rebuild one, because search_path
 * is always the same here.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/system.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#include "base/catalog.h"
#include "base/compat.h"
#include "base/planning.h"
#include "base/system.h"

static void rethrow_unseen(MemoryContext context) pg_attribute_noreturn();

/*
 * Act as the owner of the extension with search_path pinned, and with generic plans.
 */
void
orch_system_enter(SystemContext *saved)
{
	GetUserIdAndSecContext(&saved->user_id, &saved->sec_context);
	SetUserIdAndSecContext(orch_catalog_owner(),
						   saved->sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	saved->guc_level = 0;
	if (strcmp(namespace_search_path, SYSTEM_SEARCH_PATH) != 0 ||
		unlikely(plan_cache_mode == PLAN_CACHE_MODE_FORCE_CUSTOM_PLAN))
	{
		saved->guc_level = NewGUCNestLevel();
		/* force_custom_plan overrides the generic plan that a kept plan asks for */
		if (plan_cache_mode == PLAN_CACHE_MODE_FORCE_CUSTOM_PLAN)
			(void) set_config_option("plan_cache_mode", "auto",
									 PGC_USERSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
		(void) set_config_option("search_path", SYSTEM_SEARCH_PATH,
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
}

/*
 * Restore the caller's role and settings.
 */
void
orch_system_leave(const SystemContext *saved)
{
	if (saved->guc_level != 0)
		AtEOXact_GUC(true, saved->guc_level);
	SetUserIdAndSecContext(saved->user_id, saved->sec_context);
}

void
orch_spi_connect(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
orch_system_connect(SystemContext *saved)
{
	orch_system_enter(saved);
	orch_spi_connect();
}

void
orch_system_finish(const SystemContext *saved)
{
	SPI_finish();
	orch_system_leave(saved);
}

/*
 * Prepare a plan at its first use, and have it planned again when it became invalid.
 * A plan is generic, and is kept for the session however much the tables grow; so it
 * is made without statistics (planning.c).
 */
static SPIPlanPtr
ready_plan(StaticPlan *plan)
{
	int			i;

	if (plan->plan == NULL)
	{
		SPIPlanPtr	prepared;

		/* the query casts to the extension's enum types: their OIDs are not constant */
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
 * Raise the current error again.  A foreign key violation of the extension's own tables
 * becomes a serialization failure: in REPEATABLE READ and up the server checks foreign
 * keys of new rows against the snapshot of the transaction, so rows committed since then
 * count as missing.  The extension's calls and triggers have found the row with the latest
 * snapshot before, so the transaction can succeed when it is retried.
 */
static void
rethrow_unseen(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (error->sqlerrcode != ERRCODE_FOREIGN_KEY_VIOLATION || error->schema_name == NULL ||
		strcmp(error->schema_name, "orchestration") != 0)
		PG_RE_THROW();
	FlushErrorState();
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent insert"),
			 errdetail("%s", error->message),
			 errhint("The transaction might succeed if retried.")));
}

/*
 * Execute a kept plan; returns SPI's result code, never a failure.
 */
int
orch_plan_execute(StaticPlan *plan, Datum *values, const char *nulls,
				  bool read_only, long limit)
{
	volatile int result = 0;
	SPIPlanPtr	ready = ready_plan(plan);

	if (!IsolationUsesXactSnapshot())
		result = SPI_execute_plan(ready, values, nulls, read_only, limit);
	else
	{
		MemoryContext context = CurrentMemoryContext;

		PG_TRY();
		{
			result = SPI_execute_plan(ready, values, nulls, read_only, limit);
		}
		PG_CATCH();
		{
			rethrow_unseen(context);
		}
		PG_END_TRY();
	}
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed for \"%s\": %s", plan->query,
			 SPI_result_code_string(result));
	return result;
}

/*
 * The same with the latest snapshot, so that also in REPEATABLE READ a check sees the
 * rows that were committed while it waited for a lock; see ri_PerformCheck().
 */
int
orch_plan_execute_latest(StaticPlan *plan, Datum *values, const char *nulls,
						 long limit)
{
	volatile int result = 0;
	SPIPlanPtr	ready = ready_plan(plan);

	if (!IsolationUsesXactSnapshot())
		result = SPI_execute_plan(ready, values, nulls, false, limit);
	else
	{
		MemoryContext context = CurrentMemoryContext;

		PG_TRY();
		{
			result = orch_execute_latest(ready, values, nulls, limit);
		}
		PG_CATCH();
		{
			rethrow_unseen(context);
		}
		PG_END_TRY();
	}
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed for \"%s\": %s", plan->query,
			 SPI_result_code_string(result));
	return result;
}

/*
 * The same for a plan that is kept elsewhere; returns SPI's result code.
 */
int
orch_execute_latest(SPIPlanPtr plan, Datum *values, const char *nulls, long limit)
{
	Snapshot	crosscheck;

	if (!IsolationUsesXactSnapshot())
		return SPI_execute_plan(plan, values, nulls, false, limit);
	CommandCounterIncrement();
	crosscheck = GetTransactionSnapshot();
	return SPI_execute_snapshot(plan, values, nulls, GetLatestSnapshot(), crosscheck,
								false, true, limit);
}

void
orch_plan_refuse_suppressed(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("table \"%s\" did not take the new row", table),
			 errhint("A trigger on the table must not suppress rows.")));
}
