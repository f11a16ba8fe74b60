/*-------------------------------------------------------------------------
 *
 * formula_number.h
 *	  Functions and operators of formulas: numbers.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_number.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_NUMBER_H
#define ORCH_FORMULA_NUMBER_H

#include "postgres.h"

#include "evaluate/formula_function.h"

/* They end with one that has no name. */
extern const FormulaFunction orch_formula_number_functions[];

#endif							/* ORCH_FORMULA_NUMBER_H */
