/*-------------------------------------------------------------------------
 *
 * engine_step.c
 *	  Steps: begin, complete, fail, resume (contract/lifecycle.md, "Step types" and
 *	  "Cascades").
 *
 * The action of a background step runs at once, an asynchronous step is queued, and an
 * interactive step gets a work item.
 *
 * An action may change its own run.  Then the frame is dirty after the action, and the
 * state is read again.  The steps keep their places in the array, because they are read in
 * the order of their ids, and ids grow in the order of creation.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_step.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access_name.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "engine/notify.h"
#include "guard/guard.h"
#include "record/action.h"
#include "record/principal.h"
#include "record/record.h"

/* contract/fields.csv: FlowOrchestrationWorkItem.Description */
#define MAX_ITEM_DESCRIPTION 255

static StaticPlan plan_keep_pending = {
	"UPDATE orchestration.step_run SET pending = $3, lease_id = COALESCE($4, lease_id),"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL"
	" WHERE run_id = $1 AND id = $2",
	4, {UUIDOID, UUIDOID, JSONBOID, UUIDOID}
};
static StaticPlan plan_keep_outputs = {
	"UPDATE orchestration.step_run SET status = 'InProgress', outputs = $3,"
	" pending = NULL, ended_at = NULL,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL"
	" WHERE run_id = $1 AND id = $2",
	3, {UUIDOID, UUIDOID, JSONBOID}
};
static StaticPlan plan_close_work_item = {
	"UPDATE orchestration.work_item SET status = 'Completed'"
	" WHERE run_id = $1 AND step_run_id = $2 AND status = 'Assigned'",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_fail_step = {
	"UPDATE orchestration.step_run SET status = 'Error', error = $3,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp(),"
	" pending = NULL, lease_id = COALESCE($4, lease_id) WHERE run_id = $1 AND id = $2",
	4, {UUIDOID, UUIDOID, JSONBOID, UUIDOID}
};
static StaticPlan plan_discontinue_others = {
	"UPDATE orchestration.step_run SET status = 'Discontinued',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" WHERE run_id = $1 AND stage_run_id = $2 AND id <> $3"
	"   AND status = 'InProgress'",
	3, {UUIDOID, UUIDOID, UUIDOID}
};

static void cannot_begin(RunState *rs, StepState *step, Jsonb *error,
						 bool in_step);
static void make_step(RunState *rs, StepState *step, int index, bool starts, WriteRow *row);
static void start_step(RunState *rs, StepState *step);
static void begin_step(RunState *rs, int n);
static void begin_background(RunState *rs, int n);
static void begin_asynchronous(RunState *rs, int n);
static void queue_step(RunState *rs, StepState *step, const Action *action, Jsonb *inputs,
					   const pg_uuid_t *run_as);
static char *find_related_type(RunState *rs, const char *key, char **id);
static void begin_interactive(RunState *rs, int n);
static void make_work_item(RunState *rs, const StepState *step,
						   const pg_uuid_t *assignee_id, Jsonb *inputs,
						   const char *record_type, const char *record, WriteRow *row);
static bool starts_at_once(const StepDef *def);
static bool completes_by_condition(const StepDef *def);
static void keep_outputs(RunState *rs, StepState *step, Jsonb *outputs);
static void complete_step(RunState *rs, StepState *step, Jsonb *outputs,
						  const pg_uuid_t *lease_id);
static void fail_step(RunState *rs, StepState *step, Jsonb *error,
					  const pg_uuid_t *lease_id, bool recoverable);
static bool can_recover(const RunState *rs, const StepState *step);
static void update_step(const pg_uuid_t *run_id, StaticPlan *plan,
						const pg_uuid_t *step_id, Jsonb *value,
						const pg_uuid_t *lease_id, const char *actor);
static Jsonb *pending_outcome(const StepOutcome *outcome);
static Jsonb *pending_member(Jsonb *pending, const char *name);

static bool
starts_at_once(const StepDef *def)
{
	return def->nafter == 0 && def->entry == NULL && def->entry_action == NULL;
}

/*
 * Insert the rows of the steps of the stage just entered, and begin those that
 * start at once.
 */
void
orch_engine_make_steps(RunState *rs)
{
	const StageDef *stage = &rs->def->stages[rs->stage];
	int			n = stage->nsteps;
	WriteRow   *rows;
	int			i;

	rs->nsteps = n;
	rs->max_steps = Max(n, 1);
	rs->steps = MemoryContextAllocZero(rs->context, rs->max_steps * sizeof(StepState));
	if (n == 0)
		return;
	rows = palloc(n * sizeof(WriteRow));
	for (i = 0; i < n; i++)
	{
		int			index = stage->first_step + i;

		make_step(rs, &rs->steps[i], index, starts_at_once(&rs->def->steps[index]), &rows[i]);
	}
	orch_engine_write(rs, WRITE_STEP, rows, n);
	pfree(rows);

	/* an action may suspend its own run: the other steps in progress still begin */
	for (i = 0; i < rs->nsteps; i++)
	{
		if (rs->frame->dirty)
			orch_engine_reload(rs);
		if (i >= rs->nsteps)
			break;
		if ((rs->status != RUN_IN_PROGRESS && rs->status != RUN_SUSPENDED) ||
			!rs->stage_open)
			break;
		if (rs->steps[i].status == STEP_IN_PROGRESS)
			begin_step(rs, i);
	}
}

/*
 * The type of a new step: a background step is asynchronous if workers carry out its
 * action.
 */
StepType
orch_engine_step_type(const StepDef *def)
{
	const Action *action = def->type == STEP_TYPE_BACKGROUND ?
		orch_action_find(def->action_name) : NULL;

	return action != NULL && action->kind == ACTION_WORKER ? STEP_TYPE_ASYNCHRONOUS :
		def->type;
}

/*
 * The run was migrated: insert the rows of those steps of its last stage that it does not
 * have yet.  They start when their conditions are evaluated next.
 */
void
orch_engine_add_steps(RunState *rs)
{
	const StageDef *stage = &rs->def->stages[rs->stage];
	WriteRow   *rows = palloc(Max(stage->nsteps, 1) * sizeof(WriteRow));
	MemoryContext old = MemoryContextSwitchTo(rs->context);
	StepState  *steps = palloc0((rs->nsteps + stage->nsteps + 1) * sizeof(StepState));
	int			nrows = 0;
	int			i;
	int			j;

	MemoryContextSwitchTo(old);
	memcpy(steps, rs->steps, rs->nsteps * sizeof(StepState));
	rs->max_steps = rs->nsteps + stage->nsteps + 1;
	for (i = 0; i < stage->nsteps; i++)
	{
		for (j = 0; j < rs->nsteps && steps[j].def != stage->first_step + i; j++)
			;
		if (j < rs->nsteps)
			continue;
		make_step(rs, &steps[rs->nsteps + nrows], stage->first_step + i, false, &rows[nrows]);
		nrows++;
	}
	rs->steps = steps;
	rs->nsteps += nrows;
	if (nrows > 0)
		orch_engine_write(rs, WRITE_STEP, rows, nrows);
	pfree(rows);
}

/* A new step, zeroed by the caller, and its row. */
static void
make_step(RunState *rs, StepState *step, int index, bool starts, WriteRow *row)
{
	const StepDef *def = &rs->def->steps[index];
	TimestampTz now = orch_stamp();

	orch_uuid_generate(&step->id);
	step->def = index;
	step->type = orch_engine_step_type(def);
	step->status = starts ? STEP_IN_PROGRESS : STEP_NOT_STARTED;
	step->attempt = starts ? 1 : 0;
	orch_engine_begin_row(row);
	orch_engine_put(row, Anum_step_run_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(row, Anum_step_run_id, UUIDPGetDatum(&step->id));
	orch_engine_put(row, Anum_step_run_stage_run_id, UUIDPGetDatum(&rs->stage_id));
	orch_engine_put(row, Anum_step_run_name, CStringGetTextDatum(def->name));
	orch_engine_put(row, Anum_step_run_label, CStringGetTextDatum(def->label));
	if (def->description != NULL)
		orch_engine_put(row, Anum_step_run_description,
						CStringGetTextDatum(def->description));
	orch_engine_put(row, Anum_step_run_step_type,
					ObjectIdGetDatum(orch_catalog_label_oid(ENUM_STEP_TYPE, step->type)));
	orch_engine_put(row, Anum_step_run_status,
					ObjectIdGetDatum(orch_catalog_label_oid(ENUM_STEP_STATUS, step->status)));
	orch_engine_put(row, Anum_step_run_attempt, Int32GetDatum(step->attempt));
	if (starts)
		orch_engine_put(row, Anum_step_run_started_at,
						TimestampTzGetDatum(GetCurrentTimestamp()));
	orch_engine_put(row, Anum_step_run_orchestration_id,
					UUIDPGetDatum(&rs->def->orchestration_id));
	orch_engine_put(row, Anum_step_run_owner_id, UUIDPGetDatum(&orch_automated_process));
	orch_engine_put(row, Anum_step_run_created_at, TimestampTzGetDatum(now));
	orch_engine_put(row, Anum_step_run_modified_at, TimestampTzGetDatum(now));
	orch_engine_put(row, Anum_step_run_modified_minute,
					Int32GetDatum(orch_stamp_minute(now)));
}

/* Set a step InProgress and count an attempt. */
static void
start_step(RunState *rs, StepState *step)
{
	WriteRow	row;

	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_step_run_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(&row, Anum_step_run_id, UUIDPGetDatum(&step->id));
	orch_engine_write(rs, WRITE_STEP_STARTED, &row, 1);
	step->status = STEP_IN_PROGRESS;
	step->attempt++;
}

/*
 * Start every step whose entry condition holds now, and begin steps that a user set
 * InProgress.  Returns whether a step began, or the run was moved.
 */
bool
orch_engine_start_ready(RunState *rs)
{
	bool		any = false;
	int			i;
	int			j;
	int			k;

	for (i = 0; i < rs->nsteps; i++)
	{
		const StepDef *def = &rs->def->steps[rs->steps[i].def];
		bool		ready = true;

		if (rs->status != RUN_IN_PROGRESS || !rs->stage_open)
			break;
		CHECK_FOR_INTERRUPTS();
		if (rs->steps[i].status == STEP_IN_PROGRESS && rs->steps[i].attempt == 0)
			 /* a user set it InProgress */ ;
		else if (rs->steps[i].status != STEP_NOT_STARTED)
			continue;
		else
		{
			for (j = 0; j < def->nafter && ready; j++)
			{
				ready = false;
				for (k = 0; k < rs->nsteps; k++)
					if (rs->steps[k].def == def->after[j])
					{
						ready = rs->steps[k].status == STEP_COMPLETED;
						break;
					}
			}
		}
		if (ready && rs->steps[i].status == STEP_NOT_STARTED &&
			(def->entry != NULL || def->entry_action != NULL))
		{
			Verdict		verdict = orch_engine_condition(rs, def->entry, def->entry_action,
														def->name);

			if (verdict == VERDICT_MOVED)
				return true;
			ready = verdict == VERDICT_YES && i < rs->nsteps &&
				rs->steps[i].status == STEP_NOT_STARTED;
		}
		if (!ready)
			continue;
		start_step(rs, &rs->steps[i]);
		any = true;
		if (!orch_engine_still_moves(rs))
			break;
		if (i < rs->nsteps && rs->steps[i].status == STEP_IN_PROGRESS)
			begin_step(rs, i);
	}
	return any;
}

/*
 * Complete every interactive step whose completion condition holds now.  Returns whether
 * a step was completed, or the run was moved.
 */
bool
orch_engine_complete_interactive(RunState *rs)
{
	bool		any = false;
	int			i;

	for (i = 0; i < rs->nsteps; i++)
	{
		const StepDef *def = &rs->def->steps[rs->steps[i].def];
		Datum		values[2];
		Verdict		verdict;

		if (rs->steps[i].status != STEP_IN_PROGRESS || !completes_by_condition(def))
			continue;
		CHECK_FOR_INTERRUPTS();
		verdict = orch_engine_condition(rs, def->exit, def->exit_action, def->name);
		if (verdict == VERDICT_MOVED)
			return true;
		if (verdict == VERDICT_NO || i >= rs->nsteps ||
			rs->steps[i].status != STEP_IN_PROGRESS)
			continue;
		/* the work item is closed even if the assignee has not finished */
		complete_step(rs, &rs->steps[i], rs->steps[i].outputs, NULL);
		values[0] = UUIDPGetDatum(&rs->id);
		values[1] = UUIDPGetDatum(&rs->steps[i].id);
		orch_engine_flush();
		orch_guard_execute(SCOPE_ENGINE, &plan_close_work_item, values, NULL, NULL);
		any = true;
	}
	return any;
}

static bool
completes_by_condition(const StepDef *def)
{
	return def->exit != NULL || def->exit_action != NULL;
}

/*
 * A step cannot begin: fail the step (in_step) or only its stage.  If an action suspended
 * the run meanwhile, the failure is stored as pending.
 */
static void
cannot_begin(RunState *rs, StepState *step, Jsonb *error, bool in_step)
{
	if (rs->status == RUN_SUSPENDED)
	{
		StepOutcome outcome;

		memset(&outcome, 0, sizeof(outcome));
		outcome.error = error;
		orch_engine_keep_outcome(&rs->id, &step->id, &outcome);
	}
	else if (in_step)
		fail_step(rs, step, error, NULL, true);
	else
		orch_engine_fail_stage(rs, error, false, false);
}

static void
begin_step(RunState *rs, int n)
{
	switch (rs->steps[n].type)
	{
		case STEP_TYPE_BACKGROUND:
			begin_background(rs, n);
			break;
		case STEP_TYPE_ASYNCHRONOUS:
			begin_asynchronous(rs, n);
			break;
		case STEP_TYPE_INTERACTIVE:
			begin_interactive(rs, n);
			break;
	}
}

/*
 * Run the action of a background step.
 */
static void
begin_background(RunState *rs, int n)
{
	const StepDef *def = &rs->def->steps[rs->steps[n].def];
	ErrorData  *volatile error = NULL;
	volatile bool calling = false;
	Jsonb	   *volatile outputs = NULL;
	StepOutcome outcome;
	Principal	principal;
	const pg_uuid_t *volatile run_as = NULL;

	orch_engine_open_gate(rs);
	ORCH_ENGINE_TRY();
	{
		Jsonb	   *inputs = orch_engine_step_inputs(rs, def);
		const Action *action;

		calling = true;
		action = orch_action_find(def->action_name);
		if (action == NULL || action->kind != ACTION_FUNCTION)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_UNKNOWN_ACTION),
					 errmsg("action \"%s\" is not registered as a function",
							def->action_name),
					 errhint("Register it with orchestration.register_action() and resume the run.")));
		if (def->assignee != NULL)
			run_as = orch_engine_run_as_user(rs, def, &principal);
		outputs = orch_action_call(action, inputs, run_as, GATE_ACTION);
	}
	ORCH_ENGINE_CATCH(error);
	orch_engine_forget_records(rs);

	/* did the action change its own run? */
	if (rs->frame->dirty)
		orch_engine_reload(rs);
	if (n >= rs->nsteps || rs->steps[n].status != STEP_IN_PROGRESS)
		return;
	if (error != NULL && !calling)
	{
		cannot_begin(rs, &rs->steps[n], orch_engine_error(error, def->name),
					 orch_engine_can_be_mended(error));
		return;
	}
	memset(&outcome, 0, sizeof(outcome));
	outcome.success = error == NULL;
	outcome.outputs = outputs;
	outcome.run_as = run_as;
	if (error != NULL)
		outcome.error = orch_engine_error(error, NULL);
	if (rs->status == RUN_IN_PROGRESS)
		orch_engine_take_outcome(rs, &rs->steps[n], &outcome);
	else if (rs->status == RUN_SUSPENDED)
		orch_engine_keep_outcome(&rs->id, &rs->steps[n].id, &outcome);
}

