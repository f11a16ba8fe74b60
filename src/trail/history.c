/*-------------------------------------------------------------------------
 *
 * history.c
 *	  Changes of tracked fields: the History objects, and what the feed shows of
 *	  them.
 *
 * The guard's AFTER ROW trigger passes every row to orch_history_note().  If no field
 * of the object is tracked, that costs a look at a bit mask.  Changes are gathered in
 * memory as log entries are (log.c), and go to field_change together (multi_insert.c) when the
 * statement or engine call that made them ends, without SPI for each row.  Every
 * constraint of the table holds by construction: the run is locked or was written by
 * this transaction, and the texts are cut.
 *
 * The feed's tracked changes, off unless set_feed_tracking() turns them on, are
 * written by SPI: one feed item a record and transaction.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/trail/history.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/multi_insert.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/transaction.h"
#include "base/uuid.h"
#include "record/principal.h"
#include "trail/gathered.h"
#include "trail/history.h"
#include "trail/log.h"

/* reference.md, 3.2 */
#define MAX_TRACKED		20
#define MAX_VALUE		255		/* characters */

#define NOT_ENUM		(-1)

/* columns of field_change, 0-based */
#define COL_RUN_ID			0
#define COL_ID				1
#define COL_RECORD_ID		2
#define COL_OBJECT			3
#define COL_CHANGED_AT		4
#define COL_CHANGED_BY		5
#define COL_INITIATED_BY	6
#define COL_VIA_ROLE		7
#define COL_FIELD			8
#define COL_OLD_VALUE		9
#define COL_NEW_VALUE		10

/* A field that can be tracked: stored, changeable, no autonumber. */
typedef struct TrackableField
{
	const char *name;
	AttrNumber	attnum;
	int			enum_type;		/* EnumType, or NOT_ENUM */
	bool		by_default;
} TrackableField;

#define MAX_FIELDS		8

static const TrackableField fields[NUM_LEVELS][MAX_FIELDS] = {
	[LEVEL_RUN] = {
		{"Status", Anum_run_status, ENUM_RUN_STATUS, true},
		{"OwnerId", Anum_run_owner_id, NOT_ENUM, true},
		{"CurrentStage", Anum_run_current_stage, NOT_ENUM, true},
		{"TriggeringRecordId", Anum_run_triggering_record_id, NOT_ENUM, true},
		{"InterviewId", Anum_run_interview_id, NOT_ENUM, true},
		{"OrchestrationDeveloperName", Anum_run_orchestration_name, NOT_ENUM, false},
		{"OrchestrationLabel", Anum_run_orchestration_label, NOT_ENUM, false}
	},
	[LEVEL_STAGE] = {
		{"Status", Anum_stage_run_status, ENUM_STAGE_STATUS, true},
		{"OwnerId", Anum_stage_run_owner_id, NOT_ENUM, true},
		{"Label", Anum_stage_run_label, NOT_ENUM, false},
		{"Name", Anum_stage_run_name, NOT_ENUM, false},
		{"Position", Anum_stage_run_position, NOT_ENUM, false}
	},
	[LEVEL_STEP] = {
		{"Status", Anum_step_run_status, ENUM_STEP_STATUS, true},
		{"OwnerId", Anum_step_run_owner_id, NOT_ENUM, true},
		{"Label", Anum_step_run_label, NOT_ENUM, false},
		{"Name", Anum_step_run_name, NOT_ENUM, false},
		{"Description", Anum_step_run_description, NOT_ENUM, false},
		{"StepType", Anum_step_run_step_type, ENUM_STEP_TYPE, false}
	},
	[LEVEL_APPROVAL_SUBMISSION] = {
		{"Status", Anum_submission_status, ENUM_SUBMISSION_STATUS, true}
	},
	[LEVEL_APPROVAL_WORK_ITEM] = {
		{"Status", Anum_submission_item_status, ENUM_APPROVAL_STATUS, true},
		{"AssignedToId", Anum_submission_item_assigned_to, NOT_ENUM, true},
		{"ReviewedById", Anum_submission_item_reviewed_by, NOT_ENUM, true},
		{"Comments", Anum_submission_item_comments, NOT_ENUM, false}
	}
};

