/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The background worker: it carries out queued function actions, and removes what
 *	  is past its time.  Who starts, stops and wakes it is in launcher.c.
 *
 * A function takes three short transactions at most: one that claims the step, so
 * that an attempt is known even when the function takes the server down with it;
 * one in which it runs and its outcome is taken in, whole or not at all; and, when
 * that failed as a whole, one that says so.  After a crash the next worker finds the
 * lease of the last, counts the attempt as lost and begins another: nothing is lost,
 * and what was done was not committed, so nothing is done twice.
 *
 * An outcome that is not accepted, because the lease was lost or the run canceled,
 * rolls the transaction back: the effect of a function is committed with its outcome or
 * not at all, however many workers there are, and whatever became of their locks.
 *
 * A lease lasts as long as the function may run, and some more.  It does not stay
 * behind: whatever goes wrong between the claim and the outcome, the worker gives the
 * lease back before it claims anything else, and on its way out.  Leases are in the name
 * of the process, so that the next worker can tell those of dead ones.
 *
 * What is no fault of the step (a deadlock, a serialization failure, a full disk, a
 * run that cannot be loaded) is tried again later, and later still when it happens
 * again; it never fails the step and keeps no other step waiting.
 *
 * An error ends the transaction and is logged; the worker goes on.  A signal to
 * terminate ends it wherever it is.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/worker.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>
#include <signal.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "base/counter.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "base/worker_slot.h"
#include "definition/definition.h"
#include "engine/engine_int.h"
#include "record/action.h"
#include "record/gate.h"
#include "work/launcher.h"
#include "work/queue.h"
#include "work/worker.h"

#define WORKER_NAME		"background worker"
#define MAX_BATCH		100		/* functions before something else is looked at */
#define CLEAN_INTERVAL	(60 * 60 * INT64CONST(1000))

/* A worker that was started by hand waits so long for CREATE EXTENSION to commit. */
#define EXTENSION_SECONDS	10

/* A function that goes on after so many cancels, one a second, ends the worker. */
#define MAX_CANCELS		10

/* A lease lasts so much longer than the function may, in seconds. */
#define LEASE_MARGIN	60

/* Seconds until something is tried again: first, and most. */
#define CONFLICT_DELAY		0.02
#define MAX_CONFLICT_DELAY	10
#define TROUBLE_DELAY		1
#define MAX_TROUBLE_DELAY	300

/* The lease that this worker holds. */
typedef struct HeldLease
{
	bool		held;
	double		delay;			/* seconds until it may be claimed again */
	bool		lost;			/* counts as lost: the step ended the worker */
	pg_uuid_t	run_id;
	pg_uuid_t	step_id;
	pg_uuid_t	lease_id;
	int			attempt;
} HeldLease;

static int	worker_naptime = 1000;
static int	function_timeout = 0;	/* ms, of actions that have none; 0: none */

static char worker_name[64];
static HeldLease lease;

/* Leases whose rows others had locked: the worker tries again to give them back. */
#define MAX_UNRETURNED	32
#define RETURN_NAP		100		/* ms */

/* How long the outcome of a function waits for the lock on its run. */
#define RUN_LOCK_TIMEOUT "2s"

static HeldLease unreturned[MAX_UNRETURNED];
static int	nunreturned = 0;

/* of the function under way, for handlers of signals */
static TimeoutId cancel_timeout;
static volatile TimestampTz deadline = 0;	/* 0: none */
static volatile sig_atomic_t cancels = 0;
static volatile sig_atomic_t in_step = false;	/* SIGUSR2 cancels it */
static volatile sig_atomic_t look_wanted = false;

/* how it ends */
static bool stopping = false;
static bool no_database = false;

static StaticPlan plan_lost = {
	"UPDATE orchestration.step_queue q SET leased_until = pg_catalog.now()"
	" WHERE (q.run_id, q.step_run_id) IN ("
	"   SELECT o.run_id, o.step_run_id FROM orchestration.step_queue o"
	"    WHERE o.topic = '' AND o.worker LIKE '" WORKER_NAME " %'"
	"      AND o.leased_until > pg_catalog.now()"
	"      AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) a"
	"           WHERE o.worker = '" WORKER_NAME " ' || a.pid AND a.backend_start <= o.claimed_at"
	"             AND a.backend_type = 'orchestration worker')"
	"    FOR UPDATE SKIP LOCKED)",
	0
};
static StaticPlan plan_lease_until = {
	"UPDATE orchestration.step_queue SET"
	" leased_until = claimed_at + pg_catalog.make_interval(secs => $4)"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3",
	4, {UUIDOID, UUIDOID, UUIDOID, FLOAT8OID}
};

