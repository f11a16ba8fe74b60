/*-------------------------------------------------------------------------
 *
 * principal.h
 *	  Users, groups and queues.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/principal.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_PRINCIPAL_H
#define ORCH_PRINCIPAL_H

#include "postgres.h"

#include "utils/uuid.h"

#include "orchestration.h"

/* The automated process user; sql/parts/object.sql seeds it with this id. */
extern const pg_uuid_t orch_automated_process;

typedef struct Principal
{
	pg_uuid_t	id;
	PrincipalKind kind;
	bool		is_active;
	char	   *name;
} Principal;

/* The user that a role acts as, or NULL. */
extern const Principal *orch_principal_of_role(Oid role);

/* What log and messages call a role: its user's name, or its own. */
extern char *orch_principal_role_label(Oid role);

/* By username or developer name, or by id; false: there is none. */
extern bool orch_principal_find(PrincipalKind kind, const char *name,
								Principal *result);
extern bool orch_principal_get(const pg_uuid_t *id, Principal *result);

#endif							/* ORCH_PRINCIPAL_H */
