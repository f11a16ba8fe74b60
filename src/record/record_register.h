/*-------------------------------------------------------------------------
 *
 * record_register.h
 *	  Record types are registered.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_register.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_REGISTER_H
#define ORCH_RECORD_REGISTER_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/relcache.h"

/*
 * Register a record type, or let the table take the place of the one that it has: runs,
 * lookups and waits stay.  The caller must own the other table.  Called in system context and
 * connected to SPI.
 */
extern void orch_record_put(const char *name, Relation relation, List *key_columns,
							Oid caller);

/* Do the columns identify the rows of the table: unique, each NOT NULL? */
extern bool orch_record_key_fits(Relation relation, List *key_columns);

#endif							/* ORCH_RECORD_REGISTER_H */
