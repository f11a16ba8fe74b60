/*-------------------------------------------------------------------------
 *
 * engine.c
 *	  The engine: decides and makes the next moves of a run.
 *
 * One call loads the run under its lock (or makes it), moves it until it rests, and
 * stores the stage at which it rests.  Everything happens in the caller's transaction, so
 * it is committed as a whole or not at all.  A run rests when it waits for a person, a
 * worker or a record, when it has ended, and when it was stopped.
 *
 * The lock on the run's row serialises all sessions that move the run.  All reads under
 * the lock use the latest snapshot, so that a transaction in REPEATABLE READ decides on
 * the present state.  While the engine moves a run, it keeps the state in memory, and the
 * guard trusts its statements (guard.h).  When an action changes the run meanwhile, the
 * frame becomes dirty and the engine reads the state again.
 *
 * Code that can fail because of a definition or an action runs in a subtransaction of its
 * own (engine_fail.c).  The failed subtransaction is undone, the error is recorded, and the
 * run goes to Error as contract/lifecycle.md says.  Cancellation, serialization failures
 * and the like are not failures of a run; they are raised in the caller.
 *
 * This file has the path through the definition.  engine_start.c starts runs,
 * engine_step.c does what steps do, engine_value.c has the values.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access_name.h"
#include "base/catalog.h"
#include "base/counter.h"
#include "base/errors.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "guard/approval.h"
#include "guard/cascade.h"
#include "guard/guard.h"
#include "guard/transition.h"
#include "record/action.h"
#include "record/principal.h"

/* for a run without a version: no action begins, only statuses change */
static StaticPlan plan_resume_steps = {
	"UPDATE orchestration.step_run s SET status = 'InProgress',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" started_at = pg_catalog.clock_timestamp(), ended_at = NULL"
	" FROM orchestration.stage_run g"
	" WHERE s.run_id = $1 AND s.status IN ('Error', 'Discontinued')"
	"   AND g.run_id = $1 AND g.id = s.stage_run_id AND g.status = 'InProgress'",
	1, {UUIDOID}
};

static void traverse(RunState *rs);
static void take_decision(RunState *rs, int decision);
static void begin_path(RunState *rs);
static void undo_path(RunState *rs);
static void fail_on_path(RunState *rs, ErrorData *error, const char *element);
static void enter_stage(RunState *rs, int stage);
static void insert_stage(RunState *rs, const StageDef *def);
static Verdict may_complete(RunState *rs);
static bool all_completed(RunState *rs);
static void complete_stage(RunState *rs);
static void complete_run(RunState *rs);
static void come_to_rest(RunState *rs);
static void resume_steps(RunState *rs);

/* ------------------------------------------------------------ entry points */

void
orch_engine_go_on(const pg_uuid_t *run_id, bool resumed)
{
	RunState   *rs;
	SystemContext saved;
	Frame	   *frame = orch_frame_engine(run_id);

	/*
	 * The engine is moving this run already: it called a function, which changed the run.
	 * The engine reads the run again when the function returns.  Moving the run here would
	 * be an endless recursion if the function decides a condition.
	 */
	if (frame != NULL && !resumed)
	{
		frame->dirty = true;
		return;
	}
	if (!resumed && orch_guard_defers(run_id))
		return;
	orch_system_connect(&saved);
	rs = orch_engine_load_run(run_id);
	if (rs->def == NULL && resumed)
	{
		Datum		value = UUIDPGetDatum(run_id);

		orch_plan_execute_latest(&plan_resume_steps, &value, NULL, 0);
	}
	if (rs->def != NULL && rs->status == RUN_IN_PROGRESS)
	{
		orch_engine_open_state(rs);
		if (resumed)
		{
			orch_engine_flush();
			resume_steps(rs);
		}
		orch_engine_advance(rs);
		orch_engine_close_state(rs);
	}
	orch_system_finish(&saved);
	orch_engine_drop_state(rs);
}

