/*-------------------------------------------------------------------------
 *
 * guard_load.c
 *	  Does the session load rows that were dumped?
 *
 * A dump has rows that were checked when they were written, in tables that come in any
 * order.  While they are loaded, references are not checked and nothing is filled in.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard_load.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parsetree.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/rls.h"

#include "base/compat.h"
#include "guard/guard.h"
#include "guard/guard_int.h"

static Oid	loaded_relation(bool *by_copy);
static bool restores(Oid relation);

/*
 * The table that the session's statement loads rows into, if called by a trigger on
 * those rows; else InvalidOid.  Rows that such triggers write elsewhere are not loaded.
 * An INSERT into a view or into several tables at once is not a load.
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
 * Does the session restore a dump into the table?  It has the settings with which every
 * dump of pg_dump begins (row_security, search_path, check_function_bodies), and its
 * role may disable the triggers of the table.  Anyone can make these settings; so they
 * count only for a role that could bypass the triggers without them.  That is the role
 * of the session, not the owner of a function that the session calls.
 */
static bool
restores(Oid relation)
{
	return !row_security && !check_function_bodies &&
		namespace_search_path != NULL && namespace_search_path[0] == '\0' &&
		!InLocalUserIdChange() && orch_compat_class_ownercheck(relation, GetOuterUserId());
}

/*
 * Rows of COPY are loaded: it is how pg_dump's output comes back, and tables that lookups
 * point to may come later.  Rows of INSERT (pg_dump --inserts) are loaded only while the
 * session restores a dump.
 */
bool
orch_guard_is_loading(Oid relation)
{
	bool		by_copy;

	return unlikely(loaded_relation(&by_copy) == relation) && (by_copy || restores(relation));
}

/*
 * Rows that a user copies into a table of users start runs like any others, so that
 * COPY alone does not make a restore.
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
