/*-------------------------------------------------------------------------
 *
 * access.h
 *	  Who may see and do what with a record.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_H
#define ORCH_ACCESS_H

#include "postgres.h"

#include "access/htup.h"
#include "utils/array.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#include "base/orchestration.h"
#include "base/uuid_map.h"

/*
 * What one person sees: the sets that his rights are made of.  Levels of the
 * four objects are packed two bits each.
 *
 * Never kept over anything that may run SQL or wait: the next one who asks may
 * replace it.
 */
typedef struct AccessSet
{
	bool		in_use;
	bool		is_user;		/* an active user; else nobody, or unlimited */
	pg_uuid_t	user_id;
	int			permissions;	/* PERMISSION_... */
	AccessLevel base[NUM_OBJECTS];	/* to every record of the object */
	uint64		generation;		/* of principals, memberships, rules, defaults */
	uint64		last_used;
	MemoryContext context;
	bool		has_groups;		/* principals is filled */
	bool		has_rules;		/* owners and orchestrations are filled */
	UuidMap		principals;		/* himself and what he belongs to: 1 */
	UuidMap		owners;			/* whose records he sees: packed levels */
	UuidMap		orchestrations; /* of which he sees the records: the same */
	uint64		share_generation;	/* 0: shares are not filled */
	MemoryContext share_context;
	UuidMap		shares;			/* records shared with him: the same */
} AccessSet;

#define PACKED_LEVEL(packed, object) \
	((AccessLevel) (((packed) >> (2 * (object))) & 3))

/* A record as far as access depends on it. */
typedef struct RecordAccess
{
	SharedObject object;
	pg_uuid_t	run_id;
	pg_uuid_t	id;
	pg_uuid_t	owner_id;
	bool		has_orchestration;
	pg_uuid_t	orchestration_id;
	bool		has_assignee;	/* work items */
	pg_uuid_t	assignee_id;
} RecordAccess;

/* access_support.c */
extern void orch_access_support_init(void);

/* The sets by which a record can be visible; see access_support.c. */
typedef enum AccessArm
{
	ARM_OWNER,
	ARM_RECORD,
	ARM_ORCHESTRATION,
	ARM_ASSIGNEE
} AccessArm;

/* Who the role is now: a user, unlimited (a superuser), or nobody. */
extern AccessSet *orch_access_of_role(Oid role);
extern AccessSet *orch_access_of_user(const pg_uuid_t *user_id);
extern bool orch_access_is_unlimited(const AccessSet *set);
extern void orch_access_groups_above(const pg_uuid_t *principal_id,
									 UuidMap *principals);
extern UuidMap *orch_access_arm(AccessSet *set, AccessArm arm);
extern AccessLevel orch_access_level(AccessSet *set, const RecordAccess *record);
extern SharedObject orch_access_object(Oid label);

/* The ids of the user that the current role acts as, his groups and queues. */
extern ArrayType *orch_access_acting_ids(void);

/* Refusals; each raises 42501 unless the right is there. */
extern AccessSet *orch_access_require_user(Oid role);
extern void orch_access_require_permission(Oid role, int permission,
										   const char *to_do);

/*
 * access_record.c: one record's access, read with a snapshot of now; false:
 * there is no such record.  run_id may be NULL.
 */
extern bool orch_access_read(SharedObject object, const pg_uuid_t *id,
							 RecordAccess *record);
extern bool orch_access_find(const pg_uuid_t *id, RecordAccess *record);
extern void orch_access_of_tuple(SharedObject object, HeapTuple tuple,
								 TupleDesc desc, RecordAccess *record);

/* access_check.c: the rights that calls and updates need */
extern AccessLevel orch_access_require_visible(Oid role, SharedObject object,
											   const pg_uuid_t *id,
											   RecordAccess *record);
extern void orch_access_require_move(Oid role, const pg_uuid_t *run_id);
extern void orch_access_require_work(Oid role, const pg_uuid_t *item_id);
extern void orch_access_require_reassign(Oid role, const pg_uuid_t *item_id);
extern void orch_access_check_update(SharedObject object, Relation relation,
									 HeapTuple old, HeapTuple new);

#endif							/* ORCH_ACCESS_H */
