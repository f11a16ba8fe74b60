/*-------------------------------------------------------------------------
 *
 * definition_deploy.c
 *	  Orchestrations in the database: deploying, validating, activating, and what
 *	  a definition refers to.
 *
 * Activating and deploying lock the orchestration's row, so that two sessions
 * that do either come one after the other.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition_deploy.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/xml.h"

#include "catalog.h"
#include "compat.h"
#include "definition_int.h"
#include "errors.h"
#include "system.h"
#include "uuid.h"

#define MAX_VERSIONS	50

/* Something that exists, by name; see find_known(). */
typedef struct Known
{
	char	   *name;
	char	   *kind;			/* actions */
	bool		is_active;		/* principals */
} Known;

typedef struct KnownList
{
	int			n;
	Known	   *items;			/* in byte order of their names */
} KnownList;

/* State of orchestration_references(). */
typedef struct References
{
	ReturnSetInfo *rsinfo;
	HTAB	   *seen;			/* rows already returned */
	const Definition *def;
	KnownList	actions;
	KnownList	principals;
	Jsonb	   *columns;		/* of the record type's table, or NULL */
} References;

static StaticPlan insert_definition_plan = {
	"INSERT INTO orchestration.orchestration_definition (name) VALUES ($1)"
	" ON CONFLICT (name) DO NOTHING",
	1, {TEXTOID}
};
static StaticPlan lock_definition_plan = {
	"SELECT id, active_version FROM orchestration.orchestration_definition"
	" WHERE name = $1 FOR NO KEY UPDATE",
	1, {TEXTOID}
};
static StaticPlan last_version_plan = {
	"SELECT max(version) FROM orchestration.orchestration_version"
	" WHERE orchestration_id = $1",
	1, {UUIDOID}
};
static StaticPlan insert_version_plan = {
	"INSERT INTO orchestration.orchestration_version (orchestration_id, version,"
	" label, process_type, record_type_name, record_trigger_type, source_xml, document)"
	" VALUES ($1, $2, $3, 'Orchestrator', $4, $5, $6, $7)",
	7, {UUIDOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, XMLOID, JSONBOID}
};
static StaticPlan activate_plan = {
	"UPDATE orchestration.orchestration_definition"
	" SET active_version = $2, modified_at = now()"
	" WHERE id = $1 AND active_version IS DISTINCT FROM $2",
	2, {UUIDOID, INT4OID}
};
static StaticPlan find_version_plan = {
	"SELECT v.id, v.version FROM orchestration.orchestration_version v"
	" JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id"
	" WHERE d.name = $1 AND ($2 IS NULL OR v.version = $2)"
	" ORDER BY v.version DESC LIMIT 1",
	2, {TEXTOID, INT4OID}
};
static StaticPlan known_definition_plan = {
	"SELECT 1 FROM orchestration.orchestration_definition WHERE name = $1",
	1, {TEXTOID}
};
static StaticPlan actions_plan = {
	"SELECT name, kind::text, true FROM orchestration.action"
	" WHERE name = ANY ($1) ORDER BY name COLLATE \"C\"",
	1, {TEXTARRAYOID}
};
static StaticPlan principals_plan = {
	"SELECT name, NULL::text, is_active FROM"
	" (SELECT kind || ':' || coalesce(username, developer_name), is_active"
	" FROM orchestration.principal"
	" WHERE username = ANY ($1) OR developer_name = ANY ($1)) p (name, is_active)"
	" ORDER BY name COLLATE \"C\"",
	1, {TEXTARRAYOID}
};
static StaticPlan record_columns_plan = {
	"SELECT (SELECT jsonb_object_agg(a.attname, true) FROM pg_attribute a"
	" WHERE a.attrelid = r.relation AND a.attnum > 0 AND NOT a.attisdropped)"
	" FROM orchestration.record_type r WHERE r.name = $1",
	1, {TEXTOID}
};

static Datum deploy(FunctionCallInfo fcinfo, const DocNode *root, Datum xml,
					Jsonb *document);
static Datum validate(FunctionCallInfo fcinfo, const DocNode *root);
static char *deployed_name(const DocNode *root);
static char *name_from_label(const char *label);
static char *name_argument(FunctionCallInfo fcinfo, int argno);
static void check_argument(FunctionCallInfo fcinfo, int argno, const char *name);
static bool lock_definition(const char *name, pg_uuid_t *id);
static bool find_version(const char *name, bool any, int32 version,
						 pg_uuid_t *id, int32 *found);
