/*-------------------------------------------------------------------------
 *
 * record_policy.c
 *	  Whose functions run when the row policies of a registered table are evaluated?
 *
 * PostgreSQL evaluates a row policy as the role that reads the table.  A role that reads
 * a table trusts the table's owner that far.  But a role that starts an orchestration
 * for a record gives a key only, and does not choose the tables that are searched for
 * it: the owner of a registered table must not be able to run functions as a role that
 * starts a run.  So a policy is evaluated only if every function that it can reach
 * belongs to the role itself, or is SECURITY DEFINER and so runs as its owner, or is
 * this extension's, or is a built-in function that runs no further code.  A function of
 * another extension is not trusted, because it may run a query that it is given.
 *
 * A policy reaches functions, operators, aggregates and domains in its expression, its
 * subqueries, the views in them and the policies of their tables.  It also reaches
 * expressions that the planner evaluates: those of indexes, checks and extended
 * statistics of all these tables and of the tables that inherit from them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_policy.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rowsecurity.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "base/catalog.h"
#include "base/compat.h"
#include "record/record_int.h"

/* The role, and the relations that were checked: views and policies may refer in circles. */
typedef struct TrustContext
{
	Oid			role;
	List	   *relations;
} TrustContext;

static bool role_is_trusted(Oid owner, TrustContext *cxt);
static bool runs_further_code(Form_pg_proc form);
static bool text_is_strange(HeapTuple tuple, int cache, AttrNumber attnum, TrustContext *cxt);
static bool planner_is_strange(Relation relation, TrustContext *cxt);
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
	Form_pg_proc form;
	bool		strange;

	if (!HeapTupleIsValid(tuple))
		return true;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prosecdef || form->proowner == cxt->role)
		strange = false;
	else if (function < FirstUnpinnedObjectId)
		strange = runs_further_code(form);
	else
		strange = !orch_catalog_is_own_schema(form->pronamespace) ||
			!superuser_arg(form->proowner);
	ReleaseSysCache(tuple);
	return strange;
}

/*
 * Does a built-in function run code that it is given: a query, the cast of a type, the
 * output of a table?
 */
static bool
runs_further_code(Form_pg_proc form)
{
	static const char *const names[] = {
		"to_xml", "ts_stat", "ts_rewrite", "pg_input_", "cursor", "query_", "xml"
	};
	const char *name = NameStr(form->proname);
	bool		any = form->prorettype == RECORDOID;
	int			i;

	if (form->provolatile == PROVOLATILE_VOLATILE ||
		(form->prolang != INTERNALlanguageId && form->prolang != ClanguageId &&
		 form->prolang != SQLlanguageId))
		return true;
	for (i = 0; i < (int) lengthof(names); i++)
		if (strstr(name, names[i]) != NULL)
			return true;
	for (i = 0; i < form->pronargs; i++)
		any |= form->proargtypes.values[i] == ANYOID ||
			form->proargtypes.values[i] == RECORDOID ||
			IsPolymorphicType(form->proargtypes.values[i]);
	return any && (strstr(name, "json") != NULL || strstr(name, "row_to") != NULL);
}

/* A domain has checks, which are its owner's. */
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
	/* text becomes a composite or a domain by functions of its parts */
	if ((IsA(node, CoerceToDomain) || IsA(node, CoerceViaIO)) &&
		type_is_strange(exprType(node), cxt))
		return true;
	return expression_tree_walker(node, node_is_strange, cxt);
}

/*
 * Code that runs when a relation is read: the query of a view, the policies of a table.
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
	strange = strange || planner_is_strange(relation, cxt);
	if (relation->rd_rsdesc != NULL)
		foreach(cell, relation->rd_rsdesc->policies)
		{
			RowSecurityPolicy *policy = lfirst(cell);

			strange = strange || node_is_strange((Node *) policy->qual, cxt);
		}
	table_close(relation, NoLock);
	return strange;
}

/* An expression in a catalog. */
static bool
text_is_strange(HeapTuple tuple, int cache, AttrNumber attnum, TrustContext *cxt)
{
	bool		isnull;
	Datum		expression = SysCacheGetAttr(cache, tuple, attnum, &isnull);

	return !isnull && node_is_strange(stringToNode(TextDatumGetCString(expression)), cxt);
}

/*
 * Expressions of a table that the planner evaluates.  They are read from the catalogs,
 * because building the lists in the relation cache would evaluate functions.
 */
static bool
planner_is_strange(Relation relation, TrustContext *cxt)
{
	TupleConstr *constr = RelationGetDescr(relation)->constr;
	bool		strange = false;
	ListCell   *cell;
	int			i;

	for (i = 0; constr != NULL && i < constr->num_check && !strange; i++)
		strange = node_is_strange(stringToNode(constr->check[i].ccbin), cxt);
	foreach(cell, RelationGetIndexList(relation))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(tuple))
			continue;
		strange = strange || text_is_strange(tuple, INDEXRELID, Anum_pg_index_indexprs, cxt) ||
			text_is_strange(tuple, INDEXRELID, Anum_pg_index_indpred, cxt);
		ReleaseSysCache(tuple);
	}
	foreach(cell, RelationGetStatExtList(relation))
	{
		HeapTuple	tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(tuple))
			continue;
		strange = strange || text_is_strange(tuple, STATEXTOID, Anum_pg_statistic_ext_stxexprs, cxt);
		ReleaseSysCache(tuple);
	}
	if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
	{
		/* bounds are constants, keys are expressions */
		HeapTuple	tuple = SearchSysCache1(PARTRELID,
											ObjectIdGetDatum(RelationGetRelid(relation)));

		if (HeapTupleIsValid(tuple))
		{
			strange = strange || text_is_strange(tuple, PARTRELID,
												 Anum_pg_partitioned_table_partexprs, cxt);
			ReleaseSysCache(tuple);
		}
	}
	foreach(cell, find_inheritance_children(RelationGetRelid(relation), AccessShareLock))
		strange = strange || relation_is_strange(lfirst_oid(cell), cxt);
	return strange;
}
