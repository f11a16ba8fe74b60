/*-------------------------------------------------------------------------
 *
 * definition_element.c
 *	  The elements of a definition: start, stages with their steps, decisions,
 *	  and the connectors between them.
 *
 * The third pass of the compiler (definition_compile.c).  Elements that have a value, or
 * change values, are in definition_resource.c; the checks of the elements as graphs are
 * in definition_graph.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_element.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "definition/definition_int.h"

static const char *const assignee_kinds[] = {
	[ASSIGNEE_USER] = "User",
	[ASSIGNEE_GROUP] = "Group",
	[ASSIGNEE_QUEUE] = "Queue",
	[ASSIGNEE_RESOURCE] = "Resource"
};

static char *compile_label(Compiler *c, const DocNode *node, const char *otherwise);
static void compile_start(Compiler *c, const DocNode *node);
static void compile_recall(Compiler *c, const DocNode *node);
static void compile_metadata(Compiler *c, const DocNode *node);
static EvaluationAction *compile_evaluation(Compiler *c, const DocNode *node,
											const char *name, const char *type,
											const char *inputs);
static bool has_conditions(const DocNode *node, const char *name);
static bool has_connector(const DocNode *node, const char *name);
static void compile_stage(Compiler *c, const DocNode *node, int index,
						  int *step_index);
static void compile_step(Compiler *c, const DocNode *node, StepDef *step,
						 int stage);
static void compile_entry_conditions(Compiler *c, const DocNode *node,
									 StepDef *step);
static void compile_inputs(Compiler *c, const DocNode *node, StepDef *step);
static void compile_parameters(Compiler *c, const DocNode *node, const char *element,
							   int *ninputs, InputParameter **inputs,
							   StepDef *step);
static void compile_assignees(Compiler *c, const DocNode *node, StepDef *step);
static bool compile_assignee(Compiler *c, const DocNode *node, Assignee *assignee);
static void trim_assignee(Compiler *c, const DocNode *node, Operand *value);
static void compile_decision(Compiler *c, const DocNode *node, int index,
							 int *outcome_index);

const char *
orch_definition_assignee_kind_name(AssigneeKind kind)
{
	return assignee_kinds[kind];
}

/*
 * The label of a stage or step as its runs show it: in at most MAX_LABEL_LENGTH
 * characters.  otherwise: what is shown if it has no label.
 */
static char *
compile_label(Compiler *c, const DocNode *node, const char *otherwise)
{
	const char *text = orch_definition_text(node, "label");
	char	   *result = MemoryContextStrdup(c->context, text != NULL ? text : otherwise);

	if (text != NULL && pg_mbstrlen(text) > MAX_LABEL_LENGTH)
		warning_at(c, orch_document_child(node, "label"),
				   "the label is shown up to its first %d characters",
				   MAX_LABEL_LENGTH);
	result[pg_mbcharcliplen(result, strlen(result), MAX_LABEL_LENGTH)] = '\0';
	return result;
}

/*
 * The third pass: compiles every element, then checks the graphs that they form.
 */
