/*-------------------------------------------------------------------------
 *
 * engine.c
 *	  The engine: decides and makes the next moves of a run.
 *
 * One call loads the run under its lock (or makes it), moves it until it rests,
 * and writes down where.  Everything happens in the caller's transaction: it
 * commits whole or not at all.  A run rests when it waits for somebody, has ended,
 * or was stopped.
 *
 * The lock on the run's row serialises everybody who moves it; all reads under
 * it use the latest snapshot, so that REPEATABLE READ decides on what is, not on
 * what was.  While the engine moves a run it keeps its state in memory and
 * vouches for its own statements (guard.h); when an action changes the run
 * behind its back, the frame is marked dirty and the state read again.
 *
 * What can fail because of what a definition says or an action does runs in a
 * subtransaction of its own: the failure is undone and recorded, and the run
 * goes to Error as contract/lifecycle.md has it.  Cancellation, serialization
 * failures and the like are not failures of a run; they go to the caller.
 *
 * This file has the path through the definition; engine_step.c what a step does,
 * engine_value.c the values.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/counter.h"
#include "base/errors.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "guard/guard.h"
#include "guard/transition.h"
#include "record/action.h"
#include "record/principal.h"
#include "record/record.h"
#include "trail/history.h"
#include "trail/log.h"

int			orch_max_elements = 1000;

static StaticPlan plan_existing = {
	"SELECT id FROM orchestration.run"
	" WHERE orchestration_name = $1 AND idempotency_key = $2"
	"   AND created_by IS NOT DISTINCT FROM $3",
	3, {TEXTOID, TEXTOID, UUIDOID}
};
static StaticPlan plan_insert_run = {
	"INSERT INTO orchestration.run (id, status, version_id, owner_id, created_by,"
	" orchestration_name, orchestration_label, triggering_record_type,"
	" triggering_record_id, variables, orchestration_id, current_stage, created_at)"
	" VALUES ($1, 'InProgress', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
	" pg_catalog.statement_timestamp())",
	11, {UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	JSONBOID, UUIDOID, TEXTOID}
};
static StaticPlan plan_insert_run_once = {
	"INSERT INTO orchestration.run (id, status, version_id, owner_id, created_by,"
	" orchestration_name, orchestration_label, triggering_record_type,"
	" triggering_record_id, variables, orchestration_id, current_stage, created_at,"
	" idempotency_key)"
	" VALUES ($1, 'InProgress', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
	" pg_catalog.statement_timestamp(), $12)"
	" ON CONFLICT (orchestration_name, idempotency_key, created_by)"
	" WHERE idempotency_key IS NOT NULL DO NOTHING",
	12, {UUIDOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	JSONBOID, UUIDOID, TEXTOID, TEXTOID}
};
static StaticPlan plan_insert_stage = {
	"INSERT INTO orchestration.stage_run (run_id, id, name, label, position, status,"
	" orchestration_id)"
	" VALUES ($1, $2, $3, $4, $5, 'InProgress', $6)",
	6, {UUIDOID, UUIDOID, TEXTOID, TEXTOID, INT4OID, UUIDOID}
};
static StaticPlan plan_complete_stage = {
	"UPDATE orchestration.stage_run SET status = 'Completed',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" WHERE run_id = $1 AND id = $2",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_fail_stage = {
	"UPDATE orchestration.stage_run SET status = 'Error', error = $3,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" WHERE run_id = $1 AND id = $2",
	3, {UUIDOID, UUIDOID, JSONBOID}
};
static StaticPlan plan_complete_run = {
	"UPDATE orchestration.run SET status = 'Completed' WHERE id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_complete_run_variables = {
	"UPDATE orchestration.run SET status = 'Completed', variables = $2 WHERE id = $1",
	2, {UUIDOID, JSONBOID}
};
static StaticPlan plan_rest = {
	"UPDATE orchestration.run SET current_stage = $2, variables = $3 WHERE id = $1",
	3, {UUIDOID, TEXTOID, JSONBOID}
};
static StaticPlan plan_fail_run = {
	"UPDATE orchestration.run SET status = 'Error', error = $2,"
	" error_recoverable = $3, current_stage = $4, variables = $5 WHERE id = $1",
	5, {UUIDOID, JSONBOID, BOOLOID, TEXTOID, JSONBOID}
};

/* of a run without a version: nothing to begin, only the statuses */
static StaticPlan plan_resume_steps = {
	"UPDATE orchestration.step_run s SET status = 'InProgress',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" started_at = pg_catalog.clock_timestamp(), ended_at = NULL"
	" FROM orchestration.stage_run g"
	" WHERE s.run_id = $1 AND s.status IN ('Error', 'Discontinued')"
	"   AND g.run_id = $1 AND g.id = s.stage_run_id AND g.status = 'InProgress'",
	1, {UUIDOID}
};

