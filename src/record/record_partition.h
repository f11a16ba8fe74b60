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

#include "nodes/pg_list.h"

/*
 * The registered table that a relation is, or is a partition of; type is NULL if there is
 * none.
 */
extern Oid	orch_record_registered(Oid relation, bool is_partition, char **type,
								   List **key_columns);

/*
 * Create the trigger on TRUNCATE on partitions of registered tables, which PostgreSQL
 * does not do; drop it from tables that are no longer partitions.  Caller is in system
 * context and connected to SPI.
 */
extern void orch_record_cover_partitions(void);
extern void orch_record_uncover(void);

/* Clear the lookups to records of a type that do not exist. */
extern void orch_record_clear_dangling(const char *type);

#endif							/* ORCH_RECORD_PARTITION_H */
