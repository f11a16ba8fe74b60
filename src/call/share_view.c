/*-------------------------------------------------------------------------
 *
 * share_view.c
 *	  The views of Share and OwnerSharingRule.
 *
 * Only manual shares are stored.  The views compute their rows of causes Owner and Rule
 * from the records that the reader sees, so that they cannot contradict the policies.
 * INSTEAD OF triggers make the views writable; they use the functions of share.c.
 *
 * PostgreSQL takes the row that such a trigger returns for RETURNING and counts it, whatever
 * was stored.  So a trigger refuses each column that it would not store, and returns the row
 * as it is stored, read after the triggers of the storage table.  The row before an UPDATE or
 * DELETE is that of the statement's snapshot, and may have been changed meanwhile.
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
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "call/share.h"
#include "record/principal.h"

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
 * A share and a rule as the views show them; then the transaction that wrote the row.
 */
static StaticPlan plan_share_row = {
	"SELECT g.id, g.access_level, g.record_id, 'Manual'::orchestration.row_cause,"
	"       g.user_or_group_id, false,"
	"       COALESCE(g.modified_by, '00000000-0000-7000-8000-000000000001'::pg_catalog.uuid),"
	"       g.modified_at, g.xmin"
	"  FROM orchestration.share_grant g WHERE g.id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_rule_row = {
	"SELECT r.id,"
	"       COALESCE(r.created_by, '00000000-0000-7000-8000-000000000001'::pg_catalog.uuid),"
	"       r.created_at,"
	"       COALESCE(r.modified_by, '00000000-0000-7000-8000-000000000001'::pg_catalog.uuid),"
	"       r.modified_at, r.modified_at, r.access_level, r.description, r.developer_name,"
	"       r.group_id, r.name, r.user_or_group_id, r.xmin"
	"  FROM orchestration.owner_sharing_rule r WHERE r.id = $1 FOR NO KEY UPDATE",
	1, {UUIDOID}
};

/* What can be written through a view. */
typedef struct ViewColumns
{
	const char *what;			/* how messages call a row */
	StaticPlan *plan;			/* selects a row */
	const char *updatable[5];	/* up to a NULL */
	const char *insertable[5];	/* further columns, up to a NULL */
} ViewColumns;

static const ViewColumns share_columns = {
	"share", &plan_share_row, {"access_level"}, {"parent_id", "row_cause", "user_or_group_id"}
};
static const ViewColumns rule_columns = {
	"sharing rule", &plan_rule_row, {"access_level", "description", "developer_name", "name"},
	{"group_id", "user_or_group_id"}
};

/* The next new row for a view comes from create(). */
static bool create_executes = false;

static HeapTuple trigger_row(FunctionCallInfo fcinfo, const char *name,
							 TriggerData **trigdata, SharedObject *object);
static Datum column(HeapTuple tuple, TupleDesc desc, const char *name, bool *isnull);
static pg_uuid_t *uuid_column(HeapTuple tuple, TupleDesc desc, const char *name);
static char *text_column(HeapTuple tuple, TupleDesc desc, const char *name);
static AccessLevel level_column(HeapTuple tuple, TupleDesc desc);
static bool is_listed(const char *const *names, const char *name);
static bool same_value(HeapTuple a, HeapTuple b, TupleDesc desc, int attnum);
static void check_inserted(const ViewColumns *columns, HeapTuple row, TupleDesc desc);
static void check_updated(const ViewColumns *columns, HeapTuple before, HeapTuple row,
						  TupleDesc desc);
static HeapTuple read_row(const ViewColumns *columns, const pg_uuid_t *id, TupleDesc desc,
						  bool *own);
static HeapTuple stored_row(const ViewColumns *columns, const pg_uuid_t *id,
							TupleDesc desc);
static bool still_there(const ViewColumns *columns, HeapTuple before, TupleDesc desc);
static void refuse_computed(HeapTuple before, TupleDesc desc);
static bool remove_share(SharedObject object, HeapTuple row, TupleDesc desc);

PG_FUNCTION_INFO_V1(orchestration_rule_shares);

/*
 * orchestration_internal.rule_shares(object orchestration.shared_object, record_id uuid,
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
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			role = GetUserId();
	RecordAccess record;
	SystemContext saved;
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};
	uint64		n;

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
	for (n = 0; n < SPI_processed; n++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[n]);
	orch_system_finish(&saved);
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

static bool
is_listed(const char *const *names, const char *name)
{
	int			i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool
same_value(HeapTuple a, HeapTuple b, TupleDesc desc, int attnum)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, attnum - 1);
	bool		a_isnull;
	bool		b_isnull;
	Datum		a_value = heap_getattr(a, attnum, desc, &a_isnull);
	Datum		b_value = heap_getattr(b, attnum, desc, &b_isnull);

	if (a_isnull || b_isnull)
		return a_isnull == b_isnull;
	return datum_image_eq(a_value, b_value, attribute->attbyval, attribute->attlen);
}

/*
 * Refuse a value in a column that a new row gets when it is stored.
 */
