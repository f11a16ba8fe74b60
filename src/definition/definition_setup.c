/*-------------------------------------------------------------------------
 *
 * definition_setup.c
 *	  What a definition needs and the database lacks, as a script that makes it.
 *
 * orchestration_references() tells what is missing.  This file adds what a script has to
 * know besides: the columns of tables, and the outputs that functions return, with types.
 * A type comes from the place where a value is read: what it is compared with, the
 * variable or parameter that takes it, the function of a formula.  definition_type.c walks
 * the definition for that.
 *
 * The script is a proposal.  It is written to be read and edited, so each statement says
 * which element needs it, and nothing is made that exists.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_setup.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/argument.h"
#include "base/system.h"
#include "definition/definition_int.h"
#include "record/action.h"
#include "record/record.h"
#include "record/record_column.h"
#include "record/record_name.h"

/* A column, or a column with a foreign key (target), that a table lacks. */
typedef struct SetupColumn
{
	char	   *name;
	ValueType	type;
	struct SetupTable *target;	/* or NULL */
	const char *used_by;
} SetupColumn;

/* A table of records. */
typedef struct SetupTable
{
	char	   *name;			/* qualified and quoted */
	Oid			relation;		/* InvalidOid: to be made */
	const char *record_type;	/* to be registered as; or NULL */
	List	   *columns;		/* of SetupColumn *: what it lacks */
	const char *used_by;
} SetupTable;

typedef struct Setup
{
	StringInfoData script;
	char	   *schema;
	const Definition *def;
	List	   *reads;			/* of ReadValue * */
	List	   *tables;			/* of SetupTable * */
	HTAB	   *names;			/* see number_of() */
} Setup;

/* A row of orchestration_references(). */
typedef struct SetupReference
{
	char	   *kind;
	char	   *name;
	char	   *detail;			/* or NULL */
	char	   *used_by;
	bool		resolved;		/* or only a run can tell */
} SetupReference;

static StaticPlan references_plan = {
	"SELECT kind, name, detail, used_by, COALESCE(resolved, true)"
	" FROM orchestration.orchestration_references($1, $2)",
	2, {TEXTOID, INT4OID}
};
/* by the name of the type or its snake_case form; in any schema of users */
static StaticPlan table_plan = {
	"SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.relname = ANY ($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
	"   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'orchestration')"
	"   AND ($2 IS NULL OR n.nspname = $2)"
	"   AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)",
	2, {NAMEARRAYOID, NAMEOID}
};
static int	number_of(Setup *setup, const char *kind, const char *name, int number);
static void add_comment(Setup *setup, const char *indent, const char *format,...)
			pg_attribute_printf(3, 4);
static char *one_line(const char *text);
static char *identifier(const char *name);
static char *qualified(const Setup *setup, const char *name);
static const char *sql_type(ValueType type);
static char *example_text(const ReadValue *read);
static List *find_references(const char *orchestration, Datum version, bool newest);
static Oid	find_table(const char *name, const char *schema);
static bool has_column(const SetupTable *table, const char *field);
static SetupTable *table_of_type(Setup *setup, const char *record_type, const char *used_by);
static SetupTable *table_of_relationship(Setup *setup, SetupTable *from,
										 const char *relationship, const char *read,
										 const char *used_by);
static void add_column(Setup *setup, SetupTable *table, const char *name, ValueType type,
					   SetupTable *target, const char *used_by);
static void collect_columns(Setup *setup);
static void write_tables(Setup *setup);
static void write_links(Setup *setup);
static void write_registrations(Setup *setup);
static void write_action(Setup *setup, const SetupReference *reference);
static void write_inputs(Setup *setup, const char *action);
static void write_outputs(Setup *setup, StringInfo body, const char *action);
static char *function_name(Setup *setup, const char *action);
static bool function_exists(const Setup *setup, const char *function);
static void write_function(Setup *setup, const SetupReference *reference);
static void write_person(Setup *setup, const SetupReference *reference);
static void write_permission(Setup *setup, const SetupReference *reference);
static void write_globals(Setup *setup, List *references);
static void write_section(Setup *setup, List *references, const char *kind,
						  void (*write) (Setup *, const SetupReference *), const char *title);
