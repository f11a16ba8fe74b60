/*-------------------------------------------------------------------------
 *
 * argument.c
 *	  Arguments whose type differs: the key of a record, of any type; ids and names.
 *
 * Calls that take a key exist twice: with a parameter of type text, which literals and
 * parameters of unknown type resolve to, and with one of type "any".  Both call the same C
 * function, which reads the argument here.
 *
 * The text does not depend on the session's settings, because the same value must name the
 * same record, and the same request of an idempotency key, in every session.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/argument.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "base/argument.h"
#include "base/text_form.h"

static Oid	argument_type(FunctionCallInfo fcinfo, int argno);

/*
 * The type of an argument.  A call by the fast-path protocol has no expression; then it is
 * the type that the function declares.
 */
static Oid
argument_type(FunctionCallInfo fcinfo, int argno)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argno);
	Oid		   *types;
	int			ntypes;

	if (!OidIsValid(type))
	{
		(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &ntypes);
		Assert(argno < ntypes);
		type = types[argno];
	}
	if (type == ANYOID)
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the data type of a record's key"),
				 errhint("Pass it as text.")));
	return type;
}

bool
orch_argument_is_text(FunctionCallInfo fcinfo, int argno)
{
	return argument_type(fcinfo, argno) == TEXTOID;
}

char *
orch_argument_key(FunctionCallInfo fcinfo, int argno)
{
	Oid			type;
	Oid			output;
	bool		is_varlena;
	int			level;
	char	   *result;

	if (PG_ARGISNULL(argno))
		return NULL;
	type = argument_type(fcinfo, argno);
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			return text_to_cstring(PG_GETARG_TEXT_PP(argno));
		case UNKNOWNOID:
			return pstrdup(PG_GETARG_CSTRING(argno));
	}
	getTypeOutputInfo(type, &output, &is_varlena);
	level = NewGUCNestLevel();
	orch_fix_settings();
	/* as the caller, who could cast the value to text as well */
	result = OidOutputFunctionCall(output, PG_GETARG_DATUM(argno));
	AtEOXact_GUC(true, level);
	return result;
}
