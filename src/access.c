/*-------------------------------------------------------------------------
 *
 * access.c
 *	  What a person sees, kept in the session; the functions of the policies.
 *
 * Nothing is materialised per record.  A person's access is five small sets: the
 * principals he is (himself, his groups and queues), whose records he sees,
 * which orchestrations', which single records, and what he has to all of an
 * object.  A policy asks, row by row, whether a row's owner, orchestration or id
 * is in them.  So a rule over a million records is one row, and takes effect at
 * once.
 *
 * The sets of the last few persons stay in memory until one of the tables
 * changes that they are made of: each has a statement trigger that sends a
 * relcache invalidation (catalog.c), own changes arrive with the next command,
 * those of others at their commit.  A function of a policy takes in waiting
 * invalidations before it answers: locks that a transaction holds already would
 * not, and a statement that waited for a row must not hand out what was written
 * after the right was taken away.  As with REVOKE there is no instant between a
 * commit's becoming visible and its invalidations being sent that a reader could
 * not fall into; once COMMIT has returned, the change is everywhere.
 *
 * Tables are read by plain index scans with a snapshot of now, not the
 * statement's: otherwise an old snapshot (REPEATABLE READ) would fill the cache
 * with rights that were taken away since, and leave them there.  Such scans also
 * work in parallel workers, and in the middle of a statement; SPI would not.
 * Sets are filled in stages, only as far as somebody asks, and a stage counts as
 * filled after its last row: an error in between leaves nothing behind.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "access.h"
#include "catalog.h"
#include "principal.h"
#include "uuid.h"

/* Persons kept at once; a gateway comes back to the same ones. */
#define MAX_SETS 16

static AccessSet sets[MAX_SETS];
static uint64 use_counter = 0;

/* A superuser, or a role that row security does not apply to. */
static AccessSet unlimited;

/* No user of ours. */
static AccessSet nobody;

/* Whom the functions of the policies found last. */
static AccessSet *current = NULL;
static Oid	current_role = InvalidOid;
static uint64 current_identity = 0;

/* An index scan that is begun again for each key. */
typedef struct KeyScan
{
	Relation	relation;
	Oid			index;
	AttrNumber	attnum;
	Snapshot	snapshot;
	SysScanDesc scan;
} KeyScan;

/* What record_visible() said last in this statement. */
typedef struct LastVerdict
{
	const AccessSet *set;
	uint64		generation;
	uint64		share_generation;
	SharedObject object;
	pg_uuid_t	id;
	bool		visible;
} LastVerdict;

/* Uuids still to be looked at. */
typedef struct WorkList
{
	pg_uuid_t  *ids;
	int			count;
	int			size;
} WorkList;

static AccessSet *establish(Oid role);
static AccessSet *get_set(const pg_uuid_t *user_id, int permissions);
static void forget_set(AccessSet *set);
static void read_defaults(AccessSet *set);
static void fill_groups(AccessSet *set);
static void fill_rules(AccessSet *set);
static void spread_over_members(AccessSet *set, UuidMap *sources, WorkList *list);
static void fill_shares(AccessSet *set);
static void key_scan_open(KeyScan *scan, OrchRelation relation,
						  OrchRelation index, AttrNumber attnum, Snapshot snapshot);
static void key_scan_begin(KeyScan *scan, const pg_uuid_t *key);
static HeapTuple key_scan_next(KeyScan *scan);
static void key_scan_end(KeyScan *scan);
static void key_scan_close(KeyScan *scan);
static void work_list_add(WorkList *list, const pg_uuid_t *id);

/* ---------------------------------------------------------------- persons */

/*
 * Who the current role is, as the policies see it.
 */
static inline AccessSet *
access_current(void)
{
	AcceptInvalidationMessages();
	if (likely(current != NULL &&
			   current->generation == orch_catalog_sharing_generation &&
			   current_identity == orch_principal_identity &&
			   current_role == GetUserId()))
		return current;
	return establish(GetUserId());
}

static AccessSet *
establish(Oid role)
{
	uint64		identity = orch_principal_identity;
	AccessSet  *set = orch_access_of_role(role);

	current = set;
	current_role = role;
	current_identity = identity;
	return set;
}

/*
 * Who a role is: the user that orchestration.user_id names or that is mapped to
 * it; where neither is so, unlimited if row security does not apply to it.
 */
