/*-------------------------------------------------------------------------
 *
 * retrieve.c
 *	  retrieve(): records by their ids.
 *
 * One query of the caller's by an index; the rows are then put into the order of the ids.
 * The result is json and not jsonb, which would forget the order of the fields.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/retrieve.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "record/sobject_json.h"

/* reference.md, 4.7 */
#define MAX_IDS		2000

/* An id as it was given. */
typedef struct GivenId
{
	bool		valid;
	pg_uuid_t	id;
} GivenId;

static const SObjectField **parse_fields(const SObject *object, ArrayType *array,
										 int *nfields);
static GivenId *ids_argument(FunctionCallInfo fcinfo, int argno, int *nids);
static void select_records(const SObject *object, const SObjectField **fields,
						   int nfields, const pg_uuid_t *ids, int nids);
static UuidRow *sort_rows(void);
static void append_record(StringInfo out, const SObject *object,
						  const SObjectField **fields, int nfields, uint64 row,
						  Datum *values, bool *nulls);

/*
 * The fields to retrieve, each once.  A field that the caller cannot read is reported as
 * one that does not exist.
 */
static const SObjectField **
parse_fields(const SObject *object, ArrayType *array, int *nfields)
{
	const SObjectField **fields;
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int			i;
	int			j;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	fields = palloc(Max(n, 1) * sizeof(SObjectField *));
	*nfields = 0;
	for (i = 0; i < n; i++)
	{
		char	   *name = nulls[i] ? "null" : TextDatumGetCString(elements[i]);
		const SObjectField *field = nulls[i] ? NULL : orch_sobject_field(object, name);

		if (field == NULL || !orch_sobject_readable(object, field, GetUserId()))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_FIELD),
					 errmsg("INVALID_FIELD: No such column '%s' on entity '%s'", name,
							object->name)));
		for (j = 0; j < *nfields; j++)
			if (fields[j] == field)
				break;
		if (j == *nfields)
			fields[(*nfields)++] = field;
	}
	if (*nfields == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_FIELD),
				 errmsg("INVALID_FIELD: at least one field must be named")));
	return fields;
}

static GivenId *
ids_argument(FunctionCallInfo fcinfo, int argno, int *nids)
{
	Datum	   *elements;
	bool	   *nulls;
	GivenId    *ids;
	int			i;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argno), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, nids);
	if (*nids > MAX_IDS)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("EXCEEDED_ID_LIMIT: %d ids were given, at most %d can be", *nids,
						MAX_IDS)));
	ids = palloc(Max(*nids, 1) * sizeof(GivenId));
	for (i = 0; i < *nids; i++)
		ids[i].valid = !nulls[i] &&
			orch_uuid_parse(TextDatumGetCString(elements[i]), &ids[i].id);
	return ids;
}

/*
 * Select id and fields of the records, as the caller and in any order.  Connected to SPI.
 */
static void
select_records(const SObject *object, const SObjectField **fields, int nfields,
			   const pg_uuid_t *ids, int nids)
{
	StringInfoData query;
	Oid			types[3] = {UUIDARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[3];
	int			nargs = 1;
	int			i;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT x.id");
	for (i = 0; i < nfields; i++)
		appendStringInfo(&query, ", x.%s", quote_identifier(fields[i]->column));
	appendStringInfo(&query, " FROM orchestration.%s x WHERE x.id OPERATOR(pg_catalog.=) ANY ($1)",
					 object->view);
	values[0] = PointerGetDatum(orch_uuid_array(ids, nids));
	if (nids > 0 && orch_sobject_found_by_time(object))
	{
		TimestampTz first;
		TimestampTz last;

		orch_uuid_time_range(ids, nids, &first, &last);
		values[1] = TimestampTzGetDatum(first);
		values[2] = TimestampTzGetDatum(last);
		appendStringInfoString(&query, " AND x.created_date OPERATOR(pg_catalog.>=) $2"
							   " AND x.created_date OPERATOR(pg_catalog.<=) $3");
		nargs = 3;
	}
	if (SPI_execute_plan(orch_sobject_plan(query.data, nargs, types), values, NULL, true,
						 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed for \"%s\"", query.data);
}

/*
 * The selected rows in the order of their ids.
 */
static UuidRow *
sort_rows(void)
{
	UuidRow    *rows = palloc(Max(SPI_processed, 1) * sizeof(UuidRow));
	uint64		n;

	for (n = 0; n < SPI_processed; n++)
	{
		bool		isnull;

		rows[n].id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[n],
												  SPI_tuptable->tupdesc, 1, &isnull));
		rows[n].row = n;
	}
	orch_uuid_rows_sort(rows, SPI_processed);
	return rows;
}

