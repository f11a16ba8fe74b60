/*-------------------------------------------------------------------------
 *
 * query_write.c
 *	  The third pass over a SOQL query: writes it as SQL over the documented views.
 *
 * Names come from the catalog and values are parameters, so that nothing of the query's
 * text reaches SQL.  Functions and operators are named with their schema; where SQL has
 * none to name (IN, IS DISTINCT FROM, CASE x WHEN), another form is used.
 *
 * An enclosed statement has its object, parents and conditions in a sub-select with OFFSET
 * 0, which the planner does not dissolve: it then finds the rows by their conditions and
 * policies, whatever is sorted, grouped or limited outside.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_write.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/uuid.h"
#include "call/query_int.h"

/* Strings are compared, grouped and sorted without regard to case. */
#define FOLDED	" COLLATE orchestration.case_insensitive"

/* An id, as users' tables may have it, too. */
#define ID_PATTERN	"'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'"

typedef struct QueryWriter
{
	StringInfoData sql;
	List	   *params;			/* of QueryParam * */
	QueryVariant variant;
	bool		include_deleted;
	bool		outside;		/* of the sub-select: its columns are x1_name, ... */
	List	   *columns;		/* of QueryExpr *, that are used outside */
	bool		having;			/* it writes HAVING */
} QueryWriter;

static void write_param(QueryWriter *writer, QueryParam *param);
static QueryParam *kind_param(QueryParamKind kind, Oid type);
static QueryParam *value_param(Oid type, Datum value);
static void write_column(QueryWriter *writer, const QueryExpr *expr);
static bool is_text_picklist(const QueryExpr *expr);
static void write_values(QueryWriter *writer, const SObjectField *field);
static void write_position(QueryWriter *writer, const QueryExpr *expr);
static void write_date(QueryWriter *writer, const QueryExpr *expr);
static void write_aggregate(QueryWriter *writer, const QueryExpr *expr);
static void write_format(QueryWriter *writer, const QueryExpr *expr);
static void write_expr(QueryWriter *writer, const QueryExpr *expr);
static void write_compared(QueryWriter *writer, const QueryTest *test);
static void write_test(QueryWriter *writer, const QueryTest *test);
static void write_join(QueryWriter *writer, const QueryTest *test);
static void write_object(QueryWriter *writer, const QuerySelect *select);
static void write_from(QueryWriter *writer, const QuerySelect *select);
static void write_where(QueryWriter *writer, const QuerySelect *select);
static void write_group(QueryWriter *writer, const QuerySelect *select);
static void write_key(QueryWriter *writer, const QueryExpr *expr);
static void write_created_between(QueryWriter *writer, const QueryRelation *relation,
								  QueryParam *first, QueryParam *last);
static void write_order(QueryWriter *writer, const QuerySelect *select, const char *alias);
static void write_columns(QueryWriter *writer, const QuerySelect *select);
static void write_children(QueryWriter *writer, const QuerySelect *select);
static void write_limit(QueryWriter *writer, const QuerySelect *select);
static void write_enclosed(QueryWriter *writer, const QuerySelect *select);
static bool has_id_times(const QueryWriter *writer, const QueryTest *test);
static void write_id_times(QueryWriter *writer, const QueryTest *test);

/*
 * A parameter; one that is written twice has one number, as GROUP BY and SELECT must have
 * the same expressions.
 */
static void
write_param(QueryWriter *writer, QueryParam *param)
{
	ListCell   *cell;
	int			number = 0;

	/* in SQL, because a kept plan has the other bounds as constants */
	if (param->kind == PARAM_RANGE_END && param->last == QUERY_UNTIL_NOW)
	{
		appendStringInfoString(&writer->sql, "(pg_catalog.statement_timestamp()"
							   " OPERATOR(pg_catalog.+) '1 microsecond'::pg_catalog.interval)");
		return;
	}
	if (param->kind >= PARAM_IDS)
		foreach(cell, writer->params)
		{
			if (((QueryParam *) lfirst(cell))->kind == param->kind)
			{
				number = foreach_current_index(cell) + 1;
				break;
			}
		}
	if (number == 0)
	{
		writer->params = lappend(writer->params, param);
		number = list_length(writer->params);
	}
	appendStringInfo(&writer->sql, "$%d", number);
}

