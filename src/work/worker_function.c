/*-------------------------------------------------------------------------
 *
 * worker_function.c
 *	  How the background worker carries out the function of a step.
 *
 * A function takes at most three short transactions.  The first claims the step, so that
 * the attempt is known even if the function brings the server down.  In the second the
 * function runs and its outcome is taken in, both or neither.  The third records a failure,
 * if the second failed as a whole.  After a crash the next worker finds the lease, counts
 * the attempt as lost and begins another.  So no step is forgotten, and no step is done
 * twice, because what a lost attempt did was not committed.
 *
 * An outcome that is not accepted, because the lease was lost or the run was canceled,
 * rolls the transaction back: the writes of a function are committed with its outcome or
 * not at all, however many workers there are, and whatever became of their locks.
 *
 * Failures that are not the step's own (a deadlock, a serialization failure, a full disk, a
 * run that cannot be loaded) never fail the step.  It is tried again, with a delay that
 * grows, and other steps do not wait for it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/worker_function.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "access/access_name.h"
#include "base/counter.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "base/worker_slot.h"
#include "engine/engine_int.h"
#include "record/action.h"
#include "record/gate.h"
#include "work/queue.h"
#include "work/worker_int.h"

/* A function that goes on after so many cancels, one a second, ends the worker. */
#define MAX_CANCELS		10

/* A lease lasts so much longer than its function may run, in seconds. */
#define LEASE_MARGIN	60

/* How long the outcome of a function waits for the lock on its run. */
#define RUN_LOCK_TIMEOUT "2s"

/* Where the transaction of a function is. */
typedef enum FunctionPhase
{
	PHASE_BEFORE,				/* loading the run */
	PHASE_FUNCTION,				/* in the function */
	PHASE_AFTER					/* taking in the outcome */
} FunctionPhase;

volatile sig_atomic_t orch_worker_look_wanted = false;

static int	function_timeout = 0;	/* ms, of actions without a timeout; 0: none */
static char worker_name[64];

/* of the function in progress, for handlers of signals */
static TimeoutId cancel_timeout;
static volatile TimestampTz deadline = 0;	/* 0: none */
static volatile sig_atomic_t cancels = 0;
static volatile sig_atomic_t in_step = false;	/* SIGUSR2 cancels it */

static void watch_function(void);
static void start_timeouts(const Action *action);
static void stop_timeouts(void);
static double function_limit(const Action *action);
static bool is_conflict(int code, bool in_function);
static bool is_trouble(int code, bool in_function);
static void name_step(void *arg);
static void act_as(Oid owner);
static void lock_run(const ClaimedStep *step);
static void call_function(const ClaimedStep *step, Oid owner,
						  volatile FunctionPhase *phase);
static void run_function(const ClaimedStep *step, Oid owner);
static void handle_failure(const ClaimedStep *step, ErrorData *failure,
						   FunctionPhase phase);
static void record_failure(const ClaimedStep *step, ErrorData *failure);

