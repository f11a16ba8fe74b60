/*-------------------------------------------------------------------------
 *
 * formula_time.c
 *	  Functions of formulas: dates and times, and the operators + and -.
 *
 * Dates are texts in ISO form, points in time likewise in UTC, times of day hh:mm:ss.mmm.
 * A date takes whole days and a date and time whole seconds; times of day count
 * milliseconds and begin again after midnight.  Null makes the result null.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_time.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/errors.h"
#include "evaluate/formula_argument.h"
#include "evaluate/formula_time.h"

#define USECS_PER_MSEC INT64CONST(1000)

/* More seconds than lie between two dates are refused, before int64 can overflow. */
#define MAX_SECONDS		(INT64CONST(10000) * 366 * SECS_PER_DAY)

/* What a value is as a time. */
typedef enum TimeKind
{
	TIME_NONE,
	TIME_DATE,
	TIME_POINT,					/* date and time */
	TIME_OF_DAY
} TimeKind;

/*
 * The time that a value is: *timestamp of a date or date and time, *usecs since midnight of
 * any but a date.
 */
static TimeKind
time_kind(JsonbValue *value, Timestamp *timestamp, int64 *usecs)
{
	if (value == NULL || value->type != jbvString)
		return TIME_NONE;
	if (orch_condition_datetime(value->val.string.val, value->val.string.len, timestamp))
	{
		*usecs = orch_condition_remainder(*timestamp, USECS_PER_DAY);
		return value->val.string.len == 10 ? TIME_DATE : TIME_POINT;
	}
	if (orch_condition_time_of_day(value->val.string.val, value->val.string.len, usecs))
		return TIME_OF_DAY;
	return TIME_NONE;
}

static JsonbValue *
days_value(int64 usecs)
{
	Datum		numbers[2] = {NumericGetDatum(int64_to_numeric(usecs)),
		NumericGetDatum(int64_to_numeric(USECS_PER_DAY))};

	return orch_formula_number_value(orch_formula_compute("-", numeric_div, 2, numbers));
}

/* A time with a number added to it or subtracted from it: days, or milliseconds. */
static JsonbValue *
moved(TimeKind kind, Timestamp timestamp, int64 usecs, Numeric number, bool minus)
{
	Datum		msecs;

	if (kind != TIME_OF_DAY)
		return orch_formula_time_value(orch_formula_add_days(timestamp, number, minus,
															 kind == TIME_DATE),
									   kind == TIME_DATE);
	/* the remainder of a day, before the fraction is cut off */
	msecs = DirectFunctionCall2(numeric_mod, NumericGetDatum(number),
								NumericGetDatum(int64_to_numeric(USECS_PER_DAY / USECS_PER_MSEC)));
	msecs = DirectFunctionCall2(numeric_trunc, msecs, Int32GetDatum(0));
	if (minus)
		msecs = DirectFunctionCall1(numeric_uminus, msecs);
	usecs += DatumGetInt64(DirectFunctionCall1(numeric_int8, msecs)) * USECS_PER_MSEC;
	return orch_formula_time_of_day_value(orch_condition_remainder(usecs, USECS_PER_DAY));
}

/*
 * + and -: numbers; days added to or subtracted from a date; the days between two dates;
 * milliseconds of times of day; + also joins texts.
 */
