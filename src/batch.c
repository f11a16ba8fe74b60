/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  Many rows into a table at once, past the executor.
 *
 * What a run says of itself (log, history) is a multiple of the rows that it
 * changes; written one by one through SPI it would cost as much as everything
 * else.  table_multi_insert() puts many rows into the heap in one WAL record, as
 * COPY does.  Constraints are not checked and triggers do not fire: the callers
 * see to it that none would have anything to say.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/batch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "batch.h"
#include "compat.h"

/* rows a table_multi_insert() */
#define BATCH			500

/*
 * Insert nrows rows.  Caller is in system context.
 */
void
orch_batch_insert(OrchRelation which, int nrows, OrchBatchFill fill, void *arg)
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

	context = AllocSetContextCreate(CurrentMemoryContext, "orchestration batch",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	row_context = AllocSetContextCreate(context, "orchestration batch rows",
										ALLOCSET_DEFAULT_SIZES);
	relation = table_open(orch_catalog_relation(which), RowExclusiveLock);
	natts = RelationGetDescr(relation)->natts;
	slots = palloc(Min(BATCH, nrows) * sizeof(TupleTableSlot *));
	estate = CreateExecutorState();
	result_rel = makeNode(ResultRelInfo);
	InitResultRelInfo(result_rel, relation, 0, NULL, 0);
	ExecOpenIndices(result_rel, false);
	bulk = nrows > BATCH ? GetBulkInsertState() : NULL;

	for (done = 0; done < nrows; done += BATCH)
	{
		int			n = Min(BATCH, nrows - done);

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

/*
 * A text cut to so many characters, for rows that wait in TopTransactionContext.
 */
char *
orch_batch_keep_text(const char *text, int max_chars)
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

