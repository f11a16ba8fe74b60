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
	void		(*fill) (void *area);	/* initialises a new area, zeroed before */
	void	  **place;			/* the session's pointer to the area */
} SharedArea;

/*
 * Reserve the area while the library is preloaded; *place is set when the server starts,
 * and in each session.  Without preloading it does nothing.
 */
extern void orch_shared_reserve(const SharedArea *area);

/* Attach to the area.  Without preloading, the area is made in the server's spare shared
 * memory; raises an error if there is not enough. */
extern void orch_shared_attach(const SharedArea *area);

/* Called by _PG_init(), before any area is reserved. */
extern void orch_shared_init(void);

#endif							/* ORCH_SHARED_H */
