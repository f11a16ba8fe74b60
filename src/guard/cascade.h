/*-------------------------------------------------------------------------
 *
 * cascade.h
 *	  The consequences of a change, and the engine that goes on after them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/cascade.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CASCADE_H
#define ORCH_CASCADE_H

#include "postgres.h"

#include "utils/uuid.h"

#include "guard/guard_int.h"

/*
 * Make the consequences of rows that passed the guard, all of one statement.  Caller is
 * connected to SPI and in system context.
 */
extern void orch_cascade(const GuardEntry *entries, int nentries);

/* Is the statement that fired this trigger a consequence? */
extern bool orch_cascade_under_way(void);

/*
 * A run waits for the engine until the statement whose triggers are at this depth has
 * ended.  resumed: it just left Suspended or Error.
 */
extern void orch_cascade_wait(const pg_uuid_t *run_id, bool resumed, int depth);

/* A statement whose triggers are at this depth has ended: the engine gets its runs. */
extern void orch_cascade_go_on(int depth);

/*
 * The engine, which lies above the guard, registers what consequences need of it.
 *
 * has_fault_path: does the stage of a run lead on when it fails?
 * go_on: evaluate a run again.
 */
typedef struct CascadeConsumer
{
	bool		(*has_fault_path) (const pg_uuid_t *run_id, const pg_uuid_t *stage_id);
	void		(*go_on) (const pg_uuid_t *run_id, bool resumed);
} CascadeConsumer;

/* Called once, by orch_engine_init(); the struct must stay. */
extern void orch_cascade_register(const CascadeConsumer *registered);

/* Called once, by _PG_init(). */
extern void orch_cascade_init(void);

#endif							/* ORCH_CASCADE_H */
