/*-------------------------------------------------------------------------
 *
 * diagram_svg.c
 *	  A diagram as SVG.
 *
 * The SVG is a document of its own, and may stand inline in an HTML page: all of its rules are
 * for the class orch-diagram of its outermost element, and it has no ids.  Statuses are classes,
 * st-Completed and so on, of that element (the run), of a group for each stage and of one for
 * each step; an icon and a word say the same.  The colours are CSS variables, --orch-edge and so
 * on, and follow the preference of the reader; the classes orch-light and orch-dark of the
 * outermost element, or of an element around it, settle them.
 *
 * Each text is in an inner svg, which clips it, below a group whose title is all of the text.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/diagram_svg.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "work/diagram.h"

#define LINE_HEIGHT		18
#define BOLD_FONT		(DIAGRAM_FONT + 1)	/* as wide as bold type is */

/* Colours beside those of the statuses, each the variable --orch-NAME. */
static const struct
{
	const char *name;
	const char *light;
	const char *dark;
}			palette[] = {
	{"ground", "#ffffff", "#15171a"},
	{"text", "#1c1e21", "#e8eaed"},
	{"small", "#50565e", "#b0b7bf"},
	{"edge", "#5b626b", "#9aa3ad"},
	{"fault", "#b3261e", "#ff8a80"},
	{"back", "#6a3fb5", "#bd9bff"}
};

/* The names of statuses are the same for runs, stages and steps. */
static const struct
{
	const char *status;
	Shade		shade;
}			statuses[] = {
	{"InProgress", SHADE_UNDER_WAY},
	{"Completed", SHADE_COMPLETED},
	{"Suspended", SHADE_SUSPENDED},
	{"Error", SHADE_ERROR},
	{"Discontinued", SHADE_DISCONTINUED},
	{"Canceled", SHADE_DISCONTINUED}
};

/* Icons of 12 by 12 pixels, which need no font. */
static const char *const icons[] = {
	[SHADE_PLAIN] = "M6 2a4 4 0 1 0 .01 0z",
	[SHADE_UNDER_WAY] = "M3 2l7 4l-7 4z",
	[SHADE_COMPLETED] = "M2 6l3 4l5 -8",
	[SHADE_SUSPENDED] = "M4 2v8M8 2v8",
	[SHADE_ERROR] = "M2 2l8 8M10 2l-8 8",
	[SHADE_DISCONTINUED] = "M2 6h8"
};

static void write_style(StringInfo svg);
static void write_rules(StringInfo svg);
static void write_colors(StringInfo svg, const char *selector, bool is_dark);
static void write_text(StringInfo svg, const char *class, int x, int y, int width,
					   const char *text, int font, const char *anchor);
static void write_icon(StringInfo svg, int x, int y, Shade shade);
static void write_edge(StringInfo svg, const Diagram *graph, const DiagramEdge *edge);
static void write_edge_label(StringInfo svg, const Diagram *graph, const DiagramEdge *edge);
static void write_node(StringInfo svg, const DiagramNode *node);
static void write_stage(StringInfo svg, const DiagramNode *node);
static void write_steps(StringInfo svg, const DiagramNode *node);
static void write_legend(StringInfo svg, const Diagram *graph);

