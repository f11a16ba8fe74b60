/*-------------------------------------------------------------------------
 *
 * log.c
 *	  The run log: entries are gathered in memory and written together.
 *
 * A run that finishes in one call has some twenty milestones.  Written one by one
 * through SPI they would cost as much as all other work of the call.  So they wait until
 * the statement or engine call that made them ends, and then go to the heap together
 * (multi_insert.c).
 *
 * This bypasses the executor.  It is sound because every constraint of run_log holds by
 * construction: texts are cut below; the run of an entry is locked by the same
 * transaction, so that only this transaction can delete it, and entries of runs that
 * are gone are not written.
 *
 * Entries that a subtransaction made vanish with it.  Entries of an outer subtransaction
 * must not vanish with an inner one, so an inner one writes only its own, and only
 * while none of an outer one wait.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/trail/log.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "lib/qunique.h"
#include "utils/lsyscache.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/frame.h"
#include "base/multi_insert.h"
#include "base/stamp.h"
#include "base/system.h"
#include "base/transaction.h"
#include "base/uuid.h"
#include "trail/gathered.h"
#include "trail/log.h"

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
#define MAX_CONTEXT		80

static LogEntry *entries = NULL;	/* in TopTransactionContext */
static int	nentries = 0;
static int	max_entries = 0;

/* Runs that were deleted while entries waited; in TopTransactionContext. */
typedef struct DeletedRun
{
	struct DeletedRun *before;
	int			nest_level;
	pg_uuid_t	id;
} DeletedRun;

static DeletedRun *deleted = NULL;

/* From what fill_row() fills the rows. */
typedef struct FillContext
{
	const LogEntry *entries;
	Oid			sequence;
} FillContext;

static StaticPlan plan_existing = {
	"SELECT r.id FROM orchestration.run r WHERE r.id = ANY ($1)", 1, {UUIDARRAYOID}
};

static void write_entries(LogEntry *taken, int ntaken);
static void fill_row(int i, Datum *values, bool *nulls, void *arg);

void
orch_log_entry_init(LogEntry *entry, LogKind kind, const pg_uuid_t *run_id)
{
	memset(entry, 0, sizeof(LogEntry));
	entry->kind = kind;
	entry->gathered.run_id = *run_id;
	entry->duration = -1;
	/* never before the stamp: get_updated() finds it by this time */
	(void) orch_stamp();
	entry->logged_at = GetCurrentTimestamp();
}

void
orch_log_append(const LogEntry *entry)
{
	LogEntry   *kept;

	entries = orch_gathered_reserve(entries, nentries, &max_entries, sizeof(LogEntry));
	kept = &entries[nentries];
	*kept = *entry;
	kept->gathered.nest_level = GetCurrentTransactionNestLevel();
	kept->actor = orch_multi_insert_keep_text(entry->actor, MAX_ACTOR);
	kept->comments = orch_multi_insert_keep_text(entry->comments, LOG_MAX_COMMENTS);
	kept->context = orch_multi_insert_keep_text(entry->context, MAX_CONTEXT);
	nentries++;
}

void
orch_log_flush(void)
{
	LogEntry   *taken = entries;
	int			ntaken = nentries;

	if (nentries == 0 || entries[0].gathered.nest_level < GetCurrentTransactionNestLevel() ||
		orch_frame_is_engine())
		return;

	/* users' triggers on the table may gather entries of their own */
	entries = NULL;
	nentries = max_entries = 0;
	write_entries(taken, ntaken);
	pfree(taken);
}

void
orch_log_flush_level(void)
{
	int			ntaken;
	LogEntry   *taken = orch_gathered_take(entries, &nentries, sizeof(LogEntry), &ntaken);

	if (taken == NULL)
		return;
	write_entries(taken, ntaken);
	pfree(taken);
}

bool
orch_log_is_gathered(void)
{
	return nentries > 0;
}

