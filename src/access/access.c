/*-------------------------------------------------------------------------
 *
 * access.c
 *	  The access of users, kept in the session.
 *
 * No access is stored per record.  A user's access is five small things: the user's
 * principals (the user itself, its groups and queues), the owners whose records the
 * user sees, the orchestrations whose records, the single records, and the level to
 * all records of an object.  A policy asks for each row whether its owner,
 * orchestration or id is in the sets.  So a sharing rule over a million records is one
 * row, and takes effect at once.
 *
 * The sets of the last MAX_SETS users stay in memory until one of the tables that they
 * come from changes.  Each of these tables has a trigger that sends a relcache
 * invalidation (catalog.c).  The session sees its own changes with the next command,
 * those of other sessions when they commit.  The functions of the policies accept
 * pending invalidations before they answer.  Locking a table accepts them only when the
 * lock is new to the transaction; a statement that waited for a row must not return
 * values written after the access was revoked.  As with REVOKE, there is an instant
 * in which a commit is visible and its invalidations are not sent yet; after COMMIT has
 * returned, the change is in force everywhere.
 *
 * The tables are read by index scans with a catalog snapshot, not with that of the
 * statement.  An old snapshot (REPEATABLE READ) would fill the cache with access that
 * has been revoked since.  Such scans also work in parallel workers and in the middle
 * of a statement, where SPI does not.  The sets are filled one by one, when they are
 * needed.  A set counts as filled after its last row, so that an error in between
 * leaves nothing behind.
 *
 * A sixth set is for approvals: the assignees for whom the user may answer, because a user
 * among them named the user as delegate, or is below the user.  No chain of delegation is
 * followed.  A delegation can end without any change of a table, so the set is valid until
 * the first of them ends.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access.c
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
#include "utils/timestamp.h"

#include "access/access.h"
#include "access/access_int.h"
#include "base/catalog.h"
#include "base/uuid.h"
#include "record/principal.h"

/* Users kept at once; a gateway serves the same ones again and again. */
#define MAX_SETS 16

static AccessSet sets[MAX_SETS];
static uint64 use_counter = 0;

/* A role to which row security does not apply. */
static AccessSet unlimited;

/* A role that acts as no active user. */
static AccessSet nobody;

bool		orch_managers_review = false;

AccessSet  *orch_access_kept = NULL;
Oid			orch_access_kept_role = InvalidOid;
uint64		orch_access_kept_identity = 0;

/* An index scan that is started again for each key. */
typedef struct KeyScan
{
	Relation	relation;
	Oid			index;
	AttrNumber	attnum;
	Snapshot	snapshot;
	SysScanDesc scan;
} KeyScan;

/* Principals whose memberships are still to be read. */
typedef struct WorkList
{
	pg_uuid_t  *ids;
	int			count;
	int			size;
} WorkList;

static AccessSet *get_set(const pg_uuid_t *user_id, int permissions);
static void forget_set(AccessSet *set);
static void read_defaults(AccessSet *set);
static void fill_groups(AccessSet *set);
static void walk_up(UuidMap *principals, WorkList *list);
static void fill_rules(AccessSet *set);
static void spread_over_members(AccessSet *set, UuidMap *sources, WorkList *list);
static void fill_shares(AccessSet *set);
static void fill_reviewers(AccessSet *set);
static void find_delegating(const UuidMap *principals, WorkList *users,
							TimestampTz *until);
static void find_managed(const pg_uuid_t *user_id, WorkList *users);
static void key_scan_open(KeyScan *scan, OrchRelation relation,
						  OrchRelation index, AttrNumber attnum, Snapshot snapshot);
static void key_scan_begin(KeyScan *scan, const pg_uuid_t *key);
static HeapTuple key_scan_next(KeyScan *scan);
static void key_scan_end(KeyScan *scan);
static void key_scan_close(KeyScan *scan);
static void work_list_add(WorkList *list, const pg_uuid_t *id);

/* ------------------------------------------------------------------ users */

/*
 * The set of a role, kept for orch_access_current().
 */
AccessSet *
orch_access_establish(Oid role)
{
	uint64		identity = orch_principal_identity;
	AccessSet  *set = orch_access_of_role(role);

	orch_access_kept = set;
	orch_access_kept_role = role;
	orch_access_kept_identity = identity;
	return set;
}

/*
 * A role acts as the user that orchestration.user_id names, else as the user that is
 * mapped to it.  A role to which row security does not apply is unlimited, unless
 * orchestration.user_id is set.
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
 * The set of an active user: the one in memory if it is still valid, or a new one.
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
		/* before reading: an invalidation that arrives meanwhile makes it stale */
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
	if (orch_access_kept == set)
		orch_access_kept = NULL;
	if (set->context != NULL)
		MemoryContextDelete(set->context);
	memset(set, 0, sizeof(*set));
	set->context = AllocSetContextCreate(TopMemoryContext,
										 "orchestration access",
										 ALLOCSET_DEFAULT_SIZES);
}

