/*-------------------------------------------------------------------------
 *
 * formula_text.c
 *	  Functions and operators of formulas: texts.
 *
 * Lengths and positions are in characters.  Null is the empty text where a text is searched,
 * joined or counted; otherwise it makes the result null.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_text.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"

#include "base/errors.h"
#include "evaluate/document.h"
#include "evaluate/formula_argument.h"
#include "evaluate/formula_text.h"

/* & joins values of any type. */
static JsonbValue *
formula_join(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *left = orch_formula_argument(cxt, node, 0);

	return orch_formula_join(left, orch_formula_argument(cxt, node, 1));
}

/* CONTAINS(text, part), BEGINS(text, part) */
static JsonbValue *
formula_contains(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text = "";
	char	   *part = "";

	(void) orch_formula_text_argument(cxt, node, 0, &text);
	(void) orch_formula_text_argument(cxt, node, 1, &part);
	return orch_formula_boolean_value(node->function->name[0] == 'C' ?
									  strstr(text, part) != NULL :
									  strncmp(text, part, strlen(part)) == 0);
}

/* INCLUDES(values, value): is it among the values of a multi-select picklist, a;b;c? */
static JsonbValue *
formula_includes(EvalContext *cxt, const FormulaNode *node)
{
	char	   *values;
	char	   *wanted;
	char	   *part;
	char	   *state = NULL;

	if (!orch_formula_text_argument(cxt, node, 0, &values) || !orch_formula_text_argument(cxt, node, 1, &wanted))
		return orch_formula_boolean_value(false);
	for (part = strtok_r(values, ";", &state); part != NULL; part = strtok_r(NULL, ";", &state))
		if (strcmp(part, wanted) == 0)
			return orch_formula_boolean_value(true);
	return orch_formula_boolean_value(false);
}

/* PICKLISTCOUNT(values): how many values of a multi-select picklist are selected */
static JsonbValue *
formula_count_values(EvalContext *cxt, const FormulaNode *node)
{
	char	   *values;
	char	   *state = NULL;
	int			count = 0;

	if (!orch_formula_text_argument(cxt, node, 0, &values))
		return orch_formula_integer_value(0);
	for (values = strtok_r(values, ";", &state); values != NULL;
		 values = strtok_r(NULL, ";", &state))
		count++;
	return orch_formula_integer_value(count);
}

/* FIND(part, text, from): the position, from 1; 0: not found */
static JsonbValue *
formula_find(EvalContext *cxt, const FormulaNode *node)
{
	char	   *part;
	char	   *text;
	char	   *found;
	int32		from = 1;
	int			skip;

	if (!orch_formula_text_argument(cxt, node, 0, &part) ||
		!orch_formula_text_argument(cxt, node, 1, &text))
		return orch_formula_integer_value(0);
	if (node->nargs > 2 && !orch_formula_integer_argument(cxt, node, 2, &from))
		return NULL;
	from = Max(from, 1);
	if (from > pg_mbstrlen(text) + 1)
		return orch_formula_integer_value(0);
	skip = pg_mbcharcliplen(text, strlen(text), from - 1);
	found = *part == '\0' ? NULL : strstr(text + skip, part);
	return orch_formula_integer_value(found == NULL ? 0 :
									  pg_mbstrlen_with_len(text, found - text) + 1);
}

/* LEFT(text, count), RIGHT(text, count), MID(text, first, count), in characters */
static JsonbValue *
formula_part(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;
	int32		first = 1;
	int32		count;
	int			length;
	int			begin;
	bool		mid = node->function->name[0] == 'M';

	if (!orch_formula_text_argument(cxt, node, 0, &text) ||
		(mid && !orch_formula_integer_argument(cxt, node, 1, &first)) ||
		!orch_formula_integer_argument(cxt, node, mid ? 2 : 1, &count))
		return NULL;
	length = pg_mbstrlen(text);
	count = Max(count, 0);
	if (node->function->name[0] == 'R')
		first = Max(length - count, 0) + 1;
	first = Max(first, 1);
	if (first > length)
		return orch_formula_text_value("", 0);
	begin = pg_mbcharcliplen(text, strlen(text), first - 1);
	return orch_formula_text_value(text + begin,
					  pg_mbcharcliplen(text + begin, strlen(text + begin), count));
}

