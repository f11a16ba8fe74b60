/*-------------------------------------------------------------------------
 *
 * engine_write.c
 *	  The engine's writes, described once for one row and for sets of rows.
 *
 * Each kind of write has a form: its table, its columns, and one statement with
 * places for the values.  Two texts are made from that statement: one for a single
 * row, whose values are parameters, and one for a set, whose values come from arrays.
 * Both are kept plans and go through the guard like any other statement.  New stages,
 * steps and queued steps bypass the executor (multi_insert.c) while the tables have only
 * the extension's own triggers and constraints.  Their foreign keys and checks hold by
 * construction, and the guard would only note the milestone, which this file does itself.
 *
 * A call that moves one run writes each set at once; most of these sets have one row.  A
 * call that moves many runs (complete_steps() with several results, a statement that
 * starts thousands) would execute some ten statements per run, and the start and end of a
 * statement cost more than its row.  Such a call opens a batch: it gathers rows over runs,
 * by kind, and writes them together.  No rows are gathered while users have triggers or
 * constraints on the tables, because these must see the rows in their order.
 *
 * A batch writes the kinds in the order of EngineWrite.  When a run writes a kind that
 * comes before one gathered for it, everything gathered is written first.  So the writes
 * of each run keep their order, and the log shows them in that order.  Writes without a
 * form (failures, pending outcomes, ...) call orch_engine_flush() first, and so does
 * everything that runs a user's code.
 *
 * A batch belongs to the subtransaction that opened it.  In a nested subtransaction no
 * rows are gathered.
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
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/multi_insert.h"
#include "base/system.h"
#include "base/transaction.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "guard/guard.h"
#include "guard/transition.h"
#include "trail/history.h"
#include "trail/log.h"

/* rows that a batch gathers before it writes them: limits the memory */
#define MAX_GATHERED 20000

typedef struct ColumnType
{
	Oid			type;
	int16		length;
	bool		by_value;
	char		alignment;
} ColumnType;

/*
 * How a kind is written.  In the statement "@name" stands for the value of that column,
 * "@columns" and "@values" for the lists of all of them, "@rows" for the arrays that a
 * set comes from.
 */
typedef struct WriteForm
{
	/* the description */
	const char *statement;
	OrchRelation relation;
	bool		direct;			/* bypasses the executor where possible */
	bool		once;			/* a run has one row of it in a set */
	bool		may_exist;		/* an existing row is left as it is */
	bool		required;		/* not even a user's trigger may suppress a row */
	AttrNumber	columns[MAX_WRITE_COLUMNS]; /* up to a 0 */
	AttrNumber	defaults[6];	/* direct: columns that for a statement the
								 * table and the guard fill in; up to a 0 */

	/* made from it by ready_form() */
	Oid			relid;			/* for this table; InvalidOid: not made yet */
	int			nargs;			/* of the statement */
	int			ncolumns;		/* with defaults: of a row in a set */
	AttrNumber	all[MAX_WRITE_COLUMNS];
	ColumnType	types[MAX_WRITE_COLUMNS];
	StaticPlan	one;
	StaticPlan	many;
} WriteForm;

/* Rows of a kind: the columns of the form, row by row. */
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
	char	   *starter;		/* the starter's name in the log, or NULL */
	MemoryContext context;		/* values of the rows, reset by a flush */
	WriteSet	sets[NUM_WRITES];
	HTAB	   *states;			/* of runs, by id */
};

typedef struct StateEntry
{
	pg_uuid_t	run_id;			/* hash key */
	RunState   *rs;
} StateEntry;

#define INSERT_RUN \
	"INSERT INTO orchestration.run (status, created_at, @columns)" \
	" SELECT 'InProgress', pg_catalog.statement_timestamp(), @values @rows"

#define RUN_COLUMNS \
	Anum_run_id, Anum_run_version_id, Anum_run_owner_id, Anum_run_created_by, \
	Anum_run_orchestration_name, Anum_run_orchestration_label, \
	Anum_run_triggering_record_type, Anum_run_triggering_record_id, Anum_run_variables, \
	Anum_run_orchestration_id, Anum_run_current_stage, Anum_run_is_approval

