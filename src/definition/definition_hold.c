/*-------------------------------------------------------------------------
 *
 * definition_hold.c
 *	  Keeps versions from being deleted while runs of them start.
 *
 * A run refers to its version without a foreign key: with one, concurrent starts would
 * lock the same row and queue on its multixacts.  The run is not visible to others
 * before its transaction commits, so that a deletion cannot find it.  Therefore each
 * transaction that starts runs of an orchestration holds an advisory lock on the
 * orchestration in share mode, and a deletion takes it in exclusive mode before it looks
 * for runs.  Both keep it until their transaction ends.
 *
 * The active version is looked up after the lock was taken, as PostgreSQL looks up a
 * name again after it locked a table: a deletion that held the lock meanwhile has sent its
 * invalidations before it released the lock.
 *
 * A migration and an import name any version by its id.  They are rare, and lock the
 * version's row FOR KEY SHARE.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_hold.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/inval.h"

#include "base/lock.h"
#include "base/system.h"
#include "definition/definition_int.h"

static StaticPlan plan_hold_version = {
	"SELECT 1 FROM orchestration.orchestration_version WHERE id = $1 FOR KEY SHARE",
	1, {UUIDOID}
};

static bool lock_versions(const pg_uuid_t *orchestration_id, LOCKMODE mode);

/*
 * Take the lock until the transaction ends.  Returns whether the transaction did not hold
 * it before.
 */
static bool
lock_versions(const pg_uuid_t *orchestration_id, LOCKMODE mode)
{
	LOCKTAG		tag;
	uint64		key;

	/* ids begin with a time and end in random bits */
	memcpy(&key, &orchestration_id->data[UUID_LEN - sizeof(key)], sizeof(key));
	orch_lock_tag(&tag, LOCK_VERSIONS, key);
	if (LockAcquire(&tag, mode, false, false) != LOCKACQUIRE_OK)
		return false;
	AcceptInvalidationMessages();
	return true;
}

/*
 * Wait until no other transaction starts runs of the orchestration, and keep others from
 * it.
 */
void
orch_definition_lock_versions(const pg_uuid_t *orchestration_id)
{
	(void) lock_versions(orchestration_id, ExclusiveLock);
}

const Definition *
orch_definition_hold_active(const char *name)
{
	const Definition *def = orch_definition_active(name);

	while (lock_versions(&def->orchestration_id, ShareLock))
	{
		/* the name may belong to another orchestration now, which is not locked yet */
		CHECK_FOR_INTERRUPTS();
		def = orch_definition_active(name);
	}
	return def;
}

List *
orch_definition_hold_triggered_by(const char *record_type)
{
	List	   *definitions;
	ListCell   *cell;
	bool		locked;

	do
	{
		CHECK_FOR_INTERRUPTS();
		locked = false;
		definitions = orch_definition_triggered_by(record_type);
		foreach(cell, definitions)
		{
			const Definition *def = lfirst(cell);

			locked |= lock_versions(&def->orchestration_id, ShareLock);
		}
	} while (locked);
	return definitions;
}

bool
orch_definition_hold_version(const pg_uuid_t *version_id)
{
	SystemContext saved;
	Datum		value = UUIDPGetDatum(version_id);
	bool		exists;

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_hold_version, &value, NULL, 1);
	exists = SPI_processed > 0;
	orch_system_finish(&saved);
	return exists;
}
