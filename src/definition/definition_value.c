/*-------------------------------------------------------------------------
 *
 * definition_value.c
 *	  Compiles what a definition says about values: literals, references,
 *	  conditions and their logic.
 *
 * The part of the compiler that evaluate_conditions() needs too; what holds for
 * the compiler as a whole is said in definition_compile.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_value.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "definition/definition_int.h"

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

static void compile_condition(Compiler *c, const DocNode *node,
							  Requirement *requirement);
static void compile_filter(Compiler *c, const DocNode *node,
						   Requirement *requirement, ReferenceUse use);
static bool compile_operator(Compiler *c, const DocNode *node,
							 ComparisonOperator *op);
static void check_right_side(Compiler *c, const DocNode *node,
							 Requirement *requirement);
static void check_types(Compiler *c, const DocNode *node,
						const Requirement *requirement);
static char *shown_literal(JsonbValue *literal);
static ValueType operand_type(Compiler *c, const Operand *operand);
static void compile_named_reference(Compiler *c, const DocNode *node,
									Operand *operand, List *parts,
									ReferenceUse use);

const char *
orch_definition_operator_name(ComparisonOperator op)
{
	int			i;

	for (i = 0; i < (int) lengthof(operators); i++)
		if (operators[i].op == op)
			return operators[i].name;
	elog(ERROR, "unexpected comparison operator %d", (int) op);
}

/*
 * Compile {"conditionLogic": ..., "conditions": [...]} for itself: references
 * are not resolved, whoever evaluates goes by their text.
 */
ConditionSet *
orch_definition_compile_conditions(const DocNode *root, MemoryContext context,
								   ProblemList *problems)
{
	Compiler	c = {0};

	c.context = context;
	c.problems = problems;
	c.free_references = true;
	orch_definition_check_structure(&c, root, SHAPE_CONDITIONS);
	return orch_definition_compile_condition_list(&c, root, "conditions", "conditionLogic", USE_RUN);
}

/* ------------------------------------------------------------ conditions */

ConditionSet *
orch_definition_compile_condition_list(Compiler *c, const DocNode *parent, const char *conditions,
									   const char *logic, ReferenceUse use)
{
	ConditionSet *set = MemoryContextAllocZero(c->context, sizeof(ConditionSet));
	const DocNode *child;
	const char *text = orch_definition_text(parent, logic);
	int			nesting = c->nesting;
	int			deepest = nesting;

	for (child = parent->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, conditions) && child->kind != DOC_NIL)
			set->nrequirements++;
	if (set->nrequirements == 0)
		return set;
	set->requirements = MemoryContextAllocExtended(c->context,
												   sizeof(Requirement) * set->nrequirements,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (text != NULL)
		set->logic = orch_definition_compile_logic(c, orch_document_child(parent, logic), text,
												   set->nrequirements, &deepest);
	set->nrequirements = 0;
	c->nesting = deepest;		/* of what is contained in one of them */
	for (child = parent->first_child; child != NULL; child = child->next)
	{
		Requirement *requirement;

		if (!orch_definition_is_named(child, conditions) || child->kind == DOC_NIL)
			continue;
		CHECK_FOR_INTERRUPTS();
		requirement = &set->requirements[set->nrequirements++];
		if (child->kind != DOC_OBJECT)
			continue;			/* reported */
		if (use == USE_FILTER || use == USE_LOOKUP)
			compile_filter(c, child, requirement, use);
		else
			compile_condition(c, child, requirement);
	}
	c->nesting = nesting;
	return set;
}