static QueryParam *
kind_param(QueryParamKind kind, Oid type)
{
	QueryParam *param = palloc0(sizeof(QueryParam));

	param->kind = kind;
	param->type = type;
	return param;
}

/*
 * A value that the query gives.
 */
static QueryParam *
value_param(Oid type, Datum value)
{
	QueryParam *param = kind_param(PARAM_VALUE, type);

	param->value = value;
	return param;
}

static void
write_column(QueryWriter *writer, const QueryExpr *expr)
{
	ListCell   *cell;

	if (!writer->outside)
	{
		appendStringInfo(&writer->sql, "x%d.%s", expr->relation->number,
						 quote_identifier(expr->field->column));
		return;
	}
	appendStringInfo(&writer->sql, "b.x%d_%s", expr->relation->number, expr->field->column);
	foreach(cell, writer->columns)
	{
		const QueryExpr *other = (const QueryExpr *) lfirst(cell);

		if (other->relation == expr->relation && other->field == expr->field)
			return;
	}
	writer->columns = lappend(writer->columns, unconstify(QueryExpr *, expr));
}

/*
 * Picklists are sorted in the order of their values.  Most are enums; of those that are texts
 * the position is taken.
 */
static bool
is_text_picklist(const QueryExpr *expr)
{
	return expr->kind == EXPR_FIELD && expr->class == CLASS_TEXT &&
		expr->field->type == FIELD_PICKLIST && expr->field->nvalues > 0;
}

static void
write_values(QueryWriter *writer, const SObjectField *field)
{
	int			i;

	appendStringInfoString(&writer->sql, "ARRAY[");
	for (i = 0; i < field->nvalues; i++)
		appendStringInfo(&writer->sql, "%s%s", i > 0 ? ", " : "",
						 quote_literal_cstr(field->values[i]));
	appendStringInfoString(&writer->sql, "]::pg_catalog.text[]");
}

static void
write_position(QueryWriter *writer, const QueryExpr *expr)
{
	appendStringInfoString(&writer->sql, "pg_catalog.array_position(");
	write_values(writer, expr->field);
	appendStringInfoString(&writer->sql, ", ");
	write_column(writer, expr);
	appendStringInfoString(&writer->sql, FOLDED ")");
}

/*
 * The parts of a date; see reference.md, 5.3.
 */
static void
write_date(QueryWriter *writer, const QueryExpr *expr)
{
	static const char *const parts[] = {
		[DATE_CALENDAR_MONTH] = "month", [DATE_CALENDAR_QUARTER] = "quarter",
		[DATE_CALENDAR_YEAR] = "year", [DATE_DAY_IN_MONTH] = "day",
		[DATE_DAY_IN_WEEK] = "dow", [DATE_DAY_IN_YEAR] = "doy", [DATE_DAY_ONLY] = NULL,
		[DATE_FISCAL_MONTH] = "month", [DATE_FISCAL_QUARTER] = "quarter",
		[DATE_FISCAL_YEAR] = "year", [DATE_HOUR_IN_DAY] = "hour",
		[DATE_WEEK_IN_MONTH] = "day", [DATE_WEEK_IN_YEAR] = "doy"
	};
	bool		fiscal = expr->date == DATE_FISCAL_MONTH || expr->date == DATE_FISCAL_QUARTER ||
		expr->date == DATE_FISCAL_YEAR;
	bool		week = expr->date == DATE_WEEK_IN_MONTH || expr->date == DATE_WEEK_IN_YEAR;

	appendStringInfoString(&writer->sql, "(");
	if (week)
		appendStringInfoString(&writer->sql, "((");
	else if (expr->date == DATE_DAY_IN_WEEK)
		appendStringInfoString(&writer->sql, "(");
	if (expr->date != DATE_DAY_ONLY)
		appendStringInfo(&writer->sql, "pg_catalog.date_part('%s', ", parts[expr->date]);
	appendStringInfoString(&writer->sql, expr->local ? "(" : "pg_catalog.timezone('UTC', ");
	write_column(writer, expr->arg);
	appendStringInfoString(&writer->sql, expr->local ? ")::pg_catalog.timestamp" : ")");
	if (fiscal)
	{
		appendStringInfoString(&writer->sql,
							   " OPERATOR(pg_catalog.+) pg_catalog.make_interval(months => ");
		write_param(writer, kind_param(PARAM_FISCAL_MONTHS, INT4OID));
		appendStringInfoString(&writer->sql, ")");
	}
	if (expr->date == DATE_DAY_ONLY)
		appendStringInfoString(&writer->sql, ")::pg_catalog.date");
	else
	{
		appendStringInfoString(&writer->sql, "))::pg_catalog.int4");
		if (week)
			appendStringInfoString(&writer->sql, " OPERATOR(pg_catalog.-) 1)"
								   " OPERATOR(pg_catalog./) 7 OPERATOR(pg_catalog.+) 1)");
		else if (expr->date == DATE_DAY_IN_WEEK)
			appendStringInfoString(&writer->sql, " OPERATOR(pg_catalog.+) 1)");
	}
}

