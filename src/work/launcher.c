/*-------------------------------------------------------------------------
 *
 * launcher.c
 *	  Which database has a background worker: start, stop, wake-up, interruption.
 *
 * With the library in shared_preload_libraries a launcher looks after the databases
 * of orchestration.worker_databases.  It is connected to none of them, so that they
 * can be dropped, and starts a worker (worker.c) in each that exists.  A worker
 * whose database has no extension ends; the launcher tries again after a while, or at
 * once when a session there queues a function.  Without preloading,
 * start_background_worker() starts a worker, and nobody looks after it but the
 * postmaster, which restarts one that was killed.
 *
 * Nothing that must hold rests on this file: that a function has its effect once
 * is up to the leases, with any number of workers.  A database has one worker because
 * more are of no use.  Two things see to that: the slot in shared memory, when there
 * is shared memory, and a session-level advisory lock.  Triggers of others may release
 * the lock in the worker's session; so the worker looks in each round whether it
 * still holds it.
 *
 * A session that ends a step whose function a worker is carrying out must tell the
 * worker, and has nothing to find it by but a lock: in the transaction of the
 * function the worker holds a lock on the step's id, of a class that SQL cannot name.
 * Nothing releases it before the transaction ends.  After its commit the session sends
 * SIGUSR2 to the holders.  The signal says nothing but "look": it may come late and
 * hit the next function, which is then canceled and begun again, uncounted.  After
 * COMMIT PREPARED nobody is told; the worker finds out when the function returns.
 *
 * Shared memory there is only when the library is preloaded: the slots, with the
 * latches by which a commit wakes a worker, and the counters.
 *
 * pg_upgrade starts both servers in binary-upgrade mode.  There no launcher and no worker
 * is registered, and one that runs for whatever reason ends before it connects: pg_upgrade
 * copies the files of the old server after it has copied its commit log, so a run that
 * moves in between is lost without an error.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/launcher.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "storage/sinvaladt.h"
#include "storage/spin.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "base/system.h"
#include "work/queue.h"
#include "work/worker.h"

#define RESTART_SECONDS	5

/* How often the launcher tries a database whose worker ended, without being asked. */
#define LAUNCH_INTERVAL	60000
#define LAUNCH_PAUSE	1000	/* and when it is asked */

/* How long stop_background_worker() waits. */
#define STOP_SECONDS	30

/* "OW": see LOCK_CLASS in stamp.c; these two, and ids of steps */
#define LOCK_CLASS		0x4F57
#define LOCK_ALONE		0
#define LOCK_STOP		1

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
	pg_atomic_uint64 counters[COUNTER_LAST + 1];
	int			nslots;
	WorkerSlot	slots[FLEXIBLE_ARRAY_MEMBER];
} WorkerShared;

/* A database of orchestration.worker_databases, as the launcher knows it. */
typedef struct ListedDatabase
{
	char	   *name;
	Oid			database;		/* InvalidOid: it is not there */
	BackgroundWorkerHandle *handle; /* the last worker started, or NULL */
	TimestampTz tried_at;
	bool		said;			/* that it is not there */
} ListedDatabase;

/* A step whose worker looks, once this transaction commits. */
typedef struct Interrupted
{
	struct Interrupted *next;
	uint64		hash;
} Interrupted;

static const char *const counter_names[] = {
	[COUNTER_RUNS_STARTED] = "runs_started",
	[COUNTER_RUNS_COMPLETED] = "runs_completed",
	[COUNTER_RUNS_FAILED] = "runs_failed",
	[COUNTER_STEPS_CLAIMED] = "steps_claimed",
	[COUNTER_STEPS_COMPLETED] = "steps_completed",
	[COUNTER_STEPS_FAILED] = "steps_failed",
	[COUNTER_STEPS_RETRIED] = "steps_retried",
	[COUNTER_LEASES_LOST] = "leases_lost",
	[COUNTER_FUNCTIONS_RUN] = "functions_run"
};

static char *worker_databases = NULL;

static WorkerShared *shared = NULL; /* NULL: not preloaded */
static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

/* of the transaction under way */
static bool wake_wanted = false;
static uint32 counted[COUNTER_LAST + 1];
static bool any_counted = false;
static Interrupted *interrupted = NULL; /* in TopTransactionContext */

static StaticPlan plan_workers = {
	"SELECT a.pid FROM pg_catalog.pg_stat_get_activity(NULL) a, pg_catalog.pg_database d"
	" WHERE d.datname = pg_catalog.current_database() AND a.datid = d.oid"
	"   AND a.backend_type = 'orchestration worker'",
	0
};

static List *listed_names(void);
static Size shared_size(void);
static void request_shmem(void);
static void startup_shmem(void);
static void fill_worker(BackgroundWorker *worker, Oid database, const char *name,
						bool launched);