/*
 * Queue the action of an asynchronous step for a worker.
 */
static void
begin_asynchronous(RunState *rs, int n)
{
	StepState  *step = &rs->steps[n];
	const StepDef *def = &rs->def->steps[step->def];
	ErrorData  *volatile error = NULL;
	Jsonb	   *volatile inputs = NULL;
	const Action *action;
	Principal	principal;
	const pg_uuid_t *volatile run_as = NULL;
	volatile bool computed = false;

	ORCH_ENGINE_TRY();
	{
		inputs = orch_engine_step_inputs(rs, def);
		computed = true;
		if (def->assignee != NULL)
			run_as = orch_engine_run_as_user(rs, def, &principal);
	}
	ORCH_ENGINE_CATCH(error);
	if (error != NULL)
	{
		cannot_begin(rs, step, orch_engine_error(error, def->name),
					 computed || orch_engine_can_be_mended(error));
		return;
	}
	action = orch_action_find(def->action_name);
	if (action == NULL || action->kind == ACTION_SCREEN)
	{
		ErrorData	missing;

		memset(&missing, 0, sizeof(missing));
		missing.sqlerrcode = ERRCODE_ORCH_UNKNOWN_ACTION;
		missing.message = psprintf("action \"%s\" is not registered for workers",
								   def->action_name);
		missing.hint = "Register it with orchestration.register_action() and resume the run.";
		cannot_begin(rs, step, orch_engine_error(&missing, NULL), true);
		return;
	}
	queue_step(rs, step, action, inputs, run_as);
}

