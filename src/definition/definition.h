/*-------------------------------------------------------------------------
 *
 * definition.h
 *	  Orchestration definitions: the compiled form that the engine reads.
 *
 * A session compiles a version from the stored document once, and keeps it in a memory
 * context of its own below CacheMemoryContext.  Versions are immutable and have a uuid of
 * their own, so an entry is never stale.
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

/* The kind of element that a connector leads to. */
typedef enum ElementKind
{
	ELEMENT_END,				/* none: the path ends */
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
	DEFINITION_EVALUATION		/* EvaluationFlow: decides a condition, has no runs */
} DefinitionKind;

typedef struct Connector
{
	ElementKind kind;
	int			index;			/* into the array of that kind */
} Connector;

/* The SQL type step_type, in its order; orchestration.h has the other types. */
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
	ASSIGNEE_RESOURCE			/* any of these, known at run time */
} AssigneeKind;

typedef struct InputParameter
{
	char	   *name;
	Operand    *value;			/* NULL: null */
} InputParameter;

/*
 * A condition that an evaluation flow or a function decides, by its output
 * isOrchestrationConditionMet.
 */
typedef struct EvaluationAction
{
	char	   *name;			/* of the action or evaluation flow */
	int			ninputs;
	InputParameter *inputs;
} EvaluationAction;

typedef struct Assignee
{
	AssigneeKind kind;
	Operand    *value;
} Assignee;

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

	/*
	 * The step starts when the steps in after are Completed, entry holds, or
	 * entry_action answers true, whichever of them is given; without any, when
	 * its stage starts.
	 */
	int			nafter;
	int		   *after;			/* indexes of steps */
	ConditionSet *entry;		/* or NULL */
	EvaluationAction *entry_action; /* or NULL */

	/*
	 * An interactive step is complete when exit holds or exit_action answers
	 * true; without either, when the assignee has finished.
	 */
	ConditionSet *exit;			/* or NULL */
	EvaluationAction *exit_action;	/* or NULL */
	bool		is_approval;	/* stepApproval */
	bool		is_mulesoft;	/* stepMuleSoft */
	bool		is_unanimous;	/* requiresMultiMemberApproval, in an
								 * ApprovalWorkflow */
	bool		locks_record;	/* shouldLock: the context record cannot be
								 * changed while the step is open, */
	bool		assignee_can_edit;	/* except by the assignee */
	int			ninputs;
	InputParameter *inputs;
	Operand    *context_record;	/* ActionInput__RecordId, or NULL */
	Operand    *message_subject;	/* ActionInput__CustomEmailSubject, or NULL */
	Operand    *message_body;	/* ActionInput__CustomEmailBody, or NULL */
	AssigneeKind assignee_kind; /* interactive steps, and with runAsUser */
	Operand    *assignee;		/* with runAsUser: the user as whom the action
								 * runs; or NULL */
	int			nassignees;		/* several: of a unanimous approval; the first
								 * is the assignee above */
	Assignee   *assignees;
} StepDef;

typedef struct StageDef
{
	char	   *name;
	char	   *label;
	int			first_step;		/* its steps are steps[first_step ...] */
	int			nsteps;

	/*
	 * The stage is complete when exit holds or exit_action answers true; without
	 * either, when all its steps are Completed.
	 */
	ConditionSet *exit;			/* or NULL */
	EvaluationAction *exit_action;	/* or NULL */
	bool		reads_record;	/* its conditions, or those of its steps, read
								 * $Record */
	bool		reads_variables;	/* they read a variable that refreshes */
	bool		has_fault;		/* fault is set: the path after an error */
	Connector	fault;
	Connector	connector;
} StageDef;

typedef struct OutcomeDef
{
	char	   *name;
	char	   *label;
	int			decision;		/* index of its decision */
	bool		only_when_changed;	/* and they did not hold for $Record__Prior */
	ConditionSet *conditions;
	Connector	connector;
} OutcomeDef;

typedef struct DecisionDef
{
	char	   *name;
	char	   *label;
	char	   *default_label;	/* defaultConnectorLabel, or NULL */
	int			first_outcome;	/* its outcomes are outcomes[first_outcome ...] */
	int			noutcomes;
	Connector	default_connector;
} DecisionDef;

