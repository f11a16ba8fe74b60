/*-------------------------------------------------------------------------
 *
 * queue_result.c
 *	  Outcomes of asynchronous steps: taken in, refused, or tried again.
 *
 * An outcome names the lease.  It is refused if the lease ended and another worker claimed
 * the step, or the run was canceled.  A call locks the runs of its outcomes in the order of
 * their ids, judges all outcomes, takes the steps of accepted ones out of the queue, and lets
 * the engine move the runs, each time by statements for all of them (engine_write.c).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/queue_result.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/argument.h"
#include "base/catalog.h"
#include "base/counter.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "engine/notify.h"
#include "guard/transition.h"
#include "record/action.h"
#include "work/queue.h"

/* Results that are taken in together; bounds the memory. */
#define RESULTS_AT_ONCE 1000

/* The reason against a lease that completed its step already. */
#define OTHER_OUTPUTS "the step is Completed with other outputs"

static StaticPlan plan_runs_of = {
	"SELECT u.number, s.run_id, r.version_id"
	" FROM pg_catalog.unnest($1) WITH ORDINALITY AS u (id, number)"
	" JOIN orchestration.step_run s ON s.id = u.id"
	" JOIN orchestration.run r ON r.id = s.run_id",
	1, {UUIDARRAYOID}
};

/* The queries for one step and for many have the same columns. */
#define STEP_COLUMNS \
	"SELECT s.status, s.lease_id, q.lease_id," \
	" COALESCE(s.pending ->> 'outcome', s.status::pg_catalog.text)," \
	" q.action, q.failures, q.attempt, q.worker, q.claimed_at," \
	" EXISTS (SELECT FROM orchestration.step_attempt a WHERE a.run_id = s.run_id" \
	"         AND a.step_run_id = s.id AND a.lease_id = u.lease_id" \
	"         AND a.outcome = 'Failed')," \
	" u.number, r.status," \
	" CASE WHEN s.pending IS NULL THEN s.outputs ELSE s.pending -> 'outputs' END," \
	" q.run_as"
#define STEP_JOINS \
	" JOIN orchestration.run r ON r.id = u.run_id" \
	" JOIN orchestration.step_run s ON s.run_id = u.run_id AND s.id = u.step_id" \
	" LEFT JOIN orchestration.step_queue q" \
	"   ON q.run_id = s.run_id AND q.step_run_id = s.id"
#define GIVEN_STEPS \
	"ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3))" \
	" WITH ORDINALITY AS u (run_id, step_id, lease_id, number)"

