/*-------------------------------------------------------------------------
 *
 * diagram.h
 *	  The graph that a diagram shows, and how it is drawn.
 *
 * diagram.c makes the graph of a definition or a run.  For an SVG, diagram_layout.c gives
 * each node its place, diagram_route.c each edge its way, and diagram_svg.c writes them;
 * diagram_dot.c writes the graph as text for Mermaid and Graphviz.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/diagram.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DIAGRAM_H
#define ORCH_DIAGRAM_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* Longer labels end in an ellipsis everywhere, also in the title of their element. */
#define DIAGRAM_MAX_LABEL	255

/* Sizes in an SVG, in pixels. */
#define DIAGRAM_MARGIN		20
#define DIAGRAM_WIDTH		1500	/* layouts get no wider, if they can */
#define DIAGRAM_NODE_WIDTH	200
#define DIAGRAM_PITCH		18	/* between edges that leave a node */
#define DIAGRAM_TRACK		8	/* between lines that run beside each other */
#define DIAGRAM_STEP_HEIGHT	32
#define DIAGRAM_LABEL_WIDTH	130 /* labels of edges are clipped to it */
#define DIAGRAM_HEADER		58	/* for the title */
#define DIAGRAM_LEGEND		26

/* Sizes of fonts. */
#define DIAGRAM_FONT		13
#define DIAGRAM_SMALL_FONT	11

/* The meaning of a status: its colour and its icon. */
typedef enum Shade
{
	SHADE_PLAIN,				/* not reached, or no run */
	SHADE_UNDER_WAY,
	SHADE_COMPLETED,
	SHADE_SUSPENDED,
	SHADE_ERROR,
	SHADE_DISCONTINUED
} Shade;

typedef struct ShadeColors
{
	const char *name;			/* in Mermaid */
	const char *fill;
	const char *stroke;
	const char *dark_fill;
	const char *dark_stroke;
} ShadeColors;

typedef enum DiagramNodeKind
{
	DIAGRAM_START,
	DIAGRAM_END,
	DIAGRAM_STAGE,
	DIAGRAM_DECISION,
	DIAGRAM_ASSIGNMENT,
	DIAGRAM_LOOKUP
} DiagramNodeKind;

typedef struct DiagramStep
{
	char	   *label;
	char	   *kind;			/* its type, and when it starts */
	Shade		shade;
	char	   *status;			/* or NULL */
} DiagramStep;

typedef struct DiagramNode
{
	DiagramNodeKind kind;
	char	   *label;
	List	   *steps;			/* of DiagramStep * */
	Shade		shade;
	const char *status;			/* or NULL */
	int			times;			/* how often the run reached the stage */
	bool		is_drawn;		/* false: an end that no path has */
	int			first_edge;		/* its edges are edges[first_edge ...] */
	int			nedges;
	/* diagram_layout.c */
	bool		is_reached;		/* from the start */
	int			rank;
	int			order;			/* in its rank, then in its column */
	double		wish;			/* for its order */
	int			band;
	int			column;
	int			x;				/* left */
	int			y;				/* top: in its band until the bands are placed */
	int			width;
	int			height;
	int			entry;			/* where edges end: below y */
} DiagramNode;

typedef struct DiagramEdge
{
	int			from;
	int			to;
	const char *label;			/* or NULL */
	bool		is_fault;
	bool		is_back;		/* closes a loop */
	int			port;			/* where it begins: below y of its node */
	/* diagram_route.c: the lines that it takes, in this order; -1: none */
	int			gap_from;
	int			channel_from;
	int			lane;
	int			channel_to;
	int			gap_to;
} DiagramEdge;

/* A line that edges with one target share. */
typedef struct DiagramLine
{
	int			position;		/* x of an upright line, y of a level one */
	int			low;			/* where it begins and ends, while it is placed */
	int			high;
	int			wish;			/* for its order beside other lines */
	int			source;			/* sum of the places where edges come from */
	int			nsources;
	int			exit;			/* where they leave it */
	int			gap;			/* of the grid; for a channel or lane its number */
	int			track;
} DiagramLine;

typedef struct Diagram
{
	char	   *title;
	char	   *subtitle;
	const char *status;			/* of the run, or NULL */
	int			nnodes;
	DiagramNode *nodes;			/* start, end, stages, decisions, assignments, lookups */
	int			nedges;
	DiagramEdge *edges;			/* node by node */
	/* diagram_layout.c: bands of columns, read like lines of text */
	int			ncolumns;		/* of a band */
	int			nbands;
	List	  **columns;		/* of node numbers: nbands * ncolumns */
	int		   *column_x;
	int		   *column_width;
	int		   *band_y;
	int		   *band_height;
	/* diagram_route.c */
	int			nlines;
	DiagramLine *lines;
	int			width;
	int			height;
} Diagram;

/* diagram_layout.c */
extern void orch_diagram_layout(Diagram *graph);

/* diagram_route.c */
extern void orch_diagram_route(Diagram *graph);

/* diagram_text.c */
extern const ShadeColors orch_diagram_shades[];

extern int	orch_diagram_text_width(const char *text, int font);
extern char *orch_diagram_fit(const char *text, int font, int width);
extern char *orch_diagram_xml(const char *text);

/* diagram_svg.c */
extern char *orch_diagram_svg(Diagram *graph);

/* diagram_dot.c */
extern char *orch_diagram_mermaid(const Diagram *graph);
extern char *orch_diagram_dot(const Diagram *graph);

#endif							/* ORCH_DIAGRAM_H */
