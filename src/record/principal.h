/*-------------------------------------------------------------------------
 *
 * principal.h
 *	  Users, groups and queues.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/principal.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_PRINCIPAL_H
#define ORCH_PRINCIPAL_H

#include "postgres.h"

#include "access/attnum.h"
#include "utils/uuid.h"

#include "base/orchestration.h"

/* The automated process user; sql/parts/record/principal.sql seeds it with this id. */
extern const pg_uuid_t orch_automated_process;

/*
 * orchestration.user_id; when it changes so does the serial number
 * orch_principal_identity.  plans_depend: plans of this session were simplified
 * for the user of its role.
 */
extern char *orch_user_id;
extern uint64 orch_principal_identity;
extern bool orch_principal_plans_depend;

#define PERMISSION_VIEW_ALL_DATA		0x01
#define PERMISSION_MODIFY_ALL_DATA		0x02
#define PERMISSION_MANAGE_RUNS			0x04
#define PERMISSION_MANAGE_DEFINITIONS	0x08
#define PERMISSION_REASSIGN_WORK_ITEMS	0x10
#define PERMISSION_APPROVAL_ADMIN		0x20
#define PERMISSION_ALL					0x3F

typedef struct Principal
{
	pg_uuid_t	id;
	PrincipalKind kind;
	bool		is_active;
	int			permissions;	/* PERMISSION_..., of the acting user */
	char	   *name;
	char	   *username;		/* only from orch_principal_scan(); NULL: no user */
} Principal;

extern void orch_principal_check_placeholder(void);
extern void orch_principal_init(void);

/* The active user that a role acts as, or NULL.  Valid until the next call. */
extern const Principal *orch_principal_acting(Oid role);

/*
 * A copy of that user's id, or NULL, also for InvalidOid: triggers on the way may ask for
 * another role.
 */
extern pg_uuid_t *orch_principal_acting_id(Oid role);

/* Sets a parameter of a plan to that id, or to null. */
extern void orch_principal_set_acting(Oid role, Datum *value, char *isnull);

/* One principal by an index; works everywhere, also in parallel workers. */
extern bool orch_principal_scan(int index, AttrNumber attnum, RegProcedure equal,
								Datum key, Principal *result);

/* The name of a role in messages: that of its user, or its own. */
extern char *orch_principal_role_label(Oid role);

/*
 * How messages name a principal, which every user sees: "Ann", or by its id if there is none.
 */
extern char *orch_principal_label(const pg_uuid_t *id);

/* The name of a role in the log: the username of its user, or its own. */
extern char *orch_principal_actor(Oid role);

/* The username of a user; NULL if there is no such user. */
extern char *orch_principal_username(const pg_uuid_t *id);

/* By username or developer name, or by id; false if there is none. */
extern bool orch_principal_find(PrincipalKind kind, const char *name,
								Principal *result);
extern bool orch_principal_get(const pg_uuid_t *id, Principal *result);

/* The same of a user; raises OR103 if there is none. */
extern void orch_principal_require_user(const pg_uuid_t *id, Principal *result);

/*
 * One lock, the row of the automated process user, serves all memberships of groups in groups
 * and all managers: two sessions that close a circle together may have no other row in
 * common.  Caller is connected to SPI and in system context.
 */
extern void orch_principal_lock_circles(void);

/* Who owns a work item: its assignee if that is a user, else the automated process user. */
extern pg_uuid_t orch_principal_item_owner(const pg_uuid_t *assignee_id);

#endif							/* ORCH_PRINCIPAL_H */
