/*-------------------------------------------------------------------------
 *
 * definition_element.c
 *	  The elements of a definition: start, stages with their steps, decisions,
 *	  assignments, variables, and the connectors between them.
 *
 * The third pass of the compiler (definition_compile.c): all names are
 * declared, so that elements may refer to each other in any order.  Never
 * stops at an error: what is wrong becomes a null operand or an end.
 *
 * What they make together is looked at in definition_graph.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition_element.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "definition_int.h"

#define MAX_DESCRIPTION_LENGTH	32000

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
	/* the names above are those that are shown */
	{"Picklist", VARIABLE_STRING},
	{"Multipicklist", VARIABLE_STRING},
	{"Currency", VARIABLE_NUMBER},
	{"Apex", VARIABLE_RECORD}
};

static const char *const assignee_kinds[] = {
	[ASSIGNEE_USER] = "User",
	[ASSIGNEE_GROUP] = "Group",
	[ASSIGNEE_QUEUE] = "Queue",
	[ASSIGNEE_RESOURCE] = "Resource"
};

static bool get_boolean(const DocNode *node, const char *name);
static char *compile_label(Compiler *c, const DocNode *node, const char *name,
						   int limit);
static void compile_start(Compiler *c, const DocNode *node);
static void compile_stage(Compiler *c, const DocNode *node, int index,
						  int *step_index);
static void compile_step(Compiler *c, const DocNode *node, StepDef *step,
						 int stage);
static void compile_entry_conditions(Compiler *c, const DocNode *node,
									 StepDef *step);
static void compile_inputs(Compiler *c, const DocNode *node, StepDef *step);
static void compile_assignee(Compiler *c, const DocNode *node, StepDef *step);
static void compile_decision(Compiler *c, const DocNode *node, int index,
							 int *outcome_index);
static void compile_assignment(Compiler *c, const DocNode *node,
							   AssignmentDef *assignment);
static void compile_assign_item(Compiler *c, const DocNode *node,
								AssignItem *item);
static void compile_variable(Compiler *c, const DocNode *node, int index);
static void compile_default(Compiler *c, const DocNode *value,
							VariableDef *variable);
static Connector compile_connector(Compiler *c, const DocNode *parent,
								   const char *name);

const char *
orch_definition_variable_type_name(VariableType type)
{
	int			i;

	for (i = 0; i < (int) lengthof(variable_types); i++)
		if (variable_types[i].type == type)
			return variable_types[i].name;
	elog(ERROR, "unexpected variable type %d", (int) type);
}

const char *
orch_definition_assignee_kind_name(AssigneeKind kind)
{
	return assignee_kinds[kind];
}

static bool
get_boolean(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);
	bool		result;

	if (child == NULL ||
		(child->kind != DOC_BOOLEAN && child->kind != DOC_TEXT))
		return false;
	return orch_document_boolean(child->text, &result) && result;
}

/*
 * Label or description: there when required, not too long.
 */
static char *
compile_label(Compiler *c, const DocNode *node, const char *name, int limit)
{
	const char *text = orch_definition_text(node, name);

	if (text == NULL)
		return NULL;
	if (pg_mbstrlen(text) > limit)
		error_at(c, orch_document_child(node, name),
				 "\"%s\" is longer than %d characters", name, limit);
	return MemoryContextStrdup(c->context, text);
}

/*
 * The third pass: compile every element, then look at the graph of them.
 */
void
orch_definition_compile_elements(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	const DocNode *child;
	int			nstages = 0;
	int			nsteps = 0;
	int			ndecisions = 0;
	int			noutcomes = 0;
	int			nassignments = 0;
	int			nvariables = 0;

	/* variables first: their types matter to the rest; constants among them */
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "constants"))
			compile_variable(c, child, nvariables++);
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "variables"))
			compile_variable(c, child, nvariables++);

	for (child = root->first_child; child != NULL; child = child->next)
	{
		CHECK_FOR_INTERRUPTS();
		if (orch_definition_is_named(child, "orchestratedStages"))
			compile_stage(c, child, nstages++, &nsteps);
		else if (orch_definition_is_named(child, "decisions"))
			compile_decision(c, child, ndecisions++, &noutcomes);
		else if (orch_definition_is_named(child, "assignments"))
			compile_assignment(c, child, &def->assignments[nassignments++]);
		else if (orch_definition_is_named(child, "start"))
			compile_start(c, child);
	}
	Assert(nstages == def->nstages && nsteps == def->nsteps &&
		   ndecisions == def->ndecisions && noutcomes == def->noutcomes &&
		   nassignments == def->nassignments && nvariables == def->nvariables);

	orch_definition_check_entry_cycles(c, root);
	if (c->problems->nerrors == 0)
		orch_definition_check_reachable(c, root);
}

