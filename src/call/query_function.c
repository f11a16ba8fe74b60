/*-------------------------------------------------------------------------
 *
 * query_function.c
 *	  Functions in a SOQL query: aggregates, parts of dates, toLabel(), FORMAT(),
 *	  GROUPING().
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_function.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "base/errors.h"
#include "call/query_int.h"

static const struct
{
	const char *name;
	QueryAggregate aggregate;
}			aggregates[] = {
	{"AVG", AGGREGATE_AVG},
	{"COUNT", AGGREGATE_COUNT},
	{"COUNT_DISTINCT", AGGREGATE_COUNT_DISTINCT},
	{"MAX", AGGREGATE_MAX},
	{"MIN", AGGREGATE_MIN},
	{"SUM", AGGREGATE_SUM}
};
static const struct
{
	const char *name;
	QueryDateFunction date;
}			date_functions[] = {
	{"CALENDAR_MONTH", DATE_CALENDAR_MONTH},
	{"CALENDAR_QUARTER", DATE_CALENDAR_QUARTER},
	{"CALENDAR_YEAR", DATE_CALENDAR_YEAR},
	{"DAY_IN_MONTH", DATE_DAY_IN_MONTH},
	{"DAY_IN_WEEK", DATE_DAY_IN_WEEK},
	{"DAY_IN_YEAR", DATE_DAY_IN_YEAR},
	{"DAY_ONLY", DATE_DAY_ONLY},
	{"FISCAL_MONTH", DATE_FISCAL_MONTH},
	{"FISCAL_QUARTER", DATE_FISCAL_QUARTER},
	{"FISCAL_YEAR", DATE_FISCAL_YEAR},
	{"HOUR_IN_DAY", DATE_HOUR_IN_DAY},
	{"WEEK_IN_MONTH", DATE_WEEK_IN_MONTH},
	{"WEEK_IN_YEAR", DATE_WEEK_IN_YEAR}
};

static QueryExpr *aggregate_expr(QueryScope *scope, const SoqlExpr *expr, int which);
static QueryExpr *date_expr(QueryScope *scope, const SoqlExpr *expr, int which);
static QueryExpr *only_field(QueryScope *scope, const SoqlExpr *expr);
static int	find_aggregate(const char *name);
static int	find_date_function(const char *name);

/* The position in the array, or -1. */
static int
find_aggregate(const char *name)
{
	int			i;

	for (i = 0; i < (int) lengthof(aggregates); i++)
		if (pg_strcasecmp(aggregates[i].name, name) == 0)
			return i;
	return -1;
}

static int
find_date_function(const char *name)
{
	int			i;

	for (i = 0; i < (int) lengthof(date_functions); i++)
		if (pg_strcasecmp(date_functions[i].name, name) == 0)
			return i;
	return -1;
}

/*
 * The expression as the message names it: the path, or the function with its argument.
 */
char *
orch_query_name(const SoqlExpr *expr)
{
	StringInfoData name;
	ListCell   *cell;

	check_stack_depth();
	initStringInfo(&name);
	if (expr->function != NULL)
	{
		appendStringInfo(&name, "%s(", expr->function);
		foreach(cell, expr->args)
		{
			SoqlExpr   *arg = (SoqlExpr *) lfirst(cell);

			if (cell != list_head(expr->args))
				appendStringInfoString(&name, ", ");
			appendStringInfoString(&name, orch_query_name(arg));
		}
		appendStringInfoChar(&name, ')');
	}
	else
	{
		foreach(cell, expr->names)
			appendStringInfo(&name, "%s%s", name.len > 0 ? "." : "", (char *) lfirst(cell));
	}
	return name.data;
}

/*
 * Does the expression contain an aggregate?
 */
bool
orch_query_has_aggregate(const SoqlExpr *expr)
{
	ListCell   *cell;

	check_stack_depth();
	if (expr->function == NULL)
		return false;
	if (find_aggregate(expr->function) >= 0 || pg_strcasecmp(expr->function, "GROUPING") == 0)
		return true;
	foreach(cell, expr->args)
		if (orch_query_has_aggregate((SoqlExpr *) lfirst(cell)))
			return true;
	return false;
}

bool
orch_query_equal(const QueryExpr *a, const QueryExpr *b)
{
	check_stack_depth();
	if (a->kind != b->kind)
		return false;
	switch (a->kind)
	{
		case EXPR_FIELD:
			return a->relation == b->relation && a->field == b->field &&
				a->to_label == b->to_label;
		case EXPR_COUNT_ALL:
			return true;
		case EXPR_AGGREGATE:
			return a->aggregate == b->aggregate && orch_query_equal(a->arg, b->arg);
		case EXPR_DATE:
			return a->date == b->date && a->local == b->local &&
				orch_query_equal(a->arg, b->arg);
		case EXPR_GROUPING:
		case EXPR_FORMAT:
			return orch_query_equal(a->arg, b->arg);
	}
	return false;
}

/*
 * The argument of a function, which must be one field.
 */
static QueryExpr *
only_field(QueryScope *scope, const SoqlExpr *expr)
{
	SoqlExpr   *arg;

	if (list_length(expr->args) != 1)
		orch_query_malformed(scope->resolver, expr->location,
							 "The function %s has one argument.", expr->function);
	arg = (SoqlExpr *) linitial(expr->args);
	if (arg->function != NULL)
		orch_query_malformed(scope->resolver, arg->location,
							 "The argument of %s must be a field.", expr->function);
	return orch_query_path_expr(scope, arg);
}

/*
 * reference.md, 5.4: which aggregates a type has.
 */
