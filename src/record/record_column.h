/*-------------------------------------------------------------------------
 *
 * record_column.h
 *	  Which column of a table the name of a field or of a relationship means.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_column.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_COLUMN_H
#define ORCH_RECORD_COLUMN_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "nodes/pg_list.h"

/* A foreign key of a table that records follow. */
typedef struct RecordForeignKey
{
	Oid			target;			/* the table that it leads to */
	int			ncolumns;
	AttrNumber	columns[INDEX_MAX_KEYS];
	AttrNumber	target_columns[INDEX_MAX_KEYS];
} RecordForeignKey;

/*
 * The column that a field name means; NULL if there is none.  Id is the key (columns) if no
 * column has that name.  A key of several columns has an id that no column holds; then only a
 * column that is written exactly so has the field's name, see orch_record_is_id().
 */
extern Form_pg_attribute orch_record_column(TupleDesc desc, const List *key_columns,
											const char *field);

/* Does a path of relationships and a field begin with this column? */
extern bool orch_record_path_reads(const List *path, const char *column);

/* Has a table a column that a path begins with?  False if the table is gone. */
extern bool orch_record_has_column(Oid relation, const List *path);

/*
 * The foreign key that a relationship follows; false if there is none.  Keeps a lock on the
 * table, so that the key and its columns stay until the transaction ends.
 */
extern bool orch_record_foreign_key(Oid relation, const char *relationship,
									RecordForeignKey *key);

#endif							/* ORCH_RECORD_COLUMN_H */