#define INSERT_QUEUED \
	"INSERT INTO orchestration.step_queue (@columns) SELECT @values @rows" \
	" ON CONFLICT (run_id, step_run_id) DO UPDATE SET topic = excluded.topic," \
	" action = excluded.action, inputs = excluded.inputs, lease_id = NULL," \
	" leased_until = NULL, claimed_at = NULL, worker = NULL, failures = 0, lost = 0," \
	" run_as = excluded.run_as, timeout = excluded.timeout," \
	" available_at = pg_catalog.clock_timestamp()"

#define QUEUED_COLUMNS \
	Anum_step_queue_run_id, Anum_step_queue_step_run_id, Anum_step_queue_topic, \
	Anum_step_queue_action, Anum_step_queue_inputs, Anum_step_queue_orchestration_id, \
	Anum_step_queue_step_name, Anum_step_queue_run_as, Anum_step_queue_timeout

static WriteForm forms[NUM_WRITES] = {
	[WRITE_RUN] = {
		.statement = INSERT_RUN,
		.relation = RELATION_RUN,
		.required = true,
		.columns = {RUN_COLUMNS}
	},
	[WRITE_RUN_ONCE] = {
		.statement = INSERT_RUN
		" ON CONFLICT (orchestration_name, idempotency_key, created_by)"
		" WHERE idempotency_key IS NOT NULL DO NOTHING",
		.relation = RELATION_RUN,
		.may_exist = true,
		.columns = {RUN_COLUMNS, Anum_run_idempotency_key, Anum_run_idempotency_digest}
	},
	[WRITE_SUBMISSION] = {
		.statement = "INSERT INTO orchestration.submission (status, @columns)"
		" SELECT 'InProgress', @values @rows",
		.relation = RELATION_SUBMISSION,
		.required = true,
		.columns = {Anum_submission_run_id, Anum_submission_id,
			Anum_submission_owner_id, Anum_submission_orchestration_id,
			Anum_submission_created_by, Anum_submission_submitted_by, Anum_submission_comments,
			Anum_submission_sends_email,
			Anum_submission_related_record_type,
		Anum_submission_related_record_id}
	},
	[WRITE_STEP_COMPLETED] = {
		.statement = "UPDATE orchestration.step_run t SET status = 'Completed',"
		" outputs = @outputs, pending = NULL, lease_id = COALESCE(@lease_id, t.lease_id),"
		" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
		" ended_at = pg_catalog.clock_timestamp()"
		" @rows WHERE t.run_id = @run_id AND t.id = @id",
		.relation = RELATION_STEP_RUN,
		.required = true,
		.columns = {Anum_step_run_run_id, Anum_step_run_id, Anum_step_run_outputs,
		Anum_step_run_lease_id}
	},
	[WRITE_STAGE_COMPLETED] = {
		.statement = "UPDATE orchestration.stage_run t SET status = 'Completed',"
		" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
		" ended_at = pg_catalog.clock_timestamp()"
		" @rows WHERE t.run_id = @run_id AND t.id = @id",
		.relation = RELATION_STAGE_RUN,
		.columns = {Anum_stage_run_run_id, Anum_stage_run_id}
	},
	[WRITE_STAGE] = {
		.statement = "INSERT INTO orchestration.stage_run (@columns) SELECT @values @rows",
		.relation = RELATION_STAGE_RUN,
		.direct = true,
		.columns = {Anum_stage_run_run_id, Anum_stage_run_id, Anum_stage_run_name,
			Anum_stage_run_label, Anum_stage_run_position, Anum_stage_run_status,
		Anum_stage_run_orchestration_id},
		.defaults = {Anum_stage_run_owner_id, Anum_stage_run_created_at,
		Anum_stage_run_modified_at, Anum_stage_run_modified_minute}
	},
	[WRITE_STEP] = {
		.statement = "INSERT INTO orchestration.step_run (@columns) SELECT @values @rows",
		.relation = RELATION_STEP_RUN,
		.direct = true,
		.columns = {Anum_step_run_run_id, Anum_step_run_id, Anum_step_run_stage_run_id,
			Anum_step_run_name, Anum_step_run_label, Anum_step_run_description,
			Anum_step_run_step_type, Anum_step_run_status, Anum_step_run_attempt,
		Anum_step_run_started_at, Anum_step_run_orchestration_id},
		.defaults = {Anum_step_run_owner_id, Anum_step_run_created_at,
		Anum_step_run_modified_at, Anum_step_run_modified_minute}
	},
	[WRITE_STEP_STARTED] = {
		.statement = "UPDATE orchestration.step_run t SET status = 'InProgress',"
		" attempt = t.attempt + 1, error = NULL, pending = NULL, outputs = NULL,"
		" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
		" started_at = pg_catalog.clock_timestamp(), ended_at = NULL"
		" @rows WHERE t.run_id = @run_id AND t.id = @id",
		.relation = RELATION_STEP_RUN,
		.required = true,
		.columns = {Anum_step_run_run_id, Anum_step_run_id}
	},
	[WRITE_QUEUED] = {
		.statement = INSERT_QUEUED,
		.relation = RELATION_STEP_QUEUE,
		.direct = true,
		.columns = {QUEUED_COLUMNS},
		.defaults = {Anum_step_queue_available_at, Anum_step_queue_attempt,
		Anum_step_queue_failures, Anum_step_queue_lost}
	},
	[WRITE_QUEUED_AGAIN] = {
		.statement = INSERT_QUEUED,
		.relation = RELATION_STEP_QUEUE,
		.columns = {QUEUED_COLUMNS}
	},
	[WRITE_STEP_MESSAGE] = {
		.statement = "INSERT INTO orchestration.step_message (@columns) SELECT @values @rows"
		" ON CONFLICT (run_id, step_run_id) DO UPDATE SET subject = excluded.subject,"
		" body = excluded.body, is_html = excluded.is_html",
		.relation = RELATION_STEP_MESSAGE,
		.columns = {Anum_step_message_run_id, Anum_step_message_step_run_id,
			Anum_step_message_subject, Anum_step_message_body,
		Anum_step_message_is_html}
	},
	[WRITE_WORK_ITEM] = {
		.statement = "INSERT INTO orchestration.work_item (status, @columns)"
		" SELECT 'Assigned', @values @rows",
		.relation = RELATION_WORK_ITEM,
		.columns = {Anum_work_item_run_id, Anum_work_item_id, Anum_work_item_step_run_id,
			Anum_work_item_assignee_id, Anum_work_item_label, Anum_work_item_description,
			Anum_work_item_screen_flow, Anum_work_item_screen_flow_inputs,
			Anum_work_item_related_record_type, Anum_work_item_related_record_id,
			Anum_work_item_orchestration_id, Anum_work_item_record_locked,
		Anum_work_item_assignee_can_edit, Anum_work_item_due_at, Anum_work_item_is_approval,
		Anum_work_item_parent_id, Anum_work_item_is_parent}
	},
	[WRITE_REST] = {
		.statement = "UPDATE orchestration.run t SET current_stage = @current_stage,"
		" variables = @variables @rows WHERE t.id = @id",
		.relation = RELATION_RUN,
		.once = true,
		.columns = {Anum_run_id, Anum_run_current_stage, Anum_run_variables}
	},
	[WRITE_RUN_COMPLETED] = {
		.statement = "UPDATE orchestration.run t SET status = 'Completed'"
		" @rows WHERE t.id = @id",
		.relation = RELATION_RUN,
		.once = true,
		.columns = {Anum_run_id}
	},
	[WRITE_RUN_COMPLETED_VARIABLES] = {
		.statement = "UPDATE orchestration.run t SET status = 'Completed',"
		" variables = @variables @rows WHERE t.id = @id",
		.relation = RELATION_RUN,
		.once = true,
		.columns = {Anum_run_id, Anum_run_variables}
	},
	[WRITE_RUN_CANCELED] = {
		.statement = "UPDATE orchestration.run t SET status = 'Canceled'"
		" @rows WHERE t.id = @id",
		.relation = RELATION_RUN,
		.once = true,
		.columns = {Anum_run_id}
	}
};

