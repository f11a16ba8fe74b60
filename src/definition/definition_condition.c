/*-------------------------------------------------------------------------
 *
 * definition_condition.c
 *	  Compiles conditions and filters: operators, both sides, and what can be said
 *	  of a comparison before it runs.
 *
 * Part of the third pass (definition_compile.c); evaluate_conditions()
 * compiles with it, too.  The logic of conditions is in definition_logic.c,
 * their sides are compiled in definition_value.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_condition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "definition/definition_int.h"
#include "definition/definition_outside.h"

static void compile_condition(Compiler *c, const DocNode *node,
							  Requirement *requirement);
static void compile_filter(Compiler *c, const DocNode *node,
						   Requirement *requirement, ReferenceUse use);
static void compile_container(Compiler *c, const DocNode *node,
							  Requirement *requirement);
static Operand *compile_element(Compiler *c, const DocNode *node, const char *reference,
								ComparisonOperator op);
static int	note_visit(Compiler *c, NameEntry *entry);
static bool compile_operator(Compiler *c, const DocNode *node,
							 ComparisonOperator *op);
static bool wants_boolean(ComparisonOperator op);
static void check_right_side(Compiler *c, const DocNode *node,
							 Requirement *requirement);
static void check_status(Compiler *c, const DocNode *node,
						 const Requirement *requirement);
static void check_types(Compiler *c, const DocNode *node,
						const Requirement *requirement);
static char *shown_literal(JsonbValue *literal);
static ValueType operand_type(Compiler *c, const Operand *operand);

/*
 * The conditions of an element, and their logic; use: see compile_filter().
 */
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
	if (orch_document_child(node, "conditions") != NULL)
	{
		compile_container(c, node, requirement);
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
		requirement->left = compile_element(c, left_node, left, requirement->op);
	else
		requirement->left = orch_definition_compile_reference(c, left_node, left, USE_RUN);
	requirement->right = orch_definition_compile_value(c, orch_document_child(node, "rightValue"),
													   USE_RUN);
	if (requirement->op == COMPARE_IS_CHANGED)
		c->reads_prior = true;
	check_right_side(c, node, requirement);
}

/*
 * A condition that contains other conditions, with a logic of their own.
 */
static void
compile_container(Compiler *c, const DocNode *node, Requirement *requirement)
{
	const DocNode *left = orch_document_child(node, "leftValueReference");

	check_stack_depth();
	if (c->nesting == MAX_NESTING)
	{
		error_at(c, node, "the conditions and their logic nest more than %d deep",
				 MAX_NESTING);
		return;
	}
	if (orch_definition_word(node, "leftValueReference") != NULL)
		error_at(c, left, "a condition that contains others has no \"leftValueReference\"");
	c->nesting++;
	requirement->nested = orch_definition_compile_condition_list(c, node, "conditions",
																 "conditionLogic", USE_RUN);
	c->nesting--;
}

/*
 * The left side of WasVisited and HasError names an element.  Of a stage or step its status
 * is read.  The run notes whether it reached any other element that is asked for.  No other
 * element has an error while its run goes on, because its error ends the run.
 * Source: help "Flow Orchestration Operators in Decision Elements".
 */
