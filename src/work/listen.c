/*-------------------------------------------------------------------------
 *
 * listen.c
 *	  listen_for_steps(), listen_for_work() and listen_for_messages(): a session begins to
 *	  wait.
 *
 * notify.c has the protocol of waiting and its proof, and says why a client passes the
 * process id of its session.  By that protocol these functions read the queue only after the
 * session is counted as waiting.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/listen.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/compat.h"
#include "base/system.h"
#include "engine/notify.h"
#include "record/gate.h"
#include "work/mail.h"
#include "work/queue.h"

/* Seconds between looks of a client whose session cannot be notified. */
#define POLL_STEPS		1.0
#define POLL_PEOPLE		5.0

static void put_row(ReturnSetInfo *rsinfo, const char *channel, double max_wait);
static void put_channels(FunctionCallInfo fcinfo, List *channels, double max_wait);
static List *kept(List *channels, MemoryContext context);
static void listen_for_people(FunctionCallInfo fcinfo, int backend_pid,
							  const pg_uuid_t *ids, int nids);

/* A row of type listen_channel; max_wait in seconds, -1: no limit. */
static void
put_row(ReturnSetInfo *rsinfo, const char *channel, double max_wait)
{
	Datum		values[2] = {0};
	bool		nulls[2];
	Interval	wait = {0};

	nulls[0] = channel == NULL;
	if (channel != NULL)
		values[0] = CStringGetTextDatum(channel);
	nulls[1] = max_wait < 0;
	wait.time = (TimeOffset) rint(max_wait * USECS_PER_SEC);
	values[1] = IntervalPGetDatum(&wait);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* A row for each channel; without channels one that says so. */
static void
put_channels(FunctionCallInfo fcinfo, List *channels, double max_wait)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	if (channels == NIL)
		put_row(rsinfo, NULL, max_wait);
	foreach(cell, channels)
		put_row(rsinfo, lfirst(cell), max_wait);
}

/* A copy of channels, which are in the memory of SPI. */
static List *
kept(List *channels, MemoryContext context)
{
	MemoryContext saved = MemoryContextSwitchTo(context);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, channels)
		result = lappend(result, pstrdup(lfirst(cell)));
	MemoryContextSwitchTo(saved);
	return result;
}

PG_FUNCTION_INFO_V1(orchestration_listen_for_steps);

/*
 * orchestration.listen_for_steps(topics text[], backend_pid integer)
 *		returns setof listen_channel
 *
 * From now on the session is notified, without a payload, when steps of the topics are
 * queued, until it claims steps of that topic.  backend_pid is the process id that the
 * client's driver got when it connected.  Returns a row for each channel; all have the same
 * max_wait, for which the client may wait at most:
 *	0			claim now: a step is ready, or the wait cannot begin yet, because in a
 *				transaction block LISTEN takes effect with the commit
 *	a fraction	a transaction that may have queued a step is committing
 *	otherwise	the time until the next retry is due or the next lease ends
 *				(at most 1 second if commits cannot be counted, see notify.c)
 *	null		no limit
 * If backend_pid is not the process id of this session, the client connects through a pool:
 * the session does not LISTEN, any more.  Returns one row, whose channel is null, and whose
 * max_wait is at most a second.
 * Raises: 22004 for null, 22023 for an empty topic, 25006 on a standby, 42501 inside a
 * function of an action.  Source: ours.
 */
Datum
orchestration_listen_for_steps(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MemoryContext context = CurrentMemoryContext;
	List	   *topics;
	List	   *channels = NIL;
	double		due;
	double		most = POLL_STEPS;
	bool		in_effect = true;

	orch_require_arguments(fcinfo, 0, 2, "topics and backend_pid");
	orch_gate_refuse_inside("listen_for_steps()");
	PreventCommandDuringRecovery("listen_for_steps()");
	topics = orch_queue_topic_names(PG_GETARG_ARRAYTYPE_P(0));
	orch_system_connect(&saved);
	if (orch_notify_is_own_session(PG_GETARG_INT32(1)))
		channels = kept(orch_notify_wait_for_steps(topics, &in_effect, &most), context);
	orch_system_finish(&saved);
	due = orch_queue_due(topics);
	if (!in_effect && (IsTransactionBlock() || IsSubTransaction()))
		due = 0;
	else if (most >= 0 && (due < 0 || due > most))
		due = most;
	put_channels(fcinfo, channels, due);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_listen_for_work);

