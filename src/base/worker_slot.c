/*-------------------------------------------------------------------------
 *
 * worker_slot.c
 *	  Where background workers are: slots, wake-up, interruption.
 *
 * Shared memory has a slot for each worker, with the latch by which a commit wakes it,
 * and for each database of orchestration.worker_databases.  It exists only when the
 * library is preloaded.  The launcher (launcher.c) and the workers (worker.c) use the
 * slots; sessions only wake and interrupt workers.
 *
 * Correctness does not depend on this file: the leases ensure that a function has its
 * effect once, with any number of workers.  A database has one worker because more would
 * be of no use.  The slot and a session-level advisory lock ensure that.  A trigger on a
 * user's table may release the lock in the worker's session; so the worker checks in each
 * round whether it still holds it.
 *
 * A session that ends a step must interrupt the worker that is carrying out the step's
 * function.  It finds the worker by a lock: in the transaction of the function the worker
 * holds a lock on the step's id, of a class that SQL cannot name.  Nothing releases it
 * before the transaction ends.  After its commit the session sends SIGUSR2 to the
 * holders.  The signal only makes the worker check whether its step is still wanted.  It
 * may come late and hit the next function, which is then canceled and begun again; the
 * attempt does not count.  COMMIT PREPARED sends no signal; the worker finds out when the
 * function returns.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/worker_slot.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "storage/spin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "base/lock.h"
#include "base/shared.h"
#include "base/transaction.h"
#include "base/worker_slot.h"

/* Keys of LOCK_WORKER; all others are hashes of the ids of steps. */
#define KEY_ALONE		0
#define KEY_STOP		1

typedef struct WorkerSlot
{
	Oid			database;		/* InvalidOid: free */
	Latch	   *latch;			/* of its worker; NULL: there is none */
	bool		listed;			/* in orchestration.worker_databases */
	bool		stopped;		/* by stop_background_worker() */
	bool		wanted;			/* a function was queued, and no worker there */
} WorkerSlot;

typedef struct WorkerShared
{
	slock_t		mutex;			/* of launcher and slots */
	Latch	   *launcher;
	int			nslots;
	WorkerSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} WorkerShared;

/* A step whose worker looks, once this transaction commits. */
typedef struct Interrupted
{
	struct Interrupted *next;
	uint64		hash;
} Interrupted;

static char *worker_databases = NULL;

static WorkerShared *shared = NULL; /* NULL: not preloaded */

/* of the transaction */
static bool wake_wanted = false;
static Interrupted *interrupted = NULL; /* in TopTransactionContext */

static Size slots_size(void);
static void fill_slots(void *area);
static void leave_slot(int code, Datum arg);
static void at_xact_end(bool committed);

static const SharedArea area = {
	.name = "orchestration",
	.size = slots_size,
	.fill = fill_slots,
	.place = (void **) &shared
};
static const TransactionModule module = {
	.name = "worker_slot",
	.at_end = at_xact_end
};

void
orch_worker_slot_init(void)
{
	/* later it has no effect, but must not be an unknown setting */
	DefineCustomStringVariable("orchestration.worker_databases",
							   "Databases that have a background worker, separated by commas.",
							   "Read when the library is loaded by shared_preload_libraries.",
							   &worker_databases, "",
							   process_shared_preload_libraries_in_progress ?
							   PGC_POSTMASTER : PGC_SIGHUP,
							   GUC_LIST_INPUT, NULL, NULL, NULL);
	orch_shared_reserve(&area);
	orch_transaction_register(&module);
}

List *
orch_worker_databases(void)
{
	List	   *names = NIL;

	if (worker_databases != NULL &&
		!SplitIdentifierString(pstrdup(worker_databases), ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" is no list of names", "orchestration.worker_databases")));
	return names;
}

/* Each worker has a slot, and each database that should have one. */
static int
number_of_slots(void)
{
	return max_worker_processes + list_length(orch_worker_databases());
}

static Size
slots_size(void)
{
	return offsetof(WorkerShared, slots) + sizeof(WorkerSlot) * number_of_slots();
}

