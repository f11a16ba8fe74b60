/*-------------------------------------------------------------------------
 *
 * counter.h
 *	  Counters that all sessions share.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/counter.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_COUNTER_H
#define ORCH_COUNTER_H

#include "postgres.h"

/* The counters that engine_stats() shows; counter.c has the names. */
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

/* Adds 1 to a counter; the other sessions see it when the transaction commits. */
extern void orch_count(Counter counter);

/* Called once, by _PG_init(). */
extern void orch_counter_init(void);

#endif							/* ORCH_COUNTER_H */