static JsonbValue *
formula_length(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;

	if (!orch_formula_text_argument(cxt, node, 0, &text))
		return orch_formula_integer_value(0);
	return orch_formula_integer_value(pg_mbstrlen(text));
}

/* A text with each occurrence of another replaced; raises OR301 if it would be too long. */
static char *
replace_all(char *string, const char *from, const char *to)
{
	if (*from != '\0')
	{
		Size		length = strlen(string);
		const char *p = string;

		while ((p = strstr(p, from)) != NULL)
		{
			length += strlen(to);
			p += strlen(from);
		}
		/* the removed texts are at most as long as the whole string */
		if (length > MAX_TEXT_LENGTH * (Size) MAX_MULTIBYTE_CHAR_LEN + strlen(string))
			orch_formula_too_long();
	}
	return TextDatumGetCString(DirectFunctionCall3Coll(replace_text, DEFAULT_COLLATION_OID,
													   CStringGetTextDatum(string),
													   CStringGetTextDatum(from),
													   CStringGetTextDatum(to)));
}

/*
 * UPPER(text, locale), LOWER(text, locale).  Without a locale the collation of the database
 * decides; in Turkish and Azerbaijani the dot of an i is kept.
 */
static JsonbValue *
formula_change_case(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;
	char	   *locale;
	bool		upper = node->function->name[0] == 'U';

	if (!orch_formula_text_argument(cxt, node, 0, &text))
		return NULL;
	if (node->nargs > 1 && orch_formula_text_argument(cxt, node, 1, &locale) &&
		GetDatabaseEncoding() == PG_UTF8 &&
		(strncmp(locale, "tr", 2) == 0 || strncmp(locale, "az", 2) == 0))
	{
		/* dotted I is U+0130, dotless i is U+0131 */
		if (upper)
			text = replace_all(text, "i", "\xc4\xb0");
		else
			text = replace_all(replace_all(text, "I", "\xc4\xb1"), "\xc4\xb0", "i");
	}
	text = upper ? str_toupper(text, strlen(text), DEFAULT_COLLATION_OID) :
		str_tolower(text, strlen(text), DEFAULT_COLLATION_OID);
	return orch_formula_text_value(text, strlen(text));
}

/* INITCAP(text): each word with its first letter in upper case, the others in lower */
static JsonbValue *
formula_initial(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;

	if (!orch_formula_text_argument(cxt, node, 0, &text))
		return NULL;
	text = str_initcap(text, strlen(text), DEFAULT_COLLATION_OID);
	return orch_formula_text_value(text, strlen(text));
}

/* LPAD(text, length, padding), RPAD */
static JsonbValue *
formula_pad(EvalContext *cxt, const FormulaNode *node)
{
	char	   *string;
	char	   *padding = " ";
	int32		wanted;
	Datum		result;

	if (!orch_formula_text_argument(cxt, node, 0, &string) || !orch_formula_integer_argument(cxt, node, 1, &wanted) ||
		(node->nargs > 2 && !orch_formula_text_argument(cxt, node, 2, &padding)))
		return NULL;
	if (wanted > MAX_TEXT_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate %s in a formula", node->function->name),
				 errdetail("The text would be longer than %d characters.", MAX_TEXT_LENGTH)));
	result = DirectFunctionCall3(node->function->name[0] == 'L' ? lpad : rpad,
								 CStringGetTextDatum(string), Int32GetDatum(wanted),
								 CStringGetTextDatum(padding));
	string = TextDatumGetCString(result);
	return orch_formula_text_value(string, strlen(string));
}