/*
 * orchestration.listen_for_work(backend_pid integer) returns setof listen_channel
 *
 * From now on the session is notified when a work item is assigned to the caller, to a
 * group or queue of the caller, or to somebody who made the caller a delegate.  backend_pid
 * is the process id that the client's driver got when it connected.  Returns a row for each
 * of their channels, and one for COMMIT PREPARED, all with the same max_wait: null, or 1
 * second if commits cannot be counted, see notify.c.  Notifications have no payload;
 * my_work_items() shows the work items.  Items that other sessions commit between this call
 * and the commit of its transaction are notified at that commit.  If backend_pid is not the
 * process id of this session, the session does not LISTEN, any more; returns one row, whose
 * channel is null, with the time after which to look again.
 * Raises: 22004 for null, 25006 on a standby, 55P03 if other transactions have been
 * committing for two seconds, 42501 for a caller who acts as no active user, and inside a
 * function of an action.  Source: ours.
 */
Datum
orchestration_listen_for_work(PG_FUNCTION_ARGS)
{
	AccessSet  *set = orch_access_require_user(GetUserId());
	UuidMap    *principals;
	UuidMap    *reviewers;
	pg_uuid_t  *ids;
	int			nids = 0;
	uint32		i;

	orch_require_arguments(fcinfo, 0, 1, "backend_pid");
	orch_gate_refuse_inside("listen_for_work()");
	PreventCommandDuringRecovery("listen_for_work()");
	if (!set->is_user)
	{
		InitMaterializedSRF(fcinfo, 0);
		return (Datum) 0;
	}
	principals = orch_access_arm(set, ARM_ASSIGNEE);
	reviewers = orch_access_arm(set, ARM_REVIEWER);
	ids = palloc(sizeof(pg_uuid_t) * Max(principals->count + reviewers->count, 1));
	for (i = 0; i < principals->size; i++)
		if (principals->values[i] != 0)
			ids[nids++] = principals->keys[i];
	for (i = 0; i < reviewers->size; i++)
		if ((reviewers->values[i] & REVIEWS_AS_DELEGATE) != 0)
			ids[nids++] = reviewers->keys[i];
	listen_for_people(fcinfo, PG_GETARG_INT32(0), ids, nids);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_listen_for_messages);

/*
 * orchestration.listen_for_messages(backend_pid integer) returns setof listen_channel
 *
 * From now on the session is notified when messages are written.  backend_pid is the process
 * id that the client's driver got when it connected.  Returns a row for each channel, as
 * listen_for_work() does; notifications have no payload, and next_messages() returns the
 * messages.  Those that other sessions commit between this call and the commit of its
 * transaction are notified at that commit.  No role is granted EXECUTE.
 * Raises: 22004 for null, 25006 on a standby, 55P03 if other transactions have been
 * committing for two seconds, 42501 inside a function of an action.
 * Source: ours.
 */
Datum
orchestration_listen_for_messages(PG_FUNCTION_ARGS)
{
	orch_require_arguments(fcinfo, 0, 1, "backend_pid");
	orch_gate_refuse_inside("listen_for_messages()");
	PreventCommandDuringRecovery("listen_for_messages()");
	listen_for_people(fcinfo, PG_GETARG_INT32(0), &orch_mail_principal, 1);
	return (Datum) 0;
}

static void
listen_for_people(FunctionCallInfo fcinfo, int backend_pid, const pg_uuid_t *ids, int nids)
{
	SystemContext saved;
	MemoryContext context = CurrentMemoryContext;
	List	   *channels = NIL;
	double		most = POLL_PEOPLE;

	orch_system_connect(&saved);
	if (orch_notify_is_own_session(backend_pid))
		channels = kept(orch_notify_wait_for_work(ids, nids, &most), context);
	orch_system_finish(&saved);
	put_channels(fcinfo, channels, most);
}
