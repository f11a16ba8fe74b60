/*-------------------------------------------------------------------------
 *
 * report_orchestration.c
 *	  The page about an orchestration: throughput, durations, waits, failures, overdue work,
 *	  versions.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/report_orchestration.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "work/report.h"

/* Bars of the chart: a longer time has bars of several days. */
#define MAX_BARS		60

/* Of the chart, in pixels. */
#define CHART_WIDTH		900
#define CHART_HEIGHT	170
#define CHART_BOTTOM	22
#define CHART_LEFT		40

/* What queries may refer to: $1 id of the orchestration, $2 since, $3 days of a bar. */
#define NPARAMETERS		3

static const char orchestration_query[] =
"SELECT d.id, d.name, d.active_version::bigint, v.label FROM orchestration.orchestration_definition d"
" LEFT JOIN LATERAL (SELECT v.label FROM orchestration.orchestration_version v WHERE v.orchestration_id = d.id"
"  ORDER BY v.version = d.active_version DESC NULLS LAST, v.version DESC LIMIT 1) v ON true"
" WHERE d.name = $1";

static const char total_query[] =
"SELECT count(*) FILTER (WHERE r.created_at >= $2),"
" count(*) FILTER (WHERE r.ended_at >= $2 AND r.status = 'Completed'),"
" count(*) FILTER (WHERE r.ended_at >= $2 AND r.status = 'Error'),"
" count(*) FILTER (WHERE r.ended_at >= $2 AND r.status = 'Canceled'),"
" count(*) FILTER (WHERE r.status = 'InProgress'), count(*) FILTER (WHERE r.status = 'Suspended')"
" FROM orchestration.run r WHERE r.orchestration_id = $1";

/* Days are those of the session's time zone. */
static const char day_query[] =
"SELECT to_char(b.day, 'YYYY-MM-DD'), COALESCE(s.n, 0), COALESCE(e.n, 0)"
" FROM generate_series($2::date::timestamp, statement_timestamp()::date::timestamp, make_interval(days => $3)) b (day)"
" LEFT JOIN (SELECT (r.created_at::date - $2::date) / $3 AS bar, count(*) AS n FROM orchestration.run r"
"   WHERE r.orchestration_id = $1 AND r.created_at >= $2 GROUP BY 1) s ON s.bar = (b.day::date - $2::date) / $3"
" LEFT JOIN (SELECT (r.ended_at::date - $2::date) / $3 AS bar, count(*) AS n FROM orchestration.run r"
"   WHERE r.orchestration_id = $1 AND r.ended_at >= $2 GROUP BY 1) e ON e.bar = (b.day::date - $2::date) / $3"
" ORDER BY b.day";

static const char duration_query[] =
"SELECT x.label, x.n, x.p50, x.p90, x.longest FROM ("
"  SELECT 0 AS place, 'Whole run' AS label, count(*) AS n,"
"   percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.ended_at - r.created_at)::double precision) AS p50,"
"   percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM r.ended_at - r.created_at)::double precision) AS p90,"
"   max(extract(epoch FROM r.ended_at - r.created_at)::double precision) AS longest"
"  FROM orchestration.run r WHERE r.orchestration_id = $1 AND r.ended_at >= $2 HAVING count(*) > 0"
"  UNION ALL"
"  SELECT avg(s.position), max(s.label), count(*),"
"   percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM s.ended_at - s.created_at)::double precision),"
"   percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM s.ended_at - s.created_at)::double precision),"
"   max(extract(epoch FROM s.ended_at - s.created_at)::double precision)"
"  FROM orchestration.stage_run s WHERE s.orchestration_id = $1 AND s.ended_at >= $2 GROUP BY s.name) x"
" ORDER BY x.place, x.label";