static JsonbValue *
formula_substitute(EvalContext *cxt, const FormulaNode *node)
{
	char	   *string;
	char	   *from;
	char	   *to;

	if (!orch_formula_text_argument(cxt, node, 0, &string) ||
		!orch_formula_text_argument(cxt, node, 1, &from))
		return NULL;
	if (!orch_formula_text_argument(cxt, node, 2, &to))
		to = "";
	string = replace_all(string, from, to);
	return orch_formula_text_value(string, strlen(string));
}

static JsonbValue *
formula_trim(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;
	const char *trimmed;
	int			length;

	if (!orch_formula_text_argument(cxt, node, 0, &text))
		return NULL;
	trimmed = orch_document_trim(text, &length);
	return orch_formula_text_value(trimmed, length);
}

static JsonbValue *
formula_reverse(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;
	char	   *result;
	char	   *out;
	int			length;

	if (!orch_formula_text_argument(cxt, node, 0, &text))
		return NULL;
	length = strlen(text);
	result = palloc(length + 1);
	out = result + length;
	*out = '\0';
	while (*text != '\0')
	{
		int			size = pg_mblen(text);

		out -= size;
		memcpy(out, text, size);
		text += size;
	}
	return orch_formula_text_value(result, length);
}

/* ASCII(text): the code point of the first character */
static JsonbValue *
formula_code(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text;
	char	   *utf8;

	if (!orch_formula_text_argument(cxt, node, 0, &text) || *text == '\0')
		return NULL;
	utf8 = pg_server_to_any(text, pg_mblen(text), PG_UTF8);
	return orch_formula_integer_value(utf8_to_unicode((unsigned char *) utf8));
}

/* CHR(code point): that character; null if there is none */
static JsonbValue *
formula_character(EvalContext *cxt, const FormulaNode *node)
{
	int32		code;
	char		buffer[MAX_UNICODE_EQUIVALENT_STRING + 1] = {0};

	if (!orch_formula_integer_argument(cxt, node, 0, &code) || code <= 0 ||
		!is_valid_unicode_codepoint(code) ||
		is_utf16_surrogate_first(code) || is_utf16_surrogate_second(code))
		return NULL;
	pg_unicode_to_server(code, (unsigned char *) buffer);
	return orch_formula_text_value(buffer, strlen(buffer));
}

/* Error context callback: the text is no regular expression. */
static void
describe_pattern(void *arg)
{
	if (geterrcode() == ERRCODE_INVALID_REGULAR_EXPRESSION)
	{
		errcode(ERRCODE_ORCH_CANNOT_EVALUATE);
		errdetail("The pattern is \"%.*s\".",
				  pg_mbcliplen(arg, strlen(arg), 80), (const char *) arg);
	}
}

/*
 * REGEX(text, pattern): does the pattern match the whole text?  Its language is that of
 * PostgreSQL's regular expressions.
 */
static JsonbValue *
formula_regex(EvalContext *cxt, const FormulaNode *node)
{
	char	   *text = "";
	char	   *pattern = "";
	int			options = 0;
	ErrorContextCallback callback;
	bool		matches;

	(void) orch_formula_text_argument(cxt, node, 0, &text);
	(void) orch_formula_text_argument(cxt, node, 1, &pattern);
	/* (?i) and its like must stand first */
	if (strncmp(pattern, "(?", 2) == 0 &&
		pattern[2 + strspn(pattern + 2, "imsx")] == ')' && pattern[2] != ')')
		options = strspn(pattern + 2, "imsx") + 3;
	callback.callback = describe_pattern;
	callback.arg = pattern;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	matches = DatumGetBool(DirectFunctionCall2Coll(textregexeq, DEFAULT_COLLATION_OID,
												   CStringGetTextDatum(text),
												   CStringGetTextDatum(psprintf("%.*s^(?:%s)$", options, pattern,
																				pattern + options))));
	error_context_stack = callback.previous;
	return orch_formula_boolean_value(matches);
}

