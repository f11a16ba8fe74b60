/*-------------------------------------------------------------------------
 *
 * chain.h
 *	  The limit on chains of runs that start or move each other.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/chain.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CHAIN_H
#define ORCH_CHAIN_H

#include "postgres.h"

#include "utils/uuid.h"

/* orchestration.max_chain_depth */
extern int	orch_max_chain_depth;

/*
 * A run is about to be moved: raises OR308 if the chain of runs would be longer than
 * orchestration.max_chain_depth.  Record type and key may be NULL.
 */
extern void orch_chain_check(const pg_uuid_t *run_id, const char *orchestration,
							 const char *record_type, const char *record_key);

#endif							/* ORCH_CHAIN_H */
