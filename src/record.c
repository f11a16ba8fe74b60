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
 * The engine reads records as to_jsonb() of the row.  Every query of a user's
 * table runs as the owner of that table, as foreign key checks do: the casts and
 * domains of its columns may call functions of his, which must not run with the
 * rights of the extension's owner.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record.c
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

#include "catalog.h"
#include "compat.h"
#include "condition.h"
#include "errors.h"
#include "record.h"
#include "record_partition.h"
#include "system.h"

#define LOCK_CLAUSE " FOR KEY SHARE OF t"
#define LOCK_VALUES_CLAUSE " FOR SHARE OF t"

/* What is kept of a record type. */
typedef struct RecordType
{
	char		name[NAMEDATALEN * 4];	/* hash key, must be first */
	Oid			relation;
	char	   *key_column;
	char	   *shape;			/* what the queries below say of both */
	StaticPlan	lock;			/* SELECT 1 ... FOR KEY SHARE */
	StaticPlan	lock_values;	/* SELECT 1 ... FOR SHARE */
	StaticPlan	fetch;			/* SELECT to_jsonb(t) ... */
	StaticPlan	read;			/* SELECT 1 ..., as the caller */
} RecordType;

static HTAB *record_types = NULL;
static MemoryContext record_context = NULL;
static uint64 record_generation = 0;

static StaticPlan plan_find = {
	"SELECT t.relation::pg_catalog.oid, t.key_column,"
	" pg_catalog.format('SELECT 1 FROM %s t WHERE t.%I = CAST($1 AS %s)" LOCK_CLAUSE "',"
	"   n.name, t.key_column, pg_catalog.format_type(a.atttypid, a.atttypmod)),"
	" pg_catalog.format('SELECT pg_catalog.to_jsonb(t) FROM %s t WHERE t.%I = CAST($1 AS %s)',"
	"   n.name, t.key_column, pg_catalog.format_type(a.atttypid, a.atttypmod))"
	" FROM orchestration.record_type t"
	/* tables that inherit from it have neither our triggers nor its unique key */
	" LEFT JOIN pg_catalog.pg_class c ON c.oid = t.relation"
	" CROSS JOIN LATERAL (SELECT CASE WHEN c.relkind = 'r' THEN 'ONLY ' ELSE '' END"
	"                 || t.relation::pg_catalog.text AS name) n"
	" LEFT JOIN pg_catalog.pg_attribute a"
	"   ON a.attrelid = t.relation AND a.attname = t.key_column AND NOT a.attisdropped"
	" WHERE t.name = $1",
	1, {TEXTOID}
};
static StaticPlan plan_names = {
	"SELECT name FROM orchestration.record_type ORDER BY name", 0
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

static RecordType *find_record_type(const char *name, bool missing_ok);
static bool is_there(Oid relation, const char *key_column);
static char *shape_of(Oid relation, const char *key_column);
static void refuse_unknown_type(const char *name);
static bool lock_record(const char *type, const char *key, bool values);

/*
 * The record type, its plans ready to be prepared.  Caller is in system context
 * and connected to SPI.
 */
static RecordType *
find_record_type(const char *name, bool missing_ok)
{
	RecordType *entry;
	Datum		value;
	HeapTuple	tuple;
	TupleDesc	desc;
	bool		isnull;
	char	   *lock;
	char	   *fetch;

	if (record_context == NULL)
		record_context = AllocSetContextCreate(CacheMemoryContext,
											   "orchestration record types",
											   ALLOCSET_SMALL_SIZES);
	if (record_types == NULL || record_generation != orch_catalog_generation())
	{
		HASHCTL		ctl;

		if (record_types != NULL)
		{
			HASH_SEQ_STATUS seq;

			hash_seq_init(&seq, record_types);
			while ((entry = hash_seq_search(&seq)) != NULL)
			{
				if (entry->lock.plan != NULL)
					SPI_freeplan(entry->lock.plan);
				if (entry->fetch.plan != NULL)
					SPI_freeplan(entry->fetch.plan);
				if (entry->lock_values.plan != NULL)
					SPI_freeplan(entry->lock_values.plan);
				if (entry->read.plan != NULL)
					SPI_freeplan(entry->read.plan);
			}
		}
		record_types = NULL;
		MemoryContextReset(record_context);
		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(((RecordType *) NULL)->name);
		ctl.entrysize = sizeof(RecordType);
		ctl.hcxt = record_context;
		record_generation = orch_catalog_generation();
		record_types = hash_create("orchestration record types", 16, &ctl,
								   HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	if (strlen(name) >= sizeof(entry->name))
	{
		if (missing_ok)
			return NULL;
		refuse_unknown_type(name);
	}
	entry = hash_search(record_types, name, HASH_FIND, NULL);
	if (entry != NULL && is_there(entry->relation, entry->key_column) &&
		strcmp(entry->shape, shape_of(entry->relation, entry->key_column)) == 0)
		return entry;

	value = CStringGetTextDatum(name);
	orch_plan_execute(&plan_find, &value, NULL, false, 1);
	if (SPI_processed == 0)
	{
		if (missing_ok)
			return NULL;
		refuse_unknown_type(name);
	}
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	lock = SPI_getvalue(tuple, desc, 3);
	fetch = SPI_getvalue(tuple, desc, 4);
	{
		Oid			relation = DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull));
		char	   *key_column = SPI_getvalue(tuple, desc, 2);

		if (!is_there(relation, key_column))
		{
			if (missing_ok)
				return NULL;
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_UNKNOWN_RECORD_TYPE),
					 errmsg("the table of record type \"%s\" or its column \"%s\" is gone",
							name, key_column),
					 errhint("Register the record type again.")));
		}
		if (entry != NULL)
		{
			StaticPlan *plans[] = {&entry->lock, &entry->lock_values, &entry->fetch, &entry->read};
			int			i;

			for (i = 0; i < (int) lengthof(plans); i++)
				if (plans[i]->plan != NULL)
					SPI_freeplan(plans[i]->plan);
		}
		entry = hash_search(record_types, name, HASH_ENTER, NULL);
		memset((char *) entry + offsetof(RecordType, relation), 0,
			   sizeof(RecordType) - offsetof(RecordType, relation));
		entry->relation = relation;
		entry->key_column = MemoryContextStrdup(record_context, key_column);
		entry->shape = MemoryContextStrdup(record_context, shape_of(relation, key_column));
		entry->lock.query = MemoryContextStrdup(record_context, lock);
		entry->fetch.query = MemoryContextStrdup(record_context, fetch);
		entry->read.query = MemoryContextAlloc(record_context, strlen(lock) + 1);
		strlcpy(unconstify(char *, entry->read.query), lock,
				strlen(lock) - strlen(LOCK_CLAUSE) + 1);
		entry->lock_values.query = MemoryContextStrdup(record_context,
													   psprintf("%s" LOCK_VALUES_CLAUSE,
																entry->read.query));
		entry->lock_values.nargs = 1;
		entry->lock_values.argtypes[0] = TEXTOID;
		entry->lock.nargs = entry->fetch.nargs = entry->read.nargs = 1;
		entry->lock.argtypes[0] = entry->fetch.argtypes[0] =
			entry->read.argtypes[0] = TEXTOID;
	}
	SPI_freetuptable(SPI_tuptable);
	return entry;
}

