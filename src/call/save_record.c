/*-------------------------------------------------------------------------
 *
 * save_record.c
 *	  Reads one record of create(), update() or upsert().
 *
 * Everything that describe says of a field is checked here, in the words of the
 * reference, before anything is written: unknown and read-only fields, null,
 * picklists, ids, lengths.  What only the tables can say is left to them.
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

static bool set_field(SaveRecord *record, const SObjectField *field, char *value,
					  SaveResult *result);
static char *scalar_text(JsonbValue *value);
static bool check_value(SaveRecord *record, const SObjectField *field,
						JsonbValue *value, SaveCall call, SaveResult *result);
static bool find_external(SaveRecord *record, SaveResult *result);
static bool check_duplicates(SaveState *state, const SaveRecord *record,
							 SaveResult *result);

/*
 * SPI leaves the process in a memory context that ends with the record.
 */
void
orch_save_set_id(SaveResult *result, const pg_uuid_t *id)
{
	MemoryContext old = MemoryContextSwitchTo(result->context);

	result->id = orch_uuid_text(id);
	MemoryContextSwitchTo(old);
}

/*
 * upsert(): the record that has the external id already, if any.
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

static bool
set_field(SaveRecord *record, const SObjectField *field, char *value,
		  SaveResult *result)
{
	int			i;

	for (i = 0; i < record->nfields; i++)
		if (record->fields[i] == field)
		{
			orch_save_fail(result, "INVALID_FIELD", field->name,
						   "field %s is given more than once", field->name);
			return false;
		}
	if (record->nfields >= SAVE_MAX_FIELDS)
		elog(ERROR, "too many fields");
	record->fields[record->nfields] = field;
	record->values[record->nfields++] = value;
	return true;
}

/*
 * A string, number or boolean as text, without blanks around it; NULL: it is none
 * of them.
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
 * One field of a record: may it be written, and with this?  value NULL: null.
 */
static bool
check_value(SaveRecord *record, const SObjectField *field, JsonbValue *value,
			SaveCall call, SaveResult *result)
{
	bool		update = call == SAVE_UPDATE;
	char	   *text;
	pg_uuid_t	id;
	int			i;

	if (!orch_sobject_writable(record->object, field, GetUserId(), update))
	{
		orch_save_fail(result, "INVALID_FIELD_FOR_INSERT_UPDATE", field->name,
					   "Unable to create/update fields: %s. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
					   field->name);
		return false;
	}
	text = value == NULL || value->type == jbvNull ? NULL : scalar_text(value);
	if (value != NULL && value->type != jbvNull &&
		(text == NULL ||
		 (value->type != jbvString &&
		  !(value->type == jbvNumeric && field->type == FIELD_REFERENCE &&
			field->sql_type == TEXTOID))))
	{
		orch_save_fail(result, "INVALID_TYPE_ON_FIELD_IN_RECORD", field->name,
					   "%s: value not of required type", field->name);
		return false;
	}
	/* the platform does not tell an empty string from null */
	if (text != NULL && text[0] == '\0')
		text = NULL;
	if (text == NULL)
	{
		if ((field->properties & FIELD_NILLABLE) == 0)
		{
			if ((field->properties & FIELD_RESTRICTED) != 0)
				orch_save_fail(result, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", field->name,
							   "%s: bad value for restricted picklist field: null", field->name);
			else if (strcmp(field->name, "OwnerId") == 0)
				orch_save_fail(result, "INVALID_EMPTY_KEY_OWNER", field->name,
							   "Owner ID: owner cannot be blank");
			else
				orch_save_fail(result, "REQUIRED_FIELD_MISSING", field->name,
							   "Required fields are missing: [%s]", field->name);
			return false;
		}
		return set_field(record, field, NULL, result);
	}
	if ((field->properties & FIELD_RESTRICTED) != 0)
	{
		for (i = 0; i < field->nvalues; i++)
			if (strcmp(field->values[i], text) == 0)
				break;
		if (i == field->nvalues)
		{
			orch_save_fail(result, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", field->name,
						   "%s: bad value for restricted picklist field: %s", field->name,
						   pnstrdup(text, pg_mbcliplen(text, strlen(text), 80)));
			return false;
		}
	}
	if (field->sql_type == UUIDOID && !orch_uuid_parse(text, &id))
	{
		orch_save_fail(result, "MALFORMED_ID", field->name, "%s: id value of incorrect type: %s",
					   field->name, pnstrdup(text, pg_mbcliplen(text, strlen(text), 80)));
		return false;
	}
	if (field->type != FIELD_REFERENCE && field->length > 0 &&
		pg_mbstrlen(text) > field->length)
	{
		orch_save_fail(result, "STRING_TOO_LONG", field->name,
					   "%s: data value too large: %s (max length=%d)", field->name,
					   pnstrdup(text, pg_mbcliplen(text, strlen(text), 80)), field->length);
		return false;
	}
	return set_field(record, field, text, result);
}

