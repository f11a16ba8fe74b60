/*-------------------------------------------------------------------------
 *
 * engine_variable.c
 *	  The variables of a run: how they begin, and what refreshes them.
 *
 * A run begins with the inputs that its caller gives.  Every other variable gets its
 * default, in an order in which each default finds the variables that it reads
 * (definition_default.c).  A default that cannot be evaluated does not fail the statement
 * that starts the run: the variable is null, and if something reads it, the run goes to
 * Error before its first element.
 *
 * A variable of a registered record type that holds records is bound to them: whenever the
 * run reads $Record again, it reads these again too, and a change of one of them lets the
 * run evaluate its conditions (record_change.c).  So do definitions of apiVersion 58 and
 * later; in those before it, and for records that cannot be bound, the variable keeps the
 * value that it was given.  Assigning to a field of such a variable unbinds it: the record
 * is then the run's own.  A deleted record is null.
 *
 * orchestration.run_record has a row for each bound record.  A session that changes a
 * record searches there.  Like $Record, a record is locked when it is bound, so that it
 * cannot change between that and the commit which makes the row visible.  A record is
 * bound only if the user who started the run could read it, or the caller, for an input:
 * its values go into run.variables, which others may see.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_variable.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "access/access.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "record/record.h"

/* A collection with more members is not bound. */
#define MAX_BOUND	200

static StaticPlan plan_bindings = {
	"SELECT variable, record_id FROM orchestration.run_record WHERE run_id = $1"
	" ORDER BY variable, position",
	1, {UUIDOID}
};
static StaticPlan plan_unbind = {
	"DELETE FROM orchestration.run_record WHERE run_id = $1 AND variable = $2",
	2, {UUIDOID, TEXTOID}
};
static StaticPlan plan_bind = {
	"INSERT INTO orchestration.run_record (run_id, variable, position, record_type, record_id)"
	" SELECT $1, $2, k.position, $3, k.key"
	" FROM pg_catalog.unnest($4) WITH ORDINALITY AS k (key, position)",
	4, {UUIDOID, TEXTOID, TEXTOID, TEXTARRAYOID}
};

static bool *take_inputs(RunState *rs, Jsonb *inputs, Oid caller);
static void set_defaults(RunState *rs, const bool *given);
static void set_default(RunState *rs, int index);
static ErrorData *try_defaults(RunState *rs, const bool *given, int index);
static JsonbValue *record_of_id(RunState *rs, const VariableDef *variable,
								JsonbValue *value, Oid reader);
static char *record_key(const char *type, JsonbValue *value);
static char *bind_record(RunState *rs, const char *type, const char *key, Oid reader);
static RecordBinding *binding_of(RunState *rs, int index);
static void read_bindings(RunState *rs);
static void bind(RunState *rs, int index, Oid reader);
static void refresh(RunState *rs, int index, RecordBinding *binding);
static JsonbValue *fetch_records(const char *type, RecordBinding *binding,
								 bool is_collection);
static Jsonb *jsonb_of(JsonbValue *value);

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
	set_defaults(rs, take_inputs(rs, inputs, caller));
}

/*
 * The same for a new run.  Does not raise what a default raises: returns the first such
 * error of a variable that is read, as run.error stores it; NULL if there is none.
 */
Jsonb *
orch_engine_begin_run_values(RunState *rs, Jsonb *inputs, Oid caller)
{
	const Definition *def = rs->def;
	Jsonb	   *result = NULL;
	bool	   *given;
	bool		literals = true;
	int			i;

	orch_engine_init_values(rs);
	given = take_inputs(rs, inputs, caller);
	for (i = 0; i < def->ndefaults; i++)
		literals &= given[def->defaults[i]] ||
			def->variables[def->defaults[i]].default_value->kind == OPERAND_LITERAL;
	if (literals)
	{
		/* no subtransaction for what cannot fail */
		set_defaults(rs, given);
		return NULL;
	}
	if (try_defaults(rs, given, -1) == NULL)
		return NULL;

	/* one of them failed, and undid them all: each by itself */
	for (i = 0; i < def->ndefaults; i++)
	{
		int			index = def->defaults[i];
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		if (given[index])
			continue;
		error = try_defaults(rs, given, index);
		if (error == NULL)
			continue;
		rs->variables[index] = NULL;
		if (def->variables[index].is_read && result == NULL)
			result = orch_engine_error(error, def->variables[index].name);
	}
	return result;
}

