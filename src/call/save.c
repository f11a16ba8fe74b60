/*-------------------------------------------------------------------------
 *
 * save.c
 *	  create(), update(), upsert() and delete(): many records, each with a result.
 *
 * Each record is checked against the description of its fields.  It is then written
 * through the documented view, in a subtransaction of its own and as the caller could
 * write it with SQL, so that the tables' rules decide.  A record that fails undoes only
 * itself, unless all_or_none is set.
 *
 * Work items are changed by the functions behind reassign_work_item() and
 * change_owner(), because row security refuses an UPDATE after which the caller no longer
 * sees the row.  Records are deleted by functions, too: DELETE on the tables is granted
 * to no role (privilege.sql).
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
#include "base/subtransaction.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "call/change_owner.h"
#include "call/feed.h"
#include "call/save.h"
#include "call/share.h"
#include "record/principal.h"
#include "record/sobject.h"
#include "work/work_item.h"

/* reference.md, 4.8 */
#define MAX_RECORDS		200
#define MAX_CHUNKS		10

/* What is done to record number i of a call; *object: what it is, once known. */
typedef void (*SaveStep) (SaveState *state, int i, void *arg, const SObject **object);

static void lock_runs(const pg_uuid_t *ids, int nids);
static int	collect_ids(JsonbContainer *records, const char *name, pg_uuid_t *ids,
						int nids);
static void query_latest(const char *query, int nargs, Oid *types, Datum *values);
static void not_found(SaveResult *result, const pg_uuid_t *id);
static Oid	parameter(const SObjectField *field, const char *text, Datum *value,
					  char *isnull);
static void append_parameter(StringInfo query, const SObjectField *field, int n);
static bool is_visible(const SaveRecord *record);
static bool are_active(const SaveRecord *record, SaveResult *result);
static void update_work_item(const SaveRecord *record, SaveResult *result);
static void update_view(const SaveRecord *record, SaveResult *result);
static void do_update(SaveRecord *record, SaveResult *result);
static void do_create(SaveRecord *record);
static void save_one(SaveState *state, int i, void *arg, const SObject **object);
static bool delete_share(const pg_uuid_t *id);
static const SObject *find_associate(const pg_uuid_t *id);
static bool delete_associate(const SObject *object, const pg_uuid_t *id);
static void delete_one(SaveState *state, int i, void *arg, const SObject **object);
static void in_subtransaction(SaveState *state, int i, SaveStep step, void *arg);
static void run_steps(SaveState *state, bool all_or_none, SaveStep step, void *arg);
static Jsonb *process(SaveState *state, bool all_or_none, SaveStep step, void *arg);
static int	count_chunks(JsonbContainer *records);
static Jsonb *save(FunctionCallInfo fcinfo, SaveCall call, int records_arg);

/*
 * Lock the runs of the records that the caller sees, in the order of their ids.  In the
 * order of the records two calls could wait for each other.
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
		if (orch_caller_level(role, ANY_OBJECT, &ids[i], &record) != ACCESS_NONE)
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
 * Append the ids that the records have under a key; returns how many ids there are.
 */
static int
collect_ids(JsonbContainer *records, const char *name, pg_uuid_t *ids, int nids)
{
	uint32		i;

	for (i = 0; i < JsonContainerSize(records); i++)
	{
		char	   *text = orch_save_string(orch_save_field_member(getIthJsonbValueFromContainer(records, i),
																   name));

		if (text != NULL && orch_uuid_parse(text, &ids[nids]))
			nids++;
	}
	return nids;
}

/* ------------------------------------------------------------------ writing */

/*
 * Execute a query as the caller, with the latest snapshot, for at most one row.
 * Connected to SPI.
 */
static void
query_latest(const char *query, int nargs, Oid *types, Datum *values)
{
	if (orch_execute_latest(orch_sobject_plan(query, nargs, types), values, NULL, 1) !=
		SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed for \"%s\"", query);
}

