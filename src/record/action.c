/*-------------------------------------------------------------------------
 *
 * action.c
 *	  Actions: registration, lookup, and calls of functions in the database.
 *
 * A function action runs as the owner of the function, behind the gate (gate.c),
 * whoever set off the step and although the engine acts as the owner of the
 * extension: registering an action gives nobody more rights than the function's
 * owner has.  Its search_path is the one that was in force when it was registered,
 * with pg_temp last, unless the function sets its own; the caller's never reaches it.
 *
 * Lookups are kept a session; any change of the action table or of a function
 * drops them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/action.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/argument.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "evaluate/condition.h"
#include "record/action.h"
#include "record/principal.h"

/* contract/fields.csv: ScreenFlow, 255 characters */
#define MAX_ACTION_NAME 255

static HTAB *actions = NULL;
static MemoryContext action_context = NULL;
static uint64 actions_generation = 0;
static bool functions_changed = false;

static StaticPlan plan_find = {
	"SELECT kind, function_name, search_path, topic, max_attempts,"
	" EXTRACT(epoch FROM retry_delay)::float8, retry_backoff,"
	" EXTRACT(epoch FROM retry_max_delay)::float8, retry_jitter,"
	" COALESCE(EXTRACT(epoch FROM timeout)::float8, 0), inputs, outputs,"
	" COALESCE(EXTRACT(epoch FROM due)::float8, 0), run_as_user, run_as_owner"
	" FROM orchestration.action WHERE name = $1",
	1, {TEXTOID}
};
static StaticPlan plan_register = {
	"INSERT INTO orchestration.action AS a (name, kind, function_name, search_path, topic)"
	" VALUES ($1, $2::text::orchestration.action_kind, $3, $4, $5)"
	" ON CONFLICT (name) DO UPDATE SET kind = excluded.kind,"
	" function_name = excluded.function_name, search_path = excluded.search_path,"
	" topic = excluded.topic, modified_at = pg_catalog.now(),"
	/* what was allowed to the one is not to the other */
	" run_as_user = a.run_as_user AND (a.kind, a.function_name, a.search_path, a.topic)"
	"   IS NOT DISTINCT FROM"
	"   (excluded.kind, excluded.function_name, excluded.search_path, excluded.topic)",
	5, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}
};

static void rethrow_restricted(const Action *action) pg_attribute_noreturn();
static char *with_temp_last(const char *search_path);
static void forget_functions(Datum arg, int cacheid, uint32 hashvalue);
static void prepare_cache(void);
static Oid	find_function(const char *name);
static void check_function(Oid function);
static char *function_owner(Oid function);
static Jsonb *kept_jsonb(HeapTuple tuple, TupleDesc desc, int column);
static void check_described_member(JsonbContainer *member, const char *argument,
								   const char *name);
static void check_description(Jsonb *described, const char *argument);
static void bad_policy(const char *argument, const char *must_be)
			pg_attribute_noreturn();
static int	interval_sign(const Interval *interval);
static void update_action(StaticPlan *plan, Datum *values, const char *nulls);

static void
forget_functions(Datum arg, int cacheid, uint32 hashvalue)
{
	functions_changed = true;
}

/*
 * An empty cache when anything changed since it was filled.
 */
