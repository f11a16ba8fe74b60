/*-------------------------------------------------------------------------
 *
 * condition.c
 *	  Evaluates requirements over JSON values.
 *
 * Rules of comparison:
 *
 * - Null equals null and nothing else.  With null on one side, an order (less, greater)
 *	 or a search in a text does not hold.
 * - Numbers compare as numeric.  Booleans, records and collections compare for equality
 *	 only.
 * - Texts compare byte by byte, with regard to case.
 * - A text compares with a number, a boolean, a date or a time of day as a text, and it
 *	 does so on either side.  The text of a number has no zeros at the end of its fraction;
 *	 the text of a boolean is true or false, in any case.
 * - If one side is declared or written as a date or a date and time, and both sides read
 *	 as dates in ISO form, they compare as points in time; without a time zone they are in
 *	 UTC, without a time of day they are midnight.  Times of day likewise.
 * - Any other comparison is an error that shows both sides.  A silent false would send
 *	 the run down the wrong path.
 *
 * Source: help "Flow Operators in Decision, Wait, and Collection Filter Elements"
 * (flow_ref_operators_condition), whose operators of Text take Boolean, Currency, Date,
 * Date/Time, Number, Picklist, Text and Time, and those of the other types their own.
 *
 * No SQL runs here and no table is read: values come from the callback of EvalContext,
 * in the memory context that it uses.
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
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/errors.h"
#include "evaluate/condition.h"
#include "evaluate/condition_era.h"

static const struct
{
	const char *name;
	ComparisonOperator op;
}			operators[] = {
	{"EqualTo", COMPARE_EQUAL_TO},
	{"NotEqualTo", COMPARE_NOT_EQUAL_TO},
	{"GreaterThan", COMPARE_GREATER_THAN},
	{"LessThan", COMPARE_LESS_THAN},
	{"GreaterThanOrEqualTo", COMPARE_GREATER_THAN_OR_EQUAL_TO},
	{"LessThanOrEqualTo", COMPARE_LESS_THAN_OR_EQUAL_TO},
	{"StartsWith", COMPARE_STARTS_WITH},
	{"EndsWith", COMPARE_ENDS_WITH},
	{"Contains", COMPARE_CONTAINS},
	{"IsNull", COMPARE_IS_NULL},
	{"IsChanged", COMPARE_IS_CHANGED},
	{"In", COMPARE_IN},
	{"NotIn", COMPARE_NOT_IN},
	{"IsBlank", COMPARE_IS_BLANK},
	{"IsEmpty", COMPARE_IS_EMPTY},
	{"WasSet", COMPARE_WAS_SET},
	{"WasVisited", COMPARE_WAS_VISITED},
	{"HasError", COMPARE_HAS_ERROR}
};

static bool logic_holds(EvalContext *cxt, const ConditionSet *set,
						const LogicNode *node);
static bool requirement_holds(EvalContext *cxt, const Requirement *requirement);
static bool is_member(const Requirement *requirement, const Operand *operand,
					  JsonbValue *collection, JsonbValue *value);
static bool equal_as_texts(JsonbValue *left, JsonbValue *right);
static bool is_blank(JsonbValue *value);
static bool is_empty(JsonbValue *value);
static bool is_failed(JsonbValue *value);
static bool was_visited(JsonbValue *value);
static bool values_equal(const Requirement *requirement, JsonbValue *left,
						 JsonbValue *right);
static int	compare_values(const Requirement *requirement, JsonbValue *left,
						   JsonbValue *right);
static int	compare_texts(const Requirement *requirement, JsonbValue *left,
						  JsonbValue *right);
static bool is_container(JsonbValue *value);
static bool is_collection(JsonbValue *value);
static bool is_plain_text(const Operand *operand, JsonbValue *value);
static void as_texts(const Requirement *requirement, JsonbValue **left,
					 JsonbValue **right);
static bool search_text(const Requirement *requirement, JsonbValue *left,
						JsonbValue *right);
static bool expect_boolean(const Requirement *requirement, JsonbValue *value);
static const char *side_type_name(const Operand *operand, JsonbValue *value);
static void cannot_compare(const Requirement *requirement, JsonbValue *left,
						   JsonbValue *right) pg_attribute_noreturn();

/* ----------------------------------------------------------- operators */

