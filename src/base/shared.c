/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  Shared memory: one pair of hooks for all areas.
 *
 * An area belongs to one module, which gives its size and initialises it.  This file
 * reserves and attaches the areas, so that no module needs hooks of its own.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/shared.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "base/shared.h"

#define MAX_AREAS 4

static const SharedArea *areas[MAX_AREAS];
static int	nareas = 0;
static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static void request_areas(void);
static void start_areas(void);

void
orch_shared_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_areas;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_areas;
}

void
orch_shared_reserve(const SharedArea *area)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	if (nareas == MAX_AREAS)
		elog(ERROR, "too many areas of shared memory for \"%s\"", area->name);
	areas[nareas++] = area;
}

static void
request_areas(void)
{
	int			i;

	if (previous_request_hook != NULL)
		previous_request_hook();
	for (i = 0; i < nareas; i++)
		RequestAddinShmemSpace(MAXALIGN(areas[i]->size()));
}

static void
start_areas(void)
{
	int			i;

	if (previous_startup_hook != NULL)
		previous_startup_hook();
	for (i = 0; i < nareas; i++)
		orch_shared_attach(areas[i]);
}

void
orch_shared_attach(const SharedArea *area)
{
	bool		found;
	void	   *memory;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	memory = ShmemInitStruct(area->name, area->size(), &found);
	if (!found)
	{
		memset(memory, 0, area->size());
		area->fill(memory);
	}
	*area->place = memory;
	LWLockRelease(AddinShmemInitLock);
}
