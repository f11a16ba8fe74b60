/*-------------------------------------------------------------------------
 *
 * engine_assignee.c
 *	  Assignees of steps, and the members whose approval a unanimous approval needs.
 *
 * The step of a unanimous approval has a parent work item and, under it, one work item for each active user among
 * its assignees and the members of its groups and queues.  The members are those of the
 * moment at which the step begins: a user who joins a group later gets no work item, and a
 * user who leaves keeps it.
 *
 * Source: approvals.md, section 2, "Unanimous"; which users count is ours.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_assignee.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "engine/notify.h"
#include "record/principal.h"

/* no group contains itself, and UNION would end even then */
static StaticPlan plan_members = {
	"WITH RECURSIVE below (id) AS ("
	" SELECT a.id FROM pg_catalog.unnest($1) AS a (id)"
	" UNION"
	" SELECT m.member_id FROM below b"
	"   JOIN orchestration.membership m ON m.group_id = b.id)"
	" SELECT p.id FROM below b JOIN orchestration.principal p ON p.id = b.id"
	" WHERE p.kind = 'User' AND p.is_active"
	" ORDER BY p.username COLLATE \"C\"",
	1, {UUIDARRAYOID}
};

static bool is_blank(const char *text);
static Jsonb *no_assignee(const StepDef *def, int i, const char *name, bool found);

/*
 * What the assignees of a step evaluate to: char *, NULL for nothing.
 */
List *
orch_engine_assignee_names(RunState *rs, const StepDef *def)
{
	List	   *names = NIL;
	int			i;

	for (i = 0; i < def->nassignees; i++)
		names = lappend(names, orch_condition_value_text(orch_engine_value(rs,
																		   def->assignees[i].value)));
	return names;
}

/*
 * Find the assignees of these names.  Returns NULL, or the error of a step that has no
 * active assignee.
 */
Jsonb *
orch_engine_find_assignees(const StepDef *def, List *names, pg_uuid_t *ids)
{
	int			i;

	if (names == NIL)
		return no_assignee(def, 0, NULL, false);
	for (i = 0; i < list_length(names); i++)
	{
		const char *name = list_nth(names, i);
		Principal	principal;
		bool		found = !is_blank(name) &&
			orch_engine_find_assignee(def->assignees[i].kind, name, &principal);

		CHECK_FOR_INTERRUPTS();
		if (!found || !principal.is_active)
			return no_assignee(def, i, name, found);
		ids[i] = principal.id;
	}
	return NULL;
}

static bool
is_blank(const char *text)
{
	return text == NULL || text[strspn(text, " \t\r\n\f\v")] == '\0';
}

/*
 * The error of a step that has no active assignee i; found: there is one, but inactive.
 */
static Jsonb *
no_assignee(const StepDef *def, int i, const char *name, bool found)
{
	ErrorData	error;

	memset(&error, 0, sizeof(error));
	error.sqlerrcode = ERRCODE_ORCH_UNKNOWN_PRINCIPAL;
	if (is_blank(name))
	{
		error.message = psprintf("the assignee of step \"%s\" is empty", def->name);
		error.detail = psprintf("It comes from %s.", i >= def->nassignees ? "nothing" :
								def->assignees[i].value->text);
		error.hint = "Give it a value and resume the run.";
	}
	else if (!found)
	{
		error.message = psprintf("the assignee \"%s\" of step \"%s\" does not exist",
								 name, def->name);
		error.hint = "Correct the name, or create the assignee, and resume the run.";
	}
	else
	{
		error.message = psprintf("the assignee \"%s\" of step \"%s\" is inactive",
								 name, def->name);
		error.hint = "Activate the assignee and resume the run.";
	}
	return orch_engine_error(&error, NULL);
}

/*
 * Find an assignee by name, as the platform does, or by id: a field of a record or an
 * output may hold an id.
 */
bool
orch_engine_find_assignee(AssigneeKind kind, const char *name, Principal *result)
{
	static const PrincipalKind kinds[] = {
		PRINCIPAL_USER, PRINCIPAL_GROUP, PRINCIPAL_QUEUE
	};
	pg_uuid_t	id;
	int			i;

	for (i = 0; i < (int) lengthof(kinds); i++)
		if ((kind == ASSIGNEE_RESOURCE || (int) kind == i) &&
			orch_principal_find(kinds[i], name, result))
			return true;
	return orch_uuid_parse(name, &id) && orch_principal_get(&id, result) &&
		(kind == ASSIGNEE_RESOURCE || kinds[kind] == result->kind);
}

/*
 * Find the users who must approve.  Returns NULL, or the error of a step that has none.
 */
Jsonb *
orch_engine_find_members(const StepDef *def, List *names, const pg_uuid_t *assignees,
						 pg_uuid_t **members, int *nmembers)
{
	Datum		value = PointerGetDatum(orch_uuid_array(assignees, def->nassignees));
	ErrorData	error;
	uint64		i;

	orch_plan_execute_latest(&plan_members, &value, NULL, 0);
	*nmembers = (int) SPI_processed;
	*members = palloc(Max(*nmembers, 1) * sizeof(pg_uuid_t));
	for (i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		(*members)[i] = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[i],
													 SPI_tuptable->tupdesc, 1, &isnull));
	}
	if (*nmembers > 0)
		return NULL;

	memset(&error, 0, sizeof(error));
	error.sqlerrcode = ERRCODE_ORCH_UNKNOWN_PRINCIPAL;
	error.message = list_length(names) == 1 ?
		psprintf("the assignee \"%s\" of step \"%s\" has no active member",
				 (char *) linitial(names), def->name) :
		psprintf("the assignees of step \"%s\" have no active member", def->name);
	error.detail = "Every member of a unanimous approval gets a work item.";
	error.hint = "Add an active user and resume the run.";
	return orch_engine_error(&error, NULL);
}

/*
 * Write the work item of the step and those of the members, and notify the members.
 */
void
orch_engine_write_members(RunState *rs, WriteRow *parent, const pg_uuid_t *members,
						  int nmembers)
{
	WriteRow   *rows = MemoryContextAllocHuge(CurrentMemoryContext,
											  (nmembers + (Size) 1) * sizeof(WriteRow));
	pg_uuid_t  *ids = palloc(nmembers * sizeof(pg_uuid_t));
	int			i;

	orch_engine_put(parent, Anum_work_item_is_parent, BoolGetDatum(true));
	rows[0] = *parent;
	/* the members decide */
	orch_engine_put(&rows[0], Anum_work_item_is_approval, BoolGetDatum(false));
	for (i = 0; i < nmembers; i++)
	{
		WriteRow   *row = &rows[i + 1];

		CHECK_FOR_INTERRUPTS();
		*row = *parent;
		orch_uuid_generate(&ids[i]);
		orch_engine_put(row, Anum_work_item_id, UUIDPGetDatum(&ids[i]));
		orch_engine_put(row, Anum_work_item_parent_id, parent->values[Anum_work_item_id - 1]);
		orch_engine_put(row, Anum_work_item_is_parent, BoolGetDatum(false));
		/* the parent locks the record until all have answered */
		orch_engine_put(row, Anum_work_item_record_locked, BoolGetDatum(false));
		orch_engine_put(row, Anum_work_item_assignee_id, UUIDPGetDatum(&members[i]));
		orch_notify_assigned(&members[i]);
	}
	orch_engine_write(rs, WRITE_WORK_ITEM, rows, nmembers + 1);
	pfree(rows);
	pfree(ids);
}
