/*-------------------------------------------------------------------------
 *
 * engine_migrate.c
 *	  Moves a run to another version of its orchestration.
 *
 * A run fits a version in which it can go on from where it is: its open stage is there,
 * and so is each step that is in progress or begins again when the run is resumed, in the
 * same stage and with the same kind.  Its variables have the data types of the version.
 * What has ended stays as it was, and what has not been reached yet is as in the new version.
 *
 * Whether a run fits is first read without a lock, so that a dry run waits for nobody, and
 * runs that do not fit are not locked.  Then the run is locked, and everything is read and
 * decided again.
 *
 * A version may read the record where the version before did not.  A session that changes
 * the record searches for runs that wait for it, and would not find this run before the
 * migration is committed.  So the record is locked as it is at the start of a run, before the
 * run is: a change of a record locks the record first, too.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_migrate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/text_array.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "engine/engine_migrate.h"
#include "engine/notify.h"
#include "guard/guard.h"
#include "record/action.h"
#include "record/principal.h"
#include "record/record.h"
#include "trail/log.h"

/* A run as far as it decides whether it fits. */
typedef struct Migrant
{
	pg_uuid_t	id;
	bool		exists;
	RunStatus	status;
	bool		recoverable;
	TimestampTz ended_at;
	bool		has_version;
	pg_uuid_t	version_id;
	Jsonb	   *variables;		/* or NULL */
	char	   *record_type;	/* or NULL */
	char	   *record_key;
	const Definition *from;		/* NULL: it is gone, or not valid any more */
	bool		has_stage;
	pg_uuid_t	stage_id;		/* of the stage reached last */
	char	   *stage;
	int			stage_status;
	int			nsteps;
	HeapTuple  *steps;
	TupleDesc	desc;
} Migrant;

