/*-------------------------------------------------------------------------
 *
 * notify.c
 *	  Wakes the sessions that wait for queued steps or for work items.
 *
 * NOTIFY takes a lock at commit that all notifying transactions share, and holds it
 * until the commit is on disk.  So a transaction that queued steps or assigned work
 * items notifies only those channels on which a session waits.
 *
 * Protocol.  Shared memory has BUCKETS buckets; the hash of a channel selects its bucket.
 * A bucket has three counts: the sessions that wait (waiting), the commits that began
 * (began) and the commits that ended (ended).
 *
 * A committer C, for each channel for which it queued or assigned something:
 *	C1	adds 1 to began, before it commits (before_commit)
 *	C2	reads waiting; if waiting is not 0, it NOTIFYs the channel
 *	C3	adds 1 to ended, when all sessions see its writes, or when it has aborted
 *		(at_xact_end)
 *
 * A listener L, for each channel:
 *	L1	LISTENs, in every call; it asks the server (pg_listening_channels) whether the
 *		LISTEN is in effect, and does not store the answer
 *	L2	adds 1 to waiting, unless this session is counted already
 *	L3	reads ended, then began; if they differ, a transaction is committing
 *	L4	reads the queue, with the latest snapshot
 *	L5	returns 0 if a step is ready, or if the LISTEN is not in effect and this is not
 *		the only statement of its transaction; SETTLE if a transaction was committing;
 *		otherwise the time until the next step is due.  listen_for_work() does not read
 *		the work items itself: it waits at L3 until no transaction is committing, and
 *		its client reads them afterwards
 *	L6	after its own commit, if the LISTEN was not in effect before: if began differs
 *		from the value read at L3, it notifies its own client
 *
 * Proof.  Each of C1, C2, L2, L3 is atomic and a full barrier.
 *	- C2 after L2, LISTEN in effect: C notifies.  The server delivers the notification,
 *	  because the LISTEN was committed before C wrote into the server's queue.
 *	- C2 before L2: C1 was before L3.  If C3 was before L3, L4 sees the step.  Otherwise
 *	  L3 reads began <> ended and L5 returns SETTLE: the client looks again.
 *	- LISTEN not in effect at L4: C1 before L3 is the case above.  If C1 is between L3
 *	  and L6, L6 sees it.  If C1 is after L6, the session was in the server's list of
 *	  listeners before C1, and C2 reads the value that L2 wrote, so C notifies and the
 *	  server delivers.
 * If the listener's transaction or subtransaction rolls back, its LISTEN is undone but
 * waiting stays counted: C notifies needlessly.  The client got 0 or an error, so it
 * calls again.  After DISCARD ALL or UNLISTEN *, L1 of the next call finds that the
 * LISTEN is not in effect.  A session is subtracted from waiting when it claims steps of
 * the topic, when a call finds that the session does not listen any more, and when the
 * session ends.  Nothing else changes the counts: a crash of the server sets all of them
 * to 0, and ends the sessions.
 *
 * A prepared transaction (PREPARE TRANSACTION) cannot NOTIFY, and the session that
 * commits it does not know what the transaction wrote.  So the transaction takes a lock
 * as a mark, which it keeps, also over a restart.  COMMIT PREPARED, if any transaction
 * holds that lock, is a committer for two channels on which all listeners listen
 * (ANY_CHANNEL): C1 comes before the prepared transaction is committed, C2 and C3 with
 * the end of the command's own transaction.  The session that commits must have loaded
 * the library for this.  Without shared_preload_libraries it may not have, so on servers
 * that allow prepared transactions L5 returns at most POLL_PREPARED.
 *
 * Without preloading, the counts live in the server's spare shared memory (as those of
 * contrib/pg_prewarm do).  If there is none to spare, a committer always notifies, and
 * L5 returns at most POLL_UNCOUNTED.
 *
 * A connection pool may give each transaction of a client another session.  A LISTEN would
 * stay in a session that all clients share, and notifications would reach another client or
 * none.  A server session cannot see that.  The client can: a pool makes up the key for
 * cancel requests that each client gets when it connects, so the process id in it is not
 * that of the session.  So a client passes that process id, and only if it is MyProcPid the
 * session LISTENs.
 *
 * A transaction sends one notification per channel.  A session that claims steps does not
 * wait, so its claim ends its wait for steps of those topics.  A claim made by a function
 * of an action ends no wait, because that function runs in another client's session
 * (gate.h).
 *
 * A channel's name is a hash, and its payload is empty: a session that listens without
 * knowing the topic or the person learns nothing.  The hashes of persons are made with a
 * secret of the database; without it, anyone who knows an id could listen.  The secret is
 * read again whenever the catalog caches are, because DROP and CREATE EXTENSION make a
 * new one.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/notify.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/twophase.h"
#include "access/xact.h"
#include "commands/async.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/lock.h"
#include "base/shared.h"
#include "base/system.h"
#include "base/transaction.h"
#include "base/worker_slot.h"
#include "engine/notify.h"
#include "record/gate.h"

#define BUCKETS		512

/* The channel, one of each kind, on which all listeners listen; no name hashes to 0. */
#define ANY_CHANNEL UINT64CONST(0)

