/*-------------------------------------------------------------------------
 *
 * guard_check.c
 *	  The verdict on rows beside their parents.
 *
 * Called at the end of a statement with the rows that it wrote.  First the runs of all
 * rows are locked, in the order of their ids; only then the parents are read, with the
 * latest snapshot.  A plain read of the parent, or the key share lock of the foreign
 * key, would let a child be created while its parent ends, because neither conflicts
 * with an update of a status.
 *
 * The rules are the table of neighbours and, for changes, the conditions in
 * contract/transitions.csv.  verify() has the same rules in SQL, written independently:
 * each of the two checks the other.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard_check.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/qunique.h"
#include "utils/array.h"

#include "access/access_name.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "guard/cascade.h"
#include "guard/guard_int.h"

/*
 * Pairs of ids are joined from unnest(): of two "= ANY" with parameters only one
 * would be a condition of the index, and the other a search through the whole
 * array for every row.
 */
static StaticPlan plan_stages = {
	"SELECT s.run_id, s.id, s.status,"
	" NOT EXISTS (SELECT FROM orchestration.stage_run l"
	"              WHERE l.run_id = s.run_id AND l.position > s.position)"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
	" JOIN orchestration.stage_run s ON s.run_id = u.run_id AND s.id = u.id",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_steps = {
	"SELECT s.run_id, s.id, s.status, s.step_type = 'InteractiveStep'"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
	" JOIN orchestration.step_run s ON s.run_id = u.run_id AND s.id = u.id",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_second_open = {
	"SELECT run_id FROM orchestration.stage_run"
	" WHERE run_id = ANY ($1) AND status IN ('InProgress', 'Suspended')"
	" GROUP BY run_id HAVING count(*) > 1 LIMIT 1",
	1, {UUIDARRAYOID}
};
static StaticPlan plan_same_position = {
	"SELECT run_id, position FROM orchestration.stage_run"
	" WHERE run_id = ANY ($1) GROUP BY run_id, position HAVING count(*) > 1 LIMIT 1",
	1, {UUIDARRAYOID}
};
static StaticPlan plan_not_beside_completed = {
	"SELECT run_id, status FROM orchestration.stage_run"
	" WHERE run_id = ANY ($1) AND status NOT IN ('Completed', 'Error') LIMIT 1",
	1, {UUIDARRAYOID}
};
/* What was read of a parent. */
typedef struct ParentState
{
	pg_uuid_t	id;				/* sort key, must be first */
	int			status;
	bool		is_last;		/* stages: none was reached later */
	bool		is_interactive; /* steps: people do it */
	bool		has_orchestration;	/* runs */
	pg_uuid_t	orchestration_id;
} ParentState;

typedef struct Parents
{
	ParentState *rows;			/* sorted by id */
	int			n;
} Parents;

/* What one call of orch_guard_check() looks at. */
typedef struct Check
{
	const GuardEntry *entries;
	int			nentries;
	int			nrun_ids;
	int			ncompleted;
	int			nopened;
	bool		new_stages;
	pg_uuid_t  *run_ids;		/* of stages, steps and work items */
	pg_uuid_t  *completed;		/* runs that completed */
	pg_uuid_t  *opened;			/* runs of stages that are open now */
	Parents		runs;
	Parents		stages;
	Parents		steps;
} Check;

static void gather(Check *check);
static void lock_runs(Check *check);
static Parents read_parents(StaticPlan *plan, Level level, const Check *check);
static const ParentState *find_parent(const Parents *parents, const pg_uuid_t *id);
static void check_entry(const Check *check, const GuardEntry *entry);
static void check_stage(const GuardEntry *entry, int run_status, bool is_last);
static void check_step(const GuardEntry *entry, int run_status,
					   int stage_status);
static void check_sets(const Check *check);
static void refuse_neighbour(const GuardEntry *entry, int parent_status,
							 const char *hint) pg_attribute_noreturn();
static char *entry_label(const GuardEntry *entry);
static char *found_run(void);

/*
 * Lock the runs, read the parents, give the verdicts.  Caller is in system context and
 * connected to SPI.  Raises OR002, OR003, OR005, OR101, 23505.
 */
void
orch_guard_check(const GuardEntry *entries, int nentries)
{
	Check		check = {entries, nentries};
	int			i;

	gather(&check);
	if (check.nrun_ids > 0)
	{
		lock_runs(&check);
		check.stages = read_parents(&plan_stages, LEVEL_STAGE, &check);
		check.steps = read_parents(&plan_steps, LEVEL_STEP, &check);
	}
	for (i = 0; i < nentries; i++)
		if (entries[i].level != LEVEL_RUN && entries[i].from != entries[i].to)
			check_entry(&check, &entries[i]);
	check_sets(&check);
	pfree(check.run_ids);
	pfree(check.completed);
	pfree(check.opened);
}

/*
 * The runs to lock, and those whose stages must be looked at.  Rows of run itself are
 * locked because they were written.
 */
static void
gather(Check *check)
{
	int			i;

	check->run_ids = palloc(check->nentries * sizeof(pg_uuid_t));
	check->completed = palloc(check->nentries * sizeof(pg_uuid_t));
	check->opened = palloc(check->nentries * sizeof(pg_uuid_t));
	for (i = 0; i < check->nentries; i++)
	{
		const GuardEntry *entry = &check->entries[i];

		if (entry->from == entry->to)
			continue;			/* only filled in, or reassigned */
		if (entry->level == LEVEL_STAGE && entry->from == STATUS_NEW)
			check->new_stages = true;
		if (entry->level != LEVEL_RUN)
			check->run_ids[check->nrun_ids++] = entry->run_id;
		else if (entry->from != STATUS_NEW && entry->to == RUN_COMPLETED)
			check->completed[check->ncompleted++] = entry->id;
		if (entry->level == LEVEL_STAGE &&
			(entry->to == STAGE_IN_PROGRESS || entry->to == STAGE_SUSPENDED))
			check->opened[check->nopened++] = entry->run_id;
	}
}

/*
 * Lock the runs in the order of their ids, and keep what the lock returns of them.
 */
static void
lock_runs(Check *check)
{
	pg_uuid_t  *run_ids = check->run_ids;
	int			nrun_ids = check->nrun_ids;
	ParentState *runs;
	int			nruns;
	int			n;

	qsort(run_ids, nrun_ids, sizeof(pg_uuid_t), orch_uuid_compare);
	nrun_ids = (int) qunique(run_ids, nrun_ids, sizeof(pg_uuid_t),
							 orch_uuid_compare);
	nruns = orch_lock_runs(run_ids, nrun_ids);
	runs = palloc(Max(nruns, 1) * sizeof(ParentState));
	for (n = 0; n < nruns; n++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[n];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		value;

		runs[n].id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 3, &isnull));
		runs[n].status = (int) orch_lock_run_status(n);
		value = SPI_getbinval(tuple, desc, 4, &isnull);
		runs[n].has_orchestration = !isnull;
		if (!isnull)
			runs[n].orchestration_id = *DatumGetUUIDP(value);
	}
	SPI_freetuptable(SPI_tuptable);
	qsort(runs, nruns, sizeof(ParentState), orch_uuid_compare);
	check->nrun_ids = nrun_ids;
	check->runs.rows = runs;
	check->runs.n = nruns;
}

