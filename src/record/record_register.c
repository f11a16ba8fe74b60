/*-------------------------------------------------------------------------
 *
 * record_register.c
 *	  Record types are registered and forgotten.
 *
 * A registered table gets the triggers that keep lookups to its rows valid and start
 * orchestrations (record_change.c).  The caller must own the table.  A record type can be
 * registered again: for the same table, whose triggers are created again, or for another,
 * which takes the place of the first.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_register.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/argument.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "record/record_int.h"
#include "record/record_key.h"
#include "record/record_name.h"
#include "record/record_partition.h"
#include "record/record_register.h"

static List *primary_key_columns(Relation relation);
static bool is_unique_key(Relation relation, const RecordKey *key);
static Oid	table_of(const char *name, const char *schema_name, const char *table_name);
static Datum register_type(FunctionCallInfo fcinfo, List *given);
static Relation open_table(Oid relid);
static void warn_of_table(Relation relation, List *key_columns);
static List *choose_key(Relation relation, List *given);
static char *quoted_names(List *names);
static Datum name_array(List *names);
static bool find_registration(const char *name, Relation relation, Oid *table,
							  List **key_columns);
static void check_change(const char *name, Oid from, List *from_key, Relation relation,
						 List *key_columns, Oid caller);
static void refuse_registered(Relation relation, const char *type) pg_attribute_noreturn();

static StaticPlan plan_registered = {
	"SELECT name, schema_name, table_name, key_columns FROM orchestration.record_type"
	" WHERE name = $1 OR (schema_name = $2 AND table_name = $3)"
	" ORDER BY name = $1",
	3, {TEXTOID, NAMEOID, NAMEOID}
};
static StaticPlan plan_insert = {
	"INSERT INTO orchestration.record_type (name, schema_name, table_name, key_columns)"
	" VALUES ($1, $2, $3, $4)",
	4, {TEXTOID, NAMEOID, NAMEOID, NAMEARRAYOID}
};
static StaticPlan plan_update = {
	"UPDATE orchestration.record_type SET schema_name = $2, table_name = $3,"
	" key_columns = $4 WHERE name = $1"
	" AND (schema_name, table_name, key_columns) IS DISTINCT FROM ($2, $3, $4)",
	4, {TEXTOID, NAMEOID, NAMEOID, NAMEARRAYOID}
};

/*
 * The columns of a table's primary key, in the order of the key; NIL if it has none.
 */
static List *
primary_key_columns(Relation relation)
{
	ListCell   *lc;
	List	   *result = NIL;

	foreach(lc, RelationGetIndexList(relation))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;
		int			i;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		for (i = 0; index->indisprimary && i < index->indnkeyatts; i++)
			result = lappend(result, get_attname(RelationGetRelid(relation),
												 index->indkey.values[i], false));
		ReleaseSysCache(tuple);
	}
	return result;
}

/*
 * Is there a unique index on exactly these columns, over all rows?
 */
static bool
is_unique_key(Relation relation, const RecordKey *key)
{
	List	   *indexes = RelationGetIndexList(relation);
	ListCell   *lc;
	bool		result = false;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisunique && index->indisvalid && index->indimmediate &&
			index->indnkeyatts == key->ncolumns &&
			heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
		{
			int			nfound = 0;
			int			i;
			int			j;

			for (i = 0; i < key->ncolumns; i++)
				for (j = 0; j < key->ncolumns; j++)
					nfound += key->attnums[i] == index->indkey.values[j];
			result = result || nfound == key->ncolumns;
		}
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	return result;
}

/*
 * The table of a registration, also if it was renamed where no event trigger saw it.
 */
static Oid
table_of(const char *name, const char *schema_name, const char *table_name)
{
	Oid			relation = orch_record_table(name, schema_name, table_name);

	return OidIsValid(relation) ? relation : orch_record_root(name);
}

PG_FUNCTION_INFO_V1(orchestration_register_record_type);

/*
 * orchestration.register_record_type(record_type text, relation regclass,
 *		key_column name) returns void
 *
 * Lets runs be about the rows of a table: as $Record of orchestrations whose start.object
 * is the name, and as target of lookups.  key_column null: all columns of the primary key;
 * otherwise a column with a unique constraint.  Creates the triggers that keep lookups valid
 * and start orchestrations.  Called again for the same name, with the same table it creates
 * the triggers again, with another table whose key has the same types it moves the record
 * type there: runs, lookups and waits stay.
 * Raises: 22004 for null, 42P01 for a table that does not exist, 42809 for something that
 * is not a table or is temporary, 42501 when the caller does not own it or the table
 * that it takes the place of, 42703 and 42830 for a column that cannot be a key, 42804 for
 * a key of another type, 42710 when the table is registered otherwise.
 * Source: ours.
 */
