/*-------------------------------------------------------------------------
 *
 * query_tree.c
 *	  Errors at a place of a query.
 *
 * The scanner, the grammar and the passes over the tree report every fault here, in the form
 * of the platform: an excerpt of the line, a caret under the place, row and column, and the
 * message.  The text may have 100,000 characters, so all that a message repeats of it is cut.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_tree.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/compat.h"
#include "call/query_tree.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

/* characters of the excerpt on each side of the place */
#define EXCERPT_SIDE	30

/* characters of a token in a message */
#define MAX_QUOTED		64

/* bytes of a message: a name in it may have 100,000 */
#define MAX_MESSAGE		1500

static void append_printable(StringInfo buf, const char *text, int length);
static void append_place(StringInfo buf, const char *text, int location);
static void raise_error(int sqlstate, const char *hint, const char *message) pg_attribute_noreturn();

/* control characters would break the excerpt into lines */
static void
append_printable(StringInfo buf, const char *text, int length)
{
	for (int i = 0; i < length; i++)
		appendStringInfoChar(buf, (unsigned char) text[i] < ' ' || text[i] == '\x7f' ? ' ' : text[i]);
}

/*
 * Appends excerpt, caret, row and column.  Rows end with \n, \r\n or \r.  One pass over the
 * characters finds the row; offsets of the last EXCERPT_SIDE characters are kept on the way,
 * because no encoding can be read backwards.
 */
static void
append_place(StringInfo buf, const char *text, int location)
{
	int			starts[EXCERPT_SIDE];
	int			row = 1;
	int			column = 1;
	int			at = 0;
	int			end;
	int			begin;
	int			before;

	while (text[at] != '\0' && at < location)
	{
		starts[(column - 1) % EXCERPT_SIDE] = at;
		column++;
		if (text[at] == '\n' || (text[at] == '\r' && text[at + 1] != '\n'))
		{
			row++;
			column = 1;
		}
		at += pg_mblen(text + at);
	}

	before = Min(column - 1, EXCERPT_SIDE);
	begin = before == 0 ? at : starts[(column - 1 - before) % EXCERPT_SIDE];
	end = at;
	for (int after = 0; after < EXCERPT_SIDE; after++)
	{
		if (text[end] == '\0' || text[end] == '\n' || text[end] == '\r')
			break;
		end += pg_mblen(text + end);
	}

	appendStringInfoChar(buf, '\n');
	append_printable(buf, text + begin, end - begin);
	appendStringInfoChar(buf, '\n');
	appendStringInfoSpaces(buf, before);
	appendStringInfo(buf, "^\nERROR at Row:%d:Column:%d\n", row, column);
}

char *
orch_query_quoted(const char *text, int length)
{
	StringInfoData buf;
	int			shown = pg_mbcharcliplen(text, length, MAX_QUOTED);

	initStringInfo(&buf);
	append_printable(&buf, text, shown);
	if (shown < length)
		appendStringInfoString(&buf, "...");
	return buf.data;
}

static void
raise_error(int sqlstate, const char *hint, const char *message)
{
	int			length = strlen(message);

	if (length > MAX_MESSAGE)
		message = psprintf("%.*s...", pg_mbcliplen(message, length, MAX_MESSAGE), message);
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg_internal("%s", message),
			 hint ? errhint("%s", hint) : 0));
}

/* code, place and the formatted message; va_start() in the caller */
#define FORMAT_MESSAGE(buf) \
	do { \
		initStringInfo(&(buf)); \
		appendStringInfo(&(buf), "%s: ", code); \
		if (location >= 0) \
			append_place(&(buf), text, location); \
		for (;;) \
		{ \
			va_list		args; \
			int			needed; \
\
			va_start(args, format); \
			needed = appendStringInfoVA(&(buf), format, args); \
			va_end(args); \
			if (needed == 0) \
				break; \
			enlargeStringInfo(&(buf), needed); \
		} \
	} while (0)

void
orch_query_error(const char *text, int location, int sqlstate, const char *code,
				 const char *format,...)
{
	StringInfoData buf;

	FORMAT_MESSAGE(buf);
	raise_error(sqlstate, NULL, buf.data);
}

void
orch_query_error_hint(const char *text, int location, int sqlstate, const char *code,
					  const char *hint, const char *format,...)
{
	StringInfoData buf;

	FORMAT_MESSAGE(buf);
	raise_error(sqlstate, hint, buf.data);
}