#define CHANNEL_PREFIX "orchestration_"

/* Seconds after which a client should look again; see the head of this file. */
#define SETTLE			0.02
#define POLL_PREPARED	1.0
#define SETTLE_MAX		2000	/* milliseconds that listen_for_work() waits for a commit */
#define POLL_UNCOUNTED	1.0

typedef struct Bucket
{
	pg_atomic_uint32 waiting;	/* sessions */
	pg_atomic_uint32 began;		/* commits; this and the next wrap around */
	pg_atomic_uint32 ended;
} Bucket;

typedef struct NotifyShared
{
	bool		preloaded;		/* made by the postmaster */
	Bucket		buckets[BUCKETS];
} NotifyShared;

typedef struct ChannelKey
{
	uint64		hash;
	uint64		person;			/* 1: of a person, group or queue; 0: of a topic */
} ChannelKey;

/* A channel on which this session is counted as waiting. */
typedef struct Wait
{
	ChannelKey	key;			/* must be first */
	bool		pending;		/* the LISTEN takes effect with this transaction */
	uint32		began;			/* of the bucket, as read at L3 */
} Wait;

static NotifyShared *shared = NULL;
static ProcessUtility_hook_type previous_utility_hook = NULL;
static QueuedCallback queued_callback = NULL;

/* of the session, in TopMemoryContext */
static HTAB *waits = NULL;		/* of Wait */
static uint64 secret = 0;
static uint64 secret_generation = 0;

/* of the transaction */
static ChannelKey told_few[8];	/* the first channels to notify */
static int	ntold_few = 0;
static HTAB *told = NULL;		/* of ChannelKey: further ones, in TopTransactionContext */
static bool told_worker = false;
static bool any_pending = false;	/* some Wait is pending */
static int	nbegun = 0;			/* buckets in which this transaction began to commit */
static uint16 begun[BUCKETS];
static bool has_begun[BUCKETS];

static StaticPlan plan_secret = {
	"SELECT value FROM orchestration.secret WHERE name = 'channel'", 0
};
static StaticPlan plan_listening = {
	"SELECT pg_catalog.pg_listening_channels()", 0
};

static Size buckets_size(void);
static void fill_buckets(void *area);
static void before_commit(void);
static void before_prepare(void);
static void at_xact_end(bool committed);
static bool attach(void);
static void tell_committed_prepared(PlannedStmt *pstmt, const char *queryString,
									bool readOnlyTree, ProcessUtilityContext context,
									ParamListInfo params, QueryEnvironment *queryEnv,
									DestReceiver *dest, QueryCompletion *qc);
