/*-------------------------------------------------------------------------
 *
 * diagram.c
 *	  run_diagram(): a run or an orchestration version as Mermaid, Graphviz or SVG.
 *
 * The diagram is the graph of the definition.  For a run it shows the status of each stage
 * that the run reached (the last time, if a loop reached it several times) by a colour, and
 * the status of each step in words.
 *
 * The SVG layout is simple: an element stands one row below the lowest element that leads to
 * it.  Connectors that lead back do not count; they are drawn along the right side.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/diagram.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "definition/definition_int.h"
#include "engine/engine_int.h"
#include "guard/transition.h"
#include "record/principal.h"

#define NODE_WIDTH		240
#define LINE_HEIGHT		18
#define ROW_GAP			50
#define COLUMN_GAP		40
#define MARGIN			30
#define MAX_LABEL		30

/* The meaning of a colour. */
typedef enum Shade
{
	SHADE_PLAIN,				/* not reached, or no run */
	SHADE_UNDER_WAY,
	SHADE_COMPLETED,
	SHADE_SUSPENDED,
	SHADE_ERROR,
	SHADE_DISCONTINUED
} Shade;

static const struct
{
	const char *name;
	const char *fill;
	const char *stroke;
}			shades[] = {
	[SHADE_PLAIN] = {"plain", "#f4f4f4", "#888888"},
	[SHADE_UNDER_WAY] = {"inprogress", "#d6e8ff", "#1f6fd0"},
	[SHADE_COMPLETED] = {"completed", "#d8f3dc", "#2d8a4e"},
	[SHADE_SUSPENDED] = {"suspended", "#fff3c4", "#b7860b"},
	[SHADE_ERROR] = {"error", "#ffd9d6", "#c0392b"},
	[SHADE_DISCONTINUED] = {"discontinued", "#e6e6e6", "#666666"}
};

typedef struct DiagramNode
{
	char	   *label;
	List	   *lines;			/* of char *: steps with their statuses */
	Shade		shade;
	bool		is_decision;
	bool		is_end;			/* start or end */
	int			row;			/* -1: not reached from the start */
	int			column;
	int			x;				/* left */
	int			y;				/* top */
	int			height;
} DiagramNode;

typedef struct DiagramEdge
{
	int			from;
	int			to;
	const char *label;			/* or NULL */
	bool		is_fault;
	bool		is_back;		/* leads to a row above, or the same */
} DiagramEdge;

typedef struct Diagram
{
	const Definition *def;
	char	   *title;
	Shade		shade;			/* of the run */
	int			nnodes;
	DiagramNode	   *nodes;			/* start, end, stages, decisions, assignments */
	List	   *edges;			/* of DiagramEdge * */
} Diagram;

#define NODE_START	0
#define NODE_END	1
#define NODE_STAGE(i)	(2 + (i))

static StaticPlan plan_run = {
	"SELECT version_id, status, name FROM orchestration.run WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_version = {
	"SELECT id FROM orchestration.orchestration_version WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_stages = {
	"SELECT DISTINCT ON (name) name, status, id FROM orchestration.stage_run"
	" WHERE run_id = $1 ORDER BY name, position DESC",
	1, {UUIDOID}
};
static StaticPlan plan_steps = {
	"SELECT DISTINCT ON (name) name, status, id FROM orchestration.step_run"
	" WHERE run_id = $1 ORDER BY name, id DESC",
	1, {UUIDOID}
};

static Diagram *make_graph(const Definition *def);
static void add_edge(Diagram *graph, int from, Connector to, const char *label, bool is_fault);
static int	node_of(const Definition *def, Connector connector);
static void show_run(Diagram *graph, const pg_uuid_t *run_id, Oid role);
static void refuse(const pg_uuid_t *id) pg_attribute_noreturn();
static void set_rows(Diagram *graph);
static char *shortened(const char *label);
static char *quoted(const char *label, const char *const *from_to);
static char *as_mermaid(const Diagram *graph);
static char *as_dot(const Diagram *graph);
static char *as_svg(Diagram *graph);
static void draw_edge(StringInfo svg, const Diagram *graph, const DiagramEdge *edge, int right,
					  int *lane);