static void
write_aggregate(QueryWriter *writer, const QueryExpr *expr)
{
	static const char *const names[] = {
		[AGGREGATE_AVG] = "avg", [AGGREGATE_COUNT] = "count",
		[AGGREGATE_COUNT_DISTINCT] = "count", [AGGREGATE_MAX] = "max",
		[AGGREGATE_MIN] = "min", [AGGREGATE_SUM] = "sum"
	};
	bool		ordered = expr->aggregate == AGGREGATE_MIN || expr->aggregate == AGGREGATE_MAX;

	if (ordered && is_text_picklist(expr->arg))
	{
		appendStringInfoString(&writer->sql, "(");
		write_values(writer, expr->arg->field);
		appendStringInfo(&writer->sql, ")[pg_catalog.%s(", names[expr->aggregate]);
		write_position(writer, expr->arg);
		appendStringInfoString(&writer->sql, ")]");
		return;
	}
	appendStringInfo(&writer->sql, "pg_catalog.%s(%s", names[expr->aggregate],
					 expr->aggregate == AGGREGATE_COUNT_DISTINCT ? "DISTINCT " : "");
	write_column(writer, expr->arg);
	/* uuid has no min() and max() */
	if (ordered && expr->arg->class == CLASS_ID)
		appendStringInfoString(&writer->sql, "::pg_catalog.text");
	if (expr->arg->class == CLASS_TEXT &&
		(ordered || expr->aggregate == AGGREGATE_COUNT_DISTINCT))
		appendStringInfoString(&writer->sql, FOLDED);
	appendStringInfoString(&writer->sql, ")");
	if (expr->aggregate == AGGREGATE_AVG)
		appendStringInfoString(&writer->sql, "::pg_catalog.float8");
	else if (expr->aggregate == AGGREGATE_SUM)
		appendStringInfoString(&writer->sql, "::pg_catalog.numeric");
}

/*
 * FORMAT(): as users read it, in the session's time zone.
 */
static void
write_format(QueryWriter *writer, const QueryExpr *expr)
{
	const QueryExpr *arg = expr->arg;

	if (arg->class == CLASS_TIME || arg->type == INT4OID || arg->type == INT8OID ||
		arg->type == NUMERICOID || arg->type == FLOAT8OID)
	{
		appendStringInfoString(&writer->sql, "pg_catalog.to_char(");
		write_expr(writer, arg);
		appendStringInfoString(&writer->sql, arg->class == CLASS_TIME ?
							   ", 'FMMM/FMDD/YYYY, FMHH12:MI AM')" :
							   arg->type == FLOAT8OID ?
							   ", 'FM999,999,999,999,999,990.###')" :
							   ", 'FM9,999,999,999,999,999,999')");
		return;
	}
	appendStringInfoString(&writer->sql, "(");
	write_expr(writer, arg);
	appendStringInfoString(&writer->sql, ")::pg_catalog.text");
}

static void
write_expr(QueryWriter *writer, const QueryExpr *expr)
{
	check_stack_depth();
	switch (expr->kind)
	{
		case EXPR_FIELD:
			write_column(writer, expr);
			break;
		case EXPR_COUNT_ALL:
			appendStringInfoString(&writer->sql, "pg_catalog.count(*)");
			break;
		case EXPR_AGGREGATE:
			write_aggregate(writer, expr);
			break;
		case EXPR_DATE:
			write_date(writer, expr);
			break;
		case EXPR_GROUPING:
			appendStringInfoString(&writer->sql, "GROUPING(");
			write_expr(writer, expr->arg);
			if (expr->arg->class == CLASS_TEXT)
				appendStringInfoString(&writer->sql, FOLDED);
			appendStringInfoString(&writer->sql, ")");
			break;
		case EXPR_FORMAT:
			write_format(writer, expr);
			break;
	}
}