static void
prepare_cache(void)
{
	HASHCTL		ctl;

	if (action_context == NULL)
	{
		action_context = AllocSetContextCreate(CacheMemoryContext,
											   "orchestration actions",
											   ALLOCSET_SMALL_SIZES);
		CacheRegisterSyscacheCallback(PROCOID, forget_functions, (Datum) 0);
	}
	if (actions != NULL && actions_generation == orch_catalog_generation() &&
		!functions_changed)
		return;

	actions = NULL;
	MemoryContextReset(action_context);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(((Action *) NULL)->name);
	ctl.entrysize = sizeof(Action);
	ctl.hcxt = action_context;
	actions_generation = orch_catalog_generation();
	functions_changed = false;
	actions = hash_create("orchestration actions", 32, &ctl,
						  HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

const Action *
orch_action_find(const char *name)
{
	Action		found;
	Action	   *entry;
	SystemContext saved;
	Datum		value;
	bool		exists;
	bool		isnull;

	if (strlen(name) >= sizeof(found.name))
		return NULL;
	prepare_cache();
	entry = hash_search(actions, name, HASH_FIND, NULL);
	if (entry != NULL)
		return entry;

	memset(&found, 0, sizeof(found));
	orch_system_connect(&saved);
	value = CStringGetTextDatum(name);
	orch_plan_execute_latest(&plan_find, &value, NULL, 1);
	exists = SPI_processed > 0;
	if (exists)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		char	   *text;

		found.kind = (ActionKind)
			orch_catalog_label_value(ENUM_ACTION_KIND,
									 DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull)));
		if ((text = SPI_getvalue(tuple, desc, 2)) != NULL)
			found.function_name = MemoryContextStrdup(action_context, text);
		if ((text = SPI_getvalue(tuple, desc, 3)) != NULL)
			found.search_path = MemoryContextStrdup(action_context, with_temp_last(text));
		if ((text = SPI_getvalue(tuple, desc, 4)) != NULL)
			found.topic = MemoryContextStrdup(action_context, text);
		found.max_attempts = DatumGetInt32(SPI_getbinval(tuple, desc, 5, &isnull));
		found.retry_delay = DatumGetFloat8(SPI_getbinval(tuple, desc, 6, &isnull));
		found.retry_backoff = DatumGetFloat8(SPI_getbinval(tuple, desc, 7, &isnull));
		found.retry_max_delay = DatumGetFloat8(SPI_getbinval(tuple, desc, 8, &isnull));
		found.retry_jitter = DatumGetFloat8(SPI_getbinval(tuple, desc, 9, &isnull));
		found.timeout = DatumGetFloat8(SPI_getbinval(tuple, desc, 10, &isnull));
		found.inputs = kept_jsonb(tuple, desc, 11);
		found.outputs = kept_jsonb(tuple, desc, 12);
		found.due = DatumGetFloat8(SPI_getbinval(tuple, desc, 13, &isnull));
		found.run_as_user = DatumGetBool(SPI_getbinval(tuple, desc, 14, &isnull));
		if ((text = SPI_getvalue(tuple, desc, 15)) != NULL)
			found.run_as_owner = MemoryContextStrdup(action_context, text);
		if (found.function_name != NULL)
			found.function = find_function(found.function_name);
	}
	orch_system_finish(&saved);
	if (!exists)
		return NULL;

	entry = hash_search(actions, name, HASH_ENTER, NULL);
	memcpy((char *) entry + offsetof(Action, kind),
		   (char *) &found + offsetof(Action, kind),
		   sizeof(Action) - offsetof(Action, kind));
	return entry;
}

static Jsonb *
kept_jsonb(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, column, &isnull);
	MemoryContext old;
	Jsonb	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(action_context);
	result = DatumGetJsonbPCopy(value);
	MemoryContextSwitchTo(old);
	return result;
}

/*
 * A search_path in which pg_temp comes last: a temporary table of the session must
 * not stand for one that the function means.
 */
static char *
with_temp_last(const char *search_path)
{
	List	   *schemas;
	ListCell   *cell;
	StringInfoData result;

	initStringInfo(&result);
	if (SplitIdentifierString(pstrdup(search_path), ',', &schemas))
		foreach(cell, schemas)
			if (strcmp(lfirst(cell), "pg_temp") != 0)
				appendStringInfo(&result, "%s, ", quote_identifier(lfirst(cell)));
	appendStringInfoString(&result, "pg_temp");
	return result.data;
}

/*
 * The function (jsonb) of a schema-qualified name, InvalidOid when it is gone.
 */
static Oid
find_function(const char *name)
{
	Oid			argtype = JSONBOID;

	return LookupFuncName(orch_compat_qualified_name(name), 1, &argtype, true);
}

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
 * What the server says of a security-restricted operation names neither the action
 * nor the way out.
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

/*
 * The name of the role that owns the function, NULL when it is gone.
 */
static char *
function_owner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	name = GetUserNameFromId(((Form_pg_proc) GETSTRUCT(tuple))->proowner, true);
	ReleaseSysCache(tuple);
	return name;
}

char *
orch_action_run_as_problem(const Action *action)
{
	char	   *owner = action->kind == ACTION_FUNCTION ? function_owner(action->function) : NULL;

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

	/* it acts as its owner, not as whom the gateway's caller is; or as a user */
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
	return fcinfo->isnull ? NULL : DatumGetJsonbP(result);
}

