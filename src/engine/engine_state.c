/*-------------------------------------------------------------------------
 *
 * engine_state.c
 *	  The run in memory: loaded under its lock, held while the engine moves it.
 *
 * This file reads the rows of runs, their last stages and steps into RunState.  One call
 * reads one run or all runs of a batch, by plans with the same columns.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_state.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access_name.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/chain.h"
#include "engine/engine_int.h"
#include "guard/transition.h"
#include "trail/history.h"
#include "trail/log.h"

/*
 * Plans for one run and for many, with the same columns.  Most calls move a single run;
 * array parameters would make them a fifth slower.
 */
#define RUN_COLUMNS \
	"SELECT id, status, version_id, triggering_record_type, triggering_record_id," \
	" variables, current_stage, COALESCE(interview_id, id)," \
	" COALESCE(created_by, '00000000-0000-7000-8000-000000000001'), created_at" \
	" FROM orchestration.run"

static StaticPlan plan_load_run = {
	RUN_COLUMNS " WHERE id = $1 FOR NO KEY UPDATE", 1, {UUIDOID}
};
static StaticPlan plan_load_stage = {
	"SELECT run_id, id, name, status, position FROM orchestration.stage_run"
	" WHERE run_id = $1 ORDER BY position DESC LIMIT 1",
	1, {UUIDOID}
};
static StaticPlan plan_load_steps_of = {
	"SELECT run_id, id, name, status, step_type, attempt, outputs, pending"
	" FROM orchestration.step_run WHERE run_id = $1 AND stage_run_id = $2 ORDER BY id",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_load_runs = {
	RUN_COLUMNS " WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", 1, {UUIDARRAYOID}
};
static StaticPlan plan_load_stages = {
	"SELECT s.run_id, s.id, s.name, s.status, s.position"
	" FROM pg_catalog.unnest($1) AS r (id), LATERAL"
	" (SELECT g.run_id, g.id, g.name, g.status, g.position FROM orchestration.stage_run g"
	"   WHERE g.run_id = r.id ORDER BY g.position DESC LIMIT 1) s",
	1, {UUIDARRAYOID}
};
static StaticPlan plan_load_steps = {
	"SELECT t.run_id, t.id, t.name, t.status, t.step_type, t.attempt, t.outputs, t.pending"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS s (run_id, id)"
	" JOIN orchestration.step_run t ON t.run_id = s.run_id AND t.stage_run_id = s.id"
	" ORDER BY t.run_id, t.id",
	2, {UUIDARRAYOID, UUIDARRAYOID}
};

static void read_states(RunState **states, int nstates);
static RunState *state_of(RunState **states, int nstates, Datum run_id);
static void take_run(RunState *rs, HeapTuple tuple, TupleDesc desc);
static void take_stage(RunState *rs, HeapTuple tuple, TupleDesc desc);
static void take_step(RunState *rs, HeapTuple tuple, TupleDesc desc);

RunState *
orch_engine_make_state(const Definition *def)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "orchestration run",
												  ALLOCSET_DEFAULT_SIZES);
	RunState   *rs = MemoryContextAllocZero(context, sizeof(RunState));

	rs->context = context;
	rs->def = def;
	return rs;
}

/*
 * Lock a run and read it, or return the state that the open batch has of it.
 */
RunState *
orch_engine_load_run(const pg_uuid_t *run_id)
{
	RunState   *rs = orch_engine_batch_state(run_id);

	if (rs != NULL)
		return rs;
	orch_engine_flush();
	rs = orch_engine_make_state(NULL);
	MemoryContextSetParent(rs->context, TopTransactionContext);
	rs->id = *run_id;
	read_states(&rs, 1);
	return rs;
}

/*
 * Lock and read many runs, in the order of their ids, for the open batch.  The state of a
 * run that does not exist has no definition, so the engine does not move it.
 */
void
orch_engine_load_runs(const pg_uuid_t *run_ids, int nruns)
{
	RunState  **states;
	int			i;

	if (!orch_engine_gathers())
		return;
	states = palloc(sizeof(RunState *) * Max(nruns, 1));
	orch_spi_connect();
	for (i = 0; i < nruns; i++)
	{
		states[i] = orch_engine_make_state(NULL);
		states[i]->id = run_ids[i];
		orch_engine_batch_keep(states[i]);
	}
	read_states(states, nruns);
	SPI_finish();
}

/*
 * Free a state, unless the batch keeps it.
 */
void
orch_engine_drop_state(RunState *rs)
{
	if (!rs->kept)
		MemoryContextDelete(rs->context);
}

/*
 * Read runs, the last stage of each, and that stage's steps.
 */
