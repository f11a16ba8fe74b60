/*-------------------------------------------------------------------------
 *
 * queue.c
 *	  Asynchronous steps: what workers call, and what becomes of what they did.
 *
 * How steps are handed out is in queue_claim.c.  An outcome must name the lease: when it expired and somebody else claimed the
 * step, or the run was canceled, the outcome is refused.  Outcomes take the lock
 * on their runs in the order of run ids, as everybody does.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/queue.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "action.h"
#include "catalog.h"
#include "engine_int.h"
#include "errors.h"
#include "frame.h"
#include "principal.h"
#include "queue.h"
#include "system.h"
#include "transition.h"
#include "uuid.h"
#include "worker.h"

#define MAX_CLAIM	10000

/*
 * For run_queued_functions(), which carries out what it claims in the same
 * transaction: it takes the run together with the step, and neither waits, so
 * that it keeps to the lock order without stopping for anybody.
 */
static StaticPlan plan_claim_function = {
	"WITH ready AS MATERIALIZED ("
	"  SELECT q.run_id, q.step_run_id FROM orchestration.step_queue q"
	"    JOIN orchestration.run r ON r.id = q.run_id"
	"   WHERE q.topic = '' AND q.available_at <= $2"
	"     AND (q.leased_until IS NULL OR q.leased_until <= $2)"
	"   ORDER BY q.available_at FOR UPDATE OF q SKIP LOCKED"
	"   FOR NO KEY UPDATE OF r SKIP LOCKED LIMIT 1)"
	" UPDATE orchestration.step_queue q SET lease_id = orchestration.new_id(),"
	"        worker = $1, attempt = q.attempt + 1, claimed_at = $2,"
	"        leased_until = $2 + '1 day'"
	"   FROM ready r"
	"  WHERE q.run_id = r.run_id AND q.step_run_id = r.step_run_id"
	" RETURNING q.run_id, q.step_run_id, q.lease_id, q.action, q.inputs, q.run_as",
	2, {TEXTOID, TIMESTAMPTZOID}
};
static StaticPlan plan_run_of = {
	"SELECT run_id FROM orchestration.step_run WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_lock_run = {
	"SELECT status FROM orchestration.run WHERE id = $1 FOR NO KEY UPDATE",
	1, {UUIDOID}
};
static StaticPlan plan_read_step = {
	"SELECT s.status, s.lease_id, q.lease_id,"
	" COALESCE(s.pending ->> 'outcome', s.status::pg_catalog.text),"
	" q.action, q.failures, q.attempt, q.worker, q.claimed_at,"
	" EXISTS (SELECT FROM orchestration.step_attempt a WHERE a.run_id = s.run_id"
	"         AND a.step_run_id = s.id AND a.lease_id = $3)"
	" FROM orchestration.step_run s LEFT JOIN orchestration.step_queue q"
	"   ON q.run_id = s.run_id AND q.step_run_id = s.id"
	" WHERE s.run_id = $1 AND s.id = $2",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_try_run = {
	"SELECT status FROM orchestration.run WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED",
	1, {UUIDOID}
};
static StaticPlan plan_retry = {
	"UPDATE orchestration.step_queue SET lease_id = NULL, leased_until = NULL,"
	" claimed_at = NULL, worker = NULL, failures = failures + 1,"
	" available_at = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4)"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3",
	4, {UUIDOID, UUIDOID, UUIDOID, FLOAT8OID}
};
static StaticPlan plan_record_failure = {
	"INSERT INTO orchestration.step_attempt (run_id, step_run_id, lease_id, attempt,"
	" worker, outcome, claimed_at, error) VALUES ($1, $2, $3, $4, $5, 'Failed', $6, $7)",
	7, {UUIDOID, UUIDOID, UUIDOID, INT4OID, TEXTOID, TIMESTAMPTZOID, JSONBOID}
};
static StaticPlan plan_extend = {
	"UPDATE orchestration.step_queue SET leased_until ="
	" LEAST(pg_catalog.clock_timestamp() + $3, claimed_at + timeout)"
	" WHERE step_run_id = $1 AND lease_id = $2 AND run_id = $4"
	"   AND available_at < 'infinity'"
	" RETURNING leased_until",
	4, {UUIDOID, UUIDOID, INTERVALOID, UUIDOID}
};

/* nothing is deleted when somebody claims the step in this very moment */
static StaticPlan plan_unqueue = {
	"DELETE FROM orchestration.step_queue"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3",
	3, {UUIDOID, UUIDOID, UUIDOID}
};

/* What the objects of an array are. */
typedef enum ResultsKind
{
	RESULTS_COMPLETED,
	RESULTS_FAILED,
	RESULTS_ANY,				/* failed are those with a message */
	RESULTS_LEASES				/* no results: extend_leases() */
} ResultsKind;

static List *claim_arguments(FunctionCallInfo fcinfo, int first, char **worker,
							 int *max_steps, Interval **lease);
static Interval *lease_argument(FunctionCallInfo fcinfo, int argno);
static void put_claimed(ReturnSetInfo *rsinfo, List *claimed, int nresult_columns);
static const char *why_lost(const pg_uuid_t *run_id, const pg_uuid_t *step_id);
static const char *lost_reason(RunStatus run_status, StepStatus step_status);
static double retry_delay(const Action *action, int failures);
static Datum take_results(FunctionCallInfo fcinfo, ResultsKind kind);
static StepResult *read_results(Jsonb *results, ResultsKind kind, int *nresults);
static pg_uuid_t *member_uuid(JsonbContainer *object, const char *name,
							  int position);
static Jsonb *failure_error(JsonbContainer *object);
static int	compare_results(const void *a, const void *b);

/* Arguments that all claims have, from the n-th on; raises for what is not good. */
static List *
claim_arguments(FunctionCallInfo fcinfo, int first, char **worker, int *max_steps,
				Interval **lease)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			i;
	List	   *topics = NIL;

	for (i = first; i < first + 4; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("worker, topics, max_steps and lease must not be null")));
	*worker = text_to_cstring(PG_GETARG_TEXT_PP(first));
	if ((*worker)[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a worker needs a name")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(first + 1), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		char	   *topic;
		ListCell   *cell;
		bool		twice = false;

		if (nulls[i] || VARSIZE_ANY_EXHDR(DatumGetTextPP(elements[i])) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a topic must not be empty or null")));
		topic = TextDatumGetCString(elements[i]);
		foreach(cell, topics)
			twice |= strcmp(lfirst(cell), topic) == 0;
		if (!twice)
			topics = lappend(topics, topic);
	}
	*max_steps = PG_GETARG_INT32(first + 2);
	if (*max_steps < 1 || *max_steps > MAX_CLAIM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_steps must be 1 to %d", MAX_CLAIM)));
	*lease = lease_argument(fcinfo, first + 3);
	return topics;
}

static Interval *
lease_argument(FunctionCallInfo fcinfo, int argno)
{
	Interval   *lease = PG_GETARG_INTERVAL_P(argno);

	if (lease->month < 0 || lease->day < 0 || lease->time < 0 ||
		(lease->month == 0 && lease->day == 0 && lease->time == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a lease must be positive")));
	return lease;
}

PG_FUNCTION_INFO_V1(orchestration_claim_steps);

/*
 * orchestration.claim_steps(worker text, topics text[], max_steps integer,
 *		lease interval) returns table (run_id uuid, step_id uuid, lease_id uuid,
 *		topic text, action text, step_name text, inputs jsonb, attempt integer,
 *		lease_until timestamptz, run_as uuid)
 *
 * Hands up to max_steps ready steps of the topics to a worker, for the time of the
 * lease (after it they can be claimed again): of each orchestration in its turn the
 * oldest.  run_as is the user as whom the action should run.  Raises 22004 for
 * null, 22023 for an empty worker or topic, for max_steps outside 1 to 10000 and a
 * lease that is not positive.
 */
Datum
orchestration_claim_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	char	   *worker;
	int			max_steps;
	Interval   *lease;
	List	   *topics = claim_arguments(fcinfo, 0, &worker, &max_steps, &lease);
	List	   *claimed;

	InitMaterializedSRF(fcinfo, 0);
	orch_system_enter(&saved);
	claimed = orch_queue_claim(topics, worker, max_steps, lease);
	orch_system_leave(&saved);
	put_claimed(rsinfo, claimed, 0);
	return (Datum) 0;
}

/*
 * Rows of claimed steps; the columns of results before them are null.
 */
static void
put_claimed(ReturnSetInfo *rsinfo, List *claimed, int nresult_columns)
{
	ListCell   *cell;

	foreach(cell, claimed)
	{
		const ClaimedStep *step = lfirst(cell);
		Datum		values[12];
		bool		nulls[12] = {false};
		Datum	   *column = values + nresult_columns;
		int			i;

		for (i = 0; i < nresult_columns; i++)
			nulls[i] = true;
		*column++ = UUIDPGetDatum(&step->run_id);
		if (nresult_columns > 0)
		{
			/* the id of the step is the first column there */
			values[0] = UUIDPGetDatum(&step->step_id);
			nulls[0] = false;
		}
		else
			*column++ = UUIDPGetDatum(&step->step_id);
		*column++ = UUIDPGetDatum(&step->lease_id);
		*column++ = CStringGetTextDatum(step->topic);
		*column++ = CStringGetTextDatum(step->action);
		*column++ = CStringGetTextDatum(step->step_name);
		*column++ = JsonbPGetDatum(step->inputs);
		*column++ = Int32GetDatum(step->attempt);
		*column++ = TimestampTzGetDatum(step->lease_until);
		*column = UUIDPGetDatum(&step->run_as);
		nulls[column - values] = !step->has_run_as;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(orchestration_complete_and_claim);

/*
 * orchestration.complete_and_claim(results jsonb, worker text, topics text[],
 *		max_steps integer, lease interval) returns table (step_id uuid,
 *		accepted boolean, reason text, run_id uuid, lease_id uuid, topic text,
 *		action text, step_name text, inputs jsonb, attempt integer,
 *		lease_until timestamptz, run_as uuid)
 *
 * complete_steps(), or fail_steps() for the results that have a message, and then
 * claim_steps(), in one call.  First one row a result, in order, with accepted and
 * reason; then one row a claimed step, in which accepted is null.  Raises what
 * these raise.
 */
Datum
orchestration_complete_and_claim(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	char	   *worker;
	int			max_steps;
	Interval   *lease;
	List	   *topics;
	List	   *claimed;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("results must not be null")));
	topics = claim_arguments(fcinfo, 1, &worker, &max_steps, &lease);
	(void) take_results(fcinfo, RESULTS_ANY);
	orch_system_enter(&saved);
	claimed = orch_queue_claim(topics, worker, max_steps, lease);
	orch_system_leave(&saved);
	put_claimed(rsinfo, claimed, 3);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_extend_leases);

/*
 * orchestration.extend_leases(leases jsonb, lease interval) returns table
 *		(step_id uuid, held boolean, reason text, lease_until timestamptz)
 *
 * A worker's heartbeat: makes its leases, an array of objects with step_id and
 * lease_id, last for that time from now; not beyond the timeout of the action.  One
 * row a lease, in order: held, or why not, and then the worker should stop: the run
 * was canceled, the lease was lost, the step ended otherwise.  Raises 22004 for
 * null, 22023 for a lease that is not positive, OR306 for leases of another shape.
 */
Datum
orchestration_extend_leases(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	Interval   *lease;
	StepResult *results;
	int			nresults;
	int			i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("leases and lease must not be null")));
	lease = lease_argument(fcinfo, 1);
	results = read_results(PG_GETARG_JSONB_P(0), RESULTS_LEASES, &nresults);
	InitMaterializedSRF(fcinfo, 0);
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (i = 0; i < nresults; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};
		bool		isnull;
		TimestampTz until = 0;
		const char *reason = NULL;

		CHECK_FOR_INTERRUPTS();
		values[0] = UUIDPGetDatum(&results[i].step_id);
		values[1] = UUIDPGetDatum(&results[i].lease_id);
		values[2] = IntervalPGetDatum(lease);
		orch_plan_execute(&plan_run_of, values, NULL, false, 1);
		if (SPI_processed == 0)
			reason = "there is no such step";
		else
		{
			values[3] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
			orch_plan_execute(&plan_extend, values, NULL, false, 1);
			if (SPI_processed > 0)
				until = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0],
														  SPI_tuptable->tupdesc, 1, &isnull));
			else
				reason = why_lost(DatumGetUUIDP(values[3]), &results[i].step_id);
		}
		values[1] = BoolGetDatum(reason == NULL);
		nulls[2] = reason == NULL;
		if (reason != NULL)
			values[2] = CStringGetTextDatum(reason);
		nulls[3] = reason != NULL;
		values[3] = TimestampTzGetDatum(until);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
	orch_system_leave(&saved);
	return (Datum) 0;
}

