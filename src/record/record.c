/*-------------------------------------------------------------------------
 *
 * record.c
 *	  Record types: tables of users whose rows runs and work items are about.
 *
 * A polymorphic lookup is a record type and a key as text.  It is kept true from
 * both sides as a foreign key is: who sets it locks the record FOR KEY SHARE;
 * triggers on the registered table clear it when the record is deleted and carry
 * a changed key over.  Those triggers look for lookups with the latest snapshot,
 * so that one that committed while the DELETE waited is found also in
 * REPEATABLE READ (ri_PerformCheck() does the same).
 *
 * This file has the registry; record_read.c reads the tables.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "base/argument.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "record/gate.h"
#include "record/record_int.h"
#include "record/record_partition.h"

static HTAB *record_types = NULL;
static MemoryContext record_context = NULL;
static uint64 record_generation = 0;

static StaticPlan plan_find = {
	"SELECT t.relation::pg_catalog.oid, t.key_column FROM orchestration.record_type t"
	" WHERE t.name = $1",
	1, {TEXTOID}
};
static StaticPlan plan_of_relation = {
	"SELECT name, key_column FROM orchestration.record_type"
	" WHERE relation = $1::pg_catalog.oid::pg_catalog.regclass",
	1, {OIDOID}
};
static StaticPlan plan_clear_runs = {
	"UPDATE orchestration.run SET triggering_record_id = $3,"
	" triggering_record_type = CASE WHEN $3 IS NOT NULL THEN $1 END"
	" WHERE triggering_record_type = $1 AND triggering_record_id = $2",
	3, {TEXTOID, TEXTOID, TEXTOID}
};
static StaticPlan plan_clear_work_items = {
	"UPDATE orchestration.work_item SET related_record_id = $3,"
	" related_record_type = CASE WHEN $3 IS NOT NULL THEN $1 END"
	" WHERE related_record_type = $1 AND related_record_id = $2",
	3, {TEXTOID, TEXTOID, TEXTOID}
};
static StaticPlan plan_clear_all_runs = {
	"UPDATE orchestration.run SET triggering_record_id = NULL,"
	" triggering_record_type = NULL WHERE triggering_record_type = $1",
	1, {TEXTOID}
};
static StaticPlan plan_clear_all_work_items = {
	"UPDATE orchestration.work_item SET related_record_id = NULL,"
	" related_record_type = NULL WHERE related_record_type = $1",
	1, {TEXTOID}
};

static void forget_record_types(void);
static char *qualified_name(Oid relation);
static bool is_current(const RecordType *type);
static void refuse_unknown_type(const char *name);
static void prepare_queries(RecordType *type);

/*
 * The record type, its plans ready to be prepared.  Caller is in system context
 * and connected to SPI.
 */
RecordType *
orch_record_find(const char *name, bool missing_ok)
{
	RecordType *entry;
	Datum		value;
	HeapTuple	tuple;
	TupleDesc	desc;
	bool		isnull;
	Oid			relation;
	char	   *key_column;
	AttrNumber	attnum;

	if (record_types == NULL || record_generation != orch_catalog_generation())
		forget_record_types();
	if (strlen(name) >= sizeof(entry->name))
	{
		if (missing_ok)
			return NULL;
		refuse_unknown_type(name);
	}
	entry = hash_search(record_types, name, HASH_FIND, NULL);
	if (entry != NULL && is_current(entry))
		return entry;

	value = CStringGetTextDatum(name);
	orch_plan_execute_latest(&plan_find, &value, NULL, 1);
	if (SPI_processed == 0)
	{
		if (missing_ok)
			return NULL;
		refuse_unknown_type(name);
	}
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	relation = DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull));
	key_column = SPI_getvalue(tuple, desc, 2);
	attnum = get_rel_name(relation) == NULL ? InvalidAttrNumber :
		get_attnum(relation, key_column);
	if (attnum == InvalidAttrNumber)
	{
		if (missing_ok)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_RECORD_TYPE),
				 errmsg("the table of record type \"%s\" or its column \"%s\" is gone",
						name, key_column),
				 errhint("Register the record type again.")));
	}

	/* the table may have got another name, or the key another type */
	if (entry != NULL && !orch_gate_reads())
		orch_record_free_plans(entry);
	entry = hash_search(record_types, name, HASH_ENTER, NULL);
	memset((char *) entry + offsetof(RecordType, relation), 0,
		   sizeof(RecordType) - offsetof(RecordType, relation));
	entry->relation = relation;
	entry->table_name = MemoryContextStrdup(record_context, qualified_name(relation));
	entry->key_column = MemoryContextStrdup(record_context, key_column);
	entry->key_type = get_atttype(relation, attnum);
	prepare_queries(entry);
	SPI_freetuptable(SPI_tuptable);
	return entry;
}

