/*-------------------------------------------------------------------------
 *
 * condition.c
 *	  Evaluates requirements over JSON values.
 *
 * What compares with what:
 *
 * - null equals null and nothing else; an ordering or a search in a text with
 *	 null does not hold.
 * - Numbers compare as numeric, booleans for equality only.
 * - Texts compare byte by byte, with regard to case.  Where one side is
 *	 declared or written as a date or a date and time, both must read as such in
 *	 ISO form and compare as points in time; what has no time zone is UTC, what
 *	 has no time of day is midnight.
 * - A boolean compares with the texts "true" and "false" where those are
 *	 written in the definition: the platform's own files do it.
 * - Everything else is an error that shows both sides, never a silent false:
 *	 it would send a run down the wrong path.
 *
 * No SQL runs here, no table is read; values come through the callback of
 * EvalContext.  Values live where the callback makes them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/condition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/errors.h"
#include "definition/definition_int.h"
#include "evaluate/condition.h"

static bool logic_holds(EvalContext *cxt, const ConditionSet *set,
						const LogicNode *node);
static bool requirement_holds(EvalContext *cxt, const Requirement *requirement);
static bool is_changed(EvalContext *cxt, const Operand *operand,
					   JsonbValue *value);
static bool is_member(const Requirement *requirement, const Operand *operand,
					  JsonbValue *collection, JsonbValue *value);
static bool is_blank(JsonbValue *value);
static bool is_empty(JsonbValue *value);
static bool values_equal(const Requirement *requirement, JsonbValue *left,
						 JsonbValue *right);
static int	compare_values(const Requirement *requirement, JsonbValue *left,
						   JsonbValue *right);
static bool search_text(const Requirement *requirement, JsonbValue *left,
						JsonbValue *right);
static bool expect_boolean(const Requirement *requirement, JsonbValue *value);
static bool literal_boolean(const Operand *operand, JsonbValue *value,
							bool *result);
static JsonbValue *not_null(JsonbValue *value);
static void cannot_compare(const Requirement *requirement, JsonbValue *left,
						   JsonbValue *right) pg_attribute_noreturn();

/*
 * The value of an operand, NULL for null.
 */
JsonbValue *
orch_condition_operand_value(EvalContext *cxt, const Operand *operand)
{
	if (operand == NULL)
		return NULL;
	if (operand->kind == OPERAND_LITERAL)
		return not_null(operand->literal);
	return not_null(cxt->resolve(cxt, operand));
}

/*
 * Does the set of requirements hold?  Stops as soon as that is decided: a
 * requirement that cannot be evaluated only matters when it is reached.
 */
bool
orch_condition_set_holds(EvalContext *cxt, const ConditionSet *set)
{
	int			i;

	check_stack_depth();
	if (set == NULL)
		return true;
	if (set->logic != NULL)
		return logic_holds(cxt, set, set->logic);
	for (i = 0; i < set->nrequirements; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!requirement_holds(cxt, &set->requirements[i]))
			return false;
	}
	return true;
}

static bool
logic_holds(EvalContext *cxt, const ConditionSet *set, const LogicNode *node)
{
	check_stack_depth();
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		switch (node->kind)
		{
			case LOGIC_REQUIREMENT:
				return requirement_holds(cxt, &set->requirements[node->index]);
			case LOGIC_AND:
				if (!logic_holds(cxt, set, node->left))
					return false;
				break;
			case LOGIC_OR:
				if (logic_holds(cxt, set, node->left))
					return true;
				break;
			case LOGIC_NOT:
				return !logic_holds(cxt, set, node->left);
		}
		node = node->right;
	}
}

