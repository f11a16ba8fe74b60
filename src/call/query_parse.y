%{
/*-------------------------------------------------------------------------
 *
 * query_parse.y
 *	  The grammar of SOQL.
 *
 * The grammar accepts more than SOQL where that gives a better error: clauses in any order,
 * AND beside OR, FOR UPDATE.  The actions, or query_node.c, refuse those by name.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_parse.y
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "call/query_literal.h"
#include "call/query_node.h"
#include "call/query_parse.h"

/* bison's stack: in the current memory context */
#define YYMALLOC palloc
#define YYFREE	 pfree

/* 5,000 parentheses of three symbols each must fit */
#define YYMAXDEPTH 40000

#define YYLLOC_DEFAULT(current, rhs, n) \
	((current) = (n) ? YYRHSLOC(rhs, 1) : YYRHSLOC(rhs, 0))

int			orch_query_yylex(YYSTYPE *yylval_param, YYLTYPE *yylloc_param, void *yyscanner);
static bool is_arithmetic(SoqlParse *parse);
static void orch_query_yyerror(YYLTYPE *yylloc, SoqlParse *parse, void *scanner, const char *message);
%}

%code requires
{
#include "call/query_node.h"

/* an offset in bytes */
#define YYLTYPE int
}

%define api.pure
%expect 0
%name-prefix="orch_query_yy"
%locations
%initial-action { @$ = 0; }
%parse-param {SoqlParse *parse}
%parse-param {void *scanner}
%lex-param   {void *scanner}

%union
{
	char	   *str;
	int			number;
	List	   *list;
	SoqlExpr   *expr;
	SoqlLiteral *literal;
	SoqlChain  *chain;
	SoqlCondition *condition;
	SoqlWhen   *when;
	SoqlItem   *item;
	SoqlOrder  *order;
	SoqlQuery  *query;
}

%token <str>		NAME
%token <literal>	LITERAL NUMBER
%token				NOT_EQUAL LESS_EQUAL GREATER_EQUAL
%token <str>		K_ALL K_AND K_AS K_ASC K_BY K_DESC K_ELSE K_END K_EXCLUDES K_FIRST
					K_FOR K_FROM K_GROUP K_HAVING K_IN K_INCLUDES K_LAST K_LIKE K_LIMIT
					K_NOT K_NULL K_NULLS K_OFFSET K_OR K_ORDER K_SELECT K_THEN K_TYPEOF
					K_UPDATE K_USING K_WHEN K_WHERE K_WITH

%type <str>			name item_alias from_alias free_word clause_word
%type <list>		items path args exprs from values when_list fields orders
%type <expr>		expr call call_name
%type <literal>		value
%type <chain>		chain
%type <condition>	condition comparison
%type <when>		when
%type <item>		item
%type <order>		order
%type <query>		query clauses
%type <number>		comparison_operator direction nulls

%%

statement:
	query
		{
			orch_query_one_object(parse, $1, -1);
			parse->query = $1;
			(void) yynerrs;		/* newer compilers warn that it is never read */
		}
	| query K_SELECT
		{
			orch_query_refuse(parse, @2, "Send one query at a time.",
							  "unexpected token: '%s': the text has two queries", $2);
		}
	;

query:
	K_SELECT items K_FROM from clauses
		{
			$$ = $5;
			$$->location = @1;
			$$->items = $2;
			$$->from = $4;
		}
	;

/*
 * The SELECT list
 */
items:
	item							{ $$ = list_make1($1); }
	| items ',' item				{ $$ = lappend($1, $3); }
	;

item:
	expr							{ $$ = orch_query_item(parse, $1, NULL, -1); }
	| expr item_alias				{ $$ = orch_query_item(parse, $1, $2, @2); }
	| expr K_AS
		{
			orch_query_refuse(parse, @2, "Write the alias directly after the function.",
							  "unexpected token: '%s': an alias in the SELECT list stands without AS", $2);
		}
	| '(' query ')'					{ $$ = orch_query_subquery_item($2, @1); }
	| K_TYPEOF path when_list K_END { $$ = orch_query_typeof($2, $3, @1, @2); }
	| K_TYPEOF path when_list K_ELSE fields K_END
		{
			$$ = orch_query_typeof($2, lappend($3, orch_query_when(NULL, $5, @4)), @1, @2);
		}
	;

