/*-------------------------------------------------------------------------
 *
 * definition.h
 *	  Orchestration definitions: the compiled form that the engine reads.
 *
 * A definition is compiled from the stored document once a session and version
 * and kept in a memory context of its own below CacheMemoryContext.  Versions
 * are immutable and known by a uuid of their own, so an entry is never stale.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DEFINITION_H
#define ORCH_DEFINITION_H

#include "postgres.h"

#include "utils/uuid.h"

#include "evaluate/condition.h"
#include "evaluate/formula.h"

/* The one output of an evaluation flow, or of a function that is a condition. */
#define CONDITION_OUTPUT	"isOrchestrationConditionMet"

/* Where a connector leads. */
typedef enum ElementKind
{
	ELEMENT_END,				/* no connector: the path ends here */
	ELEMENT_STAGE,
	ELEMENT_DECISION,
	ELEMENT_ASSIGNMENT,
	ELEMENT_LOOKUP				/* evaluation flows only */
} ElementKind;

/* processType */
typedef enum DefinitionKind
{
	DEFINITION_ORCHESTRATOR,
	DEFINITION_APPROVAL,		/* ApprovalWorkflow */
	DEFINITION_EVALUATION		/* EvaluationFlow: a condition, never run */
} DefinitionKind;

typedef struct Connector
{
	ElementKind kind;
	int			index;			/* into the array of that kind */
} Connector;

/* Enum of the SQL type step_type, in its order (orchestration.h has the rest). */
typedef enum StepType
{
	STEP_TYPE_INTERACTIVE,
	STEP_TYPE_BACKGROUND,
	STEP_TYPE_ASYNCHRONOUS
} StepType;

typedef enum AssigneeKind
{
	ASSIGNEE_USER,
	ASSIGNEE_GROUP,
	ASSIGNEE_QUEUE,
	ASSIGNEE_RESOURCE			/* kind found at run time */
} AssigneeKind;

typedef struct InputParameter
{
	char	   *name;
	Operand    *value;			/* NULL: null */
} InputParameter;

/*
 * A condition that an evaluation flow, or a function, answers: its output
 * isOrchestrationConditionMet.
 */
typedef struct EvaluationAction
{
	char	   *name;			/* of the action or evaluation flow */
	int			ninputs;
	InputParameter *inputs;
} EvaluationAction;

typedef struct StepDef
{
	char	   *name;
	char	   *label;
	char	   *description;	/* or NULL */
	int			stage;			/* index of its stage */
	StepType	type;			/* from actionType; the engine makes a
								 * background step asynchronous when its action
								 * is bound to workers */
	char	   *action_name;
	int			nafter;			/* entry condition: these steps are Completed; */
	int		   *after;			/* 0 and no other: when the stage starts */
	ConditionSet *entry;		/* these hold, or NULL */
	EvaluationAction *entry_action; /* this answers true, or NULL */
	ConditionSet *exit;			/* interactive: complete when these hold */
	EvaluationAction *exit_action;	/* or this answers true; both NULL: when
									 * the assignee finished */
	bool		is_approval;	/* stepApproval */
	bool		locks_record;	/* shouldLock: nobody changes the context
								 * record meanwhile, */
	bool		assignee_can_edit;	/* but for its assignee */
	int			ninputs;
	InputParameter *inputs;
	Operand    *context_record;	/* ActionInput__RecordId, or NULL */
	AssigneeKind assignee_kind; /* interactive steps, and with runAsUser */
	Operand    *assignee;		/* others: whom the action runs as, or NULL */
} StepDef;

typedef struct StageDef
{
	char	   *name;
	char	   *label;
	int			first_step;		/* its steps are steps[first_step ...] */
	int			nsteps;
	ConditionSet *exit;			/* complete when these hold, */
	EvaluationAction *exit_action;	/* or this answers true; both NULL: when
									 * all steps are Completed */
	bool		reads_record;	/* its conditions look at $Record */
	bool		has_fault;		/* where it goes on when it fails */
	Connector	fault;
	Connector	connector;
} StageDef;

typedef struct OutcomeDef
{
	char	   *name;
	char	   *label;
	int			decision;		/* index of its decision */
	bool		only_when_changed;	/* and did not with $Record__Prior */
	ConditionSet *conditions;
	Connector	connector;
} OutcomeDef;

typedef struct DecisionDef
{
	char	   *name;
	int			first_outcome;	/* its outcomes are outcomes[first_outcome ...] */
	int			noutcomes;
	Connector	default_connector;
} DecisionDef;

typedef enum AssignOperator
{
	ASSIGN_SET,					/* Assign */
	ASSIGN_ADD,					/* Add: numbers add, texts concatenate, dates
								 * go on by days, collections get a member */
	ASSIGN_ADD_ITEM,			/* AddItem: the last */
	ASSIGN_ADD_AT_START,
	ASSIGN_SUBTRACT,			/* Subtract: numbers, days */
	ASSIGN_COUNT,				/* AssignCount: of a collection */
	ASSIGN_REMOVE_FIRST,		/* of a collection: the first member that is
								 * equal, */
	ASSIGN_REMOVE_ALL,			/* all members that are equal to it or one of
								 * its members, */
	ASSIGN_REMOVE_BEFORE_FIRST, /* what comes before the first equal one, */
	ASSIGN_REMOVE_AFTER_FIRST,	/* or after it, */
	ASSIGN_REMOVE_UNCOMMON,		/* what is not in the other collection, */
	ASSIGN_REMOVE_POSITION		/* RemovePosition: by number, from 1 */
} AssignOperator;

