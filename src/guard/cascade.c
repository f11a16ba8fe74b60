/*-------------------------------------------------------------------------
 *
 * cascade.c
 *	  The consequences of a change: contract/lifecycle.md, "Cascades".
 *
 * Called by the guard with a set of rows that passed it, their runs locked.
 * Downward consequences are one statement a kind for the whole set; each fires
 * the guard again, which makes the consequences one level further down.  Hence
 * UPDATE ... SET status by hand does what the engine's own calls do.
 *
 * Upward: a step that fails takes its stage with it, a stage its run.  And when
 * something ended or was resumed by hand, the engine is asked to go on with the
 * run: once all consequences are made, not in between, where a stage may have
 * failed and its run not yet.  While the engine itself moves the run, it makes the upward moves with
 * what it knows about the failure, and only learns that somebody wrote.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/cascade.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/frame.h"
#include "base/system.h"
#include "base/uuid.h"
#include "base/worker_slot.h"
#include "definition/definition.h"
#include "engine/engine.h"
#include "guard/guard.h"

/* Pairs of ids gathered for one statement. */
typedef struct IdSet
{
	pg_uuid_t  *run_ids;
	pg_uuid_t  *ids;
	int			n;
} IdSet;

/*
 * A trigger of others stops the run while a step of it fails: the stage of such a step
 * has failed, too.
 */
#define STEP_FAILED \
	"EXISTS (SELECT FROM orchestration.step_run t" \
	"         WHERE t.run_id = s.run_id AND t.stage_run_id = s.id AND t.status = 'Error')"

static StaticPlan plan_suspend_stages = {
	"UPDATE orchestration.stage_run s SET"
	" status = CASE WHEN " STEP_FAILED " THEN 'Error' ELSE 'Suspended' END::orchestration.stage_status,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = CASE WHEN " STEP_FAILED " THEN pg_catalog.clock_timestamp() END"
	" WHERE s.run_id = ANY ($1) AND s.status = 'InProgress'",
	1, {UUIDARRAYOID}
};
static StaticPlan plan_cancel_stages = {
	"UPDATE orchestration.stage_run s SET"
	" status = CASE WHEN " STEP_FAILED " THEN 'Error' ELSE 'Discontinued' END::orchestration.stage_status,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" WHERE s.run_id = ANY ($1) AND s.status IN ('InProgress', 'Suspended')",
	1, {UUIDARRAYOID}
};

/*
 * The run failed outside a stage: the open stage, or else the one completed
 * last.  A stage in Error is why the run failed, and stays.
 */