/*
 * Put a step into the queue.  A step that begins again may still be in the queue.
 */
static void
queue_step(RunState *rs, StepState *step, const Action *action, Jsonb *inputs,
		   const pg_uuid_t *run_as)
{
	const StepDef *def = &rs->def->steps[step->def];
	const char *topic = action->kind == ACTION_WORKER ? action->topic : "";
	Interval	timeout;
	WriteRow	row;

	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_step_queue_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(&row, Anum_step_queue_step_run_id, UUIDPGetDatum(&step->id));
	orch_engine_put(&row, Anum_step_queue_topic, CStringGetTextDatum(topic));
	orch_engine_put(&row, Anum_step_queue_action, CStringGetTextDatum(def->action_name));
	orch_engine_put(&row, Anum_step_queue_inputs, JsonbPGetDatum(inputs));
	orch_engine_put(&row, Anum_step_queue_orchestration_id,
					UUIDPGetDatum(&rs->def->orchestration_id));
	orch_engine_put(&row, Anum_step_queue_step_name, CStringGetTextDatum(def->name));
	if (run_as != NULL)
		orch_engine_put(&row, Anum_step_queue_run_as, UUIDPGetDatum(run_as));
	if (action->timeout != 0)
	{
		memset(&timeout, 0, sizeof(timeout));
		timeout.time = (TimeOffset) rint(action->timeout * USECS_PER_SEC);
		orch_engine_put(&row, Anum_step_queue_timeout, IntervalPGetDatum(&timeout));
	}
	/* must precede available_at */
	orch_notify_queued(topic);
	orch_engine_put(&row, Anum_step_queue_available_at,
					TimestampTzGetDatum(GetCurrentTimestamp()));
	orch_engine_put(&row, Anum_step_queue_attempt, Int32GetDatum(0));
	orch_engine_put(&row, Anum_step_queue_failures, Int32GetDatum(0));
	orch_engine_put(&row, Anum_step_queue_lost, Int32GetDatum(0));
	if (step->attempt == 1)
		orch_engine_write(rs, WRITE_QUEUED, &row, 1);
	else
		(void) orch_engine_write_now(rs, WRITE_QUEUED_AGAIN, &row, 1, SCOPE_TRUSTED, NULL);
}

