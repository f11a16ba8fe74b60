/*-------------------------------------------------------------------------
 *
 * engine_step.c
 *	  What steps do: begin, end, fail, begin again.
 *
 * contract/lifecycle.md, "Step types" and "Cascades".  A background step's
 * action runs here and now; an asynchronous one goes to the queue; an
 * interactive one becomes a work item.
 *
 * An action may change the very run it works for.  After each one the frame
 * tells; then the state is read again and steps are found by their place, which
 * stays the same because ids grow in the order of creation.
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
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access.h"
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

static StaticPlan plan_insert_steps = {
	"INSERT INTO orchestration.step_run (run_id, id, stage_run_id, name, label,"
	" description, step_type, status, attempt, started_at, orchestration_id)"
	" SELECT $1, u.id, $2, u.name, u.label, u.description,"
	"        u.step_type::orchestration.step_type,"
	"        u.status::orchestration.step_status,"
	"        CASE WHEN u.status = 'InProgress' THEN 1 ELSE 0 END,"
	"        CASE WHEN u.status = 'InProgress' THEN pg_catalog.clock_timestamp() END, $9"
	" FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4),"
	"   pg_catalog.unnest($5), pg_catalog.unnest($6), pg_catalog.unnest($7),"
	"   pg_catalog.unnest($8)) AS u (id, name, label, description, step_type, status)",
	9, {UUIDOID, UUIDOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
	TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDOID}
};
static StaticPlan plan_start_step = {
	"UPDATE orchestration.step_run SET status = 'InProgress',"
	" attempt = attempt + 1, error = NULL, pending = NULL, outputs = NULL,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" started_at = pg_catalog.clock_timestamp(), ended_at = NULL"
	" WHERE run_id = $1 AND id = $2",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_complete_step = {
	"UPDATE orchestration.step_run SET status = 'Completed', outputs = $3,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp(),"
	" lease_id = COALESCE($4, lease_id) WHERE run_id = $1 AND id = $2",
	4, {UUIDOID, UUIDOID, JSONBOID, UUIDOID}
};
static StaticPlan plan_complete_step_pending = {
	"UPDATE orchestration.step_run SET status = 'Completed', outputs = $3,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp(),"
	" pending = NULL WHERE run_id = $1 AND id = $2",
	3, {UUIDOID, UUIDOID, JSONBOID}
};
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
static StaticPlan plan_queue_step = {
	"INSERT INTO orchestration.step_queue (run_id, step_run_id, topic, action, inputs,"
	" orchestration_id, step_name, run_as, timeout)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, pg_catalog.make_interval(secs => $9))"
	" ON CONFLICT (run_id, step_run_id) DO UPDATE SET topic = excluded.topic,"
	" action = excluded.action, inputs = excluded.inputs, lease_id = NULL,"
	" leased_until = NULL, claimed_at = NULL, worker = NULL, failures = 0, lost = 0,"
	" run_as = excluded.run_as, timeout = excluded.timeout,"
	" available_at = pg_catalog.clock_timestamp()",
	9, {UUIDOID, UUIDOID, TEXTOID, TEXTOID, JSONBOID, UUIDOID, TEXTOID, UUIDOID, FLOAT8OID}
};
static StaticPlan plan_insert_work_item = {
	"INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id,"
	" label, description, screen_flow, screen_flow_inputs, related_record_type,"
	" related_record_id, orchestration_id, record_locked, assignee_can_edit, due_at)"
	" VALUES ($1, $2, 'Assigned', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
	" pg_catalog.now() + pg_catalog.make_interval(secs => $13))",
	13, {UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID,
	TEXTOID, UUIDOID, BOOLOID, BOOLOID, FLOAT8OID}
};

static void cannot_begin(RunState *rs, StepState *step, Jsonb *error,
						 bool in_step);
static void insert_steps(RunState *rs);
static void gather_step(RunState *rs, const StepState *step);
static void begin_step(RunState *rs, int n);
static void begin_background(RunState *rs, int n);
static void begin_asynchronous(RunState *rs, int n);
static void gather_queued(RunState *rs, const Datum *given, const char *absent,
						  double timeout);
static char *find_related_type(RunState *rs, const char *key);
static void begin_interactive(RunState *rs, int n);
static bool starts_at_once(const StepDef *def);
static bool completes_by_condition(const StepDef *def);
static void keep_outputs(RunState *rs, StepState *step, Jsonb *outputs);
static const pg_uuid_t *run_as_user(RunState *rs, const StepDef *def,
									Principal *principal);
static bool find_assignee(const StepDef *def, const char *name,
						  Principal *result);
static void complete_step(RunState *rs, StepState *step, Jsonb *outputs,
						  const pg_uuid_t *lease_id);
static void fail_step(RunState *rs, StepState *step, Jsonb *error,
					  const pg_uuid_t *lease_id);
static void update_step(const pg_uuid_t *run_id, StaticPlan *plan,
						const pg_uuid_t *step_id, Jsonb *value,
						const pg_uuid_t *lease_id, const char *comments);
static Jsonb *pending_outcome(const StepOutcome *outcome);
static Jsonb *pending_member(Jsonb *pending, const char *name);

static bool
starts_at_once(const StepDef *def)
{
	return def->nafter == 0 && def->entry == NULL && def->entry_action == NULL;
}

/*
 * Create the records of the steps of the stage just entered, and begin those
 * that start at once.
 */