void
orch_worker_function_init(void)
{
	DefineCustomIntVariable("orchestration.function_timeout",
							"How long the background worker lets a function run whose action has no timeout.",
							"0: for ever.  See orchestration.set_retry_policy().",
							&function_timeout, 10 * 60 * 1000, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
}

void
orch_worker_function_start(void)
{
	cancel_timeout = RegisterTimeout(USER_TIMEOUT, watch_function);
	snprintf(worker_name, sizeof(worker_name), WORKER_NAME " %d", MyProcPid);
}

void
orch_worker_function_reset(void)
{
	in_step = false;
	disable_all_timeouts(false);
	QueryCancelPending = false;
}

/* ------------------------------------------------------- signals and timeouts */

void
orch_worker_look(SIGNAL_ARGS)
{
	int			save_errno = errno;

	orch_worker_look_wanted = true;
	if (in_step)
	{
		InterruptPending = true;
		QueryCancelPending = true;
	}
	SetLatch(MyLatch);
	errno = save_errno;
}

/*
 * Handler of a timeout that fires each second while a function runs.  A function can catch
 * a cancel, but not the end of its process.
 */
static void
watch_function(void)
{
	if (!orch_worker_look_wanted && (deadline == 0 || GetCurrentTimestamp() < deadline))
		return;
	cancels++;
	kill(MyProcPid, cancels > MAX_CANCELS ? SIGTERM : SIGINT);
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

/* Seconds that a function of the action may run; 0: no limit. */
static double
function_limit(const Action *action)
{
	return action != NULL && action->timeout > 0 ? action->timeout : function_timeout / 1000.0;
}

/* -------------------------------------------------------- kinds of failures */

/*
 * Another session was at the same rows: a deadlock, a serialization failure, a run that
 * was locked for too long.  A function that gives up a lock itself (NOWAIT) has failed.
 */
static bool
is_conflict(int code, bool in_function)
{
	return ERRCODE_TO_CATEGORY(code) == ERRCODE_TRANSACTION_ROLLBACK ||
		(code == ERRCODE_LOCK_NOT_AVAILABLE && !in_function);
}

/*
 * The server is in trouble: memory, disk, I/O, limits.  A function that exceeds a limit of
 * the server itself (endless recursion) has failed, because it would exceed the limit each
 * time.
 */
static bool
is_trouble(int code, bool in_function)
{
	if (ERRCODE_TO_CATEGORY(code) == ERRCODE_PROGRAM_LIMIT_EXCEEDED)
		return !in_function;
	return orch_engine_is_server_error(code) && !is_conflict(code, in_function);
}

/* Error context: which step it was. */
static void
name_step(void *arg)
{
	const ClaimedStep *step = arg;

	errcontext("action \"%s\" of %s", step->action, step->label);
}

/* ------------------------------------------------------------- one function */

bool
orch_worker_function_run_one(void)
{
	MemoryContext context = CurrentMemoryContext;
	SystemContext saved;
	Interval	interval = {0};
	List	   *claimed;
	ClaimedStep *step = NULL;
	Oid			owner = InvalidOid;

	if (function_timeout > 0)
		interval.time = (function_timeout + LEASE_MARGIN * INT64CONST(1000)) * 1000;
	else
		interval.day = 1;
	worker_begin("orchestration: looking for functions");
	orch_system_enter(&saved);
	MemoryContextSwitchTo(context);
	claimed = orch_queue_claim(list_make1(pstrdup(FUNCTION_TOPIC)), worker_name, 1, &interval);
	if (claimed != NIL)
	{
		const Action *action;

		step = linitial(claimed);
		action = orch_action_find(step->action);
		if (action != NULL && action->kind == ACTION_FUNCTION)
			owner = orch_action_owner(action);
		/* the timeout of its action is longer, or another than when the step was queued */
		if (action != NULL && action->timeout > 0)
			orch_worker_lease_set_length(step, function_limit(action));
		/* now: a callback of an error can read nothing */
		step->label = orch_label_part(OBJECT_STEP, step->step_name, &step->step_id,
									  &step->run_id);
	}
	orch_system_leave(&saved);
	if (step != NULL)
		orch_worker_lease_take(step);
	worker_commit();
	MemoryContextSwitchTo(context);
	if (step == NULL)
		return false;
	run_function(step, owner);
	return true;
}

/*
 * For this transaction the session user is the owner of the function.  The gate lets none
 * of the owner's code run outside of the function; if some did all the same, it would have
 * the owner's rights only.
 */
static void
act_as(Oid owner)
{
	if (OidIsValid(owner))
		(void) set_config_option("session_authorization", GetUserNameFromId(owner, false),
								 PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * Lock the run of a step.  A user may keep it locked for long: then the function is undone
 * and carried out again later, so that other steps do not wait.
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

/*
 * The transaction in which the function runs and its outcome is taken in.
 */
static void
call_function(const ClaimedStep *step, Oid owner, volatile FunctionPhase *phase)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			worker = GetUserId();
	SystemContext saved;
	Frame	   *frame;
	StepResult	result;

	worker_begin(psprintf("orchestration: action \"%s\" of %s", step->action, step->label));
	MemoryContextSwitchTo(context);
	act_as(owner);
	frame = orch_frame_push(FRAME_CALL, worker, NULL);
	orch_system_enter(&saved);

	/* in this order: a session that ends the step after the look finds the worker */
	in_step = true;
	orch_worker_be_interruptible(&step->step_id);
	if (!orch_worker_lease_is_valid())
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LEASE_LOST),
				 errmsg("the step ended before its function began")));
	start_timeouts(orch_action_find(step->action));
	orch_queue_result_of(step, &result);
	*phase = PHASE_FUNCTION;
	orch_queue_call(&step->run_id, step->action, step->inputs,
					step->has_run_as ? &step->run_as : NULL, GATE_WORKER, &result.outcome);
	*phase = PHASE_AFTER;
	stop_timeouts();

	/* the outcome may set off code of users, too */
	lock_run(step);
	start_timeouts(orch_action_find(step->action));
	orch_queue_take_result(&result, true);
	if (!result.accepted && !orch_worker_lease_is_valid_for_others())
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LEASE_LOST),
				 errmsg("outcome is not accepted, and the writes of the function are undone: %s",
						result.reason)));
	orch_count(COUNTER_FUNCTIONS_RUN);
	orch_system_leave(&saved);
	orch_frame_pop(frame);
	in_step = false;
	stop_timeouts();
	worker_commit();
	orch_worker_lease_forget();
	QueryCancelPending = false;
}