/*
 * Nobody tells us when the table of a record type or its column is dropped.
 */
static bool
is_there(Oid relation, const char *key_column)
{
	return get_rel_name(relation) != NULL &&
		get_attnum(relation, key_column) != InvalidAttrNumber;
}

/*
 * The name of the table and the type of the key: when either changes, so do the
 * queries.
 */
static char *
shape_of(Oid relation, const char *key_column)
{
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(relation, get_attnum(relation, key_column), &type, &typmod,
						  &collation);
	return psprintf("%u %u %d %s", get_rel_namespace(relation), type, typmod,
					get_rel_name(relation));
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
 * Act as the owner of a user's table, inside system context.
 */
void
orch_record_enter_owner(Oid relation, SystemContext *saved)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	GetUserIdAndSecContext(&saved->user_id, &saved->sec_context);
	SetUserIdAndSecContext(((Form_pg_class) GETSTRUCT(tuple))->relowner,
						   saved->sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	ReleaseSysCache(tuple);
}

void
orch_record_leave_owner(const SystemContext *saved)
{
	SetUserIdAndSecContext(saved->user_id, saved->sec_context);
}

/*
 * The table of a record type and its key.  Caller is in system context and
 * connected to SPI.  Raises OR102.
 */
Oid
orch_record_relation(const char *type, const char **key_column)
{
	RecordType *record_type = find_record_type(type, false);

	*key_column = record_type->key_column;
	return record_type->relation;
}

/*
 * Lock a record FOR KEY SHARE, or its values too; false when there is none.  Caller is in system
 * context and connected to SPI.
 */
static bool
lock_record(const char *type, const char *key, bool values)
{
	RecordType *record_type = find_record_type(type, false);
	Datum		value = CStringGetTextDatum(key);
	SystemContext owner;

	orch_record_enter_owner(record_type->relation, &owner);
	orch_plan_execute_latest(values ? &record_type->lock_values : &record_type->lock,
							 &value, NULL, 1);
	orch_record_leave_owner(&owner);
	return SPI_processed > 0;
}

void
orch_record_lock(const char *type, const char *key, bool values)
{
	SystemContext saved;
	bool		found;

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	found = lock_record(type, key, values);
	SPI_finish();
	orch_system_leave(&saved);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("record \"%s\" of type \"%s\" does not exist", key, type)));
}

