/*-------------------------------------------------------------------------
 *
 * cascade.c
 *	  The consequences of a change: contract/lifecycle.md, "Cascades".
 *
 * The guard calls this file with a set of rows that passed it, their runs locked.
 * Downward consequences are one statement a kind for the whole set.  Each statement
 * fires the guard again, which makes the consequences one level further down.  So an
 * UPDATE ... SET status by a user does what the engine's calls do.
 *
 * Upward, a step that fails lets its stage fail, and a stage its run.  When a user's
 * statement ended or resumed something, the engine goes on with the run.  It does so
 * after all consequences: in between a stage may have failed and its run not yet.
 * While the engine itself moves the run, the engine makes the upward moves, because it
 * knows the failure; its frame tells it that a user wrote.
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
#include "base/transaction.h"
#include "base/uuid.h"
#include "base/worker_slot.h"
#include "definition/definition.h"
#include "guard/cascade.h"
#include "guard/guard.h"

/* Rows from which one kind of consequence follows: runs, or rows of runs. */
typedef struct IdSet
{
	pg_uuid_t  *run_ids;
	pg_uuid_t  *ids;
	int			n;
} IdSet;

typedef enum IdSetKind
{
	SET_SUSPENDED_RUNS,
	SET_CANCELED_RUNS,
	SET_FAILED_RUNS,
	SET_RESUMED_RUNS,
	SET_ENDED_STAGES,
	SET_FAILED_STAGES,			/* without a fault path */
	SET_ENDED_INTERACTIVE,		/* steps */
	SET_ENDED_QUEUED,			/* steps */
	SET_STAGES_OF_FAILED,		/* stages of steps that failed */
	SET_STEPS_OF_COMPLETED,		/* steps of work items that were completed */
	SET_TOUCHED_RUNS			/* the engine evaluates them again */
} IdSetKind;

#define NUM_SETS (SET_TOUCHED_RUNS + 1)

/*
 * A user's trigger may stop the run while a step of it fails: the stage of that step
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
 * The run failed outside a stage: its open stage, or else the stage that completed
 * last.  A stage in Error is the reason for which the run failed; it stays.
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
 * A worker may still finish a step of a run that failed: its outcome is kept as pending.
 * So its lease stays, but no worker can claim the step.
 */
static StaticPlan plan_unqueue_steps = {
	"DELETE FROM orchestration.step_queue q"
	" USING ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id),"
	" orchestration.step_run s, orchestration.stage_run g, orchestration.run r"
	" WHERE q.run_id = u.run_id AND q.step_run_id = u.id"
	"   AND s.run_id = q.run_id AND s.id = q.step_run_id"
	"   AND g.run_id = q.run_id AND g.id = s.stage_run_id AND r.id = q.run_id"
	"   AND (q.lease_id IS NULL OR s.status <> 'Discontinued'"
	"        OR g.status = 'Completed' OR r.status = 'Canceled'"
	"        OR (g.status = 'Discontinued' AND r.status <> 'Error'))"	/* recalled */
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

/* A user set the work item to Completed: its assignee is done. */
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
 * Consequences nest: a run waits for the engine until the outermost consequence is made
 * and the statement that caused it has ended.
 */
typedef struct Waiting
{
	struct Waiting *next;
	int			nest_level;
	int			depth;			/* of triggers: of the statement */
	pg_uuid_t	run_id;
	bool		resumed;
} Waiting;

/* The engine. */
static const CascadeConsumer *consumer = NULL;

static int	cascade_level = 0;	/* nesting level of the subtransaction that
								 * makes consequences, 0: none */
static Waiting *waiting = NULL; /* in TopTransactionContext */

static void add_pair(IdSet *set, int size, const pg_uuid_t *run_id,
					 const pg_uuid_t *id);
static void gather_run(IdSet *sets, int size, const GuardEntry *entry);
static void gather_stage(IdSet *sets, int size, const GuardEntry *entry);
static void gather_step(IdSet *sets, int size, const GuardEntry *entry);
static void interrupt_functions(void);
static void wait_for_engine(IdSet *set, bool resumed, int depth);

/*
 * The consequences in the order in which they are made: a set, and the statement that
 * is executed for it unless it is empty.
 */
static const struct
{
	IdSetKind	set;
	StaticPlan *plan;
}			consequences[] = {
	{SET_SUSPENDED_RUNS, &plan_suspend_stages},
	{SET_CANCELED_RUNS, &plan_cancel_stages},
	{SET_FAILED_RUNS, &plan_discontinue_stages},
	{SET_RESUMED_RUNS, &plan_resume_stages},
	{SET_ENDED_STAGES, &plan_discontinue_steps},
	{SET_ENDED_INTERACTIVE, &plan_close_work_items},
	{SET_ENDED_QUEUED, &plan_unqueue_steps},
	{SET_ENDED_QUEUED, &plan_freeze_steps},
	{SET_STAGES_OF_FAILED, &plan_fail_stages},
	{SET_FAILED_STAGES, &plan_fail_runs},
	{SET_STEPS_OF_COMPLETED, &plan_complete_steps},
	{SET_STEPS_OF_COMPLETED, &plan_keep_outcomes}
};

void
orch_cascade_register(const CascadeConsumer *registered)
{
	consumer = registered;
}

void
orch_cascade(const GuardEntry *entries, int nentries)
{
	IdSet		sets[NUM_SETS] = {{0}};
	bool		outermost = cascade_level == 0;
	ScopeKind	kind = entries[0].by_engine ? SCOPE_ENGINE : SCOPE_CASCADE;
	int			depth = entries[0].depth;
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
				gather_run(sets, nentries, entry);
				break;
			case LEVEL_STAGE:
				gather_stage(sets, nentries, entry);
				break;
			case LEVEL_STEP:
				gather_step(sets, nentries, entry);
				break;
			case LEVEL_WORK_ITEM:
				if (entry->to == WORK_ITEM_COMPLETED)
					add_pair(&sets[SET_STEPS_OF_COMPLETED], nentries, &entry->run_id,
							 &entry->parent_id);
				break;
			default:
				break;
		}
	}

	if (outermost)
		cascade_level = GetCurrentTransactionNestLevel();
	for (i = 0; i < (int) lengthof(consequences); i++)
	{
		const IdSet *set = &sets[consequences[i].set];
		Datum		values[2];

		if (set->n == 0)
			continue;
		values[0] = PointerGetDatum(orch_uuid_array(set->run_ids, set->n));
		values[1] = PointerGetDatum(orch_uuid_array(set->ids, set->n));
		orch_guard_execute(kind, consequences[i].plan, values, NULL, NULL);
		if (consequences[i].plan == &plan_unqueue_steps)
			interrupt_functions();
	}
	wait_for_engine(&sets[SET_RESUMED_RUNS], true, depth);
	wait_for_engine(&sets[SET_TOUCHED_RUNS], false, depth);
	if (outermost)
		cascade_level = 0;
}

