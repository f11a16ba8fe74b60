/*-------------------------------------------------------------------------
 *
 * guard_scope.c
 *	  Whose statement is it that the guard's triggers fire for?
 *
 * The extension begins a scope around each statement of its own (guard.h).  A scope
 * holds for the triggers of that statement, not for what triggers of others carry out
 * on the way: those are deeper, or in another subtransaction.  Scopes are a stack: an
 * engine call inside a trigger of others begins and ends its own, and the statement that
 * is still firing keeps its scope.
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
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parsetree.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/rls.h"

#include "base/compat.h"
#include "guard/guard.h"
#include "guard/guard_int.h"

/* A statement of the extension's own that is under way; in TopTransactionContext. */
typedef struct Scope
{
	struct Scope *outer;
	ScopeKind	kind;
	int			nest_level;
	int			depth;			/* of the statement's triggers */
	bool		disturbed;		/* triggers of others wrote on the way */
	char	   *comments;
	char	   *starter;
} Scope;

static Scope *scope = NULL;

static bool is_in_scope(void);
static Oid	loaded_relation(bool *by_copy);
static bool restores(Oid relation);

/*
 * Begin and end of a statement of the extension's own.
 */
void
orch_guard_scope_begin(ScopeKind kind)
{
	Scope	   *begun = MemoryContextAllocZero(TopTransactionContext, sizeof(Scope));

	begun->outer = scope;
	begun->kind = kind;
	begun->nest_level = GetCurrentTransactionNestLevel();
	begun->depth = orch_guard_depth() + 1;
	scope = begun;
}

void
orch_guard_scope_end(void)
{
	Scope	   *ended = scope;

	Assert(ended != NULL && ended->nest_level == GetCurrentTransactionNestLevel());
	scope = ended->outer;
	if (ended->comments != NULL)
		pfree(ended->comments);
	if (ended->starter != NULL)
		pfree(ended->starter);
	pfree(ended);
}

void
orch_guard_scope_comments(const char *comments)
{
	if (comments != NULL)
		scope->comments = MemoryContextStrdup(TopTransactionContext, comments);
}

void
orch_guard_scope_starter(const char *name)
{
	if (name != NULL)
		scope->starter = MemoryContextStrdup(TopTransactionContext, name);
}

void
orch_guard_execute(ScopeKind kind, StaticPlan *plan, Datum *values, const char *nulls,
				   const char *comments)
{
	orch_guard_scope_begin(kind);
	orch_guard_scope_comments(comments);
	orch_plan_execute_latest(plan, values, nulls, 0);
	orch_guard_scope_end();
}

int
orch_guard_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/*
 * Does this trigger belong to the statement of the innermost scope, and not to one
 * that a trigger on the way carries out?
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
 * A status was written: by triggers of others, as far as scopes further out are
 * concerned.
 */
void
orch_guard_disturb(void)
{
	Scope	   *outer = is_in_scope() ? scope->outer : scope;

	for (; outer != NULL; outer = outer->outer)
		outer->disturbed = true;
}

/* Did triggers of others write statuses since the statement of this trigger began? */
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
	return what == SCOPE_COMMENTS ? scope->comments : scope->starter;
}

/*
 * The subtransaction of scopes at or above this level was aborted, or all ended (0).
 */
void
orch_guard_scope_forget(int level)
{
	while (scope != NULL && scope->nest_level >= level)
		scope = scope->outer;
}

/*
 * The table that the statement of the session loads rows into, when a trigger of that
 * statement's own rows asks; else InvalidOid.  What triggers of these rows write
 * elsewhere is not loaded.  INSERT into views and several tables at once is no load.
 */
static Oid
loaded_relation(bool *by_copy)
{
	CommandTag	tag;
	PlannedStmt *planned;

	if (ActivePortal == NULL)
		return InvalidOid;
	tag = ActivePortal->commandTag;
	if (likely(tag != CMDTAG_COPY && tag != CMDTAG_INSERT) || orch_guard_depth() != 1)
		return InvalidOid;
	*by_copy = tag == CMDTAG_COPY;
	planned = linitial_node(PlannedStmt, ActivePortal->stmts);
	if (tag == CMDTAG_INSERT)
	{
		if (list_length(ActivePortal->stmts) != 1 || planned->commandType != CMD_INSERT ||
			list_length(planned->resultRelations) != 1)
			return InvalidOid;
		return rt_fetch(linitial_int(planned->resultRelations), planned->rtable)->relid;
	}
	if (planned->utilityStmt == NULL || !IsA(planned->utilityStmt, CopyStmt))
		return InvalidOid;
	{
		CopyStmt   *copy = (CopyStmt *) planned->utilityStmt;

		return copy->is_from && copy->relation != NULL ?
			RangeVarGetRelid(copy->relation, NoLock, true) : InvalidOid;
	}
}

/*
 * Has the session the settings that every dump begins with (pg_dump's and pg_restore's
 * row_security, search_path, check_function_bodies), and may the role disable the
 * triggers of the table?  Anybody can make these settings.  Only whoever needs no
 * setting to get past the triggers gets past them by it: the role of the session, not the
 * owner of a function that the session calls with these settings.
 */
static bool
restores(Oid relation)
{
	return !row_security && !check_function_bodies &&
		namespace_search_path != NULL && namespace_search_path[0] == '\0' &&
		!InLocalUserIdChange() && orch_compat_class_ownercheck(relation, GetOuterUserId());
}

/*
 * COPY loads what pg_dump wrote: tables that lookups point to may come later.  INSERT
 * does (pg_dump --inserts) where the session restores a dump.
 */
bool
orch_guard_is_loading(Oid relation)
{
	bool		by_copy;

	return unlikely(loaded_relation(&by_copy) == relation) && (by_copy || restores(relation));
}

/*
 * The rows of a user's table mean what they mean by COPY too, so only a dump's
 * settings tell a restore.
 */
bool
orch_guard_is_restoring(Oid relation, bool is_partition)
{
	bool		by_copy;
	Oid			loaded = loaded_relation(&by_copy);

	if (likely(!OidIsValid(loaded)) || !restores(relation))
		return false;
	return loaded == relation ||
		(is_partition && list_member_oid(get_partition_ancestors(relation), loaded));
}