static JsonbValue *
formula_to_number(EvalContext *cxt, const FormulaNode *node)
{
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	Numeric		number;

	if (orch_formula_is_blank(value) || value->type == jbvNumeric)
		return orch_formula_is_blank(value) ? NULL : value;
	if (value->type != jbvString ||
		!orch_document_number(pnstrdup(value->val.string.val, value->val.string.len), &number))
		orch_formula_wrong_argument(node, 0, value, "text that reads as a number");
	return orch_formula_number_value(NumericGetDatum(number));
}

static JsonbValue *
formula_line_break(EvalContext *cxt, const FormulaNode *node)
{
	return orch_formula_text_value("\n", 1);
}

/*
 * CASESAFEID(id): an id of 15 characters, which differ by case, with three more that tell
 * the case of each.  Other ids stay as they are.
 */
static JsonbValue *
formula_safe_id(EvalContext *cxt, const FormulaNode *node)
{
	static const char code[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
	JsonbValue *value = orch_formula_argument(cxt, node, 0);
	char		result[18];
	int			i;

	if (value == NULL || value->type != jbvString || value->val.string.len != 15)
		return value;
	memcpy(result, value->val.string.val, 15);
	for (i = 0; i < 15; i++)
		if (!isalnum((unsigned char) result[i]))
			return value;
	for (i = 0; i < 3; i++)
	{
		int			bits = 0;
		int			j;

		for (j = 0; j < 5; j++)
			if (result[i * 5 + j] >= 'A' && result[i * 5 + j] <= 'Z')
				bits |= 1 << j;
		result[15 + i] = code[bits];
	}
	return orch_formula_text_value(result, sizeof(result));
}

const FormulaFunction orch_formula_text_functions[] = {
	{"&", 2, 2, "a", VALUE_TEXT, -1, formula_join},

	{"ASCII", 1, 1, "t", VALUE_NUMBER, -1, formula_code},
	{"BEGINS", 2, 2, "t", VALUE_BOOLEAN, -1, formula_contains},
	{"BR", 0, 0, "a", VALUE_TEXT, -1, formula_line_break},
	{"CASESAFEID", 1, 1, "a", VALUE_UNKNOWN, 0, formula_safe_id},
	{"CHR", 1, 1, "n", VALUE_TEXT, -1, formula_character},
	{"CONTAINS", 2, 2, "t", VALUE_BOOLEAN, -1, formula_contains},
	{"FIND", 2, 3, "ttn", VALUE_NUMBER, -1, formula_find},
	{"INCLUDES", 2, 2, "t", VALUE_BOOLEAN, -1, formula_includes},
	{"INITCAP", 1, 1, "t", VALUE_TEXT, -1, formula_initial},
	{"LEFT", 2, 2, "tn", VALUE_TEXT, -1, formula_part},
	{"LEN", 1, 1, "t", VALUE_NUMBER, -1, formula_length},
	{"LOWER", 1, 2, "t", VALUE_TEXT, -1, formula_change_case},
	{"LPAD", 2, 3, "tnt", VALUE_TEXT, -1, formula_pad},
	{"MID", 3, 3, "tnn", VALUE_TEXT, -1, formula_part},
	{"PICKLISTCOUNT", 1, 1, "t", VALUE_NUMBER, -1, formula_count_values},
	{"REGEX", 2, 2, "t", VALUE_BOOLEAN, -1, formula_regex},
	{"REVERSE", 1, 1, "t", VALUE_TEXT, -1, formula_reverse},
	{"RIGHT", 2, 2, "tn", VALUE_TEXT, -1, formula_part},
	{"RPAD", 2, 3, "tnt", VALUE_TEXT, -1, formula_pad},
	{"SUBSTITUTE", 3, 3, "t", VALUE_TEXT, -1, formula_substitute},
	{"TRIM", 1, 1, "t", VALUE_TEXT, -1, formula_trim},
	{"UPPER", 1, 2, "t", VALUE_TEXT, -1, formula_change_case},
	{"VALUE", 1, 1, "a", VALUE_NUMBER, -1, formula_to_number},
	{NULL}
};
