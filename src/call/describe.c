/*-------------------------------------------------------------------------
 *
 * describe.c
 *	  describe_sobjects(), describe_global(): what the documented objects are made of.
 *
 * SOAP and REST spell some keys in their own ways; a description has both.
 *
 * A description takes a few hundred kilobytes and seldom changes, so a session keeps
 * the last ones, each for a role, a list of names and an API version.  Changes of column
 * privileges, record types and roles invalidate all of them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/describe.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/formatting.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "call/describe.h"
#include "record/sobject.h"
#include "record/sobject_json.h"

/* reference.md, 4.2 */
#define MAX_TYPES		100

/* Records that a call of the platform takes; reference.md, 4.8. */
#define MAX_BATCH		200

/* Descriptions that a session keeps. */
#define MAX_ANSWERS		4
#define NEWEST_VERSION	PG_INT32_MAX

/* Record types that are registered in this database. */
typedef struct RecordTypes
{
	int			n;
	char	  **names;
} RecordTypes;

/* The generations were read before the description was made. */
typedef struct Answer
{
	MemoryContext context;		/* NULL: unused */
	uint64		generation;
	uint64		sobject_generation;
	Oid			role;
	int			version;
	char	   *names;			/* one after the other */
	Jsonb	   *json;			/* NULL: invalid */
	uint64		last_used;
} Answer;

static Answer answers[MAX_ANSWERS];
static uint64 generation = 1;
static uint64 clock_hand = 0;

static StaticPlan plan_record_types = {
	"SELECT name FROM orchestration.record_type ORDER BY name", 0, {0}
};

static void invalidate_relation(Datum arg, Oid relid);
static void invalidate_all(Datum arg, int cacheid, uint32 hashvalue);
static void put_reference_to(JsonbParseState **state, const SObjectField *field,
							 const RecordTypes *types);
static void put_picklist(JsonbParseState **state, const SObjectField *field);
static void put_field(JsonbParseState **state, const SObject *object,
					  const SObjectField *field, Oid role, const RecordTypes *types);
static bool deleted_with_parent(const SObject *object, const SObjectField *field);
static void put_rest_keys(JsonbParseState **state, const SObject *object,
						  const SObjectField *field);
static void put_child(JsonbParseState **state, const SObjectChild *child);
static void put_url(JsonbParseState **state, const char *key, const SObject *object,
					int version, const char *rest);
static void put_scope(JsonbParseState **state, const SObject *object, const char *name,
					  const char *whose);
static void put_flags(JsonbParseState **state, const SObject *object);
static void put_object(JsonbParseState **state, const SObject *object, int version,
					   Oid role, const RecordTypes *types);
static char **names_argument(FunctionCallInfo fcinfo, int argno, int version, int *nnames);
static Answer *find_answer(Oid role, int version, const char *names, bool *found);
static void keep_answer(Answer *answer, Oid role, int version, const char *names,
						const Jsonb *json);
static void read_record_types(RecordTypes *types);
static bool is_readable(const SObject *object, int version, Oid role);

/*
 * Called once, by _PG_init().
 */
void
orch_describe_init(void)
{
	CacheRegisterRelcacheCallback(invalidate_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, invalidate_all, (Datum) 0);
}

/*
 * GRANT on one of the views changes what a role may read and write.
 */
static void
invalidate_relation(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || orch_sobject_is_view(relid))
		generation++;
}

static void
invalidate_all(Datum arg, int cacheid, uint32 hashvalue)
{
	generation++;
}

/*
 * The contract's targets; those of a polymorphic lookup include the record types that are
 * registered.
 */