void
orch_definition_compile_elements(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	const DocNode *child;
	const DocNode *target = orch_document_child(root, "startElementReference");
	int			nstages = 0;
	int			nsteps = 0;
	int			ndecisions = 0;
	int			noutcomes = 0;

	/* first, because conditions check the types of values */
	orch_definition_compile_resources(c, root);

	for (child = root->first_child; child != NULL; child = child->next)
	{
		CHECK_FOR_INTERRUPTS();
		if (orch_definition_is_named(child, "orchestratedStages"))
			compile_stage(c, child, nstages++, &nsteps);
		else if (orch_definition_is_named(child, "decisions"))
			compile_decision(c, child, ndecisions++, &noutcomes);
		else if (orch_definition_is_named(child, "start"))
			compile_start(c, child);
		else if (orch_definition_is_named(child, "processMetadataValues"))
			compile_metadata(c, child);
	}
	Assert(nstages == def->nstages && nsteps == def->nsteps &&
		   ndecisions == def->ndecisions && noutcomes == def->noutcomes);
	def->reads_prior = c->reads_prior;
	/* before API version 47 an element of the root said where to start */
	if (def->start.kind == ELEMENT_END && target != NULL)
		def->start = orch_definition_compile_target(c, root, target->name);

	orch_definition_check_formulas(c, root);
	orch_definition_check_entry_cycles(c, root);
	if (c->problems->nerrors == 0)
	{
		orch_definition_check_reachable(c, root);
		orch_definition_note_record_readers(def);
		orch_definition_order_defaults(c, root);
	}
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
	const DocNode *formula = orch_document_child(node, "filterFormula");
	const DocNode *order = orch_document_child(node->parent, "triggerOrder");

	def->start = orch_definition_compile_connector(c, node, "connector");
	compile_recall(c, node);
	def->only_when_changed =
		orch_definition_boolean(node, "doesRequireRecordChangedToMeetCriteria");

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
		if (filters != NULL || formula != NULL)
			error_at(c, node,
					 "element \"object\" is missing: \"%s\" need it",
					 filters != NULL ? "filters" : "filterFormula");
		return;
	}
	if (def->kind == DEFINITION_EVALUATION)
		error_at(c, node, "an evaluation flow is not triggered by records");

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
	(void) orch_definition_integer(c, order, 1, 2000, &def->trigger_order);
	def->filters = orch_definition_compile_condition_list(c, node, "filters",
														  "filterLogic",
														  USE_FILTER);
	if (formula != NULL && formula->kind == DOC_TEXT)
	{
		CompiledFormula compiled;

		if (filters != NULL)
			error_at(c, formula, "\"start\" has both \"filters\" and \"filterFormula\"");
		c->references = &def->filter_references;
		orch_definition_compile_formula(c, formula, formula->text, USE_FILTER,
										&compiled);
		c->references = NULL;
		def->filter_formula = compiled.root;
		if (compiled.type != VALUE_UNKNOWN && compiled.type != VALUE_BOOLEAN)
			error_at(c, formula, "the filter formula is not true or false");
	}
	def->filters_look_back = c->filters_look_back;
}

/*
 * The path that an approval takes when its submitter recalls it.
 */
static void
compile_recall(Compiler *c, const DocNode *node)
{
	const DocNode *child;

	for (child = node->first_child; child != NULL; child = child->next)
	{
		char	   *type;

		CHECK_FOR_INTERRUPTS();
		if (!orch_definition_is_named(child, "scheduledPaths") ||
			child->kind != DOC_OBJECT)
			continue;
		type = orch_definition_word(child, "pathType");
		if (type == NULL || strcmp(type, "ApprovalRecall") != 0)
		{
			error_at(c, child, "scheduled path%s%s%s is not supported, only that of pathType ApprovalRecall is",
					 type != NULL ? " of pathType \"" : "", type != NULL ? type : "",
					 type != NULL ? "\"" : "");
			continue;
		}
		if (c->def->has_recall)
			error_at(c, child, "more than one recall path");
		c->def->has_recall = true;
		c->def->recall = orch_definition_compile_connector(c, child, "connector");
	}
}

/*
 * A value of the builder.  One has an effect: with SendNoApproverEmails approvers get no
 * messages.
 */
static void
compile_metadata(Compiler *c, const DocNode *node)
{
	const DocNode *value = orch_document_child(node, "value");
	const char *name = node->kind == DOC_OBJECT ? orch_definition_word(node, "name") : NULL;
	const char *text;

	if (name == NULL || strcmp(name, "SendNoApproverEmails") != 0 || value == NULL ||
		value->kind != DOC_OBJECT)
		return;
	text = orch_definition_word(value, "stringValue");
	c->def->sends_no_messages = text != NULL ? pg_strcasecmp(text, "true") == 0 :
		orch_definition_boolean(value, "booleanValue");
}

