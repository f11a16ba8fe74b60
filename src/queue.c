/*-------------------------------------------------------------------------
 *
 * queue.c
 *	  Asynchronous steps: claim, complete, fail, and functions run from the queue.
 *
 * A claim takes rows of the narrow step_queue with SKIP LOCKED and gives them a
 * lease; it locks no run, so that workers never wait for each other or for a run.
 * An outcome must name the lease: when it expired and somebody else claimed the
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
#include "system.h"
#include "transition.h"
#include "uuid.h"

#define MAX_CLAIM	10000

/* what claims ask for that run_queued_functions() makes */
#define FUNCTION_TOPIC ""

typedef struct StepResult
{
	pg_uuid_t	run_id;			/* sort key, must be first */
	int			position;		/* in the caller's array */
	bool		known;			/* the step exists */
	pg_uuid_t	step_id;
	pg_uuid_t	lease_id;
	StepOutcome outcome;
	bool		accepted;
	const char *reason;			/* why not */
} StepResult;

/*
 * The index is in the order of available_at within a topic only.  For one topic
 * it gives the oldest steps at once; for several all that are ready have to be
 * sorted.
 */
#define CLAIM_QUERY(topics) \
	"WITH ready AS MATERIALIZED (" \
	"  SELECT run_id, step_run_id FROM orchestration.step_queue" \
	"   WHERE topic = " topics " AND available_at <= $5" \
	"   ORDER BY available_at FOR UPDATE SKIP LOCKED LIMIT $2)" \
	" UPDATE orchestration.step_queue q SET lease_id = orchestration.new_id()," \
	"        worker = $3, attempt = q.attempt + 1," \
	"        available_at = $5 + $4" \
	"   FROM ready r, orchestration.step_run s" \
	"  WHERE q.run_id = r.run_id AND q.step_run_id = r.step_run_id" \
	"    AND s.run_id = q.run_id AND s.id = q.step_run_id" \
	" RETURNING q.run_id, q.step_run_id, q.lease_id, q.topic, q.action, s.name," \
	"           q.inputs, q.attempt, q.available_at"

static StaticPlan plan_claim_one_topic = {
	CLAIM_QUERY("($1)[1]"),
	5, {TEXTARRAYOID, INT8OID, TEXTOID, INTERVALOID, TIMESTAMPTZOID}
};
static StaticPlan plan_claim = {
	CLAIM_QUERY("ANY ($1)"),
	5, {TEXTARRAYOID, INT8OID, TEXTOID, INTERVALOID, TIMESTAMPTZOID}
};

/*
 * For run_queued_functions(), which carries out what it claims in the same
 * transaction: it takes the run together with the step, and neither waits, so
 * that it keeps to the lock order without stopping for anybody.
 */
static StaticPlan plan_claim_function = {
	"WITH ready AS MATERIALIZED ("
	"  SELECT q.run_id, q.step_run_id FROM orchestration.step_queue q"
	"    JOIN orchestration.run r ON r.id = q.run_id"
	"   WHERE q.topic = ($1)[1] AND q.available_at <= $5"
	"   ORDER BY q.available_at FOR UPDATE OF q SKIP LOCKED"
	"   FOR NO KEY UPDATE OF r SKIP LOCKED LIMIT $2)"
	" UPDATE orchestration.step_queue q SET lease_id = orchestration.new_id(),"
	"        worker = $3, attempt = q.attempt + 1,"
	"        available_at = $5 + $4"
	"   FROM ready r, orchestration.step_run s"
	"  WHERE q.run_id = r.run_id AND q.step_run_id = r.step_run_id"
	"    AND s.run_id = q.run_id AND s.id = q.step_run_id"
	" RETURNING q.run_id, q.step_run_id, q.lease_id, q.topic, q.action, s.name,"
	"           q.inputs, q.attempt, q.available_at",
	5, {TEXTARRAYOID, INT8OID, TEXTOID, INTERVALOID, TIMESTAMPTZOID}
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
	" COALESCE(s.pending ->> 'outcome', s.status::pg_catalog.text)"
	" FROM orchestration.step_run s LEFT JOIN orchestration.step_queue q"
	"   ON q.run_id = s.run_id AND q.step_run_id = s.id"
	" WHERE s.run_id = $1 AND s.id = $2",
	2, {UUIDOID, UUIDOID}
};

