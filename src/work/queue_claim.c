/*-------------------------------------------------------------------------
 *
 * queue_claim.c
 *	  Claims of asynchronous steps.
 *
 * A claim takes rows of the narrow table step_queue with SKIP LOCKED and gives each a lease.
 * It locks no run, so that workers wait neither for each other nor for a run.  It changes no
 * indexed column (HOT); the index has one entry for each step, in the order (topic,
 * orchestration, available_at).
 *
 * Claims are fair: a session knows the orchestrations that have ready steps in a topic
 * (queue_look.c), and takes steps from one after the other, so that a million steps of one
 * do not starve another.
 *
 * When a lease has ended, the next claim takes the step and records the lost attempt.  A step
 * that was lost too often fails instead, because it may be what kills its workers.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/queue_claim.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access_name.h"
#include "base/catalog.h"
#include "base/counter.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "engine/notify.h"
#include "record/action.h"
#include "work/queue.h"
#include "work/queue_int.h"

/* The mark stays so far behind, because claims in progress may be rolled back. */
#define MARK_SLACK		(50 * INT64CONST(1000))

int			orch_max_lost_leases = 5;

static StaticPlan plan_claim = {
	"WITH ready AS MATERIALIZED ("
	"  SELECT run_id, step_run_id, available_at, lease_id, leased_until, claimed_at, worker"
	"    FROM orchestration.step_queue"
	"   WHERE topic = $1 AND orchestration_id = $2 AND available_at >= $3"
	"     AND available_at <= $4 AND (leased_until IS NULL OR leased_until <= $4)"
	"   ORDER BY available_at FOR UPDATE SKIP LOCKED LIMIT $5)"
	" UPDATE orchestration.step_queue q SET lease_id = orchestration.new_id(),"
	"        worker = $6, attempt = q.attempt + 1, claimed_at = $4,"
	"        leased_until = LEAST($4 + $7, $4 + q.timeout),"
	"        lost = q.lost + (r.lease_id IS NOT NULL"
	"            AND (r.leased_until >= r.claimed_at + q.timeout) IS NOT TRUE)::int,"
	"        failures = q.failures + (r.lease_id IS NOT NULL"
	"            AND (r.leased_until >= r.claimed_at + q.timeout) IS TRUE)::int"
	"   FROM ready r"
	"  WHERE q.run_id = r.run_id AND q.step_run_id = r.step_run_id"
	" RETURNING q.run_id, q.step_run_id, q.lease_id, q.action, q.step_name,"
	"           q.inputs, q.attempt, q.leased_until, q.run_as, r.available_at,"
	"           r.lease_id, r.worker, r.claimed_at, q.lost, q.failures,"
	"           (r.leased_until >= r.claimed_at + q.timeout) IS TRUE",
	7, {TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, TEXTOID, INTERVALOID}
};
static StaticPlan plan_insert_attempt = {
	"INSERT INTO orchestration.step_attempt (run_id, step_run_id, lease_id, attempt,"
	" worker, outcome, claimed_at) VALUES ($1, $2, $3, $4, $5,"
	" $6::pg_catalog.text::orchestration.attempt_outcome, $7)",
	7, {UUIDOID, UUIDOID, UUIDOID, INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}
};

static bool claim_round(List *topics, const char *worker, int max_steps,
						Interval *lease, TimestampTz now, MemoryContext caller,
						List **claimed, List **worn);
static bool claim_from(Topic *topic, int which, const char *worker, int n,
					   Interval *lease, TimestampTz now, MemoryContext caller,
					   List **claimed, List **worn);
static void fail_worn(StepResult *result);
static void take_step(Topic *topic, HeapTuple tuple, TupleDesc desc,
					  List **claimed, List **worn);

/*
 * Claim up to n steps of one orchestration.  Steps that were lost or late too often go to
 * the list worn.  Returns false if there was no step.
 */
