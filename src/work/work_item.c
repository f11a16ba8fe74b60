/*-------------------------------------------------------------------------
 *
 * work_item.c
 *	  Calls on work items: complete, claim, release, reassign, fail, due dates.
 *
 * Each call finds the run of the item without a lock, locks the run, and only then reads the
 * item.  If two members of a queue finish the same item, the second waits for the lock and
 * is then refused with OR302.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/work_item.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine.h"
#include "engine/notify.h"
#include "guard/guard.h"
#include "record/action.h"
#include "record/principal.h"
#include "trail/history.h"
#include "trail/log.h"
#include "work/approval.h"
#include "work/run.h"
#include "work/work_item.h"
#include "work/work_item_call.h"

static StaticPlan plan_reassign = {
	"UPDATE orchestration.work_item SET assignee_id = $3, claimed_from = $4,"
	" owner_id = COALESCE($5, owner_id) WHERE run_id = $1 AND id = $2",
	5, {UUIDOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_set_due = {
	"UPDATE orchestration.work_item SET due_at = $3"
	" WHERE run_id = $1 AND id = $2 AND due_at IS DISTINCT FROM $3",
	3, {UUIDOID, UUIDOID, TIMESTAMPTZOID}
};

static void assign(const ItemState *item, const pg_uuid_t *assignee,
				   const pg_uuid_t *claimed_from, const pg_uuid_t *owner, const char *comments);
static pg_uuid_t *item_argument(FunctionCallInfo fcinfo);

PG_FUNCTION_INFO_V1(orchestration_complete_work_item);

/*
 * orchestration.complete_work_item(work_item_id uuid, outputs jsonb,
 *		idempotency_key text) returns boolean
 *
 * Finishes a work item with the outputs of its screen, completes its step and moves the run.
 * While the run is Suspended or in Error, the outcome is stored as pending.  Returns false
 * if a call with the same idempotency key and the same outputs finished the item before.
 * Raises: 22004 for a null id, 22023 for a key that is empty or longer than 255 characters,
 * OR101 for an item that does not exist or that the caller does not see, 42501 unless it is
 * assigned to the caller or a group or queue of the caller's or the caller has Modify All
 * Data; an approval, too, unless the caller may answer for its assignee or has the permission
 * Approval Admin; OR302 if the item is Completed already, OR306 for outputs that are no object or do
 * not match set_action_contract() of the screen, OR309 for a key that came with other outputs.
 * Source: contract/lifecycle.md, "Step types"; contract/transitions.csv, line 32.
 */
Datum
orchestration_complete_work_item(PG_FUNCTION_ARGS)
{
	Jsonb	   *outputs = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	char	   *key;
	bytea	   *digest = NULL;
	SystemContext saved;
	Oid			role = GetUserId();
	Frame	   *frame;
	ItemState	item;

	orch_require_arguments(fcinfo, 0, 1, "work_item_id");
	if (outputs != NULL && !JB_ROOT_IS_OBJECT(outputs))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("outputs must be a JSON object: names of outputs and their values")));
	key = orch_run_key_argument(fcinfo, 2);
	if (key != NULL)
		digest = orch_digest_request(NULL, outputs);

	frame = orch_frame_push(FRAME_CALL, role, NULL);
	orch_system_connect(&saved);
	orch_work_item_lock(PG_GETARG_UUID_P(0), &item, role, orch_access_require_work);
	if (item.status == WORK_ITEM_COMPLETED)
	{
		if (key == NULL || item.idempotency_key == NULL ||
			strcmp(key, item.idempotency_key) != 0)
			orch_work_item_refuse_done(&item);
		if (!orch_digest_matches(item.digest, item.digest == (Datum) 0, digest))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_KEY_USED),
					 errmsg("idempotency key \"%s\" was used for work item %s with other outputs",
							key, item.name),
					 errdetail("%s finished it at %s.", item.completed_by,
							   item.completed_at),
					 errhint("A key repeats one request.")));
		orch_system_finish(&saved);
		orch_frame_pop(frame);
		PG_RETURN_BOOL(false);
	}

	if (item.screen != NULL)
		orch_action_check_outputs(item.screen, outputs);
	if (item.is_approval)
		orch_approval_finish(&item, role, outputs, key, digest);
	else
	{
		JsonbValue *said = outputs == NULL ? NULL : orch_engine_comments(outputs);

		orch_work_item_finish(&item, role, outputs,
							  said == NULL || said->type != jbvString ? NULL :
							  pnstrdup(said->val.string.val, said->val.string.len),
							  key, digest);
	}
	orch_log_flush();
	orch_history_flush();
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	PG_RETURN_BOOL(true);
}