static void
put_reference_to(JsonbParseState **state, const SObjectField *field,
				 const RecordTypes *types)
{
	int			i;
	int			j;

	orch_json_key(state, "referenceTo");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < field->nrefers_to; i++)
		orch_json_text(state, WJB_ELEM, field->refers_to[i]);
	if (field->nrefers_to > 2)
	{
		for (j = 0; j < types->n; j++)
		{
			for (i = 0; i < field->nrefers_to; i++)
				if (strcmp(field->refers_to[i], types->names[j]) == 0)
					break;
			if (i == field->nrefers_to)
				orch_json_text(state, WJB_ELEM, types->names[j]);
		}
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
put_picklist(JsonbParseState **state, const SObjectField *field)
{
	int			i;

	orch_json_key(state, "picklistValues");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < field->nvalues; i++)
	{
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		orch_json_put_bool(state, "active", true);
		orch_json_put_bool(state, "defaultValue", false);
		orch_json_put_text(state, "label", field->value_labels[i]);
		orch_json_put_null(state, "validFor");
		orch_json_put_text(state, "value", field->values[i]);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/*
 * Is the record deleted with the record to which the field refers?
 */
static bool
deleted_with_parent(const SObject *object, const SObjectField *field)
{
	const SObject *parent = field->nrefers_to == 1 ?
		orch_sobject_find(field->refers_to[0]) : NULL;
	int			i;

	for (i = 0; parent != NULL && i < parent->nchildren; i++)
		if (strcmp(parent->children[i].object, object->name) == 0 &&
			strcmp(parent->children[i].field, field->name) == 0)
			return parent->children[i].cascade_delete;
	return false;
}

/*
 * The keys of a field that only REST has.
 */
static void
put_rest_keys(JsonbParseState **state, const SObject *object, const SObjectField *field)
{
	orch_json_put_bool(state, "aiPredictionField", false);
	orch_json_put_bool(state, "autoNumber", (field->properties & FIELD_AUTONUMBER) != 0);
	orch_json_put_null(state, "calculatedFormula");
	orch_json_put_bool(state, "cascadeDelete", deleted_with_parent(object, field));
	orch_json_put_null(state, "compoundFieldName");
	if (field->type == FIELD_BOOLEAN)
		orch_json_put_bool(state, "defaultValue", false);
	else
		orch_json_put_null(state, "defaultValue");
	orch_json_put_bool(state, "displayLocationInDecimal", false);
	orch_json_put_bool(state, "externalId", false);
	orch_json_put_bool(state, "formulaTreatNullNumberAsZero", false);
	orch_json_put_bool(state, "queryByDistance", false);
	orch_json_put_bool(state, "restrictedDelete", false);
}

static void
put_field(JsonbParseState **state, const SObject *object, const SObjectField *field,
		  Oid role, const RecordTypes *types)
{
	bool		is_text = field->type == FIELD_STRING || field->type == FIELD_TEXTAREA ||
		field->type == FIELD_PICKLIST || field->type == FIELD_URL || field->type == FIELD_ANY;
	bool		is_name = strcmp(field->name, "Name") == 0;
	int			properties = field->properties;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	put_rest_keys(state, object, field);
	orch_json_put_bool(state, "aggregatable", orch_sobject_aggregatable(field));
	orch_json_put_bool(state, "autonumber", (properties & FIELD_AUTONUMBER) != 0);
	/* the platform counts three bytes a character; ids are ASCII */
	orch_json_put_int(state, "byteLength", is_text ? field->length * 3 : field->length);
	orch_json_put_bool(state, "calculated", false);
	orch_json_put_bool(state, "caseSensitive", false);
	orch_json_put_null(state, "controllerName");
	orch_json_put_bool(state, "createable",
					   orch_sobject_writable(object, field, role, false));
	orch_json_put_bool(state, "custom", false);
	orch_json_put_bool(state, "defaultedOnCreate", (properties & FIELD_DEFAULTED) != 0);
	orch_json_put_null(state, "defaultValueFormula");
	orch_json_put_bool(state, "dependentPicklist", false);
	orch_json_put_bool(state, "deprecatedAndHidden", false);
	orch_json_put_int(state, "digits", field->type == FIELD_INT ? 9 :
					  field->type == FIELD_LONG ? 18 : 0);
	orch_json_put_bool(state, "encrypted", false);
	orch_json_put_text(state, "extraTypeInfo",
					   field->type == FIELD_TEXTAREA ? "plaintextarea" : NULL);
	orch_json_put_bool(state, "filterable", (properties & FIELD_FILTER) != 0);
	orch_json_put_null(state, "filteredLookupInfo");
	orch_json_put_null(state, "formula");
	orch_json_put_bool(state, "groupable", (properties & FIELD_GROUP) != 0);
	orch_json_put_bool(state, "highScaleNumber", false);
	orch_json_put_bool(state, "htmlFormatted", false);
	orch_json_put_bool(state, "idLookup", (properties & FIELD_ID_LOOKUP) != 0);
	orch_json_put_null(state, "inlineHelpText");
	orch_json_put_text(state, "label", field->label);
	orch_json_put_int(state, "length", field->length);
	orch_json_put_null(state, "mask");
	orch_json_put_null(state, "maskType");
	orch_json_put_text(state, "name", field->name);
	orch_json_put_bool(state, "nameField", is_name);
	orch_json_put_bool(state, "namePointing", field->nrefers_to > 1);
	orch_json_put_bool(state, "nillable", (properties & FIELD_NILLABLE) != 0);
	orch_json_put_bool(state, "permissionable", (properties & FIELD_NILLABLE) != 0);
	put_picklist(state, field);
	orch_json_put_bool(state, "polymorphicForeignKey", field->nrefers_to > 1);
	orch_json_put_int(state, "precision", 0);
	orch_json_put_null(state, "referenceTargetField");
	put_reference_to(state, field, types);
	orch_json_put_text(state, "relationshipName", field->relationship);
	orch_json_put_null(state, "relationshipOrder");
	orch_json_put_bool(state, "restrictedPicklist", (properties & FIELD_RESTRICTED) != 0);
	orch_json_put_int(state, "scale", 0);
	orch_json_put_bool(state, "searchPrefilterable", false);
	orch_json_put_text(state, "soapType",
					   field->type == FIELD_ID || field->type == FIELD_REFERENCE ? "tns:ID" :
					   field->type == FIELD_BOOLEAN ? "xsd:boolean" :
					   field->type == FIELD_DATE_TIME ? "xsd:dateTime" :
					   field->type == FIELD_INT ? "xsd:int" :
					   field->type == FIELD_LONG ? "xsd:long" :
					   field->type == FIELD_ANY ? "xsd:anyType" : "xsd:string");
	orch_json_put_bool(state, "sortable", (properties & FIELD_SORT) != 0);
	/* describe writes this type in lower case, the object reference does not */
	orch_json_put_text(state, "type", field->type == FIELD_DATE_TIME ? "datetime" :
					   orch_sobject_type_name(field->type));
	orch_json_put_bool(state, "unique", (properties & FIELD_AUTONUMBER) != 0 ||
					   strcmp(field->name, "DeveloperName") == 0 ||
					   (strcmp(field->name, "Username") == 0 &&
						(properties & FIELD_ID_LOOKUP) != 0));
	orch_json_put_bool(state, "updateable",
					   orch_sobject_writable(object, field, role, true));
	orch_json_put_bool(state, "writeRequiresMasterRead", false);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
put_child(JsonbParseState **state, const SObjectChild *child)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	orch_json_put_bool(state, "cascadeDelete", child->cascade_delete);
	orch_json_put_text(state, "childSObject", child->object);
	orch_json_put_bool(state, "deprecatedAndHidden", false);
	orch_json_put_text(state, "field", child->field);
	orch_json_put_empty_array(state, "junctionIdListNames");
	orch_json_put_empty_array(state, "junctionReferenceTo");
	orch_json_put_text(state, "relationshipName", child->relationship);
	orch_json_put_bool(state, "restrictedDelete", false);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * /services/data/v67.0/sobjects/User, and what follows it.
 */
static void
put_url(JsonbParseState **state, const char *key, const SObject *object, int version,
		const char *rest)
{
	if (version == NEWEST_VERSION)
		version = ORCH_API_NEWEST;
	orch_json_put_text(state, key, psprintf(ORCH_API_URL "/sobjects/%s%s",
											version / 10, version % 10, object->name,
											rest));
}

static void
put_scope(JsonbParseState **state, const SObject *object, const char *name,
		  const char *whose)
{
	char	   *plural = asc_tolower(object->label_plural, strlen(object->label_plural));

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	orch_json_put_text(state, "label", psprintf("%s %s", whose, plural));
	orch_json_put_text(state, "name", name);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * What both descriptions say of an object.
 */
static void
put_flags(JsonbParseState **state, const SObject *object)
{
	bool		has_feed = false;
	int			i;

	for (i = 0; i < object->nchildren; i++)
		has_feed |= strcmp(object->children[i].relationship, "Feeds") == 0;

	orch_json_put_bool(state, "activateable", false);
	orch_json_put_text(state, "associateEntityType", orch_sobject_associate_name(object));
	orch_json_put_text(state, "associateParentEntity", object->parent);
	orch_json_put_bool(state, "createable", (object->calls & CALL_CREATE) != 0);
	orch_json_put_bool(state, "custom", false);
	orch_json_put_bool(state, "customSetting", false);
	orch_json_put_bool(state, "dataTranslationEnabled", false);
	orch_json_put_bool(state, "deepCloneable", false);
	orch_json_put_bool(state, "deletable", (object->calls & CALL_DELETE) != 0);
	orch_json_put_bool(state, "deprecatedAndHidden", false);
	orch_json_put_bool(state, "feedEnabled", has_feed);
	orch_json_put_bool(state, "hasSubtypes", false);
	orch_json_put_bool(state, "isInterface", false);
	orch_json_put_bool(state, "isSubtype", false);
	/* ids are uuids, which do not tell the object */
	orch_json_put_null(state, "keyPrefix");
	orch_json_put_text(state, "label", object->label);
	orch_json_put_text(state, "labelPlural", object->label_plural);
	orch_json_put_bool(state, "layoutable", (object->calls & CALL_DESCRIBE_LAYOUT) != 0);
	orch_json_put_bool(state, "mergeable", false);
	orch_json_put_bool(state, "mruEnabled", false);
	orch_json_put_text(state, "name", object->name);
	orch_json_put_bool(state, "queryable", (object->calls & CALL_QUERY) != 0);
	orch_json_put_bool(state, "replicateable", (object->calls & CALL_GET_UPDATED) != 0);
	orch_json_put_bool(state, "retrieveable", (object->calls & CALL_RETRIEVE) != 0);
	orch_json_put_bool(state, "searchable", false);
	orch_json_put_bool(state, "triggerable", false);
	orch_json_put_bool(state, "undeletable", false);
	orch_json_put_bool(state, "updateable", (object->calls & CALL_UPDATE) != 0);
}

static void
put_object(JsonbParseState **state, const SObject *object, int version, Oid role,
		   const RecordTypes *types)
{
	static const char *const no_values[] = {
		"defaultImplementation", "extendedBy", "extendsInterfaces", "implementedBy",
		"implementsInterfaces", "listviewable", "lookupLayoutable",
		"networkScopeFieldName", "urlDetail", "urlEdit", "urlNew"
	};
	int			i;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	put_flags(state, object);
	for (i = 0; i < (int) lengthof(no_values); i++)
		orch_json_put_null(state, no_values[i]);
	orch_json_put_empty_array(state, "actionOverrides");
	orch_json_key(state, "childRelationships");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < object->nchildren; i++)
		if (object->children[i].since <= version)
			put_child(state, &object->children[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_put_bool(state, "compactLayoutable", false);
	orch_json_key(state, "fields");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < object->nfields; i++)
		if (object->fields[i].since <= version &&
			orch_sobject_readable(object, &object->fields[i], role))
			put_field(state, object, &object->fields[i], role, types);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_put_empty_array(state, "namedLayoutInfos");
	orch_json_key(state, "recordTypeInfos");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (object->associate == ASSOCIATE_NONE)
		orch_describe_put_record_type(state, false, NULL);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_put_bool(state, "searchLayoutable", false);
	orch_json_put_text(state, "sobjectDescribeOption", "FULL");
	orch_json_key(state, "supportedScopes");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	put_scope(state, object, "everything", "All");
	if (orch_sobject_field(object, "OwnerId") != NULL)
		put_scope(state, object, "mine", "My");
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_key(state, "urls");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	put_url(state, "sobject", object, version, "");
	put_url(state, "describe", object, version, "/describe");
	put_url(state, "rowTemplate", object, version, "/{ID}");
	if ((object->calls & CALL_DESCRIBE_LAYOUT) != 0)
		put_url(state, "layouts", object, version, "/describe/layouts");
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * The main record type, which is the only one.  mapping: as a layout has it, with the
 * picklists of the object.
 */
void
orch_describe_put_record_type(JsonbParseState **state, bool mapping,
							  const SObject *object)
{
	int			i;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	orch_json_put_bool(state, "active", true);
	orch_json_put_bool(state, "available", true);
	orch_json_put_bool(state, "defaultRecordTypeMapping", true);
	orch_json_put_text(state, "developerName", "Master");
	orch_json_put_bool(state, "master", true);
	if (mapping)
	{
		orch_json_put_null(state, "layoutId");
		orch_json_key(state, "picklistsForRecordType");
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		for (i = 0; i < object->nfields; i++)
		{
			const SObjectField *field = &object->fields[i];

			if (field->nvalues == 0 || !orch_sobject_readable(object, field, GetUserId()))
				continue;
			pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
			orch_json_put_text(state, "picklistName", field->name);
			put_picklist(state, field);
			pushJsonbValue(state, WJB_END_OBJECT, NULL);
		}
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
	}
	orch_json_put_text(state, "name", "Master");
	orch_json_put_text(state, "recordTypeId", MAIN_RECORD_TYPE_ID);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * The names of the objects to describe, as the contract spells them.
 */
static char **
names_argument(FunctionCallInfo fcinfo, int argno, int version, int *nnames)
{
	Datum	   *elements;
	bool	   *nulls;
	char	  **names;
	int			i;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argno), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, nnames);
	if (*nnames > MAX_TYPES)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("EXCEEDED_MAX_TYPES_LIMIT: too many types to describe"),
				 errdetail("%d were asked for, at most %d can be.", *nnames, MAX_TYPES)));
	names = palloc(Max(*nnames, 1) * sizeof(char *));
	for (i = 0; i < *nnames; i++)
	{
		const SObject *object;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("names must not contain null")));
		names[i] = TextDatumGetCString(elements[i]);
		object = orch_sobject_get(names[i], CALL_DESCRIBE_SOBJECTS);
		if (object->since > version)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_TYPE),
					 errmsg("INVALID_TYPE: sObject type '%s' is not supported", names[i]),
					 errdetail("It came with version %d.%d.", object->since / 10,
							   object->since % 10)));
		names[i] = pstrdup(object->name);
	}
	return names;
}

