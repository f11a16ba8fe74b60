/*-------------------------------------------------------------------------
 *
 * query_syntax.c
 *	  From the text of a SOQL query to its tree.
 *
 * query_scan.l makes tokens of the text, query_parse.y joins them, query_node.c and
 * query_literal.c build the nodes, and query_tree.c reports the errors of all.  Everything is
 * allocated in the current memory context: an error leaves nothing behind.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_syntax.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "call/query_node.h"
#include "call/query_parse.h"
#include "call/query_scan.h"
#include "call/query_syntax.h"
#include "mb/pg_wchar.h"

/* of the platform */
#define MAX_CHARACTERS	100000

SoqlQuery *
orch_query_parse(const char *text)
{
	SoqlParse	parse = {.text = text};
	void	   *scanner;

	if (strlen(text) > MAX_CHARACTERS && pg_mbstrlen(text) > MAX_CHARACTERS)
		orch_query_refuse(&parse, -1, NULL, "the query has more than %d characters", MAX_CHARACTERS);

	scanner = orch_query_scan_begin(&parse);
	if (orch_query_yyparse(&parse, scanner) != 0)
		elog(ERROR, "the parser of queries failed without an error");
	orch_query_scan_end(scanner);
	return parse.query;
}
