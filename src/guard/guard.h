/*-------------------------------------------------------------------------
 *
 * guard.h
 *	  The triggers on runs, stages, steps and work items.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_GUARD_H
#define ORCH_GUARD_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/uuid.h"

#include "base/orchestration.h"
#include "base/system.h"
#include "guard/transition.h"

/* A row that was written and whose verdict is still to come. */
typedef struct GuardEntry
{
	int			nest_level;		/* of the subtransaction that wrote it */
	int			depth;			/* of triggers: of its statement */
	Level		level;
	int			from;			/* STATUS_NEW: inserted */
	int			to;
	int			step_type;		/* steps: StepType */
	bool		by_engine;		/* SCOPE_ENGINE */
	bool		checked;		/* the verdict has been given */
	bool		fill;			/* stages, steps: who, when it ended, ... are
								 * still to be filled in */
	ItemPointerData tid;		/* fill: where the row is */
	pg_uuid_t	run_id;
	pg_uuid_t	parent_id;		/* steps: the stage; work items: the step */
	pg_uuid_t	id;
	bool		has_orchestration;	/* inserted stages, steps, work items */
	pg_uuid_t	orchestration_id;
} GuardEntry;

/* orchestration.resume_window, in days. */
extern int	orch_resume_window;

/*
 * Around a statement of its own the extension begins a scope.  The guard then knows
 * the rows of this statement from those that triggers on the way write.
 *
 * SCOPE_TRUSTED: the engine holds the lock on the run and knows its stages and steps.
 * It vouches for what the guard would have to look up, and makes the consequences
 * itself.  The change itself is checked all the same.
 *
 * SCOPE_ENGINE: the guard checks and makes the consequences; the engine knows of them
 * and makes the upward moves itself.
 *
 * SCOPE_CASCADE: a consequence of what others wrote.
 *
 * Scopes nest: code of others runs in triggers of the statement, and may call the
 * engine.  The abort of a subtransaction ends the scopes that it began.
 */
typedef enum ScopeKind
{
	SCOPE_TRUSTED,
	SCOPE_ENGINE,
	SCOPE_CASCADE
} ScopeKind;

extern void orch_guard_scope_begin(ScopeKind kind);
extern void orch_guard_scope_end(void);

/* In the innermost scope: what EndWorkItem and EndStep entries carry as comments, and
 * who StartInstance entries say did it; NULL: nothing. */
extern void orch_guard_scope_comments(const char *comments);
extern void orch_guard_scope_starter(const char *name);

/* Execute a plan in a scope, with the latest snapshot. */
extern void orch_guard_execute(ScopeKind kind, StaticPlan *plan, Datum *values,
							   const char *nulls, const char *comments);

/* Are rows loaded into this very table of ours: by COPY, or by INSERT of a dump? */
extern bool orch_guard_is_loading(Oid relation);

/* Does the session restore a dump into this table of a user's, or its partition? */
extern bool orch_guard_is_restoring(Oid relation, bool is_partition);

extern void orch_guard_init(void);

/* guard_check.c: the verdict on rows beside their parents */
extern void orch_guard_check(const GuardEntry *entries, int nentries);

/* cascade.c: the consequences of rows that passed the guard, set by set */
extern void orch_cascade(const GuardEntry *entries, int nentries);

/* and, once a statement has ended, the engine goes on with its runs */
extern void orch_cascade_go_on(int depth);

/*
 * A trigger of others asks the engine to look at a run while rows of it still wait for
 * their verdict: true, and the engine looks when their statement has ended.
 */
extern bool orch_cascade_defers(const pg_uuid_t *run_id);

/* The depth of the triggers of the statement that wrote rows of a run which wait for
 * their verdict; -1: none do. */
extern int	orch_guard_pending_depth(const pg_uuid_t *run_id);
extern bool orch_cascade_under_way(void);
extern void orch_cascade_at_subxact_end(int level, bool commit);
extern void orch_cascade_at_xact_end(void);

#endif							/* ORCH_GUARD_H */
