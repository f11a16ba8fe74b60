/*-------------------------------------------------------------------------
 *
 * record_follow.c
 *	  Record types follow their tables when these are renamed, swapped or dropped.
 *
 * A record type names its table (record_name.c).  When the owner renames the table, moves it
 * to another schema or renames the key column, the names change with it.
 *
 * Tools that rebuild a table online (pg_osc and the like) fill a new one and swap the names
 * in one transaction: t becomes t_old, t_new becomes t.  They mean the name, not the old
 * table.  So a record type whose name was taken from it in this transaction goes back to the
 * name as soon as another table has it that can take its place: a permanent table of the same
 * user whose key column has the same name and type.  The triggers move, too.  In separate
 * transactions the record type follows the old table: nobody can tell then that more is to
 * come.  A tool that exchanges the files of a table (pg_repack) renames nothing.
 *
 * The same holds for DROP TABLE t and the rename of t_new in one transaction.  But the owner
 * of a schema can drop every table in it, so the user must be allowed to register record
 * types.  A dropped table leaves its record type, runs and lookups: a restored table,
 * or register_record_type() for another one, takes its place.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_follow.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/system.h"
#include "base/transaction.h"
#include "record/record.h"
#include "record/record_follow.h"
#include "record/record_int.h"
#include "record/record_name.h"
#include "record/record_partition.h"
#include "record/record_register.h"

/* A record type whose name was taken from it in this transaction. */
typedef struct Moved
{
	struct Moved *next;
	int			nest_level;		/* of the subtransaction */
	bool		dropped;		/* the table was dropped, not renamed */
	char	   *type;
	NameData	schema_name;	/* the name that it had at first */
	NameData	table_name;
	List	   *key_columns;	/* of char * */
} Moved;

/* In TopTransactionContext, the newest first. */
static Moved *moved = NULL;

static RecordReaders find_readers = NULL;

/* The record type of the mark g. */
#define TYPE_OF_MARK \
	" JOIN orchestration.record_type t ON t.name = pg_catalog.convert_from(" \
	"pg_catalog.substr(g.tgargs, 1, pg_catalog.octet_length(g.tgargs) - 1), 'UTF8')"

/* The tables of the command have other names than their record types. */
static StaticPlan plan_renamed = {
	"SELECT t.name, t.schema_name, t.table_name, t.key_columns, n.nspname, c.relname"
	" FROM pg_catalog.pg_event_trigger_ddl_commands() d"
	" JOIN pg_catalog.pg_class c ON c.oid = d.objid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND g.tgfoid = " RECORD_MARK_FUNCTION
	TYPE_OF_MARK
	" WHERE (n.nspname, c.relname) <> (t.schema_name, t.table_name)"
	"   AND orchestration_internal.record_type_table(t.name) IS NULL",
	0
};

/* Tables are in other schemas than their record types say. */
static StaticPlan plan_elsewhere = {
	"SELECT t.name, t.schema_name, t.table_name, t.key_columns, n.nspname, c.relname"
	" FROM orchestration.record_type t"
	" JOIN pg_catalog.pg_class c ON c.relname = t.table_name"
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname <> t.schema_name"
	" JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND g.tgfoid = " RECORD_MARK_FUNCTION
	"   AND g.tgargs = pg_catalog.convert_to(t.name, 'UTF8') || '\\x00'::pg_catalog.bytea"
	" WHERE orchestration_internal.record_type_table(t.name) IS NULL",
	0
};
static StaticPlan plan_follow = {
	"UPDATE orchestration.record_type SET schema_name = $2, table_name = $3 WHERE name = $1",
	3, {TEXTOID, NAMEOID, NAMEOID}
};

