/*-------------------------------------------------------------------------
 *
 * guard_int.h
 *	  What the files of the guard share.
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
#include "commands/trigger.h"
#include "fmgr.h"
#include "storage/itemptr.h"

#include "base/catalog.h"
#include "guard/guard.h"
#include "guard/transition.h"

/* A row that was written and whose verdict is still to come. */
typedef struct GuardEntry
{
	int			nest_level;		/* of the subtransaction that wrote it */
	int			depth;			/* of the triggers of its statement */
	Level		level;
	int			from;			/* STATUS_NEW: inserted */
	int			to;
	int			step_type;		/* steps: StepType */
	bool		by_engine;		/* SCOPE_ENGINE */
	bool		checked;		/* the verdict has been given */
	bool		fill;			/* stages, steps: values that follow from the
								 * change are still to be filled in */
	ItemPointerData tid;		/* fill: where the row is */
	pg_uuid_t	run_id;
	pg_uuid_t	parent_id;		/* steps: the stage; work items: the step */
	pg_uuid_t	id;
	bool		has_orchestration;	/* inserted stages, steps, work items */
	pg_uuid_t	orchestration_id;
} GuardEntry;

/* Where the columns are that every level has. */
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
	AttrNumber	failed_at;		/* follows status and ended_at; 0: none */
	AttrNumber	error;			/* 0: none */
	AttrNumber	record_type;	/* polymorphic lookup; 0: none */
	AttrNumber	record_id;
} LevelColumns;

/* guard_level.c */
extern const LevelColumns orch_guard_columns[];
extern Level orch_guard_trigger_level(FunctionCallInfo fcinfo, const char *name,
									  TriggerEvent timing, bool row);
extern pg_uuid_t *orch_guard_row_uuid(HeapTuple tuple, TupleDesc desc, AttrNumber attnum);
extern char *orch_guard_row_text(HeapTuple tuple, TupleDesc desc, AttrNumber attnum);
extern int	orch_guard_row_status(Level level, HeapTuple tuple, TupleDesc desc);
extern char *orch_guard_row_label(Level level, HeapTuple tuple, TupleDesc desc);
extern bool orch_guard_is_ended(Level level, int status);

/* guard_reference.c */
extern char *orch_guard_record_type(const char *key, char **id);
extern char *orch_guard_record_id(const char *type, const char *key);
extern bool orch_guard_names_same_record(Level level, TriggerData *trigdata);
extern pg_uuid_t *orch_guard_orchestration(Level level, HeapTuple row, TupleDesc desc);
extern void orch_guard_check_references(Level level, TriggerData *trigdata);
extern void orch_guard_check_stamp(Level level, TriggerData *trigdata);

/* guard_scope.c: the innermost scope, if this trigger belongs to its statement */
typedef enum ScopeText
{
	SCOPE_COMMENTS,
	SCOPE_STARTER,
	SCOPE_ACTOR
} ScopeText;

extern int	orch_guard_depth(void);
extern bool orch_guard_in_scope(ScopeKind kind);
extern bool orch_guard_by_extension(void);
extern void orch_guard_disturb(void);
extern bool orch_guard_is_disturbed(void);
extern char *orch_guard_scope_says(ScopeText what);
extern const pg_uuid_t *orch_guard_new_version(void);
extern void orch_guard_scope_forget(int level);

/* guard_check.c: the verdict on rows beside their parents; on a row as it is now */
extern void orch_guard_check(const GuardEntry *entries, int nentries);
extern void orch_guard_check_now(Level level, const pg_uuid_t *run_id, const pg_uuid_t *id);

/* guard_fill_statement.c */
extern void orch_guard_fill_rows(Level level, Oid writer,
								 const GuardEntry *entries, int nentries);

#endif							/* ORCH_GUARD_INT_H */
