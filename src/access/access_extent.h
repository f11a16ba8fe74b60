/*-------------------------------------------------------------------------
 *
 * access_extent.h
 *	  How much of an object's table a user sees.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_extent.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_EXTENT_H
#define ORCH_ACCESS_EXTENT_H

#include "postgres.h"

#include "access/htup.h"

#include "base/orchestration.h"

/* Estimated from the user's sets and the statistics. */
typedef enum AccessExtent
{
	SEES_FEW,					/* so few rows that reading them all is cheap */
	SEES_SOME,
	SEES_MOST					/* too many to be found by an index */
} AccessExtent;

/* A condition that more than this part of the rows meet is not offered to an index. */
#define MAX_INDEX_SELECTIVITY	0.25

extern void orch_access_extent_init(void);

/* The extents of the role's user, by object; EXTENT_OF() unpacks them. */
extern uint32 orch_access_extents(Oid role);

#define EXTENT_OF(extents, object) ((AccessExtent) (((extents) >> (2 * (object))) & 3))

#endif							/* ORCH_ACCESS_EXTENT_H */
