/*-------------------------------------------------------------------------
 *
 * access_argument.c
 *	  Runs and work items as arguments of calls: by id or by name.
 *
 * Each call has an overload that takes a text: a name or an id.  A name that the caller may
 * not know is refused as one that does not exist, in the caller's own words.
 *
 * Names are found by unique indexes, with a catalog snapshot, like everything that decides on
 * access.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_argument.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "access/access_argument.h"
#include "base/argument.h"
#include "base/errors.h"
#include "base/uuid.h"

/* The objects that calls take by name: in messages, and their arguments. */
static const struct
{
	const char *what;
	const char *id_argument;
	const char *name_argument;
	const char *example;
}			objects[NUM_OBJECTS] = {
	[OBJECT_RUN] = {"run", "run_id", "run", "OR-00000001"},
	[OBJECT_WORK_ITEM] = {"work item", "work_item_id", "work_item", "WI-00000001"}
};

static bool knows(Oid role, const RecordAccess *record, NameScope scope);
static bool find_name(const char *name, SharedObject object, NameScope scope,
					  pg_uuid_t *id);
static pg_uuid_t *find_record(const char *text, SharedObject object, NameScope scope);

/*
 * Does the role know the name of the record?
 */
static bool
knows(Oid role, const RecordAccess *record, NameScope scope)
{
	RecordAccess submission;

	return orch_access_sees(role, record->object, &record->id) ||
		(scope != NAMES_SEEN && record->is_approval &&
		 orch_access_read_submission(&record->run_id, &submission) &&
		 orch_access_sees(role, OBJECT_APPROVAL_SUBMISSION, &submission.id));
}

static bool
find_name(const char *name, SharedObject object, NameScope scope, pg_uuid_t *id)
{
	RecordAccess record;

	if (!orch_access_find_name(object, name, &record) ||
		!knows(GetUserId(), &record, scope))
		return false;
	*id = record.id;
	return true;
}

static pg_uuid_t *
find_record(const char *text, SharedObject object, NameScope scope)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	if (orch_uuid_parse(text, id))
		return id;
	if (text[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a %s must not be empty", objects[object].what)));
	(void) orch_access_require_user(GetUserId());
	if (find_name(text, object, scope, id) ||
		(scope == NAMES_OR_APPROVAL &&
		 find_name(text, object == OBJECT_RUN ? OBJECT_APPROVAL_SUBMISSION :
				   OBJECT_APPROVAL_WORK_ITEM, NAMES_SEEN, id)))
		return id;
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
			 errmsg("%s \"%s\" does not exist", objects[object].what, text),
			 errhint("Pass its name, such as %s, or its id.", objects[object].example),
			 orch_error_column(orch_access_relation(object), "name")));
}

pg_uuid_t *
orch_argument_record(FunctionCallInfo fcinfo, int argno, SharedObject object,
					 NameScope scope)
{
	bool		is_text = orch_argument_is_text(fcinfo, argno);

	orch_require_arguments(fcinfo, argno, 1, is_text ? objects[object].name_argument :
						   objects[object].id_argument);
	if (!is_text)
		return PG_GETARG_UUID_P(argno);
	return find_record(text_to_cstring(PG_GETARG_TEXT_PP(argno)), object, scope);
}

PG_FUNCTION_INFO_V1(orchestration_run_id);

/*
 * orchestration.run_id(run text) returns uuid
 *
 * Returns the id of a run that the caller sees, by its name or by its id as text.
 * Raises: 22004 for null, 22023 for an empty text, OR101 for a run that does not exist or
 * that the caller does not see, 42501 for a role that acts as no active user.
 * Source: ours.
 */
Datum
orchestration_run_id(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id;

	orch_require_arguments(fcinfo, 0, 1, "run");
	id = find_record(text_to_cstring(PG_GETARG_TEXT_PP(0)), OBJECT_RUN, NAMES_SEEN);
	(void) orch_access_require_user(GetUserId());
	if (!orch_access_sees(GetUserId(), OBJECT_RUN, id))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("run %s does not exist", orch_uuid_text(id)),
				 orch_error_column(RELATION_RUN, "id")));
	PG_RETURN_UUID_P(id);
}
