/*-------------------------------------------------------------------------
 *
 * condition_era.c
 *	  Points in time that values of records can have and definitions cannot write.
 *
 * The server's dates are infinite, lie before Christ, or have years of more than four digits.
 * to_jsonb() writes them as infinity, -infinity, 0044-03-15 BC, 12026-11-27.  They compare
 * here as the server compares them.  Dates of the years 1 to 9999, and infinite ones, have
 * texts in their own order; others have not, so they must be read even where nothing says
 * that the values are dates.  Formulas do not compute with them: the platform's dates
 * have the years 1 to 9999.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/condition_era.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"
#include "datatype/timestamp.h"

#include "evaluate/condition_datetime.h"
#include "evaluate/condition_era.h"

/* The calendar repeats itself after so many years. */
#define CYCLE_YEARS		400
#define CYCLE_DAYS		146097

/* A cycle that orch_condition_datetime() reads begins with this year. */
#define READABLE_YEAR	2000

#define MAX_LENGTH		63

static bool is_out_of_order(const char *text, int length);
static bool shift(Timestamp time, int64 cycles, bool is_date, Timestamp *result);

/* Before Christ, or a year of five digits or more? */
static bool
is_out_of_order(const char *text, int length)
{
	int			ndigits = 0;

	if (length <= 10)
		return false;
	while (ndigits < 5 && isdigit((unsigned char) text[ndigits]))
		ndigits++;
	return ndigits == 5 || memcmp(text + length - 3, " BC", 3) == 0;
}

bool
orch_condition_compare_eras(const char *left, int left_length, const char *right,
							int right_length, int *result)
{
	Timestamp	left_time;
	Timestamp	right_time;

	if (!(is_out_of_order(left, left_length) || is_out_of_order(right, right_length)) ||
		!orch_condition_point_in_time(left, left_length, &left_time) ||
		!orch_condition_point_in_time(right, right_length, &right_time))
		return false;
	*result = left_time < right_time ? -1 : left_time > right_time;
	return true;
}

/*
 * The text is read with the year of the same calendar in another cycle, and the time is
 * shifted by the cycles between.
 */
bool
orch_condition_point_in_time(const char *text, int length, Timestamp *result)
{
	char		buffer[MAX_LENGTH + 8];
	bool		bc;
	int			ndigits = 0;
	int			year = 0;
	int			readable;
	Timestamp	time;

	if (orch_condition_datetime(text, length, result))
		return true;
	if (length > MAX_LENGTH)
		return false;
	if (length == 8 && memcmp(text, "infinity", 8) == 0)
	{
		TIMESTAMP_NOEND(*result);
		return true;
	}
	if (length == 9 && memcmp(text, "-infinity", 9) == 0)
	{
		TIMESTAMP_NOBEGIN(*result);
		return true;
	}

	bc = length > 3 && memcmp(text + length - 3, " BC", 3) == 0;
	if (bc)
		length -= 3;
	for (; ndigits < length && ndigits < 7 && isdigit((unsigned char) text[ndigits]); ndigits++)
		year = year * 10 + (text[ndigits] - '0');
	if (ndigits < 4 || year == 0)
		return false;
	/* the year before 1 is 0 */
	if (bc)
		year = 1 - year;
	readable = READABLE_YEAR +
		((year - READABLE_YEAR) % CYCLE_YEARS + CYCLE_YEARS) % CYCLE_YEARS;
	snprintf(buffer, sizeof(buffer), "%d%.*s", readable, length - ndigits, text + ndigits);
	return orch_condition_datetime(buffer, strlen(buffer), &time) &&
		shift(time, (year - readable) / CYCLE_YEARS, length - ndigits == 6, result);
}

/*
 * Dates reach further than timestamps, to the year 5874897.  A date behind the last timestamp
 * is that timestamp and a microsecond for each day between, so that it compares rightly.
 */
static bool
shift(Timestamp time, int64 cycles, bool is_date, Timestamp *result)
{
	const int64 last_day = END_TIMESTAMP / USECS_PER_DAY;
	int64		usecs;

	if (!pg_mul_s64_overflow(cycles * CYCLE_DAYS, USECS_PER_DAY, &usecs) &&
		!pg_add_s64_overflow(time, usecs, result) && IS_VALID_TIMESTAMP(*result))
		return true;
	if (!is_date || cycles < 0)
		return false;
	*result = END_TIMESTAMP + (time / USECS_PER_DAY + cycles * CYCLE_DAYS - last_day);
	return true;
}