static void check_activation(const Definition *def, ProblemList *problems);
static KnownList known_names(StaticPlan *plan, List *names);
static const Known *find_known(const KnownList *list, const char *name);
static List *action_names(const Definition *def);
static List *assignee_names(const Definition *def);
static const char *literal_assignee(const StepDef *step);
static bool action_fits(const StepDef *step, const char *kind);
static const char *fitting_actions(const StepDef *step);
static void add_reference(References *refs, const char *kind, const char *name,
						  const char *detail, const char *used_by, int resolved);
static void add_operand(References *refs, const Operand *operand,
						const char *used_by);
static void add_conditions(References *refs, const ConditionSet *set,
						   const char *used_by);

/* -------------------------------------------------------------- deploying */

PG_FUNCTION_INFO_V1(orchestration_deploy_orchestration_xml);

/*
 * orchestration.deploy_orchestration(document xml, name text) returns integer
 *
 * Stores a new version of an orchestration from flow metadata and returns its
 * number; it does not activate it.  The name is the argument, else the
 * document's fullName, else made from its label.  Raises 22004 for a null
 * document, 22023 for a name that is none, 2200M when the XML is not
 * well-formed, OR201 with every error of the definition, 54000 beyond 50
 * versions.  Source: Metadata API, Flow; the limit is the platform's.
 */
Datum
orchestration_deploy_orchestration_xml(PG_FUNCTION_ARGS)
{
	DocNode    *root;

	check_argument(fcinfo, 0, "document");
	root = orch_document_from_xml(PG_GETARG_XML_P(0));
	return deploy(fcinfo, root, PG_GETARG_DATUM(0), NULL);
}

PG_FUNCTION_INFO_V1(orchestration_deploy_orchestration_jsonb);

/*
 * orchestration.deploy_orchestration(document jsonb, name text) returns integer
 *
 * The same in the JSON notation: the element names of the metadata, what it
 * repeats as arrays.
 */
Datum
orchestration_deploy_orchestration_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb	   *document;

	check_argument(fcinfo, 0, "document");
	document = PG_GETARG_JSONB_P(0);
	return deploy(fcinfo, orch_document_from_jsonb(document, SHAPE_FLOW),
				  (Datum) 0, document);
}

static Datum
deploy(FunctionCallInfo fcinfo, const DocNode *root, Datum xml, Jsonb *document)
{
	SystemContext saved;
	MemoryContext context;
	ProblemList problems = {0};
	Definition *def;
	char	   *name = name_argument(fcinfo, 1);
	pg_uuid_t	id;
	Datum		values[7];
	char		nulls[8] = "       ";
	bool		isnull;
	int32		version;
	static const char *const trigger_types[] = {
		[RECORD_TRIGGER_CREATE] = "Create",
		[RECORD_TRIGGER_UPDATE] = "Update",
		[RECORD_TRIGGER_CREATE_AND_UPDATE] = "CreateAndUpdate"
	};

	if (name != NULL && (!orch_definition_is_api_name(name) ||
						 strlen(name) > MAX_API_NAME_LENGTH))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a name for an orchestration", name),
				 errhint("A name has letters, digits and single underscores, a letter first, and at most %d characters.",
						 MAX_API_NAME_LENGTH)));

	context = AllocSetContextCreate(CurrentMemoryContext,
									"orchestration definition",
									ALLOCSET_DEFAULT_SIZES);
	def = orch_definition_compile(root, context, &problems);
	if (problems.nerrors > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
				 errmsg_plural("the definition has %d error",
							   "the definition has %d errors",
							   problems.nerrors, problems.nerrors),
				 errdetail("%s", orch_definition_problem_text(&problems,
															  PROBLEM_ERROR))));
	if (name == NULL)
		name = deployed_name(root);
	if (problems.nproblems > 0)
		ereport(NOTICE,
				(errmsg_plural("the definition of orchestration \"%s\" has %d warning",
							   "the definition of orchestration \"%s\" has %d warnings",
							   problems.nproblems, name, problems.nproblems),
				 errhint("Call orchestration.validate_orchestration() to see them.")));
	if (document == NULL)
		document = orch_document_to_jsonb(root);

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	values[0] = CStringGetTextDatum(name);
	(void) orch_plan_execute(&insert_definition_plan, values, NULL, false, 0);
	if (!lock_definition(name, &id))
		elog(ERROR, "orchestration \"%s\" vanished", name);

	values[0] = UUIDPGetDatum(&id);
	(void) orch_plan_execute_latest(&last_version_plan, values, NULL, 1);
	Assert(SPI_processed == 1);
	version = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, 1, &isnull));
	version = isnull ? 1 : version + 1;
	if (version > MAX_VERSIONS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("orchestration \"%s\" has %d versions already, the most there can be",
						name, MAX_VERSIONS),
				 errhint("Deploy it under another name.")));

	values[1] = Int32GetDatum(version);
	values[2] = CStringGetTextDatum(def->label);
	nulls[3] = nulls[4] = def->record_type == NULL ? 'n' : ' ';
	if (def->record_type != NULL)
	{
		values[3] = CStringGetTextDatum(def->record_type);
		values[4] = CStringGetTextDatum(trigger_types[def->record_trigger]);
	}
	nulls[5] = xml == (Datum) 0 ? 'n' : ' ';
	values[5] = xml;
	values[6] = JsonbPGetDatum(document);
	(void) orch_plan_execute(&insert_version_plan, values, nulls, false, 0);

	SPI_finish();
	orch_system_leave(&saved);
	MemoryContextDelete(context);
	PG_RETURN_INT32(version);
}

