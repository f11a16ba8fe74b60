/*-------------------------------------------------------------------------
 *
 * query_date.c
 *	  Date literals of SOQL: TODAY, LAST_N_DAYS:30, THIS_FISCAL_QUARTER.
 *
 * A date literal is a number of whole units around the current one.  A kept query
 * keeps that, and its bounds are computed when it is executed, in the session's time zone.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_date.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "call/query_int.h"

typedef enum QueryDateUnit
{
	UNIT_DAY,
	UNIT_WEEK,
	UNIT_MONTH,
	UNIT_QUARTER,
	UNIT_YEAR,
	UNIT_FISCAL_QUARTER,
	UNIT_FISCAL_YEAR
} QueryDateUnit;

/* Units are clamped to this: more is beyond every time. */
#define MAX_UNITS	10000000

static const struct
{
	const char *name;
	QueryDateUnit unit;
	int			first;
	int			last;
}			fixed[] = {
	{"YESTERDAY", UNIT_DAY, -1, -1},
	{"TODAY", UNIT_DAY, 0, 0},
	{"TOMORROW", UNIT_DAY, 1, 1},
	{"LAST_90_DAYS", UNIT_DAY, -90, QUERY_UNTIL_NOW},
	{"NEXT_90_DAYS", UNIT_DAY, 1, 90}
};

/* The names of units after LAST_, THIS_, NEXT_, and, as a plural, after LAST_N_. */
static const struct
{
	const char *name;
	QueryDateUnit unit;
}			units[] = {
	{"DAY", UNIT_DAY},
	{"WEEK", UNIT_WEEK},
	{"MONTH", UNIT_MONTH},
	{"QUARTER", UNIT_QUARTER},
	{"YEAR", UNIT_YEAR},
	{"FISCAL_QUARTER", UNIT_FISCAL_QUARTER},
	{"FISCAL_YEAR", UNIT_FISCAL_YEAR}
};

static const struct config_enum_entry weekdays[] = {
	{"sunday", 0, false},
	{"monday", 1, false},
	{"tuesday", 2, false},
	{"wednesday", 3, false},
	{"thursday", 4, false},
	{"friday", 5, false},
	{"saturday", 6, false},
	{NULL, 0, false}
};

static int	first_day_of_week = 0;
static int	fiscal_year_start = 1;

static const char *after(const char *text, const char *prefix);
static bool named_unit(const char *name, const char *suffix, int *unit);
static TimestampTz midnight(int64 day);
static int64 first_day(int unit, int64 offset, const struct pg_tm *now);

/*
 * Called once, by _PG_init().
 */