/* nothing is deleted when somebody claims the step in this very moment */
static StaticPlan plan_unqueue = {
	"DELETE FROM orchestration.step_queue"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3",
	3, {UUIDOID, UUIDOID, UUIDOID}
};

static Datum take_results(FunctionCallInfo fcinfo, bool success);
static StepResult *read_results(Jsonb *results, bool success, int *nresults);
static pg_uuid_t *member_uuid(JsonbContainer *object, const char *name,
							  int position);
static Jsonb *failure_error(JsonbContainer *object);
static void take_result(StepResult *result);
static int	compare_results(const void *a, const void *b);

PG_FUNCTION_INFO_V1(orchestration_claim_steps);

/*
 * orchestration.claim_steps(worker text, topics text[], max_steps integer,
 *		lease interval) returns table (run_id uuid, step_id uuid, lease_id uuid,
 *		topic text, action text, step_name text, inputs jsonb, attempt integer,
 *		lease_until timestamptz)
 *
 * Hands up to max_steps ready steps of the topics to a worker, oldest first, for
 * the time of the lease (after it they can be claimed again).  Raises 22004 for
 * null, 22023 for an empty worker or topic, for max_steps outside 1 to 10000 and
 * a lease that is not positive.
 */
Datum
orchestration_claim_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	Interval   *lease;
	ArrayType  *topics;
	Datum	   *elements;
	bool	   *element_nulls;
	int			nelements;
	Datum		values[9];
	bool		nulls[9];
	uint64		n;
	int			i;

	for (i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("worker, topics, max_steps and lease must not be null")));
	if (VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a worker needs a name")));
	topics = PG_GETARG_ARRAYTYPE_P(1);
	deconstruct_array(topics, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &element_nulls, &nelements);
	for (i = 0; i < nelements; i++)
		if (element_nulls[i] || VARSIZE_ANY_EXHDR(DatumGetTextPP(elements[i])) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a topic must not be empty or null")));
	if (PG_GETARG_INT32(2) < 1 || PG_GETARG_INT32(2) > MAX_CLAIM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_steps must be 1 to %d", MAX_CLAIM)));
	lease = PG_GETARG_INTERVAL_P(3);
	if (lease->month < 0 || lease->day < 0 || lease->time < 0 ||
		(lease->month == 0 && lease->day == 0 && lease->time == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a lease must be positive")));

	InitMaterializedSRF(fcinfo, 0);
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	values[0] = PG_GETARG_DATUM(1);
	values[1] = Int64GetDatum((int64) PG_GETARG_INT32(2));
	values[2] = PG_GETARG_DATUM(0);
	values[3] = PG_GETARG_DATUM(3);
	values[4] = TimestampTzGetDatum(GetCurrentTimestamp());
	orch_plan_execute(nelements == 1 && ARR_NDIM(topics) == 1 && ARR_LBOUND(topics)[0] == 1 ?
					  &plan_claim_one_topic : &plan_claim, values, NULL, false, 0);
	for (n = 0; n < SPI_processed; n++)
	{
		for (i = 0; i < 9; i++)
			values[i] = SPI_getbinval(SPI_tuptable->vals[n], SPI_tuptable->tupdesc,
									  i + 1, &nulls[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_finish();
	orch_system_leave(&saved);
	return (Datum) 0;
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
	return take_results(fcinfo, true);
}

PG_FUNCTION_INFO_V1(orchestration_fail_steps);

/*
 * orchestration.fail_steps(results jsonb) returns table (step_id uuid,
 *		accepted boolean, reason text)
 *
 * Takes in what workers could not do: an array of objects with step_id, lease_id,
 * message and optionally detail.  The run goes to Error, recoverable.  Otherwise
 * as complete_steps().
 */
Datum
orchestration_fail_steps(PG_FUNCTION_ARGS)
{
	return take_results(fcinfo, false);
}

static Datum
take_results(FunctionCallInfo fcinfo, bool success)
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
	results = read_results(PG_GETARG_JSONB_P(0), success, &nresults);
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
		take_result(&results[i]);
	}
	orch_system_leave(&saved);
	orch_frame_pop(frame);

	for (i = 0; i < nresults; i++)
		for (j = 0; j < nresults; j++)
			if (results[j].position == i)
			{
				Datum		values[3];
				bool		nulls[3] = {false};

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
read_results(Jsonb *jsonb, bool success, int *nresults)
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
		results[i].outcome.success = success;
		if (!success)
		{
			results[i].outcome.error = failure_error(object);
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
 * Take in one outcome.
 */
static void
take_result(StepResult *result)
{
	Datum		values[3];
	bool		isnull;
	bool		no_lease;
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
	orch_plan_execute_latest(&plan_lock_run, values, NULL, 1);
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
		strcmp(SPI_getvalue(tuple, desc, 4),
			   result->outcome.success ? "Completed" : "Error") == 0)
	{
		result->accepted = true;
		goto done;
	}
	lease = SPI_getbinval(tuple, desc, 3, &no_lease);
	if (no_lease || !orch_uuid_equal(DatumGetUUIDP(lease), &result->lease_id))
	{
		result->reason = run_status == RUN_CANCELED ? "the run was canceled" :
			step_status == STEP_IN_PROGRESS ? "the lease was lost" :
			psprintf("the step is %s",
					 orch_transition_status_name(LEVEL_STEP, step_status));
		goto done;
	}
	orch_plan_execute_latest(&plan_unqueue, values, NULL, 0);
	if (SPI_processed == 0)
	{
		result->reason = "the lease was lost";
		goto done;
	}
	if (run_status == RUN_IN_PROGRESS && step_status == STEP_IN_PROGRESS)
		orch_engine_end_step(&result->run_id, &result->step_id, &result->outcome);
	else
		orch_engine_keep_outcome(&result->run_id, &result->step_id, &result->outcome);
	result->accepted = true;
	goto done;

gone:
	result->reason = "there is no such step";
done:
	SPI_finish();
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
	Interval	lease;
	Datum		topic = CStringGetTextDatum(FUNCTION_TOPIC);
	int			done;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("max_steps must not be null")));
	if (PG_GETARG_INT32(0) < 1 || PG_GETARG_INT32(0) > MAX_CLAIM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_steps must be 1 to %d", MAX_CLAIM)));
	memset(&lease, 0, sizeof(lease));
	lease.day = 1;

	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_system_enter(&saved);
	for (done = 0; done < PG_GETARG_INT32(0); done++)
	{
		StepResult		result;
		ErrorData  *volatile error = NULL;
		Jsonb	   *volatile outputs = NULL;
		Jsonb	   *inputs;
		char	   *action_name;
		Datum		values[5];
		bool		isnull;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(caller);
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		values[0] = PointerGetDatum(construct_array(&topic, 1, TEXTOID, -1, false,
													TYPALIGN_INT));
		values[1] = Int64GetDatum(1);
		values[2] = CStringGetTextDatum("run_queued_functions()");
		values[3] = IntervalPGetDatum(&lease);
		values[4] = TimestampTzGetDatum(GetCurrentTimestamp());
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
		old = MemoryContextSwitchTo(caller);
		action_name = pstrdup(SPI_getvalue(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 5));
		inputs = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 7, &isnull));
		MemoryContextSwitchTo(old);
		SPI_finish();

		ORCH_ENGINE_TRY(NULL);
		{
			const Action *action = orch_action_find(action_name);

			if (action == NULL || action->kind != ACTION_FUNCTION)
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_UNKNOWN_ACTION),
						 errmsg("action \"%s\" is not registered as a function",
								action_name),
						 errhint("Register it with orchestration.register_action() and resume the run.")));
			outputs = orch_action_call(action, inputs, NULL);
		}
		ORCH_ENGINE_CATCH(error);
		result.outcome.success = error == NULL;
		result.outcome.outputs = outputs;
		if (error != NULL)
			result.outcome.error = orch_engine_error(error, NULL);
		take_result(&result);
	}
	MemoryContextSwitchTo(caller);
	orch_system_leave(&saved);
	orch_frame_pop(frame);
	PG_RETURN_INT32(done);
}
