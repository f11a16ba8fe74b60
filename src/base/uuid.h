/*-------------------------------------------------------------------------
 *
 * uuid.h
 *	  Record ids and sets of them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/uuid.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_UUID_H
#define ORCH_UUID_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/array.h"
#include "utils/uuid.h"

extern void orch_uuid_generate(pg_uuid_t *id);
extern TimestampTz orch_uuid_time(const pg_uuid_t *id);
extern char *orch_uuid_text(const pg_uuid_t *id);
extern bool orch_uuid_parse(const char *text, pg_uuid_t *id);
extern int	orch_uuid_compare(const void *a, const void *b);
extern ArrayType *orch_uuid_array(const pg_uuid_t *ids, int nids);

#define orch_uuid_equal(a, b) (memcmp((a), (b), UUID_LEN) == 0)

#endif							/* ORCH_UUID_H */
