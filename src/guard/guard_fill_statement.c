/*-------------------------------------------------------------------------
 *
 * guard_fill_statement.c
 *	  Fills in stages and steps at the end of a user's statement.
 *
 * The statements of the extension set modified_at, ended_at and the like themselves.
 * What a user's plain UPDATE leaves out is filled in when the statement ends;
 * guard_fill.c says why no BEFORE trigger does it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard_fill_statement.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/multi_insert.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/uuid.h"
#include "guard/guard_int.h"
#include "record/principal.h"

static StaticPlan plan_fill_stages = {
	"UPDATE orchestration.stage_run s SET modified_at = orchestration.system_modstamp(),"
	" modified_by = $3, ended_at = CASE"
	"  WHEN s.status IN ('InProgress', 'Suspended') THEN NULL"
	"  ELSE COALESCE(s.ended_at, pg_catalog.clock_timestamp()) END"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
	" WHERE s.run_id = u.run_id AND s.id = u.id",
	3, {UUIDARRAYOID, UUIDARRAYOID, UUIDOID}
};
static StaticPlan plan_fill_steps = {
	"UPDATE orchestration.step_run s SET modified_at = orchestration.system_modstamp(),"
	" modified_by = $3, started_at = CASE"
	"  WHEN s.status = 'InProgress' AND (s.started_at IS NULL OR s.ended_at IS NOT NULL)"
	"  THEN pg_catalog.clock_timestamp() ELSE s.started_at END,"
	" ended_at = CASE WHEN s.status IN ('InProgress', 'NotStarted') THEN NULL"
	"  ELSE COALESCE(s.ended_at, pg_catalog.clock_timestamp()) END"
	" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS u (run_id, id)"
	" WHERE s.run_id = u.run_id AND s.id = u.id",
	3, {UUIDARRAYOID, UUIDARRAYOID, UUIDOID}
};
static void fill_by_plan(Level level, StaticPlan *plan,
						 const Principal *principal,
						 const GuardEntry *entries, int nentries);
static void fill_directly(Level level, Relation relation,
						  const Principal *principal,
						  const GuardEntry *entries, int nentries);

/*
 * Fill in the values that the writer of stages or steps left out.
 *
 * The rows are where the statement has just put them, so they are updated there, past
 * the executor: keys, parents and statuses stay as they are, so that constraints and
 * the extension's own triggers have nothing to check.  (The executor would check the
 * foreign key of each row again, because this transaction wrote it.)  Tables to which
 * users added triggers, columns or constraints get an UPDATE instead, which fires them.
 */
void
orch_guard_fill_rows(Level level, Oid writer, const GuardEntry *entries,
					 int nentries)
{
	const Principal *principal;
	Relation	relation;
	bool		directly;
	int			first;

	for (first = 0; first < nentries; first++)
		if (entries[first].level == level && entries[first].fill)
			break;
	if (first >= nentries)
		return;

	principal = OidIsValid(writer) ? orch_principal_acting(writer) : NULL;
	relation = table_open(orch_catalog_relation(orch_guard_columns[level].relation),
						  RowExclusiveLock);
	directly = orch_multi_insert_allowed(orch_guard_columns[level].relation);
	if (directly)
		fill_directly(level, relation, principal, &entries[first],
					  nentries - first);
	table_close(relation, NoLock);
	if (!directly)
		fill_by_plan(level, level == LEVEL_STAGE ? &plan_fill_stages :
					 &plan_fill_steps, principal, &entries[first],
					 nentries - first);
}

static void
fill_by_plan(Level level, StaticPlan *plan, const Principal *principal,
			 const GuardEntry *entries, int nentries)
{
	pg_uuid_t  *run_ids = palloc(nentries * sizeof(pg_uuid_t));
	pg_uuid_t  *ids = palloc(nentries * sizeof(pg_uuid_t));
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};
	int			n = 0;
	int			i;

	for (i = 0; i < nentries; i++)
	{
		if (entries[i].level != level || !entries[i].fill)
			continue;
		run_ids[n] = entries[i].run_id;
		ids[n++] = entries[i].id;
	}
	values[0] = PointerGetDatum(orch_uuid_array(run_ids, n));
	values[1] = PointerGetDatum(orch_uuid_array(ids, n));
	if (principal != NULL)
		values[2] = UUIDPGetDatum(&principal->id);
	else
		nulls[2] = 'n';
	orch_guard_execute(SCOPE_TRUSTED, plan, values, nulls, NULL);
	pfree(run_ids);
	pfree(ids);
}

