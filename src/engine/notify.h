/*-------------------------------------------------------------------------
 *
 * notify.h
 *	  Wakes the sessions that wait for queued steps or for work items.
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

/* A step of a topic can be claimed after this transaction commits. */
extern void orch_notify_queued(const char *topic);

/* A work item is assigned to this principal after this transaction commits. */
extern void orch_notify_assigned(const pg_uuid_t *principal_id);

/* This session no longer waits for steps of topics (char *). */
extern void orch_notify_awake(List *topics);

/*
 * Whether the client is the only one of this session: backend_pid is the process id that the
 * client got from its server when it connected.  If it is that of a connection pool, the
 * session stops listening, because other clients use it, too.  Caller is connected to SPI and
 * in system context.
 */
extern bool orch_notify_is_own_session(int backend_pid);

/*
 * The session LISTENs for steps of topics (char *) and is counted as waiting.  Returns the
 * channels (char *), and whether every LISTEN is in effect, which needs a commit.  Sets most
 * to the number of seconds that the session may wait at most, -1 for no limit.  Caller is
 * connected to SPI and in system context, and must read the queue afterwards, with the latest
 * snapshot.
 */
extern List *orch_notify_wait_for_steps(List *topics, bool *in_effect, double *most);

/* The same for work items of principals; waits while a transaction is committing. */
extern List *orch_notify_wait_for_work(const pg_uuid_t *principal_ids, int nids, double *most);

/* Registers a function that orch_notify_queued() calls first. */
typedef void (*QueuedCallback) (const char *topic);
extern void orch_notify_at_queued(QueuedCallback callback);

/* Called once, by _PG_init(). */
extern void orch_notify_init(void);

#endif							/* ORCH_NOTIFY_H */