static JsonbValue *
formula_add(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *left = orch_formula_argument(cxt, node, 0);
	JsonbValue *right = orch_formula_argument(cxt, node, 1);
	bool		minus = node->function->name[0] == '-';
	TimeKind	left_kind;
	TimeKind	right_kind;
	Timestamp	left_time;
	Timestamp	right_time;
	int64		left_usecs;
	int64		right_usecs;

	if (!minus && ((left != NULL && left->type == jbvString) ||
				   (right != NULL && right->type == jbvString)) &&
		(left == NULL || left->type == jbvString) &&
		(right == NULL || right->type == jbvString))
		return orch_formula_join(left, right);
	if (left == NULL || right == NULL)
		return NULL;
	if (left->type == jbvNumeric && right->type == jbvNumeric)
	{
		Datum		numbers[2] = {NumericGetDatum(left->val.numeric),
			NumericGetDatum(right->val.numeric)};

		return orch_formula_number_value(orch_formula_compute(node->function->name,
															  minus ? numeric_sub : numeric_add,
															  2, numbers));
	}
	left_kind = time_kind(left, &left_time, &left_usecs);
	right_kind = time_kind(right, &right_time, &right_usecs);
	if (left_kind != TIME_NONE && right->type == jbvNumeric)
		return moved(left_kind, left_time, left_usecs, right->val.numeric, minus);
	if (right_kind != TIME_NONE && left->type == jbvNumeric && !minus)
		return moved(right_kind, right_time, right_usecs, left->val.numeric, false);
	if (minus && left_kind == TIME_OF_DAY && right_kind == TIME_OF_DAY)
		return orch_formula_integer_value((left_usecs - right_usecs + USECS_PER_DAY) %
										  USECS_PER_DAY / USECS_PER_MSEC);
	if (minus && left_kind != TIME_NONE && right_kind != TIME_NONE &&
		left_kind != TIME_OF_DAY && right_kind != TIME_OF_DAY)
		return days_value(left_time - right_time);
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("cannot evaluate %s of %s and %s in a formula", node->function->name,
					orch_condition_type_name(left), orch_condition_type_name(right))));
}

/*
 * TEXT(value): numbers without zeros at the end, dates yyyy-mm-dd, dates with times
 * yyyy-mm-dd hh:mm:ssZ, times of day hh:mm:ss.mmm; other texts as they are.
 */
static JsonbValue *
formula_text(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	ValueType	type = node->args[0]->type;
	Timestamp	timestamp;
	int64		usecs;
	TimeKind	kind = type == VALUE_TEXT ? TIME_NONE : time_kind(value, &timestamp, &usecs);
	char	   *text;

	if (kind == TIME_POINT)
	{
		/* without the fraction of a second */
		timestamp -= orch_condition_remainder(timestamp, USECS_PER_SEC);
		value = orch_formula_time_value(timestamp, type == VALUE_DATE);
		if (type != VALUE_DATE)
			value->val.string.val[10] = ' ';
		return value;
	}
	if (kind == TIME_OF_DAY && type == VALUE_TIME)
		return orch_formula_time_of_day_value(usecs);
	text = orch_condition_value_text(value);
	return text == NULL ? NULL : orch_formula_text_value(text, strlen(text));
}

/* ---------------------------------------------------------- now, and made */

static JsonbValue *
formula_now(EvalContext *cxt, const FormulaNode *node)
{
	/* in UTC, as all points in time here */
	Timestamp	now = (Timestamp) GetCurrentTimestamp();

	if (strcmp(node->function->name, "TIMENOW") == 0)
		return orch_formula_time_of_day_value(orch_condition_remainder(now, USECS_PER_DAY));
	return orch_formula_time_value(now, node->function->name[0] == 'T');
}

/* DATE(year, month, day) */
static JsonbValue *
formula_date(EvalContext *cxt, const FormulaNode *node)
{
	int32		parts[3];
	char	   *text;
	Timestamp	timestamp;
	int			i;

	for (i = 0; i < 3; i++)
		if (!orch_formula_integer_argument(cxt, node, i, &parts[i]))
			return NULL;
	text = psprintf("%04d-%02d-%02d", parts[0], parts[1], parts[2]);
	if (!orch_condition_datetime(text, strlen(text), &timestamp))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("there is no date %s", text)));
	return orch_formula_text_value(text, strlen(text));
}

/*
 * A text with one-digit months, days and hours written with two, which DATEVALUE and
 * DATETIMEVALUE take: 2016-3-1 9:15:10.
 */
