/*-------------------------------------------------------------------------
 *
 * orchestration.c
 *	  Module magic, the settings, and the initialisation of every module.
 *
 * The order of initialisation is that of the floors, lowest first; transaction.c calls the
 * modules in the reverse order at the end of a transaction.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/orchestration.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"
#include "utils/guc.h"

#include "access/access.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/counter.h"
#include "base/frame.h"
#include "base/planning.h"
#include "base/shared.h"
#include "base/stamp.h"
#include "base/transaction.h"
#include "base/worker_slot.h"
#include "call/describe.h"
#include "call/query.h"
#include "call/tombstone.h"
#include "definition/definition_fields.h"
#include "engine/chain.h"
#include "engine/engine.h"
#include "engine/notify.h"
#include "guard/approval.h"
#include "guard/cascade.h"
#include "guard/guard.h"
#include "guard/message.h"
#include "record/gate.h"
#include "record/principal.h"
#include "record/record.h"
#include "record/record_follow.h"
#include "record/sobject.h"
#include "trail/history.h"
#include "trail/log.h"
#include "work/launcher.h"
#include "work/mail.h"
#include "work/queue.h"
#include "work/record_change.h"
#include "work/worker.h"

ORCH_COMPAT_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	orch_principal_check_placeholder();
	DefineCustomBoolVariable("orchestration.managers_review",
							 "The users above an assignee can answer approvals, as delegates can.",
							 "Who is above whom: set_manager().",
							 &orch_managers_review, false, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("orchestration.max_elements",
							"Elements that a run may enter without waiting.",
							"Bounds a loop of connectors; a run that exceeds it ends in Error.",
							&orch_max_elements, 1000, 1, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("orchestration.max_chain_depth",
							"Longest allowed chain of runs that start or move each other.",
							"The statement that began a longer chain fails.",
							&orch_max_chain_depth, 16, 1, 1000,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("orchestration.max_lost_leases",
							"Leases on a step that may expire without a result before the step fails.",
							"Keeps a step that kills its workers from killing all of them.",
							&orch_max_lost_leases, 5, 0, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("orchestration.resume_approvals",
							 "Failed runs of approvals can be resumed; on the platform they cannot.",
							 NULL, &orch_resume_approvals, false, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("orchestration.resume_window",
							"Days for which a run that failed recoverably can be resumed.",
							NULL, &orch_resume_window, 14, 0, 36500,
							PGC_SUSET, 0, NULL, NULL, NULL);
	/* the floors, lowest first */
	orch_shared_init();
	orch_transaction_init();
	orch_catalog_init();
	orch_planning_init();
	orch_frame_init();
	orch_stamp_init();
	orch_counter_init();
	orch_worker_slot_init();
	orch_principal_init();
	orch_gate_init();
	orch_record_init();
	orch_record_follow_init();
	orch_sobject_init();
	orch_access_extent_init();
	orch_access_support_init();
	orch_definition_fields_init();
	orch_log_init();
	orch_history_init();
	orch_guard_init();
	orch_message_init();
	orch_cascade_init();
	orch_engine_init();
	orch_engine_batch_init();
	orch_notify_init();
	orch_queue_init();
	orch_record_change_init();
	orch_mail_init();
	orch_launcher_init();
	orch_worker_init();
	orch_describe_init();
	orch_tombstone_init();
	orch_query_init();
	MarkGUCPrefixReserved("orchestration");
}
