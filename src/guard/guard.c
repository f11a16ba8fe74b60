/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  The triggers that every write to a run, stage, step or work item fires.
 *
 * Each of the four tables has four kinds of trigger:
 *
 * BEFORE ROW (guard_fill.c) fills in values that follow from a change: who made it and
 * when, and when the row ended.
 *
 * AFTER ROW sees the row that was stored.  It refuses a change of status that is not in
 * the table of transitions (transition.c), notes the milestone for the log, and notes
 * the row for the
 *
 * AFTER STATEMENT trigger.  That locks the runs of all noted rows (in the order of their
 * ids, FOR NO KEY UPDATE), reads the parents with the latest snapshot, gives the verdict
 * on each row (guard_check.c), and then makes the consequences (cascade.c).  A bulk
 * update is cheap because this works on sets.  It is right because it works under the
 * lock: a child that is created while its parent ends waits here, and then sees the
 * end, also in REPEATABLE READ.
 *
 * BEFORE DELETE and BEFORE TRUNCATE: rows are deleted only together with their run, and
 * a run only once it has ended.
 *
 * An inserted row is checked against the table of neighbours only, so that pg_restore
 * and imports can load rows that were legal once.  It is no milestone, unless the
 * engine inserted it.
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
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "access/share_grant.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/transaction.h"
#include "base/uuid.h"
#include "guard/approval.h"
#include "guard/cascade.h"
#include "guard/guard.h"
#include "guard/guard_int.h"
#include "guard/open_run.h"
#include "record/principal.h"
#include "trail/failure.h"
#include "trail/history.h"
#include "trail/log.h"

/* Days for which a run may be resumed after an error (contract/lifecycle.md). */
int			orch_resume_window = 14;

/* Rows noted before they are checked: bounds what one check reads. */
#define MAX_PENDING			10000

/* Rows whose verdict is still to come; in TopTransactionContext. */
static GuardEntry *pending = NULL;
static int	npending = 0;
static int	max_pending = 0;
static int	nunchecked = 0;		/* rows noted since the last check */

/*
 * Rows that get their verdict and whose consequences are made.  In TopTransactionContext:
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

static void mark_dirty(const pg_uuid_t *run_id);
static void refuse_identity(Level level, TriggerData *trigdata, AttrNumber attnum)
			pg_attribute_noreturn();
static void check_unchanged(Level level, TriggerData *trigdata, AttrNumber attnum);
static void check_flag(Level level, TriggerData *trigdata, AttrNumber attnum);
static void check_version(TriggerData *trigdata);
static void check_identity(Level level, TriggerData *trigdata, bool trusted);
static bool is_reassigned(Level level, TriggerData *trigdata);
static bool needs_filling(Level level, HeapTuple row, TupleDesc desc, int status);
static const Transition *find_transition(Level level, TriggerData *trigdata, bool trusted,
										 int from, int to);
static void refuse_transition(Level level, TriggerData *trigdata, int from, int to)
			pg_attribute_noreturn();
static void check_resume(TriggerData *trigdata);
static void log_transition(Level level, const Transition *transition,
						   HeapTuple tuple, TupleDesc desc);
static void note_entry(Level level, TriggerData *trigdata, int from, int to, bool fill);
static void add_pending(const GuardEntry *entry);
static int	pending_depth(const pg_uuid_t *run_id);
static void flush(bool statement_ended);

/* ------------------------------------------------------------- AFTER ROW */

/*
 * A row of a run was written.  If the engine is moving the run and did not write the
 * row itself, it has to read the run again.
 */
static void
mark_dirty(const pg_uuid_t *run_id)
{
	Frame	   *moving = orch_frame_engine(run_id);
	Frame	   *frame;
	bool		by_engine = orch_guard_in_scope(SCOPE_TRUSTED) || orch_guard_in_scope(SCOPE_ENGINE);

	if (likely(moving == NULL))
		return;
	/* what a call or an action in between writes is not written by that engine */
	for (frame = orch_frame_top(); frame != moving; frame = frame->outer)
		by_engine &= frame->kind == FRAME_ENGINE;
	if (!by_engine)
		moving->dirty = true;
}

