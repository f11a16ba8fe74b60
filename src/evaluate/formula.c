/*-------------------------------------------------------------------------
 *
 * formula.c
 *	  Evaluates compiled formulas.
 *
 * What the functions do is in formula_logic.c, formula_number.c, formula_text.c,
 * formula_encode.c and formula_time.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/errors.h"
#include "evaluate/formula.h"
#include "evaluate/formula_function.h"

static JsonbValue *chain_value(EvalContext *cxt, const FormulaNode *node);

JsonbValue *
orch_formula_node_value(EvalContext *cxt, const FormulaNode *node)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node == NULL)
		return NULL;
	if (node->function == NULL)
		return orch_condition_operand_value(cxt, node->operand);
	if (node->is_binary && node->args[0]->is_binary)
		return chain_value(cxt, node);
	return node->function->evaluate(cxt, node);
}

/*
 * a + b - c + ... is a tree with a branch to the left for each operator.  It is evaluated
 * from the left without recursion.  Each operator evaluates its left side first and
 * its right side itself, so that OR and AND can leave the right side out.
 */
static JsonbValue *
chain_value(EvalContext *cxt, const FormulaNode *node)
{
	const FormulaNode **chain;
	const FormulaNode *n;
	JsonbValue *value;
	int			length = 0;

	for (n = node; n->is_binary; n = n->args[0])
		length++;
	chain = palloc(sizeof(FormulaNode *) * length);
	length = 0;
	for (n = node; n->is_binary; n = n->args[0])
		chain[length++] = n;
	n = chain[--length];
	value = n->function->evaluate(cxt, n);
	while (length > 0)
	{
		FormulaNode left = {0};
		Operand		operand = {0};
		FormulaNode step;
		FormulaNode *args[2];

		CHECK_FOR_INTERRUPTS();
		n = chain[--length];
		operand.kind = OPERAND_LITERAL;
		operand.literal = value;
		left.operand = &operand;
		left.type = n->args[0]->type;
		args[0] = &left;
		args[1] = n->args[1];
		step = *n;
		step.args = args;
		value = n->function->evaluate(cxt, &step);
	}
	pfree(chain);
	return value;
}

/* Error context callback: which formula it was. */
static void
name_formula(void *arg)
{
	errcontext("formula \"%s\"", (const char *) arg);
}

/*
 * A number is rounded to the formula's scale.  A date and time is cut to its date if the
 * formula's data type is Date.
 */
JsonbValue *
orch_formula_value(EvalContext *cxt, const FormulaDef *formula)
{
	ErrorContextCallback callback;
	JsonbValue *value;
	Timestamp	timestamp;
	bool		fits = true;

	callback.callback = name_formula;
	callback.arg = formula->name;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	value = orch_formula_node_value(cxt, formula->root);
	error_context_stack = callback.previous;
	if (value == NULL || value->type == jbvNull)
		return NULL;
	switch (formula->type)
	{
		case VARIABLE_NUMBER:
			fits = value->type == jbvNumeric;
			if (fits && formula->scale >= 0)
			{
				JsonbValue *rounded = palloc(sizeof(JsonbValue));
				Datum		number = DirectFunctionCall2(numeric_round,
														 NumericGetDatum(value->val.numeric),
														 Int32GetDatum(formula->scale));

				rounded->type = jbvNumeric;
				rounded->val.numeric = DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, number));
				value = rounded;
			}
			break;
		case VARIABLE_BOOLEAN:
			fits = value->type == jbvBool;
			break;
		case VARIABLE_DATE:
		case VARIABLE_DATETIME:
			fits = value->type == jbvString &&
				orch_condition_datetime(value->val.string.val, value->val.string.len,
										&timestamp);
			if (fits)
				value = orch_formula_time_value(timestamp, formula->type == VARIABLE_DATE);
			break;
		default:
			fits = value->type == jbvString;
			break;
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("formula \"%s\" gives %s, not a value of data type %s",
						formula->name, orch_condition_type_name(value),
						orch_condition_variable_type_name(formula->type))));
	return value;
}

/*
 * The limit is needed because a text that a formula joins from others can double with
 * each formula.
 */
bool
orch_formula_is_too_long(const char *text, int length)
{
	return length > MAX_TEXT_LENGTH && pg_mbstrlen_with_len(text, length) > MAX_TEXT_LENGTH;
}
