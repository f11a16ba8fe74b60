/*-------------------------------------------------------------------------
 *
 * save.c
 *	  create(), update(), upsert() and delete(): many records, each with a result.
 *
 * Each record is checked against what describe says of its fields, then written
 * as the caller would with SQL, through the documented view, in a subtransaction:
 * what fails undoes only itself, unless all_or_none is set.  The rules are those
 * of the tables; nothing is decided here that plain SQL would decide otherwise.
 * Work items and owners go through the calls that exist for them, because row
 * security refuses an UPDATE after which the caller no longer sees the row; what is
 * deleted too, because DELETE is granted to nobody (privilege.sql).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/save.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/change_owner.h"
#include "call/feed.h"
#include "call/save.h"
#include "call/share.h"
#include "record/principal.h"
#include "record/sobject.h"

/* reference.md, 4.8 */
#define MAX_RECORDS		200
#define MAX_CHUNKS		10

extern Datum orchestration_reassign_work_item(PG_FUNCTION_ARGS);


typedef void (*SaveStep) (SaveState *state, int i, void *arg, const SObject **object);

static void lock_runs(const pg_uuid_t *ids, int nids);
static int	collect_ids(JsonbContainer *records, const char *name, pg_uuid_t *ids,
						int nids);
static void not_found(SaveResult *result, const pg_uuid_t *id);
static void do_update(SaveRecord *record, SaveResult *result);
static void do_create(SaveRecord *record, SaveResult *result);
static void save_one(SaveState *state, int i, void *arg, const SObject **object);
static bool delete_share(const pg_uuid_t *id);
static void delete_one(SaveState *state, int i, void *arg, const SObject **object);
static void in_subtransaction(SaveState *state, int i, SaveStep step, void *arg);
static Jsonb *process(SaveState *state, bool all_or_none, SaveStep step, void *arg);
static Jsonb *save(FunctionCallInfo fcinfo, SaveCall call, int records_arg);

/*
 * Locks the runs of the records that the caller sees, in the order of their ids:
 * in the order in which the records are given, two calls could wait for each other.
 */
static void
lock_runs(const pg_uuid_t *ids, int nids)
{
	Oid			role = GetUserId();
	pg_uuid_t  *run_ids = palloc(Max(nids, 1) * sizeof(pg_uuid_t));
	SystemContext saved;
	RecordAccess record;
	int			n = 0;
	int			i;

	for (i = 0; i < nids; i++)
		if (orch_access_find(&ids[i], &record) &&
			orch_access_level(orch_access_of_role(role), &record) != ACCESS_NONE)
			run_ids[n++] = record.run_id;
	if (n > 1)
	{
		orch_system_connect(&saved);
		(void) orch_lock_runs(run_ids, n);
		orch_system_finish(&saved);
	}
	pfree(run_ids);
}

/*
 * The ids under a key of the records, as far as they are any, added to ids.
 */
static int
collect_ids(JsonbContainer *records, const char *name, pg_uuid_t *ids, int nids)
{
	JsonbValue	key;
	uint32		i;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	for (i = 0; i < JsonContainerSize(records); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(records, i);
		JsonbValue *found = NULL;

		if (element->type == jbvBinary && JsonContainerIsObject(element->val.binary.data))
			found = findJsonbValueFromContainer(element->val.binary.data, JB_FOBJECT, &key);
		if (found != NULL && found->type == jbvString &&
			orch_uuid_parse(pnstrdup(found->val.string.val, found->val.string.len), &ids[nids]))
			nids++;
	}
	return nids;
}

/* ------------------------------------------------------------------ writing */

/*
 * There is no such record that the caller sees; was there one?  Connected to SPI.
 */
static void
not_found(SaveResult *result, const pg_uuid_t *id)
{
	Oid			type = UUIDOID;
	Datum		value = UUIDPGetDatum(id);

	if (orch_execute_latest(orch_sobject_plan("SELECT 1 FROM orchestration.tombstone t"
										   " WHERE t.id OPERATOR(pg_catalog.=) $1", 1, &type),
						 &value, NULL, 1) == SPI_OK_SELECT && SPI_processed > 0)
		orch_save_fail(result, "ENTITY_IS_DELETED", "Id", "entity is deleted");
	else
		orch_save_fail(result, "INVALID_CROSS_REFERENCE_KEY", "Id", "invalid cross reference id");
}

