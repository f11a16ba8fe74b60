/*-------------------------------------------------------------------------
 *
 * definition_version.c
 *	  The versions that an orchestration keeps: the number of the next one, identical
 *	  documents, deletion, and the log of what became of them.
 *
 * A version is deleted only while no run refers to it: an open run needs it to go on, an
 * ended one for its diagram, verify() and its history.  definition_hold.c keeps runs from
 * starting meanwhile.  The number of a deleted version is not given again.
 *
 * The trigger refuse_change() lets no statement change or delete versions and
 * orchestrations, except the DELETE of this file while it deletes exactly that row.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_version.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/system.h"
#include "base/uuid.h"
#include "definition/definition_int.h"
#include "record/principal.h"

#define MAX_VERSIONS	50

/* Runs that an error names, and those that are read to find as many that the caller sees. */
#define MAX_NAMED		5
#define MAX_LOOKED_AT	100

/* Events of definition_log. */
#define EVENT_ACTIVATED		"Activated"
#define EVENT_DEACTIVATED	"Deactivated"
#define EVENT_DELETED		"Deleted"

static StaticPlan identical_plan = {
	"SELECT v.version FROM orchestration.orchestration_version v"
	" WHERE v.orchestration_id = $1"
	"   AND CASE WHEN v.source_xml IS NULL THEN $2 IS NULL AND v.document = $3"
	"            ELSE v.source_xml::text = $2::text END"
	" ORDER BY v.version DESC LIMIT 1",
	3, {UUIDOID, XMLOID, JSONBOID}
};
static StaticPlan next_version_plan = {
	"SELECT GREATEST(d.last_deleted_version,"
	"                (SELECT max(v.version) FROM orchestration.orchestration_version v"
	"                  WHERE v.orchestration_id = d.id)) + 1,"
	"       (SELECT count(*) FROM orchestration.orchestration_version v"
	"         WHERE v.orchestration_id = d.id)::integer"
	"  FROM orchestration.orchestration_definition d WHERE d.id = $1",
	1, {UUIDOID}
};
static StaticPlan unused_plan = {
	"SELECT count(*)::integer FROM orchestration.orchestration_definition d"
	"  JOIN orchestration.orchestration_version v"
	"    ON v.orchestration_id = d.id AND v.version IS DISTINCT FROM d.active_version"
	" WHERE d.id = $1"
	"   AND NOT EXISTS (SELECT FROM orchestration.run r"
	"                    WHERE r.orchestration_id = d.id AND r.version_id = v.id)",
	1, {UUIDOID}
};

/* a new version locks the row FOR KEY SHARE, by its foreign key */
static StaticPlan lock_plan = {
	"SELECT id, active_version FROM orchestration.orchestration_definition"
	" WHERE name = $1 FOR UPDATE",
	1, {TEXTOID}
};
static StaticPlan lock_version_plan = {
	"SELECT id FROM orchestration.orchestration_version"
	" WHERE orchestration_id = $1 AND version = $2 FOR UPDATE",
	2, {UUIDOID, INT4OID}
};
static StaticPlan lock_all_plan = {
	"SELECT id FROM orchestration.orchestration_version"
	" WHERE orchestration_id = $1 ORDER BY version FOR UPDATE",
	1, {UUIDOID}
};
static StaticPlan version_runs_plan = {
	/* no OR, which only a bitmap scan finds by an index */
	"SELECT x.id, x.name, x.n FROM (SELECT r.id, r.name, count(*) OVER () AS n"
	" FROM (SELECT a.id, a.name FROM orchestration.run a"
	"        WHERE a.orchestration_id = $1 AND a.version_id = $2"
	"       UNION ALL"
	"       SELECT b.id, b.name FROM orchestration.run b"
	"        WHERE b.orchestration_id IS NULL AND b.version_id = $2) r"
	" LIMIT $3) x ORDER BY x.id",
	3, {UUIDOID, UUIDOID, INT4OID}
};
static StaticPlan orchestration_runs_plan = {
	"SELECT x.id, x.name, x.n FROM (SELECT r.id, r.name, count(*) OVER () AS n"
	" FROM orchestration.run r WHERE r.orchestration_id = $1 LIMIT $2) x ORDER BY x.id",
	2, {UUIDOID, INT4OID}
};
static StaticPlan rules_plan = {
	"SELECT count(*)::integer FROM orchestration.owner_sharing_rule WHERE orchestration_id = $1",
	1, {UUIDOID}
};
static StaticPlan delete_version_plan = {
	"DELETE FROM orchestration.orchestration_version WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan delete_definition_plan = {
	"DELETE FROM orchestration.orchestration_definition WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan keep_number_plan = {
	"UPDATE orchestration.orchestration_definition SET last_deleted_version = $2"
	" WHERE id = $1 AND last_deleted_version < $2",
	2, {UUIDOID, INT4OID}
};
static StaticPlan log_plan = {
	"INSERT INTO orchestration.definition_log (orchestration_id, orchestration_name,"
	" version, event, user_id, role_name) VALUES ($1, $2, $3, $4, $5, $6)",
	6, {UUIDOID, TEXTOID, INT4OID, TEXTOID, UUIDOID, TEXTOID}
};

