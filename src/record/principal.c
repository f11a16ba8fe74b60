/*-------------------------------------------------------------------------
 *
 * principal.c
 *	  Users, groups and queues: the acting user, and principals by name or id.
 *
 * The acting user is the one that orchestration.user_id names or, if that is empty, the
 * one whose role_name is the current role.  The setting is PGC_SUSET: only superusers
 * can set it, and roles that have it by GRANT SET ON PARAMETER, which are gateways that
 * serve many users over one role.  If its value names no active user, the session acts
 * as no user, never as the role's own.  Before the library is loaded any role can set
 * it.  Loading then fails if the value would be refused, so that a statement that was
 * meant to run as another user does not run as the role's user.
 *
 * The acting user is needed for every write and for every read under row security.  It
 * is therefore cached, and read by a plain index scan with a fresh snapshot.  That works
 * also in parallel workers and in the middle of any statement, where SPI does not.
 *
 * Usernames are the same in any case of their letters, as on the platform, where they are
 * e-mail addresses.  Only the letters A to Z are folded: the rules for others depend on a
 * version of the operating system, and an index must not.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/principal.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_collation_d.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/argument.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "record/principal.h"

const pg_uuid_t orch_automated_process = {{
		0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1
}};

char	   *orch_user_id = NULL;
uint64		orch_principal_identity = 1;
bool		orch_principal_plans_depend = false;

/* The acting user of the role that was asked for last. */
static struct
{
	uint64		generation;		/* 0: nothing kept */
	uint64		identity;
	Oid			role;
	bool		found;
	Principal	principal;		/* name in TopMemoryContext */
}			kept;

static StaticPlan plan_by_username = {
	"SELECT id, kind, is_active, name FROM orchestration.principal"
	" WHERE pg_catalog.lower(username COLLATE \"C\") = pg_catalog.lower($1 COLLATE \"C\")",
	1, {TEXTOID}
};
static StaticPlan plan_by_developer_name = {
	"SELECT id, kind, is_active, name FROM orchestration.principal"
	" WHERE kind = $2::text::orchestration.principal_kind AND developer_name = $1",
	2, {TEXTOID, TEXTOID}
};
static StaticPlan plan_by_id = {
	"SELECT id, kind, is_active, name FROM orchestration.principal WHERE id = $1",
	1, {UUIDOID}
};

static StaticPlan plan_lock = {
	"SELECT 1 FROM orchestration.principal WHERE id = $1 FOR NO KEY UPDATE",
	1, {UUIDOID}
};

static bool check_user_id(char **newval, void **extra, GucSource source);
static void assign_user_id(const char *newval, void *extra);
static bool find_acting(Oid role, Principal *result);
static uint64 call_plan(StaticPlan *plan, FunctionCallInfo fcinfo);
static bool fetch(StaticPlan *plan, Datum *values, Principal *result);

/*
 * Raises 42501 or 22023 if orchestration.user_id was set before the library was loaded,
 * to a value that the server would drop with a warning when the setting is defined.
 * _PG_init() calls this first, before it defines anything: the load fails, and the next
 * call tries it again, until the value is reset.
 */
void
orch_principal_check_placeholder(void)
{
	static const char *const name = "orchestration.user_id";
	struct config_generic *setting;
	const char *value;
	pg_uuid_t	id;

	if (!IsTransactionState())
		return;
	setting = orch_compat_find_setting(name);
	if (setting == NULL || (setting->flags & GUC_CUSTOM_PLACEHOLDER) == 0)
		return;
	value = *((struct config_string *) setting)->variable;
	if (value == NULL)
		return;
	if (pg_parameter_aclcheck(name, setting->srole, ACL_SET) != ACLCHECK_OK)
	{
		/* an empty value means the same as no value */
		if (value[0] == '\0')
			return;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set parameter \"%s\"", name),
				 errdetail("It was set before the library orchestration was loaded."),
				 errhint("Reset it, or have it granted with GRANT SET ON PARAMETER; with the library in session_preload_libraries it is refused at once.")));
	}
	if (value[0] != '\0' && setting->source >= PGC_S_INTERACTIVE &&
		!orch_uuid_parse(value, &id))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for parameter \"%s\": \"%s\"", name, value),
				 errdetail("It must be the id of a user, a uuid, or empty.")));
}

