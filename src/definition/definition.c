/*-------------------------------------------------------------------------
 *
 * definition.c
 *	  The compiled definitions that a session keeps, and how they are found.
 *
 * A version never changes, so its compiled form is kept under its id for the rest of the
 * session, and nothing invalidates it.  It is compiled in a short-lived memory context,
 * which moves under CacheMemoryContext when the definition is complete: an error leaves
 * nothing behind.
 *
 * The active version of an orchestration can change.  The cache of active versions is
 * valid for one generation (catalog.h).  It is filled with the latest snapshot, because
 * it outlives the transaction: the snapshot of a REPEATABLE READ transaction would fill
 * it with an old state.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "definition/definition_int.h"
#include "record/principal.h"

/* Names in the cache of active versions; longer names cannot exist. */
#define CACHE_KEY_LENGTH	128

typedef struct ActiveEntry
{
	char		name[CACHE_KEY_LENGTH]; /* hash key, must be first */
	const Definition *definition;
} ActiveEntry;

typedef struct TriggeredEntry
{
	char		record_type[CACHE_KEY_LENGTH];	/* hash key, must be first */
	bool		valid;			/* set last */
	int			ndefinitions;
	const Definition **definitions;
} TriggeredEntry;

static HTAB *definitions = NULL;	/* Definition by version_id */

static MemoryContext active_context = NULL; /* of the next two */
static HTAB *active_definitions = NULL;
static HTAB *triggered_definitions = NULL;
static uint64 active_generation = 0;

static StaticPlan version_plan = {
	"SELECT v.document, v.version, d.name, d.id"
	" FROM orchestration.orchestration_version v"
	" JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id"
	" WHERE v.id = $1",
	1, {UUIDOID}
};
static StaticPlan find_version_plan = {
	"SELECT v.id, v.version FROM orchestration.orchestration_version v"
	" JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id"
	" WHERE d.name = $1 AND ($2 IS NULL OR v.version = $2)"
	" ORDER BY v.version DESC LIMIT 1",
	2, {TEXTOID, INT4OID}
};
static StaticPlan active_plan = {
	"SELECT v.id FROM orchestration.orchestration_definition d"
	" LEFT JOIN orchestration.orchestration_version v"
	" ON v.orchestration_id = d.id AND v.version = d.active_version"
	" WHERE d.name = $1",
	1, {TEXTOID}
};
static StaticPlan triggered_plan = {
	"SELECT v.id FROM orchestration.orchestration_definition d"
	" JOIN orchestration.orchestration_version v"
	" ON v.orchestration_id = d.id AND v.version = d.active_version"
	" WHERE v.record_type_name = $1",
	1, {TEXTOID}
};

static void ready_active_cache(void);
static void start_definition_cache(void);
static int	compare_trigger_order(const void *a, const void *b);

/*
 * What every call on definitions checks first: the caller's permission, and an argument
 * that must not be null.  Raises 42501 or 22004.
 */
void
orch_definition_check_call(FunctionCallInfo fcinfo, int argno, const char *name)
{
	orch_access_require_permission(GetUserId(), PERMISSION_MANAGE_DEFINITIONS,
								   "manage orchestrations");
	orch_require_arguments(fcinfo, argno, 1, psprintf("argument \"%s\"", name));
}

void
orch_definition_unknown(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_UNKNOWN_ORCHESTRATION),
			 errmsg("there is no orchestration \"%s\"", name),
			 errhint("Deploy it with orchestration.deploy_orchestration().")));
}

/*
 * Finds a version of an orchestration, or (any) its newest one; false if there is none.
 * The caller is connected to SPI.
 */
