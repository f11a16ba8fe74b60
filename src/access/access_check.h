/*-------------------------------------------------------------------------
 *
 * access_check.h
 *	  The rights that calls and updates need.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_check.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_CHECK_H
#define ORCH_ACCESS_CHECK_H

#include "postgres.h"

#include "access/htup.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#include "base/orchestration.h"

struct AccessSet;

/* Does the role see the record? */
extern bool orch_access_sees(Oid role, SharedObject object, const pg_uuid_t *id);

/*
 * Each raises 42501 if the role lacks the right.  Those about a record raise OR101 if
 * the role does not see it, as if there were no such record.
 */
extern struct AccessSet *orch_access_require_user(Oid role);
extern void orch_access_require_permission(Oid role, int permission,
										   const char *to_do);
extern void orch_access_require_move(Oid role, const pg_uuid_t *run_id);
extern void orch_access_require_cancel(Oid role, const pg_uuid_t *run_id);
extern void orch_access_require_work(Oid role, const pg_uuid_t *item_id);
extern void orch_access_require_claim(Oid role, const pg_uuid_t *item_id);
extern void orch_access_require_reassign(Oid role, const pg_uuid_t *item_id);
extern void orch_access_require_override(Oid role, const pg_uuid_t *item_id);

/* Also says as what: the submitter or an administrator. */
extern void orch_access_require_recall(Oid role, const pg_uuid_t *run_id,
									   PerformerRole *performer);

/* As what a role that may answer an approval of this assignee does it. */
extern PerformerRole orch_access_performer(Oid role, const pg_uuid_t *assignee_id);
extern void orch_access_check_update(SharedObject object, Relation relation,
									 HeapTuple old, HeapTuple new);

#endif							/* ORCH_ACCESS_CHECK_H */