char *
orch_diagram_svg(Diagram *graph)
{
	StringInfoData svg;
	char	   *title;
	int			i;

	orch_diagram_layout(graph);
	title = orch_diagram_xml(psprintf("%s, %s", graph->title, graph->subtitle));
	initStringInfo(&svg);
	appendStringInfo(&svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"orch-diagram%s%s\" role=\"img\""
					 " width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n<title>%s</title>\n",
					 graph->status != NULL ? " st-" : "",
					 graph->status != NULL ? graph->status : "",
					 graph->width, graph->height, graph->width, graph->height, title);
	write_style(&svg);
	appendStringInfo(&svg, "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n",
					 graph->width, graph->height);
	appendStringInfo(&svg, "<g class=\"heading\"><title>%s</title>", title);
	write_text(&svg, "title", DIAGRAM_MARGIN, 10, graph->width - 2 * DIAGRAM_MARGIN,
			   graph->title, 16, NULL);
	write_text(&svg, "small", DIAGRAM_MARGIN, 31, graph->width - 2 * DIAGRAM_MARGIN,
			   graph->subtitle, DIAGRAM_SMALL_FONT, NULL);
	appendStringInfoString(&svg, "</g>\n");
	/* usual edges last: where others join them the usual path stays visible */
	for (i = 0; i < graph->nedges; i++)
		if (graph->edges[i].is_back || graph->edges[i].is_fault)
			write_edge(&svg, graph, &graph->edges[i]);
	for (i = 0; i < graph->nedges; i++)
		if (!graph->edges[i].is_back && !graph->edges[i].is_fault)
			write_edge(&svg, graph, &graph->edges[i]);
	for (i = 0; i < graph->nnodes; i++)
		if (graph->nodes[i].is_drawn)
			write_node(&svg, &graph->nodes[i]);
	for (i = 0; i < graph->nedges; i++)
		if (graph->edges[i].label != NULL)
			write_edge_label(&svg, graph, &graph->edges[i]);
	write_legend(&svg, graph);
	appendStringInfoString(&svg, "</svg>\n");
	return svg.data;
}

/* ----------------------------------------------------------------- styles */

static void
write_style(StringInfo svg)
{
	appendStringInfoString(svg, "<style>\n"
						   ".orch-diagram{font-family:Helvetica,Arial,sans-serif;max-width:100%;height:auto}\n"
						   ".orch-diagram text{unicode-bidi:plaintext;white-space:pre;font-size:13px}\n"
						   ".orch-diagram .name{font-weight:bold}\n"
						   ".orch-diagram .title{font-size:16px;font-weight:bold}\n"
						   ".orch-diagram .small{font-size:11px}\n"
						   ".orch-diagram .box{stroke-width:1.5}\n"
						   ".orch-diagram .unreached>.box{stroke-dasharray:3 3}\n"
						   ".orch-diagram .edge,.orch-diagram .icon,.orch-diagram .mark{fill:none;stroke-width:1.5;stroke-linejoin:round}\n"
						   ".orch-diagram .icon{stroke-width:2}\n"
						   ".orch-diagram .fault{stroke-dasharray:6 4}\n"
						   ".orch-diagram .back{stroke-width:2;stroke-dasharray:2 3}\n"
						   ".orch-diagram .head.back,.orch-diagram .head.fault{stroke-dasharray:none}\n");
	write_rules(svg);
	write_colors(svg, ".orch-diagram", false);
	appendStringInfoString(svg, "@media screen and (prefers-color-scheme:dark){\n");
	write_colors(svg, ".orch-diagram", true);
	appendStringInfoString(svg, "}\n");
	write_colors(svg, ".orch-light.orch-diagram,.orch-light .orch-diagram", false);
	write_colors(svg, ".orch-dark.orch-diagram,.orch-dark .orch-diagram", true);
	appendStringInfoString(svg, "</style>\n");
}

/* A property by a variable, and the light colour for programs that know no variables. */
static void
write_property(StringInfo svg, const char *property, const char *name, const char *suffix,
			   const char *color)
{
	appendStringInfo(svg, "%s:%s;%s:var(--orch-%s%s);", property, color, property, name, suffix);
}