static QueryExpr *
aggregate_expr(QueryScope *scope, const SoqlExpr *expr, int which)
{
	QueryExpr  *result = palloc0(sizeof(QueryExpr));
	QueryExpr  *arg;
	FieldType	type;
	bool		allowed;

	result->location = expr->location;
	result->name = orch_query_name(expr);
	result->class = CLASS_NUMBER;
	result->type = INT8OID;
	result->aggregate = aggregates[which].aggregate;
	if (expr->args == NIL)
	{
		if (result->aggregate != AGGREGATE_COUNT)
			orch_query_malformed(scope->resolver, expr->location,
								 "The function %s has one argument.", expr->function);
		result->kind = EXPR_COUNT_ALL;
		return result;
	}
	result->kind = EXPR_AGGREGATE;
	result->arg = arg = only_field(scope, expr);
	type = arg->field->type;
	switch (result->aggregate)
	{
		case AGGREGATE_AVG:
		case AGGREGATE_SUM:
			allowed = type == FIELD_INT || type == FIELD_LONG;
			break;
		case AGGREGATE_MIN:
		case AGGREGATE_MAX:
		case AGGREGATE_COUNT:
		case AGGREGATE_COUNT_DISTINCT:
		default:
			allowed = orch_sobject_aggregatable(arg->field);
			break;
	}
	if (!allowed)
		orch_query_malformed(scope->resolver, expr->location,
							 "field %s does not support aggregate operator %s",
							 arg->field->name, aggregates[which].name);
	if (result->aggregate == AGGREGATE_MIN || result->aggregate == AGGREGATE_MAX)
	{
		result->class = arg->class;
		result->type = arg->class == CLASS_ID ? TEXTOID : arg->type;
		if (arg->class == CLASS_ID)
			result->class = CLASS_EXACT;
	}
	else if (result->aggregate == AGGREGATE_AVG)
		result->type = FLOAT8OID;
	else if (result->aggregate == AGGREGATE_SUM)
		result->type = NUMERICOID;
	return result;
}

/*
 * A part of a dateTime: in UTC, or in the session's time zone by convertTimezone().
 */
static QueryExpr *
date_expr(QueryScope *scope, const SoqlExpr *expr, int which)
{
	QueryExpr  *result = palloc0(sizeof(QueryExpr));
	const SoqlExpr *inner = expr;

	result->kind = EXPR_DATE;
	result->location = expr->location;
	result->name = orch_query_name(expr);
	result->date = date_functions[which].date;
	if (list_length(expr->args) == 1)
	{
		SoqlExpr   *arg = (SoqlExpr *) linitial(expr->args);

		if (arg->function != NULL && pg_strcasecmp(arg->function, "convertTimezone") == 0)
		{
			result->local = true;
			inner = arg;
		}
	}
	result->arg = only_field(scope, inner);
	if (result->arg->class != CLASS_TIME)
		orch_query_malformed(scope->resolver, expr->location,
							 "The function %s needs a field of type date or dateTime; %s has type %s.",
							 expr->function, result->arg->field->name,
							 orch_sobject_type_name(result->arg->field->type));
	result->class = result->date == DATE_DAY_ONLY ? CLASS_DATE : CLASS_NUMBER;
	result->type = result->date == DATE_DAY_ONLY ? DATEOID : INT4OID;
	return result;
}

/*
 * A field or a function of one.  Where it may stand is checked by the caller.
 */
QueryExpr *
orch_query_expr(QueryScope *scope, const SoqlExpr *expr)
{
	QueryExpr  *result;
	int			which;

	check_stack_depth();
	if (expr->function == NULL)
		return orch_query_path_expr(scope, expr);
	if ((which = find_aggregate(expr->function)) >= 0)
		return aggregate_expr(scope, expr, which);
	if ((which = find_date_function(expr->function)) >= 0)
		return date_expr(scope, expr, which);
	if (pg_strcasecmp(expr->function, "toLabel") == 0)
	{
		result = only_field(scope, expr);
		if (result->field->type == FIELD_PICKLIST)
			result->to_label = true;
		else if (result->field->type != FIELD_STRING)
			orch_query_malformed(scope->resolver, expr->location,
								 "The function toLabel needs a picklist; %s has type %s.",
								 result->field->name,
								 orch_sobject_type_name(result->field->type));
		return result;
	}
	if (pg_strcasecmp(expr->function, "GROUPING") == 0)
	{
		result = palloc0(sizeof(QueryExpr));
		result->kind = EXPR_GROUPING;
		result->location = expr->location;
		result->class = CLASS_NUMBER;
		result->type = INT4OID;
		result->arg = only_field(scope, expr);
		result->name = orch_query_name(expr);
		return result;
	}
	if (pg_strcasecmp(expr->function, "FORMAT") == 0)
	{
		if (list_length(expr->args) != 1)
			orch_query_malformed(scope->resolver, expr->location,
								 "The function FORMAT has one argument.");
		result = palloc0(sizeof(QueryExpr));
		result->kind = EXPR_FORMAT;
		result->location = expr->location;
		result->class = CLASS_EXACT;
		result->type = TEXTOID;
		result->arg = orch_query_expr(scope, (SoqlExpr *) linitial(expr->args));
		result->name = orch_query_name(expr);
		if (result->arg->kind != EXPR_FIELD && result->arg->kind != EXPR_AGGREGATE)
			orch_query_malformed(scope->resolver, expr->location,
								 "The argument of FORMAT must be a field or an aggregate.");
		return result;
	}
	if (pg_strcasecmp(expr->function, "convertTimezone") == 0)
		orch_query_malformed(scope->resolver, expr->location,
							 "convertTimezone is allowed within a date function only, as in HOUR_IN_DAY(convertTimezone(CreatedDate)).");
	orch_query_malformed(scope->resolver, expr->location, "unknown function: %s",
						 expr->function);
	return NULL;				/* keep the compiler quiet */
}
