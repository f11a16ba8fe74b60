/*-------------------------------------------------------------------------
 *
 * definition_graph.c
 *	  The graphs in a definition: steps that wait for each other, elements that no
 *	  path reaches, loops that nothing ends, formulas and what they read.
 *
 * The third pass (definition_compile.c) ends with these checks, when every element is
 * compiled; loops are looked for at activation.
 *
 * The graphs are walked without recursion, each edge once: ten thousand steps may wait
 * for each other in one chain.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_graph.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "definition/definition_int.h"

#define MAX_SHOWN_CYCLE			10

/* Appends a name in quotes, cut to MAX_LABEL_LENGTH bytes. */
static void
append_name(StringInfo text, const char *name, const char *after)
{
	appendStringInfo(text, "\"%.*s\"%s",
					 pg_mbcliplen(name, strlen(name), MAX_LABEL_LENGTH), name, after);
}

/* What the walks of this file report with. */
typedef struct CircleSearch
{
	Compiler   *c;
	const DocNode **nodes;
	bool	   *reported;		/* decisions */
} CircleSearch;

/*
 * The names on a circle, which the path closes with a node; between: stands between two.
 */
static char *
circle_text(const int *path, int depth, int node, const char *between,
			const char *(*name) (const Definition *def, int node), const Definition *def)
{
	StringInfoData text;
	int			first = depth;
	int			i;

	while (path[first] != node)
		first--;
	initStringInfo(&text);
	for (i = first; i <= depth && i < first + MAX_SHOWN_CYCLE; i++)
		append_name(&text, name(def, path[i]), between);
	if (i <= depth)
		appendStringInfo(&text, "...%s", between);
	append_name(&text, name(def, node), "");
	return text.data;
}

static const char *
step_name(const Definition *def, int step)
{
	return def->steps[step].name;
}

static int
step_before(GraphWalk *walk, int step, int n)
{
	const StepDef *def = &((CircleSearch *) walk->arg)->c->def->steps[step];

	return n == def->nafter ? WALK_END : def->after[n];
}

static void
report_entry_cycle(GraphWalk *walk, const int *path, int depth, int step)
{
	CircleSearch *search = walk->arg;

	error_at(search->c, search->nodes[step], "circular entry conditions: step %s",
			 circle_text(path, depth, step, " after ", step_name, search->c->def));
}

/*
 * Reports steps that wait for each other in a circle: they would never start, and keep
 * their stage open for ever.
 */
void
orch_definition_check_entry_cycles(Compiler *c, const DocNode *root)
{
	GraphWalk	walk = {0};
	CircleSearch search = {0};
	const DocNode *stage_node;
	int			i = 0;

	if (c->def->nsteps == 0)
		return;
	search.c = c;
	search.nodes = palloc_extended(sizeof(DocNode *) * c->def->nsteps, MCXT_ALLOC_HUGE);
	for (stage_node = root->first_child; stage_node != NULL;
		 stage_node = stage_node->next)
	{
		const DocNode *node;

		if (!orch_definition_is_named(stage_node, "orchestratedStages"))
			continue;
		for (node = stage_node->first_child; node != NULL; node = node->next)
			if (orch_definition_is_named(node, "stageSteps"))
				search.nodes[i++] = node;
	}
	walk.nnodes = c->def->nsteps;
	walk.next = step_before;
	walk.circle = report_entry_cycle;
	walk.arg = &search;
	orch_definition_walk_graph(&walk);
	pfree(search.nodes);
}

/*
 * Warns of elements that no path from the start reaches.
 */