PG_FUNCTION_INFO_V1(orchestration_register_action);

/*
 * orchestration.register_action(name text, kind orchestration.action_kind,
 *		function regprocedure, topic text) returns void
 *
 * Says what an action name of definitions stands for; again for the same name
 * replaces it.  Raises 22004 for null, 22023 for arguments that do not fit the
 * kind, 42809 for a function that is not (jsonb) returns jsonb, 42501 when the
 * caller may not execute it.
 */
Datum
orchestration_register_action(PG_FUNCTION_ARGS)
{
	char	   *name;
	ActionKind	kind;
	char	   *topic = NULL;
	char	   *function_name = NULL;
	Datum		values[5];
	char		nulls[5] = {' ', ' ', 'n', 'n', 'n'};
	SystemContext saved;

	orch_require_arguments(fcinfo, 0, 2, "name and kind of an action");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	kind = (ActionKind) orch_catalog_label_value(ENUM_ACTION_KIND, PG_GETARG_OID(1));
	if (name[0] == '\0' || pg_mbstrlen(name) > MAX_ACTION_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of an action must have 1 to %d characters",
						MAX_ACTION_NAME)));
	if ((kind == ACTION_FUNCTION) == PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 kind == ACTION_FUNCTION ?
				 errmsg("action \"%s\" needs a function", name) :
				 errmsg("action \"%s\" of kind %s has no function", name,
						orch_catalog_label(ENUM_ACTION_KIND, kind))));
	if (kind != ACTION_WORKER && !PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("action \"%s\" of kind %s has no topic", name,
						orch_catalog_label(ENUM_ACTION_KIND, kind))));

	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(orch_catalog_label(ENUM_ACTION_KIND, kind));
	if (kind == ACTION_FUNCTION)
	{
		Oid			function = PG_GETARG_OID(2);

		check_function(function);
		function_name = quote_qualified_identifier(get_namespace_name(get_func_namespace(function)),
												   get_func_name(function));
		values[2] = CStringGetTextDatum(function_name);
		values[3] = CStringGetTextDatum(namespace_search_path);
		nulls[2] = nulls[3] = ' ';
	}
	if (kind == ACTION_WORKER)
	{
		topic = PG_ARGISNULL(3) ? name : text_to_cstring(PG_GETARG_TEXT_PP(3));
		if (topic[0] == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("topic of action \"%s\" must not be empty", name)));
		values[4] = CStringGetTextDatum(topic);
		nulls[4] = ' ';
	}

	orch_system_connect(&saved);
	orch_plan_execute(&plan_register, values, nulls, false, 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

/*
 * Can it be an action's function, and may the caller execute it?
 */
static void
check_function(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function)));
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prokind != PROKIND_FUNCTION || form->pronargs != 1 ||
		form->proargtypes.values[0] != JSONBOID ||
		form->prorettype != JSONBOID || form->proretset)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("function %s cannot be an action",
						format_procedure(function)),
				 errdetail("An action's function takes one argument of type jsonb and returns jsonb.")));
	if (orch_compat_proc_aclcheck(function, GetUserId()) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(function));
	ReleaseSysCache(tuple);
}

static void
bad_policy(const char *argument, const char *must_be)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s of a retry policy must be %s", argument, must_be)));
}

static int
interval_sign(const Interval *interval)
{
	static const Interval zero = {0};

	return DatumGetInt32(DirectFunctionCall2(interval_cmp, IntervalPGetDatum(interval),
											 IntervalPGetDatum(&zero)));
}

/*
 * Change what is kept of the action whose name is the first argument of the plan.
 * Raises OR205 when there is none.
 */
static void
update_action(StaticPlan *plan, Datum *values, const char *nulls)
{
	SystemContext saved;
	uint64		updated;

	orch_system_connect(&saved);
	orch_plan_execute_latest(plan, values, nulls, 0);
	updated = SPI_processed;
	orch_system_finish(&saved);
	if (updated == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_ACTION),
				 errmsg("action \"%s\" is not registered",
						text_to_cstring(DatumGetTextPP(values[0])))));
}

PG_FUNCTION_INFO_V1(orchestration_set_retry_policy);

