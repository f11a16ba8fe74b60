/*-------------------------------------------------------------------------
 *
 * caller.c
 *	  The user who calls, and the rights to the record that the call names.
 *
 * A record that the caller does not see is refused exactly as one that does not exist.
 * Calls ask for rights before they wait for a lock, so that the wait tells nothing about
 * records that the caller does not see, and again when they have the lock.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/caller.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/access_name.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "record/principal.h"

static void refuse_unknown(int object, const pg_uuid_t *record_id) pg_attribute_noreturn();

bool
orch_caller_user_id(Oid role, pg_uuid_t *user_id)
{
	AccessSet  *set = orch_access_require_user(role);

	*user_id = set->is_user ? set->user_id : orch_automated_process;
	return set->is_user;
}

AccessLevel
orch_caller_level(Oid role, int object, const pg_uuid_t *record_id, RecordAccess *record)
{
	if (object == ANY_OBJECT ? orch_access_find(record_id, record) :
		orch_access_read((SharedObject) object, record_id, record))
		return orch_access_level(orch_access_of_role(role), record);
	return ACCESS_NONE;
}

static void
refuse_unknown(int object, const pg_uuid_t *record_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
			 errmsg("record %s does not exist", orch_uuid_text(record_id)),
			 object == ANY_OBJECT ? 0 :
			 orch_error_column(orch_access_relation((SharedObject) object), "id")));
}

void
orch_caller_require_visible(Oid role, const pg_uuid_t *record_id, RecordAccess *record)
{
	if (orch_caller_level(role, ANY_OBJECT, record_id, record) == ACCESS_NONE)
		refuse_unknown(ANY_OBJECT, record_id);
}

void
orch_caller_require_all(Oid role, int object, const pg_uuid_t *record_id,
						RecordAccess *record, const char *to_do)
{
	AccessLevel level;

	(void) orch_access_require_user(role);
	level = orch_caller_level(role, object, record_id, record);
	if (level == ACCESS_NONE)
		refuse_unknown(object, record_id);
	if (level < ACCESS_ALL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("user \"%s\" may not %s %s",
						orch_principal_role_label(role), to_do,
						orch_label(record->object, record_id)),
				 errdetail("It needs All access to it: its owner has that, and the permission Modify All Data.")));
}

void
orch_caller_lock_with_all(Oid role, RecordAccess *record, const char *to_do)
{
	pg_uuid_t	record_id = record->id;

	(void) orch_lock_run(&record->run_id, RUN_LOCK_MOVE);
	orch_caller_require_all(role, record->object, &record_id, record, to_do);
}

void
orch_caller_keep_run(const RecordAccess *record)
{
	if (orch_lock_run(&record->run_id, RUN_LOCK_KEEP) == 0)
		refuse_unknown(record->object, &record->id);
}