static void
fill_slots(void *area)
{
	WorkerShared *new_shared = area;

	new_shared->nslots = number_of_slots();
	SpinLockInit(&new_shared->mutex);
}

/* ------------------------------------------------------------------ slots */

/* Caller holds the mutex; listed: only the slot that says so. */
static WorkerSlot *
find_slot(Oid database, bool listed)
{
	int			i;

	for (i = 0; i < shared->nslots; i++)
		if (shared->slots[i].database == database && (shared->slots[i].listed || !listed))
			return &shared->slots[i];
	return NULL;
}

void
orch_worker_list(Oid before, Oid database)
{
	WorkerSlot *slot;

	SpinLockAcquire(&shared->mutex);
	if (OidIsValid(before) &&
		(slot = find_slot(before, true)) != NULL)
	{
		slot->listed = slot->stopped = slot->wanted = false;
		if (slot->latch == NULL)
			slot->database = InvalidOid;
	}
	if (OidIsValid(database))
	{
		slot = find_slot(database, false);
		if (slot == NULL)
			slot = find_slot(InvalidOid, false);
		if (slot != NULL)
		{
			slot->database = database;
			slot->listed = true;
		}
	}
	SpinLockRelease(&shared->mutex);
}

bool
orch_worker_is_missing(Oid database, bool *wanted)
{
	WorkerSlot *slot;
	bool		missing = false;

	*wanted = false;
	SpinLockAcquire(&shared->mutex);
	slot = find_slot(database, true);
	if (slot != NULL)
	{
		missing = slot->latch == NULL && !slot->stopped;
		*wanted = slot->wanted;
	}
	SpinLockRelease(&shared->mutex);
	return missing;
}

void
orch_worker_is_tried(Oid database)
{
	WorkerSlot *slot;

	SpinLockAcquire(&shared->mutex);
	slot = find_slot(database, true);
	if (slot != NULL)
		slot->wanted = false;
	SpinLockRelease(&shared->mutex);
}

bool
orch_worker_any_wanted(void)
{
	bool		wanted = false;
	int			i;

	SpinLockAcquire(&shared->mutex);
	for (i = 0; i < shared->nslots; i++)
		wanted |= shared->slots[i].wanted;
	SpinLockRelease(&shared->mutex);
	return wanted;
}

void
orch_worker_set_launcher(Latch *latch)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = latch;
	SpinLockRelease(&shared->mutex);
}

bool
orch_worker_enter_slot(void)
{
	WorkerSlot *slot;
	bool		taken = false;

	if (shared == NULL)
		return true;
	SpinLockAcquire(&shared->mutex);
	slot = find_slot(MyDatabaseId, false);
	if (slot == NULL)
		slot = find_slot(InvalidOid, false);
	if (slot != NULL)
	{
		taken = slot->latch != NULL;
		if (!taken)
		{
			slot->database = MyDatabaseId;
			slot->latch = MyLatch;
			slot->wanted = false;
		}
	}
	SpinLockRelease(&shared->mutex);
	if (slot == NULL)
		elog(ERROR, "there is no slot for the orchestration worker");
	if (!taken)
		before_shmem_exit(leave_slot, (Datum) 0);
	return !taken;
}

static void
leave_slot(int code, Datum arg)
{
	int			i;

	SpinLockAcquire(&shared->mutex);
	for (i = 0; i < shared->nslots; i++)
		if (shared->slots[i].latch == MyLatch)
		{
			shared->slots[i].latch = NULL;
			if (!shared->slots[i].listed)
				shared->slots[i].database = InvalidOid;
		}
	SpinLockRelease(&shared->mutex);
}

/* start_background_worker() allows a worker in this database, stop forbids it. */
static void
set_stopped(bool stopped)
{
	WorkerSlot *slot;

	if (shared == NULL)
		return;
	SpinLockAcquire(&shared->mutex);
	slot = find_slot(MyDatabaseId, true);
	if (slot != NULL)
		slot->stopped = stopped;
	SpinLockRelease(&shared->mutex);
}

void
orch_worker_allow(void)
{
	set_stopped(false);
}

/*
 * The lock is what a worker looks at where there is no shared memory; an error
 * releases it.
 */
