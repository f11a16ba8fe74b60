/*-------------------------------------------------------------------------
 *
 * share.c
 *	  Calls that manage sharing: manual shares, rules, defaults.
 *
 * A manual share is written under the lock on the record's run, and the right to share is
 * asked for again under the lock.  A change of the record's owner takes the same lock and
 * removes the shares, so that no share outlives the owner who gave it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/share.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "access/access_name.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "call/share.h"
#include "record/principal.h"

#define MAX_RULE_NAME			80
#define MAX_RULE_DESCRIPTION	1000

static StaticPlan plan_share = {
	"INSERT INTO orchestration.share_grant AS g (run_id, object, record_id,"
	" user_or_group_id, access_level, modified_by)"
	" VALUES ($1, $2::orchestration.shared_object, $3, $4,"
	" $5::orchestration.access_level, $6)"
	" ON CONFLICT (run_id, record_id, user_or_group_id) DO UPDATE"
	" SET access_level = EXCLUDED.access_level, modified_at = orchestration.system_modstamp(),"
	" modified_by = EXCLUDED.modified_by"
	" RETURNING g.id",
	6, {UUIDOID, TEXTOID, UUIDOID, UUIDOID, TEXTOID, UUIDOID}
};
static StaticPlan plan_share_new = {
	"INSERT INTO orchestration.share_grant AS g (run_id, object, record_id,"
	" user_or_group_id, access_level, modified_by)"
	" VALUES ($1, $2::orchestration.shared_object, $3, $4,"
	" $5::orchestration.access_level, $6)"
	" ON CONFLICT (run_id, record_id, user_or_group_id) DO NOTHING"
	" RETURNING g.id",
	6, {UUIDOID, TEXTOID, UUIDOID, UUIDOID, TEXTOID, UUIDOID}
};
static StaticPlan plan_share_found = {
	"SELECT id FROM orchestration.share_grant"
	" WHERE run_id = $1 AND record_id = $2 AND user_or_group_id = $3",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_share_level = {
	"UPDATE orchestration.share_grant"
	" SET access_level = $3::orchestration.access_level,"
	" modified_at = orchestration.system_modstamp(), modified_by = $4"
	" WHERE run_id = $1 AND id = $2",
	4, {UUIDOID, UUIDOID, TEXTOID, UUIDOID}
};
static StaticPlan plan_unshare = {
	"DELETE FROM orchestration.share_grant"
	" WHERE run_id = $1 AND record_id = $2 AND user_or_group_id = $3",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_default = {
	"SELECT sharing_model::pg_catalog.text FROM orchestration.default_access"
	" WHERE object = $1::orchestration.shared_object",
	1, {TEXTOID}
};
static StaticPlan plan_set_default = {
	"INSERT INTO orchestration.default_access (object, sharing_model)"
	" VALUES ($1::orchestration.shared_object, $2::orchestration.sharing_model)"
	" ON CONFLICT (object) DO UPDATE SET sharing_model = EXCLUDED.sharing_model",
	2, {TEXTOID, TEXTOID}
};
#define INSERT_RULE \
	"INSERT INTO orchestration.owner_sharing_rule AS r (object, access_level," \
	" user_or_group_id, group_id, orchestration_id, developer_name, name," \
	" description, created_by, modified_by)" \
	" VALUES ($1::orchestration.shared_object, $2::orchestration.access_level," \
	" $3, $4, $5, $6, $7, $8, $9, $9)" \
	" ON CONFLICT (user_or_group_id, object, group_id, orchestration_id) DO "

static StaticPlan plan_create_rule = {
	INSERT_RULE "UPDATE"
	" SET access_level = EXCLUDED.access_level, name = EXCLUDED.name,"
	" developer_name = EXCLUDED.developer_name, description = EXCLUDED.description,"
	" modified_at = orchestration.system_modstamp(), modified_by = EXCLUDED.modified_by"
	" RETURNING r.id",
	9, {TEXTOID, TEXTOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID,
	UUIDOID}
};
static StaticPlan plan_create_new_rule = {
	INSERT_RULE "NOTHING"
	" RETURNING r.id",
	9, {TEXTOID, TEXTOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID,
	UUIDOID}
};
static StaticPlan plan_rule_found = {
	"SELECT id FROM orchestration.owner_sharing_rule"
	" WHERE user_or_group_id = $1 AND object = $2::orchestration.shared_object"
	" AND group_id = $3",
	3, {UUIDOID, TEXTOID, UUIDOID}
};
static StaticPlan plan_update_rule = {
	"UPDATE orchestration.owner_sharing_rule"
	" SET access_level = $2::orchestration.access_level, name = $3,"
	" developer_name = $4, description = $5,"
	" modified_at = orchestration.system_modstamp(), modified_by = $6"
	" WHERE id = $1",
	6, {UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID}
};
static StaticPlan plan_delete_rule = {
	"DELETE FROM orchestration.owner_sharing_rule WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_orchestration = {
	"SELECT id FROM orchestration.orchestration_definition WHERE name = $1"
	" FOR KEY SHARE",
	1, {TEXTOID}
};

static void refuse_item_sharing(SharedObject object);
static void check_texts(const RuleRequest *request, const char *name);
static void check_level(SharedObject object, AccessLevel level);
static void get_principal(const pg_uuid_t *id, const char *what, Principal *principal);
static AccessLevel level_argument(Oid label);
static void set_text(const char *text, Datum *value, char *isnull);
static void refuse_existing_share(SharedObject object, const pg_uuid_t *run_id,
								  const pg_uuid_t *record_id,
								  const pg_uuid_t *principal_id);
static void refuse_existing_rule(const RuleRequest *request);

static Datum
object_label(SharedObject object)
{
	return CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT, object));
}

static AccessLevel
level_argument(Oid label)
{
	return (AccessLevel) (ACCESS_READ + orch_catalog_label_value(ENUM_ACCESS_LEVEL, label));
}

static const char *
level_name(AccessLevel level)
{
	return orch_catalog_label(ENUM_ACCESS_LEVEL, level - ACCESS_READ);
}

/*
 * An approval work item belongs to its submission (master-detail).
 */
