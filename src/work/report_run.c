/*-------------------------------------------------------------------------
 *
 * report_run.c
 *	  The page about a run: head, diagram, timeline, people, errors, log, feed.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/report_run.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/uuid.h"
#include "engine/engine.h"
#include "work/report.h"

/* Columns of head_query. */
enum
{
	HEAD_NAME = 1, HEAD_ORCHESTRATION, HEAD_LABEL, HEAD_VERSION, HEAD_STATUS, HEAD_STAGE,
	HEAD_CREATED, HEAD_ENDED, HEAD_RECORD_TYPE, HEAD_RECORD, HEAD_STARTED_BY, HEAD_OWNER,
	HEAD_VERSION_ID, HEAD_RESUMABLE_UNTIL, HEAD_SUBMISSION, HEAD_SUBMISSION_STATUS, HEAD_SUBMITTER,
	HEAD_COMMENTS
};

static const char head_query[] =
"SELECT r.name, r.orchestration_name, r.orchestration_label, v.version, r.status::text, r.current_stage,"
" r.created_at, r.ended_at, r.triggering_record_type, r.triggering_record_id, c.name, o.name,"
" r.version_id, orchestration_internal.resumable_until(r.error_recoverable, r.is_approval, r.failed_at), b.name,"
" b.status::text, m.name, b.comments"
" FROM orchestration.run r"
" LEFT JOIN orchestration.orchestration_version v ON v.id = r.version_id"
" LEFT JOIN orchestration.principal c ON c.id = COALESCE(r.created_by, '00000000-0000-7000-8000-000000000001')"
" LEFT JOIN orchestration.principal o ON o.id = r.owner_id"
" LEFT JOIN orchestration.submission b ON b.run_id = r.id"
" LEFT JOIN orchestration.principal m ON m.id = b.submitted_by"
" WHERE r.id = $1";

/* Columns of people_query. */
enum
{
	PEOPLE_STEP = 1, PEOPLE_ITEM, PEOPLE_ASSIGNEE, PEOPLE_KIND, PEOPLE_BY, PEOPLE_FOR_OTHER,
	PEOPLE_ROLE, PEOPLE_STATUS, PEOPLE_ASSIGNED, PEOPLE_COMPLETED, PEOPLE_DUE, PEOPLE_DECISION,
	PEOPLE_COMMENTS
};

/* The engine closed completed items that have no completed_by. */
static const char people_query[] =
"SELECT t.label, w.name, a.name, lower(a.kind::text),"
" CASE WHEN w.status = 'Completed' THEN COALESCE(c.name, w.completed_by, 'the engine') END,"
" w.completed_by IS NOT NULL AND c.id IS DISTINCT FROM w.assignee_id,"
" d.performer_role::text, w.status::text, w.assigned_at, w.completed_at, w.due_at, i.status::text, i.comments"
" FROM orchestration.work_item w"
" LEFT JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id"
" LEFT JOIN orchestration.principal a ON a.id = w.assignee_id"
" LEFT JOIN orchestration.principal c ON c.username = w.completed_by"
" LEFT JOIN orchestration.submission_item i ON i.run_id = w.run_id AND i.work_item_id = w.id"
" LEFT JOIN LATERAL (SELECT d.performer_role FROM orchestration.submission_detail d"
"   WHERE d.run_id = w.run_id AND d.submission_item_id = i.id AND d.action IN ('Review', 'Override')"
"   ORDER BY d.created_at DESC, d.id DESC LIMIT 1) d ON true"
" WHERE w.run_id = $1 ORDER BY w.created_at, w.id";

/* Columns of error_query. */
enum
{
	ERROR_KIND = 1, ERROR_LABEL, ERROR_AT, ERROR_MESSAGE, ERROR_SQLSTATE, ERROR_DETAIL,
	ERROR_HINT, ERROR_ELEMENT
};