typedef struct Change
{
	Gathered	gathered;		/* must be first */
	Level		level;
	bool		in_history;
	bool		in_feed;
	bool		has_changed_by;
	bool		has_initiated_by;
	int			field;			/* -1: the record is new */
	pg_uuid_t	id;				/* its time is that of the change: retrieve.c */
	pg_uuid_t	record_id;
	pg_uuid_t	changed_by;
	pg_uuid_t	initiated_by;
	TimestampTz changed_at;
	const char *old_value;		/* allocated, or a label */
	const char *new_value;
	Oid			outer;			/* role of the statement that caused it */
	const char *via_role;		/* its name, if initiated_by does not say it all */
} Change;

static Change *changes = NULL;	/* in TopTransactionContext */
static int	nchanges = 0;
static int	max_changes = 0;
static MemoryContext texts = NULL;	/* of the changes; below TopTransactionContext */

/* From what fill_row() fills the rows. */
typedef struct FillContext
{
	const Change *changes;
	int		   *rows;
} FillContext;

/* Bit i: fields[level][i] is tracked. */
static uint32 history_mask[NUM_LEVELS];
static uint32 feed_mask[NUM_LEVELS];
static uint64 mask_generation = 0;

/* ordered, so that an index is read: kept plans have no sequential scans */
static StaticPlan plan_tracking = {
	"SELECT t.object::pg_catalog.text, t.history_fields, t.feed_fields"
	" FROM orchestration.field_tracking t ORDER BY t.object",
	0, {0}
};
static StaticPlan plan_set_history = {
	"INSERT INTO orchestration.field_tracking (object, history_fields)"
	" VALUES ($1::orchestration.shared_object, $2)"
	" ON CONFLICT (object) DO UPDATE SET history_fields = EXCLUDED.history_fields",
	2, {TEXTOID, TEXTARRAYOID}
};
static StaticPlan plan_set_feed = {
	"INSERT INTO orchestration.field_tracking (object, feed_fields)"
	" VALUES ($1::orchestration.shared_object, $2)"
	" ON CONFLICT (object) DO UPDATE SET feed_fields = EXCLUDED.feed_fields",
	2, {TEXTOID, TEXTARRAYOID}
};
static StaticPlan plan_feed_items = {
	"INSERT INTO orchestration.feed_item (run_id, record_id, object, type, created_by)"
	" SELECT u.run_id, u.record_id, u.object::orchestration.shared_object,"
	"        CASE WHEN u.field IS NULL THEN 'CreatedRecordEvent'"
	"             ELSE 'TrackedChange' END::orchestration.feed_item_type,"
	"        (pg_catalog.array_agg(u.changed_by ORDER BY u.n))[1]"
	"   FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
	"        pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5))"
	"        WITH ORDINALITY AS u (run_id, record_id, object, field, changed_by, n)"
	"  GROUP BY u.run_id, u.record_id, u.object, u.field IS NULL"
	"  ORDER BY pg_catalog.min(u.n)"
	" ON CONFLICT (run_id, record_id, created_at) WHERE type = 'TrackedChange' DO NOTHING",
	5, {UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_feed_changes = {
	"INSERT INTO orchestration.feed_tracked_change (run_id, feed_item_id, number,"
	"        record_id, object, field, old_value, new_value)"
	" SELECT f.run_id, f.id,"
	"        COALESCE((SELECT pg_catalog.max(c.number) FROM orchestration.feed_tracked_change c"
	"                   WHERE c.run_id = f.run_id AND c.feed_item_id = f.id), 0)"
	"        + pg_catalog.row_number() OVER (PARTITION BY f.id ORDER BY u.n),"
	"        f.record_id, f.object, u.field, u.old_value, u.new_value"
	"   FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
	"        pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5))"
	"        WITH ORDINALITY AS u (run_id, record_id, field, old_value, new_value, n)"
	"   JOIN orchestration.feed_item f ON f.run_id = u.run_id"
	"    AND f.record_id = u.record_id AND f.created_at = $6 AND f.type = 'TrackedChange'"
	"  WHERE u.field IS NOT NULL",
	6, {UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
	TIMESTAMPTZOID}
};

static void load_masks(void);
static uint32 mask_of(Level level, ArrayType *names);
static bool column_changed(TupleDesc desc, HeapTuple old, HeapTuple new,
						   AttrNumber attnum);
static const char *column_text(const TrackableField *field, HeapTuple tuple,
							   TupleDesc desc, bool *too_long);
static Change *add_change(Level level, HeapTuple row, TupleDesc desc, bool filled);
static void fill_row(int i, Datum *values, bool *nulls, void *arg);
static void write_changes(Change *taken, int ntaken);
static void write_feed(const Change *taken, int ntaken, int nfeed_taken);
static void set_tracking(FunctionCallInfo fcinfo, StaticPlan *plan);

static const AttrNumber run_id_columns[NUM_LEVELS] = {
	Anum_run_id, Anum_stage_run_run_id, Anum_step_run_run_id, Anum_work_item_run_id,
	Anum_submission_run_id, Anum_submission_item_run_id
};
static const AttrNumber id_columns[NUM_LEVELS] = {
	Anum_run_id, Anum_stage_run_id, Anum_step_run_id, Anum_work_item_id,
	Anum_submission_id, Anum_submission_item_id
};

static const AttrNumber modified_by_columns[NUM_LEVELS] = {
	Anum_run_modified_by, Anum_stage_run_modified_by, Anum_step_run_modified_by,
	Anum_work_item_modified_by, Anum_submission_modified_by, Anum_submission_item_modified_by
};

/* ----------------------------------------------------------- tracked fields */

static uint32
mask_of(Level level, ArrayType *names)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			i;
	int			j;
	uint32		mask = 0;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (i = 0; i < n; i++)
		for (j = 0; j < MAX_FIELDS && fields[level][j].name != NULL; j++)
			if (!nulls[i] &&
				strcmp(fields[level][j].name, TextDatumGetCString(elements[i])) == 0)
				mask |= 1U << j;
	return mask;
}

static void
load_masks(void)
{
	uint64		generation = orch_catalog_generation();
	SystemContext saved;
	uint64		n;
	int			level;
	int			j;

	for (level = LEVEL_RUN; level < NUM_LEVELS; level++)
	{
		history_mask[level] = feed_mask[level] = 0;
		for (j = 0; j < MAX_FIELDS && fields[level][j].name != NULL; j++)
			if (fields[level][j].by_default)
				history_mask[level] |= 1U << j;
	}
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_tracking, NULL, NULL, 0);
	for (n = 0; n < SPI_processed; n++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[n];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		char	   *object = SPI_getvalue(tuple, desc, 1);
		bool		isnull;
		Datum		value;

		for (level = LEVEL_RUN; level < NUM_LEVELS; level++)
			if (strcmp(orch_catalog_label(ENUM_SHARED_OBJECT, level), object) == 0)
				break;
		if (level == NUM_LEVELS)
			continue;
		value = SPI_getbinval(tuple, desc, 2, &isnull);
		if (!isnull)
			history_mask[level] = mask_of((Level) level, DatumGetArrayTypeP(value));
		value = SPI_getbinval(tuple, desc, 3, &isnull);
		if (!isnull)
			feed_mask[level] = mask_of((Level) level, DatumGetArrayTypeP(value));
	}
	orch_system_finish(&saved);
	mask_generation = generation;
}

