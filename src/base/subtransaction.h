/*-------------------------------------------------------------------------
 *
 * subtransaction.h
 *	  Code that may fail, in a subtransaction of its own.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/subtransaction.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_SUBTRANSACTION_H
#define ORCH_SUBTRANSACTION_H

#include "postgres.h"

#include "utils/palloc.h"
#include "utils/resowner.h"

/* What is restored when the subtransaction ends; on the stack of the caller. */
typedef struct Subtransaction
{
	MemoryContext context;
	ResourceOwner owner;
} Subtransaction;

/* Begin; commit; roll back without an error.  The current memory context stays. */
extern void orch_subtransaction_begin(Subtransaction *sub);
extern void orch_subtransaction_commit(const Subtransaction *sub);
extern void orch_subtransaction_rollback(const Subtransaction *sub);

/*
 * In PG_CATCH(): roll back, and return the error, in the memory context in which the
 * subtransaction began.
 */
extern ErrorData *orch_subtransaction_catch(const Subtransaction *sub);

#endif							/* ORCH_SUBTRANSACTION_H */