void
orch_definition_check_reachable(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	int			total = def->nstages + def->ndecisions + def->nassignments +
		def->nlookups;
	const DocNode *node;
	bool	   *seen;
	Connector  *todo;
	int			ntodo = 0;
	int			nstages = 0;
	int			ndecisions = 0;
	int			nassignments = 0;
	int			nlookups = 0;

	if (total == 0)
		return;
	if (def->start.kind == ELEMENT_END)
	{
		warning_at(c, root, "nothing is reached: \"start\" has no connector");
		return;
	}

	/* room for each connector of each element, once */
	seen = palloc0(total);
	todo = palloc_extended(sizeof(Connector) *
						   (total * 2 + def->noutcomes + 2), MCXT_ALLOC_HUGE);
	todo[ntodo++] = def->start;
	if (def->has_recall)
		todo[ntodo++] = def->recall;
	while (ntodo > 0)
	{
		Connector	at = todo[--ntodo];
		int			position = at.index;
		const DecisionDef *decision;
		const OutcomeDef *outcomes;
		int			i;

		CHECK_FOR_INTERRUPTS();
		if (at.kind == ELEMENT_END)
			continue;
		if (at.kind == ELEMENT_DECISION)
			position += def->nstages;
		else if (at.kind == ELEMENT_ASSIGNMENT)
			position += def->nstages + def->ndecisions;
		else if (at.kind == ELEMENT_LOOKUP)
			position += def->nstages + def->ndecisions + def->nassignments;
		if (seen[position])
			continue;
		seen[position] = true;
		switch (at.kind)
		{
			case ELEMENT_STAGE:
				todo[ntodo++] = def->stages[at.index].connector;
				if (def->stages[at.index].has_fault)
					todo[ntodo++] = def->stages[at.index].fault;
				break;
			case ELEMENT_LOOKUP:
				todo[ntodo++] = def->lookups[at.index].connector;
				break;
			case ELEMENT_ASSIGNMENT:
				todo[ntodo++] = def->assignments[at.index].connector;
				break;
			case ELEMENT_DECISION:
				decision = &def->decisions[at.index];
				outcomes = &def->outcomes[decision->first_outcome];
				todo[ntodo++] = decision->default_connector;
				for (i = 0; i < decision->noutcomes; i++)
					todo[ntodo++] = outcomes[i].connector;
				break;
			case ELEMENT_END:
				break;
		}
	}

	for (node = root->first_child; node != NULL; node = node->next)
	{
		int			position = -1;

		if (orch_definition_is_named(node, "orchestratedStages"))
			position = nstages++;
		else if (orch_definition_is_named(node, "decisions"))
			position = def->nstages + ndecisions++;
		else if (orch_definition_is_named(node, "assignments"))
			position = def->nstages + def->ndecisions + nassignments++;
		else if (orch_definition_is_named(node, "recordLookups"))
			position = def->nstages + def->ndecisions + def->nassignments + nlookups++;
		if (position >= 0 && !seen[position])
			warning_at(c, node, "no path from the start leads here");
	}
	pfree(seen);
	pfree(todo);
}

static const char *
decision_name(const Definition *def, int decision)
{
	return def->decisions[decision].name;
}

static int
decision_behind(GraphWalk *walk, int node, int n)
{
	const Definition *def = ((CircleSearch *) walk->arg)->c->def;
	const DecisionDef *decision = &def->decisions[node];
	Connector	next;

	if (n > decision->noutcomes)
		return WALK_END;
	next = n == decision->noutcomes ? decision->default_connector :
		def->outcomes[decision->first_outcome + n].connector;
	return next.kind == ELEMENT_DECISION ? next.index : WALK_NONE;
}

static void
report_decision_loop(GraphWalk *walk, const int *path, int depth, int decision)
{
	CircleSearch *search = walk->arg;

	if (!search->reported[decision])
		error_at(search->c, search->nodes[decision],
				 "endless loop: no stage stands between the decisions %s",
				 circle_text(path, depth, decision, " to ", decision_name, search->c->def));
	search->reported[decision] = true;
}

/*
 * Reports decisions that lead to themselves by way of decisions only.  Nothing changes on
 * the way, so each decides the same again until orchestration.max_elements ends the run.
 */
static void
check_decision_loops(Compiler *c, const DocNode **nodes)
{
	GraphWalk	walk = {0};
	CircleSearch search = {0};

	search.c = c;
	search.nodes = nodes;
	search.reported = palloc0(c->def->ndecisions + 1);
	walk.nnodes = c->def->ndecisions;
	walk.next = decision_behind;
	walk.circle = report_decision_loop;
	walk.arg = &search;
	orch_definition_walk_graph(&walk);
	pfree(search.reported);
}

