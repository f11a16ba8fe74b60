/*-------------------------------------------------------------------------
 *
 * definition_references.c
 *	  orchestration_references(): what a definition refers to outside of itself, actions,
 *	  assignees, record types and their fields, inputs.
 *
 * Activation (definition_activation.c), where a missing thing is an error, uses the same
 * look-ups (definition_known.c), so that they cannot disagree.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_references.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/errors.h"
#include "base/system.h"
#include "definition/definition_int.h"
#include "definition/definition_known.h"
#include "record/action.h"

/* State of orchestration_references(). */
typedef struct References
{
	ReturnSetInfo *rsinfo;
	HTAB	   *seen;			/* rows already returned */
	const Definition *def;
	const LookupDef *lookup;	/* whose filters are looked at, or NULL */
	KnownList	actions;
	KnownList	principals;
	Jsonb	   *columns;		/* of the record type's table, or NULL */
} References;

static StaticPlan known_definition_plan = {
	"SELECT 1 FROM orchestration.orchestration_definition WHERE name = $1",
	1, {TEXTOID}
};
static StaticPlan global_plan = {
	"SELECT value FROM orchestration.global_value WHERE name = $1", 1, {TEXTOID}
};
static StaticPlan record_columns_plan = {
	"SELECT (SELECT jsonb_object_agg(a.attname, true) FROM pg_attribute a"
	" WHERE a.attrelid = orchestration_internal.record_type_table(r.name) AND a.attnum > 0 AND NOT a.attisdropped)"
	" FROM orchestration.record_type r WHERE r.name = $1",
	1, {TEXTOID}
};

static void find_version(FunctionCallInfo fcinfo, pg_uuid_t *id);
static void add_start(References *refs);
static void add_variables(References *refs);
static void add_steps(References *refs);
static void add_assignee(References *refs, const StepDef *step, const Assignee *assignee);
static void add_stages(References *refs);
static void add_texts(References *refs);
static void add_lookups(References *refs);
static void add_path(References *refs);
static void add_stale(References *refs, const ProblemList *problems);
static void add_reference(References *refs, const char *kind, const char *name,
						  const char *detail, const char *used_by,
						  int resolved);
static void add_operand(References *refs, const Operand *operand,
						const char *used_by);
static bool global_is_set(const Operand *operand);
static void add_conditions(References *refs, const ConditionSet *set,
						   const char *used_by);
static void add_operands(References *refs, const List *operands,
						 const char *used_by);
static void add_evaluation(References *refs, const EvaluationAction *action,
						   const char *used_by);

/* --------------------------------------------------------------- look-ups */

static bool
record_type_is_there(const char *name)
{
	Datum		value = CStringGetTextDatum(name);

	(void) orch_plan_execute_latest(&record_columns_plan, &value, NULL, 1);
	return SPI_processed > 0;
}

/* ------------------------------------------------------------- references */

PG_FUNCTION_INFO_V1(orchestration_orchestration_references);

/*
 * orchestration.orchestration_references(orchestration text, version integer)
 * returns table (kind text, name text, detail text, used_by text,
 * resolved boolean)
 *
 * Returns what a version (null: the newest) needs from outside: actions, record types,
 * fields of records, assignees, inputs, global variables, and references that name
 * nothing.  used_by is the element that needs it; resolved is null if only a run can
 * tell whether it is there.
 * Raises: 42501 without the permission Manage Flow, 22004 for a null name, OR202 for an
 * unknown name, OR101 for an unknown version.
 * Source: ours.
 */
Datum
orchestration_orchestration_references(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MemoryContext context;
	MemoryContext caller = CurrentMemoryContext;
	ProblemList problems = {0};
	References	refs = {0};
	pg_uuid_t	version_id;
	HASHCTL		ctl;

	orch_definition_check_call(fcinfo, 0, "orchestration");
	InitMaterializedSRF(fcinfo, 0);

	orch_system_connect(&saved);
	find_version(fcinfo, &version_id);
	context = AllocSetContextCreate(CurrentMemoryContext,
									"orchestration definition",
									ALLOCSET_DEFAULT_SIZES);
	refs.def = orch_definition_compile_version(&version_id, context, &problems);
	refs.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	refs.actions = orch_definition_known_actions(refs.def);
	refs.principals = orch_definition_known_principals(refs.def);
	ctl.keysize = 512;
	ctl.entrysize = 512;
	ctl.hcxt = CurrentMemoryContext;
	refs.seen = hash_create("orchestration references", 256, &ctl,
							HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);

	add_start(&refs);
	add_variables(&refs);
	add_steps(&refs);
	add_stages(&refs);
	add_texts(&refs);
	add_lookups(&refs);
	add_path(&refs);
	add_stale(&refs, &problems);

	orch_system_finish(&saved);
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/*
 * The version that the arguments name.  Raises OR202 or OR101.  Connected to SPI.
 */
static void
find_version(FunctionCallInfo fcinfo, pg_uuid_t *id)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		newest = PG_ARGISNULL(1);
	int32		version = newest ? 0 : PG_GETARG_INT32(1);
	int32		found;
	Datum		value;

	if (orch_definition_find_version(name, newest, version, id, &found))
		return;
	value = CStringGetTextDatum(name);
	(void) orch_plan_execute_latest(&known_definition_plan, &value, NULL, 1);
	if (SPI_processed == 0)
		orch_definition_unknown(name);
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
			 errmsg("orchestration \"%s\" has no version %d", name, version)));
}