static bool
requirement_holds(EvalContext *cxt, const Requirement *requirement)
{
	JsonbValue *left;
	JsonbValue *right;

	if (requirement->nested != NULL)
		return orch_condition_set_holds(cxt, requirement->nested);
	left = orch_condition_operand_value(cxt, requirement->left);
	right = orch_condition_operand_value(cxt, requirement->right);

	switch (requirement->op)
	{
		case COMPARE_EQUAL_TO:
			return values_equal(requirement, left, right);
		case COMPARE_NOT_EQUAL_TO:
			return !values_equal(requirement, left, right);
		case COMPARE_GREATER_THAN:
			return left != NULL && right != NULL &&
				compare_values(requirement, left, right) > 0;
		case COMPARE_LESS_THAN:
			return left != NULL && right != NULL &&
				compare_values(requirement, left, right) < 0;
		case COMPARE_GREATER_THAN_OR_EQUAL_TO:
			return left != NULL && right != NULL &&
				compare_values(requirement, left, right) >= 0;
		case COMPARE_LESS_THAN_OR_EQUAL_TO:
			return left != NULL && right != NULL &&
				compare_values(requirement, left, right) <= 0;
		case COMPARE_STARTS_WITH:
		case COMPARE_ENDS_WITH:
		case COMPARE_CONTAINS:
			return left != NULL && right != NULL &&
				search_text(requirement, left, right);
		case COMPARE_IS_NULL:
			return (left == NULL) == expect_boolean(requirement, right);
		case COMPARE_IS_CHANGED:
			return is_changed(cxt, requirement->left, left) ==
				expect_boolean(requirement, right);
		case COMPARE_IN:
			return is_member(requirement, requirement->right, right, left);
		case COMPARE_NOT_IN:
			return !is_member(requirement, requirement->right, right, left);
		case COMPARE_IS_BLANK:
			return is_blank(left) == expect_boolean(requirement, right);
		case COMPARE_IS_EMPTY:
			return is_empty(left) == expect_boolean(requirement, right);
		case COMPARE_WAS_SET:
			return (left != NULL) == expect_boolean(requirement, right);
		case COMPARE_WAS_VISITED:
			return (left != NULL && !orch_condition_is_text(left, "NotStarted")) ==
				expect_boolean(requirement, right);
		case COMPARE_HAS_ERROR:
			return orch_condition_is_text(left, "Error") == expect_boolean(requirement, right);
	}
	elog(ERROR, "unexpected comparison operator %d", (int) requirement->op);
}

/*
 * Is the value of a field of $Record another one than in $Record__Prior?  A
 * record that is new has no prior values: whatever is not null has changed.
 */
static bool
is_changed(EvalContext *cxt, const Operand *operand, JsonbValue *value)
{
	Operand		prior_operand = *operand;
	JsonbValue *prior;

	prior_operand.kind = OPERAND_RECORD_PRIOR;
	prior = orch_condition_operand_value(cxt, &prior_operand);

	return !orch_condition_same_value(value, prior);
}

bool
orch_condition_same_value(JsonbValue *left, JsonbValue *right)
{
	left = not_null(left);
	right = not_null(right);
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

/*
 * Is a value among the members of a collection?  Nothing is in null.
 */
static bool
is_member(const Requirement *requirement, const Operand *operand,
		  JsonbValue *collection, JsonbValue *value)
{
	JsonbIterator *it;
	JsonbValue	member;

	if (collection == NULL)
		return false;
	if (collection->type != jbvBinary ||
		!JsonContainerIsArray(collection->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate a requirement on %s",
						requirement->left->text),
				 errdetail("%s is %s, not a collection.", operand->text,
						   orch_condition_type_name(collection))));
	it = JsonbIteratorInit(collection->val.binary.data);
	(void) JsonbIteratorNext(&it, &member, true);
	while (JsonbIteratorNext(&it, &member, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		if (orch_condition_same_value(&member, value))
			return true;
	}
	return false;
}

static bool
is_blank(JsonbValue *value)
{
	int			i;

	if (value == NULL)
		return true;
	if (value->type != jbvString)
		return false;
	for (i = 0; i < value->val.string.len; i++)
		if (!isspace((unsigned char) value->val.string.val[i]))
			return false;
	return true;
}

static bool
is_empty(JsonbValue *value)
{
	return value == NULL ||
		(value->type == jbvBinary && JsonContainerSize(value->val.binary.data) == 0) ||
		(value->type == jbvString && value->val.string.len == 0);
}

bool
orch_condition_is_text(JsonbValue *value, const char *text)
{
	return value != NULL && value->type == jbvString &&
		value->val.string.len == (int) strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

static bool
values_equal(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	bool		boolean;

	if (left == NULL || right == NULL)
		return left == right;

	if (left->type == jbvBool && right->type == jbvBool)
		return left->val.boolean == right->val.boolean;
	if (left->type == jbvBool &&
		literal_boolean(requirement->right, right, &boolean))
		return left->val.boolean == boolean;
	if (right->type == jbvBool &&
		literal_boolean(requirement->left, left, &boolean))
		return right->val.boolean == boolean;
	return compare_values(requirement, left, right) == 0;
}

/*
 * Order of two values that are not null; raises OR301 when they have none.
 */
static int
compare_values(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	int			result;

	if (left->type == jbvNumeric && right->type == jbvNumeric)
		return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
												 NumericGetDatum(left->val.numeric),
												 NumericGetDatum(right->val.numeric)));
	if (left->type != jbvString || right->type != jbvString)
		cannot_compare(requirement, left, right);

	if (requirement->left->is_datetime ||
		(requirement->right != NULL && requirement->right->is_datetime))
	{
		Timestamp	left_time;
		Timestamp	right_time;

		if (orch_condition_datetime(left->val.string.val,
									left->val.string.len, &left_time) &&
			orch_condition_datetime(right->val.string.val,
									right->val.string.len, &right_time))
			return left_time < right_time ? -1 : left_time > right_time;
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot compare %s with %s", requirement->left->text,
						requirement->right != NULL ? requirement->right->text : "null"),
				 errdetail("One of them is a date or date and time, the other is not: \"%.*s\" and \"%.*s\".",
						   pg_mbcliplen(left->val.string.val, left->val.string.len, 40),
						   left->val.string.val,
						   pg_mbcliplen(right->val.string.val, right->val.string.len, 40),
						   right->val.string.val)));
	}

	result = memcmp(left->val.string.val, right->val.string.val,
					Min(left->val.string.len, right->val.string.len));
	if (result == 0)
		result = left->val.string.len - right->val.string.len;
	return result;
}