static Operand *
compile_element(Compiler *c, const DocNode *node, const char *reference,
				ComparisonOperator op)
{
	char	   *name = pstrdup(reference);
	char	   *dot = strstr(name, ".Status");
	NameEntry  *entry;
	MemoryContext old;
	Operand    *operand;

	if (c->free_references)
		return orch_definition_compile_reference(c, node, reference, USE_RUN);
	if (dot != NULL && strcmp(dot, ".Status") == 0)
		*dot = '\0';
	entry = orch_definition_find_name(c->def, name);
	if (entry == NULL || entry->kind == NAME_UNSUPPORTED)
	{
		operand = orch_definition_compile_reference(c, node, reference, USE_RUN);
		if (operand->kind != OPERAND_LITERAL)	/* else reported */
			error_at(c, node, "operator \"%s\" needs an element of the flow on its left side, and \"%s\" is none",
					 orch_condition_operator_name(op), reference);
		return operand;
	}
	if (entry->kind == NAME_STAGE || entry->kind == NAME_STEP)
		return orch_definition_compile_reference(c, node, psprintf("%s.Status", name),
												 USE_RUN);

	old = MemoryContextSwitchTo(c->context);
	operand = palloc0(sizeof(Operand));
	operand->text = pstrdup(reference);
	operand->type = VALUE_BOOLEAN;
	switch (entry->kind)
	{
		case NAME_DECISION:
		case NAME_OUTCOME:
		case NAME_ASSIGNMENT:
		case NAME_LOOKUP:
			if (dot != NULL)
				error_at(c, node, "reference \"%s\" is not supported: %s has no Status",
						 reference, orch_definition_name_kinds[entry->kind]);
			if (op == COMPARE_WAS_VISITED)
			{
				operand->kind = OPERAND_VISITED;
				operand->index = note_visit(c, entry);
				break;
			}
			operand->literal = palloc0(sizeof(JsonbValue));
			operand->literal->type = jbvBool;
			break;
		default:
			error_at(c, node, "operator \"%s\" needs an element of the flow on its left side, and \"%s\" is %s",
					 orch_condition_operator_name(op), reference,
					 orch_definition_name_kinds[entry->kind]);
	}
	MemoryContextSwitchTo(old);
	return operand;
}

/* The element's index among those that the run notes as visited. */
static int
note_visit(Compiler *c, NameEntry *entry)
{
	Definition *def = c->def;

	if (entry->visit >= 0)
		return entry->visit;
	/* room for 8, 16, 32, ... */
	if (def->nvisits == 0)
		def->visits = MemoryContextAlloc(c->context, sizeof(char *) * 8);
	else if (def->nvisits >= 8 && (def->nvisits & (def->nvisits - 1)) == 0)
		def->visits = repalloc(def->visits, sizeof(char *) * def->nvisits * 2);
	entry->visit = def->nvisits++;
	def->visits[entry->visit] = entry->name;
	return entry->visit;
}

/*
 * A filter of the start (USE_FILTER) or of a record lookup (USE_LOOKUP): its left side
 * is a field of the record.
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
		orch_definition_look_outside(c, orch_document_child(node, "field"), requirement->left);
	}
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
				 orch_condition_operator_name(requirement->op));
	else
		check_right_side(c, node, requirement);
}

static bool
compile_operator(Compiler *c, const DocNode *node, ComparisonOperator *op)
{
	char	   *name = orch_definition_word(node, "operator");
	const DocNode *name_node = orch_document_child(node, "operator");

	if (name == NULL)
	{
		error_at(c, name_node != NULL ? name_node : node,
				 orch_definition_text(node, "operator") != NULL ?
				 "\"operator\" is empty" : "element \"operator\" is missing");
		return false;
	}
	if (orch_condition_find_operator(name, op))
		return true;
	/* a builder writes None into a condition that is not finished */
	if (strcmp(name, "None") == 0)
		stale_at(c, name_node, "None",
				 "the condition is not finished: its operator is None, so the version cannot be activated");
	else if (strcmp(name, "WasSelected") == 0)
		error_at(c, name_node, "operator \"WasSelected\" is not supported: it asks for a choice on a screen, and an orchestration has no screens");
	else
		error_at(c, name_node, "operator \"%s\" is not supported", name);
	return false;
}

/* Is the right side of the operator true or false? */
static bool
wants_boolean(ComparisonOperator op)
{
	switch (op)
	{
		case COMPARE_IS_NULL:
		case COMPARE_IS_CHANGED:
		case COMPARE_IS_BLANK:
		case COMPARE_IS_EMPTY:
		case COMPARE_WAS_SET:
		case COMPARE_WAS_VISITED:
		case COMPARE_HAS_ERROR:
			return true;
		default:
			return false;
	}
}

/*
 * Checks a comparison as far as that is possible without running it.
 */