/*
 * The default of a variable, or (-1) of all that were not given.  Returns the error if it
 * cannot be evaluated, else NULL.
 */
static ErrorData *
try_defaults(RunState *rs, const bool *given, int index)
{
	ErrorData  *volatile error = NULL;

	ORCH_ENGINE_TRY();
	{
		if (index < 0)
			set_defaults(rs, given);
		else
		{
			orch_engine_begin_evaluation(rs);
			set_default(rs, index);
		}
	}
	ORCH_ENGINE_CATCH(error);
	return error;
}

/*
 * Assign the inputs of start_orchestration() to the input variables.  Returns which
 * variables were given.  Raises OR306, OR101 for the id of a record that does not exist.
 */
static bool *
take_inputs(RunState *rs, Jsonb *inputs, Oid caller)
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
		taken = record_of_id(rs, &def->variables[i], &value, caller);
		if (!orch_engine_value_fits(&def->variables[i], taken))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("value of input variable \"%s\" is not of its data type",
							name)));
		rs->variables[i] = orch_engine_copy_value(rs->context, taken);
		bind(rs, i, caller);
		given[i] = true;
	}
	return given;
}

/* The defaults of all variables that were not given. */
static void
set_defaults(RunState *rs, const bool *given)
{
	const Definition *def = rs->def;
	int			i;

	orch_engine_begin_evaluation(rs);
	for (i = 0; i < def->ndefaults; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!given[def->defaults[i]])
			set_default(rs, def->defaults[i]);
	}
}

static void
set_default(RunState *rs, int index)
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
	Oid			reader = orch_engine_reader(rs, variable->refreshes ||
											variable->object_type != NULL);

	value = orch_engine_as_type(variable, record_of_id(rs, variable, value, reader));
	if (!orch_engine_value_fits(variable, value))
		return false;
	rs->variables[index] = orch_engine_copy_value(rs->context, value);
	bind(rs, index, reader);
	return true;
}

/*
 * A value as the data type of a variable, if it can be converted: numbers and booleans to
 * texts, points in time to dates.
 * Source: Salesforce Help, "Flow Operators in Assignment Elements".
 */
JsonbValue *
orch_engine_as_type(const VariableDef *variable, JsonbValue *value)
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

/* ------------------------------------------------------------------ records */

/*
 * The role whose rights decide which records are bound, InvalidOid: all can be.  It is
 * that of the user who started the run.  A user without a role acts through the connection
 * of another role; for such a user, and if no user started the run, there is no limit.
 */
Oid
orch_engine_reader(RunState *rs, bool needed)
{
	static StaticPlan plan_role = {
		"SELECT role_name::pg_catalog.text FROM orchestration.principal"
		" WHERE id = $1 AND role_name IS NOT NULL",
		1, {UUIDOID}
	};
	Datum		value = UUIDPGetDatum(&rs->started_by);
	Oid			role = InvalidOid;

	if (!needed)
		return InvalidOid;
	orch_plan_execute_latest(&plan_role, &value, NULL, 1);
	if (SPI_processed > 0)
		role = get_role_oid(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
							true);
	if (OidIsValid(role) && orch_access_is_unlimited(orch_access_of_role(role)))
		return InvalidOid;
	return role;
}

/*
 * The record, if an SObject variable is given an id; otherwise the value itself.
 */
static JsonbValue *
record_of_id(RunState *rs, const VariableDef *variable, JsonbValue *value, Oid reader)
{
	char	   *key;
	char	   *id;
	Jsonb	   *record;

	if (value == NULL || variable->object_type == NULL || variable->is_collection ||
		(value->type != jbvString && value->type != jbvNumeric))
		return value;
	key = orch_condition_value_text(value);
	id = bind_record(rs, variable->object_type, key, reader);
	record = id == NULL ? NULL : orch_record_fetch(variable->object_type, id);
	if (record == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("record \"%s\" of type \"%s\" does not exist", key,
						variable->object_type),
				 errdetail("It was given to variable \"%s\".", variable->name)));
	return orch_engine_object_value(record);
}

