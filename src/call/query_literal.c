/*-------------------------------------------------------------------------
 *
 * query_literal.c
 *	  The literals of SOQL: their form, their escapes and their ranges.
 *
 * Whether a literal fits a field is decided later (query_resolve.c), by the type of the field.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_literal.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "base/compat.h"
#include "call/query_literal.h"
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/datetime.h"

/* of the platform, in characters */
#define MAX_STRING		4000

/* a double has no more digits, and no larger exponent */
#define MAX_NUMBER		400
#define MAX_EXPONENT	308

#define MIN_YEAR		1700
#define MAX_YEAR		4000

typedef struct DateLiteral
{
	const char *name;
	bool		has_number;
} DateLiteral;

static const DateLiteral date_literals[] = {
	{"YESTERDAY"}, {"TODAY"}, {"TOMORROW"},
	{"LAST_WEEK"}, {"THIS_WEEK"}, {"NEXT_WEEK"},
	{"LAST_MONTH"}, {"THIS_MONTH"}, {"NEXT_MONTH"},
	{"LAST_90_DAYS"}, {"NEXT_90_DAYS"},
	{"LAST_QUARTER"}, {"THIS_QUARTER"}, {"NEXT_QUARTER"},
	{"LAST_YEAR"}, {"THIS_YEAR"}, {"NEXT_YEAR"},
	{"LAST_FISCAL_QUARTER"}, {"THIS_FISCAL_QUARTER"}, {"NEXT_FISCAL_QUARTER"},
	{"LAST_FISCAL_YEAR"}, {"THIS_FISCAL_YEAR"}, {"NEXT_FISCAL_YEAR"},
	{"LAST_N_DAYS", true}, {"NEXT_N_DAYS", true}, {"N_DAYS_AGO", true},
	{"LAST_N_WEEKS", true}, {"NEXT_N_WEEKS", true}, {"N_WEEKS_AGO", true},
	{"LAST_N_MONTHS", true}, {"NEXT_N_MONTHS", true}, {"N_MONTHS_AGO", true},
	{"LAST_N_QUARTERS", true}, {"NEXT_N_QUARTERS", true}, {"N_QUARTERS_AGO", true},
	{"LAST_N_YEARS", true}, {"NEXT_N_YEARS", true}, {"N_YEARS_AGO", true},
	{"LAST_N_FISCAL_QUARTERS", true}, {"NEXT_N_FISCAL_QUARTERS", true}, {"N_FISCAL_QUARTERS_AGO", true},
	{"LAST_N_FISCAL_YEARS", true}, {"NEXT_N_FISCAL_YEARS", true}, {"N_FISCAL_YEARS_AGO", true},
};

static SoqlLiteral *new_literal(SoqlLiteralKind kind, int location);
static int	hex_escape(const char *at, const char *end);
static void append_unicode(SoqlParse *parse, StringInfo buf, pg_wchar c, int location);
static const char *read_unicode(SoqlParse *parse, const char *at, const char *end, StringInfo text,
								StringInfo like, int location);
static const char *read_escape(SoqlParse *parse, const char *at, const char *end, StringInfo text,
							   StringInfo like, SoqlLiteral *literal, int location);
static void refuse_long_string(SoqlParse *parse, int location) pg_attribute_noreturn();
static int	two_digits(const char **at, int min, int max);
static bool read_time(const char *at, StringInfo buf);
static bool is_currency(const char *word);
static int64 date_number(SoqlParse *parse, const char *name, SoqlLiteral *number);

static SoqlLiteral *
new_literal(SoqlLiteralKind kind, int location)
{
	SoqlLiteral *literal = palloc0(sizeof(SoqlLiteral));

	literal->location = location;
	literal->kind = kind;
	literal->n = -1;
	return literal;
}

/*
 * Strings
 */

