/*-------------------------------------------------------------------------
 *
 * record_partition.h
 *	  The triggers of registered tables, their partitions and their children.
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

#include "base/system.h"

/*
 * The registered table that a relation is, is a partition of or inherits from; type is NULL
 * if there is none.
 */
extern Oid	orch_record_registered(Oid relation, bool is_partition, char **type,
								   List **key_columns);

/*
 * The callers of the following are in system context and connected to SPI.
 */

/* Create the triggers of a table, also those that exist. */
extern void orch_record_create_triggers(const char *type, Oid relation);

/*
 * Drop the triggers of all tables that have the mark of a record type, except keep and its
 * children.
 */
extern void orch_record_drop_triggers(const char *type, Oid keep);

/*
 * Create the triggers that PostgreSQL does not create on partitions and children of
 * registered tables; drop the trigger on TRUNCATE from tables that are no longer partitions.
 */
extern void orch_record_cover(void);
extern void orch_record_uncover(void);

/* Execute the commands that a query returns. */
extern void orch_record_execute_all(StaticPlan *plan, Datum *values);

/* Clear the lookups to records of a type that do not exist, unless its table is gone. */
extern void orch_record_clear_dangling(const char *type);

#endif							/* ORCH_RECORD_PARTITION_H */
