/*-------------------------------------------------------------------------
 *
 * feed.h
 *	  Posts, comments and likes.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/feed.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FEED_H
#define ORCH_FEED_H

#include "postgres.h"

#include "utils/uuid.h"

/*
 * Checks the caller's right to delete the item.  False: it does not exist, or the caller
 * does not see it.
 */
extern bool orch_feed_delete(const pg_uuid_t *id);

#endif							/* ORCH_FEED_H */
