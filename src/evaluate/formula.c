/*-------------------------------------------------------------------------
 *
 * formula.c
 *	  Compiles formulas, and walks the compiled ones to their values.
 *
 * A recursive descent over the text makes a tree of functions; operators are
 * functions with names of their own.  In the order of binding, loosest first:
 *
 *		||		&&		= == <> != < > <= >=		+ - &		* /
 *		-x !x		^
 *
 * The parser counts how deep it is in the text, and that is how deep evaluation
 * goes (a + b + c + ... is evaluated without recursion): a formula
 * may nest MAX_NESTING deep.
 *
 * References stand in {!...}.  Types are followed as far as they are known, so
 * that what can never be computed is refused when the definition is deployed.
 *
 * What the functions do is in formula_function.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "definition/definition_int.h"
#include "evaluate/formula.h"

/* reference 1.13: of a formula's text */
#define MAX_FORMULA_LENGTH	3900

typedef struct FormulaParser
{
	Compiler   *compiler;
	const DocNode *node;		/* for messages */
	ReferenceUse use;
	const char *p;
	int			deepest;		/* that the compiler's nesting was */
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
static JsonbValue *chain_value(EvalContext *cxt, const FormulaNode *node);
static bool argument_fits(char wanted, const FormulaNode *arg);
static void skip_blank(FormulaParser *parser);
static void formula_failed(FormulaParser *parser, const char *format,...)
			pg_attribute_printf(2, 3);

/* Binary operators by level of binding, the longer before their beginnings. */
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

/* what binds closer than all of them: -x and ^ */
#define LEVEL_UNARY 5

/*
 * Compile a formula; *type is what it gives, *nesting how deep it nests.  Returns
 * NULL for one with errors, which are reported.
 */
FormulaNode *
orch_formula_compile(Compiler *c, const DocNode *node, const char *text,
					 ReferenceUse use, ValueType *type, int *nesting)
{
	FormulaParser parser = {0};
	FormulaNode *result;

	*type = VALUE_UNKNOWN;
	*nesting = 0;
	if (pg_mbstrlen(text) > MAX_FORMULA_LENGTH)
	{
		error_at(c, node, "the formula is longer than %d characters",
				 MAX_FORMULA_LENGTH);
		return NULL;
	}
	parser.compiler = c;
	parser.node = node;
	parser.use = use;
	parser.p = text;
	c->nesting = 0;
	result = parse_expression(&parser, 0);
	c->nesting = 0;
	skip_blank(&parser);
	if (!parser.failed && *parser.p != '\0')
		formula_failed(&parser, "an operator or the end");
	if (parser.failed)
		return NULL;
	*type = result->type;
	*nesting = parser.deepest;
	return result;
}

/*
 * Report what was expected at this place.
 */
static void
formula_failed(FormulaParser *parser, const char *format,...)
{
	char		expected[200];
	va_list		args;

	if (parser->failed)
		return;
	parser->failed = true;
	va_start(args, format);
	(void) vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	if (*parser->p == '\0')
		error_at(parser->compiler, parser->node,
				 "the formula ends where %s should be", expected);
	else
		error_at(parser->compiler, parser->node,
				 "the formula has \"%.*s\" where %s should be",
				 pg_mbcliplen(parser->p, strlen(parser->p), 20), parser->p,
				 expected);
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
			formula_failed(parser, "the end of the comment");
			parser->p += strlen(parser->p);
			return;
		}
		parser->p = end + 2;
	}
}

/*
 * What stands one deeper: in parentheses, as an argument, right of an operator.
 */
static FormulaNode *
parse_nested(FormulaParser *parser, int level)
{
	Compiler   *c = parser->compiler;
	FormulaNode *result;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (c->nesting == MAX_NESTING)
	{
		if (!parser->failed)
			error_at(c, parser->node, "the formula nests more than %d deep at \"%.*s\"",
					 MAX_NESTING,
					 pg_mbcliplen(parser->p, strlen(parser->p), 20), parser->p);
		parser->failed = true;
		return NULL;
	}
	c->nesting++;
	parser->deepest = Max(parser->deepest, c->nesting);
	result = level == LEVEL_UNARY ? parse_unary(parser) : parse_expression(parser, level);
	c->nesting--;
	return result;
}

/*
 * An operand, and what operators of this level and of those that bind closer make
 * of it.
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
			formula_failed(parser, "\")\"");
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
		formula_failed(parser, "a value");
		return NULL;
	}
	while (isalnum((unsigned char) *parser->p) || *parser->p == '_')
		parser->p++;
	name = pnstrdup(start, parser->p - start);
	skip_blank(parser);
	if (*parser->p == '(')
		return parse_call(parser, name);
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
	formula_failed(parser, "a function or a reference in {!...}");
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
			formula_failed(parser, "\",\" or \")\"");
			return NULL;
		}
		parser->p++;
	}
}

/*
 * A function with its arguments, when it is one and they fit.
 */
