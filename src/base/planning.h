/*-------------------------------------------------------------------------
 *
 * planning.h
 *	  The planner's view of the extension's own tables.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/planning.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_PLANNING_H
#define ORCH_PLANNING_H

#include "postgres.h"

#include "executor/spi.h"

extern void orch_planning_init(void);

/*
 * Plans a kept plan of one statement unless it has a valid plan.  It must be generic
 * (CURSOR_OPT_GENERIC_PLAN).  bitmaps: allow bitmap scans, which a caller's policies may
 * need; without policies an index scan is cheaper for the few rows of a condition.
 */
extern void orch_planning_prepare(SPIPlanPtr plan, bool bitmaps);

/*
 * The same for a statement without parameters of a user who sees few rows: with the
 * statistics, but no table is read as a whole where an index can serve.
 */
extern void orch_planning_by_index(SPIPlanPtr plan);

#endif							/* ORCH_PLANNING_H */
