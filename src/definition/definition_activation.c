/*-------------------------------------------------------------------------
 *
 * definition_activation.c
 *	  What must be so for a version to be activated.
 *
 * The document is compiled again, from its source, so that every problem has its line and
 * place.  On the way references are held against the database (definition_outside.c), and
 * the compiler's checks of types know the types of columns.  Then this file checks what
 * elements need as a whole: actions, evaluation flows, assignees, record types.
 * definition_never.c looks for conditions that never hold, definition_graph.c for loops
 * that nothing ends.
 *
 * What surely fails in a run, or never works, is an error.  What may be meant, or is in
 * files that are active on the platform, is a warning.
 *
 * validate_orchestration() reports the same before the document is stored.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_activation.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/xml.h"

#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "definition/definition_known.h"
#include "definition/definition_outside.h"
#include "record/action.h"

static StaticPlan source_plan = {
	"SELECT source_xml, document FROM orchestration.orchestration_version WHERE id = $1",
	1, {UUIDOID}
};

static void check_elements(Compiler *c, const DocNode *root);
static void check_record_type(Compiler *c, const DocNode *node, const char *type);
static void check_step(Compiler *c, const DocNode *node, const StepDef *step,
					   const KnownList *actions, const KnownList *principals);
static const DocNode *input_node(const DocNode *node, const char *element, const char *name);
static void check_kind(Compiler *c, const DocNode *node, const StepDef *step);
static void check_approval(Compiler *c, const DocNode *root);
static void check_inputs(Compiler *c, const DocNode *node, const StepDef *step);
static void check_evaluation(Compiler *c, const DocNode *node, const EvaluationAction *action,
							 const char *name, const char *inputs,
							 const KnownList *actions);
static void check_circle(Compiler *c, const DocNode *start);
static DocNode *version_source(const pg_uuid_t *version_id);

/* A child of an element, or the element itself if it has no such child. */
static const DocNode *
part_of(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);

	return child != NULL ? child : node;
}

void
orch_definition_check_document(const DocNode *root, MemoryContext context,
							   ProblemList *problems)
{
	Outside		outside;
	Compiler	c = {0};

	orch_definition_open_outside(&outside, root);
	c.context = context;
	c.problems = problems;
	c.outside = &outside;
	c.def = orch_definition_compile_outside(root, context, problems, &outside);
	check_elements(&c, root);
	orch_definition_check_loops(&c, root);
	/* a reference that names nothing is null, which is no reason of its own */
	if (problems->nstale == 0)
		orch_definition_check_conditions(&c, root);
	orch_definition_sort_problems(problems);
}

void
orch_definition_check_version(const pg_uuid_t *version_id, MemoryContext context,
							  ProblemList *problems)
{
	orch_definition_check_document(version_source(version_id), context, problems);
}

void
orch_definition_require_activation(const pg_uuid_t *version_id, const char *name,
								   int32 version)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "orchestration definition",
												  ALLOCSET_DEFAULT_SIZES);
	const DocNode *root = version_source(version_id);
	ProblemList deployment = {0};
	ProblemList problems = {0};
	int			nwarnings;

	orch_definition_check_document(root, context, &problems);
	if (problems.nerrors + problems.nstale > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_ACTIVATE),
				 errmsg("version %d of orchestration \"%s\" cannot be activated",
						version, name),
				 errdetail("%s", orch_definition_problem_text(&problems, PROBLEM_STALE)),
				 errhint("Register what is missing, or deploy a version without these problems, and activate that.")));

	/* deployment has told of its warnings */
	(void) orch_definition_compile(root, context, &deployment);
	nwarnings = problems.nwarnings - deployment.nwarnings;
	if (nwarnings > 0)
		ereport(NOTICE,
				(errmsg_plural("activating version %d of orchestration \"%s\" found %d warning",
							   "activating version %d of orchestration \"%s\" found %d warnings",
							   nwarnings, version, name, nwarnings),
				 errhint("Call orchestration.validate_orchestration() to see them.")));
	MemoryContextDelete(context);
}

/*
 * The document of a version: its XML if it came in XML, because only that has lines.
 */
