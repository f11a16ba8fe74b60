/*-------------------------------------------------------------------------
 *
 * frame.c
 *	  The stack of active calls: which user acts, for which run.
 *
 * Calls nest: a user's UPDATE makes the engine move a run, whose action updates
 * another run, and so on.  Each level is a frame.  The guard asks the topmost frame
 * which user acts, and the engine asks whether it is moving a run already.  Frames of
 * runs also name the orchestration and the record of the run, so that a change of a
 * record that a run makes does not start the same orchestration for that record.
 *
 * A frame belongs to the subtransaction that made it and is dropped with it
 * (transaction.c), so that errors need no clean-up.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/frame.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/frame.h"
#include "base/transaction.h"
#include "base/uuid.h"

static Frame *top = NULL;

/*
 * Frames of queued functions that ended, until the transaction ends: deferred triggers
 * that fire at its end still belong to the runs of these functions.
 */
static Frame *ended = NULL;

static uint64 actions = 0;

static FrameKey *make_key(const char *key, FrameKey *before);
static void forget_keys(Frame *frame, int level);
static bool is_about(const Frame *frame, const char *record_type, const char *record_key);
static void keys_at_subxact_end(Frame *frame, int level, bool commit);
static void forget_frames(bool committed);
static void frames_at_subxact_end(int level, bool committed);

static const TransactionModule module = {
	.name = "frame",
	.at_end = forget_frames,
	.at_subxact_end = frames_at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_frame_init(void)
{
	orch_transaction_register(&module);
}

/*
 * Begin a level.  run_id may be NULL.  The frame is dropped when its
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
	if (kind == FRAME_ACTION)
		actions++;
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
	if (frame->kind == FRAME_FUNCTION)
	{
		frame->outer = ended;
		ended = frame;
		return;
	}
	if (frame->record_key != NULL)
	{
		forget_keys(frame, 0);
		pfree(frame->record_type);
	}
	pfree(frame);
}

static FrameKey *
make_key(const char *key, FrameKey *before)
{
	FrameKey   *result = MemoryContextAlloc(TopTransactionContext,
											offsetof(FrameKey, key) + strlen(key) + 1);

	result->before = before;
	result->nest_level = GetCurrentTransactionNestLevel();
	strcpy(result->key, key);
	return result;
}

/*
 * Forget the keys that were set in the subtransaction of this level or deeper; the
 * first key was set at the frame's own level.
 */
static void
forget_keys(Frame *frame, int level)
{
	while (frame->record_key != NULL && frame->record_key->nest_level >= level)
	{
		FrameKey   *key = frame->record_key;

		frame->record_key = key->before;
		pfree(key);
	}
}

void
orch_frame_set_run(Frame *frame, const pg_uuid_t *run_id,
				   const pg_uuid_t *orchestration_id, const char *orchestration,
				   const char *record_type, const char *record_key)
{
	frame->run_id = *run_id;
	frame->orchestration_id = *orchestration_id;
	frame->orchestration = orchestration;
	if (record_type == NULL || record_key == NULL)
		return;
	frame->record_type = MemoryContextStrdup(TopTransactionContext, record_type);
	frame->record_key = make_key(record_key, NULL);
}

static bool
is_about(const Frame *frame, const char *record_type, const char *record_key)
{
	return frame->record_key != NULL &&
		(record_key == NULL || strcmp(frame->record_key->key, record_key) == 0) &&
		strcmp(frame->record_type, record_type) == 0;
}

bool
orch_frame_moves(const pg_uuid_t *orchestration_id, const char *record_type,
				 const char *record_key)
{
	Frame	   *frame;

	for (frame = top; frame != NULL; frame = frame->outer)
		if (is_about(frame, record_type, record_key) &&
			orch_uuid_equal(&frame->orchestration_id, orchestration_id))
			return true;

	/* no statement is executing: this is a deferred trigger at the end of the transaction */
	if (ActivePortal == NULL)
		for (frame = ended; frame != NULL; frame = frame->outer)
			if (is_about(frame, record_type, record_key) &&
				orch_uuid_equal(&frame->orchestration_id, orchestration_id))
				return true;
	return false;
}

bool
orch_frame_any_run(void)
{
	Frame	   *frame;

	for (frame = top; frame != NULL; frame = frame->outer)
		if (frame->orchestration != NULL)
			return true;
	return false;
}

void
orch_frame_record_moved(const char *record_type, const char *old_key, const char *new_key)
{
	Frame	   *frame;
	bool		in_ended = false;

	for (frame = top;; frame = frame->outer)
	{
		if (frame == NULL && !in_ended)
		{
			in_ended = true;
			frame = ended;
		}
		if (frame == NULL)
			break;
		if (!is_about(frame, record_type, old_key))
			continue;
		frame->dirty = true;
		/* a deleted record keeps its key here: the run may insert it again */
		if (new_key != NULL)
			frame->record_key = make_key(new_key, frame->record_key);
	}
}

/*
 * A subtransaction ended: at a commit its keys become the parent's, at an abort they are
 * dropped.
 */
static void
keys_at_subxact_end(Frame *frame, int level, bool commit)
{
	FrameKey   *key;

	for (; frame != NULL; frame = frame->outer)
	{
		if (!commit)
			forget_keys(frame, level);
		for (key = frame->record_key; commit && key != NULL; key = key->before)
			key->nest_level = Min(key->nest_level, level - 1);
	}
}

uint64
orch_frame_actions(void)
{
	return actions;
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

Oid
orch_frame_caller(void)
{
	Frame	   *frame;

	if (GetUserId() != orch_catalog_owner())
		return GetUserId();
	/* in system context */
	for (frame = top; frame != NULL; frame = frame->outer)
	{
		if (frame->kind == FRAME_CALL)
			return frame->actor;
		if (frame->kind == FRAME_ACTION || frame->kind == FRAME_RECORD)
			return InvalidOid;
	}
	return GetOuterUserId();
}

bool
orch_frame_is_engine(void)
{
	Frame	   *frame;

	for (frame = top; frame != NULL; frame = frame->outer)
		if (frame->kind == FRAME_ENGINE)
			return true;
	return false;
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
forget_frames(bool committed)
{
	top = ended = NULL;
}

static void
frames_at_subxact_end(int level, bool committed)
{
	Frame	   *frame;

	if (!committed)
	{
		while (top != NULL && top->nest_level >= level)
			top = top->outer;
		while (ended != NULL && ended->nest_level >= level)
			ended = ended->outer;
	}
	keys_at_subxact_end(top, level, committed);
	keys_at_subxact_end(ended, level, committed);
	for (frame = ended; frame != NULL && frame->nest_level >= level; frame = frame->outer)
		frame->nest_level = level - 1;
}
