/*-------------------------------------------------------------------------
 *
 * query.c
 *	  query(), query_more() and explain_soql(): SOQL over the documented objects.
 *
 * A session keeps the queries that it made last, parsed, resolved and prepared, by text and
 * API version.  A kept query is dropped when the metadata changes, and made anew when the
 * role may no longer read a field of it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "call/query.h"
#include "call/query_int.h"
#include "call/query_syntax.h"
#include "call/record_view.h"
#include "record/sobject_json.h"

/* Queries that a session keeps, and the longest text of one. */
#define MAX_KEPT		64
#define MAX_KEPT_LENGTH	8192

typedef struct KeptQuery
{
	uint32		hash;
	ReadyQuery *query;			/* NULL: the place is free */
	uint64		last_used;
} KeptQuery;

static KeptQuery kept[MAX_KEPT];
static uint64 clock_hand = 0;

static ReadyQuery *find_kept(uint32 hash, const char *text, int version, bool include_deleted);
static bool is_readable(const ReadyQuery *query);
static void keep(ReadyQuery *query, uint32 hash);
static void drop_entry(KeptQuery *entry);
static void free_query(ReadyQuery *query);
static ReadyQuery *get_query(const char *text, int version, bool include_deleted);
static void release(ReadyQuery *query);
static ReadyQuery *make_query(const char *text, int version, bool include_deleted);
static void mark_records(const ReadyQuery *query, const QueryRows *rows);
static void append_page(StringInfo out, ReadyQuery *query, QueryRows *rows,
						const uint64 *order, uint64 norder, int64 total,
						const pg_uuid_t *locator, int64 next);
static void run(StringInfo out, ReadyQuery *query, int batch);
static void run_more(StringInfo out, ReadyQuery *query, const QueryPage *page);
static uint64 *page_order(const QueryRows *rows, const QueryPage *page, uint64 *n);
static void explain(StringInfo out, ReadyQuery *query, QuerySelect *select);

/*
 * Called once, by _PG_init().
 */
void
orch_query_init(void)
{
	orch_query_date_init();
}

static void
free_query(ReadyQuery *query)
{
	orch_query_free_plans(query->select);
	MemoryContextDelete(query->context);
}

/*
 * The query is no longer kept.  Code that a query runs may execute queries, too, so it may
 * be in use: then its last user frees it.
 */
static void
drop_entry(KeptQuery *entry)
{
	ReadyQuery *query = entry->query;

	entry->query = NULL;
	query->kept = false;
	if (query->in_use == 0)
		free_query(query);
}

/*
 * Also called after an error.
 */
static void
release(ReadyQuery *query)
{
	if (--query->in_use == 0 && !query->kept)
		free_query(query);
}

/*
 * May the role still read all fields of the query, and none of those that FIELDS() left out?
 */
static bool
is_readable(const ReadyQuery *query)
{
	ListCell   *cell;

	foreach(cell, query->used)
	{
		const QueryExpr *expr = (const QueryExpr *) lfirst(cell);

		if (!orch_sobject_readable(expr->relation->object, expr->field, GetUserId()))
			return false;
	}
	foreach(cell, query->hidden)
	{
		const QueryExpr *expr = (const QueryExpr *) lfirst(cell);

		if (orch_sobject_readable(expr->relation->object, expr->field, GetUserId()))
			return false;
	}
	return true;
}

static ReadyQuery *
find_kept(uint32 hash, const char *text, int version, bool include_deleted)
{
	int			i;

	for (i = 0; i < MAX_KEPT; i++)
	{
		KeptQuery  *entry = &kept[i];
		ReadyQuery *query = entry->query;

		if (query == NULL || entry->hash != hash || query->version != version ||
			query->include_deleted != include_deleted || strcmp(query->text, text) != 0)
			continue;
		if (query->generation == orch_catalog_sobject_generation && is_readable(query))
		{
			entry->last_used = ++clock_hand;
			return query;
		}
		drop_entry(entry);
		return NULL;
	}
	return NULL;
}