/* pairs: a character that a notation cannot have in a label, and its replacement */
static const char *const xml_quotes[] = {"&", "&amp;", "<", "&lt;", ">", "&gt;", "\"", "&quot;", NULL};
static const char *const mermaid_quotes[] = {"#", "#35;", "\"", "#quot;", "<", "#lt;", ">", "#gt;", NULL};
static const char *const dot_quotes[] = {"\\", "\\\\", "\"", "\\\"", NULL};

PG_FUNCTION_INFO_V1(orchestration_run_diagram);

/*
 * orchestration.run_diagram(run_id uuid, format text) returns text
 *
 * Returns the graph of a run, or of an orchestration version, as "mermaid", "dot" or "svg"
 * (a document of its own).  The graph of a run shows the statuses of those stages and steps
 * that the caller sees.  The graph of a version needs the permission Manage Flow.
 * Raises: 22004 for null, 22023 for another format, OR101 for an id that is neither a run
 * nor a version that the caller sees and for a run that was imported without a version,
 * 42501 for a role that acts as no active user.
 * Source: ours.
 */
Datum
orchestration_run_diagram(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MemoryContext caller = CurrentMemoryContext;
	pg_uuid_t  *id;
	pg_uuid_t	version_id;
	char	   *format;
	char	   *result;
	RecordAccess record;
	bool		is_run;
	Diagram    *graph;
	Datum		value;
	bool		isnull;
	bool		manages;
	Oid			role = GetUserId();

	orch_require_arguments(fcinfo, 0, 2, "run_id and format");
	id = PG_GETARG_UUID_P(0);
	format = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(format, "mermaid") != 0 && strcmp(format, "dot") != 0 &&
		strcmp(format, "svg") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no format \"%s\"", format),
				 errhint("mermaid, dot and svg are.")));
	manages = (orch_access_require_user(role)->permissions &
			   PERMISSION_MANAGE_DEFINITIONS) != 0;
	is_run = orch_access_read(OBJECT_RUN, id, &record);
	if (is_run ? !orch_access_sees(role, OBJECT_RUN, id) : !manages)
		refuse(id);

	orch_system_connect(&saved);
	value = UUIDPGetDatum(id);
	orch_plan_execute(is_run ? &plan_run : &plan_version, &value, NULL, false, 1);
	if (SPI_processed == 0)
		refuse(id);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("run %s was imported without a version", orch_uuid_text(id))));
	version_id = *DatumGetUUIDP(value);
	graph = make_graph(orch_definition_get(&version_id));
	if (is_run)
		show_run(graph, id, role);
	result = strcmp(format, "mermaid") == 0 ? as_mermaid(graph) :
		strcmp(format, "dot") == 0 ? as_dot(graph) : as_svg(graph);
	result = MemoryContextStrdup(caller, result);
	orch_system_finish(&saved);
	PG_RETURN_TEXT_P(cstring_to_text(result));
}

/* ------------------------------------------------------------------ graph */