const char *
orch_condition_operator_name(ComparisonOperator op)
{
	int			i;

	for (i = 0; i < (int) lengthof(operators); i++)
		if (operators[i].op == op)
			return operators[i].name;
	elog(ERROR, "unexpected comparison operator %d", (int) op);
}

bool
orch_condition_find_operator(const char *name, ComparisonOperator *op)
{
	int			i;

	for (i = 0; i < (int) lengthof(operators); i++)
		if (strcmp(operators[i].name, name) == 0)
		{
			*op = operators[i].op;
			return true;
		}
	return false;
}

bool
orch_condition_is_order(ComparisonOperator op)
{
	return op == COMPARE_GREATER_THAN || op == COMPARE_LESS_THAN ||
		op == COMPARE_GREATER_THAN_OR_EQUAL_TO ||
		op == COMPARE_LESS_THAN_OR_EQUAL_TO;
}

bool
orch_condition_applies(ComparisonOperator op, ValueType left, ValueType right)
{
	bool		scalars = left != VALUE_RECORD && left != VALUE_COLLECTION &&
		right != VALUE_RECORD && right != VALUE_COLLECTION;
	bool		with_text = left == VALUE_TEXT || right == VALUE_TEXT;
	bool		alike = orch_condition_alike(left, right);

	if (left == VALUE_UNKNOWN || right == VALUE_UNKNOWN)
		return true;
	switch (op)
	{
		case COMPARE_EQUAL_TO:
		case COMPARE_NOT_EQUAL_TO:
			return alike || (scalars && with_text);
		case COMPARE_GREATER_THAN:
		case COMPARE_LESS_THAN:
		case COMPARE_GREATER_THAN_OR_EQUAL_TO:
		case COMPARE_LESS_THAN_OR_EQUAL_TO:
			return scalars && (alike || with_text) &&
				left != VALUE_BOOLEAN && right != VALUE_BOOLEAN;
		case COMPARE_CONTAINS:
			if (left == VALUE_COLLECTION)
				return right != VALUE_COLLECTION;
			return scalars && with_text;
		case COMPARE_STARTS_WITH:
		case COMPARE_ENDS_WITH:
			return scalars && with_text;
		case COMPARE_IN:
		case COMPARE_NOT_IN:
			return right == VALUE_COLLECTION;
		default:
			return true;
	}
}

/* ---------------------------------------------------------- evaluation */

JsonbValue *
orch_condition_operand_value(EvalContext *cxt, const Operand *operand)
{
	if (operand == NULL)
		return NULL;
	if (operand->kind == OPERAND_LITERAL)
		return orch_condition_not_null(operand->literal);
	return orch_condition_not_null(cxt->resolve(cxt, operand));
}

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
			return orch_condition_is_changed(cxt, left,
											 orch_condition_prior_value(cxt, requirement->left)) ==
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
			return is_blank(left) != expect_boolean(requirement, right);
		case COMPARE_WAS_VISITED:
			return was_visited(left) == expect_boolean(requirement, right);
		case COMPARE_HAS_ERROR:
			return is_failed(left) == expect_boolean(requirement, right);
	}
	elog(ERROR, "unexpected comparison operator %d", (int) requirement->op);
}

/* The value of the same field in $Record__Prior. */
JsonbValue *
orch_condition_prior_value(EvalContext *cxt, const Operand *operand)
{
	Operand		prior = *operand;

	prior.kind = OPERAND_RECORD_PRIOR;
	return orch_condition_operand_value(cxt, &prior);
}

/* Source: help "Flow Operators in Decision, Wait, and Collection Filter Elements". */
bool
orch_condition_is_changed(EvalContext *cxt, JsonbValue *value, JsonbValue *prior)
{
	if (orch_condition_same_value(value, prior))
		return false;
	return prior != NULL || !orch_condition_is_new(cxt);
}