/*
 * The value of a field as a parameter, and its type.
 */
static Oid
parameter(const SObjectField *field, const char *text, Datum *value, char *isnull)
{
	*isnull = text == NULL ? 'n' : ' ';
	*value = (Datum) 0;
	if (field->sql_type == UUIDOID)
	{
		pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

		if (text != NULL && orch_uuid_parse(text, id))
			*value = UUIDPGetDatum(id);
		return UUIDOID;
	}
	if (text != NULL)
		*value = CStringGetTextDatum(text);
	return TEXTOID;
}

static void
append_parameter(StringInfo query, const SObjectField *field, int n)
{
	appendStringInfo(query, "$%d", n);
	/* an enum */
	if (field->sql_type != UUIDOID && field->sql_type != TEXTOID)
		appendStringInfo(query, "::%s", format_type_be_qualified(field->sql_type));
}

static void
do_update(SaveRecord *record, SaveResult *result)
{
	StringInfoData query;
	Oid			types[SAVE_MAX_FIELDS + 1];
	Datum		values[SAVE_MAX_FIELDS + 1];
	char		nulls[SAVE_MAX_FIELDS + 1];
	int			i;

	types[0] = UUIDOID;
	values[0] = UUIDPGetDatum(&record->id);
	nulls[0] = ' ';

	/* does he see it? */
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT 1 FROM orchestration.%s x WHERE x.id OPERATOR(pg_catalog.=) $1",
					 record->object->associate == ASSOCIATE_SHARE ? "share_grant" :
					 record->object->view);
	if (record->object->associate == ASSOCIATE_SHARE)
		appendStringInfo(&query, " AND x.object OPERATOR(pg_catalog.=) %s::orchestration.shared_object",
						 quote_literal_cstr(record->object->parent));
	if (orch_execute_latest(orch_sobject_plan(query.data, 1, types), values, NULL, 1) !=
		SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed for \"%s\"", query.data);
	if (SPI_processed == 0)
	{
		not_found(result, &record->id);
		return;
	}

	if (strcmp(record->object->name, "FlowOrchestrationWorkItem") == 0)
	{
		int			pass;

		/* the assignee first: who gives the item away may lose sight of it */
		for (pass = 0; pass < 2; pass++)
			for (i = 0; i < record->nfields; i++)
			{
				Principal	principal;
				pg_uuid_t	id;

				if ((strcmp(record->fields[i]->name, "AssigneeId") == 0) != (pass == 0))
					continue;
				(void) orch_uuid_parse(record->values[i], &id);
				if (orch_principal_get(&id, &principal) && !principal.is_active)
				{
					orch_save_fail(result, "INACTIVE_OWNER_OR_USER", record->fields[i]->name,
								   "operation performed with inactive user [%s]",
								   orch_uuid_text(&id));
					return;
				}
				result->field = record->fields[i]->name;
				if (pass == 0)
					(void) DirectFunctionCall2(orchestration_reassign_work_item,
											   UUIDPGetDatum(&record->id), UUIDPGetDatum(&id));
				else
					(void) orch_change_owner(GetUserId(), &record->id, &id);
			}
		result->field = NULL;
		return;
	}

	if (record->nfields == 0)
		return;
	resetStringInfo(&query);
	appendStringInfo(&query, "UPDATE orchestration.%s SET ", record->object->view);
	for (i = 0; i < record->nfields; i++)
	{
		appendStringInfo(&query, "%s%s = ", i > 0 ? ", " : "",
						 quote_identifier(record->fields[i]->column));
		append_parameter(&query, record->fields[i], i + 2);
		types[i + 1] = parameter(record->fields[i], record->values[i], &values[i + 1],
								 &nulls[i + 1]);
	}
	appendStringInfoString(&query, " WHERE id OPERATOR(pg_catalog.=) $1");
	/* the other rows of the share views are computed: leave them out of the plan */
	if (record->object->associate == ASSOCIATE_SHARE)
		appendStringInfoString(&query, " AND row_cause OPERATOR(pg_catalog.=) 'Manual'::orchestration.row_cause");
	if (record->nfields == 1)
		result->field = record->fields[0]->name;
	if (orch_execute_latest(orch_sobject_plan(query.data, record->nfields + 1, types), values,
						 nulls, 0) != SPI_OK_UPDATE)
		elog(ERROR, "SPI_execute_plan failed for \"%s\"", query.data);
	result->field = NULL;
	if (SPI_processed == 0)
		not_found(result, &record->id);
}

