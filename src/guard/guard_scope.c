/*-------------------------------------------------------------------------
 *
 * guard_scope.c
 *	  Which statement do the guard's triggers fire for?
 *
 * The extension executes each statement of its own in a scope (guard.h).  A scope holds
 * for the triggers of that statement, but not for statements that users' triggers
 * execute on the way: those are deeper, or in another subtransaction.  Scopes are a
 * stack: an engine call inside a user's trigger has its own, and the statement that is
 * still firing triggers keeps its scope.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard_scope.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "guard/guard.h"
#include "guard/guard_int.h"

/* A statement of the extension that is being executed; in TopTransactionContext. */
typedef struct Scope
{
	struct Scope *outer;
	ScopeKind	kind;
	int			nest_level;
	int			depth;			/* of the statement's triggers */
	bool		disturbed;		/* users' triggers wrote on the way */
	char	   *comments;
	char	   *starter;
	char	   *actor;
	bool		has_version;
	pg_uuid_t	version;		/* that the run gets */
} Scope;

static Scope *scope = NULL;

static char *keep_text(const char *text);
static void begin(const GuardScope *in);
static void end(void);
static bool is_in_scope(void);

static char *
keep_text(const char *text)
{
	return text == NULL ? NULL : MemoryContextStrdup(TopTransactionContext, text);
}

static void
begin(const GuardScope *in)
{
	Scope	   *begun = MemoryContextAllocZero(TopTransactionContext, sizeof(Scope));

	begun->outer = scope;
	begun->kind = in->kind;
	begun->nest_level = GetCurrentTransactionNestLevel();
	begun->depth = orch_guard_depth() + 1;
	begun->comments = keep_text(in->comments);
	begun->starter = keep_text(in->starter);
	begun->actor = keep_text(in->actor);
	begun->has_version = in->version != NULL;
	if (begun->has_version)
		begun->version = *in->version;
	scope = begun;
}

static void
end(void)
{
	Scope	   *ended = scope;

	Assert(ended != NULL && ended->nest_level == GetCurrentTransactionNestLevel());
	scope = ended->outer;
	if (ended->comments != NULL)
		pfree(ended->comments);
	if (ended->starter != NULL)
		pfree(ended->starter);
	if (ended->actor != NULL)
		pfree(ended->actor);
	pfree(ended);
}

void
orch_guard_execute_in(const GuardScope *in, StaticPlan *plan, Datum *values,
					  const char *nulls)
{
	begin(in);
	if (in->own_snapshot)
		orch_plan_execute(plan, values, nulls, false, 0);
	else
		orch_plan_execute_latest(plan, values, nulls, 0);
	end();
}

void
orch_guard_execute(ScopeKind kind, StaticPlan *plan, Datum *values, const char *nulls,
				   const char *comments)
{
	GuardScope	in = {.kind = kind, .comments = comments};

	orch_guard_execute_in(&in, plan, values, nulls);
}

/*
 * How deep triggers are nested here; 0: no trigger is being executed.
 */
int
orch_guard_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/*
 * Does this trigger belong to the statement of the innermost scope, and not to a
 * statement that a trigger executes on the way?
 */
static bool
is_in_scope(void)
{
	return scope != NULL && scope->depth == orch_guard_depth() &&
		scope->nest_level == GetCurrentTransactionNestLevel();
}

bool
orch_guard_in_scope(ScopeKind kind)
{
	return is_in_scope() && scope->kind == kind;
}

/*
 * Does this trigger belong to a statement that the extension made itself: not for a user?
 */
bool
orch_guard_by_extension(void)
{
	return is_in_scope() && scope->kind != SCOPE_USER;
}

/*
 * A status was written.  For the scopes further out a user's trigger did it.
 */
void
orch_guard_disturb(void)
{
	Scope	   *outer = is_in_scope() ? scope->outer : scope;

	for (; outer != NULL; outer = outer->outer)
		outer->disturbed = true;
}

/* Did users' triggers write statuses since the statement of this trigger began? */
bool
orch_guard_is_disturbed(void)
{
	return is_in_scope() && scope->disturbed;
}

char *
orch_guard_scope_says(ScopeText what)
{
	if (!is_in_scope())
		return NULL;
	switch (what)
	{
		case SCOPE_COMMENTS:
			return scope->comments;
		case SCOPE_STARTER:
			return scope->starter;
		case SCOPE_ACTOR:
			return scope->actor;
	}
	return NULL;
}

/*
 * The version that the statement of this trigger gives to the run, or NULL.
 */
const pg_uuid_t *
orch_guard_new_version(void)
{
	return is_in_scope() && scope->has_version ? &scope->version : NULL;
}

/*
 * The subtransaction of this level was aborted; 0: the transaction ended.
 */
void
orch_guard_scope_forget(int level)
{
	while (scope != NULL && scope->nest_level >= level)
		scope = scope->outer;
}
