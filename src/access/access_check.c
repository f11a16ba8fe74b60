/*-------------------------------------------------------------------------
 *
 * access_check.c
 *	  The rights that calls and updates need.
 *
 * A record that the caller does not see is refused with the same error as one that
 * does not exist.  For a record that the caller sees, the error names the missing
 * right.  Calls check before they wait for a lock, so that waiting reveals nothing, and
 * again when they have it, because the lock's holder may have changed the right.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_check.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/uuid.h"
#include "record/principal.h"

#define NEEDS_ASSIGNMENT \
	"an assignment to the user or to one of the user's groups or queues, or the permission Modify All Data"
#define NEEDS_REVIEW \
	"an assignment to the user or to one of the user's groups or queues, a delegation by the assignee or a member of it, with orchestration.managers_review also a place above one of these, or the permission Approval Admin"
#define NEEDS_REASSIGN "the permission Reassign Orchestration Work Items"
#define NEEDS_REASSIGN_APPROVAL NEEDS_REASSIGN " or Approval Admin"
#define NEEDS_MOVE \
	"Edit access to the run, or the permission Manage Orchestration Runs"

static void refuse(Oid role, const char *to_do, const RecordAccess *record,
				   const char *needs) pg_attribute_noreturn();
static void refuse_unknown(SharedObject object, const pg_uuid_t *id) pg_attribute_noreturn();
static AccessLevel require_visible_approval(Oid role, SharedObject object,
											const pg_uuid_t *id, RecordAccess *record);
static bool is_assignee(AccessSet *set, const RecordAccess *record);
static bool may_answer(AccessSet *set, const RecordAccess *record);
static bool column_changed(TupleDesc desc, HeapTuple old, HeapTuple new,
						   AttrNumber attnum);
static bool is_canceled(HeapTuple run, TupleDesc desc);

static const char *const object_names[NUM_OBJECTS] = {
	"run", "stage", "step", "work item", "approval submission", "approval work item"
};

bool
orch_access_sees(Oid role, SharedObject object, const pg_uuid_t *id)
{
	RecordAccess record;

	return orch_access_read(object, id, &record) &&
		orch_access_level(orch_access_of_role(role), &record) != ACCESS_NONE;
}

/*
 * Calls are for active users, and for roles to which row security does not apply.
 */
AccessSet *
orch_access_require_user(Oid role)
{
	AccessSet  *set = orch_access_of_role(role);

	if (!set->is_user && !orch_access_is_unlimited(set))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 orch_user_id != NULL && orch_user_id[0] != '\0' ?
				 errmsg("orchestration.user_id names no active user") :
				 errmsg("role \"%s\" acts as no active user",
						GetUserNameFromId(role, false)),
				 errhint("Create or activate a user with this role as role_name.")));
	return set;
}

/*
 * to_do: what the role may not do, for the message: "deploy orchestrations".
 */
void
orch_access_require_permission(Oid role, int permission, const char *to_do)
{
	AccessSet  *set = orch_access_require_user(role);
	const char *name =
		permission == PERMISSION_MODIFY_ALL_DATA ? "Modify All Data" :
		permission == PERMISSION_MANAGE_DEFINITIONS ? "Manage Flow" :
		permission == PERMISSION_MANAGE_RUNS ? "Manage Orchestration Runs" :
		permission == PERMISSION_VIEW_ALL_DATA ? "View All Data" :
		permission == PERMISSION_APPROVAL_ADMIN ? "Approval Admin" :
		"Reassign Orchestration Work Items";

	if ((set->permissions & permission) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("user \"%s\" may not %s",
						orch_principal_role_label(role), to_do),
				 errdetail("It needs the permission %s.", name)));
}

static void
refuse(Oid role, const char *to_do, const RecordAccess *record, const char *needs)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("user \"%s\" may not %s %s %s",
					orch_principal_role_label(role), to_do,
					object_names[record->object], orch_uuid_text(&record->id)),
			 errdetail("It needs %s.", needs)));
}

static void
refuse_unknown(SharedObject object, const pg_uuid_t *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
			 errmsg("%s %s does not exist", object_names[object], orch_uuid_text(id))));
}

/*
 * The level of access to a record; ACCESS_NONE, and an empty record, if it does not exist.
 */
