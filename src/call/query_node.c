/*-------------------------------------------------------------------------
 *
 * query_node.c
 *	  Builds the nodes of a SOQL query for the grammar, and refuses by name what the grammar
 *	  accepts only for the sake of a clear error.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_node.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "call/query_node.h"
#include "common/int.h"

static const char *const clause_names[] = {
	[SOQL_CLAUSE_FROM] = "FROM",
	[SOQL_CLAUSE_USING] = "USING SCOPE",
	[SOQL_CLAUSE_WHERE] = "WHERE",
	[SOQL_CLAUSE_WITH] = "WITH",
	[SOQL_CLAUSE_GROUP] = "GROUP BY",
	[SOQL_CLAUSE_HAVING] = "HAVING",
	[SOQL_CLAUSE_ORDER] = "ORDER BY",
	[SOQL_CLAUSE_LIMIT] = "LIMIT",
	[SOQL_CLAUSE_OFFSET] = "OFFSET",
	[SOQL_CLAUSE_FOR] = "FOR",
};

static bool is_function(const SoqlExpr *expr, const char *name);
static void unexpected_word(SoqlParse *parse, const char *word, int location,
							const char *hint) pg_attribute_noreturn();

static bool
is_function(const SoqlExpr *expr, const char *name)
{
	return expr->function && pg_strcasecmp(expr->function, name) == 0;
}

static void
unexpected_word(SoqlParse *parse, const char *word, int location, const char *hint)
{
	orch_query_refuse(parse, location, hint, "unexpected token: '%s'",
					  orch_query_quoted(word, strlen(word)));
}

/*
 * The token that was read last does not fit.
 */
void
orch_query_unexpected(SoqlParse *parse)
{
	/* habits of SQL and other languages */
	static const struct
	{
		const char *word;
		const char *hint;
	}			habits[] = {
		{"IS", "Write field = null or field != null."},
		{"BETWEEN", "Write field >= value AND field <= value."},
		{"=", "Write = for equal, != for not equal."}
	};
	const char *hint = NULL;
	int			location = parse->token_location;
	int			i;

	if (parse->token_length == 0)
	{
		/* the caret stands after the last character, not after white space */
		while (location > 0 && strchr(" \t\n\r\f\v", parse->text[location - 1]))
			location--;
		orch_query_refuse(parse, location, NULL, "unexpected end of query");
	}
	for (i = 0; i < (int) lengthof(habits); i++)
		if (parse->token_length == (int) strlen(habits[i].word) &&
			pg_strncasecmp(parse->text + location, habits[i].word, parse->token_length) == 0)
			hint = habits[i].hint;
	/* strings have quotes of their own */
	orch_query_refuse(parse, location, hint,
					  parse->text[location] == '\'' ? "unexpected token: %s" : "unexpected token: '%s'",
					  orch_query_quoted(parse->text + location, parse->token_length));
}

SoqlExpr *
orch_query_path(List *names, int location)
{
	SoqlExpr   *expr = palloc0(sizeof(SoqlExpr));

	expr->location = location;
	expr->names = names;
	return expr;
}

/* The call of a function, before its arguments */
SoqlExpr *
orch_query_call(SoqlParse *parse, char *function, int location)
{
	static const char *const refused[] = {"DISTANCE", "GEOLOCATION", "FORMULA"};
	SoqlExpr   *expr = palloc0(sizeof(SoqlExpr));

	for (size_t i = 0; i < lengthof(refused); i++)
		if (pg_strcasecmp(function, refused[i]) == 0)
			orch_query_refuse(parse, location, NULL, "%s() is not supported", refused[i]);

	expr->location = location;
	expr->function = function;
	return expr;
}

/* Any place but the SELECT list.  No function takes more than a function of a field. */
SoqlExpr *
orch_query_plain(SoqlParse *parse, SoqlExpr *expr)
{
	SoqlExpr   *inner = expr;

	for (int i = 0; i < 3 && inner != NULL; i++)
		inner = inner->function && inner->args != NIL ? linitial(inner->args) : NULL;
	if (inner != NULL && inner->function)
		orch_query_refuse(parse, expr->location, NULL, "functions are nested too deeply");
	if (is_function(expr, "FIELDS"))
		orch_query_refuse(parse, expr->location, NULL, "FIELDS() stands only in the SELECT list");
	return expr;
}