when_list:
	when							{ $$ = list_make1($1); }
	| when_list when				{ $$ = lappend($1, $2); }
	;

when:
	K_WHEN name K_THEN fields		{ $$ = orch_query_when($2, $4, @1); }
	;

fields:
	path							{ $$ = list_make1(orch_query_path($1, @1)); }
	| fields ',' path				{ $$ = lappend($1, orch_query_path($3, @3)); }
	;

/*
 * Fields and functions
 */
expr:
	path							{ $$ = orch_query_path($1, @1); }
	| call							{ $$ = $1; }
	;

path:
	name							{ $$ = list_make1($1); }
	| path '.' name					{ $$ = lappend($1, $3); }
	;

call:
	call_name args ')'
		{
			$$ = $1;
			$$->args = $2;
		}
	;

/* reduced at the parenthesis: a function that does not exist is refused before its arguments */
call_name:
	name '('						{ $$ = orch_query_call(parse, $1, @1); }
	;

args:
	/* EMPTY */						{ $$ = NIL; }
	| exprs							{ $$ = $1; }
	;

exprs:
	expr							{ $$ = list_make1(orch_query_plain(parse, $1)); }
	| exprs ',' expr				{ $$ = lappend($1, orch_query_plain(parse, $3)); }
	;

/*
 * FROM
 */
from:
	path							{ $$ = orch_query_from(parse, NIL, $1, @1, NULL, -1); }
	| path from_alias				{ $$ = orch_query_from(parse, NIL, $1, @1, $2, @2); }
	| path K_AS from_alias			{ $$ = orch_query_from(parse, NIL, $1, @1, $3, @3); }
	| from ',' path					{ $$ = orch_query_from(parse, $1, $3, @3, NULL, -1); }
	| from ',' path from_alias		{ $$ = orch_query_from(parse, $1, $3, @3, $4, @4); }
	| from ',' path K_AS from_alias { $$ = orch_query_from(parse, $1, $3, @3, $5, @5); }
	;

/*
 * The other clauses: orch_query_clause() checks their order
 */
clauses:
	/* EMPTY */						{ $$ = orch_query_new(); }
	| clauses K_USING name name
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_USING, @2);
			orch_query_using(parse, $$, $3, @3, $4, @4);
		}
	| clauses K_WHERE chain
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_WHERE, @2);
			$$->where = orch_query_chain_end($3);
		}
	| clauses K_WITH name
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_WITH, @2);
			orch_query_with(parse, $3, @3);
		}
	| clauses K_GROUP K_BY exprs
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_GROUP, @2);
			orch_query_group(parse, $$, $4, @2);
		}
	| clauses K_HAVING chain
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_HAVING, @2);
			$$->having = orch_query_chain_end($3);
		}
	| clauses K_ORDER K_BY orders
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_ORDER, @2);
			$$->order_location = @2;
			$$->order = $4;
		}
	| clauses K_LIMIT NUMBER
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_LIMIT, @2);
			$$->limit_location = @2;
			$$->limit = orch_query_count(parse, $3, "LIMIT");
		}
	| clauses K_OFFSET NUMBER
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_OFFSET, @2);
			$$->offset_location = @2;
			$$->offset = orch_query_count(parse, $3, "OFFSET");
		}
	| clauses K_FOR name
		{
			$$ = $1;
			orch_query_clause(parse, $$, SOQL_CLAUSE_FOR, @2);
			orch_query_for(parse, $$, $3, @2, @3);
		}
	| clauses K_FOR name ','
		{
			orch_query_refuse(parse, @4, "Write FOR VIEW or FOR REFERENCE.",
							  "unexpected token: ',': FOR takes one word");
		}
	| clauses K_FOR name NAME
		{
			orch_query_refuse(parse, @4, "Write FOR VIEW or FOR REFERENCE.",
							  "unexpected token: '%s': FOR takes one word",
							  orch_query_quoted($4, strlen($4)));
		}
	| clauses K_UPDATE
		{
			orch_query_refuse(parse, @2, NULL, "UPDATE TRACKING and UPDATE VIEWSTAT are not supported");
		}
	| clauses K_ALL
		{
			orch_query_refuse(parse, @2, "Call query() with include_deleted.",
							  "ALL ROWS is not supported");
		}
	;

