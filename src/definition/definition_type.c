/*-------------------------------------------------------------------------
 *
 * definition_type.c
 *	  The values outside that a definition reads, with the types that it expects.
 *
 * A definition does not declare the fields of records or the outputs of actions.  Their
 * types follow from the places where they are read: what they are compared with, the
 * variable or parameter that takes them, the function of a formula.  Places that disagree
 * make a text.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_type.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/numeric.h"

#include "definition/definition_int.h"
#include "evaluate/formula_function.h"
#include "record/action.h"

typedef struct Reader
{
	const Definition *def;
	const char **variable_record_types; /* of variables that a lookup fills */
	HTAB	   *seen;			/* index in result, by kind, owner and path */
	int			nreads;
	List	   *result;			/* of ReadValue * */
	const char *used_by;		/* the element at hand */
} Reader;

static void read_operand(Reader *reader, const Operand *operand, ValueType type,
						 JsonbValue *example);
static void add_read(Reader *reader, ReadKind kind, const char *owner, List *path,
					 ValueType type, JsonbValue *example);
static ValueType merged_type(ValueType a, ValueType b);
static void read_conditions(Reader *reader, const ConditionSet *set, const LookupDef *lookup);
static void read_requirement(Reader *reader, const Requirement *requirement,
							 const LookupDef *lookup);
static JsonbValue *satisfying(ComparisonOperator op, const Operand *literal);
static void read_formula(Reader *reader, const FormulaNode *node, ValueType type);
static ValueType argument_type(const FormulaNode *node, int i, ValueType type);
static void read_inputs(Reader *reader, const char *action, int ninputs,
						const InputParameter *inputs);
static void read_evaluation(Reader *reader, const EvaluationAction *action);
static void read_step(Reader *reader, const StepDef *step);
static void read_assignment(Reader *reader, const AssignmentDef *assignment);

List *
orch_definition_reads(const Definition *def)
{
	Reader		reader = {0};
	int			i;

	reader.def = def;
	reader.seen = orch_definition_make_names(CurrentMemoryContext);
	reader.variable_record_types = palloc0(sizeof(char *) * Max(def->nvariables, 1));
	for (i = 0; i < def->nlookups; i++)
		if (def->lookups[i].variable >= 0)
			reader.variable_record_types[def->lookups[i].variable] = def->lookups[i].record_type;

	reader.used_by = "start";
	read_conditions(&reader, def->filters, NULL);
	read_formula(&reader, def->filter_formula, VALUE_BOOLEAN);
	for (i = 0; i < def->nvariables; i++)
	{
		reader.used_by = def->variables[i].name;
		read_operand(&reader, def->variables[i].default_value,
					 orch_condition_value_type(def->variables[i].type), NULL);
	}
	for (i = 0; i < def->nstages; i++)
	{
		reader.used_by = def->stages[i].name;
		read_conditions(&reader, def->stages[i].exit, NULL);
		read_evaluation(&reader, def->stages[i].exit_action);
	}
	for (i = 0; i < def->nsteps; i++)
		read_step(&reader, &def->steps[i]);
	for (i = 0; i < def->noutcomes; i++)
	{
		reader.used_by = def->outcomes[i].name;
		read_conditions(&reader, def->outcomes[i].conditions, NULL);
	}
	for (i = 0; i < def->nassignments; i++)
		read_assignment(&reader, &def->assignments[i]);
	for (i = 0; i < def->nlookups; i++)
	{
		reader.used_by = def->lookups[i].name;
		read_conditions(&reader, def->lookups[i].filters, &def->lookups[i]);
		if (def->lookups[i].sort_field != NULL)
			add_read(&reader, READ_RECORD, def->lookups[i].record_type,
					 list_make1(def->lookups[i].sort_field), VALUE_UNKNOWN, NULL);
	}
	for (i = 0; i < def->nformulas; i++)
	{
		reader.used_by = def->formulas[i].name;
		read_formula(&reader, def->formulas[i].root,
					 orch_condition_value_type(def->formulas[i].type));
	}
	for (i = 0; i < def->ntemplates; i++)
	{
		ListCell   *cell;

		reader.used_by = def->templates[i].name;
		foreach(cell, def->templates[i].references)
			read_operand(&reader, lfirst(cell), VALUE_UNKNOWN, NULL);
	}
	return reader.result;
}

/*
 * Notes an operand that is read where a value of this type is expected; example: a value
 * that a condition wants, or NULL.
 */
