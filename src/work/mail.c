/*-------------------------------------------------------------------------
 *
 * mail.c
 *	  What a mailer calls: take messages, report what became of them; reminders.
 *
 * next_messages() locks the messages that it returns, and skips those that another session
 * has locked: no two mailers send the same message.  A mailer sends them, calls
 * message_sent() or message_failed(), and commits.  If it dies before, the locks end, and
 * another mailer sends the messages again: at least once.
 *
 * Reminders are counted in a table of their own, because messages are deleted when they are
 * sent.  A count is of the assignment since which it began: a reassigned item begins anew.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/mail.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/argument.h"
#include "base/compat.h"
#include "base/frame.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/notify.h"
#include "guard/message.h"
#include "record/gate.h"
#include "work/mail.h"

#define MAX_MESSAGES	10000
#define MAX_ERROR		1000	/* of message.last_error, in characters */

/* Groups may be in groups.  Members are looked for once per group, also in circles. */
static StaticPlan plan_next = {
	"WITH RECURSIVE taken AS MATERIALIZED ("
	" SELECT m.* FROM orchestration.message m"
	"  WHERE m.available_at <= pg_catalog.statement_timestamp()"
	"  ORDER BY m.available_at, m.id LIMIT $1 FOR UPDATE SKIP LOCKED),"
	" reached (recipient_id, id) AS ("
	" SELECT t.recipient_id, t.recipient_id FROM taken t"
	" UNION SELECT r.recipient_id, b.member_id FROM reached r"
	/* by the index, however many members the planner expects */
	"         CROSS JOIN LATERAL (SELECT m.member_id FROM orchestration.membership m"
	"                              WHERE m.group_id = r.id OFFSET 0) b),"
	" person (recipient_id, usernames, names) AS ("
	" SELECT r.recipient_id, pg_catalog.array_agg(p.username ORDER BY p.username COLLATE \"C\"),"
	"        pg_catalog.array_agg(p.name ORDER BY p.username COLLATE \"C\")"
	"   FROM reached r JOIN orchestration.principal p ON p.id = r.id"
	"  WHERE p.kind = 'User' AND p.is_active GROUP BY r.recipient_id)"
	" SELECT t.id, t.kind, t.created_at, p.name, COALESCE(x.usernames, '{}'),"
	"        COALESCE(x.names, '{}'), t.run_id, t.work_item_id, t.subject, t.body, t.is_html,"
	"        t.attempts"
	"   FROM taken t JOIN orchestration.principal p ON p.id = t.recipient_id"
	"   LEFT JOIN person x ON x.recipient_id = t.recipient_id"
	"  ORDER BY t.available_at, t.id",
	1, {INT4OID}
};
static StaticPlan plan_sent = {
	"DELETE FROM orchestration.message m WHERE m.id = ANY ($1)",
	1, {UUIDARRAYOID}
};
static StaticPlan plan_message_failed = {
	"UPDATE orchestration.message m SET attempts = m.attempts + 1, last_error = $2,"
	"       available_at = pg_catalog.clock_timestamp()"
	"        + COALESCE($3, LEAST(interval '1 minute' * pg_catalog.power(2, LEAST(m.attempts, 20)),"
	"                             interval '1 day'))"
	" WHERE m.id = $1",
	3, {UUIDOID, TEXTOID, INTERVALOID}
};

/*
 * $3: all work items, or those of approvals alone.  Two sessions that remind at once count a
 * reminder once: the second finds the row of the first.
 */