static void
check_inserted(const ViewColumns *columns, HeapTuple row, TupleDesc desc)
{
	int			i;

	for (i = 1; i <= desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i - 1)->attname);

		if (!heap_attisnull(row, i, desc) && !is_listed(columns->updatable, name) &&
			!is_listed(columns->insertable, name))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_IMMUTABLE),
					 errmsg("%s of a new %s cannot be set", name, columns->what),
					 errdetail("It gets its value when the row is stored."),
					 errhint("Leave the column out.")));
	}
}

/*
 * Refuse a change of a column that cannot be updated.
 */
static void
check_updated(const ViewColumns *columns, HeapTuple before, HeapTuple row, TupleDesc desc)
{
	int			i;

	for (i = 1; i <= desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i - 1)->attname);

		if (!is_listed(columns->updatable, name) && !same_value(before, row, desc, i))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_IMMUTABLE),
					 errmsg("%s of %s %s cannot be changed", name, columns->what,
							orch_uuid_text(uuid_column(before, desc, "id"))),
					 is_listed(columns->insertable, name) ?
					 errhint("Delete the %s and insert another.", columns->what) :
					 errhint("Leave the column out: it gets its value when the row is stored.")));
	}
}

/*
 * Read a row as it is stored now, NULL if there is none.  *own: this transaction wrote it.
 */
static HeapTuple
read_row(const ViewColumns *columns, const pg_uuid_t *id, TupleDesc desc, bool *own)
{
	MemoryContext context = CurrentMemoryContext;
	SystemContext saved;
	HeapTuple	row = NULL;
	Datum		value = UUIDPGetDatum(id);

	orch_system_connect(&saved);
	orch_plan_execute_latest(columns->plan, &value, NULL, 1);
	if (SPI_processed > 0)
	{
		Datum	   *values = palloc((desc->natts + 1) * sizeof(Datum));
		bool	   *nulls = palloc((desc->natts + 1) * sizeof(bool));
		MemoryContext old;

		Assert(SPI_tuptable->tupdesc->natts == desc->natts + 1);
		heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, values, nulls);
		*own = TransactionIdIsCurrentTransactionId(DatumGetTransactionId(values[desc->natts]));
		old = MemoryContextSwitchTo(context);
		row = heap_form_tuple(desc, values, nulls);
		MemoryContextSwitchTo(old);
	}
	orch_system_finish(&saved);
	return row;
}

/*
 * The row that was just written.
 */
static HeapTuple
stored_row(const ViewColumns *columns, const pg_uuid_t *id, TupleDesc desc)
{
	bool		own;
	HeapTuple	row = read_row(columns, id, desc, &own);

	if (row == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("%s %s was deleted by a trigger of its table", columns->what,
						orch_uuid_text(id))));
	return row;
}

/*
 * Is the row still stored?  Raises an error if it is not the row that the statement read:
 * its WHERE clause may not be true of the row any more, and RETURNING of a DELETE would show
 * what was not deleted.
 */
static bool
still_there(const ViewColumns *columns, HeapTuple before, TupleDesc desc)
{
	pg_uuid_t  *id = uuid_column(before, desc, "id");
	bool		own;
	HeapTuple	row = read_row(columns, id, desc, &own);
	int			i;

	if (row == NULL)
		return false;
	for (i = 1; i <= desc->natts; i++)
		if (!same_value(before, row, desc, i))
			break;
	if (i > desc->natts)
		return true;
	if (own)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("%s %s was already changed by the same statement", columns->what,
						orch_uuid_text(id)),
				 errhint("The statement must name each row once, and no function in it may change the row.")));
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update"),
			 errdetail("Another transaction has changed %s %s.", columns->what,
					   orch_uuid_text(id)),
			 errhint("Try the statement again.")));
	return false;
}

int
orch_share_execute_create(SPIPlanPtr plan, Datum *values, const char *nulls)
{
	volatile int result = 0;

	create_executes = true;
	PG_TRY();
	{
		result = orch_execute_latest(plan, values, nulls, 0);
	}
	PG_FINALLY();
	{
		create_executes = false;
	}
	PG_END_TRY();
	return result;
}

/*
 * Refuse a row whose cause is not Manual.
 */
static void
refuse_computed(HeapTuple before, TupleDesc desc)
{
	bool		isnull;
	Datum		cause = column(before, desc, "row_cause", &isnull);

	if (!isnull &&
		DatumGetObjectId(cause) != orch_catalog_label_oid(ENUM_ROW_CAUSE, 0))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("share rows with RowCause %s cannot be written",
						orch_catalog_label(ENUM_ROW_CAUSE,
										   orch_catalog_label_value(ENUM_ROW_CAUSE, DatumGetObjectId(cause)))),
				 errdetail("They follow from owners and sharing rules."),
				 errhint("Change the owner or the rule.")));
}

/*
 * Remove a share; false: it is gone.
 */
