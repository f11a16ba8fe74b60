/*-------------------------------------------------------------------------
 *
 * definition_known.c
 *	  Look-ups of what a definition names outside of itself: actions, evaluation flows,
 *	  principals.
 *
 * Activation (definition_activation.c) and orchestration_references()
 * (definition_references.c) use them, so that they cannot disagree.
 *
 * All names are looked up together: one query for the actions and one for the principals,
 * for any number of steps.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_known.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

#include "base/system.h"
#include "base/text_array.h"
#include "definition/definition_int.h"
#include "definition/definition_known.h"
#include "record/principal.h"

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
static StaticPlan principals_plan = {
	"SELECT name, NULL::text, is_active FROM"
	" (SELECT kind || ':' || lower(username COLLATE \"C\"), is_active"
	" FROM orchestration.principal WHERE lower(username COLLATE \"C\") ="
	" ANY (ARRAY(SELECT lower(n COLLATE \"C\") FROM unnest($1) n))"
	" UNION ALL SELECT kind || ':' || developer_name, is_active"
	" FROM orchestration.principal"
	" WHERE kind IN ('Group', 'Queue') AND developer_name = ANY ($1)) p (name, is_active)"
	" ORDER BY name COLLATE \"C\"",
	1, {TEXTARRAYOID}
};

static List *action_names(const Definition *def);
static List *assignee_names(const Definition *def);

/*
 * Those of the names that exist.  The caller is connected to SPI.
 */
static KnownList
known_names(StaticPlan *plan, List *names)
{
	KnownList	result = {0};
	Datum		value = orch_text_array(names);
	uint64		i;

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

const Known *
orch_definition_find_known(const KnownList *list, const char *name)
{
	Known		key;

	key.name = unconstify(char *, name);
	return bsearch(&key, list->items, list->n, sizeof(Known), compare_known);
}

KnownList
orch_definition_known_actions(const Definition *def)
{
	return known_names(&actions_plan, action_names(def));
}

KnownList
orch_definition_known_principals(const Definition *def)
{
	return known_names(&principals_plan, assignee_names(def));
}

/*
 * The principal of a kind; of any kind for a Resource.  Usernames are folded as the plan does
 * it.
 */
const Known *
orch_definition_find_principal(const KnownList *list, AssigneeKind kind, const char *name)
{
	const Known *known = NULL;
	int			i;

	for (i = ASSIGNEE_USER; i <= ASSIGNEE_QUEUE && known == NULL; i++)
		if (kind == ASSIGNEE_RESOURCE || (int) kind == i)
			known = orch_definition_find_known(list,
											   psprintf("%s:%s",
														orch_definition_assignee_kind_name(i),
														i == ASSIGNEE_USER ?
														asc_tolower(name, strlen(name)) : name));
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

	int			j;

	for (i = 0; i < def->nsteps; i++)
		for (j = 0; j < def->steps[i].nassignees; j++)
		{
			const char *name = orch_definition_literal_assignee(&def->steps[i].assignees[j]);

			if (name != NULL)
				result = lappend(result, unconstify(char *, name));
		}
	return result;
}

/* The assignee's name if it is in the definition, else NULL. */
const char *
orch_definition_literal_assignee(const Assignee *assignee)
{
	if (assignee->value->kind != OPERAND_LITERAL)
		return NULL;
	return orch_condition_value_text(assignee->value->literal);
}

bool
orch_definition_action_fits(const StepDef *step, const char *kind)
{
	if (step->type == STEP_TYPE_INTERACTIVE)
		return strcmp(kind, "screen") == 0;
	return strcmp(kind, "screen") != 0;
}

const char *
orch_definition_fitting_actions(const StepDef *step)
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
 * Why a condition cannot be decided by the function or evaluation flow that it names;
 * NULL if it can.
 */
char *
orch_definition_evaluation_problem(const EvaluationAction *action, const KnownList *actions)
{
	const Known *known = orch_definition_find_known(actions, action->name);
	Datum		value;

	if (known != NULL)
		return strcmp(known->kind, "function") == 0 ? NULL :
			psprintf("action \"%s\" is a %s, a condition needs a function or an evaluation flow",
					 action->name, known->kind);
	value = CStringGetTextDatum(action->name);
	(void) orch_plan_execute_latest(&evaluation_plan, &value, NULL, 1);
	return SPI_processed > 0 ? NULL :
		psprintf("\"%s\" is neither a registered function nor an active evaluation flow",
				 action->name);
}

/*
 * Does the step's action run as a user?  A step that is not interactive has an assignee
 * only then.
 */
bool
orch_definition_runs_as_user(const StepDef *step)
{
	return step->type != STEP_TYPE_INTERACTIVE && step->assignee != NULL;
}
