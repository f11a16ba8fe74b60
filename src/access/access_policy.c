/*-------------------------------------------------------------------------
 *
 * access_policy.c
 *	  The functions of the policies, and the ids that they become for an index.
 *
 * Each is called for each row of a scan: a test whether the set in memory is valid, and
 * a look-up in a map.  They answer for the calling role only.
 *
 * All of them accept pending invalidations (access.c).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_policy.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "access/access_int.h"
#include "base/catalog.h"
#include "base/uuid.h"
#include "record/principal.h"

/* The last answer of record_visible() or submission_reviewed() in this statement. */
typedef struct LastVerdict
{
	const AccessSet *set;
	uint64		generation;
	uint64		share_generation;
	SharedObject object;
	pg_uuid_t	id;
	bool		visible;
} LastVerdict;

/*
 * The last verdict if it is about the same record and still holds, or NULL.  Rows of one
 * record mostly follow each other.  A delegation can end, and managers_review can change,
 * without a new generation.
 */
static const LastVerdict *
last_verdict(FunctionCallInfo fcinfo, const AccessSet *set, SharedObject object,
			 const pg_uuid_t *id)
{
	const LastVerdict *last = (LastVerdict *) fcinfo->flinfo->fn_extra;

	if (last != NULL && last->set == set &&
		last->generation == orch_catalog_sharing_generation &&
		last->object == object && orch_uuid_equal(&last->id, id) &&
		(object <= OBJECT_STEP || !set->has_reviewers || orch_access_reviewers_hold(set)))
		return last;
	return NULL;
}

static void
keep_verdict(FunctionCallInfo fcinfo, const AccessSet *set, SharedObject object,
			 const pg_uuid_t *id, bool visible)
{
	LastVerdict *last = (LastVerdict *) fcinfo->flinfo->fn_extra;

	if (last == NULL)
		fcinfo->flinfo->fn_extra = last =
			MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(LastVerdict));
	last->set = set;
	last->generation = set->generation;
	last->share_generation = set->share_generation;
	last->object = object;
	last->id = *id;
	last->visible = visible;
}

/*
 * Keeps the last label: a policy always asks for the same one.
 */
SharedObject
orch_access_object(Oid label)
{
	static Oid	last_label = InvalidOid;
	static SharedObject last_object;

	if (likely(label == last_label))
		return last_object;
	last_object = (SharedObject) orch_catalog_label_value(ENUM_SHARED_OBJECT, label);
	last_label = label;
	return last_object;
}

PG_FUNCTION_INFO_V1(orchestration_acting_user_id);

/*
 * orchestration.acting_user_id() returns uuid
 *
 * Returns the id of the active user that the session acts as, or null.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_acting_user_id(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id;

	AcceptInvalidationMessages();
	id = orch_principal_acting_id(GetUserId());
	if (id == NULL)
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(orchestration_is_user);

/*
 * orchestration_internal.is_user() returns boolean
 *
 * Returns whether the session acts as an active user, or row security does not apply to
 * its role.  Policy of tables that every active user may read.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_is_user(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_current();

	PG_RETURN_BOOL(set->is_user || orch_access_is_unlimited(set));
}

PG_FUNCTION_INFO_V1(orchestration_sees_sharing);

/*
 * orchestration_internal.sees_sharing() returns boolean
 *
 * Returns whether the session has the permission View All Data.  Policy of the sharing
 * rules.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_sees_sharing(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((orch_access_current()->permissions & PERMISSION_VIEW_ALL_DATA) != 0);
}

PG_FUNCTION_INFO_V1(orchestration_manages_definitions);

/*
 * orchestration_internal.manages_definitions() returns boolean
 *
 * Returns whether the session has the permission Manage Flow.  Policy of definition_log.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_manages_definitions(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((orch_access_current()->permissions & PERMISSION_MANAGE_DEFINITIONS) != 0);
}

PG_FUNCTION_INFO_V1(orchestration_owner_visible);

/*
 * orchestration_internal.owner_visible(object orchestration.shared_object,
 *		owner_id uuid) returns boolean
 *
 * Returns whether the caller sees the object's records of this owner.  True for every
 * owner if the caller sees all records of the object.  The policies call it first, for
 * each row.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_owner_visible(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_current();
	SharedObject object = orch_access_object(PG_GETARG_OID(0));

	if (set->base[object] >= ACCESS_READ)
		PG_RETURN_BOOL(true);
	if (!set->is_user)
		PG_RETURN_BOOL(false);
	if (unlikely(!set->has_rules))
		(void) orch_access_arm(set, ARM_OWNER);
	PG_RETURN_BOOL(PACKED_LEVEL(orch_uuid_map_get(&set->owners, PG_GETARG_UUID_P(1)),
								object) != ACCESS_NONE);
}

/*
 * Is the id in the set?
 */
static inline Datum
arm_visible(FunctionCallInfo fcinfo, AccessArm arm)
{
	AccessSet  *set = orch_access_current();
	SharedObject object = orch_access_object(PG_GETARG_OID(0));

	if (set->base[object] >= ACCESS_READ)
		PG_RETURN_BOOL(true);
	if (!set->is_user)
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(PACKED_LEVEL(orch_uuid_map_get(orch_access_arm(set, arm),
												  PG_GETARG_UUID_P(1)),
								object) != ACCESS_NONE);
}