/* The row that this file is deleting, for refuse_change(); NULL: none. */
static const pg_uuid_t *deleting = NULL;
static int	deleting_depth = 0;

static bool lock_orchestration(const char *name, pg_uuid_t *id, int32 *active);
static void refuse_active(const char *name, int32 active) pg_attribute_noreturn();
static void refuse_runs(StaticPlan *plan, Datum *values, int nvalues, Oid role,
						const char *what);
static void delete_row(StaticPlan *plan, const pg_uuid_t *id);
static void log_event(const pg_uuid_t *id, const char *name, int32 version,
					  const char *event);
static char *column_text(TriggerData *trigdata, HeapTuple row, const char *column);

/* -------------------------------------------------------------- deploying */

/*
 * Does the orchestration have a version with exactly this document?  The newest such one.
 * The source is compared as it was deployed: the text of XML (0: none), or the value of JSON.
 * The caller has locked the orchestration and is connected to SPI.
 */
bool
orch_definition_find_identical(const pg_uuid_t *id, Datum xml, Jsonb *document,
							   int32 *version)
{
	Datum		values[3];
	bool		isnull;

	values[0] = UUIDPGetDatum(id);
	values[1] = xml;
	values[2] = JsonbPGetDatum(document);
	(void) orch_plan_execute_latest(&identical_plan, values,
									xml == (Datum) 0 ? " n " : NULL, 1);
	if (SPI_processed == 0)
		return false;
	*version = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull));
	return true;
}

/*
 * The number of the next version.  Raises 54000 if as many are kept as can be.  The caller
 * has locked the orchestration and is connected to SPI.
 */
int32
orch_definition_next_version(const pg_uuid_t *id, const char *name)
{
	Datum		value = UUIDPGetDatum(id);
	bool		isnull;
	int32		next;
	int32		kept;
	int32		unused;

	(void) orch_plan_execute_latest(&next_version_plan, &value, NULL, 1);
	next = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
	kept = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 2, &isnull));
	if (kept < MAX_VERSIONS)
		return next;
	(void) orch_plan_execute_latest(&unused_plan, &value, NULL, 1);
	unused = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1, &isnull));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("orchestration \"%s\" keeps %d versions, the maximum", name,
					MAX_VERSIONS),
			 errdetail_plural("%d of them is not active and has no runs.",
							  "%d of them are not active and have no runs.",
							  unused, unused),
			 unused > 0 ?
			 errhint("Delete some of these with orchestration.delete_orchestration_version().") :
			 errhint("Delete runs that have ended, or migrate open ones to a newer version, and then delete the version with orchestration.delete_orchestration_version().")));
}

/* --------------------------------------------------------------- deletion */

PG_FUNCTION_INFO_V1(orchestration_delete_orchestration_version);