static void advance(RunState *rs);
static void fail_stage(RunState *rs, const StageDef *def, Jsonb *error,
					   bool recoverable);
static void traverse(RunState *rs);
static void take_decision(RunState *rs, int decision);
static void enter_stage(RunState *rs, int stage);
static void insert_stage(RunState *rs, const StageDef *def);
static Verdict may_complete(RunState *rs);
static bool all_completed(RunState *rs);
static void complete_stage(RunState *rs);
static void complete_run(RunState *rs);
static void come_to_rest(RunState *rs);
static void write_rest(RunState *rs, const char *stage);
static const char *open_stage_name(RunState *rs);
static void resume_steps(RunState *rs);

/* ------------------------------------------------------------ entry points */

void
orch_engine_start(const StartRequest *request, pg_uuid_t *run_id)
{
	const Definition *def = request->definition;
	RunState   *rs = orch_engine_make_state(def);
	SystemContext saved;
	Datum		values[12];
	char		nulls[12];
	Jsonb	   *variables;
	const pg_uuid_t *owner = request->owner_id != NULL ? request->owner_id :
	&orch_automated_process;

	check_stack_depth();
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	if (request->idempotency_key != NULL)
	{
		values[0] = CStringGetTextDatum(def->name);
		values[1] = CStringGetTextDatum(request->idempotency_key);
		values[2] = UUIDPGetDatum(request->started_by);
		orch_plan_execute_latest(&plan_existing, values,
								 request->started_by == NULL ? "  n" : NULL, 1);
		if (SPI_processed > 0)
			goto existing;
	}
	if (request->record_key != NULL)
	{
		/*
		 * Who changes the record looks for runs that wait for it, and would not
		 * see this one yet: what it waits for must not change until it can be
		 * seen.
		 */
		if (!request->record_locked || (request->record == NULL && def->waits_for_record))
			orch_record_lock(request->record_type, request->record_key,
							 def->waits_for_record);
		rs->record_type = MemoryContextStrdup(rs->context, request->record_type);
		rs->record_key = MemoryContextStrdup(rs->context, request->record_key);
	}

	orch_uuid_generate(&rs->id);
	rs->interview_id = rs->id;
	rs->started_by = request->started_by != NULL ? *request->started_by :
		orch_automated_process;
	rs->started_at = GetCurrentStatementStartTimestamp();
	rs->status = RUN_IN_PROGRESS;
	rs->next = def->start;
	if (def->reads_prior)
		rs->prior = request->prior;
	if (request->record != NULL)
	{
		rs->record = request->record;
		rs->record_loaded = true;
	}
	orch_engine_open_state(rs);
	orch_engine_init_values(rs);
	orch_engine_take_inputs(rs, request->inputs);
	variables = orch_engine_store_variables(rs);

	memset(nulls, ' ', sizeof(nulls));
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&def->version_id);
	values[2] = UUIDPGetDatum(owner);
	values[3] = UUIDPGetDatum(&rs->started_by);
	if (request->started_by == NULL)
		nulls[3] = 'n';
	values[4] = CStringGetTextDatum(def->name);
	values[5] = CStringGetTextDatum(def->label);
	if (rs->record_key != NULL)
	{
		values[6] = CStringGetTextDatum(rs->record_type);
		values[7] = CStringGetTextDatum(rs->record_key);
	}
	else
		nulls[6] = nulls[7] = 'n';
	values[8] = JsonbPGetDatum(variables);
	if (variables == NULL)
		nulls[8] = 'n';
	values[9] = UUIDPGetDatum(&def->orchestration_id);
	/* where it is going to be, which saves an update */
	if (def->start.kind == ELEMENT_STAGE)
	{
		rs->current_stage = def->stages[def->start.index].name;
		values[10] = CStringGetTextDatum(rs->current_stage);
	}
	else
		nulls[10] = 'n';
	if (request->idempotency_key == NULL && orch_engine_gathers())
	{
		orch_engine_gather_starter(request->starter);
		orch_engine_write(rs, WRITE_RUN, values, nulls);
		goto inserted;
	}
	orch_guard_scope_begin(SCOPE_TRUSTED);
	orch_guard_scope_starter(request->starter);
	if (request->idempotency_key == NULL)
		orch_plan_execute(&plan_insert_run, values, nulls, false, 0);
	else
	{
		values[11] = CStringGetTextDatum(request->idempotency_key);
		orch_plan_execute(&plan_insert_run_once, values, nulls, false, 0);
	}
	orch_guard_scope_end();
	if (SPI_processed == 0)
	{
		/* somebody else started it meanwhile, and committed */
		orch_frame_pop(rs->frame);
		values[0] = CStringGetTextDatum(def->name);
		values[1] = CStringGetTextDatum(request->idempotency_key);
		values[2] = UUIDPGetDatum(request->started_by);
		orch_plan_execute_latest(&plan_existing, values,
								 request->started_by == NULL ? "  n" : NULL, 1);
		if (SPI_processed == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to concurrent start with the same idempotency key")));
		goto existing;
	}

inserted:
	orch_count(COUNTER_RUNS_STARTED);
	advance(rs);
	*run_id = rs->id;
	orch_engine_close_state(rs);
	SPI_finish();
	orch_system_leave(&saved);
	orch_engine_drop_state(rs);
	return;

existing:
	{
		bool		isnull;

		*run_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
											   SPI_tuptable->tupdesc, 1, &isnull));
	}
	SPI_finish();
	orch_system_leave(&saved);
	orch_engine_drop_state(rs);
}

