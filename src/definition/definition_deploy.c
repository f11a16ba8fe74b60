/*-------------------------------------------------------------------------
 *
 * definition_deploy.c
 *	  Orchestrations in the database: deploying, validating, activating and
 *	  deactivating them.
 *
 * Deploying and activating lock the orchestration's row, so that two sessions do it one
 * after the other.
 *
 * A stored version never changes: runs in progress go on with the definition with which
 * they started.  refuse_change(), the trigger that ensures this, is here, too.
 *
 * definition_activation.c checks at activation that everything outside that a definition
 * needs is there.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_deploy.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/xml.h"

#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "definition/definition_int.h"

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
static StaticPlan insert_version_plan = {
	"INSERT INTO orchestration.orchestration_version (orchestration_id, version,"
	" label, process_type, record_type_name, record_trigger_type, source_xml, document)"
	" VALUES ($1, $2, $3, $8, $4, $5, $6, $7)",
	8, {UUIDOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, XMLOID, JSONBOID, TEXTOID}
};
static StaticPlan activate_plan = {
	"UPDATE orchestration.orchestration_definition"
	" SET active_version = $2, modified_at = now()"
	" WHERE id = $1 AND active_version IS DISTINCT FROM $2",
	2, {UUIDOID, INT4OID}
};

static StaticPlan is_active_plan = {
	"SELECT FROM orchestration.orchestration_definition"
	" WHERE name = $1 AND active_version = $2",
	2, {TEXTOID, INT4OID}
};
static StaticPlan set_global_plan = {
	"INSERT INTO orchestration.global_value (name, value) VALUES ($1, $2)"
	" ON CONFLICT (name) DO UPDATE SET value = excluded.value, modified_at = now()",
	2, {TEXTOID, JSONBOID}
};
static StaticPlan forget_global_plan = {
	"DELETE FROM orchestration.global_value WHERE name = $1", 1, {TEXTOID}
};

extern PGDLLEXPORT Datum orchestration_activate_orchestration(PG_FUNCTION_ARGS);
static Datum deploy_document(FunctionCallInfo fcinfo, const TextDocument *source);
static Datum deploy(FunctionCallInfo fcinfo, const DocNode *root, Datum xml,
					Jsonb *document, ProblemList problems);
static Datum validate(FunctionCallInfo fcinfo, const DocNode *root, ProblemList problems);
static bool is_active(const char *name, int32 version);
static char *deployed_name(const DocNode *root);
static char *name_from_label(const char *label);
static char *name_argument(FunctionCallInfo fcinfo, int argno);
static bool lock_definition(const char *name, pg_uuid_t *id);

/* -------------------------------------------------------------- deploying */

PG_FUNCTION_INFO_V1(orchestration_deploy_orchestration_xml);

/*
 * orchestration.deploy_orchestration(document xml, orchestration text, activate boolean) returns
 *		integer
 *
 * Stores a new version of an orchestration from flow metadata and returns its number.  If
 * a version has the same document, stores nothing and returns the number of that one.  The
 * name is the argument, else the document's fullName, else it is made from the label.  With
 * activate, the version is activated too, unless the document has a status other than
 * Active; a notice says so.
 * Raises: 42501 without the permission Manage Flow, 22004 for a null document or activate,
 * 22023 for a name that is not an API name, 2200M if the XML is not well-formed, OR201 with
 * every error of the definition, 54000 if 50 versions are kept, OR204 if it cannot be activated;
 * then it is not stored.
 * Source: Metadata API, Flow (status; the limit is the platform's).
 */
Datum
orchestration_deploy_orchestration_xml(PG_FUNCTION_ARGS)
{
	TextDocument source = {0};

	orch_definition_check_call(fcinfo, 0, "document");
	source.root = orch_document_from_xml(PG_GETARG_XML_P(0));
	source.xml = PG_GETARG_DATUM(0);
	return deploy_document(fcinfo, &source);
}

PG_FUNCTION_INFO_V1(orchestration_deploy_orchestration_jsonb);

/*
 * orchestration.deploy_orchestration(document jsonb, orchestration text, activate boolean) returns
 *		integer
 *
 * The same for the JSON notation: the elements of the metadata by name, repeated ones as
 * arrays.
 * Raises: as above, but not 2200M.  Source: ours.
 */
Datum
orchestration_deploy_orchestration_jsonb(PG_FUNCTION_ARGS)
{
	TextDocument source = {0};

	orch_definition_check_call(fcinfo, 0, "document");
	source.json = PG_GETARG_JSONB_P(0);
	source.root = orch_document_from_jsonb(source.json, SHAPE_FLOW);
	return deploy_document(fcinfo, &source);
}

PG_FUNCTION_INFO_V1(orchestration_deploy_orchestration_text);