/* The record type, and what the filters of the start read. */
static void
add_start(References *refs)
{
	const Definition *def = refs->def;
	Datum		value;
	bool		registered;

	if (def->record_type == NULL)
		return;
	value = CStringGetTextDatum(def->record_type);
	(void) orch_plan_execute_latest(&record_columns_plan, &value, NULL, 1);
	registered = SPI_processed > 0;
	if (registered)
	{
		bool		isnull;

		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
							  &isnull);
		if (!isnull)
			refs->columns = DatumGetJsonbPCopy(value);
	}
	add_reference(refs, "record type", def->record_type, NULL, "start", registered);
	add_conditions(refs, def->filters, "start");
	add_operands(refs, def->filter_references, "start");
}

/* Inputs, and what default values read. */
static void
add_variables(References *refs)
{
	int			i;

	for (i = 0; i < refs->def->nvariables; i++)
	{
		const VariableDef *variable = &refs->def->variables[i];

		if (variable->is_input)
		{
			const char *type = orch_condition_variable_type_name(variable->type);

			add_reference(refs, "input", variable->name,
						  variable->is_collection ? psprintf("%s[]", type) : type,
						  NULL, -1);
		}
		/* without it, the variable does not follow its record */
		if (variable->object_type != NULL && variable->is_read)
			add_reference(refs, "record type", variable->object_type, NULL, variable->name,
						  record_type_is_there(variable->object_type));
		add_operand(refs, variable->default_value, variable->name);
	}
}

static void
add_steps(References *refs)
{
	int			i;
	int			j;

	for (i = 0; i < refs->def->nsteps; i++)
	{
		const StepDef *step = &refs->def->steps[i];
		const Known *known = orch_definition_find_known(&refs->actions, step->action_name);

		add_reference(refs, "action", step->action_name, orch_definition_fitting_actions(step),
					  step->name,
					  known != NULL && orch_definition_action_fits(step, known->kind));
		if (orch_definition_runs_as_user(step))
		{
			const Action *action = orch_action_find(step->action_name);

			add_reference(refs, "runAsUser", step->action_name, NULL, step->name,
						  action != NULL && orch_action_run_as_problem(action) == NULL);
		}
		for (j = 0; j < step->nassignees; j++)
			add_assignee(refs, step, &step->assignees[j]);
		add_operand(refs, step->context_record, step->name);
		add_operand(refs, step->message_subject, step->name);
		add_operand(refs, step->message_body, step->name);
		add_evaluation(refs, step->entry_action, step->name);
		add_evaluation(refs, step->exit_action, step->name);
		add_conditions(refs, step->entry, step->name);
		add_conditions(refs, step->exit, step->name);
		for (j = 0; j < step->ninputs; j++)
			add_operand(refs, step->inputs[j].value, step->name);
	}
}

static void
add_assignee(References *refs, const StepDef *step, const Assignee *assignee)
{
	const char *name = orch_definition_literal_assignee(assignee);
	const Known *known = name == NULL ? NULL :
		orch_definition_find_principal(&refs->principals, assignee->kind, name);

	add_reference(refs, "assignee", name != NULL ? name : assignee->value->text,
				  orch_definition_assignee_kind_name(assignee->kind), step->name,
				  name == NULL ? -1 : known != NULL && known->is_active);
	add_operand(refs, assignee->value, step->name);
}

static void
add_stages(References *refs)
{
	int			i;

	for (i = 0; i < refs->def->nstages; i++)
	{
		const StageDef *stage = &refs->def->stages[i];

		add_evaluation(refs, stage->exit_action, stage->name);
		add_conditions(refs, stage->exit, stage->name);
	}
}

/* Formulas and text templates. */
static void
add_texts(References *refs)
{
	const Definition *def = refs->def;
	int			i;

	for (i = 0; i < def->nformulas; i++)
		add_operands(refs, def->formulas[i].references, def->formulas[i].name);
	for (i = 0; i < def->ntemplates; i++)
		add_operands(refs, def->templates[i].references, def->templates[i].name);
}

static void
add_lookups(References *refs)
{
	int			i;

	for (i = 0; i < refs->def->nlookups; i++)
	{
		const LookupDef *lookup = &refs->def->lookups[i];

		add_reference(refs, "record type", lookup->record_type, NULL, lookup->name,
					  record_type_is_there(lookup->record_type));
		refs->lookup = lookup;
		add_conditions(refs, lookup->filters, lookup->name);
		refs->lookup = NULL;
		if (lookup->sort_field != NULL)
			add_reference(refs, "record field", lookup->sort_field,
						  lookup->record_type, lookup->name, -1);
	}
}

