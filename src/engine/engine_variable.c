/*-------------------------------------------------------------------------
 *
 * engine_variable.c
 *	  The variables of a run: how they begin, and how they are given a value.
 *
 * A run begins with the inputs that its caller gives.  Every other variable gets its
 * default, in an order in which each default finds the variables that it reads
 * (definition_default.c).  engine_start.c has what follows if a default fails,
 * engine_assign.c the assignments, engine_record.c the records in variables.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_variable.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "access/access.h"
#include "base/errors.h"
#include "engine/engine_int.h"

static JsonbValue *as_type(const VariableDef *variable, JsonbValue *value);

/* ------------------------------------------------------------- beginnings */

/*
 * All variables null, and no outcome taken.
 */
void
orch_engine_init_values(RunState *rs)
{
	const Definition *def = rs->def;

	orch_engine_init_evaluation(rs);
	rs->variables = MemoryContextAllocZero(rs->context,
										   Max(def->nvariables, 1) * sizeof(JsonbValue *));
	rs->outcomes = MemoryContextAllocZero(rs->context,
										  Max(def->noutcomes, 1) * sizeof(bool));
	rs->visited = MemoryContextAllocZero(rs->context, Max(def->nvisits, 1) * sizeof(bool));
}

/*
 * The values with which a run or evaluation flow begins: the inputs, and the defaults of
 * the others.  caller: the role that gave the inputs.  Raises OR306 for inputs that do not
 * fit, and what a default raises.
 */
void
orch_engine_begin_values(RunState *rs, Jsonb *inputs, Oid caller)
{
	orch_engine_init_values(rs);
	orch_engine_set_defaults(rs, orch_engine_take_inputs(rs, inputs, caller));
}

/*
 * Assign the inputs of start_orchestration() to the input variables.  Returns which
 * variables were given.  Raises OR306, OR101 for the id of a record that does not exist.
 */
bool *
orch_engine_take_inputs(RunState *rs, Jsonb *inputs, Oid caller)
{
	const Definition *def = rs->def;
	bool	   *given = palloc0(Max(def->nvariables, 1) * sizeof(bool));
	JsonbIterator *it;
	JsonbValue	key;
	JsonbIteratorToken token;

	if (inputs == NULL)
		return given;
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
		JsonbValue *taken;
		char	   *id;
		int			i = orch_definition_variable_index(def, name);

		CHECK_FOR_INTERRUPTS();
		(void) JsonbIteratorNext(&it, &value, true);
		if (i < 0 || !def->variables[i].is_input ||
			def->variables[i].is_constant)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("orchestration \"%s\" has no input variable \"%s\"",
							def->name, name),
					 errhint("orchestration.orchestration_references() lists the inputs.")));
		if (def->variables[i].object_type != NULL && OidIsValid(caller) &&
			orch_access_is_unlimited(orch_access_of_role(caller)))
			caller = InvalidOid;
		taken = orch_engine_record_of_id(rs, &def->variables[i], &value, caller, &id);
		if (!orch_engine_value_fits(&def->variables[i], taken))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("value of input variable \"%s\" is not of its data type",
							name)));
		rs->variables[i] = orch_engine_copy_value(rs->context, taken);
		orch_engine_bind(rs, i, caller, id);
		given[i] = true;
	}
	return given;
}

/* The defaults of all variables that were not given. */
void
orch_engine_set_defaults(RunState *rs, const bool *given)
{
	const Definition *def = rs->def;
	int			i;

	orch_engine_begin_evaluation(rs);
	for (i = 0; i < def->ndefaults; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!given[def->defaults[i]])
			orch_engine_set_default(rs, def->defaults[i]);
	}
}

void
orch_engine_set_default(RunState *rs, int index)
{
	const VariableDef *variable = &rs->def->variables[index];
	JsonbValue *value = orch_condition_operand_value(&rs->eval, variable->default_value);

	if (!orch_engine_set_variable(rs, index, value))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("the default of variable \"%s\", %s, is not of its data type",
						variable->name, variable->default_value->text),
				 errdetail("The value is %s.", orch_condition_type_name(value))));
}

/*
 * Give a variable a value, converted to its data type.  Returns false, and changes
 * nothing, for a value that does not fit.
 */
bool
orch_engine_set_variable(RunState *rs, int index, JsonbValue *value)
{
	const VariableDef *variable = &rs->def->variables[index];
	Oid			reader = InvalidOid;
	char	   *id;

	/* only a record that is bound or given by id needs a reader */
	if (variable->object_type != NULL && value != NULL &&
		(variable->refreshes || value->type == jbvString || value->type == jbvNumeric))
		reader = orch_engine_reader(rs);
	value = as_type(variable, orch_engine_record_of_id(rs, variable, value, reader, &id));
	if (!orch_engine_value_fits(variable, value))
		return false;
	rs->variables[index] = orch_engine_copy_value(rs->context, value);
	orch_engine_bind(rs, index, reader, id);
	return true;
}

/*
 * A value as the data type of a variable, if it can be converted: numbers and booleans to
 * texts, points in time to dates.
 * Source: Salesforce Help, "Flow Operators in Assignment Elements".
 */
static JsonbValue *
as_type(const VariableDef *variable, JsonbValue *value)
{
	JsonbValue *result;
	Timestamp	timestamp;

	if (value == NULL || variable->is_collection)
		return value;
	if (variable->type == VARIABLE_STRING &&
		(value->type == jbvNumeric || value->type == jbvBool))
	{
		result = palloc(sizeof(JsonbValue));
		result->type = jbvString;
		result->val.string.val = orch_condition_value_text(value);
		result->val.string.len = strlen(result->val.string.val);
		return result;
	}
	if (variable->type == VARIABLE_DATE && value->type == jbvString &&
		value->val.string.len > (int) strlen("2000-01-01") &&
		orch_condition_datetime(value->val.string.val, value->val.string.len, &timestamp))
		return orch_formula_time_value(timestamp, true);
	return value;
}
