/*-------------------------------------------------------------------------
 *
 * condition_value.c
 *	  Values of conditions and formulas: their types, fields and texts.
 *
 * A value is a JsonbValue; NULL and jbvNull both mean null.  No table is read
 * here.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/condition_value.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "evaluate/condition_value.h"

static const struct
{
	const char *name;
	VariableType type;
}			variable_types[] = {
	{"String", VARIABLE_STRING},
	{"Number", VARIABLE_NUMBER},
	{"Boolean", VARIABLE_BOOLEAN},
	{"Date", VARIABLE_DATE},
	{"DateTime", VARIABLE_DATETIME},
	{"Time", VARIABLE_TIME},
	{"SObject", VARIABLE_RECORD},
	/* messages use the names above */
	{"Picklist", VARIABLE_STRING},
	{"Multipicklist", VARIABLE_STRING},
	{"Currency", VARIABLE_NUMBER},
	{"Apex", VARIABLE_RECORD}
};

static const char *const value_types[] = {
	[VALUE_UNKNOWN] = "of unknown type",
	[VALUE_TEXT] = "text",
	[VALUE_NUMBER] = "a number",
	[VALUE_BOOLEAN] = "a boolean",
	[VALUE_DATE] = "a date",
	[VALUE_DATETIME] = "a date and time",
	[VALUE_TIME] = "a time of day",
	[VALUE_RECORD] = "a record",
	[VALUE_COLLECTION] = "a collection"
};

/* --------------------------------------------------------------- types */

const char *
orch_condition_variable_type_name(VariableType type)
{
	int			i;

	for (i = 0; i < (int) lengthof(variable_types); i++)
		if (variable_types[i].type == type)
			return variable_types[i].name;
	elog(ERROR, "unexpected variable type %d", (int) type);
}

bool
orch_condition_find_variable_type(const char *name, VariableType *type)
{
	int			i;

	for (i = 0; i < (int) lengthof(variable_types); i++)
		if (strcmp(name, variable_types[i].name) == 0)
		{
			*type = variable_types[i].type;
			return true;
		}
	return false;
}

ValueType
orch_condition_value_type(VariableType type)
{
	switch (type)
	{
		case VARIABLE_STRING:
			return VALUE_TEXT;
		case VARIABLE_NUMBER:
			return VALUE_NUMBER;
		case VARIABLE_BOOLEAN:
			return VALUE_BOOLEAN;
		case VARIABLE_DATE:
			return VALUE_DATE;
		case VARIABLE_DATETIME:
			return VALUE_DATETIME;
		case VARIABLE_TIME:
			return VALUE_TIME;
		case VARIABLE_RECORD:
			return VALUE_RECORD;
	}
	return VALUE_UNKNOWN;
}

const char *
orch_condition_value_type_name(ValueType type)
{
	return value_types[type];
}

const char *
orch_condition_type_name(JsonbValue *value)
{
	if (value == NULL)
		return "null";
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "text";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		case jbvArray:
			return "a collection";
		case jbvObject:
			return "a record";
		case jbvBinary:
			return JsonContainerIsArray(value->val.binary.data) ?
				"a collection" : "a record";
		default:
			return "of an unknown type";
	}
}

JsonbValue *
orch_condition_jsonb_value(Jsonb *jsonb)
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

