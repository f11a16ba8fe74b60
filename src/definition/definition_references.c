/*-------------------------------------------------------------------------
 *
 * definition_references.c
 *	  What a definition refers to outside of itself: actions, assignees, record types
 *	  and their fields, inputs.
 *
 * There are two uses: activation, where a missing thing is an error, and
 * orchestration_references(), which lists everything.  Both use the same look-ups, so
 * that they cannot disagree.
 *
 * All names are looked up together: one query for the actions and one for the principals,
 * for any number of steps.
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
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/errors.h"
#include "base/system.h"
#include "definition/definition_int.h"
#include "record/action.h"
#include "record/principal.h"

/* An action or principal that exists. */
typedef struct Known
{
	char	   *name;
	char	   *kind;			/* actions */
	bool		is_active;		/* principals */
} Known;

typedef struct KnownList
{
	int			n;
	Known	   *items;			/* in byte order of their names */
} KnownList;

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
static StaticPlan actions_plan = {
	"SELECT name, kind::text, true FROM orchestration.action"
	" WHERE name = ANY ($1) ORDER BY name COLLATE \"C\"",
	1, {TEXTARRAYOID}
};
static StaticPlan evaluation_plan = {
	"SELECT 1 FROM orchestration.orchestration_definition d"
	" JOIN orchestration.orchestration_version v"
	" ON v.orchestration_id = d.id AND v.version = d.active_version"
	" WHERE d.name = $1 AND v.process_type = 'EvaluationFlow'",
	1, {TEXTOID}
};
static StaticPlan global_plan = {
	"SELECT value FROM orchestration.global_value WHERE name = $1", 1, {TEXTOID}
};
static StaticPlan principals_plan = {
	"SELECT name, NULL::text, is_active FROM"
	" (SELECT kind || ':' || pg_catalog.lower(username COLLATE \"C\"), is_active"
	" FROM orchestration.principal WHERE pg_catalog.lower(username COLLATE \"C\") ="
	" ANY (ARRAY(SELECT pg_catalog.lower(n COLLATE \"C\") FROM pg_catalog.unnest($1) n))"
	" UNION ALL SELECT kind || ':' || developer_name, is_active"
	" FROM orchestration.principal"
	" WHERE kind IN ('Group', 'Queue') AND developer_name = ANY ($1)) p (name, is_active)"
	" ORDER BY name COLLATE \"C\"",
	1, {TEXTARRAYOID}
};
static StaticPlan record_columns_plan = {
	"SELECT (SELECT jsonb_object_agg(a.attname, true) FROM pg_attribute a"
	" WHERE a.attrelid = r.relation AND a.attnum > 0 AND NOT a.attisdropped)"
	" FROM orchestration.record_type r WHERE r.name = $1",
	1, {TEXTOID}
};

static KnownList known_names(StaticPlan *plan, List *names);
static const Known *find_known(const KnownList *list, const char *name);
static List *action_names(const Definition *def);
static List *assignee_names(const Definition *def);
static const char *literal_assignee(const StepDef *step);
static bool action_fits(const StepDef *step, const char *kind);
static const char *fitting_actions(const StepDef *step);
static void find_version(FunctionCallInfo fcinfo, pg_uuid_t *id);
static void add_start(References *refs);
static void add_variables(References *refs);
static void add_steps(References *refs);
static void add_assignee(References *refs, const StepDef *step);
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

/*
 * Those of the names that exist.  The caller is connected to SPI.
 */
static KnownList
known_names(StaticPlan *plan, List *names)
{
	KnownList	result = {0};
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(names), 1));
	Datum		value;
	ListCell   *cell;
	int			n = 0;
	uint64		i;

	foreach(cell, names)
		elements[n++] = CStringGetTextDatum(lfirst(cell));
	value = PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false,
											TYPALIGN_INT));
	(void) orch_plan_execute_latest(plan, &value, NULL, 0);
	result.n = (int) SPI_processed;
	result.items = palloc(sizeof(Known) * Max(result.n, 1));
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		result.items[i].name = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1);
		result.items[i].kind = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
		result.items[i].is_active =
			DatumGetBool(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 3,
									   &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return result;
}

static int
compare_known(const void *a, const void *b)
{
	return strcmp(((const Known *) a)->name, ((const Known *) b)->name);
}

static const Known *
find_known(const KnownList *list, const char *name)
{
	Known		key;

	key.name = unconstify(char *, name);
	return bsearch(&key, list->items, list->n, sizeof(Known), compare_known);
}