/* the number of uXXXX at a place, or -1 */
static int
hex_escape(const char *at, const char *end)
{
	int			code = 0;

	if (end - at < 5 || (*at != 'u' && *at != 'U'))
		return -1;
	for (int i = 1; i <= 4; i++)
	{
		unsigned char c = at[i];

		if (!isxdigit(c) || c > 127)
			return -1;
		code = code * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

/* Appends a character in the encoding of the server, which may not have it */
static void
append_unicode(SoqlParse *parse, StringInfo buf, pg_wchar c, int location)
{
	unsigned char utf8[MAX_UNICODE_EQUIVALENT_STRING + 1] = {0};
	unsigned char converted[MAX_UNICODE_EQUIVALENT_STRING + 1] = {0};
	int			encoding = GetDatabaseEncoding();
	int			length;
	Oid			conversion;

	unicode_to_utf8(c, utf8);
	length = pg_utf_mblen(utf8);
	if (c < 0x80 || encoding == PG_UTF8)
	{
		appendBinaryStringInfo(buf, (char *) utf8, length);
		return;
	}

	conversion = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(conversion) ||
		pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding, utf8, length,
									  converted, sizeof(converted), true) != length)
		orch_query_refuse(parse, location, NULL, "the encoding %s has no character \\u%04X",
						  GetDatabaseEncodingName(), (unsigned int) c);
	appendStringInfoString(buf, (char *) converted);
}

/* reads uXXXX, or two of them that are one character; returns the place after it */
static const char *
read_unicode(SoqlParse *parse, const char *at, const char *end, StringInfo text,
			 StringInfo like, int location)
{
	int			code = hex_escape(at, end);
	int			start = text->len;
	pg_wchar	c = code;

	if (code < 0)
		orch_query_refuse(parse, location, NULL, "invalid escape: \\u takes four hexadecimal digits");
	if (code == 0)
		orch_query_refuse(parse, location, NULL, "invalid escape: \\u0000 is no character");
	at += 5;
	if (is_utf16_surrogate_first(c))
	{
		int			second = at < end && *at == '\\' ? hex_escape(at + 1, end) : -1;

		if (second < 0 || !is_utf16_surrogate_second(second))
			orch_query_refuse(parse, location, NULL,
							  "invalid escape: \\u%04X needs the second half of a surrogate pair", (unsigned int) code);
		c = surrogate_pair_to_codepoint(c, second);
		at += 6;
	}
	else if (is_utf16_surrogate_second(c))
		orch_query_refuse(parse, location, NULL,
						  "invalid escape: \\u%04X needs the first half of a surrogate pair", (unsigned int) code);

	append_unicode(parse, text, c, location);
	/* a wildcard for LIKE, as if it were written plainly; a backslash is itself */
	if (c == '\\')
		appendStringInfoChar(like, '\\');
	appendBinaryStringInfo(like, text->data + start, text->len - start);
	return at;
}

/* reads what follows a backslash; returns the place after it */
static const char *
read_escape(SoqlParse *parse, const char *at, const char *end, StringInfo text,
			StringInfo like, SoqlLiteral *literal, int location)
{
	char		c;

	switch (*at)
	{
		case 'n':
		case 'N':
			c = '\n';
			break;
		case 'r':
		case 'R':
			c = '\r';
			break;
		case 't':
		case 'T':
			c = '\t';
			break;
		case 'b':
		case 'B':
			c = '\b';
			break;
		case 'f':
		case 'F':
			c = '\f';
			break;
		case '"':
		case '\'':
			c = *at;
			break;
		case '\\':
			c = '\\';
			appendStringInfoChar(like, '\\');
			break;
		case '%':
		case '_':
			c = *at;
			if (!literal->escaped_wildcard)
				literal->escape_location = location;
			literal->escaped_wildcard = true;
			appendStringInfoChar(like, '\\');
			break;
		case 'u':
		case 'U':
			return read_unicode(parse, at, end, text, like, location);
		default:
			orch_query_refuse(parse, location,
							  "The escapes are \\n \\r \\t \\b \\f \\\" \\' \\\\ \\uXXXX, and for LIKE \\_ and \\%.",
							  "invalid escape: \\%s", orch_query_quoted(at, pg_mblen(at)));
	}
	appendStringInfoChar(text, c);
	appendStringInfoChar(like, c);
	return at + 1;
}

static void
refuse_long_string(SoqlParse *parse, int location)
{
	orch_query_refuse(parse, location, NULL, "the string has more than %d characters", MAX_STRING);
}