/*
 * The left side, as it is compared with the parameter.
 */
static void
write_compared(QueryWriter *writer, const QueryTest *test)
{
	const QueryExpr *left = test->left;

	appendStringInfoString(&writer->sql, "(");
	write_expr(writer, left);
	if (test->as_numeric && left->type != NUMERICOID)
		appendStringInfoString(&writer->sql, "::pg_catalog.numeric");
	else if (left->type == JSONBOID)
		appendStringInfoString(&writer->sql, "::pg_catalog.text");
	/* in HAVING, the same expression as in GROUP BY */
	if (left->class == CLASS_TEXT && (test->kind != TEST_LIKE || writer->having))
		appendStringInfoString(&writer->sql, FOLDED);
	appendStringInfoString(&writer->sql, ")");
}

/*
 * History and log have an index on the time only, and their ids begin with the time.  Of a
 * deleted record no time is known, and HAVING has no columns that are not grouped.
 */
static bool
has_id_times(const QueryWriter *writer, const QueryTest *test)
{
	const QueryExpr *left = test->left;

	return !writer->include_deleted && !writer->having &&
		(test->kind == TEST_EQUAL || test->kind == TEST_ANY) && left->kind == EXPR_FIELD &&
		left->class == CLASS_ID && strcmp(left->field->name, "Id") == 0 &&
		orch_sobject_found_by_time(left->relation->object);
}

static void
write_id_times(QueryWriter *writer, const QueryTest *test)
{
	TimestampTz first;
	TimestampTz last;
	Datum	   *values = &test->param->value;
	pg_uuid_t  *ids;
	int			nids = 1;
	int			i;

	if (test->kind == TEST_ANY)
		deconstruct_array(DatumGetArrayTypeP(test->param->value), UUIDOID, UUID_LEN, false,
						  TYPALIGN_CHAR, &values, NULL, &nids);
	ids = palloc(nids * sizeof(pg_uuid_t));
	for (i = 0; i < nids; i++)
		ids[i] = *DatumGetUUIDP(values[i]);
	orch_uuid_time_range(ids, nids, &first, &last);
	write_created_between(writer, test->left->relation,
						  value_param(TIMESTAMPTZOID, TimestampTzGetDatum(first)),
						  value_param(TIMESTAMPTZOID, TimestampTzGetDatum(last)));
}

/*
 * The bounds of CreatedDate that go with ids.
 */
static void
write_created_between(QueryWriter *writer, const QueryRelation *relation, QueryParam *first,
					  QueryParam *last)
{
	appendStringInfo(&writer->sql, " AND x%d.created_date OPERATOR(pg_catalog.>=) ",
					 relation->number);
	write_param(writer, first);
	appendStringInfo(&writer->sql, " AND x%d.created_date OPERATOR(pg_catalog.<=) ",
					 relation->number);
	write_param(writer, last);
}