void
orch_engine_go_on(const pg_uuid_t *run_id, bool resumed)
{
	RunState   *rs;
	SystemContext saved;
	Frame	   *frame = orch_frame_engine(run_id);

	/*
	 * A function that the engine called for this very run: the engine looks at the
	 * run again when the function returns.  Doing so here would call a function that
	 * decides a condition once more, and so without end.
	 */
	if (frame != NULL && !resumed)
	{
		frame->dirty = true;
		return;
	}
	if (!resumed && orch_cascade_defers(run_id))
		return;
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
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
		advance(rs);
		orch_engine_close_state(rs);
	}
	SPI_finish();
	orch_system_leave(&saved);
	orch_engine_drop_state(rs);
}

bool
orch_engine_recall(const pg_uuid_t *run_id, const char *comments)
{
	RunState   *rs;
	SystemContext saved;
	bool		recalled;

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	rs = orch_engine_load_run(run_id);
	recalled = rs->def != NULL && rs->def->has_recall && rs->stage_open &&
		rs->status == RUN_IN_PROGRESS;
	if (recalled)
	{
		ErrorData	error;
		StageDef	stage = rs->def->stages[rs->stage];

		orch_engine_open_state(rs);
		memset(&error, 0, sizeof(error));
		error.sqlerrcode = ERRCODE_ORCH_RECALLED;
		error.message = "the approval was recalled";
		error.detail = unconstify(char *, comments);
		stage.has_fault = true;
		stage.fault = rs->def->recall;
		fail_stage(rs, &stage, orch_engine_error(&error, NULL), false);
		advance(rs);
		orch_engine_close_state(rs);
	}
	SPI_finish();
	orch_system_leave(&saved);
	orch_engine_drop_state(rs);
	return recalled;
}

