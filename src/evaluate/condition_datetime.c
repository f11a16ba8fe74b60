/*-------------------------------------------------------------------------
 *
 * condition_datetime.c
 *	  Reads dates, and dates with times, as values have them.
 *
 * The server's own input functions do not serve: what they accept depends on the
 * session's DateStyle and time zone, and they take special values like "now".  A
 * definition must mean the same in every session.
 *
 *		2026-11-27
 *		2026-11-27T09:30			T, t or a space
 *		2026-11-27T09:30:15.25		fractions of a second below a microsecond are cut
 *		2026-11-27T09:30:15Z		Z, z, +hh, +hhmm, +hh:mm, or with a minus sign
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/condition_datetime.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "evaluate/condition_datetime.h"

#define MAX_DATETIME_LENGTH	63

/* The largest offset of a time zone, in hours. */
#define MAX_ZONE_HOURS		15

static bool copy_text(const char *text, int length, char *buffer);
static bool accept_char(const char **p, char c);
static bool read_number(const char **p, int ndigits, int *number);
static bool read_date(const char **p, struct pg_tm *tm);
static bool read_time(const char **p, struct pg_tm *tm, fsec_t *fsec);
static bool read_zone(const char **p, int *zone);

bool
orch_condition_datetime(const char *text, int length, Timestamp *result)
{
	char		buffer[MAX_DATETIME_LENGTH + 1];
	const char *p = buffer;
	struct pg_tm tm = {0};
	fsec_t		fsec = 0;
	int			zone = 0;

	while (length > 0 && isspace((unsigned char) *text))
	{
		text++;
		length--;
	}
	while (length > 0 && isspace((unsigned char) text[length - 1]))
		length--;
	if (!copy_text(text, length, buffer) || !read_date(&p, &tm))
		return false;
	if ((accept_char(&p, 'T') || accept_char(&p, 't') || accept_char(&p, ' ')) &&
		!(read_time(&p, &tm, &fsec) && read_zone(&p, &zone)))
		return false;
	return *p == '\0' && tm2timestamp(&tm, fsec, &zone, result) == 0;
}

bool
orch_condition_time_of_day(const char *text, int length, int64 *result)
{
	char		buffer[MAX_DATETIME_LENGTH + 1];
	const char *p = buffer;
	struct pg_tm tm = {0};
	fsec_t		fsec = 0;
	int			zone = 0;

	if (!copy_text(text, length, buffer) || !read_time(&p, &tm, &fsec) ||
		!read_zone(&p, &zone) || *p != '\0')
		return false;
	*result = (((int64) tm.tm_hour * MINS_PER_HOUR + tm.tm_min) * SECS_PER_MINUTE +
			   tm.tm_sec + zone) * USECS_PER_SEC + fsec;
	*result = orch_condition_remainder(*result, USECS_PER_DAY);
	return true;
}

/* Copies a text into a buffer of MAX_DATETIME_LENGTH + 1 bytes, if it can be a date or time. */
static bool
copy_text(const char *text, int length, char *buffer)
{
	if (length > MAX_DATETIME_LENGTH || memchr(text, '\0', length) != NULL)
		return false;
	memcpy(buffer, text, length);
	buffer[length] = '\0';
	return true;
}

/* Moves *p behind a character if it comes next. */
static bool
accept_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* A number of exactly so many digits, without a sign. */
static bool
read_number(const char **p, int ndigits, int *number)
{
	*number = 0;
	for (; ndigits > 0; ndigits--)
	{
		if (!isdigit((unsigned char) **p))
			return false;
		*number = *number * 10 + (**p - '0');
		(*p)++;
	}
	return true;
}

/* yyyy-mm-dd, a day that the calendar has */
static bool
read_date(const char **p, struct pg_tm *tm)
{
	return read_number(p, 4, &tm->tm_year) && accept_char(p, '-') &&
		read_number(p, 2, &tm->tm_mon) && accept_char(p, '-') &&
		read_number(p, 2, &tm->tm_mday) &&
		tm->tm_year >= 1 && tm->tm_mon >= 1 && tm->tm_mon <= MONTHS_PER_YEAR &&
		tm->tm_mday >= 1 &&
		tm->tm_mday <= day_tab[isleap(tm->tm_year)][tm->tm_mon - 1];
}

/* hh:mm, hh:mm:ss or hh:mm:ss.f; a leap second is the next minute's first */
static bool
read_time(const char **p, struct pg_tm *tm, fsec_t *fsec)
{
	if (!read_number(p, 2, &tm->tm_hour) || !accept_char(p, ':') ||
		!read_number(p, 2, &tm->tm_min))
		return false;
	if (accept_char(p, ':'))
	{
		if (!read_number(p, 2, &tm->tm_sec))
			return false;
		if (accept_char(p, '.'))
		{
			int			unit = USECS_PER_SEC / 10;

			for (; isdigit((unsigned char) **p); (*p)++)
			{
				*fsec += (**p - '0') * unit;
				unit /= 10;
			}
		}
	}
	return tm->tm_hour < HOURS_PER_DAY && tm->tm_min < MINS_PER_HOUR &&
		tm->tm_sec <= SECS_PER_MINUTE;
}

/* The time zone, or nothing; *zone: in seconds west of UTC. */
static bool
read_zone(const char **p, int *zone)
{
	bool		west = **p == '-';
	int			hours;
	int			minutes = 0;

	*zone = 0;
	if (accept_char(p, 'Z') || accept_char(p, 'z'))
		return true;
	if (!accept_char(p, '+') && !accept_char(p, '-'))
		return true;
	if (!read_number(p, 2, &hours))
		return false;
	(void) accept_char(p, ':');
	if (**p != '\0' && !read_number(p, 2, &minutes))
		return false;
	if (hours > MAX_ZONE_HOURS || minutes >= MINS_PER_HOUR)
		return false;
	*zone = (hours * MINS_PER_HOUR + minutes) * SECS_PER_MINUTE;
	if (!west)
		*zone = -*zone;
	return true;
}
