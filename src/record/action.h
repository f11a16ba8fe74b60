/*-------------------------------------------------------------------------
 *
 * action.h
 *	  Actions: what steps call.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/action.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACTION_H
#define ORCH_ACTION_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "base/orchestration.h"
#include "evaluate/condition_value.h"
#include "record/gate.h"

typedef struct Action
{
	char		name[256 * 4];	/* hash key, must be first */
	ActionKind	kind;
	Oid			function;		/* function actions; InvalidOid: it is gone */
	char	   *function_name;	/* function actions */
	char	   *search_path;	/* function actions, or NULL */
	char	   *topic;			/* worker actions */
	int			max_attempts;	/* of queued steps, before they fail */
	double		retry_delay;	/* seconds; so is retry_max_delay */
	double		retry_backoff;
	double		retry_max_delay;
	double		retry_jitter;
	double		timeout;		/* seconds that an attempt may take; 0: any */
	Jsonb	   *inputs;			/* set_action_contract(), or NULL */
	Jsonb	   *outputs;
	double		due;			/* seconds; 0: none */
	bool		run_as_user;	/* allow_run_as_user() */
	char	   *run_as_owner;	/* function actions: its owner at that time */
} Action;

/* The action of a name, or NULL; valid until the next change of actions. */
extern const Action *orch_action_find(const char *name);

/*
 * Check outputs, NULL for none, against what set_action_contract() declared for an action.
 * Raises OR306.
 */
extern void orch_action_check_outputs(const char *name, Jsonb *outputs);

/* The declared data type of a member, NULL if there is no such member. */
extern char *orch_action_member_type(Jsonb *described, const char *name);

/*
 * A declared data type as a type of values, and whether it takes values of a type;
 * VALUE_UNKNOWN: any.
 */
extern ValueType orch_action_value_type(const char *type);
extern bool orch_action_takes(const char *type, ValueType value);
extern bool orch_action_is_of_type(const char *type, JsonbValue *value);
extern bool orch_action_is_required(JsonbValue *member);

/*
 * The reason for which steps with runAsUser may not call the action; NULL if they may.
 * The second function raises it, with 42501.
 */
extern char *orch_action_run_as_problem(const Action *action);
extern void orch_action_require_run_as(const Action *action);

/*
 * Carry out a function action; returns its result, an object, or NULL for null.  The
 * function runs as its owner, behind the gate (GATE_ACTION or GATE_WORKER); for the
 * extension it acts as the user run_as, if one is given.  Caller is in a subtransaction.
 * Raises what the function raises, 42883 and 42809 when it is gone or changed, OR306 when
 * its result is not an object, and 40001 when it has another owner than the worker's session.
 */
extern Jsonb *orch_action_call(const Action *action, Jsonb *inputs,
							   const pg_uuid_t *run_as, GateKind kind);

/* The owner of the function of an action, InvalidOid when there is no function. */
extern Oid	orch_action_owner(const Action *action);

#endif							/* ORCH_ACTION_H */
