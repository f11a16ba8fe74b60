/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  The triggers that no write to a run, stage, step or work item gets past.
 *
 * Four kinds of trigger on each table:
 *
 * BEFORE ROW fills in what follows from a change (who and when, when it ended).
 * It decides nothing: a BEFORE trigger of somebody else may run after it.  Only
 * run and work_item have it: with a BEFORE trigger an update locks the row first,
 * in a WAL record of its own, and stages and steps are what a run has most of.
 * There the statements of the extension fill in themselves, and what somebody
 * else wrote is filled in at the end of the statement.
 *
 * AFTER ROW sees what was really stored.  It refuses a change of status that is
 * not in the table of transitions, notes the milestone for the log, and notes
 * the row for the
 *
 * AFTER STATEMENT trigger, which locks the runs of all noted rows (in id order,
 * FOR NO KEY UPDATE), reads the parents with the latest snapshot, gives the
 * verdict on each row, and then makes the consequences (cascade.c).  Doing this
 * set by set is what makes a bulk update cheap, and doing it after the lock is
 * what makes it right: a child created while its parent ends waits here and then
 * sees the end, also in REPEATABLE READ.
 *
 * BEFORE DELETE and BEFORE TRUNCATE keep rows from vanishing in other ways than
 * with their whole run, once it has ended.
 *
 * A row that is inserted is held against the table of neighbours only, so that
 * pg_restore and imports can load what once was legal; it is no milestone.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/share.h"
#include "definition/definition.h"
#include "guard/guard.h"
#include "guard/guard_int.h"
#include "record/principal.h"
#include "record/record.h"
#include "trail/history.h"
#include "trail/log.h"

/* Days for which a run may be resumed after an error (contract/lifecycle.md). */
int			orch_resume_window = 14;

/* Rows noted before they are checked: bounds what one check reads. */
#define MAX_PENDING			10000

const LevelColumns orch_guard_columns[LEVEL_LAST + 1] = {
	[LEVEL_RUN] = {RELATION_RUN, Anum_run_id, 0, Anum_run_id,
		Anum_run_owner_id, Anum_run_orchestration_id, Anum_run_name,
		Anum_run_status, Anum_run_created_at, Anum_run_modified_at,
		Anum_run_modified_by, Anum_run_modified_minute, Anum_run_ended_at,
	Anum_run_triggering_record_type, Anum_run_triggering_record_id},
	[LEVEL_STAGE] = {RELATION_STAGE_RUN, Anum_stage_run_run_id, 0,
		Anum_stage_run_id, Anum_stage_run_owner_id,
		Anum_stage_run_orchestration_id, Anum_stage_run_name,
		Anum_stage_run_status, Anum_stage_run_created_at,
		Anum_stage_run_modified_at, Anum_stage_run_modified_by, Anum_stage_run_modified_minute,
	Anum_stage_run_ended_at, 0, 0},
	[LEVEL_STEP] = {RELATION_STEP_RUN, Anum_step_run_run_id,
		Anum_step_run_stage_run_id, Anum_step_run_id, Anum_step_run_owner_id,
		Anum_step_run_orchestration_id, Anum_step_run_name,
		Anum_step_run_status, Anum_step_run_started_at,
		Anum_step_run_modified_at, Anum_step_run_modified_by, Anum_step_run_modified_minute,
	Anum_step_run_ended_at, 0, 0},
	[LEVEL_WORK_ITEM] = {RELATION_WORK_ITEM, Anum_work_item_run_id,
		Anum_work_item_step_run_id, Anum_work_item_id, Anum_work_item_owner_id,
		Anum_work_item_orchestration_id, Anum_work_item_name,
		Anum_work_item_status, Anum_work_item_created_at,
		Anum_work_item_modified_at, Anum_work_item_modified_by, Anum_work_item_modified_minute,
		Anum_work_item_completed_at, Anum_work_item_related_record_type,
	Anum_work_item_related_record_id}
};

/* Rows whose verdict is to come; in TopTransactionContext. */
static GuardEntry *pending = NULL;
static int	npending = 0;
static int	max_pending = 0;
static int	nunchecked = 0;		/* rows noted since the last look */

/*
 * Rows that are being judged, and whose consequences are made.  In TopTransactionContext:
 * when a subtransaction is aborted, the stack of its flush() is gone.
 */