static const char error_query[] =
"SELECT e.kind, e.label, e.at, e.error->>'message', e.error->>'sqlstate', e.error->>'detail',"
" e.error->>'hint', e.error->>'element'"
" FROM (SELECT 1 AS place, 'Run' AS kind, NULL::text AS label, r.ended_at AS at, r.error"
"   FROM orchestration.run r WHERE r.id = $1"
"  UNION ALL SELECT 2, 'Stage', s.label, COALESCE(s.ended_at, s.modified_at), s.error"
"   FROM orchestration.stage_run s WHERE s.run_id = $1"
"  UNION ALL SELECT 3, 'Step', t.label, COALESCE(t.ended_at, t.modified_at), t.error"
"   FROM orchestration.step_run t WHERE t.run_id = $1"
"  UNION ALL SELECT 4, 'Attempt ' || a.attempt, t.label, a.ended_at, a.error"
"   FROM orchestration.step_attempt a"
"   LEFT JOIN orchestration.step_run t ON t.run_id = a.run_id AND t.id = a.step_run_id"
"   WHERE a.run_id = $1) e"
" WHERE e.error IS NOT NULL ORDER BY e.place, e.at";

static const char log_query[] =
"SELECT l.logged_at, l.kind::text, s.label, t.label, p.name, COALESCE(l.actor, 'autoproc'),"
" l.duration::double precision, l.comments, l.context"
" FROM orchestration.run_log l"
" LEFT JOIN orchestration.step_run t ON t.run_id = l.run_id AND t.id = l.step_run_id"
" LEFT JOIN orchestration.stage_run s ON s.run_id = l.run_id AND s.id = COALESCE(l.stage_run_id, t.stage_run_id)"
" LEFT JOIN orchestration.principal p ON p.id = l.assignee_id"
" WHERE l.run_id = $1 ORDER BY l.number";

/* Posts, what changed, and comments, each below its post. */
static const char feed_query[] =
"SELECT e.at, p.name, e.type, e.place, e.text, e.likes FROM ("
"  SELECT f.created_at AS item_at, f.id AS item, 1 AS part, NULL::uuid AS id, f.created_at AS at, f.created_by, f.type::text AS type,"
"   CASE f.object WHEN 'FlowOrchestrationInstance' THEN 'run' ELSE COALESCE(s.label, t.label) END AS place,"
"   concat_ws(E'\\n', f.title, f.body, f.link_url, (SELECT string_agg(concat(c.field, ': ', COALESCE(c.old_value, '(none)'), ' ', chr(8594), ' ', COALESCE(c.new_value, '(none)')), E'\\n' ORDER BY c.number)"
"    FROM orchestration.feed_tracked_change c WHERE c.run_id = f.run_id AND c.feed_item_id = f.id)) AS text,"
"   f.like_count::bigint AS likes"
"  FROM orchestration.feed_item f"
"  LEFT JOIN orchestration.stage_run s ON s.run_id = f.run_id AND s.id = f.record_id"
"  LEFT JOIN orchestration.step_run t ON t.run_id = f.run_id AND t.id = f.record_id"
"  WHERE f.run_id = $1"
"  UNION ALL SELECT f.created_at, f.id, 2, c.id, c.created_at, c.created_by, 'Comment', NULL, c.body, 0"
"  FROM orchestration.feed_comment c"
"  JOIN orchestration.feed_item f ON f.run_id = c.run_id AND f.id = c.feed_item_id"
"  WHERE c.run_id = $1) e"
" LEFT JOIN orchestration.principal p ON p.id = COALESCE(e.created_by, '00000000-0000-7000-8000-000000000001')"
" ORDER BY e.item_at, e.item, e.part, e.at, e.id";

static void write_head(StringInfo out, const ReportRows *head, TimestampTz began,
					   TimestampTz ended);
static void write_entry(StringInfo out, const char *term, const char *value);
static void write_diagram(StringInfo out, Datum run_id, const ReportRows *head);
static void write_errors(StringInfo out, Datum run_id, const ReportRows *head);
static void write_person(StringInfo out, const ReportRows *rows, uint64 row, void *arg);

/*
 * Write the page.  Caller is connected to SPI.
 */
