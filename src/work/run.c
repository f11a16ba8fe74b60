/*-------------------------------------------------------------------------
 *
 * run.c
 *	  Calls on runs: start, suspend, resume, cancel, events.
 *
 * suspend_run(), resume_run() and cancel_run() do what an UPDATE of the status by the caller
 * does; the guard makes the consequences.  Each can be called again after a network failure:
 * it is no error if the run already has that status.  run_retry.c resumes many runs.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/run.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/limit.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "definition/definition.h"
#include "engine/engine.h"
#include "guard/guard.h"
#include "guard/transition.h"
#include "record/principal.h"
#include "record/record.h"
#include "work/run.h"

#define MAX_IDEMPOTENCY_KEY 255

static StaticPlan plan_suspend = {
	"UPDATE orchestration.run SET status = 'Suspended'"
	" WHERE id = $1 AND status <> 'Suspended'",
	1, {UUIDOID}
};
static StaticPlan plan_resume = {
	"UPDATE orchestration.run SET status = 'InProgress'"
	" WHERE id = $1 AND status <> 'InProgress'",
	1, {UUIDOID}
};
static StaticPlan plan_status = {
	"SELECT status, CASE WHEN status = 'Error' THEN error ->> 'message' END"
	" FROM orchestration.run WHERE id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_cancel = {
	"UPDATE orchestration.run SET status = 'Canceled'"
	" WHERE id = $1 AND status <> 'Canceled'",
	1, {UUIDOID}
};

typedef void (*RequireRun) (Oid role, const pg_uuid_t *run_id);

static Datum move_run(FunctionCallInfo fcinfo, StaticPlan *plan, RequireRun require,
					  const char *comments);
static Frame *enter_run(FunctionCallInfo fcinfo, SystemContext *saved, RequireRun require,
						RunStatus *status);
static void leave_run(Frame *frame, SystemContext *saved);

PG_FUNCTION_INFO_V1(orchestration_start_orchestration);

/*
 * orchestration.start_orchestration(orchestration text, record_key text, inputs jsonb,
 *		idempotency_key text, owner_id uuid) returns uuid; also with record_id "any"
 *
 * Starts a run of the active version and moves it as far as it goes, in this transaction.
 * Returns the id of the run.  If the idempotency key was used before for this orchestration,
 * with the same record and inputs, returns the id of that run and does nothing.  record_id is
 * the key of the record that the run is about: its type is the definition's start.object or,
 * if the definition has none, the registered record type that has such a record.  The caller
 * must be able to read it.
 * Raises: 22004 for a null name, OR202 and OR203 for an unknown or inactive orchestration,
 * 42809 for an evaluation flow, OR101 if there is no such record, OR103 for an owner that is
 * no active user, 42501 for a role that acts as no active user and for another owner
 * without Manage Orchestration Runs or Modify All Data, OR306 for inputs that do not fit,
 * OR309 for a key that was used with another record or other inputs.
 * Source: contract/transitions.csv, line 2.
 */
Datum
orchestration_start_orchestration(PG_FUNCTION_ARGS)
{
	StartRequest request;
	pg_uuid_t	started_by;
	pg_uuid_t  *run_id = palloc(sizeof(pg_uuid_t));
	Oid			role = GetUserId();
	AccessSet  *caller;
	char	   *key;
	bool		is_user;
	bool		may_give_away;
	pg_uuid_t	user_id;

	orch_require_arguments(fcinfo, 0, 1, "orchestration");
	caller = orch_access_require_user(role);
	is_user = caller->is_user;
	user_id = caller->user_id;
	may_give_away = (caller->permissions &
					 (PERMISSION_MODIFY_ALL_DATA | PERMISSION_MANAGE_RUNS)) != 0;
	memset(&request, 0, sizeof(request));
	request.definition = orch_definition_hold_active(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	orch_run_require_orchestration(request.definition);
	key = orch_argument_key(fcinfo, 1);
	if (!PG_ARGISNULL(2))
		request.inputs = PG_GETARG_JSONB_P(2);
	orch_engine_set_starter(&request, &started_by);
	request.idempotency_key = orch_run_key_argument(fcinfo, 3);
	if (request.idempotency_key != NULL)
		request.digest = orch_digest_request(key, request.inputs);
	if (orch_engine_find_started(&request, run_id))
		PG_RETURN_UUID_P(run_id);
	if (key != NULL)
		orch_run_set_record(&request, key, role);
	if (!PG_ARGISNULL(4))
	{
		Principal	owner;

		request.owner_id = PG_GETARG_UUID_P(4);
		if (!orch_principal_get(request.owner_id, &owner) ||
			owner.kind != PRINCIPAL_USER || !owner.is_active)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
					 errmsg("owner %s is no active user",
							orch_uuid_text(request.owner_id))));
		if (!may_give_away &&
			!(is_user && orch_uuid_equal(request.owner_id, &user_id)))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("user \"%s\" may not start runs for another owner",
							orch_principal_role_label(role)),
					 errdetail("It needs the permission Manage Orchestration Runs or Modify All Data.")));
	}
	orch_engine_start(&request, run_id);
	PG_RETURN_UUID_P(run_id);
}