typedef enum AssignOperator
{
	ASSIGN_SET,					/* Assign */
	ASSIGN_ADD,					/* Add: to numbers a number, to texts a text,
								 * to dates days, to collections a member */
	ASSIGN_ADD_ITEM,			/* AddItem: to a collection, as the last member */
	ASSIGN_ADD_AT_START,
	ASSIGN_SUBTRACT,			/* Subtract: from numbers, days from dates */
	ASSIGN_COUNT,				/* AssignCount: the number of members of a
								 * collection */
	/* these remove members of a collection: */
	ASSIGN_REMOVE_FIRST,		/* the first that equals the value */
	ASSIGN_REMOVE_ALL,			/* all that equal the value or one of its
								 * members */
	ASSIGN_REMOVE_BEFORE_FIRST, /* those before the first that equals it */
	ASSIGN_REMOVE_AFTER_FIRST,	/* those after the first that equals it */
	ASSIGN_REMOVE_UNCOMMON,		/* those that are not in the other collection */
	ASSIGN_REMOVE_POSITION		/* the one with this number, from 1 */
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
	char	   *label;
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
	bool		is_stored;		/* in run.variables: not a constant that is a
								 * literal */
	bool		is_read;		/* something in the definition reads it */
	bool		refreshes;		/* read again from its record in every evaluation */
	char	   *object_type;	/* record type of an SObject variable, or NULL */
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
	bool		reads_record;	/* it, or what it refers to, reads $Record */
	bool		is_html;		/* not isViewedAsPlainText */
} TemplateDef;

/* Get Records of an evaluation flow. */
typedef struct LookupDef
{
	char	   *name;
	char	   *label;
	char	   *record_type;
	ConditionSet *filters;		/* left sides are fields of its records */
	bool		first_only;
	bool		assign_null;	/* to the variable, if no record is found */
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
	bool		valid;			/* set last */
	MemoryContext context;		/* holds everything below */
	char	   *name;			/* API name of the orchestration */
	char	   *label;
	int			version;
	char	   *record_type;	/* start.object, or NULL */
	DefinitionKind kind;
	int			api_version;	/* apiVersion without its fraction, 0: none given */
	RecordTriggerType record_trigger;
	bool		only_when_changed;	/* doesRequireRecordChangedToMeetCriteria */
	ConditionSet *filters;		/* left sides are OPERAND_RECORD, one field */
	FormulaNode *filter_formula;	/* or NULL */
	List	   *filter_references;	/* of Operand *: what it reads */
	bool		filters_look_back;	/* they read $Record__Prior */
	bool		filters_read_variables;
	bool		waits_for_record;	/* a stage reads_record */
	bool		refreshes;		/* a variable does */
	bool		reads_prior;	/* something after the start reads
								 * $Record__Prior */
	bool		has_recall;		/* recall is set: the path of a recalled
								 * approval */
	Connector	recall;
	bool		sends_no_messages;	/* SendNoApproverEmails: assignees get none */
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
	int			ndefaults;
	int		   *defaults;		/* variables with a default_value, each after those
								 * that its default reads */
	int			nformulas;
	FormulaDef *formulas;
	int			ntemplates;
	TemplateDef *templates;
	int			nlookups;
	LookupDef  *lookups;
	int			trigger_order;	/* triggerOrder, 0: none given */
	int			nvisits;
	const char **visits;		/* names of the decisions, outcomes, assignments
								 * and lookups that WasVisited asks for */
	struct HTAB *names;			/* of all its elements, by API name */
} Definition;

/*
 * The compiled definition of a version, which lives as long as the session.  Raises
 * OR101 if there is no such version.
 */
extern const Definition *orch_definition_get(const pg_uuid_t *version_id);

/* The index of an element of this kind, by API name; -1 if there is none. */
extern int	orch_definition_stage_index(const Definition *def, const char *name);
extern int	orch_definition_step_index(const Definition *def, const char *name);
extern int	orch_definition_variable_index(const Definition *def, const char *name);
extern int	orch_definition_outcome_index(const Definition *def, const char *name);

/* The index among def->visits of the element of this name; -1 if it is not there. */
extern int	orch_definition_visit_index(const Definition *def, const char *name);

/*
 * The definition of the active version of an orchestration.  Raises OR202 if there is
 * no such orchestration, OR203 if it has no active version.
 */
extern const Definition *orch_definition_active(const char *name);

/*
 * definition_hold.c: the same, to start a run: no version of the orchestration can be
 * deleted before this transaction ends.
 */
extern const Definition *orch_definition_hold_active(const char *name);
extern List *orch_definition_hold_triggered_by(const char *record_type);

/*
 * The same for a version that a row refers to by its id: locks the version against
 * deletion.  Returns false if it does not exist.
 */
extern bool orch_definition_hold_version(const pg_uuid_t *version_id);

/*
 * The active definitions that records of this type trigger, in the order in which they
 * run: a list of const Definition *, in the current memory context.
 */
extern List *orch_definition_triggered_by(const char *record_type);

#endif							/* ORCH_DEFINITION_H */