void
orch_engine_end_step(const pg_uuid_t *run_id, const pg_uuid_t *step_id,
					 const StepOutcome *outcome)
{
	RunState   *rs;
	SystemContext saved;
	int			i;

	orch_system_connect(&saved);
	rs = orch_engine_load_run(run_id);
	for (i = 0; i < rs->nsteps; i++)
		if (orch_uuid_equal(&rs->steps[i].id, step_id))
			break;
	if (rs->status != RUN_IN_PROGRESS || rs->def == NULL || i >= rs->nsteps ||
		rs->steps[i].status != STEP_IN_PROGRESS)
	{
		if (rs->def == NULL && rs->status == RUN_IN_PROGRESS)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%s was imported without a version: the engine does not move it",
							orch_label_run(run_id))));
		orch_engine_leave_batch(rs);
		orch_engine_keep_outcome(run_id, step_id, outcome);
	}
	else
	{
		orch_engine_open_state(rs);
		orch_engine_take_outcome(rs, &rs->steps[i], outcome);
		orch_engine_advance(rs);
		orch_engine_close_state(rs);
	}
	orch_system_finish(&saved);
	orch_engine_drop_state(rs);
}

void
orch_engine_fail_screen(const pg_uuid_t *run_id, const pg_uuid_t *step_id,
						const char *message)
{
	RunState   *rs;
	SystemContext saved;
	ErrorData	error;
	int			i;

	orch_system_connect(&saved);
	rs = orch_engine_load_run(run_id);
	if (rs->def != NULL)
	{
		orch_engine_open_state(rs);
		for (i = 0; i < rs->nsteps; i++)
			if (orch_uuid_equal(&rs->steps[i].id, step_id))
				break;
		if (i >= rs->nsteps)
			elog(ERROR, "%s is not in progress", orch_label(OBJECT_STEP, step_id));
		memset(&error, 0, sizeof(error));
		error.sqlerrcode = ERRCODE_ORCH_ACTION_FAILED;
		error.message = pstrdup(message);
		orch_engine_fail_run(rs,
							 orch_engine_error(&error, rs->def->steps[rs->steps[i].def].name),
							 true, true);
		orch_engine_discontinue_others(rs, &rs->steps[i]);
		orch_engine_close_state(rs);
	}
	orch_system_finish(&saved);
	orch_engine_drop_state(rs);
}

/*
 * Does the stage of a run have a fault path?  The guard asks when it makes the
 * consequences of a failed stage.
 */
static bool
has_fault_path(const pg_uuid_t *run_id, const pg_uuid_t *stage_id)
{
	static StaticPlan plan = {
		"SELECT r.version_id, s.name FROM orchestration.run r"
		" JOIN orchestration.stage_run s ON s.run_id = r.id"
		" WHERE r.id = $1 AND s.id = $2 AND r.version_id IS NOT NULL",
		2, {UUIDOID, UUIDOID}
	};
	Datum		values[2];
	const Definition *def;
	char	   *name;
	bool		isnull;
	int			stage;

	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(stage_id);
	orch_plan_execute_latest(&plan, values, NULL, 1);
	if (SPI_processed == 0)
		return false;
	name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	def = orch_definition_get(DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
														  SPI_tuptable->tupdesc, 1, &isnull)));
	stage = orch_definition_stage_index(def, name);
	return stage >= 0 && def->stages[stage].has_fault;
}

void
orch_engine_init(void)
{
	static const CascadeConsumer consumer = {has_fault_path, orch_engine_go_on};

	orch_cascade_register(&consumer);
}

/* -------------------------------------------------------------------- path */

/*
 * Move the run until it rests, and store where.
 */