void
orch_engine_make_steps(RunState *rs)
{
	const StageDef *stage = &rs->def->stages[rs->stage];
	int			n = stage->nsteps;
	int			i;

	rs->nsteps = n;
	rs->max_steps = Max(n, 1);
	rs->steps = MemoryContextAllocZero(rs->context, rs->max_steps * sizeof(StepState));
	if (n == 0)
		return;
	for (i = 0; i < n; i++)
	{
		const StepDef *def = &rs->def->steps[stage->first_step + i];
		StepState  *step = &rs->steps[i];

		orch_uuid_generate(&step->id);
		step->def = stage->first_step + i;
		step->type = def->type;
		if (step->type == STEP_TYPE_BACKGROUND)
		{
			const Action *action = orch_action_find(def->action_name);

			if (action != NULL && action->kind == ACTION_WORKER)
				step->type = STEP_TYPE_ASYNCHRONOUS;
		}
		step->status = starts_at_once(def) ? STEP_IN_PROGRESS : STEP_NOT_STARTED;
		step->attempt = step->status == STEP_IN_PROGRESS ? 1 : 0;
	}
	if (orch_engine_gathers())
		for (i = 0; i < n; i++)
			gather_step(rs, &rs->steps[i]);
	else
		insert_steps(rs);

	/* an action may suspend the run it works for: what is in progress goes on */
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

/* Those of the stage, in one statement. */
static void
insert_steps(RunState *rs)
{
	int			n = rs->nsteps;
	pg_uuid_t  *ids = palloc(n * sizeof(pg_uuid_t));
	Datum	   *texts[5];
	bool	   *no_description = palloc0(n * sizeof(bool));
	Datum		values[9];
	int			dims[1];
	int			lbs[1] = {1};
	int			i;

	for (i = 0; i < 5; i++)
		texts[i] = palloc(n * sizeof(Datum));
	for (i = 0; i < n; i++)
	{
		const StepState *step = &rs->steps[i];
		const StepDef *def = &rs->def->steps[step->def];

		ids[i] = step->id;
		texts[0][i] = CStringGetTextDatum(def->name);
		texts[1][i] = CStringGetTextDatum(def->label);
		no_description[i] = def->description == NULL;
		texts[2][i] = no_description[i] ? (Datum) 0 :
			CStringGetTextDatum(def->description);
		texts[3][i] = CStringGetTextDatum(orch_catalog_label(ENUM_STEP_TYPE, step->type));
		texts[4][i] = CStringGetTextDatum(orch_catalog_label(ENUM_STEP_STATUS, step->status));
	}
	dims[0] = n;
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&rs->stage_id);
	values[2] = PointerGetDatum(orch_uuid_array(ids, n));
	for (i = 0; i < 5; i++)
		values[3 + i] = PointerGetDatum(construct_md_array(texts[i],
														   i == 2 ? no_description : NULL,
														   1, dims, lbs, TEXTOID, -1,
														   false, TYPALIGN_INT));
	values[8] = UUIDPGetDatum(&rs->def->orchestration_id);
	orch_guard_execute(SCOPE_TRUSTED, &plan_insert_steps, values, NULL, NULL);
}

