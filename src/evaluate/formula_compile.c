/*-------------------------------------------------------------------------
 *
 * formula_compile.c
 *	  Compiles formulas.
 *
 * A recursive descent over the text makes a tree of functions; operators are
 * functions with names of their own.  In the order of binding, loosest first:
 *
 *		||		&&		= == <> != < > <= >=		+ - &		* /
 *		-x !x		^
 *
 * A formula may nest MAX_NESTING deep.  The parser counts the depth in the text; the
 * evaluation recurses as deep (a + b + c + ... is evaluated without recursion).
 *
 * References stand in {!...}.  The caller knows what they mean: FormulaResolver.
 * Types are followed as far as they are known, so that a formula that can never be
 * computed is refused when its definition is deployed.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_compile.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "evaluate/document.h"
#include "evaluate/formula_compile.h"
#include "evaluate/formula_function.h"

/* The most characters a formula may have; reference 1.13. */
#define MAX_FORMULA_LENGTH	3900

typedef struct FormulaParser
{
	FormulaResolver *resolver;
	MemoryContext context;		/* of the compiled formula */
	const char *p;
	int			nesting;		/* of the place at p */
	int			deepest;		/* nesting so far */
	bool		reads_prior;	/* a function so far asks for $Record__Prior */
	bool		failed;			/* and reported */
} FormulaParser;

static FormulaNode *parse_nested(FormulaParser *parser, int level);
static FormulaNode *parse_expression(FormulaParser *parser, int level);
static FormulaNode *parse_operand(FormulaParser *parser);
static FormulaNode *parse_unary(FormulaParser *parser);
static FormulaNode *parse_call(FormulaParser *parser, const char *name);
static FormulaNode *parse_reference(FormulaParser *parser);
static FormulaNode *parse_text(FormulaParser *parser);
static FormulaNode *parse_number(FormulaParser *parser);
static FormulaNode *make_call(FormulaParser *parser, const char *name, List *args);
static FormulaNode *make_constant(FormulaParser *parser, JsonbValue *value,
								  const char *text);
static bool can_be_compared(ValueType left, ValueType right);
static bool argument_fits(char wanted, const FormulaNode *arg);
static void skip_blank(FormulaParser *parser);
static void report(FormulaParser *parser, const char *format,...)
			pg_attribute_printf(2, 3);
static void expected(FormulaParser *parser, const char *what);

/* Binary operators by level of binding; "<=" before "<", which is its beginning. */
static const struct
{
	int			level;
	const char *text;
	const char *function;
}			binary_operators[] = {
	{0, "||", "OR"},
	{1, "&&", "AND"},
	{2, "==", "="},
	{2, "<>", "<>"},
	{2, "!=", "<>"},
	{2, "<=", "<="},
	{2, ">=", ">="},
	{2, "=", "="},
	{2, "<", "<"},
	{2, ">", ">"},
	{3, "+", "+"},
	{3, "-", "-"},
	{3, "&", "&"},
	{4, "*", "*"},
	{4, "/", "/"}
};

/* -x, !x and ^ bind closer than all of them. */
#define LEVEL_UNARY 5

bool
orch_formula_compile(FormulaResolver *resolver, MemoryContext context,
					 const char *text, CompiledFormula *formula)
{
	FormulaParser parser = {0};
	FormulaNode *root;

	memset(formula, 0, sizeof(*formula));
	parser.resolver = resolver;
	parser.context = context;
	parser.p = text;
	if (pg_mbstrlen(text) > MAX_FORMULA_LENGTH)
	{
		report(&parser, "the formula is longer than %d characters",
			   MAX_FORMULA_LENGTH);
		return false;
	}
	root = parse_expression(&parser, 0);
	skip_blank(&parser);
	if (!parser.failed && *parser.p != '\0')
		expected(&parser, "an operator or the end");
	formula->reads_prior = parser.reads_prior;
	if (parser.failed)
		return false;
	formula->root = root;
	formula->type = root->type;
	formula->nesting = parser.deepest;
	return true;
}

/*
 * Reports an error and ends the parsing.
 */
static void
report(FormulaParser *parser, const char *format,...)
{
	StringInfoData message;

	initStringInfo(&message);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	parser->resolver->problem(parser->resolver, message.data);
	pfree(message.data);
	parser->failed = true;
}

/*
 * Reports what should stand at this place.
 */
