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
	Jsonb	   *record;			/* the current record, or NULL if not read yet */
	Jsonb	   *prior;			/* the record before its change, or NULL */
	Jsonb	   *inputs;			/* object, or NULL */
	const char *idempotency_key;	/* or NULL */
	bytea	   *digest;			/* of record and inputs, with an idempotency key */
	const pg_uuid_t *owner_id;	/* NULL: the automated process user */
	const pg_uuid_t *started_by;	/* NULL: the automated process user */
	const char *starter;		/* the starter's name in the log, or NULL */
} StartRequest;

/*
 * Start a run and move it until it rests.  Returns the id of the run; if another session
 * used the idempotency key meanwhile, the id of its run.
 */
extern void orch_engine_start(const StartRequest *request, pg_uuid_t *run_id);

/*
 * The run that the same request with the same idempotency key started; false if there is
 * none, or no key.  The record need not exist any more.  Raises OR309 if the key was used
 * with another request.
 */
extern bool orch_engine_find_started(const StartRequest *request, pg_uuid_t *run_id);

/*
 * Does the record of the request satisfy the filters of the definition?  False if they read a
 * field that the record's table does not have; *missing is its name then, otherwise NULL.
 * Raises OR301 if the filters cannot be evaluated.
 */
extern bool orch_engine_triggered(const StartRequest *request, const char **missing);

/*
 * Move a run that was changed from outside the engine: evaluate everything again.
 * resumed: the run just left Suspended or Error.  Does nothing for runs without a
 * version, except that a resumed run gets its steps back InProgress.
 */
extern void orch_engine_go_on(const pg_uuid_t *run_id, bool resumed);

/*
 * Recall a run of an approval that is InProgress or Suspended, whose submission is Recalled
 * already: its open stage is discontinued, and the run goes on along the recall path, or is
 * Canceled if it has none.  Caller holds the lock on the run.
 */
extern void orch_engine_recall(const pg_uuid_t *run_id, const char *comments);

/* Set the starter of the run: the user of the acting role, if that role has a user. */
extern void orch_engine_set_starter(StartRequest *request, pg_uuid_t *started_by);

/* Registers the engine with the guard; called once, by _PG_init(). */
extern void orch_engine_init(void);

/* orchestration.max_elements: limits a loop of connectors that never waits. */
extern int	orch_max_elements;

/*
 * The assignee's comments for the log: the output Comments of a screen, or
 * specifiedComments of an approval; NULL if there is neither.
 */
extern JsonbValue *orch_engine_comments(Jsonb *outputs);

/*
 * engine_write.c: between begin and end, the engine's writes are gathered over runs
 * and written as sets.  begin returns NULL if they cannot be gathered.
 */
typedef struct EngineBatch EngineBatch;

extern EngineBatch *orch_engine_batch_begin(void);
extern void orch_engine_batch_end(EngineBatch *batch);
extern void orch_engine_batch_init(void);

/* engine_state.c: lock runs in the order of their ids and read them, for the open
 * batch; does nothing without one. */
extern void orch_engine_load_runs(const pg_uuid_t *run_ids, int nruns);

/* How a step ended outside the engine. */
typedef struct StepOutcome
{
	bool		success;
	Jsonb	   *outputs;		/* success; NULL: none */
	Jsonb	   *error;			/* failure: message, sqlstate, ... */
	const pg_uuid_t *lease_id;	/* of the claim that reported it, or NULL */
	const pg_uuid_t *run_as;	/* as whom the action ran (runAsUser), or NULL */
} StepOutcome;

/*
 * Apply the outcome of a step to its run, and move the run.  If the run or the step is not
 * InProgress, store the outcome as pending.  Caller holds the lock on the run.
 */
extern void orch_engine_end_step(const pg_uuid_t *run_id,
								 const pg_uuid_t *step_id,
								 const StepOutcome *outcome);

/*
 * Store the outcome of a step as pending; it is applied when the run is resumed.  Caller
 * holds the lock on the run.
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
 * The reason why the engine cannot move runs of a version (it was deleted, or is no longer
 * valid), allocated in the caller's context; NULL if it can.
 */
extern char *orch_engine_version_problem(const pg_uuid_t *version_id);

#endif							/* ORCH_ENGINE_H */
