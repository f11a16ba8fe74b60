/*-------------------------------------------------------------------------
 *
 * sobject_json.h
 *	  Records as json text, in the form of the platform.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/sobject_json.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_SOBJECT_JSON_H
#define ORCH_SOBJECT_JSON_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "record/sobject.h"

/* The newest API version that the contract knows, times ten. */
#define ORCH_API_NEWEST		670

/* 2013-05-08T21:20:00.000+0000 */
extern char *orch_sobject_time(TimestampTz time);

/* The beginning of each URL; version / 10, version % 10. */
#define ORCH_API_URL	"/services/data/v%d.%d"

/* The text of a value that is not null, by the output function of its type. */
extern char *orch_sobject_value_text(Oid type, Datum value);

/* A value of a view's column, not null. */
extern void orch_sobject_append_value(StringInfo out, Oid type, Datum value);

/* {"type": ..., "url": ...}; id NULL: without url. */
extern void orch_sobject_append_attributes(StringInfo out, const SObject *object,
										   const pg_uuid_t *id, int version);

#endif							/* ORCH_SOBJECT_JSON_H */