/*
 * An empty cache; what is registered changed.  While a plan of the old one is being
 * executed further out, the old one stays until the session ends.
 */
static void
forget_record_types(void)
{
	HASHCTL		ctl;

	if (record_types != NULL && !orch_gate_reads())
	{
		HASH_SEQ_STATUS seq;
		RecordType *entry;

		hash_seq_init(&seq, record_types);
		while ((entry = hash_seq_search(&seq)) != NULL)
			orch_record_free_plans(entry);
		MemoryContextDelete(record_context);
	}
	record_types = NULL;
	record_context = AllocSetContextCreate(CacheMemoryContext, "orchestration record types",
										   ALLOCSET_SMALL_SIZES);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(((RecordType *) NULL)->name);
	ctl.entrysize = sizeof(RecordType);
	ctl.hcxt = record_context;
	record_generation = orch_catalog_generation();
	record_types = hash_create("orchestration record types", 16, &ctl,
							   HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

void
orch_record_free_plans(RecordType *type)
{
	StaticPlan *plans[] = {&type->lock, &type->lock_values, &type->fetch, &type->read};
	int			i;

	for (i = 0; i < (int) lengthof(plans); i++)
	{
		if (plans[i]->plan != NULL)
			SPI_freeplan(plans[i]->plan);
		plans[i]->plan = NULL;
	}
}

/*
 * The key is a parameter of the key column's own type: no cast of others has a part
 * in finding a row.
 */
static void
prepare_queries(RecordType *type)
{
	static const char *const forms[] = {
		"SELECT 1 FROM %s t WHERE t.%s = $1 FOR KEY SHARE OF t",
		"SELECT 1 FROM %s t WHERE t.%s = $1 FOR SHARE OF t",
		"SELECT pg_catalog.to_jsonb(t) FROM %s t WHERE t.%s = $1",
		"SELECT 1 FROM %s t WHERE t.%s = $1"
	};
	StaticPlan *plans[] = {&type->lock, &type->lock_values, &type->fetch, &type->read};
	int			i;

	for (i = 0; i < (int) lengthof(plans); i++)
	{
		plans[i]->query = MemoryContextStrdup(record_context,
											  psprintf(forms[i], type->table_name,
													   quote_identifier(type->key_column)));
		plans[i]->nargs = 1;
		plans[i]->argtypes[0] = getBaseType(type->key_type);
	}
}

/*
 * As the queries name it.  Tables that inherit from it have neither our triggers nor
 * its unique key.
 */
static char *
qualified_name(Oid relation)
{
	char	   *name = get_rel_name(relation);

	return name == NULL ? NULL :
		psprintf("%s%s", get_rel_relkind(relation) == RELKIND_RELATION ? "ONLY " : "",
				 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
											name));
}

/*
 * Nobody tells us when the table of a record type or its column is dropped, renamed or
 * gets another type.
 */
static bool
is_current(const RecordType *type)
{
	char	   *name = qualified_name(type->relation);
	AttrNumber	attnum;

	if (name == NULL || strcmp(name, type->table_name) != 0)
		return false;
	attnum = get_attnum(type->relation, type->key_column);
	return attnum != InvalidAttrNumber &&
		get_atttype(type->relation, attnum) == type->key_type;
}

static void
refuse_unknown_type(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_UNKNOWN_RECORD_TYPE),
			 errmsg("record type \"%s\" is not registered", name),
			 errhint("Register its table with orchestration.register_record_type().")));
}

/*
 * The table of a record type and its key.  Caller is in system context and
 * connected to SPI.  Raises OR102.
 */
Oid
orch_record_relation(const char *type, const char **key_column)
{
	RecordType *record_type = orch_record_find(type, false);

	*key_column = pstrdup(record_type->key_column);
	return record_type->relation;
}

