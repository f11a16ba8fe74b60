/*-------------------------------------------------------------------------
 *
 * multi_insert.c
 *	  Inserts many rows at once, past the executor.
 *
 * A run writes several rows of log and history for each row that it changes.  Inserted
 * one by one through SPI, they would cost as much as everything else.
 * table_multi_insert() puts many rows into the heap in one WAL record, as COPY does.  It
 * checks no constraints and fires no triggers: callers pass only rows that the
 * extension's own constraints and triggers would accept unchanged.  If a user added
 * columns, triggers or constraints to a table, its rows are inserted one by one through
 * the executor.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/multi_insert.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/compat.h"
#include "base/multi_insert.h"
#include "base/system.h"

/* Rows for each table_multi_insert(). */
#define MAX_SLOTS		500

/* The parts of a table that the extension created; test/check/multi_insert.sh counts them. */
typedef struct Parts
{
	int			natts;
	int			nnot_null;
	int			ndefaults;		/* generated columns included */
	int			nchecks;
	int			nforeign_keys;
} Parts;

static const struct
{
	OrchRelation relation;
	Parts		parts;
}			own_parts[] = {
	{RELATION_RUN, {24, 7, 7, 5, 0}},
	{RELATION_STAGE_RUN, {15, 9, 5, 4, 1}},
	{RELATION_STEP_RUN, {22, 11, 6, 4, 1}},
	{RELATION_STEP_QUEUE, {17, 11, 4, 1, 1}},
	{RELATION_WORK_ITEM, {31, 14, 10, 8, 3}},
	{RELATION_SUBMISSION, {16, 9, 6, 4, 2}},
	{RELATION_SUBMISSION_ITEM, {20, 10, 5, 6, 4}},
	{RELATION_MESSAGE, {12, 10, 5, 5, 3}},
	{RELATION_STEP_MESSAGE, {5, 3, 1, 2, 1}},
	{RELATION_RUN_LOG, {12, 4, 2, 6, 1}},
	{RELATION_FIELD_CHANGE, {11, 6, 2, 1, 1}}
};

static bool has_own_triggers(Relation relation);
static void insert_one_by_one(OrchRelation which, int nrows, OrchFillRow fill, void *arg);

bool
orch_multi_insert_allowed(OrchRelation which)
{
	Relation	relation = table_open(orch_catalog_relation(which), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	Parts		parts = {0};
	bool		result = false;
	int			i;

	parts.natts = desc->natts;
	for (i = 0; i < desc->natts; i++)
		parts.nnot_null += TupleDescAttr(desc, i)->attnotnull;
	if (desc->constr != NULL)
	{
		parts.ndefaults = desc->constr->num_defval;
		parts.nchecks = desc->constr->num_check;
	}
	parts.nforeign_keys = list_length(RelationGetFKeyList(relation));
	for (i = 0; i < (int) lengthof(own_parts); i++)
		if (own_parts[i].relation == which)
			result = memcmp(&parts, &own_parts[i].parts, sizeof(Parts)) == 0 &&
				relation->rd_rules == NULL && !relation->rd_rel->relhassubclass &&
				has_own_triggers(relation);
	table_close(relation, AccessShareLock);
	return result;
}

/*
 * Are all triggers of a table the extension's own?  Triggers of foreign keys are left
 * out, because the keys are counted; a user's deferrable unique or exclusion constraint
 * has an internal trigger, too.
 */
static bool
has_own_triggers(Relation relation)
{
	int			i;

	for (i = 0; relation->trigdesc != NULL && i < relation->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &relation->trigdesc->triggers[i];

		if (trigger->tgisinternal ? trigger->tgfoid == F_UNIQUE_KEY_RECHECK :
			!orch_catalog_is_own_schema(get_func_namespace(trigger->tgfoid)))
			return false;
	}
	return true;
}

/*
 * Inserts by INSERT: users' columns get their defaults, triggers fire, constraints are
 * checked.
 */
static void
insert_one_by_one(OrchRelation which, int nrows, OrchFillRow fill, void *arg)
{
	Relation	relation = table_open(orch_catalog_relation(which), RowExclusiveLock);
	TupleDesc	desc = RelationGetDescr(relation);
	int			natts = desc->natts;
	Datum	   *row = palloc(sizeof(Datum) * natts);
	bool	   *row_nulls = palloc(sizeof(bool) * natts);
	Datum	   *values = palloc(sizeof(Datum) * natts);
	char	   *nulls = palloc(natts);
	Oid		   *types = palloc(sizeof(Oid) * natts);
	int		   *columns = palloc(sizeof(int) * natts);
	StringInfoData names;
	StringInfoData places;
	SPIPlanPtr	plan;
	int			ncolumns = 0;
	int			nown = 0;
	int			i;
	int			j;

	for (i = 0; i < (int) lengthof(own_parts); i++)
		if (own_parts[i].relation == which)
			nown = own_parts[i].parts.natts;
	initStringInfo(&names);
	initStringInfo(&places);
	for (i = 0; i < Min(nown, natts); i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || att->attgenerated != '\0')
			continue;
		columns[ncolumns] = i;
		types[ncolumns++] = att->atttypid;
		appendStringInfo(&names, "%s%s", ncolumns > 1 ? ", " : "",
						 quote_identifier(NameStr(att->attname)));
		appendStringInfo(&places, "%s$%d", ncolumns > 1 ? ", " : "", ncolumns);
	}
	orch_spi_connect();
	plan = SPI_prepare(psprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)",
								quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
														   RelationGetRelationName(relation)),
								names.data, places.data), ncolumns, types);
	table_close(relation, NoLock);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	for (i = 0; i < nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		memset(row_nulls, true, sizeof(bool) * natts);
		fill(i, row, row_nulls, arg);
		for (j = 0; j < ncolumns; j++)
		{
			values[j] = row[columns[j]];
			nulls[j] = row_nulls[columns[j]] ? 'n' : ' ';
		}
		if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(SPI_result));
	}
	SPI_finish();
}

