/*-------------------------------------------------------------------------
 *
 * frame.h
 *	  The stack of active calls of the extension: which user acts, for which run.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/frame.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FRAME_H
#define ORCH_FRAME_H

#include "postgres.h"

#include "utils/uuid.h"

typedef enum FrameKind
{
	FRAME_CALL,					/* a user's call: its writes are attributed to
								 * that user */
	FRAME_ENGINE,				/* the engine moves a run: its writes are
								 * attributed to the automated process user */
	FRAME_ACTION,				/* an action runs: its writes are attributed
								 * to the owner of the action */
	FRAME_RECORD,				/* code behind a registered table runs: it
								 * only reads */
	FRAME_FUNCTION				/* a queued function runs for a run; its
								 * FRAME_ACTION is the next frame */
} FrameKind;

/* A key of a frame's record.  A change of the key puts a new entry on top. */
typedef struct FrameKey
{
	struct FrameKey *before;	/* the older key, or NULL */
	int			nest_level;		/* of the subtransaction that set it */
	char		key[FLEXIBLE_ARRAY_MEMBER];
} FrameKey;

typedef struct Frame
{
	struct Frame *outer;
	int			nest_level;		/* of the subtransaction that made it */
	FrameKind	kind;
	Oid			actor;			/* role that made the call */
	pg_uuid_t	run_id;			/* FRAME_ENGINE: the run that is being moved */
	bool		dirty;			/* FRAME_ENGINE: the run was written from outside
								 * the engine */

	/* FRAME_ENGINE, FRAME_FUNCTION: set by orch_frame_set_run() */
	const char *orchestration;	/* NULL: not set */
	pg_uuid_t	orchestration_id;
	char	   *record_type;	/* NULL: the run has no record */
	FrameKey   *record_key;
} Frame;

extern void orch_frame_init(void);
extern Frame *orch_frame_push(FrameKind kind, Oid actor, const pg_uuid_t *run_id);
extern void orch_frame_pop(Frame *frame);
extern Frame *orch_frame_top(void);

/*
 * Set the run of a frame, its orchestration (the name is not copied) and its record, NULL
 * for none.
 */
extern void orch_frame_set_run(Frame *frame, const pg_uuid_t *run_id,
							   const pg_uuid_t *orchestration_id,
							   const char *orchestration,
							   const char *record_type, const char *record_key);

/* Does a frame of the stack move a run of this orchestration for this record? */
extern bool orch_frame_moves(const pg_uuid_t *orchestration_id,
							 const char *record_type, const char *record_key);

/* Does any frame of the stack move a run? */
extern bool orch_frame_any_run(void);

/*
 * A record got another key or was deleted (new_key NULL); with old_key NULL all records of
 * the type were deleted.  Runs that are being moved read their record again.
 */
extern void orch_frame_record_moved(const char *record_type, const char *old_key,
									const char *new_key);

/* How many actions this session has begun; a difference shows that a user's code ran. */
extern uint64 orch_frame_actions(void);

/* The role that acts, InvalidOid for the automated process user. */
extern Oid	orch_frame_actor(void);

/*
 * The role that gets a message, also in system context; InvalidOid if it is not known,
 * because an action or a registered table's code made the statement.
 */
extern Oid	orch_frame_caller(void);

/* Is the engine moving a run, at any level of the stack? */
extern bool orch_frame_is_engine(void);

/* The innermost frame in which the engine moves this run, or NULL. */
extern Frame *orch_frame_engine(const pg_uuid_t *run_id);

#endif							/* ORCH_FRAME_H */