static void
write_entries(LogEntry *taken, int ntaken)
{
	FillContext context;
	int			ngone;
	pg_uuid_t  *gone = orch_log_gone_runs(&ngone);
	int			n = orch_gathered_keep_existing(taken, ntaken, sizeof(LogEntry), gone, ngone);
	int			i;

	if (n == 0)
		return;
	context.entries = taken;
	context.sequence = get_relname_relid("run_log_number_seq",
										 get_rel_namespace(orch_catalog_relation(RELATION_RUN_LOG)));
	orch_multi_insert(RELATION_RUN_LOG, n, fill_row, &context);
	for (i = 0; i < n; i++)
	{
		if (taken[i].actor != NULL)
			pfree(taken[i].actor);
		if (taken[i].comments != NULL)
			pfree(taken[i].comments);
		if (taken[i].context != NULL)
			pfree(taken[i].context);
	}
}

void
orch_log_run_deleted(const pg_uuid_t *run_id)
{
	DeletedRun *run;

	run = MemoryContextAlloc(TopTransactionContext, sizeof(DeletedRun));
	run->before = deleted;
	run->nest_level = GetCurrentTransactionNestLevel();
	run->id = *run_id;
	deleted = run;
}

pg_uuid_t *
orch_log_gone_runs(int *nruns)
{
	pg_uuid_t  *ids;
	pg_uuid_t  *existing;
	DeletedRun *run;
	Datum		value;
	int			nexisting;
	int			n = 0;
	int			i;
	bool		isnull;

	*nruns = 0;
	if (likely(deleted == NULL))
		return NULL;
	for (run = deleted; run != NULL; run = run->before)
		n++;
	ids = palloc(sizeof(pg_uuid_t) * n);
	for (n = 0, run = deleted; run != NULL; run = run->before)
		ids[n++] = run->id;
	qsort(ids, n, sizeof(pg_uuid_t), orch_uuid_compare);
	n = (int) qunique(ids, n, sizeof(pg_uuid_t), orch_uuid_compare);

	/* a user's trigger may have kept a run */
	existing = palloc(sizeof(pg_uuid_t) * n);
	orch_spi_connect();
	value = PointerGetDatum(orch_uuid_array(ids, n));
	orch_plan_execute_latest(&plan_existing, &value, NULL, 0);
	nexisting = (int) SPI_processed;
	for (i = 0; i < nexisting; i++)
		existing[i] = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[i],
												   SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	qsort(existing, nexisting, sizeof(pg_uuid_t), orch_uuid_compare);
	for (i = 0; i < n; i++)
		if (bsearch(&ids[i], existing, nexisting, sizeof(pg_uuid_t), orch_uuid_compare) == NULL)
			ids[(*nruns)++] = ids[i];
	return ids;
}

static void
fill_row(int i, Datum *values, bool *nulls, void *arg)
{
	const FillContext *context = arg;
	const LogEntry *entry = &context->entries[i];

	values[COL_RUN_ID] = UUIDPGetDatum(&entry->gathered.run_id);
	values[COL_NUMBER] = Int64GetDatum(nextval_internal(context->sequence, false));
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
static void
at_xact_end(bool committed)
{
	entries = NULL;
	nentries = max_entries = 0;
	deleted = NULL;
}

/*
 * A subtransaction ended: its entries become the parent's, or vanish.
 */
static void
at_subxact_end(int level, bool committed)
{
	DeletedRun *run;
	int			i;

	if (!committed)
	{
		while (nentries > 0 && entries[nentries - 1].gathered.nest_level >= level)
			nentries--;
		while (deleted != NULL && deleted->nest_level >= level)
			deleted = deleted->before;
		return;
	}
	for (run = deleted; run != NULL && run->nest_level >= level; run = run->before)
		run->nest_level = level - 1;
	for (i = nentries - 1; i >= 0 && entries[i].gathered.nest_level >= level; i--)
		entries[i].gathered.nest_level = level - 1;
}

static const TransactionModule module = {
	.name = "log",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_log_init(void)
{
	orch_transaction_register(&module);
}
