/*-------------------------------------------------------------------------
 *
 * queue.h
 *	  Asynchronous steps: claims, leases and outcomes.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/queue.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUEUE_H
#define ORCH_QUEUE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "base/orchestration.h"
#include "engine/engine.h"
#include "record/gate.h"

/* The topic of steps that the database itself carries out. */
#define FUNCTION_TOPIC ""

/* Steps that one call may claim, and results that it may take in. */
#define MAX_CLAIM	10000

/* orchestration.max_lost_leases: more, and the step fails. */
extern int	orch_max_lost_leases;

typedef struct ClaimedStep
{
	pg_uuid_t	run_id;
	pg_uuid_t	step_id;
	pg_uuid_t	lease_id;
	char	   *topic;
	char	   *action;
	char	   *step_name;
	Jsonb	   *inputs;
	int			attempt;
	TimestampTz lease_until;
	bool		has_run_as;
	pg_uuid_t	run_as;
	const char *label;			/* how messages of the worker name the step */
} ClaimedStep;

typedef struct StepResult
{
	pg_uuid_t	run_id;			/* sort key, must be first */
	int			position;		/* in the caller's array */
	bool		known;			/* the step exists, and its run can be moved */
	const char *problem;		/* why it cannot be moved, or NULL */
	MemoryContext context;		/* of reason */
	pg_uuid_t	step_id;
	bool		has_step_id;	/* step_id could be read */
	pg_uuid_t	lease_id;
	StepOutcome outcome;
	pg_uuid_t	run_as;			/* to which the outcome's points */
	bool		final;			/* a failure that is not tried again */
	bool		accepted;
	const char *reason;			/* why it is not accepted, or that the step is tried again */
} StepResult;

/* queue_result.c: a result of a claimed step, its outcome still to be filled in */
extern void orch_queue_result_of(const ClaimedStep *step, StepResult *result);

/*
 * queue_claim.c: up to max_steps ready steps of topics (char *), as ClaimedStep *
 * in the caller's context.  Caller is in system context.
 */
extern List *orch_queue_claim(List *topics, const char *worker, int max_steps,
							  Interval *lease);

/*
 * queue_look.c: seconds until a step of the topics (char *) can be claimed, or one should
 * look again; 0: now, -1: none is queued.
 */
extern double orch_queue_due(List *names);

/* queue_look.c: called once, by _PG_init(). */
extern void orch_queue_init(void);

/* The kinds of arrays that workers pass. */
typedef enum ResultsKind
{
	RESULTS_COMPLETED,
	RESULTS_FAILED,
	RESULTS_ANY,				/* a result with a message is a failure */
	RESULTS_LEASES				/* no results: extend_leases() */
} ResultsKind;

/*
 * queue_result.c: a worker's array; raises OR306 if it is none.  A malformed member gets a
 * problem.  orch_queue_take_results() is all of complete_steps().
 */
extern StepResult *orch_queue_read_results(Jsonb *results, ResultsKind kind,
										   int *nresults);
extern Datum orch_queue_take_results(FunctionCallInfo fcinfo, ResultsKind kind);
extern const char *orch_queue_lost_reason(RunStatus run_status, StepStatus step_status);

/*
 * queue_result.c: take in one outcome.  Without wait, it is refused if another session has
 * locked the run.
 */
extern void orch_queue_take_result(StepResult *result, bool wait);

/* queue.c: a caller's topics, as char *; raises 22023 for an empty or null one. */
extern List *orch_queue_topic_names(ArrayType *array);

/*
 * queue.c: call the function of an action for a run, in a subtransaction, and set the
 * outcome, which is zeroed before.  run_as may be NULL.
 */
extern void orch_queue_call(const pg_uuid_t *run_id, const char *name, Jsonb *inputs,
							const pg_uuid_t *run_as, GateKind kind,
							StepOutcome *outcome);

#endif							/* ORCH_QUEUE_H */
