/*-------------------------------------------------------------------------
 *
 * diagram_route.c
 *	  The ways of the edges of a diagram, and the places of bands and columns.
 *
 * An edge leaves its source at the right and enters its target at the left.  To the next column
 * of the band it crosses the gap between them.  To any other place it takes, from the gap behind
 * its source, a channel above or below the band, if its target is two or more bands away a lane
 * at the margin and another channel, and the gap before its target.  Gaps, channels and lanes
 * hold no boxes, so no edge crosses one.
 *
 * Edges of one kind (usual, after a fault, back) to one target share a line in each gap, channel
 * and lane: they join as roads do.  Lines of different targets never lie upon each other.  An upright line is kept in mind as the
 * interval of heights that it fills, a level one as that of its widths; a line gets the first
 * track in which its interval is free.  How high a channel is depends on its lines, whose
 * widths depend on the upright lines, so these are placed as if channels had a height of
 * CHANNEL_UNITS; what touches a channel counts as filling all of it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/diagram_route.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "work/diagram.h"

#define CHANNEL_UNITS	20
#define LEAST_GAP		34
#define GAP_PAD			12		/* beside the lines of a gap; room for arrow heads */
#define CHANNEL_PAD		14		/* above and below the lines of a channel */
#define LEAST_WIDTH		440		/* room for a title */
#define NONE			(-1)

typedef enum LineKind
{
	LINE_GAP,					/* place: gap behind a column, in a band */
	LINE_CHANNEL,				/* place: above the band of that number */
	LINE_LANE					/* place: 0 left, 1 right */
} LineKind;

typedef struct LineKey
{
	int			kind;
	int			place;
	int			target;
	int			edge_kind;
} LineKey;

typedef struct LineEntry
{
	LineKey		key;			/* hash key, must be first */
	int			line;
} LineEntry;

typedef struct Router
{
	Diagram    *graph;
	HTAB	   *table;			/* of LineEntry */
	LineKind   *kinds;			/* of the lines */
	int		   *base;			/* of bands, while channels are CHANNEL_UNITS high */
	int		   *gap_width;		/* of the grid: ncolumns + 1 */
	int		   *label_width;	/* room for labels at the left of a gap */
	int			ntracks;		/* of the last place_lines() */
} Router;

static void choose_way(Router *router, DiagramEdge *edge);
static int	find_line(Router *router, LineKind kind, int place, const DiagramEdge *edge);
static void cover(DiagramLine *line, int low, int high);
static void cover_channel(Router *router, int line, int channel);
static void cover_gaps(Router *router, DiagramEdge *edge);
static int	place_lines(Router *router, LineKind kind, int place);
static void place_gaps(Router *router, int right_lanes);
static void place_channels(Router *router);