static void
compile_condition(Compiler *c, const DocNode *node, Requirement *requirement)
{
	char	   *left = orch_definition_word(node, "leftValueReference");
	const DocNode *left_node = orch_document_child(node, "leftValueReference");

	if (node->depth > MAX_NESTING)
		return;					/* reported */
	/* a container has conditions of its own */
	if (orch_document_child(node, "conditions") != NULL)
	{
		check_stack_depth();
		if (c->nesting == MAX_NESTING)
		{
			error_at(c, node, "the conditions and their logic nest more than %d deep",
					 MAX_NESTING);
			return;
		}
		if (left != NULL)
			error_at(c, left_node, "a condition that contains others has no \"leftValueReference\"");
		c->nesting++;
		requirement->nested = orch_definition_compile_condition_list(c, node, "conditions",
																	 "conditionLogic", USE_RUN);
		c->nesting--;
		return;
	}
	if (!compile_operator(c, node, &requirement->op))
		return;
	if (left == NULL)
	{
		error_at(c, node, "element \"leftValueReference\" is missing");
		return;
	}
	if (requirement->op == COMPARE_WAS_VISITED || requirement->op == COMPARE_HAS_ERROR)
	{
		/* these name the element itself; its Status is as good */
		char	   *name = pstrdup(left);
		char	   *dot = strstr(name, ".Status");
		NameEntry  *entry;

		if (dot != NULL && strcmp(dot, ".Status") == 0)
			*dot = '\0';
		entry = c->free_references ? NULL : orch_definition_find_name(c->def, name);
		if (entry != NULL && (entry->kind == NAME_STAGE || entry->kind == NAME_STEP))
			left = psprintf("%s.Status", name);
		else if (!c->free_references)
		{
			error_at(c, left_node, "operator \"%s\" needs a stage or step on its left side, and \"%s\" is none",
					 orch_definition_operator_name(requirement->op), name);
			return;
		}
	}
	requirement->left = orch_definition_compile_reference(c, left_node, left, USE_RUN);
	requirement->right = orch_definition_compile_value(c, orch_document_child(node, "rightValue"),
													   USE_RUN);
	if (requirement->op == COMPARE_IS_CHANGED)
		c->reads_prior = true;
	check_right_side(c, node, requirement);
}

/*
 * A start filter or that of a record lookup: its left side is a field of the
 * record.
 */
static void
compile_filter(Compiler *c, const DocNode *node, Requirement *requirement,
			   ReferenceUse use)
{
	char	   *field = orch_definition_word(node, "field");
	MemoryContext old;

	if (field != NULL)
	{
		if (strpbrk(field, ".$ ") != NULL)
			error_at(c, orch_document_child(node, "field"),
					 "\"%s\" is not a field: filters look at fields of the record itself",
					 field);
		old = MemoryContextSwitchTo(c->context);
		requirement->left = palloc0(sizeof(Operand));
		requirement->left->kind = OPERAND_RECORD;
		requirement->left->path = list_make1(pstrdup(field));
		requirement->left->text = psprintf("$Record.%s", field);
		MemoryContextSwitchTo(old);
	}
	else if (orch_definition_text(node, "field") != NULL)
		error_at(c, node, "\"field\" is empty");
	requirement->right = orch_definition_compile_value(c, orch_document_child(node, "value"),
													   use == USE_FILTER ? USE_FILTER : USE_RUN);
	if (!compile_operator(c, node, &requirement->op) || requirement->left == NULL)
		return;
	if (requirement->op == COMPARE_IS_CHANGED && use == USE_FILTER)
		c->filters_look_back = true;
	if (requirement->op == COMPARE_WAS_VISITED ||
		requirement->op == COMPARE_HAS_ERROR ||
		(requirement->op == COMPARE_IS_CHANGED && use == USE_LOOKUP))
		error_at(c, orch_document_child(node, "operator"),
				 "operator \"%s\" is not supported here",
				 orch_definition_operator_name(requirement->op));
	else
		check_right_side(c, node, requirement);
}

static bool
compile_operator(Compiler *c, const DocNode *node, ComparisonOperator *op)
{
	char	   *name = orch_definition_word(node, "operator");
	const DocNode *name_node = orch_document_child(node, "operator");
	int			i;

	if (name == NULL)
	{
		error_at(c, name_node != NULL ? name_node : node,
				 orch_definition_text(node, "operator") != NULL ?
				 "\"operator\" is empty" : "element \"operator\" is missing");
		return false;
	}
	for (i = 0; i < (int) lengthof(operators); i++)
		if (strcmp(operators[i].name, name) == 0)
			break;
	if (i < (int) lengthof(operators))
	{
		*op = operators[i].op;
		return true;
	}
	/* what a builder writes into a condition that is not finished */
	if (strcmp(name, "None") == 0)
		stale_at(c, name_node, "None",
				 "the condition is not finished: its operator is None, so the version cannot be activated");
	else if (strcmp(name, "WasSelected") == 0)
		error_at(c, name_node, "operator \"WasSelected\" is not supported: it asks for a choice of a screen, and there are no choices here");
	else
		error_at(c, name_node, "operator \"%s\" is not supported", name);
	return false;
}