/* Rules that give each part its colour. */
static void
write_rules(StringInfo svg)
{
	static const struct
	{
		const char *selector;
		const char *property;
		int			color;
	}			rules[] = {
		{".ground", "fill", 0},
		{"text", "fill", 1},
		{".small", "fill", 2},
		{".edge", "stroke", 3},
		{".edge.fault", "stroke", 4},
		{".edge.back", "stroke", 5},
		{".head", "fill", 3},
		{".head.fault", "fill", 4},
		{".head.back", "fill", 5}
	};
	const ShadeColors *plain = &orch_diagram_shades[SHADE_PLAIN];
	int			i;

	for (i = 0; i < (int) lengthof(rules); i++)
	{
		appendStringInfo(svg, ".orch-diagram %s{", rules[i].selector);
		write_property(svg, rules[i].property, palette[rules[i].color].name, "",
					   palette[rules[i].color].light);
		appendStringInfoString(svg, "}\n");
	}
	appendStringInfoString(svg, ".orch-diagram .box{");
	write_property(svg, "fill", plain->name, "-fill", plain->fill);
	write_property(svg, "stroke", plain->name, "-stroke", plain->stroke);
	appendStringInfoString(svg, "}\n.orch-diagram .icon,.orch-diagram .mark{");
	write_property(svg, "stroke", plain->name, "-stroke", plain->stroke);
	appendStringInfoString(svg, "}\n");
	for (i = 0; i < (int) lengthof(statuses); i++)
	{
		const ShadeColors *colors = &orch_diagram_shades[statuses[i].shade];

		appendStringInfo(svg, ".orch-diagram .st-%s>.box{", statuses[i].status);
		write_property(svg, "fill", colors->name, "-fill", colors->fill);
		write_property(svg, "stroke", colors->name, "-stroke", colors->stroke);
		appendStringInfo(svg, "}\n.orch-diagram .st-%s>.icon{", statuses[i].status);
		write_property(svg, "stroke", colors->name, "-stroke", colors->stroke);
		appendStringInfoString(svg, "}\n");
	}
}

/* The values of the variables. */
static void
write_colors(StringInfo svg, const char *selector, bool is_dark)
{
	int			i;

	appendStringInfo(svg, "%s{", selector);
	for (i = 0; i < (int) lengthof(palette); i++)
		appendStringInfo(svg, "--orch-%s:%s;", palette[i].name,
						 is_dark ? palette[i].dark : palette[i].light);
	for (i = SHADE_PLAIN; i <= SHADE_DISCONTINUED; i++)
	{
		const ShadeColors *colors = &orch_diagram_shades[i];

		appendStringInfo(svg, "--orch-%s-fill:%s;--orch-%s-stroke:%s;",
						 colors->name, is_dark ? colors->dark_fill : colors->fill,
						 colors->name, is_dark ? colors->dark_stroke : colors->stroke);
	}
	appendStringInfoString(svg, "}\n");
}

/* ------------------------------------------------------------------ parts */

/* y: the top of the text's place.  anchor: "middle", or NULL for the left. */
static void
write_text(StringInfo svg, const char *class, int x, int y, int width, const char *text, int font,
		   const char *anchor)
{
	appendStringInfo(svg, "<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" overflow=\"hidden\"><text class=\"%s\" x=\"%d\" y=\"%d\"%s>%s</text></svg>",
					 x, y, width, font + 5, class,
					 anchor != NULL ? width / 2 : 0, font,
					 anchor != NULL ? " text-anchor=\"middle\"" : "",
					 orch_diagram_fit(text, font, width));
}

static void
write_icon(StringInfo svg, int x, int y, Shade shade)
{
	appendStringInfo(svg, "<path class=\"icon\" transform=\"translate(%d %d)\" d=\"%s\"/>",
					 x, y, icons[shade]);
}

static const char *
edge_class(const DiagramEdge *edge)
{
	return edge->is_fault ? " fault" : edge->is_back ? " back" : "";
}