/* Why somebody has no lease on a step any more. */
static const char *
why_lost(const pg_uuid_t *run_id, const pg_uuid_t *step_id)
{
	static StaticPlan plan = {
		"SELECT r.status, s.status FROM orchestration.run r"
		" JOIN orchestration.step_run s ON s.run_id = r.id"
		" WHERE r.id = $1 AND s.id = $2",
		2, {UUIDOID, UUIDOID}
	};
	Datum		values[2];
	bool		isnull;
	RunStatus	run_status;
	StepStatus	step_status;

	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(step_id);
	orch_plan_execute(&plan, values, NULL, false, 1);
	if (SPI_processed == 0)
		return "there is no such step";
	run_status = (RunStatus)
		orch_catalog_label_value(ENUM_RUN_STATUS,
								 DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
																SPI_tuptable->tupdesc, 1, &isnull)));
	step_status = (StepStatus)
		orch_catalog_label_value(ENUM_STEP_STATUS,
								 DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
																SPI_tuptable->tupdesc, 2, &isnull)));
	return lost_reason(run_status, step_status);
}

static const char *
lost_reason(RunStatus run_status, StepStatus step_status)
{
	return run_status == RUN_CANCELED ? "the run was canceled" :
		step_status == STEP_IN_PROGRESS ? "the lease was lost" :
		psprintf("the step is %s",
				 orch_transition_status_name(LEVEL_STEP, step_status));
}

