/*-------------------------------------------------------------------------
 *
 * engine_fail.c
 *	  Failures: attempts in a subtransaction, and the recording of an error for the
 *	  stage or the run.
 *
 * This file is separate from engine.c because both the path of a run (engine.c) and its
 * steps (engine_step.c) fail stages and runs.  The functions here record the failure and
 * do not move the run; the caller continues from the new state.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_fail.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/counter.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "record/action.h"

static StaticPlan plan_fail_stage = {
	"UPDATE orchestration.stage_run SET status = 'Error', error = $3,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" WHERE run_id = $1 AND id = $2",
	3, {UUIDOID, UUIDOID, JSONBOID}
};
static StaticPlan plan_fail_run = {
	"UPDATE orchestration.run SET status = 'Error', error = $2,"
	" error_recoverable = $3, current_stage = $4, variables = $5 WHERE id = $1",
	5, {UUIDOID, JSONBOID, BOOLOID, TEXTOID, JSONBOID}
};

/*
 * Characters of each text of an error that are stored, three times: a user's function may raise
 * megabytes.
 */
#define MAX_ERROR_TEXT	10000

static bool is_raised_by_function(const ErrorData *error);

/* ---------------------------------------------------------------- attempts */

/*
 * Begin an attempt, in a subtransaction of its own.
 */
void
orch_engine_begin_attempt(Attempt *attempt)
{
	orch_subtransaction_begin(&attempt->sub);
}

/*
 * End an attempt that succeeded.
 */
void
orch_engine_end_attempt(Attempt *attempt)
{
	orch_subtransaction_commit(&attempt->sub);
}

/*
 * Did a function raise the error itself (RAISE)?  Then its SQLSTATE does not come from the
 * server.  In a call that carries out functions of several runs, a function that raises
 * the SQLSTATE of a cancellation must not stop the other functions.
 */
static bool
is_raised_by_function(const ErrorData *error)
{
	static const char *const languages[] = {"pl_exec.c", "plpy_elog.c", "plperl.c", "pltcl.c"};
	const char *name;
	int			i;

	if (error->filename == NULL)
		return false;
	name = strrchr(error->filename, '/');
	name = name == NULL ? error->filename : name + 1;
	for (i = 0; i < (int) lengthof(languages); i++)
		if (strcmp(name, languages[i]) == 0)
			return true;
	return false;
}

/*
 * Undo an attempt that failed, and return the error.  Errors of the server and
 * cancellations are raised again: they are not failures of the run.
 */
ErrorData *
orch_engine_fail_attempt(Attempt *attempt)
{
	ErrorData  *error = orch_subtransaction_catch(&attempt->sub);

	if (attempt->one_of_many && is_raised_by_function(error))
		return error;
	/* a chain that is too long fails the statement that began it, not this run */
	if (orch_engine_is_server_error(error->sqlerrcode) ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
		(error->sqlerrcode == ERRCODE_ORCH_CHAIN_TOO_LONG && orch_frame_any_run()))
		ReThrowError(error);
	return error;
}

/*
 * Is it an error of the server, or a conflict of transactions?  Such an error has no cause
 * in the run: a retry may succeed.
 */
bool
orch_engine_is_server_error(int sqlstate)
{
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	return category == ERRCODE_TRANSACTION_ROLLBACK ||
		category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
		category == ERRCODE_SYSTEM_ERROR ||
		sqlstate == ERRCODE_DATA_CORRUPTED ||
		sqlstate == ERRCODE_INDEX_CORRUPTED;
}

/*
 * Is it an error of a user's table: the record type has no table, the table lacks a column
 * that the definition reads?  When that is mended, the run can be resumed.
 */
bool
orch_engine_can_be_mended(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_ORCH_UNKNOWN_RECORD_TYPE ||
		error->sqlerrcode == ERRCODE_UNDEFINED_COLUMN;
}

/*
 * The reason why the engine cannot move runs of a version; NULL if it can.
 */
char *
orch_engine_version_problem(const pg_uuid_t *version_id)
{
	ErrorData  *volatile error = NULL;

	ORCH_ENGINE_TRY();
	{
		(void) orch_definition_get(version_id);
	}
	ORCH_ENGINE_CATCH(error);
	return error == NULL ? NULL : error->message;
}

/* ----------------------------------------------------------------- failure */

/*
 * An error as the JSON object of run.error, stage_run.error and step_run.error.
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
		value.val.string.len = pg_mbcharcliplen(texts[i], strlen(texts[i]), MAX_ERROR_TEXT);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Fail the run.  in_stage: the caller has failed the open stage; otherwise the guard
 * discontinues the stage.
 */
void
orch_engine_fail_run(RunState *rs, Jsonb *error, bool recoverable, bool in_stage)
{
	const char *stage = orch_engine_stage_name(rs);
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
 * Fail the open stage; the guard discontinues its steps in progress.  The run continues
 * along the stage's fault path; if the stage has none, the run fails too, and its stage is
 * Error if a step of it failed (in_step) or a resumed run begins it again.
 */
void
orch_engine_fail_stage(RunState *rs, Jsonb *error, bool recoverable, bool in_step)
{
	const StageDef *def = &rs->def->stages[rs->stage];
	JsonbValue *message;
	Datum		values[3];
	int			i;

	if (!orch_engine_still_moves(rs))
		return;
	if (!def->has_fault && !recoverable && !in_step)
	{
		orch_engine_fail_run(rs, error, false, false);
		return;
	}
	orch_engine_leave_batch(rs);
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&rs->stage_id);
	values[2] = JsonbPGetDatum(error);
	/* not trusted: the guard discontinues the other steps */
	orch_guard_execute(SCOPE_ENGINE, &plan_fail_stage, values, NULL, NULL);
	if (!def->has_fault)
	{
		orch_engine_fail_run(rs, error, recoverable, true);
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
	/* a user's trigger may have changed the run meanwhile */
	if (rs->frame->dirty)
		orch_engine_reload(rs);
	if (!rs->stage_open && rs->stage_status == STAGE_ERROR)
		rs->next = def->fault;
}

/*
 * Does a condition hold?  If it cannot be computed, the stage fails.
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
	ORCH_ENGINE_TRY();
	{
		holds = action != NULL ? orch_engine_evaluate(rs, action) :
			orch_engine_holds(rs, set);
	}
	ORCH_ENGINE_CATCH(error);
	rs->look_back = false;
	if (action != NULL)
		orch_engine_forget_records(rs);
	if (rs->frame->dirty)
	{
		/* a function that decides a condition may have changed the run */
		orch_engine_reload(rs);
		if (rs->status != RUN_IN_PROGRESS || !rs->stage_open ||
			!orch_uuid_equal(&rs->stage_id, &stage_id))
			return VERDICT_MOVED;
	}
	if (error != NULL)
	{
		/* a condition that is not mended would fail again */
		orch_engine_fail_stage(rs, orch_engine_error(error, element),
							   action != NULL || orch_engine_can_be_mended(error), false);
		return VERDICT_MOVED;
	}
	return holds ? VERDICT_YES : VERDICT_NO;
}
