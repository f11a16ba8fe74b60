/*-------------------------------------------------------------------------
 *
 * query_scan.h
 *	  The scanner of SOQL, for its caller.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_scan.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUERY_SCAN_H
#define ORCH_QUERY_SCAN_H

#include "call/query_node.h"

/* Begins to scan parse->text; the result is the argument of the parser. */
extern void *orch_query_scan_begin(SoqlParse *parse);
extern void orch_query_scan_end(void *scanner);

#endif							/* ORCH_QUERY_SCAN_H */