/* ------------------------------------------------------------- elements */

static void
compile_start(Compiler *c, const DocNode *node)
{
	Definition *def = c->def;
	char	   *object = orch_definition_word(node, "object");
	char	   *trigger_type = orch_definition_word(node, "triggerType");
	char	   *record_trigger = orch_definition_word(node,
													  "recordTriggerType");
	const DocNode *filters = orch_document_child(node, "filters");
	const DocNode *order = orch_document_child(node->parent, "triggerOrder");

	def->start = compile_connector(c, node, "connector");
	def->only_when_changed =
		get_boolean(node, "doesRequireRecordChangedToMeetCriteria");

	if (trigger_type != NULL && strcmp(trigger_type, "RecordAfterSave") != 0 &&
		strcmp(trigger_type, "None") != 0)
		error_at(c, orch_document_child(node, "triggerType"),
				 "triggerType \"%s\" is not supported, only RecordAfterSave is",
				 trigger_type);
	else if (object != NULL && trigger_type == NULL)
		error_at(c, node,
				 "element \"triggerType\" is missing: \"object\" needs it");
	if (object == NULL)
	{
		if (trigger_type != NULL && strcmp(trigger_type, "None") != 0)
			error_at(c, node,
					 "element \"object\" is missing: \"triggerType\" needs it");
		if (record_trigger != NULL && strcmp(record_trigger, "None") != 0)
			error_at(c, node,
					 "element \"object\" is missing: \"recordTriggerType\" needs it");
		if (filters != NULL)
			error_at(c, node,
					 "element \"object\" is missing: \"filters\" need it");
		return;
	}

	def->record_type = MemoryContextStrdup(c->context, object);
	if (record_trigger == NULL)
		error_at(c, node,
				 "element \"recordTriggerType\" is missing: \"object\" needs it");
	else if (strcmp(record_trigger, "Create") == 0)
		def->record_trigger = RECORD_TRIGGER_CREATE;
	else if (strcmp(record_trigger, "Update") == 0)
		def->record_trigger = RECORD_TRIGGER_UPDATE;
	else if (strcmp(record_trigger, "CreateAndUpdate") == 0)
		def->record_trigger = RECORD_TRIGGER_CREATE_AND_UPDATE;
	else
		error_at(c, orch_document_child(node, "recordTriggerType"),
				 "recordTriggerType \"%s\" is not supported, only Create, Update and CreateAndUpdate are",
				 record_trigger);
	if (order != NULL && (order->kind == DOC_TEXT || order->kind == DOC_NUMBER))
	{
		int			value = atoi(order->text);

		if (value < 1 || value > 2000)
			error_at(c, order, "\"triggerOrder\" must be from 1 to 2000");
		else
			def->trigger_order = value;
	}
	def->filters = orch_definition_compile_condition_list(c, node, "filters",
														  "filterLogic",
														  USE_FILTER);
}

static void
compile_stage(Compiler *c, const DocNode *node, int index, int *step_index)
{
	StageDef   *stage = &c->def->stages[index];
	const DocNode *child;

	stage->label = compile_label(c, node, "label", MAX_LABEL_LENGTH);
	if (stage->label == NULL)
	{
		stage->label = MemoryContextStrdup(c->context, stage->name);
		stage->label[pg_mbcharcliplen(stage->label, strlen(stage->label),
									  MAX_LABEL_LENGTH)] = '\0';
	}
	stage->connector = compile_connector(c, node, "connector");
	stage->first_step = *step_index;
	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "stageSteps"))
			compile_step(c, child, &c->def->steps[(*step_index)++], index);
	stage->nsteps = *step_index - stage->first_step;
}