static AccessLevel
visible_level(Oid role, SharedObject object, const pg_uuid_t *id, RecordAccess *record)
{
	(void) orch_access_require_user(role);
	if (orch_access_read(object, id, record))
		return orch_access_level(orch_access_of_role(role), record);
	memset(record, 0, sizeof(*record));
	return ACCESS_NONE;
}

/*
 * The level of access to a record; raises OR101 if there is none.
 */
static AccessLevel
require_visible(Oid role, SharedObject object, const pg_uuid_t *id,
				RecordAccess *record)
{
	AccessLevel level = visible_level(role, object, id, record);

	if (level == ACCESS_NONE)
		refuse_unknown(object, id);
	return level;
}

/*
 * The same for a run or a work item.  A user who sees the submission of an approval knows its
 * run and its work items, whose level can then be ACCESS_NONE.
 */
static AccessLevel
require_visible_approval(Oid role, SharedObject object, const pg_uuid_t *id,
						 RecordAccess *record)
{
	AccessLevel level = visible_level(role, object, id, record);
	RecordAccess submission;

	if (level == ACCESS_NONE &&
		!(record->is_approval && orch_access_read_submission(&record->run_id, &submission) &&
		  orch_access_level(orch_access_of_role(role), &submission) != ACCESS_NONE))
		refuse_unknown(object, id);
	return level;
}

static bool
has_permission(Oid role, int permission)
{
	return (orch_access_of_role(role)->permissions & permission) != 0;
}

static bool
is_assignee(AccessSet *set, const RecordAccess *record)
{
	return orch_uuid_map_get(orch_access_arm(set, ARM_ASSIGNEE), &record->assignee_id) != 0;
}

/*
 * May the user finish the work item: as assignee, or an approval for its assignee?
 */
static bool
may_answer(AccessSet *set, const RecordAccess *record)
{
	return is_assignee(set, record) ||
		(record->is_approval &&
		 orch_uuid_map_get(orch_access_arm(set, ARM_REVIEWER), &record->assignee_id) != 0);
}

/*
 * To finish a work item.  An approval administrator decides instead of the assignee.
 */
static void
require_finish(Oid role, AccessSet *set, const RecordAccess *record)
{
	if ((set->permissions & (record->is_approval ? PERMISSION_APPROVAL_ADMIN :
							 PERMISSION_MODIFY_ALL_DATA)) == 0 &&
		!may_answer(set, record))
		refuse(role, "finish", record, record->is_approval ? NEEDS_REVIEW : NEEDS_ASSIGNMENT);
}

/*
 * To suspend or resume a run.
 */
void
orch_access_require_move(Oid role, const pg_uuid_t *run_id)
{
	RecordAccess record;

	if (require_visible(role, OBJECT_RUN, run_id, &record) < ACCESS_EDIT &&
		!has_permission(role, PERMISSION_MANAGE_RUNS))
		refuse(role, "change the status of", &record, NEEDS_MOVE);
}

/*
 * To cancel a run.  An approval administrator who sees the submission need not see the run.
 */
void
orch_access_require_cancel(Oid role, const pg_uuid_t *run_id)
{
	RecordAccess record;
	AccessLevel level = require_visible_approval(role, OBJECT_RUN, run_id, &record);

	if (record.is_approval && has_permission(role, PERMISSION_APPROVAL_ADMIN))
		return;
	if (level < ACCESS_EDIT &&
		(level == ACCESS_NONE || !has_permission(role, PERMISSION_MANAGE_RUNS)))
		refuse(role, "change the status of", &record,
			   record.is_approval ? NEEDS_MOVE " or Approval Admin" : NEEDS_MOVE);
}

/*
 * To complete a work item, or to report that its screen failed.
 */
void
orch_access_require_work(Oid role, const pg_uuid_t *item_id)
{
	RecordAccess record;

	(void) require_visible_approval(role, OBJECT_WORK_ITEM, item_id, &record);
	require_finish(role, orch_access_of_role(role), &record);
}

/*
 * To claim a work item, release it or set its due date.  A delegate cannot: a delegate who
 * became the assignee would keep the approval when the delegation ends, and have delegates.
 */
