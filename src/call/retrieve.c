/*-------------------------------------------------------------------------
 *
 * retrieve.c
 *	  retrieve(): records by their ids.
 *
 * One query of the caller's by index, and the rows put into the order of the ids.
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
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "record/sobject.h"

/* reference.md, 4.7 */
#define MAX_IDS		2000

/* Where the record of an id is in what SPI returned. */
typedef struct IdRow
{
	pg_uuid_t	id;				/* first: orch_uuid_compare() */
	uint64		row;
} IdRow;

static const SObjectField **parse_fields(const SObject *object, ArrayType *array,
										 int *nfields);

/*
 * Fields that the caller may not read are like ones that do not exist.
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

PG_FUNCTION_INFO_V1(orchestration_retrieve);

/*
 * orchestration.retrieve(fields text[], object text, ids text[]) returns jsonb
 *
 * An array as long as ids and in their order: the record with "attributes" and
 * the fields, or null where the id is none, or its record is deleted or not
 * visible to the caller.  Raises 22004 for null, OR401 (INVALID_TYPE), OR402
 * (INVALID_FIELD), OR403 (INVALID_TYPE_FOR_OPERATION), OR404 (EXCEEDED_ID_LIMIT)
 * for more than 2,000 ids, 42501 for a role that is no active user's.
 * Source: reference.md, 4.7.
 */
Datum
orchestration_retrieve(PG_FUNCTION_ARGS)
{
	const SObject *object;
	const SObjectField **fields;
	int			nfields;
	Datum	   *elements;
	bool	   *nulls;
	int			nids;
	pg_uuid_t  *ids;
	bool	   *valid;
	pg_uuid_t  *asked;
	int			nasked = 0;
	IdRow	   *rows;
	StringInfoData query;
	Oid			types[3] = {UUIDARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[3];
	int			nargs = 1;
	JsonbParseState *state = NULL;
	Jsonb	   *json;
	Datum		result;
	uint64		n;
	int			i;
	int			j;

	orch_require_arguments(fcinfo, 0, 3, "fields, object and ids");
	(void) orch_access_require_user(GetUserId());
	object = orch_sobject_get(text_to_cstring(PG_GETARG_TEXT_PP(1)), CALL_RETRIEVE);
	fields = parse_fields(object, PG_GETARG_ARRAYTYPE_P(0), &nfields);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &nids);
	if (nids > MAX_IDS)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("EXCEEDED_ID_LIMIT: %d ids were given, at most %d can be", nids,
						MAX_IDS)));

	ids = palloc(Max(nids, 1) * sizeof(pg_uuid_t));
	asked = palloc(Max(nids, 1) * sizeof(pg_uuid_t));
	valid = palloc(Max(nids, 1) * sizeof(bool));
	for (i = 0; i < nids; i++)
	{
		valid[i] = !nulls[i] &&
			orch_uuid_parse(TextDatumGetCString(elements[i]), &ids[i]);
		if (valid[i])
			asked[nasked++] = ids[i];
	}

	orch_spi_connect();
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT x.id");
	for (j = 0; j < nfields; j++)
		appendStringInfo(&query, ", x.%s", quote_identifier(fields[j]->column));
	appendStringInfo(&query, " FROM orchestration.%s x WHERE x.id OPERATOR(pg_catalog.=) ANY ($1)",
					 object->view);
	values[0] = PointerGetDatum(orch_uuid_array(asked, nasked));
	if (nasked > 0 && (object->associate == ASSOCIATE_HISTORY ||
					   strcmp(object->name, "FlowOrchestrationLog") == 0))
	{
		/* these have no index on the id, but the id begins with its time */
		TimestampTz first = DT_NOEND;
		TimestampTz last = DT_NOBEGIN;

		for (i = 0; i < nasked; i++)
		{
			TimestampTz time = orch_uuid_time(&asked[i]);

			first = Min(first, time);
			last = Max(last, time);
		}
		values[1] = TimestampTzGetDatum(first - USECS_PER_SEC);
		values[2] = TimestampTzGetDatum(last + USECS_PER_SEC);
		appendStringInfoString(&query, " AND x.created_date OPERATOR(pg_catalog.>=) $2"
							   " AND x.created_date OPERATOR(pg_catalog.<=) $3");
		nargs = 3;
	}
	if (SPI_execute_plan(orch_sobject_plan(query.data, nargs, types), values, NULL, true,
						 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed for \"%s\"", query.data);

	rows = palloc(Max(SPI_processed, 1) * sizeof(IdRow));
	for (n = 0; n < SPI_processed; n++)
	{
		bool		isnull;

		rows[n].id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[n],
												  SPI_tuptable->tupdesc, 1, &isnull));
		rows[n].row = n;
	}
	qsort(rows, SPI_processed, sizeof(IdRow), orch_uuid_compare);

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < nids; i++)
	{
		IdRow	   *row = !valid[i] ? NULL :
			bsearch(&ids[i], rows, SPI_processed, sizeof(IdRow), orch_uuid_compare);

		if (row == NULL)
		{
			orch_json_text(&state, WJB_ELEM, NULL);
			continue;
		}
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		orch_json_key(&state, "attributes");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		orch_json_put_text(&state, "type", object->name);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
		for (j = 0; j < nfields; j++)
		{
			bool		isnull;
			Datum		value = SPI_getbinval(SPI_tuptable->vals[row->row],
											  SPI_tuptable->tupdesc, j + 2, &isnull);

			orch_json_put_datum(&state, fields[j]->name, fields[j]->sql_type, value, isnull);
		}
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	json = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	result = SPI_datumTransfer(JsonbPGetDatum(json), false, -1);
	SPI_finish();
	PG_RETURN_DATUM(result);
}
