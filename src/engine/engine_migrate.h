/*-------------------------------------------------------------------------
 *
 * engine_migrate.h
 *	  Moves a run to another version of its orchestration.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_migrate.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ENGINE_MIGRATE_H
#define ORCH_ENGINE_MIGRATE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/uuid.h"

#include "definition/definition.h"

/* What a migration found; allocated in the context in which it was called. */
typedef struct MigrationReport
{
	MemoryContext context;
	char	   *run_name;
	int			from_version;	/* 0: the run has none, or it no longer exists */
	bool		has_version;	/* the run has that version already */
	List	   *problems;		/* of char *: why the run does not fit */
	List	   *notes;			/* of char *: what a migration changes besides */
} MigrationReport;

/*
 * Migrate a run to a version of its own orchestration, if it fits, and move it on.  Returns
 * whether it was migrated; dry_run: only reports.  role: who must have the right to move
 * the run.  Raises OR101 and 42501 for that right, 55006 if this transaction is moving the
 * run, and what moving it raises.
 */
extern bool orch_engine_migrate(const pg_uuid_t *run_id, const Definition *to, Oid role,
								bool dry_run, MigrationReport *report);

#endif							/* ORCH_ENGINE_MIGRATE_H */