static StaticPlan plan_run = {
	"SELECT r.name, r.status, r.version_id, v.version, r.variables,"
	" r.triggering_record_type, r.triggering_record_id, r.error_recoverable, r.ended_at"
	" FROM orchestration.run r"
	" LEFT JOIN orchestration.orchestration_version v ON v.id = r.version_id"
	" WHERE r.id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_stage = {
	"SELECT id, name, status FROM orchestration.stage_run"
	" WHERE run_id = $1 ORDER BY position DESC LIMIT 1",
	1, {UUIDOID}
};
static StaticPlan plan_steps = {
	"SELECT name, status, step_type FROM orchestration.step_run"
	" WHERE run_id = $1 AND stage_run_id = $2 ORDER BY id",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_set_version = {
	"UPDATE orchestration.run SET version_id = $2 WHERE id = $1",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_note = {
	"INSERT INTO orchestration.run_migration"
	" (run_id, migrated_at, from_version, to_version, migrated_by)"
	" VALUES ($1, $2, $3, $4, $5)",
	5, {UUIDOID, TIMESTAMPTZOID, INT4OID, INT4OID, UUIDOID}
};
static StaticPlan plan_renew_step = {
	"UPDATE orchestration.step_run"
	" SET step_type = $3::pg_catalog.text::orchestration.step_type, label = $4, description = $5,"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL"
	" WHERE run_id = $1 AND id = $2"
	"   AND (step_type::pg_catalog.text, label, description) IS DISTINCT FROM ($3, $4, $5)",
	5, {UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID}
};

/*
 * A worker that has a lease finishes with what it was given.  The next claim gets the new
 * values.
 */
static StaticPlan plan_renew_queued = {
	"UPDATE orchestration.step_queue q SET topic = $3, action = $4, inputs = $5, run_as = $6,"
	" timeout = CASE WHEN q.leased_until > pg_catalog.clock_timestamp() THEN q.timeout ELSE $7 END,"
	" failures = CASE WHEN q.action = $4 THEN q.failures ELSE 0 END"
	" WHERE q.run_id = $1 AND q.step_run_id = $2"
	"   AND (q.topic, q.action, q.inputs, q.run_as) IS DISTINCT FROM ($3, $4, $5, $6)",
	7, {UUIDOID, UUIDOID, TEXTOID, TEXTOID, JSONBOID, UUIDOID, INTERVALOID}
};

static StaticPlan plan_drop_bindings = {
	"DELETE FROM orchestration.run_record r WHERE r.run_id = $1 AND NOT EXISTS"
	" (SELECT FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) AS k (variable, record_type)"
	"   WHERE k.variable = r.variable AND k.record_type = r.record_type)",
	3, {UUIDOID, TEXTARRAYOID, TEXTARRAYOID}
};

static void read_migrant(Migrant *run, MigrationReport *report);
static void check_fit(const Migrant *run, const Definition *to, MigrationReport *report);
static void check_status(const Migrant *run, MigrationReport *report);
static void check_steps(const Migrant *run, const Definition *to, int stage,
						MigrationReport *report);
static void check_variables(const Migrant *run, const Definition *to,
							MigrationReport *report);
static bool value_fits(const VariableDef *from, const VariableDef *to, JsonbValue *value);
static bool text_fits(VariableType type, JsonbValue *value);
static JsonbValue *stored_value(const Migrant *run, const char *name);
static void apply(const Migrant *run, const Definition *to, Oid role,
				  const MigrationReport *report);
static void set_version(const Migrant *run, const Definition *to, Oid role,
						const MigrationReport *report);
static void set_new_variables(RunState *rs, const Migrant *run);
static bool is_new_value(const Migrant *run, const VariableDef *variable);
static void drop_bindings(const Migrant *run, const Definition *to);
static bool is_new_variable(const Migrant *run, const VariableDef *variable);
static void renew_step(RunState *rs, StepState *step);
static void renew_queued(RunState *rs, StepState *step);
static List *add_text(MigrationReport *report, List *texts, const char *format,
					  va_list args) pg_attribute_printf(3, 0);
static void problem(MigrationReport *report, const char *format,...) pg_attribute_printf(2, 3);
static void note(MigrationReport *report, const char *format,...) pg_attribute_printf(2, 3);

bool
orch_engine_migrate(const pg_uuid_t *run_id, const Definition *to, Oid role,
					bool dry_run, MigrationReport *report)
{
	Migrant		run;
	Migrant		before;
	SystemContext saved;
	bool		lock_record;

	memset(report, 0, sizeof(MigrationReport));
	report->context = CurrentMemoryContext;
	orch_system_connect(&saved);
	run.id = *run_id;
	read_migrant(&run, report);
	check_fit(&run, to, report);
	orch_access_require_move(role, run_id);
	if (dry_run || report->problems != NIL || report->has_version)
	{
		orch_system_finish(&saved);
		return false;
	}

	/* an action of the run, or a trigger on its rows, calls this */
	if (orch_frame_engine(run_id) != NULL || orch_guard_defers(run_id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("run \"%s\" is being moved by this transaction and cannot be migrated by its own actions and triggers",
						report->run_name)));
	lock_record = to->waits_for_record && run.record_key != NULL;
	if (lock_record)
		orch_record_lock(run.record_type, run.record_key, true);
	(void) orch_lock_run(run_id, RUN_LOCK_MOVE);
	orch_access_require_move(role, run_id);

	/* decide on the present state */
	before = run;
	report->problems = report->notes = NIL;
	read_migrant(&run, report);
	if (to->waits_for_record && run.record_key != NULL &&
		(!lock_record || strcmp(run.record_key, before.record_key) != 0 ||
		 strcmp(run.record_type, before.record_type) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update of run \"%s\"",
						report->run_name)));
	check_fit(&run, to, report);
	if (report->problems == NIL && !report->has_version)
	{
		apply(&run, to, role, report);
		orch_system_finish(&saved);
		return true;
	}
	orch_system_finish(&saved);
	return false;
}

/* Names are at most 255 characters long. */
static List *
add_text(MigrationReport *report, List *texts, const char *format, va_list args)
{
	MemoryContext old = MemoryContextSwitchTo(report->context);
	char		text[4096];

	vsnprintf(text, sizeof(text), format, args);
	texts = lappend(texts, pstrdup(text));
	MemoryContextSwitchTo(old);
	return texts;
}

static void
problem(MigrationReport *report, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	report->problems = add_text(report, report->problems, format, args);
	va_end(args);
}

static void
note(MigrationReport *report, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	report->notes = add_text(report, report->notes, format, args);
	va_end(args);
}

/* ------------------------------------------------------------- does it fit? */

/*
 * Read the run as it is now.  Raises OR101 if it does not exist.
 */
static void
read_migrant(Migrant *run, MigrationReport *report)
{
	pg_uuid_t	id = run->id;
	Datum		values[2];
	HeapTuple	tuple;
	TupleDesc	desc;
	bool		isnull;
	int			i;

	memset(run, 0, sizeof(Migrant));
	run->id = id;
	values[0] = UUIDPGetDatum(&run->id);
	orch_plan_execute_latest(&plan_run, values, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("run %s does not exist", orch_uuid_text(&run->id)),
				 orch_error_column(RELATION_RUN, "id")));
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	report->run_name = MemoryContextStrdup(report->context, SPI_getvalue(tuple, desc, 1));
	run->status = (RunStatus) orch_catalog_label_column(ENUM_RUN_STATUS, tuple, desc, 2);
	values[1] = SPI_getbinval(tuple, desc, 3, &isnull);
	run->has_version = !isnull;
	if (run->has_version)
		run->version_id = *DatumGetUUIDP(values[1]);
	values[1] = SPI_getbinval(tuple, desc, 4, &isnull);
	report->from_version = isnull ? 0 : DatumGetInt32(values[1]);
	values[1] = SPI_getbinval(tuple, desc, 5, &isnull);
	if (!isnull)
		run->variables = DatumGetJsonbPCopy(values[1]);
	if (run->variables != NULL && !JB_ROOT_IS_OBJECT(run->variables))
		run->variables = NULL;
	run->record_type = SPI_getvalue(tuple, desc, 6);
	run->record_key = SPI_getvalue(tuple, desc, 7);
	values[1] = SPI_getbinval(tuple, desc, 8, &isnull);
	run->recoverable = !isnull && DatumGetBool(values[1]);
	values[1] = SPI_getbinval(tuple, desc, 9, &isnull);
	run->ended_at = isnull ? 0 : DatumGetTimestampTz(values[1]);

	/* a run may leave a version that is not valid any more: that is a reason to migrate it */
	if (run->has_version && orch_engine_version_problem(&run->version_id) == NULL)
		run->from = orch_definition_get(&run->version_id);

	orch_plan_execute_latest(&plan_stage, values, NULL, 1);
	run->has_stage = SPI_processed > 0;
	if (!run->has_stage)
		return;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	run->stage_id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
	run->stage = SPI_getvalue(tuple, desc, 2);
	run->stage_status = orch_catalog_label_column(ENUM_STAGE_STATUS, tuple, desc, 3);

	values[1] = UUIDPGetDatum(&run->stage_id);
	orch_plan_execute_latest(&plan_steps, values, NULL, 0);
	run->nsteps = (int) SPI_processed;
	run->steps = palloc(sizeof(HeapTuple) * Max(run->nsteps, 1));
	run->desc = SPI_tuptable->tupdesc;
	for (i = 0; i < run->nsteps; i++)
		run->steps[i] = SPI_tuptable->vals[i];
}

