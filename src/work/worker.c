/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker: its process and its loop.
 *
 * The worker carries out queued functions (worker_function.c) and removes expired records.
 * launcher.c starts, stops and wakes it.
 *
 * An error ends the transaction and is logged; the worker goes on.  A signal to terminate
 * ends the worker wherever it is.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/worker.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/system.h"
#include "base/worker_slot.h"
#include "record/gate.h"
#include "work/launcher.h"
#include "work/worker.h"
#include "work/worker_int.h"

/* Functions that are carried out before the worker looks for anything else. */
#define MAX_BATCH		100
#define CLEAN_INTERVAL	(60 * 60 * INT64CONST(1000))	/* ms */

/* A worker that was started by a call waits so long for CREATE EXTENSION to commit. */
#define EXTENSION_SECONDS	10

/* Pause before leases whose rows are locked are given back, in ms. */
#define RETURN_NAP		100

static int	worker_naptime = 1000;

static Oid	extension = InvalidOid; /* when it was seen last */
static bool ready = false;		/* leases of dead workers were given back */
static bool failed = false;		/* no success since the last error */
static TimestampTz cleaned_at = 0;
static MemoryContext worker_context;

/* for choose_exit_code() */
static bool stopping = false;
static bool no_database = false;

static StaticPlan plan_next = {
	"SELECT min(available_at) FROM orchestration.step_queue"
	" WHERE topic = '' AND available_at > $1 AND available_at < 'infinity'",
	1, {TIMESTAMPTZOID}
};
static StaticPlan plan_clean = {
	"SELECT orchestration.remove_expired()", 0
};

static void connect_to_database(Oid database);
static void note_connect_error(void *arg);
static void choose_exit_code(int code, Datum arg);
static void return_leases_at_exit(int code, Datum arg);
static void end(const char *why) pg_attribute_noreturn();
static void pin_settings(void);
static bool extension_is_there(void);
static void check_that_wanted(void);
static void start(Oid database);
static void recover(void);
static void reset_memory(void);
static bool carry_out_functions(void);
static void wait_for_work(void);
static long nap(void);

