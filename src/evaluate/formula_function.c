/*-------------------------------------------------------------------------
 *
 * formula_function.c
 *	  The functions and operators of formulas.
 *
 * Values are those of conditions (condition_value.h): dates, dates with times and times
 * of day are texts in ISO form.
 *
 * Rules for null: arithmetic and functions of texts with null are null; a comparison of
 * order with null is false; null as a condition is false; joined to a text, null is
 * empty; null equals null and the empty text.
 *
 * Arguments of types that do not fit are an error (OR301), never a silent null.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_function.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/errors.h"
#include "evaluate/document.h"
#include "evaluate/formula.h"
#include "evaluate/formula_function.h"

/* ----------------------------------------------------------------- values */

static JsonbValue *
number_value(Datum number)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvNumeric;
	value->val.numeric = DatumGetNumeric(number);
	return value;
}

static JsonbValue *
integer_value(int64 number)
{
	return number_value(NumericGetDatum(int64_to_numeric(number)));
}

static JsonbValue *
boolean_value(bool boolean)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvBool;
	value->val.boolean = boolean;
	return value;
}

static void too_long(void) pg_attribute_noreturn();
static void wrong_argument(const FormulaNode *node, int n, JsonbValue *value,
						   const char *wanted) pg_attribute_noreturn();

static void
too_long(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("a text in a formula would be longer than %d characters",
					MAX_TEXT_LENGTH)));
}

static JsonbValue *
text_value(const char *text, int length)
{
	JsonbValue *value;

	if (orch_formula_is_too_long(text, length))
		too_long();
	value = palloc(sizeof(JsonbValue));
	value->type = jbvString;
	value->val.string.val = pnstrdup(text, length);
	value->val.string.len = length;
	return value;
}

static void
wrong_argument(const FormulaNode *node, int n, JsonbValue *value, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("cannot evaluate %s in a formula", node->function->name),
			 errdetail("Its argument %d is %s, not %s.", n + 1,
					   orch_condition_type_name(value), wanted)));
}

static JsonbValue *
argument(EvalContext *cxt, const FormulaNode *node, int n)
{
	return orch_formula_node_value(cxt, node->args[n]);
}

/* These functions return false for null. */
static bool
number_argument(EvalContext *cxt, const FormulaNode *node, int n, Datum *number)
{
	JsonbValue *value = argument(cxt, node, n);

	if (value == NULL)
		return false;
	if (value->type != jbvNumeric)
		wrong_argument(node, n, value, "a number");
	*number = NumericGetDatum(value->val.numeric);
	return true;
}

static bool
integer_argument(EvalContext *cxt, const FormulaNode *node, int n, int32 *result)
{
	Datum		number;

	if (!number_argument(cxt, node, n, &number))
		return false;
	number = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, DirectFunctionCall1(numeric_abs, number),
										 NumericGetDatum(int64_to_numeric(PG_INT32_MAX)))))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate %s in a formula", node->function->name),
				 errdetail("Its argument %d is not between -%d and %d.", n + 1,
						   PG_INT32_MAX, PG_INT32_MAX)));
	*result = DatumGetInt32(DirectFunctionCall1(numeric_int4, number));
	return true;
}

static bool
text_argument(EvalContext *cxt, const FormulaNode *node, int n, char **text)
{
	JsonbValue *value = argument(cxt, node, n);

	if (value == NULL)
		return false;
	if (value->type != jbvString)
		wrong_argument(node, n, value, "text");
	*text = pnstrdup(value->val.string.val, value->val.string.len);
	return true;
}

static bool
time_argument(EvalContext *cxt, const FormulaNode *node, int n, Timestamp *timestamp,
			  bool *date)
{
	JsonbValue *value = argument(cxt, node, n);

	if (value == NULL)
		return false;
	if (value->type != jbvString ||
		!orch_condition_datetime(value->val.string.val, value->val.string.len, timestamp))
		wrong_argument(node, n, value, "a date or date and time");
	if (date != NULL)
		*date = value->val.string.len == 10;
	return true;
}

