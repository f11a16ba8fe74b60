/*-------------------------------------------------------------------------
 *
 * record_field.c
 *	  Fields of records, as the catalog has them.
 *
 * A run reads a record as to_jsonb() of its row (record_read.c), and finds fields in it by
 * name.  This file answers beforehand what such a path will find: the column, and the type
 * of its values in JSON.  The rules are those of orch_condition_field(),
 * orch_record_value_at() and to_jsonb().
 *
 * Only the catalog is read.  No function of a user's type is called: what the values of
 * such a type look like is known in a run only.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_field.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "evaluate/document.h"
#include "record/record_column.h"
#include "record/record_field.h"
#include "record/record_int.h"

#define UUID_TEXT_LENGTH	36

/*
 * The type that values of a column's type have in JSON, see jsonb_categorize_type().
 */
static ValueType
type_in_json(Oid type)
{
	Oid			function;

	switch (type)
	{
		case BOOLOID:
			return VALUE_BOOLEAN;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return VALUE_NUMBER;
		case DATEOID:
			return VALUE_DATE;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return VALUE_DATETIME;
		case TIMEOID:
		case TIMETZOID:
			return VALUE_TIME;
		case JSONOID:
		case JSONBOID:
			return VALUE_UNKNOWN;
	}
	if (OidIsValid(get_element_type(type)))
		return VALUE_COLLECTION;
	if (type_is_rowtype(type))
		return VALUE_RECORD;
	if (type >= FirstNormalObjectId &&
		find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT, &function) ==
		COERCION_PATH_FUNC)
		return VALUE_UNKNOWN;
	return VALUE_TEXT;
}

/* Does JSON write values of the type as objects or arrays, or may it? */
static bool
has_fields(Oid type)
{
	ValueType	in_json = type_in_json(type);

	return in_json == VALUE_UNKNOWN || in_json == VALUE_RECORD ||
		in_json == VALUE_COLLECTION;
}

void
orch_record_field_of_table(Oid relation, List *key_columns, List *path,
						   RecordField *field)
{
	ListCell   *cell;
	int			position = 0;

	memset(field, 0, sizeof(*field));
	field->typmod = -1;
	if (path == NIL)
	{
		field->type = VALUE_RECORD;
		return;
	}
	foreach(cell, path)
	{
		const char *name = lfirst(cell);
		Relation	rel = try_table_open(relation, AccessShareLock);
		bool		last = ++position == list_length(path);
		Form_pg_attribute att;
		RecordForeignKey key;

		CHECK_FOR_INTERRUPTS();
		if (rel == NULL)
			return;				/* dropped meanwhile */
		att = last || position == 1 ?
			orch_record_column(RelationGetDescr(rel),
							   position > 1 ? NIL : key_columns, name) : NULL;
		if (att != NULL && !last && has_fields(getBaseType(att->atttypid)))
		{
			table_close(rel, AccessShareLock);
			return;				/* the path leads into the value */
		}
		if (!last)
			relation = orch_record_foreign_key(relation, name, &key) ? key.target : InvalidOid;
		if (last && att != NULL)
		{
			field->typmod = att->atttypmod;
			field->column_type = getBaseTypeAndTypmod(att->atttypid, &field->typmod);
			field->type = type_in_json(field->column_type);
			field->not_null = att->attnotnull && position == 1;
			field->type_name = format_type_with_typemod(att->atttypid, att->atttypmod);
		}
		else if (last || !OidIsValid(relation))
		{
			field->missing = pstrdup(name);
			field->no_relationship = !last;
			field->table =
				quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
										   RelationGetRelationName(rel));
		}
		table_close(rel, AccessShareLock);
		if (field->missing != NULL)
			return;
	}
}

bool
orch_record_field(const char *type, List *path, RecordField *field)
{
	RecordType *record_type = orch_record_find(type, true);

	if (record_type == NULL)
		return false;
	orch_record_field_of_table(record_type->relation, record_type->key_columns, path, field);
	if (field->missing != NULL && record_type->nkeys > 1 && list_length(path) == 1 &&
		pg_strcasecmp(linitial(path), "Id") == 0)
	{
		/* the id of a key of several columns, see orch_record_is_id() */
		field->missing = NULL;
		field->table = NULL;
		field->type = VALUE_TEXT;
	}
	return true;
}

/* -------------------------------------------------- literals and types */

/*
 * Can a column of type numeric(precision, scale) have this value?  Source: the functions
 * make_numeric_typmod() and apply_typmod() of numeric.c.
 */
static bool
is_of_typmod(Numeric number, int32 typmod)
{
	int			precision;
	int			scale;
	Datum		rounded;
	Datum		limit;

	if (typmod < (int32) VARHDRSZ)
		return true;
	precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
	scale = (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
	rounded = DirectFunctionCall2(numeric_round, NumericGetDatum(number),
								  Int32GetDatum(scale));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, rounded, NumericGetDatum(number))))
		return false;
	limit = DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("1e%d", precision - scale)),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return DatumGetBool(DirectFunctionCall2(numeric_lt,
											DirectFunctionCall1(numeric_abs, NumericGetDatum(number)),
											limit));
}

