/*-------------------------------------------------------------------------
 *
 * layout.c
 *	  describe_layout(): how the records of an object are shown.
 *
 * A layout has sections of fields, and related lists.  describe_layout() shows the layout
 * that was stored with set_layout() or, if there is none, one made from the fields; both
 * in the documented shape.  Layouts restrict nothing.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/layout.c
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

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "call/describe.h"
#include "evaluate/condition.h"
#include "record/sobject.h"

#define MAX_SECTIONS	100
#define MAX_COLUMNS		2

typedef struct Section
{
	char	   *heading;
	int			columns;
	int			nfields;
	const SObjectField **fields;
} Section;

typedef struct RelatedList
{
	const SObjectChild *child;
	const SObject *object;
	int			ncolumns;
	const SObjectField **columns;
} RelatedList;

typedef struct Layout
{
	int			nsections;
	Section    *sections;
	int			nlists;
	RelatedList *lists;
} Layout;

static StaticPlan plan_get = {
	"SELECT layout FROM orchestration.sobject_layout WHERE object = $1", 1, {TEXTOID}
};
static StaticPlan plan_set = {
	"INSERT INTO orchestration.sobject_layout (object, layout) VALUES ($1, $2)"
	" ON CONFLICT (object) DO UPDATE SET layout = EXCLUDED.layout",
	2, {TEXTOID, JSONBOID}
};
static StaticPlan plan_unset = {
	"DELETE FROM orchestration.sobject_layout WHERE object = $1", 1, {TEXTOID}
};

static bool is_system_field(const SObjectField *field);
static void default_layout(const SObject *object, Layout *layout);
static void malformed(const SObject *object, const char *detail) pg_attribute_noreturn();
static char *member_text(const SObject *object, JsonbContainer *container, const char *key);
static JsonbContainer *member_array(const SObject *object, JsonbContainer *container,
									const char *key);
static const SObjectField **parse_fields(const SObject *object, const SObject *of,
										 JsonbContainer *array, int *n);
static int	parse_columns(const SObject *object, const JsonbValue *value);
static void parse_section(const SObject *object, JsonbValue *value, Section *section);
static void parse_list(const SObject *object, JsonbValue *value, RelatedList *list);
static void parse_layout(const SObject *object, Jsonb *json, Layout *layout);
static void put_section(JsonbParseState **state, const SObject *object,
						const Section *section, bool edit, Oid role);
static void put_list(JsonbParseState **state, const RelatedList *list, Oid role);
static void put_sections(JsonbParseState **state, const char *key, const SObject *object,
						 const Layout *layout, bool edit, Oid role);
static void put_layout(JsonbParseState **state, const SObject *object,
					   const Layout *layout, Oid role);
static void check_record_types(const SObject *object, ArrayType *array);
static Jsonb *stored_layout(const SObject *object);

static bool
is_system_field(const SObjectField *field)
{
	static const char *const names[] = {
		"Id", "IsDeleted", "CreatedById", "CreatedDate", "LastModifiedById",
		"LastModifiedDate", "SystemModstamp", "LastReferencedDate", "LastViewedDate"
	};
	int			i;

	for (i = 0; i < (int) lengthof(names); i++)
		if (strcmp(names[i], field->name) == 0)
			return true;
	return false;
}

/*
 * A section with the fields of the object, a section with the system fields, and a list
 * for each child relationship.
 */
static void
default_layout(const SObject *object, Layout *layout)
{
	static char *const headings[] = {"Information", "System Information"};
	int			i;
	int			j;

	layout->nsections = 2;
	layout->sections = palloc0(2 * sizeof(Section));
	for (j = 0; j < 2; j++)
	{
		Section    *section = &layout->sections[j];

		section->heading = headings[j];
		section->columns = 1;
		section->fields = palloc(object->nfields * sizeof(SObjectField *));
		for (i = 0; i < object->nfields; i++)
		{
			const SObjectField *field = &object->fields[i];

			if (is_system_field(field) == (j == 1) &&
				strcmp(field->name, "Id") != 0 && strcmp(field->name, "IsDeleted") != 0)
				section->fields[section->nfields++] = field;
		}
	}

	layout->nlists = object->nchildren;
	layout->lists = palloc0(Max(object->nchildren, 1) * sizeof(RelatedList));
	for (j = 0; j < object->nchildren; j++)
	{
		RelatedList *list = &layout->lists[j];

		list->child = &object->children[j];
		list->object = orch_sobject_find(list->child->object);
		list->columns = palloc(list->object->nfields * sizeof(SObjectField *));
		for (i = 0; i < list->object->nfields; i++)
			if (!is_system_field(&list->object->fields[i]) &&
				strcmp(list->object->fields[i].name, list->child->field) != 0)
				list->columns[list->ncolumns++] = &list->object->fields[i];
	}
}

