/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The background worker, and counters that all sessions share.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/worker.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_WORKER_H
#define ORCH_WORKER_H

#include "postgres.h"

#include "utils/uuid.h"

#include "base/compat.h"

/* What engine_stats() counts; launcher.c has the names. */
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

/*
 * Once this transaction commits, a background worker that carries out the function of
 * this step looks whether it is still wanted.
 */
extern void orch_worker_interrupt(const pg_uuid_t *id);

extern void orch_launcher_init(void);
extern void orch_worker_init(void);
extern void orch_worker_at_xact_end(bool commit);

extern PGDLLEXPORT void orch_launcher_main(Datum arg);
extern PGDLLEXPORT void orch_worker_main(Datum arg) pg_attribute_noreturn();

/* launcher.c, for worker.c */
extern bool orch_worker_enter_slot(void);
extern bool orch_worker_is_alone(void);
extern bool orch_worker_is_stopped(void);
extern bool orch_worker_is_launched(void);
extern void orch_worker_be_interruptible(const pg_uuid_t *id);

#endif							/* ORCH_WORKER_H */