Datum
orchestration_register_record_type(PG_FUNCTION_ARGS)
{
	return register_type(fcinfo, PG_ARGISNULL(2) ? NIL :
						 list_make1(pstrdup(NameStr(*PG_GETARG_NAME(2)))));
}

PG_FUNCTION_INFO_V1(orchestration_register_record_type_by_columns);

/*
 * orchestration.register_record_type(record_type text, relation regclass,
 *		key_columns name[]) returns void
 *
 * The same for a key of several columns, which have a unique constraint together.  An id of a
 * record has their values in this order.  Null and an empty array: the primary key.
 * Raises: as with one column; 22004 for a null among the columns.
 * Source: ours.
 */
Datum
orchestration_register_record_type_by_columns(PG_FUNCTION_ARGS)
{
	List	   *columns = NIL;

	if (!PG_ARGISNULL(2))
	{
		Datum	   *elements;
		bool	   *nulls;
		int			n;
		int			i;

		deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), NAMEOID, NAMEDATALEN, false,
						  TYPALIGN_CHAR, &elements, &nulls, &n);
		for (i = 0; i < n; i++)
		{
			if (nulls[i])
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("a key column must not be null")));
			columns = lappend(columns, pstrdup(NameStr(*DatumGetName(elements[i]))));
		}
	}
	return register_type(fcinfo, columns);
}

/*
 * given: the columns of the key; NIL: those of the primary key.
 */
static Datum
register_type(FunctionCallInfo fcinfo, List *given)
{
	char	   *name;
	Relation	relation;
	List	   *key_columns;
	Oid			relid;
	SystemContext saved;
	Oid			caller = GetUserId();

	orch_require_arguments(fcinfo, 0, 2, "record_type and relation");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	relid = PG_GETARG_OID(1);
	relation = open_table(relid);
	key_columns = choose_key(relation, given);
	warn_of_table(relation, key_columns);

	orch_system_connect(&saved);
	orch_record_put(name, relation, key_columns, caller);
	orch_system_finish(&saved);
	table_close(relation, NoLock);
	PG_RETURN_VOID();
}

void
orch_record_put(const char *name, Relation relation, List *key_columns, Oid caller)
{
	Oid			relid = RelationGetRelid(relation);
	char	   *known = orch_record_type_of(relid, NULL, NULL);
	List	   *from_key;
	Oid			from;
	bool		exists;
	Datum		values[4];
	NameData	schema_name;

	if (known != NULL && strcmp(known, name) != 0)
		refuse_registered(relation, known);
	exists = find_registration(name, relation, &from, &from_key);
	if (exists && OidIsValid(from))
		check_change(name, from, from_key, relation, key_columns, caller);

	namestrcpy(&schema_name, get_namespace_name(RelationGetNamespace(relation)));
	values[0] = CStringGetTextDatum(name);
	values[1] = NameGetDatum(&schema_name);
	values[2] = NameGetDatum(&relation->rd_rel->relname);
	values[3] = name_array(key_columns);
	orch_plan_execute_latest(exists ? &plan_update : &plan_insert, values, NULL, 0);
	orch_record_create_triggers(name, relid);
	if (exists)
	{
		orch_record_drop_triggers(name, relid);
		orch_record_uncover();
	}
	orch_record_cover();
	if (exists && from != relid)
		ereport(NOTICE,
				(errmsg("the records of type \"%s\" are now the rows of table %s", name,
						orch_record_qualified_name(relid))));
}

/*
 * Is the name registered, and for which table, if that still exists?  Raises 42710 if
 * another record type names this table.
 */