static StaticPlan plan_read_step = {
	STEP_COLUMNS " FROM (SELECT $1, $2, $3, 1::bigint) AS u (run_id, step_id, lease_id, number)"
	STEP_JOINS, 3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_read_steps = {
	STEP_COLUMNS " FROM " GIVEN_STEPS STEP_JOINS " ORDER BY u.number",
	3, {UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_unqueue = {
	"DELETE FROM orchestration.step_queue"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3 RETURNING 1::bigint",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_unqueue_all = {
	"DELETE FROM orchestration.step_queue q USING " GIVEN_STEPS
	" WHERE q.run_id = u.run_id AND q.step_run_id = u.step_id AND q.lease_id = u.lease_id"
	" RETURNING u.number",
	3, {UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID}
};
static StaticPlan plan_try_run = {
	"SELECT status FROM orchestration.run WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED",
	1, {UUIDOID}
};
static StaticPlan plan_retry = {
	"UPDATE orchestration.step_queue SET lease_id = NULL, leased_until = NULL,"
	" claimed_at = NULL, worker = NULL, failures = failures + 1,"
	" available_at = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4)"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3 RETURNING topic",
	4, {UUIDOID, UUIDOID, UUIDOID, FLOAT8OID}
};
static StaticPlan plan_record_failure = {
	"INSERT INTO orchestration.step_attempt (run_id, step_run_id, lease_id, attempt,"
	" worker, outcome, claimed_at, error) VALUES ($1, $2, $3, $4, $5, 'Failed', $6, $7)",
	7, {UUIDOID, UUIDOID, UUIDOID, INT4OID, TEXTOID, TIMESTAMPTZOID, JSONBOID}
};

/* A version of runs whose results the call takes in. */
typedef struct VersionProblem
{
	pg_uuid_t	id;
	char	   *problem;		/* or NULL */
} VersionProblem;

static const char *version_problem(const pg_uuid_t *id, MemoryContext context,
								   List **versions);
static double retry_delay(const Action *action, int failures);
static void read_result(StepResult *result, JsonbValue *element, ResultsKind kind);
static const char *array_name(ResultsKind kind);
static char *member_text(JsonbContainer *object, const char *name);
static bool member_uuid(JsonbContainer *object, const char *name, pg_uuid_t *id,
						StepResult *result, ResultsKind kind);
static bool is_or_is_not_there(JsonbValue *value, int type);
static Jsonb *failure_error(JsonbContainer *object);
static int	compare_results(const void *a, const void *b);
static int	compare_positions(const void *a, const void *b);
static void take_sorted(StepResult *results, int nresults);
static void result_ids(StepResult **results, int nresults, Datum *values);
static void judge_results(StepResult *results, int nresults, StepResult **taken,
						  int *ntaken);
static bool same_outputs(Jsonb *left, Jsonb *right);
static bool judge(StepResult *result, HeapTuple tuple, TupleDesc desc);
static void unqueue(StepResult **results, int nresults);

PG_FUNCTION_INFO_V1(orchestration_complete_steps);

/*
 * orchestration.complete_steps(results jsonb) returns table (step_id uuid,
 *		accepted boolean, reason text)
 *
 * Takes in results of steps that succeeded: an array of objects with step_id, lease_id and
 * outputs (an object, or absent).  Completes each step and moves its run; while the run is
 * Suspended or in Error, the outcome is stored as pending.  Returns a row for each result, in
 * order: accepted, or the reason why not (the lease was lost, the run was canceled, the
 * result is malformed, ...); step_id is null if it cannot be read.  A repeated result is
 * accepted and does nothing, unless its outputs are others than those that were taken in.
 * Raises: 22004 for null, OR306 for results that are no array or too many.
 * Source: ours.
 */
Datum
orchestration_complete_steps(PG_FUNCTION_ARGS)
{
	return orch_queue_take_results(fcinfo, RESULTS_COMPLETED);
}

PG_FUNCTION_INFO_V1(orchestration_fail_steps);

/*
 * orchestration.fail_steps(results jsonb) returns table (step_id uuid,
 *		accepted boolean, reason text)
 *
 * Takes in results of steps that failed: an array of objects with step_id, lease_id, message
 * and optionally detail and retry.  If the action's retry policy allows it, the step is
 * queued again for later.  Otherwise, or with "retry": false, the step fails; the run fails
 * with it, recoverable, unless the stage has a fault path.  Returns rows as
 * complete_steps().
 * Raises: as complete_steps().
 * Source: ours.
 */
Datum
orchestration_fail_steps(PG_FUNCTION_ARGS)
{
	return orch_queue_take_results(fcinfo, RESULTS_FAILED);
}

Datum
orch_queue_take_results(FunctionCallInfo fcinfo, ResultsKind kind)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	Frame	   *frame;
	StepResult *results;
	pg_uuid_t  *ids;
	Datum		value;
	List	   *versions = NIL;
	int			nresults;
	int			i;
	int			j;
	uint64		n;

	orch_require_arguments(fcinfo, 0, 1, "results");
	results = orch_queue_read_results(PG_GETARG_JSONB_P(0), kind, &nresults);
	ids = palloc(sizeof(pg_uuid_t) * Max(nresults, 1));
	InitMaterializedSRF(fcinfo, 0);

	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_system_connect(&saved);
	for (i = 0; i < nresults; i++)
	{
		/* a malformed result gets an id that no step has */
		if (results[i].problem != NULL)
			orch_uuid_generate(&ids[i]);
		else
			ids[i] = results[i].step_id;
		results[i].context = caller;
	}
	value = PointerGetDatum(orch_uuid_array(ids, nresults));
	orch_plan_execute_latest(&plan_runs_of, &value, NULL, 0);
	for (n = 0; n < SPI_processed; n++)
	{
		bool		isnull;
		StepResult *result = &results[DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[n],
																   SPI_tuptable->tupdesc, 1, &isnull)) - 1];

		result->known = true;
		result->run_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[n],
													  SPI_tuptable->tupdesc, 2, &isnull));
		value = SPI_getbinval(SPI_tuptable->vals[n], SPI_tuptable->tupdesc, 3, &isnull);
		if (!isnull)
			result->problem = version_problem(DatumGetUUIDP(value), caller, &versions);
		if (result->problem != NULL)
			result->known = false;
	}
	SPI_finish();
	qsort(results, nresults, sizeof(StepResult), compare_results);
	MemoryContextSwitchTo(caller);
	/* all results of a run in one batch, because its state is kept for a batch only */
	for (i = 0; i < nresults; i = j)
	{
		for (j = Min(i + RESULTS_AT_ONCE, nresults);
			 j < nresults && orch_uuid_equal(&results[j - 1].run_id, &results[j].run_id); j++)
			;
		take_sorted(&results[i], j - i);
	}
	orch_system_leave(&saved);
	orch_frame_pop(frame);

	qsort(results, nresults, sizeof(StepResult), compare_positions);
	for (i = 0; i < nresults; i++)
	{
		Datum		values[12];
		bool		nulls[12];

		memset(nulls, true, sizeof(nulls));
		nulls[0] = !results[i].has_step_id;
		nulls[1] = false;
		values[0] = UUIDPGetDatum(&results[i].step_id);
		values[1] = BoolGetDatum(results[i].accepted);
		nulls[2] = results[i].reason == NULL;
		if (!nulls[2])
			values[2] = CStringGetTextDatum(results[i].reason);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * Why runs of a version cannot be moved, or NULL.  Only the results of these runs are
 * refused.  versions: those that the call has looked at.
 */
static const char *
version_problem(const pg_uuid_t *id, MemoryContext context, List **versions)
{
	VersionProblem *entry;
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, *versions)
	{
		entry = lfirst(cell);
		if (orch_uuid_equal(&entry->id, id))
			return entry->problem;
	}
	old = MemoryContextSwitchTo(context);
	entry = palloc(sizeof(VersionProblem));
	entry->id = *id;
	entry->problem = orch_engine_version_problem(id);
	if (entry->problem != NULL)
		entry->problem = psprintf("the run cannot be moved: %s", entry->problem);
	*versions = lappend(*versions, entry);
	MemoryContextSwitchTo(old);
	return entry->problem;
}

