/*-------------------------------------------------------------------------
 *
 * queue_int.h
 *	  A session's knowledge of the queue: queue_look.c has it, queue_claim.c uses it.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/queue_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUEUE_INT_H
#define ORCH_QUEUE_INT_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "storage/lock.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* An orchestration that has steps of a topic to claim. */
typedef struct Source
{
	pg_uuid_t	orchestration_id;
	TimestampTz mark;			/* claims begin here */
	TimestampTz looked;			/* the mark that the last look gave it */
} Source;

/* A transaction that was changing the queue at a look. */
typedef struct Writer
{
	VirtualTransactionId vxid;
	TimestampTz since;			/* it queued nothing that is available before */
} Writer;

typedef struct Topic
{
	const char *name;			/* key of the table */
	Source	   *sources;
	int			nsources;
	int			next;			/* source of the next claim */
	TimestampTz looked_at;		/* 0: never */
	int64		work;			/* index entries that the last look read */
	TimestampTz whole_at;		/* the last look from the beginning on */
	int64		whole_work;
	TimestampTz own;			/* this session queued steps since then */
	bool		undone;			/* claims of this session were rolled back */
	Writer	   *writers;		/* at the last look */
	int			nwriters;
	uint64		looks;			/* each makes the sources anew */
	uint64		call;			/* of orch_queue_topics() that returned it last */
} Topic;

/*
 * The topics (char *) as Topic *, each once.  They are valid until the next call, or until
 * orch_queue_release().
 */
extern List *orch_queue_topics(List *names);

/*
 * Keep the topics of a call valid while its writes may fire users' triggers that claim, too.
 * Returns the argument of orch_queue_release().
 */
extern int	orch_queue_keep(void);
extern void orch_queue_release(int outer);

/*
 * Look which orchestrations have ready steps, if a look is due or wanted.  Returns whether
 * it was done.  Caller is in system context.
 */
extern bool orch_queue_look(Topic *topic, TimestampTz now, bool wanted);

/* This transaction claims: if it is rolled back, the next look finds its steps again. */
extern void orch_queue_claims(void);

#endif							/* ORCH_QUEUE_INT_H */