UuidMap *
orch_access_arm(AccessSet *set, AccessArm arm)
{
	if (!set->is_user)
		return arm == ARM_OWNER ? &set->owners :
			arm == ARM_RECORD ? &set->shares :
			arm == ARM_ORCHESTRATION ? &set->orchestrations :
			arm == ARM_REVIEWER ? &set->reviewers : &set->principals;

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
		case ARM_REVIEWER:
			if (!orch_access_reviewers_hold(set))
				fill_reviewers(set);
			return &set->reviewers;
	}
	return NULL;				/* keep compiler quiet */
}

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
													  &record->share_id), object));
	if (record->has_assignee && level < ACCESS_READ &&
		(orch_uuid_map_get(orch_access_arm(set, ARM_ASSIGNEE), &record->assignee_id) != 0 ||
		 (record->is_approval &&
		  orch_uuid_map_get(orch_access_arm(set, ARM_REVIEWER), &record->assignee_id) != 0)))
		level = ACCESS_READ;
	if (level < ACCESS_READ &&
		(object == OBJECT_APPROVAL_SUBMISSION || object == OBJECT_APPROVAL_WORK_ITEM) &&
		orch_access_reviews(set, &record->share_id))
		level = ACCESS_READ;
	return level;
}

bool
orch_access_reviews(AccessSet *set, const pg_uuid_t *submission_id)
{
	return orch_access_was_asked(orch_access_arm(set, ARM_ASSIGNEE),
								 orch_access_arm(set, ARM_REVIEWER), submission_id);
}

/* ---------------------------------------------------------------- filling */

/*
 * The value of an enum column that is not null.
 */
static int
enum_column(HeapTuple tuple, TupleDesc desc, EnumType type, AttrNumber attnum)
{
	bool		isnull;

	return orch_catalog_label_value(type, DatumGetObjectId(heap_getattr(tuple, attnum,
																		desc, &isnull)));
}

/*
 * Raise the level to one object among those that are packed in a value; that to an approval
 * submission is that to its work items.
 */
static inline void
raise_level(uint16 *value, int object, int level)
{
	int			last = object == OBJECT_APPROVAL_SUBMISSION ? OBJECT_APPROVAL_WORK_ITEM : object;

	for (; object <= last; object++)
		if (level > (int) PACKED_LEVEL(*value, object))
			*value = (*value & ~(3 << (2 * object))) | (level << (2 * object));
}

/*
 * The level to all records of each object: by permission, or by default.
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

		/* Private, Read, ReadWrite are none, Read, Edit */
		object = enum_column(tuple, desc, ENUM_SHARED_OBJECT, Anum_default_access_object);
		set->base[object] = (AccessLevel) enum_column(tuple, desc, ENUM_SHARING_MODEL,
													  Anum_default_access_sharing_model);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	set->base[OBJECT_APPROVAL_WORK_ITEM] = set->base[OBJECT_APPROVAL_SUBMISSION];

	if (set->permissions & PERMISSION_VIEW_ALL_DATA)
		for (object = 0; object < NUM_OBJECTS; object++)
			set->base[object] = Max(set->base[object], ACCESS_READ);
}

static void
fill_groups(AccessSet *set)
{
	UuidMap		principals;

	orch_uuid_map_init(&principals, set->context);
	orch_access_groups_above(&set->user_id, &principals);
	set->principals = principals;
	set->has_groups = true;
}

void
orch_access_groups_above(const pg_uuid_t *principal_id, UuidMap *principals)
{
	WorkList	list = {NULL, 0, 0};

	work_list_add(&list, principal_id);
	walk_up(principals, &list);
	pfree(list.ids);
}

/*
 * Enters the principals of a list, which it empties, and every group and queue that one of
 * them belongs to.
 */
static void
walk_up(UuidMap *principals, WorkList *list)
{
	Snapshot	snapshot;
	KeyScan		scan;
	int			i;

	for (i = 0; i < list->count; i++)
		*orch_uuid_map_enter(principals, &list->ids[i]) = 1;
	snapshot = RegisterSnapshot(GetCatalogSnapshot(orch_catalog_relation(RELATION_MEMBERSHIP)));
	key_scan_open(&scan, RELATION_MEMBERSHIP, INDEX_MEMBERSHIP_MEMBER,
				  Anum_membership_member_id, snapshot);
	while (list->count > 0)
	{
		pg_uuid_t	member = list->ids[--list->count];
		HeapTuple	tuple;

		CHECK_FOR_INTERRUPTS();
		key_scan_begin(&scan, &member);
		while ((tuple = key_scan_next(&scan)) != NULL)
		{
			bool		isnull;
			pg_uuid_t  *group = DatumGetUUIDP(heap_getattr(tuple, Anum_membership_group_id,
														   RelationGetDescr(scan.relation), &isnull));
			uint16	   *value = orch_uuid_map_enter(principals, group);

			if (*value == 0)
			{
				*value = 1;
				work_list_add(list, group);
			}
		}
		key_scan_end(&scan);
	}
	key_scan_close(&scan);
	UnregisterSnapshot(snapshot);
}

