/*-------------------------------------------------------------------------
 *
 * definition_int.h
 *	  What the definition modules share among themselves: the compiler and the
 *	  list of problems that it finds.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DEFINITION_INT_H
#define ORCH_DEFINITION_INT_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "definition.h"
#include "document.h"

#define MAX_API_NAME_LENGTH	80
#define AUTOMATIC_INPUT_PREFIX "ActionInput__"

typedef enum ProblemSeverity
{
	PROBLEM_ERROR,
	PROBLEM_STALE,				/* a warning that stops activation */
	PROBLEM_WARNING
} ProblemSeverity;

typedef struct Problem
{
	ProblemSeverity severity;
	int			number;			/* in the order of finding */
	char	   *place;			/* in the document; empty: the whole of it */
	int			line;			/* 0: not known */
	char	   *message;
	char	   *reference;		/* PROBLEM_STALE: the text that names nothing */
} Problem;

typedef struct ProblemList
{
	int			nproblems;
	int			allocated;
	int			nerrors;		/* of each severity */
	int			nstale;
	int			nwarnings;
	Problem    *problems;
} ProblemList;

extern void orch_definition_add_problem(ProblemList *list,
										ProblemSeverity severity,
										const char *place, int line,
										const char *message,
										const char *reference);
extern char *orch_definition_problem_text(const ProblemList *list,
										  ProblemSeverity up_to);

/*
 * Compile a document into a definition in context, which must be empty of
 * meaning when there were errors.  version_id, name and version are the
 * caller's.
 */
extern Definition *orch_definition_compile(const DocNode *root,
										   MemoryContext context,
										   ProblemList *problems);
extern ConditionSet *orch_definition_compile_conditions(const DocNode *root,
														MemoryContext context,
														ProblemList *problems);

extern bool orch_definition_is_api_name(const char *name);
extern const char *orch_definition_operator_name(ComparisonOperator op);
extern const char *orch_definition_variable_type_name(VariableType type);
extern const char *orch_definition_assignee_kind_name(AssigneeKind kind);

/* in condition.c */
extern bool orch_condition_datetime(const char *text, int length,
									Timestamp *result);

#endif							/* ORCH_DEFINITION_INT_H */
