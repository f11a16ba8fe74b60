/*-------------------------------------------------------------------------
 *
 * share_view.c
 *	  The views of Share and OwnerSharingRule, and calls that explain access.
 *
 * Only manual shares are stored.  The views compute their rows of causes Owner and Rule
 * from the records that the reader sees, so that they cannot contradict the policies.
 * INSTEAD OF triggers make the views writable; they use the functions of share.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/share_view.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "call/share.h"
#include "record/principal.h"

/* UserRecordAccess takes so many records at once (reference.md, 6.6). */
#define MAX_RECORDS 200

/*
 * Rules that cover a record, one row a grantee with the highest level: those of the groups
 * that the owner is in, directly or through other groups, and those of the orchestration.
 */
static StaticPlan plan_rule_shares = {
	"WITH RECURSIVE source (id) AS ("
	"  SELECT $2::pg_catalog.uuid"
	"  UNION"
	"  SELECT m.group_id FROM source s"
	"    JOIN orchestration.membership m ON m.member_id = s.id)"
	" SELECT DISTINCT ON (r.user_or_group_id) r.user_or_group_id, r.access_level,"
	"        r.modified_by, r.modified_at"
	"   FROM orchestration.owner_sharing_rule r"
	"  WHERE r.object = $1::orchestration.shared_object"
	"    AND (r.group_id IN (SELECT id FROM source) OR r.orchestration_id = $3)"
	"  ORDER BY r.user_or_group_id, r.access_level DESC, r.id",
	3, {TEXTOID, UUIDOID, UUIDOID}
};

/*
 * Every grant that gives a user access to a record.  A path says how a user belongs to a
 * group: alice in Approvers in Finance.
 */
static StaticPlan plan_explain = {
	"WITH RECURSIVE acting AS ("
	"  SELECT p.* FROM orchestration.principal p"
	"   WHERE p.id = $1 AND p.kind = 'User' AND p.is_active),"
	" mine (id, path) AS ("
	"  SELECT a.id, a.name FROM acting a"
	"  UNION"
	"  SELECT g.id, m.path || ' in ' || g.name FROM mine m"
	"    JOIN orchestration.membership b ON b.member_id = m.id"
	"    JOIN orchestration.principal g ON g.id = b.group_id),"
	" me (id, path) AS ("
	"  SELECT DISTINCT ON (m.id) m.id, m.path FROM mine m"
	"   ORDER BY m.id, pg_catalog.length(m.path), m.path),"
	" owning (id, path) AS ("
	"  SELECT o.id, o.name FROM orchestration.principal o WHERE o.id = $4"
	"  UNION"
	"  SELECT g.id, w.path || ' in ' || g.name FROM owning w"
	"    JOIN orchestration.membership b ON b.member_id = w.id"
	"    JOIN orchestration.principal g ON g.id = b.group_id),"
	" owner (id, path) AS ("
	"  SELECT DISTINCT ON (w.id) w.id, w.path FROM owning w"
	"   ORDER BY w.id, pg_catalog.length(w.path), w.path)"
	" SELECT $2::orchestration.shared_object, x.cause,"
	"        x.access_level::orchestration.access_level, x.granted_to, x.source_id,"
	"        x.detail"
	" FROM ("
	"  SELECT 1 AS place, 'Modify All Data' AS cause, 'All' AS access_level,"
	"         a.id AS granted_to, NULL::pg_catalog.uuid AS source_id,"
	"         pg_catalog.format('permission of %s', a.name) AS detail"
	"    FROM acting a WHERE a.modify_all_data"
	"  UNION ALL"
	"  SELECT 2, 'View All Data', 'Read', a.id, NULL,"
	"         pg_catalog.format('permission of %s', a.name)"
	"    FROM acting a WHERE a.view_all_data"
	"  UNION ALL"
	"  SELECT 3, 'Default', CASE d.sharing_model WHEN 'Read' THEN 'Read' ELSE 'Edit' END,"
	"         a.id, NULL, pg_catalog.format('default access of %s', d.object)"
	"    FROM acting a JOIN orchestration.default_access d"
	"      ON d.object = $2::orchestration.shared_object AND d.sharing_model <> 'Private'"
	"  UNION ALL"
	"  SELECT 4, 'Owner', 'All', a.id, a.id, pg_catalog.format('%s owns it', a.name)"
	"    FROM acting a WHERE a.id = $4"
	"  UNION ALL"
	"  SELECT 5, 'Rule', r.access_level::pg_catalog.text, r.user_or_group_id, r.id,"
	"         pg_catalog.format('rule \"%s\": %s; for %s', r.name,"
	"           COALESCE('owner ' || w.path, 'orchestration ' || d.name), m.path)"
	"    FROM me m JOIN orchestration.owner_sharing_rule r"
	"      ON r.user_or_group_id = m.id AND r.object = $2::orchestration.shared_object"
	"    LEFT JOIN owner w ON w.id = r.group_id"
	"    LEFT JOIN orchestration.orchestration_definition d"
	"      ON d.id = r.orchestration_id AND d.id = $5"
	"   WHERE COALESCE(w.id, d.id) IS NOT NULL"
	"  UNION ALL"
	"  SELECT 6, 'Manual', g.access_level::pg_catalog.text, g.user_or_group_id, g.id,"
	"         pg_catalog.format('manual share for %s', m.path)"
	"    FROM me m JOIN orchestration.share_grant g"
	"      ON g.user_or_group_id = m.id AND g.record_id = $3"
	"  UNION ALL"
	"  SELECT 7, 'Assignee', 'Read', m.id, m.id,"
	"         pg_catalog.format('assigned to %s', m.path)"
	"    FROM me m WHERE m.id = $6) x"
	" ORDER BY x.place, x.access_level DESC, x.detail",
	6, {UUIDOID, TEXTOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID}
};