/* token: with its quotes */
SoqlLiteral *
orch_query_string(SoqlParse *parse, const char *token, int length, int location)
{
	SoqlLiteral *literal = new_literal(SOQL_STRING, location);
	const char *at = token + 1;
	const char *end = token + length - 1;
	StringInfoData text;
	StringInfoData like;

	/* a list may have thousands, most of them without an escape */
	if (memchr(at, '\\', end - at) == NULL)
	{
		if (end - at > MAX_STRING && pg_mbstrlen_with_len(at, end - at) > MAX_STRING)
			refuse_long_string(parse, location);
		literal->text = literal->like_text = pnstrdup(at, end - at);
		return literal;
	}

	initStringInfo(&text);
	initStringInfo(&like);
	while (at < end)
	{
		const char *backslash = memchr(at, '\\', end - at);
		int			plain = (backslash ? backslash : end) - at;

		CHECK_FOR_INTERRUPTS();
		appendBinaryStringInfo(&text, at, plain);
		appendBinaryStringInfo(&like, at, plain);
		at += plain;
		if (backslash)
			at = read_escape(parse, at + 1, end, &text, &like, literal, location + (at - token));
	}

	if (text.len > MAX_STRING && pg_mbstrlen_with_len(text.data, text.len) > MAX_STRING)
		refuse_long_string(parse, location);
	literal->text = text.data;
	literal->like_text = like.data;
	return literal;
}

/*
 * Numbers
 */
SoqlLiteral *
orch_query_number(SoqlParse *parse, const char *token, int length, int location)
{
	SoqlLiteral *literal = new_literal(SOQL_NUMBER, location);
	const char *exponent;

	literal->text = pnstrdup(token, length);
	exponent = strpbrk(literal->text, "eE");
	if (length > MAX_NUMBER ||
		(exponent && (strlen(exponent) > 6 || abs(atoi(exponent + 1)) > MAX_EXPONENT)))
		orch_query_refuse(parse, location, NULL, "the number is out of range: %s",
						  orch_query_quoted(token, length));
	return literal;
}

/*
 * Dates
 */

/* reads two digits within a range; -1: they are not there */
static int
two_digits(const char **at, int min, int max)
{
	const char *digits = *at;
	int			value;

	if (digits[0] < '0' || digits[0] > '9' || digits[1] < '0' || digits[1] > '9')
		return -1;
	value = (digits[0] - '0') * 10 + (digits[1] - '0');
	*at += 2;
	return value < min || value > max ? -1 : value;
}

/*
 * Reads hh:mm:ss, a fraction if any, and Z, +hh:mm or +hhmm, up to the end.  Appends it in one
 * form; digits after the microseconds are dropped.
 */
static bool
read_time(const char *at, StringInfo buf)
{
	int			hour;
	int			minute;
	int			second;
	char		sign;

	if ((hour = two_digits(&at, 0, 23)) < 0 || *at++ != ':' ||
		(minute = two_digits(&at, 0, 59)) < 0 || *at++ != ':' ||
		(second = two_digits(&at, 0, 59)) < 0)
		return false;
	appendStringInfo(buf, "T%02d:%02d:%02d", hour, minute, second);
	if (*at == '.')
	{
		int			digits = strspn(at + 1, "0123456789");

		if (digits == 0)
			return false;
		appendBinaryStringInfo(buf, at, Min(digits, 6) + 1);
		at += 1 + digits;
	}

	sign = *at++;
	if (sign == 'Z' || sign == 'z')
	{
		appendStringInfoChar(buf, 'Z');
		return *at == '\0';
	}
	if ((sign != '+' && sign != '-') || (hour = two_digits(&at, 0, 14)) < 0)
		return false;
	if (*at == ':')
		at++;
	if ((minute = two_digits(&at, 0, 59)) < 0)
		return false;
	appendStringInfo(buf, "%c%02d:%02d", sign, hour, minute);
	return *at == '\0';
}