static void
compile_step(Compiler *c, const DocNode *node, StepDef *step, int stage)
{
	char	   *action_type = orch_definition_word(node, "actionType");
	char	   *action_name = orch_definition_word(node, "actionName");
	char	   *subtype = orch_definition_word(node, "stepSubtype");
	bool		async = get_boolean(node, "requiresAsyncProcessing");

	CHECK_FOR_INTERRUPTS();
	step->stage = stage;
	step->label = compile_label(c, node, "label", MAX_LABEL_LENGTH);
	if (step->label == NULL)
		step->label = MemoryContextStrdup(c->context, step->name);
	step->description = compile_label(c, node, "description",
									  MAX_DESCRIPTION_LENGTH);

	step->type = async ? STEP_TYPE_ASYNCHRONOUS : STEP_TYPE_BACKGROUND;
	if (action_type == NULL)
	{
		if (orch_definition_text(node, "actionType") != NULL)
			error_at(c, orch_document_child(node, "actionType"),
					 "\"actionType\" is empty");
	}
	else if (strcmp(action_type, "stepInteractive") == 0 ||
			 strcmp(action_type, "createWorkItem") == 0)
		step->type = STEP_TYPE_INTERACTIVE;
	else if (strcmp(action_type, "stepMuleSoft") == 0)
		step->type = STEP_TYPE_ASYNCHRONOUS;
	else if (strcmp(action_type, "stepBackground") != 0)
	{
		error_at(c, orch_document_child(node, "actionType"),
				 "actionType \"%s\" is not supported, only stepInteractive, stepBackground, stepMuleSoft and createWorkItem are",
				 action_type);
		subtype = NULL;			/* the same again */
	}

	if (subtype != NULL && strcmp(subtype, "InteractiveStep") != 0 &&
		strcmp(subtype, "BackgroundStep") != 0 &&
		strcmp(subtype, "MuleSoftStep") != 0)
		error_at(c, orch_document_child(node, "stepSubtype"),
				 "stepSubtype \"%s\" is not supported, only InteractiveStep, BackgroundStep and MuleSoftStep are",
				 subtype);

	if (action_name == NULL)
	{
		if (orch_definition_text(node, "actionName") != NULL)
			error_at(c, orch_document_child(node, "actionName"),
					 "\"actionName\" is empty");
		action_name = "";
	}
	else if (pg_mbstrlen(action_name) > MAX_NAME_LENGTH)
		error_at(c, orch_document_child(node, "actionName"),
				 "\"actionName\" is longer than %d characters",
				 MAX_NAME_LENGTH);
	step->action_name = MemoryContextStrdup(c->context, action_name);

	compile_entry_conditions(c, node, step);
	compile_inputs(c, node, step);

	/* what these say of background steps means nothing there */
	if (step->type == STEP_TYPE_INTERACTIVE)
	{
		const DocNode *exit = orch_document_child(node, "exitActionName");

		if (exit != NULL && exit->kind != DOC_NIL)
			error_at(c, exit,
					 "element \"exitActionName\" is not supported: an interactive step completes when its assignee finished");
		exit = orch_document_child(node, "exitConditions");
		if (exit != NULL && exit->kind != DOC_NIL)
			error_at(c, exit,
					 "element \"exitConditions\" is not supported: an interactive step completes when its assignee finished");
		compile_assignee(c, node, step);
	}
}

/* Is the logic "all of them", whatever it looks like? */
static bool
is_conjunction(const LogicNode *node)
{
	check_stack_depth();
	return node->kind == LOGIC_REQUIREMENT ||
		(node->kind == LOGIC_AND && is_conjunction(node->left) &&
		 is_conjunction(node->right));
}

/*
 * Entry conditions: none, or "<step of this stage>.Status EqualTo Completed",
 * all of them.
 */