/*
 * orchestration.set_retry_policy(action text, max_attempts integer, delay interval,
 *		backoff double precision, max_delay interval, jitter double precision,
 *		timeout interval) returns void
 *
 * How often a queued step of the action is tried before it fails; the n-th retry
 * comes delay * backoff^(n-1) later, at most max_delay, changed at random by up to
 * jitter of itself.  timeout: how long an attempt may take, null for ever.  Raises
 * 22004 for null (but timeout), 22023 for values out of range, OR205 for an unknown
 * action.
 */
Datum
orchestration_set_retry_policy(PG_FUNCTION_ARGS)
{
	static StaticPlan plan_policy = {
		"UPDATE orchestration.action SET max_attempts = $2, retry_delay = $3,"
		" retry_backoff = $4, retry_max_delay = $5, retry_jitter = $6, timeout = $7,"
		" modified_at = pg_catalog.now() WHERE name = $1",
		7, {TEXTOID, INT4OID, INTERVALOID, FLOAT8OID, INTERVALOID, FLOAT8OID, INTERVALOID}
	};
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', ' ', ' ', ' '};
	int			i;

	for (i = 0; i < 7; i++)
	{
		if (PG_ARGISNULL(i) && i < 6)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arguments of set_retry_policy() must not be null, except for timeout")));
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
		values[i] = PG_GETARG_DATUM(i);
	}
	if (PG_GETARG_INT32(1) < 1)
		bad_policy("max_attempts", "at least 1");
	if (interval_sign(PG_GETARG_INTERVAL_P(2)) < 0)
		bad_policy("delay", "no negative interval");
	if (!(PG_GETARG_FLOAT8(3) >= 1 && PG_GETARG_FLOAT8(3) <= 100))
		bad_policy("backoff", "from 1 to 100");
	if (interval_sign(PG_GETARG_INTERVAL_P(4)) < 0)
		bad_policy("max_delay", "no negative interval");
	if (!(PG_GETARG_FLOAT8(5) >= 0 && PG_GETARG_FLOAT8(5) <= 1))
		bad_policy("jitter", "from 0 to 1");
	if (!PG_ARGISNULL(6) && interval_sign(PG_GETARG_INTERVAL_P(6)) <= 0)
		bad_policy("timeout", "a positive interval, or null");
	orch_limit_interval(PG_GETARG_INTERVAL_P(2), "delay of a retry policy");
	orch_limit_interval(PG_GETARG_INTERVAL_P(4), "max_delay of a retry policy");
	if (!PG_ARGISNULL(6))
		orch_limit_interval(PG_GETARG_INTERVAL_P(6), "timeout of a retry policy");
	update_action(&plan_policy, values, nulls);
	PG_RETURN_VOID();
}

/* ------------------------------------------------------- inputs and outputs */

static const char *const member_types[] = {
	"String", "Number", "Boolean", "Date", "DateTime", "Time", "Record", "Collection", "Any"
};

/*
 * What a description says of a member; NULL when it says nothing.
 */
static JsonbValue *
described_member(Jsonb *described, const char *name)
{
	return getKeyJsonValueFromContainer(&described->root, name, strlen(name), NULL);
}

static char *
described_type(JsonbValue *member)
{
	JsonbValue *type = member;

	if (member->type == jbvBinary)
		type = getKeyJsonValueFromContainer(member->val.binary.data, "dataType", 8, NULL);
	return type == NULL || type->type != jbvString ? pstrdup("Any") :
		pnstrdup(type->val.string.val, type->val.string.len);
}

bool
orch_action_is_required(JsonbValue *member)
{
	JsonbValue *required = member->type != jbvBinary ? NULL :
		getKeyJsonValueFromContainer(member->val.binary.data, "isRequired", 10, NULL);

	return required != NULL && required->type == jbvBool && required->val.boolean;
}

char *
orch_action_member_type(Jsonb *described, const char *name)
{
	JsonbValue *member = described_member(described, name);

	return member == NULL ? NULL : described_type(member);
}

