/*-------------------------------------------------------------------------
 *
 * record_int.h
 *	  What the files of record types share: a record type as a session keeps it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_INT_H
#define ORCH_RECORD_INT_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/compat.h"
#include "base/system.h"
#include "record/record.h"

/* A record type, as a session keeps it. */
typedef struct RecordType
{
	char		name[NAMEDATALEN * 4];	/* hash key, must be first */
	Oid			relation;
	bool		valid;			/* set last; false when the table has changed */
	char	   *table_name;		/* qualified */
	int			nkeys;
	List	   *key_columns;	/* of char * */
	Oid		   *key_types;
	/* by the key; all but fetch return the key as the row has it */
	StaticPlan	lock;			/* SELECT ... FOR KEY SHARE */
	StaticPlan	lock_values;	/* SELECT ... FOR SHARE */
	StaticPlan	fetch;			/* SELECT to_jsonb(t) ... */
	StaticPlan	read;			/* SELECT ... */
} RecordType;

/* record.c; the second raises OR102 */
extern RecordType *orch_record_find(const char *name, bool missing_ok);
extern void orch_record_refuse_type(const char *name) pg_attribute_noreturn();

/*
 * Append the condition that a column of t has the value of a parameter, which is given as
 * text.  typmod: that of the column, or -1.
 */
extern void orch_record_append_equal(StringInfo query, const char *column, Oid type,
									 int32 typmod, int parameter);

/* A copy of a list of names, in the current memory context. */
extern List *orch_record_name_list(Datum names);
extern List *orch_record_copy_names(List *names);
extern bool orch_record_same_names(List *a, List *b);

/*
 * record_policy.c: would the row policies of a table, evaluated for a role, run only
 * functions that the role trusts: its own, a superuser's, or SECURITY DEFINER ones?
 */
extern bool orch_record_policies_trusted(Oid relation, Oid role);

#endif							/* ORCH_RECORD_INT_H */