orders:
	order							{ $$ = list_make1($1); }
	| orders ',' order				{ $$ = lappend($1, $3); }
	;

order:
	expr direction nulls			{ $$ = orch_query_order(parse, $1, $2, $3); }
	;

direction:
	/* EMPTY */						{ $$ = 0; }
	| K_ASC							{ $$ = 0; }
	| K_DESC						{ $$ = 1; }
	;

/* -1: not given; 1: first */
nulls:
	/* EMPTY */						{ $$ = -1; }
	| K_NULLS K_FIRST				{ $$ = 1; }
	| K_NULLS K_LAST				{ $$ = 0; }
	;

/*
 * Conditions
 */
chain:
	condition						{ $$ = orch_query_chain($1, @1, -1); }
	| K_NOT condition				{ $$ = orch_query_chain($2, @1, @1); }
	| K_NOT K_NOT
		{
			orch_query_refuse(parse, @2, "Write NOT (NOT ...).",
							  "unexpected token: '%s': parentheses are required around NOT", $2);
		}
	| chain K_AND condition			{ $$ = orch_query_chain_add(parse, $1, SOQL_AND, @2, $3); }
	| chain K_OR condition			{ $$ = orch_query_chain_add(parse, $1, SOQL_OR, @2, $3); }
	| chain K_AND K_NOT				{ $$ = orch_query_chain_add(parse, $1, SOQL_AND, @3, NULL); }
	| chain K_OR K_NOT				{ $$ = orch_query_chain_add(parse, $1, SOQL_OR, @3, NULL); }
	;

condition:
	comparison						{ $$ = $1; }
	| '(' chain ')'					{ $$ = orch_query_chain_end($2); }
	;

comparison:
	expr comparison_operator value
		{
			$$ = orch_query_compare(parse, $1, $2, @2, list_make1($3), NULL);
		}
	| expr K_IN '(' values ')'
		{
			$$ = orch_query_compare(parse, $1, SOQL_IN, @2, $4, NULL);
		}
	| expr K_NOT K_IN '(' values ')'
		{
			$$ = orch_query_compare(parse, $1, SOQL_NOT_IN, @2, $5, NULL);
		}
	| expr K_IN '(' query ')'
		{
			$$ = orch_query_compare(parse, $1, SOQL_IN, @2, NIL, $4);
		}
	| expr K_NOT K_IN '(' query ')'
		{
			$$ = orch_query_compare(parse, $1, SOQL_NOT_IN, @2, NIL, $5);
		}
	| expr K_NOT K_LIKE
		{
			orch_query_refuse(parse, @2, "Write (NOT field LIKE 'pattern').",
							  "unexpected token: '%s': NOT LIKE is no operator", $3);
		}
	| expr K_INCLUDES
		{
			orch_query_refuse(parse, @2, "No field has several values: use IN.",
							  "INCLUDES is not supported");
		}
	| expr K_EXCLUDES
		{
			orch_query_refuse(parse, @2, "No field has several values: use NOT IN.",
							  "EXCLUDES is not supported");
		}
	;

comparison_operator:
	'='								{ $$ = SOQL_EQ; }
	| NOT_EQUAL						{ $$ = SOQL_NE; }
	| '<'							{ $$ = SOQL_LT; }
	| '>'							{ $$ = SOQL_GT; }
	| LESS_EQUAL					{ $$ = SOQL_LE; }
	| GREATER_EQUAL					{ $$ = SOQL_GE; }
	| K_LIKE						{ $$ = SOQL_LIKE; }
	;