static JsonbValue *
padded(JsonbValue *value)
{
	StringInfoData result;
	const char *p = value->val.string.val;
	const char *end = p + value->val.string.len;
	int			digits = 0;

	initStringInfo(&result);
	for (; p < end; p++)
	{
		if (!isdigit((unsigned char) *p))
			digits = 0;
		else if (digits++ == 0 && result.len > 4 && result.data[result.len - 1] != '.' &&
				 (p + 1 == end || !isdigit((unsigned char) p[1])))
			appendStringInfoChar(&result, '0');
		appendStringInfoChar(&result, *p);
	}
	return orch_formula_text_value(result.data, result.len);
}

/* DATEVALUE, DATETIMEVALUE */
static JsonbValue *
formula_date_value(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	JsonbValue *text;
	Timestamp	timestamp;

	if (orch_formula_is_blank(value))
		return NULL;
	text = value->type == jbvString && value->val.string.len < 64 ? padded(value) : value;
	if (text->type != jbvString ||
		!orch_condition_datetime(text->val.string.val, text->val.string.len, &timestamp))
		orch_formula_wrong_argument(node, 0, value, "a date or date and time");
	return orch_formula_time_value(timestamp, strcmp(node->function->name, "DATEVALUE") == 0);
}

/* TIMEVALUE: of a text hh:mm:ss.mmm, or of a date and time */
static JsonbValue *
formula_time_of(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	Timestamp	timestamp;
	int64		usecs;
	TimeKind	kind;

	if (orch_formula_is_blank(value))
		return NULL;
	kind = time_kind(value, &timestamp, &usecs);
	if (kind != TIME_OF_DAY && kind != TIME_POINT)
		orch_formula_wrong_argument(node, 0, value, "a time of day or date and time");
	return orch_formula_time_of_day_value(usecs);
}