static void
write_edge(StringInfo svg, const Diagram *graph, const DiagramEdge *edge)
{
	const DiagramNode *from = &graph->nodes[edge->from];
	const DiagramNode *to = &graph->nodes[edge->to];
	int			end = to->x;
	int			y = to->y + to->entry;

	CHECK_FOR_INTERRUPTS();
	appendStringInfo(svg, "<path class=\"edge%s\" d=\"M%d %d", edge_class(edge),
					 from->x + from->width, from->y + edge->port);
	if (edge->channel_from >= 0 || from->y + edge->port != y)
		appendStringInfo(svg, "H%d", graph->lines[edge->gap_from].position);
	if (edge->channel_from >= 0)
	{
		appendStringInfo(svg, "V%d", graph->lines[edge->channel_from].position);
		if (edge->lane >= 0)
			appendStringInfo(svg, "H%dV%d", graph->lines[edge->lane].position,
							 graph->lines[edge->channel_to].position);
		appendStringInfo(svg, "H%d", graph->lines[edge->gap_to].position);
	}
	if (edge->channel_from >= 0 || from->y + edge->port != y)
		appendStringInfo(svg, "V%d", y);
	appendStringInfo(svg, "H%d\"/><path class=\"head%s\" d=\"M%d %dl-8 -4v8z\"/>\n",
					 end - 4, edge_class(edge), end, y);
}

/* A label stands above the beginning of its edge. */
static void
write_edge_label(StringInfo svg, const Diagram *graph, const DiagramEdge *edge)
{
	const DiagramNode *from = &graph->nodes[edge->from];
	int			x = graph->column_x[from->column] + graph->column_width[from->column] + 4;
	int			width = orch_diagram_text_width(edge->label, DIAGRAM_SMALL_FONT) + 1;

	appendStringInfo(svg, "<g class=\"label%s\"><title>%s</title>", edge_class(edge),
					 orch_diagram_xml(edge->label));
	write_text(svg, "small", x, from->y + edge->port - DIAGRAM_SMALL_FONT - 5,
			   Min(width, DIAGRAM_LABEL_WIDTH - 4), edge->label, DIAGRAM_SMALL_FONT, NULL);
	appendStringInfoString(svg, "</g>\n");
}

static void
write_node(StringInfo svg, const DiagramNode *node)
{
	static const char *const kinds[] = {
		[DIAGRAM_START] = "start",
		[DIAGRAM_END] = "end",
		[DIAGRAM_STAGE] = "stage",
		[DIAGRAM_DECISION] = "decision",
		[DIAGRAM_ASSIGNMENT] = "assignment",
		[DIAGRAM_LOOKUP] = "lookup"
	};
	/* what an element is, for those that are no stages */
	static const char *const words[] = {
		[DIAGRAM_START] = NULL,
		[DIAGRAM_END] = NULL,
		[DIAGRAM_STAGE] = NULL,
		[DIAGRAM_DECISION] = "Decision",
		[DIAGRAM_ASSIGNMENT] = "Assignment",
		[DIAGRAM_LOOKUP] = "Get records"
	};
	bool		is_terminal = node->kind == DIAGRAM_START || node->kind == DIAGRAM_END;
	int			middle = node->y + node->height / 2;

	CHECK_FOR_INTERRUPTS();
	appendStringInfo(svg, "<g class=\"node %s%s%s%s\"><title>%s%s%s%s</title>"
					 "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>",
					 kinds[node->kind], node->is_reached ? "" : " unreached",
					 node->status != NULL ? " st-" :
					 is_terminal && node->shade == SHADE_COMPLETED ? " st-Completed" : "",
					 node->status != NULL ? node->status : "",
					 orch_diagram_xml(node->label), node->status != NULL ? ": " : "",
					 node->status != NULL ? node->status : "",
					 node->is_reached ? "" : "\nNo path leads here",
					 node->x, node->y, node->width, node->height,
					 is_terminal ? node->height / 2 : node->kind == DIAGRAM_STAGE ? 6 : 0);
	if (is_terminal)
		write_text(svg, "name", node->x + 6, middle - 10, node->width - 12, node->label,
				   BOLD_FONT, "middle");
	else if (node->kind == DIAGRAM_STAGE)
		write_stage(svg, node);
	else
	{
		/* a diamond, as decisions have it elsewhere; other elements have a bar */
		appendStringInfo(svg, "<path class=\"mark\" d=\"M%d %dl%s\"/>", node->x + 16,
						 middle - 8, node->kind == DIAGRAM_DECISION ?
						 "8 8l-8 8l-8 -8z" : "0 16");
		write_text(svg, "name", node->x + 32, middle - 18, node->width - 40, node->label,
				   BOLD_FONT, NULL);
		write_text(svg, "small", node->x + 32, middle + 1, node->width - 40, words[node->kind],
				   DIAGRAM_SMALL_FONT, NULL);
	}
	appendStringInfoString(svg, "</g>\n");
}

