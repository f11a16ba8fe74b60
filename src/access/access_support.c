/*-------------------------------------------------------------------------
 *
 * access_support.c
 *	  Planner support for the functions of the policies.
 *
 * A policy is an OR of functions, its arms: by owner, by manual share, by orchestration,
 * by assignee, by assignee for whom the user answers approvals.  The planner learns three
 * things of each:
 *
 * 1. An index condition.  The arm becomes "column = ANY (ids)", where ids is a STABLE
 * function of the caller's sets.  It is evaluated when a scan begins, so that a kept
 * plan is right for every role that executes it.  The condition is lossy: the policy
 * itself is evaluated on every row that the index finds.
 *
 * 2. The selectivity, computed from the set and the statistics of the column.  The
 * planner would compute the same for the derived condition, with a look-up in the
 * statistics for each id.  A VOLATILE function hides long arrays from it, and a
 * condition that most rows meet is not offered to an index at all.
 *
 * 3. TRUE, if the caller sees all records of the object: nothing of the policy is left.
 * Such a plan must not be used after the access was revoked:
 *
 * - It is made only for a caller who acts by role.  The query has row security, so the
 *	 plan cache makes a new plan for another role; setting orchestration.user_id later
 *	 drops plans (principal.c).
 * - It depends on the tables of permissions and defaults, so that a change of these
 *	 invalidates it.
 * - A transaction that already holds its locks would not notice the invalidation, so
 *	 check_plan() checks each execution of such a plan when it starts.
 * - A statement that locks rows keeps the functions: it may wait, and must ask again
 *	 then.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_support.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "parser/parse_func.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/selfuncs.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/uuid.h"
#include "record/principal.h"

/* Arrays longer than this are not looked up element by element. */
#define MAX_ESTIMATED_IDS	100

/*
 * The mark of simplified plans: each depends on the index by owner of the object's
 * table, which no other plan does.  InvalidOid while the session made none.  The OIDs
 * are kept here because plans outlive DROP EXTENSION.
 */
static Oid	marks[NUM_OBJECTS];

static const OrchRelation owner_indexes[NUM_OBJECTS] = {
	INDEX_RUN_OWNER, INDEX_STAGE_RUN_OWNER, INDEX_STEP_RUN_OWNER,
	INDEX_WORK_ITEM_OWNER, INDEX_SUBMISSION_OWNER, INDEX_SUBMISSION_ITEM_OWNER
};

static ExecutorStart_hook_type next_executor_start = NULL;

static void check_plan(QueryDesc *query, int eflags);
static Node *support(Node *request, AccessArm arm);
static Node *simplify(SupportRequestSimplify *request, AccessArm arm);
static bool select_rows(SupportRequestSelectivity *request, AccessArm arm);
static List *index_condition(SupportRequestIndexCondition *request, AccessArm arm);
static List *any_of(SupportRequestIndexCondition *request, Node *column, Node *ids);
static double selectivity(PlannerInfo *root, Node *column, int varRelid,
						  AccessArm arm, SharedObject object);
static bool object_of_call(List *args, AccessArm arm, SharedObject *object);
static Oid	function_oid(const char *name, int nargs, const Oid *argtypes);

/* The column of an arm: its last argument. */
#define ARM_COLUMN(args) ((Node *) llast(args))

PG_FUNCTION_INFO_V1(orchestration_owner_visible_support);
PG_FUNCTION_INFO_V1(orchestration_record_shared_support);
PG_FUNCTION_INFO_V1(orchestration_orchestration_visible_support);
PG_FUNCTION_INFO_V1(orchestration_assignee_visible_support);
PG_FUNCTION_INFO_V1(orchestration_approval_visible_support);
PG_FUNCTION_INFO_V1(orchestration_submission_reviewed_support);
PG_FUNCTION_INFO_V1(orchestration_record_visible_support);

/*
 * orchestration_internal.owner_visible_support(internal) returns internal
 *
 * Planner support function of owner_visible(), not callable from SQL: returns the node
 * that the planner asked for, or null.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_owner_visible_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), ARM_OWNER));
}

/*
 * orchestration_internal.record_shared_support(internal) returns internal
 *
 * Planner support function of record_shared(); see owner_visible_support().
 * Raises: none.  Source: ours.
 */
Datum
orchestration_record_shared_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), ARM_RECORD));
}

/*
 * orchestration_internal.orchestration_visible_support(internal) returns internal
 *
 * Planner support function of orchestration_visible(); see owner_visible_support().
 * Raises: none.  Source: ours.
 */
Datum
orchestration_orchestration_visible_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), ARM_ORCHESTRATION));
}

/*
 * orchestration_internal.assignee_visible_support(internal) returns internal
 *
 * Planner support function of assignee_visible(); see owner_visible_support().
 * Raises: none.  Source: ours.
 */