/* the innermost open batch */
static EngineBatch *batch = NULL;

static bool only_our_own(void);
static WriteForm *ready_form(EngineWrite kind);
static void set_plan(WriteForm *form, TupleDesc desc, bool many);
static void append_place(StringInfo text, const WriteForm *form, TupleDesc desc,
						 const char *name, bool many);
static void append_value(StringInfo text, const char *column, int i, bool many);
static void add_row(WriteForm *form, WriteSet *set, const WriteRow *row, bool copy);
static void make_room(WriteSet *set, int ncolumns, int nrows);
static void gather(RunState *rs, EngineWrite kind, const WriteRow *rows, int nrows);
static void forget_states(void);
static uint64 write_set(EngineWrite kind, const WriteSet *set, const GuardScope *scope);
static uint64 execute_form(WriteForm *form, const WriteSet *set, const GuardScope *scope);
static void fill_row(int i, Datum *values, bool *nulls, void *arg);
static void note_new(Level level, const WriteForm *form, const WriteSet *set);

/*
 * Do all tables that the engine writes have only the extension's own triggers and
 * constraints?
 */
static bool
only_our_own(void)
{
	static const OrchRelation written[] = {
		RELATION_RUN, RELATION_STAGE_RUN, RELATION_STEP_RUN, RELATION_STEP_QUEUE,
		RELATION_WORK_ITEM, RELATION_SUBMISSION, RELATION_SUBMISSION_ITEM,
		RELATION_MESSAGE, RELATION_STEP_MESSAGE
	};
	int			i;

	for (i = 0; i < (int) lengthof(written); i++)
		if (!orch_multi_insert_allowed(written[i]))
			return false;
	return true;
}

