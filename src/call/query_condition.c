/*-------------------------------------------------------------------------
 *
 * query_condition.c
 *	  The second pass over a SOQL query: WHERE and HAVING.
 *
 * Literals are converted to the type of their field here, once: what reaches SQL is a
 * parameter of that type, so that conditions can use indexes.  SOQL has two truth values:
 * a comparison with a field that is null is false, and its negation true.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_condition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/uuid.h"
#include "call/query_int.h"

static QueryTest *new_test(QueryTestKind kind);
static QueryTest *constant_test(bool value);
static QueryTest *negate(QueryTest *test);
static QueryParam *new_param(Oid type, Datum value);
static QueryTest *null_test(QueryExpr *left);
static QueryTest *either_test(List *tests);
static QueryTest *value_test(QueryExpr *left, SoqlOperator op, Oid type, Datum value);
static void wrong_type(QueryScope *scope, const SoqlLiteral *literal, const QueryExpr *left,
					   const char *expected);
static void wrong_operator(QueryScope *scope, const SoqlCondition *condition,
						   const QueryExpr *left);
static bool literal_value(QueryScope *scope, const SoqlLiteral *literal, const QueryExpr *left,
						  Oid *type, Datum *value);
static QueryTest *time_test(QueryScope *scope, const SoqlCondition *condition,
							QueryExpr *left, SoqlOperator op, const SoqlLiteral *literal);
static QueryTest *date_test(QueryScope *scope, QueryExpr *left, SoqlOperator op,
							const SoqlLiteral *literal);
static QueryTest *like_test(QueryScope *scope, const SoqlCondition *condition,
							QueryExpr *left);
static QueryTest *in_test(QueryScope *scope, const SoqlCondition *condition, QueryExpr *left);
static QuerySelect *resolve_inner(QueryScope *outer, const SoqlQuery *tree);
static QueryTest *join_test(QueryScope *scope, const SoqlCondition *condition,
							QueryExpr *left);
static QueryTest *compare_test(QueryScope *scope, const SoqlCondition *condition,
							   QueryExpr *left);
static QueryTest *compare_literal(QueryScope *scope, const SoqlCondition *condition,
								  QueryExpr *left, SoqlOperator op,
								  const SoqlLiteral *literal);
static QueryExpr *left_side(QueryScope *scope, const SoqlCondition *condition, bool having);
static QueryTest *resolve_condition(QueryScope *scope, const SoqlCondition *condition,
								   bool having, bool joins_allowed, int depth);

static QueryTest *
new_test(QueryTestKind kind)
{
	QueryTest  *test = palloc0(sizeof(QueryTest));

	test->kind = kind;
	return test;
}

static QueryTest *
constant_test(bool value)
{
	QueryTest  *test = new_test(TEST_CONSTANT);

	test->constant = value;
	return test;
}

static QueryTest *
negate(QueryTest *test)
{
	QueryTest  *result = new_test(TEST_NOT);

	result->args = list_make1(test);
	return result;
}

static QueryParam *
new_param(Oid type, Datum value)
{
	QueryParam *param = palloc0(sizeof(QueryParam));

	param->kind = PARAM_VALUE;
	param->type = type;
	param->value = value;
	return param;
}

static QueryTest *
null_test(QueryExpr *left)
{
	QueryTest  *test = new_test(TEST_NULL);

	test->left = left;
	return test;
}

static QueryTest *
either_test(List *tests)
{
	QueryTest  *test = new_test(TEST_OR);

	test->args = tests;
	return test;
}

/*
 * A comparison with one value.
 */
static QueryTest *
value_test(QueryExpr *left, SoqlOperator op, Oid type, Datum value)
{
	static const QueryTestKind kinds[] = {
		[SOQL_EQ] = TEST_EQUAL, [SOQL_NE] = TEST_EQUAL, [SOQL_LT] = TEST_LESS,
		[SOQL_GT] = TEST_GREATER, [SOQL_LE] = TEST_LESS_EQUAL, [SOQL_GE] = TEST_GREATER_EQUAL
	};
	QueryTest  *test = new_test(kinds[op]);

	test->left = left;
	test->as_numeric = type == NUMERICOID;
	test->param = new_param(type, value);
	return op == SOQL_NE ? negate(test) : test;
}