static void
read_operand(Reader *reader, const Operand *operand, ValueType type, JsonbValue *example)
{
	const Definition *def = reader->def;

	if (operand == NULL)
		return;
	switch (operand->kind)
	{
		case OPERAND_RECORD:
		case OPERAND_RECORD_PRIOR:
			if (def->record_type != NULL)
				add_read(reader, READ_RECORD, def->record_type, operand->path, type, example);
			break;
		case OPERAND_LOOKUP:
			add_read(reader, READ_RECORD, def->lookups[operand->index].record_type,
					 operand->path, type, example);
			break;
		case OPERAND_VARIABLE:
			if (reader->variable_record_types[operand->index] != NULL)
				add_read(reader, READ_RECORD,
						 reader->variable_record_types[operand->index], operand->path, type,
						 example);
			break;
		case OPERAND_STEP_OUTPUT:
			add_read(reader, READ_OUTPUT, def->steps[operand->index].action_name,
					 operand->path, type, example);
			break;
		default:
			break;
	}
}

static void
add_read(Reader *reader, ReadKind kind, const char *owner, List *path, ValueType type,
		 JsonbValue *example)
{
	StringInfoData key;
	ListCell   *cell;
	NameEntry  *entry;
	ReadValue  *read;
	bool		found;

	CHECK_FOR_INTERRUPTS();
	if (path == NIL)
		return;					/* the whole record */
	initStringInfo(&key);
	appendStringInfo(&key, "%d\n%s", (int) kind, owner);
	foreach(cell, path)
		appendStringInfo(&key, "\n%s", (char *) lfirst(cell));
	entry = hash_search(reader->seen, &key.data, HASH_ENTER, &found);
	if (found)
	{
		read = list_nth(reader->result, entry->index);
		pfree(key.data);
	}
	else
	{
		entry->index = reader->nreads++;
		read = palloc0(sizeof(ReadValue));
		read->kind = kind;
		read->owner = owner;
		read->path = path;
		read->used_by = reader->used_by;
		reader->result = lappend(reader->result, read);
	}
	read->type = merged_type(read->type, type);
	if (read->example == NULL)
		read->example = example;
}

static ValueType
merged_type(ValueType a, ValueType b)
{
	if (a == b || b == VALUE_UNKNOWN)
		return a;
	if (a == VALUE_UNKNOWN)
		return b;
	if (orch_condition_alike(a, b))
		return VALUE_DATETIME;
	return VALUE_TEXT;
}

/* ------------------------------------------------------------- conditions */

/* lookup: whose filters they are, or NULL */
static void
read_conditions(Reader *reader, const ConditionSet *set, const LookupDef *lookup)
{
	int			i;

	check_stack_depth();
	for (i = 0; set != NULL && i < set->nrequirements; i++)
	{
		if (set->requirements[i].nested != NULL)
			read_conditions(reader, set->requirements[i].nested, lookup);
		else
			read_requirement(reader, &set->requirements[i], lookup);
	}
}

static void
read_requirement(Reader *reader, const Requirement *requirement, const LookupDef *lookup)
{
	const Operand *left = requirement->left;
	const Operand *right = requirement->right;
	ValueType	type;

	switch (requirement->op)
	{
		case COMPARE_STARTS_WITH:
		case COMPARE_ENDS_WITH:
		case COMPARE_IS_BLANK:
			type = VALUE_TEXT;
			break;
		case COMPARE_EQUAL_TO:
		case COMPARE_NOT_EQUAL_TO:
		case COMPARE_GREATER_THAN:
		case COMPARE_LESS_THAN:
		case COMPARE_GREATER_THAN_OR_EQUAL_TO:
		case COMPARE_LESS_THAN_OR_EQUAL_TO:
			type = right == NULL ? VALUE_UNKNOWN : right->type;
			break;
		default:
			type = VALUE_UNKNOWN;
	}
	if (lookup != NULL)
		add_read(reader, READ_RECORD, lookup->record_type, left->path, type,
				 satisfying(requirement->op, right));
	else
		read_operand(reader, left, type, satisfying(requirement->op, right));
	read_operand(reader, right, type == VALUE_UNKNOWN ? VALUE_UNKNOWN : left->type, NULL);
}

