/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker, and counters that all sessions share.
 *
 * One worker a database: registered for those named in
 * orchestration.worker_databases when the library is in shared_preload_libraries,
 * or started by hand.  It carries out queued function actions and removes what is
 * past its time.  On a standby it is not started; after a promotion it is.
 *
 * A function takes three short transactions at most: one that claims the step, so
 * that an attempt is known even when the function takes the server down with it;
 * one in which it runs and its outcome is taken in, whole or not at all; and, when
 * that failed as a whole, one that says so.  After a crash the next worker finds the
 * lease of the last, counts the attempt as lost and begins another: nothing is lost,
 * and what was done was not committed, so nothing is done twice.
 *
 * An error ends the transaction and is logged; the worker goes on.  A signal to
 * terminate ends it wherever it is.
 *
 * Shared memory there is only when the library is preloaded: the latches by which
 * a commit wakes the worker (without it, it looks once in a while) and the counters.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/worker.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
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
#include "storage/shmem.h"
#include "storage/spin.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "action.h"
#include "engine_int.h"
#include "errors.h"
#include "frame.h"
#include "gate.h"
#include "queue.h"
#include "system.h"
#include "uuid.h"
#include "worker.h"

#define WORKER_NAME		"background worker"
#define MAX_WORKERS		32
#define MAX_BATCH		100		/* functions before something else is looked at */
#define CLEAN_INTERVAL	(60 * 60 * INT64CONST(1000))
#define RETRY_INTERVAL	(10 * INT64CONST(1000))

/* A function that goes on after so many cancels, one a second, ends the worker. */
#define MAX_CANCELS		10

/* "OW": see LOCK_CLASS in stamp.c */
#define LOCK_CLASS		0x4F57

typedef struct WorkerSlot
{
	Oid			database;		/* InvalidOid: free */
	Latch	   *latch;
} WorkerSlot;

typedef struct WorkerShared
{
	slock_t		mutex;			/* of slots */
	WorkerSlot	slots[MAX_WORKERS];
	pg_atomic_uint64 counters[COUNTER_LAST + 1];
} WorkerShared;

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
static int	worker_naptime = 1000;
static int	function_timeout = 0;	/* ms, of actions that have none; 0: none */

static WorkerShared *shared = NULL; /* NULL: not preloaded */
static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static TimeoutId cancel_timeout;
static volatile sig_atomic_t cancels = 0;

/* of the transaction under way */
static bool wake_wanted = false;
static uint32 counted[COUNTER_LAST + 1];
static bool any_counted = false;

static StaticPlan plan_lost = {
	"UPDATE orchestration.step_queue SET leased_until = pg_catalog.now()"
	" WHERE topic = '' AND worker = $1 AND leased_until > pg_catalog.now()",
	1, {TEXTOID}
};
static StaticPlan plan_give_back = {
	"UPDATE orchestration.step_queue SET leased_until = pg_catalog.now()"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_next = {
	"SELECT min(available_at) FROM orchestration.step_queue"
	" WHERE topic = '' AND available_at > $1 AND available_at < 'infinity'",
	1, {TIMESTAMPTZOID}
};
static StaticPlan plan_clean = {
	"SELECT orchestration.remove_expired()", 0
};

static void request_shmem(void);
static void startup_shmem(void);
static void register_worker(const char *database);
static void enter_slot(void);
static void leave_slot(int code, Datum arg);
static bool extension_is_there(void);
static void pin_settings(void);
static void cancel_again(void);
static void start_timeouts(const Action *action);
static void stop_timeouts(void);
static void act_as(Oid owner);
static bool run_one(void);
static void run_function(const ClaimedStep *step, Oid owner);
static void report_failure(const ClaimedStep *step, ErrorData *error);
static long nap(void);
static void begin(const char *activity);
static void finish(void);

/* --------------------------------------------------------------- start-up */

void
orch_worker_init(void)
{
	DefineCustomIntVariable("orchestration.worker_naptime",
							"Time between two looks of the background worker.",
							"With the library in shared_preload_libraries a commit wakes it before.",
							&worker_naptime, 1000, 10, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("orchestration.function_timeout",
							"How long the background worker lets a function run whose action has no timeout.",
							"0: for ever.  See orchestration.set_retry_policy().",
							&function_timeout, 10 * 60 * 1000, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
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
	if (worker_databases != NULL && worker_databases[0] != '\0')
	{
		char	   *copy = pstrdup(worker_databases);
		List	   *names;
		ListCell   *cell;

		if (!SplitIdentifierString(copy, ',', &names))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter \"%s\" is no list of names", "orchestration.worker_databases")));
		foreach(cell, names)
			register_worker(lfirst(cell));
	}
}

