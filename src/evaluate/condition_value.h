/*-------------------------------------------------------------------------
 *
 * condition_value.h
 *	  Values of conditions and formulas: their types, fields and texts.
 *
 * A value is a JsonbValue; NULL and jbvNull both mean null.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/condition_value.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CONDITION_VALUE_H
#define ORCH_CONDITION_VALUE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* The type of a value, as far as it is known before the value is. */
typedef enum ValueType
{
	VALUE_UNKNOWN,				/* known at run time only */
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_BOOLEAN,
	VALUE_DATE,
	VALUE_DATETIME,
	VALUE_TIME,
	VALUE_RECORD,
	VALUE_COLLECTION
} ValueType;

/* A date, or a date and time. */
static inline bool
orch_condition_is_date(ValueType type)
{
	return type == VALUE_DATE || type == VALUE_DATETIME;
}

/* A date, a date and time or a time of day. */
static inline bool
orch_condition_is_time(ValueType type)
{
	return orch_condition_is_date(type) || type == VALUE_TIME;
}

/* The same type, or both dates, with or without a time. */
static inline bool
orch_condition_alike(ValueType left, ValueType right)
{
	return left == right || (orch_condition_is_date(left) && orch_condition_is_date(right));
}

/* The data type that a definition gives a variable, constant or formula. */
typedef enum VariableType
{
	VARIABLE_STRING,			/* String, Picklist, Multipicklist */
	VARIABLE_NUMBER,			/* Number, Currency */
	VARIABLE_BOOLEAN,
	VARIABLE_DATE,
	VARIABLE_DATETIME,
	VARIABLE_TIME,
	VARIABLE_RECORD				/* SObject, Apex: any JSON object */
} VariableType;

/* The name of a data type in documents; and which type a name means, false: none. */
extern const char *orch_condition_variable_type_name(VariableType type);
extern bool orch_condition_find_variable_type(const char *name, VariableType *type);

/* The type that values of a data type have. */
extern ValueType orch_condition_value_type(VariableType type);

/* A type with its article, for messages: of any value, or of the value at hand. */
extern const char *orch_condition_value_type_name(ValueType type);
extern const char *orch_condition_type_name(JsonbValue *value);

/* One representation of null: NULL for jbvNull. */
static inline JsonbValue *
orch_condition_not_null(JsonbValue *value)
{
	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* A Jsonb as a value, which points into the Jsonb. */
extern JsonbValue *orch_condition_jsonb_value(Jsonb *jsonb);

/* Is a value this text? */
extern bool orch_condition_is_text(JsonbValue *value, const char *text);

/* Are two values of any type the same?  Null is the same as null. */
extern bool orch_condition_same_value(JsonbValue *left, JsonbValue *right);

/* The order of two texts by their bytes, as that of memcmp(). */
extern int	orch_condition_compare_bytes(JsonbValue *left, JsonbValue *right);

/* A boolean, also one written as a text: true or false, in any case.  false: the value is none. */
extern bool orch_condition_boolean(JsonbValue *value, bool *result);

/*
 * A number, also one that JSON cannot hold and to_jsonb() writes as a text: NaN, Infinity,
 * -Infinity.  false: the value is none.
 */
extern bool orch_condition_number(JsonbValue *value, Datum *number);

/* The value at a path of field names (char *) in a value; NULL if there is none. */
extern JsonbValue *orch_condition_value_at(JsonbValue *value, List *path);

/* A field of an object, NULL if it has none of that name. */
extern JsonbValue *orch_condition_field(JsonbContainer *object, const char *field);

extern char *orch_condition_snake_case(const char *name, int length);

/* A value as text; NULL for null. */
extern char *orch_condition_value_text(JsonbValue *value);

#endif							/* ORCH_CONDITION_VALUE_H */
