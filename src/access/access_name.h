/*-------------------------------------------------------------------------
 *
 * access_name.h
 *	  Names of runs, stages, steps and work items in messages.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_name.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_NAME_H
#define ORCH_ACCESS_NAME_H

#include "postgres.h"

#include "utils/uuid.h"

#include "base/orchestration.h"

/*
 * How a message names a record: run OR-00000012, stage "Approve" of run OR-00000012, work
 * item WI-00000003.  By its id instead of its name if the role that gets the message does not
 * see the record, and if there is none (any more).  The caller may be in system context or in
 * a trigger, but not in an aborted transaction.
 */
extern char *orch_label(SharedObject object, const pg_uuid_t *id);
extern char *orch_label_run(const pg_uuid_t *run_id);

/* The same where the name of a stage or step is known, and may be told. */
extern char *orch_label_part(SharedObject object, const char *name, const pg_uuid_t *id,
							 const pg_uuid_t *run_id);

#endif							/* ORCH_ACCESS_NAME_H */
