/*-------------------------------------------------------------------------
 *
 * inbox.c
 *	  my_work_items(): work items of the caller and of the caller's groups and queues, and
 *	  approvals for whose assignees the caller is a delegate.
 *
 * It is a call and not a view, for two reasons.  It reads the first items of each assignee
 * by an index of open items, so that a page costs the same however many items are open.  And
 * assignees see their items whatever else their role may read.
 *
 * The approvals of the users below the caller are not in it, also with
 * orchestration.managers_review: nobody asked the caller to answer them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/inbox.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/system.h"

PG_FUNCTION_INFO_V1(orchestration_my_work_items);

/*
 * orchestration.my_work_items(max_items integer, after_assigned_at timestamptz,
 *		after_id uuid, orchestration text, due_before timestamptz)
 *		returns table (id uuid, name text, label text, description text,
 *			assigned_at timestamptz, due_at timestamptz, is_overdue boolean,
 *			assignee_id uuid, assignee text, assignee_kind
 *			orchestration.principal_kind, orchestration_name text, run_id uuid,
 *			screen_flow text, screen_flow_inputs jsonb, related_record_type text,
 *			related_record_id text)
 *
 * Returns at most max_items open work items of the caller and of the caller's groups and
 * queues, and approvals of users who made the caller their delegate and of the groups and
 * queues of these, in the order in which they were assigned; of a unanimous approval the
 * member's item, not its parent.  after_assigned_at and after_id: only
 * items after that one; orchestration: only items of that orchestration; due_before: only
 * items that are due before that time.  Returns no row for a role that acts as no active
 * user.
 * Raises: 22023 for a max_items that is null or negative, and for an after_id without
 * after_assigned_at.
 * Source: ours.
 */
Datum
orchestration_my_work_items(PG_FUNCTION_ARGS)
{
	/* the first items of each assignee by an index, then the first of all these */
	static StaticPlan plan_inbox = {
		"SELECT w.id, w.name, w.label, w.description, w.assigned_at, w.due_at,"
		" COALESCE(w.due_at < pg_catalog.statement_timestamp(), false),"
		" w.assignee_id, p.name, p.kind, d.name, w.run_id, w.screen_flow,"
		" w.screen_flow_inputs, w.related_record_type, w.related_record_id"
		"  FROM (SELECT pg_catalog.unnest($1), false"
		"        UNION ALL SELECT pg_catalog.unnest($7), true) AS mine (id, approvals)"
		"  CROSS JOIN LATERAL ("
		"   SELECT i.* FROM orchestration.work_item i"
		"    WHERE i.assignee_id = mine.id AND i.status = 'Assigned' AND NOT i.is_parent"
		"      AND (i.is_approval OR NOT mine.approvals)"
		"      AND i.assigned_at >= $3"
		"      AND (i.assigned_at > $3 OR i.id > $4 OR $4 IS NULL)"
		"      AND ($5 IS NULL OR i.orchestration_id ="
		"           (SELECT o.id FROM orchestration.orchestration_definition o WHERE o.name = $5))"
		"      AND ($6 IS NULL OR i.due_at < $6)"
		"    ORDER BY i.assigned_at, i.id LIMIT $2) w"
		"  JOIN orchestration.principal p ON p.id = w.assignee_id"
		"  LEFT JOIN orchestration.orchestration_definition d ON d.id = w.orchestration_id"
		" ORDER BY w.assigned_at, w.id LIMIT $2",
		7, {UUIDARRAYOID, INT8OID, TIMESTAMPTZOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID}
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	Datum		values[7];
	char		nulls[7];
	uint64		i;

	if (PG_ARGISNULL(0) || PG_GETARG_INT32(0) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_items must be a number, at least 0")));
	if (PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("after_id needs after_assigned_at"),
				 errhint("Pass both as the last row of the page before has them.")));
	InitMaterializedSRF(fcinfo, 0);
	memset(nulls, ' ', sizeof(nulls));
	values[0] = PointerGetDatum(orch_access_acting_ids());
	values[1] = Int64GetDatum(PG_GETARG_INT32(0));
	values[2] = PG_ARGISNULL(1) ? TimestampTzGetDatum(DT_NOBEGIN) : PG_GETARG_DATUM(1);
	values[6] = PointerGetDatum(orch_access_delegating_ids());
	for (i = 2; i < 5; i++)
	{
		values[i + 1] = PG_GETARG_DATUM(i);
		if (PG_ARGISNULL(i))
			nulls[i + 1] = 'n';
	}

	orch_system_connect(&saved);
	orch_plan_execute(&plan_inbox, values, nulls, true, 0);
	for (i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	orch_system_finish(&saved);
	return (Datum) 0;
}