static void
do_create(SaveRecord *record, SaveResult *result)
{
	StringInfoData query;
	StringInfoData parameters;
	StringInfoData missing;
	Oid			types[SAVE_MAX_FIELDS];
	Datum		values[SAVE_MAX_FIELDS];
	char		nulls[SAVE_MAX_FIELDS];
	bool		isnull;
	int			i;
	int			j;

	initStringInfo(&missing);
	for (i = 0; i < record->object->nfields; i++)
	{
		const SObjectField *field = &record->object->fields[i];

		if ((field->properties & FIELD_CREATE) == 0 ||
			(field->properties & (FIELD_NILLABLE | FIELD_DEFAULTED)) != 0)
			continue;
		for (j = 0; j < record->nfields; j++)
			if (record->fields[j] == field)
				break;
		if (j == record->nfields)
		{
			appendStringInfo(&missing, "%s%s", missing.len > 0 ? ", " : "", field->name);
			result->field = field->name;
		}
	}
	if (missing.len > 0)
	{
		orch_save_fail(result, "REQUIRED_FIELD_MISSING", result->field,
					   "Required fields are missing: [%s]", missing.data);
		return;
	}

	initStringInfo(&query);
	initStringInfo(&parameters);
	appendStringInfo(&query, "INSERT INTO orchestration.%s (", record->object->view);
	for (i = 0, j = 0; i < record->nfields; i++)
	{
		/* null where there is a default is the default */
		if (record->values[i] == NULL)
			continue;
		appendStringInfo(&query, "%s%s", j > 0 ? ", " : "",
						 quote_identifier(record->fields[i]->column));
		if (j > 0)
			appendStringInfoString(&parameters, ", ");
		append_parameter(&parameters, record->fields[i], j + 1);
		types[j] = parameter(record->fields[i], record->values[i], &values[j], &nulls[j]);
		j++;
	}
	appendStringInfo(&query, ") VALUES (%s) RETURNING id", parameters.data);
	if (orch_execute_latest(orch_sobject_plan(query.data, j, types), values, nulls, 0) !=
		SPI_OK_INSERT_RETURNING)
		elog(ERROR, "SPI_execute_plan failed for \"%s\"", query.data);
	record->id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											  1, &isnull));
	record->has_id = true;
}

static void
save_one(SaveState *state, int i, void *arg, const SObject **object)
{
	SaveResult *result = &state->results[i];
	SaveRecord	record;
	bool		creates;

	if (!orch_save_parse(state, getIthJsonbValueFromContainer((JsonbContainer *) arg, i),
					  &record, result))
		return;
	*object = record.object;
	creates = !record.has_id;
	if (creates)
		do_create(&record, result);
	else
		do_update(&record, result);
	if (result->code == NULL)
	{
		result->created = creates;
		orch_save_set_id(result, &record.id);
	}
}

/*
 * A manual share that the caller sees; false: it is gone.  Connected to SPI.
 */
static bool
delete_share(const pg_uuid_t *id)
{
	static const char *const query =
		"SELECT x.record_id, x.user_or_group_id FROM orchestration.share_grant x"
		" WHERE x.id OPERATOR(pg_catalog.=) $1";
	Oid			type = UUIDOID;
	Datum		value = UUIDPGetDatum(id);
	pg_uuid_t	record_id;
	pg_uuid_t	principal_id;
	bool		isnull;

	if (orch_execute_latest(orch_sobject_plan(query, 1, &type), &value, NULL, 1) !=
		SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed for \"%s\"", query);
	if (SPI_processed == 0)
		return false;
	record_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
											 &isnull));
	principal_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
												2, &isnull));
	return orch_share_remove(-1, &record_id, &principal_id);
}

