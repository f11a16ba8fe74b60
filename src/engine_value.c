/*-------------------------------------------------------------------------
 *
 * engine_value.c
 *	  The values of a run: variables, and what references in conditions, inputs
 *	  and assignments resolve to.
 *
 * Variables are kept in run.variables as one JSON object; the names of the
 * outcomes taken, which references can read as Booleans, go along under a key no
 * variable can have.  $Record is read again at every evaluation, once.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine_value.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "engine_int.h"
#include "errors.h"
#include "record.h"
#include "system.h"
#include "transition.h"
#include "uuid.h"

#define OUTCOMES_KEY "$Outcomes"

/* reference 1.13: all inputs of one step, in characters of their JSON text */
#define MAX_INPUTS 32768

static StaticPlan plan_step_status = {
	"SELECT status FROM orchestration.step_run"
	" WHERE run_id = $1 AND name = $2 ORDER BY id DESC LIMIT 1",
	2, {UUIDOID, TEXTOID}
};
static StaticPlan plan_stage_status = {
	"SELECT status FROM orchestration.stage_run"
	" WHERE run_id = $1 AND name = $2 ORDER BY position DESC LIMIT 1",
	2, {UUIDOID, TEXTOID}
};
static StaticPlan plan_step_outputs = {
	"SELECT outputs FROM orchestration.step_run"
	" WHERE run_id = $1 AND name = $2 AND status = 'Completed'"
	" ORDER BY id DESC LIMIT 1",
	2, {UUIDOID, TEXTOID}
};
static StaticPlan plan_user = {
	"SELECT pg_catalog.to_jsonb(p) FROM orchestration.principal p WHERE p.id = $1",
	1, {UUIDOID}
};

static JsonbValue *resolve(EvalContext *cxt, const Operand *operand);
static JsonbValue *resolve_record(RunState *rs, const Operand *operand);
static JsonbValue *resolve_step_output(RunState *rs, const Operand *operand);
static JsonbValue *latest_status(RunState *rs, StaticPlan *plan, Level level,
								 const char *name);
static JsonbValue *text_value(const char *text);
static JsonbValue *object_value(Jsonb *jsonb);
static bool value_fits(const VariableDef *variable, JsonbValue *value);

static JsonbValue *
text_value(const char *text)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvString;
	value->val.string.val = pstrdup(text);
	value->val.string.len = strlen(text);
	return value;
}

/*
 * A Jsonb as a value; it must stay where it is.
 */
static JsonbValue *
object_value(Jsonb *jsonb)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	if (JB_ROOT_IS_SCALAR(jsonb))
		JsonbExtractScalar(&jsonb->root, value);
	else
	{
		value->type = jbvBinary;
		value->val.binary.data = &jsonb->root;
		value->val.binary.len = VARSIZE_ANY_EXHDR(jsonb);
	}
	return value;
}

/*
 * A copy of a value that lives in a context; NULL for null.
 */
JsonbValue *
orch_engine_copy_value(MemoryContext context, JsonbValue *value)
{
	MemoryContext old;
	JsonbValue *result;

	if (value == NULL || value->type == jbvNull)
		return NULL;
	old = MemoryContextSwitchTo(context);
	result = object_value(JsonbValueToJsonb(value));
	MemoryContextSwitchTo(old);
	return result;
}

/*
 * Variables at their defaults, no outcome taken.
 */
void
orch_engine_init_values(RunState *rs)
{
	const Definition *def = rs->def;
	int			i;

	rs->eval.resolve = resolve;
	rs->eval.arg = rs;
	rs->variables = MemoryContextAllocZero(rs->context,
										   Max(def->nvariables, 1) * sizeof(JsonbValue *));
	rs->outcomes = MemoryContextAllocZero(rs->context,
										  Max(def->noutcomes, 1) * sizeof(bool));
	for (i = 0; i < def->nvariables; i++)
		if (def->variables[i].default_value != NULL)
			rs->variables[i] = orch_engine_copy_value(rs->context,
													  orch_condition_operand_value(&rs->eval, def->variables[i].default_value));
}

/*
 * The inputs of start_orchestration() into the input variables.  Raises OR306.
 */