AccessSet *
orch_access_of_role(Oid role)
{
	const Principal *principal;

	AcceptInvalidationMessages();
	if ((orch_user_id == NULL || orch_user_id[0] == '\0') &&
		has_bypassrls_privilege(role))
	{
		int			object;

		for (object = 0; object < NUM_OBJECTS; object++)
			unlimited.base[object] = ACCESS_ALL;
		unlimited.permissions = PERMISSION_ALL;
		unlimited.generation = orch_catalog_sharing_generation;
		return &unlimited;
	}
	principal = orch_principal_acting(role);
	if (principal == NULL)
	{
		nobody.generation = orch_catalog_sharing_generation;
		return &nobody;
	}
	return get_set(&principal->id, principal->permissions);
}

/*
 * What somebody else has; nobody if it is no active user.
 */
AccessSet *
orch_access_of_user(const pg_uuid_t *user_id)
{
	Principal	principal;

	AcceptInvalidationMessages();
	if (!orch_principal_scan(INDEX_PRINCIPAL_ID, Anum_principal_id, F_UUID_EQ,
							 UUIDPGetDatum(user_id), &principal) ||
		principal.kind != PRINCIPAL_USER || !principal.is_active)
	{
		nobody.generation = orch_catalog_sharing_generation;
		return &nobody;
	}
	return get_set(&principal.id, principal.permissions);
}

bool
orch_access_is_unlimited(const AccessSet *set)
{
	return set == &unlimited;
}

/*
 * The set of an active user: one that is kept and still right, or a new one.
 */
static AccessSet *
get_set(const pg_uuid_t *user_id, int permissions)
{
	AccessSet  *set = NULL;
	AccessSet  *oldest = &sets[0];
	int			i;

	for (i = 0; i < MAX_SETS; i++)
	{
		if (sets[i].in_use && orch_uuid_equal(&sets[i].user_id, user_id))
		{
			set = &sets[i];
			break;
		}
		if (!sets[i].in_use || (oldest->in_use && sets[i].last_used < oldest->last_used))
			oldest = &sets[i];
	}
	if (set == NULL || set->generation != orch_catalog_sharing_generation)
	{
		if (set == NULL)
			set = oldest;
		forget_set(set);
		set->user_id = *user_id;
		set->permissions = permissions;
		/* before it reads: what arrives meanwhile makes it stale */
		set->generation = orch_catalog_sharing_generation;
		read_defaults(set);
		set->is_user = true;
		set->in_use = true;
	}
	set->last_used = ++use_counter;
	return set;
}

static void
forget_set(AccessSet *set)
{
	if (current == set)
		current = NULL;
	if (set->context != NULL)
		MemoryContextDelete(set->context);
	memset(set, 0, sizeof(*set));
	set->context = AllocSetContextCreate(TopMemoryContext,
										 "orchestration access",
										 ALLOCSET_DEFAULT_SIZES);
}

/*
 * One of the sets, filled.
 */
UuidMap *
orch_access_arm(AccessSet *set, AccessArm arm)
{
	if (!set->is_user)
		return arm == ARM_OWNER ? &set->owners :
			arm == ARM_RECORD ? &set->shares :
			arm == ARM_ORCHESTRATION ? &set->orchestrations : &set->principals;

	switch (arm)
	{
		case ARM_OWNER:
			if (!set->has_rules)
				fill_rules(set);
			return &set->owners;
		case ARM_ORCHESTRATION:
			if (!set->has_rules)
				fill_rules(set);
			return &set->orchestrations;
		case ARM_RECORD:
			if (set->share_generation != orch_catalog_share_generation)
				fill_shares(set);
			return &set->shares;
		case ARM_ASSIGNEE:
			if (!set->has_groups)
				fill_groups(set);
			return &set->principals;
	}
	return NULL;				/* keep compiler quiet */
}

/*
 * The level that somebody has to a record: the highest of all grants.
 */