bool
orch_report_run(StringInfo out, const pg_uuid_t *run_id)
{
	static const char *const people_headers[] =
	{"Step", "Work item", "Assignee", "Done by", "Status", "Assigned", "Completed", "#Took", "Due",
	"Decision", "Comments", NULL};
	static const char *const log_headers[] =
	{"Time", "Milestone", "Stage", "Step", "Assignee", "By", "#Took", "Comments", "Context", NULL};
	static const char *const feed_headers[] =
	{"Time", "By", "Type", "On", "Text", "#Likes", NULL};
	Oid			type = UUIDOID;
	Datum		id = UUIDPGetDatum(run_id);
	ReportRows	head;
	ReportRows	rows;
	TimestampTz began;
	TimestampTz ended;

	orch_report_read(&head, head_query, 1, &type, &id);
	if (head.n == 0)
		return false;
	if (!orch_report_time(&head, 0, HEAD_CREATED, &began))
		began = GetCurrentStatementStartTimestamp();
	if (!orch_report_time(&head, 0, HEAD_ENDED, &ended))
		ended = Max(began, GetCurrentStatementStartTimestamp());
	write_head(out, &head, began, ended);
	write_errors(out, id, &head);
	write_diagram(out, id, &head);

	orch_report_section(out, "timeline", "Timeline");
	orch_report_timeline(out, id, began, ended);
	orch_report_section_end(out);

	orch_report_section(out, "people", "People");
	orch_report_read(&rows, people_query, 1, &type, &id);
	orch_report_table(out, "people", "Work items, in the order in which they were assigned",
					  people_headers, &rows, write_person, NULL, "There are no work items.");
	orch_report_section_end(out);

	orch_report_section(out, "log", "Log");
	orch_report_read(&rows, log_query, 1, &type, &id);
	orch_report_table(out, "log", "Milestones of the run", log_headers, &rows,
					  orch_report_cells, "wtttttdtt", "The log is empty.");
	orch_report_section_end(out);

	orch_report_section(out, "feed", "Feed");
	orch_report_read(&rows, feed_query, 1, &type, &id);
	orch_report_table(out, "feed", "Posts, comments and tracked changes", feed_headers, &rows,
					  orch_report_cells, "wttttn", "The feed is empty.");
	orch_report_section_end(out);
	orch_report_end(out);
	return true;
}

/* --------------------------------------------------------------------- head */

static void
write_head(StringInfo out, const ReportRows *head, TimestampTz began, TimestampTz ended)
{
	char	   *name = orch_report_value(head, 0, HEAD_NAME);
	char	   *label = orch_report_value(head, 0, HEAD_LABEL);
	char	   *orchestration = orch_report_value(head, 0, HEAD_ORCHESTRATION);
	char	   *version = orch_report_value(head, 0, HEAD_VERSION);
	char	   *record_type = orch_report_value(head, 0, HEAD_RECORD_TYPE);
	TimestampTz time;

	orch_report_begin(out, label == NULL ? name : psprintf("%s: %s", name, label));
	appendStringInfoString(out, "<header>\n<h1>");
	orch_report_text(out, name);
	appendStringInfoString(out, " ");
	orch_report_text(out, label);
	appendStringInfoString(out, "</h1>\n<p id=\"status\">");
	orch_report_status(out, orch_report_value(head, 0, HEAD_STATUS));
	appendStringInfoString(out, "</p>\n<dl id=\"head\">\n<div><dt>Orchestration</dt><dd>");
	orch_report_text(out, orchestration);
	if (version != NULL)
		appendStringInfo(out, ", version %s", version);
	appendStringInfoString(out, "</dd></div>\n<div><dt>Started</dt><dd>");
	orch_report_moment(out, began);
	appendStringInfoString(out, " by ");
	orch_report_text(out, orch_report_value(head, 0, HEAD_STARTED_BY));
	appendStringInfoString(out, "</dd></div>\n");
	if (orch_report_time(head, 0, HEAD_ENDED, &time))
	{
		appendStringInfoString(out, "<div><dt>Ended</dt><dd>");
		orch_report_moment(out, time);
		appendStringInfoString(out, "</dd></div>\n");
	}
	appendStringInfoString(out, "<div><dt>Duration</dt><dd>");
	orch_report_duration(out, ended - began);
	appendStringInfoString(out, "</dd></div>\n");
	write_entry(out, "Current stage", orch_report_value(head, 0, HEAD_STAGE));
	if (record_type != NULL)
	{
		char	   *record = orch_report_value(head, 0, HEAD_RECORD);

		write_entry(out, "Record", record == NULL ? record_type :
					psprintf("%s %s", record_type, record));
	}
	write_entry(out, "Owner", orch_report_value(head, 0, HEAD_OWNER));
	if (orch_report_value(head, 0, HEAD_SUBMISSION) != NULL)
	{
		write_entry(out, "Submission", psprintf("%s: %s", orch_report_value(head, 0, HEAD_SUBMISSION),
												orch_report_value(head, 0, HEAD_SUBMISSION_STATUS)));
		write_entry(out, "Submitted by", orch_report_value(head, 0, HEAD_SUBMITTER));
		write_entry(out, "Submission comments", orch_report_value(head, 0, HEAD_COMMENTS));
	}
	appendStringInfoString(out, "</dl>\n</header>\n<nav aria-label=\"Sections\"><ul>"
						   "<li><a href=\"#h-diagram\">Diagram</a></li><li><a href=\"#h-timeline\">Timeline</a></li>"
						   "<li><a href=\"#h-people\">People</a></li><li><a href=\"#h-log\">Log</a></li>"
						   "<li><a href=\"#h-feed\">Feed</a></li></ul></nav>\n");
}