static void leave_slot(int code, Datum arg);
static void leave_launcher(int code, Datum arg);
static WorkerSlot *find_slot(Oid database, bool listed);
static Oid	database_by_name(const char *name);
static void list_slot(ListedDatabase *listed, Oid database);
static void look_after(ListedDatabase *listed);
static void make_tag(LOCKTAG *tag, uint64 hash);
static uint64 id_hash(const pg_uuid_t *id);
static void send_interrupts(void);
static int	signal_workers(bool send, pid_t *pid);

/* --------------------------------------------------------------- start-up */

void
orch_launcher_init(void)
{
	BackgroundWorker worker = {0};

	/* later it has no effect, but must not be an unknown setting */
	DefineCustomStringVariable("orchestration.worker_databases",
							   "Databases that have a background worker, separated by commas.",
							   "Read when the library is loaded by shared_preload_libraries.",
							   &worker_databases, "",
							   process_shared_preload_libraries_in_progress ?
							   PGC_POSTMASTER : PGC_SIGHUP,
							   GUC_LIST_INPUT, NULL, NULL, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;

	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
	if (listed_names() == NIL || IsBinaryUpgrade)
		return;
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	/* not on a standby; there it begins with the promotion */
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "orchestration", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "orch_launcher_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "orchestration launcher", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "orchestration launcher", sizeof(worker.bgw_type));
	RegisterBackgroundWorker(&worker);
}

/* Names in orchestration.worker_databases. */
static List *
listed_names(void)
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
static Size
shared_size(void)
{
	return offsetof(WorkerShared, slots) +
		sizeof(WorkerSlot) * (max_worker_processes + list_length(listed_names()));
}

static void
request_shmem(void)
{
	if (previous_request_hook != NULL)
		previous_request_hook();
	RequestAddinShmemSpace(MAXALIGN(shared_size()));
}

static void
startup_shmem(void)
{
	bool		found;
	int			i;

	if (previous_startup_hook != NULL)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("orchestration", shared_size(), &found);
	if (!found)
	{
		memset(shared, 0, shared_size());
		shared->nslots = max_worker_processes + list_length(listed_names());
		SpinLockInit(&shared->mutex);
		for (i = 0; i <= COUNTER_LAST; i++)
			pg_atomic_init_u64(&shared->counters[i], 0);
	}
	LWLockRelease(AddinShmemInitLock);
}

/* What worker.c finds in MyBgworkerEntry: its database, and who started it. */
static void
fill_worker(BackgroundWorker *worker, Oid database, const char *name, bool launched)
{
	memset(worker, 0, sizeof(BackgroundWorker));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker->bgw_library_name, "orchestration", sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, "orch_worker_main", sizeof(worker->bgw_function_name));
	snprintf(worker->bgw_name, sizeof(worker->bgw_name), "orchestration worker for %s", name);
	strlcpy(worker->bgw_type, "orchestration worker", sizeof(worker->bgw_type));
	worker->bgw_main_arg = ObjectIdGetDatum(database);
	worker->bgw_notify_pid = MyProcPid;
	if (launched)
		strlcpy(worker->bgw_extra, "launched", sizeof(worker->bgw_extra));
}

bool
orch_worker_is_launched(void)
{
	return MyBgworkerEntry->bgw_extra[0] != '\0';
}

PG_FUNCTION_INFO_V1(orchestration_start_background_worker);

/*
 * orchestration.start_background_worker() returns integer
 *
 * Starts a background worker for this database and returns its process id; until
 * the server is restarted, or stop_background_worker().  Where the database has one
 * already, the new one ends at once, and the id is that of either.  In binary-upgrade
 * mode it starts none, warns and returns null: a login trigger that calls it does not
 * stop pg_upgrade.  Raises 53000 when none works there and no more can be started.
 * Source: ours.
 */
Datum
orchestration_start_background_worker(PG_FUNCTION_ARGS)
{
	BackgroundWorker worker;
	BackgroundWorkerHandle *handle;
	pid_t		pid = 0;
	bool		started;

	if (IsBinaryUpgrade)
	{
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a background worker cannot be started in binary-upgrade mode")));
		PG_RETURN_NULL();
	}
	if (shared != NULL)
	{
		WorkerSlot *slot;

		SpinLockAcquire(&shared->mutex);
		slot = find_slot(MyDatabaseId, true);
		if (slot != NULL)
			slot->stopped = false;
		SpinLockRelease(&shared->mutex);
	}
	fill_worker(&worker, MyDatabaseId, get_database_name(MyDatabaseId), false);
	started = RegisterDynamicBackgroundWorker(&worker, &handle) &&
		WaitForBackgroundWorkerStartup(handle, &pid) == BGWH_STARTED;
	/* once it has connected stop_background_worker() finds it; it may also be gone by now */
	while (signal_workers(false, &pid) == 0)
	{
		if (started && GetBackgroundWorkerPid(handle, &pid) == BGWH_STARTED)
		{
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 10,
							 PG_WAIT_EXTENSION);
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
			continue;
		}
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not start a background worker"),
				 errhint("Raise max_worker_processes, or see the server log.")));
	}
	PG_RETURN_INT32(pid);
}

