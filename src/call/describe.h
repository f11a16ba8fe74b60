/*-------------------------------------------------------------------------
 *
 * describe.h
 *	  Descriptions of the documented objects.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/describe.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DESCRIBE_H
#define ORCH_DESCRIBE_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "record/sobject.h"

/* reference.md, 4.2 and 4.3 */
#define MAIN_RECORD_TYPE_ID "012000000000000AAA"

extern void orch_describe_init(void);
extern void orch_describe_put_record_type(JsonbParseState **state, bool mapping,
										  const SObject *object);

#endif							/* ORCH_DESCRIBE_H */
