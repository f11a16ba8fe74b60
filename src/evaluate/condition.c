/*-------------------------------------------------------------------------
 *
 * condition.c
 *	  Evaluates requirements over JSON values.
 *
 * Rules of comparison:
 *
 * - Null equals null and nothing else.  With null on one side, an order (less, greater)
 *	 or a search in a text does not hold.
 * - Numbers compare as numeric; booleans compare for equality only.
 * - Texts compare byte by byte, with regard to case.  If one side is declared or written
 *	 as a date or a date and time, both sides must be dates in ISO form, and compare as
 *	 points in time; without a time zone they are in UTC, without a time of day they are
 *	 midnight.
 * - A boolean compares with the texts "true" and "false" if the definition contains them
 *	 as literals, because the platform's own files do so.
 * - Any other comparison is an error that shows both sides.  A silent false would send
 *	 the run down the wrong path.
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
#include "mb/pg_wchar.h"
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
			return orch_condition_is_text(left, "Error") ==
				expect_boolean(requirement, right);
	}
	elog(ERROR, "unexpected comparison operator %d", (int) requirement->op);
}

/*
 * Does the value of a field of $Record differ from that in $Record__Prior?  A new record
 * has no prior values: every value that is not null has changed.
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

/*
 * Is a value among the members of a collection?  Null has no members.
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
 * The order of two values that are not null; raises OR301 if they have none.
 */
static int
compare_values(const Requirement *requirement, JsonbValue *left, JsonbValue *right)
{
	int			result;
	Datum		numbers[2];

	if ((left->type == jbvNumeric || right->type == jbvNumeric) &&
		orch_condition_number(left, &numbers[0]) && orch_condition_number(right, &numbers[1]))
		return DatumGetInt32(DirectFunctionCall2(numeric_cmp, numbers[0], numbers[1]));
	if (left->type != jbvString || right->type != jbvString)
		cannot_compare(requirement, left, right);

	if (requirement->left->is_datetime ||
		(requirement->right != NULL && requirement->right->is_datetime))
	{
		Timestamp	left_time;
		Timestamp	right_time;

		if (orch_condition_point_in_time(left->val.string.val,
										 left->val.string.len, &left_time) &&
			orch_condition_point_in_time(right->val.string.val,
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

	if (orch_condition_compare_eras(left->val.string.val, left->val.string.len,
									right->val.string.val, right->val.string.len, &result))
		return result;
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
 * The right side of operators like IsNull; true if it is left out.
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

/* Reads the literal texts "true" and "false". */
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
					 orch_condition_operator_name(requirement->op))));
}