static Diagram *
make_graph(const Definition *def)
{
	Diagram    *graph = palloc0(sizeof(Diagram));
	int			i;
	int			j;

	graph->def = def;
	graph->title = psprintf("%s, version %d", def->label, def->version);
	graph->nnodes = 2 + def->nstages + def->ndecisions + def->nassignments + def->nlookups;
	graph->nodes = palloc0(sizeof(DiagramNode) * graph->nnodes);
	graph->nodes[NODE_START].label = "Start";
	graph->nodes[NODE_END].label = "End";
	graph->nodes[NODE_START].is_end = graph->nodes[NODE_END].is_end = true;
	add_edge(graph, NODE_START, def->start, NULL, false);
	if (def->has_recall)
		add_edge(graph, NODE_START, def->recall, "recalled", true);
	for (i = 0; i < def->nstages; i++)
	{
		const StageDef *stage = &def->stages[i];
		DiagramNode	   *node = &graph->nodes[NODE_STAGE(i)];

		node->label = stage->label;
		for (j = stage->first_step; j < stage->first_step + stage->nsteps; j++)
			node->lines = lappend(node->lines, def->steps[j].label);
		add_edge(graph, NODE_STAGE(i), stage->connector, NULL, false);
		if (stage->has_fault)
			add_edge(graph, NODE_STAGE(i), stage->fault, "fault", true);
	}
	for (i = 0; i < def->ndecisions; i++)
	{
		const DecisionDef *decision = &def->decisions[i];
		int			n = NODE_STAGE(def->nstages + i);

		graph->nodes[n].label = decision->name;
		graph->nodes[n].is_decision = true;
		for (j = decision->first_outcome; j < decision->first_outcome + decision->noutcomes; j++)
			add_edge(graph, n, def->outcomes[j].connector, def->outcomes[j].label, false);
		add_edge(graph, n, decision->default_connector, "else", false);
	}
	for (i = 0; i < def->nassignments; i++)
	{
		int			n = NODE_STAGE(def->nstages + def->ndecisions + i);

		graph->nodes[n].label = def->assignments[i].name;
		add_edge(graph, n, def->assignments[i].connector, NULL, false);
	}
	for (i = 0; i < def->nlookups; i++)
	{
		int			n = NODE_STAGE(def->nstages + def->ndecisions + def->nassignments + i);

		graph->nodes[n].label = def->lookups[i].name;
		add_edge(graph, n, def->lookups[i].connector, NULL, false);
	}
	return graph;
}

static void
add_edge(Diagram *graph, int from, Connector to, const char *label, bool is_fault)
{
	DiagramEdge	   *edge = palloc0(sizeof(DiagramEdge));

	CHECK_FOR_INTERRUPTS();
	edge->from = from;
	edge->to = node_of(graph->def, to);
	edge->label = label;
	edge->is_fault = is_fault;
	graph->edges = lappend(graph->edges, edge);
}

static int
node_of(const Definition *def, Connector connector)
{
	switch (connector.kind)
	{
		case ELEMENT_END:
			return NODE_END;
		case ELEMENT_STAGE:
			return NODE_STAGE(connector.index);
		case ELEMENT_DECISION:
			return NODE_STAGE(def->nstages + connector.index);
		case ELEMENT_ASSIGNMENT:
			return NODE_STAGE(def->nstages + def->ndecisions + connector.index);
		case ELEMENT_LOOKUP:
			return NODE_STAGE(def->nstages + def->ndecisions + def->nassignments +
							  connector.index);
	}
	return NODE_END;
}

/* The same error if the record does not exist and if the caller does not see it. */
static void
refuse(const pg_uuid_t *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
			 errmsg("there is no run or orchestration version %s", orch_uuid_text(id))));
}

static Shade
stage_shade(StageStatus status)
{
	switch (status)
	{
		case STAGE_COMPLETED:
			return SHADE_COMPLETED;
		case STAGE_ERROR:
			return SHADE_ERROR;
		case STAGE_SUSPENDED:
			return SHADE_SUSPENDED;
		case STAGE_DISCONTINUED:
			return SHADE_DISCONTINUED;
		default:
			return SHADE_UNDER_WAY;
	}
}

/*
 * Add the statuses of the run, its stages and its steps.
 */
