/*-------------------------------------------------------------------------
 *
 * action_member.c
 *	  Inputs and outputs of actions, as set_action_contract() declares them.
 *
 * A description is a JSON object: for each name a data type, as text or as an object with
 * dataType and isRequired.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/action_member.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/argument.h"
#include "base/errors.h"
#include "base/limit.h"
#include "base/system.h"
#include "evaluate/condition.h"
#include "record/action_int.h"

static void check_described_member(JsonbContainer *member, const char *argument,
								   const char *name);
static void check_description(Jsonb *described, const char *argument);

static const char *const member_types[] = {
	"String", "Number", "Boolean", "Date", "DateTime", "Time", "Record", "Collection", "Any"
};

/* of the same data types, in their order */
static const ValueType value_types[] = {
	VALUE_TEXT, VALUE_NUMBER, VALUE_BOOLEAN, VALUE_DATE, VALUE_DATETIME, VALUE_TIME,
	VALUE_RECORD, VALUE_COLLECTION, VALUE_UNKNOWN
};

/*
 * The description of a member; NULL if there is none.
 */
static JsonbValue *
described_member(Jsonb *described, const char *name)
{
	return getKeyJsonValueFromContainer(&described->root, name, strlen(name), NULL);
}

static char *
described_type(JsonbValue *member)
{
	JsonbValue *type = member;

	if (member->type == jbvBinary)
		type = getKeyJsonValueFromContainer(member->val.binary.data, "dataType", 8, NULL);
	return type == NULL || type->type != jbvString ? pstrdup("Any") :
		pnstrdup(type->val.string.val, type->val.string.len);
}

bool
orch_action_is_required(JsonbValue *member)
{
	JsonbValue *required = member->type != jbvBinary ? NULL :
		getKeyJsonValueFromContainer(member->val.binary.data, "isRequired", 10, NULL);

	return required != NULL && required->type == jbvBool && required->val.boolean;
}

char *
orch_action_member_type(Jsonb *described, const char *name)
{
	JsonbValue *member = described_member(described, name);

	return member == NULL ? NULL : described_type(member);
}

ValueType
orch_action_value_type(const char *type)
{
	int			i;

	for (i = 0; i < (int) lengthof(member_types); i++)
		if (strcmp(type, member_types[i]) == 0)
			return value_types[i];
	return VALUE_UNKNOWN;
}

bool
orch_action_takes(const char *type, ValueType value)
{
	ValueType	wanted = orch_action_value_type(type);

	if (wanted == VALUE_UNKNOWN || value == VALUE_UNKNOWN || wanted == value)
		return true;
	if (wanted == VALUE_NUMBER || wanted == VALUE_BOOLEAN || wanted == VALUE_RECORD ||
		wanted == VALUE_COLLECTION)
		return false;
	/* the others are texts */
	return value == VALUE_TEXT || orch_condition_is_time(value);
}

bool
orch_action_is_of_type(const char *type, JsonbValue *value)
{
	Timestamp	timestamp;

	if (value->type == jbvNull || strcmp(type, "Any") == 0)
		return true;
	if (strcmp(type, "Number") == 0)
		return value->type == jbvNumeric;
	if (strcmp(type, "Boolean") == 0)
		return value->type == jbvBool;
	if (strcmp(type, "Record") == 0)
		return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
	if (strcmp(type, "Collection") == 0)
		return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
	if (value->type != jbvString)
		return false;
	return (strcmp(type, "Date") != 0 && strcmp(type, "DateTime") != 0) ||
		orch_condition_datetime(value->val.string.val, value->val.string.len, &timestamp);
}

void
orch_action_check_outputs(const char *name, Jsonb *outputs)
{
	const Action *action = orch_action_find(name);
	JsonbIterator *it;
	JsonbValue	v;

	if (action == NULL || action->outputs == NULL)
		return;
	if (outputs != NULL)
	{
		it = JsonbIteratorInit(&outputs->root);
		(void) JsonbIteratorNext(&it, &v, true);
		while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
		{
			char	   *key = pnstrdup(v.val.string.val, v.val.string.len);
			char	   *type = orch_action_member_type(action->outputs, key);

			(void) JsonbIteratorNext(&it, &v, true);
			if (type == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_INVALID_INPUT),
						 errmsg("action \"%s\" has no output \"%s\"", name, key),
						 errhint("See the outputs that set_action_contract() declared.")));
			if (!orch_action_is_of_type(type, &v))
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_INVALID_INPUT),
						 errmsg("output \"%s\" of action \"%s\" is %s, not of type %s", key,
								name, orch_condition_type_name(&v), type)));
		}
	}
	it = JsonbIteratorInit(&action->outputs->root);
	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		char	   *key = pnstrdup(v.val.string.val, v.val.string.len);
		JsonbValue *given = outputs == NULL ? NULL :
		getKeyJsonValueFromContainer(&outputs->root, key, strlen(key), NULL);

		(void) JsonbIteratorNext(&it, &v, true);
		if (orch_action_is_required(&v) && (given == NULL || given->type == jbvNull))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("output \"%s\" of action \"%s\" is required", key, name)));
	}
}