static void
write_stage(StringInfo svg, const DiagramNode *node)
{
	int			y = node->y + 6;
	StringInfoData line;

	/* the edges of a stage may make its box higher than its text */
	if (node->steps == NIL)
		y = node->y + node->height / 2 - 18;
	initStringInfo(&line);
	if (node->status != NULL)
	{
		write_icon(svg, node->x + 10, y + 3, node->shade);
		appendStringInfoString(&line, node->status);
		if (node->times > 1)
			appendStringInfo(&line, ", reached %d times", node->times);
	}
	else
		appendStringInfoString(&line, node->steps == NIL ? "Stage without steps" : "Stage");
	write_text(svg, "name", node->x + (node->status != NULL ? 28 : 10), y,
			   node->width - (node->status != NULL ? 38 : 20), node->label, BOLD_FONT, NULL);
	write_text(svg, "small", node->x + (node->status != NULL ? 28 : 10), y + LINE_HEIGHT,
			   node->width - (node->status != NULL ? 38 : 20), line.data, DIAGRAM_SMALL_FONT, NULL);
	if (node->steps != NIL)
		write_steps(svg, node);
}

static void
write_steps(StringInfo svg, const DiagramNode *node)
{
	int			y = node->y + 42;
	ListCell   *cell;

	appendStringInfo(svg, "<path class=\"mark\" d=\"M%d %dH%d\"/>", node->x + 10, y,
					 node->x + node->width - 10);
	foreach(cell, node->steps)
	{
		const DiagramStep *step = lfirst(cell);
		char	   *line = step->status != NULL ?
			psprintf("%s: %s", step->status, step->kind) : step->kind;

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(svg, "\n<g class=\"step%s%s\"><title>%s\n%s</title>",
						 step->status != NULL ? " st-" : "",
						 step->status != NULL ? step->status : "",
						 orch_diagram_xml(step->label), orch_diagram_xml(line));
		write_icon(svg, node->x + 10, y + 6, step->shade);
		write_text(svg, "step", node->x + 26, y + 2, node->width - 32, step->label, DIAGRAM_FONT,
				   NULL);
		write_text(svg, "small", node->x + 26, y + 17, node->width - 32, line,
				   DIAGRAM_SMALL_FONT, NULL);
		appendStringInfoString(svg, "</g>");
		y += DIAGRAM_STEP_HEIGHT;
	}
}

/* What the lines mean that are not usual, if there are such lines. */
static void
write_legend(StringInfo svg, const Diagram *graph)
{
	static const char *const words[] = {"path after a fault", "path back"};
	static const char *const classes[] = {"fault", "back"};
	bool		has[2] = {false, false};
	int			x = DIAGRAM_MARGIN;
	int			y = graph->height - DIAGRAM_LEGEND;
	int			i;

	for (i = 0; i < graph->nedges; i++)
	{
		has[0] |= graph->edges[i].is_fault;
		has[1] |= graph->edges[i].is_back && !graph->edges[i].is_fault;
	}
	for (i = 0; i < (int) lengthof(words); i++)
		if (has[i])
		{
			appendStringInfo(svg, "<g class=\"legend\"><title>%s</title><path class=\"edge %s\" d=\"M%d %dH%d\"/>",
							 words[i], classes[i], x, y + 8, x + 32);
			write_text(svg, "small", x + 38, y, 110, words[i], DIAGRAM_SMALL_FONT, NULL);
			appendStringInfoString(svg, "</g>\n");
			x += 160;
		}
}
