/*-------------------------------------------------------------------------
 *
 * engine.h
 *	  The engine: decides and makes the next moves of a run.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ENGINE_H
#define ORCH_ENGINE_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "definition/definition.h"

typedef struct StartRequest
{
	const Definition *definition;
	const char *record_type;	/* or NULL */
	const char *record_key;		/* or NULL */
	bool		record_locked;	/* the record exists and is locked */
	Jsonb	   *record;			/* as it is now, if known, else NULL */
	Jsonb	   *prior;			/* as it was before, or NULL */
	Jsonb	   *inputs;			/* object, or NULL */
	const char *idempotency_key;	/* or NULL */
	const pg_uuid_t *owner_id;	/* NULL: the automated process user */
	const pg_uuid_t *started_by;	/* NULL: the automated process user */
	const char *starter;		/* as the log has it, or NULL */
} StartRequest;

/*
 * Start a run and move it as far as it goes.  Returns its id; that of the
 * existing run when the idempotency key was used before.
 */
extern void orch_engine_start(const StartRequest *request, pg_uuid_t *run_id);

/*
 * Does the record of the request satisfy the filters of the definition?  Raises OR301 if
 * a filter cannot be computed.
 */
extern bool orch_engine_triggered(const StartRequest *request);

/*
 * Go on with a run that was changed: evaluate all its conditions again.  resumed: the
 * run just left Suspended or Error.  Does nothing for a run without a version, except
 * that its stopped steps are InProgress again when it is resumed.
 */
extern void orch_engine_go_on(const pg_uuid_t *run_id, bool resumed);

/*
 * Take an approval back: fail its open stage and go on along the recall path.  False if
 * the definition has no such path or no stage is open.  Caller holds the lock on the run.
 */
extern bool orch_engine_recall(const pg_uuid_t *run_id, const char *comments);

/* Set who starts the run: the user of the role that acts, if the role is a user's. */
extern void orch_engine_set_starter(StartRequest *request, pg_uuid_t *started_by);

/* Registers the engine with the guard; called once, by _PG_init(). */
extern void orch_engine_init(void);

/* orchestration.max_elements: bounds a loop of connectors that never waits. */
extern int	orch_max_elements;

/*
 * The comments of the assignee, for the log: the output Comments of a screen, or
 * specifiedComments of an approval.  NULL if there is neither.
 */
extern JsonbValue *orch_engine_comments(Jsonb *outputs);

/*
 * engine_write.c: between begin and end the engine gathers its writes over runs and
 * writes them as sets.  begin returns NULL, and nothing is gathered, if users have
 * triggers or constraints on the tables.
 */
typedef struct EngineBatch EngineBatch;

extern EngineBatch *orch_engine_batch_begin(void);
extern void orch_engine_batch_end(EngineBatch *batch);
extern void orch_engine_batch_init(void);

/*
 * engine_state.c: lock runs, in the order of their ids, and read them all for the open
 * batch; does nothing if no batch is open.
 */
extern void orch_engine_load_runs(const pg_uuid_t *run_ids, int nruns);

/* How a step ended outside the engine. */
typedef struct StepOutcome
{
	bool		success;
	Jsonb	   *outputs;		/* success; NULL: none */
	Jsonb	   *error;			/* failure: message, sqlstate, ... */
	const pg_uuid_t *lease_id;	/* claim that it comes from, or NULL */
} StepOutcome;

/*
 * Take in the outcome of an InProgress step, and go on with its run.  If run or step is
 * not InProgress, the outcome is kept.  Caller holds the lock on the run.
 */
extern void orch_engine_end_step(const pg_uuid_t *run_id,
								 const pg_uuid_t *step_id,
								 const StepOutcome *outcome);

/*
 * Keep the outcome of a step as pending, until its run is resumed.  Caller holds the lock
 * on the run.
 */
extern void orch_engine_keep_outcome(const pg_uuid_t *run_id,
									 const pg_uuid_t *step_id,
									 const StepOutcome *outcome);

/*
 * An interactive step's screen failed: the run fails, the step stays InProgress
 * and its work item Assigned.  Caller holds the lock on the run.
 */
extern void orch_engine_fail_screen(const pg_uuid_t *run_id,
									const pg_uuid_t *step_id,
									const char *message);

/*
 * Why the engine cannot move runs of a version (it is gone, or no longer valid), NULL if
 * it can.  In the caller's memory context.
 */
extern char *orch_engine_version_problem(const pg_uuid_t *version_id);

#endif							/* ORCH_ENGINE_H */