void
orch_engine_end_step(const pg_uuid_t *run_id, const pg_uuid_t *step_id,
					 const StepOutcome *outcome)
{
	RunState   *rs;
	SystemContext saved;
	int			i;

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
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
					 errmsg("run %s was imported without a version: the engine does not move it",
							orch_uuid_text(run_id))));
		orch_engine_leave_batch(rs);
		orch_engine_keep_outcome(run_id, step_id, outcome);
	}
	else
	{
		orch_engine_open_state(rs);
		orch_engine_take_outcome(rs, &rs->steps[i], outcome);
		advance(rs);
		orch_engine_close_state(rs);
	}
	SPI_finish();
	orch_system_leave(&saved);
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

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	rs = orch_engine_load_run(run_id);
	if (rs->def != NULL)
	{
		orch_engine_open_state(rs);
		for (i = 0; i < rs->nsteps; i++)
			if (orch_uuid_equal(&rs->steps[i].id, step_id))
				break;
		if (i >= rs->nsteps)
			elog(ERROR, "step %s is not in progress", orch_uuid_text(step_id));
		memset(&error, 0, sizeof(error));
		error.sqlerrcode = ERRCODE_ORCH_ACTION_FAILED;
		error.message = pstrdup(message);
		orch_engine_fail_run(rs,
							 orch_engine_error(&error, rs->def->steps[rs->steps[i].def].name),
							 true, true);
		orch_engine_discontinue_others(rs, &rs->steps[i]);
		orch_engine_close_state(rs);
	}
	SPI_finish();
	orch_system_leave(&saved);
	orch_engine_drop_state(rs);
}

bool
orch_engine_has_fault_path(const pg_uuid_t *run_id, const pg_uuid_t *stage_id)
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

/* -------------------------------------------------------------------- path */

/*
 * Move the run until it rests.
 */
static void
advance(RunState *rs)
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
			rs->record_loaded = false;
		fresh_record = false;
		verdict = may_complete(rs);
		if (verdict == VERDICT_YES)
			complete_stage(rs);
		else if (verdict == VERDICT_NO &&
				 !orch_engine_start_ready(rs) &&
				 !orch_engine_complete_interactive(rs))
			break;
	}
	/* also when an action stopped the run on the way */
	if (rs->status != RUN_COMPLETED && !rs->gone)
		come_to_rest(rs);
}

/*
 * Follow the connector from where the run is to the next stage, or the end.
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
		error.message = psprintf("the run entered %d elements without ever waiting",
								 orch_max_elements);
		error.detail = "Its connectors lead back to elements that were passed before.";
		error.hint = "Let a step wait for somebody inside the loop, or raise orchestration.max_elements.";
		orch_engine_fail_run(rs, orch_engine_error(&error, NULL), false, false);
		return;
	}
	switch (next.kind)
	{
		case ELEMENT_END:
			complete_run(rs);
			break;
		case ELEMENT_STAGE:
			enter_stage(rs, next.index);
			break;
		case ELEMENT_DECISION:
			rs->record_loaded = false;
			take_decision(rs, next.index);
			break;
		case ELEMENT_ASSIGNMENT:
			{
				const AssignmentDef *assignment = &rs->def->assignments[next.index];
				ErrorData  *volatile error = NULL;

				rs->record_loaded = false;
				ORCH_ENGINE_TRY(rs);
				{
					orch_engine_assign(rs, assignment);
				}
				ORCH_ENGINE_CATCH(error);
				if (error != NULL)
					orch_engine_fail_run(rs, orch_engine_error(error, assignment->name),
										 false, false);
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

	ORCH_ENGINE_TRY(rs);
	{
		rs->next = orch_engine_decide(rs, decision);
	}
	ORCH_ENGINE_CATCH(error);
	if (error != NULL)
		orch_engine_fail_run(rs, orch_engine_error(error, rs->def->decisions[decision].name),
							 false, false);
}

/*
 * The first outcome that holds, or the default: where it leads.
 */
