/*-------------------------------------------------------------------------
 *
 * report_page.c
 *	  The frame of a report, its tables, and the text in them.
 *
 * orch_report_text() is the one place where text of users enters a page.  The page allows no
 * script, no request and no form (Content-Security-Policy), should that fail.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/report_page.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "work/report.h"

#define REPLACEMENT		0xFFFD

static const char page_style[] =
":root{color-scheme:light dark;--text:#1b1f24;--muted:#57606a;--page:#fff;--panel:#f6f8fa;"
"--line:#d0d7de;--link:#0b57d0;--done:#2d8a4e;--going:#1f6fd0;--held:#9a6700;--bad:#c0392b;"
"--gone:#6e7781}\n"
"@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--muted:#9da7b3;--page:#0d1117;"
"--panel:#161b22;--line:#3d444d;--link:#79b8ff;--done:#3fb950;--going:#58a6ff;--held:#d29922;"
"--bad:#ff7b72;--gone:#8b949e}}\n"
"*{box-sizing:border-box}\n"
"body{margin:0 auto;padding:1rem;max-width:76rem;background:var(--page);color:var(--text);"
"font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
"overflow-wrap:anywhere}\n"
"h1{font-size:1.5rem;line-height:1.25;margin:.2rem 0 .6rem}\n"
"h2{font-size:1.15rem;margin:1.8rem 0 .5rem;padding-bottom:.2rem;border-bottom:1px solid var(--line)}\n"
"h3{font-size:1rem;margin:1rem 0 .3rem}\n"
"a{color:var(--link)}\n"
"nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.6rem 0;padding:0;list-style:none}\n"
"dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr));gap:.6rem 1.2rem;margin:.6rem 0}\n"
"dt,.note,caption{color:var(--muted);font-size:.85rem}\n"
"dd{margin:0}\n"
".scroll{overflow-x:auto;margin:.4rem 0}\n"
"table{border-collapse:collapse;width:100%;font-size:.87rem}\n"
"caption{text-align:left;padding:.1rem 0 .3rem}\n"
"th,td{text-align:left;vertical-align:top;padding:.3rem .55rem;border-bottom:1px solid var(--line);"
"max-width:26rem}\n"
"thead th{background:var(--panel);white-space:nowrap}\n"
"td.when,td.took,td.num,th.num{white-space:nowrap}\n"
"td.took,td.num,th.num{text-align:right;font-variant-numeric:tabular-nums}\n"
"td.text{min-width:8.5rem;white-space:pre-line}\n"
"td.gap{text-align:center;color:var(--muted);font-style:italic}\n"
"bdi{unicode-bidi:isolate}\n"
".st{display:inline-block;white-space:nowrap;padding:0 .45rem;border:1px solid var(--gone);"
"border-left-width:.5rem;border-radius:.25rem}\n"
".st-Completed,.st-Approved{border-color:var(--done)}\n"
".st-InProgress,.st-Assigned{border-color:var(--going)}\n"
".st-Suspended{border-color:var(--held)}\n"
".st-Error,.st-Failed,.st-TimedOut,.st-LeaseLost,.st-Rejected,.st-Errored,.late{border-color:var(--bad)}\n"
".late{color:var(--bad);font-weight:600}\n"
".error{border-left:.3rem solid var(--bad);background:var(--panel);padding:.5rem .8rem;margin:.6rem 0}\n"
".error p{margin:.2rem 0;white-space:pre-line}\n"
".diagram{background:#fff;border:1px solid var(--line);border-radius:.3rem;margin:.4rem 0;overflow:auto;max-height:46rem}\n"
".diagram svg{display:block;margin:0 auto}\n"
"#timeline th[scope=row]{font-weight:400;min-width:9rem}\n"
"#timeline .l0{font-weight:600}#timeline .l1{padding-left:1.4rem}"
"#timeline .l2{padding-left:2.6rem;color:var(--muted)}\n"
"#timeline td.track{min-width:16rem;width:50%;padding:.3rem 0}\n"
".track div{position:relative;height:1.1rem;background:var(--panel)}\n"
".track i{position:absolute;top:.15rem;height:.8rem;min-width:3px;border-radius:2px;background:var(--gone)}\n"
".track i.st-Completed{background:var(--done)}.track i.st-InProgress{background:var(--going)}"
".track i.st-Suspended{background:var(--held)}"
".track i.st-Error,.track i.st-Failed,.track i.st-TimedOut,.track i.st-LeaseLost{background:var(--bad)}\n"
".track i.wait{border:1px solid var(--held);background:repeating-linear-gradient(135deg,var(--held) 0 2px,transparent 2px 6px)}\n"
".chart svg{display:block;width:100%;min-width:34rem;height:auto}\n"
".chart text{fill:var(--muted);font-size:11px}.chart .began{fill:var(--going)}.chart .ended{fill:var(--done)}"
".chart line{stroke:var(--line)}\n"
".key i{display:inline-block;width:1.4rem;height:.7rem;margin:0 .3rem 0 .8rem;border-radius:2px;vertical-align:baseline}\n"
".key .began{background:var(--going)}.key .ended{background:var(--done)}"
".key .wait{border:1px solid var(--held);background:repeating-linear-gradient(135deg,var(--held) 0 2px,transparent 2px 6px)}\n"
"footer{margin-top:2rem;color:var(--muted);font-size:.85rem}\n"
"@page{size:A4;margin:14mm}\n"
"@media print{:root{color-scheme:light;--text:#000;--muted:#444;--page:#fff;--panel:#f2f2f2;--line:#bbb;"
"--done:#2d8a4e;--going:#1f6fd0;--held:#9a6700;--bad:#b02a1e;--gone:#6e7781}"
"*{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
"body{max-width:none;padding:0;font-size:9pt}nav{display:none}h2,h3{break-after:avoid}"
"tr,.error,.diagram svg{break-inside:avoid}thead{display:table-header-group}"
".scroll,.diagram{overflow:visible;max-height:none}th,td{padding:.15rem .3rem;min-width:0!important}"
"table{font-size:7.5pt}thead th,td.when,.st{white-space:normal}"
".diagram svg{max-width:100%;max-height:245mm;height:auto}.chart svg{min-width:0}}\n";

/* -------------------------------------------------------------- statements */