/* Is an argument true?  Null is not. */
static bool
is_true(EvalContext *cxt, const FormulaNode *node, int n)
{
	JsonbValue *value = argument(cxt, node, n);

	if (value == NULL)
		return false;
	if (value->type != jbvBool)
		wrong_argument(node, n, value, "true or false");
	return value->val.boolean;
}

static bool
is_blank(JsonbValue *value)
{
	return value == NULL || (value->type == jbvString && value->val.string.len == 0);
}

/* Is a value a text that reads as a date, or a date and time? */
static bool
is_time(const FormulaNode *node, JsonbValue *value, Timestamp *timestamp)
{
	return value != NULL && value->type == jbvString &&
		orch_condition_datetime(value->val.string.val, value->val.string.len, timestamp);
}

static bool
is_time_type(const FormulaNode *node)
{
	return node->type == VALUE_DATE || node->type == VALUE_DATETIME;
}

/* ------------------------------------------------------------------ logic */

static JsonbValue *
formula_and(EvalContext *cxt, const FormulaNode *node)
{
	int			i;

	for (i = 0; i < node->nargs; i++)
		if (!is_true(cxt, node, i))
			return boolean_value(false);
	return boolean_value(true);
}

static JsonbValue *
formula_or(EvalContext *cxt, const FormulaNode *node)
{
	int			i;

	for (i = 0; i < node->nargs; i++)
		if (is_true(cxt, node, i))
			return boolean_value(true);
	return boolean_value(false);
}

static JsonbValue *
formula_not(EvalContext *cxt, const FormulaNode *node)
{
	return boolean_value(!is_true(cxt, node, 0));
}

static JsonbValue *
formula_if(EvalContext *cxt, const FormulaNode *node)
{
	return argument(cxt, node, is_true(cxt, node, 0) ? 1 : 2);
}

static JsonbValue *
formula_true(EvalContext *cxt, const FormulaNode *node)
{
	return boolean_value(node->function->name[0] == 'T');
}

/* CASE(expression, value, result, ..., else) */
static JsonbValue *
formula_case(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = argument(cxt, node, 0);
	int			i;

	if (node->nargs % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate CASE in a formula"),
				 errdetail("It takes an expression, pairs of a value and a result, and a default.")));
	for (i = 1; i + 1 < node->nargs; i += 2)
		if (orch_condition_same_value(value, argument(cxt, node, i)))
			return argument(cxt, node, i + 1);
	return argument(cxt, node, node->nargs - 1);
}

static JsonbValue *
formula_is_blank(EvalContext *cxt, const FormulaNode *node)
{
	return boolean_value(is_blank(argument(cxt, node, 0)));
}

static JsonbValue *
formula_blank_value(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = argument(cxt, node, 0);

	return is_blank(value) ? argument(cxt, node, 1) : value;
}

static JsonbValue *
formula_is_number(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = argument(cxt, node, 0);
	Numeric		number;

	return boolean_value(value != NULL &&
						 (value->type == jbvNumeric ||
						  (value->type == jbvString &&
						   orch_document_number(pnstrdup(value->val.string.val,
														 value->val.string.len), &number))));
}

static JsonbValue *
formula_is_pick_value(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = argument(cxt, node, 0);
	JsonbValue *wanted = argument(cxt, node, 1);

	return boolean_value((is_blank(value) && is_blank(wanted)) ||
						 orch_condition_same_value(value, wanted));
}

/* INCLUDES(values, value): is it among the values of a multi-select picklist, a;b;c? */
static JsonbValue *
formula_includes(EvalContext *cxt, const FormulaNode *node)
{
	char	   *values;
	char	   *wanted;
	char	   *part;
	char	   *state = NULL;

	if (!text_argument(cxt, node, 0, &values) || !text_argument(cxt, node, 1, &wanted))
		return boolean_value(false);
	for (part = strtok_r(values, ";", &state); part != NULL; part = strtok_r(NULL, ";", &state))
		if (strcmp(part, wanted) == 0)
			return boolean_value(true);
	return boolean_value(false);
}

