/*-------------------------------------------------------------------------
 *
 * queue.c
 *	  Asynchronous steps: calls of workers.
 *
 * queue_claim.c gives steps to workers, queue_result.c takes in their outcomes.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/queue.c
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

#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "definition/definition.h"
#include "engine/chain.h"
#include "engine/engine_int.h"
#include "guard/transition.h"
#include "record/action.h"
#include "record/principal.h"
#include "work/queue.h"

/* run_queued_steps() tries a step that it put off so much later. */
#define PUT_OFF_SECONDS	60

/*
 * For run_queued_steps(), which carries out the claimed step in the same transaction.
 * It locks the run together with the step and waits for neither, so that it keeps to the
 * lock order.
 */
static StaticPlan plan_claim_function = {
	"WITH ready AS MATERIALIZED ("
	"  SELECT q.run_id, q.step_run_id, q.lease_id, q.attempt, q.worker, q.claimed_at,"
	"         r.version_id, (q.leased_until >= q.claimed_at + q.timeout) IS TRUE AS late"
	"    FROM orchestration.step_queue q"
	"    JOIN orchestration.run r ON r.id = q.run_id"
	"   WHERE q.topic = '' AND q.available_at <= $2"
	"     AND (q.leased_until IS NULL OR q.leased_until <= $2)"
	"   ORDER BY q.available_at FOR UPDATE OF q SKIP LOCKED"
	"   FOR NO KEY UPDATE OF r SKIP LOCKED LIMIT 1),"
	" lost AS ("
	"  INSERT INTO orchestration.step_attempt (run_id, step_run_id, lease_id, attempt,"
	"         worker, outcome, claimed_at)"
	"  SELECT r.run_id, r.step_run_id, r.lease_id, r.attempt, r.worker,"
	"         CASE WHEN r.late THEN 'TimedOut' ELSE 'LeaseLost' END::orchestration.attempt_outcome,"
	"         r.claimed_at FROM ready r WHERE r.lease_id IS NOT NULL)"
	" UPDATE orchestration.step_queue q SET lease_id = orchestration.new_id(),"
	"        worker = $1, attempt = q.attempt + 1, claimed_at = $2,"
	"        leased_until = $2 + '1 day',"
	"        lost = q.lost + (r.lease_id IS NOT NULL AND NOT r.late)::int,"
	"        failures = q.failures + (r.lease_id IS NOT NULL AND r.late)::int"
	"   FROM ready r"
	"  WHERE q.run_id = r.run_id AND q.step_run_id = r.step_run_id"
	" RETURNING q.run_id, q.step_run_id, q.lease_id, q.action, q.inputs, q.run_as,"
	"           q.step_name, r.version_id",
	2, {TEXTOID, TIMESTAMPTZOID}
};

/* For a step that could not be carried out. */
static StaticPlan plan_put_off = {
	"UPDATE orchestration.step_queue SET lease_id = NULL, leased_until = NULL,"
	" claimed_at = NULL, worker = NULL,"
	" available_at = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4)"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3",
	4, {UUIDOID, UUIDOID, UUIDOID, FLOAT8OID}
};
static StaticPlan plan_run_of = {
	"SELECT run_id FROM orchestration.step_run WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_extend = {
	"UPDATE orchestration.step_queue SET leased_until ="
	" LEAST(pg_catalog.clock_timestamp() + $3, claimed_at + timeout)"
	" WHERE step_run_id = $1 AND lease_id = $2 AND run_id = $4"
	"   AND available_at < 'infinity'"
	" RETURNING leased_until",
	4, {UUIDOID, UUIDOID, INTERVALOID, UUIDOID}
};

/* The arguments that all claims have. */
typedef struct ClaimArguments
{
	char	   *worker;
	List	   *topics;			/* of char * */
	int			max_steps;
	Interval   *lease;
} ClaimArguments;

static void claim_arguments(FunctionCallInfo fcinfo, int first, ClaimArguments *claim);
static int	max_steps_argument(FunctionCallInfo fcinfo, int argno);
static Interval *lease_argument(FunctionCallInfo fcinfo, int argno);
static List *claim_as_system(const ClaimArguments *claim);
static void put_claimed(ReturnSetInfo *rsinfo, List *claimed, int nresult_columns);
static void put_malformed(ReturnSetInfo *rsinfo, const StepResult *result);
static const char *why_lost(const pg_uuid_t *run_id, const pg_uuid_t *step_id);
static bool claim_function(ClaimedStep *step, pg_uuid_t *version, bool *has_version);
static bool carry_out(const ClaimedStep *step, const pg_uuid_t *version);