static void
show_run(Diagram *graph, const pg_uuid_t *run_id, Oid role)
{
	const Definition *def = graph->def;
	Datum		value = UUIDPGetDatum(run_id);
	RunStatus	status;
	bool		isnull;
	uint64		i;

	orch_plan_execute(&plan_run, &value, NULL, false, 1);
	status = (RunStatus) orch_catalog_label_column(ENUM_RUN_STATUS, SPI_tuptable->vals[0],
												   SPI_tuptable->tupdesc, 2);
	graph->title = psprintf("%s, run %s: %s", def->label,
							SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3),
							orch_transition_status_name(LEVEL_RUN, status));
	graph->nodes[NODE_START].shade = SHADE_COMPLETED;
	graph->nodes[NODE_END].shade = status == RUN_COMPLETED ? SHADE_COMPLETED : SHADE_PLAIN;

	orch_plan_execute(&plan_stages, &value, NULL, false, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		int			index = orch_definition_stage_index(def, SPI_getvalue(tuple, desc, 1));

		/* stages and steps are shared apart from their run, whose graph the user sees */
		if (index >= 0 &&
			orch_access_sees(role, OBJECT_STAGE,
							 DatumGetUUIDP(SPI_getbinval(tuple, desc, 3, &isnull))))
			graph->nodes[NODE_STAGE(index)].shade =
				stage_shade((StageStatus) orch_catalog_label_column(ENUM_STAGE_STATUS, tuple,
																	desc, 2));
	}
	orch_plan_execute(&plan_steps, &value, NULL, false, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		int			index = orch_definition_step_index(def, SPI_getvalue(tuple, desc, 1));
		const StepDef *step = index >= 0 ? &def->steps[index] : NULL;
		ListCell   *cell;

		if (step == NULL ||
			!orch_access_sees(role, OBJECT_STEP,
							  DatumGetUUIDP(SPI_getbinval(tuple, desc, 3, &isnull))))
			continue;
		cell = list_nth_cell(graph->nodes[NODE_STAGE(step->stage)].lines,
							 index - def->stages[step->stage].first_step);
		lfirst(cell) = psprintf("%s: %s", shortened(step->label), SPI_getvalue(tuple, desc, 2));
	}
}

/* At most so many characters. */
static char *
shortened(const char *label)
{
	int			length = pg_mbcharcliplen(label, strlen(label), MAX_LABEL);

	return label[length] == '\0' ? pstrdup(label) :
		psprintf("%.*s...", pg_mbcharcliplen(label, strlen(label), MAX_LABEL - 3), label);
}

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
		else if (*p == '\n' || *p == '\r')
			appendStringInfoChar(&result, ' ');
		else
			appendStringInfoChar(&result, *p);
	}
	return result.data;
}

/* -------------------------------------------------------------- notations */

static char *
as_mermaid(const Diagram *graph)
{
	StringInfoData out;
	ListCell   *cell;
	int			i;

	initStringInfo(&out);
	appendStringInfo(&out, "---\ntitle: \"%s\"\n---\nflowchart TD\n",
					 quoted(graph->title, mermaid_quotes));
	for (i = 0; i < graph->nnodes; i++)
	{
		const DiagramNode *node = &graph->nodes[i];
		StringInfoData label;

		initStringInfo(&label);
		appendStringInfoString(&label, quoted(node->label, mermaid_quotes));
		foreach(cell, node->lines)
			appendStringInfo(&label, "<br/>%s", quoted(lfirst(cell), mermaid_quotes));
		appendStringInfo(&out, "    n%d%s\"%s\"%s:::%s\n", i,
						 node->is_end ? "([" : node->is_decision ? "{" : "[",
						 label.data,
						 node->is_end ? "])" : node->is_decision ? "}" : "]",
						 shades[node->shade].name);
	}
	foreach(cell, graph->edges)
	{
		const DiagramEdge *edge = lfirst(cell);

		if (edge->label != NULL)
			appendStringInfo(&out, "    n%d %s|\"%s\"| n%d\n", edge->from,
							 edge->is_fault ? "-.->" : "-->",
							 quoted(edge->label, mermaid_quotes), edge->to);
		else
			appendStringInfo(&out, "    n%d --> n%d\n", edge->from, edge->to);
	}
	for (i = 0; i < (int) lengthof(shades); i++)
		appendStringInfo(&out, "    classDef %s fill:%s,stroke:%s,color:#222\n",
						 shades[i].name, shades[i].fill, shades[i].stroke);
	return out.data;
}

