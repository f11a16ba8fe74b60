/*-------------------------------------------------------------------------
 *
 * query_node.h
 *	  What the scanner and the grammar of SOQL share, and the nodes that they build.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_node.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUERY_NODE_H
#define ORCH_QUERY_NODE_H

#include "postgres.h"

#include "base/compat.h"
#include "base/errors.h"
#include "call/query_tree.h"

/* The state of one orch_query_parse() */
typedef struct SoqlParse
{
	const char *text;			/* as given, for messages */
	char	   *buffer;			/* a copy that the scanner works in */
	int			length;
	int			token;			/* read last; 0 at the end */
	int			token_location;
	int			token_length;
	int			previous;		/* the token before it */
	SoqlQuery  *query;			/* the result */
} SoqlParse;

/* Conditions joined by AND or by OR, while there may be more */
typedef struct SoqlChain
{
	int			location;
	bool		joined;			/* kind is known */
	SoqlConditionKind kind;		/* AND or OR */
	int			not_location;	/* NOT without parentheses, or -1 */
	List	   *terms;			/* of SoqlCondition * */
} SoqlChain;

/* In the order in which they must stand */
typedef enum SoqlClause
{
	SOQL_CLAUSE_FROM,
	SOQL_CLAUSE_USING,
	SOQL_CLAUSE_WHERE,
	SOQL_CLAUSE_WITH,
	SOQL_CLAUSE_GROUP,
	SOQL_CLAUSE_HAVING,
	SOQL_CLAUSE_ORDER,
	SOQL_CLAUSE_LIMIT,
	SOQL_CLAUSE_OFFSET,
	SOQL_CLAUSE_FOR
} SoqlClause;

#define orch_query_refuse(parse, location, hint, ...) \
	orch_query_error_hint((parse)->text, location, ERRCODE_ORCH_MALFORMED_QUERY, \
						  "MALFORMED_QUERY", hint, __VA_ARGS__)

extern SoqlExpr *orch_query_path(List *names, int location);
extern SoqlExpr *orch_query_call(SoqlParse *parse, char *function, int location);
extern SoqlExpr *orch_query_plain(SoqlParse *parse, SoqlExpr *expr);
extern SoqlItem *orch_query_item(SoqlParse *parse, SoqlExpr *expr, char *alias, int alias_location);
extern SoqlItem *orch_query_subquery_item(SoqlQuery *subquery, int location);
extern SoqlItem *orch_query_typeof(List *names, List *whens, int location, int path_location);
extern SoqlWhen *orch_query_when(char *type, List *fields, int location);
extern void orch_query_one_object(SoqlParse *parse, const SoqlQuery *query, int location);
extern List *orch_query_from(SoqlParse *parse, List *from, List *names, int location,
							 char *alias, int alias_location);
extern SoqlChain *orch_query_chain(SoqlCondition *condition, int location, int not_location);
extern SoqlChain *orch_query_chain_add(SoqlParse *parse, SoqlChain *chain, SoqlConditionKind kind,
									   int location, SoqlCondition *condition);
extern SoqlCondition *orch_query_chain_end(SoqlChain *chain);
extern SoqlCondition *orch_query_compare(SoqlParse *parse, SoqlExpr *left, SoqlOperator op,
										 int op_location, List *literals, SoqlQuery *subquery);
extern SoqlOrder *orch_query_order(SoqlParse *parse, SoqlExpr *expr, bool descending, int nulls);
extern SoqlQuery *orch_query_new(void);
extern void orch_query_clause(SoqlParse *parse, SoqlQuery *query, SoqlClause clause, int location);
extern void orch_query_group(SoqlParse *parse, SoqlQuery *query, List *exprs, int location);
extern void orch_query_using(SoqlParse *parse, SoqlQuery *query, char *scope, int scope_location,
							 char *word, int word_location);
extern void orch_query_with(SoqlParse *parse, char *word, int location);
extern void orch_query_for(SoqlParse *parse, SoqlQuery *query, char *word, int location,
						   int word_location);
extern int64 orch_query_count(SoqlParse *parse, SoqlLiteral *number, const char *clause);
extern void orch_query_unexpected(SoqlParse *parse) pg_attribute_noreturn();

#endif							/* ORCH_QUERY_NODE_H */