/* The record types of the command's tables and of those that inherit from them. */
static StaticPlan plan_types = {
	"WITH RECURSIVE tree (oid) AS ("
	" SELECT d.objid FROM pg_catalog.pg_event_trigger_ddl_commands() d"
	"  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
	" UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid)"
	" SELECT DISTINCT t.name FROM tree"
	" JOIN pg_catalog.pg_trigger g ON g.tgrelid = tree.oid AND g.tgfoid = " RECORD_MARK_FUNCTION
	TYPE_OF_MARK,
	0
};
static StaticPlan plan_follow_key = {
	"UPDATE orchestration.record_type t"
	" SET key_columns = pg_catalog.array_replace(t.key_columns, $2, $3)"
	" WHERE t.name = $1 AND $2 = ANY (t.key_columns)"
	"   AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a"
	"     WHERE a.attrelid = orchestration_internal.record_type_table(t.name) AND a.attname = $2)"
	"   AND EXISTS (SELECT FROM pg_catalog.pg_attribute a"
	"     WHERE a.attrelid = orchestration_internal.record_type_table(t.name) AND a.attname = $3)",
	3, {TEXTOID, NAMEOID, NAMEOID}
};
static StaticPlan plan_dropped_tables = {
	"SELECT t.name, t.schema_name, t.table_name, t.key_columns"
	" FROM pg_catalog.pg_event_trigger_dropped_objects() d"
	" JOIN orchestration.record_type t ON t.schema_name = d.address_names[1]::pg_catalog.name"
	"   AND t.table_name = d.address_names[2]::pg_catalog.name"
	" WHERE d.object_type = 'table' AND orchestration_internal.record_type_table(t.name) IS NULL"
	"   AND EXISTS (SELECT FROM pg_catalog.pg_event_trigger_dropped_objects() m"
	"     WHERE m.object_type = 'trigger' AND m.address_names[1:2] = d.address_names"
	"       AND m.address_names[3] = 'orchestration_record_changes')",
	0
};
static StaticPlan plan_dropped_columns = {
	"SELECT t.name, d.address_names[3],"
	" CASE WHEN d.address_names[3] = ANY (t.key_columns) THEN 'key' END"
	" FROM pg_catalog.pg_event_trigger_dropped_objects() d"
	" JOIN orchestration.record_type t ON t.schema_name = d.address_names[1]::pg_catalog.name"
	"   AND t.table_name = d.address_names[2]::pg_catalog.name"
	" WHERE d.object_type = 'table column'"
	"   AND orchestration_internal.record_type_table(t.name) IS NOT NULL",
	0
};

/* Were partitions or children of registered tables dropped?  They had the trigger. */
static StaticPlan plan_dropped_parts = {
	"WITH dropped AS MATERIALIZED ("
	"  SELECT object_type, address_names FROM pg_catalog.pg_event_trigger_dropped_objects()"
	"   WHERE object_type IN ('table', 'trigger'))"
	" SELECT 1 FROM dropped g JOIN dropped t ON t.object_type = 'table'"
	"   AND t.address_names = g.address_names[1:2]"
	" WHERE g.object_type = 'trigger' AND g.address_names[3] = 'orchestration_record_truncate'",
	0
};
static StaticPlan plan_parted = {
	"SELECT t.name FROM orchestration.record_type t"
	" JOIN pg_catalog.pg_class c ON c.oid = orchestration_internal.record_type_table(t.name)"
	" WHERE c.relkind = 'p' OR c.relhassubclass",
	0
};
static StaticPlan plan_may_register = {
	"SELECT 1 FROM pg_catalog.pg_proc p"
	" JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'orchestration'"
	" WHERE p.proname = 'register_record_type'"
	"   AND pg_catalog.has_function_privilege($1, p.oid, 'EXECUTE')",
	1, {OIDOID}
};

static List *rows_of(StaticPlan *plan, int ncolumns);
static List *name_list(const char *text);
static void note_moved(char **row, bool dropped);
static void forget_moved(const char *type);
static void take_back_names(Oid user);
static void take_back(const Moved *entry, Oid table, Oid user);
static const char *why_not(Relation relation, const Moved *entry, Oid user);
static void warn_of_readers(const char *type, const char *column, bool gone);

void
orch_record_set_readers(RecordReaders readers)
{
	find_readers = readers;
}

/* The rows of a query as lists of texts. */
static List *
rows_of(StaticPlan *plan, int ncolumns)
{
	List	   *rows = NIL;
	uint64		i;
	int			column;

	orch_plan_execute_latest(plan, NULL, NULL, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		char	  **row = palloc(sizeof(char *) * ncolumns);

		for (column = 0; column < ncolumns; column++)
			row[column] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
									   column + 1);
		rows = lappend(rows, row);
	}
	return rows;
}

/* The members of a name[], given as text. */
static List *
name_list(const char *text)
{
	Oid			input;
	Oid			param;

	getTypeInputInfo(NAMEARRAYOID, &input, &param);
	return orch_record_name_list(OidInputFunctionCall(input, unconstify(char *, text), param, -1));
}