/*
 * orchestration.delete_orchestration_version(orchestration text, version integer) returns void
 *
 * Deletes a version that is not active and that no run has.  Its number is not given
 * again.  Waits for transactions that start runs of the orchestration.
 * Raises: 42501 without the permission Manage Flow, 22004 for null, OR202 for an unknown
 * name, OR101 for an unknown version, 55006 for the active version, 2BP01 if runs have the
 * version.
 * Source: ours.
 */
Datum
orchestration_delete_orchestration_version(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	Oid			role = GetUserId();
	char	   *name;
	int32		version;
	int32		active;
	pg_uuid_t	id;
	pg_uuid_t	version_id;
	Datum		values[3];
	bool		isnull;

	orch_definition_check_call(fcinfo, 0, "orchestration");
	orch_require_arguments(fcinfo, 1, 1, "argument \"version\"");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	version = PG_GETARG_INT32(1);

	orch_system_connect(&saved);
	if (!lock_orchestration(name, &id, &active))
		orch_definition_unknown(name);
	values[0] = UUIDPGetDatum(&id);
	values[1] = Int32GetDatum(version);
	(void) orch_plan_execute_latest(&lock_version_plan, values, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("orchestration \"%s\" has no version %d", name, version)));
	version_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
											  SPI_tuptable->tupdesc, 1, &isnull));
	if (active == version)
		refuse_active(name, active);
	orch_definition_lock_versions(&id);
	values[1] = UUIDPGetDatum(&version_id);
	refuse_runs(&version_runs_plan, values, 2, role,
				psprintf("version %d of orchestration \"%s\"", version, name));

	values[1] = Int32GetDatum(version);
	(void) orch_plan_execute_latest(&keep_number_plan, values, NULL, 0);
	delete_row(&delete_version_plan, &version_id);
	log_event(&id, name, version, EVENT_DELETED);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_delete_orchestration);

/*
 * orchestration.delete_orchestration(orchestration text) returns void
 *
 * Deletes an orchestration with all its versions.  It must not be active, and have no runs
 * and no sharing rules.  Waits for transactions that start runs of it.
 * Raises: 42501 without the permission Manage Flow, 22004 for null, OR202 for an unknown
 * name, 55006 if a version is active, 2BP01 if there are runs or sharing rules.
 * Source: ours.
 */
Datum
orchestration_delete_orchestration(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	Oid			role = GetUserId();
	char	   *name;
	int32		active;
	pg_uuid_t	id;
	pg_uuid_t  *versions;
	Datum		values[2];
	bool		isnull;
	int			nversions;
	int			nrules;
	int			i;

	orch_definition_check_call(fcinfo, 0, "orchestration");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	orch_system_connect(&saved);
	if (!lock_orchestration(name, &id, &active))
		orch_definition_unknown(name);
	if (active != 0)
		refuse_active(name, active);
	values[0] = UUIDPGetDatum(&id);
	(void) orch_plan_execute_latest(&lock_all_plan, values, NULL, 0);
	nversions = (int) SPI_processed;
	versions = palloc(sizeof(pg_uuid_t) * Max(nversions, 1));
	for (i = 0; i < nversions; i++)
		versions[i] = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[i],
												   SPI_tuptable->tupdesc, 1, &isnull));
	orch_definition_lock_versions(&id);
	refuse_runs(&orchestration_runs_plan, values, 1, role,
				psprintf("orchestration \"%s\"", name));
	(void) orch_plan_execute_latest(&rules_plan, values, NULL, 1);
	nrules = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1, &isnull));
	if (nrules > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("orchestration \"%s\" cannot be deleted", name),
				 errdetail_plural("%d sharing rule names it.",
								  "%d sharing rules name it.", nrules, nrules),
				 errhint("Delete the rules with orchestration.delete_sharing_rule().")));

	for (i = 0; i < nversions; i++)
		delete_row(&delete_version_plan, &versions[i]);
	delete_row(&delete_definition_plan, &id);
	log_event(&id, name, 0, EVENT_DELETED);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