PG_FUNCTION_INFO_V1(orchestration_guard_row);

/*
 * orchestration_internal.guard_row() returns trigger
 *
 * AFTER INSERT OR UPDATE ROW of run, stage_run, step_run, work_item: the verdict on the
 * change itself.  Returns null.
 * Raises: OR001 for an illegal change of status (contract/transitions.csv), OR004 when
 * a failed run cannot be resumed (contract/lifecycle.md, "Recoverable errors"), OR005
 * for a change of a key or of modified_at, OR101 to OR103 for lookups that name nothing,
 * 42501 for a change that the caller may not make, 39P01 when not called as that trigger.
 * Source: contract/transitions.csv, contract/lifecycle.md.
 */
Datum
orchestration_guard_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Level		level = orch_guard_trigger_level(fcinfo, "guard_row",
												 TRIGGER_EVENT_AFTER, true);
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	old = update ? trigdata->tg_trigtuple : NULL;
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	bool		trusted = orch_guard_in_scope(SCOPE_TRUSTED);
	int			from = update ? orch_guard_row_status(level, old, desc) : STATUS_NEW;
	int			to = orch_guard_row_status(level, row, desc);
	const Transition *transition;
	bool		fill = false;

	mark_dirty(orch_guard_row_uuid(row, desc, col->run_id));
	if (level == LEVEL_RUN)
		orch_open_run_note(old, row, desc);
	/* levels and shared objects are in the same order */
	if (update && !trusted)
		orch_access_check_update((SharedObject) level, trigdata->tg_relation, old, row);
	if (!trusted)
		orch_guard_check_references(level, trigdata);
	orch_history_note(level, old, row, desc, trusted,
					  !update && orch_guard_is_loading(RelationGetRelid(trigdata->tg_relation)));
	if (update)
	{
		check_identity(level, trigdata, trusted);
		if ((level == LEVEL_STAGE || level == LEVEL_STEP) && !trusted)
		{
			orch_guard_check_stamp(level, trigdata);
			fill = needs_filling(level, row, desc, to);
		}
		if (from == to && !fill && !is_reassigned(level, trigdata))
			return PointerGetDatum(NULL);
	}

	transition = find_transition(level, trigdata, trusted, from, to);
	if (transition != NULL && transition->log_kind != LOG_NONE)
		log_transition(level, transition, row, desc);
	if (from != to)
		orch_guard_disturb();
	if (!trusted)
		note_entry(level, trigdata, from, to, fill);
	else if (level != LEVEL_RUN && orch_guard_is_disturbed())
	{
		/* what the engine wrote was right before users' triggers wrote */
		orch_guard_check_now(level, orch_guard_row_uuid(row, desc, col->run_id),
							 orch_guard_row_uuid(row, desc, col->id));
	}
	return PointerGetDatum(NULL);
}

static void
refuse_identity(Level level, TriggerData *trigdata, AttrNumber attnum)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	ereport(ERROR,
			(errcode(ERRCODE_ORCH_IMMUTABLE),
			 errmsg("column \"%s\" of %s cannot be changed",
					NameStr(TupleDescAttr(desc, attnum - 1)->attname),
					orch_guard_row_label(level, trigdata->tg_trigtuple, desc)),
			 errdetail("A row keeps its identity and its parent."),
			 errtablecol(trigdata->tg_relation, attnum)));
}

static void
check_unchanged(Level level, TriggerData *trigdata, AttrNumber attnum)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	pg_uuid_t  *was = orch_guard_row_uuid(trigdata->tg_trigtuple, desc, attnum);
	pg_uuid_t  *is = orch_guard_row_uuid(trigdata->tg_newtuple, desc, attnum);

	if ((was == NULL) != (is == NULL) || (was != NULL && !orch_uuid_equal(was, is)))
		refuse_identity(level, trigdata, attnum);
}

