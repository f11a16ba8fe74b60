/*-------------------------------------------------------------------------
 *
 * record_lookup.c
 *	  Records found by the values of their fields, for evaluation flows.
 *
 * Filters for equality go into the query, so that an index can find the rows.  The caller
 * then checks every record with the rules of conditions, and applies all other filters.
 * Rows are fetched in small numbers: if the first record is enough, few more are read.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_lookup.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/text_form.h"
#include "record/gate.h"
#include "record/record_column.h"
#include "record/record_int.h"
#include "record/record_key.h"

#define FETCH_ROWS 50

static Form_pg_attribute column_of(const RecordType *type, const char *field);
static void append_id_filter(StringInfo query, const RecordType *type, const char *id,
							 Datum *values, int *nvalues);
static void no_field(const char *type, const char *field) pg_attribute_noreturn();

/*
 * A copy of the column that a field name stands for; NULL if there is none.
 */
static Form_pg_attribute
column_of(const RecordType *type, const char *field)
{
	Relation	rel = table_open(type->relation, AccessShareLock);
	Form_pg_attribute att = orch_record_column(RelationGetDescr(rel), type->key_columns, field);
	Form_pg_attribute result = NULL;

	if (att != NULL)
	{
		result = palloc(ATTRIBUTE_FIXED_PART_SIZE);
		memcpy(result, att, ATTRIBUTE_FIXED_PART_SIZE);
	}
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * Append the conditions that a key of several columns has this id.
 */
static void
append_id_filter(StringInfo query, const RecordType *type, const char *id, Datum *values,
				 int *nvalues)
{
	char	   *parts[INDEX_MAX_KEYS];
	ListCell   *cell;
	int			n = 0;

	if (!orch_record_split_id(id, type->nkeys, parts))
	{
		appendStringInfoString(query, "false");
		return;
	}
	foreach(cell, type->key_columns)
	{
		values[(*nvalues)++] = CStringGetTextDatum(parts[n]);
		appendStringInfoString(query, n == 0 ? "" : " AND ");
		orch_record_append_equal(query, lfirst(cell), type->key_types[n], -1, *nvalues);
		n++;
	}
}

static void
no_field(const char *type, const char *field)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
			 errmsg("record type \"%s\" has no field \"%s\"", type, field)));
}

List *
orch_record_select(const char *type, int nfilters, const RecordFilter *filters,
				   const char *sort_field, bool descending,
				   RecordWanted wanted, void *arg, int64 limit)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *result = NIL;
	SystemContext saved;
	Gate		gate;
	StringInfoData query;
	RecordType *record_type;
	Oid			relation;
	Oid		   *types = palloc(sizeof(Oid) * (nfilters + 1) * INDEX_MAX_KEYS);
	Datum	   *values = palloc(sizeof(Datum) * (nfilters + 1) * INDEX_MAX_KEYS);
	int			nvalues = 0;
	Form_pg_attribute column;
	Portal		portal;
	int			i;

	orch_system_connect(&saved);
	record_type = orch_record_find(type, false);
	relation = record_type->relation;
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT pg_catalog.to_jsonb(t) FROM %s t",
					 record_type->table_name);
	for (i = 0; i < nfilters; i++)
	{
		appendStringInfoString(&query, i == 0 ? " WHERE " : " AND ");
		column = column_of(record_type, filters[i].field);
		if (column != NULL)
		{
			values[nvalues++] = CStringGetTextDatum(filters[i].value);
			orch_record_append_equal(&query, NameStr(column->attname), column->atttypid,
									 column->atttypmod, nvalues);
		}
		else if (pg_strcasecmp(filters[i].field, "Id") == 0)
			append_id_filter(&query, record_type, filters[i].value, values, &nvalues);
		else
			no_field(type, filters[i].field);
	}
	for (i = 0; i < nvalues; i++)
		types[i] = TEXTOID;
	if (sort_field != NULL)
	{
		ListCell   *cell;
		const char *before = " ORDER BY ";

		column = column_of(record_type, sort_field);
		if (column == NULL && pg_strcasecmp(sort_field, "Id") != 0)
			no_field(type, sort_field);
		foreach(cell, column != NULL ? list_make1(NameStr(column->attname)) :
				record_type->key_columns)
		{
			appendStringInfo(&query, "%st.%s %s", before, quote_identifier(lfirst(cell)),
							 descending ? "DESC" : "ASC");
			before = ", ";
		}
	}

	orch_gate_enter_table(&gate, relation);
	orch_fix_settings();
	portal = SPI_cursor_open_with_args(NULL, query.data, nvalues, types, values, NULL,
									   false, 0);
	/* the gate would hide a visible cursor from the function that it is for */
	portal->visible = false;
	orch_gate_leave(&gate);
	while (limit == 0 || list_length(result) < limit)
	{
		uint64		n;

		CHECK_FOR_INTERRUPTS();
		orch_gate_enter_table(&gate, relation);
		orch_fix_settings();
		SPI_cursor_fetch(portal, true, limit == 1 && nfilters > 0 ? 1 : FETCH_ROWS);
		orch_gate_leave(&gate);
		if (SPI_processed == 0)
			break;
		for (n = 0; n < SPI_processed && (limit == 0 || list_length(result) < limit); n++)
		{
			bool		isnull;
			Datum		datum = SPI_getbinval(SPI_tuptable->vals[n],
											  SPI_tuptable->tupdesc, 1, &isnull);
			MemoryContext old = MemoryContextSwitchTo(caller);
			Jsonb	   *record = DatumGetJsonbPCopy(datum);
			SPITupleTable *table = SPI_tuptable;
			uint64		processed = SPI_processed;

			if (wanted(record, arg))
				result = lappend(result, record);
			else
				pfree(record);
			MemoryContextSwitchTo(old);
			SPI_tuptable = table;
			SPI_processed = processed;
		}
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	orch_system_finish(&saved);
	return result;
}
