/*-------------------------------------------------------------------------
 *
 * engine_record.c
 *	  The records that the variables of a run hold.
 *
 * A variable of a registered record type that holds records is bound to them: whenever the
 * run reads $Record again, it reads these again too, and a change of one of them lets the
 * run evaluate its conditions (record_change.c).  This holds in definitions of apiVersion
 * 58 and later; in older ones, and for records that cannot be bound, the variable keeps
 * the value that it was given.  Assigning to a field of such a variable unbinds it: the
 * record is then the run's own.  A deleted record is null.
 * Source: Salesforce Help, "Considerations for Orchestrations"; reference 1.1 for 58.
 *
 * orchestration.run_record has a row for each bound record.  A session that changes a
 * record searches there.  Like $Record, a record is locked when it is bound, so that it
 * cannot change between that and the commit which makes the row visible.  A record is
 * bound only if the user who started the run could read it, or the caller, for an input:
 * its values go into run.variables, which others may see.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_record.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "access/access.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/text_array.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "record/record.h"

/* A collection with more members is not bound. */
#define MAX_BOUND	200

static StaticPlan plan_bindings = {
	"SELECT variable, record_key FROM orchestration.run_record WHERE run_id = $1"
	" ORDER BY variable, position",
	1, {UUIDOID}
};
static StaticPlan plan_unbind = {
	"DELETE FROM orchestration.run_record WHERE run_id = $1 AND variable = $2",
	2, {UUIDOID, TEXTOID}
};
static StaticPlan plan_bind = {
	"INSERT INTO orchestration.run_record (run_id, variable, position, record_type, record_key)"
	" SELECT $1, $2, k.position, $3, k.key"
	" FROM pg_catalog.unnest($4) WITH ORDINALITY AS k (key, position)",
	4, {UUIDOID, TEXTOID, TEXTOID, TEXTARRAYOID}
};

static char *record_key(const char *type, JsonbValue *value);
static char *bind_record(RunState *rs, const char *type, const char *key, Oid reader);
static List *bind_records(RunState *rs, const VariableDef *variable, JsonbValue *value,
						  Oid reader);
static RecordBinding *binding_of(RunState *rs, int index);
static void read_bindings(RunState *rs);
static void refresh(RunState *rs, int index, RecordBinding *binding);
static JsonbValue *fetch_records(const char *type, RecordBinding *binding,
								 bool is_collection);
static Jsonb *jsonb_of(JsonbValue *value);

/* ------------------------------------------------------------------ values */

/*
 * A copy of a value in a context; NULL for null.
 */
JsonbValue *
orch_engine_copy_value(MemoryContext context, JsonbValue *value)
{
	MemoryContext old;
	JsonbValue *result;

	if (value == NULL || value->type == jbvNull)
		return NULL;
	old = MemoryContextSwitchTo(context);
	result = orch_condition_jsonb_value(JsonbValueToJsonb(value));
	MemoryContextSwitchTo(old);
	return result;
}

/*
 * The members of a collection, as JsonbValue *; none of null.
 */
List *
orch_engine_members(JsonbValue *value)
{
	List	   *result = NIL;
	JsonbIterator *it;
	JsonbValue	member;

	if (value == NULL)
		return NIL;
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("a collection was expected, not %s",
						orch_condition_type_name(value))));
	it = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&it, &member, true);
	while (JsonbIteratorNext(&it, &member, true) == WJB_ELEM)
	{
		JsonbValue *copy = palloc(sizeof(JsonbValue));

		CHECK_FOR_INTERRUPTS();
		*copy = member;
		result = lappend(result, copy);
	}
	return result;
}

/* ----------------------------------------------------------------- binding */

/*
 * The role whose rights decide which records are bound, InvalidOid: all can be.  It is
 * that of the user who started the run.  A user without a role acts through the connection
 * of another role; for such a user, and if no user started the run, there is no limit.
 */
Oid
orch_engine_reader(RunState *rs)
{
	static StaticPlan plan_role = {
		"SELECT role_name::pg_catalog.text FROM orchestration.principal"
		" WHERE id = $1 AND role_name IS NOT NULL",
		1, {UUIDOID}
	};
	Datum		value = UUIDPGetDatum(&rs->started_by);
	Oid			role = InvalidOid;

	orch_plan_execute_latest(&plan_role, &value, NULL, 1);
	if (SPI_processed > 0)
		role = get_role_oid(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
							true);
	if (OidIsValid(role) && orch_access_is_unlimited(orch_access_of_role(role)))
		return InvalidOid;
	return role;
}

/*
 * The record, if an SObject variable is given an id; otherwise the value itself.  *id is the
 * id of the record, which is locked then; otherwise NULL.
 */
