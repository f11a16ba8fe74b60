/*-------------------------------------------------------------------------
 *
 * formula_logic.h
 *	  Functions and operators of formulas: logic, comparisons, records.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_logic.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_LOGIC_H
#define ORCH_FORMULA_LOGIC_H

#include "postgres.h"

#include "evaluate/formula_function.h"

/* They end with one that has no name. */
extern const FormulaFunction orch_formula_logic_functions[];

#endif							/* ORCH_FORMULA_LOGIC_H */
