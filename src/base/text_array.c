/*-------------------------------------------------------------------------
 *
 * text_array.c
 *	  Texts as text[], for the parameters of plans and for results.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/text_array.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/text_array.h"

Datum
orch_text_array(const List *texts)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	ListCell   *cell;
	int			n = 0;

	foreach(cell, texts)
	{
		CHECK_FOR_INTERRUPTS();
		elements[n++] = CStringGetTextDatum((char *) lfirst(cell));
	}
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}
