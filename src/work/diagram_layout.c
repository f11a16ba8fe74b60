/*-------------------------------------------------------------------------
 *
 * diagram_layout.c
 *	  Where the elements of a diagram stand.
 *
 * The layout is layered.  An element has a rank, one above the highest rank from which an edge
 * leads to it; edges that close a loop do not count.  A rank becomes a column, or several if it
 * has many elements, in an order that follows that of their neighbours.  The columns run from
 * left to right in bands, as words do in lines of text, so that a long chain uses the width.
 * Between the columns are gaps and between the bands channels, both free of boxes:
 * diagram_route.c leads the edges through them.
 *
 * The same graph always has the same layout.  Nothing recurses: graphs come from users.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/diagram_layout.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "work/diagram.h"

#define NODE_START		0
#define NODE_END		1

#define MOST_COLUMNS	6		/* of a band */
#define LEAST_COLUMNS	2
#define MOST_IN_COLUMN	5
#define NODE_GAP		24		/* between boxes of a column */
#define TERMINAL_WIDTH	64		/* of start and end */
#define SWEEPS			4
#define MOST_TO_FIT		500		/* larger graphs are laid out once, however wide */

/* The graph seen from its targets: edges into node i are into[first[i] ...]. */
typedef struct IncomingEdges
{
	int		   *first;
	int		   *into;
} IncomingEdges;

/* The members of the ranks, rank by rank. */
typedef struct Ranks
{
	int			nranks;
	int		   *first;			/* nranks + 1 */
	int		   *members;
} Ranks;

typedef struct PortKey
{
	int			edge;
	int			side;			/* -1: goes up, 0: to the next column, 1: down */
	int			place;			/* of the target */
} PortKey;

static void set_ranks(Diagram *graph, int *found);
static int	visit_nodes(Diagram *graph, int *found, int *finished);
static Ranks *gather_ranks(const Diagram *graph, const int *found);
static void sort_ranks(Diagram *graph, Ranks *ranks);
static void sort_rank(Diagram *graph, Ranks *ranks, int rank, const IncomingEdges *incoming);
static int *split_ranks(const Ranks *ranks, int *ncolumns);
static void fill_bands(Diagram *graph, const Ranks *ranks, const int *starts, int ncolumns,
					   int in_band);
static void set_ports(Diagram *graph, int n);
static void stack_columns(Diagram *graph);
static void set_entry(Diagram *graph, int n, const List *before);

void
orch_diagram_layout(Diagram *graph)
{
	int		   *found = palloc0(sizeof(int) * graph->nnodes);
	int		   *starts;
	int			ncolumns;
	int			most;
	int			i;
	Ranks	   *ranks;

	set_ranks(graph, found);
	ranks = gather_ranks(graph, found);
	sort_ranks(graph, ranks);
	starts = split_ranks(ranks, &ncolumns);

	/* how much width the gaps need is known when the edges are routed */
	for (most = MOST_COLUMNS; most >= LEAST_COLUMNS; most--)
	{
		int			nbands = (ncolumns + most - 1) / most;

		fill_bands(graph, ranks, starts, ncolumns, (ncolumns + nbands - 1) / nbands);
		for (i = 0; i < graph->nnodes; i++)
			if (graph->nodes[i].is_drawn)
				set_ports(graph, i);
		stack_columns(graph);
		orch_diagram_route(graph);
		if (graph->width <= DIAGRAM_WIDTH || graph->nnodes > MOST_TO_FIT)
			break;
	}
}

/* ------------------------------------------------------------------ ranks */

/*
 * Sets the ranks, and in found the order in which the nodes were found.  Elements that no
 * path reaches come after all others.
 */
static void
set_ranks(Diagram *graph, int *found)
{
	int		   *finished = palloc(sizeof(int) * graph->nnodes);
	int			n = visit_nodes(graph, found, finished);
	int			last = 0;
	int			i;
	int			j;

	/* the reverse of the order in which they were finished: targets come after sources */
	for (i = n - 1; i >= 0; i--)
	{
		const DiagramNode *node = &graph->nodes[finished[i]];

		for (j = node->first_edge; j < node->first_edge + node->nedges; j++)
		{
			DiagramNode *target = &graph->nodes[graph->edges[j].to];

			CHECK_FOR_INTERRUPTS();
			if (!graph->edges[j].is_back && node->is_reached == target->is_reached)
				target->rank = Max(target->rank, node->rank + 1);
		}
	}
	/* all paths end at the end, at the right */
	for (i = 0; i < graph->nnodes; i++)
		if (graph->nodes[i].is_reached && i != NODE_END)
			last = Max(last, graph->nodes[i].rank);
	if (graph->nodes[NODE_END].is_reached)
		graph->nodes[NODE_END].rank = ++last;
	for (i = 0; i < graph->nnodes; i++)
		if (!graph->nodes[i].is_reached)
			graph->nodes[i].rank += last + 1;
}

