/*-------------------------------------------------------------------------
 *
 * failure.h
 *	  What the log says about a failure.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/trail/failure.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FAILURE_H
#define ORCH_FAILURE_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "trail/log.h"

/*
 * Set comments and context of a log entry about a failure, from the stored error (NULL:
 * none).  element: where it failed if the error does not say so, or NULL.
 */
extern void orch_failure_describe(LogEntry *entry, Jsonb *error, const char *element);

#endif							/* ORCH_FAILURE_H */