static void
fill_directly(Level level, Relation relation, const Principal *principal,
			  const GuardEntry *entries, int nentries)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(relation);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "orchestration filled rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *result_rel = makeNode(ResultRelInfo);
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	CommandId	command;
	int			i;

	/* the rows were written by the current command */
	CommandCounterIncrement();
	command = GetCurrentCommandId(true);
	InitResultRelInfo(result_rel, relation, 0, NULL, 0);
	ExecOpenIndices(result_rel, false);
	old = MemoryContextSwitchTo(context);

	for (i = 0; i < nentries; i++)
	{
		ItemPointerData tid = entries[i].tid;
		HeapTuple	row;
		int			status;
		int			attnums[6];
		Datum		values[6];
		bool		nulls[6] = {false};
		int			n = 0;
		TM_Result	result;
		TM_FailureData failure;
		LockTupleMode lock_mode;
		OrchCompatUpdateIndexes update_indexes;

		if (entries[i].level != level || !entries[i].fill)
			continue;

		/* gone: it was written once more since, and noted or filled in then */
		if (!table_tuple_fetch_row_version(relation, &tid, SnapshotSelf, slot))
			continue;
		row = ExecCopySlotHeapTuple(slot);
		status = orch_guard_row_status(level, row, desc);

		attnums[n] = col->modified_at;
		values[n++] = TimestampTzGetDatum(orch_stamp());
		attnums[n] = col->modified_minute;
		values[n++] = Int32GetDatum(orch_stamp_minute(orch_stamp()));
		attnums[n] = col->modified_by;
		nulls[n] = principal == NULL;
		values[n++] = principal == NULL ? (Datum) 0 :
			UUIDPGetDatum(&principal->id);
		if (level == LEVEL_STEP && status == STEP_IN_PROGRESS &&
			(heap_attisnull(row, Anum_step_run_started_at, desc) ||
			 !heap_attisnull(row, col->ended_at, desc)))
		{
			attnums[n] = Anum_step_run_started_at;
			values[n++] = TimestampTzGetDatum(GetCurrentTimestamp());
		}
		if (heap_attisnull(row, col->ended_at, desc) == orch_guard_is_ended(level, status))
		{
			attnums[n] = col->ended_at;
			nulls[n] = !orch_guard_is_ended(level, status);
			values[n++] = TimestampTzGetDatum(GetCurrentTimestamp());
			if (status == (level == LEVEL_STAGE ? (int) STAGE_ERROR : (int) STEP_ERROR))
			{
				/* a generated column, which only the executor computes */
				attnums[n] = col->failed_at;
				values[n] = values[n - 1];
				n++;
			}
		}
		ExecForceStoreHeapTuple(heap_modify_tuple_by_cols(row, desc, n, attnums,
														  values, nulls),
								slot, false);

		result = table_tuple_update(relation, &tid, slot, command,
									SnapshotSelf, InvalidSnapshot, true,
									&failure, &lock_mode, &update_indexes);
		if (result != TM_Ok)
			elog(ERROR, "unexpected table_tuple_update status: %d", (int) result);
		(void) orch_compat_update_index_tuples(result_rel, slot, estate,
											   update_indexes);
		ResetPerTupleExprContext(estate);
		ExecClearTuple(slot);
		MemoryContextReset(context);
	}

	MemoryContextSwitchTo(old);
	ExecDropSingleTupleTableSlot(slot);
	ExecCloseIndices(result_rel);
	FreeExecutorState(estate);
	MemoryContextDelete(context);
	CommandCounterIncrement();
}
