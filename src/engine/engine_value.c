/*-------------------------------------------------------------------------
 *
 * engine_value.c
 *	  The values of a run: the values of references in conditions, inputs and
 *	  assignments, and how variables are stored.
 *
 * engine_variable.c has how variables begin.  run.variables stores the variables as one
 * JSON object.  Four further members have
 * keys that no variable can have: the names of the outcomes taken, which references read
 * as Booleans; the names of the elements visited, if a condition asks for them by
 * WasVisited; $Record__Prior, if the definition reads it; and the message of the error
 * that led along the last fault path.  $Record is read again in every evaluation, once.
 *
 * A formula or text template is computed once in an evaluation, however often it is
 * referred to.  Formulas can refer to each other more than once, so the cost would grow
 * exponentially with the depth otherwise.  An evaluation is one set of conditions, the
 * inputs of one step or condition, one assigned value, or one assignee.  Values that a
 * formula reads do not change within an evaluation, but may change between two.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_value.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "evaluate/formula.h"
#include "guard/transition.h"
#include "record/principal.h"
#include "record/record.h"

#define OUTCOMES_KEY "$Outcomes"
#define VISITED_KEY "$Visited"
#define PRIOR_KEY	"$Record__Prior"
#define FAULT_KEY	"$Flow.FaultMessage"

/* reference 1.13: limit of all inputs of one step, in characters of their JSON text */
#define MAX_INPUTS 32768

static StaticPlan plan_step_status = {
	"SELECT status FROM orchestration.step_run"
	" WHERE run_id = $1 AND name = $2 ORDER BY id DESC LIMIT 1",
	2, {UUIDOID, TEXTOID}
};
static StaticPlan plan_stage_status = {
	"SELECT status FROM orchestration.stage_run"
	" WHERE run_id = $1 AND name = $2 ORDER BY position DESC LIMIT 1",
	2, {UUIDOID, TEXTOID}
};
static StaticPlan plan_step_outputs = {
	"SELECT outputs FROM orchestration.step_run"
	" WHERE run_id = $1 AND name = $2 AND status = 'Completed'"
	" ORDER BY id DESC LIMIT 1",
	2, {UUIDOID, TEXTOID}
};
static StaticPlan plan_user = {
	"SELECT pg_catalog.to_jsonb(p) FROM orchestration.principal p WHERE p.id = $1",
	1, {UUIDOID}
};

static StaticPlan plan_global = {
	"SELECT value FROM orchestration.global_value WHERE name = $1", 1, {TEXTOID}
};

static JsonbValue *resolve(EvalContext *cxt, const Operand *operand);
static JsonbValue *resolve_record(RunState *rs, const Operand *operand);
static JsonbValue *record_value(RunState *rs, const Operand *operand, Jsonb *record);
static JsonbValue *resolve_step_output(RunState *rs, const Operand *operand);
static JsonbValue *latest_status(RunState *rs, StaticPlan *plan, Level level,
								 const char *name);
static JsonbValue *formula_value(RunState *rs, const Operand *operand);
static JsonbValue *resolve_template(RunState *rs, const TemplateDef *template);
static JsonbValue *resolve_global(const Operand *operand);
static JsonbValue *text_value(const char *text);
static void push_text(JsonbParseState **state, const char *key, const char *text);
static JsonbValue *member(Jsonb *stored, const char *key);
static void load_names(RunState *rs, const JsonbValue *names, bool outcomes);
static bool push_names(RunState *rs, JsonbParseState **state, bool outcomes);

static JsonbValue *
text_value(const char *text)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvString;
	value->val.string.val = pstrdup(text);
	value->val.string.len = strlen(text);
	return value;
}

/*
 * References in conditions and formulas resolve to values of this run.
 */
void
orch_engine_init_evaluation(RunState *rs)
{
	rs->eval.resolve = resolve;
	rs->eval.arg = rs;
}

/*
 * Has a value the data type of a variable?  Null always fits.
 */
bool
orch_engine_value_fits(const VariableDef *variable, JsonbValue *value)
{
	JsonbContainer *container;

	if (value == NULL || value->type == jbvNull)
		return true;
	container = value->type == jbvBinary ? value->val.binary.data : NULL;
	if (variable->is_collection)
		return value->type == jbvArray ||
			(container != NULL && JsonContainerIsArray(container));
	switch (variable->type)
	{
		case VARIABLE_STRING:
		case VARIABLE_DATE:
		case VARIABLE_DATETIME:
		case VARIABLE_TIME:
			return value->type == jbvString;
		case VARIABLE_NUMBER:
			return value->type == jbvNumeric;
		case VARIABLE_BOOLEAN:
			return value->type == jbvBool;
		case VARIABLE_RECORD:
			return value->type == jbvObject ||
				(container != NULL && JsonContainerIsObject(container));
	}
	return false;
}