static void
refuse_item_sharing(SharedObject object)
{
	if (object == OBJECT_APPROVAL_WORK_ITEM)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_OPERATION),
				 errmsg("%s has no sharing of its own",
						orch_catalog_label(ENUM_SHARED_OBJECT, object)),
				 errdetail("An approval work item has the sharing of its submission."),
				 errhint("Share the submission: %s.",
						 orch_catalog_label(ENUM_SHARED_OBJECT, OBJECT_APPROVAL_SUBMISSION))));
}

/* ---------------------------------------------------------- manual shares */

/*
 * A grant must give more than the default access.  In system context.
 */
static void
check_level(SharedObject object, AccessLevel level)
{
	Datum		value = object_label(object);
	AccessLevel everybody = ACCESS_NONE;

	if (level == ACCESS_ALL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("access level All cannot be granted"),
				 errdetail("Only the owner has it.")));
	orch_plan_execute_latest(&plan_default, &value, NULL, 1);
	if (SPI_processed > 0)
	{
		char	   *model = SPI_getvalue(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1);

		everybody = strcmp(model, "ReadWrite") == 0 ? ACCESS_EDIT :
			strcmp(model, "Read") == 0 ? ACCESS_READ : ACCESS_NONE;
	}
	if (level <= everybody)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("access level %s is not above the default access of %s",
						level_name(level),
						orch_catalog_label(ENUM_SHARED_OBJECT, object))));
}

/* what: how messages call it. */
static void
get_principal(const pg_uuid_t *id, const char *what, Principal *principal)
{
	if (!orch_principal_get(id, principal))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("%s %s is no user, group or queue", what,
						orch_uuid_text(id)),
				 orch_error_column(RELATION_PRINCIPAL, "id")));
}

/*
 * The record has a share with this grantee, or a trigger suppressed the new one.  The
 * caller has All access to the record and so sees its shares.
 */
static void
refuse_existing_share(SharedObject object, const pg_uuid_t *run_id,
					  const pg_uuid_t *record_id, const pg_uuid_t *principal_id)
{
	Datum		values[3];
	bool		isnull;

	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(record_id);
	values[2] = UUIDPGetDatum(principal_id);
	orch_plan_execute_latest(&plan_share_found, values, NULL, 1);
	if (SPI_processed == 0)
		orch_plan_refuse_suppressed("share_grant");
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("%s is already shared with %s", orch_label(object, record_id),
					orch_principal_label(principal_id)),
			 errdetail("Share %s exists.",
					   orch_uuid_text(DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
																  SPI_tuptable->tupdesc, 1,
																  &isnull)))),
			 errhint("Update its access_level, or call share_record()."),
			 orch_error_constraint(RELATION_SHARE_GRANT, "share_grant_record_key")));
}

