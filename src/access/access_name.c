/*-------------------------------------------------------------------------
 *
 * access_name.c
 *	  Names of runs, stages, steps and work items in messages.
 *
 * People say OR-00000012, and programs keep an id.  Messages say the name, unless their reader
 * does not see the record.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_name.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/access.h"
#include "access/access_name.h"
#include "base/frame.h"
#include "base/uuid.h"

static const char *const object_names[NUM_OBJECTS] = {
	"run", "stage", "step", "work item", "approval submission", "approval work item"
};

static bool sees(Oid role, const RecordAccess *record);
static char *run_name(const pg_uuid_t *run_id);

static bool
sees(Oid role, const RecordAccess *record)
{
	return OidIsValid(role) &&
		orch_access_level(orch_access_of_role(role), record) != ACCESS_NONE;
}

/* NULL if there is no run that the reader of the message sees. */
static char *
run_name(const pg_uuid_t *run_id)
{
	RecordAccess record;
	char	   *name;

	return orch_access_read_named(OBJECT_RUN, run_id, &record, &name) &&
		sees(orch_frame_caller(), &record) ? name : NULL;
}

char *
orch_label(SharedObject object, const pg_uuid_t *id)
{
	RecordAccess record;
	char	   *name;

	if (!orch_access_read_named(object, id, &record, &name) ||
		!sees(orch_frame_caller(), &record))
		return psprintf("%s %s", object_names[object], orch_uuid_text(id));
	if (object == OBJECT_STAGE || object == OBJECT_STEP)
		return orch_label_part(object, name, id, &record.run_id);
	return psprintf("%s %s", object_names[object], name);
}

char *
orch_label_run(const pg_uuid_t *run_id)
{
	return orch_label(OBJECT_RUN, run_id);
}

char *
orch_label_part(SharedObject object, const char *name, const pg_uuid_t *id,
				const pg_uuid_t *run_id)
{
	char	   *run = run_name(run_id);

	if (run == NULL)
		return psprintf("%s \"%s\" (%s)", object_names[object], name, orch_uuid_text(id));
	return psprintf("%s \"%s\" of run %s", object_names[object], name, run);
}