/*
 * StartsWith, EndsWith, Contains on two texts.
 */
static bool
search_text(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	const char *text;
	const char *part;
	int			text_length;
	int			part_length;
	int			i;

	if (requirement->op == COMPARE_CONTAINS && left->type == jbvBinary &&
		JsonContainerIsArray(left->val.binary.data))
		return is_member(requirement, requirement->left, left, right);
	if (left->type != jbvString || right->type != jbvString)
		cannot_compare(requirement, left, right);
	text = left->val.string.val;
	text_length = left->val.string.len;
	part = right->val.string.val;
	part_length = right->val.string.len;

	if (part_length > text_length)
		return false;
	if (part_length == 0)
		return true;
	switch (requirement->op)
	{
		case COMPARE_STARTS_WITH:
			return memcmp(text, part, part_length) == 0;
		case COMPARE_ENDS_WITH:
			return memcmp(text + text_length - part_length, part,
						  part_length) == 0;
		case COMPARE_CONTAINS:
			for (i = 0; i <= text_length - part_length; i++)
			{
				const char *found = memchr(text + i, *part,
										   text_length - part_length - i + 1);

				if (found == NULL)
					return false;
				CHECK_FOR_INTERRUPTS();
				if (memcmp(found, part, part_length) == 0)
					return true;
				i = found - text;
			}
			return false;
		default:
			elog(ERROR, "unexpected comparison operator %d",
				 (int) requirement->op);
	}
}

/*
 * The right side of IsNull and IsChanged; left out, it is true.
 */
static bool
expect_boolean(const Requirement *requirement, JsonbValue *value)
{
	bool		result;

	if (value == NULL)
		return true;
	if (value->type == jbvBool)
		return value->val.boolean;
	if (literal_boolean(requirement->right, value, &result))
		return result;
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("cannot evaluate a requirement on %s",
					requirement->left->text),
			 errdetail("%s is %s, not a boolean.", requirement->right->text,
					   orch_condition_type_name(value))));
}

/* "true" and "false", written as text in the definition */
static bool
literal_boolean(const Operand *operand, JsonbValue *value, bool *result)
{
	if (operand == NULL || operand->kind != OPERAND_LITERAL ||
		value->type != jbvString)
		return false;
	*result = value->val.string.len == 4;
	return (*result && pg_strncasecmp(value->val.string.val, "true", 4) == 0) ||
		(value->val.string.len == 5 &&
		 pg_strncasecmp(value->val.string.val, "false", 5) == 0);
}

static JsonbValue *
not_null(JsonbValue *value)
{
	return value == NULL || value->type == jbvNull ? NULL : value;
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

static void
cannot_compare(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	const char *left_text = requirement->left->text;
	const char *right_text = requirement->right != NULL ?
		requirement->right->text : "null";

	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("cannot compare %s with %s", left_text, right_text),
			 errdetail("%s is %s and %s is %s.", left_text, orch_condition_type_name(left),
					   right_text, orch_condition_type_name(right)),
			 errhint("The operator %s does not apply to these types.",
					 orch_definition_operator_name(requirement->op))));
}

