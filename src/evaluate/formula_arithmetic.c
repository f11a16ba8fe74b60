/*-------------------------------------------------------------------------
 *
 * formula_arithmetic.c
 *	  Numbers and dates that formulas and assignments compute.
 *
 * Errors of numeric's own functions get a detail with the numbers.  A date that would be
 * out of range is refused before int64 can overflow.
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
	error_context_stack = callback.previous;
	return result;
}

Timestamp
orch_formula_add_days(Timestamp timestamp, Numeric days, bool minus)
{
	static const int64 most = 10000 * INT64CONST(366);
	Datum		number = NumericGetDatum(days);
	int64		usecs;

	if (DatumGetBool(DirectFunctionCall2(numeric_gt, DirectFunctionCall1(numeric_abs, number),
										 NumericGetDatum(int64_to_numeric(most)))))
		orch_formula_date_out_of_range();
	usecs = DatumGetInt64(DirectFunctionCall1(numeric_int8,
											  DirectFunctionCall2(numeric_mul, number,
																  NumericGetDatum(int64_to_numeric(USECS_PER_DAY)))));
	/* both are at most some ten thousand years, far from the limits of int64 */
	if (minus ? pg_sub_s64_overflow(timestamp, usecs, &timestamp) :
		pg_add_s64_overflow(timestamp, usecs, &timestamp))
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
