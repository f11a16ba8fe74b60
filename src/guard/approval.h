/*-------------------------------------------------------------------------
 *
 * approval.h
 *	  What calls and the engine write about an approval.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/approval.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_APPROVAL_H
#define ORCH_APPROVAL_H

#include "postgres.h"

#include "utils/uuid.h"

#include "base/compat.h"
#include "base/orchestration.h"

/* orchestration.resume_approvals: may failed runs of approvals be resumed? */
extern bool orch_resume_approvals;

/* What somebody does with a submission, as a detail of it tells. */
typedef struct ApprovalDeed
{
	ApprovalAction action;
	PerformerRole role;
	ApprovalChannel channel;
	const char *comments;		/* or NULL */
} ApprovalDeed;

/*
 * Store the decision of a reviewer, the acting user, about a work item that is Assigned.
 * Caller is in system context, holds the lock on the run, and completes the work item next.
 */
extern void orch_approval_review(const pg_uuid_t *run_id, const pg_uuid_t *work_item_id,
								 bool approved, const ApprovalDeed *deed);

/*
 * A member of a unanimous approval has answered: does that end the step?  A rejection does,
 * and so does the last approval.  If it ends, the parent work item and those of the other
 * members, which are Withdrawn, are completed.  Caller is in system context and holds the
 * lock on the run.
 */
extern bool orch_approval_end_round(const pg_uuid_t *run_id, const pg_uuid_t *parent_id);

/* Raises 55000: nobody answers, claims or completes the parent work item itself. */
extern void orch_approval_refuse_parent(const char *label, const pg_uuid_t *id)
			pg_attribute_noreturn();

/*
 * Set the submission of a run Recalled, and its approval work items that are Assigned; those
 * that the recall path makes later end as those of any stage.  Caller is in system context
 * and holds the lock on the run.
 */
extern void orch_approval_recall(const pg_uuid_t *run_id, const ApprovalDeed *deed);

/* Was the run recalled?  Caller is in system context. */
extern bool orch_approval_is_recalled(const pg_uuid_t *run_id);

#endif							/* ORCH_APPROVAL_H */