/*
 * Execute a statement as the caller, with the snapshot of the statement that called the
 * report.  The query must have an order.  Rows in the middle of a long list are left out.
 */
void
orch_report_read(ReportRows *rows, const char *query, int nargs, Oid *types, Datum *values)
{
	char	   *bounded = psprintf("SELECT * FROM (SELECT q.*, row_number() OVER () AS number, count(*) OVER () AS total"
								   " FROM (%s) q) q WHERE q.number <= %d OR q.number > q.total - %d ORDER BY q.number",
								   query, REPORT_ROWS, REPORT_ROWS);
	int			result = SPI_execute_with_args(bounded, nargs, types, values, NULL, true, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\": %s", bounded, SPI_result_code_string(result));
	rows->table = SPI_tuptable;
	rows->n = SPI_processed;
	rows->number = rows->table->tupdesc->natts - 1;
	rows->total = rows->n == 0 ? 0 : orch_report_number(rows, 0, rows->number + 1);
	pfree(bounded);
}

char *
orch_report_value(const ReportRows *rows, uint64 row, int column)
{
	return SPI_getvalue(rows->table->vals[row], rows->table->tupdesc, column);
}

bool
orch_report_time(const ReportRows *rows, uint64 row, int column, TimestampTz *value)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column, &isnull);

	if (isnull)
		return false;
	*value = DatumGetTimestampTz(datum);
	return true;
}

/* A column of type bigint; 0 for null. */
int64
orch_report_number(const ReportRows *rows, uint64 row, int column)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(datum);
}

/* A column of type boolean; false for null. */
bool
orch_report_true(const ReportRows *rows, uint64 row, int column)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column, &isnull);

	return !isnull && DatumGetBool(datum);
}

/* -------------------------------------------------------------------- text */

/*
 * Write a character so that it neither ends its place in the page nor changes the direction
 * of what follows.
 */