/*
 * Runs in the order of their ids, results of a run in the order of the caller's array.
 */
static int
compare_results(const void *a, const void *b)
{
	const StepResult *left = (const StepResult *) a;
	const StepResult *right = (const StepResult *) b;
	int			result = orch_uuid_compare(&left->run_id, &right->run_id);

	return result != 0 ? result : left->position - right->position;
}

static int
compare_positions(const void *a, const void *b)
{
	return ((const StepResult *) a)->position - ((const StepResult *) b)->position;
}

/*
 * A malformed member does not fail the call: a worker that passes many results could not
 * tell which of them an error is about.
 */
StepResult *
orch_queue_read_results(Jsonb *jsonb, ResultsKind kind, int *nresults)
{
	StepResult	   *results;
	int			n;
	int			i;

	if (!JB_ROOT_IS_ARRAY(jsonb) || JB_ROOT_IS_SCALAR(jsonb))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("%s must be a JSON array of objects", array_name(kind))));
	n = JB_ROOT_COUNT(jsonb);
	if (n > MAX_CLAIM)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("%s must not have more than %d members", array_name(kind), MAX_CLAIM)));
	results = palloc0(Max(n, 1) * sizeof(StepResult));
	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		results[i].position = i;
		read_result(&results[i], getIthJsonbValueFromContainer(&jsonb->root, i), kind);
	}
	*nresults = n;
	return results;
}

