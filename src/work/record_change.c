/*-------------------------------------------------------------------------
 *
 * record_change.c
 *	  Consequences of changes of registered tables' rows.
 *
 * A row trigger keeps lookups to the record up to date and notes the row's consequences.  A
 * statement trigger processes them for all rows at once: it refuses changes of locked
 * records, starts runs, and lets the engine evaluate again the conditions of runs that wait
 * for a record.  Filters are evaluated in the row trigger, so that a statement over a
 * million rows keeps only keys and the rows that start a run.  Above MAX_NOTED entries they
 * are processed immediately, to bound memory.
 *
 * Statements nest: a user's trigger, or an action of a run that was started here, may change
 * registered tables before the end of the outer statement.  A noted entry belongs to one
 * statement, and only that statement's trigger processes it.  A statement is identified by
 * the level of its subtransaction, the depth of its triggers and its table; no two
 * statements that share these wait at the same time.  So a subtransaction that is rolled
 * back loses only entries that were noted in it.
 *
 * Between the row trigger and the end of the statement, triggers and other statements may
 * change or delete the row.  It is read again before its consequences, by its place in the
 * table, from where an update leads to the next version.  This takes no query and runs no
 * code of the table's owner.
 *
 * A statement on a partition under the partition's own name fires no statement trigger: its
 * rows are processed one by one.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/record_change.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/tupconvert.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "access/access.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/system.h"
#include "base/transaction.h"
#include "base/uuid.h"
#include "definition/definition.h"
#include "engine/engine.h"
#include "guard/guard.h"
#include "record/gate.h"
#include "record/principal.h"
#include "record/record.h"
#include "record/record_key.h"
#include "record/record_partition.h"
#include "work/record_change.h"
#include "work/run.h"
#include "work/unlock.h"

/* With more entries a statement does not wait for its end. */
#define MAX_NOTED	10000

#define TRIGGER_DEPTH() \
	DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0))

/* One consequence of a row. */
typedef struct Noted
{
	Oid			relation;		/* of the row: the table or a partition */
	ItemPointerData tid;		/* where the row was */
	char	   *key;
	const Definition *definition;	/* start this, or NULL: the record changed */
	Jsonb	   *record;			/* of a start */
	Jsonb	   *prior;
} Noted;

/* The consequences of the rows of a statement. */
typedef struct NotedSet
{
	struct NotedSet *next;
	int			nest_level;		/* of the subtransaction */
	int			trigger_depth;
	Oid			registered;		/* the table */
	MemoryContext context;		/* of this struct and the entries */
	List	   *entries;		/* of Noted *, in the order of the rows */
} NotedSet;

/* Sets that wait for the end of their statement, the innermost first. */
static NotedSet *noted = NULL;

/* What the transaction has warned of: char *, in TopTransactionContext. */
static List *warned = NIL;

static StaticPlan plan_locked = {
	"SELECT w.related_record_id, " LOCK_EDITORS
	" FROM orchestration.work_item w"
	" WHERE w.related_record_type = $1 AND w.related_record_id = ANY ($2)"
	"   AND w.record_locked AND w.status = 'Assigned'",
	2, {TEXTOID, TEXTARRAYOID}
};
static StaticPlan plan_locked_gone = {
	"SELECT w.related_record_id, " LOCK_EDITORS
	" FROM orchestration.work_item w"
	" WHERE w.related_record_type = $1 AND w.related_record_id IS NOT NULL"
	"   AND w.record_locked AND w.status = 'Assigned'"
	"   AND NOT orchestration.record_exists(w.related_record_type, w.related_record_id)",
	1, {TEXTOID}
};

/* Runs that are moved together; bounds the memory. */
#define RUNS_AT_ONCE 500

/* runs about these records, and runs with such a record in a variable */
static StaticPlan plan_waiting = {
	"SELECT id, version_id, current_stage, true FROM orchestration.run"
	" WHERE triggering_record_type = $1 AND triggering_record_id = ANY ($2)"
	"   AND status = 'InProgress' AND version_id IS NOT NULL"
	" UNION ALL SELECT r.id, r.version_id, r.current_stage, false"
	" FROM orchestration.run_record b JOIN orchestration.run r ON r.id = b.run_id"
	" WHERE b.record_type = $1 AND b.record_key = ANY ($2)"
	"   AND r.status = 'InProgress' AND r.version_id IS NOT NULL"
	" ORDER BY 1",
	2, {TEXTOID, TEXTARRAYOID}
};
static StaticPlan plan_still_waits = {
	"SELECT 1 FROM orchestration.run r WHERE r.id = $1 AND r.status = 'InProgress'"
	" AND (r.triggering_record_type = $2 AND r.triggering_record_id IS NOT NULL"
	"   OR EXISTS (SELECT FROM orchestration.run_record b"
	"     WHERE b.run_id = $1 AND b.record_type = $2)) FOR NO KEY UPDATE OF r",
	2, {UUIDOID, TEXTOID}
};

