/*-------------------------------------------------------------------------
 *
 * record_reference.c
 *	  Lookups to records: kept valid when records change.
 *
 * A polymorphic lookup is a record type and a key as text.  Both sides keep it valid as
 * they keep a foreign key: the statement that sets it locks the record FOR KEY SHARE
 * (record_read.c); triggers on the registered table clear it when the record is deleted
 * and update it when the key changes (record_change.c).  Those triggers find lookups
 * with the latest snapshot, so that they find one that was committed while the DELETE
 * waited, also in REPEATABLE READ (ri_PerformCheck() does the same).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_reference.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "base/system.h"
#include "record/record.h"

static StaticPlan plan_clear_runs = {
	"UPDATE orchestration.run SET triggering_record_id = $3,"
	" triggering_record_type = CASE WHEN $3 IS NOT NULL THEN $1 END"
	" WHERE triggering_record_type = $1 AND triggering_record_id = $2",
	3, {TEXTOID, TEXTOID, TEXTOID}
};
static StaticPlan plan_clear_work_items = {
	"UPDATE orchestration.work_item SET related_record_id = $3,"
	" related_record_type = CASE WHEN $3 IS NOT NULL THEN $1 END"
	" WHERE related_record_type = $1 AND related_record_id = $2",
	3, {TEXTOID, TEXTOID, TEXTOID}
};
static StaticPlan plan_clear_all_runs = {
	"UPDATE orchestration.run SET triggering_record_id = NULL,"
	" triggering_record_type = NULL WHERE triggering_record_type = $1",
	1, {TEXTOID}
};
static StaticPlan plan_clear_all_work_items = {
	"UPDATE orchestration.work_item SET related_record_id = NULL,"
	" related_record_type = NULL WHERE related_record_type = $1",
	1, {TEXTOID}
};

/* The row of a deleted record stays: the variable reads null. */
static StaticPlan plan_move_bound = {
	"UPDATE orchestration.run_record SET record_key = $3"
	" WHERE record_type = $1 AND record_key = $2",
	3, {TEXTOID, TEXTOID, TEXTOID}
};

void
orch_record_move_lookups(const char *type, const char *old_key,
						 const char *new_key)
{
	SystemContext saved;
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};

	orch_system_connect(&saved);
	values[0] = CStringGetTextDatum(type);
	values[1] = CStringGetTextDatum(old_key);
	if (new_key != NULL)
		values[2] = CStringGetTextDatum(new_key);
	else
		nulls[2] = 'n';
	orch_plan_execute_latest(&plan_clear_runs, values, nulls, 0);
	orch_plan_execute_latest(&plan_clear_work_items, values, nulls, 0);
	if (new_key != NULL)
		orch_plan_execute_latest(&plan_move_bound, values, nulls, 0);
	orch_system_finish(&saved);
}

void
orch_record_clear_lookups(const char *type)
{
	SystemContext saved;
	Datum		value = CStringGetTextDatum(type);

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_clear_all_runs, &value, NULL, 0);
	orch_plan_execute_latest(&plan_clear_all_work_items, &value, NULL, 0);
	orch_system_finish(&saved);
}
