/*-------------------------------------------------------------------------
 *
 * record_change.h
 *	  What a change of a registered table's rows sets off.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/record_change.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_CHANGE_H
#define ORCH_RECORD_CHANGE_H

#include "postgres.h"

/* For frame.c. */
extern void orch_record_change_at_subxact_end(int level, bool commit);
extern void orch_record_change_at_xact_end(void);

#endif							/* ORCH_RECORD_CHANGE_H */