/* A new step's row, for the batch. */
static void
gather_step(RunState *rs, const StepState *step)
{
	const StepDef *def = &rs->def->steps[step->def];
	Datum		values[Natts_step_run];
	char		nulls[Natts_step_run];
	TimestampTz now = orch_stamp();

	memset(nulls, 'n', sizeof(nulls));
	orch_engine_put(values, nulls, Anum_step_run_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(values, nulls, Anum_step_run_id, UUIDPGetDatum(&step->id));
	orch_engine_put(values, nulls, Anum_step_run_owner_id,
					UUIDPGetDatum(&orch_automated_process));
	orch_engine_put(values, nulls, Anum_step_run_orchestration_id,
					UUIDPGetDatum(&rs->def->orchestration_id));
	orch_engine_put(values, nulls, Anum_step_run_stage_run_id, UUIDPGetDatum(&rs->stage_id));
	orch_engine_put(values, nulls, Anum_step_run_created_at, TimestampTzGetDatum(now));
	orch_engine_put(values, nulls, Anum_step_run_step_type,
					ObjectIdGetDatum(orch_catalog_label_oid(ENUM_STEP_TYPE, step->type)));
	orch_engine_put(values, nulls, Anum_step_run_name, CStringGetTextDatum(def->name));
	orch_engine_put(values, nulls, Anum_step_run_label, CStringGetTextDatum(def->label));
	if (def->description != NULL)
		orch_engine_put(values, nulls, Anum_step_run_description,
						CStringGetTextDatum(def->description));
	orch_engine_put(values, nulls, Anum_step_run_status,
					ObjectIdGetDatum(orch_catalog_label_oid(ENUM_STEP_STATUS, step->status)));
	orch_engine_put(values, nulls, Anum_step_run_attempt, Int32GetDatum(step->attempt));
	orch_engine_put(values, nulls, Anum_step_run_modified_at, TimestampTzGetDatum(now));
	orch_engine_put(values, nulls, Anum_step_run_modified_minute,
					Int32GetDatum(orch_stamp_minute(now)));
	if (step->status == STEP_IN_PROGRESS)
		orch_engine_put(values, nulls, Anum_step_run_started_at,
						TimestampTzGetDatum(GetCurrentTimestamp()));
	orch_engine_write(rs, WRITE_STEP, values, nulls);
}

/*
 * Start every step whose entry condition now holds, and begin steps that were
 * set InProgress by hand.  Returns whether there was any.
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
			 /* by hand */ ;
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
		if (orch_engine_gathers())
		{
			Datum		values[2];

			values[0] = UUIDPGetDatum(&rs->id);
			values[1] = UUIDPGetDatum(&rs->steps[i].id);
			orch_engine_write(rs, WRITE_STEP_STARTED, values, NULL);
		}
		else
			update_step(&rs->id, &plan_start_step, &rs->steps[i].id, NULL, NULL, NULL);
		rs->steps[i].status = STEP_IN_PROGRESS;
		rs->steps[i].attempt++;
		any = true;
		if (!orch_engine_still_moves(rs))
			break;
		if (i < rs->nsteps && rs->steps[i].status == STEP_IN_PROGRESS)
			begin_step(rs, i);
	}
	return any;
}