/*
 * The name of a document that was deployed without one: its fullName, else
 * what the platform's builder makes of its label.
 */
static char *
deployed_name(const DocNode *root)
{
	DocNode    *full_name = orch_document_child(root, "fullName");
	DocNode    *label = orch_document_child(root, "label");
	char	   *result;

	if (full_name != NULL && full_name->kind == DOC_TEXT)
	{
		/* checked by the compiler but for white space around it */
		char	   *name = pstrdup(full_name->text);
		char	   *end = name + strlen(name);

		while (isspace((unsigned char) *name))
			name++;
		while (end > name && isspace((unsigned char) end[-1]))
			*--end = '\0';
		if (*name != '\0')
			return name;
	}
	result = name_from_label(label->text);
	if (*result == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no name can be made from label \"%s\"", label->text),
				 errhint("Pass the name as the second argument.")));
	return result;
}

/*
 * Whatever is no letter or digit becomes a single underscore, none at the
 * ends; a digit first gets an X before it.
 */
static char *
name_from_label(const char *label)
{
	char	   *result = palloc(strlen(label) + 2);
	char	   *out = result;
	const char *p;

	for (p = label; *p != '\0'; p++)
	{
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9'))
		{
			if (out == result && *p >= '0' && *p <= '9')
				*out++ = 'X';
			*out++ = *p;
		}
		else if (out > result && out[-1] != '_')
			*out++ = '_';
	}
	out = Min(out, result + MAX_API_NAME_LENGTH);
	while (out > result && out[-1] == '_')
		out--;
	*out = '\0';
	return result;
}

PG_FUNCTION_INFO_V1(orchestration_validate_orchestration_xml);

/*
 * orchestration.validate_orchestration(document xml) returns table (severity
 * text, place text, line integer, message text)
 *
 * What deploy_orchestration() would say, as rows: ERROR stops it, WARNING does
 * not, but may stop activation and says so then.  Raises 22004
 * for a null document and 2200M when the XML is not well-formed, OR201 for a
 * document type declaration.
 */
Datum
orchestration_validate_orchestration_xml(PG_FUNCTION_ARGS)
{
	check_argument(fcinfo, 0, "document");
	return validate(fcinfo, orch_document_from_xml(PG_GETARG_XML_P(0)));
}

PG_FUNCTION_INFO_V1(orchestration_validate_orchestration_jsonb);

/*
 * orchestration.validate_orchestration(document jsonb) returns table (severity
 * text, place text, line integer, message text)
 *
 * The same in the JSON notation; there line is null.
 */
Datum
orchestration_validate_orchestration_jsonb(PG_FUNCTION_ARGS)
{
	check_argument(fcinfo, 0, "document");
	return validate(fcinfo, orch_document_from_jsonb(PG_GETARG_JSONB_P(0),
													 SHAPE_FLOW));
}

