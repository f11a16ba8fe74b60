/*-------------------------------------------------------------------------
 *
 * transaction.c
 *	  Tells the modules that a transaction or subtransaction ends.
 *
 * A module that keeps data between the statements of a transaction registers callbacks
 * here.  One rule holds for all modules.  Such data carries the nesting level of the
 * subtransaction that made it.  When that subtransaction is aborted, the module forgets
 * the data.  When it is committed, the data becomes the parent's.  Data of a single call
 * (a scope, a batch, hidden cursors) is gone by then.  When the transaction ends, the
 * module forgets everything.
 *
 * The modules are called in the reverse of the order in which they registered.  They
 * register in the order of the floors (_PG_init()), so a module may still use those below
 * it.  The server documents no order for its callbacks; so the extension registers one
 * with the server, which calls the modules.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/transaction.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "base/transaction.h"

#define MAX_MODULES 16

static const TransactionModule *modules[MAX_MODULES];
static int	nmodules = 0;

static void at_xact_event(XactEvent event, void *arg);
static void at_subxact_event(SubXactEvent event, SubTransactionId my_subid,
							 SubTransactionId parent_subid, void *arg);

void
orch_transaction_init(void)
{
	RegisterXactCallback(at_xact_event, NULL);
	RegisterSubXactCallback(at_subxact_event, NULL);
}

void
orch_transaction_register(const TransactionModule *module)
{
	if (nmodules == MAX_MODULES)
		elog(ERROR, "too many modules for module \"%s\"", module->name);
	modules[nmodules++] = module;
}

static void
at_xact_event(XactEvent event, void *arg)
{
	int			i;

	for (i = nmodules - 1; i >= 0; i--)
	{
		const TransactionModule *module = modules[i];

		switch (event)
		{
			case XACT_EVENT_COMMIT:
			case XACT_EVENT_PARALLEL_COMMIT:
			case XACT_EVENT_ABORT:
			case XACT_EVENT_PARALLEL_ABORT:
			case XACT_EVENT_PREPARE:
				if (module->at_end != NULL)
					module->at_end(event == XACT_EVENT_COMMIT);
				break;
			case XACT_EVENT_PRE_COMMIT:
				if (module->before_commit != NULL)
					module->before_commit();
				break;
			case XACT_EVENT_PRE_PREPARE:
				if (module->before_prepare != NULL)
					module->before_prepare();
				break;
			case XACT_EVENT_PARALLEL_PRE_COMMIT:
				break;
		}
	}
}

static void
at_subxact_event(SubXactEvent event, SubTransactionId my_subid,
				 SubTransactionId parent_subid, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	int			i;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	for (i = nmodules - 1; i >= 0; i--)
		if (modules[i]->at_subxact_end != NULL)
			modules[i]->at_subxact_end(level, event == SUBXACT_EVENT_COMMIT_SUB);
}
