/*-------------------------------------------------------------------------
 *
 * replicate.c
 *	  get_updated() and get_deleted(): what changed in a window of time.
 *
 * Each call first reads how far the past is complete (stamp.c), then takes a snapshot, at
 * any isolation level, and returns the former as latestDateCovered.  It reads as the
 * caller, so that sharing applies.
 *
 * Runs, stages, steps and work items are found by an index on the minute of their
 * SystemModstamp: two updates in a minute change no indexed column (HOT).  Windows are of
 * whole minutes anyway.
 *
 * Times in the results have milliseconds and are truncated: a client that goes on from
 * latestDateCovered begins at or before it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/replicate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/errors.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/tombstone.h"
#include "record/sobject_json.h"

/* reference.md, 4.4 and 4.5 */
#define MAX_IDS				600000
#define MAX_DAYS_UPDATED	30

static const SObject *window_arguments(FunctionCallInfo fcinfo, int call, int max_days,
									   TimestampTz *start, TimestampTz *end);
static void execute_latest(const char *query, int nargs, Oid *types, Datum *values);
static const char *table_by_minute(const SObject *object);
static void select_updated(const SObject *object, TimestampTz start, TimestampTz end);
static void select_deleted(const SObject *object, TimestampTz start, TimestampTz end);
static Datum finish_object(JsonbParseState **state);

/*
 * Arguments of both calls: the object, and the window of time without its seconds.
 */
static const SObject *
window_arguments(FunctionCallInfo fcinfo, int call, int max_days, TimestampTz *start,
				 TimestampTz *end)
{
	const SObject *object;

	orch_require_arguments(fcinfo, 0, 3, "object, start_date and end_date");
	(void) orch_access_require_user(GetUserId());
	object = orch_sobject_get(text_to_cstring(PG_GETARG_TEXT_PP(0)), call);
	*start = PG_GETARG_TIMESTAMPTZ(1);
	*end = PG_GETARG_TIMESTAMPTZ(2);
	if (TIMESTAMP_NOT_FINITE(*start) || TIMESTAMP_NOT_FINITE(*end))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_REPLICATION_DATE),
				 errmsg("INVALID_REPLICATION_DATE: start_date and end_date must be finite")));
	*start = orch_stamp_cut(*start);
	*end = orch_stamp_cut(*end);
	if (*start >= *end)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_REPLICATION_DATE),
				 errmsg("INVALID_REPLICATION_DATE: startDate must be before endDate"),
				 errdetail("Without seconds they are %s and %s.", orch_sobject_time(*start),
						   orch_sobject_time(*end))));
	if (GetCurrentTimestamp() - *start > max_days * USECS_PER_DAY + USECS_PER_MINUTE)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_REPLICATION_DATE),
				 errmsg("INVALID_REPLICATION_DATE: startDate must not be more than %d days back",
						max_days)));
	return object;
}

/*
 * Execute a query as the caller, with the latest snapshot at any isolation level.
 */
static void
execute_latest(const char *query, int nargs, Oid *types, Datum *values)
{
	int			result = SPI_execute_snapshot(orch_sobject_plan(query, nargs, types),
											  values, NULL, GetLatestSnapshot(),
											  InvalidSnapshot, true, false, MAX_IDS + 1);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed for \"%s\": %s", query,
			 SPI_result_code_string(result));
	if (SPI_processed > MAX_IDS)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("EXCEEDED_ID_LIMIT: more than %d ids", MAX_IDS),
				 errhint("Ask for a shorter time.")));
}

/*
 * The table of an object that is indexed by the minute of SystemModstamp, else NULL.
 */
static const char *
table_by_minute(const SObject *object)
{
	static const struct
	{
		const char *object;
		const char *table;
	}			tables[] = {
		{"FlowOrchestrationInstance", "run"},
		{"FlowOrchestrationStageInstance", "stage_run"},
		{"FlowOrchestrationStepInstance", "step_run"},
		{"FlowOrchestrationWorkItem", "work_item"},
		{"ApprovalSubmission", "submission"},
		{"ApprovalWorkItem", "submission_item"}
	};
	int			i;

	for (i = 0; i < (int) lengthof(tables); i++)
		if (strcmp(tables[i].object, object->name) == 0)
			return tables[i].table;
	return NULL;
}

