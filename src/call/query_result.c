/*-------------------------------------------------------------------------
 *
 * query_result.c
 *	  The last pass over a SOQL query: executes its SQL as the caller, and writes the
 *	  records as json.
 *
 * All statements of a query run with the snapshot of the statement that called it, so that
 * a record and its children belong together.  The children of all records of a page are
 * read by one statement and then given to their parents.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_result.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/uuid.h"
#include "call/query_int.h"
#include "record/sobject_json.h"

struct QueryRows
{
	ReadyQuery	   *query;
	QuerySelect *select;
	SPITupleTable *table;
	uint64		n;
	int			ncolumns;
	Datum	   *values;			/* of the row that is being written */
	bool	   *nulls;
	UuidRow    *by_parent;		/* of children: in the order of their parents */
	struct QueryRows **children;	/* one a sub-query */
};

static void read_children(QueryRows *rows);
static void write_record(StringInfo out, QueryRows *rows, const QueryRecord *record, uint64 row);
static void write_members(StringInfo out, QueryRows *rows, const QueryRecord *record);
static void write_attributes(StringInfo out, QueryRows *rows, const QueryRecord *record);
static void write_value(StringInfo out, QueryRows *rows, const QueryMember *member);
static void write_children(StringInfo out, QueryRows *rows, const QueryMember *member,
						   const pg_uuid_t *parent);

/*
 * Execute a variant.  What it returns is valid until SPI_finish().
 */
