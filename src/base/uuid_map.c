/*-------------------------------------------------------------------------
 *
 * uuid_map.c
 *	  Fills the maps of uuid_map.h.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/uuid_map.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/uuid_map.h"

#define INITIAL_SIZE 64

static void grow(UuidMap *map);

void
orch_uuid_map_init(UuidMap *map, MemoryContext context)
{
	memset(map, 0, sizeof(*map));
	map->context = context;
}

uint16 *
orch_uuid_map_enter(UuidMap *map, const pg_uuid_t *key)
{
	uint32		mask;
	uint32		i;

	if (map->count >= map->size / 2)
		grow(map);
	mask = map->size - 1;
	for (i = orch_uuid_hash(key) & mask; map->values[i] != 0; i = (i + 1) & mask)
		if (memcmp(&map->keys[i], key, UUID_LEN) == 0)
			return &map->values[i];
	map->keys[i] = *key;
	map->count++;
	return &map->values[i];
}

/*
 * Doubles the map.  It is at most half full, so that a look-up ends soon.
 */
static void
grow(UuidMap *map)
{
	UuidMap		old = *map;
	uint32		i;

	check_stack_depth();
	if (map->size > PG_UINT32_MAX / 4)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many records or principals to keep in memory")));
	map->size = Max(INITIAL_SIZE, old.size * 2);
	map->keys = MemoryContextAllocHuge(map->context,
									   (Size) map->size * sizeof(pg_uuid_t));
	map->values = MemoryContextAllocExtended(map->context,
											 (Size) map->size * sizeof(uint16),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	map->count = 0;
	/* does not call grow() again: there is room */
	for (i = 0; i < old.size; i++)
		if (old.values[i] != 0)
			*orch_uuid_map_enter(map, &old.keys[i]) = old.values[i];
	if (old.size > 0)
	{
		pfree(old.keys);
		pfree(old.values);
	}
}
