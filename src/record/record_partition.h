/*-------------------------------------------------------------------------
 *
 * record_partition.h
 *	  Partitions of registered tables, and tables that are dropped.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_partition.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_PARTITION_H
#define ORCH_RECORD_PARTITION_H

#include "postgres.h"

/*
 * The registered table that a relation is, or is a partition of; type is NULL when
 * there is none.
 */
extern Oid	orch_record_registered(Oid relation, bool is_partition, char **type,
								   char **key_column);

/*
 * Partitions of registered tables get the trigger on TRUNCATE, which PostgreSQL does
 * not hand down; tables that are partitions no more lose it.  Caller is in system
 * context and connected to SPI.
 */
extern void orch_record_cover_partitions(void);
extern void orch_record_uncover(void);

/* Clear the lookups to records of a type that are not there. */
extern void orch_record_clear_dangling(const char *type);

#endif							/* ORCH_RECORD_PARTITION_H */
