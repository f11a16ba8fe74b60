/*-------------------------------------------------------------------------
 *
 * guard_check.c
 *	  The verdict on rows beside their parents.
 *
 * Called at the end of a statement with the rows that it wrote.  First the runs
 * of all of them are locked, in the order of their ids; only then the parents are
 * read, with the latest snapshot.  A plain read of the parent, or the key share
 * lock of the foreign key, lets a child be created while its parent ends: neither
 * conflicts with an update of a status.
 *
 * The rules are the table of neighbours, and for changes what the conditions in
 * contract/transitions.csv say beyond it.
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

#include "base/errors.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "guard/guard.h"
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

static ParentState *read_parents(StaticPlan *plan, Level level,
								 const GuardEntry *entries, int nentries,
								 int *nparents);
static void check_stage(const GuardEntry *entry, int run_status, bool is_last);
static void check_step(const GuardEntry *entry, int run_status,
					   int stage_status);
static void refuse_neighbour(const GuardEntry *entry, int parent_status,
							 const char *hint);

/*
 * Lock the runs, read the parents, give the verdicts.  Caller is in system
 * context and connected to SPI.
 */
void
orch_guard_check(const GuardEntry *entries, int nentries)
{
	pg_uuid_t  *run_ids = palloc(nentries * sizeof(pg_uuid_t));
	pg_uuid_t  *completed = palloc(nentries * sizeof(pg_uuid_t));
	pg_uuid_t  *opened = palloc(nentries * sizeof(pg_uuid_t));
	int			nrun_ids = 0;
	int			ncompleted = 0;
	int			nopened = 0;
	bool		new_stages = false;
	ParentState *runs = NULL;
	ParentState *stages = NULL;
	ParentState *steps = NULL;
	int			nruns = 0;
	int			nstages = 0;
	int			nsteps = 0;
	bool		isnull;
	Datum		value;
	int			i;

	/* rows of run themselves are locked by having been written */
	for (i = 0; i < nentries; i++)
	{
		if (entries[i].from == entries[i].to)
			continue;			/* only filled in, or reassigned */
		if (entries[i].level == LEVEL_STAGE && entries[i].from == STATUS_NEW)
			new_stages = true;
		if (entries[i].level != LEVEL_RUN)
			run_ids[nrun_ids++] = entries[i].run_id;
		else if (entries[i].from != STATUS_NEW && entries[i].to == RUN_COMPLETED)
			completed[ncompleted++] = entries[i].id;
		if (entries[i].level == LEVEL_STAGE &&
			(entries[i].to == STAGE_IN_PROGRESS || entries[i].to == STAGE_SUSPENDED))
			opened[nopened++] = entries[i].run_id;
	}

	if (nrun_ids > 0)
	{
		uint64		n;

		qsort(run_ids, nrun_ids, sizeof(pg_uuid_t), orch_uuid_compare);
		nrun_ids = (int) qunique(run_ids, nrun_ids, sizeof(pg_uuid_t),
								 orch_uuid_compare);
		nruns = orch_lock_runs(run_ids, nrun_ids);
		runs = palloc(Max(nruns, 1) * sizeof(ParentState));
		for (n = 0; n < SPI_processed; n++)
		{
			HeapTuple	tuple = SPI_tuptable->vals[n];
			TupleDesc	desc = SPI_tuptable->tupdesc;

			runs[n].id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 3, &isnull));
			runs[n].status = (int) orch_lock_run_status((int) n);
			value = SPI_getbinval(tuple, desc, 4, &isnull);
			runs[n].has_orchestration = !isnull;
			if (!isnull)
				runs[n].orchestration_id = *DatumGetUUIDP(value);
		}
		SPI_freetuptable(SPI_tuptable);
		qsort(runs, nruns, sizeof(ParentState), orch_uuid_compare);
		stages = read_parents(&plan_stages, LEVEL_STAGE, entries, nentries, &nstages);
		steps = read_parents(&plan_steps, LEVEL_STEP, entries, nentries, &nsteps);
	}

	for (i = 0; i < nentries; i++)
	{
		const GuardEntry *entry = &entries[i];
		ParentState *run;
		ParentState *parent = NULL;

		if (entry->level == LEVEL_RUN || entry->from == entry->to)
			continue;
		run = bsearch(&entry->run_id, runs, nruns, sizeof(ParentState),
					  orch_uuid_compare);
		if (entry->level == LEVEL_STAGE)
			parent = bsearch(&entry->id, stages, nstages, sizeof(ParentState),
							 orch_uuid_compare);
		else if (entry->level == LEVEL_STEP)
			parent = bsearch(&entry->parent_id, stages, nstages,
							 sizeof(ParentState), orch_uuid_compare);
		else
			parent = bsearch(&entry->parent_id, steps, nsteps,
							 sizeof(ParentState), orch_uuid_compare);
		if (run == NULL || parent == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
					 errmsg("the run or parent of %s %s does not exist",
							orch_transition_level_name(entry->level),
							orch_uuid_text(&entry->id))));
		if (entry->from == STATUS_NEW &&
			(entry->has_orchestration != run->has_orchestration ||
			 (run->has_orchestration &&
			  !orch_uuid_equal(&entry->orchestration_id, &run->orchestration_id))))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_IMMUTABLE),
					 errmsg("%s %s must have the orchestration of its run",
							orch_transition_level_name(entry->level),
							orch_uuid_text(&entry->id))));
		switch (entry->level)
		{
			case LEVEL_RUN:
				break;
			case LEVEL_STAGE:
				check_stage(entry, run->status, parent->is_last);
				break;
			case LEVEL_STEP:
				check_step(entry, run->status, parent->status);
				break;
			case LEVEL_WORK_ITEM:
				if (!orch_transition_neighbours(LEVEL_WORK_ITEM, parent->status,
												entry->to) || !parent->is_interactive)
					refuse_neighbour(entry, parent->status,
									 "Only interactive steps have work items.");
				break;
		}
	}

	if (ncompleted > 0)
	{
		value = PointerGetDatum(orch_uuid_array(completed, ncompleted));
		orch_plan_execute_latest(&plan_not_beside_completed, &value, NULL, 1);
		if (SPI_processed > 0)
		{
			HeapTuple	tuple = SPI_tuptable->vals[0];
			TupleDesc	desc = SPI_tuptable->tupdesc;

			ereport(ERROR,
					(errcode(ERRCODE_ORCH_ILLEGAL_NEIGHBOUR),
					 /* not which: he who sees the run may not see its stages */
					 errmsg("run %s cannot be Completed: one of its stages is %s",
							SPI_getvalue(tuple, desc, 1),
							SPI_getvalue(tuple, desc, 2)),
					 errhint("Complete the stage, or cancel the run.")));
		}
	}
	if (nopened > 0)
	{
		value = PointerGetDatum(orch_uuid_array(opened, nopened));
		orch_plan_execute_latest(&plan_second_open, &value, NULL, 1);
		if (SPI_processed > 0)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_SECOND_OPEN_STAGE),
					 errmsg("run %s cannot have a second open stage",
							SPI_getvalue(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1)),
					 errdetail("At most one stage of a run is InProgress or Suspended.")));
	}
	if (new_stages)
	{
		value = PointerGetDatum(orch_uuid_array(run_ids, nrun_ids));
		orch_plan_execute_latest(&plan_same_position, &value, NULL, 1);
		if (SPI_processed > 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("run %s cannot have two stages at position %s",
							SPI_getvalue(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1),
							SPI_getvalue(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 2)),
					 errdetail("Positions are the order in which the run reached its stages.")));
	}
	pfree(run_ids);
	pfree(completed);
	pfree(opened);
}