/*
 * Defines the setting; called once, by _PG_init().
 */
void
orch_principal_init(void)
{
	DefineCustomStringVariable("orchestration.user_id",
							   "Id of the user that the session acts as.",
							   "Empty: the user whose role_name is the current role's. "
							   "For gateways that serve many people over one role.",
							   &orch_user_id, "",
							   PGC_SUSET, GUC_DISALLOW_IN_FILE | GUC_NOT_IN_SAMPLE,
							   check_user_id, assign_user_id, NULL);
}

/*
 * SET refuses a value that cannot be a user.  If such a value comes from elsewhere (the
 * settings of a role or database), the session acts as no user, which is safer than to
 * ignore the value.
 */
static bool
check_user_id(char **newval, void **extra, GucSource source)
{
	pg_uuid_t	id;

	if (**newval == '\0' || source < PGC_S_INTERACTIVE ||
		orch_uuid_parse(*newval, &id))
		return true;
	GUC_check_errdetail("It must be the id of a user, a uuid, or empty.");
	return false;
}

/*
 * Another user may act from now on.  Plans that were simplified for one user
 * (access_support.c) must go.  Only sessions whose role sees everything have such plans,
 * so that gateways keep theirs.
 */
static void
assign_user_id(const char *newval, void *extra)
{
	orch_principal_identity++;
	if (orch_principal_plans_depend)
	{
		orch_principal_plans_depend = false;
		ResetPlanCache();
	}
}

const Principal *
orch_principal_acting(Oid role)
{
	Principal	principal;
	uint64		generation;
	bool		found;

	if (kept.generation == orch_catalog_sharing_generation &&
		kept.identity == orch_principal_identity && kept.role == role)
		return kept.found ? &kept.principal : NULL;

	generation = orch_catalog_sharing_generation;
	found = find_acting(role, &principal);

	kept.generation = 0;
	if (kept.principal.name != NULL)
		pfree(kept.principal.name);
	kept.principal.name = NULL;
	if (found)
	{
		char	   *copy = MemoryContextStrdup(TopMemoryContext, principal.name);

		kept.principal = principal;
		kept.principal.name = copy;
		kept.principal.username = NULL;
	}
	kept.role = role;
	kept.found = found;
	kept.identity = orch_principal_identity;
	kept.generation = generation;
	return found ? &kept.principal : NULL;
}

pg_uuid_t *
orch_principal_acting_id(Oid role)
{
	const Principal *principal = OidIsValid(role) ? orch_principal_acting(role) : NULL;
	pg_uuid_t  *id;

	if (principal == NULL)
		return NULL;
	id = palloc(sizeof(pg_uuid_t));
	*id = principal->id;
	return id;
}

void
orch_principal_set_acting(Oid role, Datum *value, char *isnull)
{
	pg_uuid_t  *id = orch_principal_acting_id(role);

	*value = id == NULL ? (Datum) 0 : UUIDPGetDatum(id);
	*isnull = id == NULL ? 'n' : ' ';
}

static bool
find_acting(Oid role, Principal *result)
{
	char	   *role_name;
	NameData	name;
	pg_uuid_t	id;

	if (orch_user_id != NULL && orch_user_id[0] != '\0')
		return orch_uuid_parse(orch_user_id, &id) &&
			orch_principal_scan(INDEX_PRINCIPAL_ID, Anum_principal_id, F_UUID_EQ,
								UUIDPGetDatum(&id), result) &&
			result->kind == PRINCIPAL_USER && result->is_active;

	role_name = GetUserNameFromId(role, true);
	if (role_name == NULL)
		return false;
	namestrcpy(&name, role_name);
	return orch_principal_scan(INDEX_PRINCIPAL_ROLE_NAME,
							   Anum_principal_role_name, F_NAMEEQ,
							   NameGetDatum(&name), result) &&
		result->is_active;
}

/*
 * One principal by a unique index, with a snapshot of now; the name is palloc'd.
 */
