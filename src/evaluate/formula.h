/*-------------------------------------------------------------------------
 *
 * formula.h
 *	  Formulas: expressions over references, with functions.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_H
#define ORCH_FORMULA_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "base/compat.h"
#include "definition/definition.h"
#include "evaluate/condition.h"

struct FormulaFunction;

/* An operand, or a function (operators are functions) with its arguments. */
typedef struct FormulaNode
{
	const struct FormulaFunction *function; /* NULL: an operand */
	Operand    *operand;
	ValueType	type;			/* as far as it is known beforehand */
	bool		is_binary;		/* an operator between its two arguments */
	int			nargs;
	struct FormulaNode **args;
} FormulaNode;

typedef JsonbValue *(*FormulaEvaluator) (EvalContext *cxt, const FormulaNode *node);

typedef struct FormulaFunction
{
	const char *name;
	int			min_args;
	int			max_args;		/* -1: any number */

	/*
	 * One letter an argument, the last for all that follow: n number, t text, b
	 * boolean, d date or date and time, a anything.
	 */
	const char *args;
	ValueType	result;			/* VALUE_UNKNOWN: as the argument below */
	int			result_arg;		/* -1: not known */
	FormulaEvaluator evaluate;
} FormulaFunction;

/* How many characters a text may have that a formula or a template makes. */
#define MAX_TEXT_LENGTH 1000000

/* Is a text longer than that? */
extern bool orch_formula_is_too_long(const char *text, int length);

/* formula_function.c: by name in any case, or NULL */
extern const FormulaFunction *orch_formula_function(const char *name);

/* formula_arithmetic.c: raises OR301. */
extern void orch_formula_date_out_of_range(void) pg_attribute_noreturn();

/* A point in time as text in ISO form, in UTC; date: without the time of day. */
extern JsonbValue *orch_formula_time_value(Timestamp timestamp, bool date);

/* So many days later, or with minus earlier; raises OR301 when no date is there. */
extern Timestamp orch_formula_add_days(Timestamp timestamp, Numeric days, bool minus);

/*
 * A function of one or two numbers that numeric has; its errors (22003, 22012, 2201E,
 * ...) say the numbers, and name: what is computed.
 */
extern Datum orch_formula_compute(const char *name, PGFunction function, int nnumbers,
								  Datum *numbers);

/* The value of a node; NULL for null.  Raises OR301. */
extern JsonbValue *orch_formula_node_value(EvalContext *cxt, const FormulaNode *node);

/* The value of a formula, as its data type; NULL for null.  Raises OR301. */
extern JsonbValue *orch_formula_value(EvalContext *cxt, const FormulaDef *formula);

#endif							/* ORCH_FORMULA_H */
