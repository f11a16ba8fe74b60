/*-------------------------------------------------------------------------
 *
 * guard.h
 *	  The triggers on runs, stages, steps and work items.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_GUARD_H
#define ORCH_GUARD_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/uuid.h"

#include "orchestration.h"
#include "transition.h"

/* A row that was written and whose verdict is still to come. */
typedef struct GuardEntry
{
	int			nest_level;		/* of the subtransaction that wrote it */
	Level		level;
	int			from;			/* STATUS_NEW: inserted */
	int			to;
	int			step_type;		/* steps: StepType */
	bool		fill;			/* stages, steps: who, when it ended, ... are
								 * still to be filled in */
	ItemPointerData tid;		/* fill: where the row is */
	pg_uuid_t	run_id;
	pg_uuid_t	parent_id;		/* steps: the stage; work items: the step */
	pg_uuid_t	id;
	bool		has_orchestration;	/* inserted stages, steps, work items */
	pg_uuid_t	orchestration_id;
} GuardEntry;

/* orchestration.resume_window, in days. */
extern int	orch_resume_window;

/*
 * The engine holds the lock on the run and knows its stages and steps: around a
 * statement of its own it vouches for what the guard would have to look up, and
 * makes the consequences itself.  The change itself is checked all the same.
 */
extern void orch_guard_trust_begin(void);
extern void orch_guard_trust_end(void);

/* COPY is loading rows: a restore, most likely. */
extern bool orch_guard_is_loading(void);

/* What the next EndWorkItem or EndStep entry carries as comments; or NULL. */
extern void orch_guard_set_comments(const char *comments);

/* Who the next StartInstance entry says did it; or NULL. */
extern void orch_guard_set_starter(const char *name);

extern void orch_guard_at_xact_end(void);
extern void orch_guard_at_subxact_end(int level, bool commit);

/* guard_check.c: the verdict on rows beside their parents */
extern void orch_guard_check(const GuardEntry *entries, int nentries);

/* cascade.c: the consequences of rows that passed the guard, set by set */
extern void orch_cascade(const GuardEntry *entries, int nentries);
extern bool orch_cascade_under_way(void);
extern void orch_cascade_forget(int level);

#endif							/* ORCH_GUARD_H */