Connector
orch_engine_decide(RunState *rs, int decision)
{
	const DecisionDef *def = &rs->def->decisions[decision];
	int			taken = -1;
	int			i;

	for (i = def->first_outcome; i < def->first_outcome + def->noutcomes; i++)
	{
		const OutcomeDef *outcome = &rs->def->outcomes[i];
		bool		before;

		CHECK_FOR_INTERRUPTS();
		if (!orch_engine_holds(rs, outcome->conditions))
			continue;
		if (outcome->only_when_changed && rs->prior != NULL)
		{
			rs->look_back = true;
			before = orch_engine_holds(rs, outcome->conditions);
			rs->look_back = false;
			if (before)
				continue;
		}
		taken = i;
		break;
	}
	for (i = def->first_outcome; i < def->first_outcome + def->noutcomes; i++)
	{
		if (rs->outcomes[i] != (i == taken))
		{
			rs->outcomes[i] = i == taken;
			rs->variables_changed = true;
		}
	}
	return taken >= 0 ? rs->def->outcomes[taken].connector : def->default_connector;
}

/*
 * Does a condition hold?  What cannot be computed fails the stage.
 */
Verdict
orch_engine_condition(RunState *rs, const ConditionSet *set,
					  const EvaluationAction *action, const char *element)
{
	ErrorData  *volatile error = NULL;
	volatile bool holds = false;
	pg_uuid_t	stage_id = rs->stage_id;

	if (action != NULL && orch_action_find(action->name) != NULL)
		orch_engine_open_gate(rs);
	ORCH_ENGINE_TRY(rs);
	{
		holds = action != NULL ? orch_engine_evaluate(rs, action) :
			orch_engine_holds(rs, set);
	}
	ORCH_ENGINE_CATCH(error);
	rs->look_back = false;
	if (action != NULL)
		rs->record_loaded = false;
	if (rs->frame->dirty)
	{
		/* a function that decides should not, but may */
		orch_engine_reload(rs);
		if (rs->status != RUN_IN_PROGRESS || !rs->stage_open ||
			!orch_uuid_equal(&rs->stage_id, &stage_id))
			return VERDICT_MOVED;
	}
	if (error != NULL)
	{
		/* what an action did can be tried again, a condition is what it is */
		orch_engine_fail_stage(rs, orch_engine_error(error, element), action != NULL);
		return VERDICT_MOVED;
	}
	return holds ? VERDICT_YES : VERDICT_NO;
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
 * Create the record of a stage and of all its steps, and begin those that start
 * at once.
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
	Datum		values[Natts_stage_run];
	char		nulls[Natts_stage_run];
	Datum		row[6];

	row[0] = UUIDPGetDatum(&rs->id);
	row[1] = UUIDPGetDatum(&rs->stage_id);
	row[2] = CStringGetTextDatum(def->name);
	row[3] = CStringGetTextDatum(def->label);
	row[4] = Int32GetDatum(rs->position);
	row[5] = UUIDPGetDatum(&rs->def->orchestration_id);
	if (!orch_engine_gathers())
	{
		orch_guard_execute(SCOPE_TRUSTED, &plan_insert_stage, row, NULL, NULL);
		return;
	}
	memset(nulls, 'n', sizeof(nulls));
	orch_engine_put(values, nulls, Anum_stage_run_run_id, row[0]);
	orch_engine_put(values, nulls, Anum_stage_run_id, row[1]);
	orch_engine_put(values, nulls, Anum_stage_run_name, row[2]);
	orch_engine_put(values, nulls, Anum_stage_run_label, row[3]);
	orch_engine_put(values, nulls, Anum_stage_run_position, row[4]);
	orch_engine_put(values, nulls, Anum_stage_run_orchestration_id, row[5]);
	orch_engine_put(values, nulls, Anum_stage_run_owner_id,
					UUIDPGetDatum(&orch_automated_process));
	orch_engine_put(values, nulls, Anum_stage_run_created_at, TimestampTzGetDatum(orch_stamp()));
	orch_engine_put(values, nulls, Anum_stage_run_modified_at, TimestampTzGetDatum(orch_stamp()));
	orch_engine_put(values, nulls, Anum_stage_run_modified_minute,
					Int32GetDatum(orch_stamp_minute(orch_stamp())));
	orch_engine_put(values, nulls, Anum_stage_run_status,
					ObjectIdGetDatum(orch_catalog_label_oid(ENUM_STAGE_STATUS, STAGE_IN_PROGRESS)));
	orch_engine_write(rs, WRITE_STAGE, values, nulls);
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
	Datum		values[2];
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
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&rs->stage_id);
	if (!others && orch_engine_gathers())
	{
		orch_engine_write(rs, WRITE_STAGE_COMPLETED, values, NULL);
		return;
	}
	if (others)
		orch_engine_leave_batch(rs);
	/* with steps under way it is not vouched for: the guard discontinues them */
	orch_guard_execute(others ? SCOPE_ENGINE : SCOPE_TRUSTED, &plan_complete_stage, values,
					   NULL, NULL);
}