/*
 * The kept description or, when there is none that is valid, the place for a new one: the
 * least recently used.
 */
static Answer *
find_answer(Oid role, int version, const char *names, bool *found)
{
	Answer	   *oldest = &answers[0];
	int			i;

	for (i = 0; i < MAX_ANSWERS; i++)
	{
		Answer	   *answer = &answers[i];

		*found = answer->json != NULL && answer->role == role &&
			answer->version == version && answer->generation == generation &&
			answer->sobject_generation == orch_catalog_sobject_generation &&
			strcmp(answer->names, names) == 0;
		if (*found)
			return answer;
		if (answer->last_used < oldest->last_used)
			oldest = answer;
	}
	return oldest;
}

/*
 * Keep a description; the generations are set.
 */
static void
keep_answer(Answer *answer, Oid role, int version, const char *names, const Jsonb *json)
{
	MemoryContext old;

	if (answer->context == NULL)
		answer->context = AllocSetContextCreate(TopMemoryContext,
												"orchestration description",
												ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(answer->context);
	old = MemoryContextSwitchTo(answer->context);
	answer->names = pstrdup(names);
	answer->role = role;
	answer->version = version;
	answer->last_used = ++clock_hand;
	answer->json = DatumGetJsonbP(datumCopy(JsonbPGetDatum(json), false, -1));
	MemoryContextSwitchTo(old);
}

static void
read_record_types(RecordTypes *types)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	int			i;

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_record_types, NULL, NULL, 0);
	types->n = (int) SPI_processed;
	types->names = MemoryContextAlloc(caller, Max(types->n, 1) * sizeof(char *));
	for (i = 0; i < types->n; i++)
		types->names[i] = MemoryContextStrdup(caller,
											  SPI_getvalue(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc, 1));
	orch_system_finish(&saved);
}

