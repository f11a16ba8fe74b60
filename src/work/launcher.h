/*-------------------------------------------------------------------------
 *
 * launcher.h
 *	  The launcher of background workers.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/launcher.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_LAUNCHER_H
#define ORCH_LAUNCHER_H

#include "postgres.h"

#include "base/compat.h"

/* Called once, by _PG_init(). */
extern void orch_launcher_init(void);

extern PGDLLEXPORT void orch_launcher_main(Datum arg);

/* Did the launcher start this worker?  Otherwise a session did. */
extern bool orch_worker_is_launched(void);

#endif							/* ORCH_LAUNCHER_H */