static bool
find_registration(const char *name, Relation relation, Oid *table, List **key_columns)
{
	Datum		values[3];
	NameData	schema;
	SPITupleTable *rows;
	uint64		nrows;
	uint64		i;
	bool		exists = false;

	*table = InvalidOid;
	*key_columns = NIL;
	namestrcpy(&schema, get_namespace_name(RelationGetNamespace(relation)));
	values[0] = CStringGetTextDatum(name);
	values[1] = NameGetDatum(&schema);
	values[2] = NameGetDatum(&relation->rd_rel->relname);
	orch_plan_execute_latest(&plan_registered, values, NULL, 0);
	rows = SPI_tuptable;
	nrows = SPI_processed;
	for (i = 0; i < nrows; i++)
	{
		char	   *type = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		char	   *its_schema = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);
		char	   *its_table = SPI_getvalue(rows->vals[i], rows->tupdesc, 3);
		bool		isnull;

		if (strcmp(type, name) != 0)
			refuse_registered(relation, type);
		exists = true;
		*key_columns = orch_record_name_list(SPI_getbinval(rows->vals[i], rows->tupdesc, 4,
														   &isnull));
		*table = table_of(name, its_schema, its_table);
		/* its triggers are missing, after a restore of data alone */
		if (!OidIsValid(*table) && strcmp(its_schema, NameStr(schema)) == 0 &&
			strcmp(its_table, RelationGetRelationName(relation)) == 0)
			*table = RelationGetRelid(relation);
	}
	return exists;
}

/*
 * May a record type that is registered for a table be registered for this one?  It may keep
 * the table, and then its key, or move to another with a key of the same type; the caller
 * must own both.
 */
static void
check_change(const char *name, Oid from, List *from_key, Relation relation,
			 List *key_columns, Oid caller)
{
	Oid			to = RelationGetRelid(relation);
	ListCell   *old;
	ListCell   *new;

	if (from != to && !orch_compat_class_ownercheck(from, caller))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(from));
	foreach(old, from_key)
		if (get_attnum(from, lfirst(old)) <= 0)
			return;				/* the column was dropped or renamed */
	if (from == to)
	{
		if (!orch_record_same_names(from_key, key_columns))
			refuse_registered(relation, name);
		return;
	}
	if (list_length(from_key) != list_length(key_columns))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("table \"%s\" cannot take the place of table \"%s\" as record type \"%s\"",
						RelationGetRelationName(relation), get_rel_name(from), name),
				 errdetail("Its key has %d columns, the other key has %d.",
						   list_length(key_columns), list_length(from_key)),
				 errhint("Call orchestration.unregister_record_type() first.")));
	forboth(old, from_key, new, key_columns)
	{
		Oid			from_type = getBaseType(get_atttype(from, get_attnum(from, lfirst(old))));
		Oid			to_type = getBaseType(get_atttype(to, get_attnum(to, lfirst(new))));

		if (from_type != to_type)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("table \"%s\" cannot take the place of table \"%s\" as record type \"%s\"",
							RelationGetRelationName(relation), get_rel_name(from), name),
					 errdetail("Key \"%s\" has type %s, key \"%s\" has type %s.",
							   (char *) lfirst(new), format_type_be(to_type),
							   (char *) lfirst(old), format_type_be(from_type)),
					 errhint("Call orchestration.unregister_record_type() first.")));
	}
}

static void
refuse_registered(Relation relation, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("table \"%s\" is registered as record type \"%s\" already",
					RelationGetRelationName(relation), type),
			 errhint("Call orchestration.unregister_record_type() first.")));
}

/*
 * Open and lock the table, as CREATE TRIGGER does; check that the caller may register
 * it.
 */
static Relation
open_table(Oid relid)
{
	Relation	relation = try_relation_open(relid, ShareRowExclusiveLock);

	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (relation->rd_rel->relkind != RELKIND_RELATION &&
		relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be a record type: it is not a table",
						RelationGetRelationName(relation))));
	if (relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be a record type: it is a temporary table",
						RelationGetRelationName(relation)),
				 errdetail("Its rows end with the session; runs about them do not.")));
	if (!orch_compat_class_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   RelationGetRelationName(relation));
	if (orch_catalog_is_own_schema(RelationGetNamespace(relation)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("a table of the extension cannot be a record type")));
	return relation;
}

/*
 * Say what a DBA may not expect of this table.
 */
