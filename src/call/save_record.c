/*-------------------------------------------------------------------------
 *
 * save_record.c
 *	  Reads one record of create(), update() or upsert().
 *
 * Everything that describe says of a field is checked here before anything is written:
 * unknown and read-only fields, null, picklists, ids, lengths.  The messages are those of
 * the reference.  The tables check the rest.
 *
 * All faults of a record are reported at once, in this order: its id; names that are no
 * fields or occur twice; fields that cannot be written, as one error; values, an error
 * each; required fields that are missing, as one error.  If its type or its external id is
 * at fault, its fields cannot be judged and are not mentioned.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/save_record.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "base/system.h"
#include "base/uuid.h"
#include "call/save.h"

/* reference.md, 4.8 */
#define MAX_DUPLICATES	12

/* Names that are no fields: so many of a record are reported. */
#define MAX_UNKNOWN		100

/* How often a record has named a field. */
typedef enum Given
{
	GIVEN_NEVER,
	GIVEN_ONCE,
	GIVEN_TWICE					/* reported */
} Given;

/* The fields of a record, while they are read. */
typedef struct FieldReader
{
	SaveCall	call;			/* what becomes of the record: create or update */
	SaveRecord *record;
	SaveResult *result;
	Given	   *given;			/* by the number of the field */
	JsonbValue	values[SAVE_MAX_FIELDS];	/* of record->fields */
	int			nunknown;
	List	   *readonly;		/* names */
	List	   *missing;		/* names */
} FieldReader;

static bool find_external(SaveRecord *record, SaveResult *result);
static char *scalar_text(JsonbValue *value);
static char *checked_text(FieldReader *reader, const SObjectField *field,
						  JsonbValue *value);
static void check_null(FieldReader *reader, const SObjectField *field);
static void check_text(FieldReader *reader, const SObjectField *field, const char *text);
static void given_twice(SaveResult *result, const char *name);
static bool read_identity(SaveCall call, JsonbContainer *container, SaveRecord *record,
						  SaveResult *result);
static bool read_external_id(const char *external_id, JsonbValue *element,
							 SaveRecord *record, SaveResult *result);
static void no_such_column(const SObject *object, const char *name, SaveResult *result);
static void read_name(FieldReader *reader, const char *name, const JsonbValue *value,
					  const char *external_id);
static void read_fields_to_null(FieldReader *reader, const JsonbValue *value,
								const char *external_id);
static void read_names(FieldReader *reader, JsonbContainer *container,
					   const char *external_id);
static void check_values(FieldReader *reader);
static void check_required(FieldReader *reader);
static void read_fields(const SaveState *state, SaveCall call, JsonbContainer *container,
						SaveRecord *record, SaveResult *result);
static bool check_duplicates(SaveState *state, const SaveRecord *record,
							 SaveResult *result);

/*
 * The member of a JSON object, NULL if there is none or value is no object.
 */
JsonbValue *
orch_save_member(const JsonbValue *value, const char *key)
{
	if (value == NULL || value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		return NULL;
	return getKeyJsonValueFromContainer(value->val.binary.data, key, strlen(key), NULL);
}

/*
 * The member of a JSON object under the name of a field, in any case of letters, NULL if
 * there is none.
 */
JsonbValue *
orch_save_field_member(const JsonbValue *record, const char *name)
{
	JsonbValue *value = orch_save_member(record, name);
	JsonbIterator *it;
	JsonbValue	key;
	int			len = (int) strlen(name);

	if (value != NULL || record == NULL || record->type != jbvBinary ||
		!JsonContainerIsObject(record->val.binary.data))
		return value;
	it = JsonbIteratorInit(record->val.binary.data);
	(void) JsonbIteratorNext(&it, &key, false);
	value = palloc(sizeof(JsonbValue));
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, value, true);
		if (key.val.string.len == len &&
			pg_strncasecmp(key.val.string.val, name, len) == 0)
			return value;
	}
	return NULL;
}

