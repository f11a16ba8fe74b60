/*-------------------------------------------------------------------------
 *
 * text_form.h
 *	  Settings on which the text forms of values depend.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/text_form.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_TEXT_FORM_H
#define ORCH_TEXT_FORM_H

#include "postgres.h"

/*
 * Set the formats of values to those that PostgreSQL has without any configuration, until
 * the caller's level of settings ends.
 */
extern void orch_fix_formats(void);

/* Has the session these formats anyway? */
extern bool orch_formats_are_fixed(void);

/*
 * The same, lc_monetary, and search_path: names of tables and functions have their schema.
 */
extern void orch_fix_settings(void);

/*
 * A copy of a text with each run of control characters made a space: for what others wrote
 * and what must be one line.
 */
extern char *orch_text_one_line(const char *lines);

#endif							/* ORCH_TEXT_FORM_H */
