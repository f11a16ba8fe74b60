/*-------------------------------------------------------------------------
 *
 * notify.c
 *	  Waking workers and people who wait.
 *
 * NOTIFY takes a lock at commit that all who notify share, so nobody is notified
 * unless somebody waits.  Who waits holds an advisory lock (of a class of its own)
 * of the channel in mode Share; who has something to tell tries, when he commits,
 * to take it in mode RowExclusive, and keeps it until his commit is done.  If he
 * gets it, nobody waits; if not, he notifies.  Who begins to wait must wait for
 * those who are committing, and looks once more when he has the lock: what was
 * committed without a word he sees then.  So nothing is missed between the last
 * look and the wait, and nothing at all depends on it: who polls finds everything.
 *
 * The notifications of a transaction are coalesced, one a channel; a worker that
 * claims steps is awake, and nobody wakes it.
 *
 * A channel's name is a hash, its payload empty: who listens without knowing the
 * topic, or the person, learns nothing.  Those of persons are hashed with a
 * secret of the database, or anybody who knows an id could listen.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/notify.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "access.h"
#include "gate.h"
#include "notify.h"
#include "queue.h"
#include "system.h"

/* "OQ": see LOCK_CLASS in stamp.c */
#define LOCK_CLASS	0x4F51
#define CHANNEL_LENGTH	48

typedef struct Pending
{
	struct Pending *next;
	uint64		hash;
	bool		person;
} Pending;

static Pending *pending = NULL; /* in TopTransactionContext */
static List *waiting = NIL;		/* of uint64 *: channels that the session waits
								 * on, in TopMemoryContext */

static StaticPlan plan_secret = {
	"SELECT value FROM orchestration.secret WHERE name = 'channel'", 0
};

static void add_pending(uint64 hash, bool person);
static uint64 topic_hash(const char *topic);
static uint64 person_hash(const pg_uuid_t *id);
static char *channel_name(uint64 hash, bool person);
static void make_tag(LOCKTAG *tag, uint64 hash);
static void wait_on(uint64 hash);
static List *text_elements(ArrayType *array);

static void
make_tag(LOCKTAG *tag, uint64 hash)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash,
						 LOCK_CLASS);
}

static uint64
topic_hash(const char *topic)
{
	return DatumGetUInt64(hash_any_extended((const unsigned char *) topic, strlen(topic), 0));
}

/*
 * Of a person, group or queue: with the secret of the database, kept a session.
 * Caller is in system context and connected to SPI.
 */
static uint64
person_hash(const pg_uuid_t *id)
{
	static uint64 secret = 0;

	if (secret == 0)
	{
		bool		isnull;

		orch_plan_execute(&plan_secret, NULL, NULL, false, 1);
		if (SPI_processed == 0)
			elog(ERROR, "there is no secret for channels");
		secret = DatumGetUInt64(hash_any_extended((const unsigned char *)
												  DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
																			  SPI_tuptable->tupdesc, 1, &isnull))->data,
												  UUID_LEN, 0)) | 1;
	}
	return DatumGetUInt64(hash_any_extended(id->data, UUID_LEN, secret));
}

static char *
channel_name(uint64 hash, bool person)
{
	return psprintf("orchestration_%s_%016llx", person ? "work" : "steps",
					(unsigned long long) hash);
}

/* ---------------------------------------------------------------- to tell */

static void
add_pending(uint64 hash, bool person)
{
	Pending    *entry;

	for (entry = pending; entry != NULL; entry = entry->next)
		if (entry->hash == hash && entry->person == person)
			return;
	entry = MemoryContextAlloc(TopTransactionContext, sizeof(Pending));
	entry->hash = hash;
	entry->person = person;
	entry->next = pending;
	pending = entry;
}

void
orch_notify_queued(const char *topic)
{
	orch_queue_note_queued(topic);
	if (topic[0] == '\0')
		orch_queue_wake_worker();
	else
		add_pending(topic_hash(topic), false);
}

void
orch_notify_assigned(const pg_uuid_t *principal_id)
{
	add_pending(person_hash(principal_id), true);
}

/*
 * The transaction is about to commit.  What was noted by a subtransaction that
 * was aborted may be told, too: nobody minds being woken.
 */
