/*-------------------------------------------------------------------------
 *
 * open_run.h
 *	  The table of runs that are not at their end.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/open_run.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_OPEN_RUN_H
#define ORCH_OPEN_RUN_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

/*
 * A row of run was inserted (old: NULL) or updated.  Called by an AFTER ROW trigger, with
 * the row of its event.
 */
extern void orch_open_run_note(HeapTuple old, HeapTuple row, TupleDesc desc);

#endif							/* ORCH_OPEN_RUN_H */