/*
 * Reports assignments and lookups that lead to themselves without a decision or stage
 * between: nothing ends the loop.  Each has one connector, so the walk needs no stack.
 */
static void
check_straight_loops(Compiler *c, const DocNode **nodes)
{
	Definition *def = c->def;
	int			total = def->nassignments + def->nlookups;
	int		   *walk = palloc_extended(sizeof(int) * (total + 1),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int			i;

	for (i = 0; i < total; i++)
	{
		int			at = i;

		/* walk[]: the number of the walk that came here first */
		while (at >= 0 && walk[at] == 0)
		{
			Connector	next = at < def->nassignments ? def->assignments[at].connector :
				def->lookups[at - def->nassignments].connector;

			CHECK_FOR_INTERRUPTS();
			walk[at] = i + 1;
			at = next.kind == ELEMENT_ASSIGNMENT ? next.index :
				next.kind == ELEMENT_LOOKUP ? def->nassignments + next.index : -1;
		}
		if (at >= 0 && walk[at] == i + 1)
			error_at(c, nodes[at], "endless loop: no decision and no stage stands between this element and itself");
	}
	pfree(walk);
}

/*
 * Reports loops that no run can leave.
 */
void
orch_definition_check_loops(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	const DocNode **decisions = palloc_extended(sizeof(DocNode *) * (def->ndecisions + 1),
												MCXT_ALLOC_HUGE);
	const DocNode **others = palloc_extended(sizeof(DocNode *) *
											 (def->nassignments + def->nlookups + 1),
											 MCXT_ALLOC_HUGE);
	const DocNode *node;
	int			ndecisions = 0;
	int			nassignments = 0;
	int			nlookups = def->nassignments;

	for (node = root->first_child; node != NULL; node = node->next)
	{
		if (orch_definition_is_named(node, "decisions"))
			decisions[ndecisions++] = node;
		else if (orch_definition_is_named(node, "assignments"))
			others[nassignments++] = node;
		else if (orch_definition_is_named(node, "recordLookups"))
			others[nlookups++] = node;
	}
	check_decision_loops(c, decisions);
	check_straight_loops(c, others);
	pfree(decisions);
	pfree(others);
}

/* --------------------------------------- formulas and what they refer to */

/* The nodes of the graph are the formulas, followed by the text templates. */
static int
reference_target(const Definition *def, const Operand *operand)
{
	if (operand->kind == OPERAND_FORMULA)
		return operand->index;
	if (operand->kind == OPERAND_TEMPLATE)
		return def->nformulas + operand->index;
	return -1;
}

static const List *
references_of(const Definition *def, int n)
{
	return n < def->nformulas ? def->formulas[n].references :
		def->templates[n - def->nformulas].references;
}

/*
 * How deep a formula or text template nests, together with those that it refers to,
 * whose depths are known.
 */
static int
formula_depth(const Definition *def, const List *references, int nesting, const int *depths)
{
	ListCell   *cell;

	foreach(cell, references)
	{
		const Operand *operand = lfirst(cell);
		int			target = reference_target(def, operand);

		CHECK_FOR_INTERRUPTS();
		if (target >= 0)
			nesting = Max(nesting, operand->nesting + 1 + depths[target]);
	}
	return nesting;
}

/* Reports the formula that passes the limit; 0, so that those above it are not. */
static int
check_depth(Compiler *c, const DocNode *node, int depth)
{
	if (depth <= MAX_FORMULA_DEPTH)
		return depth;
	error_at(c, node, "it nests %d deep together with the formulas and text templates that it refers to, and the limit is %d",
			 depth, MAX_FORMULA_DEPTH);
	return 0;
}

/*
 * Does an operand read the record, itself or by way of a formula or text template?
 */
static bool
reads_record(const Definition *def, const Operand *operand, void *arg)
{
	if (operand == NULL)
		return false;
	if (operand->kind == OPERAND_FORMULA)
		return def->formulas[operand->index].reads_record;
	if (operand->kind == OPERAND_TEMPLATE)
		return def->templates[operand->index].reads_record;
	return operand->kind == OPERAND_RECORD;
}

static bool
any_reads_record(const Definition *def, const List *references)
{
	ListCell   *cell;

	foreach(cell, references)
		if (reads_record(def, lfirst(cell), NULL))
			return true;
	return false;
}

/* What the walk through formulas and text templates works with. */
typedef struct FormulaSearch
{
	Compiler   *c;
	const DocNode **nodes;
	int		   *depths;			/* of those that the walk has left */
} FormulaSearch;

static int
formula_referred_to(GraphWalk *walk, int node, int n)
{
	const Definition *def = ((FormulaSearch *) walk->arg)->c->def;
	const List *references = references_of(def, node);

	return n == list_length(references) ? WALK_END :
		reference_target(def, list_nth(references, n));
}

static void
leave_formula(GraphWalk *walk, int node)
{
	FormulaSearch *search = walk->arg;
	Definition *def = search->c->def;
	const List *references = references_of(def, node);
	bool		reads = any_reads_record(def, references);
	int			nesting = 0;

	if (node < def->nformulas)
	{
		def->formulas[node].reads_record = reads;
		nesting = def->formulas[node].nesting;
	}
	else
		def->templates[node - def->nformulas].reads_record = reads;
	search->depths[node] = check_depth(search->c, search->nodes[node],
									   formula_depth(def, references, nesting, search->depths));
}

static void
report_formula_circle(GraphWalk *walk, const int *path, int depth, int node)
{
	FormulaSearch *search = walk->arg;

	error_at(search->c, search->nodes[node], "its value depends on itself");
	walk->stopped = true;
}

/*
 * Reports formulas and text templates that refer to each other in a circle, because they
 * have no value, or too deep, because their evaluation recurses.  Notes which of them
 * read the record.
 */
void
orch_definition_check_formulas(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	GraphWalk	walk = {0};
	FormulaSearch search;
	const DocNode *node;
	int			nformulas = 0;
	int			ntemplates = def->nformulas;

	walk.nnodes = def->nformulas + def->ntemplates;
	walk.next = formula_referred_to;
	walk.circle = report_formula_circle;
	walk.leave = leave_formula;
	walk.arg = &search;
	search.c = c;
	search.nodes = palloc_extended(sizeof(DocNode *) * (walk.nnodes + 1), MCXT_ALLOC_HUGE);
	search.depths = palloc_extended(sizeof(int) * (walk.nnodes + 1),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (node = root->first_child; node != NULL; node = node->next)
	{
		if (orch_definition_is_named(node, "formulas"))
			search.nodes[nformulas++] = node;
		else if (orch_definition_is_named(node, "textTemplates"))
			search.nodes[ntemplates++] = node;
	}
	orch_definition_walk_graph(&walk);
	node = orch_document_child(root, "start");
	if (!walk.stopped && node != NULL && def->filter_formula != NULL)
		(void) check_depth(c, orch_document_child(node, "filterFormula"),
						   formula_depth(def, def->filter_references, 0, search.depths));
	pfree(search.nodes);
	pfree(search.depths);
}

/* ------------------------------------------- what reads the record */

/* Is there such an operand in the conditions? */
static bool
set_reads(const Definition *def, const ConditionSet *set, OperandTest test, void *arg)
{
	int			i;

	check_stack_depth();
	for (i = 0; set != NULL && i < set->nrequirements; i++)
		if (test(def, set->requirements[i].left, arg) ||
			test(def, set->requirements[i].right, arg) ||
			set_reads(def, set->requirements[i].nested, test, arg))
			return true;
	return false;
}

/*
 * Do the conditions of a stage or of its steps have such an operand, or leave the decision
 * to an evaluation flow, which may read anything?
 */
bool
orch_definition_stage_reads(const Definition *def, const StageDef *stage, OperandTest test,
							void *arg)
{
	int			i;

	if (stage->exit_action != NULL || set_reads(def, stage->exit, test, arg))
		return true;
	for (i = stage->first_step; i < stage->first_step + stage->nsteps; i++)
	{
		const StepDef *step = &def->steps[i];

		if (step->entry_action != NULL || step->exit_action != NULL ||
			set_reads(def, step->entry, test, arg) || set_reads(def, step->exit, test, arg))
			return true;
	}
	return false;
}

/* Notes the stages that wait for the record. */
void
orch_definition_note_record_readers(Definition *def)
{
	int			i;

	for (i = 0; i < def->nstages; i++)
	{
		StageDef   *stage = &def->stages[i];

		stage->reads_record = orch_definition_stage_reads(def, stage, reads_record, NULL);
		def->waits_for_record |= stage->reads_record;
	}
}

/* ------------------------------------------------------- every operand */

void
orch_definition_walk_set(const ConditionSet *set, OperandVisitor visit, const char *used_by,
						 void *arg)
{
	int			i;

	check_stack_depth();
	for (i = 0; set != NULL && i < set->nrequirements; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (set->requirements[i].left != NULL)
			visit(set->requirements[i].left, used_by, arg);
		if (set->requirements[i].right != NULL)
			visit(set->requirements[i].right, used_by, arg);
		orch_definition_walk_set(set->requirements[i].nested, visit, used_by, arg);
	}
}

static void
walk_list(const List *operands, OperandVisitor visit, const char *used_by, void *arg)
{
	ListCell   *cell;

	foreach(cell, operands)
	{
		CHECK_FOR_INTERRUPTS();
		visit(lfirst(cell), used_by, arg);
	}
}

static void
walk_inputs(int ninputs, const InputParameter *inputs, OperandVisitor visit,
			const char *used_by, void *arg)
{
	int			i;

	for (i = 0; i < ninputs; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (inputs[i].value != NULL)
			visit(inputs[i].value, used_by, arg);
	}
}

static void
walk_evaluation(const EvaluationAction *action, OperandVisitor visit,
				const char *used_by, void *arg)
{
	if (action != NULL)
		walk_inputs(action->ninputs, action->inputs, visit, used_by, arg);
}

/*
 * Calls visit() for every operand that is evaluated during a run, with the name of the
 * element that it is in.
 */
void
orch_definition_walk(const Definition *def, OperandVisitor visit, void *arg)
{
	int			i;
	int			j;

	for (i = 0; i < def->nstages; i++)
	{
		orch_definition_walk_set(def->stages[i].exit, visit, def->stages[i].name, arg);
		walk_evaluation(def->stages[i].exit_action, visit, def->stages[i].name, arg);
	}
	for (i = 0; i < def->nsteps; i++)
	{
		const StepDef *step = &def->steps[i];

		orch_definition_walk_set(step->entry, visit, step->name, arg);
		orch_definition_walk_set(step->exit, visit, step->name, arg);
		walk_evaluation(step->entry_action, visit, step->name, arg);
		walk_evaluation(step->exit_action, visit, step->name, arg);
		walk_inputs(step->ninputs, step->inputs, visit, step->name, arg);
		for (j = 0; j < step->nassignees; j++)
			visit(step->assignees[j].value, step->name, arg);
		if (step->context_record != NULL)
			visit(step->context_record, step->name, arg);
		if (step->message_subject != NULL)
			visit(step->message_subject, step->name, arg);
		if (step->message_body != NULL)
			visit(step->message_body, step->name, arg);
	}
	for (i = 0; i < def->noutcomes; i++)
		orch_definition_walk_set(def->outcomes[i].conditions, visit, def->outcomes[i].name, arg);
	for (i = 0; i < def->nassignments; i++)
		for (j = 0; j < def->assignments[i].nitems; j++)
		{
			CHECK_FOR_INTERRUPTS();
			if (def->assignments[i].items[j].value != NULL)
				visit(def->assignments[i].items[j].value, def->assignments[i].name, arg);
		}
	for (i = 0; i < def->nformulas; i++)
		walk_list(def->formulas[i].references, visit, def->formulas[i].name, arg);
	for (i = 0; i < def->ntemplates; i++)
		walk_list(def->templates[i].references, visit, def->templates[i].name, arg);
}
