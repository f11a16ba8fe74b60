/*-------------------------------------------------------------------------
 *
 * query.h
 *	  SOQL: query(), query_more(), explain_soql().
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUERY_H
#define ORCH_QUERY_H

#include "postgres.h"

extern void orch_query_init(void);

extern int64 orch_query_remove_expired(int max_rows);

#endif							/* ORCH_QUERY_H */