PG_FUNCTION_INFO_V1(orchestration_describe_sobjects);

/*
 * orchestration.describe_sobjects(objects text[], api_version numeric)
 *		returns jsonb
 *
 * Returns an array with a description of each object, in the order of the names.  Left
 * out are fields that the caller cannot read, and objects and fields that are newer than
 * api_version (null: the newest).  createable and updateable of a field follow from the
 * caller's privileges.  keyPrefix is null, because ids are uuids.
 * Raises: 22004 for null names, OR401 (INVALID_TYPE) for an unknown object or one newer
 * than the version, OR404 (EXCEEDED_MAX_TYPES_LIMIT) for more than 100 objects, 22023 for
 * an invalid version, 42501 for a role that acts as no active user.
 * Source: reference.md, 4.2; contract/fields.csv, column since.
 */
Datum
orchestration_describe_sobjects(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	int			version;
	int			nnames;
	char	  **names;
	StringInfoData key;
	JsonbParseState *state = NULL;
	Jsonb	   *json;
	RecordTypes types;
	Answer	   *answer;
	bool		found;
	int			i;

	(void) orch_access_require_user(role);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("names must not be null"),
				 errhint("ARRAY(SELECT name FROM orchestration.sobject) are all.")));
	version = orch_sobject_version(fcinfo, 1, NEWEST_VERSION);
	names = names_argument(fcinfo, 0, version, &nnames);
	initStringInfo(&key);
	for (i = 0; i < nnames; i++)
		appendStringInfo(&key, "%s ", names[i]);
	answer = find_answer(role, version, key.data, &found);
	if (found)
	{
		answer->last_used = ++clock_hand;
		PG_RETURN_DATUM(datumCopy(JsonbPGetDatum(answer->json), false, -1));
	}

	/* a change that is noticed from here on must invalidate this description */
	answer->json = NULL;
	answer->generation = generation;
	answer->sobject_generation = orch_catalog_sobject_generation;
	read_record_types(&types);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < nnames; i++)
		put_object(&state, orch_sobject_get(names[i], CALL_DESCRIBE_SOBJECTS), version,
				   role, &types);
	json = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	keep_answer(answer, role, version, key.data, json);
	PG_RETURN_JSONB_P(json);
}

