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
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "record/gate.h"
#include "record/record_int.h"

static HTAB *record_types = NULL;
static MemoryContext record_context = NULL;
static uint64 record_generation = 0;

static StaticPlan plan_find = {
	"SELECT t.relation::pg_catalog.oid, t.key_columns FROM orchestration.record_type t"
	" WHERE t.name = $1",
	1, {TEXTOID}
};
static StaticPlan plan_of_relation = {
	"SELECT name, key_columns FROM orchestration.record_type"
	" WHERE relation = $1::pg_catalog.oid::pg_catalog.regclass",
	1, {OIDOID}
};
static void forget_record_types(void);
static List *name_list(Datum names);
static Oid *column_types(Oid relation, List *columns, const char **missing);
static char *qualified_name(Oid relation);
static bool is_current(const RecordType *type);
static void prepare_queries(RecordType *type);
static const char *equality_operator(Oid type);
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
	List	   *key_columns;
	Oid		   *key_types;
	const char *missing;
	MemoryContext old;

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
	key_columns = name_list(SPI_getbinval(tuple, desc, 2, &isnull));
	key_types = column_types(relation, key_columns, &missing);
	if (key_types == NULL)
	{
		if (missing_ok)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_RECORD_TYPE),
				 errmsg("the table of record type \"%s\" or its column \"%s\" is gone",
						name, missing),
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
	old = MemoryContextSwitchTo(record_context);
	entry->nkeys = list_length(key_columns);
	entry->key_columns = orch_record_copy_names(key_columns);
	entry->key_types = palloc(sizeof(Oid) * entry->nkeys);
	memcpy(entry->key_types, key_types, sizeof(Oid) * entry->nkeys);
	MemoryContextSwitchTo(old);
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

/* The members of a name[] as char *. */
static List *
name_list(Datum names)
{
	List	   *result = NIL;
	Datum	   *elements;
	int			n;
	int			i;

	deconstruct_array(DatumGetArrayTypeP(names), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &elements, NULL, &n);
	for (i = 0; i < n; i++)
		result = lappend(result, pstrdup(NameStr(*DatumGetName(elements[i]))));
	return result;
}

List *
orch_record_copy_names(List *names)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, names)
		result = lappend(result, pstrdup(lfirst(cell)));
	return result;
}

/*
 * The types of columns; NULL if the table or a column is gone, whose name is set then.
 */
static Oid *
column_types(Oid relation, List *columns, const char **missing)
{
	Oid		   *types = palloc(sizeof(Oid) * list_length(columns));
	ListCell   *cell;
	int			i = 0;

	*missing = linitial(columns);
	if (get_rel_name(relation) == NULL)
		return NULL;
	foreach(cell, columns)
	{
		AttrNumber	attnum = get_attnum(relation, lfirst(cell));

		*missing = lfirst(cell);
		if (attnum == InvalidAttrNumber)
			return NULL;
		types[i++] = get_atttype(relation, attnum);
	}
	return types;
}

/*
 * The parts of the key are parameters of the key columns' own types, so that no user's cast
 * is used to find a row.
 */
static void
prepare_queries(RecordType *type)
{
	const struct
	{
		StaticPlan *plan;
		const char *end;
	}			plans[] = {
		{&type->lock, " FOR KEY SHARE OF t"},
		{&type->lock_values, " FOR SHARE OF t"},
		{&type->fetch, ""},
		{&type->read, ""}
	};
	StringInfoData columns;
	StringInfoData condition;
	ListCell   *cell;
	int			nkeys = 0;
	int			i;

	initStringInfo(&columns);
	initStringInfo(&condition);
	foreach(cell, type->key_columns)
	{
		const char *column = quote_identifier(lfirst(cell));

		appendStringInfo(&columns, "%st.%s", nkeys == 0 ? "" : ", ", column);
		appendStringInfo(&condition, "%st.%s %s $%d", nkeys == 0 ? "" : " AND ", column,
						 equality_operator(type->key_types[nkeys]), nkeys + 1);
		nkeys++;
	}
	for (i = 0; i < (int) lengthof(plans); i++)
	{
		StaticPlan *plan = plans[i].plan;
		char	   *query = psprintf("SELECT %s FROM %s t WHERE %s%s",
									 plan == &type->fetch ? "pg_catalog.to_jsonb(t)" :
									 columns.data,
									 type->table_name, condition.data, plans[i].end);
		int			n;

		plan->query = MemoryContextStrdup(record_context, query);
		plan->nargs = nkeys;
		for (n = 0; n < nkeys; n++)
			plan->argtypes[n] = getBaseType(type->key_types[n]);
	}
}

/*
 * The operator by which the unique index of a key finds equal values, as queries name it.
 * That of a type of an extension is not on the search_path.
 */
static const char *
equality_operator(Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR);
	HeapTuple	tuple;
	const char *result = "=";

	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(entry->eq_opr));
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_operator operator = (Form_pg_operator) GETSTRUCT(tuple);

		if (operator->oprnamespace != PG_CATALOG_NAMESPACE)
			result = psprintf("OPERATOR(%s.%s)",
							  quote_identifier(get_namespace_name(operator->oprnamespace)),
							  NameStr(operator->oprname));
		ReleaseSysCache(tuple);
	}
	return result;
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
 * Are the table and its key columns unchanged?  The session gets no invalidation when they
 * are dropped, renamed or altered.
 */
static bool
is_current(const RecordType *type)
{
	char	   *name = qualified_name(type->relation);
	ListCell   *cell;
	int			i = 0;

	if (name == NULL || strcmp(name, type->table_name) != 0)
		return false;
	foreach(cell, type->key_columns)
	{
		AttrNumber	attnum = get_attnum(type->relation, lfirst(cell));

		if (attnum == InvalidAttrNumber ||
			get_atttype(type->relation, attnum) != type->key_types[i++])
			return false;
	}
	return true;
}

void
orch_record_refuse_type(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_UNKNOWN_RECORD_TYPE),
			 errmsg("record type \"%s\" is not registered", name),
			 errhint("Register its table with orchestration.register_record_type().")));
}

bool
orch_record_is_composite(const char *type)
{
	SystemContext saved;
	RecordType *record_type;
	bool		result;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, true);
	result = record_type != NULL && record_type->nkeys > 1;
	orch_system_finish(&saved);
	return result;
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
orch_record_type_of(Oid relation, List **key_columns)
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
		if (key_columns != NULL)
		{
			bool		isnull;
			Datum		names = SPI_getbinval(SPI_tuptable->vals[0],
											  SPI_tuptable->tupdesc, 2, &isnull);
			MemoryContext old = MemoryContextSwitchTo(caller);

			*key_columns = name_list(names);
			MemoryContextSwitchTo(old);
		}
	}
	orch_system_finish(&saved);
	return result;
}
