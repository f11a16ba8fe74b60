/*-------------------------------------------------------------------------
 *
 * query_plan.c
 *	  Plans of the SQL of a SOQL query, kept with the query.
 *
 * A kept query is always the same text, so its values are constants of the plan, as in a
 * PREPAREd statement: they are put into the parsed statement in the place of parameters,
 * and never into its text.  Bounds of relative dates and the LIMIT change seldom; another
 * value gets another plan.  Only ids remain parameters.
 *
 * One session may execute a query for many users.  Each plan is for users who see as much
 * of each object (access_extent.h).  For a user who sees few records of the object, the
 * statement has a barrier between the conditions and ORDER BY, GROUP BY and LIMIT:
 * PostgreSQL would follow the order of an index until LIMIT is reached, which for such a
 * user may be the whole index.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_plan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/params.h"
#include "parser/parse_node.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/planning.h"
#include "base/uuid.h"
#include "call/query_int.h"

/* Plans of one statement: users who see less and more, other dates and batch sizes. */
#define MAX_PLANS	8

static Datum param_value(const QueryParam *param, int64 limit, const pg_uuid_t *ids, int nids,
						 bool *isnull);
static bool is_constant(const QueryParam *param);
static AccessExtent root_extent(const QuerySelect *select, uint32 extents);
static Node *bind_param(ParseState *pstate, ParamRef *ref);
static void set_up_parser(ParseState *pstate, void *arg);
static bool fits(const QueryPlan *plan, uint32 extents, const Datum *values, const bool *nulls);
static QueryPlan *make_plan(ReadyQuery *query, QueryStatement *statement, uint32 extents,
							const Datum *values, const bool *nulls);

/*
 * The value of a parameter at this execution.
 */
static Datum
param_value(const QueryParam *param, int64 limit, const pg_uuid_t *ids, int nids, bool *isnull)
{
	TimestampTz first;
	TimestampTz last;

	*isnull = false;
	switch (param->kind)
	{
		case PARAM_VALUE:
			return param->value;
		case PARAM_RANGE_START:
		case PARAM_RANGE_END:
			return orch_query_date_bound(param);
		case PARAM_IDS:
			return PointerGetDatum(orch_uuid_array(ids, nids));
		case PARAM_FIRST_TIME:
			orch_uuid_time_range(ids, nids, &first, &last);
			return TimestampTzGetDatum(first);
		case PARAM_LAST_TIME:
			orch_uuid_time_range(ids, nids, &first, &last);
			return TimestampTzGetDatum(last);
		case PARAM_LIMIT:
			*isnull = limit < 0;
			return Int64GetDatum(limit);
		case PARAM_FISCAL_MONTHS:
			return Int32GetDatum(orch_query_fiscal_months());
	}
	return (Datum) 0;			/* keep the compiler quiet */
}

static bool
is_constant(const QueryParam *param)
{
	return param->kind != PARAM_IDS && param->kind != PARAM_FIRST_TIME &&
		param->kind != PARAM_LAST_TIME;
}

/*
 * What the user sees of the object of a SELECT; of rows that belong to a record, what the
 * user sees of the records.
 */
static AccessExtent
root_extent(const QuerySelect *select, uint32 extents)
{
	const SObject *object = select->object;
	const char *name = object->parent != NULL ? object->parent :
		strcmp(object->name, "FlowOrchestrationLog") == 0 ?
		orch_catalog_label(ENUM_SHARED_OBJECT, OBJECT_RUN) : object->name;
	int			i;

	for (i = 0; i < NUM_OBJECTS; i++)
		if (strcmp(name, orch_catalog_label(ENUM_SHARED_OBJECT, i)) == 0)
			return EXTENT_OF(extents, i);
	return SEES_MOST;
}

/*
 * The statement of a variant for the current user.
 */
QueryStatement *
orch_query_statement(ReadyQuery *query, QuerySelect *select, QueryVariant variant)
{
	bool		few = root_extent(select, orch_access_extents(GetUserId())) == SEES_FEW;

	return orch_query_write(select, variant,
							few && (variant == VARIANT_ROWS || variant == VARIANT_IDS),
							query->context);
}

/*
 * ParseState.p_paramref_hook: constants in the place of parameters.
 */
static Node *
bind_param(ParseState *pstate, ParamRef *ref)
{
	const QueryPlan *plan = (const QueryPlan *) pstate->p_ref_hook_state;
	const QueryParam *param;
	Param	   *node;

	if (ref->number <= 0 || ref->number > plan->statement->nparams)
		return NULL;
	param = plan->statement->params[ref->number - 1];
	if (is_constant(param))
	{
		int16		length;
		bool		by_value;

		get_typlenbyval(param->type, &length, &by_value);
		return (Node *) makeConst(param->type, -1, get_typcollation(param->type), length,
								  plan->values[ref->number - 1],
								  plan->nulls[ref->number - 1], by_value);
	}
	node = makeNode(Param);
	node->paramkind = PARAM_EXTERN;
	node->paramid = ref->number;
	node->paramtype = param->type;
	node->paramtypmod = -1;
	node->paramcollid = get_typcollation(param->type);
	node->location = ref->location;
	return (Node *) node;
}

