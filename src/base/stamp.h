/*-------------------------------------------------------------------------
 *
 * stamp.h
 *	  When records were written: SystemModstamp, and up to when it is complete.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/stamp.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_STAMP_H
#define ORCH_STAMP_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* SystemModstamp of everything that this transaction writes. */
extern TimestampTz orch_stamp(void);

/*
 * The horizon: every transaction with an earlier stamp has ended.  Snapshots taken from
 * now on see its rows, unless it was rolled back.
 */
extern TimestampTz orch_stamp_horizon(void);

/*
 * Whole minutes since 2000-01-01, by which changed records are found.  Times that are
 * too far away give the first or last int32.
 */
extern int32 orch_stamp_minute(TimestampTz time);

/* A finite time without its seconds. */
extern TimestampTz orch_stamp_cut(TimestampTz time);

/* Called once, by _PG_init(). */
extern void orch_stamp_init(void);

#endif							/* ORCH_STAMP_H */
