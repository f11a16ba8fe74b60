/*-------------------------------------------------------------------------
 *
 * formula_function.c
 *	  The functions and operators of formulas: which there are.
 *
 * They are in formula_logic.c, formula_number.c, formula_text.c, formula_encode.c and
 * formula_time.c.  doc/formulas.md lists them with the rules that hold for all.
 *
 * Source: "Formula Operators and Functions by Context", which lists the functions of the
 * platform; github.com/salesforce/formula-engine, by which it computes them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_function.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "evaluate/formula_encode.h"
#include "evaluate/formula_function.h"
#include "evaluate/formula_logic.h"
#include "evaluate/formula_number.h"
#include "evaluate/formula_text.h"
#include "evaluate/formula_time.h"

/* The functions of the platform that are not here, and what to use instead. */
static const struct
{
	const char *name;
	const char *instead;
}			refused[] = {
	{"CURRENCYRATE", "keep the rate in a record or variable, and compute with it"},
	{"GETRECORDIDS", "it belongs to lists on pages"},
	{"GETSESSIONID", "there are no sessions of the platform; an action can look up a credential"},
	{"HYPERLINK", "join the HTML with & and HTMLENCODE"},
	{"IMAGE", "join the HTML with & and HTMLENCODE"},
	{"IMAGEPROXYURL", "it belongs to pages"},
	{"INCLUDE", "it belongs to pages"},
	{"JUNCTIONIDLIST", "it belongs to pages"},
	{"LINKTO", "join the address with & and URLENCODE"},
	{"PARENTGROUPVAL", "it belongs to reports"},
	{"PREDICT", "let an action predict, and read its output"},
	{"PREVGROUPVAL", "it belongs to reports"},
	{"REQUIRESCRIPT", "it belongs to pages"},
	{"URLFOR", "join the address with & and URLENCODE"},
	{"VLOOKUP", "look the record up in an evaluation flow or an action"}
};

const FormulaFunction *
orch_formula_function(const char *name)
{
	static const FormulaFunction *const files[] = {
		orch_formula_logic_functions, orch_formula_number_functions,
		orch_formula_text_functions, orch_formula_encode_functions,
		orch_formula_time_functions
	};
	int			i;

	for (i = 0; i < (int) lengthof(files); i++)
	{
		const FormulaFunction *function;

		for (function = files[i]; function->name != NULL; function++)
			if (pg_strcasecmp(function->name, name) == 0)
				return function;
	}
	return NULL;
}

const char *
orch_formula_refused(const char *name)
{
	int			i;

	for (i = 0; i < (int) lengthof(refused); i++)
		if (pg_strcasecmp(refused[i].name, name) == 0)
			return refused[i].instead;
	return NULL;
}

/*
 * The type of a sum or difference.  A text may be a date in ISO form, whose type is not
 * known.
 */
static const char *
check_sum(FormulaNode *node)
{
	bool		minus = node->function->name[0] == '-';
	ValueType	left = node->args[0]->type;
	ValueType	right = node->args[1]->type;

	if (left == VALUE_UNKNOWN || right == VALUE_UNKNOWN)
		return NULL;
	if (left == VALUE_NUMBER && right == VALUE_NUMBER)
		node->type = VALUE_NUMBER;
	else if (orch_condition_is_time(left) && right == VALUE_NUMBER)
		node->type = left;
	else if (orch_condition_is_time(right) && left == VALUE_NUMBER && !minus)
		node->type = right;
	else if (minus && (orch_condition_is_time(left) || left == VALUE_TEXT) &&
			 (orch_condition_is_time(right) || right == VALUE_TEXT) &&
			 (left == VALUE_TIME) == (right == VALUE_TIME))
		node->type = VALUE_NUMBER;
	else if (left == VALUE_TEXT && right == VALUE_TEXT)
		node->type = VALUE_TEXT;
	else if ((left == VALUE_TEXT && right == VALUE_NUMBER) ||
			 (right == VALUE_TEXT && left == VALUE_NUMBER && !minus))
		return NULL;
	else
		return psprintf("operator \"%s\" does not apply to %s and %s",
						node->function->name, orch_condition_value_type_name(left),
						orch_condition_value_type_name(right));
	return NULL;
}

/* The type of the results of IF or CASE: that of the first that is not the constant null. */
static ValueType
result_type(const FormulaNode *node)
{
	bool		is_case = node->function->name[0] == 'C';
	int			i;

	for (i = is_case ? 2 : 1; i < node->nargs; i += is_case && i + 2 < node->nargs ? 2 : 1)
	{
		const FormulaNode *arg = node->args[i];

		if (arg->operand == NULL || arg->operand->kind != OPERAND_LITERAL ||
			arg->operand->literal != NULL)
			return arg->type;
	}
	return VALUE_UNKNOWN;
}

const char *
orch_formula_check_call(FormulaNode *node)
{
	const char *name = node->function->name;

	if (strcmp(name, "+") == 0 || strcmp(name, "-") == 0)
		return check_sum(node);
	if (strcmp(name, "CASE") == 0 && node->nargs % 2 != 0)
		return "CASE takes an expression, pairs of a value and a result, and a default";
	if (strcmp(name, "IF") == 0 || strcmp(name, "CASE") == 0)
		node->type = result_type(node);
	if (strcmp(name, "PRIORVALUE") == 0 || strcmp(name, "ISCHANGED") == 0)
	{
		const Operand *operand = node->args[0]->operand;

		if (operand == NULL || (operand->kind != OPERAND_RECORD &&
								operand->kind != OPERAND_RECORD_PRIOR))
			return psprintf("the argument of %s is not a field of $Record", name);
	}
	return NULL;
}