/*
 * Visits all nodes, depth first, from the start and then from those that are left.  Marks
 * the edges that lead back to a node on the path.  Returns how many nodes were visited.
 */
static int
visit_nodes(Diagram *graph, int *found, int *finished)
{
	enum
	{
		NEW, ON_PATH, DONE
	}		   *state = palloc0(sizeof(*state) * graph->nnodes);
	int		   *path = palloc(sizeof(int) * graph->nnodes);
	int		   *next = palloc0(sizeof(int) * graph->nnodes);	/* edge of a node */
	int			nfound = 0;
	int			nfinished = 0;
	int			depth = 0;
	int			root;

	for (root = 0; root < graph->nnodes; root++)
	{
		if (state[root] != NEW || !graph->nodes[root].is_drawn)
			continue;
		path[depth++] = root;
		while (depth > 0)
		{
			int			at = path[depth - 1];
			DiagramNode *node = &graph->nodes[at];
			DiagramEdge *edge;

			CHECK_FOR_INTERRUPTS();
			if (state[at] == NEW)
			{
				state[at] = ON_PATH;
				node->is_reached = root == NODE_START;
				found[at] = nfound++;
			}
			if (next[at] == node->nedges)
			{
				state[at] = DONE;
				finished[nfinished++] = at;
				depth--;
				continue;
			}
			edge = &graph->edges[node->first_edge + next[at]++];
			edge->is_back = state[edge->to] == ON_PATH;
			if (state[edge->to] == NEW)
				path[depth++] = edge->to;
		}
	}
	return nfinished;
}

/* Sort keys of nodes: rank, then the order in which they were found. */
typedef struct FoundNode
{
	int			node;
	int			rank;
	int			found;
} FoundNode;

static int
compare_found(const void *a, const void *b)
{
	const FoundNode *x = a;
	const FoundNode *y = b;

	return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) :
		x->found < y->found ? -1 : x->found > y->found;
}

static Ranks *
gather_ranks(const Diagram *graph, const int *found)
{
	Ranks	   *ranks = palloc0(sizeof(Ranks));
	FoundNode  *nodes = palloc(sizeof(FoundNode) * graph->nnodes);
	int			n = 0;
	int			i;

	for (i = 0; i < graph->nnodes; i++)
		if (graph->nodes[i].is_drawn)
			nodes[n++] = (FoundNode) {i, graph->nodes[i].rank, found[i]};
	qsort(nodes, n, sizeof(FoundNode), compare_found);
	ranks->first = palloc(sizeof(int) * (n + 1));
	ranks->members = palloc(sizeof(int) * n);
	for (i = 0; i < n; i++)
	{
		if (i == 0 || nodes[i].rank != nodes[i - 1].rank)
			ranks->first[ranks->nranks++] = i;
		graph->nodes[nodes[i].node].rank = ranks->nranks - 1;
		graph->nodes[nodes[i].node].order = i - ranks->first[ranks->nranks - 1];
		ranks->members[i] = nodes[i].node;
	}
	ranks->first[ranks->nranks] = n;
	return ranks;
}

/* ------------------------------------------------------------------ order */

/*
 * Sorts each rank by the mean place of the neighbours in lower ranks, then of those in higher
 * ones, some times.
 */
static void
sort_ranks(Diagram *graph, Ranks *ranks)
{
	IncomingEdges incoming;
	int		   *used = palloc0(sizeof(int) * graph->nnodes);
	int			i;
	int			sweep;

	incoming.first = palloc0(sizeof(int) * (graph->nnodes + 1));
	incoming.into = palloc(sizeof(int) * Max(graph->nedges, 1));
	for (i = 0; i < graph->nedges; i++)
		incoming.first[graph->edges[i].to + 1]++;
	for (i = 0; i < graph->nnodes; i++)
		incoming.first[i + 1] += incoming.first[i];
	for (i = 0; i < graph->nedges; i++)
	{
		int			to = graph->edges[i].to;

		incoming.into[incoming.first[to] + used[to]++] = i;
	}
	for (sweep = 0; sweep < SWEEPS; sweep++)
	{
		for (i = 1; i < ranks->nranks; i++)
			sort_rank(graph, ranks, i, &incoming);
		if (sweep < SWEEPS - 1)
			for (i = ranks->nranks - 2; i >= 0; i--)
				sort_rank(graph, ranks, i, NULL);
	}
}

