/*-------------------------------------------------------------------------
 *
 * frame.h
 *	  Who is acting: the stack of calls of the extension that are under way.
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
	FRAME_CALL,					/* a call made by a user, who is the actor */
	FRAME_ENGINE,				/* the engine moves a run: what it writes is the
								 * automated process user's */
	FRAME_ACTION,				/* an action is being carried out: what it
								 * writes is its owner's */
	FRAME_RECORD,				/* code behind a registered table runs: it
								 * only reads */
	FRAME_FUNCTION				/* a queued function is being carried out for
								 * a run; its FRAME_ACTION is the next */
} FrameKind;

/* The key of a frame's record; when that changes, a new one comes on top. */
typedef struct FrameKey
{
	struct FrameKey *before;
	int			nest_level;		/* of the subtransaction that changed it */
	char		key[FLEXIBLE_ARRAY_MEMBER];
} FrameKey;

typedef struct Frame
{
	struct Frame *outer;
	int			nest_level;		/* of the subtransaction that made it */
	FrameKind	kind;
	Oid			actor;			/* role that made the call */
	pg_uuid_t	run_id;			/* FRAME_ENGINE: the run that is being moved */
	bool		dirty;			/* FRAME_ENGINE: the run was changed meanwhile */

	/* FRAME_ENGINE, FRAME_FUNCTION: what the run is; orch_frame_set_run() */
	const char *orchestration;	/* NULL: it was not said */
	pg_uuid_t	orchestration_id;
	char	   *record_type;	/* NULL: it is about no record */
	FrameKey   *record_key;
} Frame;

extern void orch_frame_init(void);
extern Frame *orch_frame_push(FrameKind kind, Oid actor, const pg_uuid_t *run_id);
extern void orch_frame_pop(Frame *frame);
extern Frame *orch_frame_top(void);

/*
 * Say what the run of a frame is: its orchestration (the name stays where it is) and
 * its record, NULL for none.
 */
extern void orch_frame_set_run(Frame *frame, const pg_uuid_t *run_id,
							   const pg_uuid_t *orchestration_id,
							   const char *orchestration,
							   const char *record_type, const char *record_key);

/* Is a run of the orchestration about this record moved further out? */
extern bool orch_frame_moves(const pg_uuid_t *orchestration_id,
							 const char *record_type, const char *record_key);

/* Is any run moved further out? */
extern bool orch_frame_any_run(void);

/*
 * A record got another key, or is gone (new_key NULL); old_key NULL: all of its type
 * are gone.  Runs that are being moved read again what they are about.
 */
extern void orch_frame_record_moved(const char *record_type, const char *old_key,
									const char *new_key);

/* How many actions this session has begun: has code of others run meanwhile? */
extern uint64 orch_frame_actions(void);

/* The role that acts, InvalidOid for the automated process user. */
extern Oid	orch_frame_actor(void);

/* Is the engine moving a run, however far out? */
extern bool orch_frame_is_engine(void);

/* The frame of the engine moving this run, or NULL. */
extern Frame *orch_frame_engine(const pg_uuid_t *run_id);

#endif							/* ORCH_FRAME_H */
