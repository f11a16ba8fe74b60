/*-------------------------------------------------------------------------
 *
 * overview.c
 *	  The overviews say whose records they show.
 *
 * Row security hides rows without a word: a monitoring role that is no user would read
 * "no failed runs" for ever.  So each overview asks check_reader() first.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/overview.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "record/principal.h"

PG_FUNCTION_INFO_V1(orchestration_check_reader);

/*
 * orchestration_internal.check_reader(view text, object orchestration.shared_object)
 * returns boolean
 *
 * Condition of an overview, which the executor evaluates once a scan, before it reads
 * rows.  Returns true.  Notices that the caller sees some records of the object only; a
 * list has no object, for it shows which records it is about.
 * Raises: 42501 if row security applies to the caller, who acts as no active user.
 * Source: ours.
 */
Datum
orchestration_check_reader(PG_FUNCTION_ARGS)
{
	AccessSet  *set;
	char	   *view;
	bool		counts = !PG_ARGISNULL(1);

	/* such a role reads all rows, also while orchestration.user_id is set */
	if (PG_ARGISNULL(0) || has_bypassrls_privilege(GetUserId()))
		PG_RETURN_BOOL(true);
	set = orch_access_of_role(GetUserId());
	view = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!set->is_user)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 orch_user_id != NULL && orch_user_id[0] != '\0' ?
				 errmsg("orchestration.user_id names no active user") :
				 errmsg("role \"%s\" acts as no active user",
						GetUserNameFromId(GetUserId(), false)),
				 errdetail("View \"%s\" shows what the acting user may see, which would be nothing.",
						   view),
				 errhint("Create or activate a user with this role as role_name. To count everything, a member of pg_monitor calls orchestration.engine_stats(), engine_runs() and engine_queue().")));
	/* fn_extra: a scan that is repeated in one statement says it once */
	if (counts && fcinfo->flinfo->fn_extra == NULL &&
		set->base[orch_access_object(PG_GETARG_OID(1))] < ACCESS_READ)
	{
		ereport(NOTICE,
				(errmsg("view \"%s\" counts only what user \"%s\" may see",
						view, orch_principal_role_label(GetUserId())),
				 errhint("A user with View All Data sees everything; a member of pg_monitor counts everything by orchestration.engine_stats(), engine_runs() and engine_queue().")));
		fcinfo->flinfo->fn_extra = fcinfo->flinfo;
	}
	PG_RETURN_BOOL(true);
}