static void
warn_of_table(Relation relation, List *key_columns)
{
	if (relation->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED)
		ereport(WARNING,
				(errmsg("table \"%s\" is unlogged", RelationGetRelationName(relation)),
				 errdetail("A crash of the server empties it, but not the runs about its rows.")));
	if (relation->rd_rel->relkind == RELKIND_RELATION &&
		find_inheritance_children(RelationGetRelid(relation), AccessShareLock) != NIL)
		ereport(NOTICE,
				(errmsg("rows of the tables that inherit from \"%s\" are records, too",
						RelationGetRelationName(relation)),
				 errdetail("The key %s is unique in each of these tables, but not across them: give every row of all of them a value of its own.",
						   quoted_names(key_columns))));
}

/*
 * The key columns: the given ones, or those of the primary key.
 */
static List *
choose_key(Relation relation, List *given)
{
	List	   *columns = given != NIL ? given : primary_key_columns(relation);
	RecordKey	key;
	const char *missing;

	if (columns == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 errmsg("table \"%s\" has no primary key",
						RelationGetRelationName(relation)),
				 errhint("Name columns that have a unique constraint.")));
	if (list_length(columns) > INDEX_MAX_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("a key cannot have more than %d columns", INDEX_MAX_KEYS)));
	missing = orch_record_key_columns(RelationGetDescr(relation), columns, &key);
	if (missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						missing, RelationGetRelationName(relation)),
				 missing[0] == '{' ?
				 errhint("Give several columns as an array: key_columns => '%s'.", missing) : 0));
	if (!orch_record_key_fits(relation, columns))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 list_length(columns) == 1 ?
				 errmsg("column \"%s\" of table \"%s\" cannot be a key",
						(char *) linitial(columns), RelationGetRelationName(relation)) :
				 errmsg("columns %s of table \"%s\" cannot be a key",
						quoted_names(columns), RelationGetRelationName(relation)),
				 list_length(columns) == 1 ?
				 errdetail("It needs a unique constraint of its own and NOT NULL.") :
				 errdetail("They need a unique constraint of their own, and each NOT NULL.")));
	return columns;
}

static Datum
name_array(List *names)
{
	Datum		elements[INDEX_MAX_KEYS];
	ListCell   *cell;
	int			n = 0;

	foreach(cell, names)
	{
		NameData   *name = palloc(sizeof(NameData));

		namestrcpy(name, lfirst(cell));
		elements[n++] = NameGetDatum(name);
	}
	return PointerGetDatum(construct_array(elements, n, NAMEOID, NAMEDATALEN, false,
										   TYPALIGN_CHAR));
}

/* "a", "b" */
static char *
quoted_names(List *names)
{
	StringInfoData result;
	ListCell   *cell;

	initStringInfo(&result);
	foreach(cell, names)
		appendStringInfo(&result, "%s\"%s\"", result.len == 0 ? "" : ", ",
						 (char *) lfirst(cell));
	return result.data;
}

bool
orch_record_key_fits(Relation relation, List *key_columns)
{
	RecordKey	key;
	int			i;

	if (orch_record_key_columns(RelationGetDescr(relation), key_columns, &key) != NULL)
		return false;
	for (i = 0; i < key.ncolumns; i++)
		if (!TupleDescAttr(RelationGetDescr(relation), key.attnums[i] - 1)->attnotnull)
			return false;
	return is_unique_key(relation, &key);
}

PG_FUNCTION_INFO_V1(orchestration_unregister_record_type);

/*
 * orchestration.unregister_record_type(record_type text) returns void
 *
 * Forgets a record type: clears the lookups to it and drops its triggers.  Its table may be
 * gone.
 * Raises: 22004 for null, OR102 for an unknown name, 42501 when the caller does not own
 * the table.
 * Source: ours.
 */
Datum
orchestration_unregister_record_type(PG_FUNCTION_ARGS)
{
	static StaticPlan plan_delete = {
		"DELETE FROM orchestration.record_type WHERE name = $1"
		" RETURNING schema_name, table_name",
		1, {TEXTOID}
	};
	char	   *name;
	SystemContext saved;
	Oid			caller = GetUserId();
	Datum		value;
	Oid			relid;

	orch_require_arguments(fcinfo, 0, 1, "record_type");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	value = CStringGetTextDatum(name);

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_delete, &value, NULL, 0);
	if (SPI_processed == 0)
		orch_record_refuse_type(name);
	relid = table_of(name, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
					 SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2));
	if (OidIsValid(relid) && !orch_compat_class_ownercheck(relid, caller))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
	orch_record_drop_triggers(name, InvalidOid);
	orch_record_uncover();
	orch_record_clear_lookups(name);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}
