/*-------------------------------------------------------------------------
 *
 * run.h
 *	  What starts of runs have in common.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/run.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RUN_H
#define ORCH_RUN_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/uuid.h"

#include "engine/engine.h"

/* Raises 42809 for an evaluation flow. */
extern void orch_run_require_orchestration(const Definition *definition);

/* Sets the record that the run is about; raises OR101 unless the role can read it. */
extern void orch_run_set_record(StartRequest *request, char *key, Oid role);

/* An idempotency key, NULL for null; raises 22023 for one of the wrong length. */
extern char *orch_run_key_argument(FunctionCallInfo fcinfo, int argno);

/*
 * Resume a run that the caller has locked, connected to SPI and in system context.  Returns the
 * status that the run has then (an enum value) and, unless error is NULL, the message of its
 * error, NULL if it is not in Error.
 */
extern Datum orch_run_resume(const pg_uuid_t *run_id, char **error);

#endif							/* ORCH_RUN_H */