typedef struct Judged
{
	struct Judged *outer;
	int			nest_level;
	const GuardEntry *entries;
	int			nentries;
} Judged;

static Judged *judged = NULL;

static StaticPlan plan_run_exists = {
	"SELECT 1 FROM orchestration.run WHERE id = $1",
	1, {UUIDOID}
};

static Level check_trigger_call(FunctionCallInfo fcinfo, const char *name,
								TriggerEvent timing, bool row);
static void mark_dirty(const pg_uuid_t *run_id);
static pg_uuid_t *row_uuid(HeapTuple tuple, TupleDesc desc, AttrNumber attnum);
static char *row_text(HeapTuple tuple, TupleDesc desc, AttrNumber attnum);
static char *row_label(Level level, HeapTuple tuple, TupleDesc desc);
static bool may_name_record(const char *type, const char *key);
static bool names_any_record(Oid role);
static pg_uuid_t *orchestration_of(Level level, HeapTuple row, TupleDesc desc);
static void check_unchanged(Level level, TriggerData *trigdata, AttrNumber attnum);
static void check_references(Level level, TriggerData *trigdata);
static void check_resume(TriggerData *trigdata);
static void log_transition(Level level, const Transition *transition,
						   HeapTuple tuple, TupleDesc desc);
static bool needs_filling(Level level, HeapTuple row, TupleDesc desc, int status);
static void flush(bool statement_ended);
static void note_row(const GuardEntry *entry);

/*
 * A row of a run was written: did the engine, if it is moving the run?  Else it has to
 * read the run again.
 */
static void
mark_dirty(const pg_uuid_t *run_id)
{
	Frame	   *moving = orch_frame_engine(run_id);
	Frame	   *frame;
	bool		by_engine = orch_guard_in_scope(SCOPE_TRUSTED) || orch_guard_in_scope(SCOPE_ENGINE);

	if (likely(moving == NULL))
		return;
	/* a call or an action in between is not the engine that moves it */
	for (frame = orch_frame_top(); frame != moving; frame = frame->outer)
		by_engine &= frame->kind == FRAME_ENGINE;
	if (!by_engine)
		moving->dirty = true;
}

/*
 * The questions every trigger function begins with, and the level of its table.
 */
static Level
check_trigger_call(FunctionCallInfo fcinfo, const char *name,
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

static pg_uuid_t *
row_uuid(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, desc, &isnull);

	return isnull ? NULL : DatumGetUUIDP(value);
}

int
orch_guard_row_status(Level level, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, orch_guard_columns[level].status, desc, &isnull);

	/* BEFORE triggers run ahead of NOT NULL */
	return isnull ? STATUS_NEW :
		orch_transition_status_value(level, DatumGetObjectId(value));
}