/*
 * Find the record type that has a record with this key, and its id.  The key may come from the user
 * who started the run, and the work item shows the type found.  So only records count that
 * this user can read.
 */
static char *
find_related_type(RunState *rs, const char *key, char **id)
{
	return orch_record_find_type(key, orch_engine_reader(rs), id);
}

/*
 * Make the work item of an interactive step; of a unanimous approval also those of the
 * members.
 */
static void
begin_interactive(RunState *rs, int n)
{
	StepState  *step = &rs->steps[n];
	const StepDef *def = &rs->def->steps[step->def];
	ErrorData  *volatile error = NULL;
	Jsonb	   *volatile inputs = NULL;
	List	   *volatile names = NIL;
	char	   *volatile record = NULL;
	char	   *volatile record_type = NULL;
	pg_uuid_t  *assignees = palloc(Max(def->nassignees, 1) * sizeof(pg_uuid_t));
	pg_uuid_t  *members = NULL;
	int			nmembers = 0;
	StepMessage *volatile message = NULL;
	volatile bool computed = false;
	Jsonb	   *nobody;
	WriteRow	row;

	ORCH_ENGINE_TRY();
	{
		inputs = orch_engine_step_inputs(rs, def);
		if (def->context_record != NULL)
			record = orch_condition_value_text(orch_engine_value(rs, def->context_record));
		message = orch_engine_message(rs, def);
		computed = true;
		names = orch_engine_assignee_names(rs, def);
	}
	ORCH_ENGINE_CATCH(error);
	if (error != NULL)
	{
		/* an assignee that cannot be computed is one that cannot be resolved */
		cannot_begin(rs, step, orch_engine_error(error, def->name),
					 computed || orch_engine_can_be_mended(error));
		return;
	}
	/* recoverable: a resumed run evaluates the assignee again */
	nobody = orch_engine_find_assignees(def, names, assignees);
	if (nobody == NULL && def->is_unanimous)
		nobody = orch_engine_find_members(def, names, assignees, &members, &nmembers);
	if (nobody != NULL)
	{
		cannot_begin(rs, step, nobody, true);
		return;
	}

	/*
	 * The run's own record needs no lock, because a session that deletes it updates
	 * the run's row first.  Any other record is searched for and locked.
	 */
	if (record != NULL)
	{
		char	   *id = NULL;

		if (rs->record_key != NULL &&
			orch_record_means(rs->record_type, record, rs->record_key))
		{
			record_type = rs->record_type;
			id = rs->record_key;
		}
		else
			record_type = find_related_type(rs, record, &id);
		record = id;
	}

	orch_engine_write_message(rs, step, message);
	make_work_item(rs, step, &assignees[0], inputs, record_type, record, &row);
	if (def->is_unanimous)
	{
		orch_engine_write_members(rs, &row, members, nmembers);
		return;
	}
	orch_engine_write(rs, WRITE_WORK_ITEM, &row, 1);
	orch_notify_assigned(&assignees[0]);
}