static void
check_right_side(Compiler *c, const DocNode *node, Requirement *requirement)
{
	const Operand *left = requirement->left;
	const Operand *right = requirement->right;
	JsonbValue *literal = right != NULL && right->kind == OPERAND_LITERAL ?
		right->literal : NULL;

	if (requirement->op == COMPARE_IS_CHANGED && left->kind != OPERAND_RECORD)
		error_at(c, node, "operator \"IsChanged\" needs a field of $Record on its left side");
	if (wants_boolean(requirement->op))
	{
		bool		expected;

		if (literal != NULL && !orch_condition_boolean(literal, &expected))
			error_at(c, node, "operator \"%s\" needs a boolean on its right side",
					 orch_condition_operator_name(requirement->op));
	}
	else if ((left->kind == OPERAND_STEP_STATUS || left->kind == OPERAND_STAGE_STATUS) &&
			 literal != NULL &&
			 (requirement->op == COMPARE_EQUAL_TO ||
			  requirement->op == COMPARE_NOT_EQUAL_TO))
		check_status(c, node, requirement);
	else
		check_types(c, node, requirement);
}

/*
 * A status that is compared with a literal: is it one that the stage or step can have?
 */
static void
check_status(Compiler *c, const DocNode *node, const Requirement *requirement)
{
	const Operand *left = requirement->left;
	JsonbValue *literal = requirement->right->literal;
	bool		is_stage = left->kind == OPERAND_STAGE_STATUS;
	EnumType	type = is_stage ? ENUM_STAGE_STATUS : ENUM_STEP_STATUS;
	int			nlabels = is_stage ? STAGE_SUSPENDED + 1 : STEP_NOT_STARTED + 1;
	int			i;

	for (i = 0; i < nlabels; i++)
		if (orch_condition_is_text(literal, orch_catalog_label(type, i)))
			return;
	warning_at(c, node, "\"%s\" is never \"%s\"", left->text,
			   shown_literal(literal));
}

/*
 * A literal for messages, cut if it is long: many messages may show one constant.
 */
static char *
shown_literal(JsonbValue *literal)
{
	if (literal->type == jbvString)
		return pnstrdup(literal->val.string.val,
						pg_mbcliplen(literal->val.string.val, literal->val.string.len, 80));
	return orch_condition_value_text(literal);
}

/* The type of an operand, as far as the definition tells. */
static ValueType
operand_type(Compiler *c, const Operand *operand)
{
	if (operand == NULL || c->free_references ||
		(operand->kind == OPERAND_LITERAL && operand->literal == NULL))
		return VALUE_UNKNOWN;
	return operand->type;
}

/*
 * Two types that cannot be compared are an error: here if both are known, else when
 * the condition is evaluated (condition.c).
 */
static void
check_types(Compiler *c, const DocNode *node, const Requirement *requirement)
{
	ValueType	left = operand_type(c, requirement->left);
	ValueType	right = operand_type(c, requirement->right);
	const char *op = orch_condition_operator_name(requirement->op);

	if (right == VALUE_UNKNOWN ||
		(left == VALUE_UNKNOWN && requirement->op != COMPARE_IN &&
		 requirement->op != COMPARE_NOT_IN))
		return;
	if (!orch_condition_applies(requirement->op, left, right))
	{
		if (requirement->op == COMPARE_IN || requirement->op == COMPARE_NOT_IN)
			error_at(c, node, "operator \"%s\" needs a collection on its right side, and \"%s\" is %s",
					 op, requirement->right->text, orch_condition_value_type_name(right));
		else
			error_at(c, node, "\"%s\" is %s and \"%s\" is %s: operator \"%s\" does not apply to them",
					 requirement->left->text, orch_condition_value_type_name(left),
					 requirement->right->text, orch_condition_value_type_name(right), op);
	}
	else if (orch_condition_is_order(requirement->op) && left != right &&
			 (left == VALUE_NUMBER || right == VALUE_NUMBER))
		warning_at(c, node, "\"%s\" is %s and \"%s\" is %s: operator \"%s\" compares them as texts, in which 10 comes before 9",
				   requirement->left->text, orch_condition_value_type_name(left),
				   requirement->right->text, orch_condition_value_type_name(right), op);
}
