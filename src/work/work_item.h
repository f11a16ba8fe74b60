/*-------------------------------------------------------------------------
 *
 * work_item.h
 *	  Work items, as other calls change them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/work_item.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_WORK_ITEM_H
#define ORCH_WORK_ITEM_H

#include "postgres.h"

#include "utils/uuid.h"

/*
 * All of reassign_work_item(): checks the caller's right.  owner: another owner than the
 * assignee brings, to which the caller has the right, or NULL.  False: the assignee has the
 * item already.
 */
extern bool orch_work_item_reassign(const pg_uuid_t *item_id, const pg_uuid_t *assignee,
									const pg_uuid_t *owner, const char *comments);

#endif							/* ORCH_WORK_ITEM_H */