/* ---------------------------------------------------------------- records */

static JsonbValue *
prior_value(EvalContext *cxt, const FormulaNode *node)
{
	Operand		prior;

	if (node->args[0]->operand == NULL ||
		node->args[0]->operand->kind != OPERAND_RECORD)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate %s in a formula", node->function->name),
				 errdetail("Its argument is not a field of $Record.")));
	prior = *node->args[0]->operand;
	prior.kind = OPERAND_RECORD_PRIOR;
	return orch_condition_operand_value(cxt, &prior);
}

static JsonbValue *
formula_prior_value(EvalContext *cxt, const FormulaNode *node)
{
	return prior_value(cxt, node);
}

static JsonbValue *
formula_is_changed(EvalContext *cxt, const FormulaNode *node)
{
	return boolean_value(!orch_condition_same_value(prior_value(cxt, node),
													argument(cxt, node, 0)));
}

static JsonbValue *
formula_is_new(EvalContext *cxt, const FormulaNode *node)
{
	Operand		prior = {OPERAND_RECORD_PRIOR};

	prior.text = "$Record__Prior";
	return boolean_value(orch_condition_operand_value(cxt, &prior) == NULL);
}

/* ------------------------------------------------------------- comparisons */

static int
compare(EvalContext *cxt, const FormulaNode *node, bool *isnull)
{
	JsonbValue *left = argument(cxt, node, 0);
	JsonbValue *right = argument(cxt, node, 1);
	Timestamp	left_time;
	Timestamp	right_time;
	int			result;

	*isnull = left == NULL || right == NULL;
	if (*isnull)
		return is_blank(left) && is_blank(right) ? 0 : 1;
	if (left->type == jbvNumeric && right->type == jbvNumeric)
		return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
												 NumericGetDatum(left->val.numeric),
												 NumericGetDatum(right->val.numeric)));
	if (left->type == jbvBool && right->type == jbvBool &&
		strpbrk(node->function->name, "=") == node->function->name + strlen(node->function->name) - 1)
		return (int) left->val.boolean - (int) right->val.boolean;
	if (left->type == jbvBool && right->type == jbvBool && strcmp(node->function->name, "<>") == 0)
		return (int) left->val.boolean - (int) right->val.boolean;
	if (left->type != jbvString || right->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot compare %s with %s in a formula",
						orch_condition_type_name(left), orch_condition_type_name(right)),
				 errhint("The operator %s does not apply to these types.",
						 node->function->name)));
	if (is_time_type(node->args[0]) || is_time_type(node->args[1]))
	{
		if (!is_time(node->args[0], left, &left_time))
			wrong_argument(node, 0, left, "a date or date and time");
		if (!is_time(node->args[1], right, &right_time))
			wrong_argument(node, 1, right, "a date or date and time");
		return left_time < right_time ? -1 : left_time > right_time;
	}
	result = memcmp(left->val.string.val, right->val.string.val,
					Min(left->val.string.len, right->val.string.len));
	return result != 0 ? result : left->val.string.len - right->val.string.len;
}

static JsonbValue *
formula_compare(EvalContext *cxt, const FormulaNode *node)
{
	const char *op = node->function->name;
	bool		isnull;
	int			result = compare(cxt, node, &isnull);

	if (strcmp(op, "=") == 0)
		return boolean_value(result == 0);
	if (strcmp(op, "<>") == 0)
		return boolean_value(result != 0);
	if (isnull)
		return boolean_value(false);
	switch (op[0])
	{
		case '<':
			return boolean_value(op[1] == '=' ? result <= 0 : result < 0);
		default:
			return boolean_value(op[1] == '=' ? result >= 0 : result > 0);
	}
}

/* -------------------------------------------------------------- arithmetic */

/*
 * + and -: numbers; days added to or subtracted from a date; the days between two dates;
 * + also joins texts.
 */