/*
 * A JSON string, NULL if the value is none.
 */
char *
orch_save_string(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * Set the id of a result.  Its text must outlast the record: the current memory context
 * does not.
 */
void
orch_save_set_id(SaveResult *result, const pg_uuid_t *id)
{
	MemoryContext old = MemoryContextSwitchTo(result->context);

	result->id = orch_uuid_text(id);
	MemoryContextSwitchTo(old);
}

/*
 * upsert(): set the id of the record that has the external id already, if any.  False:
 * more than one record has it.
 */
static bool
find_external(SaveRecord *record, SaveResult *result)
{
	Oid			type = TEXTOID;
	Datum		value = CStringGetTextDatum(record->values[0]);
	char	   *query = psprintf("SELECT x.id FROM orchestration.%s x"
								 " WHERE x.%s OPERATOR(pg_catalog.=) $1",
								 record->object->view,
								 quote_identifier(record->fields[0]->column));
	bool		isnull;

	if (orch_execute_latest(orch_sobject_plan(query, 1, &type), &value, NULL, 2) !=
		SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed for \"%s\"", query);
	if (SPI_processed > 1)
	{
		orch_save_fail(result, "DUPLICATE_EXTERNAL_ID", record->fields[0]->name,
					   "%s: more than one record found for external id field",
					   record->fields[0]->name);
		return false;
	}
	if (SPI_processed == 1)
	{
		record->id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 1, &isnull));
		record->has_id = true;
	}
	return true;
}

/*
 * A string, number or boolean as text without blanks around it, NULL for other values.
 */