static void write_problems(Setup *setup, const ProblemList *problems);

PG_FUNCTION_INFO_V1(orchestration_orchestration_setup_script);

/*
 * orchestration.orchestration_setup_script(orchestration text, version integer,
 * schema name) returns text
 *
 * Returns a script in SQL that makes what a version (null: the newest) refers to and the
 * database lacks: tables with columns, in schema, and record types; functions that return
 * examples, and actions; users, groups and queues; global variables.  Changes nothing
 * itself.
 * Raises: 42501 without the permission Manage Flow, 22004 for a null name or schema,
 * OR202 for an unknown name, OR101 for an unknown version.
 * Source: ours.
 */
Datum
orchestration_orchestration_setup_script(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MemoryContext caller = CurrentMemoryContext;
	ProblemList problems = {0};
	Setup		setup = {0};
	List	   *references;
	char	   *name;
	int32		version;
	pg_uuid_t	version_id;
	char	   *result;
	int			start;

	orch_definition_check_call(fcinfo, 0, "orchestration");
	orch_require_arguments(fcinfo, 2, 1, "argument \"schema\"");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	orch_system_connect(&saved);
	references = find_references(name, PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	if (!orch_definition_find_version(name, PG_ARGISNULL(1),
									  PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1),
									  &version_id, &version))
		orch_definition_unknown(name);	/* gone meanwhile */
	setup.def = orch_definition_compile_version(&version_id, CurrentMemoryContext, &problems);
	setup.schema = pstrdup(NameStr(*PG_GETARG_NAME(2)));
	setup.names = orch_definition_make_names(CurrentMemoryContext);
	setup.reads = orch_definition_reads(setup.def);
	initStringInfo(&setup.script);

	add_comment(&setup, "", "Setup of orchestration \"%s\", version %d: makes what it refers to and this database lacks.",
				name, version);
	add_comment(&setup, "", "Read it first; change names, types and the bodies of functions as you need them.");
	appendStringInfoString(&setup.script, "\nBEGIN;\n");
	start = setup.script.len;

	collect_columns(&setup);
	write_tables(&setup);
	write_links(&setup);
	write_registrations(&setup);
	write_section(&setup, references, "action", write_action, "Actions");
	write_section(&setup, references, "runAsUser", write_permission,
				  "Actions that act as the user whom a step names: an administrator decides");
	write_section(&setup, references, "assignee", write_person, "Users, groups and queues");
	write_globals(&setup, references);
	if (setup.script.len == start)
		appendStringInfoString(&setup.script, "\n-- Nothing is missing.\n");
	appendStringInfoString(&setup.script, "\nCOMMIT;\n");
	write_problems(&setup, &problems);
	appendStringInfo(&setup.script, "\n-- Then: SELECT orchestration.activate_orchestration(%s, %d);\n",
					 quote_literal_cstr(name), version);

	result = MemoryContextStrdup(caller, setup.script.data);
	orch_system_finish(&saved);
	PG_RETURN_TEXT_P(cstring_to_text(result));
}

/* --------------------------------------------------------- parts of a script */

/*
 * The number under which a name of a kind was noted before; else -1, and it is noted with
 * the number given.
 */
static int
number_of(Setup *setup, const char *kind, const char *name, int number)
{
	char	   *key = psprintf("%s\n%s", kind, name);
	NameEntry  *entry;
	bool		found;

	entry = hash_search(setup->names, &key, HASH_ENTER, &found);
	if (found)
		return entry->index;
	entry->index = number;
	return -1;
}

/* A line of comment; texts of the document cannot end it. */
static void
add_comment(Setup *setup, const char *indent, const char *format,...)
{
	StringInfoData text;

	initStringInfo(&text);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&text, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&text, needed);
	}
	appendStringInfo(&setup->script, "%s-- %s\n", indent, one_line(text.data));
	pfree(text.data);
}