values:
	value							{ $$ = list_make1($1); }
	| values ',' value				{ $$ = lappend($1, $3); }
	;

value:
	LITERAL							{ $$ = $1; }
	| NUMBER						{ $$ = $1; }
	| K_NULL						{ $$ = orch_query_word(parse, list_make1($1), @1, NULL); }
	| path							{ $$ = orch_query_word(parse, $1, @1, NULL); }
	| name ':' NUMBER				{ $$ = orch_query_word(parse, list_make1($1), @1, $3); }
	| call_name
		{
			orch_query_refuse(parse, @1, NULL,
							  "a field or function can be compared only with a literal, not with a function");
		}
	;

/*
 * Words.  Names of objects, fields and functions may be words of the language, except those
 * of which a clause or an operator is made wherever they stand.  Aliases may be fewer.
 */
name:
	free_word						{ $$ = $1; }
	| clause_word					{ $$ = $1; }
	| K_AS							{ $$ = $1; }
	| K_FIRST						{ $$ = $1; }
	| K_GROUP						{ $$ = $1; }
	| K_LAST						{ $$ = $1; }
	;

item_alias:
	free_word						{ $$ = $1; }
	| clause_word					{ $$ = $1; }
	;

from_alias:
	free_word						{ $$ = $1; }
	;

free_word:
	NAME							{ $$ = $1; }
	| K_BY							{ $$ = $1; }
	| K_ELSE						{ $$ = $1; }
	| K_END							{ $$ = $1; }
	| K_THEN						{ $$ = $1; }
	| K_WHEN						{ $$ = $1; }
	;

/* begin a clause after FROM */
clause_word:
	K_ALL							{ $$ = $1; }
	| K_FOR							{ $$ = $1; }
	| K_OFFSET						{ $$ = $1; }
	| K_ORDER						{ $$ = $1; }
	| K_UPDATE						{ $$ = $1; }
	;

%%

/* Is the token an operator, or a number whose sign follows an operand? */
static bool
is_arithmetic(SoqlParse *parse)
{
	char		first = parse->text[parse->token_location];

	if (parse->token == NUMBER)
		return (first == '+' || first == '-') &&
			(parse->previous == NAME || parse->previous == NUMBER ||
			 parse->previous == LITERAL || parse->previous == ')');
	return parse->token == '+' || parse->token == '-' || parse->token == '*' ||
		parse->token == '/' || parse->token == '%';
}

/* An error that bison found: the token that the scanner read last does not fit. */
static void
orch_query_yyerror(YYLTYPE *yylloc, SoqlParse *parse, void *scanner, const char *message)
{
	if (strcmp(message, "memory exhausted") == 0)
		orch_query_refuse(parse, parse->token_location, "Use fewer parentheses.",
						  "the query is too deeply nested");

	/* 12:00 is a time, which has no literal */
	if (parse->token == ':' && parse->previous != NUMBER)
		orch_query_refuse(parse, parse->token_location, "Write the value as a literal.",
						  "unexpected token: ':': bind variables are not supported");
	if (parse->token == '*' && (parse->previous == K_SELECT || parse->previous == ','))
		orch_query_refuse(parse, parse->token_location,
						  "Name the fields, or use FIELDS(STANDARD) or FIELDS(ALL).",
						  "unexpected token: '*'");
	if (parse->token == '*' && parse->previous == '(')
		orch_query_refuse(parse, parse->token_location, "Write COUNT() or COUNT(Id).",
						  "unexpected token: '*'");
	if (is_arithmetic(parse))
		orch_query_refuse(parse, parse->token_location,
						  "Compare a field with a literal, and compute outside of the query.",
						  "unexpected token: '%c': a query has no arithmetic",
						  parse->text[parse->token_location]);
	orch_query_unexpected(parse);
}