AccessLevel
orch_access_level(AccessSet *set, const RecordAccess *record)
{
	SharedObject object = record->object;
	AccessLevel level = set->base[object];

	if (!set->is_user || level == ACCESS_ALL)
		return level;
	level = Max(level, PACKED_LEVEL(orch_uuid_map_get(orch_access_arm(set, ARM_OWNER),
													  &record->owner_id), object));
	if (record->has_orchestration)
		level = Max(level, PACKED_LEVEL(orch_uuid_map_get(orch_access_arm(set, ARM_ORCHESTRATION),
														  &record->orchestration_id), object));
	level = Max(level, PACKED_LEVEL(orch_uuid_map_get(orch_access_arm(set, ARM_RECORD),
													  &record->id), object));
	if (record->has_assignee && level < ACCESS_READ &&
		orch_uuid_map_get(orch_access_arm(set, ARM_ASSIGNEE), &record->assignee_id) != 0)
		level = ACCESS_READ;
	return level;
}

/* ---------------------------------------------------------------- filling */

/*
 * What he has to all records: by permission, or by default.
 */
static void
read_defaults(AccessSet *set)
{
	Relation	relation;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			object;

	if (set->permissions & PERMISSION_MODIFY_ALL_DATA)
	{
		set->permissions |= PERMISSION_ALL;
		for (object = 0; object < NUM_OBJECTS; object++)
			set->base[object] = ACCESS_ALL;
		return;
	}
	relation = table_open(orch_catalog_relation(RELATION_DEFAULT_ACCESS),
						  AccessShareLock);
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		TupleDesc	desc = RelationGetDescr(relation);
		bool		isnull;
		Datum		label = heap_getattr(tuple, Anum_default_access_object, desc, &isnull);
		Datum		model = heap_getattr(tuple, Anum_default_access_sharing_model, desc, &isnull);

		/* Private, Read, ReadWrite are none, Read, Edit */
		object = orch_catalog_label_value(ENUM_SHARED_OBJECT, DatumGetObjectId(label));
		set->base[object] = (AccessLevel)
			orch_catalog_label_value(ENUM_SHARING_MODEL, DatumGetObjectId(model));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);

	if (set->permissions & PERMISSION_VIEW_ALL_DATA)
		for (object = 0; object < NUM_OBJECTS; object++)
			set->base[object] = Max(set->base[object], ACCESS_READ);
}

/*
 * He himself and every group and queue that he belongs to, also by way of
 * another group.
 */
static void
fill_groups(AccessSet *set)
{
	Snapshot	snapshot;
	WorkList	list = {NULL, 0, 0};
	KeyScan		scan;
	UuidMap		principals;

	orch_uuid_map_init(&principals, set->context);
	*orch_uuid_map_enter(&principals, &set->user_id) = 1;
	work_list_add(&list, &set->user_id);

	snapshot = RegisterSnapshot(GetCatalogSnapshot(orch_catalog_relation(RELATION_MEMBERSHIP)));
	key_scan_open(&scan, RELATION_MEMBERSHIP, INDEX_MEMBERSHIP_MEMBER,
				  Anum_membership_member_id, snapshot);
	while (list.count > 0)
	{
		pg_uuid_t	member = list.ids[--list.count];
		HeapTuple	tuple;

		CHECK_FOR_INTERRUPTS();
		key_scan_begin(&scan, &member);
		while ((tuple = key_scan_next(&scan)) != NULL)
		{
			bool		isnull;
			pg_uuid_t  *group = DatumGetUUIDP(heap_getattr(tuple, Anum_membership_group_id,
														   RelationGetDescr(scan.relation), &isnull));
			uint8	   *value = orch_uuid_map_enter(&principals, group);

			if (*value == 0)
			{
				*value = 1;
				work_list_add(&list, group);
			}
		}
		key_scan_end(&scan);
	}
	key_scan_close(&scan);
	UnregisterSnapshot(snapshot);
	if (list.ids != NULL)
		pfree(list.ids);
	set->principals = principals;
	set->has_groups = true;
}

/*
 * Whose records, and which orchestrations', he sees: he himself his own, and
 * what the rules give that name one of his principals.
 */
