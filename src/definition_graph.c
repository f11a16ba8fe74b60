/*-------------------------------------------------------------------------
 *
 * definition_graph.c
 *	  The graphs in a definition: steps that wait for each other, and elements
 *	  that no path leads to.
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
	int			total = def->nstages + def->ndecisions + def->nassignments;
	const DocNode *node;
	bool	   *seen;
	Connector  *todo;
	int			ntodo = 0;
	int			nstages = 0;
	int			ndecisions = 0;
	int			nassignments = 0;

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
						   (total * 2 + def->noutcomes + 1), MCXT_ALLOC_HUGE);
	todo[ntodo++] = def->start;
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
		if (seen[position])
			continue;
		seen[position] = true;
		switch (at.kind)
		{
			case ELEMENT_STAGE:
				todo[ntodo++] = def->stages[at.index].connector;
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
		if (position >= 0 && !seen[position])
			warning_at(c, node, "no path from the start leads here");
	}
	pfree(seen);
	pfree(todo);
}
