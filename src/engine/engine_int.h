/*-------------------------------------------------------------------------
 *
 * engine_int.h
 *	  What the files of the engine share: the run in memory.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ENGINE_INT_H
#define ORCH_ENGINE_INT_H

#include "postgres.h"

#include "access/attnum.h"
#include "datatype/timestamp.h"

#include "base/catalog.h"
#include "base/frame.h"
#include "base/orchestration.h"
#include "base/subtransaction.h"
#include "definition/definition.h"
#include "engine/engine.h"
#include "guard/guard.h"
#include "record/principal.h"

typedef struct StepState
{
	pg_uuid_t	id;
	int			def;			/* index into definition's steps */
	StepStatus	status;
	StepType	type;
	int			attempt;		/* 0: its action was never begun */
	Jsonb	   *outputs;		/* NULL: none */
	Jsonb	   *pending;		/* outcome not applied yet, or NULL */
} StepState;

/* A stage that the run left in this call: its rows may not be written yet. */
typedef struct PastStage
{
	struct PastStage *before;
	int			stage;
	StageStatus status;
	int			nsteps;
	StepState  *steps;
} PastStage;

/* The records that a variable holds (engine_record.c). */
typedef struct RecordBinding
{
	List	   *keys;			/* of char *; NIL: the variable is not bound */
	bool		fresh;			/* read since $Record was forgotten */
	bool		changed;		/* not stored yet */
	bool		stored;			/* run_record may have rows of it */
} RecordBinding;

/* The values of a run before it entered the first element on its way to the next stage. */
typedef struct PathStart
{
	JsonbValue **variables;
	bool	   *outcomes;
	bool	   *visited;
	RecordBinding *bindings;
	bool		bindings_read;	/* the run had bindings in memory */
	bool		variables_changed;
	bool		bindings_changed;
} PathStart;

/* The value of a formula or text template in one evaluation. */
typedef struct FormulaMemo
{
	uint64		evaluation;		/* 0: none */
	JsonbValue *value;
} FormulaMemo;

typedef struct RunState
{
	MemoryContext context;		/* holds everything below */
	Frame	   *frame;			/* NULL: filters of a start, or an evaluation flow */
	const Definition *def;		/* NULL: imported without a version */
	pg_uuid_t	id;
	RunStatus	status;
	char	   *record_type;	/* triggering record, or NULL */
	char	   *record_key;
	bool		record_loaded;	/* $Record was read since the last change */
	Jsonb	   *record;
	Jsonb	   *prior;			/* $Record__Prior, or NULL */
	bool		look_back;		/* $Record stands for the prior record */
	const char *missing_field;	/* that the filters of a start read and the
								 * record's table does not have, or NULL */
	char	   *fault_message;	/* $Flow.FaultMessage, or NULL */
	TimestampTz started_at;
	pg_uuid_t	interview_id;
	pg_uuid_t	started_by;
	const char *starter;		/* of a run that starts: the starter's name in
								 * the log, or NULL */
	const char *actor;			/* of the step that ends: its username in the
								 * log, or NULL */
	JsonbValue **variables;		/* in the order of the definition; NULL: a filter
								 * of the start, which reads none */
	RecordBinding *bindings;	/* likewise, NULL: not read yet */
	bool		bindings_changed;
	bool	   *outcomes;		/* taken? in the order of the definition */
	bool	   *visited;		/* in the order of the definition's visits */
	JsonbValue **lookups;		/* records that an evaluation flow found, or
								 * NULL */
	bool		variables_changed;
	const char *current_stage;	/* as stored, or NULL */
	int			position;		/* of the stage reached last, 0: none */
	bool		stage_open;		/* the stage below is InProgress */
	int			stage;			/* index into definition's stages */
	StageStatus stage_status;
	pg_uuid_t	stage_id;
	int			nsteps;			/* steps of that stage */
	int			max_steps;		/* room for */
	StepState  *steps;
	PastStage  *past;			/* the latest first */
	Connector	next;			/* the way on when no stage is open */
	int			nentries;		/* elements entered by this call */
	bool		on_path;		/* elements were entered since the last stage */
	PathStart  *path_start;		/* then the values before; NULL: never yet */
	bool		kept;			/* a batch owns the state */
	bool		read;			/* the row existed at the last read */
	bool		gone;			/* the row was deleted since */
	uint32		written_generation; /* engine_write.c: generation of flushes ... */
	int			written;		/* ... in which this kind was gathered last */
	EvalContext eval;
	uint64		evaluation;		/* number of the latest evaluation */
	FormulaMemo *formulas;		/* the definition's formulas, then its text
								 * templates; NULL: not needed yet */
} RunState;