static void
check_fit(const Migrant *run, const Definition *to, MigrationReport *report)
{
	int			stage;

	if (!run->has_version)
	{
		problem(report, "the run was imported without a version");
		return;
	}
	if (orch_uuid_equal(&run->version_id, &to->version_id))
	{
		report->has_version = true;
		return;
	}
	check_status(run, report);
	if (report->problems != NIL)
		return;
	stage = run->has_stage ? orch_definition_stage_index(to, run->stage) : -1;
	if (run->has_stage && stage < 0)
		problem(report, "stage \"%s\" (%s) does not exist in version %d", run->stage,
				orch_catalog_label(ENUM_STAGE_STATUS, run->stage_status), to->version);
	else if (run->has_stage)
		check_steps(run, to, stage, report);
	check_variables(run, to, report);
}

/*
 * Only a run that goes on, or can be resumed, is migrated.
 */
static void
check_status(const Migrant *run, MigrationReport *report)
{
	switch (run->status)
	{
		case RUN_COMPLETED:
		case RUN_CANCELED:
			problem(report, "the run is %s",
					orch_catalog_label(ENUM_RUN_STATUS, run->status));
			break;
		case RUN_ERROR:
			if (!run->recoverable)
				problem(report, "the run is in Error and cannot be resumed: its error is not recoverable");
			else if (GetCurrentTransactionStartTimestamp() - run->ended_at >=
					 orch_resume_window * USECS_PER_DAY)
				problem(report, "the run is in Error and cannot be resumed: it failed more than %d days ago",
						orch_resume_window);
			break;
		case RUN_IN_PROGRESS:
		case RUN_SUSPENDED:
			break;
	}
}

/*
 * The steps of the stage reached last.  Those in progress go on, and those that failed or
 * were discontinued begin again when the run is resumed.
 */