static bool
claim_from(Topic *topic, int which, const char *worker, int n, Interval *lease,
		   TimestampTz now, MemoryContext caller, List **claimed, List **worn)
{
	/* a user's trigger may claim, too, which makes the sources anew */
	Source	   *source = &topic->sources[which];
	uint64		looks = topic->looks;
	Datum		values[7];
	SPITupleTable *table;
	uint64		nrows;
	uint64		i;
	TimestampTz oldest = 0;

	values[0] = CStringGetTextDatum(topic->name);
	values[1] = UUIDPGetDatum(&source->orchestration_id);
	values[2] = TimestampTzGetDatum(source->mark);
	values[3] = TimestampTzGetDatum(now);
	values[4] = Int64GetDatum(n);
	values[5] = CStringGetTextDatum(worker);
	values[6] = IntervalPGetDatum(lease);
	orch_plan_execute_latest(&plan_claim, values, NULL, 0);
	table = SPI_tuptable;
	nrows = SPI_processed;
	for (i = 0; i < nrows; i++)
	{
		bool		isnull;
		TimestampTz available_at =
		DatumGetTimestampTz(SPI_getbinval(table->vals[i], table->tupdesc, 10, &isnull));

		if (i == 0 || available_at < oldest)
			oldest = available_at;
		MemoryContextSwitchTo(caller);
		take_step(topic, table->vals[i], table->tupdesc, claimed, worn);
	}
	if (nrows > 0 && !TIMESTAMP_NOT_FINITE(oldest) && topic->looks == looks)
		source->mark = Max(source->mark, oldest - MARK_SLACK);
	return nrows > 0;
}

/*
 * Add a claimed row to the worker's steps or, if it was lost or late too often, to worn.
 */
static void
take_step(Topic *topic, HeapTuple tuple, TupleDesc desc, List **claimed, List **worn)
{
	ClaimedStep *step = palloc0(sizeof(ClaimedStep));
	StepResult *result;
	const Action *action;
	Datum		attempt[7];
	ErrorData	error;
	int			lost;
	int			failures;
	bool		late;
	bool		isnull;
	Datum		value;

	step->run_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
	step->step_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull));
	step->lease_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 3, &isnull));
	step->topic = pstrdup(topic->name);
	step->action = SPI_getvalue(tuple, desc, 4);
	step->step_name = SPI_getvalue(tuple, desc, 5);
	step->inputs = DatumGetJsonbPCopy(SPI_getbinval(tuple, desc, 6, &isnull));
	step->attempt = DatumGetInt32(SPI_getbinval(tuple, desc, 7, &isnull));
	step->lease_until = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 8, &isnull));
	value = SPI_getbinval(tuple, desc, 9, &isnull);
	step->has_run_as = !isnull;
	if (!isnull)
		step->run_as = *DatumGetUUIDP(value);
	*claimed = lappend(*claimed, step);
	orch_count(COUNTER_STEPS_CLAIMED);

	attempt[2] = SPI_getbinval(tuple, desc, 11, &isnull);
	if (isnull)
		return;

	/* another worker had the step before */
	orch_count(COUNTER_LEASES_LOST);
	lost = DatumGetInt32(SPI_getbinval(tuple, desc, 14, &isnull));
	failures = DatumGetInt32(SPI_getbinval(tuple, desc, 15, &isnull));
	late = DatumGetBool(SPI_getbinval(tuple, desc, 16, &isnull));
	attempt[0] = UUIDPGetDatum(&step->run_id);
	attempt[1] = UUIDPGetDatum(&step->step_id);
	attempt[3] = Int32GetDatum(step->attempt - 1);
	attempt[4] = SPI_getbinval(tuple, desc, 12, &isnull);
	attempt[5] = CStringGetTextDatum(late ? "TimedOut" : "LeaseLost");
	attempt[6] = SPI_getbinval(tuple, desc, 13, &isnull);
	action = orch_action_find(step->action);
	memset(&error, 0, sizeof(error));
	error.sqlerrcode = ERRCODE_ORCH_LEASE_LOST;
	if (late && failures >= (action != NULL ? action->max_attempts : 1))
	{
		error.message = psprintf("the action took longer than its timeout, in attempt %d",
								 step->attempt - 1);
		error.hint = "See orchestration.set_retry_policy().";
	}
	else if (!late && lost > orch_max_lost_leases)
	{
		error.message = psprintf("%d workers lost their leases on the step", lost);
		error.hint = "It may be what kills its workers; see orchestration.max_lost_leases.";
	}
	if (error.message != NULL)
	{
		*claimed = list_delete_last(*claimed);
		result = palloc(sizeof(StepResult));
		orch_queue_result_of(step, result);
		result->outcome.error = orch_engine_error(&error, NULL);
		result->final = true;
		*worn = lappend(*worn, result);
	}
	orch_plan_execute_latest(&plan_insert_attempt, attempt, NULL, 0);
}