PG_FUNCTION_INFO_V1(orchestration_complete_steps);

/*
 * orchestration.complete_steps(results jsonb) returns table (step_id uuid,
 *		accepted boolean, reason text)
 *
 * Takes in what workers finished: an array of objects with step_id, lease_id and
 * outputs (an object, or absent).  Completes each step and moves its run; while
 * the run is Suspended or in Error the outcome is kept as pending.  One row a
 * result, in order: accepted, or why not (the lease was lost, the run was
 * canceled, ...).  The same result again is accepted again and does nothing.
 * Raises 22004 for null, OR306 for results of another shape.
 */
Datum
orchestration_complete_steps(PG_FUNCTION_ARGS)
{
	return take_results(fcinfo, RESULTS_COMPLETED);
}

PG_FUNCTION_INFO_V1(orchestration_fail_steps);

/*
 * orchestration.fail_steps(results jsonb) returns table (step_id uuid,
 *		accepted boolean, reason text)
 *
 * Takes in what workers could not do: an array of objects with step_id, lease_id,
 * message and optionally detail and retry.  Where the action's retry policy allows
 * it the step is queued again for later; else, or with "retry": false, it fails, and
 * the run with it, recoverable, unless the stage has a fault path.  Otherwise as
 * complete_steps().
 */
