/*-------------------------------------------------------------------------
 *
 * listen.c
 *	  listen_for_steps() and listen_for_work(): a session begins to wait.
 *
 * notify.c has the protocol of waiting and its proof.  By that protocol these functions
 * read the queue only after the session is counted as waiting.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/listen.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/compat.h"
#include "base/system.h"
#include "engine/notify.h"
#include "record/gate.h"
#include "work/queue.h"

PG_FUNCTION_INFO_V1(orchestration_listen_for_steps);

/*
 * orchestration.listen_for_steps(topics text[]) returns double precision
 *
 * From now on the session is notified, without a payload, when steps of the topics are
 * queued, until it claims steps of that topic.  Returns the seconds that the session may
 * wait at most:
 *	0			claim now: a step is ready, or the wait cannot begin yet, because in a
 *				transaction block LISTEN takes effect with the commit
 *	a fraction	a transaction that may have queued a step is committing
 *	otherwise	the time until the next retry is due or the next lease ends
 *				(at most 1 second if commits cannot be counted, see notify.c)
 *	null		no limit
 * Raises: 22004 for null, 22023 for an empty topic, 25006 on a standby, 42501 inside a
 * function of an action.  Source: ours.
 */
Datum
orchestration_listen_for_steps(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	List	   *topics;
	double		due;
	double		most;
	bool		in_effect;

	orch_require_arguments(fcinfo, 0, 1, "topics");
	orch_gate_refuse_inside("listen_for_steps()");
	PreventCommandDuringRecovery("listen_for_steps()");
	topics = orch_queue_topic_names(PG_GETARG_ARRAYTYPE_P(0));
	orch_system_connect(&saved);
	in_effect = orch_notify_wait_for_steps(topics, &most);
	orch_system_finish(&saved);
	due = orch_queue_due(topics);
	if (due == 0 || (!in_effect && (IsTransactionBlock() || IsSubTransaction())))
		PG_RETURN_FLOAT8(0);
	if (most >= 0 && (due < 0 || due > most))
		due = most;
	if (due < 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(due);
}

PG_FUNCTION_INFO_V1(orchestration_listen_for_work);

/*
 * orchestration.listen_for_work() returns setof text
 *
 * From now on the session is notified when a work item is assigned to the caller, to a
 * group or queue of the caller, or to somebody who made the caller a delegate.  Returns the names of the channels: one for each of them,
 * and one for COMMIT PREPARED.  Notifications have no payload; my_work_items() shows the
 * work items.  Items that other sessions commit between this call and the commit of its
 * transaction are notified at that commit.
 * Raises: 25006 on a standby, 55P03 if other transactions have been committing for two
 * seconds, 42501 for a caller who acts as no active user, and inside a function of an
 * action.  Source: ours.
 */
Datum
orchestration_listen_for_work(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	AccessSet  *set = orch_access_require_user(GetUserId());
	UuidMap    *principals;
	UuidMap    *reviewers;
	pg_uuid_t  *ids;
	int			nids = 0;
	SystemContext saved;
	ListCell   *cell;
	uint32		i;

	orch_gate_refuse_inside("listen_for_work()");
	PreventCommandDuringRecovery("listen_for_work()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (!set->is_user)
		return (Datum) 0;
	principals = orch_access_arm(set, ARM_ASSIGNEE);
	reviewers = orch_access_arm(set, ARM_REVIEWER);
	ids = palloc(sizeof(pg_uuid_t) * Max(principals->count + reviewers->count, 1));
	for (i = 0; i < principals->size; i++)
		if (principals->values[i] != 0)
			ids[nids++] = principals->keys[i];
	for (i = 0; i < reviewers->size; i++)
		if ((reviewers->values[i] & REVIEWS_AS_DELEGATE) != 0)
			ids[nids++] = reviewers->keys[i];
	orch_system_connect(&saved);
	foreach(cell, orch_notify_wait_for_work(ids, nids))
	{
		Datum		value = CStringGetTextDatum(lfirst(cell));
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	}
	orch_system_finish(&saved);
	return (Datum) 0;
}