/*
 * Fail a record that does not exist or that the caller does not see.  A deleted record
 * whose tombstone the caller sees gets a status code of its own.  Connected to SPI.
 */
static void
not_found(SaveResult *result, const pg_uuid_t *id)
{
	Oid			type = UUIDOID;
	Datum		value = UUIDPGetDatum(id);

	query_latest("SELECT 1 FROM orchestration.tombstone t"
				 " WHERE t.id OPERATOR(pg_catalog.=) $1", 1, &type, &value);
	if (SPI_processed > 0)
		orch_save_fail(result, "ENTITY_IS_DELETED", "Id", "entity is deleted");
	else
		orch_save_fail(result, "INVALID_CROSS_REFERENCE_KEY", "Id", "invalid cross reference id");
}

/*
 * Set a parameter to the value of a field (NULL: null); returns its type.
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

/*
 * Append $n; an enum is passed as text and cast.
 */
static void
append_parameter(StringInfo query, const SObjectField *field, int n)
{
	appendStringInfo(query, "$%d", n);
	if (field->sql_type != UUIDOID && field->sql_type != TEXTOID)
		appendStringInfo(query, "::%s", format_type_be_qualified(field->sql_type));
}

/*
 * Does the caller see the record?
 */
static bool
is_visible(const SaveRecord *record)
{
	StringInfoData query;
	Oid			type = UUIDOID;
	Datum		value = UUIDPGetDatum(&record->id);

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT 1 FROM orchestration.%s x WHERE x.id OPERATOR(pg_catalog.=) $1",
					 record->object->associate == ASSOCIATE_SHARE ? "share_grant" :
					 record->object->view);
	if (record->object->associate == ASSOCIATE_SHARE)
		appendStringInfo(&query, " AND x.object OPERATOR(pg_catalog.=) %s::orchestration.shared_object",
						 quote_literal_cstr(record->object->parent));
	query_latest(query.data, 1, &type, &value);
	return SPI_processed > 0;
}

/*
 * Are all users and groups that the fields name active?
 */
static bool
are_active(const SaveRecord *record, SaveResult *result)
{
	int			i;

	for (i = 0; i < record->nfields; i++)
	{
		Principal	principal;
		pg_uuid_t	id;

		(void) orch_uuid_parse(record->values[i], &id);
		if (orch_principal_get(&id, &principal) && !principal.is_active)
			orch_save_fail(result, "INACTIVE_OWNER_OR_USER", record->fields[i]->name,
						   "operation performed with inactive user [%s]",
						   orch_uuid_text(&id));
	}
	return result->errors == NIL;
}

/*
 * A work item has two fields to update: AssigneeId and OwnerId.
 */
static void
update_work_item(const SaveRecord *record, SaveResult *result)
{
	pg_uuid_t	ids[2];			/* assignee, owner */
	bool		given[2] = {false, false};
	int			i;

	if (!are_active(record, result))
		return;
	for (i = 0; i < record->nfields; i++)
	{
		int			which = strcmp(record->fields[i]->name, "AssigneeId") == 0 ? 0 : 1;

		given[which] = orch_uuid_parse(record->values[i], &ids[which]);
	}
	if (given[1])
	{
		result->field = "OwnerId";
		orch_change_owner_require(GetUserId(), &record->id);
	}
	/* at once: a caller who gives the item away may lose sight of it */
	result->field = "AssigneeId";
	if (!given[0] ||
		!orch_work_item_reassign(&record->id, &ids[0], given[1] ? &ids[1] : NULL, NULL))
	{
		result->field = "OwnerId";
		if (given[1])
			(void) orch_change_owner(GetUserId(), &record->id, &ids[1]);
	}
	result->field = NULL;
}