Datum
orchestration_assignee_visible_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), ARM_ASSIGNEE));
}

/*
 * orchestration_internal.approval_visible_support(internal) returns internal
 *
 * Planner support function of approval_visible(); see owner_visible_support().  Its ids are
 * taken for those of approvals: the estimate is an upper bound.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_approval_visible_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(support((Node *) PG_GETARG_POINTER(0), ARM_REVIEWER));
}

/*
 * orchestration_internal.submission_reviewed_support(internal) returns internal
 *
 * Planner support function of submission_reviewed(); see owner_visible_support().  The ids
 * are those of the submissions, which only the execution looks up.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_submission_reviewed_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSelectivity) &&
		!((SupportRequestSelectivity *) request)->is_join)
	{
		((SupportRequestSelectivity *) request)->selectivity =
			orch_access_reviewed_part(orch_access_of_role(GetUserId()));
		PG_RETURN_POINTER(request);
	}
	if (IsA(request, SupportRequestIndexCondition))
	{
		SupportRequestIndexCondition *index = (SupportRequestIndexCondition *) request;
		AccessSet  *set = orch_access_of_role(GetUserId());

		if (IsA(index->node, FuncExpr) &&
			set->base[OBJECT_APPROVAL_SUBMISSION] < ACCESS_READ &&
			orch_access_reviewed_part(set) <= MAX_INDEX_SELECTIVITY)
			PG_RETURN_POINTER(any_of(index, ARM_COLUMN(((FuncExpr *) index->node)->args),
									 (Node *) makeFuncExpr(function_oid("reviewed_submission_ids",
																		0, NULL),
														   UUIDARRAYOID, NIL, InvalidOid,
														   InvalidOid, COERCE_EXPLICIT_CALL)));
	}
	PG_RETURN_POINTER(NULL);
}

/*
 * orchestration_internal.record_visible_support(internal) returns internal
 *
 * record_visible() has no column with an index: only simplification applies to it.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_record_visible_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	PG_RETURN_POINTER(IsA(request, SupportRequestSimplify) ?
					  simplify((SupportRequestSimplify *) request, ARM_RECORD) : NULL);
}

static Node *
support(Node *request, AccessArm arm)
{
	if (IsA(request, SupportRequestSimplify))
		return simplify((SupportRequestSimplify *) request, arm);
	if (IsA(request, SupportRequestSelectivity) &&
		select_rows((SupportRequestSelectivity *) request, arm))
		return request;
	if (IsA(request, SupportRequestIndexCondition))
		return (Node *) index_condition((SupportRequestIndexCondition *) request, arm);
	return NULL;
}

/*
 * The object that a call of an arm names; false if the argument is not a constant.
 */
static bool
object_of_call(List *args, AccessArm arm, SharedObject *object)
{
	Const	   *label;

	if (arm == ARM_ASSIGNEE || arm == ARM_REVIEWER)
	{
		*object = OBJECT_WORK_ITEM;
		return true;
	}
	label = (Const *) linitial(args);
	if (!IsA(label, Const) || label->constisnull)
		return false;
	*object = orch_access_object(DatumGetObjectId(label->constvalue));
	return true;
}

static Oid
function_oid(const char *name, int nargs, const Oid *argtypes)
{
	/* the one of them that users call, too */
	bool		is_public = strcmp(name, "acting_principal_ids") == 0;

	return LookupFuncName(list_make2(makeString(is_public ? "orchestration" :
												"orchestration_internal"),
									 makeString(pstrdup(name))),
						  nargs, argtypes, false);
}

/*
 * TRUE for a caller who sees all records of the object; see the head of this file.
 */
static Node *
simplify(SupportRequestSimplify *request, AccessArm arm)
{
	PlannerInfo *root;
	PlannerGlobal *glob;
	SharedObject object;

	if (request->root == NULL ||
		(orch_user_id != NULL && orch_user_id[0] != '\0'))
		return NULL;
	for (root = request->root; root != NULL; root = root->parent_root)
		if (root->parse->commandType != CMD_SELECT || root->parse->rowMarks != NIL)
			return NULL;
	if (!object_of_call(request->fcall->args, arm, &object) ||
		orch_access_of_role(GetUserId())->base[object] < ACCESS_READ)
		return NULL;

	glob = request->root->glob;
	marks[object] = orch_catalog_relation(owner_indexes[object]);
	glob->relationOids = list_append_unique_oid(glob->relationOids, marks[object]);
	glob->relationOids = list_append_unique_oid(glob->relationOids,
												orch_catalog_relation(RELATION_PRINCIPAL));
	glob->relationOids = list_append_unique_oid(glob->relationOids,
												orch_catalog_relation(RELATION_DEFAULT_ACCESS));
	orch_principal_plans_depend = true;
	return makeBoolConst(true, false);
}