static void
write_test(QueryWriter *writer, const QueryTest *test)
{
	static const char *const operators[] = {
		[TEST_EQUAL] = "=", [TEST_LESS] = "<", [TEST_GREATER] = ">",
		[TEST_LESS_EQUAL] = "<=", [TEST_GREATER_EQUAL] = ">="
	};
	ListCell   *cell;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	switch (test->kind)
	{
		case TEST_AND:
		case TEST_OR:
			appendStringInfoString(&writer->sql, "(");
			foreach(cell, test->args)
			{
				if (foreach_current_index(cell) > 0)
					appendStringInfoString(&writer->sql,
										   test->kind == TEST_AND ? " AND " : " OR ");
				write_test(writer, (QueryTest *) lfirst(cell));
			}
			appendStringInfoString(&writer->sql, ")");
			break;
		case TEST_NOT:
			appendStringInfoString(&writer->sql, "(");
			write_test(writer, (QueryTest *) linitial(test->args));
			appendStringInfoString(&writer->sql, ") IS NOT TRUE");
			break;
		case TEST_CONSTANT:
			appendStringInfoString(&writer->sql, test->constant ? "TRUE" : "FALSE");
			break;
		case TEST_NULL:
			write_compared(writer, test);
			appendStringInfoString(&writer->sql, " IS NULL");
			break;
		case TEST_EQUAL:
		case TEST_LESS:
		case TEST_GREATER:
		case TEST_LESS_EQUAL:
		case TEST_GREATER_EQUAL:
			write_compared(writer, test);
			appendStringInfo(&writer->sql, " OPERATOR(pg_catalog.%s) ", operators[test->kind]);
			write_param(writer, test->param);
			if (has_id_times(writer, test))
				write_id_times(writer, test);
			break;
		case TEST_ANY:
			write_compared(writer, test);
			appendStringInfoString(&writer->sql, " OPERATOR(pg_catalog.=) ANY (");
			write_param(writer, test->param);
			appendStringInfoString(&writer->sql, ")");
			if (has_id_times(writer, test))
				write_id_times(writer, test);
			break;
		case TEST_RANGE:
			appendStringInfoString(&writer->sql, "(");
			write_compared(writer, test);
			appendStringInfoString(&writer->sql, " OPERATOR(pg_catalog.>=) ");
			write_param(writer, test->param);
			appendStringInfoString(&writer->sql, " AND ");
			write_compared(writer, test);
			appendStringInfoString(&writer->sql, " OPERATOR(pg_catalog.<) ");
			write_param(writer, test->end);
			appendStringInfoString(&writer->sql, ")");
			break;
		case TEST_LIKE:
			write_compared(writer, test);
			appendStringInfoString(&writer->sql, "::pg_catalog.text COLLATE orchestration.unicode"
								   " OPERATOR(pg_catalog.~~*) ");
			write_param(writer, test->param);
			break;
		case TEST_SEMI_JOIN:
		case TEST_ANTI_JOIN:
			write_join(writer, test);
			break;
	}
}

/*
 * An id against a reference to a record of a user, which is a text: both are texts then.
 */
static void
write_join(QueryWriter *writer, const QueryTest *test)
{
	bool		as_text = test->left->class != test->inner_column->class;

	appendStringInfoString(&writer->sql, test->kind == TEST_SEMI_JOIN ? "EXISTS (SELECT FROM " :
						   "NOT EXISTS (SELECT FROM ");
	write_from(writer, test->inner);
	appendStringInfoString(&writer->sql, " WHERE ");
	write_column(writer, test->inner_column);
	if (as_text)
		appendStringInfoString(&writer->sql, "::pg_catalog.text");
	appendStringInfoString(&writer->sql, " OPERATOR(pg_catalog.=) ");
	write_column(writer, test->left);
	if (as_text)
		appendStringInfoString(&writer->sql, "::pg_catalog.text");
	if (test->inner->where != NULL)
	{
		appendStringInfoString(&writer->sql, " AND ");
		write_test(writer, test->inner->where);
	}
	appendStringInfoString(&writer->sql, ")");
}

/*
 * The object's view; with include_deleted also what is known of deleted records.
 */
static void
write_object(QueryWriter *writer, const QuerySelect *select)
{
	const SObject *object = select->object;
	ListCell   *cell;

	if (!select->include_deleted)
	{
		appendStringInfo(&writer->sql, "orchestration.%s", quote_identifier(object->view));
		return;
	}
	/* only fields that are asked for: the caller may be allowed to read no others */
	appendStringInfoString(&writer->sql, "(SELECT 1");
	foreach(cell, select->fields)
		appendStringInfo(&writer->sql, ", v.%s",
						 quote_identifier(((SObjectField *) lfirst(cell))->column));
	appendStringInfo(&writer->sql, " FROM orchestration.%s v UNION ALL SELECT 1",
					 quote_identifier(object->view));
	foreach(cell, select->fields)
	{
		const SObjectField *field = (const SObjectField *) lfirst(cell);

		appendStringInfoString(&writer->sql, ", ");
		if (strcmp(field->name, "Id") == 0)
			appendStringInfoString(&writer->sql, "t.id");
		else if (strcmp(field->name, "IsDeleted") == 0)
			appendStringInfoString(&writer->sql, "TRUE");
		else if (strcmp(field->name, "LastModifiedDate") == 0 ||
				 strcmp(field->name, "SystemModstamp") == 0)
			appendStringInfoString(&writer->sql, "t.deleted_at");
		else
			appendStringInfo(&writer->sql, "NULL::%s",
							 format_type_be_qualified(field->sql_type));
	}
	appendStringInfo(&writer->sql, " FROM orchestration.tombstone t"
					 " WHERE t.object OPERATOR(pg_catalog.=) '%s')", object->name);
}

