/*-------------------------------------------------------------------------
 *
 * action_call.c
 *	  Function actions are carried out, as their owner or as a user.
 *
 * A function action runs as the owner of the function, behind the gate (gate.c): not as
 * the caller who caused the step, and not as the owner of the extension, as whom the
 * engine acts.  So registering an action gives no role more rights than the function's
 * owner has.  Its search_path is the one from when the action was registered, with
 * pg_temp last, unless the function sets its own.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/action_call.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/uuid.h"
#include "evaluate/condition.h"
#include "record/action.h"
#include "record/principal.h"

static void rethrow_restricted(const Action *action) pg_attribute_noreturn();
static void require_object(const Action *action, Jsonb *result);
static char *owner_name(const Action *action);

Oid
orch_action_owner(const Action *action)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(action->function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * The name of the role that owns the function of an action, NULL if it is gone.
 */
static char *
owner_name(const Action *action)
{
	return GetUserNameFromId(orch_action_owner(action), true);
}

char *
orch_action_run_as_problem(const Action *action)
{
	char	   *owner = action->kind == ACTION_FUNCTION ? owner_name(action) : NULL;

	if (!action->run_as_user)
		return psprintf("action \"%s\" may not run as a user", action->name);
	if (owner != NULL && (action->run_as_owner == NULL ||
						  strcmp(owner, action->run_as_owner) != 0))
		return psprintf("action \"%s\" may not run as a user: since that was allowed its function has come to belong to role \"%s\"",
						action->name, owner);
	return NULL;
}

void
orch_action_require_run_as(const Action *action)
{
	char	   *problem = orch_action_run_as_problem(action);

	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s", problem),
				 errdetail("Its steps have runAsUser, by which its function or worker acts as a user."),
				 errhint("An administrator allows it with orchestration.allow_run_as_user(); then resume the run.")));
}

/*
 * The server's error for a security-restricted operation says neither which action it
 * was nor what to do: add both.
 */
static void
rethrow_restricted(const Action *action)
{
	MemoryContext context = MemoryContextSwitchTo(TopTransactionContext);
	ErrorData  *error = CopyErrorData();

	if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE && error->hint == NULL &&
		error->message_id != NULL &&
		strstr(error->message_id, "security-restricted operation") != NULL)
	{
		FlushErrorState();
		if (error->detail == NULL)
			error->detail = psprintf("The function of action \"%s\" runs inside the statement of its caller and must leave nothing behind in that session.",
									 action->name);
		error->hint = "Let the background worker run it: set requiresAsyncProcessing on its steps.";
		MemoryContextSwitchTo(context);
		ReThrowError(error);
	}
	MemoryContextSwitchTo(context);
	FreeErrorData(error);
	PG_RE_THROW();
}

Jsonb *
orch_action_call(const Action *action, Jsonb *inputs, const pg_uuid_t *run_as, GateKind kind)
{
	HeapTuple	tuple;
	Form_pg_proc form;
	Oid			owner;
	FmgrInfo	flinfo;
	LOCAL_FCINFO(fcinfo, 1);
	Gate		gate;
	volatile Datum result = (Datum) 0;

	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(action->function));
	if (!OidIsValid(action->function) || !HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s(jsonb) of action \"%s\" does not exist",
						action->function_name, action->name),
				 errhint("Create it, or register the action again.")));
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prorettype != JSONBOID || form->proretset)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("function %s(jsonb) of action \"%s\" no longer returns jsonb",
						action->function_name, action->name)));
	owner = form->proowner;
	ReleaseSysCache(tuple);
	if (kind == GATE_WORKER && owner != GetSessionUserId())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("function %s(jsonb) of action \"%s\" got another owner meanwhile",
						action->function_name, action->name)));

	/* the cache of actions may be emptied while the function runs */
	action = memcpy(palloc(sizeof(Action)), action, sizeof(Action));

	orch_gate_enter(&gate, kind, owner);
	if (action->search_path != NULL)
		(void) set_config_option("search_path", action->search_path,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);

	/* the function acts as run_as or as its owner, not as the user of the caller */
	if (run_as != NULL || (orch_user_id != NULL && orch_user_id[0] != '\0'))
		(void) set_config_option("orchestration.user_id",
								 run_as != NULL ? orch_uuid_text(run_as) : "", PGC_SUSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);

	PG_TRY();
	{
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
		fmgr_info(action->function, &flinfo);
		InitFunctionCallInfoData(*fcinfo, &flinfo, 1, InvalidOid, NULL, NULL);
		fcinfo->args[0].value = JsonbPGetDatum(inputs);
		fcinfo->args[0].isnull = false;
		result = FunctionCallInvoke(fcinfo);
		if (ActiveSnapshotSet())
			PopActiveSnapshot();
		orch_gate_leave(&gate);
	}
	PG_CATCH();
	{
		rethrow_restricted(action);
	}
	PG_END_TRY();
	if (fcinfo->isnull)
		return NULL;
	require_object(action, DatumGetJsonbP(result));
	return DatumGetJsonbP(result);
}

/*
 * The result has the outputs by name.  SQL's null says that there are none; any other value
 * would be stored as outputs that no reference can read, or count as a condition that does
 * not hold.
 */
static void
require_object(const Action *action, Jsonb *result)
{
	JsonbValue	value;

	if (JB_ROOT_IS_OBJECT(result))
		return;
	value.type = jbvArray;
	if (JB_ROOT_IS_SCALAR(result))
		(void) JsonbExtractScalar(&result->root, &value);
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_INVALID_INPUT),
			 errmsg("function %s(jsonb) of action \"%s\" returned %s, not an object",
					action->function_name, action->name,
					orch_condition_type_name(&value)),
			 errhint("An action returns a JSON object of its outputs by name, or null if it has none.")));
}