void
orch_worker_forbid(void)
{
	LOCKTAG		tag;

	set_stopped(true);
	orch_lock_tag(&tag, LOCK_WORKER, KEY_STOP);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

void
orch_worker_forbidden(void)
{
	LOCKTAG		tag;

	orch_lock_tag(&tag, LOCK_WORKER, KEY_STOP);
	LockRelease(&tag, ExclusiveLock, false);
}

/* ------------------------------------------------------------------ locks */

bool
orch_worker_is_alone(void)
{
	LOCKTAG		tag;

	orch_lock_tag(&tag, LOCK_WORKER, KEY_ALONE);
	switch (LockAcquire(&tag, ExclusiveLock, true, true))
	{
		case LOCKACQUIRE_NOT_AVAIL:
			return false;
		case LOCKACQUIRE_OK:
			break;
		case LOCKACQUIRE_ALREADY_HELD:
		case LOCKACQUIRE_ALREADY_CLEAR:
			LockRelease(&tag, ExclusiveLock, true);
			break;
	}
	return true;
}

bool
orch_worker_is_stopped(void)
{
	LOCKTAG		tag;
	bool		stopped = false;

	if (shared != NULL)
	{
		WorkerSlot *slot;

		SpinLockAcquire(&shared->mutex);
		slot = find_slot(MyDatabaseId, true);
		stopped = slot != NULL && slot->stopped;
		SpinLockRelease(&shared->mutex);
	}
	orch_lock_tag(&tag, LOCK_WORKER, KEY_STOP);
	if (LockAcquire(&tag, ShareLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, ShareLock, true);
	return stopped;
}

/* Not one of the two above. */
static uint64
id_hash(const pg_uuid_t *id)
{
	return DatumGetUInt64(hash_any_extended(id->data, UUID_LEN, 0)) | 2;
}

void
orch_worker_be_interruptible(const pg_uuid_t *id)
{
	LOCKTAG		tag;

	orch_lock_tag(&tag, LOCK_WORKER, id_hash(id));
	(void) LockAcquire(&tag, ShareLock, false, false);
}

/* --------------------------------------------------------- sessions tell it */

void
orch_worker_wake(void)
{
	wake_wanted = true;
}

/*
 * What a subtransaction noted that was aborted is not forgotten: to look is harmless.
 */
void
orch_worker_interrupt(const pg_uuid_t *id)
{
	Interrupted *entry = MemoryContextAlloc(TopTransactionContext, sizeof(Interrupted));

	entry->hash = id_hash(id);
	entry->next = interrupted;
	interrupted = entry;
}

static void
send_interrupts(void)
{
	for (; interrupted != NULL; interrupted = interrupted->next)
	{
		LOCKTAG		tag;
		VirtualTransactionId *holders;
		int			n;
		int			i;

		orch_lock_tag(&tag, LOCK_WORKER, interrupted->hash);
		holders = GetLockConflicts(&tag, ExclusiveLock, &n);
		for (i = 0; i < n; i++)
		{
			PGPROC	   *proc = orch_compat_vxid_proc(holders[i]);
			int			pid = proc != NULL && proc->databaseId == MyDatabaseId ? proc->pid : 0;

			/* another process may have its place by now, and SIGUSR2 another meaning */
			if (pid != 0 &&
				orch_compat_proc_lxid(proc) == holders[i].localTransactionId)
				(void) kill(pid, SIGUSR2);
		}
		pfree(holders);
	}
}

static void
at_xact_end(bool committed)
{
	if (committed && interrupted != NULL)
		send_interrupts();
	interrupted = NULL;
	if (wake_wanted && committed && shared != NULL)
	{
		Latch	   *latch = NULL;
		WorkerSlot *slot;

		SpinLockAcquire(&shared->mutex);
		slot = find_slot(MyDatabaseId, false);
		if (slot != NULL && slot->latch != NULL)
			latch = slot->latch;
		else if (slot != NULL && slot->listed && !slot->stopped)
		{
			slot->wanted = true;
			latch = shared->launcher;
		}
		SpinLockRelease(&shared->mutex);
		if (latch != NULL)
			SetLatch(latch);
	}
	wake_wanted = false;
}
