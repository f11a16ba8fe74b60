/*-------------------------------------------------------------------------
 *
 * message.h
 *	  Messages of what happened to whom, for a mailer.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/message.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_MESSAGE_H
#define ORCH_MESSAGE_H

#include "postgres.h"

#include "utils/array.h"

/* lengths of a message's texts, in characters */
#define MAX_MESSAGE_SUBJECT	255
#define MAX_MESSAGE_BODY	32000

/* Are messages of approvals written, or of other work, too?  (orchestration.messages) */
extern bool orch_message_wanted(bool is_approval);

/*
 * Write the reminders for work items (arrays of uuids: of their runs, and their own).
 * Caller is in system context.
 */
extern void orch_message_remind(ArrayType *run_ids, ArrayType *work_item_ids);

/* Registers a function that is called after messages were written, in system context. */
typedef void (*MessageCallback) (void);
extern void orch_message_at_written(MessageCallback callback);

extern void orch_message_init(void);

#endif							/* ORCH_MESSAGE_H */
