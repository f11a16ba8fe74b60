/*-------------------------------------------------------------------------
 *
 * record_key.h
 *	  The key of a record and its text, the record id.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_key.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_KEY_H
#define ORCH_RECORD_KEY_H

#include "postgres.h"

#include "access/htup.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

/* The key columns of one table, which a partition may have at other places. */
typedef struct RecordKey
{
	int			ncolumns;
	AttrNumber	attnums[INDEX_MAX_KEYS];
} RecordKey;

/*
 * Find the columns (List of char *) in a table.  Returns the name of one that is missing,
 * NULL if there is none.
 */
extern const char *orch_record_key_columns(TupleDesc desc, List *columns, RecordKey *key);

/* The id of a row; NULL if a part of its key is null. */
extern char *orch_record_row_id(Relation relation, HeapTuple row, const RecordKey *key);

/* Has a row the key of another, bit by bit?  Otherwise the ids may still be the same. */
extern bool orch_record_same_key(Relation relation, HeapTuple a, HeapTuple b,
								 const RecordKey *key);

/* The id made of values of these types, none of them null. */
extern char *orch_record_make_id(Oid relation, int nparts, const Oid *types,
								 const Datum *values);

/*
 * The texts of the parts of an id; false if it has not the form of nparts parts that are not
 * null.
 */
extern bool orch_record_split_id(const char *id, int nparts, char **parts);

/* A part of a key, given as text.  Raises what the type raises. */
extern Datum orch_record_key_value(Oid relation, Oid type, const char *text);

/*
 * The settings of orch_fix_settings() on which the texts of a row depend, fixed until the
 * caller's level of settings ends: that of a gate.
 */
extern void orch_record_fix_settings_for(TupleDesc desc);

#endif							/* ORCH_RECORD_KEY_H */