static void
delete_one(SaveState *state, int i, void *arg, const SObject **object)
{
	static const struct
	{
		const char *query;		/* the object that has the id */
		Associate	associate;
	}			places[] = {
		{"SELECT x.object::pg_catalog.text FROM orchestration.feed_item x"
		" WHERE x.id OPERATOR(pg_catalog.=) $1", ASSOCIATE_FEED},
		{"SELECT x.object::pg_catalog.text FROM orchestration.share_grant x"
		" WHERE x.id OPERATOR(pg_catalog.=) $1", ASSOCIATE_SHARE},
		{"SELECT x.object::pg_catalog.text FROM orchestration.owner_sharing_rule x"
		" WHERE x.id OPERATOR(pg_catalog.=) $1 AND x.group_id IS NOT NULL", ASSOCIATE_RULE},
		{"SELECT x.object::pg_catalog.text FROM orchestration.field_change x"
			" WHERE x.id OPERATOR(pg_catalog.=) $1"
			"   AND x.changed_at OPERATOR(pg_catalog.>=) $2"
		"   AND x.changed_at OPERATOR(pg_catalog.<=) $3", ASSOCIATE_HISTORY},
		{"SELECT 'FlowOrchestrationLog' FROM orchestration.flow_orchestration_log x"
			" WHERE x.id OPERATOR(pg_catalog.=) $1"
			"   AND x.created_date OPERATOR(pg_catalog.>=) $2"
		"   AND x.created_date OPERATOR(pg_catalog.<=) $3", ASSOCIATE_NONE}
	};
	SaveResult *result = &state->results[i];
	Datum	   *ids = (Datum *) arg;
	char	   *given = ids[i] == (Datum) 0 ? NULL : TextDatumGetCString(ids[i]);
	Oid			types[3] = {UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[3];
	RecordAccess record;
	pg_uuid_t	id;
	int			j;
	int			k;

	if (given == NULL || !orch_uuid_parse(given, &id))
	{
		orch_save_fail(result, "MALFORMED_ID", "Id", "Id: id value of incorrect type: %s",
					   given == NULL ? "null" :
					   pnstrdup(given, pg_mbcliplen(given, strlen(given), 80)));
		return;
	}
	orch_save_set_id(result, &id);
	if (orch_access_find(&id, &record) &&
		orch_access_level(orch_access_of_role(GetUserId()), &record) != ACCESS_NONE)
	{
		orch_save_fail(result, "INVALID_TYPE_FOR_OPERATION", NULL,
					   "entity type %s does not support delete",
					   orch_catalog_label(ENUM_SHARED_OBJECT, record.object));
		return;
	}

	values[0] = UUIDPGetDatum(&id);
	values[1] = TimestampTzGetDatum(orch_uuid_time(&id) - USECS_PER_SEC);
	values[2] = TimestampTzGetDatum(orch_uuid_time(&id) + USECS_PER_SEC);
	for (j = 0; j < (int) lengthof(places); j++)
	{
		int			nargs = strstr(places[j].query, "$3") != NULL ? 3 : 1;
		char	   *name;

		if (orch_execute_latest(orch_sobject_plan(places[j].query, nargs, types), values, NULL,
								1) != SPI_OK_SELECT)
			elog(ERROR, "SPI_execute_plan failed for \"%s\"", places[j].query);
		if (SPI_processed == 0)
			continue;
		name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		for (k = 0; k < orch_sobject_count(); k++)
		{
			const SObject *candidate = orch_sobject_at(k);

			if (candidate->associate == places[j].associate &&
				strcmp(candidate->associate == ASSOCIATE_NONE ? candidate->name :
					   candidate->parent, name) == 0)
				*object = candidate;
		}
		break;
	}
	if (j == (int) lengthof(places) || *object == NULL)
	{
		not_found(result, &id);
		return;
	}
	if (((*object)->calls & CALL_DELETE) == 0)
	{
		orch_save_fail(result, "INVALID_TYPE_FOR_OPERATION", NULL,
					   "entity type %s does not support delete", (*object)->name);
		return;
	}
	if (!(places[j].associate == ASSOCIATE_FEED ? orch_feed_delete(&id) :
		  places[j].associate == ASSOCIATE_SHARE ? delete_share(&id) :
		  orch_share_delete_rule(&id)))
		not_found(result, &id);
}

/* ------------------------------------------------------------------ results */

/*
 * One record in a subtransaction of its own.
 */
static void
in_subtransaction(SaveState *state, int i, SaveStep step, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	SaveResult *result = &state->results[i];
	const SObject *object = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		orch_spi_connect();
		MemoryContextSwitchTo(context);
		step(state, i, arg, &object);
		SPI_finish();
		MemoryContextSwitchTo(context);
		/* an update that failed half way must leave nothing */
		if (result->code == NULL)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *edata;
		const char *field = result->field;

		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		/* an error must not leave the subtransaction open, whoever sees to it */
		if (orch_save_must_rethrow(edata->sqlerrcode))
			ReThrowError(edata);
		orch_save_map_error(result, object, edata);
		if (result->field == NULL)
			result->field = field;
		if (edata->sqlerrcode == ERRCODE_ORCH_RECORD_NOT_FOUND && field != NULL &&
			strcmp(field, "TriggeringRecordId") == 0)
			orch_save_fail(result, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", field,
						   "insufficient access rights on cross-reference id");
	}
	PG_END_TRY();
}