static void row_deleted(const char *type, const char *key);
static void note_row(Oid registered, const char *type, const char *key,
					 Relation relation, HeapTuple row, HeapTuple old_row);
static bool is_triggered(const StartRequest *request);
static void say_definition(void *arg);
static bool warn_first(const char *what);
static NotedSet *waiting_set(Oid registered);
static NotedSet *make_set(Oid registered);
static void note(Oid registered, Relation relation, HeapTuple row, const char *key,
				 const Definition *definition, Jsonb *record, Jsonb *prior);
static void deal_with(Oid registered, const char *type, List *key_columns);
static bool look_up(Oid registered, Noted *entry, List *key_columns);
static void start_all(NotedSet *set, const char *type, List *key_columns);
static void refuse_locked(StaticPlan *plan, const char *type, Datum keys);
static void look_again(const char *type, Datum keys);
static bool still_waits(const pg_uuid_t *run_id, const char *type);
static Jsonb *row_to_jsonb(Oid registered, Relation relation, HeapTuple tuple);

PG_FUNCTION_INFO_V1(orchestration_record_change);

/*
 * orchestration_internal.record_change() returns trigger
 *
 * AFTER INSERT OR UPDATE OR DELETE ROW, AFTER INSERT OR UPDATE STATEMENT and AFTER TRUNCATE
 * of registered tables: updates lookups to the record, starts the orchestrations that the
 * record triggers, and lets runs that wait for the record go on.  Returns null.
 * Raises: 39P01 if not called as such a trigger, OR007 for a record that an approval has
 * locked, and as start_orchestration().
 * Source: flow-metadata.md, "start"; contract/lifecycle.md, "Conditions".
 */
Datum
orchestration_record_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	relation;
	Oid			registered;
	char	   *type = NULL;
	List	   *key_columns = NIL;
	RecordKey	key_at;
	const char *missing;
	char	   *key;
	HeapTuple	row;
	HeapTuple	old_row = NULL;
	NotedSet   *set;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an AFTER trigger",
						"record_change")));
	relation = trigdata->tg_relation;
	registered = orch_record_registered(RelationGetRelid(relation),
										relation->rd_rel->relispartition, &type,
										&key_columns);
	if (type == NULL)
		return PointerGetDatum(NULL);	/* registered no more */

	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
	{
		refuse_locked(&plan_locked_gone, type, (Datum) 0);
		/* of a table with children, those may still have rows */
		if (registered == RelationGetRelid(relation) &&
			(relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE || !has_subclass(registered)))
			orch_record_clear_lookups(type);
		else
			orch_record_clear_dangling(type);
		orch_frame_record_moved(type, NULL, NULL);
		return PointerGetDatum(NULL);
	}
	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
	{
		deal_with(registered, type, key_columns);
		return PointerGetDatum(NULL);
	}
	/* the dump has the runs that these rows started */
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) &&
		orch_guard_is_restoring(RelationGetRelid(relation), relation->rd_rel->relispartition))
		return PointerGetDatum(NULL);
	missing = orch_record_key_columns(RelationGetDescr(relation), key_columns, &key_at);
	if (missing != NULL)
	{
		if (warn_first(psprintf("%s %s", type, missing)))
			ereport(WARNING,
					(errcode(ERRCODE_ORCH_UNKNOWN_RECORD_TYPE),
					 errmsg("changes of table \"%s\" start no orchestrations: it has no column \"%s\", the key of record type \"%s\"",
							RelationGetRelationName(relation), missing, type),
					 errhint("Call orchestration.register_record_type() again, with another key.")));
		return PointerGetDatum(NULL);
	}

	/* a row whose key has a null is no record; its table may have lost NOT NULL */
	key = orch_record_row_id(relation, trigdata->tg_trigtuple, &key_at);
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		if (key != NULL)
			row_deleted(type, key);
		return PointerGetDatum(NULL);
	}
	row = trigdata->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		char	   *old_key = key;

		old_row = row;
		row = trigdata->tg_newtuple;
		if (!orch_record_same_key(relation, old_row, row, &key_at))
			key = orch_record_row_id(relation, row, &key_at);
		if (old_key == NULL)
			old_row = NULL;		/* it becomes a record */
		else if (key == NULL)
			row_deleted(type, old_key);
		else if (strcmp(key, old_key) != 0)
		{
			orch_record_move_lookups(type, old_key, key);
			orch_frame_record_moved(type, old_key, key);
		}
	}
	if (key == NULL)
		return PointerGetDatum(NULL);
	note_row(registered, type, key, relation, row, old_row);
	set = waiting_set(registered);
	if (set != NULL &&
		(relation->rd_rel->relispartition || list_length(set->entries) > MAX_NOTED))
		deal_with(registered, type, key_columns);
	return PointerGetDatum(NULL);
}