Datum
orchestration_fail_steps(PG_FUNCTION_ARGS)
{
	return take_results(fcinfo, RESULTS_FAILED);
}

static Datum
take_results(FunctionCallInfo fcinfo, ResultsKind kind)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	Frame	   *frame;
	StepResult	   *results;
	int			nresults;
	int			i;
	int			j;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("results must not be null")));
	results = read_results(PG_GETARG_JSONB_P(0), kind, &nresults);
	InitMaterializedSRF(fcinfo, 0);

	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (i = 0; i < nresults; i++)
	{
		Datum		value = UUIDPGetDatum(&results[i].step_id);
		bool		isnull;

		orch_plan_execute_latest(&plan_run_of, &value, NULL, 1);
		results[i].known = SPI_processed > 0;
		if (results[i].known)
			results[i].run_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
															 SPI_tuptable->tupdesc, 1, &isnull));
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_finish();
	qsort(results, nresults, sizeof(StepResult), compare_results);
	for (i = 0; i < nresults; i++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(caller);
		orch_queue_take_result(&results[i], true);
	}
	orch_system_leave(&saved);
	orch_frame_pop(frame);

	for (i = 0; i < nresults; i++)
		for (j = 0; j < nresults; j++)
			if (results[j].position == i)
			{
				Datum		values[12];
				bool		nulls[12];

				memset(nulls, true, sizeof(nulls));
				nulls[0] = nulls[1] = false;
				values[0] = UUIDPGetDatum(&results[j].step_id);
				values[1] = BoolGetDatum(results[j].accepted);
				nulls[2] = results[j].reason == NULL;
				if (!nulls[2])
					values[2] = CStringGetTextDatum(results[j].reason);
				tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
			}
	return (Datum) 0;
}