static const char wait_query[] =
"SELECT s.label, t.label, CASE WHEN w.id IS NOT NULL THEN p.name WHEN t.step_type = 'AynchronousBackgroundStep' THEN '(a worker)' END,"
" count(*), min(COALESCE(w.assigned_at, t.started_at, t.modified_at)),"
" max(extract(epoch FROM statement_timestamp() - COALESCE(w.assigned_at, t.started_at, t.modified_at))::double precision)"
" FROM orchestration.run r"
" JOIN orchestration.step_run t ON t.run_id = r.id AND t.status = 'InProgress'"
" LEFT JOIN orchestration.stage_run s ON s.run_id = r.id AND s.id = t.stage_run_id"
" LEFT JOIN orchestration.work_item w ON w.run_id = r.id AND w.step_run_id = t.id AND w.status = 'Assigned'"
" LEFT JOIN orchestration.principal p ON p.id = w.assignee_id"
" WHERE r.orchestration_id = $1 AND r.status = 'InProgress'"
" GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 1, 2, 3";

static const char failure_query[] =
"SELECT x.kind, x.element, x.sqlstate, x.message, count(*), count(*) FILTER (WHERE x.recoverable), max(x.at) FROM ("
"  SELECT 'run' AS kind, r.error->>'element' AS element, r.error->>'sqlstate' AS sqlstate, r.error->>'message' AS message,"
"   orchestration_internal.resumable_until(r.error_recoverable, r.is_approval, r.failed_at) > now() AS recoverable,"
"   r.ended_at AS at"
"  FROM orchestration.run r WHERE r.orchestration_id = $1 AND r.status = 'Error' AND r.ended_at >= $2"
"  UNION ALL"
"  SELECT 'attempt', t.name, a.error->>'sqlstate', COALESCE(a.error->>'message', a.outcome::text), false, a.ended_at"
"  FROM orchestration.step_attempt a JOIN orchestration.step_run t ON t.run_id = a.run_id AND t.id = a.step_run_id"
"  WHERE t.orchestration_id = $1 AND a.ended_at >= $2) x"
" GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, count(*) DESC, 2, 4";

static const char overdue_query[] =
"SELECT w.name, r.name, t.label, p.name, w.due_at, extract(epoch FROM statement_timestamp() - w.due_at)::double precision"
" FROM orchestration.work_item w"
" LEFT JOIN orchestration.run r ON r.id = w.run_id"
" LEFT JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id"
" LEFT JOIN orchestration.principal p ON p.id = w.assignee_id"
" WHERE w.orchestration_id = $1 AND w.status = 'Assigned' AND w.due_at < statement_timestamp()"
" ORDER BY w.due_at, w.id";

static const char version_query[] =
"SELECT v.version::bigint, v.label, v.created_at, v.version = d.active_version, count(r.id),"
" count(r.id) FILTER (WHERE r.status = 'InProgress'), count(r.id) FILTER (WHERE r.status = 'Suspended'),"
" count(r.id) FILTER (WHERE r.status = 'Completed'), count(r.id) FILTER (WHERE r.status = 'Error'),"
" count(r.id) FILTER (WHERE r.status = 'Canceled')"
" FROM orchestration.orchestration_version v"
" JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id"
" LEFT JOIN orchestration.run r ON r.version_id = v.id AND (r.created_at >= $2 OR r.ended_at IS NULL)"
" WHERE v.orchestration_id = $1 GROUP BY v.id, d.id ORDER BY v.version DESC";

static void write_totals(StringInfo out, const ReportRows *totals);
static void write_chart(StringInfo out, const ReportRows *days, int days_a_bar);
static void write_tables(StringInfo out, Oid *types, Datum *values);
static void write_version(StringInfo out, const ReportRows *rows, uint64 row, void *arg);

/*
 * Write the page.  Caller is connected to SPI.
 */