void
orch_notify_pre_commit(void)
{
	Pending    *entry;

	for (entry = pending; entry != NULL; entry = entry->next)
	{
		LOCKTAG		tag;

		make_tag(&tag, entry->hash);
		if (LockAcquire(&tag, RowExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
			Async_Notify(channel_name(entry->hash, entry->person), "");
	}
	pending = NULL;
}

void
orch_notify_at_xact_end(void)
{
	pending = NULL;
}

/* ---------------------------------------------------------------- to wait */

static void
wait_on(uint64 hash)
{
	LOCKTAG		tag;
	ListCell   *cell;
	MemoryContext old;
	uint64	   *copy;

	foreach(cell, waiting)
		if (*(uint64 *) lfirst(cell) == hash)
			return;
	make_tag(&tag, hash);
	(void) LockAcquire(&tag, ShareLock, true, false);
	old = MemoryContextSwitchTo(TopMemoryContext);
	copy = palloc(sizeof(uint64));
	*copy = hash;
	waiting = lappend(waiting, copy);
	MemoryContextSwitchTo(old);
}

void
orch_notify_awake(void)
{
	ListCell   *cell;

	/* a function of an action that claims steps is not the session that waits */
	if (likely(waiting == NIL) || orch_gate_is_inside())
		return;
	foreach(cell, waiting)
	{
		LOCKTAG		tag;

		make_tag(&tag, *(uint64 *) lfirst(cell));
		(void) LockRelease(&tag, ShareLock, true);
	}
	list_free_deep(waiting);
	waiting = NIL;
}

/* The members of a text[]; raises 22023 for an empty or null one. */
static List *
text_elements(ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			i;
	List	   *result = NIL;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		if (nulls[i] || VARSIZE_ANY_EXHDR(DatumGetTextPP(elements[i])) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a topic must not be empty or null")));
		result = lappend(result, TextDatumGetCString(elements[i]));
	}
	return result;
}

PG_FUNCTION_INFO_V1(orchestration_listen_for_steps);

/*
 * orchestration.listen_for_steps(topics text[]) returns double precision
 *
 * From here on the session is notified, without a payload, when steps of the topics
 * are queued; until it claims some.  Returns for how many seconds it should wait at
 * most: 0, there are some already; until the next retry is due; null, as long as it
 * likes.  LISTEN, and so the wait, begins when the transaction commits.
 * Raises 22004 for null, 22023 for an empty topic, 42501 inside a function of an action.
 */
Datum
orchestration_listen_for_steps(PG_FUNCTION_ARGS)
{
	List	   *topics;
	ListCell   *cell;
	double		due;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("topics must not be null")));
	orch_gate_refuse_inside("listen_for_steps()");
	topics = text_elements(PG_GETARG_ARRAYTYPE_P(0));
	foreach(cell, topics)
	{
		uint64		hash = topic_hash(lfirst(cell));

		Async_Listen(channel_name(hash, false));
		wait_on(hash);
	}
	due = orch_queue_due(topics);
	if (due < 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(due);
}

PG_FUNCTION_INFO_V1(orchestration_listen_for_work);

/*
 * orchestration.listen_for_work() returns setof text
 *
 * From here on the session is notified when a work item becomes the caller's, or
 * that of a group or queue of his; returns the channels, each for one of them.
 * There is no payload: what it is, my_work_items() tells.  Raises 42501 for one who
 * acts as no active user, and inside a function of an action.
 */
Datum
orchestration_listen_for_work(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	AccessSet  *set = orch_access_require_user(GetUserId());
	UuidMap    *principals;
	pg_uuid_t  *ids;
	int			nids = 0;
	SystemContext saved;
	uint32		i;
	int			n;

	orch_gate_refuse_inside("listen_for_work()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (!set->is_user)
		return (Datum) 0;
	principals = orch_access_arm(set, ARM_ASSIGNEE);
	ids = palloc(sizeof(pg_uuid_t) * Max(principals->count, 1));
	for (i = 0; i < principals->size; i++)
		if (principals->values[i] != 0)
			ids[nids++] = principals->keys[i];
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (n = 0; n < nids; n++)
	{
		uint64		hash = person_hash(&ids[n]);
		Datum		value;
		bool		isnull = false;

		Async_Listen(channel_name(hash, true));
		wait_on(hash);
		value = CStringGetTextDatum(channel_name(hash, true));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	}
	SPI_finish();
	orch_system_leave(&saved);
	return (Datum) 0;
}
