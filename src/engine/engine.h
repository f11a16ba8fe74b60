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
	const char *starter;		/* what the log calls him, or NULL */
} StartRequest;

/*
 * Start a run and move it as far as it goes.  Returns its id; that of the
 * existing run when the idempotency key was used before.
 */
extern void orch_engine_start(const StartRequest *request, pg_uuid_t *run_id);

/*
 * Does a record, as request has it, satisfy the filters of the definition?
 * Raises OR301 when that cannot be said.
 */
extern bool orch_engine_triggered(const StartRequest *request);

/*
 * Go on with a run that somebody changed: evaluate everything again; resumed:
 * it just left Suspended or Error.  Does nothing for runs without a version.
 */
extern void orch_engine_go_on(const pg_uuid_t *run_id, bool resumed);

/*
 * Take an approval back: fail its open stage and go on along the recall path;
 * false when there is no such thing.  Caller holds the lock on the run.
 */
extern bool orch_engine_recall(const pg_uuid_t *run_id, const char *comments);

/* Set who starts the run: the user of the role that acts, if the role is a user's. */
extern void orch_run_set_starter(StartRequest *request, pg_uuid_t *started_by);

/* Registers the engine with the guard; called once, by _PG_init(). */
extern void orch_engine_init(void);

/* orchestration.max_elements: bounds a loop of connectors that never waits. */
extern int	orch_max_elements;

/*
 * What the assignee said, for the log: the output Comments of a screen, or
 * specifiedComments of an approval; NULL: neither.
 */
extern JsonbValue *orch_engine_comments(Jsonb *outputs);

/*
 * engine_write.c: between these two, what the engine writes is gathered over runs
 * and written as sets; NULL where that cannot be.
 */
typedef struct EngineBatch EngineBatch;

extern EngineBatch *orch_engine_batch_begin(void);
extern void orch_engine_batch_end(EngineBatch *batch);
extern void orch_engine_batch_init(void);

/* engine_state.c: take the locks on runs, in the order of their ids, and read them
 * all, for the batch that is open, if one is. */
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
 * Take in how an InProgress step of a run that is InProgress ended, and go on.
 * Caller holds the lock on the run.
 */
extern void orch_engine_end_step(const pg_uuid_t *run_id,
								 const pg_uuid_t *step_id,
								 const StepOutcome *outcome);

/*
 * Keep how a step ended until its run can take it in.  Caller holds the lock on
 * the run.
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
 * Why the engine cannot move runs of a version (it is gone, or no longer valid), in
 * the caller's context; NULL when it can.
 */
extern char *orch_engine_version_problem(const pg_uuid_t *version_id);

#endif							/* ORCH_ENGINE_H */