void
orch_share_record(int object, const pg_uuid_t *record_id,
				  const pg_uuid_t *principal_id, AccessLevel level, bool overwrite,
				  pg_uuid_t *id)
{
	Oid			role = GetUserId();
	RecordAccess record;
	Principal	principal;
	SystemContext saved;
	Datum		values[6];
	char		nulls[6] = {' ', ' ', ' ', ' ', ' ', ' '};
	bool		isnull;

	orch_caller_require_all(role, object, record_id, &record, MANAGE_SHARING);
	refuse_item_sharing(record.object);
	get_principal(principal_id, "grantee", &principal);

	orch_system_connect(&saved);
	check_level(record.object, level);
	values[0] = UUIDPGetDatum(&record.run_id);
	orch_caller_lock_with_all(role, &record, MANAGE_SHARING);
	values[1] = object_label(record.object);
	values[2] = UUIDPGetDatum(record_id);
	values[3] = UUIDPGetDatum(principal_id);
	values[4] = CStringGetTextDatum(level_name(level));
	orch_principal_set_acting(role, &values[5], &nulls[5]);
	orch_plan_execute_latest(overwrite ? &plan_share : &plan_share_new, values, nulls, 0);
	if (SPI_processed == 0)
	{
		if (overwrite)
			orch_plan_refuse_suppressed("share_grant");
		refuse_existing_share(record.object, &record.run_id, record_id, principal_id);
	}
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
	orch_system_finish(&saved);
}

bool
orch_share_set_level(int object, const pg_uuid_t *record_id, const pg_uuid_t *id,
					 AccessLevel level)
{
	Oid			role = GetUserId();
	RecordAccess record;
	SystemContext saved;
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};
	bool		updated;

	orch_caller_require_all(role, object, record_id, &record, MANAGE_SHARING);
	orch_system_connect(&saved);
	check_level(record.object, level);
	values[0] = UUIDPGetDatum(&record.run_id);
	orch_caller_lock_with_all(role, &record, MANAGE_SHARING);
	values[1] = UUIDPGetDatum(id);
	values[2] = CStringGetTextDatum(level_name(level));
	orch_principal_set_acting(role, &values[3], &nulls[3]);
	orch_plan_execute_latest(&plan_share_level, values, nulls, 0);
	updated = SPI_processed > 0;
	orch_system_finish(&saved);
	return updated;
}

bool
orch_share_remove(int object, const pg_uuid_t *record_id,
				  const pg_uuid_t *principal_id)
{
	Oid			role = GetUserId();
	RecordAccess record;
	SystemContext saved;
	Datum		values[3];
	bool		removed;

	orch_caller_require_all(role, object, record_id, &record, MANAGE_SHARING);
	refuse_item_sharing(record.object);
	orch_system_connect(&saved);
	values[0] = UUIDPGetDatum(&record.run_id);
	orch_caller_lock_with_all(role, &record, MANAGE_SHARING);
	values[1] = UUIDPGetDatum(record_id);
	values[2] = UUIDPGetDatum(principal_id);
	orch_plan_execute_latest(&plan_unshare, values, NULL, 0);
	removed = SPI_processed > 0;
	orch_system_finish(&saved);
	return removed;
}

PG_FUNCTION_INFO_V1(orchestration_share_record);

/*
 * orchestration.share_record(record_id uuid, user_or_group_id uuid,
 *		access_level orchestration.access_level) returns uuid
 *
 * Shares a run, stage, step, work item or approval submission by a manual share.  A second
 * call with the same user, group or queue changes the level.  Returns the id of the share.
 * Raises: 22004 for null, OR101 for a record that does not exist or that the caller does
 * not see, 42501 without All access to it, OR403 for an approval work item, OR103 for an
 * unknown principal, 22023 for level All and for a level that is not above the default
 * access.
 * Source: reference.md, 3.4 and 6.4.
 */
Datum
orchestration_share_record(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	orch_require_arguments(fcinfo, 0, 3, "record_id, user_or_group_id and access_level");
	orch_share_record(ANY_OBJECT, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1),
					  level_argument(PG_GETARG_OID(2)), true, id);
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(orchestration_unshare_record);

/*
 * orchestration.unshare_record(record_id uuid, user_or_group_id uuid)
 *		returns boolean
 *
 * Removes a manual share.  Returns false if there is none.
 * Raises: 22004 for null, OR101 for a record that does not exist or that the caller does
 * not see, 42501 without All access to it, OR403 for an approval work item.
 * Source: reference.md, 6.4.
 */