/* Outcomes of decisions, and assignments. */
static void
add_path(References *refs)
{
	const Definition *def = refs->def;
	int			i;
	int			j;

	for (i = 0; i < def->noutcomes; i++)
		add_conditions(refs, def->outcomes[i].conditions, def->outcomes[i].name);
	for (i = 0; i < def->nassignments; i++)
		for (j = 0; j < def->assignments[i].nitems; j++)
			add_operand(refs, def->assignments[i].items[j].value,
						def->assignments[i].name);
}

/* References that name nothing. */
static void
add_stale(References *refs, const ProblemList *problems)
{
	int			i;

	for (i = 0; i < problems->nproblems; i++)
	{
		const Problem *problem = &problems->problems[i];

		if (problem->severity == PROBLEM_STALE)
			add_reference(refs, "reference", problem->reference, problem->message,
						  problem->place, false);
	}
}

/*
 * Adds a row unless there is the same already; resolved: -1 for null.
 */
static void
add_reference(References *refs, const char *kind, const char *name,
			  const char *detail, const char *used_by, int resolved)
{
	Datum		values[5];
	bool		nulls[5] = {false};
	char	   *key = psprintf("%s\n%s\n%s\n%s", kind, used_by ? used_by : "",
							   detail ? detail : "", name);
	bool		found;

	CHECK_FOR_INTERRUPTS();
	(void) hash_search(refs->seen, key, HASH_ENTER, &found);
	pfree(key);
	if (found)
		return;
	values[0] = CStringGetTextDatum(kind);
	values[1] = CStringGetTextDatum(name);
	nulls[2] = detail == NULL;
	if (detail != NULL)
		values[2] = CStringGetTextDatum(detail);
	nulls[3] = used_by == NULL;
	if (used_by != NULL)
		values[3] = CStringGetTextDatum(used_by);
	nulls[4] = resolved < 0;
	values[4] = BoolGetDatum(resolved > 0);
	tuplestore_putvalues(refs->rsinfo->setResult, refs->rsinfo->setDesc,
						 values, nulls);
}

/*
 * Was set_global() given this field of a global variable?
 */
static bool
global_is_set(const Operand *operand)
{
	char	   *name = pnstrdup(operand->text, strcspn(operand->text, "."));
	Datum		value = CStringGetTextDatum(name);
	JsonbValue	top;
	Jsonb	   *object;
	bool		isnull;

	(void) orch_plan_execute_latest(&global_plan, &value, NULL, 1);
	if (SPI_processed == 0)
		return false;
	object = DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
										  &isnull));
	top.type = jbvBinary;
	top.val.binary.data = &object->root;
	top.val.binary.len = VARSIZE_ANY_EXHDR(object);
	return orch_condition_value_at(&top, operand->path) != NULL;
}

/*
 * Adds the field of the record, or the global variable, that an operand reads.  Only a
 * run can resolve a field of a related record.
 */
static void
add_operand(References *refs, const Operand *operand, const char *used_by)
{
	StringInfoData path;
	ListCell   *cell;
	int			resolved = -1;

	if (operand != NULL && operand->kind == OPERAND_GLOBAL)
	{
		add_reference(refs, "global", operand->text, NULL, used_by,
					  global_is_set(operand));
		return;
	}
	if (operand == NULL || operand->path == NIL ||
		(operand->kind != OPERAND_RECORD &&
		 operand->kind != OPERAND_RECORD_PRIOR))
		return;
	initStringInfo(&path);
	foreach(cell, operand->path)
		appendStringInfo(&path, "%s%s", path.len > 0 ? "." : "",
						 (char *) lfirst(cell));
	if (list_length(operand->path) == 1 && refs->columns != NULL && refs->lookup == NULL)
		resolved = orch_condition_field(&refs->columns->root,
										linitial(operand->path)) != NULL;
	add_reference(refs, "record field", path.data,
				  refs->lookup != NULL ? refs->lookup->record_type : refs->def->record_type,
				  used_by, resolved);
	pfree(path.data);
}

static void
add_conditions(References *refs, const ConditionSet *set, const char *used_by)
{
	int			i;

	check_stack_depth();
	for (i = 0; set != NULL && i < set->nrequirements; i++)
	{
		add_operand(refs, set->requirements[i].left, used_by);
		add_operand(refs, set->requirements[i].right, used_by);
		add_conditions(refs, set->requirements[i].nested, used_by);
	}
}

static void
add_operands(References *refs, const List *operands, const char *used_by)
{
	ListCell   *cell;

	foreach(cell, operands)
		add_operand(refs, lfirst(cell), used_by);
}

static void
add_evaluation(References *refs, const EvaluationAction *action, const char *used_by)
{
	int			i;

	if (action == NULL)
		return;
	add_reference(refs, "action", action->name, "evaluation", used_by,
				  orch_definition_evaluation_problem(action, &refs->actions) == NULL);
	for (i = 0; i < action->ninputs; i++)
		add_operand(refs, action->inputs[i].value, used_by);
}