static void put_rows(FunctionCallInfo fcinfo);
static HeapTuple trigger_row(FunctionCallInfo fcinfo, const char *name,
							 TriggerData **trigdata, SharedObject *object);
static Datum column(HeapTuple tuple, TupleDesc desc, const char *name, bool *isnull);
static pg_uuid_t *uuid_column(HeapTuple tuple, TupleDesc desc, const char *name);
static char *text_column(HeapTuple tuple, TupleDesc desc, const char *name);
static HeapTuple with_column(HeapTuple tuple, TupleDesc desc, const char *name,
							 Datum value);
static AccessLevel level_column(HeapTuple tuple, TupleDesc desc);

/* ------------------------------------------------------------ explanations */

/*
 * Return the rows that SPI selected.
 */
static void
put_rows(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	uint64		n;

	for (n = 0; n < SPI_processed; n++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[n]);
}

PG_FUNCTION_INFO_V1(orchestration_rule_shares);

/*
 * orchestration.rule_shares(object orchestration.shared_object, record_id uuid,
 *		OUT user_or_group_id uuid, OUT access_level orchestration.access_level,
 *		OUT modified_by uuid, OUT modified_at timestamptz) returns setof record
 *
 * Returns to whom sharing rules give access to a record, for the Rule rows of the share
 * views; no row for a record that the caller does not see.
 * Raises: none.
 * Source: reference.md, 3.4.
 */
Datum
orchestration_rule_shares(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	RecordAccess record;
	SystemContext saved;
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};

	InitMaterializedSRF(fcinfo, 0);
	if (orch_caller_level(role, orch_access_object(PG_GETARG_OID(0)), PG_GETARG_UUID_P(1),
						  &record) == ACCESS_NONE)
		return (Datum) 0;

	values[0] = CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT, record.object));
	values[1] = UUIDPGetDatum(&record.owner_id);
	values[2] = UUIDPGetDatum(&record.orchestration_id);
	if (!record.has_orchestration)
		nulls[2] = 'n';
	orch_system_connect(&saved);
	orch_plan_execute(&plan_rule_shares, values, nulls, true, 0);
	put_rows(fcinfo);
	orch_system_finish(&saved);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_explain_access);

/*
 * orchestration.explain_access(record_id uuid, user_id uuid,
 *		OUT object orchestration.shared_object, OUT cause text,
 *		OUT access_level orchestration.access_level, OUT granted_to uuid,
 *		OUT source_id uuid, OUT detail text) returns setof record
 *
 * Returns every grant that gives the user access to the record; no row if the user has no
 * access, for example because the user is not active.
 * Raises: 22004 for null, OR101 for a record that does not exist or that the caller does
 * not see, 42501 without All access to it, OR103 for an unknown user.
 * Source: reference.md, 6.1.
 */
Datum
orchestration_explain_access(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	RecordAccess record;
	Principal	principal;
	SystemContext saved;
	Datum		values[6];
	char		nulls[6] = {' ', ' ', ' ', ' ', ' ', ' '};

	orch_require_arguments(fcinfo, 0, 2, "record_id and user_id");
	orch_caller_require_all(role, ANY_OBJECT, PG_GETARG_UUID_P(0), &record,
							"see the sharing of");
	if (!orch_principal_get(PG_GETARG_UUID_P(1), &principal) ||
		principal.kind != PRINCIPAL_USER)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("%s is no user", orch_uuid_text(PG_GETARG_UUID_P(1)))));

	InitMaterializedSRF(fcinfo, 0);
	values[0] = PG_GETARG_DATUM(1);
	values[1] = CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT, record.object));
	values[2] = UUIDPGetDatum(&record.id);
	values[3] = UUIDPGetDatum(&record.owner_id);
	values[4] = UUIDPGetDatum(&record.orchestration_id);
	if (!record.has_orchestration)
		nulls[4] = 'n';
	values[5] = UUIDPGetDatum(&record.assignee_id);
	if (!record.has_assignee)
		nulls[5] = 'n';
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_explain, values, nulls, 0);
	put_rows(fcinfo);
	orch_system_finish(&saved);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_user_record_access);