/* A text without control characters, which would begin a line of SQL. */
static char *
one_line(const char *text)
{
	char	   *result = pstrdup(text);
	char	   *c;

	for (c = result; *c != '\0'; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			*c = ' ';
	return result;
}

/*
 * A name of the platform as an identifier: Time_Sheet__c becomes time_sheet, and
 * Service.operation service_operation.
 */
static char *
identifier(const char *name)
{
	int			length = strlen(name);
	char	   *result;
	char	   *c;

	if (length > 3 && (pg_strcasecmp(name + length - 3, "__c") == 0 ||
					   pg_strcasecmp(name + length - 3, "__r") == 0))
		length -= 3;
	result = orch_condition_snake_case(name, length);
	for (c = result; *c != '\0'; c++)
		if (!isalnum((unsigned char) *c) && !IS_HIGHBIT_SET(*c))
			*c = '_';
	if (strlen(result) >= NAMEDATALEN)
		result[pg_mbcliplen(result, strlen(result), NAMEDATALEN - 1)] = '\0';
	return result;
}

static char *
qualified(const Setup *setup, const char *name)
{
	return quote_qualified_identifier(setup->schema, name);
}

static const char *
sql_type(ValueType type)
{
	switch (type)
	{
		case VALUE_NUMBER:
			return "numeric";
		case VALUE_BOOLEAN:
			return "boolean";
		case VALUE_DATE:
			return "date";
		case VALUE_DATETIME:
			return "timestamptz";
		case VALUE_TIME:
			return "time";
		case VALUE_RECORD:
		case VALUE_COLLECTION:
			return "jsonb";
		case VALUE_TEXT:
		case VALUE_UNKNOWN:
			return "text";
	}
	elog(ERROR, "unexpected type of value %d", (int) type);
}

/* An example of an output, as an expression. */
static char *
example_text(const ReadValue *read)
{
	JsonbValue *example = read->example;

	if (example != NULL && example->type == jbvString)
		return quote_literal_cstr(orch_condition_value_text(example));
	if (example != NULL)
		return orch_condition_value_text(example);
	switch (read->type)
	{
		case VALUE_NUMBER:
			return "1";
		case VALUE_BOOLEAN:
			return "true";
		case VALUE_DATE:
			return "current_date";
		case VALUE_DATETIME:
			return "now()";
		case VALUE_TIME:
			return "localtime";
		case VALUE_RECORD:
			return "'{}'::jsonb";
		case VALUE_COLLECTION:
			return "'[]'::jsonb";
		default:
			return "'example'";
	}
}

/* ------------------------------------------------------------- what is there */

/* The rows of orchestration_references().  Connected to SPI. */
static List *
find_references(const char *orchestration, Datum version, bool newest)
{
	List	   *result = NIL;
	Datum		values[2];
	uint64		i;

	values[0] = CStringGetTextDatum(orchestration);
	values[1] = version;
	(void) orch_plan_execute_latest(&references_plan, values, newest ? " n" : NULL, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		SetupReference *reference = palloc(sizeof(SetupReference));
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		reference->kind = SPI_getvalue(row, desc, 1);
		reference->name = SPI_getvalue(row, desc, 2);
		reference->detail = SPI_getvalue(row, desc, 3);
		reference->used_by = SPI_getvalue(row, desc, 4);
		reference->resolved = DatumGetBool(SPI_getbinval(row, desc, 5, &isnull));
		result = lappend(result, reference);
	}
	return result;
}

/*
 * The table of this name, in any schema if none is given; InvalidOid if there is none, or
 * more than one.
 */
static Oid
find_table(const char *name, const char *schema)
{
	Datum		names[2];
	Datum		values[2];
	NameData	name_data[3];
	bool		isnull;

	namestrcpy(&name_data[0], name);
	namestrcpy(&name_data[1], identifier(name));
	names[0] = NameGetDatum(&name_data[0]);
	names[1] = NameGetDatum(&name_data[1]);
	values[0] = PointerGetDatum(construct_array(names, 2, NAMEOID, NAMEDATALEN, false,
												TYPALIGN_CHAR));
	if (schema != NULL)
		namestrcpy(&name_data[2], schema);
	values[1] = NameGetDatum(&name_data[2]);
	(void) orch_plan_execute_latest(&table_plan, values, schema != NULL ? NULL : " n", 2);
	if (SPI_processed != 1)
		return InvalidOid;
	return DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
										  &isnull));
}

