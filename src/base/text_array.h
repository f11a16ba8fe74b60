/*-------------------------------------------------------------------------
 *
 * text_array.h
 *	  Texts as text[], for the parameters of plans and for results.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/text_array.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_TEXT_ARRAY_H
#define ORCH_TEXT_ARRAY_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* The texts (char *) as text[]; there may be none. */
extern Datum orch_text_array(const List *texts);

#endif							/* ORCH_TEXT_ARRAY_H */