/*
 * What can be said of a comparison without running it.
 */
static void
check_right_side(Compiler *c, const DocNode *node, Requirement *requirement)
{
	const Operand *left = requirement->left;
	const Operand *right = requirement->right;
	JsonbValue *literal = right != NULL && right->kind == OPERAND_LITERAL ?
		right->literal : NULL;
	EnumType	type = left->kind == OPERAND_STAGE_STATUS ?
		ENUM_STAGE_STATUS : ENUM_STEP_STATUS;
	int			nlabels = left->kind == OPERAND_STAGE_STATUS ?
		STAGE_SUSPENDED + 1 : STEP_NOT_STARTED + 1;
	int			i;

	if (requirement->op == COMPARE_IS_CHANGED && left->kind != OPERAND_RECORD)
		error_at(c, node, "operator \"IsChanged\" needs a field of $Record on its left side");

	switch (requirement->op)
	{
		case COMPARE_IS_NULL:
		case COMPARE_IS_CHANGED:
		case COMPARE_IS_BLANK:
		case COMPARE_IS_EMPTY:
		case COMPARE_WAS_SET:
		case COMPARE_WAS_VISITED:
		case COMPARE_HAS_ERROR:
			if (literal != NULL && literal->type != jbvBool &&
				!orch_condition_is_text(literal, "true") &&
				!orch_condition_is_text(literal, "false"))
				error_at(c, node, "operator \"%s\" needs a boolean on its right side",
						 orch_definition_operator_name(requirement->op));
			return;
		default:
			break;
	}
	if ((left->kind != OPERAND_STEP_STATUS &&
		 left->kind != OPERAND_STAGE_STATUS) || literal == NULL ||
		(requirement->op != COMPARE_EQUAL_TO &&
		 requirement->op != COMPARE_NOT_EQUAL_TO))
	{
		check_types(c, node, requirement);
		return;
	}
	if (literal->type != jbvString)
	{
		error_at(c, node, "\"%s\" is text and cannot be compared with %s",
				 left->text, shown_literal(literal));
		return;
	}
	for (i = 0; i < nlabels; i++)
	{
		const char *label = orch_catalog_label(type, i);

		if (literal->val.string.len == (int) strlen(label) &&
			memcmp(literal->val.string.val, label, strlen(label)) == 0)
			return;
	}
	warning_at(c, node, "\"%s\" is never \"%s\"", left->text,
			   shown_literal(literal));
}

/*
 * A literal for messages, not all of a long one: it may be a constant's, of which
 * there is one and many messages.
 */
static char *
shown_literal(JsonbValue *literal)
{
	if (literal->type == jbvString)
		return pnstrdup(literal->val.string.val,
						pg_mbcliplen(literal->val.string.val, literal->val.string.len, 80));
	return orch_condition_value_text(literal);
}

/* What an operand is, as far as the definition tells. */
static ValueType
operand_type(Compiler *c, const Operand *operand)
{
	/* dates are written as texts, too */
	if (operand == NULL || c->free_references ||
		(operand->kind == OPERAND_LITERAL && operand->literal == NULL))
		return VALUE_UNKNOWN;
	return operand->type;
}

static bool
is_point_in_time(ValueType type)
{
	return type == VALUE_DATE || type == VALUE_DATETIME;
}

/*
 * Comparing what cannot be compared is an error: here, where both types are
 * known, else when it happens (condition.c).
 */
