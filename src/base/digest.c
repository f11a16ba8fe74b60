/*-------------------------------------------------------------------------
 *
 * digest.c
 *	  Digests of requests that are made with an idempotency key.
 *
 * A key that is used again must come with the same request: otherwise the caller would be
 * told the outcome of another one.  A digest is kept, not the request, because the values of
 * a run change, and because it has a fixed size.  It does not depend on the server's version
 * or architecture, since dumps carry it; so jsonb's own hash cannot be used.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/digest.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/digest.h"

static void add_text(StringInfo text, char kind, const char *string, int length);
static void add_scalar(StringInfo text, const JsonbValue *value);
static void add_values(StringInfo text, Jsonb *values);

/* With its length, so that no two requests have the same text. */
static void
add_text(StringInfo text, char kind, const char *string, int length)
{
	appendStringInfo(text, "%c%d:", kind, length);
	appendBinaryStringInfo(text, string, length);
}

static void
add_scalar(StringInfo text, const JsonbValue *value)
{
	char	   *number;

	switch (value->type)
	{
		case jbvNull:
			appendStringInfoChar(text, '0');
			break;
		case jbvBool:
			appendStringInfoChar(text, value->val.boolean ? 'T' : 'F');
			break;
		case jbvNumeric:
			/* 1.0 equals 1 */
			number = numeric_normalize(value->val.numeric);
			add_text(text, 'N', number, strlen(number));
			pfree(number);
			break;
		case jbvString:
			add_text(text, 'S', value->val.string.val, value->val.string.len);
			break;
		default:
			elog(ERROR, "unexpected type %d of jsonb value", (int) value->type);
	}
}

static void
add_values(StringInfo text, Jsonb *values)
{
	JsonbIterator *it = JsonbIteratorInit(&values->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		switch (token)
		{
			case WJB_BEGIN_OBJECT:
				appendStringInfoChar(text, '{');
				break;
			case WJB_END_OBJECT:
				appendStringInfoChar(text, '}');
				break;
			case WJB_BEGIN_ARRAY:
				appendStringInfoChar(text, '[');
				break;
			case WJB_END_ARRAY:
				appendStringInfoChar(text, ']');
				break;
			default:
				add_scalar(text, &value);
		}
	}
}

bytea *
orch_digest_request(const char *name, Jsonb *values)
{
	StringInfoData text;

	initStringInfo(&text);
	/* a varlena from the beginning: sha256() reads it where it is */
	appendStringInfoSpaces(&text, VARHDRSZ);
	if (name != NULL)
		add_text(&text, 'S', name, strlen(name));
	if (values != NULL && !(JB_ROOT_IS_OBJECT(values) && JB_ROOT_COUNT(values) == 0))
		add_values(&text, values);
	SET_VARSIZE(text.data, text.len);
	return DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(text.data)));
}

bool
orch_digest_matches(Datum stored, bool isnull, bytea *digest)
{
	return isnull ||
		DatumGetBool(DirectFunctionCall2(byteaeq, stored, PointerGetDatum(digest)));
}