/*
 * Read a date, or a date and time, in ISO form; without a time zone it is UTC.
 * No special values, and nothing that depends on settings of the session.
 */
bool
orch_condition_datetime(const char *text, int length, Timestamp *result)
{
	char		buffer[64];
	struct pg_tm tm;
	fsec_t		fsec = 0;
	int			zone = 0;
	int			n;
	char	   *p;
	int			scanned;

	while (length > 0 && isspace((unsigned char) *text))
	{
		text++;
		length--;
	}
	while (length > 0 && isspace((unsigned char) text[length - 1]))
		length--;
	if (length < 10 || length >= (int) sizeof(buffer) ||
		memchr(text, '\0', length) != NULL)
		return false;
	memcpy(buffer, text, length);
	buffer[length] = '\0';

	/* sscanf's numbers would take spaces and signs */
	for (n = 0; n < 10; n++)
		if (n == 4 || n == 7 ? buffer[n] != '-' :
			!isdigit((unsigned char) buffer[n]))
			return false;
	memset(&tm, 0, sizeof(tm));
	if (sscanf(buffer, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3)
		return false;
	p = buffer + 10;
	if (*p == 'T' || *p == 't' || *p == ' ')
	{
		p++;
		if (!isdigit((unsigned char) p[0]) || !isdigit((unsigned char) p[1]) ||
			p[2] != ':' || !isdigit((unsigned char) p[3]) ||
			!isdigit((unsigned char) p[4]))
			return false;
		(void) sscanf(p, "%2d:%2d", &tm.tm_hour, &tm.tm_min);
		p += 5;
		if (*p == ':')
		{
			if (!isdigit((unsigned char) p[1]) || !isdigit((unsigned char) p[2]))
				return false;
			(void) sscanf(p, ":%2d", &tm.tm_sec);
			p += 3;
			if (*p == '.')
			{
				int			unit = USECS_PER_SEC / 10;

				for (p++; isdigit((unsigned char) *p); p++)
				{
					fsec += (*p - '0') * unit;
					unit /= 10;
				}
			}
		}
		if (*p == 'Z' || *p == 'z')
			p++;
		else if (*p == '+' || *p == '-')
		{
			int			hours = 0;
			int			minutes = 0;

			if (!isdigit((unsigned char) p[1]) || !isdigit((unsigned char) p[2]))
				return false;
			(void) sscanf(p + 1, "%2d", &hours);
			scanned = 3;
			if (p[scanned] == ':')
				scanned++;
			if (p[scanned] != '\0')
			{
				if (!isdigit((unsigned char) p[scanned]) ||
					!isdigit((unsigned char) p[scanned + 1]))
					return false;
				(void) sscanf(p + scanned, "%2d", &minutes);
				scanned += 2;
			}
			if (hours > 15 || minutes > 59)
				return false;
			zone = (hours * 60 + minutes) * 60;
			if (*p == '+')
				zone = -zone;
			p += scanned;
		}
	}
	if (*p != '\0')
		return false;
	if (tm.tm_year < 1 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
		tm.tm_mday > day_tab[isleap(tm.tm_year)][tm.tm_mon - 1] ||
		tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	return tm2timestamp(&tm, fsec, &zone, result) == 0;
}

/*
 * The value at a path of field names in a value; NULL where there is none.
 */
JsonbValue *
orch_condition_value_at(JsonbValue *value, List *path)
{
	ListCell   *cell;

	value = not_null(value);
	foreach(cell, path)
	{
		if (value != NULL && value->type == jbvObject)
		{
			Jsonb	   *jsonb = JsonbValueToJsonb(value);

			value = palloc(sizeof(JsonbValue));
			value->type = jbvBinary;
			value->val.binary.data = &jsonb->root;
			value->val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
		}
		if (value == NULL || value->type != jbvBinary ||
			!JsonContainerIsObject(value->val.binary.data))
			return NULL;
		value = not_null(orch_condition_field(value->val.binary.data,
											  lfirst(cell)));
	}
	return value;
}

/*
 * A field of an object by its exact name, then without regard to case, then by
 * the snake_case form of the name, which is how columns are usually called.
 * What follows a colon is the type in a polymorphic relationship (Owner:User)
 * and no part of the name.
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
 * A value as text: scalars as they are, records and collections as JSON; NULL
 * for null.
 */
char *
orch_condition_value_text(JsonbValue *value)
{
	value = not_null(value);
	if (value == NULL)
		return NULL;
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
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