/*
 * How many background workers this database has, and the process id of one; send: tell
 * them to look whether they are still wanted.
 */
static int
signal_workers(bool send, pid_t *pid)
{
	SystemContext saved;
	int			n;
	int			i;

	orch_system_connect(&saved);
	/* what this transaction read of the statistics before is of before */
	pgstat_clear_backend_activity_snapshot();
	orch_plan_execute(&plan_workers, NULL, NULL, true, 0);
	n = (int) SPI_processed;
	for (i = 0; i < n; i++)
	{
		bool		isnull;

		*pid = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
										   1, &isnull));
		if (send)
			(void) kill(*pid, SIGUSR2);
	}
	orch_system_finish(&saved);
	return n;
}

PG_FUNCTION_INFO_V1(orchestration_stop_background_worker);

/*
 * orchestration.stop_background_worker() returns boolean
 *
 * Stops the background worker of this database and waits until it is gone, so that
 * the database can be dropped.  A function that it carries out is canceled and its
 * writes are undone; its step is queued as if it had not been claimed.  Nothing starts
 * a worker again but start_background_worker() and a restart of the server.  Returns
 * false when there was none.  Raises 55000 when the worker does not end within half a
 * minute; it ends later.  Source: ours.
 */
Datum
orchestration_stop_background_worker(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;
	bool		found = false;
	pid_t		pid;
	int			i;

	if (shared != NULL)
	{
		WorkerSlot *slot;

		SpinLockAcquire(&shared->mutex);
		slot = find_slot(MyDatabaseId, true);
		if (slot != NULL)
			slot->stopped = true;
		SpinLockRelease(&shared->mutex);
	}
	/* this is what a worker looks at; an error releases it */
	make_tag(&tag, LOCK_STOP);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	for (i = 0; signal_workers(i % 50 == 0, &pid) > 0; i++)
	{
		found = true;
		if (i >= STOP_SECONDS * 50)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the background worker does not end"),
					 errhint("The function that it carries out catches its cancel, or waits outside of the database; see pg_stat_activity.")));
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 20,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	LockRelease(&tag, ExclusiveLock, false);
	PG_RETURN_BOOL(found);
}

/* --------------------------------------------------------------- launcher */

/*
 * The oid of a database that can be connected to, or InvalidOid.  Without a database
 * there may be no index to read by; see get_database_list() in autovacuum.c.
 */
static Oid
database_by_name(const char *name)
{
	Relation	relation = table_open(DatabaseRelationId, AccessShareLock);
	TableScanDesc scan = table_beginscan_catalog(relation, 0, NULL);
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		if (strcmp(NameStr(form->datname), name) == 0 && form->datallowconn)
			result = form->oid;
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	return result;
}

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

/*
 * The database of a name is now this one: sessions there find its slot.
 */
static void
list_slot(ListedDatabase *listed, Oid database)
{
	WorkerSlot *slot;

	SpinLockAcquire(&shared->mutex);
	if (OidIsValid(listed->database) &&
		(slot = find_slot(listed->database, true)) != NULL)
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
	listed->database = database;
}

/*
 * Start the worker of a database, if it should have one and has none.
 */
static void
look_after(ListedDatabase *listed)
{
	Oid			database;
	WorkerSlot *slot;
	bool		start = false;
	bool		wanted = false;
	pid_t		pid;
	TimestampTz now = GetCurrentTimestamp();

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	database = database_by_name(listed->name);
	CommitTransactionCommand();
	if (database != listed->database)
		list_slot(listed, database);
	if (!OidIsValid(database))
	{
		if (!listed->said)
			ereport(LOG,
					(errmsg("database \"%s\" of \"%s\" does not exist, or allows no connections",
							listed->name, "orchestration.worker_databases"),
					 errdetail("Its orchestration worker starts when it does.")));
		listed->said = true;
		return;
	}
	listed->said = false;
	/* it is there, or the postmaster is about to restart it */
	if (listed->handle != NULL &&
		GetBackgroundWorkerPid(listed->handle, &pid) != BGWH_STOPPED)
		return;
	SpinLockAcquire(&shared->mutex);
	slot = find_slot(database, true);
	if (slot != NULL)
	{
		start = slot->latch == NULL && !slot->stopped;
		wanted = slot->wanted;
	}
	SpinLockRelease(&shared->mutex);
	if (start && (listed->tried_at > now ||
				  TimestampDifferenceExceeds(listed->tried_at, now,
											 wanted ? LAUNCH_PAUSE : LAUNCH_INTERVAL)))
	{
		BackgroundWorker worker;
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		if (listed->handle != NULL)
			pfree(listed->handle);
		listed->handle = NULL;
		listed->tried_at = now;
		SpinLockAcquire(&shared->mutex);
		slot = find_slot(database, true);
		if (slot != NULL)
			slot->wanted = false;
		SpinLockRelease(&shared->mutex);
		fill_worker(&worker, database, listed->name, true);
		if (!RegisterDynamicBackgroundWorker(&worker, &listed->handle))
			ereport(LOG,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("could not start the orchestration worker of database \"%s\"",
							listed->name),
					 errhint("Raise max_worker_processes.")));
		MemoryContextSwitchTo(old);
	}
}

