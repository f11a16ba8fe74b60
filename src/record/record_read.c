/*-------------------------------------------------------------------------
 *
 * record_read.c
 *	  Reading and locking records: the rows of registered tables.
 *
 * The engine reads a record as to_jsonb() of its row, under fixed settings, so that a
 * definition reads the same texts in every session.  Every query of a user's table runs
 * behind the gate (gate.c), as the owner of that table: casts and domains of its columns
 * may call functions of that owner, which must not run with the rights of the caller or of
 * the extension's owner.  A key is given as text; record_key.c makes values of it.
 *
 * A role may read a record if its privileges and the table's row security allow it.
 * Policies are evaluated as the role itself; so they are evaluated only if the role
 * trusts all functions in them (record_policy.c).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_read.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "base/argument.h"
#include "base/errors.h"
#include "base/subtransaction.h"
#include "base/system.h"
#include "evaluate/condition.h"
#include "record/gate.h"
#include "record/record_column.h"
#include "record/record_int.h"
#include "record/record_key.h"
#include "record/record_name.h"

static StaticPlan plan_names = {
	"SELECT name FROM orchestration.record_type ORDER BY name", 0
};

static void key_values(const char *name, const RecordType *type, const char *key,
					   Datum *values);
static char *found_id(const RecordType *type);
static bool is_readable(RecordType *type, Datum *key, Oid role);
static bool try_record(const char *name, RecordType *type, const char *key, Oid role,
					   Datum *values, bool latest, char **id);
static char *find_id(const char *type, const char *key, Oid role, bool latest);
static bool lock_record(RecordType *type, Datum *key, bool values);
static bool has_record(RecordType *type, Datum *key, bool latest);
static void fix_settings_for(Oid relation);
static Jsonb *follow(Oid relation, Jsonb *record, const char *relationship, Oid *target,
					 bool *unknown);

/*
 * The values of a key that is given as text.  Raises 22P02 for a text that is not of so many
 * parts, and what the types' input functions raise.
 */
static void
key_values(const char *name, const RecordType *type, const char *key, Datum *values)
{
	char	   *parts[INDEX_MAX_KEYS];
	int			i;

	if (!orch_record_split_id(key, type->nkeys, parts))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid id of a record of type \"%s\": \"%s\"", name, key),
				 errdetail("The key has %d columns.", type->nkeys),
				 errhint("Write their values as the text of a row, as in (7,42); orchestration.record_key() makes it of a row.")));
	for (i = 0; i < type->nkeys; i++)
		values[i] = orch_record_key_value(type->relation, type->key_types[i], parts[i]);
}

/*
 * The id of the row that a plan found, whose columns are the key.
 */
static char *
found_id(const RecordType *type)
{
	HeapTuple	row = SPI_tuptable->vals[0];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	Datum		values[INDEX_MAX_KEYS];
	int			i;

	for (i = 0; i < type->nkeys; i++)
	{
		bool		isnull;

		values[i] = SPI_getbinval(row, desc, i + 1, &isnull);
		/* a user's operator may find a row whose key is null */
		if (isnull)
			return NULL;
	}
	return orch_record_make_id(type->relation, type->nkeys, type->key_types, values);
}

/*
 * Lock a record FOR KEY SHARE, or its values too; false when there is none.  Leaves the key of
 * the row as SPI's result.  Caller is in system context and connected to SPI.
 */
static bool
lock_record(RecordType *type, Datum *key, bool values)
{
	StaticPlan *plan = values ? &type->lock_values : &type->lock;
	Gate		gate;

	orch_gate_enter_table(&gate, type->relation);
	orch_plan_prepare(plan);
	orch_gate_permit_locks(&gate);
	orch_plan_execute_latest(plan, key, NULL, 1);
	orch_gate_leave(&gate);
	return SPI_processed > 0;
}

/* Is there such a record, now or in the caller's snapshot?  As above. */
static bool
has_record(RecordType *type, Datum *key, bool latest)
{
	Gate		gate;

	orch_gate_enter_table(&gate, type->relation);
	if (latest)
		orch_plan_execute_latest(&type->read, key, NULL, 1);
	else
		orch_plan_execute(&type->read, key, NULL, true, 1);
	orch_gate_leave(&gate);
	return SPI_processed > 0;
}