char *
orch_record_type_of(Oid relation, char **key_column)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	Datum		value = ObjectIdGetDatum(relation);
	char	   *result = NULL;

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_of_relation, &value, NULL, 1);
	if (SPI_processed > 0)
	{
		result = MemoryContextStrdup(caller,
									 SPI_getvalue(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 1));
		if (key_column != NULL)
			*key_column = MemoryContextStrdup(caller,
											  SPI_getvalue(SPI_tuptable->vals[0],
														   SPI_tuptable->tupdesc, 2));
	}
	orch_system_finish(&saved);
	return result;
}

/*
 * The single column of a table's primary key, NULL when there is no such thing.
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
 * Does a unique index on exactly this column exist, for every row?
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
 * Lets runs be about the rows of a table: as $Record of orchestrations whose
 * start.object is the name, and as target of lookups.  key_column null: the
 * primary key's single column; else a column with a unique constraint.  Installs
 * the triggers that keep lookups true and start orchestrations.  Again for the
 * same name and table: nothing happens.  Raises 22004 for null, 42809 for
 * something that is not a table, 42501 when the caller does not own it, 42703 and
 * 42830 for a column that cannot be a key, 42710 when the name or the table is
 * registered otherwise.
 */
Datum
orchestration_register_record_type(PG_FUNCTION_ARGS)
{
	char	   *name;
	Oid			relid;
	char	   *key_column;
	char	   *known;
	char	   *known_key = NULL;
	Relation	relation;
	AttrNumber	attnum;
	SystemContext saved;
	StringInfoData sql;
	char	   *table_name;
	Datum		values[3];
	Oid			argtypes[3] = {TEXTOID, OIDOID, NAMEOID};

	orch_require_arguments(fcinfo, 0, 2, "name and table of a record type");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	relid = PG_GETARG_OID(1);

	/* as CREATE TRIGGER locks it */
	relation = try_relation_open(relid, ShareRowExclusiveLock);
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

	key_column = PG_ARGISNULL(2) ? primary_key_column(relation) :
		pstrdup(NameStr(*PG_GETARG_NAME(2)));
	if (key_column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 errmsg("table \"%s\" has no primary key of one column",
						RelationGetRelationName(relation)),
				 errhint("Name a column that has a unique constraint.")));
	attnum = get_attnum(relid, key_column);
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
	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(relid);
	if (known == NULL)
	{
		NameData	key_name;

		namestrcpy(&key_name, key_column);
		values[2] = NameGetDatum(&key_name);
		if (SPI_execute_with_args("INSERT INTO orchestration.record_type (name, relation, key_column)"
								  " VALUES ($1, $2::pg_catalog.regclass, $3)",
								  3, argtypes, values, NULL, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "could not store record type \"%s\"", name);
	}
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
	orch_record_cover_partitions();
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(orchestration_unregister_record_type);

/*
 * orchestration.unregister_record_type(name text) returns void
 *
 * Forgets a record type: clears the lookups to it and drops its triggers.
 * Raises 22004 for null, OR102 for an unknown name, 42501 when the caller does
 * not own the table.
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
		refuse_unknown_type(name);
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
	orch_plan_execute_latest(&plan_clear_all_runs, &value, NULL, 0);
	orch_plan_execute_latest(&plan_clear_all_work_items, &value, NULL, 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}

/*
 * Lookups to a record get another key, or none when it was deleted.
 */
void
orch_record_move_lookups(const char *type, const char *old_key,
						 const char *new_key)
{
	SystemContext saved;
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};

	orch_system_connect(&saved);
	values[0] = CStringGetTextDatum(type);
	values[1] = CStringGetTextDatum(old_key);
	if (new_key != NULL)
		values[2] = CStringGetTextDatum(new_key);
	else
		nulls[2] = 'n';
	orch_plan_execute_latest(&plan_clear_runs, values, nulls, 0);
	orch_plan_execute_latest(&plan_clear_work_items, values, nulls, 0);
	orch_system_finish(&saved);
}

/*
 * All records of a type are gone.
 */
void
orch_record_clear_lookups(const char *type)
{
	SystemContext saved;
	Datum		value = CStringGetTextDatum(type);

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_clear_all_runs, &value, NULL, 0);
	orch_plan_execute_latest(&plan_clear_all_work_items, &value, NULL, 0);
	orch_system_finish(&saved);
}