/*
 * The row of a work item of a step; record_type NULL: the item has no related record.
 */
static void
make_work_item(RunState *rs, const StepState *step, const pg_uuid_t *assignee_id,
			   Jsonb *inputs, const char *record_type, const char *record, WriteRow *row)
{
	const StepDef *def = &rs->def->steps[step->def];
	const Action *action = orch_action_find(def->action_name);
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	orch_uuid_generate(id);
	orch_engine_begin_row(row);
	orch_engine_put(row, Anum_work_item_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(row, Anum_work_item_id, UUIDPGetDatum(id));
	orch_engine_put(row, Anum_work_item_step_run_id, UUIDPGetDatum(&step->id));
	orch_engine_put(row, Anum_work_item_assignee_id, UUIDPGetDatum(assignee_id));
	orch_engine_put(row, Anum_work_item_label, CStringGetTextDatum(def->label));
	if (def->description != NULL)
	{
		int			length = pg_mbcharcliplen(def->description, strlen(def->description),
											  MAX_ITEM_DESCRIPTION);

		orch_engine_put(row, Anum_work_item_description,
						PointerGetDatum(cstring_to_text_with_len(def->description, length)));
	}
	orch_engine_put(row, Anum_work_item_screen_flow, CStringGetTextDatum(def->action_name));
	orch_engine_put(row, Anum_work_item_screen_flow_inputs, JsonbPGetDatum(inputs));
	if (record_type != NULL)
	{
		orch_engine_put(row, Anum_work_item_related_record_type,
						CStringGetTextDatum(record_type));
		orch_engine_put(row, Anum_work_item_related_record_id, CStringGetTextDatum(record));
	}
	orch_engine_put(row, Anum_work_item_orchestration_id,
					UUIDPGetDatum(&rs->def->orchestration_id));
	orch_engine_put(row, Anum_work_item_record_locked, BoolGetDatum(def->locks_record));
	orch_engine_put(row, Anum_work_item_assignee_can_edit, BoolGetDatum(def->assignee_can_edit));
	orch_engine_put(row, Anum_work_item_is_approval,
					BoolGetDatum(def->is_approval && rs->def->kind == DEFINITION_APPROVAL));
	orch_engine_put(row, Anum_work_item_is_parent, BoolGetDatum(false));
	if (action != NULL && action->due != 0)
		orch_engine_put(row, Anum_work_item_due_at,
						TimestampTzGetDatum(GetCurrentTransactionStartTimestamp() +
											(TimestampTz) rint(action->due * USECS_PER_SEC)));
}

/*
 * The user as whom a step's action runs (runAsUser).  Raises 42501 if the action may not
 * run as a user, OR103 if there is no such active user; either fails the step.
 */
const pg_uuid_t *
orch_engine_run_as_user(RunState *rs, const StepDef *def, Principal *principal)
{
	char	   *name = orch_condition_value_text(orch_engine_value(rs, def->assignee));
	const Action *action = orch_action_find(def->action_name);

	if (action != NULL)
		orch_action_require_run_as(action);
	if (name == NULL || !orch_engine_find_assignee(def->assignee_kind, name, principal) ||
		principal->kind != PRINCIPAL_USER || !principal->is_active)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("step \"%s\" runs as \"%s\", which is not an active user", def->name,
						name == NULL ? "" : name),
				 errhint("Create or activate the user and resume the run.")));
	return &principal->id;
}

