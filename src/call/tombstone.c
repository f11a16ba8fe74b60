/*-------------------------------------------------------------------------
 *
 * tombstone.c
 *	  Tombstones of deleted records, and the calls that delete ended runs and expired
 *	  records.
 *
 * A run is deleted with everything that belongs to it.  When its row is deleted, by
 * purge_runs() or by hand, a trigger that fires before the cascades writes the tombstones
 * of the run and of its other records in one statement.  A record that is deleted by itself
 * (a feed item, a sharing rule, expired history) gets its own tombstone.  A tombstone has a
 * copy of the columns that access to the record depended on.  Only that of a work item has
 * an assignee_id: assignee_visible() is true for every id if the caller sees all work items,
 * whose default access is not that of submissions.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/tombstone.c
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
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/query.h"
#include "call/tombstone.h"
#include "record/principal.h"

int			orch_deleted_retention = 15;
static int	history_retention = 730;
static int	message_retention = 30;

/* The id of a log entry, as the view makes it. */
#define LOG_ID(l) \
	"(pg_catalog.lpad(pg_catalog.to_hex(pg_catalog.floor(" \
	"EXTRACT(epoch FROM " l ".logged_at) * 1000)::pg_catalog.int8), 12, '0')" \
	" || '70008' || pg_catalog.lpad(pg_catalog.to_hex(" l ".number), 15, '0'))::pg_catalog.uuid"

