/*-------------------------------------------------------------------------
 *
 * condition.h
 *	  Compiled references, requirements and their evaluation.
 *
 * The compiler resolves a reference as far as the definition goes (which variable,
 * which step).  At evaluation a callback of the caller's fetches the value, so that
 * nothing here reads a table.
 *
 * Values are those of condition_value.h.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/condition.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CONDITION_H
#define ORCH_CONDITION_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "evaluate/condition_datetime.h"
#include "evaluate/condition_value.h"

typedef enum OperandKind
{
	OPERAND_LITERAL,			/* a value written in the definition, or null */
	OPERAND_VARIABLE,			/* index: variable; path: fields in it */
	OPERAND_RECORD,				/* $Record; path: field, or relationships and
								 * field; empty: the whole record */
	OPERAND_RECORD_PRIOR,		/* $Record__Prior, likewise */
	OPERAND_STEP_STATUS,		/* index: step */
	OPERAND_STAGE_STATUS,		/* index: stage */
	OPERAND_STEP_OUTPUT,		/* index: step; path: output and fields in it */
	OPERAND_OUTCOME,			/* index: outcome; was it the last one taken? */
	OPERAND_VISITED,			/* index: an element that WasVisited asks for; did
								 * the run reach it? */
	OPERAND_USER,				/* $User; path: one field */
	OPERAND_INTERVIEW_GUID,		/* $Flow.InterviewGuid */
	OPERAND_CURRENT_DATETIME,	/* $Flow.CurrentDateTime */
	OPERAND_CURRENT_DATE,		/* $Flow.CurrentDate */
	OPERAND_START_TIME,			/* $Flow.InterviewStartTime */
	OPERAND_FAULT_MESSAGE,		/* $Flow.FaultMessage */
	OPERAND_RUN_ID,				/* $Orchestration.Instance */
	OPERAND_GLOBAL,				/* another global variable; path: its fields,
								 * text: its name and them */
	OPERAND_FORMULA,			/* index: formula */
	OPERAND_TEMPLATE,			/* index: text template */
	OPERAND_LOOKUP				/* index: record lookup; path: fields in it */
} OperandKind;

typedef struct Operand
{
	OperandKind kind;
	int			index;			/* into the definition's array, see kind */
	List	   *path;			/* of char *: what follows the name */
	JsonbValue *literal;		/* OPERAND_LITERAL; NULL is null */
	char	   *text;			/* as written, for messages */
	int			nesting;		/* how deep it stands in its formula */
	ValueType	type;
	bool		is_datetime;	/* declared or written as a date or date and
								 * time, and compared as such */
} Operand;

typedef enum ComparisonOperator
{
	COMPARE_EQUAL_TO,
	COMPARE_NOT_EQUAL_TO,
	COMPARE_GREATER_THAN,
	COMPARE_LESS_THAN,
	COMPARE_GREATER_THAN_OR_EQUAL_TO,
	COMPARE_LESS_THAN_OR_EQUAL_TO,
	COMPARE_STARTS_WITH,
	COMPARE_ENDS_WITH,
	COMPARE_CONTAINS,
	COMPARE_IS_NULL,
	COMPARE_IS_CHANGED,			/* $Record against $Record__Prior */
	COMPARE_IN,					/* right: a collection */
	COMPARE_NOT_IN,
	COMPARE_IS_BLANK,			/* null, or a text of white space alone */
	COMPARE_IS_EMPTY,			/* null, or a collection without members */
	COMPARE_WAS_SET,			/* not blank */

	/*
	 * left: the status of a stage or step, which has begun or failed; or a boolean that
	 * says so
	 */
	COMPARE_WAS_VISITED,
	COMPARE_HAS_ERROR
} ComparisonOperator;

typedef struct Requirement
{
	Operand    *left;
	ComparisonOperator op;
	Operand    *right;			/* NULL: null */
	struct ConditionSet *nested;	/* of a container of conditions, where no
									 * other field is set; or NULL */
} Requirement;

typedef enum LogicKind
{
	LOGIC_REQUIREMENT,			/* index: requirement, 0-based */
	LOGIC_AND,
	LOGIC_OR,
	LOGIC_NOT
} LogicKind;

typedef struct LogicNode
{
	LogicKind	kind;
	int			index;			/* LOGIC_REQUIREMENT */
	struct LogicNode *left;		/* the others */
	struct LogicNode *right;	/* LOGIC_AND, LOGIC_OR */
} LogicNode;

/* Requirements with their logic.  An empty set holds. */
typedef struct ConditionSet
{
	int			nrequirements;
	Requirement *requirements;
	LogicNode  *logic;			/* NULL: all of them */
} ConditionSet;

/*
 * Where values come from.  resolve() returns the value of an operand that is not a
 * literal, NULL for null.  It may raise OR301.
 */
typedef struct EvalContext
{
	JsonbValue *(*resolve) (struct EvalContext *cxt, const Operand *operand);
	void	   *arg;			/* for resolve() */
} EvalContext;

/* The value of an operand; NULL for null. */
extern JsonbValue *orch_condition_operand_value(EvalContext *cxt,
												const Operand *operand);

/*
 * Do the requirements hold?  Evaluates only those that are needed for the answer.
 * Raises OR301 if one of them cannot be evaluated.
 */
extern bool orch_condition_set_holds(EvalContext *cxt, const ConditionSet *set);

/* Has the record no prior values? */
extern bool orch_condition_is_new(EvalContext *cxt);

/* The prior value of a field of $Record; NULL for null. */
extern JsonbValue *orch_condition_prior_value(EvalContext *cxt, const Operand *operand);

/*
 * Does the value of a field of $Record differ from its prior value?  In a new record nothing
 * has changed, because it has no prior values.
 */
extern bool orch_condition_is_changed(EvalContext *cxt, JsonbValue *value, JsonbValue *prior);

/*
 * Does an operator apply to values of these types?  It does to unknown ones: whether
 * their values fit is seen when the requirement is evaluated.
 */
extern bool orch_condition_applies(ComparisonOperator op, ValueType left,
								   ValueType right);

/* Has the operator an order: less, greater? */
extern bool orch_condition_is_order(ComparisonOperator op);

/* Does a text meet a comparison with another: begins, ends, contains, else is equal? */
extern bool orch_condition_text_meets(const char *text, ComparisonOperator op,
									  const char *part);

/* The name of an operator in documents; and which one a name means, false: none. */
extern const char *orch_condition_operator_name(ComparisonOperator op);
extern bool orch_condition_find_operator(const char *name, ComparisonOperator *op);

#endif							/* ORCH_CONDITION_H */
