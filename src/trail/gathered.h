/*-------------------------------------------------------------------------
 *
 * gathered.h
 *	  Arrays of entries that are gathered in memory before they are written.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/trail/gathered.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_GATHERED_H
#define ORCH_GATHERED_H

#include "postgres.h"

#include "utils/uuid.h"

/* What every gathered entry begins with. */
typedef struct Gathered
{
	int			nest_level;		/* of the subtransaction that made it */
	pg_uuid_t	run_id;
} Gathered;

/* Make room for one more entry; returns the array, NULL for none, perhaps moved. */
extern void *orch_gathered_reserve(void *entries, int n, int *max, Size size);

/*
 * Take the entries that this subtransaction made from the end of the array.  Returns a
 * copy in TopTransactionContext, NULL if there are none, and lowers n.
 */
extern void *orch_gathered_take(void *entries, int *n, Size size, int *ntaken);

/* Drop entries of runs that are gone, whose ids are in order; returns how many remain. */
extern int	orch_gathered_keep_existing(void *entries, int n, Size size,
										const pg_uuid_t *gone, int ngone);

#endif							/* ORCH_GATHERED_H */