/*
 * Lock the row of an orchestration; false if there is none.  active: 0 for none.
 */
static bool
lock_orchestration(const char *name, pg_uuid_t *id, int32 *active)
{
	Datum		value = CStringGetTextDatum(name);
	bool		isnull;

	(void) orch_plan_execute_latest(&lock_plan, &value, NULL, 1);
	if (SPI_processed == 0)
		return false;
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	*active = isnull ? 0 : DatumGetInt32(value);
	return true;
}

static void
refuse_active(const char *name, int32 active)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("version %d of orchestration \"%s\" is active", active, name),
			 errhint("Activate another version, or deactivate the orchestration, first.")));
}

/*
 * Raise 2BP01 if there are runs.  The error counts all of them and names some that the
 * role sees.
 */
static void
refuse_runs(StaticPlan *plan, Datum *values, int nvalues, Oid role, const char *what)
{
	SPITupleTable *table;
	StringInfoData names;
	int64		nruns;
	int			nnamed = 0;
	uint64		i;
	bool		isnull;

	values[nvalues] = Int32GetDatum(MAX_LOOKED_AT);
	(void) orch_plan_execute_latest(plan, values, NULL, 0);
	table = SPI_tuptable;
	if (table->numvals == 0)
		return;
	nruns = DatumGetInt64(SPI_getbinval(table->vals[0], table->tupdesc, 3, &isnull));
	initStringInfo(&names);
	for (i = 0; i < table->numvals && nnamed < MAX_NAMED; i++)
	{
		pg_uuid_t  *run_id = DatumGetUUIDP(SPI_getbinval(table->vals[i],
														 table->tupdesc, 1, &isnull));

		if (!orch_access_sees(role, OBJECT_RUN, run_id))
			continue;
		appendStringInfo(&names, "%s%s", nnamed++ > 0 ? ", " : "",
						 SPI_getvalue(table->vals[i], table->tupdesc, 2));
	}
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("%s cannot be deleted", what),
			 nnamed == 0 ?
			 errdetail_plural("%lld run has it.", "%lld runs have it.",
							  (unsigned long) nruns, (long long) nruns) :
			 errdetail_plural("%lld run has it: %s%s.", "%lld runs have it: %s%s.",
							  (unsigned long) nruns, (long long) nruns, names.data,
							  nruns > nnamed ? " and others" : ""),
			 errhint("First delete the ended runs, and migrate the open ones with orchestration.migrate_runs(). Ended runs need their version for their diagram, verify() and history.")));
}

/*
 * Delete a row that refuse_change() protects.
 */
static void
delete_row(StaticPlan *plan, const pg_uuid_t *id)
{
	Datum		value = UUIDPGetDatum(id);

	deleting = id;
	deleting_depth = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) + 1;
	PG_TRY();
	{
		(void) orch_plan_execute_latest(plan, &value, NULL, 0);
	}
	PG_FINALLY();
	{
		deleting = NULL;
	}
	PG_END_TRY();
	if (SPI_processed != 1)
		elog(ERROR, "a trigger kept row %s from being deleted", orch_uuid_text(id));
}

/*
 * Is this the trigger of a row that this file is deleting?  A statement that a user's
 * trigger executes meanwhile is deeper.
 */
bool
orch_definition_deletes(TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		isnull;
	Datum		id;

	if (deleting == NULL || !TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ||
		DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) != deleting_depth)
		return false;
	id = heap_getattr(trigdata->tg_trigtuple, SPI_fnumber(desc, "id"), desc, &isnull);
	return !isnull && orch_uuid_equal(DatumGetUUIDP(id), deleting);
}

/* -------------------------------------------------------------------- log */

/*
 * Add a row to definition_log; version 0: the orchestration itself.  Caller is in system
 * context and connected to SPI.
 */
