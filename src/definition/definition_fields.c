/*-------------------------------------------------------------------------
 *
 * definition_fields.c
 *	  The fields of record types that definitions read.
 *
 * A definition names fields of its record and of the records that it looks up, and the tables
 * of users change.  The event trigger on their commands asks which active orchestrations read
 * a column (record_follow.c); record_type_problems() asks which fields are gone.
 *
 * A path of several names begins with a relationship, which is a column as well.  The records
 * behind it are not looked at: which table they are in depends on the foreign keys.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_fields.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/subtransaction.h"
#include "base/system.h"
#include "definition/definition_fields.h"
#include "definition/definition_int.h"
#include "record/record.h"
#include "record/record_column.h"
#include "record/record_follow.h"

/* A field that an element reads; path: of char *. */
typedef void (*FieldVisitor) (const char *record_type, const List *path,
							  const char *element, void *arg);

typedef struct FieldWalk
{
	const Definition *def;
	const LookupDef *lookup;	/* whose filters are walked, or NULL */
	FieldVisitor visit;
	void	   *arg;
} FieldWalk;

/* For note_reader(). */
typedef struct ReaderSearch
{
	const char *record_type;
	const char *column;
	List	   *elements;		/* of char *, each once */
} ReaderSearch;

/* For put_missing(). */
typedef struct MissingSearch
{
	ReturnSetInfo *rsinfo;
	List	   *seen;			/* of char *: rows already returned */
} MissingSearch;

static StaticPlan plan_active = {
	"SELECT v.id, d.name FROM orchestration.orchestration_definition d"
	" JOIN orchestration.orchestration_version v"
	" ON v.orchestration_id = d.id AND v.version = d.active_version"
	" ORDER BY d.name COLLATE \"C\"",
	0
};

static void walk_fields(const Definition *def, FieldVisitor visit, void *arg);
static void walk_operand(const Operand *operand, const char *used_by, void *arg);
static const Definition *try_definition(const pg_uuid_t *version_id);
static char *readers_of(const char *type, const char *field);
static void note_reader(const char *record_type, const List *path, const char *element,
						void *arg);
static void put_missing(const char *record_type, const List *path, const char *element,
						void *arg);
static bool add_once(List **texts, const char *text);

/*
 * Called once, by _PG_init().
 */
void
orch_definition_fields_init(void)
{
	orch_record_set_readers(readers_of);
}

/*
 * Visit every field of a record type that a definition reads.
 */
static void
walk_fields(const Definition *def, FieldVisitor visit, void *arg)
{
	FieldWalk	walk = {.def = def, .visit = visit, .arg = arg};
	ListCell   *cell;
	int			i;

	orch_definition_walk_set(def->filters, walk_operand, "start", &walk);
	foreach(cell, def->filter_references)
		walk_operand(lfirst(cell), "start", &walk);
	for (i = 0; i < def->nvariables; i++)
		if (def->variables[i].default_value != NULL)
			walk_operand(def->variables[i].default_value, def->variables[i].name, &walk);
	orch_definition_walk(def, walk_operand, &walk);
	for (i = 0; i < def->nlookups; i++)
	{
		const LookupDef *lookup = &def->lookups[i];

		walk.lookup = lookup;
		orch_definition_walk_set(lookup->filters, walk_operand, lookup->name, &walk);
		walk.lookup = NULL;
		if (lookup->sort_field != NULL)
			visit(lookup->record_type, list_make1(lookup->sort_field), lookup->name, arg);
	}
}

static void
walk_operand(const Operand *operand, const char *used_by, void *arg)
{
	FieldWalk  *walk = arg;
	const char *type = NULL;

	CHECK_FOR_INTERRUPTS();
	if (operand->path == NIL)
		return;
	if (operand->kind == OPERAND_RECORD || operand->kind == OPERAND_RECORD_PRIOR)
		type = walk->lookup != NULL ? walk->lookup->record_type : walk->def->record_type;
	else if (operand->kind == OPERAND_LOOKUP && walk->def->lookups[operand->index].first_only)
		type = walk->def->lookups[operand->index].record_type;
	/* an orchestration that is started by a call can be about records of any type */
	if (type != NULL)
		walk->visit(type, operand->path, used_by, walk->arg);
}