/*
 * A record was deleted.
 */
static void
row_deleted(const char *type, const char *key)
{
	Datum		element = CStringGetTextDatum(key);

	refuse_locked(&plan_locked, type,
				  PointerGetDatum(construct_array(&element, 1, TEXTOID, -1, false,
												  TYPALIGN_INT)));
	orch_record_move_lookups(type, key, NULL);
	orch_frame_record_moved(type, key, NULL);
}

/*
 * Note the runs that a written row starts and, for an updated row (old_row is not NULL), that
 * the record changed.
 */
static void
note_row(Oid registered, const char *type, const char *key, Relation relation,
		 HeapTuple row, HeapTuple old_row)
{
	Jsonb	   *record = NULL;
	Jsonb	   *prior = NULL;
	ListCell   *cell;

	foreach(cell, orch_definition_hold_triggered_by(type))
	{
		const Definition *def = (const Definition *) lfirst(cell);
		StartRequest request;
		pg_uuid_t	started_by;

		CHECK_FOR_INTERRUPTS();
		if (def->record_trigger == (old_row != NULL ? RECORD_TRIGGER_CREATE :
									RECORD_TRIGGER_UPDATE))
			continue;
		/* a change by a run's own steps does not start the same orchestration again */
		if (orch_frame_moves(&def->orchestration_id, type, key))
			continue;
		if (record == NULL)
		{
			record = row_to_jsonb(registered, relation, row);
			if (old_row != NULL)
				prior = row_to_jsonb(registered, relation, old_row);
		}
		memset(&request, 0, sizeof(request));
		request.definition = def;
		request.record_type = type;
		request.record_key = key;
		request.record = record;
		request.prior = prior;
		orch_engine_set_starter(&request, &started_by);
		if (is_triggered(&request))
			note(registered, relation, row, key, def, record, prior);
	}
	if (old_row != NULL)
		note(registered, relation, row, key, NULL, NULL, NULL);
}

/*
 * Do the filters of a definition hold?  If they read a field that the table does not have,
 * nobody knows.  The statement of the application matters more than the start: it was right
 * before the column was dropped, and may come from a program that knows nothing of
 * orchestrations.  So nothing starts, with a warning; the session that dropped the column was
 * warned, and verify() and record_type_problems() report the field.  An error of another kind
 * fails the statement, and says which orchestration it is about.
 */
static bool
is_triggered(const StartRequest *request)
{
	const char *missing;
	ErrorContextCallback context;
	bool		result;

	context.callback = say_definition;
	context.arg = unconstify(Definition *, request->definition);
	context.previous = error_context_stack;
	error_context_stack = &context;
	result = orch_engine_triggered(request, &missing);
	error_context_stack = context.previous;
	if (missing != NULL &&
		warn_first(psprintf("%s %s", request->definition->name, missing)))
		ereport(WARNING,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("orchestration \"%s\" was not started: its start reads field \"%s\", which record type \"%s\" does not have",
						request->definition->name, missing, request->record_type),
				 errhint("Give its table such a column, or activate a version that reads another.")));
	return result;
}

static void
say_definition(void *arg)
{
	const Definition *def = arg;

	errcontext("filter of the start of orchestration \"%s\", version %d", def->name,
			   def->version);
}

