/*-------------------------------------------------------------------------
 *
 * definition_known.h
 *	  Look-ups of what a definition names outside of itself.
 *
 * Callers are in system context and connected to SPI.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_known.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DEFINITION_KNOWN_H
#define ORCH_DEFINITION_KNOWN_H

#include "postgres.h"

#include "definition/definition.h"

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

/* Those of the names in a definition that exist: its actions, its literal assignees. */
extern KnownList orch_definition_known_actions(const Definition *def);
extern KnownList orch_definition_known_principals(const Definition *def);
extern const Known *orch_definition_find_known(const KnownList *list, const char *name);
extern const Known *orch_definition_find_principal(const KnownList *list, AssigneeKind kind,
												   const char *name);

extern const char *orch_definition_literal_assignee(const Assignee *assignee);
extern bool orch_definition_action_fits(const StepDef *step, const char *kind);
extern const char *orch_definition_fitting_actions(const StepDef *step);
extern char *orch_definition_evaluation_problem(const EvaluationAction *action,
												const KnownList *actions);
extern bool orch_definition_runs_as_user(const StepDef *step);

#endif							/* ORCH_DEFINITION_KNOWN_H */
