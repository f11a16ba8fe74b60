/*-------------------------------------------------------------------------
 *
 * diagram_dot.c
 *	  A diagram as text for Mermaid and for Graphviz, which lay it out themselves.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/diagram_dot.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "work/diagram.h"

/*
 * Pairs: a character that a notation cannot have in a label, and its replacement.  Mermaid
 * reads %%{...}%% as its settings and ` as Markdown anywhere; its title is YAML.  Graphviz
 * reads entities as HTML does.
 */
static const char *const mermaid_quotes[] = {"#", "#35;", "&", "#amp;", "\"", "#quot;", "<", "#lt;", ">", "#gt;", "%", "#37;", "`", "#96;", NULL};
static const char *const yaml_quotes[] = {"%", "\\x25", "\\", "\\\\", "\"", "\\\"", NULL};
static const char *const dot_quotes[] = {"\\", "\\\\", "\"", "\\\"", "&", "&amp;", NULL};

/* Control characters become blanks. */
static char *
quoted(const char *label, const char *const *from_to)
{
	StringInfoData result;
	const char *p;

	initStringInfo(&result);
	for (p = label; *p != '\0'; p++)
	{
		const char *const *pair;

		CHECK_FOR_INTERRUPTS();
		for (pair = from_to; *pair != NULL && **pair != *p; pair += 2)
			;
		if (*pair != NULL)
			appendStringInfoString(&result, pair[1]);
		else if ((unsigned char) *p < ' ' || *p == 0x7f)
			appendStringInfoChar(&result, ' ');
		else
			appendStringInfoChar(&result, *p);
	}
	return result.data;
}

/* The lines of a box: what it is called, its status, its steps. */
static void
append_box(StringInfo out, const DiagramNode *node, const char *line_end,
		   const char *const *quotes)
{
	ListCell   *cell;

	appendStringInfoString(out, quoted(node->label, quotes));
	if (node->status != NULL)
		appendStringInfo(out, ": %s", node->status);
	if (node->times > 1)
		appendStringInfo(out, ", reached %d times", node->times);
	foreach(cell, node->steps)
	{
		const DiagramStep *step = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(out, "%s%s", line_end, quoted(step->label, quotes));
		if (step->status != NULL)
			appendStringInfo(out, ": %s", step->status);
		appendStringInfo(out, " (%s)", quoted(step->kind, quotes));
	}
}

char *
orch_diagram_mermaid(const Diagram *graph)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	appendStringInfo(&out, "---\ntitle: \"%s, %s\"\n---\nflowchart TD\n",
					 quoted(graph->title, yaml_quotes), graph->subtitle);
	for (i = 0; i < graph->nnodes; i++)
	{
		const DiagramNode *node = &graph->nodes[i];
		bool		is_terminal = node->kind == DIAGRAM_START || node->kind == DIAGRAM_END;
		bool		is_decision = node->kind == DIAGRAM_DECISION;

		if (!node->is_drawn)
			continue;
		appendStringInfo(&out, "    n%d%s\"", i, is_terminal ? "([" : is_decision ? "{" : "[");
		append_box(&out, node, "<br/>", mermaid_quotes);
		appendStringInfo(&out, "\"%s:::%s\n", is_terminal ? "])" : is_decision ? "}" : "]",
						 orch_diagram_shades[node->shade].name);
	}
	for (i = 0; i < graph->nedges; i++)
	{
		const DiagramEdge *edge = &graph->edges[i];
		const char *arrow = edge->is_fault ? "-.->" : "-->";

		if (edge->label != NULL)
			appendStringInfo(&out, "    n%d %s|\"%s\"| n%d\n", edge->from, arrow,
							 quoted(edge->label, mermaid_quotes), edge->to);
		else
			appendStringInfo(&out, "    n%d %s n%d\n", edge->from, arrow, edge->to);
	}
	for (i = SHADE_PLAIN; i <= SHADE_DISCONTINUED; i++)
		appendStringInfo(&out, "    classDef %s fill:%s,stroke:%s,color:#222\n",
						 orch_diagram_shades[i].name, orch_diagram_shades[i].fill,
						 orch_diagram_shades[i].stroke);
	return out.data;
}

char *
orch_diagram_dot(const Diagram *graph)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	appendStringInfo(&out, "digraph orchestration {\n    label=\"%s, %s\"; labelloc=t; rankdir=TB;\n"
					 "    node [fontname=\"Helvetica\", style=filled];\n"
					 "    edge [fontname=\"Helvetica\", fontsize=10];\n",
					 quoted(graph->title, dot_quotes), graph->subtitle);
	for (i = 0; i < graph->nnodes; i++)
	{
		const DiagramNode *node = &graph->nodes[i];
		bool		is_terminal = node->kind == DIAGRAM_START || node->kind == DIAGRAM_END;

		if (!node->is_drawn)
			continue;
		appendStringInfo(&out, "    n%d [shape=%s, fillcolor=\"%s\", color=\"%s\", label=\"", i,
						 is_terminal ? "oval" : node->kind == DIAGRAM_DECISION ? "diamond" : "box",
						 orch_diagram_shades[node->shade].fill,
						 orch_diagram_shades[node->shade].stroke);
		append_box(&out, node, "\\l", dot_quotes);
		appendStringInfo(&out, "%s\"];\n", node->steps != NIL ? "\\l" : "");
	}
	for (i = 0; i < graph->nedges; i++)
	{
		const DiagramEdge *edge = &graph->edges[i];

		appendStringInfo(&out, "    n%d -> n%d", edge->from, edge->to);
		if (edge->label != NULL)
			appendStringInfo(&out, " [label=\"%s\"%s]", quoted(edge->label, dot_quotes),
							 edge->is_fault ? ", style=dashed" : "");
		appendStringInfoString(&out, ";\n");
	}
	appendStringInfoString(&out, "}\n");
	return out.data;
}
