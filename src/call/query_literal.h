/*-------------------------------------------------------------------------
 *
 * query_literal.h
 *	  The literals of SOQL.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_literal.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUERY_LITERAL_H
#define ORCH_QUERY_LITERAL_H

#include "call/query_node.h"

/* token: the characters of the literal, not terminated by \0 */
extern SoqlLiteral *orch_query_string(SoqlParse *parse, const char *token, int length, int location);
extern SoqlLiteral *orch_query_number(SoqlParse *parse, const char *token, int length, int location);
extern SoqlLiteral *orch_query_date(SoqlParse *parse, const char *token, int length, int location);

/* TRUE, NULL, TODAY, LAST_N_DAYS:n (number: n, or NULL) */
extern SoqlLiteral *orch_query_word(SoqlParse *parse, List *names, int location, SoqlLiteral *number);

#endif							/* ORCH_QUERY_LITERAL_H */