QueryRows *
orch_query_execute(ReadyQuery *query, QuerySelect *select, QueryVariant variant, int64 limit,
				   const pg_uuid_t *ids, int nids)
{
	QueryRows  *rows = palloc0(sizeof(QueryRows));
	ParamListInfo params;
	SPIPlanPtr	plan = orch_query_prepare(query, select, variant, limit, ids, nids, &params);

	check_stack_depth();
	if (SPI_execute_plan_with_paramlist(plan, params, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not execute a query");
	rows->query = query;
	rows->select = select;
	rows->table = SPI_tuptable;
	rows->n = SPI_processed;
	rows->ncolumns = SPI_tuptable->tupdesc->natts;
	rows->values = palloc(rows->ncolumns * sizeof(Datum));
	rows->nulls = palloc(rows->ncolumns * sizeof(bool));
	return rows;
}

uint64
orch_query_count_rows(const QueryRows *rows)
{
	return rows->n;
}

/*
 * Keep the first n rows.
 */
void
orch_query_cut_rows(QueryRows *rows, uint64 n)
{
	rows->n = Min(rows->n, n);
}

/*
 * A column of a row; it must not be null.
 */
Datum
orch_query_datum(const QueryRows *rows, uint64 row, int column)
{
	bool		isnull;

	return SPI_getbinval(rows->table->vals[row], rows->table->tupdesc, column + 1, &isnull);
}

/*
 * The id of the record in a row.
 */
const pg_uuid_t *
orch_query_row_id(const QueryRows *rows, uint64 row)
{
	return DatumGetUUIDP(orch_query_datum(rows, row, rows->select->record->id_column));
}

/*
 * Read the children of all rows, and theirs.
 */
static void
read_children(QueryRows *rows)
{
	QuerySelect *select = rows->select;
	pg_uuid_t  *ids;
	ListCell   *cell;
	uint64		i;

	check_stack_depth();
	if (select->children == NIL)
		return;
	ids = palloc(Max(rows->n, 1) * sizeof(pg_uuid_t));
	for (i = 0; i < rows->n; i++)
		ids[i] = *orch_query_row_id(rows, i);
	rows->children = palloc0(list_length(select->children) * sizeof(QueryRows *));
	foreach(cell, select->children)
	{
		QueryRows  *children = orch_query_execute(rows->query, (QuerySelect *) lfirst(cell),
												  VARIANT_CHILDREN, -1, ids, (int) rows->n);

		children->by_parent = MemoryContextAllocHuge(CurrentMemoryContext,
													 Max(children->n, 1) * sizeof(UuidRow));
		for (i = 0; i < children->n; i++)
		{
			children->by_parent[i].id = *DatumGetUUIDP(orch_query_datum(children, i, 0));
			children->by_parent[i].row = i;
		}
		orch_uuid_rows_sort(children->by_parent, children->n);
		rows->children[foreach_current_index(cell)] = children;
		read_children(children);
	}
}

static void
write_attributes(StringInfo out, QueryRows *rows, const QueryRecord *record)
{
	const SObject *object;
	const SObject *named = NULL;

	if (record->relation == NULL)
	{
		appendStringInfoString(out, "\"attributes\":{\"type\":\"AggregateResult\"}");
		return;
	}
	object = record->relation->object;
	if (record->type_column >= 0 && !rows->nulls[record->type_column])
	{
		Oid			type = TupleDescAttr(rows->table->tupdesc, record->type_column)->atttypid;

		named = orch_sobject_find(orch_sobject_value_text(type,
														  rows->values[record->type_column]));
		/* a queue is a group */
		object = named != NULL ? named : orch_sobject_find("Group");
	}
	appendStringInfoString(out, "\"attributes\":");
	orch_sobject_append_attributes(out, object,
								   DatumGetUUIDP(rows->values[record->id_column]),
								   rows->query->version);
}

/*
 * A value; toLabel() replaces the value of a picklist by its label.
 */
static void
write_value(StringInfo out, QueryRows *rows, const QueryMember *member)
{
	Oid			type = TupleDescAttr(rows->table->tupdesc, member->column)->atttypid;
	Datum		value = rows->values[member->column];

	if (rows->nulls[member->column])
		appendStringInfoString(out, "null");
	else if (member->expr->kind == EXPR_FIELD && member->expr->to_label)
	{
		const SObjectField *field = member->expr->field;
		const char *text = orch_sobject_value_text(type, value);
		int			i;

		for (i = 0; i < field->nvalues; i++)
			if (strcmp(field->values[i], text) == 0)
				text = field->value_labels[i];
		escape_json(out, text);
	}
	else
		orch_sobject_append_value(out, type, value);
}

static void
write_children(StringInfo out, QueryRows *rows, const QueryMember *member,
			   const pg_uuid_t *parent)
{
	QueryRows  *children = rows->children[member->child_number];
	uint64		low = orch_uuid_rows_find(children->by_parent, children->n, parent);
	uint64		end;

	for (end = low; end < children->n &&
		 orch_uuid_equal(&children->by_parent[end].id, parent); end++)
		;
	if (end == low)
	{
		appendStringInfoString(out, "null");
		return;
	}
	appendStringInfo(out, "{\"totalSize\":" UINT64_FORMAT ",\"done\":true,\"records\":[",
					 end - low);
	for (; low < end; low++)
	{
		write_record(out, children, children->select->record, children->by_parent[low].row);
		if (low + 1 < end)
			appendStringInfoChar(out, ',');
	}
	appendStringInfoString(out, "]}");
}

/*
 * The record in the row that values and nulls hold.
 */
static void
write_members(StringInfo out, QueryRows *rows, const QueryRecord *record)
{
	ListCell   *cell;
	ListCell   *type;

	check_stack_depth();
	appendStringInfoChar(out, '{');
	write_attributes(out, rows, record);
	foreach(cell, record->members)
	{
		QueryMember *member = (QueryMember *) lfirst(cell);
		bool		found = false;

		appendStringInfoString(out, ",\"");
		appendStringInfoString(out, member->key);
		appendStringInfoString(out, "\":");
		switch (member->kind)
		{
			case MEMBER_VALUE:
				write_value(out, rows, member);
				break;
			case MEMBER_PARENT:
			case MEMBER_TYPEOF:
				foreach(type, member->records)
				{
					QueryRecord *parent = (QueryRecord *) lfirst(type);

					if (rows->nulls[parent->id_column])
						continue;
					write_members(out, rows, parent);
					found = true;
					break;
				}
				if (!found)
					appendStringInfoString(out, "null");
				break;
			case MEMBER_CHILDREN:
				write_children(out, rows, member,
							   DatumGetUUIDP(rows->values[record->id_column]));
				break;
		}
	}
	appendStringInfoChar(out, '}');
}

static void
write_record(StringInfo out, QueryRows *rows, const QueryRecord *record, uint64 row)
{
	CHECK_FOR_INTERRUPTS();
	heap_deform_tuple(rows->table->vals[row], rows->table->tupdesc, rows->values, rows->nulls);
	write_members(out, rows, record);
}

/*
 * Append the records of the rows, in this order (NULL: as they are), separated by commas.
 */
void
orch_query_append_records(StringInfo out, QueryRows *rows, const uint64 *order, uint64 norder)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "orchestration record",
													  ALLOCSET_DEFAULT_SIZES);
	uint64		i;

	read_children(rows);
	for (i = 0; i < (order == NULL ? rows->n : norder); i++)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		if (i > 0)
			appendStringInfoChar(out, ',');
		write_record(out, rows, rows->select->record, order == NULL ? i : order[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
}