/*
 * ExecutorStart_hook: raises 40001 for a simplified plan if its role no longer sees all.
 */
static void
check_plan(QueryDesc *query, int eflags)
{
	if (query->plannedstmt->relationOids != NIL)
	{
		int			object;

		for (object = 0; object < NUM_OBJECTS; object++)
			if (OidIsValid(marks[object]) &&
				list_member_oid(query->plannedstmt->relationOids, marks[object]) &&
				orch_access_of_role(GetUserId())->base[object] < ACCESS_READ)
			{
				/* some changes of what the role acts as do not invalidate plans */
				ResetPlanCache();
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("access was taken away after the statement was prepared"),
						 errhint("Run the statement again.")));
			}
	}
	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

/*
 * Installs the hook; called once, by _PG_init().
 */
void
orch_access_support_init(void)
{
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = check_plan;
}

static bool
select_rows(SupportRequestSelectivity *request, AccessArm arm)
{
	SharedObject object;

	if (request->is_join || !object_of_call(request->args, arm, &object))
		return false;
	request->selectivity = selectivity(request->root, ARM_COLUMN(request->args),
									   request->varRelid, arm, object);
	return true;
}

static double
selectivity(PlannerInfo *root, Node *column, int varRelid, AccessArm arm,
			SharedObject object)
{
	AccessSet  *set = orch_access_of_role(GetUserId());
	VariableStatData vardata;
	double		ndistinct;
	bool		isdefault;
	double		result;

	if (set->base[object] >= ACCESS_READ)
		return 1.0;
	examine_variable(root, column, varRelid, &vardata);
	ndistinct = get_variable_numdistinct(&vardata, &isdefault);
	result = orch_access_selectivity(set, arm, object, vardata.statsTuple, ndistinct);
	ReleaseVariableStats(vardata);
	return result;
}

static List *
index_condition(SupportRequestIndexCondition *request, AccessArm arm)
{
	static const char *const functions[] = {
		[ARM_OWNER] = "visible_owner_ids",
		[ARM_RECORD] = "shared_record_ids",
		[ARM_ORCHESTRATION] = "visible_orchestration_ids",
		[ARM_ASSIGNEE] = "acting_principal_ids",
		[ARM_REVIEWER] = "reviewed_principal_ids"
	};
	FuncExpr   *call = (FuncExpr *) request->node;
	SharedObject object;
	AccessSet  *set;
	Oid			array_type = UUIDARRAYOID;
	Oid			label_type = orch_catalog_enum_type(ENUM_SHARED_OBJECT);
	Node	   *ids;

	if (!IsA(call, FuncExpr) || request->indexarg != list_length(call->args) - 1 ||
		!object_of_call(call->args, arm, &object))
		return NIL;
	set = orch_access_of_role(GetUserId());
	if (set->base[object] >= ACCESS_READ ||
		selectivity(request->root, ARM_COLUMN(call->args), 0, arm, object) > MAX_INDEX_SELECTIVITY)
		return NIL;

	if (arm == ARM_ASSIGNEE || arm == ARM_REVIEWER)
		ids = (Node *) makeFuncExpr(function_oid(functions[arm], 0, NULL),
									array_type, NIL, InvalidOid, InvalidOid,
									COERCE_EXPLICIT_CALL);
	else
		ids = (Node *) makeFuncExpr(function_oid(functions[arm], 1, &label_type),
									array_type, list_make1(linitial(call->args)),
									InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	if (orch_access_arm(set, arm)->count > MAX_ESTIMATED_IDS)
		ids = (Node *) makeFuncExpr(function_oid("unestimated", 1, &array_type),
									array_type, list_make1(ids), InvalidOid,
									InvalidOid, COERCE_EXPLICIT_CALL);
	return any_of(request, ARM_COLUMN(call->args), ids);
}

/*
 * The index condition column = ANY (ids); NIL if the index cannot serve it.
 */
static List *
any_of(SupportRequestIndexCondition *request, Node *column, Node *ids)
{
	ScalarArrayOpExpr *condition;
	Oid			equal;

	if (request->index->relam != BTREE_AM_OID)
		return NIL;
	equal = get_opfamily_member(request->opfamily, UUIDOID, UUIDOID,
								BTEqualStrategyNumber);
	if (!OidIsValid(equal))
		return NIL;
	condition = makeNode(ScalarArrayOpExpr);
	condition->opno = equal;
	condition->opfuncid = get_opcode(equal);
	condition->useOr = true;
	condition->args = list_make2(column, ids);
	condition->location = -1;
	request->lossy = true;
	return list_make1(condition);
}