static void
check_types(Compiler *c, const DocNode *node, const Requirement *requirement)
{
	ValueType	left = operand_type(c, requirement->left);
	ValueType	right = operand_type(c, requirement->right);
	bool		fits;
	bool		boolean;

	if (left == VALUE_UNKNOWN || right == VALUE_UNKNOWN)
		return;
	switch (requirement->op)
	{
		case COMPARE_IN:
		case COMPARE_NOT_IN:
			if (right != VALUE_COLLECTION)
				error_at(c, node, "operator \"%s\" needs a collection on its right side, and \"%s\" is %s",
						 orch_definition_operator_name(requirement->op),
						 requirement->right->text, value_types[right]);
			return;
		case COMPARE_CONTAINS:
			if (left == VALUE_COLLECTION)
				return;
			/* FALLTHROUGH */
		case COMPARE_STARTS_WITH:
		case COMPARE_ENDS_WITH:
			fits = left == VALUE_TEXT && right == VALUE_TEXT;
			break;
		case COMPARE_EQUAL_TO:
		case COMPARE_NOT_EQUAL_TO:
			fits = (left == right && left != VALUE_RECORD && left != VALUE_COLLECTION) ||
				(left == VALUE_BOOLEAN && right == VALUE_TEXT &&
				 requirement->right->kind == OPERAND_LITERAL &&
				 requirement->right->literal->val.string.len < 100 &&
				 orch_document_boolean(orch_condition_value_text(requirement->right->literal), &boolean));
			break;
		default:
			fits = left == right && left != VALUE_RECORD &&
				left != VALUE_COLLECTION && left != VALUE_BOOLEAN;
			break;
	}
	if (!fits && requirement->op <= COMPARE_LESS_THAN_OR_EQUAL_TO)
		fits = (is_point_in_time(left) || left == VALUE_TEXT || left == VALUE_TIME) &&
			(is_point_in_time(right) || right == VALUE_TEXT || right == VALUE_TIME);
	if (!fits)
		error_at(c, node, "\"%s\" is %s and \"%s\" is %s: operator \"%s\" does not apply to them",
				 requirement->left->text, value_types[left],
				 requirement->right->text, value_types[right],
				 orch_definition_operator_name(requirement->op));
}

/* ---------------------------------------------------------------- values */

static Operand *
make_literal(Compiler *c, JsonbValue *value, char *text)
{
	Operand    *operand = MemoryContextAllocZero(c->context, sizeof(Operand));

	operand->kind = OPERAND_LITERAL;
	operand->text = text;
	if (value != NULL)
	{
		operand->literal = MemoryContextAlloc(c->context, sizeof(JsonbValue));
		*operand->literal = *value;
		operand->type = value->type == jbvNumeric ? VALUE_NUMBER :
			value->type == jbvBool ? VALUE_BOOLEAN : VALUE_TEXT;
	}
	return operand;
}

/*
 * A value: literal or reference; NULL where there is none.
 */
Operand *
orch_definition_compile_value(Compiler *c, const DocNode *node, ReferenceUse use)
{
	const DocNode *child;
	const DocNode *member = NULL;
	JsonbValue	v;
	Timestamp	timestamp;
	char	   *text;
	MemoryContext old;
	Operand    *result;
	bool		ok = true;

	if (node == NULL || node->kind != DOC_OBJECT)
		return NULL;
	for (child = node->first_child; child != NULL; child = child->next)
	{
		if (child->element == NULL || child->element->treatment != DOC_READ ||
			child->kind == DOC_NIL)
			continue;
		if (member != NULL)
		{
			if (child->element != member->element)	/* else reported */
				error_at(c, node, "\"%s\" has both \"%s\" and \"%s\"",
						 node->name, member->name, child->name);
			return NULL;
		}
		member = child;
	}
	if (member == NULL || member->text == NULL || member->kind == DOC_OBJECT)
		return NULL;

	if (orch_definition_is_named(member, "elementReference"))
	{
		text = orch_definition_word(node, "elementReference");
		if (text == NULL)
		{
			error_at(c, member, "\"elementReference\" is empty");
			return NULL;
		}
		return orch_definition_compile_reference(c, member, text, use);
	}

	old = MemoryContextSwitchTo(c->context);
	if (orch_definition_is_named(member, "numberValue"))
	{
		v.type = jbvNumeric;
		ok = orch_document_number(member->text, &v.val.numeric);
		text = pstrdup(member->text);
	}
	else if (orch_definition_is_named(member, "booleanValue"))
	{
		v.type = jbvBool;
		ok = orch_document_boolean(member->text, &v.val.boolean);
		text = ok && v.val.boolean ? "true" : "false";
	}
	else
	{
		v.type = jbvString;
		v.val.string.val = pstrdup(member->text);
		v.val.string.len = strlen(member->text);
		text = psprintf("\"%s\"", member->text);
	}
	MemoryContextSwitchTo(old);
	if (!ok)
		return NULL;			/* reported */

	result = make_literal(c, &v, text);
	if (orch_definition_is_named(member, "dateTimeValue") || orch_definition_is_named(member, "dateValue"))
	{
		if (!orch_condition_datetime(member->text, strlen(member->text),
									 &timestamp))
			error_at(c, member, "\"%.*s\" is not a date or date and time in ISO form",
					 pg_mbcliplen(member->text, strlen(member->text), 40),
					 member->text);
		result->is_datetime = true;
		result->type = orch_definition_is_named(member, "dateValue") ?
			VALUE_DATE : VALUE_DATETIME;
	}
	else if (orch_definition_is_named(member, "timeValue"))
		result->type = VALUE_TIME;
	return result;
}