void
orch_engine_advance(RunState *rs)
{
	bool		fresh_record = rs->record_loaded;

	for (;;)
	{
		Verdict		verdict;

		CHECK_FOR_INTERRUPTS();
		if (rs->frame->dirty)
			orch_engine_reload(rs);
		if (rs->status != RUN_IN_PROGRESS)
			break;
		if (!rs->stage_open)
		{
			traverse(rs);
			continue;
		}
		/*
		 * In this order: may the stage complete, may steps start, may
		 * interactive steps complete (contract/lifecycle.md, "Conditions").
		 */
		if (!fresh_record)
			orch_engine_forget_records(rs);
		fresh_record = false;
		verdict = may_complete(rs);
		if (verdict == VERDICT_YES)
			complete_stage(rs);
		else if (verdict == VERDICT_NO &&
				 !orch_engine_start_ready(rs) &&
				 !orch_engine_complete_interactive(rs))
			break;
	}
	/* also if an action stopped the run meanwhile */
	if (rs->status != RUN_COMPLETED && !rs->gone)
		come_to_rest(rs);
}

/*
 * Follow the run's next connector: enter one element, or complete the run.
 */
static void
traverse(RunState *rs)
{
	Connector	next = rs->next;

	if (next.kind != ELEMENT_END && ++rs->nentries > orch_max_elements)
	{
		ErrorData	error;

		memset(&error, 0, sizeof(error));
		error.sqlerrcode = ERRCODE_ORCH_ENDLESS_LOOP;
		error.message = psprintf("the run entered %d elements without waiting",
								 orch_max_elements);
		error.detail = "Its connectors lead back to elements that were passed before.";
		error.hint = "Add a step that waits to the loop, or raise orchestration.max_elements.";
		orch_engine_fail_run(rs, orch_engine_error(&error, NULL), false, false);
		return;
	}
	switch (next.kind)
	{
		case ELEMENT_END:
			complete_run(rs);
			break;
		case ELEMENT_STAGE:
			rs->on_path = false;
			enter_stage(rs, next.index);
			break;
		case ELEMENT_DECISION:
			begin_path(rs);
			orch_engine_forget_records(rs);
			take_decision(rs, next.index);
			break;
		case ELEMENT_ASSIGNMENT:
			{
				const AssignmentDef *assignment = &rs->def->assignments[next.index];
				ErrorData  *volatile error = NULL;

				begin_path(rs);
				orch_engine_forget_records(rs);
				ORCH_ENGINE_TRY();
				{
					orch_engine_assign(rs, assignment);
				}
				ORCH_ENGINE_CATCH(error);
				if (error != NULL)
					fail_on_path(rs, error, assignment->name);
				rs->next = assignment->connector;
			}
			break;
		case ELEMENT_LOOKUP:
			elog(ERROR, "unexpected record lookup in orchestration \"%s\"",
				 rs->def->name);
	}
}

static void
take_decision(RunState *rs, int decision)
{
	ErrorData  *volatile error = NULL;

	ORCH_ENGINE_TRY();
	{
		rs->next = orch_engine_decide(rs, decision);
	}
	ORCH_ENGINE_CATCH(error);
	if (error != NULL)
		fail_on_path(rs, error, rs->def->decisions[decision].name);
}

/*
 * The run leaves a stage, or begins: keep its values.  A run that fails on its way to the
 * next stage and is resumed goes this way again.
 */
static void
begin_path(RunState *rs)
{
	const Definition *def = rs->def;
	PathStart  *start = rs->path_start;

	if (rs->on_path)
		return;
	rs->on_path = true;
	if (start == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(rs->context);

		rs->path_start = start = palloc(sizeof(PathStart));
		start->variables = palloc(sizeof(JsonbValue *) * Max(def->nvariables, 1));
		start->outcomes = palloc(sizeof(bool) * Max(def->noutcomes, 1));
		start->visited = palloc(sizeof(bool) * Max(def->nvisits, 1));
		start->bindings = palloc(sizeof(RecordBinding) * Max(def->nvariables, 1));
		MemoryContextSwitchTo(old);
	}
	memcpy(start->variables, rs->variables, sizeof(JsonbValue *) * def->nvariables);
	memcpy(start->outcomes, rs->outcomes, sizeof(bool) * def->noutcomes);
	memcpy(start->visited, rs->visited, sizeof(bool) * def->nvisits);
	start->variables_changed = rs->variables_changed;
	/* a list of keys is replaced, never changed */
	start->bindings_read = rs->bindings != NULL;
	if (start->bindings_read)
		memcpy(start->bindings, rs->bindings, sizeof(RecordBinding) * def->nvariables);
	start->bindings_changed = rs->bindings_changed;
}