/*
 * Has this transaction not warned of it yet?  A statement may concern a million rows.
 */
static bool
warn_first(const char *what)
{
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, warned)
		if (strcmp(lfirst(cell), what) == 0)
			return false;
	old = MemoryContextSwitchTo(TopTransactionContext);
	warned = lappend(warned, pstrdup(what));
	MemoryContextSwitchTo(old);
	return true;
}

/*
 * The set of the current statement, NULL if nothing was noted.
 */
static NotedSet *
waiting_set(Oid registered)
{
	int			nest_level = GetCurrentTransactionNestLevel();
	int			trigger_depth = TRIGGER_DEPTH();
	NotedSet   *set;

	for (set = noted; set != NULL; set = set->next)
		if (set->nest_level == nest_level && set->trigger_depth == trigger_depth &&
			set->registered == registered)
			return set;
	return NULL;
}

static NotedSet *
make_set(Oid registered)
{
	/* it ends with its subtransaction */
	MemoryContext context = AllocSetContextCreate(CurTransactionContext,
												  "orchestration record changes",
												  ALLOCSET_DEFAULT_SIZES);
	NotedSet   *set = MemoryContextAllocZero(context, sizeof(NotedSet));

	set->nest_level = GetCurrentTransactionNestLevel();
	set->trigger_depth = TRIGGER_DEPTH();
	set->registered = registered;
	set->context = context;
	set->next = noted;
	noted = set;
	return set;
}

static void
note(Oid registered, Relation relation, HeapTuple row, const char *key,
	 const Definition *definition, Jsonb *record, Jsonb *prior)
{
	NotedSet   *set = waiting_set(registered);
	MemoryContext old;
	Noted	   *entry;

	if (set == NULL)
		set = make_set(registered);
	old = MemoryContextSwitchTo(set->context);
	entry = palloc0(sizeof(Noted));
	entry->relation = RelationGetRelid(relation);
	entry->tid = row->t_self;
	entry->key = pstrdup(key);
	entry->definition = definition;
	if (record != NULL)
		entry->record = DatumGetJsonbPCopy(JsonbPGetDatum(record));
	if (prior != NULL && definition->reads_prior)
		entry->prior = DatumGetJsonbPCopy(JsonbPGetDatum(prior));
	set->entries = lappend(set->entries, entry);
	MemoryContextSwitchTo(old);
}

/*
 * Process the set of the current statement: refuse changes of locked records, then start
 * runs, then let waiting runs go on.
 */
static void
deal_with(Oid registered, const char *type, List *key_columns)
{
	NotedSet   *set = waiting_set(registered);
	NotedSet  **link;
	ListCell   *cell;
	Datum	   *keys;
	int			nkeys = 0;
	Datum		key_array;

	if (set == NULL)
		return;
	/* consequences may come back here: take the set out of the list first */
	for (link = &noted; *link != set; link = &(*link)->next)
		;
	*link = set->next;

	keys = palloc(sizeof(Datum) * Max(list_length(set->entries), 1));
	foreach(cell, set->entries)
	{
		Noted	   *entry = lfirst(cell);

		if (entry->definition == NULL && look_up(set->registered, entry, key_columns))
			keys[nkeys++] = CStringGetTextDatum(entry->key);
	}
	key_array = PointerGetDatum(construct_array(keys, nkeys, TEXTOID, -1, false,
												TYPALIGN_INT));
	if (nkeys > 0)
		refuse_locked(&plan_locked, type, key_array);
	start_all(set, type, key_columns);
	if (nkeys > 0)
		look_again(type, key_array);
	MemoryContextDelete(set->context);
}

/*
 * Does the noted row still exist?  If it was changed since, its key and record are set anew.
 */