static void
read_states(RunState **states, int nstates)
{
	pg_uuid_t  *ids = palloc(sizeof(pg_uuid_t) * nstates);
	pg_uuid_t  *stage_ids = palloc(sizeof(pg_uuid_t) * nstates);
	bool		one = nstates == 1;
	Datum		values[2];
	SPITupleTable *table;
	bool		isnull;
	int			n = 0;
	uint64		i;

	for (n = 0; n < nstates; n++)
	{
		ids[n] = states[n]->id;
		states[n]->read = false;
	}
	values[0] = one ? UUIDPGetDatum(&ids[0]) : PointerGetDatum(orch_uuid_array(ids, nstates));
	orch_plan_execute_latest(one ? &plan_load_run : &plan_load_runs, values, NULL, 0);
	table = SPI_tuptable;
	for (i = 0; i < table->numvals; i++)
		take_run(state_of(states, nstates, SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull)),
				 table->vals[i], table->tupdesc);
	SPI_freetuptable(table);
	if (one && !states[0]->read)
	{
		if (states[0]->frame != NULL)
			return;
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("run %s does not exist", orch_uuid_text(&states[0]->id)),
				 orch_error_column(RELATION_RUN, "id")));
	}

	orch_plan_execute_latest(one ? &plan_load_stage : &plan_load_stages, values, NULL, 0);
	table = SPI_tuptable;
	n = 0;
	for (i = 0; i < table->numvals; i++)
	{
		RunState   *rs = state_of(states, nstates,
								  SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull));

		if (rs->def == NULL)
			continue;
		take_stage(rs, table->vals[i], table->tupdesc);
		ids[n] = rs->id;
		stage_ids[n++] = rs->stage_id;
	}
	SPI_freetuptable(table);
	if (n == 0)
		return;
	values[0] = one ? UUIDPGetDatum(&ids[0]) : PointerGetDatum(orch_uuid_array(ids, n));
	values[1] = one ? UUIDPGetDatum(&stage_ids[0]) :
		PointerGetDatum(orch_uuid_array(stage_ids, n));
	orch_plan_execute_latest(one ? &plan_load_steps_of : &plan_load_steps, values, NULL, 0);
	table = SPI_tuptable;
	for (i = 0; i < table->numvals; i++)
		take_step(state_of(states, nstates, SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull)),
				  table->vals[i], table->tupdesc);
	SPI_freetuptable(table);
}

/*
 * Find the state of a run; the states are in the order of their ids.
 */
static RunState *
state_of(RunState **states, int nstates, Datum run_id)
{
	const pg_uuid_t *id = DatumGetUUIDP(run_id);
	int			low = 0;
	int			high = nstates - 1;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (orch_uuid_compare(&states[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	Assert(orch_uuid_equal(&states[low]->id, id));
	return states[low];
}

static void
take_run(RunState *rs, HeapTuple tuple, TupleDesc desc)
{
	const Definition *def;
	Jsonb	   *variables = NULL;
	bool		isnull;
	Datum		value;
	MemoryContext old;

	rs->read = true;
	rs->status = (RunStatus) orch_catalog_label_column(ENUM_RUN_STATUS, tuple, desc, 2);
	value = SPI_getbinval(tuple, desc, 3, &isnull);
	if (isnull)
		return;
	def = orch_definition_get(DatumGetUUIDP(value));
	if (rs->def != NULL && rs->def != def)
		elog(ERROR, "%s got another version while the engine moved it",
			 orch_label_run(&rs->id));
	rs->def = def;

	old = MemoryContextSwitchTo(rs->context);
	rs->record_type = SPI_getvalue(tuple, desc, 4);
	rs->record_key = SPI_getvalue(tuple, desc, 5);
	orch_engine_forget_bindings(rs);
	orch_engine_forget_records(rs);
	if (rs->record_type != NULL)
		rs->record_type = pstrdup(rs->record_type);
	if (rs->record_key != NULL)
		rs->record_key = pstrdup(rs->record_key);
	value = SPI_getbinval(tuple, desc, 6, &isnull);
	if (!isnull)
		variables = DatumGetJsonbPCopy(value);
	rs->current_stage = SPI_getvalue(tuple, desc, 7);
	if (rs->current_stage != NULL)
		rs->current_stage = pstrdup(rs->current_stage);
	rs->interview_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 8, &isnull));
	rs->started_by = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 9, &isnull));
	rs->started_at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 10, &isnull));
	MemoryContextSwitchTo(old);

	if (rs->variables == NULL)
		orch_engine_init_values(rs);
	if (!rs->variables_changed)
		orch_engine_load_variables(rs, variables);

	rs->stage_open = false;
	rs->nsteps = 0;
	rs->position = 0;
	rs->past = NULL;
	rs->on_path = false;
	rs->next = rs->def->start;
}

static void
take_stage(RunState *rs, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	char	   *name = SPI_getvalue(tuple, desc, 3);

	rs->stage_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
	rs->stage_status = (StageStatus) orch_catalog_label_column(ENUM_STAGE_STATUS, tuple, desc, 4);
	rs->position = DatumGetInt32(SPI_getbinval(tuple, desc, 5, &isnull));
	rs->stage = orch_definition_stage_index(rs->def, name);
	if (rs->stage < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s has a stage \"%s\" that its version does not define",
						orch_label_run(&rs->id), name)));
	rs->stage_open = rs->stage_status == STAGE_IN_PROGRESS ||
		rs->stage_status == STAGE_SUSPENDED;
	/* a failed stage of a run in progress: the run continues along the fault path */
	rs->next = rs->stage_status == STAGE_ERROR && rs->def->stages[rs->stage].has_fault ?
		rs->def->stages[rs->stage].fault : rs->def->stages[rs->stage].connector;
	/* an imported run may have more steps than the definition */
	rs->max_steps = Max(rs->def->stages[rs->stage].nsteps, 1);
	rs->steps = MemoryContextAllocZero(rs->context, rs->max_steps * sizeof(StepState));
}

