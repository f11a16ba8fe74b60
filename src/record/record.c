/*-------------------------------------------------------------------------
 *
 * record.c
 *	  Record types as a session keeps them.
 *
 * A record type is a table of users that is registered: runs and work items are about
 * its rows.  A session keeps what it knows of a record type, with the plans that read
 * and lock its records, until the registration changes.  record_register.c registers
 * tables, record_read.c reads and locks records, record_reference.c keeps lookups to
 * records valid.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "record/gate.h"
#include "record/record_int.h"

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
static void forget_record_types(void);
static char *qualified_name(Oid relation);
static bool is_current(const RecordType *type);
static void prepare_queries(RecordType *type);
static void free_plans(RecordType *type);

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
		orch_record_refuse_type(name);
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
		orch_record_refuse_type(name);
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
		free_plans(entry);
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
 * Begin with an empty cache, because a registration changed.  While a plan of the old
 * cache is being executed further out, the old cache stays until the session ends.
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
			free_plans(entry);
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

static void
free_plans(RecordType *type)
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
 * The key is a parameter of the key column's own type, so that no user's cast is used to
 * find a row.
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
 * A table as the queries name it.  ONLY, because tables that inherit from it have neither
 * the triggers of the extension nor the unique key.
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
 * Are the table and its key column unchanged?  The session gets no invalidation when they
 * are dropped, renamed or altered.
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

void
orch_record_refuse_type(const char *name)
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

Oid
orch_record_find_relation(const char *type)
{
	RecordType *record_type = orch_record_find(type, true);

	return record_type == NULL ? InvalidOid : record_type->relation;
}

/* The first column of the key, which a foreign key refers to. */
char *
orch_record_key_type(Oid relation)
{
	static StaticPlan plan_key_type = {
		"SELECT format_type(a.atttypid, a.atttypmod) FROM pg_index i"
		" JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
		" WHERE i.indrelid = $1 AND i.indisprimary",
		1, {OIDOID}
	};
	Datum		value = ObjectIdGetDatum(relation);

	orch_plan_execute_latest(&plan_key_type, &value, NULL, 1);
	return SPI_processed == 0 ? pstrdup("uuid") :
		SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
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
