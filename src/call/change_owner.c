/*-------------------------------------------------------------------------
 *
 * change_owner.c
 *	  change_owner(): a new owner for a stage, step or work item.
 *
 * An UPDATE through the views does the same, unless the caller would no longer see the
 * record: row security refuses a new row that the caller could not read.  Here the call
 * asks for the right first (All access) and writes the row in system context.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/change_owner.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "call/change_owner.h"
#include "record/principal.h"

#define CHANGE_OWNER "change the owner of"

static StaticPlan plan_owner[NUM_OBJECTS] = {
	[OBJECT_STAGE] = {
		"UPDATE orchestration.stage_run SET owner_id = $3"
		" WHERE run_id = $1 AND id = $2", 3, {UUIDOID, UUIDOID, UUIDOID}
	},
	[OBJECT_STEP] = {
		"UPDATE orchestration.step_run SET owner_id = $3"
		" WHERE run_id = $1 AND id = $2", 3, {UUIDOID, UUIDOID, UUIDOID}
	},
	[OBJECT_WORK_ITEM] = {
		"UPDATE orchestration.work_item SET owner_id = $3"
		" WHERE run_id = $1 AND id = $2", 3, {UUIDOID, UUIDOID, UUIDOID}
	}
};

void
orch_change_owner_require(Oid role, const pg_uuid_t *record_id)
{
	RecordAccess record;

	orch_caller_require_all(role, ANY_OBJECT, record_id, &record, CHANGE_OWNER);
}

bool
orch_change_owner(Oid role, const pg_uuid_t *record_id, const pg_uuid_t *owner_id)
{
	RecordAccess record;
	Principal	principal;
	SystemContext saved;
	Frame	   *frame;
	Datum		values[3];
	bool		other;

	orch_caller_require_all(role, ANY_OBJECT, record_id, &record, CHANGE_OWNER);
	if (plan_owner[record.object].query == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_OPERATION),
				 errmsg("INVALID_TYPE_FOR_OPERATION: the owner of %s cannot be changed",
						record.object == OBJECT_RUN ? "a run" :
						record.object == OBJECT_APPROVAL_SUBMISSION ? "an approval submission" :
						"an approval work item"),
				 record.object == OBJECT_APPROVAL_WORK_ITEM ?
				 errdetail("It has the owner of its submission.") :
				 errdetail("The reference does not flag OwnerId of %s Update.",
						   orch_catalog_label(ENUM_SHARED_OBJECT, record.object)),
				 record.object == OBJECT_RUN ?
				 errhint("start_orchestration() takes an owner.") :
				 errhint("The owner is the submitter; share the submission.")));
	if (!orch_principal_get(owner_id, &principal) ||
		principal.kind != PRINCIPAL_USER || !principal.is_active)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("%s is no active user", orch_principal_label(owner_id)),
				 orch_error_column(RELATION_PRINCIPAL, "id")));

	frame = orch_frame_push(FRAME_CALL, role, NULL);
	orch_system_connect(&saved);
	values[0] = UUIDPGetDatum(&record.run_id);
	values[1] = UUIDPGetDatum(record_id);
	values[2] = UUIDPGetDatum(owner_id);
	orch_caller_lock_with_all(role, &record, CHANGE_OWNER);
	other = !orch_uuid_equal(&record.owner_id, owner_id);
	if (other)
		orch_plan_execute_latest(&plan_owner[record.object], values, NULL, 0);
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	return other;
}

PG_FUNCTION_INFO_V1(orchestration_change_owner);

/*
 * orchestration.change_owner(record_id uuid, owner_id uuid) returns boolean
 *
 * Gives a stage, step or work item to another user; its manual shares end.  Returns false
 * if the user owns the record already.
 * Raises: 22004 for null, OR101 for a record that does not exist or that the caller does
 * not see, 42501 without All access to it, OR103 for an owner that is no active user,
 * OR403 for a run, an approval submission and an approval work item.
 * Source: contract/fields.csv, OwnerId.
 */
Datum
orchestration_change_owner(PG_FUNCTION_ARGS)
{
	orch_require_arguments(fcinfo, 0, 2, "record_id and owner_id");
	PG_RETURN_BOOL(orch_change_owner(GetUserId(), PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1)));
}