SoqlItem *
orch_query_item(SoqlParse *parse, SoqlExpr *expr, char *alias, int alias_location)
{
	SoqlItem   *item = palloc0(sizeof(SoqlItem));

	item->location = expr->location;
	item->kind = SOQL_ITEM_EXPR;
	item->alias = alias;
	item->alias_location = alias_location;
	if (is_function(expr, "FIELDS"))
	{
		SoqlExpr   *word = list_length(expr->args) == 1 ? linitial(expr->args) : NULL;

		if (word == NULL || list_length(word->names) != 1)
			orch_query_refuse(parse, expr->location, NULL, "FIELDS() takes ALL, CUSTOM or STANDARD");
		item->fields = linitial(word->names);
		if (pg_strcasecmp(item->fields, "ALL") != 0 && pg_strcasecmp(item->fields, "CUSTOM") != 0 &&
			pg_strcasecmp(item->fields, "STANDARD") != 0)
			orch_query_refuse(parse, word->location, NULL, "FIELDS() takes ALL, CUSTOM or STANDARD");
		if (alias)
			orch_query_refuse(parse, alias_location, NULL, "FIELDS() takes no alias");
		item->kind = SOQL_ITEM_FIELDS;
	}
	else
		item->expr = expr;
	return item;
}

SoqlItem *
orch_query_subquery_item(SoqlQuery *subquery, int location)
{
	SoqlItem   *item = palloc0(sizeof(SoqlItem));

	item->location = location;
	item->kind = SOQL_ITEM_SUBQUERY;
	item->subquery = subquery;
	item->alias_location = -1;
	return item;
}

/* whens: ELSE is the last, if any */
SoqlItem *
orch_query_typeof(List *names, List *whens, int location, int path_location)
{
	SoqlItem   *item = palloc0(sizeof(SoqlItem));

	item->location = location;
	item->kind = SOQL_ITEM_TYPEOF;
	item->expr = orch_query_path(names, path_location);
	item->whens = whens;
	item->alias_location = -1;
	return item;
}

/* type: NULL for ELSE */
SoqlWhen *
orch_query_when(char *type, List *fields, int location)
{
	SoqlWhen   *when = palloc0(sizeof(SoqlWhen));

	when->location = location;
	when->type = type;
	when->fields = fields;
	return when;
}

/* FROM of a query that is no child sub-query begins with a name without dots; NULL: refuse */
void
orch_query_one_object(SoqlParse *parse, const SoqlQuery *query, int location)
{
	if (query != NULL && list_length(((SoqlFrom *) linitial(query->from))->names) == 1)
		return;
	orch_query_refuse(parse, query == NULL ? location :
					  ((SoqlFrom *) linitial(query->from))->location,
					  "Relationships follow after a comma: FROM Child c, c.Parent p.",
					  "FROM begins with the name of one object, without dots");
}

/* Appends an object (the first) or a relationship to FROM */
List *
orch_query_from(SoqlParse *parse, List *from, List *names, int location,
				char *alias, int alias_location)
{
	SoqlFrom   *entry = palloc0(sizeof(SoqlFrom));

	/* a sub-query may name the outer object: FROM Parent.Children */
	if (from == NIL && list_length(names) > 2)
		orch_query_one_object(parse, NULL, location);
	if (from != NIL && list_length(names) < 2)
		orch_query_refuse(parse, location, "Write FROM Child c, c.Parent p.",
						  "after the object, FROM takes only relationships that begin with its name or alias");

	entry->location = location;
	entry->names = names;
	entry->alias = alias;
	entry->alias_location = alias_location;
	return lappend(from, entry);
}

