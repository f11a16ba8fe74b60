/*-------------------------------------------------------------------------
 *
 * formula_time.h
 *	  Functions of formulas: dates and times, and the operators + and -.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_time.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_TIME_H
#define ORCH_FORMULA_TIME_H

#include "postgres.h"

#include "evaluate/formula_function.h"

/* They end with one that has no name. */
extern const FormulaFunction orch_formula_time_functions[];

#endif							/* ORCH_FORMULA_TIME_H */
