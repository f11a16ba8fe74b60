/*-------------------------------------------------------------------------
 *
 * message.c
 *	  Writes messages of what happened to whom.
 *
 * Messages are rows of orchestration.message, written in the transaction of what they tell,
 * and by triggers, so that nothing happens without them: a work item is assigned, an approval
 * is decided, recalled or canceled, a run fails.  A mailer sends them later (work/mail.c).
 *
 * A default text names the step, the record, the submitter and the work item.  Its recipient
 * sees all of these: an assignee the work item, and who was asked to decide the submission.
 * It has no data of the record and no text of an error, which may have some.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/message.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/system.h"
#include "base/uuid.h"
#include "guard/guard.h"
#include "guard/guard_int.h"
#include "guard/message.h"
#include "guard/transition.h"

/* orchestration.messages */
typedef enum MessageSetting
{
	MESSAGES_OFF,
	MESSAGES_APPROVALS,
	MESSAGES_ALL
} MessageSetting;

static const struct config_enum_entry settings[] = {
	{"off", MESSAGES_OFF, false},
	{"approvals", MESSAGES_APPROVALS, false},
	{"all", MESSAGES_ALL, false},
	{NULL, 0, false}
};

static int	messages = MESSAGES_APPROVALS;
static MessageCallback written_callback = NULL;

/* The automated process user reads no mail. */
#define IS_PERSON(id) id " <> '00000000-0000-7000-8000-000000000001'"

/* A name in a line: nobody can add lines by it.  Parts of a body that are null are left out. */
#define LINE(text)	"pg_catalog.regexp_replace(" text ", '[[:cntrl:]]+', ' ', 'g')"
#define SUBJECT(text) "pg_catalog.left(" text ", 255)"
#define BODY(lines) "pg_catalog.left(pg_catalog.concat_ws(pg_catalog.chr(10), " lines "), 32000)"
#define TIME(time) \
	"pg_catalog.to_char(" time " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"')"
#define RECORD(row) \
	"'Record: ' || " LINE(row ".related_record_type || ' ' || " row ".related_record_id")

#define INSERT_MESSAGE \
	"INSERT INTO orchestration.message" \
	" (kind, recipient_id, run_id, work_item_id, subject, body, is_html)"

/*
 * Assigned and Reminded ($1), for work items ($2: of these runs, $3: these items).  Delegates
 * of the assignee get the approver's message, too.  Source: the platform's page "Customize
 * Emails to Approvers".  A user who has claimed an item knows of it.
 */
static StaticPlan plan_assigned = {
	INSERT_MESSAGE
	" SELECT $1::orchestration.message_kind, x.id, w.run_id, w.id,"
	SUBJECT("CASE WHEN $1 <> 'Reminded' THEN ''"
			" WHEN w.due_at < pg_catalog.now() THEN 'Overdue since ' || " TIME("w.due_at") " || ': '"
			" ELSE 'Reminder: ' END"
			" || COALESCE(t.subject, CASE WHEN w.is_approval THEN 'Approval requested: '"
			"                             ELSE 'Work assigned: ' END"
			"                        || " LINE("COALESCE(w.label, w.name)") ")") ","
	" COALESCE(t.body, "
	BODY("CASE WHEN w.is_approval THEN 'You are asked to approve or reject.'"
		 "     ELSE 'Work is assigned to you.' END,"
		 " CASE WHEN x.is_delegate THEN 'You can answer for ' || " LINE("a.name") " || '.' END,"
		 " '', 'Step: ' || " LINE("COALESCE(w.label, w.name)") ", " RECORD("w") ","
		 " 'Submitted by: ' || " LINE("b.name") ", 'Assigned to: ' || " LINE("a.name") ","
		 " 'Approval work item: ' || " LINE("i.name") ", 'Work item: ' || " LINE("w.name") ","
		 " CASE WHEN w.due_at < pg_catalog.now() THEN 'Overdue since: ' ELSE 'Due: ' END"
		 " || " TIME("w.due_at")) "),"
	" t.body IS NOT NULL AND t.is_html"
	"  FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) AS u (run_id, id)"
	"  JOIN orchestration.work_item w ON w.run_id = u.run_id AND w.id = u.id"
	"  JOIN orchestration.principal a ON a.id = w.assignee_id"
	"  LEFT JOIN orchestration.step_message t"
	"         ON t.run_id = w.run_id AND t.step_run_id = w.step_run_id"
	"  LEFT JOIN orchestration.submission_item i ON i.run_id = w.run_id AND i.work_item_id = w.id"
	"  LEFT JOIN orchestration.submission s ON s.run_id = i.run_id AND s.id = i.submission_id"
	"  LEFT JOIN orchestration.principal b ON b.id = s.submitted_by"
	" CROSS JOIN LATERAL (SELECT a.id, false"
	"   UNION SELECT a.delegated_approver_id, true"
	"          WHERE i.id IS NOT NULL AND a.delegated_approver_id IS NOT NULL"
	"   UNION SELECT d.delegated_to, true FROM orchestration.approval_delegation d"
	"          WHERE i.id IS NOT NULL AND d.delegated_from = a.id"
	"            AND (d.end_date IS NULL OR d.end_date > pg_catalog.now())"
	"   ) AS x (id, is_delegate)"
	" WHERE w.status = 'Assigned' AND NOT w.is_parent AND COALESCE(s.sends_email, true)"
	"   AND ($1 = 'Reminded' OR w.claimed_from IS NULL) AND " IS_PERSON("x.id")
	" ORDER BY w.id, x.is_delegate, x.id",
	3, {TEXTOID, UUIDARRAYOID, UUIDARRAYOID}
};