static JsonbValue *
formula_add(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *left = argument(cxt, node, 0);
	JsonbValue *right = argument(cxt, node, 1);
	bool		minus = node->function->name[0] == '-';
	Timestamp	left_time;
	Timestamp	right_time;

	if (!minus && ((left != NULL && left->type == jbvString) ||
				   (right != NULL && right->type == jbvString)) &&
		(left == NULL || left->type == jbvString) &&
		(right == NULL || right->type == jbvString))
	{
		StringInfoData joined;

		initStringInfo(&joined);
		if (left != NULL)
			appendBinaryStringInfo(&joined, left->val.string.val, left->val.string.len);
		if (right != NULL)
			appendBinaryStringInfo(&joined, right->val.string.val, right->val.string.len);
		return text_value(joined.data, joined.len);
	}
	if (left == NULL || right == NULL)
		return NULL;
	if (left->type == jbvNumeric && right->type == jbvNumeric)
	{
		Datum		numbers[2] = {NumericGetDatum(left->val.numeric),
			NumericGetDatum(right->val.numeric)};

		return number_value(orch_formula_compute(node->function->name, minus ? numeric_sub : numeric_add,
									2, numbers));
	}
	if (right->type == jbvNumeric && is_time(node->args[0], left, &left_time))
	{
		bool		date = left->val.string.len == 10;

		left_time = orch_formula_add_days(left_time, right->val.numeric, minus);
		if (date)
			left_time -= ((left_time % USECS_PER_DAY) + USECS_PER_DAY) % USECS_PER_DAY;
		return orch_formula_time_value(left_time, date);
	}
	if (!minus && left->type == jbvNumeric && is_time(node->args[1], right, &right_time))
		return orch_formula_time_value(orch_formula_add_days(right_time, left->val.numeric, false),
									   right->val.string.len == 10);
	if (minus && is_time(node->args[0], left, &left_time) &&
		is_time(node->args[1], right, &right_time))
		return number_value(DirectFunctionCall2(numeric_div,
												NumericGetDatum(int64_to_numeric(left_time - right_time)),
												NumericGetDatum(int64_to_numeric(USECS_PER_DAY))));
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("cannot evaluate %s of %s and %s in a formula", node->function->name,
					orch_condition_type_name(left), orch_condition_type_name(right))));
}

static JsonbValue *
formula_join(EvalContext *cxt, const FormulaNode *node)
{
	StringInfoData joined;
	int			i;

	initStringInfo(&joined);
	for (i = 0; i < node->nargs; i++)
	{
		char	   *text = orch_condition_value_text(argument(cxt, node, i));

		if (text != NULL)
			appendStringInfoString(&joined, text);
	}
	return text_value(joined.data, joined.len);
}

/* Functions of one or two numbers that the type numeric has. */
static JsonbValue *
formula_numeric(EvalContext *cxt, const FormulaNode *node)
{
	static const struct
	{
		const char *name;
		PGFunction	function;
	}			calls[] = {
		{"*", numeric_mul}, {"/", numeric_div}, {"^", numeric_power},
		{"MOD", numeric_mod}, {"ABS", numeric_abs}, {"NEGATIVE", numeric_uminus},
		{"CEILING", numeric_ceil}, {"MCEILING", numeric_ceil},
		{"FLOOR", numeric_floor}, {"MFLOOR", numeric_floor},
		{"SQRT", numeric_sqrt}, {"EXP", numeric_exp}, {"LN", numeric_ln}
	};
	Datum		numbers[2];
	int			i;

	for (i = 0; i < node->nargs; i++)
		if (!number_argument(cxt, node, i, &numbers[i]))
			return NULL;
	for (i = 0; i < (int) lengthof(calls); i++)
		if (strcmp(calls[i].name, node->function->name) == 0)
			return number_value(orch_formula_compute(node->function->name, calls[i].function, node->nargs,
										numbers));
	elog(ERROR, "unexpected function \"%s\"", node->function->name);
}