/* not_location: NOT stands before the condition without parentheses; or -1 */
SoqlChain *
orch_query_chain(SoqlCondition *condition, int location, int not_location)
{
	SoqlChain  *chain = palloc0(sizeof(SoqlChain));

	if (not_location >= 0)
	{
		SoqlCondition *negation = palloc0(sizeof(SoqlCondition));

		negation->location = not_location;
		negation->kind = SOQL_NOT;
		negation->args = list_make1(condition);
		condition = negation;
	}
	chain->location = location;
	chain->not_location = not_location;
	chain->terms = list_make1(condition);
	return chain;
}

/* Adds a condition; NULL: NOT follows, at location */
SoqlChain *
orch_query_chain_add(SoqlParse *parse, SoqlChain *chain, SoqlConditionKind kind,
					 int location, SoqlCondition *condition)
{
	if (condition == NULL || chain->not_location >= 0)
		orch_query_refuse(parse, condition ? chain->not_location : location,
						  "Write (NOT field = value).",
						  "unexpected token: 'NOT': within AND or OR, parentheses are required around NOT");
	if (chain->joined && chain->kind != kind)
		orch_query_refuse(parse, location,
						  "Put parentheses around the conditions that belong together: (a = 1 AND b = 2) OR c = 3.",
						  "unexpected token: '%s': AND and OR are mixed without parentheses",
						  kind == SOQL_AND ? "AND" : "OR");

	chain->joined = true;
	chain->kind = kind;
	chain->terms = lappend(chain->terms, condition);
	return chain;
}

SoqlCondition *
orch_query_chain_end(SoqlChain *chain)
{
	SoqlCondition *condition;

	if (!chain->joined)
		return linitial(chain->terms);

	condition = palloc0(sizeof(SoqlCondition));
	condition->location = chain->location;
	condition->kind = chain->kind;
	condition->args = chain->terms;
	return condition;
}

/* literals, or subquery */
SoqlCondition *
orch_query_compare(SoqlParse *parse, SoqlExpr *left, SoqlOperator op,
				   int op_location, List *literals, SoqlQuery *subquery)
{
	SoqlCondition *condition = palloc0(sizeof(SoqlCondition));

	if (subquery != NULL)
		orch_query_one_object(parse, subquery, -1);
	if (op != SOQL_LIKE)
	{
		ListCell   *lc;

		foreach(lc, literals)
		{
			SoqlLiteral *literal = lfirst(lc);

			if (literal->escaped_wildcard)
				orch_query_refuse(parse, literal->escape_location, NULL,
								  "the escapes \\%% and \\_ are valid only for LIKE");
		}
	}

	condition->location = left->location;
	condition->kind = SOQL_COMPARE;
	condition->left = orch_query_plain(parse, left);
	condition->op = op;
	condition->op_location = op_location;
	condition->literals = literals;
	condition->subquery = subquery;
	return condition;
}

/* nulls: 1 first, 0 last, -1 not given */
SoqlOrder *
orch_query_order(SoqlParse *parse, SoqlExpr *expr, bool descending, int nulls)
{
	SoqlOrder  *order = palloc0(sizeof(SoqlOrder));

	order->expr = orch_query_plain(parse, expr);
	order->descending = descending;
	order->nulls_given = nulls >= 0;
	order->nulls_first = nulls == 1;
	return order;
}

/* No clause is given yet */
SoqlQuery *
orch_query_new(void)
{
	SoqlQuery  *query = palloc0(sizeof(SoqlQuery));

	query->last_clause = SOQL_CLAUSE_FROM;
	query->limit = query->offset = -1;
	query->scope_location = query->group_location = query->order_location = -1;
	query->limit_location = query->offset_location = query->mark_location = -1;
	return query;
}