static void
compile_stage(Compiler *c, const DocNode *node, int index, int *step_index)
{
	StageDef   *stage = &c->def->stages[index];
	const DocNode *child;

	stage->label = compile_label(c, node, stage->name);
	if (c->def->kind == DEFINITION_EVALUATION && index == 0)
		error_at(c, node, "an evaluation flow has no stages");
	stage->connector = orch_definition_compile_connector(c, node, "connector");
	stage->fault = orch_definition_compile_connector(c, node, "faultConnector");
	stage->has_fault = has_connector(node, "faultConnector");
	stage->exit_action = compile_evaluation(c, node, "exitActionName",
											"exitActionType",
											"exitActionInputParameters");
	if (stage->exit_action == NULL && has_conditions(node, "exitConditions"))
		stage->exit = orch_definition_compile_condition_list(c, node, "exitConditions",
															 "exitConditionLogic",
															 USE_RUN);
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
	const char *description = orch_definition_text(node, "description");
	bool		async = orch_definition_boolean(node, "requiresAsyncProcessing");

	CHECK_FOR_INTERRUPTS();
	step->stage = stage;
	step->label = compile_label(c, node, step->name);
	if (description != NULL)
		step->description = MemoryContextStrdup(c->context, description);

	step->type = async ? STEP_TYPE_ASYNCHRONOUS : STEP_TYPE_BACKGROUND;
	if (action_type == NULL)
		;						/* reported */
	else if (strcmp(action_type, "stepInteractive") == 0 ||
			 strcmp(action_type, "createWorkItem") == 0)
		step->type = STEP_TYPE_INTERACTIVE;
	else if (strcmp(action_type, "stepApproval") == 0)
	{
		step->type = STEP_TYPE_INTERACTIVE;
		step->is_approval = true;
	}
	else if (strcmp(action_type, "stepMuleSoft") == 0)
	{
		step->type = STEP_TYPE_ASYNCHRONOUS;
		step->is_mulesoft = true;
	}
	else if (strcmp(action_type, "stepBackground") != 0)
	{
		error_at(c, orch_document_child(node, "actionType"),
				 "actionType \"%s\" is not supported, only stepInteractive, stepApproval, stepBackground, stepMuleSoft and createWorkItem are",
				 action_type);
		subtype = NULL;			/* would report the same again */
	}

	/* a subtype is the builder's; newer versions have more of them */
	if (subtype != NULL && strcmp(subtype, "InteractiveStep") != 0 &&
		strcmp(subtype, "BackgroundStep") != 0 &&
		strcmp(subtype, "ApprovalStep") != 0 &&
		strcmp(subtype, "MuleSoftStep") != 0)
		warning_at(c, orch_document_child(node, "stepSubtype"),
				   "stepSubtype \"%.*s\" is not known and has no effect: actionType says what the step is",
				   pg_mbcliplen(subtype, strlen(subtype), 80), subtype);

	if (orch_definition_boolean(node, "requiresMultiMemberApproval"))
	{
		step->is_unanimous = step->is_approval && c->def->kind == DEFINITION_APPROVAL;
		if (!step->is_unanimous)
			warning_at(c, orch_document_child(node, "requiresMultiMemberApproval"),
					   "\"requiresMultiMemberApproval\" has no effect: the step is no approval step of an ApprovalWorkflow");
	}

	step->action_name = MemoryContextStrdup(c->context,
											action_name != NULL ? action_name : "");

	step->entry_action = compile_evaluation(c, node, "entryActionName",
											"entryActionType",
											"entryActionInputParameters");
	if (step->entry_action == NULL)
		compile_entry_conditions(c, node, step);
	compile_inputs(c, node, step);

	/* background steps have no condition of completion */
	if (step->type == STEP_TYPE_INTERACTIVE)
	{
		step->exit_action = compile_evaluation(c, node, "exitActionName",
											   "exitActionType",
											   "exitActionInputParameters");
		if (step->exit_action == NULL && has_conditions(node, "exitConditions"))
			step->exit = orch_definition_compile_condition_list(c, node, "exitConditions",
																"exitConditionLogic",
																USE_RUN);
		step->locks_record = orch_definition_boolean(node, "shouldLock");
		step->assignee_can_edit = orch_definition_boolean(node, "canAssigneeEdit");
		compile_assignees(c, node, step);
	}
	else if (orch_definition_boolean(node, "runAsUser"))
	{
		compile_assignees(c, node, step);
		if (step->assignee != NULL && step->assignee_kind != ASSIGNEE_USER &&
			step->assignee_kind != ASSIGNEE_RESOURCE)
			error_at(c, node, "\"runAsUser\" needs a user as assignee");
	}
}

