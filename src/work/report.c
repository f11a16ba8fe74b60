/*-------------------------------------------------------------------------
 *
 * report.c
 *	  run_report(), orchestration_report(): the calls.
 *
 * A report reads as its caller, so that row security decides what it shows.  All statements
 * of a report use the snapshot of the statement that called it: the sections of a page agree,
 * whatever other sessions write while the page is made.  A run that is deleted meanwhile is
 * reported as of that snapshot, or is not found.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/report.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "access/access_argument.h"
#include "base/argument.h"
#include "base/errors.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "work/report.h"

PG_FUNCTION_INFO_V1(orchestration_run_report);
PG_FUNCTION_INFO_V1(orchestration_orchestration_report);

/*
 * orchestration.run_report(run_id uuid) returns text; also with run text
 *
 * Returns a page of HTML about a run: its diagram, timeline, people, errors, log and feed, as
 * far as the caller sees them.
 * Raises: 22004 for null, OR101 if the caller sees no such run, 42501 for a role that acts as
 * no active user.
 * Source: ours.
 */
Datum
orchestration_run_report(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id = orch_argument_record(fcinfo, 0, OBJECT_RUN, NAMES_SEEN);
	StringInfoData out;

	(void) orch_access_require_user(GetUserId());
	initStringInfo(&out);
	orch_spi_connect();
	if (!orch_report_run(&out, id))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("there is no run %s", orch_uuid_text(id)),
				 orch_error_column(RELATION_RUN, "id")));
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * orchestration.orchestration_report(orchestration text, since interval) returns text
 *
 * Returns a page of HTML about the runs of an orchestration that the caller sees: how many
 * started and ended since then, durations of stages, where runs wait, failures, overdue work
 * items and versions.
 * Raises: 22004 for null, 22023 for an interval that is negative or longer than 100 years,
 * OR202 if there is no such orchestration, 42501 for a role that acts as no active user.
 * Source: ours.
 */
Datum
orchestration_orchestration_report(PG_FUNCTION_ARGS)
{
	char	   *name;
	Datum		since;
	StringInfoData out;

	orch_require_arguments(fcinfo, 0, 2, "orchestration and since");
	orch_limit_interval(PG_GETARG_INTERVAL_P(1), "since");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	since = DirectFunctionCall2(timestamptz_mi_interval,
								TimestampTzGetDatum(GetCurrentStatementStartTimestamp()),
								PG_GETARG_DATUM(1));
	(void) orch_access_require_user(GetUserId());
	initStringInfo(&out);
	orch_spi_connect();
	if (!orch_report_orchestration(&out, name, DatumGetTimestampTz(since)))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_ORCHESTRATION),
				 errmsg("there is no orchestration \"%s\"", name),
				 orch_error_column(RELATION_DEFINITION, "name")));
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