/*
 * Change the assignee of an item and notify the new assignee.  owner NULL: the guard sets
 * the owner that the assignee brings.
 */
static void
assign(const ItemState *item, const pg_uuid_t *assignee, const pg_uuid_t *claimed_from,
	   const pg_uuid_t *owner, const char *comments)
{
	Datum		values[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', ' '};

	values[0] = UUIDPGetDatum(&item->run_id);
	values[1] = UUIDPGetDatum(&item->id);
	values[2] = UUIDPGetDatum(assignee);
	values[3] = UUIDPGetDatum(claimed_from);
	if (claimed_from == NULL)
		nulls[3] = 'n';
	values[4] = UUIDPGetDatum(owner);
	if (owner == NULL)
		nulls[4] = 'n';
	orch_guard_execute(SCOPE_USER, &plan_reassign, values, nulls, comments);
	orch_notify_assigned(assignee);
}

/* The first argument, which must not be null. */
static pg_uuid_t *
item_argument(FunctionCallInfo fcinfo)
{
	orch_require_arguments(fcinfo, 0, 1, "work_item_id");
	return PG_GETARG_UUID_P(0);
}

PG_FUNCTION_INFO_V1(orchestration_claim_work_item);

/*
 * orchestration.claim_work_item(work_item_id uuid) returns boolean
 *
 * Makes the caller the assignee of an item that is assigned to a group or queue of the
 * caller's, so that no other member works on it.  Returns false if the caller is the
 * assignee already.
 * Raises: 22004 and OR101 as complete_work_item(), 42501 unless the item is assigned to the
 * caller or a group or queue of the caller's or the caller has Modify All Data, OR302 if the
 * item is Completed, 55000 if it is assigned to another user.
 * Source: contract/transitions.csv, line 31.
 */
Datum
orchestration_claim_work_item(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	ItemState	item;
	Oid			role = GetUserId();
	const Principal *acting;
	pg_uuid_t	me;
	Frame	   *frame = orch_work_item_enter(item_argument(fcinfo), &saved, &item,
									 orch_access_require_claim);
	Principal	holder;
	bool		other;

	acting = orch_principal_acting(role);
	if (acting == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" acts as no active user",
						GetUserNameFromId(role, false))));
	me = acting->id;
	other = !orch_uuid_equal(&item.assignee_id, &me);
	if (other)
	{
		if (orch_principal_get(&item.assignee_id, &holder) && holder.kind == PRINCIPAL_USER)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("work item %s is assigned to %s", item.name, holder.name),
					 errhint("Only what a group or queue has can be claimed; reassign it.")));
		assign(&item, &me, &item.assignee_id, NULL, NULL);
	}
	orch_work_item_leave(frame, &saved);
	PG_RETURN_BOOL(other);
}

PG_FUNCTION_INFO_V1(orchestration_release_work_item);

/*
 * orchestration.release_work_item(work_item_id uuid) returns boolean
 *
 * Gives a claimed item back to its group or queue.  Returns false if it is not claimed.
 * Raises: 22004, OR101, 42501 and OR302 as claim_work_item().
 * Source: contract/transitions.csv, line 31.
 */
Datum
orchestration_release_work_item(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	ItemState	item;
	Frame	   *frame = orch_work_item_enter(item_argument(fcinfo), &saved, &item,
									 orch_access_require_claim);

	if (item.claimed)
		assign(&item, &item.claimed_from, NULL, NULL, NULL);
	orch_work_item_leave(frame, &saved);
	PG_RETURN_BOOL(item.claimed);
}

PG_FUNCTION_INFO_V1(orchestration_set_due_date);

