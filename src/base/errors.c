/*-------------------------------------------------------------------------
 *
 * errors.c
 *	  The fields of an error that name a table, a column or a constraint.
 *
 * errtable() and its like need an open relation.  Most errors of the extension are raised
 * where none is open, or where the row is one that was not found.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/errors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "base/errors.h"

static bool set_table(Oid relid);

/* Sets the schema and the table; false if it was dropped. */
static bool
set_table(Oid relid)
{
	char	   *table = get_rel_name(relid);
	char	   *schema = get_namespace_name(get_rel_namespace(relid));

	if (table == NULL || schema == NULL)
		return false;
	err_generic_string(PG_DIAG_SCHEMA_NAME, schema);
	err_generic_string(PG_DIAG_TABLE_NAME, table);
	return true;
}

int
orch_error_table(Oid relid)
{
	(void) set_table(relid);
	return 0;
}

int
orch_error_column(OrchRelation relation, const char *column)
{
	Oid			relid = orch_catalog_relation(relation);
	bool		is_there = set_table(relid);

	Assert(!is_there || column == NULL || get_attnum(relid, column) != InvalidAttrNumber);
	if (is_there && column != NULL)
		err_generic_string(PG_DIAG_COLUMN_NAME, column);
	return 0;
}

int
orch_error_constraint(OrchRelation relation, const char *constraint)
{
	if (set_table(orch_catalog_relation(relation)))
		err_generic_string(PG_DIAG_CONSTRAINT_NAME, constraint);
	return 0;
}