/*
 * Complete every interactive step whose condition of completion now holds.
 * Returns whether there was any, or the run was moved.
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
		/* his assignee may not have finished: then his work is done without him */
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
 * A step cannot be begun: it fails, or the run outside of it.  Was the run
 * suspended by an action meanwhile, the failure waits as pending.
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
		fail_step(rs, step, error, NULL);
	else
		orch_engine_fail_stage(rs, error, false);
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
 * Carry out the action, here and now.
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
	ORCH_ENGINE_TRY(rs);
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
			run_as = run_as_user(rs, def, &principal);
		outputs = orch_action_call(action, inputs, run_as, GATE_ACTION);
	}
	ORCH_ENGINE_CATCH(error);
	rs->record_loaded = false;

	/* did the action change the run it works for? */
	if (rs->frame->dirty)
		orch_engine_reload(rs);
	if (n >= rs->nsteps || rs->steps[n].status != STEP_IN_PROGRESS)
		return;
	if (error != NULL && !calling)
	{
		cannot_begin(rs, &rs->steps[n], orch_engine_error(error, def->name), false);
		return;
	}
	memset(&outcome, 0, sizeof(outcome));
	outcome.success = error == NULL;
	outcome.outputs = outputs;
	if (error != NULL)
		outcome.error = orch_engine_error(error, NULL);
	if (rs->status == RUN_IN_PROGRESS)
		orch_engine_take_outcome(rs, &rs->steps[n], &outcome);
	else if (rs->status == RUN_SUSPENDED)
		orch_engine_keep_outcome(&rs->id, &rs->steps[n].id, &outcome);
}

/*
 * Queue the action for a worker.
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
	Datum		values[9];
	char		nulls[9] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};

	ORCH_ENGINE_TRY(rs);
	{
		inputs = orch_engine_step_inputs(rs, def);
		computed = true;
		if (def->assignee != NULL)
			run_as = run_as_user(rs, def, &principal);
	}
	ORCH_ENGINE_CATCH(error);
	if (error != NULL)
	{
		cannot_begin(rs, step, orch_engine_error(error, def->name), computed);
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
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&step->id);
	values[2] = CStringGetTextDatum(action->kind == ACTION_WORKER ? action->topic : "");
	values[3] = CStringGetTextDatum(def->action_name);
	values[4] = JsonbPGetDatum(inputs);
	values[5] = UUIDPGetDatum(&rs->def->orchestration_id);
	values[6] = CStringGetTextDatum(def->name);
	values[7] = UUIDPGetDatum(run_as);
	if (run_as == NULL)
		nulls[7] = 'n';
	values[8] = Float8GetDatum(action->timeout);
	if (action->timeout == 0)
		nulls[8] = 'n';
	/* before the step has its available_at */
	orch_notify_queued(action->kind == ACTION_WORKER ? action->topic : "");
	/* one that begins again may still be in the queue */
	if (orch_engine_gathers() && step->attempt == 1)
		gather_queued(rs, values, nulls, action->timeout);
	else
	{
		orch_engine_flush();
		orch_plan_execute_latest(&plan_queue_step, values, nulls, 0);
	}
}

/* Its row, for the batch; values as plan_queue_step has them. */
static void
gather_queued(RunState *rs, const Datum *given, const char *absent, double timeout)
{
	static const AttrNumber columns[8] = {
		Anum_step_queue_run_id, Anum_step_queue_step_run_id, Anum_step_queue_topic,
		Anum_step_queue_action, Anum_step_queue_inputs, Anum_step_queue_orchestration_id,
		Anum_step_queue_step_name, Anum_step_queue_run_as
	};
	Datum		values[Natts_step_queue];
	char		nulls[Natts_step_queue];
	Interval	interval;
	int			i;

	memset(nulls, 'n', sizeof(nulls));
	for (i = 0; i < (int) lengthof(columns); i++)
		if (absent[i] != 'n')
			orch_engine_put(values, nulls, columns[i], given[i]);
	if (timeout != 0)
	{
		memset(&interval, 0, sizeof(interval));
		interval.time = (TimeOffset) rint(timeout * USECS_PER_SEC);
		orch_engine_put(values, nulls, Anum_step_queue_timeout, IntervalPGetDatum(&interval));
	}
	orch_engine_put(values, nulls, Anum_step_queue_available_at,
					TimestampTzGetDatum(GetCurrentTimestamp()));
	orch_engine_put(values, nulls, Anum_step_queue_attempt, Int32GetDatum(0));
	orch_engine_put(values, nulls, Anum_step_queue_failures, Int32GetDatum(0));
	orch_engine_put(values, nulls, Anum_step_queue_lost, Int32GetDatum(0));
	orch_engine_write(rs, WRITE_QUEUE, values, nulls);
}

