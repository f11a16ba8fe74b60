/*-------------------------------------------------------------------------
 *
 * access_extent.c
 *	  How much of an object's table a user sees.
 *
 * A session of a gateway serves one user after the other with the same kept plans.  A plan
 * that suits a user who sees every run would read a million rows for one who sees 300, so
 * plans are kept for each extent.  An extent is an estimate: it decides how rows are found,
 * never which rows.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_extent.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/uuid.h"

/* Reading and sorting this many rows is cheap. */
#define FEW_ROWS	5000.0

/* Distinct values of a column without statistics. */
#define DEFAULT_DISTINCT	200.0

typedef struct ArmColumn
{
	AccessArm	arm;
	AttrNumber	attnum;			/* 0: the object has no such arm */
} ArmColumn;

#define NUM_ARMS	5

static const OrchRelation tables[NUM_OBJECTS] = {
	RELATION_RUN, RELATION_STAGE_RUN, RELATION_STEP_RUN, RELATION_WORK_ITEM,
	RELATION_SUBMISSION, RELATION_SUBMISSION_ITEM
};

static const ArmColumn arms[NUM_OBJECTS][NUM_ARMS] = {
	[OBJECT_RUN] = {{ARM_OWNER, Anum_run_owner_id}, {ARM_RECORD, Anum_run_id},
	{ARM_ORCHESTRATION, Anum_run_orchestration_id}, {ARM_ASSIGNEE, 0}},
	[OBJECT_STAGE] = {{ARM_OWNER, Anum_stage_run_owner_id}, {ARM_RECORD, Anum_stage_run_id},
	{ARM_ORCHESTRATION, Anum_stage_run_orchestration_id}, {ARM_ASSIGNEE, 0}},
	[OBJECT_STEP] = {{ARM_OWNER, Anum_step_run_owner_id}, {ARM_RECORD, Anum_step_run_id},
	{ARM_ORCHESTRATION, Anum_step_run_orchestration_id}, {ARM_ASSIGNEE, 0}},
	[OBJECT_WORK_ITEM] = {{ARM_OWNER, Anum_work_item_owner_id}, {ARM_RECORD, Anum_work_item_id},
	{ARM_ORCHESTRATION, Anum_work_item_orchestration_id},
	{ARM_ASSIGNEE, Anum_work_item_assignee_id},
	{ARM_REVIEWER, Anum_work_item_assignee_id}},
	[OBJECT_APPROVAL_SUBMISSION] = {{ARM_OWNER, Anum_submission_owner_id},
	{ARM_RECORD, Anum_submission_id},
	{ARM_ORCHESTRATION, Anum_submission_orchestration_id}, {ARM_ASSIGNEE, 0}},
	[OBJECT_APPROVAL_WORK_ITEM] = {{ARM_OWNER, Anum_submission_item_owner_id},
	{ARM_RECORD, Anum_submission_item_submission_id},
	{ARM_ORCHESTRATION, Anum_submission_item_orchestration_id}, {ARM_ASSIGNEE, 0}}
};

/* Counts changes of statistics, of any table. */
static uint64 statistics_generation = 1;

static void forget_statistics(Datum arg, int cacheid, uint32 hashvalue);
static double arm_part(AccessSet *set, AccessArm arm, SharedObject object, AttrNumber attnum,
					   double rows);
static double table_rows(SharedObject object);
static AccessExtent extent(AccessSet *set, SharedObject object);

void
orch_access_extent_init(void)
{
	CacheRegisterSyscacheCallback(STATRELATTINH, forget_statistics, (Datum) 0);
}

static void
forget_statistics(Datum arg, int cacheid, uint32 hashvalue)
{
	statistics_generation++;
}

/*
 * The part of an object's rows whose column is in a user's set: the frequencies of the most
 * common values that are in it, and an equal share of the rest for each other id.
 */