bool
orch_definition_find_version(const char *name, bool any, int32 version,
							 pg_uuid_t *id, int32 *found)
{
	Datum		values[2];
	bool		isnull;

	values[0] = CStringGetTextDatum(name);
	values[1] = Int32GetDatum(version);
	(void) orch_plan_execute_latest(&find_version_plan, values,
									any ? " n" : NULL, 1);
	if (SPI_processed == 0)
		return false;
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
	*found = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 2, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

/*
 * Compiles a stored version into a memory context.  The caller is connected to SPI.
 */
Definition *
orch_definition_compile_version(const pg_uuid_t *version_id,
								MemoryContext context, ProblemList *problems)
{
	Datum		value = UUIDPGetDatum(version_id);
	Definition *def;
	Jsonb	   *document;
	char	   *name;
	pg_uuid_t	orchestration_id;
	int32		version;
	bool		isnull;

	(void) orch_plan_execute_latest(&version_plan, &value, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("there is no orchestration version %s",
						orch_uuid_text(version_id))));
	document = DatumGetJsonbP(SPI_getbinval(SPI_tuptable->vals[0],
											SPI_tuptable->tupdesc, 1, &isnull));
	version = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, 2, &isnull));
	name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
	orchestration_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
													SPI_tuptable->tupdesc, 4, &isnull));

	def = orch_definition_compile(orch_document_from_jsonb(document,
														   SHAPE_FLOW),
								  context, problems);
	def->version_id = *version_id;
	def->orchestration_id = orchestration_id;
	def->version = version;
	def->name = MemoryContextStrdup(context, name);
	return def;
}

const Definition *
orch_definition_get(const pg_uuid_t *version_id)
{
	Definition *entry;
	Definition *def;
	MemoryContext context;
	ProblemList problems = {0};
	SystemContext saved;
	bool		found;

	if (definitions == NULL)
		start_definition_cache();
	entry = hash_search(definitions, version_id, HASH_FIND, NULL);
	if (entry != NULL && entry->valid)
		return entry;

	orch_system_connect(&saved);
	context = AllocSetContextCreate(CurrentMemoryContext,
									"orchestration definition",
									ALLOCSET_SMALL_SIZES);
	def = orch_definition_compile_version(version_id, context, &problems);
	if (problems.nerrors > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
				 errmsg("the stored definition of orchestration \"%s\", version %d, is not valid",
						def->name, def->version),
				 errdetail("%s", orch_definition_problem_text(&problems,
															  PROBLEM_ERROR))));

	entry = hash_search(definitions, version_id, HASH_ENTER, &found);
	if (!found)
		entry->valid = false;
	/* nothing fails from here on */
	def->version_id = entry->version_id;
	*entry = *def;
	MemoryContextSetParent(context, CacheMemoryContext);
	entry->valid = true;
	orch_system_finish(&saved);
	return entry;
}