static void
complete_run(RunState *rs)
{
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};

	values[0] = UUIDPGetDatum(&rs->id);
	if (orch_engine_gathers())
	{
		Jsonb	   *variables = rs->variables_changed ? orch_engine_store_variables(rs) : NULL;

		values[1] = BoolGetDatum(rs->variables_changed);
		values[2] = JsonbPGetDatum(variables);
		if (variables == NULL)
			nulls[2] = 'n';
		orch_engine_write(rs, WRITE_RUN_COMPLETED, values, nulls);
		rs->status = RUN_COMPLETED;
		orch_count(COUNTER_RUNS_COMPLETED);
		return;
	}
	if (!rs->variables_changed)
		orch_guard_execute(SCOPE_TRUSTED, &plan_complete_run, values, NULL, NULL);
	else
	{
		Jsonb	   *variables = orch_engine_store_variables(rs);

		values[1] = JsonbPGetDatum(variables);
		if (variables == NULL)
			nulls[1] = 'n';
		orch_guard_execute(SCOPE_TRUSTED, &plan_complete_run_variables, values, nulls, NULL);
	}
	rs->status = RUN_COMPLETED;
	orch_count(COUNTER_RUNS_COMPLETED);
}

static const char *
open_stage_name(RunState *rs)
{
	return rs->position > 0 ? rs->def->stages[rs->stage].name : NULL;
}

/*
 * Write down where the run waits, when that changed.
 */
static void
come_to_rest(RunState *rs)
{
	const char *stage = open_stage_name(rs);

	if (rs->variables_changed ||
		(stage == NULL || rs->current_stage == NULL ? stage != rs->current_stage :
		 strcmp(stage, rs->current_stage) != 0))
		write_rest(rs, stage);
}

static void
write_rest(RunState *rs, const char *stage)
{
	Jsonb	   *variables;
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};

	variables = orch_engine_store_variables(rs);
	values[0] = UUIDPGetDatum(&rs->id);
	if (stage != NULL)
		values[1] = CStringGetTextDatum(stage);
	else
		nulls[1] = 'n';
	values[2] = JsonbPGetDatum(variables);
	if (variables == NULL)
		nulls[2] = 'n';
	rs->current_stage = stage;
	rs->variables_changed = false;
	if (orch_engine_gathers())
	{
		orch_engine_write(rs, WRITE_REST, values, nulls);
		return;
	}
	orch_guard_execute(SCOPE_TRUSTED, &plan_rest, values, nulls, NULL);
}