/*
 * Read the variables from run.variables.
 */
void
orch_engine_load_variables(RunState *rs, Jsonb *stored)
{
	const Definition *def = rs->def;
	JsonbValue *taken;
	int			i;

	if (stored == NULL || !JB_ROOT_IS_OBJECT(stored))
		return;
	for (i = 0; i < def->nvariables; i++)
	{
		const char *name = def->variables[i].name;

		if (def->variables[i].is_stored)
			rs->variables[i] = orch_engine_copy_value(rs->context, member(stored, name));
	}
	taken = member(stored, PRIOR_KEY);
	if (taken != NULL && taken->type == jbvBinary)
	{
		MemoryContext old = MemoryContextSwitchTo(rs->context);

		rs->prior = JsonbValueToJsonb(taken);
		MemoryContextSwitchTo(old);
	}
	taken = member(stored, FAULT_KEY);
	if (taken != NULL && taken->type == jbvString)
	{
		rs->fault_message = MemoryContextAllocZero(rs->context, taken->val.string.len + 1);
		memcpy(rs->fault_message, taken->val.string.val, taken->val.string.len);
	}
	load_names(rs, member(stored, OUTCOMES_KEY), true);
	load_names(rs, member(stored, VISITED_KEY), false);
}

static JsonbValue *
member(Jsonb *stored, const char *key)
{
	return getKeyJsonValueFromContainer(&stored->root, key, strlen(key), NULL);
}

/* Read the names of the outcomes taken, or of the elements visited. */
static void
load_names(RunState *rs, const JsonbValue *names, bool outcomes)
{
	bool	   *flags = outcomes ? rs->outcomes : rs->visited;
	JsonbValue	name;
	JsonbIterator *it;

	if (names == NULL || names->type != jbvBinary)
		return;
	memset(flags, 0, (outcomes ? rs->def->noutcomes : rs->def->nvisits) * sizeof(bool));
	it = JsonbIteratorInit(names->val.binary.data);
	(void) JsonbIteratorNext(&it, &name, true);
	while (JsonbIteratorNext(&it, &name, true) == WJB_ELEM)
	{
		char	   *text;
		int			i;

		CHECK_FOR_INTERRUPTS();
		if (name.type != jbvString)
			continue;
		text = pnstrdup(name.val.string.val, name.val.string.len);
		i = outcomes ? orch_definition_outcome_index(rs->def, text) :
			orch_definition_visit_index(rs->def, text);
		if (i >= 0)
			flags[i] = true;
		pfree(text);
	}
}

/* The same, for storing; false if there are none. */
static bool
push_names(RunState *rs, JsonbParseState **state, bool outcomes)
{
	const char *key = outcomes ? OUTCOMES_KEY : VISITED_KEY;
	const bool *flags = outcomes ? rs->outcomes : rs->visited;
	int			nflags = outcomes ? rs->def->noutcomes : rs->def->nvisits;
	JsonbValue	value;
	int			i;

	for (i = 0; i < nflags && !flags[i]; i++)
		;
	if (i == nflags)
		return false;
	value.type = jbvString;
	value.val.string.val = unconstify(char *, key);
	value.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &value);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (; i < nflags; i++)
	{
		if (!flags[i])
			continue;
		value.val.string.val = unconstify(char *, outcomes ? rs->def->outcomes[i].name :
										  rs->def->visits[i]);
		value.val.string.len = strlen(value.val.string.val);
		pushJsonbValue(state, WJB_ELEM, &value);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	return true;
}

/* The run reaches an element: note it if WasVisited asks for it. */
void
orch_engine_visit(RunState *rs, const char *name)
{
	int			i = orch_definition_visit_index(rs->def, name);

	if (i < 0 || rs->visited[i])
		return;
	rs->visited[i] = true;
	rs->variables_changed = true;
}

static void
push_text(JsonbParseState **state, const char *key, const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, key);
	value.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &value);
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/*
 * The variables as run.variables stores them; NULL if there is nothing to store.
 */