void
orch_worker_init(void)
{
	DefineCustomIntVariable("orchestration.worker_naptime",
							"Time between two looks of the background worker.",
							"With the library in shared_preload_libraries a commit wakes it before.",
							&worker_naptime, 1000, 10, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	orch_worker_function_init();
}

/* ------------------------------------------------------ how it begins and ends */

/*
 * A worker whose database is gone or allows no connections exits with code 0, so that the
 * postmaster does not restart it.
 */
static void
connect_to_database(Oid database)
{
	ErrorContextCallback callback;

	on_proc_exit(choose_exit_code, (Datum) 0);
	callback.callback = note_connect_error;
	callback.arg = NULL;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	error_context_stack = callback.previous;
}

static void
note_connect_error(void *arg)
{
	int			code = geterrcode();

	no_database = code == ERRCODE_UNDEFINED_DATABASE ||
		code == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
	if (no_database)
		errcontext("start of an orchestration worker, which is not tried again by itself");
}

/*
 * on_proc_exit: with code 0 the postmaster forgets a worker.
 */
static void
choose_exit_code(int code, Datum arg)
{
	if (code == 1 && (stopping || no_database))
		proc_exit(0);
}

/*
 * before_shmem_exit
 */
static void
return_leases_at_exit(int code, Datum arg)
{
	/* a stopped worker that is in a function exits by a signal, not by end() */
	if (orch_worker_look_wanted && orch_worker_is_stopped())
		stopping = true;
	orch_worker_lease_at_exit(stopping);
}

/*
 * Exit for good: the postmaster does not restart a worker that exits with code 0.
 */
static void
end(const char *why)
{
	ereport(LOG,
			(errmsg("orchestration worker of database \"%s\" ends: %s",
					MyBgworkerEntry->bgw_name + strlen("orchestration worker for "), why)));
	stopping = true;
	proc_exit(0);
}

/*
 * Settings of the database or of the bootstrap superuser must not stop the worker or
 * change what the engine does.  RESET ALL in a function does not bring them back, either.
 */
static void
pin_settings(void)
{
	static const struct
	{
		const char *name;
		const char *value;
	}			pinned[] = {
		{"role", "none"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		{"statement_timeout", "0"},
		{"lock_timeout", "0"},
		{"transaction_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"session_replication_role", "origin"},
		{"row_security", "on"},
		{"search_path", "pg_catalog, pg_temp"},
		{"exit_on_error", "off"},
		{"transform_null_equals", "off"},
		{"array_nulls", "on"},
		{"standard_conforming_strings", "on"},
		{"orchestration.user_id", ""}
	};
	int			i;

	for (i = 0; i < (int) lengthof(pinned); i++)
		if (GetConfigOption(pinned[i].name, true, false) != NULL)
			SetConfigOption(pinned[i].name, pinned[i].value, PGC_SUSET, PGC_S_OVERRIDE);
}

/*
 * Does the extension exist?  If it was created anew, the worker starts again, because what
 * it keeps belongs to the extension before.
 */
static bool
extension_is_there(void)
{
	Oid			found;

	worker_begin("orchestration: looking for the extension");
	found = get_extension_oid("orchestration", true);
	worker_commit();
	if (OidIsValid(extension) && OidIsValid(found) && found != extension)
	{
		ereport(LOG,
				(errmsg("orchestration worker starts again: the extension was created anew")));
		proc_exit(1);
	}
	extension = found;
	return OidIsValid(found);
}

/*
 * Exit unless the worker is still wanted.
 */
static void
check_that_wanted(void)
{
	static int	waited = 0;
	bool		known = OidIsValid(extension);

	orch_worker_look_wanted = false;
	if (orch_worker_is_stopped())
		end("stop_background_worker() was called");
	if (!orch_worker_is_alone())
		end("the database has another worker");
	while (!extension_is_there())
	{
		if (known || orch_worker_is_launched() || waited++ >= EXTENSION_SECONDS)
			end("the extension is not installed");
		pgstat_report_activity(STATE_IDLE, "orchestration: waiting for the extension");
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 1000, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
start(Oid database)
{
	/* see launcher.c; 0: not to be restarted */
	if (IsBinaryUpgrade)
		proc_exit(0);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	pqsignal(SIGUSR2, orch_worker_look);
	BackgroundWorkerUnblockSignals();
	connect_to_database(database);

	orch_worker_function_start();
	StartTransactionCommand();
	pin_settings();
	CommitTransactionCommand();
	if (!orch_worker_enter_slot())
		end("the database has another worker");
	before_shmem_exit(return_leases_at_exit, (Datum) 0);
	worker_context = AllocSetContextCreate(TopMemoryContext, "orchestration worker",
										   ALLOCSET_DEFAULT_SIZES);
}

/* ------------------------------------------------------------------- the loop */

/*
 * After an error that ended a transaction.
 */
static void
recover(void)
{
	error_context_stack = NULL;
	HOLD_INTERRUPTS();
	orch_worker_function_reset();
	EmitErrorReport();
	AbortCurrentTransaction();
	orch_gate_reset_session();
	MemoryContextSwitchTo(worker_context);
	FlushErrorState();
	RESUME_INTERRUPTS();
	orch_worker_lease_retry_after_trouble();
	/* the first error does not delay that a held lease is given back */
	if (failed || !orch_worker_lease_is_held())
	{
		pgstat_report_activity(STATE_IDLE, "orchestration: waiting after an error");
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(worker_naptime, 1000), PG_WAIT_EXTENSION);
	}
	failed = true;
}

static void
reset_memory(void)
{
	MemoryContextSwitchTo(worker_context);
	MemoryContextReset(worker_context);
}

/*
 * Carry out at most MAX_BATCH functions; false if it were that many: more may be due.
 */
static bool
carry_out_functions(void)
{
	int			done = 0;

	while (done < MAX_BATCH && !orch_worker_look_wanted && !orch_worker_lease_is_held() &&
		   orch_worker_function_run_one())
	{
		done++;
		failed = false;
		CHECK_FOR_INTERRUPTS();
		reset_memory();
	}
	return done < MAX_BATCH;
}

/*
 * Milliseconds until the next function is due, at most the naptime.
 */
static long
nap(void)
{
	SystemContext saved;
	Datum		value;
	bool		isnull;
	long		result = worker_naptime;
	TimestampTz now = GetCurrentTimestamp();

	worker_begin("orchestration: looking when the next function is due");
	orch_system_connect(&saved);
	value = TimestampTzGetDatum(now);
	orch_plan_execute(&plan_next, &value, NULL, false, 1);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		result = Min(result, TimestampDifferenceMilliseconds(now, DatumGetTimestampTz(value)) + 1);
	if (orch_worker_lease_any_locked())
		result = Min(result, RETURN_NAP);
	orch_system_finish(&saved);
	worker_commit();
	return result;
}

static void
wait_for_work(void)
{
	long		timeout = nap();

	failed = false;
	pgstat_report_activity(STATE_IDLE, NULL);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 timeout, PG_WAIT_EXTENSION);
}

void
orch_worker_main(Datum arg)
{
	sigjmp_buf	handler;

	start(DatumGetObjectId(arg));
	if (sigsetjmp(handler, 1) != 0)
		recover();
	PG_exception_stack = &handler;

	for (;;)
	{
		bool		idle;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		reset_memory();
		check_that_wanted();
		if (orch_worker_lease_is_held())
			orch_worker_lease_return();
		orch_worker_lease_return_locked();
		if (!ready)
		{
			orch_worker_lease_return_lost();
			ready = true;
		}
		idle = carry_out_functions();
		if (TimestampDifferenceExceeds(cleaned_at, GetCurrentTimestamp(), CLEAN_INTERVAL))
		{
			cleaned_at = GetCurrentTimestamp();
			worker_execute("orchestration: removing expired records", &plan_clean);
		}
		if (idle && !orch_worker_look_wanted)
			wait_for_work();
	}
}