bool
orch_action_is_of_type(const char *type, JsonbValue *value)
{
	Timestamp	timestamp;

	if (value->type == jbvNull || strcmp(type, "Any") == 0)
		return true;
	if (strcmp(type, "Number") == 0)
		return value->type == jbvNumeric;
	if (strcmp(type, "Boolean") == 0)
		return value->type == jbvBool;
	if (strcmp(type, "Record") == 0)
		return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
	if (strcmp(type, "Collection") == 0)
		return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
	if (value->type != jbvString)
		return false;
	return (strcmp(type, "Date") != 0 && strcmp(type, "DateTime") != 0) ||
		orch_condition_datetime(value->val.string.val, value->val.string.len, &timestamp);
}

void
orch_action_check_outputs(const char *name, Jsonb *outputs)
{
	const Action *action = orch_action_find(name);
	JsonbIterator *it;
	JsonbValue	v;

	if (action == NULL || action->outputs == NULL)
		return;
	if (outputs != NULL)
	{
		it = JsonbIteratorInit(&outputs->root);
		(void) JsonbIteratorNext(&it, &v, true);
		while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
		{
			char	   *key = pnstrdup(v.val.string.val, v.val.string.len);
			char	   *type = orch_action_member_type(action->outputs, key);

			(void) JsonbIteratorNext(&it, &v, true);
			if (type == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_INVALID_INPUT),
						 errmsg("action \"%s\" has no output \"%s\"", name, key),
						 errhint("See what describe_action() said of it.")));
			if (!orch_action_is_of_type(type, &v))
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_INVALID_INPUT),
						 errmsg("output \"%s\" of action \"%s\" is %s, not of type %s", key,
								name, orch_condition_type_name(&v), type)));
		}
	}
	it = JsonbIteratorInit(&action->outputs->root);
	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		char	   *key = pnstrdup(v.val.string.val, v.val.string.len);
		JsonbValue *given = outputs == NULL ? NULL :
		getKeyJsonValueFromContainer(&outputs->root, key, strlen(key), NULL);

		(void) JsonbIteratorNext(&it, &v, true);
		if (orch_action_is_required(&v) && (given == NULL || given->type == jbvNull))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("output \"%s\" of action \"%s\" is required", key, name)));
	}
}

/* Raises 22023 for members of an object other than the two that have a meaning. */
static void
check_described_member(JsonbContainer *member, const char *argument, const char *name)
{
	JsonbIterator *it = JsonbIteratorInit(member);
	JsonbValue	key;
	JsonbValue	v;

	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *text = pnstrdup(key.val.string.val, key.val.string.len);

		(void) JsonbIteratorNext(&it, &v, true);
		if (strcmp(text, "dataType") == 0 ? v.type != jbvString :
			strcmp(text, "isRequired") != 0 || v.type != jbvBool)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s: \"%s\" cannot have this \"%s\"", argument, name, text),
					 errhint("It has a \"dataType\", which is text, and \"isRequired\", true or false.")));
	}
}

/* Raises 22023 for what is no description. */
static void
check_description(Jsonb *described, const char *argument)
{
	JsonbIterator *it;
	JsonbValue	v;

	if (!JB_ROOT_IS_OBJECT(described))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a JSON object: names and their data types", argument)));
	it = JsonbIteratorInit(&described->root);
	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		char	   *key = pnstrdup(v.val.string.val, v.val.string.len);
		char	   *type;
		int			i;

		(void) JsonbIteratorNext(&it, &v, true);
		type = v.type == jbvString ||
			(v.type == jbvBinary && JsonContainerIsObject(v.val.binary.data)) ?
			described_type(&v) : NULL;
		for (i = 0; type != NULL && i < (int) lengthof(member_types); i++)
			if (strcmp(type, member_types[i]) == 0)
				break;
		if (type == NULL || i == (int) lengthof(member_types))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s: \"%s\" has no known data type", argument, key),
					 errhint("String, Number, Boolean, Date, DateTime, Time, Record, Collection and Any are.")));
		if (v.type == jbvBinary)
			check_described_member(v.val.binary.data, argument, key);
	}
}

PG_FUNCTION_INFO_V1(orchestration_describe_action);

/*
 * orchestration.describe_action(action text, inputs jsonb, outputs jsonb,
 *		due interval) returns void
 *
 * What an action takes and gives: names with their data types, as text or as
 * {"dataType": ..., "isRequired": true}; null: anything.  Definitions are held
 * against it when they are activated, outputs of work items when they are completed.
 * due: how long after it was assigned a work item of the screen is due.  Raises
 * 22004 for a null action, 22023 for what is no description and a due that is not
 * positive, OR205 for an unknown action.
 */