/*
 * The record type that has such a record.  The key may come from the user who started
 * the run, and the work item says what was found: only what he can read himself.  A
 * user without a role of his own acts through another's connection, which decides what
 * he sees; then, and where no user started it, the extension looks.
 */
static char *
find_related_type(RunState *rs, const char *key)
{
	static StaticPlan plan_role = {
		"SELECT role_name::pg_catalog.text FROM orchestration.principal"
		" WHERE id = $1 AND role_name IS NOT NULL",
		1, {UUIDOID}
	};
	Datum		value = UUIDPGetDatum(&rs->started_by);
	Oid			role = InvalidOid;

	orch_plan_execute_latest(&plan_role, &value, NULL, 1);
	if (SPI_processed > 0)
		role = get_role_oid(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
							true);
	if (OidIsValid(role) && !orch_access_is_unlimited(orch_access_of_role(role)))
		return orch_record_find_readable(key, role);
	return orch_record_find_type(key);
}

/*
 * Make the work item.
 */
static void
begin_interactive(RunState *rs, int n)
{
	StepState  *step = &rs->steps[n];
	const StepDef *def = &rs->def->steps[step->def];
	ErrorData  *volatile error = NULL;
	Jsonb	   *volatile inputs = NULL;
	char	   *volatile assignee = NULL;
	char	   *volatile record = NULL;
	char	   *volatile record_type = NULL;
	Principal	principal;
	Datum		values[13];
	char		nulls[13];
	const Action *action;
	char	   *description;

	ORCH_ENGINE_TRY(rs);
	{
		inputs = orch_engine_step_inputs(rs, def);
		if (def->assignee != NULL)
			assignee = orch_condition_value_text(orch_engine_value(rs, def->assignee));
		if (def->context_record != NULL)
			record = orch_condition_value_text(orch_engine_value(rs, def->context_record));
		if (assignee == NULL || !find_assignee(def, assignee, &principal))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
					 assignee == NULL ?
					 errmsg("the assignee of step \"%s\" is empty", def->name) :
					 errmsg("the assignee \"%s\" of step \"%s\" names nobody",
							assignee, def->name)));
	}
	ORCH_ENGINE_CATCH(error);
	if (error != NULL)
	{
		cannot_begin(rs, step, orch_engine_error(error, def->name), false);
		return;
	}
	if (!principal.is_active)
	{
		ErrorData	inactive;

		memset(&inactive, 0, sizeof(inactive));
		inactive.sqlerrcode = ERRCODE_ORCH_UNKNOWN_PRINCIPAL;
		inactive.message = psprintf("the assignee \"%s\" of step \"%s\" is inactive",
									assignee, def->name);
		inactive.hint = "Activate the assignee and resume the run.";
		cannot_begin(rs, step, orch_engine_error(&inactive, NULL), true);
		return;
	}

	/*
	 * The run's own record needs no lock: who deletes it has to pass the run's
	 * row.  Another one is looked for and locked.
	 */
	if (record != NULL)
	{
		if (rs->record_key != NULL && strcmp(record, rs->record_key) == 0)
			record_type = rs->record_type;
		else
			record_type = find_related_type(rs, record);
	}

	memset(nulls, ' ', sizeof(nulls));
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&step->id);
	values[2] = UUIDPGetDatum(&principal.id);
	values[3] = CStringGetTextDatum(def->label);
	if (def->description != NULL)
	{
		description = pnstrdup(def->description,
							   pg_mbcharcliplen(def->description,
												strlen(def->description),
												MAX_ITEM_DESCRIPTION));
		values[4] = CStringGetTextDatum(description);
	}
	else
		nulls[4] = 'n';
	values[5] = CStringGetTextDatum(def->action_name);
	values[6] = JsonbPGetDatum(inputs);
	if (record_type != NULL)
	{
		values[7] = CStringGetTextDatum(record_type);
		values[8] = CStringGetTextDatum(record);
	}
	else
		nulls[7] = nulls[8] = 'n';
	values[9] = UUIDPGetDatum(&rs->def->orchestration_id);
	values[10] = BoolGetDatum(def->locks_record);
	values[11] = BoolGetDatum(def->assignee_can_edit);
	action = orch_action_find(def->action_name);
	values[12] = Float8GetDatum(action == NULL ? 0 : action->due);
	if (action == NULL || action->due == 0)
		nulls[12] = 'n';
	if (orch_engine_gathers())
		orch_engine_write(rs, WRITE_WORK_ITEM, values, nulls);
	else
	{
		orch_guard_execute(SCOPE_TRUSTED, &plan_insert_work_item, values, nulls, NULL);
	}
	orch_notify_assigned(&principal.id);
}