static void
update_view(const SaveRecord *record, SaveResult *result)
{
	StringInfoData query;
	Oid			types[SAVE_MAX_FIELDS + 1];
	Datum		values[SAVE_MAX_FIELDS + 1];
	char		nulls[SAVE_MAX_FIELDS + 1];
	int			i;

	if (record->nfields == 0)
		return;
	types[0] = UUIDOID;
	values[0] = UUIDPGetDatum(&record->id);
	nulls[0] = ' ';
	initStringInfo(&query);
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
do_update(SaveRecord *record, SaveResult *result)
{
	if (!is_visible(record))
		not_found(result, &record->id);
	else if (strcmp(record->object->name, "FlowOrchestrationWorkItem") == 0)
		update_work_item(record, result);
	else
		update_view(record, result);
}

static void
do_create(SaveRecord *record)
{
	StringInfoData query;
	StringInfoData parameters;
	Oid			types[SAVE_MAX_FIELDS];
	Datum		values[SAVE_MAX_FIELDS];
	char		nulls[SAVE_MAX_FIELDS];
	bool		isnull;
	int			i;
	int			j;

	initStringInfo(&query);
	initStringInfo(&parameters);
	appendStringInfo(&query, "INSERT INTO orchestration.%s (", record->object->view);
	for (i = 0, j = 0; i < record->nfields; i++)
	{
		/* the view's default, where the field has one */
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
	if (orch_share_execute_create(orch_sobject_plan(query.data, j, types), values, nulls) !=
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
		do_create(&record);
	else
		do_update(&record, result);
	if (result->errors == NIL)
	{
		result->created = creates;
		orch_save_set_id(result, &record.id);
	}
}

/* ----------------------------------------------------------------- deleting */

/*
 * Delete a manual share that the caller sees; false: it is gone.  Connected to SPI.
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

	query_latest(query, 1, &type, &value);
	if (SPI_processed == 0)
		return false;
	record_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
											 &isnull));
	principal_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
												2, &isnull));
	return orch_share_remove(ANY_OBJECT, &record_id, &principal_id);
}

/*
 * The object that the record with this id belongs to, NULL if the caller sees none.  Only
 * objects beside runs, stages, steps, work items, submissions and approval work items.
 */
static const SObject *
find_associate(const pg_uuid_t *id)
{
	static const struct
	{
		const char *query;		/* selects the documented object, or its parent */
		Associate	associate;
		int			nargs;
	}			places[] = {
		{"SELECT x.object::pg_catalog.text FROM orchestration.feed_item x"
		" WHERE x.id OPERATOR(pg_catalog.=) $1", ASSOCIATE_FEED, 1},
		{"SELECT x.object::pg_catalog.text FROM orchestration.share_grant x"
		" WHERE x.id OPERATOR(pg_catalog.=) $1", ASSOCIATE_SHARE, 1},
		{"SELECT x.object::pg_catalog.text FROM orchestration.owner_sharing_rule x"
		" WHERE x.id OPERATOR(pg_catalog.=) $1 AND x.group_id IS NOT NULL", ASSOCIATE_RULE, 1},
		{"SELECT x.object::pg_catalog.text FROM orchestration.field_change x"
			" WHERE x.id OPERATOR(pg_catalog.=) $1"
			"   AND x.changed_at OPERATOR(pg_catalog.>=) $2"
		"   AND x.changed_at OPERATOR(pg_catalog.<=) $3", ASSOCIATE_HISTORY, 3},
		{"SELECT 'ApprovalSubmissionDetail' FROM orchestration.submission_detail x"
		" WHERE x.id OPERATOR(pg_catalog.=) $1", ASSOCIATE_NONE, 1},
		{"SELECT 'FlowOrchestrationLog' FROM orchestration.flow_orchestration_log x"
			" WHERE x.id OPERATOR(pg_catalog.=) $1"
			"   AND x.created_date OPERATOR(pg_catalog.>=) $2"
		"   AND x.created_date OPERATOR(pg_catalog.<=) $3", ASSOCIATE_NONE, 3}
	};
	Oid			types[3] = {UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	TimestampTz first;
	TimestampTz last;
	Datum		values[3];
	int			i;
	int			j;

	orch_uuid_time_range(id, 1, &first, &last);
	values[0] = UUIDPGetDatum(id);
	values[1] = TimestampTzGetDatum(first);
	values[2] = TimestampTzGetDatum(last);
	for (i = 0; i < (int) lengthof(places); i++)
	{
		char	   *name;

		query_latest(places[i].query, places[i].nargs, types, values);
		if (SPI_processed == 0)
			continue;
		name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		for (j = 0; j < orch_sobject_count(); j++)
		{
			const SObject *candidate = orch_sobject_at(j);

			if (candidate->associate == places[i].associate &&
				strcmp(candidate->associate == ASSOCIATE_NONE ? candidate->name :
					   candidate->parent, name) == 0)
				return candidate;
		}
		return NULL;
	}
	return NULL;
}

/*
 * Delete a record of an object that supports delete(); false: it is gone.
 */
static bool
delete_associate(const SObject *object, const pg_uuid_t *id)
{
	return object->associate == ASSOCIATE_FEED ? orch_feed_delete(id) :
		object->associate == ASSOCIATE_SHARE ? delete_share(id) :
		orch_share_delete_rule(id);
}

static void
delete_one(SaveState *state, int i, void *arg, const SObject **object)
{
	SaveResult *result = &state->results[i];
	Datum	   *ids = (Datum *) arg;
	char	   *given = ids[i] == (Datum) 0 ? NULL : TextDatumGetCString(ids[i]);
	const char *name = NULL;
	RecordAccess record;
	pg_uuid_t	id;

	if (given == NULL || !orch_uuid_parse(given, &id))
	{
		orch_save_malformed_id(result, given == NULL ? "null" : given);
		return;
	}
	orch_save_set_id(result, &id);
	if (orch_caller_level(GetUserId(), ANY_OBJECT, &id, &record) != ACCESS_NONE)
		name = orch_catalog_label(ENUM_SHARED_OBJECT, record.object);
	else
	{
		*object = find_associate(&id);
		if (*object != NULL && ((*object)->calls & CALL_DELETE) == 0)
			name = (*object)->name;
	}
	if (name != NULL)
		orch_save_fail(result, "INVALID_TYPE_FOR_OPERATION", NULL,
					   "entity type %s does not support delete", name);
	else if (*object == NULL || !delete_associate(*object, &id))
		not_found(result, &id);
}

/* ------------------------------------------------------------------ results */

/*
 * Do one record in a subtransaction of its own, which is rolled back if the record fails.
 */
static void
in_subtransaction(SaveState *state, int i, SaveStep step, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	Subtransaction sub;
	SaveResult *result = &state->results[i];
	const SObject *object = NULL;

	orch_subtransaction_begin(&sub);
	PG_TRY();
	{
		orch_spi_connect();
		MemoryContextSwitchTo(context);
		step(state, i, arg, &object);
		SPI_finish();
		MemoryContextSwitchTo(context);
		/* a record that failed half way must leave nothing */
		if (result->errors == NIL)
			orch_subtransaction_commit(&sub);
		else
			orch_subtransaction_rollback(&sub);
	}
	PG_CATCH();
	{
		ErrorData  *edata = orch_subtransaction_catch(&sub);

		if (orch_save_must_rethrow(edata->sqlerrcode))
			ReThrowError(edata);
		orch_save_map_error(result, object, edata);
	}
	PG_END_TRY();
}

/*
 * Do all records; with all_or_none in a subtransaction around them, which is rolled back
 * if one fails.
 */
static void
run_steps(SaveState *state, bool all_or_none, SaveStep step, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	Subtransaction sub;
	ErrorData  *volatile error = NULL;
	int			i;

	if (all_or_none)
		orch_subtransaction_begin(&sub);
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
		if (!all_or_none)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	for (i = 0; i < state->nrecords; i++)
		state->failed |= state->results[i].errors != NIL;
	if (!all_or_none)
		return;
	if (state->failed || error != NULL)
		orch_subtransaction_rollback(&sub);
	else
		orch_subtransaction_commit(&sub);
	if (error != NULL)
		ReThrowError(error);
}

/*
 * Do all records of a call; returns an array with a result for each.
 */
static Jsonb *
process(SaveState *state, bool all_or_none, SaveStep step, void *arg)
{
	JsonbParseState *json = NULL;
	int			i;

	state->results = palloc0(Max(state->nrecords, 1) * sizeof(SaveResult));
	state->ids = palloc(Max(state->nrecords, 1) * sizeof(pg_uuid_t));
	run_steps(state, all_or_none, step, arg);

	pushJsonbValue(&json, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < state->nrecords; i++)
	{
		SaveResult *result = &state->results[i];

		if (all_or_none && state->failed && result->errors == NIL)
		{
			if (result->created)
				result->id = NULL;
			orch_save_fail(result, "ALL_OR_NONE_OPERATION_ROLLED_BACK", NULL,
						   "Record rolled back because not all records were valid and the request was using AllOrNone header");
		}
		orch_save_put_result(&json, result);
	}
	return JsonbValueToJsonb(pushJsonbValue(&json, WJB_END_ARRAY, NULL));
}

/*
 * How many chunks the records make: a chunk is records of one type that follow each
 * other.
 */
static int
count_chunks(JsonbContainer *records)
{
	char	   *last_type = NULL;
	int			nchunks = 0;
	uint32		i;

	for (i = 0; i < JsonContainerSize(records); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(records, i);
		char	   *type = orch_save_string(orch_save_member(orch_save_member(element, "attributes"),
															 "type"));

		if (type == NULL)
			continue;
		if (last_type == NULL || pg_strcasecmp(last_type, type) != 0)
			nchunks++;
		last_type = type;
	}
	return nchunks;
}

/*
 * create(), update(), upsert(): check the arguments and the limits of the call, then save
 * its records.
 */
static Jsonb *
save(FunctionCallInfo fcinfo, SaveCall call, int records_arg)
{
	SaveState	state;
	Jsonb	   *records;
	JsonbContainer *container;
	pg_uuid_t  *ids;
	int			nids;

	orch_require_arguments(fcinfo, records_arg, 2, "records and all_or_none");
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

	if (count_chunks(container) > MAX_CHUNKS)
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
 * Creates up to 200 manual shares or owner sharing rules.  Returns a SaveResult for each,
 * in their order: {"id", "success", "errors"}; errors of one record are in its result.
 * Raises: 22004 for null, 22023 if records is no array, OR404 (EXCEEDED_ID_LIMIT,
 * LIMIT_EXCEEDED) for more than 200 records or 10 chunks of one type, 42501 for a role that
 * acts as no active user.
 * Source: reference.md, 3.3, 3.4, 4.8.
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
 * Updates up to 200 records, which name their type and id.  Returns a SaveResult for each,
 * in their order.
 * Raises: as create().
 * Source: reference.md, 4.8.
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
 * Updates a record that exists with the same value of external_id_field (Id, or a field with
 * idLookup), creates other records.  Returns an UpsertResult for each, in their order: a
 * SaveResult with "created".
 * Raises: as create().
 * Source: reference.md, 3.3, 3.4, 4.1.
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
 * Deletes up to 200 feed items, manual shares or owner sharing rules.  Returns a
 * DeleteResult for each, in their order; errors of one record are in its result, also
 * INVALID_TYPE_FOR_OPERATION for records of other objects.
 * Raises: 22004 for null, OR404 (EXCEEDED_ID_LIMIT) for more than 200 ids, 42501 for a role
 * that acts as no active user.
 * Source: contract/objects.csv.
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
