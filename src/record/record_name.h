/*-------------------------------------------------------------------------
 *
 * record_name.h
 *	  Which table a record type names.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_name.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_NAME_H
#define ORCH_RECORD_NAME_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* The function of the trigger that marks a registered table, for queries. */
#define RECORD_MARK_FUNCTION \
	"(SELECT p.oid FROM pg_catalog.pg_proc p" \
	" JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace" \
	" WHERE p.proname = 'record_changes' AND n.nspname = 'orchestration_internal')"

/*
 * The record type whose mark a table has, NULL if there is none.  The result is valid until
 * the next call.
 */
extern const char *orch_record_mark(Oid relation);

/*
 * The table of this name if it has the mark of the record type, otherwise InvalidOid.  Takes
 * no lock.
 */
extern Oid	orch_record_table(const char *type, const char *schema_name,
							  const char *table_name);

/*
 * All tables that have the mark of a record type: its table and the tables that inherit from
 * it.  Caller is in system context and connected to SPI.
 */
extern List *orch_record_marked(const char *type);

/* Of these, the one that is no child of another: InvalidOid if there is none or several. */
extern Oid	orch_record_root(const char *type);

/* A table as a query names it. */
extern char *orch_record_qualified_name(Oid relation);

/* Is one table a child of the other, by INHERITS? */
extern bool orch_record_inherits(Oid child, Oid parent);

extern void orch_record_name_init(void);

#endif							/* ORCH_RECORD_NAME_H */