char *
orch_record_lock(const char *type, const char *key, bool values)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	RecordType *record_type;
	Datum		key_parts[INDEX_MAX_KEYS];
	char	   *id = NULL;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, false);
	key_values(type, record_type, key, key_parts);
	if (lock_record(record_type, key_parts, values))
		id = found_id(record_type);
	if (id != NULL)
		id = MemoryContextStrdup(caller, id);
	orch_system_finish(&saved);
	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("record \"%s\" of type \"%s\" does not exist", key, type)));
	return id;
}

/*
 * Can a role read a record itself, by its privileges on the table and under the table's
 * row security?  Otherwise a caller that names a record would learn whether it exists.
 * If it can, leaves the key of the row as SPI's result.  Caller is in system context and
 * connected to SPI.
 */
static bool
is_readable(RecordType *type, Datum *key, Oid role)
{
	Oid			relation = type->relation;
	Gate		gate;

	if (pg_class_aclcheck(relation, role, ACL_SELECT) != ACLCHECK_OK)
	{
		ListCell   *cell;

		foreach(cell, type->key_columns)
			if (pg_attribute_aclcheck(relation, get_attnum(relation, lfirst(cell)), role,
									  ACL_SELECT) != ACLCHECK_OK)
				return false;
	}
	if (!has_record(type, key, true))
		return false;
	if (check_enable_rls(relation, role, true) != RLS_ENABLED)
		return true;
	if (!orch_record_policies_trusted(relation, role))
		return false;
	orch_gate_enter(&gate, GATE_RECORD, role);
	/* also the owner, where row security is forced */
	SetUserIdAndSecContext(role, SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	orch_plan_execute_latest(&type->read, key, NULL, 1);
	orch_gate_leave(&gate);
	return SPI_processed > 0;
}

bool
orch_record_readable(const char *type, const char *key, Oid role)
{
	SystemContext saved;
	RecordType *record_type;
	Datum		values[INDEX_MAX_KEYS];
	bool		readable;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, false);
	key_values(type, record_type, key, values);
	readable = is_readable(record_type, values, role);
	orch_system_finish(&saved);
	return readable;
}

/*
 * The values of a key in a table, and whether the role, if one is given, may read that
 * record; if id is given, also the record's id, as the role or, without one, the latest or the
 * caller's snapshot sees it.  Returns false also if there is no such record for the id, if
 * the text is not of the key's types, and if code of the table's owner fails: one table must
 * not stop the search for a record of another.
 */
static bool
try_record(const char *name, RecordType *type, const char *key, Oid role, Datum *values,
		   bool latest, char **id)
{
	MemoryContext caller = CurrentMemoryContext;
	Subtransaction sub;
	volatile bool result = true;

	orch_subtransaction_begin(&sub);
	PG_TRY();
	{
		key_values(name, type, key, values);
		if (OidIsValid(role))
			result = is_readable(type, values, role);
		else if (id != NULL)
			result = has_record(type, values, latest);
		if (result && id != NULL)
		{
			*id = found_id(type);
			if (*id != NULL)
				*id = MemoryContextStrdup(caller, *id);
			else
				result = false;
		}
		orch_subtransaction_commit(&sub);
	}
	PG_CATCH();
	{
		ErrorData  *error = orch_subtransaction_catch(&sub);

		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
			ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INSUFFICIENT_RESOURCES ||
			ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK)
			ReThrowError(error);
		FreeErrorData(error);
		result = false;
	}
	PG_END_TRY();
	return result;
}

/*
 * The record type that has a record of this key.  If a role is given, the record must be
 * one that the role may read: other records must neither hide it nor be locked.
 */
char *
orch_record_find_type(const char *key, Oid role, char **id)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	SPITupleTable *names;
	uint64		nnames;
	uint64		i;
	char	   *result = NULL;

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_names, NULL, NULL, 0);
	names = SPI_tuptable;
	nnames = SPI_processed;
	for (i = 0; i < nnames && result == NULL; i++)
	{
		char	   *name = SPI_getvalue(names->vals[i], names->tupdesc, 1);
		RecordType *type = orch_record_find(name, true);
		Datum		values[INDEX_MAX_KEYS];
		char	   *found;

		CHECK_FOR_INTERRUPTS();
		if (type != NULL && try_record(name, type, key, role, values, true, NULL) &&
			lock_record(type, values, false) && (found = found_id(type)) != NULL)
		{
			result = MemoryContextStrdup(caller, name);
			*id = MemoryContextStrdup(caller, found);
		}
	}
	orch_system_finish(&saved);
	return result;
}

