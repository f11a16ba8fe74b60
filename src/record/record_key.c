/*-------------------------------------------------------------------------
 *
 * record_key.c
 *	  The key of a record and its text, the record id.
 *
 * The id of a record whose key has one column is the text of its value.  If the key has
 * several columns, the id is the text of a row of their values, as in (7,42): SQL writes it
 * as ROW(tenant_id, id)::text.
 *
 * Lookups are compared by their text, so a record has exactly one id: the text of the key as
 * it is stored in its row.  The text is canonical: it does not depend on DateStyle, TimeZone
 * or any other setting of the session.  Callers may write an id in another spelling, '007'
 * for 7 or '1.00' for 1.0.  Its parts are read as values of the key's types, under the same
 * fixed settings, and lookups get the id of the row that has these values.
 *
 * Types that are not built in have functions that users made; those run behind the gate
 * (gate.c), as the owner of the table.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_key.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "base/system.h"
#include "base/text_form.h"
#include "evaluate/condition.h"
#include "record/gate.h"
#include "record/record_int.h"
#include "record/record_key.h"

/* How the text form of a type is made and read. */
typedef enum TextForm
{
	FORM_PLAIN,					/* depends on no setting */
	FORM_BY_FORMAT,				/* depends on formats that settings choose */
	FORM_BY_PATH,				/* built in, and may name tables, functions or
								 * the like: depends on search_path, too; or
								 * on lc_monetary */
	FORM_FOREIGN				/* by functions that users made */
} TextForm;

static TextForm text_form(Oid type);
static void convert(Oid relation, Oid type, Datum *value, char **text, bool to_text);
static Oid	base_type(Oid type);
static char *part_text(Oid relation, Oid type, Datum value);
static void append_part(StringInfo id, const char *part);
static char *type_of_call(FunctionCallInfo fcinfo, RecordType *type);

static TextForm
text_form(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case UUIDOID:
		case OIDOID:
		case INETOID:
		case CIDROID:
		case MACADDROID:
		case MACADDR8OID:
		case BITOID:
		case VARBITOID:
		case JSONOID:
		case JSONBOID:
			return FORM_PLAIN;
		case DATEOID:
		case TIMEOID:
		case TIMETZOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case INTERVALOID:
		case BYTEAOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return FORM_BY_FORMAT;
		default:
			if (type < FirstUnpinnedObjectId)
				return FORM_BY_PATH;
			return type_is_enum(type) ? FORM_PLAIN : FORM_FOREIGN;
	}
}

void
orch_record_fix_settings_for(TupleDesc desc)
{
	bool		formats = false;
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		TextForm	form = att->attisdropped ? FORM_PLAIN : text_form(att->atttypid);

		/* to_jsonb() uses a cast to json that users made, also that of an enum */
		if (form == FORM_BY_PATH || att->atttypid >= FirstUnpinnedObjectId)
		{
			orch_fix_settings();
			return;
		}
		formats = formats || form == FORM_BY_FORMAT;
	}
	if (formats)
		orch_fix_formats();
}

/*
 * Make the text of a value (to_text), or a value of its text.
 */
static void
convert(Oid relation, Oid type, Datum *value, char **text, bool to_text)
{
	Oid			base = base_type(type);
	TextForm	form = text_form(base);
	Oid			function;
	Oid			param = InvalidOid;
	bool		is_varlena;
	Gate		gate;
	int			guc_level = 0;

	if (to_text)
		getTypeOutputInfo(base, &function, &is_varlena);
	else
		getTypeInputInfo(base, &function, &param);
	if (form == FORM_FOREIGN)
		orch_gate_enter_table(&gate, relation);
	else if (form == FORM_BY_PATH || (form == FORM_BY_FORMAT && !orch_formats_are_fixed()))
		guc_level = NewGUCNestLevel();
	if (form == FORM_BY_PATH || form == FORM_FOREIGN)
		orch_fix_settings();
	else if (guc_level != 0)
		orch_fix_formats();

	if (to_text)
		*text = OidOutputFunctionCall(function, *value);
	else
		*value = OidInputFunctionCall(function, *text, param, -1);

	if (form == FORM_FOREIGN)
		orch_gate_leave(&gate);
	else if (guc_level != 0)
		AtEOXact_GUC(true, guc_level);
	/* without the blanks that do not count, as a cast to text gives it */
	if (to_text && base == BPCHAROID)
		(*text)[bpchartruelen(*text, strlen(*text))] = '\0';
}

/* A part of a key as canonical text. */
static char *
part_text(Oid relation, Oid type, Datum value)
{
	char	   *text;

	convert(relation, type, &value, &text, true);
	return text;
}