/*
 * orchestration.user_record_access(record_ids uuid[], user_id uuid,
 *		OUT record_id uuid, OUT user_id uuid, OUT has_read_access boolean,
 *		OUT has_edit_access boolean, OUT has_delete_access boolean,
 *		OUT has_transfer_access boolean, OUT has_all_access boolean,
 *		OUT max_access_level text) returns setof record
 *
 * Returns the access of a user (null: the caller) to up to 200 records, in the order of the
 * ids and without records that the caller cannot read.  max_access_level is None, Read, Edit
 * or All; All includes delete and transfer.
 * Raises: 22004 for null ids, 42501 for a role that acts as no active user, OR103 for an
 * unknown user, 22023 for more than 200 ids.
 * Source: reference.md, 6.6.
 */
Datum
orchestration_user_record_access(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"None", "Read", "Edit", "All"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			role = GetUserId();
	AccessSet  *caller;
	bool		is_other = !PG_ARGISNULL(1);
	pg_uuid_t	user_id;
	Datum	   *ids;
	bool	   *id_nulls;
	int			nids;
	int			i;

	orch_require_arguments(fcinfo, 0, 1, "record_ids");
	caller = orch_access_require_user(role);
	if (is_other)
	{
		Principal	principal;

		user_id = *PG_GETARG_UUID_P(1);
		if (!orch_principal_get(&user_id, &principal) ||
			principal.kind != PRINCIPAL_USER)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
					 errmsg("%s is no user", orch_uuid_text(&user_id))));
	}
	else if (caller->is_user)
		user_id = caller->user_id;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), UUIDOID, UUID_LEN, false,
					  TYPALIGN_CHAR, &ids, &id_nulls, &nids);
	if (nids > MAX_RECORDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("access to %d records was asked for", nids),
				 errdetail("At most %d at once.", MAX_RECORDS)));

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < nids; i++)
	{
		RecordAccess record;
		AccessLevel level;
		Datum		values[8];
		bool		nulls[8] = {false};

		if (id_nulls[i])
			continue;
		level = orch_caller_level(role, ANY_OBJECT, DatumGetUUIDP(ids[i]), &record);
		if (level == ACCESS_NONE)
			continue;
		if (is_other)
			level = orch_access_level(orch_access_of_user(&user_id), &record);
		values[0] = ids[i];
		values[1] = UUIDPGetDatum(&user_id);
		nulls[1] = !is_other && !caller->is_user;
		values[2] = BoolGetDatum(level >= ACCESS_READ);
		values[3] = BoolGetDatum(level >= ACCESS_EDIT);
		values[4] = values[5] = values[6] = BoolGetDatum(level >= ACCESS_ALL);
		values[7] = CStringGetTextDatum(names[level]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* -------------------------------------------------------------- the views */

/*
 * The row of an INSTEAD OF trigger (the new one, for DELETE the old one), and the object
 * that the trigger's argument names.
 */
static HeapTuple
trigger_row(FunctionCallInfo fcinfo, const char *name, TriggerData **trigdata,
			SharedObject *object)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	int			i;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_INSTEAD(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) || data->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an INSTEAD OF trigger",
						name)));
	for (i = 0; i < NUM_OBJECTS; i++)
		if (strcmp(data->tg_trigger->tgargs[0],
				   orch_catalog_label(ENUM_SHARED_OBJECT, i)) == 0)
			break;
	if (i == NUM_OBJECTS)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be given the name of an object", name)));
	*trigdata = data;
	*object = (SharedObject) i;
	return TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple :
		data->tg_trigtuple;
}

static Datum
column(HeapTuple tuple, TupleDesc desc, const char *name, bool *isnull)
{
	return heap_getattr(tuple, SPI_fnumber(desc, name), desc, isnull);
}

