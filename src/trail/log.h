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
#include "trail/gathered.h"

/* contract/fields.csv: length of FlowOrchestrationLog.Comments, in characters */
#define LOG_MAX_COMMENTS	1333

typedef struct LogEntry
{
	Gathered	gathered;		/* must be first */
	LogKind		kind;
	TimestampTz logged_at;
	int			duration;		/* seconds, -1: nothing ended */
	pg_uuid_t	stage_run_id;	/* these four: the has_... say which are set */
	pg_uuid_t	step_run_id;
	pg_uuid_t	work_item_id;
	pg_uuid_t	assignee_id;
	bool		has_stage_run;
	bool		has_step_run;
	bool		has_work_item;
	bool		has_assignee;
	char	   *actor;			/* NULL: the automated process user */
	char	   *comments;		/* or NULL */
	char	   *context;		/* or NULL */
} LogEntry;

/*
 * Begin an entry, at the time of now; the caller sets what else applies.  Append keeps a
 * copy of it until the next orch_log_flush(), with its texts cut to the lengths of the
 * log.
 */
extern void orch_log_entry_init(LogEntry *entry, LogKind kind, const pg_uuid_t *run_id);
extern void orch_log_append(const LogEntry *entry);

/*
 * Write the gathered entries.  While the engine is moving a run, or an outer
 * subtransaction has gathered entries, nothing is written: they are written at its end,
 * in the order in which they were made.  Caller is in system context.
 */
extern void orch_log_flush(void);

/* Write the entries that this subtransaction gathered, even if outer ones wait. */
extern void orch_log_flush_level(void);

/* Do entries wait? */
extern bool orch_log_is_gathered(void);

/*
 * A run was deleted while entries of log or history wait: those of the run are not
 * written, unless the deletion is undone.
 */
extern void orch_log_run_deleted(const pg_uuid_t *run_id);

/* The ids, in order, of runs that were deleted in this transaction and are gone. */
extern pg_uuid_t *orch_log_gone_runs(int *nruns);

extern void orch_log_init(void);

#endif							/* ORCH_LOG_H */