static const ParentState *
find_parent(const Parents *parents, const pg_uuid_t *id)
{
	return bsearch(id, parents->rows, parents->n, sizeof(ParentState), orch_uuid_compare);
}

/*
 * The verdict on a stage, step or work item.
 */
static void
check_entry(const Check *check, const GuardEntry *entry)
{
	const ParentState *run = find_parent(&check->runs, &entry->run_id);
	const ParentState *parent;

	/* a stage is looked up itself: is it the one that was reached last? */
	if (entry->level == LEVEL_STAGE)
		parent = find_parent(&check->stages, &entry->id);
	else if (entry->level == LEVEL_STEP)
		parent = find_parent(&check->stages, &entry->parent_id);
	else
		parent = find_parent(&check->steps, &entry->parent_id);
	if (run == NULL || parent == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("the run or parent of %s does not exist", entry_label(entry)),
				 orch_error_column(orch_guard_columns[entry->level].relation,
								   run == NULL || entry->level == LEVEL_STAGE ? "run_id" :
								   entry->level == LEVEL_STEP ? "stage_run_id" : "step_run_id")));
	if (entry->from == STATUS_NEW &&
		(entry->has_orchestration != run->has_orchestration ||
		 (run->has_orchestration &&
		  !orch_uuid_equal(&entry->orchestration_id, &run->orchestration_id))))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("%s must have the orchestration of its run", entry_label(entry)),
				 orch_error_column(orch_guard_columns[entry->level].relation,
								   "orchestration_id")));
	if (entry->level == LEVEL_STAGE)
		check_stage(entry, run->status, parent->is_last);
	else if (entry->level == LEVEL_STEP)
		check_step(entry, run->status, parent->status);
	else if (!parent->is_interactive ||
			 !orch_transition_neighbours(LEVEL_WORK_ITEM, parent->status, entry->to))
		refuse_neighbour(entry, parent->status,
						 "Only interactive steps have work items.");
}

