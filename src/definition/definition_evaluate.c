/*-------------------------------------------------------------------------
 *
 * definition_evaluate.c
 *	  Conditions and formulas tried out by themselves, outside of a definition.
 *
 * The caller gives each reference its value under the text of the reference,
 * so that nothing has to be deployed and no run started.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_evaluate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/argument.h"
#include "base/errors.h"
#include "definition/definition_int.h"

static JsonbValue *resolve_by_text(EvalContext *cxt, const Operand *operand);
static JsonbValue *prior_record(Jsonb *values);

/*
 * EvalContext.resolve(): the value that the caller gave the text of the reference.
 */
static JsonbValue *
resolve_by_text(EvalContext *cxt, const Operand *operand)
{
	Jsonb	   *values = cxt->arg;
	const char *key = operand->text;
	JsonbValue *result;

	if (operand->kind == OPERAND_RECORD_PRIOR &&
		strncmp(key, "$Record__Prior", strlen("$Record__Prior")) != 0)
		key = psprintf("$Record__Prior%s", key + strlen("$Record"));
	result = getKeyJsonValueFromContainer(&values->root, key, strlen(key), NULL);
	if (result == NULL && operand->kind == OPERAND_RECORD_PRIOR && operand->path == NIL)
		result = prior_record(values);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("there is no value for %s", key),
				 errhint("Give it, or null, in \"values\" under that key.")));
	return result;
}

/*
 * $Record__Prior itself, which stands for its fields: any value that is not null if the
 * caller gave one of them, and NULL otherwise.
 */
static JsonbValue *
prior_record(Jsonb *values)
{
	JsonbIterator *it = JsonbIteratorInit(&values->root);
	JsonbValue *result = NULL;
	JsonbValue	key;

	(void) JsonbIteratorNext(&it, &key, true);
	while (result == NULL && JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		if (key.val.string.len > (int) strlen("$Record__Prior.") &&
			strncmp(key.val.string.val, "$Record__Prior.", strlen("$Record__Prior.")) == 0)
		{
			result = palloc(sizeof(JsonbValue));
			*result = key;
		}
		(void) JsonbIteratorNext(&it, &key, true);
	}
	return result;
}

/*
 * The values argument.  Raises 22023 if it is not an object.
 */
static Jsonb *
values_argument(FunctionCallInfo fcinfo, int argno)
{
	Jsonb	   *values = PG_GETARG_JSONB_P(argno);

	if (!JB_ROOT_IS_OBJECT(values))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"values\" must be an object")));
	return values;
}

PG_FUNCTION_INFO_V1(orchestration_evaluate_conditions);

/*
 * orchestration.evaluate_conditions(conditions jsonb, "values" jsonb) returns
 * boolean
 *
 * Returns whether the conditions hold.  conditions is {"conditionLogic": ...,
 * "conditions": [...]} as in a definition; values has the value of each reference under
 * the reference's full text.
 * Raises: 22004 for a null argument, 22023 if an argument is not an object, OR201 with
 * every error in the conditions, OR301 if a condition cannot be evaluated.
 * Source: ours.
 */
Datum
orchestration_evaluate_conditions(PG_FUNCTION_ARGS)
{
	Jsonb	   *conditions;
	Jsonb	   *values;
	ProblemList problems = {0};
	Compiler	c = {0};
	ConditionSet *set;
	EvalContext cxt;
	DocNode    *root;

	orch_require_arguments(fcinfo, 0, 1, "argument \"conditions\"");
	orch_require_arguments(fcinfo, 1, 1, "argument \"values\"");
	conditions = PG_GETARG_JSONB_P(0);
	if (!JB_ROOT_IS_OBJECT(conditions))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"conditions\" must be an object")));
	values = values_argument(fcinfo, 1);

	c.context = CurrentMemoryContext;
	c.problems = &problems;
	c.free_references = true;
	root = orch_document_from_jsonb(conditions, SHAPE_CONDITIONS);
	orch_definition_check_structure(&c, root, SHAPE_CONDITIONS);
	set = orch_definition_compile_condition_list(&c, root, "conditions",
												 "conditionLogic", USE_RUN);
	if (problems.nerrors > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
				 errmsg_plural("the conditions have %d error",
							   "the conditions have %d errors",
							   problems.nerrors, problems.nerrors),
				 errdetail("%s", orch_definition_problem_text(&problems,
															  PROBLEM_ERROR))));
	cxt.resolve = resolve_by_text;
	cxt.arg = values;
	PG_RETURN_BOOL(orch_condition_set_holds(&cxt, set));
}

PG_FUNCTION_INFO_V1(orchestration_evaluate_formula);

/*
 * orchestration.evaluate_formula(formula text, "values" jsonb) returns jsonb
 *
 * Returns the value of a formula, null for null.  values has the value of each
 * reference under the reference's full text.
 * Raises: 22004 for a null argument, 22023 if values is not an object, OR201 if the
 * formula has an error, OR301 if it cannot be evaluated, 22003, 22012, 2201E and
 * 2201F for numbers that cannot be computed.
 * Source: ours.
 */
Datum
orchestration_evaluate_formula(PG_FUNCTION_ARGS)
{
	Jsonb	   *values;
	ProblemList problems = {0};
	Compiler	c = {0};
	DocNode		node = {0};
	CompiledFormula formula;
	EvalContext cxt;
	JsonbValue *result;

	orch_require_arguments(fcinfo, 0, 1, "argument \"formula\"");
	orch_require_arguments(fcinfo, 1, 1, "argument \"values\"");
	values = values_argument(fcinfo, 1);
	c.context = CurrentMemoryContext;
	c.problems = &problems;
	c.free_references = true;
	node.name = "formula";
	orch_definition_compile_formula(&c, &node, text_to_cstring(PG_GETARG_TEXT_PP(0)),
									USE_RUN, &formula);
	if (problems.nerrors > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
				 errmsg("the formula has an error"),
				 errdetail("%s", orch_definition_problem_text(&problems, PROBLEM_ERROR))));
	cxt.resolve = resolve_by_text;
	cxt.arg = values;
	result = orch_formula_node_value(&cxt, formula.root);
	if (result == NULL || result->type == jbvNull)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(JsonbValueToJsonb(result));
}