char *
orch_record_id(const char *type, const char *key, Oid role)
{
	return find_id(type, key, role, true);
}

static char *
find_id(const char *type, const char *key, Oid role, bool latest)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	RecordType *record_type;
	Datum		values[INDEX_MAX_KEYS];
	char	   *id = NULL;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, true);
	if (record_type != NULL && try_record(type, record_type, key, role, values, latest, &id))
		id = MemoryContextStrdup(caller, id);
	else
		id = NULL;
	orch_system_finish(&saved);
	return id;
}

bool
orch_record_means(const char *type, const char *key, const char *id)
{
	char	   *found;

	if (strcmp(key, id) == 0)
		return true;
	found = orch_record_id(type, key, InvalidOid);
	return found != NULL && strcmp(found, id) == 0;
}

char *
orch_record_try_lock(const char *type, const char *key, Oid role, bool values)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	RecordType *record_type;
	Datum		parts[INDEX_MAX_KEYS];
	char	   *id = NULL;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, true);
	if (record_type != NULL && try_record(type, record_type, key, role, parts, true, NULL) &&
		lock_record(record_type, parts, values) && (id = found_id(record_type)) != NULL)
		id = MemoryContextStrdup(caller, id);
	orch_system_finish(&saved);
	return id;
}

/*
 * Fix the settings on which to_jsonb() of a table's rows depends.
 */
static void
fix_settings_for(Oid relation)
{
	Relation	rel = table_open(relation, AccessShareLock);

	orch_record_fix_settings_for(RelationGetDescr(rel));
	table_close(rel, NoLock);
}

Jsonb *
orch_record_fetch(const char *type, const char *key)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	RecordType *record_type;
	Gate		gate;
	Datum		values[INDEX_MAX_KEYS];
	Jsonb	   *result = NULL;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, false);
	key_values(type, record_type, key, values);
	orch_gate_enter_table(&gate, record_type->relation);
	fix_settings_for(record_type->relation);
	orch_plan_execute_latest(&record_type->fetch, values, NULL, 1);
	orch_gate_leave(&gate);
	if (SPI_processed > 0)
	{
		bool		isnull;
		Datum		record = SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContext old = MemoryContextSwitchTo(caller);

		result = DatumGetJsonbPCopy(record);
		MemoryContextSwitchTo(old);
	}
	orch_system_finish(&saved);
	return result;
}

/*
 * Has a record a field that a relationship can be that of?
 */
static bool
has_relationship(Jsonb *record, const char *relationship)
{
	/* a path goes on after a relationship */
	List	   *path = list_make2(unconstify(char *, relationship), "");
	JsonbIterator *it = JsonbIteratorInit(&record->root);
	JsonbValue	v;
	bool		found = false;

	(void) JsonbIteratorNext(&it, &v, true);
	while (!found && JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		found = orch_record_path_reads(path, pnstrdup(v.val.string.val, v.val.string.len));
		(void) JsonbIteratorNext(&it, &v, true);
	}
	return found;
}

/*
 * Follow a relationship: the record that the foreign key with a column of this name in a
 * record's table points to.  NULL when one of its columns is null, or when there is neither
 * such a foreign key nor a column of this name (*unknown).
 */
static Jsonb *
follow(Oid relation, Jsonb *record, const char *relationship, Oid *target, bool *unknown)
{
	RecordForeignKey foreign_key;
	Datum		values[INDEX_MAX_KEYS];
	Oid			types[INDEX_MAX_KEYS];
	StringInfoData query;
	bool		isnull;
	Gate		gate;
	Jsonb	   *result = NULL;
	int			i;

	*unknown = false;
	if (!orch_record_foreign_key(relation, relationship, &foreign_key))
	{
		*unknown = !has_relationship(record, relationship);
		return NULL;
	}
	*target = foreign_key.target;
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT pg_catalog.to_jsonb(t) FROM %s t WHERE ",
					 orch_record_qualified_name(*target));
	for (i = 0; i < foreign_key.ncolumns; i++)
	{
		JsonbValue *key = orch_condition_field(&record->root,
											   get_attname(relation, foreign_key.columns[i], false));
		char	   *text = key == NULL ? NULL : orch_condition_value_text(key);
		AttrNumber	column = foreign_key.target_columns[i];
		Oid			type;
		int32		typmod;
		Oid			collation;

		if (text == NULL)
			return NULL;
		values[i] = CStringGetTextDatum(text);
		types[i] = TEXTOID;
		get_atttypetypmodcoll(*target, column, &type, &typmod, &collation);
		appendStringInfoString(&query, i == 0 ? "" : " AND ");
		orch_record_append_equal(&query, get_attname(*target, column, false), type, typmod,
								 i + 1);
	}
	orch_gate_enter_table(&gate, *target);
	fix_settings_for(*target);
	if (SPI_execute_with_args(query.data, foreign_key.ncolumns, types, values, NULL, false, 1) < 0)
		elog(ERROR, "could not follow relationship \"%s\"", relationship);
	orch_gate_leave(&gate);
	if (SPI_processed > 0)
	{
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, 1, &isnull);

		result = DatumGetJsonbPCopy(value);
	}
	return result;
}