static void
expected(FormulaParser *parser, const char *what)
{
	if (parser->failed)
		return;
	if (*parser->p == '\0')
		report(parser, "the formula ends where %s should be", what);
	else
		report(parser, "the formula has \"%.*s\" where %s should be",
			   pg_mbcliplen(parser->p, strlen(parser->p), 20), parser->p, what);
}

/* Space and comments. */
static void
skip_blank(FormulaParser *parser)
{
	for (;;)
	{
		const char *end;

		while (isspace((unsigned char) *parser->p))
			parser->p++;
		if (parser->p[0] != '/' || parser->p[1] != '*')
			return;
		end = strstr(parser->p + 2, "*/");
		if (end == NULL)
		{
			expected(parser, "the end of the comment");
			parser->p += strlen(parser->p);
			return;
		}
		parser->p = end + 2;
	}
}

/*
 * Parses what is one level deeper: in parentheses, an argument, or the right side of
 * an operator.
 */
static FormulaNode *
parse_nested(FormulaParser *parser, int level)
{
	FormulaNode *result;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (parser->nesting == MAX_NESTING)
	{
		if (!parser->failed)
			report(parser, "the formula nests more than %d deep at \"%.*s\"",
				   MAX_NESTING,
				   pg_mbcliplen(parser->p, strlen(parser->p), 20), parser->p);
		return NULL;
	}
	parser->nesting++;
	parser->deepest = Max(parser->deepest, parser->nesting);
	result = level == LEVEL_UNARY ? parse_unary(parser) : parse_expression(parser, level);
	parser->nesting--;
	return result;
}

/*
 * Parses an operand, and the operators after it that bind as close as this level or
 * closer.
 */
static FormulaNode *
parse_expression(FormulaParser *parser, int level)
{
	FormulaNode *result = parse_unary(parser);

	while (!parser->failed)
	{
		FormulaNode *right;
		int			i;

		skip_blank(parser);
		for (i = 0; i < (int) lengthof(binary_operators); i++)
			if (strncmp(parser->p, binary_operators[i].text,
						strlen(binary_operators[i].text)) == 0)
				break;
		if (i == (int) lengthof(binary_operators) ||
			binary_operators[i].level < level)
			break;
		parser->p += strlen(binary_operators[i].text);
		right = parse_nested(parser, binary_operators[i].level + 1);
		if (!parser->failed)
			result = make_call(parser, binary_operators[i].function,
							   list_make2(result, right));
		if (!parser->failed)
			result->is_binary = true;
	}
	return parser->failed ? NULL : result;
}

static FormulaNode *
parse_unary(FormulaParser *parser)
{
	FormulaNode *result;

	skip_blank(parser);
	if (*parser->p == '-' || *parser->p == '+' ||
		(*parser->p == '!' && parser->p[1] != '='))
	{
		char		op = *parser->p++;

		result = parse_nested(parser, LEVEL_UNARY);
		if (parser->failed || op == '+')
			return result;
		return make_call(parser, op == '-' ? "NEGATIVE" : "NOT", list_make1(result));
	}
	result = parse_operand(parser);
	skip_blank(parser);
	if (!parser->failed && *parser->p == '^')
	{
		FormulaNode *right;

		parser->p++;
		right = parse_nested(parser, LEVEL_UNARY);
		if (!parser->failed)
			result = make_call(parser, "^", list_make2(result, right));
	}
	return parser->failed ? NULL : result;
}

static FormulaNode *
parse_operand(FormulaParser *parser)
{
	const char *start;
	char	   *name;
	FormulaNode *result;

	skip_blank(parser);
	start = parser->p;
	if (*start == '(')
	{
		parser->p++;
		result = parse_nested(parser, 0);
		skip_blank(parser);
		if (!parser->failed && *parser->p != ')')
			expected(parser, "\")\"");
		if (parser->failed)
			return NULL;
		parser->p++;
		return result;
	}
	if (start[0] == '{' && start[1] == '!')
		return parse_reference(parser);
	if (*start == '"' || *start == '\'')
		return parse_text(parser);
	if (isdigit((unsigned char) *start) ||
		(*start == '.' && isdigit((unsigned char) start[1])))
		return parse_number(parser);
	if (!isalpha((unsigned char) *start))
	{
		expected(parser, "a value");
		return NULL;
	}
	while (isalnum((unsigned char) *parser->p) || *parser->p == '_')
		parser->p++;
	name = pnstrdup(start, parser->p - start);
	skip_blank(parser);
	if (*parser->p == '(')
		return parse_call(parser, name);
	if (pg_strcasecmp(name, "not") == 0)
	{
		/* NOT x, as !x */
		result = parse_nested(parser, LEVEL_UNARY);
		return parser->failed ? NULL : make_call(parser, name, list_make1(result));
	}
	if (pg_strcasecmp(name, "true") == 0 || pg_strcasecmp(name, "false") == 0)
	{
		JsonbValue	value;

		value.type = jbvBool;
		value.val.boolean = pg_strcasecmp(name, "true") == 0;
		return make_constant(parser, &value, name);
	}
	if (pg_strcasecmp(name, "null") == 0)
		return make_constant(parser, NULL, name);
	parser->p = start;
	expected(parser, "a function or a reference in {!...}");
	return NULL;
}

