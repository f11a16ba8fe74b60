/*-------------------------------------------------------------------------
 *
 * system.h
 *	  System context: how the extension reads and writes its own tables.
 *
 * Between orch_system_enter() and orch_system_leave() the session acts as the
 * owner of the extension, row security does not apply, and search_path is
 * pinned, independent of the caller's role and settings.  The extension executes
 * all of its SQL there.  An error needs no clean-up: the end of the
 * (sub)transaction restores the role and search_path.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/system.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_SYSTEM_H
#define ORCH_SYSTEM_H

#include "postgres.h"

#include "executor/spi.h"

#include "base/compat.h"

#define SYSTEM_SEARCH_PATH "pg_catalog, pg_temp"

typedef struct SystemContext
{
	Oid			user_id;		/* the role before */
	int			sec_context;
	int			guc_level;		/* 0: search_path was pinned already */
} SystemContext;

extern void orch_system_enter(SystemContext *saved);
extern void orch_system_leave(const SystemContext *saved);

/* The same, connected to SPI. */
extern void orch_system_connect(SystemContext *saved);
extern void orch_system_finish(const SystemContext *saved);

extern void orch_spi_connect(void);

/*
 * Kept plans.  A StaticPlan is a file-level variable with its query and
 * argument types; orch_plan_execute() prepares it at first use and keeps it for
 * the session.  Caller is connected to SPI and in system context.  nulls may be
 * NULL.  The functions named latest use the latest snapshot; in REPEATABLE READ
 * and up they raise a serialization failure for rows that were changed since the
 * transaction's snapshot.
 */
#define STATIC_PLAN_MAX_ARGS 32

typedef struct StaticPlan
{
	const char *query;
	int			nargs;
	Oid			argtypes[STATIC_PLAN_MAX_ARGS];	/* InvalidOid: see fill */
	SPIPlanPtr	plan;			/* kept, or NULL */
} StaticPlan;

/* Prepare a plan without executing it. */
extern void orch_plan_prepare(StaticPlan *plan);
extern int	orch_plan_execute(StaticPlan *plan, Datum *values,
							  const char *nulls, bool read_only, long limit);
extern int	orch_plan_execute_latest(StaticPlan *plan, Datum *values,
									 const char *nulls, long limit);
extern int	orch_execute_latest(SPIPlanPtr plan, Datum *values, const char *nulls,
								long limit);

/* For an INSERT that returned no row, because a user's trigger suppressed it: raises 27000. */
extern void orch_plan_refuse_suppressed(const char *table) pg_attribute_noreturn();

#endif							/* ORCH_SYSTEM_H */
