/*-------------------------------------------------------------------------
 *
 * uuid_map.h
 *	  A map from uuids to small numbers, fast enough for a look-up for each row of a
 *	  scan.
 *
 * The elements of simplehash have a status of their own.  Here the value is the status
 * (0: empty), the keys lie apart from the values, and a look-up is inlined into the
 * functions of the policies.  Nothing is ever removed.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/uuid_map.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_UUID_MAP_H
#define ORCH_UUID_MAP_H

#include "postgres.h"

#include "utils/uuid.h"

typedef struct UuidMap
{
	MemoryContext context;
	uint32		size;			/* a power of two, or 0 */
	uint32		count;
	pg_uuid_t  *keys;
	uint16	   *values;			/* 0: the place is empty */
} UuidMap;

extern void orch_uuid_map_init(UuidMap *map, MemoryContext context);

/*
 * The place of a key's value; enters the key, with the value 0, if it is not there.  The
 * caller must set a value other than 0 before it uses the map again.
 */
extern uint16 *orch_uuid_map_enter(UuidMap *map, const pg_uuid_t *key);

static inline uint32
orch_uuid_hash(const pg_uuid_t *key)
{
	uint64		high;
	uint64		low;

	/* an id has the time in front and 62 random bits behind */
	memcpy(&high, key->data, sizeof(high));
	memcpy(&low, key->data + sizeof(high), sizeof(low));
	low ^= high * UINT64CONST(0x9E3779B97F4A7C15);
	low ^= low >> 32;
	low *= UINT64CONST(0xD6E8FEB86659FD93);
	return (uint32) (low >> 32);
}

/*
 * The value of a key; 0 if it is not there.
 */
static inline uint16
orch_uuid_map_get(const UuidMap *map, const pg_uuid_t *key)
{
	uint32		mask = map->size - 1;
	uint32		i;

	if (map->count == 0)
		return 0;
	for (i = orch_uuid_hash(key) & mask; map->values[i] != 0; i = (i + 1) & mask)
		if (memcmp(&map->keys[i], key, UUID_LEN) == 0)
			return map->values[i];
	return 0;
}

#endif							/* ORCH_UUID_MAP_H */