static void
register_worker(const char *database)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	/* not on a standby; there it begins with the promotion */
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 5;
	strlcpy(worker.bgw_library_name, "orchestration", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "orch_worker_main", sizeof(worker.bgw_function_name));
	snprintf(worker.bgw_name, sizeof(worker.bgw_name), "orchestration worker for %s", database);
	strlcpy(worker.bgw_type, "orchestration worker", sizeof(worker.bgw_type));
	strlcpy(worker.bgw_extra, database, sizeof(worker.bgw_extra));
	RegisterBackgroundWorker(&worker);
}

static void
request_shmem(void)
{
	if (previous_request_hook != NULL)
		previous_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(WorkerShared)));
}

static void
startup_shmem(void)
{
	bool		found;
	int			i;

	if (previous_startup_hook != NULL)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("orchestration", sizeof(WorkerShared), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(WorkerShared));
		SpinLockInit(&shared->mutex);
		for (i = 0; i <= COUNTER_LAST; i++)
			pg_atomic_init_u64(&shared->counters[i], 0);
	}
	LWLockRelease(AddinShmemInitLock);
}

PG_FUNCTION_INFO_V1(orchestration_start_background_worker);

/*
 * orchestration.start_background_worker() returns integer
 *
 * Starts a background worker for this database and returns its process id; until
 * the server is restarted.  Where the database has one already, the new one ends at
 * once.  Raises 53000 when no more background workers can be started.
 */
Datum
orchestration_start_background_worker(PG_FUNCTION_ARGS)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;
	pid_t		pid;

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 5;
	strlcpy(worker.bgw_library_name, "orchestration", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "orch_worker_main", sizeof(worker.bgw_function_name));
	snprintf(worker.bgw_name, sizeof(worker.bgw_name), "orchestration worker for %s",
			 get_database_name(MyDatabaseId));
	strlcpy(worker.bgw_type, "orchestration worker", sizeof(worker.bgw_type));
	worker.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
	worker.bgw_notify_pid = MyProcPid;
	if (!RegisterDynamicBackgroundWorker(&worker, &handle) ||
		WaitForBackgroundWorkerStartup(handle, &pid) != BGWH_STARTED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not start a background worker"),
				 errhint("Raise max_worker_processes, or see the server log.")));
	PG_RETURN_INT32(pid);
}

/* --------------------------------------------------------- others tell it */