void
orch_access_require_claim(Oid role, const pg_uuid_t *item_id)
{
	RecordAccess record;
	AccessSet  *set;

	(void) require_visible(role, OBJECT_WORK_ITEM, item_id, &record);
	set = orch_access_of_role(role);
	if ((set->permissions & PERMISSION_MODIFY_ALL_DATA) == 0 && !is_assignee(set, &record))
		refuse(role, record.is_approval ? "claim" : "finish", &record, NEEDS_ASSIGNMENT);
}

/*
 * To give a work item to another assignee.
 */
void
orch_access_require_reassign(Oid role, const pg_uuid_t *item_id)
{
	RecordAccess record;
	AccessLevel level = require_visible_approval(role, OBJECT_WORK_ITEM, item_id, &record);

	if (record.is_approval && has_permission(role, PERMISSION_APPROVAL_ADMIN))
		return;
	if (level == ACCESS_NONE || !has_permission(role, PERMISSION_REASSIGN_WORK_ITEMS))
		refuse(role, "reassign", &record,
			   record.is_approval ? NEEDS_REASSIGN_APPROVAL : NEEDS_REASSIGN);
}

/*
 * To decide about an approval instead of its assignee.
 */
void
orch_access_require_override(Oid role, const pg_uuid_t *item_id)
{
	RecordAccess record;

	(void) require_visible_approval(role, OBJECT_WORK_ITEM, item_id, &record);
	if (!has_permission(role, PERMISSION_APPROVAL_ADMIN))
		refuse(role, "override", &record, "the permission Approval Admin");
}

/*
 * To recall an approval.  The submitter need not see the run.
 */
void
orch_access_require_recall(Oid role, const pg_uuid_t *run_id, PerformerRole *performer)
{
	AccessSet  *set = orch_access_require_user(role);
	RecordAccess record;
	RecordAccess submission;

	/* the owner of a submission is its submitter, and does not change */
	if (set->is_user && orch_access_read_submission(run_id, &submission) &&
		orch_uuid_equal(&submission.owner_id, &set->user_id))
	{
		*performer = PERFORMER_SUBMITTER;
		return;
	}
	*performer = PERFORMER_ADMIN;
	(void) require_visible_approval(role, OBJECT_RUN, run_id, &record);
	if (record.is_approval && !has_permission(role, PERMISSION_APPROVAL_ADMIN))
		refuse(role, "recall", &record,
			   "to be the submitter, or the permission Approval Admin");
}

PerformerRole
orch_access_performer(Oid role, const pg_uuid_t *assignee_id)
{
	AccessSet  *set = orch_access_of_role(role);

	if (orch_uuid_map_get(orch_access_arm(set, ARM_ASSIGNEE), assignee_id) != 0)
		return PERFORMER_ASSIGNEE;
	/* the platform's values have none for the users above the assignee */
	return orch_uuid_map_get(orch_access_arm(set, ARM_REVIEWER), assignee_id) != 0 ?
		PERFORMER_DELEGATE : PERFORMER_ADMIN;
}

static bool
column_changed(TupleDesc desc, HeapTuple old, HeapTuple new, AttrNumber attnum)
{
	bool		old_isnull;
	bool		new_isnull;
	Datum		was = heap_getattr(old, attnum, desc, &old_isnull);
	Datum		is = heap_getattr(new, attnum, desc, &new_isnull);
	Form_pg_attribute attr = TupleDescAttr(desc, attnum - 1);

	if (old_isnull || new_isnull)
		return old_isnull != new_isnull;
	return !datumIsEqual(was, is, attr->attbyval, attr->attlen);
}

static bool
is_canceled(HeapTuple run, TupleDesc desc)
{
	return orch_catalog_label_column(ENUM_RUN_STATUS, run, desc, Anum_run_status) ==
		RUN_CANCELED;
}

/*
 * Does a work item have the owner that its new assignee brings?
 */
static bool
follows_assignee(TupleDesc desc, HeapTuple old, HeapTuple new)
{
	bool		isnull;
	pg_uuid_t	owner;

	if (!column_changed(desc, old, new, Anum_work_item_assignee_id))
		return false;
	owner = orch_principal_item_owner(DatumGetUUIDP(heap_getattr(new, Anum_work_item_assignee_id,
																 desc, &isnull)));
	return orch_uuid_equal(&owner, DatumGetUUIDP(heap_getattr(new, Anum_work_item_owner_id, desc,
															  &isnull)));
}