static StaticPlan plan_discontinue_stages = {
	"UPDATE orchestration.stage_run s SET"
	" status = CASE WHEN " STEP_FAILED " THEN 'Error' ELSE 'Discontinued' END::orchestration.stage_status,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" WHERE s.run_id = ANY ($1) AND s.status IN ('InProgress', 'Completed')"
	"   AND NOT EXISTS (SELECT FROM orchestration.stage_run l"
	"                    WHERE l.run_id = s.run_id AND l.position > s.position)",
	1, {UUIDARRAYOID}
};
static StaticPlan plan_resume_stages = {
	"UPDATE orchestration.stage_run s SET status = 'InProgress',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL, ended_at = NULL"
	" WHERE s.run_id = ANY ($1) AND s.status IN ('Suspended', 'Error')"
	"   AND NOT EXISTS (SELECT FROM orchestration.stage_run l"
	"                    WHERE l.run_id = s.run_id AND l.position > s.position)",
	1, {UUIDARRAYOID}
};
static StaticPlan plan_discontinue_steps = {
	"UPDATE orchestration.step_run s SET status = 'Discontinued',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
	" WHERE s.run_id = u.run_id AND s.stage_run_id = u.id"
	"   AND s.status = 'InProgress'",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_close_work_items = {
	"UPDATE orchestration.work_item w SET status = 'Completed'"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
	" WHERE w.run_id = u.run_id AND w.step_run_id = u.id"
	"   AND w.status = 'Assigned'",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};

/*
 * A worker that is at work on a step of a run that failed may still finish: its
 * outcome is kept as pending, so its lease stays, but nobody can claim the step.
 */
static StaticPlan plan_unqueue_steps = {
	"DELETE FROM orchestration.step_queue q"
	" USING ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id),"
	" orchestration.step_run s, orchestration.stage_run g, orchestration.run r"
	" WHERE q.run_id = u.run_id AND q.step_run_id = u.id"
	"   AND s.run_id = q.run_id AND s.id = q.step_run_id"
	"   AND g.run_id = q.run_id AND g.id = s.stage_run_id AND r.id = q.run_id"
	"   AND (q.lease_id IS NULL OR s.status <> 'Discontinued'"
	"        OR g.status = 'Completed' OR r.status = 'Canceled')"
	" RETURNING q.step_run_id, q.topic = '' AND q.lease_id IS NOT NULL",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_freeze_steps = {
	"UPDATE orchestration.step_queue q SET available_at = 'infinity'"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
	" WHERE q.run_id = u.run_id AND q.step_run_id = u.id",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_fail_stages = {
	"UPDATE orchestration.stage_run s SET status = 'Error',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
	" WHERE s.run_id = u.run_id AND s.id = u.id AND s.status = 'InProgress'",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_fail_runs = {
	"UPDATE orchestration.run SET status = 'Error', error_recoverable = true,"
	"       error = COALESCE(error, pg_catalog.jsonb_build_object('message',"
	"               'a stage or step was set to Error'))"
	" WHERE id = ANY ($1) AND status = 'InProgress'",
	1, {UUIDARRAYOID}
};

/* The work item was set to Completed by hand: its assignee is done. */
static StaticPlan plan_complete_steps = {
	"UPDATE orchestration.step_run s SET status = 'Completed',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id),"
	"      orchestration.run r"
	" WHERE s.run_id = u.run_id AND s.id = u.id AND s.status = 'InProgress'"
	"   AND r.id = s.run_id AND r.status = 'InProgress'",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_keep_outcomes = {
	"UPDATE orchestration.step_run s SET"
	" pending = pg_catalog.jsonb_build_object('outcome', 'Completed'),"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id),"
	"      orchestration.run r"
	" WHERE s.run_id = u.run_id AND s.id = u.id AND s.status = 'InProgress'"
	"   AND r.id = s.run_id AND r.status <> 'InProgress'",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};

/*
 * Consequences nest: what the engine is to go on with is gathered until the
 * outermost is made and the statement that set it off has ended.
 */
typedef struct Waiting
{
	struct Waiting *next;
	int			nest_level;
	int			depth;			/* of triggers: of the statement */
	pg_uuid_t	run_id;
	bool		resumed;
} Waiting;

static int	cascade_level = 0;	/* nesting level of the subtransaction that
								 * makes consequences, 0: none */
static Waiting *waiting = NULL; /* in TopTransactionContext */

static void add_pair(IdSet *set, int size, const pg_uuid_t *run_id,
					 const pg_uuid_t *id);
static void run_sets(ScopeKind kind, StaticPlan *plan, const IdSet *set);
static void interrupt_functions(void);
static void gather_runs(IdSet *set, bool resumed, int depth);
static void add_waiting(const pg_uuid_t *run_id, bool resumed, int depth);

/*
 * Make the consequences.  Caller is connected to SPI and in system context.
 */
void
orch_cascade(const GuardEntry *entries, int nentries)
{
	IdSet		suspended = {0};
	IdSet		canceled = {0};
	IdSet		failed = {0};
	IdSet		resumed = {0};
	IdSet		ended_stages = {0};
	IdSet		failed_stages = {0};
	IdSet		ended_interactive = {0};
	IdSet		ended_asynchronous = {0};
	IdSet		failed_steps = {0};
	IdSet		done_items = {0};
	bool		outermost = cascade_level == 0;
	IdSet		touched = {0};
	/* all are of one statement */
	ScopeKind	kind = entries[0].by_engine ? SCOPE_ENGINE : SCOPE_CASCADE;
	int			i;

	for (i = 0; i < nentries; i++)
	{
		const GuardEntry *entry = &entries[i];

		CHECK_FOR_INTERRUPTS();
		if (entry->from == STATUS_NEW || entry->from == entry->to)
			continue;
		switch (entry->level)
		{
			case LEVEL_RUN:
				if (entry->to == RUN_SUSPENDED)
					add_pair(&suspended, nentries, &entry->id, &entry->id);
				else if (entry->to == RUN_CANCELED)
					add_pair(&canceled, nentries, &entry->id, &entry->id);
				else if (entry->to == RUN_ERROR)
					add_pair(&failed, nentries, &entry->id, &entry->id);
				else if (entry->to == RUN_IN_PROGRESS)
					add_pair(&resumed, nentries, &entry->id, &entry->id);
				break;
			case LEVEL_STAGE:
				if (entry->to == STAGE_COMPLETED || entry->to == STAGE_ERROR ||
					entry->to == STAGE_DISCONTINUED)
					add_pair(&ended_stages, nentries, &entry->run_id, &entry->id);
				if (entry->to == STAGE_ERROR && !entry->by_engine)
				{
					/* along its fault path, or the run fails with it */
					if (orch_engine_has_fault_path(&entry->run_id, &entry->id))
						add_pair(&touched, nentries, &entry->run_id, &entry->run_id);
					else
						add_pair(&failed_stages, nentries, &entry->run_id, &entry->id);
				}
				if (entry->to == STAGE_COMPLETED)
					add_pair(&touched, nentries, &entry->run_id, &entry->run_id);
				break;
			case LEVEL_STEP:
				if (entry->to == STEP_COMPLETED || entry->to == STEP_ERROR ||
					entry->to == STEP_DISCONTINUED)
				{
					if (entry->step_type == STEP_TYPE_INTERACTIVE)
						add_pair(&ended_interactive, nentries, &entry->run_id, &entry->id);
					else if (entry->step_type == STEP_TYPE_ASYNCHRONOUS)
						add_pair(&ended_asynchronous, nentries, &entry->run_id, &entry->id);
				}
				if (entry->to == STEP_ERROR && !entry->by_engine)
					add_pair(&failed_steps, nentries, &entry->run_id, &entry->parent_id);
				if (entry->to == STEP_COMPLETED || entry->to == STEP_IN_PROGRESS)
					add_pair(&touched, nentries, &entry->run_id, &entry->run_id);
				break;
			case LEVEL_WORK_ITEM:
				if (entry->to == WORK_ITEM_COMPLETED)
					add_pair(&done_items, nentries, &entry->run_id, &entry->parent_id);
				break;
		}
	}

	if (outermost)
		cascade_level = GetCurrentTransactionNestLevel();
	run_sets(kind, &plan_suspend_stages, &suspended);
	run_sets(kind, &plan_cancel_stages, &canceled);
	run_sets(kind, &plan_discontinue_stages, &failed);
	run_sets(kind, &plan_resume_stages, &resumed);
	run_sets(kind, &plan_discontinue_steps, &ended_stages);
	run_sets(kind, &plan_close_work_items, &ended_interactive);
	run_sets(kind, &plan_unqueue_steps, &ended_asynchronous);
	if (ended_asynchronous.n > 0)
		interrupt_functions();
	run_sets(kind, &plan_freeze_steps, &ended_asynchronous);
	run_sets(kind, &plan_fail_stages, &failed_steps);
	run_sets(kind, &plan_fail_runs, &failed_stages);
	run_sets(kind, &plan_complete_steps, &done_items);
	run_sets(kind, &plan_keep_outcomes, &done_items);
	gather_runs(&resumed, true, entries[0].depth);
	gather_runs(&touched, false, entries[0].depth);
	if (outermost)
		cascade_level = 0;
}

/*
 * A statement whose triggers are at this depth has ended: let the engine go on with
 * the runs that it touched, unless it is part of a consequence itself.
 */
void
orch_cascade_go_on(int depth)
{
	int			level = GetCurrentTransactionNestLevel();

	if (cascade_level != 0)
		return;
	while (waiting != NULL && waiting->nest_level >= level && waiting->depth >= depth)
	{
		Waiting    *entry = waiting;

		CHECK_FOR_INTERRUPTS();
		waiting = entry->next;
		orch_engine_go_on(&entry->run_id, entry->resumed);
		pfree(entry);
	}
}

/*
 * Is what is being written a consequence?
 */
bool
orch_cascade_under_way(void)
{
	return cascade_level != 0;
}

bool
orch_cascade_defers(const pg_uuid_t *run_id)
{
	int			depth = orch_guard_pending_depth(run_id);

	if (likely(depth < 0))
		return false;
	add_waiting(run_id, false, depth);
	return true;
}

void
orch_cascade_at_xact_end(void)
{
	cascade_level = 0;
	waiting = NULL;
}

/*
 * A subtransaction ended: the runs that wait become the parent's, or are forgotten.
 */
void
orch_cascade_at_subxact_end(int level, bool commit)
{
	Waiting    *entry;

	if (!commit)
	{
		if (level <= cascade_level)
			cascade_level = 0;
		while (waiting != NULL && waiting->nest_level >= level)
			waiting = waiting->next;
		return;
	}
	for (entry = waiting; entry != NULL && entry->nest_level >= level; entry = entry->next)
		entry->nest_level = level - 1;
}

static void
add_pair(IdSet *set, int size, const pg_uuid_t *run_id, const pg_uuid_t *id)
{
	if (set->run_ids == NULL)
	{
		set->run_ids = MemoryContextAllocHuge(CurrentMemoryContext, size * sizeof(pg_uuid_t));
		set->ids = MemoryContextAllocHuge(CurrentMemoryContext, size * sizeof(pg_uuid_t));
	}
	set->run_ids[set->n] = *run_id;
	set->ids[set->n] = *id;
	set->n++;
}

/*
 * Execute a plan for a set, unless it is empty.
 */
static void
run_sets(ScopeKind kind, StaticPlan *plan, const IdSet *set)
{
	Datum		values[2];

	if (set->n == 0)
		return;
	values[0] = PointerGetDatum(orch_uuid_array(set->run_ids, set->n));
	values[1] = PointerGetDatum(orch_uuid_array(set->ids, set->n));
	orch_guard_execute(kind, plan, values, NULL, NULL);
}

/*
 * The background worker may be at work on steps that plan_unqueue_steps removed.
 */
static void
interrupt_functions(void)
{
	uint64		i;

	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;

		if (DatumGetBool(SPI_getbinval(tuple, desc, 2, &isnull)))
			orch_worker_interrupt(DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull)));
	}
}

/*
 * Note runs for the engine, unless it is moving them already.
 */
static void
gather_runs(IdSet *set, bool resumed, int depth)
{
	int			i;

	if (set->n == 0)
		return;
	qsort(set->run_ids, set->n, sizeof(pg_uuid_t), orch_uuid_compare);
	for (i = 0; i < set->n; i++)
	{
		if (i > 0 && orch_uuid_equal(&set->run_ids[i], &set->run_ids[i - 1]))
			continue;
		if (orch_frame_engine(&set->run_ids[i]) != NULL)
			continue;
		add_waiting(&set->run_ids[i], resumed, depth);
	}
}

static void
add_waiting(const pg_uuid_t *run_id, bool resumed, int depth)
{
	Waiting    *entry = MemoryContextAlloc(TopTransactionContext, sizeof(Waiting));

	entry->nest_level = GetCurrentTransactionNestLevel();
	entry->depth = depth;
	entry->run_id = *run_id;
	entry->resumed = resumed;
	entry->next = waiting;
	waiting = entry;
}