/* Is the record new: has it no prior values? */
bool
orch_condition_is_new(EvalContext *cxt)
{
	Operand		prior = {OPERAND_RECORD_PRIOR};

	prior.text = "$Record__Prior";
	return orch_condition_operand_value(cxt, &prior) == NULL;
}

/* The status of a stage or step that has begun; or true. */
static bool
was_visited(JsonbValue *value)
{
	if (value != NULL && value->type == jbvBool)
		return value->val.boolean;
	return value != NULL && !orch_condition_is_text(value, "NotStarted");
}

/* The status of a stage or step that failed; or true. */
static bool
is_failed(JsonbValue *value)
{
	if (value != NULL && value->type == jbvBool)
		return value->val.boolean;
	return orch_condition_is_text(value, "Error");
}

/*
 * Is a value among the members of a collection?  Null has no members.  Texts compare with
 * other members as they do elsewhere, see values_equal(); a member of any other type is
 * another value.
 */
static bool
is_member(const Requirement *requirement, const Operand *operand,
		  JsonbValue *collection, JsonbValue *value)
{
	JsonbIterator *it;
	JsonbValue	member;

	if (collection == NULL)
		return false;
	if (!is_collection(collection))
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
		if (value != NULL && member.type != value->type &&
			equal_as_texts(value, &member))
			return true;
	}
	return false;
}

