/*-------------------------------------------------------------------------
 *
 * frame.h
 *	  Who is acting: the stack of calls of the extension that are under way.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/frame.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_FRAME_H
#define ORCH_FRAME_H

#include "postgres.h"

#include "utils/uuid.h"

typedef enum FrameKind
{
	FRAME_CALL,					/* a call made by a user: what it writes is his */
	FRAME_ENGINE,				/* the engine moves a run: what it writes is the
								 * automated process user's */
	FRAME_ACTION,				/* an action is being carried out: what it
								 * writes is its owner's */
	FRAME_RECORD				/* code behind a registered table runs: it
								 * only reads */
} FrameKind;

typedef struct Frame
{
	struct Frame *outer;
	int			nest_level;		/* of the subtransaction that made it */
	FrameKind	kind;
	Oid			actor;			/* role that made the call */
	pg_uuid_t	run_id;			/* FRAME_ENGINE: the run that is being moved */
	bool		dirty;			/* FRAME_ENGINE: somebody else wrote to the run */
} Frame;

extern void orch_frame_init(void);
extern Frame *orch_frame_push(FrameKind kind, Oid actor, const pg_uuid_t *run_id);
extern void orch_frame_pop(Frame *frame);
extern Frame *orch_frame_top(void);

/* The role that acts, InvalidOid for the automated process user. */
extern Oid	orch_frame_actor(void);

/* Is the engine moving a run, however far out? */
extern bool orch_frame_is_engine(void);

/* The frame of the engine moving this run, or NULL. */
extern Frame *orch_frame_engine(const pg_uuid_t *run_id);

#endif							/* ORCH_FRAME_H */
