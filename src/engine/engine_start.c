/*-------------------------------------------------------------------------
 *
 * engine_start.c
 *	  The start of a run: the filters, the starter, the idempotency key, the run's row.
 *
 * This file is separate from engine.c, which moves existing runs: the filters of the
 * definition and the idempotency key are checked before the run exists.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_start.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access_name.h"
#include "base/catalog.h"
#include "base/counter.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "evaluate/formula.h"
#include "record/principal.h"
#include "record/record.h"

static StaticPlan plan_existing = {
	"SELECT id, idempotency_digest FROM orchestration.run"
	" WHERE orchestration_name = $1 AND idempotency_key = $2"
	"   AND created_by IS NOT DISTINCT FROM $3",
	3, {TEXTOID, TEXTOID, UUIDOID}
};

static bool find_existing(const StartRequest *request, pg_uuid_t *run_id);
static void lock_record(RunState *rs, const StartRequest *request);
static Jsonb *begin_state(RunState *rs, const StartRequest *request, Oid caller);
static Jsonb *begin_values(RunState *rs, Jsonb *inputs, Oid caller);
static ErrorData *try_defaults(RunState *rs, const bool *given, int index);
static bool insert_run(RunState *rs, const StartRequest *request);
static bool filters_hold(RunState *rs);

/*
 * Start a run and move it until it rests, or find the run that another session started
 * meanwhile with the same idempotency key.
 */
void
orch_engine_start(const StartRequest *request, pg_uuid_t *run_id)
{
	RunState   *rs = orch_engine_make_state(request->definition);
	Oid			caller = GetUserId();
	Jsonb	   *error;
	SystemContext saved;

	check_stack_depth();
	orch_system_connect(&saved);
	lock_record(rs, request);
	error = begin_state(rs, request, caller);
	if (insert_run(rs, request))
	{
		orch_count(COUNTER_RUNS_STARTED);
		if (rs->def->kind == DEFINITION_APPROVAL)
			orch_engine_submit(rs, request->started_by);
		/* a default that cannot be evaluated */
		if (error != NULL)
			orch_engine_fail_run(rs, error, false, false);
		orch_engine_advance(rs);
		*run_id = rs->id;
		orch_engine_close_state(rs);
	}
	else
	{
		/* another session used the key meanwhile, and committed */
		orch_frame_pop(rs->frame);
		if (!find_existing(request, run_id))
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to concurrent start with the same idempotency key")));
	}
	orch_system_finish(&saved);
	orch_engine_drop_state(rs);
}

bool
orch_engine_find_started(const StartRequest *request, pg_uuid_t *run_id)
{
	SystemContext saved;
	bool		found;

	if (request->idempotency_key == NULL)
		return false;
	orch_system_connect(&saved);
	found = find_existing(request, run_id);
	orch_system_finish(&saved);
	return found;
}

/*
 * Find the run that was started with the same idempotency key; false if there is none.
 * Raises OR309 if it was started about another record or with other inputs.
 */
static bool
find_existing(const StartRequest *request, pg_uuid_t *run_id)
{
	Datum		values[3];
	HeapTuple	tuple;
	TupleDesc	desc;
	Datum		digest;
	bool		isnull;

	values[0] = CStringGetTextDatum(request->definition->name);
	values[1] = CStringGetTextDatum(request->idempotency_key);
	values[2] = UUIDPGetDatum(request->started_by);
	orch_plan_execute_latest(&plan_existing, values,
							 request->started_by == NULL ? "  n" : NULL, 1);
	if (SPI_processed == 0)
		return false;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	*run_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
	digest = SPI_getbinval(tuple, desc, 2, &isnull);
	if (!orch_digest_matches(digest, isnull, request->digest))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_KEY_USED),
				 errmsg("idempotency key \"%s\" was used for orchestration \"%s\" with another record or other inputs",
						request->idempotency_key, request->definition->name),
				 errdetail("It started %s.", orch_label_run(run_id)),
				 errhint("A key repeats one request; use a new key for a new request."),
				 orch_error_constraint(RELATION_RUN, "run_idempotency_key_idx")));
	return true;
}

/*
 * Lock the record of the run.  A session that changes the record searches for runs that
 * wait for it, but cannot see this run before it is committed.  So the record must not
 * change until then.
 */