/* ----------------------------------------------------------------- changes */

static bool
column_changed(TupleDesc desc, HeapTuple old, HeapTuple new, AttrNumber attnum)
{
	Form_pg_attribute attr = TupleDescAttr(desc, attnum - 1);
	bool		old_isnull;
	bool		new_isnull;
	Datum		was = heap_getattr(old, attnum, desc, &old_isnull);
	Datum		is = heap_getattr(new, attnum, desc, &new_isnull);

	if (old_isnull || new_isnull)
		return old_isnull != new_isnull;
	if (datumIsEqual(was, is, attr->attbyval, attr->attlen))
		return false;
	/* the same text may be stored in two ways */
	return attr->attlen != -1 ||
		strcmp(TextDatumGetCString(was), TextDatumGetCString(is)) != 0;
}

/*
 * A value as the history shows it, NULL for null or when it is too long.
 */
static const char *
column_text(const TrackableField *field, HeapTuple tuple, TupleDesc desc,
			bool *too_long)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, field->attnum, desc, &isnull);
	char	   *string;

	if (isnull)
		return NULL;
	if (field->enum_type != NOT_ENUM)
		return orch_catalog_label((EnumType) field->enum_type,
								  orch_catalog_label_value((EnumType) field->enum_type,
														   DatumGetObjectId(value)));
	switch (TupleDescAttr(desc, field->attnum - 1)->atttypid)
	{
		case UUIDOID:
			string = orch_uuid_text(DatumGetUUIDP(value));
			break;
		case INT4OID:
			string = psprintf("%d", DatumGetInt32(value));
			break;
		default:
			string = TextDatumGetCString(value);
			break;
	}
	if (pg_mbstrlen(string) > MAX_VALUE)
	{
		*too_long = true;
		return NULL;
	}
	return MemoryContextStrdup(texts, string);
}

