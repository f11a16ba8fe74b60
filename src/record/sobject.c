/*-------------------------------------------------------------------------
 *
 * sobject.c
 *	  The documented objects, read once a session from the tables that the
 *	  contract filled; and their records as JSON.
 *
 * The documented calls share this: which objects and fields exist, which calls they
 * support, and which of them the caller may use (column privileges are the reference's
 * field-level security).  Values are written by sobject_json.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/sobject.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/planning.h"
#include "base/system.h"
#include "base/transaction.h"
#include "record/sobject.h"

/* Plans of the callers kept in a session; above this all are dropped. */
#define MAX_PLANS	256

/* Longer text areas cannot be aggregated, in characters. */
#define MAX_SHORT_TEXTAREA	255

typedef struct KeptPlan
{
	char		query[1024];	/* key */
	SPIPlanPtr	plan;
} KeptPlan;

static const struct
{
	const char *name;
	int			call;
}			calls[] = {
	{"create", CALL_CREATE},
	{"delete", CALL_DELETE},
	{"describeLayout", CALL_DESCRIBE_LAYOUT},
	{"describeSObjects", CALL_DESCRIBE_SOBJECTS},
	{"getDeleted", CALL_GET_DELETED},
	{"getUpdated", CALL_GET_UPDATED},
	{"query", CALL_QUERY},
	{"retrieve", CALL_RETRIEVE},
	{"update", CALL_UPDATE},
	{"upsert", CALL_UPSERT}
};
static const struct
{
	const char *name;
	int			property;
}			properties[] = {
	{"Autonumber", FIELD_AUTONUMBER},
	{"Create", FIELD_CREATE},
	{"Defaulted on create", FIELD_DEFAULTED},
	{"Filter", FIELD_FILTER},
	{"Group", FIELD_GROUP},
	{"idLookup", FIELD_ID_LOOKUP},
	{"Nillable", FIELD_NILLABLE},
	{"Restricted picklist", FIELD_RESTRICTED},
	{"Sort", FIELD_SORT},
	{"Update", FIELD_UPDATE}
};
static const char *const types[] = {
	[FIELD_ID] = "id", [FIELD_REFERENCE] = "reference", [FIELD_BOOLEAN] = "boolean",
	[FIELD_DATE_TIME] = "dateTime", [FIELD_STRING] = "string",
	[FIELD_TEXTAREA] = "textarea", [FIELD_PICKLIST] = "picklist",
	[FIELD_INT] = "int", [FIELD_LONG] = "long", [FIELD_URL] = "url",
	[FIELD_ANY] = "anyType"
};
static const char *const associates[] = {
	[ASSOCIATE_NONE] = "", [ASSOCIATE_FEED] = "Feed", [ASSOCIATE_HISTORY] = "History",
	[ASSOCIATE_RULE] = "OwnerSharingRule", [ASSOCIATE_SHARE] = "Share"
};

static StaticPlan plan_objects = {
	"SELECT o.name, o.view_name::pg_catalog.text, o.label, o.label_plural, o.calls,"
	" (o.since * 10)::pg_catalog.int4, o.parent, COALESCE(o.associate, '')"
	" FROM orchestration.sobject o ORDER BY o.position",
	0, {0}
};
static StaticPlan plan_fields = {
	"SELECT f.name, f.column_name::pg_catalog.text, f.label, f.type, f.length,"
	" f.properties, (f.since * 10)::pg_catalog.int4, f.relationship_name, f.refers_to,"
	" ARRAY(SELECT p.value FROM orchestration.sobject_picklist_value p"
	"        WHERE p.object = f.object AND p.field = f.name ORDER BY p.position),"
	" ARRAY(SELECT p.label FROM orchestration.sobject_picklist_value p"
	"        WHERE p.object = f.object AND p.field = f.name ORDER BY p.position)"
	" FROM orchestration.sobject_field f WHERE f.object = $1 ORDER BY f.position",
	1, {TEXTOID}
};
static StaticPlan plan_children = {
	"SELECT c.child_object, c.field, c.relationship_name, c.cascade_delete,"
	" (o.since * 10)::pg_catalog.int4"
	" FROM orchestration.sobject_child_relationship c"
	" JOIN orchestration.sobject o ON o.name = c.child_object WHERE c.object = $1"
	" ORDER BY c.relationship_name",
	1, {TEXTOID}
};

static MemoryContext context = NULL;
static SObject *objects = NULL;
static int	nobjects = 0;
static uint64 loaded_generation = 0;
static HTAB *plans = NULL;

/* Plans that are no longer kept.  One may be executed further out, so they live until the end. */
static List *dropped_plans = NIL;

