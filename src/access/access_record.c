/*-------------------------------------------------------------------------
 *
 * access_record.c
 *	  The parts of a record that access to it depends on.
 *
 * Read with a catalog snapshot, like everything that decides on access: an older
 * snapshot would answer for an owner that the record no longer has.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_record.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "access/access.h"
#include "base/catalog.h"

#define ALWAYS_APPROVAL (-1)

/* The columns of each object's table; run_id: 0 for the run itself. */
static const struct
{
	OrchRelation relation;
	OrchRelation index;			/* by id */
	AttrNumber	run_id;
	AttrNumber	id;
	AttrNumber	share_id;
	AttrNumber	owner_id;
	AttrNumber	orchestration_id;
	AttrNumber	assignee_id;	/* or 0 */
	AttrNumber	is_approval;	/* 0: never; ALWAYS_APPROVAL */
	AttrNumber	name;
	OrchRelation name_index;	/* unless 0: the name is of one record */
}			columns[NUM_OBJECTS] = {
	[OBJECT_RUN] = {RELATION_RUN, INDEX_RUN_ID, 0, Anum_run_id, Anum_run_id,
		Anum_run_owner_id, Anum_run_orchestration_id, 0, Anum_run_is_approval,
	Anum_run_name, INDEX_RUN_NAME},
	[OBJECT_STAGE] = {RELATION_STAGE_RUN, INDEX_STAGE_RUN_ID,
		Anum_stage_run_run_id, Anum_stage_run_id, Anum_stage_run_id, Anum_stage_run_owner_id,
	Anum_stage_run_orchestration_id, 0, 0, Anum_stage_run_name},
	[OBJECT_STEP] = {RELATION_STEP_RUN, INDEX_STEP_RUN_ID,
		Anum_step_run_run_id, Anum_step_run_id, Anum_step_run_id, Anum_step_run_owner_id,
	Anum_step_run_orchestration_id, 0, 0, Anum_step_run_name},
	[OBJECT_WORK_ITEM] = {RELATION_WORK_ITEM, INDEX_WORK_ITEM_ID,
		Anum_work_item_run_id, Anum_work_item_id, Anum_work_item_id, Anum_work_item_owner_id,
		Anum_work_item_orchestration_id, Anum_work_item_assignee_id, Anum_work_item_is_approval,
	Anum_work_item_name, INDEX_WORK_ITEM_NAME},
	[OBJECT_APPROVAL_SUBMISSION] = {RELATION_SUBMISSION,
		INDEX_SUBMISSION_ID, Anum_submission_run_id,
		Anum_submission_id, Anum_submission_id,
		Anum_submission_owner_id, Anum_submission_orchestration_id, 0, ALWAYS_APPROVAL,
	Anum_submission_name, INDEX_SUBMISSION_NAME},
	[OBJECT_APPROVAL_WORK_ITEM] = {RELATION_SUBMISSION_ITEM,
		INDEX_SUBMISSION_ITEM_ID, Anum_submission_item_run_id,
		Anum_submission_item_id, Anum_submission_item_submission_id,
		Anum_submission_item_owner_id, Anum_submission_item_orchestration_id,
		Anum_submission_item_assigned_to, ALWAYS_APPROVAL,
	Anum_submission_item_name, INDEX_SUBMISSION_ITEM_NAME}
};

static bool read_by(SharedObject object, OrchRelation index, AttrNumber attnum,
					const pg_uuid_t *key, RecordAccess *record, char **name);
static bool read_row(SharedObject object, OrchRelation index, ScanKey key,
					 RecordAccess *record, char **name);

void
orch_access_of_tuple(SharedObject object, HeapTuple tuple, TupleDesc desc,
					 RecordAccess *record)
{
	Datum		value;
	bool		isnull;

	memset(record, 0, sizeof(*record));
	record->object = object;
	record->id = *DatumGetUUIDP(heap_getattr(tuple, columns[object].id, desc, &isnull));
	record->share_id = *DatumGetUUIDP(heap_getattr(tuple, columns[object].share_id, desc,
												   &isnull));
	record->run_id = columns[object].run_id == 0 ? record->id :
		*DatumGetUUIDP(heap_getattr(tuple, columns[object].run_id, desc, &isnull));
	record->owner_id = *DatumGetUUIDP(heap_getattr(tuple, columns[object].owner_id, desc, &isnull));
	value = heap_getattr(tuple, columns[object].orchestration_id, desc, &isnull);
	record->has_orchestration = !isnull;
	if (!isnull)
		record->orchestration_id = *DatumGetUUIDP(value);
	record->has_assignee = columns[object].assignee_id != 0;
	if (record->has_assignee)
		record->assignee_id = *DatumGetUUIDP(heap_getattr(tuple, columns[object].assignee_id,
														  desc, &isnull));
	record->is_approval = columns[object].is_approval == ALWAYS_APPROVAL ||
		(columns[object].is_approval != 0 &&
		 DatumGetBool(heap_getattr(tuple, columns[object].is_approval, desc, &isnull)));
}