static void
keep(ReadyQuery *query, uint32 hash)
{
	KeptQuery  *entry = &kept[0];
	int			i;

	for (i = 0; i < MAX_KEPT && entry->query != NULL; i++)
		if (kept[i].query == NULL || kept[i].last_used < entry->last_used)
			entry = &kept[i];
	if (entry->query != NULL)
		drop_entry(entry);
	query->kept = true;
	entry->hash = hash;
	entry->query = query;
	entry->last_used = ++clock_hand;
}

/*
 * Parse and resolve a query, in a memory context of its own.
 */
static ReadyQuery *
make_query(const char *text, int version, bool include_deleted)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "orchestration query",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ReadyQuery *query = palloc0(sizeof(ReadyQuery));
	QueryResolver resolver;

	memset(&resolver, 0, sizeof(resolver));
	query->context = context;
	query->text = pstrdup(text);
	query->version = version;
	query->include_deleted = include_deleted;
	/* reads the metadata, and so sets the generation */
	(void) orch_sobject_count();
	query->generation = orch_catalog_sobject_generation;
	resolver.text = query->text;
	resolver.version = version;
	resolver.include_deleted = include_deleted;
	resolver.role = GetUserId();
	query->select = orch_query_resolve(&resolver, orch_query_parse(query->text));
	query->used = resolver.used;
	query->hidden = resolver.hidden;
	MemoryContextSwitchTo(old);
	return query;
}

/*
 * A query, from those that are kept if possible.  The caller releases it.
 */
static ReadyQuery *
get_query(const char *text, int version, bool include_deleted)
{
	size_t		length = strlen(text);
	uint32		hash = hash_bytes((const unsigned char *) text, (int) length);
	ReadyQuery *query;

	/* may change the generation */
	(void) orch_catalog_relation(RELATION_SOBJECT_FIELD);
	query = length <= MAX_KEPT_LENGTH ? find_kept(hash, text, version, include_deleted) : NULL;
	if (query == NULL)
	{
		query = make_query(text, version, include_deleted);
		query->in_use = 1;
		MemoryContextSetParent(query->context, TopMemoryContext);
		if (length <= MAX_KEPT_LENGTH)
			keep(query, hash);
	}
	else
		query->in_use++;
	return query;
}

/*
 * FOR VIEW and FOR REFERENCE.
 */
static void
mark_records(const ReadyQuery *query, const QueryRows *rows)
{
	RecordAccess record;
	uint64		i;

	if (query->select->mark == SOQL_FOR_NOTHING)
		return;
	for (i = 0; i < orch_query_count_rows(rows); i++)
	{
		const pg_uuid_t *id = orch_query_row_id(rows, i);

		CHECK_FOR_INTERRUPTS();
		/* not those that include_deleted finds, nor those deleted since the snapshot */
		if (orch_caller_level(GetUserId(), ANY_OBJECT, id, &record) != ACCESS_NONE)
			(void) orch_record_view_mark(GetUserId(), id, query->select->mark == SOQL_FOR_VIEW);
	}
}

/*
 * Append a page, with its records in this order (NULL: as the rows are).  next: the position
 * of the page after it; if the result ends before, the locator is not used.
 */
static void
append_page(StringInfo out, ReadyQuery *query, QueryRows *rows, const uint64 *order,
			uint64 norder, int64 total, const pg_uuid_t *locator, int64 next)
{
	appendStringInfo(out, "{\"totalSize\":" INT64_FORMAT ",\"done\":%s,", total,
					 total > next ? "false" : "true");
	if (total > next)
		appendStringInfo(out, "\"nextRecordsUrl\":\"" ORCH_API_URL "/query/%s\",",
						 query->version / 10, query->version % 10,
						 orch_query_locator_text(locator, next));
	appendStringInfoString(out, "\"records\":[");
	orch_query_append_records(out, rows, order, norder);
	appendStringInfoString(out, "]}");
	mark_records(query, rows);
}

