/*-------------------------------------------------------------------------
 *
 * transaction.h
 *	  What modules keep within a transaction, and how it ends with it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/transaction.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_TRANSACTION_H
#define ORCH_TRANSACTION_H

#include "postgres.h"

/*
 * The callbacks of a module; NULL for none.  Only before_commit and before_prepare may
 * raise errors.
 */
typedef struct TransactionModule
{
	const char *name;
	void		(*before_commit) (void);
	void		(*before_prepare) (void);

	/* The transaction ended; committed: false also when it was prepared. */
	void		(*at_end) (bool committed);

	/* The subtransaction at this nesting level ended. */
	void		(*at_subxact_end) (int level, bool committed);
} TransactionModule;

/* Called by the modules' init functions; the module must stay where it is. */
extern void orch_transaction_register(const TransactionModule *module);

/* Called by _PG_init(), before those. */
extern void orch_transaction_init(void);

#endif							/* ORCH_TRANSACTION_H */
