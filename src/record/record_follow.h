/*-------------------------------------------------------------------------
 *
 * record_follow.h
 *	  Record types follow their tables when these are renamed, swapped or dropped.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_follow.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_FOLLOW_H
#define ORCH_RECORD_FOLLOW_H

#include "postgres.h"

/*
 * The callers are an event trigger's function, in system context and connected to SPI.  user
 * is the role that executed the command.
 */

/* The command renamed a table or moved it to another schema; any_table: any of several. */
extern void orch_record_follow(bool any_table, Oid user);

/* The command renamed a column. */
extern void orch_record_follow_column(const char *old_name, const char *new_name);

/* The command changed the type of a column. */
extern void orch_record_column_changed(const char *column);

/* The command dropped tables or columns. */
extern void orch_record_dropped(void);

/*
 * Which active orchestrations read a field of a record type, and where, as a text for people;
 * NULL if none does.
 */
typedef char *(*RecordReaders) (const char *type, const char *field);

/* A floor above knows the orchestrations. */
extern void orch_record_set_readers(RecordReaders readers);

extern void orch_record_follow_init(void);

#endif							/* ORCH_RECORD_FOLLOW_H */