static void
lock_record(RunState *rs, const StartRequest *request)
{
	const Definition *def = request->definition;
	const char *id = request->record_key;

	if (id == NULL)
		return;
	if (!request->record_locked || (request->record == NULL && def->waits_for_record))
		id = orch_record_lock(request->record_type, id, def->waits_for_record);
	rs->record_type = MemoryContextStrdup(rs->context, request->record_type);
	rs->record_key = MemoryContextStrdup(rs->context, id);
}

/*
 * The state of a new run.  Returns the error with which it cannot go on, or NULL.
 */
static Jsonb *
begin_state(RunState *rs, const StartRequest *request, Oid caller)
{
	const Definition *def = request->definition;

	orch_uuid_generate(&rs->id);
	rs->interview_id = rs->id;
	rs->started_by = request->started_by != NULL ? *request->started_by :
		orch_automated_process;
	rs->starter = request->starter;
	rs->started_at = GetCurrentStatementStartTimestamp();
	rs->status = RUN_IN_PROGRESS;
	rs->next = def->start;
	if (def->reads_prior)
		rs->prior = request->prior;
	if (request->record != NULL)
	{
		rs->record = request->record;
		rs->record_loaded = true;
	}
	orch_engine_open_state(rs);
	return begin_values(rs, request->inputs, caller);
}

/*
 * The values with which a run begins.  A default that cannot be evaluated does not fail the
 * statement that starts the run: the variable is null.  Returns the first such error of a
 * variable that is read, as run.error stores it; NULL if there is none.
 */
static Jsonb *
begin_values(RunState *rs, Jsonb *inputs, Oid caller)
{
	const char *variable;
	ErrorData  *error;

	orch_engine_init_values(rs);
	error = orch_engine_try_defaults(rs, orch_engine_take_inputs(rs, inputs, caller),
									 &variable);
	return error == NULL ? NULL : orch_engine_error(error, variable);
}

/*
 * The defaults of all variables that were not given.  A variable whose default cannot be
 * evaluated is null.  Returns the first such error of a variable that is read, and which
 * that is; NULL if there is none.
 */
ErrorData *
orch_engine_try_defaults(RunState *rs, const bool *given, const char **variable)
{
	const Definition *def = rs->def;
	ErrorData  *result = NULL;
	bool		literals = true;
	int			i;

	for (i = 0; i < def->ndefaults; i++)
		literals &= given[def->defaults[i]] ||
			def->variables[def->defaults[i]].default_value->kind == OPERAND_LITERAL;
	if (literals)
	{
		/* no subtransaction for what cannot fail */
		orch_engine_set_defaults(rs, given);
		return NULL;
	}
	if (try_defaults(rs, given, -1) == NULL)
		return NULL;

	/* one of them failed, and undid them all: each by itself */
	for (i = 0; i < def->ndefaults; i++)
	{
		int			index = def->defaults[i];
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		if (given[index])
			continue;
		error = try_defaults(rs, given, index);
		if (error == NULL)
			continue;
		rs->variables[index] = NULL;
		if (def->variables[index].is_read && result == NULL)
		{
			result = error;
			*variable = def->variables[index].name;
		}
	}
	return result;
}

/*
 * The default of a variable, or (-1) of all that were not given.  Returns the error if it
 * cannot be evaluated, else NULL.
 */
static ErrorData *
try_defaults(RunState *rs, const bool *given, int index)
{
	ErrorData  *volatile error = NULL;

	ORCH_ENGINE_TRY();
	{
		if (index < 0)
			orch_engine_set_defaults(rs, given);
		else
		{
			orch_engine_begin_evaluation(rs);
			orch_engine_set_default(rs, index);
		}
	}
	ORCH_ENGINE_CATCH(error);
	return error;
}

/*
 * Write the row of a new run; false if a run with the same idempotency key exists
 * meanwhile.
 */
