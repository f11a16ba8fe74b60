/*-------------------------------------------------------------------------
 *
 * run_retry.c
 *	  retry_failed_runs(): resumes runs that failed.
 *
 * Each run is resumed in a subtransaction of its own, so that one run that cannot be resumed
 * undoes nothing of the others.  A run that fails again is resumed and in Error, with the new
 * error; that is no failure of the call.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/run_retry.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/subtransaction.h"
#include "base/system.h"
#include "definition/definition_int.h"
#include "guard/guard.h"
#include "work/run.h"

#define MAX_RUNS		10000

/* Runs that are looked at together; bounds the memory. */
#define RUNS_AT_ONCE	1000

static StaticPlan plan_orchestration = {
	"SELECT id FROM orchestration.orchestration_definition WHERE name = $1", 1, {TEXTOID}
};

/*
 * The next failed runs, in the order of their failures.  The index on modified_minute finds
 * them: a run that failed since a time was modified since.  Those that fail again during the
 * call are not read again.
 */
static StaticPlan plan_failed = {
	"SELECT r.id, r.name, r.ended_at FROM orchestration.run r"
	" WHERE r.modified_minute >= orchestration_internal.minute_of($1) AND r.status = 'Error'"
	"   AND r.error_recoverable AND ($3 IS NULL OR r.orchestration_id = $3)"
	"   AND (r.ended_at > $1 OR (r.ended_at = $1 AND r.id > $2)) AND r.ended_at < $4"
	" ORDER BY r.ended_at, r.id LIMIT $5",
	5, {TIMESTAMPTZOID, UUIDOID, UUIDOID, TIMESTAMPTZOID, INT4OID}
};
static StaticPlan plan_lock = {
	"SELECT FROM orchestration.run WHERE id = $1 AND status = 'Error'"
	" FOR NO KEY UPDATE SKIP LOCKED",
	1, {UUIDOID}
};

typedef struct FailedRun
{
	pg_uuid_t	id;
	char	   *name;
	TimestampTz ended_at;
} FailedRun;

static TimestampTz oldest_failure(FunctionCallInfo fcinfo);
static int	next_failed(TimestampTz after, const pg_uuid_t *after_id, TimestampTz before,
						const pg_uuid_t *orchestration, MemoryContext context, FailedRun *runs);
static bool retry(Oid role, const FailedRun *run, Datum *status, char **error);

PG_FUNCTION_INFO_V1(orchestration_retry_failed_runs);

/*
 * orchestration.retry_failed_runs(orchestration text, since timestamptz, max_runs integer)
 *		returns table (run_id uuid, name text, status orchestration.run_status, error text)
 *
 * Resumes up to max_runs runs of an orchestration (null: of all) that are in Error, with a
 * recoverable error, since that time (null: any) and at most orchestration.resume_window days:
 * the oldest failures first.  Returns a row for each: the status that it has then, and the
 * message of the error if it failed again or cannot be resumed.  Passes over runs that the
 * caller does not see and those that another session has locked.
 * Raises: 22004 for a null max_runs, 22023 for one outside 1 to 10000, OR202 for an unknown
 * orchestration, 42501 for a role that acts as no active user.  For a run that the caller may
 * not resume, its row says so.
 * Source: ours.
 */