/* The principal of a kind; of any kind for a Resource. */
static const Known *
find_principal(const KnownList *list, AssigneeKind kind, const char *name)
{
	const Known *known = NULL;
	int			i;

	for (i = ASSIGNEE_USER; i <= ASSIGNEE_QUEUE && known == NULL; i++)
		if (kind == ASSIGNEE_RESOURCE || (int) kind == i)
			known = find_known(list, psprintf("%s:%s", orch_definition_assignee_kind_name(i),
											  i == ASSIGNEE_USER ? orch_principal_fold(name) :
											  name));
	return known;
}

static List *
action_names(const Definition *def)
{
	List	   *result = NIL;
	int			i;

	for (i = 0; i < def->nsteps; i++)
	{
		const StepDef *step = &def->steps[i];

		result = lappend(result, step->action_name);
		if (step->entry_action != NULL)
			result = lappend(result, step->entry_action->name);
		if (step->exit_action != NULL)
			result = lappend(result, step->exit_action->name);
	}
	for (i = 0; i < def->nstages; i++)
		if (def->stages[i].exit_action != NULL)
			result = lappend(result, def->stages[i].exit_action->name);
	return result;
}

static List *
assignee_names(const Definition *def)
{
	List	   *result = NIL;
	int			i;

	for (i = 0; i < def->nsteps; i++)
	{
		const char *assignee = literal_assignee(&def->steps[i]);

		if (assignee != NULL)
			result = lappend(result, unconstify(char *, assignee));
	}
	return result;
}

/* The assignee's name if it is in the definition, else NULL. */
static const char *
literal_assignee(const StepDef *step)
{
	if (step->assignee == NULL || step->assignee->kind != OPERAND_LITERAL)
		return NULL;
	return orch_condition_value_text(step->assignee->literal);
}

static bool
action_fits(const StepDef *step, const char *kind)
{
	if (step->type == STEP_TYPE_INTERACTIVE)
		return strcmp(kind, "screen") == 0;
	return strcmp(kind, "screen") != 0;
}

static const char *
fitting_actions(const StepDef *step)
{
	switch (step->type)
	{
		case STEP_TYPE_INTERACTIVE:
			return "screen";
		case STEP_TYPE_BACKGROUND:
			return "function or worker";
		case STEP_TYPE_ASYNCHRONOUS:
			return "worker or function";
	}
	elog(ERROR, "unexpected step type %d", (int) step->type);
}

/*
 * Does the function or active evaluation flow that decides a condition exist?  *problem:
 * the message if it does not.
 */
static bool
evaluation_is_there(const EvaluationAction *action, const KnownList *actions,
					const char **problem)
{
	const Known *known = find_known(actions, action->name);
	Datum		value;

	if (known != NULL)
	{
		*problem = psprintf("action \"%s\" is a %s, a condition needs a function or an evaluation flow",
							action->name, known->kind);
		return strcmp(known->kind, "function") == 0;
	}
	*problem = psprintf("\"%s\" is neither a registered function nor an active evaluation flow",
						action->name);
	value = CStringGetTextDatum(action->name);
	(void) orch_plan_execute_latest(&evaluation_plan, &value, NULL, 1);
	return SPI_processed > 0;
}

static void
check_evaluation(const EvaluationAction *action, const KnownList *actions,
				 const char *place, ProblemList *problems)
{
	const char *problem;

	if (action != NULL && !evaluation_is_there(action, actions, &problem))
		orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0, problem, NULL);
}

/* For check_output(). */
typedef struct OutputCheck
{
	const Definition *def;
	ProblemList *problems;
} OutputCheck;

/*
 * Reports an output that is read and that the action does not have, by its description
 * (describe_action()).
 */
static void
check_output(const Operand *operand, const char *used_by, void *arg)
{
	OutputCheck *check = arg;
	const StepDef *step;
	const Action *action;

	if (operand->kind != OPERAND_STEP_OUTPUT || operand->path == NIL)
		return;
	step = &check->def->steps[operand->index];
	action = orch_action_find(step->action_name);
	if (action == NULL || action->outputs == NULL ||
		orch_action_member_type(action->outputs, linitial(operand->path)) != NULL)
		return;
	orch_definition_add_problem(check->problems, PROBLEM_ERROR,
								psprintf("\"%s\"", used_by), 0,
								psprintf("reference \"%s\": action \"%s\" has no output \"%s\"",
										 operand->text, step->action_name,
										 (char *) linitial(operand->path)), NULL);
}