/*
 * orchestration.deploy_orchestration(document text, orchestration text, activate boolean) returns
 *		integer; also with document json
 *
 * The same for either notation as text: the first character that is not white space decides.
 * Members that occur more than once in JSON are errors of the definition.
 * Raises: as above, 22P02 if the JSON is not well-formed, and OR201 if the text is neither
 * XML nor JSON.  Source: ours.
 */
Datum
orchestration_deploy_orchestration_text(PG_FUNCTION_ARGS)
{
	TextDocument source;

	orch_definition_check_call(fcinfo, 0, "document");
	orch_definition_read_text(PG_GETARG_TEXT_PP(0), &source);
	return deploy_document(fcinfo, &source);
}

/*
 * Deploy a document and, if the caller wants it and the document's status does not say
 * otherwise, activate the version.
 */
static Datum
deploy_document(FunctionCallInfo fcinfo, const TextDocument *source)
{
	Datum		version;
	char	   *status = source->root->kind != DOC_OBJECT ? NULL :
	orch_definition_word(source->root, "status");
	bool		says_active = status != NULL && strcmp(status, "Active") == 0;
	bool		activate;
	char	   *name;

	orch_require_arguments(fcinfo, 2, 1, "argument \"activate\"");
	activate = PG_GETARG_BOOL(2);
	version = deploy(fcinfo, source->root, source->xml, source->json, source->problems);
	name = name_argument(fcinfo, 1);
	if (name == NULL)
		name = deployed_name(source->root);
	if (activate && (status == NULL || says_active))
		(void) DirectFunctionCall2(orchestration_activate_orchestration,
								   CStringGetTextDatum(name), version);
	else if ((activate || says_active) && !is_active(name, DatumGetInt32(version)))
		ereport(NOTICE,
				activate ?
				(errmsg("version %d of orchestration \"%s\" is not activated: the status in its document is %.*s",
						DatumGetInt32(version), name,
						pg_mbcliplen(status, strlen(status), MAX_LABEL_LENGTH), status),
				 errhint("Call orchestration.activate_orchestration() to activate it anyway.")) :
				(errmsg("version %d of orchestration \"%s\" is not active yet, although the status in its document is Active",
						DatumGetInt32(version), name),
				 errhint("Call orchestration.activate_orchestration(), or deploy with activate => true.")));
	return version;
}

/* Is this the active version of an orchestration? */
static bool
is_active(const char *name, int32 version)
{
	SystemContext saved;
	Datum		values[2];
	bool		active;

	orch_system_connect(&saved);
	values[0] = CStringGetTextDatum(name);
	values[1] = Int32GetDatum(version);
	(void) orch_plan_execute_latest(&is_active_plan, values, NULL, 1);
	active = SPI_processed > 0;
	orch_system_finish(&saved);
	return active;
}

static Datum
deploy(FunctionCallInfo fcinfo, const DocNode *root, Datum xml, Jsonb *document,
	   ProblemList problems)
{
	SystemContext saved;
	MemoryContext context;
	Definition *def;
	char	   *name = name_argument(fcinfo, 1);
	pg_uuid_t	id;
	Datum		values[8];
	char		nulls[9] = "        ";
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

	orch_system_connect(&saved);

	do
	{
		/* again if another session deleted the orchestration meanwhile */
		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(name);
		(void) orch_plan_execute(&insert_definition_plan, values, NULL, false, 0);
	} while (!lock_definition(name, &id));

	if (orch_definition_find_identical(&id, xml, document, &version))
	{
		ereport(NOTICE,
				(errmsg("version %d of orchestration \"%s\" has this document already",
						version, name)));
		orch_system_finish(&saved);
		MemoryContextDelete(context);
		PG_RETURN_INT32(version);
	}
	version = orch_definition_next_version(&id, name);

	values[0] = UUIDPGetDatum(&id);
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
	values[7] = CStringGetTextDatum(orch_definition_kind_name(def->kind));
	(void) orch_plan_execute(&insert_version_plan, values, nulls, false, 0);

	orch_system_finish(&saved);
	MemoryContextDelete(context);
	PG_RETURN_INT32(version);
}

/*
 * The name of a document that was deployed without one: its fullName, else its label as
 * the platform's builder turns it into a name.
 */
static char *
deployed_name(const DocNode *root)
{
	char	   *full_name = orch_definition_word(root, "fullName");
	DocNode    *label = orch_document_child(root, "label");
	char	   *result;

	if (full_name != NULL)
		return full_name;		/* checked by the compiler */
	result = name_from_label(label->text);
	if (*result == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no name can be made from label \"%s\"", label->text),
				 errhint("Pass the name as the second argument.")));
	return result;
}