static void
fill_rules(AccessSet *set)
{
	UuidMap    *principals = orch_access_arm(set, ARM_ASSIGNEE);
	UuidMap		owners;
	UuidMap		orchestrations;
	UuidMap		sources;
	MemoryContext temporary = AllocSetContextCreate(CurrentMemoryContext,
													"orchestration access rules",
													ALLOCSET_DEFAULT_SIZES);
	WorkList	list = {NULL, 0, 0};
	KeyScan		scan;
	Snapshot	snapshot;
	uint8		own = 0;
	uint32		i;
	int			object;

	orch_uuid_map_init(&owners, set->context);
	orch_uuid_map_init(&orchestrations, set->context);
	orch_uuid_map_init(&sources, temporary);

	snapshot = RegisterSnapshot(GetCatalogSnapshot(orch_catalog_relation(RELATION_OWNER_SHARING_RULE)));
	key_scan_open(&scan, RELATION_OWNER_SHARING_RULE, INDEX_OWNER_SHARING_RULE_TARGET,
				  Anum_owner_sharing_rule_user_or_group_id, snapshot);
	for (i = 0; i < principals->size; i++)
	{
		HeapTuple	tuple;

		if (principals->values[i] == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		key_scan_begin(&scan, &principals->keys[i]);
		while ((tuple = key_scan_next(&scan)) != NULL)
		{
			TupleDesc	desc = RelationGetDescr(scan.relation);
			bool		isnull;
			Datum		source;
			uint8	   *value;
			int			level;

			object = orch_catalog_label_value(ENUM_SHARED_OBJECT,
											  DatumGetObjectId(heap_getattr(tuple, Anum_owner_sharing_rule_object,
																			desc, &isnull)));
			level = ACCESS_READ +
				orch_catalog_label_value(ENUM_ACCESS_LEVEL,
										 DatumGetObjectId(heap_getattr(tuple, Anum_owner_sharing_rule_access_level,
																	   desc, &isnull)));
			if (level <= (int) set->base[object])
				continue;
			source = heap_getattr(tuple, Anum_owner_sharing_rule_group_id, desc, &isnull);
			if (!isnull)
			{
				value = orch_uuid_map_enter(&sources, DatumGetUUIDP(source));
				if (*value == 0)
					work_list_add(&list, DatumGetUUIDP(source));
			}
			else
			{
				source = heap_getattr(tuple, Anum_owner_sharing_rule_orchestration_id,
									  desc, &isnull);
				value = orch_uuid_map_enter(&orchestrations, DatumGetUUIDP(source));
			}
			if (level > (int) PACKED_LEVEL(*value, object))
				*value = (*value & ~(3 << (2 * object))) | (level << (2 * object));
		}
		key_scan_end(&scan);
	}
	key_scan_close(&scan);
	UnregisterSnapshot(snapshot);

	for (object = 0; object < NUM_OBJECTS; object++)
		own |= ACCESS_ALL << (2 * object);
	set->owners = owners;
	*orch_uuid_map_enter(&set->owners, &set->user_id) = own;
	set->orchestrations = orchestrations;
	spread_over_members(set, &sources, &list);
	MemoryContextDelete(temporary);
	if (list.ids != NULL)
		pfree(list.ids);
	set->has_rules = true;
}

/* The higher level of each object. */
static inline uint8
packed_max(uint8 a, uint8 b)
{
	uint8		result = 0;
	int			object;

	for (object = 0; object < NUM_OBJECTS; object++)
		result |= Max(PACKED_LEVEL(a, object), PACKED_LEVEL(b, object)) << (2 * object);
	return result;
}

/*
 * From groups to the users in them.  A group gets the levels of those that it is
 * in; it is looked at again when they rose.
 */
static void
spread_over_members(AccessSet *set, UuidMap *sources, WorkList *list)
{
	Oid			user_label = orch_catalog_label_oid(ENUM_PRINCIPAL_KIND, PRINCIPAL_USER);
	KeyScan		scan;
	Snapshot	snapshot;

	snapshot = RegisterSnapshot(GetCatalogSnapshot(orch_catalog_relation(RELATION_MEMBERSHIP)));
	key_scan_open(&scan, RELATION_MEMBERSHIP, INDEX_MEMBERSHIP_GROUP,
				  Anum_membership_group_id, snapshot);
	while (list->count > 0)
	{
		pg_uuid_t	group = list->ids[--list->count];
		uint8		levels = orch_uuid_map_get(sources, &group);
		HeapTuple	tuple;

		CHECK_FOR_INTERRUPTS();
		key_scan_begin(&scan, &group);
		while ((tuple = key_scan_next(&scan)) != NULL)
		{
			TupleDesc	desc = RelationGetDescr(scan.relation);
			bool		isnull;
			pg_uuid_t  *member = DatumGetUUIDP(heap_getattr(tuple, Anum_membership_member_id,
															desc, &isnull));
			Oid			kind = DatumGetObjectId(heap_getattr(tuple, Anum_membership_member_kind,
															 desc, &isnull));
			bool		is_user = kind == user_label;
			uint8	   *value = orch_uuid_map_enter(is_user ? &set->owners : sources,
													member);
			uint8		raised = packed_max(*value, levels);

			if (raised != *value && !is_user)
				work_list_add(list, member);
			*value = raised;
		}
		key_scan_end(&scan);
	}
	key_scan_close(&scan);
	UnregisterSnapshot(snapshot);
}

/*
 * The single records that were shared with one of his principals.
 */
static void
fill_shares(AccessSet *set)
{
	UuidMap    *principals = orch_access_arm(set, ARM_ASSIGNEE);
	uint64		generation = orch_catalog_share_generation;
	MemoryContext context;
	UuidMap		shares;
	KeyScan		scan;
	Snapshot	snapshot;
	uint32		i;

	/* its own memory: shares come and go more often than the rest */
	set->share_generation = 0;
	if (set->share_context != NULL)
		MemoryContextDelete(set->share_context);
	set->share_context = NULL;
	memset(&set->shares, 0, sizeof(set->shares));
	context = AllocSetContextCreate(set->context, "orchestration shares",
									ALLOCSET_SMALL_SIZES);
	set->share_context = context;
	orch_uuid_map_init(&shares, context);

	snapshot = RegisterSnapshot(GetCatalogSnapshot(orch_catalog_relation(RELATION_SHARE_GRANT)));
	key_scan_open(&scan, RELATION_SHARE_GRANT, INDEX_SHARE_GRANT_TARGET,
				  Anum_share_grant_user_or_group_id, snapshot);
	for (i = 0; i < principals->size; i++)
	{
		HeapTuple	tuple;

		if (principals->values[i] == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		key_scan_begin(&scan, &principals->keys[i]);
		while ((tuple = key_scan_next(&scan)) != NULL)
		{
			TupleDesc	desc = RelationGetDescr(scan.relation);
			bool		isnull;
			int			object;
			int			level;
			uint8	   *value;

			object = orch_catalog_label_value(ENUM_SHARED_OBJECT,
											  DatumGetObjectId(heap_getattr(tuple, Anum_share_grant_object,
																			desc, &isnull)));
			level = ACCESS_READ +
				orch_catalog_label_value(ENUM_ACCESS_LEVEL,
										 DatumGetObjectId(heap_getattr(tuple, Anum_share_grant_access_level,
																	   desc, &isnull)));
			value = orch_uuid_map_enter(&shares,
										DatumGetUUIDP(heap_getattr(tuple, Anum_share_grant_record_id,
																   desc, &isnull)));
			if (level > (int) PACKED_LEVEL(*value, object))
				*value = (*value & ~(3 << (2 * object))) | (level << (2 * object));
		}
		key_scan_end(&scan);
	}
	key_scan_close(&scan);
	UnregisterSnapshot(snapshot);
	set->shares = shares;
	set->share_generation = generation;
}

static void
key_scan_open(KeyScan *scan, OrchRelation relation, OrchRelation index,
			  AttrNumber attnum, Snapshot snapshot)
{
	scan->relation = table_open(orch_catalog_relation(relation), AccessShareLock);
	scan->index = orch_catalog_relation(index);
	scan->attnum = attnum;
	scan->snapshot = snapshot;
	scan->scan = NULL;
}

static void
key_scan_begin(KeyScan *scan, const pg_uuid_t *key)
{
	ScanKeyData scankey;

	ScanKeyInit(&scankey, scan->attnum, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(key));
	scan->scan = systable_beginscan(scan->relation, scan->index, true,
									scan->snapshot, 1, &scankey);
}

static HeapTuple
key_scan_next(KeyScan *scan)
{
	HeapTuple	tuple = systable_getnext(scan->scan);

	return HeapTupleIsValid(tuple) ? tuple : NULL;
}

static void
key_scan_end(KeyScan *scan)
{
	systable_endscan(scan->scan);
}

static void
key_scan_close(KeyScan *scan)
{
	table_close(scan->relation, AccessShareLock);
}

static void
work_list_add(WorkList *list, const pg_uuid_t *id)
{
	if (list->count >= list->size)
	{
		list->size = Max(64, list->size * 2);
		list->ids = list->ids == NULL ?
			palloc(list->size * sizeof(pg_uuid_t)) :
			repalloc_huge(list->ids, (Size) list->size * sizeof(pg_uuid_t));
	}
	list->ids[list->count++] = *id;
}

/* --------------------------------------------------------------- policies */

/*
 * From the OID of an object's label; a policy always asks for the same.
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
 * The active user that the session acts as, null: none.
 */
Datum
orchestration_acting_user_id(PG_FUNCTION_ARGS)
{
	const Principal *principal;
	pg_uuid_t  *id;

	AcceptInvalidationMessages();
	principal = orch_principal_acting(GetUserId());
	if (principal == NULL)
		PG_RETURN_NULL();
	id = palloc(sizeof(pg_uuid_t));
	*id = principal->id;
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(orchestration_is_user);

/*
 * orchestration.is_user() returns boolean
 *
 * Policy of what every active user may read.
 */
Datum
orchestration_is_user(PG_FUNCTION_ARGS)
{
	AccessSet  *set = access_current();

	PG_RETURN_BOOL(set->is_user || set == &unlimited);
}

PG_FUNCTION_INFO_V1(orchestration_sees_sharing);

/*
 * orchestration.sees_sharing() returns boolean
 *
 * Policy of the sharing rules: View All Data.
 */
Datum
orchestration_sees_sharing(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((access_current()->permissions & PERMISSION_VIEW_ALL_DATA) != 0);
}

PG_FUNCTION_INFO_V1(orchestration_owner_visible);

/*
 * orchestration.owner_visible(object orchestration.shared_object,
 *		owner_id uuid) returns boolean
 *
 * Whether the caller sees the object's records of this owner; true for all where
 * he sees all.  Called for each row by the policies, first of the arms.
 */
Datum
orchestration_owner_visible(PG_FUNCTION_ARGS)
{
	AccessSet  *set = access_current();
	SharedObject object = orch_access_object(PG_GETARG_OID(0));

	if (set->base[object] >= ACCESS_READ)
		PG_RETURN_BOOL(true);
	if (!set->is_user)
		PG_RETURN_BOOL(false);
	if (unlikely(!set->has_rules))
		fill_rules(set);
	PG_RETURN_BOOL(PACKED_LEVEL(orch_uuid_map_get(&set->owners, PG_GETARG_UUID_P(1)),
								object) != ACCESS_NONE);
}

/*
 * The other arms: is the id in the set?  Where he sees all, the first arm said so.
 */
static inline Datum
arm_visible(FunctionCallInfo fcinfo, AccessArm arm)
{
	AccessSet  *set = access_current();
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
 * orchestration.record_shared(object orchestration.shared_object,
 *		record_id uuid) returns boolean
 *
 * Whether the record is shared with the caller by a manual share; true for all
 * where he sees all.
 */
Datum
orchestration_record_shared(PG_FUNCTION_ARGS)
{
	return arm_visible(fcinfo, ARM_RECORD);
}

PG_FUNCTION_INFO_V1(orchestration_orchestration_visible);

/*
 * orchestration.orchestration_visible(object orchestration.shared_object,
 *		orchestration_id uuid) returns boolean
 *
 * Whether a sharing rule shows the caller the object's records of runs of this
 * orchestration; true for all where he sees all.
 */
Datum
orchestration_orchestration_visible(PG_FUNCTION_ARGS)
{
	return arm_visible(fcinfo, ARM_ORCHESTRATION);
}

PG_FUNCTION_INFO_V1(orchestration_assignee_visible);

/*
 * orchestration.assignee_visible(assignee_id uuid) returns boolean
 *
 * Whether work items of this assignee are the caller's own: it is he, or a group
 * or queue that he belongs to; true for all where he sees all work items.
 */
Datum
orchestration_assignee_visible(PG_FUNCTION_ARGS)
{
	AccessSet  *set = access_current();

	if (set->base[OBJECT_WORK_ITEM] >= ACCESS_READ)
		PG_RETURN_BOOL(true);
	if (!set->is_user)
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(orch_uuid_map_get(orch_access_arm(set, ARM_ASSIGNEE),
									 PG_GETARG_UUID_P(0)) != 0);
}

PG_FUNCTION_INFO_V1(orchestration_record_visible);

/*
 * orchestration.record_visible(object orchestration.shared_object,
 *		record_id uuid) returns boolean
 *
 * Whether the caller sees the record: policy of what hangs on records without
 * having their owner (log, shares).  Reads the record, so that what follows it
 * need not be changed with it; false when there is none.
 */
Datum
orchestration_record_visible(PG_FUNCTION_ARGS)
{
	AccessSet  *set = access_current();
	SharedObject object = orch_access_object(PG_GETARG_OID(0));
	pg_uuid_t  *id = PG_GETARG_UUID_P(1);
	LastVerdict *last = (LastVerdict *) fcinfo->flinfo->fn_extra;
	RecordAccess record;
	bool		visible;

	if (set->base[object] >= ACCESS_READ)
		PG_RETURN_BOOL(true);
	if (!set->is_user)
		PG_RETURN_BOOL(false);

	/* rows of one record mostly come together */
	if (last != NULL && last->set == set &&
		last->generation == orch_catalog_sharing_generation &&
		last->share_generation == orch_catalog_share_generation &&
		last->object == object && orch_uuid_equal(&last->id, id))
		PG_RETURN_BOOL(last->visible);

	visible = orch_access_read(object, id, &record);
	set = access_current();		/* reading may have taken in invalidations */
	visible = visible && orch_access_level(set, &record) != ACCESS_NONE;

	if (last == NULL)
		fcinfo->flinfo->fn_extra = last =
			MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(LastVerdict));
	last->set = set;
	last->generation = set->generation;
	last->share_generation = set->share_generation;
	last->object = object;
	last->id = *id;
	last->visible = visible;
	PG_RETURN_BOOL(visible);
}

/*
 * The ids in a set by which the object's records are visible.
 */
static ArrayType *
visible_ids(AccessArm arm, SharedObject object)
{
	AccessSet  *set = access_current();
	UuidMap    *map;
	pg_uuid_t  *ids;
	ArrayType  *array;
	uint32		i;
	int			n = 0;

	map = orch_access_arm(set, arm);
	ids = palloc(Max(map->count, 1) * sizeof(pg_uuid_t));
	for (i = 0; i < map->size; i++)
	{
		if (map->values[i] == 0 ||
			(arm != ARM_ASSIGNEE && PACKED_LEVEL(map->values[i], object) == ACCESS_NONE))
			continue;
		ids[n++] = map->keys[i];
	}
	array = orch_uuid_array(ids, n);
	pfree(ids);
	return array;
}

PG_FUNCTION_INFO_V1(orchestration_visible_owner_ids);

/*
 * orchestration.visible_owner_ids(object orchestration.shared_object)
 *		returns uuid[]
 *
 * For index conditions: the owners whose records the caller sees.  Where he sees
 * all, every principal: a plan made for somebody else must find everything.
 */
Datum
orchestration_visible_owner_ids(PG_FUNCTION_ARGS)
{
	AccessSet  *set = access_current();
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
 * orchestration.shared_record_ids(object orchestration.shared_object)
 *		returns uuid[]
 *
 * For index conditions: the records that are shared with the caller by manual
 * shares.
 */
Datum
orchestration_shared_record_ids(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(visible_ids(ARM_RECORD, orch_access_object(PG_GETARG_OID(0))));
}

PG_FUNCTION_INFO_V1(orchestration_visible_orchestration_ids);

/*
 * orchestration.visible_orchestration_ids(object orchestration.shared_object)
 *		returns uuid[]
 *
 * For index conditions: the orchestrations whose records rules show the caller.
 */
Datum
orchestration_visible_orchestration_ids(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(visible_ids(ARM_ORCHESTRATION, orch_access_object(PG_GETARG_OID(0))));
}

PG_FUNCTION_INFO_V1(orchestration_acting_principal_ids);

/*
 * orchestration.acting_principal_ids() returns uuid[]
 *
 * The user that the session acts as, and the groups and queues that he belongs
 * to, directly or by way of a group.
 */
Datum
orchestration_acting_principal_ids(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(visible_ids(ARM_ASSIGNEE, OBJECT_WORK_ITEM));
}

PG_FUNCTION_INFO_V1(orchestration_unestimated);

/*
 * orchestration.unestimated(ids uuid[]) returns uuid[]
 *
 * The same array.  VOLATILE, so that the planner does not look each element of a
 * long one up in the statistics; see access_support.c.
 */
Datum
orchestration_unestimated(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