double
orch_access_selectivity(AccessSet *set, AccessArm arm, SharedObject object,
						HeapTuple statistics, double ndistinct)
{
	UuidMap    *map = orch_access_arm(set, arm);
	AttStatsSlot slot;
	double		common = 0;		/* rows of common values in the set */
	double		all_common = 0;
	double		nullfrac = 0;
	int			ncommon = 0;
	int			nin_common = 0;
	double		nids = 0;
	double		result;
	uint32		i;

	for (i = 0; i < map->size; i++)
		if (ARM_SHOWS(arm, map->values[i], object))
			nids++;
	if (nids == 0)
		return 0.0;

	if (HeapTupleIsValid(statistics))
	{
		nullfrac = ((Form_pg_statistic) GETSTRUCT(statistics))->stanullfrac;
		if (get_attstatsslot(&slot, statistics, STATISTIC_KIND_MCV,
							 InvalidOid, ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
		{
			for (i = 0; i < (uint32) slot.nvalues; i++)
			{
				uint16		value = orch_uuid_map_get(map, DatumGetUUIDP(slot.values[i]));

				if (ARM_SHOWS(arm, value, object))
				{
					common += slot.numbers[i];
					nin_common++;
				}
				all_common += slot.numbers[i];
				ncommon++;
			}
			free_attstatsslot(&slot);
		}
	}

	result = common;
	if (nids > nin_common && ndistinct > ncommon)
		result += (1.0 - nullfrac - all_common) *
			Min((nids - nin_common) / (ndistinct - ncommon), 1.0);
	CLAMP_PROBABILITY(result);
	return result;
}

/*
 * The part of an object's rows that an arm shows; rows: how many there are.
 */
static double
arm_part(AccessSet *set, AccessArm arm, SharedObject object, AttrNumber attnum, double rows)
{
	HeapTuple	statistics = SearchSysCache3(STATRELATTINH,
											 ObjectIdGetDatum(orch_catalog_relation(tables[object])),
											 Int16GetDatum(attnum), BoolGetDatum(false));
	double		ndistinct = 0;
	double		result;

	if (HeapTupleIsValid(statistics))
		ndistinct = ((Form_pg_statistic) GETSTRUCT(statistics))->stadistinct;
	if (arm == ARM_RECORD)
		ndistinct = rows;
	else if (ndistinct < 0)
		ndistinct = -ndistinct * rows;
	else if (ndistinct == 0)
		ndistinct = DEFAULT_DISTINCT;
	result = orch_access_selectivity(set, arm, object, statistics, ndistinct);
	if (HeapTupleIsValid(statistics))
		ReleaseSysCache(statistics);
	return result;
}

/*
 * Rows of an object's table; -1: never analyzed.
 */
static double
table_rows(SharedObject object)
{
	HeapTuple	tuple = SearchSysCache1(RELOID,
										ObjectIdGetDatum(orch_catalog_relation(tables[object])));
	double		rows = -1;

	if (HeapTupleIsValid(tuple))
	{
		rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return rows;
}

/*
 * As if each submission had one work item.
 */
double
orch_access_reviewed_part(AccessSet *set)
{
	double		rows = Max(table_rows(OBJECT_APPROVAL_WORK_ITEM), 1);
	double		result;

	if (!set->is_user)
		return 0.0;
	result = arm_part(set, ARM_ASSIGNEE, OBJECT_APPROVAL_WORK_ITEM,
					  Anum_submission_item_assigned_to, rows) +
		arm_part(set, ARM_REVIEWER, OBJECT_APPROVAL_WORK_ITEM,
				 Anum_submission_item_assigned_to, rows);
	CLAMP_PROBABILITY(result);
	return result;
}

static AccessExtent
extent(AccessSet *set, SharedObject object)
{
	double		rows = table_rows(object);
	double		part = 0;
	int			i;

	if (rows <= FEW_ROWS)
		return SEES_FEW;

	for (i = 0; i < NUM_ARMS; i++)
	{
		const ArmColumn *column = &arms[object][i];

		if (column->attnum != 0)
			part += arm_part(set, column->arm, object, column->attnum, rows);
	}
	if (object == OBJECT_APPROVAL_SUBMISSION || object == OBJECT_APPROVAL_WORK_ITEM)
		part += orch_access_reviewed_part(set);
	return part * rows <= FEW_ROWS ? SEES_FEW :
		part <= MAX_INDEX_SELECTIVITY ? SEES_SOME : SEES_MOST;
}

/*
 * Kept with the user's sets, until these or the statistics change.
 */
uint32
orch_access_extents(Oid role)
{
	AccessSet  *set = orch_access_of_role(role);
	uint32		extents = 0;
	int			object;

	if (set->is_user && set->extents_statistics == statistics_generation &&
		set->extents_shares == orch_catalog_share_generation)
		return set->extents;
	for (object = 0; object < NUM_OBJECTS; object++)
	{
		AccessExtent found = set->base[object] >= ACCESS_READ ? SEES_MOST :
			set->is_user ? extent(set, (SharedObject) object) : SEES_FEW;

		extents |= (uint32) found << (2 * object);
	}
	if (set->is_user)
	{
		set->extents = extents;
		set->extents_statistics = statistics_generation;
		set->extents_shares = orch_catalog_share_generation;
	}
	return extents;
}
