/*-------------------------------------------------------------------------
 *
 * formula_encode.c
 *	  Functions of formulas: texts written for other languages.
 *
 * Each writes a text so that the other language reads it as data: HTML, JavaScript, the query
 * of an address.  Null is the empty text.
 *
 * Source: github.com/salesforce/formula-engine, FormulaTextUtil.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_encode.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "evaluate/formula_argument.h"
#include "evaluate/formula_encode.h"

/* What is written for the text at p; longer texts before their beginnings. */
typedef struct Escape
{
	const char *text;
	const char *written;
} Escape;

static const Escape html[] = {
	{"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}, {"\"", "&quot;"}, {"'", "&#39;"},
	/* U+2028, U+2029, U+00A9 */
	{"\xe2\x80\xa8", "<br>"}, {"\xe2\x80\xa9", "<p>"}, {"\xc2\xa9", "&copy;"},
	{NULL}
};

static const Escape javascript[] = {
	{"\\", "\\\\"}, {"'", "\\'"}, {"\n", "\\n"}, {"\r", "\\r"}, {"\"", "\\\""},
	{"!--", "\\!--"}, {"<", "\\u003C"}, {">", "\\u003E"},
	{"/*", "\\/\\*"}, {"*/", "\\*\\/"}, {"*", "\\*"}, {"&#39;", "\\&#39;"},
	{"\xe2\x80\xa8", "\\n"}, {"\xe2\x80\xa9", "\\u2029"},
	{NULL}
};

static char *
escape(const char *text, const Escape *escapes)
{
	StringInfoData result;
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	const char *p = text;

	initStringInfo(&result);
	while (*p != '\0')
	{
		const Escape *e;
		int			size = pg_mblen(p);

		for (e = escapes; e->text != NULL; e++)
			if ((utf8 || !IS_HIGHBIT_SET(*e->text)) &&
				strncmp(p, e->text, strlen(e->text)) == 0)
				break;
		if (e->text != NULL)
		{
			appendStringInfoString(&result, e->written);
			p += strlen(e->text);
			continue;
		}
		appendBinaryStringInfo(&result, p, size);
		p += size;
	}
	return result.data;
}

/* HTMLENCODE, JSENCODE, JSINHTMLENCODE */
static JsonbValue *
formula_escape(EvalContext *cxt, const FormulaNode *node)
{
	const char *name = node->function->name;
	char	   *text = "";

	(void) orch_formula_text_argument(cxt, node, 0, &text);
	if (strcmp(name, "JSENCODE") != 0)
		text = escape(text, html);
	if (strcmp(name, "HTMLENCODE") != 0)
		text = escape(text, javascript);
	return orch_formula_text_value(text, strlen(text));
}

/* URLENCODE: letters, digits and -._~ stay, other bytes of UTF-8 become %XX (RFC 3986) */
static JsonbValue *
formula_escape_url(EvalContext *cxt, const FormulaNode *node)
{
	StringInfoData result;
	char	   *text = "";
	const char *p;

	(void) orch_formula_text_argument(cxt, node, 0, &text);
	initStringInfo(&result);
	for (p = pg_server_to_any(text, strlen(text), PG_UTF8); *p != '\0'; p++)
	{
		unsigned char c = *p;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("-._~", c) != NULL)
			appendStringInfoChar(&result, c);
		else
			appendStringInfo(&result, "%%%02X", c);
	}
	return orch_formula_text_value(result.data, result.len);
}

const FormulaFunction orch_formula_encode_functions[] = {
	{"HTMLENCODE", 1, 1, "t", VALUE_TEXT, -1, formula_escape},
	{"JSENCODE", 1, 1, "t", VALUE_TEXT, -1, formula_escape},
	{"JSINHTMLENCODE", 1, 1, "t", VALUE_TEXT, -1, formula_escape},
	{"URLENCODE", 1, 1, "t", VALUE_TEXT, -1, formula_escape_url},
	{NULL}
};