void
orch_multi_insert(OrchRelation which, int nrows, OrchFillRow fill, void *arg)
{
	Relation	relation;
	EState	   *estate;
	ResultRelInfo *result_rel;
	TupleTableSlot **slots;
	MemoryContext context;
	MemoryContext row_context;
	MemoryContext old;
	BulkInsertState bulk;
	int			natts;
	int			nslots = 0;
	int			done;
	int			i;

	if (!orch_multi_insert_allowed(which))
	{
		insert_one_by_one(which, nrows, fill, arg);
		return;
	}
	context = AllocSetContextCreate(CurrentMemoryContext, "orchestration batch",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	row_context = AllocSetContextCreate(context, "orchestration batch rows",
										ALLOCSET_DEFAULT_SIZES);
	relation = table_open(orch_catalog_relation(which), RowExclusiveLock);
	natts = RelationGetDescr(relation)->natts;
	slots = palloc(Min(MAX_SLOTS, nrows) * sizeof(TupleTableSlot *));
	estate = CreateExecutorState();
	result_rel = makeNode(ResultRelInfo);
	InitResultRelInfo(result_rel, relation, 0, NULL, 0);
	ExecOpenIndices(result_rel, false);
	bulk = nrows > MAX_SLOTS ? GetBulkInsertState() : NULL;

	for (done = 0; done < nrows; done += MAX_SLOTS)
	{
		int			n = Min(MAX_SLOTS, nrows - done);

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(row_context);
		for (i = 0; i < n; i++)
		{
			if (i >= nslots)
			{
				MemoryContextSwitchTo(context);
				slots[nslots++] = table_slot_create(relation, NULL);
				MemoryContextSwitchTo(row_context);
			}
			ExecClearTuple(slots[i]);
			memset(slots[i]->tts_isnull, true, natts * sizeof(bool));
			fill(done + i, slots[i]->tts_values, slots[i]->tts_isnull, arg);
			ExecStoreVirtualTuple(slots[i]);
		}
		table_multi_insert(relation, slots, n, GetCurrentCommandId(true), 0, bulk);
		for (i = 0; i < n; i++)
		{
			(void) orch_compat_insert_index_tuples(result_rel, slots[i], estate);
			ResetPerTupleExprContext(estate);
			ExecClearTuple(slots[i]);
		}
		MemoryContextReset(row_context);
	}

	if (bulk != NULL)
		FreeBulkInsertState(bulk);
	for (i = 0; i < nslots; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	ExecCloseIndices(result_rel);
	FreeExecutorState(estate);
	table_close(relation, NoLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	CommandCounterIncrement();
}

char *
orch_multi_insert_keep_text(const char *text, int max_chars)
{
	char	   *result;
	int			len;

	if (text == NULL)
		return NULL;
	len = pg_mbcharcliplen(text, strlen(text), max_chars);
	result = MemoryContextAlloc(TopTransactionContext, len + 1);
	memcpy(result, text, len);
	result[len] = '\0';
	return result;
}

