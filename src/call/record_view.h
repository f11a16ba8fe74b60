/*-------------------------------------------------------------------------
 *
 * record_view.h
 *	  When users last viewed records and referred to them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/record_view.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_RECORD_VIEW_H
#define ORCH_RECORD_VIEW_H

#include "postgres.h"

#include "utils/uuid.h"

/*
 * The user that the role acts as views a record, or only refers to it.  False if the same
 * user is doing this in another session.  Raises OR101 for a record that the role does not
 * see, 42501 for a role that acts as no active user.
 */
extern bool orch_record_view_mark(Oid role, const pg_uuid_t *record_id, bool viewed);

#endif							/* ORCH_RECORD_VIEW_H */