/*
 * Checks an UPDATE of a role to which row security applies.  The policy has checked
 * that the role sees the row, and column privileges limit the columns it can change.  No
 * role updates approval submissions and their work items.
 */
void
orch_access_check_update(SharedObject object, Relation relation,
						 HeapTuple old, HeapTuple new)
{
	static const AttrNumber owner_columns[LEVEL_LAST + 1] = {
		Anum_run_owner_id, Anum_stage_run_owner_id, Anum_step_run_owner_id,
		Anum_work_item_owner_id
	};
	Oid			role = GetUserId();
	TupleDesc	desc = RelationGetDescr(relation);
	AccessSet  *set;
	RecordAccess record;
	AccessLevel level;

	if (role == orch_catalog_owner())
		return;					/* system context */
	set = orch_access_of_role(role);
	if (orch_access_is_unlimited(set) || has_bypassrls_privilege(role))
		return;

	orch_access_of_tuple(object, old, desc, &record);
	level = orch_access_level(set, &record);
	if ((set->permissions & PERMISSION_MODIFY_ALL_DATA) != 0)
		return;

	if (level < ACCESS_ALL && column_changed(desc, old, new, owner_columns[object]) &&
		!(object == OBJECT_WORK_ITEM && follows_assignee(desc, old, new)))
		refuse(role, "change the owner of", &record,
			   "All access to it, which its owner has, or the permission Modify All Data");
	if (object == OBJECT_WORK_ITEM)
	{
		bool		reassigned = column_changed(desc, old, new, Anum_work_item_assignee_id);
		bool		finished = column_changed(desc, old, new, Anum_work_item_status);

		if (reassigned &&
			(set->permissions & (PERMISSION_REASSIGN_WORK_ITEMS |
								 (record.is_approval ? PERMISSION_APPROVAL_ADMIN : 0))) == 0)
			refuse(role, "reassign", &record,
				   record.is_approval ? NEEDS_REASSIGN_APPROVAL : NEEDS_REASSIGN);
		if (finished)
			require_finish(role, set, &record);
		if (reassigned || finished)
			return;
	}
	if (level >= ACCESS_EDIT)
		return;
	if (object == OBJECT_RUN &&
		((set->permissions & PERMISSION_MANAGE_RUNS) != 0 ||
		 (record.is_approval && (set->permissions & PERMISSION_APPROVAL_ADMIN) != 0 &&
		  is_canceled(new, desc))) &&
		column_changed(desc, old, new, Anum_run_status) &&
		!column_changed(desc, old, new, Anum_run_interview_id) &&
		!column_changed(desc, old, new, Anum_run_triggering_record_type) &&
		!column_changed(desc, old, new, Anum_run_triggering_record_id))
		return;
	refuse(role, object == OBJECT_RUN &&
		   column_changed(desc, old, new, Anum_run_status) ?
		   "change the status of" : "change", &record,
		   object == OBJECT_RUN ?
		   "Edit access to the run; to change its status, the permission Manage Orchestration Runs is enough" :
		   "Edit access to it");
}

PG_FUNCTION_INFO_V1(orchestration_guard_judges);

/*
 * orchestration_internal.guard_judges(object orchestration.shared_object, record_id uuid)
 *		returns boolean
 *
 * WITH CHECK of the policies for UPDATE.  Returns true: triggers check the rights to
 * change a record and the rules of its status, because they see the row before and
 * after.  A role with the parameter session_replication_role can keep them from firing,
 * and is refused here.  Row security does not apply to a restore, a subscription and a
 * superuser, so they do not come here.
 * Raises: 42501 if session_replication_role is replica.
 * Source: ours.
 */
Datum
orchestration_guard_judges(PG_FUNCTION_ARGS)
{
	if (unlikely(SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("user \"%s\" may not change %s %s while session_replication_role is replica",
						orch_principal_role_label(GetUserId()),
						object_names[orch_access_object(PG_GETARG_OID(0))],
						orch_uuid_text(PG_GETARG_UUID_P(1))),
				 errdetail("The triggers that check rights and statuses do not fire then."),
				 errhint("Set session_replication_role to origin.")));
	PG_RETURN_BOOL(true);
}
