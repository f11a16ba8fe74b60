/*-------------------------------------------------------------------------
 *
 * subtransaction.c
 *	  Code that may fail, in a subtransaction of its own.
 *
 * PL/pgSQL's exception blocks do the same.  Between begin and the end stand PG_TRY() and
 * PG_CATCH() of the caller.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/subtransaction.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "base/subtransaction.h"

static void restore(const Subtransaction *sub);

static void
restore(const Subtransaction *sub)
{
	MemoryContextSwitchTo(sub->context);
	CurrentResourceOwner = sub->owner;
}

void
orch_subtransaction_begin(Subtransaction *sub)
{
	sub->context = CurrentMemoryContext;
	sub->owner = CurrentResourceOwner;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(sub->context);
}

void
orch_subtransaction_commit(const Subtransaction *sub)
{
	ReleaseCurrentSubTransaction();
	restore(sub);
}

void
orch_subtransaction_rollback(const Subtransaction *sub)
{
	RollbackAndReleaseCurrentSubTransaction();
	restore(sub);
}

ErrorData *
orch_subtransaction_catch(const Subtransaction *sub)
{
	ErrorData  *error;

	MemoryContextSwitchTo(sub->context);
	error = CopyErrorData();
	FlushErrorState();
	orch_subtransaction_rollback(sub);
	return error;
}