/*
 * Fail a step that was lost or late too often.  If its run cannot be moved, a warning names
 * the step and the step stays leased, so that other steps can still be claimed.
 */
static void
fail_worn(StepResult *result)
{
	ErrorData  *volatile error = NULL;

	ORCH_ENGINE_TRY();
	{
		orch_queue_take_result(result, false);
	}
	ORCH_ENGINE_CATCH(error);
	if (error != NULL)
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("%s, which was lost or late too often, cannot be set to Error: %s",
						orch_label(OBJECT_STEP, &result->step_id), error->message),
				 errhint("See orchestration.needs_attention().")));
}

List *
orch_queue_claim(List *names, const char *worker, int max_steps, Interval *lease)
{
	MemoryContext caller = CurrentMemoryContext;
	TimestampTz now = GetCurrentTimestamp();
	List	   *claimed = NIL;
	List	   *worn = NIL;
	ListCell   *cell;
	bool		again = true;
	static uint32 turn = 0;
	List	   *topics;
	int			outer;

	orch_notify_awake(names);
	orch_queue_claims();
	topics = orch_queue_topics(names);
	outer = orch_queue_keep();
	/* not the same topic first as in the last call */
	if (list_length(topics) > 1)
	{
		int			first = turn++ % list_length(topics);
		List	   *rest = list_copy_tail(topics, first);

		topics = list_concat(rest, list_truncate(topics, first));
	}
	orch_spi_connect();
	foreach(cell, topics)
		(void) orch_queue_look(lfirst(cell), now, false);
	for (;;)
	{
		bool		looked = false;

		while (claim_round(topics, worker, max_steps, lease, now, caller, &claimed, &worn) &&
			   list_length(claimed) < max_steps)
			 /* until no source has more */ ;
		if (!again || list_length(claimed) >= max_steps)
			break;

		/*
		 * There may be more steps than are known.  The time stays that of the call,
		 * so that a short lease that the call gave does not end before it returns.
		 */
		again = false;
		foreach(cell, topics)
			looked |= orch_queue_look(lfirst(cell), now, true);
		if (!looked)
			break;
	}
	SPI_finish();
	orch_queue_release(outer);
	MemoryContextSwitchTo(caller);
	foreach(cell, worn)
		fail_worn(lfirst(cell));
	return claimed;
}

/*
 * Claim an equal part from each orchestration of each topic.  Returns whether there was any
 * step.
 */
static bool
claim_round(List *topics, const char *worker, int max_steps, Interval *lease,
			TimestampTz now, MemoryContext caller, List **claimed, List **worn)
{
	int			ntopics = list_length(topics);
	bool		found = false;
	ListCell   *cell;

	foreach(cell, topics)
	{
		Topic	   *topic = lfirst(cell);
		int			left;

		for (left = topic->nsources; left > 0 && list_length(*claimed) < max_steps; left--)
		{
			int			wanted = max_steps - list_length(*claimed);
			int			parts = left * ntopics;
			uint64		looks = topic->looks;
			bool		any;

			CHECK_FOR_INTERRUPTS();
			any = claim_from(topic, topic->next, worker, (wanted + parts - 1) / parts, lease,
							 now, caller, claimed, worn);
			found |= any;
			if (topic->looks != looks)
				break;
			if (any)
				topic->next++;
			else
			{
				/* the next look at the whole finds it again */
				topic->nsources--;
				memmove(&topic->sources[topic->next], &topic->sources[topic->next + 1],
						sizeof(Source) * (topic->nsources - topic->next));
			}
			if (topic->next >= topic->nsources)
				topic->next = 0;
		}
		ntopics--;
	}
	return found;
}