Datum
orch_record_key_value(Oid relation, Oid type, const char *text)
{
	char	   *copy = pstrdup(text);
	Datum		value;

	convert(relation, type, &value, &copy, false);
	return value;
}

/* getBaseType(), which looks up built-in types, too */
static Oid
base_type(Oid type)
{
	return type < FirstUnpinnedObjectId ? type : getBaseType(type);
}

const char *
orch_record_key_columns(TupleDesc desc, List *columns, RecordKey *key)
{
	ListCell   *cell;

	Assert(list_length(columns) <= INDEX_MAX_KEYS);
	key->ncolumns = 0;
	foreach(cell, columns)
	{
		int			attnum = SPI_fnumber(desc, lfirst(cell));

		if (attnum <= 0)
			return lfirst(cell);
		key->attnums[key->ncolumns++] = attnum;
	}
	return NULL;
}

char *
orch_record_row_id(Relation relation, HeapTuple row, const RecordKey *key)
{
	TupleDesc	desc = RelationGetDescr(relation);
	Datum		values[INDEX_MAX_KEYS];
	Oid			types[INDEX_MAX_KEYS];
	int			i;

	for (i = 0; i < key->ncolumns; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(row, key->attnums[i], desc, &isnull);
		if (isnull)
			return NULL;
		types[i] = TupleDescAttr(desc, key->attnums[i] - 1)->atttypid;
	}
	return orch_record_make_id(RelationGetRelid(relation), key->ncolumns, types, values);
}

bool
orch_record_same_key(Relation relation, HeapTuple a, HeapTuple b, const RecordKey *key)
{
	TupleDesc	desc = RelationGetDescr(relation);
	int			i;

	for (i = 0; i < key->ncolumns; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, key->attnums[i] - 1);
		bool		is_null[2];
		Datum		value = heap_getattr(a, key->attnums[i], desc, &is_null[0]);
		Datum		other = heap_getattr(b, key->attnums[i], desc, &is_null[1]);

		if (is_null[0] || is_null[1] ||
			!datum_image_eq(value, other, att->attbyval, att->attlen))
			return false;
	}
	return true;
}

char *
orch_record_make_id(Oid relation, int nparts, const Oid *types, const Datum *values)
{
	StringInfoData id;
	int			i;

	if (nparts == 1)
		return part_text(relation, types[0], values[0]);
	initStringInfo(&id);
	for (i = 0; i < nparts; i++)
	{
		appendStringInfoChar(&id, i == 0 ? '(' : ',');
		append_part(&id, part_text(relation, types[i], values[i]));
	}
	appendStringInfoChar(&id, ')');
	return id.data;
}

/*
 * Append a part as record_out() does, except that locale decides nothing.
 */
static void
append_part(StringInfo id, const char *part)
{
	bool		quoted = part[0] == '\0' || strpbrk(part, "\"\\(), \t\n\r\v\f") != NULL;

	if (quoted)
		appendStringInfoChar(id, '"');
	for (; *part != '\0'; part++)
	{
		if (*part == '"' || *part == '\\')
			appendStringInfoChar(id, *part);
		appendStringInfoChar(id, *part);
	}
	if (quoted)
		appendStringInfoChar(id, '"');
}

/*
 * Read as record_in() reads the text of a row.
 */
bool
orch_record_split_id(const char *id, int nparts, char **parts)
{
	const char *p = id;
	int			i;

	if (nparts == 1)
	{
		parts[0] = pstrdup(id);
		return true;
	}
	while (isspace((unsigned char) *p))
		p++;
	if (*p++ != '(')
		return false;
	for (i = 0; i < nparts; i++)
	{
		StringInfoData part;
		bool		in_quotes = false;

		if (i > 0 && *p++ != ',')
			return false;
		/* nothing stands for null */
		if (*p == ',' || *p == ')')
			return false;
		initStringInfo(&part);
		for (; in_quotes || (*p != ',' && *p != ')'); p++)
		{
			if (*p == '\0')
				return false;
			if (*p == '\\')
			{
				if (*++p == '\0')
					return false;
				appendStringInfoChar(&part, *p);
			}
			else if (*p != '"')
				appendStringInfoChar(&part, *p);
			else if (!in_quotes)
				in_quotes = true;
			else if (p[1] == '"')
				appendStringInfoChar(&part, *p++);
			else
				in_quotes = false;
		}
		parts[i] = part.data;
	}
	if (*p++ != ')')
		return false;
	while (isspace((unsigned char) *p))
		p++;
	return *p == '\0';
}

bool
orch_record_is_id(const char *name, Jsonb *record, bool found, bool composite)
{
	if (pg_strcasecmp(name, "Id") != 0)
		return false;
	return !found ||
		(composite &&
		 getKeyJsonValueFromContainer(&record->root, name, strlen(name), NULL) == NULL);
}