/*
 * The rules that concern all stages of a run.
 */
static void
check_sets(const Check *check)
{
	Datum		value;

	if (check->ncompleted > 0)
	{
		value = PointerGetDatum(orch_uuid_array(check->completed, check->ncompleted));
		orch_plan_execute_latest(&plan_not_beside_completed, &value, NULL, 1);
		if (SPI_processed > 0)
		{
			char	   *status = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);

			ereport(ERROR,
					(errcode(ERRCODE_ORCH_ILLEGAL_NEIGHBOUR),
					 /* it does not say which stage: the caller may not see stages */
					 errmsg("%s cannot be Completed: one of its stages is %s",
							found_run(), status),
					 errhint("Complete the stage, or cancel the run."),
					 orch_error_column(RELATION_RUN, "status")));
		}
	}
	if (check->nopened > 0)
	{
		value = PointerGetDatum(orch_uuid_array(check->opened, check->nopened));
		orch_plan_execute_latest(&plan_second_open, &value, NULL, 1);
		if (SPI_processed > 0)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_SECOND_OPEN_STAGE),
					 errmsg("%s cannot have a second open stage", found_run()),
					 errdetail("At most one stage of a run is InProgress or Suspended."),
					 orch_error_column(RELATION_STAGE_RUN, "status")));
	}
	if (check->new_stages)
	{
		value = PointerGetDatum(orch_uuid_array(check->run_ids, check->nrun_ids));
		orch_plan_execute_latest(&plan_same_position, &value, NULL, 1);
		if (SPI_processed > 0)
		{
			char	   *position = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);

			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("%s cannot have two stages at position %s", found_run(),
							position),
					 errdetail("Positions are the order in which the run reached its stages."),
					 orch_error_column(RELATION_STAGE_RUN, "position")));
		}
	}
}

/*
 * The stages or steps that the entries have as parents, sorted by id; with the stages
 * also those that are entries themselves.
 */
