/*-------------------------------------------------------------------------
 *
 * queue_look.c
 *	  A session's knowledge of the queue, and how the session finds new steps.
 *
 * For each topic that it claims, a session keeps the orchestrations that have ready steps,
 * and for each of them a mark: claims begin there.  While a transaction is open for long, the
 * entries of finished steps cannot be removed; a claim that began at the front of the index
 * would read all of them.
 *
 * A look finds new orchestrations, and steps before the marks.  Its cost is the number of
 * index entries that it reads, not the time it takes, which depends on how busy the machine
 * is.
 *
 * A look at the whole begins at the front.  If the last one was cheap, it is done each time
 * that a claim finds too few steps, so that no committed step is missed.  If it was expensive
 * (old entries that cannot be removed, or many leases), it is repeated only after a time that
 * grows with its cost; until then looks begin where new steps can be.  A transaction that
 * queues a step first takes ROW EXCLUSIVE on the table, and reads the clock after that
 * (note_queued()).  So, at a look,
 *
 *	- a writer that held the lock at the last look, and does not hold it now, is visible
 *	  now.  It queued nothing that is available before the look that preceded the one at
 *	  which it was first seen;
 *	- a writer that came and went between the last look and this one queued nothing that is
 *	  available before the last look;
 *	- a writer that still holds the lock is kept for the next look.
 *
 * No user can drop this lock, prepared transactions keep it, and GetLockConflicts() returns
 * its holders, as in CREATE INDEX CONCURRENTLY.  A session notes the steps that it queued itself.
 * A claim that is rolled back puts steps back before the marks of other sessions.  Looks
 * therefore begin at the mark of the last look, and the session that rolled back looks at the
 * whole.  Only a look at the whole finds leases that end, and claims that were open over
 * several looks; an expensive one is repeated after WHOLE_MAX at the latest.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/queue_look.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/multixact.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "base/catalog.h"
#include "base/compat.h"
#include "base/system.h"
#include "base/transaction.h"
#include "base/uuid.h"
#include "engine/notify.h"
#include "work/queue.h"
#include "work/queue_int.h"

/* A busy session looks so often, and while looks are expensive not more often. */
#define LOOK_INTERVAL	(50 * INT64CONST(1000))
#define LOOK_AGAIN		(20 * INT64CONST(1000))

/* Entries that a look may read to be repeated at once: less than a millisecond. */
#define CHEAP			1000

/*
 * Microseconds for each entry of a look at the whole, until the next: one takes about
 * 0.2, so it is a twentieth of the time.
 */
#define WHOLE_PAUSE		4
#define WHOLE_MAX		(2 * USECS_PER_SEC)

/* Topics that a session keeps. */
#define MAX_TOPICS		1000

/* Seconds after which to look again at a step that a transaction is claiming. */
#define CONTENDED		0.1

/* The columns of the index. */
enum
{
	KEY_TOPIC = 1, KEY_ORCHESTRATION, KEY_AVAILABLE
};

/* A look in progress. */
typedef struct Look
{
	Relation	queue;
	Relation	index;
	Snapshot	snapshot;
	TupleTableSlot *slot;
	TimestampTz now;
	int64		work;			/* entries read so far */
	bool		for_due;		/* say when, and leave out what is being claimed */
	bool		contended;		/* a step is being claimed */
	TimestampTz due;			/* earliest end of a lease, or retry, seen */
} Look;

static MemoryContext topic_context = NULL;
static HTAB *topics_known = NULL;	/* of Topic */
static int	keep_level = 0;		/* nesting level of the outermost claim; 0: none */
static int	claim_level = 0;	/* deepest nesting level that claimed; 0: none */
static bool queue_locked = false;	/* by note_queued(), in this transaction */

static uint32 name_hash(const void *key, Size keysize);
static int	name_match(const void *a, const void *b, Size keysize);
static bool whole_allowed(const Topic *topic, TimestampTz now);
static bool look(Topic *topic, TimestampTz now, bool wanted, Look *result);
static TimestampTz new_since(Topic *topic);
static void undo_claims(void);
static void set_key(Look *look, ScanKey key, AttrNumber column, StrategyNumber strategy,
					RegProcedure function, Datum value);
