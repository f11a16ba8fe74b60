/*-------------------------------------------------------------------------
 *
 * engine_assign.c
 *	  Assignments: the new values of variables.
 *
 * A variable holds a JSON value.  An assignment never changes a value in place; it makes
 * a new one.  A value that does not fit the variable is an error (OR301).  Then no item
 * of the element takes effect: the caller undoes those that came before.
 *
 * The value of each item is an evaluation of its own: a formula that reads a variable
 * sees the value that an earlier item gave it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_assign.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "base/errors.h"
#include "engine/engine_int.h"
#include "evaluate/formula.h"

/* Limit of a collection that an assignment makes: each assignment can double it. */
#define MAX_MEMBERS 1000000

static JsonbValue *assigned_value(const AssignmentDef *assignment,
								  const AssignItem *item,
								  const char *name, JsonbValue *current,
								  JsonbValue *value, bool collection);
static JsonbValue *add_value(const AssignmentDef *assignment, const AssignItem *item,
							 const char *name, JsonbValue *current, JsonbValue *value);
static JsonbValue *collection_value(const AssignmentDef *assignment,
									const AssignItem *item, const char *name,
									JsonbValue *current, JsonbValue *value);
static JsonbValue *make_collection(List *members);
static JsonbValue *set_field(JsonbValue *object, List *path, int depth,
							 JsonbValue *value);

/*
 * Carry out an assignment element.  Raises OR301 for values that do not fit.
 */
void
orch_engine_assign(RunState *rs, const AssignmentDef *assignment)
{
	int			i;

	orch_engine_visit(rs, assignment->name);
	for (i = 0; i < assignment->nitems; i++)
	{
		const AssignItem *item = &assignment->items[i];
		const VariableDef *variable = &rs->def->variables[item->variable];
		JsonbValue *current = rs->variables[item->variable];
		JsonbValue *value = item->value == NULL ? NULL :
		orch_engine_value(rs, item->value);

		CHECK_FOR_INTERRUPTS();
		if (item->path != NIL)
		{
			JsonbValue *field = current == NULL ? NULL :
				orch_condition_value_at(current, item->path);

			value = assigned_value(assignment, item, item->value == NULL ? "null" :
								   item->value->text, field, value, false);
			value = set_field(current, item->path, 0, value);
			orch_engine_unbind(rs, item->variable);
			rs->variables[item->variable] = orch_engine_copy_value(rs->context, value);
			rs->variables_changed = true;
			continue;
		}
		value = assigned_value(assignment, item, variable->name, current, value,
							   variable->is_collection);
		if (!orch_engine_set_variable(rs, item->variable, value))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("assignment \"%s\": the value of %s is not of the data type of variable \"%s\"",
							assignment->name,
							item->value == NULL ? "null" : item->value->text,
							variable->name)));
		rs->variables_changed = true;
	}
}

static JsonbValue *
assigned_value(const AssignmentDef *assignment, const AssignItem *item,
			   const char *name, JsonbValue *current, JsonbValue *value,
			   bool collection)
{
	JsonbValue *result;

	switch (item->op)
	{
		case ASSIGN_SET:
			return value;
		case ASSIGN_COUNT:
			result = palloc(sizeof(JsonbValue));
			result->type = jbvNumeric;
			result->val.numeric = int64_to_numeric(list_length(orch_engine_members(value)));
			return result;
		case ASSIGN_ADD:
		case ASSIGN_SUBTRACT:
			if (!collection)
				return add_value(assignment, item, name, current, value);
			/* FALLTHROUGH */
		default:
			return collection_value(assignment, item, name, current, value);
	}
}

/*
 * Add or subtract: numbers, days of a date, texts (joined).  Adding null changes
 * nothing, and a variable that is null counts as 0 or the empty text.
 */
static JsonbValue *
add_value(const AssignmentDef *assignment, const AssignItem *item, const char *name,
		  JsonbValue *current, JsonbValue *value)
{
	bool		add = item->op == ASSIGN_ADD;
	JsonbValue *result = palloc(sizeof(JsonbValue));
	Timestamp	time;

	if (value == NULL)
		return current;
	if (value->type == jbvNumeric && (current == NULL || current->type == jbvNumeric))
	{
		Datum		numbers[2];
		Datum		number;

		numbers[0] = NumericGetDatum(current == NULL ? int64_to_numeric(0) :
									 current->val.numeric);
		numbers[1] = NumericGetDatum(value->val.numeric);
		number = orch_formula_compute(add ? "+" : "-", add ? numeric_add : numeric_sub, 2, numbers);
		result->type = jbvNumeric;
		result->val.numeric = DatumGetNumeric(orch_formula_number(number));
		return result;
	}
	if (add && current == NULL && value->type == jbvString)
		return value;
	if (add && current != NULL && current->type == jbvString && value->type == jbvString)
	{
		/* jsonb limits the length of each, to far below INT_MAX / 2 */
		result->type = jbvString;
		result->val.string.len = current->val.string.len + value->val.string.len;
		result->val.string.val = palloc(result->val.string.len + 1);
		memcpy(result->val.string.val, current->val.string.val, current->val.string.len);
		memcpy(result->val.string.val + current->val.string.len,
			   value->val.string.val, value->val.string.len);
		if (orch_formula_is_too_long(result->val.string.val, result->val.string.len))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("assignment \"%s\": the text of variable \"%s\" would be longer than %d characters",
							assignment->name, name, MAX_TEXT_LENGTH)));
		return result;
	}
	if (current != NULL && current->type == jbvString && value->type == jbvNumeric &&
		orch_condition_datetime(current->val.string.val, current->val.string.len, &time))
	{
		/* a fraction of a day is rounded away */
		Datum		days = DirectFunctionCall2(numeric_round, NumericGetDatum(value->val.numeric),
											   Int32GetDatum(0));

		return orch_formula_time_value(orch_formula_add_days(time, DatumGetNumeric(days), !add, true),
									   current->val.string.len == 10);
	}
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("assignment \"%s\" cannot %s variable \"%s\"", assignment->name,
					add ? "add to" : "subtract from", name),
			 errdetail("Numbers add and subtract, also as days of dates; texts add.")));
}