/* -------------------------------------------------------------------- tables */

/* The table of that name: noted before, there, or to be made. */
static SetupTable *
note_table(Setup *setup, Oid relation, const char *name, const char *used_by)
{
	char	   *full = OidIsValid(relation) ? orch_record_qualified_name(relation) :
		qualified(setup, identifier(name));
	int			number = number_of(setup, "table", full, list_length(setup->tables));
	SetupTable *table;

	if (number >= 0)
		return list_nth(setup->tables, number);
	table = palloc0(sizeof(SetupTable));
	table->name = full;
	table->relation = relation;
	table->used_by = used_by;
	setup->tables = lappend(setup->tables, table);
	return table;
}

static SetupTable *
table_of_type(Setup *setup, const char *record_type, const char *used_by)
{
	Oid			relation = orch_record_table_of(record_type);
	bool		registered = OidIsValid(relation);
	SetupTable *table;

	if (!registered)
		relation = find_table(record_type, NULL);
	table = note_table(setup, relation, record_type, used_by);
	if (!registered)
		table->record_type = record_type;
	return table;
}

/*
 * The table that a relationship leads to, of whose record this is read; one to be made, with
 * the column, if there is no such relationship.  Relationships to users lead to one table.
 */
static SetupTable *
table_of_relationship(Setup *setup, SetupTable *from, const char *relationship,
					  const char *read, const char *used_by)
{
	static const char *const of_users[] = {"Owner", "CreatedBy", "LastModifiedBy", "Manager"};
	char	   *base = pstrdup(relationship);
	char	   *type = strchr(base, ':');
	const char *name;
	RecordForeignKey key;
	Oid			relation;
	SetupTable *table;
	int			i;

	if (type != NULL)
		*type++ = '\0';
	if (OidIsValid(from->relation) && orch_record_foreign_key(from->relation, base, &key))
		return note_table(setup, key.target, NULL, used_by);
	name = type != NULL ? type : base;
	for (i = 0; i < (int) lengthof(of_users); i++)
		if (pg_strcasecmp(base, of_users[i]) == 0 && type == NULL)
			name = "users";
	if (pg_strcasecmp(name, "User") == 0 || pg_strcasecmp(read, "Username") == 0)
		name = "users";
	relation = orch_record_table_of(name);
	if (!OidIsValid(relation))
		relation = find_table(name, setup->schema);
	table = note_table(setup, relation, name, used_by);
	add_column(setup, from, psprintf("%s_id", identifier(base)), VALUE_UNKNOWN, table, used_by);
	return table;
}

static void
add_column(Setup *setup, SetupTable *table, const char *name, ValueType type,
		   SetupTable *target, const char *used_by)
{
	SetupColumn *column;
	char	   *key = psprintf("%s\n%s", table->name, name);

	if (number_of(setup, "column", key, 0) >= 0)
		return;
	column = palloc0(sizeof(SetupColumn));
	column->name = pstrdup(name);
	column->type = type;
	column->target = target;
	column->used_by = used_by;
	table->columns = lappend(table->columns, column);
}

static bool
has_column(const SetupTable *table, const char *field)
{
	return OidIsValid(table->relation) &&
		orch_record_has_column(table->relation, list_make1(unconstify(char *, field)));
}

/* The columns that the definition reads and that tables lack. */
static void
collect_columns(Setup *setup)
{
	ListCell   *cell;
	int			i;

	if (setup->def->record_type != NULL)
		(void) table_of_type(setup, setup->def->record_type, "start");
	for (i = 0; i < setup->def->nlookups; i++)
		(void) table_of_type(setup, setup->def->lookups[i].record_type,
							 setup->def->lookups[i].name);
	foreach(cell, setup->reads)
	{
		const ReadValue *read = lfirst(cell);
		SetupTable *table;
		ListCell   *part;

		CHECK_FOR_INTERRUPTS();
		if (read->kind != READ_RECORD)
			continue;
		table = table_of_type(setup, read->owner, read->used_by);
		foreach(part, read->path)
		{
			const char *name = lfirst(part);

			if (lnext(read->path, part) != NULL)
			{
				/* fields inside a column of type jsonb */
				if (has_column(table, name))
					break;
				table = table_of_relationship(setup, table, name,
											  lfirst(lnext(read->path, part)), read->used_by);
			}
			else if (pg_strcasecmp(name, "Id") != 0 &&
					 !has_column(table, name))
				add_column(setup, table, orch_condition_snake_case(name, strlen(name)),
						   read->type, NULL, read->used_by);
		}
	}
}