void
orch_queue_wake_worker(void)
{
	wake_wanted = true;
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
	if (wake_wanted && commit && shared != NULL)
	{
		Latch	   *latch = NULL;

		SpinLockAcquire(&shared->mutex);
		for (i = 0; i < MAX_WORKERS; i++)
			if (shared->slots[i].database == MyDatabaseId)
				latch = shared->slots[i].latch;
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

/* -------------------------------------------------------------- its life */

static void
enter_slot(void)
{
	int			i;

	if (shared == NULL)
		return;
	SpinLockAcquire(&shared->mutex);
	for (i = 0; i < MAX_WORKERS; i++)
		if (shared->slots[i].database == InvalidOid)
		{
			shared->slots[i].database = MyDatabaseId;
			shared->slots[i].latch = MyLatch;
			break;
		}
	SpinLockRelease(&shared->mutex);
	before_shmem_exit(leave_slot, (Datum) 0);
}

static void
leave_slot(int code, Datum arg)
{
	int			i;

	SpinLockAcquire(&shared->mutex);
	for (i = 0; i < MAX_WORKERS; i++)
		if (shared->slots[i].latch == MyLatch)
		{
			shared->slots[i].database = InvalidOid;
			shared->slots[i].latch = NULL;
		}
	SpinLockRelease(&shared->mutex);
}

/*
 * A transaction of its own.
 */
static void
begin(const char *activity)
{
	pgstat_report_activity(STATE_RUNNING, activity);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
finish(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(true);
}

/*
 * Settings of the database or of the bootstrap superuser must not stop the worker or
 * change what the engine does; nor does RESET ALL in a function bring them back.
 */
static void
pin_settings(void)
{
	static const struct
	{
		const char *name;
		const char *value;
	}			pinned[] = {
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		{"statement_timeout", "0"},
		{"lock_timeout", "0"},
		{"transaction_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"session_replication_role", "origin"},
		{"row_security", "on"},
		{"search_path", "pg_catalog, pg_temp"}
	};
	int			i;

	for (i = 0; i < (int) lengthof(pinned); i++)
		if (GetConfigOption(pinned[i].name, true, false) != NULL)
			SetConfigOption(pinned[i].name, pinned[i].value, PGC_SUSET, PGC_S_OVERRIDE);
}

static bool
extension_is_there(void)
{
	bool		result;

	begin("orchestration: looking for the extension");
	result = OidIsValid(get_extension_oid("orchestration", true));
	finish();
	return result;
}

void
orch_worker_main(Datum arg)
{
	LOCKTAG		tag;
	volatile TimestampTz cleaned_at = 0;
	MemoryContext context;
	sigjmp_buf	handler;
	volatile bool ready = false;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	if (MyBgworkerEntry->bgw_extra[0] != '\0')
		BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	else
		BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);

	cancel_timeout = RegisterTimeout(USER_TIMEOUT, cancel_again);

	/* one a database; functions that run here cannot release the lock: gate.c */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, LOCK_CLASS);
	StartTransactionCommand();
	pin_settings();
	if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		ereport(LOG,
				(errmsg("database \"%s\" has an orchestration worker already",
						get_database_name(MyDatabaseId))));
		CommitTransactionCommand();
		proc_exit(0);			/* 0: not to be restarted */
	}
	CommitTransactionCommand();
	enter_slot();
	context = AllocSetContextCreate(TopMemoryContext, "orchestration worker",
									ALLOCSET_DEFAULT_SIZES);

	/* an error ends a transaction, never the worker */
	if (sigsetjmp(handler, 1) != 0)
	{
		error_context_stack = NULL;
		HOLD_INTERRUPTS();
		disable_all_timeouts(false);
		QueryCancelPending = false;
		EmitErrorReport();
		AbortCurrentTransaction();
		orch_gate_reset_session();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RESUME_INTERRUPTS();
		pgstat_report_activity(STATE_IDLE, "orchestration: waiting after an error");
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 worker_naptime, PG_WAIT_EXTENSION);
	}
	PG_exception_stack = &handler;

	for (;;)
	{
		int			done = 0;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		MemoryContextSwitchTo(context);
		MemoryContextReset(context);
		if (!ready)
		{
			SystemContext saved;
			Datum		value;

			if (!extension_is_there())
			{
				pgstat_report_activity(STATE_IDLE, "orchestration: the extension is not there");
				(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
								 RETRY_INTERVAL, PG_WAIT_EXTENSION);
				continue;
			}
			/* what a worker before this one held when it went */
			begin("orchestration: looking for what was left");
			orch_system_enter(&saved);
			SPI_connect();
			value = CStringGetTextDatum(WORKER_NAME);
			orch_plan_execute(&plan_lost, &value, NULL, false, 0);
			SPI_finish();
			orch_system_leave(&saved);
			finish();
			ready = true;
		}
		while (done < MAX_BATCH && run_one())
		{
			done++;
			CHECK_FOR_INTERRUPTS();
			MemoryContextSwitchTo(context);
			MemoryContextReset(context);
		}
		if (TimestampDifferenceExceeds(cleaned_at, GetCurrentTimestamp(), CLEAN_INTERVAL))
		{
			SystemContext saved;

			cleaned_at = GetCurrentTimestamp();
			begin("orchestration: removing what is past its time");
			orch_system_enter(&saved);
			SPI_connect();
			orch_plan_execute(&plan_clean, NULL, NULL, false, 0);
			SPI_finish();
			orch_system_leave(&saved);
			finish();
		}
		if (done < MAX_BATCH)
		{
			long		timeout = nap();

			pgstat_report_activity(STATE_IDLE, NULL);
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							 timeout, PG_WAIT_EXTENSION);
		}
	}
}

/*
 * Until the next function is due, at most the naptime.
 */
static long
nap(void)
{
	SystemContext saved;
	Datum		value;
	bool		isnull;
	long		result = worker_naptime;
	TimestampTz now = GetCurrentTimestamp();

	begin("orchestration: looking when the next function is due");
	orch_system_enter(&saved);
	SPI_connect();
	value = TimestampTzGetDatum(now);
	orch_plan_execute(&plan_next, &value, NULL, false, 1);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		result = Min(result, TimestampDifferenceMilliseconds(now, DatumGetTimestampTz(value)) + 1);
	SPI_finish();
	orch_system_leave(&saved);
	finish();
	return result;
}

/* --------------------------------------------------------------- functions */

/*
 * Claim a step and carry it out; false when there is none.
 */
static bool
run_one(void)
{
	MemoryContext context = CurrentMemoryContext;
	SystemContext saved;
	Interval	lease = {0};
	List	   *claimed;
	Oid			owner = InvalidOid;

	/* nobody else has them, and after a crash it does not wait for its end */
	lease.day = 1;
	begin("orchestration: looking for functions");
	orch_system_enter(&saved);
	MemoryContextSwitchTo(context);
	claimed = orch_queue_claim(list_make1(pstrdup(FUNCTION_TOPIC)), WORKER_NAME, 1, &lease);
	if (claimed != NIL)
	{
		const Action *action = orch_action_find(((ClaimedStep *) linitial(claimed))->action);

		if (action != NULL && action->kind == ACTION_FUNCTION)
			owner = orch_action_owner(action);
	}
	orch_system_leave(&saved);
	finish();
	MemoryContextSwitchTo(context);
	if (claimed == NIL)
		return false;
	run_function(linitial(claimed), owner);
	return true;
}