/*
 * Runs of characters other than letters and digits become one underscore, but not at the
 * ends; an X is put before a digit at the beginning.
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
 * Returns the problems of a document, one a row, as the database is now.  ERROR: it cannot
 * be deployed.  ACTIVATION ERROR: it can be deployed, but not activated; these are looked
 * for only if there is no ERROR.  WARNING: anything else.
 * Raises: 42501 without the permission Manage Flow, 22004 for a null document, 2200M if
 * the XML is not well-formed, OR201 for a document type declaration.
 * Source: ours.
 */
Datum
orchestration_validate_orchestration_xml(PG_FUNCTION_ARGS)
{
	orch_definition_check_call(fcinfo, 0, "document");
	return validate(fcinfo, orch_document_from_xml(PG_GETARG_XML_P(0)), (ProblemList) {0});
}

PG_FUNCTION_INFO_V1(orchestration_validate_orchestration_jsonb);

/*
 * orchestration.validate_orchestration(document jsonb) returns table (severity
 * text, place text, line integer, message text)
 *
 * The same for the JSON notation; line is null.
 * Raises: 42501 without the permission Manage Flow, 22004 for a null document.
 * Source: ours.
 */
Datum
orchestration_validate_orchestration_jsonb(PG_FUNCTION_ARGS)
{
	orch_definition_check_call(fcinfo, 0, "document");
	return validate(fcinfo, orch_document_from_jsonb(PG_GETARG_JSONB_P(0), SHAPE_FLOW),
					(ProblemList) {0});
}

PG_FUNCTION_INFO_V1(orchestration_validate_orchestration_text);

/*
 * orchestration.validate_orchestration(document text) returns table (severity
 * text, place text, line integer, message text); also with document json
 *
 * The same for either notation as text.  In JSON, line is null except for members that occur
 * more than once.
 * Raises: as for XML, 22P02 if the JSON is not well-formed, and OR201 if the text is neither
 * XML nor JSON.  Source: ours.
 */
Datum
orchestration_validate_orchestration_text(PG_FUNCTION_ARGS)
{
	TextDocument source;

	orch_definition_check_call(fcinfo, 0, "document");
	orch_definition_read_text(PG_GETARG_TEXT_PP(0), &source);
	return validate(fcinfo, source.root, source.problems);
}

static Datum
validate(FunctionCallInfo fcinfo, const DocNode *root, ProblemList problems)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	SystemContext saved;
	bool		deployable;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	orch_system_connect(&saved);
	context = AllocSetContextCreate(CurrentMemoryContext,
									"orchestration definition",
									ALLOCSET_DEFAULT_SIZES);
	(void) orch_definition_compile(root, context, &problems);
	deployable = problems.nerrors == 0;
	if (deployable)
	{
		memset(&problems, 0, sizeof(problems));
		orch_definition_check_document(root, context, &problems);
	}
	for (i = 0; i < problems.nproblems; i++)
	{
		const Problem *p = &problems.problems[i];
		Datum		values[4];
		bool		nulls[4] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(p->severity == PROBLEM_WARNING ? "WARNING" :
										p->severity == PROBLEM_ERROR && !deployable ? "ERROR" :
										"ACTIVATION ERROR");
		values[1] = CStringGetTextDatum(p->place);
		values[2] = Int32GetDatum(p->line);
		nulls[2] = p->line == 0;
		values[3] = CStringGetTextDatum(p->message);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	orch_system_finish(&saved);
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

/* ------------------------------------------------------------- activation */

PG_FUNCTION_INFO_V1(orchestration_activate_orchestration);

/*
 * orchestration.activate_orchestration(orchestration text, version integer) returns
 * integer
 *
 * Makes a version (null: the newest) the one that new runs use, and returns its number.
 * A NOTICE says how many warnings the version has beside the database.
 * Raises: 42501 without the permission Manage Flow, 22004 for a null name, OR202 for an
 * unknown name, OR101 for an unknown version, OR204 with everything that is missing or
 * cannot work (definition_activation.c), with line and place.
 * Source: Flow Builder's checks at activation.
 */
Datum
orchestration_activate_orchestration(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	char	   *name;
	pg_uuid_t	id;
	pg_uuid_t	version_id;
	int32		version;
	Datum		values[2];

	orch_definition_check_call(fcinfo, 0, "orchestration");
	name = name_argument(fcinfo, 0);

	orch_system_connect(&saved);

	if (!lock_definition(name, &id))
		orch_definition_unknown(name);
	if (!orch_definition_find_version(name, PG_ARGISNULL(1),
									  PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1),
									  &version_id, &version))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 PG_ARGISNULL(1) ?
				 errmsg("orchestration \"%s\" has no versions", name) :
				 errmsg("orchestration \"%s\" has no version %d", name,
						PG_GETARG_INT32(1)),
				 errhint("Deploy one with orchestration.deploy_orchestration().")));

	orch_definition_require_activation(&version_id, name, version);

	values[0] = UUIDPGetDatum(&id);
	values[1] = Int32GetDatum(version);
	(void) orch_plan_execute_latest(&activate_plan, values, NULL, 0);

	orch_system_finish(&saved);
	PG_RETURN_INT32(version);
}