static void
write_tables(Setup *setup)
{
	ListCell   *cell;
	ListCell   *part;

	foreach(cell, setup->tables)
	{
		const SetupTable *table = lfirst(cell);

		if (OidIsValid(table->relation))
		{
			foreach(part, table->columns)
			{
				const SetupColumn *column = lfirst(part);

				if (column->target != NULL)
					continue;
				appendStringInfo(&setup->script, "\n-- read by %s\n", one_line(column->used_by));
				appendStringInfo(&setup->script, "ALTER TABLE %s ADD COLUMN %s %s;\n",
								 table->name, quote_identifier(column->name),
								 sql_type(column->type));
			}
			continue;
		}
		appendStringInfoChar(&setup->script, '\n');
		add_comment(setup, "", "records of %s, used by %s",
					table->record_type != NULL ? table->record_type : "a relationship",
					table->used_by);
		appendStringInfo(&setup->script, "CREATE TABLE %s (\n    id uuid PRIMARY KEY DEFAULT gen_random_uuid()",
						 table->name);
		foreach(part, table->columns)
		{
			const SetupColumn *column = lfirst(part);

			if (column->target == NULL && strcmp(column->name, "id") != 0)
				appendStringInfo(&setup->script, ",\n    %s %s", quote_identifier(column->name),
								 sql_type(column->type));
		}
		appendStringInfoString(&setup->script, "\n);\n");
	}
}

/* Foreign keys, when all tables are there. */
static void
write_links(Setup *setup)
{
	ListCell   *cell;
	ListCell   *part;

	foreach(cell, setup->tables)
	{
		const SetupTable *table = lfirst(cell);

		foreach(part, table->columns)
		{
			const SetupColumn *column = lfirst(part);
			const char *type = "uuid";

			if (column->target == NULL)
				continue;
			if (OidIsValid(column->target->relation))
				type = orch_record_key_type(column->target->relation);
			if (type == NULL)
			{
				add_comment(setup, "", "%s needs a foreign key with a column \"%s\" to %s, whose key has several columns",
							table->name, column->name, column->target->name);
				continue;
			}
			appendStringInfo(&setup->script, "ALTER TABLE %s ADD COLUMN %s %s REFERENCES %s;\n",
							 table->name, quote_identifier(column->name), type,
							 column->target->name);
		}
	}
}

static void
write_registrations(Setup *setup)
{
	ListCell   *cell;

	foreach(cell, setup->tables)
	{
		const SetupTable *table = lfirst(cell);

		if (table->record_type != NULL)
			appendStringInfo(&setup->script, "\nSELECT orchestration.register_record_type(%s, %s);\n",
							 quote_literal_cstr(table->record_type),
							 quote_literal_cstr(table->name));
	}
}

/* ------------------------------------------------------------ other sections */

/* Writes what is missing of a kind, once each. */
static void
write_section(Setup *setup, List *references, const char *kind,
			  void (*write) (Setup *, const SetupReference *), const char *title)
{
	ListCell   *cell;
	bool		any = false;

	foreach(cell, references)
	{
		const SetupReference *reference = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (reference->resolved || strcmp(reference->kind, kind) != 0 ||
			number_of(setup, kind, reference->name, 0) >= 0)
			continue;
		if (!any)
			appendStringInfo(&setup->script, "\n-- %s\n", title);
		any = true;
		write(setup, reference);
	}
}

