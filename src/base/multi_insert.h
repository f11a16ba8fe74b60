/*-------------------------------------------------------------------------
 *
 * multi_insert.h
 *	  Many rows into a table at once, past the executor.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/multi_insert.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_MULTI_INSERT_H
#define ORCH_MULTI_INSERT_H

#include "postgres.h"

#include "executor/tuptable.h"

#include "base/catalog.h"

/*
 * Fills one row: every element of values and nulls is the table's column in its
 * order; all nulls are set when it is called.
 */
typedef void (*OrchFillRow) (int i, Datum *values, bool *nulls, void *arg);

extern void orch_multi_insert(OrchRelation relation, int nrows, OrchFillRow fill,
							  void *arg);
/*
 * Does a table have only the columns, triggers and constraints that the extension made?
 * Else its rows have to go through the executor, so that those of others hold.
 */
extern bool orch_multi_insert_allowed(OrchRelation relation);

extern char *orch_multi_insert_keep_text(const char *text, int max_chars);

#endif							/* ORCH_MULTI_INSERT_H */