/*
 * Apply the outcome of a step that is InProgress, in a run that is InProgress.
 */
void
orch_engine_take_outcome(RunState *rs, StepState *step,
						 const StepOutcome *outcome)
{
	rs->actor = outcome->run_as == NULL ? NULL : orch_principal_username(outcome->run_as);
	if (outcome->success && completes_by_condition(&rs->def->steps[step->def]))
		keep_outputs(rs, step, outcome->outputs);
	else if (outcome->success)
		complete_step(rs, step, outcome->outputs, outcome->lease_id);
	else
		fail_step(rs, step, outcome->error, outcome->lease_id, can_recover(rs, step));
	rs->actor = NULL;
}

/*
 * Store the outputs of a step whose assignee finished before its completion condition
 * holds: the step stays InProgress, or becomes InProgress again.
 */
static void
keep_outputs(RunState *rs, StepState *step, Jsonb *outputs)
{
	MemoryContext old = MemoryContextSwitchTo(rs->context);

	step->outputs = outputs == NULL ? NULL :
		DatumGetJsonbPCopy(JsonbPGetDatum(outputs));
	MemoryContextSwitchTo(old);
	update_step(&rs->id, &plan_keep_outputs, &step->id, outputs, NULL, NULL);
	step->status = STEP_IN_PROGRESS;
	step->pending = NULL;
}