/*
 * Open a batch, unless users have triggers or constraints on the tables: returns NULL
 * then.  Caller is in system context.
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
 * Write everything that the batch gathered, and the log.  opened may be NULL.
 */
void
orch_engine_batch_end(EngineBatch *opened)
{
	if (opened == NULL)
		return;
	Assert(batch == opened);
	orch_engine_flush();
	forget_states();
	batch = opened->outer;
	MemoryContextDelete(MemoryContextGetParent(opened->context));
	orch_log_flush();
	orch_history_flush();
}

/*
 * Does a batch of the current subtransaction gather writes?
 */
bool
orch_engine_gathers(void)
{
	return batch != NULL && batch->nest_level == GetCurrentTransactionNestLevel();
}

/* ------------------------------------------------------------------- forms */

/*
 * Make the texts and types of a form, once per session, and again after the extension was
 * dropped and created.
 */
static WriteForm *
ready_form(EngineWrite kind)
{
	WriteForm  *form = &forms[kind];
	Relation	relation;
	TupleDesc	desc;
	int			i;

	if (likely(form->relid == orch_catalog_relation(form->relation)))
		return form;
	form->relid = InvalidOid;
	relation = table_open(orch_catalog_relation(form->relation), AccessShareLock);
	desc = RelationGetDescr(relation);
	form->ncolumns = 0;
	for (i = 0; form->columns[i] != 0; i++)
		form->all[form->ncolumns++] = form->columns[i];
	form->nargs = form->ncolumns;
	for (i = 0; form->defaults[i] != 0; i++)
		form->all[form->ncolumns++] = form->defaults[i];
	for (i = 0; i < form->ncolumns; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, form->all[i] - 1);

		form->types[i].type = att->atttypid;
		form->types[i].length = att->attlen;
		form->types[i].by_value = att->attbyval;
		form->types[i].alignment = att->attalign;
	}
	set_plan(form, desc, false);
	set_plan(form, desc, true);
	form->relid = RelationGetRelid(relation);
	table_close(relation, NoLock);
	return form;
}

/*
 * The text for one row, or for many, and its parameters.
 */
static void
set_plan(WriteForm *form, TupleDesc desc, bool many)
{
	StaticPlan *plan = many ? &form->many : &form->one;
	const char *rest = form->statement;
	StringInfoData text;
	int			i;

	if (plan->plan != NULL)
		SPI_freeplan(plan->plan);
	if (plan->query != NULL)
		pfree(unconstify(char *, plan->query));
	memset(plan, 0, sizeof(StaticPlan));
	plan->nargs = form->nargs;
	for (i = 0; i < form->nargs; i++)
		plan->argtypes[i] = many ? get_array_type(form->types[i].type) : form->types[i].type;

	initStringInfo(&text);
	while (*rest != '\0')
	{
		int			length = strcspn(rest, "@");
		char	   *name;

		appendBinaryStringInfo(&text, rest, length);
		rest += length;
		if (*rest == '\0')
			break;
		length = strspn(++rest, "abcdefghijklmnopqrstuvwxyz_");
		name = pnstrdup(rest, length);
		append_place(&text, form, desc, name, many);
		pfree(name);
		rest += length;
	}
	plan->query = MemoryContextStrdup(TopMemoryContext, text.data);
	pfree(text.data);
}