static Jsonb *
process(SaveState *state, bool all_or_none, SaveStep step, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	JsonbParseState *json = NULL;
	bool		failed;
	int			i;

	state->results = palloc0(Max(state->nrecords, 1) * sizeof(SaveResult));
	state->ids = palloc(Max(state->nrecords, 1) * sizeof(pg_uuid_t));
	if (all_or_none)
	{
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(context);
	}
	PG_TRY();
	{
		for (i = 0; i < state->nrecords; i++)
		{
			CHECK_FOR_INTERRUPTS();
			state->results[i].call = state->call;
			state->results[i].context = context;
			in_subtransaction(state, i, step, arg);
		}
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		if (!all_or_none)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		ReThrowError(edata);
	}
	PG_END_TRY();
	failed = false;
	for (i = 0; i < state->nrecords; i++)
		failed |= state->results[i].code != NULL;
	if (all_or_none)
	{
		if (failed)
			RollbackAndReleaseCurrentSubTransaction();
		else
			ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}

	pushJsonbValue(&json, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < state->nrecords; i++)
	{
		if (all_or_none && failed && state->results[i].code == NULL)
		{
			if (state->results[i].created)
				state->results[i].id = NULL;
			orch_save_fail(&state->results[i], "ALL_OR_NONE_OPERATION_ROLLED_BACK", NULL,
						   "Record rolled back because not all records were valid and the request was using AllOrNone header");
		}
		orch_save_put_result(&json, &state->results[i]);
	}
	return JsonbValueToJsonb(pushJsonbValue(&json, WJB_END_ARRAY, NULL));
}

/*
 * create(), update(), upsert(): the limits of the whole call, then its records.
 */
static Jsonb *
save(FunctionCallInfo fcinfo, SaveCall call, int records_arg)
{
	SaveState	state;
	Jsonb	   *records;
	JsonbContainer *container;
	char	   *last_type = NULL;
	int			nchunks = 0;
	pg_uuid_t  *ids;
	int			nids;
	int			i;

	if (PG_ARGISNULL(records_arg) || PG_ARGISNULL(records_arg + 1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("records and all_or_none must not be null")));
	(void) orch_access_require_user(GetUserId());
	memset(&state, 0, sizeof(state));
	state.call = call;
	if (call == SAVE_UPSERT)
	{
		orch_require_arguments(fcinfo, 0, 1, "external_id_field");
		state.external_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	}
	records = PG_GETARG_JSONB_P(records_arg);
	if (!JB_ROOT_IS_ARRAY(records) || JB_ROOT_IS_SCALAR(records))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("records must be a JSON array of objects"),
				 errhint("[{\"attributes\": {\"type\": \"FlowOrchestrationInstance\"}, \"Id\": ..., \"Status\": ...}]")));
	if (JB_ROOT_COUNT(records) > MAX_RECORDS)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("EXCEEDED_ID_LIMIT: record limit reached. cannot submit more than %d records into this call",
						MAX_RECORDS)));
	state.nrecords = (int) JB_ROOT_COUNT(records);
	container = &records->root;

	/* a chunk: records of one type that follow each other */
	for (i = 0; i < state.nrecords; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(container, i);
		JsonbValue	key;
		JsonbValue *found = NULL;
		char	   *type;

		key.type = jbvString;
		key.val.string.val = "attributes";
		key.val.string.len = strlen("attributes");
		if (element->type == jbvBinary && JsonContainerIsObject(element->val.binary.data))
			found = findJsonbValueFromContainer(element->val.binary.data, JB_FOBJECT, &key);
		key.val.string.val = "type";
		key.val.string.len = strlen("type");
		if (found != NULL && found->type == jbvBinary &&
			JsonContainerIsObject(found->val.binary.data))
			found = findJsonbValueFromContainer(found->val.binary.data, JB_FOBJECT, &key);
		else
			found = NULL;
		if (found == NULL || found->type != jbvString)
			continue;
		type = pnstrdup(found->val.string.val, found->val.string.len);
		if (last_type == NULL || pg_strcasecmp(last_type, type) != 0)
			nchunks++;
		last_type = type;
	}
	if (nchunks > MAX_CHUNKS)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("LIMIT_EXCEEDED: Cannot have more than %d chunks in a single operation. Please rearrange the data to reduce chunking.",
						MAX_CHUNKS),
				 errdetail("A chunk is records of one type that follow each other.")));

	ids = palloc(Max(state.nrecords, 1) * 2 * sizeof(pg_uuid_t));
	nids = collect_ids(container, "Id", ids, 0);
	nids = collect_ids(container, "ParentId", ids, nids);
	lock_runs(ids, nids);
	return process(&state, PG_GETARG_BOOL(records_arg + 1), save_one, container);
}