static char *
scalar_text(JsonbValue *value)
{
	char	   *text;
	int			len;
	int			start = 0;

	switch (value->type)
	{
		case jbvString:
			text = value->val.string.val;
			len = value->val.string.len;
			while (len > 0 && isspace((unsigned char) text[len - 1]))
				len--;
			while (start < len && isspace((unsigned char) text[start]))
				start++;
			return pnstrdup(text + start, len - start);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

/*
 * The text to write for a value: NULL for null, and for a value that was reported.
 */
static char *
checked_text(FieldReader *reader, const SObjectField *field, JsonbValue *value)
{
	char	   *text = value->type == jbvNull ? NULL : scalar_text(value);

	if (value->type != jbvNull &&
		(text == NULL ||
		 (value->type != jbvString &&
		  !(value->type == jbvNumeric && field->type == FIELD_REFERENCE &&
			field->sql_type == TEXTOID))))
	{
		orch_save_fail(reader->result, "INVALID_TYPE_ON_FIELD_IN_RECORD", field->name,
					   "%s: value not of required type", field->name);
		return NULL;
	}
	/* the platform stores an empty string as null */
	if (text == NULL || text[0] == '\0')
	{
		check_null(reader, field);
		return NULL;
	}
	check_text(reader, field, text);
	return text;
}

/*
 * Check that a field may be null.
 */
static void
check_null(FieldReader *reader, const SObjectField *field)
{
	if ((field->properties & FIELD_NILLABLE) != 0)
		return;
	if ((field->properties & FIELD_RESTRICTED) != 0)
		orch_save_fail(reader->result, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", field->name,
					   "%s: bad value for restricted picklist field: null", field->name);
	else if (strcmp(field->name, "OwnerId") == 0)
		orch_save_fail(reader->result, "INVALID_EMPTY_KEY_OWNER", field->name,
					   "Owner ID: owner cannot be blank");
	else
		reader->missing = lappend(reader->missing, field->name);
}

/*
 * Check a value that is not null.
 */
static void
check_text(FieldReader *reader, const SObjectField *field, const char *text)
{
	SaveResult *result = reader->result;
	pg_uuid_t	id;
	int			i;

	if ((field->properties & FIELD_RESTRICTED) != 0)
	{
		for (i = 0; i < field->nvalues; i++)
			if (strcmp(field->values[i], text) == 0)
				break;
		if (i == field->nvalues)
			orch_save_fail(result, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", field->name,
						   "%s: bad value for restricted picklist field: %s", field->name,
						   orch_save_clipped(text));
	}
	else if (field->sql_type == UUIDOID)
	{
		if (!orch_uuid_parse(text, &id))
			orch_save_fail(result, "MALFORMED_ID", field->name,
						   "%s: id value of incorrect type: %s", field->name,
						   orch_save_clipped(text));
	}
	else if (field->type != FIELD_REFERENCE && field->length > 0 &&
			 pg_mbstrlen(text) > field->length)
		orch_save_fail(result, "STRING_TOO_LONG", field->name,
					   "%s: data value too large: %s (max length=%d)", field->name,
					   orch_save_clipped(text), field->length);
}

static void
given_twice(SaveResult *result, const char *name)
{
	orch_save_fail(result, "INVALID_FIELD", name, "field %s is given more than once", name);
}

/*
 * Type and id of a record, and whether the object supports the call.  False: the type is
 * at fault.  A fault of the id is in the result.
 */
static bool
read_identity(SaveCall call, JsonbContainer *container, SaveRecord *record,
			  SaveResult *result)
{
	static const int calls[] = {
		[SAVE_CREATE] = CALL_CREATE, [SAVE_UPDATE] = CALL_UPDATE,
		[SAVE_UPSERT] = CALL_UPSERT
	};
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	id = {.type = jbvNull};
	int			nids = 0;
	char	   *type = NULL;

	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);

		(void) JsonbIteratorNext(&it, &value, true);
		if (strcmp(name, "attributes") == 0)
			type = orch_save_string(orch_save_member(&value, "type"));
		else if (pg_strcasecmp(name, "Id") == 0)
		{
			id = value;
			nids++;
		}
	}
	if (nids > 1)
		given_twice(result, "Id");
	else if (id.type != jbvNull)
	{
		char	   *text = scalar_text(&id);

		record->has_id = id.type == jbvString && orch_uuid_parse(text, &record->id);
		if (!record->has_id)
			orch_save_malformed_id(result, text == NULL ? "(no string)" : text);
		else if (call != SAVE_CREATE)
			orch_save_set_id(result, &record->id);
	}
	if (type == NULL)
	{
		orch_save_fail(result, "INVALID_TYPE", NULL,
					   "sObject type missing: a record needs \"attributes\": {\"type\": ...}");
		return false;
	}
	record->object = orch_sobject_find(type);
	if (record->object == NULL)
	{
		orch_save_fail(result, "INVALID_TYPE", NULL, "sObject type '%s' is not supported.",
					   orch_save_clipped(type));
		return false;
	}
	if ((record->object->calls & calls[call]) == 0)
	{
		orch_save_fail(result, "INVALID_TYPE_FOR_OPERATION", NULL,
					   "entity type %s does not support %s", record->object->name,
					   orch_sobject_call_name(calls[call]));
		return false;
	}
	return true;
}

/*
 * upsert(): the external id field and its value, which becomes the first field of the
 * record.  The id of the record that has it already, if any, becomes the record's id.
 */
static bool
read_external_id(const char *external_id, JsonbValue *element, SaveRecord *record,
				 SaveResult *result)
{
	const SObjectField *field = orch_sobject_field(record->object, external_id);
	JsonbValue *found;
	char	   *text;

	if (field == NULL || !orch_sobject_readable(record->object, field, GetUserId()))
	{
		no_such_column(record->object, external_id, result);
		return false;
	}
	if (strcmp(field->name, "Id") == 0)
		return true;
	if ((field->properties & FIELD_ID_LOOKUP) == 0)
	{
		orch_save_fail(result, "INVALID_FIELD", field->name,
					   "Field name provided, %s does not match an External ID, Salesforce Id, or indexed field for %s",
					   field->name, record->object->name);
		return false;
	}
	if (record->has_id)
	{
		orch_save_fail(result, "INVALID_FIELD", "Id",
					   "The Id field should not be specified in the sobject data.");
		return false;
	}
	found = orch_save_field_member(element, field->name);
	text = found == NULL || found->type != jbvString ? NULL : scalar_text(found);
	if (text == NULL || text[0] == '\0')
	{
		orch_save_fail(result, "MISSING_ARGUMENT", field->name,
					   "%s not specified", field->name);
		return false;
	}
	record->fields[0] = field;
	record->values[0] = text;
	return find_external(record, result);
}