PG_FUNCTION_INFO_V1(orchestration_record_shared);

/*
 * orchestration_internal.record_shared(object orchestration.shared_object,
 *		record_id uuid) returns boolean
 *
 * Returns whether a manual share shows the record to the caller.  True for every id if
 * the caller sees all records of the object.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_record_shared(PG_FUNCTION_ARGS)
{
	return arm_visible(fcinfo, ARM_RECORD);
}

PG_FUNCTION_INFO_V1(orchestration_orchestration_visible);

/*
 * orchestration_internal.orchestration_visible(object orchestration.shared_object,
 *		orchestration_id uuid) returns boolean
 *
 * Returns whether a sharing rule shows the caller the object's records of this
 * orchestration's runs.  True for every id if the caller sees all records of the object.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_orchestration_visible(PG_FUNCTION_ARGS)
{
	return arm_visible(fcinfo, ARM_ORCHESTRATION);
}

PG_FUNCTION_INFO_V1(orchestration_assignee_visible);

/*
 * orchestration_internal.assignee_visible(assignee_id uuid) returns boolean
 *
 * Returns whether the assignee is the caller, or a group or queue that the caller belongs
 * to.  True for every id if the caller sees all work items.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_assignee_visible(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_current();

	if (set->base[OBJECT_WORK_ITEM] >= ACCESS_READ)
		PG_RETURN_BOOL(true);
	if (!set->is_user)
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(orch_uuid_map_get(orch_access_arm(set, ARM_ASSIGNEE),
									 PG_GETARG_UUID_P(0)) != 0);
}

PG_FUNCTION_INFO_V1(orchestration_approval_visible);

/*
 * orchestration_internal.approval_visible(is_approval boolean, assignee_id uuid) returns boolean
 *
 * Returns whether the caller may answer an approval for its assignee, as a delegate or, with
 * orchestration.managers_review, from above; false for the caller's own groups and queues,
 * see assignee_visible().  True for every id if the caller sees all work items.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_approval_visible(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_current();

	if (set->base[OBJECT_WORK_ITEM] >= ACCESS_READ)
		PG_RETURN_BOOL(true);
	if (!set->is_user || !PG_GETARG_BOOL(0))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(orch_uuid_map_get(orch_access_arm(set, ARM_REVIEWER),
									 PG_GETARG_UUID_P(1)) != 0);
}

PG_FUNCTION_INFO_V1(orchestration_submission_reviewed);

/*
 * orchestration_internal.submission_reviewed(submission_id uuid) returns boolean
 *
 * Returns whether a work item of the submission is or was assigned to the caller, to a
 * group or queue that the caller belongs to, or to an assignee for whom the caller may answer.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_submission_reviewed(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_current();
	pg_uuid_t  *id = PG_GETARG_UUID_P(0);
	const LastVerdict *last;
	bool		reviewed;

	if (!set->is_user)
		PG_RETURN_BOOL(false);
	last = last_verdict(fcinfo, set, OBJECT_APPROVAL_SUBMISSION, id);
	if (last != NULL)
		PG_RETURN_BOOL(last->visible);
	reviewed = orch_access_reviews(set, id);
	keep_verdict(fcinfo, set, OBJECT_APPROVAL_SUBMISSION, id, reviewed);
	PG_RETURN_BOOL(reviewed);
}

PG_FUNCTION_INFO_V1(orchestration_record_visible);

/*
 * orchestration_internal.record_visible(object orchestration.shared_object,
 *		record_id uuid) returns boolean
 *
 * Returns whether the caller sees the record; false if there is none.  Policy of rows
 * that belong to a record and do not have its owner (log, shares).  Reads the record, so
 * that a new owner changes the record alone.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_record_visible(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_current();
	SharedObject object = orch_access_object(PG_GETARG_OID(0));
	pg_uuid_t  *id = PG_GETARG_UUID_P(1);
	const LastVerdict *last;
	RecordAccess record;
	bool		visible;

	if (set->base[object] >= ACCESS_READ)
		PG_RETURN_BOOL(true);
	if (!set->is_user)
		PG_RETURN_BOOL(false);

	last = last_verdict(fcinfo, set, object, id);
	if (last != NULL && last->share_generation == orch_catalog_share_generation)
		PG_RETURN_BOOL(last->visible);

	visible = orch_access_read(object, id, &record);
	set = orch_access_current();		/* reading may have accepted invalidations */
	visible = visible && orch_access_level(set, &record) != ACCESS_NONE;
	keep_verdict(fcinfo, set, object, id, visible);
	PG_RETURN_BOOL(visible);
}

/*
 * The ids whose values in a map have one of the bits.
 */