/*
 * orchestration.set_due_date(work_item_id uuid, due_at timestamptz) returns boolean
 *
 * Sets until when an item should be done; null: no due date.  Returns false if the item has
 * that due date already.
 * Raises: 22004 for a null id, 22008 for a time that is before 1970, after 9999 or infinite,
 * OR101, 42501 and OR302 as claim_work_item().
 * Source: ours.
 */
Datum
orchestration_set_due_date(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	ItemState	item;
	Frame	   *frame = orch_work_item_enter(item_argument(fcinfo), &saved, &item,
									 orch_access_require_claim);
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};
	bool		changed;

	if (!PG_ARGISNULL(1))
		orch_limit_time(PG_GETARG_TIMESTAMPTZ(1), "due_at");
	values[0] = UUIDPGetDatum(&item.run_id);
	values[1] = UUIDPGetDatum(&item.id);
	values[2] = PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1);
	if (PG_ARGISNULL(1))
		nulls[2] = 'n';
	orch_plan_execute_latest(&plan_set_due, values, nulls, 0);
	changed = SPI_processed > 0;
	orch_work_item_leave(frame, &saved);
	PG_RETURN_BOOL(changed);
}

PG_FUNCTION_INFO_V1(orchestration_reassign_work_item);

/*
 * orchestration.reassign_work_item(work_item_id uuid, assignee_id uuid, comments text)
 *		returns boolean
 *
 * Assigns an Assigned work item to another user, group or queue.  Returns false if the item
 * is assigned to it already.
 * Raises: 22004 for null, OR101 for an item that does not exist or that the caller does not
 * see, 42501 without the permission Reassign Orchestration Work Items or, for an approval,
 * Approval Admin, OR103 for an assignee that is no active principal, OR302 if the item is
 * Completed, 22001 for comments of more than 32,000 characters.
 * Source: contract/transitions.csv, line 31.
 */
Datum
orchestration_reassign_work_item(PG_FUNCTION_ARGS)
{
	orch_require_arguments(fcinfo, 0, 2, "work_item_id and assignee_id");
	PG_RETURN_BOOL(orch_work_item_reassign(PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1), NULL,
										   PG_ARGISNULL(2) ? NULL :
										   text_to_cstring(PG_GETARG_TEXT_PP(2))));
}

bool
orch_work_item_reassign(const pg_uuid_t *item_id, const pg_uuid_t *assignee,
						const pg_uuid_t *owner, const char *comments)
{
	Principal	principal;
	SystemContext saved;
	Frame	   *frame;
	ItemState	item;
	bool		other;

	orch_limit_comments(comments);
	if (!orch_principal_get(assignee, &principal) || !principal.is_active)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("assignee %s is no active user, group or queue",
						orch_uuid_text(assignee))));

	frame = orch_work_item_enter(item_id, &saved, &item, orch_access_require_reassign);
	other = !orch_uuid_equal(&item.assignee_id, assignee);
	if (other)
		assign(&item, assignee, NULL, owner, comments);
	orch_work_item_leave(frame, &saved);
	return other;
}

PG_FUNCTION_INFO_V1(orchestration_fail_work_item);

/*
 * orchestration.fail_work_item(work_item_id uuid, message text) returns boolean
 *
 * Reports that the screen of an Assigned work item failed: the run goes to Error,
 * recoverable; its stage and step stay InProgress, and the item stays Assigned.  Returns
 * false if the run is in Error already.
 * Raises: 22004, OR101 and 42501 as complete_work_item(), OR302 if the item is Completed,
 * OR001 if the status of the run does not allow it.
 * Source: contract/lifecycle.md, "Cascades", row "screen flow fails".
 */
Datum
orchestration_fail_work_item(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	Frame	   *frame;
	ItemState	item;
	bool		fails;

	orch_require_arguments(fcinfo, 0, 2, "work_item_id and message");
	frame = orch_work_item_enter(PG_GETARG_UUID_P(0), &saved, &item, orch_access_require_work);
	fails = item.run_status != RUN_ERROR;
	if (fails)
		orch_engine_fail_screen(&item.run_id, &item.step_id,
								text_to_cstring(PG_GETARG_TEXT_PP(1)));
	orch_work_item_leave(frame, &saved);
	PG_RETURN_BOOL(fails);
}
