/*-------------------------------------------------------------------------
 *
 * dry_run.c
 *	  dry_run(): plays a run and rolls it back.
 *
 * The run is real: the engine starts it, calls functions, and makes work items and queued
 * steps; each step that waits is ended with the outputs that the caller gives, until none
 * waits.  All of this happens in a subtransaction that is rolled back; only the rows that
 * the call returns are left.  Effects of functions outside of the database and numbers taken
 * from sequences are not rolled back.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/dry_run.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/subtransaction.h"
#include "base/system.h"
#include "base/uuid.h"
#include "definition/definition_int.h"
#include "engine/engine_int.h"
#include "guard/guard.h"
#include "trail/history.h"
#include "trail/log.h"
#include "work/queue.h"
#include "work/run.h"

#define NUM_COLUMNS 5

static StaticPlan plan_waiting = {
	"SELECT t.id, t.name, t.step_type, q.topic, q.action, q.inputs, q.run_as"
	" FROM orchestration.step_run t"
	" JOIN orchestration.run r ON r.id = t.run_id AND r.status = 'InProgress'"
	" LEFT JOIN orchestration.step_queue q ON q.run_id = t.run_id AND q.step_run_id = t.id"
	" WHERE t.run_id = $1 AND t.status = 'InProgress'"
	"   AND (q.run_id IS NOT NULL OR EXISTS (SELECT FROM orchestration.work_item w"
	"        WHERE w.run_id = t.run_id AND w.step_run_id = t.id AND w.status = 'Assigned'))"
	" ORDER BY t.id LIMIT 1",
	1, {UUIDOID}
};
static StaticPlan plan_finish_item = {
	"UPDATE orchestration.work_item SET status = 'Completed', completed_by = 'dry run'"
	" WHERE run_id = $1 AND step_run_id = $2 AND status = 'Assigned'",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_unqueue = {
	"DELETE FROM orchestration.step_queue WHERE run_id = $1 AND step_run_id = $2",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_events = {
	"SELECT l.kind::pg_catalog.text, s.name, t.name,"
	" CASE WHEN l.kind = 'StartWorkItem' THEN pg_catalog.jsonb_build_object('assignee', p.name,"
	"        'inputs', w.screen_flow_inputs, 'screen', w.screen_flow)"
	"      WHEN l.kind = 'EndStep' THEN pg_catalog.jsonb_build_object('outputs', t.outputs)"
	"      WHEN l.kind = 'FailStep' THEN t.error WHEN l.kind = 'FailStage' THEN s.error"
	"      WHEN l.kind = 'FailInstance' THEN r.error END"
	" FROM orchestration.run_log l"
	" JOIN orchestration.run r ON r.id = l.run_id"
	" LEFT JOIN orchestration.step_run t ON t.run_id = l.run_id AND t.id = l.step_run_id"
	" LEFT JOIN orchestration.work_item w ON w.run_id = l.run_id AND w.id = l.work_item_id"
	" LEFT JOIN orchestration.principal p ON p.id = l.assignee_id"
	" LEFT JOIN orchestration.stage_run s ON s.run_id = l.run_id"
	"   AND s.id = COALESCE(l.stage_run_id, t.stage_run_id)"
	" WHERE l.run_id = $1 ORDER BY l.number",
	1, {UUIDOID}
};
static StaticPlan plan_result = {
	"SELECT 'Result', r.current_stage, NULL::pg_catalog.text,"
	" pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('status', r.status,"
	"   'variables', r.variables, 'error', r.error))"
	" FROM orchestration.run r WHERE r.id = $1",
	1, {UUIDOID}
};

static bool end_what_waits(const pg_uuid_t *run_id, Jsonb *outputs);
static void put_rows(ReturnSetInfo *rsinfo, const pg_uuid_t *run_id, StaticPlan *plan,
					 int *number);

PG_FUNCTION_INFO_V1(orchestration_dry_run);

/*
 * orchestration.dry_run(orchestration text, record_key text, inputs jsonb,
 *		outputs jsonb, version integer, max_steps integer) returns table
 *		(number integer, event text, stage text, step text, detail jsonb); also with
 *		record_id "any"
 *
 * Plays a run of a version (null: the newest), active or not, about a record and with
 * inputs, in a subtransaction that is rolled back.  Returns a row for each milestone, with
 * the event's name in the log, and at the end a row Result with status, variables and error.
 * A step that waits for a user or worker is ended with the member of outputs that has the
 * name of the step, or without outputs; at most max_steps steps are ended.  The caller must
 * be able to read the record, as for start_orchestration().
 * Raises: 42501 without the permission Manage Flow, 22004 for a null name or max_steps,
 * OR202 for an unknown orchestration, OR101 for an unknown version or record, 42809 for an
 * evaluation flow, OR306 for inputs or outputs that do not fit, OR201 for a version with
 * errors.
 * Source: ours.
 */