/*
 * Whether a role can read a record itself, by its privileges on the table and
 * under the table's row security: who names a record must not learn by that
 * whether it exists.
 */
bool
orch_record_readable(const char *type, const char *key, Oid role)
{
	SystemContext saved;
	RecordType *record_type;
	Datum		value;
	bool		readable = false;

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	record_type = find_record_type(type, false);
	if (pg_class_aclcheck(record_type->relation, role, ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck(record_type->relation,
							  get_attnum(record_type->relation, record_type->key_column),
							  role, ACL_SELECT) == ACLCHECK_OK)
	{
		SystemContext system;

		value = CStringGetTextDatum(key);
		GetUserIdAndSecContext(&system.user_id, &system.sec_context);
		SetUserIdAndSecContext(role, (system.sec_context & ~SECURITY_NOFORCE_RLS) |
							   SECURITY_LOCAL_USERID_CHANGE);
		orch_plan_execute_latest(&record_type->read, &value, NULL, 1);
		readable = SPI_processed > 0;
		SetUserIdAndSecContext(system.user_id, system.sec_context);
	}
	SPI_finish();
	orch_system_leave(&saved);
	return readable;
}

char *
orch_record_find_type(const char *key)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi_context;
	ResourceOwner owner = CurrentResourceOwner;
	SystemContext saved;
	SPITupleTable *names;
	uint64		nnames;
	uint64		i;
	char	   *volatile result = NULL;

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	orch_plan_execute(&plan_names, NULL, NULL, false, 0);
	names = SPI_tuptable;
	nnames = SPI_processed;
	spi_context = CurrentMemoryContext;
	for (i = 0; i < nnames && result == NULL; i++)
	{
		char	   *name = SPI_getvalue(names->vals[i], names->tupdesc, 1);

		/* a key not even of this table's type is not its; or the table is gone */
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(spi_context);
		PG_TRY();
		{
			if (lock_record(name, key, false))
				result = MemoryContextStrdup(caller, name);
			ReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(spi_context);
			CurrentResourceOwner = owner;
		}
		PG_CATCH();
		{
			ErrorData  *error;

			MemoryContextSwitchTo(spi_context);
			error = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(spi_context);
			CurrentResourceOwner = owner;
			if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION &&
				error->sqlerrcode != ERRCODE_ORCH_UNKNOWN_RECORD_TYPE)
				ReThrowError(error);
			FreeErrorData(error);
		}
		PG_END_TRY();
	}
	SPI_finish();
	orch_system_leave(&saved);
	return result;
}

Jsonb *
orch_record_fetch(const char *type, const char *key)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	SystemContext owner;
	RecordType *record_type;
	Datum		value = CStringGetTextDatum(key);
	Jsonb	   *result = NULL;

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	record_type = find_record_type(type, false);
	orch_record_enter_owner(record_type->relation, &owner);
	orch_plan_execute_latest(&record_type->fetch, &value, NULL, 1);
	orch_record_leave_owner(&owner);
	if (SPI_processed > 0)
	{
		bool		isnull;
		Datum		record = SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContext old = MemoryContextSwitchTo(caller);

		result = DatumGetJsonbPCopy(record);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	orch_system_leave(&saved);
	return result;
}

/*
 * Follow a relationship: the record that a foreign key column of a record's
 * table points to.  NULL when the column has no foreign key or is null.
 */
