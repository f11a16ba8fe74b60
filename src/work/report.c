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

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/errors.h"
#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "work/report.h"

static text *run_page(const pg_uuid_t *id, const char *name);
static text *orchestration_page(const char *name, TimestampTz since);

PG_FUNCTION_INFO_V1(orchestration_run_report);
PG_FUNCTION_INFO_V1(orchestration_run_report_by_name);
PG_FUNCTION_INFO_V1(orchestration_orchestration_report);

/*
 * orchestration.run_report(run_id uuid) returns text
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
	orch_require_arguments(fcinfo, 0, 1, "run_id");
	PG_RETURN_TEXT_P(run_page(PG_GETARG_UUID_P(0), NULL));
}

/*
 * orchestration.run_report(run text) returns text
 *
 * Returns the same for a run that is given by its name or id.
 * Raises: as run_report(uuid).
 * Source: ours.
 */
Datum
orchestration_run_report_by_name(PG_FUNCTION_ARGS)
{
	char	   *run;
	pg_uuid_t	id;

	orch_require_arguments(fcinfo, 0, 1, "run");
	run = text_to_cstring(PG_GETARG_TEXT_PP(0));
	PG_RETURN_TEXT_P(orch_uuid_parse(run, &id) ? run_page(&id, NULL) : run_page(NULL, run));
}

/*
 * orchestration.orchestration_report(orchestration text, since interval) returns text
 *
 * Returns a page of HTML about the runs of an orchestration that the caller sees: how many
 * started and ended since then, durations of stages, where runs wait, failures, overdue work
 * items and versions.
 * Raises: 22004 for null, 22023 for an interval that is negative or longer than 100 years, OR202 if there is no such orchestration, 42501 for a role that acts as no active user.
 * Source: ours.
 */
Datum
orchestration_orchestration_report(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	TimestampTz since;

	orch_require_arguments(fcinfo, 0, 2, "orchestration and since");
	orch_limit_interval(PG_GETARG_INTERVAL_P(1), "since");
	since = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
													TimestampTzGetDatum(now),
													PG_GETARG_DATUM(1)));
	PG_RETURN_TEXT_P(orchestration_page(text_to_cstring(PG_GETARG_TEXT_PP(0)), since));
}

/*
 * The page about a run that is given by its id, or by its name.
 */
static text *
run_page(const pg_uuid_t *id, const char *name)
{
	StringInfoData out;
	pg_uuid_t	found;

	(void) orch_access_require_user(GetUserId());
	initStringInfo(&out);
	orch_spi_connect();
	if (id == NULL)
	{
		Oid			type = TEXTOID;
		Datum		value = CStringGetTextDatum(name);
		ReportRows	rows;
		bool		isnull;

		orch_report_read(&rows, "SELECT r.id FROM orchestration.run r WHERE r.name = $1",
						 1, &type, &value);
		if (rows.n > 0)
		{
			found = *DatumGetUUIDP(SPI_getbinval(rows.table->vals[0], rows.table->tupdesc, 1,
												 &isnull));
			id = &found;
		}
	}
	if (id == NULL || !orch_report_run(&out, id))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("there is no run %s", id == NULL ? name : orch_uuid_text(id))));
	SPI_finish();
	return cstring_to_text_with_len(out.data, out.len);
}

static text *
orchestration_page(const char *name, TimestampTz since)
{
	StringInfoData out;
	TimestampTz now = GetCurrentStatementStartTimestamp();

	if (TIMESTAMP_NOT_FINITE(since) || since > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("since must be a time in the past")));
	(void) orch_access_require_user(GetUserId());
	initStringInfo(&out);
	orch_spi_connect();
	if (!orch_report_orchestration(&out, name, since))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_ORCHESTRATION),
				 errmsg("there is no orchestration \"%s\"", name)));
	SPI_finish();
	return cstring_to_text_with_len(out.data, out.len);
}
