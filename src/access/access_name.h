/*-------------------------------------------------------------------------
 *
 * access_name.h
 *	  Names of runs, stages, steps and work items: in messages, and as arguments.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_name.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_NAME_H
#define ORCH_ACCESS_NAME_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/uuid.h"

#include "base/orchestration.h"

/*
 * How a message names a record: run OR-00000012, stage "Approve" of run OR-00000012, work
 * item WI-00000003.  By its id instead of its name if the role that gets the message does not
 * see the record, and if there is none (any more).  The caller may be in system context or in
 * a trigger, but not in an aborted transaction.
 */
extern char *orch_label(SharedObject object, const pg_uuid_t *id);
extern char *orch_label_run(const pg_uuid_t *run_id);

/* The same where the name of a stage or step is known, and may be told. */
extern char *orch_label_part(SharedObject object, const char *name, const pg_uuid_t *id,
							 const pg_uuid_t *run_id);

/* Which names a call takes. */
typedef enum NameScope
{
	NAMES_SEEN,					/* of records that the caller sees */
	NAMES_OF_APPROVAL,			/* and of the run and work items of a submission that the
								 * caller sees */
	NAMES_OR_APPROVAL			/* and of the submission of a run, or the approval work item
								 * of a work item: returns its id */
} NameScope;

/*
 * The id that an argument names, which is a uuid, or a text with an id or a name.  An id is
 * returned as it is.  Raises 22004 for null, 22023 for an empty text, and OR101 for a name
 * that the call does not take.
 */
extern pg_uuid_t *orch_argument_record(FunctionCallInfo fcinfo, int argno,
									   SharedObject object, NameScope scope);

#endif							/* ORCH_ACCESS_NAME_H */