/*
 * Append the replacement of "@name".
 */
static void
append_place(StringInfo text, const WriteForm *form, TupleDesc desc, const char *name,
			 bool many)
{
	bool		columns = strcmp(name, "columns") == 0;
	bool		values = strcmp(name, "values") == 0;
	bool		rows = strcmp(name, "rows") == 0;
	bool		found = false;
	int			i;

	if (rows && !many)
	{
		/* remove the blank before it, too */
		Assert(text->len > 0 && text->data[text->len - 1] == ' ');
		text->data[--text->len] = '\0';
		return;
	}
	if (rows)
	{
		appendStringInfoString(text, "FROM ROWS FROM (");
		for (i = 0; i < form->nargs; i++)
			appendStringInfo(text, "%spg_catalog.unnest($%d)", i > 0 ? ", " : "", i + 1);
		appendStringInfoString(text, ") AS u (");
	}
	for (i = 0; i < form->nargs; i++)
	{
		const char *column = NameStr(TupleDescAttr(desc, form->columns[i] - 1)->attname);

		if (columns || values || rows)
		{
			if (i > 0)
				appendStringInfoString(text, ", ");
			if (values)
				append_value(text, column, i, many);
			else
				appendStringInfoString(text, quote_identifier(column));
		}
		else if (strcmp(column, name) == 0)
		{
			append_value(text, column, i, many);
			found = true;
		}
	}
	if (rows)
		appendStringInfoChar(text, ')');
	if (!columns && !values && !rows && !found)
		elog(ERROR, "no column \"%s\" in \"%s\"", name, form->statement);
}

static void
append_value(StringInfo text, const char *column, int i, bool many)
{
	if (many)
		appendStringInfo(text, "u.%s", quote_identifier(column));
	else
		appendStringInfo(text, "$%d", i + 1);
}

/* ------------------------------------------------------------------ writes */

static void
make_room(WriteSet *set, int ncolumns, int nrows)
{
	if (set->nrows + nrows <= set->max_rows)
		return;
	set->max_rows = Max(set->nrows + nrows, set->max_rows == 0 ? nrows : set->max_rows * 2);
	if (set->values == NULL)
	{
		set->values = palloc(sizeof(Datum) * set->max_rows * ncolumns);
		set->nulls = palloc(sizeof(bool) * set->max_rows * ncolumns);
		return;
	}
	set->values = repalloc_huge(set->values, sizeof(Datum) * set->max_rows * ncolumns);
	set->nulls = repalloc_huge(set->nulls, sizeof(bool) * set->max_rows * ncolumns);
}

/* Caller has made room. */
static void
add_row(WriteForm *form, WriteSet *set, const WriteRow *row, bool copy)
{
	Datum	   *values = &set->values[set->nrows * form->ncolumns];
	bool	   *nulls = &set->nulls[set->nrows * form->ncolumns];
	int			i;

	for (i = 0; i < form->ncolumns; i++)
	{
		int			n = form->all[i] - 1;

		nulls[i] = row->nulls[n];
		if (nulls[i])
			values[i] = (Datum) 0;
		else
			values[i] = copy ? datumCopy(row->values[n], form->types[i].by_value,
										 form->types[i].length) : row->values[n];
	}
	set->nrows++;
}

/*
 * Gather rows of a run in the batch.
 */
static void
gather(RunState *rs, EngineWrite kind, const WriteRow *rows, int nrows)
{
	WriteForm  *form = ready_form(kind);
	WriteSet   *set = &batch->sets[kind];
	MemoryContext old;
	int			i;

	if (batch->nrows >= MAX_GATHERED ||
		(rs->written_generation == batch->generation + 1 &&
		 ((int) kind < rs->written || (form->once && (int) kind == rs->written))))
		orch_engine_flush();
	if (kind == WRITE_RUN &&
		(rs->starter == NULL ? batch->starter != NULL :
		 batch->starter == NULL || strcmp(batch->starter, rs->starter) != 0))
	{
		orch_engine_flush();
		batch->starter = rs->starter == NULL ? NULL :
			MemoryContextStrdup(MemoryContextGetParent(batch->context), rs->starter);
	}
	rs->written_generation = batch->generation + 1;
	rs->written = kind;

	old = MemoryContextSwitchTo(batch->context);
	make_room(set, form->ncolumns, set->max_rows == 0 ? Max(nrows, 64) : nrows);
	for (i = 0; i < nrows; i++)
		add_row(form, set, &rows[i], true);
	batch->nrows += nrows;
	MemoryContextSwitchTo(old);
}