/*
 * Add a change of a row.  filled: modified_by says who changed the row.  Otherwise it
 * is still to be filled in (guard_fill_statement.c), and the acting user changed it.
 */
static Change *
add_change(Level level, HeapTuple row, TupleDesc desc, bool filled)
{
	Change	   *change;
	Oid			outer = GetOuterUserId();
	const Principal *principal;
	bool		isnull;

	changes = orch_gathered_reserve(changes, nchanges, &max_changes, sizeof(Change));
	if (texts == NULL)
		texts = AllocSetContextCreate(TopTransactionContext, "orchestration changes",
									  ALLOCSET_DEFAULT_SIZES);
	change = &changes[nchanges++];
	memset(change, 0, sizeof(Change));
	change->gathered.nest_level = GetCurrentTransactionNestLevel();
	change->level = level;
	change->outer = outer;
	change->gathered.run_id = *DatumGetUUIDP(heap_getattr(row, run_id_columns[level], desc, &isnull));
	change->record_id = *DatumGetUUIDP(heap_getattr(row, id_columns[level], desc, &isnull));
	/* never before the stamp: get_updated() finds it by this time */
	change->changed_at = Max(orch_stamp(), GetCurrentTimestamp());

	/* who changed it, and the user of the statement that caused it */
	if (filled)
	{
		Datum		modified_by = heap_getattr(row, modified_by_columns[level], desc, &isnull);

		change->has_changed_by = !isnull;
		if (!isnull)
			change->changed_by = *DatumGetUUIDP(modified_by);
	}
	else
	{
		Oid			actor = orch_frame_actor();

		principal = OidIsValid(actor) ? orch_principal_acting(actor) : NULL;
		change->has_changed_by = principal != NULL;
		if (principal != NULL)
			change->changed_by = principal->id;
	}
	if (change->has_changed_by &&
		orch_uuid_equal(&change->changed_by, &orch_automated_process))
		change->has_changed_by = false;
	principal = orch_principal_acting(outer);
	if (principal != NULL)
	{
		change->has_initiated_by = true;
		change->initiated_by = principal->id;
	}
	if (principal == NULL || (orch_user_id != NULL && orch_user_id[0] != '\0'))
	{
		/* mostly the role of the previous change */
		if (nchanges > 1 && changes[nchanges - 2].outer == outer &&
			changes[nchanges - 2].via_role != NULL)
			change->via_role = changes[nchanges - 2].via_role;
		else
			change->via_role = MemoryContextStrdup(texts, GetUserNameFromId(outer, false));
	}
	return change;
}

void
orch_history_note(Level level, HeapTuple old, HeapTuple new, TupleDesc desc,
				  bool trusted, bool loading)
{
	bool		filled = trusted || level == LEVEL_RUN;
	uint32		mask;
	int			j;

	if (level == LEVEL_WORK_ITEM || loading)
		return;
	if (unlikely(mask_generation != orch_catalog_generation()))
		load_masks();
	if (old == NULL)
	{
		if (feed_mask[level] != 0)
		{
			Change	   *change = add_change(level, new, desc, false);

			change->field = -1;
			change->in_feed = true;
		}
		return;
	}
	mask = history_mask[level] | feed_mask[level];
	for (j = 0; mask != 0; j++, mask >>= 1)
	{
		const TrackableField *field = &fields[level][j];
		bool		too_long = false;
		Change	   *change;

		if ((mask & 1) == 0 || !column_changed(desc, old, new, field->attnum))
			continue;
		change = add_change(level, new, desc, filled);
		orch_uuid_generate(&change->id);
		change->field = j;
		change->in_history = (history_mask[level] & (1U << j)) != 0;
		change->in_feed = (feed_mask[level] & (1U << j)) != 0;
		change->old_value = column_text(field, old, desc, &too_long);
		change->new_value = column_text(field, new, desc, &too_long);
		if (too_long)
			change->old_value = change->new_value = NULL;
	}
}

