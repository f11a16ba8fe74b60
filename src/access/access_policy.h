/*-------------------------------------------------------------------------
 *
 * access_policy.h
 *	  The functions of the policies, and the ids that they become for an index.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_policy.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_POLICY_H
#define ORCH_ACCESS_POLICY_H

#include "postgres.h"

#include "utils/array.h"

#include "base/orchestration.h"

/* The object of a label of the SQL type shared_object. */
extern SharedObject orch_access_object(Oid label);

/* The ids of the user that the current role acts as, and of the user's groups and queues. */
extern ArrayType *orch_access_acting_ids(void);

/* The ids of those whose approvals the user answers as a delegate. */
extern ArrayType *orch_access_delegating_ids(void);

#endif							/* ORCH_ACCESS_POLICY_H */