/* The place of a node in its rank, 0 in the middle. */
static double
place_in_rank(const Ranks *ranks, const DiagramNode *node)
{
	return node->order - (ranks->first[node->rank + 1] - ranks->first[node->rank] - 1) / 2.0;
}

typedef struct WishingNode
{
	int			node;
	int			order;
	double		wish;
} WishingNode;

static int
compare_wishes(const void *a, const void *b)
{
	const WishingNode *x = a;
	const WishingNode *y = b;

	return x->wish != y->wish ? (x->wish < y->wish ? -1 : 1) :
		x->order < y->order ? -1 : x->order > y->order;
}

/* incoming: sort by the sources of edges, else by their targets. */
static void
sort_rank(Diagram *graph, Ranks *ranks, int rank, const IncomingEdges *incoming)
{
	int		   *members = &ranks->members[ranks->first[rank]];
	int			n = ranks->first[rank + 1] - ranks->first[rank];
	WishingNode *nodes;
	int			i;
	int			j;

	if (n == 1)
		return;
	nodes = palloc(sizeof(WishingNode) * n);
	for (i = 0; i < n; i++)
	{
		const DiagramNode *node = &graph->nodes[members[i]];
		int			first = incoming ? incoming->first[members[i]] : node->first_edge;
		int			end = incoming ? incoming->first[members[i] + 1] : first + node->nedges;
		double		sum = 0;
		int			count = 0;

		for (j = first; j < end; j++)
		{
			const DiagramEdge *edge = &graph->edges[incoming ? incoming->into[j] : j];
			const DiagramNode *other = &graph->nodes[incoming ? edge->from : edge->to];

			CHECK_FOR_INTERRUPTS();
			if (edge->is_back || other->rank == rank)
				continue;
			/* outcomes of one decision stand in their order */
			sum += place_in_rank(ranks, other) +
				(incoming ? (edge - graph->edges - other->first_edge) * 1e-3 : 0);
			count++;
		}
		nodes[i].node = members[i];
		nodes[i].order = i;
		nodes[i].wish = count > 0 ? sum / count : place_in_rank(ranks, node);
	}
	qsort(nodes, n, sizeof(WishingNode), compare_wishes);
	for (i = 0; i < n; i++)
	{
		members[i] = nodes[i].node;
		graph->nodes[members[i]].order = i;
	}
	pfree(nodes);
}

/* ---------------------------------------------------------------- columns */

/*
 * The members of which the columns begin, one more than columns.  A rank of many elements
 * becomes several columns of about the same length.
 */
static int *
split_ranks(const Ranks *ranks, int *ncolumns)
{
	int		   *starts = palloc(sizeof(int) * (ranks->first[ranks->nranks] + 1));
	int			n = 0;
	int			i;
	int			j;

	for (i = 0; i < ranks->nranks; i++)
	{
		int			members = ranks->first[i + 1] - ranks->first[i];
		int			parts = (members + MOST_IN_COLUMN - 1) / MOST_IN_COLUMN;

		for (j = 0; j < parts; j++)
			starts[n++] = ranks->first[i] + (int) ((int64) members * j / parts);
	}
	starts[n] = ranks->first[ranks->nranks];
	*ncolumns = n;
	return starts;
}

/* Deal the columns out to bands of in_band columns. */
static void
fill_bands(Diagram *graph, const Ranks *ranks, const int *starts, int ncolumns, int in_band)
{
	int			i;
	int			j;

	graph->ncolumns = in_band;
	graph->nbands = (ncolumns + in_band - 1) / in_band;
	graph->columns = palloc0(sizeof(List *) * graph->nbands * in_band);
	graph->column_width = palloc0(sizeof(int) * in_band);
	graph->column_x = palloc0(sizeof(int) * in_band);
	graph->band_height = palloc0(sizeof(int) * graph->nbands);
	graph->band_y = palloc0(sizeof(int) * graph->nbands);
	for (i = 0; i < ncolumns; i++)
		for (j = starts[i]; j < starts[i + 1]; j++)
		{
			DiagramNode *node = &graph->nodes[ranks->members[j]];

			CHECK_FOR_INTERRUPTS();
			node->band = i / in_band;
			node->column = i % in_band;
			node->order = j - starts[i];
			node->width = node->kind == DIAGRAM_START || node->kind == DIAGRAM_END ?
				TERMINAL_WIDTH : DIAGRAM_NODE_WIDTH;
			graph->column_width[node->column] = Max(graph->column_width[node->column],
													node->width);
			graph->columns[i] = lappend_int(graph->columns[i], ranks->members[j]);
		}
}

