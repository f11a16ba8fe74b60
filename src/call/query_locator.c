/*-------------------------------------------------------------------------
 *
 * query_locator.c
 *	  Results of SOQL queries that do not fit one page.
 *
 * The ids of the records on further pages are kept in a table, one row a page, for two
 * days.  A page reads its records anew, with the rights that the user has then.  The table
 * is unlogged: after a crash a client repeats its query.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_locator.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "base/uuid_map.h"
#include "call/caller.h"
#include "call/query.h"
#include "call/query_int.h"

/* Ids that are kept of one result: 80 MB. */
#define MAX_KEPT	5000000

/* Locators of a user; the oldest makes room. */
#define MAX_LOCATORS	10

/* Rows that are read at once. */
#define CHUNK		10000

/* The platform's locators begin so. */
#define PREFIX		"01g"

static StaticPlan plan_insert = {
	"INSERT INTO orchestration.query_locator"
	" (id, user_id, soql, api_version, include_deleted, batch_size, total)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)",
	7, {UUIDOID, UUIDOID, TEXTOID, INT4OID, BOOLOID, INT4OID, INT8OID}
};
static StaticPlan plan_insert_page = {
	"INSERT INTO orchestration.query_locator_page (locator_id, first, ids)"
	" VALUES ($1, $2, $3)",
	3, {UUIDOID, INT8OID, UUIDARRAYOID}
};
static StaticPlan plan_make_room = {
	"DELETE FROM orchestration.query_locator WHERE id = ANY (ARRAY("
	" SELECT l.id FROM orchestration.query_locator l WHERE l.user_id = $1"
	"  ORDER BY l.created_at DESC OFFSET $2 FOR UPDATE SKIP LOCKED))",
	2, {UUIDOID, INT4OID}
};
static StaticPlan plan_find = {
	"SELECT l.soql, l.api_version, l.include_deleted, l.batch_size, l.total, p.ids"
	"  FROM orchestration.query_locator l"
	"  JOIN orchestration.query_locator_page p ON p.locator_id = l.id"
	" WHERE l.id = $1 AND l.user_id = $2 AND p.first = $3"
	"   AND l.created_at > pg_catalog.statement_timestamp() - '"
	CppAsString2(ORCH_LOCATOR_DAYS) " days'::pg_catalog.interval",
	3, {UUIDOID, UUIDOID, INT8OID}
};

static pg_uuid_t *read_ids(ReadyQuery *query, const QueryRows *shown, int64 *total);
static void invalid_locator(void) pg_attribute_noreturn();
static bool parse_locator(const char *text, pg_uuid_t *id, int64 *first);

/*
 * The ids of the records that were not shown, in the order of the query.  They may come in
 * another order than those shown if the query leaves it open, so the shown ones are
 * recognized by their ids.
 */
static pg_uuid_t *
read_ids(ReadyQuery *query, const QueryRows *shown, int64 *total)
{
	QuerySelect *select = query->select;
	uint64		nshown = orch_query_count_rows(shown);
	UuidMap		map;
	ParamListInfo params;
	SPIPlanPtr	plan = orch_query_prepare(query, select, VARIANT_IDS, select->limit, NULL, 0,
										  &params);
	Portal		portal = SPI_cursor_open_with_paramlist(NULL, plan, params, true);
	pg_uuid_t  *ids = NULL;
	int64		allocated = 0;
	int64		n = 0;
	int64		nread;
	uint64		i;

	orch_uuid_map_init(&map, CurrentMemoryContext);
	for (i = 0; i < nshown; i++)
		*orch_uuid_map_enter(&map, orch_query_row_id(shown, i)) = 1;
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, CHUNK);
		nread = (int64) SPI_processed;
		if (nread == 0)
			break;
		if (n + nread > allocated)
		{
			allocated = Max(allocated * 2, CHUNK);
			ids = ids == NULL ?
				MemoryContextAllocHuge(CurrentMemoryContext, allocated * sizeof(pg_uuid_t)) :
				repalloc_huge(ids, allocated * sizeof(pg_uuid_t));
		}
		for (i = 0; i < (uint64) nread; i++)
		{
			bool		isnull;
			pg_uuid_t  *id = DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[i],
														 SPI_tuptable->tupdesc, 1, &isnull));

			if (orch_uuid_map_get(&map, id) == 0)
				ids[n++] = *id;
		}
		SPI_freetuptable(SPI_tuptable);
		if (n > MAX_KEPT)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_LIMIT_EXCEEDED),
					 errmsg("OPERATION_TOO_LARGE: the query has more than %d records",
							MAX_KEPT),
					 errhint("Add a condition or a LIMIT.")));
	}
	SPI_cursor_close(portal);
	/* an order that is left open must not exceed LIMIT */
	if (select->limit >= 0)
		n = Min(n, select->limit - (int64) nshown);
	*total = (int64) nshown + n;
	return ids;
}

/*
 * Keep the rest of a result of which the first page was shown.  Returns the size of the
 * whole result, and the locator.  Connected to SPI as the caller.
 */
