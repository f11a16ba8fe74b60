/*-------------------------------------------------------------------------
 *
 * unlock.c
 *	  Lifts the locks that approvals hold on a record (shouldLock).
 *
 * A lock belongs to an Assigned work item; record_change.c refuses changes of the record.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/unlock.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "access/access_check.h"
#include "base/argument.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "record/principal.h"
#include "record/record.h"
#include "work/unlock.h"

static StaticPlan plan_runs = {
	"SELECT DISTINCT w.run_id FROM orchestration.work_item w"
	" WHERE w.related_record_type = $1 AND w.related_record_id = $2"
	"   AND w.record_locked AND w.status = 'Assigned' ORDER BY w.run_id",
	2, {TEXTOID, TEXTOID}
};
static StaticPlan plan_locks = {
	"SELECT w.run_id, w.id, " LOCK_EDITORS " FROM orchestration.work_item w"
	" WHERE w.related_record_type = $1 AND w.related_record_id = $2"
	"   AND w.record_locked AND w.status = 'Assigned' AND w.run_id = ANY ($3)"
	" ORDER BY w.run_id, w.id",
	3, {TEXTOID, TEXTOID, UUIDARRAYOID}
};
static StaticPlan plan_unlock = {
	"UPDATE orchestration.work_item SET record_locked = false WHERE run_id = $1 AND id = $2",
	2, {UUIDOID, UUIDOID}
};

static int	lift(Oid role, const char *type, const char *id, int *nlocks);

bool
orch_record_lock_lets(AccessSet *set, Datum editors)
{
	Datum	   *elements;
	int			n;
	int			i;

	if (!set->is_user)
		return false;
	deconstruct_array(DatumGetArrayTypeP(editors), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR,
					  &elements, NULL, &n);
	for (i = 0; i < n; i++)
		if (orch_uuid_map_get(orch_access_arm(set, ARM_ASSIGNEE),
							  DatumGetUUIDP(elements[i])) != 0)
			return true;
	return false;
}

PG_FUNCTION_INFO_V1(orchestration_unlock_record);

/*
 * orchestration.unlock_record(record_type text, record_key text) returns integer
 *
 * Lifts the locks of a record that the caller may lift: all with Modify All Data or Approval
 * Admin; else those that let the caller edit the record, as the assignee of the work item,
 * as one of the group or queue that it is assigned to, or as a member of a unanimous
 * approval.  Returns the number of locks lifted, 0 if the record is not locked.
 * Raises: 22004 for null, OR101 for a record that does not exist or that the caller may not
 * read, 42501 for a role that acts as no active user, and if there are locks and the caller
 * may lift none of them.
 * Source: approvals.md, section 2, "Who".
 */
Datum
orchestration_unlock_record(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	char	   *type;
	char	   *key;
	char	   *id;
	AccessSet  *set;
	Frame	   *frame;
	SystemContext saved;
	int			nlocks;
	int			nlifted;

	orch_require_arguments(fcinfo, 0, 2, "record_type and record_key");
	type = text_to_cstring(PG_GETARG_TEXT_PP(0));
	key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	set = orch_access_require_user(role);
	id = orch_record_id(type, key, orch_access_is_unlimited(set) ? InvalidOid : role);
	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("record \"%s\" of type \"%s\" does not exist", key, type)));
	frame = orch_frame_push(FRAME_CALL, role, NULL);
	orch_system_connect(&saved);
	nlifted = lift(role, type, id, &nlocks);
	if (nlifted == 0 && nlocks > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("user \"%s\" may not unlock record \"%s\" of type \"%s\"",
						orch_principal_role_label(role), key, type),
				 errdetail("It needs the permission Modify All Data or Approval Admin, or an approval of the record whose lock lets the user edit it.")));
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	PG_RETURN_INT32(nlifted);
}

/*
 * Lift what may be lifted, under the locks on the runs; *nlocks: the locks that there are.
 */
static int
lift(Oid role, const char *type, const char *id, int *nlocks)
{
	AccessSet  *set;
	bool		all;
	Datum		values[3];
	SPITupleTable *locks;
	pg_uuid_t  *run_ids;
	int			nruns;
	int			nlifted = 0;
	int			i;
	bool		isnull;

	values[0] = CStringGetTextDatum(type);
	values[1] = CStringGetTextDatum(id);
	orch_plan_execute_latest(&plan_runs, values, NULL, 0);
	nruns = (int) SPI_processed;
	run_ids = palloc(Max(nruns, 1) * sizeof(pg_uuid_t));
	for (i = 0; i < nruns; i++)
		run_ids[i] = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[i],
												  SPI_tuptable->tupdesc, 1, &isnull));
	(void) orch_lock_runs(run_ids, nruns);
	/* the wait may have cost a right */
	set = orch_access_of_role(role);
	all = orch_access_is_unlimited(set) ||
		(set->permissions & (PERMISSION_MODIFY_ALL_DATA | PERMISSION_APPROVAL_ADMIN)) != 0;
	values[2] = PointerGetDatum(orch_uuid_array(run_ids, nruns));
	orch_plan_execute_latest(&plan_locks, values, NULL, 0);
	locks = SPI_tuptable;
	*nlocks = (int) locks->numvals;
	for (i = 0; i < *nlocks; i++)
	{
		HeapTuple	tuple = locks->vals[i];
		TupleDesc	desc = locks->tupdesc;
		Datum		editors = SPI_getbinval(tuple, desc, 3, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (!all && (isnull || !orch_record_lock_lets(set, editors)))
			continue;
		values[0] = SPI_getbinval(tuple, desc, 1, &isnull);
		values[1] = SPI_getbinval(tuple, desc, 2, &isnull);
		orch_plan_execute_latest(&plan_unlock, values, NULL, 0);
		nlifted++;
	}
	return nlifted;
}