static StaticPlan plan_run = {
	"WITH record (id, object, owner_id, orchestration_id, assignee_id, is_approval, share_id) AS ("
	"  SELECT $1, 'FlowOrchestrationInstance'::orchestration.shared_object, $2, $3,"
	"         NULL::pg_catalog.uuid, false, NULL::pg_catalog.uuid"
	"  UNION ALL SELECT s.id, 'FlowOrchestrationStageInstance', s.owner_id,"
	"         s.orchestration_id, NULL, false, NULL"
	"    FROM orchestration.stage_run s WHERE s.run_id = $1"
	"  UNION ALL SELECT s.id, 'FlowOrchestrationStepInstance', s.owner_id,"
	"         s.orchestration_id, NULL, false, NULL"
	"    FROM orchestration.step_run s WHERE s.run_id = $1"
	"  UNION ALL SELECT w.id, 'FlowOrchestrationWorkItem', w.owner_id,"
	"         w.orchestration_id, w.assignee_id, w.is_approval, NULL"
	"    FROM orchestration.work_item w WHERE w.run_id = $1"
	"  UNION ALL SELECT b.id, 'ApprovalSubmission', b.owner_id, b.orchestration_id, NULL,"
	"         true, NULL FROM orchestration.submission b WHERE b.run_id = $1"
	"  UNION ALL SELECT a.id, 'ApprovalWorkItem', a.owner_id, a.orchestration_id, NULL,"
	"         true, a.submission_id"
	"    FROM orchestration.submission_item a WHERE a.run_id = $1),"
	" reviewer (ids) AS ("
	"  SELECT pg_catalog.array_agg(DISTINCT a.assigned_to)"
	"    FROM orchestration.submission_item a WHERE a.run_id = $1),"
	" shared (record_id, shared_with) AS ("
	"  SELECT g.record_id, pg_catalog.array_agg(g.user_or_group_id)"
	"    FROM orchestration.share_grant g WHERE g.run_id = $1 GROUP BY g.record_id)"
	" INSERT INTO orchestration.tombstone (id, object, deleted_by, run_id,"
	"  shared_object, owner_id, orchestration_id, assignee_id, shared_with, reviewer_ids)"
	" SELECT x.id, x.object, $4, $1, r.object, r.owner_id, r.orchestration_id,"
	"        r.assignee_id, s.shared_with,"
	"        CASE WHEN r.object IN ('ApprovalSubmission', 'ApprovalWorkItem') THEN v.ids"
	"             WHEN r.is_approval THEN ARRAY[r.assignee_id] END"
	"   FROM (SELECT id, object::pg_catalog.text, id FROM record"
	"         UNION ALL SELECT " LOG_ID("l") ", 'FlowOrchestrationLog', l.run_id"
	"           FROM orchestration.run_log l WHERE l.run_id = $1"
	"         UNION ALL SELECT c.id, c.object || 'History', c.record_id"
	"           FROM orchestration.field_change c WHERE c.run_id = $1"
	"         UNION ALL SELECT f.id, f.object || 'Feed', f.record_id"
	"           FROM orchestration.feed_item f WHERE f.run_id = $1"
	"         UNION ALL SELECT d.id, 'ApprovalSubmissionDetail', d.submission_id"
	"           FROM orchestration.submission_detail d WHERE d.run_id = $1"
	"        ) AS x (id, object, record_id)"
	"   JOIN record r ON r.id = x.record_id"
	"   CROSS JOIN reviewer v"
	"   LEFT JOIN shared s ON s.record_id = COALESCE(r.share_id, r.id)"
	" ON CONFLICT (id) DO NOTHING",
	4, {UUIDOID, UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_one = {
	"INSERT INTO orchestration.tombstone (id, object, deleted_by, run_id,"
	"  shared_object, owner_id, orchestration_id, assignee_id, shared_with, reviewer_ids)"
	" VALUES ($1, $2, $3, $4, $5::orchestration.shared_object, $6, $7, $8,"
	"  (SELECT pg_catalog.array_agg(g.user_or_group_id) FROM orchestration.share_grant g"
	"    WHERE g.run_id = $4 AND g.record_id = $9),"
	"  CASE WHEN $5 IN ('ApprovalSubmission', 'ApprovalWorkItem') THEN"
	"   (SELECT pg_catalog.array_agg(DISTINCT a.assigned_to)"
	"      FROM orchestration.submission_item a WHERE a.run_id = $4)"
	"   WHEN $10 THEN ARRAY[$8] END)"
	" ON CONFLICT (id) DO NOTHING",
	10, {UUIDOID, TEXTOID, UUIDOID, UUIDOID, TEXTOID, UUIDOID, UUIDOID, UUIDOID,
	UUIDOID, BOOLOID}
};
static StaticPlan plan_log_id = {
	"SELECT " LOG_ID("l") " FROM (VALUES ($1, $2)) AS l (logged_at, number)",
	2, {TIMESTAMPTZOID, INT8OID}
};
static StaticPlan plan_purge = {
	"DELETE FROM orchestration.run WHERE id = ANY (ARRAY("
	" SELECT r.id FROM orchestration.run r"
	"  WHERE r.modified_minute <= orchestration_internal.minute_of(pg_catalog.now() - $1)"
	"    AND r.ended_at < pg_catalog.now() - $1"
	"  ORDER BY r.modified_minute LIMIT $2 FOR UPDATE SKIP LOCKED))",
	2, {INTERVALOID, INT4OID}
};
static StaticPlan plan_expire_tombstones = {
	"WITH gone AS ("
	"  DELETE FROM orchestration.tombstone t WHERE t.id = ANY (ARRAY("
	"    SELECT o.id FROM orchestration.tombstone o"
	"     WHERE o.deleted_at < pg_catalog.now() - pg_catalog.make_interval(days => $1)"
	"     ORDER BY o.deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
	"  RETURNING t.object, t.deleted_at),"
	" horizon AS ("
	"  INSERT INTO orchestration.tombstone_horizon AS h (object, purged_until)"
	"  SELECT g.object, pg_catalog.max(g.deleted_at) FROM gone g GROUP BY g.object"
	"  ON CONFLICT (object) DO UPDATE"
	"  SET purged_until = GREATEST(h.purged_until, EXCLUDED.purged_until))"
	" SELECT pg_catalog.count(*) FROM gone",
	2, {INT4OID, INT4OID}
};
static StaticPlan plan_expire_history = {
	"WITH gone AS ("
	"  DELETE FROM orchestration.field_change c"
	"   USING (SELECT o.run_id, o.id FROM orchestration.field_change o"
	"           WHERE o.changed_at < pg_catalog.now() - pg_catalog.make_interval(days => $1)"
	"           LIMIT $2 FOR UPDATE SKIP LOCKED) x"
	"   WHERE c.run_id = x.run_id AND c.id = x.id RETURNING 1)"
	" SELECT pg_catalog.count(*) FROM gone",
	2, {INT4OID, INT4OID}
};
static StaticPlan plan_expire_locators = {
	"WITH gone AS ("
	"  DELETE FROM orchestration.query_locator l WHERE l.id = ANY (ARRAY("
	"    SELECT o.id FROM orchestration.query_locator o"
	"     WHERE o.created_at < pg_catalog.now() - pg_catalog.make_interval(days => $1)"
	"     ORDER BY o.created_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
	"  RETURNING 1)"
	" SELECT pg_catalog.count(*) FROM gone",
	2, {INT4OID, INT4OID}
};

static StaticPlan plan_expire_messages = {
	"WITH gone AS ("
	"  DELETE FROM orchestration.message m WHERE m.id = ANY (ARRAY("
	"    SELECT o.id FROM orchestration.message o"
	"     WHERE o.created_at < pg_catalog.now() - pg_catalog.make_interval(days => $1)"
	"     ORDER BY o.created_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
	"  RETURNING 1)"
	" SELECT pg_catalog.count(*) FROM gone",
	2, {INT4OID, INT4OID}
};

static void write_one(TriggerData *trigdata);

/*
 * Called once, by _PG_init().
 */
void
orch_tombstone_init(void)
{
	DefineCustomIntVariable("orchestration.deleted_retention",
							"Days that get_deleted() can look back.",
							"remove_expired() removes what was deleted longer ago.",
							&orch_deleted_retention, 15, 1, 36500,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("orchestration.history_retention",
							"Days that history of fields is kept, 0: until its run goes.",
							"remove_expired() removes what is older.",
							&history_retention, 730, 0, 36500,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("orchestration.message_retention",
							"Days that messages wait for a mailer, 0: until their run goes.",
							"remove_expired() removes what is older.",
							&message_retention, 30, 0, 36500,
							PGC_SUSET, 0, NULL, NULL, NULL);
}

/*
 * Write the tombstone of a row that is deleted by itself.  A row that is deleted with its
 * run has its tombstone already.
 */
static void
write_one(TriggerData *trigdata)
{
	Oid			relid = RelationGetRelid(trigdata->tg_relation);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = trigdata->tg_trigtuple;
	bool		is_log = relid == orch_catalog_relation(RELATION_RUN_LOG);
	bool		is_rule = relid == orch_catalog_relation(RELATION_OWNER_SHARING_RULE);
	bool		by_assignee;
	RecordAccess record;
	SystemContext saved;
	Datum		values[10];
	char		nulls[10] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
	const char *object;
	bool		isnull;

	memset(&record, 0, sizeof(record));
	if (!is_rule)
	{
		pg_uuid_t  *run_id = DatumGetUUIDP(heap_getattr(row, SPI_fnumber(desc, "run_id"),
														desc, &isnull));

		if (!orch_access_read(OBJECT_RUN, run_id, &record))
			return;
		if (!is_log &&
			!orch_access_read(orch_access_object(DatumGetObjectId(heap_getattr(row,
																			   SPI_fnumber(desc, "object"),
																			   desc, &isnull))),
							  DatumGetUUIDP(heap_getattr(row, SPI_fnumber(desc, "record_id"),
														 desc, &isnull)), &record))
			return;
	}
	by_assignee = record.object == OBJECT_WORK_ITEM;
	object = is_rule ?
		orch_catalog_label(ENUM_SHARED_OBJECT,
						   orch_access_object(DatumGetObjectId(heap_getattr(row,
																			Anum_owner_sharing_rule_object,
																			desc, &isnull)))) :
		orch_catalog_label(ENUM_SHARED_OBJECT, record.object);

	orch_system_connect(&saved);
	if (is_log)
	{
		values[0] = heap_getattr(row, SPI_fnumber(desc, "logged_at"), desc, &isnull);
		values[1] = heap_getattr(row, SPI_fnumber(desc, "number"), desc, &isnull);
		orch_plan_execute(&plan_log_id, values, NULL, true, 1);
		values[0] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		values[1] = CStringGetTextDatum("FlowOrchestrationLog");
	}
	else
	{
		values[0] = heap_getattr(row, SPI_fnumber(desc, "id"), desc, &isnull);
		values[1] = CStringGetTextDatum(psprintf("%s%s", object,
												 is_rule ? "OwnerSharingRule" :
												 relid == orch_catalog_relation(RELATION_FEED_ITEM) ?
												 "Feed" : "History"));
	}
	orch_principal_set_acting(orch_frame_actor(), &values[2], &nulls[2]);
	values[3] = UUIDPGetDatum(&record.run_id);
	values[4] = CStringGetTextDatum(object);
	values[5] = UUIDPGetDatum(&record.owner_id);
	values[6] = UUIDPGetDatum(&record.orchestration_id);
	values[7] = UUIDPGetDatum(&record.assignee_id);
	values[8] = UUIDPGetDatum(&record.share_id);
	values[9] = BoolGetDatum(record.is_approval && by_assignee);
	if (is_rule)
		nulls[3] = nulls[4] = nulls[5] = nulls[8] = 'n';
	if (!record.has_orchestration)
		nulls[6] = 'n';
	if (!by_assignee)
		nulls[7] = 'n';
	orch_plan_execute_latest(&plan_one, values, nulls, 0);
	orch_system_finish(&saved);
}

PG_FUNCTION_INFO_V1(orchestration_write_tombstone);

/*
 * orchestration_internal.write_tombstone() returns trigger
 *
 * AFTER DELETE ROW of run: writes the tombstones of the run and of its stages, steps, work
 * items, submission with its work items and details, log, history and feeds.  AFTER DELETE
 * ROW of feed_item, field_change, run_log and owner_sharing_rule: writes the tombstone of the
 * row, unless its run is deleted with it.
 * Returns null.
 * Raises: 39P01 if not called as that trigger.
 * Source: reference.md, 4.5.
 */
Datum
orchestration_write_tombstone(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	RecordAccess record;
	SystemContext saved;
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an AFTER DELETE trigger",
						"write_tombstone")));
	if (RelationGetRelid(trigdata->tg_relation) != orch_catalog_relation(RELATION_RUN))
	{
		write_one(trigdata);
		return PointerGetDatum(NULL);
	}

	orch_access_of_tuple(OBJECT_RUN, trigdata->tg_trigtuple,
						 RelationGetDescr(trigdata->tg_relation), &record);
	orch_system_connect(&saved);
	values[0] = UUIDPGetDatum(&record.id);
	values[1] = UUIDPGetDatum(&record.owner_id);
	values[2] = UUIDPGetDatum(&record.orchestration_id);
	if (!record.has_orchestration)
		nulls[2] = 'n';
	orch_principal_set_acting(orch_frame_actor(), &values[3], &nulls[3]);
	orch_plan_execute_latest(&plan_run, values, nulls, 0);
	orch_system_finish(&saved);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(orchestration_purge_runs);

/*
 * orchestration.purge_runs(older_than interval, max_runs integer)
 *		returns bigint
 *
 * Deletes up to max_runs runs that ended, and were changed last, longer ago than older_than,
 * with everything that belongs to them.  Skips runs that another session has locked.
 * Returns the number of deleted runs; if it is less than max_runs, no more are left.  No
 * role is granted EXECUTE.
 * Raises: 22004 for null, 22023 for an interval that is negative or longer than 100 years
 * and for a max_runs that is not positive.
 * Source: ours.
 */
Datum
orchestration_purge_runs(PG_FUNCTION_ARGS)
{
	Interval	zero;
	SystemContext saved;
	Frame	   *frame;
	Datum		values[2];
	uint64		purged;

	orch_require_arguments(fcinfo, 0, 2, "older_than and max_runs");
	memset(&zero, 0, sizeof(zero));
	if (DatumGetBool(DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(0),
										 IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("older_than must not be negative")));
	orch_limit_interval(PG_GETARG_INTERVAL_P(0), "older_than");
	if (PG_GETARG_INT32(1) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_runs must be greater than zero")));

	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_system_connect(&saved);
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_GETARG_DATUM(1);
	orch_plan_execute_latest(&plan_purge, values, NULL, 0);
	purged = SPI_processed;
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	PG_RETURN_INT64((int64) purged);
}

PG_FUNCTION_INFO_V1(orchestration_remove_expired);

/*
 * orchestration.remove_expired(max_rows integer, OUT removed_from text,
 *		OUT removed bigint) returns setof record
 *
 * Removes up to max_rows tombstones older than orchestration.deleted_retention days, up to
 * max_rows rows of history older than orchestration.history_retention days, up to max_rows
 * locators of query() older than two days, and up to max_rows messages that no mailer sent
 * within orchestration.message_retention days.  Returns a row for each of the four: the
 * table, and how many rows were removed.  No role is granted EXECUTE.
 * Raises: 22004 for null, 22023 for a number that is not positive.
 * Source: ours.
 */
Datum
orchestration_remove_expired(PG_FUNCTION_ARGS)
{
	const struct
	{
		const char *table;
		StaticPlan *plan;
		int			days;		/* 0: kept forever */
	}			expiring[] = {
		{"tombstone", &plan_expire_tombstones, orch_deleted_retention},
		{"field_change", &plan_expire_history, history_retention},
		{"query_locator", &plan_expire_locators, ORCH_LOCATOR_DAYS},
		{"message", &plan_expire_messages, message_retention}
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	Frame	   *frame;
	Datum		values[2];
	Datum		counts[2];
	bool		isnull[2] = {false};
	int			i;

	orch_require_arguments(fcinfo, 0, 1, "max_rows");
	if (PG_GETARG_INT32(0) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be greater than zero")));

	InitMaterializedSRF(fcinfo, 0);
	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_system_connect(&saved);
	values[1] = PG_GETARG_DATUM(0);
	for (i = 0; i < (int) lengthof(expiring); i++)
	{
		int			days = expiring[i].days;

		values[0] = Int32GetDatum(days);
		counts[0] = CStringGetTextDatum(expiring[i].table);
		counts[1] = Int64GetDatum(0);
		if (days > 0)
		{
			bool		no_row;

			orch_plan_execute_latest(expiring[i].plan, values, NULL, 0);
			counts[1] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &no_row);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, counts, isnull);
	}
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	return (Datum) 0;
}
