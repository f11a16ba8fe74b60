/*-------------------------------------------------------------------------
 *
 * share_grant.h
 *	  Manual shares, as the guard ends them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/share_grant.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_SHARE_GRANT_H
#define ORCH_SHARE_GRANT_H

#include "postgres.h"

#include "utils/uuid.h"

/*
 * The owner of a record changed: remove its manual shares.  Locks the run of the
 * record.
 */
extern void orch_share_grant_owner_changed(const pg_uuid_t *run_id,
										   const pg_uuid_t *record_id);

#endif							/* ORCH_SHARE_GRANT_H */