static void at_end(bool committed);
static void load(void);
static void load_fields(SObject *object);
static void load_children(SObject *object);

static const TransactionModule transaction_module = {
	.name = "sobject",
	.at_end = at_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_sobject_init(void)
{
	orch_transaction_register(&transaction_module);
}

static void
at_end(bool committed)
{
	ListCell   *cell;

	foreach(cell, dropped_plans)
		SPI_freeplan((SPIPlanPtr) lfirst(cell));
	list_free(dropped_plans);
	dropped_plans = NIL;
}

/*
 * A column of a row that SPI returned, copied to the current context.
 */
static char *
text_at(HeapTuple tuple, TupleDesc desc, int column)
{
	return SPI_getvalue(tuple, desc, column);
}

static int
int_at(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;

	return DatumGetInt32(SPI_getbinval(tuple, desc, column, &isnull));
}

static char **
texts_at(HeapTuple tuple, TupleDesc desc, int column, int *n)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, column, &isnull);
	Datum	   *elements;
	char	  **result;
	int			i;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, NULL, n);
	result = palloc(Max(*n, 1) * sizeof(char *));
	for (i = 0; i < *n; i++)
		result[i] = TextDatumGetCString(elements[i]);
	return result;
}

static void
load_fields(SObject *object)
{
	Datum		value = CStringGetTextDatum(object->name);
	TupleDesc	desc;
	int			i;

	orch_plan_execute_latest(&plan_fields, &value, NULL, 0);
	object->nfields = (int) SPI_processed;
	object->fields = MemoryContextAllocZero(context, object->nfields * sizeof(SObjectField));
	desc = SPI_tuptable->tupdesc;
	for (i = 0; i < object->nfields; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		SObjectField *field = &object->fields[i];
		MemoryContext old = MemoryContextSwitchTo(context);
		char	   *type = text_at(tuple, desc, 4);
		char	  **names;
		int			n;
		int			j;
		int			k;

		field->name = text_at(tuple, desc, 1);
		field->column = text_at(tuple, desc, 2);
		field->label = text_at(tuple, desc, 3);
		for (j = 0; j < (int) lengthof(types); j++)
			if (strcmp(types[j], type) == 0)
				field->type = (FieldType) j;
		field->length = int_at(tuple, desc, 5);
		names = texts_at(tuple, desc, 6, &n);
		for (k = 0; k < n; k++)
			for (j = 0; j < (int) lengthof(properties); j++)
				if (strcmp(properties[j].name, names[k]) == 0)
					field->properties |= properties[j].property;
		field->since = int_at(tuple, desc, 7);
		field->relationship = text_at(tuple, desc, 8);
		field->refers_to = texts_at(tuple, desc, 9, &field->nrefers_to);
		field->values = texts_at(tuple, desc, 10, &field->nvalues);
		field->value_labels = texts_at(tuple, desc, 11, &n);
		field->attnum = get_attnum(object->view_oid, field->column);
		field->sql_type = get_atttype(object->view_oid, field->attnum);
		MemoryContextSwitchTo(old);
		if (field->attnum == InvalidAttrNumber)
			elog(ERROR, "view %s has no column \"%s\"", object->view, field->column);
	}
}

static void
load_children(SObject *object)
{
	Datum		value = CStringGetTextDatum(object->name);
	TupleDesc	desc;
	MemoryContext old;
	int			i;

	orch_plan_execute_latest(&plan_children, &value, NULL, 0);
	object->nchildren = (int) SPI_processed;
	desc = SPI_tuptable->tupdesc;
	old = MemoryContextSwitchTo(context);
	object->children = palloc0(Max(object->nchildren, 1) * sizeof(SObjectChild));
	for (i = 0; i < object->nchildren; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;

		object->children[i].object = text_at(tuple, desc, 1);
		object->children[i].field = text_at(tuple, desc, 2);
		object->children[i].relationship = text_at(tuple, desc, 3);
		object->children[i].cascade_delete =
			DatumGetBool(SPI_getbinval(tuple, desc, 4, &isnull));
		object->children[i].since = int_at(tuple, desc, 5);
	}
	MemoryContextSwitchTo(old);
}

/*
 * Fill the cache, unless it is filled.
 */