bool
orch_report_orchestration(StringInfo out, const char *name, TimestampTz since)
{
	static const char *const day_headers[] = {"From", "#Started", "#Ended", NULL};
	TimestampTz now = GetCurrentStatementStartTimestamp();
	int64		days = (now - since) / USECS_PER_DAY + 2;
	int			days_a_bar = (int) ((days + MAX_BARS - 1) / MAX_BARS);
	Oid			types[NPARAMETERS] = {TEXTOID, TIMESTAMPTZOID, INT4OID};
	Datum		values[NPARAMETERS];
	ReportRows	rows;
	char	   *label;
	bool		isnull;

	values[0] = CStringGetTextDatum(name);
	orch_report_read(&rows, orchestration_query, 1, types, values);
	if (rows.n == 0)
		return false;
	types[0] = UUIDOID;
	values[0] = SPI_getbinval(rows.table->vals[0], rows.table->tupdesc, 1, &isnull);
	values[1] = TimestampTzGetDatum(since);
	values[2] = Int32GetDatum(days_a_bar);
	label = orch_report_value(&rows, 0, 4);

	orch_report_begin(out, label == NULL ? name : label);
	appendStringInfoString(out, "<header>\n<h1>");
	orch_report_text(out, label == NULL ? name : label);
	appendStringInfoString(out, "</h1>\n<p>Orchestration ");
	orch_report_text(out, name);
	if (orch_report_number(&rows, 0, 3) > 0)
		appendStringInfo(out, ", version " INT64_FORMAT " is active", orch_report_number(&rows, 0, 3));
	appendStringInfoString(out, ". Since ");
	orch_report_moment(out, since);
	appendStringInfoString(out, ".</p>\n");
	orch_report_read(&rows, total_query, NPARAMETERS, types, values);
	write_totals(out, &rows);
	appendStringInfoString(out, "</header>\n");

	orch_report_section(out, "throughput", "Throughput");
	orch_report_read(&rows, day_query, NPARAMETERS, types, values);
	write_chart(out, &rows, days_a_bar);
	appendStringInfoString(out, "<details><summary>As a table</summary>\n");
	orch_report_table(out, "days", "Runs started and ended", day_headers, &rows,
					  orch_report_cells, "tnn", "There are no days.");
	appendStringInfoString(out, "</details>\n");
	orch_report_section_end(out);
	write_tables(out, types, values);
	orch_report_end(out);
	return true;
}

static void
write_totals(StringInfo out, const ReportRows *totals)
{
	static const char *const names[] = {"Started", "Completed", "Failed", "Canceled",
	"In progress now", "Suspended now"};
	int			i;

	appendStringInfoString(out, "<dl id=\"head\">\n");
	for (i = 0; i < (int) lengthof(names); i++)
		appendStringInfo(out, "<div><dt>%s</dt><dd>" INT64_FORMAT "</dd></div>\n", names[i],
						 orch_report_number(totals, 0, i + 1));
	appendStringInfoString(out, "</dl>\n");
}

static void
write_tables(StringInfo out, Oid *types, Datum *values)
{
	static const struct
	{
		const char *id;
		const char *heading;
		const char *caption;
		const char *query;
		ReportRowWriter writer;
		char	   *kinds;			/* of its cells, for orch_report_cells() */
		const char *none;
		const char *headers[12];
	}			tables[] = {
		{"durations", "Durations", "Of stages and runs that ended", duration_query, orch_report_cells, "tnddd",
			"No stage ended.",
		{"Stage", "#Ended", "#Half take at most", "#Nine of ten at most", "#Longest", NULL}},
		{"waits", "Where runs wait now", "Steps in progress of runs in progress", wait_query,
			orch_report_cells, "tttnwd", "No run waits.",
		{"Stage", "Step", "For", "#Runs", "Since", "#Longest", NULL}},
		{"failures", "Failures", "Runs that failed, and failed attempts of steps, by message",
			failure_query, orch_report_cells, "ttttnnw", "Nothing failed.",
		{"What", "Element", "SQLSTATE", "Message", "#Times", "#Can be resumed", "Last", NULL}},
		{"overdue", "Overdue work items", "Open work items past their due date, the oldest first",
			overdue_query, orch_report_cells, "ttttwd", "No work item is overdue.",
		{"Work item", "Run", "Step", "Assignee", "Due", "#Late by", NULL}},
		{"versions", "Versions", "Runs started in this time, and all that are open", version_query,
			write_version, NULL, "There are no versions.",
			{"Version", "Label", "Deployed", "#Runs", "#In progress", "#Suspended", "#Completed",
		"#Failed", "#Canceled", NULL}}
	};
	ReportRows	rows;
	int			i;

	for (i = 0; i < (int) lengthof(tables); i++)
	{
		orch_report_section(out, tables[i].id, tables[i].heading);
		orch_report_read(&rows, tables[i].query, NPARAMETERS, types, values);
		orch_report_table(out, tables[i].id, tables[i].caption, tables[i].headers, &rows,
						  tables[i].writer, tables[i].kinds, tables[i].none);
		orch_report_section_end(out);
	}
}