/* The run has the values again that begin_path() kept. */
static void
undo_path(RunState *rs)
{
	const Definition *def = rs->def;
	const PathStart *start = rs->path_start;

	memcpy(rs->variables, start->variables, sizeof(JsonbValue *) * def->nvariables);
	memcpy(rs->outcomes, start->outcomes, sizeof(bool) * def->noutcomes);
	memcpy(rs->visited, start->visited, sizeof(bool) * def->nvisits);
	rs->variables_changed = start->variables_changed;
	if (start->bindings_read)
		memcpy(rs->bindings, start->bindings, sizeof(RecordBinding) * def->nvariables);
	else
		rs->bindings = NULL;	/* none is written on the way */
	rs->bindings_changed = start->bindings_changed;
}

/*
 * A decision or an assignment failed.  If that can be mended, the run can be resumed: from the
 * last stage, with the values that it had then.  A last stage that failed would be tried
 * again instead.
 */
static void
fail_on_path(RunState *rs, ErrorData *error, const char *element)
{
	bool		recoverable = orch_engine_can_be_mended(error) &&
		(rs->position == 0 || rs->stage_status == STAGE_COMPLETED);

	if (recoverable)
		undo_path(rs);
	/* the stage stays Completed */
	orch_engine_fail_run(rs, orch_engine_error(error, element), recoverable, recoverable);
}

/*
 * May the open stage complete?
 */
static Verdict
may_complete(RunState *rs)
{
	const StageDef *def = &rs->def->stages[rs->stage];

	if (def->exit == NULL && def->exit_action == NULL)
		return all_completed(rs) ? VERDICT_YES : VERDICT_NO;
	return orch_engine_condition(rs, def->exit, def->exit_action, def->name);
}

/*
 * Enter a stage: insert its row and the rows of all its steps, and begin the steps
 * that start at once.
 */
static void
enter_stage(RunState *rs, int stage)
{
	const StageDef *def = &rs->def->stages[stage];

	if (rs->position > 0)
	{
		PastStage  *past = MemoryContextAlloc(rs->context, sizeof(PastStage));

		past->before = rs->past;
		past->stage = rs->stage;
		past->status = rs->stage_status;
		past->nsteps = rs->nsteps;
		past->steps = rs->steps;
		rs->past = past;
	}
	orch_uuid_generate(&rs->stage_id);
	rs->stage = stage;
	rs->position++;
	insert_stage(rs, def);
	rs->stage_status = STAGE_IN_PROGRESS;
	rs->stage_open = true;
	rs->nsteps = 0;
	rs->next = def->connector;
	if (!orch_engine_still_moves(rs))
		return;
	orch_engine_make_steps(rs);
}

static void
insert_stage(RunState *rs, const StageDef *def)
{
	TimestampTz now = orch_stamp();
	WriteRow	row;

	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_stage_run_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(&row, Anum_stage_run_id, UUIDPGetDatum(&rs->stage_id));
	orch_engine_put(&row, Anum_stage_run_name, CStringGetTextDatum(def->name));
	orch_engine_put(&row, Anum_stage_run_label, CStringGetTextDatum(def->label));
	orch_engine_put(&row, Anum_stage_run_position, Int32GetDatum(rs->position));
	orch_engine_put(&row, Anum_stage_run_status,
					ObjectIdGetDatum(orch_catalog_label_oid(ENUM_STAGE_STATUS, STAGE_IN_PROGRESS)));
	orch_engine_put(&row, Anum_stage_run_orchestration_id,
					UUIDPGetDatum(&rs->def->orchestration_id));
	orch_engine_put(&row, Anum_stage_run_owner_id, UUIDPGetDatum(&orch_automated_process));
	orch_engine_put(&row, Anum_stage_run_created_at, TimestampTzGetDatum(now));
	orch_engine_put(&row, Anum_stage_run_modified_at, TimestampTzGetDatum(now));
	orch_engine_put(&row, Anum_stage_run_modified_minute, Int32GetDatum(orch_stamp_minute(now)));
	orch_engine_write(rs, WRITE_STAGE, &row, 1);
}