static Parents
read_parents(StaticPlan *plan, Level level, const Check *check)
{
	pg_uuid_t  *run_ids = palloc(check->nentries * sizeof(pg_uuid_t));
	pg_uuid_t  *ids = palloc(check->nentries * sizeof(pg_uuid_t));
	Parents		parents = {NULL, 0};
	Datum		values[2];
	int			n = 0;
	int			i;
	bool		isnull;

	for (i = 0; i < check->nentries; i++)
	{
		const GuardEntry *entry = &check->entries[i];

		if (entry->level == LEVEL_STAGE && level == LEVEL_STAGE)
			ids[n] = entry->id;
		else if ((int) entry->level == (int) level + 1)
			ids[n] = entry->parent_id;
		else
			continue;
		/* children of one parent mostly come together */
		if (n > 0 && orch_uuid_equal(&ids[n], &ids[n - 1]))
			continue;
		run_ids[n++] = entry->run_id;
	}
	if (n == 0)
		return parents;

	values[0] = PointerGetDatum(orch_uuid_array(run_ids, n));
	values[1] = PointerGetDatum(orch_uuid_array(ids, n));
	orch_plan_execute_latest(plan, values, NULL, 0);
	parents.n = (int) SPI_processed;
	parents.rows = palloc(Max(parents.n, 1) * sizeof(ParentState));
	for (i = 0; i < parents.n; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		ParentState *parent = &parents.rows[i];

		parent->id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
		parent->status =
			orch_transition_status_value(level,
										 DatumGetObjectId(SPI_getbinval(tuple, desc, 3, &isnull)));
		parent->is_last = parent->is_interactive =
			DatumGetBool(SPI_getbinval(tuple, desc, 4, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	qsort(parents.rows, parents.n, sizeof(ParentState), orch_uuid_compare);
	pfree(run_ids);
	pfree(ids);
	return parents;
}

/*
 * A stage beside its run: the neighbours and the conditions in
 * contract/transitions.csv.
 */
static void
check_stage(const GuardEntry *entry, int run_status, bool is_last)
{
	if (!orch_transition_neighbours(LEVEL_STAGE, run_status, entry->to))
		refuse_neighbour(entry, run_status, NULL);
	if (entry->from == STATUS_NEW)
		return;

	/*
	 * A stage ends by itself, or is resumed with its run: the run must be in progress.
	 * If a step fails while a user's trigger stops the run, the stage fails as a
	 * consequence.
	 */
	if ((entry->to == STAGE_IN_PROGRESS || entry->to == STAGE_COMPLETED ||
		 (entry->to == STAGE_ERROR && !orch_cascade_under_way())) &&
		run_status != RUN_IN_PROGRESS)
		refuse_neighbour(entry, run_status, "Resume the run first.");

	/* a run in Error with a stage in progress failed in that stage */
	if (entry->from == STAGE_IN_PROGRESS && entry->to == STAGE_DISCONTINUED &&
		run_status == RUN_ERROR && !orch_cascade_under_way())
		refuse_neighbour(entry, run_status,
						 "A stage is Discontinued when its run fails outside of it; resume or cancel the run.");

	/* the engine alone, when the run is recalled */
	if (entry->to == STAGE_DISCONTINUED && !entry->by_engine &&
		(run_status == RUN_IN_PROGRESS || run_status == RUN_SUSPENDED))
		refuse_neighbour(entry, run_status, "Cancel the run, or recall it.");

	/* only the stage that was reached last can make these changes */
	if (!is_last &&
		((entry->from == STAGE_COMPLETED && entry->to == STAGE_DISCONTINUED) ||
		 (entry->from == STAGE_ERROR && entry->to == STAGE_IN_PROGRESS)))
		refuse_neighbour(entry, run_status,
						 "Only the stage that the run reached last can change so.");
}

/*
 * A step beside its stage and run: the same.
 */
static void
check_step(const GuardEntry *entry, int run_status, int stage_status)
{
	bool		going_on = run_status == RUN_IN_PROGRESS &&
	stage_status == STAGE_IN_PROGRESS;

	/* a step that fails takes its stage with it: see cascade.c */
	if (entry->from != STATUS_NEW && entry->to == STEP_ERROR && going_on)
		return;
	if (!orch_transition_neighbours(LEVEL_STEP, stage_status, entry->to))
		refuse_neighbour(entry, stage_status, NULL);

	/* contract/neighbours.csv, line 20 */
	if (entry->to == STEP_DISCONTINUED && stage_status == STAGE_IN_PROGRESS &&
		run_status != RUN_ERROR)
		refuse_neighbour(entry, stage_status,
						 "Beside a stage in progress a step is Discontinued only while the run is in Error.");
	if (entry->from == STATUS_NEW)
		return;

	if (!going_on && (entry->to == STEP_IN_PROGRESS ||
					  entry->to == STEP_COMPLETED ||
					  (entry->to == STEP_ERROR &&
					   entry->from == STEP_DISCONTINUED)))
		refuse_neighbour(entry, stage_status,
						 "A step starts and ends only while its run and stage are in progress; resume the run first.");
	if (entry->from == STEP_COMPLETED && entry->to == STEP_DISCONTINUED &&
		stage_status != STAGE_COMPLETED && run_status != RUN_ERROR)
		refuse_neighbour(entry, stage_status, NULL);
}

/*
 * A row that the engine wrote, after users' triggers wrote on the way: check it beside
 * its parent as both are now.  Caller is in a trigger of that row.  Raises OR002.
 */
void
orch_guard_check_now(Level level, const pg_uuid_t *run_id, const pg_uuid_t *id)
{
	static StaticPlan plans[] = {
		[LEVEL_STAGE] = {
			"SELECT s.status, r.status FROM orchestration.stage_run s"
			" JOIN orchestration.run r ON r.id = s.run_id"
			" WHERE s.run_id = $1 AND s.id = $2",
			2, {UUIDOID, UUIDOID}
		},
		[LEVEL_STEP] = {
			"SELECT s.status, g.status FROM orchestration.step_run s"
			" JOIN orchestration.stage_run g ON g.run_id = s.run_id AND g.id = s.stage_run_id"
			" WHERE s.run_id = $1 AND s.id = $2",
			2, {UUIDOID, UUIDOID}
		},
		[LEVEL_WORK_ITEM] = {
			"SELECT w.status, s.status FROM orchestration.work_item w"
			" JOIN orchestration.step_run s ON s.run_id = w.run_id AND s.id = w.step_run_id"
			" WHERE w.run_id = $1 AND w.id = $2",
			2, {UUIDOID, UUIDOID}
		}
	};
	SystemContext saved;
	Datum		values[2];

	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(id);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plans[level], values, NULL, 1);
	if (SPI_processed > 0)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		GuardEntry	entry;
		int			parent_status;
		bool		isnull;

		memset(&entry, 0, sizeof(entry));
		entry.level = level;
		entry.run_id = *run_id;
		entry.id = *id;
		entry.to = orch_transition_status_value(level,
												DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull)));
		parent_status = orch_transition_status_value((Level) (level - 1),
													 DatumGetObjectId(SPI_getbinval(tuple, desc, 2, &isnull)));
		if (!orch_transition_neighbours(level, parent_status, entry.to))
			refuse_neighbour(&entry, parent_status,
							 "A user's trigger changed the run while the engine wrote.");
	}
	orch_system_finish(&saved);
}