static bool
insert_run(RunState *rs, const StartRequest *request)
{
	const Definition *def = request->definition;
	Jsonb	   *variables = orch_engine_store_variables(rs);
	const pg_uuid_t *owner = request->owner_id != NULL ? request->owner_id :
		&orch_automated_process;
	WriteRow	row;

	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(&row, Anum_run_version_id, UUIDPGetDatum(&def->version_id));
	orch_engine_put(&row, Anum_run_owner_id, UUIDPGetDatum(owner));
	if (request->started_by != NULL)
		orch_engine_put(&row, Anum_run_created_by, UUIDPGetDatum(&rs->started_by));
	orch_engine_put(&row, Anum_run_orchestration_name, CStringGetTextDatum(def->name));
	orch_engine_put(&row, Anum_run_orchestration_label, CStringGetTextDatum(def->label));
	if (rs->record_key != NULL)
	{
		orch_engine_put(&row, Anum_run_triggering_record_type,
						CStringGetTextDatum(rs->record_type));
		orch_engine_put(&row, Anum_run_triggering_record_id,
						CStringGetTextDatum(rs->record_key));
	}
	if (variables != NULL)
		orch_engine_put(&row, Anum_run_variables, JsonbPGetDatum(variables));
	orch_engine_put(&row, Anum_run_orchestration_id, UUIDPGetDatum(&def->orchestration_id));
	orch_engine_put(&row, Anum_run_is_approval, BoolGetDatum(def->kind == DEFINITION_APPROVAL));
	/* the run enters this stage next: setting it here saves an update */
	if (def->start.kind == ELEMENT_STAGE)
	{
		rs->current_stage = def->stages[def->start.index].name;
		orch_engine_put(&row, Anum_run_current_stage, CStringGetTextDatum(rs->current_stage));
	}
	if (request->idempotency_key == NULL)
	{
		orch_engine_write(rs, WRITE_RUN, &row, 1);
		return true;
	}
	orch_engine_put(&row, Anum_run_idempotency_key,
					CStringGetTextDatum(request->idempotency_key));
	orch_engine_put(&row, Anum_run_idempotency_digest, PointerGetDatum(request->digest));
	return orch_engine_write_now(rs, WRITE_RUN_ONCE, &row, 1, SCOPE_TRUSTED, NULL) == 1;
}

/*
 * Set the starter of the run: the user of the acting role, if that role has a user.
 */
void
orch_engine_set_starter(StartRequest *request, pg_uuid_t *started_by)
{
	Oid			actor = orch_frame_actor();
	const Principal *principal;

	if (!OidIsValid(actor))
		return;
	request->starter = orch_principal_actor(actor);
	principal = orch_principal_acting(actor);
	if (principal == NULL)
		return;
	*started_by = principal->id;
	request->started_by = started_by;
}

/*
 * Do the filters of the start hold for the record?  If the definition starts only on a
 * change to meet the filters, they must not have held for the prior record.  If they read a
 * field that the record's table does not have, *missing is its name and nothing starts.
 */
bool
orch_engine_triggered(const StartRequest *request, const char **missing)
{
	const Definition *def = request->definition;
	MemoryContext caller = CurrentMemoryContext;
	RunState   *rs;
	SystemContext saved;
	bool		result;

	*missing = NULL;

	if ((def->filters == NULL || def->filters->nrequirements == 0) &&
		def->filter_formula == NULL)
		return !def->only_when_changed || request->prior == NULL;
	orch_system_connect(&saved);
	rs = orch_engine_make_state(def);
	orch_engine_init_evaluation(rs);
	rs->record_type = unconstify(char *, request->record_type);
	rs->record_key = unconstify(char *, request->record_key);
	rs->record = request->record;
	rs->record_loaded = true;
	rs->prior = request->prior;
	rs->started_at = GetCurrentStatementStartTimestamp();
	rs->started_by = request->started_by != NULL ? *request->started_by :
		orch_automated_process;
	if (def->filters_read_variables)
		orch_engine_begin_values(rs, NULL, InvalidOid);
	result = filters_hold(rs);
	if (result && def->only_when_changed && request->prior != NULL)
	{
		rs->look_back = true;
		result = !filters_hold(rs);
	}
	if (rs->missing_field != NULL)
	{
		*missing = MemoryContextStrdup(caller, rs->missing_field);
		result = false;
	}
	MemoryContextDelete(rs->context);
	orch_system_finish(&saved);
	return result;
}

static bool
filters_hold(RunState *rs)
{
	JsonbValue *value;

	orch_engine_begin_evaluation(rs);
	if (rs->def->filters != NULL && !orch_condition_set_holds(&rs->eval, rs->def->filters))
		return false;
	if (rs->def->filter_formula == NULL)
		return true;
	value = orch_formula_node_value(&rs->eval, rs->def->filter_formula);
	if (value != NULL && value->type != jbvBool && value->type != jbvNull)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("the filter formula of orchestration \"%s\" gives %s, not a boolean",
						rs->def->name, orch_condition_type_name(value))));
	return value != NULL && value->type == jbvBool && value->val.boolean;
}