static DocNode *
version_source(const pg_uuid_t *version_id)
{
	Datum		value = UUIDPGetDatum(version_id);
	Datum		source;
	bool		isnull;

	(void) orch_plan_execute_latest(&source_plan, &value, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("there is no orchestration version %s",
						orch_uuid_text(version_id))));
	source = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull && orch_document_reads_xml())
		return orch_document_from_xml(DatumGetXmlP(source));
	source = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	return orch_document_from_jsonb(DatumGetJsonbP(source), SHAPE_FLOW);
}

/* ---------------------------------------------------------- elements */

static void
check_elements(Compiler *c, const DocNode *root)
{
	const Definition *def = c->def;
	KnownList	actions = orch_definition_known_actions(def);
	KnownList	principals = orch_definition_known_principals(def);
	const DocNode *node;
	int			nstages = 0;
	int			nlookups = 0;
	int			i;

	if (def->nstages == 0 && def->kind != DEFINITION_EVALUATION)
		error_at(c, root, "there is no stage");
	for (node = root->first_child; node != NULL; node = node->next)
	{
		CHECK_FOR_INTERRUPTS();
		if (orch_definition_is_named(node, "start") && def->record_type != NULL)
		{
			check_record_type(c, part_of(node, "object"), def->record_type);
			check_circle(c, node);
		}
		else if (orch_definition_is_named(node, "orchestratedStages"))
			check_evaluation(c, node, def->stages[nstages++].exit_action, "exitActionName",
							 "exitActionInputParameters", &actions);
		else if (orch_definition_is_named(node, "recordLookups"))
		{
			const LookupDef *lookup = &def->lookups[nlookups++];
			const RecordField *field;
			List	   *path = list_make1(lookup->sort_field);

			if (lookup->record_type == NULL)
				continue;
			check_record_type(c, part_of(node, "object"), lookup->record_type);
			field = lookup->sort_field == NULL ? NULL :
				orch_definition_outside_field(c->outside, lookup->record_type, path);
			if (field != NULL && field->missing != NULL)
				error_at(c, part_of(node, "sortField"),
						 "\"%s\" is not a field: table %s has no column of that name",
						 field->missing, field->table);
		}
	}
	if (def->kind == DEFINITION_APPROVAL)
		check_approval(c, root);
	for (i = 0; i < def->nsteps; i++)
		check_step(c, c->outside->steps[i], &def->steps[i], &actions, &principals);
}

static void
check_record_type(Compiler *c, const DocNode *node, const char *type)
{
	if (orch_definition_outside_field(c->outside, type, NIL) == NULL)
		error_at(c, node, "record type \"%s\" is not registered", type);
}

static void
check_step(Compiler *c, const DocNode *node, const StepDef *step, const KnownList *actions,
		   const KnownList *principals)
{
	const Known *known = orch_definition_find_known(actions, step->action_name);
	const DocNode *name = part_of(node, "actionName");
	int			i;

	CHECK_FOR_INTERRUPTS();
	if (known == NULL)
		error_at(c, name, "action \"%s\" is not registered", step->action_name);
	else if (!orch_definition_action_fits(step, known->kind))
		error_at(c, name, "action \"%s\" is a %s, the step needs a %s", step->action_name,
				 known->kind, orch_definition_fitting_actions(step));
	else if (orch_definition_runs_as_user(step))
	{
		const Action *action = orch_action_find(step->action_name);
		char	   *problem = action == NULL ? NULL : orch_action_run_as_problem(action);

		if (problem != NULL)
			error_at(c, part_of(node, "runAsUser"),
					 "%s; an administrator allows it with orchestration.allow_run_as_user(%s)",
					 problem, quote_literal_cstr(step->action_name));
	}
	check_kind(c, node, step);
	check_inputs(c, node, step);
	check_evaluation(c, node, step->entry_action, "entryActionName",
					 "entryActionInputParameters", actions);
	check_evaluation(c, node, step->exit_action, "exitActionName",
					 "exitActionInputParameters", actions);
	for (i = 0; i < step->nassignees; i++)
	{
		const Assignee *assignee = &step->assignees[i];
		const char *literal = orch_definition_literal_assignee(assignee);

		if (literal == NULL)
			continue;
		known = orch_definition_find_principal(principals, assignee->kind, literal);
		if (known == NULL || !known->is_active)
			error_at(c, part_of(node, "assignees"), "assignee %s \"%s\" %s",
					 orch_definition_assignee_kind_name(assignee->kind), literal,
					 known == NULL ? "does not exist" : "is inactive");
	}
}