static void
wrong_type(QueryScope *scope, const SoqlLiteral *literal, const QueryExpr *left,
		   const char *expected)
{
	orch_query_error(scope->resolver->text, literal->location, ERRCODE_ORCH_INVALID_FIELD,
					 "INVALID_FIELD",
					 "value of filter criterion for field '%s' must be of type %s and should %sbe enclosed in quotes",
					 left->name, expected,
					 strcmp(expected, "string") == 0 || strcmp(expected, "ID") == 0 ? "" : "not ");
}

static void
wrong_operator(QueryScope *scope, const SoqlCondition *condition, const QueryExpr *left)
{
	orch_query_error(scope->resolver->text, condition->op_location,
					 ERRCODE_ORCH_FILTER_OPERATOR, "INVALID_QUERY_FILTER_OPERATOR",
					 "invalid operator for field '%s'", left->name);
}

/*
 * The field whose picklist the left side has, or NULL.
 */
static const SObjectField *
picklist_field(const QueryExpr *left)
{
	const SObjectField *field = left->kind == EXPR_AGGREGATE ? left->arg->field : left->field;

	return field != NULL && field->type == FIELD_PICKLIST && field->nvalues > 0 ? field : NULL;
}

/*
 * Does a text mean a label?  In any case of letters, and without the spaces: so
 * AsynchronousBackgroundStep is understood, whose value the reference misspells.
 */
static bool
is_label(const char *label, const char *text)
{
	for (;; label++, text++)
	{
		if (*label == ' ' && *text != ' ')
			label++;
		if (pg_tolower((unsigned char) *label) != pg_tolower((unsigned char) *text))
			return false;
		if (*label == '\0')
			return true;
	}
}

/*
 * The value of a picklist that a text means, by value or label; or NULL.
 */
static const char *
picklist_value(const SObjectField *field, const char *text)
{
	int			i;

	for (i = 0; i < field->nvalues; i++)
		if (pg_strcasecmp(field->values[i], text) == 0)
			return field->values[i];
	for (i = 0; i < field->nvalues; i++)
		if (is_label(field->value_labels[i], text))
			return field->values[i];
	return NULL;
}

static Datum
enum_datum(Oid type, const char *value)
{
	Oid			input;
	Oid			param;

	getTypeInputInfo(type, &input, &param);
	return OidInputFunctionCall(input, unconstify(char *, value), param, -1);
}

/*
 * A literal as a value of the type of the left side; false: no value of that type can be
 * equal to it.
 */