bool
orch_history_notes_new(Level level)
{
	if (unlikely(mask_generation != orch_catalog_generation()))
		load_masks();
	return feed_mask[level] != 0;
}

static void
fill_row(int i, Datum *values, bool *nulls, void *arg)
{
	const FillContext *context = arg;
	const Change *change = &context->changes[context->rows[i]];

	values[COL_RUN_ID] = UUIDPGetDatum(&change->gathered.run_id);
	values[COL_ID] = UUIDPGetDatum(&change->id);
	values[COL_RECORD_ID] = UUIDPGetDatum(&change->record_id);
	/* levels and shared objects are in the same order */
	values[COL_OBJECT] = ObjectIdGetDatum(orch_catalog_label_oid(ENUM_SHARED_OBJECT,
																 change->level));
	values[COL_CHANGED_AT] = TimestampTzGetDatum(change->changed_at);
	values[COL_CHANGED_BY] = UUIDPGetDatum(&change->changed_by);
	values[COL_INITIATED_BY] = UUIDPGetDatum(&change->initiated_by);
	values[COL_FIELD] = CStringGetTextDatum(fields[change->level][change->field].name);
	nulls[COL_RUN_ID] = nulls[COL_ID] = nulls[COL_RECORD_ID] = false;
	nulls[COL_OBJECT] = nulls[COL_CHANGED_AT] = nulls[COL_FIELD] = false;
	nulls[COL_CHANGED_BY] = !change->has_changed_by;
	nulls[COL_INITIATED_BY] = !change->has_initiated_by;
	if (change->via_role != NULL)
	{
		values[COL_VIA_ROLE] = CStringGetTextDatum(change->via_role);
		nulls[COL_VIA_ROLE] = false;
	}
	if (change->old_value != NULL)
	{
		values[COL_OLD_VALUE] = CStringGetTextDatum(change->old_value);
		nulls[COL_OLD_VALUE] = false;
	}
	if (change->new_value != NULL)
	{
		values[COL_NEW_VALUE] = CStringGetTextDatum(change->new_value);
		nulls[COL_NEW_VALUE] = false;
	}
}

/*
 * An array of texts, null where there is none.
 */