bool
orch_condition_is_text(JsonbValue *value, const char *text)
{
	return value != NULL && value->type == jbvString &&
		value->val.string.len == (int) strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

bool
orch_condition_same_value(JsonbValue *left, JsonbValue *right)
{
	left = orch_condition_not_null(left);
	right = orch_condition_not_null(right);
	if (left == NULL || right == NULL)
		return left == right;
	if (left->type != right->type)
		return false;
	switch (left->type)
	{
		case jbvString:
			return left->val.string.len == right->val.string.len &&
				memcmp(left->val.string.val, right->val.string.val,
					   left->val.string.len) == 0;
		case jbvNumeric:
			return DatumGetBool(DirectFunctionCall2(numeric_eq,
													NumericGetDatum(left->val.numeric),
													NumericGetDatum(right->val.numeric)));
		case jbvBool:
			return left->val.boolean == right->val.boolean;
		case jbvBinary:
			return compareJsonbContainers(left->val.binary.data,
										  right->val.binary.data) == 0;
		default:
			elog(ERROR, "unexpected type %d of jsonb value", (int) left->type);
	}
}

int
orch_condition_compare_bytes(JsonbValue *left, JsonbValue *right)
{
	int			result = memcmp(left->val.string.val, right->val.string.val,
								Min(left->val.string.len, right->val.string.len));

	return result != 0 ? result : left->val.string.len - right->val.string.len;
}

bool
orch_condition_boolean(JsonbValue *value, bool *result)
{
	if (value->type == jbvBool)
		*result = value->val.boolean;
	else if (value->type == jbvString && value->val.string.len == 4 &&
			 pg_strncasecmp(value->val.string.val, "true", 4) == 0)
		*result = true;
	else if (value->type == jbvString && value->val.string.len == 5 &&
			 pg_strncasecmp(value->val.string.val, "false", 5) == 0)
		*result = false;
	else
		return false;
	return true;
}

bool
orch_condition_number(JsonbValue *value, Datum *number)
{
	static const char *const names[] = {"NaN", "Infinity", "-Infinity"};
	int			i;

	if (value->type == jbvNumeric)
	{
		*number = NumericGetDatum(value->val.numeric);
		return true;
	}
	for (i = 0; i < (int) lengthof(names); i++)
		if (orch_condition_is_text(value, names[i]))
		{
			*number = DirectFunctionCall3(numeric_in, CStringGetDatum(names[i]),
										  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
			return true;
		}
	return false;
}

/* -------------------------------------------------------------- fields */

JsonbValue *
orch_condition_value_at(JsonbValue *value, List *path)
{
	ListCell   *cell;

	value = orch_condition_not_null(value);
	foreach(cell, path)
	{
		if (value != NULL && value->type == jbvObject)
			value = orch_condition_jsonb_value(JsonbValueToJsonb(value));
		if (value == NULL || value->type != jbvBinary ||
			!JsonContainerIsObject(value->val.binary.data))
			return NULL;
		value = orch_condition_not_null(orch_condition_field(value->val.binary.data,
															 lfirst(cell)));
	}
	return value;
}

/*
 * Looks for the exact name, then for the name without regard to case, then for its
 * snake_case form, which columns usually have.  A colon ends the name: the type in a
 * polymorphic relationship follows it (Owner:User).
 */
JsonbValue *
orch_condition_field(JsonbContainer *object, const char *field)
{
	const char *colon = strchr(field, ':');
	int			length = colon != NULL ? colon - field : (int) strlen(field);
	JsonbValue *result;
	JsonbIterator *it;
	JsonbValue	v;
	char	   *snake;

	result = getKeyJsonValueFromContainer(object, field, length, NULL);
	if (result != NULL)
		return result;

	it = JsonbIteratorInit(object);
	(void) JsonbIteratorNext(&it, &v, true);	/* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		bool		found = v.val.string.len == length &&
			pg_strncasecmp(v.val.string.val, field, length) == 0;

		(void) JsonbIteratorNext(&it, &v, true);	/* WJB_VALUE */
		if (found)
		{
			result = palloc(sizeof(JsonbValue));
			*result = v;
			return result;
		}
	}

	snake = orch_condition_snake_case(field, length);
	result = getKeyJsonValueFromContainer(object, snake, strlen(snake), NULL);
	pfree(snake);
	return result;
}

/*
 * ManagerId: manager_id; Reassignment_Requested__c:
 * reassignment_requested__c; HTTPCode: http_code.
 */
char *
orch_condition_snake_case(const char *name, int length)
{
	char	   *result = palloc(length * 2 + 1);
	char	   *out = result;
	int			i;

	for (i = 0; i < length; i++)
	{
		unsigned char c = name[i];

		if (c >= 'A' && c <= 'Z')
		{
			unsigned char previous = i > 0 ? name[i - 1] : '_';
			unsigned char next = i + 1 < length ? name[i + 1] : '_';

			if ((previous >= 'a' && previous <= 'z') ||
				(previous >= '0' && previous <= '9') ||
				(previous >= 'A' && previous <= 'Z' &&
				 next >= 'a' && next <= 'z'))
				*out++ = '_';
			c += 'a' - 'A';
		}
		*out++ = c;
	}
	*out = '\0';
	return result;
}

/*
 * Texts as they are, numbers without zeros at the end of their fraction, booleans as true
 * and false, records and collections as JSON.
 */
char *
orch_condition_value_text(JsonbValue *value)
{
	value = orch_condition_not_null(value);
	if (value == NULL)
		return NULL;
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   DirectFunctionCall1(numeric_trim_scale,
																		   NumericGetDatum(value->val.numeric))));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		case jbvBinary:
			return JsonbToCString(NULL, value->val.binary.data,
								  value->val.binary.len);
		case jbvArray:
		case jbvObject:
			{
				Jsonb	   *jsonb = JsonbValueToJsonb(value);

				return JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
			}
		default:
			elog(ERROR, "unexpected type %d of jsonb value", (int) value->type);
	}
}
