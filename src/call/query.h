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

/* reference.md, 4.6: days for which a result of several pages can be read */
#define ORCH_LOCATOR_DAYS	2

extern void orch_query_init(void);

#endif							/* ORCH_QUERY_H */
