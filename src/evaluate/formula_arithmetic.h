/*-------------------------------------------------------------------------
 *
 * formula_arithmetic.h
 *	  Numbers and dates that formulas and assignments compute.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_arithmetic.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FORMULA_ARITHMETIC_H
#define ORCH_FORMULA_ARITHMETIC_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/compat.h"

/* Raises OR301: a date is before 0001-01-01 or after 9999-12-31. */
extern void orch_formula_date_out_of_range(void) pg_attribute_noreturn();

/* A point in time as text in ISO form, in UTC; date: without the time of day. */
extern JsonbValue *orch_formula_time_value(Timestamp timestamp, bool date);

/*
 * The time so many days after a time, or with minus before it.  A date takes whole days:
 * a fraction is cut off.  Other times take whole seconds: the fraction of a second is
 * rounded.  Raises OR301 if the result is out of range.
 */
extern Timestamp orch_formula_add_days(Timestamp timestamp, Numeric days, bool minus,
									   bool date);

/* A number with the digits that a result has. */
extern Datum orch_formula_number(Datum number);

/* Is a number, without its sign, greater than a limit? */
extern bool orch_formula_exceeds(Datum number, int64 limit);

/* The next integer above a number; away from zero, below a negative one. */
extern Datum orch_formula_round_up(Datum number, bool away_from_zero);

/* The next integer below a number; towards zero, above a negative one. */
extern Datum orch_formula_round_down(Datum number, bool towards_zero);

/*
 * Calls one of numeric's functions of one or two numbers.  Its errors (22003, 22012,
 * 2201E and others) get a detail with the numbers and the name of the computation.
 */
extern Datum orch_formula_compute(const char *name, PGFunction function, int nnumbers,
								  Datum *numbers);

#endif							/* ORCH_FORMULA_ARITHMETIC_H */
