/*-------------------------------------------------------------------------
 *
 * guard_fill.c
 *	  The BEFORE ROW trigger guard_fill(): values that follow from a change.
 *
 * It fills in values and makes no decision, because a user's BEFORE trigger may still
 * change the row; it refuses only a value that it would replace.  Updates fire it on run
 * and work_item only: with a BEFORE trigger an update locks the row first, in a WAL record
 * of its own, and most rows of a run are stages and steps.  guard_fill_statement.c fills in
 * those.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard_fill.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/frame.h"
#include "base/stamp.h"
#include "base/uuid.h"
#include "guard/guard_int.h"
#include "record/principal.h"

/* The columns that the trigger sets. */
typedef struct FilledColumns
{
	int			n;
	int			attnums[8];
	Datum		values[8];
	bool		nulls[8];
} FilledColumns;

static void set_column(FilledColumns *filled, AttrNumber attnum, Datum value);
static void set_null(FilledColumns *filled, AttrNumber attnum);
static void set_item_owner(FilledColumns *filled, const pg_uuid_t *assignee_id);
static void fill_references(FilledColumns *filled, Level level, TriggerData *trigdata);
static void fill_owner(FilledColumns *filled, TriggerData *trigdata);
static void fill_update(FilledColumns *filled, Level level, TriggerData *trigdata);

static void
set_column(FilledColumns *filled, AttrNumber attnum, Datum value)
{
	filled->attnums[filled->n] = attnum;
	filled->nulls[filled->n] = false;
	filled->values[filled->n++] = value;
}

static void
set_null(FilledColumns *filled, AttrNumber attnum)
{
	filled->attnums[filled->n] = attnum;
	filled->nulls[filled->n] = true;
	filled->values[filled->n++] = (Datum) 0;
}

static void
set_item_owner(FilledColumns *filled, const pg_uuid_t *assignee_id)
{
	pg_uuid_t  *owner = palloc(sizeof(pg_uuid_t));

	*owner = orch_principal_item_owner(assignee_id);
	set_column(filled, Anum_work_item_owner_id, UUIDPGetDatum(owner));
}

PG_FUNCTION_INFO_V1(orchestration_guard_fill);

/*
 * orchestration_internal.guard_fill() returns trigger
 *
 * BEFORE INSERT OR UPDATE ROW of run and work_item, BEFORE INSERT ROW of stage_run and
 * step_run.  Updates: fills in modified_at, modified_by and the time at which the row
 * ended, and the owner of a work item with a new assignee.  Inserts: the orchestration,
 * and the owner of a work item.  Both: the record type of a lookup.  Returns the row.
 * Raises: OR101 when no registered record type has the record of a lookup, OR005 for a
 * time of modification, 39P01 when not called as that trigger.
 * Source: ours.
 */
Datum
orchestration_guard_fill(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Level		level = orch_guard_trigger_level(fcinfo, "guard_fill",
												 TRIGGER_EVENT_BEFORE, true);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	FilledColumns filled;

	filled.n = 0;
	if (!orch_guard_is_loading(RelationGetRelid(trigdata->tg_relation)))
		fill_references(&filled, level, trigdata);
	if (update)
		fill_update(&filled, level, trigdata);
	else if (level == LEVEL_WORK_ITEM)
		fill_owner(&filled, trigdata);
	if (filled.n > 0)
		row = heap_modify_tuple_by_cols(row, RelationGetDescr(trigdata->tg_relation),
										filled.n, filled.attnums, filled.values,
										filled.nulls);
	return PointerGetDatum(row);
}

/*
 * The record type of a lookup that has a key only, the id of the record as lookups hold it,
 * and the orchestration of a new row.
 */
static void
fill_references(FilledColumns *filled, Level level, TriggerData *trigdata)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;

	if (col->record_id != 0 && !orch_guard_in_scope(SCOPE_TRUSTED))
	{
		char	   *key = orch_guard_row_text(row, desc, col->record_id);
		char	   *type = orch_guard_row_text(row, desc, col->record_type);
		char	   *id = NULL;

		if (key != NULL && type == NULL)
		{
			type = orch_guard_record_type(key, &id);
			if (type == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
						 errmsg("%s cannot be about record \"%s\": no registered record type has it",
								orch_guard_row_label(level, row, desc), key)));
			set_column(filled, col->record_type, CStringGetTextDatum(type));
		}
		else if (key != NULL && !orch_guard_names_same_record(level, trigdata))
			id = orch_guard_record_id(type, key);
		if (id != NULL && strcmp(id, key) != 0)
			set_column(filled, col->record_id, CStringGetTextDatum(id));
	}
	if (!update && heap_attisnull(row, col->orchestration_id, desc))
	{
		pg_uuid_t  *orchestration = orch_guard_orchestration(level, row, desc);

		if (orchestration != NULL)
			set_column(filled, col->orchestration_id, UUIDPGetDatum(orchestration));
	}
}