Datum
orchestration_unshare_record(PG_FUNCTION_ARGS)
{
	orch_require_arguments(fcinfo, 0, 2, "record_id and user_or_group_id");
	PG_RETURN_BOOL(orch_share_remove(ANY_OBJECT, PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1)));
}

/* ------------------------------------------------------- rules and defaults */

PG_FUNCTION_INFO_V1(orchestration_set_default_access);

/*
 * orchestration.set_default_access(object orchestration.shared_object,
 *		sharing_model orchestration.sharing_model) returns void
 *
 * Sets the access that every active user has to all records of an object.
 * Raises: 22004 for null, 42501 without the permission Modify All Data, OR403 for
 * ApprovalWorkItem.
 * Source: reference.md, 6.1.
 */
Datum
orchestration_set_default_access(PG_FUNCTION_ARGS)
{
	SharedObject object;
	SystemContext saved;
	Datum		values[2];

	orch_require_arguments(fcinfo, 0, 2, "object and sharing_model");
	orch_access_require_permission(GetUserId(), PERMISSION_MODIFY_ALL_DATA,
								   "set default access");
	object = (SharedObject) orch_catalog_label_value(ENUM_SHARED_OBJECT, PG_GETARG_OID(0));
	refuse_item_sharing(object);
	values[0] = object_label(object);
	values[1] = CStringGetTextDatum(orch_catalog_label(ENUM_SHARING_MODEL,
													   orch_catalog_label_value(ENUM_SHARING_MODEL, PG_GETARG_OID(1))));
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_set_default, values, NULL, 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

/*
 * The reference says what names look like.  The table has the same constraints; the
 * messages here say more.
 */
static void
check_texts(const RuleRequest *request, const char *name)
{
	if (name[0] == '\0' || pg_mbstrlen(name) > MAX_RULE_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("name of a sharing rule must have 1 to %d characters",
						MAX_RULE_NAME)));
	if (request->description != NULL &&
		pg_mbstrlen(request->description) > MAX_RULE_DESCRIPTION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("description of a sharing rule must have at most %d characters",
						MAX_RULE_DESCRIPTION)));
	if (request->developer_name != NULL)
	{
		const char *c = request->developer_name;
		bool		good = isalpha((unsigned char) *c) && !IS_HIGHBIT_SET(*c) &&
			strlen(c) <= MAX_RULE_NAME;

		for (; good && *c != '\0'; c++)
			good = !IS_HIGHBIT_SET(*c) &&
				(isalnum((unsigned char) *c) ||
				 (*c == '_' && c[1] != '_' && c[1] != '\0'));
		if (!good)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is no developer name", request->developer_name),
					 errdetail("It has letters, digits and underscores, begins with a letter, has no two underscores in a row nor one at the end, and at most %d characters.",
							   MAX_RULE_NAME)));
	}
}

static void
set_text(const char *text, Datum *value, char *isnull)
{
	*value = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
	*isnull = text == NULL ? 'n' : ' ';
}

/*
 * A rule with this source and grantee exists, or a trigger suppressed the new one.  The
 * caller has the permission Modify All Data and so sees every rule.
 */
static void
refuse_existing_rule(const RuleRequest *request)
{
	Datum		values[3];
	bool		isnull;

	values[0] = UUIDPGetDatum(request->user_or_group_id);
	values[1] = object_label(request->object);
	values[2] = UUIDPGetDatum(request->group_id);
	orch_plan_execute_latest(&plan_rule_found, values, NULL, 1);
	if (SPI_processed == 0)
		orch_plan_refuse_suppressed("owner_sharing_rule");
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("a sharing rule from %s to %s already exists",
					orch_principal_label(request->group_id),
					orch_principal_label(request->user_or_group_id)),
			 errdetail("It is rule %s.",
					   orch_uuid_text(DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
																  SPI_tuptable->tupdesc, 1,
																  &isnull)))),
			 errhint("Update that rule, or call create_owner_sharing_rule()."),
			 orch_error_constraint(RELATION_OWNER_SHARING_RULE,
								   "owner_sharing_rule_source_key")));
}