static void
load(void)
{
	SystemContext saved;
	Oid			schema;
	int			n;
	int			i;

	/* looking up the OIDs of the tables may change the generation */
	schema = get_rel_namespace(orch_catalog_relation(RELATION_SOBJECT_FIELD));
	if (objects != NULL && loaded_generation == orch_catalog_sobject_generation)
		return;

	/* a call further out may still read the old objects: they stay until the end */
	objects = NULL;
	if (context != NULL)
		MemoryContextSetParent(context, TopTransactionContext);
	context = AllocSetContextCreate(TopMemoryContext, "orchestration objects",
									ALLOCSET_DEFAULT_SIZES);
	loaded_generation = orch_catalog_sobject_generation;
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_objects, NULL, NULL, 0);
	n = (int) SPI_processed;
	{
		SObject    *loaded = MemoryContextAllocZero(context, Max(n, 1) * sizeof(SObject));
		SPITupleTable *table = SPI_tuptable;

		for (i = 0; i < n; i++)
		{
			HeapTuple	tuple = table->vals[i];
			SObject    *object = &loaded[i];
			MemoryContext old = MemoryContextSwitchTo(context);
			char	  **names;
			char	   *associate;
			int			nnames;
			int			j;
			int			k;

			object->name = text_at(tuple, table->tupdesc, 1);
			object->view = text_at(tuple, table->tupdesc, 2);
			object->view_oid = get_relname_relid(object->view, schema);
			object->label = text_at(tuple, table->tupdesc, 3);
			object->label_plural = text_at(tuple, table->tupdesc, 4);
			names = texts_at(tuple, table->tupdesc, 5, &nnames);
			for (k = 0; k < nnames; k++)
				for (j = 0; j < (int) lengthof(calls); j++)
					if (strcmp(calls[j].name, names[k]) == 0)
						object->calls |= calls[j].call;
			object->since = int_at(tuple, table->tupdesc, 6);
			object->parent = text_at(tuple, table->tupdesc, 7);
			associate = text_at(tuple, table->tupdesc, 8);
			for (j = 0; j < (int) lengthof(associates); j++)
				if (strcmp(associates[j], associate) == 0)
					object->associate = (Associate) j;
			MemoryContextSwitchTo(old);
			if (!OidIsValid(object->view_oid))
				elog(ERROR, "view %s does not exist", object->view);
			load_fields(object);
			load_children(object);
		}
		objects = loaded;
		nobjects = n;
	}
	orch_system_finish(&saved);
}

int
orch_sobject_count(void)
{
	load();
	return nobjects;
}

const SObject *
orch_sobject_at(int i)
{
	return &objects[i];
}

const SObject *
orch_sobject_find(const char *name)
{
	int			i;

	load();
	for (i = 0; i < nobjects; i++)
		if (pg_strcasecmp(objects[i].name, name) == 0)
			return &objects[i];
	return NULL;
}

const SObjectField *
orch_sobject_field(const SObject *object, const char *name)
{
	int			i;

	for (i = 0; i < object->nfields; i++)
		if (pg_strcasecmp(object->fields[i].name, name) == 0)
			return &object->fields[i];
	return NULL;
}

const char *
orch_sobject_call_name(int call)
{
	int			i;

	for (i = 0; i < (int) lengthof(calls); i++)
		if (calls[i].call == call)
			return calls[i].name;
	return "?";
}

const char *
orch_sobject_type_name(FieldType type)
{
	return types[type];
}

/*
 * NULL for an object that is not associated with another.
 */
const char *
orch_sobject_associate_name(const SObject *object)
{
	return object->associate == ASSOCIATE_NONE ? NULL : associates[object->associate];
}

bool
orch_sobject_found_by_time(const SObject *object)
{
	return object->associate == ASSOCIATE_HISTORY ||
		strcmp(object->name, "FlowOrchestrationLog") == 0;
}

/*
 * Is it one of the documented views?  For invalidation callbacks: touches no
 * catalog.
 */
bool
orch_sobject_is_view(Oid relid)
{
	int			i;

	for (i = 0; objects != NULL && i < nobjects; i++)
		if (objects[i].view_oid == relid)
			return true;
	return false;
}

const SObject *
orch_sobject_get(const char *name, int call)
{
	const SObject *object = orch_sobject_find(name);

	if (object == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_TYPE),
				 errmsg("INVALID_TYPE: sObject type '%s' is not supported", name),
				 errhint("orchestration.sobject lists the objects.")));
	if ((object->calls & call) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_OPERATION),
				 errmsg("INVALID_TYPE_FOR_OPERATION: entity type %s does not support %s",
						object->name, orch_sobject_call_name(call))));
	return object;
}

int
orch_sobject_version(FunctionCallInfo fcinfo, int argno, int newest)
{
	double		asked;

	if (PG_ARGISNULL(argno))
		return newest;
	asked = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											   PG_GETARG_DATUM(argno)));
	if (!(asked >= 1 && asked < 1000))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("api_version must be between 1.0 and 999.9")));
	return (int) (asked * 10 + 0.5);
}