/*
 * Resolve a reference.  The path and text of the result are in the context of
 * the definition.
 */
Operand *
orch_definition_compile_reference(Compiler *c, const DocNode *node, const char *text,
								  ReferenceUse use)
{
	Operand    *operand;
	List	   *parts = NIL;
	MemoryContext old = MemoryContextSwitchTo(c->context);
	const char *start = text;
	const char *first;
	const char *second;
	int			nparts;

	operand = palloc0(sizeof(Operand));
	operand->kind = OPERAND_LITERAL;
	operand->text = pstrdup(text);
	operand->nesting = c->nesting;
	if (c->references != NULL)
		*c->references = lappend(*c->references, operand);
	for (;;)
	{
		const char *end = strchr(start, '.');
		int			length = end != NULL ? end - start : (int) strlen(start);

		if (list_length(parts) > MAX_NESTING)
		{
			MemoryContextSwitchTo(old);
			error_at(c, node, "the reference has more than %d fields", MAX_NESTING);
			return operand;
		}
		parts = lappend(parts, pnstrdup(start, length));
		if (length == 0)
		{
			MemoryContextSwitchTo(old);
			error_at(c, node, "\"%s\" is not a reference", text);
			return operand;
		}
		if (end == NULL)
			break;
		start = end + 1;
	}
	MemoryContextSwitchTo(old);
	first = linitial(parts);
	nparts = list_length(parts);
	second = nparts > 1 ? lsecond(parts) : "";

	if (strcmp(first, "$Record") == 0 || strcmp(first, "$Record__Prior") == 0)
	{
		ListCell   *cell;

		operand->kind = OPERAND_RECORD;
		if (strcmp(first, "$Record__Prior") == 0)
		{
			operand->kind = OPERAND_RECORD_PRIOR;
			if (use == USE_FILTER)
				c->filters_look_back = true;
			else
				c->reads_prior = true;
		}
		if (use == USE_DEFAULT)
			error_at(c, node, "reference \"%s\" is not supported here", text);
		operand->type = nparts == 1 ? VALUE_RECORD : VALUE_UNKNOWN;
		operand->path = list_delete_first(parts);
		/* Owner:User: the type in a polymorphic relationship is no part of it */
		foreach(cell, operand->path)
		{
			char	   *colon = strchr(lfirst(cell), ':');

			if (colon != NULL && colon != (char *) lfirst(cell))
				*colon = '\0';
		}
		return operand;
	}
	if (c->free_references)
	{
		/* resolved by its text */
		operand->kind = OPERAND_VARIABLE;
		operand->index = -1;
		return operand;
	}
	if (*first != '$')
	{
		compile_named_reference(c, node, operand, parts, use);
		return operand;
	}

	if (strcmp(first, "$User") == 0)
	{
		operand->kind = OPERAND_USER;
		operand->path = list_delete_first(parts);
		if (nparts != 2)
			error_at(c, node, "reference \"%s\" is not supported: $User is followed by one field",
					 text);
	}
	else if (strcmp(text, "$Flow.CurrentDateTime") == 0 ||
			 strcmp(text, "$Flow.InterviewStartTime") == 0)
	{
		operand->kind = strcmp(second, "CurrentDateTime") == 0 ?
			OPERAND_CURRENT_DATETIME : OPERAND_START_TIME;
		operand->is_datetime = true;
		operand->type = VALUE_DATETIME;
	}
	else if (strcmp(text, "$Flow.CurrentDate") == 0)
	{
		operand->kind = OPERAND_CURRENT_DATE;
		operand->is_datetime = true;
		operand->type = VALUE_DATE;
	}
	else if (strcmp(text, "$Flow.InterviewGuid") == 0 && use == USE_RUN)
	{
		operand->kind = OPERAND_INTERVIEW_GUID;
		operand->type = VALUE_TEXT;
	}
	else if (strcmp(text, "$Flow.FaultMessage") == 0 && use == USE_RUN)
	{
		operand->kind = OPERAND_FAULT_MESSAGE;
		operand->type = VALUE_TEXT;
	}
	else if (strcmp(text, "$Flow.CurrentRecord") == 0 && use == USE_RUN)
	{
		MemoryContextSwitchTo(c->context);
		operand->kind = OPERAND_RECORD;
		operand->path = list_make1(pstrdup("Id"));
		MemoryContextSwitchTo(old);
	}
	else if ((strcmp(text, "$Orchestration.Instance") == 0 ||
			  strcmp(text, "$Orchestration.InstanceId") == 0) && use == USE_RUN)
	{
		operand->kind = OPERAND_RUN_ID;
		operand->type = VALUE_TEXT;
	}
	else if (nparts >= 2 && strcmp(first, "$Flow") != 0 &&
			 strcmp(first, "$Orchestration") != 0)
	{
		/* $Organization, $Label and their like: what set_global() says */
		operand->kind = OPERAND_GLOBAL;
		operand->path = list_delete_first(parts);
	}
	else
		error_at(c, node, "reference \"%s\" is not supported%s", text,
				 use == USE_RUN ? "" : " here");
	return operand;
}

