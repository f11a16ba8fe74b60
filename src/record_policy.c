/*-------------------------------------------------------------------------
 *
 * record_policy.c
 *	  Whose functions run when the row policies of a registered table are evaluated?
 *
 * PostgreSQL evaluates a row policy as the role that reads the table.  A role that
 * reads a table trusts its owner so far.  But a role that starts an orchestration for a
 * record names a key only, and does not choose which tables are asked for it: the
 * owner of a registered table must not get to run functions as whoever starts a run.
 * So a policy is evaluated only if all functions that it can reach belong to the role
 * itself or to a superuser, or are SECURITY DEFINER, and so run as their owner.  Reach:
 * functions, operators, aggregates and domains in the policy, its subqueries, the
 * views in them, and the policies of their tables.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record_policy.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rowsecurity.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "compat.h"
#include "record_int.h"

/* The role, and the relations that were looked at: views and policies may go round. */
typedef struct TrustContext
{
	Oid			role;
	List	   *relations;
} TrustContext;

static bool role_is_trusted(Oid owner, TrustContext *cxt);
static bool function_is_strange(Oid function, void *arg);
static bool type_is_strange(Oid type, TrustContext *cxt);
static bool node_is_strange(Node *node, TrustContext *cxt);
static bool relation_is_strange(Oid relid, TrustContext *cxt);

bool
orch_record_policies_trusted(Oid relation, Oid role)
{
	TrustContext cxt;

	cxt.role = role;
	cxt.relations = NIL;
	return !relation_is_strange(relation, &cxt);
}

static bool
role_is_trusted(Oid owner, TrustContext *cxt)
{
	return owner == cxt->role || superuser_arg(owner);
}

static bool
function_is_strange(Oid function, void *arg)
{
	TrustContext *cxt = arg;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		strange;

	if (!HeapTupleIsValid(tuple))
		return true;
	strange = !((Form_pg_proc) GETSTRUCT(tuple))->prosecdef &&
		!role_is_trusted(((Form_pg_proc) GETSTRUCT(tuple))->proowner, cxt);
	ReleaseSysCache(tuple);
	return strange;
}

/* A domain has checks, which its owner chose. */
static bool
type_is_strange(Oid type, TrustContext *cxt)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		strange;

	if (!HeapTupleIsValid(tuple))
		return true;
	strange = !role_is_trusted(((Form_pg_type) GETSTRUCT(tuple))->typowner, cxt);
	ReleaseSysCache(tuple);
	return strange;
}

static bool
node_is_strange(Node *node, TrustContext *cxt)
{
	if (node == NULL)
		return false;
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, node_is_strange, cxt, QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		return rte->rtekind == RTE_RELATION && relation_is_strange(rte->relid, cxt);
	}
	if (check_functions_in_node(node, function_is_strange, cxt))
		return true;
	/* text goes into a composite or a domain by functions of its parts */
	if ((IsA(node, CoerceToDomain) || IsA(node, CoerceViaIO)) &&
		type_is_strange(exprType(node), cxt))
		return true;
	return expression_tree_walker(node, node_is_strange, cxt);
}

/*
 * What reading a relation runs: the query of a view, the policies of a table.
 */
static bool
relation_is_strange(Oid relid, TrustContext *cxt)
{
	Relation	relation;
	bool		strange = false;
	ListCell   *cell;

	if (list_member_oid(cxt->relations, relid))
		return false;
	cxt->relations = lappend_oid(cxt->relations, relid);
	check_stack_depth();
	relation = table_open(relid, AccessShareLock);
	if (relation->rd_rel->relkind == RELKIND_VIEW)
		strange = node_is_strange((Node *) get_view_query(relation), cxt);
	else if (relation->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
		strange = !role_is_trusted(relation->rd_rel->relowner, cxt);
	if (relation->rd_rsdesc != NULL)
		foreach(cell, relation->rd_rsdesc->policies)
		{
			RowSecurityPolicy *policy = lfirst(cell);

			strange = strange || node_is_strange((Node *) policy->qual, cxt);
		}
	table_close(relation, NoLock);
	return strange;
}