static pg_uuid_t *
uuid_column(HeapTuple tuple, TupleDesc desc, const char *name)
{
	bool		isnull;
	Datum		value = column(tuple, desc, name, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s must not be null", name)));
	return DatumGetUUIDP(value);
}

static char *
text_column(HeapTuple tuple, TupleDesc desc, const char *name)
{
	bool		isnull;
	Datum		value = column(tuple, desc, name, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static AccessLevel
level_column(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		value = column(tuple, desc, "access_level", &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("access_level must not be null")));
	return (AccessLevel) (ACCESS_READ +
						  orch_catalog_label_value(ENUM_ACCESS_LEVEL, DatumGetObjectId(value)));
}

static HeapTuple
with_column(HeapTuple tuple, TupleDesc desc, const char *name, Datum value)
{
	int			attnum = SPI_fnumber(desc, name);
	bool		isnull = false;

	return heap_modify_tuple_by_cols(tuple, desc, 1, &attnum, &value, &isnull);
}

PG_FUNCTION_INFO_V1(orchestration_share_change);

/*
 * orchestration.share_change() returns trigger
 *
 * INSTEAD OF INSERT OR UPDATE OR DELETE ROW of the share views: writes manual shares.
 * Returns the row as stored, or null if it is gone.
 * Raises: 39P01 if not called as that trigger, OR005 for rows that are not Manual and for a
 * change of another column than access_level, 23502 for null, and as share_record().
 * Source: reference.md, 3.4.
 */
Datum
orchestration_share_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata;
	SharedObject object;
	HeapTuple	row = trigger_row(fcinfo, "share_change", &trigdata, &object);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	before = TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ? row :
		trigdata->tg_trigtuple;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	bool		isnull;
	Datum		cause = column(before, desc, "row_cause", &isnull);
	Oid			manual = orch_catalog_label_oid(ENUM_ROW_CAUSE, 0);

	if (!isnull && DatumGetObjectId(cause) != manual)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("share rows with RowCause %s cannot be written",
						orch_catalog_label(ENUM_ROW_CAUSE,
										   orch_catalog_label_value(ENUM_ROW_CAUSE, DatumGetObjectId(cause)))),
				 errdetail("They follow from owners and sharing rules."),
				 errhint("Change the owner or the rule.")));
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		if (!orch_share_remove(object, uuid_column(row, desc, "parent_id"),
							   uuid_column(row, desc, "user_or_group_id")))
			return PointerGetDatum(NULL);	/* gone meanwhile */
		return PointerGetDatum(row);
	}
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
		(!orch_uuid_equal(uuid_column(before, desc, "parent_id"),
						  uuid_column(row, desc, "parent_id")) ||
		 !orch_uuid_equal(uuid_column(before, desc, "user_or_group_id"),
						  uuid_column(row, desc, "user_or_group_id"))))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("only the access level of a share can be changed")));
	orch_share_record(object, uuid_column(row, desc, "parent_id"),
					  uuid_column(row, desc, "user_or_group_id"),
					  level_column(row, desc), id);
	row = with_column(row, desc, "row_cause", ObjectIdGetDatum(manual));
	return PointerGetDatum(with_column(row, desc, "id", UUIDPGetDatum(id)));
}

PG_FUNCTION_INFO_V1(orchestration_rule_change);

/*
 * orchestration.rule_change() returns trigger
 *
 * INSTEAD OF INSERT OR UPDATE OR DELETE ROW of the views of owner sharing rules: writes
 * rules.  Returns the row as stored, or null if it is gone.
 * Raises: 39P01 if not called as that trigger, OR005 for a change of source or target,
 * 23502 for null, and as create_owner_sharing_rule().
 * Source: reference.md, 3.3.
 */
Datum
orchestration_rule_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata;
	SharedObject object;
	HeapTuple	row = trigger_row(fcinfo, "rule_change", &trigdata, &object);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	RuleRequest request;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		if (!orch_share_delete_rule(uuid_column(row, desc, "id")))
			return PointerGetDatum(NULL);
		return PointerGetDatum(row);
	}
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
		(!orch_uuid_equal(uuid_column(trigdata->tg_trigtuple, desc, "group_id"),
						  uuid_column(row, desc, "group_id")) ||
		 !orch_uuid_equal(uuid_column(trigdata->tg_trigtuple, desc, "user_or_group_id"),
						  uuid_column(row, desc, "user_or_group_id"))))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("source and target of a sharing rule cannot be changed"),
				 errhint("Delete the rule and create another.")));
	memset(&request, 0, sizeof(request));
	request.object = object;
	request.group_id = uuid_column(row, desc, "group_id");
	request.user_or_group_id = uuid_column(row, desc, "user_or_group_id");
	request.level = level_column(row, desc);
	request.name = text_column(row, desc, "name");
	request.developer_name = text_column(row, desc, "developer_name");
	request.description = text_column(row, desc, "description");
	orch_share_create_rule(&request, id);
	return PointerGetDatum(with_column(row, desc, "id", UUIDPGetDatum(id)));
}