static HTAB *make_table(const char *name, Size entry_size, MemoryContext context);
static void tell(uint64 hash, bool person);
static void notify_waiting(const ChannelKey *key);
static void begin_commit(const ChannelKey *key);
static uint64 topic_hash(const char *topic);
static uint64 person_hash(const pg_uuid_t *id);
static char *channel_name(uint64 hash, bool person);
static Bucket *bucket_of(const ChannelKey *key);
static HTAB *listening(void);
static bool wait_on(HTAB *effective, uint64 hash, bool person, bool *settled);
static void stop_waiting(Wait *wait);
static void stop_deaf_waits(HTAB *effective);
static double longest_wait(void);
static void leave(int code, Datum arg);

static const SharedArea area = {
	.name = "orchestration notify",
	.size = buckets_size,
	.fill = fill_buckets,
	.place = (void **) &shared
};
static const TransactionModule module = {
	.name = "notify",
	.before_commit = before_commit,
	.before_prepare = before_prepare,
	.at_end = at_xact_end
};

/* ----------------------------------------------------------------- counts */

/*
 * Called once, by _PG_init().
 */
void
orch_notify_init(void)
{
	previous_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = tell_committed_prepared;
	orch_shared_reserve(&area);
	orch_transaction_register(&module);
}

static Size
buckets_size(void)
{
	return sizeof(NotifyShared);
}

static void
fill_buckets(void *area)
{
	NotifyShared *new_shared = area;
	int			i;

	new_shared->preloaded = !IsUnderPostmaster;
	for (i = 0; i < BUCKETS; i++)
	{
		pg_atomic_init_u32(&new_shared->buckets[i].waiting, 0);
		pg_atomic_init_u32(&new_shared->buckets[i].began, 0);
		pg_atomic_init_u32(&new_shared->buckets[i].ended, 0);
	}
}

/*
 * Attach to the counts; returns false if the server has no shared memory to spare.  A
 * failure leaves only the lock behind: ShmemInitStruct() raises its errors before it
 * changes anything.
 */
static bool
attach(void)
{
	static bool tried = false;
	MemoryContext context = CurrentMemoryContext;

	if (likely(shared != NULL) || tried)
		return shared != NULL;
	tried = true;
	PG_TRY();
	{
		orch_shared_attach(&area);
	}
	PG_CATCH();
	{
		if (LWLockHeldByMe(AddinShmemInitLock))
		{
			/* the error reset the interrupt holdoff, and the release subtracts one */
			HOLD_INTERRUPTS();
			LWLockRelease(AddinShmemInitLock);
		}
		MemoryContextSwitchTo(context);
		FlushErrorState();
		shared = NULL;
	}
	PG_END_TRY();
	return shared != NULL;
}

static Bucket *
bucket_of(const ChannelKey *key)
{
	return &shared->buckets[hash_bytes_uint32((uint32) key->hash ^ (uint32) (key->hash >> 32) ^
											  MyDatabaseId ^ (uint32) key->person) % BUCKETS];
}

static HTAB *
make_table(const char *name, Size entry_size, MemoryContext context)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(ChannelKey);
	ctl.entrysize = entry_size;
	ctl.hcxt = context;
	return hash_create(name, 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* --------------------------------------------------------------- channels */

static uint64
topic_hash(const char *topic)
{
	uint64		hash = DatumGetUInt64(hash_any_extended((const unsigned char *) topic,
														strlen(topic), 0));

	return hash == ANY_CHANNEL ? 1 : hash;
}

/*
 * The hash of a person, group or queue, made with the secret of the database.  Caller is
 * in system context and connected to SPI.
 */
static uint64
person_hash(const pg_uuid_t *id)
{
	uint64		hash;

	if (secret == 0 || secret_generation != orch_catalog_generation())
	{
		bool		isnull;

		orch_plan_execute_latest(&plan_secret, NULL, NULL, 1);
		if (SPI_processed == 0)
			elog(ERROR, "there is no secret for channels");
		secret = DatumGetUInt64(hash_any_extended((const unsigned char *)
												  DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
																			  SPI_tuptable->tupdesc, 1, &isnull))->data,
												  UUID_LEN, 0)) | 1;
		SPI_freetuptable(SPI_tuptable);
		secret_generation = orch_catalog_generation();
	}
	hash = DatumGetUInt64(hash_any_extended(id->data, UUID_LEN, secret));
	return hash == ANY_CHANNEL ? 1 : hash;
}