void
orch_record_follow(bool any_table, Oid user)
{
	ListCell   *cell;

	foreach(cell, rows_of(any_table ? &plan_elsewhere : &plan_renamed, 6))
	{
		char	  **row = lfirst(cell);
		Datum		values[3];
		NameData	schema_name;
		NameData	table_name;

		namestrcpy(&schema_name, row[4]);
		namestrcpy(&table_name, row[5]);
		values[0] = CStringGetTextDatum(row[0]);
		values[1] = NameGetDatum(&schema_name);
		values[2] = NameGetDatum(&table_name);
		orch_plan_execute_latest(&plan_follow, values, NULL, 0);
		note_moved(row, false);
	}
	take_back_names(user);
}

/*
 * Note the name that a record type had before this command, unless an earlier command of the
 * transaction took its name already.  row: type, schema, table, key columns.
 */
static void
note_moved(char **row, bool dropped)
{
	MemoryContext old;
	Moved	   *entry;

	for (entry = moved; entry != NULL; entry = entry->next)
		if (strcmp(entry->type, row[0]) == 0)
			return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	entry = palloc0(sizeof(Moved));
	/* the caller is in a subtransaction of its own, which ends with the command */
	entry->nest_level = GetCurrentTransactionNestLevel();
	entry->dropped = dropped;
	entry->type = pstrdup(row[0]);
	namestrcpy(&entry->schema_name, row[1]);
	namestrcpy(&entry->table_name, row[2]);
	entry->key_columns = name_list(row[3]);
	entry->next = moved;
	moved = entry;
	MemoryContextSwitchTo(old);
}

static void
forget_moved(const char *type)
{
	Moved	  **link = &moved;

	while (*link != NULL)
		if (strcmp((*link)->type, type) == 0)
			*link = (*link)->next;
		else
			link = &(*link)->next;
}

/*
 * Record types whose name is that of a table again.
 */
static void
take_back_names(Oid user)
{
	Moved	   *entry;
	Moved	   *next;

	for (entry = moved; entry != NULL; entry = next)
	{
		Oid			schema = get_namespace_oid(NameStr(entry->schema_name), true);
		Oid			table = OidIsValid(schema) ?
			get_relname_relid(NameStr(entry->table_name), schema) : InvalidOid;
		const char *mark = OidIsValid(table) ? orch_record_mark(table) : NULL;

		next = entry->next;
		if (!OidIsValid(table))
			continue;
		/* a table that is registered itself was renamed, nothing was swapped */
		if (mark == NULL)
			take_back(entry, table, user);
		forget_moved(entry->type);
	}
}

static void
take_back(const Moved *entry, Oid table, Oid user)
{
	Relation	relation = relation_open(table, AccessShareLock);
	const char *reason = why_not(relation, entry, user);

	if (reason == NULL)
		orch_record_put(entry->type, relation, entry->key_columns, user);
	else
		ereport(WARNING,
				(errmsg("table %s does not become record type \"%s\", whose table had this name",
						orch_record_qualified_name(table), entry->type),
				 errdetail("%s", reason),
				 errhint("Call orchestration.register_record_type(%s, %s) if it is meant.",
						 quote_literal_cstr(entry->type),
						 quote_literal_cstr(orch_record_qualified_name(table)))));
	relation_close(relation, NoLock);
}

/*
 * The reason why a table cannot take the place of the one that had its name; NULL: it can.
 */