static Datum
validate(FunctionCallInfo fcinfo, const DocNode *root)
{
	static const char *const severities[] = {
		[PROBLEM_ERROR] = "ERROR",
		[PROBLEM_STALE] = "WARNING",
		[PROBLEM_WARNING] = "WARNING"
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ProblemList problems = {0};
	MemoryContext context;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext,
									"orchestration definition",
									ALLOCSET_DEFAULT_SIZES);
	(void) orch_definition_compile(root, context, &problems);
	for (i = 0; i < problems.nproblems; i++)
	{
		const Problem *p = &problems.problems[i];
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = CStringGetTextDatum(severities[p->severity]);
		values[1] = CStringGetTextDatum(p->place);
		values[2] = Int32GetDatum(p->line);
		nulls[2] = p->line == 0;
		values[3] = CStringGetTextDatum(p->message);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextDelete(context);
	return (Datum) 0;
}

/* ------------------------------------------------------------- activation */

PG_FUNCTION_INFO_V1(orchestration_activate_orchestration);

/*
 * orchestration.activate_orchestration(name text, version integer) returns
 * integer
 *
 * Makes a version, the newest when it is null, the one that new runs get, and
 * returns its number.  Raises 22004 for a null name, OR202 for an unknown one,
 * OR101 for an unknown version, OR204 with everything that is missing: actions
 * of the fitting kind, the record type, active assignees, references, a stage.
 * Source: Flow Builder's checks at activation.
 */
Datum
orchestration_activate_orchestration(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MemoryContext context;
	ProblemList problems = {0};
	Definition *def;
	char	   *name;
	pg_uuid_t	id;
	pg_uuid_t	version_id;
	int32		version;
	Datum		values[2];

	check_argument(fcinfo, 0, "name");
	name = name_argument(fcinfo, 0);

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");

	if (!lock_definition(name, &id))
		orch_definition_unknown(name);
	if (!find_version(name, PG_ARGISNULL(1),
					  PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1),
					  &version_id, &version))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 PG_ARGISNULL(1) ?
				 errmsg("orchestration \"%s\" has no versions", name) :
				 errmsg("orchestration \"%s\" has no version %d", name,
						PG_GETARG_INT32(1)),
				 errhint("Deploy one with orchestration.deploy_orchestration().")));

	context = AllocSetContextCreate(CurrentMemoryContext,
									"orchestration definition",
									ALLOCSET_DEFAULT_SIZES);
	def = orch_definition_compile_version(&version_id, context, &problems);
	if (problems.nerrors == 0)
		check_activation(def, &problems);
	if (problems.nerrors + problems.nstale > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_ACTIVATE),
				 errmsg("version %d of orchestration \"%s\" cannot be activated",
						version, name),
				 errdetail("%s", orch_definition_problem_text(&problems,
															  PROBLEM_STALE)),
				 errhint("Register what is missing, or deploy a version without these problems, and activate that.")));

	values[0] = UUIDPGetDatum(&id);
	values[1] = Int32GetDatum(version);
	(void) orch_plan_execute(&activate_plan, values, NULL, false, 0);

	SPI_finish();
	orch_system_leave(&saved);
	PG_RETURN_INT32(version);
}

PG_FUNCTION_INFO_V1(orchestration_deactivate_orchestration);

/*
 * orchestration.deactivate_orchestration(name text) returns void
 *
 * No version is active any more: nothing starts new runs, those there are go
 * on.  Does nothing when that is so already.  Raises 22004 for a null name,
 * OR202 for an unknown one.
 */
Datum
orchestration_deactivate_orchestration(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	char	   *name;
	pg_uuid_t	id;
	Datum		values[2];

	check_argument(fcinfo, 0, "name");
	name = name_argument(fcinfo, 0);

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!lock_definition(name, &id))
		orch_definition_unknown(name);
	values[0] = UUIDPGetDatum(&id);
	values[1] = (Datum) 0;
	(void) orch_plan_execute(&activate_plan, values, " n", false, 0);
	SPI_finish();
	orch_system_leave(&saved);
	PG_RETURN_VOID();
}

/*
 * What a definition needs from outside and does not find.
 */