/*
 * Select the ids of the records that were changed in the window.  The last minute is
 * read up to the end of the window.
 */
static void
select_updated(const SObject *object, TimestampTz start, TimestampTz end)
{
	Oid			types[4] = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, INT4OID};
	Datum		values[4];
	const char *table = table_by_minute(object);
	const char *column = object->associate == ASSOCIATE_HISTORY ?
		"created_date" : "system_modstamp";

	values[0] = TimestampTzGetDatum(start);
	values[1] = TimestampTzGetDatum(end);
	values[2] = Int32GetDatum(orch_stamp_minute(start));
	values[3] = Int32GetDatum(orch_stamp_minute(end));
	if (table != NULL)
		execute_latest(psprintf("SELECT x.id FROM orchestration.%s x"
								" WHERE x.modified_minute OPERATOR(pg_catalog.>=) $3"
								"   AND x.modified_minute OPERATOR(pg_catalog.<) $4"
								" UNION ALL SELECT x.id FROM orchestration.%s x"
								" WHERE x.modified_minute OPERATOR(pg_catalog.=) $4"
								"   AND x.modified_at OPERATOR(pg_catalog.>=) $1"
								"   AND x.modified_at OPERATOR(pg_catalog.<=) $2",
								table, table), 4, types, values);
	else
		execute_latest(psprintf("SELECT x.id FROM orchestration.%s x"
								" WHERE x.%s OPERATOR(pg_catalog.>=) $1"
								"   AND x.%s OPERATOR(pg_catalog.<=) $2",
								object->view, column, column), 2, types, values);
}

/*
 * Select id and time of the records that were deleted in the window; and, with null for
 * both, the time until which remove_expired() has removed tombstones.  One snapshot shows
 * either a tombstone or that it may be gone.
 */
static void
select_deleted(const SObject *object, TimestampTz start, TimestampTz end)
{
	Oid			types[3] = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[3];

	values[0] = CStringGetTextDatum(object->name);
	values[1] = TimestampTzGetDatum(start);
	values[2] = TimestampTzGetDatum(end);
	execute_latest("SELECT t.id, t.deleted_at, NULL::pg_catalog.timestamptz"
				   "  FROM orchestration.tombstone t"
				   " WHERE t.object OPERATOR(pg_catalog.=) $1"
				   "   AND t.deleted_at OPERATOR(pg_catalog.>=) $2"
				   "   AND t.deleted_at OPERATOR(pg_catalog.<=) $3"
				   " UNION ALL SELECT NULL, NULL, h.purged_until"
				   "  FROM orchestration.tombstone_horizon h"
				   " WHERE h.object OPERATOR(pg_catalog.=) $1"
				   " ORDER BY 2", 3, types, values);
}

/*
 * Complete the object and leave SPI; returns the object in the caller's memory context.
 */
static Datum
finish_object(JsonbParseState **state)
{
	Jsonb	   *json = JsonbValueToJsonb(pushJsonbValue(state, WJB_END_OBJECT, NULL));
	Datum		result = SPI_datumTransfer(JsonbPGetDatum(json), false, -1);

	SPI_finish();
	return result;
}

PG_FUNCTION_INFO_V1(orchestration_get_updated);

/*
 * orchestration.get_updated(object text, start_date timestamptz,
 *		end_date timestamptz) returns jsonb
 *
 * Returns {"ids": [...], "latestDateCovered": ...}: the records that the caller sees and
 * whose SystemModstamp (of history: CreatedDate) lies in the window.  latestDateCovered is
 * the end of the window, or the time since when a transaction has been writing.  Clients
 * that begin their next call at latestDateCovered miss no change.
 * Raises: 22004 for null, OR401 (INVALID_TYPE), OR403 (INVALID_TYPE_FOR_OPERATION), OR404
 * (EXCEEDED_ID_LIMIT) for more than 600,000 ids, OR405 (INVALID_REPLICATION_DATE) for a
 * window that is empty or begins more than 30 days back, 55000 on a standby, 42501 for a
 * role that acts as no active user.
 * Source: reference.md, 4.4.
 */
