/*-------------------------------------------------------------------------
 *
 * guard_reference.c
 *	  References of rows that no foreign key checks.
 *
 * Owners, versions and records are referred to by id or by a record type and a key.
 * A lookup of a record is checked under the rights of the role that writes it, because
 * a role that may name any record would learn which records exist.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/guard_reference.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/rel.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/uuid.h"
#include "definition/definition.h"
#include "guard/guard_int.h"
#include "record/principal.h"
#include "record/record.h"

static bool names_any_record(Oid role);
static void check_owner(Level level, TriggerData *trigdata);
static void check_assignee(TriggerData *trigdata);
static void check_orchestration(TriggerData *trigdata);
static void check_record(Level level, TriggerData *trigdata);

/*
 * May the role name records that it cannot read?  The extension may, and so may roles
 * that row security does not limit.
 */
static bool
names_any_record(Oid role)
{
	return role == orch_catalog_owner() ||
		orch_access_is_unlimited(orch_access_of_role(role));
}

/*
 * The record type of a lookup that has a key only: the one that has such a record, which the
 * current role may read; and the record's id.  NULL when there is none.
 */
char *
orch_guard_record_type(const char *key, char **id)
{
	Oid			role = GetUserId();

	return orch_record_find_type(key, names_any_record(role) ? InvalidOid : role, id);
}

/*
 * The id of the record that a new lookup names, NULL when there is none that the current
 * role may read.
 */
char *
orch_guard_record_id(const char *type, const char *key)
{
	Oid			role = GetUserId();

	return orch_record_id(type, key, names_any_record(role) ? InvalidOid : role);
}

/*
 * Does an UPDATE leave the lookup as it is?
 */
bool
orch_guard_names_same_record(Level level, TriggerData *trigdata)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	AttrNumber	columns[] = {col->record_id, col->record_type};
	int			i;

	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return false;
	for (i = 0; i < (int) lengthof(columns); i++)
	{
		char	   *old_text = orch_guard_row_text(trigdata->tg_trigtuple, desc, columns[i]);
		char	   *new_text = orch_guard_row_text(trigdata->tg_newtuple, desc, columns[i]);

		if (old_text == NULL || new_text == NULL || strcmp(old_text, new_text) != 0)
			return false;
	}
	return true;
}

/*
 * The orchestration that a new row belongs to: for a run that of its version, for
 * other rows that of their run.  NULL when there is none.
 */
pg_uuid_t *
orch_guard_orchestration(Level level, HeapTuple row, TupleDesc desc)
{
	pg_uuid_t  *id;
	pg_uuid_t  *result = palloc(sizeof(pg_uuid_t));

	if (level == LEVEL_RUN)
	{
		id = orch_guard_row_uuid(row, desc, Anum_run_version_id);
		if (id == NULL)
			return NULL;
		*result = orch_definition_get(id)->orchestration_id;
	}
	else
	{
		RecordAccess run;

		id = orch_guard_row_uuid(row, desc, orch_guard_columns[level].run_id);
		if (id == NULL || !orch_access_read(OBJECT_RUN, id, &run) ||
			!run.has_orchestration)
			return NULL;
		*result = run.orchestration_id;
	}
	return result;
}

/*
 * Check the references of a row that was inserted or updated.  While rows are loaded,
 * the tables may come in any order, so that nothing is checked; verify() finds what is
 * missing then.  Raises OR101, OR102, OR103, OR005.
 */