/* Of approval work item $2 of run $1: to the submitter, who owns the submission. */
static StaticPlan plan_reviewed = {
	INSERT_MESSAGE
	" SELECT 'Reviewed', s.submitted_by, i.run_id, i.work_item_id,"
	SUBJECT("i.status || ': ' || " LINE("COALESCE(i.condition_name, i.name)")) ","
	BODY("CASE WHEN r.id IS NULL THEN 'Your submission was ' || pg_catalog.lower(i.status::pg_catalog.text)"
		 "     ELSE " LINE("r.name") " || ' ' || pg_catalog.lower(i.status::pg_catalog.text)"
		 "          || ' your submission' END || ' in one step.',"
		 " '', 'Step: ' || " LINE("i.condition_name") ", " RECORD("i") ","
		 " 'Submission: ' || " LINE("s.name") ", 'Approval work item: ' || " LINE("i.name") ","
		 " 'Comments: ' || i.comments") ", false"
	"  FROM orchestration.submission_item i"
	"  JOIN orchestration.submission s ON s.run_id = i.run_id AND s.id = i.submission_id"
	"  LEFT JOIN orchestration.principal r ON r.id = i.reviewed_by"
	" WHERE i.run_id = $1 AND i.id = $2 AND " IS_PERSON("s.submitted_by"),
	2, {UUIDOID, UUIDOID}
};

/* To the assignee of an approval work item that was closed undecided. */
static StaticPlan plan_closed = {
	INSERT_MESSAGE
	" SELECT CASE i.status WHEN 'Errored' THEN 'Failed' ELSE i.status::pg_catalog.text"
	"        END::orchestration.message_kind, i.assigned_to, i.run_id, i.work_item_id,"
	SUBJECT("CASE i.status WHEN 'Errored' THEN 'Failed' ELSE i.status::pg_catalog.text END"
			" || ': ' || " LINE("COALESCE(i.condition_name, i.name)")) ","
	BODY("CASE i.status WHEN 'Errored' THEN 'The step failed.'"
		 "     WHEN 'Canceled' THEN 'The submission was canceled.'"
		 "     ELSE 'The submission was recalled.' END"
		 " || ' You are not asked for a decision any more.',"
		 " '', 'Step: ' || " LINE("i.condition_name") ", " RECORD("i") ","
		 " 'Submitted by: ' || " LINE("b.name") ","
		 " 'Approval work item: ' || " LINE("i.name")) ", false"
	"  FROM orchestration.submission_item i"
	"  JOIN orchestration.submission s ON s.run_id = i.run_id AND s.id = i.submission_id"
	"  JOIN orchestration.principal b ON b.id = s.submitted_by"
	" WHERE i.run_id = $1 AND i.id = $2 AND s.sends_email"
	"   AND " IS_PERSON("i.assigned_to"),
	2, {UUIDOID, UUIDOID}
};

