/*-------------------------------------------------------------------------
 *
 * record.h
 *	  Record types: tables of users whose rows runs are about.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_H
#define ORCH_RECORD_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/*
 * Lock a record against deletion until the end of the transaction, as a foreign
 * key does; with values against any change.  Raises OR102 for an unknown record type, OR101 when there is no
 * such record.
 */
extern void orch_record_lock(const char *type, const char *key, bool values);

/* Whether a role may read a record itself. */
extern bool orch_record_readable(const char *type, const char *key, Oid role);

/* The record type that has a record of this key, locked; NULL: none has. */
extern char *orch_record_find_type(const char *key);

/* The same, of the records that a role may read itself. */
extern char *orch_record_find_readable(const char *key, Oid role);

/* The record as a JSON object, NULL when there is none. */
extern Jsonb *orch_record_fetch(const char *type, const char *key);

/*
 * The value of a path of relationships and a field, beginning at a record;
 * NULL for null.
 */
extern JsonbValue *orch_record_value_at(const char *type, const char *key,
										Jsonb *record, List *path);

/* The record type of a relation, NULL when it is not registered. */
extern char *orch_record_type_of(Oid relation, char **key_column);

/* A filter on a field, value as text. */
typedef struct RecordFilter
{
	const char *field;
	const char *value;
} RecordFilter;

/* Whether a record is wanted. */
typedef bool (*RecordWanted) (Jsonb *record, void *arg);

/*
 * Records of a type, at most limit (0: all), as Jsonb *, ordered by a field if
 * one is given: those that have these values and are wanted.
 */
extern List *orch_record_select(const char *type, int nfilters,
								const RecordFilter *filters,
								const char *sort_field, bool descending,
								RecordWanted wanted, void *arg, int64 limit);

/* For record_lookup.c; caller is in system context and connected to SPI. */
extern Oid	orch_record_relation(const char *type, const char **key_column);

/* Lookups to a record get another key; NULL: it was deleted. */
extern void orch_record_move_lookups(const char *type, const char *old_key,
									 const char *new_key);

/* All records of a type are gone. */
extern void orch_record_clear_lookups(const char *type);

#endif							/* ORCH_RECORD_H */