static void
check_activation(const Definition *def, ProblemList *problems)
{
	KnownList	actions = known_names(&actions_plan, action_names(def));
	KnownList	principals = known_names(&principals_plan, assignee_names(def));
	int			i;

	if (def->nstages == 0)
		orch_definition_add_problem(problems, PROBLEM_ERROR, "", 0,
									"there is no stage", NULL);
	if (def->record_type != NULL)
	{
		Datum		value = CStringGetTextDatum(def->record_type);

		(void) orch_plan_execute_latest(&record_columns_plan, &value, NULL, 1);
		if (SPI_processed == 0)
			orch_definition_add_problem(problems, PROBLEM_ERROR, "start", 0,
										psprintf("record type \"%s\" is not registered",
												 def->record_type), NULL);
	}
	for (i = 0; i < def->nsteps; i++)
	{
		const StepDef *step = &def->steps[i];
		const char *assignee = literal_assignee(step);
		const Known *known = find_known(&actions, step->action_name);
		char	   *place = psprintf("step \"%s\"", step->name);

		CHECK_FOR_INTERRUPTS();
		if (known == NULL)
			orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
										psprintf("action \"%s\" is not registered",
												 step->action_name), NULL);
		else if (!action_fits(step, known->kind))
			orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
										psprintf("action \"%s\" is a %s, the step needs a %s",
												 step->action_name, known->kind,
												 fitting_actions(step)), NULL);
		if (assignee != NULL)
		{
			const char *kind = orch_definition_assignee_kind_name(step->assignee_kind);

			known = find_known(&principals, psprintf("%s:%s", kind, assignee));
			if (known == NULL || !known->is_active)
				orch_definition_add_problem(problems, PROBLEM_ERROR, place, 0,
											psprintf("assignee %s \"%s\" %s", kind,
													 assignee, known == NULL ?
													 "does not exist" : "is inactive"),
											NULL);
		}
		pfree(place);
	}
}

/*
 * What there is of these names.  Connected to SPI.
 */
static KnownList
known_names(StaticPlan *plan, List *names)
{
	KnownList	result = {0};
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(names), 1));
	Datum		value;
	ListCell   *cell;
	int			n = 0;
	uint64		i;

	foreach(cell, names)
		elements[n++] = CStringGetTextDatum(lfirst(cell));
	value = PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false,
											TYPALIGN_INT));
	(void) orch_plan_execute_latest(plan, &value, NULL, 0);
	result.n = (int) SPI_processed;
	result.items = palloc(sizeof(Known) * Max(result.n, 1));
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;

		result.items[i].name = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1);
		result.items[i].kind = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
		result.items[i].is_active =
			DatumGetBool(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 3, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return result;
}

static int
compare_known(const void *a, const void *b)
{
	return strcmp(((const Known *) a)->name, ((const Known *) b)->name);
}

static const Known *
find_known(const KnownList *list, const char *name)
{
	Known		key;

	key.name = unconstify(char *, name);
	return bsearch(&key, list->items, list->n, sizeof(Known), compare_known);
}

static List *
action_names(const Definition *def)
{
	List	   *result = NIL;
	int			i;

	for (i = 0; i < def->nsteps; i++)
		result = lappend(result, def->steps[i].action_name);
	return result;
}

static List *
assignee_names(const Definition *def)
{
	List	   *result = NIL;
	int			i;

	for (i = 0; i < def->nsteps; i++)
	{
		const char *assignee = literal_assignee(&def->steps[i]);

		if (assignee != NULL)
			result = lappend(result, unconstify(char *, assignee));
	}
	return result;
}

/* The assignee that the definition itself names, else NULL. */
static const char *
literal_assignee(const StepDef *step)
{
	if (step->type != STEP_TYPE_INTERACTIVE || step->assignee == NULL ||
		step->assignee->kind != OPERAND_LITERAL)
		return NULL;
	return orch_condition_value_text(step->assignee->literal);
}

static bool
action_fits(const StepDef *step, const char *kind)
{
	if (step->type == STEP_TYPE_INTERACTIVE)
		return strcmp(kind, "screen") == 0;
	return strcmp(kind, "screen") != 0;
}

static const char *
fitting_actions(const StepDef *step)
{
	switch (step->type)
	{
		case STEP_TYPE_INTERACTIVE:
			return "screen";
		case STEP_TYPE_BACKGROUND:
			return "function or worker";
		case STEP_TYPE_ASYNCHRONOUS:
			return "worker or function";
	}
	elog(ERROR, "unexpected step type %d", (int) step->type);
}

/* ---------------------------------------------------------------- lookups */

