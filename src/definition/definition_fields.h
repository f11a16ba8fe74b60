/*-------------------------------------------------------------------------
 *
 * definition_fields.h
 *	  The fields of record types that definitions read.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_fields.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DEFINITION_FIELDS_H
#define ORCH_DEFINITION_FIELDS_H

#include "postgres.h"

extern void orch_definition_fields_init(void);

#endif							/* ORCH_DEFINITION_FIELDS_H */
