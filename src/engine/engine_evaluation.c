/*-------------------------------------------------------------------------
 *
 * engine_evaluation.c
 *	  Conditions that an evaluation flow or a function decides.
 *
 * The name of an evaluation action is looked up among the registered function actions
 * first, then among the active evaluation flows.  Either gets the inputs of the condition
 * and returns the boolean isOrchestrationConditionMet; null counts as false
 * (contract/lifecycle.md, "Conditions").
 *
 * An evaluation flow is executed in memory: record lookups, decisions and assignments,
 * from its start to the end of its path.  It writes nothing, and like the engine it reads
 * in system context.
 *
 * Every function here may raise an error; the caller has a subtransaction for it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_evaluation.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "engine/engine_int.h"
#include "record/action.h"
#include "record/record.h"

/* defined here, not in engine.c, because the limit also holds for evaluation flows */
int			orch_max_elements = 1000;

/* The context in which the filters of a lookup are evaluated. */
typedef struct LookupContext
{
	EvalContext eval;			/* must be first */
	RunState   *flow;
	const LookupDef *lookup;
	bool		composite;		/* has the key several columns? */
	Jsonb	   *record;
} LookupContext;

static bool play_flow(RunState *rs, const Definition *def, Jsonb *inputs);
static void look_up(RunState *flow, int index);
static bool is_wanted(Jsonb *record, void *arg);
static JsonbValue *resolve_lookup(EvalContext *cxt, const Operand *operand);

/*
 * Does the function or evaluation flow return that the condition is met?
 */
bool
orch_engine_evaluate(RunState *rs, const EvaluationAction *evaluation)
{
	Jsonb	   *inputs = orch_engine_inputs(rs, evaluation->name, evaluation->ninputs,
											evaluation->inputs);
	const Action *action = orch_action_find(evaluation->name);
	Jsonb	   *result;
	JsonbValue *answer;

	if (action == NULL)
		return play_flow(rs, orch_definition_active(evaluation->name), inputs);
	if (action->kind != ACTION_FUNCTION)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_ACTION),
				 errmsg("action \"%s\" cannot decide a condition: it is not a function",
						evaluation->name),
				 errhint("Register a function of that name, or deploy and activate an evaluation flow.")));
	result = orch_action_call(action, inputs, NULL, GATE_ACTION);
	if (result == NULL)
		return false;
	answer = orch_condition_field(&result->root, CONDITION_OUTPUT);
	if (answer == NULL || answer->type == jbvNull)
		return false;
	if (answer->type != jbvBool)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("output " CONDITION_OUTPUT " of action \"%s\" is %s, not a boolean",
						evaluation->name, orch_condition_type_name(answer))));
	return answer->val.boolean;
}

static bool
play_flow(RunState *rs, const Definition *def, Jsonb *inputs)
{
	RunState   *flow;
	Connector	next = def->start;
	int			nentries = 0;
	JsonbValue *answer = NULL;
	bool		result;
	int			i;

	check_stack_depth();
	if (def->kind != DEFINITION_EVALUATION)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("orchestration \"%s\" cannot decide a condition: it is not an evaluation flow",
						def->name)));
	flow = orch_engine_make_state(def);
	flow->id = rs->id;
	flow->interview_id = rs->interview_id;
	flow->started_by = rs->started_by;
	flow->started_at = rs->started_at;
	flow->lookups = MemoryContextAllocZero(flow->context,
										   sizeof(JsonbValue *) * Max(def->nlookups, 1));
	orch_engine_begin_values(flow, inputs, InvalidOid);
	while (next.kind != ELEMENT_END)
	{
		CHECK_FOR_INTERRUPTS();
		if (++nentries > orch_max_elements)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_ENDLESS_LOOP),
					 errmsg("evaluation flow \"%s\" entered %d elements without ending",
							def->name, orch_max_elements),
					 errhint("If its connectors form a loop, remove the loop; otherwise raise orchestration.max_elements.")));
		switch (next.kind)
		{
			case ELEMENT_DECISION:
				next = orch_engine_decide(flow, next.index);
				break;
			case ELEMENT_ASSIGNMENT:
				orch_engine_assign(flow, &def->assignments[next.index]);
				next = def->assignments[next.index].connector;
				break;
			case ELEMENT_LOOKUP:
				look_up(flow, next.index);
				next = def->lookups[next.index].connector;
				break;
			case ELEMENT_STAGE:
			case ELEMENT_END:
				elog(ERROR, "unexpected element in evaluation flow \"%s\"", def->name);
		}
	}
	for (i = 0; i < def->nvariables; i++)
		if (strcmp(def->variables[i].name, CONDITION_OUTPUT) == 0)
			answer = flow->variables[i];
	result = answer != NULL && answer->type == jbvBool && answer->val.boolean;
	MemoryContextDelete(flow->context);
	return result;
}

