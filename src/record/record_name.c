/*-------------------------------------------------------------------------
 *
 * record_name.c
 *	  Which table a record type names.
 *
 * A record type names its table by schema and name, so that dumps and replicas carry it.
 * A name alone proves nothing: after DROP TABLE, any role that may create tables in the
 * schema can take the name.  So the table must also have a mark: the statement trigger that
 * registration creates, with the record type as its argument.  Only the extension can
 * create it, because PUBLIC may not execute its function, and PostgreSQL copies no statement
 * triggers to partitions, children or tables that are created LIKE another.  A mark stays
 * with its table through a rename, and a dump has it.
 *
 * Marks are read from pg_trigger without a lock on the table.  A row trigger of a partition
 * reads that of the partitioned table; a lock there could deadlock with DETACH PARTITION.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_name.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/system.h"
#include "record/record_name.h"

/* Longer than the name of any record type. */
#define MARK_LENGTH (NAMEDATALEN * 4)

typedef struct MarkEntry
{
	Oid			relation;		/* hash key, must be first */
	bool		valid;
	char		type[MARK_LENGTH];	/* empty: no mark */
} MarkEntry;

static HTAB *marks = NULL;
static uint64 invalidations = 0;

static StaticPlan plan_marked = {
	"SELECT g.tgrelid FROM pg_catalog.pg_trigger g"
	" WHERE g.tgfoid = " RECORD_MARK_FUNCTION
	"   AND g.tgargs = pg_catalog.convert_to($1, 'UTF8') || '\\x00'::pg_catalog.bytea"
	" ORDER BY g.tgrelid",
	1, {TEXTOID}
};

static void read_mark(Oid relation, char *type);
static bool is_mark(HeapTuple tuple, TupleDesc desc, char *type);
static void invalidate_mark(Datum arg, Oid relation);

/*
 * Called once, by _PG_init().
 */
void
orch_record_name_init(void)
{
	CacheRegisterRelcacheCallback(invalidate_mark, (Datum) 0);
}

/*
 * Relcache callback: a table changed, or (InvalidOid) any may have.  Creating and dropping a
 * trigger, renaming and dropping a table send one.
 */
static void
invalidate_mark(Datum arg, Oid relation)
{
	MarkEntry  *entry;

	invalidations++;
	if (marks == NULL)
		return;
	if (OidIsValid(relation))
	{
		entry = hash_search(marks, &relation, HASH_FIND, NULL);
		if (entry != NULL)
			entry->valid = false;
	}
	else
	{
		HASH_SEQ_STATUS seq;

		hash_seq_init(&seq, marks);
		while ((entry = hash_seq_search(&seq)) != NULL)
			entry->valid = false;
	}
}

const char *
orch_record_mark(Oid relation)
{
	MarkEntry  *entry;
	uint64		seen;
	bool		found;
	char		type[MARK_LENGTH];

	if (marks == NULL)
	{
		HASHCTL		ctl;

		if (CacheMemoryContext == NULL)
			CreateCacheMemoryContext();
		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(MarkEntry);
		ctl.hcxt = CacheMemoryContext;
		marks = hash_create("orchestration marked tables", 32, &ctl,
							HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(marks, &relation, HASH_FIND, NULL);
	if (entry == NULL || !entry->valid)
	{
		seen = invalidations;
		read_mark(relation, type);
		entry = hash_search(marks, &relation, HASH_ENTER, &found);
		strcpy(entry->type, type);
		/* what arrived meanwhile may concern this table */
		entry->valid = invalidations == seen;
	}
	return entry->type[0] == '\0' ? NULL : entry->type;
}

/*
 * Read the mark of a table from the catalog.
 */
static void
read_mark(Oid relation, char *type)
{
	Relation	triggers = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	type[0] = '\0';
	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relation));
	scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (is_mark(tuple, RelationGetDescr(triggers), type))
			break;
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
}

static bool
is_mark(HeapTuple tuple, TupleDesc desc, char *type)
{
	Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
	bytea	   *arguments;
	char	   *name;
	bool		isnull;

	if (form->tgisinternal || form->tgnargs != 1 || TRIGGER_FOR_ROW(form->tgtype) ||
		!orch_catalog_is_own_schema(get_func_namespace(form->tgfoid)))
		return false;
	name = get_func_name(form->tgfoid);
	if (name == NULL || strcmp(name, "record_changes") != 0)
		return false;
	arguments = DatumGetByteaPP(heap_getattr(tuple, Anum_pg_trigger_tgargs, desc, &isnull));
	/* the argument ends with a zero byte */
	if (isnull || VARSIZE_ANY_EXHDR(arguments) > MARK_LENGTH)
		return false;
	strlcpy(type, VARDATA_ANY(arguments), MARK_LENGTH);
	return true;
}

Oid
orch_record_table(const char *type, const char *schema_name, const char *table_name)
{
	Oid			schema = get_namespace_oid(schema_name, true);
	Oid			relation = OidIsValid(schema) ? get_relname_relid(table_name, schema) :
	InvalidOid;
	const char *mark = OidIsValid(relation) ? orch_record_mark(relation) : NULL;

	return mark != NULL && strcmp(mark, type) == 0 ? relation : InvalidOid;
}

List *
orch_record_marked(const char *type)
{
	Datum		value = CStringGetTextDatum(type);
	List	   *result = NIL;
	uint64		i;

	orch_plan_execute_latest(&plan_marked, &value, NULL, 0);
	for (i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		result = lappend_oid(result,
							 DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
															SPI_tuptable->tupdesc, 1,
															&isnull)));
	}
	return result;
}

Oid
orch_record_root(const char *type)
{
	List	   *marked = orch_record_marked(type);
	Oid			root = InvalidOid;
	ListCell   *cell;

	foreach(cell, marked)
	{
		Oid			relation = lfirst_oid(cell);
		ListCell   *other;
		bool		is_child = false;

		foreach(other, marked)
			is_child = is_child || orch_record_inherits(relation, lfirst_oid(other));
		if (is_child)
			continue;
		if (OidIsValid(root))
			return InvalidOid;
		root = relation;
	}
	return root;
}

char *
orch_record_qualified_name(Oid relation)
{
	char	   *name = get_rel_name(relation);

	return name == NULL ? NULL :
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

bool
orch_record_inherits(Oid child, Oid parent)
{
	Oid			child_type = get_rel_type_id(child);
	Oid			parent_type = get_rel_type_id(parent);

	return child != parent && OidIsValid(child_type) && OidIsValid(parent_type) &&
		typeInheritsFrom(child_type, parent_type);
}