static JsonbValue *
formula_log(EvalContext *cxt, const FormulaNode *node)
{
	Datum		numbers[2] = {NumericGetDatum(int64_to_numeric(10))};

	if (!number_argument(cxt, node, 0, &numbers[1]))
		return NULL;
	return number_value(orch_formula_compute("LOG", numeric_log, 2, numbers));
}

/* ROUND(number, digits), TRUNC(number, digits) */
static JsonbValue *
formula_round(EvalContext *cxt, const FormulaNode *node)
{
	Datum		number;
	int32		digits = 0;

	if (!number_argument(cxt, node, 0, &number) ||
		(node->nargs > 1 && !integer_argument(cxt, node, 1, &digits)))
		return NULL;
	return number_value(DirectFunctionCall2(node->function->name[0] == 'R' ?
											numeric_round : numeric_trunc,
											number, Int32GetDatum(digits)));
}

static JsonbValue *
formula_max(EvalContext *cxt, const FormulaNode *node)
{
	Datum		best;
	int			i;

	if (!number_argument(cxt, node, 0, &best))
		return NULL;
	for (i = 1; i < node->nargs; i++)
	{
		Datum		number;

		if (!number_argument(cxt, node, i, &number))
			return NULL;
		best = DirectFunctionCall2(node->function->name[1] == 'A' ?
								   numeric_larger : numeric_smaller, best, number);
	}
	return number_value(best);
}

/* ------------------------------------------------------------------ texts */

static JsonbValue *
formula_contains(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;
	char	   *part;

	if (!text_argument(cxt, node, 0, &text) || !text_argument(cxt, node, 1, &part))
		return boolean_value(false);
	return boolean_value(node->function->name[0] == 'C' ? strstr(text, part) != NULL :
						 strncmp(text, part, strlen(part)) == 0);
}

/* FIND(part, text, from): the position in characters, from 1; 0: not found */
static JsonbValue *
formula_find(EvalContext *cxt, const FormulaNode *node)
{
	char	   *part;
	char	   *text;
	char	   *found;
	int32		from = 1;
	int			skip;

	if (!text_argument(cxt, node, 0, &part) || !text_argument(cxt, node, 1, &text) ||
		(node->nargs > 2 && !integer_argument(cxt, node, 2, &from)))
		return NULL;
	if (from < 1 || from > pg_mbstrlen(text) + 1)
		return integer_value(0);
	skip = pg_mbcharcliplen(text, strlen(text), from - 1);
	found = *part == '\0' ? NULL : strstr(text + skip, part);
	return integer_value(found == NULL ? 0 : pg_mbstrlen_with_len(text, found - text) + 1);
}

/* LEFT(text, count), RIGHT(text, count), MID(text, first, count), in characters */
static JsonbValue *
formula_part(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;
	int32		first = 1;
	int32		count;
	int			length;
	int			begin;
	bool		mid = node->function->name[0] == 'M';

	if (!text_argument(cxt, node, 0, &text) ||
		(mid && !integer_argument(cxt, node, 1, &first)) ||
		!integer_argument(cxt, node, mid ? 2 : 1, &count))
		return NULL;
	length = pg_mbstrlen(text);
	count = Max(count, 0);
	if (node->function->name[0] == 'R')
		first = Max(length - count, 0) + 1;
	first = Max(first, 1);
	if (first > length)
		return text_value("", 0);
	begin = pg_mbcharcliplen(text, strlen(text), first - 1);
	return text_value(text + begin,
					  pg_mbcharcliplen(text + begin, strlen(text + begin), count));
}

static JsonbValue *
formula_length(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;

	if (!text_argument(cxt, node, 0, &text))
		return integer_value(0);
	return integer_value(pg_mbstrlen(text));
}

static JsonbValue *
formula_change_case(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;

	if (!text_argument(cxt, node, 0, &text))
		return NULL;
	text = node->function->name[0] == 'U' ?
		str_toupper(text, strlen(text), DEFAULT_COLLATION_OID) :
		str_tolower(text, strlen(text), DEFAULT_COLLATION_OID);
	return text_value(text, strlen(text));
}

