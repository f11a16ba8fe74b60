/*-------------------------------------------------------------------------
 *
 * migrate.c
 *	  Calls that let runs go on in another version of their orchestration.
 *
 * engine_migrate.c decides whether a run fits the version, and moves it.  The caller needs
 * the permission Manage Flow, and for each run the right to move it: a migration can
 * complete steps and stages.
 *
 * migrate_runs() migrates each run in a subtransaction of its own, in the order of their
 * ids, so that a run that does not fit, or whose functions fail, stops no other.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/migrate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "access/access.h"
#include "access/access_argument.h"
#include "base/argument.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/system.h"
#include "base/text_array.h"
#include "base/uuid.h"
#include "definition/definition_int.h"
#include "engine/engine_int.h"
#include "engine/engine_migrate.h"

#define TO_MIGRATE "migrate runs"

static StaticPlan plan_orchestration_of = {
	"SELECT d.name, r.name FROM orchestration.run r"
	" LEFT JOIN orchestration.orchestration_definition d ON d.id = r.orchestration_id"
	" WHERE r.id = $1",
	1, {UUIDOID}
};

/* runs whose version is gone count as runs of another version */
static StaticPlan plan_candidates = {
	"SELECT r.id FROM orchestration.run r"
	" LEFT JOIN orchestration.orchestration_version v ON v.id = r.version_id"
	" WHERE r.orchestration_id = $1 AND r.version_id <> $2"
	"   AND ($3 IS NULL OR v.version = $3)"
	"   AND r.status IN ('InProgress', 'Suspended', 'Error') ORDER BY r.id",
	3, {UUIDOID, UUIDOID, INT4OID}
};

static char *orchestration_of(const pg_uuid_t *run_id);
static pg_uuid_t *candidates(const Definition *to, bool any, int32 from, int *nruns);
static bool try_run(const pg_uuid_t *run_id, const Definition *to, Oid role,
					bool dry_run, MigrationReport *report);
static void put_row(ReturnSetInfo *rsinfo, const pg_uuid_t *run_id, const Definition *to,
					bool migrated, const MigrationReport *report);
static char *lines(List *texts);

PG_FUNCTION_INFO_V1(orchestration_migrate_run);

/*
 * orchestration.migrate_run(run_id uuid, version integer) returns boolean; also with run text
 *
 * Moves a run that is InProgress, Suspended or in a recoverable Error to another version of
 * its orchestration (null: the active one), and evaluates its conditions again.  Returns
 * false if it has that version already.
 * Raises: 22004 for a null run_id; 42501 without the permission Manage Flow, and without Edit
 * access to the run or the permission Manage Orchestration Runs; OR101 for a run that does
 * not exist or that the caller does not see, and for an unknown version; OR203 if no version
 * is active; OR204 if the version could not be activated; OR206 with everything that does not
 * fit; OR301 if the default of a new variable cannot be evaluated; 55006 if the transaction is
 * moving the run.
 * Source: ours.
 */
Datum
orchestration_migrate_run(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	pg_uuid_t  *run_id;
	const Definition *to;
	MigrationReport report;
	Frame	   *frame;
	char	   *name;
	bool		migrated;

	orch_access_require_permission(role, PERMISSION_MANAGE_DEFINITIONS, TO_MIGRATE);
	run_id = orch_argument_record(fcinfo, 0, OBJECT_RUN, NAMES_SEEN);
	orch_access_require_move(role, run_id);
	frame = orch_frame_push(FRAME_CALL, role, NULL);
	name = orchestration_of(run_id);
	to = orch_definition_migration_target(name, PG_ARGISNULL(1),
										  PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1), true);
	migrated = orch_engine_migrate(run_id, to, role, false, &report);
	if (report.problems != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_MIGRATE),
				 errmsg("run %s cannot be migrated to version %d of orchestration \"%s\"",
						report.run_name, to->version, name),
				 errdetail("%s", lines(report.problems)),
				 errhint("Deploy a version that has what the run needs, or let the run go on in its version."),
				 orch_error_column(RELATION_RUN, "version_id")));
	if (migrated && report.notes != NIL)
		ereport(NOTICE,
				(errmsg("run %s was migrated to version %d", report.run_name, to->version),
				 errdetail("%s", lines(report.notes))));
	orch_frame_pop(frame);
	PG_RETURN_BOOL(migrated);
}

/*
 * The name of the orchestration of a run that the caller sees.
 */
static char *
orchestration_of(const pg_uuid_t *run_id)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	Datum		value = UUIDPGetDatum(run_id);
	char	   *name;

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_orchestration_of, &value, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("run %s does not exist", orch_uuid_text(run_id)),
				 orch_error_column(RELATION_RUN, "id")));
	name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_MIGRATE),
				 errmsg("run %s was imported without a version",
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)),
				 errdetail("The engine does not move it."),
				 orch_error_column(RELATION_RUN, "version_id")));
	name = MemoryContextStrdup(caller, name);
	orch_system_finish(&saved);
	return name;
}

PG_FUNCTION_INFO_V1(orchestration_migrate_runs);

