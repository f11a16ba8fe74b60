/*-------------------------------------------------------------------------
 *
 * argument.h
 *	  Arguments of SQL-callable functions.
 *
 * A function that accepts null for some arguments cannot be STRICT; it checks its other
 * arguments by these functions.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/argument.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ARGUMENT_H
#define ORCH_ARGUMENT_H

#include "postgres.h"

#include "fmgr.h"

/* Raises 22004 "<names> must not be null" if one of n arguments from first on is null. */
static inline void
orch_require_arguments(FunctionCallInfo fcinfo, int first, int n, const char *names)
{
	int			i;

	for (i = first; i < first + n; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names)));
}

/*
 * argument.c: the key of a record, an argument of any type, as text that does not depend on
 * the session's settings; NULL for null.  Raises 42P18 if its type is not known.
 */
extern char *orch_argument_key(FunctionCallInfo fcinfo, int argno);

/* Is it a text?  For functions of which one overload takes a text. */
extern bool orch_argument_is_text(FunctionCallInfo fcinfo, int argno);

/* The first n arguments as the parameters of a plan. */
static inline void
orch_pass_arguments(FunctionCallInfo fcinfo, int n, Datum *values, char *nulls)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
}

#endif							/* ORCH_ARGUMENT_H */