/*
 * Runs in the order of their ids, results of one run in the caller's.
 */
static int
compare_results(const void *a, const void *b)
{
	const StepResult *left = (const StepResult *) a;
	const StepResult *right = (const StepResult *) b;
	int			result = orch_uuid_compare(&left->run_id, &right->run_id);

	return result != 0 ? result : left->position - right->position;
}

/*
 * The caller's array.
 */
static StepResult *
read_results(Jsonb *jsonb, ResultsKind kind, int *nresults)
{
	StepResult	   *results;
	int			n;
	int			i;

	if (!JB_ROOT_IS_ARRAY(jsonb) || JB_ROOT_IS_SCALAR(jsonb))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("results must be a JSON array of objects")));
	n = JB_ROOT_COUNT(jsonb);
	if (n > MAX_CLAIM)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("results must not have more than %d members", MAX_CLAIM)));
	results = palloc0(Max(n, 1) * sizeof(StepResult));
	for (i = 0; i < n; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&jsonb->root, i);
		JsonbContainer *object;
		JsonbValue	key;
		JsonbValue *outputs;

		if (element->type != jbvBinary ||
			!JsonContainerIsObject(element->val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("results[%d] is not an object", i)));
		object = element->val.binary.data;
		results[i].position = i;
		results[i].step_id = *member_uuid(object, "step_id", i);
		results[i].lease_id = *member_uuid(object, "lease_id", i);
		if (kind == RESULTS_LEASES)
			continue;
		if (kind != RESULTS_COMPLETED)
			results[i].outcome.error = failure_error(object);
		results[i].outcome.success = results[i].outcome.error == NULL;
		if (kind == RESULTS_FAILED || !results[i].outcome.success)
		{
			JsonbValue *retry = getKeyJsonValueFromContainer(object, "retry", 5, NULL);

			results[i].final = retry != NULL && retry->type == jbvBool && !retry->val.boolean;
			if (results[i].outcome.error == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_INVALID_INPUT),
						 errmsg("results[%d] has no text \"message\"", i)));
			continue;
		}
		key.type = jbvString;
		key.val.string.val = "outputs";
		key.val.string.len = strlen("outputs");
		outputs = findJsonbValueFromContainer(object, JB_FOBJECT, &key);
		if (outputs == NULL || outputs->type == jbvNull)
			continue;
		if (outputs->type != jbvBinary ||
			!JsonContainerIsObject(outputs->val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("outputs of results[%d] is not an object", i)));
		results[i].outcome.outputs = JsonbValueToJsonb(outputs);
	}
	*nresults = n;
	return results;
}

static pg_uuid_t *
member_uuid(JsonbContainer *object, const char *name, int position)
{
	JsonbValue	key;
	JsonbValue *value;

	key.type = jbvString;
	key.val.string.val = (char *) name;
	key.val.string.len = strlen(name);
	value = findJsonbValueFromContainer(object, JB_FOBJECT, &key);
	if (value == NULL || value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("results[%d] has no text \"%s\"", position, name)));
	return DatumGetUUIDP(DirectFunctionCall1(uuid_in,
											 CStringGetDatum(pnstrdup(value->val.string.val,
																	  value->val.string.len))));
}