bool
orch_principal_scan(int index, AttrNumber attnum, RegProcedure equal, Datum key,
					Principal *result)
{
	Relation	relation = table_open(orch_catalog_relation(RELATION_PRINCIPAL),
									  AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&scankey, attnum, BTEqualStrategyNumber, equal, key);
	if (equal == F_NAMEEQ)
		scankey.sk_collation = C_COLLATION_OID;
	scan = systable_beginscan(relation, orch_catalog_relation((OrchRelation) index),
							  true, NULL, 1, &scankey);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		static const struct
		{
			AttrNumber	attnum;
			int			permission;
		}			permissions[] = {
			{Anum_principal_view_all_data, PERMISSION_VIEW_ALL_DATA},
			{Anum_principal_modify_all_data, PERMISSION_MODIFY_ALL_DATA},
			{Anum_principal_manage_runs, PERMISSION_MANAGE_RUNS},
			{Anum_principal_manage_definitions, PERMISSION_MANAGE_DEFINITIONS},
			{Anum_principal_reassign_work_items, PERMISSION_REASSIGN_WORK_ITEMS},
			{Anum_principal_approval_admin, PERMISSION_APPROVAL_ADMIN}
		};
		Datum		value;
		bool		isnull;
		int			i;

		result->id = *DatumGetUUIDP(heap_getattr(tuple, Anum_principal_id, desc, &isnull));
		result->kind = (PrincipalKind)
			orch_catalog_label_value(ENUM_PRINCIPAL_KIND,
									 DatumGetObjectId(heap_getattr(tuple, Anum_principal_kind, desc, &isnull)));
		result->name = TextDatumGetCString(heap_getattr(tuple, Anum_principal_name, desc, &isnull));
		result->is_active = DatumGetBool(heap_getattr(tuple, Anum_principal_is_active, desc, &isnull));
		value = heap_getattr(tuple, Anum_principal_username, desc, &isnull);
		result->username = isnull ? NULL : TextDatumGetCString(value);
		result->permissions = 0;
		for (i = 0; i < (int) lengthof(permissions); i++)
			if (DatumGetBool(heap_getattr(tuple, permissions[i].attnum, desc, &isnull)))
				result->permissions |= permissions[i].permission;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

char *
orch_principal_role_label(Oid role)
{
	const Principal *principal = orch_principal_acting(role);

	return pstrdup(principal != NULL ? principal->name :
				   GetUserNameFromId(role, false));
}

/*
 * Source: contract/fields.csv, FlowOrchestrationLog.Actor.
 */
char *
orch_principal_actor(Oid role)
{
	const Principal *principal = orch_principal_acting(role);
	char	   *username = principal == NULL ? NULL : orch_principal_username(&principal->id);

	return username != NULL ? username : pstrdup(GetUserNameFromId(role, false));
}

char *
orch_principal_username(const pg_uuid_t *id)
{
	Principal	principal;

	return orch_principal_scan(INDEX_PRINCIPAL_ID, Anum_principal_id, F_UUID_EQ,
							   UUIDPGetDatum(id), &principal) ? principal.username : NULL;
}

bool
orch_principal_find(PrincipalKind kind, const char *name, Principal *result)
{
	Datum		values[2];

	values[0] = CStringGetTextDatum(name);
	if (kind == PRINCIPAL_USER)
		return fetch(&plan_by_username, values, result);
	values[1] = CStringGetTextDatum(orch_catalog_label(ENUM_PRINCIPAL_KIND, kind));
	return fetch(&plan_by_developer_name, values, result);
}

bool
orch_principal_get(const pg_uuid_t *id, Principal *result)
{
	Datum		value = UUIDPGetDatum(id);

	return fetch(&plan_by_id, &value, result);
}

void
orch_principal_require_user(const pg_uuid_t *id, Principal *result)
{
	if (!orch_principal_get(id, result) || result->kind != PRINCIPAL_USER)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("%s is no user", orch_uuid_text(id))));
}

void
orch_principal_lock_circles(void)
{
	Datum		value = UUIDPGetDatum(&orch_automated_process);

	orch_plan_execute_latest(&plan_lock, &value, NULL, 0);
}

/*
 * Source: contract/fields.csv, FlowOrchestrationWorkItem.OwnerId.
 */
pg_uuid_t
orch_principal_item_owner(const pg_uuid_t *assignee_id)
{
	Principal	principal;

	return orch_principal_scan(INDEX_PRINCIPAL_ID, Anum_principal_id, F_UUID_EQ,
							   UUIDPGetDatum(assignee_id), &principal) &&
		principal.kind == PRINCIPAL_USER ? *assignee_id : orch_automated_process;
}

/*
 * Run one of the plans in system context; the name is palloc'd in the caller's
 * context.
 */
