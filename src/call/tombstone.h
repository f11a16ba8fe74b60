/*-------------------------------------------------------------------------
 *
 * tombstone.h
 *	  What is gone.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/tombstone.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_TOMBSTONE_H
#define ORCH_TOMBSTONE_H

#include "postgres.h"

#include "utils/uuid.h"

/* Days, the settings orchestration.deleted_retention and history_retention. */
extern int	orch_deleted_retention;
extern int	orch_history_retention;

extern void orch_tombstone_init(void);

#endif							/* ORCH_TOMBSTONE_H */