/*
 * Carry out a claimed function and give its lease back, unless the outcome was taken in.
 */
static void
run_function(const ClaimedStep *step, Oid owner)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorData  *volatile failure = NULL;
	volatile FunctionPhase phase = PHASE_BEFORE;
	ErrorContextCallback callback;

	callback.callback = name_step;
	callback.arg = unconstify(ClaimedStep *, step);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	PG_TRY();
	{
		call_function(step, owner, &phase);
	}
	PG_CATCH();
	{
		bool		in_function = phase == PHASE_FUNCTION;
		int			code;

		/* the whole transaction failed: canceled, late, not serializable, not wanted */
		in_step = false;
		stop_timeouts();
		QueryCancelPending = false;
		MemoryContextSwitchTo(context);
		failure = CopyErrorData();
		code = failure->sqlerrcode;
		/* log what record_failure() does not record */
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
	handle_failure(step, failure, phase);
	if (orch_worker_lease_is_held())
		orch_worker_lease_return();
}

/*
 * The transaction of the function failed as a whole: fail the step, or say when it is to be
 * tried again.
 */
static void
handle_failure(const ClaimedStep *step, ErrorData *failure, FunctionPhase phase)
{
	bool		in_function = phase == PHASE_FUNCTION;
	int			code = failure->sqlerrcode;

	if (code == ERRCODE_ORCH_LEASE_LOST)
		orch_worker_lease_forget();
	else if (phase == PHASE_BEFORE || is_trouble(code, in_function))
		orch_worker_lease_retry_after_trouble();
	else if (is_conflict(code, in_function))
		orch_worker_lease_retry_after_conflict();
	else if (orch_worker_look_wanted && code == ERRCODE_QUERY_CANCELED)
	{
		/* the step has ended; or the signal was for another step, or the worker is to stop */
		ereport(LOG,
				(errmsg("function of action \"%s\" of %s was interrupted, and its writes are undone",
						step->action, step->label)));
		orch_worker_lease_retry_now();
	}
	else if (phase == PHASE_AFTER)
	{
		/* taking in the outcome took too long, or failed as a whole */
		orch_worker_lease_retry_after_trouble();
	}
	else
		record_failure(step, failure);
}

static void
record_failure(const ClaimedStep *step, ErrorData *failure)
{
	SystemContext saved;
	Frame	   *frame;
	StepResult	result;

	worker_begin("orchestration: recording a failure");
	in_step = true;
	orch_system_enter(&saved);
	lock_run(step);
	start_timeouts(orch_action_find(step->action));
	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_queue_result_of(step, &result);
	result.outcome.error = orch_engine_error(failure, NULL);
	orch_queue_take_result(&result, true);
	orch_frame_pop(frame);
	orch_system_leave(&saved);
	in_step = false;
	stop_timeouts();
	worker_commit();
	orch_worker_lease_forget();
	QueryCancelPending = false;
}
