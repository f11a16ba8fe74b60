/*-------------------------------------------------------------------------
 *
 * definition_walk.c
 *	  A depth-first walk through a graph of a definition, which finds circles.
 *
 * Each edge is followed once.  The walk has a stack of its own: ten thousand steps may
 * wait for each other in one chain.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_walk.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "definition/definition_int.h"

void
orch_definition_walk_graph(GraphWalk *walk)
{
	enum
	{
		UNSEEN, ON_PATH, DONE
	};
	Size		nnodes = walk->nnodes;
	char	   *state;
	int		   *path;			/* the nodes from the first to the current one */
	int		   *edge;			/* the next edge of each of them */
	int			i;

	if (nnodes == 0)
		return;
	state = palloc_extended(nnodes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	path = palloc_extended(sizeof(int) * nnodes, MCXT_ALLOC_HUGE);
	edge = palloc_extended(sizeof(int) * nnodes, MCXT_ALLOC_HUGE);
	for (i = 0; i < walk->nnodes && !walk->stopped; i++)
	{
		int			depth = 0;

		if (state[i] != UNSEEN)
			continue;
		path[0] = i;
		edge[0] = 0;
		state[i] = ON_PATH;
		while (depth >= 0 && !walk->stopped)
		{
			int			next = walk->next(walk, path[depth], edge[depth]);

			CHECK_FOR_INTERRUPTS();
			if (next == WALK_END)
			{
				if (walk->leave != NULL)
					walk->leave(walk, path[depth]);
				state[path[depth--]] = DONE;
				continue;
			}
			edge[depth]++;
			if (next == WALK_NONE || state[next] == DONE)
				continue;
			if (state[next] == ON_PATH)
			{
				walk->circle(walk, path, depth, next);
				continue;
			}
			depth++;
			path[depth] = next;
			edge[depth] = 0;
			state[next] = ON_PATH;
		}
	}
	pfree(state);
	pfree(path);
	pfree(edge);
}
