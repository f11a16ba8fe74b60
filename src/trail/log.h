/*-------------------------------------------------------------------------
 *
 * log.h
 *	  The run log: milestones, gathered and written together.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/trail/log.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_LOG_H
#define ORCH_LOG_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#include "base/orchestration.h"

typedef struct LogEntry
{
	int			nest_level;		/* of the subtransaction that made it */
	LogKind		kind;
	TimestampTz logged_at;
	int			duration;		/* seconds, -1: nothing ended */
	pg_uuid_t	run_id;
	pg_uuid_t	stage_run_id;	/* these four: see which are set */
	pg_uuid_t	step_run_id;
	pg_uuid_t	work_item_id;
	pg_uuid_t	assignee_id;
	bool		has_stage_run;
	bool		has_step_run;
	bool		has_work_item;
	bool		has_assignee;
	char	   *actor;			/* NULL: the automated process user */
	char	   *comments;		/* or NULL */
} LogEntry;

/* Fill in kind, run and what else applies of a zeroed entry, then append. */
extern void orch_log_init(LogEntry *entry, LogKind kind, const pg_uuid_t *run_id);
extern void orch_log_append(const LogEntry *entry);
/*
 * Write what was gathered, unless the engine is moving a run, or an outer
 * subtransaction gathered some: they write it at their end, in the order in which it
 * happened.  Caller is in system context.
 */
extern void orch_log_flush(void);

/* Write log and history that this subtransaction gathered, whatever is further out. */
extern void orch_log_flush_level(void);

/* A run was deleted: nothing more is written for it, unless the deletion is undone. */
extern void orch_log_run_deleted(const pg_uuid_t *run_id);

/* The ids, in order, of runs that were deleted in this transaction and are gone. */
extern pg_uuid_t *orch_log_gone_runs(int *nruns);
extern bool orch_log_is_gone(const pg_uuid_t *run_id, const pg_uuid_t *gone, int ngone);

extern void orch_log_at_xact_end(void);
extern void orch_log_at_subxact_end(int level, bool commit);

#endif							/* ORCH_LOG_H */