Jsonb *
orch_engine_store_variables(RunState *rs)
{
	const Definition *def = rs->def;
	JsonbParseState *state = NULL;
	JsonbValue	name;
	JsonbValue *result;
	bool		any = false;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	name.type = jbvString;
	for (i = 0; i < def->nvariables; i++)
	{
		if (!def->variables[i].is_stored || rs->variables[i] == NULL)
			continue;
		name.val.string.val = def->variables[i].name;
		name.val.string.len = strlen(def->variables[i].name);
		pushJsonbValue(&state, WJB_KEY, &name);
		pushJsonbValue(&state, WJB_VALUE, rs->variables[i]);
		any = true;
	}
	any |= push_names(rs, &state, true);
	any |= push_names(rs, &state, false);
	if (rs->prior != NULL)
	{
		name.val.string.val = PRIOR_KEY;
		name.val.string.len = strlen(PRIOR_KEY);
		pushJsonbValue(&state, WJB_KEY, &name);
		pushJsonbValue(&state, WJB_VALUE, orch_condition_jsonb_value(rs->prior));
		any = true;
	}
	if (rs->fault_message != NULL)
	{
		push_text(&state, FAULT_KEY, rs->fault_message);
		any = true;
	}
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return any ? JsonbValueToJsonb(result) : NULL;
}

/*
 * The callback of the evaluator: the current value of a reference.
 */
static JsonbValue *
resolve(EvalContext *cxt, const Operand *operand)
{
	RunState   *rs = (RunState *) cxt->arg;
	PastStage  *past;
	JsonbValue *value;
	int			i;

	switch (operand->kind)
	{
		case OPERAND_LITERAL:
			return operand->literal;
		case OPERAND_VARIABLE:
			return orch_engine_variable_value(rs, operand);
		case OPERAND_RECORD:
			return resolve_record(rs, operand);
		case OPERAND_RECORD_PRIOR:
			return rs->record_key == NULL ? NULL : record_value(rs, operand, rs->prior);
		case OPERAND_STEP_STATUS:
			for (i = 0; i < rs->nsteps; i++)
				if (rs->steps[i].def == operand->index)
					return text_value(orch_catalog_label(ENUM_STEP_STATUS,
														 rs->steps[i].status));
			for (past = rs->past; past != NULL; past = past->before)
				for (i = 0; i < past->nsteps; i++)
					if (past->steps[i].def == operand->index)
						return text_value(orch_catalog_label(ENUM_STEP_STATUS,
															 past->steps[i].status));
			return latest_status(rs, &plan_step_status, LEVEL_STEP,
								 rs->def->steps[operand->index].name);
		case OPERAND_STAGE_STATUS:
			if (rs->position > 0 && rs->stage == operand->index)
				return text_value(orch_catalog_label(ENUM_STAGE_STATUS, rs->stage_status));
			for (past = rs->past; past != NULL; past = past->before)
				if (past->stage == operand->index)
					return text_value(orch_catalog_label(ENUM_STAGE_STATUS, past->status));
			return latest_status(rs, &plan_stage_status, LEVEL_STAGE,
								 rs->def->stages[operand->index].name);
		case OPERAND_STEP_OUTPUT:
			return resolve_step_output(rs, operand);
		case OPERAND_OUTCOME:
		case OPERAND_VISITED:
			value = palloc(sizeof(JsonbValue));
			value->type = jbvBool;
			value->val.boolean = operand->kind == OPERAND_OUTCOME ?
				rs->outcomes[operand->index] : rs->visited[operand->index];
			return value;
		case OPERAND_USER:
			{
				Datum		id = UUIDPGetDatum(&rs->started_by);
				bool		isnull;

				orch_plan_execute_latest(&plan_user, &id, NULL, 1);
				if (SPI_processed == 0)
					return NULL;
				value = orch_condition_jsonb_value(DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[0],
																				SPI_tuptable->tupdesc, 1, &isnull)));
				return operand->path == NIL ? value :
					orch_condition_value_at(value, operand->path);
			}
		case OPERAND_INTERVIEW_GUID:
			return text_value(orch_uuid_text(&rs->interview_id));
		case OPERAND_RUN_ID:
			return text_value(orch_uuid_text(&rs->id));
		case OPERAND_CURRENT_DATETIME:
			return orch_formula_time_value((Timestamp) GetCurrentTimestamp(), false);
		case OPERAND_CURRENT_DATE:
			return orch_formula_time_value((Timestamp) GetCurrentTimestamp(), true);
		case OPERAND_START_TIME:
			return orch_formula_time_value((Timestamp) rs->started_at, false);
		case OPERAND_FAULT_MESSAGE:
			return rs->fault_message == NULL ? NULL : text_value(rs->fault_message);
		case OPERAND_GLOBAL:
			return resolve_global(operand);
		case OPERAND_FORMULA:
		case OPERAND_TEMPLATE:
			return formula_value(rs, operand);
		case OPERAND_LOOKUP:
			value = rs->lookups == NULL ? NULL : rs->lookups[operand->index];
			if (operand->path == NIL || value == NULL)
				return value;
			if (rs->def->lookups[operand->index].first_only && value->type == jbvBinary &&
				orch_condition_field(value->val.binary.data, linitial(operand->path)) == NULL &&
				orch_record_lacks_path(rs->def->lookups[operand->index].record_type, operand->path))
				orch_record_refuse_field(rs->def->lookups[operand->index].record_type,
										 linitial(operand->path));
			return orch_condition_value_at(value, operand->path);
	}
	return NULL;
}

