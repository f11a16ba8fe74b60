/*-------------------------------------------------------------------------
 *
 * worker_int.h
 *	  The parts of the background worker: worker.c calls worker_function.c, and both
 *	  call worker_lease.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/worker_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_WORKER_INT_H
#define ORCH_WORKER_INT_H

#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "pgstat.h"
#include "utils/snapmgr.h"

#include "base/system.h"
#include "work/queue.h"

/* In step_queue.worker the pid of the process follows. */
#define WORKER_NAME		"background worker"

/* ------------------------------------------------------------- transactions */

/* activity: as pg_stat_activity shows it. */
static inline void
worker_begin(const char *activity)
{
	pgstat_report_activity(STATE_RUNNING, activity);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
}

static inline void
worker_commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(true);
}

/* One statement in system context and in a transaction of its own. */
static inline void
worker_execute(const char *activity, StaticPlan *plan)
{
	SystemContext saved;

	worker_begin(activity);
	orch_system_connect(&saved);
	orch_plan_execute(plan, NULL, NULL, false, 0);
	orch_system_finish(&saved);
	worker_commit();
}

/* ------------------------------------------------------------ worker_lease.c */

/* The worker claimed a step; it has nothing to give back any more. */
extern void orch_worker_lease_take(const ClaimedStep *step);
extern void orch_worker_lease_forget(void);
extern bool orch_worker_lease_is_held(void);

/* Makes a lease end so many seconds after the claim.  Caller is in system context. */
extern void orch_worker_lease_set_length(const ClaimedStep *step, double seconds);

/*
 * Has the step still this lease: for this transaction, for all others?  The first raises an
 * error if the version of the run cannot be loaded.  Caller is in system context.
 */
extern bool orch_worker_lease_is_valid(void);
extern bool orch_worker_lease_is_valid_for_others(void);

/* When the step can be claimed again: at once, or after a delay that grows. */
extern void orch_worker_lease_retry_now(void);
extern void orch_worker_lease_retry_after_conflict(void);
extern void orch_worker_lease_retry_after_trouble(void);

/*
 * Each gives leases back, in transactions of its own: the held one, those whose rows were
 * locked before, those of workers that are gone, and all at the end of the process.
 */
extern void orch_worker_lease_return(void);
extern void orch_worker_lease_return_locked(void);
extern bool orch_worker_lease_any_locked(void);
extern void orch_worker_lease_return_lost(void);
extern void orch_worker_lease_at_exit(bool stopping);

/* --------------------------------------------------------- worker_function.c */

/*
 * SIGUSR2 came: the step in progress may have ended, or the worker is to stop.
 */
extern volatile sig_atomic_t orch_worker_look_wanted;
extern void orch_worker_look(SIGNAL_ARGS);

extern void orch_worker_function_init(void);
extern void orch_worker_function_start(void);

/* Carries out one function; false if none waits. */
extern bool orch_worker_function_run_one(void);

/* An error left the worker in the middle of anything. */
extern void orch_worker_function_reset(void);

#endif							/* ORCH_WORKER_INT_H */