static void
check_steps(const Migrant *run, const Definition *to, int stage, MigrationReport *report)
{
	int			i;

	for (i = 0; i < run->nsteps; i++)
	{
		char	   *name = SPI_getvalue(run->steps[i], run->desc, 1);
		int			status = orch_catalog_label_column(ENUM_STEP_STATUS, run->steps[i],
													   run->desc, 2);
		StepType	type = (StepType) orch_catalog_label_column(ENUM_STEP_TYPE, run->steps[i],
																run->desc, 3);
		const char *status_name = orch_catalog_label(ENUM_STEP_STATUS, status);
		bool		open = status != STEP_NOT_STARTED && status != STEP_COMPLETED;
		int			n = orch_definition_step_index(to, name);
		int			was = run->from == NULL ? -1 : orch_definition_step_index(run->from, name);
		const StepDef *def = n < 0 ? NULL : &to->steps[n];

		CHECK_FOR_INTERRUPTS();
		if (def == NULL || def->stage != stage)
		{
			/* gone in the version before already: noted at that migration */
			bool		known = was >= 0 && run->from->steps[was].stage ==
			orch_definition_stage_index(run->from, run->stage);

			if (open && def == NULL)
				problem(report, "step \"%s\" (%s) does not exist in version %d", name,
						status_name, to->version);
			else if (open)
				problem(report, "step \"%s\" (%s) is in stage \"%s\" in version %d", name,
						status_name, to->stages[def->stage].name, to->version);
			else if (known)
				note(report, "step \"%s\" (%s) is no longer in stage \"%s\"", name,
					 status_name, run->stage);
		}
		else if (open && ((def->type == STEP_TYPE_INTERACTIVE) != (type == STEP_TYPE_INTERACTIVE)))
			problem(report, "step \"%s\" (%s) is of type %s, in version %d of type %s", name,
					status_name, orch_catalog_label(ENUM_STEP_TYPE, type), to->version,
					orch_catalog_label(ENUM_STEP_TYPE, def->type));
		else if (open && was >= 0 && run->from->steps[was].is_approval != def->is_approval)
			problem(report, def->is_approval ?
					"step \"%s\" (%s) is no approval, but is one in version %d" :
					"step \"%s\" (%s) is an approval, but is none in version %d",
					name, status_name, to->version);
	}
}

/*
 * The values of the variables that both versions have must be of the data types of the
 * new one.
 */
static void
check_variables(const Migrant *run, const Definition *to, MigrationReport *report)
{
	int			i;

	for (i = 0; i < to->nvariables; i++)
	{
		const VariableDef *variable = &to->variables[i];
		int			was = run->from == NULL ? -1 :
		orch_definition_variable_index(run->from, variable->name);

		if (variable->is_constant)
			continue;
		if (is_new_variable(run, variable))
			note(report, "variable \"%s\" is new", variable->name);
		else if (was >= 0 && variable->object_type != NULL &&
				 run->from->variables[was].object_type != NULL &&
				 strcmp(variable->object_type, run->from->variables[was].object_type) != 0 &&
				 stored_value(run, variable->name) != NULL)
			problem(report, "the value of variable \"%s\" is a record of type \"%s\", in version %d one of type \"%s\"",
					variable->name, run->from->variables[was].object_type, to->version,
					variable->object_type);
		else if (!value_fits(was < 0 ? NULL : &run->from->variables[was], variable,
							 stored_value(run, variable->name)))
			problem(report, "the value of variable \"%s\" is no %s%s, as version %d declares it",
					variable->name,
					variable->is_collection ? "collection of " : "",
					orch_condition_variable_type_name(variable->type), to->version);
	}
	for (i = 0; run->from != NULL && i < run->from->nvariables; i++)
	{
		const VariableDef *variable = &run->from->variables[i];
		int			n = orch_definition_variable_index(to, variable->name);

		if (!variable->is_constant && (n < 0 || to->variables[n].is_constant))
			note(report, "variable \"%s\" is dropped", variable->name);
	}
}

/*
 * Does the run lack the variable?  A variable whose value is null is not stored.
 */
static bool
is_new_variable(const Migrant *run, const VariableDef *variable)
{
	int			was;

	if (run->from == NULL)
		return stored_value(run, variable->name) == NULL;
	was = orch_definition_variable_index(run->from, variable->name);
	return was < 0 || run->from->variables[was].is_constant;
}

static JsonbValue *
stored_value(const Migrant *run, const char *name)
{
	if (run->variables == NULL)
		return NULL;
	return getKeyJsonValueFromContainer(&run->variables->root, name, strlen(name), NULL);
}

/*
 * Is a value of the old variable one of the new?  from is NULL if it is not known.
 */