static bool
literal_value(QueryScope *scope, const SoqlLiteral *literal, const QueryExpr *left, Oid *type,
			  Datum *value)
{
	pg_uuid_t	id;
	const SObjectField *picklist = picklist_field(left);
	const char *known = picklist == NULL || literal->kind != SOQL_STRING ? NULL :
		picklist_value(picklist, literal->text);

	if (literal->kind == SOQL_STRING && literal->escaped_wildcard)
		orch_query_malformed(scope->resolver, literal->escape_location,
							 "The escapes \\_ and \\%% are allowed with LIKE only.");
	switch (left->class)
	{
		case CLASS_ID:
			if (literal->kind != SOQL_STRING)
				wrong_type(scope, literal, left, "ID");
			if (!orch_uuid_parse(literal->text, &id))
				orch_query_error(scope->resolver->text, literal->location,
								 ERRCODE_ORCH_FILTER_OPERATOR, "INVALID_QUERY_FILTER_OPERATOR",
								 "invalid ID field: %s", literal->text);
			*type = UUIDOID;
			*value = UUIDPGetDatum(memcpy(palloc(sizeof(pg_uuid_t)), &id, sizeof(pg_uuid_t)));
			break;
		case CLASS_EXACT:
		case CLASS_TEXT:
			if (literal->kind != SOQL_STRING)
				wrong_type(scope, literal, left, "string");
			*type = TEXTOID;
			*value = CStringGetTextDatum(known != NULL ? known : literal->text);
			break;
		case CLASS_PICKLIST:
			if (literal->kind != SOQL_STRING)
				wrong_type(scope, literal, left, "string");
			if (known == NULL)
				return false;
			*type = left->type;
			*value = enum_datum(left->type, known);
			break;
		case CLASS_BOOLEAN:
			if (literal->kind != SOQL_BOOLEAN)
				wrong_type(scope, literal, left, "boolean");
			*type = BOOLOID;
			*value = BoolGetDatum(literal->boolean);
			break;
		case CLASS_NUMBER:
			if (literal->kind != SOQL_NUMBER)
				wrong_type(scope, literal, left, "double");
			*type = NUMERICOID;
			*value = DirectFunctionCall3(numeric_in, CStringGetDatum(literal->text),
										 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
			break;
		case CLASS_TIME:
		case CLASS_DATE:
			elog(ERROR, "a time is not compared by value");
	}
	return true;
}

/*
 * A comparison with a dateTime.  Clients know times to the millisecond, so a dateTime means
 * its whole millisecond; a date literal means its days.
 */
static QueryTest *
time_test(QueryScope *scope, const SoqlCondition *condition, QueryExpr *left, SoqlOperator op,
		  const SoqlLiteral *literal)
{
	QueryTest  *test;
	QueryParam *start = new_param(TIMESTAMPTZOID, (Datum) 0);
	QueryParam *end = new_param(TIMESTAMPTZOID, (Datum) 0);

	if (literal->kind == SOQL_DATE_LITERAL)
	{
		if (!orch_query_date_literal(literal, start, end))
			orch_query_malformed(scope->resolver, literal->location,
								 "unknown date literal: %s", literal->text);
	}
	else if (literal->kind == SOQL_DATETIME)
	{
		TimestampTz time =
			DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
													CStringGetDatum(literal->text),
													ObjectIdGetDatum(InvalidOid),
													Int32GetDatum(-1)));

		start->value = TimestampTzGetDatum(time);
		end->value = TimestampTzGetDatum(time + 1000);
	}
	else
		wrong_type(scope, literal, left, "dateTime");

	switch (op)
	{
		case SOQL_EQ:
		case SOQL_NE:
			test = new_test(TEST_RANGE);
			test->param = start;
			test->end = end;
			break;
		case SOQL_LT:
			test = new_test(TEST_LESS);
			test->param = start;
			break;
		case SOQL_GE:
			test = new_test(TEST_GREATER_EQUAL);
			test->param = start;
			break;
		case SOQL_GT:
			test = new_test(TEST_GREATER_EQUAL);
			test->param = end;
			break;
		case SOQL_LE:
			test = new_test(TEST_LESS);
			test->param = end;
			break;
		default:
			wrong_operator(scope, condition, left);
			return NULL;
	}
	test->left = left;
	return op == SOQL_NE ? negate(test) : test;
}

/*
 * DAY_ONLY() against a date.
 */
static QueryTest *
date_test(QueryScope *scope, QueryExpr *left, SoqlOperator op, const SoqlLiteral *literal)
{
	int			year;
	int			month;
	int			day;

	if (literal->kind != SOQL_DATE ||
		sscanf(literal->text, "%d-%d-%d", &year, &month, &day) != 3)
		wrong_type(scope, literal, left, "date");
	return value_test(left, op, DATEOID,
					  DateADTGetDatum(date2j(year, month, day) - POSTGRES_EPOCH_JDATE));
}

/*
 * = ANY (values).
 */
static QueryTest *
any_test(QueryExpr *left, Oid type, Datum *values, int nvalues)
{
	QueryTest  *test = new_test(TEST_ANY);
	int16		length;
	bool		byval;
	char		align;

	get_typlenbyvalalign(type, &length, &byval, &align);
	test->left = left;
	test->as_numeric = type == NUMERICOID;
	test->param = new_param(get_array_type(type),
							PointerGetDatum(construct_array(values, nvalues, type, length,
															byval, align)));
	return test;
}

static bool
is_like(const char *text, Datum pattern)
{
	return DatumGetBool(DirectFunctionCall2Coll(texticlike, C_COLLATION_OID,
												CStringGetTextDatum(text), pattern));
}

/*
 * LIKE finds a value of a picklist by its label, too.
 */
