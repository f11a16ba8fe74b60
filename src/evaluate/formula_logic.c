/*-------------------------------------------------------------------------
 *
 * formula_logic.c
 *	  Functions and operators of formulas: logic, comparisons, records.
 *
 * Null counts as false.  An order with null is false.  Null equals null, and where one side
 * is a text null is the empty text.  Dates, and dates with times, compare as points in time
 * if one side is declared as one; times of day likewise.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_logic.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/errors.h"
#include "evaluate/document.h"
#include "evaluate/formula_argument.h"
#include "evaluate/formula_logic.h"

/* ------------------------------------------------------------------ logic */

static JsonbValue *
formula_and(EvalContext *cxt, const FormulaNode *node)
{
	int			i;

	for (i = 0; i < node->nargs; i++)
		if (!orch_formula_true_argument(cxt, node, i))
			return orch_formula_boolean_value(false);
	return orch_formula_boolean_value(true);
}

static JsonbValue *
formula_or(EvalContext *cxt, const FormulaNode *node)
{
	int			i;

	for (i = 0; i < node->nargs; i++)
		if (orch_formula_true_argument(cxt, node, i))
			return orch_formula_boolean_value(true);
	return orch_formula_boolean_value(false);
}

static JsonbValue *
formula_not(EvalContext *cxt, const FormulaNode *node)
{
	return orch_formula_boolean_value(!orch_formula_true_argument(cxt, node, 0));
}

static JsonbValue *
formula_if(EvalContext *cxt, const FormulaNode *node)
{
	return orch_formula_argument(cxt, node, orch_formula_true_argument(cxt, node, 0) ? 1 : 2);
}

static JsonbValue *
formula_true(EvalContext *cxt, const FormulaNode *node)
{
	return orch_formula_boolean_value(node->function->name[0] == 'T');
}

static JsonbValue *
formula_is_blank(EvalContext *cxt, const FormulaNode *node)
{
	return orch_formula_boolean_value(orch_formula_is_blank(orch_formula_argument(cxt, node, 0)));
}

static JsonbValue *
formula_blank_value(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);

	return orch_formula_is_blank(value) ? orch_formula_argument(cxt, node, 1) : value;
}

/* ISNULL: a text is never null, whereas ISBLANK sees that it is empty. */
static JsonbValue *
formula_is_null(EvalContext *cxt, const FormulaNode *node)
{
	return orch_formula_boolean_value(orch_formula_argument(cxt, node, 0) == NULL &&
									  node->args[0]->type != VALUE_TEXT);
}

/* NULLVALUE likewise */
static JsonbValue *
formula_null_value(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);

	return value == NULL && node->args[0]->type != VALUE_TEXT ?
		orch_formula_argument(cxt, node, 1) : value;
}

static JsonbValue *
formula_is_number(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	Numeric		number;

	return orch_formula_boolean_value(value != NULL &&
									  (value->type == jbvNumeric ||
									   (value->type == jbvString &&
										orch_document_number(pnstrdup(value->val.string.val,
																	  value->val.string.len), &number))));
}

static JsonbValue *
formula_is_pick_value(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	JsonbValue *wanted = orch_formula_argument(cxt, node, 1);

	return orch_formula_boolean_value((orch_formula_is_blank(value) && orch_formula_is_blank(wanted)) ||
									  orch_condition_same_value(value, wanted));
}

/* ------------------------------------------------------------- comparisons */

/* A value as a point in time, beside one that is declared as one. */
static Timestamp
point_in_time(const FormulaNode *node, int n, JsonbValue *value)
{
	Timestamp	result;

	if (value->type != jbvString ||
		!orch_condition_datetime(value->val.string.val, value->val.string.len, &result))
		orch_formula_wrong_argument(node, n, value, "a date or date and time");
	return result;
}

/* A value as a time of day, beside one that is declared as one. */
static int64
time_of_day(const FormulaNode *node, int n, JsonbValue *value)
{
	int64		result;

	if (value->type != jbvString ||
		!orch_condition_time_of_day(value->val.string.val, value->val.string.len, &result))
		orch_formula_wrong_argument(node, n, value, "a time of day");
	return result;
}

/*
 * The order of two values that are not null, those of arguments m and n.  equality: only
 * whether they are equal is asked.
 */
static int
compare(const FormulaNode *node, int m, JsonbValue *left, int n, JsonbValue *right,
		bool equality)
{
	ValueType	left_type = node->args[m]->type;
	ValueType	right_type = node->args[n]->type;

	if (left->type == jbvNumeric && right->type == jbvNumeric)
		return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
												 NumericGetDatum(left->val.numeric),
												 NumericGetDatum(right->val.numeric)));
	if (left->type == jbvBool && right->type == jbvBool && equality)
		return (int) left->val.boolean - (int) right->val.boolean;
	if (left->type != jbvString || right->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot compare %s with %s in a formula",
						orch_condition_type_name(left), orch_condition_type_name(right)),
				 errhint("%s does not apply to these types: TEXT() and VALUE() convert.",
						 node->function->name)));
	if (orch_condition_is_date(left_type) || orch_condition_is_date(right_type))
	{
		Timestamp	left_time = point_in_time(node, m, left);
		Timestamp	right_time = point_in_time(node, n, right);

		return left_time < right_time ? -1 : left_time > right_time;
	}
	if (left_type == VALUE_TIME || right_type == VALUE_TIME)
	{
		int64		left_time = time_of_day(node, m, left);
		int64		right_time = time_of_day(node, n, right);

		return left_time < right_time ? -1 : left_time > right_time;
	}
	return orch_condition_compare_bytes(left, right);
}

