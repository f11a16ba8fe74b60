/*-------------------------------------------------------------------------
 *
 * delegation.c
 *	  Calls that say who may answer approvals for whom: delegates and managers.
 *
 * A delegation is given by the user whose approvals it is about, or by an approval
 * administrator.  Managers are the administrator's matter, as users are: PUBLIC may not
 * execute set_manager().  What follows from both is in access.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/delegation.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "record/principal.h"

static StaticPlan plan_set_delegate = {
	"UPDATE orchestration.principal p"
	"   SET delegated_approver_id = $2, modified_at = pg_catalog.now()"
	" WHERE p.id = $1 AND p.delegated_approver_id IS DISTINCT FROM $2",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_delegate = {
	"INSERT INTO orchestration.approval_delegation AS d"
	"       (delegated_from, delegated_to, end_date, comments, created_by)"
	" VALUES ($1, $2, $3, $4, $5)"
	" ON CONFLICT (delegated_from, delegated_to) DO UPDATE"
	" SET end_date = EXCLUDED.end_date, comments = EXCLUDED.comments"
	" RETURNING d.id",
	5, {UUIDOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, UUIDOID}
};
static StaticPlan plan_delegator = {
	"SELECT d.delegated_from FROM orchestration.approval_delegation d WHERE d.id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_undelegate = {
	"DELETE FROM orchestration.approval_delegation d WHERE d.id = $1",
	1, {UUIDOID}
};

/* Is the user $1 the manager $2, or above?  UNION ends at a circle. */
static StaticPlan plan_is_above = {
	"WITH RECURSIVE above (id) AS ("
	"  SELECT $2"
	"  UNION SELECT p.manager_id FROM above a"
	"    JOIN orchestration.principal p ON p.id = a.id WHERE p.manager_id IS NOT NULL)"
	" SELECT 1 FROM above WHERE id = $1",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_set_manager = {
	"UPDATE orchestration.principal p"
	"   SET manager_id = $2, modified_at = pg_catalog.now()"
	" WHERE p.id = $1 AND p.manager_id IS DISTINCT FROM $2",
	2, {UUIDOID, UUIDOID}
};

static void require_delegator(Oid role, const pg_uuid_t *user_id, Principal *user);
static void check_delegate(const Principal *user, const pg_uuid_t *delegate_id);

/*
 * The user whose approvals they are, or an approval administrator.  Every active user reads
 * the names of users, so that nothing is kept from the caller here.
 */
static void
require_delegator(Oid role, const pg_uuid_t *user_id, Principal *user)
{
	AccessSet  *set = orch_access_require_user(role);
	bool		allowed = (set->permissions & PERMISSION_APPROVAL_ADMIN) != 0 ||
		(set->is_user && orch_uuid_equal(&set->user_id, user_id));

	orch_principal_require_user(user_id, user);
	if (!allowed)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("user \"%s\" may not delegate the approvals of \"%s\"",
						orch_principal_role_label(role), user->name),
				 errdetail("It needs to be that user, or the permission Approval Admin.")));
}

static void
check_delegate(const Principal *user, const pg_uuid_t *delegate_id)
{
	Principal	delegate;

	if (!orch_principal_get(delegate_id, &delegate) || !delegate.is_active)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("delegate %s is no active user, group or queue",
						orch_uuid_text(delegate_id))));
	if (orch_uuid_equal(&user->id, delegate_id))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CIRCULAR_DEPENDENCY),
				 errmsg("\"%s\" cannot be the delegate of \"%s\"", user->name, user->name),
				 errhint("Name another user, a group or a queue.")));
}

PG_FUNCTION_INFO_V1(orchestration_set_delegated_approver);

/*
 * orchestration.set_delegated_approver(user_id uuid, delegate_id uuid) returns void
 *
 * From now on the delegate (null: nobody) may answer the user's approvals.
 * Raises: 22004 for a null user_id, OR103 for an unknown user and for a delegate that is no
 * active principal, OR006 for the user as delegate, 42501 unless the caller is the user or
 * has the permission Approval Admin.
 * Source: ours; User.DelegatedApproverId of the reference.
 */
Datum
orchestration_set_delegated_approver(PG_FUNCTION_ARGS)
{
	Principal	user;
	SystemContext saved;
	Datum		values[2];
	char		nulls[2];

	orch_require_arguments(fcinfo, 0, 1, "user_id");
	require_delegator(GetUserId(), PG_GETARG_UUID_P(0), &user);
	if (!PG_ARGISNULL(1))
		check_delegate(&user, PG_GETARG_UUID_P(1));
	orch_pass_arguments(fcinfo, 2, values, nulls);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_set_delegate, values, nulls, 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_create_approval_delegation);