static bool
look_up(Oid registered, Noted *entry, List *key_columns)
{
	Relation	relation = table_open(entry->relation, NoLock);
	TupleTableSlot *slot;
	bool		found;

	if (relation->rd_rel->relkind != RELKIND_RELATION)
	{
		table_close(relation, NoLock);
		return true;			/* rows of a foreign table have no place */
	}
	slot = table_slot_create(relation, NULL);
	found = table_tuple_fetch_row_version(relation, &entry->tid, SnapshotSelf, slot);
	if (!found)
	{
		TableScanDesc scan = table_beginscan_tid(relation, SnapshotSelf);
		ItemPointerData tid = entry->tid;

		table_tuple_get_latest_tid(scan, &tid);
		table_endscan(scan);
		found = table_tuple_fetch_row_version(relation, &tid, SnapshotSelf, slot);
		if (found)
		{
			bool		free_tuple;
			HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, true, &free_tuple);
			RecordKey	key_at;

			entry->tid = tid;
			entry->key = orch_record_key_columns(RelationGetDescr(relation), key_columns,
												 &key_at) != NULL ? NULL :
				orch_record_row_id(relation, tuple, &key_at);
			found = entry->key != NULL;
			if (found && entry->definition != NULL)
				entry->record = row_to_jsonb(registered, relation, tuple);
			if (free_tuple)
				heap_freetuple(tuple);
		}
	}
	ExecDropSingleTupleTableSlot(slot);
	table_close(relation, NoLock);
	return found;
}

/*
 * Start the noted runs, together.
 */
static void
start_all(NotedSet *set, const char *type, List *key_columns)
{
	StartRequest common;
	pg_uuid_t	started_by;
	SystemContext saved;
	EngineBatch *batch = NULL;
	ListCell   *cell;
	int			nstarts = 0;

	foreach(cell, set->entries)
		nstarts += ((Noted *) lfirst(cell))->definition != NULL;
	if (nstarts == 0)
		return;
	memset(&common, 0, sizeof(common));
	common.record_type = type;
	common.record_locked = true;	/* just written */
	orch_engine_set_starter(&common, &started_by);
	orch_system_enter(&saved);
	if (nstarts > 1)
		batch = orch_engine_batch_begin();
	foreach(cell, set->entries)
	{
		Noted	   *entry = lfirst(cell);
		StartRequest request = common;
		pg_uuid_t	run_id;

		if (entry->definition == NULL)
			continue;
		CHECK_FOR_INTERRUPTS();
		/* a trigger, or the run before this one, may have deleted it */
		if (!look_up(set->registered, entry, key_columns))
			continue;
		request.definition = entry->definition;
		request.record_key = entry->key;
		request.record = entry->record;
		request.prior = entry->prior;
		orch_engine_start(&request, &run_id);
	}
	orch_engine_batch_end(batch);
	orch_system_leave(&saved);
}

/*
 * An approval can lock its record (shouldLock).  Until it is answered, only users with Modify
 * All Data may change the record, and the assignee, if the definition allows it.  Actions may
 * change it, because they belong to the process.
 */
static void
refuse_locked(StaticPlan *plan, const char *type, Datum keys)
{
	Frame	   *frame = orch_frame_top();
	Oid			role = GetUserId();
	Datum		values[2];
	SystemContext saved;
	char	   *locked = NULL;
	MemoryContext caller = CurrentMemoryContext;
	uint64		i;

	if (frame != NULL && frame->kind == FRAME_ACTION)
		return;
	values[0] = CStringGetTextDatum(type);
	values[1] = keys;
	orch_system_connect(&saved);
	orch_plan_execute_latest(plan, values, NULL, 0);
	for (i = 0; i < SPI_processed && locked == NULL; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		AccessSet  *set = orch_access_of_role(role);
		Datum		editors;
		bool		isnull;

		if (orch_access_is_unlimited(set) ||
			(set->permissions & PERMISSION_MODIFY_ALL_DATA) != 0)
			break;
		editors = SPI_getbinval(tuple, desc, 2, &isnull);
		if (!isnull && orch_record_lock_lets(set, editors))
			continue;
		locked = MemoryContextStrdup(caller, SPI_getvalue(tuple, desc, 1));
	}
	orch_system_finish(&saved);
	if (locked != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_LOCKED),
				 errmsg("record \"%s\" of type \"%s\" is locked for an approval", locked, type),
				 errhint("Change it when the approval is answered, or let an administrator call orchestration.unlock_record().")));
}

/*
 * Let the engine evaluate the conditions of runs that wait for these records again: the open
 * stage of the run reads the record that the run is about, or one in a variable.
 */