void
orch_engine_take_inputs(RunState *rs, Jsonb *inputs)
{
	const Definition *def = rs->def;
	JsonbIterator *it;
	JsonbValue	key;
	JsonbIteratorToken token;

	if (inputs == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(inputs))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("inputs must be a JSON object: variable names and their values")));
	it = JsonbIteratorInit(&inputs->root);
	(void) JsonbIteratorNext(&it, &key, false);
	while ((token = JsonbIteratorNext(&it, &key, true)) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);
		JsonbValue	value;
		int			i;

		(void) JsonbIteratorNext(&it, &value, true);
		for (i = 0; i < def->nvariables; i++)
			if (strcmp(def->variables[i].name, name) == 0)
				break;
		if (i >= def->nvariables || !def->variables[i].is_input ||
			def->variables[i].is_constant)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("orchestration \"%s\" has no input variable \"%s\"",
							def->name, name),
					 errhint("orchestration.orchestration_references() lists the inputs.")));
		if (!value_fits(&def->variables[i], &value))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("value of input variable \"%s\" is not of its data type",
							name)));
		rs->variables[i] = orch_engine_copy_value(rs->context, &value);
	}
}

/*
 * Is a value of a variable's data type?  Null always is.
 */
static bool
value_fits(const VariableDef *variable, JsonbValue *value)
{
	JsonbContainer *container;

	if (value == NULL || value->type == jbvNull)
		return true;
	container = value->type == jbvBinary ? value->val.binary.data : NULL;
	if (variable->is_collection)
		return container != NULL && JsonContainerIsArray(container);
	switch (variable->type)
	{
		case VARIABLE_STRING:
		case VARIABLE_DATE:
		case VARIABLE_DATETIME:
		case VARIABLE_TIME:
			return value->type == jbvString;
		case VARIABLE_NUMBER:
			return value->type == jbvNumeric;
		case VARIABLE_BOOLEAN:
			return value->type == jbvBool;
		case VARIABLE_RECORD:
			return container != NULL && JsonContainerIsObject(container);
	}
	return false;
}

/*
 * From and to run.variables.
 */
void
orch_engine_load_variables(RunState *rs, Jsonb *stored)
{
	const Definition *def = rs->def;
	JsonbValue	name;
	JsonbValue *taken;
	int			i;

	if (stored == NULL || !JB_ROOT_IS_OBJECT(stored))
		return;
	name.type = jbvString;
	for (i = 0; i < def->nvariables; i++)
	{
		if (def->variables[i].is_constant)
			continue;
		name.val.string.val = def->variables[i].name;
		name.val.string.len = strlen(def->variables[i].name);
		rs->variables[i] = orch_engine_copy_value(rs->context,
												  findJsonbValueFromContainer(&stored->root,
																			  JB_FOBJECT, &name));
	}
	name.val.string.val = OUTCOMES_KEY;
	name.val.string.len = strlen(OUTCOMES_KEY);
	taken = findJsonbValueFromContainer(&stored->root, JB_FOBJECT, &name);
	if (taken == NULL || taken->type != jbvBinary)
		return;
	for (i = 0; i < def->noutcomes; i++)
	{
		name.val.string.val = def->outcomes[i].name;
		name.val.string.len = strlen(def->outcomes[i].name);
		rs->outcomes[i] = findJsonbValueFromContainer(taken->val.binary.data,
													  JB_FARRAY, &name) != NULL;
	}
}

/*
 * NULL when there is nothing to keep.
 */