static FormulaNode *
parse_call(FormulaParser *parser, const char *name)
{
	List	   *args = NIL;

	parser->p++;				/* ( */
	skip_blank(parser);
	if (*parser->p == ')')
	{
		parser->p++;
		return make_call(parser, name, NIL);
	}
	for (;;)
	{
		args = lappend(args, parse_nested(parser, 0));
		if (parser->failed)
			return NULL;
		skip_blank(parser);
		if (*parser->p == ')')
		{
			parser->p++;
			return make_call(parser, name, args);
		}
		if (*parser->p != ',')
		{
			expected(parser, "\",\" or \")\"");
			return NULL;
		}
		parser->p++;
	}
}

/*
 * A call of a function: checks its name and its arguments.  NULL, and reported, if
 * they do not fit.
 */
static FormulaNode *
make_call(FormulaParser *parser, const char *name, List *args)
{
	const FormulaFunction *function = orch_formula_function(name);
	FormulaNode *node;
	const char *problem;
	ListCell   *cell;
	int			nargs = list_length(args);
	int			i = 0;

	if (function == NULL)
	{
		problem = orch_formula_refused(name);
		report(parser, "function \"%s\" is not supported in formulas%s%s", name,
			   problem != NULL ? ": " : "", problem != NULL ? problem : "");
		return NULL;
	}
	if (nargs < function->min_args ||
		(function->max_args >= 0 && nargs > function->max_args))
	{
		bool		too_few = nargs < function->min_args;

		report(parser, "%s has %d arguments, it takes %s%d", function->name, nargs,
			   function->min_args == function->max_args ? "" :
			   too_few ? "at least " : "at most ",
			   too_few ? function->min_args : function->max_args);
		return NULL;
	}
	node = MemoryContextAllocZero(parser->context, sizeof(FormulaNode));
	node->function = function;
	node->nargs = nargs;
	node->args = MemoryContextAlloc(parser->context,
									sizeof(FormulaNode *) * Max(nargs, 1));
	foreach(cell, args)
	{
		char		wanted = function->args[Min(i, (int) strlen(function->args) - 1)];

		node->args[i] = lfirst(cell);
		if (!argument_fits(wanted, node->args[i]))
		{
			report(parser, "argument %d of %s is not %s", i + 1, function->name,
				   wanted == 'n' ? "a number" : wanted == 't' ? "text" :
				   wanted == 'b' ? "true or false" :
				   wanted == 'c' ? "a time of day or date and time" :
				   wanted == 'w' ? "a date, date and time or time of day" :
				   "a date or date and time");
			return NULL;
		}
		i++;
	}
	parser->reads_prior |= function->reads_prior;
	node->type = function->result;
	if (node->type == VALUE_UNKNOWN && function->result_arg >= 0 &&
		function->result_arg < nargs)
		node->type = node->args[function->result_arg]->type;
	problem = orch_formula_check_call(node);
	if (problem != NULL)
		report(parser, "%s", problem);
	else if (nargs == 2 && strpbrk(function->name, "=<>") != NULL &&
		!can_be_compared(node->args[0]->type, node->args[1]->type))
		report(parser, "the sides of \"%s\" cannot be compared: they are %s and %s",
			   function->name, orch_condition_value_type_name(node->args[0]->type),
			   orch_condition_value_type_name(node->args[1]->type));
	return node;
}

/*
 * Values compare with those of their type, records and collections with nothing.  A text may
 * be a date or a time of day in ISO form.
 */