/*
 * Read one result, or set its problem.
 */
static void
read_result(StepResult *result, JsonbValue *element, ResultsKind kind)
{
	int			position = result->position;
	JsonbContainer *object;
	JsonbValue *message;
	JsonbValue *detail;
	JsonbValue *retry;
	JsonbValue *outputs;

	if (element->type != jbvBinary ||
		!JsonContainerIsObject(element->val.binary.data))
	{
		result->problem = psprintf("%s[%d] is not an object", array_name(kind), position);
		return;
	}
	object = element->val.binary.data;
	result->has_step_id = member_uuid(object, "step_id", &result->step_id, result, kind);
	if (!result->has_step_id ||
		!member_uuid(object, "lease_id", &result->lease_id, result, kind) ||
		kind == RESULTS_LEASES)
		return;
	message = getKeyJsonValueFromContainer(object, "message", 7, NULL);
	detail = getKeyJsonValueFromContainer(object, "detail", 6, NULL);
	retry = getKeyJsonValueFromContainer(object, "retry", 5, NULL);
	outputs = getKeyJsonValueFromContainer(object, "outputs", 7, NULL);
	if (kind != RESULTS_COMPLETED)
	{
		/* a malformed failure must neither count as a success nor be tried again */
		if (!is_or_is_not_there(message, jbvString))
			result->problem = psprintf("message of results[%d] is not text", position);
		else if (!is_or_is_not_there(detail, jbvString))
			result->problem = psprintf("detail of results[%d] is not text", position);
		else if (!is_or_is_not_there(retry, jbvBool))
			result->problem = psprintf("retry of results[%d] is not true or false", position);
		else
			result->outcome.error = failure_error(object);
	}
	result->outcome.success = result->outcome.error == NULL;
	if (result->problem != NULL)
		return;
	if (kind == RESULTS_FAILED || !result->outcome.success)
	{
		result->final = retry != NULL && retry->type == jbvBool && !retry->val.boolean;
		if (result->outcome.error == NULL)
			result->problem = psprintf("results[%d] has no text \"message\"", position);
		return;
	}
	if (outputs == NULL || outputs->type == jbvNull)
		return;
	if (outputs->type != jbvBinary ||
		!JsonContainerIsObject(outputs->val.binary.data))
		result->problem = psprintf("outputs of results[%d] is not an object", position);
	else
		result->outcome.outputs = JsonbValueToJsonb(outputs);
}

static const char *
array_name(ResultsKind kind)
{
	return kind == RESULTS_LEASES ? "leases" : "results";
}

static bool
is_or_is_not_there(JsonbValue *value, int type)
{
	return value == NULL || value->type == jbvNull || (int) value->type == type;
}

/* The string under a key, NULL if there is none. */
static char *
member_text(JsonbContainer *object, const char *name)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, name, strlen(name), NULL);

	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* False, and the result gets a problem, if the member is no uuid. */
static bool
member_uuid(JsonbContainer *object, const char *name, pg_uuid_t *id, StepResult *result,
			ResultsKind kind)
{
	char	   *text = member_text(object, name);

	if (text == NULL)
	{
		result->problem = psprintf("%s[%d] has no text \"%s\"", array_name(kind), result->position,
								   name);
		return false;
	}
	if (orch_uuid_parse(text, id))
		return true;
	result->problem = psprintf("%s of %s[%d] is not a uuid: \"%.*s\"", name,
							   array_name(kind), result->position, pg_mbcliplen(text, strlen(text), 40), text);
	return false;
}

/*
 * Message and detail of a failure as step_run.error has them; NULL without a message.
 */