/* To the submitter: how the submission ended. */
static StaticPlan plan_ended = {
	INSERT_MESSAGE
	" SELECT CASE WHEN s.status IN ('Approved', 'Rejected') THEN 'Reviewed'"
	"             ELSE s.status::pg_catalog.text END::orchestration.message_kind,"
	"        s.submitted_by, s.run_id, NULL,"
	SUBJECT("s.status || ': ' || " LINE("s.name")) ","
	BODY("'Your submission was ' || pg_catalog.lower(s.status::pg_catalog.text) || '.',"
		 " '', 'Approval process: ' || " LINE("r.orchestration_label") ", " RECORD("s") ","
		 " 'Submission: ' || " LINE("s.name")) ", false"
	"  FROM orchestration.submission s JOIN orchestration.run r ON r.id = s.run_id"
	" WHERE s.run_id = $1 AND s.id = $2 AND " IS_PERSON("s.submitted_by"),
	2, {UUIDOID, UUIDOID}
};

/*
 * A run failed: to the user who last activated its definition (if there is no such active user,
 * to the user who started it), and to the submitter.  Source: the platform's page
 * "Troubleshoot with Flow Error Emails" names the user who last modified it.
 */
static StaticPlan plan_failed = {
	INSERT_MESSAGE
	" SELECT DISTINCT ON (x.id) 'Failed'::orchestration.message_kind, x.id, r.id, NULL::pg_catalog.uuid,"
	SUBJECT("'Failed: ' || " LINE("COALESCE(r.orchestration_label, r.orchestration_name)")
			" || ' (' || " LINE("r.name") " || ')'") ","
	BODY("CASE WHEN x.is_submitter THEN 'Your submission failed. An administrator has to look at it.'"
		 "     ELSE 'A run failed.' END,"
		 " '', 'Orchestration: ' || " LINE("COALESCE(r.orchestration_label, r.orchestration_name)") ","
		 " 'Run: ' || " LINE("r.name") ","
		 " COALESCE(" RECORD("s") ", 'Record: ' || "
		 LINE("r.triggering_record_type || ' ' || r.triggering_record_id") "),"
		 " 'Submission: ' || " LINE("s.name") ","
		 " CASE WHEN NOT x.is_submitter THEN 'Element: ' || " LINE("(r.error ->> 'element')") " END,"
		 " CASE WHEN NOT x.is_submitter THEN 'SQLSTATE: ' || " LINE("(r.error ->> 'sqlstate')") " END")
	", false"
	"  FROM orchestration.run r"
	"  LEFT JOIN orchestration.submission s ON s.run_id = r.id"
	" CROSS JOIN LATERAL (SELECT COALESCE("
	"     (SELECT p.id FROM (SELECT l.user_id FROM orchestration.definition_log l"
	"                         WHERE l.orchestration_id = r.orchestration_id"
	"                           AND l.event = 'Activated'"
	"                         ORDER BY l.logged_at DESC LIMIT 1) l"
	"        JOIN orchestration.principal p ON p.id = l.user_id AND p.is_active),"
	"     r.created_by), false"
	"   UNION ALL SELECT s.submitted_by, true) AS x (id, is_submitter)"
	" WHERE r.id = $1 AND " IS_PERSON("x.id")
	" ORDER BY x.id, x.is_submitter",
	1, {UUIDOID}
};

static void write_messages(StaticPlan *plan, Datum *values);
static void write_assigned(const char *kind, ArrayType *run_ids, ArrayType *work_item_ids);
static void item_changed(TriggerData *trigdata);
static void submission_changed(TriggerData *trigdata);

/*
 * Called once, by _PG_init().
 */
void
orch_message_init(void)
{
	DefineCustomEnumVariable("orchestration.messages",
							 "Of what messages are written for a mailer: off, approvals, all.",
							 "all: also of work items and failures of other orchestrations.",
							 &messages, MESSAGES_APPROVALS, settings,
							 PGC_SUSET, 0, NULL, NULL, NULL);
}

void
orch_message_at_written(MessageCallback callback)
{
	written_callback = callback;
}

bool
orch_message_wanted(bool is_approval)
{
	return messages == MESSAGES_ALL || (is_approval && messages == MESSAGES_APPROVALS);
}

/* Caller is in system context. */
static void
write_messages(StaticPlan *plan, Datum *values)
{
	orch_plan_execute_latest(plan, values, NULL, 0);
	if (SPI_processed > 0 && written_callback != NULL)
		written_callback();
}

static void
write_assigned(const char *kind, ArrayType *run_ids, ArrayType *work_item_ids)
{
	Datum		values[3];

	values[0] = CStringGetTextDatum(kind);
	values[1] = PointerGetDatum(run_ids);
	values[2] = PointerGetDatum(work_item_ids);
	write_messages(&plan_assigned, values);
}

