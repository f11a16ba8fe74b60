/*-------------------------------------------------------------------------
 *
 * formula_compile.h
 *	  Compiles formulas.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_compile.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_COMPILE_H
#define ORCH_FORMULA_COMPILE_H

#include "postgres.h"

#include "evaluate/formula.h"

/*
 * What the compiler of formulas leaves to its caller: what a reference means, and
 * where errors are reported.
 */
typedef struct FormulaResolver
{
	/* The operand of a reference, the text in {!...}; never NULL. */
	Operand    *(*reference) (struct FormulaResolver *resolver, const char *text);
	/* Takes the message of an error; there may be more than one in a formula. */
	void		(*problem) (struct FormulaResolver *resolver, const char *message);
	void	   *arg;			/* for both */
} FormulaResolver;

/* What is known of a compiled formula. */
typedef struct CompiledFormula
{
	FormulaNode *root;
	ValueType	type;			/* of its value, as far as it is known */
	int			nesting;		/* how deep it nests */
	bool		reads_prior;	/* calls ISCHANGED, PRIORVALUE or ISNEW */
} CompiledFormula;

/*
 * Compiles a formula into a memory context.  Returns false, and leaves root NULL, if
 * it has errors; it has reported them to the resolver.
 */
extern bool orch_formula_compile(FormulaResolver *resolver, MemoryContext context,
								 const char *text, CompiledFormula *formula);

#endif							/* ORCH_FORMULA_COMPILE_H */