static void
compile_entry_conditions(Compiler *c, const DocNode *node, StepDef *step)
{
	const DocNode *child;
	const char *logic = orch_definition_text(node, "entryConditionLogic");
	int			n = 0;

	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "entryConditions") &&
			child->kind != DOC_NIL)
			n++;
	if (n == 0)
		return;
	step->after = MemoryContextAlloc(c->context, sizeof(int) * n);

	if (logic != NULL && n > 0)
	{
		int			errors_before = c->problems->nerrors;
		const DocNode *logic_node = orch_document_child(node,
														"entryConditionLogic");
		LogicNode  *tree = orch_definition_compile_logic(c, logic_node, logic,
														 n);

		if (tree != NULL && c->problems->nerrors == errors_before &&
			!is_conjunction(tree))
			error_at(c, logic_node,
					 "entryConditionLogic \"%s\" is not supported: a step starts with its stage or after all of the named steps",
					 logic);
	}

	for (child = node->first_child; child != NULL; child = child->next)
	{
		char	   *left;
		char	   *op;
		char	   *dot;
		const char *right;
		const DocNode *right_node;
		NameEntry  *entry;

		if (!orch_definition_is_named(child, "entryConditions") ||
			child->kind != DOC_OBJECT)
			continue;
		left = orch_definition_word(child, "leftValueReference");
		op = orch_definition_word(child, "operator");
		if (left == NULL || op == NULL)
			continue;			/* reported */
		right_node = orch_document_child(child, "rightValue");
		right = right_node == NULL ? NULL :
			orch_definition_word(right_node, "stringValue");
		dot = strchr(left, '.');
		if (dot == NULL || strcmp(dot, ".Status") != 0 || *left == '$' ||
			strcmp(op, "EqualTo") != 0 || right == NULL ||
			strcmp(right, "Completed") != 0)
		{
			error_at(c, child,
					 "entry condition on \"%s\" with operator %s is not supported, only \"<step>.Status EqualTo Completed\" is",
					 left, op);
			continue;
		}
		*dot = '\0';
		entry = orch_definition_find_name(c->def, left);
		if (entry == NULL)
		{
			*dot = '.';
			stale_at(c, child, left,
					 "reference \"%s\" names nothing, so the version cannot be activated",
					 left);
			continue;
		}
		if (entry->kind != NAME_STEP)
		{
			error_at(c, child,
					 "entry condition on \"%s\", which is %s: only steps of the same stage can be waited for",
					 left, orch_definition_name_kinds[entry->kind]);
			continue;
		}
		if (c->def->steps[entry->index].stage != step->stage)
		{
			error_at(c, child,
					 "entry condition on step \"%s\" of stage \"%s\": only steps of the same stage can be waited for",
					 left, c->def->stages[c->def->steps[entry->index].stage].name);
			continue;
		}
		step->after[step->nafter++] = entry->index;
	}
}

static int
compare_inputs(const void *a, const void *b)
{
	const DocNode *left = *(DocNode *const *) a;
	const DocNode *right = *(DocNode *const *) b;
	int			result = strcmp(orch_definition_text(left, "name"),
								orch_definition_text(right, "name"));

	return result != 0 ? result : left->index - right->index;
}

/*
 * Inputs of the step's action.  The reserved names are for the step itself:
 * ActionInput__RecordId is its context record, the others (of beta versions
 * and of e-mails) concern nothing here.
 */