static void
no_such_column(const SObject *object, const char *name, SaveResult *result)
{
	orch_save_fail(result, "INVALID_FIELD", NULL, "No such column '%s' on sobject of type %s",
				   orch_save_clipped(name), object->name);
}

/*
 * A name and its value: note the field, to be written if the caller may write it.  A field
 * that the caller cannot read is reported as one that does not exist.
 */
static void
read_name(FieldReader *reader, const char *name, const JsonbValue *value,
		  const char *external_id)
{
	SaveRecord *record = reader->record;
	const SObjectField *field = orch_sobject_field(record->object, name);
	Given	   *given;

	if (field == NULL || !orch_sobject_readable(record->object, field, GetUserId()))
	{
		if (reader->nunknown++ < MAX_UNKNOWN)
			no_such_column(record->object, name, reader->result);
		return;
	}
	given = &reader->given[field - record->object->fields];
	if (*given != GIVEN_NEVER)
	{
		if (*given == GIVEN_ONCE)
			given_twice(reader->result, field->name);
		*given = GIVEN_TWICE;
		return;
	}
	*given = GIVEN_ONCE;
	/* the record that an upsert found has this value already */
	if (external_id != NULL && reader->call == SAVE_UPDATE &&
		pg_strcasecmp(field->name, external_id) == 0)
		return;
	if (!orch_sobject_writable(record->object, field, GetUserId(),
							   reader->call == SAVE_UPDATE))
	{
		reader->readonly = lappend(reader->readonly, field->name);
		return;
	}
	if (record->nfields >= SAVE_MAX_FIELDS)
		elog(ERROR, "too many fields");
	reader->values[record->nfields] = *value;
	record->fields[record->nfields++] = field;
}

/*
 * "fieldsToNull": names of fields.
 */
static void
read_fields_to_null(FieldReader *reader, const JsonbValue *value, const char *external_id)
{
	static const JsonbValue null = {.type = jbvNull};
	JsonbContainer *array;
	uint32		i;

	if (value->type == jbvNull)
		return;
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
		!JsonContainerIsScalar(value->val.binary.data))
	{
		array = value->val.binary.data;
		for (i = 0; i < JsonContainerSize(array); i++)
		{
			char	   *name = orch_save_string(getIthJsonbValueFromContainer(array, i));

			CHECK_FOR_INTERRUPTS();
			if (name == NULL)
				break;
			read_name(reader, name, &null, external_id);
		}
		if (i == JsonContainerSize(array))
			return;
	}
	orch_save_fail(reader->result, "INVALID_FIELD", "fieldsToNull",
				   "fieldsToNull must be an array of field names");
}

/*
 * All names of a record.  jsonb has kept the last of several keys that are the same; keys
 * that differ in case only are here.
 */
static void
read_names(FieldReader *reader, JsonbContainer *container, const char *external_id)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	to_null = {.type = jbvNull};

	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);

		CHECK_FOR_INTERRUPTS();
		(void) JsonbIteratorNext(&it, &value, true);
		if (strcmp(name, "fieldsToNull") == 0)
			to_null = value;
		else if (strcmp(name, "attributes") != 0 && pg_strcasecmp(name, "Id") != 0)
			read_name(reader, name, &value, external_id);
		pfree(name);
	}
	read_fields_to_null(reader, &to_null, external_id);
}

/*
 * Check the values of the fields to be written, and add them to the record.
 */
