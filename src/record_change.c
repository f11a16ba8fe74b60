/*-------------------------------------------------------------------------
 *
 * record_change.c
 *	  What a change of a registered table's rows sets off.
 *
 * A row trigger keeps lookups true and notes what the row sets off; the statement
 * trigger does that for all rows at once: it refuses changes of locked records,
 * starts runs, and lets the engine look again at runs that wait for a record.
 * Filters are evaluated when the row is seen, so that a statement over a million
 * rows keeps only those that start something, and keys; of those too many are not
 * kept, they are dealt with on the way.
 *
 * A row of a partition that was written under its own name has no statement
 * trigger: there every row is dealt with at once.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record_change.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "access.h"
#include "definition.h"
#include "engine.h"
#include "errors.h"
#include "frame.h"
#include "principal.h"
#include "record.h"
#include "record_change.h"
#include "system.h"
#include "uuid.h"

/* More are not kept until the end of the statement. */
#define MAX_NOTED	10000

/* What a row sets off. */
typedef struct Noted
{
	int			nest_level;		/* of the subtransaction */
	Oid			relation;		/* that is registered */
	char	   *key;
	const Definition *definition;	/* start this, or NULL: the record changed */
	Jsonb	   *record;			/* of a start */
	Jsonb	   *prior;
} Noted;

static List *noted = NIL;		/* of Noted *, in the order of the rows */
static MemoryContext noted_context = NULL;

static StaticPlan plan_locked = {
	"SELECT w.related_record_id, w.assignee_id, w.assignee_can_edit"
	" FROM orchestration.work_item w"
	" WHERE w.related_record_type = $1 AND w.related_record_id = ANY ($2)"
	"   AND w.record_locked AND w.status = 'Assigned'",
	2, {TEXTOID, TEXTARRAYOID}
};
/* runs that are looked at again together: bounds the memory */
#define RUNS_AT_ONCE 500

static StaticPlan plan_waiting = {
	"SELECT id, version_id, current_stage FROM orchestration.run"
	" WHERE triggering_record_type = $1 AND triggering_record_id = ANY ($2)"
	"   AND status = 'InProgress' AND version_id IS NOT NULL ORDER BY id",
	2, {TEXTOID, TEXTARRAYOID}
};

static Oid	registered_relation(Relation relation, char **type, char **key_column);
static void note_row(Oid registered, const char *type, const char *key,
					 Relation relation, HeapTuple row, HeapTuple old_row);
static void note(Oid relation, const char *key, const Definition *definition,
				 Jsonb *record, Jsonb *prior);
static void deal_with(Oid relation, const char *type);
static void start_all(List *entries, const char *type);
static void refuse_locked(const char *type, Datum keys);
static void look_again(const char *type, Datum keys);
static Jsonb *row_to_jsonb(Relation relation, HeapTuple tuple);

PG_FUNCTION_INFO_V1(orchestration_record_change);

/*
 * orchestration.record_change() returns trigger
 *
 * AFTER INSERT OR UPDATE OR DELETE ROW, AFTER INSERT OR UPDATE STATEMENT and AFTER
 * TRUNCATE of registered tables: keeps lookups to the record true, starts the
 * orchestrations that it triggers (flow-metadata.md, "start") and lets runs that
 * wait for it go on (contract/lifecycle.md, "Conditions").  Raises 39P01 when not
 * called as such a trigger, OR007 for a record that an approval locks, and whatever
 * starting raises.
 */
Datum
orchestration_record_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	relation;
	TupleDesc	desc;
	Oid			registered;
	char	   *type = NULL;
	char	   *key_column = NULL;
	char	   *key;
	int			attnum;
	Datum		element;
	HeapTuple	row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an AFTER trigger",
						"record_change")));
	relation = trigdata->tg_relation;
	desc = RelationGetDescr(relation);
	registered = registered_relation(relation, &type, &key_column);
	if (type == NULL)
		return PointerGetDatum(NULL);	/* registered no more */

	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
	{
		if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
			orch_record_clear_lookups(type);
		else
			deal_with(registered, type);
		return PointerGetDatum(NULL);
	}
	attnum = SPI_fnumber(desc, key_column);
	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_RECORD_TYPE),
				 errmsg("table \"%s\" of record type \"%s\" has no column \"%s\" any more",
						RelationGetRelationName(relation), type, key_column),
				 errhint("Register the record type again.")));
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		key = SPI_getvalue(trigdata->tg_trigtuple, desc, attnum);
		element = CStringGetTextDatum(key);
		refuse_locked(type, PointerGetDatum(construct_array(&element, 1, TEXTOID, -1,
															false, TYPALIGN_INT)));
		orch_record_move_lookups(type, key, NULL);
		return PointerGetDatum(NULL);
	}
	row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple :
		trigdata->tg_trigtuple;
	key = SPI_getvalue(row, desc, attnum);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		char	   *old_key = SPI_getvalue(trigdata->tg_trigtuple, desc, attnum);

		if (strcmp(key, old_key) != 0)
			orch_record_move_lookups(type, old_key, key);
		note_row(registered, type, key, relation, row, trigdata->tg_trigtuple);
	}
	else
		note_row(registered, type, key, relation, row, NULL);
	if (relation->rd_rel->relispartition || list_length(noted) > MAX_NOTED)
		deal_with(registered, type);
	return PointerGetDatum(NULL);
}