/*
 * The owner of a new work item whose writer does not say it.
 */
static void
fill_owner(FilledColumns *filled, TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	pg_uuid_t  *assignee = orch_guard_row_uuid(trigdata->tg_trigtuple, desc,
											   Anum_work_item_assignee_id);

	if (assignee != NULL && heap_attisnull(trigdata->tg_trigtuple, Anum_work_item_owner_id, desc))
		set_item_owner(filled, assignee);
}

/*
 * An update may leave modified_at as it is, or write the stamp; another value would be
 * replaced without a word.
 */
void
orch_guard_check_stamp(Level level, TriggerData *trigdata)
{
	AttrNumber	attnum = orch_guard_columns[level].modified_at;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		isnull;
	TimestampTz was = DatumGetTimestampTz(heap_getattr(trigdata->tg_trigtuple, attnum, desc,
													   &isnull));
	Datum		is = heap_getattr(trigdata->tg_newtuple, attnum, desc, &isnull);

	if (!isnull && (DatumGetTimestampTz(is) == was ||
					DatumGetTimestampTz(is) == orch_stamp()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_IMMUTABLE),
			 errmsg("column \"%s\" of %s cannot be set",
					NameStr(TupleDescAttr(desc, attnum - 1)->attname),
					orch_guard_row_label(level, trigdata->tg_trigtuple, desc)),
			 errdetail("It is the time of the first write of the transaction that changed the row last."),
			 errhint("Leave the column out."),
			 errtablecol(trigdata->tg_relation, attnum)));
}

/*
 * Who changed the row and when, and what follows from a new status or assignee.
 */
static void
fill_update(FilledColumns *filled, Level level, TriggerData *trigdata)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	old = trigdata->tg_trigtuple;
	HeapTuple	new = trigdata->tg_newtuple;
	int			old_status = orch_guard_row_status(level, old, desc);
	int			status = orch_guard_row_status(level, new, desc);
	Oid			actor = orch_frame_actor();
	const Principal *principal = OidIsValid(actor) ? orch_principal_acting(actor) : NULL;

	if (!orch_guard_in_scope(SCOPE_TRUSTED))
		orch_guard_check_stamp(level, trigdata);
	set_column(filled, col->modified_at, TimestampTzGetDatum(orch_stamp()));
	if (principal != NULL)
		set_column(filled, col->modified_by, UUIDPGetDatum(&principal->id));
	else
		set_null(filled, col->modified_by);

	if (status != old_status)
	{
		if (level == LEVEL_RUN && status == RUN_COMPLETED)
			set_null(filled, Anum_run_current_stage);
		if (level == LEVEL_RUN && old_status == RUN_ERROR)
		{
			set_null(filled, Anum_run_error);
			set_null(filled, Anum_run_error_recoverable);
		}
		if (orch_guard_is_ended(level, status))
			set_column(filled, col->ended_at, TimestampTzGetDatum(GetCurrentTimestamp()));
		else
			set_null(filled, col->ended_at);
	}
	if (level == LEVEL_WORK_ITEM)
	{
		pg_uuid_t  *was = orch_guard_row_uuid(old, desc, Anum_work_item_assignee_id);
		pg_uuid_t  *is = orch_guard_row_uuid(new, desc, Anum_work_item_assignee_id);

		if (was != NULL && is != NULL && !orch_uuid_equal(was, is))
		{
			set_column(filled, Anum_work_item_assigned_at,
					   TimestampTzGetDatum(GetCurrentTimestamp()));
			/* an owner that the statement sets, too, stays */
			if (orch_uuid_equal(orch_guard_row_uuid(old, desc, col->owner_id),
								orch_guard_row_uuid(new, desc, col->owner_id)))
				set_item_owner(filled, is);
			/* who reassigned a claimed item left it: a claim and a release set this themselves */
			was = orch_guard_row_uuid(old, desc, Anum_work_item_claimed_from);
			is = orch_guard_row_uuid(new, desc, Anum_work_item_claimed_from);
			if (was != NULL && is != NULL && orch_uuid_equal(was, is))
				set_null(filled, Anum_work_item_claimed_from);
		}
	}
}