/*
 * The user as whom a step's action runs (runAsUser).  Raises 42501 when the action may
 * not, OR103 when there is no active user; that fails the step.
 */
static const pg_uuid_t *
run_as_user(RunState *rs, const StepDef *def, Principal *principal)
{
	char	   *name = orch_condition_value_text(orch_engine_value(rs, def->assignee));
	const Action *action = orch_action_find(def->action_name);

	if (action != NULL)
		orch_action_require_run_as(action);
	if (name == NULL || !find_assignee(def, name, principal) ||
		principal->kind != PRINCIPAL_USER || !principal->is_active)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("step \"%s\" runs as \"%s\", who is no active user", def->name,
						name == NULL ? "" : name),
				 errhint("Create or activate the user and resume the run.")));
	return &principal->id;
}

/*
 * By name, as the platform has it, or by the id that a field of a record or an
 * output may hold.
 */
static bool
find_assignee(const StepDef *def, const char *name, Principal *result)
{
	static const PrincipalKind kinds[] = {
		PRINCIPAL_USER, PRINCIPAL_GROUP, PRINCIPAL_QUEUE
	};
	pg_uuid_t	id;
	int			i;

	for (i = 0; i < (int) lengthof(kinds); i++)
		if ((def->assignee_kind == ASSIGNEE_RESOURCE || (int) def->assignee_kind == i) &&
			orch_principal_find(kinds[i], name, result))
			return true;
	return orch_uuid_parse(name, &id) && orch_principal_get(&id, result) &&
		(def->assignee_kind == ASSIGNEE_RESOURCE ||
		 kinds[def->assignee_kind] == result->kind);
}

/*
 * A step that is InProgress ended, in a run that is InProgress.
 */
void
orch_engine_take_outcome(RunState *rs, StepState *step,
						 const StepOutcome *outcome)
{
	if (outcome->success && completes_by_condition(&rs->def->steps[step->def]))
		keep_outputs(rs, step, outcome->outputs);
	else if (outcome->success)
		complete_step(rs, step, outcome->outputs, outcome->lease_id);
	else
		fail_step(rs, step, outcome->error, outcome->lease_id);
}

/*
 * Its assignee finished, its condition has not the last word yet: the step
 * stays, or is again, InProgress.
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
 * An outcome as step_run.pending keeps it.
 */