/* A term and its value; nothing for NULL. */
static void
write_entry(StringInfo out, const char *term, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(out, "<div><dt>%s</dt><dd>", term);
	orch_report_text(out, value);
	appendStringInfoString(out, "</dd></div>\n");
}

/* ------------------------------------------------------------------ diagram */

/*
 * The SVG of run_diagram().  A run that was imported without a version has none, and one
 * whose stored definition is damaged is reported without it: it needs a report most.
 */
static void
write_diagram(StringInfo out, Datum run_id, const ReportRows *head)
{
	Oid			type = UUIDOID;
	ReportRows	rows;
	char	   *problem = NULL;
	char	   *svg;
	bool		isnull;
	Datum		version_id = SPI_getbinval(head->table->vals[0], head->table->tupdesc,
										   HEAD_VERSION_ID, &isnull);

	orch_report_section(out, "diagram", "Diagram");
	if (!isnull)
		problem = orch_engine_version_problem(DatumGetUUIDP(version_id));
	if (isnull)
		orch_report_note(out, "The run was imported without a version of its orchestration.");
	else if (problem != NULL)
	{
		appendStringInfoString(out, "<p class=\"note\">");
		orch_report_text(out, problem);
		appendStringInfoString(out, "</p>\n");
	}
	else
	{
		orch_report_read(&rows, "SELECT orchestration.run_diagram($1, 'svg')", 1, &type, &run_id);
		svg = strstr(orch_report_value(&rows, 0, 1), "<svg");
		appendStringInfoString(out, "<div class=\"diagram\" tabindex=\"0\" role=\"region\" aria-label=\"Diagram of the run\">\n");
		orch_report_marks(out, svg);
		appendStringInfoString(out, "</div>\n");
	}
	orch_report_section_end(out);
}

/* ------------------------------------------------------------------- errors */

/*
 * Write what went wrong, if anything did.
 */