/*
 * Read the four arguments of a claim from the first on; raises 22004, 22023.
 */
static void
claim_arguments(FunctionCallInfo fcinfo, int first, ClaimArguments *claim)
{
	orch_require_arguments(fcinfo, first, 4, "worker, topics, max_steps and lease");
	claim->worker = text_to_cstring(PG_GETARG_TEXT_PP(first));
	if (claim->worker[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a worker needs a name")));
	claim->topics = orch_queue_topic_names(PG_GETARG_ARRAYTYPE_P(first + 1));
	claim->max_steps = max_steps_argument(fcinfo, first + 2);
	claim->lease = lease_argument(fcinfo, first + 3);
}

List *
orch_queue_topic_names(ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			i;
	List	   *names = NIL;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i] || VARSIZE_ANY_EXHDR(DatumGetTextPP(elements[i])) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a topic must not be empty or null")));
		names = lappend(names, TextDatumGetCString(elements[i]));
	}
	return names;
}

static int
max_steps_argument(FunctionCallInfo fcinfo, int argno)
{
	int			max_steps = PG_GETARG_INT32(argno);

	if (max_steps < 1 || max_steps > MAX_CLAIM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_steps must be 1 to %d", MAX_CLAIM)));
	return max_steps;
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
	orch_limit_interval(lease, "a lease");
	return lease;
}

PG_FUNCTION_INFO_V1(orchestration_claim_steps);

/*
 * orchestration.claim_steps(worker text, topics text[], max_steps integer,
 *		lease interval) returns table (run_id uuid, step_id uuid, lease_id uuid,
 *		topic text, action text, step_name text, inputs jsonb, attempt integer,
 *		lease_until timestamptz, run_as uuid)
 *
 * Gives up to max_steps ready steps of the topics to a worker: the oldest of each
 * orchestration in turn.  When the lease ends, the steps can be claimed again.  run_as is
 * the user as whom the action should run.
 * Raises: 22004 for null; 22023 for an empty worker or topic, for max_steps outside 1 to
 * 10000, and for a lease that is not positive or longer than 100 years.
 * Source: ours.
 */
Datum
orchestration_claim_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ClaimArguments claim;

	claim_arguments(fcinfo, 0, &claim);
	InitMaterializedSRF(fcinfo, 0);
	put_claimed(rsinfo, claim_as_system(&claim), 0);
	return (Datum) 0;
}

static List *
claim_as_system(const ClaimArguments *claim)
{
	SystemContext saved;
	List	   *claimed;

	orch_system_enter(&saved);
	claimed = orch_queue_claim(claim->topics, claim->worker, claim->max_steps, claim->lease);
	orch_system_leave(&saved);
	return claimed;
}

/*
 * Put rows of claimed steps.  In complete_and_claim() columns of results come first, of
 * which only the id of the step is set.
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
			/* here the id of the step is the first column */
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
 * complete_steps(), or fail_steps() for results that have a message, and then claim_steps(),
 * in one call.  Returns a row for each result, in order, with accepted and reason; then a
 * row for each claimed step, in which accepted is null.
 * Raises: as these calls.
 * Source: ours.
 */
Datum
orchestration_complete_and_claim(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ClaimArguments claim;

	orch_require_arguments(fcinfo, 0, 1, "results");
	claim_arguments(fcinfo, 1, &claim);
	(void) orch_queue_take_results(fcinfo, RESULTS_ANY);
	put_claimed(rsinfo, claim_as_system(&claim), 3);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_extend_leases);