/*
 * The stages (also those that are the entries themselves) or steps that the
 * entries have as parents, sorted by id.
 */
static ParentState *
read_parents(StaticPlan *plan, Level level, const GuardEntry *entries,
			 int nentries, int *nparents)
{
	pg_uuid_t  *run_ids = palloc(nentries * sizeof(pg_uuid_t));
	pg_uuid_t  *ids = palloc(nentries * sizeof(pg_uuid_t));
	ParentState *parents;
	Datum		values[2];
	int			n = 0;
	int			i;
	bool		isnull;

	for (i = 0; i < nentries; i++)
	{
		const GuardEntry *entry = &entries[i];

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
	*nparents = 0;
	if (n == 0)
		return NULL;

	values[0] = PointerGetDatum(orch_uuid_array(run_ids, n));
	values[1] = PointerGetDatum(orch_uuid_array(ids, n));
	orch_plan_execute_latest(plan, values, NULL, 0);
	parents = palloc(Max(SPI_processed, 1) * sizeof(ParentState));
	*nparents = (int) SPI_processed;
	for (i = 0; i < *nparents; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		parents[i].id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
		parents[i].status = orch_transition_status_value(level,
														 DatumGetObjectId(SPI_getbinval(tuple, desc, 3, &isnull)));
		parents[i].is_last = parents[i].is_interactive =
			DatumGetBool(SPI_getbinval(tuple, desc, 4, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	qsort(parents, *nparents, sizeof(ParentState), orch_uuid_compare);
	pfree(run_ids);
	pfree(ids);
	return parents;
}

/*
 * A stage beside its run: the neighbours, and what the conditions in
 * contract/transitions.csv add.
 */
static void
check_stage(const GuardEntry *entry, int run_status, bool is_last)
{
	if (!orch_transition_neighbours(LEVEL_STAGE, run_status, entry->to))
		refuse_neighbour(entry, run_status, NULL);
	if (entry->from == STATUS_NEW)
		return;

	/*
	 * Ends by itself, or is resumed with its run: the run must be going on.  One whose
	 * step fails while a trigger of others stops the run, fails as a consequence.
	 */
	if ((entry->to == STAGE_IN_PROGRESS || entry->to == STAGE_COMPLETED ||
		 (entry->to == STAGE_ERROR && !orch_cascade_under_way())) &&
		run_status != RUN_IN_PROGRESS)
		refuse_neighbour(entry, run_status, "Resume the run first.");

	/* a run in Error with a stage that goes on: it failed in that stage */
	if (entry->from == STAGE_IN_PROGRESS && entry->to == STAGE_DISCONTINUED &&
		run_status == RUN_ERROR && !orch_cascade_under_way())
		refuse_neighbour(entry, run_status,
						 "A stage is Discontinued when its run fails outside of it; resume or cancel the run.");

	/* these concern the stage that was reached last */
	if (!is_last &&
		((entry->from == STAGE_COMPLETED && entry->to == STAGE_DISCONTINUED) ||
		 (entry->from == STAGE_ERROR && entry->to == STAGE_IN_PROGRESS)))
		refuse_neighbour(entry, run_status,
						 "Only the stage that the run reached last can change so.");
}

/*
 * A step beside its stage and run, likewise.
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
 * A row that the engine wrote, after triggers of others wrote on the way: what they did
 * may not fit to it.  Caller is in a trigger of that row.
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
							 "A trigger of others changed the run while the engine wrote.");
	}
	orch_system_finish(&saved);
}

static void
refuse_neighbour(const GuardEntry *entry, int parent_status, const char *hint)
{
	Level		parent = (Level) (entry->level - 1);

	ereport(ERROR,
			(errcode(ERRCODE_ORCH_ILLEGAL_NEIGHBOUR),
			 errmsg("%s %s cannot be %s in a %s that is %s",
					orch_transition_level_name(entry->level),
					orch_uuid_text(&entry->id),
					orch_transition_status_name(entry->level, entry->to),
					orch_transition_level_name(parent),
					orch_transition_status_name(parent, parent_status)),
			 errdetail("Beside a %s that is %s, a %s may be: %s.",
					   orch_transition_level_name(parent),
					   orch_transition_status_name(parent, parent_status),
					   orch_transition_level_name(entry->level),
					   orch_transition_neighbour_list(entry->level, parent_status)),
			 hint == NULL ? 0 : errhint("%s", hint)));
}