/*
 * An object that describes a member has dataType and isRequired only.  Raises 22023.
 */
static void
check_described_member(JsonbContainer *member, const char *argument, const char *name)
{
	JsonbIterator *it = JsonbIteratorInit(member);
	JsonbValue	key;
	JsonbValue	v;

	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *text = pnstrdup(key.val.string.val, key.val.string.len);

		(void) JsonbIteratorNext(&it, &v, true);
		if (strcmp(text, "dataType") == 0 ? v.type != jbvString :
			strcmp(text, "isRequired") != 0 || v.type != jbvBool)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s: \"%s\" cannot have this \"%s\"", argument, name, text),
					 errhint("It has a \"dataType\", which is text, and \"isRequired\", true or false.")));
	}
}

/*
 * Is this a description of inputs or outputs?  Raises 22023.
 */
static void
check_description(Jsonb *described, const char *argument)
{
	JsonbIterator *it;
	JsonbValue	v;

	if (!JB_ROOT_IS_OBJECT(described))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a JSON object: names and their data types", argument)));
	it = JsonbIteratorInit(&described->root);
	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		char	   *key = pnstrdup(v.val.string.val, v.val.string.len);
		char	   *type;
		int			i;

		(void) JsonbIteratorNext(&it, &v, true);
		type = v.type == jbvString ||
			(v.type == jbvBinary && JsonContainerIsObject(v.val.binary.data)) ?
			described_type(&v) : NULL;
		for (i = 0; type != NULL && i < (int) lengthof(member_types); i++)
			if (strcmp(type, member_types[i]) == 0)
				break;
		if (type == NULL || i == (int) lengthof(member_types))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s: \"%s\" has no known data type", argument, key),
					 errhint("Data types are String, Number, Boolean, Date, DateTime, Time, Record, Collection and Any.")));
		if (v.type == jbvBinary)
			check_described_member(v.val.binary.data, argument, key);
	}
}

PG_FUNCTION_INFO_V1(orchestration_set_action_contract);

/*
 * orchestration.set_action_contract(action text, inputs jsonb, outputs jsonb,
 *		due interval) returns void
 *
 * Declares the inputs and outputs of an action: names with their data types, as text or
 * as {"dataType": ..., "isRequired": true}; null: anything.  Definitions are checked
 * against it when they are activated, outputs of work items when they are completed.
 * due: how long after it was assigned a work item of the screen is due; null: never.
 * Raises: 22004 for a null action, 22023 for an invalid description or a due that is not
 * positive, OR205 for an unknown action.
 * Source: ours.
 */
Datum
orchestration_set_action_contract(PG_FUNCTION_ARGS)
{
	static StaticPlan plan_describe = {
		"UPDATE orchestration.action SET inputs = $2, outputs = $3, due = $4,"
		" modified_at = pg_catalog.now() WHERE name = $1",
		4, {TEXTOID, JSONBOID, JSONBOID, INTERVALOID}
	};
	Datum		values[4];
	char		nulls[4];

	orch_require_arguments(fcinfo, 0, 1, "action");
	if (!PG_ARGISNULL(1))
		check_description(PG_GETARG_JSONB_P(1), "inputs");
	if (!PG_ARGISNULL(2))
		check_description(PG_GETARG_JSONB_P(2), "outputs");
	if (!PG_ARGISNULL(3) && orch_action_interval_sign(PG_GETARG_INTERVAL_P(3)) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("due must be a positive interval")));
	if (!PG_ARGISNULL(3))
		orch_limit_interval(PG_GETARG_INTERVAL_P(3), "due");
	orch_pass_arguments(fcinfo, 4, values, nulls);
	orch_action_change(&plan_describe, values, nulls);
	PG_RETURN_VOID();
}