static char *
as_dot(const Diagram *graph)
{
	StringInfoData out;
	ListCell   *cell;
	int			i;

	initStringInfo(&out);
	appendStringInfo(&out, "digraph orchestration {\n    label=\"%s\"; labelloc=t; rankdir=TB;\n"
					 "    node [fontname=\"Helvetica\", style=filled];\n"
					 "    edge [fontname=\"Helvetica\", fontsize=10];\n",
					 quoted(graph->title, dot_quotes));
	for (i = 0; i < graph->nnodes; i++)
	{
		const DiagramNode *node = &graph->nodes[i];

		appendStringInfo(&out, "    n%d [shape=%s, fillcolor=\"%s\", color=\"%s\", label=\"%s", i,
						 node->is_end ? "oval" : node->is_decision ? "diamond" : "box",
						 shades[node->shade].fill, shades[node->shade].stroke,
						 quoted(node->label, dot_quotes));
		foreach(cell, node->lines)
			appendStringInfo(&out, "\\l%s", quoted(lfirst(cell), dot_quotes));
		appendStringInfo(&out, "%s\"];\n", node->lines != NIL ? "\\l" : "");
	}
	foreach(cell, graph->edges)
	{
		const DiagramEdge *edge = lfirst(cell);

		appendStringInfo(&out, "    n%d -> n%d", edge->from, edge->to);
		if (edge->label != NULL)
			appendStringInfo(&out, " [label=\"%s\"%s]", quoted(edge->label, dot_quotes),
							 edge->is_fault ? ", style=dashed" : "");
		appendStringInfoString(&out, ";\n");
	}
	appendStringInfoString(&out, "}\n");
	return out.data;
}

/* -------------------------------------------------------------------- SVG */

/*
 * Set the row of each node: first breadth first from the start, then one below the lowest
 * node that leads to it by an edge that is not back.
 */
static void
set_rows(Diagram *graph)
{
	int			i;
	int			j;
	int			lowest = 0;
	int		   *queue = palloc(sizeof(int) * graph->nnodes);
	int			nqueue = 0;
	int			head;
	int		   *order = palloc(sizeof(int) * graph->nnodes);
	int		   *first = palloc(sizeof(int) * (graph->nnodes + 1));
	int		   *used;
	ListCell   *cell;

	/* make_graph() added the edges of each node together, node by node */
	j = 0;
	for (i = 0; i <= graph->nnodes; i++)
	{
		while (j < list_length(graph->edges) &&
			   ((DiagramEdge *) list_nth(graph->edges, j))->from < i)
			j++;
		first[i] = j;
	}
	for (i = 0; i < graph->nnodes; i++)
		graph->nodes[i].row = -1;
	graph->nodes[NODE_START].row = 0;
	queue[nqueue++] = NODE_START;
	for (head = 0; head < nqueue; head++)
		for (j = first[queue[head]]; j < first[queue[head] + 1]; j++)
		{
			const DiagramEdge *edge = list_nth(graph->edges, j);

			CHECK_FOR_INTERRUPTS();
			if (graph->nodes[edge->to].row < 0)
			{
				graph->nodes[edge->to].row = graph->nodes[edge->from].row + 1;
				queue[nqueue++] = edge->to;
			}
		}
	for (i = 0; i < nqueue; i++)
		order[queue[i]] = i;
	/* an edge back leads to a node that was found before */
	foreach(cell, graph->edges)
	{
		DiagramEdge	   *edge = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		edge->is_back = edge->to != NODE_END && graph->nodes[edge->from].row >= 0 &&
			graph->nodes[edge->to].row <= graph->nodes[edge->from].row &&
			order[edge->to] <= order[edge->from];
	}
	/* all other edges lead to nodes that were found later: in that order each row is final */
	for (head = 0; head < nqueue; head++)
		for (j = first[queue[head]]; j < first[queue[head] + 1]; j++)
		{
			const DiagramEdge *edge = list_nth(graph->edges, j);
			int			row = graph->nodes[edge->from].row + 1;

			CHECK_FOR_INTERRUPTS();
			if (!edge->is_back && graph->nodes[edge->to].row < row && row < graph->nnodes)
				graph->nodes[edge->to].row = row;
		}
	for (i = 0; i < graph->nnodes; i++)
		if (i != NODE_END)
			lowest = Max(lowest, graph->nodes[i].row);
	for (i = 0; i < graph->nnodes; i++)
		if (graph->nodes[i].row < 0 && i != NODE_END)
			graph->nodes[i].row = lowest + 1;	/* no path leads there */
	for (i = 0; i < graph->nnodes; i++)
		if (i != NODE_END)
			lowest = Max(lowest, graph->nodes[i].row);
	graph->nodes[NODE_END].row = lowest + 1;
	used = palloc0(sizeof(int) * (lowest + 2));
	for (i = 0; i < graph->nnodes; i++)
		graph->nodes[i].column = used[graph->nodes[i].row]++;
}