static IndexScanDesc begin_scan(Look *look, ScanKey keys, int nkeys);
static void begin_look(Look *look);
static void end_look(Look *look);
static bool next_orchestration(Look *look, const Topic *topic, const pg_uuid_t *last,
							   pg_uuid_t *id);
static bool first_ready(Look *look, const Topic *topic, const pg_uuid_t *id,
						TimestampTz since, TimestampTz *found);
static bool is_being_claimed(TupleTableSlot *slot);
static void next_due(Look *look, const Topic *topic, const pg_uuid_t *id);

/* ----------------------------------------------------------------- topics */

static uint32
name_hash(const void *key, Size keysize)
{
	const char *name = *(const char *const *) key;

	return hash_bytes((const unsigned char *) name, strlen(name));
}

static int
name_match(const void *a, const void *b, Size keysize)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

List *
orch_queue_topics(List *names)
{
	static uint64 call = 0;
	List	   *result = NIL;
	ListCell   *cell;

	/* not while a claim uses them */
	if (topics_known != NULL && keep_level == 0 &&
		hash_get_num_entries(topics_known) > Max(MAX_TOPICS, 2 * list_length(names)))
	{
		MemoryContextDelete(topic_context);
		topic_context = NULL;
		topics_known = NULL;
	}
	if (topics_known == NULL)
	{
		HASHCTL		ctl;

		topic_context = AllocSetContextCreate(TopMemoryContext, "orchestration topics",
											  ALLOCSET_SMALL_SIZES);
		ctl.keysize = sizeof(char *);
		ctl.entrysize = sizeof(Topic);
		ctl.hash = name_hash;
		ctl.match = name_match;
		ctl.hcxt = topic_context;
		topics_known = hash_create("orchestration topics", 16, &ctl,
								   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	}
	call++;
	foreach(cell, names)
	{
		char	   *name = lfirst(cell);
		Topic	   *topic = hash_search(topics_known, &name, HASH_FIND, NULL);

		CHECK_FOR_INTERRUPTS();

		if (topic == NULL)
		{
			char	   *copy = MemoryContextStrdup(topic_context, name);

			topic = hash_search(topics_known, &copy, HASH_ENTER, NULL);
			memset(topic, 0, sizeof(Topic));
			topic->name = copy;
			topic->own = DT_NOEND;
		}
		if (topic->call == call)
			continue;
		topic->call = call;
		result = lappend(result, topic);
	}
	return result;
}

int
orch_queue_keep(void)
{
	int			outer = keep_level;

	if (outer == 0)
		keep_level = GetCurrentTransactionNestLevel();
	return outer;
}

void
orch_queue_release(int outer)
{
	keep_level = outer;
}

/*
 * A step of the topic is about to be queued: what it will be available from is read
 * from the clock after this.
 */
static void
note_queued(const char *name)
{
	Topic	   *topic;

	/* by the whole transaction, whatever subtransaction queues first */
	if (!queue_locked)
	{
		ResourceOwner owner = CurrentResourceOwner;

		CurrentResourceOwner = TopTransactionResourceOwner;
		PG_TRY();
		{
			LockRelationOid(orch_catalog_relation(RELATION_STEP_QUEUE), RowExclusiveLock);
		}
		PG_FINALLY();
		{
			CurrentResourceOwner = owner;
		}
		PG_END_TRY();
		queue_locked = true;
	}
	if (topics_known == NULL)
		return;
	topic = hash_search(topics_known, &name, HASH_FIND, NULL);
	if (topic != NULL && topic->own == DT_NOEND)
		topic->own = GetCurrentTimestamp();
}

/* ---------------------------------------------------- claims that are undone */

void
orch_queue_claims(void)
{
	claim_level = Max(claim_level, GetCurrentTransactionNestLevel());
}

static void
undo_claims(void)
{
	HASH_SEQ_STATUS scan;
	Topic	   *topic;

	hash_seq_init(&scan, topics_known);
	while ((topic = hash_seq_search(&scan)) != NULL)
		topic->undone = true;
}

static void
at_xact_end(bool committed)
{
	if (!committed && claim_level > 0 && topics_known != NULL)
		undo_claims();
	claim_level = 0;
	keep_level = 0;
	queue_locked = false;
}

static void
at_subxact_end(int level, bool committed)
{
	if (!committed && keep_level >= level)
		keep_level = 0;
	if (claim_level < level)
		return;
	if (!committed && topics_known != NULL)
		undo_claims();
	claim_level = level - 1;
}

static const TransactionModule module = {
	.name = "queue",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_queue_init(void)
{
	orch_notify_at_queued(note_queued);
	orch_transaction_register(&module);
}

/* ------------------------------------------------------------------ a look */

static bool
whole_allowed(const Topic *topic, TimestampTz now)
{
	return topic->looked_at == 0 || topic->undone || topic->whole_work <= CHEAP ||
		now >= topic->whole_at + Min(topic->whole_work * WHOLE_PAUSE, WHOLE_MAX);
}

bool
orch_queue_look(Topic *topic, TimestampTz now, bool wanted)
{
	Look		result = {0};

	return look(topic, now, wanted, &result);
}

static bool
look(Topic *topic, TimestampTz now, bool wanted, Look *result)
{
	TimestampTz since;
	bool		whole;
	pg_uuid_t	id;
	pg_uuid_t	turn;
	bool		has_turn = topic->next < topic->nsources;
	Source	   *sources;
	int			nsources = 0;
	int			size;
	int			known = 0;
	bool		first = true;

	/* the clock was set back: the last look lies in the future */
	if (now < topic->looked_at)
		topic->looked_at = 0;
	whole = whole_allowed(topic, now);
	if (!wanted && topic->looked_at != 0 && now - topic->looked_at < LOOK_INTERVAL)
		return false;
	if (!whole && topic->work > CHEAP && topic->own == DT_NOEND &&
		now - topic->looked_at < LOOK_AGAIN)
		return false;

	result->now = now;
	since = new_since(topic);
	/* should this look fail, the next one begins there */
	topic->own = since;
	begin_look(result);
	size = topic->nsources + 8;
	sources = palloc(size * sizeof(Source));
	if (has_turn)
		turn = topic->sources[topic->next].orchestration_id;
	topic->next = 0;
	while (next_orchestration(result, topic, first ? NULL : &id, &id))
	{
		TimestampTz from = whole ? DT_NOBEGIN : since;
		TimestampTz found;

		first = false;
		/* both come in the order of their ids */
		while (known < topic->nsources &&
			   orch_uuid_compare(&topic->sources[known].orchestration_id, &id) < 0)
			known++;
		if (known < topic->nsources &&
			orch_uuid_equal(&topic->sources[known].orchestration_id, &id))
			from = Min(from, topic->sources[known].looked);
		if (first_ready(result, topic, &id, from, &found))
		{
			if (nsources == size)
				sources = repalloc(sources, (size *= 2) * sizeof(Source));
			sources[nsources].orchestration_id = id;
			sources[nsources].mark = found;
			sources[nsources].looked = found;
			nsources++;
			if (has_turn && orch_uuid_compare(&id, &turn) < 0)
				topic->next = nsources;
		}
		if (result->for_due)
			next_due(result, topic, &id);
	}
	end_look(result);
	if (topic->sources != NULL)
		pfree(topic->sources);
	topic->nsources = 0;
	topic->looks++;
	topic->sources = MemoryContextAlloc(topic_context, Max(nsources, 1) * sizeof(Source));
	memcpy(topic->sources, sources, nsources * sizeof(Source));
	pfree(sources);
	topic->nsources = nsources;
	if (topic->next >= nsources)
		topic->next = 0;
	topic->looked_at = now;
	topic->work = result->work;
	topic->own = DT_NOEND;
	if (whole)
	{
		topic->whole_at = now;
		topic->whole_work = result->work;
		topic->undone = false;
	}
	return true;
}

/*
 * No step that became visible since the last look is available before the result.  Keeps the
 * current writers for the next look.  Called before the snapshot is taken.
 */
static TimestampTz
new_since(Topic *topic)
{
	LOCKTAG		tag;
	VirtualTransactionId *holders;
	Writer	   *writers;
	TimestampTz since = Min(topic->looked_at, topic->own);
	int			n;
	int			i;
	int			j;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, orch_catalog_relation(RELATION_STEP_QUEUE));
	holders = GetLockConflicts(&tag, ShareLock, &n);
	writers = MemoryContextAlloc(topic_context, Max(n, 1) * sizeof(Writer));
	for (i = 0; i < n; i++)
	{
		writers[i].vxid = holders[i];
		writers[i].since = topic->looked_at;
	}
	for (j = 0; j < topic->nwriters; j++)
	{
		Writer	   *before = &topic->writers[j];

		for (i = 0; i < n; i++)
			if (VirtualTransactionIdEquals(writers[i].vxid, before->vxid))
				break;
		if (i < n)
			writers[i].since = before->since;
		else
			since = Min(since, before->since);
	}
	pfree(holders);
	if (topic->writers != NULL)
		pfree(topic->writers);
	topic->writers = writers;
	topic->nwriters = n;
	return since;
}

static void
begin_look(Look *look)
{
	look->queue = table_open(orch_catalog_relation(RELATION_STEP_QUEUE), AccessShareLock);
	look->index = index_open(orch_catalog_relation(INDEX_STEP_QUEUE_AVAILABLE), AccessShareLock);
	CommandCounterIncrement();
	look->snapshot = RegisterSnapshot(GetLatestSnapshot());
	look->slot = table_slot_create(look->queue, NULL);
	look->due = DT_NOEND;
}

static void
end_look(Look *look)
{
	ExecDropSingleTupleTableSlot(look->slot);
	UnregisterSnapshot(look->snapshot);
	index_close(look->index, AccessShareLock);
	table_close(look->queue, AccessShareLock);
}

static void
set_key(Look *look, ScanKey key, AttrNumber column, StrategyNumber strategy,
		RegProcedure function, Datum value)
{
	ScanKeyEntryInitialize(key, 0, column, strategy, InvalidOid,
						   look->index->rd_indcollation[column - 1], function, value);
}

static IndexScanDesc
begin_scan(Look *look, ScanKey keys, int nkeys)
{
	IndexScanDesc scan = orch_compat_index_beginscan(look->queue, look->index,
													 look->snapshot, nkeys);

	scan->xs_want_itup = true;
	index_rescan(scan, keys, nkeys, NULL, 0);
	return scan;
}

/*
 * The first orchestration after last (NULL: of all) that has entries of the topic, dead or
 * alive, so that one descent finds it.  False: there is none.
 */
static bool
next_orchestration(Look *look, const Topic *topic, const pg_uuid_t *last, pg_uuid_t *id)
{
	ScanKeyData keys[2];
	IndexScanDesc scan;
	bool		found;

	CHECK_FOR_INTERRUPTS();
	set_key(look, &keys[0], KEY_TOPIC, BTEqualStrategyNumber, F_TEXTEQ,
			CStringGetTextDatum(topic->name));
	if (last != NULL)
		set_key(look, &keys[1], KEY_ORCHESTRATION, BTGreaterStrategyNumber, F_UUID_GT,
				UUIDPGetDatum(last));
	scan = begin_scan(look, keys, last == NULL ? 1 : 2);
	look->work++;
	found = index_getnext_tid(scan, ForwardScanDirection) != NULL;
	if (found)
	{
		bool		isnull;

		*id = *DatumGetUUIDP(index_getattr(scan->xs_itup, KEY_ORCHESTRATION,
										   scan->xs_itupdesc, &isnull));
	}
	index_endscan(scan);
	pfree(DatumGetPointer(keys[0].sk_argument));
	return found;
}

/*
 * The first step of an orchestration that can be claimed now and has been available since a
 * time not before since.
 */
static bool
first_ready(Look *look, const Topic *topic, const pg_uuid_t *id, TimestampTz since,
			TimestampTz *found)
{
	ScanKeyData keys[4];
	IndexScanDesc scan;
	bool		result = false;

	set_key(look, &keys[0], KEY_TOPIC, BTEqualStrategyNumber, F_TEXTEQ,
			CStringGetTextDatum(topic->name));
	set_key(look, &keys[1], KEY_ORCHESTRATION, BTEqualStrategyNumber, F_UUID_EQ,
			UUIDPGetDatum(id));
	set_key(look, &keys[2], KEY_AVAILABLE, BTGreaterEqualStrategyNumber, F_TIMESTAMPTZ_GE,
			TimestampTzGetDatum(since));
	set_key(look, &keys[3], KEY_AVAILABLE, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
			TimestampTzGetDatum(look->now));
	scan = begin_scan(look, keys, 4);
	while (!result && index_getnext_tid(scan, ForwardScanDirection) != NULL)
	{
		TimestampTz until;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		look->work++;
		if (!index_fetch_heap(scan, look->slot))
			continue;
		until = DatumGetTimestampTz(slot_getattr(look->slot, Anum_step_queue_leased_until,
												 &isnull));
		if (!isnull && until > look->now)
			look->due = Min(look->due, until);
		else if (look->for_due && is_being_claimed(look->slot))
			look->contended = true;
		else
		{
			*found = DatumGetTimestampTz(slot_getattr(look->slot,
													  Anum_step_queue_available_at, &isnull));
			result = true;
		}
	}
	index_endscan(scan);
	ExecClearTuple(look->slot);
	pfree(DatumGetPointer(keys[0].sk_argument));
	return result;
}

/* Is another transaction locking or changing the row? */
static bool
is_being_claimed(TupleTableSlot *slot)
{
	bool		free_tuple;
	HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &free_tuple);
	uint16		infomask = tuple->t_data->t_infomask;
	TransactionId xmax = HeapTupleHeaderGetRawXmax(tuple->t_data);
	bool		result;

	if ((infomask & HEAP_XMAX_INVALID) != 0 || !TransactionIdIsValid(xmax))
		result = false;
	else if ((infomask & HEAP_XMAX_IS_MULTI) != 0)
		result = MultiXactIdIsRunning(xmax, HEAP_XMAX_IS_LOCKED_ONLY(infomask));
	else
		result = !TransactionIdIsCurrentTransactionId(xmax) && TransactionIdIsInProgress(xmax);
	if (free_tuple)
		heap_freetuple(tuple);
	return result;
}