/*
 * Reports inputs that the action does not take, that have another type, and that are
 * missing, by its description (describe_action()).
 */
static void
check_inputs(const StepDef *step, const char *place, ProblemList *problems)
{
	const Action *action = orch_action_find(step->action_name);
	JsonbIterator *it;
	JsonbValue	v;
	int			i;

	if (action == NULL || action->inputs == NULL)
		return;
	for (i = 0; i < step->ninputs; i++)
	{
		const Operand *value = step->inputs[i].value;
		char	   *type = orch_action_member_type(action->inputs, step->inputs[i].name);

		CHECK_FOR_INTERRUPTS();
		if (type == NULL)
			orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
										psprintf("action \"%s\" takes no input \"%s\"",
												 step->action_name, step->inputs[i].name), NULL);
		else if (value != NULL && value->kind == OPERAND_LITERAL && value->literal != NULL &&
				 !orch_action_is_of_type(type, value->literal))
			orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
										psprintf("input \"%s\" of action \"%s\" is %s, not of type %s",
												 step->inputs[i].name, step->action_name,
												 orch_condition_type_name(value->literal), type),
										NULL);
	}
	it = JsonbIteratorInit(&action->inputs->root);
	(void) JsonbIteratorNext(&it, &v, true);
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(v.val.string.val, v.val.string.len);

		(void) JsonbIteratorNext(&it, &v, true);
		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < step->ninputs; i++)
			if (strcmp(step->inputs[i].name, name) == 0)
				break;
		if (i == step->ninputs && orch_action_is_required(&v))
			orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
										psprintf("action \"%s\" needs the input \"%s\"",
												 step->action_name, name), NULL);
	}
}

/*
 * Does the step's action run as a user?  A step that is not interactive has an assignee
 * only then.
 */
static bool
runs_as_user(const StepDef *step)
{
	return step->type != STEP_TYPE_INTERACTIVE && step->assignee != NULL;
}

static bool
record_type_is_there(const char *name)
{
	Datum		value = CStringGetTextDatum(name);

	(void) orch_plan_execute_latest(&record_columns_plan, &value, NULL, 1);
	return SPI_processed > 0;
}

/* ------------------------------------------------------------- activation */

/*
 * Reports everything outside that a definition needs and that is missing.  The caller is
 * connected to SPI.
 */
void
orch_definition_check_activation(const Definition *def, ProblemList *problems)
{
	KnownList	actions = known_names(&actions_plan, action_names(def));
	KnownList	principals = known_names(&principals_plan, assignee_names(def));
	OutputCheck check;
	int			i;

	if (def->nstages == 0 && def->kind != DEFINITION_EVALUATION)
		orch_definition_add_problem(problems, PROBLEM_ERROR, "", 0,
									"there is no stage", NULL);
	if (def->record_type != NULL)
	{
		if (!record_type_is_there(def->record_type))
			orch_definition_add_problem(problems, PROBLEM_ERROR, "start", 0,
										psprintf("record type \"%s\" is not registered",
												 def->record_type), NULL);
	}
	check.def = def;
	check.problems = problems;
	orch_definition_walk(def, check_output, &check);
	for (i = 0; i < def->nlookups; i++)
		if (!record_type_is_there(def->lookups[i].record_type))
			orch_definition_add_problem(problems, PROBLEM_ERROR,
										psprintf("record lookup \"%s\"", def->lookups[i].name), 0,
										psprintf("record type \"%s\" is not registered",
												 def->lookups[i].record_type), NULL);
	for (i = 0; i < def->nstages; i++)
		check_evaluation(def->stages[i].exit_action, &actions,
						 psprintf("stage \"%s\"", def->stages[i].name), problems);
	for (i = 0; i < def->nsteps; i++)
	{
		const StepDef *step = &def->steps[i];
		const char *assignee = literal_assignee(step);
		const Known *known = find_known(&actions, step->action_name);
		char	   *place = psprintf("step \"%s\"", step->name);

		CHECK_FOR_INTERRUPTS();
		if (known == NULL)
			orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
										psprintf("action \"%s\" is not registered",
												 step->action_name), NULL);
		else if (!action_fits(step, known->kind))
			orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
										psprintf("action \"%s\" is a %s, the step needs a %s",
												 step->action_name, known->kind,
												 fitting_actions(step)), NULL);
		else if (runs_as_user(step))
		{
			const Action *action = orch_action_find(step->action_name);
			char	   *problem = action == NULL ? NULL : orch_action_run_as_problem(action);

			if (problem != NULL)
				orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
											psprintf("%s; an administrator allows it with orchestration.allow_run_as_user(%s)",
													 problem, quote_literal_cstr(step->action_name)),
											NULL);
		}
		check_inputs(step, place, problems);
		check_evaluation(step->entry_action, &actions, place, problems);
		check_evaluation(step->exit_action, &actions, place, problems);
		if (assignee != NULL)
		{
			const char *kind;

			kind = orch_definition_assignee_kind_name(step->assignee_kind);
			known = find_principal(&principals, step->assignee_kind, assignee);
			if (known == NULL || !known->is_active)
				orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
											psprintf("assignee %s \"%s\" %s", kind,
													 assignee, known == NULL ?
													 "does not exist" : "is inactive"),
											NULL);
		}
		pfree(place);
	}
}