/*
 * The owners and orchestrations whose records the user sees: the user's own records,
 * and those that a sharing rule gives to one of the user's principals.
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
	uint16		own = 0;
	uint32		i;
	int			object;

	check_stack_depth();
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
			uint16	   *value;
			int			level;

			object = enum_column(tuple, desc, ENUM_SHARED_OBJECT,
								 Anum_owner_sharing_rule_object);
			level = ACCESS_READ + enum_column(tuple, desc, ENUM_ACCESS_LEVEL,
											  Anum_owner_sharing_rule_access_level);
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
			raise_level(value, object, level);
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

/* The higher of two levels, for each object. */
static inline uint16
packed_max(uint16 a, uint16 b)
{
	uint16		result = 0;
	int			object;

	for (object = 0; object < NUM_OBJECTS; object++)
		result |= Max(PACKED_LEVEL(a, object), PACKED_LEVEL(b, object)) << (2 * object);
	return result;
}

/*
 * Gives the levels of groups to the users in them.  A group inside a group gets the
 * outer group's levels, too, and is processed again when they rise.
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
		uint16		levels = orch_uuid_map_get(sources, &group);
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
			uint16	   *value = orch_uuid_map_enter(is_user ? &set->owners : sources,
													member);
			uint16		raised = packed_max(*value, levels);

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
 * The single records that are shared with one of the user's principals.
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

	check_stack_depth();

	/* a context of its own: shares change more often than the rest */
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
			uint16	   *value;

			object = enum_column(tuple, desc, ENUM_SHARED_OBJECT,
								 Anum_share_grant_object);
			level = ACCESS_READ + enum_column(tuple, desc, ENUM_ACCESS_LEVEL,
											  Anum_share_grant_access_level);
			value = orch_uuid_map_enter(&shares,
										DatumGetUUIDP(heap_getattr(tuple, Anum_share_grant_record_id,
																   desc, &isnull)));
			raise_level(value, object, level);
		}
		key_scan_end(&scan);
	}
	key_scan_close(&scan);
	UnregisterSnapshot(snapshot);
	set->shares = shares;
	set->share_generation = generation;
}

/* --------------------------------------------------------------- reviewers */

bool
orch_access_reviewers_hold(const AccessSet *set)
{
	return set->has_reviewers && set->reviewers_managed == orch_managers_review &&
		(set->reviewers_until == DT_NOEND ||
		 GetCurrentTimestamp() < set->reviewers_until);
}

/*
 * The assignees whose approvals the user may answer for others: active users who delegated
 * to the user or one of the user's groups or queues, users below the user if
 * orchestration.managers_review is on, and the groups and queues of all these.
 */
