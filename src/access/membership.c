/*-------------------------------------------------------------------------
 *
 * membership.c
 *	  The trigger on memberships: no group may belong to itself, directly or by way
 *	  of other groups.
 *
 * A group in a group takes the lock against circles (principal.h).  The search for a circle
 * uses a snapshot taken under the lock, so that a REPEATABLE READ transaction finds what
 * others committed meanwhile.  A user in a group, the usual case, takes no lock.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/membership.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "base/uuid_map.h"
#include "record/principal.h"

static bool belongs_to(const pg_uuid_t *group, const pg_uuid_t *member);
static HeapTuple fill_kind(HeapTuple row, TupleDesc desc);

PG_FUNCTION_INFO_V1(orchestration_guard_membership);

/*
 * orchestration_internal.guard_membership() returns trigger
 *
 * BEFORE INSERT OR UPDATE ROW of membership fills in the member's kind; AFTER INSERT ROW
 * looks for circles.
 * Raises: OR103 if the group or the member is not a principal of the right kind, OR006
 * for a circle, OR005 for an update, 39P01 if not called as such a trigger.
 * Source: reference.md, 2.7 (CIRCULAR_DEPENDENCY).
 */
Datum
orchestration_guard_membership(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	pg_uuid_t  *group;
	pg_uuid_t  *member;
	Oid			kind;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		RelationGetRelid(trigdata->tg_relation) != orch_catalog_relation(RELATION_MEMBERSHIP))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as a row trigger of its table",
						"guard_membership")));
	desc = RelationGetDescr(trigdata->tg_relation);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("a membership cannot be changed"),
				 errhint("Delete it and insert another.")));
	if (TRIGGER_FIRED_BEFORE(trigdata->tg_event))
		return PointerGetDatum(fill_kind(trigdata->tg_trigtuple, desc));

	kind = DatumGetObjectId(heap_getattr(trigdata->tg_trigtuple,
										 Anum_membership_member_kind, desc, &isnull));
	if (kind == orch_catalog_label_oid(ENUM_PRINCIPAL_KIND, PRINCIPAL_USER))
		return PointerGetDatum(NULL);

	group = DatumGetUUIDP(heap_getattr(trigdata->tg_trigtuple,
									   Anum_membership_group_id, desc, &isnull));
	member = DatumGetUUIDP(heap_getattr(trigdata->tg_trigtuple,
										Anum_membership_member_id, desc, &isnull));
	{
		SystemContext saved;

		orch_system_connect(&saved);
		orch_principal_lock_circles();
		orch_system_finish(&saved);
	}
	if (belongs_to(member, group))
	{
		Principal	group_principal;
		Principal	member_principal;

		if (orch_principal_get(group, &group_principal) &&
			orch_principal_get(member, &member_principal))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CIRCULAR_DEPENDENCY),
					 errmsg("\"%s\" cannot belong to \"%s\", which belongs to it",
							member_principal.name, group_principal.name),
					 errdetail("Groups in groups must not form a circle.")));
	}
	return PointerGetDatum(NULL);
}

/*
 * Fills in the member's kind, and checks group and member.
 */
static HeapTuple
fill_kind(HeapTuple row, TupleDesc desc)
{
	bool		group_isnull;
	bool		member_isnull;
	Datum		group_id = heap_getattr(row, Anum_membership_group_id, desc, &group_isnull);
	Datum		member_id = heap_getattr(row, Anum_membership_member_id, desc, &member_isnull);
	Principal	group;
	Principal	member;
	int			attnum = Anum_membership_member_kind;
	Datum		kind;
	bool		isnull = false;

	if (group_isnull || member_isnull)
		return row;				/* the columns are NOT NULL */
	if (orch_uuid_equal(DatumGetUUIDP(group_id), DatumGetUUIDP(member_id)))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CIRCULAR_DEPENDENCY),
				 errmsg("group %s cannot belong to itself",
						orch_uuid_text(DatumGetUUIDP(group_id)))));
	if (!orch_principal_get(DatumGetUUIDP(group_id), &group) ||
		group.kind == PRINCIPAL_USER)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("%s is no group or queue",
						orch_uuid_text(DatumGetUUIDP(group_id)))));
	if (!orch_principal_get(DatumGetUUIDP(member_id), &member) ||
		member.kind == PRINCIPAL_QUEUE)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("%s is no user or group, and cannot belong to one",
						orch_uuid_text(DatumGetUUIDP(member_id)))));
	kind = ObjectIdGetDatum(orch_catalog_label_oid(ENUM_PRINCIPAL_KIND, member.kind));
	return heap_modify_tuple_by_cols(row, desc, 1, &attnum, &kind, &isnull);
}

/*
 * Is a principal the group, or does it belong to it?  Searches upwards from the member.
 */
static bool
belongs_to(const pg_uuid_t *group, const pg_uuid_t *member)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "orchestration membership",
												  ALLOCSET_SMALL_SIZES);
	UuidMap		above;
	bool		found;

	orch_uuid_map_init(&above, context);
	orch_access_groups_above(member, &above);
	found = orch_uuid_map_get(&above, group) != 0;
	MemoryContextDelete(context);
	return found;
}