/*
 * The key of a record that is given as an object, NULL if it has none.
 */
static char *
record_key(const char *type, JsonbValue *value)
{
	JsonbValue *key;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return NULL;
	key = orch_record_json_id(type, JsonbValueToJsonb(value));
	if (key == NULL)
		key = orch_condition_field(value->val.binary.data, "Id");
	return key == NULL || (key->type != jbvString && key->type != jbvNumeric) ? NULL :
		orch_condition_value_text(key);
}

/*
 * Locks the record, if there is such a record and its values may be read for this run.
 * Returns its id, else NULL.
 */
static char *
bind_record(RunState *rs, const char *type, const char *key, Oid reader)
{
	/* the run's own record was asked for when the run started */
	if (rs->record_key != NULL && strcmp(rs->record_type, type) == 0 &&
		strcmp(rs->record_key, key) == 0)
		reader = InvalidOid;
	return orch_record_try_lock(type, key, reader, true);
}

/*
 * The binding of a variable that refreshes, read first if it is not in memory.
 */
static RecordBinding *
binding_of(RunState *rs, int index)
{
	if (rs->bindings == NULL)
	{
		rs->bindings = MemoryContextAllocZero(rs->context,
											  sizeof(RecordBinding) * rs->def->nvariables);
		if (rs->read)
			read_bindings(rs);
	}
	return &rs->bindings[index];
}

static void
read_bindings(RunState *rs)
{
	Datum		value = UUIDPGetDatum(&rs->id);
	MemoryContext old;
	uint64		i;

	orch_plan_execute_latest(&plan_bindings, &value, NULL, 0);
	old = MemoryContextSwitchTo(rs->context);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		int			index = orch_definition_variable_index(rs->def,
														   SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1));
		RecordBinding *binding;

		CHECK_FOR_INTERRUPTS();
		if (index < 0 || !rs->def->variables[index].refreshes)
			continue;
		binding = &rs->bindings[index];
		binding->keys = lappend(binding->keys,
								pstrdup(SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2)));
	}
	MemoryContextSwitchTo(old);
}

/*
 * A variable was given a value: bind it to the records in it, or to none.
 */
static void
bind(RunState *rs, int index, Oid reader)
{
	const VariableDef *variable = &rs->def->variables[index];
	JsonbValue *value = rs->variables[index];
	RecordBinding *binding;
	List	   *keys = NIL;
	MemoryContext old;

	/* filters of the start have no run yet */
	if (!variable->refreshes || rs->frame == NULL)
		return;
	binding = binding_of(rs, index);
	if (value != NULL && variable->is_collection)
		keys = orch_engine_members(value);
	else if (value != NULL)
		keys = list_make1(value);
	if (list_length(keys) > MAX_BOUND)
		keys = NIL;
	old = MemoryContextSwitchTo(rs->context);
	binding->keys = NIL;
	if (keys != NIL)
	{
		ListCell   *cell;

		foreach(cell, keys)
		{
			char	   *key = record_key(variable->object_type, lfirst(cell));

			CHECK_FOR_INTERRUPTS();
			if (key != NULL)
				key = bind_record(rs, variable->object_type, key, reader);
			if (key == NULL)
			{
				/* all of its members, or none */
				binding->keys = NIL;
				break;
			}
			binding->keys = lappend(binding->keys, key);
		}
	}
	MemoryContextSwitchTo(old);
	binding->changed = true;
	binding->fresh = false;
	rs->bindings_changed = true;
}

/*
 * A field of a variable was assigned: its record is the run's own from now on.
 */
void
orch_engine_unbind(RunState *rs, int index)
{
	RecordBinding *binding;

	if (!rs->def->variables[index].refreshes || rs->frame == NULL)
		return;
	binding = binding_of(rs, index);
	if (binding->keys == NIL)
		return;
	binding->keys = NIL;
	binding->changed = true;
	rs->bindings_changed = true;
}

/*
 * Read $Record and the records of variables again when they are needed next.
 */
