/*-------------------------------------------------------------------------
 *
 * access_record.h
 *	  The parts of a record that access to it depends on.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_record.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_RECORD_H
#define ORCH_ACCESS_RECORD_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "utils/uuid.h"

#include "base/catalog.h"
#include "base/orchestration.h"
#include "base/uuid_map.h"

/* A record as far as access depends on it. */
typedef struct RecordAccess
{
	SharedObject object;
	pg_uuid_t	run_id;
	pg_uuid_t	id;
	pg_uuid_t	share_id;		/* by which shares name it: id, or that of the
								 * submission of an approval work item */
	pg_uuid_t	owner_id;
	bool		has_orchestration;
	pg_uuid_t	orchestration_id;
	bool		has_assignee;	/* work items, approval work items */
	pg_uuid_t	assignee_id;
	bool		is_approval;	/* runs and work items of approvals, and what they leave */
} RecordAccess;

/* The table of an object. */
extern OrchRelation orch_access_relation(SharedObject object);

/* Reads the record with this id, of one object or of any; false: there is none. */
extern bool orch_access_read(SharedObject object, const pg_uuid_t *id,
							 RecordAccess *record);
extern bool orch_access_find(const pg_uuid_t *id, RecordAccess *record);

/* The same with its name; and by its name, which stages and steps do not have for themselves. */
extern bool orch_access_read_named(SharedObject object, const pg_uuid_t *id,
								   RecordAccess *record, char **name);
extern bool orch_access_find_name(SharedObject object, const char *name,
								  RecordAccess *record);

/* The submission of a run; false: it has none. */
extern bool orch_access_read_submission(const pg_uuid_t *run_id, RecordAccess *record);

/* The same from a row of the object's table. */
extern void orch_access_of_tuple(SharedObject object, HeapTuple tuple,
								 TupleDesc desc, RecordAccess *record);

/* Is a work item of a submission assigned to one of two sets of principals? */
extern bool orch_access_was_asked(const UuidMap *principals, const UuidMap *reviewers,
								  const pg_uuid_t *submission_id);

/* Enters, with the value 1, the submissions of which a work item is assigned to one of them. */
extern void orch_access_find_reviewed(const UuidMap *principals, UuidMap *submissions);

#endif							/* ORCH_ACCESS_RECORD_H */