static void
write_action(Setup *setup, const SetupReference *reference)
{
	const char *name = quote_literal_cstr(reference->name);
	ListCell   *cell;

	appendStringInfoChar(&setup->script, '\n');
	if (orch_action_find(reference->name) != NULL)
	{
		add_comment(setup, "", "\"%s\" is registered as another kind of action than %s needs: a %s",
					reference->name, reference->used_by, reference->detail);
		return;
	}
	add_comment(setup, "", "%s, %s of %s", reference->name, reference->detail, reference->used_by);
	write_inputs(setup, reference->name);
	if (strcmp(reference->detail, "screen") == 0 || strncmp(reference->detail, "worker", 6) == 0)
	{
		foreach(cell, setup->reads)
		{
			const ReadValue *read = lfirst(cell);

			if (read->kind == READ_OUTPUT && strcmp(read->owner, reference->name) == 0)
				add_comment(setup, "", "  its output %s (%s) is read by %s",
							(char *) linitial(read->path), sql_type(read->type), read->used_by);
		}
		appendStringInfo(&setup->script, "SELECT orchestration.register_action(%s, '%s');\n", name,
						 strcmp(reference->detail, "screen") == 0 ? "screen" : "worker");
	}
	else
		write_function(setup, reference);
}

/* What the first step that calls an action gives it. */
static void
write_inputs(Setup *setup, const char *action)
{
	const Definition *def = setup->def;
	int			i;
	int			j;

	for (i = 0; i < def->nsteps; i++)
		if (strcmp(def->steps[i].action_name, action) == 0)
			break;
	for (j = 0; i < def->nsteps && j < def->steps[i].ninputs; j++)
	{
		const InputParameter *input = &def->steps[i].inputs[j];

		CHECK_FOR_INTERRUPTS();
		add_comment(setup, "", "  its input %s is %s", input->name,
					input->value == NULL ? "null" : input->value->text);
	}
}

/* Names and values for jsonb_build_object(): the outputs of an action that are read. */
static void
write_outputs(Setup *setup, StringInfo body, const char *action)
{
	const char *separator = "";
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, setup->reads)
	{
		const ReadValue *read = lfirst(cell);
		const char *name = linitial(read->path);
		const char *inner = "";

		CHECK_FOR_INTERRUPTS();
		if (read->kind != READ_OUTPUT || strcmp(read->owner, action) != 0 ||
			number_of(setup, "output", psprintf("%s\n%s", action, name), 0) >= 0)
			continue;
		appendStringInfo(body, "%s%s, ", separator, quote_literal_cstr(name));
		separator = ", ";
		if (list_length(read->path) == 1)
		{
			appendStringInfoString(body, example_text(read));
			continue;
		}
		appendStringInfoString(body, "jsonb_build_object(");
		foreach(other, setup->reads)
		{
			const ReadValue *field = lfirst(other);

			if (field->kind != READ_OUTPUT || strcmp(field->owner, action) != 0 ||
				strcmp(linitial(field->path), name) != 0 || list_length(field->path) < 2)
				continue;
			appendStringInfo(body, "%s%s, %s", inner, quote_literal_cstr(lsecond(field->path)),
							 example_text(field));
			inner = ", ";
		}
		appendStringInfoChar(body, ')');
	}
}

/* A name for the function of an action, which no other in the script has. */
static char *
function_name(Setup *setup, const char *action)
{
	char	   *name = identifier(action);
	char	   *result = name;
	int			n;

	for (n = 2; number_of(setup, "function", result, 0) >= 0; n++)
	{
		char	   *suffix = psprintf("_%d", n);

		result = psprintf("%.*s%s", pg_mbcliplen(name, strlen(name),
												 NAMEDATALEN - 1 - strlen(suffix)), name, suffix);
	}
	return result;
}

/* Is there such a function (jsonb) in the schema? */
static bool
function_exists(const Setup *setup, const char *function)
{
	Oid			schema = get_namespace_oid(setup->schema, true);
	Oid			type = JSONBOID;

	return OidIsValid(schema) &&
		SearchSysCacheExists3(PROCNAMEARGSNSP, PointerGetDatum(function),
							  PointerGetDatum(buildoidvector(&type, 1)),
							  ObjectIdGetDatum(schema));
}