static char *
as_svg(Diagram *graph)
{
	StringInfoData out;
	ListCell   *cell;
	int			nrows = 0;
	int			ncolumns = 0;
	int		   *columns;
	int		   *heights;
	int		   *tops;
	int			width;
	int			right;
	int			height = MARGIN + 30;
	int			lane = 0;
	int			i;

	set_rows(graph);
	for (i = 0; i < graph->nnodes; i++)
		nrows = Max(nrows, graph->nodes[i].row + 1);
	columns = palloc0(sizeof(int) * nrows);
	heights = palloc0(sizeof(int) * nrows);
	tops = palloc0(sizeof(int) * nrows);
	for (i = 0; i < graph->nnodes; i++)
	{
		DiagramNode	   *node = &graph->nodes[i];

		node->height = LINE_HEIGHT * (2 + list_length(node->lines));
		columns[node->row] = Max(columns[node->row], node->column + 1);
		heights[node->row] = Max(heights[node->row], node->height);
		ncolumns = Max(ncolumns, columns[node->row]);
	}
	for (i = 0; i < nrows; i++)
	{
		tops[i] = height;
		height += heights[i] + ROW_GAP;
	}
	right = 2 * MARGIN + ncolumns * NODE_WIDTH + (ncolumns - 1) * COLUMN_GAP;
	width = right + 14 * (1 + list_length(graph->edges));
	for (i = 0; i < graph->nnodes; i++)
	{
		DiagramNode	   *node = &graph->nodes[i];
		int			row_width = columns[node->row] * NODE_WIDTH +
		(columns[node->row] - 1) * COLUMN_GAP;

		node->x = (right - row_width) / 2 + node->column * (NODE_WIDTH + COLUMN_GAP);
		node->y = tops[node->row];
	}

	initStringInfo(&out);
	appendStringInfo(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
					 " viewBox=\"0 0 %d %d\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\">\n"
					 "<title>%s</title>\n"
					 "<defs><marker id=\"arrow\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\""
					 " markerHeight=\"7\" orient=\"auto-start-reverse\"><path d=\"M0 0L10 5L0 10z\" fill=\"#555\"/></marker></defs>\n"
					 "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
					 "<text x=\"%d\" y=\"%d\" font-size=\"16\" font-weight=\"bold\">%s</text>\n",
					 width, height, width, height, quoted(graph->title, xml_quotes),
					 MARGIN, MARGIN, quoted(graph->title, xml_quotes));
	foreach(cell, graph->edges)
		draw_edge(&out, graph, lfirst(cell), right, &lane);
	for (i = 0; i < graph->nnodes; i++)
	{
		const DiagramNode *node = &graph->nodes[i];
		int			y = node->y + LINE_HEIGHT + (node->lines == NIL ? 4 : 0);

		if (node->is_decision)
			appendStringInfo(&out, "<polygon points=\"%d,%d %d,%d %d,%d %d,%d\" fill=\"%s\" stroke=\"%s\"/>\n",
							 node->x + NODE_WIDTH / 2, node->y - 8,
							 node->x + NODE_WIDTH, node->y + node->height / 2,
							 node->x + NODE_WIDTH / 2, node->y + node->height + 8,
							 node->x, node->y + node->height / 2,
							 shades[node->shade].fill, shades[node->shade].stroke);
		else
			appendStringInfo(&out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" fill=\"%s\" stroke=\"%s\"/>\n",
							 node->x, node->y, NODE_WIDTH, node->height,
							 node->is_end ? node->height / 2 : 6,
							 shades[node->shade].fill, shades[node->shade].stroke);
		appendStringInfo(&out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-weight=\"bold\">%s</text>\n",
						 node->x + NODE_WIDTH / 2, y, quoted(shortened(node->label), xml_quotes));
		foreach(cell, node->lines)
		{
			y += LINE_HEIGHT;
			appendStringInfo(&out, "<text x=\"%d\" y=\"%d\" font-size=\"11\">%s</text>\n",
							 node->x + 10, y, quoted(lfirst(cell), xml_quotes));
		}
	}
	appendStringInfoString(&out, "</svg>\n");
	return out.data;
}

