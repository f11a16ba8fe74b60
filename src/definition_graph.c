/*-------------------------------------------------------------------------
 *
 * definition_graph.c
 *	  The graphs in a definition: steps that wait for each other, elements that
 *	  no path leads to, formulas and what they read.
 *
 * The end of the compiler's third pass (definition_compile.c), when every
 * element is compiled.
 *
 * The graphs are walked without recursion, each edge once: ten thousand steps
 * may wait for each other in one chain.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition_graph.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "definition_int.h"

#define MAX_SHOWN_CYCLE			10

/*
 * Steps that wait for each other in a circle never start, and keep their
 * stage open for ever.  A depth-first walk with a stack of its own.
 */
void
orch_definition_check_entry_cycles(Compiler *c, const DocNode *root)
{
	enum
	{
		UNSEEN, ON_PATH, DONE
	};
	Definition *def = c->def;
	const DocNode *stage_node;
	const DocNode **nodes;
	char	   *state;
	int		   *path;			/* steps, from the one begun with */
	int		   *edge;			/* next after[] of each of them */
	int			i = 0;

	if (def->nsteps == 0)
		return;
	nodes = palloc_extended(sizeof(DocNode *) * def->nsteps, MCXT_ALLOC_HUGE);
	state = palloc0(def->nsteps);
	path = palloc_extended(sizeof(int) * def->nsteps, MCXT_ALLOC_HUGE);
	edge = palloc_extended(sizeof(int) * def->nsteps, MCXT_ALLOC_HUGE);
	for (stage_node = root->first_child; stage_node != NULL;
		 stage_node = stage_node->next)
	{
		const DocNode *node;

		if (!orch_definition_is_named(stage_node, "orchestratedStages"))
			continue;
		for (node = stage_node->first_child; node != NULL; node = node->next)
			if (orch_definition_is_named(node, "stageSteps"))
				nodes[i++] = node;
	}

	for (i = 0; i < def->nsteps; i++)
	{
		int			depth = 0;

		if (state[i] != UNSEEN)
			continue;
		path[0] = i;
		edge[0] = 0;
		state[i] = ON_PATH;
		while (depth >= 0)
		{
			StepDef    *step = &def->steps[path[depth]];
			int			next;

			CHECK_FOR_INTERRUPTS();
			if (edge[depth] == step->nafter)
			{
				state[path[depth--]] = DONE;
				continue;
			}
			next = step->after[edge[depth]++];
			if (state[next] == UNSEEN)
			{
				depth++;
				path[depth] = next;
				edge[depth] = 0;
				state[next] = ON_PATH;
			}
			else if (state[next] == ON_PATH)
			{
				StringInfoData text;
				int			first = depth;
				int			j;

				while (path[first] != next)
					first--;
				initStringInfo(&text);
				for (j = first; j <= depth && j < first + MAX_SHOWN_CYCLE; j++)
					appendStringInfo(&text, "\"%s\" after ",
									 def->steps[path[j]].name);
				if (j <= depth)
					appendStringInfoString(&text, "... after ");
				appendStringInfo(&text, "\"%s\"", def->steps[next].name);
				error_at(c, nodes[next],
						 "circular entry conditions: step %s", text.data);
				pfree(text.data);
			}
		}
	}
	pfree(nodes);
	pfree(state);
	pfree(path);
	pfree(edge);
}

/*
 * Note elements that no path from the start leads to.
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

	/* every element once, and every connector of it */
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

/*
 * Formulas and text templates that refer to each other in a circle have no
 * value.  Marks what was looked at: 1 on the path, 2 done.
 */
static bool
is_circular(Definition *def, const Operand *operand, char *formulas, char *templates)
{
	char	   *mark;
	List	   *references;
	ListCell   *cell;

	check_stack_depth();
	if (operand->kind == OPERAND_FORMULA)
	{
		mark = &formulas[operand->index];
		references = def->formulas[operand->index].references;
	}
	else if (operand->kind == OPERAND_TEMPLATE)
	{
		mark = &templates[operand->index];
		references = def->templates[operand->index].references;
	}
	else
		return false;
	if (*mark == 2)
		return false;
	if (*mark == 1)
		return true;
	*mark = 1;
	foreach(cell, references)
		if (is_circular(def, lfirst(cell), formulas, templates))
			return true;
	*mark = 2;
	return false;
}

void
orch_definition_check_formula_cycles(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	char	   *formulas = palloc0(def->nformulas + 1);
	char	   *templates = palloc0(def->ntemplates + 1);
	const DocNode *node;
	int			nformulas = 0;
	int			ntemplates = 0;

	for (node = root->first_child; node != NULL; node = node->next)
	{
		Operand		operand = {0};

		if (orch_definition_is_named(node, "formulas"))
		{
			operand.kind = OPERAND_FORMULA;
			operand.index = nformulas++;
		}
		else if (orch_definition_is_named(node, "textTemplates"))
		{
			operand.kind = OPERAND_TEMPLATE;
			operand.index = ntemplates++;
		}
		else
			continue;
		if (is_circular(def, &operand, formulas, templates))
		{
			error_at(c, node, "its value depends on itself");
			break;
		}
	}
	pfree(formulas);
	pfree(templates);
}