static ArrayType *
ids_of_map(const UuidMap *map, int bits)
{
	pg_uuid_t  *ids = palloc_extended((Size) Max(map->count, 1) * sizeof(pg_uuid_t),
									  MCXT_ALLOC_HUGE);
	ArrayType  *array;
	uint32		i;
	int			n = 0;

	for (i = 0; i < map->size; i++)
		if ((map->values[i] & bits) != 0)
			ids[n++] = map->keys[i];
	array = orch_uuid_array(ids, n);
	pfree(ids);
	return array;
}

/*
 * The ids in a set by which the object's records are visible.
 */
static ArrayType *
visible_ids(AccessArm arm, SharedObject object)
{
	return ids_of_map(orch_access_arm(orch_access_current(), arm), ARM_BITS(arm, object));
}

PG_FUNCTION_INFO_V1(orchestration_visible_owner_ids);

/*
 * orchestration_internal.visible_owner_ids(object orchestration.shared_object)
 *		returns uuid[]
 *
 * Returns, for index conditions, the owners whose records of the object the caller sees.
 * If the caller sees all, returns every principal: a plan that was made for another role
 * must find all rows.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_visible_owner_ids(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_current();
	SharedObject object = orch_access_object(PG_GETARG_OID(0));
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	pg_uuid_t  *ids;
	int			size = 1024;
	int			n = 0;

	if (set->base[object] < ACCESS_READ)
		PG_RETURN_ARRAYTYPE_P(visible_ids(ARM_OWNER, object));

	ids = palloc(size * sizeof(pg_uuid_t));
	relation = table_open(orch_catalog_relation(RELATION_PRINCIPAL), AccessShareLock);
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		if (n >= size)
			ids = repalloc_huge(ids, (Size) (size *= 2) * sizeof(pg_uuid_t));
		ids[n++] = *DatumGetUUIDP(heap_getattr(tuple, Anum_principal_id,
											   RelationGetDescr(relation), &isnull));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	PG_RETURN_ARRAYTYPE_P(orch_uuid_array(ids, n));
}

PG_FUNCTION_INFO_V1(orchestration_shared_record_ids);

/*
 * orchestration_internal.shared_record_ids(object orchestration.shared_object)
 *		returns uuid[]
 *
 * Returns, for index conditions, the object's records that manual shares show the caller.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_shared_record_ids(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(visible_ids(ARM_RECORD, orch_access_object(PG_GETARG_OID(0))));
}

PG_FUNCTION_INFO_V1(orchestration_visible_orchestration_ids);

/*
 * orchestration_internal.visible_orchestration_ids(object orchestration.shared_object)
 *		returns uuid[]
 *
 * Returns, for index conditions, the orchestrations whose records of the object sharing
 * rules show the caller.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_visible_orchestration_ids(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(visible_ids(ARM_ORCHESTRATION, orch_access_object(PG_GETARG_OID(0))));
}

ArrayType *
orch_access_acting_ids(void)
{
	return visible_ids(ARM_ASSIGNEE, OBJECT_WORK_ITEM);
}

ArrayType *
orch_access_delegating_ids(void)
{
	return ids_of_map(orch_access_arm(orch_access_current(), ARM_REVIEWER),
					  REVIEWS_AS_DELEGATE);
}

PG_FUNCTION_INFO_V1(orchestration_reviewed_principal_ids);

/*
 * orchestration_internal.reviewed_principal_ids() returns uuid[]
 *
 * Returns, for index conditions, the assignees whose approvals the caller may answer for
 * them: users who named the caller, or one of the caller's groups or queues, as delegate,
 * with orchestration.managers_review the users below the caller, and their groups and queues.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_reviewed_principal_ids(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(visible_ids(ARM_REVIEWER, OBJECT_WORK_ITEM));
}

PG_FUNCTION_INFO_V1(orchestration_acting_principal_ids);

/*
 * orchestration.acting_principal_ids() returns uuid[]
 *
 * Returns the ids of the user that the session acts as, and of the groups and queues that
 * the user belongs to, directly or by way of other groups.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_acting_principal_ids(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(orch_access_acting_ids());
}

PG_FUNCTION_INFO_V1(orchestration_reviewed_submission_ids);

/*
 * orchestration_internal.reviewed_submission_ids() returns uuid[]
 *
 * Returns, for index conditions, the submissions of which a work item is or was assigned to
 * the caller, to a group or queue of the caller's, or to an assignee for whom the caller may
 * answer.  It is VOLATILE so that the planner does not execute it.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_reviewed_submission_ids(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_current();
	UuidMap		submissions;

	orch_uuid_map_init(&submissions, CurrentMemoryContext);
	if (set->is_user)
	{
		orch_access_find_reviewed(orch_access_arm(set, ARM_ASSIGNEE), &submissions);
		orch_access_find_reviewed(orch_access_arm(set, ARM_REVIEWER), &submissions);
	}
	PG_RETURN_ARRAYTYPE_P(ids_of_map(&submissions, 1));
}

PG_FUNCTION_INFO_V1(orchestration_unestimated);

/*
 * orchestration_internal.unestimated(ids uuid[]) returns uuid[]
 *
 * Returns its argument.  It is VOLATILE so that the planner does not look up each element
 * of a long array in the statistics; see access_support.c.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_unestimated(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