/*
 * Take a decision: return the connector of its first outcome that holds, or the default
 * connector.
 */
Connector
orch_engine_decide(RunState *rs, int decision)
{
	const DecisionDef *def = &rs->def->decisions[decision];
	int			taken = -1;
	int			i;

	orch_engine_visit(rs, def->name);
	for (i = def->first_outcome; i < def->first_outcome + def->noutcomes; i++)
	{
		const OutcomeDef *outcome = &rs->def->outcomes[i];
		bool		before;

		CHECK_FOR_INTERRUPTS();
		if (!orch_engine_holds(rs, outcome->conditions))
			continue;
		if (outcome->only_when_changed && rs->prior != NULL)
		{
			rs->look_back = true;
			before = orch_engine_holds(rs, outcome->conditions);
			rs->look_back = false;
			if (before)
				continue;
		}
		taken = i;
		break;
	}
	for (i = def->first_outcome; i < def->first_outcome + def->noutcomes; i++)
	{
		if (rs->outcomes[i] != (i == taken))
		{
			rs->outcomes[i] = i == taken;
			rs->variables_changed = true;
		}
	}
	if (taken < 0)
		return def->default_connector;
	orch_engine_visit(rs, rs->def->outcomes[taken].name);
	return rs->def->outcomes[taken].connector;
}

/*
 * Execute a Get Records element.
 */
static void
look_up(RunState *flow, int index)
{
	const LookupDef *lookup = &flow->def->lookups[index];
	const ConditionSet *set = lookup->filters;
	RecordFilter *filters = palloc(sizeof(RecordFilter) * Max(set->nrequirements, 1));
	int			nfilters = 0;
	LookupContext context;
	List	   *records;
	JsonbParseState *state = NULL;
	JsonbValue	value;
	JsonbValue *found = NULL;
	ListCell   *cell;
	int			i;

	orch_engine_visit(flow, lookup->name);
	/* conditions of equality can use an index */
	orch_engine_begin_evaluation(flow);
	for (i = 0; set->logic == NULL && i < set->nrequirements; i++)
	{
		const Requirement *requirement = &set->requirements[i];
		char	   *text;

		CHECK_FOR_INTERRUPTS();
		if (requirement->op != COMPARE_EQUAL_TO)
			continue;
		text = orch_condition_value_text(orch_condition_operand_value(&flow->eval,
																	  requirement->right));
		if (text == NULL)
			continue;
		filters[nfilters].field = linitial(requirement->left->path);
		filters[nfilters++].value = text;
	}
	context.eval.resolve = resolve_lookup;
	context.eval.arg = flow;
	context.flow = flow;
	context.lookup = lookup;
	context.composite = orch_record_is_composite(lookup->record_type);
	context.record = NULL;
	records = orch_record_select(lookup->record_type, nfilters, filters,
								 lookup->sort_field, lookup->descending,
								 is_wanted, &context,
								 lookup->first_only ? 1 : lookup->limit);

	value.type = jbvBinary;
	if (!lookup->first_only)
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, records)
	{
		Jsonb	   *record = lfirst(cell);

		value.val.binary.data = &record->root;
		value.val.binary.len = VARSIZE_ANY_EXHDR(record);
		if (lookup->first_only)
			found = &value;
		else
			pushJsonbValue(&state, WJB_ELEM, &value);
	}
	if (!lookup->first_only)
		found = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	flow->lookups[index] = orch_engine_copy_value(flow->context, found);
	if (lookup->variable >= 0 && (records != NIL || lookup->assign_null || !lookup->first_only))
		flow->variables[lookup->variable] = flow->lookups[index];
}

static bool
is_wanted(Jsonb *record, void *arg)
{
	LookupContext *context = arg;

	context->record = record;
	orch_engine_begin_evaluation(context->flow);
	return orch_condition_set_holds(&context->eval, context->lookup->filters);
}

/*
 * Left sides are fields of the record that is tested; all other references resolve to
 * values of the flow.
 */
static JsonbValue *
resolve_lookup(EvalContext *cxt, const Operand *operand)
{
	LookupContext *context = (LookupContext *) cxt;
	JsonbValue *value;

	if (operand->kind != OPERAND_RECORD)
		return context->flow->eval.resolve(&context->flow->eval, operand);
	value = orch_condition_field(&context->record->root, linitial(operand->path));
	if (orch_record_is_id(linitial(operand->path), context->record, value != NULL,
						  context->composite))
		value = orch_record_json_id(context->lookup->record_type, context->record);
	else if (value == NULL)
		orch_record_refuse_field(context->lookup->record_type, linitial(operand->path));
	return value;
}
