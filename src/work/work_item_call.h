/*-------------------------------------------------------------------------
 *
 * work_item_call.h
 *	  What calls on work items have in common.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/work_item_call.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_WORK_ITEM_CALL_H
#define ORCH_WORK_ITEM_CALL_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/frame.h"
#include "base/orchestration.h"
#include "base/system.h"

/* A work item and its run, locked. */
typedef struct ItemState
{
	pg_uuid_t	run_id;
	pg_uuid_t	id;
	pg_uuid_t	step_id;
	pg_uuid_t	assignee_id;
	bool		claimed;		/* claimed_from is set */
	pg_uuid_t	claimed_from;
	char	   *screen;			/* action of its screen, or NULL */
	char	   *name;
	RunStatus	run_status;
	WorkItemStatus status;
	char	   *idempotency_key;
	bool		is_approval;
	bool		is_member;		/* of a unanimous approval: it has a parent */
	pg_uuid_t	parent_id;
	Datum		digest;			/* of the outputs, with a key; 0: none */
	char	   *completed_by;
	char	   *completed_at;
} ItemState;

/*
 * Lock the run of an item and read the item.  require asks for the role's right to the item;
 * it is called before and after the lock.
 */
extern void orch_work_item_lock(const pg_uuid_t *id, ItemState *item, Oid role,
								void (*require) (Oid role, const pg_uuid_t *item_id));

/*
 * Begin a call on an Assigned item: push a frame, connect, lock the run and read the item.
 * require asks for the role's right to the item.  Raises OR302 for a Completed item.
 */
extern Frame *orch_work_item_enter(const pg_uuid_t *id, SystemContext *saved, ItemState *item,
								   void (*require) (Oid role, const pg_uuid_t *item_id));
extern void orch_work_item_leave(Frame *frame, SystemContext *saved);

extern void orch_work_item_refuse_done(const ItemState *item) pg_attribute_noreturn();

/*
 * Complete the item, as the user of a role, and its step with the outputs.  key and digest
 * may be NULL.
 */
extern void orch_work_item_finish(const ItemState *item, Oid role, Jsonb *outputs,
								  const char *comments, const char *key, bytea *digest);

#endif							/* ORCH_WORK_ITEM_CALL_H */