static char *
row_text(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * What a message calls a row: run OR-00000012 or step "Approve" (id).
 */
static char *
row_label(Level level, HeapTuple tuple, TupleDesc desc)
{
	char	   *name = row_text(tuple, desc, orch_guard_columns[level].name);

	if (name == NULL)
		name = "(no name)";
	if (level == LEVEL_RUN || level == LEVEL_WORK_ITEM)
		return psprintf("%s %s", orch_transition_level_name(level), name);
	return psprintf("%s \"%s\" (%s)", orch_transition_level_name(level), name,
					orch_uuid_text(row_uuid(tuple, desc, orch_guard_columns[level].id)));
}

/*
 * Does a row of this status carry the time at which it ended?
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
	}
	return false;
}

/*
 * Did the writer of a stage or step leave out what follows from his change?
 */
static bool
needs_filling(Level level, HeapTuple row, TupleDesc desc, int status)
{
	bool		isnull;
	Datum		modified_at = heap_getattr(row, orch_guard_columns[level].modified_at,
										   desc, &isnull);

	if (isnull ||
		DatumGetTimestampTz(modified_at) != orch_stamp() ||
		heap_attisnull(row, orch_guard_columns[level].ended_at, desc) == orch_guard_is_ended(level, status))
		return true;
	return level == LEVEL_STEP && status == STEP_IN_PROGRESS &&
		heap_attisnull(row, Anum_step_run_started_at, desc);
}

/*
 * Whoever names a record must be able to read it: he would learn that it exists.
 */
static bool
may_name_record(const char *type, const char *key)
{
	Oid			role = GetUserId();

	return names_any_record(role) || orch_record_readable(type, key, role);
}

/* The extension itself, and roles that row security does not limit. */
static bool
names_any_record(Oid role)
{
	return role == orch_catalog_owner() ||
		orch_access_is_unlimited(orch_access_of_role(role));
}

/*
 * The orchestration that a new row belongs to, or NULL.
 */
static pg_uuid_t *
orchestration_of(Level level, HeapTuple row, TupleDesc desc)
{
	pg_uuid_t  *id;
	pg_uuid_t  *result = palloc(sizeof(pg_uuid_t));

	if (level == LEVEL_RUN)
	{
		id = row_uuid(row, desc, Anum_run_version_id);
		if (id == NULL)
			return NULL;
		*result = orch_definition_get(id)->orchestration_id;
	}
	else
	{
		RecordAccess run;

		id = row_uuid(row, desc, orch_guard_columns[level].run_id);
		if (id == NULL || !orch_access_read(OBJECT_RUN, id, &run) ||
			!run.has_orchestration)
			return NULL;
		*result = run.orchestration_id;
	}
	return result;
}

PG_FUNCTION_INFO_V1(orchestration_guard_fill);

/*
 * orchestration.guard_fill() returns trigger
 *
 * BEFORE INSERT OR UPDATE ROW of run and work_item: fills in modified_at and
 * modified_by, when it ended, the record type of a lookup; of all four tables,
 * BEFORE INSERT, the orchestration.  Raises 39P01 when not
 * called as that trigger, OR101 when a lookup names no record.
 */
Datum
orchestration_guard_fill(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Level		level = check_trigger_call(fcinfo, "guard_fill",
										   TRIGGER_EVENT_BEFORE, true);
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	old = trigdata->tg_trigtuple;
	HeapTuple	new = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	int			attnums[8];
	Datum		values[8];
	bool		nulls[8] = {false};
	int			n = 0;
	int			status = orch_guard_row_status(level, new, desc);

	/* a lookup given by key alone gets the type that has such a record */
	if (col->record_id != 0 && !orch_guard_in_scope(SCOPE_TRUSTED) &&
		!orch_guard_is_loading(RelationGetRelid(trigdata->tg_relation)))
	{
		char	   *key = row_text(new, desc, col->record_id);
		char	   *type = row_text(new, desc, col->record_type);

		if (key != NULL && type == NULL)
		{
			type = names_any_record(GetUserId()) ? orch_record_find_type(key) :
				orch_record_find_readable(key, GetUserId());
			if (type == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
						 errmsg("%s cannot be about record \"%s\": no registered record type has it",
								row_label(level, new, desc), key)));
			attnums[n] = col->record_type;
			values[n++] = CStringGetTextDatum(type);
		}
	}

	/* what its run has; that of a run is its version's */
	if (!update && !orch_guard_is_loading(RelationGetRelid(trigdata->tg_relation)) &&
		heap_attisnull(new, col->orchestration_id, desc))
	{
		pg_uuid_t  *orchestration = orchestration_of(level, new, desc);

		if (orchestration != NULL)
		{
			attnums[n] = col->orchestration_id;
			values[n++] = UUIDPGetDatum(orchestration);
		}
	}

	if (update)
	{
		int			old_status = orch_guard_row_status(level, old, desc);
		Oid			actor = orch_frame_actor();
		const Principal *principal = OidIsValid(actor) ?
			orch_principal_acting(actor) : NULL;

		attnums[n] = col->modified_at;
		values[n++] = TimestampTzGetDatum(orch_stamp());
		attnums[n] = col->modified_by;
		nulls[n] = principal == NULL;
		values[n++] = UUIDPGetDatum(principal != NULL ? &principal->id :
									&orch_automated_process);

		if (status != old_status)
		{
			bool		ends = orch_guard_is_ended(level, status);

			if (level == LEVEL_RUN && status == RUN_COMPLETED)
			{
				attnums[n] = Anum_run_current_stage;
				nulls[n] = true;
				values[n++] = (Datum) 0;
			}
			if (level == LEVEL_RUN && old_status == RUN_ERROR)
			{
				attnums[n] = Anum_run_error;
				nulls[n] = true;
				values[n++] = (Datum) 0;
				attnums[n] = Anum_run_error_recoverable;
				nulls[n] = true;
				values[n++] = (Datum) 0;
			}
			attnums[n] = col->ended_at;
			nulls[n] = !ends;
			values[n++] = TimestampTzGetDatum(GetCurrentTimestamp());
		}
		if (level == LEVEL_WORK_ITEM)
		{
			pg_uuid_t  *was = row_uuid(old, desc, Anum_work_item_assignee_id);
			pg_uuid_t  *is = row_uuid(new, desc, Anum_work_item_assignee_id);

			if (was != NULL && is != NULL && !orch_uuid_equal(was, is))
			{
				attnums[n] = Anum_work_item_assigned_at;
				values[n++] = TimestampTzGetDatum(GetCurrentTimestamp());
			}
		}
	}

	if (n > 0)
		new = heap_modify_tuple_by_cols(new, desc, n, attnums, values, nulls);
	return PointerGetDatum(new);
}

