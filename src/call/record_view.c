/*-------------------------------------------------------------------------
 *
 * record_view.c
 *	  view_record() and reference_record(): LastViewedDate, LastReferencedDate.
 *
 * A user who sees a record may view it.  Each user has one row for each record, so that a
 * view waits neither for other users nor for the engine that has locked the run.
 * Only two sessions of the same user could wait for each other.  They try an advisory lock;
 * the session that does not get it does nothing, because the other sets the same times.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/record_view.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "call/record_view.h"

#define VIEWS \
	"ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5))" \
	" AS u (id, object, viewed)"

static StaticPlan plan_again = {
	"UPDATE orchestration.record_view v"
	" SET viewed_at = CASE WHEN u.viewed THEN pg_catalog.clock_timestamp() ELSE v.viewed_at END,"
	"     referenced_at = pg_catalog.clock_timestamp()"
	" FROM " VIEWS
	" WHERE v.run_id = $1 AND v.record_id = u.id AND v.user_id = $2",
	5, {UUIDOID, UUIDOID, UUIDARRAYOID, TEXTARRAYOID, BOOLARRAYOID}
};
static StaticPlan plan_first = {
	"INSERT INTO orchestration.record_view (run_id, record_id, object, user_id,"
	" viewed_at, referenced_at)"
	" SELECT $1, u.id, u.object::orchestration.shared_object, $2,"
	"        CASE WHEN u.viewed THEN pg_catalog.clock_timestamp() END,"
	"        pg_catalog.clock_timestamp()"
	"   FROM " VIEWS
	" ON CONFLICT (run_id, record_id, user_id) DO NOTHING",
	5, {UUIDOID, UUIDOID, UUIDARRAYOID, TEXTARRAYOID, BOOLARRAYOID}
};

static bool try_lock(const pg_uuid_t *run_id, const pg_uuid_t *user_id);
static Datum view(FunctionCallInfo fcinfo, bool viewed);

static bool
try_lock(const pg_uuid_t *run_id, const pg_uuid_t *user_id)
{
	uint64		hash = hash_bytes_extended(run_id->data, UUID_LEN, 0) ^
		hash_bytes_extended(user_id->data, UUID_LEN, 1);
	LOCKTAG		tag;

	orch_lock_tag(&tag, LOCK_VIEW, hash);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * A user views or references a record.  A view of a record that belongs to a run is also a
 * reference to the run.  False: the user does this in another session.
 */
bool
orch_record_view_mark(Oid role, const pg_uuid_t *record_id, bool viewed)
{
	RecordAccess record;
	pg_uuid_t	user_id;
	pg_uuid_t	ids[2];
	Datum		objects[2];
	Datum		is_viewed[2];
	Datum		values[5];
	SystemContext saved;
	int			n = 0;

	(void) orch_caller_user_id(role, &user_id);
	orch_caller_require_visible(role, record_id, &record);
	if (!try_lock(&record.run_id, &user_id))
		return false;

	if (record.object == OBJECT_WORK_ITEM)
	{
		ids[n] = record.id;
		objects[n] = CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT,
															OBJECT_WORK_ITEM));
		is_viewed[n++] = BoolGetDatum(viewed);
	}
	ids[n] = record.run_id;
	objects[n] = CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT, OBJECT_RUN));
	is_viewed[n++] = BoolGetDatum(viewed && record.object == OBJECT_RUN);

	values[0] = UUIDPGetDatum(&record.run_id);
	values[1] = UUIDPGetDatum(&user_id);
	values[2] = PointerGetDatum(orch_uuid_array(ids, n));
	values[3] = PointerGetDatum(construct_array(objects, n, TEXTOID, -1, false, TYPALIGN_INT));
	values[4] = PointerGetDatum(construct_array(is_viewed, n, BOOLOID, 1, true, TYPALIGN_CHAR));
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_again, values, NULL, 0);
	if (SPI_processed < (uint64) n)
	{
		orch_caller_keep_run(&record);
		orch_plan_execute_latest(&plan_first, values, NULL, 0);
	}
	orch_system_finish(&saved);
	return true;
}

/*
 * Both calls.
 */
static Datum
view(FunctionCallInfo fcinfo, bool viewed)
{
	orch_require_arguments(fcinfo, 0, 1, "record_id");
	PG_RETURN_BOOL(orch_record_view_mark(GetUserId(), PG_GETARG_UUID_P(0), viewed));
}

PG_FUNCTION_INFO_V1(orchestration_view_record);

/*
 * orchestration.view_record(record_id uuid) returns boolean
 *
 * The caller views a run, stage, step or work item.  Sets LastViewedDate and
 * LastReferencedDate of a run or work item, and LastReferencedDate of the run that the
 * record belongs to; SystemModstamp stays.  Returns false if the same user is doing this in
 * another session.
 * Raises: 22004 for null, OR101 for a record that does not exist or that the caller does
 * not see, 42501 for a role that acts as no active user.
 * Source: contract/lifecycle.md, "Fields".
 */
Datum
orchestration_view_record(PG_FUNCTION_ARGS)
{
	return view(fcinfo, true);
}

PG_FUNCTION_INFO_V1(orchestration_reference_record);

/*
 * orchestration.reference_record(record_id uuid) returns boolean
 *
 * As view_record(), but sets LastReferencedDate only.
 * Raises: as view_record().
 * Source: contract/lifecycle.md, "Fields".
 */
Datum
orchestration_reference_record(PG_FUNCTION_ARGS)
{
	return view(fcinfo, false);
}