/*
 * The object and the parents that its paths reach.  A parent is absent where the caller
 * does not see it.
 */
static void
write_from(QueryWriter *writer, const QuerySelect *select)
{
	ListCell   *cell;

	write_object(writer, select);
	appendStringInfo(&writer->sql, " x%d", select->root->number);
	foreach(cell, select->relations)
	{
		QueryRelation *relation = (QueryRelation *) lfirst(cell);
		const char *column;

		if (relation->child == NULL)
			continue;
		column = psprintf("x%d.%s", relation->child->number,
						  quote_identifier(relation->reference->column));
		appendStringInfo(&writer->sql, " LEFT JOIN orchestration.%s x%d ON x%d.id"
						 " OPERATOR(pg_catalog.=) ", quote_identifier(relation->object->view),
						 relation->number, relation->number);
		if (relation->reference->sql_type == UUIDOID)
			appendStringInfoString(&writer->sql, column);
		else
			appendStringInfo(&writer->sql, "CASE WHEN %s OPERATOR(pg_catalog.~) " ID_PATTERN
							 " THEN %s::pg_catalog.uuid END", column, column);
	}
}

static void
write_where(QueryWriter *writer, const QuerySelect *select)
{
	const char *before = " WHERE ";

	if (writer->variant == VARIANT_BY_ID || writer->variant == VARIANT_CHILDREN)
	{
		appendStringInfoString(&writer->sql, before);
		if (writer->variant == VARIANT_BY_ID)
			appendStringInfo(&writer->sql, "x%d.id", select->root->number);
		else
			appendStringInfo(&writer->sql, "x%d.%s", select->root->number,
							 quote_identifier(select->parent_field->column));
		appendStringInfoString(&writer->sql, " OPERATOR(pg_catalog.=) ");
		if (writer->variant == VARIANT_CHILDREN && select->limit >= 0)
			appendStringInfoString(&writer->sql, "p.id");
		else
		{
			appendStringInfoString(&writer->sql, "ANY (");
			write_param(writer, kind_param(PARAM_IDS, UUIDARRAYOID));
			appendStringInfoString(&writer->sql, ")");
		}
		before = " AND ";
		if (writer->variant == VARIANT_BY_ID)
		{
			/* some objects have an index on the time only, and an id begins with its time */
			if (!select->include_deleted && orch_sobject_found_by_time(select->object))
				write_created_between(writer, select->root,
									  kind_param(PARAM_FIRST_TIME, TIMESTAMPTZOID),
									  kind_param(PARAM_LAST_TIME, TIMESTAMPTZOID));
			return;
		}
	}
	if (select->mine)
	{
		appendStringInfo(&writer->sql, "%sx%d.owner_id OPERATOR(pg_catalog.=)"
						 " (SELECT orchestration.acting_user_id())", before,
						 select->root->number);
		before = " AND ";
	}
	if (select->where != NULL)
	{
		appendStringInfoString(&writer->sql, before);
		write_test(writer, select->where);
	}
}

static void
write_group(QueryWriter *writer, const QuerySelect *select)
{
	ListCell   *cell;

	if (select->grouping == SOQL_GROUP_NONE)
		return;
	appendStringInfoString(&writer->sql, " GROUP BY ");
	if (select->grouping != SOQL_GROUP_PLAIN)
		appendStringInfoString(&writer->sql, select->grouping == SOQL_GROUP_ROLLUP ?
							   "ROLLUP (" : "CUBE (");
	foreach(cell, select->group)
	{
		QueryExpr  *expr = (QueryExpr *) lfirst(cell);

		if (foreach_current_index(cell) > 0)
			appendStringInfoString(&writer->sql, ", ");
		write_expr(writer, expr);
		if (expr->class == CLASS_TEXT)
			appendStringInfoString(&writer->sql, FOLDED);
	}
	if (select->grouping != SOQL_GROUP_PLAIN)
		appendStringInfoString(&writer->sql, ")");
	if (select->having != NULL)
	{
		appendStringInfoString(&writer->sql, " HAVING ");
		writer->having = true;
		write_test(writer, select->having);
		writer->having = false;
	}
}