void
orch_share_create_rule(const RuleRequest *request, bool overwrite, pg_uuid_t *id)
{
	Oid			role = GetUserId();
	Principal	source;
	Principal	target;
	SystemContext saved;
	Datum		values[9];
	char		nulls[9] = {' ', ' ', ' ', 'n', 'n', ' ', ' ', ' ', ' '};
	bool		isnull;
	char	   *name;

	orch_access_require_permission(role, PERMISSION_MODIFY_ALL_DATA,
								   "manage sharing rules");
	refuse_item_sharing(request->object);
	get_principal(request->user_or_group_id, "grantee", &target);
	if (request->group_id != NULL)
	{
		get_principal(request->group_id, "source", &source);
		if (source.kind == PRINCIPAL_USER)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
					 errmsg("source %s of a sharing rule is no group or queue",
							orch_principal_label(request->group_id)),
					 errhint("Put the user into a group."),
					 orch_error_column(RELATION_OWNER_SHARING_RULE, "group_id")));
	}
	if (request->name != NULL)
		name = pstrdup(request->name);
	else
	{
		name = psprintf("%s to %s", request->group_id != NULL ? source.name : "orchestration",
						target.name);
		name[pg_mbcharcliplen(name, strlen(name), MAX_RULE_NAME)] = '\0';
	}

	check_texts(request, name);

	orch_system_connect(&saved);
	check_level(request->object, request->level);
	values[0] = object_label(request->object);
	values[1] = CStringGetTextDatum(level_name(request->level));
	values[2] = UUIDPGetDatum(request->user_or_group_id);
	values[3] = values[4] = (Datum) 0;
	if (request->group_id != NULL)
	{
		values[3] = UUIDPGetDatum(request->group_id);
		nulls[3] = ' ';
	}
	if (request->orchestration_id != NULL)
	{
		values[4] = UUIDPGetDatum(request->orchestration_id);
		nulls[4] = ' ';
	}
	set_text(request->developer_name, &values[5], &nulls[5]);
	values[6] = CStringGetTextDatum(name);
	set_text(request->description, &values[7], &nulls[7]);
	orch_principal_set_acting(role, &values[8], &nulls[8]);
	orch_plan_execute_latest(overwrite ? &plan_create_rule : &plan_create_new_rule, values,
							 nulls, 0);
	if (SPI_processed == 0)
	{
		if (overwrite)
			orch_plan_refuse_suppressed("owner_sharing_rule");
		refuse_existing_rule(request);
	}
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
	orch_system_finish(&saved);
}

bool
orch_share_update_rule(const RuleRequest *request, const pg_uuid_t *id)
{
	SystemContext saved;
	Datum		values[6];
	char		nulls[6] = {' ', ' ', ' ', ' ', ' ', ' '};
	bool		updated;

	orch_access_require_permission(GetUserId(), PERMISSION_MODIFY_ALL_DATA,
								   "manage sharing rules");
	check_texts(request, request->name);
	values[0] = UUIDPGetDatum(id);
	orch_principal_set_acting(GetUserId(), &values[5], &nulls[5]);
	orch_system_connect(&saved);
	check_level(request->object, request->level);
	values[1] = CStringGetTextDatum(level_name(request->level));
	values[2] = CStringGetTextDatum(request->name);
	set_text(request->developer_name, &values[3], &nulls[3]);
	set_text(request->description, &values[4], &nulls[4]);
	orch_plan_execute_latest(&plan_update_rule, values, nulls, 0);
	updated = SPI_processed > 0;
	orch_system_finish(&saved);
	return updated;
}

bool
orch_share_delete_rule(const pg_uuid_t *id)
{
	SystemContext saved;
	Datum		value = UUIDPGetDatum(id);
	bool		deleted;

	orch_access_require_permission(GetUserId(), PERMISSION_MODIFY_ALL_DATA,
								   "manage sharing rules");
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_delete_rule, &value, NULL, 0);
	deleted = SPI_processed > 0;
	orch_system_finish(&saved);
	return deleted;
}

PG_FUNCTION_INFO_V1(orchestration_create_owner_sharing_rule);

/*
 * orchestration.create_owner_sharing_rule(object orchestration.shared_object,
 *		group_id uuid, user_or_group_id uuid,
 *		access_level orchestration.access_level, name text, developer_name text,
 *		description text) returns uuid
 *
 * Shares the records that members of a group or queue own.  A second call with the same
 * source and target overwrites the rule.  Returns the id of the rule.
 * Raises: 22004 for null (but name, developer_name and description), 42501 without the
 * permission Modify All Data, OR403 for ApprovalWorkItem, OR103 for unknown principals and
 * for a user as source, 22023 for level All, for a level that is not above the default
 * access and for malformed names, 23505 for a developer name that another rule of the object
 * has.
 * Source: reference.md, 3.3 and 6.3.
 */