/*
 * message and detail of a failure as step_run.error keeps them; NULL without a
 * message.
 */
static Jsonb *
failure_error(JsonbContainer *object)
{
	static const char *const names[2] = {"message", "detail"};
	ErrorData	error;
	int			i;

	memset(&error, 0, sizeof(error));
	error.sqlerrcode = ERRCODE_ORCH_ACTION_FAILED;
	for (i = 0; i < 2; i++)
	{
		JsonbValue	key;
		JsonbValue *value;

		key.type = jbvString;
		key.val.string.val = (char *) names[i];
		key.val.string.len = strlen(names[i]);
		value = findJsonbValueFromContainer(object, JB_FOBJECT, &key);
		if (value == NULL || value->type != jbvString)
			continue;
		if (i == 0)
			error.message = pnstrdup(value->val.string.val, value->val.string.len);
		else
			error.detail = pnstrdup(value->val.string.val, value->val.string.len);
	}
	return error.message == NULL ? NULL : orch_engine_error(&error, NULL);
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

/*
 * Take in one outcome.
 */
void
orch_queue_take_result(StepResult *result, bool wait)
{
	Datum		values[7];
	bool		isnull;
	bool		no_lease;
	bool		failed_before;
	const Action *action;
	RunStatus	run_status;
	StepStatus	step_status;
	HeapTuple	tuple;
	TupleDesc	desc;
	Datum		lease;

	result->outcome.lease_id = &result->lease_id;
	if (!result->known)
	{
		result->reason = "there is no such step";
		return;
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	values[0] = UUIDPGetDatum(&result->run_id);
	values[1] = UUIDPGetDatum(&result->step_id);
	values[2] = UUIDPGetDatum(&result->lease_id);
	orch_plan_execute_latest(wait ? &plan_lock_run : &plan_try_run, values, NULL, 1);
	if (SPI_processed == 0)
		goto gone;
	run_status = (RunStatus)
		orch_catalog_label_value(ENUM_RUN_STATUS,
								 DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
																SPI_tuptable->tupdesc, 1, &isnull)));
	orch_plan_execute_latest(&plan_read_step, values, NULL, 1);
	if (SPI_processed == 0)
		goto gone;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	step_status = (StepStatus)
		orch_catalog_label_value(ENUM_STEP_STATUS,
								 DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull)));

	/* the same result again; not another one, nor one from before a resume */
	lease = SPI_getbinval(tuple, desc, 2, &isnull);
	if (!isnull && orch_uuid_equal(DatumGetUUIDP(lease), &result->lease_id) &&
		(strcmp(SPI_getvalue(tuple, desc, 4),
				result->outcome.success ? "Completed" : "Error") == 0))
	{
		result->accepted = true;
		goto done;
	}
	failed_before = DatumGetBool(SPI_getbinval(tuple, desc, 10, &isnull));
	if (failed_before && !result->outcome.success)
	{
		result->accepted = true;
		goto done;
	}
	lease = SPI_getbinval(tuple, desc, 3, &no_lease);
	if (no_lease || !orch_uuid_equal(DatumGetUUIDP(lease), &result->lease_id))
	{
		result->reason = lost_reason(run_status, step_status);
		goto done;
	}
	if (!result->outcome.success && !result->final && step_status == STEP_IN_PROGRESS)
	{
		int			failures = DatumGetInt32(SPI_getbinval(tuple, desc, 6, &isnull));

		action = orch_action_find(SPI_getvalue(tuple, desc, 5));
		if (action != NULL && failures + 1 < action->max_attempts)
		{
			values[3] = SPI_getbinval(tuple, desc, 7, &isnull);
			values[4] = SPI_getbinval(tuple, desc, 8, &isnull);
			values[5] = SPI_getbinval(tuple, desc, 9, &isnull);
			values[6] = JsonbPGetDatum(result->outcome.error);
			orch_plan_execute_latest(&plan_record_failure, values, NULL, 0);
			values[3] = Float8GetDatum(retry_delay(action, failures));
			orch_plan_execute_latest(&plan_retry, values, NULL, 0);
			orch_worker_count(COUNTER_STEPS_RETRIED);
			result->accepted = true;
			result->reason = psprintf("to be tried again, attempt %d of %d failed",
									  failures + 1, action->max_attempts);
			goto done;
		}
	}
	orch_plan_execute_latest(&plan_unqueue, values, NULL, 0);
	if (SPI_processed == 0)
	{
		result->reason = "the lease was lost";
		goto done;
	}
	orch_worker_count(result->outcome.success ? COUNTER_STEPS_COMPLETED :
					  COUNTER_STEPS_FAILED);
	if (run_status == RUN_IN_PROGRESS && step_status == STEP_IN_PROGRESS)
		orch_engine_end_step(&result->run_id, &result->step_id, &result->outcome);
	else
		orch_engine_keep_outcome(&result->run_id, &result->step_id, &result->outcome);
	result->accepted = true;
	goto done;

