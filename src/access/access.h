/*-------------------------------------------------------------------------
 *
 * access.h
 *	  Who may see and do what with a record.
 *
 * The interface of this folder: it includes the headers of the other files, so that
 * callers include one.
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

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#include "access/access_check.h"
#include "access/access_extent.h"
#include "access/access_policy.h"
#include "access/access_record.h"
#include "access/access_support.h"
#include "base/orchestration.h"
#include "base/uuid_map.h"

/*
 * The access of one user, as sets.  The levels for the objects are packed, two bits each.
 *
 * Do not keep a pointer to it over anything that may run SQL or wait: the next request
 * for another user's access may replace it.  A scan of a table replaces none: invalidations
 * that it accepts only make sets stale.
 */
typedef struct AccessSet
{
	bool		in_use;
	bool		is_user;		/* false: nobody, or an unlimited role */
	pg_uuid_t	user_id;
	int			permissions;	/* PERMISSION_... */
	AccessLevel base[NUM_OBJECTS];	/* to every record of the object */
	uint64		generation;		/* of principals, memberships, rules, defaults */
	uint64		last_used;
	MemoryContext context;
	bool		has_groups;		/* principals is filled */
	bool		has_rules;		/* owners and orchestrations are filled */
	UuidMap		principals;		/* the user and the user's groups and queues: 1 */
	UuidMap		owners;			/* of records that are seen: packed levels */
	UuidMap		orchestrations; /* whose records are seen: packed levels */
	uint64		share_generation;	/* 0: shares are not filled */
	MemoryContext share_context;
	UuidMap		shares;			/* records that are shared: packed levels */
	bool		has_reviewers;	/* reviewers is filled */
	bool		reviewers_managed;	/* with orchestration.managers_review on */
	TimestampTz reviewers_until;	/* then the first delegation ends */
	MemoryContext reviewer_context;
	UuidMap		reviewers;		/* whose approvals the user may answer: REVIEWS_... */
	uint32		extents;		/* access_extent.c */
	uint64		extents_statistics; /* 0: not computed */
	uint64		extents_shares;
} AccessSet;

StaticAssertDecl(2 * NUM_OBJECTS <= 16, "the levels for all objects fit into a value of a map");

#define PACKED_LEVEL(packed, object) \
	((AccessLevel) (((packed) >> (2 * (object))) & 3))

/* The sets by which a record can be visible; see access_support.c. */
typedef enum AccessArm
{
	ARM_OWNER,
	ARM_RECORD,
	ARM_ORCHESTRATION,
	ARM_ASSIGNEE,
	ARM_REVIEWER
} AccessArm;

/*
 * Values of ARM_REVIEWER: assignees of approvals that the user may answer instead of their
 * assignee, without the user's own principals.
 */
#define REVIEWS_AS_DELEGATE	1
#define REVIEWS_AS_MANAGER	2

/* The bits of a value in the set of an arm, one of which makes the object's records visible. */
#define ARM_BITS(arm, object) \
	((arm) == ARM_ASSIGNEE || (arm) == ARM_REVIEWER ? 0xFFFF : 3 << (2 * (object)))

#define ARM_SHOWS(arm, value, object) \
	(((value) & ARM_BITS(arm, object)) != 0)

/* orchestration.managers_review: may the users above an assignee answer approvals? */
extern bool orch_managers_review;

/* Whom a role acts as: a user, an unlimited role (a superuser's), or nobody. */
extern AccessSet *orch_access_of_role(Oid role);

/* The same of a user; nobody if there is no such active user. */
extern AccessSet *orch_access_of_user(const pg_uuid_t *user_id);

/* Is the set that of roles to which row security does not apply? */
extern bool orch_access_is_unlimited(const AccessSet *set);

/*
 * Enters a principal, and every group and queue that it belongs to, directly or by way
 * of other groups, into an empty map, with the value 1.
 */
extern void orch_access_groups_above(const pg_uuid_t *principal_id,
									 UuidMap *principals);

/* One of the sets, filled. */
extern UuidMap *orch_access_arm(AccessSet *set, AccessArm arm);

/*
 * Are the reviewers filled, with managers_review as it is now, and has no delegation ended
 * since?
 */
extern bool orch_access_reviewers_hold(const AccessSet *set);

/* Has the user been asked to decide about the submission, or may answer for who has? */
extern bool orch_access_reviews(AccessSet *set, const pg_uuid_t *submission_id);

/* access_extent.c */
extern double orch_access_selectivity(AccessSet *set, AccessArm arm, SharedObject object,
									  HeapTuple statistics, double ndistinct);

/* The part of all submissions that the user, or those for whom the user answers, review. */
extern double orch_access_reviewed_part(AccessSet *set);

/* The level of access to a record: the highest of all grants. */
extern AccessLevel orch_access_level(AccessSet *set, const RecordAccess *record);

#endif							/* ORCH_ACCESS_H */