/*
 * orchestration.migrate_runs(orchestration text, from_version integer, to_version integer,
 *		dry_run boolean, max_runs integer) returns table (run_id uuid, run_name text,
 *		version integer, migrated boolean, problems text[], notes text[])
 *
 * Migrates the runs of a version (null: of every other one) that are not Completed or
 * Canceled to to_version (null: the active one), as migrate_run(), and stops when max_runs
 * (null: any number) are migrated.  A dry run migrates none, and stops when as many would fit.
 * Returns a row for each run that it looked at: the version that the run has now, what does
 * not fit, and what the migration changes besides.  Runs that the caller does not see are
 * left out.
 * Raises: 22004 for a null orchestration or dry_run, 22023 for max_runs below 1, 42501
 * without the permission Manage Flow, OR202 for an unknown orchestration, OR101 for an unknown
 * version, OR203 and OR204 as migrate_run().
 * Source: ours.
 */
Datum
orchestration_migrate_runs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			role = GetUserId();
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	const Definition *to;
	Frame	   *frame;
	char	   *name;
	pg_uuid_t  *run_ids;
	bool		dry_run;
	int64		max_runs;
	int			nfitting = 0;
	int			nruns;
	int			i;

	orch_access_require_permission(role, PERMISSION_MANAGE_DEFINITIONS, TO_MIGRATE);
	orch_require_arguments(fcinfo, 0, 1, "orchestration");
	orch_require_arguments(fcinfo, 3, 1, "dry_run");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	dry_run = PG_GETARG_BOOL(3);
	max_runs = PG_ARGISNULL(4) ? PG_INT64_MAX : PG_GETARG_INT32(4);
	if (max_runs < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_runs must be at least 1")));
	InitMaterializedSRF(fcinfo, 0);
	frame = orch_frame_push(FRAME_CALL, role, NULL);
	to = orch_definition_migration_target(name, PG_ARGISNULL(2),
										  PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2), !dry_run);
	run_ids = candidates(to, PG_ARGISNULL(1), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1),
						 &nruns);
	context = AllocSetContextCreate(caller, "orchestration migration", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	for (i = 0; i < nruns && nfitting < max_runs; i++)
	{
		MigrationReport report;
		bool		migrated;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(context);
		if (!orch_access_sees(role, OBJECT_RUN, &run_ids[i]))
			continue;
		migrated = try_run(&run_ids[i], to, role, dry_run, &report);
		/* another session migrated or deleted it meanwhile */
		if (report.has_version || report.run_name == NULL)
			continue;
		nfitting += report.problems == NIL;
		put_row(rsinfo, &run_ids[i], to, migrated, &report);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	orch_frame_pop(frame);
	return (Datum) 0;
}

/*
 * The ids of the runs that may have to be migrated, in order.
 */
static pg_uuid_t *
candidates(const Definition *to, bool any, int32 from, int *nruns)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	pg_uuid_t  *run_ids;
	pg_uuid_t	from_id;
	Datum		values[3];
	bool		isnull;
	uint64		i;

	orch_system_connect(&saved);
	if (!any && !orch_definition_find_version(to->name, false, from, &from_id, &from))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("orchestration \"%s\" has no version %d", to->name, from),
				 orch_error_column(RELATION_VERSION, "version")));
	values[0] = UUIDPGetDatum(&to->orchestration_id);
	values[1] = UUIDPGetDatum(&to->version_id);
	values[2] = Int32GetDatum(from);
	orch_plan_execute_latest(&plan_candidates, values, any ? "  n" : NULL, 0);
	*nruns = (int) SPI_processed;
	run_ids = MemoryContextAllocHuge(caller, sizeof(pg_uuid_t) * Max(*nruns, 1));
	for (i = 0; i < SPI_processed; i++)
		run_ids[i] = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[i],
												  SPI_tuptable->tupdesc, 1, &isnull));
	orch_system_finish(&saved);
	return run_ids;
}

/*
 * Migrate a run in a subtransaction of its own.  If that fails, the error is the problem.
 */
static bool
try_run(const pg_uuid_t *run_id, const Definition *to, Oid role, bool dry_run,
		MigrationReport *report)
{
	ErrorData  *volatile error = NULL;
	volatile bool migrated = false;

	ORCH_ENGINE_TRY();
	{
		migrated = orch_engine_migrate(run_id, to, role, dry_run, report);
	}
	ORCH_ENGINE_CATCH(error);
	if (error == NULL)
		return migrated;
	report->problems = list_make1(error->message);
	return false;
}

static void
put_row(ReturnSetInfo *rsinfo, const pg_uuid_t *run_id, const Definition *to,
		bool migrated, const MigrationReport *report)
{
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = UUIDPGetDatum(run_id);
	values[1] = CStringGetTextDatum(report->run_name);
	values[2] = Int32GetDatum(migrated ? to->version : report->from_version);
	nulls[2] = !migrated && report->from_version == 0;
	values[3] = BoolGetDatum(migrated);
	values[4] = orch_text_array(report->problems);
	nulls[4] = report->problems == NIL;
	values[5] = orch_text_array(report->notes);
	nulls[5] = report->notes == NIL || report->problems != NIL;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Sentences for a detail. */
static char *
lines(List *texts)
{
	StringInfoData buf;
	ListCell   *cell;

	initStringInfo(&buf);
	foreach(cell, texts)
		appendStringInfo(&buf, "%s%s", buf.len > 0 ? "\n" : "", (char *) lfirst(cell));
	return buf.data;
}
