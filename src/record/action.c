/*-------------------------------------------------------------------------
 *
 * action.c
 *	  Actions: what steps call is registered and looked up.
 *
 * A session keeps the actions that it looked up until the action table or any function
 * changes.  action_call.c carries out functions, action_member.c has the inputs and
 * outputs of actions.
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
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/argument.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/limit.h"
#include "base/system.h"
#include "record/action_int.h"

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
	/* a permission for the old action does not hold for the new one */
	" run_as_user = a.run_as_user AND (a.kind, a.function_name, a.search_path, a.topic)"
	"   IS NOT DISTINCT FROM"
	"   (excluded.kind, excluded.function_name, excluded.search_path, excluded.topic)",
	5, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}
};

static char *with_temp_last(const char *search_path);
static void forget_functions(Datum arg, int cacheid, uint32 hashvalue);
static void prepare_cache(void);
static Oid	find_function(const char *name);
static void check_function(Oid function);
static Jsonb *kept_jsonb(HeapTuple tuple, TupleDesc desc, int column);
static void bad_policy(const char *argument, const char *must_be)
			pg_attribute_noreturn();

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
 * A search_path in which pg_temp comes last: a temporary table of the session must not
 * hide a table that the function uses.
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

PG_FUNCTION_INFO_V1(orchestration_register_action);

/*
 * orchestration.register_action(action text, kind orchestration.action_kind,
 *		function regprocedure, topic text) returns void
 *
 * Sets what the name of an action in definitions stands for, and replaces what was
 * registered under that name.
 * Raises: 22004 for null, 22023 for arguments that do not fit the kind, 42809 for a
 * function that is not (jsonb) returns jsonb, 42501 when the caller may not execute it,
 * 42883 when it does not exist.  The function must return an object, or null for no outputs;
 * otherwise its step fails with OR306.
 * Source: ours.
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

	orch_require_arguments(fcinfo, 0, 2, "action and kind");
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
		/* it is a key of the queue's index */
		if (topic[0] == '\0' || pg_mbstrlen(topic) > MAX_ACTION_NAME)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("topic of action \"%s\" must have 1 to %d characters", name,
							MAX_ACTION_NAME)));
		values[4] = CStringGetTextDatum(topic);
		nulls[4] = ' ';
	}

	orch_system_connect(&saved);
	orch_plan_execute(&plan_register, values, nulls, false, 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

/*
 * Can the function be an action's, and may the caller execute it?  Raises 42883, 42809,
 * 42501.
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

int
orch_action_interval_sign(const Interval *interval)
{
	static const Interval zero = {0};

	return DatumGetInt32(DirectFunctionCall2(interval_cmp, IntervalPGetDatum(interval),
											 IntervalPGetDatum(&zero)));
}

void
orch_action_change(StaticPlan *plan, Datum *values, const char *nulls)
{
	SystemContext saved;
	uint64		changed;

	orch_system_connect(&saved);
	orch_plan_execute_latest(plan, values, nulls, 0);
	changed = SPI_processed;
	orch_system_finish(&saved);
	if (changed == 0)
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
 * Sets how often a queued step of the action is tried before it fails.  The n-th retry
 * comes delay * backoff^(n-1) after the attempt, at most max_delay, changed at random by
 * up to the fraction jitter.  timeout: how long an attempt may take; null: forever.
 * Raises: 22004 for null (except timeout), 22023 for values out of range, OR205 for an
 * unknown action.
 * Source: ours.
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
	char		nulls[7];
	int			i;

	for (i = 0; i < 6; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arguments of set_retry_policy() must not be null, except for timeout")));
	orch_pass_arguments(fcinfo, 7, values, nulls);
	if (PG_GETARG_INT32(1) < 1)
		bad_policy("max_attempts", "at least 1");
	if (orch_action_interval_sign(PG_GETARG_INTERVAL_P(2)) < 0)
		bad_policy("delay", "zero or a positive interval");
	if (!(PG_GETARG_FLOAT8(3) >= 1 && PG_GETARG_FLOAT8(3) <= 100))
		bad_policy("backoff", "from 1 to 100");
	if (orch_action_interval_sign(PG_GETARG_INTERVAL_P(4)) < 0)
		bad_policy("max_delay", "zero or a positive interval");
	if (!(PG_GETARG_FLOAT8(5) >= 0 && PG_GETARG_FLOAT8(5) <= 1))
		bad_policy("jitter", "from 0 to 1");
	if (!PG_ARGISNULL(6) && orch_action_interval_sign(PG_GETARG_INTERVAL_P(6)) <= 0)
		bad_policy("timeout", "a positive interval, or null");
	orch_limit_interval(PG_GETARG_INTERVAL_P(2), "delay of a retry policy");
	orch_limit_interval(PG_GETARG_INTERVAL_P(4), "max_delay of a retry policy");
	if (!PG_ARGISNULL(6))
		orch_limit_interval(PG_GETARG_INTERVAL_P(6), "timeout of a retry policy");
	orch_action_change(&plan_policy, values, nulls);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_allow_run_as_user);

/*
 * orchestration.allow_run_as_user(action text, allowed boolean) returns void
 *
 * Sets whether steps with runAsUser may call the action.  If they may, its function or
 * its worker acts as any user that a definition names.  The permission ends when the
 * action is registered as something else, or its function gets another owner.
 * Raises: 22004 for null, OR205 for an unknown action, 22023 for a screen, 42883 for a
 * function that is gone.
 * Source: ours.
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

	orch_require_arguments(fcinfo, 0, 2, "action and allowed");
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
		owner = GetUserNameFromId(orch_action_owner(action), true);
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
	orch_action_change(&plan_allow, values, nulls);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_unregister_action);

/*
 * orchestration.unregister_action(action text) returns void
 *
 * Forgets an action; steps that call it fail.
 * Raises: 22004 for null, OR205 for an unknown name.
 * Source: ours.
 */
Datum
orchestration_unregister_action(PG_FUNCTION_ARGS)
{
	static StaticPlan plan_delete = {
		"DELETE FROM orchestration.action WHERE name = $1", 1, {TEXTOID}
	};
	Datum		value;

	orch_require_arguments(fcinfo, 0, 1, "action");
	value = PG_GETARG_DATUM(0);
	orch_action_change(&plan_delete, &value, NULL);
	PG_RETURN_VOID();
}