void
orch_query_date_init(void)
{
	DefineCustomEnumVariable("orchestration.first_day_of_week",
							 "First day of a week in date literals of SOQL.",
							 NULL, &first_day_of_week, 0, weekdays,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("orchestration.fiscal_year_start",
							"Month in which the fiscal year of SOQL begins.",
							"A fiscal year is named by the year in which it ends.",
							&fiscal_year_start, 1, 1, 12,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

/*
 * Months from a date to the same place of the calendar year whose number its fiscal
 * year has.
 */
int
orch_query_fiscal_months(void)
{
	return (13 - fiscal_year_start) % 12;
}

/* The rest of the text after a prefix, or NULL. */
static const char *
after(const char *text, const char *prefix)
{
	size_t		length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static bool
named_unit(const char *name, const char *suffix, int *unit)
{
	int			i;

	for (i = 0; i < (int) lengthof(units); i++)
	{
		const char *rest = after(name, units[i].name);

		if (rest != NULL && strcmp(rest, suffix) == 0)
		{
			*unit = units[i].unit;
			return true;
		}
	}
	return false;
}

/*
 * Sets both ends of the range that a date literal means; false for a name that is none.
 */
bool
orch_query_date_literal(const SoqlLiteral *literal, QueryParam *start, QueryParam *end)
{
	const char *name = literal->text;
	const char *rest;
	int64		n = Min(literal->n, MAX_UNITS);
	int			unit = UNIT_DAY;
	int64		first = 0;
	int64		last = 0;
	bool		found = false;
	int			i;

	for (i = 0; literal->n < 0 && i < (int) lengthof(fixed); i++)
		if (strcmp(fixed[i].name, name) == 0)
		{
			unit = fixed[i].unit;
			first = fixed[i].first;
			last = fixed[i].last;
			found = true;
		}
	if (found)
		;
	else if (literal->n >= 0 && (rest = after(name, "LAST_N_")) != NULL)
	{
		found = named_unit(rest, "S", &unit);
		first = -n;
		last = unit == UNIT_DAY ? QUERY_UNTIL_NOW : -1;
	}
	else if (literal->n >= 0 && (rest = after(name, "NEXT_N_")) != NULL)
	{
		found = named_unit(rest, "S", &unit);
		first = 1;
		last = n;
	}
	else if (literal->n >= 0 && (rest = after(name, "N_")) != NULL)
	{
		found = named_unit(rest, "S_AGO", &unit);
		first = last = -n;
	}
	else if (literal->n < 0 &&
			 ((rest = after(name, "LAST_")) != NULL || (rest = after(name, "THIS_")) != NULL ||
			  (rest = after(name, "NEXT_")) != NULL))
	{
		found = named_unit(rest, "", &unit) && unit != UNIT_DAY;
		first = last = name[0] == 'L' ? -1 : name[0] == 'T' ? 0 : 1;
	}
	start->kind = PARAM_RANGE_START;
	end->kind = PARAM_RANGE_END;
	start->unit = end->unit = unit;
	start->first = end->first = first;
	start->last = end->last = last;
	return found;
}

/*
 * The first moment of a day, a Julian day number, in the session's time zone.
 */
static TimestampTz
midnight(int64 day)
{
	struct pg_tm tm;
	fsec_t		fsec;
	TimestampTz result;
	int			zone;

	if (day <= DATETIME_MIN_JULIAN)
		return DT_NOBEGIN;
	if (day >= TIMESTAMP_END_JULIAN)
		return DT_NOEND;
	memset(&tm, 0, sizeof(tm));
	j2date((int) day, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	zone = DetermineTimeZoneOffset(&tm, session_timezone);
	if (tm2timestamp(&tm, 0, &zone, &result) != 0)
		return day < POSTGRES_EPOCH_JDATE ? DT_NOBEGIN : DT_NOEND;
	/* where clocks are set back to midnight, the day begins with the first one */
	if (timestamp2tm(result - USECS_PER_HOUR, &zone, &tm, &fsec, NULL, NULL) == 0 &&
		date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) == day)
		result -= USECS_PER_HOUR;
	return result;
}

/*
 * The first day of the unit that is offset units from the current one.
 */
static int64
first_day(int unit, int64 offset, const struct pg_tm *now)
{
	int64		today = date2j(now->tm_year, now->tm_mon, now->tm_mday);
	int64		month = (int64) now->tm_year * 12 + now->tm_mon - 1;
	int			months = 1;
	int			shift = 0;
	int64		year;

	switch (unit)
	{
		case UNIT_DAY:
			return today + offset;
		case UNIT_WEEK:
			return today - (j2day((int) today) - first_day_of_week + 7) % 7 + offset * 7;
		case UNIT_MONTH:
			break;
		case UNIT_QUARTER:
			months = 3;
			break;
		case UNIT_YEAR:
			months = 12;
			break;
		case UNIT_FISCAL_QUARTER:
			months = 3;
			shift = orch_query_fiscal_months();
			break;
		case UNIT_FISCAL_YEAR:
			months = 12;
			shift = orch_query_fiscal_months();
			break;
	}
	month = ((month + shift) / months + offset) * months - shift;
	year = month / 12;
	if (year < -4000)
		return DATETIME_MIN_JULIAN;
	if (year > 290000)
		return TIMESTAMP_END_JULIAN;
	return date2j((int) year, (int) (month - year * 12) + 1, 1);
}

/*
 * One end of the range, at the time of the statement.
 */
Datum
orch_query_date_bound(const QueryParam *param)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	struct pg_tm tm;
	fsec_t		fsec;
	int			zone;

	if (timestamp2tm(now, &zone, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return TimestampTzGetDatum(midnight(first_day(param->unit,
												  param->kind == PARAM_RANGE_START ?
												  param->first : param->last + 1, &tm)));
}
