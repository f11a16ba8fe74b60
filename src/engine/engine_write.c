/*-------------------------------------------------------------------------
 *
 * engine_write.c
 *	  What the engine writes for many runs in one call, gathered and written as
 *	  sets.
 *
 * A call that moves many runs (complete_steps() with a batch, a statement that
 * starts thousands) would otherwise carry out some ten statements a run, and the
 * start and end of a statement cost more than its row.  So while such a call has
 * a batch open, the engine's usual writes are gathered by kind and written
 * together: updates by one statement a kind, which goes through the guard like
 * any other; new stages, steps and queued steps past the executor (batch.c).
 * That is sound because their foreign keys and checks hold by construction and
 * the guard would only note the milestone, which is done here.  Where tables have
 * triggers or checks of somebody else's, nothing is gathered.
 *
 * The kinds are written in the order below.  A write of a run that would have to
 * come before one that was gathered already makes room: all is written first.  So
 * each run sees its writes in their order, and the log tells them so.  What is
 * written otherwise (failures, pending outcomes, ...) calls orch_engine_flush()
 * first, and so does everything that runs code of others.
 *
 * A batch belongs to the subtransaction that opened it; in another one below it
 * nothing is gathered.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_write.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/batch.h"
#include "base/catalog.h"
#include "base/system.h"
#include "base/transaction.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "guard/guard.h"
#include "guard/transition.h"
#include "trail/history.h"
#include "trail/log.h"

#define MAX_COLUMNS 22

/* rows that are gathered before they are written: bounds the memory */
#define MAX_GATHERED 20000

typedef struct ColumnType
{
	Oid			type;
	int16		length;
	bool		by_value;
	char		alignment;
} ColumnType;

/* How a kind is written. */
typedef struct WriteForm
{
	OrchRelation relation;
	bool		direct;			/* rows past the executor, columns the table's */
	bool		once;			/* one a run and statement */
	int			ncolumns;
	StaticPlan	plan;			/* not direct: its arguments are arrays */
	ColumnType *types;			/* of the columns; column_types() */
} WriteForm;

/* What was gathered of a kind: row by row. */
typedef struct WriteSet
{
	int			nrows;
	int			max_rows;
	Datum	   *values;
	bool	   *nulls;
} WriteSet;

struct EngineBatch
{
	EngineBatch *outer;
	int			nest_level;
	uint32		generation;		/* of flushes */
	int			nrows;
	char	   *starter;		/* who the log says started the runs, or NULL */
	MemoryContext context;		/* values of the rows, reset by a flush */
	WriteSet	sets[NUM_WRITES];
	HTAB	   *states;			/* of runs, by id */
};

typedef struct StateEntry
{
	pg_uuid_t	run_id;			/* hash key */
	RunState   *rs;
} StateEntry;