static bool
fetch(StaticPlan *plan, Datum *values, Principal *result)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	bool		found;

	orch_system_connect(&saved);
	orch_plan_execute_latest(plan, values, NULL, 1);
	found = SPI_processed > 0;
	if (found)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;

		result->id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
		result->kind = (PrincipalKind)
			orch_catalog_label_value(ENUM_PRINCIPAL_KIND,
									 DatumGetObjectId(SPI_getbinval(tuple, desc, 2, &isnull)));
		result->is_active = DatumGetBool(SPI_getbinval(tuple, desc, 3, &isnull));
		result->name = MemoryContextStrdup(caller,
										   SPI_getvalue(tuple, desc, 4));
		result->username = NULL;
		result->permissions = 0;	/* only of the acting user */
	}
	orch_system_finish(&saved);
	return found;
}

/* ------------------------------------------------------------------ calls */

static StaticPlan plan_update_user = {
	"UPDATE orchestration.principal p"
	"   SET name = COALESCE($2, p.name),"
	"       role_name = NULLIF(COALESCE($3, p.role_name), ''),"
	"       is_active = COALESCE($4, p.is_active),"
	"       view_all_data = COALESCE($5, p.view_all_data),"
	"       modify_all_data = COALESCE($6, p.modify_all_data),"
	"       manage_runs = COALESCE($7, p.manage_runs),"
	"       manage_definitions = COALESCE($8, p.manage_definitions),"
	"       reassign_work_items = COALESCE($9, p.reassign_work_items),"
	"       approval_admin = COALESCE($10, p.approval_admin),"
	"       modified_at = pg_catalog.now()"
	" WHERE p.id = $1 AND p.kind = 'User'",
	10, {UUIDOID, TEXTOID, NAMEOID, BOOLOID, BOOLOID, BOOLOID, BOOLOID, BOOLOID, BOOLOID,
	BOOLOID}
};
static StaticPlan plan_add_member = {
	"INSERT INTO orchestration.membership (group_id, member_id) VALUES ($1, $2)"
	" ON CONFLICT DO NOTHING",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_remove_member = {
	"DELETE FROM orchestration.membership WHERE group_id = $1 AND member_id = $2",
	2, {UUIDOID, UUIDOID}
};

/*
 * A call that is one statement, with the latest snapshot; its arguments are the plan's.
 * Returns the number of rows that it wrote.
 */
static uint64
call_plan(StaticPlan *plan, FunctionCallInfo fcinfo)
{
	SystemContext saved;
	Datum		values[STATIC_PLAN_MAX_ARGS];
	char		nulls[STATIC_PLAN_MAX_ARGS];
	uint64		written;

	orch_pass_arguments(fcinfo, plan->nargs, values, nulls);
	orch_system_connect(&saved);
	orch_plan_execute_latest(plan, values, nulls, 0);
	written = SPI_processed;
	orch_system_finish(&saved);
	return written;
}

PG_FUNCTION_INFO_V1(orchestration_update_user);

/*
 * orchestration.update_user(user_id uuid, name text, role_name name, is_active boolean,
 *		view_all_data boolean, modify_all_data boolean, manage_runs boolean,
 *		manage_definitions boolean, reassign_work_items boolean, approval_admin boolean)
 *		returns boolean
 *
 * Sets the values that are not null; an empty role_name is none.  Returns false if there
 * is no such user.
 * Raises: 23505 for a role or name that another user has.
 * Source: ours.
 */
Datum
orchestration_update_user(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(call_plan(&plan_update_user, fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(orchestration_add_group_member);

/*
 * orchestration.add_group_member(group_id uuid, member_id uuid) returns boolean
 *
 * Makes a user or group a member of a group or queue; returns false if it is one already.
 * Raises: 23502 for null, OR103 for a principal that cannot be a member or have members,
 * OR006 for a circle.
 * Source: ours.
 */
Datum
orchestration_add_group_member(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(call_plan(&plan_add_member, fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(orchestration_remove_group_member);

/*
 * orchestration.remove_group_member(group_id uuid, member_id uuid) returns boolean
 *
 * Ends a membership; returns false if there is none.
 * Raises: none.
 * Source: ours.
 */
Datum
orchestration_remove_group_member(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(call_plan(&plan_remove_member, fcinfo) > 0);
}