/*
 * A reference that begins with a name of the definition's own.
 */
static void
compile_named_reference(Compiler *c, const DocNode *node, Operand *operand,
						List *parts, ReferenceUse use)
{
	const char *first = linitial(parts);
	int			nparts = list_length(parts);
	const char *second = nparts > 1 ? lsecond(parts) : NULL;
	NameEntry  *entry = orch_definition_find_name(c->def, first);
	const VariableDef *variable;
	const Operand *constant;

	if (entry == NULL && c->in_text)
	{
		warning_at(c, node, "reference \"%s\" names nothing and leaves nothing in the text",
				   operand->text);
		return;
	}
	if (entry == NULL)
	{
		stale_at(c, node, operand->text, "reference \"%s\" names nothing, so the version cannot be activated",
				 operand->text);
		return;
	}
	if (use != USE_RUN && entry->kind != NAME_CONSTANT &&
		entry->kind != NAME_UNSUPPORTED &&
		!(use == USE_FILTER && (entry->kind == NAME_FORMULA ||
								entry->kind == NAME_TEMPLATE)))
	{
		error_at(c, node, "reference \"%s\" is %s, which has no value yet when a run starts",
				 operand->text, orch_definition_name_kinds[entry->kind]);
		return;
	}

	operand->index = entry->index;
	switch (entry->kind)
	{
		case NAME_STAGE:
			if (nparts != 2 || strcmp(second, "Status") != 0)
				error_at(c, node, "reference \"%s\" is not supported: of a stage only its Status can be read",
						 operand->text);
			operand->kind = OPERAND_STAGE_STATUS;
			operand->type = VALUE_TEXT;
			break;
		case NAME_STEP:
			if (nparts == 2 && strcmp(second, "Status") == 0)
			{
				operand->kind = OPERAND_STEP_STATUS;
				operand->type = VALUE_TEXT;
			}
			else if (nparts > 2 && strcmp(second, "Outputs") == 0)
			{
				operand->kind = OPERAND_STEP_OUTPUT;
				operand->path = list_delete_first(list_delete_first(parts));
			}
			else
				error_at(c, node, "reference \"%s\" is not supported: of a step only its Status and Outputs.<name> can be read",
						 operand->text);
			break;
		case NAME_OUTCOME:
			if (nparts != 1)
				error_at(c, node, "reference \"%s\" is not supported: an outcome has no fields",
						 operand->text);
			operand->kind = OPERAND_OUTCOME;
			operand->type = VALUE_BOOLEAN;
			break;
		case NAME_CONSTANT:
			constant = c->constants[entry->index];
			if (nparts != 1)
				error_at(c, node, "reference \"%s\" is not supported: a constant has no fields",
						 operand->text);
			operand->kind = OPERAND_LITERAL;
			if (constant != NULL)
			{
				operand->literal = constant->literal;
				operand->is_datetime = constant->is_datetime;
				operand->type = constant->type;
			}
			break;
		case NAME_VARIABLE:
			variable = &c->def->variables[entry->index];
			operand->kind = OPERAND_VARIABLE;
			operand->path = list_delete_first(parts);
			if (nparts > 1 && variable->type != VARIABLE_RECORD)
				error_at(c, node, "reference \"%s\" is not supported: variable \"%s\" is no record and has no fields",
						 operand->text, first);
			operand->is_datetime = nparts == 1 &&
				(variable->type == VARIABLE_DATE ||
				 variable->type == VARIABLE_DATETIME);
			if (nparts == 1)
				operand->type = variable->is_collection ? VALUE_COLLECTION :
					orch_definition_value_type(variable->type);
			break;
		case NAME_FORMULA:
			if (nparts != 1)
				error_at(c, node, "reference \"%s\" is not supported: a formula has no fields",
						 operand->text);
			operand->kind = OPERAND_FORMULA;
			operand->type = orch_definition_value_type(c->def->formulas[entry->index].type);
			operand->is_datetime = operand->type == VALUE_DATE ||
				operand->type == VALUE_DATETIME;
			break;
		case NAME_TEMPLATE:
			if (nparts != 1)
				error_at(c, node, "reference \"%s\" is not supported: a text template has no fields",
						 operand->text);
			operand->kind = OPERAND_TEMPLATE;
			operand->type = VALUE_TEXT;
			break;
		case NAME_LOOKUP:
			operand->kind = OPERAND_LOOKUP;
			operand->path = list_delete_first(parts);
			break;
		case NAME_DECISION:
		case NAME_ASSIGNMENT:
			error_at(c, node, "reference \"%s\" is not supported: %s has no value",
					 operand->text, orch_definition_name_kinds[entry->kind]);
			break;
		case NAME_UNSUPPORTED:
			break;				/* the element itself was refused */
	}
}

