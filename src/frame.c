/*-------------------------------------------------------------------------
 *
 * frame.c
 *	  The stack of calls under way, and what an abort does to it.
 *
 * Calls nest: a user's UPDATE makes the engine move a run, whose action updates
 * another run, and so on.  Each level is a frame; the guard asks the topmost who
 * acts, and the engine finds here that it is moving a run already.
 *
 * Everything the extension keeps between statements of a transaction (frames,
 * log entries not yet written, rows not yet checked) belongs to the subtransaction
 * that made it and is dropped with it.  This file registers the callbacks and
 * tells the other modules.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/frame.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "engine.h"
#include "frame.h"
#include "guard.h"
#include "history.h"
#include "log.h"
#include "notify.h"
#include "queue.h"
#include "record_change.h"
#include "stamp.h"
#include "uuid.h"
#include "worker.h"

static Frame *top = NULL;

static void at_xact_end(XactEvent event, void *arg);
static void at_subxact_end(SubXactEvent event, SubTransactionId my_subid,
						   SubTransactionId parent_subid, void *arg);

/*
 * Called once, by _PG_init().
 */
void
orch_frame_init(void)
{
	RegisterXactCallback(at_xact_end, NULL);
	RegisterSubXactCallback(at_subxact_end, NULL);
}

/*
 * Begin a level.  run_id may be NULL.  The frame is gone when its
 * subtransaction aborts, so that errors need no clean-up.
 */
Frame *
orch_frame_push(FrameKind kind, Oid actor, const pg_uuid_t *run_id)
{
	Frame	   *frame = MemoryContextAllocZero(TopTransactionContext,
											   sizeof(Frame));

	frame->outer = top;
	frame->nest_level = GetCurrentTransactionNestLevel();
	frame->kind = kind;
	frame->actor = actor;
	if (run_id != NULL)
		frame->run_id = *run_id;
	top = frame;
	return frame;
}

/*
 * End a level.
 */
void
orch_frame_pop(Frame *frame)
{
	Assert(top == frame);
	top = frame->outer;
	pfree(frame);
}

Frame *
orch_frame_top(void)
{
	return top;
}

Oid
orch_frame_actor(void)
{
	if (top == NULL || top->kind == FRAME_ACTION || top->kind == FRAME_RECORD)
		return GetUserId();
	return top->kind == FRAME_CALL ? top->actor : InvalidOid;
}

Frame *
orch_frame_engine(const pg_uuid_t *run_id)
{
	Frame	   *frame;

	for (frame = top; frame != NULL; frame = frame->outer)
		if (frame->kind == FRAME_ENGINE && orch_uuid_equal(&frame->run_id, run_id))
			return frame;
	return NULL;
}

static void
at_xact_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE:
			top = NULL;
			orch_log_at_xact_end();
			orch_history_at_xact_end();
			orch_guard_at_xact_end();
			orch_record_change_forget(0);
			orch_stamp_at_xact_end();
			orch_notify_at_xact_end(event == XACT_EVENT_COMMIT);
			orch_queue_at_xact_end(event == XACT_EVENT_COMMIT);
			orch_worker_at_xact_end(event == XACT_EVENT_COMMIT);
			orch_engine_batch_forget(0);
			break;
		case XACT_EVENT_PRE_COMMIT:
			orch_notify_pre_commit();
			break;
		case XACT_EVENT_PRE_PREPARE:
			orch_notify_pre_prepare();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
	}
}

static void
at_subxact_end(SubXactEvent event, SubTransactionId my_subid,
			   SubTransactionId parent_subid, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();

	switch (event)
	{
		case SUBXACT_EVENT_COMMIT_SUB:
			orch_log_at_subxact_end(level, true);
			orch_history_at_subxact_end(level, true);
			orch_guard_at_subxact_end(level, true);
			orch_queue_at_subxact_end(level, true);
			break;
		case SUBXACT_EVENT_ABORT_SUB:
			while (top != NULL && top->nest_level >= level)
				top = top->outer;
			orch_log_at_subxact_end(level, false);
			orch_history_at_subxact_end(level, false);
			orch_guard_at_subxact_end(level, false);
			orch_queue_at_subxact_end(level, false);
			orch_record_change_forget(level);
			orch_engine_batch_forget(level);
			break;
		case SUBXACT_EVENT_START_SUB:
		case SUBXACT_EVENT_PRE_COMMIT_SUB:
			break;
	}
}