static void
malformed(const SObject *object, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the layout for %s cannot be used", object->name),
			 errdetail_internal("%s", detail)));
}

static char *
member_text(const SObject *object, JsonbContainer *container, const char *key)
{
	JsonbValue *value = orch_condition_field(container, key);

	if (value == NULL || value->type != jbvString)
		malformed(object, psprintf("\"%s\" must be a string.", key));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * The array under a key, NULL if the key is absent.
 */
static JsonbContainer *
member_array(const SObject *object, JsonbContainer *container, const char *key)
{
	JsonbValue *value = orch_condition_field(container, key);

	if (value == NULL)
		return NULL;
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerIsScalar(value->val.binary.data))
		malformed(object, psprintf("\"%s\" must be an array.", key));
	return value->val.binary.data;
}

/*
 * Names of fields of an object (of), which the layout of object shows.
 */
static const SObjectField **
parse_fields(const SObject *object, const SObject *of, JsonbContainer *array, int *n)
{
	const SObjectField **fields;
	uint32		i;

	*n = 0;
	if (array == NULL)
		return NULL;
	if (JsonContainerSize(array) > (uint32) of->nfields)
		malformed(object, psprintf("%s has only %d fields.", of->name, of->nfields));
	fields = palloc(Max(JsonContainerSize(array), 1) * sizeof(SObjectField *));
	for (i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);
		char	   *name;

		if (value->type != jbvString)
			malformed(object, "Fields are named by strings.");
		name = pnstrdup(value->val.string.val, value->val.string.len);
		fields[*n] = orch_sobject_field(of, name);
		if (fields[*n] == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_FIELD),
					 errmsg("INVALID_FIELD: No such column '%s' on sobject of type %s",
							name, of->name)));
		(*n)++;
	}
	return fields;
}

/*
 * The number of columns of a section; 1 if it says none.
 */
static int
parse_columns(const SObject *object, const JsonbValue *value)
{
	int			i;

	if (value == NULL)
		return 1;
	for (i = 1; i <= MAX_COLUMNS && value->type == jbvNumeric; i++)
		if (DatumGetBool(DirectFunctionCall2(numeric_eq,
											 NumericGetDatum(value->val.numeric),
											 NumericGetDatum(int64_to_numeric(i)))))
			return i;
	malformed(object, "\"columns\" must be 1 or 2.");
}

static void
parse_section(const SObject *object, JsonbValue *value, Section *section)
{
	JsonbContainer *members;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		malformed(object, "Each section must be an object.");
	members = value->val.binary.data;
	section->heading = member_text(object, members, "heading");
	section->columns = parse_columns(object, orch_condition_field(members, "columns"));
	section->fields = parse_fields(object, object, member_array(object, members, "fields"),
								   &section->nfields);
}

static void
parse_list(const SObject *object, JsonbValue *value, RelatedList *list)
{
	JsonbContainer *members;
	char	   *name;
	int			i;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		malformed(object, "Each related list must be an object.");
	members = value->val.binary.data;
	name = member_text(object, members, "name");
	for (i = 0; i < object->nchildren; i++)
		if (pg_strcasecmp(object->children[i].relationship, name) == 0)
			list->child = &object->children[i];
	if (list->child == NULL)
		malformed(object, psprintf("It has no child relationship \"%s\".", name));
	list->object = orch_sobject_find(list->child->object);
	list->columns = parse_fields(object, list->object,
								 member_array(object, members, "columns"),
								 &list->ncolumns);
}

/*
 * The notation of set_layout(); raises 22023, OR402.
 */
static void
parse_layout(const SObject *object, Jsonb *json, Layout *layout)
{
	JsonbContainer *array;
	int			i;

	memset(layout, 0, sizeof(Layout));
	if (!JB_ROOT_IS_OBJECT(json))
		malformed(object, "It must be a JSON object with the keys \"sections\" and \"relatedLists\".");
	array = member_array(object, &json->root, "sections");
	if (array == NULL || JsonContainerSize(array) == 0 ||
		JsonContainerSize(array) > MAX_SECTIONS)
		malformed(object, psprintf("\"sections\" must have 1 to %d elements.", MAX_SECTIONS));
	layout->nsections = (int) JsonContainerSize(array);
	layout->sections = palloc0(layout->nsections * sizeof(Section));
	for (i = 0; i < layout->nsections; i++)
		parse_section(object, getIthJsonbValueFromContainer(array, i), &layout->sections[i]);

	array = member_array(object, &json->root, "relatedLists");
	if (array == NULL)
		return;
	if (JsonContainerSize(array) > (uint32) object->nchildren)
		malformed(object, psprintf("%s has only %d child relationships.", object->name,
								   object->nchildren));
	layout->nlists = (int) JsonContainerSize(array);
	layout->lists = palloc0(Max(layout->nlists, 1) * sizeof(RelatedList));
	for (i = 0; i < layout->nlists; i++)
		parse_list(object, getIthJsonbValueFromContainer(array, i), &layout->lists[i]);
}