static bool
value_fits(const VariableDef *from, const VariableDef *to, JsonbValue *value)
{
	bool		same_type = from != NULL && from->type == to->type;
	VariableDef member = *to;
	JsonbIterator *it;
	JsonbValue	element;

	if (value == NULL || value->type == jbvNull ||
		(same_type && from->is_collection == to->is_collection))
		return true;
	if (!orch_engine_value_fits(to, value))
		return false;
	if (!to->is_collection)
		return text_fits(to->type, value);
	if (value->type != jbvBinary)
		return true;
	member.is_collection = false;
	it = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&it, &element, true);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		CHECK_FOR_INTERRUPTS();
		if (!orch_engine_value_fits(&member, &element) ||
			(element.type != jbvNull && !text_fits(to->type, &element)))
			return false;
	}
	return true;
}

/*
 * Dates and times are stored as texts: is this one a value of the type?  No other type's
 * values are times.
 */
static bool
text_fits(VariableType type, JsonbValue *value)
{
	Timestamp	ignored;

	if (type == VARIABLE_DATE || type == VARIABLE_DATETIME)
		return orch_condition_datetime(value->val.string.val, value->val.string.len, &ignored);
	return type != VARIABLE_TIME;
}

/* ------------------------------------------------------------------ moving */

/*
 * Give the run its new version, and move it on.  Caller holds the lock on the run.
 */
static void
apply(const Migrant *run, const Definition *to, Oid role, const MigrationReport *report)
{
	RunState   *rs;
	int			nsteps;
	int			i;

	set_version(run, to, role, report);
	rs = orch_engine_load_run(&run->id);
	orch_engine_open_state(rs);
	set_new_variables(rs, run);
	if (rs->position > 0)
	{
		nsteps = rs->nsteps;
		orch_engine_add_steps(rs);
		for (i = 0; i < nsteps; i++)
		{
			if (rs->steps[i].status == STEP_IN_PROGRESS)
				renew_queued(rs, &rs->steps[i]);
			else if (rs->steps[i].status != STEP_COMPLETED)
				renew_step(rs, &rs->steps[i]);
		}
	}
	if (rs->status == RUN_IN_PROGRESS)
		orch_engine_advance(rs);
	else
	{
		if (rs->variables_changed)
			orch_engine_write_rest(rs, rs->current_stage);
		orch_engine_write_bindings(rs);
	}
	orch_engine_close_state(rs);
	orch_engine_drop_state(rs);
}

/*
 * Write the new version, and record the migration.
 */
static void
set_version(const Migrant *run, const Definition *to, Oid role,
			const MigrationReport *report)
{
	GuardScope	scope = {.kind = SCOPE_TRUSTED, .version = &to->version_id};
	LogEntry	entry;
	Datum		values[5];
	char		nulls[6] = "     ";

	values[0] = UUIDPGetDatum(&run->id);
	values[1] = UUIDPGetDatum(&to->version_id);
	orch_guard_execute_in(&scope, &plan_set_version, values, NULL);
	if (SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("run \"%s\" did not take its new version", report->run_name),
				 errhint("A trigger on the table must not suppress rows.")));

	orch_log_entry_init(&entry, LOG_MIGRATE_INSTANCE, &run->id);
	entry.actor = orch_principal_actor(role);
	entry.comments = report->from_version == 0 ?
		psprintf("Version %d", to->version) :
		psprintf("Version %d to %d", report->from_version, to->version);
	orch_log_append(&entry);
	values[1] = TimestampTzGetDatum(entry.logged_at);
	values[2] = Int32GetDatum(report->from_version);
	if (report->from_version == 0)
		nulls[2] = 'n';
	values[3] = Int32GetDatum(to->version);
	orch_principal_set_acting(role, &values[4], &nulls[4]);
	orch_plan_execute(&plan_note, values, nulls, false, 0);
}

/*
 * Variables that the run lacks get their defaults, as at the start of a run.  Those that the
 * version lacks are not stored again.  Raises the error of a default that the version reads:
 * the run could not go on.
 */
static void
set_new_variables(RunState *rs, const Migrant *run)
{
	const Definition *def = rs->def;
	bool	   *given = palloc0(Max(def->nvariables, 1) * sizeof(bool));
	const char *variable;
	ErrorData  *error;
	int			i;

	drop_bindings(run, def);
	for (i = 0; i < def->nvariables; i++)
	{
		given[i] = !is_new_value(run, &def->variables[i]);
		rs->variables_changed |= !given[i] && def->variables[i].is_stored;
	}
	for (i = 0; run->from != NULL && i < run->from->nvariables; i++)
		if (stored_value(run, run->from->variables[i].name) != NULL &&
			orch_definition_variable_index(def, run->from->variables[i].name) < 0)
			rs->variables_changed = true;
	error = orch_engine_try_defaults(rs, given, &variable);
	if (error != NULL)
		ReThrowError(error);
}