static void
compile_inputs(Compiler *c, const DocNode *node, StepDef *step)
{
	const DocNode *child;
	const DocNode **named;
	int			n = 0;
	int			i;

	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "inputParameters"))
			n++;
	if (n == 0)
		return;
	step->inputs = MemoryContextAllocExtended(c->context,
											  sizeof(InputParameter) * n,
											  MCXT_ALLOC_HUGE);
	named = palloc_extended(sizeof(DocNode *) * n, MCXT_ALLOC_HUGE);

	n = 0;
	for (child = node->first_child; child != NULL; child = child->next)
	{
		char	   *name;
		Operand    *value;

		if (!orch_definition_is_named(child, "inputParameters"))
			continue;
		name = orch_definition_word(child, "name");
		if (name == NULL)
		{
			if (orch_definition_text(child, "name") != NULL)
				error_at(c, child, "\"name\" is empty");
			continue;
		}
		named[n++] = child;
		value = orch_definition_compile_value(c,
											  orch_document_child(child, "value"),
											  USE_RUN);
		if (strcmp(name, AUTOMATIC_INPUT_PREFIX "RecordId") == 0)
			step->context_record = value;
		else if (strncmp(name, AUTOMATIC_INPUT_PREFIX,
						 strlen(AUTOMATIC_INPUT_PREFIX)) != 0)
		{
			InputParameter *input = &step->inputs[step->ninputs++];

			input->name = MemoryContextStrdup(c->context, name);
			input->value = value;
		}
	}

	qsort(named, n, sizeof(DocNode *), compare_inputs);
	for (i = 1; i < n; i++)
		if (strcmp(orch_definition_text(named[i - 1], "name"),
				   orch_definition_text(named[i], "name")) == 0)
			error_at(c, named[i],
					 "input parameter \"%s\" occurs more than once",
					 orch_definition_text(named[i], "name"));
	pfree(named);
}

/*
 * Who gets the work item: a user's name, the developer name of a group or
 * queue, or a reference that gives one.
 */
static void
compile_assignee(Compiler *c, const DocNode *node, StepDef *step)
{
	const DocNode *assignee = orch_document_child(node, "assignees");
	const DocNode *value;
	const DocNode *child;
	char	   *type;
	int			i;

	if (assignee == NULL || assignee->kind == DOC_NIL)
	{
		error_at(c, node,
				 "element \"assignees\" is missing: an interactive step needs an assignee");
		return;
	}
	if (assignee->kind != DOC_OBJECT)
		return;					/* reported */
	for (child = assignee->next; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "assignees"))
		{
			error_at(c, child, "more than one assignee");
			break;
		}

	type = orch_definition_word(assignee, "assigneeType");
	if (type == NULL)
		return;					/* reported */
	for (i = 0; i < (int) lengthof(assignee_kinds); i++)
		if (strcmp(type, assignee_kinds[i]) == 0)
			break;
	if (i == (int) lengthof(assignee_kinds))
	{
		error_at(c, orch_document_child(assignee, "assigneeType"),
				 "assigneeType \"%s\" is not supported, only User, Group, Queue and Resource are",
				 type);
		return;
	}
	step->assignee_kind = (AssigneeKind) i;

	value = orch_document_child(assignee, "assignee");
	step->assignee = orch_definition_compile_value(c, value, USE_RUN);
	if (step->assignee == NULL)
	{
		error_at(c, assignee,
				 "element \"assignee\" is missing: an interactive step needs an assignee");
		return;
	}
	if (step->assignee->kind == OPERAND_LITERAL &&
		step->assignee->literal != NULL)
	{
		JsonbValue *literal = MemoryContextAlloc(c->context,
												 sizeof(JsonbValue));
		const char *end;

		/* a copy: it may be that of a constant */
		*literal = *step->assignee->literal;
		step->assignee->literal = literal;
		if (literal->type != jbvString)
			error_at(c, value, "an assignee must be text");
		else
		{
			/* real files have tabs after usernames */
			while (literal->val.string.len > 0 &&
				   isspace((unsigned char) *literal->val.string.val))
			{
				literal->val.string.val++;
				literal->val.string.len--;
			}
			end = literal->val.string.val + literal->val.string.len;
			while (literal->val.string.len > 0 &&
				   isspace((unsigned char) *--end))
				literal->val.string.len--;
			if (literal->val.string.len == 0)
				error_at(c, value, "the assignee is empty");
		}
		if (step->assignee_kind == ASSIGNEE_RESOURCE)
			error_at(c, assignee,
					 "assigneeType \"Resource\" needs a reference");
	}
}