PG_FUNCTION_INFO_V1(orchestration_guard_row);

/*
 * orchestration.guard_row() returns trigger
 *
 * AFTER INSERT OR UPDATE ROW of run, stage_run, step_run, work_item: the verdict
 * on the change itself.  Raises OR001 for an illegal change of status
 * (contract/transitions.csv), OR004 when a failed run cannot be resumed
 * (contract/lifecycle.md, "Recoverable errors"), OR005 for a change of a key,
 * OR101 to OR103 for lookups that name nothing, 39P01 when not called as that
 * trigger.
 */
Datum
orchestration_guard_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Level		level = check_trigger_call(fcinfo, "guard_row",
										   TRIGGER_EVENT_AFTER, true);
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	bool		trusted = orch_guard_in_scope(SCOPE_TRUSTED);
	int			from = STATUS_NEW;
	int			to = orch_guard_row_status(level, row, desc);
	const Transition *transition = NULL;
	GuardEntry	entry;
	bool		fill = false;
	bool		isnull;

	mark_dirty(row_uuid(row, desc, col->run_id));
	/* levels and shared objects are in the same order */
	if (update && !trusted)
		orch_access_check_update((SharedObject) level, trigdata->tg_relation,
								 trigdata->tg_trigtuple, row);
	if (!trusted)
		check_references(level, trigdata);
	orch_history_note(level, update ? trigdata->tg_trigtuple : NULL, row, desc, trusted);
	if (update)
	{
		bool		reassigned = false;

		from = orch_guard_row_status(level, trigdata->tg_trigtuple, desc);
		check_unchanged(level, trigdata, col->id);
		check_unchanged(level, trigdata, col->run_id);
		if (col->parent_id != 0)
			check_unchanged(level, trigdata, col->parent_id);
		if (level == LEVEL_RUN)
			check_unchanged(level, trigdata, Anum_run_version_id);
		if (!trusted)
		{
			check_unchanged(level, trigdata, col->orchestration_id);
			if (!orch_uuid_equal(row_uuid(trigdata->tg_trigtuple, desc, col->owner_id),
								 row_uuid(row, desc, col->owner_id)))
				orch_share_owner_changed(row_uuid(row, desc, col->run_id),
										 row_uuid(row, desc, col->id));
		}
		if (level == LEVEL_WORK_ITEM)
			reassigned = !orch_uuid_equal(row_uuid(trigdata->tg_trigtuple, desc,
												   Anum_work_item_assignee_id),
										  row_uuid(row, desc,
												   Anum_work_item_assignee_id));
		fill = (level == LEVEL_STAGE || level == LEVEL_STEP) && !trusted &&
			needs_filling(level, row, desc, to);
		if (from == to && !reassigned && !fill)
			return PointerGetDatum(NULL);
	}
	if (update && (from != to || level == LEVEL_WORK_ITEM))
	{
		transition = orch_transition_find(level, from, to);
		if (transition == NULL)
		{
			char	   *targets = orch_transition_targets(level, from);

			ereport(ERROR,
					(errcode(ERRCODE_ORCH_ILLEGAL_STATUS_CHANGE),
					 from == to ?
					 errmsg("%s is %s and cannot be reassigned",
							row_label(level, row, desc),
							orch_transition_status_name(level, from)) :
					 errmsg("%s cannot change from %s to %s",
							row_label(level, row, desc),
							orch_transition_status_name(level, from),
							orch_transition_status_name(level, to)),
					 targets[0] == '\0' ?
					 errdetail("%s is final.",
							   orch_transition_status_name(level, from)) :
					 errdetail("From %s it can change to: %s.",
							   orch_transition_status_name(level, from),
							   targets),
					 errtablecol(trigdata->tg_relation, col->status)));
		}
		if (level == LEVEL_RUN && from == RUN_ERROR)
			check_resume(trigdata);
	}
	else if (!update && trusted)
		transition = orch_transition_find(level, from, to);

	if (transition != NULL && transition->log_kind != LOG_NONE)
		log_transition(level, transition, row, desc);
	if (from != to)
		orch_guard_disturb();
	if (trusted)
	{
		/* the engine wrote what was right before they did */
		if (orch_guard_is_disturbed() && level != LEVEL_RUN)
			orch_guard_check_now(level, row_uuid(row, desc, col->run_id),
								 row_uuid(row, desc, col->id));
		return PointerGetDatum(NULL);
	}

	memset(&entry, 0, sizeof(entry));
	entry.level = level;
	entry.from = from;
	entry.to = to;
	entry.fill = fill;
	if (fill)
		entry.tid = trigdata->tg_newslot->tts_tid;
	entry.run_id = *row_uuid(row, desc, col->run_id);
	entry.id = *row_uuid(row, desc, col->id);
	if (col->parent_id != 0)
		entry.parent_id = *row_uuid(row, desc, col->parent_id);
	if (!update && level != LEVEL_RUN)
	{
		pg_uuid_t  *orchestration = row_uuid(row, desc, col->orchestration_id);

		entry.has_orchestration = orchestration != NULL;
		if (orchestration != NULL)
			entry.orchestration_id = *orchestration;
	}
	if (level == LEVEL_STEP)
		entry.step_type = orch_catalog_label_value(ENUM_STEP_TYPE,
												   DatumGetObjectId(heap_getattr(row, Anum_step_run_step_type,
																				 desc, &isnull)));
	entry.depth = orch_guard_depth();
	entry.by_engine = orch_guard_in_scope(SCOPE_ENGINE);
	note_row(&entry);
	if (++nunchecked >= MAX_PENDING)
		flush(false);
	return PointerGetDatum(NULL);
}