/*
 * The sets that a run of a new status belongs to.
 */
static void
gather_run(IdSet *sets, int size, const GuardEntry *entry)
{
	IdSetKind	set;

	switch (entry->to)
	{
		case RUN_SUSPENDED:
			set = SET_SUSPENDED_RUNS;
			break;
		case RUN_CANCELED:
			set = SET_CANCELED_RUNS;
			break;
		case RUN_ERROR:
			set = SET_FAILED_RUNS;
			break;
		case RUN_IN_PROGRESS:
			set = SET_RESUMED_RUNS;
			break;
		default:
			return;
	}
	add_pair(&sets[set], size, &entry->id, &entry->id);
}

/*
 * The sets that a stage of a new status belongs to.
 */
static void
gather_stage(IdSet *sets, int size, const GuardEntry *entry)
{
	if (entry->to == STAGE_COMPLETED || entry->to == STAGE_ERROR ||
		entry->to == STAGE_DISCONTINUED)
		add_pair(&sets[SET_ENDED_STAGES], size, &entry->run_id, &entry->id);
	if (entry->to == STAGE_ERROR && !entry->by_engine &&
		!consumer->has_fault_path(&entry->run_id, &entry->id))
		add_pair(&sets[SET_FAILED_STAGES], size, &entry->run_id, &entry->id);
	else if (entry->to == STAGE_COMPLETED || (entry->to == STAGE_ERROR && !entry->by_engine))
		add_pair(&sets[SET_TOUCHED_RUNS], size, &entry->run_id, &entry->run_id);
}

/*
 * The sets that a step of a new status belongs to.
 */
static void
gather_step(IdSet *sets, int size, const GuardEntry *entry)
{
	if (entry->to == STEP_COMPLETED || entry->to == STEP_ERROR ||
		entry->to == STEP_DISCONTINUED)
	{
		if (entry->step_type == STEP_TYPE_INTERACTIVE)
			add_pair(&sets[SET_ENDED_INTERACTIVE], size, &entry->run_id, &entry->id);
		else if (entry->step_type == STEP_TYPE_ASYNCHRONOUS)
			add_pair(&sets[SET_ENDED_QUEUED], size, &entry->run_id, &entry->id);
	}
	if (entry->to == STEP_ERROR && !entry->by_engine)
		add_pair(&sets[SET_STAGES_OF_FAILED], size, &entry->run_id, &entry->parent_id);
	if (entry->to == STEP_COMPLETED || entry->to == STEP_IN_PROGRESS)
		add_pair(&sets[SET_TOUCHED_RUNS], size, &entry->run_id, &entry->run_id);
}

/*
 * Nothing happens inside a consequence: the runs wait for the end of the statement that
 * caused it.
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
		consumer->go_on(&entry->run_id, entry->resumed);
		pfree(entry);
	}
}

bool
orch_cascade_under_way(void)
{
	return cascade_level != 0;
}

static void
at_xact_end(bool committed)
{
	cascade_level = 0;
	waiting = NULL;
}

/*
 * A subtransaction ended: the runs that wait become the parent's, or are forgotten.
 */
static void
at_subxact_end(int level, bool committed)
{
	Waiting    *entry;

	if (!committed)
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

static const TransactionModule module = {
	.name = "cascade",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

void
orch_cascade_init(void)
{
	orch_transaction_register(&module);
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
 * The background worker may be executing functions of steps that plan_unqueue_steps
 * removed.
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
 * Let the runs of a set wait for the engine, unless it is moving them already.
 */
static void
wait_for_engine(IdSet *set, bool resumed, int depth)
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
		orch_cascade_wait(&set->run_ids[i], resumed, depth);
	}
}

void
orch_cascade_wait(const pg_uuid_t *run_id, bool resumed, int depth)
{
	Waiting    *entry = MemoryContextAlloc(TopTransactionContext, sizeof(Waiting));

	entry->nest_level = GetCurrentTransactionNestLevel();
	entry->depth = depth;
	entry->run_id = *run_id;
	entry->resumed = resumed;
	entry->next = waiting;
	waiting = entry;
}