static Jsonb *
follow(Oid relation, Jsonb *record, const char *relationship, Oid *target)
{
	static StaticPlan plan_foreign_key = {
		"SELECT c.confrelid,"
		" pg_catalog.format('SELECT pg_catalog.to_jsonb(t) FROM %s t WHERE t.%I = CAST($1 AS %s)',"
		"   c.confrelid::pg_catalog.regclass, k.attname,"
		"   pg_catalog.format_type(k.atttypid, k.atttypmod)), a.attname"
		" FROM pg_catalog.pg_constraint c"
		" JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
		" JOIN pg_catalog.pg_attribute k ON k.attrelid = c.confrelid AND k.attnum = c.confkey[1]"
		" WHERE c.conrelid = $1 AND c.contype = 'f' AND pg_catalog.cardinality(c.conkey) = 1"
		"   AND pg_catalog.lower(pg_catalog.replace(a.attname::text, '_', '')) = ANY ($2)"
		" ORDER BY c.oid LIMIT 1",
		2, {OIDOID, TEXTARRAYOID}
	};
	char	   *base = pstrdup(relationship);
	char	   *end;
	char	   *c;
	Datum		names[3];
	Datum		values[2];
	JsonbValue *key;
	char	   *column;
	char	   *query;
	char	   *text;
	Oid			text_type = TEXTOID;
	bool		isnull;
	SystemContext owner;
	Jsonb	   *result = NULL;

	/* Owner:User names the target of a polymorphic relationship too */
	if ((end = strchr(base, ':')) != NULL)
		*end = '\0';
	/* a custom relationship Rel__r is the custom field Rel__c */
	if (strlen(base) > 3 && pg_strcasecmp(base + strlen(base) - 3, "__r") == 0)
		base[strlen(base) - 3] = '\0';
	for (c = end = base; *c != '\0'; c++)
		if (*c != '_')
			*end++ = pg_tolower((unsigned char) *c);
	*end = '\0';
	names[0] = CStringGetTextDatum(psprintf("%sid", base));
	names[1] = CStringGetTextDatum(psprintf("%sc", base));
	names[2] = CStringGetTextDatum(base);

	values[0] = ObjectIdGetDatum(relation);
	values[1] = PointerGetDatum(construct_array(names, 3, TEXTOID, -1, false,
												TYPALIGN_INT));
	orch_plan_execute(&plan_foreign_key, values, NULL, false, 1);
	if (SPI_processed == 0)
		return NULL;
	*target = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
											 SPI_tuptable->tupdesc, 1, &isnull));
	query = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	column = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
	key = orch_condition_field(&record->root, column);
	text = key == NULL ? NULL : orch_condition_value_text(key);
	if (text == NULL)
		return NULL;
	values[0] = CStringGetTextDatum(text);
	orch_record_enter_owner(*target, &owner);
	if (SPI_execute_with_args(query, 1, &text_type, values, NULL, false, 1) < 0)
		elog(ERROR, "could not follow relationship \"%s\"", relationship);
	orch_record_leave_owner(&owner);
	if (SPI_processed > 0)
	{
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, 1, &isnull);

		result = DatumGetJsonbPCopy(value);
	}
	return result;
}

JsonbValue *
orch_record_value_at(const char *type, const char *key, Jsonb *record, List *path)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	SystemContext saved;
	RecordType *record_type;
	Oid			relation;
	JsonbValue	top;
	JsonbValue *value = NULL;
	JsonbValue *result = NULL;
	ListCell   *lc;
	int			position = 0;

	if (record == NULL)
		return NULL;
	if (path == NIL)
	{
		result = palloc(sizeof(JsonbValue));
		result->type = jbvBinary;
		result->val.binary.data = &record->root;
		result->val.binary.len = VARSIZE_ANY_EXHDR(record);
		return result;
	}

	/* most paths are one field, or fields inside a column of type jsonb */
	value = orch_condition_field(&record->root, (char *) linitial(path));
	if (list_length(path) == 1)
	{
		if (value == NULL && pg_strcasecmp((char *) linitial(path), "Id") == 0)
		{
			value = palloc(sizeof(JsonbValue));
			value->type = jbvString;
			value->val.string.val = pstrdup(key);
			value->val.string.len = strlen(key);
		}
		return value;
	}
	if (value != NULL && value->type == jbvBinary)
	{
		top.type = jbvBinary;
		top.val.binary.data = &record->root;
		top.val.binary.len = VARSIZE_ANY_EXHDR(record);
		return orch_condition_value_at(&top, path);
	}

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	record_type = find_record_type(type, true);
	relation = record_type == NULL ? InvalidOid : record_type->relation;
	foreach(lc, path)
	{
		char	   *name = (char *) lfirst(lc);

		if (++position == list_length(path))
		{
			value = orch_condition_field(&record->root, name);
			if (value != NULL)
			{
				/* into the caller's memory */
				old = MemoryContextSwitchTo(caller);
				if (value->type == jbvString || value->type == jbvNumeric ||
					value->type == jbvBool || value->type == jbvBinary)
				{
					Jsonb	   *copy = JsonbValueToJsonb(value);
					JsonbValue *scalar = palloc(sizeof(JsonbValue));

					if (JB_ROOT_IS_SCALAR(copy))
						JsonbExtractScalar(&copy->root, scalar);
					else
					{
						scalar->type = jbvBinary;
						scalar->val.binary.data = &copy->root;
						scalar->val.binary.len = VARSIZE_ANY_EXHDR(copy);
					}
					result = scalar;
				}
				MemoryContextSwitchTo(old);
			}
			break;
		}
		if (!OidIsValid(relation))
			break;
		record = follow(relation, record, name, &relation);
		if (record == NULL)
			break;
	}
	SPI_finish();
	orch_system_leave(&saved);
	return result;
}

