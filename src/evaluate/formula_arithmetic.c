/*-------------------------------------------------------------------------
 *
 * formula_arithmetic.c
 *	  Numbers and dates that formulas and assignments compute.
 *
 * Numbers have the precision of the platform: a result keeps NUMBER_DIGITS significant
 * digits and no zeros at the end of its fraction, however many numeric's own function gives.
 * Errors of numeric's own functions get a detail with the numbers.  A date that would be
 * out of range is refused before int64 can overflow.
 *
 * Source: github.com/salesforce/formula-engine, BigDecimalHelper.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_arithmetic.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "evaluate/formula_arithmetic.h"

/* the significant digits of a result, and those that CEILING and FLOOR look at */
#define NUMBER_DIGITS	39
#define ROUNDED_DIGITS	33

/* A computation, for messages. */
typedef struct Arithmetic
{
	const char *name;
	int			nnumbers;
	Datum	   *numbers;
} Arithmetic;

void
orch_formula_date_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("date out of range in a formula"),
			 errdetail("Dates range from 0001-01-01 to 9999-12-31.")));
}

/*
 * Error context callback: adds the name and the numbers, which the messages of numeric's
 * functions lack.
 */
static void
describe_arithmetic(void *arg)
{
	const Arithmetic *call = arg;
	StringInfoData numbers;
	int			i;

	if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
		return;
	initStringInfo(&numbers);
	for (i = 0; i < call->nnumbers; i++)
	{
		char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, call->numbers[i]));

		if (i > 0)
			appendStringInfoString(&numbers, " and ");
		if (strlen(text) > 40)
			appendStringInfo(&numbers, "%.37s... (%d characters)", text, (int) strlen(text));
		else
			appendStringInfoString(&numbers, text);
	}
	errdetail("The computation was %s of %s.", call->name, numbers.data);
}

/*
 * The decimal exponent of a number's first significant digit, plus 1: 3 for 123, 0 for
 * 0.5, -1 for 0.05.  0 for zero.  *fraction: the digits after the point.
 */
static int
number_size(Datum number, int *fraction)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, number));
	const char *digits = text + (*text == '-' ? 1 : 0);
	const char *point = strchr(digits, '.');
	int			size = strspn(digits, "0123456789");

	*fraction = point != NULL ? (int) strlen(point + 1) : 0;
	if (size == 1 && *digits == '0')
	{
		int			zeros = point != NULL ? (int) strspn(point + 1, "0") : 0;

		size = zeros == *fraction ? 0 : -zeros;
	}
	pfree(text);
	return size;
}

static bool
is_negative(Datum number)
{
	return DatumGetBool(DirectFunctionCall2(numeric_lt, number,
											NumericGetDatum(int64_to_numeric(0))));
}

/* A number rounded to so many significant digits. */
static Datum
round_significant(Datum number, int digits)
{
	int			fraction;
	int			scale = digits - number_size(number, &fraction);

	return fraction <= scale && scale >= 0 ? number :
		DirectFunctionCall2(numeric_round, number, Int32GetDatum(scale));
}

Datum
orch_formula_number(Datum number)
{
	return DirectFunctionCall1(numeric_trim_scale,
							   round_significant(number, NUMBER_DIGITS));
}

bool
orch_formula_exceeds(Datum number, int64 limit)
{
	return DatumGetBool(DirectFunctionCall2(numeric_gt, DirectFunctionCall1(numeric_abs, number),
											NumericGetDatum(int64_to_numeric(limit))));
}

Datum
orch_formula_round_up(Datum number, bool away_from_zero)
{
	number = round_significant(number, ROUNDED_DIGITS);
	return DirectFunctionCall1(away_from_zero && is_negative(number) ?
							   numeric_floor : numeric_ceil, number);
}

Datum
orch_formula_round_down(Datum number, bool towards_zero)
{
	number = round_significant(number, ROUNDED_DIGITS);
	return DirectFunctionCall1(towards_zero && is_negative(number) ?
							   numeric_ceil : numeric_floor, number);
}

Datum
orch_formula_compute(const char *name, PGFunction function, int nnumbers, Datum *numbers)
{
	Arithmetic	call = {name, nnumbers, numbers};
	ErrorContextCallback callback;
	Datum		result;

	callback.callback = describe_arithmetic;
	callback.arg = &call;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	result = nnumbers == 1 ? DirectFunctionCall1(function, numbers[0]) :
		DirectFunctionCall2(function, numbers[0], numbers[1]);
	if (function == numeric_div)
	{
		/* again, with more digits than a result has: it is rounded twice */
		int			fraction;
		int			scale = NUMBER_DIGITS + 10 - number_size(result, &fraction);

		if (scale > DatumGetInt32(DirectFunctionCall1(numeric_scale, numbers[0])))
			result = DirectFunctionCall2(numeric_div,
										 DirectFunctionCall2(numeric_round, numbers[0],
															 Int32GetDatum(scale)),
										 numbers[1]);
	}
	error_context_stack = callback.previous;
	return result;
}

Timestamp
orch_formula_add_days(Timestamp timestamp, Numeric days, bool minus, bool date)
{
	Datum		number = NumericGetDatum(days);
	int64		unit = date ? USECS_PER_DAY : USECS_PER_SEC;
	int64		count;

	if (orch_formula_exceeds(number, INT64CONST(10000) * 366))
		orch_formula_date_out_of_range();
	if (date)
		number = DirectFunctionCall2(numeric_trunc, number, Int32GetDatum(0));
	else
		number = DirectFunctionCall2(numeric_mul, number,
									 NumericGetDatum(int64_to_numeric(SECS_PER_DAY)));
	count = DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
	/* both are at most some ten thousand years, far from the limits of int64 */
	if (minus ? pg_sub_s64_overflow(timestamp, count * unit, &timestamp) :
		pg_add_s64_overflow(timestamp, count * unit, &timestamp))
		orch_formula_date_out_of_range();
	return timestamp;
}

JsonbValue *
orch_formula_time_value(Timestamp timestamp, bool date)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		buffer[64];
	JsonbValue *value;

	if (TIMESTAMP_NOT_FINITE(timestamp) ||
		timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0 ||
		tm.tm_year < 1 || tm.tm_year > 9999)
		orch_formula_date_out_of_range();
	if (date)
		snprintf(buffer, sizeof(buffer), "%04d-%02d-%02d", tm.tm_year, tm.tm_mon,
				 tm.tm_mday);
	else if (fsec == 0)
		snprintf(buffer, sizeof(buffer), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year,
				 tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	else
		snprintf(buffer, sizeof(buffer), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
				 tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
				 (int) fsec);
	value = palloc(sizeof(JsonbValue));
	value->type = jbvString;
	value->val.string.val = pstrdup(buffer);
	value->val.string.len = strlen(buffer);
	return value;
}