Jsonb *
orch_engine_store_variables(RunState *rs)
{
	const Definition *def = rs->def;
	JsonbParseState *state = NULL;
	JsonbValue	name;
	JsonbValue *result;
	bool		any = false;
	bool		any_outcome = false;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	name.type = jbvString;
	for (i = 0; i < def->nvariables; i++)
	{
		if (def->variables[i].is_constant || rs->variables[i] == NULL)
			continue;
		name.val.string.val = def->variables[i].name;
		name.val.string.len = strlen(def->variables[i].name);
		pushJsonbValue(&state, WJB_KEY, &name);
		pushJsonbValue(&state, WJB_VALUE, rs->variables[i]);
		any = true;
	}
	for (i = 0; i < def->noutcomes; i++)
		any_outcome |= rs->outcomes[i];
	if (any_outcome)
	{
		name.val.string.val = OUTCOMES_KEY;
		name.val.string.len = strlen(OUTCOMES_KEY);
		pushJsonbValue(&state, WJB_KEY, &name);
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (i = 0; i < def->noutcomes; i++)
		{
			if (!rs->outcomes[i])
				continue;
			name.val.string.val = def->outcomes[i].name;
			name.val.string.len = strlen(def->outcomes[i].name);
			pushJsonbValue(&state, WJB_ELEM, &name);
		}
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return any || any_outcome ? JsonbValueToJsonb(result) : NULL;
}

/*
 * The callback of the evaluator: what a reference stands for now.
 */
static JsonbValue *
resolve(EvalContext *cxt, const Operand *operand)
{
	RunState   *rs = (RunState *) cxt->arg;
	JsonbValue *value;
	int			i;

	switch (operand->kind)
	{
		case OPERAND_LITERAL:
			return operand->literal;
		case OPERAND_VARIABLE:
			value = rs->variables[operand->index];
			return operand->path == NIL || value == NULL ? value :
				orch_condition_value_at(value, operand->path);
		case OPERAND_RECORD:
			return resolve_record(rs, operand);
		case OPERAND_RECORD_PRIOR:
			return NULL;		/* known to start filters only */
		case OPERAND_STEP_STATUS:
			for (i = 0; i < rs->nsteps; i++)
				if (rs->steps[i].def == operand->index)
					return text_value(orch_catalog_label(ENUM_STEP_STATUS,
														 rs->steps[i].status));
			return latest_status(rs, &plan_step_status, LEVEL_STEP,
								 rs->def->steps[operand->index].name);
		case OPERAND_STAGE_STATUS:
			return latest_status(rs, &plan_stage_status, LEVEL_STAGE,
								 rs->def->stages[operand->index].name);
		case OPERAND_STEP_OUTPUT:
			return resolve_step_output(rs, operand);
		case OPERAND_OUTCOME:
			value = palloc(sizeof(JsonbValue));
			value->type = jbvBool;
			value->val.boolean = rs->outcomes[operand->index];
			return value;
		case OPERAND_USER:
			{
				Datum		id = UUIDPGetDatum(&rs->started_by);
				bool		isnull;

				orch_plan_execute(&plan_user, &id, NULL, false, 1);
				if (SPI_processed == 0)
					return NULL;
				value = object_value(DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[0],
																  SPI_tuptable->tupdesc, 1, &isnull)));
				return operand->path == NIL ? value :
					orch_condition_value_at(value, operand->path);
			}
		case OPERAND_INTERVIEW_GUID:
			return text_value(orch_uuid_text(&rs->interview_id));
		case OPERAND_RUN_ID:
			return text_value(orch_uuid_text(&rs->id));
		case OPERAND_CURRENT_DATETIME:
			return text_value(timestamptz_to_str(GetCurrentTimestamp()));
	}
	return NULL;
}

static JsonbValue *
resolve_record(RunState *rs, const Operand *operand)
{
	if (rs->record_key == NULL)
		return NULL;
	if (!rs->record_loaded)
	{
		MemoryContext old = MemoryContextSwitchTo(rs->context);

		rs->record = orch_record_fetch(rs->record_type, rs->record_key);
		MemoryContextSwitchTo(old);
		rs->record_loaded = true;
	}
	return orch_record_value_at(rs->record_type, rs->record_key, rs->record,
								operand->path);
}

/*
 * An output of a step: readable once the step is Completed, of the latest such
 * step when loops made several.
 */
static JsonbValue *
resolve_step_output(RunState *rs, const Operand *operand)
{
	Datum		values[2];
	bool		isnull;
	Datum		outputs;
	int			i;

	for (i = 0; i < rs->nsteps; i++)
	{
		if (rs->steps[i].def != operand->index)
			continue;
		if (rs->steps[i].status != STEP_COMPLETED || rs->steps[i].outputs == NULL)
			return NULL;
		return orch_condition_value_at(object_value(rs->steps[i].outputs),
									   operand->path);
	}
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = CStringGetTextDatum(rs->def->steps[operand->index].name);
	orch_plan_execute_latest(&plan_step_outputs, values, NULL, 1);
	if (SPI_processed == 0)
		return NULL;
	outputs = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? NULL :
		orch_condition_value_at(object_value(DatumGetJsonbP(outputs)), operand->path);
}