PG_FUNCTION_INFO_V1(orchestration_deactivate_orchestration);

/*
 * orchestration.deactivate_orchestration(orchestration text) returns void
 *
 * Deactivates the active version, if there is one: no new runs start, runs in progress go
 * on.
 * Raises: 42501 without the permission Manage Flow, 22004 for a null name, OR202 for an
 * unknown name.
 * Source: ours.
 */
Datum
orchestration_deactivate_orchestration(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	char	   *name;
	pg_uuid_t	id;
	Datum		values[2];

	orch_definition_check_call(fcinfo, 0, "orchestration");
	name = name_argument(fcinfo, 0);

	orch_system_connect(&saved);
	if (!lock_definition(name, &id))
		orch_definition_unknown(name);
	values[0] = UUIDPGetDatum(&id);
	values[1] = (Datum) 0;
	(void) orch_plan_execute_latest(&activate_plan, values, " n", 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

/* ---------------------------------------------------------------- globals */

PG_FUNCTION_INFO_V1(orchestration_set_global);

/*
 * orchestration.set_global(name text, value jsonb) returns void
 *
 * Sets the value of a global variable that the engine does not have; null deletes it.
 * For $Organization.Name, name is "$Organization" and value {"Name": ...}.
 * Raises: 42501 without the permission Manage Flow, 22004 for a null name, 22023 for a
 * name that is not one or is one of the engine's, or a value that is not an object.
 * Source: flow-metadata.md, section 6.
 */
Datum
orchestration_set_global(PG_FUNCTION_ARGS)
{
	static const char *const known[] = {
		"$Record", "$Record__Prior", "$User", "$Flow", "$Orchestration", "$GlobalConstant"
	};
	char	   *name;
	SystemContext saved;
	Datum		values[2];
	int			i;

	orch_definition_check_call(fcinfo, 0, "orchestration");
	name = name_argument(fcinfo, 0);
	if (name[0] != '$' || !orch_definition_is_api_name(name + 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no name of a global variable", name),
				 errhint("It begins with $: $Organization.")));
	for (i = 0; i < (int) lengthof(known); i++)
		if (strcmp(name, known[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the global variable \"%s\" cannot be set", name),
					 errdetail("The engine knows its value.")));
	if (!PG_ARGISNULL(1) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(1)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the value of global variable \"%s\" must be an object", name)));

	orch_system_connect(&saved);
	values[0] = CStringGetTextDatum(name);
	values[1] = PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1);
	(void) orch_plan_execute_latest(PG_ARGISNULL(1) ? &forget_global_plan : &set_global_plan,
									values, NULL, 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

/* ---------------------------------------------------------------- lookups */

/*
 * Locks the row of an orchestration; false if there is none.  The caller is connected to
 * SPI.
 */
static bool
lock_definition(const char *name, pg_uuid_t *id)
{
	Datum		value = CStringGetTextDatum(name);
	bool		isnull;

	(void) orch_plan_execute_latest(&lock_definition_plan, &value, NULL, 1);
	if (SPI_processed == 0)
		return false;
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static char *
name_argument(FunctionCallInfo fcinfo, int argno)
{
	return PG_ARGISNULL(argno) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/* ------------------------------------------------------------ immutability */

PG_FUNCTION_INFO_V1(orchestration_refuse_change);

/*
 * orchestration_internal.refuse_change() returns trigger
 *
 * BEFORE trigger for operations that a table does not allow.  Its argument, if it has one,
 * says why.  Returns the row of a version or orchestration that
 * delete_orchestration_version() or delete_orchestration() deletes.
 * Raises: OR005 otherwise, 39P01 if not called as a trigger.
 * Source: ours.
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
	if (orch_definition_deletes(trigdata))
		return PointerGetDatum(trigdata->tg_trigtuple);
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
			 trigdata->tg_trigger->tgnargs > 0 ?
			 errdetail("%s", trigdata->tg_trigger->tgargs[0]) :
			 RelationGetRelid(trigdata->tg_relation) == orch_catalog_relation(RELATION_PRINCIPAL) ?
			 errdetail("Records refer to users, groups and queues.") :
			 errdetail("Runs rely on the definition with which they started."),
			 trigdata->tg_trigger->tgnargs > 0 ? 0 :
			 RelationGetRelid(trigdata->tg_relation) == orch_catalog_relation(RELATION_PRINCIPAL) ?
			 errhint("Create another.") :
			 TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ?
			 errhint("Use orchestration.delete_orchestration_version() or orchestration.delete_orchestration(); both require that no runs exist.") :
			 errhint("Deploy a new version, or deactivate the orchestration.")));
}
