/*-------------------------------------------------------------------------
 *
 * caller.h
 *	  The user who calls, and the rights to the record that the call names.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/caller.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CALLER_H
#define ORCH_CALLER_H

#include "postgres.h"

#include "utils/uuid.h"

#include "access/access.h"
#include "base/orchestration.h"

/* For object: the record may be of any. */
#define ANY_OBJECT	(-1)

/*
 * The id of the user that the role acts as.  False: the role acts as none, but needs none
 * (a superuser); then it is the id of the automated process user.  Raises 42501 for a role
 * that needs one.
 */
extern bool orch_caller_user_id(Oid role, pg_uuid_t *user_id);

/* The role's access to a record; ACCESS_NONE also if there is no such record. */
extern AccessLevel orch_caller_level(Oid role, int object, const pg_uuid_t *record_id,
									 RecordAccess *record);

/* Raises OR101 for a record that does not exist or that the role does not see. */
extern void orch_caller_require_visible(Oid role, const pg_uuid_t *record_id,
										RecordAccess *record);

/*
 * Also raises 42501 for a role that acts as no active user or has not All access to the
 * record; the message says that it may not do something (to_do) to the record.
 */
extern void orch_caller_require_all(Oid role, int object, const pg_uuid_t *record_id,
									RecordAccess *record, const char *to_do);

/*
 * Lock the run of the record and require All access again: the right may have changed while
 * the session waited for the lock.  Caller is connected to SPI and in system context.
 */
extern void orch_caller_lock_with_all(Oid role, RecordAccess *record, const char *to_do);

/*
 * Lock the run of the record so that it is not deleted; raises OR101 if it is gone.
 * Caller is connected to SPI and in system context.
 */
extern void orch_caller_keep_run(const RecordAccess *record);

#endif							/* ORCH_CALLER_H */