static StaticPlan plan_remind = {
	"WITH due AS ("
	" SELECT w.run_id, w.id, w.assigned_at"
	"   FROM orchestration.work_item w"
	"   JOIN orchestration.run r ON r.id = w.run_id AND r.status = 'InProgress'"
	"   LEFT JOIN orchestration.submission s ON s.run_id = w.run_id AND w.is_approval"
	"  WHERE w.status = 'Assigned' AND NOT w.is_parent AND (w.is_approval OR $3)"
	"    AND COALESCE(s.sends_email, true)"
	"    AND w.assigned_at <= pg_catalog.now() - $1),"
	" reminded AS ("
	" INSERT INTO orchestration.reminder AS m (run_id, work_item_id, reminded_at, reminders)"
	" SELECT d.run_id, d.id, pg_catalog.now(), 1 FROM due d"
	"  WHERE NOT EXISTS (SELECT FROM orchestration.reminder o"
	"                     WHERE o.run_id = d.run_id AND o.work_item_id = d.id"
	"                       AND o.reminded_at >= d.assigned_at"
	"                       AND (o.reminders >= $2 OR o.reminded_at > pg_catalog.now() - $1))"
	" ON CONFLICT (run_id, work_item_id) DO UPDATE"
	"    SET reminded_at = EXCLUDED.reminded_at,"
	"        reminders = CASE WHEN m.reminded_at < (SELECT w.assigned_at FROM orchestration.work_item w"
	"                                                WHERE w.run_id = m.run_id AND w.id = m.work_item_id)"
	"                         THEN 1 ELSE m.reminders + 1 END"
	"  WHERE m.reminded_at <= pg_catalog.now() - $1"
	"     OR m.reminded_at < (SELECT w.assigned_at FROM orchestration.work_item w"
	"                          WHERE w.run_id = m.run_id AND w.id = m.work_item_id)"
	" RETURNING m.run_id, m.work_item_id)"
	" SELECT pg_catalog.array_agg(r.run_id), pg_catalog.array_agg(r.work_item_id),"
	"        pg_catalog.count(*) FROM reminded r",
	3, {INTERVALOID, INT4OID, BOOLOID}
};

/* Whom notify.c wakes when messages were written: no principal has this id. */
static const pg_uuid_t mailer = {{0}};

static void note_written(void);

/*
 * Called once, by _PG_init().
 */
void
orch_mail_init(void)
{
	orch_message_at_written(note_written);
}

static void
note_written(void)
{
	orch_notify_assigned(&mailer);
}

PG_FUNCTION_INFO_V1(orchestration_next_messages);

/*
 * orchestration.next_messages(max_messages integer, OUT ...) returns setof record
 *
 * Locks up to max_messages messages that are due and that no other session has locked, until
 * the transaction ends, and returns them, the oldest first: with the usernames and names of
 * the recipient, or of the active users in the recipient group or queue.  Both arrays are
 * empty if there is nobody to tell; the caller removes the message then, too.  No role is
 * granted EXECUTE.
 * Raises: 22004 for null, 22023 for a number outside 1 to 10000, 25006 in a transaction that
 * is read-only.
 * Source: ours.
 */
Datum
orchestration_next_messages(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	Datum		value;
	uint64		i;

	orch_require_arguments(fcinfo, 0, 1, "max_messages");
	if (PG_GETARG_INT32(0) < 1 || PG_GETARG_INT32(0) > MAX_MESSAGES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_messages must be 1 to %d", MAX_MESSAGES)));
	PreventCommandDuringRecovery("next_messages()");
	PreventCommandIfReadOnly("next_messages()");
	InitMaterializedSRF(fcinfo, 0);
	value = PG_GETARG_DATUM(0);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_next, &value, NULL, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		Datum		values[12];
		bool		isnull[12];

		CHECK_FOR_INTERRUPTS();
		Assert(SPI_tuptable->tupdesc->natts == lengthof(values));
		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, isnull);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, isnull);
	}
	orch_system_finish(&saved);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_message_sent);

/*
 * orchestration.message_sent(message_ids uuid[]) returns bigint
 *
 * Removes messages; returns how many there were.  No role is granted EXECUTE.
 * Raises: 22004 for null.
 * Source: ours.
 */
Datum
orchestration_message_sent(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	Datum		value;
	uint64		removed;

	orch_require_arguments(fcinfo, 0, 1, "message_ids");
	value = PG_GETARG_DATUM(0);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_sent, &value, NULL, 0);
	removed = SPI_processed;
	orch_system_finish(&saved);
	PG_RETURN_INT64((int64) removed);
}

