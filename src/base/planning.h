/*-------------------------------------------------------------------------
 *
 * planning.h
 *	  What the planner is told of the extension's own tables.
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
 * Plan a kept plan of one statement, if that is still to be done.  It must be
 * generic (CURSOR_OPT_GENERIC_PLAN).  bitmaps: as the policies of a caller may need;
 * where a condition finds a few rows an index scan is cheaper.
 */
extern void orch_planning_prepare(SPIPlanPtr plan, bool bitmaps);

#endif							/* ORCH_PLANNING_H */