/*
 * Write rows of a run: with the open batch, or now if no batch gathers.
 */
void
orch_engine_write(RunState *rs, EngineWrite kind, const WriteRow *rows, int nrows)
{
	if (orch_engine_gathers())
		gather(rs, kind, rows, nrows);
	else
		(void) orch_engine_write_now(rs, kind, rows, nrows, SCOPE_TRUSTED, NULL);
}

/*
 * Write rows of a run now, after everything that the batch gathered.  Returns the number
 * of rows written; rows that exist already are left out if the form allows it.
 */
uint64
orch_engine_write_now(RunState *rs, EngineWrite kind, const WriteRow *rows, int nrows,
					  ScopeKind scope_kind, const char *comments)
{
	WriteForm  *form = ready_form(kind);
	GuardScope	scope = {.kind = scope_kind, .comments = comments, .starter = rs->starter,
	.actor = rs->actor};
	Datum		values[MAX_WRITE_COLUMNS];
	bool		nulls[MAX_WRITE_COLUMNS];
	WriteSet	set = {.max_rows = 1, .values = values, .nulls = nulls};
	int			i;

	orch_engine_flush();
	if (nrows > 1)
	{
		set.max_rows = 0;
		set.values = NULL;
		make_room(&set, form->ncolumns, nrows);
	}
	for (i = 0; i < nrows; i++)
		add_row(form, &set, &rows[i], false);
	return write_set(kind, &set, &scope);
}

/*
 * Write everything that the batch gathered.
 */
void
orch_engine_flush(void)
{
	GuardScope	scope = {.kind = SCOPE_TRUSTED};
	Frame	   *frame;
	int			kind;

	if (batch == NULL || batch->nrows == 0)
		return;
	if (batch->nest_level != GetCurrentTransactionNestLevel())
		elog(ERROR, "writes of the engine wait outside of this subtransaction");
	orch_spi_connect();
	frame = orch_frame_push(FRAME_ENGINE, InvalidOid, NULL);
	scope.starter = batch->starter;
	for (kind = 0; kind < NUM_WRITES; kind++)
		if (batch->sets[kind].nrows > 0)
			(void) write_set(kind, &batch->sets[kind], &scope);
	orch_frame_pop(frame);
	SPI_finish();
	memset(batch->sets, 0, sizeof(batch->sets));
	MemoryContextReset(batch->context);
	batch->nrows = 0;
	batch->generation++;
}

/*
 * Write a set; returns the number of rows.
 */
static uint64
write_set(EngineWrite kind, const WriteSet *set, const GuardScope *scope)
{
	WriteForm  *form = ready_form(kind);
	void	   *arg[2];

	/* if a user's trigger fires, the guard must see each row */
	if (!form->direct || !only_our_own())
		return execute_form(form, set, scope);
	arg[0] = form;
	arg[1] = unconstify(WriteSet *, set);
	orch_multi_insert(form->relation, set->nrows, fill_row, arg);
	if (kind == WRITE_STAGE)
		note_new(LEVEL_STAGE, form, set);
	else if (kind == WRITE_STEP)
		note_new(LEVEL_STEP, form, set);
	return set->nrows;
}

/*
 * Write a set by its statement.
 */
