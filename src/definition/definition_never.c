/*-------------------------------------------------------------------------
 *
 * definition_never.c
 *	  Conditions that can never hold.
 *
 * Looked for when a document is compiled to be activated, because the types of columns
 * tell: no label of an enum is "X", no character varying(3) is "ABCD".  And conditions on
 * one value may exclude each other: Status = A AND Status = B.
 *
 * A single condition that never holds, or always, is a warning: others may stand beside it
 * in an OR, and labels may be added.  Conditions that together can never hold are an error
 * where nothing else can go on: no record starts a run, a step never starts, a stage is
 * never complete.  An outcome that is never taken, or a lookup that never finds anything,
 * is a warning.
 *
 * The search is sound, not complete: it compares literals, at most MAX_FACTS of them with
 * each other, and looks into AND and OR, not into NOT.  A status that a step never has is
 * left out of it: the compiler warns of it, and files of the platform compare with such
 * values.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_never.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "definition/definition_outside.h"

#define MAX_FACTS	100

/* What must hold at a place. */
typedef struct Facts
{
	int			n;
	const Requirement *facts[MAX_FACTS];
	Compiler   *c;
	const char *type;			/* of the record that fields are of, or NULL */
	char	   *reason;			/* why the conditions never hold; NULL: more than one
								 * reason */
} Facts;

static bool set_never_holds(Facts *facts, const ConditionSet *set);
static bool logic_never_holds(Facts *facts, const ConditionSet *set, const LogicNode *node);
static bool requirement_never_holds(Facts *facts, const Requirement *requirement);
static bool excludes(const Requirement *a, const Requirement *b);

/* ------------------------------------------------------- two conditions */

/* Is a side of a condition a value that is written there?  NULL is null. */
static bool
is_literal(const Operand *operand)
{
	return operand == NULL || operand->kind == OPERAND_LITERAL;
}

static JsonbValue *
literal_value(const Operand *operand)
{
	return operand == NULL ? NULL : orch_condition_not_null(operand->literal);
}

/* Do two operands have the same value in one evaluation? */
static bool
same_operand(const Operand *a, const Operand *b)
{
	ListCell   *left;
	ListCell   *right;

	if (a->kind != b->kind || a->index != b->index || a->kind == OPERAND_LITERAL ||
		a->kind == OPERAND_CURRENT_DATETIME || list_length(a->path) != list_length(b->path) ||
		(a->kind == OPERAND_GLOBAL && strcmp(a->text, b->text) != 0))
		return false;
	forboth(left, a->path, right, b->path)
		if (strcmp(lfirst(left), lfirst(right)) != 0)
			return false;
	return true;
}

/* The boolean that a condition like IsNull is compared with; false if a run decides. */
static bool
expected_boolean(const Requirement *requirement, bool *expected)
{
	JsonbValue *value;

	if (!is_literal(requirement->right))
		return false;
	value = literal_value(requirement->right);
	*expected = value == NULL ||
		(value->type == jbvBool ? value->val.boolean :
		 value->type == jbvString && value->val.string.len == (int) strlen("true"));
	return true;
}

typedef enum Nullness
{
	EITHER,
	MUST_BE_NULL,
	MUST_NOT_BE_NULL
} Nullness;

/* What a condition says of its left side. */
static Nullness
nullness(const Requirement *requirement)
{
	bool		expected;

	switch (requirement->op)
	{
		case COMPARE_IS_NULL:
			return !expected_boolean(requirement, &expected) ? EITHER :
				expected ? MUST_BE_NULL : MUST_NOT_BE_NULL;
		case COMPARE_WAS_SET:
			return !expected_boolean(requirement, &expected) ? EITHER :
				expected ? MUST_NOT_BE_NULL : MUST_BE_NULL;
		case COMPARE_IS_BLANK:
		case COMPARE_IS_EMPTY:
			return expected_boolean(requirement, &expected) && !expected ? MUST_NOT_BE_NULL : EITHER;
		case COMPARE_EQUAL_TO:
			return !is_literal(requirement->right) ? EITHER :
				literal_value(requirement->right) == NULL ? MUST_BE_NULL : MUST_NOT_BE_NULL;
		case COMPARE_NOT_EQUAL_TO:
			return is_literal(requirement->right) && literal_value(requirement->right) == NULL ?
				MUST_NOT_BE_NULL : EITHER;
		case COMPARE_GREATER_THAN:
		case COMPARE_LESS_THAN:
		case COMPARE_GREATER_THAN_OR_EQUAL_TO:
		case COMPARE_LESS_THAN_OR_EQUAL_TO:
		case COMPARE_STARTS_WITH:
		case COMPARE_ENDS_WITH:
		case COMPARE_CONTAINS:
			return MUST_NOT_BE_NULL;
		default:
			return EITHER;
	}
}