/*
 * {"attributes": {"type": ...}, "Id": ..., field: value, "fieldsToNull": [...]}
 */
bool
orch_save_parse(SaveState *state, JsonbValue *element, SaveRecord *record,
			 SaveResult *result)
{
	static const int calls[] = {
		[SAVE_CREATE] = CALL_CREATE, [SAVE_UPDATE] = CALL_UPDATE,
		[SAVE_UPSERT] = CALL_UPSERT
	};
	JsonbContainer *container;
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue *id = NULL;
	char	   *type = NULL;
	SaveCall	call = state->call;
	List	   *pending = NIL;
	ListCell   *cell;

	memset(record, 0, sizeof(SaveRecord));
	if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
	{
		orch_save_fail(result, "INVALID_TYPE", NULL, "a record must be a JSON object");
		return false;
	}
	container = element->val.binary.data;

	/* first what the record is */
	it = JsonbIteratorInit(container);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);

		(void) JsonbIteratorNext(&it, &value, true);
		if (strcmp(name, "attributes") == 0)
		{
			JsonbValue	type_key;
			JsonbValue *found = NULL;

			type_key.type = jbvString;
			type_key.val.string.val = "type";
			type_key.val.string.len = strlen("type");
			if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
				found = findJsonbValueFromContainer(value.val.binary.data, JB_FOBJECT, &type_key);
			if (found != NULL && found->type == jbvString)
				type = pnstrdup(found->val.string.val, found->val.string.len);
		}
		else if (pg_strcasecmp(name, "Id") == 0)
		{
			id = palloc(sizeof(JsonbValue));
			*id = value;
		}
	}
	if (id != NULL && id->type != jbvNull)
	{
		char	   *text = scalar_text(id);

		if (text == NULL || id->type != jbvString || !orch_uuid_parse(text, &record->id))
		{
			orch_save_fail(result, "MALFORMED_ID", "Id", "Id: id value of incorrect type: %s",
						   text == NULL ? "(no string)" :
						   pnstrdup(text, pg_mbcliplen(text, strlen(text), 80)));
			return false;
		}
		record->has_id = true;
		if (call != SAVE_CREATE)
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
					   pnstrdup(type, pg_mbcliplen(type, strlen(type), 80)));
		return false;
	}
	if ((record->object->calls & calls[call]) == 0)
	{
		orch_save_fail(result, "INVALID_TYPE_FOR_OPERATION", NULL,
					   "entity type %s does not support %s", record->object->name,
					   orch_sobject_call_name(calls[call]));
		return false;
	}

	/* then with which values; an upsert has to be one of the two before */
	if (call == SAVE_UPSERT)
	{
		const SObjectField *field = orch_sobject_field(record->object, state->external_id);

		if (field == NULL)
		{
			orch_save_fail(result, "INVALID_FIELD", NULL,
						   "No such column '%s' on sobject of type %s", state->external_id,
						   record->object->name);
			return false;
		}
		if (strcmp(field->name, "Id") != 0 && (field->properties & FIELD_ID_LOOKUP) == 0)
		{
			orch_save_fail(result, "INVALID_FIELD", field->name,
						   "Field name provided, %s does not match an External ID, Salesforce Id, or indexed field for %s",
						   field->name, record->object->name);
			return false;
		}
		if (strcmp(field->name, "Id") != 0)
		{
			JsonbValue	name_key;
			JsonbValue *found;
			char	   *text;

			if (record->has_id)
			{
				orch_save_fail(result, "INVALID_FIELD", "Id",
							   "The Id field should not be specified in the sobject data.");
				return false;
			}
			name_key.type = jbvString;
			name_key.val.string.val = field->name;
			name_key.val.string.len = strlen(field->name);
			found = findJsonbValueFromContainer(container, JB_FOBJECT, &name_key);
			text = found == NULL || found->type != jbvString ? NULL : scalar_text(found);
			if (text == NULL || text[0] == '\0')
			{
				orch_save_fail(result, "MISSING_ARGUMENT", field->name,
							   "%s not specified", field->name);
				return false;
			}
			record->fields[0] = field;
			record->values[0] = text;
			if (!find_external(record, result))
				return false;
		}
		call = record->has_id ? SAVE_UPDATE : SAVE_CREATE;
	}
	if (call == SAVE_UPDATE && !record->has_id)
	{
		orch_save_fail(result, "MISSING_ARGUMENT", "Id", "Id not specified in an update call");
		return false;
	}
	if (call == SAVE_CREATE && record->has_id)
	{
		orch_save_fail(result, "INVALID_FIELD_FOR_INSERT_UPDATE", "Id",
					   "cannot specify Id in an insert call");
		return false;
	}

	it = JsonbIteratorInit(container);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);
		const SObjectField *field;

		(void) JsonbIteratorNext(&it, &value, true);
		if (strcmp(name, "attributes") == 0 || pg_strcasecmp(name, "Id") == 0)
			continue;
		if (strcmp(name, "fieldsToNull") == 0)
		{
			uint32		n;

			if (value.type == jbvNull)
				continue;
			if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data) ||
				JsonContainerIsScalar(value.val.binary.data))
			{
				orch_save_fail(result, "INVALID_FIELD", "fieldsToNull",
							   "fieldsToNull must be an array of field names");
				return false;
			}
			for (n = 0; n < JsonContainerSize(value.val.binary.data); n++)
			{
				JsonbValue *element_name = getIthJsonbValueFromContainer(value.val.binary.data, n);

				if (element_name->type != jbvString)
				{
					orch_save_fail(result, "INVALID_FIELD", "fieldsToNull",
								   "fieldsToNull must be an array of field names");
					return false;
				}
				pending = lappend(pending, pnstrdup(element_name->val.string.val,
													element_name->val.string.len));
			}
			continue;
		}
		field = orch_sobject_field(record->object, name);
		if (field == NULL || !orch_sobject_readable(record->object, field, GetUserId()))
		{
			orch_save_fail(result, "INVALID_FIELD", NULL,
						   "No such column '%s' on sobject of type %s",
						   pnstrdup(name, pg_mbcliplen(name, strlen(name), 80)),
						   record->object->name);
			return false;
		}
		/* the key of an upsert is what the record has already */
		if (state->call == SAVE_UPSERT && call == SAVE_UPDATE &&
			pg_strcasecmp(field->name, state->external_id) == 0)
			continue;
		if (!check_value(record, field, &value, call, result))
			return false;
	}
	foreach(cell, pending)
	{
		char	   *name = (char *) lfirst(cell);
		const SObjectField *field = orch_sobject_field(record->object, name);

		if (field == NULL || !orch_sobject_readable(record->object, field, GetUserId()))
		{
			orch_save_fail(result, "INVALID_FIELD", NULL,
						   "No such column '%s' on sobject of type %s",
						   pnstrdup(name, pg_mbcliplen(name, strlen(name), 80)),
						   record->object->name);
			return false;
		}
		if (!check_value(record, field, NULL, call, result))
			return false;
	}
	return call != SAVE_UPDATE || check_duplicates(state, record, result);
}

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
