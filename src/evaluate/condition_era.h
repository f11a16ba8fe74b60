/*-------------------------------------------------------------------------
 *
 * condition_era.h
 *	  Points in time that values of records can have and definitions cannot write.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/condition_era.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CONDITION_ERA_H
#define ORCH_CONDITION_ERA_H

#include "postgres.h"

#include "datatype/timestamp.h"

/*
 * Reads what orch_condition_datetime() reads, and a date of any time as to_jsonb() writes
 * it.
 */
extern bool orch_condition_point_in_time(const char *text, int length,
										 Timestamp *result);

/*
 * The order of two texts of which one is a date that texts do not order rightly, and the
 * other a date, too; false: they are not.
 */
extern bool orch_condition_compare_eras(const char *left, int left_length,
										const char *right, int right_length,
										int *result);

#endif							/* ORCH_CONDITION_ERA_H */
