/*-------------------------------------------------------------------------
 *
 * tombstone.h
 *	  Records of deleted records.
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

/* orchestration.deleted_retention, in days. */
extern int	orch_deleted_retention;

extern void orch_tombstone_init(void);

#endif							/* ORCH_TOMBSTONE_H */