/*
 * The platform has approval steps in approvals only, and no other interactive steps there.
 * Both play here.
 */
static void
check_kind(Compiler *c, const DocNode *node, const StepDef *step)
{
	if (step->is_approval && c->def->kind == DEFINITION_ORCHESTRATOR)
		warning_at(c, part_of(node, "actionType"),
				   "an approval step needs processType ApprovalWorkflow: here its run has no submission, and the step is an interactive step whose assignee decides");
	else if (step->type == STEP_TYPE_INTERACTIVE && !step->is_approval &&
			 c->def->kind == DEFINITION_APPROVAL)
		warning_at(c, part_of(node, "actionType"),
				   "an ApprovalWorkflow has approval steps, no other interactive steps: this one decides nothing about the submission");
}

/*
 * What the platform wants of an approval: inputs and a run mode, by apiVersion.  Warnings,
 * because files of older versions that are active there lack them.  A record-triggered
 * approval has its record from the trigger and nobody who submits it.
 * Source: approvals.md, section 1 (19).
 */
static void
check_approval(Compiler *c, const DocNode *root)
{
	static const struct
	{
		const char *name;
		int			since;		/* apiVersion */
		const char *use;
	}			inputs[] = {
		{"recordId", 0, "the record that is submitted"},
		{"submitter", 0, "the user who submits it"},
		{"submissionComments", 0, "the comments of the submission"},
		{"firstApprover", 67, "the username of the first approver"}
	};
	const Definition *def = c->def;
	char	   *mode = orch_definition_word(root, "runInMode");
	int			i;

	for (i = 0; i < (int) lengthof(inputs) && def->record_trigger == RECORD_TRIGGER_NONE; i++)
	{
		int			index = orch_definition_variable_index(def, inputs[i].name);
		const VariableDef *variable = index < 0 ? NULL : &def->variables[index];

		if (def->api_version < inputs[i].since)
			continue;
		if (variable == NULL)
			warning_at(c, part_of(root, "processType"), "the ApprovalWorkflow has no input \"%s\", a text: %s",
					   inputs[i].name, inputs[i].use);
		else if (!variable->is_input || variable->is_collection ||
				 variable->type != VARIABLE_STRING)
			warning_at(c, input_node(root, "variables", inputs[i].name),
					   "variable \"%s\" of an ApprovalWorkflow must be an input of dataType String: %s",
					   inputs[i].name, inputs[i].use);
	}
	if (def->api_version >= 60 &&
		(mode == NULL || strcmp(mode, "SystemModeWithoutSharing") != 0))
		warning_at(c, part_of(root, mode == NULL ? "processType" : "runInMode"),
				   "an ApprovalWorkflow of apiVersion 60.0 or later needs runInMode SystemModeWithoutSharing");
}

/* The element of that name among those of a kind; else the node itself. */
static const DocNode *
input_node(const DocNode *node, const char *element, const char *name)
{
	const DocNode *child;

	for (child = node->first_child; child != NULL; child = child->next)
	{
		char	   *word = orch_definition_is_named(child, element) ?
			orch_definition_word(child, "name") : NULL;

		CHECK_FOR_INTERRUPTS();
		if (word != NULL && strcmp(word, name) == 0)
			return child;
	}
	return node;
}

/*
 * Reports inputs that the action does not take, that have another type, and that are
 * missing, by its description (set_action_contract()).
 */