static void
start_definition_cache(void)
{
	HASHCTL		ctl;

	if (CacheMemoryContext == NULL)
		CreateCacheMemoryContext();
	ctl.keysize = sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(Definition);
	ctl.hcxt = CacheMemoryContext;
	definitions = hash_create("orchestration definitions", 32, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * Empties the cache of active versions if any of them may have changed.  An invalidation
 * that arrives while it is being filled changes the generation again.
 */
static void
ready_active_cache(void)
{
	uint64		generation = orch_catalog_generation();
	HASHCTL		ctl;

	if (active_context != NULL && active_generation == generation &&
		active_definitions != NULL && triggered_definitions != NULL)
		return;

	active_definitions = NULL;
	triggered_definitions = NULL;
	if (CacheMemoryContext == NULL)
		CreateCacheMemoryContext();
	if (active_context == NULL)
		active_context = AllocSetContextCreate(CacheMemoryContext,
											   "active orchestrations",
											   ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(active_context);

	ctl.keysize = CACHE_KEY_LENGTH;
	ctl.hcxt = active_context;
	ctl.entrysize = sizeof(ActiveEntry);
	active_definitions = hash_create("active orchestrations", 32, &ctl,
									 HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	ctl.entrysize = sizeof(TriggeredEntry);
	triggered_definitions = hash_create("triggered orchestrations", 32, &ctl,
										HASH_ELEM | HASH_STRINGS |
										HASH_CONTEXT);
	active_generation = generation;
}

const Definition *
orch_definition_active(const char *name)
{
	ActiveEntry *entry;
	const Definition *def;
	pg_uuid_t	version_id;
	Datum		value;
	Datum		id;
	bool		isnull;
	uint64		generation;
	SystemContext saved;

	if (strlen(name) >= CACHE_KEY_LENGTH)
		orch_definition_unknown(name);
	ready_active_cache();
	entry = hash_search(active_definitions, name, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->definition;
	generation = active_generation;

	orch_system_connect(&saved);
	value = CStringGetTextDatum(name);
	(void) orch_plan_execute_latest(&active_plan, &value, NULL, 1);
	if (SPI_processed == 0)
		orch_definition_unknown(name);
	id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
					   &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_NOT_ACTIVE),
				 errmsg("orchestration \"%s\" is not active", name),
				 errhint("Activate a version with orchestration.activate_orchestration().")));
	version_id = *DatumGetUUIDP(id);
	orch_system_finish(&saved);

	def = orch_definition_get(&version_id);

	/* only an entry that was read in this generation may stay */
	ready_active_cache();
	if (active_generation == generation)
	{
		entry = hash_search(active_definitions, name, HASH_ENTER, NULL);
		entry->definition = def;
	}
	return def;
}

List *
orch_definition_triggered_by(const char *record_type)
{
	TriggeredEntry *entry;
	List	   *result = NIL;
	const Definition **defs;
	pg_uuid_t  *ids;
	Datum		value;
	int			ndefs;
	int			i;
	bool		found;
	uint64		generation;
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;

	if (strlen(record_type) >= CACHE_KEY_LENGTH)
		return NIL;
	ready_active_cache();
	entry = hash_search(triggered_definitions, record_type, HASH_FIND, NULL);
	if (entry != NULL && entry->valid)
	{
		for (i = 0; i < entry->ndefinitions; i++)
			result = lappend(result, unconstify(Definition *,
												entry->definitions[i]));
		return result;
	}
	generation = active_generation;

	orch_system_connect(&saved);
	value = CStringGetTextDatum(record_type);
	(void) orch_plan_execute_latest(&triggered_plan, &value, NULL, 0);
	ndefs = (int) SPI_processed;
	ids = MemoryContextAlloc(caller, sizeof(pg_uuid_t) * Max(ndefs, 1));
	for (i = 0; i < ndefs; i++)
	{
		bool		isnull;

		ids[i] = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[i],
											  SPI_tuptable->tupdesc, 1,
											  &isnull));
	}
	orch_system_finish(&saved);

	defs = palloc(sizeof(Definition *) * Max(ndefs, 1));
	for (i = 0; i < ndefs; i++)
		defs[i] = orch_definition_get(&ids[i]);
	qsort(defs, ndefs, sizeof(Definition *), compare_trigger_order);

	ready_active_cache();
	if (active_generation == generation)
	{
		entry = hash_search(triggered_definitions, record_type, HASH_ENTER,
							&found);
		entry->valid = false;
		entry->definitions =
			MemoryContextAlloc(active_context,
							   sizeof(Definition *) * Max(ndefs, 1));
		memcpy(entry->definitions, defs, sizeof(Definition *) * ndefs);
		entry->ndefinitions = ndefs;
		entry->valid = true;
	}
	for (i = 0; i < ndefs; i++)
		result = lappend(result, unconstify(Definition *, defs[i]));
	pfree(defs);
	pfree(ids);
	return result;
}

/*
 * qsort comparator: triggerOrder 1 to 1000 first, then definitions without one, then
 * 1001 to 2000, as on the platform; definitions of the same order by name.
 */