static void
check_unchanged(Level level, TriggerData *trigdata, AttrNumber attnum)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	pg_uuid_t  *was = row_uuid(trigdata->tg_trigtuple, desc, attnum);
	pg_uuid_t  *is = row_uuid(trigdata->tg_newtuple, desc, attnum);

	if ((was == NULL && is == NULL) ||
		(was != NULL && is != NULL && orch_uuid_equal(was, is)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_IMMUTABLE),
			 errmsg("column \"%s\" of %s cannot be changed",
					NameStr(TupleDescAttr(desc, attnum - 1)->attname),
					row_label(level, trigdata->tg_trigtuple, desc)),
			 errdetail("A row keeps its identity and its parent."),
			 errtablecol(trigdata->tg_relation, attnum)));
}

/*
 * What a row refers to without a foreign key: owner, version, record.  While
 * COPY loads, the tables may come in any order; verify() looks afterwards.
 */
static void
check_references(Level level, TriggerData *trigdata)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	HeapTuple	old = update ? trigdata->tg_trigtuple : NULL;
	pg_uuid_t  *owner = row_uuid(row, desc, col->owner_id);
	Principal	principal;

	if (orch_guard_is_loading(RelationGetRelid(trigdata->tg_relation)))
		return;

	if (!orch_uuid_equal(owner, &orch_automated_process) &&
		(old == NULL ||
		 !orch_uuid_equal(owner, row_uuid(old, desc, col->owner_id))))
	{
		if (!orch_principal_get(owner, &principal) ||
			principal.kind != PRINCIPAL_USER || !principal.is_active)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
					 errmsg("%s cannot be owned by %s: it is no active user",
							row_label(level, row, desc), orch_uuid_text(owner)),
					 errtablecol(trigdata->tg_relation, col->owner_id)));
	}

	if (level == LEVEL_RUN && old == NULL)
	{
		pg_uuid_t  *version = row_uuid(row, desc, Anum_run_version_id);

		pg_uuid_t  *orchestration = row_uuid(row, desc, Anum_run_orchestration_id);

		if (version != NULL &&
			(orchestration == NULL ||
			 !orch_uuid_equal(&orch_definition_get(version)->orchestration_id,
							  orchestration)))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_IMMUTABLE),
					 errmsg("%s must have the orchestration of its version",
							row_label(level, row, desc)),
					 errtablecol(trigdata->tg_relation, Anum_run_orchestration_id)));
	}

	if (col->record_id != 0)
	{
		char	   *key = row_text(row, desc, col->record_id);
		char	   *type = row_text(row, desc, col->record_type);
		char	   *old_key = old == NULL ? NULL : row_text(old, desc, col->record_id);
		char	   *old_type = old == NULL ? NULL : row_text(old, desc, col->record_type);

		if (key != NULL && type != NULL &&
			(old_key == NULL || old_type == NULL ||
			 strcmp(key, old_key) != 0 || strcmp(type, old_type) != 0))
		{
			if (!may_name_record(type, key))
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
						 errmsg("record \"%s\" of type \"%s\" does not exist", key, type)));
			orch_record_lock(type, key, false);
		}
	}
}