Datum
orchestration_create_owner_sharing_rule(PG_FUNCTION_ARGS)
{
	RuleRequest request;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	orch_require_arguments(fcinfo, 0, 4,
						   "object, group_id, user_or_group_id and access_level");
	memset(&request, 0, sizeof(request));
	request.object = (SharedObject) orch_catalog_label_value(ENUM_SHARED_OBJECT, PG_GETARG_OID(0));
	request.group_id = PG_GETARG_UUID_P(1);
	request.user_or_group_id = PG_GETARG_UUID_P(2);
	request.level = level_argument(PG_GETARG_OID(3));
	if (!PG_ARGISNULL(4))
		request.name = text_to_cstring(PG_GETARG_TEXT_PP(4));
	if (!PG_ARGISNULL(5))
		request.developer_name = text_to_cstring(PG_GETARG_TEXT_PP(5));
	if (!PG_ARGISNULL(6))
		request.description = text_to_cstring(PG_GETARG_TEXT_PP(6));
	orch_share_create_rule(&request, true, id);
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(orchestration_create_orchestration_sharing_rule);

/*
 * orchestration.create_orchestration_sharing_rule(orchestration text,
 *		user_or_group_id uuid, access_level orchestration.access_level,
 *		objects orchestration.shared_object[]) returns setof uuid
 *
 * Shares the records of all runs of an orchestration, by one rule for each of the objects.
 * A second call overwrites the rules.  Returns the ids of the rules.
 * Raises: 22004 for null, OR202 for an unknown orchestration, and as
 * create_owner_sharing_rule().
 * Source: design.md, section 4.
 */
Datum
orchestration_create_orchestration_sharing_rule(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	RuleRequest request;
	pg_uuid_t	orchestration;
	pg_uuid_t  *ids;
	Datum	   *objects;
	bool	   *object_nulls;
	int			nobjects;
	Datum		value;
	bool		found;
	bool		isnull;
	int			i;

	orch_require_arguments(fcinfo, 0, 4,
						   "orchestration, user_or_group_id, access_level and objects");
	orch_access_require_permission(GetUserId(), PERMISSION_MODIFY_ALL_DATA,
								   "manage sharing rules");
	value = PG_GETARG_DATUM(0);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_orchestration, &value, NULL, 1);
	found = SPI_processed > 0;
	if (found)
		orchestration = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
													 SPI_tuptable->tupdesc, 1, &isnull));
	orch_system_finish(&saved);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_ORCHESTRATION),
				 errmsg("orchestration \"%s\" does not exist",
						text_to_cstring(PG_GETARG_TEXT_PP(0)))));

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(3), orch_catalog_enum_type(ENUM_SHARED_OBJECT),
					  sizeof(Oid), true, TYPALIGN_INT, &objects, &object_nulls, &nobjects);
	memset(&request, 0, sizeof(request));
	request.orchestration_id = &orchestration;
	request.user_or_group_id = PG_GETARG_UUID_P(1);
	request.level = level_argument(PG_GETARG_OID(2));
	request.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ids = palloc(Max(nobjects, 1) * sizeof(pg_uuid_t));
	for (i = 0; i < nobjects; i++)
	{
		if (object_nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("objects must not contain null")));
		request.object = (SharedObject) orch_catalog_label_value(ENUM_SHARED_OBJECT,
																 DatumGetObjectId(objects[i]));
		orch_share_create_rule(&request, true, &ids[i]);
	}

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (i = 0; i < nobjects; i++)
	{
		bool		not_null = false;

		value = UUIDPGetDatum(&ids[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &not_null);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_delete_sharing_rule);

/*
 * orchestration.delete_sharing_rule(rule_id uuid) returns boolean
 *
 * Deletes a sharing rule, and with it the access that the rule gave.  Returns false if
 * there is no such rule.
 * Raises: 22004 for null, 42501 without the permission Modify All Data.
 * Source: reference.md, 6.3.
 */
Datum
orchestration_delete_sharing_rule(PG_FUNCTION_ARGS)
{
	orch_require_arguments(fcinfo, 0, 1, "rule_id");
	PG_RETURN_BOOL(orch_share_delete_rule(PG_GETARG_UUID_P(0)));
}