JsonbValue *
orch_engine_record_of_id(RunState *rs, const VariableDef *variable, JsonbValue *value, Oid reader,
						 char **id)
{
	char	   *key;
	Jsonb	   *record;

	*id = NULL;
	if (value == NULL || variable->object_type == NULL || variable->is_collection ||
		(value->type != jbvString && value->type != jbvNumeric))
		return value;
	key = orch_condition_value_text(value);
	*id = bind_record(rs, variable->object_type, key, reader);
	record = *id == NULL ? NULL : orch_record_fetch(variable->object_type, *id);
	if (record == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("record \"%s\" of type \"%s\" does not exist", key,
						variable->object_type),
				 errdetail("It was given to variable \"%s\".", variable->name)));
	return orch_condition_jsonb_value(record);
}

/*
 * The key of a record that is given as an object, NULL if it has none.
 */
static char *
record_key(const char *type, JsonbValue *value)
{
	JsonbValue *key;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return NULL;
	key = orch_record_json_id(type, JsonbValueToJsonb(value));
	if (key == NULL)
		key = orch_condition_field(value->val.binary.data, "Id");
	return key == NULL || (key->type != jbvString && key->type != jbvNumeric) ? NULL :
		orch_condition_value_text(key);
}

/*
 * Locks the record, if there is such a record and its values may be read for this run.
 * Returns its id, else NULL.
 */
static char *
bind_record(RunState *rs, const char *type, const char *key, Oid reader)
{
	/* the run's own record was asked for when the run started */
	if (rs->record_key != NULL && strcmp(rs->record_type, type) == 0 &&
		strcmp(rs->record_key, key) == 0)
		reader = InvalidOid;
	return orch_record_try_lock(type, key, reader, true);
}

/*
 * The binding of a variable that refreshes, read first if it is not in memory.
 */
static RecordBinding *
binding_of(RunState *rs, int index)
{
	if (rs->bindings == NULL)
	{
		rs->bindings = MemoryContextAllocZero(rs->context,
											  sizeof(RecordBinding) * rs->def->nvariables);
		if (rs->read)
			read_bindings(rs);
	}
	return &rs->bindings[index];
}

static void
read_bindings(RunState *rs)
{
	Datum		value = UUIDPGetDatum(&rs->id);
	MemoryContext old;
	uint64		i;

	orch_plan_execute_latest(&plan_bindings, &value, NULL, 0);
	old = MemoryContextSwitchTo(rs->context);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		int			index = orch_definition_variable_index(rs->def,
														   SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1));
		RecordBinding *binding;

		CHECK_FOR_INTERRUPTS();
		if (index < 0 || !rs->def->variables[index].refreshes)
			continue;
		binding = &rs->bindings[index];
		binding->keys = lappend(binding->keys,
								pstrdup(SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2)));
		binding->stored = true;
	}
	MemoryContextSwitchTo(old);
}

/*
 * A variable was given a value: bind it to the records in it, or to none.  id: that of the
 * record which orch_engine_record_of_id() locked, or NULL.
 */
void
orch_engine_bind(RunState *rs, int index, Oid reader, char *id)
{
	const VariableDef *variable = &rs->def->variables[index];
	RecordBinding *binding;
	List	   *keys;
	ListCell   *cell;
	MemoryContext old;

	/* filters of the start have no run yet */
	if (!variable->refreshes || rs->frame == NULL)
		return;
	keys = id != NULL ? list_make1(id) :
		bind_records(rs, variable, rs->variables[index], reader);
	binding = binding_of(rs, index);
	binding->keys = NIL;
	old = MemoryContextSwitchTo(rs->context);
	foreach(cell, keys)
		binding->keys = lappend(binding->keys, pstrdup(lfirst(cell)));
	MemoryContextSwitchTo(old);
	binding->fresh = false;
	if (binding->keys != NIL || binding->stored)
	{
		binding->changed = true;
		rs->bindings_changed = true;
	}
}

/*
 * Lock the records in a value.  Returns their ids: all of them, or NIL.
 */
static List *
bind_records(RunState *rs, const VariableDef *variable, JsonbValue *value, Oid reader)
{
	List	   *members = variable->is_collection ? orch_engine_members(value) :
		value == NULL ? NIL : list_make1(value);
	List	   *ids = NIL;
	ListCell   *cell;

	if (list_length(members) > MAX_BOUND)
		return NIL;
	foreach(cell, members)
	{
		char	   *key = record_key(variable->object_type, lfirst(cell));

		CHECK_FOR_INTERRUPTS();
		if (key != NULL)
			key = bind_record(rs, variable->object_type, key, reader);
		if (key == NULL)
			return NIL;
		ids = lappend(ids, key);
	}
	return ids;
}

/*
 * A field of a variable was assigned: its record is the run's own from now on.
 */