/*
 * Lock the row of an orchestration; false when there is none.  Connected to
 * SPI.
 */
static bool
lock_definition(const char *name, pg_uuid_t *id)
{
	Datum		value = CStringGetTextDatum(name);
	bool		isnull;

	(void) orch_plan_execute(&lock_definition_plan, &value, NULL, false, 1);
	if (SPI_processed == 0)
		return false;
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

/*
 * A version of an orchestration, or (any) its newest; false when there is
 * none.  Connected to SPI.
 */
static bool
find_version(const char *name, bool any, int32 version, pg_uuid_t *id,
			 int32 *found)
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

static void
check_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
}

static char *
name_argument(FunctionCallInfo fcinfo, int argno)
{
	return PG_ARGISNULL(argno) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/* ------------------------------------------------------------- references */

PG_FUNCTION_INFO_V1(orchestration_orchestration_references);

/*
 * orchestration.orchestration_references(orchestration text, version integer)
 * returns table (kind text, name text, detail text, used_by text, resolved boolean)
 *
 * What a version, the newest when it is null, needs from outside: actions,
 * the record type, fields of the record, assignees, inputs, and references
 * that name nothing.  resolved is null where that is known only at run time.
 * Raises 22004 for a null name, OR202 for an unknown one, OR101 for an unknown
 * version.
 */
Datum
orchestration_orchestration_references(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MemoryContext context;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi_context;
	ProblemList problems = {0};
	References	refs = {0};
	const Definition *def;
	char	   *name;
	pg_uuid_t	version_id;
	int32		version;
	Datum		value;
	HASHCTL		ctl;
	int			i;
	int			j;

	check_argument(fcinfo, 0, "orchestration");
	name = name_argument(fcinfo, 0);
	InitMaterializedSRF(fcinfo, 0);

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	spi_context = CurrentMemoryContext;

	if (!find_version(name, PG_ARGISNULL(1),
					  PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1),
					  &version_id, &version))
	{
		value = CStringGetTextDatum(name);
		(void) orch_plan_execute_latest(&known_definition_plan, &value, NULL, 1);
		if (SPI_processed == 0)
			orch_definition_unknown(name);
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("orchestration \"%s\" has no version %d", name,
						PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1))));
	}
	context = AllocSetContextCreate(spi_context, "orchestration definition",
									ALLOCSET_DEFAULT_SIZES);
	refs.def = def = orch_definition_compile_version(&version_id, context, &problems);
	refs.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	refs.actions = known_names(&actions_plan, action_names(def));
	refs.principals = known_names(&principals_plan, assignee_names(def));
	ctl.keysize = 512;
	ctl.entrysize = 512;
	ctl.hcxt = spi_context;
	refs.seen = hash_create("orchestration references", 256, &ctl,
							HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);

	if (def->record_type != NULL)
	{
		bool		isnull = true;
		bool		registered;

		value = CStringGetTextDatum(def->record_type);
		(void) orch_plan_execute_latest(&record_columns_plan, &value, NULL, 1);
		registered = SPI_processed > 0;
		if (registered)
		{
			value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								  1, &isnull);
			if (!isnull)
				refs.columns = DatumGetJsonbPCopy(value);
		}
		add_reference(&refs, "record type", def->record_type, NULL, "start",
					  registered);
		add_conditions(&refs, def->filters, "start");
	}
	for (i = 0; i < def->nvariables; i++)
	{
		const VariableDef *variable = &def->variables[i];

		if (variable->is_input)
			add_reference(&refs, "input", variable->name,
						  variable->is_collection ?
						  psprintf("%s[]", orch_definition_variable_type_name(variable->type)) :
						  orch_definition_variable_type_name(variable->type),
						  NULL, -1);
		add_operand(&refs, variable->default_value, variable->name);
	}
	for (i = 0; i < def->nsteps; i++)
	{
		const StepDef *step = &def->steps[i];
		const Known *known = find_known(&refs.actions, step->action_name);
		const char *assignee = literal_assignee(step);

		add_reference(&refs, "action", step->action_name, fitting_actions(step),
					  step->name,
					  known != NULL && action_fits(step, known->kind));
		if (step->assignee != NULL)
		{
			const char *kind = orch_definition_assignee_kind_name(step->assignee_kind);

			known = assignee == NULL ? NULL :
				find_known(&refs.principals, psprintf("%s:%s", kind, assignee));
			add_reference(&refs, "assignee",
						  assignee != NULL ? assignee : step->assignee->text,
						  kind, step->name,
						  assignee == NULL ? -1 :
						  known != NULL && known->is_active);
			add_operand(&refs, step->assignee, step->name);
		}
		add_operand(&refs, step->context_record, step->name);
		for (j = 0; j < step->ninputs; j++)
			add_operand(&refs, step->inputs[j].value, step->name);
	}
	for (i = 0; i < def->noutcomes; i++)
		add_conditions(&refs, def->outcomes[i].conditions,
					   def->outcomes[i].name);
	for (i = 0; i < def->nassignments; i++)
		for (j = 0; j < def->assignments[i].nitems; j++)
			add_operand(&refs, def->assignments[i].items[j].value,
						def->assignments[i].name);
	for (i = 0; i < problems.nproblems; i++)
		if (problems.problems[i].severity == PROBLEM_STALE)
			add_reference(&refs, "reference", problems.problems[i].reference,
						  problems.problems[i].message,
						  problems.problems[i].place, false);

	SPI_finish();
	orch_system_leave(&saved);
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/*
 * One row, unless it was there before.  resolved: -1 is not known.
 */