static void
compile_decision(Compiler *c, const DocNode *node, int index,
				 int *outcome_index)
{
	DecisionDef *decision = &c->def->decisions[index];
	const DocNode *child;

	decision->default_connector = compile_connector(c, node,
													"defaultConnector");
	decision->first_outcome = *outcome_index;
	for (child = node->first_child; child != NULL; child = child->next)
	{
		OutcomeDef *outcome;

		if (!orch_definition_is_named(child, "rules"))
			continue;
		outcome = &c->def->outcomes[(*outcome_index)++];
		outcome->label = compile_label(c, child, "label", MAX_NAME_LENGTH);
		if (outcome->label == NULL)
			outcome->label = MemoryContextStrdup(c->context, outcome->name);
		outcome->decision = index;
		outcome->conditions =
			orch_definition_compile_condition_list(c, child, "conditions",
												   "conditionLogic", USE_RUN);
		outcome->connector = compile_connector(c, child, "connector");
	}
	decision->noutcomes = *outcome_index - decision->first_outcome;
}

static void
compile_assignment(Compiler *c, const DocNode *node, AssignmentDef *assignment)
{
	const DocNode *child;
	int			n = 0;

	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "assignmentItems"))
			n++;
	assignment->items = MemoryContextAllocZero(c->context,
											   sizeof(AssignItem) * Max(n, 1));
	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "assignmentItems"))
			compile_assign_item(c, child,
								&assignment->items[assignment->nitems++]);
	assignment->connector = compile_connector(c, node, "connector");
}

static void
compile_assign_item(Compiler *c, const DocNode *node, AssignItem *item)
{
	char	   *target = orch_definition_word(node, "assignToReference");
	char	   *op = orch_definition_word(node, "operator");
	const DocNode *target_node = orch_document_child(node, "assignToReference");
	const DocNode *op_node = orch_document_child(node, "operator");
	NameEntry  *entry;
	VariableDef *variable = NULL;

	item->value = orch_definition_compile_value(c,
												orch_document_child(node, "value"),
												USE_RUN);

	if (target != NULL)
	{
		entry = orch_definition_find_name(c->def, target);
		if (entry != NULL && entry->kind == NAME_VARIABLE)
		{
			item->variable = entry->index;
			variable = &c->def->variables[entry->index];
		}
		else if (entry != NULL)
			error_at(c, target_node,
					 "\"%s\" cannot be assigned to: it is %s, not a variable",
					 target, orch_definition_name_kinds[entry->kind]);
		else if (strchr(target, '.') != NULL || *target == '$')
			error_at(c, target_node,
					 "assigning to \"%s\" is not supported, only to variables as a whole",
					 target);
		else
			error_at(c, target_node, "there is no variable \"%s\"", target);
	}

	if (op == NULL)
		return;
	if (strcmp(op, "Assign") == 0)
		item->op = ASSIGN_SET;
	else if (strcmp(op, "Add") == 0)
	{
		item->op = ASSIGN_ADD;
		if (variable != NULL && (variable->is_collection ||
								 (variable->type != VARIABLE_NUMBER &&
								  variable->type != VARIABLE_STRING)))
			error_at(c, op_node,
					 "operator Add is not supported for variable \"%s\": it is neither a number nor a text",
					 target);
	}
	else if (strcmp(op, "Subtract") == 0)
	{
		item->op = ASSIGN_SUBTRACT;
		if (variable != NULL && (variable->is_collection ||
								 variable->type != VARIABLE_NUMBER))
			error_at(c, op_node,
					 "operator Subtract is not supported for variable \"%s\": it is not a number",
					 target);
	}
	else
		error_at(c, op_node,
				 "assignment operator \"%s\" is not supported, only Assign, Add and Subtract are",
				 op);
}

static void
compile_variable(Compiler *c, const DocNode *node, int index)
{
	VariableDef *variable = &c->def->variables[index];
	const DocNode *value = orch_document_child(node, "value");
	char	   *type = orch_definition_word(node, "dataType");
	int			i;

	variable->is_constant = orch_definition_is_named(node, "constants");
	variable->is_collection = get_boolean(node, "isCollection");
	variable->is_input = get_boolean(node, "isInput");
	variable->is_output = get_boolean(node, "isOutput");
	if (type == NULL)
		return;					/* reported */
	for (i = 0; i < (int) lengthof(variable_types); i++)
		if (strcmp(type, variable_types[i].name) == 0)
			break;
	if (i == (int) lengthof(variable_types))
	{
		error_at(c, orch_document_child(node, "dataType"),
				 "dataType \"%s\" is not supported", type);
		return;
	}
	variable->type = variable_types[i].type;

	if (value == NULL || value->kind != DOC_OBJECT)
		return;
	compile_default(c, value, variable);
	if (variable->is_constant)
		c->constants[index] = variable->default_value;
}

