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

/*
 * Reads a date, or a date and time, in ISO form, with white space around it.  Without
 * a time zone it is in UTC.  Returns false if the text is anything else.
 */
extern bool orch_condition_datetime(const char *text, int length,
									Timestamp *result);

/* The same, or a date of any time as to_jsonb() writes it; see condition_era.c. */
extern bool orch_condition_point_in_time(const char *text, int length,
										 Timestamp *result);

/*
 * The order of two texts of which one is a date that texts do not order rightly, and the
 * other a date, too; false: they are not.
 */
extern bool orch_condition_compare_eras(const char *left, int left_length,
										const char *right, int right_length,
										int *result);

#endif							/* ORCH_CONDITION_DATETIME_H */