/*
 * Begin another evaluation: the values of formulas become invalid.  They live in the
 * memory of the evaluation's caller, so the number of the evaluation shows whether a value
 * still exists; the pointer does not.
 */
void
orch_engine_begin_evaluation(RunState *rs)
{
	rs->evaluation++;
}

/* Evaluate one operand, in an evaluation of its own; NULL for null. */
JsonbValue *
orch_engine_value(RunState *rs, const Operand *operand)
{
	orch_engine_begin_evaluation(rs);
	return orch_condition_operand_value(&rs->eval, operand);
}

/* Evaluate a set of conditions, in an evaluation of its own. */
bool
orch_engine_holds(RunState *rs, const ConditionSet *set)
{
	orch_engine_begin_evaluation(rs);
	return orch_condition_set_holds(&rs->eval, set);
}

/*
 * The value of a formula or text template, computed once in an evaluation.
 */
static JsonbValue *
formula_value(RunState *rs, const Operand *operand)
{
	const Definition *def = rs->def;
	bool		is_formula = operand->kind == OPERAND_FORMULA;
	FormulaMemo *memo;

	check_stack_depth();
	if (rs->formulas == NULL)
		rs->formulas = MemoryContextAllocExtended(rs->context,
												  sizeof(FormulaMemo) * (def->nformulas + def->ntemplates),
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	memo = &rs->formulas[is_formula ? operand->index : def->nformulas + operand->index];
	if (memo->evaluation != rs->evaluation || rs->evaluation == 0)
	{
		memo->value = is_formula ?
			orch_formula_value(&rs->eval, &def->formulas[operand->index]) :
			resolve_template(rs, &def->templates[operand->index]);
		memo->evaluation = rs->evaluation;
	}
	return memo->value;
}

/*
 * The value of a text template; null values are empty texts.
 */
static JsonbValue *
resolve_template(RunState *rs, const TemplateDef *template)
{
	StringInfoData result;
	ListCell   *cell;
	int			n = 0;

	check_stack_depth();
	initStringInfo(&result);
	appendStringInfoString(&result, template->texts[n++]);
	foreach(cell, template->references)
	{
		char	   *text = orch_condition_value_text(orch_condition_operand_value(&rs->eval,
																				  lfirst(cell)));

		CHECK_FOR_INTERRUPTS();
		if (text != NULL)
		{
			appendStringInfoString(&result, text);
			pfree(text);
		}
		appendStringInfoString(&result, template->texts[n++]);
		if (orch_formula_is_too_long(result.data, result.len))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("text template \"%s\" would make a text of more than %d characters",
							template->name, MAX_TEXT_LENGTH)));
	}
	return text_value(result.data);
}

/*
 * The value of a global such as $Organization.Name, set by set_global(); null if it is not
 * set.
 */
static JsonbValue *
resolve_global(const Operand *operand)
{
	char	   *name = pnstrdup(operand->text, strcspn(operand->text, "."));
	Datum		value = CStringGetTextDatum(name);
	bool		isnull;

	orch_plan_execute_latest(&plan_global, &value, NULL, 1);
	if (SPI_processed == 0)
		return NULL;
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return orch_condition_value_at(orch_condition_jsonb_value(DatumGetJsonbP(value)), operand->path);
}

static JsonbValue *
resolve_record(RunState *rs, const Operand *operand)
{
	if (rs->record_key == NULL)
		return NULL;
	if (rs->look_back)
		return record_value(rs, operand, rs->prior);
	if (!rs->record_loaded)
	{
		MemoryContext old = MemoryContextSwitchTo(rs->context);

		rs->record = orch_record_fetch(rs->record_type, rs->record_key);
		MemoryContextSwitchTo(old);
		rs->record_loaded = true;
	}
	return record_value(rs, operand, rs->record);
}

/*
 * The value of a field of the record or the prior record.  A field that its table does not
 * have is an error, not null; a filter of the start only notes it (orch_engine_triggered()).
 */