/*
 * A run in Error may be resumed when its error is recoverable and recent.
 */
static void
check_resume(TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	old = trigdata->tg_trigtuple;
	bool		isnull;
	Datum		recoverable = heap_getattr(old, Anum_run_error_recoverable,
										   desc, &isnull);
	Datum		ended_at;

	if (isnull || !DatumGetBool(recoverable))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_NOT_RECOVERABLE),
				 errmsg("%s cannot be resumed: its error is not recoverable",
						row_label(LEVEL_RUN, old, desc)),
				 errdetail("Recoverable are a failed action and an inactive assignee; not a condition, decision or input that cannot be computed, nor an assignee that names nobody."),
				 errhint("Start the orchestration again.")));
	ended_at = heap_getattr(old, Anum_run_ended_at, desc, &isnull);
	if (!isnull &&
		GetCurrentTransactionStartTimestamp() - DatumGetTimestampTz(ended_at) >=
		orch_resume_window * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_NOT_RECOVERABLE),
				 errmsg("%s cannot be resumed: it failed more than %d days ago",
						row_label(LEVEL_RUN, old, desc), orch_resume_window),
				 errhint("Start the orchestration again.")));
}

/*
 * Note the milestone that a transition is.
 */
static void
log_transition(Level level, const Transition *transition, HeapTuple tuple,
			   TupleDesc desc)
{
	const LevelColumns *col = &orch_guard_columns[level];
	LogEntry	entry;
	Datum		value;
	bool		isnull;

	orch_log_init(&entry, (LogKind) transition->log_kind,
				  row_uuid(tuple, desc, col->run_id));

	if (orch_guard_is_ended(level, transition->to))
	{
		TimestampTz ended_at;

		value = heap_getattr(tuple, col->ended_at, desc, &isnull);
		ended_at = isnull ? entry.logged_at : DatumGetTimestampTz(value);

		/*
		 * A time set by hand may be of long ago, and get_updated() would miss it;
		 * or it is still to come, and the entry is written now.
		 */
		entry.logged_at = Min(Max(ended_at, orch_stamp()), entry.logged_at);
		value = heap_getattr(tuple, col->created_at, desc, &isnull);
		if (!isnull)
			entry.duration = (int) Min(Max((ended_at - DatumGetTimestampTz(value)) / USECS_PER_SEC, 0),
									   PG_INT32_MAX);
	}
	if (transition->by == BY_USER && OidIsValid(orch_frame_actor()))
		entry.actor = orch_principal_role_label(orch_frame_actor());

	switch (level)
	{
		case LEVEL_RUN:
			if (transition->from == STATUS_NEW)
				entry.actor = orch_guard_scope_says(SCOPE_STARTER);
			break;
		case LEVEL_STAGE:
			entry.stage_run_id = *row_uuid(tuple, desc, col->id);
			entry.has_stage_run = true;
			break;
		case LEVEL_STEP:
			entry.step_run_id = *row_uuid(tuple, desc, col->id);
			entry.has_step_run = true;
			break;
		case LEVEL_WORK_ITEM:
			entry.work_item_id = *row_uuid(tuple, desc, col->id);
			entry.has_work_item = true;
			entry.step_run_id = *row_uuid(tuple, desc, col->parent_id);
			entry.has_step_run = true;
			entry.assignee_id = *row_uuid(tuple, desc, Anum_work_item_assignee_id);
			entry.has_assignee = true;
			if (transition->to == WORK_ITEM_COMPLETED)
				entry.actor = row_text(tuple, desc, Anum_work_item_completed_by);
			break;
	}
	if (entry.kind == LOG_END_WORK_ITEM || entry.kind == LOG_END_STEP)
		entry.comments = orch_guard_scope_says(SCOPE_COMMENTS);
	orch_log_append(&entry);
}

