/*-------------------------------------------------------------------------
 *
 * gate.h
 *	  The gate between the extension and code that users own.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/gate.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_GATE_H
#define ORCH_GATE_H

#include "postgres.h"

#include "utils/uuid.h"

#include "base/frame.h"

typedef enum GateKind
{
	GATE_ACTION,				/* a function of an action, in a session */
	GATE_WORKER,				/* the same in a transaction of its own, in the
								 * background worker */
	GATE_RECORD					/* types, domains, policies of a registered
								 * table: they read */
} GateKind;

/* The role and settings from before; on the stack of the caller. */
typedef struct Gate
{
	GateKind	kind;
	Oid			user_id;
	int			sec_context;
	int			guc_level;
	bool		read_only;
	SubTransactionId subid;
	Frame	   *frame;
} Gate;

extern void orch_gate_init(void);

/*
 * Between these two calls, code that a user owns runs as role and as no other.  Caller
 * is in a subtransaction, unless an error ends its transaction.
 */
extern void orch_gate_enter(Gate *gate, GateKind kind, Oid role);
extern void orch_gate_leave(const Gate *gate);

/* GATE_RECORD, as the owner of a table. */
extern void orch_gate_enter_table(Gate *gate, Oid relation);

/*
 * Until the gate closes the transaction need not be read-only: no read-only transaction
 * can lock rows.  For a plan that is ready, so that the planner has run code of the
 * owner before.
 */
extern void orch_gate_permit_locks(const Gate *gate);

/* Is a query of a registered table being executed further out? */
extern bool orch_gate_reads(void);

/*
 * Raises 42501 while code of an action runs, however deep: for calls of the
 * extension that would change the session.
 */
extern void orch_gate_refuse_inside(const char *what);
extern bool orch_gate_is_inside(void);

/*
 * Remove what an aborted transaction of the background worker leaves in the session,
 * because the abort does not undo it.
 */
extern void orch_gate_reset_session(void);

#endif							/* ORCH_GATE_H */