/* When the next step of an orchestration will be available. */
static void
next_due(Look *look, const Topic *topic, const pg_uuid_t *id)
{
	ScanKeyData keys[3];
	IndexScanDesc scan;
	bool		found = false;

	set_key(look, &keys[0], KEY_TOPIC, BTEqualStrategyNumber, F_TEXTEQ,
			CStringGetTextDatum(topic->name));
	set_key(look, &keys[1], KEY_ORCHESTRATION, BTEqualStrategyNumber, F_UUID_EQ,
			UUIDPGetDatum(id));
	set_key(look, &keys[2], KEY_AVAILABLE, BTGreaterStrategyNumber, F_TIMESTAMPTZ_GT,
			TimestampTzGetDatum(look->now));
	scan = begin_scan(look, keys, 3);
	while (!found && index_getnext_tid(scan, ForwardScanDirection) != NULL)
	{
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		look->work++;
		found = index_fetch_heap(scan, look->slot);
		if (found)
			look->due = Min(look->due,
							DatumGetTimestampTz(slot_getattr(look->slot,
															 Anum_step_queue_available_at,
															 &isnull)));
	}
	index_endscan(scan);
	ExecClearTuple(look->slot);
	pfree(DatumGetPointer(keys[0].sk_argument));
}

/* -------------------------------------------------------------- how long to wait */

double
orch_queue_due(List *names)
{
	SystemContext saved;
	TimestampTz now = GetCurrentTimestamp();
	ListCell   *cell;
	double		result = -1;

	orch_system_enter(&saved);
	foreach(cell, orch_queue_topics(names))
	{
		Topic	   *topic = lfirst(cell);
		bool		whole = whole_allowed(topic, now);
		Look		seen = {0};
		double		seconds = -1;

		seen.for_due = true;
		if (!look(topic, now, true, &seen))
			seconds = LOOK_AGAIN / 1000000.0;
		else if (topic->nsources > 0)
			result = 0;
		else if (seen.contended)
			seconds = CONTENDED;
		else if (!TIMESTAMP_NOT_FINITE(seen.due))
			seconds = Max(seen.due - now, 1000) / 1000000.0;
		/* leases before the marks may have ended without a look */
		if (!whole && seconds != 0)
			seconds = seconds < 0 ? WHOLE_MAX / 1000000.0 : Min(seconds, WHOLE_MAX / 1000000.0);
		if (result == 0)
			break;
		if (seconds >= 0)
			result = result < 0 ? seconds : Min(result, seconds);
	}
	orch_system_leave(&saved);
	return result;
}