static void
note_row(const GuardEntry *entry)
{
	if (npending >= max_pending)
	{
		int			size = max_pending == 0 ? 16 : max_pending * 2;

		pending = pending == NULL ?
			MemoryContextAlloc(TopTransactionContext, size * sizeof(GuardEntry)) :
			repalloc_huge(pending, size * sizeof(GuardEntry));
		max_pending = size;
	}
	pending[npending] = *entry;
	pending[npending].nest_level = GetCurrentTransactionNestLevel();
	npending++;
}

int
orch_guard_pending_depth(const pg_uuid_t *run_id)
{
	Judged	   *set;
	int			i;

	for (set = judged; set != NULL; set = set->outer)
		for (i = 0; i < set->nentries; i++)
			if (orch_uuid_equal(&set->entries[i].run_id, run_id))
				return set->entries[i].depth;
	for (i = 0; i < npending; i++)
		if (orch_uuid_equal(&pending[i].run_id, run_id))
			return pending[i].depth;
	return -1;
}

PG_FUNCTION_INFO_V1(orchestration_guard_statement);

/*
 * orchestration.guard_statement() returns trigger
 *
 * AFTER INSERT OR UPDATE STATEMENT of run, stage_run, step_run, work_item: the
 * verdict on the written rows beside their parents, then the consequences.
 * Raises OR002 for neighbours that must not be (contract/neighbours.csv), OR003
 * for a second open stage (contract/lifecycle.md, "Structure"), 23505 for two
 * stages at one position, OR101 when the
 * run is not there, 39P01 when not called as that trigger, and whatever the
 * consequences raise.
 */
Datum
orchestration_guard_statement(PG_FUNCTION_ARGS)
{
	(void) check_trigger_call(fcinfo, "guard_statement", TRIGGER_EVENT_AFTER,
							  false);
	if (!orch_guard_in_scope(SCOPE_TRUSTED))
		flush(true);
	return PointerGetDatum(NULL);
}

/*
 * Look at the noted rows of this statement.  Rows that a statement further out noted
 * wait for its end; they may belong to an outer subtransaction, which must not lose
 * its verdict when this one is rolled back.
 *
 * Not ended: there are many that are not checked.  They are, here and now; but the
 * consequences are made, and the engine goes on with the runs, when the statement has
 * ended.  In between a step would stand beside a stage that failed by another row.
 */
static void
flush(bool statement_ended)
{
	int			level = GetCurrentTransactionNestLevel();
	int			depth = orch_guard_depth();
	GuardEntry *entries;
	Judged	   *set;
	int			first = npending;
	int			unchecked;
	int			nentries;
	int			i;
	SystemContext saved;
	Oid			writer = orch_frame_actor();

	while (first > 0 && pending[first - 1].nest_level >= level &&
		   pending[first - 1].depth >= depth)
		first--;
	nentries = npending - first;
	for (unchecked = 0; unchecked < nentries && pending[first + unchecked].checked; unchecked++)
		;
	orch_system_enter(&saved);
	if (nentries > 0)
	{
		/* what follows may note rows of its own */
		entries = MemoryContextAllocHuge(CurrentMemoryContext, nentries * sizeof(GuardEntry));
		memcpy(entries, &pending[first], nentries * sizeof(GuardEntry));
		if (statement_ended)
			npending = first;
		else
			for (i = first; i < npending; i++)
				pending[i].checked = true;
		nunchecked = 0;

		set = MemoryContextAlloc(TopTransactionContext, sizeof(Judged));
		set->outer = judged;
		set->nest_level = level;
		set->entries = entries;
		set->nentries = nentries;
		judged = set;
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		if (unchecked < nentries)
		{
			orch_guard_fill_rows(LEVEL_STAGE, writer, entries + unchecked, nentries - unchecked);
			orch_guard_fill_rows(LEVEL_STEP, writer, entries + unchecked, nentries - unchecked);
			orch_guard_check(entries + unchecked, nentries - unchecked);
		}
		if (statement_ended)
			orch_cascade(entries, nentries);
		SPI_finish();
		judged = set->outer;
		pfree(set);
		pfree(entries);
	}
	if (statement_ended)
	{
		orch_cascade_go_on(depth);
		orch_log_flush();
		orch_history_flush();
	}
	orch_system_leave(&saved);
}