void
orch_diagram_route(Diagram *graph)
{
	Router		router = {0};
	HASHCTL		ctl = {0};
	int			y = 0;
	int			i;
	int			left_lanes;
	int			right_lanes;

	ctl.keysize = sizeof(LineKey);
	ctl.entrysize = sizeof(LineEntry);
	ctl.hcxt = CurrentMemoryContext;
	router.graph = graph;
	router.table = hash_create("lines of a diagram", 256, &ctl,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	graph->nlines = 0;
	graph->lines = palloc0(sizeof(DiagramLine) * Max(5 * graph->nedges, 1));
	router.kinds = palloc(sizeof(LineKind) * Max(5 * graph->nedges, 1));
	router.base = palloc(sizeof(int) * (graph->nbands + 1));
	router.gap_width = palloc0(sizeof(int) * (graph->ncolumns + 1));
	router.label_width = palloc0(sizeof(int) * (graph->ncolumns + 1));
	for (i = 0; i < graph->nbands; i++)
	{
		y += CHANNEL_UNITS;
		router.base[i] = y;
		y += graph->band_height[i];
	}
	router.base[graph->nbands] = y + CHANNEL_UNITS;

	for (i = 0; i < graph->nedges; i++)
		choose_way(&router, &graph->edges[i]);
	for (i = 0; i < graph->nedges; i++)
		cover_gaps(&router, &graph->edges[i]);

	left_lanes = place_lines(&router, LINE_LANE, 0);
	right_lanes = place_lines(&router, LINE_LANE, 1);
	graph->width = DIAGRAM_MARGIN + left_lanes * DIAGRAM_TRACK;
	for (i = 0; i < graph->nlines; i++)
		if (router.kinds[i] == LINE_LANE && graph->lines[i].gap == 0)
			graph->lines[i].position = graph->width - graph->lines[i].track * DIAGRAM_TRACK;
	place_gaps(&router, right_lanes);
	place_channels(&router);
	hash_destroy(router.table);
}

/* Which lines an edge takes. */
static void
choose_way(Router *router, DiagramEdge *edge)
{
	const Diagram *graph = router->graph;
	const DiagramNode *from = &graph->nodes[edge->from];
	const DiagramNode *to = &graph->nodes[edge->to];
	int			gaps = graph->ncolumns + 1;
	bool		down = to->band > from->band ||
		(to->band == from->band && to->column > from->column);
	int			first = down ? from->band + 1 : from->band;
	int			last = to->band == from->band ? first :
		down ? to->band : to->band + 1;

	CHECK_FOR_INTERRUPTS();
	edge->gap_from = find_line(router, LINE_GAP, from->band * gaps + from->column + 1, edge);
	edge->channel_from = edge->lane = edge->channel_to = edge->gap_to = NONE;
	if (to->band == from->band && to->column == from->column + 1)
		return;
	edge->channel_from = find_line(router, LINE_CHANNEL, first, edge);
	if (first != last)
	{
		edge->lane = find_line(router, LINE_LANE, down ? 1 : 0, edge);
		edge->channel_to = find_line(router, LINE_CHANNEL, last, edge);
		cover(&graph->lines[edge->lane], Min(first, last), Max(first, last));
	}
	edge->gap_to = find_line(router, LINE_GAP, to->band * gaps + to->column, edge);
}

static int
find_line(Router *router, LineKind kind, int place, const DiagramEdge *edge)
{
	Diagram    *graph = router->graph;
	LineKey		key = {kind, place, edge->to, edge->is_fault ? 1 : edge->is_back ? 2 : 0};
	LineEntry  *entry;
	bool		found;

	entry = hash_search(router->table, &key, HASH_ENTER, &found);
	if (!found)
	{
		DiagramLine *line = &graph->lines[graph->nlines];

		entry->line = graph->nlines;
		router->kinds[graph->nlines++] = kind;
		line->low = PG_INT32_MAX;
		line->high = PG_INT32_MIN;
		line->gap = kind == LINE_GAP ? place % (graph->ncolumns + 1) : place;
	}
	return entry->line;
}

static void
cover(DiagramLine *line, int low, int high)
{
	line->low = Min(line->low, low);
	line->high = Max(line->high, high);
}

/* An upright line that reaches a channel fills all of it. */
static void
cover_channel(Router *router, int line, int channel)
{
	cover(&router->graph->lines[line], router->base[channel] - CHANNEL_UNITS,
		  router->base[channel]);
}

/* The heights that the edge fills in its gaps. */
static void
cover_gaps(Router *router, DiagramEdge *edge)
{
	const Diagram *graph = router->graph;
	const DiagramNode *from = &graph->nodes[edge->from];
	const DiagramNode *to = &graph->nodes[edge->to];
	DiagramLine *line = &graph->lines[edge->gap_from];
	int			port = router->base[from->band] + from->y + edge->port;
	int			entry = router->base[to->band] + to->y + to->entry;

	CHECK_FOR_INTERRUPTS();
	cover(line, port, port);
	line->source += port;
	line->nsources++;
	if (edge->label != NULL)
	{
		int			width = orch_diagram_text_width(edge->label, DIAGRAM_SMALL_FONT) + 8;

		router->label_width[from->column + 1] = Max(router->label_width[from->column + 1],
													Min(width, DIAGRAM_LABEL_WIDTH));
	}
	if (edge->channel_from == NONE)
	{
		cover(line, entry, entry);
		line->exit = entry;
		return;
	}
	cover_channel(router, edge->gap_from, graph->lines[edge->channel_from].gap);
	line->exit = router->base[graph->lines[edge->channel_from].gap] - CHANNEL_UNITS / 2;
	line = &graph->lines[edge->gap_to];
	cover_channel(router, edge->gap_to,
				  graph->lines[edge->lane == NONE ? edge->channel_from : edge->channel_to].gap);
	cover(line, entry, entry);
	line->source += line->nsources == 0 ?
		router->base[graph->lines[edge->lane == NONE ? edge->channel_from :
								  edge->channel_to].gap] - CHANNEL_UNITS / 2 : 0;
	line->nsources += line->nsources == 0;
	line->exit = entry;
}

/* ----------------------------------------------------------------- tracks */

typedef struct PlacedLine
{
	int			line;
	int			group;
	int			wish;
} PlacedLine;

static int
compare_lines(const void *a, const void *b)
{
	const PlacedLine *x = a;
	const PlacedLine *y = b;

	return x->group != y->group ? x->group - y->group :
		x->wish != y->wish ? (x->wish < y->wish ? -1 : 1) :
		x->line < y->line ? -1 : x->line > y->line;
}

/*
 * The order in which lines get their tracks, so that few of them cross.  In a gap: those that
 * lead up, the highest first, then those that lead down, the lowest first.  In channels and
 * lanes: the shortest first.
 */
static void
set_order(const DiagramLine *line, LineKind kind, PlacedLine *placed)
{
	if (kind == LINE_GAP)
	{
		bool		up = line->exit < line->source / Max(line->nsources, 1);

		placed->group = up ? 0 : 1;
		placed->wish = up ? line->exit : -line->exit;
	}
	else
	{
		placed->group = 0;
		placed->wish = line->high - line->low;
	}
}

/*
 * Gives the lines of a gap of the grid (in all bands), a channel or a side their tracks.
 * Returns how many there are.
 */
static int
place_lines(Router *router, LineKind kind, int place)
{
	Diagram    *graph = router->graph;
	PlacedLine *placed = palloc(sizeof(PlacedLine) * Max(graph->nlines, 1));
	List	  **tracks;
	int			ntracks = 0;
	int			apart = kind == LINE_LANE ? 0 : 4;
	int			n = 0;
	int			i;

	for (i = 0; i < graph->nlines; i++)
		if (router->kinds[i] == kind && graph->lines[i].gap == place)
		{
			/* a straight edge needs no track */
			if (kind == LINE_GAP && graph->lines[i].low == graph->lines[i].high)
				continue;
			placed[n].line = i;
			set_order(&graph->lines[i], kind, &placed[n++]);
		}
	qsort(placed, n, sizeof(PlacedLine), compare_lines);
	tracks = palloc0(sizeof(List *) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		DiagramLine *line = &graph->lines[placed[i].line];
		int			track;

		for (track = 0; track < ntracks; track++)
		{
			ListCell   *cell;
			bool		is_free = true;

			foreach(cell, tracks[track])
			{
				const DiagramLine *other = &graph->lines[lfirst_int(cell)];

				CHECK_FOR_INTERRUPTS();
				if (line->low <= other->high + apart && other->low <= line->high + apart)
				{
					is_free = false;
					break;
				}
			}
			if (is_free)
				break;
		}
		ntracks = Max(ntracks, track + 1);
		tracks[track] = lappend_int(tracks[track], placed[i].line);
		line->track = track;
	}
	pfree(placed);
	return ntracks;
}

/* Widths of the gaps, and all places from left to right. */
static void
place_gaps(Router *router, int right_lanes)
{
	Diagram    *graph = router->graph;
	int			x = graph->width;
	int			gap;
	int			i;

	for (gap = 0; gap <= graph->ncolumns; gap++)
	{
		int			ntracks = place_lines(router, LINE_GAP, gap);
		int			width = router->label_width[gap] + 2 * GAP_PAD + ntracks * DIAGRAM_TRACK;

		if (gap > 0 && gap < graph->ncolumns)
			width = Max(width, LEAST_GAP);
		else if (ntracks == 0)
			width = router->label_width[gap];
		for (i = 0; i < graph->nlines; i++)
			if (router->kinds[i] == LINE_GAP && graph->lines[i].gap == gap)
				graph->lines[i].position = x + router->label_width[gap] + GAP_PAD +
					graph->lines[i].track * DIAGRAM_TRACK;
		x += width;
		if (gap < graph->ncolumns)
		{
			graph->column_x[gap] = x;
			x += graph->column_width[gap];
		}
	}
	for (i = 0; i < graph->nnodes; i++)
		if (graph->nodes[i].is_drawn)
			graph->nodes[i].x = graph->column_x[graph->nodes[i].column] +
				(graph->column_width[graph->nodes[i].column] - graph->nodes[i].width) / 2;
	for (i = 0; i < graph->nlines; i++)
		if (router->kinds[i] == LINE_LANE && graph->lines[i].gap == 1)
			graph->lines[i].position = x + (graph->lines[i].track + 1) * DIAGRAM_TRACK;
	x += right_lanes * DIAGRAM_TRACK + DIAGRAM_MARGIN;
	graph->width = Max(x, LEAST_WIDTH);
}

/* Heights of the channels, and all places from top to bottom. */
static void
place_channels(Router *router)
{
	Diagram    *graph = router->graph;
	int			y = DIAGRAM_HEADER;
	int			channel;
	int			i;

	for (i = 0; i < graph->nlines; i++)
		if (router->kinds[i] == LINE_CHANNEL)
		{
			graph->lines[i].low = PG_INT32_MAX;
			graph->lines[i].high = PG_INT32_MIN;
		}
	for (i = 0; i < graph->nedges; i++)
	{
		const DiagramEdge *edge = &graph->edges[i];
		int			from = graph->lines[edge->gap_from].position;
		int			to;
		int			turn;

		if (edge->channel_from == NONE)
			continue;
		to = graph->lines[edge->gap_to].position;
		turn = edge->lane == NONE ? to : graph->lines[edge->lane].position;
		cover(&graph->lines[edge->channel_from], Min(from, turn), Max(from, turn));
		if (edge->channel_to != NONE)
			cover(&graph->lines[edge->channel_to], Min(turn, to), Max(turn, to));
	}
	for (channel = 0; channel <= graph->nbands; channel++)
	{
		int			ntracks = place_lines(router, LINE_CHANNEL, channel);

		y += channel == 0 && ntracks == 0 ? 0 : CHANNEL_PAD;
		for (i = 0; i < graph->nlines; i++)
			if (router->kinds[i] == LINE_CHANNEL && graph->lines[i].gap == channel)
				graph->lines[i].position = y + graph->lines[i].track * DIAGRAM_TRACK;
		y += Max(ntracks - 1, 0) * DIAGRAM_TRACK +
			(channel == 0 && ntracks == 0 ? 0 : CHANNEL_PAD);
		if (channel < graph->nbands)
		{
			graph->band_y[channel] = y;
			y += graph->band_height[channel];
		}
	}
	for (i = 0; i < graph->nnodes; i++)
		if (graph->nodes[i].is_drawn)
			graph->nodes[i].y += graph->band_y[graph->nodes[i].band];
	graph->height = y + DIAGRAM_LEGEND;
}
