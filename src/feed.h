/*-------------------------------------------------------------------------
 *
 * feed.h
 *	  Posts, comments and likes.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/feed.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FEED_H
#define ORCH_FEED_H

#include "postgres.h"

#include "utils/uuid.h"

extern void orch_feed_lock_run(const pg_uuid_t *item_id);

#endif							/* ORCH_FEED_H */