gone:
	result->reason = wait ? "there is no such step" : "the run is locked";
done:
	SPI_finish();
}

/*
 * Carry out a function action by its name.
 */
Jsonb *
orch_queue_call(const char *name, Jsonb *inputs, const pg_uuid_t *run_as)
{
	const Action *action = orch_action_find(name);

	if (action == NULL || action->kind != ACTION_FUNCTION)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_ACTION),
				 errmsg("action \"%s\" is not registered as a function", name),
				 errhint("Register it with orchestration.register_action() and resume the run.")));
	return orch_action_call(action, inputs, run_as);
}

PG_FUNCTION_INFO_V1(orchestration_run_queued_functions);

/*
 * orchestration.run_queued_functions(max_steps integer) returns integer
 *
 * Carries out asynchronous steps whose action is a function in the database, up
 * to max_steps of those that nobody else is carrying out, in this transaction;
 * returns how many.  A failing function undoes only its own writes and fails its
 * step.  Raises 22004 for null, 22023 for max_steps outside 1 to 10000.
 */
Datum
orchestration_run_queued_functions(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	Frame	   *frame;
	int			done;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("max_steps must not be null")));
	if (PG_GETARG_INT32(0) < 1 || PG_GETARG_INT32(0) > MAX_CLAIM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_steps must be 1 to %d", MAX_CLAIM)));
	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_system_enter(&saved);
	for (done = 0; done < PG_GETARG_INT32(0); done++)
	{
		StepResult		result;
		ErrorData  *volatile error = NULL;
		Jsonb	   *volatile outputs = NULL;
		Jsonb	   *inputs;
		char	   *action_name;
		Datum		values[2];
		Datum		run_as_value;
		pg_uuid_t	run_as;
		bool		has_run_as;
		bool		isnull;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(caller);
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		values[0] = CStringGetTextDatum("run_queued_functions()");
		values[1] = TimestampTzGetDatum(GetCurrentTimestamp());
		orch_plan_execute(&plan_claim_function, values, NULL, false, 0);
		if (SPI_processed == 0)
		{
			SPI_finish();
			break;
		}
		memset(&result, 0, sizeof(result));
		result.known = true;
		result.run_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
													 SPI_tuptable->tupdesc, 1, &isnull));
		result.step_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
													  SPI_tuptable->tupdesc, 2, &isnull));
		result.lease_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
													   SPI_tuptable->tupdesc, 3, &isnull));
		run_as_value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 6, &isnull);
		has_run_as = !isnull;
		if (has_run_as)
			run_as = *DatumGetUUIDP(run_as_value);
		old = MemoryContextSwitchTo(caller);
		action_name = pstrdup(SPI_getvalue(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 4));
		inputs = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 5, &isnull));
		MemoryContextSwitchTo(old);
		SPI_finish();

		ORCH_ENGINE_TRY(NULL);
		{
			outputs = orch_queue_call(action_name, inputs, has_run_as ? &run_as : NULL);
		}
		ORCH_ENGINE_CATCH(error);
		result.outcome.success = error == NULL;
		result.outcome.outputs = outputs;
		if (error != NULL)
			result.outcome.error = orch_engine_error(error, NULL);
		orch_queue_take_result(&result, true);
	}
	MemoryContextSwitchTo(caller);
	orch_system_leave(&saved);
	orch_frame_pop(frame);
	PG_RETURN_INT32(done);
}