static Datum
text_array(const char **values, int n)
{
	Datum	   *elements = palloc(n * sizeof(Datum));
	bool	   *nulls = palloc(n * sizeof(bool));
	int			lower = 1;
	int			i;

	for (i = 0; i < n; i++)
	{
		nulls[i] = values[i] == NULL;
		elements[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(values[i]);
	}
	return PointerGetDatum(construct_md_array(elements, nulls, 1, &n, &lower, TEXTOID,
											  -1, false, TYPALIGN_INT));
}

static void
write_feed(const Change *taken, int ntaken, int nfeed_taken)
{
	pg_uuid_t  *run_ids = palloc(nfeed_taken * sizeof(pg_uuid_t));
	pg_uuid_t  *record_ids = palloc(nfeed_taken * sizeof(pg_uuid_t));
	Datum	   *changed_by = palloc(nfeed_taken * sizeof(Datum));
	bool	   *changed_by_nulls = palloc(nfeed_taken * sizeof(bool));
	const char **objects = palloc(nfeed_taken * sizeof(char *));
	const char **names = palloc(nfeed_taken * sizeof(char *));
	const char **old_values = palloc(nfeed_taken * sizeof(char *));
	const char **new_values = palloc(nfeed_taken * sizeof(char *));
	Datum		values[6];
	int			lower = 1;
	int			n = 0;
	int			i;

	for (i = 0; i < ntaken; i++)
	{
		const Change *change = &taken[i];

		if (!change->in_feed)
			continue;
		run_ids[n] = change->gathered.run_id;
		record_ids[n] = change->record_id;
		objects[n] = orch_catalog_label(ENUM_SHARED_OBJECT, change->level);
		names[n] = change->field < 0 ? NULL : fields[change->level][change->field].name;
		old_values[n] = change->old_value;
		new_values[n] = change->new_value;
		changed_by[n] = UUIDPGetDatum(&change->changed_by);
		changed_by_nulls[n] = !change->has_changed_by;
		n++;
	}
	orch_spi_connect();
	values[0] = PointerGetDatum(orch_uuid_array(run_ids, n));
	values[1] = PointerGetDatum(orch_uuid_array(record_ids, n));
	values[2] = text_array(objects, n);
	values[3] = text_array(names, n);
	values[4] = PointerGetDatum(construct_md_array(changed_by, changed_by_nulls, 1, &n,
												   &lower, UUIDOID, UUID_LEN, false,
												   TYPALIGN_CHAR));
	orch_plan_execute_latest(&plan_feed_items, values, NULL, 0);
	values[2] = values[3];
	values[3] = text_array(old_values, n);
	values[4] = text_array(new_values, n);
	values[5] = TimestampTzGetDatum(orch_stamp());
	orch_plan_execute_latest(&plan_feed_changes, values, NULL, 0);
	SPI_finish();
}

void
orch_history_flush(void)
{
	Change	   *taken = changes;
	int			ntaken = nchanges;
	MemoryContext their_texts = texts;

	if (nchanges == 0 || changes[0].gathered.nest_level < GetCurrentTransactionNestLevel() ||
		orch_frame_is_engine())
		return;

	/* users' triggers on the tables may gather changes of their own */
	changes = NULL;
	texts = NULL;
	nchanges = max_changes = 0;
	write_changes(taken, ntaken);
	pfree(taken);
	MemoryContextDelete(their_texts);
}

void
orch_history_flush_level(void)
{
	int			ntaken;
	Change	   *taken = orch_gathered_take(changes, &nchanges, sizeof(Change), &ntaken);

	if (taken == NULL)
		return;
	write_changes(taken, ntaken);
	pfree(taken);
}

bool
orch_history_is_gathered(void)
{
	return nchanges > 0;
}

static void
write_changes(Change *taken, int ntaken)
{
	FillContext context;
	int			ngone;
	pg_uuid_t  *gone = orch_log_gone_runs(&ngone);
	int			n = orch_gathered_keep_existing(taken, ntaken, sizeof(Change), gone, ngone);
	int			nrows = 0;
	int			nfeed_taken = 0;
	int			i;

	context.changes = taken;
	context.rows = palloc(Max(n, 1) * sizeof(int));
	for (i = 0; i < n; i++)
	{
		if (taken[i].in_history)
			context.rows[nrows++] = i;
		nfeed_taken += taken[i].in_feed;
	}
	if (nrows > 0)
		orch_multi_insert(RELATION_FIELD_CHANGE, nrows, fill_row, &context);
	if (nfeed_taken > 0)
		write_feed(taken, n, nfeed_taken);
	pfree(context.rows);
}

/*
 * The transaction ended: its memory is gone.
 */
static void
at_xact_end(bool committed)
{
	changes = NULL;
	texts = NULL;
	nchanges = max_changes = 0;
}

/*
 * A subtransaction ended: its changes become the parent's, or vanish.
 */
static void
at_subxact_end(int level, bool committed)
{
	int			i;

	if (!committed)
	{
		while (nchanges > 0 && changes[nchanges - 1].gathered.nest_level >= level)
			nchanges--;
		return;
	}
	for (i = nchanges - 1; i >= 0 && changes[i].gathered.nest_level >= level; i--)
		changes[i].gathered.nest_level = level - 1;
}

static const TransactionModule module = {
	.name = "history",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_history_init(void)
{
	orch_transaction_register(&module);
}

/* ------------------------------------------------------------------- calls */

static void
set_tracking(FunctionCallInfo fcinfo, StaticPlan *plan)
{
	SystemContext saved;
	Datum		values[2];
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			level;
	int			i;
	int			j;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("object and fields must not be null"),
				 errhint("An empty array turns tracking off.")));
	level = (int) orch_access_object(PG_GETARG_OID(0));
	if (level == LEVEL_WORK_ITEM || (level > LEVEL_STEP && plan == &plan_set_feed))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_OPERATION),
				 errmsg("INVALID_TYPE_FOR_OPERATION: fields of %s cannot be tracked",
						orch_catalog_label(ENUM_SHARED_OBJECT, level))));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	if (n > MAX_TRACKED)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("NUM_HISTORY_FIELDS_BY_SOBJECT_EXCEEDED: at most %d fields of an object can be tracked",
						MAX_TRACKED)));
	for (i = 0; i < n; i++)
	{
		StringInfoData list;

		for (j = 0; j < MAX_FIELDS && fields[level][j].name != NULL; j++)
			if (!nulls[i] &&
				strcmp(fields[level][j].name, TextDatumGetCString(elements[i])) == 0)
				break;
		if (j < MAX_FIELDS && fields[level][j].name != NULL)
			continue;
		initStringInfo(&list);
		for (j = 0; j < MAX_FIELDS && fields[level][j].name != NULL; j++)
			appendStringInfo(&list, "%s%s", j > 0 ? ", " : "", fields[level][j].name);
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_FIELD),
				 errmsg("INVALID_FIELD: field '%s' of %s cannot be tracked",
						nulls[i] ? "null" : TextDatumGetCString(elements[i]),
						orch_catalog_label(ENUM_SHARED_OBJECT, level)),
				 errdetail("Fields that can be tracked: %s.", list.data)));
	}

	values[0] = CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT, level));
	values[1] = PG_GETARG_DATUM(1);
	orch_system_connect(&saved);
	orch_plan_execute_latest(plan, values, NULL, 0);
	orch_system_finish(&saved);
}

