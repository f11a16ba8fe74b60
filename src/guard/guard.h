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

#include "utils/uuid.h"

#include "base/system.h"

/* orchestration.resume_window, in days. */
extern int	orch_resume_window;

/*
 * The extension executes each statement of its own that writes runs, stages, steps or
 * work items in a scope.  By the scope the guard knows the rows of this statement from
 * those that triggers on the way write.
 *
 * SCOPE_TRUSTED: the engine holds the lock on the run and knows its stages and steps.
 * The guard does not look them up, and the engine makes the consequences.  The change
 * itself is checked all the same.
 *
 * SCOPE_ENGINE: the guard checks the rows and makes the consequences; the engine knows
 * of them and makes the upward moves.
 *
 * SCOPE_CASCADE: a consequence of a statement of a user.
 *
 * SCOPE_USER: a statement that a call makes for a user, judged as if the user had made it;
 * it only brings comments.
 *
 * Scopes nest: users' triggers run inside the statement, and may call the engine.  When
 * a subtransaction is aborted, its scopes end.
 */
typedef enum ScopeKind
{
	SCOPE_TRUSTED,
	SCOPE_ENGINE,
	SCOPE_CASCADE,
	SCOPE_USER
} ScopeKind;

typedef struct GuardScope
{
	ScopeKind	kind;
	const char *comments;		/* for the log (EndWorkItem, EndStep,
								 * CancelInstance, ReassignWorkItem) and the
								 * details of approvals, or NULL */
	const char *starter;		/* for StartInstance entries, or NULL */
	const char *actor;			/* for entries of steps that end: the user as
								 * whom the step ran, or NULL */
	const pg_uuid_t *version;	/* SCOPE_TRUSTED: the version that the run gets,
								 * or NULL: it keeps its version */
	bool		own_snapshot;	/* with the snapshot of the transaction: in
								 * REPEATABLE READ a conflicting row that
								 * another session committed fails with 40001 */
} GuardScope;

/* Execute a plan in a scope, with the latest snapshot unless the scope says otherwise. */
extern void orch_guard_execute_in(const GuardScope *in, StaticPlan *plan, Datum *values,
								  const char *nulls);

/* The same, for a scope that needs no more than this; comments may be NULL. */
extern void orch_guard_execute(ScopeKind kind, StaticPlan *plan, Datum *values,
							   const char *nulls, const char *comments);

/* Are rows loaded into this table of the extension: by COPY, or by INSERT of a dump? */
extern bool orch_guard_is_loading(Oid relation);

/* Does the session restore a dump into this table of users, or into its partition? */
extern bool orch_guard_is_restoring(Oid relation, bool is_partition);

/*
 * The engine is asked to evaluate a run while rows of it still wait for their verdict.
 * Returns true then, and the engine gets the run when their statement has ended.
 */
extern bool orch_guard_defers(const pg_uuid_t *run_id);

/* Called once, by _PG_init(). */
extern void orch_guard_init(void);

#endif							/* ORCH_GUARD_H */
