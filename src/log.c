/*-------------------------------------------------------------------------
 *
 * log.c
 *	  The run log: entries are gathered in memory and written together.
 *
 * A run that finishes in one call has some twenty milestones.  Written one by
 * one through SPI they would cost as much as everything else; so they are kept
 * until the statement or engine call that made them ends, and then go to the
 * heap together (batch.c).
 *
 * That way past the executor is sound here: every constraint of run_log holds by
 * construction (lengths are cut below, the run of an entry is locked by the same
 * transaction, so its row cannot go away), and nobody is granted a trigger on
 * the table.  Entries made in a subtransaction vanish with it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/log.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/sequence.h"
#include "utils/lsyscache.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "batch.h"
#include "catalog.h"
#include "log.h"
#include "stamp.h"

/* columns of run_log, 0-based */
#define COL_RUN_ID			0
#define COL_NUMBER			1
#define COL_LOGGED_AT		2
#define COL_KIND			3
#define COL_DURATION		4
#define COL_STAGE_RUN_ID	5
#define COL_STEP_RUN_ID		6
#define COL_WORK_ITEM_ID	7
#define COL_ASSIGNEE_ID		8
#define COL_ACTOR			9
#define COL_COMMENTS		10
#define COL_CONTEXT			11

/* contract/fields.csv: lengths of FlowOrchestrationLog's texts, in characters */
#define MAX_ACTOR		255
#define MAX_COMMENTS	1333
#define MAX_CONTEXT		80

static LogEntry *entries = NULL;	/* in TopTransactionContext */
static int	nentries = 0;
static int	max_entries = 0;

static void fill_row(int i, Datum *values, bool *nulls, void *arg);

/*
 * Start an entry.
 */
void
orch_log_init(LogEntry *entry, LogKind kind, const pg_uuid_t *run_id)
{
	memset(entry, 0, sizeof(LogEntry));
	entry->kind = kind;
	entry->run_id = *run_id;
	entry->duration = -1;
	/* never before the stamp: get_updated() finds it by this time */
	(void) orch_stamp();
	entry->logged_at = GetCurrentTimestamp();
}

/*
 * Keep an entry until the next orch_log_flush().  Texts are copied.
 */
void
orch_log_append(const LogEntry *entry)
{
	LogEntry   *kept;

	if (nentries >= max_entries)
	{
		int			size = max_entries == 0 ? 64 : max_entries * 2;

		entries = entries == NULL ?
			MemoryContextAllocHuge(TopTransactionContext, size * sizeof(LogEntry)) :
			repalloc_huge(entries, size * sizeof(LogEntry));
		max_entries = size;
	}
	kept = &entries[nentries];
	*kept = *entry;
	kept->nest_level = GetCurrentTransactionNestLevel();
	kept->actor = orch_batch_keep_text(entry->actor, MAX_ACTOR);
	kept->comments = orch_batch_keep_text(entry->comments, MAX_COMMENTS);
	kept->context = orch_batch_keep_text(entry->context, MAX_CONTEXT);
	nentries++;
}

/*
 * Write what was gathered.  Caller is in system context.
 */
void
orch_log_flush(void)
{
	Oid			sequence;
	int			i;

	if (nentries == 0)
		return;

	sequence = get_relname_relid("run_log_number_seq",
								 get_rel_namespace(orch_catalog_relation(RELATION_RUN_LOG)));
	orch_batch_insert(RELATION_RUN_LOG, nentries, fill_row, &sequence);

	for (i = 0; i < nentries; i++)
	{
		if (entries[i].actor != NULL)
			pfree(entries[i].actor);
		if (entries[i].comments != NULL)
			pfree(entries[i].comments);
		if (entries[i].context != NULL)
			pfree(entries[i].context);
	}
	nentries = 0;
	if (max_entries > 1024)
	{
		pfree(entries);
		entries = NULL;
		max_entries = 0;
	}
}

static void
fill_row(int i, Datum *values, bool *nulls, void *arg)
{
	const LogEntry *entry = &entries[i];

	values[COL_RUN_ID] = UUIDPGetDatum(&entry->run_id);
	values[COL_NUMBER] = Int64GetDatum(nextval_internal(*(Oid *) arg, false));
	values[COL_LOGGED_AT] = TimestampTzGetDatum(entry->logged_at);
	values[COL_KIND] = ObjectIdGetDatum(orch_catalog_label_oid(ENUM_LOG_KIND,
															   entry->kind));
	nulls[COL_RUN_ID] = nulls[COL_NUMBER] = false;
	nulls[COL_LOGGED_AT] = nulls[COL_KIND] = false;

	values[COL_DURATION] = Int32GetDatum(entry->duration);
	nulls[COL_DURATION] = entry->duration < 0;
	values[COL_STAGE_RUN_ID] = UUIDPGetDatum(&entry->stage_run_id);
	nulls[COL_STAGE_RUN_ID] = !entry->has_stage_run;
	values[COL_STEP_RUN_ID] = UUIDPGetDatum(&entry->step_run_id);
	nulls[COL_STEP_RUN_ID] = !entry->has_step_run;
	values[COL_WORK_ITEM_ID] = UUIDPGetDatum(&entry->work_item_id);
	nulls[COL_WORK_ITEM_ID] = !entry->has_work_item;
	values[COL_ASSIGNEE_ID] = UUIDPGetDatum(&entry->assignee_id);
	nulls[COL_ASSIGNEE_ID] = !entry->has_assignee;
	if (entry->actor != NULL)
	{
		values[COL_ACTOR] = CStringGetTextDatum(entry->actor);
		nulls[COL_ACTOR] = false;
	}
	if (entry->comments != NULL)
	{
		values[COL_COMMENTS] = CStringGetTextDatum(entry->comments);
		nulls[COL_COMMENTS] = false;
	}
	if (entry->context != NULL)
	{
		values[COL_CONTEXT] = CStringGetTextDatum(entry->context);
		nulls[COL_CONTEXT] = false;
	}
}

/*
 * The transaction ended: its memory is gone.
 */
void
orch_log_at_xact_end(void)
{
	entries = NULL;
	nentries = max_entries = 0;
}

/*
 * A subtransaction ended: its entries become the parent's, or vanish.
 */
void
orch_log_at_subxact_end(int level, bool commit)
{
	int			i;

	if (!commit)
	{
		while (nentries > 0 && entries[nentries - 1].nest_level >= level)
			nentries--;
		return;
	}
	for (i = nentries - 1; i >= 0 && entries[i].nest_level >= level; i--)
		entries[i].nest_level = level - 1;
}
