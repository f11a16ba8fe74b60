/*-------------------------------------------------------------------------
 *
 * chain.c
 *	  How deep runs may set each other off.
 *
 * The action of a run changes a record, the change starts another run, whose action
 * changes the next record, and so on.  Calls in actions and users' triggers make chains,
 * too.  A chain is one stack of calls in one statement, and each run in it has a frame.
 * Without a limit it would end when the server's stack is full.  So a chain that is longer
 * than orchestration.max_chain_depth raises an error, which names the runs in it.  The
 * whole statement that began the chain fails, and not only the last run, because that run
 * is not the cause.
 *
 * A run has several frames if its action makes a call on its own run; it counts once.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/chain.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rls.h"

#include "access/access.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/chain.h"

/* Levels that the error names. */
#define MAX_NAMED	32

int			orch_max_chain_depth = 16;

static bool moved_further_out(const Frame *frame, const pg_uuid_t *run_id);
static void refuse(const char *orchestration, const char *record_type,
				   const char *record_key, int depth);
static char *level_text(const char *orchestration, const char *record_type,
						const char *record_key);
static bool may_see_keys(const char *record_type);

void
orch_chain_check(const pg_uuid_t *run_id, const char *orchestration,
				 const char *record_type, const char *record_key)
{
	Frame	   *frame;
	int			depth = 1;

	for (frame = orch_frame_top(); frame != NULL; frame = frame->outer)
		depth += frame->orchestration != NULL;
	if (depth <= orch_max_chain_depth || moved_further_out(orch_frame_top(), run_id))
		return;

	/* count again, now each run once */
	depth = 1;
	for (frame = orch_frame_top(); frame != NULL; frame = frame->outer)
		depth += frame->orchestration != NULL &&
			!moved_further_out(frame->outer, &frame->run_id);
	if (depth > orch_max_chain_depth)
		refuse(orchestration, record_type, record_key, depth);
}

/*
 * Does this frame, or one further out, move the run?
 */
static bool
moved_further_out(const Frame *frame, const pg_uuid_t *run_id)
{
	for (; frame != NULL; frame = frame->outer)
		if (frame->orchestration != NULL && orch_uuid_equal(&frame->run_id, run_id))
			return true;
	return false;
}

static void
refuse(const char *orchestration, const char *record_type, const char *record_key,
	   int depth)
{
	const Frame **levels = palloc(sizeof(Frame *) * depth);
	const Frame *frame;
	StringInfoData chain;
	char	   *last = level_text(orchestration, record_type, record_key);
	int			n = depth - 1;
	int			i;

	for (frame = orch_frame_top(); frame != NULL; frame = frame->outer)
		if (frame->orchestration != NULL &&
			!moved_further_out(frame->outer, &frame->run_id))
			levels[--n] = frame;
	initStringInfo(&chain);
	for (i = 0; i < Min(depth - 1, MAX_NAMED); i++)
		appendStringInfo(&chain, "%s, ",
						 level_text(levels[i]->orchestration, levels[i]->record_type,
									levels[i]->record_key == NULL ? NULL :
									levels[i]->record_key->key));
	if (depth - 1 > MAX_NAMED)
		appendStringInfoString(&chain, "..., ");
	appendStringInfoString(&chain, last);
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CHAIN_TOO_LONG),
			 errmsg("%s would be number %d of a chain of runs that set each other off; %d are allowed",
					last, depth, orch_max_chain_depth),
			 errdetail("The chain: %s.", chain.data),
			 errhint("End the chain by filters of a start or an entry condition, or raise orchestration.max_chain_depth.")));
}

static char *
level_text(const char *orchestration, const char *record_type, const char *record_key)
{
	if (record_type == NULL || record_key == NULL)
		return psprintf("\"%s\"", orchestration);
	if (!may_see_keys(record_type))
		return psprintf("\"%s\" for a record of type \"%s\"", orchestration, record_type);
	return psprintf("\"%s\" for record \"%s\" of type \"%s\"", orchestration, record_key,
					record_type);
}

/*
 * May the caller see every record of this type?  The caller need not know the records
 * that the runs of a chain changed.  Row policies are not evaluated, because they may run
 * users' code while the error is being raised.
 */
static bool
may_see_keys(const char *record_type)
{
	static StaticPlan plan = {
		"SELECT c.oid FROM orchestration.record_type t"
		" JOIN pg_catalog.pg_class c ON c.oid = t.relation WHERE t.name = $1",
		1, {TEXTOID}
	};
	Oid			role = GetOuterUserId();
	Datum		value;
	SystemContext saved;
	bool		result;
	bool		isnull;

	if (orch_access_is_unlimited(orch_access_of_role(role)))
		return true;
	value = CStringGetTextDatum(record_type);
	orch_system_connect(&saved);
	orch_plan_execute(&plan, &value, NULL, true, 1);
	result = SPI_processed > 0;
	if (result)
	{
		Oid			relation = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
															  SPI_tuptable->tupdesc, 1,
															  &isnull));

		result = pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK &&
			check_enable_rls(relation, role, true) != RLS_ENABLED;
	}
	orch_system_finish(&saved);
	return result;
}
