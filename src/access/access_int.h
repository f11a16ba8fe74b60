/*-------------------------------------------------------------------------
 *
 * access_int.h
 *	  The access of the current role, fast enough to be asked for each row.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_INT_H
#define ORCH_ACCESS_INT_H

#include "postgres.h"

#include "miscadmin.h"
#include "utils/inval.h"

#include "access/access.h"
#include "base/catalog.h"
#include "record/principal.h"

/* The set that the functions of the policies used last, and whose it is. */
extern AccessSet *orch_access_kept;
extern Oid	orch_access_kept_role;
extern uint64 orch_access_kept_identity;

extern AccessSet *orch_access_establish(Oid role);

/*
 * The set of the current role.
 */
static inline AccessSet *
orch_access_current(void)
{
	AcceptInvalidationMessages();
	if (likely(orch_access_kept != NULL &&
			   orch_access_kept->generation == orch_catalog_sharing_generation &&
			   orch_access_kept_identity == orch_principal_identity &&
			   orch_access_kept_role == GetUserId()))
		return orch_access_kept;
	return orch_access_establish(GetUserId());
}

#endif							/* ORCH_ACCESS_INT_H */
