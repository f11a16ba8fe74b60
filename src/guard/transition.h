/*-------------------------------------------------------------------------
 *
 * transition.h
 *	  The status machine as constant tables.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/transition.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_TRANSITION_H
#define ORCH_TRANSITION_H

#include "base/catalog.h"
#include "base/orchestration.h"

#define STATUS_NEW	(-1)		/* "from" of a row that is created */
#define LOG_NONE	(-1)		/* not a milestone */

/* What makes a transition, as contract/transitions.csv has it. */
typedef enum TransitionBy
{
	BY_ENGINE,
	BY_USER,
	BY_CASCADE
} TransitionBy;

typedef struct Transition
{
	Level		level;
	int			from;			/* status of that level, or STATUS_NEW */
	int			to;
	TransitionBy by;
	const char *condition;
	int			log_kind;		/* LogKind, or LOG_NONE */
} Transition;

extern const char *orch_transition_level_name(Level level);
extern const char *orch_transition_status_name(Level level, int status);
extern int	orch_transition_status_value(Level level, Oid label);

extern const Transition *orch_transition_find(Level level, int from, int to);
extern char *orch_transition_targets(Level level, int from);

/* May a child of this level and status stand beside a parent of that status? */
extern bool orch_transition_neighbours(Level child, int parent_status,
									   int child_status);
extern char *orch_transition_neighbour_list(Level child, int parent_status);

#endif							/* ORCH_TRANSITION_H */