static bool
all_completed(RunState *rs)
{
	int			i;

	for (i = 0; i < rs->nsteps; i++)
		if (rs->steps[i].status != STEP_COMPLETED)
			return false;
	return true;
}

static void
complete_stage(RunState *rs)
{
	WriteRow	row;
	int			i;
	bool		others = false;

	for (i = 0; i < rs->nsteps; i++)
		if (rs->steps[i].status == STEP_IN_PROGRESS)
		{
			others = true;
			rs->steps[i].status = STEP_DISCONTINUED;
		}
	rs->stage_open = false;
	rs->stage_status = STAGE_COMPLETED;
	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_stage_run_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(&row, Anum_stage_run_id, UUIDPGetDatum(&rs->stage_id));
	if (!others)
	{
		orch_engine_write(rs, WRITE_STAGE_COMPLETED, &row, 1);
		return;
	}
	/* not trusted: the guard discontinues the steps in progress */
	orch_engine_leave_batch(rs);
	(void) orch_engine_write_now(rs, WRITE_STAGE_COMPLETED, &row, 1, SCOPE_ENGINE, NULL);
}

static void
complete_run(RunState *rs)
{
	WriteRow	row;

	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_run_id, UUIDPGetDatum(&rs->id));
	if (rs->def->kind == DEFINITION_APPROVAL && orch_approval_is_recalled(&rs->id))
	{
		/* the recall path ends here */
		orch_engine_write(rs, WRITE_RUN_CANCELED, &row, 1);
		rs->status = RUN_CANCELED;
		return;
	}
	if (rs->variables_changed)
	{
		Jsonb	   *variables = orch_engine_store_variables(rs);

		if (variables != NULL)
			orch_engine_put(&row, Anum_run_variables, JsonbPGetDatum(variables));
	}
	orch_engine_write(rs, rs->variables_changed ? WRITE_RUN_COMPLETED_VARIABLES :
					  WRITE_RUN_COMPLETED, &row, 1);
	rs->status = RUN_COMPLETED;
	orch_count(COUNTER_RUNS_COMPLETED);
}

/*
 * Store the stage at which the run waits and its variables, if they changed.
 */
static void
come_to_rest(RunState *rs)
{
	const char *stage = orch_engine_stage_name(rs);

	orch_engine_write_bindings(rs);
	if (rs->variables_changed ||
		(stage == NULL || rs->current_stage == NULL ? stage != rs->current_stage :
		 strcmp(stage, rs->current_stage) != 0))
		orch_engine_write_rest(rs, stage);
}

/*
 * The run was resumed: apply pending outcomes, and begin stopped steps again.
 */
static void
resume_steps(RunState *rs)
{
	int			i;

	if (!rs->stage_open)
		return;
	/* first the pending outcomes: no action runs here */
	for (i = 0; i < rs->nsteps && rs->status == RUN_IN_PROGRESS; i++)
		orch_engine_resume_step(rs, &rs->steps[i], true);

	/* an action may suspend the run again: even then no step may stay Discontinued */
	for (i = 0; i < rs->nsteps; i++)
	{
		if (rs->frame->dirty)
			orch_engine_reload(rs);
		if (i >= rs->nsteps || !rs->stage_open ||
			(rs->status != RUN_IN_PROGRESS && rs->status != RUN_SUSPENDED))
			return;
		orch_engine_resume_step(rs, &rs->steps[i], false);
	}
}