/* Are there conditions in elements of that name? */
static bool
has_conditions(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);

	return child != NULL && child->kind != DOC_NIL;
}

/* Is there a connector of that name, even one that ends the path? */
static bool
has_connector(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);

	return child != NULL && child->kind == DOC_OBJECT;
}

/*
 * An evaluation flow or function that decides a condition; NULL if none is named.
 */
static EvaluationAction *
compile_evaluation(Compiler *c, const DocNode *node, const char *name,
				   const char *type, const char *inputs)
{
	char	   *action = orch_definition_word(node, name);
	char	   *action_type = orch_definition_word(node, type);
	EvaluationAction *result;

	if (action == NULL)
	{
		const DocNode *child = orch_document_child(node, name);

		if (child != NULL && child->kind == DOC_TEXT)
			error_at(c, child, "\"%s\" is empty", name);
		return NULL;
	}
	/* the beta versions wrote "flow" */
	if (action_type != NULL && pg_strcasecmp(action_type, "evaluationFlow") != 0 &&
		strcmp(action_type, "flow") != 0)
		error_at(c, orch_document_child(node, type),
				 "%s \"%s\" is not supported, only evaluationFlow is", type,
				 action_type);
	result = MemoryContextAllocZero(c->context, sizeof(EvaluationAction));
	result->name = MemoryContextStrdup(c->context, action);
	compile_parameters(c, node, inputs, &result->ninputs, &result->inputs, NULL);
	return result;
}

/* Is the logic "all conditions", in any notation? */
static bool
is_conjunction(const LogicNode *node)
{
	check_stack_depth();
	for (; node->kind == LOGIC_AND; node = node->right)
		if (!is_conjunction(node->left))
			return false;
	return node->kind == LOGIC_REQUIREMENT;
}

/*
 * Entry conditions.  If all of them are "<step of this stage>.Status EqualTo Completed",
 * the step follows other steps: these are kept as a graph.  All others are kept as a set
 * of requirements.
 */
static void
compile_entry_conditions(Compiler *c, const DocNode *node, StepDef *step)
{
	const DocNode *child;
	ConditionSet *set;
	int			i;

	if (!has_conditions(node, "entryConditions"))
		return;
	set = orch_definition_compile_condition_list(c, node, "entryConditions",
												 "entryConditionLogic", USE_RUN);
	step->after = MemoryContextAlloc(c->context,
									 sizeof(int) * Max(set->nrequirements, 1));
	for (i = 0; i < set->nrequirements; i++)
	{
		const Requirement *requirement = &set->requirements[i];

		if (requirement->left == NULL ||
			requirement->left->kind != OPERAND_STEP_STATUS ||
			requirement->op != COMPARE_EQUAL_TO ||
			c->def->steps[requirement->left->index].stage != step->stage ||
			requirement->right == NULL ||
			requirement->right->kind != OPERAND_LITERAL ||
			requirement->right->literal == NULL ||
			!orch_condition_is_text(requirement->right->literal, "Completed"))
			break;
		step->after[step->nafter++] = requirement->left->index;
	}
	if (step->nafter == set->nrequirements &&
		(set->logic == NULL || is_conjunction(set->logic)))
		return;
	step->nafter = 0;
	step->entry = set;
	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "entryConditions"))
			break;
	for (i = 0; i < set->nrequirements; i++)
	{
		const Operand *left = set->requirements[i].left;

		CHECK_FOR_INTERRUPTS();
		if (left != NULL && left->kind == OPERAND_STEP_STATUS &&
			&c->def->steps[left->index] == step)
			warning_at(c, child, "step \"%s\" waits for itself", step->name);
	}
}