void
orch_run_require_orchestration(const Definition *definition)
{
	if (definition->kind == DEFINITION_EVALUATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is an evaluation flow: it is asked, not started",
						definition->name)));
}

char *
orch_run_key_argument(FunctionCallInfo fcinfo, int argno)
{
	char	   *key;

	if (PG_ARGISNULL(argno))
		return NULL;
	key = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	if (key[0] == '\0' || pg_mbstrlen(key) > MAX_IDEMPOTENCY_KEY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an idempotency key must have 1 to %d characters",
						MAX_IDEMPOTENCY_KEY)));
	return key;
}

/*
 * The record type is the definition's or, where the definition has none, the type that has
 * a record with the key.  A record that the role cannot read is refused as one that does
 * not exist.
 */
void
orch_run_set_record(StartRequest *request, char *key, Oid role)
{
	bool		unlimited = orch_access_is_unlimited(orch_access_of_role(role));
	char	   *id = key;

	request->record_type = request->definition->record_type;
	if (request->record_type == NULL)
	{
		request->record_type = orch_record_find_type(key, unlimited ? InvalidOid : role, &id);
		request->record_locked = true;
		if (request->record_type == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
					 errmsg("no registered record type has a record \"%s\"", key)));
	}
	else if (!unlimited && !orch_record_readable(request->record_type, key, role))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("record \"%s\" of type \"%s\" does not exist", key,
						request->record_type)));
	request->record_key = id;
}

PG_FUNCTION_INFO_V1(orchestration_suspend_run);

/*
 * orchestration.suspend_run(run_id uuid) returns boolean
 *
 * Suspends a run: no step starts; steps in progress may finish, and their results are
 * stored as pending.  Returns false if the run is Suspended already.
 * Raises: 22004 for null, OR101 for a run that does not exist or that the caller does not
 * see, 42501 without Edit access to it or the permission Manage Orchestration Runs, OR001 if
 * its status does not allow it.
 * Source: contract/transitions.csv, line 4.
 */
Datum
orchestration_suspend_run(PG_FUNCTION_ARGS)
{
	return move_run(fcinfo, &plan_suspend, orch_access_require_move, NULL);
}

PG_FUNCTION_INFO_V1(orchestration_resume_run);

/*
 * orchestration.resume_run(run_id uuid) returns orchestration.run_status
 *
 * Resumes a run that is Suspended, or in Error with a recoverable error at most
 * 14 days old; does nothing if the run is InProgress already.  Returns the status that the
 * run has then: Completed if it ended, Error if it failed again.
 * Raises: 22004, OR101, 42501 and OR001 as suspend_run(), OR004 if the error is not
 * recoverable or too old.
 * Source: contract/transitions.csv, lines 7 and 9.
 */
Datum
orchestration_resume_run(PG_FUNCTION_ARGS)
{
	RunStatus	before;
	SystemContext saved;
	Frame	   *frame = enter_run(fcinfo, &saved, orch_access_require_move, &before);
	Datum		status = orch_run_resume(PG_GETARG_UUID_P(0), NULL);

	leave_run(frame, &saved);
	PG_RETURN_DATUM(status);
}

PG_FUNCTION_INFO_V1(orchestration_cancel_run);

/*
 * orchestration.cancel_run(run_id uuid, comments text) returns boolean
 *
 * Cancels a run that is InProgress or Suspended; the comments go to the log, and to the
 * detail of an approval.  Returns false if the run is Canceled already.
 * Raises: as suspend_run(); but a caller with the permission Approval Admin may cancel every
 * approval whose run or submission the caller sees.
 * Source: contract/transitions.csv, lines 5 and 8.
 */
