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

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/errors.h"
#include "base/system.h"
#include "evaluate/condition.h"
#include "record/gate.h"
#include "record/record.h"

#define FETCH_ROWS 50

static char *column_of(Oid relation, const char *key_column, const char *field,
					   char **type);

/*
 * The column that a field name stands for, and its type; see orch_condition_field().
 * Id is the key column if no column has that name.
 */
static char *
column_of(Oid relation, const char *key_column, const char *field, char **type)
{
	Relation	rel = table_open(relation, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	char	   *result = NULL;
	int			best = 0;
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *name = NameStr(att->attname);
		int			score;

		if (att->attisdropped)
			continue;
		if (strcmp(name, field) == 0)
			score = 4;
		else if (pg_strcasecmp(name, field) == 0)
			score = 3;
		else if (strcmp(name, orch_condition_snake_case(field, strlen(field))) == 0)
			score = 2;
		else if (pg_strcasecmp(field, "Id") == 0 && strcmp(name, key_column) == 0)
			score = 1;
		else
			continue;
		if (score > best)
		{
			best = score;
			result = pstrdup(name);
			*type = format_type_with_typemod(att->atttypid, att->atttypmod);
		}
	}
	table_close(rel, AccessShareLock);
	return result;
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
	const char *key_column;
	Oid			relation;
	Oid		   *types = palloc(sizeof(Oid) * Max(nfilters, 1));
	Datum	   *values = palloc(sizeof(Datum) * Max(nfilters, 1));
	Portal		portal;
	int			i;

	orch_system_connect(&saved);
	relation = orch_record_relation(type, &key_column);
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT pg_catalog.to_jsonb(t) FROM %s t",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
												get_rel_name(relation)));
	for (i = 0; i < nfilters; i++)
	{
		char	   *column_type;
		char	   *column = column_of(relation, key_column, filters[i].field, &column_type);

		if (column == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("record type \"%s\" has no field \"%s\"", type,
							filters[i].field)));
		appendStringInfo(&query, " %s t.%s = CAST($%d AS %s)", i == 0 ? "WHERE" : "AND",
						 quote_identifier(column), i + 1, column_type);
		types[i] = TEXTOID;
		values[i] = CStringGetTextDatum(filters[i].value);
	}
	if (sort_field != NULL)
	{
		char	   *column_type;
		char	   *column = column_of(relation, key_column, sort_field, &column_type);

		if (column == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("record type \"%s\" has no field \"%s\"", type, sort_field)));
		appendStringInfo(&query, " ORDER BY t.%s %s", quote_identifier(column),
						 descending ? "DESC" : "ASC");
	}

	orch_gate_enter_table(&gate, relation);
	portal = SPI_cursor_open_with_args(NULL, query.data, nfilters, types, values, NULL,
									   false, 0);
	/* the gate would hide a visible cursor from the function that it is for */
	portal->visible = false;
	orch_gate_leave(&gate);
	while (limit == 0 || list_length(result) < limit)
	{
		uint64		n;

		CHECK_FOR_INTERRUPTS();
		orch_gate_enter_table(&gate, relation);
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
