/*-------------------------------------------------------------------------
 *
 * notify.h
 *	  Waking workers and people who wait.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/notify.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_NOTIFY_H
#define ORCH_NOTIFY_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/uuid.h"

/* A step of a topic can be claimed once this transaction commits. */
extern void orch_notify_queued(const char *topic);

/* A principal has one more work item once this transaction commits. */
extern void orch_notify_assigned(const pg_uuid_t *principal_id);

/* This session does not wait for steps of topics (char *) any more. */
extern void orch_notify_awake(List *topics);

/*
 * The session LISTENs for steps of topics (char *), and is counted as waiting.  Returns
 * whether all of it is in effect, which needs a commit; most: for how many seconds the
 * session may wait at most, -1 without an end.  Caller is connected to SPI and in system
 * context; what it looks at afterwards it must read with the latest snapshot.
 */
extern bool orch_notify_wait_for_steps(List *topics, double *most);

/* The same for work items of principals; returns the channels (char *). */
extern List *orch_notify_wait_for_work(const pg_uuid_t *principal_ids, int nids);

/* Called before orch_notify_queued() does anything else. */
typedef void (*QueuedCallback) (const char *topic);
extern void orch_notify_at_queued(QueuedCallback callback);

/* Called once, by _PG_init(). */
extern void orch_notify_init(void);

#endif							/* ORCH_NOTIFY_H */
