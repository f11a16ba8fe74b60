/*-------------------------------------------------------------------------
 *
 * guard_int.h
 *	  What the files of the guard share: where the columns of each level are.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_GUARD_INT_H
#define ORCH_GUARD_INT_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

#include "base/catalog.h"
#include "guard/guard.h"

/* Where the columns that every level has are. */
typedef struct LevelColumns
{
	OrchRelation relation;
	AttrNumber	run_id;
	AttrNumber	parent_id;		/* steps: stage; work items: step; else 0 */
	AttrNumber	id;
	AttrNumber	owner_id;
	AttrNumber	orchestration_id;
	AttrNumber	name;
	AttrNumber	status;
	AttrNumber	created_at;		/* from where durations count */
	AttrNumber	modified_at;
	AttrNumber	modified_by;
	AttrNumber	modified_minute;
	AttrNumber	ended_at;
	AttrNumber	record_type;	/* polymorphic lookup; 0: none */
	AttrNumber	record_id;
} LevelColumns;

/* guard.c */
extern const LevelColumns orch_guard_columns[];
extern int	orch_guard_row_status(Level level, HeapTuple tuple, TupleDesc desc);
extern bool orch_guard_is_ended(Level level, int status);

/* guard_scope.c: does this trigger belong to a statement of the innermost scope, and
 * is that of the kind? */
typedef enum ScopeText
{
	SCOPE_COMMENTS,
	SCOPE_STARTER
} ScopeText;

extern int	orch_guard_depth(void);
extern bool orch_guard_in_scope(ScopeKind kind);
extern void orch_guard_disturb(void);
extern bool orch_guard_is_disturbed(void);
extern char *orch_guard_scope_says(ScopeText what);
extern void orch_guard_scope_forget(int level);

/* guard_check.c: the row as it is now, beside its parent as that is now */
extern void orch_guard_check_now(Level level, const pg_uuid_t *run_id, const pg_uuid_t *id);

/* guard_fill.c */
extern void orch_guard_fill_rows(Level level, Oid writer,
								 const GuardEntry *entries, int nentries);

#endif							/* ORCH_GUARD_INT_H */
