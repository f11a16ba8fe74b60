/*-------------------------------------------------------------------------
 *
 * gathered.c
 *	  Arrays of entries that are gathered in memory before they are written.
 *
 * The run log and the history gather entries of different sizes in the same way: in an
 * array in TopTransactionContext, in the order in which they were made, so that those
 * of an inner subtransaction are at the end.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/trail/gathered.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "base/uuid.h"
#include "trail/gathered.h"

#define ENTRY(entries, i, size) ((Gathered *) ((char *) (entries) + (size) * (i)))

void *
orch_gathered_reserve(void *entries, int n, int *max, Size size)
{
	if (n < *max)
		return entries;
	*max = *max == 0 ? 64 : *max * 2;
	return entries == NULL ? MemoryContextAllocHuge(TopTransactionContext, *max * size) :
		repalloc_huge(entries, *max * size);
}

void *
orch_gathered_take(void *entries, int *n, Size size, int *ntaken)
{
	int			level = GetCurrentTransactionNestLevel();
	int			first = *n;
	void	   *taken;

	while (first > 0 && ENTRY(entries, first - 1, size)->nest_level >= level)
		first--;
	*ntaken = *n - first;
	if (*ntaken == 0)
		return NULL;
	taken = MemoryContextAllocHuge(TopTransactionContext, *ntaken * size);
	memcpy(taken, ENTRY(entries, first, size), *ntaken * size);
	*n = first;
	return taken;
}

int
orch_gathered_keep_existing(void *entries, int n, Size size, const pg_uuid_t *gone,
							int ngone)
{
	int			kept = 0;
	int			i;

	if (likely(ngone == 0))
		return n;
	for (i = 0; i < n; i++)
	{
		Gathered   *entry = ENTRY(entries, i, size);

		if (bsearch(&entry->run_id, gone, ngone, sizeof(pg_uuid_t), orch_uuid_compare) != NULL)
			continue;
		if (kept < i)
			memcpy(ENTRY(entries, kept, size), entry, size);
		kept++;
	}
	return kept;
}