/*
 * Handler of the timeout that follows the statement timeout of a function: a function
 * can catch a cancel, but not the end of its process.
 */
static void
cancel_again(void)
{
	cancels++;
	kill(MyProcPid, cancels > MAX_CANCELS ? SIGTERM : SIGINT);
}

static void
start_timeouts(const Action *action)
{
	int			limit = action != NULL && action->timeout > 0 ?
		(int) Min(action->timeout * 1000, INT_MAX / 2) : function_timeout;

	cancels = 0;
	if (limit <= 0)
		return;
	enable_timeout_after(STATEMENT_TIMEOUT, limit);
	enable_timeout_every(cancel_timeout,
						 TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													 (int64) limit + 1000), 1000);
}

static void
stop_timeouts(void)
{
	disable_timeout(cancel_timeout, false);
	disable_timeout(STATEMENT_TIMEOUT, false);
}

/*
 * For this transaction the session is one of the owner of the function.  The gate sees
 * to it that nothing of the owner's runs outside of the function; should something do
 * so all the same, it has the owner's rights.
 */
static void
act_as(Oid owner)
{
	if (OidIsValid(owner))
		(void) set_config_option("session_authorization", GetUserNameFromId(owner, false),
								 PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

static void
run_function(const ClaimedStep *step, Oid owner)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *activity = psprintf("orchestration: action %s of step %s (%s)", step->action,
									step->step_name, orch_uuid_text(&step->step_id));
	ErrorData  *volatile failure = NULL;
	Oid			worker = GetUserId();

	PG_TRY();
	{
		SystemContext saved;
		Frame	   *frame;
		StepResult	result;

		begin(activity);
		MemoryContextSwitchTo(context);
		act_as(owner);
		frame = orch_frame_push(FRAME_CALL, worker, NULL);
		orch_system_enter(&saved);
		start_timeouts(orch_action_find(step->action));
		memset(&result, 0, sizeof(result));
		orch_queue_call(&step->run_id, step->action, step->inputs,
						step->has_run_as ? &step->run_as : NULL, GATE_WORKER, &result.outcome);
		stop_timeouts();
		result.known = true;
		result.run_id = step->run_id;
		result.step_id = step->step_id;
		result.lease_id = step->lease_id;
		orch_queue_take_result(&result, true);
		/* then its writes must not be committed either */
		if (!result.accepted)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_LEASE_LOST),
					 errmsg("outcome of action \"%s\" of step \"%s\" (%s) is not accepted: %s",
							step->action, step->step_name, orch_uuid_text(&step->step_id),
							result.reason)));
		orch_worker_count(COUNTER_FUNCTIONS_RUN);
		orch_system_leave(&saved);
		orch_frame_pop(frame);
		finish();
	}
	PG_CATCH();
	{
		/* the whole transaction failed: canceled, late, not serializable */
		stop_timeouts();
		QueryCancelPending = false;
		MemoryContextSwitchTo(context);
		failure = CopyErrorData();
		if (failure->sqlerrcode == ERRCODE_ORCH_LEASE_LOST)
			EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		orch_gate_reset_session();
		MemoryContextSwitchTo(context);
	}
	PG_END_TRY();
	CHECK_FOR_INTERRUPTS();
	if (failure != NULL && failure->sqlerrcode != ERRCODE_ORCH_LEASE_LOST)
		report_failure(step, failure);
}

static void
report_failure(const ClaimedStep *step, ErrorData *error)
{
	SystemContext saved;

	begin("orchestration: recording a failure");
	orch_system_enter(&saved);
	if (orch_engine_is_server_error(error->sqlerrcode))
	{
		/* nobody's fault: again, as if it had been lost */
		Datum		values[3];

		SPI_connect();
		values[0] = UUIDPGetDatum(&step->run_id);
		values[1] = UUIDPGetDatum(&step->step_id);
		values[2] = UUIDPGetDatum(&step->lease_id);
		orch_plan_execute(&plan_give_back, values, NULL, false, 0);
		SPI_finish();
	}
	else
	{
		Frame	   *frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
		StepResult	result;

		memset(&result, 0, sizeof(result));
		result.known = true;
		result.run_id = step->run_id;
		result.step_id = step->step_id;
		result.lease_id = step->lease_id;
		result.outcome.error = orch_engine_error(error, NULL);
		orch_queue_take_result(&result, true);
		orch_frame_pop(frame);
	}
	orch_system_leave(&saved);
	finish();
}