PG_FUNCTION_INFO_V1(orchestration_create);

/*
 * orchestration.create(records jsonb, all_or_none boolean) returns jsonb
 *
 * Creates up to 200 manual shares or owner sharing rules; returns a SaveResult for
 * each in their order: {"id", "success", "errors"}.  Raises 22004 for null, 22023
 * when records is no array, OR404 (EXCEEDED_ID_LIMIT, LIMIT_EXCEEDED) for more than
 * 200 records or 10 chunks of one type, 42501 for a role that is no active user's;
 * everything else is said in the results.  Source: reference.md, 3.3, 3.4, 4.8.
 */
Datum
orchestration_create(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(save(fcinfo, SAVE_CREATE, 0));
}

PG_FUNCTION_INFO_V1(orchestration_update);

/*
 * orchestration.update(records jsonb, all_or_none boolean) returns jsonb
 *
 * Updates up to 200 records, which name their type and id; returns a SaveResult
 * for each in their order.  Raises what create() does.  Source: reference.md, 4.8.
 */
Datum
orchestration_update(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(save(fcinfo, SAVE_UPDATE, 0));
}

PG_FUNCTION_INFO_V1(orchestration_upsert);

/*
 * orchestration.upsert(external_id_field text, records jsonb, all_or_none boolean)
 *		returns jsonb
 *
 * Updates the records whose field (Id, or one flagged idLookup) names one, creates
 * the others; returns an UpsertResult for each in their order: a SaveResult with
 * "created".  Raises what create() does.  Source: reference.md, 3.3, 3.4, 4.1.
 */
Datum
orchestration_upsert(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(save(fcinfo, SAVE_UPSERT, 1));
}

PG_FUNCTION_INFO_V1(orchestration_delete);

/*
 * orchestration.delete(ids text[], all_or_none boolean) returns jsonb
 *
 * Deletes up to 200 feed items, manual shares or owner sharing rules; returns a
 * DeleteResult for each in their order.  Raises 22004 for null, OR404
 * (EXCEEDED_ID_LIMIT) for more than 200 ids, 42501 for a role that is no active
 * user's; everything else, INVALID_TYPE_FOR_OPERATION of other objects included,
 * is said in the results.  Source: contract/objects.csv.
 */
Datum
orchestration_delete(PG_FUNCTION_ARGS)
{
	SaveState	state;
	Datum	   *ids;
	bool	   *nulls;
	int			i;

	orch_require_arguments(fcinfo, 0, 2, "ids and all_or_none");
	(void) orch_access_require_user(GetUserId());
	memset(&state, 0, sizeof(state));
	state.call = SAVE_DELETE;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT,
					  &ids, &nulls, &state.nrecords);
	if (state.nrecords > MAX_RECORDS)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("EXCEEDED_ID_LIMIT: cannot delete more than %d records in this call",
						MAX_RECORDS)));
	for (i = 0; i < state.nrecords; i++)
		if (nulls[i])
			ids[i] = (Datum) 0;
	PG_RETURN_JSONB_P(process(&state, PG_GETARG_BOOL(1), delete_one, ids));
}
