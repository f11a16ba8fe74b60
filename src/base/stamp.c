/*-------------------------------------------------------------------------
 *
 * stamp.c
 *	  When records were written: SystemModstamp, and up to when it is complete.
 *
 * A client that polls for "changes since a time" must not miss a record that was stamped
 * before it asked and committed afterwards.  now() does not serve: a transaction may
 * begin, wait, and write with its early time after a client has read past that time.
 * pg_stat_activity does not serve either: it shows the start of a transaction only after
 * the transaction has begun, and never with track_activities off.  So a writing
 * transaction
 *
 *	1. takes a lock that no session waits for, whose tag contains the time before it was
 *	   taken;
 *	2. reads the clock: that time is the stamp of everything that it writes.
 *
 * The reader reads the clock first and the locks next; the minimum of the clock and of
 * the times in the tags is the horizon.
 *
 * - A writer whose lock the reader sees has a stamp not before the time in the tag.
 * - A writer whose lock is not there yet will get a stamp after the reader's clock.
 * - A writer whose lock is gone had left the list of running transactions before
 *	 (CommitTransaction() does it in that order), so the next snapshot sees its rows.
 *
 * Prepared transactions keep their locks.  Only a clock that is set back breaks this.
 *
 * The lock is an advisory lock in a class (the fourth field of the tag) that no function
 * of PostgreSQL uses.  Share mode keeps two writers of one microsecond from waiting for
 * each other.  The lock belongs to the whole transaction, even if a subtransaction
 * writes first.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/stamp.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/lock.h"
#include "base/stamp.h"
#include "base/transaction.h"

static TimestampTz stamp = 0;	/* 0: the transaction has no stamp yet */

TimestampTz
orch_stamp(void)
{
	TimestampTz before;
	LOCKTAG		tag;
	ResourceOwner owner;

	if (likely(stamp != 0))
		return stamp;

	before = GetCurrentTimestamp();
	orch_lock_tag(&tag, LOCK_STAMP, (uint64) before);
	owner = CurrentResourceOwner;
	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		(void) LockAcquire(&tag, ShareLock, false, false);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	stamp = Max(GetCurrentTimestamp(), before);
	return stamp;
}

TimestampTz
orch_stamp_horizon(void)
{
	TimestampTz horizon = GetCurrentTimestamp();
	LockData   *locks;
	int			i;

	/* a standby does not know the locks of the primary */
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recovery is in progress"),
				 errhint("Only the primary knows which records are still being written. Call the function there.")));

	locks = GetLockStatusData();
	for (i = 0; i < locks->nelements; i++)
	{
		LockInstanceData *lock = &locks->locks[i];
		TimestampTz before;

		if (lock->locktag.locktag_type != LOCKTAG_ADVISORY ||
			lock->locktag.locktag_field1 != MyDatabaseId ||
			lock->locktag.locktag_field4 != LOCK_STAMP)
			continue;
		before = (TimestampTz) (((uint64) lock->locktag.locktag_field2 << 32) |
								lock->locktag.locktag_field3);
		horizon = Min(horizon, before);
	}
	return horizon;
}

int32
orch_stamp_minute(TimestampTz time)
{
	if (TIMESTAMP_NOT_FINITE(time))
		return TIMESTAMP_IS_NOBEGIN(time) ? PG_INT32_MIN : PG_INT32_MAX;
	return (int32) Max(Min(orch_stamp_cut(time) / USECS_PER_MINUTE, PG_INT32_MAX), PG_INT32_MIN);
}

TimestampTz
orch_stamp_cut(TimestampTz time)
{
	TimestampTz seconds = time % USECS_PER_MINUTE;

	return time - (seconds < 0 ? seconds + USECS_PER_MINUTE : seconds);
}

static void
at_xact_end(bool committed)
{
	stamp = 0;
}

static const TransactionModule module = {
	.name = "stamp",
	.at_end = at_xact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_stamp_init(void)
{
	orch_transaction_register(&module);
}

PG_FUNCTION_INFO_V1(orchestration_system_modstamp);

/*
 * orchestration.system_modstamp() returns timestamptz
 *
 * Returns the SystemModstamp of everything that the current transaction writes.  It is
 * never before a time that latest_date_covered() has returned.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_system_modstamp(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(orch_stamp());
}

PG_FUNCTION_INFO_V1(orchestration_latest_date_covered);

/*
 * orchestration.latest_date_covered() returns timestamptz
 *
 * Returns a time: statements that begin from now on see every record with an earlier
 * SystemModstamp, unless sharing hides it.  get_updated() and get_deleted() cover changes
 * up to it at most.
 * Raises: 55000 on a standby.
 * Source: reference.md, 4.4.
 */
Datum
orchestration_latest_date_covered(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(orch_stamp_horizon());
}

PG_FUNCTION_INFO_V1(orchestration_minute_of);

/*
 * orchestration_internal.minute_of(moment timestamptz) returns integer
 *
 * Returns the whole minutes since 2000-01-01 00:00 UTC, for the generated columns
 * modified_minute; from the year 6083 on, and before 2084 BC, the last or first integer.
 * Raises: none.  Source: ours.
 */
Datum
orchestration_minute_of(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(orch_stamp_minute(PG_GETARG_TIMESTAMPTZ(0)));
}