static WriteForm forms[NUM_WRITES] = {
	[WRITE_RUN] = {RELATION_RUN, false, false, 11, {
		"INSERT INTO orchestration.run (id, status, version_id, owner_id, created_by,"
		" orchestration_name, orchestration_label, triggering_record_type,"
		" triggering_record_id, variables, orchestration_id, current_stage, created_at)"
		" SELECT u.id, 'InProgress', u.version, u.owner, u.starter, u.name, u.label, u.type,"
		" u.key, u.variables, u.orchestration, u.stage, pg_catalog.statement_timestamp()"
		" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3),"
		" pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6),"
		" pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9),"
		" pg_catalog.unnest($10), pg_catalog.unnest($11)) AS u (id, version, owner, starter,"
		" name, label, type, key, variables, orchestration, stage)",
		11, {UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID, UUIDARRAYOID, TEXTARRAYOID}}},
	[WRITE_STEP_COMPLETED] = {RELATION_STEP_RUN, false, false, 4, {
		"UPDATE orchestration.step_run s SET status = 'Completed', outputs = u.outputs,"
		" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
		" ended_at = pg_catalog.clock_timestamp(), lease_id = COALESCE(u.lease, s.lease_id)"
		" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3),"
		" pg_catalog.unnest($4)) AS u (run_id, id, outputs, lease)"
		" WHERE s.run_id = u.run_id AND s.id = u.id",
		4, {UUIDARRAYOID, UUIDARRAYOID, JSONBARRAYOID, UUIDARRAYOID}}},
	[WRITE_STAGE_COMPLETED] = {RELATION_STAGE_RUN, false, false, 2, {
		"UPDATE orchestration.stage_run s SET status = 'Completed',"
		" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
		" ended_at = pg_catalog.clock_timestamp()"
		" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
		" WHERE s.run_id = u.run_id AND s.id = u.id",
		2, {UUIDARRAYOID, UUIDARRAYOID}}},
	[WRITE_STAGE] = {RELATION_STAGE_RUN, true, false, Natts_stage_run},
	[WRITE_STEP] = {RELATION_STEP_RUN, true, false, Natts_step_run},
	[WRITE_STEP_STARTED] = {RELATION_STEP_RUN, false, false, 2, {
		"UPDATE orchestration.step_run s SET status = 'InProgress',"
		" attempt = attempt + 1, error = NULL, pending = NULL, outputs = NULL,"
		" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
		" started_at = pg_catalog.clock_timestamp(), ended_at = NULL"
		" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
		" WHERE s.run_id = u.run_id AND s.id = u.id",
		2, {UUIDARRAYOID, UUIDARRAYOID}}},
	[WRITE_QUEUE] = {RELATION_STEP_QUEUE, true, false, Natts_step_queue},
	[WRITE_WORK_ITEM] = {RELATION_WORK_ITEM, false, false, 13, {
		"INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id,"
		" label, description, screen_flow, screen_flow_inputs, related_record_type,"
		" related_record_id, orchestration_id, record_locked, assignee_can_edit, due_at)"
		" SELECT u.run_id, u.step_id, 'Assigned', u.assignee, u.label, u.description, u.screen,"
		" u.inputs, u.type, u.key, u.orchestration, u.locked, u.can_edit,"
		" pg_catalog.now() + pg_catalog.make_interval(secs => u.due)"
		" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3),"
		" pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6),"
		" pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9),"
		" pg_catalog.unnest($10), pg_catalog.unnest($11), pg_catalog.unnest($12),"
		" pg_catalog.unnest($13)) AS u (run_id, step_id, assignee, label, description, screen,"
		" inputs, type, key, orchestration, locked, can_edit, due)",
		13, {UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		JSONBARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDARRAYOID, BOOLARRAYOID, BOOLARRAYOID,
		FLOAT8ARRAYOID}}},
	[WRITE_REST] = {RELATION_RUN, false, true, 3, {
		"UPDATE orchestration.run r SET current_stage = u.stage, variables = u.variables"
		" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3))"
		" AS u (id, stage, variables) WHERE r.id = u.id",
		3, {UUIDARRAYOID, TEXTARRAYOID, JSONBARRAYOID}}},
	[WRITE_RUN_COMPLETED] = {RELATION_RUN, false, true, 3, {
		"UPDATE orchestration.run r SET status = 'Completed',"
		" variables = CASE WHEN u.changed THEN u.variables ELSE r.variables END"
		" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3))"
		" AS u (id, changed, variables) WHERE r.id = u.id",
		3, {UUIDARRAYOID, BOOLARRAYOID, JSONBARRAYOID}}}
};

/* the batch that is open, innermost */
static EngineBatch *batch = NULL;

static bool only_our_own(void);
static const ColumnType *column_types(WriteForm *form);
static void write_rows(WriteForm *form, WriteSet *set);
static void insert_rows(WriteForm *form, WriteSet *set);
static void fill_row(int i, Datum *values, bool *nulls, void *arg);
static void note_new(Level level, const WriteForm *form, const WriteSet *set);

/*
 * Do all tables that a batch writes have only what the extension made?  Looked at each
 * time: it is a matter of some pointers.
 */