/* The same for a boolean. */
static void
check_flag(Level level, TriggerData *trigdata, AttrNumber attnum)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		isnull;

	if (DatumGetBool(heap_getattr(trigdata->tg_trigtuple, attnum, desc, &isnull)) !=
		DatumGetBool(heap_getattr(trigdata->tg_newtuple, attnum, desc, &isnull)))
		refuse_identity(level, trigdata, attnum);
}

/*
 * A run keeps its version, unless the statement is the migration to exactly the new one: a
 * user's BEFORE trigger may have set another.
 */
static void
check_version(TriggerData *trigdata)
{
	const pg_uuid_t *version = orch_guard_new_version();
	pg_uuid_t  *is = orch_guard_row_uuid(trigdata->tg_newtuple,
										 RelationGetDescr(trigdata->tg_relation),
										 Anum_run_version_id);

	if (version == NULL || is == NULL || !orch_uuid_equal(version, is))
		check_unchanged(LEVEL_RUN, trigdata, Anum_run_version_id);
}

/*
 * A row keeps its identity, its parent and what it is a part of.  Manual shares end with
 * a new owner.
 */
static void
check_identity(Level level, TriggerData *trigdata, bool trusted)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = trigdata->tg_newtuple;

	check_unchanged(level, trigdata, col->id);
	check_unchanged(level, trigdata, col->run_id);
	if (col->parent_id != 0)
		check_unchanged(level, trigdata, col->parent_id);
	if (level == LEVEL_RUN)
	{
		check_version(trigdata);
		check_flag(level, trigdata, Anum_run_is_approval);
	}
	if (level == LEVEL_WORK_ITEM)
	{
		check_unchanged(level, trigdata, Anum_work_item_parent_id);
		check_flag(level, trigdata, Anum_work_item_is_approval);
		check_flag(level, trigdata, Anum_work_item_is_parent);
	}
	if (trusted)
		return;
	check_unchanged(level, trigdata, col->orchestration_id);
	if (!orch_uuid_equal(orch_guard_row_uuid(trigdata->tg_trigtuple, desc, col->owner_id),
						 orch_guard_row_uuid(row, desc, col->owner_id)))
		orch_share_grant_owner_changed(orch_guard_row_uuid(row, desc, col->run_id),
									   orch_guard_row_uuid(row, desc, col->id));
}

static bool
is_reassigned(Level level, TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	return level == LEVEL_WORK_ITEM &&
		!orch_uuid_equal(orch_guard_row_uuid(trigdata->tg_trigtuple, desc,
											 Anum_work_item_assignee_id),
						 orch_guard_row_uuid(trigdata->tg_newtuple, desc,
											 Anum_work_item_assignee_id));
}

/*
 * Did the writer of a stage or step leave out values that follow from the change?
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
 * The transition that a write makes, NULL for none: inserted rows make one only if the
 * engine wrote them.  Raises OR001, OR004.
 */
static const Transition *
find_transition(Level level, TriggerData *trigdata, bool trusted, int from, int to)
{
	const Transition *transition;

	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return trusted ? orch_transition_find(level, from, to) : NULL;
	if (from == to && level != LEVEL_WORK_ITEM)
		return NULL;
	transition = orch_transition_find(level, from, to);
	if (transition == NULL)
		refuse_transition(level, trigdata, from, to);
	if (level == LEVEL_RUN && from == RUN_ERROR)
		check_resume(trigdata);
	return transition;
}

static void
refuse_transition(Level level, TriggerData *trigdata, int from, int to)
{
	const char *label = orch_guard_row_label(level, trigdata->tg_newtuple,
											 RelationGetDescr(trigdata->tg_relation));
	const char *from_name = orch_transition_status_name(level, from);
	char	   *targets = orch_transition_targets(level, from);

	ereport(ERROR,
			(errcode(ERRCODE_ORCH_ILLEGAL_STATUS_CHANGE),
			 from == to ?
			 errmsg("%s is %s and cannot be reassigned", label, from_name) :
			 errmsg("%s cannot change from %s to %s", label, from_name,
					orch_transition_status_name(level, to)),
			 targets[0] == '\0' ?
			 errdetail("%s is final.", from_name) :
			 errdetail("From %s it can change to: %s.", from_name, targets),
			 errtablecol(trigdata->tg_relation, orch_guard_columns[level].status)));
}

