/*-------------------------------------------------------------------------
 *
 * launcher.c
 *	  Start and stop of background workers: the launcher, and the calls for one database.
 *
 * With the library in shared_preload_libraries, the launcher starts a worker (worker.c) in
 * each existing database of orchestration.worker_databases.  The launcher connects to none
 * of them, so that they can be dropped.  A worker whose database lacks the extension ends.
 * The launcher tries again after LAUNCH_INTERVAL, or soon after a session there queues a
 * function.  Without preloading, start_background_worker() starts a worker; then only the
 * postmaster restarts it if it is killed.
 *
 * pg_upgrade starts both servers in binary-upgrade mode.  In that mode no launcher and no
 * worker is registered, and one that is started anyway ends before it connects.  The
 * reason: pg_upgrade copies the files of the old server after its commit log, so the
 * changes of a run that moves in between would be lost without an error.
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
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/system.h"
#include "base/worker_slot.h"
#include "work/launcher.h"

#define RESTART_SECONDS	5

/* Milliseconds between two starts in a database whose worker ended. */
#define LAUNCH_INTERVAL	60000
#define LAUNCH_PAUSE	1000	/* the same while a function waits there */

/* Seconds that stop_background_worker() waits. */
#define STOP_SECONDS	30

/* A database of orchestration.worker_databases, as the launcher knows it. */
typedef struct ListedDatabase
{
	char	   *name;
	Oid			database;		/* InvalidOid: it does not exist */
	BackgroundWorkerHandle *handle; /* the last worker started, or NULL */
	TimestampTz tried_at;
	bool		said;			/* logged that it does not exist */
} ListedDatabase;

static StaticPlan plan_workers = {
	"SELECT a.pid FROM pg_catalog.pg_stat_get_activity(NULL) a, pg_catalog.pg_database d"
	" WHERE d.datname = pg_catalog.current_database() AND a.datid = d.oid"
	"   AND a.backend_type = 'orchestration worker'",
	0
};

static void fill_worker(BackgroundWorker *worker, Oid database, const char *name,
						bool launched);
static void leave_launcher(int code, Datum arg);
static Oid	database_by_name(const char *name);
static void look_after(ListedDatabase *listed);
static int	signal_workers(bool send, pid_t *pid);

/* --------------------------------------------------------------- start-up */

void
orch_launcher_init(void)
{
	BackgroundWorker worker = {0};

	if (!process_shared_preload_libraries_in_progress)
		return;
	if (orch_worker_databases() == NIL || IsBinaryUpgrade)
		return;
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	/* on a standby it starts with the promotion */
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "orchestration", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "orch_launcher_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "orchestration launcher", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "orchestration launcher", sizeof(worker.bgw_type));
	RegisterBackgroundWorker(&worker);
}

/* Describe a worker; worker.c reads its database, and whether the launcher started it, in
 * MyBgworkerEntry. */
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
 * Starts a background worker for this database and returns its process id.  The worker
 * runs until the server is restarted or stop_background_worker() is called.  If the
 * database has a worker already, the new one ends at once, and either id is returned.  In
 * binary-upgrade mode it starts none, warns and returns null, so that a login trigger that
 * calls it does not stop pg_upgrade.
 * Raises: 53000 if the database has no worker and none can be started.
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
	orch_worker_allow();
	fill_worker(&worker, MyDatabaseId, get_database_name(MyDatabaseId), false);
	started = RegisterDynamicBackgroundWorker(&worker, &handle) &&
		WaitForBackgroundWorkerStartup(handle, &pid) == BGWH_STARTED;
	/* stop_background_worker() finds a worker that is connected; so wait for that */
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
 * Returns the number of background workers of this database, and sets pid to the process
 * id of one.  send: signal them to check whether stop_background_worker() was called.
 */
static int
signal_workers(bool send, pid_t *pid)
{
	SystemContext saved;
	int			n;
	int			i;

	orch_system_connect(&saved);
	/* the transaction may have an older snapshot of the activity */
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
 * Stops the background worker of this database and waits until it has ended, so that the
 * database can be dropped.  A function in progress is canceled and its writes are undone;
 * its step is queued as if it had not been claimed.  Only start_background_worker() or a
 * restart of the server starts a worker again.  Returns false if there was no worker.
 * Raises: 55000 if the worker does not end within half a minute; it ends later.
 * Source: ours.
 */
Datum
orchestration_stop_background_worker(PG_FUNCTION_ARGS)
{
	bool		found = false;
	pid_t		pid;
	int			i;

	orch_worker_forbid();
	for (i = 0; signal_workers(i % 50 == 0, &pid) > 0; i++)
	{
		found = true;
		if (i >= STOP_SECONDS * 50)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the background worker does not end"),
					 errhint("Its current function catches the cancellation or waits outside the database; see pg_stat_activity.")));
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 20,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	orch_worker_forbidden();
	PG_RETURN_BOOL(found);
}

/* --------------------------------------------------------------- launcher */

/*
 * The oid of a database that allows connections, or InvalidOid.  The launcher is connected
 * to no database, so it scans the catalog without an index; see get_database_list() in
 * autovacuum.c.
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

/*
 * Start the worker of a database if it should have one and has none.
 */
static void
look_after(ListedDatabase *listed)
{
	Oid			database;
	bool		wanted;
	pid_t		pid;
	TimestampTz now = GetCurrentTimestamp();

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	database = database_by_name(listed->name);
	CommitTransactionCommand();
	if (database != listed->database)
	{
		orch_worker_list(listed->database, database);
		listed->database = database;
	}
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
	/* the worker runs, or the postmaster is about to restart it */
	if (listed->handle != NULL &&
		GetBackgroundWorkerPid(listed->handle, &pid) != BGWH_STOPPED)
		return;
	if (orch_worker_is_missing(database, &wanted) &&
		(listed->tried_at > now ||
				  TimestampDifferenceExceeds(listed->tried_at, now,
											 wanted ? LAUNCH_PAUSE : LAUNCH_INTERVAL)))
	{
		BackgroundWorker worker;
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		if (listed->handle != NULL)
			pfree(listed->handle);
		listed->handle = NULL;
		listed->tried_at = now;
		orch_worker_is_tried(database);
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
	foreach(cell, orch_worker_databases())
	{
		ListedDatabase *listed = palloc0(sizeof(ListedDatabase));

		listed->name = lfirst(cell);
		databases = lappend(databases, listed);
	}
	before_shmem_exit(leave_launcher, (Datum) 0);
	orch_worker_set_launcher(MyLatch);

	for (;;)
	{
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		foreach(cell, databases)
			look_after(lfirst(cell));
		pgstat_report_activity(STATE_IDLE, NULL);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 orch_worker_any_wanted() ? LAUNCH_PAUSE : LAUNCH_INTERVAL, PG_WAIT_EXTENSION);
	}
}

static void
leave_launcher(int code, Datum arg)
{
	orch_worker_set_launcher(NULL);
}