static const char *
why_not(Relation relation, const Moved *entry, Oid user)
{
	Datum		value = ObjectIdGetDatum(user);
	Oid			before = orch_record_root(entry->type);
	ListCell   *cell;

	if ((relation->rd_rel->relkind != RELKIND_RELATION &&
		 relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) ||
		relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		return "It is no permanent table.";
	if (!orch_record_key_fits(relation, entry->key_columns))
		return list_length(entry->key_columns) == 1 ?
			psprintf("It has no column \"%s\" that is unique and NOT NULL.",
					 (char *) linitial(entry->key_columns)) :
			"It has no such columns that are unique together and NOT NULL.";
	if (!orch_compat_class_ownercheck(RelationGetRelid(relation), user) ||
		(OidIsValid(before) && !orch_compat_class_ownercheck(before, user)))
		return "The user does not own both tables.";
	orch_plan_execute_latest(&plan_may_register, &value, NULL, 1);
	if (entry->dropped && SPI_processed == 0)
		return "The user may not register record types.";
	foreach(cell, entry->key_columns)
	{
		const char *column = lfirst(cell);
		AttrNumber	attnum = OidIsValid(before) ? get_attnum(before, column) : InvalidAttrNumber;

		if (attnum > 0 && getBaseType(get_atttype(before, attnum)) !=
			getBaseType(get_atttype(RelationGetRelid(relation),
									get_attnum(RelationGetRelid(relation), column))))
			return psprintf("Its key \"%s\" has another type.", column);
	}
	return NULL;
}

void
orch_record_follow_column(const char *old_name, const char *new_name)
{
	ListCell   *cell;

	foreach(cell, rows_of(&plan_types, 1))
	{
		char	   *type = ((char **) lfirst(cell))[0];
		Datum		values[3];
		NameData	before;
		NameData	after;

		namestrcpy(&before, old_name);
		namestrcpy(&after, new_name);
		values[0] = CStringGetTextDatum(type);
		values[1] = NameGetDatum(&before);
		values[2] = NameGetDatum(&after);
		orch_plan_execute_latest(&plan_follow_key, values, NULL, 0);
		warn_of_readers(type, old_name, true);
	}
}

void
orch_record_column_changed(const char *column)
{
	ListCell   *cell;

	foreach(cell, rows_of(&plan_types, 1))
		warn_of_readers(((char **) lfirst(cell))[0], column, false);
}

/*
 * Warn of active orchestrations that read a column that is gone or has another type now.
 */
static void
warn_of_readers(const char *type, const char *column, bool gone)
{
	char	   *text;

	if (find_readers == NULL || (gone && orch_record_missing_field(type, column) == NULL))
		return;
	text = find_readers(type, column);
	if (text == NULL)
		return;
	ereport(WARNING,
			(gone ?
			 errmsg("active orchestrations read column \"%s\" of record type \"%s\", which is gone",
					column, type) :
			 errmsg("active orchestrations read column \"%s\" of record type \"%s\", which has another type now",
					column, type),
			 errdetail("%s", text),
			 gone ?
			 errhint("An orchestration whose start reads it is not started; a run that reads it ends in Error.  Activate versions that do not read it, or create it again and resume the runs.") :
			 errhint("Check that their conditions and inputs fit the new type.")));
}

void
orch_record_dropped(void)
{
	List	   *columns = rows_of(&plan_dropped_columns, 3);
	ListCell   *cell;

	foreach(cell, rows_of(&plan_dropped_tables, 4))
	{
		char	  **row = lfirst(cell);

		note_moved(row, true);
		ereport(WARNING,
				(errmsg("record type \"%s\" has lost its table %s", row[0],
						quote_qualified_identifier(row[1], row[2])),
				 errdetail("Its runs and lookups stay."),
				 errhint("Call orchestration.register_record_type(%s, ...) with the table that takes its place, or orchestration.unregister_record_type(%s).",
						 quote_literal_cstr(row[0]), quote_literal_cstr(row[0]))));
	}
	foreach(cell, columns)
	{
		char	  **row = lfirst(cell);

		if (row[2] != NULL)
			ereport(WARNING,
					(errmsg("record type \"%s\" has lost its key column \"%s\"", row[0], row[1]),
					 errhint("Call orchestration.register_record_type() again, with another key.")));
		else
			warn_of_readers(row[0], row[1], true);
	}
	orch_plan_execute_latest(&plan_dropped_parts, NULL, NULL, 1);
	if (SPI_processed > 0)
		foreach(cell, rows_of(&plan_parted, 1))
			orch_record_clear_dangling(((char **) lfirst(cell))[0]);
}

/*
 * A subtransaction ended: its entries become the parent's or are forgotten.
 */
static void
at_subxact_end(int level, bool committed)
{
	Moved	   *entry;

	while (!committed && moved != NULL && moved->nest_level >= level)
		moved = moved->next;
	for (entry = moved; entry != NULL && entry->nest_level >= level; entry = entry->next)
		entry->nest_level = level - 1;
}

static void
at_xact_end(bool committed)
{
	moved = NULL;
}

static const TransactionModule module = {
	.name = "record_follow",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_record_follow_init(void)
{
	orch_transaction_register(&module);
}