static void
log_event(const pg_uuid_t *id, const char *name, int32 version, const char *event)
{
	Frame	   *top = orch_frame_top();
	Oid			actor;
	Datum		values[6];
	char		nulls[7] = "      ";

	/* outside of frames GetUserId() is the owner of the extension here */
	actor = top == NULL || top->kind == FRAME_ACTION || top->kind == FRAME_RECORD ?
		GetOuterUserId() : orch_frame_actor();
	values[0] = UUIDPGetDatum(id);
	values[1] = CStringGetTextDatum(name);
	values[2] = Int32GetDatum(version);
	if (version == 0)
		nulls[2] = 'n';
	values[3] = CStringGetTextDatum(event);
	orch_principal_set_acting(actor, &values[4], &nulls[4]);
	values[5] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	(void) orch_plan_execute(&log_plan, values, nulls, false, 0);
}

static char *
column_text(TriggerData *trigdata, HeapTuple row, const char *column)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	return SPI_getvalue(row, desc, SPI_fnumber(desc, column));
}

PG_FUNCTION_INFO_V1(orchestration_log_activation);

/*
 * orchestration_internal.log_activation() returns trigger
 *
 * AFTER UPDATE ROW of orchestration_definition: records in definition_log who changed the
 * active version.  It is a trigger, so that it records a plain UPDATE of the owner, too.
 * Returns null.
 * Raises: 39P01 if not called as that trigger.
 * Source: ours.
 */
Datum
orchestration_log_activation(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SystemContext saved;
	char	   *was;
	char	   *is;
	char	   *name;
	pg_uuid_t	id;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an AFTER UPDATE ROW trigger",
						"log_activation")));
	orch_system_connect(&saved);
	was = column_text(trigdata, trigdata->tg_trigtuple, "active_version");
	is = column_text(trigdata, trigdata->tg_newtuple, "active_version");
	name = column_text(trigdata, trigdata->tg_newtuple, "name");
	if (!orch_uuid_parse(column_text(trigdata, trigdata->tg_newtuple, "id"), &id))
		elog(ERROR, "an orchestration has no id");
	if (was != NULL)
		log_event(&id, name, pg_strtoint32(was), EVENT_DEACTIVATED);
	if (is != NULL)
		log_event(&id, name, pg_strtoint32(is), EVENT_ACTIVATED);
	orch_system_finish(&saved);
	return PointerGetDatum(NULL);
}

/* -------------------------------------------------------------- migration */

/*
 * The version to which runs of an orchestration are migrated; active: its active version.
 * lock: no session can delete it before this transaction ends.  It must be fit for
 * activation, because runs go on in it at once.  Raises OR101, OR202, OR203, OR204, 42809.
 */
const Definition *
orch_definition_migration_target(const char *name, bool active, int32 version, bool lock)
{
	SystemContext saved;
	MemoryContext context;
	ProblemList problems = {0};
	const Definition *def;
	pg_uuid_t	version_id;

	if (active)
	{
		const Definition *current = orch_definition_active(name);

		version_id = current->version_id;
		version = current->version;
	}
	orch_system_connect(&saved);
	if ((!active && !orch_definition_find_version(name, false, version, &version_id, &version)) ||
		(lock && !orch_definition_hold_version(&version_id)))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("orchestration \"%s\" has no version %d", name, version)));
	context = AllocSetContextCreate(CurrentMemoryContext,
									"orchestration definition",
									ALLOCSET_DEFAULT_SIZES);
	orch_definition_check_version(&version_id, context, &problems);
	def = orch_definition_get(&version_id);
	if (problems.nerrors + problems.nstale > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_ACTIVATE),
				 errmsg("runs cannot be migrated to version %d of orchestration \"%s\": it could not be activated",
						def->version, name),
				 errdetail("%s", orch_definition_problem_text(&problems,
															  PROBLEM_STALE)),
				 errhint("Register what is missing, or deploy a version without these problems.")));
	if (def->kind == DEFINITION_EVALUATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is an evaluation flow: it has no runs", name)));
	MemoryContextDelete(context);
	orch_system_finish(&saved);
	return def;
}