static QueryTest *
like_test(QueryScope *scope, const SoqlCondition *condition, QueryExpr *left)
{
	const SObjectField *picklist = picklist_field(left);
	Datum	   *values;
	int			nvalues = 0;
	int			i;
	SoqlLiteral *literal = (SoqlLiteral *) linitial(condition->literals);
	QueryTest  *test = new_test(TEST_LIKE);

	if (left->class != CLASS_TEXT && left->class != CLASS_PICKLIST)
		wrong_operator(scope, condition, left);
	if (literal->kind == SOQL_NULL)
		wrong_operator(scope, condition, left);
	if (literal->kind != SOQL_STRING)
		wrong_type(scope, literal, left, "string");
	test->left = left;
	test->param = new_param(TEXTOID, CStringGetTextDatum(literal->like_text));
	if (picklist == NULL)
		return test;
	values = palloc(picklist->nvalues * sizeof(Datum));
	for (i = 0; i < picklist->nvalues; i++)
		if (is_like(picklist->value_labels[i], test->param->value) &&
			!is_like(picklist->values[i], test->param->value))
			values[nvalues++] = left->class == CLASS_PICKLIST ?
				enum_datum(left->type, picklist->values[i]) :
				CStringGetTextDatum(picklist->values[i]);
	if (nvalues == 0)
		return test;
	return either_test(list_make2(test, any_test(left, left->class == CLASS_PICKLIST ?
												 left->type : TEXTOID, values, nvalues)));
}

/*
 * Is the literal a text without characters?  The platform knows no such value: it stores
 * null instead, and finds null by '' too.
 */
static bool
is_blank(const SoqlLiteral *literal, const QueryExpr *left)
{
	return literal->kind == SOQL_STRING && literal->text[0] == '\0' &&
		(left->class == CLASS_TEXT || left->class == CLASS_EXACT ||
		 left->class == CLASS_PICKLIST);
}

static QueryTest *
blank_test(QueryExpr *left)
{
	if (left->class == CLASS_PICKLIST)
		return null_test(left);
	return either_test(list_make2(null_test(left),
								  value_test(left, SOQL_EQ, TEXTOID, CStringGetTextDatum(""))));
}

/*
 * IN (values): one array, so that a long list costs one parameter.
 */
static QueryTest *
in_test(QueryScope *scope, const SoqlCondition *condition, QueryExpr *left)
{
	int			nvalues = 0;
	Datum	   *values = palloc(list_length(condition->literals) * sizeof(Datum));
	Oid			type = InvalidOid;
	bool		with_null = false;
	QueryTest  *test;
	List	   *tests = NIL;
	ListCell   *cell;

	foreach(cell, condition->literals)
	{
		SoqlLiteral *literal = (SoqlLiteral *) lfirst(cell);
		Oid			this_type = InvalidOid;

		CHECK_FOR_INTERRUPTS();
		if (literal->kind == SOQL_NULL && left->class != CLASS_BOOLEAN)
		{
			with_null = true;
			continue;
		}
		if (is_blank(literal, left))
			with_null = true;
		if (left->class == CLASS_TIME || left->class == CLASS_DATE ||
			left->class == CLASS_BOOLEAN)
			tests = lappend(tests, compare_literal(scope, condition, left, SOQL_EQ, literal));
		else if (literal_value(scope, literal, left, &this_type, &values[nvalues]))
		{
			type = this_type;
			nvalues++;
		}
	}
	if (nvalues > 0)
		tests = lappend(tests, any_test(left, type, values, nvalues));
	if (with_null)
		tests = lappend(tests, null_test(left));
	if (tests == NIL)
		test = constant_test(false);
	else if (list_length(tests) == 1)
		test = (QueryTest *) linitial(tests);
	else
		test = either_test(tests);
	return condition->op == SOQL_NOT_IN ? negate(test) : test;
}

/*
 * (SELECT field FROM object WHERE ...) within IN.
 */