static JsonbValue *
formula_compare(EvalContext *cxt, const FormulaNode *node)
{
	const char *op = node->function->name;
	JsonbValue *left = orch_formula_argument(cxt, node, 0);
	JsonbValue *right = orch_formula_argument(cxt, node, 1);
	bool		equality = strcmp(op, "=") == 0 || strcmp(op, "<>") == 0;
	int			result;

	if (left == NULL || right == NULL)
	{
		if (!equality)
			return orch_formula_boolean_value(false);
		return orch_formula_boolean_value((orch_formula_is_blank(left) && orch_formula_is_blank(right)) ==
										  (op[0] == '='));
	}
	result = compare(node, 0, left, 1, right, equality);
	if (equality)
		return orch_formula_boolean_value((result == 0) == (op[0] == '='));
	if (op[0] == '<')
		return orch_formula_boolean_value(op[1] == '=' ? result <= 0 : result < 0);
	return orch_formula_boolean_value(op[1] == '=' ? result >= 0 : result > 0);
}

/*
 * CASE(expression, value, result, ..., else).  Null is the empty text beside a text, and
 * equals nothing else.
 */
static JsonbValue *
formula_case(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	int			i;

	for (i = 1; i + 1 < node->nargs; i += 2)
	{
		JsonbValue *candidate = orch_formula_argument(cxt, node, i);
		bool		same;

		if (value == NULL || candidate == NULL)
			same = orch_formula_is_blank(value) && orch_formula_is_blank(candidate) &&
				(value != NULL || candidate != NULL || node->args[0]->type == VALUE_TEXT ||
				 node->args[i]->type == VALUE_TEXT);
		else
			same = compare(node, 0, value, i, candidate, true) == 0;
		if (same)
			return orch_formula_argument(cxt, node, i + 1);
	}
	return orch_formula_argument(cxt, node, node->nargs - 1);
}

/* ---------------------------------------------------------------- records */

/* Of a new record it is the present value. */
static JsonbValue *
formula_prior_value(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *prior = orch_condition_prior_value(cxt, node->args[0]->operand);

	return prior == NULL && orch_condition_is_new(cxt) ?
		orch_formula_argument(cxt, node, 0) : prior;
}

static JsonbValue *
formula_is_changed(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *prior = orch_condition_prior_value(cxt, node->args[0]->operand);
	JsonbValue *value = orch_formula_argument(cxt, node, 0);

	return orch_formula_boolean_value(orch_condition_is_changed(cxt, value, prior));
}

static JsonbValue *
formula_is_new(EvalContext *cxt, const FormulaNode *node)
{
	return orch_formula_boolean_value(orch_condition_is_new(cxt));
}

/* A row of a table does not say whether it is a copy of another. */
static JsonbValue *
formula_is_clone(EvalContext *cxt, const FormulaNode *node)
{
	return orch_formula_boolean_value(false);
}

const FormulaFunction orch_formula_logic_functions[] = {
	/* operators first; a formula cannot call them by these names */
	{"=", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{"<>", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{"<", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{">", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{"<=", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{">=", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},

	{"AND", 1, -1, "b", VALUE_BOOLEAN, -1, formula_and},
	{"BLANKVALUE", 2, 2, "a", VALUE_UNKNOWN, 1, formula_blank_value},
	{"CASE", 4, -1, "a", VALUE_UNKNOWN, 2, formula_case},
	{"FALSE", 0, 0, "a", VALUE_BOOLEAN, -1, formula_true},
	{"IF", 3, 3, "baa", VALUE_UNKNOWN, 1, formula_if},
	{"ISBLANK", 1, 1, "a", VALUE_BOOLEAN, -1, formula_is_blank},
	{"ISCHANGED", 1, 1, "a", VALUE_BOOLEAN, -1, formula_is_changed, true},
	{"ISCLONE", 0, 0, "a", VALUE_BOOLEAN, -1, formula_is_clone},
	{"ISNEW", 0, 0, "a", VALUE_BOOLEAN, -1, formula_is_new, true},
	{"ISNULL", 1, 1, "a", VALUE_BOOLEAN, -1, formula_is_null},
	{"ISNUMBER", 1, 1, "a", VALUE_BOOLEAN, -1, formula_is_number},
	{"ISPICKVAL", 2, 2, "a", VALUE_BOOLEAN, -1, formula_is_pick_value},
	{"NOT", 1, 1, "b", VALUE_BOOLEAN, -1, formula_not},
	{"NULLVALUE", 2, 2, "a", VALUE_UNKNOWN, 1, formula_null_value},
	{"OR", 1, -1, "b", VALUE_BOOLEAN, -1, formula_or},
	{"PRIORVALUE", 1, 1, "a", VALUE_UNKNOWN, 0, formula_prior_value, true},
	{"TRUE", 0, 0, "a", VALUE_BOOLEAN, -1, formula_true},
	{NULL}
};