/* A function that returns the outputs that are read, and its action. */
static void
write_function(Setup *setup, const SetupReference *reference)
{
	StringInfoData body;
	char	   *function = function_name(setup, reference->name);
	char	   *full = qualified(setup, function);
	const char *tag;

	initStringInfo(&body);
	appendStringInfoString(&body, "\n    SELECT jsonb_build_object(");
	if (strcmp(reference->detail, "evaluation") == 0)
	{
		add_comment(setup, "", "  or deploy and activate the evaluation flow of that name instead");
		appendStringInfo(&body, "%s, true", quote_literal_cstr(CONDITION_OUTPUT));
	}
	else
		write_outputs(setup, &body, reference->name);
	appendStringInfoString(&body, ")\n");

	/* not a tag that a text in the body contains */
	tag = strstr(body.data, "$function") == NULL ? "$function$" : NULL;
	if (function_exists(setup, function))
		add_comment(setup, "", "  %s(jsonb) is there and is taken", full);
	else
		appendStringInfo(&setup->script,
						 "CREATE FUNCTION %s(inputs jsonb) RETURNS jsonb LANGUAGE sql AS %s%s%s;\n",
						 full, tag != NULL ? tag : "",
						 tag != NULL ? body.data : quote_literal_cstr(body.data),
						 tag != NULL ? tag : "");
	appendStringInfo(&setup->script, "SELECT orchestration.register_action(%s, 'function', %s);\n",
					 quote_literal_cstr(reference->name),
					 quote_literal_cstr(psprintf("%s(jsonb)", full)));
}

static void
write_person(Setup *setup, const SetupReference *reference)
{
	const char *call = strcmp(reference->detail, "Group") == 0 ? "create_group" :
		strcmp(reference->detail, "Queue") == 0 ? "create_queue" : "create_user";

	appendStringInfo(&setup->script, "SELECT orchestration.%s(%s);", call,
					 quote_literal_cstr(reference->name));
	appendStringInfo(&setup->script, "  -- assignee of %s\n", one_line(reference->used_by));
}

static void
write_permission(Setup *setup, const SetupReference *reference)
{
	appendStringInfo(&setup->script, "SELECT orchestration.allow_run_as_user(%s);",
					 quote_literal_cstr(reference->name));
	appendStringInfo(&setup->script, "  -- step %s\n", one_line(reference->used_by));
}

/* One call a global variable, with all fields that are read. */
static void
write_globals(Setup *setup, List *references)
{
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, references)
	{
		const SetupReference *reference = lfirst(cell);
		char	   *name;
		int			length;
		JsonbParseState *state = NULL;
		JsonbValue	v;
		JsonbValue *object;

		if (reference->resolved || strcmp(reference->kind, "global") != 0)
			continue;
		length = strcspn(reference->name, ".");
		name = pnstrdup(reference->name, length);
		if (number_of(setup, "global", name, 0) >= 0)
			continue;
		(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		foreach(other, references)
		{
			const SetupReference *same = lfirst(other);

			CHECK_FOR_INTERRUPTS();
			if (strcmp(same->kind, "global") != 0 || strncmp(same->name, reference->name, length) != 0 ||
				same->name[length] != '.')
				continue;
			v.type = jbvString;
			v.val.string.val = same->name + length + 1;
			v.val.string.len = strlen(v.val.string.val);
			(void) pushJsonbValue(&state, WJB_KEY, &v);
			v.val.string.val = "";
			v.val.string.len = 0;
			(void) pushJsonbValue(&state, WJB_VALUE, &v);
		}
		object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
		appendStringInfo(&setup->script, "\n-- read by %s\nSELECT orchestration.set_global(%s, %s);\n",
						 one_line(reference->used_by), quote_literal_cstr(name),
						 quote_literal_cstr(JsonbToCString(NULL, &JsonbValueToJsonb(object)->root, 0)));
	}
}

/* What no setup mends. */
static void
write_problems(Setup *setup, const ProblemList *problems)
{
	int			i;

	for (i = 0; i < problems->nproblems; i++)
	{
		const Problem *problem = &problems->problems[i];

		CHECK_FOR_INTERRUPTS();
		if (problem->severity == PROBLEM_WARNING)
			continue;
		if (i == 0 || setup->script.data[setup->script.len - 2] == ';')
			appendStringInfoString(&setup->script, "\n-- The document itself has to be changed before it can be activated:\n");
		add_comment(setup, "", "  %s: %s", problem->place, problem->message);
	}
}
