/*-------------------------------------------------------------------------
 *
 * text_form.c
 *	  Settings on which the text forms of values depend.
 *
 * Keys of records, fields of records and arguments are compared as texts.  The same value
 * must have the same text in every session, so these texts are made and read under fixed
 * settings.  This list is the only one.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/text_form.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"

#include "base/system.h"
#include "base/text_form.h"

static bool fixed(bool is_fixed, const char *name, const char *value, bool set);
static bool formats(bool set);

void
orch_fix_formats(void)
{
	(void) formats(true);
}

bool
orch_formats_are_fixed(void)
{
	return formats(false);
}

void
orch_fix_settings(void)
{
	orch_fix_formats();
	/* that of type money alone, but initdb takes it from the environment */
	(void) fixed(strcmp(GetConfigOption("lc_monetary", false, false), "C") == 0,
				 "lc_monetary", "C", true);
	(void) fixed(strcmp(namespace_search_path, SYSTEM_SEARCH_PATH) == 0,
				 "search_path", SYSTEM_SEARCH_PATH, true);
}

/*
 * By the class that constraints of tables have, which depends on the encoding.
 */
char *
orch_text_one_line(const char *lines)
{
	Datum		line = DirectFunctionCall4Coll(textregexreplace, DEFAULT_COLLATION_OID,
											   CStringGetTextDatum(lines),
											   CStringGetTextDatum("[[:cntrl:]]+"),
											   CStringGetTextDatum(" "),
											   CStringGetTextDatum("g"));

	return TextDatumGetCString(line);
}

/*
 * Set the formats that differ (set), or only tell whether none does.
 */
static bool
formats(bool set)
{
	return fixed(DateStyle == USE_ISO_DATES && DateOrder == DATEORDER_MDY,
				 "datestyle", "ISO, MDY", set) &&
		fixed(IntervalStyle == INTSTYLE_POSTGRES, "intervalstyle", "postgres", set) &&
		fixed(strcmp(pg_get_timezone_name(session_timezone), "UTC") == 0,
			  "timezone", "UTC", set) &&
		fixed(extra_float_digits >= 1, "extra_float_digits", "1", set) &&
		fixed(bytea_output == BYTEA_OUTPUT_HEX, "bytea_output", "hex", set);
}

/*
 * Has a setting its value, or (set) did it get it?
 */
static bool
fixed(bool is_fixed, const char *name, const char *value, bool set)
{
	if (is_fixed || !set)
		return is_fixed;
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	return true;
}