static void
check_values(FieldReader *reader)
{
	SaveRecord *record = reader->record;
	int			i;

	for (i = 0; i < record->nfields; i++)
		record->values[i] = checked_text(reader, record->fields[i], &reader->values[i]);
}

/*
 * Find the fields that a new record must have: those that have no default and cannot be
 * null.
 */
static void
check_required(FieldReader *reader)
{
	const SObject *object = reader->record->object;
	int			i;

	for (i = 0; i < object->nfields; i++)
	{
		SObjectField *field = &object->fields[i];

		if (reader->given[i] == GIVEN_NEVER && (field->properties & FIELD_CREATE) != 0 &&
			(field->properties & (FIELD_NILLABLE | FIELD_DEFAULTED)) == 0)
			reader->missing = lappend(reader->missing, field->name);
	}
}

/*
 * The fields and their values.  call: what becomes of the record; an upsert is a create
 * or an update by now.
 */
static void
read_fields(const SaveState *state, SaveCall call, JsonbContainer *container,
			SaveRecord *record, SaveResult *result)
{
	FieldReader reader = {.call = call, .record = record, .result = result};

	reader.given = palloc0(Max(record->object->nfields, 1) * sizeof(Given));
	read_names(&reader, container, state->external_id);
	if (reader.readonly != NIL)
		orch_save_fail_fields(result, "INVALID_FIELD_FOR_INSERT_UPDATE", reader.readonly,
							  "Unable to create/update fields: ",
							  ". Please check the security settings of this field and verify that it is read/write for your profile or permission set.");
	check_values(&reader);
	if (call == SAVE_CREATE)
		check_required(&reader);
	if (reader.missing != NIL)
		orch_save_fail_fields(result, "REQUIRED_FIELD_MISSING", reader.missing,
							  "Required fields are missing: [", "]");
}

/*
 * One record: {"attributes": {"type": ...}, "Id": ..., field: value,
 * "fieldsToNull": [...]}.  False: the result says why it cannot be written.
 */
bool
orch_save_parse(SaveState *state, JsonbValue *element, SaveRecord *record,
				SaveResult *result)
{
	SaveCall	call = state->call;
	JsonbContainer *container;

	memset(record, 0, sizeof(SaveRecord));
	if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
	{
		orch_save_fail(result, "INVALID_TYPE", NULL, "a record must be a JSON object");
		return false;
	}
	container = element->val.binary.data;
	if (!read_identity(call, container, record, result))
		return false;
	if (call == SAVE_UPSERT)
	{
		if (!read_external_id(state->external_id, element, record, result))
			return false;
		/* a record with a faulty id was to be updated */
		call = record->has_id || result->errors != NIL ? SAVE_UPDATE : SAVE_CREATE;
	}
	if (call == SAVE_UPDATE && !record->has_id && result->errors == NIL)
		orch_save_fail(result, "MISSING_ARGUMENT", "Id", "Id not specified in an update call");
	if (call == SAVE_CREATE && record->has_id)
		orch_save_fail(result, "INVALID_FIELD_FOR_INSERT_UPDATE", "Id",
					   "cannot specify Id in an insert call");
	read_fields(state, call, container, record, result);
	return result->errors == NIL &&
		(call != SAVE_UPDATE || check_duplicates(state, record, result));
}

/*
 * A call may name the same id MAX_DUPLICATES times.
 */
static bool
check_duplicates(SaveState *state, const SaveRecord *record, SaveResult *result)
{
	int			n = 0;
	int			i;

	for (i = 0; i < state->nids; i++)
		if (orch_uuid_equal(&state->ids[i], &record->id))
			n++;
	state->ids[state->nids++] = record->id;
	if (n < MAX_DUPLICATES)
		return true;
	orch_save_fail(result, "DUPLICATE_VALUE", "Id",
				   "Maximum number of duplicate updates in one batch (%d allowed). Attempt to update Id more than once in this Api call: %s",
				   MAX_DUPLICATES, orch_uuid_text(&record->id));
	return false;
}