/* Is one of two values a text, the other a number or boolean with that text? */
static bool
equal_as_texts(JsonbValue *left, JsonbValue *right)
{
	char	   *left_text;
	char	   *right_text;
	bool		result;

	if ((left->type != jbvString && right->type != jbvString) ||
		is_container(left) || is_container(right) ||
		left->type == jbvNull || right->type == jbvNull)
		return false;
	left_text = orch_condition_value_text(left);
	right_text = orch_condition_value_text(right);
	if (left->type == jbvBool || right->type == jbvBool)
		result = pg_strcasecmp(left_text, right_text) == 0;
	else
		result = strcmp(left_text, right_text) == 0;
	pfree(left_text);
	pfree(right_text);
	return result;
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

static bool
values_equal(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	if (left == NULL || right == NULL)
		return left == right;
	if (left->type == jbvBool && right->type == jbvBool)
		return left->val.boolean == right->val.boolean;
	if (left->type == jbvBinary && right->type == jbvBinary &&
		is_collection(left) == is_collection(right))
		return orch_condition_same_value(left, right);
	return compare_values(requirement, left, right) == 0;
}

/*
 * The order of two values that are not null; raises OR301 if they have none.
 */
static int
compare_values(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	Datum		numbers[2];

	if ((left->type == jbvNumeric || right->type == jbvNumeric) &&
		orch_condition_number(left, &numbers[0]) && orch_condition_number(right, &numbers[1]))
		return DatumGetInt32(DirectFunctionCall2(numeric_cmp, numbers[0], numbers[1]));
	if ((left->type == jbvBool || right->type == jbvBool) &&
		orch_condition_is_order(requirement->op))
		cannot_compare(requirement, left, right);
	if (left->type == jbvString && right->type == jbvString)
		return compare_texts(requirement, left, right);
	as_texts(requirement, &left, &right);
	return orch_condition_compare_bytes(left, right);
}

/* Two texts, which may be dates or times of day. */
static int
compare_texts(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	const Operand *left_operand = requirement->left;
	const Operand *right_operand = requirement->right;
	ValueType	left_type = left_operand->type;
	ValueType	right_type = right_operand != NULL ? right_operand->type : VALUE_UNKNOWN;
	int			result;

	if (left_operand->is_datetime || (right_operand != NULL && right_operand->is_datetime))
	{
		Timestamp	left_time;
		Timestamp	right_time;

		if (orch_condition_point_in_time(left->val.string.val,
										 left->val.string.len, &left_time) &&
			orch_condition_point_in_time(right->val.string.val,
										 right->val.string.len, &right_time))
			return left_time < right_time ? -1 : left_time > right_time;
	}
	else if (left_type == VALUE_TIME || right_type == VALUE_TIME)
	{
		int64		left_time;
		int64		right_time;

		if (orch_condition_time_of_day(left->val.string.val, left->val.string.len,
									   &left_time) &&
			orch_condition_time_of_day(right->val.string.val, right->val.string.len,
									   &right_time))
			return left_time < right_time ? -1 : left_time > right_time;
	}
	if (!is_plain_text(left_operand, left) && !is_plain_text(right_operand, right))
		cannot_compare(requirement, left, right);
	if (orch_condition_compare_eras(left->val.string.val, left->val.string.len,
									right->val.string.val, right->val.string.len, &result))
		return result;
	return orch_condition_compare_bytes(left, right);
}

static bool
is_container(JsonbValue *value)
{
	return value->type == jbvBinary || value->type == jbvArray ||
		value->type == jbvObject;
}

static bool
is_collection(JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

/* Is a value a text, and not known to be a date or a time of day? */
static bool
is_plain_text(const Operand *operand, JsonbValue *value)
{
	return value->type == jbvString &&
		(operand == NULL || !(operand->is_datetime || orch_condition_is_time(operand->type)));
}

/*
 * Makes texts of both sides, of which one must be a text.  The other is a number, a boolean,
 * a date or a time of day; beside a boolean the text is taken in lower case.
 */
static void
as_texts(const Requirement *requirement, JsonbValue **left, JsonbValue **right)
{
	JsonbValue **sides[2] = {left, right};
	bool		with_boolean = (*left)->type == jbvBool || (*right)->type == jbvBool;
	int			i;

	if (is_container(*left) || is_container(*right) ||
		(!is_plain_text(requirement->left, *left) &&
		 !is_plain_text(requirement->right, *right)))
		cannot_compare(requirement, *left, *right);
	for (i = 0; i < 2; i++)
	{
		JsonbValue *text = *sides[i];

		if (text->type == jbvString && !with_boolean)
			continue;
		text = palloc(sizeof(JsonbValue));
		text->type = jbvString;
		text->val.string.val = orch_condition_value_text(*sides[i]);
		text->val.string.len = strlen(text->val.string.val);
		if (with_boolean)
		{
			char	   *p;

			for (p = text->val.string.val; *p != '\0'; p++)
				*p = pg_ascii_tolower((unsigned char) *p);
		}
		*sides[i] = text;
	}
}

/*
 * StartsWith, EndsWith, Contains: on two texts, or on a text and a value that is taken as one.
 */
static bool
search_text(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	const char *text;
	const char *part;
	int			text_length;
	int			part_length;
	int			i;

	if (requirement->op == COMPARE_CONTAINS && is_collection(left))
		return is_member(requirement, requirement->left, left, right);
	as_texts(requirement, &left, &right);
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
 * The right side of operators like IsNull; true if it is left out.
 */
static bool
expect_boolean(const Requirement *requirement, JsonbValue *value)
{
	bool		result;

	if (value == NULL)
		return true;
	if (orch_condition_boolean(value, &result))
		return result;
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("cannot evaluate a requirement on %s",
					requirement->left->text),
			 errdetail("%s is %s, not a boolean.", requirement->right->text,
					   orch_condition_type_name(value))));
}

/* The type of a side, for messages: a date is more than the text that it is written as. */
static const char *
side_type_name(const Operand *operand, JsonbValue *value)
{
	return operand != NULL && value->type == jbvString && !is_plain_text(operand, value) ?
		orch_condition_value_type_name(operand->type) : orch_condition_type_name(value);
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
			 errdetail("%s is %s and %s is %s.", left_text,
					   side_type_name(requirement->left, left), right_text,
					   side_type_name(requirement->right, right)),
			 errhint("The operator %s does not apply to these types.",
					 orch_condition_operator_name(requirement->op))));
}

bool
orch_condition_text_meets(const char *text, ComparisonOperator op, const char *part)
{
	size_t		length = strlen(text);
	size_t		part_length = strlen(part);

	switch (op)
	{
		case COMPARE_STARTS_WITH:
			return strncmp(text, part, part_length) == 0;
		case COMPARE_ENDS_WITH:
			return length >= part_length && strcmp(text + length - part_length, part) == 0;
		case COMPARE_CONTAINS:
			return strstr(text, part) != NULL;
		default:
			return strcmp(text, part) == 0;
	}
}