/*
 * A run in Error can be resumed if its error is recoverable and recent.
 */
static void
check_resume(TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	old = trigdata->tg_trigtuple;
	bool		isnull;
	bool		is_approval_null;
	Datum		recoverable = heap_getattr(old, Anum_run_error_recoverable,
										   desc, &isnull);
	Datum		ended_at;

	if (!orch_resume_approvals &&
		DatumGetBool(heap_getattr(old, Anum_run_is_approval, desc, &is_approval_null)))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_NOT_RECOVERABLE),
				 errmsg("%s cannot be resumed: it is an approval",
						orch_guard_row_label(LEVEL_RUN, old, desc)),
				 errdetail("A failed approval cannot be resumed unless orchestration.resume_approvals is on."),
				 errhint("Submit the record again, or set orchestration.resume_approvals."),
				 errtablecol(trigdata->tg_relation, Anum_run_is_approval)));
	if (isnull || !DatumGetBool(recoverable))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_NOT_RECOVERABLE),
				 errmsg("%s cannot be resumed: its error is not recoverable",
						orch_guard_row_label(LEVEL_RUN, old, desc)),
				 errdetail("A run can be resumed after a failed action or an assignee that was empty, unknown or inactive, but not after a condition, decision or input that cannot be computed, nor after the action of a MuleSoft step."),
				 errhint("Start the orchestration again."),
				 errtablecol(trigdata->tg_relation, Anum_run_error_recoverable)));
	ended_at = heap_getattr(old, Anum_run_ended_at, desc, &isnull);
	if (!isnull &&
		GetCurrentTransactionStartTimestamp() - DatumGetTimestampTz(ended_at) >=
		orch_resume_window * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_NOT_RECOVERABLE),
				 errmsg("%s cannot be resumed: it failed more than %d days ago",
						orch_guard_row_label(LEVEL_RUN, old, desc), orch_resume_window),
				 errhint("Start the orchestration again."),
				 errtablecol(trigdata->tg_relation, Anum_run_ended_at)));
}

/*
 * Say in a log entry why a run, stage or step failed.
 */
static void
describe_failure(Level level, LogEntry *entry, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		error = heap_getattr(tuple, orch_guard_columns[level].error, desc, &isnull);

	orch_failure_describe(entry, isnull ? NULL : DatumGetJsonbP(error),
						  orch_guard_row_text(tuple, desc,
											  level == LEVEL_RUN ? Anum_run_current_stage :
											  orch_guard_columns[level].name));
}

/*
 * Note the transition as a milestone in the log.
 */