/*
 * The compiled definition of a version, NULL if it cannot be compiled: version_problem() says
 * why.  Caller is in system context and connected to SPI.
 */
static const Definition *
try_definition(const pg_uuid_t *version_id)
{
	Subtransaction sub;
	const Definition *volatile def = NULL;

	orch_subtransaction_begin(&sub);
	PG_TRY();
	{
		def = orch_definition_get(version_id);
		orch_subtransaction_commit(&sub);
	}
	PG_CATCH();
	{
		ErrorData  *error = orch_subtransaction_catch(&sub);

		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
			ReThrowError(error);
		FreeErrorData(error);
		def = NULL;
	}
	PG_END_TRY();
	return def;
}

/*
 * Which active orchestrations read a column, and in which elements.
 */
static char *
readers_of(const char *type, const char *column)
{
	SPITupleTable *table;
	uint64		nrows;
	uint64		i;
	StringInfoData text;

	initStringInfo(&text);
	orch_plan_execute_latest(&plan_active, NULL, NULL, 0);
	table = SPI_tuptable;
	nrows = SPI_processed;
	for (i = 0; i < nrows; i++)
	{
		bool		isnull;
		ReaderSearch search = {.record_type = type, .column = column};
		const Definition *def;
		ListCell   *cell;

		def = try_definition(DatumGetUUIDP(SPI_getbinval(table->vals[i], table->tupdesc, 1,
														 &isnull)));
		if (def == NULL)
			continue;
		walk_fields(def, note_reader, &search);
		if (search.elements == NIL)
			continue;
		appendStringInfo(&text, "%sOrchestration \"%s\" reads it in", text.len > 0 ? " " : "",
						 SPI_getvalue(table->vals[i], table->tupdesc, 2));
		foreach(cell, search.elements)
			appendStringInfo(&text, "%s \"%s\"", foreach_current_index(cell) > 0 ? "," : "",
							 (char *) lfirst(cell));
		appendStringInfoChar(&text, '.');
	}
	return text.len > 0 ? text.data : NULL;
}

static void
note_reader(const char *record_type, const List *path, const char *element, void *arg)
{
	ReaderSearch *search = arg;

	if (strcmp(record_type, search->record_type) == 0 &&
		orch_record_path_reads(path, search->column))
		(void) add_once(&search->elements, element);
}

/* Adds a text to a list; false if it is in it. */
static bool
add_once(List **texts, const char *text)
{
	ListCell   *cell;

	foreach(cell, *texts)
		if (strcmp(lfirst(cell), text) == 0)
			return false;
	*texts = lappend(*texts, pstrdup(text));
	return true;
}

PG_FUNCTION_INFO_V1(orchestration_version_missing_fields);

/*
 * orchestration_internal.version_missing_fields(version_id uuid) returns table (record_type text,
 * element text, field text)
 *
 * Returns the fields that a version reads and that the tables of their record types do not
 * have; none for a record type without a table, and for a version that does not compile.
 * Raises: nothing of its own.
 * Source: ours.
 */
Datum
orchestration_version_missing_fields(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MissingSearch search = {0};
	const Definition *def;
	MemoryContext caller = CurrentMemoryContext;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	search.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	orch_system_connect(&saved);
	def = try_definition(PG_GETARG_UUID_P(0));
	if (def != NULL)
		walk_fields(def, put_missing, &search);
	orch_system_finish(&saved);
	MemoryContextSwitchTo(caller);
	return (Datum) 0;
}

static void
put_missing(const char *record_type, const List *path, const char *element, void *arg)
{
	MissingSearch *search = arg;
	StringInfoData field;
	Datum		values[3];
	bool		nulls[3] = {false};
	ListCell   *cell;

	if (!orch_record_lacks_path(record_type, path))
		return;
	initStringInfo(&field);
	foreach(cell, path)
		appendStringInfo(&field, "%s%s", foreach_current_index(cell) > 0 ? "." : "",
						 (char *) lfirst(cell));
	if (!add_once(&search->seen, psprintf("%s %s %s", record_type, element, field.data)))
		return;
	values[0] = CStringGetTextDatum(record_type);
	values[1] = CStringGetTextDatum(element);
	values[2] = CStringGetTextDatum(field.data);
	tuplestore_putvalues(search->rsinfo->setResult, search->rsinfo->setDesc, values, nulls);
}
