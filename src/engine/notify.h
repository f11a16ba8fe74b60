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

/* A work item is somebody's once this transaction commits. */
extern void orch_notify_assigned(const pg_uuid_t *principal_id);

/* This session does not wait for steps of topics (char *) any more. */
extern void orch_notify_awake(List *topics);

extern void orch_notify_init(void);

#endif							/* ORCH_NOTIFY_H */