static void
log_transition(Level level, const Transition *transition, HeapTuple tuple,
			   TupleDesc desc)
{
	const LevelColumns *col = &orch_guard_columns[level];
	LogEntry	entry;
	Datum		value;
	bool		isnull;

	orch_log_entry_init(&entry, (LogKind) transition->log_kind,
				  orch_guard_row_uuid(tuple, desc, col->run_id));

	if (orch_guard_is_ended(level, transition->to))
	{
		TimestampTz ended_at;

		value = heap_getattr(tuple, col->ended_at, desc, &isnull);
		ended_at = isnull ? entry.logged_at : DatumGetTimestampTz(value);

		/*
		 * A time set by hand may lie far back, where get_updated() would miss the
		 * entry, or in the future; the entry is written now.
		 */
		entry.logged_at = Min(Max(ended_at, orch_stamp()), entry.logged_at);
		value = heap_getattr(tuple, col->created_at, desc, &isnull);
		if (!isnull)
			entry.duration = (int) Min(Max((ended_at - DatumGetTimestampTz(value)) / USECS_PER_SEC, 0),
									   PG_INT32_MAX);
	}
	if (transition->by == BY_USER && OidIsValid(orch_frame_actor()))
		entry.actor = orch_principal_actor(orch_frame_actor());

	switch (level)
	{
		case LEVEL_RUN:
			if (transition->from == STATUS_NEW)
				entry.actor = orch_guard_scope_says(SCOPE_STARTER);
			break;
		case LEVEL_STAGE:
			entry.stage_run_id = *orch_guard_row_uuid(tuple, desc, col->id);
			entry.has_stage_run = true;
			break;
		case LEVEL_STEP:
			entry.step_run_id = *orch_guard_row_uuid(tuple, desc, col->id);
			entry.has_step_run = true;
			if (transition->to == STEP_COMPLETED || transition->to == STEP_ERROR)
			{
				char	   *ran_as = orch_guard_scope_says(SCOPE_ACTOR);

				if (ran_as != NULL)
					entry.actor = ran_as;
			}
			break;
		case LEVEL_WORK_ITEM:
			entry.work_item_id = *orch_guard_row_uuid(tuple, desc, col->id);
			entry.has_work_item = true;
			entry.step_run_id = *orch_guard_row_uuid(tuple, desc, col->parent_id);
			entry.has_step_run = true;
			entry.assignee_id = *orch_guard_row_uuid(tuple, desc, Anum_work_item_assignee_id);
			entry.has_assignee = true;
			if (transition->to == WORK_ITEM_COMPLETED)
				entry.actor = orch_guard_row_text(tuple, desc, Anum_work_item_completed_by);
			break;
		default:
			break;
	}
	if (entry.kind == LOG_END_WORK_ITEM || entry.kind == LOG_END_STEP ||
		entry.kind == LOG_CANCEL_INSTANCE || entry.kind == LOG_REASSIGN_WORK_ITEM)
		entry.comments = orch_guard_scope_says(SCOPE_COMMENTS);
	else if (entry.kind == LOG_FAIL_INSTANCE || entry.kind == LOG_FAIL_STAGE ||
			 entry.kind == LOG_FAIL_STEP)
		describe_failure(level, &entry, tuple, desc);
	orch_log_append(&entry);
}

/*
 * Note a row for the verdict at the end of its statement.  Above MAX_PENDING the rows
 * are checked at once, to bound memory.
 */
static void
note_entry(Level level, TriggerData *trigdata, int from, int to, bool fill)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	GuardEntry	entry;
	bool		isnull;

	memset(&entry, 0, sizeof(entry));
	entry.level = level;
	entry.from = from;
	entry.to = to;
	entry.fill = fill;
	if (fill)
		entry.tid = trigdata->tg_newslot->tts_tid;
	entry.run_id = *orch_guard_row_uuid(row, desc, col->run_id);
	entry.id = *orch_guard_row_uuid(row, desc, col->id);
	if (col->parent_id != 0)
		entry.parent_id = *orch_guard_row_uuid(row, desc, col->parent_id);
	if (!update && level != LEVEL_RUN)
	{
		pg_uuid_t  *orchestration = orch_guard_row_uuid(row, desc, col->orchestration_id);

		entry.has_orchestration = orchestration != NULL;
		if (orchestration != NULL)
			entry.orchestration_id = *orchestration;
	}
	if (level == LEVEL_STEP)
		entry.step_type =
			orch_catalog_label_value(ENUM_STEP_TYPE,
									 DatumGetObjectId(heap_getattr(row, Anum_step_run_step_type,
																   desc, &isnull)));
	entry.depth = orch_guard_depth();
	entry.by_engine = orch_guard_in_scope(SCOPE_ENGINE);
	add_pending(&entry);
	if (++nunchecked >= MAX_PENDING)
		flush(false);
}

static void
add_pending(const GuardEntry *entry)
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

/* ------------------------------------------------------- AFTER STATEMENT */

/*
 * The depth of the triggers of the statement that wrote rows of a run which wait for
 * their verdict; -1: there are none.
 */
static int
pending_depth(const pg_uuid_t *run_id)
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

bool
orch_guard_defers(const pg_uuid_t *run_id)
{
	int			depth = pending_depth(run_id);

	if (likely(depth < 0))
		return false;
	orch_cascade_wait(run_id, false, depth);
	return true;
}

PG_FUNCTION_INFO_V1(orchestration_guard_statement);