static void
add_reference(References *refs, const char *kind, const char *name,
			  const char *detail, const char *used_by, int resolved)
{
	Datum		values[5];
	bool		nulls[5] = {false};
	char	   *key = psprintf("%s\n%s\n%s\n%s", kind, used_by ? used_by : "",
							   detail ? detail : "", name);
	bool		found;

	CHECK_FOR_INTERRUPTS();
	(void) hash_search(refs->seen, key, HASH_ENTER, &found);
	pfree(key);
	if (found)
		return;
	values[0] = CStringGetTextDatum(kind);
	values[1] = CStringGetTextDatum(name);
	nulls[2] = detail == NULL;
	if (detail != NULL)
		values[2] = CStringGetTextDatum(detail);
	nulls[3] = used_by == NULL;
	if (used_by != NULL)
		values[3] = CStringGetTextDatum(used_by);
	nulls[4] = resolved < 0;
	values[4] = BoolGetDatum(resolved > 0);
	tuplestore_putvalues(refs->rsinfo->setResult, refs->rsinfo->setDesc,
						 values, nulls);
}

/*
 * The field of the record that an operand reads.  One that goes through a
 * relationship is found at run time.
 */
static void
add_operand(References *refs, const Operand *operand, const char *used_by)
{
	StringInfoData path;
	ListCell   *cell;
	int			resolved = -1;

	if (operand == NULL || operand->path == NIL ||
		(operand->kind != OPERAND_RECORD &&
		 operand->kind != OPERAND_RECORD_PRIOR))
		return;
	initStringInfo(&path);
	foreach(cell, operand->path)
		appendStringInfo(&path, "%s%s", path.len > 0 ? "." : "",
						 (char *) lfirst(cell));
	if (list_length(operand->path) == 1 && refs->columns != NULL)
		resolved = orch_condition_field(&refs->columns->root,
										linitial(operand->path)) != NULL;
	add_reference(refs, "record field", path.data, refs->def->record_type,
				  used_by, resolved);
	pfree(path.data);
}

static void
add_conditions(References *refs, const ConditionSet *set, const char *used_by)
{
	int			i;

	for (i = 0; set != NULL && i < set->nrequirements; i++)
	{
		add_operand(refs, set->requirements[i].left, used_by);
		add_operand(refs, set->requirements[i].right, used_by);
	}
}

/* ------------------------------------------------------------ immutability */

PG_FUNCTION_INFO_V1(orchestration_refuse_change);

/*
 * orchestration.refuse_change() returns trigger
 *
 * BEFORE trigger for what must not happen to a table: always raises OR005;
 * 39P01 when not called as a trigger.
 */
Datum
orchestration_refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	const char *what;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"refuse_change")));
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		what = "deleted";
	else if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		what = "truncated";
	else
		what = "changed";
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_IMMUTABLE),
			 errmsg("rows of table \"%s\" cannot be %s",
					RelationGetRelationName(trigdata->tg_relation), what),
			 errdetail("Runs rely on the definition with which they started."),
			 errhint("Deploy a new version, or deactivate the orchestration.")));
}