void
orch_launcher_main(Datum arg)
{
	List	   *databases = NIL;
	ListCell   *cell;

	if (IsBinaryUpgrade)
		proc_exit(0);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	foreach(cell, listed_names())
	{
		ListedDatabase *listed = palloc0(sizeof(ListedDatabase));

		listed->name = lfirst(cell);
		databases = lappend(databases, listed);
	}
	before_shmem_exit(leave_launcher, (Datum) 0);
	SpinLockAcquire(&shared->mutex);
	shared->launcher = MyLatch;
	SpinLockRelease(&shared->mutex);

	for (;;)
	{
		bool		soon = false;
		int			i;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		foreach(cell, databases)
			look_after(lfirst(cell));
		SpinLockAcquire(&shared->mutex);
		for (i = 0; i < shared->nslots; i++)
			soon |= shared->slots[i].wanted;
		SpinLockRelease(&shared->mutex);
		pgstat_report_activity(STATE_IDLE, NULL);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 soon ? LAUNCH_PAUSE : LAUNCH_INTERVAL, PG_WAIT_EXTENSION);
	}
}

static void
leave_launcher(int code, Datum arg)
{
	SpinLockAcquire(&shared->mutex);
	shared->launcher = NULL;
	SpinLockRelease(&shared->mutex);
}

/* ------------------------------------------------- a worker and its place */

/*
 * The slot of this worker; false when its database has a worker already.
 */
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

/*
 * Is this the worker of the database?  Takes the lock that says so, or finds that it
 * still has it, or takes it again when something released it.
 */
bool
orch_worker_is_alone(void)
{
	LOCKTAG		tag;

	make_tag(&tag, LOCK_ALONE);
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

/*
 * Is somebody waiting in stop_background_worker(), or was it called for this database?
 */
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
	make_tag(&tag, LOCK_STOP);
	if (LockAcquire(&tag, ShareLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, ShareLock, true);
	return stopped;
}

static void
make_tag(LOCKTAG *tag, uint64 hash)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash,
						 LOCK_CLASS);
}

/* Not one of the two above. */
static uint64
id_hash(const pg_uuid_t *id)
{
	return DatumGetUInt64(hash_any_extended(id->data, UUID_LEN, 0)) | 2;
}

/*
 * Until the end of this transaction orch_worker_interrupt() of this step finds this
 * worker.
 */
void
orch_worker_be_interruptible(const pg_uuid_t *id)
{
	LOCKTAG		tag;

	make_tag(&tag, id_hash(id));
	(void) LockAcquire(&tag, ShareLock, false, false);
}

/* --------------------------------------------------------- others tell it */

void
orch_queue_wake_worker(void)
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

		make_tag(&tag, interrupted->hash);
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

void
orch_worker_count(Counter counter)
{
	if (shared == NULL)
		return;
	counted[counter]++;
	any_counted = true;
}

void
orch_worker_at_xact_end(bool commit)
{
	int			i;

	if (any_counted)
	{
		for (i = 0; i <= COUNTER_LAST; i++)
		{
			if (commit && counted[i] != 0)
				pg_atomic_fetch_add_u64(&shared->counters[i], counted[i]);
			counted[i] = 0;
		}
		any_counted = false;
	}
	if (commit && interrupted != NULL)
		send_interrupts();
	interrupted = NULL;
	if (wake_wanted && commit && shared != NULL)
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

PG_FUNCTION_INFO_V1(orchestration_engine_counters);

/*
 * orchestration.engine_counters() returns table (name text, value bigint)
 *
 * What all sessions did since the server was started, in all databases: committed
 * only.  No row when the library is not in shared_preload_libraries.
 */
Datum
orchestration_engine_counters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; shared != NULL && i <= COUNTER_LAST; i++)
	{
		Datum		values[2];
		bool		nulls[2] = {false, false};

		values[0] = CStringGetTextDatum(counter_names[i]);
		values[1] = Int64GetDatum((int64) pg_atomic_read_u64(&shared->counters[i]));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