/*
 * Does the variable get its default?  A constant does, unless the version before computed
 * the same.
 */
static bool
is_new_value(const Migrant *run, const VariableDef *variable)
{
	const VariableDef *was;
	int			n;

	if (!variable->is_constant)
		return is_new_variable(run, variable);
	n = run->from == NULL ? -1 : orch_definition_variable_index(run->from, variable->name);
	if (n < 0)
		return true;
	was = &run->from->variables[n];
	return !was->is_constant || was->type != variable->type ||
		was->default_value == NULL || variable->default_value == NULL ||
		strcmp(was->default_value->text, variable->default_value->text) != 0;
}

/*
 * Forget the records of variables that the version lacks, or does not read again.  Another
 * migration could bring them back, after the variable was given another value.
 */
static void
drop_bindings(const Migrant *run, const Definition *to)
{
	List	   *names = NIL;
	List	   *types = NIL;
	Datum		values[3];
	int			i;

	if (run->from != NULL && !run->from->refreshes)
		return;
	for (i = 0; i < to->nvariables; i++)
	{
		const VariableDef *variable = &to->variables[i];

		if (!variable->refreshes || is_new_variable(run, variable))
			continue;
		names = lappend(names, variable->name);
		types = lappend(types, variable->object_type);
	}
	values[0] = UUIDPGetDatum(&run->id);
	values[1] = orch_text_array(names);
	values[2] = orch_text_array(types);
	orch_plan_execute_latest(&plan_drop_bindings, values, NULL, 0);
}

/*
 * A step that has not started, or begins again, is as the new version defines it.
 */
static void
renew_step(RunState *rs, StepState *step)
{
	const StepDef *def = &rs->def->steps[step->def];
	StepType	type = orch_engine_step_type(def);
	Datum		values[5];
	char		nulls[6] = "     ";

	/* it may still be in the queue, where a function can be, too */
	if (step->status != STEP_NOT_STARTED && step->type == STEP_TYPE_ASYNCHRONOUS)
		type = step->type;
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&step->id);
	values[2] = CStringGetTextDatum(orch_catalog_label(ENUM_STEP_TYPE, type));
	values[3] = CStringGetTextDatum(def->label);
	if (def->description != NULL)
		values[4] = CStringGetTextDatum(def->description);
	else
		nulls[4] = 'n';
	orch_guard_execute(SCOPE_TRUSTED, &plan_renew_step, values, nulls, NULL);
	step->type = type;
}

/*
 * A queued step gets the action and inputs of the new version.
 */
static void
renew_queued(RunState *rs, StepState *step)
{
	const StepDef *def = &rs->def->steps[step->def];
	const Action *action;
	const pg_uuid_t *run_as = NULL;
	Principal	principal;
	Interval	timeout;
	char	   *topic;
	Datum		values[7];
	char		nulls[8] = "       ";

	if (step->type != STEP_TYPE_ASYNCHRONOUS || step->pending != NULL)
		return;
	action = orch_action_find(def->action_name);
	if (action == NULL || action->kind == ACTION_SCREEN)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_ACTION),
				 errmsg("action \"%s\" is not registered for workers", def->action_name)));
	memset(&timeout, 0, sizeof(timeout));
	timeout.time = (TimeOffset) rint(action->timeout * USECS_PER_SEC);
	values[0] = UUIDPGetDatum(&rs->id);
	values[1] = UUIDPGetDatum(&step->id);
	topic = pstrdup(action->kind == ACTION_WORKER ? action->topic : "");
	values[2] = CStringGetTextDatum(topic);
	values[3] = CStringGetTextDatum(def->action_name);
	values[6] = IntervalPGetDatum(&timeout);
	if (action->timeout == 0)
		nulls[6] = 'n';
	values[4] = JsonbPGetDatum(orch_engine_step_inputs(rs, def));
	if (def->assignee != NULL)
		run_as = orch_engine_run_as_user(rs, def, &principal);
	values[5] = UUIDPGetDatum(run_as);
	if (run_as == NULL)
		nulls[5] = 'n';
	/* before the step can be claimed under this topic */
	orch_notify_queued(topic);
	orch_plan_execute_latest(&plan_renew_queued, values, nulls, 0);
}