void
orch_engine_unbind(RunState *rs, int index)
{
	RecordBinding *binding;

	if (!rs->def->variables[index].refreshes || rs->frame == NULL)
		return;
	binding = binding_of(rs, index);
	if (binding->keys == NIL)
		return;
	binding->keys = NIL;
	binding->changed = true;
	rs->bindings_changed = true;
}

/*
 * Read $Record and the records of variables again when they are needed next.
 */
void
orch_engine_forget_records(RunState *rs)
{
	int			i;

	rs->record_loaded = false;
	for (i = 0; rs->bindings != NULL && i < rs->def->nvariables; i++)
		rs->bindings[i].fresh = false;
}

/*
 * The run was read again: so are its bindings, but for those that are not stored yet.
 */
void
orch_engine_forget_bindings(RunState *rs)
{
	int			i;

	if (!rs->bindings_changed)
		rs->bindings = NULL;
	/* the engine may have been called for this run meanwhile, and stored others */
	for (i = 0; rs->bindings != NULL && i < rs->def->nvariables; i++)
		rs->bindings[i].stored = true;
}

/*
 * Store the bindings that changed.
 */
void
orch_engine_write_bindings(RunState *rs)
{
	int			i;

	if (!rs->bindings_changed)
		return;
	orch_engine_flush();		/* the run's row must be there */
	for (i = 0; i < rs->def->nvariables; i++)
	{
		RecordBinding *binding = &rs->bindings[i];
		Datum		values[4];

		CHECK_FOR_INTERRUPTS();
		if (!binding->changed)
			continue;
		values[0] = UUIDPGetDatum(&rs->id);
		values[1] = CStringGetTextDatum(rs->def->variables[i].name);
		if (binding->stored)
			orch_plan_execute_latest(&plan_unbind, values, NULL, 0);
		binding->stored = binding->keys != NIL;
		if (binding->stored)
		{
			values[2] = CStringGetTextDatum(rs->def->variables[i].object_type);
			values[3] = orch_text_array(binding->keys);
			orch_plan_execute_latest(&plan_bind, values, NULL, 0);
		}
		binding->changed = false;
	}
	rs->bindings_changed = false;
}

/*
 * The value of a variable, or of a field in it.
 */
JsonbValue *
orch_engine_variable_value(RunState *rs, const Operand *operand)
{
	const VariableDef *variable = &rs->def->variables[operand->index];
	JsonbValue *value;

	if (rs->variables == NULL)
		return NULL;
	if (variable->refreshes && rs->frame != NULL)
	{
		RecordBinding *binding = binding_of(rs, operand->index);

		if (binding->keys != NIL)
		{
			if (!binding->fresh)
				refresh(rs, operand->index, binding);
			value = rs->variables[operand->index];
			if (!variable->is_collection && operand->path != NIL && value != NULL)
			{
				const char *missing;

				value = orch_record_value_at(variable->object_type, linitial(binding->keys),
											 jsonb_of(value), operand->path, &missing);
				if (missing != NULL)
					orch_record_refuse_field(variable->object_type, missing);
				return value;
			}
		}
	}
	value = rs->variables[operand->index];
	return operand->path == NIL || value == NULL ? value :
		orch_condition_value_at(value, operand->path);
}

/*
 * Read the records of a variable again.
 */
static void
refresh(RunState *rs, int index, RecordBinding *binding)
{
	const VariableDef *variable = &rs->def->variables[index];
	JsonbValue *value = fetch_records(variable->object_type, binding,
									  variable->is_collection);

	binding->fresh = true;
	if (orch_condition_same_value(value, rs->variables[index]))
		return;
	rs->variables[index] = orch_engine_copy_value(rs->context, value);
	rs->variables_changed = true;
}

/* The records of a binding; members that were deleted are left out. */
static JsonbValue *
fetch_records(const char *type, RecordBinding *binding, bool is_collection)
{
	JsonbParseState *state = NULL;
	ListCell   *cell;

	if (!is_collection)
	{
		Jsonb	   *record = orch_record_fetch(type, linitial(binding->keys));

		return record == NULL ? NULL : orch_condition_jsonb_value(record);
	}
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, binding->keys)
	{
		Jsonb	   *record = orch_record_fetch(type, lfirst(cell));

		CHECK_FOR_INTERRUPTS();
		if (record != NULL)
			pushJsonbValue(&state, WJB_ELEM, orch_condition_jsonb_value(record));
	}
	return orch_condition_jsonb_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY,
																	   NULL)));
}

/* The Jsonb into which the value of a variable points; see orch_engine_copy_value(). */
static Jsonb *
jsonb_of(JsonbValue *value)
{
	if (value->type != jbvBinary)
		return NULL;
	return (Jsonb *) ((char *) value->val.binary.data - offsetof(Jsonb, root));
}
