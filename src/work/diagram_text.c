/*-------------------------------------------------------------------------
 *
 * diagram_text.c
 *	  What diagrams are drawn with: the colours of statuses, and text in an SVG (how wide it
 *	  is, where it is cut, how it is escaped).
 *
 * The server has no fonts.  Widths are estimates from those of Helvetica; diagram_svg.c clips
 * each text to its place in case another font is wider.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/diagram_text.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "work/diagram.h"

/* The colours of statuses, light and dark. */
const ShadeColors orch_diagram_shades[] = {
	[SHADE_PLAIN] = {"plain", "#f4f4f4", "#888888", "#2a2d31", "#8b949e"},
	[SHADE_UNDER_WAY] = {"inprogress", "#d6e8ff", "#1f6fd0", "#12304f", "#6cb0ff"},
	[SHADE_COMPLETED] = {"completed", "#d8f3dc", "#2d8a4e", "#13351f", "#5cc282"},
	[SHADE_SUSPENDED] = {"suspended", "#fff3c4", "#8a6508", "#3d3210", "#e0b94a"},
	[SHADE_ERROR] = {"error", "#ffd9d6", "#c0392b", "#4a1b18", "#ff8a80"},
	[SHADE_DISCONTINUED] = {"discontinued", "#e6e6e6", "#666666", "#33363a", "#a5acb4"}
};

/* Widths of ASCII from blank on, in hundredths of the size of the font. */
static const uint8 ascii_widths[] = {
	28, 28, 36, 56, 56, 89, 67, 22, 34, 34, 39, 59, 28, 34, 28, 28,
	56, 56, 56, 56, 56, 56, 56, 56, 56, 56, 28, 28, 59, 59, 59, 56,
	102, 67, 67, 73, 73, 67, 61, 78, 73, 28, 50, 67, 56, 84, 73, 78,
	67, 78, 73, 67, 61, 73, 67, 95, 67, 67, 61, 28, 28, 28, 47, 56,
	34, 56, 56, 50, 56, 56, 28, 56, 56, 22, 22, 50, 22, 84, 56, 56,
	56, 56, 34, 50, 28, 56, 50, 73, 50, 50, 50, 34, 26, 34, 59, 56
};

#define OTHER_WIDTH	62			/* of a character that fills one column of a terminal */
#define WIDE_WIDTH	115			/* of one that fills two, as ideographs and emoji */
#define ELLIPSIS_WIDTH 100

/* The width of the character at p; nothing for marks that stand on the one before. */
static int
character_width(const char *p)
{
	int			columns;

	if ((unsigned char) *p < ' ')
		return ascii_widths[0];	/* shown as a blank */
	if (!IS_HIGHBIT_SET(*p))
		return *p == 0x7f ? ascii_widths[0] : ascii_widths[*p - ' '];
	columns = pg_dsplen(p);
	return columns <= 0 ? 0 : columns == 1 ? OTHER_WIDTH : WIDE_WIDTH;
}

/* In UTF-8: the joiner that makes one emoji of two. */
static bool
is_joiner(const char *p)
{
	return GetDatabaseEncoding() == PG_UTF8 && strncmp(p, "\xE2\x80\x8D", 3) == 0;
}

int
orch_diagram_text_width(const char *text, int font)
{
	int			sum = 0;
	const char *p;

	for (p = text; *p != '\0'; p += pg_mblen(p))
	{
		CHECK_FOR_INTERRUPTS();
		sum += character_width(p);
	}
	return (sum * font + 99) / 100;
}

/*
 * As much of the text as fits, escaped; with an ellipsis if that is not all.  A character is
 * not parted from its marks.
 */
char *
orch_diagram_fit(const char *text, int font, int width)
{
	int			most = width * 100 / font;
	int			sum = 0;
	int			fits = 0;		/* bytes that fit with an ellipsis */
	bool		joined = false;
	const char *p;

	for (p = text; *p != '\0'; p += pg_mblen(p))
	{
		int			this = character_width(p);

		CHECK_FOR_INTERRUPTS();
		if (this > 0 && !joined && sum + ELLIPSIS_WIDTH <= most)
			fits = p - text;
		joined = is_joiner(p);
		sum += this;
		if (sum > most)
			return psprintf("%s&#8230;", orch_diagram_xml(pnstrdup(text, fits)));
	}
	return orch_diagram_xml(text);
}

/*
 * The text as content of an element or of an attribute.  Characters that XML cannot have,
 * even as a reference, become blanks or question marks.
 */
char *
orch_diagram_xml(const char *text)
{
	StringInfoData result;
	const char *p;

	initStringInfo(&result);
	for (p = text; *p != '\0'; p++)
	{
		CHECK_FOR_INTERRUPTS();
		if (*p == '&')
			appendStringInfoString(&result, "&amp;");
		else if (*p == '<')
			appendStringInfoString(&result, "&lt;");
		else if (*p == '>')
			appendStringInfoString(&result, "&gt;");
		else if (*p == '"')
			appendStringInfoString(&result, "&quot;");
		else if ((unsigned char) *p < ' ' || *p == 0x7f)
			appendStringInfoChar(&result, ' ');
		else if (GetDatabaseEncoding() == PG_UTF8 &&
				 (strncmp(p, "\xEF\xBF\xBE", 3) == 0 || strncmp(p, "\xEF\xBF\xBF", 3) == 0))
		{
			appendStringInfoChar(&result, '?');
			p += 2;
		}
		else
			appendStringInfoChar(&result, *p);
	}
	return result.data;
}
