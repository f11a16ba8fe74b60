/*-------------------------------------------------------------------------
 *
 * record.c
 *	  Record types as a session keeps them.
 *
 * A record type is a table of users that is registered: runs and work items are about
 * its rows.  A session keeps what it knows of a record type, with the plans that read
 * and lock its records, until the registration or its table changes.  record_name.c says
 * which table a record type names.  record_register.c registers tables, record_read.c reads
 * and locks records, record_reference.c keeps lookups to records valid.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "record/gate.h"
#include "record/record_column.h"
#include "record/record_int.h"
#include "record/record_name.h"

static HTAB *record_types = NULL;
static MemoryContext record_context = NULL;
static uint64 record_generation = 0;

static StaticPlan plan_find = {
	"SELECT schema_name, table_name, key_columns FROM orchestration.record_type"
	" WHERE name = $1",
	1, {TEXTOID}
};

/* A registration, as it is stored. */
typedef struct Registration
{
	char	   *schema_name;
	char	   *table_name;
	List	   *key_columns;	/* of char * */
} Registration;

static void forget_record_types(void);
static void invalidate_record_types(Datum arg, Oid relation);
static bool is_unchanged(const RecordType *type, Oid relation, List *key_columns,
						 const Oid *key_types);
static bool read_registration(const char *name, Registration *registration);
static Oid	lock_table(const char *name, const Registration *registration);
static char *problem_of(const char *name, const Registration *registration, Oid relation,
						char **hint);
static char *current_problem(const char *name);
static Oid *column_types(Oid relation, List *columns, const char **missing);
static void prepare_queries(RecordType *type);
static const char *equality_operator(Oid type);
static void free_plans(RecordType *type);
static bool lacks(const char *type, const List *path, bool without_table);

/*
 * Called once, by _PG_init().
 */
void
orch_record_init(void)
{
	orch_record_name_init();
	CacheRegisterRelcacheCallback(invalidate_record_types, (Datum) 0);
}

/*
 * Relcache callback: a table changed, or (InvalidOid) any may have.  The name of a record type
 * is resolved again when its table is renamed, dropped or altered.
 */
static void
invalidate_record_types(Datum arg, Oid relation)
{
	HASH_SEQ_STATUS seq;
	RecordType *entry;

	if (record_types == NULL)
		return;
	hash_seq_init(&seq, record_types);
	while ((entry = hash_seq_search(&seq)) != NULL)
		if (!OidIsValid(relation) || entry->relation == relation)
			entry->valid = false;
}

/*
 * The record type, its plans ready to be prepared.  Caller is in system context
 * and connected to SPI.
 */
RecordType *
orch_record_find(const char *name, bool missing_ok)
{
	RecordType *entry;
	Registration registration;
	Oid			relation;
	const char *missing;
	Oid		   *key_types;
	char	   *problem;
	char	   *hint;
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
	if (entry != NULL && entry->valid)
	{
		/* with this lock, nobody renames the table before it is read */
		LockRelationOid(entry->relation, AccessShareLock);
		if (entry->valid && record_generation == orch_catalog_generation())
			return entry;
	}

	if (!read_registration(name, &registration))
	{
		if (missing_ok)
			return NULL;
		orch_record_refuse_type(name);
	}
	relation = lock_table(name, &registration);
	problem = problem_of(name, &registration, relation, &hint);
	if (problem != NULL)
	{
		if (missing_ok)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_UNKNOWN_RECORD_TYPE),
				 errmsg_internal("%s", problem), errhint("%s", hint)));
	}
	key_types = column_types(relation, registration.key_columns, &missing);

	if (record_types == NULL || record_generation != orch_catalog_generation())
		forget_record_types();
	entry = hash_search(record_types, name, HASH_FIND, NULL);
	if (entry != NULL && is_unchanged(entry, relation, registration.key_columns, key_types))
	{
		entry->valid = true;
		return entry;
	}
	if (entry != NULL && !orch_gate_reads())
		free_plans(entry);
	entry = hash_search(record_types, name, HASH_ENTER, NULL);
	memset((char *) entry + offsetof(RecordType, relation), 0,
		   sizeof(RecordType) - offsetof(RecordType, relation));
	entry->relation = relation;
	entry->table_name = MemoryContextStrdup(record_context,
											orch_record_qualified_name(relation));
	old = MemoryContextSwitchTo(record_context);
	entry->nkeys = list_length(registration.key_columns);
	entry->key_columns = orch_record_copy_names(registration.key_columns);
	entry->key_types = palloc(sizeof(Oid) * entry->nkeys);
	memcpy(entry->key_types, key_types, sizeof(Oid) * entry->nkeys);
	MemoryContextSwitchTo(old);
	prepare_queries(entry);
	entry->valid = true;
	return entry;
}