OrchRelation
orch_access_relation(SharedObject object)
{
	return columns[object].relation;
}

bool
orch_access_read(SharedObject object, const pg_uuid_t *id, RecordAccess *record)
{
	return read_by(object, columns[object].index, columns[object].id, id, record, NULL);
}

bool
orch_access_read_named(SharedObject object, const pg_uuid_t *id, RecordAccess *record,
					   char **name)
{
	return read_by(object, columns[object].index, columns[object].id, id, record, name);
}

bool
orch_access_find_name(SharedObject object, const char *name, RecordAccess *record)
{
	ScanKeyData key;

	Assert(columns[object].name_index != 0);
	/* the collation must be that of the index */
	ScanKeyEntryInitialize(&key, 0, columns[object].name, BTEqualStrategyNumber, InvalidOid,
						   DEFAULT_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(name));
	return read_row(object, columns[object].name_index, &key, record, NULL);
}

bool
orch_access_read_submission(const pg_uuid_t *run_id, RecordAccess *record)
{
	return read_by(OBJECT_APPROVAL_SUBMISSION, INDEX_SUBMISSION_RUN, Anum_submission_run_id,
				   run_id, record, NULL);
}

static bool
read_by(SharedObject object, OrchRelation index, AttrNumber attnum, const pg_uuid_t *key,
		RecordAccess *record, char **name)
{
	ScanKeyData scankey;

	ScanKeyInit(&scankey, attnum, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(key));
	return read_row(object, index, &scankey, record, name);
}

/* The record that a unique index finds; name may be NULL. */
static bool
read_row(SharedObject object, OrchRelation index, ScanKey key, RecordAccess *record,
		 char **name)
{
	Relation	relation = table_open(orch_catalog_relation(columns[object].relation),
									  AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;
	bool		isnull;

	scan = systable_beginscan(relation, orch_catalog_relation(index), true, NULL, 1, key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		orch_access_of_tuple(object, tuple, RelationGetDescr(relation), record);
	if (found && name != NULL)
		*name = TextDatumGetCString(heap_getattr(tuple, columns[object].name,
												 RelationGetDescr(relation), &isnull));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

bool
orch_access_find(const pg_uuid_t *id, RecordAccess *record)
{
	int			object;

	for (object = 0; object < NUM_OBJECTS; object++)
		if (orch_access_read((SharedObject) object, id, record))
			return true;
	return false;
}

bool
orch_access_was_asked(const UuidMap *principals, const UuidMap *reviewers,
					  const pg_uuid_t *submission_id)
{
	Relation	relation = table_open(orch_catalog_relation(RELATION_SUBMISSION_ITEM),
									  AccessShareLock);
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&scankey, Anum_submission_item_submission_id, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(submission_id));
	scan = systable_beginscan(relation, orch_catalog_relation(INDEX_SUBMISSION_ITEM_SUBMISSION),
							  true, NULL, 1, &scankey);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		pg_uuid_t  *assignee = DatumGetUUIDP(heap_getattr(tuple,
														  Anum_submission_item_assigned_to,
														  RelationGetDescr(relation),
														  &isnull));

		CHECK_FOR_INTERRUPTS();
		found = orch_uuid_map_get(principals, assignee) != 0 ||
			orch_uuid_map_get(reviewers, assignee) != 0;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

void
orch_access_find_reviewed(const UuidMap *principals, UuidMap *submissions)
{
	Relation	relation = table_open(orch_catalog_relation(RELATION_SUBMISSION_ITEM),
									  AccessShareLock);
	uint32		i;

	for (i = 0; i < principals->size; i++)
	{
		ScanKeyData scankey;
		SysScanDesc scan;
		HeapTuple	tuple;

		if (principals->values[i] == 0)
			continue;
		ScanKeyInit(&scankey, Anum_submission_item_assigned_to, BTEqualStrategyNumber,
					F_UUID_EQ, UUIDPGetDatum(&principals->keys[i]));
		scan = systable_beginscan(relation,
								  orch_catalog_relation(INDEX_SUBMISSION_ITEM_ASSIGNED_TO),
								  true, NULL, 1, &scankey);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			bool		isnull;

			CHECK_FOR_INTERRUPTS();
			*orch_uuid_map_enter(submissions,
								 DatumGetUUIDP(heap_getattr(tuple,
															Anum_submission_item_submission_id,
															RelationGetDescr(relation),
															&isnull))) = 1;
		}
		systable_endscan(scan);
	}
	table_close(relation, AccessShareLock);
}