static void
put_section(JsonbParseState **state, const SObject *object, const Section *section,
			bool edit, Oid role)
{
	int			nvisible = 0;
	int			nrows = 0;
	int			tab = 0;
	int			i;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	orch_json_put_int(state, "columns", section->columns);
	orch_json_put_text(state, "heading", section->heading);
	orch_json_key(state, "layoutRows");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < section->nfields; i++)
	{
		const SObjectField *field = section->fields[i];
		bool		editable = orch_sobject_writable(object, field, role, true) &&
			(object->calls & CALL_UPDATE) != 0;
		bool		creatable = orch_sobject_writable(object, field, role, false);
		bool		required = (editable || creatable) &&
			(field->properties & (FIELD_NILLABLE | FIELD_DEFAULTED)) == 0;

		if (!orch_sobject_readable(object, field, role))
			continue;
		if (nvisible++ % section->columns == 0)
		{
			if (nrows++ > 0)
			{
				pushJsonbValue(state, WJB_END_ARRAY, NULL);
				orch_json_put_int(state, "numItems", section->columns);
				pushJsonbValue(state, WJB_END_OBJECT, NULL);
			}
			pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
			orch_json_key(state, "layoutItems");
			pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		}
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		orch_json_put_bool(state, "editableForNew", edit && creatable);
		orch_json_put_bool(state, "editableForUpdate", edit && editable);
		orch_json_put_text(state, "label", field->label);
		orch_json_key(state, "layoutComponents");
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		orch_json_put_int(state, "displayLines", field->type == FIELD_TEXTAREA ? 4 : 1);
		orch_json_put_int(state, "tabOrder", ++tab);
		orch_json_put_text(state, "type", "Field");
		orch_json_put_text(state, "value", field->name);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
		orch_json_put_null(state, "placeholder");
		orch_json_put_bool(state, "required", required);
		orch_json_put_text(state, "uiBehavior", required ? "Required" :
						   editable || creatable ? "Edit" : "Readonly");
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	if (nrows > 0)
	{
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
		orch_json_put_int(state, "numItems", (nvisible - 1) % section->columns + 1);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_put_null(state, "parentLayoutId");
	orch_json_put_int(state, "rows", nrows);
	orch_json_put_text(state, "tabOrder", "LeftToRight");
	orch_json_put_bool(state, "useCollapsibleSection", false);
	orch_json_put_bool(state, "useHeading", true);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
put_list(JsonbParseState **state, const RelatedList *list, Oid role)
{
	int			i;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	orch_json_put_empty_array(state, "buttons");
	orch_json_key(state, "columns");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < list->ncolumns; i++)
	{
		const SObjectField *field = list->columns[i];

		if (!orch_sobject_readable(list->object, field, role))
			continue;
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		orch_json_put_text(state, "field", psprintf("%s.%s", list->object->name, field->name));
		orch_json_put_text(state, "fieldApiName", field->name);
		orch_json_put_text(state, "format", field->type == FIELD_DATE_TIME ? "datetime" : NULL);
		orch_json_put_text(state, "label", field->label);
		orch_json_put_null(state, "lookupId");
		orch_json_put_text(state, "name", field->name);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_put_bool(state, "custom", false);
	orch_json_put_text(state, "field", list->child->field);
	orch_json_put_text(state, "label", list->object->label_plural);
	orch_json_put_int(state, "limitRows", 0);
	orch_json_put_text(state, "name", list->child->relationship);
	orch_json_put_text(state, "sobject", list->child->object);
	orch_json_put_empty_array(state, "sort");
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
put_sections(JsonbParseState **state, const char *key, const SObject *object,
			 const Layout *layout, bool edit, Oid role)
{
	int			i;

	orch_json_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < layout->nsections; i++)
		put_section(state, object, &layout->sections[i], edit, role);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
put_layout(JsonbParseState **state, const SObject *object, const Layout *layout, Oid role)
{
	int			i;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	orch_json_put_null(state, "buttonLayoutSection");
	put_sections(state, "detailLayoutSections", object, layout, false, role);
	put_sections(state, "editLayoutSections", object, layout, true, role);
	orch_json_put_null(state, "highlightsPanelLayoutSection");
	orch_json_put_null(state, "id");
	orch_json_put_empty_array(state, "multirowEditLayoutSections");
	orch_json_put_null(state, "quickActionList");
	orch_json_put_null(state, "relatedContent");
	orch_json_key(state, "relatedLists");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < layout->nlists; i++)
		put_list(state, &layout->lists[i], role);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_put_empty_array(state, "saveOptions");
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * There is one record type, the main one.
 */
static void
check_record_types(const SObject *object, ArrayType *array)
{
	Datum	   *ids;
	bool	   *nulls;
	int			nids;
	int			i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &ids, &nulls, &nids);
	for (i = 0; i < nids; i++)
		if (nulls[i] || strcmp(TextDatumGetCString(ids[i]), MAIN_RECORD_TYPE_ID) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s has no record type \"%s\"", object->name,
							nulls[i] ? "null" : TextDatumGetCString(ids[i])),
					 errdetail("The main record type, %s, is the only one.",
							   MAIN_RECORD_TYPE_ID)));
}

