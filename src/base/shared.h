/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  Shared memory of the extension.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/shared.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_SHARED_H
#define ORCH_SHARED_H

#include "postgres.h"

typedef struct SharedArea
{
	const char *name;
	Size		(*size) (void);
	void		(*fill) (void *area);	/* called once: the area is new */
	void	  **place;			/* the module's pointer to the area */
} SharedArea;

/*
 * While the library is preloaded: reserve the area; *place is set when the server
 * starts, and in each session.  Otherwise it does nothing.
 */
extern void orch_shared_reserve(const SharedArea *area);

/* Without preloading: take the area from the server's unreserved memory, or raise an error. */
extern void orch_shared_attach(const SharedArea *area);

/* Called by _PG_init(), before those. */
extern void orch_shared_init(void);

#endif							/* ORCH_SHARED_H */