void
orch_guard_check_references(Level level, TriggerData *trigdata)
{
	if (orch_guard_is_loading(RelationGetRelid(trigdata->tg_relation)))
		return;
	check_owner(level, trigdata);
	if (level == LEVEL_WORK_ITEM)
		check_assignee(trigdata);
	if (level == LEVEL_RUN && !TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		check_orchestration(trigdata);
	if (orch_guard_columns[level].record_id != 0)
		check_record(level, trigdata);
}

/*
 * A new owner must be an active user, or the automated process user.
 */
static void
check_owner(Level level, TriggerData *trigdata)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	pg_uuid_t  *owner = orch_guard_row_uuid(row, desc, col->owner_id);
	Principal	principal;

	if (orch_uuid_equal(owner, &orch_automated_process))
		return;
	if (update &&
		orch_uuid_equal(owner, orch_guard_row_uuid(trigdata->tg_trigtuple, desc, col->owner_id)))
		return;
	if (!orch_principal_get(owner, &principal) ||
		principal.kind != PRINCIPAL_USER || !principal.is_active)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("%s cannot be owned by %s: it is no active user",
						orch_guard_row_label(level, row, desc), orch_principal_label(owner)),
				 level == LEVEL_WORK_ITEM ?
				 errdetail("A work item that is assigned to a user is owned by that user.") : 0,
				 errtablecol(trigdata->tg_relation, col->owner_id)));
}

/*
 * A new assignee must be active; the foreign key says whether there is one.
 */
static void
check_assignee(TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	pg_uuid_t  *assignee = orch_guard_row_uuid(row, desc, Anum_work_item_assignee_id);
	Principal	principal;

	if (orch_guard_row_status(LEVEL_WORK_ITEM, row, desc) == WORK_ITEM_COMPLETED ||
		(update && orch_uuid_equal(assignee,
								   orch_guard_row_uuid(trigdata->tg_trigtuple, desc,
													   Anum_work_item_assignee_id))))
		return;
	if (orch_principal_get(assignee, &principal) && !principal.is_active)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_PRINCIPAL),
				 errmsg("%s cannot be assigned to %s: it is not active",
						orch_guard_row_label(LEVEL_WORK_ITEM, row, desc),
						orch_principal_label(assignee)),
				 errtablecol(trigdata->tg_relation, Anum_work_item_assignee_id)));
}

/*
 * A new run has the orchestration of its version.
 */
static void
check_orchestration(TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = trigdata->tg_trigtuple;
	pg_uuid_t  *version = orch_guard_row_uuid(row, desc, Anum_run_version_id);
	pg_uuid_t  *orchestration = orch_guard_row_uuid(row, desc, Anum_run_orchestration_id);

	if (version != NULL &&
		(orchestration == NULL ||
		 !orch_uuid_equal(&orch_definition_get(version)->orchestration_id,
						  orchestration)))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("%s must have the orchestration of its version",
						orch_guard_row_label(LEVEL_RUN, row, desc)),
				 errtablecol(trigdata->tg_relation, Anum_run_orchestration_id)));
	/* the session may have it in memory although it was deleted */
	if (version != NULL && !orch_definition_hold_version(version))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("the version of %s does not exist",
						orch_guard_row_label(LEVEL_RUN, row, desc)),
				 errtablecol(trigdata->tg_relation, Anum_run_version_id)));
}

/*
 * A new lookup names a record that exists and that the current role may read.  The
 * record is locked against deletion.
 */
static void
check_record(Level level, TriggerData *trigdata)
{
	const LevelColumns *col = &orch_guard_columns[level];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	char	   *key = orch_guard_row_text(row, desc, col->record_id);
	char	   *type = orch_guard_row_text(row, desc, col->record_type);
	char	   *id;

	if (key == NULL || type == NULL || orch_guard_names_same_record(level, trigdata))
		return;
	if (!names_any_record(GetUserId()) && !orch_record_readable(type, key, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("record \"%s\" of type \"%s\" does not exist", key, type),
				 errtablecol(trigdata->tg_relation, col->record_id)));
	id = orch_record_lock(type, key, false);
	/* filled in before, unless a trigger of the user wrote the key */
	if (strcmp(id, key) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("record \"%s\" of type \"%s\" does not exist", key, type),
				 errhint("There is a record with the id \"%s\".", id),
				 errtablecol(trigdata->tg_relation, col->record_id)));
}