char *
orch_record_type_of(Oid relation, char **key_column)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	Datum		value = ObjectIdGetDatum(relation);
	char	   *result = NULL;

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	orch_plan_execute(&plan_of_relation, &value, NULL, false, 1);
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
	SPI_finish();
	orch_system_leave(&saved);
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

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name and table of a record type must not be null")));
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
	if (known != NULL)
	{
		if (strcmp(known, name) == 0 && strcmp(known_key, key_column) == 0)
		{
			table_close(relation, NoLock);
			PG_RETURN_VOID();
		}
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("table \"%s\" is registered as record type \"%s\" already",
						RelationGetRelationName(relation), known),
				 errhint("Call orchestration.unregister_record_type() first.")));
	}
	table_name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
											RelationGetRelationName(relation));
	table_close(relation, NoLock);

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(relid);
	values[2] = CStringGetDatum(key_column);
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
					 "CREATE TRIGGER orchestration_record_change"
					 " AFTER INSERT OR UPDATE OR DELETE ON %s"
					 " FOR EACH ROW EXECUTE FUNCTION orchestration.record_change();"
					 "CREATE TRIGGER orchestration_record_changes"
					 " AFTER INSERT OR UPDATE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION orchestration.record_change();"
					 "CREATE TRIGGER orchestration_record_truncate"
					 " AFTER TRUNCATE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION orchestration.record_change();",
					 table_name, table_name, table_name);
	if (SPI_execute(sql.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create the triggers of record type \"%s\"", name);
	orch_record_cover_partitions();
	SPI_finish();
	orch_system_leave(&saved);
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

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of a record type must not be null")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	value = CStringGetTextDatum(name);

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	{
		static StaticPlan plan_delete = {
			"DELETE FROM orchestration.record_type WHERE name = $1"
			" RETURNING relation::pg_catalog.oid", 1, {TEXTOID}
		};

		orch_plan_execute(&plan_delete, &value, NULL, false, 0);
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
	SPI_finish();
	orch_system_leave(&saved);
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

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	values[0] = CStringGetTextDatum(type);
	values[1] = CStringGetTextDatum(old_key);
	if (new_key != NULL)
		values[2] = CStringGetTextDatum(new_key);
	else
		nulls[2] = 'n';
	orch_plan_execute_latest(&plan_clear_runs, values, nulls, 0);
	orch_plan_execute_latest(&plan_clear_work_items, values, nulls, 0);
	SPI_finish();
	orch_system_leave(&saved);
}

/*
 * All records of a type are gone.
 */
void
orch_record_clear_lookups(const char *type)
{
	SystemContext saved;
	Datum		value = CStringGetTextDatum(type);

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	orch_plan_execute_latest(&plan_clear_all_runs, &value, NULL, 0);
	orch_plan_execute_latest(&plan_clear_all_work_items, &value, NULL, 0);
	SPI_finish();
	orch_system_leave(&saved);
}

PG_FUNCTION_INFO_V1(orchestration_record_exists);

/*
 * orchestration.record_exists(record_type text, record_id text) returns boolean
 *
 * Whether a registered record type has such a record; null for null, false also
 * where the type is not registered, or the id not of the key column's type.
 */
Datum
orchestration_record_exists(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	RecordType *type;
	MemoryContext context;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool exists = false;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	type = find_record_type(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	if (type != NULL)
	{
		Datum		value = PG_GETARG_DATUM(1);
		SystemContext table_owner;

		context = CurrentMemoryContext;
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(context);
		PG_TRY();
		{
			orch_record_enter_owner(type->relation, &table_owner);
			orch_plan_execute(&type->fetch, &value, NULL, true, 1);
			orch_record_leave_owner(&table_owner);
			exists = SPI_processed > 0;
			ReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
		}
		PG_CATCH();
		{
			ErrorData  *error;

			MemoryContextSwitchTo(context);
			error = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
			if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
				ReThrowError(error);
			FreeErrorData(error);
		}
		PG_END_TRY();
	}
	SPI_finish();
	orch_system_leave(&saved);
	PG_RETURN_BOOL(exists);
}