/*
 * Does a filter of the start refer to a formula or text template, which may read
 * $Record__Prior?
 */
static bool
filters_are_formulas(const Definition *def)
{
	const List *references = def->filter_references;
	ListCell   *cell;
	int			i;

	for (i = 0; def->filters != NULL && i < def->filters->nrequirements; i++)
	{
		const Operand *right = def->filters->requirements[i].right;

		if (right != NULL && (right->kind == OPERAND_FORMULA || right->kind == OPERAND_TEMPLATE))
			return true;
	}
	foreach(cell, references)
		if (((const Operand *) lfirst(cell))->kind == OPERAND_FORMULA ||
			((const Operand *) lfirst(cell))->kind == OPERAND_TEMPLATE)
			return true;
	return false;
}

/*
 * Warns of a definition whose runs may start the next run: updates of a record start it,
 * a step may update the record, and the start does not depend on what changed.
 */
void
orch_definition_warn_of_circle(const Definition *def)
{
	int			i;

	if ((def->record_trigger != RECORD_TRIGGER_UPDATE &&
		 def->record_trigger != RECORD_TRIGGER_CREATE_AND_UPDATE) ||
		def->only_when_changed || def->filters_look_back || filters_are_formulas(def))
		return;
	for (i = 0; i < def->nsteps; i++)
		if (def->steps[i].type != STEP_TYPE_INTERACTIVE)
			break;
	if (i == def->nsteps)
		return;
	ereport(WARNING,
			(errmsg("orchestration \"%s\" can start itself", def->name),
			 errdetail("Updates of \"%s\" records start it, and action \"%s\" of its step \"%s\" may update the record.",
					   def->record_type, def->steps[i].action_name, def->steps[i].name),
			 errhint("Set doesRequireRecordChangedToMeetCriteria, or filter the start by what changed: operator IsChanged, or ISCHANGED() in filterFormula.")));
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
	refs.actions = known_names(&actions_plan, action_names(refs.def));
	refs.principals = known_names(&principals_plan, assignee_names(refs.def));
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
		const Known *known = find_known(&refs->actions, step->action_name);

		add_reference(refs, "action", step->action_name, fitting_actions(step),
					  step->name,
					  known != NULL && action_fits(step, known->kind));
		if (runs_as_user(step))
		{
			const Action *action = orch_action_find(step->action_name);

			add_reference(refs, "runAsUser", step->action_name, NULL, step->name,
						  action != NULL && orch_action_run_as_problem(action) == NULL);
		}
		if (step->assignee != NULL)
			add_assignee(refs, step);
		add_operand(refs, step->context_record, step->name);
		add_evaluation(refs, step->entry_action, step->name);
		add_evaluation(refs, step->exit_action, step->name);
		add_conditions(refs, step->entry, step->name);
		add_conditions(refs, step->exit, step->name);
		for (j = 0; j < step->ninputs; j++)
			add_operand(refs, step->inputs[j].value, step->name);
	}
}

static void
add_assignee(References *refs, const StepDef *step)
{
	const char *name = literal_assignee(step);
	const Known *known = name == NULL ? NULL :
		find_principal(&refs->principals, step->assignee_kind, name);

	add_reference(refs, "assignee", name != NULL ? name : step->assignee->text,
				  orch_definition_assignee_kind_name(step->assignee_kind), step->name,
				  name == NULL ? -1 : known != NULL && known->is_active);
	add_operand(refs, step->assignee, step->name);
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
	const char *problem;
	int			i;

	if (action == NULL)
		return;
	add_reference(refs, "action", action->name, "evaluation", used_by,
				  evaluation_is_there(action, &refs->actions, &problem));
	for (i = 0; i < action->ninputs; i++)
		add_operand(refs, action->inputs[i].value, used_by);
}