/*
 * A key of ORDER BY.
 */
static void
write_key(QueryWriter *writer, const QueryExpr *expr)
{
	if (is_text_picklist(expr))
		write_position(writer, expr);
	else
		write_expr(writer, expr);
}

/*
 * ORDER BY; alias: of a sub-select whose columns k1, k2, ... are the keys, or NULL.
 */
static void
write_order(QueryWriter *writer, const QuerySelect *select, const char *alias)
{
	ListCell   *cell;

	foreach(cell, select->order)
	{
		QueryOrder *order = (QueryOrder *) lfirst(cell);
		const QueryExpr *expr = order->expr;
		bool		first = foreach_current_index(cell) == 0;

		appendStringInfoString(&writer->sql, alias != NULL || !first ? ", " : " ORDER BY ");
		if (alias != NULL)
			appendStringInfo(&writer->sql, "%s.k%d", alias, foreach_current_index(cell) + 1);
		else
			write_key(writer, expr);
		if (expr->class == CLASS_TEXT && !is_text_picklist(expr))
			appendStringInfoString(&writer->sql, FOLDED);
		if (order->descending)
			appendStringInfoString(&writer->sql, " DESC");
		/* where nothing is null, PostgreSQL's own order, which indexes have */
		if (!select->aggregated && expr->relation->child == NULL && !select->include_deleted &&
			(expr->field->properties & FIELD_NILLABLE) == 0)
			continue;
		appendStringInfoString(&writer->sql, order->nulls_first ? " NULLS FIRST" : " NULLS LAST");
	}
}

static void
write_columns(QueryWriter *writer, const QuerySelect *select)
{
	ListCell   *cell;

	foreach(cell, select->columns)
	{
		QueryExpr  *expr = (QueryExpr *) lfirst(cell);
		QueryExpr  *inner = expr->kind == EXPR_FORMAT ? expr->arg : expr;

		if (foreach_current_index(cell) > 0)
			appendStringInfoString(&writer->sql, ", ");
		write_expr(writer, expr);
		/* the same expression as in GROUP BY */
		if (select->grouping != SOQL_GROUP_NONE && expr == inner && expr->kind == EXPR_FIELD &&
			expr->class == CLASS_TEXT)
			appendStringInfoString(&writer->sql, FOLDED);
	}
}

/*
 * Children of all parents at once.  With a LIMIT, which is meant for each parent, one
 * sub-select a parent.
 */
static void
write_children(QueryWriter *writer, const QuerySelect *select)
{
	ListCell   *cell;

	if (select->limit < 0)
	{
		appendStringInfoString(&writer->sql, "SELECT ");
		write_columns(writer, select);
		appendStringInfoString(&writer->sql, " FROM ");
		write_from(writer, select);
		write_where(writer, select);
		write_order(writer, select, NULL);
		return;
	}
	appendStringInfoString(&writer->sql, "SELECT c.* FROM pg_catalog.unnest(");
	write_param(writer, kind_param(PARAM_IDS, UUIDARRAYOID));
	appendStringInfoString(&writer->sql, ") WITH ORDINALITY AS p (id, n)"
						   " CROSS JOIN LATERAL (SELECT ");
	write_columns(writer, select);
	foreach(cell, select->order)
	{
		appendStringInfoString(&writer->sql, ", ");
		write_key(writer, ((QueryOrder *) lfirst(cell))->expr);
		appendStringInfo(&writer->sql, " AS k%d", foreach_current_index(cell) + 1);
	}
	appendStringInfoString(&writer->sql, " FROM ");
	write_from(writer, select);
	write_where(writer, select);
	write_order(writer, select, NULL);
	appendStringInfoString(&writer->sql, " LIMIT ");
	write_param(writer, value_param(INT8OID, Int64GetDatum(select->limit)));
	if (select->offset > 0)
	{
		appendStringInfoString(&writer->sql, " OFFSET ");
		write_param(writer, value_param(INT8OID, Int64GetDatum(select->offset)));
	}
	appendStringInfoString(&writer->sql, ") c ORDER BY p.n");
	write_order(writer, select, "c");
}