static uint64
execute_form(WriteForm *form, const WriteSet *set, const GuardScope *scope)
{
	StaticPlan *plan = set->nrows == 1 ? &form->one : &form->many;
	GuardScope	own;
	Datum		arrays[MAX_WRITE_COLUMNS];
	char		nulls[MAX_WRITE_COLUMNS];
	Datum	   *values = arrays;
	Datum	   *elements = NULL;
	bool	   *element_nulls = NULL;
	int			lower_bound = 1;
	uint64		nwritten;
	int			i;
	int			j;

	if (set->nrows == 1)
		values = set->values;
	else
	{
		elements = palloc(sizeof(Datum) * set->nrows);
		element_nulls = palloc(sizeof(bool) * set->nrows);
	}
	for (i = 0; i < form->nargs; i++)
	{
		const ColumnType *type = &form->types[i];
		int			nrows = set->nrows;

		nulls[i] = ' ';
		if (nrows == 1)
		{
			if (set->nulls[i])
				nulls[i] = 'n';
			continue;
		}
		for (j = 0; j < nrows; j++)
		{
			elements[j] = set->values[j * form->ncolumns + i];
			element_nulls[j] = set->nulls[j * form->ncolumns + i];
		}
		arrays[i] = PointerGetDatum(construct_md_array(elements, element_nulls, 1, &nrows,
													   &lower_bound, type->type, type->length,
													   type->by_value, type->alignment));
	}
	own = *scope;
	if (form->relation != RELATION_RUN)
		own.starter = NULL;
	own.own_snapshot = form->may_exist;
	orch_guard_execute_in(&own, plan, values, nulls);
	nwritten = SPI_processed;

	/*
	 * A user's trigger may suppress rows that nothing else depends on: updates that
	 * change nothing (suppress_redundant_updates_trigger()), work items, queued steps.
	 */
	if (nwritten != (uint64) set->nrows && !form->may_exist &&
		(form->required || only_our_own()))
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("table \"%s\" took %d of %d rows of the engine",
						get_rel_name(form->relid), (int) nwritten, set->nrows),
				 errhint("A trigger on the table must not suppress rows.")));
	return nwritten;
}

static void
fill_row(int i, Datum *values, bool *nulls, void *arg)
{
	const WriteForm *form = ((void **) arg)[0];
	const WriteSet *set = ((void **) arg)[1];
	int			j;

	for (j = 0; j < form->ncolumns; j++)
	{
		values[form->all[j] - 1] = set->values[i * form->ncolumns + j];
		nulls[form->all[j] - 1] = set->nulls[i * form->ncolumns + j];
	}
}

/*
 * Do what the guard does with new stages and steps: note their milestones for the log,
 * and the rows for history and feed.
 */
static void
note_new(Level level, const WriteForm *form, const WriteSet *set)
{
	int			status_column = level == LEVEL_STAGE ? Anum_stage_run_status : Anum_step_run_status;
	Relation	relation = NULL;
	Datum		values[MAX_WRITE_COLUMNS];
	bool		nulls[MAX_WRITE_COLUMNS];
	int			i;

	StaticAssertStmt(MAX_WRITE_COLUMNS >= Natts_stage_run && MAX_WRITE_COLUMNS >= Natts_step_run,
					 "the arrays hold a whole row");
	if (orch_history_notes_new(level))
		relation = table_open(form->relid, NoLock);
	for (i = 0; i < set->nrows; i++)
	{
		const Transition *transition;
		int			status;
		void	   *arg[2];

		arg[0] = unconstify(WriteForm *, form);
		arg[1] = unconstify(WriteSet *, set);
		memset(nulls, true, sizeof(nulls));
		fill_row(i, values, nulls, arg);
		status = orch_transition_status_value(level, DatumGetObjectId(values[status_column - 1]));
		transition = orch_transition_find(level, STATUS_NEW, status);
		if (relation != NULL)
		{
			HeapTuple	tuple = heap_form_tuple(RelationGetDescr(relation), values, nulls);

			orch_history_note(level, NULL, tuple, RelationGetDescr(relation), true, false);
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

/* The open batch takes over the state, and deletes it later. */
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
 * The guard is about to change rows of the run, so that its state in memory becomes stale.
 * Everything gathered is written first, and the batch forgets the state: the next call for
 * this run reads it again.
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
 * A user's code is about to run, and may read or write anything.  Everything gathered is
 * written first, and the states of all runs are forgotten.
 */
void
orch_engine_step_aside(RunState *rs)
{
	if (!orch_engine_gathers())
		return;
	orch_engine_leave_batch(rs);
	forget_states();
}

static void
forget_states(void)
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
orch_engine_batch_init(void)
{
	orch_transaction_register(&module);
}
