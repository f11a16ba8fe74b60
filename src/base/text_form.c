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
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"

#include "base/system.h"
#include "base/text_form.h"

static void set_fixed(const char *name, const char *value);

void
orch_fix_formats(void)
{
	if (DateStyle != USE_ISO_DATES || DateOrder != DATEORDER_MDY)
		set_fixed("datestyle", "ISO, MDY");
	if (IntervalStyle != INTSTYLE_POSTGRES)
		set_fixed("intervalstyle", "postgres");
	if (strcmp(pg_get_timezone_name(session_timezone), "UTC") != 0)
		set_fixed("timezone", "UTC");
	if (extra_float_digits < 1)
		set_fixed("extra_float_digits", "1");
	if (bytea_output != BYTEA_OUTPUT_HEX)
		set_fixed("bytea_output", "hex");
	if (strcmp(GetConfigOption("lc_monetary", false, false), "C") != 0)
		set_fixed("lc_monetary", "C");
}

bool
orch_formats_are_fixed(void)
{
	return DateStyle == USE_ISO_DATES && DateOrder == DATEORDER_MDY &&
		IntervalStyle == INTSTYLE_POSTGRES &&
		strcmp(pg_get_timezone_name(session_timezone), "UTC") == 0 &&
		extra_float_digits >= 1 && bytea_output == BYTEA_OUTPUT_HEX &&
		strcmp(GetConfigOption("lc_monetary", false, false), "C") == 0;
}

void
orch_fix_settings(void)
{
	orch_fix_formats();
	if (strcmp(namespace_search_path, SYSTEM_SEARCH_PATH) != 0)
		set_fixed("search_path", SYSTEM_SEARCH_PATH);
}

static void
set_fixed(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
}
