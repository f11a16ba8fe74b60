/*-------------------------------------------------------------------------
 *
 * formula.h
 *	  Compiled formulas, and their evaluation.
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

#include "evaluate/condition.h"
#include "evaluate/formula_arithmetic.h"

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

/* A formula that a definition names. */
typedef struct FormulaDef
{
	char	   *name;
	VariableType type;
	int			scale;			/* -1: none given */
	FormulaNode *root;
	int			nesting;		/* how deep it nests */
	List	   *references;		/* of Operand *: what it reads */
	bool		reads_record;	/* it, or what it refers to, reads $Record */
} FormulaDef;

/* The most characters that a text made by a formula or a template may have. */
#define MAX_TEXT_LENGTH 1000000

/* Has a text more characters than that? */
extern bool orch_formula_is_too_long(const char *text, int length);

/* The value of a node; NULL for null.  Raises OR301. */
extern JsonbValue *orch_formula_node_value(EvalContext *cxt, const FormulaNode *node);

/* The value of a formula, as its data type; NULL for null.  Raises OR301. */
extern JsonbValue *orch_formula_value(EvalContext *cxt, const FormulaDef *formula);

#endif							/* ORCH_FORMULA_H */
