/*-------------------------------------------------------------------------
 *
 * record.h
 *	  Record types: tables of users whose rows runs and work items are about.
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

#include "base/compat.h"

/*
 * A key is a record id as a caller may write it; an id is as lookups hold it, see
 * record_key.c.
 */

/*
 * Lock a record against deletion until the end of the transaction, as a foreign key
 * does; values: against any change.  Returns its id.  Raises OR102 for an unknown record
 * type, OR101 if there is no such record.
 */
extern char *orch_record_lock(const char *type, const char *key, bool values);

/*
 * The id of the record with this key, among those that a role itself may read (InvalidOid:
 * all).  NULL if there is none.
 */
extern char *orch_record_id(const char *type, const char *key, Oid role);

/* Does a key mean the record of this id? */
extern bool orch_record_means(const char *type, const char *key, const char *id);

/* Has the key of a record type several columns? */
extern bool orch_record_is_composite(const char *type);

/* May a role itself read a record? */
extern bool orch_record_readable(const char *type, const char *key, Oid role);

/*
 * Lock a record if the type is registered, the record exists, and the role, if one is
 * given, may read it.  Returns its id, else NULL.
 */
extern char *orch_record_try_lock(const char *type, const char *key, Oid role, bool values);

/*
 * The record type that has a record of this key, among those that a role itself may read
 * (InvalidOid: all), and the record's id; locks the record.  NULL: none.
 */
extern char *orch_record_find_type(const char *key, Oid role, char **id);

/* The record as a JSON object, NULL if there is none. */
extern Jsonb *orch_record_fetch(const char *type, const char *key);

/*
 * The value of a path of relationships and a field, beginning at a record; NULL for null.
 * If the path names a field that the table does not have, NULL, and *missing is its name.
 */
extern JsonbValue *orch_record_value_at(const char *type, const char *key,
										Jsonb *record, List *path, const char **missing);

/*
 * Does the name of a field mean the id of a record, as "Id" in any case of letters does if no
 * field has that name (found)?  If the key has several columns, it does even beside a field
 * "id", unless it is written as that field is.
 */
extern bool orch_record_is_id(const char *name, Jsonb *record, bool found, bool composite);

/*
 * That id of a record as JSON; a key of one column: its value.  NULL for null, and if the
 * type is not registered.
 */
extern JsonbValue *orch_record_json_id(const char *type, Jsonb *record);

/* The field if the table of a record type has no such column, otherwise NULL. */
extern const char *orch_record_missing_field(const char *type, const char *field);

/* Does no column of a record type's table begin the path?  False if it has no table. */
extern bool orch_record_lacks_path(const char *type, const List *path);

/* Raises 42703, or OR102 if the record type has lost its table. */
extern void orch_record_refuse_field(const char *type, const char *field)
			pg_attribute_noreturn();

/*
 * The record type of a relation's rows, NULL if there is none.  *table is the registered
 * table: the relation, or one from which it inherits.  Both pointers may be NULL.
 */
extern char *orch_record_type_of(Oid relation, Oid *table, List **key_columns);

/* A filter on a field, value as text. */
typedef struct RecordFilter
{
	const char *field;
	const char *value;
} RecordFilter;

/* Does the caller want this record? */
typedef bool (*RecordWanted) (Jsonb *record, void *arg);

/*
 * Records of a type that have these values and are wanted, as Jsonb *; at most limit (0:
 * all), ordered by a field if one is given.
 */
extern List *orch_record_select(const char *type, int nfilters,
								const RecordFilter *filters,
								const char *sort_field, bool descending,
								RecordWanted wanted, void *arg, int64 limit);

/*
 * The table of a record type, InvalidOid if there is none, and the type of a table's primary
 * key, NULL unless that has one column.  The caller is connected to SPI.
 */
extern Oid	orch_record_table_of(const char *type);
extern char *orch_record_key_type(Oid relation);

/* The id of a record changed; NULL: it was deleted.  Changes the lookups to it. */
extern void orch_record_move_lookups(const char *type, const char *old_key,
									 const char *new_key);

extern void orch_record_init(void);

/* All records of a type are gone: clear the lookups to them. */
extern void orch_record_clear_lookups(const char *type);

#endif							/* ORCH_RECORD_H */
