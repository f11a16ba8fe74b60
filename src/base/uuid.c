/*-------------------------------------------------------------------------
 *
 * uuid.c
 *	  Record ids: uuids of version 7 (RFC 9562), ordered by time.
 *
 * An id has 48 bits of milliseconds, 12 bits for the fraction of the millisecond, and 62
 * random bits.  From PostgreSQL 18 on, the server's uuidv7() makes them.  Within a
 * session ids strictly increase, even if the clock does not: rows sort in the order in
 * which they were made, and new index entries go to the same page.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/uuid.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/time.h>
#include <time.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/uuid.h"

/* one step of the 12-bit fraction, rounded up: 1,000,000 ns / 4096 */
#define FRACTION_NS	245

void
orch_uuid_generate(pg_uuid_t *id)
{
#ifdef ORCH_COMPAT_UUIDV7
	*id = *DatumGetUUIDP(ORCH_COMPAT_UUIDV7());
#else
	static int64 previous_ns = 0;
	struct timespec now;
	int64		ns;
	uint64		ms;
	uint32		fraction;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (int64) now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
	if (ns < previous_ns + FRACTION_NS)
		ns = previous_ns + FRACTION_NS;
	previous_ns = ns;

	ms = ns / 1000000;
	fraction = (uint32) ((ns % 1000000) * 4096 / 1000000);

	if (!pg_strong_random(&id->data[8], UUID_LEN - 8))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	id->data[0] = (unsigned char) (ms >> 40);
	id->data[1] = (unsigned char) (ms >> 32);
	id->data[2] = (unsigned char) (ms >> 24);
	id->data[3] = (unsigned char) (ms >> 16);
	id->data[4] = (unsigned char) (ms >> 8);
	id->data[5] = (unsigned char) ms;
	id->data[6] = (unsigned char) (0x70 | (fraction >> 8));
	id->data[7] = (unsigned char) fraction;
	id->data[8] = (id->data[8] & 0x3f) | 0x80;
#endif
}

/* The time at which an id was made, to the millisecond. */
static TimestampTz
uuid_time(const pg_uuid_t *id)
{
	int64		ms = 0;
	int			i;

	for (i = 0; i < 6; i++)
		ms = ms << 8 | id->data[i];
	return ms * 1000 -
		(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

void
orch_uuid_time_range(const pg_uuid_t *ids, int nids, TimestampTz *first, TimestampTz *last)
{
	int			i;

	*first = DT_NOEND;
	*last = DT_NOBEGIN;
	for (i = 0; i < nids; i++)
	{
		TimestampTz time = uuid_time(&ids[i]);

		*first = Min(*first, time - USECS_PER_SEC);
		*last = Max(*last, time + USECS_PER_SEC);
	}
}

/*
 * The text of uuid_out(), made without a StringInfo: get_updated() may return 600,000.
 */
char *
orch_uuid_text(const pg_uuid_t *id)
{
	static const char hex[] = "0123456789abcdef";
	char	   *text = palloc(UUID_LEN * 2 + 5);
	char	   *p = text;
	int			i;

	for (i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[id->data[i] >> 4];
		*p++ = hex[id->data[i] & 0x0F];
	}
	*p = '\0';
	return text;
}

int
orch_uuid_compare(const void *a, const void *b)
{
	return memcmp(a, b, UUID_LEN);
}

static int
compare_rows(const void *a, const void *b)
{
	int			result = orch_uuid_compare(a, b);
	uint64		row_a = ((const UuidRow *) a)->row;
	uint64		row_b = ((const UuidRow *) b)->row;

	return result != 0 ? result : row_a < row_b ? -1 : row_a > row_b;
}

void
orch_uuid_rows_sort(UuidRow *rows, uint64 nrows)
{
	qsort(rows, nrows, sizeof(UuidRow), compare_rows);
}

uint64
orch_uuid_rows_find(const UuidRow *rows, uint64 nrows, const pg_uuid_t *id)
{
	uint64		low = 0;
	uint64		high = nrows;

	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if (orch_uuid_compare(&rows[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < nrows && orch_uuid_equal(&rows[low].id, id) ? low : nrows;
}

/*
 * Accepts what uuid_in() accepts: optional hyphens after every fourth digit, optional
 * braces.
 */
bool
orch_uuid_parse(const char *text, pg_uuid_t *id)
{
	bool		braces = text[0] == '{';
	int			i;

	if (braces)
		text++;
	for (i = 0; i < UUID_LEN * 2; i++)
	{
		char		c = *text++;
		int			digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		else
			return false;
		if (i % 2 == 0)
			id->data[i / 2] = (unsigned char) (digit << 4);
		else
			id->data[i / 2] |= (unsigned char) digit;
		if (i % 4 == 3 && i < UUID_LEN * 2 - 1 && *text == '-')
			text++;
	}
	if (braces && *text++ != '}')
		return false;
	return *text == '\0';
}

ArrayType *
orch_uuid_array(const pg_uuid_t *ids, int nids)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + (Size) nids * UUID_LEN;
	ArrayType  *array;

	if (nids == 0)
		return construct_empty_array(UUIDOID);
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = UUIDOID;
	ARR_DIMS(array)[0] = nids;
	ARR_LBOUND(array)[0] = 1;
	memcpy((char *) array + ARR_OVERHEAD_NONULLS(1), ids,
		   (Size) nids * UUID_LEN);
	return array;
}

PG_FUNCTION_INFO_V1(orchestration_new_id);

/*
 * orchestration.new_id() returns uuid
 *
 * Returns a new record id.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_new_id(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	orch_uuid_generate(id);
	PG_RETURN_UUID_P(id);
}