/*
 * An outcome as the JSON object of step_run.pending.
 */
static Jsonb *
pending_outcome(const StepOutcome *outcome)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;
	Jsonb	   *body = outcome->success ? outcome->outputs : outcome->error;
	const char *texts[5];
	int			ntexts = 0;
	int			i;

	texts[ntexts++] = "outcome";
	texts[ntexts++] = outcome->success ? "Completed" : "Error";
	if (outcome->run_as != NULL)
	{
		texts[ntexts++] = "runAs";
		texts[ntexts++] = orch_uuid_text(outcome->run_as);
	}
	if (body != NULL)
		texts[ntexts++] = outcome->success ? "outputs" : "error";
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < ntexts; i++)
	{
		value.type = jbvString;
		value.val.string.val = (char *) texts[i];
		value.val.string.len = strlen(texts[i]);
		pushJsonbValue(&state, i % 2 == 1 ? WJB_VALUE : WJB_KEY, &value);
	}
	if (body != NULL)
	{
		if (JB_ROOT_IS_SCALAR(body))
			JsonbExtractScalar(&body->root, &value);
		else
		{
			value.type = jbvBinary;
			value.val.binary.data = &body->root;
			value.val.binary.len = VARSIZE_ANY_EXHDR(body);
		}
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static Jsonb *
pending_member(Jsonb *pending, const char *name)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&pending->root, name, strlen(name), NULL);

	return value == NULL ? NULL : JsonbValueToJsonb(value);
}

/*
 * Resume a step.  pending: apply its pending outcome, if it has one; otherwise begin it
 * again, if it was stopped and has none.
 */
void
orch_engine_resume_step(RunState *rs, StepState *step, bool pending)
{
	if ((step->pending != NULL && step->status != STEP_ERROR) != pending)
		return;
	if (step->status != STEP_IN_PROGRESS && step->status != STEP_ERROR &&
		step->status != STEP_DISCONTINUED)
		return;
	if (step->pending != NULL && step->status != STEP_ERROR)
	{
		Jsonb	   *outputs = pending_member(step->pending, "outputs");
		Jsonb	   *error = pending_member(step->pending, "error");
		JsonbValue *run_as = orch_condition_field(&step->pending->root, "runAs");
		pg_uuid_t	user_id;

		if (run_as != NULL && run_as->type == jbvString &&
			orch_uuid_parse(pnstrdup(run_as->val.string.val, run_as->val.string.len), &user_id))
			rs->actor = orch_principal_username(&user_id);
		if (error != NULL)
			fail_step(rs, step, error, NULL, can_recover(rs, step));
		else if (completes_by_condition(&rs->def->steps[step->def]))
			keep_outputs(rs, step, outputs);
		else
			complete_step(rs, step, outputs, NULL);
		rs->actor = NULL;
		return;
	}
	if (step->status == STEP_IN_PROGRESS)
		return;
	start_step(rs, step);
	begin_step(rs, step - rs->steps);
}

/*
 * The screen of an interactive step failed: discontinue the other steps of the stage.  The
 * failed step keeps its status.
 */
void
orch_engine_discontinue_others(RunState *rs, StepState *failed)
{
	Datum		values[3];

	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&rs->stage_id);
	values[2] = UUIDPGetDatum(&failed->id);
	orch_engine_flush();
	orch_guard_execute(SCOPE_ENGINE, &plan_discontinue_others, values, NULL, NULL);
}

