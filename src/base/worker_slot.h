/*-------------------------------------------------------------------------
 *
 * worker_slot.h
 *	  Background workers in shared memory: slots, wake-up, interruption.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/worker_slot.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_WORKER_SLOT_H
#define ORCH_WORKER_SLOT_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "storage/latch.h"
#include "utils/uuid.h"

/* ------------------------------------------------------- for every session */

/* A function was queued: when this transaction commits, wake the worker of this database. */
extern void orch_worker_wake(void);

/*
 * When this transaction commits, interrupt the background worker that carries out the
 * function of this step, so that it checks whether the step is still InProgress.
 */
extern void orch_worker_interrupt(const pg_uuid_t *id);

/*
 * Allow or forbid a worker in this database, for start_background_worker() and
 * stop_background_worker().  orch_worker_forbid() takes a lock; orch_worker_forbidden(),
 * or an error, releases it.
 */
extern void orch_worker_allow(void);
extern void orch_worker_forbid(void);
extern void orch_worker_forbidden(void);

/* ------------------------------------------------------------- for a worker */

/* Take the slot of this database; false if another worker has it. */
extern bool orch_worker_enter_slot(void);

/*
 * Is this the only worker of the database?  Takes the lock for it, unless this session
 * still holds the lock.
 */
extern bool orch_worker_is_alone(void);

/* Was stop_background_worker() called, or does a session wait in it? */
extern bool orch_worker_is_stopped(void);

/*
 * Until the end of this transaction, orch_worker_interrupt() for this step interrupts
 * this worker.
 */
extern void orch_worker_be_interruptible(const pg_uuid_t *id);

/* --------------------------------------------------------- for the launcher */

/* Names (char *) in orchestration.worker_databases. */
extern List *orch_worker_databases(void);

/* Sets the launcher's latch; NULL when the launcher ends. */
extern void orch_worker_set_launcher(Latch *latch);

/* A listed name now belongs to another database; InvalidOid for none, before and now. */
extern void orch_worker_list(Oid before, Oid database);

/* Should a listed database have a worker, and has none?  wanted: a function waits there. */
extern bool orch_worker_is_missing(Oid database, bool *wanted);

/* The launcher is about to start a worker there. */
extern void orch_worker_is_tried(Oid database);

/* Does a function wait in a database that has no worker? */
extern bool orch_worker_any_wanted(void);

/* Called once, by _PG_init(). */
extern void orch_worker_slot_init(void);

#endif							/* ORCH_WORKER_SLOT_H */
