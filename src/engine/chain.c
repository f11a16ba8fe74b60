/*-------------------------------------------------------------------------
 *
 * chain.c
 *	  The limit on chains of runs that start or move each other.
 *
 * The action of a run may change a record.  That change may start another run, whose
 * action changes another record, and so on.  Calls in actions and triggers of users
 * lengthen the chain in the same way.  The whole chain is one stack of calls in one
 * statement, and each run in it has a frame.  Without a limit it would end with the
 * server's stack depth limit.  So orchestration.max_chain_depth ends it, with an error
 * that names the runs in it.  The error fails the whole statement that began the chain,
 * because the run at which the limit was reached is not the cause.
 *
 * An action may call a function on its own run.  Then several frames move that run; it
 * counts once.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/chain.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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
#include "record/record.h"

/* The error names at most this many runs. */
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

	/* the exact depth counts every run once */
	depth = 1;
	for (frame = orch_frame_top(); frame != NULL; frame = frame->outer)
		depth += frame->orchestration != NULL &&
			!moved_further_out(frame->outer, &frame->run_id);
	if (depth > orch_max_chain_depth)
		refuse(orchestration, record_type, record_key, depth);
}

/*
 * Does this frame, or an outer one, move the run?
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
 * May the caller see every record of this type?  The runs of a chain may have changed
 * records that the caller may not see.  No policy is evaluated: it may call a user's
 * function, and an error is being raised.
 */
static bool
may_see_keys(const char *record_type)
{
	Oid			role = GetOuterUserId();
	SystemContext saved;
	Oid			relation;
	bool		result;

	if (orch_access_is_unlimited(orch_access_of_role(role)))
		return true;
	orch_system_connect(&saved);
	relation = orch_record_table_of(record_type);
	result = OidIsValid(relation) &&
		pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relation, role, true) != RLS_ENABLED;
	orch_system_finish(&saved);
	return result;
}