static void
complete_step(RunState *rs, StepState *step, Jsonb *outputs,
			  const pg_uuid_t *lease_id)
{
	JsonbValue *comments = NULL;
	MemoryContext old = MemoryContextSwitchTo(rs->context);
	WriteRow	row;

	step->outputs = outputs == NULL ? NULL :
		DatumGetJsonbPCopy(JsonbPGetDatum(outputs));
	MemoryContextSwitchTo(old);
	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_step_run_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(&row, Anum_step_run_id, UUIDPGetDatum(&step->id));
	if (outputs != NULL)
		orch_engine_put(&row, Anum_step_run_outputs, JsonbPGetDatum(outputs));
	if (lease_id != NULL)
		orch_engine_put(&row, Anum_step_run_lease_id, UUIDPGetDatum(lease_id));
	if (outputs != NULL && JB_ROOT_IS_OBJECT(outputs))
		comments = orch_engine_comments(outputs);
	if (comments != NULL && comments->type != jbvString)
		comments = NULL;
	/* a batch has no comments and actors */
	if (comments != NULL || rs->actor != NULL)
		(void) orch_engine_write_now(rs, WRITE_STEP_COMPLETED, &row, 1, SCOPE_TRUSTED,
									 comments == NULL ? NULL :
									 pnstrdup(comments->val.string.val,
											  comments->val.string.len));
	else
		orch_engine_write(rs, WRITE_STEP_COMPLETED, &row, 1);
	step->status = STEP_COMPLETED;
	step->pending = NULL;
}

/*
 * Can a run be resumed after the action of this step failed?  Source: approvals.md, section 1
 * (11).
 */
static bool
can_recover(const RunState *rs, const StepState *step)
{
	return !rs->def->steps[step->def].is_mulesoft;
}

/*
 * Fail a step, its stage and the run.
 */
static void
fail_step(RunState *rs, StepState *step, Jsonb *error,
		  const pg_uuid_t *lease_id, bool recoverable)
{
	const char *name = rs->def->steps[step->def].name;
	JsonbParseState *state = NULL;
	JsonbValue	value;

	update_step(&rs->id, &plan_fail_step, &step->id, error, lease_id, rs->actor);
	rs->actor = NULL;
	step->status = STEP_ERROR;
	step->pending = NULL;

	/* stage and run store the same error, with the name of the step */
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (error != NULL && JB_ROOT_IS_OBJECT(error))
	{
		JsonbIterator *it = JsonbIteratorInit(&error->root);
		JsonbIteratorToken token;

		(void) JsonbIteratorNext(&it, &value, false);
		while ((token = JsonbIteratorNext(&it, &value, true)) == WJB_KEY ||
			   token == WJB_VALUE)
			pushJsonbValue(&state, token, &value);
	}
	value.type = jbvString;
	value.val.string.val = "element";
	value.val.string.len = strlen("element");
	pushJsonbValue(&state, WJB_KEY, &value);
	value.val.string.val = (char *) name;
	value.val.string.len = strlen(name);
	pushJsonbValue(&state, WJB_VALUE, &value);
	error = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));

	orch_engine_fail_stage(rs, error, recoverable, true);
}

/*
 * Update a step in a scope that the guard trusts.
 */
static void
update_step(const pg_uuid_t *run_id, StaticPlan *plan, const pg_uuid_t *step_id,
			Jsonb *value, const pg_uuid_t *lease_id, const char *actor)
{
	GuardScope	scope = {.kind = SCOPE_TRUSTED, .actor = actor};
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};

	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(step_id);
	values[2] = JsonbPGetDatum(value);
	if (value == NULL)
		nulls[2] = 'n';
	values[3] = UUIDPGetDatum(lease_id);
	if (lease_id == NULL)
		nulls[3] = 'n';
	orch_engine_flush();
	orch_guard_execute_in(&scope, plan, values, nulls);
	if (SPI_processed == 0)
		elog(ERROR, "%s is gone", orch_label(OBJECT_STEP, step_id));
}

void
orch_engine_keep_outcome(const pg_uuid_t *run_id, const pg_uuid_t *step_id,
						 const StepOutcome *outcome)
{
	update_step(run_id, &plan_keep_pending, step_id, pending_outcome(outcome),
				outcome->lease_id, NULL);
}
