/*-------------------------------------------------------------------------
 *
 * condition_datetime.h
 *	  Reads dates, and dates with times, as values have them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/condition_datetime.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CONDITION_DATETIME_H
#define ORCH_CONDITION_DATETIME_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* What is left over of a time, in microseconds, after whole units: from 0, below a unit. */
static inline int64
orch_condition_remainder(int64 usecs, int64 unit)
{
	return ((usecs % unit) + unit) % unit;
}

/*
 * Reads a date, or a date and time, in ISO form, with white space around it.  Without
 * a time zone it is in UTC.  Returns false if the text is anything else.
 */
extern bool orch_condition_datetime(const char *text, int length,
									Timestamp *result);

/*
 * Reads a time of day, hh:mm with seconds and a fraction of them if they are given, as
 * microseconds since midnight UTC.  Returns false if the text is anything else.
 */
extern bool orch_condition_time_of_day(const char *text, int length, int64 *result);

#endif							/* ORCH_CONDITION_DATETIME_H */
