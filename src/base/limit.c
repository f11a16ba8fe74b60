/*-------------------------------------------------------------------------
 *
 * limit.c
 *	  Limits of the times, intervals and comments that callers give.
 *
 * Times and intervals are added, subtracted and made parts of ids long after they were
 * accepted: in a claim, in a view, when a run is deleted.  A value out of range would
 * fail there, and with it the whole statement.  So it is refused when it is given.
 * Calls use the functions of limit.h; CHECK constraints of the tables use those below,
 * for rows that users write directly.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/limit.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/limit.h"

/* 1970-01-01, and the first time that is too late, 10000-01-01; both in UTC */
#define FIRST_TIME \
	(-(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)
#define END_OF_TIME		((int64) 2921940 * USECS_PER_DAY)

/*
 * No part may be negative: the length of '1 month -30 days' depends on the month, and
 * may be negative.
 */
void
orch_limit_interval(const Interval *interval, const char *name)
{
	/* the days of 100 years, which as months count 360 a year */
	static const Interval longest = {0, MAX_INTERVAL_YEARS * 1461 / 4, 0};
	bool		negative = interval->month < 0 || interval->day < 0 || interval->time < 0;

	if (!negative &&
		DatumGetInt32(DirectFunctionCall2(interval_cmp, IntervalPGetDatum(interval),
										  IntervalPGetDatum(&longest))) <= 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 negative ? errmsg("%s must not have a negative part", name) :
			 errmsg("%s must not be longer than %d years", name, MAX_INTERVAL_YEARS),
			 errdetail("It is \"%s\".",
					   DatumGetCString(DirectFunctionCall1(interval_out,
														   IntervalPGetDatum(interval)))),
			 negative ? errhint("See justify_interval().") : 0));
}

void
orch_limit_time(TimestampTz time, const char *name)
{
	if (time >= FIRST_TIME && time < END_OF_TIME)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("%s is out of range: \"%s\"", name,
					DatumGetCString(DirectFunctionCall1(timestamptz_out,
														TimestampTzGetDatum(time)))),
			 errdetail("Times of records range from 1970-01-01 to 9999-12-31, in UTC."),
			 errhint("Use null where it may be left out.")));
}

void
orch_limit_comments(const char *comments)
{
	if (comments != NULL && pg_mbstrlen(comments) > MAX_APPROVAL_COMMENTS)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("comments are longer than %d characters", MAX_APPROVAL_COMMENTS)));
}

PG_FUNCTION_INFO_V1(orchestration_time_in_range);

/*
 * orchestration_internal.time_in_range(name text, value timestamptz) returns boolean
 *
 * For CHECK constraints.  Returns true; null for null.
 * Raises: 22008 for a time before 1970 or after 9999 (UTC), or an infinite one.
 * Source: ours.
 */
Datum
orchestration_time_in_range(PG_FUNCTION_ARGS)
{
	TimestampTz time = PG_GETARG_TIMESTAMPTZ(1);

	if (unlikely(time < FIRST_TIME || time >= END_OF_TIME))
		orch_limit_time(time, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_BOOL(true);
}

PG_FUNCTION_INFO_V1(orchestration_interval_in_range);

/*
 * orchestration_internal.interval_in_range(name text, value interval) returns boolean
 *
 * For CHECK constraints and functions in SQL.  Returns true; null for null.
 * Raises: 22023 for an interval with a negative part, or of more than 100 years.
 * Source: ours.
 */
Datum
orchestration_interval_in_range(PG_FUNCTION_ARGS)
{
	orch_limit_interval(PG_GETARG_INTERVAL_P(1), text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_BOOL(true);
}
