/*-------------------------------------------------------------------------
 *
 * worker_slot.h
 *	  Where background workers are: slots, wake-up, interruption.
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

/* A function is queued: once this transaction commits, a worker of this database looks. */
extern void orch_worker_wake(void);

/*
 * Once this transaction commits, a background worker that carries out the function of
 * this step looks whether it is still wanted.
 */
extern void orch_worker_interrupt(const pg_uuid_t *id);

/* start_background_worker() and stop_background_worker() of this database were called. */
extern void orch_worker_allow(void);
extern void orch_worker_forbid(void);	/* takes a lock, until the next, or an error */
extern void orch_worker_forbidden(void);

/* ------------------------------------------------------------- for a worker */

/* Take the slot of this database; false when a worker has it. */
extern bool orch_worker_enter_slot(void);

/*
 * Is this the worker of the database?  Takes the lock that says so, or finds that it
 * still has it, or takes it again when something released it.
 */
extern bool orch_worker_is_alone(void);

/* Does a session wait in stop_background_worker(), or was it called? */
extern bool orch_worker_is_stopped(void);

/*
 * Until the end of this transaction orch_worker_interrupt() of this step finds this
 * worker.
 */
extern void orch_worker_be_interruptible(const pg_uuid_t *id);

/* --------------------------------------------------------- for the launcher */

/* Names (char *) in orchestration.worker_databases. */
extern List *orch_worker_databases(void);

/* The launcher's latch, NULL: it ends. */
extern void orch_worker_set_launcher(Latch *latch);

/* A listed name means another database now; InvalidOid: none. */
extern void orch_worker_list(Oid before, Oid database);

/* Has a listed database no worker and should have one?  wanted: a function waits there. */
extern bool orch_worker_is_missing(Oid database, bool *wanted);
extern void orch_worker_is_tried(Oid database);

/* Does a function wait in a database that has no worker? */
extern bool orch_worker_any_wanted(void);

/* Called once, by _PG_init(). */
extern void orch_worker_slot_init(void);

#endif							/* ORCH_WORKER_SLOT_H */