/*
 * What set_layout() stored for an object, or NULL.
 */
static Jsonb *
stored_layout(const SObject *object)
{
	Datum		value = CStringGetTextDatum(object->name);
	SystemContext saved;
	Jsonb	   *stored = NULL;

	orch_system_connect(&saved);
	orch_plan_execute(&plan_get, &value, NULL, true, 1);
	if (SPI_processed > 0)
	{
		bool		isnull;
		Datum		json = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
										 1, &isnull);

		stored = DatumGetJsonbP(SPI_datumTransfer(PointerGetDatum(PG_DETOAST_DATUM(json)),
												  false, -1));
	}
	orch_system_finish(&saved);
	return stored;
}

PG_FUNCTION_INFO_V1(orchestration_describe_layout);

/*
 * orchestration.describe_layout(object text, layout_name text,
 *		record_type_ids text[]) returns jsonb
 *
 * Returns how the records of an object are shown: the stored layout, or one made from its
 * fields; without fields that the caller cannot read.  There are no named layouts and one
 * record type, the main one (012000000000000AAA).
 * Raises: 22004 for a null name, OR401 (INVALID_TYPE) for an unknown object, OR403
 * (INVALID_TYPE_FOR_OPERATION) for an object without layouts, 22023 for a layout name or
 * another record type, 42501 for a role that acts as no active user.
 * Source: reference.md, 4.3.
 */
Datum
orchestration_describe_layout(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	const SObject *object;
	Layout		layout;
	Jsonb	   *stored;
	JsonbParseState *state = NULL;

	(void) orch_access_require_user(role);
	orch_require_arguments(fcinfo, 0, 1, "name");
	object = orch_sobject_get(text_to_cstring(PG_GETARG_TEXT_PP(0)), CALL_DESCRIBE_LAYOUT);
	if (!PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has no layout named \"%s\"", object->name,
						text_to_cstring(PG_GETARG_TEXT_PP(1))),
				 errdetail("There are no named layouts.")));
	if (!PG_ARGISNULL(2))
		check_record_types(object, PG_GETARG_ARRAYTYPE_P(2));
	stored = stored_layout(object);
	if (stored != NULL)
		parse_layout(object, stored, &layout);
	else
		default_layout(object, &layout);

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	orch_json_put_empty_array(&state, "feedView");
	orch_json_key(&state, "layouts");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	put_layout(&state, object, &layout, role);
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	orch_json_key(&state, "recordTypeMappings");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	orch_describe_put_record_type(&state, true, object);
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	orch_json_put_bool(&state, "recordTypeSelectorRequired", false);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

PG_FUNCTION_INFO_V1(orchestration_set_layout);

/*
 * orchestration.set_layout(object text, layout jsonb) returns void
 *
 * Stores the layout of an object; null removes it, so that the one made from the fields
 * is shown again.  No role is granted EXECUTE.
 * Raises: 22004 for a null name, OR401 and OR403 as describe_layout(), 22023 for a layout
 * that cannot be used, OR402 (INVALID_FIELD) for an unknown field.
 * Source: ours.
 */
Datum
orchestration_set_layout(PG_FUNCTION_ARGS)
{
	const SObject *object;
	SystemContext saved;
	Datum		values[2];
	Layout		layout;

	orch_require_arguments(fcinfo, 0, 1, "name");
	object = orch_sobject_get(text_to_cstring(PG_GETARG_TEXT_PP(0)), CALL_DESCRIBE_LAYOUT);
	if (!PG_ARGISNULL(1))
		parse_layout(object, PG_GETARG_JSONB_P(1), &layout);

	values[0] = CStringGetTextDatum(object->name);
	values[1] = PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1);
	orch_system_connect(&saved);
	orch_plan_execute_latest(PG_ARGISNULL(1) ? &plan_unset : &plan_set, values, NULL, 0);
	orch_system_finish(&saved);
	PG_RETURN_VOID();
}