/*
 * The registered table that a relation is, or is a partition of.
 */
static Oid
registered_relation(Relation relation, char **type, char **key_column)
{
	List	   *ancestors;
	ListCell   *cell;

	*type = orch_record_type_of(RelationGetRelid(relation), key_column);
	if (*type != NULL || !relation->rd_rel->relispartition)
		return RelationGetRelid(relation);
	ancestors = get_partition_ancestors(RelationGetRelid(relation));
	foreach(cell, ancestors)
	{
		*type = orch_record_type_of(lfirst_oid(cell), key_column);
		if (*type != NULL)
			return lfirst_oid(cell);
	}
	return InvalidOid;
}

/*
 * What a written row sets off: starts, and that it changed (old_row is there).
 */
static void
note_row(Oid registered, const char *type, const char *key, Relation relation,
		 HeapTuple row, HeapTuple old_row)
{
	Jsonb	   *record = NULL;
	Jsonb	   *prior = NULL;
	ListCell   *cell;

	foreach(cell, orch_definition_triggered_by(type))
	{
		const Definition *def = (const Definition *) lfirst(cell);
		StartRequest request;
		pg_uuid_t	started_by;

		CHECK_FOR_INTERRUPTS();
		if (def->record_trigger == (old_row != NULL ? RECORD_TRIGGER_CREATE :
									RECORD_TRIGGER_UPDATE))
			continue;
		if (record == NULL)
		{
			record = row_to_jsonb(relation, row);
			if (old_row != NULL)
				prior = row_to_jsonb(relation, old_row);
		}
		memset(&request, 0, sizeof(request));
		request.definition = def;
		request.record_type = type;
		request.record_key = key;
		request.record = record;
		request.prior = prior;
		orch_run_set_starter(&request, &started_by);
		if (orch_engine_triggered(&request))
			note(registered, key, def, record, prior);
	}
	if (old_row != NULL)
		note(registered, key, NULL, NULL, NULL);
}