void
orch_message_remind(ArrayType *run_ids, ArrayType *work_item_ids)
{
	write_assigned("Reminded", run_ids, work_item_ids);
}

/* A work item, or an approval work item, is new, has a new assignee, or was closed. */
static void
item_changed(TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	bool		is_approval = RelationGetRelid(trigdata->tg_relation) ==
		orch_catalog_relation(RELATION_SUBMISSION_ITEM);
	pg_uuid_t  *run_id = orch_guard_row_uuid(row, desc, 1);
	pg_uuid_t  *id = orch_guard_row_uuid(row, desc, 2);
	int			status = is_approval ?
		orch_catalog_label_column(ENUM_APPROVAL_STATUS, row, desc, Anum_submission_item_status) :
		APPROVAL_ASSIGNED;
	Datum		values[2];

	/* rows that are imported or restored are no news */
	if (!update && !orch_guard_by_extension())
		return;
	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(id);
	switch (status)
	{
		case APPROVAL_ASSIGNED:
			if (is_approval)
				id = orch_guard_row_uuid(row, desc, Anum_submission_item_work_item_id);
			write_assigned("Assigned", orch_uuid_array(run_id, 1), orch_uuid_array(id, 1));
			break;
		case APPROVAL_APPROVED:
		case APPROVAL_REJECTED:
			write_messages(&plan_reviewed, values);
			break;
		case APPROVAL_RECALLED:
		case APPROVAL_CANCELED:
		case APPROVAL_ERRORED:
			write_messages(&plan_closed, values);
			break;
		default:
			break;
	}
}

static void
submission_changed(TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = trigdata->tg_newtuple;
	int			status = orch_catalog_label_column(ENUM_SUBMISSION_STATUS, row, desc,
												   Anum_submission_status);
	Datum		values[2];

	/* Errored: its run tells more */
	if (status != SUBMISSION_APPROVED && status != SUBMISSION_REJECTED &&
		status != SUBMISSION_RECALLED && status != SUBMISSION_CANCELED)
		return;
	values[0] = UUIDPGetDatum(orch_guard_row_uuid(row, desc, Anum_submission_run_id));
	values[1] = UUIDPGetDatum(orch_guard_row_uuid(row, desc, Anum_submission_id));
	write_messages(&plan_ended, values);
}

PG_FUNCTION_INFO_V1(orchestration_write_message);

/*
 * orchestration_internal.write_message() returns trigger
 *
 * AFTER INSERT OR UPDATE ROW of work_item and submission_item, AFTER UPDATE ROW of submission
 * and run: writes the messages of what happened, if orchestration.messages wants them.
 * Returns null.
 * Raises: 39P01 when not called as that trigger.
 * Source: ours; the platform's page "Flow Approval Process Notification Emails" names the
 * recipients: submitters, assigned approvers and their delegates.
 */
Datum
orchestration_write_message(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Oid			relid;
	bool		is_approval = true;
	SystemContext saved;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an AFTER row trigger",
						"write_message")));
	relid = RelationGetRelid(trigdata->tg_relation);
	if (relid == orch_catalog_relation(RELATION_RUN))
	{
		bool		isnull;

		is_approval = DatumGetBool(heap_getattr(trigdata->tg_trigtuple, Anum_run_is_approval,
												RelationGetDescr(trigdata->tg_relation),
												&isnull));
	}
	else if (relid == orch_catalog_relation(RELATION_WORK_ITEM))
		is_approval = false;
	else if (relid != orch_catalog_relation(RELATION_SUBMISSION) &&
			 relid != orch_catalog_relation(RELATION_SUBMISSION_ITEM))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" is only for tables of the extension",
						"write_message")));
	if (!orch_message_wanted(is_approval))
		return PointerGetDatum(NULL);

	orch_system_connect(&saved);
	if (relid == orch_catalog_relation(RELATION_RUN))
	{
		Datum		value = UUIDPGetDatum(orch_guard_row_uuid(trigdata->tg_trigtuple,
															  RelationGetDescr(trigdata->tg_relation),
															  Anum_run_id));

		write_messages(&plan_failed, &value);
	}
	else if (relid == orch_catalog_relation(RELATION_SUBMISSION))
		submission_changed(trigdata);
	else
		item_changed(trigdata);
	orch_system_finish(&saved);
	return PointerGetDatum(NULL);
}