static void
refuse_neighbour(const GuardEntry *entry, int parent_status, const char *hint)
{
	Level		parent = (Level) (entry->level - 1);

	ereport(ERROR,
			(errcode(ERRCODE_ORCH_ILLEGAL_NEIGHBOUR),
			 errmsg("%s cannot be %s in a %s that is %s", entry_label(entry),
					orch_transition_status_name(entry->level, entry->to),
					orch_transition_level_name(parent),
					orch_transition_status_name(parent, parent_status)),
			 errdetail("Beside a %s that is %s, a %s may be: %s.",
					   orch_transition_level_name(parent),
					   orch_transition_status_name(parent, parent_status),
					   orch_transition_level_name(entry->level),
					   orch_transition_neighbour_list(entry->level, parent_status)),
			 hint == NULL ? 0 : errhint("%s", hint),
			 orch_error_column(orch_guard_columns[entry->level].relation, "status")));
}

/* How messages name the row; levels and shared objects are in the same order. */
static char *
entry_label(const GuardEntry *entry)
{
	return orch_label((SharedObject) entry->level, &entry->id);
}

/* The run in the first column of SPI's result. */
static char *
found_run(void)
{
	bool		isnull;

	return orch_label_run(DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
													  SPI_tuptable->tupdesc, 1, &isnull)));
}
