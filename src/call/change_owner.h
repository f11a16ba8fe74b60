/*-------------------------------------------------------------------------
 *
 * change_owner.h
 *	  A new owner for a record.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/change_owner.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CHANGE_OWNER_H
#define ORCH_CHANGE_OWNER_H

#include "postgres.h"

#include "utils/uuid.h"

/* Raises 42501 unless a role may change the owner of a record. */
extern void orch_change_owner_require(Oid role, const pg_uuid_t *record_id);

/* All of change_owner(): checks the role's right. */
extern bool orch_change_owner(Oid role, const pg_uuid_t *record_id,
							  const pg_uuid_t *owner_id);

#endif							/* ORCH_CHANGE_OWNER_H */
