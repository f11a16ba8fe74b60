/*-------------------------------------------------------------------------
 *
 * record_change.h
 *	  Consequences of changes of registered tables' rows.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/record_change.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_CHANGE_H
#define ORCH_RECORD_CHANGE_H

#include "postgres.h"

extern void orch_record_change_init(void);

#endif							/* ORCH_RECORD_CHANGE_H */
