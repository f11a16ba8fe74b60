/*-------------------------------------------------------------------------
 *
 * engine_state.c
 *	  The run in memory: loaded under its lock, held while the engine moves it,
 *	  and what is undone when something in it fails.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine_state.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "engine_int.h"
#include "errors.h"
#include "history.h"
#include "log.h"
#include "system.h"
#include "transition.h"
#include "uuid.h"

static StaticPlan plan_load_run = {
	"SELECT status, version_id, triggering_record_type, triggering_record_id,"
	" variables, current_stage, COALESCE(interview_id, id),"
	" COALESCE(created_by, '00000000-0000-7000-8000-000000000001'), created_at"
	" FROM orchestration.run WHERE id = $1 FOR NO KEY UPDATE",
	1, {UUIDOID}
};
static StaticPlan plan_load_stage = {
	"SELECT id, name, status, position FROM orchestration.stage_run"
	" WHERE run_id = $1 ORDER BY position DESC LIMIT 1",
	1, {UUIDOID}
};
static StaticPlan plan_load_steps = {
	"SELECT id, name, status, step_type, attempt, outputs, pending"
	" FROM orchestration.step_run WHERE run_id = $1 AND stage_run_id = $2"
	" ORDER BY id",
	2, {UUIDOID, UUIDOID}
};
static void read_state(RunState *rs);

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
 * Take the lock on a run and read it.  The state's context is a child of the
 * caller's context before SPI_connect().
 */
RunState *
orch_engine_load_run(const pg_uuid_t *run_id)
{
	RunState   *rs = orch_engine_make_state(NULL);

	MemoryContextSetParent(rs->context, TopTransactionContext);
	rs->id = *run_id;
	read_state(rs);
	return rs;
}

/*
 * Read the run, its last stage, and that stage's steps.
 */
static void
read_state(RunState *rs)
{
	Datum		values[2];
	HeapTuple	tuple;
	TupleDesc	desc;
	bool		isnull;
	Datum		value;
	Jsonb	   *variables = NULL;
	MemoryContext old;
	StageStatus stage_status = STAGE_COMPLETED;
	char	   *stage_name;
	int			i;

	values[0] = UUIDPGetDatum(&rs->id);
	orch_plan_execute_latest(&plan_load_run, values, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("run %s does not exist", orch_uuid_text(&rs->id))));
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	rs->status = (RunStatus)
		orch_catalog_label_value(ENUM_RUN_STATUS,
								 DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull)));
	value = SPI_getbinval(tuple, desc, 2, &isnull);
	if (isnull)
		return;
	rs->def = orch_definition_get(DatumGetUUIDP(value));

	old = MemoryContextSwitchTo(rs->context);
	rs->record_type = SPI_getvalue(tuple, desc, 3);
	rs->record_key = SPI_getvalue(tuple, desc, 4);
	rs->record_loaded = false;
	if (rs->record_type != NULL)
		rs->record_type = pstrdup(rs->record_type);
	if (rs->record_key != NULL)
		rs->record_key = pstrdup(rs->record_key);
	value = SPI_getbinval(tuple, desc, 5, &isnull);
	if (!isnull)
		variables = DatumGetJsonbPCopy(value);
	rs->current_stage = SPI_getvalue(tuple, desc, 6);
	if (rs->current_stage != NULL)
		rs->current_stage = pstrdup(rs->current_stage);
	rs->interview_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 7, &isnull));
	rs->started_by = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 8, &isnull));
	rs->started_at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 9, &isnull));
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);

	if (rs->variables == NULL)
		orch_engine_init_values(rs);
	if (!rs->variables_changed)
		orch_engine_load_variables(rs, variables);

	rs->stage_open = false;
	rs->nsteps = 0;
	rs->position = 0;
	rs->next = rs->def->start;
	orch_plan_execute_latest(&plan_load_stage, values, NULL, 1);
	if (SPI_processed == 0)
		return;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	rs->stage_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
	stage_name = SPI_getvalue(tuple, desc, 2);
	stage_status = (StageStatus)
		orch_catalog_label_value(ENUM_STAGE_STATUS,
								 DatumGetObjectId(SPI_getbinval(tuple, desc, 3, &isnull)));
	rs->position = DatumGetInt32(SPI_getbinval(tuple, desc, 4, &isnull));
	rs->stage = orch_definition_stage_index(rs->def, stage_name);
	if (rs->stage < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("run %s has a stage \"%s\" that its version does not define",
						orch_uuid_text(&rs->id), stage_name)));
	SPI_freetuptable(SPI_tuptable);
	rs->stage_open = stage_status == STAGE_IN_PROGRESS ||
		stage_status == STAGE_SUSPENDED;
	/* a failed stage in a run that goes on: along its fault path */
	rs->next = stage_status == STAGE_ERROR && rs->def->stages[rs->stage].has_fault ?
		rs->def->stages[rs->stage].fault : rs->def->stages[rs->stage].connector;

	values[1] = UUIDPGetDatum(&rs->stage_id);
	orch_plan_execute_latest(&plan_load_steps, values, NULL, 0);
	old = MemoryContextSwitchTo(rs->context);
	rs->nsteps = (int) SPI_processed;
	rs->steps = palloc0(Max(rs->nsteps, 1) * sizeof(StepState));
	for (i = 0; i < rs->nsteps; i++)
	{
		StepState  *step = &rs->steps[i];
		char	   *name;

		tuple = SPI_tuptable->vals[i];
		desc = SPI_tuptable->tupdesc;
		step->id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
		name = SPI_getvalue(tuple, desc, 2);
		step->def = orch_definition_step_index(rs->def, name);
		if (step->def < 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("run %s has a step \"%s\" that its version does not define",
							orch_uuid_text(&rs->id), name)));
		step->status = (StepStatus)
			orch_catalog_label_value(ENUM_STEP_STATUS,
									 DatumGetObjectId(SPI_getbinval(tuple, desc, 3, &isnull)));
		step->type = (StepType)
			orch_catalog_label_value(ENUM_STEP_TYPE,
									 DatumGetObjectId(SPI_getbinval(tuple, desc, 4, &isnull)));
		step->attempt = DatumGetInt32(SPI_getbinval(tuple, desc, 5, &isnull));
		value = SPI_getbinval(tuple, desc, 6, &isnull);
		if (!isnull)
			step->outputs = DatumGetJsonbPCopy(value);
		value = SPI_getbinval(tuple, desc, 7, &isnull);
		if (!isnull)
			step->pending = DatumGetJsonbPCopy(value);
	}
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Somebody else wrote to the run: read it again.
 */
