/*-------------------------------------------------------------------------
 *
 * access_support.h
 *	  Planner support for the functions of the policies.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/access/access_support.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ACCESS_SUPPORT_H
#define ORCH_ACCESS_SUPPORT_H

#include "postgres.h"

extern void orch_access_support_init(void);

#endif							/* ORCH_ACCESS_SUPPORT_H */