int64
orch_query_keep(ReadyQuery *query, int batch, const QueryRows *shown, pg_uuid_t *locator)
{
	int64		total;
	int64		first = (int64) orch_query_count_rows(shown);
	int64		nshown = first;
	pg_uuid_t  *ids;
	pg_uuid_t	user_id;
	SystemContext saved;
	Datum		values[7];

	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("the query has more than %d records, and a read-only transaction cannot keep further pages",
						batch),
				 errhint("Add a LIMIT of at most %d, or execute the query in a transaction that can write, on the primary server.",
						 batch)));
	ids = read_ids(query, shown, &total);
	if (total == nshown)
		return total;
	(void) orch_caller_user_id(GetUserId(), &user_id);
	orch_uuid_generate(locator);
	orch_system_connect(&saved);
	values[0] = UUIDPGetDatum(&user_id);
	values[1] = Int32GetDatum(MAX_LOCATORS - 1);
	orch_plan_execute_latest(&plan_make_room, values, NULL, 0);
	values[0] = UUIDPGetDatum(locator);
	values[1] = UUIDPGetDatum(&user_id);
	values[2] = CStringGetTextDatum(query->text);
	values[3] = Int32GetDatum(query->version);
	values[4] = BoolGetDatum(query->include_deleted);
	values[5] = Int32GetDatum(batch);
	values[6] = Int64GetDatum(total);
	orch_plan_execute_latest(&plan_insert, values, NULL, 0);
	for (; first < total; first += batch)
	{
		ArrayType  *page = orch_uuid_array(ids + (first - nshown),
										   (int) Min(batch, total - first));

		CHECK_FOR_INTERRUPTS();
		values[0] = UUIDPGetDatum(locator);
		values[1] = Int64GetDatum(first);
		values[2] = PointerGetDatum(page);
		orch_plan_execute_latest(&plan_insert_page, values, NULL, 0);
		pfree(page);
	}
	orch_system_finish(&saved);
	return total;
}

/*
 * One message for every reason: it does not tell whether another user has such a locator.
 */
static void
invalid_locator(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_QUERY_LOCATOR),
			 errmsg("INVALID_QUERY_LOCATOR: invalid query locator"),
			 errdetail("A locator is valid for two days, for the user who made the query, and until that user has made ten more queries with several pages."),
			 errhint("Execute the query again.")));
}

char *
orch_query_locator_text(const pg_uuid_t *locator, int64 first)
{
	char		hex[UUID_LEN * 2 + 1];

	hex_encode((const char *) locator->data, UUID_LEN, hex);
	hex[UUID_LEN * 2] = '\0';
	return psprintf(PREFIX "%s-" INT64_FORMAT, hex, first);
}

/*
 * A locator, or the path of nextRecordsUrl that ends with one.
 */
static bool
parse_locator(const char *text, pg_uuid_t *id, int64 *first)
{
	const char *slash = strrchr(text, '/');
	const char *p = slash == NULL ? text : slash + 1;
	int			i;

	if (strncmp(p, PREFIX, strlen(PREFIX)) != 0)
		return false;
	p += strlen(PREFIX);
	for (i = 0; i < UUID_LEN * 2; i++)
	{
		int			digit = *p >= '0' && *p <= '9' ? *p - '0' :
			*p >= 'a' && *p <= 'f' ? *p - 'a' + 10 : -1;

		if (digit < 0)
			return false;
		id->data[i / 2] = i % 2 == 0 ? digit << 4 : id->data[i / 2] | digit;
		p++;
	}
	if (*p++ != '-' || *p < '1' || *p > '9')
		return false;
	for (*first = 0; *p >= '0' && *p <= '9' && *first <= MAX_KEPT; p++)
		*first = *first * 10 + (*p - '0');
	return *p == '\0';
}

/*
 * The page of a locator of the caller's user.  Raises OR408, and 25006 on a standby.
 */
void
orch_query_find_page(const char *locator, QueryPage *page)
{
	MemoryContext context = CurrentMemoryContext;
	MemoryContext old;
	pg_uuid_t	user_id;
	SystemContext saved;
	Datum		values[3];
	Datum		ids;
	Datum	   *elements;
	HeapTuple	row;
	TupleDesc	desc;
	bool		isnull;
	int			i;

	if (!parse_locator(locator, &page->locator, &page->first))
		invalid_locator();
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("a standby server does not have the pages of queries"),
				 errhint("Call query_more() on the primary server.")));
	(void) orch_caller_user_id(GetUserId(), &user_id);
	orch_system_connect(&saved);
	values[0] = UUIDPGetDatum(&page->locator);
	values[1] = UUIDPGetDatum(&user_id);
	values[2] = Int64GetDatum(page->first);
	orch_plan_execute_latest(&plan_find, values, NULL, 1);
	if (SPI_processed == 0)
		invalid_locator();
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	old = MemoryContextSwitchTo(context);
	page->text = TextDatumGetCString(SPI_getbinval(row, desc, 1, &isnull));
	page->version = DatumGetInt32(SPI_getbinval(row, desc, 2, &isnull));
	page->include_deleted = DatumGetBool(SPI_getbinval(row, desc, 3, &isnull));
	page->batch = DatumGetInt32(SPI_getbinval(row, desc, 4, &isnull));
	page->total = DatumGetInt64(SPI_getbinval(row, desc, 5, &isnull));
	ids = SPI_getbinval(row, desc, 6, &isnull);
	deconstruct_array(DatumGetArrayTypeP(ids), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR,
					  &elements, NULL, &page->nids);
	page->ids = palloc(Max(page->nids, 1) * sizeof(pg_uuid_t));
	for (i = 0; i < page->nids; i++)
		page->ids[i] = *DatumGetUUIDP(elements[i]);
	MemoryContextSwitchTo(old);
	orch_system_finish(&saved);
}
