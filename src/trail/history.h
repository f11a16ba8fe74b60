/*-------------------------------------------------------------------------
 *
 * history.h
 *	  Changes of tracked fields.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/trail/history.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_HISTORY_H
#define ORCH_HISTORY_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

#include "base/orchestration.h"

/*
 * Note what a row changed; old is NULL for a new row.  trusted: a statement of the
 * extension wrote the row and filled in who did it.  loading: a dump is being
 * restored; it brings the history of its rows with it.
 */
extern void orch_history_note(Level level, HeapTuple old, HeapTuple new,
							  TupleDesc desc, bool trusted, bool loading);

/* Are new rows of the level noted, for the feed? */
extern bool orch_history_notes_new(Level level);

/* Write what was noted; when, and which entries, as for the log (log.h). */
extern void orch_history_flush(void);
extern void orch_history_flush_level(void);
extern bool orch_history_is_gathered(void);

extern void orch_history_init(void);

#endif							/* ORCH_HISTORY_H */
