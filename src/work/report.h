/*-------------------------------------------------------------------------
 *
 * report.h
 *	  Reports: pages of HTML about a run or an orchestration.
 *
 * report.c has the calls, report_run.c and report_orchestration.c the sections of the two
 * pages.  report_page.c writes the frame of a page and its tables, and is the only file that
 * puts text of users into a page.
 *
 * A page is HTML that is XML, too, of ASCII characters only, so that it means the same in
 * every encoding of database and client.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/report.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_REPORT_H
#define ORCH_REPORT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/uuid.h"

/* Of a longer list the page has so many rows of its beginning, and so many of its end. */
#define REPORT_ROWS			250

/* Longer text is cut. */
#define REPORT_MAX_TEXT		2000

/* Rows that a statement returned to the caller of a report. */
typedef struct ReportRows
{
	SPITupleTable *table;
	uint64		n;
	int			number;			/* column: number of the row in the whole list */
	int64		total;			/* rows in the whole list */
} ReportRows;

/* Writes the cells of a row; columns count from 1. */
typedef void (*ReportRowWriter) (StringInfo out, const ReportRows *rows, uint64 row, void *arg);

/* report_page.c: statements */
extern void orch_report_read(ReportRows *rows, const char *query, int nargs, Oid *types,
							 Datum *values);
extern char *orch_report_value(const ReportRows *rows, uint64 row, int column);
extern bool orch_report_time(const ReportRows *rows, uint64 row, int column,
							 TimestampTz *value);
extern int64 orch_report_number(const ReportRows *rows, uint64 row, int column);
extern bool orch_report_true(const ReportRows *rows, uint64 row, int column);

/* report_page.c: the page */
extern void orch_report_begin(StringInfo out, const char *title);
extern void orch_report_end(StringInfo out);
extern void orch_report_section(StringInfo out, const char *id, const char *heading);
extern void orch_report_section_end(StringInfo out);
extern void orch_report_note(StringInfo out, const char *text);

/*
 * A table; headers: until NULL.  Where rows were left out, a row says how many.  Without
 * rows, the text none.
 */
extern void orch_report_table(StringInfo out, const char *id, const char *caption,
							  const char *const *headers, const ReportRows *rows,
							  ReportRowWriter writer, void *arg, const char *none);

/* Text of a user, escaped and bounded; nothing for NULL. */
extern void orch_report_text(StringInfo out, const char *text);

/* Marks that the extension wrote, in ASCII and without what XML cannot have. */
extern void orch_report_marks(StringInfo out, const char *marks);

extern void orch_report_moment(StringInfo out, TimestampTz time);
extern void orch_report_duration(StringInfo out, int64 microseconds);
extern void orch_report_status(StringInfo out, const char *status);

/*
 * Cells; nothing in them for NULL.  orch_report_cells() is a ReportRowWriter: its argument has
 * a letter for each column, t text, n number, w time, d duration in seconds.
 */
extern void orch_report_cells(StringInfo out, const ReportRows *rows, uint64 row, void *kinds);
extern void orch_report_cell(StringInfo out, const ReportRows *rows, uint64 row, int column);
extern void orch_report_number_cell(StringInfo out, const ReportRows *rows, uint64 row,
									int column);
extern void orch_report_time_cell(StringInfo out, const ReportRows *rows, uint64 row,
								  int column);
extern void orch_report_status_cell(StringInfo out, const ReportRows *rows, uint64 row,
									int column);

/* report_run.c; false if the caller sees no such run */
extern bool orch_report_run(StringInfo out, const pg_uuid_t *run_id);

/* report_timeline.c */
extern void orch_report_timeline(StringInfo out, Datum run_id, TimestampTz began,
								 TimestampTz ended);

/* report_orchestration.c; false if there is no such orchestration */
extern bool orch_report_orchestration(StringInfo out, const char *name, TimestampTz since);

#endif							/* ORCH_REPORT_H */