/*
 * Execute a query and append its first page.  Connected to SPI.
 */
static void
run(StringInfo out, ReadyQuery *query, int batch)
{
	QuerySelect *select = query->select;
	int64		limit = select->limit >= 0 ? Min(select->limit, (int64) batch + 1) : batch + 1;
	QueryRows  *rows = orch_query_execute(query, select, VARIANT_ROWS,
										  select->count_only ? select->limit : limit, NULL, 0);
	int64		total = (int64) orch_query_count_rows(rows);
	pg_uuid_t	locator;

	if (select->count_only)
	{
		appendStringInfo(out, "{\"totalSize\":" INT64_FORMAT ",\"done\":true,\"records\":[]}",
						 DatumGetInt64(orch_query_datum(rows, 0, 0)));
		return;
	}
	if (total > batch && select->aggregated)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("EXCEEDED_ID_LIMIT: the query has more than %d groups", batch),
				 errdetail("A query with GROUP BY has one page."),
				 errhint("Add a LIMIT of at most %d, or HAVING.", batch)));
	/* reference.md, 5.6: with OFFSET there is no further page */
	if (total > batch && select->offset > 0)
	{
		orch_query_cut_rows(rows, batch);
		total = batch;
	}
	if (total > batch)
	{
		orch_query_cut_rows(rows, batch);
		total = orch_query_keep(query, batch, rows, &locator);
	}
	append_page(out, query, rows, NULL, 0, total, &locator, batch);
}

PG_FUNCTION_INFO_V1(orchestration_query);

/*
 * orchestration.query(soql text, api_version numeric, batch_size integer,
 *					   include_deleted boolean) returns json
 *
 * Executes a SOQL query as the caller.  Returns totalSize, done, records, and, if the
 * result has more than batch_size records, nextRecordsUrl for query_more().
 * include_deleted: deleted records are found, too, by Id, IsDeleted, LastModifiedDate and
 * SystemModstamp, which is what is known of them.
 * Raises: 22004 for null, OR401 (INVALID_TYPE), OR402 (INVALID_FIELD), OR404
 * (INVALID_BATCH_SIZE, NUMBER_OUTSIDE_VALID_RANGE, EXCEEDED_ID_LIMIT,
 * OPERATION_TOO_LARGE), OR406 (MALFORMED_QUERY), OR407 (INVALID_QUERY_FILTER_OPERATOR),
 * 22023 for an impossible API version, 25006 for a result with several pages in a
 * read-only transaction, 42501 for a role that acts as no active user.
 * Source: reference.md, 4.6 and 5.
 */
Datum
orchestration_query(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	ReadyQuery *query;
	int			version;
	int			batch;

	orch_require_arguments(fcinfo, 0, 1, "soql");
	(void) orch_access_require_user(GetUserId());
	version = orch_sobject_version(fcinfo, 1, ORCH_API_NEWEST);
	batch = PG_ARGISNULL(2) ? QUERY_BATCH : PG_GETARG_INT32(2);
	if (batch < QUERY_LEAST_BATCH || batch > QUERY_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
				 errmsg("INVALID_BATCH_SIZE: batch_size is %d, and must be from %d to %d", batch,
						QUERY_LEAST_BATCH, QUERY_BATCH)));
	query = get_query(text_to_cstring(PG_GETARG_TEXT_PP(0)), version,
					  !PG_ARGISNULL(3) && PG_GETARG_BOOL(3));
	initStringInfo(&out);
	PG_TRY();
	{
		orch_spi_connect();
		run(&out, query, batch);
		SPI_finish();
	}
	PG_FINALLY();
	{
		release(query);
	}
	PG_END_TRY();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * The rows of a page in the order of its ids; records that are gone are left out.
 */
