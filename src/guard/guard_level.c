/*-------------------------------------------------------------------------
 *
 * guard_level.c
 *	  The tables of the four levels as the guard sees them.
 *
 * The triggers and checks of the guard are the same for runs, stages, steps and work
 * items.  This file has what differs: where the columns are that each level has, and
 * how a row is named in messages.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard_level.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "access/access_name.h"
#include "base/errors.h"
#include "base/uuid.h"
#include "guard/guard_int.h"
#include "guard/transition.h"

const LevelColumns orch_guard_columns[LEVEL_LAST + 1] = {
	[LEVEL_RUN] = {RELATION_RUN, Anum_run_id, 0, Anum_run_id,
		Anum_run_owner_id, Anum_run_orchestration_id, Anum_run_name,
		Anum_run_status, Anum_run_created_at, Anum_run_modified_at,
		Anum_run_modified_by, Anum_run_modified_minute, Anum_run_ended_at,
		Anum_run_failed_at, Anum_run_error,
	Anum_run_triggering_record_type, Anum_run_triggering_record_id},
	[LEVEL_STAGE] = {RELATION_STAGE_RUN, Anum_stage_run_run_id, 0,
		Anum_stage_run_id, Anum_stage_run_owner_id,
		Anum_stage_run_orchestration_id, Anum_stage_run_name,
		Anum_stage_run_status, Anum_stage_run_created_at,
		Anum_stage_run_modified_at, Anum_stage_run_modified_by, Anum_stage_run_modified_minute,
		Anum_stage_run_ended_at,
	Anum_stage_run_failed_at, Anum_stage_run_error, 0, 0},
	[LEVEL_STEP] = {RELATION_STEP_RUN, Anum_step_run_run_id,
		Anum_step_run_stage_run_id, Anum_step_run_id, Anum_step_run_owner_id,
		Anum_step_run_orchestration_id, Anum_step_run_name,
		Anum_step_run_status, Anum_step_run_started_at,
		Anum_step_run_modified_at, Anum_step_run_modified_by, Anum_step_run_modified_minute,
		Anum_step_run_ended_at,
	Anum_step_run_failed_at, Anum_step_run_error, 0, 0},
	[LEVEL_WORK_ITEM] = {RELATION_WORK_ITEM, Anum_work_item_run_id,
		Anum_work_item_step_run_id, Anum_work_item_id, Anum_work_item_owner_id,
		Anum_work_item_orchestration_id, Anum_work_item_name,
		Anum_work_item_status, Anum_work_item_created_at,
		Anum_work_item_modified_at, Anum_work_item_modified_by, Anum_work_item_modified_minute,
		Anum_work_item_completed_at, 0, 0, Anum_work_item_related_record_type,
	Anum_work_item_related_record_id}
};

/*
 * The level of the table that a trigger function is called for.  Raises 39P01 unless
 * it is called as a trigger of this timing on a table of a level.
 */
Level
orch_guard_trigger_level(FunctionCallInfo fcinfo, const char *name,
						 TriggerEvent timing, bool row)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	int			level;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						name)));
	if ((trigdata->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing ||
		(TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) != 0) != row)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired %s %s", name,
						timing == TRIGGER_EVENT_BEFORE ? "BEFORE" : "AFTER",
						row ? "ROW" : "STATEMENT")));
	for (level = LEVEL_RUN; level <= LEVEL_LAST; level++)
		if (RelationGetRelid(trigdata->tg_relation) ==
			orch_catalog_relation(orch_guard_columns[level].relation))
			return (Level) level;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" is only for tables of the extension", name)));
}

/*
 * The values of a row; NULL for null.
 */
pg_uuid_t *
orch_guard_row_uuid(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, desc, &isnull);

	return isnull ? NULL : DatumGetUUIDP(value);
}

char *
orch_guard_row_text(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * STATUS_NEW for null.
 */
int
orch_guard_row_status(Level level, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, orch_guard_columns[level].status, desc, &isnull);

	/* BEFORE triggers run ahead of NOT NULL */
	return isnull ? STATUS_NEW :
		orch_transition_status_value(level, DatumGetObjectId(value));
}

/*
 * How messages name a row, which the reader of the message has written.
 */
char *
orch_guard_row_label(Level level, HeapTuple tuple, TupleDesc desc)
{
	char	   *name = orch_guard_row_text(tuple, desc, orch_guard_columns[level].name);

	if (name == NULL)
		name = "(no name)";
	if (level == LEVEL_RUN || level == LEVEL_WORK_ITEM)
		return psprintf("%s %s", orch_transition_level_name(level), name);
	/* levels and shared objects are in the same order */
	return orch_label_part((SharedObject) level, name,
						   orch_guard_row_uuid(tuple, desc, orch_guard_columns[level].id),
						   orch_guard_row_uuid(tuple, desc, orch_guard_columns[level].run_id));
}

/*
 * Does a row of this status have the time at which it ended?
 */
bool
orch_guard_is_ended(Level level, int status)
{
	switch (level)
	{
		case LEVEL_RUN:
			return status != RUN_IN_PROGRESS && status != RUN_SUSPENDED;
		case LEVEL_STAGE:
			return status != STAGE_IN_PROGRESS && status != STAGE_SUSPENDED;
		case LEVEL_STEP:
			return status != STEP_IN_PROGRESS && status != STEP_NOT_STARTED;
		case LEVEL_WORK_ITEM:
			return status == WORK_ITEM_COMPLETED;
		default:
			break;
	}
	return false;
}