static QuerySelect *
resolve_inner(QueryScope *outer, const SoqlQuery *tree)
{
	QueryResolver *resolver = outer->resolver;
	SoqlFrom   *from = (SoqlFrom *) linitial(tree->from);
	SoqlItem   *item = (SoqlItem *) linitial(tree->items);
	QuerySelect *select = palloc0(sizeof(QuerySelect));
	QueryScope	scope;
	QueryExpr  *column;

	memset(&scope, 0, sizeof(scope));
	scope.resolver = resolver;
	scope.select = select;
	scope.inner = true;
	select->object = orch_query_object(resolver, (char *) llast(from->names), from->location);
	if (select->object == outer->select->object)
		orch_query_malformed(resolver, from->location,
							 "The inner and outer selects should not be on the same object type");
	if (tree->order != NIL || tree->limit >= 0 || tree->offset >= 0 || tree->scope != NULL ||
		tree->grouping != SOQL_GROUP_NONE || tree->mark != SOQL_FOR_NOTHING)
		orch_query_malformed(resolver, tree->location,
							 "A semi-join sub-query has SELECT, FROM and WHERE only.");
	if (list_length(tree->items) != 1 || item->kind != SOQL_ITEM_EXPR || item->alias != NULL ||
		item->expr->function != NULL)
		orch_query_malformed(resolver, tree->location,
							 "semi join sub-selects must select exactly one field of type Id or reference");
	orch_query_root(&scope, tree);
	if (list_length(item->expr->names) != 1)
		orch_query_malformed(resolver, item->location,
							 "The field of a semi-join sub-query must not be a path.");
	column = orch_query_path_expr(&scope, item->expr);
	if (column->field->type != FIELD_ID && column->field->type != FIELD_REFERENCE)
		orch_query_malformed(resolver, item->location,
							 "Entity %s, field %s: semi joins need fields of type Id or reference.",
							 select->object->name, column->field->name);
	select->columns = list_make1(column);
	if (tree->where != NULL)
		select->where = orch_query_where(&scope, tree->where, false);
	return select;
}

/*
 * IN (SELECT ...).
 */
static QueryTest *
join_test(QueryScope *scope, const SoqlCondition *condition, QueryExpr *left)
{
	QueryTest  *test = new_test(condition->op == SOQL_IN ? TEST_SEMI_JOIN : TEST_ANTI_JOIN);
	QueryResolver *resolver = scope->resolver;

	if (scope->inner)
		orch_query_malformed(resolver, condition->op_location,
							 "Nesting of semi join sub-selects is not supported");
	if (++scope->nsemi_joins > QUERY_MAX_SEMI_JOINS)
		orch_query_malformed(resolver, condition->op_location,
							 "A WHERE clause has at most %d semi-joins.", QUERY_MAX_SEMI_JOINS);
	if (left->kind != EXPR_FIELD ||
		(left->field->type != FIELD_ID && left->field->type != FIELD_REFERENCE))
		orch_query_malformed(resolver, condition->location,
							 "semi join needs a field of type Id or reference on its left side; %s is none",
							 left->name);
	if (left->relation->child != NULL)
		orch_query_malformed(resolver, condition->location,
							 "The left side of a semi-join must not be a path.");
	test->left = left;
	test->inner = resolve_inner(scope, condition->subquery);
	test->inner_column = (QueryExpr *) linitial(test->inner->columns);
	return test;
}

static QueryTest *
compare_literal(QueryScope *scope, const SoqlCondition *condition, QueryExpr *left,
				SoqlOperator op, const SoqlLiteral *literal)
{
	QueryTest  *test;
	Oid			type;
	Datum		value;

	if ((op == SOQL_EQ || op == SOQL_NE) && is_blank(literal, left))
	{
		test = blank_test(left);
		return op == SOQL_NE ? negate(test) : test;
	}
	if ((literal->kind == SOQL_NULL || left->class == CLASS_BOOLEAN) &&
		op != SOQL_EQ && op != SOQL_NE)
		wrong_operator(scope, condition, left);
	/* a boolean that is null counts as false */
	if (left->class == CLASS_BOOLEAN && (literal->kind == SOQL_NULL ||
										 (literal->kind == SOQL_BOOLEAN && !literal->boolean)))
		return value_test(left, op == SOQL_EQ ? SOQL_NE : SOQL_EQ, BOOLOID,
						  BoolGetDatum(true));
	if (literal->kind == SOQL_NULL)
		return op == SOQL_NE ? negate(null_test(left)) : null_test(left);
	if (left->class == CLASS_TIME)
		return time_test(scope, condition, left, op, literal);
	if (left->class == CLASS_DATE)
		return date_test(scope, left, op, literal);
	if (!literal_value(scope, literal, left, &type, &value))
		return constant_test(op == SOQL_NE);
	/* an integer can be compared without a cast of the column */
	if (type == NUMERICOID && strlen(literal->text) < 19 &&
		strspn(literal->text, "+-0123456789") == strlen(literal->text))
	{
		type = INT8OID;
		value = Int64GetDatum(strtoi64(literal->text, NULL, 10));
	}
	return value_test(left, op, type, value);
}