static int
compare_trigger_order(const void *a, const void *b)
{
	const Definition *left = *(const Definition *const *) a;
	const Definition *right = *(const Definition *const *) b;
	int			left_order = left->trigger_order * 2;
	int			right_order = right->trigger_order * 2;

	if (left_order == 0)
		left_order = 2001;
	if (right_order == 0)
		right_order = 2001;
	if (left_order != right_order)
		return left_order < right_order ? -1 : 1;
	return strcmp(left->name, right->name);
}

int
orch_definition_stage_index(const Definition *def, const char *name)
{
	NameEntry  *entry = orch_definition_find_name(def, name);

	return entry != NULL && entry->kind == NAME_STAGE ? entry->index : -1;
}

int
orch_definition_step_index(const Definition *def, const char *name)
{
	NameEntry  *entry = orch_definition_find_name(def, name);

	return entry != NULL && entry->kind == NAME_STEP ? entry->index : -1;
}

int
orch_definition_variable_index(const Definition *def, const char *name)
{
	NameEntry  *entry = orch_definition_find_name(def, name);

	return entry != NULL && entry->kind == NAME_VARIABLE ? entry->index : -1;
}

int
orch_definition_outcome_index(const Definition *def, const char *name)
{
	NameEntry  *entry = orch_definition_find_name(def, name);

	return entry != NULL && entry->kind == NAME_OUTCOME ? entry->index : -1;
}

int
orch_definition_visit_index(const Definition *def, const char *name)
{
	NameEntry  *entry = def->nvisits == 0 ? NULL : orch_definition_find_name(def, name);

	return entry != NULL ? entry->visit : -1;
}

PG_FUNCTION_INFO_V1(orchestration_completes_by_condition);

/*
 * orchestration_internal.completes_by_condition(version_id uuid, element text) returns
 * boolean
 *
 * Returns whether a stage or step of a version has a condition of completion, so that it
 * need not be complete when its steps, or its assignee, are.  Null for null; false for a
 * version that does not exist, or a name that is not that of a stage or step.
 * Raises: OR201 if the stored definition is not valid.
 * Source: ours.
 */
Datum
orchestration_completes_by_condition(PG_FUNCTION_ARGS)
{
	static StaticPlan plan = {
		"SELECT 1 FROM orchestration.orchestration_version WHERE id = $1",
		1, {UUIDOID}
	};
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Datum		value = PG_GETARG_DATUM(0);
	const Definition *def;
	SystemContext saved;
	bool		exists;
	int			stage;
	int			step;

	orch_system_connect(&saved);
	(void) orch_plan_execute(&plan, &value, NULL, true, 1);
	exists = SPI_processed > 0;
	orch_system_finish(&saved);
	if (!exists)
		PG_RETURN_BOOL(false);	/* verify() reports it by itself */
	def = orch_definition_get(PG_GETARG_UUID_P(0));
	stage = orch_definition_stage_index(def, name);
	step = orch_definition_step_index(def, name);
	PG_RETURN_BOOL((stage >= 0 && (def->stages[stage].exit != NULL ||
								   def->stages[stage].exit_action != NULL)) ||
				   (step >= 0 && (def->steps[step].exit != NULL ||
								  def->steps[step].exit_action != NULL)));
}

PG_FUNCTION_INFO_V1(orchestration_waits_for_record);

/*
 * orchestration_internal.waits_for_record(version_id uuid, stage text) returns boolean
 *
 * Returns whether conditions of a stage read the record that the run is about or one in a
 * variable, or leave the decision to an evaluation action.  Null for null; false for a name that is not that
 * of a stage.
 * Raises: OR101 for an unknown version, OR201 if the stored definition is not valid.
 * Source: ours.
 */
Datum
orchestration_waits_for_record(PG_FUNCTION_ARGS)
{
	const Definition *def = orch_definition_get(PG_GETARG_UUID_P(0));
	int			stage = orch_definition_stage_index(def,
													text_to_cstring(PG_GETARG_TEXT_PP(1)));

	PG_RETURN_BOOL(stage >= 0 &&
				   (def->stages[stage].reads_record || def->stages[stage].reads_variables));
}