static char *
channel_name(uint64 hash, bool person)
{
	return psprintf(CHANNEL_PREFIX "%s_%016llx", person ? "work" : "steps",
					(unsigned long long) hash);
}

/* -------------------------------------------------------------- committers */

static void
tell(uint64 hash, bool person)
{
	ChannelKey	key = {hash, person};
	int			i;

	for (i = 0; i < ntold_few; i++)
		if (told_few[i].hash == hash && told_few[i].person == key.person)
			return;
	if (ntold_few < (int) lengthof(told_few))
	{
		told_few[ntold_few++] = key;
		return;
	}
	if (told == NULL)
		told = make_table("orchestration told", sizeof(ChannelKey), TopTransactionContext);
	(void) hash_search(told, &key, HASH_ENTER, NULL);
}

void
orch_notify_at_queued(QueuedCallback callback)
{
	queued_callback = callback;
}

void
orch_notify_queued(const char *topic)
{
	if (queued_callback != NULL)
		queued_callback(topic);
	if (topic[0] == '\0')
	{
		orch_worker_wake();
		told_worker = true;
	}
	else
		tell(topic_hash(topic), false);
}

void
orch_notify_assigned(const pg_uuid_t *principal_id)
{
	tell(person_hash(principal_id), true);
}

/*
 * The transaction is about to commit: C1 and C2.  Channels of aborted subtransactions are
 * notified, too, which wakes a session needlessly.
 */
static void
before_commit(void)
{
	HASH_SEQ_STATUS scan;
	ChannelKey *key;
	int			i;

	for (i = 0; i < ntold_few; i++)
		notify_waiting(&told_few[i]);
	if (told == NULL)
		return;
	hash_seq_init(&scan, told);
	while ((key = hash_seq_search(&scan)) != NULL)
		notify_waiting(key);
}

static void
notify_waiting(const ChannelKey *key)
{
	begin_commit(key);
	if (shared == NULL || pg_atomic_read_u32(&bucket_of(key)->waiting) != 0)
		Async_Notify(channel_name(key->hash, key->person != 0), "");
}

/* C1, once per bucket. */
static void
begin_commit(const ChannelKey *key)
{
	Bucket	   *bucket;
	int			n;

	if (!attach())
		return;
	bucket = bucket_of(key);
	n = (int) (bucket - shared->buckets);
	if (has_begun[n])
		return;
	has_begun[n] = true;
	begun[nbegun++] = (uint16) n;
	(void) pg_atomic_fetch_add_u32(&bucket->began, 1);
}

/*
 * The transaction is about to be prepared: take the lock that marks that it has channels
 * to notify.
 */
static void
before_prepare(void)
{
	LOCKTAG		tag;

	if (ntold_few == 0 && !told_worker)
		return;
	orch_lock_tag(&tag, LOCK_NOTIFY, 0);
	(void) LockAcquire(&tag, RowExclusiveLock, false, false);
}

/*
 * ProcessUtility_hook: COMMIT PREPARED notifies in place of the prepared transaction.
 */
static void
tell_committed_prepared(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
						ProcessUtilityContext context, ParamListInfo params,
						QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	if (IsA(pstmt->utilityStmt, TransactionStmt) &&
		((TransactionStmt *) pstmt->utilityStmt)->kind == TRANS_STMT_COMMIT_PREPARED)
	{
		LOCKTAG		tag;
		int			holders;

		orch_lock_tag(&tag, LOCK_NOTIFY, 0);
		(void) GetLockConflicts(&tag, ShareLock, &holders);
		if (holders > 0)
		{
			ChannelKey	steps = {ANY_CHANNEL, 0};
			ChannelKey	work = {ANY_CHANNEL, 1};

			begin_commit(&steps);
			begin_commit(&work);
			tell(ANY_CHANNEL, false);
			tell(ANY_CHANNEL, true);
			orch_worker_wake();
		}
	}
	if (previous_utility_hook != NULL)
		previous_utility_hook(pstmt, queryString, readOnlyTree, context, params, queryEnv,
							  dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context, params, queryEnv,
								dest, qc);
}

