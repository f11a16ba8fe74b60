/*-------------------------------------------------------------------------
 *
 * limit.h
 *	  Limits of the times and intervals that callers give.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/limit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_LIMIT_H
#define ORCH_LIMIT_H

#include "postgres.h"

#include "utils/timestamp.h"

/* Longest interval that a caller can give, in years. */
#define MAX_INTERVAL_YEARS	100

/* Raises 22023 for an interval with a negative part, or a longer one. */
extern void orch_limit_interval(const Interval *interval, const char *name);

/* contract/fields.csv: Comments of approvals, in characters */
#define MAX_APPROVAL_COMMENTS	32000

/* Raises 22001 for comments (or NULL) that are longer. */
extern void orch_limit_comments(const char *comments);

/* Raises 22008 for a time before 1970 or after 9999 (UTC), or an infinite one. */
extern void orch_limit_time(TimestampTz time, const char *name);

#endif							/* ORCH_LIMIT_H */
