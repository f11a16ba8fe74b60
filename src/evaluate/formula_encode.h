/*-------------------------------------------------------------------------
 *
 * formula_encode.h
 *	  Functions of formulas: texts written for other languages.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_encode.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_ENCODE_H
#define ORCH_FORMULA_ENCODE_H

#include "postgres.h"

#include "evaluate/formula_function.h"

/* They end with one that has no name. */
extern const FormulaFunction orch_formula_encode_functions[];

#endif							/* ORCH_FORMULA_ENCODE_H */
