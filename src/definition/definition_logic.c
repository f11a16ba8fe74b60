/*-------------------------------------------------------------------------
 *
 * definition_logic.c
 *	  Compiles the logic of conditions: and, or, 1 AND (2 OR NOT 3).
 *
 * 1 AND 2 AND 3 ... becomes a chain of right sides, which is evaluated without
 * recursion.  Parentheses and NOT may nest MAX_NESTING deep, together with the conditions
 * that contain them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_logic.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "definition/definition_int.h"

typedef struct LogicParser
{
	Compiler   *compiler;
	const DocNode *node;
	const char *p;
	int			nconditions;
	bool	   *used;
	int			nesting;
	int			deepest;		/* nesting so far */
	bool		failed;			/* and reported */
} LogicParser;

static LogicNode *parse_factor(LogicParser *parser);
static LogicNode *parse_or(LogicParser *parser);

static LogicNode *
make_logic(LogicParser *parser, LogicKind kind, LogicNode *left, LogicNode *right)
{
	LogicNode  *result = MemoryContextAllocZero(parser->compiler->context,
												sizeof(LogicNode));

	result->kind = kind;
	result->left = left;
	result->right = right;
	return result;
}

static void
logic_failed(LogicParser *parser, const char *expected)
{
	if (!parser->failed)
	{
		if (*parser->p == '\0')
			error_at(parser->compiler, parser->node,
					 "the logic ends where %s should be", expected);
		else
			error_at(parser->compiler, parser->node,
					 "the logic has \"%.*s\" where %s should be",
					 pg_mbcliplen(parser->p, strlen(parser->p), 20), parser->p,
					 expected);
	}
	parser->failed = true;
}

static void
skip_space(LogicParser *parser)
{
	while (isspace((unsigned char) *parser->p))
		parser->p++;
}

/* Takes a word, in upper or lower case, if it comes next. */
static bool
accept_word(LogicParser *parser, const char *word)
{
	int			length = strlen(word);

	skip_space(parser);
	if (pg_strncasecmp(parser->p, word, length) != 0 ||
		isalpha((unsigned char) parser->p[length]) ||
		parser->p[length] == '_')
		return false;
	parser->p += length;
	return true;
}

/* Parses what is one level deeper: after NOT, or in parentheses. */
static LogicNode *
parse_nested(LogicParser *parser, LogicNode *(*parse) (LogicParser *))
{
	LogicNode  *result;

	check_stack_depth();
	if (parser->nesting == MAX_NESTING)
	{
		if (!parser->failed)
			error_at(parser->compiler, parser->node,
					 "the logic nests more than %d deep at \"%.*s\"", MAX_NESTING,
					 pg_mbcliplen(parser->p, strlen(parser->p), 20), parser->p);
		parser->failed = true;
		return NULL;
	}
	parser->nesting++;
	parser->deepest = Max(parser->deepest, parser->nesting);
	result = parse(parser);
	parser->nesting--;
	return result;
}

static LogicNode *
parse_factor(LogicParser *parser)
{
	LogicNode  *result;

	if (accept_word(parser, "not"))
	{
		result = parse_nested(parser, parse_factor);
		return parser->failed ? NULL : make_logic(parser, LOGIC_NOT, result, NULL);
	}
	skip_space(parser);
	if (*parser->p == '(')
	{
		parser->p++;
		result = parse_nested(parser, parse_or);
		if (parser->failed)
			return NULL;
		skip_space(parser);
		if (*parser->p != ')')
		{
			logic_failed(parser, "\")\"");
			return NULL;
		}
		parser->p++;
		return result;
	}
	if (isdigit((unsigned char) *parser->p))
	{
		const char *start = parser->p;
		int			number = 0;

		for (; isdigit((unsigned char) *parser->p); parser->p++)
			number = Min(number * 10 + (*parser->p - '0'), 1000000);
		if (number < 1 || number > parser->nconditions)
		{
			if (!parser->failed)
				error_at(parser->compiler, parser->node,
						 "the logic names condition %.*s of %d",
						 (int) Min(parser->p - start, 20), start,
						 parser->nconditions);
			parser->failed = true;
			return NULL;
		}
		parser->used[number - 1] = true;
		result = make_logic(parser, LOGIC_REQUIREMENT, NULL, NULL);
		result->index = number - 1;
		return result;
	}
	logic_failed(parser, "a condition");
	return NULL;
}

static LogicNode *
parse_and(LogicParser *parser)
{
	LogicNode  *result = parse_factor(parser);
	LogicNode **last = &result;

	while (!parser->failed && accept_word(parser, "and"))
	{
		LogicNode  *right = parse_factor(parser);

		if (!parser->failed)
		{
			*last = make_logic(parser, LOGIC_AND, *last, right);
			last = &(*last)->right;
		}
	}
	return result;
}

static LogicNode *
parse_or(LogicParser *parser)
{
	LogicNode  *result = parse_and(parser);
	LogicNode **last = &result;

	while (!parser->failed && accept_word(parser, "or"))
	{
		LogicNode  *right = parse_and(parser);

		if (!parser->failed)
		{
			*last = make_logic(parser, LOGIC_OR, *last, right);
			last = &(*last)->right;
		}
	}
	return result;
}

/* Any of n conditions from first on: a balanced tree, so that it is not deep. */
static LogicNode *
any_of(LogicParser *parser, int first, int n)
{
	LogicNode  *result;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (n == 1)
	{
		result = make_logic(parser, LOGIC_REQUIREMENT, NULL, NULL);
		result->index = first;
		return result;
	}
	return make_logic(parser, LOGIC_OR, any_of(parser, first, n / 2),
					  any_of(parser, first + n / 2, n - n / 2));
}

/*
 * The logic of conditions: "and", "or" or an expression like 1 AND (2 OR 3), in any case
 * and spacing.  NOT binds tighter than AND, AND tighter than OR.  Returns NULL for "all
 * of them".  *deepest: how deep the logic nests, counted from c->nesting.
 */
LogicNode *
orch_definition_compile_logic(Compiler *c, const DocNode *node, const char *text, int nconditions,
							  int *deepest)
{
	LogicParser parser = {0};
	LogicNode  *result;
	int			i;

	parser.compiler = c;
	parser.node = node;
	parser.p = text;
	parser.nconditions = nconditions;
	parser.nesting = parser.deepest = *deepest = c->nesting;

	if (accept_word(&parser, "and"))
	{
		skip_space(&parser);
		if (*parser.p == '\0')
			return NULL;
	}
	parser.p = text;
	if (accept_word(&parser, "or"))
	{
		skip_space(&parser);
		if (*parser.p == '\0')
			return any_of(&parser, 0, nconditions);
	}
	parser.p = text;
	if (accept_word(&parser, "formula") ||
		accept_word(&parser, "formula_evaluates_to_true"))
		return NULL;			/* all of them: the conditions name formulas */
	parser.p = text;
	if (orch_document_is_too_long(node))
		return NULL;			/* reported */

	parser.used = palloc0(sizeof(bool) * nconditions);
	result = parse_or(&parser);
	skip_space(&parser);
	if (!parser.failed && *parser.p != '\0')
		logic_failed(&parser, "AND or OR");
	if (parser.failed)
		return NULL;
	for (i = 0; i < nconditions; i++)
		if (!parser.used[i])
		{
			warning_at(c, node, "the logic does not use condition %d", i + 1);
			break;
		}
	pfree(parser.used);
	*deepest = parser.deepest;
	return result;
}
