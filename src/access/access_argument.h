/*-------------------------------------------------------------------------
 *
 * access_argument.h
 *	  Runs and work items as arguments of calls: by id or by name.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_argument.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_ARGUMENT_H
#define ORCH_ACCESS_ARGUMENT_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/uuid.h"

#include "base/orchestration.h"

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

#endif							/* ORCH_ACCESS_ARGUMENT_H */