/* A value with which a comparison with a literal holds; NULL if none is known. */
static JsonbValue *
satisfying(ComparisonOperator op, const Operand *literal)
{
	JsonbValue *result;
	int64		add;

	if (literal == NULL || literal->kind != OPERAND_LITERAL || literal->literal == NULL)
		return NULL;
	switch (op)
	{
		case COMPARE_EQUAL_TO:
		case COMPARE_GREATER_THAN_OR_EQUAL_TO:
		case COMPARE_LESS_THAN_OR_EQUAL_TO:
		case COMPARE_STARTS_WITH:
		case COMPARE_ENDS_WITH:
		case COMPARE_CONTAINS:
			return literal->literal;
		case COMPARE_GREATER_THAN:
		case COMPARE_LESS_THAN:
			if (literal->literal->type != jbvNumeric)
				return NULL;
			add = op == COMPARE_GREATER_THAN ? 1 : -1;
			result = palloc(sizeof(JsonbValue));
			result->type = jbvNumeric;
			result->val.numeric =
				DatumGetNumeric(DirectFunctionCall2(numeric_add,
													NumericGetDatum(literal->literal->val.numeric),
													NumericGetDatum(int64_to_numeric(add))));
			return result;
		default:
			return NULL;
	}
}

/* --------------------------------------------------------------- formulas */

static void
read_formula(Reader *reader, const FormulaNode *node, ValueType type)
{
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node == NULL)
		return;
	if (node->function == NULL)
		read_operand(reader, node->operand, type, NULL);
	for (i = 0; i < node->nargs; i++)
		read_formula(reader, node->args[i], argument_type(node, i, type));
}

/* The type of an argument of a function, whose value is to have a type itself. */
static ValueType
argument_type(const FormulaNode *node, int i, ValueType type)
{
	const FormulaFunction *function = node->function;
	int			letters = strlen(function->args);

	switch (function->args[Min(i, letters - 1)])
	{
		case 'n':
			return VALUE_NUMBER;
		case 't':
			return VALUE_TEXT;
		case 'b':
			return VALUE_BOOLEAN;
		case 'd':
			return VALUE_DATE;
	}
	/* a comparison */
	if (node->is_binary && function->result == VALUE_BOOLEAN && node->nargs == 2)
		return node->args[1 - i]->type;
	/* the value of the function is that of an argument */
	if (function->result == VALUE_UNKNOWN && i >= function->result_arg && !node->is_binary)
		return type;
	return VALUE_UNKNOWN;
}

/* --------------------------------------------------------------- elements */

static void
read_inputs(Reader *reader, const char *action, int ninputs, const InputParameter *inputs)
{
	const Action *known = orch_action_find(action);
	int			i;

	for (i = 0; i < ninputs; i++)
	{
		VariableType type;
		char	   *described = known == NULL || known->inputs == NULL ? NULL :
			orch_action_member_type(known->inputs, inputs[i].name);

		read_operand(reader, inputs[i].value,
					 described != NULL && orch_condition_find_variable_type(described, &type) ?
					 orch_condition_value_type(type) : VALUE_UNKNOWN, NULL);
	}
}

static void
read_evaluation(Reader *reader, const EvaluationAction *action)
{
	if (action != NULL)
		read_inputs(reader, action->name, action->ninputs, action->inputs);
}

static void
read_step(Reader *reader, const StepDef *step)
{
	static JsonbValue somebody = {.type = jbvString};
	int			i;

	reader->used_by = step->name;
	read_conditions(reader, step->entry, NULL);
	read_evaluation(reader, step->entry_action);
	read_inputs(reader, step->action_name, step->ninputs, step->inputs);
	read_operand(reader, step->context_record, VALUE_TEXT, NULL);
	read_operand(reader, step->message_subject, VALUE_TEXT, NULL);
	read_operand(reader, step->message_body, VALUE_TEXT, NULL);
	somebody.val.string.val = "somebody@example.com";
	somebody.val.string.len = strlen(somebody.val.string.val);
	for (i = 0; i < step->nassignees; i++)
		read_operand(reader, step->assignees[i].value, VALUE_TEXT, &somebody);
	read_conditions(reader, step->exit, NULL);
	read_evaluation(reader, step->exit_action);
}

static void
read_assignment(Reader *reader, const AssignmentDef *assignment)
{
	int			i;

	reader->used_by = assignment->name;
	for (i = 0; i < assignment->nitems; i++)
	{
		const AssignItem *item = &assignment->items[i];
		const VariableDef *variable = &reader->def->variables[item->variable];

		read_operand(reader, item->value,
					 item->path != NIL || variable->is_collection || item->op != ASSIGN_SET ?
					 VALUE_UNKNOWN : orch_condition_value_type(variable->type), NULL);
	}
}
