/*-------------------------------------------------------------------------
 *
 * counter.c
 *	  Counters that all sessions share: what the engine and the workers did.
 *
 * A transaction counts in its own memory and adds to shared memory when it commits, so
 * that the counters show committed work only.  Without shared_preload_libraries nothing
 * is counted.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/counter.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "port/atomics.h"
#include "utils/builtins.h"

#include "base/counter.h"
#include "base/shared.h"
#include "base/transaction.h"

static const char *const counter_names[] = {
	[COUNTER_RUNS_STARTED] = "runs_started",
	[COUNTER_RUNS_COMPLETED] = "runs_completed",
	[COUNTER_RUNS_FAILED] = "runs_failed",
	[COUNTER_STEPS_CLAIMED] = "steps_claimed",
	[COUNTER_STEPS_COMPLETED] = "steps_completed",
	[COUNTER_STEPS_FAILED] = "steps_failed",
	[COUNTER_STEPS_RETRIED] = "steps_retried",
	[COUNTER_LEASES_LOST] = "leases_lost",
	[COUNTER_FUNCTIONS_RUN] = "functions_run"
};

static pg_atomic_uint64 *counters = NULL;	/* NULL: not preloaded */

/* of the transaction */
static uint32 counted[COUNTER_LAST + 1];
static bool any_counted = false;

static Size
counters_size(void)
{
	return sizeof(pg_atomic_uint64) * (COUNTER_LAST + 1);
}

static void
fill_counters(void *area)
{
	pg_atomic_uint64 *new_counters = area;
	int			i;

	for (i = 0; i <= COUNTER_LAST; i++)
		pg_atomic_init_u64(&new_counters[i], 0);
}

/*
 * Add the transaction's counts.  Counts of aborted subtransactions are included: their
 * work was done, though it was undone.
 */
static void
at_xact_end(bool committed)
{
	int			i;

	if (!any_counted)
		return;
	for (i = 0; i <= COUNTER_LAST; i++)
	{
		if (committed && counted[i] != 0)
			pg_atomic_fetch_add_u64(&counters[i], counted[i]);
		counted[i] = 0;
	}
	any_counted = false;
}

static const SharedArea area = {
	.name = "orchestration counters",
	.size = counters_size,
	.fill = fill_counters,
	.place = (void **) &counters
};
static const TransactionModule module = {
	.name = "counter",
	.at_end = at_xact_end
};

void
orch_counter_init(void)
{
	orch_shared_reserve(&area);
	orch_transaction_register(&module);
}

void
orch_count(Counter counter)
{
	if (counters == NULL)
		return;
	counted[counter]++;
	any_counted = true;
}

PG_FUNCTION_INFO_V1(orchestration_shared_counters);

/*
 * orchestration_internal.shared_counters() returns setof orchestration.engine_stat
 *
 * Returns what the committed transactions of all sessions did since the server was
 * started, in all databases.  Returns no row when the library is not in
 * shared_preload_libraries.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_shared_counters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; counters != NULL && i <= COUNTER_LAST; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		values[0] = CStringGetTextDatum(counter_names[i]);
		values[1] = CStringGetTextDatum("counter");
		values[2] = Int64GetDatum((int64) pg_atomic_read_u64(&counters[i]));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