/* LPAD(text, length, padding), RPAD */
static JsonbValue *
formula_pad(EvalContext *cxt, const FormulaNode *node)
{
	char	   *string;
	char	   *padding = " ";
	int32		wanted;
	Datum		result;

	if (!text_argument(cxt, node, 0, &string) || !integer_argument(cxt, node, 1, &wanted) ||
		(node->nargs > 2 && !text_argument(cxt, node, 2, &padding)))
		return NULL;
	if (wanted > MAX_TEXT_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate %s in a formula", node->function->name),
				 errdetail("The text would be longer than %d characters.", MAX_TEXT_LENGTH)));
	result = DirectFunctionCall3(node->function->name[0] == 'L' ? lpad : rpad,
								 CStringGetTextDatum(string), Int32GetDatum(wanted),
								 CStringGetTextDatum(padding));
	string = TextDatumGetCString(result);
	return text_value(string, strlen(string));
}

static JsonbValue *
formula_substitute(EvalContext *cxt, const FormulaNode *node)
{
	char	   *string;
	char	   *from;
	char	   *to;

	if (!text_argument(cxt, node, 0, &string) || !text_argument(cxt, node, 1, &from))
		return NULL;
	if (!text_argument(cxt, node, 2, &to))
		to = "";
	if (*from != '\0')
	{
		Size		length = strlen(string);
		const char *p = string;

		while ((p = strstr(p, from)) != NULL)
		{
			length += strlen(to);
			p += strlen(from);
		}
		/* the removed texts are at most as long as the whole string */
		if (length > MAX_TEXT_LENGTH * (Size) MAX_MULTIBYTE_CHAR_LEN + strlen(string))
			too_long();
	}
	string = TextDatumGetCString(DirectFunctionCall3Coll(replace_text, DEFAULT_COLLATION_OID,
													   CStringGetTextDatum(string),
													   CStringGetTextDatum(from),
													   CStringGetTextDatum(to)));
	return text_value(string, strlen(string));
}

static JsonbValue *
formula_trim(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;
	int			length;

	if (!text_argument(cxt, node, 0, &text))
		return NULL;
	while (isspace((unsigned char) *text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char) text[length - 1]))
		length--;
	return text_value(text, length);
}

static JsonbValue *
formula_text(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text = orch_condition_value_text(argument(cxt, node, 0));

	return text == NULL ? NULL : text_value(text, strlen(text));
}

static JsonbValue *
formula_to_number(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = argument(cxt, node, 0);
	Numeric		number;

	if (is_blank(value) || value->type == jbvNumeric)
		return is_blank(value) ? NULL : value;
	if (value->type != jbvString ||
		!orch_document_number(pnstrdup(value->val.string.val, value->val.string.len), &number))
		wrong_argument(node, 0, value, "text that reads as a number");
	return number_value(NumericGetDatum(number));
}

static JsonbValue *
formula_line_break(EvalContext *cxt, const FormulaNode *node)
{
	return text_value("\n", 1);
}

static JsonbValue *
formula_same(EvalContext *cxt, const FormulaNode *node)
{
	return argument(cxt, node, 0);
}

/* ------------------------------------------------------------------ dates */

static JsonbValue *
formula_now(EvalContext *cxt, const FormulaNode *node)
{
	/* in UTC, as all points in time here */
	Timestamp	now = (Timestamp) GetCurrentTimestamp();

	return orch_formula_time_value(now, node->function->name[0] == 'T');
}

static JsonbValue *
formula_date(EvalContext *cxt, const FormulaNode *node)
{
	int32		parts[3];
	char	   *text;
	Timestamp	timestamp;
	int			i;

	for (i = 0; i < 3; i++)
		if (!integer_argument(cxt, node, i, &parts[i]))
			return NULL;
	text = psprintf("%04d-%02d-%02d", parts[0], parts[1], parts[2]);
	if (!orch_condition_datetime(text, strlen(text), &timestamp))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("there is no date %s", text)));
	return text_value(text, strlen(text));
}

