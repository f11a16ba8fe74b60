/*-------------------------------------------------------------------------
 *
 * formula_argument.h
 *	  What the functions of formulas share: their arguments and results.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_argument.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_ARGUMENT_H
#define ORCH_FORMULA_ARGUMENT_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "base/compat.h"
#include "evaluate/formula_function.h"

/* Results.  A number gets the digits that a result has; a text may be too long (OR301). */
extern JsonbValue *orch_formula_number_value(Datum number);
extern JsonbValue *orch_formula_integer_value(int64 number);
extern JsonbValue *orch_formula_boolean_value(bool boolean);
extern JsonbValue *orch_formula_text_value(const char *text, int length);

/* A time of day, in microseconds since midnight, as text: hh:mm:ss.mmm. */
extern JsonbValue *orch_formula_time_of_day_value(int64 usecs);

/* The texts of two values, joined; null is the empty text. */
extern JsonbValue *orch_formula_join(JsonbValue *left, JsonbValue *right);

/* Raises OR301: a text would be longer than MAX_TEXT_LENGTH characters. */
extern void orch_formula_too_long(void) pg_attribute_noreturn();

/* Raises OR301: the value of argument n, from 0, is not what the function takes. */
extern void orch_formula_wrong_argument(const FormulaNode *node, int n,
										JsonbValue *value, const char *wanted)
			pg_attribute_noreturn();

/* The value of argument n, from 0. */
extern JsonbValue *orch_formula_argument(EvalContext *cxt, const FormulaNode *node, int n);

/*
 * The value of an argument, if it is of this type; otherwise they raise OR301.  They return
 * false for null.  An integer is cut from a number.  Of a time, *date says whether it is
 * written without a time of day.
 */
extern bool orch_formula_number_argument(EvalContext *cxt, const FormulaNode *node, int n,
										 Datum *number);
extern bool orch_formula_integer_argument(EvalContext *cxt, const FormulaNode *node, int n,
										  int32 *result);
extern bool orch_formula_text_argument(EvalContext *cxt, const FormulaNode *node, int n,
									   char **text);
extern bool orch_formula_time_argument(EvalContext *cxt, const FormulaNode *node, int n,
									   Timestamp *timestamp, bool *date);

/* Is an argument true?  Null is not. */
extern bool orch_formula_true_argument(EvalContext *cxt, const FormulaNode *node, int n);

/* Null, and the empty text. */
extern bool orch_formula_is_blank(JsonbValue *value);

#endif							/* ORCH_FORMULA_ARGUMENT_H */