typedef struct AssignItem
{
	int			variable;		/* index */
	List	   *path;			/* of char *: fields in it, or NIL */
	AssignOperator op;
	Operand    *value;			/* NULL: null */
} AssignItem;

typedef struct AssignmentDef
{
	char	   *name;
	int			nitems;
	AssignItem *items;
	Connector	connector;
} AssignmentDef;

typedef struct VariableDef
{
	char	   *name;
	VariableType type;
	bool		is_collection;
	bool		is_input;
	bool		is_output;
	bool		is_constant;	/* from constants: never assigned */
	Operand    *default_value;	/* or NULL */
} VariableDef;

typedef enum RecordTriggerType
{
	RECORD_TRIGGER_NONE,		/* started by call */
	RECORD_TRIGGER_CREATE,
	RECORD_TRIGGER_UPDATE,
	RECORD_TRIGGER_CREATE_AND_UPDATE
} RecordTriggerType;

/* A text with the values of references in it. */
typedef struct TemplateDef
{
	char	   *name;
	int			nparts;
	char	  **texts;			/* one more than references */
	List	   *references;		/* of Operand * */
	bool		reads_record;	/* it, or what it refers to, looks at $Record */
} TemplateDef;

/* Get Records of an evaluation flow. */
typedef struct LookupDef
{
	char	   *name;
	char	   *record_type;
	ConditionSet *filters;		/* left sides are fields of its records */
	bool		first_only;
	bool		assign_null;	/* to the variable, when there is none */
	char	   *sort_field;		/* or NULL */
	bool		descending;
	int64		limit;			/* 0: none */
	int			variable;		/* outputReference, -1: none */
	Connector	connector;
} LookupDef;

typedef struct Definition
{
	pg_uuid_t	version_id;		/* hash key, must be first */
	pg_uuid_t	orchestration_id;
	bool		valid;			/* set last: compiled whole */
	MemoryContext context;		/* holds everything below */
	char	   *name;			/* API name of the orchestration */
	char	   *label;
	int			version;
	char	   *record_type;	/* start.object, or NULL */
	DefinitionKind kind;
	RecordTriggerType record_trigger;
	bool		only_when_changed;	/* doesRequireRecordChangedToMeetCriteria */
	ConditionSet *filters;		/* left sides are OPERAND_RECORD, one field */
	FormulaNode *filter_formula; /* or NULL */
	List	   *filter_references;	/* of Operand *: what it reads */
	bool		filters_look_back;	/* they ask what changed */
	bool		waits_for_record;	/* a stage reads_record */
	bool		reads_prior;	/* something after the start reads
								 * $Record__Prior */
	bool		has_recall;		/* where a recalled approval goes on */
	Connector	recall;
	Connector	start;
	int			nstages;
	StageDef   *stages;
	int			nsteps;
	StepDef    *steps;			/* of all stages, stage by stage */
	int			ndecisions;
	DecisionDef *decisions;
	int			noutcomes;
	OutcomeDef *outcomes;
	int			nassignments;
	AssignmentDef *assignments;
	int			nvariables;
	VariableDef *variables;
	int			nformulas;
	FormulaDef *formulas;
	int			ntemplates;
	TemplateDef *templates;
	int			nlookups;
	LookupDef  *lookups;
	int			trigger_order;	/* triggerOrder, 0: none given */
	struct HTAB *names;			/* of all its elements, by API name */
} Definition;

/*
 * The compiled definition of a version.  Raises ERRCODE_ORCH_RECORD_NOT_FOUND
 * when there is no such version.  The result lives as long as the session.
 */
extern const Definition *orch_definition_get(const pg_uuid_t *version_id);

/* Index of such an element by API name, -1 when there is none. */
extern int	orch_definition_stage_index(const Definition *def, const char *name);
extern int	orch_definition_step_index(const Definition *def, const char *name);
extern int	orch_definition_variable_index(const Definition *def, const char *name);
extern int	orch_definition_outcome_index(const Definition *def, const char *name);

/*
 * The definition of the active version of an orchestration.  Raises
 * ERRCODE_ORCH_UNKNOWN_ORCHESTRATION or ERRCODE_ORCH_NOT_ACTIVE.  Caller as
 * for orch_definition_get().
 */
extern const Definition *orch_definition_active(const char *name);

/*
 * The active definitions that records of this type trigger, in the order in
 * which they run: const Definition *, in a list of the caller's.  Caller as
 * for orch_definition_get().
 */
extern List *orch_definition_triggered_by(const char *record_type);

#endif							/* ORCH_DEFINITION_H */