/* Notes that the query has this clause; refuses a second one, and a wrong order */
void
orch_query_clause(SoqlParse *parse, SoqlQuery *query, SoqlClause clause, int location)
{
	if (clause == query->last_clause)
		orch_query_refuse(parse, location, NULL, "the query has %s twice", clause_names[clause]);
	if (clause < query->last_clause)
		orch_query_refuse(parse, location,
						  "The order of the clauses is USING SCOPE, WHERE, WITH, GROUP BY, HAVING, ORDER BY, LIMIT, OFFSET, FOR.",
						  "unexpected token: '%s': the clause must stand before %s",
						  clause_names[clause], clause_names[query->last_clause]);
	if (clause == SOQL_CLAUSE_HAVING && query->grouping == SOQL_GROUP_NONE)
		orch_query_refuse(parse, location, "Use WHERE for conditions on single records.",
						  "HAVING requires GROUP BY");
	query->last_clause = clause;
}

/* exprs may be one ROLLUP() or CUBE() */
void
orch_query_group(SoqlParse *parse, SoqlQuery *query, List *exprs, int location)
{
	ListCell   *lc;

	query->group_location = location;
	query->grouping = SOQL_GROUP_PLAIN;
	query->group = exprs;
	foreach(lc, exprs)
	{
		SoqlExpr   *expr = lfirst(lc);
		bool		rollup = is_function(expr, "ROLLUP");

		if (!rollup && !is_function(expr, "CUBE"))
			continue;
		if (list_length(exprs) > 1)
			orch_query_refuse(parse, expr->location, "Write all fields within its parentheses.",
							  "%s() must be the only item of GROUP BY", rollup ? "ROLLUP" : "CUBE");
		if (expr->args == NIL)
			orch_query_refuse(parse, expr->location, NULL, "%s() takes fields", rollup ? "ROLLUP" : "CUBE");
		query->grouping = rollup ? SOQL_GROUP_ROLLUP : SOQL_GROUP_CUBE;
		query->group = expr->args;
	}
}

/* USING word scope */
void
orch_query_using(SoqlParse *parse, SoqlQuery *query, char *scope, int scope_location,
				 char *word, int word_location)
{
	if (pg_strcasecmp(scope, "SCOPE") != 0)
		unexpected_word(parse, scope, scope_location, "Write USING SCOPE everything.");
	query->scope = word;
	query->scope_location = word_location;
}

void
orch_query_with(SoqlParse *parse, char *word, int location)
{
	const char *hint = "WITH takes USER_MODE or SECURITY_ENFORCED; access is checked without it, too.";

	if (pg_strcasecmp(word, "DATA") == 0)
		orch_query_refuse(parse, location, NULL, "WITH DATA CATEGORY is not supported");
	if (pg_strcasecmp(word, "SYSTEM_MODE") == 0)
		orch_query_refuse(parse, location, hint,
						  "WITH SYSTEM_MODE is not supported: the access of the user always applies");
	if (pg_strcasecmp(word, "USER_MODE") != 0 && pg_strcasecmp(word, "SECURITY_ENFORCED") != 0)
		unexpected_word(parse, word, location, hint);
}

void
orch_query_for(SoqlParse *parse, SoqlQuery *query, char *word, int location, int word_location)
{
	query->mark_location = location;
	if (pg_strcasecmp(word, "VIEW") == 0)
		query->mark = SOQL_FOR_VIEW;
	else if (pg_strcasecmp(word, "REFERENCE") == 0)
		query->mark = SOQL_FOR_REFERENCE;
	else if (pg_strcasecmp(word, "UPDATE") == 0)
		orch_query_refuse(parse, location, NULL, "FOR UPDATE is not supported");
	else
		unexpected_word(parse, word, word_location, "Write FOR VIEW or FOR REFERENCE.");
}

/* The number of LIMIT or OFFSET */
int64
orch_query_count(SoqlParse *parse, SoqlLiteral *number, const char *clause)
{
	const char *at = number->text + (number->text[0] == '+');
	int64		count = 0;

	if (*at == '-' || strspn(at, "0123456789") != strlen(at))
		orch_query_refuse(parse, number->location, NULL, "%s takes a whole number that is not negative", clause);
	for (; *at; at++)
		if (pg_mul_s64_overflow(count, 10, &count) || pg_add_s64_overflow(count, *at - '0', &count))
			return PG_INT64_MAX;	/* more than there can be */
	return count;
}
