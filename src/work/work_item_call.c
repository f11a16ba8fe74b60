/*-------------------------------------------------------------------------
 *
 * work_item_call.c
 *	  What calls on work items have in common: to find and lock an item, to complete it.
 *
 * A file of its own because approvals are decided by calls of theirs, and by
 * complete_work_item().
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/work_item_call.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/uuid.h"
#include "engine/engine.h"
#include "guard/approval.h"
#include "guard/guard.h"
#include "record/principal.h"
#include "work/work_item_call.h"

static StaticPlan plan_run_of = {
	"SELECT run_id FROM orchestration.work_item WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_read = {
	"SELECT step_run_id, assignee_id, name, status, idempotency_key,"
	" completed_by, completed_at, claimed_from, screen_flow, idempotency_digest, is_approval,"
	" is_parent, parent_id"
	" FROM orchestration.work_item WHERE run_id = $1 AND id = $2",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_complete = {
	"UPDATE orchestration.work_item SET status = 'Completed', completed_by = $3,"
	" idempotency_key = $4, idempotency_digest = $5 WHERE run_id = $1 AND id = $2",
	5, {UUIDOID, UUIDOID, TEXTOID, TEXTOID, BYTEAOID}
};

/*
 * Lock the run of a work item and read the item.  require asks for the role's right to the
 * item; it is called before and after the lock.  Caller is in system context and connected
 * to SPI.  Raises 55000 for the item of a unanimous approval that its members' items stand
 * for.
 */
void
orch_work_item_lock(const pg_uuid_t *id, ItemState *item, Oid role,
					void (*require) (Oid role, const pg_uuid_t *item_id))
{
	Datum		values[2];
	Datum		claimed_from;
	Datum		parent;
	bool		isnull;
	HeapTuple	tuple;
	TupleDesc	desc;

	require(role, id);
	item->id = *id;
	values[0] = UUIDPGetDatum(id);
	orch_plan_execute_latest(&plan_run_of, values, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("work item %s does not exist", orch_uuid_text(id)),
				 orch_error_column(RELATION_WORK_ITEM, "id")));
	item->run_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
												SPI_tuptable->tupdesc, 1, &isnull));
	values[0] = UUIDPGetDatum(&item->run_id);
	if (orch_lock_run(&item->run_id, RUN_LOCK_MOVE) > 0)
	{
		item->run_status = orch_lock_run_status(0);
		values[1] = UUIDPGetDatum(id);
		orch_plan_execute_latest(&plan_read, values, NULL, 1);
	}
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("work item %s does not exist", orch_uuid_text(id)),
				 orch_error_column(RELATION_WORK_ITEM, "id")));
	require(role, id);
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	item->step_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
	item->assignee_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
	item->name = SPI_getvalue(tuple, desc, 3);
	item->status = (WorkItemStatus) orch_catalog_label_column(ENUM_WORK_ITEM_STATUS, tuple,
															  desc, 4);
	item->idempotency_key = SPI_getvalue(tuple, desc, 5);
	item->completed_by = SPI_getvalue(tuple, desc, 6);
	item->completed_at = SPI_getvalue(tuple, desc, 7);
	claimed_from = SPI_getbinval(tuple, desc, 8, &isnull);
	item->claimed = !isnull;
	if (!isnull)
		item->claimed_from = *DatumGetUUIDP(claimed_from);
	item->screen = SPI_getvalue(tuple, desc, 9);
	item->digest = SPI_getbinval(tuple, desc, 10, &isnull);
	item->is_approval = DatumGetBool(SPI_getbinval(tuple, desc, 11, &isnull));
	if (DatumGetBool(SPI_getbinval(tuple, desc, 12, &isnull)))
		orch_approval_refuse_parent(psprintf("work item %s", item->name), id);
	parent = SPI_getbinval(tuple, desc, 13, &isnull);
	item->is_member = !isnull;
	if (!isnull)
		item->parent_id = *DatumGetUUIDP(parent);
}

void
orch_work_item_refuse_done(const ItemState *item)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_WORK_ITEM_DONE),
			 errmsg("work item %s is Completed already", item->name),
			 item->completed_by != NULL ?
			 errdetail("%s finished it at %s.", item->completed_by,
					   item->completed_at) :
			 errdetail("It was closed at %s, when its step ended otherwise.",
					   item->completed_at),
			 orch_error_column(RELATION_WORK_ITEM, "status")));
}

void
orch_work_item_finish(const ItemState *item, Oid role, Jsonb *outputs,
					  const char *comments, const char *key, bytea *digest)
{
	StepOutcome outcome;
	Datum		values[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', ' '};

	values[0] = UUIDPGetDatum(&item->run_id);
	values[1] = UUIDPGetDatum(&item->id);
	values[2] = CStringGetTextDatum(orch_principal_actor(role));
	if (key != NULL)
	{
		values[3] = CStringGetTextDatum(key);
		values[4] = PointerGetDatum(digest);
	}
	else
		nulls[3] = nulls[4] = 'n';
	orch_guard_execute(SCOPE_TRUSTED, &plan_complete, values, nulls, comments);
	/* the step waits for the other members */
	if (item->is_member && !orch_approval_end_round(&item->run_id, &item->parent_id))
		return;

	memset(&outcome, 0, sizeof(outcome));
	outcome.success = true;
	outcome.outputs = outputs;
	if (item->run_status == RUN_IN_PROGRESS)
		orch_engine_end_step(&item->run_id, &item->step_id, &outcome);
	else
		orch_engine_keep_outcome(&item->run_id, &item->step_id, &outcome);
}

/*
 * Begin a call on an Assigned item; raises OR302 for a Completed one.
 */
Frame *
orch_work_item_enter(const pg_uuid_t *id, SystemContext *saved, ItemState *item,
					 void (*require) (Oid role, const pg_uuid_t *item_id))
{
	Oid			role = GetUserId();
	Frame	   *frame = orch_frame_push(FRAME_CALL, role, NULL);

	orch_system_connect(saved);
	orch_work_item_lock(id, item, role, require);
	if (item->status == WORK_ITEM_COMPLETED)
		orch_work_item_refuse_done(item);
	return frame;
}

void
orch_work_item_leave(Frame *frame, SystemContext *saved)
{
	orch_system_finish(saved);
	orch_frame_pop(frame);
}