/*
 * Nobody had it; nothing of the attempt counts.  Of a run in Error the outcome is
 * pending, and its resume begins the step again.
 */
static StaticPlan plan_give_back = {
	"UPDATE orchestration.step_queue q SET lease_id = NULL, leased_until = NULL,"
	" claimed_at = NULL, worker = NULL, available_at = CASE WHEN $4 = 0 THEN q.available_at ELSE"
	"   pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4) END"
	" WHERE (q.run_id, q.step_run_id) IN ("
	"   SELECT o.run_id, o.step_run_id FROM orchestration.step_queue o"
	"    WHERE o.run_id = $1 AND o.step_run_id = $2 AND o.lease_id = $3"
	"      AND o.available_at < 'infinity' FOR UPDATE SKIP LOCKED)",
	4, {UUIDOID, UUIDOID, UUIDOID, FLOAT8OID}
};

/* The next one who claims it records the attempt as lost, or as late. */
static StaticPlan plan_end_lease = {
	"UPDATE orchestration.step_queue q SET leased_until ="
	" LEAST(q.leased_until, pg_catalog.clock_timestamp())"
	" WHERE (q.run_id, q.step_run_id) IN ("
	"   SELECT o.run_id, o.step_run_id FROM orchestration.step_queue o"
	"    WHERE o.run_id = $1 AND o.step_run_id = $2 AND o.lease_id = $3"
	"    FOR UPDATE SKIP LOCKED)",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_held = {
	"SELECT r.version_id FROM orchestration.step_queue q"
	" JOIN orchestration.run r ON r.id = q.run_id"
	" WHERE q.run_id = $1 AND q.step_run_id = $2 AND q.lease_id = $3",
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

static void connect_to_database(Oid database);
static void note_connect_error(void *arg);
static void choose_exit_code(int code, Datum arg);
static void end_lease_at_exit(int code, Datum arg);
static void look(SIGNAL_ARGS);
static void watch_function(void);
static void pin_settings(void);
static void end(const char *why);
static bool extension_is_there(Oid *extension);
static void look_around(Oid *extension);
static void execute(const char *activity, StaticPlan *plan, Datum *values);
static bool give_back(void);
static void return_lease(void);
static void return_others(void);
static void lock_run(const ClaimedStep *step);
static bool is_conflict(int code, bool in_function);
static bool is_trouble(int code, bool in_function);
static void start_timeouts(const Action *action);
static void stop_timeouts(void);
static void act_as(Oid owner);
static double function_limit(const Action *action);
static bool run_one(void);
static void lease_values(Datum *values);
static bool is_wanted(void);
static bool others_see_lease(void);
static void run_function(const ClaimedStep *step, Oid owner);
static void name_step(void *arg);
static void report_failure(const ClaimedStep *step, ErrorData *error);
static double backoff(double first, double most);
static long nap(void);
static void begin(const char *activity);
static void finish(void);

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
}

/* ------------------------------------------------------ how it begins and ends */

/*
 * A database that is gone, or allows no connections, is no reason to be restarted again
 * and again.
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
 * before_shmem_exit: terminated in the middle of a step.  The attempt counts, as it
 * may be the step that ends its workers; and nobody has to wait for the lease to end.
 */
static void
end_lease_at_exit(int code, Datum arg)
{
	/* one that would not end by itself */
	if (look_wanted && orch_worker_is_stopped())
		stopping = true;
	if (!lease.held && nunreturned == 0)
		return;
	AbortOutOfAnyTransaction();
	if (lease.held)
	{
		lease.lost = !stopping;
		lease.delay = 0;
		(void) give_back();
		lease.held = false;
	}
	return_others();
}

/*
 * SIGUSR2: the step under way may have ended, or the worker is to stop.
 */
static void
look(SIGNAL_ARGS)
{
	int			save_errno = errno;

	look_wanted = true;
	if (in_step)
	{
		InterruptPending = true;
		QueryCancelPending = true;
	}
	SetLatch(MyLatch);
	errno = save_errno;
}

/*
 * Handler of the timeout that follows a function each second.  A function can catch a
 * cancel, but not the end of its process.
 */
static void
watch_function(void)
{
	if (!look_wanted && (deadline == 0 || GetCurrentTimestamp() < deadline))
		return;
	cancels++;
	kill(MyProcPid, cancels > MAX_CANCELS ? SIGTERM : SIGINT);
}

static void
end(const char *why)
{
	ereport(LOG,
			(errmsg("orchestration worker of database \"%s\" ends: %s",
					MyBgworkerEntry->bgw_name + strlen("orchestration worker for "), why)));
	stopping = true;
	proc_exit(0);				/* 0: not to be restarted */
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
 * Is the extension there, and the one that was there before?
 */
static bool
extension_is_there(Oid *extension)
{
	Oid			found;

	begin("orchestration: looking for the extension");
	found = get_extension_oid("orchestration", true);
	finish();
	if (OidIsValid(*extension) && OidIsValid(found) && found != *extension)
	{
		/* another one: a process that knows nothing of the last */
		ereport(LOG,
				(errmsg("orchestration worker starts again: the extension was created anew")));
		proc_exit(1);
	}
	*extension = found;
	return OidIsValid(found);
}

/*
 * Before it claims anything: is it to go on?
 */
static void
look_around(Oid *extension)
{
	static int	waited = 0;
	bool		known = OidIsValid(*extension);

	look_wanted = false;
	if (orch_worker_is_stopped())
		end("stop_background_worker() was called");
	if (!orch_worker_is_alone())
		end("another one works there");
	while (!extension_is_there(extension))
	{
		if (known || orch_worker_is_launched() || waited++ >= EXTENSION_SECONDS)
			end("the extension is not installed");
		pgstat_report_activity(STATE_IDLE, "orchestration: the extension is not there");
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 1000, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* One statement in system context and in a transaction of its own. */
static void
execute(const char *activity, StaticPlan *plan, Datum *values)
{
	SystemContext saved;

	begin(activity);
	orch_system_enter(&saved);
	SPI_connect();
	orch_plan_execute(plan, values, NULL, false, 0);
	orch_system_finish(&saved);
	finish();
}

void
orch_worker_main(Datum arg)
{
	volatile TimestampTz cleaned_at = 0;
	volatile bool ready = false;
	volatile bool failed = false;
	static Oid	extension = InvalidOid;
	MemoryContext context;
	sigjmp_buf	handler;

	/* see launcher.c; 0: not to be restarted */
	if (IsBinaryUpgrade)
		proc_exit(0);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	pqsignal(SIGUSR2, look);
	BackgroundWorkerUnblockSignals();
	connect_to_database(DatumGetObjectId(arg));

	cancel_timeout = RegisterTimeout(USER_TIMEOUT, watch_function);
	snprintf(worker_name, sizeof(worker_name), WORKER_NAME " %d", MyProcPid);
	StartTransactionCommand();
	pin_settings();
	CommitTransactionCommand();
	if (!orch_worker_enter_slot())
		end("another one works there");
	before_shmem_exit(end_lease_at_exit, (Datum) 0);
	context = AllocSetContextCreate(TopMemoryContext, "orchestration worker",
									ALLOCSET_DEFAULT_SIZES);

	/* an error ends a transaction, never the worker */
	if (sigsetjmp(handler, 1) != 0)
	{
		error_context_stack = NULL;
		HOLD_INTERRUPTS();
		in_step = false;
		disable_all_timeouts(false);
		QueryCancelPending = false;
		EmitErrorReport();
		AbortCurrentTransaction();
		orch_gate_reset_session();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RESUME_INTERRUPTS();
		lease.delay = backoff(TROUBLE_DELAY, MAX_TROUBLE_DELAY);
		/* at first it gives back what it holds */
		if (failed || !lease.held)
		{
			pgstat_report_activity(STATE_IDLE, "orchestration: waiting after an error");
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							 Min(worker_naptime, 1000), PG_WAIT_EXTENSION);
		}
		failed = true;
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
		look_around(&extension);
		if (lease.held)
			return_lease();
		return_others();
		if (!ready)
		{
			/* what workers before this one held when they went */
			execute("orchestration: looking for what was left", &plan_lost, NULL);
			ready = true;
		}
		while (done < MAX_BATCH && !look_wanted && !lease.held && run_one())
		{
			done++;
			failed = false;
			CHECK_FOR_INTERRUPTS();
			MemoryContextSwitchTo(context);
			MemoryContextReset(context);
		}
		if (TimestampDifferenceExceeds(cleaned_at, GetCurrentTimestamp(), CLEAN_INTERVAL))
		{
			cleaned_at = GetCurrentTimestamp();
			execute("orchestration: removing what is past its time", &plan_clean, NULL);
		}
		if (done < MAX_BATCH && !look_wanted)
		{
			long		timeout = nap();

			failed = false;
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
	if (nunreturned > 0)
		result = Min(result, RETURN_NAP);
	orch_system_finish(&saved);
	finish();
	return result;
}

/* ------------------------------------------------------------------ leases */

static void
lease_values(Datum *values)
{
	values[0] = UUIDPGetDatum(&lease.run_id);
	values[1] = UUIDPGetDatum(&lease.step_id);
	values[2] = UUIDPGetDatum(&lease.lease_id);
}

/*
 * Give the lease back.  False: the row is locked, by one who takes the step out of
 * the queue, or who is idle in a transaction; the caller tries again.
 */
static bool
give_back(void)
{
	SystemContext saved;
	Datum		values[4];
	bool		given;

	begin("orchestration: giving a lease back");
	orch_system_enter(&saved);
	SPI_connect();
	lease_values(values);
	values[3] = Float8GetDatum(lease.delay);
	orch_plan_execute(lease.lost ? &plan_end_lease : &plan_give_back, values, NULL, false, 0);
	given = SPI_processed > 0;
	if (!given)
	{
		orch_plan_execute(&plan_end_lease, values, NULL, false, 0);
		given = SPI_processed > 0;
	}
	if (!given)
	{
		orch_plan_execute(&plan_held, values, NULL, true, 0);
		given = SPI_processed == 0;
	}
	orch_system_finish(&saved);
	finish();
	return given;
}

/*
 * Give the lease back now, or once its row is not locked any more.  A session that keeps
 * the row locked must not keep others from their steps.
 */
static void
return_lease(void)
{
	lease.held = !give_back();
	if (lease.held && nunreturned < MAX_UNRETURNED)
	{
		unreturned[nunreturned++] = lease;
		lease.held = false;
	}
}

static void
return_others(void)
{
	int			i;

	for (i = nunreturned - 1; i >= 0 && !lease.held; i--)
	{
		lease = unreturned[i];
		if (give_back())
			unreturned[i] = unreturned[--nunreturned];
		lease.held = false;
	}
}

/*
 * Seconds until a step is tried again that failed by no fault of its own: longer each
 * time, and not the same for all.
 */
static double
backoff(double first, double most)
{
	double		delay = Min(first * pow(2, Min(Max(lease.attempt - 1, 0), 30)), most);

	return delay * (0.5 + pg_prng_double(&pg_global_prng_state));
}

/* Does the worker still hold the lease?  Raises when the run's version cannot be loaded. */
static bool
is_wanted(void)
{
	Datum		values[3];
	bool		wanted;

	SPI_connect();
	lease_values(values);
	orch_plan_execute(&plan_held, values, NULL, false, 1);
	wanted = SPI_processed > 0;
	if (wanted)
	{
		bool		isnull;
		Datum		version = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			(void) orch_definition_get(DatumGetUUIDP(version));
	}
	SPI_finish();
	return wanted;
}

/*
 * Is the lease there for everybody but this transaction?  Then the function itself
 * ended its step, say by canceling its run, and that is what it wants.  To a
 * snapshot of command 0 nothing that this transaction did has happened.
 */
static bool
others_see_lease(void)
{
	Datum		values[3];
	Snapshot	snapshot;
	bool		result;

	SPI_connect();
	lease_values(values);
	orch_plan_prepare(&plan_held);
	snapshot = GetLatestSnapshot();
	snapshot->curcid = FirstCommandId;
	if (SPI_execute_snapshot(plan_held.plan, values, NULL, snapshot, InvalidSnapshot,
							 true, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed");
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}

/* --------------------------------------------------------------- functions */

/* Seconds that a function of the action may run; 0: for ever. */
static double
function_limit(const Action *action)
{
	return action != NULL && action->timeout > 0 ? action->timeout : function_timeout / 1000.0;
}

/*
 * Claim a step and carry it out; false when there is none.
 */
static bool
run_one(void)
{
	MemoryContext context = CurrentMemoryContext;
	SystemContext saved;
	Interval	interval = {0};
	List	   *claimed;
	ClaimedStep *step;
	const Action *action;
	Oid			owner = InvalidOid;
	double		limit;

	if (function_timeout > 0)
		interval.time = (function_timeout + LEASE_MARGIN * INT64CONST(1000)) * 1000;
	else
		interval.day = 1;
	begin("orchestration: looking for functions");
	orch_system_enter(&saved);
	MemoryContextSwitchTo(context);
	claimed = orch_queue_claim(list_make1(pstrdup(FUNCTION_TOPIC)), worker_name, 1, &interval);
	if (claimed != NIL)
	{
		step = linitial(claimed);
		lease.run_id = step->run_id;
		lease.step_id = step->step_id;
		lease.lease_id = step->lease_id;
		lease.attempt = step->attempt;
		lease.lost = false;
		lease.delay = 0;
		action = orch_action_find(step->action);
		if (action != NULL && action->kind == ACTION_FUNCTION)
			owner = orch_action_owner(action);
		/* its action allows more, or now allows other than when it was queued */
		limit = function_limit(action);
		if (action != NULL && action->timeout > 0)
		{
			Datum		values[4];

			SPI_connect();
			lease_values(values);
			values[3] = Float8GetDatum(limit);
			orch_plan_execute(&plan_lease_until, values, NULL, false, 0);
			SPI_finish();
		}
	}
	orch_system_leave(&saved);
	lease.held = claimed != NIL;
	finish();
	MemoryContextSwitchTo(context);
	if (claimed == NIL)
		return false;
	run_function(linitial(claimed), owner);
	return true;
}

/*
 * A deadlock, a serialization failure: others were at the same rows.  So they are where
 * the run is locked for too long; a lock that the function itself gave up is its failure.
 */
static bool
is_conflict(int code, bool in_function)
{
	return ERRCODE_TO_CATEGORY(code) == ERRCODE_TRANSACTION_ROLLBACK ||
		(code == ERRCODE_LOCK_NOT_AVAILABLE && !in_function);
}

/*
 * The server's: memory, disk, limits, I/O.  A limit that the function itself exceeds
 * (its own endless recursion) is its failure: it would exceed it for ever.
 */
static bool
is_trouble(int code, bool in_function)
{
	if (ERRCODE_TO_CATEGORY(code) == ERRCODE_PROGRAM_LIMIT_EXCEEDED)
		return !in_function;
	return orch_engine_is_server_error(code) && !is_conflict(code, in_function);
}

static void
start_timeouts(const Action *action)
{
	double		limit = Min(function_limit(action), INT_MAX / 2000.0);
	TimestampTz now = GetCurrentTimestamp();

	cancels = 0;
	deadline = 0;
	if (limit > 0)
	{
		enable_timeout_after(STATEMENT_TIMEOUT, Max((int) (limit * 1000), 1));
		deadline = TimestampTzPlusMilliseconds(now, (int64) (limit * 1000) + 1000);
	}
	enable_timeout_every(cancel_timeout, TimestampTzPlusMilliseconds(now, 1000), 1000);
}

static void
stop_timeouts(void)
{
	disable_timeout(cancel_timeout, false);
	disable_timeout(STATEMENT_TIMEOUT, false);
}

/* Error context: which step it was. */
static void
name_step(void *arg)
{
	const ClaimedStep *step = arg;
	char		run[UUID_LEN * 3];

	strlcpy(run, orch_uuid_text(&step->run_id), sizeof(run));
	errcontext("action \"%s\" of step \"%s\" (%s) of run %s", step->action, step->step_name,
			   orch_uuid_text(&step->step_id), run);
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
	volatile bool loaded = false;
	volatile bool in_function = false;
	Oid			worker = GetUserId();
	ErrorContextCallback callback;
	int			code;

	callback.callback = name_step;
	callback.arg = unconstify(ClaimedStep *, step);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
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

		/* first to be found, then to look: who ends the step later finds the worker */
		in_step = true;
		orch_worker_be_interruptible(&step->step_id);
		if (!is_wanted())
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_LEASE_LOST),
					 errmsg("the step ended before its function began")));
		loaded = true;
		start_timeouts(orch_action_find(step->action));
		orch_queue_result_of(step, &result);
		in_function = true;
		orch_queue_call(&step->run_id, step->action, step->inputs,
						step->has_run_as ? &step->run_as : NULL, GATE_WORKER, &result.outcome);
		in_function = false;
		stop_timeouts();

		/* what its outcome sets off is code of others as well */
		lock_run(step);
		start_timeouts(orch_action_find(step->action));
		orch_queue_take_result(&result, true);
		/* then its writes must not be committed either */
		if (!result.accepted && !others_see_lease())
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_LEASE_LOST),
					 errmsg("outcome is not accepted, and the writes of the function are undone: %s",
							result.reason)));
		orch_count(COUNTER_FUNCTIONS_RUN);
		orch_system_leave(&saved);
		orch_frame_pop(frame);
		in_step = false;
		stop_timeouts();
		finish();
		lease.held = false;
		QueryCancelPending = false;
	}
	PG_CATCH();
	{
		/* the whole transaction failed: canceled, late, not serializable, not wanted */
		in_step = false;
		stop_timeouts();
		QueryCancelPending = false;
		MemoryContextSwitchTo(context);
		failure = CopyErrorData();
		code = failure->sqlerrcode;
		/* what is not recorded as the step's failure is logged */
		if (!in_function || code == ERRCODE_ORCH_LEASE_LOST || is_conflict(code, in_function) ||
			is_trouble(code, in_function))
			EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		orch_gate_reset_session();
		MemoryContextSwitchTo(context);
	}
	PG_END_TRY();
	error_context_stack = callback.previous;
	CHECK_FOR_INTERRUPTS();
	if (failure == NULL)
		return;

	code = failure->sqlerrcode;
	if (code == ERRCODE_ORCH_LEASE_LOST)
		lease.held = false;
	else if (!loaded || is_trouble(code, in_function))
		lease.delay = backoff(TROUBLE_DELAY, MAX_TROUBLE_DELAY);
	else if (is_conflict(code, in_function))
		lease.delay = backoff(CONFLICT_DELAY, MAX_CONFLICT_DELAY);
	else if (look_wanted && code == ERRCODE_QUERY_CANCELED)
	{
		/* not wanted any more; or the signal was for another, or the worker stops */
		ereport(LOG,
				(errmsg("function of action \"%s\" of step \"%s\" (%s) was interrupted, and its writes are undone",
						step->action, step->step_name, orch_uuid_text(&step->step_id))));
		lease.delay = 0;
	}
	else if (!in_function)
	{
		/* what came after it took too long, or failed as a whole */
		lease.delay = backoff(TROUBLE_DELAY, MAX_TROUBLE_DELAY);
	}
	else
		report_failure(step, failure);
	if (lease.held)
		return_lease();
}

/*
 * A user may have the run locked, for as long as he likes: then the function is undone
 * and carried out again later, and others are not kept waiting.
 */
static void
lock_run(const ClaimedStep *step)
{
	int			guc_level = NewGUCNestLevel();

	(void) set_config_option("lock_timeout", RUN_LOCK_TIMEOUT, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	orch_spi_connect();
	(void) orch_lock_run(&step->run_id, RUN_LOCK_MOVE);
	SPI_finish();
	AtEOXact_GUC(true, guc_level);
}

static void
report_failure(const ClaimedStep *step, ErrorData *error)
{
	SystemContext saved;
	Frame	   *frame;
	StepResult	result;

	begin("orchestration: recording a failure");
	in_step = true;
	orch_system_enter(&saved);
	lock_run(step);
	start_timeouts(orch_action_find(step->action));
	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_queue_result_of(step, &result);
	result.outcome.error = orch_engine_error(error, NULL);
	orch_queue_take_result(&result, true);
	orch_frame_pop(frame);
	orch_system_leave(&saved);
	in_step = false;
	stop_timeouts();
	finish();
	lease.held = false;
	QueryCancelPending = false;
}