/* DATEVALUE, DATETIMEVALUE */
static JsonbValue *
formula_date_value(EvalContext *cxt, const FormulaNode *node)
{
	Timestamp	timestamp;

	if (is_blank(argument(cxt, node, 0)) ||
		!time_argument(cxt, node, 0, &timestamp, NULL))
		return NULL;
	return orch_formula_time_value(timestamp, strcmp(node->function->name, "DATEVALUE") == 0);
}

/* YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, WEEKDAY (Sunday is 1) */
static JsonbValue *
formula_date_part(EvalContext *cxt, const FormulaNode *node)
{
	Timestamp	timestamp;
	struct pg_tm tm;
	fsec_t		fsec;

	if (!time_argument(cxt, node, 0, &timestamp, NULL))
		return NULL;
	if (timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0)
		orch_formula_date_out_of_range();
	switch (node->function->name[0])
	{
		case 'Y':
			return integer_value(tm.tm_year);
		case 'M':
			return integer_value(node->function->name[1] == 'O' ? tm.tm_mon : tm.tm_min);
		case 'D':
			return integer_value(tm.tm_mday);
		case 'H':
			return integer_value(tm.tm_hour);
		case 'S':
			return integer_value(tm.tm_sec);
		default:
			return integer_value(j2day(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday)) + 1);
	}
}

/* ADDMONTHS: if the month has no such day, the result is its last day. */
static JsonbValue *
formula_add_months(EvalContext *cxt, const FormulaNode *node)
{
	Timestamp	timestamp;
	int32		count;
	bool		date;
	Interval	interval = {0};

	if (!time_argument(cxt, node, 0, &timestamp, &date) ||
		!integer_argument(cxt, node, 1, &count))
		return NULL;
	if (abs(count) > 10000 * MONTHS_PER_YEAR)
		orch_formula_date_out_of_range();
	interval.month = count;
	return orch_formula_time_value(DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval,
															TimestampGetDatum(timestamp),
															IntervalPGetDatum(&interval))),
					  date);
}

/* -------------------------------------------------------------- the table */