/*
 * Do the kept plans still fit the table?  Many changes of a table concern neither its name
 * nor its key.
 */
static bool
is_unchanged(const RecordType *type, Oid relation, List *key_columns, const Oid *key_types)
{
	return type->relation == relation && type->table_name != NULL &&
		strcmp(type->table_name, orch_record_qualified_name(relation)) == 0 &&
		orch_record_same_names(type->key_columns, key_columns) &&
		memcmp(type->key_types, key_types, sizeof(Oid) * type->nkeys) == 0;
}

/*
 * What is stored about a record type; false if it is not registered.  Caller is in system
 * context and connected to SPI.
 */
static bool
read_registration(const char *name, Registration *registration)
{
	Datum		value = CStringGetTextDatum(name);
	HeapTuple	tuple;
	TupleDesc	desc;
	bool		isnull;

	orch_plan_execute_latest(&plan_find, &value, NULL, 1);
	if (SPI_processed == 0)
		return false;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	registration->schema_name = SPI_getvalue(tuple, desc, 1);
	registration->table_name = SPI_getvalue(tuple, desc, 2);
	registration->key_columns = orch_record_name_list(SPI_getbinval(tuple, desc, 3, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

/*
 * The table of a record type, locked against renaming; InvalidOid if there is none.  A name
 * may lead to another table when the lock is granted.
 */
static Oid
lock_table(const char *name, const Registration *registration)
{
	Oid			locked = InvalidOid;

	for (;;)
	{
		Oid			relation = orch_record_table(name, registration->schema_name,
												 registration->table_name);

		if (!OidIsValid(relation) || relation == locked)
			return relation;
		LockRelationOid(relation, AccessShareLock);
		locked = relation;
	}
}

/*
 * Why a record type cannot be used, and the way out; NULL if it can.  Caller is in system
 * context and connected to SPI.
 */
static char *
problem_of(const char *name, const Registration *registration, Oid relation, char **hint)
{
	char	   *table = quote_qualified_identifier(registration->schema_name,
												   registration->table_name);
	char	   *type = quote_literal_cstr(name);
	Oid			root;

	if (OidIsValid(relation))
	{
		const char *missing;

		if (column_types(relation, registration->key_columns, &missing) != NULL)
			return NULL;
		*hint = psprintf("Call orchestration.register_record_type(%s, %s, ...) with the columns that are its key now.",
						 type, quote_literal_cstr(table));
		return psprintf("table %s of record type \"%s\" has no column \"%s\"", table, name,
						missing);
	}
	root = orch_record_root(name);
	*hint = OidIsValid(root) ?
		psprintf("Table %s has its triggers: call orchestration.register_record_type(%s, %s).",
				 orch_record_qualified_name(root), type,
				 quote_literal_cstr(orch_record_qualified_name(root))) :
		psprintf("Call orchestration.register_record_type(%s, ...) with the table of its records, or orchestration.unregister_record_type(%s).",
				 type, type);
	if (OidIsValid(get_relname_relid(registration->table_name,
									 get_namespace_oid(registration->schema_name, true))))
		return psprintf("table %s of record type \"%s\" does not have its triggers", table,
						name);
	return psprintf("table %s of record type \"%s\" does not exist", table, name);
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
List *
orch_record_name_list(Datum names)
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

bool
orch_record_same_names(List *a, List *b)
{
	ListCell   *first;
	ListCell   *second;

	forboth(first, a, second, b)
		if (strcmp(lfirst(first), lfirst(second)) != 0)
			return false;
	return list_length(a) == list_length(b);
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
 * The operator by which a unique index finds equal values, as queries name it.
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

void
orch_record_append_equal(StringInfo query, const char *column, Oid type, int32 typmod,
						 int parameter)
{
	appendStringInfo(query, "t.%s %s CAST($%d AS %s)", quote_identifier(column),
					 equality_operator(type), parameter,
					 format_type_with_typemod(type, typmod));
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

char *
orch_record_key_type(Oid relation)
{
	static StaticPlan plan_key_type = {
		"SELECT format_type(a.atttypid, a.atttypmod) FROM pg_index i"
		" JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
		" WHERE i.indrelid = $1 AND i.indisprimary AND i.indnkeyatts = 1",
		1, {OIDOID}
	};
	Datum		value = ObjectIdGetDatum(relation);

	orch_plan_execute_latest(&plan_key_type, &value, NULL, 1);
	return SPI_processed == 0 ? NULL :
		SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

char *
orch_record_type_of(Oid relation, Oid *table, List **key_columns)
{
	MemoryContext caller = CurrentMemoryContext;
	const char *mark = orch_record_mark(relation);
	SystemContext saved;
	Registration registration;
	char	   *type;
	char	   *result = NULL;
	Oid			holder;

	if (mark == NULL)
		return NULL;
	type = pstrdup(mark);
	orch_system_connect(&saved);
	if (read_registration(type, &registration))
	{
		holder = orch_record_table(type, registration.schema_name, registration.table_name);
		/* renamed where no event trigger saw it: the mark is still its own */
		if (!OidIsValid(holder))
			holder = relation;
		if (holder == relation || orch_record_inherits(relation, holder))
		{
			result = type;
			if (table != NULL)
				*table = holder;
			if (key_columns != NULL)
			{
				MemoryContext old = MemoryContextSwitchTo(caller);

				*key_columns = orch_record_copy_names(registration.key_columns);
				MemoryContextSwitchTo(old);
			}
		}
	}
	orch_system_finish(&saved);
	return result;
}

/*
 * The table of a record type, InvalidOid if there is none.  Caller is in system context and
 * connected to SPI.  Takes no lock.
 */
Oid
orch_record_table_of(const char *type)
{
	Registration registration;

	return read_registration(type, &registration) ?
		orch_record_table(type, registration.schema_name, registration.table_name) :
		InvalidOid;
}

/*
 * Does no column of a record type's table begin the path?  without_table: the answer if the
 * type has no table.
 */
static bool
lacks(const char *type, const List *path, bool without_table)
{
	SystemContext saved;
	RecordType *record_type;
	bool		result = without_table;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, true);
	/* Id is the key, whatever its name */
	if (record_type != NULL)
		result = pg_strcasecmp(linitial(path), "Id") != 0 &&
			!orch_record_has_column(record_type->relation, path);
	orch_system_finish(&saved);
	return result;
}

const char *
orch_record_missing_field(const char *type, const char *field)
{
	return lacks(type, list_make1(unconstify(char *, field)), true) ? field : NULL;
}

void
orch_record_refuse_field(const char *type, const char *field)
{
	SystemContext saved;

	/* without its table, that is the problem */
	orch_system_connect(&saved);
	(void) orch_record_find(type, false);
	orch_system_finish(&saved);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("record type \"%s\" has no field \"%s\"", type, field),
			 errhint("Give its table such a column and resume the run; orchestration.record_type_problems() lists what is missing.")));
}

bool
orch_record_lacks_path(const char *type, const List *path)
{
	return lacks(type, path, false);
}

/*
 * The problem of a record type, NULL if there is none.  Reads no record and waits for no lock.
 */
static char *
current_problem(const char *name)
{
	Registration registration;
	char	   *hint;

	if (!read_registration(name, &registration))
		return psprintf("record type \"%s\" is not registered", name);
	return problem_of(name, &registration,
					  orch_record_table(name, registration.schema_name,
										registration.table_name), &hint);
}

PG_FUNCTION_INFO_V1(orchestration_record_type_problem);

/*
 * orchestration_internal.record_type_problem(name text) returns text
 *
 * Returns why a record type cannot be used: it is not registered, or its table or key column
 * is gone.  Null if it can be used, and for null.
 * Raises: nothing of its own.
 * Source: ours.
 */
Datum
orchestration_record_type_problem(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	char	   *problem;

	orch_system_connect(&saved);
	problem = current_problem(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (problem != NULL)
		problem = MemoryContextStrdup(caller, problem);
	orch_system_finish(&saved);
	if (problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}

PG_FUNCTION_INFO_V1(orchestration_record_type_table);

/*
 * orchestration_internal.record_type_table(name text) returns regclass
 *
 * Returns the table of a record type: the one of its name, if that has the extension's
 * triggers.  Null if there is none, if the record type is not registered, and for null.
 * Raises: nothing of its own.
 * Source: ours.
 */
Datum
orchestration_record_type_table(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	Oid			relation;

	orch_system_connect(&saved);
	relation = orch_record_table_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	orch_system_finish(&saved);
	if (!OidIsValid(relation))
		PG_RETURN_NULL();
	PG_RETURN_OID(relation);
}