static FormulaNode *
make_call(FormulaParser *parser, const char *name, List *args)
{
	const FormulaFunction *function = orch_formula_function(name);
	FormulaNode *node;
	ListCell   *cell;
	int			nargs = list_length(args);
	int			i = 0;

	if (function == NULL)
	{
		error_at(parser->compiler, parser->node,
				 "function \"%s\" is not supported in formulas", name);
		parser->failed = true;
		return NULL;
	}
	if (nargs < function->min_args ||
		(function->max_args >= 0 && nargs > function->max_args))
	{
		error_at(parser->compiler, parser->node,
				 "%s has %d arguments, it takes %s%d", function->name, nargs,
				 nargs < function->min_args && function->max_args != function->min_args ?
				 "at least " : nargs > function->max_args &&
				 function->max_args != function->min_args ? "at most " : "",
				 nargs < function->min_args ? function->min_args : function->max_args);
		parser->failed = true;
		return NULL;
	}
	node = MemoryContextAllocZero(parser->compiler->context, sizeof(FormulaNode));
	node->function = function;
	node->nargs = nargs;
	node->args = MemoryContextAlloc(parser->compiler->context,
									sizeof(FormulaNode *) * Max(nargs, 1));
	foreach(cell, args)
	{
		char		wanted = function->args[Min(i, (int) strlen(function->args) - 1)];

		node->args[i] = lfirst(cell);
		if (!argument_fits(wanted, node->args[i]))
		{
			error_at(parser->compiler, parser->node,
					 "argument %d of %s is not %s", i + 1, function->name,
					 wanted == 'n' ? "a number" : wanted == 't' ? "text" :
					 wanted == 'b' ? "true or false" : "a date or date and time");
			parser->failed = true;
			return NULL;
		}
		i++;
	}
	if (strcmp(function->name, "ISCHANGED") == 0 ||
		strcmp(function->name, "PRIORVALUE") == 0 || strcmp(function->name, "ISNEW") == 0)
	{
		if (parser->use == USE_FILTER)
			parser->compiler->filters_look_back = true;
		else
			parser->compiler->reads_prior = true;
	}
	node->type = function->result;
	if (node->type == VALUE_UNKNOWN && function->result_arg >= 0 &&
		function->result_arg < nargs)
		node->type = node->args[function->result_arg]->type;

	/* of operators that compare, both sides must be of a kind */
	if (nargs == 2 && strpbrk(function->name, "=<>") != NULL &&
		((node->args[0]->type == VALUE_NUMBER) != (node->args[1]->type == VALUE_NUMBER) ||
		 (node->args[0]->type == VALUE_BOOLEAN) != (node->args[1]->type == VALUE_BOOLEAN)) &&
		node->args[0]->type != VALUE_UNKNOWN && node->args[1]->type != VALUE_UNKNOWN)
	{
		error_at(parser->compiler, parser->node,
				 "the sides of \"%s\" cannot be compared: they are of different types",
				 function->name);
		parser->failed = true;
	}
	return node;
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
			return arg->type == VALUE_DATE || arg->type == VALUE_DATETIME ||
				arg->type == VALUE_TEXT;
		default:
			return true;
	}
}

static FormulaNode *
parse_reference(FormulaParser *parser)
{
	const char *end = strchr(parser->p, '}');
	FormulaNode *node;
	char	   *name;
	char	   *last;

	if (end == NULL)
	{
		formula_failed(parser, "a reference that ends with \"}\"");
		return NULL;
	}
	name = pnstrdup(parser->p + 2, end - parser->p - 2);
	while (isspace((unsigned char) *name))
		name++;
	last = name + strlen(name);
	while (last > name && isspace((unsigned char) last[-1]))
		*--last = '\0';
	if (*name == '\0')
	{
		formula_failed(parser, "a reference");
		return NULL;
	}
	parser->p = end + 1;
	node = MemoryContextAllocZero(parser->compiler->context, sizeof(FormulaNode));
	node->operand = orch_definition_compile_reference(parser->compiler, parser->node,
													  name, parser->use);
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
			buffer[length++] = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
		}
		else if (*p != '\0')
			buffer[length++] = *p;
		else
		{
			parser->p = p;
			formula_failed(parser, "the end of the text");
			return NULL;
		}
	}
	parser->p = p + 1;
	value.type = jbvString;
	value.val.string.val = MemoryContextAlloc(parser->compiler->context, length + 1);
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
	old = MemoryContextSwitchTo(parser->compiler->context);
	ok = orch_document_number(pnstrdup(start, parser->p - start), &value.val.numeric);
	MemoryContextSwitchTo(old);
	if (!ok)
	{
		parser->p = start;
		formula_failed(parser, "a number");
		return NULL;
	}
	return make_constant(parser, &value, pnstrdup(start, parser->p - start));
}

