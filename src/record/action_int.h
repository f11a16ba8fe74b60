/*-------------------------------------------------------------------------
 *
 * action_int.h
 *	  What the files of actions share.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/action_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACTION_INT_H
#define ORCH_ACTION_INT_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "base/system.h"
#include "record/action.h"

/*
 * action.c: execute a plan that changes or deletes the action whose name is its first
 * parameter.  Raises OR205 if there is no such action.
 */
extern void orch_action_change(StaticPlan *plan, Datum *values, const char *nulls);

/* Negative, zero or positive, as the interval is. */
extern int	orch_action_interval_sign(const Interval *interval);

#endif							/* ORCH_ACTION_INT_H */
