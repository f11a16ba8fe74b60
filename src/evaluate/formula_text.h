/*-------------------------------------------------------------------------
 *
 * formula_text.h
 *	  Functions and operators of formulas: texts.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_text.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_TEXT_H
#define ORCH_FORMULA_TEXT_H

#include "postgres.h"

#include "evaluate/formula_function.h"

/* They end with one that has no name. */
extern const FormulaFunction orch_formula_text_functions[];

#endif							/* ORCH_FORMULA_TEXT_H */
