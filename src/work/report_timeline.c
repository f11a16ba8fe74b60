/*-------------------------------------------------------------------------
 *
 * report_timeline.c
 *	  The timeline of a run: stages, steps, attempts and work items as bars over time.
 *
 * A bar that is hatched is a wait: of a step that has not started, of a step between two
 * attempts, of a work item for its assignee.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/report_timeline.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "work/report.h"

/* Columns of the query. */
enum
{
	LINE_LEVEL = 1, LINE_LABEL, LINE_NOTE, LINE_STATUS, LINE_CREATED, LINE_BEGAN, LINE_ENDED,
	LINE_STEP
};

/* Levels: of a stage, a step, and an attempt or work item. */
enum
{
	LEVEL_OF_STAGE = 0, LEVEL_OF_STEP, LEVEL_OF_PART
};

static const char line_query[] =
"SELECT x.level::bigint, x.label, x.note, x.status, x.created, x.began, x.ended, x.step FROM ("
"  SELECT s.position, s.id AS stage, 0 AS level, NULL::uuid AS step, NULL::timestamptz AS step_at, s.created_at AS at,"
"   s.label, NULL::text AS note, s.status::text AS status, s.created_at AS created, s.created_at AS began, s.ended_at AS ended"
"  FROM orchestration.stage_run s WHERE s.run_id = $1"
"  UNION ALL"
"  SELECT s.position, t.stage_run_id, 1, t.id, t.started_at, NULL, t.label,"
"   CASE t.step_type WHEN 'InteractiveStep' THEN 'interactive' WHEN 'BackgroundStep' THEN 'background' ELSE 'asynchronous' END"
"   || CASE WHEN t.attempt > 1 THEN ', ' || t.attempt || ' attempts' ELSE '' END,"
"   t.status::text, t.created_at, t.started_at, t.ended_at"
"  FROM orchestration.step_run t"
"  LEFT JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id"
"  WHERE t.run_id = $1"
"  UNION ALL"
"  SELECT s.position, t.stage_run_id, 2, t.id, t.started_at, a.claimed_at, 'Attempt ' || a.attempt, a.worker,"
"   a.outcome::text, a.claimed_at, a.claimed_at, a.ended_at"
"  FROM orchestration.step_attempt a"
"  JOIN orchestration.step_run t ON t.run_id = a.run_id AND t.id = a.step_run_id"
"  LEFT JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id"
"  WHERE a.run_id = $1"
"  UNION ALL"
"  SELECT s.position, t.stage_run_id, 2, w.step_run_id, t.started_at, w.created_at, w.name, p.name,"
"   w.status::text, w.created_at, NULL, w.completed_at"
"  FROM orchestration.work_item w"
"  LEFT JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id"
"  LEFT JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id"
"  LEFT JOIN orchestration.principal p ON p.id = w.assignee_id"
"  WHERE w.run_id = $1) x"
" ORDER BY x.position, x.stage, x.level > 0, x.step_at, x.step, x.level, x.at, x.label";

/* The span of time that the width of a bar shows. */
typedef struct Axis
{
	TimestampTz began;
	TimestampTz ended;
} Axis;

static void write_line(StringInfo out, const ReportRows *rows, uint64 row, void *arg);
static void write_bar(StringInfo out, const Axis *axis, TimestampTz from, TimestampTz to,
					  const char *class);

void
orch_report_timeline(StringInfo out, Datum run_id, TimestampTz began, TimestampTz ended)
{
	static const char *const headers[] = {"What", "When", "Status", "Began", "#Waited", "#Took", NULL};
	Oid			type = UUIDOID;
	ReportRows	rows;
	Axis		axis = {began, ended};

	orch_report_read(&rows, line_query, 1, &type, &run_id);
	appendStringInfoString(out, "<p class=\"note key\">From ");
	orch_report_moment(out, axis.began);
	appendStringInfoString(out, " to ");
	orch_report_moment(out, axis.ended);
	appendStringInfoString(out, ", <i class=\"wait\"></i>is a wait.</p>\n");
	orch_report_table(out, "timeline", "Stages, their steps, and failed attempts and work items of steps",
					  headers, &rows, write_line, &axis, "The run has reached no stage.");
}

static void
write_line(StringInfo out, const ReportRows *rows, uint64 row, void *arg)
{
	const Axis *axis = arg;
	int			level = (int) orch_report_number(rows, row, LINE_LEVEL);
	char	   *status = orch_report_value(rows, row, LINE_STATUS);
	char	   *note = orch_report_value(rows, row, LINE_NOTE);
	TimestampTz created;
	TimestampTz began;
	TimestampTz ended;
	bool		has_begun = orch_report_time(rows, row, LINE_BEGAN, &began);
	bool		has_ended = orch_report_time(rows, row, LINE_ENDED, &ended);

	if (!orch_report_time(rows, row, LINE_CREATED, &created))
		created = axis->began;
	if (!has_ended)
		ended = axis->ended;
	if (!has_begun)
		began = ended;
	appendStringInfo(out, "<th scope=\"row\" class=\"l%d\">", level);
	orch_report_text(out, orch_report_value(rows, row, LINE_LABEL));
	if (note != NULL)
	{
		appendStringInfoString(out, " <span class=\"note\">");
		orch_report_text(out, note);
		appendStringInfoString(out, "</span>");
	}
	appendStringInfoString(out, "</th><td class=\"track\"><div>");
	if (began > created)
		write_bar(out, axis, created, began, "wait");
	if (has_begun)
		write_bar(out, axis, began, ended, psprintf("st-%s", status));
	/* the attempts of a step follow it: the time between two of them is a wait */
	if (level == LEVEL_OF_PART && has_begun && row + 1 < rows->n &&
		orch_report_number(rows, row + 1, LINE_LEVEL) == LEVEL_OF_PART)
	{
		TimestampTz next;

		if (orch_report_time(rows, row + 1, LINE_BEGAN, &next))
			write_bar(out, axis, ended, next, "wait");
	}
	appendStringInfoString(out, "</div></td>");
	orch_report_status_cell(out, rows, row, LINE_STATUS);
	orch_report_time_cell(out, rows, row, has_begun ? LINE_BEGAN : LINE_CREATED);
	appendStringInfoString(out, "<td class=\"took\">");
	if (began > created)
		orch_report_duration(out, began - created);
	appendStringInfoString(out, "</td><td class=\"took\">");
	if (has_begun)
	{
		orch_report_duration(out, ended - began);
		if (!has_ended)
			appendStringInfoString(out, " so far");
	}
	appendStringInfoString(out, "</td>");
}

/*
 * Write a bar.  Times outside the run, which restored rows can have, end at its edges.
 */
static void
write_bar(StringInfo out, const Axis *axis, TimestampTz from, TimestampTz to, const char *class)
{
	double		span = (double) Max(axis->ended - axis->began, 1);
	double		left = Max(0.0, Min(1.0, (double) (from - axis->began) / span));
	double		right = Max(left, Min(1.0, (double) (to - axis->began) / span));

	appendStringInfo(out, "<i class=\"%s\" style=\"left:%.3f%%;width:%.3f%%\"></i>", class,
					 Min(left * 100.0, 99.5), (right - left) * 100.0);
}