static void
fill_reviewers(AccessSet *set)
{
	UuidMap    *principals = orch_access_arm(set, ARM_ASSIGNEE);
	bool		managed = orch_managers_review;
	TimestampTz until = DT_NOEND;
	MemoryContext context;
	MemoryContext temporary;
	MemoryContext caller;
	UuidMap		reviewers;
	int			reviews;

	check_stack_depth();
	set->has_reviewers = false;
	if (set->reviewer_context != NULL)
		MemoryContextDelete(set->reviewer_context);
	set->reviewer_context = NULL;
	memset(&set->reviewers, 0, sizeof(set->reviewers));
	context = AllocSetContextCreate(set->context, "orchestration reviewers",
									ALLOCSET_SMALL_SIZES);
	set->reviewer_context = context;
	temporary = AllocSetContextCreate(CurrentMemoryContext, "orchestration delegations",
									  ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(temporary);
	orch_uuid_map_init(&reviewers, context);

	for (reviews = REVIEWS_AS_DELEGATE; reviews <= REVIEWS_AS_MANAGER; reviews++)
	{
		WorkList	users = {NULL, 0, 0};
		UuidMap		above;
		uint32		i;

		if (reviews == REVIEWS_AS_DELEGATE)
			find_delegating(principals, &users, &until);
		else if (managed)
			find_managed(&set->user_id, &users);
		if (users.count == 0)
			continue;
		orch_uuid_map_init(&above, temporary);
		walk_up(&above, &users);
		for (i = 0; i < above.size; i++)
			if (above.values[i] != 0 && orch_uuid_map_get(principals, &above.keys[i]) == 0)
				*orch_uuid_map_enter(&reviewers, &above.keys[i]) |= reviews;
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(temporary);
	set->reviewers = reviewers;
	set->reviewers_managed = managed;
	set->reviewers_until = until;
	set->has_reviewers = true;
}

/*
 * Active users whose delegate is one of the principals; until: lowered to the end of the
 * first delegation that ends.
 */
static void
find_delegating(const UuidMap *principals, WorkList *users, TimestampTz *until)
{
	TimestampTz now = GetCurrentTimestamp();
	KeyScan		named;
	KeyScan		dated;
	Snapshot	named_snapshot;
	Snapshot	dated_snapshot;
	uint32		i;

	named_snapshot = RegisterSnapshot(GetCatalogSnapshot(orch_catalog_relation(RELATION_PRINCIPAL)));
	key_scan_open(&named, RELATION_PRINCIPAL, INDEX_PRINCIPAL_DELEGATE,
				  Anum_principal_delegated_approver, named_snapshot);
	dated_snapshot = RegisterSnapshot(GetCatalogSnapshot(orch_catalog_relation(RELATION_APPROVAL_DELEGATION)));
	key_scan_open(&dated, RELATION_APPROVAL_DELEGATION, INDEX_APPROVAL_DELEGATION_TARGET,
				  Anum_approval_delegation_delegated_to, dated_snapshot);
	for (i = 0; i < principals->size; i++)
	{
		HeapTuple	tuple;
		bool		isnull;

		if (principals->values[i] == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		key_scan_begin(&named, &principals->keys[i]);
		while ((tuple = key_scan_next(&named)) != NULL)
		{
			TupleDesc	desc = RelationGetDescr(named.relation);

			if (DatumGetBool(heap_getattr(tuple, Anum_principal_is_active, desc, &isnull)))
				work_list_add(users, DatumGetUUIDP(heap_getattr(tuple, Anum_principal_id,
																desc, &isnull)));
		}
		key_scan_end(&named);

		key_scan_begin(&dated, &principals->keys[i]);
		while ((tuple = key_scan_next(&dated)) != NULL)
		{
			TupleDesc	desc = RelationGetDescr(dated.relation);
			Datum		end = heap_getattr(tuple, Anum_approval_delegation_end_date, desc,
										   &isnull);
			Principal	principal;

			if (!isnull && DatumGetTimestampTz(end) <= now)
				continue;
			if (!isnull)
				*until = Min(*until, DatumGetTimestampTz(end));
			if (orch_principal_scan(INDEX_PRINCIPAL_ID, Anum_principal_id, F_UUID_EQ,
									heap_getattr(tuple, Anum_approval_delegation_delegated_from,
												 desc, &isnull), &principal) &&
				principal.kind == PRINCIPAL_USER && principal.is_active)
				work_list_add(users, &principal.id);
		}
		key_scan_end(&dated);
	}
	key_scan_close(&dated);
	UnregisterSnapshot(dated_snapshot);
	key_scan_close(&named);
	UnregisterSnapshot(named_snapshot);
}

/*
 * Active users below a user.  Each is visited once, whatever circles an import left.
 */
static void
find_managed(const pg_uuid_t *user_id, WorkList *users)
{
	WorkList	list = {NULL, 0, 0};
	UuidMap		visited;
	KeyScan		scan;
	Snapshot	snapshot;

	orch_uuid_map_init(&visited, CurrentMemoryContext);
	*orch_uuid_map_enter(&visited, user_id) = 1;
	work_list_add(&list, user_id);
	snapshot = RegisterSnapshot(GetCatalogSnapshot(orch_catalog_relation(RELATION_PRINCIPAL)));
	key_scan_open(&scan, RELATION_PRINCIPAL, INDEX_PRINCIPAL_MANAGER,
				  Anum_principal_manager_id, snapshot);
	while (list.count > 0)
	{
		pg_uuid_t	manager = list.ids[--list.count];
		HeapTuple	tuple;

		CHECK_FOR_INTERRUPTS();
		key_scan_begin(&scan, &manager);
		while ((tuple = key_scan_next(&scan)) != NULL)
		{
			TupleDesc	desc = RelationGetDescr(scan.relation);
			bool		isnull;
			pg_uuid_t  *id = DatumGetUUIDP(heap_getattr(tuple, Anum_principal_id, desc,
														&isnull));
			uint16	   *value = orch_uuid_map_enter(&visited, id);

			if (*value != 0)
				continue;
			*value = 1;
			work_list_add(&list, id);
			if (DatumGetBool(heap_getattr(tuple, Anum_principal_is_active, desc, &isnull)))
				work_list_add(users, id);
		}
		key_scan_end(&scan);
	}
	key_scan_close(&scan);
	UnregisterSnapshot(snapshot);
}

/* ------------------------------------------------------------------- scans */

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