/* ----------------------------------------------- who reads the record */

static bool
reads_record(const Definition *def, const Operand *operand)
{
	List	   *references = NIL;
	ListCell   *cell;

	if (operand == NULL)
		return false;
	if (operand->kind == OPERAND_RECORD)
		return true;
	if (operand->kind == OPERAND_FORMULA)
		references = def->formulas[operand->index].references;
	else if (operand->kind == OPERAND_TEMPLATE)
		references = def->templates[operand->index].references;
	foreach(cell, references)
		if (reads_record(def, lfirst(cell)))
			return true;
	return false;
}

static bool
set_reads_record(const Definition *def, const ConditionSet *set)
{
	int			i;

	for (i = 0; set != NULL && i < set->nrequirements; i++)
		if (reads_record(def, set->requirements[i].left) ||
			reads_record(def, set->requirements[i].right) ||
			set_reads_record(def, set->requirements[i].nested))
			return true;
	return false;
}

/*
 * Which stages wait for the record: those whose conditions look at it, or let an
 * evaluation flow decide, which may.
 */
void
orch_definition_note_record_readers(Definition *def)
{
	int			i;
	int			j;

	for (i = 0; i < def->nstages; i++)
	{
		StageDef   *stage = &def->stages[i];

		stage->reads_record = stage->exit_action != NULL ||
			set_reads_record(def, stage->exit);
		for (j = stage->first_step; j < stage->first_step + stage->nsteps; j++)
		{
			const StepDef *step = &def->steps[j];

			stage->reads_record |= step->entry_action != NULL ||
				step->exit_action != NULL || set_reads_record(def, step->entry) ||
				set_reads_record(def, step->exit);
		}
		def->waits_for_record |= stage->reads_record;
	}
}

/* ------------------------------------------------------- every operand */

static void
walk_set(const ConditionSet *set, OperandVisitor visit, const char *used_by, void *arg)
{
	int			i;

	for (i = 0; set != NULL && i < set->nrequirements; i++)
	{
		if (set->requirements[i].left != NULL)
			visit(set->requirements[i].left, used_by, arg);
		if (set->requirements[i].right != NULL)
			visit(set->requirements[i].right, used_by, arg);
		walk_set(set->requirements[i].nested, visit, used_by, arg);
	}
}

static void
walk_list(const List *operands, OperandVisitor visit, const char *used_by, void *arg)
{
	ListCell   *cell;

	foreach(cell, operands)
		visit(lfirst(cell), used_by, arg);
}

static void
walk_inputs(int ninputs, const InputParameter *inputs, OperandVisitor visit,
			const char *used_by, void *arg)
{
	int			i;

	for (i = 0; i < ninputs; i++)
		if (inputs[i].value != NULL)
			visit(inputs[i].value, used_by, arg);
}

static void
walk_evaluation(const EvaluationAction *action, OperandVisitor visit,
				const char *used_by, void *arg)
{
	if (action != NULL)
		walk_inputs(action->ninputs, action->inputs, visit, used_by, arg);
}

/*
 * Shows every operand that is evaluated while a run goes on, with the name of what
 * it is in.
 */
void
orch_definition_walk(const Definition *def, OperandVisitor visit, void *arg)
{
	int			i;
	int			j;

	for (i = 0; i < def->nstages; i++)
	{
		walk_set(def->stages[i].exit, visit, def->stages[i].name, arg);
		walk_evaluation(def->stages[i].exit_action, visit, def->stages[i].name, arg);
	}
	for (i = 0; i < def->nsteps; i++)
	{
		const StepDef *step = &def->steps[i];

		walk_set(step->entry, visit, step->name, arg);
		walk_set(step->exit, visit, step->name, arg);
		walk_evaluation(step->entry_action, visit, step->name, arg);
		walk_evaluation(step->exit_action, visit, step->name, arg);
		walk_inputs(step->ninputs, step->inputs, visit, step->name, arg);
		if (step->assignee != NULL)
			visit(step->assignee, step->name, arg);
		if (step->context_record != NULL)
			visit(step->context_record, step->name, arg);
	}
	for (i = 0; i < def->noutcomes; i++)
		walk_set(def->outcomes[i].conditions, visit, def->outcomes[i].name, arg);
	for (i = 0; i < def->nassignments; i++)
		for (j = 0; j < def->assignments[i].nitems; j++)
			if (def->assignments[i].items[j].value != NULL)
				visit(def->assignments[i].items[j].value, def->assignments[i].name, arg);
	for (i = 0; i < def->nformulas; i++)
		walk_list(def->formulas[i].references, visit, def->formulas[i].name, arg);
	for (i = 0; i < def->ntemplates; i++)
		walk_list(def->templates[i].references, visit, def->templates[i].name, arg);
}
