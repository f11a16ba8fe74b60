/*-------------------------------------------------------------------------
 *
 * open_run.c
 *	  Keeps orchestration_internal.open_run: one row for each run that is not at its end.
 *
 * A run is open unless it is Completed or Canceled: nothing can change these, while a run
 * in Error can be resumed.  Queries about open runs read this table, whose size does
 * not depend on how many runs have ended.  An index of run whose columns or predicate name
 * the status would do the same, but then no update of a status would stay on its page.
 *
 * The row is written by the AFTER ROW triggers of run, in the transaction and with the lock
 * of the change itself.  So it is exact under aborts and savepoints, in whatever way the
 * run is written.  Like the other triggers of the guard these fire on the origin only: a
 * logical replica gets the rows as rows.  pg_dump does not dump the rows, the restored runs
 * make them again; rebuild_open_runs() is for runs that came without triggers.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/open_run.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/system.h"
#include "base/uuid.h"
#include "guard/guard_int.h"
#include "guard/open_run.h"

static StaticPlan plan_insert = {
	"INSERT INTO orchestration_internal.open_run (created_at, run_id, orchestration_id, status)"
	" VALUES ($1, $2, $3, $4::orchestration.run_status)",
	4, {TIMESTAMPTZOID, UUIDOID, UUIDOID, TEXTOID}
};
static StaticPlan plan_update = {
	"UPDATE orchestration_internal.open_run SET orchestration_id = $3, status = $4::orchestration.run_status"
	" WHERE created_at = $1 AND run_id = $2",
	4, {TIMESTAMPTZOID, UUIDOID, UUIDOID, TEXTOID}
};
static StaticPlan plan_delete = {
	"DELETE FROM orchestration_internal.open_run WHERE created_at = $1 AND run_id = $2",
	2, {TIMESTAMPTZOID, UUIDOID}
};
/* from the run as it is now */
static StaticPlan plan_insert_current = {
	"INSERT INTO orchestration_internal.open_run (created_at, run_id, orchestration_id, status)"
	" SELECT r.created_at, r.id, r.orchestration_id, r.status FROM orchestration.run r"
	" WHERE r.id = $1 AND r.status NOT IN ('Completed', 'Canceled')"
	"   AND NOT EXISTS (SELECT FROM orchestration_internal.open_run o"
	"                    WHERE o.created_at = r.created_at AND o.run_id = r.id)",
	1, {UUIDOID}
};

/* What the table holds about a run. */
typedef struct OpenRun
{
	bool		is_open;
	int			status;
	Datum		created_at;
	const pg_uuid_t *run_id;
	const pg_uuid_t *orchestration_id;	/* or NULL */
} OpenRun;

static void read_row(OpenRun *open, HeapTuple row, TupleDesc desc);
static bool is_superseded(HeapTuple row);
static void put(StaticPlan *plan, const OpenRun *open);
static void take_out(const OpenRun *open);

static void
read_row(OpenRun *open, HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	open->status = orch_guard_row_status(LEVEL_RUN, row, desc);
	open->is_open = open->status != RUN_COMPLETED && open->status != RUN_CANCELED;
	open->created_at = heap_getattr(row, Anum_run_created_at, desc, &isnull);
	open->run_id = orch_guard_row_uuid(row, desc, Anum_run_id);
	open->orchestration_id = orch_guard_row_uuid(row, desc, Anum_run_orchestration_id);
}

/*
 * Has a trigger that fired before this one written the row again?  Then the event of the
 * later change came first, and this one must not put back what it saw.  True also if that
 * change was rolled back, which is harmless.
 */
static bool
is_superseded(HeapTuple row)
{
	uint16		infomask = row->t_data->t_infomask;

	return (infomask & HEAP_XMAX_INVALID) == 0 && !HEAP_XMAX_IS_LOCKED_ONLY(infomask);
}

static void
put(StaticPlan *plan, const OpenRun *open)
{
	Datum		values[4];

	values[0] = open->created_at;
	values[1] = UUIDPGetDatum(open->run_id);
	values[2] = UUIDPGetDatum(open->orchestration_id);
	values[3] = CStringGetTextDatum(orch_transition_status_name(LEVEL_RUN, open->status));
	orch_plan_execute(plan, values, open->orchestration_id == NULL ? "  n " : NULL, false, 0);
}

static void
take_out(const OpenRun *open)
{
	Datum		values[2];

	values[0] = open->created_at;
	values[1] = UUIDPGetDatum(open->run_id);
	orch_plan_execute(&plan_delete, values, NULL, false, 0);
}

void
orch_open_run_note(HeapTuple old, HeapTuple row, TupleDesc desc)
{
	OpenRun		was = {0};
	OpenRun		is;
	bool		moved;
	SystemContext saved;

	if (old != NULL)
		read_row(&was, old, desc);
	read_row(&is, row, desc);
	if (!was.is_open && !is.is_open)
		return;
	moved = was.is_open &&
		DatumGetTimestampTz(was.created_at) != DatumGetTimestampTz(is.created_at);
	if (was.is_open && !moved && was.status == is.status &&
		(was.orchestration_id == NULL) == (is.orchestration_id == NULL) &&
		(is.orchestration_id == NULL ||
		 orch_uuid_equal(was.orchestration_id, is.orchestration_id)))
		return;

	orch_system_connect(&saved);
	if (!is.is_open)
		take_out(&was);
	else if (moved || is_superseded(row))
	{
		Datum		id = UUIDPGetDatum(is.run_id);

		if (was.is_open)
			take_out(&was);
		orch_plan_execute(&plan_insert_current, &id, NULL, false, 0);
	}
	else
		put(was.is_open ? &plan_update : &plan_insert, &is);
	orch_system_finish(&saved);
}

PG_FUNCTION_INFO_V1(orchestration_open_run_delete);

/*
 * orchestration_internal.open_run_delete() returns trigger
 *
 * AFTER DELETE ROW of run: a run that was not Completed or Canceled is no longer open.
 * Returns null.
 * Raises: 39P01 when not called as that trigger.
 * Source: ours.
 */
Datum
orchestration_open_run_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	OpenRun		was;
	SystemContext saved;

	(void) orch_guard_trigger_level(fcinfo, "open_run_delete", TRIGGER_EVENT_AFTER, true);
	if (!TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ||
		RelationGetRelid(trigdata->tg_relation) != orch_catalog_relation(RELATION_RUN))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired by DELETE on table \"%s\"",
						"open_run_delete", "run")));
	read_row(&was, trigdata->tg_trigtuple, RelationGetDescr(trigdata->tg_relation));
	if (was.is_open)
	{
		orch_system_connect(&saved);
		take_out(&was);
		orch_system_finish(&saved);
	}
	return PointerGetDatum(NULL);
}