static JsonbValue *
record_value(RunState *rs, const Operand *operand, Jsonb *record)
{
	const char *missing;
	JsonbValue *value = orch_record_value_at(rs->record_type, rs->record_key, record,
											 operand->path, &missing);

	if (missing == NULL)
		return value;
	if (rs->frame != NULL)
		orch_record_refuse_field(rs->record_type, missing);
	rs->missing_field = missing;
	return NULL;
}

/*
 * An output of a step, readable when the step is Completed.  If a loop made several rows
 * of the step, the latest completed one counts.
 */
static JsonbValue *
resolve_step_output(RunState *rs, const Operand *operand)
{
	PastStage  *past;
	Datum		values[2];
	bool		isnull;
	Datum		outputs;
	int			i;

	for (i = 0; i < rs->nsteps; i++)
	{
		if (rs->steps[i].def != operand->index)
			continue;
		/* an InProgress step has outputs if its assignee finished before its condition holds */
		if ((rs->steps[i].status != STEP_COMPLETED &&
			 rs->steps[i].status != STEP_IN_PROGRESS) || rs->steps[i].outputs == NULL)
			return NULL;
		return orch_condition_value_at(orch_condition_jsonb_value(rs->steps[i].outputs),
									   operand->path);
	}
	for (past = rs->past; past != NULL; past = past->before)
		for (i = 0; i < past->nsteps; i++)
			if (past->steps[i].def == operand->index && past->steps[i].status == STEP_COMPLETED)
				return past->steps[i].outputs == NULL ? NULL :
					orch_condition_value_at(orch_condition_jsonb_value(past->steps[i].outputs), operand->path);
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = CStringGetTextDatum(rs->def->steps[operand->index].name);
	orch_plan_execute_latest(&plan_step_outputs, values, NULL, 1);
	if (SPI_processed == 0)
		return NULL;
	outputs = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? NULL :
		orch_condition_value_at(orch_condition_jsonb_value(DatumGetJsonbP(outputs)), operand->path);
}

static JsonbValue *
latest_status(RunState *rs, StaticPlan *plan, Level level, const char *name)
{
	Datum		values[2];
	bool		isnull;

	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = CStringGetTextDatum(name);
	orch_plan_execute_latest(plan, values, NULL, 1);
	if (SPI_processed == 0)
		return NULL;
	return text_value(orch_transition_status_name(level,
												  orch_transition_status_value(level,
																			   DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
																											  SPI_tuptable->tupdesc, 1, &isnull)))));
}

/*
 * The inputs of a step's action, as a JSON object.  Reserved inputs (ActionInput__...) are
 * for the engine and are left out.
 */
Jsonb *
orch_engine_step_inputs(RunState *rs, const StepDef *step)
{
	return orch_engine_inputs(rs, step->name, step->ninputs, step->inputs);
}

Jsonb *
orch_engine_inputs(RunState *rs, const char *element, int ninputs,
				   const InputParameter *inputs)
{
	JsonbParseState *state = NULL;
	JsonbValue	name;
	JsonbValue	null;
	Jsonb	   *result;
	int			i;

	null.type = jbvNull;
	name.type = jbvString;
	orch_engine_begin_evaluation(rs);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < ninputs; i++)
	{
		const InputParameter *input = &inputs[i];
		JsonbValue *value = NULL;

		CHECK_FOR_INTERRUPTS();
		if (strncmp(input->name, "ActionInput__", strlen("ActionInput__")) == 0)
			continue;
		if (input->value != NULL)
			value = orch_condition_operand_value(&rs->eval, input->value);
		name.val.string.val = input->name;
		name.val.string.len = strlen(input->name);
		pushJsonbValue(&state, WJB_KEY, &name);
		pushJsonbValue(&state, WJB_VALUE, value == NULL ? &null : value);
	}
	result = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	if (VARSIZE(result) > MAX_INPUTS)
	{
		char	   *text = JsonbToCString(NULL, &result->root, VARSIZE(result));

		if (pg_mbstrlen(text) > MAX_INPUTS)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("inputs of \"%s\" exceed %d characters",
							element, MAX_INPUTS)));
		pfree(text);
	}
	return result;
}

JsonbValue *
orch_engine_comments(Jsonb *outputs)
{
	static const char *const names[] = {"Comments", "approvalComments", "specifiedComments"};
	int			i;

	for (i = 0; i < (int) lengthof(names); i++)
	{
		JsonbValue *comments = orch_condition_field(&outputs->root, names[i]);

		if (comments != NULL)
			return comments;
	}
	return NULL;
}