Datum
orchestration_cancel_run(PG_FUNCTION_ARGS)
{
	return move_run(fcinfo, &plan_cancel, orch_access_require_cancel,
					PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
}

Datum
orch_run_resume(const pg_uuid_t *run_id, char **error)
{
	Datum		value = UUIDPGetDatum(run_id);
	bool		isnull;

	orch_plan_execute_latest(&plan_resume, &value, NULL, 0);
	orch_plan_execute_latest(&plan_status, &value, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("run %s does not exist", orch_uuid_text(run_id))));
	if (error != NULL)
		*error = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
}

/*
 * Change the status of a run by one UPDATE.
 */
static Datum
move_run(FunctionCallInfo fcinfo, StaticPlan *plan, RequireRun require, const char *comments)
{
	RunStatus	status;
	SystemContext saved;
	Frame	   *frame = enter_run(fcinfo, &saved, require, &status);
	Datum		value = PG_GETARG_DATUM(0);
	bool		moved;

	orch_limit_comments(comments);
	orch_guard_execute(SCOPE_USER, plan, &value, NULL, comments);
	moved = SPI_processed > 0;
	leave_run(frame, &saved);
	PG_RETURN_BOOL(moved);
}

PG_FUNCTION_INFO_V1(orchestration_reevaluate_run);

/*
 * orchestration.reevaluate_run(run_id uuid) returns boolean
 *
 * Lets the engine evaluate the conditions of a run again, because what they read may have
 * changed.  Returns false, and does nothing, if the run is not InProgress.
 * Raises: 22004 for null, OR101 for a run that does not exist or that the caller does not
 * see, 42501 without Edit access to it or the permission Manage Orchestration Runs.
 * Source: contract/lifecycle.md, "Conditions" (an event is published for the run).
 */
Datum
orchestration_reevaluate_run(PG_FUNCTION_ARGS)
{
	RunStatus	status;
	Frame	   *frame;
	SystemContext saved;

	frame = enter_run(fcinfo, &saved, orch_access_require_move, &status);
	if (status == RUN_IN_PROGRESS)
		orch_engine_go_on(PG_GETARG_UUID_P(0), false);
	leave_run(frame, &saved);
	PG_RETURN_BOOL(status == RUN_IN_PROGRESS);
}

/*
 * Begin a call that moves a run: ask for the right, lock the run, and ask again, since the
 * right may have changed while the call waited for the lock.
 */
static Frame *
enter_run(FunctionCallInfo fcinfo, SystemContext *saved, RequireRun require,
		  RunStatus *status)
{
	Oid			role = GetUserId();
	pg_uuid_t  *run_id;
	Frame	   *frame;

	orch_require_arguments(fcinfo, 0, 1, "run_id");
	run_id = PG_GETARG_UUID_P(0);
	require(role, run_id);
	frame = orch_frame_push(FRAME_CALL, role, NULL);
	orch_system_connect(saved);
	(void) orch_lock_run(run_id, RUN_LOCK_MOVE);
	require(role, run_id);
	*status = orch_lock_run_status(0);
	return frame;
}

static void
leave_run(Frame *frame, SystemContext *saved)
{
	orch_system_finish(saved);
	orch_frame_pop(frame);
}

PG_FUNCTION_INFO_V1(orchestration_version_problem);

/*
 * orchestration_internal.version_problem(version_id uuid) returns text
 *
 * Returns why runs of a version cannot be moved (it is gone, or no longer valid), null if
 * they can.  For stuck_runs().
 * Raises: none.
 * Source: ours.
 */
Datum
orchestration_version_problem(PG_FUNCTION_ARGS)
{
	typedef struct
	{
		pg_uuid_t	id;
		char	   *problem;
	} Last;
	Last	   *last = fcinfo->flinfo->fn_extra;
	pg_uuid_t  *id = PG_GETARG_UUID_P(0);

	/* most rows have the version of the row before */
	if (last == NULL || !orch_uuid_equal(&last->id, id))
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		last = palloc(sizeof(Last));
		last->id = *id;
		last->problem = orch_engine_version_problem(id);
		fcinfo->flinfo->fn_extra = last;
		MemoryContextSwitchTo(old);
	}
	if (last->problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(last->problem));
}