JsonbValue *
orch_record_json_id(const char *type, Jsonb *record)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	RecordType *record_type;
	Datum		values[INDEX_MAX_KEYS];
	ListCell   *cell;
	int			n = 0;
	JsonbValue *result = NULL;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, true);
	if (record_type == NULL)
	{
		orch_system_finish(&saved);
		return NULL;
	}
	foreach(cell, record_type->key_columns)
	{
		char	   *text;

		MemoryContextSwitchTo(caller);
		result = getKeyJsonValueFromContainer(&record->root, lfirst(cell),
											  strlen(lfirst(cell)), NULL);
		if (record_type->nkeys == 1)
			break;
		/* the text of a numeric keeps the zeros at the end of its fraction */
		text = result != NULL && result->type == jbvNumeric ?
			DatumGetCString(DirectFunctionCall1(numeric_out,
												NumericGetDatum(result->val.numeric))) :
			orch_condition_value_text(result);
		result = NULL;
		if (text == NULL)
			break;
		values[n] = orch_record_key_value(record_type->relation, record_type->key_types[n],
										  text);
		n++;
	}
	if (n > 0 && n == record_type->nkeys)
	{
		char	   *id = orch_record_make_id(record_type->relation, n, record_type->key_types,
											 values);

		result = palloc(sizeof(JsonbValue));
		result->type = jbvString;
		result->val.string.val = id;
		result->val.string.len = strlen(id);
	}
	orch_system_finish(&saved);
	return result;
}

/*
 * The first argument of record_id(): the record type, copied from the cache.  Returns its
 * name.  Raises OR102.
 */
static char *
type_of_call(FunctionCallInfo fcinfo, RecordType *type)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext old;
	SystemContext saved;
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	RecordType *found;
	Oid		   *types;

	orch_system_connect(&saved);
	found = orch_record_find(name, false);
	*type = *found;
	old = MemoryContextSwitchTo(caller);
	type->key_columns = orch_record_copy_names(found->key_columns);
	types = palloc(sizeof(Oid) * type->nkeys);
	memcpy(types, found->key_types, sizeof(Oid) * type->nkeys);
	type->key_types = types;
	MemoryContextSwitchTo(old);
	orch_system_finish(&saved);
	return name;
}

PG_FUNCTION_INFO_V1(orchestration_record_key_of_row);

/*
 * orchestration.record_key(record_type text, record record) returns text
 *
 * Returns the id of a row: as lookups to the record hold it.  The row is one of the
 * registered table, or any that has columns with the names of the key columns, or the values
 * of the key columns alone in their order, ROW(7, 42).  Null for null and if a part of the
 * key is null.
 * Raises: OR102 for an unknown record type, 42703 for a row without the key columns, and
 * what the key's types raise for a value that is not theirs.
 * Source: ours.
 */
Datum
orchestration_record_key_of_row(PG_FUNCTION_ARGS)
{
	RecordType	type;
	char	   *name;
	HeapTupleHeader header;
	HeapTupleData row;
	TupleDesc	desc;
	RecordKey	key;
	const char *missing;
	Datum		values[INDEX_MAX_KEYS];
	bool		any_null = false;
	int			i;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	name = type_of_call(fcinfo, &type);
	header = PG_GETARG_HEAPTUPLEHEADER(1);
	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
								  HeapTupleHeaderGetTypMod(header));
	memset(&row, 0, sizeof(row));
	row.t_len = HeapTupleHeaderGetDatumLength(header);
	row.t_data = header;

	missing = orch_record_key_columns(desc, type.key_columns, &key);
	if (missing != NULL && HeapTupleHeaderGetTypeId(header) == RECORDOID &&
		key.ncolumns == 0 && desc->natts == type.nkeys)
	{
		missing = NULL;
		for (; key.ncolumns < type.nkeys; key.ncolumns++)
			key.attnums[key.ncolumns] = key.ncolumns + 1;
	}
	if (missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the row has no column \"%s\", which is a key column of record type \"%s\"",
						missing, name)));
	for (i = 0; i < key.ncolumns; i++)
	{
		Oid			given = TupleDescAttr(desc, key.attnums[i] - 1)->atttypid;
		bool		isnull;

		values[i] = heap_getattr(&row, key.attnums[i], desc, &isnull);
		if (isnull)
			any_null = true;
		else if (base_type(given) != base_type(type.key_types[i]))
			values[i] = orch_record_key_value(type.relation, type.key_types[i],
											  part_text(type.relation, given,
																   values[i]));
	}
	ReleaseTupleDesc(desc);
	if (any_null)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(orch_record_make_id(type.relation, type.nkeys,
														 type.key_types, values)));
}