bool
orch_sobject_readable(const SObject *object, const SObjectField *field, Oid role)
{
	return pg_attribute_aclcheck(object->view_oid, field->attnum, role, ACL_SELECT) == ACLCHECK_OK ||
		pg_class_aclcheck(object->view_oid, role, ACL_SELECT) == ACLCHECK_OK;
}

bool
orch_sobject_writable(const SObject *object, const SObjectField *field, Oid role,
					  bool update)
{
	AclMode		mode = update ? ACL_UPDATE : ACL_INSERT;

	if ((field->properties & (update ? FIELD_UPDATE : FIELD_CREATE)) == 0)
		return false;
	return pg_attribute_aclcheck(object->view_oid, field->attnum, role, mode) == ACLCHECK_OK ||
		pg_class_aclcheck(object->view_oid, role, mode) == ACLCHECK_OK;
}

/*
 * May an aggregate other than COUNT() take the field?  reference.md, 5.4.  AVG and SUM
 * take numbers only.
 */
bool
orch_sobject_aggregatable(const SObjectField *field)
{
	switch (field->type)
	{
		case FIELD_BOOLEAN:
		case FIELD_ANY:
			return false;
		case FIELD_TEXTAREA:
			return field->length <= MAX_SHORT_TEXTAREA;
		default:
			return true;
	}
}

/*
 * A plan kept for the session.  Its text names everything with its schema, so
 * that the caller's search_path decides nothing; statistics do not either.
 */
SPIPlanPtr
orch_sobject_plan(const char *query, int nargs, Oid *argtypes)
{
	KeptPlan   *kept;
	SPIPlanPtr	plan;
	bool		found;
	char		key[sizeof(kept->query)];

	if (strlen(query) >= sizeof(key))
		return SPI_prepare(query, nargs, argtypes);
	if (plans == NULL)
	{
		HASHCTL		info;

		info.keysize = sizeof(kept->query);
		info.entrysize = sizeof(KeptPlan);
		plans = hash_create("orchestration plans", 64, &info, HASH_ELEM | HASH_STRINGS);
	}
	strlcpy(key, query, sizeof(key));
	kept = hash_search(plans, key, HASH_FIND, NULL);
	if (kept != NULL)
	{
		orch_planning_prepare(kept->plan, true);
		return kept->plan;
	}
	if (hash_get_num_entries(plans) >= MAX_PLANS)
	{
		HASH_SEQ_STATUS status;
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		hash_seq_init(&status, plans);
		while ((kept = hash_seq_search(&status)) != NULL)
		{
			dropped_plans = lappend(dropped_plans, kept->plan);
			(void) hash_search(plans, kept->query, HASH_REMOVE, NULL);
		}
		MemoryContextSwitchTo(old);
	}
	plan = SPI_prepare_cursor(query, nargs, argtypes, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed for \"%s\": %s", query,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	kept = hash_search(plans, key, HASH_ENTER, &found);
	kept->plan = plan;
	orch_planning_prepare(plan, true);
	return plan;
}

/* -------------------------------------------------------------------- JSON */

void
orch_json_text(JsonbParseState **state, JsonbIteratorToken token, const char *text)
{
	JsonbValue	value;

	value.type = text == NULL ? jbvNull : jbvString;
	if (text != NULL)
	{
		value.val.string.val = unconstify(char *, text);
		value.val.string.len = strlen(text);
	}
	pushJsonbValue(state, token, &value);
}

void
orch_json_key(JsonbParseState **state, const char *key)
{
	orch_json_text(state, WJB_KEY, key);
}

void
orch_json_put_text(JsonbParseState **state, const char *key, const char *text)
{
	orch_json_key(state, key);
	orch_json_text(state, WJB_VALUE, text);
}

void
orch_json_put_null(JsonbParseState **state, const char *key)
{
	orch_json_put_text(state, key, NULL);
}

void
orch_json_put_empty_array(JsonbParseState **state, const char *key)
{
	orch_json_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

void
orch_json_put_bool(JsonbParseState **state, const char *key, bool value)
{
	JsonbValue	json;

	json.type = jbvBool;
	json.val.boolean = value;
	orch_json_key(state, key);
	pushJsonbValue(state, WJB_VALUE, &json);
}

void
orch_json_put_int(JsonbParseState **state, const char *key, int64 value)
{
	JsonbValue	json;

	json.type = jbvNumeric;
	json.val.numeric = int64_to_numeric(value);
	orch_json_key(state, key);
	pushJsonbValue(state, WJB_VALUE, &json);
}