Datum
orchestration_describe_action(PG_FUNCTION_ARGS)
{
	static StaticPlan plan_describe = {
		"UPDATE orchestration.action SET inputs = $2, outputs = $3, due = $4,"
		" modified_at = pg_catalog.now() WHERE name = $1",
		4, {TEXTOID, JSONBOID, JSONBOID, INTERVALOID}
	};
	Datum		values[4];
	char		nulls[4];
	int			i;

	orch_require_arguments(fcinfo, 0, 1, "name of an action");
	if (!PG_ARGISNULL(1))
		check_description(PG_GETARG_JSONB_P(1), "inputs");
	if (!PG_ARGISNULL(2))
		check_description(PG_GETARG_JSONB_P(2), "outputs");
	if (!PG_ARGISNULL(3) && interval_sign(PG_GETARG_INTERVAL_P(3)) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("due must be a positive interval")));
	if (!PG_ARGISNULL(3))
		orch_limit_interval(PG_GETARG_INTERVAL_P(3), "due");
	for (i = 0; i < 4; i++)
	{
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
		values[i] = PG_GETARG_DATUM(i);
	}
	update_action(&plan_describe, values, nulls);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_allow_run_as_user);

/*
 * orchestration.allow_run_as_user(action text, allowed boolean) returns void
 *
 * Whether steps with runAsUser may call the action.  Then its function, or the
 * worker, acts as whatever user a definition names.  It ends when the action is
 * registered anew as something else, or its function gets another owner.  Raises 22004
 * for null, OR205 for an unknown action, 22023 for a screen, 42883 for a function that
 * is gone.  Source: ours.
 */
Datum
orchestration_allow_run_as_user(PG_FUNCTION_ARGS)
{
	static StaticPlan plan_allow = {
		"UPDATE orchestration.action SET run_as_user = $2, run_as_owner = $3,"
		" modified_at = pg_catalog.now() WHERE name = $1"
		" AND function_name IS NOT DISTINCT FROM $4",
		4, {TEXTOID, BOOLOID, NAMEOID, TEXTOID}
	};
	const Action *action;
	char	   *owner = NULL;
	NameData	owner_name;
	Datum		values[4];
	char		nulls[4] = {' ', ' ', 'n', 'n'};

	orch_require_arguments(fcinfo, 0, 2, "name of an action and allowed");
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_GETARG_DATUM(1);
	action = orch_action_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (action != NULL && PG_GETARG_BOOL(1) && action->kind == ACTION_SCREEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("action \"%s\" is a screen: its assignees act, nothing runs as them",
						action->name)));
	if (action != NULL && action->kind == ACTION_FUNCTION)
	{
		owner = function_owner(action->function);
		if (owner == NULL && PG_GETARG_BOOL(1))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("function %s(jsonb) of action \"%s\" does not exist",
							action->function_name, action->name),
					 errhint("Create it, or register the action again.")));
		values[3] = CStringGetTextDatum(action->function_name);
		nulls[3] = ' ';
	}
	if (owner != NULL && PG_GETARG_BOOL(1))
	{
		namestrcpy(&owner_name, owner);
		values[2] = NameGetDatum(&owner_name);
		nulls[2] = ' ';
	}
	update_action(&plan_allow, values, nulls);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_unregister_action);

/*
 * orchestration.unregister_action(name text) returns void
 *
 * Forgets an action; steps that call it fail.  Raises OR205 for an unknown name,
 * 22004 for null.
 */
Datum
orchestration_unregister_action(PG_FUNCTION_ARGS)
{
	static StaticPlan plan_delete = {
		"DELETE FROM orchestration.action WHERE name = $1", 1, {TEXTOID}
	};
	Datum		value;
	SystemContext saved;
	uint64		deleted;

	orch_require_arguments(fcinfo, 0, 1, "name of an action");
	value = PG_GETARG_DATUM(0);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_delete, &value, NULL, 0);
	deleted = SPI_processed;
	orch_system_finish(&saved);
	if (deleted == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_ACTION),
				 errmsg("action \"%s\" is not registered",
						text_to_cstring(DatumGetTextPP(value)))));
	PG_RETURN_VOID();
}
