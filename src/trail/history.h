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

#include "guard/transition.h"

/*
 * Note what a row changed; old is NULL for one that is new.  trusted: a statement
 * of the extension's own wrote it, which fills in who did.
 */
extern void orch_history_note(Level level, HeapTuple old, HeapTuple new,
							  TupleDesc desc, bool trusted);

/* Does it note new rows, for the feed? */
extern bool orch_history_notes_new(Level level);

/* Write what was noted.  Caller is in system context. */
extern void orch_history_flush(void);
extern void orch_history_flush_level(void);
extern bool orch_history_is_gathered(void);

extern void orch_history_init(void);

#endif							/* ORCH_HISTORY_H */