static Jsonb *
failure_error(JsonbContainer *object)
{
	ErrorData	error;

	memset(&error, 0, sizeof(error));
	error.sqlerrcode = ERRCODE_ORCH_ACTION_FAILED;
	error.message = member_text(object, "message");
	error.detail = member_text(object, "detail");
	return error.message == NULL ? NULL : orch_engine_error(&error, NULL);
}

/* Why a lease on a step is no longer valid. */
const char *
orch_queue_lost_reason(RunStatus run_status, StepStatus step_status)
{
	return run_status == RUN_CANCELED ? "the run was canceled" :
		step_status == STEP_IN_PROGRESS ? "the lease was lost" :
		psprintf("the step is %s",
				 orch_transition_status_name(LEVEL_STEP, step_status));
}

/*
 * Seconds until the attempt after the n-th failure (from 0).
 */
static double
retry_delay(const Action *action, int failures)
{
	double		delay = action->retry_delay;

	while (failures-- > 0 && delay < action->retry_max_delay)
		delay *= action->retry_backoff;
	delay = Min(delay, action->retry_max_delay);
	return delay * (1 + action->retry_jitter * (2 * pg_prng_double(&pg_global_prng_state) - 1));
}

void
orch_queue_result_of(const ClaimedStep *step, StepResult *result)
{
	memset(result, 0, sizeof(StepResult));
	result->known = true;
	result->run_id = step->run_id;
	result->step_id = step->step_id;
	result->lease_id = step->lease_id;
}

void
orch_queue_take_result(StepResult *result, bool wait)
{
	result->context = CurrentMemoryContext;
	if (!result->known)
	{
		result->reason = "there is no such step";
		return;
	}
	if (!wait)
	{
		Datum		value = UUIDPGetDatum(&result->run_id);
		bool		locked;

		orch_spi_connect();
		orch_plan_execute_latest(&plan_try_run, &value, NULL, 1);
		locked = SPI_processed > 0;
		SPI_finish();
		if (!locked)
		{
			result->reason = "the run is locked";
			return;
		}
	}
	take_sorted(result, 1);
}

/*
 * Take in outcomes in the order of their runs' ids; those of one run stay in the
 * caller's order.
 */
static void
take_sorted(StepResult *results, int nresults)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "orchestration results",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	EngineBatch *batch = nresults > 1 ? orch_engine_batch_begin() : NULL;
	pg_uuid_t  *ids = palloc(sizeof(pg_uuid_t) * nresults);
	StepResult **taken = palloc(sizeof(StepResult *) * nresults);
	int			ntaken = 0;
	int			nruns = 0;
	int			i;

	for (i = 0; i < nresults; i++)
		if (results[i].known &&
			(nruns == 0 || !orch_uuid_equal(&ids[nruns - 1], &results[i].run_id)))
			ids[nruns++] = results[i].run_id;
	if (batch != NULL)
		orch_engine_load_runs(ids, nruns);
	else
	{
		orch_spi_connect();
		(void) orch_lock_runs(ids, nruns);
		SPI_finish();
	}
	judge_results(results, nresults, taken, &ntaken);
	unqueue(taken, ntaken);
	for (i = 0; i < ntaken; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (taken[i]->reason != NULL)
			continue;
		orch_count(taken[i]->outcome.success ? COUNTER_STEPS_COMPLETED :
						  COUNTER_STEPS_FAILED);
		orch_engine_end_step(&taken[i]->run_id, &taken[i]->step_id, &taken[i]->outcome);
		taken[i]->accepted = true;
	}
	orch_engine_batch_end(batch);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* Runs, steps and leases of results as parameters: arrays, for one result scalars. */