static void
take_step(RunState *rs, HeapTuple tuple, TupleDesc desc)
{
	StepState  *step;
	char	   *name = SPI_getvalue(tuple, desc, 3);
	bool		isnull;
	Datum		value;
	MemoryContext old;

	if (rs->nsteps >= rs->max_steps)
	{
		rs->max_steps *= 2;
		rs->steps = repalloc(rs->steps, rs->max_steps * sizeof(StepState));
	}
	step = &rs->steps[rs->nsteps++];
	memset(step, 0, sizeof(StepState));
	step->id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
	step->def = orch_definition_step_index(rs->def, name);
	step->status = (StepStatus) orch_catalog_label_column(ENUM_STEP_STATUS, tuple, desc, 4);
	if (step->def < 0 || rs->def->steps[step->def].stage != rs->stage)
	{
		/* the run was migrated: a step that is not open may be gone from the stage */
		if (step->status == STEP_NOT_STARTED || step->status == STEP_COMPLETED)
		{
			rs->nsteps--;
			return;
		}
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s has a step \"%s\" that its version does not define",
						orch_label_run(&rs->id), name)));
	}
	step->type = (StepType) orch_catalog_label_column(ENUM_STEP_TYPE, tuple, desc, 5);
	step->attempt = DatumGetInt32(SPI_getbinval(tuple, desc, 6, &isnull));
	old = MemoryContextSwitchTo(rs->context);
	value = SPI_getbinval(tuple, desc, 7, &isnull);
	if (!isnull)
		step->outputs = DatumGetJsonbPCopy(value);
	value = SPI_getbinval(tuple, desc, 8, &isnull);
	if (!isnull)
		step->pending = DatumGetJsonbPCopy(value);
	MemoryContextSwitchTo(old);
}

/*
 * Read the run again, after code outside the engine wrote to it.
 */
void
orch_engine_reload(RunState *rs)
{
	orch_engine_flush();
	rs->frame->dirty = false;
	read_states(&rs, 1);
	if (rs->read)
		return;
	/* a function canceled its own run and deleted it */
	rs->status = RUN_CANCELED;
	rs->stage_open = false;
	rs->nsteps = 0;
	rs->gone = true;
}

/*
 * Begin to move the run: push its frame.
 */
void
orch_engine_open_state(RunState *rs)
{
	orch_chain_check(&rs->id, rs->def->name, rs->record_type, rs->record_key);
	rs->frame = orch_frame_push(FRAME_ENGINE, InvalidOid, &rs->id);
	orch_frame_set_run(rs->frame, &rs->id, &rs->def->orchestration_id, rs->def->name,
					   rs->record_type, rs->record_key);
}

/*
 * End moving the run: pop its frame, and write log and history.
 */
void
orch_engine_close_state(RunState *rs)
{
	Frame	   *frame;

	orch_frame_pop(rs->frame);
	/* this call was made by an action of the same run: the outer call must read it again */
	frame = orch_frame_engine(&rs->id);
	if (frame != NULL)
		frame->dirty = true;
	orch_log_flush();
	orch_history_flush();
}

/*
 * The name of the stage that the run reached last, NULL for none.
 */
const char *
orch_engine_stage_name(RunState *rs)
{
	return rs->position > 0 ? rs->def->stages[rs->stage].name : NULL;
}

/*
 * Store the stage at which the run waits, and its variables.
 */
void
orch_engine_write_rest(RunState *rs, const char *stage)
{
	Jsonb	   *variables = orch_engine_store_variables(rs);
	WriteRow	row;

	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_run_id, UUIDPGetDatum(&rs->id));
	if (stage != NULL)
		orch_engine_put(&row, Anum_run_current_stage, CStringGetTextDatum(stage));
	if (variables != NULL)
		orch_engine_put(&row, Anum_run_variables, JsonbPGetDatum(variables));
	rs->current_stage = stage;
	rs->variables_changed = false;
	orch_engine_write(rs, WRITE_REST, &row, 1);
}

/*
 * Is the run still InProgress with an open stage?  A user's trigger may have stopped the
 * run or ended its stage since the run was read.
 */
bool
orch_engine_still_moves(RunState *rs)
{
	if (!rs->frame->dirty)
		return true;
	orch_engine_reload(rs);
	return rs->status == RUN_IN_PROGRESS && rs->stage_open;
}

void
orch_engine_open_gate(RunState *rs)
{
	/* the stage at which the run will rest is not known yet: keep the stored one */
	if (rs->variables_changed)
		orch_engine_write_rest(rs, rs->current_stage);
	orch_engine_write_bindings(rs);
	orch_engine_step_aside(rs);
	orch_engine_forget_records(rs);
}
