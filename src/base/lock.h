/*-------------------------------------------------------------------------
 *
 * lock.h
 *	  The locks of the extension: classes of advisory locks, and locks on runs.
 *
 * The server's advisory lock functions use the classes 1 and 2.  The extension uses other
 * classes, so that SQL cannot take or release its locks.  The one exception is
 * pg_advisory_unlock_all(), which releases session-level locks of any class.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/lock.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_LOCK_H
#define ORCH_LOCK_H

#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/uuid.h"

#include "base/orchestration.h"

/* The fourth field of a lock tag: "O" and a letter for the purpose. */
typedef enum LockClass
{
	LOCK_VERSIONS = 0x4F44,		/* "OD": runs of an orchestration start; definition_hold.c */
	LOCK_NOTIFY = 0x4F51,		/* "OQ": a prepared transaction wakes workers; notify.c */
	LOCK_STAMP = 0x4F52,		/* "OR": a transaction writes records; stamp.c */
	LOCK_VIEW = 0x4F56,			/* "OV": a user views a record; record_view.c */
	LOCK_WORKER = 0x4F57		/* "OW": background workers; worker_slot.c */
} LockClass;

static inline void
orch_lock_tag(LOCKTAG *tag, LockClass class, uint64 key)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (key >> 32), (uint32) key, class);
}

/* How a run is locked: its row, until the transaction ends. */
typedef enum RunLock
{
	RUN_LOCK_KEEP,				/* FOR KEY SHARE: no session can delete the run */
	RUN_LOCK_MOVE				/* FOR NO KEY UPDATE: no other session can move it, either */
} RunLock;

/*
 * Lock a run, or runs to be moved.  Runs are locked in the order of their ids, because two
 * calls that lock the same runs in different orders could deadlock.  Returns how many of them
 * exist, and leaves one row for each in SPI_tuptable: status, name, id, orchestration_id, as
 * of the lock.  Caller is connected to SPI and in system context.
 */
extern int	orch_lock_run(const pg_uuid_t *run_id, RunLock lock);
extern int	orch_lock_runs(const pg_uuid_t *run_ids, int nruns);

/* The status in such a row. */
extern RunStatus orch_lock_run_status(int row);

#endif							/* ORCH_LOCK_H */