/*
 * The transaction ended: C3 and L6.
 */
static void
at_xact_end(bool committed)
{
	int			i;

	for (i = 0; i < nbegun; i++)
	{
		(void) pg_atomic_fetch_add_u32(&shared->buckets[begun[i]].ended, 1);
		has_begun[begun[i]] = false;
	}
	nbegun = 0;
	told = NULL;
	ntold_few = 0;
	told_worker = false;
	if (any_pending)
	{
		HASH_SEQ_STATUS scan;
		Wait	   *wait;

		hash_seq_init(&scan, waits);
		while ((wait = hash_seq_search(&scan)) != NULL)
		{
			if (wait->pending && committed &&
				pg_atomic_fetch_add_u32(&bucket_of(&wait->key)->began, 0) != wait->began)
				NotifyMyFrontEnd(channel_name(wait->key.hash, wait->key.person != 0), "",
								 MyProcPid);
			wait->pending = false;
		}
		any_pending = false;
	}
}

/* --------------------------------------------------------------- listeners */

/*
 * The names of the channels on which the session's LISTEN is in effect.  Caller is in
 * system context and connected to SPI.
 */
static HTAB *
listening(void)
{
	HASHCTL		ctl;
	HTAB	   *result;
	uint64		i;

	ctl.keysize = NAMEDATALEN;
	ctl.entrysize = NAMEDATALEN;
	ctl.hcxt = CurrentMemoryContext;
	result = hash_create("orchestration listening", 64, &ctl,
						 HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	orch_plan_execute(&plan_listening, NULL, NULL, false, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);

		(void) hash_search(result, name, HASH_ENTER, NULL);
		pfree(name);
	}
	SPI_freetuptable(SPI_tuptable);
	return result;
}

/*
 * L1 to L3 for a channel.  Returns whether the LISTEN is in effect already.  If a
 * transaction is committing, it sets settled to false; without settled, it waits.
 */
static bool
wait_on(HTAB *effective, uint64 hash, bool person, bool *settled)
{
	ChannelKey	key = {hash, person};
	char	   *name = channel_name(hash, person);
	bool		in_effect;
	bool		found;
	Wait	   *wait;
	Bucket	   *bucket;
	uint32		ended;
	uint32		began;
	int			waited = 0;		/* milliseconds */

	Async_Listen(name);
	(void) hash_search(effective, name, HASH_FIND, &in_effect);
	if (!attach())
		return in_effect;
	if (waits == NULL)
	{
		waits = make_table("orchestration waits", sizeof(Wait), TopMemoryContext);
		before_shmem_exit(leave, (Datum) 0);
	}
	bucket = bucket_of(&key);
	wait = hash_search(waits, &key, HASH_ENTER, &found);
	if (!found)
	{
		wait->pending = false;
		(void) pg_atomic_fetch_add_u32(&bucket->waiting, 1);
	}
	for (;;)
	{
		ended = pg_atomic_fetch_add_u32(&bucket->ended, 0);
		began = pg_atomic_fetch_add_u32(&bucket->began, 0);
		if (ended == began || settled != NULL)
			break;
		/* a commit may wait without limit for a synchronous standby */
		if (++waited > SETTLE_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("a transaction that assigns work has been committing for more than %d seconds",
							SETTLE_MAX / 1000),
					 errhint("Look at the inbox, and call listen_for_work() again.")));
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	if (ended != began)
		*settled = false;
	/* the first of several calls in a transaction counts */
	if (!wait->pending)
		wait->began = began;
	if (!in_effect)
		wait->pending = any_pending = true;
	return in_effect;
}