Datum
orchestration_get_updated(PG_FUNCTION_ARGS)
{
	TimestampTz start;
	TimestampTz end;
	TimestampTz covered;
	const SObject *object = window_arguments(fcinfo, CALL_GET_UPDATED, MAX_DAYS_UPDATED,
											 &start, &end);
	JsonbParseState *state = NULL;
	uint64		n;

	covered = Min(end, orch_stamp_horizon());
	orch_spi_connect();
	select_updated(object, start, end);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	orch_json_key(&state, "ids");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (n = 0; n < SPI_processed; n++)
	{
		bool		isnull;
		Datum		id = SPI_getbinval(SPI_tuptable->vals[n], SPI_tuptable->tupdesc, 1,
									   &isnull);

		orch_json_text(&state, WJB_ELEM, orch_uuid_text(DatumGetUUIDP(id)));
	}
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	orch_json_put_text(&state, "latestDateCovered", orch_sobject_time(covered));
	PG_RETURN_DATUM(finish_object(&state));
}

PG_FUNCTION_INFO_V1(orchestration_get_deleted);

/*
 * orchestration.get_deleted(object text, start_date timestamptz,
 *		end_date timestamptz) returns jsonb
 *
 * Returns {"deletedRecords": [{"id": ..., "deletedDate": ...}, ...],
 * "earliestDateAvailable": ..., "latestDateCovered": ...}: the records that were deleted
 * in the window and that the caller saw.
 * Raises: as get_updated(); and OR405 (INVALID_REPLICATION_DATE) for a window of at most
 * one minute, and for one that begins more than orchestration.deleted_retention days back
 * or before the time until which remove_expired() has removed tombstones.
 * Source: reference.md, 4.5.
 */
Datum
orchestration_get_deleted(PG_FUNCTION_ARGS)
{
	TimestampTz start;
	TimestampTz end;
	TimestampTz covered;
	TimestampTz earliest;
	const SObject *object = window_arguments(fcinfo, CALL_GET_DELETED,
											 orch_deleted_retention, &start, &end);
	JsonbParseState *state = NULL;
	bool		isnull;
	uint64		n;

	if (PG_GETARG_TIMESTAMPTZ(2) - PG_GETARG_TIMESTAMPTZ(1) <= USECS_PER_MINUTE)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_REPLICATION_DATE),
				 errmsg("INVALID_REPLICATION_DATE: startDate must be more than one minute before endDate")));
	covered = Min(end, orch_stamp_horizon());
	orch_spi_connect();
	select_deleted(object, start, end);

	earliest = GetCurrentTimestamp() - orch_deleted_retention * USECS_PER_DAY;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	orch_json_key(&state, "deletedRecords");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (n = 0; n < SPI_processed; n++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[n];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		Datum		id = SPI_getbinval(tuple, desc, 1, &isnull);

		if (isnull)
		{
			earliest = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 3, &isnull));
			if (start <= earliest)
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_REPLICATION_DATE),
						 errmsg("INVALID_REPLICATION_DATE: deletions until %s are no longer known",
								orch_sobject_time(earliest)),
						 errhint("Read all records again, and continue from that time.")));
			continue;
		}
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		orch_json_put_text(&state, "id", orch_uuid_text(DatumGetUUIDP(id)));
		orch_json_put_text(&state, "deletedDate",
						   orch_sobject_time(DatumGetTimestampTz(SPI_getbinval(tuple, desc, 2,
																			   &isnull))));
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	orch_json_put_text(&state, "earliestDateAvailable", orch_sobject_time(earliest));
	orch_json_put_text(&state, "latestDateCovered", orch_sobject_time(covered));
	PG_RETURN_DATUM(finish_object(&state));
}