/* UNIXTIMESTAMP: the seconds since 1970, or of a time of day since midnight */
static JsonbValue *
formula_seconds(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	Timestamp	timestamp;
	int64		usecs;

	if (orch_formula_is_blank(value))
		return NULL;
	switch (time_kind(value, &timestamp, &usecs))
	{
		case TIME_NONE:
			break;
		case TIME_OF_DAY:
			return orch_formula_integer_value(usecs / USECS_PER_SEC);
		case TIME_DATE:
		case TIME_POINT:
			timestamp -= orch_condition_remainder(timestamp, USECS_PER_SEC);
			return orch_formula_integer_value(timestamp / USECS_PER_SEC +
											  (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY);
	}
	orch_formula_wrong_argument(node, 0, value, "a date, date and time or time of day");
}

/* FROMUNIXTIME: the time so many seconds after 1970 */
static JsonbValue *
formula_from_seconds(EvalContext *cxt, const FormulaNode *node)
{
	Datum		number;
	Timestamp	timestamp;

	if (!orch_formula_number_argument(cxt, node, 0, &number))
		return NULL;
	if (orch_formula_exceeds(number, MAX_SECONDS))
		orch_formula_date_out_of_range();
	timestamp = DatumGetInt64(DirectFunctionCall1(numeric_int8,
												  DirectFunctionCall2(numeric_mul, number,
																	  NumericGetDatum(int64_to_numeric(USECS_PER_SEC)))));
	timestamp -= (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	return orch_formula_time_value(timestamp, false);
}

/* ------------------------------------------------------------------ parts */

/*
 * YEAR, MONTH, DAY, DAYOFYEAR, ISOWEEK, ISOYEAR, WEEKDAY (Sunday is 1)
 */
static JsonbValue *
formula_date_part(EvalContext *cxt, const FormulaNode *node)
{
	const char *name = node->function->name;
	Timestamp	timestamp;
	struct pg_tm tm;
	fsec_t		fsec;

	if (!orch_formula_time_argument(cxt, node, 0, &timestamp, NULL))
		return NULL;
	if (timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0)
		orch_formula_date_out_of_range();
	if (strcmp(name, "YEAR") == 0)
		return orch_formula_integer_value(tm.tm_year);
	if (strcmp(name, "MONTH") == 0)
		return orch_formula_integer_value(tm.tm_mon);
	if (strcmp(name, "DAY") == 0)
		return orch_formula_integer_value(tm.tm_mday);
	if (strcmp(name, "DAYOFYEAR") == 0)
		return orch_formula_integer_value(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) -
										  date2j(tm.tm_year, 1, 1) + 1);
	if (strcmp(name, "ISOWEEK") == 0)
		return orch_formula_integer_value(date2isoweek(tm.tm_year, tm.tm_mon, tm.tm_mday));
	if (strcmp(name, "ISOYEAR") == 0)
		return orch_formula_integer_value(date2isoyear(tm.tm_year, tm.tm_mon, tm.tm_mday));
	return orch_formula_integer_value(j2day(date2j(tm.tm_year, tm.tm_mon, tm.tm_mday)) + 1);
}

/* HOUR, MINUTE, SECOND, MILLISECOND */
static JsonbValue *
formula_time_part(EvalContext *cxt, const FormulaNode *node)
{
	const char *name = node->function->name;
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	Timestamp	timestamp;
	int64		usecs;

	if (orch_formula_is_blank(value))
		return NULL;
	if (time_kind(value, &timestamp, &usecs) == TIME_NONE)
		orch_formula_wrong_argument(node, 0, value, "a time of day or date and time");
	if (strcmp(name, "HOUR") == 0)
		return orch_formula_integer_value(usecs / USECS_PER_HOUR);
	if (strcmp(name, "MINUTE") == 0)
		return orch_formula_integer_value(usecs / USECS_PER_MINUTE % MINS_PER_HOUR);
	if (strcmp(name, "SECOND") == 0)
		return orch_formula_integer_value(usecs / USECS_PER_SEC % SECS_PER_MINUTE);
	return orch_formula_integer_value(usecs / USECS_PER_MSEC % 1000);
}

/*
 * ADDMONTHS: the same day of another month, or the last one if the month has no such day.
 * The last day of a month leads to the last day of the other.
 */
static JsonbValue *
formula_add_months(EvalContext *cxt, const FormulaNode *node)
{
	Timestamp	timestamp;
	int32		count;
	bool		date;
	struct pg_tm tm;
	fsec_t		fsec;
	bool		last;
	int64		month;
	int			day;

	if (!orch_formula_time_argument(cxt, node, 0, &timestamp, &date) ||
		!orch_formula_integer_argument(cxt, node, 1, &count))
		return NULL;
	if (abs(count) > 10000 * MONTHS_PER_YEAR ||
		timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0)
		orch_formula_date_out_of_range();
	last = tm.tm_mday == day_tab[isleap(tm.tm_year)][tm.tm_mon - 1];
	month = (int64) tm.tm_year * MONTHS_PER_YEAR + tm.tm_mon - 1 + count;
	if (month < MONTHS_PER_YEAR)
		orch_formula_date_out_of_range();
	tm.tm_year = month / MONTHS_PER_YEAR;
	tm.tm_mon = month % MONTHS_PER_YEAR + 1;
	day = day_tab[isleap(tm.tm_year)][tm.tm_mon - 1];
	tm.tm_mday = last ? day : Min(tm.tm_mday, day);
	if (tm2timestamp(&tm, fsec, NULL, &timestamp) != 0)
		orch_formula_date_out_of_range();
	return orch_formula_time_value(timestamp, date);
}

/*
 * FORMATDURATION(seconds), FORMATDURATION(seconds, with days), FORMATDURATION(time, time):
 * hh:mm:ss, or d:hh:mm:ss
 */
static JsonbValue *
formula_duration(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *left = orch_formula_argument(cxt, node, 0);
	bool		days = false;
	int64		seconds;
	char	   *text;

	if (left == NULL)
		return NULL;
	if (left->type == jbvNumeric)
	{
		Datum		number = DirectFunctionCall2(numeric_trunc,
												 NumericGetDatum(left->val.numeric),
												 Int32GetDatum(0));

		if (orch_formula_exceeds(number, MAX_SECONDS))
			orch_formula_date_out_of_range();
		seconds = DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
		days = node->nargs > 1 && orch_formula_true_argument(cxt, node, 1);
	}
	else
	{
		JsonbValue *right = node->nargs > 1 ? orch_formula_argument(cxt, node, 1) : NULL;
		Timestamp	left_time = 0;
		Timestamp	right_time = 0;
		int64		left_usecs = 0;
		int64		right_usecs = 0;
		TimeKind	left_kind = time_kind(left, &left_time, &left_usecs);
		TimeKind	right_kind = time_kind(right, &right_time, &right_usecs);

		if (node->nargs < 2 || left_kind == TIME_NONE)
			orch_formula_wrong_argument(node, 0, left, "a number of seconds, nor one of two times");
		if (right == NULL)
			return NULL;
		if (right_kind == TIME_NONE || (left_kind == TIME_OF_DAY) != (right_kind == TIME_OF_DAY))
			orch_formula_wrong_argument(node, 1, right, "a time of the kind of the first");
		days = left_kind != TIME_OF_DAY;
		seconds = (days ? right_time - left_time : right_usecs - left_usecs) / USECS_PER_SEC;
	}
	if (seconds < 0)
		seconds = -seconds;
	if (days)
		text = psprintf(INT64_FORMAT ":%02d:%02d:%02d", seconds / SECS_PER_DAY,
						(int) (seconds / SECS_PER_HOUR % HOURS_PER_DAY),
						(int) (seconds / SECS_PER_MINUTE % MINS_PER_HOUR),
						(int) (seconds % SECS_PER_MINUTE));
	else
		text = psprintf("%02d:%02d:%02d", (int) (seconds / SECS_PER_HOUR),
						(int) (seconds / SECS_PER_MINUTE % MINS_PER_HOUR),
						(int) (seconds % SECS_PER_MINUTE));
	return orch_formula_text_value(text, strlen(text));
}

const FormulaFunction orch_formula_time_functions[] = {
	{"+", 2, 2, "a", VALUE_UNKNOWN, -1, formula_add},
	{"-", 2, 2, "a", VALUE_UNKNOWN, -1, formula_add},

	{"ADDMONTHS", 2, 2, "dn", VALUE_UNKNOWN, 0, formula_add_months},
	{"DATE", 3, 3, "n", VALUE_DATE, -1, formula_date},
	{"DATETIMEVALUE", 1, 1, "d", VALUE_DATETIME, -1, formula_date_value},
	{"DATEVALUE", 1, 1, "d", VALUE_DATE, -1, formula_date_value},
	{"DAY", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"DAYOFYEAR", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"FORMATDURATION", 1, 2, "a", VALUE_TEXT, -1, formula_duration},
	{"FROMUNIXTIME", 1, 1, "n", VALUE_DATETIME, -1, formula_from_seconds},
	{"HOUR", 1, 1, "c", VALUE_NUMBER, -1, formula_time_part},
	{"ISOWEEK", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"ISOYEAR", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"MILLISECOND", 1, 1, "c", VALUE_NUMBER, -1, formula_time_part},
	{"MINUTE", 1, 1, "c", VALUE_NUMBER, -1, formula_time_part},
	{"MONTH", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"NOW", 0, 0, "a", VALUE_DATETIME, -1, formula_now},
	{"SECOND", 1, 1, "c", VALUE_NUMBER, -1, formula_time_part},
	{"TEXT", 1, 1, "a", VALUE_TEXT, -1, formula_text},
	{"TIMENOW", 0, 0, "a", VALUE_TIME, -1, formula_now},
	{"TIMEVALUE", 1, 1, "c", VALUE_TIME, -1, formula_time_of},
	{"TODAY", 0, 0, "a", VALUE_DATE, -1, formula_now},
	{"UNIXTIMESTAMP", 1, 1, "w", VALUE_NUMBER, -1, formula_seconds},
	{"WEEKDAY", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{"YEAR", 1, 1, "d", VALUE_NUMBER, -1, formula_date_part},
	{NULL}
};
