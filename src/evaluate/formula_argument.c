/*-------------------------------------------------------------------------
 *
 * formula_argument.c
 *	  What the functions of formulas share: their arguments and results.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_argument.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/errors.h"
#include "evaluate/formula_argument.h"

/* ---------------------------------------------------------------- results */

JsonbValue *
orch_formula_number_value(Datum number)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvNumeric;
	value->val.numeric = DatumGetNumeric(orch_formula_number(number));
	return value;
}

JsonbValue *
orch_formula_integer_value(int64 number)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvNumeric;
	value->val.numeric = int64_to_numeric(number);
	return value;
}

JsonbValue *
orch_formula_boolean_value(bool boolean)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvBool;
	value->val.boolean = boolean;
	return value;
}

JsonbValue *
orch_formula_text_value(const char *text, int length)
{
	JsonbValue *value;

	if (orch_formula_is_too_long(text, length))
		orch_formula_too_long();
	value = palloc(sizeof(JsonbValue));
	value->type = jbvString;
	value->val.string.val = pnstrdup(text, length);
	value->val.string.len = length;
	return value;
}

JsonbValue *
orch_formula_join(JsonbValue *left, JsonbValue *right)
{
	JsonbValue *sides[2] = {left, right};
	StringInfoData joined;
	int			i;

	initStringInfo(&joined);
	for (i = 0; i < 2; i++)
	{
		char	   *text = orch_condition_value_text(sides[i]);

		if (text != NULL)
			appendStringInfoString(&joined, text);
	}
	return orch_formula_text_value(joined.data, joined.len);
}

JsonbValue *
orch_formula_time_of_day_value(int64 usecs)
{
	char		buffer[64];
	int			msecs = (int) (usecs / 1000);

	snprintf(buffer, sizeof(buffer), "%02d:%02d:%02d.%03d", msecs / 3600000,
			 msecs / 60000 % MINS_PER_HOUR, msecs / 1000 % SECS_PER_MINUTE, msecs % 1000);
	return orch_formula_text_value(buffer, strlen(buffer));
}

void
orch_formula_too_long(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("a text in a formula would be longer than %d characters",
					MAX_TEXT_LENGTH)));
}

/* -------------------------------------------------------------- arguments */

void
orch_formula_wrong_argument(const FormulaNode *node, int n, JsonbValue *value,
							const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("cannot evaluate %s in a formula", node->function->name),
			 errdetail("Its argument %d is %s, not %s.", n + 1,
					   orch_condition_type_name(value), wanted)));
}

JsonbValue *
orch_formula_argument(EvalContext *cxt, const FormulaNode *node, int n)
{
	return orch_formula_node_value(cxt, node->args[n]);
}

bool
orch_formula_number_argument(EvalContext *cxt, const FormulaNode *node, int n, Datum *number)
{
	JsonbValue *value = orch_formula_argument(cxt, node, n);

	if (value == NULL)
		return false;
	if (value->type != jbvNumeric)
		orch_formula_wrong_argument(node, n, value, "a number");
	*number = NumericGetDatum(value->val.numeric);
	return true;
}

bool
orch_formula_integer_argument(EvalContext *cxt, const FormulaNode *node, int n, int32 *result)
{
	Datum		number;

	if (!orch_formula_number_argument(cxt, node, n, &number))
		return false;
	number = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	if (orch_formula_exceeds(number, PG_INT32_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate %s in a formula", node->function->name),
				 errdetail("Its argument %d is not between -%d and %d.", n + 1,
						   PG_INT32_MAX, PG_INT32_MAX)));
	*result = DatumGetInt32(DirectFunctionCall1(numeric_int4, number));
	return true;
}

bool
orch_formula_text_argument(EvalContext *cxt, const FormulaNode *node, int n, char **text)
{
	JsonbValue *value = orch_formula_argument(cxt, node, n);

	if (value == NULL)
		return false;
	if (value->type != jbvString)
		orch_formula_wrong_argument(node, n, value, "text");
	*text = pnstrdup(value->val.string.val, value->val.string.len);
	return true;
}

bool
orch_formula_time_argument(EvalContext *cxt, const FormulaNode *node, int n,
						   Timestamp *timestamp, bool *date)
{
	JsonbValue *value = orch_formula_argument(cxt, node, n);

	if (value == NULL)
		return false;
	if (value->type != jbvString ||
		!orch_condition_datetime(value->val.string.val, value->val.string.len, timestamp))
		orch_formula_wrong_argument(node, n, value, "a date or date and time");
	if (date != NULL)
		*date = value->val.string.len == 10;
	return true;
}

bool
orch_formula_true_argument(EvalContext *cxt, const FormulaNode *node, int n)
{
	JsonbValue *value = orch_formula_argument(cxt, node, n);

	if (value == NULL)
		return false;
	if (value->type != jbvBool)
		orch_formula_wrong_argument(node, n, value, "true or false");
	return value->val.boolean;
}

bool
orch_formula_is_blank(JsonbValue *value)
{
	return value == NULL || (value->type == jbvString && value->val.string.len == 0);
}