Datum
orchestration_dry_run(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	Subtransaction sub;
	SystemContext saved;
	Oid			role = GetUserId();
	Frame	   *frame;
	StartRequest request;
	pg_uuid_t	started_by;
	pg_uuid_t	version_id;
	pg_uuid_t	run_id;
	int32		version;
	char	   *name;
	Jsonb	   *outputs = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	int			left;
	int			number = 0;

	orch_definition_check_call(fcinfo, 0, "orchestration");
	if (PG_ARGISNULL(5))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", "max_steps")));
	left = PG_GETARG_INT32(5);
	if (outputs != NULL && !JB_ROOT_IS_OBJECT(outputs))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("outputs must be a JSON object: names of steps and their outputs")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	InitMaterializedSRF(fcinfo, 0);

	memset(&request, 0, sizeof(request));
	orch_engine_set_starter(&request, &started_by);
	frame = orch_frame_push(FRAME_CALL, role, NULL);
	orch_system_connect(&saved);
	if (!orch_definition_find_version(name, PG_ARGISNULL(4),
									  PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4),
									  &version_id, &version))
	{
		if (PG_ARGISNULL(4))
			orch_definition_unknown(name);
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("orchestration \"%s\" has no version %d", name, PG_GETARG_INT32(4))));
	}
	request.definition = orch_definition_get(&version_id);
	orch_run_require_orchestration(request.definition);
	if (!PG_ARGISNULL(1))
		orch_run_set_record(&request, orch_argument_key(fcinfo, 1), role);
	if (!PG_ARGISNULL(2))
		request.inputs = PG_GETARG_JSONB_P(2);

	orch_subtransaction_begin(&sub);
	PG_TRY();
	{
		orch_engine_start(&request, &run_id);
		while (left-- > 0 && end_what_waits(&run_id, outputs))
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextSwitchTo(caller);
		}
		orch_log_flush_level();
		orch_history_flush_level();
		put_rows(rsinfo, &run_id, &plan_events, &number);
		put_rows(rsinfo, &run_id, &plan_result, &number);
	}
	PG_CATCH();
	{
		ReThrowError(orch_subtransaction_catch(&sub));
	}
	PG_END_TRY();
	orch_subtransaction_rollback(&sub);
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	return (Datum) 0;
}

/*
 * End one step that waits; false if none does.
 */
static bool
end_what_waits(const pg_uuid_t *run_id, Jsonb *outputs)
{
	Datum		values[2];
	HeapTuple	tuple;
	TupleDesc	desc;
	bool		isnull;
	pg_uuid_t	step_id;
	char	   *name;
	char	   *topic;
	StepOutcome outcome;
	JsonbValue *given = NULL;

	values[0] = UUIDPGetDatum(run_id);
	orch_plan_execute(&plan_waiting, values, NULL, false, 1);
	if (SPI_processed == 0)
		return false;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	step_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
	name = SPI_getvalue(tuple, desc, 2);
	topic = SPI_getvalue(tuple, desc, 4);
	if (outputs != NULL)
		given = getKeyJsonValueFromContainer(&outputs->root, name, strlen(name), NULL);
	if (given != NULL && given->type != jbvNull &&
		(given->type != jbvBinary || !JsonContainerIsObject(given->val.binary.data)))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("outputs of step \"%s\" must be a JSON object", name)));
	memset(&outcome, 0, sizeof(outcome));
	outcome.success = true;
	if (given != NULL && given->type == jbvBinary)
		outcome.outputs = JsonbValueToJsonb(given);
	else if (topic != NULL && topic[0] == '\0')
	{
		/* a function is called, unless the caller gives its outputs */
		char	   *action = SPI_getvalue(tuple, desc, 5);
		Jsonb	   *inputs = DatumGetJsonbPCopy(SPI_getbinval(tuple, desc, 6, &isnull));
		Datum		run_as = SPI_getbinval(tuple, desc, 7, &isnull);

		if (!isnull)
			outcome.run_as = DatumGetUUIDP(run_as);
		orch_queue_call(run_id, action, inputs, isnull ? NULL : DatumGetUUIDP(run_as),
						GATE_ACTION,
						&outcome);
	}
	values[1] = UUIDPGetDatum(&step_id);
	if (topic != NULL)
		orch_plan_execute(&plan_unqueue, values, NULL, false, 0);
	else
		orch_guard_execute(SCOPE_TRUSTED, &plan_finish_item, values, NULL, NULL);
	orch_engine_end_step(run_id, &step_id, &outcome);
	return true;
}

static void
put_rows(ReturnSetInfo *rsinfo, const pg_uuid_t *run_id, StaticPlan *plan, int *number)
{
	Datum		value = UUIDPGetDatum(run_id);
	uint64		i;

	orch_plan_execute(plan, &value, NULL, false, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		Datum		values[NUM_COLUMNS];
		bool		nulls[NUM_COLUMNS] = {false};
		int			column;

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(++*number);
		for (column = 1; column <= 4; column++)
			values[column] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
										   column, &nulls[column]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}
