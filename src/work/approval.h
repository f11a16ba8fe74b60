/*-------------------------------------------------------------------------
 *
 * approval.h
 *	  Decisions about approvals.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/approval.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_WORK_APPROVAL_H
#define ORCH_WORK_APPROVAL_H

#include "postgres.h"

#include "work/work_item_call.h"

/*
 * orch_work_item_finish() for an approval, whose outputs say what the decision is.
 */
extern void orch_approval_finish(const ItemState *item, Oid role, Jsonb *outputs,
								 const char *key, bytea *digest);

#endif							/* ORCH_WORK_APPROVAL_H */