/*
 * Execute code that may fail because of a definition or an action, in a
 * subtransaction of its own:
 *
 *		ORCH_ENGINE_TRY();
 *		{
 *			...
 *		}
 *		ORCH_ENGINE_CATCH(error);
 *
 * error (ErrorData *, NULL before) is set if the code failed.
 */
typedef struct Attempt
{
	Subtransaction sub;
	bool		one_of_many;	/* one call carries out functions of several runs */
} Attempt;

#define ORCH_ENGINE_TRY() ORCH_ENGINE_TRY_ONE(false)

#define ORCH_ENGINE_TRY_ONE(of_many) \
	do { \
		Attempt attempt_ = {.one_of_many = (of_many)}; \
		orch_engine_begin_attempt(&attempt_); \
		PG_TRY()

#define ORCH_ENGINE_CATCH(error) \
		PG_CATCH(); \
		{ \
			error = orch_engine_fail_attempt(&attempt_); \
		} \
		PG_END_TRY(); \
		if (error == NULL) \
			orch_engine_end_attempt(&attempt_); \
	} while (0)

/*
 * engine_write.c: kinds of writes, in the order in which a batch writes them.
 */
typedef enum EngineWrite
{
	WRITE_RUN,
	WRITE_RUN_ONCE,				/* with an idempotency key; never gathered */
	WRITE_SUBMISSION,
	WRITE_STEP_COMPLETED,
	WRITE_STAGE_COMPLETED,
	WRITE_STAGE,
	WRITE_STEP,
	WRITE_STEP_STARTED,
	WRITE_QUEUED,
	WRITE_QUEUED_AGAIN,			/* may still be in the queue; never gathered */
	WRITE_STEP_MESSAGE,
	WRITE_WORK_ITEM,
	WRITE_REST,
	WRITE_RUN_COMPLETED,
	WRITE_RUN_COMPLETED_VARIABLES,
	WRITE_RUN_CANCELED,			/* the end of a recall path */
	NUM_WRITES
} EngineWrite;

/* the highest attribute number that the engine writes */
#define MAX_WRITE_COLUMNS Anum_work_item_is_parent

/* A row to be written: the columns of its table that the kind has. */
typedef struct WriteRow
{
	Datum		values[MAX_WRITE_COLUMNS];
	bool		nulls[MAX_WRITE_COLUMNS];
} WriteRow;

static inline void
orch_engine_begin_row(WriteRow *row)
{
	memset(row->nulls, true, sizeof(row->nulls));
}

static inline void
orch_engine_put(WriteRow *row, AttrNumber attnum, Datum value)
{
	row->values[attnum - 1] = value;
	row->nulls[attnum - 1] = false;
}

extern void orch_engine_write(RunState *rs, EngineWrite kind, const WriteRow *rows,
							  int nrows);
extern uint64 orch_engine_write_now(RunState *rs, EngineWrite kind, const WriteRow *rows,
									int nrows, ScopeKind scope_kind, const char *comments);
extern void orch_engine_flush(void);

/* engine_write.c: the states of the runs of a batch */
extern bool orch_engine_gathers(void);
extern void orch_engine_step_aside(RunState *rs);
extern void orch_engine_leave_batch(RunState *rs);
extern RunState *orch_engine_batch_state(const pg_uuid_t *run_id);
extern void orch_engine_batch_keep(RunState *rs);

/* engine_state.c */
extern RunState *orch_engine_make_state(const Definition *def);
extern RunState *orch_engine_load_run(const pg_uuid_t *run_id);
extern void orch_engine_open_state(RunState *rs);
extern void orch_engine_close_state(RunState *rs);
extern void orch_engine_drop_state(RunState *rs);
extern void orch_engine_reload(RunState *rs);
extern bool orch_engine_still_moves(RunState *rs);
extern const char *orch_engine_stage_name(RunState *rs);
extern void orch_engine_write_rest(RunState *rs, const char *stage);

/*
 * A user's function is about to run.  Everything that the engine has gathered and holds in
 * memory for the run is written first, so that the function and its calls of the engine
 * read the current state.  If the function writes to the run, the frame is dirty afterwards.
 */
extern void orch_engine_open_gate(RunState *rs);

/* engine_fail.c */
extern void orch_engine_begin_attempt(Attempt *attempt);
extern void orch_engine_end_attempt(Attempt *attempt);
extern ErrorData *orch_engine_fail_attempt(Attempt *attempt);
extern bool orch_engine_is_server_error(int sqlstate);
extern bool orch_engine_can_be_mended(const ErrorData *error);
extern Jsonb *orch_engine_error(ErrorData *error, const char *element);
extern void orch_engine_fail_run(RunState *rs, Jsonb *error, bool recoverable,
								 bool in_stage);
extern void orch_engine_fail_stage(RunState *rs, Jsonb *error, bool recoverable,
								   bool in_step);

