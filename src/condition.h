/*-------------------------------------------------------------------------
 *
 * condition.h
 *	  Compiled references, requirements and their evaluation.
 *
 * A reference is resolved at compile time as far as the definition goes (which
 * variable, which step); the rest is fetched at evaluation by a callback that
 * the engine supplies, so that this module reads no table.
 *
 * Values are JsonbValue pointers; NULL and jbvNull both mean null.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/condition.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CONDITION_H
#define ORCH_CONDITION_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef enum OperandKind
{
	OPERAND_LITERAL,			/* a value in the definition, or null */
	OPERAND_VARIABLE,			/* index: variable; path: fields in it */
	OPERAND_RECORD,				/* $Record; path: field, or relationships and
								 * field; empty: the whole record */
	OPERAND_RECORD_PRIOR,		/* $Record__Prior, likewise */
	OPERAND_STEP_STATUS,		/* index: step */
	OPERAND_STAGE_STATUS,		/* index: stage */
	OPERAND_STEP_OUTPUT,		/* index: step; path: output and fields in it */
	OPERAND_OUTCOME,			/* index: outcome; was it the one last taken? */
	OPERAND_USER,				/* $User; path: one field */
	OPERAND_INTERVIEW_GUID,		/* $Flow.InterviewGuid */
	OPERAND_CURRENT_DATETIME,	/* $Flow.CurrentDateTime */
	OPERAND_RUN_ID				/* $Orchestration.Instance */
} OperandKind;

typedef struct Operand
{
	OperandKind kind;
	int			index;			/* into the definition's array, see kind */
	List	   *path;			/* of char *: what follows the name */
	JsonbValue *literal;		/* OPERAND_LITERAL; NULL is null */
	char	   *text;			/* as written, for messages */
	bool		is_datetime;	/* declared or written as a date or date and
								 * time: compares as such */
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
	COMPARE_IS_CHANGED			/* start filters only: $Record against
								 * $Record__Prior */
} ComparisonOperator;

typedef struct Requirement
{
	Operand    *left;
	ComparisonOperator op;
	Operand    *right;			/* NULL: null */
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

/* A set of requirements with its logic; an empty set holds. */
typedef struct ConditionSet
{
	int			nrequirements;
	Requirement *requirements;
	LogicNode  *logic;			/* NULL: all of them */
} ConditionSet;

/*
 * Where values come from.  resolve() is called for every operand that is not a
 * literal and returns NULL for null; it may raise ERRCODE_ORCH_CANNOT_EVALUATE.
 */
typedef struct EvalContext
{
	JsonbValue *(*resolve) (struct EvalContext *cxt, const Operand *operand);
	void	   *arg;			/* for resolve() */
} EvalContext;

extern JsonbValue *orch_condition_operand_value(EvalContext *cxt,
												const Operand *operand);
extern bool orch_condition_set_holds(EvalContext *cxt, const ConditionSet *set);

/*
 * The value at a path of field names inside a value; NULL where there is none.
 * Field names match exactly, then without regard to case, then by their
 * snake_case form (ManagerId, manager_id).
 */
extern JsonbValue *orch_condition_value_at(JsonbValue *value, List *path);
extern JsonbValue *orch_condition_field(JsonbContainer *object, const char *field);

/* The text of a scalar value, as assignees and messages use it; NULL for null. */
extern char *orch_condition_value_text(JsonbValue *value);

#endif							/* ORCH_CONDITION_H */