static bool
only_our_own(void)
{
	static const OrchRelation written[] = {
		RELATION_RUN, RELATION_STAGE_RUN, RELATION_STEP_RUN, RELATION_STEP_QUEUE,
		RELATION_WORK_ITEM
	};
	int			i;

	for (i = 0; i < (int) lengthof(written); i++)
		if (!orch_batch_is_own(written[i]))
			return false;
	return true;
}

/*
 * From here on writes are gathered, if nothing stands against it.  Caller is in
 * system context.
 */
EngineBatch *
orch_engine_batch_begin(void)
{
	EngineBatch *opened;
	HASHCTL		ctl;
	MemoryContext context;

	if (!only_our_own())
		return NULL;
	context = AllocSetContextCreate(TopTransactionContext, "orchestration engine batch",
									ALLOCSET_DEFAULT_SIZES);
	opened = MemoryContextAllocZero(context, sizeof(EngineBatch));
	opened->outer = batch;
	opened->nest_level = GetCurrentTransactionNestLevel();
	opened->context = AllocSetContextCreate(context, "orchestration engine writes",
											ALLOCSET_DEFAULT_SIZES);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(StateEntry);
	ctl.hcxt = context;
	opened->states = hash_create("orchestration batch runs", 64, &ctl,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	batch = opened;
	return opened;
}

/*
 * Write what is left; the log, too.  opened may be NULL.
 */
void
orch_engine_batch_end(EngineBatch *opened)
{
	if (opened == NULL)
		return;
	Assert(batch == opened);
	orch_engine_flush();
	orch_engine_forget_states();
	batch = opened->outer;
	MemoryContextDelete(MemoryContextGetParent(opened->context));
	orch_log_flush();
	orch_history_flush();
}

/*
 * Would a write be gathered here and now?
 */
bool
orch_engine_gathers(void)
{
	return batch != NULL && batch->nest_level == GetCurrentTransactionNestLevel();
}

/*
 * How the columns of a kind are copied; asked for once a session, since the tables
 * have the columns that the catalog was held against.
 */
static const ColumnType *
column_types(WriteForm *form)
{
	Relation	relation;
	int			i;

	if (form->types != NULL)
		return form->types;
	form->types = MemoryContextAlloc(TopMemoryContext, sizeof(ColumnType) * form->ncolumns);
	relation = table_open(orch_catalog_relation(form->relation), AccessShareLock);
	for (i = 0; i < form->ncolumns; i++)
	{
		ColumnType *type = &form->types[i];

		type->type = form->direct ? TupleDescAttr(RelationGetDescr(relation), i)->atttypid :
			get_element_type(form->plan.argtypes[i]);
		get_typlenbyvalalign(type->type, &type->length, &type->by_value, &type->alignment);
	}
	table_close(relation, NoLock);
	return form->types;
}

/*
 * Gather a row, nulls as SPI has them, NULL where there are none; the caller made
 * sure that writes are gathered.
 */
void
orch_engine_write(RunState *rs, EngineWrite kind, const Datum *values, const char *nulls)
{
	WriteForm  *form = &forms[kind];
	WriteSet   *set = &batch->sets[kind];
	const ColumnType *types = column_types(form);
	MemoryContext old;
	int			i;

	if (batch->nrows >= MAX_GATHERED ||
		(rs->written_generation == batch->generation + 1 &&
		 ((int) kind < rs->written || (form->once && (int) kind == rs->written))))
		orch_engine_flush();
	rs->written_generation = batch->generation + 1;
	rs->written = kind;

	old = MemoryContextSwitchTo(batch->context);
	if (set->nrows >= set->max_rows)
	{
		set->max_rows = set->max_rows == 0 ? 64 : set->max_rows * 2;
		if (set->values == NULL)
		{
			set->values = palloc(sizeof(Datum) * set->max_rows * form->ncolumns);
			set->nulls = palloc(sizeof(bool) * set->max_rows * form->ncolumns);
		}
		else
		{
			set->values = repalloc_huge(set->values,
										sizeof(Datum) * set->max_rows * form->ncolumns);
			set->nulls = repalloc_huge(set->nulls,
									   sizeof(bool) * set->max_rows * form->ncolumns);
		}
	}
	for (i = 0; i < form->ncolumns; i++)
	{
		int			n = set->nrows * form->ncolumns + i;

		set->nulls[n] = nulls != NULL && nulls[i] == 'n';
		if (!set->nulls[n])
			set->values[n] = datumCopy(values[i], types[i].by_value, types[i].length);
	}
	set->nrows++;
	batch->nrows++;
	MemoryContextSwitchTo(old);
}

/*
 * Who starts the runs that are gathered from here on, as the log has it; or NULL.
 */
void
orch_engine_gather_starter(const char *starter)
{
	if (starter == NULL ? batch->starter == NULL :
		batch->starter != NULL && strcmp(batch->starter, starter) == 0)
		return;
	orch_engine_flush();
	batch->starter = starter == NULL ? NULL :
		MemoryContextStrdup(MemoryContextGetParent(batch->context), starter);
}

/*
 * Write what was gathered.
 */
void
orch_engine_flush(void)
{
	Frame	   *frame;
	int			kind;

	if (batch == NULL || batch->nrows == 0)
		return;
	if (batch->nest_level != GetCurrentTransactionNestLevel())
		elog(ERROR, "writes of the engine wait outside of this subtransaction");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	frame = orch_frame_push(FRAME_ENGINE, InvalidOid, NULL);
	for (kind = 0; kind < NUM_WRITES; kind++)
	{
		WriteSet   *set = &batch->sets[kind];

		if (set->nrows == 0)
			continue;
		if (forms[kind].direct)
			insert_rows(&forms[kind], set);
		else
			write_rows(&forms[kind], set);
		if (kind == WRITE_STAGE)
			note_new(LEVEL_STAGE, &forms[kind], set);
		else if (kind == WRITE_STEP)
			note_new(LEVEL_STEP, &forms[kind], set);
	}
	orch_frame_pop(frame);
	SPI_finish();
	memset(batch->sets, 0, sizeof(batch->sets));
	MemoryContextReset(batch->context);
	batch->nrows = 0;
	batch->generation++;
}

static void
write_rows(WriteForm *form, WriteSet *set)
{
	Datum		arrays[MAX_COLUMNS];
	Datum	   *elements = palloc(sizeof(Datum) * set->nrows);
	bool	   *nulls = palloc(sizeof(bool) * set->nrows);
	int			dims[1];
	int			lbs[1] = {1};
	int			i;
	int			j;

	dims[0] = set->nrows;
	for (i = 0; i < form->ncolumns; i++)
	{
		for (j = 0; j < set->nrows; j++)
		{
			elements[j] = set->values[j * form->ncolumns + i];
			nulls[j] = set->nulls[j * form->ncolumns + i];
		}
		arrays[i] = PointerGetDatum(construct_md_array(elements, nulls, 1, dims, lbs,
													   form->types[i].type,
													   form->types[i].length,
													   form->types[i].by_value,
													   form->types[i].alignment));
	}
	orch_guard_scope_begin(SCOPE_TRUSTED);
	if (form == &forms[WRITE_RUN])
		orch_guard_scope_starter(batch->starter);
	orch_plan_execute_latest(&form->plan, arrays, NULL, 0);
	orch_guard_scope_end();
	if (SPI_processed != (uint64) set->nrows)
		elog(ERROR, "%d rows were to be written, not " UINT64_FORMAT, set->nrows,
			 (uint64) SPI_processed);
}

static void
insert_rows(WriteForm *form, WriteSet *set)
{
	void	   *arg[2];

	arg[0] = form;
	arg[1] = set;
	orch_batch_insert(form->relation, set->nrows, fill_row, arg);
}

static void
fill_row(int i, Datum *values, bool *nulls, void *arg)
{
	WriteForm  *form = ((void **) arg)[0];
	WriteSet   *set = ((void **) arg)[1];

	memcpy(values, &set->values[i * form->ncolumns], sizeof(Datum) * form->ncolumns);
	memcpy(nulls, &set->nulls[i * form->ncolumns], sizeof(bool) * form->ncolumns);
}

/*
 * What the guard would do with new stages and steps: their milestones, and the
 * feed.
 */
static void
note_new(Level level, const WriteForm *form, const WriteSet *set)
{
	int			status_column = (level == LEVEL_STAGE ? Anum_stage_run_status : Anum_step_run_status) - 1;
	Relation	relation = NULL;
	int			i;

	if (orch_history_notes_new(level))
		relation = table_open(orch_catalog_relation(form->relation), NoLock);
	for (i = 0; i < set->nrows; i++)
	{
		Datum	   *values = &set->values[i * form->ncolumns];
		bool	   *nulls = &set->nulls[i * form->ncolumns];
		int			status = orch_transition_status_value(level, DatumGetObjectId(values[status_column]));
		const Transition *transition = orch_transition_find(level, STATUS_NEW, status);

		if (relation != NULL)
		{
			HeapTuple	tuple = heap_form_tuple(RelationGetDescr(relation), values, nulls);

			orch_history_note(level, NULL, tuple, RelationGetDescr(relation), true);
			heap_freetuple(tuple);
		}
		if (transition != NULL && transition->log_kind != LOG_NONE)
		{
			LogEntry	entry;

			/* run_id and id are the first two columns of both tables */
			orch_log_entry_init(&entry, (LogKind) transition->log_kind, DatumGetUUIDP(values[0]));
			if (level == LEVEL_STAGE)
			{
				entry.stage_run_id = *DatumGetUUIDP(values[1]);
				entry.has_stage_run = true;
			}
			else
			{
				entry.step_run_id = *DatumGetUUIDP(values[1]);
				entry.has_step_run = true;
			}
			orch_log_append(&entry);
		}
	}
	if (relation != NULL)
		table_close(relation, NoLock);
}

/* ---------------------------------------------------------- runs of a batch */

/*
 * The state of a run that this batch has loaded, or NULL.
 */
RunState *
orch_engine_batch_state(const pg_uuid_t *run_id)
{
	StateEntry *entry;

	if (!orch_engine_gathers())
		return NULL;
	entry = hash_search(batch->states, run_id, HASH_FIND, NULL);
	return entry == NULL ? NULL : entry->rs;
}

/* The batch keeps the state, and deletes it. */
void
orch_engine_batch_keep(RunState *rs)
{
	StateEntry *entry;

	entry = hash_search(batch->states, &rs->id, HASH_ENTER, NULL);
	entry->rs = rs;
	rs->kept = true;
	MemoryContextSetParent(rs->context, MemoryContextGetParent(batch->context));
}

/*
 * The guard is about to change rows of the run that its state does not know of: what
 * was gathered is written, and who needs the run again in this batch reads it again.
 */
void
orch_engine_leave_batch(RunState *rs)
{
	if (!orch_engine_gathers())
		return;
	orch_engine_flush();
	if (rs->kept)
		(void) hash_search(batch->states, &rs->id, HASH_REMOVE, NULL);
	rs->kept = false;
}

/*
 * Code of others is about to run, and may read or write anything: all is written
 * first, and what is known of other runs is forgotten.
 */
void
orch_engine_step_aside(RunState *rs)
{
	if (!orch_engine_gathers())
		return;
	orch_engine_leave_batch(rs);
	orch_engine_forget_states();
}

void
orch_engine_forget_states(void)
{
	HASH_SEQ_STATUS scan;
	StateEntry *entry;

	hash_seq_init(&scan, batch->states);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		MemoryContextDelete(entry->rs->context);
		(void) hash_search(batch->states, &entry->run_id, HASH_REMOVE, NULL);
	}
}

/*
 * The (sub)transaction that a batch belonged to was aborted.
 */
static void
at_subxact_end(int level, bool committed)
{
	while (!committed && batch != NULL && batch->nest_level >= level)
		batch = batch->outer;
}

static void
at_xact_end(bool committed)
{
	batch = NULL;
}

static const TransactionModule module = {
	.name = "engine",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_engine_init(void)
{
	orch_transaction_register(&module);
}