static void
check_inputs(Compiler *c, const DocNode *node, const StepDef *step)
{
	const Action *action = orch_action_find(step->action_name);
	JsonbIterator *it;
	JsonbValue	v;
	int			i;

	if (action == NULL || action->inputs == NULL)
		return;
	for (i = 0; i < step->ninputs; i++)
	{
		const Operand *value = step->inputs[i].value;
		const char *name = step->inputs[i].name;
		char	   *type = orch_action_member_type(action->inputs, name);
		const char *other = NULL;

		CHECK_FOR_INTERRUPTS();
		if (type == NULL)
		{
			error_at(c, input_node(node, "inputParameters", name),
					 "action \"%s\" takes no input \"%s\"", step->action_name, name);
			continue;
		}
		if (value != NULL && value->kind == OPERAND_LITERAL)
			other = value->literal != NULL && !orch_action_is_of_type(type, value->literal) ?
				orch_condition_type_name(value->literal) : NULL;
		else if (value != NULL && !orch_action_takes(type, value->type))
			other = orch_condition_value_type_name(value->type);
		if (other != NULL)
			error_at(c, input_node(node, "inputParameters", name),
					 "input \"%s\" of action \"%s\" is %s, not of type %s", name,
					 step->action_name, other, type);
	}
	it = JsonbIteratorInit(&action->inputs->root);
	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(v.val.string.val, v.val.string.len);

		(void) JsonbIteratorNext(&it, &v, true);
		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < step->ninputs; i++)
			if (strcmp(step->inputs[i].name, name) == 0)
				break;
		if (i == step->ninputs && orch_action_is_required(&v))
			error_at(c, node, "action \"%s\" needs the input \"%s\"", step->action_name, name);
	}
}

/*
 * A condition that a function or an evaluation flow decides: is it there, and has an
 * evaluation flow these inputs?  name and inputs are elements of the document.
 */
static void
check_evaluation(Compiler *c, const DocNode *node, const EvaluationAction *action,
				 const char *name, const char *inputs, const KnownList *actions)
{
	const Definition *flow;
	char	   *problem;
	int			i;

	if (action == NULL)
		return;
	problem = orch_definition_evaluation_problem(action, actions);
	if (problem != NULL)
	{
		error_at(c, part_of(node, name), "%s", problem);
		return;
	}
	if (orch_definition_find_known(actions, action->name) != NULL)
		return;					/* a function */
	flow = orch_definition_active(action->name);
	for (i = 0; i < action->ninputs; i++)
	{
		const InputParameter *input = &action->inputs[i];
		int			index = orch_definition_variable_index(flow, input->name);

		CHECK_FOR_INTERRUPTS();
		if (index < 0 || !flow->variables[index].is_input)
			error_at(c, input_node(node, inputs, input->name),
					 "evaluation flow \"%s\" has no input variable \"%s\"", action->name,
					 input->name);
	}
}

/* --------------------------------------------------------- circles */

/*
 * Does a filter of the start refer to a formula or text template, which may read
 * $Record__Prior?
 */
static bool
filters_are_formulas(const Definition *def)
{
	const List *references = def->filter_references;
	ListCell   *cell;
	int			i;

	for (i = 0; def->filters != NULL && i < def->filters->nrequirements; i++)
	{
		const Operand *right = def->filters->requirements[i].right;

		if (right != NULL && (right->kind == OPERAND_FORMULA || right->kind == OPERAND_TEMPLATE))
			return true;
	}
	foreach(cell, references)
		if (((const Operand *) lfirst(cell))->kind == OPERAND_FORMULA ||
			((const Operand *) lfirst(cell))->kind == OPERAND_TEMPLATE)
			return true;
	return false;
}

/*
 * Warns of a definition whose runs may start the next run: updates of a record start it,
 * a step may update the record, and the start does not depend on what changed.
 */
static void
check_circle(Compiler *c, const DocNode *start)
{
	const Definition *def = c->def;
	int			i;

	if ((def->record_trigger != RECORD_TRIGGER_UPDATE &&
		 def->record_trigger != RECORD_TRIGGER_CREATE_AND_UPDATE) ||
		def->only_when_changed || def->filters_look_back || filters_are_formulas(def))
		return;
	for (i = 0; i < def->nsteps; i++)
		if (def->steps[i].type != STEP_TYPE_INTERACTIVE)
			break;
	if (i == def->nsteps)
		return;
	warning_at(c, start, "it can start itself: updates of \"%s\" records start it, and action \"%s\" of its step \"%s\" may update the record; set doesRequireRecordChangedToMeetCriteria, or filter the start by what changed, with IsChanged or ISCHANGED()",
			   def->record_type, def->steps[i].action_name, def->steps[i].name);
}