static void
write_errors(StringInfo out, Datum run_id, const ReportRows *head)
{
	Oid			type = UUIDOID;
	ReportRows	rows;
	TimestampTz ended;
	TimestampTz until;
	int64		last = 0;
	uint64		i;
	int			column;

	orch_report_read(&rows, error_query, 1, &type, &run_id);
	if (rows.n == 0)
		return;
	orch_report_section(out, "errors", "Errors");
	if (strcmp(orch_report_value(head, 0, HEAD_STATUS), "Error") == 0 &&
		orch_report_time(head, 0, HEAD_ENDED, &ended))
	{
		appendStringInfoString(out, "<p id=\"recoverable\">");
		if (!orch_report_time(head, 0, HEAD_RESUMABLE_UNTIL, &until))
			appendStringInfoString(out, "The run cannot be resumed.");
		else
		{
			appendStringInfo(out, "The run %s be resumed until ",
							 until < GetCurrentStatementStartTimestamp() ? "could" : "can");
			orch_report_moment(out, until);
			appendStringInfoString(out, ", by resume_run().");
		}
		appendStringInfoString(out, "</p>\n");
	}
	for (i = 0; i < rows.n; i++)
	{
		int64		number = orch_report_number(&rows, i, rows.number);
		TimestampTz at;

		CHECK_FOR_INTERRUPTS();
		if (number != last + 1)
			appendStringInfo(out, "<p class=\"note\">" INT64_FORMAT " of " INT64_FORMAT " left out</p>\n",
							 number - last - 1, rows.total);
		last = number;
		appendStringInfo(out, "<div class=\"error\"><h3>%s ", orch_report_value(&rows, i, ERROR_KIND));
		orch_report_text(out, orch_report_value(&rows, i, ERROR_LABEL));
		appendStringInfoString(out, "</h3>\n");
		for (column = ERROR_MESSAGE; column <= ERROR_ELEMENT; column++)
		{
			static const char *const names[] = {"Message", "SQLSTATE", "Detail", "Hint", "Element"};
			char	   *value = orch_report_value(&rows, i, column);

			if (value == NULL)
				continue;
			appendStringInfo(out, "<p><b>%s:</b> ", names[column - ERROR_MESSAGE]);
			orch_report_text(out, value);
			appendStringInfoString(out, "</p>\n");
		}
		if (orch_report_time(&rows, i, ERROR_AT, &at))
		{
			appendStringInfoString(out, "<p class=\"note\">");
			orch_report_moment(out, at);
			appendStringInfoString(out, "</p>\n");
		}
		appendStringInfoString(out, "</div>\n");
	}
	orch_report_section_end(out);
}

/* -------------------------------------------------------------------- rows */

static void
write_person(StringInfo out, const ReportRows *rows, uint64 row, void *arg)
{
	TimestampTz assigned;
	TimestampTz completed;
	TimestampTz due;
	bool		is_done = orch_report_time(rows, row, PEOPLE_COMPLETED, &completed);
	char	   *role = orch_report_value(rows, row, PEOPLE_ROLE);
	char	   *kind = orch_report_value(rows, row, PEOPLE_KIND);

	if (!is_done)
		completed = GetCurrentStatementStartTimestamp();
	orch_report_cell(out, rows, row, PEOPLE_STEP);
	orch_report_cell(out, rows, row, PEOPLE_ITEM);
	appendStringInfoString(out, "<td class=\"text\">");
	orch_report_text(out, orch_report_value(rows, row, PEOPLE_ASSIGNEE));
	if (kind != NULL && strcmp(kind, "user") != 0)
		appendStringInfo(out, " (%s)", kind);
	appendStringInfoString(out, "</td><td class=\"text\">");
	orch_report_text(out, orch_report_value(rows, row, PEOPLE_BY));
	if (orch_report_true(rows, row, PEOPLE_FOR_OTHER))
	{
		appendStringInfoString(out, " for ");
		orch_report_text(out, orch_report_value(rows, row, PEOPLE_ASSIGNEE));
	}
	if (role != NULL && strcmp(role, "Assignee") != 0)
		appendStringInfo(out, " (%s)", role);
	appendStringInfoString(out, "</td>");
	orch_report_status_cell(out, rows, row, PEOPLE_STATUS);
	orch_report_time_cell(out, rows, row, PEOPLE_ASSIGNED);
	orch_report_time_cell(out, rows, row, PEOPLE_COMPLETED);
	appendStringInfoString(out, "<td class=\"took\">");
	if (orch_report_time(rows, row, PEOPLE_ASSIGNED, &assigned))
		orch_report_duration(out, completed - assigned);
	appendStringInfoString(out, is_done ? "</td><td class=\"when\">" : " so far</td><td class=\"when\">");
	if (orch_report_time(rows, row, PEOPLE_DUE, &due))
	{
		orch_report_moment(out, due);
		if (due < completed)
			appendStringInfoString(out, is_done ? " <span class=\"late\">late</span>" :
								   " <span class=\"late\">overdue</span>");
	}
	appendStringInfoString(out, "</td>");
	orch_report_status_cell(out, rows, row, PEOPLE_DECISION);
	orch_report_cell(out, rows, row, PEOPLE_COMMENTS);
}
