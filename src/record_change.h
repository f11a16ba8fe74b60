/*-------------------------------------------------------------------------
 *
 * record_change.h
 *	  What a change of a registered table's rows sets off.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record_change.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_CHANGE_H
#define ORCH_RECORD_CHANGE_H

/* For frame.c: a subtransaction was aborted, or the transaction ended (0). */
extern void orch_record_change_forget(int level);

#endif							/* ORCH_RECORD_CHANGE_H */
