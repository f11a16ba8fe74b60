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

#include "executor/spi.h"
#include "utils/uuid.h"

#include "access/access.h"
#include "base/orchestration.h"

/* What orch_caller_require_all() is asked for. */
#define MANAGE_SHARING	"manage the sharing of"

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
/* An existing share or rule is overwritten, or raises 23505. */
extern void orch_share_record(int object, const pg_uuid_t *record_id,
							  const pg_uuid_t *principal_id, AccessLevel level,
							  bool overwrite, pg_uuid_t *id);
extern void orch_share_create_rule(const RuleRequest *request, bool overwrite,
								   pg_uuid_t *id);

/* False: the share or rule does not exist, or a user's trigger suppressed the change. */
extern bool orch_share_set_level(int object, const pg_uuid_t *record_id,
								 const pg_uuid_t *id, AccessLevel level);
extern bool orch_share_remove(int object, const pg_uuid_t *record_id,
							  const pg_uuid_t *principal_id);
extern bool orch_share_update_rule(const RuleRequest *request, const pg_uuid_t *id);
extern bool orch_share_delete_rule(const pg_uuid_t *id);

/*
 * Executes an INSERT of create() into a view.  A share that exists is overwritten, as the
 * reference says of create() (3.4), and so is a rule, as by create_owner_sharing_rule().
 */
extern int	orch_share_execute_create(SPIPlanPtr plan, Datum *values, const char *nulls);

#endif							/* ORCH_SHARE_H */