static QueryTest *
compare_test(QueryScope *scope, const SoqlCondition *condition, QueryExpr *left)
{
	if (condition->op == SOQL_LIKE)
		return like_test(scope, condition, left);
	if (condition->subquery != NULL)
		return join_test(scope, condition, left);
	if (condition->op == SOQL_IN || condition->op == SOQL_NOT_IN)
		return in_test(scope, condition, left);
	return compare_literal(scope, condition, left, condition->op,
						   (SoqlLiteral *) linitial(condition->literals));
}

/*
 * What is compared: in WHERE a field that can be filtered or a part of a date, in HAVING an
 * aggregate or what is grouped.
 */
static QueryExpr *
left_side(QueryScope *scope, const SoqlCondition *condition, bool having)
{
	QueryResolver *resolver = scope->resolver;
	QueryExpr  *left = orch_query_expr(scope, condition->left);
	ListCell   *cell;

	if (left->kind == EXPR_FORMAT)
		orch_query_malformed(resolver, left->location,
							 "The function FORMAT is allowed in SELECT only.");
	if (!having)
	{
		if (left->kind != EXPR_FIELD && left->kind != EXPR_DATE)
			orch_query_malformed(resolver, left->location,
								 "Aggregates are not allowed in WHERE; use HAVING: %s",
								 left->name);
		if (left->kind == EXPR_FIELD && (left->field->properties & FIELD_FILTER) == 0)
			orch_query_error(resolver->text, left->location, ERRCODE_ORCH_INVALID_FIELD,
							 "INVALID_FIELD", "field '%s' can not be filtered in a query call",
							 orch_query_name(condition->left));
		return left;
	}
	if (left->kind == EXPR_COUNT_ALL)
		orch_query_malformed(resolver, left->location,
							 "COUNT() is not allowed in HAVING; use COUNT(Id).");
	if (left->kind == EXPR_AGGREGATE)
		return left;
	foreach(cell, scope->select->group)
		if (orch_query_equal((QueryExpr *) lfirst(cell),
							 left->kind == EXPR_GROUPING ? left->arg : left))
			return left;
	orch_query_malformed(resolver, left->location,
						 "Field must be grouped or aggregated: %s",
						 orch_query_name(condition->left));
	return NULL;				/* keep the compiler quiet */
}

/*
 * AND and OR within each other are bounded, because the server's own passes over SQL recurse.
 * What changes nothing does not count: parentheses, AND within AND, OR within OR, and NOT (NOT ...).
 * A semi-join may stand in a chain of AND only.
 */
static QueryTest *
resolve_condition(QueryScope *scope, const SoqlCondition *condition, bool having,
				  bool joins_allowed, int depth)
{
	SoqlConditionKind kind;
	QueryTest  *test;
	List	   *open_ones;
	bool		negated = false;

	check_stack_depth();
	if (depth > QUERY_MAX_DEPTH)
		orch_query_malformed(scope->resolver, condition->location,
							 "Conditions are nested more than %d deep.", QUERY_MAX_DEPTH);
	for (; condition->kind == SOQL_NOT;
		 condition = (SoqlCondition *) linitial(condition->args))
	{
		negated = !negated;
		joins_allowed = false;
	}
	kind = condition->kind;
	if (kind == SOQL_COMPARE)
	{
		if (condition->subquery != NULL && !joins_allowed)
			orch_query_malformed(scope->resolver, condition->location,
								 "Semi join sub-selects are not allowed with the 'OR' and 'NOT' operators and in HAVING");
		test = compare_test(scope, condition, left_side(scope, condition, having));
		return negated ? negate(test) : test;
	}
	test = new_test(kind == SOQL_AND ? TEST_AND : TEST_OR);
	open_ones = list_make1((void *) condition);
	while (open_ones != NIL)
	{
		int			i;

		CHECK_FOR_INTERRUPTS();
		condition = (SoqlCondition *) llast(open_ones);
		open_ones = list_delete_last(open_ones);
		if (condition->kind == kind)
			for (i = list_length(condition->args) - 1; i >= 0; i--)
				open_ones = lappend(open_ones, list_nth(condition->args, i));
		else
			test->args = lappend(test->args,
								 resolve_condition(scope, condition, having,
												   joins_allowed && kind == SOQL_AND, depth + 1));
	}
	return negated ? negate(test) : test;
}

QueryTest *
orch_query_where(QueryScope *scope, const SoqlCondition *condition, bool having)
{
	return resolve_condition(scope, condition, having, !having, 0);
}