static const FormulaFunction functions[] = {
	/* operators first; a formula cannot call them by these names */
	{"=", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{"<>", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{"<", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{">", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{"<=", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{">=", 2, 2, "a", VALUE_BOOLEAN, -1, formula_compare},
	{"+", 2, 2, "a", VALUE_UNKNOWN, 0, formula_add},
	{"-", 2, 2, "a", VALUE_UNKNOWN, -1, formula_add},
	{"&", 2, 2, "a", VALUE_TEXT, -1, formula_join},
	{"*", 2, 2, "n", VALUE_NUMBER, -1, formula_numeric},
	{"/", 2, 2, "n", VALUE_NUMBER, -1, formula_numeric},
	{"^", 2, 2, "n", VALUE_NUMBER, -1, formula_numeric},
	{"NEGATIVE", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},

	{"ABS", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"ADDMONTHS", 2, 2, "dn", VALUE_UNKNOWN, 0, formula_add_months},
	{"AND", 1, -1, "b", VALUE_BOOLEAN, -1, formula_and},
	{"BEGINS", 2, 2, "t", VALUE_BOOLEAN, -1, formula_contains},
	{"BLANKVALUE", 2, 2, "a", VALUE_UNKNOWN, 1, formula_blank_value},
	{"BR", 0, 0, "a", VALUE_TEXT, -1, formula_line_break},
	{"CASE", 4, -1, "a", VALUE_UNKNOWN, 2, formula_case},
	{"CASESAFEID", 1, 1, "a", VALUE_UNKNOWN, 0, formula_same},
	{"CEILING", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"CONTAINS", 2, 2, "t", VALUE_BOOLEAN, -1, formula_contains},
	{"DATE", 3, 3, "n", VALUE_DATE, -1, formula_date},
	{"DATETIMEVALUE", 1, 1, "d", VALUE_DATETIME, -1, formula_date_value},
	{"DATEVALUE", 1, 1, "d", VALUE_DATE, -1, formula_date_value},
	{"DAY", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"EXP", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"FALSE", 0, 0, "a", VALUE_BOOLEAN, -1, formula_true},
	{"FIND", 2, 3, "ttn", VALUE_NUMBER, -1, formula_find},
	{"FLOOR", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"HOUR", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"IF", 3, 3, "baa", VALUE_UNKNOWN, 1, formula_if},
	{"INCLUDES", 2, 2, "t", VALUE_BOOLEAN, -1, formula_includes},
	{"ISBLANK", 1, 1, "a", VALUE_BOOLEAN, -1, formula_is_blank},
	{"ISCHANGED", 1, 1, "a", VALUE_BOOLEAN, -1, formula_is_changed, true},
	{"ISNEW", 0, 0, "a", VALUE_BOOLEAN, -1, formula_is_new, true},
	{"ISNULL", 1, 1, "a", VALUE_BOOLEAN, -1, formula_is_blank},
	{"ISNUMBER", 1, 1, "a", VALUE_BOOLEAN, -1, formula_is_number},
	{"ISPICKVAL", 2, 2, "a", VALUE_BOOLEAN, -1, formula_is_pick_value},
	{"LEFT", 2, 2, "tn", VALUE_TEXT, -1, formula_part},
	{"LEN", 1, 1, "t", VALUE_NUMBER, -1, formula_length},
	{"LN", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"LOG", 1, 1, "n", VALUE_NUMBER, -1, formula_log},
	{"LOWER", 1, 1, "t", VALUE_TEXT, -1, formula_change_case},
	{"LPAD", 2, 3, "tnt", VALUE_TEXT, -1, formula_pad},
	{"MAX", 1, -1, "n", VALUE_NUMBER, -1, formula_max},
	{"MCEILING", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"MFLOOR", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"MID", 3, 3, "tnn", VALUE_TEXT, -1, formula_part},
	{"MIN", 1, -1, "n", VALUE_NUMBER, -1, formula_max},
	{"MINUTE", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"MOD", 2, 2, "n", VALUE_NUMBER, -1, formula_numeric},
	{"MONTH", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"NOT", 1, 1, "b", VALUE_BOOLEAN, -1, formula_not},
	{"NOW", 0, 0, "a", VALUE_DATETIME, -1, formula_now},
	{"NULLVALUE", 2, 2, "a", VALUE_UNKNOWN, 1, formula_blank_value},
	{"OR", 1, -1, "b", VALUE_BOOLEAN, -1, formula_or},
	{"PRIORVALUE", 1, 1, "a", VALUE_UNKNOWN, 0, formula_prior_value, true},
	{"RIGHT", 2, 2, "tn", VALUE_TEXT, -1, formula_part},
	{"ROUND", 2, 2, "n", VALUE_NUMBER, -1, formula_round},
	{"RPAD", 2, 3, "tnt", VALUE_TEXT, -1, formula_pad},
	{"SECOND", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"SQRT", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"SUBSTITUTE", 3, 3, "t", VALUE_TEXT, -1, formula_substitute},
	{"TEXT", 1, 1, "a", VALUE_TEXT, -1, formula_text},
	{"TODAY", 0, 0, "a", VALUE_DATE, -1, formula_now},
	{"TRIM", 1, 1, "t", VALUE_TEXT, -1, formula_trim},
	{"TRUE", 0, 0, "a", VALUE_BOOLEAN, -1, formula_true},
	{"TRUNC", 1, 2, "n", VALUE_NUMBER, -1, formula_round},
	{"UPPER", 1, 1, "t", VALUE_TEXT, -1, formula_change_case},
	{"VALUE", 1, 1, "a", VALUE_NUMBER, -1, formula_to_number},
	{"WEEKDAY", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"YEAR", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part}
};

const FormulaFunction *
orch_formula_function(const char *name)
{
	int			i;

	for (i = 0; i < (int) lengthof(functions); i++)
		if (pg_strcasecmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}