/*
 * A record as json.  values and nulls: space for the columns of a row.
 */
static void
append_record(StringInfo out, const SObject *object, const SObjectField **fields,
			  int nfields, uint64 row, Datum *values, bool *nulls)
{
	int			i;

	heap_deform_tuple(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, values, nulls);
	appendStringInfoString(out, "{\"attributes\":");
	orch_sobject_append_attributes(out, object, DatumGetUUIDP(values[0]), ORCH_API_NEWEST);
	for (i = 0; i < nfields; i++)
	{
		appendStringInfo(out, ",\"%s\":", fields[i]->name);
		if (nulls[i + 1])
			appendStringInfoString(out, "null");
		else
			orch_sobject_append_value(out, fields[i]->sql_type, values[i + 1]);
	}
	appendStringInfoChar(out, '}');
}

PG_FUNCTION_INFO_V1(orchestration_retrieve);

/*
 * orchestration.retrieve(fields text[], object text, ids text[]) returns json
 *
 * Returns an array with an element for each id, in the order of the ids: the record, with
 * "attributes" (type and url) and the fields in the order of the first argument; or null
 * for a malformed id and for a record that is deleted or that the caller does not see.
 * Raises: 22004 for null, OR401 (INVALID_TYPE), OR402 (INVALID_FIELD), OR403
 * (INVALID_TYPE_FOR_OPERATION), OR404 (EXCEEDED_ID_LIMIT) for more than 2,000 ids, 42501
 * for a role that acts as no active user.
 * Source: reference.md, 4.7.
 */
Datum
orchestration_retrieve(PG_FUNCTION_ARGS)
{
	const SObject *object;
	const SObjectField **fields;
	int			nfields;
	GivenId    *ids;
	int			nids;
	pg_uuid_t  *valid;
	int			nvalid = 0;
	UuidRow    *rows;
	StringInfoData out;
	Datum	   *values;
	bool	   *nulls;
	int			i;

	orch_require_arguments(fcinfo, 0, 3, "fields, object and ids");
	(void) orch_access_require_user(GetUserId());
	object = orch_sobject_get(text_to_cstring(PG_GETARG_TEXT_PP(1)), CALL_RETRIEVE);
	fields = parse_fields(object, PG_GETARG_ARRAYTYPE_P(0), &nfields);
	ids = ids_argument(fcinfo, 2, &nids);
	valid = palloc(Max(nids, 1) * sizeof(pg_uuid_t));
	for (i = 0; i < nids; i++)
		if (ids[i].valid)
			valid[nvalid++] = ids[i].id;

	values = palloc((nfields + 1) * sizeof(Datum));
	nulls = palloc((nfields + 1) * sizeof(bool));
	/* the result, a varlena, grows where SPI_finish() does not free it */
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);

	orch_spi_connect();
	select_records(object, fields, nfields, valid, nvalid);
	rows = sort_rows();
	appendStringInfoChar(&out, '[');
	for (i = 0; i < nids; i++)
	{
		uint64		found = !ids[i].valid ? SPI_processed :
			orch_uuid_rows_find(rows, SPI_processed, &ids[i].id);

		if (i > 0)
			appendStringInfoChar(&out, ',');
		if (found == SPI_processed)
			appendStringInfoString(&out, "null");
		else
			append_record(&out, object, fields, nfields, rows[found].row, values, nulls);
	}
	appendStringInfoChar(&out, ']');
	SPI_finish();
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_TEXT_P((text *) out.data);
}