/*
 * orchestration.extend_leases(leases jsonb, lease interval) returns table
 *		(step_id uuid, held boolean, reason text, lease_until timestamptz)
 *
 * A worker's heartbeat: makes its leases, an array of objects with step_id and lease_id, end
 * that time from now, but not after the timeout of the action.  Returns a row for each
 * lease, in order: held, or the reason why not; then the worker should stop its work on the
 * step.  Reasons: the run was canceled, the lease was lost, the step ended otherwise, the
 * lease is malformed.
 * Raises: 22004 for null, 22023 for a lease that is not positive or longer than 100 years,
 * OR306 for leases that are no array or too many.
 * Source: ours.
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

	orch_require_arguments(fcinfo, 0, 2, "leases and lease");
	lease = lease_argument(fcinfo, 1);
	results = orch_queue_read_results(PG_GETARG_JSONB_P(0), RESULTS_LEASES, &nresults);
	InitMaterializedSRF(fcinfo, 0);
	orch_system_connect(&saved);
	for (i = 0; i < nresults; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};
		bool		isnull;
		TimestampTz until = 0;
		const char *reason = NULL;

		CHECK_FOR_INTERRUPTS();
		if (results[i].problem != NULL)
		{
			put_malformed(rsinfo, &results[i]);
			continue;
		}
		values[0] = UUIDPGetDatum(&results[i].step_id);
		values[1] = UUIDPGetDatum(&results[i].lease_id);
		values[2] = IntervalPGetDatum(lease);
		orch_plan_execute_latest(&plan_run_of, values, NULL, 1);
		if (SPI_processed == 0)
			reason = "there is no such step";
		else
		{
			values[3] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
			orch_plan_execute_latest(&plan_extend, values, NULL, 1);
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
	orch_system_finish(&saved);
	return (Datum) 0;
}

/* extend_leases(): a lease that cannot be read. */
static void
put_malformed(ReturnSetInfo *rsinfo, const StepResult *result)
{
	Datum		values[4];
	bool		nulls[4] = {!result->has_step_id, false, false, true};

	values[0] = UUIDPGetDatum(&result->step_id);
	values[1] = BoolGetDatum(false);
	values[2] = CStringGetTextDatum(result->problem);
	values[3] = (Datum) 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Why a lease on a step is no longer valid. */
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
	HeapTuple	tuple;
	TupleDesc	desc;

	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(step_id);
	orch_plan_execute_latest(&plan, values, NULL, 1);
	if (SPI_processed == 0)
		return "there is no such step";
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	return orch_queue_lost_reason((RunStatus) orch_catalog_label_column(ENUM_RUN_STATUS,
																		tuple, desc, 1),
								  (StepStatus) orch_catalog_label_column(ENUM_STEP_STATUS,
																		 tuple, desc, 2));
}

/*
 * Push a frame for a function that is called for a run: its changes of the run's record do
 * not start the same orchestration again.  NULL if the run is gone or was imported without
 * a version.
 */
static Frame *
enter_function(const pg_uuid_t *run_id)
{
	static StaticPlan plan = {
		"SELECT version_id, triggering_record_type, triggering_record_id"
		" FROM orchestration.run WHERE id = $1 AND version_id IS NOT NULL",
		1, {UUIDOID}
	};
	Datum		value = UUIDPGetDatum(run_id);
	Frame	   *frame = NULL;

	orch_spi_connect();
	orch_plan_execute(&plan, &value, NULL, false, 1);
	if (SPI_processed > 0)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		char	   *record_type = SPI_getvalue(tuple, desc, 2);
		char	   *record_key = SPI_getvalue(tuple, desc, 3);
		bool		isnull;
		const Definition *def =
		orch_definition_get(DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull)));

		orch_chain_check(run_id, def->name, record_type, record_key);
		frame = orch_frame_push(FRAME_FUNCTION, InvalidOid, run_id);
		orch_frame_set_run(frame, run_id, &def->orchestration_id, def->name, record_type,
						   record_key);
	}
	SPI_finish();
	return frame;
}

void
orch_queue_call(const pg_uuid_t *run_id, const char *name, Jsonb *inputs,
				const pg_uuid_t *run_as, GateKind kind, StepOutcome *outcome)
{
	ErrorData  *volatile error = NULL;
	Jsonb	   *volatile outputs = NULL;

	ORCH_ENGINE_TRY_ONE(kind == GATE_ACTION);
	{
		const Action *action = orch_action_find(name);
		Frame	   *frame;

		if (action == NULL || action->kind != ACTION_FUNCTION)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_UNKNOWN_ACTION),
					 errmsg("action \"%s\" is not registered as a function", name),
					 errhint("Register it with orchestration.register_action() and resume the run.")));
		if (run_as != NULL)
			orch_action_require_run_as(action);
		frame = enter_function(run_id);
		outputs = orch_action_call(action, inputs, run_as, kind);
		if (frame != NULL)
			orch_frame_pop(frame);
	}
	ORCH_ENGINE_CATCH(error);
	outcome->success = error == NULL;
	outcome->outputs = outputs;
	if (error != NULL)
		outcome->error = orch_engine_error(error, NULL);
}

