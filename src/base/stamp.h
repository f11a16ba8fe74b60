/*-------------------------------------------------------------------------
 *
 * stamp.h
 *	  When records were written: SystemModstamp, and how far it is complete.
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

/* SystemModstamp of what this transaction writes. */
extern TimestampTz orch_stamp(void);

/*
 * What was stamped earlier than this has ended: it is visible to every snapshot
 * that is taken from now on, or was rolled back.
 */
extern TimestampTz orch_stamp_horizon(void);

/*
 * Whole minutes since 2000-01-01, by which changed records are found; of a time so
 * far away that they do not fit, the first or last that does.
 */
extern int32 orch_stamp_minute(TimestampTz time);

/* A finite time without its seconds. */
extern TimestampTz orch_stamp_cut(TimestampTz time);

extern void orch_stamp_init(void);

#endif							/* ORCH_STAMP_H */