static int
compare_inputs(const void *a, const void *b)
{
	const DocNode *left = *(DocNode *const *) a;
	const DocNode *right = *(DocNode *const *) b;
	int			result;

	CHECK_FOR_INTERRUPTS();
	result = strcmp(orch_definition_text(left, "name"), orch_definition_text(right, "name"));
	return result != 0 ? result : left->index - right->index;
}

/*
 * Inputs of the step's action.  Names that begin with ActionInput__ are reserved:
 * ActionInput__RecordId is the step's context record, ActionInput__CustomEmailSubject and
 * ActionInput__CustomEmailBody are what its messages say.  The others (of beta versions) are
 * left out.
 */
static void
compile_inputs(Compiler *c, const DocNode *node, StepDef *step)
{
	compile_parameters(c, node, "inputParameters", &step->ninputs, &step->inputs, step);
}

static void
compile_parameters(Compiler *c, const DocNode *node, const char *element,
				   int *ninputs, InputParameter **inputs, StepDef *step)
{
	const DocNode *child;
	const DocNode **named;
	int			n = 0;
	int			i;

	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, element))
			n++;
	if (n == 0)
		return;
	*inputs = MemoryContextAllocExtended(c->context,
										 sizeof(InputParameter) * n,
										 MCXT_ALLOC_HUGE);
	named = palloc_extended(sizeof(DocNode *) * n, MCXT_ALLOC_HUGE);

	n = 0;
	for (child = node->first_child; child != NULL; child = child->next)
	{
		char	   *name;
		Operand    *value;

		if (!orch_definition_is_named(child, element))
			continue;
		CHECK_FOR_INTERRUPTS();
		name = orch_definition_word(child, "name");
		if (name == NULL)
			continue;			/* reported */
		named[n++] = child;
		value = orch_definition_compile_value(c,
											  orch_document_child(child, "value"),
											  USE_RUN);
		if (step != NULL && strcmp(name, AUTOMATIC_INPUT_PREFIX "RecordId") == 0)
			step->context_record = value;
		else if (step != NULL &&
				 strcmp(name, AUTOMATIC_INPUT_PREFIX "CustomEmailSubject") == 0)
			step->message_subject = value;
		else if (step != NULL &&
				 strcmp(name, AUTOMATIC_INPUT_PREFIX "CustomEmailBody") == 0)
			step->message_body = value;
		else if (strncmp(name, AUTOMATIC_INPUT_PREFIX,
						 strlen(AUTOMATIC_INPUT_PREFIX)) != 0)
		{
			InputParameter *input = &(*inputs)[(*ninputs)++];

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
 * The assignees.  Only a unanimous approval can have several.
 */
static void
compile_assignees(Compiler *c, const DocNode *node, StepDef *step)
{
	const DocNode *first = orch_document_child(node, "assignees");
	const DocNode *child;
	int			n = 0;

	/* templates and drafts have none */
	if (first == NULL || first->kind == DOC_NIL)
	{
		stale_at(c, node, "assignees",
				 "element \"assignees\" is missing: an interactive step needs an assignee, so the version cannot be activated");
		return;
	}
	for (child = first; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "assignees"))
			n++;
	step->assignees = MemoryContextAllocZero(c->context, n * sizeof(Assignee));
	for (child = first; child != NULL; child = child->next)
	{
		CHECK_FOR_INTERRUPTS();
		if (!orch_definition_is_named(child, "assignees") || child->kind != DOC_OBJECT)
			continue;			/* others were reported */
		if (child != first && !step->is_unanimous)
		{
			error_at(c, child, "more than one assignee: only an approval that all give (requiresMultiMemberApproval) has several");
			break;
		}
		if (compile_assignee(c, child, &step->assignees[step->nassignees]))
			step->nassignees++;
	}
	if (step->nassignees > 0)
	{
		step->assignee_kind = step->assignees[0].kind;
		step->assignee = step->assignees[0].value;
	}
}

/*
 * An assignee: a user's name, the developer name of a group or queue, or a reference to
 * one of these.  Returns false if there is none, which is reported.
 */
static bool
compile_assignee(Compiler *c, const DocNode *node, Assignee *assignee)
{
	const DocNode *value = orch_document_child(node, "assignee");
	char	   *type = orch_definition_word(node, "assigneeType");
	int			i;

	if (type == NULL)
		return false;			/* reported */
	if (pg_strcasecmp(type, "Invalid") == 0)
	{
		stale_at(c, orch_document_child(node, "assigneeType"), "Invalid",
				 "assigneeType \"Invalid\" names nobody, so the version cannot be activated");
		return false;
	}
	for (i = 0; i < (int) lengthof(assignee_kinds); i++)
		if (strcmp(type, assignee_kinds[i]) == 0)
			break;
	if (i == (int) lengthof(assignee_kinds))
	{
		error_at(c, orch_document_child(node, "assigneeType"),
				 "assigneeType \"%s\" is not supported, only User, Group, Queue and Resource are",
				 type);
		return false;
	}
	assignee->kind = (AssigneeKind) i;

	assignee->value = orch_definition_compile_value(c, value, USE_RUN);
	if (assignee->value == NULL)
	{
		stale_at(c, node, "assignee",
				 "element \"assignee\" is missing: an interactive step needs an assignee, so the version cannot be activated");
		return false;
	}
	if (assignee->value->kind == OPERAND_LITERAL && assignee->value->literal == NULL)
		stale_at(c, value, assignee->value->text,
				 "the assignee \"%s\" has no value, so the version cannot be activated",
				 assignee->value->text);
	else if (assignee->value->kind == OPERAND_LITERAL)
		trim_assignee(c, value, assignee->value);
	return true;
}

/* A literal is the name without the tabs that exported files have after usernames. */
static void
trim_assignee(Compiler *c, const DocNode *node, Operand *value)
{
	JsonbValue *literal = MemoryContextAlloc(c->context, sizeof(JsonbValue));
	const char *end;

	/* a copy, because the literal may belong to a constant */
	*literal = *value->literal;
	value->literal = literal;
	if (literal->type != jbvString)
	{
		error_at(c, node, "an assignee must be text");
		return;
	}
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
		error_at(c, node, "the assignee is empty");
}

static void
compile_decision(Compiler *c, const DocNode *node, int index,
				 int *outcome_index)
{
	DecisionDef *decision = &c->def->decisions[index];
	const DocNode *child;

	decision->default_connector = orch_definition_compile_connector(c, node,
													"defaultConnector");
	decision->first_outcome = *outcome_index;
	for (child = node->first_child; child != NULL; child = child->next)
	{
		OutcomeDef *outcome;
		const char *label;

		if (!orch_definition_is_named(child, "rules"))
			continue;
		CHECK_FOR_INTERRUPTS();
		outcome = &c->def->outcomes[(*outcome_index)++];
		label = orch_definition_text(child, "label");
		outcome->label = MemoryContextStrdup(c->context,
											 label != NULL ? label : outcome->name);
		outcome->decision = index;
		outcome->conditions =
			orch_definition_compile_condition_list(c, child, "conditions",
												   "conditionLogic", USE_RUN);
		outcome->only_when_changed =
			orch_definition_boolean(child, "doesRequireRecordChangedToMeetCriteria");
		if (outcome->only_when_changed)
			c->reads_prior = true;
		outcome->connector = orch_definition_compile_connector(c, child, "connector");
	}
	decision->noutcomes = *outcome_index - decision->first_outcome;
}
