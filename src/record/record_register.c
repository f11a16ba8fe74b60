/*-------------------------------------------------------------------------
 *
 * record_register.c
 *	  Record types are registered and forgotten.
 *
 * A registered table gets the triggers that keep lookups to its rows valid and start
 * orchestrations (record_change.c).  The caller must own the table.
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
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/argument.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "record/record_int.h"
#include "record/record_key.h"
#include "record/record_partition.h"

static List *primary_key_columns(Relation relation);
static bool is_unique_key(Relation relation, const RecordKey *key);
static Datum register_type(FunctionCallInfo fcinfo, List *given);
static Relation open_table(Oid relid);
static List *choose_key(Relation relation, List *given);
static bool same_names(List *a, List *b);
static char *quoted_names(List *names);
static void store_type(const char *name, Oid relid, List *key_columns);
static void create_triggers(const char *name, const char *table_name);

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

PG_FUNCTION_INFO_V1(orchestration_register_record_type);

/*
 * orchestration.register_record_type(name text, relation regclass,
 *		key_column name) returns void
 *
 * Lets runs be about the rows of a table: as $Record of orchestrations whose start.object
 * is the name, and as target of lookups.  key_column null: all columns of the primary key;
 * otherwise a column with a unique constraint.  Creates the triggers that
 * keep lookups valid and start orchestrations.  Called again for the same name and
 * table, it creates the triggers again.
 * Raises: 22004 for null, 42P01 for a table that does not exist, 42809 for something that
 * is not a table, 42501 when the caller does not own it, 42703 and 42830 for a column
 * that cannot be a key, 42710 when the name or the table is registered otherwise.
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
 * orchestration.register_record_type(name text, relation regclass,
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
	char	   *known;
	List	   *known_key = NIL;
	char	   *table_name;
	Oid			relid;
	SystemContext saved;

	orch_require_arguments(fcinfo, 0, 2, "name and table of a record type");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	relid = PG_GETARG_OID(1);
	relation = open_table(relid);
	key_columns = choose_key(relation, given);
	known = orch_record_type_of(relid, &known_key);
	/* the same again: its triggers may be missing, after a restore of data alone */
	if (known != NULL && (strcmp(known, name) != 0 || !same_names(known_key, key_columns)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("table \"%s\" is registered as record type \"%s\" already",
						RelationGetRelationName(relation), known),
				 errhint("Call orchestration.unregister_record_type() first.")));
	table_name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
											RelationGetRelationName(relation));
	table_close(relation, NoLock);

	orch_system_connect(&saved);
	if (known == NULL)
		store_type(name, relid, key_columns);
	create_triggers(name, table_name);
	orch_record_cover_partitions();
	orch_system_finish(&saved);
	PG_RETURN_VOID();
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
	if (!orch_compat_class_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   RelationGetRelationName(relation));
	if (RelationGetNamespace(relation) == get_namespace_oid("orchestration", false))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("a table of the extension cannot be a record type")));
	return relation;
}

/*
 * The key columns: the given ones, or those of the primary key.
 */
static List *
choose_key(Relation relation, List *given)
{
	List	   *columns = given != NIL ? given : primary_key_columns(relation);
	TupleDesc	desc = RelationGetDescr(relation);
	RecordKey	key;
	const char *missing;
	bool		any_null = false;
	int			i;

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
	missing = orch_record_key_columns(desc, columns, &key);
	if (missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						missing, RelationGetRelationName(relation)),
				 missing[0] == '{' ?
				 errhint("Give several columns as an array: key_columns => '%s'.", missing) : 0));
	for (i = 0; i < key.ncolumns; i++)
		any_null = any_null || !TupleDescAttr(desc, key.attnums[i] - 1)->attnotnull;
	if (!is_unique_key(relation, &key) || any_null)
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

static bool
same_names(List *a, List *b)
{
	ListCell   *first;
	ListCell   *second;

	forboth(first, a, second, b)
		if (strcmp(lfirst(first), lfirst(second)) != 0)
			return false;
	return list_length(a) == list_length(b);
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

static void
store_type(const char *name, Oid relid, List *key_columns)
{
	Oid			argtypes[3] = {TEXTOID, OIDOID, NAMEARRAYOID};
	Datum		values[3];
	Datum		names[INDEX_MAX_KEYS];
	ListCell   *cell;
	int			n = 0;

	foreach(cell, key_columns)
	{
		NameData   *column = palloc(sizeof(NameData));

		namestrcpy(column, lfirst(cell));
		names[n++] = NameGetDatum(column);
	}
	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(relid);
	values[2] = PointerGetDatum(construct_array(names, n, NAMEOID, NAMEDATALEN, false,
												TYPALIGN_CHAR));
	if (SPI_execute_with_args("INSERT INTO orchestration.record_type (name, relation, key_columns)"
							  " VALUES ($1, $2::pg_catalog.regclass, $3)",
							  3, argtypes, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not store record type \"%s\"", name);
}

static void
create_triggers(const char *name, const char *table_name)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "CREATE OR REPLACE TRIGGER orchestration_record_change"
					 " AFTER INSERT OR UPDATE OR DELETE ON %s"
					 " FOR EACH ROW EXECUTE FUNCTION orchestration.record_change();"
					 "CREATE OR REPLACE TRIGGER orchestration_record_changes"
					 " AFTER INSERT OR UPDATE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION orchestration.record_change();"
					 "CREATE OR REPLACE TRIGGER orchestration_record_truncate"
					 " AFTER TRUNCATE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION orchestration.record_change();",
					 table_name, table_name, table_name);
	if (SPI_execute(sql.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create the triggers of record type \"%s\"", name);
}

PG_FUNCTION_INFO_V1(orchestration_unregister_record_type);

/*
 * orchestration.unregister_record_type(name text) returns void
 *
 * Forgets a record type: clears the lookups to it and drops its triggers.
 * Raises: 22004 for null, OR102 for an unknown name, 42501 when the caller does not own
 * the table.
 * Source: ours.
 */
Datum
orchestration_unregister_record_type(PG_FUNCTION_ARGS)
{
	char	   *name;
	SystemContext saved;
	Oid			caller = GetUserId();
	Datum		value;
	Oid			relid;
	bool		isnull;

	orch_require_arguments(fcinfo, 0, 1, "name of a record type");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	value = CStringGetTextDatum(name);

	orch_system_connect(&saved);
	{
		static StaticPlan plan_delete = {
			"DELETE FROM orchestration.record_type WHERE name = $1"
			" RETURNING relation::pg_catalog.oid", 1, {TEXTOID}
		};

		orch_plan_execute_latest(&plan_delete, &value, NULL, 0);
	}
	if (SPI_processed == 0)
		orch_record_refuse_type(name);
	relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull));
	if (get_rel_name(relid) != NULL)
	{
		char	   *table_name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
															get_rel_name(relid));
		char	   *sql = psprintf("DROP TRIGGER orchestration_record_change ON %s;"
								   "DROP TRIGGER orchestration_record_changes ON %s;"
								   "DROP TRIGGER orchestration_record_truncate ON %s;",
								   table_name, table_name, table_name);

		if (!orch_compat_class_ownercheck(relid, caller))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
		if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
			elog(ERROR, "could not drop the triggers of record type \"%s\"", name);
		orch_record_uncover();
	}
	orch_record_clear_lookups(name);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}