Datum
orchestration_retry_failed_runs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext page;
	SystemContext saved;
	Oid			role = GetUserId();
	Frame	   *frame;
	pg_uuid_t	orchestration;
	pg_uuid_t	after_id;
	TimestampTz after;
	TimestampTz before = GetCurrentTimestamp();
	FailedRun  *runs = palloc(sizeof(FailedRun) * RUNS_AT_ONCE);
	int			left;
	int			nruns;
	int			i;

	orch_require_arguments(fcinfo, 2, 1, "max_runs");
	left = PG_GETARG_INT32(2);
	if (left < 1 || left > MAX_RUNS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_runs must be 1 to %d", MAX_RUNS)));
	(void) orch_access_require_user(role);
	after = oldest_failure(fcinfo);
	memset(&after_id, 0xFF, sizeof(after_id));
	InitMaterializedSRF(fcinfo, 0);
	page = AllocSetContextCreate(caller, "orchestration failed runs", ALLOCSET_DEFAULT_SIZES);

	frame = orch_frame_push(FRAME_CALL, role, NULL);
	orch_system_connect(&saved);
	if (!PG_ARGISNULL(0))
	{
		Datum		name = PG_GETARG_DATUM(0);
		bool		isnull;

		orch_plan_execute_latest(&plan_orchestration, &name, NULL, 1);
		if (SPI_processed == 0)
			orch_definition_unknown(text_to_cstring(PG_GETARG_TEXT_PP(0)));
		orchestration = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
													 SPI_tuptable->tupdesc, 1, &isnull));
	}
	do
	{
		MemoryContextReset(page);
		nruns = next_failed(after, &after_id, before,
							PG_ARGISNULL(0) ? NULL : &orchestration, page, runs);
		for (i = 0; i < nruns && left > 0; i++)
		{
			Datum		values[4];
			bool		nulls[4] = {false};
			char	   *error = NULL;

			CHECK_FOR_INTERRUPTS();
			MemoryContextSwitchTo(page);
			after = runs[i].ended_at;
			after_id = runs[i].id;
			/* a run that the caller does not see must not be waited for, nor named */
			if (!orch_access_sees(role, OBJECT_RUN, &runs[i].id) ||
				!retry(role, &runs[i], &values[2], &error))
				continue;
			values[0] = UUIDPGetDatum(&runs[i].id);
			values[1] = CStringGetTextDatum(runs[i].name);
			nulls[3] = error == NULL;
			if (error != NULL)
				values[3] = CStringGetTextDatum(error);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			left--;
		}
	} while (nruns == RUNS_AT_ONCE && left > 0);
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(page);
	return (Datum) 0;
}

/*
 * The time after which runs must have failed: the later of since and the beginning of the
 * window in which runs can be resumed.
 */
static TimestampTz
oldest_failure(FunctionCallInfo fcinfo)
{
	TimestampTz oldest = GetCurrentTransactionStartTimestamp() -
		orch_resume_window * USECS_PER_DAY;

	/* the first failure at that very time counts */
	if (!PG_ARGISNULL(1) && PG_GETARG_TIMESTAMPTZ(1) > oldest)
		return TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(1)) ? DT_NOEND :
			PG_GETARG_TIMESTAMPTZ(1) - 1;
	return oldest;
}

/*
 * Read the next failed runs, those after a run in the order of time and id; returns how many.
 */
static int
next_failed(TimestampTz after, const pg_uuid_t *after_id, TimestampTz before,
			const pg_uuid_t *orchestration, MemoryContext context, FailedRun *runs)
{
	Datum		values[5];
	uint64		n;

	values[0] = TimestampTzGetDatum(after);
	values[1] = UUIDPGetDatum(after_id);
	values[2] = UUIDPGetDatum(orchestration);
	values[3] = TimestampTzGetDatum(before);
	values[4] = Int32GetDatum(RUNS_AT_ONCE);
	orch_plan_execute_latest(&plan_failed, values, orchestration == NULL ? "  n  " : NULL, 0);
	for (n = 0; n < SPI_processed; n++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[n];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;

		runs[n].id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
		runs[n].name = MemoryContextStrdup(context, SPI_getvalue(tuple, desc, 2));
		runs[n].ended_at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 3, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return (int) n;
}

/*
 * Resume one run; false if another session has locked it, or has resumed it meanwhile.  An
 * error that concerns the session or the server, or the snapshot of the transaction, ends the
 * call; any other becomes that of the row.
 */
static bool
retry(Oid role, const FailedRun *run, Datum *status, char **error)
{
	Subtransaction sub;
	ErrorData  *volatile failure = NULL;
	volatile bool tried = true;

	orch_subtransaction_begin(&sub);
	PG_TRY();
	{
		Datum		id = UUIDPGetDatum(&run->id);

		orch_access_require_move(role, &run->id);
		orch_plan_execute_latest(&plan_lock, &id, NULL, 1);
		tried = SPI_processed > 0;
		if (tried)
		{
			orch_access_require_move(role, &run->id);
			*status = orch_run_resume(&run->id, error);
		}
		orch_subtransaction_commit(&sub);
	}
	PG_CATCH();
	{
		int			category;

		failure = orch_subtransaction_catch(&sub);
		category = ERRCODE_TO_CATEGORY(failure->sqlerrcode);
		if (category == ERRCODE_OPERATOR_INTERVENTION ||
			category == ERRCODE_INSUFFICIENT_RESOURCES ||
			(category == ERRCODE_TRANSACTION_ROLLBACK && IsolationUsesXactSnapshot()))
			ReThrowError(failure);
	}
	PG_END_TRY();
	if (failure != NULL)
	{
		*status = ObjectIdGetDatum(orch_catalog_label_oid(ENUM_RUN_STATUS, RUN_ERROR));
		*error = failure->message;
	}
	return tried;
}