/* token: begins with four digits and a hyphen */
SoqlLiteral *
orch_query_date(SoqlParse *parse, const char *token, int length, int location)
{
	SoqlLiteral *literal = new_literal(SOQL_DATE, location);
	char	   *text = pnstrdup(token, length);
	const char *at = text + 5;
	int			year = atoi(text);
	int			month;
	int			day;
	StringInfoData buf;

	initStringInfo(&buf);
	if ((month = two_digits(&at, 0, 99)) < 0 || *at++ != '-' || (day = two_digits(&at, 0, 99)) < 0)
		orch_query_refuse(parse, location, "The form of a date is YYYY-MM-DD.", "invalid date: %s",
						  orch_query_quoted(token, length));
	appendStringInfo(&buf, "%04d-%02d-%02d", year, month, day);
	if (*at != '\0')
	{
		literal->kind = SOQL_DATETIME;
		if ((*at != 'T' && *at != 't') || !read_time(at + 1, &buf))
			orch_query_refuse(parse, location,
							  "The form of a dateTime is YYYY-MM-DDThh:mm:ssZ or YYYY-MM-DDThh:mm:ss+hh:mm.",
							  "invalid dateTime: %s", orch_query_quoted(token, length));
	}
	if (month < 1 || month > MONTHS_PER_YEAR || day < 1 || day > day_tab[isleap(year)][month - 1])
		orch_query_refuse(parse, location, NULL, "invalid date: %s is not in the calendar",
						  orch_query_quoted(token, length));
	if (year < MIN_YEAR || year > MAX_YEAR)
		orch_query_refuse(parse, location, NULL, "invalid date: %s is not between %d-01-01 and %d-12-31",
						  orch_query_quoted(token, length), MIN_YEAR, MAX_YEAR);
	literal->text = buf.data;
	return literal;
}

/*
 * Words
 */

/* USD5000 */
static bool
is_currency(const char *word)
{
	for (int i = 0; i < 3; i++)
		if (!isalpha((unsigned char) word[i]) || IS_HIGHBIT_SET(word[i]))
			return false;
	return word[3] != '\0' && strspn(word + 3, "0123456789") == strlen(word + 3);
}

/* the n of LAST_N_DAYS:n */
static int64
date_number(SoqlParse *parse, const char *name, SoqlLiteral *number)
{
	const char *at = number->text;
	int64		n = 0;

	if (strspn(at, "0123456789") != strlen(at))
		orch_query_refuse(parse, number->location, NULL, "%s takes a whole number without a sign", name);
	for (; *at; at++)
	{
		n = n * 10 + (*at - '0');
		if (n > PG_INT32_MAX)
			orch_query_refuse(parse, number->location, NULL, "%s takes at most %d", name, PG_INT32_MAX);
	}
	return n;
}

SoqlLiteral *
orch_query_word(SoqlParse *parse, List *names, int location, SoqlLiteral *number)
{
	const char *word = linitial(names);
	SoqlLiteral *literal;

	if (list_length(names) == 1)
	{
		for (size_t i = 0; i < lengthof(date_literals); i++)
		{
			const DateLiteral *known = &date_literals[i];

			if (pg_strcasecmp(word, known->name) != 0)
				continue;
			if (number && !known->has_number)
				orch_query_refuse(parse, number->location, NULL, "%s takes no number", known->name);
			if (!number && known->has_number)
				orch_query_refuse(parse, location, psprintf("Write %s:30.", known->name),
								  "%s takes a number", known->name);
			literal = new_literal(SOQL_DATE_LITERAL, location);
			literal->text = pstrdup(known->name);
			if (number)
				literal->n = date_number(parse, known->name, number);
			return literal;
		}
		if (number)
			orch_query_refuse(parse, location, NULL, "unknown date literal: %s",
							  orch_query_quoted(word, strlen(word)));
		if (pg_strcasecmp(word, "NULL") == 0)
			return new_literal(SOQL_NULL, location);
		if (pg_strcasecmp(word, "TRUE") == 0 || pg_strcasecmp(word, "FALSE") == 0)
		{
			literal = new_literal(SOQL_BOOLEAN, location);
			literal->boolean = pg_strcasecmp(word, "TRUE") == 0;
			return literal;
		}
		if (is_currency(word))
			orch_query_refuse(parse, location, "Write the number without the currency.",
							  "currency literals are not supported: %s", orch_query_quoted(word, strlen(word)));
	}
	orch_query_refuse(parse, location, "Texts stand in single quotes.",
					  "unexpected token: '%s': a field can be compared only with a literal, not with a field",
					  orch_query_quoted(word, strlen(word)));
}