PG_FUNCTION_INFO_V1(orchestration_message_failed);

/*
 * orchestration.message_failed(message_id uuid, error text, retry_after interval) returns boolean
 *
 * Notes that a message could not be sent, and why (up to 1,000 characters).  next_messages()
 * returns it again after retry_after; null: after a minute, doubled by each attempt, at most
 * a day.  Returns false if there is no such message.  No role is granted EXECUTE.
 * Raises: 22004 for a null id, 22023 for an interval that is negative or longer than 100
 * years.
 * Source: ours.
 */
Datum
orchestration_message_failed(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	Datum		values[3];
	char		nulls[3];
	bool		found;

	orch_require_arguments(fcinfo, 0, 1, "message_id");
	if (!PG_ARGISNULL(2))
		orch_limit_interval(PG_GETARG_INTERVAL_P(2), "retry_after");
	orch_pass_arguments(fcinfo, 3, values, nulls);
	if (!PG_ARGISNULL(1))
		values[1] = DirectFunctionCall2(text_left, values[1], Int32GetDatum(MAX_ERROR));
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_message_failed, values, nulls, 0);
	found = SPI_processed > 0;
	orch_system_finish(&saved);
	PG_RETURN_BOOL(found);
}

PG_FUNCTION_INFO_V1(orchestration_listen_for_messages);

/*
 * orchestration.listen_for_messages() returns setof text
 *
 * From now on the session is notified when messages are written.  Returns the names of the
 * channels; notifications have no payload, and next_messages() returns the messages.  Those
 * that other sessions commit between this call and the commit of its transaction are notified
 * at that commit.  No role is granted EXECUTE.
 * Raises: 25006 on a standby, 55P03 if other transactions have been committing for two
 * seconds, 42501 inside a function of an action.
 * Source: ours.
 */
Datum
orchestration_listen_for_messages(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SystemContext saved;
	ListCell   *cell;

	orch_gate_refuse_inside("listen_for_messages()");
	PreventCommandDuringRecovery("listen_for_messages()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	orch_system_connect(&saved);
	foreach(cell, orch_notify_wait_for_work(&mailer, 1))
	{
		Datum		value = CStringGetTextDatum(lfirst(cell));
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	}
	orch_system_finish(&saved);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_remind_assignees);

/*
 * orchestration.remind_assignees(older_than interval, max_reminders integer) returns bigint
 *
 * Writes a message of kind Reminded for each work item that is Assigned in a run that is
 * InProgress, if its last assignment or reminder is at least older_than ago, and it had fewer
 * than max_reminders since it was assigned: of approvals, and of other work if
 * orchestration.messages is all.  Returns the number of work items; with orchestration.messages
 * off 0.  No role is granted EXECUTE: it is for a scheduler.
 * Raises: 22004 for null, 22023 for an interval that is negative or longer than 100 years and
 * for a max_reminders that is not positive.
 * Source: ours.
 */
Datum
orchestration_remind_assignees(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	Frame	   *frame;
	Datum		values[3];
	Datum		ids[2];
	int64		reminded = 0;
	bool		isnull;

	orch_require_arguments(fcinfo, 0, 2, "older_than and max_reminders");
	orch_limit_interval(PG_GETARG_INTERVAL_P(0), "older_than");
	if (PG_GETARG_INT32(1) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_reminders must be greater than zero")));
	if (!orch_message_wanted(true))
		PG_RETURN_INT64(0);
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_GETARG_DATUM(1);
	values[2] = BoolGetDatum(orch_message_wanted(false));
	frame = orch_frame_push(FRAME_CALL, GetUserId(), NULL);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_remind, values, NULL, 0);
	reminded = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3,
										   &isnull));
	if (reminded > 0)
	{
		ids[0] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		ids[1] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
		orch_message_remind(DatumGetArrayTypeP(ids[0]), DatumGetArrayTypeP(ids[1]));
	}
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	PG_RETURN_INT64(reminded);
}