/*
 * orchestration_internal.guard_statement() returns trigger
 *
 * AFTER INSERT OR UPDATE STATEMENT of run, stage_run, step_run, work_item: the verdict
 * on the written rows beside their parents, then the consequences.  Returns null.
 * Raises: OR002 for illegal neighbours (contract/neighbours.csv), OR003 for a second
 * open stage (contract/lifecycle.md, "Structure"), 23505 for two stages at one position,
 * OR101 when the run does not exist, 39P01 when not called as that trigger, and
 * whatever the consequences raise.
 * Source: contract/neighbours.csv, contract/lifecycle.md.
 */
Datum
orchestration_guard_statement(PG_FUNCTION_ARGS)
{
	(void) orch_guard_trigger_level(fcinfo, "guard_statement", TRIGGER_EVENT_AFTER,
									false);
	if (!orch_guard_in_scope(SCOPE_TRUSTED))
		flush(true);
	return PointerGetDatum(NULL);
}

/*
 * Check the noted rows of this statement, and make their consequences.  Rows that a
 * statement further out noted wait for its end: they may belong to an outer
 * subtransaction, which must not lose its verdict when this one is rolled back.
 *
 * statement_ended false: too many rows are unchecked.  They are checked at once, but
 * their consequences wait until the statement has ended, and so does the engine.
 * Otherwise a step could stand beside a stage that another row of the same statement
 * lets fail.
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
		/* the consequences may note rows of their own */
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
		orch_spi_connect();
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

/* ------------------------------------------------------ DELETE, TRUNCATE */

PG_FUNCTION_INFO_V1(orchestration_guard_delete);

/*
 * orchestration_internal.guard_delete() returns trigger
 *
 * BEFORE DELETE ROW of run, stage_run, step_run, work_item: a run can be deleted once it
 * has ended, other rows only together with their run.  Returns the row.
 * Raises: OR005 otherwise, 39P01 when not called as that trigger.
 * Source: ours.
 */
Datum
orchestration_guard_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Level		level = orch_guard_trigger_level(fcinfo, "guard_delete",
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
							orch_guard_row_label(level, row, desc),
							orch_transition_status_name(level, status)),
					 errhint("Cancel it first."),
					 errtablecol(trigdata->tg_relation, Anum_run_status)));
		if (orch_log_is_gathered() || orch_history_is_gathered())
			orch_log_run_deleted(orch_guard_row_uuid(row, desc, Anum_run_id));
		return PointerGetDatum(row);
	}

	orch_system_connect(&saved);
	value = UUIDPGetDatum(orch_guard_row_uuid(row, desc, orch_guard_columns[level].run_id));
	orch_plan_execute_latest(&plan_run_exists, &value, NULL, 1);
	exists = SPI_processed > 0;
	orch_system_finish(&saved);
	if (exists)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("%s cannot be deleted", orch_guard_row_label(level, row, desc)),
				 errdetail("It is deleted with its run."),
				 errhint("Delete the run."),
				 errtable(trigdata->tg_relation)));
	return PointerGetDatum(row);
}

PG_FUNCTION_INFO_V1(orchestration_guard_keep);

/*
 * orchestration_internal.guard_keep() returns trigger
 *
 * BEFORE DELETE ROW and BEFORE TRUNCATE of tables to whose rows other tables refer
 * without a foreign key.  Returns nothing: it always raises.
 * Raises: OR005, 39P01 when not called as a trigger.
 * Source: ours.
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
			 errhint("Set is_active to false instead.") : 0,
			 errtable(trigdata->tg_relation)));
}

/*
 * The transaction ended: its memory is gone.
 */
static void
at_xact_end(bool committed)
{
	pending = NULL;
	npending = max_pending = nunchecked = 0;
	judged = NULL;
	orch_guard_scope_forget(0);
}

/*
 * A subtransaction ended: its rows become the parent's, or vanish.
 */
static void
at_subxact_end(int level, bool committed)
{
	int			i;

	if (!committed)
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

static const TransactionModule module = {
	.name = "guard",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_guard_init(void)
{
	orch_transaction_register(&module);
}
