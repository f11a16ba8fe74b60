/*-------------------------------------------------------------------------
 *
 * share.h
 *	  Manual shares and sharing rules, as calls and views write them.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/share.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_SHARE_H
#define ORCH_SHARE_H

#include "postgres.h"

#include "utils/uuid.h"

#include "access/access.h"
#include "base/orchestration.h"

/* A sharing rule to be stored; it has a group_id or an orchestration_id. */
typedef struct RuleRequest
{
	SharedObject object;
	const pg_uuid_t *group_id;
	const pg_uuid_t *orchestration_id;
	const pg_uuid_t *user_or_group_id;
	AccessLevel level;
	const char *name;			/* NULL: made of source and target */
	const char *developer_name; /* or NULL */
	const char *description;	/* or NULL */
} RuleRequest;

/*
 * Each checks the caller's rights.  object: of the record, or ANY_OBJECT (caller.h).
 */
extern void orch_share_record(int object, const pg_uuid_t *record_id,
							  const pg_uuid_t *principal_id, AccessLevel level,
							  pg_uuid_t *id);
extern bool orch_share_remove(int object, const pg_uuid_t *record_id,
							  const pg_uuid_t *principal_id);
extern void orch_share_create_rule(const RuleRequest *request, pg_uuid_t *id);
extern bool orch_share_delete_rule(const pg_uuid_t *id);

#endif							/* ORCH_SHARE_H */