void
orch_engine_forget_records(RunState *rs)
{
	int			i;

	rs->record_loaded = false;
	for (i = 0; rs->bindings != NULL && i < rs->def->nvariables; i++)
		rs->bindings[i].fresh = false;
}

/*
 * Store the bindings that changed.
 */
void
orch_engine_write_bindings(RunState *rs)
{
	int			i;

	if (!rs->bindings_changed)
		return;
	orch_engine_flush();		/* the run's row must be there */
	for (i = 0; i < rs->def->nvariables; i++)
	{
		RecordBinding *binding = &rs->bindings[i];
		Datum		values[4];
		Datum	   *keys;
		ListCell   *cell;
		int			n = 0;

		CHECK_FOR_INTERRUPTS();
		if (!binding->changed)
			continue;
		values[0] = UUIDPGetDatum(&rs->id);
		values[1] = CStringGetTextDatum(rs->def->variables[i].name);
		orch_plan_execute_latest(&plan_unbind, values, NULL, 0);
		if (binding->keys != NIL)
		{
			keys = palloc(sizeof(Datum) * list_length(binding->keys));
			foreach(cell, binding->keys)
				keys[n++] = CStringGetTextDatum(lfirst(cell));
			values[2] = CStringGetTextDatum(rs->def->variables[i].object_type);
			values[3] = PointerGetDatum(construct_array(keys, n, TEXTOID, -1, false,
														TYPALIGN_INT));
			orch_plan_execute_latest(&plan_bind, values, NULL, 0);
		}
		binding->changed = false;
	}
	rs->bindings_changed = false;
}

/*
 * The value of a variable, or of a field in it.
 */
JsonbValue *
orch_engine_variable_value(RunState *rs, const Operand *operand)
{
	const VariableDef *variable = &rs->def->variables[operand->index];
	JsonbValue *value;

	if (rs->variables == NULL)
		return NULL;
	if (variable->refreshes && rs->frame != NULL)
	{
		RecordBinding *binding = binding_of(rs, operand->index);

		if (binding->keys != NIL)
		{
			if (!binding->fresh)
				refresh(rs, operand->index, binding);
			value = rs->variables[operand->index];
			if (!variable->is_collection && operand->path != NIL && value != NULL)
			{
				const char *missing;

				value = orch_record_value_at(variable->object_type, linitial(binding->keys),
											 jsonb_of(value), operand->path, &missing);
				if (missing != NULL)
					orch_record_refuse_field(variable->object_type, missing);
				return value;
			}
		}
	}
	value = rs->variables[operand->index];
	return operand->path == NIL || value == NULL ? value :
		orch_condition_value_at(value, operand->path);
}

/*
 * Read the records of a variable again.
 */
static void
refresh(RunState *rs, int index, RecordBinding *binding)
{
	const VariableDef *variable = &rs->def->variables[index];
	JsonbValue *value = fetch_records(variable->object_type, binding,
									  variable->is_collection);

	binding->fresh = true;
	if (orch_condition_same_value(value, rs->variables[index]))
		return;
	rs->variables[index] = orch_engine_copy_value(rs->context, value);
	rs->variables_changed = true;
}

/* The records of a binding; members that were deleted are left out. */
static JsonbValue *
fetch_records(const char *type, RecordBinding *binding, bool is_collection)
{
	JsonbParseState *state = NULL;
	ListCell   *cell;

	if (!is_collection)
	{
		Jsonb	   *record = orch_record_fetch(type, linitial(binding->keys));

		return record == NULL ? NULL : orch_engine_object_value(record);
	}
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, binding->keys)
	{
		Jsonb	   *record = orch_record_fetch(type, lfirst(cell));

		CHECK_FOR_INTERRUPTS();
		if (record != NULL)
			pushJsonbValue(&state, WJB_ELEM, orch_engine_object_value(record));
	}
	return orch_engine_object_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY,
																	 NULL)));
}

/* The Jsonb into which the value of a variable points; see orch_engine_copy_value(). */
static Jsonb *
jsonb_of(JsonbValue *value)
{
	if (value->type != jbvBinary)
		return NULL;
	return (Jsonb *) ((char *) value->val.binary.data - offsetof(Jsonb, root));
}