static char *
number_never(const RecordField *field, Numeric number)
{
	static const struct
	{
		Oid			type;
		int64		least;
		int64		most;
	}			integers[] = {
		{INT2OID, PG_INT16_MIN, PG_INT16_MAX},
		{INT4OID, PG_INT32_MIN, PG_INT32_MAX},
		{INT8OID, PG_INT64_MIN, PG_INT64_MAX}
	};
	int			i;

	if (field->column_type == NUMERICOID && !is_of_typmod(number, field->typmod))
		return psprintf("type %s cannot hold that value", field->type_name);
	for (i = 0; i < (int) lengthof(integers); i++)
		if (field->column_type == integers[i].type)
		{
			if (!orch_document_is_whole(number))
				return psprintf("type %s has whole numbers only", field->type_name);
			if (!orch_document_is_within(number, integers[i].least,
										 integers[i].most))
				return psprintf("type %s cannot hold that value", field->type_name);
		}
	return NULL;
}

/* Does a label of an enum type meet a comparison with a text? */
static bool
any_label_meets(Oid type, ComparisonOperator op, const char *text)
{
	CatCList   *labels = SearchSysCacheList1(ENUMTYPOIDNAME, ObjectIdGetDatum(type));
	bool		result = false;
	int			i;

	for (i = 0; i < labels->n_members && !result; i++)
	{
		Form_pg_enum label = (Form_pg_enum) GETSTRUCT(&labels->members[i]->tuple);

		result = orch_condition_text_meets(NameStr(label->enumlabel), op, text);
	}
	ReleaseSysCacheList(labels);
	return result;
}

/* Is a text, or part of one, written as uuid_out() writes a uuid? */
static bool
is_uuid_text(const char *text, bool whole)
{
	if (whole && strlen(text) != UUID_TEXT_LENGTH)
		return false;
	if (strlen(text) > UUID_TEXT_LENGTH ||
		strspn(text, "0123456789abcdef-") != strlen(text))
		return false;
	return !whole || (text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
}

static char *
text_never(const RecordField *field, ComparisonOperator op, const char *text)
{
	bool		whole = op == COMPARE_EQUAL_TO || op == COMPARE_NOT_EQUAL_TO;
	int			length = pg_mbstrlen(text);
	int			limit = field->typmod - (int) VARHDRSZ;
	Timestamp	timestamp;

	switch (field->column_type)
	{
		case VARCHAROID:
			if (field->typmod >= (int32) VARHDRSZ && length > limit)
				return psprintf("type %s holds at most %d characters", field->type_name, limit);
			return NULL;
		case BPCHAROID:
			if (field->typmod >= (int32) VARHDRSZ &&
				(whole ? length != limit : length > limit))
				return psprintf("type %s fills its values with spaces to %d characters",
								field->type_name, limit);
			return NULL;
		case NAMEOID:
			if (strlen(text) >= NAMEDATALEN)
				return psprintf("type name holds at most %d bytes", NAMEDATALEN - 1);
			return NULL;
		case UUIDOID:
			if (!is_uuid_text(text, whole))
				return pstrdup("the text of a uuid has 36 characters: lower-case digits in groups of 8, 4, 4, 4 and 12 with hyphens between them");
			return NULL;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			if (whole && strstr(text, "infinity") == NULL && strstr(text, "BC") == NULL &&
				!orch_condition_datetime(text, strlen(text), &timestamp))
				return psprintf("the text of a %s is in ISO form", field->type_name);
			return NULL;
	}
	if (type_is_enum(field->column_type) && !any_label_meets(field->column_type, op, text))
		return psprintf("type %s has no such label", field->type_name);
	return NULL;
}

/* A text that is compared with a number or boolean. */
static char *
other_text_never(const RecordField *field, const char *text)
{
	Numeric		number;

	if (field->type == VALUE_NUMBER)
		return orch_document_number(text, &number) ? NULL :
			psprintf("type %s has numbers only", field->type_name);
	return pg_strcasecmp(text, "true") == 0 || pg_strcasecmp(text, "false") == 0 ||
		strcmp(text, "1") == 0 || strcmp(text, "0") == 0 ? NULL :
		psprintf("type %s has true and false only", field->type_name);
}

char *
orch_record_field_never(const RecordField *field, ComparisonOperator op,
						const Operand *operand)
{
	JsonbValue *literal = orch_condition_not_null(operand->literal);
	bool		whole = op == COMPARE_EQUAL_TO || op == COMPARE_NOT_EQUAL_TO;

	if (literal == NULL || !OidIsValid(field->column_type) || operand->is_datetime ||
		field->type == VALUE_UNKNOWN)
		return NULL;
	if (!whole && op != COMPARE_STARTS_WITH && op != COMPARE_ENDS_WITH &&
		op != COMPARE_CONTAINS)
		return NULL;
	if (field->type == VALUE_NUMBER || field->type == VALUE_BOOLEAN)
	{
		if (!whole)
			return NULL;
		if (literal->type == jbvString)
			return other_text_never(field, orch_condition_value_text(literal));
		return literal->type == jbvNumeric && field->type == VALUE_NUMBER ?
			number_never(field, literal->val.numeric) : NULL;
	}
	if (literal->type == jbvString ||
		(literal->type == jbvNumeric && field->type == VALUE_TEXT))
		return text_never(field, op, orch_condition_value_text(literal));
	return NULL;
}