static JsonbValue *
latest_status(RunState *rs, StaticPlan *plan, Level level, const char *name)
{
	Datum		values[2];
	bool		isnull;

	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = CStringGetTextDatum(name);
	orch_plan_execute_latest(plan, values, NULL, 1);
	if (SPI_processed == 0)
		return NULL;
	return text_value(orch_transition_status_name(level,
												  orch_transition_status_value(level,
																			   DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
																											  SPI_tuptable->tupdesc, 1, &isnull)))));
}

/*
 * The inputs of a step's action, as a JSON object.  The reserved ones are the
 * engine's, not the action's.
 */
Jsonb *
orch_engine_step_inputs(RunState *rs, const StepDef *step)
{
	JsonbParseState *state = NULL;
	JsonbValue	name;
	JsonbValue	null;
	Jsonb	   *result;
	int			i;

	null.type = jbvNull;
	name.type = jbvString;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < step->ninputs; i++)
	{
		const InputParameter *input = &step->inputs[i];
		JsonbValue *value = NULL;

		if (strncmp(input->name, "ActionInput__", strlen("ActionInput__")) == 0)
			continue;
		if (input->value != NULL)
			value = orch_condition_operand_value(&rs->eval, input->value);
		name.val.string.val = input->name;
		name.val.string.len = strlen(input->name);
		pushJsonbValue(&state, WJB_KEY, &name);
		pushJsonbValue(&state, WJB_VALUE, value == NULL ? &null : value);
	}
	result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	if (VARSIZE(result) > MAX_INPUTS)
	{
		char	   *text = JsonbToCString(NULL, &result->root, VARSIZE(result));

		if (pg_mbstrlen(text) > MAX_INPUTS)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("inputs of step \"%s\" exceed %d characters",
							step->name, MAX_INPUTS)));
		pfree(text);
	}
	return result;
}

/*
 * Carry out an assignment element.  Raises OR301 for values that do not fit.
 */
void
orch_engine_assign(RunState *rs, const AssignmentDef *assignment)
{
	int			i;

	for (i = 0; i < assignment->nitems; i++)
	{
		const AssignItem *item = &assignment->items[i];
		const VariableDef *variable = &rs->def->variables[item->variable];
		JsonbValue *current = rs->variables[item->variable];
		JsonbValue *value = item->value == NULL ? NULL :
		orch_condition_operand_value(&rs->eval, item->value);
		JsonbValue	result;

		if (value != NULL && value->type == jbvNull)
			value = NULL;
		if (item->op != ASSIGN_SET && value != NULL && current != NULL)
		{
			if (current->type == jbvNumeric && value->type == jbvNumeric)
			{
				result.type = jbvNumeric;
				result.val.numeric = DatumGetNumeric(DirectFunctionCall2(item->op == ASSIGN_ADD ?
																		 numeric_add : numeric_sub,
																		 NumericGetDatum(current->val.numeric),
																		 NumericGetDatum(value->val.numeric)));
				value = &result;
			}
			else if (item->op == ASSIGN_ADD && current->type == jbvString &&
					 value->type == jbvString)
			{
				result.type = jbvString;
				result.val.string.len = current->val.string.len + value->val.string.len;
				result.val.string.val = palloc(result.val.string.len + 1);
				memcpy(result.val.string.val, current->val.string.val,
					   current->val.string.len);
				memcpy(result.val.string.val + current->val.string.len,
					   value->val.string.val, value->val.string.len);
				value = &result;
			}
			else
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
						 errmsg("assignment \"%s\" cannot %s variable \"%s\"",
								assignment->name,
								item->op == ASSIGN_ADD ? "add to" : "subtract from",
								variable->name),
						 errdetail("Numbers add and subtract, texts add.")));
		}
		else if (item->op != ASSIGN_SET && value == NULL)
			continue;			/* nothing to add */
		else if (item->op == ASSIGN_SUBTRACT && value->type == jbvNumeric)
		{
			result.type = jbvNumeric;
			result.val.numeric = DatumGetNumeric(DirectFunctionCall1(numeric_uminus,
																	 NumericGetDatum(value->val.numeric)));
			value = &result;
		}

		if (!value_fits(variable, value))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("assignment \"%s\": the value of %s is not of the data type of variable \"%s\"",
							assignment->name,
							item->value == NULL ? "null" : item->value->text,
							variable->name)));
		rs->variables[item->variable] = orch_engine_copy_value(rs->context, value);
		rs->variables_changed = true;
	}
}
