/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The background worker, and counters that all sessions share.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/worker.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_WORKER_H
#define ORCH_WORKER_H

#include "postgres.h"

#include "compat.h"

/* What engine_stats() counts; worker.c has the names. */
typedef enum Counter
{
	COUNTER_RUNS_STARTED,
	COUNTER_RUNS_COMPLETED,
	COUNTER_RUNS_FAILED,
	COUNTER_STEPS_CLAIMED,
	COUNTER_STEPS_COMPLETED,
	COUNTER_STEPS_FAILED,
	COUNTER_STEPS_RETRIED,
	COUNTER_LEASES_LOST,
	COUNTER_FUNCTIONS_RUN,
	COUNTER_LAST = COUNTER_FUNCTIONS_RUN
} Counter;

/* Counts for good when the transaction commits. */
extern void orch_worker_count(Counter counter);

extern void orch_worker_init(void);
extern void orch_worker_at_xact_end(bool commit);

extern PGDLLEXPORT void orch_worker_main(Datum arg) pg_attribute_noreturn();

#endif							/* ORCH_WORKER_H */