static void
result_ids(StepResult **results, int nresults, Datum *values)
{
	pg_uuid_t  *ids;
	int			i;

	if (nresults == 1)
	{
		values[0] = UUIDPGetDatum(&results[0]->run_id);
		values[1] = UUIDPGetDatum(&results[0]->step_id);
		values[2] = UUIDPGetDatum(&results[0]->lease_id);
		return;
	}
	ids = palloc(sizeof(pg_uuid_t) * nresults);
	for (i = 0; i < nresults; i++)
		ids[i] = results[i]->run_id;
	values[0] = PointerGetDatum(orch_uuid_array(ids, nresults));
	for (i = 0; i < nresults; i++)
		ids[i] = results[i]->step_id;
	values[1] = PointerGetDatum(orch_uuid_array(ids, nresults));
	for (i = 0; i < nresults; i++)
		ids[i] = results[i]->lease_id;
	values[2] = PointerGetDatum(orch_uuid_array(ids, nresults));
	pfree(ids);
}

/*
 * Judge each result, and collect in taken those that the engine is to take in.  The runs
 * are locked.
 */
static void
judge_results(StepResult *results, int nresults, StepResult **taken, int *ntaken)
{
	StepResult **known = palloc(sizeof(StepResult *) * nresults);
	int			nknown = 0;
	Datum		values[3];
	SPITupleTable *table;
	int			i;
	int			j;
	uint64		n;

	for (i = 0; i < nresults; i++)
	{
		results[i].outcome.lease_id = &results[i].lease_id;
		if (results[i].known)
			known[nknown++] = &results[i];
		results[i].reason = results[i].problem != NULL ? results[i].problem :
			"there is no such step";
	}
	if (nknown == 0)
		return;
	result_ids(known, nknown, values);
	orch_spi_connect();
	orch_plan_execute_latest(nknown == 1 ? &plan_read_step : &plan_read_steps, values, NULL, 0);
	table = SPI_tuptable;
	for (n = 0; n < table->numvals; n++)
	{
		bool		isnull;
		int			number = DatumGetInt64(SPI_getbinval(table->vals[n], table->tupdesc, 11, &isnull));
		StepResult *result = known[number - 1];
		bool		again = false;

		CHECK_FOR_INTERRUPTS();
		/* an earlier result of the same step decides */
		for (j = 0; j < *ntaken && !again; j++)
			if (orch_uuid_equal(&taken[j]->step_id, &result->step_id))
			{
				again = true;
				result->reason = NULL;
				if (taken[j]->outcome.success != result->outcome.success ||
					!orch_uuid_equal(&taken[j]->lease_id, &result->lease_id))
					result->reason = taken[j]->outcome.success ?
						"the step is Completed" : "the step is Error";
				else if (!same_outputs(taken[j]->outcome.outputs, result->outcome.outputs))
					result->reason = OTHER_OUTPUTS;
				result->accepted = result->reason == NULL;
			}
		if (!again && judge(result, table->vals[n], table->tupdesc))
			taken[(*ntaken)++] = result;
	}
	SPI_finish();
}

/*
 * Are these the same outputs?  None are the same as an empty object.
 */
static bool
same_outputs(Jsonb *left, Jsonb *right)
{
	if (left != NULL && JB_ROOT_COUNT(left) == 0)
		left = NULL;
	if (right != NULL && JB_ROOT_COUNT(right) == 0)
		right = NULL;
	if (left == NULL || right == NULL)
		return left == right;
	return compareJsonbContainers(&left->root, &right->root) == 0;
}

/*
 * Is the engine to take the result in?  If not, the result is accepted without it or has a
 * reason.
 */