/*
 * orchestration.create_approval_delegation(delegated_from uuid, delegated_to uuid,
 *		end_date timestamptz, comments text) returns uuid
 *
 * Lets a user, or the members of a group or queue, answer a user's approvals until end_date
 * (null: until it is deleted).  A second call for the same two changes end_date and comments.
 * Returns the id of the delegation.
 * Raises: 22004 for null ids, OR103 for an unknown user and for a delegate that is no active
 * principal, OR006 for the user as delegate, 42501 unless the caller is the user or has the
 * permission Approval Admin, 22023 for an end_date that has passed, 22008 for one after 9999
 * or infinite, 22001 for comments of more than 32,000 characters.
 * Source: ours; ApprovalDelegation of the reference.
 */
Datum
orchestration_create_approval_delegation(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	Principal	user;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	SystemContext saved;
	Datum		values[5];
	char		nulls[5];
	bool		isnull;

	orch_require_arguments(fcinfo, 0, 2, "delegated_from and delegated_to");
	require_delegator(role, PG_GETARG_UUID_P(0), &user);
	check_delegate(&user, PG_GETARG_UUID_P(1));
	if (!PG_ARGISNULL(2))
	{
		orch_limit_time(PG_GETARG_TIMESTAMPTZ(2), "end_date");
		if (PG_GETARG_TIMESTAMPTZ(2) <= GetCurrentTimestamp())
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("end_date %s of a delegation of \"%s\" has passed",
							timestamptz_to_str(PG_GETARG_TIMESTAMPTZ(2)), user.name),
					 errhint("Pass a time to come, or null for a delegation without an end; delete_approval_delegation() ends one.")));
	}
	if (!PG_ARGISNULL(3))
		orch_limit_comments(text_to_cstring(PG_GETARG_TEXT_PP(3)));

	orch_pass_arguments(fcinfo, 4, values, nulls);
	orch_principal_set_acting(role, &values[4], &nulls[4]);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_delegate, values, nulls, 0);
	if (SPI_processed == 0)
		orch_plan_refuse_suppressed("approval_delegation");
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
									   &isnull));
	orch_system_finish(&saved);
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(orchestration_delete_approval_delegation);

/*
 * orchestration.delete_approval_delegation(delegation_id uuid) returns boolean
 *
 * Ends a delegation.  Returns false if there is none with this id.
 * Raises: 22004 for null, 42501 unless the caller is the user who delegates or has the
 * permission Approval Admin.
 * Source: ours; ApprovalDelegation of the reference.
 */
Datum
orchestration_delete_approval_delegation(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	SystemContext saved;
	Datum		value;
	pg_uuid_t	delegator;
	bool		found;
	bool		isnull;

	orch_require_arguments(fcinfo, 0, 1, "delegation_id");
	(void) orch_access_require_user(role);
	value = PG_GETARG_DATUM(0);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_delegator, &value, NULL, 1);
	found = SPI_processed > 0;
	if (found)
		delegator = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
												 SPI_tuptable->tupdesc, 1, &isnull));
	orch_system_finish(&saved);
	if (found)
	{
		Principal	user;

		require_delegator(role, &delegator, &user);
		orch_system_connect(&saved);
		orch_plan_execute_latest(&plan_undelegate, &value, NULL, 0);
		found = SPI_processed > 0;
		orch_system_finish(&saved);
	}
	PG_RETURN_BOOL(found);
}

PG_FUNCTION_INFO_V1(orchestration_set_manager);

/*
 * orchestration.set_manager(user_id uuid, manager_id uuid) returns void
 *
 * Puts a user under a manager (null: nobody).
 * Raises: 22004 for a null user_id, OR103 for an unknown user or manager, OR006 for a
 * manager who is that user or below.
 * Source: ours; User.ManagerId of the reference.
 */
Datum
orchestration_set_manager(PG_FUNCTION_ARGS)
{
	Principal	user;
	Principal	manager;
	SystemContext saved;
	Datum		values[2];
	char		nulls[2];

	orch_require_arguments(fcinfo, 0, 1, "user_id");
	orch_principal_require_user(PG_GETARG_UUID_P(0), &user);
	orch_pass_arguments(fcinfo, 2, values, nulls);
	if (!PG_ARGISNULL(1))
		orch_principal_require_user(PG_GETARG_UUID_P(1), &manager);
	orch_system_connect(&saved);
	if (!PG_ARGISNULL(1))
	{
		orch_principal_lock_circles();
		orch_plan_execute_latest(&plan_is_above, values, NULL, 1);
		if (SPI_processed > 0)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CIRCULAR_DEPENDENCY),
					 orch_uuid_equal(&user.id, &manager.id) ?
					 errmsg("\"%s\" cannot be the manager of \"%s\"", manager.name, user.name) :
					 errmsg("\"%s\" cannot be the manager of \"%s\", who is above \"%s\"",
							manager.name, user.name, manager.name),
					 errdetail("Managers must not form a circle.")));
	}
	orch_plan_execute_latest(&plan_set_manager, values, nulls, 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}