/*
 * Can the role read a field of the object that exists in the version?
 */
static bool
is_readable(const SObject *object, int version, Oid role)
{
	int			i;

	for (i = 0; i < object->nfields; i++)
		if (object->fields[i].since <= version &&
			orch_sobject_readable(object, &object->fields[i], role))
			return true;
	return false;
}

PG_FUNCTION_INFO_V1(orchestration_describe_global);

/*
 * orchestration.describe_global(api_version numeric) returns jsonb
 *
 * Returns "encoding", "maxBatchSize" and "sobjects": the objects without their fields.
 * Left out are objects that are newer than api_version (null: the newest) and objects of
 * which the caller can read no field.
 * Raises: 22023 for an invalid version, 42501 for a role that acts as no active user.
 * Source: the platform's describeGlobal, and GET /services/data/v67.0/sobjects.
 */
Datum
orchestration_describe_global(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	JsonbParseState *state = NULL;
	int			version;
	int			nobjects;
	int			i;

	(void) orch_access_require_user(role);
	version = orch_sobject_version(fcinfo, 0, NEWEST_VERSION);
	nobjects = orch_sobject_count();
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	orch_json_put_text(&state, "encoding", "UTF-8");
	orch_json_put_int(&state, "maxBatchSize", MAX_BATCH);
	orch_json_key(&state, "sobjects");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < nobjects; i++)
	{
		const SObject *object = orch_sobject_at(i);

		if (object->since > version || !is_readable(object, version, role))
			continue;
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		put_flags(&state, object);
		orch_json_key(&state, "urls");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		put_url(&state, "sobject", object, version, "");
		put_url(&state, "describe", object, version, "/describe");
		put_url(&state, "rowTemplate", object, version, "/{ID}");
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