PG_FUNCTION_INFO_V1(orchestration_guard_delete);

/*
 * orchestration.guard_delete() returns trigger
 *
 * BEFORE DELETE ROW of run, stage_run, step_run, work_item: a run can be deleted
 * once it has ended, everything below it only together with it.  Raises OR005
 * otherwise, 39P01 when not called as that trigger.
 */
Datum
orchestration_guard_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Level		level = check_trigger_call(fcinfo, "guard_delete",
										   TRIGGER_EVENT_BEFORE, true);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = trigdata->tg_trigtuple;
	SystemContext saved;
	Datum		value;
	bool		exists;

	if (level == LEVEL_RUN)
	{
		int			status = orch_guard_row_status(level, row, desc);

		if (status == RUN_IN_PROGRESS || status == RUN_SUSPENDED)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_IMMUTABLE),
					 errmsg("%s is %s and cannot be deleted",
							row_label(level, row, desc),
							orch_transition_status_name(level, status)),
					 errhint("Cancel it first.")));
		orch_log_run_deleted(row_uuid(row, desc, Anum_run_id));
		return PointerGetDatum(row);
	}

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	value = UUIDPGetDatum(row_uuid(row, desc, orch_guard_columns[level].run_id));
	orch_plan_execute_latest(&plan_run_exists, &value, NULL, 1);
	exists = SPI_processed > 0;
	SPI_finish();
	orch_system_leave(&saved);
	if (exists)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("%s cannot be deleted", row_label(level, row, desc)),
				 errdetail("It goes with its run."),
				 errhint("Delete the run.")));
	return PointerGetDatum(row);
}

PG_FUNCTION_INFO_V1(orchestration_guard_keep);

/*
 * orchestration.guard_keep() returns trigger
 *
 * BEFORE DELETE ROW and BEFORE TRUNCATE of tables whose rows others count on
 * without a foreign key: always raises OR005.
 */
Datum
orchestration_guard_keep(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"guard_keep")));
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_IMMUTABLE),
			 TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) ?
			 errmsg("table \"%s\" cannot be truncated",
					RelationGetRelationName(trigdata->tg_relation)) :
			 errmsg("rows of table \"%s\" cannot be deleted",
					RelationGetRelationName(trigdata->tg_relation)),
			 strcmp(RelationGetRelationName(trigdata->tg_relation), "principal") == 0 ?
			 errhint("Set is_active to false instead.") : 0));
}

/*
 * The transaction ended: its memory is gone.
 */
void
orch_guard_at_xact_end(void)
{
	pending = NULL;
	npending = max_pending = nunchecked = 0;
	judged = NULL;
	orch_guard_scope_forget(0);
	orch_cascade_at_xact_end();
}

/*
 * A subtransaction ended: its rows become the parent's, or vanish.
 */
void
orch_guard_at_subxact_end(int level, bool commit)
{
	int			i;

	orch_cascade_at_subxact_end(level, commit);
	if (!commit)
	{
		while (npending > 0 && pending[npending - 1].nest_level >= level)
			npending--;
		while (judged != NULL && judged->nest_level >= level)
			judged = judged->outer;
		orch_guard_scope_forget(level);
		return;
	}
	for (i = npending - 1; i >= 0 && pending[i].nest_level >= level; i--)
		pending[i].nest_level = level - 1;
}
