/*-------------------------------------------------------------------------
 *
 * uuid.h
 *	  Record ids: uuids of version 7 (RFC 9562), ordered by time.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/uuid.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_UUID_H
#define ORCH_UUID_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/array.h"
#include "utils/uuid.h"

extern void orch_uuid_generate(pg_uuid_t *id);

/*
 * Between which times records with these ids were created: those of the ids, and a second on
 * either side.  Without ids, an empty range.
 */
extern void orch_uuid_time_range(const pg_uuid_t *ids, int nids, TimestampTz *first,
								 TimestampTz *last);

extern char *orch_uuid_text(const pg_uuid_t *id);

/* Reads an id; false if the text is not one. */
extern bool orch_uuid_parse(const char *text, pg_uuid_t *id);

/* qsort comparator */
extern int	orch_uuid_compare(const void *a, const void *b);

/* A row of a result, by an id in it. */
typedef struct UuidRow
{
	pg_uuid_t	id;				/* must be first, for orch_uuid_compare() */
	uint64		row;
} UuidRow;

/* By id, and rows with the same id in their order. */
extern void orch_uuid_rows_sort(UuidRow *rows, uint64 nrows);

/* The place of the first row with the id among sorted rows; nrows if there is none. */
extern uint64 orch_uuid_rows_find(const UuidRow *rows, uint64 nrows, const pg_uuid_t *id);

/* The ids as uuid[]; nids may be 0. */
extern ArrayType *orch_uuid_array(const pg_uuid_t *ids, int nids);

#define orch_uuid_equal(a, b) (memcmp((a), (b), UUID_LEN) == 0)

#endif							/* ORCH_UUID_H */