/* The result of a condition. */
typedef enum Verdict
{
	VERDICT_NO,
	VERDICT_YES,
	VERDICT_MOVED				/* the condition failed the stage or the run, or a
								 * function moved the run: evaluate again */
} Verdict;

extern Verdict orch_engine_condition(RunState *rs, const ConditionSet *set,
									 const EvaluationAction *action,
									 const char *element);

/* engine.c */
extern void orch_engine_advance(RunState *rs);

/* engine_approval.c */
extern void orch_engine_submit(RunState *rs, const pg_uuid_t *started_by);

/* engine_assignee.c */
extern List *orch_engine_assignee_names(RunState *rs, const StepDef *def);
extern bool orch_engine_find_assignee(AssigneeKind kind, const char *name, Principal *result);
extern Jsonb *orch_engine_find_assignees(const StepDef *def, List *names, pg_uuid_t *ids);
extern Jsonb *orch_engine_find_members(const StepDef *def, List *names,
									   const pg_uuid_t *assignees, pg_uuid_t **members,
									   int *nmembers);
extern void orch_engine_write_members(RunState *rs, WriteRow *parent,
									  const pg_uuid_t *members, int nmembers);

/* engine_message.c: what a step's definition says in messages, or NULL */
typedef struct StepMessage
{
	char	   *subject;		/* or NULL */
	char	   *body;			/* or NULL */
	bool		is_html;
} StepMessage;

extern StepMessage *orch_engine_message(RunState *rs, const StepDef *def);
extern void orch_engine_write_message(RunState *rs, const StepState *step,
									  const StepMessage *message);

/* engine_evaluation.c */
extern bool orch_engine_evaluate(RunState *rs, const EvaluationAction *action);
extern Connector orch_engine_decide(RunState *rs, int decision);

/* engine_step.c */
extern bool orch_engine_complete_interactive(RunState *rs);
extern void orch_engine_make_steps(RunState *rs);
extern bool orch_engine_start_ready(RunState *rs);
extern void orch_engine_take_outcome(RunState *rs, StepState *step,
									 const StepOutcome *outcome);
extern void orch_engine_resume_step(RunState *rs, StepState *step,
									bool pending);
extern void orch_engine_discontinue_others(RunState *rs, StepState *failed);
extern StepType orch_engine_step_type(const StepDef *def);
extern void orch_engine_add_steps(RunState *rs);
extern const pg_uuid_t *orch_engine_run_as_user(RunState *rs, const StepDef *def,
												Principal *principal);

/* engine_value.c */
extern void orch_engine_init_evaluation(RunState *rs);
extern void orch_engine_load_variables(RunState *rs, Jsonb *stored);
extern Jsonb *orch_engine_store_variables(RunState *rs);
extern void orch_engine_visit(RunState *rs, const char *name);
extern Jsonb *orch_engine_step_inputs(RunState *rs, const StepDef *step);
extern Jsonb *orch_engine_inputs(RunState *rs, const char *element, int ninputs,
								 const InputParameter *inputs);
extern void orch_engine_begin_evaluation(RunState *rs);
extern JsonbValue *orch_engine_value(RunState *rs, const Operand *operand);
extern bool orch_engine_holds(RunState *rs, const ConditionSet *set);
extern bool orch_engine_value_fits(const VariableDef *variable, JsonbValue *value);

/* engine_variable.c */
extern void orch_engine_init_values(RunState *rs);
extern void orch_engine_begin_values(RunState *rs, Jsonb *inputs, Oid caller);
extern bool *orch_engine_take_inputs(RunState *rs, Jsonb *inputs, Oid caller);
extern void orch_engine_set_defaults(RunState *rs, const bool *given);
extern void orch_engine_set_default(RunState *rs, int index);
extern bool orch_engine_set_variable(RunState *rs, int index, JsonbValue *value);

/* engine_start.c */
extern ErrorData *orch_engine_try_defaults(RunState *rs, const bool *given,
										   const char **variable);

/* engine_record.c */
extern JsonbValue *orch_engine_copy_value(MemoryContext context, JsonbValue *value);
extern List *orch_engine_members(JsonbValue *value);
extern JsonbValue *orch_engine_variable_value(RunState *rs, const Operand *operand);
extern JsonbValue *orch_engine_record_of_id(RunState *rs, const VariableDef *variable,
											JsonbValue *value, Oid reader, char **id);
extern Oid	orch_engine_reader(RunState *rs);
extern void orch_engine_bind(RunState *rs, int index, Oid reader, char *id);
extern void orch_engine_unbind(RunState *rs, int index);
extern void orch_engine_forget_records(RunState *rs);
extern void orch_engine_forget_bindings(RunState *rs);
extern void orch_engine_write_bindings(RunState *rs);

/* engine_assign.c */
extern void orch_engine_assign(RunState *rs, const AssignmentDef *assignment);

#endif							/* ORCH_ENGINE_INT_H */
