/*-------------------------------------------------------------------------
 *
 * query_syntax.h
 *	  From the text of a SOQL query to its tree.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_syntax.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUERY_SYNTAX_H
#define ORCH_QUERY_SYNTAX_H

#include "call/query_tree.h"

/* Parses a query; the tree is in the current memory context.  Raises OR406. */
extern SoqlQuery *orch_query_parse(const char *text);

#endif							/* ORCH_QUERY_SYNTAX_H */