/* ------------------------------------------------------------- conditions */

/*
 * resolve() of evaluate_conditions() and evaluate_formula(): by the text of the
 * reference.
 */
JsonbValue *
orch_definition_resolve_by_text(EvalContext *cxt, const Operand *operand)
{
	Jsonb	   *values = cxt->arg;
	const char *key = operand->text;
	JsonbValue *result;

	if (operand->kind == OPERAND_RECORD_PRIOR &&
		strncmp(key, "$Record__Prior", strlen("$Record__Prior")) != 0)
		key = psprintf("$Record__Prior%s", key + strlen("$Record"));
	result = getKeyJsonValueFromContainer(&values->root, key, strlen(key), NULL);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("there is no value for %s", key),
				 errhint("Give it, or null, in \"values\" under that key.")));
	return result;
}

PG_FUNCTION_INFO_V1(orchestration_evaluate_conditions);

/*
 * orchestration.evaluate_conditions(conditions jsonb, "values" jsonb) returns
 * boolean
 *
 * Tries requirements out: conditions is {"conditionLogic": ..., "conditions":
 * [...]} as in a definition, values gives each reference its value under its
 * full text.  Raises 22004 for null arguments, 22023 when values is no object,
 * OR201 with every error in the conditions, OR301 when a requirement cannot be
 * evaluated.
 */
Datum
orchestration_evaluate_conditions(PG_FUNCTION_ARGS)
{
	Jsonb	   *conditions;
	Jsonb	   *values;
	ProblemList problems = {0};
	ConditionSet *set;
	EvalContext cxt;
	DocNode    *root;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null",
						PG_ARGISNULL(0) ? "conditions" : "values")));
	conditions = PG_GETARG_JSONB_P(0);
	values = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(conditions) || !JB_ROOT_IS_OBJECT(values))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be an object",
						JB_ROOT_IS_OBJECT(conditions) ? "values" : "conditions")));

	root = orch_document_from_jsonb(conditions, SHAPE_CONDITIONS);
	set = orch_definition_compile_conditions(root, CurrentMemoryContext,
											 &problems);
	if (problems.nerrors > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
				 errmsg_plural("the conditions have %d error",
							   "the conditions have %d errors",
							   problems.nerrors, problems.nerrors),
				 errdetail("%s", orch_definition_problem_text(&problems,
															  PROBLEM_ERROR))));
	cxt.resolve = orch_definition_resolve_by_text;
	cxt.arg = values;
	PG_RETURN_BOOL(orch_condition_set_holds(&cxt, set));
}
