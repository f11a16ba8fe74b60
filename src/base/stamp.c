/*-------------------------------------------------------------------------
 *
 * stamp.c
 *	  When records were written: SystemModstamp, and how far it is complete.
 *
 * Who asks "what changed since then" must not miss what was stamped before he
 * asked and committed afterwards.  now() does not serve: a transaction may begin,
 * wait, and write with its early time after somebody has read past it; and when
 * a transaction began is seen in pg_stat_activity only after it has begun, and
 * never with track_activities off.  So a transaction that writes
 *
 *	1. takes a lock that nobody waits for, whose tag says the time before it was
 *	   taken,
 *	2. then looks at the clock: that is its stamp, for all that it writes.
 *
 * Who asks looks at the clock first and at the locks next.  A writer whose lock
 * he sees has a stamp not before the time in the tag; one whose lock he does not
 * see yet will get a stamp after the look at the clock; one whose lock is gone
 * was out of the list of running transactions before (CommitTransaction() does
 * it in that order), so the next snapshot sees it.  Prepared transactions keep
 * their locks.  Only the clock being set back breaks it.
 *
 * The lock is of the advisory kind, in a class (the fourth field) that no
 * function of PostgreSQL uses.  It is held in share mode, so that two writers of
 * one microsecond do not meet, and by the whole transaction, whatever
 * subtransaction writes first.
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

static TimestampTz stamp = 0;	/* 0: nothing is written yet */

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

	/* a standby does not know who is writing on the primary */
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recovery is in progress"),
				 errhint("What is still being written is known only on the primary: ask there.")));

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

/*
 * What is too far away to fit is in the first or the last minute.
 */
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
 * SystemModstamp of what the current transaction writes: the same for all of it.
 * Not before the transaction's first write, and never before a time that
 * latest_date_covered() has returned.
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
 * Every record with a SystemModstamp before it is visible to the statements that
 * begin from now on, unless sharing hides it: the most that get_updated() and
 * get_deleted() say is covered.  Raises 55000 on a standby.
 * Source: reference.md, 4.4.
 */
Datum
orchestration_latest_date_covered(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(orch_stamp_horizon());
}

PG_FUNCTION_INFO_V1(orchestration_minute_of);

/*
 * orchestration.minute_of(moment timestamptz) returns integer
 *
 * Whole minutes since 2000-01-01 00:00 UTC: the generated columns modified_minute.
 * From the year 6083 on, and before 2084 BC, the last or first that fits.
 */
Datum
orchestration_minute_of(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(orch_stamp_minute(PG_GETARG_TIMESTAMPTZ(0)));
}