static bool
remove_share(SharedObject object, HeapTuple row, TupleDesc desc)
{
	Oid			role = GetUserId();
	pg_uuid_t  *record_id = uuid_column(row, desc, "parent_id");
	RecordAccess record;
	SystemContext saved;

	/* the lock before the look */
	orch_caller_require_all(role, object, record_id, &record, MANAGE_SHARING);
	orch_system_connect(&saved);
	orch_caller_lock_with_all(role, &record, MANAGE_SHARING);
	orch_system_finish(&saved);
	return still_there(&share_columns, row, desc) &&
		orch_share_remove(object, record_id, uuid_column(row, desc, "user_or_group_id"));
}

PG_FUNCTION_INFO_V1(orchestration_share_change);

/*
 * orchestration_internal.share_change() returns trigger
 *
 * INSTEAD OF INSERT OR UPDATE OR DELETE ROW of the share views: writes manual shares.
 * Returns the row as stored, for DELETE as it was; or null if it is gone.  An UPDATE writes
 * over what others changed meanwhile.
 * Raises: 39P01 if not called as that trigger, OR005 for rows that are not Manual and for
 * columns that cannot be written, 23505 for a new share that exists (create() overwrites it),
 * 23502 for null, 40001 for the DELETE of a share that another transaction has changed,
 * 27000 if a user's trigger suppresses the row, and as share_record().
 * Source: reference.md, 3.4.
 */
Datum
orchestration_share_change(PG_FUNCTION_ARGS)
{
	bool		overwrite = create_executes;
	TriggerData *trigdata;
	SharedObject object;
	HeapTuple	row = trigger_row(fcinfo, "share_change", &trigdata, &object);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	before = trigdata->tg_trigtuple;
	pg_uuid_t  *id;

	create_executes = false;
	refuse_computed(before, desc);
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		return PointerGetDatum(remove_share(object, before, desc) ? before : NULL);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		check_updated(&share_columns, before, row, desc);
		id = uuid_column(before, desc, "id");
		if (!orch_share_set_level(object, uuid_column(row, desc, "parent_id"), id,
								  level_column(row, desc)))
			return PointerGetDatum(NULL);
	}
	else
	{
		check_inserted(&share_columns, row, desc);
		id = palloc(sizeof(pg_uuid_t));
		orch_share_record(object, uuid_column(row, desc, "parent_id"),
						  uuid_column(row, desc, "user_or_group_id"),
						  level_column(row, desc), overwrite, id);
	}
	return PointerGetDatum(stored_row(&share_columns, id, desc));
}

PG_FUNCTION_INFO_V1(orchestration_rule_change);

/*
 * orchestration_internal.rule_change() returns trigger
 *
 * INSTEAD OF INSERT OR UPDATE OR DELETE ROW of the views of owner sharing rules: writes
 * rules.  Returns the row as stored, for DELETE as it was; or null if it is gone.
 * Raises: 39P01 if not called as that trigger, OR005 for columns that cannot be written,
 * 23505 for a new rule that exists (create() overwrites it), 23502 for null, 40001 for a rule
 * that another transaction has changed since the statement read it, 27000 if a user's trigger
 * suppresses the row, and as create_owner_sharing_rule().
 * Source: reference.md, 3.3.
 */
Datum
orchestration_rule_change(PG_FUNCTION_ARGS)
{
	bool		overwrite = create_executes;
	TriggerData *trigdata;
	SharedObject object;
	HeapTuple	row = trigger_row(fcinfo, "rule_change", &trigdata, &object);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	before = trigdata->tg_trigtuple;
	bool		updates = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	RuleRequest request;
	pg_uuid_t  *id;

	create_executes = false;
	orch_access_require_permission(GetUserId(), PERMISSION_MODIFY_ALL_DATA,
								   "manage sharing rules");
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		return PointerGetDatum(still_there(&rule_columns, before, desc) &&
							   orch_share_delete_rule(uuid_column(before, desc, "id")) ?
							   before : NULL);
	if (updates)
		check_updated(&rule_columns, before, row, desc);
	else
		check_inserted(&rule_columns, row, desc);
	memset(&request, 0, sizeof(request));
	request.object = object;
	request.group_id = uuid_column(row, desc, "group_id");
	request.user_or_group_id = uuid_column(row, desc, "user_or_group_id");
	request.level = level_column(row, desc);
	request.name = text_column(row, desc, "name");
	request.developer_name = text_column(row, desc, "developer_name");
	request.description = text_column(row, desc, "description");
	if (updates)
	{
		if (request.name == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("name must not be null")));
		id = uuid_column(before, desc, "id");
		if (!still_there(&rule_columns, before, desc) ||
			!orch_share_update_rule(&request, id))
			return PointerGetDatum(NULL);
	}
	else
	{
		id = palloc(sizeof(pg_uuid_t));
		orch_share_create_rule(&request, overwrite, id);
	}
	return PointerGetDatum(stored_row(&rule_columns, id, desc));
}