static bool
judge(StepResult *result, HeapTuple tuple, TupleDesc desc)
{
	Datum		values[7];
	bool		isnull;
	bool		no_lease;
	StepStatus	step_status;
	RunStatus	run_status;
	Datum		lease;
	MemoryContext old;

	result->reason = NULL;
	step_status = (StepStatus) orch_catalog_label_column(ENUM_STEP_STATUS, tuple, desc, 1);
	run_status = (RunStatus) orch_catalog_label_column(ENUM_RUN_STATUS, tuple, desc, 12);
	values[0] = SPI_getbinval(tuple, desc, 14, &isnull);
	if (!isnull)
	{
		result->run_as = *DatumGetUUIDP(values[0]);
		result->outcome.run_as = &result->run_as;
	}

	/* the same result again: neither another outcome nor a lease from before a resume */
	lease = SPI_getbinval(tuple, desc, 2, &isnull);
	if (!isnull && orch_uuid_equal(DatumGetUUIDP(lease), &result->lease_id) &&
		(strcmp(SPI_getvalue(tuple, desc, 4),
				result->outcome.success ? "Completed" : "Error") == 0))
	{
		values[0] = SPI_getbinval(tuple, desc, 13, &isnull);
		if (result->outcome.success &&
			!same_outputs(isnull ? NULL : DatumGetJsonbP(values[0]), result->outcome.outputs))
			result->reason = OTHER_OUTPUTS;
		result->accepted = result->reason == NULL;
		return false;
	}
	/* the same failure again, after which the step was queued for a retry */
	if (DatumGetBool(SPI_getbinval(tuple, desc, 10, &isnull)) && !result->outcome.success)
	{
		result->accepted = true;
		return false;
	}
	lease = SPI_getbinval(tuple, desc, 3, &no_lease);
	if (no_lease || !orch_uuid_equal(DatumGetUUIDP(lease), &result->lease_id))
	{
		old = MemoryContextSwitchTo(result->context);
		result->reason = orch_queue_lost_reason(run_status, step_status);
		MemoryContextSwitchTo(old);
		return false;
	}
	if (!result->outcome.success && !result->final && step_status == STEP_IN_PROGRESS)
	{
		int			failures = DatumGetInt32(SPI_getbinval(tuple, desc, 6, &isnull));
		const Action *action = orch_action_find(SPI_getvalue(tuple, desc, 5));

		if (action != NULL && failures + 1 < action->max_attempts)
		{
			values[0] = UUIDPGetDatum(&result->run_id);
			values[1] = UUIDPGetDatum(&result->step_id);
			values[2] = UUIDPGetDatum(&result->lease_id);
			values[3] = SPI_getbinval(tuple, desc, 7, &isnull);
			values[4] = SPI_getbinval(tuple, desc, 8, &isnull);
			values[5] = SPI_getbinval(tuple, desc, 9, &isnull);
			values[6] = JsonbPGetDatum(result->outcome.error);
			orch_plan_execute_latest(&plan_record_failure, values, NULL, 0);
			values[3] = Float8GetDatum(retry_delay(action, failures));
			orch_plan_execute_latest(&plan_retry, values, NULL, 0);
			if (SPI_processed > 0)
				orch_notify_queued(SPI_getvalue(SPI_tuptable->vals[0],
												SPI_tuptable->tupdesc, 1));
			orch_count(COUNTER_STEPS_RETRIED);
			result->accepted = true;
			old = MemoryContextSwitchTo(result->context);
			result->reason = psprintf("to be tried again, attempt %d of %d failed",
									  failures + 1, action->max_attempts);
			MemoryContextSwitchTo(old);
			return false;
		}
	}
	return true;
}

/*
 * Take the steps of these results out of the queue.  A step that another session claimed in
 * the meantime stays, and its result gets a reason.
 */
static void
unqueue(StepResult **results, int nresults)
{
	Datum		values[3];
	SPITupleTable *table;
	uint64		n;
	int			i;

	if (nresults == 0)
		return;
	result_ids(results, nresults, values);
	for (i = 0; i < nresults; i++)
		results[i]->reason = "the lease was lost";
	orch_spi_connect();
	orch_plan_execute_latest(nresults == 1 ? &plan_unqueue : &plan_unqueue_all, values, NULL, 0);
	table = SPI_tuptable;
	for (n = 0; n < table->numvals; n++)
	{
		bool		isnull;

		results[DatumGetInt64(SPI_getbinval(table->vals[n], table->tupdesc, 1, &isnull)) - 1]->reason = NULL;
	}
	SPI_finish();
}