static void
stop_waiting(Wait *wait)
{
	(void) pg_atomic_fetch_sub_u32(&bucket_of(&wait->key)->waiting, 1);
	(void) hash_search(waits, &wait->key, HASH_REMOVE, NULL);
}

/* Stop counting this session for channels on which it does not listen any more. */
static void
stop_deaf_waits(HTAB *effective)
{
	HASH_SEQ_STATUS scan;
	Wait	   *wait;

	if (waits == NULL)
		return;
	hash_seq_init(&scan, waits);
	while ((wait = hash_seq_search(&scan)) != NULL)
	{
		char	   *name = channel_name(wait->key.hash, wait->key.person != 0);

		if (!wait->pending && hash_search(effective, name, HASH_FIND, NULL) == NULL)
			stop_waiting(wait);
		pfree(name);
	}
}

void
orch_notify_awake(List *topics)
{
	ListCell   *cell;

	/* a function of an action that claims steps is not the client that waits */
	if (likely(waits == NULL) || hash_get_num_entries(waits) == 0 || orch_gate_is_inside())
		return;
	foreach(cell, topics)
	{
		ChannelKey	key = {topic_hash(lfirst(cell)), 0};
		Wait	   *wait = hash_search(waits, &key, HASH_FIND, NULL);

		if (wait != NULL)
			stop_waiting(wait);
	}
}

/* The session ends: stop counting it. */
static void
leave(int code, Datum arg)
{
	HASH_SEQ_STATUS scan;
	Wait	   *wait;

	hash_seq_init(&scan, waits);
	while ((wait = hash_seq_search(&scan)) != NULL)
		stop_waiting(wait);
}

bool
orch_notify_is_own_session(int backend_pid)
{
	HASH_SEQ_STATUS scan;
	Wait	   *wait;
	char	   *name;

	if (likely(backend_pid == MyProcPid))
		return true;
	hash_seq_init(&scan, listening());
	while ((name = hash_seq_search(&scan)) != NULL)
		if (strncmp(name, CHANNEL_PREFIX, strlen(CHANNEL_PREFIX)) == 0)
			Async_Unlisten(name);
	if (waits == NULL)
		return false;
	/* and what this transaction began */
	hash_seq_init(&scan, waits);
	while ((wait = hash_seq_search(&scan)) != NULL)
	{
		Async_Unlisten(channel_name(wait->key.hash, wait->key.person != 0));
		stop_waiting(wait);
	}
	return false;
}

/* Seconds that a session may wait at most that need not settle; -1: no limit. */
static double
longest_wait(void)
{
	if (shared == NULL)
		return POLL_UNCOUNTED;
	if (!shared->preloaded && max_prepared_xacts > 0)
		return POLL_PREPARED;
	return -1;
}

List *
orch_notify_wait_for_steps(List *topics, bool *in_effect, double *most)
{
	HTAB	   *effective = listening();
	List	   *channels = NIL;
	bool		settled = true;
	ListCell   *cell;

	stop_deaf_waits(effective);
	*in_effect = wait_on(effective, ANY_CHANNEL, false, &settled);
	channels = lappend(channels, channel_name(ANY_CHANNEL, false));
	foreach(cell, topics)
	{
		uint64		hash = topic_hash(lfirst(cell));

		*in_effect &= wait_on(effective, hash, false, &settled);
		channels = lappend(channels, channel_name(hash, false));
	}
	*most = settled ? longest_wait() : SETTLE;
	return channels;
}

List *
orch_notify_wait_for_work(const pg_uuid_t *principal_ids, int nids, double *most)
{
	HTAB	   *effective = listening();
	List	   *channels = NIL;
	int			i;

	stop_deaf_waits(effective);
	(void) wait_on(effective, ANY_CHANNEL, true, NULL);
	channels = lappend(channels, channel_name(ANY_CHANNEL, true));
	for (i = 0; i < nids; i++)
	{
		uint64		hash = person_hash(&principal_ids[i]);

		(void) wait_on(effective, hash, true, NULL);
		channels = lappend(channels, channel_name(hash, true));
	}
	*most = longest_wait();
	return channels;
}