static FormulaNode *
make_constant(FormulaParser *parser, JsonbValue *value, const char *text)
{
	MemoryContext old = MemoryContextSwitchTo(parser->compiler->context);
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

JsonbValue *
orch_formula_node_value(EvalContext *cxt, const FormulaNode *node)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node == NULL)
		return NULL;
	if (node->function == NULL)
		return orch_condition_operand_value(cxt, node->operand);
	if (node->is_binary && node->args[0]->is_binary)
		return chain_value(cxt, node);
	return node->function->evaluate(cxt, node);
}

/*
 * a + b - c + ..., which is a tree with a branch to the left for each operator:
 * it is evaluated from the left without recursion.  Each operator looks at its
 * left side first, so that what it would not look at stays untouched.
 */
static JsonbValue *
chain_value(EvalContext *cxt, const FormulaNode *node)
{
	const FormulaNode **chain;
	const FormulaNode *n;
	JsonbValue *value;
	int			length = 0;

	for (n = node; n->is_binary; n = n->args[0])
		length++;
	chain = palloc(sizeof(FormulaNode *) * length);
	length = 0;
	for (n = node; n->is_binary; n = n->args[0])
		chain[length++] = n;
	n = chain[--length];
	value = n->function->evaluate(cxt, n);
	while (length > 0)
	{
		FormulaNode left = {0};
		Operand		operand = {0};
		FormulaNode step;
		FormulaNode *args[2];

		CHECK_FOR_INTERRUPTS();
		n = chain[--length];
		operand.kind = OPERAND_LITERAL;
		operand.literal = value;
		left.operand = &operand;
		left.type = n->args[0]->type;
		args[0] = &left;
		args[1] = n->args[1];
		step = *n;
		step.args = args;
		value = n->function->evaluate(cxt, &step);
	}
	pfree(chain);
	return value;
}

/*
 * A number is rounded to the formula's scale; a date is cut from a date and
 * time where the formula is a date.
 */
JsonbValue *
orch_formula_value(EvalContext *cxt, const FormulaDef *formula)
{
	JsonbValue *value = orch_formula_node_value(cxt, formula->root);
	Timestamp	timestamp;
	bool		fits = true;

	if (value == NULL || value->type == jbvNull)
		return NULL;
	switch (formula->type)
	{
		case VARIABLE_NUMBER:
			fits = value->type == jbvNumeric;
			if (fits && formula->scale >= 0)
			{
				JsonbValue *rounded = palloc(sizeof(JsonbValue));

				rounded->type = jbvNumeric;
				rounded->val.numeric =
					DatumGetNumeric(DirectFunctionCall2(numeric_round,
														NumericGetDatum(value->val.numeric),
														Int32GetDatum(formula->scale)));
				value = rounded;
			}
			break;
		case VARIABLE_BOOLEAN:
			fits = value->type == jbvBool;
			break;
		case VARIABLE_DATE:
		case VARIABLE_DATETIME:
			fits = value->type == jbvString &&
				orch_condition_datetime(value->val.string.val, value->val.string.len,
										&timestamp);
			if (fits)
				value = orch_formula_time_value(timestamp, formula->type == VARIABLE_DATE);
			break;
		default:
			fits = value->type == jbvString;
			break;
	}
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("formula \"%s\" gives %s, not a value of data type %s",
						formula->name, orch_condition_type_name(value),
						orch_definition_variable_type_name(formula->type))));
	return value;
}

PG_FUNCTION_INFO_V1(orchestration_evaluate_formula);

/*
 * orchestration.evaluate_formula(formula text, "values" jsonb) returns jsonb
 *
 * Tries a formula out: values gives each reference its value under its full text.
 * Returns null for null.  Raises 22004 for null arguments, 22023 when values is no
 * object, OR201 when the formula has an error, OR301 when it cannot be evaluated.
 */
Datum
orchestration_evaluate_formula(PG_FUNCTION_ARGS)
{
	Jsonb	   *values;
	ProblemList problems = {0};
	Compiler	c = {0};
	DocNode		node = {0};
	FormulaNode *formula;
	ValueType	type;
	int			nesting;
	EvalContext cxt;
	JsonbValue *result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null",
						PG_ARGISNULL(0) ? "formula" : "values")));
	values = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(values))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"values\" must be an object")));
	c.context = CurrentMemoryContext;
	c.problems = &problems;
	c.free_references = true;
	node.name = "formula";
	formula = orch_formula_compile(&c, &node, text_to_cstring(PG_GETARG_TEXT_PP(0)),
								   USE_RUN, &type, &nesting);
	if (problems.nerrors > 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
				 errmsg("the formula has an error"),
				 errdetail("%s", orch_definition_problem_text(&problems, PROBLEM_ERROR))));
	cxt.resolve = orch_definition_resolve_by_text;
	cxt.arg = values;
	result = orch_formula_node_value(&cxt, formula);
	if (result == NULL || result->type == jbvNull)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(JsonbValueToJsonb(result));
}
