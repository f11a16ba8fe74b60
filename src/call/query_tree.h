/*-------------------------------------------------------------------------
 *
 * query_tree.h
 *	  The parse tree of a SOQL query, as query_parse.y builds it.
 *
 * Names are as they were written: query_resolve.c looks them up.  Locations are offsets in
 * bytes from the beginning of the text, for error messages.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_tree.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUERY_TREE_H
#define ORCH_QUERY_TREE_H

#include "postgres.h"

#include "base/compat.h"
#include "nodes/pg_list.h"

/*
 * A path of names (OrchestrationInstance.Owner.Name) or the call of a function.
 */
typedef struct SoqlExpr
{
	int			location;
	List	   *names;			/* of char *; NIL for a function */
	char	   *function;		/* or NULL */
	List	   *args;			/* of SoqlExpr *; NIL for COUNT() */
} SoqlExpr;

typedef enum SoqlLiteralKind
{
	SOQL_NULL,
	SOQL_BOOLEAN,
	SOQL_NUMBER,				/* with or without a fraction, signed */
	SOQL_STRING,				/* escapes are replaced, see like_text */
	SOQL_DATE,					/* 2026-11-27 */
	SOQL_DATETIME,				/* 2026-11-27T15:00:00Z, ...+01:00 */
	SOQL_DATE_LITERAL			/* TODAY, LAST_N_DAYS:30 */
} SoqlLiteralKind;

typedef struct SoqlLiteral
{
	int			location;
	SoqlLiteralKind kind;
	char	   *text;			/* value; name of a date literal in capitals */
	char	   *like_text;		/* strings: the same as a pattern for LIKE, where \% and \_
								 * keep their backslash, and \\ is two */
	bool		boolean;
	int64		n;				/* LAST_N_DAYS:n; -1: the date literal has no number */
	bool		escaped_wildcard;	/* strings: has \% or \_, which only LIKE allows */
	int			escape_location;	/* of the first of these */
} SoqlLiteral;

typedef enum SoqlOperator
{
	SOQL_EQ,
	SOQL_NE,
	SOQL_LT,
	SOQL_GT,
	SOQL_LE,
	SOQL_GE,
	SOQL_LIKE,
	SOQL_IN,
	SOQL_NOT_IN
} SoqlOperator;

typedef enum SoqlConditionKind
{
	SOQL_AND,
	SOQL_OR,
	SOQL_NOT,
	SOQL_COMPARE
} SoqlConditionKind;

typedef struct SoqlCondition
{
	int			location;
	SoqlConditionKind kind;
	List	   *args;			/* AND, OR: two or more SoqlCondition *; NOT: one */
	/* SOQL_COMPARE */
	SoqlExpr   *left;
	SoqlOperator op;
	int			op_location;
	List	   *literals;		/* of SoqlLiteral *: one; IN: one or more */
	struct SoqlQuery *subquery; /* IN (SELECT ...), or NULL */
} SoqlCondition;

/* WHEN type THEN fields */
typedef struct SoqlWhen
{
	int			location;
	char	   *type;			/* NULL for ELSE */
	List	   *fields;			/* of SoqlExpr *, paths */
} SoqlWhen;

typedef enum SoqlItemKind
{
	SOQL_ITEM_EXPR,				/* field or function */
	SOQL_ITEM_FIELDS,			/* FIELDS(ALL | CUSTOM | STANDARD) */
	SOQL_ITEM_TYPEOF,
	SOQL_ITEM_SUBQUERY
} SoqlItemKind;

typedef struct SoqlItem
{
	int			location;
	SoqlItemKind kind;
	SoqlExpr   *expr;			/* TYPEOF: the reference, a path */
	char	   *alias;			/* or NULL */
	int			alias_location;
	char	   *fields;			/* FIELDS(): the word within the parentheses */
	List	   *whens;			/* TYPEOF: of SoqlWhen *, ELSE last */
	struct SoqlQuery *subquery;
} SoqlItem;

typedef struct SoqlOrder
{
	SoqlExpr   *expr;
	bool		descending;
	bool		nulls_given;
	bool		nulls_first;
} SoqlOrder;

/* FROM FlowOrchestrationStepInstance s, s.StageInstance g */
typedef struct SoqlFrom
{
	int			location;
	List	   *names;			/* one name, or a path that begins with an alias */
	char	   *alias;			/* or NULL */
	int			alias_location;
} SoqlFrom;

typedef enum SoqlGrouping
{
	SOQL_GROUP_NONE,
	SOQL_GROUP_PLAIN,
	SOQL_GROUP_ROLLUP,
	SOQL_GROUP_CUBE
} SoqlGrouping;

typedef enum SoqlFor
{
	SOQL_FOR_NOTHING,
	SOQL_FOR_VIEW,
	SOQL_FOR_REFERENCE
} SoqlFor;

typedef struct SoqlQuery
{
	int			location;		/* of SELECT */
	List	   *items;			/* of SoqlItem * */
	List	   *from;			/* of SoqlFrom *, the object first */
	char	   *scope;			/* USING SCOPE, as written; or NULL */
	int			scope_location;
	SoqlCondition *where;		/* or NULL */
	SoqlGrouping grouping;
	int			group_location;
	List	   *group;			/* of SoqlExpr * */
	SoqlCondition *having;		/* or NULL */
	int			order_location;
	List	   *order;			/* of SoqlOrder * */
	int64		limit;			/* -1: none */
	int			limit_location;
	int64		offset;			/* -1: none */
	int			offset_location;
	SoqlFor		mark;
	int			mark_location;
	unsigned int last_clause;	/* of the parser */
} SoqlQuery;

/*
 * Raises an error at a place of the text: code is the documented one, which begins the
 * message; then follow an excerpt, a caret line, row and column, and the message.  With the
 * location -1 the message alone follows.
 */
extern void orch_query_error(const char *text, int location, int sqlstate, const char *code,
							 const char *format,...) pg_attribute_printf(5, 6) pg_attribute_noreturn();
/* the same with a hint, or NULL */
extern void orch_query_error_hint(const char *text, int location, int sqlstate, const char *code,
								  const char *hint, const char *format,...) pg_attribute_printf(6, 7) pg_attribute_noreturn();

/* A part of the text for a message: at most 64 characters, on one line */
extern char *orch_query_quoted(const char *text, int length);

#endif							/* ORCH_QUERY_TREE_H */