static void
draw_edge(StringInfo svg, const Diagram *graph, const DiagramEdge *edge, int right, int *lane)
{
	const DiagramNode *from = &graph->nodes[edge->from];
	const DiagramNode *to = &graph->nodes[edge->to];
	int			x1 = from->x + NODE_WIDTH / 2;
	int			y1 = from->y + from->height + (from->is_decision ? 8 : 0);
	int			x2 = to->x + NODE_WIDTH / 2;
	int			y2 = to->y - (to->is_decision ? 8 : 0);
	const char *dash = edge->is_fault ? " stroke-dasharray=\"5 4\"" : "";
	int			label_x;
	int			label_y;

	/* an edge back or past other rows goes along the right side */
	if (edge->is_back || to->row > from->row + 1)
	{
		int			x = right + 14 * ++*lane;

		y1 = from->y + from->height / 2 + (from->is_decision ? 0 : 6);
		x1 = from->x + NODE_WIDTH;
		x2 = to->x + NODE_WIDTH;
		y2 = to->y + to->height / 2 - (to->is_decision ? 0 : 6);
		appendStringInfo(svg, "<path d=\"M%d %dH%dV%dH%d\" fill=\"none\" stroke=\"#555\"%s marker-end=\"url(#arrow)\"/>\n",
						 x1, y1, x, y2, x2, dash);
		label_x = x1 + 6;
		label_y = y1 - 5;
	}
	else
	{
		int			middle = y2 - ROW_GAP / 2;

		appendStringInfo(svg, "<path d=\"M%d %dC%d %d %d %d %d %d\" fill=\"none\" stroke=\"#555\"%s marker-end=\"url(#arrow)\"/>\n",
						 x1, y1, x1, middle, x2, middle, x2, y2, dash);
		label_x = (x1 + x2) / 2 + 6;
		label_y = (y1 + y2) / 2 + 4;
	}
	if (edge->label != NULL)
		appendStringInfo(svg, "<text x=\"%d\" y=\"%d\" font-size=\"11\" fill=\"#333\">%s</text>\n",
						 label_x, label_y, quoted(shortened(edge->label), xml_quotes));
}