void
orch_engine_reload(RunState *rs)
{
	rs->frame->dirty = false;
	read_state(rs);
}

/*
 * From here on the engine moves the run.
 */
void
orch_engine_open_state(RunState *rs)
{
	rs->frame = orch_frame_push(FRAME_ENGINE, InvalidOid, &rs->id);
}

/*
 * The engine is done with the run; the outermost writes the log.
 */
void
orch_engine_close_state(RunState *rs)
{
	Frame	   *frame;

	orch_frame_pop(rs->frame);
	/* an action changed the run that it works for: tell the outer call */
	frame = orch_frame_engine(&rs->id);
	if (frame != NULL)
		frame->dirty = true;
	for (frame = orch_frame_top(); frame != NULL; frame = frame->outer)
		if (frame->kind == FRAME_ENGINE)
			return;
	orch_log_flush();
	orch_history_flush();
}

/* ------------------------------------------------------------------ errors */

/*
 * What is kept of an error: run.error, stage_run.error, step_run.error.
 */
Jsonb *
orch_engine_error(ErrorData *error, const char *element)
{
	JsonbParseState *state = NULL;
	const char *keys[6] = {"message", "sqlstate", "detail", "hint", "context",
	"element"};
	const char *texts[6];
	int			i;

	texts[0] = error->message;
	texts[1] = unpack_sql_state(error->sqlerrcode);
	texts[2] = error->detail;
	texts[3] = error->hint;
	texts[4] = error->context;
	texts[5] = element;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < 6; i++)
	{
		JsonbValue	value;

		if (texts[i] == NULL)
			continue;
		value.type = jbvString;
		value.val.string.val = (char *) keys[i];
		value.val.string.len = strlen(keys[i]);
		pushJsonbValue(&state, WJB_KEY, &value);
		value.val.string.val = (char *) texts[i];
		value.val.string.len = strlen(texts[i]);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Begin a subtransaction for something that may fail.
 */
void
orch_engine_begin_attempt(Attempt *attempt)
{
	attempt->context = CurrentMemoryContext;
	attempt->owner = CurrentResourceOwner;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(attempt->context);
}

/*
 * It went well.
 */
void
orch_engine_end_attempt(Attempt *attempt)
{
	ReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(attempt->context);
	CurrentResourceOwner = attempt->owner;
}

/*
 * It failed: undo it and return the error; what is nobody's failure goes on up.
 */
ErrorData *
orch_engine_fail_attempt(Attempt *attempt)
{
	ErrorData  *error;
	int			category;

	MemoryContextSwitchTo(attempt->context);
	error = CopyErrorData();
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(attempt->context);
	CurrentResourceOwner = attempt->owner;

	category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	if (category == ERRCODE_TRANSACTION_ROLLBACK ||
		category == ERRCODE_OPERATOR_INTERVENTION ||
		category == ERRCODE_INSUFFICIENT_RESOURCES)
		ReThrowError(error);
	return error;
}