static void
set_up_parser(ParseState *pstate, void *arg)
{
	pstate->p_paramref_hook = bind_param;
	pstate->p_ref_hook_state = arg;
}

/*
 * Values that are given in the query are those of every plan.
 */
static bool
fits(const QueryPlan *plan, uint32 extents, const Datum *values, const bool *nulls)
{
	int			i;

	if (plan->extents != extents)
		return false;
	for (i = 0; i < plan->statement->nparams; i++)
	{
		const QueryParam *param = plan->statement->params[i];
		int16		length;
		bool		by_value;

		if (param->kind == PARAM_VALUE || !is_constant(param))
			continue;
		if (plan->nulls[i] != nulls[i])
			return false;
		get_typlenbyval(param->type, &length, &by_value);
		if (!nulls[i] && !datumIsEqual(plan->values[i], values[i], by_value, length))
			return false;
	}
	return true;
}

static QueryPlan *
make_plan(ReadyQuery *query, QueryStatement *statement, uint32 extents, const Datum *values,
		  const bool *nulls)
{
	MemoryContext old = MemoryContextSwitchTo(query->context);
	QueryPlan  *plan = palloc0(sizeof(QueryPlan));
	int			n = Max(statement->nparams, 1);
	int16		length;
	bool		by_value;
	int			i;

	plan->statement = statement;
	plan->extents = extents;
	plan->values = memcpy(palloc(n * sizeof(Datum)), values, n * sizeof(Datum));
	plan->nulls = memcpy(palloc(n * sizeof(bool)), nulls, n * sizeof(bool));
	for (i = 0; i < statement->nparams; i++)
	{
		const QueryParam *param = statement->params[i];

		if (param->kind == PARAM_VALUE || nulls[i] || !is_constant(param))
			continue;
		get_typlenbyval(param->type, &length, &by_value);
		plan->values[i] = datumCopy(values[i], by_value, length);
	}
	MemoryContextSwitchTo(old);
	plan->plan = SPI_prepare_params(statement->sql, set_up_parser, plan,
									CURSOR_OPT_PARALLEL_OK);
	if (plan->plan == NULL || SPI_keepplan(plan->plan) != 0)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));

	MemoryContextSwitchTo(query->context);
	/* one that code within the query executes may be in use */
	if (list_length(statement->plans) >= MAX_PLANS && query->in_use <= 1)
	{
		QueryPlan  *oldest = (QueryPlan *) llast(statement->plans);

		statement->plans = list_delete_last(statement->plans);
		SPI_freeplan(oldest->plan);
		pfree(oldest->values);
		pfree(oldest->nulls);
		pfree(oldest);
	}
	statement->plans = lcons(plan, statement->plans);
	MemoryContextSwitchTo(old);
	return plan;
}

/*
 * The plan of a variant for the current user, and its parameters, or NULL if it has none.
 * limit -1: none.  Connected to SPI.
 */
SPIPlanPtr
orch_query_prepare(ReadyQuery *query, QuerySelect *select, QueryVariant variant, int64 limit,
				   const pg_uuid_t *ids, int nids, ParamListInfo *params)
{
	uint32		extents = orch_access_extents(GetUserId());
	QueryStatement *statement = orch_query_statement(query, select, variant);
	Datum	   *values = palloc(Max(statement->nparams, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(statement->nparams, 1) * sizeof(bool));
	QueryPlan  *plan = NULL;
	bool		all_constant = true;
	ListCell   *cell;
	int			i;

	for (i = 0; i < statement->nparams; i++)
	{
		values[i] = param_value(statement->params[i], limit, ids, nids, &nulls[i]);
		all_constant = all_constant && is_constant(statement->params[i]);
	}
	foreach(cell, statement->plans)
	{
		if (fits((QueryPlan *) lfirst(cell), extents, values, nulls))
		{
			plan = (QueryPlan *) lfirst(cell);
			break;
		}
	}
	if (plan == NULL)
		plan = make_plan(query, statement, extents, values, nulls);

	*params = NULL;
	if (all_constant)
	{
		if (root_extent(select, extents) == SEES_FEW)
			orch_planning_by_index(plan->plan);
		return plan->plan;
	}
	*params = makeParamList(statement->nparams);
	for (i = 0; i < statement->nparams; i++)
	{
		ParamExternData *param = &(*params)->params[i];

		param->value = values[i];
		param->isnull = nulls[i];
		param->pflags = PARAM_FLAG_CONST;
		param->ptype = statement->params[i]->type;
	}
	return plan->plan;
}

/*
 * Plans are kept by SPI, so they must be freed one by one.
 */
void
orch_query_free_plans(QuerySelect *select)
{
	ListCell   *cell;
	ListCell   *plan;
	int			i;

	check_stack_depth();
	for (i = 0; i < NUM_VARIANTS; i++)
	{
		foreach(plan, select->statements[i].plans)
			SPI_freeplan(((QueryPlan *) lfirst(plan))->plan);
		foreach(plan, select->enclosed[i].plans)
			SPI_freeplan(((QueryPlan *) lfirst(plan))->plan);
	}
	foreach(cell, select->children)
		orch_query_free_plans((QuerySelect *) lfirst(cell));
}