static Jsonb *
pending_outcome(const StepOutcome *outcome)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;
	Jsonb	   *body = outcome->success ? outcome->outputs : outcome->error;
	const char *texts[3];
	int			i;

	texts[0] = "outcome";
	texts[1] = outcome->success ? "Completed" : "Error";
	texts[2] = outcome->success ? "outputs" : "error";
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < (body == NULL ? 2 : 3); i++)
	{
		value.type = jbvString;
		value.val.string.val = (char *) texts[i];
		value.val.string.len = strlen(texts[i]);
		pushJsonbValue(&state, i == 1 ? WJB_VALUE : WJB_KEY, &value);
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
	JsonbValue	key;
	JsonbValue *value;

	key.type = jbvString;
	key.val.string.val = (char *) name;
	key.val.string.len = strlen(name);
	value = findJsonbValueFromContainer(&pending->root, JB_FOBJECT, &key);
	return value == NULL ? NULL : JsonbValueToJsonb(value);
}

/*
 * The run goes on: take in what is pending, begin again what was stopped.
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

		if (error != NULL)
			fail_step(rs, step, error, NULL);
		else if (completes_by_condition(&rs->def->steps[step->def]))
			keep_outputs(rs, step, outputs);
		else
			complete_step(rs, step, outputs, NULL);
		return;
	}
	if (step->status == STEP_IN_PROGRESS)
		return;
	update_step(&rs->id, &plan_start_step, &step->id, NULL, NULL, NULL);
	step->status = STEP_IN_PROGRESS;
	step->attempt++;
	begin_step(rs, step - rs->steps);
}

/*
 * An interactive step's screen failed: it stays, the others are discontinued.
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

	step->outputs = outputs == NULL ? NULL :
		DatumGetJsonbPCopy(JsonbPGetDatum(outputs));
	MemoryContextSwitchTo(old);
	if (outputs != NULL && JB_ROOT_IS_OBJECT(outputs))
		comments = orch_engine_comments(outputs);
	if (orch_engine_gathers() && comments == NULL && step->pending == NULL)
	{
		Datum		values[4];
		char		nulls[4] = {' ', ' ', outputs == NULL ? 'n' : ' ', lease_id == NULL ? 'n' : ' '};

		values[0] = UUIDPGetDatum(&rs->id);
		values[1] = UUIDPGetDatum(&step->id);
		values[2] = JsonbPGetDatum(outputs);
		values[3] = UUIDPGetDatum(lease_id);
		orch_engine_write(rs, WRITE_STEP_COMPLETED, values, nulls);
		step->status = STEP_COMPLETED;
		return;
	}
	update_step(&rs->id, step->pending != NULL ? &plan_complete_step_pending :
				&plan_complete_step, &step->id, outputs, lease_id,
				comments == NULL || comments->type != jbvString ? NULL :
				pnstrdup(comments->val.string.val, comments->val.string.len));
	step->status = STEP_COMPLETED;
	step->pending = NULL;
}

/*
 * The step fails, its stage with it, the run with both.  That is recoverable:
 * what is not, fails outside the step.
 */
static void
fail_step(RunState *rs, StepState *step, Jsonb *error,
		  const pg_uuid_t *lease_id)
{
	const char *name = rs->def->steps[step->def].name;
	JsonbParseState *state = NULL;
	JsonbValue	value;

	update_step(&rs->id, &plan_fail_step, &step->id, error, lease_id, NULL);
	step->status = STEP_ERROR;
	step->pending = NULL;

	/* the same with the name of the step, for stage and run */
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

	orch_engine_fail_stage(rs, error, true);
}

/*
 * An update of a step that the engine vouches for.
 */
static void
update_step(const pg_uuid_t *run_id, StaticPlan *plan, const pg_uuid_t *step_id,
			Jsonb *value, const pg_uuid_t *lease_id, const char *comments)
{
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
	orch_guard_execute(SCOPE_TRUSTED, plan, values, nulls, comments);
	if (SPI_processed == 0)
		elog(ERROR, "step %s is gone", orch_uuid_text(step_id));
}

void
orch_engine_keep_outcome(const pg_uuid_t *run_id, const pg_uuid_t *step_id,
						 const StepOutcome *outcome)
{
	update_step(run_id, &plan_keep_pending, step_id, pending_outcome(outcome),
				outcome->lease_id, NULL);
}