static JsonbValue *
collection_value(const AssignmentDef *assignment, const AssignItem *item,
				 const char *name, JsonbValue *current, JsonbValue *value)
{
	List	   *list = orch_engine_members(current);
	List	   *others;
	List	   *result = NIL;
	ListCell   *cell;
	ListCell   *other;
	int			position = -1;
	int			i = 0;

	if (item->op == ASSIGN_REMOVE_POSITION)
	{
		if (value == NULL || value->type != jbvNumeric)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("assignment \"%s\" cannot remove a member of collection \"%s\"",
							assignment->name, name),
					 errdetail("Its position is %s, not a number.",
							   orch_condition_type_name(value))));
		/* a position without a member is no error, however far away it is */
		if (!orch_formula_exceeds(NumericGetDatum(value->val.numeric), PG_INT32_MAX))
			position = DatumGetInt32(DirectFunctionCall1(numeric_int4,
														 NumericGetDatum(value->val.numeric)));
		return make_collection(position < 1 || position > list_length(list) ? list :
							   list_delete_nth_cell(list, position - 1));
	}
	/* a collection adds its members, anything else itself */
	others = value != NULL && value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data) ? orch_engine_members(value) :
		value == NULL ? NIL : list_make1(value);
	if ((item->op == ASSIGN_ADD || item->op == ASSIGN_ADD_ITEM ||
		 item->op == ASSIGN_ADD_AT_START) &&
		list_length(list) + list_length(others) > MAX_MEMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("assignment \"%s\": collection \"%s\" would have more than %d members",
						assignment->name, name, MAX_MEMBERS)));
	switch (item->op)
	{
		case ASSIGN_ADD:
		case ASSIGN_ADD_ITEM:
			return make_collection(list_concat(list, others));
		case ASSIGN_ADD_AT_START:
			return make_collection(list_concat(others, list));
		case ASSIGN_REMOVE_FIRST:
		case ASSIGN_REMOVE_BEFORE_FIRST:
		case ASSIGN_REMOVE_AFTER_FIRST:
			foreach(cell, list)
			{
				CHECK_FOR_INTERRUPTS();
				if (position < 0 && orch_condition_same_value(lfirst(cell), value))
					position = i;
				i++;
			}
			if (position < 0)
				return current;
			i = 0;
			foreach(cell, list)
			{
				if (item->op == ASSIGN_REMOVE_FIRST ? i != position :
					item->op == ASSIGN_REMOVE_BEFORE_FIRST ? i >= position : i <= position)
					result = lappend(result, lfirst(cell));
				i++;
			}
			return make_collection(result);
		default:
			foreach(cell, list)
			{
				bool		common = false;

				foreach(other, others)
				{
					CHECK_FOR_INTERRUPTS();
					if (orch_condition_same_value(lfirst(cell), lfirst(other)))
					{
						common = true;
						break;
					}
				}
				if (common == (item->op == ASSIGN_REMOVE_UNCOMMON))
					result = lappend(result, lfirst(cell));
			}
			return make_collection(result);
	}
}

static JsonbValue *
make_collection(List *members)
{
	JsonbParseState *state = NULL;
	JsonbValue	null;
	ListCell   *cell;

	null.type = jbvNull;
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, members)
	{
		CHECK_FOR_INTERRUPTS();
		pushJsonbValue(&state, WJB_ELEM, lfirst(cell) == NULL ? &null : lfirst(cell));
	}
	return pushJsonbValue(&state, WJB_END_ARRAY, NULL);
}

/*
 * An object with a field at a path set; null is an object without fields.
 */
static JsonbValue *
set_field(JsonbValue *object, List *path, int depth, JsonbValue *value)
{
	JsonbParseState *state = NULL;
	const char *name = list_nth(path, depth);
	JsonbValue	key;
	JsonbValue	null;
	JsonbValue *old = NULL;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	null.type = jbvNull;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (object != NULL && object->type == jbvBinary &&
		JsonContainerIsObject(object->val.binary.data))
	{
		JsonbIterator *it = JsonbIteratorInit(object->val.binary.data);
		JsonbValue	member;

		(void) JsonbIteratorNext(&it, &member, true);
		while (JsonbIteratorNext(&it, &member, true) == WJB_KEY)
		{
			key = member;
			(void) JsonbIteratorNext(&it, &member, true);
			if (key.val.string.len == (int) strlen(name) &&
				pg_strncasecmp(key.val.string.val, name, key.val.string.len) == 0)
			{
				old = palloc(sizeof(JsonbValue));
				*old = member;
				continue;
			}
			pushJsonbValue(&state, WJB_KEY, &key);
			pushJsonbValue(&state, WJB_VALUE, &member);
		}
	}
	if (depth + 1 < list_length(path))
		value = set_field(old, path, depth + 1, value);
	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	pushJsonbValue(&state, WJB_KEY, &key);
	if (value != NULL && (value->type == jbvObject || value->type == jbvArray))
		value = orch_condition_jsonb_value(JsonbValueToJsonb(value));
	pushJsonbValue(&state, WJB_VALUE, value == NULL ? &null : value);
	return pushJsonbValue(&state, WJB_END_OBJECT, NULL);
}
