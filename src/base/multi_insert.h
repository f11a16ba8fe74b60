/*-------------------------------------------------------------------------
 *
 * multi_insert.h
 *	  Inserts many rows at once, past the executor.
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
 * Fills row i: values and nulls have one element for each column of the table, in its
 * order.  All nulls are true before the call.
 */
typedef void (*OrchFillRow) (int i, Datum *values, bool *nulls, void *arg);

/* Inserts nrows rows.  The caller is in system context. */
extern void orch_multi_insert(OrchRelation relation, int nrows, OrchFillRow fill,
							  void *arg);

/*
 * Does a table have only the columns, triggers and constraints that the extension
 * created?  Otherwise its rows have to go through the executor, so that users' triggers
 * and constraints apply.
 */
extern bool orch_multi_insert_allowed(OrchRelation relation);

/* A copy in TopTransactionContext, cut to so many characters; NULL for NULL. */
extern char *orch_multi_insert_keep_text(const char *text, int max_chars);

#endif							/* ORCH_MULTI_INSERT_H */