static void
write_character(StringInfo out, pg_wchar c)
{
	/* not in XML; read by HTML as windows-1252; embeddings, overrides and isolates */
	if ((c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0x9F) ||
		(c >= 0xD800 && c <= 0xDFFF) || (c & 0xFFFE) == 0xFFFE || c > 0x10FFFF ||
		(c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))
		c = REPLACEMENT;
	if (c >= 0x80 || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
		appendStringInfo(out, "&#%u;", c);
	else
		appendStringInfoChar(out, (char) c);
}

/*
 * Decode the next character of a string in UTF-8.  A byte that is none, as SQL_ASCII can
 * have it, is a replacement character.
 */
static pg_wchar
next_character(const char **p, const char *end)
{
	const unsigned char *c = (const unsigned char *) *p;
	int			length = pg_utf_mblen(c);

	if (length > end - *p || !pg_utf8_islegal(c, length))
	{
		(*p)++;
		return REPLACEMENT;
	}
	*p += length;
	return utf8_to_unicode(c);
}

/*
 * Text in UTF-8.  Only SQL_ASCII, which does not say what its bytes mean, is left as it is.
 */
static const char *
in_utf8(const char *text)
{
	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return text;
	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

void
orch_report_text(StringInfo out, const char *text)
{
	const char *p;
	const char *end;
	int			written = 0;

	if (text == NULL)
		return;
	p = in_utf8(text);
	end = p + strlen(p);
	appendStringInfoString(out, "<bdi>");
	while (p < end)
	{
		if ((++written & 0xFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (written > REPORT_MAX_TEXT)
		{
			appendStringInfo(out, "</bdi> <i>(%d bytes left out)</i>", (int) (end - p));
			return;
		}
		write_character(out, next_character(&p, end));
	}
	appendStringInfoString(out, "</bdi>");
}

void
orch_report_marks(StringInfo out, const char *marks)
{
	const char *p = in_utf8(marks);
	const char *end = p + strlen(p);

	while (p < end)
	{
		pg_wchar	c = next_character(&p, end);

		if (c >= 0x80 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
			write_character(out, c);
		else
			appendStringInfoChar(out, (char) c);
		if ((out->len & 0xFFF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/*
 * A time in the time zone of the session, to the second.
 */
void
orch_report_moment(StringInfo out, TimestampTz time)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (TIMESTAMP_NOT_FINITE(time) || timestamp2tm(time, &tz, &tm, &fsec, NULL, NULL) != 0)
		appendStringInfoString(out, TIMESTAMP_IS_NOBEGIN(time) ? "never" : "indefinitely");
	else
		appendStringInfo(out, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year, tm.tm_mon, tm.tm_mday,
						 tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/*
 * A duration in its two largest units.
 */
void
orch_report_duration(StringInfo out, int64 microseconds)
{
	int64		seconds = microseconds / USECS_PER_SEC;

	if (microseconds < 0)
		appendStringInfoString(out, "0 s");
	else if (microseconds < 10 * USECS_PER_SEC)
	{
		if (microseconds < USECS_PER_SEC)
			appendStringInfo(out, INT64_FORMAT " ms", microseconds / 1000);
		else
			appendStringInfo(out, "%.1f s", (double) microseconds / USECS_PER_SEC);
	}
	else if (seconds < SECS_PER_MINUTE)
		appendStringInfo(out, INT64_FORMAT " s", seconds);
	else if (seconds < SECS_PER_HOUR)
		appendStringInfo(out, INT64_FORMAT " min " INT64_FORMAT " s", seconds / SECS_PER_MINUTE,
						 seconds % SECS_PER_MINUTE);
	else if (seconds < SECS_PER_DAY)
		appendStringInfo(out, INT64_FORMAT " h " INT64_FORMAT " min", seconds / SECS_PER_HOUR,
						 seconds % SECS_PER_HOUR / SECS_PER_MINUTE);
	else
		appendStringInfo(out, INT64_FORMAT " d " INT64_FORMAT " h", seconds / SECS_PER_DAY,
						 seconds % SECS_PER_DAY / SECS_PER_HOUR);
}

/* A label of one of the extension's enum types. */
void
orch_report_status(StringInfo out, const char *status)
{
	if (status != NULL)
		appendStringInfo(out, "<span class=\"st st-%s\">%s</span>", status, status);
}

/* --------------------------------------------------------------------- page */

void
orch_report_begin(StringInfo out, const char *title)
{
	appendStringInfoString(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
						   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
						   "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\"/>\n"
						   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
						   "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
						   "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
						   "<link rel=\"icon\" href=\"data:,\"/>\n<title>");
	/* without the element bdi, which a title cannot have */
	for (const char *p = in_utf8(title), *end = p + strlen(p); p < end;)
		write_character(out, next_character(&p, end));
	appendStringInfoString(out, "</title>\n<style>\n");
	appendStringInfoString(out, page_style);
	appendStringInfoString(out, "</style>\n</head>\n<body>\n");
}

void
orch_report_end(StringInfo out)
{
	appendStringInfoString(out, "<footer>Drawn at ");
	orch_report_moment(out, GetCurrentStatementStartTimestamp());
	appendStringInfoString(out, ". Times are in time zone ");
	orch_report_text(out, pg_get_timezone_name(session_timezone));
	appendStringInfoString(out, ". The report has what ");
	orch_report_text(out, GetUserNameFromId(GetUserId(), false));
	appendStringInfoString(out, " may read.</footer>\n</body>\n</html>\n");
}

void
orch_report_section(StringInfo out, const char *id, const char *heading)
{
	appendStringInfo(out, "<section aria-labelledby=\"h-%s\">\n<h2 id=\"h-%s\">%s</h2>\n", id, id,
					 heading);
}

void
orch_report_section_end(StringInfo out)
{
	appendStringInfoString(out, "</section>\n");
}

void
orch_report_note(StringInfo out, const char *text)
{
	appendStringInfo(out, "<p class=\"note\">%s</p>\n", text);
}

/*
 * A header that begins with # is one of numbers.
 */
void
orch_report_table(StringInfo out, const char *id, const char *caption,
				  const char *const *headers, const ReportRows *rows, ReportRowWriter writer,
				  void *arg, const char *none)
{
	int			ncolumns;
	int64		last = 0;
	uint64		i;

	if (rows->n == 0)
	{
		orch_report_note(out, none);
		return;
	}
	appendStringInfo(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n"
					 "<table id=\"%s\"><caption>%s</caption>\n<thead><tr>", caption, id, caption);
	for (ncolumns = 0; headers[ncolumns] != NULL; ncolumns++)
		appendStringInfo(out, "<th scope=\"col\"%s>%s</th>",
						 headers[ncolumns][0] == '#' ? " class=\"num\"" : "",
						 headers[ncolumns] + (headers[ncolumns][0] == '#'));
	appendStringInfoString(out, "</tr></thead>\n<tbody>\n");
	for (i = 0; i < rows->n; i++)
	{
		int64		number = orch_report_number(rows, i, rows->number);

		CHECK_FOR_INTERRUPTS();
		if (number != last + 1)
			appendStringInfo(out, "<tr><td class=\"gap\" colspan=\"%d\">" INT64_FORMAT " of " INT64_FORMAT
							 " left out</td></tr>\n", ncolumns, number - last - 1, rows->total);
		last = number;
		appendStringInfoString(out, "<tr>");
		writer(out, rows, i, arg);
		appendStringInfoString(out, "</tr>\n");
	}
	appendStringInfoString(out, "</tbody></table></div>\n");
}

/* -------------------------------------------------------------------- cells */

void
orch_report_cell(StringInfo out, const ReportRows *rows, uint64 row, int column)
{
	appendStringInfoString(out, "<td class=\"text\">");
	orch_report_text(out, orch_report_value(rows, row, column));
	appendStringInfoString(out, "</td>");
}

void
orch_report_number_cell(StringInfo out, const ReportRows *rows, uint64 row, int column)
{
	appendStringInfo(out, "<td class=\"num\">" INT64_FORMAT "</td>",
					 orch_report_number(rows, row, column));
}

void
orch_report_time_cell(StringInfo out, const ReportRows *rows, uint64 row, int column)
{
	TimestampTz time;

	appendStringInfoString(out, "<td class=\"when\">");
	if (orch_report_time(rows, row, column, &time))
		orch_report_moment(out, time);
	appendStringInfoString(out, "</td>");
}

void
orch_report_status_cell(StringInfo out, const ReportRows *rows, uint64 row, int column)
{
	appendStringInfoString(out, "<td>");
	orch_report_status(out, orch_report_value(rows, row, column));
	appendStringInfoString(out, "</td>");
}

/* Of a column of type double precision, in seconds. */
static void
duration_cell(StringInfo out, const ReportRows *rows, uint64 row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column, &isnull);

	appendStringInfoString(out, "<td class=\"took\">");
	if (!isnull)
		orch_report_duration(out, (int64) rint(DatumGetFloat8(value) * USECS_PER_SEC));
	appendStringInfoString(out, "</td>");
}

void
orch_report_cells(StringInfo out, const ReportRows *rows, uint64 row, void *kinds)
{
	const char *kind = kinds;
	int			column;

	for (column = 1; *kind != '\0'; kind++, column++)
		switch (*kind)
		{
			case 't':
				orch_report_cell(out, rows, row, column);
				break;
			case 'n':
				orch_report_number_cell(out, rows, row, column);
				break;
			case 'w':
				orch_report_time_cell(out, rows, row, column);
				break;
			case 'd':
				duration_cell(out, rows, row, column);
				break;
			default:
				elog(ERROR, "unknown kind of cell: %c", *kind);
		}
}