PG_FUNCTION_INFO_V1(orchestration_set_history_tracking);

/*
 * orchestration.set_history_tracking(object orchestration.shared_object,
 *		fields text[]) returns void
 *
 * Sets which fields of runs, stages or steps the history records from now on.  Granted to
 * no role.
 * Raises: 22004 for null, OR403 (INVALID_TYPE_FOR_OPERATION) for work items, OR404
 * (NUM_HISTORY_FIELDS_BY_SOBJECT_EXCEEDED) for more than 20, OR402 (INVALID_FIELD) for
 * a field that cannot be tracked: unknown, computed, of the system, or an autonumber.
 * Source: reference.md, 3.2.
 */
Datum
orchestration_set_history_tracking(PG_FUNCTION_ARGS)
{
	set_tracking(fcinfo, &plan_set_history);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_set_feed_tracking);

/*
 * orchestration.set_feed_tracking(object orchestration.shared_object,
 *		fields text[]) returns void
 *
 * Sets which fields of runs, stages or steps appear in their feed when they change; if
 * there are any, new records appear too.  Granted to no role.
 * Raises: the same as set_history_tracking().
 * Source: reference.md, 3.1.
 */
Datum
orchestration_set_feed_tracking(PG_FUNCTION_ARGS)
{
	set_tracking(fcinfo, &plan_set_feed);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_guard_history);

/*
 * orchestration_internal.guard_history() returns trigger
 *
 * BEFORE UPDATE OR DELETE ROW of field_change: history is changed only by superusers,
 * and deleted only by them, by the extension, or together with its run.  Returns the row.
 * Raises: OR005 otherwise, 39P01 when not called as a trigger.
 * Source: ours.
 */
Datum
orchestration_guard_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	RecordAccess record;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"guard_history")));
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) && superuser())
		return PointerGetDatum(trigdata->tg_newtuple);
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) &&
		(superuser() ||
		 (GetUserId() == orch_catalog_owner() && InLocalUserIdChange()) ||
		 !orch_access_read(OBJECT_RUN,
						   DatumGetUUIDP(heap_getattr(trigdata->tg_trigtuple, COL_RUN_ID + 1,
													  RelationGetDescr(trigdata->tg_relation),
													  &isnull)),
						   &record)))
		return PointerGetDatum(trigdata->tg_trigtuple);
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_IMMUTABLE),
			 errmsg("history cannot be changed"),
			 errdetail("It is deleted with its run, or when it expires."),
			 errhint("See orchestration.remove_expired().")));
}