/*
 * The default value of a variable or the value of a constant: a literal must
 * be of its type, or a text that reads as such.
 */
static void
compile_default(Compiler *c, const DocNode *value, VariableDef *variable)
{
	Operand    *operand = orch_definition_compile_value(c, value, USE_DEFAULT);
	JsonbValue *literal;
	Timestamp	timestamp;
	char	   *text;
	bool		fits = true;

	variable->default_value = operand;
	if (operand == NULL)
		return;
	if (operand->kind != OPERAND_LITERAL)
	{
		if (variable->is_constant)
			error_at(c, value, "the value of a constant must be a literal");
		return;
	}
	literal = operand->literal;
	if (literal == NULL)
		return;
	if (variable->is_collection)
	{
		error_at(c, value, "a collection cannot have a default value");
		return;
	}

	text = orch_condition_value_text(literal);
	switch (variable->type)
	{
		case VARIABLE_STRING:
			fits = literal->type == jbvString;
			break;
		case VARIABLE_NUMBER:
			if (literal->type == jbvString)
			{
				MemoryContext old = MemoryContextSwitchTo(c->context);
				Numeric		number;

				fits = orch_document_number(text, &number);
				MemoryContextSwitchTo(old);
				if (fits)
				{
					literal->type = jbvNumeric;
					literal->val.numeric = number;
				}
			}
			else
				fits = literal->type == jbvNumeric;
			break;
		case VARIABLE_BOOLEAN:
			if (literal->type == jbvString)
			{
				bool		boolean;

				fits = orch_document_boolean(text, &boolean);
				if (fits)
				{
					literal->type = jbvBool;
					literal->val.boolean = boolean;
				}
			}
			else
				fits = literal->type == jbvBool;
			break;
		case VARIABLE_DATE:
		case VARIABLE_DATETIME:
			fits = literal->type == jbvString &&
				orch_condition_datetime(text, strlen(text), &timestamp);
			operand->is_datetime = true;
			break;
		case VARIABLE_TIME:
			fits = literal->type == jbvString;
			break;
		case VARIABLE_RECORD:
			fits = false;
			break;
	}
	if (!fits)
		error_at(c, value, "the value \"%.*s\" is not of data type %s",
				 pg_mbcliplen(text, strlen(text), 80), text,
				 orch_definition_variable_type_name(variable->type));
}

static Connector
compile_connector(Compiler *c, const DocNode *parent, const char *name)
{
	Connector	result = {ELEMENT_END, 0};
	const DocNode *node = orch_document_child(parent, name);
	char	   *target;
	NameEntry  *entry;

	if (node == NULL || node->kind == DOC_NIL)
		return result;
	target = orch_definition_word(node, "targetReference");
	if (target == NULL)
	{
		if (orch_definition_text(node, "targetReference") != NULL)
			error_at(c, node, "\"targetReference\" is empty");
		return result;			/* otherwise reported */
	}
	node = orch_document_child(node, "targetReference");
	entry = orch_definition_find_name(c->def, target);
	if (entry == NULL)
	{
		error_at(c, node, "the connector leads to \"%s\", which does not exist",
				 target);
		return result;
	}
	result.index = entry->index;
	switch (entry->kind)
	{
		case NAME_STAGE:
			result.kind = ELEMENT_STAGE;
			break;
		case NAME_DECISION:
			result.kind = ELEMENT_DECISION;
			break;
		case NAME_ASSIGNMENT:
			result.kind = ELEMENT_ASSIGNMENT;
			break;
		case NAME_UNSUPPORTED:
			break;				/* the element itself was refused */
		default:
			error_at(c, node, "the connector leads to \"%s\", which is %s",
					 target, orch_definition_name_kinds[entry->kind]);
	}
	return result;
}