JsonbValue *
orch_record_value_at(const char *type, const char *key, Jsonb *record, List *path,
					 const char **missing)
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
	bool		unknown;

	*missing = NULL;
	if (record == NULL)
		return NULL;
	if (path == NIL)
		return orch_condition_jsonb_value(record);

	/* most paths are one field, or fields inside a column of type jsonb */
	value = orch_condition_field(&record->root, (char *) linitial(path));
	if (list_length(path) == 1)
	{
		/* only the id of a composite key begins with a parenthesis */
		if (orch_record_is_id(linitial(path), record, value != NULL,
							  value != NULL && key[0] == '(' && orch_record_is_composite(type)))
		{
			value = palloc(sizeof(JsonbValue));
			value->type = jbvString;
			value->val.string.val = pstrdup(key);
			value->val.string.len = strlen(key);
		}
		/* a record that was read earlier may not have a column that was added since */
		if (value == NULL)
			*missing = orch_record_missing_field(type, linitial(path));
		return value;
	}
	if (value != NULL && value->type == jbvBinary)
	{
		top.type = jbvBinary;
		top.val.binary.data = &record->root;
		top.val.binary.len = VARSIZE_ANY_EXHDR(record);
		return orch_condition_value_at(&top, path);
	}

	orch_system_connect(&saved);
	record_type = orch_record_find(type, true);
	relation = record_type == NULL ? InvalidOid : record_type->relation;
	foreach(lc, path)
	{
		char	   *name = (char *) lfirst(lc);

		if (++position == list_length(path))
		{
			value = orch_condition_field(&record->root, name);
			if (value == NULL && pg_strcasecmp(name, "Id") != 0)
				*missing = name;
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
		{
			*missing = name;
			break;
		}
		record = follow(relation, record, name, &relation, &unknown);
		if (record == NULL)
		{
			if (unknown)
				*missing = name;
			break;
		}
	}
	orch_system_finish(&saved);
	return result;
}

PG_FUNCTION_INFO_V1(orchestration_record_exists);

/*
 * orchestration.record_exists(record_type text, record_key text) returns boolean; also with
 *		record_id "any"
 *
 * Whether a registered record type has such a record: null for null, false also if the
 * type is not registered or the id is not of the key's types.
 * Raises: nothing of its own.
 * Source: ours.
 */
Datum
orchestration_record_exists(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	char	   *name;
	char	   *key;
	RecordType *type;
	Datum		values[INDEX_MAX_KEYS];
	bool		exists;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	key = orch_argument_key(fcinfo, 1);
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	orch_system_connect(&saved);
	type = orch_record_find(name, true);
	exists = type != NULL &&
		try_record(name, type, key, InvalidOid, values, false, NULL) &&
		has_record(type, values, false);
	orch_system_finish(&saved);
	PG_RETURN_BOOL(exists);
}

PG_FUNCTION_INFO_V1(orchestration_record_key);

/*
 * orchestration.record_key(record_type text, record_key text) returns text
 *
 * Returns the id of the record with this id as lookups hold it, which may differ in its
 * spelling ('007': 7).  Null for null, if the type is not registered, and if it has no such
 * record.
 * Raises: nothing of its own.
 * Source: ours.
 */
Datum
orchestration_record_key(PG_FUNCTION_ARGS)
{
	char	   *id;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	id = find_id(text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 text_to_cstring(PG_GETARG_TEXT_PP(1)), InvalidOid, false);
	if (id == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(id));
}