static int
compare_ports(const void *a, const void *b)
{
	const PortKey *x = a;
	const PortKey *y = b;

	return x->side != y->side ? x->side - y->side :
		x->place != y->place ? x->place - y->place : x->edge - y->edge;
}

/*
 * Where the edges of a node leave its box, and how high the box is.  Edges that go up through
 * a channel leave above those to the next column, those that go down below them.  If one edge
 * goes to the next column it leaves in the middle: chains are straight lines.
 */
static void
set_ports(Diagram *graph, int n)
{
	DiagramNode *node = &graph->nodes[n];
	PortKey    *ports = palloc(sizeof(PortKey) * Max(node->nedges, 1));
	int			nnext = 0;
	int			above = 0;
	int			below = 0;
	int			i;

	for (i = 0; i < node->nedges; i++)
	{
		const DiagramEdge *edge = &graph->edges[node->first_edge + i];
		const DiagramNode *to = &graph->nodes[edge->to];
		bool		next = to->band == node->band && to->column == node->column + 1;

		CHECK_FOR_INTERRUPTS();
		ports[i].edge = node->first_edge + i;
		ports[i].side = next ? 0 : to->band < node->band ||
			(to->band == node->band && to->column <= node->column) ? -1 : 1;
		ports[i].place = next ? to->order : 0;
		nnext += next;
	}
	qsort(ports, node->nedges, sizeof(PortKey), compare_ports);
	/* in half pitches, above and below the middle */
	above = below = Max(node->nedges - 1, 0);
	for (i = 0; i < node->nedges && nnext == 1; i++)
		if (ports[i].side == 0)
		{
			above = 2 * i;
			below = 2 * (node->nedges - 1 - i);
		}
	if (node->kind == DIAGRAM_START || node->kind == DIAGRAM_END)
		node->height = 32;
	else if (node->steps == NIL)
		node->height = node->kind == DIAGRAM_STAGE ? 54 : 44;
	else
		node->height = 42 + DIAGRAM_STEP_HEIGHT * list_length(node->steps) + 6;
	node->height = Max(node->height, Max(above, below) * DIAGRAM_PITCH + 24);
	node->height += node->height % 2;
	for (i = 0; i < node->nedges; i++)
		graph->edges[ports[i].edge].port = node->height / 2 +
			(2 * i - above) * DIAGRAM_PITCH / 2;
	pfree(ports);
}

/* Stack the boxes of each column, centred in the band. */
static void
stack_columns(Diagram *graph)
{
	int		   *heights = palloc0(sizeof(int) * graph->nbands * graph->ncolumns);
	ListCell   *cell;
	int			i;

	for (i = 0; i < graph->nbands * graph->ncolumns; i++)
	{
		foreach(cell, graph->columns[i])
			heights[i] += graph->nodes[lfirst_int(cell)].height + NODE_GAP;
		heights[i] = Max(heights[i] - NODE_GAP, 0);
		graph->band_height[i / graph->ncolumns] = Max(graph->band_height[i / graph->ncolumns],
													  heights[i]);
	}
	for (i = 0; i < graph->nbands * graph->ncolumns; i++)
	{
		int			y = (graph->band_height[i / graph->ncolumns] - heights[i]) / 2;

		foreach(cell, graph->columns[i])
		{
			DiagramNode *node = &graph->nodes[lfirst_int(cell)];

			node->y = y;
			y += node->height + NODE_GAP;
		}
	}
	for (i = 0; i < graph->nbands * graph->ncolumns; i++)
		foreach(cell, graph->columns[i])
			set_entry(graph, lfirst_int(cell),
					  i % graph->ncolumns == 0 ? NIL : graph->columns[i - 1]);
	pfree(heights);
}

/*
 * Edges end in the middle of the left side, or as near to it as no edge to another node leaves
 * the column before at the same height: they would run into each other.
 */
static void
set_entry(Diagram *graph, int n, const List *before)
{
	static const int shifts[] = {0, 6, -6, 3, -3, 9, -9, 12, -12};
	DiagramNode *node = &graph->nodes[n];
	ListCell   *cell;
	int			i;
	int			j;

	for (i = 0; i < (int) lengthof(shifts); i++)
	{
		bool		is_free = true;

		node->entry = node->height / 2 + shifts[i];
		foreach(cell, before)
		{
			const DiagramNode *from = &graph->nodes[lfirst_int(cell)];

			CHECK_FOR_INTERRUPTS();
			for (j = from->first_edge; j < from->first_edge + from->nedges && is_free; j++)
				is_free = graph->edges[j].to == n ||
					abs(from->y + graph->edges[j].port - node->y - node->entry) > 2;
		}
		if (is_free)
			return;
	}
	node->entry = node->height / 2;
}
