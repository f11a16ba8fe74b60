/*-------------------------------------------------------------------------
 *
 * sobject_json.c
 *	  Records as json text, in the form of the platform.
 *
 * The calls that return records write json and not jsonb, which forgets the order of the
 * keys.  A page of 2,000 records is written on every query, so values are appended to one
 * buffer, without the detour of the types' output functions.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/sobject_json.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

#include "base/uuid.h"
#include "record/sobject_json.h"

static char *put_digits(char *buf, int value, int ndigits);
static int	put_time(char *buf, TimestampTz time);

static char *
put_digits(char *buf, int value, int ndigits)
{
	int			i;

	for (i = ndigits - 1; i >= 0; i--)
	{
		buf[i] = '0' + value % 10;
		value /= 10;
	}
	return buf + ndigits;
}

/*
 * Write a time, returns its length.  The platform's times have milliseconds and are in UTC.
 * They are truncated, never rounded up: a client that polls from a time rounded up would
 * miss a change.
 */
static int
put_time(char *buf, TimestampTz time)
{
	char	   *p = buf;
	Timestamp	of_day;
	int			date;
	int			year;
	int			month;
	int			day;

	if (TIMESTAMP_NOT_FINITE(time))
		return sprintf(buf, TIMESTAMP_IS_NOEND(time) ? "infinity" : "-infinity");
	date = (int) (time / USECS_PER_DAY);
	of_day = time % USECS_PER_DAY;
	if (of_day < 0)
	{
		of_day += USECS_PER_DAY;
		date--;
	}
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	if (year <= 0)
	{
		*p++ = '-';
		year = 1 - year;
	}
	p = put_digits(p, year, year > 99999 ? 6 : year > 9999 ? 5 : 4);
	*p++ = '-';
	p = put_digits(p, month, 2);
	*p++ = '-';
	p = put_digits(p, day, 2);
	*p++ = 'T';
	p = put_digits(p, (int) (of_day / USECS_PER_HOUR), 2);
	*p++ = ':';
	p = put_digits(p, (int) (of_day / USECS_PER_MINUTE % MINS_PER_HOUR), 2);
	*p++ = ':';
	p = put_digits(p, (int) (of_day / USECS_PER_SEC % SECS_PER_MINUTE), 2);
	*p++ = '.';
	p = put_digits(p, (int) (of_day / 1000 % 1000), 3);
	strcpy(p, "+0000");
	return (int) (p - buf) + 5;
}

char *
orch_sobject_time(TimestampTz time)
{
	char	   *text = palloc(MAXDATELEN + 1);

	(void) put_time(text, time);
	return text;
}

char *
orch_sobject_value_text(Oid type, Datum value)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

void
orch_sobject_append_value(StringInfo out, Oid type, Datum value)
{
	char		buf[MAXDATELEN + 1];

	switch (type)
	{
		case BOOLOID:
			appendStringInfoString(out, DatumGetBool(value) ? "true" : "false");
			break;
		case INT4OID:
			appendStringInfo(out, "%d", DatumGetInt32(value));
			break;
		case INT8OID:
			appendStringInfo(out, INT64_FORMAT, DatumGetInt64(value));
			break;
		case FLOAT8OID:
			appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(float8out,
																			value)));
			break;
		case DATEOID:
			JsonEncodeDateTime(buf, value, DATEOID, NULL);
			appendStringInfo(out, "\"%s\"", buf);
			break;
		case NUMERICOID:
			appendStringInfoString(out, DatumGetCString(DirectFunctionCall1(numeric_out,
																			value)));
			break;
		case UUIDOID:
			appendStringInfoChar(out, '"');
			appendStringInfoString(out, orch_uuid_text(DatumGetUUIDP(value)));
			appendStringInfoChar(out, '"');
			break;
		case TEXTOID:
			{
				text	   *string = DatumGetTextPP(value);

				escape_json(out, text_to_cstring(string));
			}
			break;
		case TIMESTAMPTZOID:
			appendStringInfoChar(out, '"');
			appendBinaryStringInfo(out, buf, put_time(buf, DatumGetTimestampTz(value)));
			appendStringInfoChar(out, '"');
			break;
		default:
			escape_json(out, orch_sobject_value_text(type, value));
			break;
	}
}

void
orch_sobject_append_attributes(StringInfo out, const SObject *object, const pg_uuid_t *id,
							   int version)
{
	appendStringInfo(out, "{\"type\":\"%s\"", object->name);
	if (id != NULL)
		appendStringInfo(out, ",\"url\":\"" ORCH_API_URL "/sobjects/%s/%s\"",
						 version / 10, version % 10, object->name, orch_uuid_text(id));
	appendStringInfoChar(out, '}');
}