static bool
as_time(const JsonbValue *value, Timestamp *timestamp)
{
	return value->type == jbvString &&
		orch_condition_datetime(value->val.string.val, value->val.string.len, timestamp);
}

static bool
as_number(JsonbValue *value, Numeric *number)
{
	if (value->type == jbvNumeric)
		*number = value->val.numeric;
	return value->type == jbvNumeric ||
		(value->type == jbvString && value->val.string.len < 100 &&
		 orch_document_number(orch_condition_value_text(value), number));
}

static int
compare_numbers(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

/*
 * The order of two literals with which one value is compared; false if it is not known,
 * because it depends on the value whether they compare as texts.
 */
static bool
compare_literals(const Operand *a, const Operand *b, int *order)
{
	JsonbValue *left = literal_value(a);
	JsonbValue *right = literal_value(b);
	Timestamp	left_time;
	Timestamp	right_time;

	if (left == NULL || right == NULL)
		return false;
	if (left->type == jbvNumeric && right->type == jbvNumeric)
	{
		*order = compare_numbers(left->val.numeric, right->val.numeric);
		return true;
	}
	if (a->is_datetime && b->is_datetime && as_time(left, &left_time) &&
		as_time(right, &right_time))
	{
		*order = left_time < right_time ? -1 : left_time > right_time;
		return true;
	}
	return false;
}

/* Can no value be equal to both literals, whatever its type is? */
static bool
never_both(const Operand *a, const Operand *b)
{
	JsonbValue *left = literal_value(a);
	JsonbValue *right = literal_value(b);
	Numeric		left_number;
	Numeric		right_number;
	Timestamp	left_time;
	Timestamp	right_time;
	int			order;

	if (compare_literals(a, b, &order))
		return order != 0;
	if (left->type == jbvBool && right->type == jbvBool)
		return left->val.boolean != right->val.boolean;
	if (left->type != jbvString || right->type != jbvString)
		return false;
	/* written in two ways, the same number, time or boolean is meant */
	if (as_number(left, &left_number) && as_number(right, &right_number))
		return compare_numbers(left_number, right_number) != 0;
	if (as_time(left, &left_time) && as_time(right, &right_time))
		return left_time != right_time;
	return pg_strcasecmp(orch_condition_value_text(left),
						 orch_condition_value_text(right)) != 0;
}

/* Does the order of a value to a literal, less (-1), equal or greater (1), meet an operator? */
static bool
meets_order(ComparisonOperator op, int order)
{
	switch (op)
	{
		case COMPARE_EQUAL_TO:
			return order == 0;
		case COMPARE_GREATER_THAN:
			return order > 0;
		case COMPARE_LESS_THAN:
			return order < 0;
		case COMPARE_GREATER_THAN_OR_EQUAL_TO:
			return order >= 0;
		case COMPARE_LESS_THAN_OR_EQUAL_TO:
			return order <= 0;
		default:
			return true;
	}
}

/*
 * Do two conditions on a value exclude each other by their order to literals?  Only a
 * value that is equal to a literal, or lies beyond or between the two, need be tried.
 */
static bool
orders_exclude(const Requirement *a, const Requirement *b)
{
	int			order;			/* of a's literal to b's */

	if ((a->op != COMPARE_EQUAL_TO && !orch_condition_is_order(a->op)) ||
		(b->op != COMPARE_EQUAL_TO && !orch_condition_is_order(b->op)) ||
		!compare_literals(a->right, b->right, &order))
		return false;
	if (order == 0)
		return !(meets_order(a->op, 0) && meets_order(b->op, 0)) &&
			!(meets_order(a->op, -1) && meets_order(b->op, -1)) &&
			!(meets_order(a->op, 1) && meets_order(b->op, 1));
	/* equal to a's; equal to b's; between; less than both; greater than both */
	return !(meets_order(a->op, 0) && meets_order(b->op, order)) &&
		!(meets_order(a->op, -order) && meets_order(b->op, 0)) &&
		!(meets_order(a->op, -order) && meets_order(b->op, order)) &&
		!(meets_order(a->op, -1) && meets_order(b->op, -1)) &&
		!(meets_order(a->op, 1) && meets_order(b->op, 1));
}

/* Does a text, to which the left side is equal, fail a search for another? */
static bool
search_fails(const Requirement *equal, const Requirement *search)
{
	JsonbValue *value = literal_value(equal->right);
	JsonbValue *part = literal_value(search->right);
	char	   *text;
	char	   *wanted;

	if (equal->op != COMPARE_EQUAL_TO || !is_literal(search->right) ||
		value == NULL || part == NULL || value->type != jbvString ||
		part->type != jbvString || equal->right->is_datetime)
		return false;
	text = orch_condition_value_text(value);
	wanted = orch_condition_value_text(part);
	return (search->op == COMPARE_STARTS_WITH || search->op == COMPARE_ENDS_WITH ||
			search->op == COMPARE_CONTAINS) &&
		!orch_condition_text_meets(text, search->op, wanted);
}

/*
 * Can two conditions not hold together?
 */
static bool
excludes(const Requirement *a, const Requirement *b)
{
	bool		left;
	bool		right;

	if (a->left == NULL || b->left == NULL || !same_operand(a->left, b->left))
		return false;
	if (nullness(a) != EITHER && nullness(b) != EITHER && nullness(a) != nullness(b))
		return true;
	if (a->op == COMPARE_IS_CHANGED && b->op == COMPARE_IS_CHANGED)
		return expected_boolean(a, &left) && expected_boolean(b, &right) && left != right;
	if (!is_literal(a->right) || !is_literal(b->right) || literal_value(a->right) == NULL ||
		literal_value(b->right) == NULL)
		return false;
	if (a->op == COMPARE_EQUAL_TO && b->op == COMPARE_EQUAL_TO)
		return never_both(a->right, b->right);
	if ((a->op == COMPARE_EQUAL_TO && b->op == COMPARE_NOT_EQUAL_TO) ||
		(a->op == COMPARE_NOT_EQUAL_TO && b->op == COMPARE_EQUAL_TO))
		return a->right->is_datetime == b->right->is_datetime &&
			orch_condition_same_value(literal_value(a->right), literal_value(b->right));
	return orders_exclude(a, b) || search_fails(a, b) || search_fails(b, a);
}

/* ------------------------------------------------------------ the logic */

/* A condition, for messages. */
static char *
shown(const Requirement *requirement)
{
	const char *right = requirement->right == NULL ? "null" : requirement->right->text;

	return psprintf("%s %s %.*s", requirement->left->text,
					orch_condition_operator_name(requirement->op),
					pg_mbcliplen(right, strlen(right), 80), right);
}

/* The field of a record that a condition looks at; NULL if it looks at none. */
static const RecordField *
field_of(Facts *facts, const Requirement *requirement)
{
	const Operand *left = requirement->left;
	const LookupDef *lookup;
	const char *type = facts->type;

	if (left == NULL || left->path == NIL)
		return NULL;
	if (left->kind == OPERAND_LOOKUP)
	{
		lookup = &facts->c->def->lookups[left->index];
		type = lookup->first_only ? lookup->record_type : NULL;
	}
	else if (left->kind != OPERAND_RECORD && left->kind != OPERAND_RECORD_PRIOR)
		return NULL;
	return type == NULL ? NULL : orch_definition_outside_field(facts->c->outside, type, left->path);
}

/* Why no value of a field meets the comparison with a literal; NULL if one may. */
static char *
field_never_meets(const RecordField *field, const Requirement *requirement)
{
	if (field == NULL || requirement->right == NULL || !is_literal(requirement->right))
		return NULL;
	return orch_record_field_never(field, requirement->op, requirement->right);
}

static bool
requirement_never_holds(Facts *facts, const Requirement *requirement)
{
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (requirement->nested != NULL)
		return set_never_holds(facts, requirement->nested);
	if (requirement->left == NULL)
		return false;			/* it is not finished, and reported */
	if (requirement->op != COMPARE_NOT_EQUAL_TO &&
		field_never_meets(field_of(facts, requirement), requirement) != NULL)
	{
		facts->reason = shown(requirement);
		return true;
	}
	for (i = 0; i < facts->n; i++)
		if (excludes(facts->facts[i], requirement))
		{
			facts->reason = psprintf("%s excludes %s", shown(facts->facts[i]),
									 shown(requirement));
			return true;
		}
	if (facts->n < MAX_FACTS)
		facts->facts[facts->n++] = requirement;
	return false;
}

/*
 * Can a condition or an AND or OR of conditions not hold beside what must hold already?
 * If it can, what must hold for it is added to facts.
 */
static bool
logic_never_holds(Facts *facts, const ConditionSet *set, const LogicNode *node)
{
	int			before = facts->n;
	const LogicNode *alternative;
	bool		ors = false;
	int			pass;

	check_stack_depth();
	if (node->kind == LOGIC_NOT)
		return false;
	if (node->kind == LOGIC_OR)
	{
		for (alternative = node;; alternative = alternative->right)
		{
			bool		last = alternative->kind != LOGIC_OR;
			bool		never;

			CHECK_FOR_INTERRUPTS();
			never = logic_never_holds(facts, set, last ? alternative : alternative->left);
			facts->n = before;
			if (!never)
				return false;
			if (last)
				break;
		}
		facts->reason = NULL;
		return true;
	}
	/* first what must hold in any case, then what has alternatives */
	for (pass = 0; pass < (ors ? 2 : 1); pass++)
		for (alternative = node;; alternative = alternative->right)
		{
			bool		last = alternative->kind != LOGIC_AND;
			const LogicNode *part = last ? alternative : alternative->left;

			CHECK_FOR_INTERRUPTS();
			if (part->kind == LOGIC_OR)
				ors = true;
			if ((part->kind == LOGIC_OR) == (pass == 1) &&
				(part->kind == LOGIC_REQUIREMENT ?
				 requirement_never_holds(facts, &set->requirements[part->index]) :
				 logic_never_holds(facts, set, part)))
				return true;
			if (last)
				break;
		}
	return false;
}

static bool
set_never_holds(Facts *facts, const ConditionSet *set)
{
	int			i;

	check_stack_depth();
	if (set->logic != NULL)
		return logic_never_holds(facts, set, set->logic);
	for (i = 0; i < set->nrequirements; i++)
		if (requirement_never_holds(facts, &set->requirements[i]))
			return true;
	return false;
}

/* ------------------------------------------------------- entry points */

/*
 * Does a lookup hand the comparison to the server as one of the column's type?  Then a
 * literal that is not of that type is an error there; a text is cut to the column's length.
 */
static bool
fails_in_lookup(const RecordField *field, const ConditionSet *set,
				const Requirement *requirement)
{
	return set->logic == NULL && requirement->op == COMPARE_EQUAL_TO &&
		field->column_type != VARCHAROID && field->column_type != BPCHAROID &&
		field->column_type != NAMEOID;
}

/*
 * Reports what is to be said of one condition: it never holds, or always, or fails for
 * some values.
 */
static void
check_one(Facts *facts, const ConditionSet *set, const Requirement *requirement,
		  const DocNode *node)
{
	Compiler   *c = facts->c;
	const RecordField *field = field_of(facts, requirement);
	char	   *reason = field_never_meets(field, requirement);

	if (requirement->op == COMPARE_IS_CHANGED && c->outside->new_only)
		warning_at(c, node, "%s: only new records start a run, and each of their values that is not null counts as changed",
				   shown(requirement));
	/* the compiler reports it if it knows both types */
	if ((requirement->op == COMPARE_IN || requirement->op == COMPARE_NOT_IN) &&
		requirement->left->type == VALUE_UNKNOWN && requirement->right != NULL &&
		requirement->right->type != VALUE_UNKNOWN &&
		requirement->right->type != VALUE_COLLECTION)
		error_at(c, node, "%s fails: the right side is not a collection", shown(requirement));
	if (reason != NULL && orch_definition_is_named(node->parent, "recordLookups") &&
		fails_in_lookup(field, set, requirement))
		error_at(c, node, "%s fails: %s", shown(requirement), reason);
	else if (reason != NULL)
		warning_at(c, node, "%s %s holds: %s", shown(requirement),
				   requirement->op == COMPARE_NOT_EQUAL_TO ? "always" : "never",
				   reason);
	else if (field != NULL && field->type == VALUE_TEXT && requirement->right != NULL &&
			 requirement->right->is_datetime &&
			 requirement->op <= COMPARE_LESS_THAN_OR_EQUAL_TO)
		warning_at(c, node, "%s compares a value of type %s with a date: only a date in ISO form compares as one",
				   shown(requirement), field->type_name);
	else if (field != NULL && field->not_null && nullness(requirement) == MUST_BE_NULL &&
			 orch_definition_is_named(node->parent, "start"))
		warning_at(c, node, "%s never holds: the column is NOT NULL",
				   shown(requirement));
}

static void
check_each(Facts *facts, const ConditionSet *set, const DocNode *parent, const char *element)
{
	const DocNode *node;
	int			i = 0;

	check_stack_depth();
	for (node = parent->first_child; node != NULL; node = node->next)
	{
		const Requirement *requirement;

		if (!orch_definition_is_named(node, element) || node->kind == DOC_NIL)
			continue;
		CHECK_FOR_INTERRUPTS();
		requirement = &set->requirements[i++];
		if (requirement->nested != NULL)
			check_each(facts, requirement->nested, node, "conditions");
		else if (requirement->left != NULL)
			check_one(facts, set, requirement, node);
	}
}

/*
 * Checks the conditions of an element; result: what is so if they never hold.
 */
static void
check_set(Compiler *c, const ConditionSet *set, const DocNode *parent, const char *element,
		  const char *type, bool fatal, const char *result)
{
	Facts		facts;
	char	   *message;

	if (set == NULL || set->nrequirements == 0)
		return;
	facts.n = 0;
	facts.c = c;
	facts.type = type;
	facts.reason = NULL;
	check_each(&facts, set, parent, element);
	if (!set_never_holds(&facts, set))
		return;
	message = facts.reason == NULL ? psprintf("the conditions never hold, so %s", result) :
		psprintf("the conditions never hold, so %s: %s", result, facts.reason);
	if (fatal)
		error_at(c, parent, "%s", message);
	else
		warning_at(c, parent, "%s", message);
}

/*
 * Reports conditions of every element that never hold, or always, or fail for some values.
 */
void
orch_definition_check_conditions(Compiler *c, const DocNode *root)
{
	const Definition *def = c->def;
	const char *type = c->outside->record_type;
	const DocNode *node;
	int			nstages = 0;
	int			nsteps = 0;
	int			noutcomes = 0;
	int			nlookups = 0;

	for (node = root->first_child; node != NULL; node = node->next)
	{
		const DocNode *child;

		CHECK_FOR_INTERRUPTS();
		if (orch_definition_is_named(node, "start"))
			check_set(c, def->filters, node, "filters", type, true, "no record starts a run");
		else if (orch_definition_is_named(node, "orchestratedStages"))
		{
			check_set(c, def->stages[nstages++].exit, node, "exitConditions", type, true,
					  "the stage is never complete");
			for (child = node->first_child; child != NULL; child = child->next)
			{
				if (!orch_definition_is_named(child, "stageSteps"))
					continue;
				check_set(c, def->steps[nsteps].entry, child, "entryConditions", type, true,
						  "the step never starts");
				check_set(c, def->steps[nsteps++].exit, child, "exitConditions", type, true,
						  "the step is never complete");
			}
		}
		else if (orch_definition_is_named(node, "decisions"))
		{
			for (child = node->first_child; child != NULL; child = child->next)
				if (orch_definition_is_named(child, "rules"))
					check_set(c, def->outcomes[noutcomes++].conditions, child, "conditions",
							  type, false, "the outcome is never taken");
		}
		else if (orch_definition_is_named(node, "recordLookups"))
		{
			check_set(c, def->lookups[nlookups].filters, node, "filters",
					  def->lookups[nlookups].record_type, false, "no record is found");
			nlookups++;
		}
	}
}