static bool
can_be_compared(ValueType left, ValueType right)
{
	if (left == VALUE_UNKNOWN || right == VALUE_UNKNOWN)
		return true;
	if (left == VALUE_RECORD || left == VALUE_COLLECTION)
		return false;
	return orch_condition_alike(left, right) ||
		(left == VALUE_TEXT && orch_condition_is_time(right)) ||
		(right == VALUE_TEXT && orch_condition_is_time(left));
}

static bool
argument_fits(char wanted, const FormulaNode *arg)
{
	if (arg->type == VALUE_UNKNOWN)
		return true;
	switch (wanted)
	{
		case 'n':
			return arg->type == VALUE_NUMBER;
		case 't':
			return arg->type == VALUE_TEXT;
		case 'b':
			return arg->type == VALUE_BOOLEAN;
		case 'd':
			/* a text may be a date in ISO form */
			return orch_condition_is_date(arg->type) || arg->type == VALUE_TEXT;
		case 'c':
			return arg->type == VALUE_TIME || arg->type == VALUE_DATETIME ||
				arg->type == VALUE_TEXT;
		case 'w':
			return orch_condition_is_time(arg->type) || arg->type == VALUE_TEXT;
		default:
			return true;
	}
}

static FormulaNode *
parse_reference(FormulaParser *parser)
{
	const char *end = strchr(parser->p, '}');
	FormulaNode *node;
	const char *name;
	int			length;

	if (end == NULL)
	{
		expected(parser, "a reference that ends with \"}\"");
		return NULL;
	}
	name = orch_document_trim(pnstrdup(parser->p + 2, end - parser->p - 2), &length);
	if (length == 0)
	{
		expected(parser, "a reference");
		return NULL;
	}
	parser->p = end + 1;
	node = MemoryContextAllocZero(parser->context, sizeof(FormulaNode));
	node->operand = parser->resolver->reference(parser->resolver, pnstrdup(name, length));
	node->operand->nesting = parser->nesting;
	node->type = node->operand->type;
	return node;
}

static FormulaNode *
parse_text(FormulaParser *parser)
{
	char		quote = *parser->p;
	char	   *buffer = palloc(strlen(parser->p));
	int			length = 0;
	JsonbValue	value;
	const char *p;

	for (p = parser->p + 1; *p != quote; p++)
	{
		if (*p == '\\' && p[1] != '\0')
		{
			p++;
			buffer[length++] = *p == 'n' ? '\n' : *p == 't' ? '\t' :
				*p == 'r' ? '\r' : *p;
		}
		else if (*p != '\0')
			buffer[length++] = *p;
		else
		{
			parser->p = p;
			expected(parser, "the end of the text");
			return NULL;
		}
	}
	parser->p = p + 1;
	value.type = jbvString;
	value.val.string.val = MemoryContextAlloc(parser->context, length + 1);
	memcpy(value.val.string.val, buffer, length);
	value.val.string.val[length] = '\0';
	value.val.string.len = length;
	return make_constant(parser, &value, psprintf("\"%s\"", value.val.string.val));
}

static FormulaNode *
parse_number(FormulaParser *parser)
{
	const char *start = parser->p;
	MemoryContext old;
	JsonbValue	value;
	bool		ok;

	while (isdigit((unsigned char) *parser->p) || *parser->p == '.')
		parser->p++;
	value.type = jbvNumeric;
	old = MemoryContextSwitchTo(parser->context);
	ok = orch_document_number(pnstrdup(start, parser->p - start), &value.val.numeric);
	MemoryContextSwitchTo(old);
	if (!ok)
	{
		parser->p = start;
		expected(parser, "a number");
		return NULL;
	}
	return make_constant(parser, &value, pnstrdup(start, parser->p - start));
}

static FormulaNode *
make_constant(FormulaParser *parser, JsonbValue *value, const char *text)
{
	MemoryContext old = MemoryContextSwitchTo(parser->context);
	FormulaNode *node = palloc0(sizeof(FormulaNode));

	node->operand = palloc0(sizeof(Operand));
	node->operand->kind = OPERAND_LITERAL;
	node->operand->text = pstrdup(text);
	if (value != NULL)
	{
		node->operand->literal = palloc(sizeof(JsonbValue));
		*node->operand->literal = *value;
		node->type = value->type == jbvNumeric ? VALUE_NUMBER :
			value->type == jbvBool ? VALUE_BOOLEAN : VALUE_TEXT;
		node->operand->type = node->type;
	}
	MemoryContextSwitchTo(old);
	return node;
}

/* ------------------------------------------------------------- evaluation */