/*
 * Two bars for each day, or for each few days.
 */
static void
write_chart(StringInfo out, const ReportRows *days, int days_a_bar)
{
	int64		highest = 1;
	double		slot = (double) (CHART_WIDTH - CHART_LEFT) / Max(days->n, 1);
	int			every = (int) (days->n + 7) / 8;	/* as many labels as fit */
	uint64		i;
	int			column;

	for (i = 0; i < days->n; i++)
		highest = Max(highest, Max(orch_report_number(days, i, 2), orch_report_number(days, i, 3)));
	appendStringInfo(out, "<p class=\"note key\">%s<i class=\"began\"></i>started<i class=\"ended\"></i>ended</p>\n",
					 days_a_bar == 1 ? "Runs a day:" : psprintf("Runs in %d days:", days_a_bar));
	appendStringInfo(out, "<div class=\"scroll chart\" tabindex=\"0\" role=\"region\" aria-label=\"Chart of runs\">\n"
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"chart-title chart-desc\">\n"
					 "<title id=\"chart-title\">Runs started and ended</title>\n"
					 "<desc id=\"chart-desc\">At most " INT64_FORMAT " in a bar; the table below has the numbers.</desc>\n"
					 "<text x=\"%d\" y=\"14\" text-anchor=\"end\">" INT64_FORMAT "</text>\n"
					 "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
					 CHART_WIDTH, CHART_HEIGHT, highest, CHART_LEFT - 6, highest, CHART_LEFT,
					 CHART_HEIGHT - CHART_BOTTOM, CHART_WIDTH, CHART_HEIGHT - CHART_BOTTOM);
	for (i = 0; i < days->n; i++)
	{
		double		left = CHART_LEFT + i * slot;

		for (column = 2; column <= 3; column++)
		{
			double		height = (double) orch_report_number(days, i, column) / highest *
				(CHART_HEIGHT - CHART_BOTTOM - 10);

			if (height > 0)
				appendStringInfo(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
								 column == 2 ? "began" : "ended",
								 left + slot * (column == 2 ? 0.1 : 0.5),
								 CHART_HEIGHT - CHART_BOTTOM - height, slot * 0.38, height);
		}
		if (i % every == 0)
			appendStringInfo(out, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", left, CHART_HEIGHT - 6,
							 orch_report_value(days, i, 1));
	}
	appendStringInfoString(out, "</svg></div>\n");
}

/* -------------------------------------------------------------------- rows */

static void
write_version(StringInfo out, const ReportRows *rows, uint64 row, void *arg)
{
	int			column;

	appendStringInfo(out, "<td>" INT64_FORMAT "%s</td>", orch_report_number(rows, row, 1),
					 orch_report_true(rows, row, 4) ? " (active)" : "");
	orch_report_cell(out, rows, row, 2);
	orch_report_time_cell(out, rows, row, 3);
	for (column = 5; column <= 10; column++)
		orch_report_number_cell(out, rows, row, column);
}