static void
note(Oid relation, const char *key, const Definition *definition, Jsonb *record,
	 Jsonb *prior)
{
	MemoryContext old;
	Noted	   *entry;

	if (noted_context == NULL)
		noted_context = AllocSetContextCreate(TopTransactionContext,
											  "orchestration record changes",
											  ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(noted_context);
	entry = palloc0(sizeof(Noted));
	entry->nest_level = GetCurrentTransactionNestLevel();
	entry->relation = relation;
	entry->key = pstrdup(key);
	entry->definition = definition;
	if (record != NULL)
		entry->record = DatumGetJsonbPCopy(JsonbPGetDatum(record));
	if (prior != NULL && definition->reads_prior)
		entry->prior = DatumGetJsonbPCopy(JsonbPGetDatum(prior));
	noted = lappend(noted, entry);
	MemoryContextSwitchTo(old);
}

/*
 * Deal with what was noted of a table: first what is forbidden, then what
 * begins, then what goes on.
 */
static void
deal_with(Oid relation, const char *type)
{
	List	   *mine = NIL;
	List	   *others = NIL;
	ListCell   *cell;
	Datum	   *keys;
	int			nkeys = 0;
	Datum		key_array;
	MemoryContext context;
	MemoryContext old;

	/* what these set off may come back here: they are taken out first */
	foreach(cell, noted)
	{
		Noted	   *entry = lfirst(cell);

		if (entry->relation == relation)
			mine = lappend(mine, entry);
	}
	if (mine == NIL)
		return;
	context = noted_context;
	if (list_length(mine) == list_length(noted))
	{
		noted = NIL;
		noted_context = NULL;
	}
	else
	{
		old = MemoryContextSwitchTo(noted_context);
		foreach(cell, noted)
			if (((Noted *) lfirst(cell))->relation != relation)
				others = lappend(others, lfirst(cell));
		noted = others;
		MemoryContextSwitchTo(old);
	}

	keys = palloc(sizeof(Datum) * list_length(mine));
	foreach(cell, mine)
		if (((Noted *) lfirst(cell))->definition == NULL)
			keys[nkeys++] = CStringGetTextDatum(((Noted *) lfirst(cell))->key);
	key_array = PointerGetDatum(construct_array(keys, nkeys, TEXTOID, -1, false,
												TYPALIGN_INT));
	if (nkeys > 0)
		refuse_locked(type, key_array);
	start_all(mine, type);
	if (nkeys > 0)
		look_again(type, key_array);
	if (noted_context != context)
		MemoryContextDelete(context);
}

/*
 * Start the runs that were noted, together.
 */
static void
start_all(List *entries, const char *type)
{
	StartRequest common;
	pg_uuid_t	started_by;
	SystemContext saved;
	EngineBatch *batch = NULL;
	ListCell   *cell;
	int			nstarts = 0;

	foreach(cell, entries)
		nstarts += ((Noted *) lfirst(cell))->definition != NULL;
	if (nstarts == 0)
		return;
	memset(&common, 0, sizeof(common));
	common.record_type = type;
	common.record_locked = true;	/* just written */
	orch_run_set_starter(&common, &started_by);
	orch_system_enter(&saved);
	if (nstarts > 1)
		batch = orch_engine_batch_begin();
	foreach(cell, entries)
	{
		Noted	   *entry = lfirst(cell);
		StartRequest request = common;
		pg_uuid_t	run_id;

		if (entry->definition == NULL)
			continue;
		CHECK_FOR_INTERRUPTS();
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
 * An approval can lock its record (shouldLock): until it is answered, only its
 * assignee may change it, where the definition lets him, and who may modify all
 * data.  What actions do is the process itself.
 */
static void
refuse_locked(const char *type, Datum keys)
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
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	orch_plan_execute_latest(&plan_locked, values, NULL, 0);
	for (i = 0; i < SPI_processed && locked == NULL; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		AccessSet  *set = orch_access_of_role(role);
		bool		isnull;

		if (orch_access_is_unlimited(set) ||
			(set->permissions & PERMISSION_MODIFY_ALL_DATA) != 0)
			break;
		if (DatumGetBool(SPI_getbinval(tuple, desc, 3, &isnull)) && set->is_user &&
			orch_uuid_map_get(orch_access_arm(set, ARM_ASSIGNEE),
							  DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull))) != 0)
			continue;
		locked = MemoryContextStrdup(caller, SPI_getvalue(tuple, desc, 1));
	}
	SPI_finish();
	orch_system_leave(&saved);
	if (locked != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_LOCKED),
				 errmsg("record \"%s\" of type \"%s\" is locked for an approval", locked, type),
				 errhint("Change it when the approval is answered.")));
}

/*
 * Let the engine look again at the runs about these records whose open stage
 * waits for something in them.
 */
static void
look_again(const char *type, Datum keys)
{
	Datum		values[2];
	SystemContext saved;
	pg_uuid_t  *run_ids;
	int			nruns = 0;
	uint64		i;
	int			n;
	int			end;

	values[0] = CStringGetTextDatum(type);
	values[1] = keys;
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
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

		/* one that is being moved reads the record again by itself */
		if (stage == NULL || orch_frame_engine(id) != NULL)
			continue;
		def = orch_definition_get(version);
		index = orch_definition_stage_index(def, stage);
		if (index >= 0 && def->stages[index].reads_record)
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
			orch_engine_go_on(&run_ids[n], false);
		}
		orch_engine_batch_end(batch);
	}
	SPI_finish();
	orch_system_leave(&saved);
}

/*
 * to_jsonb() of a row.
 */
static Jsonb *
row_to_jsonb(Relation relation, HeapTuple tuple)
{
	Oid			type = relation->rd_rel->reltype;
	FmgrInfo	flinfo;
	Expr	   *argument;

	fmgr_info(F_TO_JSONB, &flinfo);
	argument = (Expr *) makeNullConst(type, -1, InvalidOid);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID,
											 list_make1(argument), InvalidOid,
											 InvalidOid, COERCE_EXPLICIT_CALL),
					   &flinfo);
	return DatumGetJsonbP(FunctionCall1(&flinfo,
										heap_copy_tuple_as_datum(tuple,
																 RelationGetDescr(relation))));
}

/*
 * What an aborted statement noted is forgotten; level 0: the transaction ended.
 */
void
orch_record_change_forget(int level)
{
	ListCell   *cell;

	if (level == 0)
	{
		noted = NIL;
		noted_context = NULL;	/* gone with its parent */
		return;
	}
	foreach(cell, noted)
		if (((Noted *) lfirst(cell))->nest_level >= level)
			noted = foreach_delete_current(noted, cell);
}