/*
 * Claim a step whose action is a function and lock its run; false if there is none.  An
 * imported run has no version.
 */
static bool
claim_function(ClaimedStep *step, pg_uuid_t *version, bool *has_version)
{
	MemoryContext caller = CurrentMemoryContext;
	HeapTuple	tuple;
	TupleDesc	desc;
	Datum		values[2];
	Datum		value;
	bool		isnull;

	orch_spi_connect();
	values[0] = CStringGetTextDatum("run_queued_steps()");
	values[1] = TimestampTzGetDatum(GetCurrentTimestamp());
	orch_plan_execute_latest(&plan_claim_function, values, NULL, 0);
	if (SPI_processed == 0)
	{
		SPI_finish();
		return false;
	}
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	memset(step, 0, sizeof(ClaimedStep));
	step->run_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
	step->step_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
	step->lease_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 3, &isnull));
	value = SPI_getbinval(tuple, desc, 6, &isnull);
	step->has_run_as = !isnull;
	if (!isnull)
		step->run_as = *DatumGetUUIDP(value);
	value = SPI_getbinval(tuple, desc, 8, &isnull);
	*has_version = !isnull;
	if (!isnull)
		*version = *DatumGetUUIDP(value);
	MemoryContextSwitchTo(caller);
	step->action = pstrdup(SPI_getvalue(tuple, desc, 4));
	step->inputs = DatumGetJsonbPCopy(SPI_getbinval(tuple, desc, 5, &isnull));
	step->step_name = pstrdup(SPI_getvalue(tuple, desc, 7));
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return true;
}

/*
 * Carry out a claimed function and take in its outcome.  If the run cannot be moved, for
 * example because its version is gone, the writes of the function are undone and its step is
 * put off, so that other steps go on.  If the function itself ended its step, for example by
 * canceling its run, the outcome is not accepted, but the writes stay.
 */
static bool
carry_out(const ClaimedStep *step, const pg_uuid_t *version)
{
	ErrorData  *volatile error = NULL;
	Datum		values[4];

	ORCH_ENGINE_TRY();
	{
		StepResult	result;

		if (version != NULL)
			(void) orch_definition_get(version);
		orch_queue_result_of(step, &result);
		orch_queue_call(&step->run_id, step->action, step->inputs,
						step->has_run_as ? &step->run_as : NULL, GATE_ACTION, &result.outcome);
		orch_queue_take_result(&result, true);
	}
	ORCH_ENGINE_CATCH(error);
	if (error == NULL)
		return true;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("step \"%s\" (%s) is passed over: %s", step->step_name,
					orch_uuid_text(&step->step_id), error->message),
			 errhint("See orchestration.stuck_runs().")));
	orch_spi_connect();
	values[0] = UUIDPGetDatum(&step->run_id);
	values[1] = UUIDPGetDatum(&step->step_id);
	values[2] = UUIDPGetDatum(&step->lease_id);
	values[3] = Float8GetDatum(PUT_OFF_SECONDS);
	orch_plan_execute_latest(&plan_put_off, values, NULL, 0);
	SPI_finish();
	return false;
}

PG_FUNCTION_INFO_V1(orchestration_run_queued_steps);

/*
 * orchestration.run_queued_steps(max_steps integer) returns integer
 *
 * Carries out, in this transaction, up to max_steps asynchronous steps whose action is a
 * function in the database and that no other session is carrying out.  Returns how many.  A
 * function that fails undoes only its own writes and fails its step.  A step whose run
 * cannot be moved is put off with a warning.
 * Raises: 22004 for null, 22023 for max_steps outside 1 to 10000.
 * Source: ours.
 */
Datum
orchestration_run_queued_steps(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	Frame	   *frame;
	ClaimedStep step;
	pg_uuid_t	version;
	bool		has_version;
	int			max_steps;
	int			tried;
	int			done = 0;

	orch_require_arguments(fcinfo, 0, 1, "max_steps");
	max_steps = max_steps_argument(fcinfo, 0);
	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_system_enter(&saved);
	for (tried = 0; done < max_steps && tried < MAX_CLAIM; tried++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(caller);
		if (!claim_function(&step, &version, &has_version))
			break;
		done += carry_out(&step, has_version ? &version : NULL);
	}
	MemoryContextSwitchTo(caller);
	orch_system_leave(&saved);
	orch_frame_pop(frame);
	PG_RETURN_INT32(done);
}