/*
 * A trigger of others may have stopped the run, or ended its stage, since it was read:
 * is there still an open stage of a run in progress?
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
	/* where the run is going to rest is not known yet */
	if (rs->variables_changed)
		write_rest(rs, rs->current_stage);
	orch_engine_step_aside(rs);
	rs->record_loaded = false;
}

/* ----------------------------------------------------------------- failure */

/*
 * The run fails.  in_stage: its open stage is dealt with by the caller; else
 * the failure is outside, and the guard discontinues the stage.
 */
void
orch_engine_fail_run(RunState *rs, Jsonb *error, bool recoverable, bool in_stage)
{
	const char *stage = open_stage_name(rs);
	Jsonb	   *variables = orch_engine_store_variables(rs);
	Datum		values[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', ' '};

	orch_engine_leave_batch(rs);
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = JsonbPGetDatum(error);
	values[2] = BoolGetDatum(recoverable);
	if (stage != NULL)
		values[3] = CStringGetTextDatum(stage);
	else
		nulls[3] = 'n';
	values[4] = JsonbPGetDatum(variables);
	if (variables == NULL)
		nulls[4] = 'n';
	orch_guard_execute(in_stage ? SCOPE_TRUSTED : SCOPE_ENGINE, &plan_fail_run, values, nulls,
					   NULL);
	rs->status = RUN_ERROR;
	orch_count(COUNTER_RUNS_FAILED);
	rs->variables_changed = false;
	rs->current_stage = stage;
}

/*
 * The open stage fails: the guard discontinues what is in progress in it.  The
 * run goes on along the stage's fault path; where it has none, it fails too.
 */
void
orch_engine_fail_stage(RunState *rs, Jsonb *error, bool recoverable)
{
	fail_stage(rs, &rs->def->stages[rs->stage], error, recoverable);
}

static void
fail_stage(RunState *rs, const StageDef *def, Jsonb *error, bool recoverable)
{
	JsonbValue *message;
	Datum		values[3];
	int			i;

	if (!orch_engine_still_moves(rs))
		return;
	if (!def->has_fault && !recoverable)
	{
		orch_engine_fail_run(rs, error, false, false);
		return;
	}
	orch_engine_leave_batch(rs);
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&rs->stage_id);
	values[2] = JsonbPGetDatum(error);
	/* not vouched for: the guard discontinues the others */
	orch_guard_execute(SCOPE_ENGINE, &plan_fail_stage, values, NULL, NULL);
	if (!def->has_fault)
	{
		orch_engine_fail_run(rs, error, true, true);
		return;
	}
	for (i = 0; i < rs->nsteps; i++)
		if (rs->steps[i].status == STEP_IN_PROGRESS)
			rs->steps[i].status = STEP_DISCONTINUED;
	message = JB_ROOT_IS_OBJECT(error) ? orch_condition_field(&error->root, "message") : NULL;
	if (message != NULL && message->type == jbvString)
	{
		rs->fault_message = MemoryContextAllocZero(rs->context, message->val.string.len + 1);
		memcpy(rs->fault_message, message->val.string.val, message->val.string.len);
		rs->variables_changed = true;
	}
	rs->stage_open = false;
	rs->stage_status = STAGE_ERROR;
	/* a trigger of others may have changed the run meanwhile */
	if (rs->frame->dirty)
		orch_engine_reload(rs);
	/* the path of a recall is not that of the definition */
	if (!rs->stage_open && rs->stage_status == STAGE_ERROR)
		rs->next = def->fault;
}

/*
 * A run was resumed: what waited is taken in, what was stopped begins again.
 */
static void
resume_steps(RunState *rs)
{
	int			i;

	if (!rs->stage_open)
		return;
	/* no action is carried out here */
	for (i = 0; i < rs->nsteps && rs->status == RUN_IN_PROGRESS; i++)
		orch_engine_resume_step(rs, &rs->steps[i], true);

	/* an action may suspend the run again: nothing may stay Discontinued then */
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