/*
 * PARAM_LIMIT and OFFSET.
 */
static void
write_limit(QueryWriter *writer, const QuerySelect *select)
{
	if (!select->count_only || select->limit >= 0)
	{
		appendStringInfoString(&writer->sql, " LIMIT ");
		write_param(writer, kind_param(PARAM_LIMIT, INT8OID));
	}
	if (select->offset > 0)
	{
		appendStringInfoString(&writer->sql, " OFFSET ");
		write_param(writer, value_param(INT8OID, Int64GetDatum(select->offset)));
	}
}

/*
 * The statement with a sub-select, which comes in the middle, and has the columns that the
 * rest uses.
 */
static void
write_enclosed(QueryWriter *writer, const QuerySelect *select)
{
	StringInfoData end;
	StringInfoData begin;
	ListCell   *cell;

	writer->outside = true;
	if (writer->variant == VARIANT_IDS)
		write_column(writer, (QueryExpr *) list_nth(select->columns, select->record->id_column));
	else
		write_columns(writer, select);
	begin = writer->sql;
	initStringInfo(&writer->sql);
	write_group(writer, select);
	write_order(writer, select, NULL);
	write_limit(writer, select);
	end = writer->sql;

	writer->outside = false;
	writer->sql = begin;
	appendStringInfoString(&writer->sql, " FROM (SELECT ");
	foreach(cell, writer->columns)
	{
		const QueryExpr *expr = (const QueryExpr *) lfirst(cell);

		if (foreach_current_index(cell) > 0)
			appendStringInfoString(&writer->sql, ", ");
		write_column(writer, expr);
		appendStringInfo(&writer->sql, " AS x%d_%s", expr->relation->number,
						 expr->field->column);
	}
	appendStringInfoString(&writer->sql, " FROM ");
	write_from(writer, select);
	write_where(writer, select);
	appendStringInfo(&writer->sql, " OFFSET 0) b%s", end.data);
}

/*
 * A variant of the statement, written at its first use.  It is kept in the context.
 */
QueryStatement *
orch_query_write(QuerySelect *select, QueryVariant variant, bool enclosed,
				 MemoryContext context)
{
	QueryStatement *statement;
	MemoryContext old;
	QueryWriter writer;
	ListCell   *cell;

	/* rows that are counted have no order */
	enclosed = enclosed && !select->count_only;
	statement = enclosed ? &select->enclosed[variant] : &select->statements[variant];
	if (statement->sql != NULL)
		return statement;
	old = MemoryContextSwitchTo(context);
	memset(&writer, 0, sizeof(writer));
	initStringInfo(&writer.sql);
	writer.variant = variant;
	writer.include_deleted = select->include_deleted;
	if (variant == VARIANT_CHILDREN)
		write_children(&writer, select);
	else
	{
		appendStringInfoString(&writer.sql, "SELECT ");
		if (enclosed)
			write_enclosed(&writer, select);
		else
		{
			if (select->count_only)
				appendStringInfoString(&writer.sql, "pg_catalog.count(*) FROM (SELECT");
			else if (variant == VARIANT_IDS)
				appendStringInfo(&writer.sql, "x%d.id", select->root->number);
			else
				write_columns(&writer, select);
			appendStringInfoString(&writer.sql, " FROM ");
			write_from(&writer, select);
			write_where(&writer, select);
			write_group(&writer, select);
			if (variant == VARIANT_ROWS || variant == VARIANT_IDS)
			{
				write_order(&writer, select, NULL);
				write_limit(&writer, select);
			}
			if (select->count_only)
				appendStringInfoString(&writer.sql, ") c");
		}
	}
	statement->nparams = list_length(writer.params);
	statement->params = palloc(Max(statement->nparams, 1) * sizeof(QueryParam *));
	foreach(cell, writer.params)
		statement->params[foreach_current_index(cell)] = (QueryParam *) lfirst(cell);
	statement->sql = writer.sql.data;
	MemoryContextSwitchTo(old);
	return statement;
}