static void
look_again(const char *type, Datum keys)
{
	Datum		values[2];
	SystemContext saved;
	pg_uuid_t  *run_ids;
	int			nruns = 0;
	uint64		i;
	uint64		actions;
	int			n;
	int			end;

	values[0] = CStringGetTextDatum(type);
	values[1] = keys;
	orch_system_connect(&saved);
	actions = orch_frame_actions();
	orch_plan_execute_latest(&plan_waiting, values, NULL, 0);
	run_ids = palloc(sizeof(pg_uuid_t) * Max(SPI_processed, 1));
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		pg_uuid_t  *id = DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
		pg_uuid_t  *version = DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
		char	   *stage = SPI_getvalue(tuple, desc, 3);
		const Definition *def;
		int			index;

		/* a run that is being moved reads the record again anyway */
		if (stage == NULL || orch_frame_engine(id) != NULL)
			continue;
		def = orch_definition_get(version);
		index = orch_definition_stage_index(def, stage);
		if (index >= 0 &&
			(DatumGetBool(SPI_getbinval(tuple, desc, 4, &isnull)) ?
			 def->stages[index].reads_record : def->stages[index].reads_variables) &&
			(nruns == 0 || !orch_uuid_equal(&run_ids[nruns - 1], id)))
			run_ids[nruns++] = *id;
	}
	for (n = 0; n < nruns; n = end)
	{
		EngineBatch *batch = NULL;

		end = Min(n + RUNS_AT_ONCE, nruns);
		if (nruns > 1)
		{
			batch = orch_engine_batch_begin();
			orch_engine_load_runs(&run_ids[n], end - n);
		}
		for (; n < end; n++)
		{
			CHECK_FOR_INTERRUPTS();
			/* a run before may have ended this one, or deleted its record */
			if ((batch == NULL || orch_frame_actions() != actions) &&
				!still_waits(&run_ids[n], type))
				continue;
			orch_engine_go_on(&run_ids[n], false);
		}
		orch_engine_batch_end(batch);
	}
	orch_system_finish(&saved);
}

/*
 * Lock a run, if it still waits for a record of the type and is in progress.
 */
static bool
still_waits(const pg_uuid_t *run_id, const char *type)
{
	Datum		values[2];

	values[0] = UUIDPGetDatum(run_id);
	values[1] = CStringGetTextDatum(type);
	orch_plan_execute_latest(&plan_still_waits, values, NULL, 0);
	return SPI_processed > 0;
}

/*
 * to_jsonb() of a row.  That of a child table has the columns of the registered table, as when
 * it is read there.
 */
static Jsonb *
row_to_jsonb(Oid registered, Relation relation, HeapTuple tuple)
{
	Relation	target = relation;
	Oid			type;
	FmgrInfo	flinfo;
	Expr	   *argument;
	Gate		gate;
	Jsonb	   *result;

	if (registered != RelationGetRelid(relation) && !relation->rd_rel->relispartition)
	{
		TupleConversionMap *map;

		target = table_open(registered, AccessShareLock);
		map = convert_tuples_by_name(RelationGetDescr(relation), RelationGetDescr(target));
		if (map != NULL)
			tuple = execute_attr_map_tuple(tuple, map);
	}
	type = target->rd_rel->reltype;
	/* a cast of a column's type may be users' code, which must not run as the writing user */
	orch_gate_enter_table(&gate, RelationGetRelid(relation));
	orch_record_fix_settings_for(RelationGetDescr(relation));
	fmgr_info(F_TO_JSONB, &flinfo);
	argument = (Expr *) makeNullConst(type, -1, InvalidOid);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID,
											 list_make1(argument), InvalidOid,
											 InvalidOid, COERCE_EXPLICIT_CALL),
					   &flinfo);
	result = DatumGetJsonbP(FunctionCall1(&flinfo,
										  heap_copy_tuple_as_datum(tuple,
																   RelationGetDescr(target))));
	orch_gate_leave(&gate);
	if (target != relation)
		table_close(target, NoLock);
	return result;
}

/*
 * A subtransaction ended: its entries become the parent's or are forgotten.  Their
 * memory goes with the subtransaction.
 */
static void
at_subxact_end(int level, bool committed)
{
	NotedSet   *entry;

	while (!committed && noted != NULL && noted->nest_level >= level)
		noted = noted->next;
	for (entry = noted; entry != NULL && entry->nest_level >= level; entry = entry->next)
		entry->nest_level = level - 1;
}

/*
 * The transaction ended, and with it the memory of the sets.
 */
static void
at_xact_end(bool committed)
{
	noted = NULL;
	warned = NIL;
}

static const TransactionModule module = {
	.name = "record_change",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_record_change_init(void)
{
	orch_transaction_register(&module);
}
