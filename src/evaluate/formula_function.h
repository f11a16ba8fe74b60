/*-------------------------------------------------------------------------
 *
 * formula_function.h
 *	  The functions and operators of formulas.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_function.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_FUNCTION_H
#define ORCH_FORMULA_FUNCTION_H

#include "postgres.h"

#include "evaluate/formula.h"

typedef JsonbValue *(*FormulaEvaluator) (EvalContext *cxt, const FormulaNode *node);

typedef struct FormulaFunction
{
	const char *name;
	int			min_args;
	int			max_args;		/* -1: any number */

	/*
	 * One letter for each argument, the last for all that follow: n number, t
	 * text, b boolean, d date or date and time, c time of day or date and time, w date,
	 * date and time or time of day, a anything.
	 */
	const char *args;
	ValueType	result;			/* VALUE_UNKNOWN: that of the argument below */
	int			result_arg;		/* -1: the type is not known */
	FormulaEvaluator evaluate;
	bool		reads_prior;	/* asks for $Record__Prior */
} FormulaFunction;

/* The function of that name, in upper or lower case; NULL if there is none. */
extern const FormulaFunction *orch_formula_function(const char *name);

/*
 * Why a function of the platform is not there, and what to do instead; NULL if the
 * platform has none of that name.
 */
extern const char *orch_formula_refused(const char *name);

/*
 * Sees what a call's arguments say beyond their number and types; may set its type.
 * Returns what is wrong, NULL if nothing is.
 */
extern const char *orch_formula_check_call(FormulaNode *node);

#endif							/* ORCH_FORMULA_FUNCTION_H */
