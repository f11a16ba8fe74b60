/*-------------------------------------------------------------------------
 *
 * record_field.h
 *	  Fields of records, as the catalog has them: which column a path means, and which
 *	  values it can have.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_field.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_FIELD_H
#define ORCH_RECORD_FIELD_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "evaluate/condition.h"

/* What a path of relationships and a field leads to. */
typedef struct RecordField
{
	ValueType	type;			/* of its values; VALUE_UNKNOWN: known in a run only,
								 * as inside a column of type jsonb */
	Oid			column_type;	/* looking through domains; InvalidOid: the path leads
								 * into a value, or is empty */
	int32		typmod;
	bool		not_null;		/* the column itself, of the record itself */
	char	   *type_name;		/* as SQL writes it; NULL if there is no column */
	char	   *missing;		/* the name in the path that is not there, or NULL */
	char	   *table;			/* of that name, qualified */
	bool		no_relationship;	/* the name is that of a relationship */
} RecordField;

/*
 * What a path from a record of a type, or from a row of a table, leads to, by the rules
 * of orch_record_value_at().  The first returns false if the type is not registered or
 * its table is gone.  Reads the catalog only.  Caller is in system context and connected
 * to SPI.
 */
extern bool orch_record_field(const char *type, List *path, RecordField *field);
extern void orch_record_field_of_table(Oid relation, List *key_columns, List *path,
									   RecordField *field);

/*
 * The reason for which no value of a field can be equal to a literal, or begin or end
 * with it or contain it; NULL if one can, or if it is not known.  Runs no code of a
 * user's type.
 */
extern char *orch_record_field_never(const RecordField *field, ComparisonOperator op,
									 const Operand *literal);

#endif							/* ORCH_RECORD_FIELD_H */