static uint64 *
page_order(const QueryRows *rows, const QueryPage *page, uint64 *n)
{
	uint64		nrows = orch_query_count_rows(rows);
	UuidRow    *sorted = palloc(Max(nrows, 1) * sizeof(UuidRow));
	uint64	   *order = palloc(Max(page->nids, 1) * sizeof(uint64));
	uint64		i;

	for (i = 0; i < nrows; i++)
	{
		sorted[i].id = *orch_query_row_id(rows, i);
		sorted[i].row = i;
	}
	orch_uuid_rows_sort(sorted, nrows);
	*n = 0;
	for (i = 0; i < (uint64) page->nids; i++)
	{
		uint64		found = orch_uuid_rows_find(sorted, nrows, &page->ids[i]);

		if (found < nrows)
			order[(*n)++] = sorted[found].row;
	}
	return order;
}

/*
 * Append a further page.  Connected to SPI.
 */
static void
run_more(StringInfo out, ReadyQuery *query, const QueryPage *page)
{
	QueryRows  *rows = orch_query_execute(query, query->select, VARIANT_BY_ID, -1, page->ids,
										  page->nids);
	uint64		n;
	uint64	   *order = page_order(rows, page, &n);

	append_page(out, query, rows, order, n, page->total, &page->locator,
				page->first + page->batch);
}

PG_FUNCTION_INFO_V1(orchestration_query_more);

/*
 * orchestration.query_more(locator text) returns json
 *
 * The next page of a result, in the form of query().  Records are read anew with the rights
 * that the user has now; those deleted or no longer visible are left out, and totalSize
 * stays.  locator: nextRecordsUrl, or its last part.
 * Raises: 22004 for null, OR408 (INVALID_QUERY_LOCATOR), those of query() if a field of it
 * became unreadable, 25006 on a standby, 42501 for a role that acts as no active user.
 * Source: reference.md, 4.6.
 */
Datum
orchestration_query_more(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	QueryPage	page;
	ReadyQuery *query;

	orch_require_arguments(fcinfo, 0, 1, "locator");
	(void) orch_access_require_user(GetUserId());
	orch_query_find_page(text_to_cstring(PG_GETARG_TEXT_PP(0)), &page);
	query = get_query(page.text, page.version, page.include_deleted);
	initStringInfo(&out);
	PG_TRY();
	{
		orch_spi_connect();
		run_more(&out, query, &page);
		SPI_finish();
	}
	PG_FINALLY();
	{
		release(query);
	}
	PG_END_TRY();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * The SQL of a SELECT, and of its sub-queries.
 */
static void
explain(StringInfo out, ReadyQuery *query, QuerySelect *select)
{
	QueryVariant variant = select->parent_field == NULL ? VARIANT_ROWS : VARIANT_CHILDREN;
	QueryStatement *statement;
	ListCell   *cell;

	check_stack_depth();
	statement = orch_query_statement(query, select, variant);
	if (select->parent_field != NULL)
		appendStringInfo(out, "\n-- %s, for the ids of their parents\n", select->relationship);
	appendStringInfo(out, "%s;", statement->sql);
	foreach(cell, select->children)
		explain(out, query, (QuerySelect *) lfirst(cell));
}

PG_FUNCTION_INFO_V1(orchestration_explain_soql);

/*
 * orchestration.explain_soql(soql text, api_version numeric) returns text
 *
 * The SQL that query() executes for a SOQL query, with parameters in place of values; one
 * statement a line for sub-queries.
 * Raises: as query().
 * Source: ours.
 */
Datum
orchestration_explain_soql(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	ReadyQuery *query;

	orch_require_arguments(fcinfo, 0, 1, "soql");
	(void) orch_access_require_user(GetUserId());
	query = get_query(text_to_cstring(PG_GETARG_TEXT_PP(0)),
					  orch_sobject_version(fcinfo, 1, ORCH_API_NEWEST), false);
	initStringInfo(&out);
	PG_TRY();
	{
		explain(&out, query, query->select);
	}
	PG_FINALLY();
	{
		release(query);
	}
	PG_END_TRY();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
