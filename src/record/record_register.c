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
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/argument.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "record/record_int.h"
#include "record/record_partition.h"

static char *primary_key_column(Relation relation);
static bool is_unique_column(Relation relation, AttrNumber attnum);
static Relation open_table(Oid relid);
static char *choose_key(Relation relation, Name given);
static void store_type(const char *name, Oid relid, const char *key_column);
static void create_triggers(const char *name, const char *table_name);

/*
 * The single column of a table's primary key; NULL if it has no such key.
 */
static char *
primary_key_column(Relation relation)
{
	Bitmapset  *key = RelationGetIndexAttrBitmap(relation,
												 INDEX_ATTR_BITMAP_PRIMARY_KEY);
	int			member = -1;

	if (key == NULL || bms_num_members(key) != 1)
		return NULL;
	member = bms_next_member(key, -1);
	return get_attname(RelationGetRelid(relation),
					   member + FirstLowInvalidHeapAttributeNumber, false);
}

/*
 * Is there a unique index on exactly this column, over all rows?
 */
static bool
is_unique_column(Relation relation, AttrNumber attnum)
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
			index->indnkeyatts == 1 && index->indkey.values[0] == attnum &&
			heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
			result = true;
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
 * is the name, and as target of lookups.  key_column null: the single column of the
 * primary key; otherwise a column with a unique constraint.  Creates the triggers that
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
	char	   *name;
	Relation	relation;
	char	   *key_column;
	char	   *known;
	char	   *known_key = NULL;
	char	   *table_name;
	Oid			relid;
	SystemContext saved;

	orch_require_arguments(fcinfo, 0, 2, "name and table of a record type");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	relid = PG_GETARG_OID(1);
	relation = open_table(relid);
	key_column = choose_key(relation, PG_ARGISNULL(2) ? NULL : PG_GETARG_NAME(2));
	known = orch_record_type_of(relid, &known_key);
	/* the same again: its triggers may be missing, after a restore of data alone */
	if (known != NULL && (strcmp(known, name) != 0 || strcmp(known_key, key_column) != 0))
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
		store_type(name, relid, key_column);
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
 * The key column: the given one, or the single column of the primary key if it is NULL.
 */
static char *
choose_key(Relation relation, Name given)
{
	char	   *key_column = given == NULL ? primary_key_column(relation) :
	pstrdup(NameStr(*given));
	AttrNumber	attnum;

	if (key_column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 errmsg("table \"%s\" has no primary key of one column",
						RelationGetRelationName(relation)),
				 errhint("Name a column that has a unique constraint.")));
	attnum = get_attnum(RelationGetRelid(relation), key_column);
	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						key_column, RelationGetRelationName(relation))));
	if (!is_unique_column(relation, attnum) ||
		!TupleDescAttr(RelationGetDescr(relation), attnum - 1)->attnotnull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 errmsg("column \"%s\" of table \"%s\" cannot be a key",
						key_column, RelationGetRelationName(relation)),
				 errdetail("It needs a unique constraint of its own and NOT NULL.")));
	return key_column;
}

static void
store_type(const char *name, Oid relid, const char *key_column)
{
	Oid			argtypes[3] = {TEXTOID, OIDOID, NAMEOID};
	Datum		values[3];
	NameData	key_name;

	namestrcpy(&key_name, key_column);
	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(relid);
	values[2] = NameGetDatum(&key_name);
	if (SPI_execute_with_args("INSERT INTO orchestration.record_type (name, relation, key_column)"
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
