/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The background worker.
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

#include "base/compat.h"

/* Called once, by _PG_init(). */
extern void orch_worker_init(void);

extern PGDLLEXPORT void orch_worker_main(Datum arg) pg_attribute_noreturn();

#endif							/* ORCH_WORKER_H */
